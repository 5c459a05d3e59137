//! The description of a repository as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use regex::bytes::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::build::{ArgumentFile, Binaries, Build, BuildArgument, GO_MODULE};
use super::field::Directory;
use super::files::{ReferenceFiles, ReferenceForm};
use super::images::{Comments, IgnoreFile, IgnoredKeys, Images, RootImage, Shared};
use super::manifest::{ManifestOrder, ManifestShape};
use super::references::{Precision, Prefix, References};
use super::repeated::{Constant, DependenciesShape};
use crate::parse::baseimage::Platform;
use crate::parse::capture::Pattern;
use crate::parse::dockerignore;
use crate::parse::gitattributes;
use crate::parse::glob::{Globs, Ignore, PathPattern};
use crate::parse::version_source::{Anchor, VersionForm, VersionSource};
use crate::path::{directories_above, file_name, in_directory, is_below};
use crate::snapshot::{Scope, Snapshot, StoreError};
use crate::text::Text;
use crate::workflow::Workflow;

/// The description as it stands in `pack.toml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PackFile {
    /// What the pack is for, in one line.
    pub summary: String,
    /// Files of which one tells that a repository is of this kind.
    #[serde(default)]
    #[expect(dead_code, reason = "looked at before a pack is chosen")]
    markers: Vec<String>,
    /// When `imglint init` proposes the pack, where it is one of imglint's own.
    #[expect(dead_code, reason = "looked at before a pack is chosen")]
    init: Option<InitTable>,
    /// The pack whose rules hold here, too, but for those of which this one has a file of the same name: `generic`, or a directory,
    /// relative to this one.
    #[expect(dead_code, reason = "followed before a pack is loaded")]
    extends: Option<String>,
    /// What an image is, and where its version stands.
    images: Images,
    /// How an image names another one.
    #[serde(default)]
    references: References,
    /// Which Dockerfile is built for which platform.
    #[serde(default)]
    build: Build,
    /// If there, changes of Go packages that an image's binaries import count as changes of the image.
    binaries: Option<Binaries>,
    /// The file that says which version of an image is used, and when it follows a new one.
    manifest: Option<ManifestShape>,
    /// A list of versions, each with the files that repeat it.
    dependencies: Option<DependenciesShape>,
    /// Literals in the sources that must equal a version.
    #[serde(default)]
    constants: Vec<Constant>,
    /// What is done around a change, for `imglint status`.
    #[serde(default)]
    workflow: Workflow,
}

/// `[init]`: when `imglint init` takes a repository for one of a pack's kind.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InitTable {
    /// How many images there must be.
    pub least: usize,
    /// Whether an image must have a Dockerfile: the file that holds the version may be anywhere.
    #[serde(default)]
    pub dockerfile: bool,
}

/// The description of a repository, ready to be asked.
#[derive(Debug, Clone)]
pub struct Shape {
    /// What tells it from all others of this process: what was read by it is known under this.
    pub id: usize,
    /// The directories below which images lie, without a closing slash; the empty one is the whole repository.
    pub roots: Vec<String>,
    /// Where an image's version stands: of several, the first whose file is there.
    pub versions: Vec<VersionSource>,
    /// Whether an image may lie in the directory of another one.
    pub is_nested: bool,
    /// Names of directories of an image in which nothing is an image of its own.
    pub vendored: Vec<String>,
    /// The image in the root of the repository.
    pub root_image: Option<RootImage>,
    /// The names under which images are published, where they are neither those of their directories nor in a file.
    pub published_names: BTreeMap<String, String>,
    /// The name of the file that holds an image's published name.
    pub alias_file: Option<String>,
    /// The name of the file that lists an image's bases by platform.
    pub base_file: Option<String>,
    /// Files that are no part of an image's content, by their path below it.
    pub ignore: Ignore,
    /// Keys of files of an image that are no content.
    pub ignored_keys: IgnoredKeys,
    /// The file of an image that says which of its files are left out when it is packed.
    pub ignore_file: Option<IgnoreFile>,
    /// Whether a change of comments alone is one of content.
    pub comments: Comments,
    /// Files outside of the images that are part of them.
    pub shared: Vec<Shared>,
    /// Images that are those of somebody else under another name.
    pub mirrored: Globs,
    /// Further images that carry another project's version.
    pub upstream_versions: Globs,
    /// Images that keep their version, whatever changes in them.
    pub frozen: Globs,
    /// Images without a version of their own: what changes in one, changes in all that is built on it.
    pub unversioned: Globs,
    /// Files beside the images that all of them are built anew for: what matches, and all below directories that match.
    pub build_inputs: Vec<PathPattern>,
    /// What stands before the name of an image of this tree, the longest first.
    pub registries: Vec<Prefix>,
    /// All of their spellings, once somebody looks for them.
    spellings: OnceLock<Option<Regex>>,
    /// Whether tags end with the platform.
    pub platform_suffix: bool,
    /// What stands before the version in tags.
    pub tag_prefix: String,
    /// Tags that name no version.
    pub floating: Globs,
    /// How much of a version tags name.
    pub precision: Precision,
    /// Files beside the images that name them.
    pub reference_files: Vec<ReferenceFiles>,
    /// The Dockerfiles, below an image's directory.
    pub dockerfiles: Vec<PathPattern>,
    /// The name of the Dockerfile that is preferred for Windows.
    pub windows_dockerfile: Option<String>,
    /// The names of all control files but those that patterns of Dockerfiles find.
    control_names: Vec<String>,
    /// The directory below an image's that is the context of its builds; empty where that is the image's own.
    pub context: String,
    /// Files of an image beside the context that the build script reads.
    pub script_files: Vec<PathPattern>,
    /// What an image without a base file is built for.
    pub default_platforms: Vec<Platform>,
    /// The word of lines that the build script rewrites.
    pub line_prefix: Option<String>,
    /// What stands in a Dockerfile that is a template.
    template: Option<Pattern>,
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

fn paths(directories: Vec<Directory>) -> Vec<String> {
    directories.into_iter().map(|directory| directory.0).collect()
}

/// How many shapes this process has made.
static SHAPES: AtomicUsize = AtomicUsize::new(0);

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
        let (alias_file, base_file) = (images.alias_file.map(|name| name.0), references.base_file.map(|name| name.0));
        let windows_dockerfile = build.windows_dockerfile.map(|name| name.0);
        let versions = images.version.0;
        let mut control_names: Vec<String> = versions.iter().map(|source| file_name(&source.file).to_owned()).collect();
        control_names.extend([&alias_file, &base_file, &windows_dockerfile].into_iter().flatten().cloned());
        Self {
            id: SHAPES.fetch_add(1, Ordering::Relaxed),
            roots,
            versions,
            is_nested: images.nested,
            vendored: images.vendored,
            root_image: images.root,
            published_names: images.names,
            alias_file,
            base_file,
            ignore: images.ignore.into_iter().map(|pattern| pattern.0).collect(),
            ignored_keys: images.ignore_keys,
            ignore_file: images.ignore_file,
            comments: images.comments,
            shared: images.shared,
            mirrored: images.mirrored,
            upstream_versions: images.upstream_versions,
            frozen: images.frozen,
            unversioned: images.unversioned,
            build_inputs: images.build_inputs,
            registries,
            spellings: OnceLock::new(),
            platform_suffix: references.platform_suffix,
            tag_prefix: references.tag_prefix,
            floating: references.floating,
            precision: references.precision,
            reference_files: references.files,
            dockerfiles: build.dockerfile.0,
            windows_dockerfile,
            control_names,
            context: build.context.map(|context| context.as_str().to_owned()).unwrap_or_default(),
            script_files: build.script_files,
            default_platforms: build.default_platforms.into_iter().map(|platform| platform.0).collect(),
            line_prefix: build.line_prefix,
            template: build.template,
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
            scope.files.extend(self.signs_of_root());
            let makefile = self.makefile.as_ref().map(|(makefile, _)| makefile);
            let named = [self.alias_file.as_ref(), self.base_file.as_ref(), self.windows_dockerfile.as_ref(), makefile];
            scope.files.extend(named.into_iter().flatten().cloned());
        }
        scope.files.extend(self.argument_files().filter_map(|(_, file)| file.shared().map(str::to_owned)));
        let of_root = self.root_image.iter().flat_map(|image| &image.content);
        let of_references = self.reference_files.iter().flat_map(ReferenceFiles::paths);
        let shared = self.shared.iter().map(|shared| &shared.path);
        for path in shared.chain(&self.build_inputs).chain(of_root).chain(of_references) {
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
        for source in &self.versions {
            match source.anchor {
                Anchor::Image => {}
                Anchor::Root => scope.files.push(source.file.clone()),
                // What lies one directory above an image lies in a root, if not below one.
                Anchor::Above(levels) => {
                    for root in &self.roots {
                        let above = directories_above(root).chain([""]).take(levels - 1);
                        scope.files.extend(above.map(|directory| in_directory(directory, &source.file)));
                    }
                }
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

    /// The files that tell whether an image lies in the root of the repository.
    pub fn signs_of_root(&self) -> Vec<String> {
        let versions = self.versions.iter().filter(|source| source.anchor == Anchor::Image);
        let versions = versions.map(|source| source.file.clone());
        versions.chain(self.dockerfiles.iter().filter_map(|pattern| pattern.as_path().map(str::to_owned))).collect()
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

    /// All spellings of the registries that are listed, each as a group. The longest come first.
    pub fn registry_spellings(&self) -> Option<&Regex> {
        self.spellings.get_or_init(|| spellings(&self.registries)).as_ref()
    }

    /// The variables of Dockerfiles that stand for the registry of this tree's images.
    pub fn registry_variables(&self) -> impl Iterator<Item = &str> {
        let named = self.registries.iter().filter_map(Prefix::variable);
        let given = self.build_arguments.iter().filter(|(_, argument)| matches!(argument, BuildArgument::Registry));
        named.chain(given.map(|(name, _)| name.as_str()))
    }

    /// Whether a file beside the images may name one.
    pub fn is_reference_file(&self, path: &str) -> bool {
        self.reference_files.iter().any(|files| files.has(path))
    }

    /// The arguments whose values stand in files, with these.
    pub fn argument_files(&self) -> impl Iterator<Item = (&str, &ArgumentFile)> {
        self.build_arguments.iter().flat_map(|(name, argument)| {
            let files = match argument {
                BuildArgument::Files(files) => files.as_slice(),
                BuildArgument::Base | BuildArgument::Registry | BuildArgument::OsVersion => &[],
            };
            files.iter().map(move |file| (name.as_str(), file))
        })
    }

    /// The tag of a version, without a platform.
    pub fn tag_of(&self, version: &str) -> String {
        [&self.tag_prefix, version].concat()
    }

    /// Compiles all patterns; the first that does not compile, and why.
    pub fn compile(&self) -> Result<(), String> {
        let versions = self.versions.iter().filter_map(|source| match &source.form {
            VersionForm::Pattern(pattern) => Some(pattern),
            VersionForm::WholeFile | VersionForm::Key(_) | VersionForm::Variants(_) => None,
        });
        let patterns = versions.chain(self.manifest.iter().map(|manifest| &manifest.pattern));
        let signs = self.manifest.iter().flat_map(|manifest| &manifest.promotion_signs).map(|sign| &sign.pattern);
        let constants = self.constants.iter().map(|constant| &constant.pattern);
        let linked = self.constants.iter().filter_map(|constant| constant.linked.as_ref());
        let names = self.reference_files.iter().filter_map(|files| match &files.form {
            ReferenceForm::Pattern(named) => Some(&named.pattern),
            ReferenceForm::Docker | ReferenceForm::List(_) => None,
        });
        let names = names.chain(self.argument_files().filter_map(|(_, file)| file.pattern())).chain(&self.template);
        for pattern in patterns.chain(signs).chain(constants).chain(linked).chain(names) {
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
        self.versions.iter().find(|source| source.anchor == Anchor::Image && source.file == below)
    }

    /// How a version is written in a file of this path, if it may hold one.
    pub fn version_source_in(&self, path: &str) -> Option<&VersionSource> {
        self.versions.iter().find(|source| source.may_be(path))
    }

    /// Whether images are found by what they are built from, where they have no version file in their directory.
    pub fn has_images_by_dockerfile(&self) -> bool {
        !self.unversioned.is_empty() || self.versions.iter().any(|source| source.anchor != Anchor::Image)
    }

    /// Where the version stands in a file, and the directory that this would make an image, given by the file's path.
    pub fn version_source_at<'p>(&self, path: &'p str) -> Option<(&'p str, &VersionSource)> {
        for source in self.versions.iter().filter(|source| source.anchor == Anchor::Image) {
            match path.strip_suffix(source.file.as_str()) {
                Some("") => return Some(("", source)),
                Some(above) if above.ends_with('/') => return Some((&above[..above.len() - 1], source)),
                _ => {}
            }
        }
        None
    }

    /// Whether a file holds an image's version, given by its path below the image's directory.
    pub fn is_version_file(&self, below: &str) -> bool {
        self.version_source(below).is_some()
    }

    /// The names of all files that may hold a version, as a sentence lists them.
    pub fn version_files(&self) -> String {
        let files: Vec<String> = self.versions.iter().map(VersionSource::written).collect();
        files.join(" or ")
    }

    /// Whether a file is content of the image in a directory that owns it, given by its path below it.
    pub fn is_content(&self, directory: &str, below: &str) -> bool {
        let root_image = self.root_image.as_ref().filter(|_| directory.is_empty());
        let is_listed = match root_image {
            Some(image) => image.content.iter().any(|pattern| pattern.covers(below)),
            None => is_below(below, &self.context) || self.is_beside_context(below),
        };
        is_listed && !self.ignore.is_match(below)
    }

    /// Whether a file, given by its path, may say what of an image is left out.
    pub fn is_ignore_file(&self, path: &str) -> bool {
        path.ends_with(dockerignore::SUFFIX)
            || self.ignore_file.as_ref().is_some_and(|file| file_name(path) == file.name())
    }

    /// Whether the build reads a file whatever its context holds, given by its path below the image's directory.
    pub fn is_beside_context(&self, below: &str) -> bool {
        self.is_control_file(below)
            || file_name(below).ends_with(dockerignore::SUFFIX)
            || self.makefile.as_ref().is_some_and(|(makefile, _)| makefile == below)
            || self.script_files.iter().any(|pattern| pattern.covers(below))
    }

    /// The directory that is the context of an image's builds, given by the image's.
    pub fn context_of(&self, directory: &str) -> String {
        // Of the image in the root it is told which files it is made of.
        if self.context.is_empty() || directory.is_empty() {
            directory.to_owned()
        } else {
            in_directory(directory, &self.context)
        }
    }

    /// Whether an image is built from a file, given by its path below the image's directory.
    pub fn is_dockerfile(&self, below: &str) -> bool {
        self.dockerfiles.iter().any(|pattern| self.is_dockerfile_of(pattern, below))
            || self.windows_dockerfile.as_deref() == Some(below)
    }

    /// Whether this pattern of Dockerfiles means a file, given by its path below the image's directory. One with wildcards means
    /// neither documentation nor what Dockerfiles ignore.
    pub fn is_dockerfile_of(&self, pattern: &PathPattern, below: &str) -> bool {
        if !pattern.is_match(below) {
            return false;
        }
        pattern.as_path().is_some() || !(self.ignore.is_match(below) || below.ends_with(".dockerignore"))
    }

    /// Whether a Dockerfile is a template, which says nothing of an image of this repository and need not be one as it stands.
    pub fn is_template(&self, text: &Text) -> bool {
        self.template.as_ref().is_some_and(|template| template.matches(text).next().is_some())
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

    /// The files that say something of versions, as patterns of `.gitattributes`. They may mean more files than that.
    pub fn version_patterns(&self) -> Vec<String> {
        let mut names: Vec<&str> = self.versions.iter().map(|source| source.file.as_str()).collect();
        names.extend(self.base_file.as_deref());
        names.extend(self.dockerfiles.iter().map(PathPattern::as_str));
        names.extend(self.windows_dockerfile.as_deref());
        let mut patterns = Vec::new();
        for name in names {
            let name = without_alternatives(name);
            for root in &self.roots {
                patterns.push(if root.is_empty() { format!("**/{name}") } else { format!("/{root}/**/{name}") });
            }
            if self.root_image.is_some() {
                patterns.push(format!("/{name}"));
            }
        }
        let manifest = self.manifest.iter().map(|manifest| &manifest.path);
        let constants = self.constants.iter().map(|constant| &constant.path);
        let lists = self.dependencies.iter().map(|list| &list.path);
        patterns.extend(manifest.chain(constants).chain(lists).map(|path| format!("/{path}")));
        patterns
    }

    /// Whether a file says something of versions, if a directory above it is that of an image: its own, those of others, or those of
    /// all.
    pub fn says_versions(&self, path: &str) -> bool {
        self.dependencies.as_ref().is_some_and(|list| *list.path == *path)
            || self.may_hold_version(path)
            || (self.root_image.is_some() && self.is_control_file(path))
    }

    /// Whether a file would say so, if a directory above it held an image.
    pub fn may_be_control_file(&self, path: &str) -> bool {
        // What git makes of files may change in all images at once.
        file_name(path) == gitattributes::FILE
            || self.may_end_control_file(file_name(path))
                && (path_and_ends(path).any(|(_, below)| self.is_control_file(below))
                    || self.version_source_in(path).is_some())
    }

    /// Whether a control file may have this name: asked first, as nearly no file is one and all are asked.
    pub fn may_end_control_file(&self, name: &str) -> bool {
        self.control_names.iter().any(|known| known == name)
            || self.dockerfiles.iter().any(|pattern| pattern.may_end_with(name))
    }

    /// The directories above a file that would be built from it if they were images, the nearest first.
    pub fn built_directories<'p>(&self, path: &'p str) -> impl Iterator<Item = &'p str> {
        let mut built = Vec::new();
        let ends = self.may_end_control_file(file_name(path)).then(|| path_and_ends(path));
        for (directory, below) in ends.into_iter().flatten() {
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

    /// Whether a path lies below a directory such as `.devcontainer`, from its root on: what tools keep there is built for whoever
    /// works on the repository, and is none of its images unless it has a version.
    pub fn is_hidden(&self, path: &str) -> bool {
        self.name_of(path).is_some_and(|name| name.split('/').any(|part| part.starts_with('.')))
    }
}

/// All spellings of registries, each as a group.
fn spellings(registries: &[Prefix]) -> Option<Regex> {
    let mut groups = Vec::new();
    for prefix in registries {
        let spelled: Vec<String> = prefix.spellings().iter().map(|spelling| regex::escape(spelling)).collect();
        groups.push(format!("({})", spelled.join("|")));
    }
    // Nothing but texts, so it compiles, unless there are far too many of them.
    let pattern = format!("(?:(?:index\\.)?docker\\.io/)?(?:{})", groups.join("|"));
    (!groups.is_empty()).then(|| Regex::new(&pattern).ok()).flatten()
}

/// Every directory above a path, the root first, with the path below it.
fn path_and_ends(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let cuts = path.match_indices('/').map(|(slash, _)| (&path[..slash], &path[slash + 1..]));
    std::iter::once(("", path)).chain(cuts)
}

/// A pattern in which every choice stands for anything: git knows no braces.
fn without_alternatives(pattern: &str) -> String {
    let mut plain = String::new();
    let mut depth = 0_usize;
    for character in pattern.chars() {
        match character {
            '{' => {
                depth += 1;
                plain.push('*');
            }
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
    }
    plain
}
