//! Conflicts about versions: what both sides of a merge wrote in the place of one version, and the version that is right for both.
//!
//! A conflict is resolved if its two sides differ in nothing but versions that imglint could write. Everything else is for people.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::model::{DependencyFile, Image, Model, Writing};
use crate::parse::conflict::{Conflict, SideText};
use crate::parse::version::{Scheme, Version};
use crate::path::{directory_of, file_name};
use crate::shape::Shape;
use crate::text::{Span, Text};

/// What a version in a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The version of an image.
    Version,
    /// That of another image, which the image of the file is built from.
    Reference,
    /// What the manifest names.
    Entry,
    /// A literal that repeats it.
    Constant,
    /// What a list of dependencies repeats.
    Listed,
}

/// A version that stands in a file and that imglint could write.
#[derive(Debug, Clone)]
pub struct Value {
    /// What it is.
    pub role: Role,
    /// What tells it from others of its role in the file; those of one name are counted.
    pub name: String,
    /// How people call it.
    pub words: String,
    /// The directories of the images whose version it may be.
    pub images: Vec<Arc<str>>,
    /// The version that stands there.
    pub version: String,
    /// What counts as a version of these images.
    pub scheme: Scheme,
    /// Where it stands.
    pub span: Span,
    /// How another one is written in its place, where that is not simply its text.
    spelling: Option<Version>,
}

/// A file as one side of a merge has it, and the versions in it.
#[derive(Debug, Clone)]
pub struct Sided {
    /// The file.
    pub text: SideText,
    /// The versions, in the order in which they stand there.
    pub values: Vec<Value>,
}

/// A file with conflicts.
#[derive(Debug, Clone)]
pub struct Conflicted<'a> {
    /// The file.
    pub text: &'a Text,
    /// Its conflicts.
    pub conflicts: &'a [Conflict],
    /// As it was merged into.
    pub ours: Sided,
    /// As it was merged.
    pub theirs: Sided,
    /// The versions in what both come from, where that is known.
    pub ancestor: Option<Vec<Value>>,
}

/// A version that the sides of a conflict do not agree on.
#[derive(Debug, Clone, Copy)]
pub struct Contest<'a> {
    /// It, as it stands in ours.
    pub value: &'a Value,
    /// What ours says.
    pub ours: &'a str,
    /// What theirs says.
    pub theirs: &'a str,
    /// What both come from, where that is known.
    pub ancestor: Option<&'a str>,
}

/// What became of a version that the sides did not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// How people call it.
    pub words: String,
    /// What ours said.
    pub ours: String,
    /// What theirs said.
    pub theirs: String,
    /// What it is now.
    pub chosen: String,
}

/// A conflict without its marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// What stands in its place.
    pub text: String,
    /// The versions that were chosen.
    pub choices: Vec<Choice>,
    /// The image whose version they are about, if it is one.
    pub image: Option<Arc<str>>,
}

impl Contest<'_> {
    /// The version, where one side alone changed it and did not lower it.
    pub fn one_sided(&self) -> Option<&str> {
        let ancestor = self.ancestor?;
        let (changed, other) = match (self.ours == ancestor, self.theirs == ancestor) {
            (true, false) => (self.theirs, self.ours),
            (false, true) => (self.ours, self.theirs),
            _ => return None,
        };
        (self.value.scheme.order(changed, other) == Some(Ordering::Greater)).then_some(changed)
    }

    /// The higher of both; `None` where they cannot be ordered.
    pub fn higher(&self) -> Option<&str> {
        self.highest(&[])
    }

    /// The highest of both, and of those of `others` that can be compared with them.
    pub fn highest<'v>(&'v self, others: &[&'v str]) -> Option<&'v str> {
        highest(self.value.scheme, &[self.ours, self.theirs], others)
    }

    /// Why there is no version for both, where they cannot be ordered.
    pub fn unordered(&self) -> String {
        let Self { value, ours, theirs, .. } = self;
        format!("{} is {ours} on one side and {theirs} on the other, and nothing tells which comes later", value.words)
    }

    /// Whether a version is lower than that of a side, or cannot be compared with it.
    pub fn is_lowered_by(&self, version: &str) -> bool {
        let sides = [self.ours, self.theirs];
        sides
            .into_iter()
            .any(|side| !matches!(self.value.scheme.order(version, side), Some(Ordering::Greater | Ordering::Equal)))
    }
}

/// The highest of versions, and of those of `others` that can be compared with them; `None` where they cannot be compared with each
/// other.
pub fn highest<'v>(scheme: Scheme, versions: &[&'v str], others: &[&'v str]) -> Option<&'v str> {
    let mut highest = *versions.first()?;
    for version in versions {
        if scheme.order(version, highest)? == Ordering::Greater {
            highest = version;
        }
    }
    for other in others {
        if scheme.order(other, highest) == Some(Ordering::Greater) {
            highest = other;
        }
    }
    Some(highest)
}

/// What counts as a version of the images in these directories.
fn scheme_of(model: &Model, directories: &[Arc<str>]) -> Scheme {
    let first = directories.first().and_then(|directory| model.images.get(directory));
    first.map_or_else(Scheme::default, |image| image.scheme())
}

/// The versions of a file that imglint could write, in the order in which they stand there. The model is that of a tree with the
/// file in it.
pub fn values(model: &Model, shape: &Shape, path: &str) -> Vec<Value> {
    let mut values = Vec::new();
    for image in model.images.values() {
        add_of_image(image, model, path, &mut values);
    }
    if let Some(manifest) = model.manifest.as_ref().filter(|manifest| *manifest.path == *path) {
        for entry in manifest.entries.iter().filter(|entry| !entry.is_pinned) {
            let images = model.images_of_entry(entry).into_iter();
            values.push(Value {
                role: Role::Entry,
                name: entry.key.clone(),
                words: format!("the entry {}", entry.key),
                scheme: Scheme::default(),
                images: images.map(|image| Arc::clone(&image.directory)).collect(),
                version: entry.version.clone(),
                span: entry.span.clone(),
                spelling: None,
            });
        }
    }
    for constant in model.constants.iter().filter(|constant| *constant.location.path == *path) {
        let images = model.named(&constant.image).into_iter();
        values.push(Value {
            role: Role::Constant,
            name: constant.image.clone(),
            words: format!("the version of {}", constant.image),
            scheme: Scheme::default(),
            images: images.map(|image| Arc::clone(&image.directory)).collect(),
            version: constant.value.clone(),
            span: constant.location.span.clone(),
            spelling: None,
        });
    }
    if let Some(list) = model.dependencies.as_ref().filter(|list| *list.path == *path) {
        add_listed(list, model, shape, &mut values);
    }
    for value in values.iter_mut().filter(|value| value.role != Role::Version) {
        value.scheme = scheme_of(model, &value.images);
    }
    values.sort_by_key(|value| (value.span.start, value.role));
    // What several builds of a file say is one value, and so is what stands in two lists of the pack.
    values.dedup_by(|later, earlier| later.span.start < earlier.span.end);
    values
}

fn add_of_image(image: &Image, model: &Model, path: &str, values: &mut Vec<Value>) {
    if image.has_version_in(path)
        && let Some(version) = image.stated_version()
        && version.usable().is_some()
    {
        values.push(Value {
            role: Role::Version,
            name: String::new(),
            words: format!("{} of {}", image.version_name, image.name),
            scheme: version.scheme,
            images: vec![Arc::clone(&image.directory)],
            version: version.value.clone(),
            span: version.span.clone(),
            spelling: Some(version.clone()),
        });
    }
    for reference in image.references.iter().filter(|reference| *reference.path == *path) {
        let Some(version) = reference.version.as_ref() else { continue };
        if !matches!(reference.writing, Writing::Literal | Writing::Default) {
            continue;
        }
        let suffix = reference.suffix.as_ref().map_or("", |(suffix, _)| suffix);
        let images = model.named(&reference.target).into_iter();
        values.push(Value {
            role: Role::Reference,
            name: format!("{} {suffix}", reference.target),
            words: format!("the version of {} that {} names", reference.target, image.name),
            scheme: Scheme::default(),
            images: images.map(|image| Arc::clone(&image.directory)).collect(),
            version: version.clone(),
            span: reference.version_span.clone(),
            spelling: None,
        });
    }
}

/// Adds the entries of a list of dependencies that are about images: those that name a file which holds the version of one.
fn add_listed(list: &DependencyFile, model: &Model, shape: &Shape, values: &mut Vec<Value>) {
    let Ok(Some(list)) = list.list() else { return };
    for entry in list.entries.iter().filter(|entry| entry.named.iter().any(|path| shape.may_hold_version(path))) {
        let Some(scalar) = &entry.version else { continue };
        let Some(span) = &scalar.replaceable else { continue };
        let mut images = Vec::new();
        for path in &entry.named {
            let image = model.images.get(directory_of(path)).filter(|_| shape.is_version_file(file_name(path)));
            images.extend(image.map(|image| Arc::clone(&image.directory)));
        }
        values.push(Value {
            role: Role::Listed,
            name: entry.name.clone(),
            words: format!("the entry {}", entry.name),
            scheme: Scheme::default(),
            images,
            version: scalar.value.clone(),
            span: span.clone(),
            spelling: None,
        });
    }
}

/// A piece of a conflict: what stands before a version, and the version; the last piece has none.
struct Piece<'a> {
    before: &'a [u8],
    value: Option<&'a Value>,
}

impl Sided {
    /// The pieces of a conflict's lines.
    fn pieces(&self, conflict: usize) -> Vec<Piece<'_>> {
        let span = self.text.spans.get(conflict).cloned().unwrap_or_default();
        let bytes = self.text.text.bytes();
        let mut pieces = Vec::new();
        let mut begin = span.start;
        for value in &self.values {
            if span.start <= value.span.start && value.span.end <= span.end {
                pieces.push(Piece { before: &bytes[begin..value.span.start], value: Some(value) });
                begin = value.span.end;
            }
        }
        pieces.push(Piece { before: &bytes[begin..span.end], value: None });
        pieces
    }

    /// Which of the values of its role and name a value is, and of how many.
    fn count(&self, value: &Value) -> (usize, usize) {
        count(&self.values, value)
    }
}

fn count(values: &[Value], value: &Value) -> (usize, usize) {
    let mut alike = values.iter().filter(|other| other.role == value.role && other.name == value.name);
    let position = alike.clone().position(|other| other.span == value.span).unwrap_or_default();
    (position, alike.by_ref().count())
}

impl Conflicted<'_> {
    /// Resolves one conflict by what `choose` says of each version in it.
    ///
    /// # Errors
    /// Why it is left as it is.
    pub fn resolve(
        &self,
        conflict: usize,
        choose: &dyn Fn(&Contest<'_>) -> Result<String, String>,
    ) -> Result<Resolution, String> {
        let (ours, theirs) = (self.ours.pieces(conflict), self.theirs.pieces(conflict));
        if !is_alike(&ours, &theirs) {
            return Err("its sides differ in more than versions".to_owned());
        }
        let mut resolution = Resolution { text: String::new(), choices: Vec::new(), image: None };
        for (one, other) in ours.iter().zip(&theirs) {
            let Ok(before) = std::str::from_utf8(one.before) else { return Err("it is no UTF-8".to_owned()) };
            resolution.text.push_str(before);
            let (Some(value), Some(other)) = (one.value, other.value) else { continue };
            if value.version == other.version {
                resolution.text.push_str(self.ours.text.text.slice(&value.span));
                continue;
            }
            let ancestor = self.ancestor_of(value, other);
            let contest = Contest { value, ours: &value.version, theirs: &other.version, ancestor };
            let chosen = choose(&contest)?;
            if contest.is_lowered_by(&chosen) {
                let Contest { ours, theirs, .. } = contest;
                return Err(format!("{} is {ours} on one side and {theirs} on the other", value.words));
            }
            match &value.spelling {
                Some(version) => resolution.text.push_str(&version.spelled(&chosen)),
                None => resolution.text.push_str(&chosen),
            }
            let image = value.images.first().filter(|_| value.role != Role::Reference);
            resolution.image = resolution.image.or_else(|| image.cloned());
            let (ours, theirs) = (value.version.clone(), other.version.clone());
            resolution.choices.push(Choice { words: value.words.clone(), ours, theirs, chosen });
        }
        if resolution.choices.is_empty() {
            return Err("its sides differ in more than versions".to_owned());
        }
        Ok(resolution)
    }

    /// The version that both sides come from, where it can be told which of the ancestor's that is.
    fn ancestor_of(&self, ours: &Value, theirs: &Value) -> Option<&str> {
        let values = self.ancestor.as_ref()?;
        let (position, number) = self.ours.count(ours);
        if self.theirs.count(theirs) != (position, number) {
            return None;
        }
        let alike: Vec<&Value> =
            values.iter().filter(|value| value.role == ours.role && value.name == ours.name).collect();
        (alike.len() == number).then(|| alike[position].version.as_str())
    }
}

/// Whether two sides differ in versions alone.
fn is_alike(ours: &[Piece<'_>], theirs: &[Piece<'_>]) -> bool {
    ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|(one, other)| {
            let is_same_value = match (one.value, other.value) {
                (Some(one), Some(other)) => one.role == other.role && one.name == other.name,
                (None, None) => true,
                _ => false,
            };
            one.before == other.before && is_same_value
        })
}
