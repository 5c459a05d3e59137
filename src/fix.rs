//! Repairs to the end: the fixes of what was found are applied in memory, and the result is judged again, until nothing is left
//! that could be repaired. A bump of an image asks for its children, and those for theirs; all of it is one repair.
//!
//! What a fix writes is computed from the base, and not from what stands in head, so a second repair changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::check::Change;
use crate::edit::{Edit, Fix, apply};
use crate::finding::{Finding, RuleId};
use crate::model::content::ChangedContent;
use crate::model::{Image, Model};
use crate::pack::Pack;
use crate::parse::version::is_tag;
use crate::run::{Outcome, judge};
use crate::snapshot::{Pair, Snapshot, StoreError};
use crate::text::escape;

/// What may be repaired.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// Fixes that are not safe, too.
    pub risky: bool,
    /// Findings about these paths alone, if there are any, and what follows from their repair.
    pub paths: Vec<String>,
}

/// What tells a finding from others, wherever it stands: its rule, image, path and message.
type Identity = (RuleId, Option<Arc<str>>, Arc<str>, String);

/// What tells this finding from others.
fn identity(finding: &Finding) -> Identity {
    let fault = &finding.fault;
    (Arc::clone(&finding.rule), fault.image.clone(), Arc::clone(&fault.place.path), fault.message.clone())
}

/// What a repair came to.
#[derive(Debug)]
pub struct Repair {
    /// What was found before it; `None` where nothing was repaired, and the same is found after it.
    pub found: Option<Outcome>,
    /// What is found after it.
    pub outcome: Outcome,
    /// The files that it changes, by path.
    pub files: BTreeMap<Arc<str>, RepairedFile>,
    /// Fixes that could not be made together, two by two: the rules and titles of both.
    pub conflicts: Vec<[Done; 2]>,
}

/// A file that is changed by a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairedFile {
    /// What was judged.
    pub before: Vec<u8>,
    /// What it should be.
    pub after: Vec<u8>,
    /// The fixes that touch it, in the order in which they were made.
    pub done: Vec<Done>,
}

/// A fix that was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Done {
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

/// Repairs head in memory. `pair` holds the repaired head afterwards.
pub fn repair(pack: &Pack, pair: &mut Pair<'_>, allowed: &Allowed) -> Result<Repair, FixError> {
    go_on(pack, pair, allowed, BTreeSet::new(), BTreeMap::new())
}

/// Bumps images on request, with everything that follows from that and nothing else. Without `to` each gets its next version; an
/// image that the change bumped already stays as it is.
pub fn bump(pack: &Pack, pair: &mut Pair<'_>, names: &[String], to: Option<&str>) -> Result<Repair, BumpError> {
    let shape = &pack.shape;
    let head = Model::build(&pair.head, shape, None, None)?;
    let base_files = pair.base.as_ref().unwrap_or(&pair.head);
    let base = Model::build(base_files, shape, Some(&head), None)?;
    let tip = pair.tip.as_ref().map(|tip| Model::build(tip, shape, Some(&base), None)).transpose()?;
    let content = ChangedContent::default();
    let change = Change::new(pair, &base, tip.as_ref(), &head, &content);
    let mut edits = Vec::new();
    let mut version_files = BTreeSet::new();
    for name in names {
        let name = name.trim_end_matches('/');
        let is_it = |image: &&Arc<Image>| *image.name == *name || *image.directory == *name;
        let image = head.images.values().find(is_it).ok_or_else(|| BumpError::Unknown {
            name: name.to_owned(),
            suggestion: crate::suggest::suggest(name, head.images.values().map(|image| &*image.name)),
        })?;
        if !version_files.insert(Arc::clone(&image.version.path)) {
            continue; // named twice
        }
        let no_version = || BumpError::NoVersion(image.name.to_string());
        let (old, span) =
            image.version.value().map(|version| (&version.value, &version.span)).ok_or_else(no_version)?;
        let new = match to {
            Some(to) if !is_tag(to) => return Err(BumpError::NoTag(to.to_owned())),
            Some(to) => to.to_owned(),
            None if change.new_version(image).is_some() => continue,
            None => change.bump(shape, &pack.inputs, image).map(|(next, _)| next).ok_or_else(no_version)?,
        };
        if to.is_some() && new == *old && change.new_version(image).is_none() {
            return Err(BumpError::Same { image: image.name.to_string(), version: new });
        }
        if new != *old {
            let title = format!("set {} of {} from {old} to {new}", shape.version_file, image.name);
            let path = pair.head.linked_file(&image.version.path)?.unwrap_or(&image.version.path);
            edits.push((Edit::replace(path, span, new), title));
        }
    }
    // What is wrong already is not what was asked for.
    let follows = |finding: &&Finding| {
        let mut places = finding.fault.related.iter().map(|label| &label.place.path);
        places.any(|path| version_files.contains(path))
    };
    let before = judge(pack, pair)?.findings;
    let except = before.iter().filter(|finding| !follows(finding)).map(identity).collect();
    let mut files = BTreeMap::new();
    let mut by_file: BTreeMap<Arc<str>, Vec<Edit>> = BTreeMap::new();
    for (edit, title) in edits {
        repaired(&mut files, &pair.head, &edit.path)?.done.push(Done { rule: Arc::from("bump"), title });
        by_file.entry(Arc::clone(&edit.path)).or_default().push(edit);
    }
    for (path, edits) in by_file {
        let file = repaired(&mut files, &pair.head, &path)?;
        file.after = apply(&file.before, &edits);
        pair.head.overlay(&path, file.after.clone());
    }
    let repair = go_on(pack, pair, &Allowed::default(), except, files)?;
    for path in version_files {
        let now = pair.head.text(&path)?.and_then(Result::ok);
        if let (Some(to), Some(now)) = (to, now.map(|text| text.as_str().trim().to_owned()))
            && now != *to
        {
            return Err(BumpError::Overruled { to: to.to_owned(), now });
        }
    }
    Ok(repair)
}

/// Why images could not be bumped. Nothing was written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum BumpError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fix(#[from] FixError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    #[error("no such image: {}", escape(name))]
    #[diagnostic(help("{suggestion}"))]
    Unknown { name: String, suggestion: String },
    #[error("{} has no version that another could follow", escape(.0))]
    #[diagnostic(help(
        "a new image, or one whose version file is broken: write its version by hand, or with `--to VERSION`"
    ))]
    NoVersion(String),
    #[error("{} is at {version} already", escape(image))]
    #[diagnostic(help("leave out `--to`, or name the version that it is to have"))]
    Same { image: String, version: String },
    #[error("{to} would not stay: the rules ask for {now} then")]
    #[diagnostic(help("leave out `--to`, or name a version that is free"))]
    Overruled { to: String, now: String },
    #[error("`{}` is no image tag", escape(.0))]
    #[diagnostic(help("a tag is made of letters, digits, `_`, `.` and `-`, and does not begin with `.` or `-`"))]
    NoTag(String),
}

fn go_on(
    pack: &Pack,
    pair: &mut Pair<'_>,
    allowed: &Allowed,
    mut except: BTreeSet<Identity>,
    files: BTreeMap<Arc<str>, RepairedFile>,
) -> Result<Repair, FixError> {
    let mut repair = Repair { found: None, outcome: judge(pack, pair)?, files, conflicts: Vec::new() };
    // What is outside of the paths stays as it is; what a repair brings about there does not.
    let outside = repair.outcome.findings.iter().filter(|finding| !finding.is_about(&allowed.paths));
    except.extend(outside.map(identity));
    // Each round goes at least one image down the graph, and what follows from a bump takes two more.
    let rounds = 3 * pair.head.entries().len().min(MAX_ROUNDS) + 8;
    for _ in 0..rounds {
        // A rule that could not look may have more to say: then nothing is written at all.
        if !repair.outcome.failures.is_empty() {
            return Ok(repair);
        }
        let findings = &repair.outcome.findings;
        let offered: Vec<(&Finding, &Fix)> =
            findings.iter().filter_map(|finding| allowed.fix_of(finding, &except)).collect();
        let conflicts = conflicts(&offered);
        let conflicting: BTreeSet<usize> = conflicts.iter().flatten().copied().collect();
        repair.conflicts = conflicts.iter().map(|pair| pair.map(|index| done(&offered[index]))).collect();
        let free: Vec<_> = offered.into_iter().enumerate().filter(|(index, _)| !conflicting.contains(index)).collect();
        if free.is_empty() {
            return Ok(repair);
        }
        let mut edits: BTreeMap<Arc<str>, Vec<Edit>> = BTreeMap::new();
        for (_, (finding, fix)) in &free {
            for edit in &fix.edits {
                edits.entry(Arc::clone(&edit.path)).or_default().push(edit.clone());
                let file = repaired(&mut repair.files, &pair.head, &edit.path)?;
                let done = done(&(*finding, *fix));
                if !file.done.contains(&done) {
                    file.done.push(done);
                }
            }
        }
        for (path, edits) in edits {
            if let Some(file) = repair.files.get_mut(&path) {
                file.after = apply(&file.after, &edits);
                pair.head.overlay(&path, file.after.clone());
            }
        }
        let found = std::mem::replace(&mut repair.outcome, judge(pack, pair)?);
        repair.found.get_or_insert(found);
    }
    let rules: BTreeSet<String> = repair.outcome.findings.iter().map(|finding| finding.rule.to_string()).collect();
    Err(FixError::Restless(rules.into_iter().collect()))
}

/// The bound of the rounds in a tree of any size.
const MAX_ROUNDS: usize = 10_000;

/// The record of a file's repair, begun if there is none yet.
fn repaired<'f>(
    files: &'f mut BTreeMap<Arc<str>, RepairedFile>,
    head: &Snapshot<'_>,
    path: &Arc<str>,
) -> Result<&'f mut RepairedFile, StoreError> {
    if !files.contains_key(path) {
        let before = match head.text(path)? {
            Some(Ok(text)) => text.bytes().to_vec(),
            _ => Vec::new(),
        };
        let file = RepairedFile { after: before.clone(), before, done: Vec::new() };
        files.insert(Arc::clone(path), file);
    }
    files.get_mut(path).ok_or_else(|| StoreError {
        path: path.to_string(),
        reason: "it is gone".to_owned(),
        help: None,
    })
}

impl Allowed {
    fn fix_of<'f>(&self, finding: &'f Finding, except: &BTreeSet<Identity>) -> Option<(&'f Finding, &'f Fix)> {
        let fix = finding.fault.fix.as_ref().filter(|fix| fix.safe || self.risky)?;
        let is_wanted = finding.waived.is_none() && !except.contains(&identity(finding));
        is_wanted.then_some((finding, fix))
    }
}

fn done((finding, fix): &(&Finding, &Fix)) -> Done {
    Done { rule: Arc::clone(&finding.rule), title: fix.title.clone() }
}

/// The pairs of fixes that cannot both be made.
fn conflicts(fixes: &[(&Finding, &Fix)]) -> Vec<[usize; 2]> {
    let mut edits: Vec<(&Edit, usize)> = Vec::new();
    for (index, (_, fix)) in fixes.iter().enumerate() {
        edits.extend(fix.edits.iter().map(|edit| (edit, index)));
    }
    edits.sort();
    let mut conflicts = BTreeSet::new();
    for (position, (edit, index)) in edits.iter().enumerate() {
        let near =
            edits[position + 1..].iter().take_while(|(other, _)| other.path == edit.path && other.start <= edit.end);
        for (other, other_index) in near {
            if index != other_index && edit.conflicts_with(other) {
                conflicts.insert([*index.min(other_index), *index.max(other_index)]);
            }
        }
    }
    conflicts.into_iter().collect()
}
