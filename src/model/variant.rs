//! Which variants of an image a changed file is part of.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::image::Image;
use crate::parse::version::Variant;
use crate::parse::version_source::VersionSource;
use crate::path::in_directory;
use crate::shape::Shape;
use crate::snapshot::{Snapshot, StoreError};

/// An image with variants in two trees.
#[derive(Clone, Copy)]
pub struct Variants<'a> {
    /// What the repository looks like.
    pub shape: &'a Shape,
    /// The image before.
    pub before: &'a Image,
    /// The image now.
    pub now: &'a Image,
    /// The tree before; `None` where there was none.
    pub base: Option<&'a Snapshot<'a>>,
    /// The tree now.
    pub head: &'a Snapshot<'a>,
}

impl<'a> Variants<'a> {
    /// The variants that have one of these changed files: those of a directory of their own, or in whose part of the file of versions
    /// something else changed. All else is part of every variant.
    pub fn touched(&self, files: &BTreeSet<Arc<str>>) -> Result<Vec<&'a Variant>, StoreError> {
        let variants = self.now.stated_version().map_or(&[][..], |version| &version.variants);
        let mut touched: BTreeSet<&str> = BTreeSet::new();
        for path in files {
            match self.with(path)? {
                None => return Ok(variants.iter().collect()),
                Some(names) => {
                    touched.extend(variants.iter().map(|it| it.name.as_str()).filter(|name| names.contains(*name)));
                }
            }
        }
        Ok(variants.iter().filter(|variant| touched.contains(variant.name.as_str())).collect())
    }

    /// The names of the variants that have a changed file; `None` for all.
    pub fn with(&self, path: &Arc<str>) -> Result<Option<BTreeSet<String>>, StoreError> {
        if self.now.has_version_in(path) { self.differing(path) } else { Ok(self.owners_of(path)) }
    }

    /// The variants in whose part of the file something changed beside the version; `None` for all.
    fn differing(&self, path: &Arc<str>) -> Result<Option<BTreeSet<String>>, StoreError> {
        let source = self.shape.version_source_in(path).and_then(VersionSource::variants);
        let (Some(source), Some(base), Some(before)) = (source, self.base, &self.before.version_file) else {
            return Ok(None);
        };
        let (then, now) = (base.text(&before.path)?, self.head.text(path)?);
        let (Some(Ok(then)), Some(Ok(now))) = (then, now) else { return Ok(None) };
        Ok(source.differing(&then, &now))
    }

    /// The variants in whose own directory a path lies; `None` where it is part of all. A directory with a Dockerfile that no variant
    /// names is built for none, if others are named.
    fn owners_of(&self, path: &str) -> Option<BTreeSet<String>> {
        let image = self.now;
        let variants = &image.stated_version()?.variants;
        let below = path.strip_prefix(&*image.directory)?.strip_prefix('/')?;
        let (directory, _) = below.split_once('/')?;
        let mut owners = BTreeSet::new();
        let mut is_any_named = false;
        for named in variants.iter().flat_map(|it| it.directories.iter().map(move |named| (it, named))) {
            let (variant, named) = named;
            if named == directory {
                owners.insert(variant.name.clone());
            }
            is_any_named |= self.head.below(&in_directory(&image.directory, named)).next().is_some();
        }
        let built = in_directory(&in_directory(&image.directory, directory), "");
        let is_built = image.builds.iter().any(|build| build.path.starts_with(&built));
        (!owners.is_empty() || (is_any_named && is_built)).then_some(owners)
    }
}
