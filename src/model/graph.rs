//! Which images of a tree are built on which: plain edges, the levels in which all can be built, and the cycles that forbid it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::build::Control;
use super::image::Image;
use super::reference::{Reference, Writing, WrittenIn, without_tag};
use super::tree::Model;
use crate::finding::Location;
use crate::parse::dockerfile::Word;
use crate::shape::Shape;
use crate::text::Span;

/// The images of a tree that were read, and who is built on whom.
#[derive(Debug, Clone, Default)]
pub struct Graph<'m> {
    /// The images, in the order of their directories.
    pub images: Vec<&'m Arc<Image>>,
    /// One edge for each pair of images, in the order of the children and then of the parents.
    pub edges: Vec<Edge<'m>>,
    /// The edges that lead to each image's parents, by position.
    above: Vec<Vec<usize>>,
    /// The edges that lead to each image's children, by position.
    below: Vec<Vec<usize>>,
}

/// An image that is built on another one, or takes files out of it.
#[derive(Debug, Clone)]
pub struct Edge<'m> {
    /// The position of the image that names the other one.
    pub child: usize,
    /// The position of the image that is named.
    pub parent: usize,
    /// Where the child names the parent, in the order of its files; never empty.
    pub references: Vec<&'m Reference>,
    /// Whether the version that is named is the parent's.
    pub agreement: Agreement,
    /// Whether several images are published under the name, and none of them has the version: one of them is meant.
    pub is_ambiguous: bool,
}

/// Whether a child names the version that its parent has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// All its references do.
    Current,
    /// It cannot be told: the tag floats, only the build knows it, or the parent has no usable version.
    Unknown,
    /// One of its references names another one.
    Stale,
}

/// In which order images can be built.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The level of each image by its position: 0 where it needs no other one, else one more than the highest of its parents.
    pub levels: BTreeMap<usize, usize>,
    /// What forbids an order: edges, each from a child to the parent that is the child of the next, and from the last to the first.
    pub cycles: Vec<Vec<usize>>,
}

/// Something that an image is built on and that is no image of the tree, or that only the build knows.
#[derive(Debug, Clone)]
pub struct Outside {
    /// What is named, with variables replaced as far as the file says what they stand for.
    pub text: String,
    /// The word that names it.
    pub location: Location,
    /// Whether a variable is left in the name, so that it may be an image of the tree.
    pub is_unresolved: bool,
}

impl<'m> Graph<'m> {
    /// The graph of all images that were read. That an image is built from an older version of itself is no edge.
    pub fn new(model: &'m Model) -> Self {
        let images: Vec<&Arc<Image>> = model.images.values().collect();
        let mut positions: HashMap<&str, usize> = HashMap::new();
        for (position, image) in images.iter().enumerate() {
            positions.insert(&image.directory, position);
        }
        let mut edges = Vec::new();
        for (child, image) in images.iter().enumerate() {
            let mut of_child: BTreeMap<usize, Edge<'_>> = BTreeMap::new();
            for reference in &image.references {
                let Meant { parents, is_ambiguous } = meant(model, image, reference);
                for (parent, agreement) in parents {
                    let Some(&parent) = positions.get(&*parent.directory) else { continue };
                    let edge = of_child.entry(parent).or_insert_with(|| Edge {
                        child,
                        parent,
                        references: Vec::new(),
                        agreement,
                        is_ambiguous,
                    });
                    edge.references.push(reference);
                    edge.agreement = edge.agreement.max(agreement);
                    edge.is_ambiguous |= is_ambiguous;
                }
            }
            edges.extend(of_child.into_values());
        }
        let mut above = vec![Vec::new(); images.len()];
        let mut below = vec![Vec::new(); images.len()];
        for (position, edge) in edges.iter().enumerate() {
            above[edge.child].push(position);
            below[edge.parent].push(position);
        }
        Self { images, edges, above, below }
    }

    /// The edges to the parents of the image at a position.
    pub fn parents(&self, image: usize) -> impl Iterator<Item = &Edge<'m>> {
        self.above[image].iter().map(|&edge| &self.edges[edge])
    }

    /// The edges to the children of the image at a position.
    pub fn children(&self, image: usize) -> impl Iterator<Item = &Edge<'m>> {
        self.below[image].iter().map(|&edge| &self.edges[edge])
    }

    /// These images and all that are built on them.
    pub fn descendants(&self, of: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        reached(of, |image, queue| queue.extend(self.children(image).map(|edge| edge.child)))
    }

    /// These images and all that they are built on.
    pub fn ancestors(&self, of: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        reached(of, |image, queue| queue.extend(self.parents(image).map(|edge| edge.parent)))
    }

    /// The order in which some of the images can be built, as though the others were there already. Where a cycle forbids one, the
    /// image of the cycle that is the first by its directory comes before its parents.
    pub fn order(&self, some: &BTreeSet<usize>) -> Order {
        let mut waits: BTreeMap<usize, usize> = BTreeMap::new();
        for &image in some {
            waits.insert(image, self.parents(image).filter(|edge| some.contains(&edge.parent)).count());
        }
        let mut order = Order::default();
        let mut ready: VecDeque<usize> =
            waits.iter().filter(|(_, count)| **count == 0).map(|(image, _)| *image).collect();
        let mut levels: BTreeMap<usize, usize> = BTreeMap::new();
        loop {
            while let Some(image) = ready.pop_front() {
                waits.remove(&image);
                let level = levels.get(&image).copied().unwrap_or_default();
                order.levels.insert(image, level);
                for child in self.children(image).map(|edge| edge.child) {
                    let Some(count) = waits.get_mut(&child) else { continue };
                    *count -= 1;
                    let known = levels.entry(child).or_default();
                    *known = (*known).max(level + 1);
                    if *count == 0 {
                        ready.push_back(child);
                    }
                }
            }
            // All that waits lies on a cycle or behind one.
            let Some(cycle) = self.cycle(&waits) else { return order };
            if let Some(&first) = cycle.first() {
                ready.push_back(self.edges[first].child);
            }
            order.cycles.push(cycle);
        }
    }

    /// One cycle among images of which each has a parent among them; it begins with its first image.
    fn cycle(&self, waits: &BTreeMap<usize, usize>) -> Option<Vec<usize>> {
        let mut walk: Vec<usize> = Vec::new();
        let mut seen: HashMap<usize, usize> = HashMap::new();
        let mut image = *waits.keys().next()?;
        while !seen.contains_key(&image) {
            seen.insert(image, walk.len());
            let edge = *self.above[image].iter().find(|edge| waits.contains_key(&self.edges[**edge].parent))?;
            walk.push(edge);
            image = self.edges[edge].parent;
        }
        let mut cycle = walk.split_off(*seen.get(&image)?);
        let first = (0..cycle.len()).min_by_key(|&position| self.edges[cycle[position]].child)?;
        cycle.rotate_left(first);
        Some(cycle)
    }
}

/// All that can be reached from some images, and these.
fn reached(from: impl IntoIterator<Item = usize>, go_on: impl Fn(usize, &mut Vec<usize>)) -> BTreeSet<usize> {
    let mut queue: Vec<usize> = from.into_iter().collect();
    let mut seen = BTreeSet::new();
    while let Some(image) = queue.pop() {
        if seen.insert(image) {
            go_on(image, &mut queue);
        }
    }
    seen
}

/// What a reference can mean.
struct Meant<'m> {
    parents: Vec<(&'m Arc<Image>, Agreement)>,
    is_ambiguous: bool,
}

/// The images that a reference can mean: of several that are published under its name those that have its version, if any has.
fn meant<'m>(model: &'m Model, child: &Image, reference: &Reference) -> Meant<'m> {
    let mut parents = Vec::new();
    for parent in model.named(&reference.target) {
        // To be built from an older version of oneself is how one begins.
        let is_older_self = parent.directory == child.directory && reference.version.as_deref() != child.version();
        if !is_older_self {
            parents.push((parent, agreement(parent, reference)));
        }
    }
    if parents.iter().any(|(_, agreement)| *agreement == Agreement::Current) {
        parents.retain(|(_, agreement)| *agreement == Agreement::Current);
    }
    let is_ambiguous = parents.len() > 1;
    Meant { parents, is_ambiguous }
}

fn agreement(parent: &Image, reference: &Reference) -> Agreement {
    let versions = parent.versions();
    if versions.is_empty() || reference.version.is_none() {
        Agreement::Unknown
    } else if versions.iter().any(|version| reference.names(version)) && reference.writing != Writing::Unprefixed {
        Agreement::Current
    } else {
        Agreement::Stale
    }
}

impl Image {
    /// What the image is built on, or takes files from, beside the images of the tree: names that none of them has, and those that
    /// only the build knows. `scratch` is nothing.
    pub fn outside(&self, model: &Model, shape: &Shape) -> Vec<Outside> {
        let mut outside = Vec::new();
        if let Some(base) = &self.base_file
            && let Ok((text, lines)) = &base.read
        {
            for line in lines {
                let Some(value) =
                    line.value.as_deref().filter(|_| !self.is_of_tree(model, &base.path, &line.value_span))
                else {
                    continue;
                };
                outside.push(Outside::new(value, Location::new(&base.path, text, line.value_span.clone())));
            }
        }
        for build in &self.builds {
            let Ok(parsed) = &build.file else { continue };
            for stage in &parsed.dockerfile.stages {
                let base = Some(&stage.image).filter(|_| stage.continues.is_none());
                let copied_from = stage.copied_from().filter(|from| parsed.dockerfile.stage(&from.value).is_none());
                for word in base.into_iter().chain(copied_from) {
                    let is_number = word.value.as_str().bytes().all(|byte| byte.is_ascii_digit());
                    let is_of_tree = self.is_of_tree(model, &build.path, &word.span)
                        || self.is_given(model, word, parsed.text.slice(&word.span));
                    if is_number || self.is_told(word, shape) || is_of_tree {
                        continue;
                    }
                    let location = Location::new(&build.path, &parsed.text, word.span.clone());
                    outside.push(Outside::new(word.value.as_str(), location));
                }
            }
        }
        outside.retain(|outside| !outside.text.is_empty() && outside.text != "scratch");
        let mut seen = BTreeSet::new();
        outside.retain(|outside| seen.insert((Arc::clone(&outside.location.path), outside.location.span.start)));
        outside
    }

    /// Whether the base file says what a word of a Dockerfile stands for.
    fn is_told(&self, word: &Word, shape: &Shape) -> bool {
        let Some(argument) = shape.base_file.as_deref().filter(|_| self.base_file.is_some()) else { return false };
        word.unknown.iter().any(|name| name == argument) || word.value.contains(argument)
    }

    /// Whether a word of a Dockerfile, as it is written there, is given the name of an image of the tree by a file.
    fn is_given(&self, model: &Model, word: &Word, written: &str) -> bool {
        let mut given = self
            .arguments
            .iter()
            .filter(|argument| argument.is_in(written) && word.value.as_str().contains(argument.value.as_str()));
        given.any(|argument| self.is_of_tree(model, &argument.path, &argument.span))
    }

    /// Whether a reference to an image of the tree stands in this place.
    fn is_of_tree(&self, model: &Model, path: &str, span: &Span) -> bool {
        let mut here =
            self.references.iter().filter(|reference| *reference.path == *path && span.contains(&reference.span.start));
        here.any(|reference| !model.named(&reference.target).is_empty())
    }

    /// The files of the image that name what it is built on, and cannot be read, each with the reason.
    pub fn unread_bases(&self) -> Vec<(Location, String)> {
        let mut unread = Vec::new();
        if let Some(Control { path, read: Err(unreadable) }) = &self.base_file {
            unread.push((Location::file(path), format!("it {unreadable}")));
        }
        for build in &self.builds {
            if let Err(error) = &build.file
                && !unread.iter().any(|(location, _)| location.path == error.location.path)
            {
                unread.push((error.location.clone(), error.reason.clone()));
            }
        }
        unread
    }
}

impl Outside {
    fn new(text: &str, location: Location) -> Self {
        let is_unresolved = without_tag(text).contains('$') || text.starts_with('$');
        Self { text: text.to_owned(), location, is_unresolved }
    }
}

impl Edge<'_> {
    /// Whether the child takes files out of the parent, and is put on another image.
    pub fn is_copy(&self) -> bool {
        self.references.iter().all(|reference| reference.written_in == WrittenIn::Copy)
    }

    /// The versions that the child names, in order, each once.
    pub fn versions(&self) -> BTreeSet<&str> {
        self.references.iter().filter_map(|reference| reference.version.as_deref()).collect()
    }
}
