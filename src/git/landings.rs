//! The changes that landed on a branch: its first-parent line, from the newest commit on.

use std::collections::HashSet;
use std::sync::Arc;

use git2::{Commit as GitCommit, ErrorCode, Oid};

use super::error::{Doing, GitError};
use super::objects::Objects;
use super::removed::Wanted;
use super::repository::Repository;
use super::trailers::Trailer;
use crate::history::Difference;
use crate::snapshot::{Entries, Scope, Snapshot};

/// What is replayed: the first-parent line from one commit to another.
#[derive(Debug, Clone)]
pub struct Range {
    /// As the user gave it.
    pub words: String,
    to: Oid,
    /// What the user left out, with all that it holds.
    from: Option<Oid>,
}

impl Range {
    /// The newest commit.
    pub fn newest(&self) -> String {
        self.to.to_string()
    }
}

/// A tree of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeId(Oid);

/// A commit of the line.
#[derive(Debug, Clone)]
pub struct Landed {
    /// Its full name.
    pub commit: String,
    /// The first line of its message.
    pub summary: String,
    /// Who wrote it.
    pub author: String,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
    /// Whether it has several parents, and so is the whole of a branch.
    pub is_merge: bool,
    /// What it made.
    pub after: TreeId,
    /// What was there before.
    pub before: TreeId,
    id: Oid,
    parent: Oid,
}

/// A branch before it was merged.
#[derive(Debug, Clone, Copy)]
pub struct MergedTrees {
    /// Where its author left the line.
    pub fork: TreeId,
    /// What its author made.
    pub author: TreeId,
}

/// What comes next on the line.
pub enum Next {
    /// A commit.
    Landed(Box<Landed>),
    /// Nothing: the first commit of the history, which has nothing before it, or of the range.
    Nothing,
    /// The clone is shallow: what came before this commit is not here.
    Cut(String),
    /// This commit cannot be read, so nobody knows what came before it.
    Broken(String, GitError),
}

/// A walk down the line.
pub struct Landings<'r> {
    repository: &'r Repository,
    /// Commits whose parents the clone lacks on purpose.
    boundary: HashSet<Oid>,
    /// The commits of the range, where not all of the history is.
    within: Option<HashSet<Oid>>,
    next: Option<Oid>,
    /// It, where it was read as the parent of the one before.
    read: Option<GitCommit<'r>>,
}

/// The trees of a repository, which several threads may read.
#[derive(Clone)]
pub struct Trees<'r>(Arc<Objects<'r>>);

impl Repository {
    /// Reads a range: `A..B`, or one revision, with all that came before it.
    pub fn range(&self, words: &str) -> Result<Range, GitError> {
        let (from, to) = match words.split_once("..") {
            None => (None, words),
            Some((from, to)) => (Some(from), to.trim_start_matches('.')),
        };
        let [from, to] = [from, Some(to)].map(|end| end.map(|end| if end.is_empty() { "HEAD" } else { end }));
        let to = self.commit(to.unwrap_or("HEAD"), "RANGE")?;
        let from = from.map(|from| self.commit(from, "RANGE")).transpose()?;
        Ok(Range { words: words.to_owned(), to, from })
    }

    /// The first-parent line of a range.
    pub fn landings(&self, range: &Range) -> Result<Landings<'_>, GitError> {
        let within = range.from.map(|from| self.commits_between(from, range.to)).transpose()?;
        let within = within.map(HashSet::from_iter);
        Ok(Landings { repository: self, boundary: self.shallow_boundary()?, within, next: Some(range.to), read: None })
    }

    /// Its trees.
    pub fn trees(&self) -> Result<Trees<'_>, GitError> {
        Ok(Trees(Arc::new(self.objects()?)))
    }
}

impl Landings<'_> {
    /// The next commit, and the one after that the next time.
    pub fn step(&mut self) -> Next {
        let Some(id) = self.next.take() else { return Next::Nothing };
        if self.within.as_ref().is_some_and(|within| !within.contains(&id)) {
            return Next::Nothing;
        }
        if self.boundary.contains(&id) {
            return Next::Cut(id.to_string());
        }
        let repository = &self.repository.inner;
        let commit = match self.read.take().map_or_else(|| repository.find_commit(id), Ok) {
            Ok(commit) => commit,
            Err(source) => return Next::Broken(id.to_string(), GitError::Git { doing: "walking the line", source }),
        };
        let Some(parent) = commit.parent_ids().next() else { return Next::Nothing };
        let before = match repository.find_commit(parent) {
            Ok(parent) => {
                let tree = TreeId(parent.tree_id());
                self.read = Some(parent);
                tree
            }
            // A clone whose history was cut by other means than git's own.
            Err(error) if error.code() == ErrorCode::NotFound => return Next::Cut(id.to_string()),
            Err(source) => {
                return Next::Broken(parent.to_string(), GitError::Git { doing: "walking the line", source });
            }
        };
        self.next = Some(parent);
        Next::Landed(Box::new(landed(&commit, parent, before)))
    }

    /// What the author of a merged branch made; `None` where that is no other than the merge itself.
    pub fn merged(&self, landed: &Landed) -> Result<Option<MergedTrees>, GitError> {
        let repository = &self.repository.inner;
        let commit = repository.find_commit(landed.id).doing("reading a merge")?;
        let (2, Ok(author)) = (commit.parent_count(), commit.parent_id(1)) else { return Ok(None) };
        let Ok(author_commit) = repository.find_commit(author) else { return Ok(None) };
        let fork = self.repository.merge_base(landed.parent, &[author])?;
        let Some(fork) = fork.filter(|fork| *fork != landed.parent) else { return Ok(None) };
        Ok(Some(MergedTrees { fork: TreeId(self.repository.tree_id(fork)?), author: TreeId(author_commit.tree_id()) }))
    }

    /// A question after what was where a change puts a file that was not there, given the files that it found.
    pub fn wanted(&self, landed: &Landed, file: &Arc<str>, before: &Snapshot<'_>) -> Wanted {
        Wanted::new(landed.parent, file, before)
    }

    /// The trailers of one key in the messages of a change's commits.
    pub fn trailers(&self, landed: &Landed, key: &str) -> Result<Vec<Trailer>, GitError> {
        self.repository.trailers_between(landed.parent, landed.id, key)
    }
}

impl<'r> Trees<'r> {
    /// A snapshot without files, with the contents of all of them.
    pub fn nothing(&self) -> Snapshot<'r> {
        Snapshot::new(Entries::new(), Arc::clone(&self.0) as Arc<_>)
    }

    /// The files of a tree within a scope.
    pub fn list(&self, tree: TreeId, scope: &Scope) -> Result<Entries, GitError> {
        self.0.list(tree.0, scope)
    }

    /// What differs between two trees within a scope, with what the second has there.
    pub fn differences(&self, old: TreeId, new: TreeId, scope: &Scope) -> Result<Vec<Difference>, GitError> {
        Ok(self.0.differences(Some(old.0), Some(new.0), scope)?.within)
    }
}

fn landed(commit: &GitCommit<'_>, parent: Oid, before: TreeId) -> Landed {
    let message = String::from_utf8_lossy(commit.message_bytes());
    Landed {
        commit: commit.id().to_string(),
        summary: message.trim_start().lines().next().unwrap_or_default().to_owned(),
        author: String::from_utf8_lossy(commit.author().name_bytes()).into_owned(),
        time: commit.time().seconds(),
        is_merge: commit.parent_count() > 1,
        after: TreeId(commit.tree_id()),
        before,
        id: commit.id(),
        parent,
    }
}
