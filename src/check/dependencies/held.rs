//! What files hold of the versions of images.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::Context;
use crate::model::{Image, ManifestEntry, Reference, Writing};
use crate::path::directories_above;
use crate::snapshot::StoreError;
use crate::text::{Span, Text};

/// What says a version, in the order in which one decides over the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// The version file of an image.
    VersionFile,
    /// An entry of the manifest.
    Manifest,
    /// A literal that must equal the version of an image.
    Constant,
    /// A place where an image names another one.
    Reference,
    /// An entry of the manifest that is old on purpose.
    Pinned,
}

/// A version of an image, where a file holds it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) version: String,
    pub(super) span: Span,
    /// The image that the file or the entry belongs to.
    pub(super) image: Option<Arc<str>>,
    pub(super) source: Source,
    /// Versions that may stand here, as far as the images and the manifest tell.
    pub(super) accepted: Vec<String>,
    /// Whether it can be rewritten.
    pub(super) is_writable: bool,
}

/// A file that an entry names, and what it holds of ours.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: Arc<str>,
    pub(super) text: Arc<Text>,
    /// By the beginning of the line.
    held: BTreeMap<usize, Vec<Held>>,
}

/// What an entry names.
#[derive(Debug)]
pub(super) enum Named {
    Gone,
    /// With the reason.
    Unreadable(String),
    File(File),
}

impl Named {
    pub(super) fn read(path: &str, context: &Context<'_>) -> Result<Self, StoreError> {
        // A change of what a link leads to would not be known for one of this file.
        if context.files.is_link(path) && !context.shape.scope().contains(path) {
            return Ok(Self::Unreadable("is a symbolic link; name the file that it leads to".to_owned()));
        }
        let text = match context.files.text(path)? {
            None => {
                let hides = |above: &&str| context.files.entry(above).is_some();
                return Ok(directories_above(path).find(hides).map_or(Self::Gone, |above| {
                    Self::Unreadable(format!("lies behind {above}, which is no directory of this repository"))
                }));
            }
            Some(Err(unreadable)) => return Ok(Self::Unreadable(unreadable.to_string())),
            Some(Ok(text)) => text,
        };
        let mut held: BTreeMap<usize, Vec<Held>> = BTreeMap::new();
        for one in held_in(path, context) {
            held.entry(text.line_start(one.span.start)).or_default().push(one);
        }
        Ok(Self::File(File { path: path.into(), text, held }))
    }
}

impl File {
    /// The image that the first version in it belongs to.
    pub(super) fn image(&self) -> Option<Arc<str>> {
        self.held.values().flatten().find_map(|held| held.image.clone())
    }

    /// What a line holds, given by its place: what lies in the part that is meant, or else all.
    pub(super) fn held(&self, line: &Span, part: &Span) -> Vec<&Held> {
        let all = self.held.get(&line.start).map_or(&[][..], Vec::as_slice);
        let mut meant = Vec::new();
        for held in all {
            if held.span.start < part.end && part.start < held.span.end {
                meant.push(held);
            }
        }
        if meant.is_empty() { all.iter().collect() } else { meant }
    }
}

/// The versions of images that a file holds.
fn held_in(path: &str, context: &Context<'_>) -> Vec<Held> {
    let model = context.model;
    let mut held = Vec::new();
    if let Some(manifest) = model.manifest.as_ref().filter(|manifest| *manifest.path == *path) {
        held.extend(manifest.entries.iter().map(|entry| of_entry(entry, context)));
    }
    for constant in model.constants.iter().filter(|constant| *constant.location.path == *path) {
        let images = model.named(&constant.image);
        held.push(Held {
            version: constant.value.clone(),
            span: constant.location.span.clone(),
            image: Some(constant.image.as_str().into()),
            source: Source::Constant,
            accepted: versions(images.iter().map(|image| &***image)),
            is_writable: true,
        });
    }
    let Some(image) = model.owner(path).and_then(|directory| model.images.get(directory)) else { return held };
    if image.has_version_in(path)
        && let Some(version) = image.version()
    {
        held.push(Held {
            version: version.to_owned(),
            span: image.version_location().span,
            image: Some(Arc::clone(&image.name)),
            source: Source::VersionFile,
            accepted: vec![version.to_owned()],
            is_writable: false,
        });
    }
    let mut accepted: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for reference in image.references.iter().filter(|reference| *reference.path == *path) {
        let accepted = accepted.entry(&reference.target).or_insert_with(|| accepted_for(&reference.target, context));
        held.extend(of_reference(reference, image, accepted));
    }
    held
}

fn of_entry(entry: &ManifestEntry, context: &Context<'_>) -> Held {
    let images = context.model.images_of_entry(entry);
    Held {
        version: entry.version.clone(),
        span: entry.span.clone(),
        image: images.first().map(|image| Arc::clone(&image.name)),
        source: if entry.is_pinned { Source::Pinned } else { Source::Manifest },
        accepted: vec![entry.version.clone()],
        // When it may move is for other rules to say.
        is_writable: false,
    }
}

fn of_reference(reference: &Reference, image: &Image, accepted: &[String]) -> Option<Held> {
    let is_literal = matches!(reference.writing, Writing::Literal | Writing::Default);
    Some(Held {
        version: reference.version.clone()?,
        span: reference.version_span.clone(),
        image: Some(Arc::clone(&image.name)),
        source: Source::Reference,
        accepted: accepted.to_vec(),
        is_writable: is_literal && !reference.version_location().has_digest(),
    })
}

/// The versions that a reference to an image may name: the image's own, and the one that the manifest names.
fn accepted_for(target: &str, context: &Context<'_>) -> Vec<String> {
    let targets = context.model.named(target);
    let mut accepted = versions(targets.iter().map(|target| &***target));
    for entry in context.model.manifest.iter().flat_map(|manifest| &manifest.entries) {
        let images = context.model.images_of_entry(entry);
        let is_of_target = images.iter().any(|image| targets.iter().any(|target| Arc::ptr_eq(image, target)));
        if !entry.is_pinned && is_of_target {
            accepted.push(entry.version.clone());
        }
    }
    accepted
}

fn versions<'i>(images: impl Iterator<Item = &'i Image>) -> Vec<String> {
    images.filter_map(Image::version).map(str::to_owned).collect()
}
