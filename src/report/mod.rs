//! Reports: one file a format, each a pure function of what was found.

pub mod diff;
pub mod human;
pub mod json;
pub mod summary;

use crate::run::Outcome;

/// What a report is made of.
pub struct Report<'a> {
    /// What was found.
    pub outcome: &'a Outcome,
    /// What head was compared with: the commit, if it is one, and where that is known from.
    pub base: (Option<String>, &'a str),
    /// What was judged: the commit, if it is one, and the word for what it is.
    pub head: (Option<String>, &'a str),
}
