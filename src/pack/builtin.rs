//! The files of packs: those that are part of the program, and those that were read from a directory.

use serde::Deserialize;

use crate::config_file::PackName;
use crate::path::file_name;
use crate::shape::InitTable;
use crate::text::escape;
use crate::toml_source::Source;

/// The file of a pack that describes the repository; all other files are rules.
pub(super) const PACK_FILE: &str = "pack.toml";

/// A pack that is part of the program. `build.rs` writes them down, with the rules of the packs that they extend.
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// The files of which one tells that a repository is of this pack's kind.
    pub markers: &'static [&'static str],
    /// Its files.
    files: &'static [BuiltInFile],
}

/// A file of a pack that is part of the program.
struct BuiltInFile {
    path: &'static str,
    text: &'static str,
    /// The same as JSON, which takes a fifth of the time to read.
    json: &'static str,
    /// The cases of the rule, in Markdown.
    cases: Option<&'static str>,
}

/// A rule of a pack that is part of the program, as its file describes it.
pub struct BuiltInRule {
    /// Its name.
    pub id: String,
    /// The name of the kind of its check, as in `[check.version-bump]`.
    pub kind: String,
    /// What it finds, in one line.
    pub summary: String,
}

/// What of `pack.toml` is looked at where no pack is chosen.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Signs {
    summary: String,
    init: Option<InitTable>,
}

/// The packs that are part of the program, by name.
pub static BUILT_IN: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// The files of a pack.
#[derive(Debug, Clone)]
pub struct PackFiles {
    /// The pack's name, or its directory.
    pub name: String,
    /// Its files.
    pub files: Vec<PackSource>,
    /// Whether it is part of the program.
    pub(super) is_built_in: bool,
}

/// A file of a pack.
#[derive(Debug, Clone)]
pub struct PackSource {
    /// Its path and its text.
    pub source: Source,
    /// The same as JSON, for a pack that is part of the program.
    pub(super) json: Option<&'static str>,
    /// The cases of the rule, in Markdown, where it is part of the program.
    pub(super) cases: Option<&'static str>,
}

impl BuiltIn {
    /// A pack of the program by its name.
    pub fn named(name: &str) -> Option<&'static Self> {
        BUILT_IN.iter().find(|pack| pack.name == name)
    }

    /// The names of all packs of the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|pack| pack.name)
    }

    /// Says that a name is a rule of another pack than the one that is used.
    pub(super) fn told_of(rule: &str, used: &str) -> Option<String> {
        let is_its =
            |pack: &&Self| pack.files.iter().any(|file| file_name(file.path).strip_suffix(".toml") == Some(rule));
        let pack = BUILT_IN.iter().filter(|pack| pack.name != used).find(is_its)?;
        Some(format!("it is a rule of the pack `{}`, and this repository uses `{}`", pack.name, escape(used)))
    }

    /// When `imglint init` takes a repository for one of this kind; `None` where markers alone tell.
    pub fn init(&self) -> Option<InitTable> {
        self.signs().init
    }

    /// What it is for, in one line.
    pub fn summary(&self) -> String {
        self.signs().summary
    }

    /// Its rules, those of the packs that it extends among them.
    pub fn rules(&self) -> impl Iterator<Item = BuiltInRule> {
        self.files.iter().filter_map(BuiltInFile::rule)
    }

    fn signs(&self) -> Signs {
        let pack = self.files.iter().find(|file| file_name(file.path) == PACK_FILE).map_or("{}", |file| file.json);
        serde_json::from_str(pack).unwrap_or_default()
    }

    /// Its files.
    pub fn pack_files(&self) -> PackFiles {
        let mut files = Vec::new();
        for BuiltInFile { path, text, json, cases } in self.files {
            files.push(PackSource { source: Source::new(path, *text), json: Some(json), cases: *cases });
        }
        PackFiles { name: self.name.to_owned(), files, is_built_in: true }
    }
}

impl BuiltInFile {
    /// The rule; `None` for what describes the pack.
    fn rule(&self) -> Option<BuiltInRule> {
        let id = file_name(self.path).strip_suffix(".toml").filter(|_| file_name(self.path) != PACK_FILE)?;
        let rule: serde_json::Value = serde_json::from_str(self.json).ok()?;
        let kind = rule["check"].as_object()?.keys().next()?.clone();
        Some(BuiltInRule { id: id.to_owned(), kind, summary: rule["summary"].as_str()?.to_owned() })
    }
}

impl PackFiles {
    /// Files that were read from a directory.
    pub fn new(name: String, sources: Vec<Source>) -> Self {
        let files = sources.into_iter().map(|source| PackSource { source, json: None, cases: None }).collect();
        Self { name, files, is_built_in: false }
    }

    /// The pack that has the rules that this one lacks, as `pack.toml` names it. Those of the program have all of theirs.
    pub fn extends(&self) -> Option<PackName> {
        let description = self.file(PACK_FILE).filter(|_| !self.is_built_in)?;
        // What is wrong in the file is told when the pack is loaded.
        let table = description.source.table().ok()?;
        let value = table.get_ref().get("extends")?;
        let name = value.get_ref().as_str()?.to_owned();
        Some(PackName { name, source: description.source.clone(), span: value.span() })
    }

    /// Adds the rules of another pack that this one lacks.
    pub fn extend(&mut self, other: Self) {
        for file in other.files {
            let name = file_name(&file.source.name);
            if name != PACK_FILE && self.file(name).is_none() {
                self.files.push(file);
            }
        }
    }

    pub(super) fn file(&self, name: &str) -> Option<&PackSource> {
        self.files.iter().find(|file| file_name(&file.source.name) == name)
    }
}
