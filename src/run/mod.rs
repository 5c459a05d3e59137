//! One run: rules over a pair of trees, to findings in a stable order.
//!
//! The trees are read as far as the change touches them ([`touched`]); each rule that reads any of that judges them, and what was
//! wrong before the change is told from what is new; waivers let pass what they are about.

mod outcome;
mod compare;
mod rounds;
mod models;
mod judge;

pub use judge::judge;
pub use models::{manifest_order, touched};
pub use outcome::{Effect, Failed, Outcome, RunError, SkippedRule};
pub use rounds::Rounds;
