//! A rule: a body with its options, and the words for it.

use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::builtin::PackSource;
use super::settings::{RuleOption, RuleSettings, read};
use crate::case::{self, Case};
use crate::check::{Basis, Body, Check, Missing, Sight};
use crate::finding::{Level, RuleId};
use crate::site;
use crate::toml_source::{Override, Source, SourceError};
use crate::waiver::{ForbiddenWaiver, Hygiene};

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name.
    pub id: RuleId,
    /// Its level in this run.
    pub level: Level,
    /// Whether it is new, and may still change: it is judged where it is asked for.
    pub is_preview: bool,
    /// The level that it has once it is asked for; `None` where it was, or need not be.
    pub waiting: Option<Level>,
    /// Whether it is judged although it is off: to tell which waivers of it are of use.
    pub is_silent: bool,
    /// What it finds, in one line.
    pub summary: String,
    /// Why the policy exists.
    pub why: String,
    /// What to do, where the finding does not know better.
    pub help: Option<String>,
    /// Where the policy is written.
    pub sources: Vec<String>,
    /// Its page in the documentation, without an ending; `None` for a rule of a pack of one's own.
    pub page: Option<String>,
    /// What it judges, and how.
    pub body: Body,
    /// Its cases in Markdown, the first failing one of which is the example that `explain` shows.
    pub cases: Option<&'static str>,
}

/// A rule's file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RuleFile {
    /// How much what it finds weighs, where `imglint.toml` says nothing else.
    level: Level,
    /// Whether the rule is new, and may still change: it is judged where `--preview` or `preview = true` asks for all such rules, or
    /// where it is named itself.
    #[serde(default)]
    preview: bool,
    /// What it finds, in one line.
    summary: String,
    /// Why the policy exists, in Markdown.
    why: String,
    /// What to do about it, where a finding does not know better.
    help: Option<String>,
    /// Where the policy is written.
    #[serde(default)]
    sources: Vec<String>,
    /// The kind of check, with its options: one table, `[check.version-bump]`.
    check: Body,
}

/// An option that is now said elsewhere.
struct Moved {
    kind: &'static str,
    option: &'static str,
    /// What to write now.
    now: &'static str,
}

const MOVED: [Moved; 1] = [Moved {
    kind: "manifest",
    option: "when",
    now: "say it once, of the repository: `shape.manifest.follows = \"auto\"`, \"same-change\" or \"after-promotion\"",
}];

/// How many letters a key may be away from `level` to have meant that.
const NEAR_LEVEL: usize = 2;

impl Rule {
    /// Its cases. Those of the program are known to be well formed: they are tests.
    pub fn read_cases(&self) -> Vec<Case> {
        self.cases.and_then(|cases| case::parse(cases).ok()).unwrap_or_default()
    }

    /// Whether imglint repairs what it finds, as its cases show; `None` where it has none.
    pub fn is_repaired(&self) -> Option<bool> {
        self.cases.map(|_| self.read_cases().iter().any(|case| !case.fixed.is_empty()))
    }

    /// Where one can read of it on the web: on its page, where this build knows the address of the documentation, or else where the
    /// policy is written.
    pub fn url(&self) -> Option<String> {
        let page = self.page.as_ref().and_then(|page| site::address(&format!("{page}.html")));
        page.or_else(|| self.sources.iter().find(|source| is_url(source)).cloned())
    }

    /// Its check, unless it judges waivers.
    pub fn check(&self) -> Option<&Check> {
        match &self.body {
            Body::Check(check) => Some(check),
            Body::WaiverHygiene(_) => None,
        }
    }

    /// Whether it compares, and has nothing to say without a base.
    pub fn is_of_change(&self) -> bool {
        self.check().is_some_and(|check| check.basis() == Basis::Change)
    }

    /// Whether it is judged in this run, if only for the sake of waivers.
    pub fn is_judged(&self) -> bool {
        self.level != Level::Off || self.is_silent
    }

    /// Whether it reports versions that the base branch took.
    pub fn is_about_taken_versions(&self) -> bool {
        self.level != Level::Off && matches!(self.check(), Some(Check::VersionChange(kind)) if kind.is_about_taken())
    }

    /// What it lacks to see what it is about.
    pub fn missing(&self, sight: Sight<'_>) -> Option<Missing> {
        let check = self.check()?;
        if check.basis() == Basis::Change && !sight.has_base {
            return Some(Missing::Base);
        }
        check.kind().missing(sight)
    }

    /// Takes it for one that is asked for: a preview gets its level.
    pub(super) fn ask_for(&mut self) {
        if let Some(level) = self.waiting.take() {
            self.level = level;
        }
    }

    /// Whether it finds the waivers that match nothing: for that, the rules that they are of must be judged.
    pub(super) fn finds_unused_waivers(&self) -> bool {
        matches!(self.body, Body::WaiverHygiene(Hygiene { forbid: ForbiddenWaiver::Unused }))
    }

    /// Reads a rule's file, with what the configuration puts in the place of its values.
    pub(super) fn read<'a>(
        id: &str,
        file: &'a PackSource,
        settings: Option<RuleSettings<'a>>,
    ) -> Result<Self, Vec<SourceError>> {
        let (mut overrides, mut misspelt) = (Vec::new(), Vec::new());
        if let Some(settings) = settings {
            let kind = kind_of(&file.source)?;
            for RuleOption { source, key, value } in settings.options {
                // A rule's level is its own; everything else is an option of its check, which does not know of levels.
                let name: &str = key.get_ref();
                let path = if name == "level" {
                    Vec::new()
                } else if strsim::damerau_levenshtein(name, "level") <= NEAR_LEVEL {
                    misspelt.push(source.unknown(key.span(), "key", name, ["level"]));
                    continue;
                } else if let Some(moved) = MOVED.iter().find(|moved| moved.kind == kind && moved.option == name) {
                    let error = source.error(key.span(), format!("`{name}` is no option of a rule any more"));
                    misspelt.push(error.help(moved.now));
                    continue;
                } else {
                    vec!["check".to_owned(), kind.clone()]
                };
                overrides.push(Override { source, path, key, value });
            }
        }
        let rule = read::<RuleFile>(file, overrides);
        if !misspelt.is_empty() {
            return Err(misspelt.into_iter().chain(rule.err().unwrap_or_default()).collect());
        }
        let RuleFile { level, preview, summary, why, help, sources, check } = rule?;
        Ok(Self {
            id: Arc::from(id),
            level: if preview { Level::Off } else { level },
            is_preview: preview,
            waiting: preview.then_some(level),
            is_silent: false,
            summary,
            why,
            help,
            sources,
            page: file.json.and(file.source.name.strip_suffix(".toml")).map(str::to_owned),
            body: check,
            cases: file.cases,
        })
    }
}

/// The JSON schema of a rule's file.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    generator.root_schema_for::<RuleFile>()
}

/// The name of the kind of check that a rule's file has the options of; empty, if it has none.
fn kind_of(source: &Source) -> Result<String, Vec<SourceError>> {
    let table = source.table()?;
    let check = table.get_ref().get("check").and_then(|check| check.get_ref().as_table());
    let kind = check.and_then(|check| check.keys().next());
    Ok(kind.map(|kind| kind.get_ref().to_string()).unwrap_or_default())
}

/// Whether a source is a place on the web.
pub fn is_url(source: &str) -> bool {
    source.starts_with("https://") || source.starts_with("http://")
}
