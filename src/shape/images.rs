//! `[images]`: what an image is, and where its version stands.

use std::collections::BTreeMap;
use std::fmt::{self, Formatter};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::field::{Directory, FileName, IgnorePattern};
use crate::parse::capture::Pattern;
use crate::parse::glob::{Globs, Ignore, PathPattern};
use crate::parse::version::Scheme;
use crate::parse::version_source::{Anchor, Key, VersionForm, VersionSource};
use crate::schema_form::WordOr;

/// `[images]`: what an image is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Images {
    /// The directories below which images lie.
    pub(super) roots: Vec<Directory>,
    /// Where an image's version stands. The file makes a directory an image.
    pub(super) version: Versions,
    /// The file that holds the name under which an image is published, if it is not the directory's.
    pub(super) alias_file: Option<FileName>,
    /// The names under which images are published, where they are neither those of their directories nor in a file.
    #[serde(default)]
    pub(super) names: BTreeMap<String, String>,
    /// Whether an image may lie in the directory of another one. If not, all of a directory belongs to the outermost.
    #[serde(default = "yes")]
    pub(super) nested: bool,
    /// Names of directories of an image that hold what comes from elsewhere: nothing in them is an image of its own.
    #[serde(default = "vendored")]
    pub(super) vendored: Vec<String>,
    /// The image in the root of the repository.
    pub(super) root: Option<RootImage>,
    /// Files of an image that are no part of its content: glob patterns, or directories with a closing slash.
    #[serde(default)]
    pub(super) ignore: Vec<IgnorePattern>,
    /// Keys at the top of YAML and JSON files of an image that are no part of its content, by the path of the file below the image.
    #[serde(default)]
    pub(super) ignore_keys: IgnoredKeys,
    /// A file of an image that says which of its files are left out when it is packed.
    pub(super) ignore_file: Option<IgnoreFile>,
    /// Whether a change of comments alone is one of content.
    #[serde(default)]
    pub(super) comments: Comments,
    /// Files outside of the images that are part of them.
    #[serde(default)]
    pub(super) shared: Vec<Shared>,
    /// Images that are those of somebody else under another name.
    #[serde(default)]
    pub(super) mirrored: Globs,
    /// Further images that carry another project's version.
    #[serde(default)]
    pub(super) upstream_versions: Globs,
    /// Images that keep their version, whatever changes in them.
    #[serde(default)]
    pub(super) frozen: Globs,
    /// Images without a version of their own: what changes in one, changes in all that is built on it.
    #[serde(default)]
    pub(super) unversioned: Globs,
    /// Files beside the images that all of them are built anew for, under their present tags.
    #[serde(default)]
    pub(super) build_inputs: Vec<PathPattern>,
}

/// `images.ignore-keys`: keys that only describe an image, for each file of it that has some.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(try_from = "BTreeMap<String, Vec<String>>")]
#[schemars(with = "BTreeMap<String, Vec<String>>", inline)]
pub struct IgnoredKeys(BTreeMap<String, Vec<String>>);

impl TryFrom<BTreeMap<String, Vec<String>>> for IgnoredKeys {
    type Error = String;

    fn try_from(files: BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        for file in files.keys() {
            if ![".yaml", ".yml", ".json"].iter().any(|ending| file.ends_with(ending)) {
                return Err(format!("keys are looked for in files that end with .yaml, .yml or .json, not in {file}"));
            }
            if file.starts_with('/') || file.split('/').any(|part| part == "..") {
                return Err(format!("{file} must be the path of a file below the directory of an image"));
            }
        }
        Ok(Self(files))
    }
}

impl IgnoredKeys {
    /// Those of a file, given by its path below an image's directory.
    pub fn of(&self, below: &str) -> Option<&[String]> {
        self.0.get(below).map(Vec::as_slice)
    }
}

/// `images.ignore-file`: a file in an image's directory that says which of its files are left out.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IgnoreFile {
    /// Its name.
    name: FileName,
    /// Who reads it, as no two read the same patterns alike.
    #[expect(dead_code, reason = "there is one so far, and a pack says that it means it")]
    syntax: IgnoreSyntax,
}

impl IgnoreFile {
    /// The name of the file.
    pub fn name(&self) -> &str {
        &self.name.0
    }
}

/// Who reads a file that says what is left out.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum IgnoreSyntax {
    /// Helm: `.helmignore`.
    Helm,
}

/// `images.comments`: what a change of comments alone is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Comments {
    /// A change of content, as any other.
    #[default]
    Content,
    /// None.
    Ignored,
}

/// Files outside of the images that are part of them.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(with = "WordOr<SharedTable>", inline)]
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

/// Files that are part of some images.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SharedTable {
    /// The files, from the root of the repository: a path, or a pattern.
    path: PathPattern,
    /// The images that they are part of, by name or pattern; all, where nothing is said.
    images: Option<Globs>,
}

/// Reads a path, or a table. An untagged enum would not say what is wrong with either.
struct SharedVisitor;

impl<'de> Visitor<'de> for SharedVisitor {
    type Value = Shared;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a path, or a table with `path` and, where it is not of all, `images`")
    }

    fn visit_str<E: Error>(self, path: &str) -> Result<Shared, E> {
        Ok(Shared { path: PathPattern::new(path).map_err(E::custom)?, images: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Shared, A::Error> {
        let SharedTable { path, images } = SharedTable::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Shared { path, images })
    }
}

impl Shared {
    /// Whether a file is one of them. Documentation is where it is named itself.
    pub fn has(&self, path: &str, ignore: &Ignore) -> bool {
        self.path.as_str() == path || (self.path.covers(path) && !ignore.is_match(path))
    }

    /// Whether the files are part of the image of this name.
    pub fn is_of(&self, image: &str) -> bool {
        self.images.as_ref().is_none_or(|images| images.is_match(image))
    }
}

/// `[images.root]`: the image whose directory is the repository itself.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RootImage {
    /// Its name, as it has no directory that could give it one.
    pub name: String,
    /// What it is made of: files, directories and patterns. The rest of the repository is none of its content.
    pub content: Vec<PathPattern>,
}

/// The path of a version file, and from where it counts.
struct VersionFile {
    file: String,
    anchor: Anchor,
}

impl VersionFile {
    /// Reads `VERSION`, `../VERSION` or `/VERSION`; the error says what is wrong with it.
    fn new(text: &str) -> Result<Self, String> {
        if let Some(file) = text.strip_prefix('/') {
            let file = PathPattern::new(file)?.as_path().map(str::to_owned);
            return Ok(Self { file: file.ok_or("this must be the path of a file")?, anchor: Anchor::Root });
        }
        let mut file = text;
        let mut levels = 0;
        while let Some(rest) = file.strip_prefix("../") {
            file = rest;
            levels += 1;
        }
        let anchor = if levels == 0 { Anchor::Image } else { Anchor::Above(levels) };
        if file.is_empty() || file == ".." || file.contains('/') {
            return Err(
                "this must be the name of a file, without a directory; or `../VERSION` for one that images share, or `/VERSION` for \
                 one in the root"
                    .to_owned(),
            );
        }
        Ok(Self { file: file.to_owned(), anchor })
    }
}

/// One place where a version may stand, or several.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(with = "VersionsForm", inline)]
pub(super) struct Versions(pub(super) Vec<VersionSource>);

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VersionsVisitor)
    }
}

/// A place where a version stands.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VersionTable {
    /// The file: in the image's directory, with `../` first one that several images share, with `/` first one in the root.
    file: String,
    /// The images that it is a place for, by name or pattern; all, where nothing is said.
    images: Option<Box<Globs>>,
    /// The key of YAML, JSON or TOML that the version is the value of; with `*` for one part, in YAML, that of each variant.
    key: Option<String>,
    /// Beside the version of a variant, the key that repeats its last number.
    revision: Option<String>,
    /// The keys of a variant that name a directory of the image which is its own.
    #[serde(default)]
    directories: Vec<String>,
    /// Where in the file the version stands: the group `version`.
    pattern: Option<String>,
    /// A key without which the file makes no image.
    require: Option<String>,
    /// What has the version, where it is no image that a registry holds, such as `chart`: it may be called as an image is.
    kind: Option<String>,
    /// What counts as a version, and which of two is higher.
    #[serde(default)]
    scheme: Scheme,
}

/// How [`Versions`] are written.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "a form alone: nothing is read into it")]
enum VersionsForm {
    One(WordOr<VersionTable>),
    Several(Vec<WordOr<VersionTable>>),
}

/// Reads the name of a file, a table, or a list of these. An untagged enum would not say what is wrong with any.
struct VersionsVisitor;

impl<'de> Visitor<'de> for VersionsVisitor {
    type Value = Versions;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a file, a table with `file` and `key` or `pattern`, or a list of these")
    }

    fn visit_str<E: Error>(self, file: &str) -> Result<Versions, E> {
        let VersionFile { file, anchor } = VersionFile::new(file).map_err(E::custom)?;
        Ok(Versions(vec![VersionSource { anchor, ..VersionSource::new(file, VersionForm::WholeFile) }]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Versions, A::Error> {
        let VersionTable { file, images, key, revision, directories, pattern, require, kind, scheme } =
            VersionTable::deserialize(MapAccessDeserializer::new(map))?;
        let VersionFile { file, anchor } = VersionFile::new(&file).map_err(A::Error::custom)?;
        let mut form = match (key, pattern) {
            (None, None) => VersionForm::WholeFile,
            (Some(key), None) => VersionForm::of_key(&file, &key).map_err(A::Error::custom)?,
            (None, Some(pattern)) => {
                VersionForm::Pattern(Pattern::new(&pattern, &["version"]).map_err(A::Error::custom)?)
            }
            (Some(_), Some(_)) => {
                return Err(A::Error::custom("a version stands under a `key` or where a `pattern` finds it, not both"));
            }
        };
        match &mut form {
            VersionForm::Variants(variants) => {
                variants.revision = revision;
                variants.directories = directories;
            }
            _ if revision.is_some() || !directories.is_empty() => {
                return Err(A::Error::custom(
                    "`revision` and `directories` are keys of variants, for which a `*` stands in `key`",
                ));
            }
            _ => {}
        }
        let required = require.map(|key| Key::new(&file, &key)).transpose().map_err(A::Error::custom)?;
        let kind = kind.map(Arc::from);
        Ok(Versions(vec![VersionSource { anchor, images, required, kind, scheme, ..VersionSource::new(file, form) }]))
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

/// Where Go, npm and people put what comes from elsewhere.
fn vendored() -> Vec<String> {
    ["vendor", "node_modules", "third_party"].map(str::to_owned).to_vec()
}

fn yes() -> bool {
    true
}
