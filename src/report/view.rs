//! What a report is made of, and what all of them say alike.

use std::collections::BTreeMap;

use crate::finding::{Finding, Level};
use crate::fix::Repair;
use crate::pack::Rule;
use crate::run::{Outcome, RunError};
use crate::snapshot::Pair;
use crate::text::escape;

/// What a report is made of.
pub struct Report<'a> {
    /// What was found.
    pub outcome: &'a Outcome,
    /// The rules of the pack, by name; none where the run ended before it had any.
    pub rules: &'a [Rule],
    /// What was compared; nothing where the run ended before that.
    pub pair: Option<&'a Pair<'a>>,
    /// What head was compared with, and where that is known from.
    pub base: Tree<'a>,
    /// What was judged, and what kind of a tree it is.
    pub head: Tree<'a>,
    /// The lowest level that fails the gate.
    pub gate: Level,
    /// What was repaired, where that was asked for.
    pub repaired: Option<Repaired<'a>>,
}

/// One side of what was compared.
#[derive(Debug, Clone, Default)]
pub struct Tree<'a> {
    /// The commit, if it is one.
    pub revision: Option<String>,
    /// What else is to be said of it, in the words of the environment or of the command line.
    pub words: &'a str,
}

/// Repairs that were asked for.
#[derive(Clone, Copy)]
pub struct Repaired<'a> {
    /// The repairs.
    pub repair: &'a Repair,
    /// Whether the files were written. Otherwise the findings are those from before the repairs.
    pub is_written: bool,
}

impl<'a> Report<'a> {
    /// The findings that are not waived, those that weigh most first, else in the order of their places.
    pub(super) fn open(&self) -> Vec<&'a Finding> {
        let mut open: Vec<_> = self.outcome.open().collect();
        open.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        open
    }

    /// The rules that were applied.
    pub(super) fn applied(&self) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(|rule| rule.level != Level::Off)
    }

    /// Where one can read of a rule on the web.
    pub(super) fn url(&self, id: &str) -> Option<String> {
        self.rules.iter().find(|rule| *rule.id == *id).and_then(Rule::url)
    }

    /// Whether a finding fails the gate.
    pub(super) fn fails(&self, finding: &Finding) -> bool {
        finding.waived.is_none() && finding.level >= self.gate
    }
}

/// What a finding says, with what to do, for somebody who reads it elsewhere: nothing in it can mislead.
pub(super) fn message(finding: &Finding) -> String {
    let diagnostic = &finding.diagnostic;
    let mut message = escape(&diagnostic.message).into_owned();
    if let Some(help) = &diagnostic.help {
        message.push_str("; ");
        message.push_str(&escape(help));
    }
    if let Some(cause) = &diagnostic.cause {
        message = format!("{message} ({})", escape(cause));
    }
    message
}

/// What an error says, with what to do.
pub(super) fn error_message(error: &RunError) -> String {
    let help = error.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    escape(&format!("{error}{help}")).into_owned()
}

/// A name for each finding that lasts while its line moves or is written anew, and that no two findings share: its fingerprint, and
/// which it is of those that have the same.
pub(super) fn fingerprints<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Vec<String> {
    let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
    let mut fingerprints = Vec::new();
    for finding in findings {
        let hash = finding.fingerprint().hash64();
        let count = seen.entry(hash).or_default();
        *count += 1;
        fingerprints.push(format!("{hash:016x}:{count}"));
    }
    fingerprints
}
