//! Repairs to the end: the fixes of what was found are applied in memory, and the result is judged again, until nothing is left
//! that could be repaired. A bump of an image asks for its children, and those for theirs; all of it is one repair.
//!
//! What a fix writes is computed from the base, and not from what stands in head, so a second repair changes nothing.

mod repair;
mod bump;

pub use bump::{BumpError, bump};
pub use repair::{Allowed, Done, FixError, Repair, RepairedFile, repair};
