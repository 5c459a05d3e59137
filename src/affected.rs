//! The images that a change touches, each with the reasons, in the order in which they can be built.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::check::Change;
use crate::finding::Location;
use crate::model::graph::{Agreement, Graph};
use crate::model::mention::Mentions;
use crate::model::{Image, Model, Reference, WrittenIn, content};
use crate::path::without_directory;
use crate::shape::Shape;
use crate::snapshot::{Pair, Snapshot, StoreError};

/// What a change means for the images of a tree.
#[derive(Debug, Clone, Default)]
pub struct Affected {
    /// The images that must be built anew, parents first; of one level in the order of their directories.
    pub images: Vec<AffectedImage>,
    /// The directories that held an image before the change and hold none now.
    pub removed: Vec<Arc<str>>,
    /// Bases of other images that cannot be told: these may be affected, too. None where nothing is affected.
    pub unknown_bases: Vec<UnknownBase>,
    /// Images of which each is built on the next, and the last on the first: no order is right for these.
    pub cycles: Vec<Vec<Arc<str>>>,
}

/// An image that must be built anew.
#[derive(Debug, Clone)]
pub struct AffectedImage {
    /// The image as the change leaves it.
    pub image: Arc<Image>,
    /// Why; never empty.
    pub reasons: Vec<Reason>,
    /// How many images must be built one after the other before this one.
    pub level: usize,
}

/// Why an image must be built anew.
#[derive(Debug, Clone)]
pub enum Reason {
    /// All images are asked for.
    All,
    /// The image is new.
    New,
    /// The image lay in this directory before.
    Moved(Arc<str>),
    /// This file of its content changed.
    Content(Arc<str>),
    /// Its version moved; `None` where there is none that an image can be tagged with.
    Version {
        /// The version before the change.
        before: Option<String>,
        /// The version now.
        after: Option<String>,
    },
    /// It is built on, or takes files from, an image that must be built anew.
    Base {
        /// The other image.
        parent: Arc<Image>,
        /// Where it is named.
        location: Location,
        /// The version that is named there.
        version: Option<String>,
        /// Whether the other image has another version by now, so that this one may go on with what was built before.
        is_stale: bool,
        /// Whether it is only named in a file of this one, as in the values of a chart.
        is_named: bool,
    },
    /// Whether a change concerns it cannot be told, because of what stands here.
    Unknown(Location),
}

/// A base that cannot be told.
#[derive(Debug, Clone)]
pub struct UnknownBase {
    /// The image that is built on it.
    pub image: Arc<Image>,
    /// The word that only the build can resolve.
    pub location: Location,
    /// Why it cannot be told.
    pub reason: String,
}

/// Finds what a change means for the images of a tree; for all of them where there is nothing to compare with. An error means that
/// something could not be read that may say whether an image is affected.
pub fn affected(shape: &Shape, pair: &Pair<'_>) -> Result<Affected, StoreError> {
    let mut head = Model::build(&pair.head, shape, None, None)?;
    let unread = add_mentions(&mut head, &pair.head, shape)?;
    let graph = Graph::new(&head);
    let mut reasons: BTreeMap<usize, Vec<Reason>> = BTreeMap::new();
    let mut removed = Vec::new();
    if let Some(base_files) = &pair.base {
        let base = Model::build(base_files, shape, Some(&head), None)?;
        let content = content::changed(pair, &pair.changed(), shape, &base, &head, None)?;
        let change = Change::new(pair, &base, None, &head, &content);
        for (position, image) in graph.images.iter().enumerate() {
            let of_image = changed(&change, image)?;
            if !of_image.is_empty() {
                reasons.insert(position, of_image);
            }
        }
        removed.extend(base.directories.difference(&head.directories).cloned());
    } else {
        reasons.extend((0..graph.images.len()).map(|position| (position, vec![Reason::All])));
    }
    let all = graph.descendants(reasons.keys().copied());
    for &image in &all {
        let of_image = reasons.entry(image).or_default();
        for edge in graph.parents(image).filter(|edge| all.contains(&edge.parent) && edge.parent != image) {
            let parent = graph.images[edge.parent];
            // A reference that names another version says most about the edge.
            let is_telling = |version: Option<&str>| {
                edge.agreement != Agreement::Stale
                    || version.is_none_or(|version| !parent.versions().contains(&version))
            };
            let telling = edge.references.iter().find(|reference| is_telling(reference.version.as_deref()));
            let Some(reference) = telling.or(edge.references.first()) else { continue };
            of_image.push(Reason::Base {
                parent: Arc::clone(parent),
                location: reference.location(),
                version: reference.version.clone(),
                is_stale: edge.agreement == Agreement::Stale,
                is_named: edge.references.iter().all(|reference| reference.written_in == WrittenIn::File),
            });
        }
    }
    let order = graph.order(&all);
    let mut images = Vec::new();
    for (image, reasons) in reasons {
        let level = order.levels.get(&image).copied().unwrap_or_default();
        images.push(AffectedImage { image: Arc::clone(graph.images[image]), reasons, level });
    }
    images.sort_by(|one, other| (one.level, &one.image.directory).cmp(&(other.level, &other.image.directory)));
    let mut cycles = Vec::new();
    for cycle in &order.cycles {
        let children = cycle.iter().map(|&edge| graph.images[graph.edges[edge].child]);
        cycles.push(children.map(|image| Arc::clone(&image.name)).collect());
    }
    let mut unknown_bases = if all.is_empty() { Vec::new() } else { unknown_bases(&graph, &all, &head, shape) };
    if !all.is_empty() {
        unknown_bases.extend(unread);
    }
    Ok(Affected { images, removed, unknown_bases, cycles })
}

/// Adds what the files of images name to what their Dockerfiles do, and gives the files that cannot be read.
fn add_mentions(head: &mut Model, files: &Snapshot<'_>, shape: &Shape) -> Result<Vec<UnknownBase>, StoreError> {
    let mut unread = Vec::new();
    let mut found: Vec<(Arc<str>, Reference)> = Vec::new();
    if shape.reference_files.is_empty() {
        return Ok(unread);
    }
    let mentions = Mentions::new(shape, head);
    for path in files.entries().keys().filter(|path| mentions.may_be_in(path)) {
        let Some(image) = head.owner(path).and_then(|owner| head.images.get(owner)) else { continue };
        // The rest of the repository lies around the image in its root, and documentation around every one.
        if !shape.is_content(&image.directory, without_directory(path, &image.directory)) {
            continue;
        }
        match mentions.of_file(path, files)? {
            Some(Ok(of_file)) => {
                for mention in of_file {
                    // What names itself depends on nothing by that.
                    if head.named(&mention.target).iter().any(|named| named.directory != image.directory) {
                        found.push((Arc::clone(&image.directory), mention.reference(shape)));
                    }
                }
            }
            Some(Err(why)) => unread.push(UnknownBase {
                image: Arc::clone(image),
                location: Location::file(path),
                reason: format!("it {why}"),
            }),
            None => {}
        }
    }
    for (directory, reference) in found {
        if let Some(image) = head.images.get_mut(&directory) {
            Arc::make_mut(image).references.push(reference);
        }
    }
    Ok(unread)
}

/// What a change does to an image itself.
fn changed(change: &Change<'_>, image: &Image) -> Result<Vec<Reason>, StoreError> {
    let mut reasons = Vec::new();
    let before = change.before(image);
    if !change.base.directories.contains(&image.directory) {
        reasons.push(before.map_or(Reason::New, |before| Reason::Moved(Arc::clone(&before.directory))));
    }
    if let Some(before) = before
        && before.version_identity() != image.version_identity()
    {
        let [before, after] =
            [before.version_identity(), image.version_identity()].map(|version| version.map(str::to_owned));
        reasons.push(Reason::Version { before, after });
    }
    if change.content.has(&image.directory)? {
        let paths = change.content.get(&image.directory).into_iter().flatten();
        reasons.extend(paths.map(|path| Reason::Content(Arc::clone(path))));
    }
    if reasons.is_empty() {
        for unknown in change.content.unknown(&image.directory) {
            reasons.push(Reason::Unknown(unknown.location.clone()));
        }
    }
    Ok(reasons)
}

/// The bases of all images but these that cannot be told, and may be images of the tree.
pub fn unknown_bases(graph: &Graph<'_>, affected: &BTreeSet<usize>, head: &Model, shape: &Shape) -> Vec<UnknownBase> {
    let mut unknown = Vec::new();
    for (position, image) in graph.images.iter().enumerate() {
        if affected.contains(&position) {
            continue;
        }
        for (location, reason) in image.unread_bases() {
            unknown.push(UnknownBase { image: Arc::clone(image), location, reason });
        }
        for outside in image.outside(head, shape) {
            if outside.is_unresolved {
                let reason = format!("only the build knows what `{}` is", outside.text);
                unknown.push(UnknownBase { image: Arc::clone(image), location: outside.location, reason });
            }
        }
    }
    unknown
}
