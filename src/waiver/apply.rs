//! What waivers let pass, and what keeps one from it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::parse::{Day, Waiver};
use crate::finding::{Finding, Label, RuleId};
use crate::model::{Image, Model};
use crate::path::is_below;
use crate::shape::Shape;
use crate::snapshot::Snapshot;
use crate::suggest::suggest;

/// What is let pass, what is to be said of that, and the day by which dates are judged.
#[derive(Debug, Clone)]
pub struct Waivers {
    /// What lets pass: the waivers of the configuration that judges, and of the change's commits.
    pub list: Vec<Waiver>,
    /// What must be in order: those of the configuration as the change leaves it, and of its commits.
    pub after: Vec<Waiver>,
    /// Those of the configuration before the change.
    pub before: Vec<Waiver>,
    /// The rules of the pack as the change leaves it, where another one judges.
    pub rules: Vec<RuleId>,
    /// Today.
    pub today: Day,
}

/// What is known when waivers are judged.
pub struct Circumstances<'a> {
    /// The names of all rules.
    pub rules: Vec<&'a str>,
    /// Those among them that were judged.
    pub judged: Vec<&'a str>,
    /// The images of head.
    pub head: &'a Model,
    /// The images before the change; `None` where the whole tree is judged.
    pub base: Option<&'a Model>,
    /// What the repository looks like.
    pub shape: &'a Shape,
    /// All files.
    pub files: &'a Snapshot<'a>,
    /// The day that `until` is compared with, in UTC.
    pub today: Day,
}

/// What keeps a waiver from letting anything pass, and what to do about that.
pub(super) struct WaiverError {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Waivers {
    /// Whether one comes with the change: it may be of any image, and speak of it by any of its names.
    pub fn has_new(&self) -> bool {
        let before: HashSet<_> = self.before.iter().map(Waiver::words).collect();
        !self.after.iter().all(|waiver| before.contains(&waiver.words()))
    }

    /// Marks the findings that are let pass. Those that were, but are no more, say since when. `comments` are the waivers in the
    /// Dockerfiles that are judged.
    pub fn let_pass(&self, findings: &mut [Finding], comments: &[Waiver], known: &Circumstances<'_>) {
        let index = Index::of(findings, known);
        let mut matched: Vec<(&Waiver, Vec<usize>)> = Vec::new();
        for waiver in self.list.iter().chain(comments) {
            matched.push((waiver, index.matching(waiver)));
        }
        for (waiver, matching) in matched {
            if matching.is_empty() || waiver.find_error(known).is_some() {
                continue;
            }
            for finding in matching {
                let finding = &mut findings[finding];
                match waiver.ended(known) {
                    Some(message) => {
                        finding.diagnostic.related.push(Label { location: waiver.location.clone(), message });
                    }
                    None => finding.waived = Some(waiver.reason.clone()),
                }
            }
        }
    }
}

/// Findings by what waivers name: thousands of each may meet.
pub(super) struct Index<'a> {
    known: &'a Circumstances<'a>,
    /// By rule.
    by_rule: HashMap<RuleId, OfRule>,
    findings: &'a [Finding],
}

#[derive(Default)]
struct OfRule {
    all: Vec<usize>,
    by_image: HashMap<Arc<str>, Vec<usize>>,
    by_line: HashMap<(Arc<str>, usize), Vec<usize>>,
}

impl<'a> Index<'a> {
    pub(super) fn of(findings: &'a [Finding], known: &'a Circumstances<'a>) -> Self {
        let mut by_rule: HashMap<RuleId, OfRule> = HashMap::new();
        for (number, finding) in findings.iter().enumerate() {
            let of_rule = by_rule.entry(Arc::clone(&finding.rule)).or_default();
            let location = &finding.diagnostic.location;
            of_rule.all.push(number);
            of_rule.by_line.entry((Arc::clone(&location.path), location.positions().0.line)).or_default().push(number);
            if let Some(image) = &finding.diagnostic.image {
                of_rule.by_image.entry(Arc::clone(image)).or_default().push(number);
            }
        }
        Self { known, by_rule, findings }
    }

    /// The numbers of the findings that a waiver is about: those of its rule on its line, or of its image, which it may call by any of
    /// its names, on either side: where others have one of these, too, by its directory, or with its kind before it.
    pub(super) fn matching(&self, waiver: &Waiver) -> Vec<usize> {
        let Some(of_rule) = self.by_rule.get(waiver.rule.as_str()) else { return Vec::new() };
        if let Some(line) = waiver.line {
            return of_rule.by_line.get(&(Arc::clone(&waiver.location.path), line)).cloned().unwrap_or_default();
        }
        let Some(image) = &waiver.image else { return of_rule.all.clone() };
        let models: Vec<&Model> = [self.known.head].into_iter().chain(self.known.base).collect();
        let mut names: BTreeSet<&str> = BTreeSet::from([image.as_str()]);
        let mut others: BTreeSet<&str> = BTreeSet::new();
        for meant in models.iter().flat_map(|model| meant_by(model, image)) {
            names.insert(&meant.name);
            others.extend(models.iter().flat_map(|model| namesakes(model, meant, image)));
        }
        let mut matching = Vec::new();
        for &finding in names.into_iter().filter_map(|name| of_rule.by_image.get(name)).flatten() {
            if !others.iter().any(|other| speaks_of(&self.findings[finding], other)) {
                matching.push(finding);
            }
        }
        matching
    }
}

/// The images that a waiver means by a name: by any of their names, by kind and name, and where several are called alike, by the
/// directory of one.
pub(super) fn meant_by<'m>(model: &'m Model, name: &str) -> Vec<&'m Image> {
    if let Some(image) = model.images.get(name)
        && model.images.values().filter(|other| other.name == image.name).count() > 1
    {
        return vec![image];
    }
    let mut meant: Vec<&Image> = model.named(name).into_iter().map(|image| &**image).collect();
    for image in model.images.values().filter(|image| image.kind.is_some() && *image.name == *name) {
        meant.push(image);
    }
    meant
}

/// The directories of the images that are called like one and are not meant by a name.
fn namesakes<'m>(model: &'m Model, image: &Image, name: &str) -> Vec<&'m str> {
    let meant: BTreeSet<&str> = meant_by(model, name).into_iter().map(|meant| &*meant.directory).collect();
    let images = model.images.values().filter(|other| other.name == image.name);
    images.map(|other| &*other.directory).filter(|directory| !meant.contains(directory)).collect()
}

/// Whether a finding is in the directory of an image, or says something of it.
fn speaks_of(finding: &Finding, directory: &str) -> bool {
    let related = finding.diagnostic.related.iter().map(|label| &label.location);
    [&finding.diagnostic.location].into_iter().chain(related).any(|location| is_below(&location.path, directory))
}

impl Circumstances<'_> {
    /// Whether a directory of this name is built like an image without being one: findings are about such directories, too.
    fn is_built(&self, name: &str) -> bool {
        self.shape.roots.iter().any(|root| {
            let directory = if root.is_empty() { name.to_owned() } else { format!("{root}/{name}") };
            let mut below = self.files.below(&directory);
            below.any(|(path, _)| self.shape.built_directories(path).any(|built| built == directory))
        })
    }
}

impl Waiver {
    /// What it waives, as messages name it.
    pub(super) fn subject(&self) -> String {
        self.image.as_ref().map_or_else(|| self.rule.clone(), |image| format!("{}({image})", self.rule))
    }

    /// What is malformed in it.
    pub(super) fn find_error(&self, known: &Circumstances<'_>) -> Option<WaiverError> {
        if !known.rules.contains(&self.rule.as_str()) {
            let suggestion = suggest(&self.rule, known.rules.iter().copied());
            let message = format!("this waiver is of an unknown rule, `{}`: {suggestion}", self.rule);
            return Some(WaiverError { message, help: None });
        }
        let subject = self.subject();
        if let Some(error) = self.error {
            return Some(WaiverError { message: format!("the waiver of {subject} {error}"), help: None });
        }
        if self.image.is_none() && self.line.is_none() && is_image(known.head, &self.reason) {
            let message = format!("the waiver of {subject} names an image as its reason");
            return Some(WaiverError { message, help: Some(format!("write {}({}) and why", self.rule, self.reason)) });
        }
        let image = self.image.as_ref()?;
        // What comes with the change may be about an image that it deletes.
        let base = known.base.filter(|_| self.is_of_change);
        if is_image(known.head, image) || base.is_some_and(|base| is_image(base, image)) || known.is_built(image) {
            return None;
        }
        let names = known.head.images.values().map(|image| image.published());
        let message = format!("the waiver of {subject} is of an unknown image");
        Some(WaiverError { message, help: Some(suggest(image, names)) })
    }

    /// Says since when it does not hold any more.
    pub(super) fn ended(&self, known: &Circumstances<'_>) -> Option<String> {
        let until = self.until.filter(|until| *until < known.today)?;
        Some(format!("the waiver of {} ended on {until}", self.subject()))
    }
}

/// Whether a name is one that findings have: that of an image, or of one that the manifest speaks of.
fn is_image(model: &Model, name: &str) -> bool {
    let mut entries = model.manifest.iter().flat_map(|manifest| &manifest.entries);
    !meant_by(model, name).is_empty() || entries.any(|entry| entry.name == name)
}
