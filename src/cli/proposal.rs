//! What kind of repository this is, by what lies in it: a configuration for `imglint init` to write.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use miette::Diagnostic;

use super::exit::Error;
use crate::config_file::{CONFIG_FILE, Config};
use crate::model::{Directories, Model};
use crate::pack::{BUILT_IN, BuiltIn, Pack, read_config};
use crate::parse::dockerfile::Dockerfile;
use crate::parse::version_source::VersionSource;
use crate::path::{directory_of, file_name, in_directory, is_below, is_vendored, without_directory};
use crate::shape::{InitTable, Shape};
use crate::snapshot::Snapshot;
use crate::text::{counted, escape};
use crate::toml_source::Source;
use crate::unused::{root_hint, unlisted_registries};

/// The pack for any repository whose images lie in directories with a file that holds their version.
const GENERIC: &str = "generic";

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error(
    "imglint finds no images here: no directory holds a file VERSION or TAG and a Dockerfile, and nothing else that a pack is \
     for. Nothing was written"
)]
#[diagnostic(help(
    "write imglint.toml by hand:\n    pack = \"generic\"\n    shape.images.roots = [\"images\"]    # where the images' \
     directories lie\n    shape.images.version = \"VERSION\"    # the file that holds the version of each"
))]
struct NoImagesError;

/// The configuration of a repository.
pub(super) struct Configuration {
    /// The text of imglint.toml.
    pub(super) text: String,
    /// How it came to be.
    pub(super) note: String,
    /// Whether the images have versions, as far as is known.
    pub(super) has_versions: bool,
}

/// The configuration of a repository that no file tells the kind of: by the pack that finds most images in it.
pub(super) fn configuration_of(files: &Snapshot<'_>) -> Result<Configuration, Error> {
    let mut found = Vec::new();
    for version_file in VERSION_FILES {
        let images = images(files, version_file);
        if !images.is_empty() {
            let count = images.len();
            found.push(Found {
                count,
                words: format!("{count} with {version_file} and Dockerfile"),
                kind: FoundKind::Generic { version_file, images },
            });
            break;
        }
    }
    for pack in BUILT_IN {
        found.extend(found_by(pack, files)?);
    }
    let built = built_directories(files);
    let images = images_with(&VARIANTS, &built, files)?;
    if !images.is_empty() {
        let count = images.len();
        let words = format!("{count} with {} and Dockerfile", VARIANTS.file);
        found.push(Found { count, words, kind: FoundKind::Place { place: &VARIANTS, images } });
    }
    // Of equal ones the first.
    let Some(best) = (0..found.len()).rev().max_by_key(|&at| found[at].count) else { return proposed(files) };
    let best = found.swap_remove(best);
    let seen = best.directories().into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let mut others: Vec<String> = found.into_iter().map(|other| other.words).collect();
    others.sort();
    let mut configuration = match best.kind {
        FoundKind::Place { place, images } => of_place(place, &images, built.len(), files)?,
        FoundKind::Generic { version_file, images } => generic(version_file, &images, files)?,
        FoundKind::Pack { pack, directories } => of_pack(pack, &directories),
    };
    if !others.is_empty() {
        let _ = write!(
            configuration.note,
            "\nnot looked at: {}; one configuration judges images of one kind (`--config` names another one)",
            others.join(", ")
        );
    }
    add_left_aside(&mut configuration, &built, &seen, files)?;
    Ok(configuration)
}

/// Tells what is built beside the images that a configuration is for.
fn add_left_aside(
    configuration: &mut Configuration,
    built: &BTreeSet<&str>,
    seen: &BTreeSet<String>,
    files: &Snapshot<'_>,
) -> Result<(), Error> {
    let shape = shape_of(configuration)?;
    let (mut missing, mut unseen) = (BTreeSet::new(), BTreeSet::new());
    for &directory in built {
        if seen.iter().any(|image| is_below(directory, image)) {
            continue;
        }
        // The rules look for a version there.
        let mut below = files.below(directory);
        let is_judged = below.any(|(path, _)| shape.built_directories(path).any(|image| image == directory));
        if is_judged { &mut missing } else { &mut unseen }.insert(directory);
    }
    if !missing.is_empty() {
        let _ = write!(
            configuration.note,
            "\n{} beside these with a Dockerfile and without a version: {}; `imglint --all` tells of what lacks one, and \
             `shape.images.unversioned` names what needs none",
            counted_directories(missing.len()),
            listed(&missing)
        );
    }
    if !unseen.is_empty() {
        let count = counted_directories(unseen.len());
        let _ = write!(
            configuration.note,
            "\nnot looked at: {count} with a Dockerfile and without such a version: {}",
            listed(&unseen)
        );
    }
    Ok(())
}

/// What a configuration makes of the pack that it names.
fn shape_of(configuration: &Configuration) -> Result<Shape, Error> {
    let config = read_config(&Source::new(CONFIG_FILE, configuration.text.clone()))?;
    let pack = config.pack.as_ref().and_then(|pack| BuiltIn::named(&pack.name)).ok_or(NoImagesError)?;
    Ok(Pack::load(pack.pack_files(), Some(&config))?.shape)
}

/// Images that were found, and how.
struct Found<'f> {
    count: usize,
    /// To be named beside others.
    words: String,
    kind: FoundKind<'f>,
}

impl Found<'_> {
    fn directories(&self) -> BTreeSet<&str> {
        match &self.kind {
            FoundKind::Generic { images, .. } | FoundKind::Place { images, .. } => images.keys().copied().collect(),
            FoundKind::Pack { directories, .. } => directories.iter().map(|directory| &**directory).collect(),
        }
    }
}

enum FoundKind<'f> {
    /// Directories with a version file and a Dockerfile.
    Generic { version_file: &'static str, images: BTreeMap<&'f str, BTreeSet<&'f str>> },
    /// Directories with a version in a place that is surely one.
    Place { place: &'static Place, images: BTreeMap<&'f str, BTreeSet<&'f str>> },
    /// What a pack of the program finds.
    Pack { pack: &'static BuiltIn, directories: BTreeSet<Arc<str>> },
}

/// What a pack of the program finds in the whole tree, if that is enough to take the repository for one of its kind.
fn found_by(pack: &'static BuiltIn, files: &Snapshot<'_>) -> Result<Option<Found<'static>>, Error> {
    let Some(InitTable { least, dockerfile }) = pack.init() else { return Ok(None) };
    let everywhere = Config::bare(Source::new(CONFIG_FILE, "shape.images.roots = [\".\"]"));
    let shape = Pack::load(pack.pack_files(), Some(&everywhere))?.shape;
    let mut directories: BTreeSet<Arc<str>> = Directories::find(files, &shape)?.iter().cloned().collect();
    directories.retain(|directory| {
        let mut below = files.below(directory);
        let is_built = below.any(|(path, _)| shape.is_dockerfile(without_directory(path, directory)))
            || files.below(directory).any(|(path, _)| directory_of(path) == &**directory && is_dockerfile(path, files));
        !shape.ignore.is_match(&in_directory(directory, "x")) && (is_built || !dockerfile)
    });
    if directories.len() < least {
        return Ok(None);
    }
    let count = directories.len();
    let words = format!("{count} that the pack {} is for", pack.name);
    Ok(Some(Found { count, words, kind: FoundKind::Pack { pack, directories } }))
}

/// The configuration of a repository of a pack's kind.
fn of_pack(pack: &BuiltIn, directories: &BTreeSet<Arc<str>>) -> Configuration {
    let directories: BTreeSet<&str> = directories.iter().map(|directory| &**directory).collect();
    let mut text = format!(
        "# How imglint judges this repository; `imglint rules` lists what it looks for.\npack = \"{}\"\n",
        pack.name
    );
    let usual = Pack::load(pack.pack_files(), None).map(|pack| pack.shape.roots).unwrap_or_default();
    let roots = roots(&directories);
    // What lies elsewhere may be an example, or a test.
    let usual_count = directories.iter().filter(|it| usual.iter().any(|root| is_below(it, root))).count();
    if usual_count * 2 < directories.len() {
        let roots = list(&roots);
        let _ = write!(text, "\n# Where they lie.\nshape.images.roots = {roots}\n");
    }
    let mut note =
        format!("found {} of a kind that the pack {} is for: {}", directories.len(), pack.name, listed(&directories));
    let is_usual = |directory: &&str| usual.iter().any(|root| is_below(directory, root));
    let unusual: BTreeSet<&str> = directories.iter().copied().filter(|it| !is_usual(it)).collect();
    if usual_count * 2 >= directories.len() && !unusual.is_empty() {
        let _ = write!(
            note,
            "\nnot looked at: {} of them that lie outside of {}; `shape.images.roots` takes them in",
            unusual.len(),
            usual.join(", ")
        );
    }
    Configuration { text, note, has_versions: true }
}

/// A configuration for images that no pack knows: of all places where versions often stand, the one that most directories with a
/// Dockerfile have.
fn proposed(files: &Snapshot<'_>) -> Result<Configuration, Error> {
    let built = built_directories(files);
    let mut best: Option<(&Place, BTreeMap<&str, BTreeSet<&str>>)> = None;
    for place in PLACES {
        let images = images_with(place, &built, files)?;
        if best.as_ref().is_none_or(|(_, most)| most.len() < images.len()) {
            best = Some((place, images));
        }
    }
    // One may be anything, and so may a few among many.
    match best.filter(|(_, images)| is_most(images.len(), built.len())) {
        Some((place, images)) => of_place(place, &images, built.len(), files),
        None => unversioned(&built, files),
    }
}

/// The directories that have a version in a place, each with the Dockerfiles in it or one directory below.
fn images_with<'f>(
    place: &Place,
    built: &BTreeSet<&'f str>,
    files: &'f Snapshot<'_>,
) -> Result<BTreeMap<&'f str, BTreeSet<&'f str>>, Error> {
    let source = place.source()?;
    let mut directories = BTreeSet::new();
    for directory in built.iter().flat_map(|directory| [*directory, directory_of(directory)]) {
        let text = files.text(&in_directory(directory, &source.file))?.and_then(Result::ok);
        if !directory.is_empty() && text.is_some_and(|text| source.locate(&text).identity().is_some()) {
            directories.insert(directory);
        }
    }
    Ok(built_in(&directories, files))
}

/// A configuration for images whose versions stand in a place.
fn of_place(
    place: &Place,
    images: &BTreeMap<&str, BTreeSet<&str>>,
    built: usize,
    files: &Snapshot<'_>,
) -> Result<Configuration, Error> {
    let directories: BTreeSet<&str> = images.keys().copied().collect();
    let count = format!("{} of {built}", images.len());
    let mut text = format!(
        "# How imglint judges this repository; `imglint rules` lists what it looks for.\npack = \"{GENERIC}\"\n\n\
         # Where images lie.\nshape.images.roots = {}\n\n\
         # Is this what they are tagged with? It is there for {count} directories with a Dockerfile.\n\
         shape.images.version = {}\n",
        list(&roots(&directories)),
        place.setting
    );
    add_dockerfiles(&mut text, images);
    let (text, _, _) = with_references(text, files)?;
    let note = format!(
        "no pack knows this repository; {count} directories with a Dockerfile have a version in {}: {}",
        place.file,
        listed(&directories)
    );
    Ok(Configuration { text, note, has_versions: true })
}

/// A configuration for images without a version that is known: of these it can be told what a change touches.
fn unversioned(built: &BTreeSet<&str>, files: &Snapshot<'_>) -> Result<Configuration, Error> {
    // One may be anything.
    if built.len() < 2 {
        return Err(NoImagesError.into());
    }
    let most = most_in_one_place(built);
    let mut images = built_in(&most, files);
    images.retain(|directory, _| most.contains(directory));
    let mut text = format!(
        "# How imglint judges this repository; `imglint rules` lists what it looks for.\npack = \"{GENERIC}\"\n\n\
         # Where images lie; each is taken to be built with its directory as the context.\nshape.images.roots = {}\n\n\
         # No version is known of any: no change is asked for one, and `imglint affected` and `imglint graph` tell what is built\n\
         # on what. If they have versions, say where: shape.images.version = {{ file = \"image.yaml\", key = \"version\" }}\n\
         shape.images.unversioned = [\"*\"]\n",
        list(&roots(&most))
    );
    add_dockerfiles(&mut text, &images);
    let (text, _, _) = with_references(text, files)?;
    let mut note = format!(
        "no pack knows this repository: {} have a Dockerfile, and no version in a place that is known: {}",
        counted_directories(most.len()),
        listed(&most)
    );
    if most.len() < built.len() {
        let others: BTreeSet<&str> = built.difference(&most).copied().collect();
        let _ = write!(note, "\nnot looked at: {}, beside these", listed(&others));
    }
    Ok(Configuration { text, note, has_versions: false })
}

/// Of these directories those in one directory at the top, if most are: what lies elsewhere then is an example, or a test.
fn most_in_one_place<'f>(built: &BTreeSet<&'f str>) -> BTreeSet<&'f str> {
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for directory in built {
        if let Some((top, _)) = directory.split_once('/') {
            groups.entry(top).or_default().insert(directory);
        }
    }
    let largest = groups.into_values().max_by_key(BTreeSet::len).unwrap_or_default();
    if is_most(largest.len(), built.len()) { largest } else { built.clone() }
}

/// Whether so many of all are enough to speak for all: three of five, and two at least.
fn is_most(some: usize, all: usize) -> bool {
    some >= 2 && some * 5 >= all * 3
}

/// The directories below the root of the repository that something is built from a Dockerfile in, but for what was written elsewhere
/// and what tools keep.
fn built_directories<'f>(files: &'f Snapshot<'_>) -> BTreeSet<&'f str> {
    let mut built = BTreeSet::new();
    for path in files.entries().keys() {
        let directory = directory_of(path);
        let is_hidden = directory.split('/').any(|part| part.starts_with('.'));
        if !(directory.is_empty() || is_hidden || is_vendored(directory)) && is_dockerfile(path, files) {
            built.insert(directory);
        }
    }
    built
}

fn counted_directories(count: usize) -> String {
    if count == 1 { "1 directory".to_owned() } else { format!("{count} directories") }
}

/// A place where versions often stand.
struct Place {
    file: &'static str,
    /// As the configuration writes it.
    setting: &'static str,
}

impl Place {
    fn source(&self) -> Result<VersionSource, Error> {
        let config = format!("pack = \"{GENERIC}\"\nshape.images.version = {}\n", self.setting);
        let mut shape = loaded(&config)?.shape;
        Ok(shape.versions.swap_remove(0))
    }
}

/// Where the versions of several variants of an image stand.
const VARIANTS: Place = Place {
    file: "variants.yaml",
    setting: "{ file = \"variants.yaml\", key = \"variants.*.IMAGE_VERSION\", revision = \"REVISION\", directories = [\"CONFIG\"] }",
};

/// Where versions stand that no pack is for, the surest first.
const PLACES: &[Place] = &[
    Place { file: "version.txt", setting: "\"version.txt\"" },
    Place { file: "version", setting: "\"version\"" },
    Place { file: "IMAGE_VERSION", setting: "\"IMAGE_VERSION\"" },
    Place { file: ".version", setting: "\".version\"" },
    Place { file: "metadata.yaml", setting: "{ file = \"metadata.yaml\", key = \"data.dockerImageTag\" }" },
    Place { file: "metadata.yaml", setting: "{ file = \"metadata.yaml\", key = \"version\" }" },
    Place { file: "image.yaml", setting: "{ file = \"image.yaml\", key = \"version\" }" },
    Place { file: "config.yaml", setting: "{ file = \"config.yaml\", key = \"version\" }" },
    Place { file: "package.json", setting: "{ file = \"package.json\", key = \"version\" }" },
    Place { file: "Cargo.toml", setting: "{ file = \"Cargo.toml\", key = \"package.version\" }" },
    Place { file: "pyproject.toml", setting: "{ file = \"pyproject.toml\", key = \"project.version\" }" },
    Place {
        file: "docker-bake.hcl",
        setting: r#"{ file = "docker-bake.hcl", pattern = 'variable "(?:TAG|VERSION)" \{\s*default = "(?<version>[^"]+)"' }"#,
    },
    Place {
        file: "Dockerfile",
        setting: r#"{ file = "Dockerfile", pattern = '^LABEL .*\bversion="?(?<version>\w[\w.-]*)' }"#,
    },
];

/// The configuration of images with a version file and a Dockerfile.
fn generic(
    version_file: &str,
    images: &BTreeMap<&str, BTreeSet<&str>>,
    files: &Snapshot<'_>,
) -> Result<Configuration, Error> {
    let directories: BTreeSet<&str> = images.keys().copied().collect();
    let roots = roots(&directories);
    let mut text = format!(
        "# How imglint judges this repository; `imglint rules` lists what it looks for.\npack = \"{GENERIC}\"\n\n\
         # Images are the directories with a {version_file} file below these.\nshape.images.roots = {}\n",
        list(&roots)
    );
    if version_file != VERSION_FILES[0] {
        let _ = writeln!(text, "shape.images.version = \"{version_file}\"");
    }
    add_dockerfiles(&mut text, images);
    let (text, pack, model) = with_references(text, files)?;
    let count = counted(images.len(), "image");
    let mut note = format!("found {count} with {version_file} and Dockerfile: {}", listed(&directories));
    if let Some(hint) = root_hint(&pack, files, &model) {
        let _ = write!(note, "\n{hint}");
    }
    Ok(Configuration { text, note, has_versions: true })
}

/// Adds what images are built from, where that is not simply called so.
fn add_dockerfiles(text: &mut String, images: &BTreeMap<&str, BTreeSet<&str>>) {
    let dockerfiles = dockerfiles(images);
    if dockerfiles != [DOCKERFILE] {
        let _ = writeln!(text, "\n# What they are built from.\nshape.build.dockerfile = {}", list(&dockerfiles));
    }
}

const REGISTRIES: &str = "shape.references.registries";

/// Adds what images are named by.
fn with_references(mut text: String, files: &Snapshot<'_>) -> Result<(String, Pack, Model), Error> {
    let (pack, model) = understood(&text, files)?;
    let mut registries = registries(&pack, &model);
    let mut named = model.images.values().flat_map(|image| &image.references).map(|reference| &reference.target);
    if registries.is_empty() && !named.any(|name| !model.named(name).is_empty()) {
        // A variable may stand for less than all that is before a name, as in `$REGISTRY/acme/base`.
        let (pack, model) = understood(&format!("{text}{REGISTRIES} = []\n"), files)?;
        registries = unlisted_registries(&pack, &model).into_keys().collect();
    }
    if !registries.is_empty() {
        let list = list(&registries);
        let _ = writeln!(
            text,
            "\n# What stands before their names; take out what is somebody else's.\n{REGISTRIES} = {list}"
        );
    }
    let (pack, model) = understood(&text, files)?;
    if has_prefix(&model) {
        let _ = writeln!(text, "\n# Tags are `{PREFIX}` and the version.\nshape.references.tag-prefix = \"{PREFIX}\"");
    }
    Ok((text, pack, model))
}

/// What images are built from: the plain Dockerfile first, and beside it what is called otherwise where that is not there.
fn dockerfiles<'f>(images: &BTreeMap<&str, BTreeSet<&'f str>>) -> Vec<&'f str> {
    let mut plain = Vec::new();
    let mut others: BTreeSet<&str> = BTreeSet::new();
    for dockerfiles in images.values() {
        if dockerfiles.contains(DOCKERFILE) {
            plain = vec![DOCKERFILE];
        } else {
            others.extend(dockerfiles);
        }
    }
    plain.extend(others);
    plain
}

/// The files that hold an image's version, as they are called here and there.
const VERSION_FILES: [&str; 2] = ["VERSION", "TAG"];

const DOCKERFILE: &str = "Dockerfile";

/// Strings as TOML lists them.
fn list(strings: &[impl AsRef<str>]) -> String {
    let strings: Vec<String> = strings.iter().map(|it| toml::Value::from(it.as_ref()).to_string()).collect();
    format!("[{}]", strings.join(", "))
}

/// What a configuration makes of the files.
fn understood(config: &str, files: &Snapshot<'_>) -> Result<(Pack, Model), Error> {
    let pack = loaded(config)?;
    let model = Model::build(files, &pack.shape, None, None)?;
    Ok((pack, model))
}

/// The generic pack with a configuration.
fn loaded(config: &str) -> Result<Pack, Error> {
    let config = read_config(&Source::new(CONFIG_FILE, config.to_owned()))?;
    let generic = BuiltIn::named(GENERIC).ok_or(NoImagesError)?;
    Ok(Pack::load(generic.pack_files(), Some(&config))?)
}

/// The registries under which images name each other; none where the pack knows all of them.
fn registries(pack: &Pack, model: &Model) -> Vec<String> {
    let mut registries: Vec<String> = unlisted_registries(pack, model).into_keys().collect();
    if !registries.is_empty() {
        let names: Vec<String> = model.images.values().flat_map(|image| image.own_names(&pack.shape)).collect();
        for prefix in &pack.shape.registries {
            if names.iter().any(|name| name.starts_with(&prefix.text)) {
                registries.push(prefix.text.trim_end_matches('/').to_owned());
            }
        }
        registries.sort();
    }
    registries
}

/// What often stands before the version in a tag.
const PREFIX: &str = "v";

/// Whether tags begin with it, and versions do not.
fn has_prefix(model: &Model) -> bool {
    let references = model.images.values().flat_map(|image| &image.references);
    let mut named = references.filter(|reference| !model.named(&reference.target).is_empty());
    let mut versions = model.images.values().filter_map(|image| image.version());
    named.any(|reference| reference.version.as_deref().is_some_and(is_prefixed)) && !versions.any(is_prefixed)
}

fn is_prefixed(version: &str) -> bool {
    version.strip_prefix(PREFIX).is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()))
}

/// The first few names of a list.
fn listed(names: &BTreeSet<&str>) -> String {
    const FEW: usize = 5;
    let few: Vec<_> = names.iter().take(FEW).map(|name| escape(name)).collect();
    few.join(", ") + if names.len() > FEW { ", …" } else { "" }
}

/// The directories with a version file, each with the Dockerfiles in it or one directory below. The root of the repository has no
/// name that an image could have.
fn images<'f>(files: &'f Snapshot<'_>, version_file: &str) -> BTreeMap<&'f str, BTreeSet<&'f str>> {
    let versions = files.entries().keys().filter_map(|path| path.strip_suffix(version_file)?.strip_suffix('/'));
    built_in(&versions.collect(), files)
}

/// Those of these directories that have Dockerfiles, in them or one directory below.
fn built_in<'f>(directories: &BTreeSet<&'f str>, files: &'f Snapshot<'_>) -> BTreeMap<&'f str, BTreeSet<&'f str>> {
    let mut images: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in files.entries().keys().filter(|path| is_dockerfile(path, files)) {
        let above = path.match_indices('/').map(|(slash, _)| (&path[..slash], &path[slash + 1..])).rev();
        // What lies deeper is somebody else's.
        let nearest = above.take(2).find(|(directory, _)| directories.contains(directory));
        if let Some((directory, below)) = nearest {
            images.entry(directory).or_default().insert(below);
        }
    }
    images
}

/// Whether a file is called like a Dockerfile. Documents and templates are called alike: these cannot be read as one.
fn is_dockerfile(path: &str, files: &Snapshot<'_>) -> bool {
    const TEMPLATES: [&str; 7] = [".tmpl", ".tpl", ".template", ".j2", ".jinja2", ".erb", ".in"];
    match file_name(path) {
        DOCKERFILE => true,
        // Not each template has something to fill in.
        name if TEMPLATES.iter().any(|ending| name.ends_with(ending)) => false,
        name if name.starts_with(DOCKERFILE) => {
            let text = files.text(path).ok().flatten().and_then(Result::ok);
            text.is_some_and(|text| Dockerfile::parse(&text).is_ok_and(|dockerfile| dockerfile.errors.is_empty()))
        }
        _ => false,
    }
}

/// Where images lie: for each directory at the top, the deepest one that holds all images in it. Where that leaves two images
/// with one name, or images at the top itself, they are named from the root.
fn roots(images: &BTreeSet<&str>) -> Vec<String> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for image in images {
        let Some((above, _)) = image.rsplit_once('/') else { return vec![".".to_owned()] };
        let top = image.split('/').next().unwrap_or(image);
        groups
            .entry(top)
            .and_modify(|common| {
                common.truncate(common.iter().zip(above.split('/')).take_while(|(a, b)| *a == b).count());
            })
            .or_insert_with(|| above.split('/').collect());
    }
    let roots: Vec<String> = groups.values().map(|common| common.join("/")).collect();
    let names: BTreeSet<_> = images
        .iter()
        .filter_map(|image| roots.iter().find_map(|root| image.strip_prefix(root.as_str())?.strip_prefix('/')))
        .collect();
    if names.len() == images.len() { roots } else { vec![".".to_owned()] }
}
