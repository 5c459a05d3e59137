//! `[manifest]`: the file that says which version of an image is used, and when it follows a new one.

use std::collections::BTreeMap;
use std::fmt::{self, Formatter};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::field::{pattern, plain_pattern};
use crate::parse::capture::Pattern;
use crate::parse::glob::Globs;
use crate::text::Text;

/// `[manifest]`: the file that says which version of an image is used.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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

    /// The directory that the names of images lack in a registry; `None` where that is not listed.
    pub fn directory_of(&self, registry: &str) -> Option<&str> {
        let mut registries = self.registries.iter();
        let (_, directory) = registries.find(|(known, _)| known.eq_ignore_ascii_case(registry))?;
        Some(directory)
    }
}

fn thirty_days() -> u32 {
    30
}

fn manifest_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
    pattern(deserializer, &["key", "registry", "name", "version"])
}
