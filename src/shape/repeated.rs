//! `[[constants]]` and `[dependencies]`: what repeats a version elsewhere.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::field::{pattern, plain_pattern};
use crate::parse::capture::Pattern;

/// `[dependencies]`: a list of versions and of the files that repeat them, as `build/dependencies.yaml` of Kubernetes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DependenciesShape {
    /// Its path.
    pub path: Arc<str>,
}

/// `[[constants]]`: a literal in the sources that must equal an image's version.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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

fn constant_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
    pattern(deserializer, &["value"])
}

fn linked_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Pattern>, D::Error> {
    plain_pattern(deserializer).map(Some)
}
