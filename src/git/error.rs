//! Why a repository could not be judged.

use std::path::{Path, PathBuf};

use crate::snapshot::{ReadError, StoreError};
use crate::text::escape;

/// Why a repository could not be judged, and what to do about it.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum GitError {
    #[error("no git repository at {} or above it", .0.display())]
    #[diagnostic(help("run imglint inside of a clone, or name one with `--repo DIR`"))]
    NoRepository(PathBuf),

    #[error("the repository at {} belongs to another user, and git refuses to trust it", .0.display())]
    #[diagnostic(help(
        "if you trust it, run: git config --global --add safe.directory {}", quoted(.0)
    ))]
    Owner(PathBuf),

    #[error("the repository at {} is of a kind that imglint cannot read yet: {reason}", path.display())]
    #[diagnostic(help("imglint reads repositories with SHA-1 objects and file-based references"))]
    Unsupported { path: PathBuf, reason: String },

    #[error("failed to read the index {}: {reason}", path.display())]
    #[diagnostic(help(
        "if `git status` fails, too, make it anew from HEAD; what is staged is unstaged by that: rm '{}' && git reset", path.display()
    ))]
    Index { path: PathBuf, reason: String },

    #[error("git could not say what the configuration in its variables is: {}", escape(reason))]
    #[diagnostic(help("GIT_CONFIG_COUNT and GIT_CONFIG_PARAMETERS are set: `git config --list` must work with them"))]
    Variables { reason: String },

    #[error("there are too many files to read, or paths that are too long: {}", escape(path))]
    #[diagnostic(help(
        "imglint reads trees of up to {most} files and directories, with paths of up to 4096 bytes: let the pack's roots name \
         fewer directories"
    ))]
    TooManyFiles { path: String, most: usize },

    #[error("no such revision: `{revision}` ({source_of_it})")]
    #[diagnostic(help("{help}"))]
    NoRevision { revision: String, source_of_it: String, help: String },

    #[error("HEAD has no commit yet")]
    #[diagnostic(help("judge what would be committed first: imglint --staged"))]
    Unborn,

    #[error("this repository is bare: it has no {0} to judge")]
    #[diagnostic(help("judge a commit: imglint --head REV --base REV"))]
    Bare(&'static str),

    #[error("{} is unmerged", escape(path))]
    #[diagnostic(help("resolve the conflict and `git add` the file, then run imglint again"))]
    Unmerged { path: String },

    #[error("cannot tell what this change is to be compared with{}: tried {}", shallow_note(*shallow), tried.join(", "))]
    #[diagnostic(help("{help}"))]
    NoBase { tried: Vec<String>, shallow: bool, help: String },

    #[error("there is nothing to compare: {reason}")]
    #[diagnostic(help("{help}"))]
    NothingToCompare { reason: String, help: String },

    #[error("failed to read {}: {source}", escape(path))]
    #[diagnostic(help("check that the file can be read, then run imglint again"))]
    Io { path: String, source: std::io::Error },

    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),

    #[error("{path} {}: policy is not read from it", escape(&why.to_string()))]
    #[diagnostic(help("imglint.toml and packs are plain files of the repository, of at most 1 MiB"))]
    Policy { path: String, why: ReadError },

    #[error("policy lies in the submodule {}, which does not have its commit {commit} here", escape(path))]
    #[diagnostic(help("check it out: git submodule update --init '{path}'"))]
    Submodule { path: String, commit: String },

    #[error("git could not store files of the working tree as `git add` would: {reason}")]
    #[diagnostic(help(
        "git must be installed, and `git add` of these files must work: .gitattributes names filters, encodings or line ends for them"
    ))]
    Convert { reason: String },

    #[error("git could not merge the file: {}", escape(reason))]
    #[diagnostic(help("git must be installed; what is no text, people merge"))]
    MergeFile { reason: String },

    #[error("git failed while {doing}: {}", .source.message())]
    #[diagnostic(help("`git fsck` tells whether the repository is whole"))]
    Git { doing: &'static str, source: git2::Error },
}

/// A path as a shell reads it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    if path.chars().all(|c| c.is_alphanumeric() || "/._-+:@%,=\\".contains(c)) {
        return path;
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

fn shallow_note(shallow: bool) -> &'static str {
    if shallow { " (the clone is shallow)" } else { "" }
}

/// Says of which file an error of the system is.
pub(super) fn of_file(path: &str) -> impl Fn(std::io::Error) -> GitError + '_ {
    |source| GitError::Io { path: path.to_owned(), source }
}

/// Says what git2 was doing when it failed.
pub(super) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, GitError>;
}

impl<T> Doing<T> for Result<T, git2::Error> {
    fn doing(self, doing: &'static str) -> Result<T, GitError> {
        self.map_err(|source| GitError::Git { doing, source })
    }
}
