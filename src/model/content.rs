//! What an image is made of: its own files, and the sources elsewhere that its binaries are built from.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use globset::GlobBuilder;

use super::{Image, Model, parents};
use crate::parse::go;
use crate::shape::{GO_MODULE, Shape};
use crate::snapshot::{Pair, Snapshot, StoreError};
use crate::text::is_below;

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
    let mut content = ChangedContent::new();
    let mut sources = Vec::new();
    for path in paths {
        if shape.shared.iter().any(|shared| **shared == **path) {
            for directory in &head.directories {
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
        if shape.binary_scope.iter().any(|scope| is_below(path, scope)) && !shape.ignore.is_match(path) {
            sources.push(path);
        }
    }
    let mut packages = Packages { snapshot: &pair.head, shape, module: None, read: HashMap::new() };
    if !sources.is_empty() {
        let go = packages.go_directories();
        sources.retain(|path| is_go(path) || parents(path).any(|directory| go.contains(directory)));
    }
    for directory in &head.directories {
        // What an image owns is its content already; nothing need be read to know that.
        let owned = content.get(directory);
        let is_foreign = |path: &&&Arc<str>| !owned.is_some_and(|owned| owned.contains(**path));
        let foreign: Vec<_> = sources.iter().filter(is_foreign).collect();
        if foreign.is_empty() {
            continue;
        }
        let built_from = packages.of_image(directory, head)?;
        for path in foreign {
            if packages.is_source(path, &built_from)? {
                content.entry(Arc::clone(directory)).or_default().insert(Arc::clone(path));
            }
        }
    }
    Ok(content)
}

/// The directories outside of an image's own that its binaries are built from.
pub fn sources(image: &Image, files: &Snapshot<'_>, shape: &Shape, model: &Model) -> Result<Vec<String>, StoreError> {
    let mut packages = Packages { snapshot: files, shape, module: None, read: HashMap::new() };
    let packages = packages.of_image(&image.directory, model)?;
    Ok(packages.into_iter().filter(|package| !is_below(package, &image.directory)).collect())
}

/// Whether a Dockerfile of the image takes a file from the context by its name, by a directory above it, or by a pattern that
/// is narrower than the whole context.
fn copies(image: &Image, file: &str) -> bool {
    let dockerfiles = image.builds.iter().filter_map(|build| build.file.as_ref().ok());
    let instructions = dockerfiles.flat_map(|parsed| &parsed.dockerfile.stages).flat_map(|stage| &stage.instructions);
    let copies = instructions.filter_map(|instruction| instruction.copy.as_ref()).filter(|copy| copy.from.is_none());
    copies.flat_map(|copy| &copy.sources).any(|source| {
        let source = source.value.trim_start_matches("./").trim_matches('/');
        let is_whole_context = source.is_empty() || source.bytes().all(|byte| matches!(byte, b'*' | b'.' | b'/'));
        !is_whole_context
            && !source.contains("://")
            && !source.contains('$')
            && (is_below(file, source) || is_match(source, file))
    })
}

/// Whether a glob pattern, or a directory that it matches, covers a file.
fn is_match(pattern: &str, file: &str) -> bool {
    if !pattern.contains(['*', '?', '[']) {
        return is_below(file, pattern);
    }
    let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() else { return false };
    let glob = glob.compile_matcher();
    file.match_indices('/').map(|(end, _)| &file[..end]).chain([file]).any(|part| glob.is_match(part))
}

/// The Go packages of a tree, read as they are asked for.
struct Packages<'a> {
    snapshot: &'a Snapshot<'a>,
    shape: &'a Shape,
    /// What import paths of the module begin with, once it was asked for.
    module: Option<String>,
    /// By directory.
    read: HashMap<String, Arc<Package>>,
}

#[derive(Default)]
struct Package {
    /// Directories of the packages that it imports, within the scope.
    imports: Vec<String>,
    /// What is embedded, by patterns below its directory.
    embeds: Vec<String>,
}

impl<'a> Packages<'a> {
    /// The module's name with a closing slash; empty where there is no module.
    fn module(&mut self) -> Result<&str, StoreError> {
        if self.module.is_none() {
            let name = if self.shape.module.is_some() {
                self.shape.module.clone()
            } else {
                let text = self.snapshot.text(GO_MODULE)?.and_then(Result::ok);
                text.as_deref().and_then(go::module).map(str::to_owned)
            };
            self.module = Some(name.map(|name| name + "/").unwrap_or_default());
        }
        Ok(self.module.as_deref().unwrap_or_default())
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

    fn package(&mut self, directory: &str) -> Result<Arc<Package>, StoreError> {
        if let Some(package) = self.read.get(directory) {
            return Ok(Arc::clone(package));
        }
        let mut package = Package::default();
        for file in self.files(directory) {
            let Some(Ok(text)) = self.snapshot.text(file)? else { continue };
            let sources = go::sources(&text);
            package.embeds.extend(sources.embeds);
            let shape = self.shape;
            let module = self.module()?;
            let directories = sources.imports.iter().filter_map(|import| import.strip_prefix(module));
            let is_in_scope = |directory: &&str| {
                !module.is_empty() && shape.binary_scope.iter().any(|scope| is_below(directory, scope))
            };
            package.imports.extend(directories.filter(is_in_scope).map(str::to_owned));
        }
        let package = Arc::new(package);
        self.read.insert(directory.to_owned(), Arc::clone(&package));
        Ok(package)
    }

    /// The directories of all packages that the binaries of an image are built from.
    fn of_image(&mut self, image: &str, model: &Model) -> Result<BTreeSet<String>, StoreError> {
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

    /// Whether a file is one of those that these packages are built from.
    fn is_source(&mut self, path: &str, packages: &BTreeSet<String>) -> Result<bool, StoreError> {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        if is_go(path) || is_assembly(path) {
            return Ok(packages.contains(directory));
        }
        for directory in parents(path) {
            if packages.contains(directory) {
                let below = path[directory.len()..].trim_start_matches('/');
                return Ok(self.package(directory)?.embeds.iter().any(|pattern| is_match(pattern, below)));
            }
        }
        Ok(false)
    }
}

fn is_assembly(path: &str) -> bool {
    path.as_bytes().ends_with(b".s")
}

fn is_go(path: &str) -> bool {
    path.as_bytes().ends_with(b".go")
}
