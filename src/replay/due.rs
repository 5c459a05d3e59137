//! When versions are due in a repository: in the change that needs one, or at a release. The changes of its past tell.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::outcome::{Change, DueFit, Fit};
use crate::pack::Pack;

/// How many changes are looked at: the newest that touch images.
const NEWEST: usize = 200;

/// From how many on they tell anything.
const LEAST: usize = 20;

/// Of how many in a hundred it is said that they are few, many, or most. Of seven repositories that were looked at, three set versions
/// in changes and leave them in 1 to 8 of 100; four do so at releases, and leave them in 37 to 92.
const FEW: usize = 15;
const MANY: usize = 25;
const MOST: usize = 50;

/// What the newest changes tell; `None` where no rule asks for versions. Changes are in the order of the line, the newest first.
pub(super) fn fit(changes: &[Change], pack: &Pack) -> Option<DueFit> {
    let (rule, set) = pack.due()?;
    let mut fit =
        DueFit { rule: Arc::clone(rule), set, fits: Fit::Unknown, changes: 0, without: 0, images: 0, later: 0 };
    let mut moved: BTreeSet<&Arc<str>> = BTreeSet::new();
    let touching = changes.iter().filter(|change| !(change.touched.is_empty() && change.moved.is_empty()));
    for change in touching.take(NEWEST) {
        let mut left = BTreeSet::new();
        for finding in change.findings.iter().filter(|finding| finding.rule == *rule && finding.waived.is_none()) {
            // Of others nobody could tell whether they changed.
            left.extend(finding.image.as_ref().filter(|image| change.touched.contains(image)));
        }
        fit.changes += 1;
        fit.without += usize::from(!left.is_empty());
        fit.images += left.len();
        fit.later += left.iter().filter(|image| moved.contains(*image)).count();
        moved.extend(&change.moved);
    }
    fit.fits = judged(&fit);
    Some(fit)
}

fn judged(fit: &DueFit) -> Fit {
    let hundred = fit.without * 100;
    if fit.changes < LEAST {
        Fit::Unknown
    } else if hundred < FEW * fit.changes {
        Fit::Change
    } else if hundred > MOST * fit.changes || hundred > MANY * fit.changes && fit.later * 2 >= fit.images {
        Fit::Release
    } else {
        Fit::Unclear
    }
}
