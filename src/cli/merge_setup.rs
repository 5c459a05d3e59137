//! What has git call imglint when it merges files that say versions: a merge driver in its configuration, and attributes that name it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use super::args::{PolicyOptions, Target};
use super::exit::Error;
use super::policy::{choose, head};
use crate::environment::Environment;
use crate::git::{Base, MergeDriver, Repository};
use crate::shape::Shape;
use crate::text::escape;
use crate::write;

/// The driver. Where imglint is gone, or cannot, git merges as if nobody had told it otherwise.
const DRIVER: MergeDriver = MergeDriver {
    name: "imglint",
    title: "versions of images",
    command: "PATH=\"$PATH:$HOME/.cargo/bin\"; imglint merge-driver --marker-size=%L --ancestor-name=%S --our-name=%X \
              --their-name=%Y -- %O %A %B %P; code=$?; test $code -le 1 && exit $code; git merge-file -q --marker-size=%L \
              -L ours -L base -L theirs %A %O %B || exit 1",
    // Of two ancestors none is right: what is merged must differ from both.
    recursive: "text",
};

/// What stands around the lines that imglint writes.
const BEGIN: &str = "# Written by `imglint hook install --merge-driver`, removed by `imglint hook uninstall`";
const END: &str = "# End of what imglint wrote";

#[derive(Debug, thiserror::Error, Diagnostic)]
enum SetupError {
    #[error("{} is merged by `{}` already, as an attribute says", escape(path), escape(driver))]
    #[diagnostic(help(
        "take `merge={}` from the attributes of this file, or leave the merge driver out",
        escape(driver)
    ))]
    Other { path: String, driver: String },
    #[error("failed to read or change {}: {source}", escape(&path.display().to_string()))]
    #[diagnostic(help("check that the file can be read and written to, and holds text"))]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{} holds the first line of what imglint wrote, and not the last", escape(&.0.display().to_string()))]
    #[diagnostic(help("take out by hand what imglint wrote there, and run it again"))]
    Edited(PathBuf),
}

/// Sets the driver up for the files that the pack of a repository says hold versions, and tells what was done.
pub(super) fn install(
    repository: &Repository,
    repo: Option<&Path>,
    environment: &Environment,
) -> Result<String, Error> {
    let policy = PolicyOptions { repo: repo.map(Path::to_owned), ..PolicyOptions::default() };
    let target = Target { worktree: repository.root().is_some(), ..Target::default() };
    let head = head(&target, repository, environment);
    let base = Base::Whole { source: "the merge driver".to_owned(), branch: None };
    let pack = choose(&policy, repository, &base, &head, environment)?.pack;
    let files = repository.pair(&base, &head, &pack.scope())?.head;
    for path in files.entries().keys().filter(|path| pack.shape.says_versions(path)) {
        if let Some(driver) = repository.merge_attribute(path).filter(|driver| driver != DRIVER.name) {
            return Err(SetupError::Other { path: path.to_string(), driver }.into());
        }
    }
    let lines = lines(&pack.shape);
    let path = attributes(repository);
    let kept = without_block(&path, read(&path)?)?;
    write(&path, &format!("{kept}{BEGIN}\n{lines}{END}\n"))?;
    repository.set_merge_driver(&DRIVER)?;
    let mut told = format!("git merges these by imglint now, as {} says:\n", shown(&path));
    for line in lines.lines() {
        let _ = writeln!(told, "    {line}");
    }
    told.push_str("In .gitattributes they hold for all who clone, once each of them has run `imglint hook install --merge-driver`.\n");
    Ok(told)
}

/// Takes all of it away again; `None` where there is nothing.
pub(super) fn uninstall(repository: &Repository) -> Result<Option<String>, Error> {
    let path = attributes(repository);
    let before = read(&path)?;
    let kept = without_block(&path, before.clone())?;
    let was_configured = repository.unset_merge_driver(&DRIVER)?;
    let was_there = was_configured || kept != before;
    if kept != before {
        if kept.is_empty() {
            std::fs::remove_file(&path).map_err(|source| SetupError::Io { path, source })?;
        } else {
            write(&path, &kept)?;
        }
    }
    Ok(was_there.then(|| "removed the merge driver\n".to_owned()))
}

/// The lines of attributes.
fn lines(shape: &Shape) -> String {
    let mut lines = String::new();
    for pattern in shape.version_patterns() {
        let quoted = pattern.contains([' ', '"', '\t']).then(|| format!("{pattern:?}"));
        let _ = writeln!(lines, "{} merge={}", quoted.unwrap_or(pattern), DRIVER.name);
    }
    lines
}

/// The file of attributes that are of this clone alone.
fn attributes(repository: &Repository) -> PathBuf {
    repository.common_dir().join("info").join("attributes")
}

fn read(path: &Path) -> Result<String, SetupError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(SetupError::Io { path: path.to_owned(), source }),
    }
}

fn write(path: &Path, text: &str) -> Result<(), SetupError> {
    write::whole(path, text.as_bytes()).map_err(|source| SetupError::Io { path: path.to_owned(), source })
}

/// The text without what imglint wrote, each of its lines ended.
fn without_block(path: &Path, mut text: String) -> Result<String, SetupError> {
    if let Some(begin) = text.find(BEGIN) {
        let end = text[begin..].find(END).ok_or_else(|| SetupError::Edited(path.to_owned()))?;
        let end = begin + end + END.len();
        let end = end + usize::from(text[end..].starts_with('\n'));
        text.replace_range(begin..end, "");
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn shown(path: &Path) -> String {
    escape(&path.display().to_string().replace('\\', "/")).into_owned()
}
