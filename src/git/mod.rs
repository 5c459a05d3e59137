//! Git: what is compared with what, and the files on both sides. The only user of git2.

mod batch;
mod convert;
mod entry;
mod fork;
mod index;
mod ladder;
mod objects;
mod policy;
mod read;
mod scratch;
mod tree;

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Oid, RepositoryOpenFlags};

use crate::environment::Environment;
use crate::snapshot::{StoreError, Unreadable};
use crate::text::escape;

pub use batch::Step;
pub use ladder::{Base, is_zero};
pub use policy::Policy;
pub use read::Trailer;
pub use scratch::Scratch;

/// An opened repository.
pub struct Repository {
    inner: git2::Repository,
    /// The index that git's own variable names, if it does.
    index_file: Option<PathBuf>,
    index: OnceCell<gix_index::File>,
}

/// What is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// The commit that this revision names.
    Commit(String),
    /// What the next commit would hold.
    Index,
    /// The files as they lie on disk, with those that git does not know and does not ignore.
    Worktree,
}

impl Head {
    /// The word for it in reports.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Commit(_) => "commit",
            Self::Index => "index",
            Self::Worktree => "worktree",
        }
    }
}

/// Why a repository could not be judged, and what to do about it.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum GitError {
    #[error("no git repository at {} or above it", .0.display())]
    #[diagnostic(help("run imglint inside of a clone, or name one with `--repo DIR`"))]
    NoRepository(PathBuf),

    #[error("the repository at {} belongs to another user, and git refuses to trust it", .0.display())]
    #[diagnostic(help(
        "if you trust it, run: git config --global --add safe.directory {}", .0.display()
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
    Policy { path: String, why: Unreadable },

    #[error("git could not store files of the working tree as `git add` would: {reason}")]
    #[diagnostic(help(
        "git must be installed, and `git add` of these files must work: .gitattributes names filters, encodings or line ends for them"
    ))]
    Convert { reason: String },

    #[error("git failed while {doing}: {}", .source.message())]
    #[diagnostic(help("`git fsck` tells whether the repository is whole"))]
    Git { doing: &'static str, source: git2::Error },
}

fn shallow_note(shallow: bool) -> &'static str {
    if shallow { " (the clone is shallow)" } else { "" }
}

/// Says what git2 was doing when it failed.
trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, GitError>;
}

impl<T> Doing<T> for Result<T, git2::Error> {
    fn doing(self, doing: &'static str) -> Result<T, GitError> {
        self.map_err(|source| GitError::Git { doing, source })
    }
}

impl Repository {
    /// Opens the repository that holds `directory`, or the one that git's own variables name if no directory is given:
    /// hooks run with `GIT_DIR` and `GIT_INDEX_FILE` set, and what they commit stands in that index.
    pub fn open(directory: Option<&Path>, environment: &Environment) -> Result<Self, GitError> {
        // Like git itself, take an object for what its name says: whether it is whole is for `git fsck` to tell.
        git2::opts::strict_hash_verification(false);
        let variable = |name| environment.get(name).filter(|_| directory.is_none());
        let here = directory.unwrap_or(Path::new("."));
        let inner = match variable("GIT_DIR") {
            Some(git_dir) => git2::Repository::open(git_dir).and_then(|repository| {
                let worktree = variable("GIT_WORK_TREE").or(if repository.is_bare() { None } else { Some(".") });
                if let Some(worktree) = worktree.filter(|_| !repository.is_worktree()) {
                    repository.set_workdir(Path::new(worktree), false)?;
                }
                Ok(repository)
            }),
            // Not `discover`: that forgets the working tree of a repository that lies elsewhere.
            None => git2::Repository::open_ext(here, RepositoryOpenFlags::empty(), &[] as &[&OsStr]),
        }
        .map_err(|error| open_error(&error, here))?;
        let index_file = variable("GIT_INDEX_FILE").map(PathBuf::from);
        Ok(Self { inner, index_file, index: OnceCell::new() })
    }

    /// The root of the working tree; `None` in a bare repository.
    pub fn root(&self) -> Option<&Path> {
        self.inner.workdir()
    }

    /// Where git keeps the repository itself.
    pub fn git_dir(&self) -> &Path {
        self.inner.path()
    }

    /// Where git keeps what all working trees of the repository share: hooks lie there, if nothing else is configured.
    pub fn common_dir(&self) -> &Path {
        self.inner.commondir()
    }

    /// `core.hooksPath`, as git reads it: relative to the root of the working tree.
    pub fn hooks_path(&self) -> Result<Option<PathBuf>, GitError> {
        let mut config = self.inner.config().doing("reading git's configuration")?;
        match config.snapshot().and_then(|config| config.get_path("core.hooksPath")) {
            Ok(path) => Ok(Some(path)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(GitError::Git { doing: "reading core.hooksPath", source }),
        }
    }

    /// The commit that a revision names.
    fn commit(&self, revision: &str, source_of_it: &str) -> Result<Oid, GitError> {
        match self.inner.revparse_single(revision).and_then(|object| object.peel_to_commit()) {
            Ok(commit) => Ok(commit.id()),
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec | ErrorCode::Peel) => {
                let help = if self.inner.is_shallow() {
                    "the clone is shallow; fetch its history: git fetch --unshallow (in GitLab CI, set `GIT_DEPTH: 0` for the \
                     job; in GitHub Actions, `fetch-depth: 0` for actions/checkout)"
                        .to_owned()
                } else {
                    format!(
                        "`git rev-parse --verify '{revision}^{{commit}}'` must print a commit; fetch it first if it is remote"
                    )
                };
                Err(GitError::NoRevision { revision: revision.to_owned(), source_of_it: source_of_it.to_owned(), help })
            }
            Err(source) => Err(GitError::Git { doing: "resolving a revision", source }),
        }
    }

    /// The commit that HEAD names; `None` before the first commit.
    fn head_commit(&self) -> Result<Option<Oid>, GitError> {
        match self.inner.head().and_then(|head| head.peel_to_commit()) {
            Ok(commit) => Ok(Some(commit.id())),
            Err(error) if error.code() == ErrorCode::UnbornBranch => Ok(None),
            Err(source) => Err(GitError::Git { doing: "reading HEAD", source }),
        }
    }

    /// The same head, with the revision looked up once and for all.
    pub fn pin(&self, head: Head) -> Result<Head, GitError> {
        match self.resolve_head(&head)? {
            Some(commit) if matches!(head, Head::Commit(_)) => Ok(Head::Commit(commit.to_string())),
            _ => Ok(head),
        }
    }

    /// The commit on which the judged files stand, and under `Head::Commit` the judged commit itself.
    pub fn resolve_head(&self, head: &Head) -> Result<Option<Oid>, GitError> {
        match head {
            Head::Commit(revision) if revision == "HEAD" => self.head_commit()?.map(Some).ok_or(GitError::Unborn),
            Head::Commit(revision) => self.commit(revision, "--head").map(Some),
            Head::Index | Head::Worktree if self.inner.is_bare() => {
                Err(GitError::Bare(if *head == Head::Index { "index" } else { "working tree" }))
            }
            Head::Index | Head::Worktree => self.head_commit(),
        }
    }
}

fn open_error(error: &git2::Error, path: &Path) -> GitError {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match error.code() {
        ErrorCode::NotFound => GitError::NoRepository(path),
        ErrorCode::Owner => {
            // libgit2 names the directory that it refuses, between quotes.
            let named = error.message().split('\'').nth(1).map(PathBuf::from);
            GitError::Owner(named.map_or(path, |named| named.components().collect()))
        }
        _ => GitError::Unsupported { path, reason: error.message().to_owned() },
    }
}
