//! The images of a tree as the build sees them: versions, bases, Dockerfiles, and how they refer to each other.

pub mod content;
mod reference;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

pub use reference::{Origin, Reference, Writing, without_tag};

use crate::finding::Place;
use crate::parse::baseimage::{self, Platform};
use crate::parse::dockerfile::{Copy, Dockerfile, Instruction, Malformed, Prefixed, Stage, Word};
use crate::parse::go;
use crate::parse::version::Version;
use crate::shape::{Constant, ManifestShape, Shape};
use crate::snapshot::{Entry, FileKind, Read, Snapshot, StoreError, Unreadable};
use crate::text::{Span, Text, directories_above};

/// All that the checks know of one tree.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The directories of all images.
    pub directories: BTreeSet<Arc<str>>,
    /// The images that were read, by their directory.
    pub images: BTreeMap<Arc<str>, Arc<Image>>,
    /// The manifest; `None` where the pack names none, or the tree has none.
    pub manifest: Option<Manifest>,
    /// The literals that must equal a version, as far as they are there.
    pub constants: Vec<ConstantValue>,
    /// Directories by the names that their images are referred to by.
    by_name: HashMap<String, Vec<Arc<str>>>,
}

/// A directory with a version file.
#[derive(Debug, Clone)]
pub struct Image {
    /// The directory.
    pub directory: Arc<str>,
    /// The path of the directory below its root: the name by which people and the build script call the image.
    pub name: Arc<str>,
    /// The name under which the image is published, where that is another one.
    pub alias: Option<String>,
    /// The version file.
    pub version: Control<Version>,
    /// The file that lists the bases by platform.
    pub base: Option<Control<Vec<baseimage::Line>>>,
    /// The Dockerfiles, once for every platform that changes what their stages are built for.
    pub builds: Vec<Build>,
    /// Where the image names other images of the tree.
    pub references: Vec<Reference>,
    /// The control files that all of this was read from.
    controls: Controls,
}

/// A file of a tree: its path, and what lies there.
type File = (Arc<str>, Entry);

/// The files that say what an image is and how it is built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Controls {
    version: Option<File>,
    alias: Option<File>,
    base: Option<File>,
    dockerfiles: Vec<File>,
    windows_dockerfile: Option<File>,
}

impl Controls {
    fn find(directory: &Arc<str>, snapshot: &Snapshot<'_>, shape: &Shape, outline: &Model) -> Self {
        let find = |name: &str| -> Option<File> {
            let found = snapshot.entries().get_key_value([&**directory, "/", name].concat().as_str());
            found.map(|(path, entry)| (Arc::clone(path), entry.clone()))
        };
        let mut dockerfiles: Vec<File> = Vec::new();
        let is_own = |path: &str| outline.owner(path) == Some(directory);
        for pattern in &shape.dockerfiles {
            if let Some(path) = pattern.as_path() {
                dockerfiles.extend(find(path).filter(|(path, _)| is_own(path)));
                continue;
            }
            let own = snapshot.below(directory).filter(|(path, _)| is_own(path));
            let matching = own.filter(|(path, _)| shape.is_built_by(pattern, &path[directory.len() + 1..]));
            dockerfiles.extend(matching.map(|(path, entry)| (Arc::clone(path), entry.clone())));
        }
        let mut seen = BTreeSet::new();
        dockerfiles.retain(|(path, _)| seen.insert(Arc::clone(path)));
        Self {
            version: find(&shape.version_file),
            alias: shape.alias_file.as_deref().and_then(find),
            base: shape.base_file.as_deref().and_then(find),
            dockerfiles,
            windows_dockerfile: shape.windows_dockerfile.as_deref().and_then(find),
        }
    }

    fn all(&self) -> impl Iterator<Item = &File> {
        let single = [&self.version, &self.alias, &self.base, &self.windows_dockerfile];
        single.into_iter().flatten().chain(&self.dockerfiles)
    }
}

/// A file that says something about an image.
#[derive(Debug, Clone)]
pub struct Control<T> {
    /// Its path.
    pub path: Arc<str>,
    /// Its text and what it says; or why it has no text.
    pub read: Result<(Arc<Text>, T), Unreadable>,
}

/// A Dockerfile as it is built for one operating system.
#[derive(Debug, Clone)]
pub struct Build {
    /// The Dockerfile.
    pub path: Arc<str>,
    /// The platform of the build; where several differ in nothing that matters here, the first.
    pub target: Platform,
    /// What the file says, or why it cannot be read.
    pub file: Result<Parsed, Unparsed>,
}

/// A Dockerfile that could be read.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// Its text.
    pub text: Arc<Text>,
    /// What it says.
    pub dockerfile: Dockerfile,
    /// What each of its stages is built for.
    pub platforms: Vec<Platform>,
}

/// A Dockerfile that could not be read.
#[derive(Debug, Clone)]
pub struct Unparsed {
    /// Why.
    pub reason: String,
    /// Where.
    pub place: Place,
}

/// The file that says which version of an image is used.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its path.
    pub path: Arc<str>,
    /// Its text.
    pub text: Arc<Text>,
    /// The entries whose registry holds images of this tree, in the order of the file.
    pub entries: Vec<ManifestEntry>,
    /// The keys of all entries that can be read.
    keys: BTreeSet<String>,
}

/// An entry of the manifest.
#[derive(Debug, Clone)]
pub struct ManifestEntry {
    /// The constant that tests use it by.
    pub key: String,
    /// The image's name, with the directory that the registry stands for.
    pub name: String,
    /// The version.
    pub version: String,
    /// Where the version stands.
    pub span: Span,
    /// Whether the pack lets it stay behind.
    pub is_pinned: bool,
}

/// A literal that must equal a version.
#[derive(Debug, Clone)]
pub struct ConstantValue {
    /// The image, by its name.
    pub image: String,
    /// What stands there.
    pub value: String,
    /// Where.
    pub place: Place,
}

impl<T> Control<T> {
    fn new((path, read): (Arc<str>, Read), parse: impl FnOnce(&Text) -> T) -> Self {
        let parsed = read.map(|text| {
            let value = parse(&text);
            (text, value)
        });
        Self { path, read: parsed }
    }

    /// What the file says, where it could be read.
    pub fn value(&self) -> Option<&T> {
        self.read.as_ref().ok().map(|(_, value)| value)
    }

    /// A place in the file; the file as a whole where it has no text.
    pub fn place(&self, span: impl FnOnce(&T) -> Span) -> Place {
        match &self.read {
            Ok((text, value)) => Place::new(&self.path, text, span(value)),
            Err(_) => Place::file(&self.path),
        }
    }
}

/// The last stage of a build: what the image is.
#[derive(Clone)]
pub struct Final<'a> {
    /// The Dockerfile.
    pub path: &'a Arc<str>,
    /// Its text.
    pub text: &'a Arc<Text>,
    /// All that it says.
    pub dockerfile: &'a Dockerfile,
    /// The stage, and behind it those that it continues.
    pub stages: Vec<&'a Stage>,
}

impl<'a> Final<'a> {
    /// The instructions that make the image.
    pub fn instructions(&self) -> impl Iterator<Item = &'a Instruction> {
        self.stages.iter().flat_map(|stage| &stage.instructions)
    }

    /// What COPY and ADD bring into the image, with their instructions.
    pub fn copies(&self) -> impl Iterator<Item = (&'a Instruction, &'a Copy)> {
        self.stages.iter().flat_map(|stage| stage.copies())
    }

    /// The place of what COPY or ADD brings.
    pub fn place(&self, instruction: &Instruction, copy: &Copy) -> Place {
        Place::new(self.path, self.text, instruction.span.start..copy.destination.span.end)
    }

    /// The image that all of this is put on.
    pub fn base(&self) -> Option<&'a Word> {
        self.stages.last().map(|stage| &stage.image)
    }
}

impl Image {
    /// The last stages of the builds for an operating system, once a Dockerfile, where they are built for that themselves.
    pub fn finals(&self, os: &str) -> impl Iterator<Item = Final<'_>> {
        let mut seen = BTreeSet::new();
        let builds = self.builds.iter().filter(move |build| build.target.os == os && seen.insert(&build.path));
        builds.filter_map(move |build| {
            let Parsed { text, dockerfile, platforms } = build.file.as_ref().ok()?;
            let is_for_it = platforms.last()?.os == os;
            let stages = dockerfile.chain(platforms.len() - 1);
            is_for_it.then_some(Final { path: &build.path, text, dockerfile, stages })
        })
    }

    /// Whether a Dockerfile was found.
    pub fn has_dockerfile(&self) -> bool {
        !self.controls.dockerfiles.is_empty() || self.controls.windows_dockerfile.is_some()
    }

    /// The version, where there is one that an image can be tagged with.
    pub fn version(&self) -> Option<&str> {
        self.version.value().and_then(Version::usable)
    }

    /// Where the version stands.
    pub fn version_place(&self) -> Place {
        self.version.place(|version| version.span.clone())
    }

    /// The name under which the image is published.
    pub fn published(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

impl Model {
    /// Finds the images of a tree and reads none.
    pub fn outline(snapshot: &Snapshot<'_>, shape: &Shape) -> Self {
        let paths = snapshot.entries().keys();
        let directories = paths.filter_map(|path| path.strip_suffix(&*shape.version_file)?.strip_suffix('/'));
        let directories = directories.filter(|directory| shape.name_of(directory).is_some()).map(Arc::from);
        Self { directories: directories.collect(), ..Self::default() }
    }

    /// Reads all images of a tree, or `only` some of them and none of the files beside them. What `known` has read from the
    /// same files is taken from there.
    pub fn build(
        snapshot: &Snapshot<'_>,
        shape: &Shape,
        known: Option<&Self>,
        only: Option<&BTreeSet<Arc<str>>>,
    ) -> Result<Self, StoreError> {
        let outline = Self::outline(snapshot, shape);
        let is_wanted = |directory: &&Arc<str>| only.is_none_or(|only| only.contains(*directory));
        let directories: Vec<&Arc<str>> = outline.directories.iter().filter(is_wanted).collect();
        let read = |directory: &&Arc<str>| Image::read(directory, snapshot, shape, &outline, known);
        let images = each(&directories, WORTH_A_THREAD, read)?;
        let mut by_name: HashMap<String, Vec<Arc<str>>> = HashMap::new();
        for image in &images {
            by_name.entry(image.published().to_owned()).or_default().push(Arc::clone(&image.directory));
        }
        // A directory is found by its own name too, unless another image is published under that.
        for image in images.iter().filter(|image| image.alias.is_some()) {
            by_name.entry(image.name.to_string()).or_insert_with(|| vec![Arc::clone(&image.directory)]);
        }
        let mut constants = Vec::new();
        let mut manifest = None;
        if only.is_none() {
            for constant in &shape.constants {
                constants.extend(ConstantValue::read(constant, snapshot)?);
            }
            if let Some(manifest_shape) = &shape.manifest {
                manifest = Manifest::read(manifest_shape, &shape.tag_prefix, snapshot)?;
            }
        }
        Ok(Self {
            directories: outline.directories,
            manifest,
            images: images.into_iter().map(|image| (Arc::clone(&image.directory), image)).collect(),
            constants,
            by_name,
        })
    }

    /// The images that a name can mean: as a rule one; several where aliases make names equal.
    pub fn named(&self, name: &str) -> Vec<&Arc<Image>> {
        let find = |name: &str| self.by_name.get(name);
        // In trees of old the architecture was part of the name.
        let without_arch = || ARCHITECTURES.iter().find_map(|arch| find(name.strip_suffix(arch)?.strip_suffix('-')?));
        let directories = find(name).or_else(without_arch).map_or(&[][..], Vec::as_slice);
        directories.iter().filter_map(|directory| self.images.get(directory)).collect()
    }

    /// The images that are published under a name.
    pub fn published(&self, name: &str) -> Vec<&Image> {
        let named = self.named(name).into_iter().map(|image| &**image);
        named.filter(|image| image.published() == name).collect()
    }

    /// The images that an entry of the manifest can mean. Among images of one name, the directory that the entry's key spells
    /// is meant (`HttpdNew` is `httpd-new`).
    pub fn images_of_entry(&self, entry: &ManifestEntry) -> Vec<&Arc<Image>> {
        let candidates = self.named(&entry.name);
        let letters =
            |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let key = letters(&entry.key);
        match candidates.iter().find(|image| letters(&image.name) == key) {
            Some(image) if candidates.len() > 1 => vec![image],
            _ => candidates,
        }
    }

    /// The images of the tree that a last stage of an image is put on for an operating system.
    fn parents<'m>(&'m self, image: &Image, last: &Final<'_>, os: &str) -> Vec<&'m Arc<Image>> {
        let base = last.base().map(|base| base.span.start);
        let is_base = |reference: &&Reference| match &reference.origin {
            Origin::Base(platform) => platform.os == os,
            Origin::From => reference.path == *last.path && base == Some(reference.span.start),
            Origin::Copy => false,
        };
        image.references.iter().filter(is_base).flat_map(|reference| self.named(&reference.target)).collect()
    }

    /// Whether a last stage of an image has something, or one of those in the tree that it is put on for an operating system.
    pub fn inherits(&self, image: &Image, last: &Final<'_>, os: &str, has: &dyn Fn(&Final<'_>) -> bool) -> bool {
        let mut queue = vec![(image, last.clone())];
        let mut seen = BTreeSet::new();
        while let Some((image, last)) = queue.pop() {
            if has(&last) {
                return true;
            }
            if seen.insert((&image.directory, last.path)) {
                let parents = self.parents(image, &last, os).into_iter();
                queue.extend(parents.flat_map(|parent| parent.finals(os).map(|last| (&**parent, last))));
            }
        }
        false
    }

    /// The files of an image in a tree, by their path below its directory: those that it owns and that are no documentation.
    pub fn own_content<'f>(
        &self,
        image: &Image,
        files: &'f Snapshot<'_>,
        shape: &Shape,
    ) -> impl Iterator<Item = (&'f str, &'f Entry)> {
        let below = files.below(&image.directory).filter(|(path, _)| self.owner(path) == Some(&image.directory));
        let below = below.map(|(path, entry)| (&path[image.directory.len() + 1..], entry));
        below.filter(|(path, _)| !shape.ignore.is_match(path))
    }

    /// The directory of the image that owns a path: the nearest one above it.
    pub fn owner(&self, path: &str) -> Option<&Arc<str>> {
        directories_above(path).find_map(|directory| self.directories.get(directory))
    }
}

/// Does the same to every item, in order: on several threads from `many` items on, as it takes a while to start one.
fn each<T: Sync, U: Send>(
    items: &[T],
    many: usize,
    act: impl Fn(&T) -> Result<U, StoreError> + Sync + Send,
) -> Result<Vec<U>, StoreError> {
    if items.len() < many { items.iter().map(act).collect() } else { items.par_iter().map(act).collect() }
}

/// How many images are worth more than one thread: to start one takes as long as to read a few of them.
const WORTH_A_THREAD: usize = 16;

/// The architectures that Go and docker know, by Go's names.
const ARCHITECTURES: [&str; 11] =
    ["amd64", "arm64", "arm", "ppc64le", "s390x", "386", "riscv64", "mips64le", "mips64", "loong64", "ppc64"];

impl Image {
    fn read(
        directory: &Arc<str>,
        snapshot: &Snapshot<'_>,
        shape: &Shape,
        outline: &Model,
        known: Option<&Model>,
    ) -> Result<Arc<Self>, StoreError> {
        let controls = Controls::find(directory, snapshot, shape, outline);
        // What a link leads to may have changed where the link has not.
        if let Some(image) = known.and_then(|model| model.images.get(directory))
            && !controls.all().any(|(_, entry)| entry.kind == FileKind::Symlink)
            && image.controls == controls
        {
            return Ok(Arc::clone(image));
        }
        let read = |(path, _): &File| -> Result<Option<(Arc<str>, Read)>, StoreError> {
            Ok(snapshot.text(path)?.map(|read| (Arc::clone(path), read)))
        };
        let read_all = |files: &[File]| -> Result<Vec<(Arc<str>, Read)>, StoreError> {
            files.iter().filter_map(|file| read(file).transpose()).collect()
        };
        let one = |file: &Option<File>| Ok::<_, StoreError>(file.as_ref().map(read).transpose()?.flatten());
        // It is there: the directory was found by it.
        let version = one(&controls.version)?.unwrap_or_else(|| {
            let path = format!("{directory}/{}", shape.version_file);
            (path.into(), Err(Unreadable::Submodule))
        });
        let version = Control::new(version, Version::parse);
        let alias = one(&controls.alias)?.and_then(|(_, read)| read.ok());
        let alias = alias.map(|text| text.as_str().trim().to_owned()).filter(|alias| !alias.is_empty());
        let base = one(&controls.base)?.map(|file| Control::new(file, baseimage::parse));
        let name: Arc<str> = shape.name_of(directory).unwrap_or(directory).into();
        let mut image = Self {
            directory: Arc::clone(directory),
            name,
            alias,
            version,
            base,
            builds: Vec::new(),
            references: Vec::new(),
            controls: Controls::default(),
        };
        image.builds =
            image.builds(shape, &read_all(&controls.dockerfiles)?, &read_all(controls.windows_dockerfile.as_slice())?);
        image.references = reference::of_image(&image, shape);
        image.controls = controls;
        Ok(Arc::new(image))
    }

    /// The platforms that the image is built for.
    pub fn platforms(&self, shape: &Shape) -> Vec<Platform> {
        match &self.base {
            None => shape.default_platforms.clone(),
            Some(base) => base.value().into_iter().flatten().filter_map(|line| Platform::parse(&line.key)).collect(),
        }
    }

    /// Which Dockerfile is built for what, as the build script chooses. Platforms for which a file reads the same are one
    /// build: an operating system, and whether lines with the prefix are there.
    fn builds(&self, shape: &Shape, plain: &[(Arc<str>, Read)], windows: &[(Arc<str>, Read)]) -> Vec<Build> {
        let mut builds: Vec<Build> = Vec::new();
        let mut seen: Vec<(&str, String, Option<Prefixed>)> = Vec::new();
        let mut platforms = self.platforms(shape);
        if platforms.is_empty() && self.base.is_none() {
            platforms.push(Platform { os: "linux".to_owned(), arch: "amd64".to_owned(), os_version: None });
        }
        for target in platforms {
            let files = if target.is_windows() && !windows.is_empty() { windows } else { plain };
            let prefixed = if target.arch == "amd64" { Prefixed::Dropped } else { Prefixed::Kept };
            let prefix = shape.line_prefix.as_deref().map(|prefix| (prefix, prefixed));
            for (path, read) in files {
                let has_prefix =
                    |(prefix, _): &(&str, Prefixed)| read.as_ref().is_ok_and(|text| text.as_str().contains(prefix));
                let key = (&**path, target.os.clone(), prefix.filter(has_prefix).map(|(_, prefixed)| prefixed));
                if seen.contains(&key) {
                    continue;
                }
                seen.push(key);
                let file = match read {
                    Err(unreadable) => Err(Unparsed { reason: format!("it {unreadable}"), place: Place::file(path) }),
                    Ok(text) => match Dockerfile::parse(text, prefix) {
                        Ok(mut dockerfile) => {
                            // The build says what the base is, whatever the default.
                            if let Some(argument) = shape.base_file.as_deref().filter(|_| self.base.is_some()) {
                                dockerfile.forget_default(argument);
                            }
                            let platforms = dockerfile.platforms(&target);
                            Ok(Parsed { text: Arc::clone(text), dockerfile, platforms })
                        }
                        Err(Malformed { message, span }) => {
                            Err(Unparsed { reason: message, place: Place::new(path, text, span) })
                        }
                    },
                };
                builds.push(Build { path: Arc::clone(path), target: target.clone(), file });
            }
        }
        builds
    }
}

impl Manifest {
    fn read(shape: &ManifestShape, tag_prefix: &str, snapshot: &Snapshot<'_>) -> Result<Option<Self>, StoreError> {
        let Some(text) = snapshot.readable(&shape.path)? else { return Ok(None) };
        let code = code(&shape.path, &text);
        let (mut entries, mut keys) = (Vec::new(), BTreeSet::new());
        for found in shape.pattern.matches(&code) {
            let key = found.group("key").to_owned();
            keys.insert(key.clone());
            // `list.PromoterE2eRegistry` of newer trees is `promoterE2eRegistry` of older ones.
            let written = found.group("registry");
            let names = [written, written.rsplit('.').next().unwrap_or_default()];
            let registry = |name: &str| shape.registries.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            let Some((_, directory)) = names.into_iter().find_map(registry) else { continue };
            let name = found.group("name");
            let has_directory = directory.is_empty() || crate::text::is_below(name, directory);
            let (tag, span) = (found.group("version"), found.span("version"));
            let version = tag.strip_prefix(tag_prefix).filter(|version| !version.is_empty()).unwrap_or(tag);
            entries.push(ManifestEntry {
                is_pinned: shape.pinned.contains(&key),
                key,
                name: if has_directory { name.to_owned() } else { format!("{directory}/{name}") },
                version: version.to_owned(),
                span: span.end - version.len()..span.end,
            });
        }
        let (path, text) = (Arc::clone(&shape.path), Arc::clone(&text));
        Ok(Some(Self { path, text, entries, keys }))
    }

    /// The entries of another state of the file that it still has, as in `configs[Agnhost] =` or `Agnhost:`, but in a way that cannot
    /// be read; and where their keys stand.
    pub fn unread<'b>(&self, before: &'b Self) -> Vec<(&'b ManifestEntry, Span)> {
        let mut gone = before.entries.iter().filter(|entry| !self.keys.contains(&entry.key)).peekable();
        if gone.peek().is_none() {
            return Vec::new();
        }
        let code = code(&self.path, &self.text);
        let unread = gone.filter_map(|entry| {
            let is_assigned = |begin: &usize| {
                let before = code.as_str()[..*begin].trim_end();
                let rest = &code.as_str()[begin + entry.key.len()..];
                let value = rest.strip_prefix(']').and_then(|rest| rest.trim_start().strip_prefix('='));
                let is_index = before.ends_with('[') && value.is_some_and(|value| !value.starts_with('='));
                is_index || (before.ends_with(['{', ',']) && rest.trim_start().starts_with(':'))
            };
            let mut places = code.as_str().match_indices(&entry.key).map(|(begin, _)| begin);
            let begin = places.find(is_assigned)?;
            Some((entry, begin..begin + entry.key.len()))
        });
        unread.collect()
    }

    /// Where the version of an entry stands.
    pub fn place(&self, entry: &ManifestEntry) -> Place {
        Place::new(&self.path, &self.text, entry.span.clone())
    }
}

/// What patterns are looked for in: of a Go file, what is neither comment nor raw string. Every byte keeps its place.
fn code<'t>(path: &str, text: &'t Arc<Text>) -> Cow<'t, Text> {
    if Path::new(path).extension().is_some_and(|extension| extension == "go") {
        Cow::Owned(Text::from(&*go::code(text)))
    } else {
        Cow::Borrowed(&**text)
    }
}

impl ConstantValue {
    fn read(constant: &Constant, snapshot: &Snapshot<'_>) -> Result<Option<Self>, StoreError> {
        let Some(text) = snapshot.readable(&constant.path)? else { return Ok(None) };
        let code = code(&constant.path, &text);
        let found = constant.pattern.matches(&code).next();
        Ok(found.map(|found| Self {
            image: constant.image.clone(),
            value: found.group("value").to_owned(),
            place: Place::new(&constant.path, &text, found.span("value")),
        }))
    }
}
