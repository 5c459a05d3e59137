//! The versions of an image that the manifest names for tests to use.

use std::collections::BTreeSet;

use crate::model::{Image, ManifestEntry, Model};

/// The entries of a tree's manifest about an image, but for those that stay behind on purpose.
pub(super) fn used_entries<'m>(model: &'m Model, image: &Image) -> impl Iterator<Item = &'m ManifestEntry> {
    let names = [image.published(), &*image.name];
    let manifest = model.manifest.as_ref();
    let entries = manifest.map(|manifest| manifest.that_may_mean(&names)).unwrap_or_default().into_iter();
    let entries = entries.filter(|entry| !entry.is_pinned);
    entries.filter(|entry| model.images_of_entry(entry).iter().any(|other| other.directory == image.directory))
}

/// The versions that these entries name.
pub(super) fn used_versions<'m>(model: &'m Model, image: &Image) -> BTreeSet<&'m str> {
    used_entries(model, image).map(|entry| &*entry.version).collect()
}
