//! The loop of repairs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::edit::{Edit, Fix, apply};
use crate::finding::{Finding, Fingerprint, RuleId};
use crate::pack::Pack;
use crate::run::{Outcome, Rounds};
use crate::snapshot::{Pair, Snapshot, StoreError};

/// What may be repaired.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// Fixes that are not safe, too.
    pub risky: bool,
    /// Findings about these paths alone, if there are any, and what follows from their repair.
    pub paths: Vec<String>,
}

/// What a repair came to.
#[derive(Debug)]
pub struct Repair {
    /// What was found before its first fix.
    pub before: Outcome,
    /// What is found after its last one.
    pub after: Outcome,
    /// The files that it touched, by path.
    pub files: BTreeMap<Arc<str>, RepairedFile>,
    /// Fixes that could not be made together, two by two.
    pub conflicts: Vec<[MadeFix; 2]>,
}

/// A file that is touched by a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairedFile {
    /// What was judged.
    pub before: Vec<u8>,
    /// What it should be.
    pub after: Vec<u8>,
    /// The fixes that touch it, in the order in which they were made.
    pub done: Vec<MadeFix>,
}

/// A fix that was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MadeFix {
    /// The rule that asked for it.
    pub rule: RuleId,
    /// What it does, in the imperative.
    pub title: String,
}

/// Why a repair came to no end. Nothing was written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum FixError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    #[error("the repairs do not come to rest: {} asks for the same again and again", .0.join(", "))]
    #[diagnostic(help("this is a fault of these rules; leave them out with `--skip ID`, and please report it"))]
    Restless(Vec<String>),
}

impl Repair {
    /// The files that are another than before.
    pub fn changed(&self) -> impl Iterator<Item = (&Arc<str>, &RepairedFile)> {
        self.files.iter().filter(|(_, file)| file.before != file.after)
    }
}

/// Repairs head in memory. `pair` holds the repaired head afterwards.
pub fn repair(pack: &Pack, pair: &mut Pair<'_>, allowed: &Allowed) -> Result<Repair, FixError> {
    repair_until_rest(pack, pair, allowed, BTreeSet::new(), BTreeMap::new())
}

/// The bound of the rounds in a tree of any size.
const MAX_ROUNDS: usize = 10_000;

/// Repairs head until nothing is left that could be. `except` stays as it is; `files` were touched before.
pub(super) fn repair_until_rest(
    pack: &Pack,
    pair: &mut Pair<'_>,
    allowed: &Allowed,
    mut except: BTreeSet<Fingerprint>,
    mut files: BTreeMap<Arc<str>, RepairedFile>,
) -> Result<Repair, FixError> {
    // Each round judges all of head again, and an edit touches a few images of it.
    let mut rounds = Rounds::of_findings(None);
    let before = rounds.judge(pack, pair)?;
    // What is outside of the paths stays as it is; what a repair brings about there does not.
    let outside = before.findings.iter().filter(|finding| !finding.is_about(&allowed.paths));
    except.extend(outside.map(Finding::fingerprint));
    let mut repaired: Option<Outcome> = None;
    // Each round goes at least one image down the graph, and what follows from a bump takes two more.
    let most = 3 * pair.head.entries().len().min(MAX_ROUNDS) + 8;
    for _ in 0..most {
        let now = repaired.as_ref().unwrap_or(&before);
        // A rule that could not look may have more to say: then nothing is written at all.
        let findings = if now.errors.is_empty() { &now.findings[..] } else { &[] };
        let Round { fixes, conflicts } = Round::of(findings, allowed, &except);
        if fixes.is_empty() {
            let after = repaired.unwrap_or_else(|| before.clone());
            return Ok(Repair { before, after, files, conflicts });
        }
        make(&fixes, &mut files, &mut pair.head)?;
        let had_conflicts = now.has_conflicts_alone;
        let after = repaired.insert(rounds.judge(pack, pair)?);
        // Only now can be told what was wrong outside of the paths already.
        if had_conflicts && !after.has_conflicts_alone && !allowed.paths.is_empty() {
            let outside = after.findings.iter().filter(|finding| !finding.is_about(&allowed.paths));
            except.extend(outside.map(Finding::fingerprint));
        }
    }
    let findings = repaired.iter().flat_map(|after| &after.findings);
    let rules: BTreeSet<String> = findings.map(|finding| finding.rule.to_string()).collect();
    Err(FixError::Restless(rules.into_iter().collect()))
}

/// A fix, and what it is for.
#[derive(Clone, Copy)]
struct Offer<'f> {
    finding: &'f Finding,
    fix: &'f Fix,
}

impl Offer<'_> {
    fn made(&self) -> MadeFix {
        MadeFix { rule: Arc::clone(&self.finding.rule), title: self.fix.title.clone() }
    }
}

/// What one round makes, and what it cannot.
struct Round<'f> {
    fixes: Vec<Offer<'f>>,
    conflicts: Vec<[MadeFix; 2]>,
}

impl<'f> Round<'f> {
    fn of(findings: &'f [Finding], allowed: &Allowed, except: &BTreeSet<Fingerprint>) -> Self {
        let mut offers = Vec::new();
        for finding in findings {
            if let Some(fix) = allowed.fix_of(finding)
                && !except.contains(&finding.fingerprint())
            {
                offers.push(Offer { finding, fix });
            }
        }
        let mut round = Self { fixes: Vec::new(), conflicts: Vec::new() };
        let mut conflicting = BTreeSet::new();
        for [one, other] in conflicts(&offers) {
            round.conflicts.push([offers[one].made(), offers[other].made()]);
            conflicting.extend([one, other]);
        }
        for (index, offer) in offers.into_iter().enumerate() {
            if !conflicting.contains(&index) {
                round.fixes.push(offer);
            }
        }
        round
    }
}

impl Allowed {
    /// The fix of a finding, if it may be made and is wanted.
    fn fix_of<'f>(&self, finding: &'f Finding) -> Option<&'f Fix> {
        let fix = finding.diagnostic.fix.as_ref()?;
        (finding.waived.is_none() && (fix.safe || self.risky)).then_some(fix)
    }
}

/// The pairs of fixes, by index, that cannot both be made.
fn conflicts(offers: &[Offer<'_>]) -> BTreeSet<[usize; 2]> {
    let mut edits: Vec<(&Edit, usize)> = Vec::new();
    for (index, offer) in offers.iter().enumerate() {
        edits.extend(offer.fix.edits.iter().map(|edit| (edit, index)));
    }
    edits.sort();
    let mut conflicts = BTreeSet::new();
    for (position, (edit, index)) in edits.iter().enumerate() {
        for (other, other_index) in &edits[position + 1..] {
            if other.path != edit.path || other.start > edit.end {
                break; // nor can any that comes later meet it
            }
            if index != other_index && edit.conflicts_with(other) {
                conflicts.insert([*index.min(other_index), *index.max(other_index)]);
            }
        }
    }
    conflicts
}

/// Makes fixes that do not conflict, in memory.
fn make(
    offers: &[Offer<'_>],
    files: &mut BTreeMap<Arc<str>, RepairedFile>,
    head: &mut Snapshot<'_>,
) -> Result<(), StoreError> {
    let mut edits: BTreeMap<Arc<str>, Vec<Edit>> = BTreeMap::new();
    for offer in offers {
        for edit in &offer.fix.edits {
            edits.entry(Arc::clone(&edit.path)).or_default().push(edit.clone());
            let file = record_of(files, head, &edit.path)?;
            let done = offer.made();
            if !file.done.contains(&done) {
                file.done.push(done);
            }
        }
    }
    for (path, edits) in edits {
        if let Some(file) = files.get_mut(&path) {
            edit_file(file, &path, &edits, head);
        }
    }
    Ok(())
}

/// Applies edits to a file, and shows what comes of it to those who judge.
pub(super) fn edit_file(file: &mut RepairedFile, path: &Arc<str>, edits: &[Edit], head: &mut Snapshot<'_>) {
    file.after = apply(&file.after, edits);
    head.overlay(path, file.after.clone());
}

/// The record of a file's repair, begun if there is none yet.
pub(super) fn record_of<'f>(
    files: &'f mut BTreeMap<Arc<str>, RepairedFile>,
    head: &Snapshot<'_>,
    path: &Arc<str>,
) -> Result<&'f mut RepairedFile, StoreError> {
    match files.entry(Arc::clone(path)) {
        std::collections::btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
        std::collections::btree_map::Entry::Vacant(new) => {
            let before = match head.text(path)? {
                Some(Ok(text)) => text.bytes().to_vec(),
                _ => Vec::new(),
            };
            Ok(new.insert(RepairedFile { after: before.clone(), before, done: Vec::new() }))
        }
    }
}
