//! Packs of rules and the configuration of a repository: from TOML to rules that can be run.
//!
//! Built-in packs and a repository's own are read by the same code. Everything that is wrong in any of them is reported at
//! once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::case::{self, Case};
use crate::check::{Check, Disorder};
use crate::config::{ConfigError, Override, Problem, Source};
use crate::finding::{Level, Place, RuleId};
use crate::inputs::Inputs;
use crate::shape::{PackFile, Shape};
use crate::snapshot::Scope;
use crate::text::{Span, Text, file_name};
use crate::waiver::{Day, Waiver};

/// The name of the configuration file at the root of a repository.
pub const CONFIG_FILE: &str = "imglint.toml";

/// The file of a pack that describes the repository; all other files are rules.
const PACK_FILE: &str = "pack.toml";

/// A pack that is part of the program.
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// Its files: their names, their text, and the same as JSON, which takes a fifth of the time to read.
    files: &'static [(&'static str, &'static str, &'static str)],
    /// The cases of its rules, in Markdown, by the rule's name.
    cases: &'static [(&'static str, &'static str)],
}

/// The packs that are part of the program, by name.
pub static BUILT_IN: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// The files of a pack.
#[derive(Debug, Clone)]
pub struct PackFiles {
    /// The pack's name, or its directory.
    pub name: String,
    /// Its files.
    pub files: Vec<Source>,
    /// The same as JSON, for a pack that is part of the program.
    compiled: Vec<&'static str>,
    /// The cases of its rules, by the rule's name.
    pub cases: &'static [(&'static str, &'static str)],
}

/// Rules for a repository of a certain shape, ready to be run.
#[derive(Debug, Clone)]
pub struct Pack {
    /// The pack's name, or its directory.
    pub name: String,
    /// What it is for, in one line.
    pub summary: String,
    /// What the repository looks like.
    pub shape: Shape,
    /// The rules, by name.
    pub rules: Vec<Rule>,
    /// What is let pass; `None` where nothing may be.
    pub waivers: Option<Waivers>,
    /// Files from outside that rules need.
    pub inputs: Inputs,
    /// The values of `pack.toml`, such as `images.shared`, that the repository itself has set; `None` where all of them are its own.
    pub own_settings: Option<BTreeSet<String>>,
}

/// What is let pass, what is to be said of that, and the day by which dates are judged.
#[derive(Debug, Clone)]
pub struct Waivers {
    /// What lets pass: the waivers of the configuration that judges, and of the change's commits.
    pub list: Vec<Waiver>,
    /// What must be in order: those of the configuration as the change leaves it, and of its commits.
    pub after: Vec<Waiver>,
    /// Those of the configuration before the change.
    pub before: Vec<Waiver>,
    /// The rules of the pack as the change leaves it, where another one judges.
    pub rules: Vec<RuleId>,
    /// Today.
    pub today: Day,
}

impl Waivers {
    /// Whether one comes with the change: it may be of any image, and speak of it by any of its names.
    pub fn has_new(&self) -> bool {
        let is_known = |waiver: &Waiver| self.before.iter().any(|before| before.is_like(waiver));
        !self.after.iter().all(is_known)
    }
}

/// A rule: a check with its options, and the words for it.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name.
    pub id: RuleId,
    /// Its level in this run.
    pub level: Level,
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
    /// The check.
    pub check: Check,
    /// Its cases in Markdown, the first failing one of which is the example that `explain` shows.
    pub cases: Option<&'static str>,
}

/// What is asked for beside the configuration file, on the command line.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these rules, unless there are none.
    pub only: Vec<String>,
    /// Not these rules.
    pub skip: Vec<String>,
    /// Other levels for these rules.
    pub levels: Vec<(String, Level)>,
}

/// A rule that was asked for and does not exist.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("unknown rule `{}`", crate::text::escape(name))]
#[diagnostic(help("{suggestion} (`imglint rules` lists all)"))]
pub struct UnknownRule {
    /// Its name.
    pub name: String,
    suggestion: String,
}

/// `imglint.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ConfigFile {
    pack: Option<Spanned<String>>,
    #[expect(dead_code, reason = "read rule by rule, with the options of each")]
    rules: Option<BTreeMap<String, toml::Table>>,
    #[expect(dead_code, reason = "laid over the pack's own description")]
    shape: Option<BTreeMap<String, toml::Value>>,
    #[serde(default)]
    waive: Vec<WaiveTable>,
}

/// `[[waive]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WaiveTable {
    rule: Spanned<String>,
    image: Option<String>,
    reason: Spanned<String>,
    until: Option<Spanned<toml::value::Datetime>>,
}

/// The configuration of a repository, read as far as it can be without its pack.
#[derive(Debug, Clone)]
pub struct Config {
    source: Source,
    /// The pack that it names, and where.
    pub pack: Option<(String, Span)>,
    /// What it lets pass.
    waivers: Vec<Waiver>,
}

/// A rule's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RuleFile {
    level: Level,
    summary: String,
    why: String,
    help: Option<String>,
    #[serde(default)]
    sources: Vec<String>,
    check: Check,
}

impl Config {
    /// Reads `imglint.toml`, or stands for one that is not there.
    pub fn read(source: Source) -> Result<Self, ConfigError> {
        let file: ConfigFile = source.read().map_err(|problems| all_problems(&source, problems))?;
        let pack = file.pack.map(|pack| {
            let span = pack.span();
            (pack.into_inner(), span)
        });
        let text = Arc::new(Text::from(&*source.text));
        let mut problems = Vec::new();
        let mut waivers = Vec::new();
        for table in file.waive {
            let WaiveTable { rule, image, reason, until } = table;
            if reason.get_ref().trim().is_empty() {
                problems.push(source.problem(reason.span(), "a waiver needs a reason"));
            }
            let day = until.as_ref().map(|until| (Day::parse(&until.get_ref().to_string()), until.span()));
            if let Some((None, span)) = &day {
                problems.push(source.problem(span.clone(), "this must be a date, such as 2027-01-31"));
            }
            let place = Place::new(&source.name, &text, rule.span());
            waivers.push(Waiver {
                rule: rule.into_inner(),
                image,
                reason: reason.into_inner(),
                until: day.and_then(|(day, _)| day),
                place,
                line: None,
                is_of_change: false,
                error: None,
            });
        }
        if problems.is_empty() { Ok(Self { source, pack, waivers }) } else { Err(all_problems(&source, problems)) }
    }

    /// What it lets pass.
    pub fn into_waivers(self) -> Vec<Waiver> {
        self.waivers
    }

    /// The error for a pack that does not exist.
    pub fn unknown_pack(&self, name: &str, span: Span) -> ConfigError {
        let known = BUILT_IN.iter().map(|pack| pack.name);
        ConfigError(vec![self.source.unknown(span, "pack, and no directory of this repository:", name, known)])
    }
}

/// What is wrong with a configuration, and beside it what is wrong with its rules: a mistake in one part hides none in another.
/// The rules of a repository's own pack cannot be read from here.
fn all_problems(source: &Source, mut problems: Vec<Problem>) -> ConfigError {
    let table = source.table().ok();
    let name = table.as_ref().and_then(|table| table.get_ref().get("pack")?.get_ref().as_str());
    if let Some(pack) = name.and_then(BuiltIn::named) {
        let rest = Config { source: source.clone(), pack: None, waivers: Vec::new() };
        problems
            .extend(Pack::load(pack.pack_files(), Some(&rest)).err().into_iter().flat_map(|ConfigError(more)| more));
    }
    ConfigError(problems)
}

impl BuiltIn {
    /// A pack of the program by its name.
    pub fn named(name: &str) -> Option<&'static Self> {
        BUILT_IN.iter().find(|pack| pack.name == name)
    }

    /// The files of which one tells that a repository is of this pack's kind.
    pub fn markers(&self) -> Vec<String> {
        #[derive(Deserialize)]
        struct Markers {
            #[serde(default)]
            markers: Vec<String>,
        }
        let pack = self.files.iter().find(|(name, ..)| *name == PACK_FILE).map_or("{}", |(_, _, json)| json);
        serde_json::from_str::<Markers>(pack).map(|markers| markers.markers).unwrap_or_default()
    }

    /// Its files.
    pub fn pack_files(&self) -> PackFiles {
        let source =
            |(name, text, _): &(&str, &'static str, &str)| Source::new(&format!("rules/{}/{name}", self.name), *text);
        PackFiles {
            name: self.name.to_owned(),
            files: self.files.iter().map(source).collect(),
            compiled: self.files.iter().map(|(_, _, json)| *json).collect(),
            cases: self.cases,
        }
    }
}

impl PackFiles {
    /// Files that were read from a directory.
    pub fn new(name: String, files: Vec<Source>) -> Self {
        Self { name, files, compiled: Vec::new(), cases: &[] }
    }
}

impl Pack {
    /// Makes rules of a pack's files and a repository's configuration.
    pub fn load(files: PackFiles, config: Option<&Config>) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let nothing = Config { source: Source::new(CONFIG_FILE, ""), pack: None, waivers: Vec::new() };
        let config = config.unwrap_or(&nothing);
        let table = config.source.table().map_err(ConfigError)?;
        let mut settings = Settings::of(table.get_ref());

        let stem = |source: &Source| file_name(&source.name).to_owned();
        let mut pack: Option<(String, Shape)> = None;
        let own_settings = (!files.compiled.is_empty()).then(|| settings.names());
        let mut rules = Vec::new();
        for (number, source) in files.files.iter().enumerate() {
            let name = stem(source);
            let compiled = files.compiled.get(number).copied();
            if name == PACK_FILE {
                let overrides = std::mem::take(&mut settings.shape);
                let is_certain = compiled.is_some() && overrides.is_empty();
                match read::<PackFile>(source, compiled, &config.source, overrides) {
                    Ok(file) => {
                        let summary = file.summary.clone();
                        let shape = Shape::from(file);
                        if !is_certain && let Err(reason) = shape.compile() {
                            problems.push(source.problem(0..0, reason));
                        }
                        pack = Some((summary, shape));
                    }
                    Err(found) => problems.extend(found),
                }
            } else if let Some(id) = name.strip_suffix(".toml") {
                match Rule::read(id, source, compiled, &config.source, settings.rules.remove(id)) {
                    Ok(rule) => {
                        if compiled.is_none()
                            && let Err(reason) = rule.check.kind().compile()
                        {
                            problems.push(source.problem(0..0, reason));
                        }
                        let cases = files.cases.iter().find(|(rule, _)| *rule == id).map(|(_, text)| *text);
                        rules.push(Rule { cases, ..rule });
                    }
                    Err(found) => problems.extend(found),
                }
            }
        }
        let names: Vec<String> = files.files.iter().map(stem).collect();
        let known = || names.iter().filter_map(|name| name.strip_suffix(".toml")).filter(|name| *name != "pack");
        for (id, (key, _)) in &settings.rules {
            problems.push(config.source.unknown(key.clone(), "rule", id, known()));
        }
        for waiver in &config.waivers {
            if !known().any(|id| id == waiver.rule) {
                problems.push(config.source.unknown(waiver.place.span.clone(), "rule", &waiver.rule, known()));
            }
        }
        if !names.iter().any(|name| name == PACK_FILE) {
            let source = Source::new(&format!("{}/{PACK_FILE}", files.name), "");
            problems.push(
                source.problem(0..0, "this file is missing").help("it describes the repository; see docs/packs.md"),
            );
        }
        let Some((summary, shape)) = pack.filter(|_| problems.is_empty()) else { return Err(ConfigError(problems)) };
        rules.sort_by(|one: &Rule, other| one.id.cmp(&other.id));
        let mut pack =
            Self { name: files.name, summary, shape, rules, waivers: None, inputs: Inputs::default(), own_settings };
        pack.settle_manifest();
        Ok(pack)
    }

    /// When the manifest follows is said once, at the rule that demands it, and holds for the others.
    fn settle_manifest(&mut self) {
        let when = self.rules.iter().find_map(|rule| match &rule.check {
            Check::Manifest(manifest) if manifest.is_current() => manifest.when,
            _ => None,
        });
        for rule in &mut self.rules {
            match &mut rule.check {
                Check::Manifest(manifest) => manifest.when = manifest.when.or(when),
                Check::Rebase(rebase) => rebase.when = when.unwrap_or_default(),
                _ => {}
            }
        }
    }

    /// The part of the repository that the pack reads.
    pub fn scope(&self) -> Scope {
        let mut scope = self.shape.scope();
        let files = self.rules.iter().filter_map(|rule| rule.check.kind().file().map(str::to_owned));
        let files: Vec<String> = files.filter(|file| !scope.contains(file)).collect();
        scope.files.extend(files);
        scope
    }

    /// Whether rules about the state of a tree look at this file.
    pub fn is_control_file(&self, path: &str) -> bool {
        let manifest = self.shape.manifest.iter().map(|manifest| &*manifest.path);
        let constants = self.shape.constants.iter().map(|constant| &*constant.path);
        self.shape.may_be_control_file(path)
            || manifest.chain(constants).any(|file| file == path)
            || self.rules.iter().any(|rule| rule.check.kind().looks_at(path))
    }

    /// A rule by its name.
    pub fn rule(&self, id: &str) -> Result<&Rule, UnknownRule> {
        self.rules.iter().find(|rule| &*rule.id == id).ok_or_else(|| UnknownRule {
            name: id.to_owned(),
            suggestion: crate::config::suggest(id, self.rules.iter().map(|rule| &*rule.id)),
        })
    }

    /// Applies what was asked for on the command line.
    pub fn select(&mut self, selection: &Selection) -> Result<(), UnknownRule> {
        let named = selection.only.iter().chain(&selection.skip).chain(selection.levels.iter().map(|(id, _)| id));
        for id in named {
            self.rule(id)?;
        }
        let is_in = |list: &[String], rule: &Rule| list.iter().any(|id| **id == *rule.id);
        let asks_for_unused = self.rules.iter().any(|rule| {
            matches!(&rule.check, Check::Waiver(waiver) if waiver.forbid == Disorder::Unused)
                && is_in(&selection.only, rule)
        });
        for rule in &mut self.rules {
            if let Some((_, level)) = selection.levels.iter().rfind(|(id, _)| **id == *rule.id) {
                rule.level = *level;
            }
            if is_in(&selection.skip, rule) {
                rule.level = Level::Off;
            } else if !(selection.only.is_empty() || is_in(&selection.only, rule)) {
                rule.is_silent = asks_for_unused && rule.level != Level::Off;
                rule.level = Level::Off;
            }
        }
        Ok(())
    }
}

impl Rule {
    /// Its cases. Those of the program are known to be well formed: they are tests.
    pub fn read_cases(&self) -> Vec<Case> {
        self.cases.and_then(|cases| case::parse(cases).ok()).unwrap_or_default()
    }

    /// Where the policy can be read on the web.
    pub fn url(&self) -> Option<&str> {
        self.sources.iter().find(|source| is_url(source)).map(String::as_str)
    }

    fn read<'a>(
        id: &str,
        source: &'a Source,
        compiled: Option<&str>,
        config: &'a Source,
        settings: Option<Setting<'a>>,
    ) -> Result<Self, Vec<Problem>> {
        let (mut overrides, mut misspelt) = (Vec::new(), Vec::new());
        if let Some((_, options)) = settings {
            let table = source.table()?;
            let kind =
                table.get_ref().get("check").and_then(|check| check.get_ref().as_table()?.keys().next().cloned());
            let kind = kind.map(|kind| kind.get_ref().to_string()).unwrap_or_default();
            for (key, value) in options {
                // A rule's level is its own; everything else is an option of its check, which does not know of levels.
                if key.get_ref() != "level" && strsim::damerau_levenshtein(key.get_ref(), "level") <= 2 {
                    misspelt.push(config.unknown(key.span(), "key", key.get_ref(), ["level"]));
                    continue;
                }
                let path = if key.get_ref() == "level" { Vec::new() } else { vec!["check".to_owned(), kind.clone()] };
                overrides.push(Override { path, key, value });
            }
        }
        let file = read::<RuleFile>(source, compiled, config, overrides);
        if !misspelt.is_empty() {
            return Err(misspelt.into_iter().chain(file.err().unwrap_or_default()).collect());
        }
        let file = file?;
        let RuleFile { level, summary, why, help, sources, check } = file;
        Ok(Self { id: Arc::from(id), level, is_silent: false, summary, why, help, sources, check, cases: None })
    }
}

/// Whether a source is a place on the web.
pub fn is_url(source: &str) -> bool {
    source.starts_with("https://") || source.starts_with("http://")
}

/// Reads a file of a pack: from its JSON where it has one and nothing is put in the place of its values.
fn read<'a, T: serde::de::DeserializeOwned>(
    source: &'a Source,
    compiled: Option<&str>,
    config: &'a Source,
    overrides: Vec<Override<'a>>,
) -> Result<T, Vec<Problem>> {
    match compiled.filter(|_| overrides.is_empty()).map(serde_json::from_str) {
        Some(Ok(file)) => Ok(file),
        _ => source.read_with(config, overrides),
    }
}

/// The place of a rule's table in the configuration, and what stands in it.
type Setting<'a> = (Span, Vec<(Spanned<std::borrow::Cow<'a, str>>, Spanned<DeValue<'a>>)>);

/// What the configuration says of the pack's own files.
struct Settings<'a> {
    /// Options by rule.
    rules: BTreeMap<String, Setting<'a>>,
    /// Values of `pack.toml`.
    shape: Vec<Override<'a>>,
}

impl<'a> Settings<'a> {
    /// The values of `pack.toml` that are set, as in `images.shared`.
    fn names(&self) -> BTreeSet<String> {
        let name =
            |value: &Override<'_>| [value.path.clone(), vec![value.key.get_ref().to_string()]].concat().join(".");
        self.shape.iter().map(name).collect()
    }

    fn of(table: &DeTable<'a>) -> Self {
        let pairs =
            |table: &DeTable<'a>| table.iter().map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>();
        let tables =
            |name: &str| table.get(name).and_then(|value| value.get_ref().as_table()).map(pairs).unwrap_or_default();
        let mut rules = BTreeMap::new();
        for (key, value) in tables("rules") {
            let options = value.get_ref().as_table().map(pairs).unwrap_or_default();
            rules.insert(key.get_ref().to_string(), (key.span(), options));
        }
        let mut shape = Vec::new();
        for (section, value) in tables("shape") {
            match value.get_ref().as_table() {
                Some(keys) => {
                    let path = vec![section.get_ref().to_string()];
                    shape.extend(pairs(keys).into_iter().map(|(key, value)| Override {
                        path: path.clone(),
                        key,
                        value,
                    }));
                }
                None => shape.push(Override { path: Vec::new(), key: section, value }),
            }
        }
        Self { rules, shape }
    }
}
