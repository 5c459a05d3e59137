//! Which directories of a tree are images, found before any of them is read.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use crate::parse::version_source::VersionSource;
use crate::shape::Shape;
use crate::snapshot::{Snapshot, StoreError};
use crate::text::{directories_above, in_directory};

/// The directories of all images of a tree.
#[derive(Debug, Clone, Default)]
pub struct Directories(BTreeSet<Arc<str>>);

impl Deref for Directories {
    type Target = BTreeSet<Arc<str>>;

    fn deref(&self) -> &BTreeSet<Arc<str>> {
        &self.0
    }
}

impl Directories {
    /// Finds the images of a tree. Nothing is read for it but version files whose name alone does not make an image.
    pub fn find(snapshot: &Snapshot<'_>, shape: &Shape) -> Result<Self, StoreError> {
        let mut directories = BTreeSet::new();
        for path in snapshot.entries().keys() {
            if let Some((directory, source)) = shape.version_source_at(path)
                && shape.name_of(directory).is_some()
                && (source.is_told_by_name() || makes_image(path, source, snapshot)?)
            {
                directories.insert(Arc::from(directory));
            }
        }
        Ok(Self(if shape.is_nested { directories } else { outermost(&directories) }))
    }

    /// The directory of the image that owns a path: the nearest one above it.
    pub fn owner(&self, path: &str) -> Option<&Arc<str>> {
        self.owners(path).next()
    }

    /// The directories of all images above a path, the nearest first.
    pub fn owners(&self, path: &str) -> impl Iterator<Item = &Arc<str>> {
        // The root is above all, and an image where the pack says so.
        directories_above(path).chain([""]).filter_map(|directory| self.0.get(directory))
    }
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

/// Where the version of the image in a directory stands: of several places the first whose file is there and makes an image.
pub(super) fn version_source<'s>(
    directory: &str,
    snapshot: &Snapshot<'_>,
    shape: &'s Shape,
) -> Result<&'s VersionSource, StoreError> {
    let mut first = None;
    for source in &shape.versions {
        let path = in_directory(directory, &source.file);
        if snapshot.entry(&path).is_none() {
            continue;
        }
        if source.is_told_by_name() || makes_image(&path, source, snapshot)? {
            return Ok(source);
        }
        first = first.or(Some(source));
    }
    Ok(first.unwrap_or(&shape.versions[0]))
}

/// Whether a file makes its directory an image. One that cannot be read may.
fn makes_image(path: &str, source: &VersionSource, snapshot: &Snapshot<'_>) -> Result<bool, StoreError> {
    Ok(match snapshot.text(path)? {
        Some(Ok(text)) => source.makes_image(&text),
        Some(Err(_)) => true,
        None => false,
    })
}
