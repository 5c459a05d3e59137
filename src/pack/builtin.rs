//! The files of packs: those that are part of the program, and those that were read from a directory.

use serde::Deserialize;

use crate::toml_source::Source;

/// The file of a pack that describes the repository; all other files are rules.
pub(super) const PACK_FILE: &str = "pack.toml";

/// A pack that is part of the program. `build.rs` writes them down.
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// Its files.
    files: &'static [BuiltInFile],
    /// The cases of its rules.
    cases: &'static [Cases],
}

/// A file of a pack that is part of the program.
struct BuiltInFile {
    name: &'static str,
    text: &'static str,
    /// The same as JSON, which takes a fifth of the time to read.
    json: &'static str,
}

/// The cases of a rule.
#[derive(Debug)]
pub struct Cases {
    /// The rule.
    pub(super) rule: &'static str,
    /// The cases, in Markdown.
    pub(super) text: &'static str,
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
    /// The cases of its rules.
    pub(super) cases: &'static [Cases],
}

/// A file of a pack.
#[derive(Debug, Clone)]
pub struct PackSource {
    /// Its path and its text.
    pub source: Source,
    /// The same as JSON, for a pack that is part of the program.
    pub(super) json: Option<&'static str>,
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

    /// The files of which one tells that a repository is of this pack's kind.
    pub fn markers(&self) -> Vec<String> {
        #[derive(Deserialize)]
        struct Markers {
            #[serde(default)]
            markers: Vec<String>,
        }
        let pack = self.files.iter().find(|file| file.name == PACK_FILE).map_or("{}", |file| file.json);
        serde_json::from_str::<Markers>(pack).map(|markers| markers.markers).unwrap_or_default()
    }

    /// Its files.
    pub fn pack_files(&self) -> PackFiles {
        let mut files = Vec::new();
        for file in self.files {
            let source = Source::new(&format!("rules/{}/{}", self.name, file.name), file.text);
            files.push(PackSource { source, json: Some(file.json) });
        }
        PackFiles { name: self.name.to_owned(), files, is_built_in: true, cases: self.cases }
    }
}

impl PackFiles {
    /// Files that were read from a directory.
    pub fn new(name: String, sources: Vec<Source>) -> Self {
        let files = sources.into_iter().map(|source| PackSource { source, json: None }).collect();
        Self { name, files, is_built_in: false, cases: &[] }
    }

    /// The cases of a rule, in Markdown.
    pub(super) fn cases_of(&self, rule: &str) -> Option<&'static str> {
        self.cases.iter().find(|cases| cases.rule == rule).map(|cases| cases.text)
    }
}
