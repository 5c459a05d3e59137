//! How a run ends.

use miette::Diagnostic;

use crate::finding::Level;
use crate::run::Outcome;

/// Exit code: nothing that fails the gate.
pub(super) const CLEAN: u8 = 0;
/// Exit code: findings that fail the gate.
pub(super) const FINDINGS: u8 = 1;
/// Exit code: could not judge.
pub(super) const FAILED: u8 = 2;

/// An error that ends the run, with what to do about it.
pub(super) type Error = Box<dyn Diagnostic + Send + Sync>;

/// The exit code that an outcome asks for. `gate` is the lowest level that fails.
pub(super) fn code(outcome: &Outcome, gate: Level) -> u8 {
    if !outcome.errors.is_empty() {
        FAILED
    } else if outcome.findings.iter().any(|finding| finding.waived.is_none() && finding.level >= gate) {
        FINDINGS
    } else {
        CLEAN
    }
}
