//! What a change is judged by: the trees on its sides, and what differs between them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::files::Snapshot;

/// What a change is judged by.
#[derive(Clone)]
pub struct Pair<'r> {
    /// Where the change left the base branch; `None` where the whole of head is judged.
    pub base: Option<Snapshot<'r>>,
    /// The base branch now; `None` where it still stands where the change left it.
    pub tip: Option<Snapshot<'r>>,
    /// What is judged.
    pub head: Snapshot<'r>,
    /// Where the change comes from.
    pub origin: Origin<'r>,
}

/// Where a change comes from.
#[derive(Clone, Default)]
pub struct Origin<'r> {
    /// The branch that it is made to, or, of a whole tree, the one that this is the tree of; `None` where nothing tells.
    pub branch: Option<Branch>,
    /// The change alone, where head is a merge of it into the base branch.
    pub authored: Option<AuthoredTrees<'r>>,
    /// Whether it is known that the change touches no file but those of the snapshots.
    pub is_within: bool,
    /// Files that a list of dependencies holds together with some that the pack describes, wherever they lie.
    pub listed: BTreeSet<String>,
}

/// A branch that changes are made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// How this clone writes it: with its remote's name, where it is one of a remote.
    pub shown: Arc<str>,
    /// Its name in the repository that it belongs to.
    pub name: Arc<str>,
}

impl Branch {
    /// A branch of this clone's own, or one that a CI system names.
    pub fn local(name: &str) -> Self {
        let name: Arc<str> = name.into();
        Self { shown: Arc::clone(&name), name }
    }

    /// The branch of a remote, as in `origin/main`.
    pub fn of_remote(shown: &str) -> Self {
        let name = shown.split_once('/').map_or(shown, |(_, name)| name);
        Self { shown: shown.into(), name: name.into() }
    }
}

/// A change as its author made it, before it was merged into the base branch.
#[derive(Clone)]
pub struct AuthoredTrees<'r> {
    /// Where its author left the base branch, which has gone on since.
    pub fork: Snapshot<'r>,
    /// What its author made of that.
    pub author: Snapshot<'r>,
}

impl<'r> Pair<'r> {
    /// Lets another pair of the same repository use what was read of this one, and the other way round.
    pub fn share(&self, other: &mut Self) {
        let mut snapshots = vec![&mut other.head];
        snapshots.extend([&mut other.base, &mut other.tip].into_iter().flatten());
        if let Some(authored) = &mut other.origin.authored {
            snapshots.extend([&mut authored.fork, &mut authored.author]);
        }
        for snapshot in snapshots {
            snapshot.share_with(&self.head);
        }
    }

    /// Adds files that another pair has of the same trees and of the same store.
    pub fn add(&mut self, other: Self) {
        self.head.add(&other.head);
        for (files, more) in [(&mut self.base, other.base), (&mut self.tip, other.tip)] {
            if let (Some(files), Some(more)) = (files, more) {
                files.add(&more);
            }
        }
        if let (Some(merged), Some(more)) = (&mut self.origin.authored, other.origin.authored) {
            merged.fork.add(&more.fork);
            merged.author.add(&more.author);
        }
    }

    /// The snapshots of the base, of the base branch now, and of what is judged, as far as there are any.
    pub fn sides(&self) -> impl Iterator<Item = &Snapshot<'r>> {
        [self.base.as_ref(), self.tip.as_ref(), Some(&self.head)].into_iter().flatten()
    }

    /// The paths that differ between base and head, in order. A rename is two of them, a change of mode is one.
    pub fn changed(&self) -> BTreeSet<Arc<str>> {
        let Some(base) = &self.base else { return BTreeSet::new() };
        base.entries().differing(self.head.entries()).into_iter().cloned().collect()
    }
}
