//! Waivers themselves must be in order: the body of the rules `[check.waiver]`, which judge what was applied instead of the trees.

use schemars::JsonSchema;
use serde::Deserialize;

use super::apply::{Circumstances, Index, WaiverError, Waivers, meant_by};
use super::parse::{Waiver, of_dockerfiles};
use crate::finding::{Diagnostic, Finding, Level};

/// Which waivers are at fault; the options of a rule.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hygiene {
    /// What is wrong with them.
    pub forbid: ForbiddenWaiver,
}

/// What may be wrong with a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForbiddenWaiver {
    /// Its date has passed.
    Expired,
    /// It matches nothing.
    Unused,
    /// It has no reason, or names a rule or an image that does not exist.
    Malformed,
}

/// A waiver that is not in order.
struct WaiverDiagnostic {
    forbidden: ForbiddenWaiver,
    diagnostic: Diagnostic,
}

/// The waivers that are not in order, and those that base had already.
pub struct WaiverDiagnostics {
    now: Vec<WaiverDiagnostic>,
    before: Vec<WaiverDiagnostic>,
}

impl Waivers {
    /// Tells which waivers are not in order once they were applied to all findings. `comments` are those in the Dockerfiles that
    /// are judged.
    pub fn judge(&self, findings: &[Finding], comments: &[Waiver], known: Circumstances<'_>) -> WaiverDiagnostics {
        let now = judged(self.after.iter().chain(comments), findings, &known);
        let mut before = Vec::new();
        if let Some(base) = known.base.filter(|_| !now.is_empty()) {
            let comments = of_dockerfiles(base);
            before = judged(self.before.iter().chain(&comments), &[], &Circumstances { head: base, ..known });
        }
        WaiverDiagnostics { now, before }
    }
}

impl WaiverDiagnostics {
    /// What a rule finds.
    pub fn now(&self, rule: &Hygiene) -> Vec<Diagnostic> {
        diagnostics(&self.now, rule)
    }

    /// What it finds in base.
    pub fn before(&self, rule: &Hygiene) -> Vec<Diagnostic> {
        diagnostics(&self.before, rule)
    }
}

fn diagnostics(waivers: &[WaiverDiagnostic], rule: &Hygiene) -> Vec<Diagnostic> {
    let forbidden = waivers.iter().filter(|waiver| waiver.forbidden == rule.forbid);
    forbidden.map(|waiver| waiver.diagnostic.clone()).collect()
}

fn judged<'w>(
    waivers: impl Iterator<Item = &'w Waiver>,
    findings: &[Finding],
    known: &Circumstances<'_>,
) -> Vec<WaiverDiagnostic> {
    let index = Index::of(findings, known);
    waivers.filter_map(|waiver| waiver.judge(&index, known)).collect()
}

impl Waiver {
    fn judge(&self, findings: &Index<'_>, known: &Circumstances<'_>) -> Option<WaiverDiagnostic> {
        let mut subject = self.subject();
        let (forbidden, message, help) = if let Some(WaiverError { message, help }) = self.find_error(known) {
            (ForbiddenWaiver::Malformed, message, help)
        } else if let Some(message) = self.ended(known) {
            subject.extend(self.until.map(|until| format!(" {until}")));
            let help = "mend what it let pass, or give it a new date and a reason for that";
            (ForbiddenWaiver::Expired, message, Some(help.to_owned()))
        } else if self.is_decidable(known) && findings.matching(self).is_empty() {
            let message = format!("the waiver of {} matches nothing", self.subject());
            (ForbiddenWaiver::Unused, message, Some("take it away: it would hide what may come".to_owned()))
        } else {
            return self.is_of_several(known);
        };
        let mut diagnostic = Diagnostic::about(subject, message, self.location.clone());
        diagnostic.image = self.image.as_deref().map(Into::into);
        diagnostic.help = help;
        Some(WaiverDiagnostic { forbidden, diagnostic })
    }

    /// Says that it is of several images, if so: a chart and an image of one name, as an example.
    fn is_of_several(&self, known: &Circumstances<'_>) -> Option<WaiverDiagnostic> {
        let name = self.image.as_deref()?;
        let mut meant = meant_by(known.head, name);
        meant.retain(|image| *image.name == *name);
        meant.sort_by_key(|image| &image.directory);
        let [first, second, ..] = &meant[..] else { return None };
        let message = format!("the waiver of {} is of {} and of {}", self.subject(), first.directory, second.directory);
        let help = format!("if one of them is meant, name its directory: {}({})", self.rule, first.directory);
        let mut diagnostic = Diagnostic::about(self.subject(), message, self.location.clone()).help(help);
        diagnostic.image = self.image.as_deref().map(Into::into);
        Some(WaiverDiagnostic { forbidden: ForbiddenWaiver::Malformed, diagnostic: diagnostic.at_most(Level::Note) })
    }

    /// Whether it would have matched something if it were of any use: its rule was judged, and all that it can match is there.
    fn is_decidable(&self, known: &Circumstances<'_>) -> bool {
        (known.base.is_none() || self.is_of_change) && known.judged.contains(&self.rule.as_str())
    }
}
