//! What an image is made of: its own files, and the sources elsewhere that its binaries are built from.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::build::{Build, declares};
use super::build_context::{BuildContexts, Unknown};
use super::conversions::Conversions;
use super::image::Image;
use super::packages::{ChangedSources, Packages};
use super::threads::each;
use super::tree::Model;
use crate::parse::comments::differ_in_comments_alone;
use crate::parse::gitattributes;
use crate::parse::yaml::say_the_same_but_for;
use crate::path::{directory_of, file_name, is_below, without_directory};
use crate::shape::{ArgumentFile, Comments, Shape};
use crate::snapshot::{Entry, FileKind, Pair, Snapshot, StoreError};

/// What a change touches of the images, by their directories.
#[derive(Debug, Clone, Default)]
pub struct ChangedContent {
    /// The changed paths that belong to the content of each image; of images without such paths, nothing.
    paths: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// Of images that other sources may belong to: what would have to be read to tell.
    unread: BTreeMap<Arc<str>, Vec<StoreError>>,
    /// The same: what is written so that nobody but the build can tell.
    unknown: BTreeMap<Arc<str>, Vec<Unknown>>,
}

impl ChangedContent {
    /// The images whose content changed, each with the changed paths.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &BTreeSet<Arc<str>>)> {
        self.paths.iter()
    }

    /// The directories of the images whose content changed.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.paths.keys()
    }

    /// The directories of the images of which it cannot be told whether their content changed.
    pub fn undecided(&self) -> impl Iterator<Item = &Arc<str>> {
        let undecided = self.unread.keys().chain(self.unknown.keys());
        undecided.filter(|directory| !self.paths.contains_key(*directory))
    }

    /// The changed paths of an image's content.
    pub fn get(&self, directory: &str) -> Option<&BTreeSet<Arc<str>>> {
        self.paths.get(directory)
    }

    /// Whether the content of an image changed, or an error where that cannot be told because something cannot be read.
    pub fn has(&self, directory: &str) -> Result<bool, StoreError> {
        match (self.paths.contains_key(directory), self.unread(directory)) {
            (false, [error, ..]) => Err(error.clone()),
            (is_changed, _) => Ok(is_changed),
        }
    }

    /// What could not be read of an image, although something may have changed that it leads to.
    pub fn unread(&self, directory: &str) -> &[StoreError] {
        self.unread.get(directory).map_or(&[], Vec::as_slice)
    }

    /// The places that say what an image is built from in a way that cannot be resolved, although something may have changed that they
    /// lead to.
    pub fn unknown(&self, directory: &str) -> &[Unknown] {
        self.unknown.get(directory).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, directory: &Arc<str>, paths: impl IntoIterator<Item = Arc<str>>) {
        self.paths.entry(Arc::clone(directory)).or_default().extend(paths);
    }
}

/// Finds which images a change touches, and where: of all images, or `only` of those in these directories. Of these, the images that
/// own changed paths must have been read, and those above them.
pub fn changed(
    pair: &Pair<'_>,
    paths: &BTreeSet<Arc<str>>,
    shape: &Shape,
    base: &Model,
    head: &Model,
    only: Option<&BTreeSet<Arc<str>>>,
) -> Result<ChangedContent, StoreError> {
    if shape.comments == Comments::Content {
        return ContentSearch { pair, paths, shape, base, head, only }.run();
    }
    let mut others = paths.clone();
    others.retain(|path| !differs_in_comments_alone(path, pair));
    ContentSearch { pair, paths: &others, shape, base, head, only }.run()
}

/// Whether a change touches nothing but comments of a file. One that cannot be read may have changed in any way.
fn differs_in_comments_alone(path: &str, pair: &Pair<'_>) -> bool {
    let Some(base) = &pair.base else { return false };
    let (Some(before), Some(after)) = (base.entry(path), pair.head.entry(path)) else { return false };
    if before.kind != after.kind || !matches!(after.kind, FileKind::File | FileKind::Executable) {
        return false;
    }
    match (base.text(path), pair.head.text(path)) {
        (Ok(Some(Ok(before))), Ok(Some(Ok(after)))) => differ_in_comments_alone(path, &before, &after),
        _ => false,
    }
}

/// A search for what a change touches.
struct ContentSearch<'a> {
    pair: &'a Pair<'a>,
    paths: &'a BTreeSet<Arc<str>>,
    shape: &'a Shape,
    base: &'a Model,
    head: &'a Model,
    /// The directories of the images that are asked about, if it is not all of them.
    only: Option<&'a BTreeSet<Arc<str>>>,
}

/// One side of a change.
#[derive(Clone, Copy)]
struct Side<'a> {
    model: &'a Model,
    files: &'a Snapshot<'a>,
}

impl ContentSearch<'_> {
    fn run(&self) -> Result<ChangedContent, StoreError> {
        let mut content = ChangedContent::default();
        self.add_shared_files(&mut content);
        self.add_argument_files(&mut content)?;
        self.add_owned(&mut content)?;
        self.add_linked(&mut content)?;
        self.add_ignore_files(&mut content)?;
        self.add_gitattributes(&mut content)?;
        self.add_sources(&mut content)?;
        self.add_unversioned(&mut content);
        Ok(content)
    }

    fn sides(&self) -> [Side<'_>; 2] {
        let base = self.pair.base.as_ref().unwrap_or(&self.pair.head);
        [Side { model: self.head, files: &self.pair.head }, Side { model: self.base, files: base }]
    }

    /// Whether an image is asked about.
    fn asks_for(&self, directory: &str) -> bool {
        self.only.is_none_or(|only| only.contains(directory))
    }

    /// The changed files that images share.
    fn add_shared_files(&self, content: &mut ChangedContent) {
        for shared in &self.shape.shared {
            let paths: Vec<&Arc<str>> = self.paths.iter().filter(|path| shared.has(path, &self.shape.ignore)).collect();
            for directory in self.head.directories.iter().filter(|_| !paths.is_empty()) {
                if self.asks_for(directory) && self.shape.name_of(directory).is_some_and(|name| shared.is_of(name)) {
                    content.add(directory, paths.iter().map(|path| Arc::clone(path)));
                }
            }
        }
    }

    /// The changed files that hold what the build gives to arguments: they are part of the images that ask for these.
    fn add_argument_files(&self, content: &mut ChangedContent) -> Result<(), StoreError> {
        for (name, file) in self.shape.argument_files() {
            if !self.paths.iter().any(|path| file.is(path)) {
                continue;
            }
            for side in self.sides() {
                for (directory, image) in &side.model.images {
                    let Some(path) = self.paths.get(file.of(directory).as_str()) else { continue };
                    // A Makefile, or build.yaml, holds more than the value.
                    let is_other = self.is_description(path, without_directory(path, directory))?
                        || (!file.is_whole_file() && !self.differs_in_argument(directory, name, file));
                    if is_other {
                        continue;
                    }
                    let mut texts = image.builds.iter().filter_map(Build::text);
                    if texts.any(|text| declares(text, name)) {
                        content.add(directory, [Arc::clone(path)]);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether an image was built with another value of an argument before, or may have been. What a Makefile
    /// leaves to make counts as unchanged.
    fn differs_in_argument(&self, directory: &str, name: &str, file: &ArgumentFile) -> bool {
        let mut images = self.sides().into_iter().filter_map(|side| side.model.images.get(directory));
        if !file.is_variable() && images.any(|image| !image.tells(name)) {
            return true;
        }
        let [now, before] = self.sides().map(|side| {
            let arguments = side.model.images.get(directory).into_iter().flat_map(|image| &image.arguments);
            let named = arguments.filter(|argument| argument.name == name);
            named.map(|argument| argument.value.as_str().to_owned()).collect::<Vec<_>>()
        });
        now != before
    }

    /// The changed files of the images themselves: on each side, a path belongs to the image that owns it there, and to every image
    /// above that whose Dockerfiles take it by its name. What the context leaves out is in no image, unless it says what that is.
    fn add_owned(&self, content: &mut ChangedContent) -> Result<(), StoreError> {
        let Self { shape, .. } = *self;
        let mut cache = ContextCache { search: self, is_plain: self.is_plain(), read: HashMap::new() };
        for path in self.paths {
            for (tree, side) in self.sides().iter().enumerate() {
                if side.files.entry(path).is_none() {
                    continue;
                }
                let mut is_owner = true;
                for directory in side.model.owners(path) {
                    let below = without_directory(path, directory);
                    let is_plain = is_owner && shape.is_content(directory, below);
                    is_owner = false;
                    if !self.asks_for(directory) || self.is_version(path, below)? {
                        continue;
                    }
                    let is_plain = is_plain && !self.is_description(path, below)?;
                    if is_plain && shape.is_beside_context(below) {
                        content.add(directory, [Arc::clone(path)]);
                        continue;
                    }
                    let contexts = cache.of(directory)?;
                    if contexts.take(below) || (is_plain && !contexts.leave_out(tree, below)) {
                        content.add(directory, [Arc::clone(path)]);
                    } else if let Some(unknown) = contexts.may_take(below) {
                        let of_image = content.unknown.entry(Arc::clone(directory)).or_default();
                        let is_said = |known: &Unknown| known.location.span == unknown.location.span;
                        if !of_image.iter().any(is_said) {
                            of_image.push(unknown.clone());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the change touches neither what contexts leave out nor any link: then an image that is the same on both sides takes the
    /// same from its contexts.
    fn is_plain(&self) -> bool {
        let sides = self.sides();
        for path in self.paths {
            if self.shape.is_ignore_file(path) || sides.iter().any(|side| side.files.is_link(path)) {
                return false;
            }
        }
        !sides.iter().any(|side| side.files.links().any(|link| self.shape.is_ignore_file(link)))
    }

    /// Whether nothing of a file changed but the version that it holds, which is no content. `below` is the path below the image.
    fn is_version(&self, path: &str, below: &str) -> Result<bool, StoreError> {
        let Some(source) = self.shape.version_source(below) else { return Ok(false) };
        if source.is_whole_file() {
            return Ok(true);
        }
        let base = self.pair.base.as_ref().unwrap_or(&self.pair.head);
        let (Some(Ok(before)), Some(Ok(after))) = (base.text(path)?, self.pair.head.text(path)?) else {
            return Ok(false);
        };
        Ok(source.is_all_that_differs(&before, &after))
    }

    /// Whether nothing of a file changed but keys that the pack takes for a description of the image.
    fn is_description(&self, path: &str, below: &str) -> Result<bool, StoreError> {
        let Some(keys) = self.shape.ignored_keys.of(below) else { return Ok(false) };
        let head = &self.pair.head;
        let Some(base) = &self.pair.base else { return Ok(false) };
        if base.entry(path).map(|entry| entry.kind) != head.entry(path).map(|entry| entry.kind) {
            return Ok(false);
        }
        let (Some(Ok(before)), Some(Ok(after))) = (base.text(path)?, head.text(path)?) else { return Ok(false) };
        Ok(say_the_same_but_for(keys, &before, &after))
    }

    /// What the build reads through a link is a part of the image that the link lies in.
    fn add_linked(&self, content: &mut ChangedContent) -> Result<(), StoreError> {
        let Self { pair, paths, shape, head, .. } = *self;
        for link in pair.head.links() {
            if let Some(directory) = head.owner(link)
                && self.asks_for(directory)
                && let below = without_directory(link, directory)
                && shape.is_control_file(below)
                && !shape.is_version_file(below)
                && let Some(Ok(way)) = pair.head.follow(link)?
            {
                let changed: Vec<Arc<str>> = way
                    .into_iter()
                    .skip(1)
                    .map(|(path, _)| Arc::clone(path))
                    .filter(|path| paths.contains(path))
                    .collect();
                if !changed.is_empty() {
                    content.add(directory, changed);
                }
            }
        }
        Ok(())
    }

    /// A file that says what is left out is content where it brings files in, or takes them away.
    fn add_ignore_files(&self, content: &mut ChangedContent) -> Result<(), StoreError> {
        for path in self.paths.iter().filter(|path| self.shape.is_ignore_file(path)) {
            let sides = self.sides();
            let owner = sides.iter().find_map(|side| side.model.owner(path));
            let Some(directory) = owner.filter(|owner| self.asks_for(owner)) else { continue };
            let mut contexts = [BuildContexts::default(), BuildContexts::default()];
            for (contexts, side) in contexts.iter_mut().zip(sides) {
                if let Some(image) = side.model.images.get(directory) {
                    contexts.add(image, side.files, self.shape)?;
                }
            }
            for (other, _) in self.pair.head.below(directory) {
                // What comes with the change counts for itself.
                if sides[1].files.entry(other).is_none() {
                    continue;
                }
                let below = without_directory(other, directory);
                let [now, before] = contexts.each_ref().map(|contexts| {
                    contexts.take(below) || (self.shape.is_content(directory, below) && !contexts.leave_out(0, below))
                });
                if now != before && !self.shape.is_version_file(below) && self.head.owner(other) == Some(directory) {
                    content.add(directory, [Arc::clone(path)]);
                    break;
                }
            }
        }
        Ok(())
    }

    /// A file of attributes changes all files that git checks out with other bytes by it: whoever builds from a clone builds from
    /// these.
    fn add_gitattributes(&self, content: &mut ChangedContent) -> Result<(), StoreError> {
        let changed: Vec<&Arc<str>> = self.paths.iter().filter(|path| file_name(path) == gitattributes::FILE).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let [head, base] = self.sides();
        let [now, before] = [Conversions::of(head.files)?, Conversions::of(base.files)?];
        for directory in head.model.directories.iter().filter(|directory| self.asks_for(directory)) {
            let of_image = || {
                let above = |path: &&&Arc<str>| is_below(directory, directory_of(path)) || is_below(path, directory);
                changed.iter().filter(above).map(|path| Arc::clone(path)).collect::<Vec<_>>()
            };
            for (path, entry) in head.files.below(directory) {
                let below = without_directory(path, directory);
                let is_content = head.model.owner(path) == Some(directory)
                    && !self.shape.is_version_file(below)
                    && self.shape.is_content(directory, below)
                    && matches!(entry.kind, FileKind::File | FileKind::Executable)
                    && base.files.entry(path) == Some(entry);
                if is_content && now.of_path(path).differs(&before.of_path(path), || bytes(head.files, path))? {
                    content.add(directory, of_image());
                    break;
                }
            }
            let unread = now
                .unread
                .iter()
                .chain(&before.unread)
                .filter(|error| is_below(directory, directory_of(&error.path)) || is_below(&error.path, directory));
            for error in unread {
                content.unread.entry(Arc::clone(directory)).or_default().push(error.clone());
            }
        }
        Ok(())
    }

    /// What changes in an image without a version of its own, changes in all that is built on it.
    fn add_unversioned(&self, content: &mut ChangedContent) {
        if self.shape.unversioned.is_empty() {
            return;
        }
        loop {
            let mut more = Vec::new();
            for image in self.head.images.values() {
                let parents = image.references.iter().flat_map(|reference| self.head.named(&reference.target));
                for parent in parents.filter(|parent| parent.is_unversioned() && parent.directory != image.directory) {
                    let Some(paths) = content.get(&parent.directory) else { continue };
                    if !content.get(&image.directory).is_some_and(|known| known.is_superset(paths)) {
                        more.push((Arc::clone(&image.directory), paths.clone()));
                    }
                }
            }
            if more.is_empty() {
                return;
            }
            for (directory, paths) in more {
                content.add(&directory, paths);
            }
        }
    }

    /// What binaries are built from, wherever it lies.
    fn add_sources(&self, content: &mut ChangedContent) -> Result<(), StoreError> {
        let Self { pair, paths, shape, head, .. } = *self;
        let is_in_scope = |path: &&Arc<str>| shape.binary_scope.iter().any(|scope| is_below(path, scope));
        let in_scope: Vec<&Arc<str>> = paths.iter().filter(is_in_scope).collect();
        if in_scope.is_empty() {
            return Ok(());
        }
        let packages = Packages::new(&pair.head, shape)?;
        let candidates = packages.candidates(in_scope)?;
        if candidates.paths.is_empty() {
            return Ok(());
        }
        let programs = packages.programs(&candidates, head)?;
        let sources = ChangedSources::new(candidates.paths);
        // What an image owns is its content already. Where it owns all sources, nothing need be read to know that.
        let is_open = |directory: &&Arc<str>| {
            self.asks_for(directory) && content.get(directory).is_none_or(|owned| !sources.are_among(owned))
        };
        let open: Vec<&Arc<str>> = head.directories.iter().filter(is_open).collect();
        let found = each(&open, WORTH_A_THREAD, |directory| {
            let built_from = packages.of_image(directory, head, programs.as_ref())?;
            let paths = sources.of(&built_from.directories, &packages)?;
            Ok((paths, built_from))
        })?;
        for (directory, (paths, built_from)) in open.iter().map(|directory| Arc::clone(directory)).zip(found) {
            if !paths.is_empty() {
                content.add(&directory, paths);
            }
            if !built_from.unread.is_empty() {
                content.unread.insert(Arc::clone(&directory), built_from.unread);
            }
            if !built_from.unknown.is_empty() {
                content.unknown.entry(directory).or_default().extend(built_from.unknown);
            }
        }
        Ok(())
    }
}

/// The files of an image in a tree that its builds can take, by their path below its directory: those that it owns and that are no
/// documentation, but for what its contexts leave out.
pub fn own<'f>(
    model: &Model,
    image: &Image,
    files: &'f Snapshot<'_>,
    shape: &Shape,
) -> Result<Vec<(&'f str, &'f Entry)>, StoreError> {
    let mut contexts = BuildContexts::default();
    contexts.add(image, files, shape)?;
    let own = model.own_content(image, files, shape);
    Ok(own.filter(|(below, _)| shape.is_beside_context(below) || !contexts.leave_out(0, below)).collect())
}

/// How many images are worth more than one thread: of most, nothing or a few small files are read, sooner than a thread starts.
const WORTH_A_THREAD: usize = 128;

/// The contexts that the Dockerfiles of images are built in, looked up as they are asked for.
struct ContextCache<'a> {
    search: &'a ContentSearch<'a>,
    /// Whether the change touches neither what contexts leave out nor any link.
    is_plain: bool,
    read: HashMap<Arc<str>, BuildContexts>,
}

impl ContextCache<'_> {
    /// The contexts of the image in a directory, on both sides.
    fn of(&mut self, directory: &Arc<str>) -> Result<&BuildContexts, StoreError> {
        if !self.read.contains_key(directory) {
            let mut contexts = BuildContexts::default();
            let mut known: Option<&Arc<Image>> = None;
            for Side { model, files } in self.search.sides() {
                let Some(image) = model.images.get(directory) else { continue };
                let is_known = self.is_plain && known.is_some_and(|known| Arc::ptr_eq(known, image));
                if !is_known {
                    contexts.add(image, files, self.search.shape)?;
                }
                known = Some(image);
            }
            self.read.insert(Arc::clone(directory), contexts);
        }
        Ok(self.read.entry(Arc::clone(directory)).or_default())
    }
}

/// The directories outside of an image's own that its binaries are built from.
pub fn sources(image: &Image, files: &Snapshot<'_>, shape: &Shape, model: &Model) -> Result<Vec<String>, StoreError> {
    let packages = Packages::new(files, shape)?.of_image(&image.directory, model, None)?.directories;
    Ok(packages.into_iter().filter(|package| !is_below(package, &image.directory)).collect())
}

/// The bytes of a file, where it can be read.
fn bytes(files: &Snapshot<'_>, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(files.text(path)?.and_then(Result::ok).map(|text| text.bytes().to_vec()))
}
