//! `[[references.files]]`: files beside the images that name them with their versions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::parse::capture::Pattern;
use crate::parse::glob::PathPattern;

/// Files that name images of the tree, and how.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "Table")]
#[schemars(with = "Table")]
pub struct ReferenceFiles {
    paths: Vec<PathPattern>,
    exclude: Vec<PathPattern>,
    /// How an image is named.
    pub form: ReferenceForm,
    /// Whose ranges of versions may stand there; `None` where a version does.
    pub ranges: Option<Ranges>,
    /// When what stands there follows a new version.
    pub follows: FilesFollow,
    /// For how many days it may wait, where it follows later and no list tells what is promoted.
    pub grace_days: u32,
}

/// How an image is named.
#[derive(Debug, Clone)]
pub enum ReferenceForm {
    /// By a registry that is listed, its name and a tag, as docker takes it.
    Docker,
    /// Where a pattern finds it.
    Pattern(NamePattern),
    /// By the entries of a list.
    List(NameList),
}

/// `ranges`: whose ranges of versions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ranges {
    /// Helm's, as Masterminds/semver reads them.
    Helm,
}

/// A list of YAML or JSON whose entries each name an image and a version, under keys that may stand in any order.
#[derive(Debug, Clone)]
pub struct NameList {
    /// The keys from the root of the file to the list.
    pub path: Vec<String>,
    /// The key of an entry that holds the version.
    pub version: String,
    /// What of an entry says which image is meant.
    pub image: EntryImage,
    /// What the names are those of, where it is no image, such as a chart.
    pub kind: Option<String>,
}

/// What of an entry of a list says which image is meant.
#[derive(Debug, Clone)]
pub enum EntryImage {
    /// The value of a key is the path of its directory from that of the file, behind a text.
    Directory {
        /// The key.
        key: String,
        /// What stands before the path, as in `file://`.
        prefix: String,
    },
    /// The value of a key is its name.
    Name {
        /// The key.
        key: String,
        /// The key that holds the registry; `None` where all names are those of this repository.
        registry: Option<String>,
        /// What that may hold, each with the directory that its names lack; `None` where that is a registry that is listed.
        registries: Option<BTreeMap<String, String>>,
    },
}

/// What a reference looks like that is not written as docker takes it: a list with keys, or a tag on a line of its own.
#[derive(Debug, Clone)]
pub struct NamePattern {
    /// The groups `version`, and as far as they are there, `name`, `registry`, `key` and `digest`.
    pub pattern: Pattern,
    /// What the names are those of, where it is no image, such as a chart.
    pub kind: Option<String>,
    /// Which image is meant, where the pattern does not find its name.
    pub image: MeantImage,
    /// What the group `registry` may hold, each with the directory that its names lack; `None` where that is a registry that is listed.
    pub registries: Option<BTreeMap<String, String>>,
    /// What the group `key` holds in entries that stay behind on purpose.
    pub pinned: Vec<String>,
}

/// The image that a match of a pattern is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeantImage {
    /// The one that the group `name` names.
    Named,
    /// The one in whose directory the file lies.
    Owner,
    /// The one of this name.
    Fixed(String),
}

/// `follows`: when references in files follow a new version of their image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FilesFollow {
    /// In the change that makes the version.
    #[default]
    SameChange,
    /// In a later change, when the image was built.
    #[serde(alias = "after-promotion")]
    Later,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    /// The files, from the root of the repository: paths of files and directories, or patterns.
    paths: Vec<PathPattern>,
    /// Files that are left out of these.
    #[serde(default)]
    exclude: Vec<PathPattern>,
    /// What a reference looks like: a regular expression with the group `version`, and as far as they are there, `name`, `registry`,
    /// `key` and `digest`. Without it, every text is meant that is written as docker takes it.
    pattern: Option<String>,
    /// A list of YAML or JSON, where each entry names an image and a version.
    list: Option<ListTable>,
    /// Whose ranges of versions may stand where the version does; without it, one version stands there.
    ranges: Option<Ranges>,
    /// The image, where the pattern has no group `name`; `{directory}` is the one in whose directory the file lies.
    image: Option<String>,
    /// What the group `name` names, where it is no image but of this `kind`.
    kind: Option<String>,
    /// What the group `registry` may hold, each with the directory that its names lack.
    registries: Option<BTreeMap<String, String>>,
    /// What the group `key` holds in entries that stay behind on purpose.
    #[serde(default)]
    pinned: Vec<String>,
    /// When what stands there follows a new version.
    #[serde(default)]
    follows: FilesFollow,
    /// For how many days what follows later may wait; 30 where nothing is said.
    grace_days: Option<u32>,
}

/// A list whose entries name images.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ListTable {
    /// The key of the list, with dots between its parts.
    key: String,
    /// The key of an entry that holds the version; `version` where nothing is said.
    version: Option<String>,
    /// The key of an entry that holds the name of the image; `name` where nothing is said.
    name: Option<String>,
    /// The key of an entry that holds the registry.
    registry: Option<String>,
    /// The key of an entry that holds the directory of the image, from that of the file.
    directory: Option<String>,
    /// What stands before that directory; entries without it name something else.
    prefix: Option<String>,
}

/// For how many days what follows later may wait, where the pack says nothing of it.
pub(super) const GRACE_DAYS: u32 = 30;

/// What `image` says where it is that of the directory.
const OWNER: &str = "{directory}";

impl TryFrom<Table> for ReferenceFiles {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let Table { paths, exclude, pattern, list, ranges, image, kind, registries, pinned, follows, grace_days } =
            table;
        if paths.is_empty() {
            return Err("`paths` names no file".to_owned());
        }
        let form = match (pattern, list) {
            (Some(_), Some(_)) => {
                return Err("images are named where a `pattern` finds them or in a `list`, not both".to_owned());
            }
            (None, None) => {
                let needs_more = [
                    ("image", image.is_some()),
                    ("kind", kind.is_some()),
                    ("ranges", ranges.is_some()),
                    ("registries", registries.is_some()),
                    ("pinned", !pinned.is_empty()),
                ];
                if let Some((key, _)) = needs_more.iter().find(|(_, is_given)| *is_given) {
                    return Err(format!("`{key}` is about what a `pattern` or a `list` finds, and there is none"));
                }
                ReferenceForm::Docker
            }
            (Some(pattern), None) => {
                ReferenceForm::Pattern(NamePattern { kind, ..NamePattern::new(&pattern, image, registries, pinned)? })
            }
            (None, Some(list)) => {
                let of_patterns = [("image", image.is_some()), ("pinned", !pinned.is_empty())];
                if let Some((key, _)) = of_patterns.iter().find(|(_, is_given)| *is_given) {
                    return Err(format!("`{key}` is about what a `pattern` finds, and this is a `list`"));
                }
                ReferenceForm::List(NameList { kind, ..NameList::new(list, registries)? })
            }
        };
        if grace_days.is_some() && follows != FilesFollow::Later {
            return Err("`grace-days` is for what follows later".to_owned());
        }
        Ok(Self { paths, exclude, form, ranges, follows, grace_days: grace_days.unwrap_or(GRACE_DAYS) })
    }
}

impl NameList {
    fn new(table: ListTable, registries: Option<BTreeMap<String, String>>) -> Result<Self, String> {
        let ListTable { key, version, name, registry, directory, prefix } = table;
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err("the key of a list is made of names with dots between them, as in `dependencies`".to_owned());
        }
        let image = if let Some(key) = directory {
            if name.is_some() || registry.is_some() || registries.is_some() {
                return Err("an entry names an image by its `directory` or by `name`, not by both".to_owned());
            }
            EntryImage::Directory { key, prefix: prefix.unwrap_or_default() }
        } else {
            if prefix.is_some() {
                return Err("`prefix` is what stands before a `directory`, and no key holds one".to_owned());
            }
            if registries.is_some() && registry.is_none() {
                return Err("`registries` is what the key of the `registry` may hold, and the list has none".to_owned());
            }
            EntryImage::Name { key: name.unwrap_or_else(|| "name".to_owned()), registry, registries }
        };
        Ok(Self { path, version: version.unwrap_or_else(|| "version".to_owned()), image, kind: None })
    }
}

impl NamePattern {
    fn new(
        source: &str,
        image: Option<String>,
        registries: Option<BTreeMap<String, String>>,
        pinned: Vec<String>,
    ) -> Result<Self, String> {
        let pattern = Pattern::new(source, &["version"])?;
        let image = match (image, pattern.has_group("name")) {
            (Some(_), true) => {
                return Err("an image is named by `image` or by the group `(?<name>…)`, not by both".to_owned());
            }
            (None, false) => {
                return Err("the pattern has no group `(?<name>…)`, and no `image` says which one is meant".to_owned());
            }
            (None, true) => MeantImage::Named,
            (Some(image), false) if image == OWNER => MeantImage::Owner,
            (Some(image), false) => MeantImage::Fixed(image),
        };
        if registries.is_some() && !pattern.has_group("registry") {
            return Err("`registries` is what the group `(?<registry>…)` may hold, and the pattern has none".to_owned());
        }
        if !pinned.is_empty() && !pattern.has_group("key") {
            return Err("`pinned` is what the group `(?<key>…)` may hold, and the pattern has none".to_owned());
        }
        Ok(Self { pattern, kind: None, image, registries, pinned })
    }
}

impl ReferenceFiles {
    /// Whether a file is one of them.
    pub fn has(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| pattern.covers(path)) && !self.is_excluded(path)
    }

    /// Whether a file is one of them that is named itself, rather than found by a pattern.
    pub fn names(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| pattern.as_path() == Some(path)) && !self.is_excluded(path)
    }

    fn is_excluded(&self, path: &str) -> bool {
        self.exclude.iter().any(|pattern| pattern.covers(path))
    }

    /// The paths as they are written.
    pub fn paths(&self) -> &[PathPattern] {
        &self.paths
    }
}
