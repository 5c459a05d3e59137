//! The working tree: what `git add --all` would store of it.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{Delta, DiffDelta, DiffOptions, ErrorCode, IndexEntryExtendedFlag, ObjectType, Oid};

use super::entry::{bytes_of, bytes_on_disk, canonical, kind_of_mode, object};
use super::error::{Doing, GitError};
use super::objects::{Bytes, OnDisk};
use super::open::open_error;
use super::repository::Repository;
use crate::path::{file_name, path_of_bytes, path_on_disk};
use crate::snapshot::{Content, Entries, Entry, FileKind, Scope, TEMPORARY_PREFIX, TEMPORARY_SUFFIX};

/// Contents of the working tree that are in no object.
type OnDisks = HashMap<[u8; 20], OnDisk>;

/// A file that lies otherwise on disk than in the index.
struct Changed {
    /// Its path, as text.
    path: String,
    /// Its name on disk, which the path may only show.
    name: PathBuf,
    file: PathBuf,
    kind: FileKind,
    is_link: bool,
}

impl Repository {
    /// Puts what lies on disk in the place of what is staged, and gives the contents that are in no object.
    pub(super) fn apply_worktree(
        &self,
        entries: &mut Entries,
        index: &git2::Index,
        scope: &Scope,
    ) -> Result<OnDisks, GitError> {
        let root = self.root().ok_or(GitError::Bare("working tree"))?;
        let mut options = options(scope);
        options.include_untracked(true).recurse_untracked_dirs(true).include_typechange(true);
        options.ignore_submodules(true); // libgit2 would look for changes inside of them
        // A repository in the working tree is met even if there is nothing in it; of others all files are listed anyway.
        options.enable_fast_untracked_dirs(true);
        let diff = self
            .inner
            .diff_index_to_workdir(Some(index), Some(&mut options))
            .doing("comparing the index with the working tree")?;
        let mut on_disk = OnDisks::new();
        let mut converted = Vec::new();
        for delta in diff.deltas() {
            let bytes = delta.new_file().path_bytes().or(delta.old_file().path_bytes());
            let path = path_of_bytes(bytes.unwrap_or_default());
            let name = delta.new_file().path().or(delta.old_file().path()).unwrap_or(Path::new(&path)).to_owned();
            if let Some(directory) = path.strip_suffix('/') {
                add_embedded(directory, &root.join(&name), entries, scope)?;
                continue;
            }
            // A file of our own may be being written.
            if !scope.contains(&path) || is_temporary(&path) {
                continue;
            }
            let file = root.join(&name);
            let Some(metadata) = metadata(&delta, &path, &file)? else {
                // What a sparse checkout left out is there all the same.
                if delta.status() != Delta::Deleted || !is_skipped(index, &name) {
                    entries.remove(path.as_str());
                }
                continue;
            };
            let changed = Changed { kind: kind(&delta, &metadata), is_link: metadata.is_symlink(), path, name, file };
            if !changed.is_link && self.is_converted(&changed.path, &changed.file)? {
                converted.push(changed);
            } else {
                add_as_it_lies(changed, entries, &mut on_disk)?;
            }
        }
        apply_above(entries, scope, root)?;
        let names: Vec<&Path> = converted.iter().map(|changed| changed.name.as_path()).collect();
        let contents = self.converted(&names, index)?;
        for (Changed { path, kind, .. }, (id, bytes)) in converted.into_iter().zip(contents) {
            on_disk.insert(bytes_of(id), OnDisk { bytes });
            entries.insert(path.into(), Entry { kind, content: object(id) });
        }
        self.move_submodules(entries)?;
        Ok(on_disk)
    }

    /// A submodule is where its own HEAD is; where it was not checked out, it is where it was.
    fn move_submodules(&self, entries: &mut Entries) -> Result<(), GitError> {
        let root = self.root().ok_or(GitError::Bare("working tree"))?;
        let submodules = entries.iter().filter(|(_, entry)| entry.kind == FileKind::Submodule);
        let submodules: Vec<Arc<str>> = submodules.map(|(path, _)| Arc::clone(path)).collect();
        for path in submodules {
            if let Some(id) = checked_out(&root.join(path_on_disk(&path)))? {
                entries.insert(path, Entry { kind: FileKind::Submodule, content: object(id) });
            }
        }
        Ok(())
    }
}

/// Puts links in the place of the directories that they stand for: they are not among what git tells of the files below them.
fn apply_above(entries: &mut Entries, scope: &Scope, root: &Path) -> Result<(), GitError> {
    for path in &scope.above {
        let directory = root.join(path);
        let Ok(metadata) = std::fs::symlink_metadata(&directory) else { continue };
        if metadata.is_dir() {
            entries.remove(path.as_str());
        } else if metadata.is_symlink() {
            let target = bytes_on_disk(&directory).map_err(|source| GitError::Io { path: path.clone(), source })?;
            let entry = Entry { kind: FileKind::Symlink, content: Content::Inline(target.into()) };
            entries.insert(path.as_str().into(), entry);
        }
    }
    Ok(())
}

/// A repository inside of this one is stored as the commit that is checked out in it. Without a commit it cannot be added.
fn add_embedded(path: &str, directory: &Path, entries: &mut Entries, scope: &Scope) -> Result<(), GitError> {
    if scope.contains(path)
        && let Some(id) = checked_out(directory)?
    {
        entries.insert(path.into(), Entry { kind: FileKind::Submodule, content: object(id) });
    }
    Ok(())
}

/// The commit that is checked out in a repository inside of this one; `None` where there is none.
fn checked_out(directory: &Path) -> Result<Option<Oid>, GitError> {
    match git2::Repository::open(directory).and_then(|inner| inner.refname_to_id("HEAD")) {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(open_error(&error, directory)),
    }
}

/// What lies on disk at the path of a difference; `None` where that is no file.
fn metadata(delta: &DiffDelta<'_>, path: &str, file: &Path) -> Result<Option<Metadata>, GitError> {
    // A directory on the way may be a link now, or a file: git knows, the disk need not be asked.
    if delta.status() == Delta::Deleted {
        return Ok(None);
    }
    match std::fs::symlink_metadata(file) {
        Ok(metadata) => Ok(Some(metadata).filter(|metadata| !metadata.is_dir())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(GitError::Io { path: path.to_owned(), source }),
    }
}

fn kind(delta: &DiffDelta<'_>, metadata: &Metadata) -> FileKind {
    // Of what is unmerged, libgit2 does not say a mode.
    let mode = i32::from(delta.new_file().mode());
    match kind_of_mode(canonical(mode)).filter(|_| mode != 0) {
        Some(kind) => kind,
        None if metadata.is_symlink() => FileKind::Symlink,
        None => FileKind::File,
    }
}

/// Adds a file that git stores as it lies on disk.
fn add_as_it_lies(changed: Changed, entries: &mut Entries, on_disk: &mut OnDisks) -> Result<(), GitError> {
    let Changed { path, file, kind, is_link, .. } = changed;
    let id = if is_link {
        let target = bytes_on_disk(&file).map_err(|source| GitError::Io { path: path.clone(), source })?;
        Oid::hash_object(ObjectType::Blob, &target)
    } else {
        // Opened here for a clear error: libgit2 does not say why it cannot.
        std::fs::File::open(&file).map_err(|source| GitError::Io { path: path.clone(), source })?;
        Oid::hash_file(ObjectType::Blob, &file)
    };
    let id = id.doing("reading the working tree")?;
    on_disk.insert(bytes_of(id), OnDisk { bytes: Bytes::File(file) });
    entries.insert(path.into(), Entry { kind, content: object(id) });
    Ok(())
}

fn is_temporary(path: &str) -> bool {
    let name = file_name(path);
    name.starts_with(TEMPORARY_PREFIX) && name.ends_with(TEMPORARY_SUFFIX)
}

/// Whether a sparse checkout left a file of the index out.
fn is_skipped(index: &git2::Index, name: &Path) -> bool {
    let flags = index.get_path(name, 0).map(|entry| IndexEntryExtendedFlag::from_bits_truncate(entry.flags_extended));
    flags.is_some_and(|flags| flags.contains(IndexEntryExtendedFlag::SKIP_WORKTREE))
}

fn options(scope: &Scope) -> DiffOptions {
    let mut options = DiffOptions::new();
    options.skip_binary_check(true).disable_pathspec_match(true);
    if !scope.directories.iter().any(String::is_empty) {
        for path in scope.directories.iter().chain(&scope.files) {
            options.pathspec(path);
        }
    }
    options
}
