//! What the configuration says of a pack's own files: `[shape]` and `[rules]`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::builtin::PackSource;
use crate::text::Span;
use crate::toml_source::{Override, Source, SourceError};

/// A key with its place, as the configuration writes it.
type Key<'a> = Spanned<Cow<'a, str>>;
/// A value with its place, as the configuration writes it.
type Value<'a> = Spanned<DeValue<'a>>;

/// The settings of a pack.
pub(super) struct Settings<'a> {
    /// Those of its rules, by name.
    pub(super) rules: BTreeMap<String, RuleSettings<'a>>,
    /// Values of `pack.toml`.
    pub(super) shape: Vec<Override<'a>>,
}

/// The settings of one rule.
pub(super) struct RuleSettings<'a> {
    /// The place of its name.
    pub(super) span: Span,
    /// Its level and its options.
    pub(super) options: Vec<(Key<'a>, Value<'a>)>,
}

impl<'a> Settings<'a> {
    /// Those that a configuration holds.
    pub(super) fn of(table: &DeTable<'a>) -> Self {
        let mut rules = BTreeMap::new();
        for (key, value) in table_of(table, "rules") {
            let options = value.get_ref().as_table().map(pairs).unwrap_or_default();
            rules.insert(key.get_ref().to_string(), RuleSettings { span: key.span(), options });
        }
        let mut shape = Vec::new();
        for (section, value) in table_of(table, "shape") {
            let Some(keys) = value.get_ref().as_table() else {
                shape.push(Override { path: Vec::new(), key: section, value });
                continue;
            };
            for (key, value) in pairs(keys) {
                shape.push(Override { path: vec![section.get_ref().to_string()], key, value });
            }
        }
        Self { rules, shape }
    }

    /// The values of `pack.toml` that are set, as in `images.shared`.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for value in &self.shape {
            let mut path = value.path.clone();
            path.push(value.key.get_ref().to_string());
            names.insert(path.join("."));
        }
        names
    }
}

fn pairs<'a>(table: &DeTable<'a>) -> Vec<(Key<'a>, Value<'a>)> {
    table.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn table_of<'a>(table: &DeTable<'a>, name: &str) -> Vec<(Key<'a>, Value<'a>)> {
    table.get(name).and_then(|value| value.get_ref().as_table()).map(pairs).unwrap_or_default()
}

/// Reads a file of a pack: from its JSON where it has one and nothing is put in the place of its values.
pub(super) fn read<'a, T: serde::de::DeserializeOwned>(
    file: &'a PackSource,
    config: &'a Source,
    overrides: Vec<Override<'a>>,
) -> Result<T, Vec<SourceError>> {
    match file.json.filter(|_| overrides.is_empty()).map(serde_json::from_str) {
        Some(Ok(value)) => Ok(value),
        _ => file.source.read_with(config, overrides),
    }
}
