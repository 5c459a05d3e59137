//! What binaries are built from: Go packages, followed from the files of an image to all that they import and embed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::build_context::Unknown;
use super::tree::Model;
use crate::finding::Location;
use crate::parse::go::{self, MakeValue};
use crate::parse::wildcard::{MAX_WILDCARDS, PathSet};
use crate::path::{directories_above, directory_of, file_name, in_directory, is_below};
use crate::shape::{GO_MODULE, Shape};
use crate::snapshot::{Snapshot, StoreError};

/// The Go packages of a tree, read as they are asked for.
pub(super) struct Packages<'a> {
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

/// Changed files that binaries may be built from.
pub(super) struct Candidates<'a, 'p> {
    pub(super) paths: Vec<&'p Arc<str>>,
    /// The files that links lead to which Go compiles.
    linked: BTreeSet<&'a Arc<str>>,
    /// The directories with Go files.
    go: HashSet<&'a str>,
}

/// Programs in Go, by their directories. Nothing can import one: it is in the images that own it, and in those whose Makefiles name it.
pub(super) struct Programs {
    directories: HashSet<String>,
    owners: BTreeSet<Arc<str>>,
}

/// The package that is a program.
const PROGRAM: &str = "main";

/// What the binaries of an image are built from.
#[derive(Default)]
pub(super) struct BuiltFrom {
    /// The directories of all packages.
    pub(super) directories: BTreeSet<String>,
    /// What cannot be read, although it says more.
    pub(super) unread: Vec<StoreError>,
    /// What only the build can tell.
    pub(super) unknown: Vec<Unknown>,
}

impl<'a> Packages<'a> {
    /// Those of a tree, whose module is read at once.
    pub(super) fn new(snapshot: &'a Snapshot<'a>, shape: &'a Shape) -> Result<Self, StoreError> {
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

    /// The files that links lead to which Go compiles.
    fn linked(&self) -> Result<BTreeSet<&'a Arc<str>>, StoreError> {
        let mut linked = BTreeSet::new();
        for path in self.snapshot.links() {
            if is_compiled(path) {
                linked.extend(self.snapshot.linked_file(path)?);
            }
        }
        Ok(linked)
    }

    /// Those of the changed paths that a binary may be built from: what Go compiles, what a link that Go compiles leads to, and what
    /// is embedded, documentation too.
    pub(super) fn candidates<'p>(&self, changed: Vec<&'p Arc<str>>) -> Result<Candidates<'a, 'p>, StoreError> {
        let (linked, go) = (self.linked()?, self.go_directories());
        let mut candidates = Vec::new();
        for path in changed {
            let is_source = self.is_source(path) && (is_go(path) || go.contains(directory_of(path)));
            let mut is_candidate = is_source || linked.contains(path);
            for directory in directories_above(path).filter(|directory| go.contains(directory)) {
                is_candidate = is_candidate || self.embeds(directory, path)?;
            }
            if is_candidate {
                candidates.push(path);
            }
        }
        Ok(Candidates { paths: candidates, linked, go })
    }

    /// Whether Go compiles a file where it lies.
    fn is_source(&self, path: &str) -> bool {
        is_compiled(path) && !self.shape.ignore.is_match(file_name(path))
    }

    /// The programs that hold all of these sources; `None` where one may be a part of something else.
    pub(super) fn programs(
        &self,
        Candidates { paths, linked, go }: &Candidates<'_, '_>,
        model: &Model,
    ) -> Result<Option<Programs>, StoreError> {
        let mut programs = Programs { directories: HashSet::new(), owners: BTreeSet::new() };
        for path in paths {
            let own = directory_of(path);
            // What lies below other Go is as a rule a package of that, and not worth reading to know.
            let is_below_go = directories_above(own).any(|above| go.contains(above));
            if linked.contains(path) || own.is_empty() || is_below_go {
                return Ok(None);
            }
            // Asked first: most packages say with one file that they are no program, and nothing above need be read then.
            if self.is_source(path) && !self.is_program(own)? {
                return Ok(None);
            }
            for directory in directories_above(path) {
                let has_part = directory == own && self.is_source(path);
                if programs.directories.contains(directory) || !has_part && !self.embeds(directory, path)? {
                    continue;
                }
                if !self.is_program(directory)? {
                    return Ok(None);
                }
                programs.directories.insert(directory.to_owned());
                let files = self.files(directory).into_iter();
                programs.owners.extend(files.filter_map(|file| model.owner(file).cloned()));
            }
        }
        Ok(Some(programs))
    }

    /// Whether all Go files of a directory say that they are a part of a program.
    fn is_program(&self, directory: &str) -> Result<bool, StoreError> {
        let files = self.files(directory);
        for file in &files {
            match self.snapshot.text(file)? {
                Some(Ok(text)) if go::imports(&text).package == PROGRAM => {}
                _ => return Ok(false),
            }
        }
        Ok(!files.is_empty())
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

    /// What the files in a directory say of their package.
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
        if !sources.embeds.iter().all(|pattern| package.embeds.add(pattern)) {
            package.unread.push(StoreError {
                path: file.to_string(),
                reason: format!("its package embeds by more than {MAX_WILDCARDS} patterns"),
                help: Some("write fewer patterns: a directory stands for all that lies in it".to_owned()),
            });
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

    /// What the binaries of an image are built from; of one that is built from none of these `programs`, no more than its Makefile
    /// tells.
    pub(super) fn of_image(
        &self,
        image: &str,
        model: &Model,
        programs: Option<&Programs>,
    ) -> Result<BuiltFrom, StoreError> {
        let mut built_from = BuiltFrom::default();
        let mut queue = BTreeSet::new();
        if programs.is_none_or(|programs| programs.owners.contains(image)) {
            queue = self.directories(image, |path| {
                let is_owner = model.owner(path).is_some_and(|owner| **owner == *image);
                // The image in the root has the whole repository around it.
                is_owner && (!image.is_empty() || self.shape.is_content(image, path))
            });
        }
        self.add_makefile(image, &mut queue, &mut built_from)?;
        if let Some(programs) = programs
            && !self.are_reached(programs, &queue)?
        {
            return Ok(built_from);
        }
        if !queue.is_empty()
            && let Err(error) = &self.module
        {
            built_from.unread.push(error.clone());
        }
        while let Some(directory) = queue.pop_first() {
            // A package may be reached over a link.
            let directory = match self.snapshot.resolve(&directory)? {
                Ok(directory) => directory,
                Err(unreadable) => {
                    built_from.unread.push(StoreError::unreadable(&directory, &unreadable));
                    continue;
                }
            };
            if built_from.directories.insert(directory.clone()) {
                let package = self.package(&directory)?;
                let imports = package.imports.iter().filter(|import| !built_from.directories.contains(*import));
                queue.extend(imports.cloned());
                built_from.unread.extend(package.unread.iter().cloned());
            }
        }
        Ok(built_from)
    }

    /// Whether one of these directories holds a program, or cannot be followed.
    fn are_reached(&self, programs: &Programs, directories: &BTreeSet<String>) -> Result<bool, StoreError> {
        for directory in directories {
            if self.snapshot.resolve(directory)?.map_or(true, |real| programs.directories.contains(&real)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds the directories that the Makefile of an image names as its sources.
    fn add_makefile(
        &self,
        image: &str,
        queue: &mut BTreeSet<String>,
        built_from: &mut BuiltFrom,
    ) -> Result<(), StoreError> {
        let Some((makefile, variable)) = &self.shape.makefile else { return Ok(()) };
        let path = in_directory(image, makefile);
        let text = match self.snapshot.text(&path)? {
            None => return Ok(()),
            Some(Ok(text)) => text,
            Some(Err(unreadable)) => {
                built_from.unread.push(StoreError::unreadable(&path, &unreadable));
                return Ok(());
            }
        };
        let name = self.shape.name_of(image).filter(|_| !image.is_empty()).unwrap_or_default();
        let root = &image[..image.len() - name.len()];
        for MakeValue { directory, span } in go::make_values(&text, variable) {
            let Some(directory) = directory else {
                let location = Location::new(&path.as_str().into(), &text, span);
                built_from.unknown.push(Unknown { location, why: "only make knows what it is built from" });
                continue;
            };
            match self.snapshot.resolve(&format!("{root}{directory}"))? {
                Ok(directory) => queue.extend(self.directories(&directory, |_| true)),
                Err(unreadable) => built_from.unread.push(StoreError::unreadable(&path, &unreadable)),
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

/// The changed files that binaries may be built from, by where they lie.
pub(super) struct ChangedSources<'a> {
    all: Vec<&'a Arc<str>>,
    /// What Go compiles, by directory: parts of the package there.
    parts: HashMap<&'a str, Vec<&'a Arc<str>>>,
    /// Others, by every directory above them: a package there may embed them.
    others: HashMap<&'a str, Vec<&'a Arc<str>>>,
}

impl<'a> ChangedSources<'a> {
    /// Those of the changed paths that are [`Packages::candidates`].
    pub(super) fn new(all: Vec<&'a Arc<str>>) -> Self {
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

    /// Whether all of them are among these paths.
    pub(super) fn are_among(&self, paths: &BTreeSet<Arc<str>>) -> bool {
        self.all.len() <= paths.len() && self.all.iter().all(|path| paths.contains(*path))
    }

    /// Those that these packages are built from.
    pub(super) fn of(
        &self,
        built_from: &BTreeSet<String>,
        packages: &Packages<'_>,
    ) -> Result<Vec<Arc<str>>, StoreError> {
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

/// Whether Go compiles a file as a part of the package in its directory: Go, assembly, and what cgo hands to C's compiler.
fn is_compiled(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    is_go(path) || matches!(extension, Some("s" | "S" | "c" | "h" | "cc" | "cpp" | "cxx" | "hh" | "hpp" | "m" | "syso"))
}

fn is_go(path: &str) -> bool {
    path.as_bytes().ends_with(b".go")
}
