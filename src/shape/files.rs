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
    /// How an image is named; `None` where it is by a registry that is listed, its name and a tag.
    pub pattern: Option<NamePattern>,
    /// When what stands there follows a new version.
    pub follows: FilesFollow,
    /// For how many days it may wait, where it follows later and no list tells what is promoted.
    pub grace_days: u32,
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

/// For how many days what follows later may wait, where the pack says nothing of it.
pub(super) const GRACE_DAYS: u32 = 30;

/// What `image` says where it is that of the directory.
const OWNER: &str = "{directory}";

impl TryFrom<Table> for ReferenceFiles {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let Table { paths, exclude, pattern, image, kind, registries, pinned, follows, grace_days } = table;
        if paths.is_empty() {
            return Err("`paths` names no file".to_owned());
        }
        if pattern.is_none() {
            let needs_pattern = [
                ("image", image.is_some()),
                ("kind", kind.is_some()),
                ("registries", registries.is_some()),
                ("pinned", !pinned.is_empty()),
            ];
            if let Some((key, _)) = needs_pattern.iter().find(|(_, is_given)| *is_given) {
                return Err(format!("`{key}` is about what a `pattern` finds, and there is none"));
            }
        }
        let mut pattern = pattern.map(|pattern| NamePattern::new(&pattern, image, registries, pinned)).transpose()?;
        if let Some(pattern) = &mut pattern {
            pattern.kind = kind;
        }
        if grace_days.is_some() && follows != FilesFollow::Later {
            return Err("`grace-days` is for what follows later".to_owned());
        }
        Ok(Self { paths, exclude, pattern, follows, grace_days: grace_days.unwrap_or(GRACE_DAYS) })
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
