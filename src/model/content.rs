//! What an image is made of: its own files, and the sources elsewhere that its binaries are built from.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::build::{Build, declares};
use super::context::{Contexts, Unknown};
use super::image::Image;
use super::threads::each;
use super::tree::Model;
use crate::finding::Location;
use crate::parse::dockerignore;
use crate::parse::gitattributes::{self, Conversion, GitAttributes};
use crate::parse::go::{self, MakeValue};
use crate::parse::wildcard::PathSet;
use crate::shape::{GO_MODULE, Shape};
use crate::snapshot::{Entry, FileKind, Pair, Snapshot, StoreError};
use crate::text::{directories_above, directory_of, file_name, is_below, without_directory};

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
    Search { pair, paths, shape, base, head, only }.run()
}

/// A search for what a change touches.
struct Search<'a> {
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

impl Search<'_> {
    fn run(&self) -> Result<ChangedContent, StoreError> {
        let mut content = ChangedContent::default();
        self.add_shared(&mut content);
        self.add_arguments(&mut content);
        self.add_owned(&mut content)?;
        self.add_linked(&mut content)?;
        self.add_brought_back(&mut content)?;
        self.add_converted(&mut content)?;
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
    fn add_shared(&self, content: &mut ChangedContent) {
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
    fn add_arguments(&self, content: &mut ChangedContent) {
        for (name, file) in self.shape.argument_files() {
            if !self.paths.iter().any(|path| file.is(path)) {
                continue;
            }
            for side in self.sides() {
                for (directory, image) in &side.model.images {
                    let Some(path) = self.paths.get(file.of(directory).as_str()) else { continue };
                    let mut texts = image.builds.iter().filter_map(Build::text);
                    if texts.any(|text| declares(text, name)) {
                        content.add(directory, [Arc::clone(path)]);
                    }
                }
            }
        }
    }

    /// The changed files of the images themselves: on each side, a path belongs to the image that owns it there, and to every image
    /// above that whose Dockerfiles take it by its name. What the context leaves out is in no image, unless it says what that is.
    fn add_owned(&self, content: &mut ChangedContent) -> Result<(), StoreError> {
        let Self { shape, .. } = *self;
        let mut surroundings = ContextCache { sides: self.sides(), read: HashMap::new() };
        for path in self.paths {
            for side in self.sides().iter().filter(|side| side.files.entry(path).is_some()) {
                let mut is_owner = true;
                for directory in side.model.owners(path) {
                    let below = without_directory(path, directory);
                    let is_plain = is_owner && shape.is_content(directory, below);
                    is_owner = false;
                    if !self.asks_for(directory) || self.is_version(path, below)? {
                        continue;
                    }
                    if is_plain && shape.is_beside_context(below) {
                        content.add(directory, [Arc::clone(path)]);
                        continue;
                    }
                    let contexts = surroundings.of(directory)?;
                    if contexts.take(below) || (is_plain && !contexts.leave_out(below)) {
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

    /// A file that says what the context leaves out is content where it brings files in, or takes them away.
    fn add_brought_back(&self, content: &mut ChangedContent) -> Result<(), StoreError> {
        for path in self.paths.iter().filter(|path| path.ends_with(dockerignore::SUFFIX)) {
            let sides = self.sides();
            let owner = sides.iter().find_map(|side| side.model.owner(path));
            let Some(directory) = owner.filter(|owner| self.asks_for(owner)) else { continue };
            let mut contexts = [Contexts::default(), Contexts::default()];
            for (contexts, side) in contexts.iter_mut().zip(sides) {
                if let Some(image) = side.model.images.get(directory) {
                    contexts.add(image, side.files)?;
                }
            }
            for (other, _) in self.pair.head.below(directory) {
                let below = without_directory(other, directory);
                let [now, before] = contexts.each_ref().map(|contexts| {
                    contexts.take(below) || (self.shape.is_content(directory, below) && !contexts.leave_out(below))
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
    fn add_converted(&self, content: &mut ChangedContent) -> Result<(), StoreError> {
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
        if candidates.is_empty() {
            return Ok(());
        }
        let sources = ChangedSources::new(candidates);
        // What an image owns is its content already. Where it owns all sources, nothing need be read to know that.
        let is_open = |directory: &&Arc<str>| {
            self.asks_for(directory) && content.get(directory).is_none_or(|owned| !sources.are_among(owned))
        };
        let open: Vec<&Arc<str>> = head.directories.iter().filter(is_open).collect();
        let found = each(&open, WORTH_A_THREAD, |directory| {
            let origin = packages.of_image(directory, head)?;
            let paths = sources.of(&origin.directories, &packages)?;
            Ok((paths, origin))
        })?;
        for (directory, (paths, origin)) in open.iter().map(|directory| Arc::clone(directory)).zip(found) {
            if !paths.is_empty() {
                content.add(&directory, paths);
            }
            if !origin.unread.is_empty() {
                content.unread.insert(Arc::clone(&directory), origin.unread);
            }
            if !origin.unknown.is_empty() {
                content.unknown.entry(directory).or_default().extend(origin.unknown);
            }
        }
        Ok(())
    }
}

/// The bytes of a file, where it can be read.
fn bytes(files: &Snapshot<'_>, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(files.text(path)?.and_then(Result::ok).map(|text| text.bytes().to_vec()))
}

/// What the files of attributes of a tree make of its other files.
#[derive(Default)]
struct Conversions {
    /// By the directory that they lie in, those at the top first.
    files: Vec<(String, GitAttributes)>,
    unread: Vec<StoreError>,
}

impl Conversions {
    fn of(files: &Snapshot<'_>) -> Result<Self, StoreError> {
        let mut conversions = Self::default();
        for (path, entry) in files.entries().iter().filter(|(path, _)| file_name(path) == gitattributes::FILE) {
            // Git does not read a link.
            if !matches!(entry.kind, FileKind::File | FileKind::Executable) {
                continue;
            }
            let attributes = match files.text(path)? {
                Some(Ok(text)) => GitAttributes::parse(&text),
                _ => None,
            };
            match attributes {
                Some(attributes) => conversions.files.push((directory_of(path).to_owned(), attributes)),
                None => conversions.unread.push(StoreError {
                    path: path.to_string(),
                    reason: "it holds more than can be looked at".to_owned(),
                    help: Some("write fewer patterns: it says which files git checks out with other bytes".to_owned()),
                }),
            }
        }
        conversions
            .files
            .sort_by_key(|(directory, _)| if directory.is_empty() { 0 } else { 1 + directory.matches('/').count() });
        Ok(conversions)
    }

    fn of_path(&self, path: &str) -> Conversion {
        let mut conversion = Conversion::default();
        for (directory, attributes) in self.files.iter().filter(|(directory, _)| is_below(path, directory)) {
            attributes.apply(path[directory.len()..].trim_start_matches('/'), &mut conversion);
        }
        conversion
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
    let mut contexts = Contexts::default();
    contexts.add(image, files)?;
    let own = model.own_content(image, files, shape);
    Ok(own.filter(|(below, _)| shape.is_beside_context(below) || !contexts.leave_out(below)).collect())
}

/// How many images are worth more than one thread: of most, nothing or a few small files are read, sooner than a thread starts.
const WORTH_A_THREAD: usize = 128;

/// The contexts that the Dockerfiles of images are built in, looked up as they are asked for.
struct ContextCache<'a> {
    sides: [Side<'a>; 2],
    read: HashMap<Arc<str>, Contexts>,
}

impl ContextCache<'_> {
    /// The contexts of the image in a directory, on both sides.
    fn of(&mut self, directory: &Arc<str>) -> Result<&Contexts, StoreError> {
        if !self.read.contains_key(directory) {
            let mut contexts = Contexts::default();
            for Side { model, files } in self.sides {
                if let Some(image) = model.images.get(directory) {
                    contexts.add(image, files)?;
                }
            }
            self.read.insert(Arc::clone(directory), contexts);
        }
        Ok(self.read.entry(Arc::clone(directory)).or_default())
    }
}

/// The changed files that binaries may be built from, by where they lie.
struct ChangedSources<'a> {
    all: Vec<&'a Arc<str>>,
    /// What Go compiles, by directory: parts of the package there.
    parts: HashMap<&'a str, Vec<&'a Arc<str>>>,
    /// Others, by every directory above them: a package there may embed them.
    others: HashMap<&'a str, Vec<&'a Arc<str>>>,
}

impl<'a> ChangedSources<'a> {
    fn new(all: Vec<&'a Arc<str>>) -> Self {
        let mut parts: HashMap<_, Vec<_>> = HashMap::new();
        let mut others: HashMap<_, Vec<_>> = HashMap::new();
        for path in &all {
            if is_compiled(path) {
                parts.entry(directory_of(path)).or_default().push(*path);
            } else {
                for directory in directories_above(path) {
                    others.entry(directory).or_default().push(*path);
                }
            }
        }
        Self { all, parts, others }
    }

    fn are_among(&self, paths: &BTreeSet<Arc<str>>) -> bool {
        self.all.len() <= paths.len() && self.all.iter().all(|path| paths.contains(*path))
    }

    /// Those that these packages are built from.
    fn of(&self, built_from: &BTreeSet<String>, packages: &Packages<'_>) -> Result<Vec<Arc<str>>, StoreError> {
        let mut found = Vec::new();
        for directory in built_from {
            found.extend(self.parts.get(directory.as_str()).into_iter().flatten().map(|path| Arc::clone(path)));
            for path in self.others.get(directory.as_str()).into_iter().flatten() {
                // A package embeds nothing out of another.
                let is_nearest =
                    directories_above(path).find(|directory| built_from.contains(*directory)) == Some(directory);
                if is_nearest && packages.embeds(directory, path)? {
                    found.push(Arc::clone(path));
                }
            }
            let linked = &packages.package(directory)?.linked;
            found.extend(self.all.iter().filter(|path| linked.contains(**path)).map(|path| Arc::clone(path)));
        }
        Ok(found)
    }
}

/// The directories outside of an image's own that its binaries are built from.
pub fn sources(image: &Image, files: &Snapshot<'_>, shape: &Shape, model: &Model) -> Result<Vec<String>, StoreError> {
    let packages = Packages::new(files, shape)?.of_image(&image.directory, model)?.directories;
    Ok(packages.into_iter().filter(|package| !is_below(package, &image.directory)).collect())
}

/// The Go packages of a tree, read as they are asked for.
struct Packages<'a> {
    snapshot: &'a Snapshot<'a>,
    shape: &'a Shape,
    /// What import paths of the module begin with; empty where there is no module. An error where it cannot be read.
    module: Result<String, StoreError>,
    /// By directory.
    read: Mutex<HashMap<String, Arc<Package>>>,
}

#[derive(Default)]
struct Package {
    /// Directories of the packages that it imports, within the scope.
    imports: Vec<String>,
    /// What is embedded, by paths and patterns below its directory.
    embeds: PathSet,
    /// What those of its files lead to that are links.
    linked: BTreeSet<Arc<str>>,
    /// Those of its files that cannot be read.
    unread: Vec<StoreError>,
}

/// What the binaries of an image are built from.
#[derive(Default)]
struct Origin {
    /// The directories of all packages.
    directories: BTreeSet<String>,
    /// What cannot be read, although it says more.
    unread: Vec<StoreError>,
    /// What only the build can tell.
    unknown: Vec<Unknown>,
}

impl<'a> Packages<'a> {
    fn new(snapshot: &'a Snapshot<'a>, shape: &'a Shape) -> Result<Self, StoreError> {
        let module = if shape.binary_scope.is_empty() || shape.module.is_some() {
            Ok(shape.module.clone())
        } else {
            match snapshot.text(GO_MODULE)? {
                Some(Err(unreadable)) => Err(StoreError::unreadable(GO_MODULE, &unreadable)),
                Some(Ok(text)) => Ok(go::module(&text).map(str::to_owned)),
                None => Ok(None),
            }
        };
        let module = module.map(|name| name.map(|name| name + "/").unwrap_or_default());
        Ok(Self { snapshot, shape, module, read: Mutex::default() })
    }

    /// Those of the changed paths that a binary may be built from: what Go compiles, what a link that Go compiles leads to, and what
    /// is embedded, documentation too.
    fn candidates<'p>(&self, changed: Vec<&'p Arc<str>>) -> Result<Vec<&'p Arc<str>>, StoreError> {
        let mut linked = BTreeSet::new();
        for path in self.snapshot.links() {
            if is_compiled(path) {
                linked.extend(self.snapshot.linked_file(path)?);
            }
        }
        let go = self.go_directories();
        let mut candidates = Vec::new();
        for path in changed {
            let is_source = is_compiled(path) && !self.shape.ignore.is_match(file_name(path));
            let mut is_candidate = is_source || linked.contains(path);
            for directory in directories_above(path).filter(|directory| go.contains(directory)) {
                is_candidate = is_candidate || self.embeds(directory, path)?;
            }
            if is_candidate {
                candidates.push(path);
            }
        }
        Ok(candidates)
    }

    /// All directories with Go files. What lies neither in nor below one of them can be part of no binary.
    fn go_directories(&self) -> HashSet<&'a str> {
        let files = self.snapshot.entries().keys().filter(|path| is_go(path));
        files.filter_map(|path| path.rsplit_once('/')).map(|(directory, _)| directory).collect()
    }

    /// The Go files that lie directly in a directory, but for tests. Whoever imports a package does so wherever it lies.
    fn files(&self, directory: &str) -> Vec<&'a Arc<str>> {
        let length = if directory.is_empty() { 0 } else { directory.len() + 1 };
        let mut files = Vec::new();
        for (path, _) in self.snapshot.below(directory) {
            let name = &path[length..];
            if is_go(name) && !name.contains('/') && !self.shape.ignore.is_match(name) {
                files.push(path);
            }
        }
        files
    }

    fn package(&self, directory: &str) -> Result<Arc<Package>, StoreError> {
        let read = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(package) = read().get(directory) {
            return Ok(Arc::clone(package));
        }
        let mut package = Package::default();
        for file in self.files(directory) {
            self.add_file(file, &mut package)?;
        }
        let package = Arc::new(package);
        read().insert(directory.to_owned(), Arc::clone(&package));
        Ok(package)
    }

    fn add_file(&self, file: &Arc<str>, package: &mut Package) -> Result<(), StoreError> {
        package.linked.extend(self.snapshot.linked_file(file)?.cloned());
        let text = match self.snapshot.text(file)? {
            None => return Ok(()),
            Some(Ok(text)) => text,
            Some(Err(unreadable)) => {
                package.unread.push(StoreError::unreadable(file, &unreadable));
                return Ok(());
            }
        };
        let sources = go::imports(&text);
        for pattern in &sources.embeds {
            package.embeds.add(pattern);
        }
        let Some(module) = self.module.as_ref().ok().filter(|module| !module.is_empty()) else { return Ok(()) };
        for directory in sources.imports.iter().filter_map(|import| import.strip_prefix(module)) {
            if self.shape.binary_scope.iter().any(|scope| is_below(directory, scope)) {
                package.imports.push(directory.to_owned());
            }
        }
        Ok(())
    }

    /// Whether the package in a directory embeds a file below it.
    fn embeds(&self, directory: &str, path: &str) -> Result<bool, StoreError> {
        let below = path[directory.len()..].trim_start_matches('/');
        Ok(self.package(directory)?.embeds.covers(below))
    }

    /// What the binaries of an image are built from.
    fn of_image(&self, image: &str, model: &Model) -> Result<Origin, StoreError> {
        let mut origin = Origin::default();
        let is_own = |path: &str| model.owner(path).is_some_and(|owner| **owner == *image);
        let mut queue = self.directories(image, is_own);
        self.add_makefile(image, &mut queue, &mut origin)?;
        if !queue.is_empty()
            && let Err(error) = &self.module
        {
            origin.unread.push(error.clone());
        }
        while let Some(directory) = queue.pop_first() {
            // A package may be reached over a link.
            let directory = match self.snapshot.resolve(&directory)? {
                Ok(directory) => directory,
                Err(unreadable) => {
                    origin.unread.push(StoreError::unreadable(&directory, &unreadable));
                    continue;
                }
            };
            if origin.directories.insert(directory.clone()) {
                let package = self.package(&directory)?;
                let imports = package.imports.iter().filter(|import| !origin.directories.contains(*import));
                queue.extend(imports.cloned());
                origin.unread.extend(package.unread.iter().cloned());
            }
        }
        Ok(origin)
    }

    /// Adds the directories that the Makefile of an image names as its sources.
    fn add_makefile(&self, image: &str, queue: &mut BTreeSet<String>, origin: &mut Origin) -> Result<(), StoreError> {
        let Some((makefile, variable)) = &self.shape.makefile else { return Ok(()) };
        let path = format!("{image}/{makefile}");
        let text = match self.snapshot.text(&path)? {
            None => return Ok(()),
            Some(Ok(text)) => text,
            Some(Err(unreadable)) => {
                origin.unread.push(StoreError::unreadable(&path, &unreadable));
                return Ok(());
            }
        };
        let name = self.shape.name_of(image).filter(|_| !image.is_empty()).unwrap_or_default();
        let root = &image[..image.len() - name.len()];
        for MakeValue { directory, span } in go::make_values(&text, variable) {
            let Some(directory) = directory else {
                let location = Location::new(&path.as_str().into(), &text, span);
                origin.unknown.push(Unknown { location, why: "only make knows what it is built from" });
                continue;
            };
            match self.snapshot.resolve(&format!("{root}{directory}"))? {
                Ok(directory) => queue.extend(self.directories(&directory, |_| true)),
                Err(unreadable) => origin.unread.push(StoreError::unreadable(&path, &unreadable)),
            }
        }
        Ok(())
    }

    /// The directories below one that hold Go files which `is_wanted`.
    fn directories(&self, directory: &str, is_wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let below = self.snapshot.below(directory).map(|(path, _)| path);
        let files = below.filter(|path| is_go(path) && !self.shape.ignore.is_match(path) && is_wanted(path));
        files.filter_map(|path| Some(path.rsplit_once('/')?.0.to_owned())).collect()
    }
}

/// Whether Go compiles a file as a part of the package in its directory: Go, assembly, and what cgo hands to C's compiler.
fn is_compiled(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    is_go(path) || matches!(extension, Some("s" | "S" | "c" | "h" | "cc" | "cpp" | "cxx" | "hh" | "hpp" | "m" | "syso"))
}

fn is_go(path: &str) -> bool {
    path.as_bytes().ends_with(b".go")
}
