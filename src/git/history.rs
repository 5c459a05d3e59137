//! The first-parent line: what each commit did to the branch that it was merged into.

use std::collections::HashSet;
use std::sync::Arc;

use git2::{Commit as GitCommit, ErrorCode, Oid};

use super::base::short;
use super::error::{Doing, GitError};
use super::head::Head;
use super::objects::Objects;
use super::repository::Repository;
use crate::history::{Commit, Difference, Step};
use crate::snapshot::{Entries, Scope, Snapshot};

/// The steps back from what is judged to where its history begins. Steps that leave the scope as it is are passed over.
pub struct Line<'r> {
    repository: &'r git2::Repository,
    objects: Objects<'r>,
    scope: Scope,
    /// Commits whose parents the clone lacks on purpose.
    boundary: HashSet<Oid>,
    /// What is judged, where that is no commit: the first step leads from it to the commit that it stands on.
    uncommitted: Option<Entries>,
    next: Option<Oid>,
}

impl Repository {
    /// The first-parent line that leads to `head`, whose files within the scope are `files`.
    pub fn first_parent_line(&self, head: &Head, files: &Snapshot<'_>, scope: &Scope) -> Result<Line<'_>, GitError> {
        let uncommitted = (!matches!(head, Head::Commit(_))).then(|| files.entries().clone());
        Ok(Line {
            repository: &self.inner,
            objects: self.objects()?,
            scope: scope.clone(),
            boundary: self.shallow_boundary()?,
            uncommitted,
            next: self.resolve_head(head)?,
        })
    }

    /// The commits at which a shallow clone ends, as git notes them down.
    pub(super) fn shallow_boundary(&self) -> Result<HashSet<Oid>, GitError> {
        let file = self.common_dir().join("shallow");
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                text.lines().map(|line| Oid::from_str(line.trim()).doing("reading the file `shallow`")).collect()
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(HashSet::new()),
            Err(source) => Err(GitError::Io { path: file.display().to_string(), source }),
        }
    }
}

impl Line<'_> {
    /// The step from what is not committed to the commit that it stands on.
    fn uncommitted(&self, files: &Entries) -> Result<Vec<Difference>, GitError> {
        let committed = match self.next {
            Some(commit) => self.objects.list(self.commit(commit)?.tree_id(), &self.scope)?,
            None => Entries::new(),
        };
        let mut before = Vec::new();
        for (path, entry) in committed.iter() {
            if files.get(path) != Some(entry) {
                before.push(Difference { path: Arc::clone(path), other: Some(entry.clone()) });
            }
        }
        for path in files.keys().filter(|path| !committed.contains_key(path)) {
            before.push(Difference { path: Arc::clone(path), other: None });
        }
        Ok(before)
    }

    fn commit(&self, id: Oid) -> Result<GitCommit<'_>, GitError> {
        self.repository.find_commit(id).doing("walking the history")
    }

    /// The next step that changes something within the scope.
    fn step(&mut self) -> Result<Option<Step>, GitError> {
        if let Some(files) = self.uncommitted.take() {
            let before = self.uncommitted(&files)?;
            if !before.is_empty() {
                return Ok(Some(Step::Made { commit: None, before }));
            }
        }
        while let Some(id) = self.next.take() {
            if self.boundary.contains(&id) {
                return Ok(Some(Step::Cut));
            }
            let commit = self.commit(id)?;
            let parent = commit.parent_ids().next();
            let parent_tree = match parent.map(|parent| self.repository.find_commit(parent)) {
                None => None,
                Some(Ok(parent)) => Some(parent.tree_id()),
                // A clone whose history was cut by other means than git's own.
                Some(Err(error)) if error.code() == ErrorCode::NotFound => return Ok(Some(Step::Cut)),
                Some(Err(source)) => return Err(GitError::Git { doing: "walking the history", source }),
            };
            let before = self.objects.differences(Some(commit.tree_id()), parent_tree, &self.scope)?.within;
            let made = noted(&commit);
            drop(commit);
            self.next = parent;
            if !before.is_empty() {
                return Ok(Some(Step::Made { commit: Some(made), before }));
            }
        }
        Ok(None)
    }
}

impl Iterator for Line<'_> {
    type Item = Result<Step, GitError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

pub(super) fn noted(commit: &GitCommit<'_>) -> Commit {
    let message = String::from_utf8_lossy(commit.message_bytes());
    let summary = message.trim_start().lines().next().unwrap_or_default().to_owned();
    Commit { id: short(commit.id()), summary, time: commit.time().seconds() }
}
