//! Repairs to the end: the fixes of what was found are applied in memory, and the result is judged again, until nothing is left
//! that could be repaired. A bump of an image asks for its children, and those for theirs; all of it is one repair.
//!
//! A bump is computed from base and tip, and not from what stands in head; all that follows from it is what the images of head say by
//! then. So a second repair finds nothing to do.

mod repair;
mod bump;

pub use bump::{BumpError, bump};
pub use repair::{Allowed, FixError, MadeFix, Repair, RepairedFile, repair};
