//! The tree that is judged, and the one that it is compared with: plain data.
//!
//! A [`Snapshot`] is the list of a tree's files, limited to what the pack needs. Contents are read when they are asked for,
//! through a [`Store`], and kept by object id: base, tip and head share nearly all of them. What a change is judged by is a
//! [`Pair`] of them.

mod store;
mod entries;
mod scope;
mod files;
mod pair;

pub use entries::Entries;
pub use files::{Followed, Snapshot};
pub use pair::{AuthoredTrees, Branch, Origin, Pair};
pub use scope::Scope;
pub use store::{
    Content, Entry, FileKind, MAX_FILE, POINTER, Read, ReadError, Store, StoreError, TEMPORARY_PREFIX, TEMPORARY_SUFFIX,
};
