//! The side of a comparison that is compared with.

use git2::Oid;

use crate::snapshot::Branch;

/// What a change is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Nothing: the whole of head is judged.
    Whole {
        /// The option that says so, or what else does, for messages.
        source: String,
        /// The branch that this is the tree of, where that is known.
        branch: Option<Branch>,
    },
    /// The empty tree: there is no commit yet.
    Empty,
    /// A commit.
    Commit(Comparison),
}

/// A commit that a change is compared with, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Where the change left the base branch.
    pub merge_base: Oid,
    /// The base branch now.
    pub tip: Oid,
    /// Where this is known from: the option, the variable or the branch.
    pub source: String,
    /// Whether there is no base branch, so that nothing but uncommitted changes is judged.
    pub is_last_resort: bool,
    /// The branches that were looked at, in their order.
    pub candidates: Vec<Candidate>,
    /// The branch that the change is made to, where that is known.
    pub branch: Option<Branch>,
    /// The change alone, where head is a merge of it into the tip of the base branch.
    pub authored: Option<AuthoredCommits>,
}

/// A change before it was merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthoredCommits {
    /// Where its author left the base branch.
    pub fork: Oid,
    /// The author's last commit.
    pub author: Oid,
}

/// A branch that a change may have left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What it is called.
    pub branch: Branch,
    pub(super) tip: Oid,
    /// Where the change left it, or why it is no base.
    pub standing: Standing,
}

/// What is known of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The change left it at this commit.
    Left(Oid),
    /// It has no commit in common with the change.
    Unrelated,
    /// It cannot be the base, for this reason.
    No(&'static str),
}

impl Base {
    /// The whole of a tree, whatever its branch.
    pub fn whole(source: &str) -> Self {
        Self::Whole { source: source.to_owned(), branch: None }
    }

    /// Where the base is known from.
    pub fn source(&self) -> &str {
        match self {
            Self::Whole { source, .. } | Self::Commit(Comparison { source, .. }) => source,
            Self::Empty => "no commit yet",
        }
    }

    /// The branch that the change is made to, or that the tree is one of.
    pub fn branch(&self) -> Option<&Branch> {
        match self {
            Self::Whole { branch, .. } | Self::Commit(Comparison { branch, .. }) => branch.as_ref(),
            Self::Empty => None,
        }
    }

    /// The same base, with the branch that the change is made to.
    pub(super) fn of_branch(self, branch: Option<Branch>) -> Self {
        match self {
            Self::Whole { source, .. } => Self::Whole { source, branch },
            Self::Commit(comparison) => Self::Commit(Comparison { branch, ..comparison }),
            Self::Empty => Self::Empty,
        }
    }

    /// The merge base, where it is a commit.
    pub fn revision(&self) -> Option<Oid> {
        match self {
            Self::Commit(comparison) => Some(comparison.merge_base),
            Self::Whole { .. } | Self::Empty => None,
        }
    }

    /// One line for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Whole { source, .. } => format!("no base: judging the whole tree ({source})"),
            Self::Empty => "no base: HEAD has no commit yet, so everything is new".to_owned(),
            Self::Commit(Comparison { merge_base, source, .. }) => format!("base: {} ({source})", short(*merge_base)),
        }
    }

    /// The branches that were looked at, a line for each.
    pub fn describe_candidates(&self) -> Vec<String> {
        let Self::Commit(comparison) = self else { return Vec::new() };
        comparison.candidates.iter().map(Candidate::describe).collect()
    }
}

impl Comparison {
    /// A commit that is compared with as it is.
    pub(super) fn at(commit: Oid, source: &str) -> Self {
        Self::between(commit, commit, source.to_owned())
    }

    /// The place where a change left a branch that may have moved on.
    pub(super) fn between(merge_base: Oid, tip: Oid, source: String) -> Self {
        Self { merge_base, tip, source, is_last_resort: false, candidates: Vec::new(), branch: None, authored: None }
    }
}

impl Candidate {
    /// Where the change left it.
    pub(super) fn merge_base(&self) -> Option<Oid> {
        if let Standing::Left(commit) = self.standing { Some(commit) } else { None }
    }

    pub(super) fn describe(&self) -> String {
        let name = &self.branch.shown;
        match self.standing {
            Standing::Left(merge_base) => format!("candidate {name}: merge base {}", short(merge_base)),
            Standing::Unrelated => format!("candidate {name}: no common ancestor"),
            Standing::No(why) => format!("candidate {name}: left out, {why}"),
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
