//! A repository, as git itself would find and trust it, and the revisions that it knows.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Oid};
use tempfile::TempDir;

use super::error::{Doing, GitError};
use super::head::Head;
use super::objects::Objects;
use super::open::{Opened, open};
use crate::environment::Environment;

/// How many digits the full name of an object has.
const FULL_NAME: usize = 40;

/// An opened repository.
pub struct Repository {
    pub(super) inner: git2::Repository,
    /// The index that git's own variable names, if it does.
    pub(super) index_file: Option<PathBuf>,
    pub(super) index: OnceCell<gix_index::File>,
    is_partial: OnceCell<bool>,
    /// Configuration that variables hold, in files: they may be read again.
    _configuration: Option<TempDir>,
}

impl Repository {
    /// Opens the repository that holds `directory`, or the one that git's own variables name if no directory is given:
    /// hooks run with `GIT_DIR` and `GIT_INDEX_FILE` set, and what they commit stands in that index.
    pub fn open(directory: Option<&Path>, environment: &Environment) -> Result<Self, GitError> {
        let Opened { repository, configuration } = open(directory, environment)?;
        let index_file = match directory {
            None => environment.get("GIT_INDEX_FILE").map(PathBuf::from),
            Some(_) => None,
        };
        let (index, is_partial) = (OnceCell::new(), OnceCell::new());
        Ok(Self { inner: repository, index_file, index, is_partial, _configuration: configuration })
    }

    /// Its objects.
    pub(super) fn objects(&self) -> Result<Objects<'_>, GitError> {
        Objects::of(&self.inner, *self.is_partial.get_or_init(|| is_partial(&self.inner)))
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

    /// The names of branches, of remote branches and of tags, as people write them.
    pub fn revision_names(&self) -> Result<Vec<String>, GitError> {
        const DOING: &str = "listing branches and tags";
        let mut names = Vec::new();
        let mut references = self.inner.references().doing(DOING)?;
        for name in references.names() {
            // The name of a reference is bytes; one that is no text can be written by nobody.
            let Ok(name) = name else { continue };
            let short = ["refs/heads/", "refs/remotes/", "refs/tags/"].iter().find_map(|kind| name.strip_prefix(kind));
            names.extend(short.map(str::to_owned));
        }
        Ok(names)
    }

    /// The commit that a revision names.
    pub(super) fn commit(&self, revision: &str, source_of_it: &str) -> Result<Oid, GitError> {
        // Its full name means nothing else, and is asked for again and again.
        if revision.len() == FULL_NAME
            && let Ok(id) = Oid::from_str(revision)
            && self.inner.find_commit(id).is_ok()
        {
            return Ok(id);
        }
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
    pub(super) fn head_commit(&self) -> Result<Option<Oid>, GitError> {
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

    /// The newest commit that a branch and heads that are merged have in common; `None` where there is none.
    pub(super) fn merge_base(&self, tip: Oid, heads: &[Oid]) -> Result<Option<Oid>, GitError> {
        // Of a merge that is about to be committed the base lies as far on as what is merged: others' changes are in it.
        let mut commits = vec![tip];
        commits.extend(heads);
        match self.inner.merge_base_many(&commits) {
            Ok(merge_base) => Ok(Some(merge_base)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(GitError::Git { doing: "looking for the merge base", source }),
        }
    }
}

/// Whether git left out objects when it cloned.
fn is_partial(repository: &git2::Repository) -> bool {
    let Ok(config) = repository.config() else { return false };
    let Ok(mut entries) = config.entries(None) else { return false };
    // Names are in small letters, but for what stands between the dots. A pattern would take longer than all the rest.
    while let Some(Ok(entry)) = entries.next() {
        let name = entry.name().unwrap_or_default();
        if name == "extensions.partialclone" || (name.starts_with("remote.") && name.ends_with(".promisor")) {
            return true;
        }
    }
    false
}
