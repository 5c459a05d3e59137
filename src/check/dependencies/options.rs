//! The options: how much of a list is judged, and how strictly. zeitgeist became stricter in 0.6.0:
//! <https://github.com/kubernetes-sigs/zeitgeist/releases/tag/v0.6.0>.

use schemars::JsonSchema;
use semver::Version;
use serde::Deserialize;

use crate::parse::dependencies::DependencyList;

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
    /// As the zeitgeist does that an entry of the list pins, where all entries are judged; else each of them.
    #[default]
    Auto,
    /// Each of them, as from zeitgeist 0.6.0 on.
    All,
    /// One of them, as before.
    Any,
}

impl Dependencies {
    /// Whether entries are judged that are about no image.
    pub fn takes_all(&self) -> bool {
        self.entries == Entries::All
    }

    /// The options for a list, which may say itself which zeitgeist reads it.
    pub(super) fn of(&self, list: &DependencyList) -> Self {
        let is_lenient = self.takes_all() && pinned_zeitgeist(list).is_some_and(|version| version < STRICT);
        let matches = match self.matches {
            Matches::Auto if is_lenient => Matches::Any,
            Matches::Auto => Matches::All,
            said => said,
        };
        Self { entries: self.entries, matches }
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

/// The first zeitgeist that holds each line to the version.
const STRICT: Version = Version::new(0, 6, 0);

/// The version of zeitgeist that a list has an entry about, as most lists do.
fn pinned_zeitgeist(list: &DependencyList) -> Option<Version> {
    let entry = list.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case("zeitgeist"))?;
    let version = &entry.version.as_ref()?.value;
    Version::parse(version.strip_prefix('v').unwrap_or(version)).ok()
}
