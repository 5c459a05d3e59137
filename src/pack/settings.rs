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
#[derive(Default)]
pub(super) struct Settings<'a> {
    /// Those of its rules, by name.
    pub(super) rules: BTreeMap<String, RuleSettings<'a>>,
    /// Values of `pack.toml`.
    pub(super) shape: Vec<Override<'a>>,
}

/// The settings of one rule, in one or several files.
#[derive(Default)]
pub(super) struct RuleSettings<'a> {
    /// Where its name stands, in each of them.
    pub(super) names: Vec<(&'a Source, Span)>,
    /// Its level and its options; of several for one key, the last holds.
    pub(super) options: Vec<RuleOption<'a>>,
}

/// A level or an option of a rule.
pub(super) struct RuleOption<'a> {
    /// The file that it stands in.
    pub(super) source: &'a Source,
    /// Its key.
    pub(super) key: Key<'a>,
    /// Its value.
    pub(super) value: Value<'a>,
}

impl<'a> Settings<'a> {
    /// Adds those that a file holds, whose text is this table.
    pub(super) fn add(&mut self, source: &'a Source, table: &DeTable<'a>) {
        for (key, value) in table_of(table, "rules") {
            let rule = self.rules.entry(key.get_ref().to_string()).or_default();
            rule.names.push((source, key.span()));
            for (key, value) in value.get_ref().as_table().map(pairs).unwrap_or_default() {
                rule.options.push(RuleOption { source, key, value });
            }
        }
        for (section, value) in table_of(table, "shape") {
            let Some(keys) = value.get_ref().as_table() else {
                self.shape.push(Override { source, path: Vec::new(), key: section, value });
                continue;
            };
            for (key, value) in pairs(keys) {
                self.shape.push(Override { source, path: vec![section.get_ref().to_string()], key, value });
            }
        }
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
    overrides: Vec<Override<'a>>,
) -> Result<T, Vec<SourceError>> {
    match file.json.filter(|_| overrides.is_empty()).map(serde_json::from_str) {
        Some(Ok(value)) => Ok(value),
        _ => file.source.read_with(overrides),
    }
}
