//! `[references]`: how an image names another one.

use serde::Deserialize;

use super::field::FileName;
use crate::parse::glob::Globs;

/// `[references]`: how an image names another one.
#[derive(Debug, Clone, Default, Deserialize)]
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
}

/// A spelling of the registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Registry {
    Plain(String),
    /// A registry that holds the images of one directory below the root, by their last name.
    Of {
        name: String,
        directory: String,
    },
}

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
    pub(super) fn variable(&self) -> Option<&str> {
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
