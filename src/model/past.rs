//! How the images of a tree came to their versions, and what became of them since.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::content;
use super::image::Image;
use super::tree::Model;
use super::variant::Variants;
use crate::history::{Commit, Difference, History, MAX_NEWEST, Past, Settled, Step, Versioned};
use crate::path::{file_name, without_directory};
use crate::shape::Shape;
use crate::snapshot::{Entries, FileKind, Origin, Pair, Read, Snapshot, StoreError};

/// Looks back along `steps`, from the tree `head` on, until all images have been seen to get their version: all of `model`, or
/// `only` those in these directories. `now` is the time at which that is asked, in seconds since 1970.
pub fn look_back<E: From<StoreError>>(
    head: &Snapshot<'_>,
    model: &Model,
    shape: &Shape,
    only: Option<&BTreeSet<Arc<str>>>,
    steps: impl Iterator<Item = Result<Step, E>>,
    now: i64,
) -> Result<History, E> {
    let mut search = Search::new(head, model, shape, only)?;
    for step in steps {
        if search.open.is_empty() {
            break;
        }
        match step? {
            Step::Cut => return Ok(search.end(now, true)),
            Step::Made { commit, before } => search.step_back(commit, &before)?,
        }
    }
    Ok(search.end(now, false))
}

/// The version of an image, or those of its variants with their names, as far as they can be read.
fn versions(image: &Image) -> Vec<(Option<String>, &str)> {
    let mut versions: Vec<(Option<String>, &str)> =
        image.version().map(|version| (None, version)).into_iter().collect();
    for variant in image.variants() {
        versions.extend(variant.version.usable().map(|version| (Some(variant.name.clone()), version)));
    }
    versions
}

/// A walk back in time.
struct Search<'a, 'r> {
    model: &'a Model,
    shape: &'a Shape,
    /// The images whose version was not yet seen to become what it is.
    open: BTreeMap<Versioned, Open<'a>>,
    settled: BTreeMap<Versioned, Past>,
    /// The files as they were where the walk has come to.
    entries: Entries,
    /// What is compared: the files as they are, and as they were.
    pair: Pair<'r>,
    /// What was passed, the newest first.
    passed: Vec<Passed>,
}

/// An image whose version was not yet seen to become what it is.
struct Open<'a> {
    version: &'a str,
    version_file: &'a Arc<str>,
    /// The files over which the version file leads elsewhere; none where it is no link.
    links: BTreeSet<Arc<str>>,
}

/// A step that was passed.
struct Passed {
    commit: Option<Commit>,
    paths: BTreeSet<Arc<str>>,
}

impl Open<'_> {
    /// Whether a change of these paths may have given the image its version.
    fn may_follow(&self, paths: &BTreeSet<Arc<str>>) -> bool {
        let is_version_file = |path: &Arc<str>| file_name(path) == file_name(self.version_file);
        paths.contains(self.version_file)
            || (!self.links.is_empty() && paths.iter().any(|path| self.links.contains(path) || is_version_file(path)))
    }
}

impl<'a, 'r> Search<'a, 'r> {
    fn new(
        head: &Snapshot<'r>,
        model: &'a Model,
        shape: &'a Shape,
        only: Option<&BTreeSet<Arc<str>>>,
    ) -> Result<Self, StoreError> {
        let mut open = BTreeMap::new();
        for (directory, image) in &model.images {
            let Some(file) = &image.version_file else { continue };
            if only.is_some_and(|only| !only.contains(directory)) {
                continue;
            }
            let mut links = BTreeSet::new();
            let is_link = head.entry(&file.path).is_some_and(|entry| entry.kind == FileKind::Symlink);
            if is_link && let Some(Ok(way)) = head.follow(&file.path)? {
                links.extend(way.into_iter().map(|(path, _)| Arc::clone(path)));
            }
            for (variant, version) in versions(image) {
                let versioned = Versioned { directory: Arc::clone(directory), variant };
                open.insert(versioned, Open { version, version_file: &file.path, links: links.clone() });
            }
        }
        Ok(Self {
            model,
            shape,
            open,
            settled: BTreeMap::new(),
            entries: head.entries().clone(),
            pair: Pair { base: None, tip: None, head: head.clone(), origin: Origin::default() },
            passed: Vec::new(),
        })
    }

    /// Goes back over one step.
    fn step_back(&mut self, commit: Option<Commit>, before: &[Difference]) -> Result<(), StoreError> {
        let paths: BTreeSet<Arc<str>> = before.iter().map(|difference| Arc::clone(&difference.path)).collect();
        let may_follow = self.open.values().any(|open| open.may_follow(&paths));
        let after = may_follow.then(|| self.pair.head.with_entries(self.entries.clone()));
        for difference in before {
            difference.apply_to(&mut self.entries);
        }
        if let Some(after) = after {
            let before = self.pair.head.with_entries(self.entries.clone());
            let mut settled = BTreeSet::new();
            for (versioned, open) in self.open.iter().filter(|(_, open)| open.may_follow(&paths)) {
                if self.version_in(&before, open.version_file, versioned)?.as_deref() != Some(open.version) {
                    settled.insert(versioned.clone());
                }
            }
            self.settle(&settled, after, commit.as_ref())?;
        }
        self.passed.push(Passed { commit, paths });
        Ok(())
    }

    /// Notes what became of images and variants since this commit made the tree `then`, in which they have the version that they have
    /// now.
    fn settle(
        &mut self,
        all: &BTreeSet<Versioned>,
        then: Snapshot<'r>,
        commit: Option<&Commit>,
    ) -> Result<(), StoreError> {
        if all.is_empty() {
            return Ok(());
        }
        let directories: BTreeSet<Arc<str>> = all.iter().map(|it| Arc::clone(&it.directory)).collect();
        let base = Model::build(&then, self.shape, Some(self.model), Some(&directories))?;
        self.pair.base = Some(then);
        let paths = self.pair.changed();
        let content = content::changed(&self.pair, &paths, self.shape, &base, self.model, Some(&directories))?;
        for versioned in all {
            let directory = &versioned.directory;
            let Some(open) = self.open.remove(versioned) else { continue };
            let changed = self.changed_of(versioned, &base, content.get(directory))?;
            let mut settled = Settled {
                version: open.version.to_owned(),
                commit: commit.cloned(),
                changed: Vec::new(),
                is_undecided: content.undecided().any(|undecided| undecided == directory),
                since: 0,
                newest: Vec::new(),
                has_uncommitted: false,
            };
            if !changed.is_empty() {
                self.count(versioned, &changed, &mut settled);
            }
            settled.changed.extend(changed);
            self.settled.insert(versioned.clone(), Past::Settled(settled));
        }
        Ok(())
    }

    /// Those of the changed files of an image that are part of it, or of its variant.
    fn changed_of(
        &self,
        versioned: &Versioned,
        base: &Model,
        changed: Option<&BTreeSet<Arc<str>>>,
    ) -> Result<BTreeSet<Arc<str>>, StoreError> {
        let Some(changed) = changed else { return Ok(BTreeSet::new()) };
        let directory = &versioned.directory;
        let images = base.images.get(directory).zip(self.model.images.get(directory));
        let (Some(variant), Some((before, now))) = (&versioned.variant, images) else { return Ok(changed.clone()) };
        let (base, head) = (self.pair.base.as_ref(), &self.pair.head);
        let variants = Variants { shape: self.shape, before, now, base, head };
        let mut own = BTreeSet::new();
        for path in changed {
            if variants.with(path)?.is_none_or(|names| names.contains(variant)) {
                own.insert(Arc::clone(path));
            }
        }
        Ok(own)
    }

    /// Counts the steps that were passed and touched an image whose content came to differ in these files.
    fn count(&self, versioned: &Versioned, changed: &BTreeSet<Arc<str>>, settled: &mut Settled) {
        for Passed { commit, paths } in &self.passed {
            let Some(path) = paths.iter().find(|path| changed.contains(*path) || self.is_own(versioned, path)) else {
                continue;
            };
            match commit {
                None => settled.has_uncommitted = true,
                Some(commit) => {
                    settled.since += 1;
                    if settled.newest.len() < MAX_NEWEST {
                        settled.newest.push((commit.clone(), Arc::clone(path)));
                    }
                }
            }
        }
    }

    /// Whether a path is content of an image because it lies in its directory; of a variant that is not known.
    fn is_own(&self, Versioned { directory, variant }: &Versioned, path: &str) -> bool {
        variant.is_none() && self.model.owner(path) == Some(directory) && {
            let below = without_directory(path, directory);
            !self.shape.is_version_file(below) && self.shape.is_content(directory, below)
        }
    }

    /// The version that a file of a tree holds, of an image or of a variant.
    fn version_in(
        &self,
        files: &Snapshot<'_>,
        path: &str,
        versioned: &Versioned,
    ) -> Result<Option<String>, StoreError> {
        let read: Option<Read> = files.text(path)?;
        let (Some(Ok(text)), Some(source)) = (read, self.shape.version_source_in(path)) else {
            return Ok(None);
        };
        let version = source.locate(&text);
        let version = match &versioned.variant {
            None => version.usable(),
            Some(name) => {
                let variant = version.variants.iter().find(|variant| variant.name == *name);
                variant.and_then(|variant| variant.version.usable())
            }
        };
        Ok(version.map(str::to_owned))
    }

    fn end(self, now: i64, is_cut: bool) -> History {
        let mut versions = self.settled;
        if is_cut {
            versions.extend(self.open.into_keys().map(|versioned| (versioned, Past::Cut)));
        }
        History { versions, now }
    }
}
