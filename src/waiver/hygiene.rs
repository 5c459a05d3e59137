//! Waivers themselves must be in order: the body of the rules `[check.waiver]`, which judge what was applied instead of the trees.

use serde::Deserialize;

use super::apply::{Index, Known, Malformed, Waivers};
use super::parse::{Waiver, of_dockerfiles};
use crate::finding::{Diagnostic, Finding};

/// Which waivers are at fault; the options of a rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hygiene {
    /// What is wrong with them.
    pub forbid: Disorder,
}

/// What may be wrong with a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disorder {
    /// Its date has passed.
    Expired,
    /// It matches nothing.
    Unused,
    /// It has no reason, or names a rule or an image that does not exist.
    Malformed,
}

/// A waiver that is not in order.
struct Disordered {
    disorder: Disorder,
    diagnostic: Diagnostic,
}

/// The waivers that are not in order, and those that base had already.
pub struct Disorders {
    now: Vec<Disordered>,
    before: Vec<Disordered>,
}

impl Waivers {
    /// Tells which waivers are not in order once they were applied to all findings. `comments` are those in the Dockerfiles that
    /// are judged.
    pub fn disorders(&self, findings: &[Finding], comments: &[Waiver], known: Known<'_>) -> Disorders {
        let now = disordered(self.after.iter().chain(comments), findings, &known);
        let mut before = Vec::new();
        if let Some(base) = known.base.filter(|_| !now.is_empty()) {
            let comments = of_dockerfiles(base);
            before = disordered(self.before.iter().chain(&comments), &[], &Known { head: base, ..known });
        }
        Disorders { now, before }
    }
}

impl Disorders {
    /// What a rule finds.
    pub fn now(&self, rule: &Hygiene) -> Vec<Diagnostic> {
        diagnostics(&self.now, rule)
    }

    /// What it finds in base.
    pub fn before(&self, rule: &Hygiene) -> Vec<Diagnostic> {
        diagnostics(&self.before, rule)
    }
}

fn diagnostics(waivers: &[Disordered], rule: &Hygiene) -> Vec<Diagnostic> {
    let forbidden = waivers.iter().filter(|waiver| waiver.disorder == rule.forbid);
    forbidden.map(|waiver| waiver.diagnostic.clone()).collect()
}

fn disordered<'w>(
    waivers: impl Iterator<Item = &'w Waiver>,
    findings: &[Finding],
    known: &Known<'_>,
) -> Vec<Disordered> {
    let index = Index::of(findings, known);
    waivers.filter_map(|waiver| waiver.disorder(&index, known)).collect()
}

impl Waiver {
    fn disorder(&self, findings: &Index<'_>, known: &Known<'_>) -> Option<Disordered> {
        let (disorder, message, help) = if let Some(Malformed { message, help }) = self.malformed(known) {
            (Disorder::Malformed, message, help)
        } else if let Some(message) = self.ended(known) {
            let help = "mend what it let pass, or give it a new date and a reason for that";
            (Disorder::Expired, message, Some(help.to_owned()))
        } else if self.is_decidable(known) && findings.matching(self).is_empty() {
            let message = format!("the waiver of {} matches nothing", self.subject());
            (Disorder::Unused, message, Some("take it away: it would hide what may come".to_owned()))
        } else {
            return None;
        };
        let mut diagnostic = Diagnostic::new(message, self.location.clone());
        diagnostic.image = self.image.as_deref().map(Into::into);
        diagnostic.help = help;
        Some(Disordered { disorder, diagnostic })
    }

    /// Whether it would have matched something if it were of any use: its rule was judged, and all that it can match is there.
    fn is_decidable(&self, known: &Known<'_>) -> bool {
        (known.base.is_none() || self.is_of_change) && known.judged.contains(&self.rule.as_str())
    }
}
