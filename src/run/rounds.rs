//! What is known from one round to the next, where a change is judged over and over and only head is another each time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::outcome::RunError;
use crate::finding::{Diagnostic, RuleId};
use crate::model::Model;

/// What was read and found so far. It is for one pack, and for one change.
#[derive(Debug, Default)]
pub struct Rounds {
    /// Head, as it was last read.
    pub(super) head: Option<Arc<Model>>,
    /// All images of this very head, where it was the base of a newer change.
    pub(super) newer: Option<Arc<Model>>,
    /// All images where the change left the base branch.
    pub(super) base: Option<Arc<Model>>,
    /// Whether something there that could not be read is taken for what was not there.
    pub(super) forgets: bool,
    /// All images of the base branch now.
    pub(super) tip: Option<Arc<Model>>,
    /// Whether nobody asks for what was wrong before the change.
    pub(super) looks_for_new_alone: bool,
    /// What rules found in base.
    found: Mutex<HashMap<RuleId, Arc<Vec<Diagnostic>>>>,
    /// Whether nobody asks what was mended: then base need not be judged where nothing is wrong in head.
    pub(super) passes_over_mended: bool,
}

impl Rounds {
    /// Those of one who goes back in time, and asks of each change what is new, and nothing else. The base of the one before is head now.
    pub fn of_older(newer: Self) -> Self {
        Self { newer: newer.base.filter(|_| !newer.forgets), looks_for_new_alone: true, ..Self::default() }
    }

    /// Those of one who asks for findings, and not for what was mended. Head may have been read already.
    pub fn of_findings(head: Option<Model>) -> Self {
        Self { head: head.map(Arc::new), passes_over_mended: true, ..Self::default() }
    }

    /// What a rule finds in base. It looks once.
    pub(super) fn found_in_base(
        &self,
        rule: &RuleId,
        look: impl FnOnce() -> Result<Vec<Diagnostic>, RunError>,
    ) -> Result<Arc<Vec<Diagnostic>>, RunError> {
        // A thread that panicked while it held this left it whole.
        if let Some(known) = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(rule) {
            return Ok(Arc::clone(known));
        }
        let found = Arc::new(look()?);
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(rule), Arc::clone(&found));
        Ok(found)
    }
}
