//! One image: the files that say what it is, and what its Dockerfiles build.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::build::{Argument, Build, Control, Final, ParseError, Parsed};
use super::directories::{Directories, Found, VersionFile, version_file};
use super::reference::{self, Reference};
use super::shared::Shared;
use crate::edit::Edit;
use crate::finding::Location;
use crate::parse::baseimage::{self, Platform};
use crate::parse::dockerfile::{DockerfileError, Given, Prefixed, Surroundings, Syntax};
use crate::parse::version::{Scheme, Variant, Version};
use crate::path::{file_name, in_directory, without_directory};
use crate::shape::{ArgumentValue, BuildArgument, Shape};
use crate::snapshot::{Entry, FileKind, Read, ReadError, Snapshot, StoreError};
use crate::text::Span;

/// A directory with a version file.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its directory in the tree, without a closing slash; empty for the image in the root.
    pub directory: Arc<str>,
    /// The path of the directory below its root: the name by which people and the build script call the image.
    pub name: Arc<str>,
    /// The name under which the image is published, where that is another one.
    pub alias: Option<String>,
    /// What it is, where it is no image that a registry holds, such as a chart.
    pub kind: Option<Arc<str>>,
    /// Why it cannot be told under which name that is.
    pub alias_error: Option<StoreError>,
    /// The file that the version stands in; `None` where the image has no version of its own, and needs none.
    pub version_file: Option<Control<Version>>,
    /// What findings call the version: `VERSION`, or the place in a file that holds more.
    pub version_name: Arc<str>,
    /// The file that lists the bases by platform.
    pub base_file: Option<Control<Vec<baseimage::Line>>>,
    /// The directory that is the context of its builds.
    pub context: String,
    /// The Dockerfiles, once for every platform that changes what their stages are built for.
    pub builds: Shared<Build>,
    /// What the build gives to arguments of the Dockerfiles, as far as it stands in files that can be read.
    pub arguments: Vec<Argument>,
    /// The arguments that a file gives a value which cannot be told.
    unknown_arguments: Vec<String>,
    /// Where the image names other images of the tree.
    pub references: Shared<Reference>,
    /// The control files that all of this was read from.
    controls: Controls,
}

/// About how many bytes an image takes, beside what its files say.
const SIZE: usize = 4 << 10;

/// About how many bytes a byte of its files takes, once it is read.
const SIZE_A_BYTE: usize = 16;

/// A file of a tree: its path, and what lies there.
type File = (Arc<str>, Entry);

/// The files that say what an image is and how it is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Controls {
    version: Option<File>,
    alias: Option<File>,
    base: Option<File>,
    dockerfiles: Vec<File>,
    windows_dockerfile: Option<File>,
    /// The files that hold what the build gives to arguments, with the names of these.
    arguments: Vec<(String, File)>,
}

impl Controls {
    fn find(
        directory: &Arc<str>,
        version: Option<&str>,
        snapshot: &Snapshot<'_>,
        shape: &Shape,
        directories: &Directories,
    ) -> Self {
        let at = |path: &str| -> Option<File> {
            let found = snapshot.entries().get_key_value(path);
            found.map(|(path, entry)| (Arc::clone(path), entry.clone()))
        };
        let find = |name: &str| at(&in_directory(directory, name));
        let mut dockerfiles: Vec<File> = Vec::new();
        let is_own = |path: &str| directories.owner(path) == Some(directory);
        for pattern in &shape.dockerfiles {
            if let Some(path) = pattern.as_path() {
                dockerfiles.extend(find(path).filter(|(path, _)| is_own(path)));
                continue;
            }
            let own = snapshot.below(directory).filter(|(path, _)| is_own(path));
            let matching = own.filter(|(path, _)| shape.is_dockerfile_of(pattern, without_directory(path, directory)));
            dockerfiles.extend(matching.map(|(path, entry)| (Arc::clone(path), entry.clone())));
        }
        let mut seen = BTreeSet::new();
        dockerfiles.retain(|(path, _)| seen.insert(Arc::clone(path)));
        Self {
            version: version.and_then(at),
            alias: shape.alias_file.as_deref().and_then(find),
            base: shape.base_file.as_deref().and_then(find),
            dockerfiles,
            windows_dockerfile: shape.windows_dockerfile.as_deref().and_then(find),
            arguments: arguments(directory, snapshot, shape),
        }
    }

    /// Whether all others are the same, and only the version is another.
    fn differ_in_version_alone(&self, other: &Self) -> bool {
        let Self { version: _, alias, base, dockerfiles, windows_dockerfile, arguments } = self;
        *alias == other.alias
            && *base == other.base
            && *dockerfiles == other.dockerfiles
            && *windows_dockerfile == other.windows_dockerfile
            && *arguments == other.arguments
    }

    /// Whether the builds are the same as far as the Dockerfiles and what they are given tell.
    fn build_alike(&self, other: &Self) -> bool {
        self.dockerfiles == other.dockerfiles
            && self.windows_dockerfile == other.windows_dockerfile
            && self.arguments == other.arguments
    }

    /// The number under which what was read of them is known.
    fn number(&self, shape: &Shape) -> u64 {
        let mut hasher = DefaultHasher::new();
        (shape.id, self).hash(&mut hasher);
        hasher.finish()
    }

    fn all(&self) -> impl Iterator<Item = &File> {
        let single = [&self.version, &self.alias, &self.base, &self.windows_dockerfile];
        let arguments = self.arguments.iter().map(|(_, file)| file);
        single.into_iter().flatten().chain(&self.dockerfiles).chain(arguments)
    }
}

/// The files that hold what the build of an image gives to arguments.
fn arguments(directory: &str, snapshot: &Snapshot<'_>, shape: &Shape) -> Vec<(String, File)> {
    let mut found: Vec<(String, File)> = Vec::new();
    for (name, file) in shape.argument_files() {
        // Of several files the first that is there counts.
        if found.iter().any(|(known, _)| known == name) {
            continue;
        }
        if let Some((path, entry)) = snapshot.entries().get_key_value(file.of(directory).as_str()) {
            found.push((name.to_owned(), (Arc::clone(path), entry.clone())));
        }
    }
    found
}

/// The file with the version of an image, and what findings call it.
fn read_version(
    found: &Found<'_>,
    controls: &Controls,
    snapshot: &Snapshot<'_>,
) -> Result<(Option<Control<Version>>, Arc<str>), StoreError> {
    let Found::File(VersionFile { source, path }) = found else { return Ok((None, Arc::from("version"))) };
    let name = source.name_at(path);
    if let Some((path, _)) = &controls.version
        && let Some(read) = snapshot.text(path)?
    {
        return Ok((Some(Control::new((Arc::clone(path), read), |text| source.locate(text))), name));
    }
    Ok((Some(Control { path: path.as_str().into(), read: Err(ReadError::Submodule) }), name))
}

impl Image {
    /// The last stages of the builds for an operating system, where they are built for that themselves.
    pub fn finals(&self, os: &str) -> impl Iterator<Item = Final<'_>> {
        let builds = self.builds.iter().filter(move |build| build.target.os == os);
        builds.filter_map(move |build| {
            let Parsed { text, dockerfile } = build.file.as_ref().ok()?;
            let is_for_it = dockerfile.stages.last()?.built_for.as_ref().is_some_and(|platform| platform.os == os);
            let stages = dockerfile.chain(dockerfile.stages.len() - 1);
            is_for_it.then_some(Final { path: &build.path, text, dockerfile, stages })
        })
    }

    /// Whether the image has no version of its own, and needs none.
    pub fn is_unversioned(&self) -> bool {
        self.version_file.is_none()
    }

    /// Whether a Dockerfile was found.
    pub fn has_dockerfile(&self) -> bool {
        !self.controls.dockerfiles.is_empty() || self.controls.windows_dockerfile.is_some()
    }

    /// What its version file says, where it can be read.
    pub fn stated_version(&self) -> Option<&Version> {
        self.version_file.as_ref()?.value()
    }

    /// Whether its version stands in this file.
    pub fn has_version_in(&self, path: &str) -> bool {
        self.version_file.as_ref().is_some_and(|file| *file.path == *path)
    }

    /// Whether it can be told what a file gives to an argument, if anything.
    pub(super) fn tells(&self, argument: &str) -> bool {
        !self.unknown_arguments.iter().any(|unknown| unknown == argument)
    }

    /// The version, where there is one that an image can be tagged with.
    pub fn version(&self) -> Option<&str> {
        self.stated_version().and_then(Version::usable)
    }

    /// What counts as a version of the image, which of two is higher, and what follows one.
    pub fn scheme(&self) -> Scheme {
        self.stated_version().map_or_else(Scheme::default, |version| version.scheme)
    }

    /// The order of two of its versions; `None` where they cannot be ordered. Names of versions that its scheme does not know, as in
    /// tags that are shortened, are ordered number by number.
    pub fn order(&self, one: &str, other: &str) -> Option<Ordering> {
        let scheme = self.scheme();
        if scheme.is_version(one) && scheme.is_version(other) {
            scheme.order(one, other)
        } else {
            Scheme::Tag.order(one, other)
        }
    }

    /// The edits that give the image another version; `None` where it has none that could be replaced.
    pub fn version_edits(&self, new: &str) -> Option<Vec<Edit>> {
        let file = self.version_file.as_ref()?;
        let version = file.value()?;
        match &version.variants[..] {
            [] => Some(vec![Edit::replace(&file.path, &version.span, version.spelled(new))]),
            [only] => self.variant_edits(only, new),
            _ => None,
        }
    }

    /// The edits that give a variant another version; `None` where something that repeats it cannot follow.
    pub fn variant_edits(&self, variant: &Variant, new: &str) -> Option<Vec<Edit>> {
        let path = &self.version_file.as_ref()?.path;
        let mut edits = Vec::new();
        for (span, text) in variant.replacements(new)? {
            edits.push(Edit::replace(path, &span, text));
        }
        Some(edits)
    }

    /// The variants of an image that has several, each with a version of its own: as a whole it has none then.
    pub fn variants(&self) -> &[Variant] {
        let variants = self.stated_version().map_or(&[][..], |version| &version.variants);
        if variants.len() > 1 { variants } else { &[] }
    }

    /// The variant of this name.
    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.stated_version()?.variants.iter().find(|variant| variant.name == name)
    }

    /// All versions that images can be tagged with: one, or those of its variants.
    pub fn versions(&self) -> Vec<&str> {
        let of_variants = self.variants().iter().filter_map(|variant| variant.version.usable());
        self.version().into_iter().chain(of_variants).collect()
    }

    /// The tags that it has, as a sentence lists them: of several variants each its own.
    pub fn tags(&self, shape: &Shape) -> String {
        let tags: Vec<String> = self.versions().into_iter().map(|version| shape.tag_of(version)).collect();
        tags.join(" or ")
    }

    /// The version, or of several variants the one that is most like another version.
    pub fn version_like(&self, named: &str) -> Option<&str> {
        let mut like: Option<(usize, &str)> = None;
        for version in self.versions() {
            let same = version.bytes().zip(named.bytes()).take_while(|(one, other)| one == other).count();
            if like.is_none_or(|(most, _)| same > most) {
                like = Some((same, version));
            }
        }
        like.map(|(_, version)| version)
    }

    /// The version, or of several variants the list of theirs.
    pub fn version_identity(&self) -> Option<&str> {
        self.stated_version().and_then(Version::identity)
    }

    /// The version as lists show it, or why there is none.
    pub fn version_words(&self) -> &str {
        let missing = if self.is_unversioned() { "(no version of its own)" } else { "(no usable version)" };
        self.version_identity().unwrap_or(missing)
    }

    /// Where the version of a variant stands.
    pub fn variant_location(&self, variant: &Variant) -> Location {
        self.location_of(|_| variant.version.span.clone())
    }

    /// What findings call the version of a variant.
    pub fn variant_words(&self, variant: &Variant) -> String {
        let file = self.version_file.as_ref().map_or("", |file| file_name(&file.path));
        format!("`{}` in {file}", variant.key)
    }

    /// Where the version stands; what the image is built from, where it has none of its own.
    pub fn version_location(&self) -> Location {
        self.location_of(|version| version.span.clone())
    }

    fn location_of(&self, span: impl FnOnce(&Version) -> Span) -> Location {
        match (&self.version_file, self.builds.first()) {
            (Some(file), _) => file.location(span),
            (None, Some(build)) => Location::file(&build.path),
            (None, None) => Location::file(&self.directory),
        }
    }

    /// The name under which the image is published.
    pub fn published(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }

    /// What it is referred to by in its tree: what is no image has names of its own.
    pub fn target(&self) -> String {
        kind_target(self.kind.as_deref(), self.published().to_owned())
    }

    /// The names, without host and tag, that base file and Dockerfiles give to images under registries that are listed.
    pub fn own_names(&self, shape: &Shape) -> Vec<String> {
        self.names().filter(|name| reference::is_own(name, shape)).collect()
    }

    /// The same under all other registries.
    pub fn foreign_names(&self, shape: &Shape) -> Vec<String> {
        self.names().filter(|name| !reference::is_own(name, shape)).collect()
    }

    fn names(&self) -> impl Iterator<Item = String> {
        reference::names(self.base_file.as_ref(), &self.builds).into_iter()
    }
}

impl Image {
    pub(super) fn read(
        directory: &Arc<str>,
        snapshot: &Snapshot<'_>,
        shape: &Shape,
        directories: &Directories,
        known: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, StoreError> {
        let found = version_file(directory, snapshot, shape)?;
        let version_path = if let Found::File(file) = &found { Some(file.path.as_str()) } else { None };
        let controls = Controls::find(directory, version_path, snapshot, shape, directories);
        // What a link leads to may have changed where the link has not.
        if controls.all().any(|(_, entry)| entry.kind == FileKind::Symlink) {
            return Self::of_controls(directory, &found, controls, None, snapshot, shape).map(Arc::new);
        }
        if let Some(known) = known {
            if known.controls == controls {
                return Ok(Arc::clone(known));
            }
            // A bump: nothing else depends on it.
            if known.controls.differ_in_version_alone(&controls) {
                let (version_file, version_name) = read_version(&found, &controls, snapshot)?;
                return Ok(Arc::new(Self { version_file, version_name, controls, ..Self::clone(known) }));
            }
        }
        let derived = snapshot.derived();
        if !derived.is_wanted() {
            return Self::of_controls(directory, &found, controls, known, snapshot, shape).map(Arc::new);
        }
        let number = controls.number(shape);
        if let Some(image) = derived.get::<Self>(number).filter(|image| image.controls == controls) {
            return Ok(image);
        }
        let image = Arc::new(Self::of_controls(directory, &found, controls, known, snapshot, shape)?);
        derived.keep(number, &image, image.size());
        Ok(image)
    }

    /// About how many bytes it takes: its texts are kept with it.
    fn size(&self) -> usize {
        let mut size = SIZE;
        for build in &self.builds {
            size += SIZE_A_BYTE * build.text().map_or(0, |text| text.bytes().len());
        }
        let base = self.base_file.as_ref().and_then(|base| base.read.as_ref().ok());
        size + SIZE_A_BYTE * base.map_or(0, |(text, _)| text.bytes().len())
    }

    /// Reads the files that say what it is. What `known`, another state of it, has from the same ones is taken from there.
    fn of_controls(
        directory: &Arc<str>,
        found: &Found<'_>,
        controls: Controls,
        known: Option<&Arc<Self>>,
        snapshot: &Snapshot<'_>,
        shape: &Shape,
    ) -> Result<Self, StoreError> {
        let read = |(path, _): &File| -> Result<Option<(Arc<str>, Read)>, StoreError> {
            Ok(snapshot.text(path)?.map(|read| (Arc::clone(path), read)))
        };
        let read_all = |files: &[File]| -> Result<Vec<(Arc<str>, Read)>, StoreError> {
            files.iter().filter_map(|file| read(file).transpose()).collect()
        };
        let one = |file: &Option<File>| Ok::<_, StoreError>(file.as_ref().map(read).transpose()?.flatten());
        let (version_file, version_name) = read_version(found, &controls, snapshot)?;
        let (alias, alias_error) = match one(&controls.alias)? {
            None => (None, None),
            Some((path, read)) => match read_alias(&path, read) {
                Ok(alias) => (alias, None),
                Err(error) => (None, Some(error)),
            },
        };
        let base = one(&controls.base)?.map(|file| Control::new(file, baseimage::parse));
        let name: Arc<str> = shape.name_of(directory).unwrap_or(directory).into();
        let alias = shape.published_names.get(&*name).cloned().or(alias);
        let mut image = Self {
            directory: Arc::clone(directory),
            name,
            alias,
            kind: if let Found::File(VersionFile { source, .. }) = found { source.kind.clone() } else { None },
            alias_error,
            version_file,
            version_name,
            base_file: base,
            context: shape.context_of(directory),
            builds: Shared::default(),
            arguments: Vec::new(),
            unknown_arguments: Vec::new(),
            references: Shared::default(),
            controls: Controls::default(),
        };
        for (name, file) in &controls.arguments {
            if let Some((path, Ok(text))) = read(file)?
                && let Some((_, described)) =
                    shape.argument_files().find(|(known, file)| known == name && *file.of(directory) == *path)
            {
                let registries: Vec<&str> = shape.registry_variables().collect();
                let Some(values) = described.values(&text, &registries) else {
                    image.unknown_arguments.push(name.clone());
                    continue;
                };
                for ArgumentValue { value, span } in values {
                    let (name, path, text) = (name.clone(), Arc::clone(&path), Arc::clone(&text));
                    image.arguments.push(Argument { name, path, text, span, value, follows: described.follows });
                }
            }
        }
        image.builds = if let Some(known) = known.filter(|known| image.is_built_like(known, &controls, shape)) {
            known.builds.clone()
        } else {
            let windows = read_all(controls.windows_dockerfile.as_slice())?;
            image.builds(shape, &read_all(&controls.dockerfiles)?, &windows).into()
        };
        image.references = reference::of_image(image.base_file.as_ref(), &image.builds, &image.arguments, shape).into();
        image.controls = controls;
        Ok(image)
    }

    /// Whether its Dockerfiles say what they said to another state of it: another base for the same platforms changes nothing of that.
    fn is_built_like(&self, known: &Self, controls: &Controls, shape: &Shape) -> bool {
        known.controls.build_alike(controls)
            && known.base_file.is_some() == self.base_file.is_some()
            && known.platforms(shape) == self.platforms(shape)
    }

    /// The platforms that the image is built for.
    pub fn platforms(&self, shape: &Shape) -> Vec<Platform> {
        match &self.base_file {
            None => shape.default_platforms.clone(),
            Some(base) => base.value().into_iter().flatten().filter_map(|line| Platform::parse(&line.key)).collect(),
        }
    }

    /// How many values the argument has that may have most of them.
    fn choices(&self) -> usize {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for argument in &self.arguments {
            *counts.entry(&argument.name).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(1)
    }

    /// Which Dockerfile is built for what, as the build script chooses. Platforms for which a file says the same are one build.
    fn builds(&self, shape: &Shape, plain: &[(Arc<str>, Read)], windows: &[(Arc<str>, Read)]) -> Vec<Build> {
        let mut targets = self.platforms(shape);
        if targets.is_empty() && self.base_file.is_none() {
            targets.push(Platform { os: "linux".to_owned(), arch: "amd64".to_owned(), os_version: None });
        }
        let mut builder = Builder {
            image: self,
            shape,
            choice: 0,
            syntaxes: HashMap::new(),
            keys: HashSet::new(),
            builds: Vec::new(),
        };
        for choice in 0..self.choices() {
            builder.choice = choice;
            for target in &targets {
                let is_windows = target.is_windows() && !windows.is_empty();
                // The build script looks for lines to rewrite in the one file alone.
                let prefix = shape.line_prefix.as_deref().filter(|_| !is_windows);
                for (path, read) in if is_windows { windows } else { plain } {
                    if read.as_ref().is_ok_and(|text| shape.is_template(text)) {
                        continue;
                    }
                    if builder.add(path, read, target, prefix).is_break() {
                        return builder.builds;
                    }
                }
            }
        }
        builder.builds
    }
}

/// What a name means where it is that of something of a kind of its own.
pub(super) fn kind_target(kind: Option<&str>, name: String) -> String {
    if let Some(kind) = kind { format!("{kind}:{name}") } else { name }
}

/// The name that a file gives to an image, as a shell reads it, which passes over bytes of zero and line ends at the end; none where
/// it is empty.
fn read_alias(path: &str, read: Read) -> Result<Option<String>, StoreError> {
    let text = read.map_err(|unreadable| StoreError::unreadable(path, &unreadable))?;
    let alias = text.as_str().replace('\0', "");
    let alias = alias.trim();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-:".contains(byte);
    if !alias.as_bytes().iter().all(is_part) {
        let reason = "it does not hold the name of an image".to_owned();
        let help = Some("write the name that the image is published under into it, and nothing else".to_owned());
        return Err(StoreError { path: path.to_owned(), reason, help });
    }
    Ok((!alias.is_empty()).then(|| alias.to_owned()))
}

/// For how many platforms one image is looked at. There are not that many that anybody builds for.
const MAX_BUILDS: usize = 64;

/// How many instructions the builds of an image may have together.
const MAX_INSTRUCTIONS: usize = 400_000;

/// How many a single Dockerfile may have. The longest that people wrote have some thousand.
const MAX_INSTRUCTIONS_OF_ONE: usize = 100_000;

/// What makes the builds of a file differ: its path, the system, what happens to lines with the prefix, the whole platform where the
/// file speaks of it, and which of several values arguments have.
type BuildKey<'a> = (&'a str, &'a str, Option<Prefixed>, Option<&'a Platform>, usize);

/// What makes the syntax of a file differ: its path, and what happens to lines with the prefix.
type SyntaxKey<'a> = (&'a str, Option<Prefixed>);

/// Finds the builds of an image.
struct Builder<'a> {
    image: &'a Image,
    shape: &'a Shape,
    /// Which value is given to arguments that may have several, by its number.
    choice: usize,
    /// The Dockerfiles as they are written, by path and by what happens to lines with the prefix.
    syntaxes: HashMap<SyntaxKey<'a>, Result<Arc<Syntax>, DockerfileError>>,
    keys: HashSet<BuildKey<'a>>,
    builds: Vec<Build>,
}

impl<'a> Builder<'a> {
    /// Adds the build of a file for a platform. Stops where there are too many.
    fn add(
        &mut self,
        path: &'a Arc<str>,
        read: &'a Read,
        target: &'a Platform,
        prefix: Option<&'a str>,
    ) -> ControlFlow<()> {
        let source = read.as_ref().map_or("", |text| text.as_str());
        let effect = if target.arch == "amd64" { Prefixed::Dropped } else { Prefixed::Kept };
        let prefix = prefix.filter(|prefix| source.contains(prefix)).map(|prefix| (prefix, effect));
        let prefixed = prefix.map(|(_, effect)| effect);
        let whole = Some(target).filter(|_| self.speaks_of_target(source));
        if !self.keys.insert((path, &target.os, prefixed, whole, self.choice)) {
            return ControlFlow::Continue(());
        }
        if self.keys.len() > MAX_BUILDS {
            return self.refuse(path, target, format!("it would be built for more than {MAX_BUILDS} platforms"));
        }
        let text = match read {
            Ok(text) => text,
            Err(unreadable) => {
                let error = ParseError { reason: format!("it {unreadable}"), location: Location::file(path) };
                self.push(path, target, Err(error));
                return ControlFlow::Continue(());
            }
        };
        let syntax = self.syntaxes.entry((path, prefixed)).or_insert_with(|| Syntax::parse(text, prefix).map(Arc::new));
        let syntax = match syntax {
            Ok(syntax) => Arc::clone(syntax),
            Err(DockerfileError { message, span, .. }) => {
                let error = ParseError { reason: message.clone(), location: Location::new(path, text, span.clone()) };
                self.push(path, target, Err(error));
                return ControlFlow::Continue(());
            }
        };
        if syntax.len() > MAX_INSTRUCTIONS_OF_ONE {
            let reason = format!("it has more than {MAX_INSTRUCTIONS_OF_ONE} instructions");
            return self.refuse(path, target, reason);
        }
        if (self.builds.len() + 1) * syntax.len() > MAX_INSTRUCTIONS {
            return self.refuse(path, target, "it is too long for so many platforms".to_owned());
        }
        let dockerfile = Arc::new(syntax.resolve(&self.surroundings(target)));
        let is_like = |build: &Build| {
            let known = build.file.as_ref().map(|parsed| &parsed.dockerfile);
            build.path == *path
                && build.target.os == target.os
                && known.is_ok_and(|known| known.says_the_same(&dockerfile))
        };
        if !self.builds.iter().any(is_like) {
            self.push(path, target, Ok(Parsed { text: Arc::clone(text), dockerfile }));
        }
        ControlFlow::Continue(())
    }

    fn push(&mut self, path: &Arc<str>, target: &Platform, file: Result<Parsed, ParseError>) {
        self.builds.push(Build { path: Arc::clone(path), target: target.clone(), file });
    }

    fn refuse(&mut self, path: &Arc<str>, target: &Platform, reason: String) -> ControlFlow<()> {
        self.push(path, target, Err(ParseError { reason, location: Location::file(path) }));
        ControlFlow::Break(())
    }

    /// Whether a Dockerfile may say something else to every platform, rather than to every system.
    fn speaks_of_target(&self, source: &str) -> bool {
        let mut arguments = self.shape.build_arguments.iter();
        source.contains("TARGET")
            || arguments
                .any(|(name, argument)| matches!(argument, BuildArgument::OsVersion) && source.contains(name.as_str()))
    }

    /// What the build script gives to the build for a platform.
    fn surroundings(&self, target: &Platform) -> Surroundings {
        let mut arguments = BTreeMap::new();
        for name in self.shape.registry_variables() {
            arguments.insert(name.to_owned(), Given::Unknown);
        }
        for (name, argument) in &self.shape.build_arguments {
            let given = match argument {
                BuildArgument::Base if self.image.base_file.is_none() => continue,
                BuildArgument::Base | BuildArgument::Registry => Given::Unknown,
                BuildArgument::OsVersion => Given::Value(target.os_version.clone().unwrap_or_default()),
                BuildArgument::Files(_) => {
                    let mut values = self.image.arguments.iter().filter(|known| known.name == *name);
                    let last = values.clone().next_back();
                    match values.nth(self.choice).or(last) {
                        Some(argument) => Given::Value(argument.value.as_str().to_owned()),
                        // The default holds.
                        None if argument.is_variable() && !self.image.unknown_arguments.contains(name) => continue,
                        None => Given::Unknown,
                    }
                }
            };
            arguments.insert(name.clone(), given);
        }
        Surroundings { target: target.clone(), arguments }
    }
}
