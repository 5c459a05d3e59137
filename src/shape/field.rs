//! Values of `pack.toml` that are checked where they stand.

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::parse::baseimage::Platform;
use crate::parse::capture::Pattern;
use crate::parse::glob;

/// Reads a string and refuses it with a reason.
macro_rules! checked_string {
    ($($(#[$meta:meta])* $name:ident($inner:ty): $check:expr;)*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, JsonSchema)]
            #[schemars(with = "String", inline)]
            pub(super) struct $name(pub(super) $inner);

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    let check: fn(&str) -> Result<$inner, String> = $check;
                    check(&text).map(Self).map_err(D::Error::custom)
                }
            }
        )*
    };
}

checked_string! {
    /// A directory of the repository, as in `images`; `.` is the root.
    Directory(String): |text| {
        let name = text.trim_end_matches('/');
        if name.starts_with('/') || name.split('/').any(|part| part == "..") {
            return Err("this must be a directory of the repository, relative to its root".to_owned());
        }
        // From here on the root is the empty string.
        Ok(name.strip_prefix("./").unwrap_or(if name == "." { "" } else { name }).to_owned())
    };
    /// The name of a file, without a directory.
    FileName(String): plain_file_name;
    /// A platform such as `linux/amd64`.
    DefaultPlatform(Platform): |text| {
        Platform::parse(text).ok_or_else(|| "this is no platform; one looks like linux/amd64".to_owned())
    };
    /// A pattern as `.gitignore` reads it.
    IgnorePattern(glob::GitIgnorePattern): glob::GitIgnorePattern::new;
}

/// Refuses what has a directory.
pub(super) fn plain_file_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains('/') {
        return Err("this must be the name of a file, without a directory".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads a pattern that needs no groups.
pub(super) fn plain_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
    pattern(deserializer, &[])
}

/// Reads a pattern that needs no groups, where there is one.
pub(super) fn optional_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Pattern>, D::Error> {
    plain_pattern(deserializer).map(Some)
}

/// Reads a pattern that has these groups.
pub(crate) fn pattern<'de, D: Deserializer<'de>>(deserializer: D, groups: &[&str]) -> Result<Pattern, D::Error> {
    Pattern::new(&String::deserialize(deserializer)?, groups).map_err(D::Error::custom)
}
