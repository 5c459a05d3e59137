//! The images on both sides of a change, as far as it touches them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::outcome::Effect;
use super::rounds::Rounds;
use crate::check::{AuthoredModels, Touched};
use crate::model::content::{self, ChangedContent};
use crate::model::{Directories, Model};
use crate::pack::{Pack, Rule};
use crate::shape::{ManifestOrder, Shape};
use crate::snapshot::{FileKind, Pair, Snapshot, StoreError};
use crate::waiver::Waivers;

/// When the manifest follows: as the tree says that the change is made to, or the judged one where there is no other.
pub fn manifest_order(shape: &Shape, pair: &Pair<'_>) -> Result<ManifestOrder, StoreError> {
    shape.manifest_order(pair.base.as_ref().unwrap_or(&pair.head))
}

/// The models of both sides.
pub(super) struct Models {
    pub(super) head: Arc<Model>,
    pub(super) compared: Option<Compared>,
    /// Whether only those images were read that the change touches.
    pub(super) are_touched_alone: bool,
}

/// The other side of a change, and what differs.
pub(super) struct Compared {
    pub(super) base: Arc<Model>,
    /// Whether something in base that could not be read is taken for what was not there.
    pub(super) forgets: bool,
    pub(super) tip: Option<Arc<Model>>,
    pub(super) content: ChangedContent,
    pub(super) authored: Option<AuthoredModels>,
}

impl Models {
    /// Reads the images of both sides, or those alone that the change touches. What earlier rounds have read is taken from there.
    pub(super) fn read(
        pack: &Pack,
        touched: &Touched<'_>,
        are_touched_alone: bool,
        rounds: &Rounds,
    ) -> Result<Self, StoreError> {
        let (shape, pair) = (&pack.shape, touched.pair);
        let known = rounds.head.as_deref();
        let Some(base_files) = &pair.base else {
            let head = Arc::new(Model::build(&pair.head, shape, known, None)?);
            return Ok(Self { head, compared: None, are_touched_alone: false });
        };
        if let Some(head) = &rounds.newer {
            return Self::of_known(pack, touched, base_files, head);
        }
        let directories = Directories::find(&pair.head, shape)?;
        let of_base = match &rounds.base {
            Some(base) if !are_touched_alone => base.directories.clone(),
            _ if touched.moves_images() => Directories::find(base_files, shape)?,
            _ => directories.clone(),
        };
        let mut only = are_touched_alone.then(|| owners(touched.changed, &directories));
        let mut last: Option<Model> = None;
        loop {
            let known = last.as_ref().or(known);
            let head = Model::build_of(directories.clone(), &pair.head, shape, known, only.as_ref())?;
            let base = match &rounds.base {
                Some(base) if !are_touched_alone => Arc::clone(base),
                _ => Arc::new(Model::build_of(of_base.clone(), base_files, shape, Some(&head), only.as_ref())?),
            };
            let (base, forgets) = (base.forgetting_unread(), base.has_read_manifest().is_err());
            let content = content::changed(pair, touched.changed, shape, &base, &head, None)?;
            // What is built from sources elsewhere is known only now.
            if let Some(only) = &mut only {
                let before = only.len();
                only.extend(content.keys().chain(content.undecided()).cloned());
                if only.len() > before {
                    last = Some(head);
                    continue;
                }
            }
            let tip = match (&pair.tip, &rounds.tip) {
                (None, _) => None,
                (Some(_), Some(tip)) if !are_touched_alone => Some(Arc::clone(tip)),
                (Some(tip), _) => Some(Arc::new(Model::build(tip, shape, Some(&base), only.as_ref())?)),
            };
            let authored = authored(pack, pair, &content, &head)?;
            let compared = Some(Compared { base, forgets, tip, content, authored });
            return Ok(Self { head: Arc::new(head), compared, are_touched_alone });
        }
    }

    /// The same where all images of head are known: those of base are the same but for what control files say, and nobody went on.
    fn of_known(
        pack: &Pack,
        touched: &Touched<'_>,
        base_files: &Snapshot<'_>,
        head: &Arc<Model>,
    ) -> Result<Self, StoreError> {
        let (shape, pair) = (&pack.shape, touched.pair);
        let mut base = Arc::clone(head);
        if touched.has_control_files {
            let directories =
                if touched.moves_images() { Directories::find(base_files, shape)? } else { head.directories.clone() };
            base = Arc::new(Model::build_of(directories, base_files, shape, Some(head), None)?);
        }
        let (base, forgets) = (base.forgetting_unread(), base.has_read_manifest().is_err());
        let content = content::changed(pair, touched.changed, shape, &base, head, None)?;
        let authored = authored(pack, pair, &content, head)?;
        let compared = Some(Compared { base, forgets, tip: None, content, authored });
        Ok(Self { head: Arc::clone(head), compared, are_touched_alone: false })
    }

    /// What the change does to images.
    pub(super) fn effect(&self) -> Effect {
        let mut effect = Effect::default();
        let Some(Compared { base, content, .. }) = &self.compared else { return effect };
        for directory in content.keys() {
            let image = self.head.images.get(directory).or_else(|| base.images.get(directory));
            effect.touched.extend(image.map(|image| Arc::clone(&image.name)));
        }
        for (directory, image) in &self.head.images {
            let before = base.images.get(directory);
            let is_same = before.is_some_and(|before| {
                Arc::ptr_eq(before, image) || before.version_identity() == image.version_identity()
            });
            if !is_same {
                effect.moved.push(Arc::clone(&image.name));
            }
        }
        for (directory, image) in &base.images {
            if !self.head.images.contains_key(directory) {
                effect.removed.push(Arc::clone(&image.name));
            }
        }
        effect
    }
}

/// What a change touches, as its paths tell. Where these are no control files, only those rules about the state of a tree can find
/// anything that they had not found before which read them.
pub fn touched<'a>(pack: &'a Pack, pair: &'a Pair<'a>, changed: &'a BTreeSet<Arc<str>>) -> Touched<'a> {
    let mut touched = Touched::new(pair, &pack.shape, changed);
    touched.has_control_files = pair.base.is_none()
        // What comes from outside may say something new of what stays as it is.
        || pack.inputs.registries.is_some()
        // Who is built on what has no version is found out by reading all.
        || !pack.shape.unversioned.is_empty()
        || pack.waivers.as_ref().is_some_and(Waivers::has_new)
        || touched.paths().any(|path| pack.is_control_file(path) || pair.origin.listed.contains(&**path))
        || changed.iter().any(|path| hides(&pair.head, path));
    touched
}

/// What the author made of the images that a merge touches, where a rule tells of versions that were taken meanwhile. Where none
/// does, the merge is judged as what it is: its content changed, and its version did not.
fn authored(
    pack: &Pack,
    pair: &Pair<'_>,
    content: &ChangedContent,
    head: &Model,
) -> Result<Option<AuthoredModels>, StoreError> {
    let Some(trees) = &pair.origin.authored else { return Ok(None) };
    let touched: BTreeSet<_> = content.keys().cloned().collect();
    if touched.is_empty() || !pack.rules.iter().any(Rule::is_about_taken_versions) {
        return Ok(None);
    }
    let author = Model::build(&trees.author, &pack.shape, Some(head), Some(&touched))?;
    let fork = Model::build(&trees.fork, &pack.shape, Some(&author), Some(&touched))?;
    Ok(Some(AuthoredModels { fork, author }))
}

/// The images that own these paths, and those above them.
fn owners(paths: &BTreeSet<Arc<str>>, directories: &Directories) -> BTreeSet<Arc<str>> {
    paths.iter().flat_map(|path| directories.owners(path).cloned()).collect()
}

/// Whether a path may stand in the place of a directory with images.
fn hides(files: &Snapshot<'_>, path: &str) -> bool {
    files.entry(path).is_some_and(|entry| matches!(entry.kind, FileKind::Symlink | FileKind::Submodule))
}
