//! The side of a comparison that is judged.

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
