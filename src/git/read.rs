//! From git to snapshots.

use std::sync::Arc;

use git2::Oid;

use super::base::{AuthoredCommits, Base, Comparison};
use super::error::{Doing, GitError};
use super::head::Head;
use super::objects::Objects;
use super::repository::Repository;
use super::tree::Known;
use crate::snapshot::{self, Entries, Origin, Pair, Scope, Snapshot};

/// The files on both sides of a change.
struct Listed {
    base: Entries,
    head: Entries,
    /// Whether the change touches no file but those that were listed.
    is_within: bool,
}

impl Repository {
    /// The files on both sides of the change, as far as `scope` reaches.
    pub fn pair(&self, base: &Base, head: &Head, scope: &Scope) -> Result<Pair<'_>, GitError> {
        let (objects, Listed { base: base_entries, head: head_entries, is_within }) = match head {
            Head::Commit(_) => self.list_commits(base, head, scope)?,
            Head::Index | Head::Worktree => self.list_uncommitted(base, head, scope)?,
        };
        let tip_entries = match base {
            Base::Commit(Comparison { merge_base, tip, .. }) if tip != merge_base => {
                let known = Known { tree: self.tree_id(*merge_base)?, entries: &base_entries };
                Some(objects.list_like(known, self.tree_id(*tip)?, scope)?)
            }
            _ => None,
        };
        let mut authored_entries = None;
        if let Base::Commit(Comparison { merge_base, authored: Some(AuthoredCommits { fork, author }), .. }) = base {
            let known = Known { tree: self.tree_id(*merge_base)?, entries: &base_entries };
            let fork = objects.list_like(known, self.tree_id(*fork)?, scope)?;
            authored_entries = Some((fork, objects.list_like(known, self.tree_id(*author)?, scope)?));
        }
        let head = Snapshot::new(head_entries, Arc::new(objects));
        let authored = authored_entries.map(|(fork, author)| snapshot::AuthoredTrees {
            fork: head.with_entries(fork),
            author: head.with_entries(author),
        });
        Ok(Pair {
            base: (!matches!(base, Base::Whole { .. })).then(|| head.with_entries(base_entries)),
            tip: tip_entries.map(|entries| head.with_entries(entries)),
            head,
            origin: Origin { branch: base.branch().cloned(), authored, is_within, ..Origin::default() },
        })
    }

    /// Lists a change that is committed.
    fn list_commits(&self, base: &Base, head: &Head, scope: &Scope) -> Result<(Objects<'_>, Listed), GitError> {
        let objects = self.objects()?;
        let commit = self.resolve_head(head)?.ok_or(GitError::Unborn)?;
        let head_tree = self.tree_id(commit)?;
        let Some(base_commit) = base.revision() else {
            let head = objects.list(head_tree, scope)?;
            return Ok((objects, Listed { base: Entries::new(), head, is_within: false }));
        };
        let base_tree = self.tree_id(base_commit)?;
        let base = objects.list(base_tree, scope)?;
        let differences = objects.differences(Some(base_tree), Some(head_tree), scope)?;
        let is_within = !differences.beyond;
        let head = differences.applied_to(&base);
        Ok((objects, Listed { base, head, is_within }))
    }

    /// Lists a change that is in the index or on disk, beside what it is compared with.
    fn list_uncommitted(&self, base: &Base, head: &Head, scope: &Scope) -> Result<(Objects<'_>, Listed), GitError> {
        let mut objects = self.objects()?;
        let under = match base.revision() {
            Some(commit) => Some(commit),
            None => self.resolve_head(head)?,
        };
        let under = under.map(|commit| self.tree_id(commit)).transpose()?;
        let base = under.map_or(Ok(Entries::new()), |tree| objects.list(tree, scope))?;
        let mut entries = self.staged(&base, scope, *head == Head::Index)?;
        if *head == Head::Worktree {
            objects.on_disk = self.apply_worktree(&mut entries, &self.index_of(scope)?, scope)?;
        }
        Ok((objects, Listed { base, head: entries, is_within: false }))
    }

    pub(super) fn tree_id(&self, commit: Oid) -> Result<Oid, GitError> {
        self.inner.find_commit(commit).map(|commit| commit.tree_id()).doing("reading a commit")
    }
}
