//! Sums over the findings of a history.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::outcome::{Change, Fate, Finding, Fixable, ImageSums, OfRule, RuleSums, Sums};
use crate::finding::{Level, RuleId};

/// A finding that is not waived, and its change.
struct Counted<'a> {
    /// The number of its change.
    change: usize,
    finding: &'a Finding,
}

fn counted(changes: &[Change]) -> impl Iterator<Item = Counted<'_>> {
    changes.iter().enumerate().flat_map(|(change, found)| {
        let counted = found.findings.iter().filter(|finding| finding.waived.is_none());
        counted.map(move |finding| Counted { change, finding })
    })
}

/// The sums over all changes, as far as they follow from these.
pub(super) fn of_all(changes: &[Change]) -> Sums {
    let mut sums = Sums { changes: changes.len(), ..Sums::default() };
    let mut stopped = BTreeSet::new();
    for Counted { change, finding } in counted(changes) {
        match finding.level {
            Level::Error => {
                sums.errors += 1;
                stopped.insert(change);
            }
            Level::Warning => sums.warnings += 1,
            Level::Note | Level::Off => sums.notes += 1,
        }
        sums.fixable += usize::from(finding.fix == Fixable::Safe && finding.level > Level::Note);
    }
    sums.stopped = stopped.len();
    sums.incomplete = changes.iter().filter(|change| !change.failures.is_empty()).count();
    let findings = changes.iter().flat_map(|change| &change.findings);
    sums.waived = findings.filter(|finding| finding.waived.is_some()).count();
    sums
}

/// The sums of each rule, the one with the most findings first.
pub(super) fn of_rules(changes: &[Change]) -> Vec<RuleSums> {
    let mut by_rule: BTreeMap<&RuleId, Vec<Counted<'_>>> = BTreeMap::new();
    for counted in counted(changes) {
        by_rule.entry(&counted.finding.rule).or_default().push(counted);
    }
    let mut sums: Vec<RuleSums> = by_rule.into_iter().map(|(rule, counted)| of_rule(rule, &counted)).collect();
    sums.sort_by_key(|sums| Reverse((sums.findings, sums.level)));
    sums
}

fn of_rule(rule: &RuleId, counted: &[Counted<'_>]) -> RuleSums {
    let mut sums = RuleSums {
        rule: Arc::clone(rule),
        level: Level::Off,
        findings: counted.len(),
        changes: counted.iter().map(|counted| counted.change).collect::<BTreeSet<_>>().len(),
        images: counted.iter().filter_map(|counted| counted.finding.image.as_ref()).collect::<BTreeSet<_>>().len(),
        mended: 0,
        overtaken: 0,
        removed: 0,
        stayed: 0,
        fixable: 0,
        median_seconds: None,
    };
    let mut seconds = Vec::new();
    for Counted { finding, .. } in counted {
        sums.level = sums.level.max(finding.level);
        sums.fixable += usize::from(finding.fix == Fixable::Safe);
        match &finding.fate {
            Fate::Mended(mended) => {
                seconds.push(mended.seconds);
                if mended.overtaken {
                    sums.overtaken += 1;
                } else {
                    sums.mended += 1;
                }
            }
            Fate::Removed(_) => sums.removed += 1,
            Fate::Stayed => sums.stayed += 1,
            Fate::Unknown | Fate::Passing => {}
        }
    }
    seconds.sort_unstable();
    sums.median_seconds = seconds.get(seconds.len() / 2).copied();
    sums
}

/// The sums of each image, the noisiest first.
pub(super) fn of_images(changes: &[Change], rules: &[RuleSums]) -> Vec<ImageSums> {
    let mut by_image: BTreeMap<&Arc<str>, Vec<Counted<'_>>> = BTreeMap::new();
    for counted in counted(changes) {
        if let Some(image) = &counted.finding.image {
            by_image.entry(image).or_default().push(counted);
        }
    }
    let mut sums = Vec::new();
    for (image, counted) in by_image {
        let mut of_image = ImageSums {
            image: Arc::clone(image),
            findings: counted.len(),
            changes: counted.iter().map(|counted| counted.change).collect::<BTreeSet<_>>().len(),
            stayed: counted.iter().filter(|counted| counted.finding.fate == Fate::Stayed).count(),
            rules: Vec::new(),
        };
        for RuleSums { rule, .. } in rules {
            let findings = counted.iter().filter(|counted| counted.finding.rule == *rule).count();
            if findings > 0 {
                of_image.rules.push(OfRule { rule: Arc::clone(rule), findings });
            }
        }
        sums.push(of_image);
    }
    sums.sort_by_key(|sums| Reverse(sums.findings));
    sums
}
