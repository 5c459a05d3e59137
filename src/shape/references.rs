//! `[references]`: how an image names another one.

use std::fmt::{self, Formatter};

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::field::FileName;
use super::files::ReferenceFiles;
use crate::parse::glob::Globs;
use crate::parse::partial;
use crate::schema_form::WordOr;

/// `[references]`: how an image names another one.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct References {
    /// The file that lists an image's bases by platform.
    pub(super) base_file: Option<FileName>,
    /// What stands before the name of an image of this tree.
    #[serde(default)]
    pub(super) registries: Vec<Registry>,
    /// Whether tags end with the platform, as in `1.0-linux-amd64`.
    #[serde(default)]
    pub(super) platform_suffix: bool,
    /// What stands before the version in tags, as in `v1.0`.
    #[serde(default)]
    pub(super) tag_prefix: String,
    /// Tags that name no version, but whatever was pushed last.
    #[serde(default)]
    pub(super) floating: Globs,
    /// How much of a version tags name.
    #[serde(default)]
    pub(super) precision: Precision,
    /// Files beside the images that name them.
    #[serde(default)]
    pub(super) files: Vec<ReferenceFiles>,
}

/// `references.precision`: how much of a version tags name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// All of it.
    #[default]
    Exact,
    /// As many of its numbers as they like: `4` names 4.0.13, and so does `4-trixie`.
    Prefix,
}

impl Precision {
    /// What of a tag, which has no prefix any more, names a version; `None` where nothing does. Numbers that a variable may go on are
    /// no more known than the variable.
    pub fn named(self, tag: &str) -> Option<&str> {
        match self {
            Self::Exact => Some(tag).filter(|tag| !tag.is_empty()),
            Self::Prefix => partial::numbers(tag).filter(|numbers| !tag[numbers.len()..].starts_with('$')),
        }
    }

    /// Whether what is named is a version, or the beginning of it where that is enough.
    pub fn is_named(self, named: &str, version: &str) -> bool {
        named == version || (self == Self::Prefix && partial::is_prefix_of(named, version))
    }

    /// A version, as it is to be written in the place of what is named.
    pub fn written_like(self, named: &str, version: &str) -> String {
        if self == Self::Prefix { partial::shortened_like(named, version) } else { version.to_owned() }
    }
}

/// A spelling of the registry.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(with = "WordOr<RegistryTable>", inline)]
pub(super) struct Registry {
    name: String,
    /// The directories below the root whose images it holds, by their last names; none, if names lack no directory.
    directories: Vec<String>,
    /// What stands before the names in it.
    prefix: String,
    /// What stands behind them.
    suffix: String,
}

impl<'de> Deserialize<'de> for Registry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RegistryVisitor)
    }
}

/// A registry with what is special about the names in it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RegistryTable {
    /// What stands before the names.
    name: String,
    /// The directory whose images it holds, by their last names.
    directory: Option<String>,
    /// Several such directories.
    #[serde(default)]
    directories: Vec<String>,
    /// What stands before each name in it.
    #[serde(default)]
    prefix: String,
    /// What stands behind each name in it.
    #[serde(default)]
    suffix: String,
}

/// Reads a name, or a table. An untagged enum would not say what is wrong with either.
struct RegistryVisitor;

impl<'de> Visitor<'de> for RegistryVisitor {
    type Value = Registry;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a registry, or a table with `name` and what is special about the names in it")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Registry, E> {
        Ok(Registry { name: name.to_owned(), ..Registry::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Registry, A::Error> {
        let RegistryTable { name, directory, mut directories, prefix, suffix } =
            RegistryTable::deserialize(MapAccessDeserializer::new(map))?;
        if directory.is_some() && !directories.is_empty() {
            return Err(A::Error::custom("a registry holds the images of one `directory` or of several `directories`"));
        }
        directories.extend(directory);
        directories.retain(|directory| !directory.is_empty());
        Ok(Registry { name, directories, prefix, suffix })
    }
}

/// What stands before the name of an image of this tree.
#[derive(Debug, Clone)]
pub struct Prefix {
    /// A registry and what else is before the name, with its last slash.
    pub text: String,
    /// The directories one of which the name lacks behind it; none, if it lacks none.
    directories: Vec<String>,
    /// What stands behind the name.
    suffix: String,
    /// The same with braces around the variable that it begins with, or without them.
    twin: Option<String>,
}

impl Prefix {
    /// What stands behind it in a name. A variable is the same with braces around it.
    pub fn strip<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(self.text.as_str()).or_else(|| name.strip_prefix(self.twin.as_deref()?))
    }

    /// All ways to write it. Make has one of its own for variables.
    pub fn spellings(&self) -> Vec<String> {
        let mut spellings = vec![self.text.clone()];
        spellings.extend(self.twin.clone());
        spellings.extend(self.variable().map(|name| format!("$({name})/")));
        spellings
    }

    /// The image that a name behind it means, as [`Model::named`](crate::model::Model::named) takes it; `None` for what is no name in
    /// this registry.
    pub fn target(&self, name: &str) -> Option<String> {
        let name = name.strip_suffix(self.suffix.as_str()).filter(|name| !name.is_empty())?;
        Some(match &self.directories[..] {
            [] => name.to_owned(),
            [directory] => format!("{directory}/{name}"),
            directories => format!("{{{}}}/{name}", directories.join(",")),
        })
    }

    /// The variable that it is, if it is nothing else.
    pub(super) fn variable(&self) -> Option<&str> {
        let name = self.text.strip_suffix('/')?.strip_prefix('$')?;
        let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
        Some(name).filter(|name| is_variable(name))
    }
}

impl From<Registry> for Prefix {
    fn from(Registry { name, directories, prefix, suffix }: Registry) -> Self {
        let text = before_names(&name) + &prefix;
        let twin = twin(&text);
        Self { text, directories, suffix, twin }
    }
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
