//! One run: rules over a pair of trees, to findings in a stable order.
//!
//! The trees are read, as far as the change touches them ([`judges_touched_alone`]); each rule judges them, and what was wrong before
//! the change is told from what is new; waivers let pass what they are about.

mod outcome;
mod compare;
mod rounds;
mod models;
mod judge;

pub use judge::judge;
pub use models::{judges_touched_alone, manifest_order};
pub use outcome::{Effect, Failed, Outcome, RunError, SkippedRule};
pub use rounds::Rounds;
