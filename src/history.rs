//! What a repository's history tells of its images, as plain data: `git` reads it step by step, `model` makes sense of it, and
//! checks see what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::snapshot::{Entries, Entry};

/// A commit, as people speak of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The beginning of its id.
    pub id: String,
    /// The first line of its message.
    pub summary: String,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
}

/// The files of a directory that was taken away, as they were before.
#[derive(Debug, Clone)]
pub struct Removed {
    /// What took them away.
    pub commit: Commit,
    /// The files.
    pub files: Entries,
}

/// A path that differs between two trees.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The path that differs.
    pub path: Arc<str>,
    /// What the other tree has there.
    pub other: Option<Entry>,
}

impl Difference {
    /// Has a list of files say of this path what the other tree says of it.
    pub fn apply_to(&self, entries: &mut Entries) {
        match &self.other {
            Some(entry) => drop(entries.insert(Arc::clone(&self.path), entry.clone())),
            None => drop(entries.remove(&self.path)),
        }
    }
}

/// One step back on the first-parent line: from a state of the tree to the one before.
#[derive(Debug, Clone)]
pub enum Step {
    /// A state that was made.
    Made {
        /// The commit that made it; `None` for what is not committed yet.
        commit: Option<Commit>,
        /// The paths that it changed, with what the tree before has there.
        before: Vec<Difference>,
    },
    /// The clone is shallow: the line goes on, and is not here.
    Cut,
}

/// What the history tells of the images of a tree.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// What has a version. What has none that can be read is not among them.
    pub versions: BTreeMap<Versioned, Past>,
    /// When this was asked, in seconds since 1970.
    pub now: i64,
}

/// What has a version of its own: an image, or one of several variants of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Versioned {
    /// The image's directory.
    pub directory: Arc<str>,
    /// The name of the variant.
    pub variant: Option<String>,
}

/// What the history tells of an image.
#[derive(Debug, Clone)]
pub enum Past {
    /// The history reaches to where the version got its present value.
    Settled(Settled),
    /// The clone is too shallow for that.
    Cut,
}

/// How an image came to its version, and what became of it since.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The version that was set then.
    pub version: String,
    /// The commit that last gave it this value; `None` where that is not committed yet.
    pub commit: Option<Commit>,
    /// The files of its content that differ from what they were then.
    pub changed: Vec<Arc<str>>,
    /// Whether something else changed, and it cannot be told whether that is part of the image.
    pub is_undecided: bool,
    /// How many commits touched its content since.
    pub since: usize,
    /// The newest of them, each with a file that it touched.
    pub newest: Vec<(Commit, Arc<str>)>,
    /// Whether changes that are not committed touch its content, too.
    pub has_uncommitted: bool,
}

/// How many of the commits since then are named.
pub const MAX_NEWEST: usize = 3;

const SECONDS_A_DAY: i64 = 24 * 60 * 60;

impl History {
    /// What is known of the image in a directory, while it still has the version that the history was asked about.
    pub fn of(&self, directory: &Arc<str>, version: &str) -> Option<&Past> {
        self.of_versioned(&Versioned { directory: Arc::clone(directory), variant: None }, version)
    }

    /// The same of a variant of it.
    pub fn of_variant(&self, directory: &Arc<str>, variant: &str, version: &str) -> Option<&Past> {
        self.of_versioned(&Versioned { directory: Arc::clone(directory), variant: Some(variant.to_owned()) }, version)
    }

    fn of_versioned(&self, versioned: &Versioned, version: &str) -> Option<&Past> {
        self.versions.get(versioned).filter(|past| match past {
            Past::Settled(settled) => settled.version == version,
            Past::Cut => true,
        })
    }

    /// What is known of an image and of its variants, whatever versions they have.
    pub fn of_all(&self, directory: &str) -> impl Iterator<Item = &Past> {
        let known = self.versions.iter().filter(move |(versioned, _)| *versioned.directory == *directory);
        known.map(|(_, past)| past)
    }

    /// For how many whole days it has had its version.
    pub fn days(&self, settled: &Settled) -> i64 {
        settled.commit.as_ref().map_or(0, |commit| (self.now - commit.time).max(0) / SECONDS_A_DAY)
    }
}
