//! `imglint.toml`, the configuration of a repository, read as far as it can be without its pack.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use toml::Spanned;

use crate::finding::{Level, Location};
use crate::text::{Span, Text};
use crate::toml_source::{Source, SourceError};
use crate::waiver::{Day, Waiver};

/// The name of the configuration file at the root of a repository.
pub const CONFIG_FILE: &str = "imglint.toml";

/// The configuration of a repository.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its text, from which the settings of the pack are read once that is known.
    pub(crate) source: Source,
    /// The texts of the files that it extends, the nearest first.
    extended: Vec<Source>,
    /// The file that it extends.
    pub extends: Option<PackName>,
    /// The pack that it names.
    pub pack: Option<PackName>,
    /// Whether it asks for rules that are new and may still change; `None` where it says nothing of them.
    preview: Option<bool>,
    /// What it lets pass.
    pub(crate) waivers: Vec<Waiver>,
}

/// The name of a pack or of a file of the configuration, and where it is written.
#[derive(Debug, Clone)]
pub struct PackName {
    /// That of a built-in pack, or a path.
    pub name: String,
    /// The file that it is written in.
    pub source: Source,
    /// Its place there.
    pub span: Span,
}

impl PackName {
    /// A name that stands in a file.
    pub fn new(source: &Source, name: Spanned<String>) -> Self {
        Self { source: source.clone(), span: name.span(), name: name.into_inner() }
    }

    /// Something wrong with it.
    pub fn error(&self, message: impl Into<String>) -> SourceError {
        self.source.error(self.span.clone(), message)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ConfigFile {
    /// The pack of rules: one of imglint's own, or a directory of this repository. Where nothing is said, it is recognised.
    #[schemars(with = "Option<String>")]
    pack: Option<Spanned<String>>,
    /// Another file of this kind, relative to this one: what stands in both is as this one has it.
    #[schemars(with = "Option<String>")]
    extends: Option<Spanned<String>>,
    /// Whether rules are judged that are new and may still change.
    preview: Option<bool>,
    /// The levels of rules, and the options of their checks, by the rule's name.
    #[expect(dead_code, reason = "read rule by rule, with the options of each")]
    #[schemars(with = "Option<BTreeMap<String, RuleForm>>")]
    rules: Option<BTreeMap<String, RuleTable>>,
    /// What this repository looks like, where that is not as the pack's own `pack.toml` has it.
    #[expect(dead_code, reason = "laid over the pack's own description")]
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    shape: Option<BTreeMap<String, toml::Value>>,
    /// What is let pass, each with a reason.
    #[serde(default)]
    waive: Vec<WaiveTable>,
}

/// `[rules.ID]`.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a table for the rule's settings: `[rules.stale-version]`, and `level = \"off\"` below it")]
struct RuleTable {
    #[expect(dead_code, reason = "read by the rule")]
    #[serde(flatten)]
    settings: toml::Table,
}

/// The form of the settings of a rule of a repository's own pack, whose options nobody else knows.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "a form alone: nothing is read into it")]
struct RuleForm {
    /// How much what it finds weighs.
    level: Option<Level>,
}

/// `[[waive]]`: a finding that is let pass.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WaiveTable {
    /// The rule.
    #[schemars(with = "String")]
    rule: Spanned<String>,
    /// The image; all of them, where none is named.
    image: Option<String>,
    /// Why.
    #[schemars(with = "String", length(min = 1))]
    reason: Spanned<String>,
    /// The last day on which it holds, in UTC: a date without quotes.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    until: Option<Spanned<toml::value::Datetime>>,
}

/// The JSON schema of the file, as far as it can be told without its pack.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    generator.root_schema_for::<ConfigFile>()
}

impl Config {
    /// The configuration of a repository that has no file for it, or of one whose file is used for its settings alone.
    pub fn bare(source: Source) -> Self {
        Self { source, extended: Vec::new(), extends: None, pack: None, preview: None, waivers: Vec::new() }
    }

    /// Reads the file, with everything that is wrong in it but for the settings of rules and shape, which a pack understands.
    pub fn read(source: &Source) -> Result<Self, Vec<SourceError>> {
        let file: ConfigFile = source.read()?;
        let pack = file.pack.map(|pack| PackName::new(source, pack));
        let extends = file.extends.map(|extends| PackName::new(source, extends));
        let text = Arc::new(Text::from(&*source.text));
        let (mut waivers, mut errors) = (Vec::new(), Vec::new());
        for table in file.waive {
            waivers.push(table.read(source, &text, &mut errors));
        }
        if errors.is_empty() {
            Ok(Self { source: source.clone(), extended: Vec::new(), extends, pack, preview: file.preview, waivers })
        } else {
            Err(errors)
        }
    }

    /// Takes over what the file says that this one extends: what stands in both is as this one has it.
    pub fn extend(&mut self, other: Self) {
        self.extended.push(other.source);
        self.extended.extend(other.extended);
        self.preview = self.preview.or(other.preview);
        self.waivers.extend(other.waivers);
    }

    /// Whether it asks for rules that are new and may still change.
    pub(crate) fn wants_previews(&self) -> bool {
        self.preview.unwrap_or(false)
    }

    /// The texts of all its files, the one that others extend first.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.extended.iter().rev().chain([&self.source])
    }

    /// The file of it that is called so.
    pub(crate) fn source_of(&self, name: &str) -> &Source {
        self.extended.iter().find(|source| *source.name == *name).unwrap_or(&self.source)
    }

    /// What it lets pass.
    pub fn into_waivers(self) -> Vec<Waiver> {
        self.waivers
    }

    /// The error of a pack that does not exist; `known` are those that do.
    pub fn unknown_pack<'n>(pack: &PackName, known: impl IntoIterator<Item = &'n str>) -> SourceError {
        pack.source.unknown(pack.span.clone(), "pack, and no directory of this repository:", &pack.name, known)
    }
}

impl WaiveTable {
    /// The waiver; what is wrong with it goes to the errors.
    fn read(self, source: &Source, text: &Arc<Text>, errors: &mut Vec<SourceError>) -> Waiver {
        let Self { rule, image, reason, until } = self;
        if reason.get_ref().trim().is_empty() {
            errors.push(source.error(reason.span(), "a waiver needs a reason"));
        }
        let mut day = None;
        if let Some(until) = until {
            day = Day::parse(&until.get_ref().to_string());
            if day.is_none() {
                errors.push(source.error(until.span(), "this must be a date, such as 2027-01-31"));
            }
        }
        let location = Location::new(&source.name, text, rule.span());
        Waiver {
            rule: rule.into_inner(),
            image,
            reason: reason.into_inner(),
            until: day,
            location,
            line: None,
            is_of_change: false,
            error: None,
        }
    }
}
