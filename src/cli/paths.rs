//! Paths as people give them, and as the repository knows them.

use std::path::{Component, Path, PathBuf};

use super::exit::Error;
use crate::git::Repository;
use crate::path::is_below;
use crate::snapshot::Pair;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum PathError {
    #[error("no such file or directory: {}", crate::text::escape(&.0.display().to_string()))]
    #[diagnostic(help("name files that the change touches, or directories of the repository{}", for_words(.0)))]
    Missing(PathBuf),
    #[error("{} lies outside of the repository", crate::text::escape(&.0.display().to_string()))]
    #[diagnostic(help("name files and directories of the repository that is judged"))]
    Outside(PathBuf),
}

/// What to say of a name that may have been meant for a command.
fn for_words(path: &Path) -> &'static str {
    let is_word = path.to_str().is_some_and(|word| !word.contains(['/', '.', '\\']));
    if is_word { "; `imglint --help` lists the commands" } else { "" }
}

/// Paths as people give them, relative to where they stand, as paths of the repository. One that does not exist, now or before
/// the change, is an error: it would narrow the report to nothing.
pub(super) fn narrow(paths: &[PathBuf], repository: &Repository, pair: &Pair<'_>) -> Result<Vec<String>, Error> {
    let Some(root) = repository.root() else {
        return Ok(paths.iter().map(|path| path.display().to_string()).collect());
    };
    let mut narrowed = Vec::new();
    for path in paths {
        let name = below(root, path).ok_or_else(|| PathError::Outside(path.clone()))?;
        let full = full(path);
        if !full.exists() && full.symlink_metadata().is_err() && !is_in(pair, &name) {
            return Err(PathError::Missing(path.clone()).into());
        }
        narrowed.push(name);
    }
    Ok(narrowed)
}

/// What people call images, with directories that are written as paths from where they stand, as in `bump .`, as paths of the repository.
pub(super) fn image_names(names: &[String], repository: &Repository) -> Vec<String> {
    let mut found = Vec::new();
    for name in names {
        let is_path = name == "." || name == ".." || name.starts_with("./") || name.starts_with("../");
        let directory = repository.root().filter(|_| is_path || Path::new(name).is_dir());
        // What is no directory here is a name.
        found.push(directory.and_then(|root| below(root, Path::new(name))).unwrap_or_else(|| name.clone()));
    }
    found
}

/// A path as the repository at `root` calls it, if it lies in it.
fn below(root: &Path, path: &Path) -> Option<String> {
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let full = full(path);
    let below = if let Ok(below) = full.strip_prefix(&root) {
        below.to_owned()
    } else {
        // One of the two may be written by way of a link.
        let above = full.parent().and_then(|parent| parent.canonicalize().ok());
        let canonical = above.zip(full.file_name()).map_or_else(|| full.clone(), |(parent, name)| parent.join(name));
        let root = root.canonicalize().unwrap_or(root);
        canonical.strip_prefix(&root).ok()?.to_owned()
    };
    Some(below.to_string_lossy().replace('\\', "/"))
}

/// A path from the root of the disk.
fn full(path: &Path) -> PathBuf {
    lexical(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
}

/// Whether there is a file at or below a path, now or before the change.
fn is_in(pair: &Pair<'_>, path: &str) -> bool {
    let trees = [Some(&pair.head), pair.base.as_ref()];
    trees.into_iter().flatten().any(|tree| tree.entries().keys().any(|known| is_below(known, path)))
}

/// Takes `.` and `..` out of a path without asking the disk: the file may be deleted.
fn lexical(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}
