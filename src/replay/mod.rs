//! What the gate would have said of a history: each change that landed on a branch, judged by today's policy.
//!
//! `git` walks the first-parent line, `judge` judges its changes side by side, `fate` tells what became of what was found, and
//! a [`Replay`] is all of that as plain data, which reports render and JSON shows as it is.

mod outcome;
mod due;
mod fate;
mod sums;
mod walk;
mod judge;

pub use judge::{Replayer, Watcher};
pub use outcome::{
    Change, DueFit, End, Fate, Finding, Fit, Fixable, ImageSums, Mended, Replay, RuleError, RuleSums, Sums, Unjudged,
    Words,
};
pub use walk::Limits;
