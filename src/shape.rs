//! What a pack says of the repository that it is for: where images lie, how they name each other, what builds them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Formatter};
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::parse::baseimage::Platform;
use crate::parse::capture::Pattern;
use crate::parse::gitattributes;
use crate::parse::glob::{self, Globs, Ignore, PathPattern};
use crate::parse::version_source::{Key, VersionForm, VersionSource};
use crate::snapshot::{Scope, Snapshot, StoreError};
use crate::text::{Text, directories_above, file_name, is_below};
use crate::workflow::Workflow;

/// The description as it stands in `pack.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PackFile {
    /// What the pack is for, in one line.
    pub summary: String,
    /// Files of which one tells that a repository is of this kind.
    #[serde(default)]
    #[expect(dead_code, reason = "looked at before a pack is chosen")]
    markers: Vec<String>,
    /// The pack that has the rules that this one lacks.
    #[expect(dead_code, reason = "followed before a pack is loaded")]
    extends: Option<String>,
    images: Images,
    #[serde(default)]
    references: References,
    #[serde(default)]
    build: Build,
    binaries: Option<Binaries>,
    manifest: Option<ManifestShape>,
    dependencies: Option<DependenciesShape>,
    #[serde(default)]
    constants: Vec<Constant>,
    #[serde(default)]
    workflow: Workflow,
}

/// `[images]`: what an image is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Images {
    /// The directories below which images lie.
    roots: Vec<Directory>,
    /// Where an image's version stands. The file makes a directory an image.
    version: Versions,
    /// The file that holds the name under which an image is published, if it is not the directory's.
    alias_file: Option<FileName>,
    /// Whether an image may lie in the directory of another one. If not, all of a directory belongs to the outermost.
    #[serde(default = "yes")]
    nested: bool,
    /// The image in the root of the repository.
    root: Option<RootImage>,
    /// Files of an image that are no part of its content: glob patterns, or directories with a closing slash.
    #[serde(default)]
    ignore: Vec<IgnorePattern>,
    /// Files outside of the images that are part of them.
    #[serde(default)]
    shared: Vec<Shared>,
    /// Images that are those of somebody else under another name.
    #[serde(default)]
    mirrored: Globs,
    /// Further images that carry another project's version.
    #[serde(default)]
    upstream_versions: Globs,
    /// Images that keep their version, whatever changes in them.
    #[serde(default)]
    frozen: Globs,
    /// Files beside the images that all of them are built anew for, under their present tags.
    #[serde(default)]
    build_inputs: Vec<PathPattern>,
}

/// `[references]`: how an image names another one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct References {
    /// The file that lists an image's bases by platform.
    base_file: Option<FileName>,
    /// What stands before the name of an image of this tree.
    #[serde(default)]
    registries: Vec<Registry>,
    /// Whether tags end with the platform, as in `1.0-linux-amd64`.
    #[serde(default)]
    platform_suffix: bool,
    /// What stands before the version in tags, as in `v1.0`.
    #[serde(default)]
    tag_prefix: String,
    /// Tags that name no version, but whatever was pushed last.
    #[serde(default)]
    floating: Globs,
}

/// Files outside of the images that are part of them.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The files, from the root of the repository: what matches, and all below directories that match.
    pub path: PathPattern,
    /// The images that they are part of; `None` for all.
    pub images: Option<Globs>,
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SharedVisitor)
    }
}

/// Reads a path, or a table. An untagged enum would not say what is wrong with either.
struct SharedVisitor;

impl<'de> Visitor<'de> for SharedVisitor {
    type Value = Shared;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a path, or a table with `path` and `images`")
    }

    fn visit_str<E: Error>(self, path: &str) -> Result<Shared, E> {
        Ok(Shared { path: PathPattern::new(path).map_err(E::custom)?, images: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Shared, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            path: PathPattern,
            images: Globs,
        }
        let Table { path, images } = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Shared { path, images: Some(images) })
    }
}

impl Shared {
    /// Whether a file is one of them. Documentation is where it is named itself.
    pub fn has(&self, path: &str, shape: &Shape) -> bool {
        self.path.as_str() == path || (self.path.covers(path) && !shape.ignore.is_match(path))
    }

    /// Whether the files are part of the image of this name.
    pub fn is_of(&self, image: &str) -> bool {
        self.images.as_ref().is_none_or(|images| images.is_match(image))
    }
}

/// `[images.root]`: the image whose directory is the repository itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RootImage {
    /// Its name, as it has no directory that could give it one.
    pub name: String,
    /// What it is made of: files, directories and patterns. The rest of the repository is none of its content.
    pub content: Vec<PathPattern>,
}

/// One place where a version may stand, or several.
#[derive(Debug, Clone)]
struct Versions(Vec<VersionSource>);

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VersionsVisitor)
    }
}

/// Reads the name of a file, a table, or a list of these. An untagged enum would not say what is wrong with any.
struct VersionsVisitor;

impl<'de> Visitor<'de> for VersionsVisitor {
    type Value = Versions;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a file, a table with `file` and `key` or `pattern`, or a list of these")
    }

    fn visit_str<E: Error>(self, file: &str) -> Result<Versions, E> {
        let file = plain_file_name(file).map_err(E::custom)?;
        Ok(Versions(vec![VersionSource::new(file, VersionForm::WholeFile)]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Versions, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            file: FileName,
            key: Option<String>,
            pattern: Option<String>,
            require: Option<String>,
        }
        let Table { file: FileName(file), key, pattern, require } =
            Table::deserialize(MapAccessDeserializer::new(map))?;
        let form = match (key, pattern) {
            (None, None) => VersionForm::WholeFile,
            (Some(key), None) => VersionForm::Key(Key::new(&file, &key).map_err(A::Error::custom)?),
            (None, Some(pattern)) => {
                VersionForm::Pattern(Pattern::new(&pattern, &["version"]).map_err(A::Error::custom)?)
            }
            (Some(_), Some(_)) => {
                return Err(A::Error::custom("a version stands under a `key` or where a `pattern` finds it, not both"));
            }
        };
        let required = require.map(|key| Key::new(&file, &key)).transpose().map_err(A::Error::custom)?;
        Ok(Versions(vec![VersionSource { required, ..VersionSource::new(file, form) }]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Versions, A::Error> {
        let mut versions = Vec::new();
        while let Some(Versions(one)) = list.next_element()? {
            versions.extend(one);
        }
        if versions.is_empty() {
            return Err(A::Error::custom("name at least one file that holds the version of an image"));
        }
        Ok(Versions(versions))
    }
}

/// A spelling of the registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Registry {
    Plain(String),
    /// A registry that holds the images of one directory below the root, by their last name.
    Of {
        name: String,
        directory: String,
    },
}

/// `[build]`: which Dockerfile is built for which platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Build {
    /// The Dockerfile, or several.
    dockerfile: Dockerfiles,
    /// The Dockerfile that is preferred for Windows where it exists.
    windows_dockerfile: Option<FileName>,
    /// What an image without a base file is built for.
    default_platforms: Vec<DefaultPlatform>,
    /// The word of lines that the build script takes out for amd64, and frees of it for others.
    line_prefix: Option<String>,
    /// The arguments that the build gives to every Dockerfile.
    arguments: BTreeMap<String, BuildArgument>,
}

/// What the build gives to an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuildArgument {
    /// The base of the platform that is built, from the base file.
    Base,
    /// The registry of this tree's images.
    Registry,
    /// The version of the operating system that is built for; empty where there is none.
    OsVersion,
}

impl Default for Build {
    fn default() -> Self {
        let dockerfile = PathPattern::new("Dockerfile").into_iter().collect();
        Self {
            dockerfile: Dockerfiles(dockerfile),
            windows_dockerfile: None,
            default_platforms: Vec::new(),
            line_prefix: None,
            arguments: BTreeMap::new(),
        }
    }
}

/// Paths below an image's directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "OneOrMore")]
struct Dockerfiles(Vec<PathPattern>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "this must be the path of a file, or a list of such paths")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl TryFrom<OneOrMore> for Dockerfiles {
    type Error = String;

    fn try_from(paths: OneOrMore) -> Result<Self, String> {
        let paths = match paths {
            OneOrMore::One(path) => vec![path],
            OneOrMore::More(paths) => paths,
        };
        paths.iter().map(|path| PathPattern::new(path)).collect::<Result<_, _>>().map(Self)
    }
}

/// `[binaries]`: which sources outside of an image's directory end up in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Binaries {
    /// Where imports are followed. Default: below the images' roots.
    scope: Option<Vec<Directory>>,
    /// The name of the Go module, where it need not be looked up in `go.mod`.
    module: Option<String>,
    /// The Makefile of an image, and its variable that names the directory of the sources.
    makefile: Option<FileName>,
    source_variable: Option<String>,
}

/// The description of a repository, ready to be asked.
#[derive(Debug, Clone)]
pub struct Shape {
    /// The directories below which images lie, without a closing slash; the empty one is the whole repository.
    pub roots: Vec<String>,
    /// Where an image's version stands: of several, the first whose file is there.
    pub versions: Vec<VersionSource>,
    /// Whether an image may lie in the directory of another one.
    pub is_nested: bool,
    /// The image in the root of the repository.
    pub root_image: Option<RootImage>,
    /// The name of the file that holds an image's published name.
    pub alias_file: Option<String>,
    /// The name of the file that lists an image's bases by platform.
    pub base_file: Option<String>,
    /// Files that are no part of an image's content, by their path below it.
    pub ignore: Ignore,
    /// Files outside of the images that are part of them.
    pub shared: Vec<Shared>,
    /// Images that are those of somebody else under another name.
    pub mirrored: Globs,
    /// Further images that carry another project's version.
    pub upstream_versions: Globs,
    /// Images that keep their version, whatever changes in them.
    pub frozen: Globs,
    /// Files beside the images that all of them are built anew for: what matches, and all below directories that match.
    pub build_inputs: Vec<PathPattern>,
    /// What stands before the name of an image of this tree, the longest first.
    pub registries: Vec<Prefix>,
    /// Whether tags end with the platform.
    pub platform_suffix: bool,
    /// What stands before the version in tags.
    pub tag_prefix: String,
    /// Tags that name no version.
    pub floating: Globs,
    /// The Dockerfiles, below an image's directory.
    pub dockerfiles: Vec<PathPattern>,
    /// The name of the Dockerfile that is preferred for Windows.
    pub windows_dockerfile: Option<String>,
    /// What an image without a base file is built for.
    pub default_platforms: Vec<Platform>,
    /// The word of lines that the build script rewrites.
    pub line_prefix: Option<String>,
    /// The arguments that the build gives to every Dockerfile.
    pub build_arguments: BTreeMap<String, BuildArgument>,
    /// Where imports are followed; nowhere if the pack does not speak of binaries.
    pub binary_scope: Vec<String>,
    /// The name of the Go module; `None` where `go.mod` tells.
    pub module: Option<String>,
    /// The Makefile of an image, and the variable in it that names the directory of the sources.
    pub makefile: Option<(String, String)>,
    /// The file that says which version of an image is used.
    pub manifest: Option<ManifestShape>,
    /// The list of versions and of the files that repeat them.
    pub dependencies: Option<DependenciesShape>,
    /// Literals that must equal a version.
    pub constants: Vec<Constant>,
    /// What is done around a change.
    pub workflow: Workflow,
}

/// `[manifest]`: the file that says which version of an image is used.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ManifestShape {
    /// Its path.
    pub path: Arc<str>,
    /// What an entry looks like, with the groups `key`, `registry`, `name` and `version`.
    #[serde(deserialize_with = "manifest_pattern")]
    pub pattern: Pattern,
    /// The registries that hold images of this tree, each with the directory that its names lack.
    pub registries: BTreeMap<String, String>,
    /// Keys of entries that stay behind on purpose.
    #[serde(default)]
    pub pinned: Vec<String>,
    /// When an entry follows a new version of its image.
    #[serde(default)]
    pub follows: Follows,
    /// What in a tree tells that its entries follow after promotion. One of them is enough.
    #[serde(default)]
    pub promotion_signs: Vec<PromotionSign>,
    /// Branches that use images which other branches built, by name or pattern.
    #[serde(default)]
    pub release_branches: Globs,
    /// For how many days an entry may wait for its image to be promoted, where no list tells what is.
    #[serde(default = "thirty_days")]
    pub grace_days: u32,
}

/// `manifest.follows`: when an entry of the manifest follows a new version of its image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Follows {
    /// As the tree says that the change is made to: after promotion where it has a sign of that, else in the same change.
    Auto,
    /// In the change that makes the version.
    #[default]
    SameChange,
    /// In a later change, when the image was built and promoted.
    AfterPromotion,
}

/// `[[manifest.promotion-signs]]`: a file whose text tells that the manifest follows after promotion.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromotionSign {
    /// The file.
    pub path: Arc<str>,
    /// What stands in it.
    #[serde(deserialize_with = "plain_pattern")]
    pub pattern: Pattern,
}

/// When the manifest of one tree follows, and by what that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManifestOrder {
    /// Whether entries follow in a later change, when the image is promoted, and not in the same change.
    pub is_after_promotion: bool,
    /// By what that is known, to be read after "the manifest follows in the same change: ".
    pub reason: String,
}

impl ManifestOrder {
    /// The value of [`Follows`] that says the same without a look at any tree.
    pub fn setting(&self) -> &'static str {
        if self.is_after_promotion { "after-promotion" } else { "same-change" }
    }
}

impl fmt::Display for ManifestOrder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let when = if self.is_after_promotion { "after promotion" } else { "in the same change" };
        write!(f, "the manifest follows {when}: {}", self.reason)
    }
}

impl ManifestShape {
    /// When the manifest follows in a tree whose files `read` gives.
    pub fn order<E>(&self, mut read: impl FnMut(&str) -> Result<Option<Arc<Text>>, E>) -> Result<ManifestOrder, E> {
        let is_after_promotion = match self.follows {
            Follows::SameChange => false,
            Follows::AfterPromotion => true,
            Follows::Auto => {
                for PromotionSign { path, pattern } in &self.promotion_signs {
                    let text = read(path)?;
                    let found = text.as_ref().and_then(|text| pattern.matches(text).next().map(|found| found.whole()));
                    if let Some(words) = found {
                        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
                        let reason = format!("{path} speaks of the \"{words}\"");
                        return Ok(ManifestOrder { is_after_promotion: true, reason });
                    }
                }
                let paths: Vec<&str> = self.promotion_signs.iter().map(|sign| &*sign.path).collect();
                let reason = format!("nothing else is said in {}", paths.join(", "));
                return Ok(ManifestOrder { is_after_promotion: false, reason });
            }
        };
        Ok(ManifestOrder { is_after_promotion, reason: "shape.manifest.follows says so".to_owned() })
    }
}

impl ManifestShape {
    /// The directory that the names of images lack in a registry; `None` where that is not listed.
    pub fn directory_of(&self, registry: &str) -> Option<&str> {
        let mut registries = self.registries.iter();
        let (_, directory) = registries.find(|(known, _)| known.eq_ignore_ascii_case(registry))?;
        Some(directory)
    }
}

/// `[dependencies]`: a list of versions and of the files that repeat them, as `build/dependencies.yaml` of Kubernetes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DependenciesShape {
    /// Its path.
    pub path: Arc<str>,
}

/// `[[constants]]`: a literal in the sources that must equal an image's version.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Constant {
    /// The image, by its name.
    pub image: String,
    /// The file that holds the literal.
    pub path: Arc<str>,
    /// Where in it: the group `value`.
    #[serde(deserialize_with = "constant_pattern")]
    pub pattern: Pattern,
    /// What tells that a linker sets the value, so that there is no literal.
    #[serde(default, deserialize_with = "linked_pattern")]
    pub linked: Option<Pattern>,
}

/// The file that names a Go module.
pub const GO_MODULE: &str = "go.mod";

/// What stands before the name of an image of this tree.
#[derive(Debug, Clone)]
pub struct Prefix {
    /// A registry and what else is before the name, with its last slash.
    pub text: String,
    /// The directory that the name lacks behind it; empty, if it lacks none.
    pub directory: String,
    /// The same with braces around the variable that it begins with, or without them.
    twin: Option<String>,
}

impl Prefix {
    /// What stands behind it in a name. A variable is the same with braces around it.
    pub fn strip<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(self.text.as_str()).or_else(|| name.strip_prefix(self.twin.as_deref()?))
    }

    /// The variable that it is, if it is nothing else.
    fn variable(&self) -> Option<&str> {
        let name = self.text.strip_suffix('/')?.strip_prefix('$')?;
        let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
        Some(name).filter(|name| is_variable(name))
    }
}

impl From<Registry> for Prefix {
    fn from(registry: Registry) -> Self {
        let (name, directory) = match registry {
            Registry::Plain(name) => (name, String::new()),
            Registry::Of { name, directory } => (name, directory),
        };
        let text = before_names(&name);
        let twin = twin(&text);
        Self { text, directory, twin }
    }
}

fn paths(directories: Vec<Directory>) -> Vec<String> {
    directories.into_iter().map(|directory| directory.0).collect()
}

impl From<PackFile> for Shape {
    fn from(file: PackFile) -> Self {
        let PackFile { images, references, build, binaries, manifest, dependencies, constants, workflow, .. } = file;
        let mut registries: Vec<Prefix> = references.registries.into_iter().map(Prefix::from).collect();
        registries.sort_by_key(|prefix| std::cmp::Reverse(prefix.text.len()));
        let roots = paths(images.roots);
        let (mut binary_scope, mut module, mut makefile) = (Vec::new(), None, None);
        if let Some(binaries) = binaries {
            binary_scope = binaries.scope.map_or_else(|| roots.clone(), paths);
            module = binaries.module;
            makefile = binaries.makefile.map(|name| name.0).zip(binaries.source_variable);
        }
        Self {
            roots,
            versions: images.version.0,
            is_nested: images.nested,
            root_image: images.root,
            alias_file: images.alias_file.map(|name| name.0),
            base_file: references.base_file.map(|name| name.0),
            ignore: images.ignore.into_iter().map(|pattern| pattern.0).collect(),
            shared: images.shared,
            mirrored: images.mirrored,
            upstream_versions: images.upstream_versions,
            frozen: images.frozen,
            build_inputs: images.build_inputs,
            registries,
            platform_suffix: references.platform_suffix,
            tag_prefix: references.tag_prefix,
            floating: references.floating,
            dockerfiles: build.dockerfile.0,
            windows_dockerfile: build.windows_dockerfile.map(|name| name.0),
            default_platforms: build.default_platforms.into_iter().map(|platform| platform.0).collect(),
            line_prefix: build.line_prefix,
            build_arguments: build.arguments,
            binary_scope,
            module,
            makefile,
            manifest,
            dependencies,
            constants,
            workflow,
        }
    }
}

impl Shape {
    /// The part of the repository that the description speaks of.
    pub fn scope(&self) -> Scope {
        let mut scope = Scope { directories: self.roots.clone(), ..Scope::default() };
        scope.directories.extend(self.binary_scope.iter().filter(|path| !self.is_below_a_root(path)).cloned());
        let manifest = self.manifest.iter().map(|manifest| &manifest.path);
        let dependencies = self.dependencies.iter().map(|list| &list.path);
        let signs = self.manifest.iter().flat_map(|manifest| &manifest.promotion_signs).map(|sign| &sign.path);
        let constants = self.constants.iter().map(|constant| &constant.path);
        let files = manifest.chain(signs).chain(dependencies).chain(constants);
        scope.files.extend(files.filter(|path| !self.is_below_a_root(path)).map(ToString::to_string));
        if self.root_image.is_some() {
            scope.files.extend(self.versions.iter().map(|source| source.file.clone()));
            scope.files.extend(self.dockerfiles.iter().filter_map(|pattern| pattern.as_path().map(str::to_owned)));
            scope.files.extend([&self.alias_file, &self.base_file].into_iter().flatten().cloned());
        }
        let of_root = self.root_image.iter().flat_map(|image| &image.content);
        for path in self.shared.iter().map(|shared| &shared.path).chain(&self.build_inputs).chain(of_root) {
            match path.as_path() {
                Some(path) if self.is_below_a_root(path) => {}
                // A file or a directory: the tree tells.
                Some(path) => {
                    scope.directories.push(path.to_owned());
                    scope.files.push(path.to_owned());
                }
                None if self.is_below_a_root(path.directory()) => {}
                None => scope.directories.push(path.directory().to_owned()),
            }
        }
        if !self.binary_scope.is_empty() && self.module.is_none() {
            scope.files.push(GO_MODULE.to_owned());
        }
        let above: BTreeSet<&str> = self.roots.iter().flat_map(|root| directories_above(root)).collect();
        scope.files.extend(above.iter().map(|directory| format!("{directory}/{}", gitattributes::FILE)));
        scope.files.push(gitattributes::FILE.to_owned());
        scope.above.extend(above.into_iter().map(str::to_owned));
        scope
    }

    /// Whether an image carries another project's version, so that revisions are counted behind it.
    pub fn counts_revisions(&self, image: &str) -> bool {
        self.mirrored.is_match(image) || self.upstream_versions.is_match(image)
    }

    /// Whether images of a branch, given by its name, may have been built from another branch.
    pub fn is_release_branch(&self, branch: &str) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| manifest.release_branches.is_match(branch))
    }

    /// When the manifest follows in a tree.
    pub fn manifest_order(&self, tree: &Snapshot<'_>) -> Result<ManifestOrder, StoreError> {
        match &self.manifest {
            Some(manifest) => manifest.order(|path| tree.readable(path)),
            None => Ok(ManifestOrder { is_after_promotion: false, reason: "there is none".to_owned() }),
        }
    }

    /// The variables of Dockerfiles that stand for the registry of this tree's images.
    pub fn registry_variables(&self) -> impl Iterator<Item = &str> {
        let named = self.registries.iter().filter_map(Prefix::variable);
        let given = self.build_arguments.iter().filter(|(_, argument)| **argument == BuildArgument::Registry);
        named.chain(given.map(|(name, _)| name.as_str()))
    }

    /// The tag of a version, without a platform.
    pub fn tag_of(&self, version: &str) -> String {
        [&self.tag_prefix, version].concat()
    }

    /// Compiles all patterns; the first that does not compile, and why.
    pub fn compile(&self) -> Result<(), String> {
        let versions = self.versions.iter().filter_map(|source| match &source.form {
            VersionForm::Pattern(pattern) => Some(pattern),
            VersionForm::WholeFile | VersionForm::Key(_) => None,
        });
        let patterns = versions.chain(self.manifest.iter().map(|manifest| &manifest.pattern));
        let signs = self.manifest.iter().flat_map(|manifest| &manifest.promotion_signs).map(|sign| &sign.pattern);
        let constants = self.constants.iter().map(|constant| &constant.pattern);
        let linked = self.constants.iter().filter_map(|constant| constant.linked.as_ref());
        for pattern in patterns.chain(signs).chain(constants).chain(linked) {
            if let Err(reason) = pattern.compile() {
                return Err(format!("the pattern {pattern} does not compile: {reason}"));
            }
        }
        Ok(())
    }

    fn is_below_a_root(&self, path: &str) -> bool {
        self.roots.iter().any(|root| is_below(path, root))
    }

    /// Where the version stands in a file, given by its path below an image's directory.
    pub fn version_source(&self, below: &str) -> Option<&VersionSource> {
        self.versions.iter().find(|source| source.file == below)
    }

    /// Whether a file holds an image's version, given by its path below the image's directory.
    pub fn is_version_file(&self, below: &str) -> bool {
        self.version_source(below).is_some()
    }

    /// The names of all files that may hold a version, as a sentence lists them.
    pub fn version_files(&self) -> String {
        let files: Vec<&str> = self.versions.iter().map(|source| source.file.as_str()).collect();
        files.join(" or ")
    }

    /// Whether a file is content of the image in a directory that owns it, given by its path below it.
    pub fn is_content(&self, directory: &str, below: &str) -> bool {
        let root_image = self.root_image.as_ref().filter(|_| directory.is_empty());
        let is_listed = root_image.is_none_or(|image| image.content.iter().any(|pattern| pattern.covers(below)));
        is_listed && !self.ignore.is_match(below)
    }

    /// Whether an image is built from a file, given by its path below the image's directory.
    pub fn is_dockerfile(&self, below: &str) -> bool {
        self.dockerfiles.iter().any(|pattern| self.is_built_by(pattern, below))
            || self.windows_dockerfile.as_deref() == Some(below)
    }

    /// Whether this pattern of Dockerfiles means a file, given by its path below the image's directory. One with wildcards means
    /// neither documentation nor what Dockerfiles ignore.
    pub fn is_built_by(&self, pattern: &PathPattern, below: &str) -> bool {
        if !pattern.is_match(below) {
            return false;
        }
        pattern.as_path().is_some() || !(self.ignore.is_match(below) || below.ends_with(".dockerignore"))
    }

    /// Whether a file says what an image is or how it is built, given by its path below the image's directory.
    pub fn is_control_file(&self, below: &str) -> bool {
        self.is_version_file(below)
            || [&self.alias_file, &self.base_file].into_iter().any(|name| name.as_deref() == Some(below))
            || self.is_dockerfile(below)
    }

    /// Whether a file may hold the version of an image: as a control file, as the manifest, or as the source of a constant.
    pub fn may_hold_version(&self, path: &str) -> bool {
        let is_manifest = self.manifest.as_ref().is_some_and(|manifest| *manifest.path == *path);
        is_manifest
            || self.constants.iter().any(|constant| *constant.path == *path)
            || (self.is_below_a_root(path) && self.may_be_control_file(path))
    }

    /// Whether a file would say so, if a directory above it held an image.
    pub fn may_be_control_file(&self, path: &str) -> bool {
        // What git makes of files may change in all images at once.
        file_name(path) == gitattributes::FILE || path_and_ends(path).any(|(_, below)| self.is_control_file(below))
    }

    /// The directories above a file that would be built from it if they were images, the nearest first.
    pub fn built_directories<'p>(&self, path: &'p str) -> impl Iterator<Item = &'p str> {
        let mut built = Vec::new();
        for (directory, below) in path_and_ends(path) {
            let is_built = self.is_dockerfile(below) || self.base_file.as_deref() == Some(below);
            if is_built && self.name_of(directory).is_some() {
                built.push(directory);
            }
        }
        built.into_iter().rev()
    }

    /// The name of the image in a directory: the path below the root that holds it.
    pub fn name_of<'d>(&'d self, directory: &'d str) -> Option<&'d str> {
        if directory.is_empty() {
            return self.root_image.as_ref().map(|image| image.name.as_str());
        }
        let below = self.roots.iter().filter(|root| is_below(directory, root));
        let root = below.max_by_key(|root| root.len())?;
        Some(directory[root.len()..].trim_start_matches('/')).filter(|name| !name.is_empty())
    }
}

/// Every directory above a path, the root first, with the path below it.
fn path_and_ends(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let cuts = path.match_indices('/').map(|(slash, _)| (&path[..slash], &path[slash + 1..]));
    std::iter::once(("", path)).chain(cuts)
}

/// What a registry's name stands for: what ends like a part of a name goes on with the rest of it, all else with a slash.
fn before_names(registry: &str) -> String {
    let registry = without_default_host(registry);
    if registry.ends_with(['/', '-', '_']) { registry.to_owned() } else { format!("{registry}/") }
}

/// A spelling that begins with a variable, with braces around that where it has none, and the other way round.
fn twin(spelling: &str) -> Option<String> {
    let rest = spelling.strip_prefix('$')?;
    if let Some((name, rest)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        return is_variable(name).then(|| ["$", name, rest].concat());
    }
    let end = rest.find(|c: char| !is_of_variable(c)).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    is_variable(name).then(|| ["${", name, "}", rest].concat())
}

fn is_of_variable(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_of_variable)
}

/// An image's name, or the beginning of one, without the host that docker takes if none is named.
pub fn without_default_host(name: &str) -> &str {
    ["docker.io/", "index.docker.io/"].iter().find_map(|host| name.strip_prefix(host)).unwrap_or(name)
}

/// Reads a string and refuses it with a reason.
macro_rules! checked_string {
    ($($(#[$meta:meta])* $name:ident($inner:ty): $check:expr;)*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone)]
            struct $name($inner);

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    let check: fn(&str) -> Result<$inner, String> = $check;
                    check(&text).map(Self).map_err(D::Error::custom)
                }
            }
        )*
    };
}

checked_string! {
    /// A directory of the repository: `.` is the root, spelled as the empty string elsewhere; no closing slash.
    Directory(String): |text| {
        let name = text.trim_end_matches('/');
        if name.starts_with('/') || name.split('/').any(|part| part == "..") {
            return Err("this must be a directory of the repository, relative to its root".to_owned());
        }
        Ok(name.strip_prefix("./").unwrap_or(if name == "." { "" } else { name }).to_owned())
    };
    /// The name of a file, without a directory.
    FileName(String): plain_file_name;
    /// A platform such as `linux/amd64`.
    DefaultPlatform(Platform): |text| {
        Platform::parse(text).ok_or_else(|| "this is no platform; one looks like linux/amd64".to_owned())
    };
    /// A pattern as `.gitignore` reads it.
    IgnorePattern(glob::GitIgnorePattern): glob::GitIgnorePattern::new;
}

fn thirty_days() -> u32 {
    30
}

fn yes() -> bool {
    true
}

fn plain_file_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains('/') {
        return Err("this must be the name of a file, without a directory".to_owned());
    }
    Ok(text.to_owned())
}

fn manifest_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
    pattern(deserializer, &["key", "registry", "name", "version"])
}

fn constant_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
    pattern(deserializer, &["value"])
}

fn plain_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
    pattern(deserializer, &[])
}

fn linked_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Pattern>, D::Error> {
    plain_pattern(deserializer).map(Some)
}

/// Reads a pattern that has these groups.
pub(crate) fn pattern<'de, D: Deserializer<'de>>(deserializer: D, groups: &[&str]) -> Result<Pattern, D::Error> {
    Pattern::new(&String::deserialize(deserializer)?, groups).map_err(D::Error::custom)
}
