//! Packs of rules: from TOML to rules that can be run.
//!
//! Built-in packs and a repository's own are read by the same code. Everything that is wrong in any of them is reported at
//! once.

mod builtin;
mod settings;
mod rule;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::check::{Check, Dependencies, Due};
use crate::config_file::{CONFIG_FILE, Config};
use crate::finding::{Level, RuleId};
use crate::inputs::Inputs;
use crate::parse::dependencies::{files_beside, may_name};
use crate::path::{file_name, is_below};
use crate::shape::{PackFile, Shape};
use crate::snapshot::{Pair, Scope, StoreError};
use crate::suggest::suggest;
use crate::text::{Span, Text};
use crate::toml_source::{ConfigError, Source, SourceError};
use crate::waiver::Waivers;
use builtin::PACK_FILE;
use settings::{RuleSettings, Settings};

pub use builtin::{BUILT_IN, BuiltIn, PackFiles, PackSource};
pub(crate) use rule::schema as rule_schema;
pub use rule::{Rule, is_url};

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

/// Reads `imglint.toml`, with everything that is wrong in it and beside that what is wrong with its rules: a mistake in one part hides
/// none in another. The rules of a repository's own pack cannot be read from here.
pub fn read_config(source: &Source) -> Result<Config, ConfigError> {
    let mut errors = match Config::read(source) {
        Ok(config) => return Ok(config),
        Err(errors) => errors,
    };
    let table = source.table().ok();
    let name = table.as_ref().and_then(|table| table.get_ref().get("pack")?.get_ref().as_str());
    if let Some(pack) = name.and_then(BuiltIn::named)
        && let Err(ConfigError(more)) = Pack::load(pack.pack_files(), Some(&Config::bare(source.clone())))
    {
        errors.extend(more);
    }
    Err(ConfigError::of(errors))
}

/// A pack that is being read, and all that is wrong with it.
struct Loading {
    described: Option<Description>,
    rules: Vec<Rule>,
    errors: Vec<SourceError>,
}

/// What `pack.toml` says.
struct Description {
    summary: String,
    shape: Shape,
}

impl Pack {
    /// Makes rules of a pack's files and a repository's configuration.
    pub fn load(files: PackFiles, config: Option<&Config>) -> Result<Self, ConfigError> {
        let nothing = Config::bare(Source::new(CONFIG_FILE, ""));
        let config = config.unwrap_or(&nothing);
        let mut settings = Settings::default();
        for source in config.sources() {
            settings.add(source, source.table().map_err(ConfigError)?.get_ref());
        }
        let own_settings = files.is_built_in.then(|| settings.names());

        let mut loading = Loading { described: None, rules: Vec::new(), errors: Vec::new() };
        let mut known = Vec::new();
        for file in &files.files {
            let name = file_name(&file.source.name);
            if name == PACK_FILE {
                loading.describe(file, &mut settings);
            } else if let Some(id) = name.strip_suffix(".toml") {
                known.push(id);
                loading.add_rule(id, file, settings.rules.remove(id), config.wants_previews());
            }
        }
        loading.refuse_unknown(&known, &settings, config, &files.name);
        if files.file(PACK_FILE).is_none() {
            let source = Source::new(&format!("{}/{PACK_FILE}", files.name), "");
            let error = source.error(0..0, "this file is missing");
            loading.errors.push(error.help("it describes the repository; see docs/packs.md"));
        }
        let Loading { described, mut rules, errors, .. } = loading;
        let Some(Description { summary, shape }) = described.filter(|_| errors.is_empty()) else {
            return Err(ConfigError::of(errors));
        };
        rules.sort_by(|one, other| one.id.cmp(&other.id));
        let inputs = Inputs::default();
        Ok(Self { name: files.name, summary, shape, rules, waivers: None, inputs, own_settings })
    }

    /// The part of the repository that the pack reads.
    pub fn scope(&self) -> Scope {
        let mut scope = self.shape.scope();
        for check in self.rules.iter().filter_map(Rule::check) {
            let Scope { directories, files, .. } = check.kind().needs().files.scope();
            for directory in directories {
                if !scope.directories.iter().any(|known| is_below(&directory, known)) {
                    scope.directories.push(directory);
                }
            }
            for file in files {
                if !scope.contains(&file) {
                    scope.files.push(file);
                }
            }
        }
        scope
    }

    /// The path of the list of dependencies, where a rule is about it: it names further files that must be read.
    pub fn list(&self) -> Option<&str> {
        let list = self.shape.dependencies.as_ref()?;
        self.list_rules().next().map(|_| &*list.path)
    }

    /// What is asked of the list of dependencies, by each rule that is about it.
    fn list_rules(&self) -> impl Iterator<Item = &Dependencies> {
        let rules = self.rules.iter().filter(|rule| rule.level != Level::Off);
        rules.filter_map(|rule| if let Some(Check::Dependencies(kind)) = rule.check() { Some(kind) } else { None })
    }

    /// The files that the list of dependencies holds together with some that the pack describes, or all that it names where all are
    /// judged, on any side of a change. A list that has no text names none; its rule says so.
    pub fn listed(&self, pair: &Pair<'_>) -> Result<BTreeSet<String>, StoreError> {
        let takes_all = self.list_rules().any(Dependencies::takes_all);
        let mut listed = BTreeSet::new();
        for list in self.lists(pair)? {
            listed.extend(files_beside(&list, &|path| takes_all || self.shape.may_hold_version(path)));
        }
        Ok(listed)
    }

    /// Whether the list of dependencies may name one of these files, on any side of a change.
    pub fn may_list<'p>(
        &self,
        pair: &Pair<'_>,
        mut paths: impl Iterator<Item = &'p Arc<str>>,
    ) -> Result<bool, StoreError> {
        let lists = self.lists(pair)?;
        Ok(paths.any(|path| lists.iter().any(|list| may_name(list, path))))
    }

    /// The texts of the list of dependencies, each once.
    fn lists(&self, pair: &Pair<'_>) -> Result<Vec<Arc<Text>>, StoreError> {
        let mut lists: Vec<Arc<Text>> = Vec::new();
        let Some(path) = self.list() else { return Ok(lists) };
        for files in pair.sides() {
            if let Some(Ok(list)) = files.text(path)?
                && !lists.iter().any(|known| Arc::ptr_eq(known, &list))
            {
                lists.push(list);
            }
        }
        Ok(lists)
    }

    /// The rule that asks for new versions, and when it does.
    pub fn due(&self) -> Option<(&RuleId, Due)> {
        let mut rules = self.rules.iter().filter(|rule| rule.level != Level::Off);
        rules.find_map(|rule| match rule.check() {
            Some(Check::VersionBump(kind)) => Some((&rule.id, kind.due)),
            _ => None,
        })
    }

    /// Whether a rule that is applied looks into the history of a whole tree.
    pub fn needs_history(&self) -> bool {
        let mut judged = self.rules.iter().filter(|rule| rule.is_judged()).filter_map(Rule::check);
        judged.any(|check| check.kind().needs().history())
    }

    /// Whether this file says what the images are, or how the pack's lists are about them.
    pub fn is_control_file(&self, path: &str) -> bool {
        let manifest = self.shape.manifest.iter().map(|manifest| &*manifest.path);
        let dependencies = self.shape.dependencies.iter().map(|list| &*list.path);
        let constants = self.shape.constants.iter().map(|constant| &*constant.path);
        self.shape.may_be_control_file(path)
            || self.shape.argument_files().any(|(_, file)| file.is(path))
            || manifest.chain(dependencies).chain(constants).any(|file| file == path)
    }

    /// A rule by its name.
    pub fn rule(&self, id: &str) -> Result<&Rule, UnknownRule> {
        self.rules.iter().find(|rule| &*rule.id == id).ok_or_else(|| UnknownRule {
            name: id.to_owned(),
            suggestion: BuiltIn::told_of(id, &self.name)
                .unwrap_or_else(|| suggest(id, self.rules.iter().map(|rule| &*rule.id))),
        })
    }

    /// Asks for all rules that are new and may still change.
    pub fn ask_for_previews(&mut self) {
        for rule in &mut self.rules {
            rule.ask_for();
        }
    }

    /// Applies what was asked for on the command line.
    pub fn select(&mut self, selection: &Selection) -> Result<(), UnknownRule> {
        let named = selection.only.iter().chain(&selection.skip).chain(selection.levels.iter().map(|(id, _)| id));
        for id in named {
            self.rule(id)?;
        }
        for rule in &mut self.rules {
            if is_in(&selection.only, rule) {
                rule.ask_for();
            }
        }
        let asks_for_unused = self.rules.iter().any(|rule| rule.finds_unused_waivers() && is_in(&selection.only, rule));
        for rule in &mut self.rules {
            if let Some((_, level)) = selection.levels.iter().rfind(|(id, _)| **id == *rule.id) {
                rule.ask_for();
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

fn is_in(list: &[String], rule: &Rule) -> bool {
    list.iter().any(|id| **id == *rule.id)
}

impl Loading {
    /// Reads `pack.toml`.
    fn describe<'a>(&mut self, file: &'a PackSource, settings: &mut Settings<'a>) {
        let overrides = std::mem::take(&mut settings.shape);
        let is_certain = file.json.is_some() && overrides.is_empty();
        let described = match settings::read::<PackFile>(file, overrides) {
            Ok(described) => described,
            Err(errors) => return self.errors.extend(errors),
        };
        let summary = described.summary.clone();
        let shape = Shape::from(described);
        if !is_certain && let Err(reason) = shape.compile() {
            self.errors.push(file.source.error(0..0, reason));
        }
        self.described = Some(Description { summary, shape });
    }

    /// Reads a rule's file.
    fn add_rule<'a>(&mut self, id: &str, file: &'a PackSource, settings: Option<RuleSettings<'a>>, previews: bool) {
        let is_named = settings.is_some();
        let mut rule = match Rule::read(id, file, settings) {
            Ok(rule) => rule,
            Err(errors) => return self.errors.extend(errors),
        };
        if is_named || previews {
            rule.ask_for();
        }
        if file.json.is_none()
            && let Some(check) = rule.check()
            && let Some(pattern) = check.kind().needs().pattern
            && let Err(reason) = pattern.compile()
        {
            self.errors.push(file.source.error(0..0, reason));
        }
        self.rules.push(rule);
    }

    /// Refuses settings and waivers of rules that the pack does not have.
    fn refuse_unknown(&mut self, known: &[&str], settings: &Settings<'_>, config: &Config, pack: &str) {
        for (id, rule) in &settings.rules {
            for (source, span) in &rule.names {
                self.errors.push(unknown_rule(source, span.clone(), id, known, pack));
            }
        }
        for waiver in &config.waivers {
            if !known.contains(&waiver.rule.as_str()) {
                let source = config.source_of(&waiver.location.path);
                let span = waiver.location.span.clone();
                self.errors.push(unknown_rule(source, span, &waiver.rule, known, pack));
            }
        }
    }
}

/// A rule that the pack does not have; another one may.
fn unknown_rule(source: &Source, span: Span, id: &str, known: &[&str], pack: &str) -> SourceError {
    let error = source.unknown(span, "rule", id, known.iter().copied());
    match BuiltIn::told_of(id, pack) {
        Some(told) => error.help(told),
        None => error,
    }
}
