//! `[[constants]]` and `[dependencies]`: what repeats a version elsewhere.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::field::{pattern, plain_pattern};
use super::files::GRACE_DAYS;
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
#[serde(try_from = "ConstantTable")]
#[schemars(with = "ConstantTable")]
pub struct Constant {
    /// The image, by its name.
    pub image: String,
    /// The file that holds the literal.
    pub path: Arc<str>,
    /// Where in it: the group `value`.
    pub pattern: Pattern,
    /// What tells that a linker sets the value, so that there is no literal.
    pub linked: Option<Pattern>,
    /// When it follows a new version.
    pub follows: ConstantFollows,
    /// For how many days it may wait, where it follows later and no list tells what is promoted.
    pub grace_days: u32,
}

/// `follows`: when a constant follows a new version of its image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConstantFollows {
    /// In the change that makes the version.
    #[default]
    SameChange,
    /// In a later change, when the image was built.
    #[serde(alias = "after-promotion")]
    Later,
    /// When the manifest does.
    Auto,
}

/// `[[constants]]`: a literal in the sources that must equal an image's version.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ConstantTable {
    /// The image, by its name.
    image: String,
    /// The file that holds the literal.
    path: Arc<str>,
    /// Where in it: the group `value`.
    #[serde(deserialize_with = "constant_pattern")]
    pattern: Pattern,
    /// What tells that a linker sets the value, so that there is no literal.
    #[serde(default, deserialize_with = "linked_pattern")]
    linked: Option<Pattern>,
    /// When it follows a new version.
    #[serde(default)]
    follows: ConstantFollows,
    /// For how many days it may wait, where it follows later and no list tells what is promoted.
    grace_days: Option<u32>,
}

impl TryFrom<ConstantTable> for Constant {
    type Error = String;

    fn try_from(table: ConstantTable) -> Result<Self, String> {
        let ConstantTable { image, path, pattern, linked, follows, grace_days } = table;
        if grace_days.is_some() && follows == ConstantFollows::SameChange {
            return Err("`grace-days` is for what follows later".to_owned());
        }
        Ok(Self { image, path, pattern, linked, follows, grace_days: grace_days.unwrap_or(GRACE_DAYS) })
    }
}

fn constant_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
    pattern(deserializer, &["value"])
}

fn linked_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Pattern>, D::Error> {
    plain_pattern(deserializer).map(Some)
}
