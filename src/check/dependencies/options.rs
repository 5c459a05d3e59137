//! The options: how much of a list is judged, and how strictly. zeitgeist became stricter in 0.6.0:
//! <https://github.com/kubernetes-sigs/zeitgeist/releases/tag/v0.6.0>.

use schemars::JsonSchema;
use serde::Deserialize;

/// What is asked of a list; the pack's `[dependencies]` says where it is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dependencies {
    /// Which entries are judged.
    #[serde(default)]
    entries: Entries,
    /// How many of the lines that a reference fits must have the version.
    #[serde(default)]
    matches: Matches,
}

/// Which entries are judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Entries {
    /// Those that name a file which may hold the version of an image.
    #[default]
    Images,
    /// All of them, as the list's own checker does.
    All,
}

/// How many of the lines that a reference fits must have the version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Matches {
    /// Each of them, as from zeitgeist 0.6.0 on.
    #[default]
    All,
    /// One of them, as before.
    Any,
}

impl Dependencies {
    /// Whether entries are judged that are about no image.
    pub fn takes_all(&self) -> bool {
        self.entries == Entries::All
    }

    /// Whether it is enough that one of the lines has the version.
    pub(super) fn takes_any_line(&self) -> bool {
        self.matches == Matches::Any
    }

    /// Whether the list is held to its form, too: a reference without a pattern and keys that nobody knows are refused.
    pub(super) fn is_strict(&self) -> bool {
        self.takes_all() && !self.takes_any_line()
    }
}
