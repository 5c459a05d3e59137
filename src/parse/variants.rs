//! Several variants of an image in one file of YAML, each with its version: `variants.*.IMAGE_VERSION`.

use std::collections::{BTreeMap, BTreeSet};

use super::version::{Revision, Scheme, Variant, Version, VersionError};
use super::yaml::{Document, Node};
use crate::text::Text;

/// Where the versions of variants stand.
#[derive(Debug, Clone)]
pub struct Variants {
    /// The keys above the variants.
    above: Vec<String>,
    /// The keys from a variant to its version.
    below: Vec<String>,
    /// The key beside the version that repeats its last number.
    pub revision: Option<String>,
    /// The keys of a variant that name a directory of the image which is its own.
    pub directories: Vec<String>,
}

/// What stands for the name of a variant in the path of a key.
pub const ANY: &str = "*";

impl Variants {
    /// The key of a path with one `*`; `None` where there is none or more than one, or nothing behind it.
    pub fn new(path: &[String]) -> Option<Self> {
        let (above, below) = path.split_at(path.iter().position(|part| part == ANY)?);
        let below = &below[1..];
        let is_one = !below.is_empty() && !below.iter().any(|part| part == ANY);
        is_one.then(|| Self { above: above.to_vec(), below: below.to_vec(), revision: None, directories: Vec::new() })
    }

    /// The key of a variant's version, as findings name it.
    pub fn key(&self, variant: &str) -> String {
        let parts = self.above.iter().map(String::as_str).chain([variant]).chain(self.below.iter().map(String::as_str));
        parts.collect::<Vec<_>>().join(".")
    }

    /// Whether a variant of a text has a version: files of the same name may be about something else.
    pub fn are_in(&self, text: &Text) -> bool {
        let Ok(document) = Document::parse(text) else { return true };
        let Some(variants) = descend(document.root(), &self.above) else { return false };
        variants.pairs().any(|(_, block)| descend(block, &self.below).is_some())
    }

    /// Reads the variants of a text, in its order.
    pub fn locate(&self, text: &Text, scheme: Scheme) -> Result<Vec<Variant>, VersionError> {
        let document = Document::parse(text).map_err(|_| VersionError::Unparsable)?;
        let variants = descend(document.root(), &self.above).ok_or(VersionError::NoKey)?;
        let mut located = Vec::new();
        for (name, block) in variants.pairs() {
            let Some(name) = name.text() else { continue };
            let version = descend(block, &self.below).ok_or(VersionError::NoKey);
            let version = match version.and_then(|node| scalar(node, text)) {
                Ok(scalar) => Version::of_scalar(scalar.value, scalar.span, scalar.is_plain, scheme),
                Err(error) => Version::unread(error, scheme),
            };
            located.push(Variant {
                key: self.key(&name),
                version,
                revision: self
                    .revision(block)
                    .and_then(|node| scalar(node, text).ok())
                    .map(|scalar| Revision { value: scalar.value, span: scalar.span }),
                directories: self.directories.iter().filter_map(|key| block.get(key)?.text()).collect(),
                name,
            });
        }
        if located.is_empty() { Err(VersionError::NoKey) } else { Ok(located) }
    }

    fn revision<'d, 't>(&self, block: Node<'d, 't>) -> Option<Node<'d, 't>> {
        let (_, beside) = self.below.split_last()?;
        descend(block, beside)?.get(self.revision.as_deref()?)
    }

    /// The variants in which two texts of the file differ, beside their versions; `None` where all may.
    pub fn differing(&self, before: &Text, after: &Text) -> Option<BTreeSet<String>> {
        let [before, after] = [self.said(before)?, self.said(after)?];
        if before.others != after.others {
            return None;
        }
        let mut differing = BTreeSet::new();
        for (name, values) in &after.variants {
            if before.variants.get(name).is_some_and(|known| known != values) {
                differing.insert(name.clone());
            }
        }
        Some(differing)
    }

    /// All that a text says, but for the versions. Comments say nothing.
    fn said(&self, text: &Text) -> Option<Said> {
        let document = Document::parse(text).ok()?;
        let mut said = Said::default();
        let mut all = BTreeMap::new();
        flatten(document.root(), &mut Vec::new(), &mut all);
        for (path, value) in all {
            let Some(rest) = path.strip_prefix(&self.above[..]).filter(|rest| rest.len() > 1) else {
                said.others.insert(path, value);
                continue;
            };
            let (name, rest) = (&rest[0], &rest[1..]);
            let of_variant = said.variants.entry(name.clone()).or_default();
            let is_revision = self.revision.as_ref().is_some_and(|revision| {
                self.below
                    .split_last()
                    .is_some_and(|(_, beside)| rest.strip_prefix(beside) == Some(std::slice::from_ref(revision)))
            });
            if rest != &self.below[..] && !is_revision {
                of_variant.insert(rest.to_vec(), value);
            }
        }
        Some(said)
    }
}

/// Values by the keys above them.
type Values = BTreeMap<Vec<String>, String>;

/// What a file of variants says beside their versions.
#[derive(Default)]
struct Said {
    variants: BTreeMap<String, Values>,
    others: Values,
}

fn flatten(node: Node<'_, '_>, path: &mut Vec<String>, all: &mut Values) {
    if node.is_scalar() {
        all.insert(path.clone(), node.text().unwrap_or_default());
        return;
    }
    for (number, item) in node.items().enumerate() {
        path.push(number.to_string());
        flatten(item, path, all);
        path.pop();
    }
    for (key, value) in node.pairs() {
        path.push(key.text().unwrap_or_default());
        flatten(value, path, all);
        path.pop();
    }
}

/// The value under one key after the other.
pub(crate) fn descend<'d, 't>(node: Node<'d, 't>, path: &[String]) -> Option<Node<'d, 't>> {
    let mut node = node;
    for name in path {
        node = node.get(name)?;
    }
    Some(node)
}

/// A scalar as it stands in a text, without its quotes.
pub(crate) struct Scalar {
    pub(super) value: String,
    pub(super) span: crate::text::Span,
    /// Whether it is written without quotes.
    pub(crate) is_plain: bool,
}

/// Reads the scalar that a node is, if it can be replaced where it stands.
pub(crate) fn scalar(node: Node<'_, '_>, text: &Text) -> Result<Scalar, VersionError> {
    let value = node.text().ok_or(VersionError::NoScalar)?;
    let span = node.replaceable().ok_or(VersionError::NoScalar)?;
    let is_plain = !text.as_str()[..span.start].ends_with(['"', '\'']);
    Ok(Scalar { value, span, is_plain })
}
