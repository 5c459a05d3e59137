//! What waivers let pass, and what keeps one from it.

use super::parse::{Day, Waiver};
use crate::finding::{Finding, Label, RuleId};
use crate::model::Model;
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
pub struct Known<'a> {
    /// The names of all rules.
    pub rules: Vec<&'a str>,
    /// Those among them that were judged.
    pub judged: Vec<&'a str>,
    /// The images.
    pub head: &'a Model,
    /// The images before the change; `None` where the whole tree is judged.
    pub base: Option<&'a Model>,
    /// What the repository looks like.
    pub shape: &'a Shape,
    /// All files.
    pub files: &'a Snapshot<'a>,
    /// The day.
    pub today: Day,
}

/// What keeps a waiver from letting anything pass, and what to do about that.
pub(super) struct Malformed {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Waivers {
    /// Whether one comes with the change: it may be of any image, and speak of it by any of its names.
    pub fn has_new(&self) -> bool {
        self.after.iter().any(|waiver| !self.before.iter().any(|before| before.is_like(waiver)))
    }

    /// Marks the findings that are let pass. Those that were, but are no more, say since when. `comments` are the waivers in the
    /// Dockerfiles that are judged.
    pub fn let_pass(&self, findings: &mut [Finding], comments: &[Waiver], known: &Known<'_>) {
        for waiver in self.list.iter().chain(comments) {
            if waiver.malformed(known).is_some() {
                continue;
            }
            for finding in findings.iter_mut().filter(|finding| waiver.matches(finding, known)) {
                match waiver.ended(known) {
                    Some(message) => finding.fault.related.push(Label { place: waiver.place.clone(), message }),
                    None => finding.waived = Some(waiver.reason.clone()),
                }
            }
        }
    }
}

impl Known<'_> {
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
    pub(super) fn malformed(&self, known: &Known<'_>) -> Option<Malformed> {
        if !known.rules.contains(&self.rule.as_str()) {
            let suggestion = suggest(&self.rule, known.rules.iter().copied());
            let message = format!("this waiver is of an unknown rule, `{}`: {suggestion}", self.rule);
            return Some(Malformed { message, help: None });
        }
        let subject = self.subject();
        if let Some(error) = self.error {
            return Some(Malformed { message: format!("the waiver of {subject} {error}"), help: None });
        }
        if self.image.is_none() && self.line.is_none() && is_image(known.head, &self.reason) {
            let message = format!("the waiver of {subject} names an image as its reason");
            return Some(Malformed { message, help: Some(format!("write {}({}) and why", self.rule, self.reason)) });
        }
        let image = self.image.as_ref()?;
        // What comes with the change may be about an image that it deletes.
        let base = known.base.filter(|_| self.is_of_change);
        if is_image(known.head, image) || base.is_some_and(|base| is_image(base, image)) || known.is_built(image) {
            return None;
        }
        let names = known.head.images.values().map(|image| image.published());
        let message = format!("the waiver of {subject} is of an unknown image");
        Some(Malformed { message, help: Some(suggest(image, names)) })
    }

    /// Says since when it does not hold any more.
    pub(super) fn ended(&self, known: &Known<'_>) -> Option<String> {
        let until = self.until.filter(|until| *until < known.today)?;
        Some(format!("the waiver of {} ended on {until}", self.subject()))
    }

    /// Whether it is about a finding.
    pub(super) fn matches(&self, finding: &Finding, known: &Known<'_>) -> bool {
        let place = &finding.fault.place;
        let is_line = self.line.is_none_or(|line| place.path == self.place.path && place.positions().0.line == line);
        *finding.rule == *self.rule && is_line && self.is_of_image(finding.fault.image.as_deref(), known)
    }

    /// Whether it is of the image that a finding names: it may call that by any of its names, on either side.
    fn is_of_image(&self, found: Option<&str>, known: &Known<'_>) -> bool {
        let Some(image) = &self.image else { return true };
        let Some(found) = found else { return false };
        let mut models = [known.head].into_iter().chain(known.base);
        image == found || models.any(|model| model.named(image).iter().any(|named| *named.name == *found))
    }
}

/// Whether a name is one that findings have: that of an image, or of one that the manifest speaks of.
fn is_image(model: &Model, name: &str) -> bool {
    let mut entries = model.manifest.iter().flat_map(|manifest| &manifest.entries);
    !model.named(name).is_empty() || entries.any(|entry| entry.name == name)
}
