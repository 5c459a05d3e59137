//! The side of a comparison that is compared with.

use git2::Oid;

/// What a change is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Nothing: the whole of head is judged.
    Whole {
        /// Why.
        source: String,
    },
    /// The empty tree: there is no commit yet.
    Empty,
    /// A commit.
    Commit {
        /// Where the change left the base branch.
        merge_base: Oid,
        /// The base branch now.
        tip: Oid,
        /// Where this is known from: the option, the variable or the branch.
        source: String,
    },
}

impl Base {
    /// Where the base is known from.
    pub fn source(&self) -> &str {
        match self {
            Self::Whole { source } | Self::Commit { source, .. } => source,
            Self::Empty => "no commit yet",
        }
    }

    /// The merge base, where it is a commit.
    pub fn revision(&self) -> Option<Oid> {
        match self {
            Self::Commit { merge_base, .. } => Some(*merge_base),
            Self::Whole { .. } | Self::Empty => None,
        }
    }

    /// One line for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Whole { source } => format!("no base: judging the whole tree ({source})"),
            Self::Empty => "no base: HEAD has no commit yet, so everything is new".to_owned(),
            Self::Commit { merge_base, source, .. } => format!("base: {} ({source})", short(*merge_base)),
        }
    }
}

/// Whether this is the name that git gives to no commit at all.
pub fn is_zero(revision: &str) -> bool {
    revision.len() >= 7 && revision.bytes().all(|byte| byte == b'0')
}

/// The form of a commit's id that people read.
pub(super) fn short(id: Oid) -> String {
    id.to_string().chars().take(12).collect()
}
