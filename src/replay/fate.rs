//! What became of findings: when a later change mended them, if one did.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::outcome::{Change, Fate, Mended};
use crate::check::{Basis, Check};
use crate::finding::{Fingerprint, Level, RuleId};
use crate::pack::{Pack, Rule};
use crate::run::Effect;

/// What is known of a change beside what is told of it.
pub(super) struct Followed {
    /// What it does.
    pub(super) effect: Effect,
    /// What its findings are about, in their order.
    pub(super) subjects: Vec<Fingerprint>,
}

/// A finding of which nobody knows yet what becomes of it.
struct Waiting {
    /// The numbers of its change and of itself.
    change: usize,
    finding: usize,
    is_overtaken: bool,
}

/// The findings that wait for their end.
#[derive(Default)]
struct Open {
    /// Of rules that compare, by image: its version has to move.
    by_image: HashMap<Arc<str>, Vec<Waiting>>,
    /// Of rules that judge files: they have to be gone.
    by_fingerprint: HashMap<Fingerprint, Vec<Waiting>>,
}

/// Tells of each finding what became of it. `changes` are in the order of the line, the newest first, and `followed` goes with them.
pub(super) fn tell(changes: &mut [Change], followed: &[Followed], pack: &Pack) {
    let mut open = Open::default();
    for number in (0..changes.len()).rev() {
        let Followed { effect, subjects } = &followed[number];
        let mut ended = Vec::new();
        for image in &effect.moved {
            ended.extend(open.by_image.remove(image).unwrap_or_default().into_iter().map(|waiting| (waiting, false)));
        }
        for image in &effect.removed {
            ended.extend(open.by_image.remove(image).unwrap_or_default().into_iter().map(|waiting| (waiting, true)));
        }
        for gone in &effect.mended {
            if let Some(waiting) = open.by_fingerprint.get_mut(gone).and_then(Vec::pop) {
                ended.push((waiting, false));
            }
        }
        for (waiting, is_removed) in ended {
            let mended = mended(changes, &waiting, number);
            let fate = if is_removed { Fate::Removed(mended) } else { Fate::Mended(mended) };
            changes[waiting.change].findings[waiting.finding].fate = fate;
        }
        for image in &effect.touched {
            for waiting in open.by_image.get_mut(image).into_iter().flatten() {
                waiting.is_overtaken = true;
            }
        }
        for (index, (finding, subject)) in changes[number].findings.iter_mut().zip(subjects).enumerate() {
            let waiting = Waiting { change: number, finding: index, is_overtaken: false };
            match &finding.image {
                _ if !compares(pack, &finding.rule) => {
                    open.by_fingerprint.entry(subject.clone()).or_default().push(waiting);
                }
                // Notes ask for a version where they are sure that the image changed.
                Some(image) if finding.level > Level::Note || effect.touched.contains(image) => {
                    open.by_image.entry(Arc::clone(image)).or_default().push(waiting);
                }
                _ => finding.fate = Fate::Passing,
            }
        }
    }
}

/// Holds what seems to have stayed to what the findings of the newest commit as a whole are about: there may be none where it cannot be
/// judged. A rule may see in a change what no tree shows alone; then nobody knows what became of it.
pub(super) fn verify(changes: &mut [Change], followed: &[Followed], pack: &Pack, newest: &HashSet<Fingerprint>) {
    for (change, followed) in changes.iter_mut().zip(followed) {
        for (finding, subject) in change.findings.iter_mut().zip(&followed.subjects) {
            if finding.fate == Fate::Stayed && judges_trees(pack, &finding.rule) && !newest.contains(subject) {
                finding.fate = Fate::Unknown;
            }
        }
    }
}

fn compares(pack: &Pack, rule: &RuleId) -> bool {
    pack.rules.iter().any(|known| known.id == *rule && known.is_of_change())
}

/// Whether a rule judges trees, each as a whole: what it finds is followed by comparing them.
fn judges_trees(pack: &Pack, rule: &RuleId) -> bool {
    let checks = pack.rules.iter().filter(|known| known.id == *rule).filter_map(Rule::check);
    checks.map(Check::basis).any(|basis| matches!(basis, Basis::Tree | Basis::Both))
}

fn mended(changes: &[Change], waiting: &Waiting, by: usize) -> Mended {
    let (found, mended) = (&changes[waiting.change], &changes[by]);
    Mended {
        commit: mended.commit.clone(),
        seconds: (mended.time - found.time).max(0),
        between: waiting.change - by - 1,
        overtaken: waiting.is_overtaken,
    }
}
