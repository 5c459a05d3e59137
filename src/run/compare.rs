//! What was wrong before a change, told from what is wrong because of it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::finding::{Diagnostic, Fingerprint, RuleId};
use crate::snapshot::StoreError;

/// What a rule says of a change.
#[derive(Clone, Default)]
pub(super) struct Judgement {
    /// What head has, and base had not.
    pub(super) new: Vec<Diagnostic>,
    /// What both have.
    pub(super) old: Vec<Diagnostic>,
    /// What base had, and head has no more.
    pub(super) gone: Vec<Fingerprint>,
    /// What it could not read.
    pub(super) unread: Vec<StoreError>,
}

/// Where a diagnostic begins.
pub(super) fn begin(diagnostic: &Diagnostic) -> (Arc<str>, usize) {
    (Arc::clone(&diagnostic.location.path), diagnostic.location.span.start)
}

/// Diagnostics of one fingerprint that were there before: how many, and on which lines of source.
#[derive(Default)]
struct KnownDiagnostics<'f> {
    lines: HashMap<&'f str, usize>,
    left: usize,
}

impl<'f> KnownDiagnostics<'f> {
    fn add(&mut self, line: &'f str) {
        *self.lines.entry(line).or_default() += 1;
        self.left += 1;
    }

    /// Takes one that stood on such a line, if one is left.
    fn take_line(&mut self, line: &str) -> bool {
        let Some(count) = self.lines.get_mut(line).filter(|count| **count > 0) else { return false };
        *count -= 1;
        self.left -= 1;
        true
    }

    /// Takes any of them, if one is left. No line is asked for any more then.
    fn take_any(&mut self) -> bool {
        let is_left = self.left > 0;
        self.left -= usize::from(is_left);
        is_left
    }
}

/// Tells diagnostics that were not there before from those that were, and from those that were there alone. Of equal ones, as many
/// are new as there are more of them; first those whose line of source was not there.
pub(super) fn compare(rule: &RuleId, now: Vec<Diagnostic>, before: &[Diagnostic]) -> Judgement {
    let mut known: HashMap<Fingerprint, KnownDiagnostics<'_>> = HashMap::new();
    for diagnostic in before {
        known.entry(diagnostic.fingerprint(rule)).or_default().add(diagnostic.location.line());
    }
    let mut is_old = vec![false; now.len()];
    for same_line in [true, false] {
        for (diagnostic, is_old) in now.iter().zip(&mut is_old).filter(|(_, is_old)| !**is_old) {
            let Some(known) = known.get_mut(&diagnostic.fingerprint(rule)) else { continue };
            *is_old = if same_line { known.take_line(diagnostic.location.line()) } else { known.take_any() };
        }
    }
    let mut judgement = Judgement::default();
    let matched = is_old.iter().filter(|is_old| **is_old).count();
    if matched < before.len() {
        for diagnostic in before {
            let fingerprint = diagnostic.fingerprint(rule);
            if known.get_mut(&fingerprint).is_some_and(KnownDiagnostics::take_any) {
                judgement.gone.push(fingerprint);
            }
        }
    }
    for (diagnostic, is_old) in now.into_iter().zip(is_old) {
        if is_old { judgement.old.push(diagnostic) } else { judgement.new.push(diagnostic) }
    }
    judgement
}
