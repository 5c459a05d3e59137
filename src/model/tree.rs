//! All images of a tree, and the files beside them that speak of versions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::build::Final;
use super::dependencies::DependencyFile;
use super::directories::Directories;
use super::image::{Image, kind_target};
use super::manifest::{ConstantValue, Manifest, ManifestEntry, without_architecture};
use super::reference::{Reference, WrittenIn};
use super::threads::each;
use crate::path::{is_below, without_directory};
use crate::shape::Shape;
use crate::snapshot::{Entry, Snapshot, StoreError};
use crate::suggest::suggest;
use crate::text::escape;

/// All that the checks know of one tree.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The directories of all images.
    pub directories: Directories,
    /// The images that were read, by their directory.
    pub images: BTreeMap<Arc<str>, Arc<Image>>,
    /// The manifest; `None` where the pack names none, or the tree has none.
    pub manifest: Option<Manifest>,
    /// The list of dependencies; `None` where the pack names none, or the tree has none.
    pub dependencies: Option<DependencyFile>,
    /// The literals that must equal a version, as far as they are there.
    pub constants: Vec<ConstantValue>,
    /// The files that may hold one and cannot be read.
    pub unread_constants: Vec<StoreError>,
    /// Why the manifest could not be read.
    unread_manifest: Option<StoreError>,
    /// Directories by the names that their images are referred to by.
    by_name: HashMap<String, Vec<Arc<str>>>,
}

/// Somebody asked for an image that is not there.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("no such image: {}", escape(name))]
#[diagnostic(help("{suggestion}"))]
pub struct UnknownImageError {
    name: String,
    suggestion: String,
}

impl Model {
    /// Reads all images of a tree, or `only` some of them and none of the files beside them. What `known` has read from the
    /// same files is taken from there.
    pub fn build(
        snapshot: &Snapshot<'_>,
        shape: &Shape,
        known: Option<&Self>,
        only: Option<&BTreeSet<Arc<str>>>,
    ) -> Result<Self, StoreError> {
        Self::build_of(Directories::find(snapshot, shape)?, snapshot, shape, known, only)
    }

    /// The same, where it is known which directories of the tree are images.
    pub fn build_of(
        directories: Directories,
        snapshot: &Snapshot<'_>,
        shape: &Shape,
        known: Option<&Self>,
        only: Option<&BTreeSet<Arc<str>>>,
    ) -> Result<Self, StoreError> {
        let is_wanted = |directory: &&Arc<str>| only.is_none_or(|only| only.contains(*directory));
        let wanted: Vec<&Arc<str>> = directories.iter().filter(is_wanted).collect();
        let read = |directory: &&Arc<str>| {
            Image::read(directory, snapshot, shape, &directories, known.and_then(|known| known.images.get(*directory)))
        };
        let images = each(&wanted, WORTH_A_THREAD, read)?;
        let mut by_name: HashMap<String, Vec<Arc<str>>> = HashMap::new();
        for image in &images {
            by_name.entry(image.target()).or_default().push(Arc::clone(&image.directory));
        }
        // A directory is found by its own name too, unless another image is published under that.
        for image in images.iter().filter(|image| image.alias.is_some()) {
            let name = kind_target(image.kind.as_deref(), image.name.to_string());
            by_name.entry(name).or_insert_with(|| vec![Arc::clone(&image.directory)]);
        }
        let mut constants = Vec::new();
        let mut unread_constants = Vec::new();
        let mut unread_manifest = None;
        let mut manifest = None;
        let mut dependencies = None;
        if only.is_none() {
            for (table, constant) in shape.constants.iter().enumerate() {
                constants.extend(ConstantValue::read(table, constant, snapshot, &mut unread_constants)?);
            }
            if let Some(manifest_shape) = &shape.manifest {
                let known = known.and_then(|known| known.manifest.as_ref());
                match Manifest::read(manifest_shape, &shape.tag_prefix, snapshot, known) {
                    Ok(read) => manifest = read,
                    Err(error) => unread_manifest = Some(error),
                }
            }
            if let Some(list) = &shape.dependencies {
                let known = known.and_then(|known| known.dependencies.as_ref());
                dependencies = DependencyFile::read(&list.path, snapshot, known)?;
            }
        }
        Ok(Self {
            directories,
            manifest,
            dependencies,
            images: images.into_iter().map(|image| (Arc::clone(&image.directory), image)).collect(),
            constants,
            unread_constants,
            unread_manifest,
            by_name,
        })
    }

    /// An error where the manifest could not be read: a rule that needs it asks before it takes it for none.
    pub fn has_read_manifest(&self) -> Result<(), StoreError> {
        self.unread_manifest.clone().map_or(Ok(()), Err)
    }

    /// The same, which takes what could not be read for what was not there: where a tree is only compared with, nothing in it is old
    /// by that.
    pub fn forgetting_unread(self: &Arc<Self>) -> Arc<Self> {
        if self.unread_manifest.is_none() {
            return Arc::clone(self);
        }
        Arc::new(Self { unread_manifest: None, ..Self::clone(self) })
    }

    /// The images that a name can mean: as a rule one; several where aliases make names equal.
    /// `{a,b}/web` is one of a registry that holds the images of several directories, `/images/web` the one in this directory.
    pub fn named(&self, name: &str) -> Vec<&Arc<Image>> {
        if let Some(directory) = name.strip_prefix('/') {
            return self.images.get(directory).into_iter().collect();
        }
        if let Some((directories, rest)) = name.strip_prefix('{').and_then(|name| name.split_once("}/")) {
            let names = directories.split(',').map(|directory| format!("{directory}/{rest}"));
            return names.flat_map(|name| self.named(&name)).collect();
        }
        let find = |name: &str| self.by_name.get(name);
        let directories = find(name).or_else(|| find(without_architecture(name)?)).map_or(&[][..], Vec::as_slice);
        directories.iter().filter_map(|directory| self.images.get(directory)).collect()
    }

    /// The images that somebody means who asks for one: by its directory, by its name, or by that under which it is published.
    /// Never none.
    pub fn meant(&self, asked: &str) -> Result<Vec<&Image>, UnknownImageError> {
        let asked = asked.trim_end_matches('/');
        if let Some(image) = self.images.get(asked) {
            return Ok(vec![image]);
        }
        let images = self.images.values().map(|image| &**image);
        let named: Vec<&Image> = images.clone().filter(|image| *image.name == *asked).collect();
        let is_published = |image: &&Image| image.published() == asked || image.target() == asked;
        let published: Vec<&Image> = images.clone().filter(is_published).collect();
        if named.is_empty() && published.is_empty() {
            let within: Vec<_> = images.clone().filter(|image| is_below(&image.directory, asked)).collect();
            let suggestion = match &within[..] {
                [] => suggest(asked, images.map(|image| &*image.name)),
                [first, ..] => {
                    format!("it is no image, and holds {}: name one, such as `{}`", within.len(), escape(&first.name))
                }
            };
            return Err(UnknownImageError { name: asked.to_owned(), suggestion });
        }
        Ok(if named.is_empty() { published } else { named })
    }

    /// The images that are published as one is, that of another tree maybe.
    pub fn published_as(&self, image: &Image) -> Vec<&Image> {
        let target = image.target();
        let named = self.named(&target).into_iter().map(|image| &**image);
        named.filter(|named| named.target() == target).collect()
    }

    /// The images that an entry of the manifest can mean. Among images of one name, the directory that the entry's key spells
    /// is meant (`HttpdNew` is `httpd-new`).
    pub fn images_of_entry(&self, entry: &ManifestEntry) -> Vec<&Arc<Image>> {
        let candidates = self.named(&entry.name);
        if candidates.len() < 2 {
            return candidates;
        }
        let letters =
            |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let key = letters(&entry.key);
        match candidates.iter().find(|image| letters(&image.name) == key) {
            Some(image) => vec![image],
            None => candidates,
        }
    }

    /// The images of the tree that a last stage of an image is put on for an operating system.
    fn parents<'m>(&'m self, image: &Image, last: &Final<'_>, os: &str) -> Vec<&'m Arc<Image>> {
        let base = last.base().map(|base| base.span.start);
        let is_base = |reference: &&Reference| match &reference.written_in {
            WrittenIn::Base(platform) => platform.os == os,
            WrittenIn::From => reference.path == *last.path && base == Some(reference.span.start),
            WrittenIn::Copy | WrittenIn::File => false,
        };
        image.references.iter().filter(is_base).flat_map(|reference| self.named(&reference.target)).collect()
    }

    /// Whether a last stage of an image has something, or one of those in the tree that it is put on for an operating system.
    pub fn inherits(&self, image: &Image, last: &Final<'_>, os: &str, has: &dyn Fn(&Final<'_>) -> bool) -> bool {
        let mut queue = vec![(image, last.clone())];
        let mut seen = BTreeSet::new();
        while let Some((image, last)) = queue.pop() {
            if has(&last) {
                return true;
            }
            if seen.insert((&image.directory, last.path)) {
                let parents = self.parents(image, &last, os).into_iter();
                queue.extend(parents.flat_map(|parent| parent.finals(os).map(|last| (&**parent, last))));
            }
        }
        false
    }

    /// The directory of the image that owns a path: the nearest one above it.
    pub fn owner(&self, path: &str) -> Option<&Arc<str>> {
        self.directories.owner(path)
    }

    /// The directories of all images above a path, the nearest first.
    pub fn owners(&self, path: &str) -> impl Iterator<Item = &Arc<str>> {
        self.directories.owners(path)
    }

    /// The files of an image in a tree, by their path below its directory: those that it owns and that are no documentation.
    pub fn own_content<'f>(
        &self,
        image: &Image,
        files: &'f Snapshot<'_>,
        shape: &Shape,
    ) -> impl Iterator<Item = (&'f str, &'f Entry)> {
        let below = files.below(&image.directory).filter(|(path, _)| self.owner(path) == Some(&image.directory));
        let below = below.map(|(path, entry)| (without_directory(path, &image.directory), entry));
        below.filter(|(path, _)| shape.is_content(&image.directory, path))
    }
}

/// How many images are worth more than one thread: to start one takes as long as to read a few of them.
const WORTH_A_THREAD: usize = 16;
