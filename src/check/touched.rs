//! What a change touches, as kinds are asked whether it concerns them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::parse::version_source::VersionSource;
use crate::shape::Shape;
use crate::snapshot::{Pair, Snapshot};

/// What a change touches. Where a kind reads none of it, all that it finds in the tree it had found before.
pub struct Touched<'a> {
    /// Both sides of the change.
    pub pair: &'a Pair<'a>,
    /// The shape of the repository.
    pub shape: &'a Shape,
    /// Whether it may touch a file that says what the images are: each of them may be another one then.
    pub has_control_files: bool,
    /// The paths that differ.
    pub changed: &'a BTreeSet<Arc<str>>,
    /// The links, as what one leads to may differ although the link does not.
    links: Vec<&'a Arc<str>>,
}

impl<'a> Touched<'a> {
    /// What a change of these paths touches, without a word on control files.
    pub fn new(pair: &'a Pair<'a>, shape: &'a Shape, changed: &'a BTreeSet<Arc<str>>) -> Self {
        let mut links: Vec<&Arc<str>> = pair.head.links().collect();
        links.extend(pair.base.iter().flat_map(Snapshot::links).filter(|link| !pair.head.is_link(link)));
        Self { pair, shape, has_control_files: false, changed, links }
    }

    /// The paths that may say something else than before the change.
    pub fn paths(&self) -> impl Iterator<Item = &'a Arc<str>> {
        self.changed.iter().chain(self.links.iter().copied())
    }

    /// Both sides, the one that is judged first.
    pub fn sides(&self) -> impl Iterator<Item = &'a Snapshot<'a>> {
        [Some(&self.pair.head), self.pair.base.as_ref()].into_iter().flatten()
    }

    /// Whether it may make other directories images.
    pub fn moves_images(&self) -> bool {
        // What makes a directory an image stands in files of some packs.
        let are_told_by_name = self.shape.versions.iter().all(VersionSource::is_told_by_name);
        self.moves_paths() || (self.has_control_files && !are_told_by_name)
    }

    /// Whether a path came or went.
    pub fn moves_paths(&self) -> bool {
        let Some(base) = &self.pair.base else { return true };
        self.changed.iter().any(|path| base.entry(path).is_some() != self.pair.head.entry(path).is_some())
    }
}
