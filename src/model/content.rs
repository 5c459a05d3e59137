//! What an image is made of: its own files, and the sources elsewhere that its binaries are built from.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Image, Model, each};
use crate::parse::dockerfile::Stage;
use crate::parse::glob::PathPattern;
use crate::parse::go;
use crate::shape::{GO_MODULE, Shape};
use crate::snapshot::{FileKind, Pair, Snapshot, StoreError};
use crate::text::{directories_above, directory_of, is_below};

/// The changed paths that belong to the content of each image, by the image's directory.
pub type ChangedContent = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// Finds which images a change touches, and where. The images that own changed paths must have been read.
pub fn changed(
    pair: &Pair<'_>,
    paths: &BTreeSet<Arc<str>>,
    shape: &Shape,
    base: &Model,
    head: &Model,
) -> Result<ChangedContent, StoreError> {
    let search = Search { pair, paths, shape, base, head };
    let mut content = search.owned();
    search.add_linked(&mut content)?;
    search.add_sources(&mut content)?;
    Ok(content)
}

/// A search for what a change touches.
struct Search<'a> {
    pair: &'a Pair<'a>,
    paths: &'a BTreeSet<Arc<str>>,
    shape: &'a Shape,
    base: &'a Model,
    head: &'a Model,
}

impl Search<'_> {
    /// The changed files of the images themselves, and those that all images share.
    fn owned(&self) -> ChangedContent {
        let Self { pair, paths, shape, base, head } = *self;
        let mut content = ChangedContent::new();
        for path in paths {
            for shared in shape.shared.iter().filter(|shared| shared.has(path, shape)) {
                let is_of = |directory: &&Arc<str>| shape.name_of(directory).is_some_and(|name| shared.is_of(name));
                for directory in head.directories.iter().filter(is_of) {
                    content.entry(Arc::clone(directory)).or_default().insert(Arc::clone(path));
                }
            }
            // On each side the path belongs to the image that owns it there, if it is there.
            let base_files = pair.base.as_ref().unwrap_or(&pair.head);
            let sides =
                [(head, &pair.head), (base, base_files)].into_iter().filter(|(_, files)| files.entry(path).is_some());
            let owners: BTreeSet<_> = sides.filter_map(|(model, _)| model.owner(path)).collect();
            for directory in owners {
                let below = &path[directory.len() + 1..];
                let images = [head, base].into_iter().filter_map(|model| model.images.get(directory));
                let is_copied = || images.into_iter().any(|image| copies(image, below));
                if below != shape.version_file && (!shape.ignore.is_match(below) || is_copied()) {
                    content.entry(Arc::clone(directory)).or_default().insert(Arc::clone(path));
                }
            }
        }
        content
    }

    /// What the build reads through a link is a part of the image that the link lies in.
    fn add_linked(&self, content: &mut ChangedContent) -> Result<(), StoreError> {
        let Self { pair, paths, shape, head, .. } = *self;
        for (link, _) in pair.head.entries().iter().filter(|(_, entry)| entry.kind == FileKind::Symlink) {
            if let Some(directory) = head.owner(link)
                && let below = &link[directory.len() + 1..]
                && shape.is_control_file(below)
                && below != shape.version_file
                && let Some(Ok(way)) = pair.head.follow(link)?
            {
                for (path, _) in way.into_iter().skip(1).filter(|(path, _)| paths.contains(*path)) {
                    content.entry(Arc::clone(directory)).or_default().insert(Arc::clone(path));
                }
            }
        }
        Ok(())
    }

    /// What binaries are built from, wherever it lies.
    fn add_sources(&self, content: &mut ChangedContent) -> Result<(), StoreError> {
        let Self { pair, paths, shape, head, .. } = *self;
        let is_in_scope = |path: &&Arc<str>| shape.binary_scope.iter().any(|scope| is_below(path, scope));
        let sources: Vec<&Arc<str>> = paths.iter().filter(is_in_scope).collect();
        if sources.is_empty() {
            return Ok(());
        }
        let packages = Packages::new(&pair.head, shape)?;
        let go = packages.go_directories();
        let is_embedded = |path: &str| {
            let mut above = directories_above(path).filter(|directory| go.contains(directory));
            above.try_fold(false, |is_embedded, directory| Ok(is_embedded || packages.embeds(directory, path)?))
        };
        let mut candidates = Vec::new();
        for path in sources {
            // Documentation, too, is content where it is embedded.
            if (is_compiled(path) && !shape.ignore.is_match(path)) || is_embedded(path)? {
                candidates.push(path);
            }
        }
        if candidates.is_empty() {
            return Ok(());
        }
        let sources = Sources::new(candidates);
        // What an image owns is its content already. Where it owns all sources, nothing need be read to know that.
        let is_open = |directory: &&Arc<str>| content.get(*directory).is_none_or(|owned| !sources.are_among(owned));
        let open: Vec<&Arc<str>> = head.directories.iter().filter(is_open).collect();
        let find = |directory: &&Arc<str>| {
            let built_from = packages.of_image(directory, head)?;
            Ok(((*directory).clone(), sources.of(&built_from, &packages)?))
        };
        let found = each(&open, WORTH_A_THREAD, find)?;
        for (directory, paths) in found.into_iter().filter(|(_, paths)| !paths.is_empty()) {
            content.entry(directory).or_default().extend(paths);
        }
        Ok(())
    }
}

/// How many images are worth more than one thread: of most, nothing or a few small files are read, sooner than a thread starts.
const WORTH_A_THREAD: usize = 128;

/// The changed files that binaries may be built from, by where they lie.
struct Sources<'a> {
    all: Vec<&'a Arc<str>>,
    /// What Go compiles, by directory: parts of the package there.
    parts: HashMap<&'a str, Vec<&'a Arc<str>>>,
    /// Others, by every directory above them: a package there may embed them.
    others: HashMap<&'a str, Vec<&'a Arc<str>>>,
}

impl<'a> Sources<'a> {
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
        }
        Ok(found)
    }
}

/// The directories outside of an image's own that its binaries are built from.
pub fn sources(image: &Image, files: &Snapshot<'_>, shape: &Shape, model: &Model) -> Result<Vec<String>, StoreError> {
    let packages = Packages::new(files, shape)?.of_image(&image.directory, model)?;
    Ok(packages.into_iter().filter(|package| !is_below(package, &image.directory)).collect())
}

/// Whether a Dockerfile of the image takes a file from the context by its name, by a directory above it, or by a pattern that
/// is narrower than the whole context.
fn copies(image: &Image, file: &str) -> bool {
    let dockerfiles = image.builds.iter().filter_map(|build| build.file.as_ref().ok());
    let copies = dockerfiles.flat_map(|parsed| &parsed.dockerfile.stages).flat_map(Stage::copies);
    let copies = copies.map(|(_, copy)| copy).filter(|copy| copy.from.is_none());
    copies.flat_map(|copy| &copy.sources).any(|source| {
        let parts = source.value.split('/').filter(|part| !matches!(*part, "" | "."));
        let source = parts.collect::<Vec<_>>().join("/");
        let is_whole_context = matches!(&*source, "" | "*" | "**" | "**/*");
        !is_whole_context
            && !source.contains(":/") // as in a URL
            && !source.contains('$')
            && (is_below(file, &source) || covers(&source, file))
    })
}

/// Whether a pattern, or a directory that it matches, covers a file.
fn covers(pattern: &str, file: &str) -> bool {
    PathPattern::new(pattern).is_ok_and(|pattern| pattern.covers(file))
}

/// The Go packages of a tree, read as they are asked for.
struct Packages<'a> {
    snapshot: &'a Snapshot<'a>,
    shape: &'a Shape,
    /// What import paths of the module begin with; empty where there is no module.
    module: String,
    /// By directory.
    read: Mutex<HashMap<String, Arc<Package>>>,
}

#[derive(Default)]
struct Package {
    /// Directories of the packages that it imports, within the scope.
    imports: Vec<String>,
    /// What is embedded, by patterns below its directory.
    embeds: Vec<String>,
}

impl<'a> Packages<'a> {
    fn new(snapshot: &'a Snapshot<'a>, shape: &'a Shape) -> Result<Self, StoreError> {
        let module = if shape.binary_scope.is_empty() || shape.module.is_some() {
            shape.module.clone()
        } else {
            let text = snapshot.text(GO_MODULE)?.and_then(Result::ok);
            text.as_deref().and_then(go::module).map(str::to_owned)
        };
        let module = module.map(|name| name + "/").unwrap_or_default();
        Ok(Self { snapshot, shape, module, read: Mutex::default() })
    }

    /// All directories with Go files. What lies neither in nor below one of them can be part of no binary.
    fn go_directories(&self) -> HashSet<&'a str> {
        let files = self.snapshot.entries().keys().filter(|path| is_go(path));
        files.filter_map(|path| path.rsplit_once('/')).map(|(directory, _)| directory).collect()
    }

    /// The Go files that lie directly in a directory, but for tests.
    fn files(&self, directory: &str) -> Vec<&'a Arc<str>> {
        let length = if directory.is_empty() { 0 } else { directory.len() + 1 };
        let below = self.snapshot.below(directory).map(|(path, _)| path);
        let is_wanted =
            |path: &&Arc<str>| is_go(path) && !path[length..].contains('/') && !self.shape.ignore.is_match(path);
        below.filter(is_wanted).collect()
    }

    fn package(&self, directory: &str) -> Result<Arc<Package>, StoreError> {
        let read = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(package) = read().get(directory) {
            return Ok(Arc::clone(package));
        }
        let mut package = Package::default();
        for file in self.files(directory) {
            let Some(Ok(text)) = self.snapshot.text(file)? else { continue };
            let sources = go::sources(&text);
            package.embeds.extend(sources.embeds);
            let directories = sources.imports.iter().filter_map(|import| import.strip_prefix(&self.module));
            let is_in_scope = |directory: &&str| {
                !self.module.is_empty() && self.shape.binary_scope.iter().any(|scope| is_below(directory, scope))
            };
            package.imports.extend(directories.filter(is_in_scope).map(str::to_owned));
        }
        let package = Arc::new(package);
        read().insert(directory.to_owned(), Arc::clone(&package));
        Ok(package)
    }

    /// Whether the package in a directory embeds a file below it.
    fn embeds(&self, directory: &str, path: &str) -> Result<bool, StoreError> {
        let below = path[directory.len()..].trim_start_matches('/');
        Ok(self.package(directory)?.embeds.iter().any(|pattern| covers(pattern, below)))
    }

    /// The directories of all packages that the binaries of an image are built from.
    fn of_image(&self, image: &str, model: &Model) -> Result<BTreeSet<String>, StoreError> {
        let is_own = |path: &str| model.owner(path).is_some_and(|owner| **owner == *image);
        let mut queue = self.directories(image, is_own);
        if let Some((makefile, variable)) = &self.shape.makefile
            && let Some(Ok(text)) = self.snapshot.text(&format!("{image}/{makefile}"))?
            && let Some(directory) = go::make_variable(&text, variable)
        {
            let root = &image[..image.len() - self.shape.name_of(image).map_or(0, str::len)];
            let directory = format!("{root}{}", directory.trim_matches('/'));
            queue.extend(self.directories(&directory, |_| true));
        }
        let mut seen = BTreeSet::new();
        while let Some(directory) = queue.pop_first() {
            if seen.insert(directory.clone()) {
                queue
                    .extend(self.package(&directory)?.imports.iter().filter(|import| !seen.contains(*import)).cloned());
            }
        }
        Ok(seen)
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
