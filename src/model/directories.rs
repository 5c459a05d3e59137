//! Which directories of a tree are images, found before any of them is read.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use crate::parse::version_source::{Anchor, VersionSource};
use crate::path::{directories_above, directory_of, file_name, without_directory};
use crate::shape::Shape;
use crate::snapshot::{Content, FileKind, Snapshot, StoreError};

/// The directories of all images of a tree. Trees that hold the same ones share them.
#[derive(Debug, Clone, Default)]
pub struct Directories {
    images: Arc<BTreeSet<Arc<str>>>,
    /// The paths of the tree that end like a control file, in order.
    control: Arc<Vec<Arc<str>>>,
}

impl Deref for Directories {
    type Target = BTreeSet<Arc<str>>;

    fn deref(&self) -> &BTreeSet<Arc<str>> {
        &self.images
    }
}

impl Directories {
    /// Finds the images of a tree. Nothing is read for it but version files whose name alone does not make an image.
    pub fn find(snapshot: &Snapshot<'_>, shape: &Shape) -> Result<Self, StoreError> {
        let paths = snapshot.entries().keys();
        let control: Vec<Arc<str>> =
            paths.filter(|path| shape.may_end_control_file(file_name(path))).map(Arc::clone).collect();
        let mut directories = Vec::new();
        for path in &control {
            if let Some((directory, source)) = shape.version_source_at(path)
                && shape.name_of(directory).is_some()
                && (source.is_told_by_name() || makes_image(path, source, snapshot, shape)?)
            {
                directories.push(Arc::from(directory));
            }
        }
        let images = Arc::new(BTreeSet::from_iter(directories));
        let mut directories = Self { images, control: Arc::new(control) };
        if shape.has_images_by_dockerfile() {
            directories.add_by_dockerfile(snapshot, shape)?;
        }
        directories.images = Arc::new(without_vendored(&directories, &shape.vendored));
        if !shape.is_nested {
            directories.images = Arc::new(outermost(&directories));
        }
        Ok(directories)
    }

    /// Adds the directories that are built and have a version elsewhere, or need none. A directory that holds such a version and is
    /// not built itself is that of a group, and no image.
    fn add_by_dockerfile(&mut self, snapshot: &Snapshot<'_>, shape: &Shape) -> Result<(), StoreError> {
        let mut images: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut groups: BTreeSet<Arc<str>> = BTreeSet::new();
        for path in &*self.control {
            let built: Vec<&str> = shape.built_directories(path).collect();
            if built.iter().any(|directory| self.images.contains(*directory)) {
                continue;
            }
            for directory in built {
                let file = match version_file(directory, snapshot, shape)? {
                    Found::File(file) => file,
                    Found::Unversioned => {
                        images.insert(Arc::from(directory));
                        break;
                    }
                    Found::Nothing => continue,
                };
                if let Some(holder) = self.images.get(directory_of(&file.path)) {
                    let mut inner = snapshot.below(holder).map(|(path, _)| without_directory(path, holder));
                    // The version of an image is not that of what lies in it.
                    if inner.any(|below| shape.is_dockerfile(below)) {
                        continue;
                    }
                    groups.insert(Arc::clone(holder));
                }
                images.insert(Arc::from(directory));
                break;
            }
        }
        let all = Arc::make_mut(&mut self.images);
        all.retain(|directory| !groups.contains(directory));
        all.extend(images);
        Ok(())
    }

    /// The paths of the tree that are control files if a directory above them is an image, and some that end like these.
    pub fn control_paths(&self) -> &[Arc<str>] {
        &self.control
    }

    /// The directory of the image that owns a path: the nearest one above it.
    pub fn owner(&self, path: &str) -> Option<&Arc<str>> {
        self.owners(path).next()
    }

    /// The directories of all images above a path, the nearest first.
    pub fn owners(&self, path: &str) -> impl Iterator<Item = &Arc<str>> {
        // The root is above all, and an image where the pack says so.
        directories_above(path).chain([""]).filter_map(|directory| self.images.get(directory))
    }
}

/// All but what an image brings along from elsewhere: a version that lies there is that of somebody else, and the files are the image's.
fn without_vendored(directories: &BTreeSet<Arc<str>>, vendored: &[String]) -> BTreeSet<Arc<str>> {
    let mut own = BTreeSet::new();
    for directory in directories {
        let mut above = directories_above(directory).filter(|above| directories.contains(*above));
        if !above.any(|above| leads_through(without_directory(directory, above), vendored)) {
            own.insert(Arc::clone(directory));
        }
    }
    own
}

/// Whether a part of a path has one of these names.
fn leads_through(path: &str, names: &[String]) -> bool {
    path.split('/').any(|part| names.iter().any(|name| name == part))
}

/// The directories that lie below no other one. What lies below the root only does not count as nested.
fn outermost(directories: &BTreeSet<Arc<str>>) -> BTreeSet<Arc<str>> {
    let mut outermost = BTreeSet::new();
    for directory in directories {
        if !directories_above(directory).any(|above| directories.contains(above)) {
            outermost.insert(Arc::clone(directory));
        }
    }
    outermost
}

/// Where the version of an image stands.
pub(super) enum Found<'s> {
    /// In this file.
    File(VersionFile<'s>),
    /// Nowhere, and the pack says that it needs none.
    Unversioned,
    /// Nowhere.
    Nothing,
}

/// The file that holds the version of an image.
pub(super) struct VersionFile<'s> {
    /// Its path.
    pub(super) path: String,
    /// How it is written there.
    pub(super) source: &'s VersionSource,
}

/// Where the version of the image in a directory stands: of several places the first whose file is there and makes an image.
pub(super) fn version_file<'s>(
    directory: &str,
    snapshot: &Snapshot<'_>,
    shape: &'s Shape,
) -> Result<Found<'s>, StoreError> {
    let name = shape.name_of(directory).unwrap_or(directory);
    let is_unversioned = shape.unversioned.is_match(name);
    for source in shape.versions.iter().filter(|source| source.is_of(name)) {
        // Who needs no version has one only where it lies in its directory.
        if is_unversioned && source.anchor != Anchor::Image {
            continue;
        }
        let Some(path) = source.path_of(directory).filter(|path| snapshot.entry(path).is_some()) else { continue };
        if source.is_told_by_name() || makes_image(&path, source, snapshot, shape)? {
            return Ok(Found::File(VersionFile { path, source }));
        }
    }
    Ok(if is_unversioned { Found::Unversioned } else { Found::Nothing })
}

/// A file that may make its directory an image, by what stands in it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Telling {
    shape: usize,
    /// The place of its source among those of the shape.
    source: usize,
    content: Content,
}

impl Telling {
    /// `None` of a link, which leads to another file.
    fn of(path: &str, source: &VersionSource, snapshot: &Snapshot<'_>, shape: &Shape) -> Option<Self> {
        let entry = snapshot.entry(path)?;
        let source = shape.versions.iter().position(|known| std::ptr::eq(known, source))?;
        let is_plain = matches!(entry.kind, FileKind::File | FileKind::Executable);
        is_plain.then(|| Self { shape: shape.id, source, content: entry.content.clone() })
    }
}

/// Under which it is kept whether it does: several ask, and of most trees of a history.
const NAME: &str = "makes an image";

/// Whether a file makes its directory an image. One that cannot be read may.
fn makes_image(path: &str, source: &VersionSource, snapshot: &Snapshot<'_>, shape: &Shape) -> Result<bool, StoreError> {
    let telling = Telling::of(path, source, snapshot, shape);
    if let Some(telling) = &telling
        && let Some(known) = snapshot.derived().of::<Telling, bool>(NAME, telling)
    {
        return Ok(*known);
    }
    let makes_one = match snapshot.text(path)? {
        Some(Ok(text)) => source.makes_image(&text),
        Some(Err(_)) => true,
        None => false,
    };
    if let Some(telling) = &telling {
        snapshot.derived().keep_of(NAME, telling, &Arc::new(makes_one), 0);
    }
    Ok(makes_one)
}
