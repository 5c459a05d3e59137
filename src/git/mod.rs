//! Git: what is compared with what, and the files on both sides. The only user of git2.
//!
//! A file uses only those that stand above it in the list below, and nothing of this one.

// words
mod error;
mod head;
mod base;
mod entry;
// what a repository holds
mod lfs;
mod objects;
mod tree;
mod open;
mod repository;
mod index;
mod convert;
mod worktree;
mod trailers;
mod read;
mod clean;
mod history;
mod removed;
mod landings;
mod policy;
mod merge;
// what a change is compared with
mod reflog;
mod fork;
mod candidates;
mod branch;
mod ladder;
mod batch;
// repositories of our own
mod scratch;

pub use base::{AuthoredCommits, Base, Candidate, Comparison, Standing, is_zero};
pub use batch::Step;
pub use error::GitError;
pub use head::Head;
pub use history::Line;
pub use landings::{Landed, Landings, MergedTrees, Next, Range, TreeId, Trees};
pub use merge::{MergeDriver, MergedFile, MergedPath, Merging, MergingTrees, Names};
pub use policy::PolicyTree;
pub use removed::{Removals, Wanted};
pub use repository::Repository;
pub use scratch::Scratch;
pub use trailers::Trailer;
