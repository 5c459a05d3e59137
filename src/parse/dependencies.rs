//! A list of dependencies: each with a version, and the files that repeat it. zeitgeist reads such lists, as
//! `build/dependencies.yaml` of Kubernetes: <https://github.com/kubernetes-sigs/zeitgeist>.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use regex::bytes::Regex;

use super::capture::go_regex;
use super::yaml::{Document, Node, YamlError};
use crate::path::file_name;
use crate::text::{Span, Text};

/// The keys of an entry that zeitgeist knows.
pub const ENTRY_KEYS: [&str; 6] = ["name", "version", "scheme", "sensitivity", "upstream", "refPaths"];

/// The schemes of versions that zeitgeist knows.
pub const SCHEMES: [&str; 3] = ["semver", "alpha", "random"];

/// The keys of a reference.
const REFERENCE_KEYS: [&str; 2] = ["path", "match"];

/// The entries of a list, in its order.
#[derive(Debug, Clone, Default)]
pub struct DependencyList {
    /// The entries.
    pub entries: Vec<Dependency>,
    /// Keys beside `dependencies`.
    pub unknown: Vec<Scalar>,
}

/// One entry.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// What it is called; empty where it has no name.
    pub name: String,
    /// The version that all of its files must hold; `None` where there is none.
    pub version: Option<Scalar>,
    /// Where the version stands, or where the entry begins if it has none.
    pub location: Span,
    /// Where the entry begins.
    pub start: usize,
    /// The files that repeat the version.
    pub references: Vec<RefPath>,
    /// All that may name a file in the entry, under whichever key.
    pub named: Vec<String>,
    /// Keys of the entry that zeitgeist does not know.
    pub unknown: Vec<Scalar>,
    /// How its versions are ordered, where it is said.
    pub scheme: Option<Scalar>,
}

/// A file that repeats the version of an entry, and the lines in it that do.
#[derive(Debug, Clone)]
pub struct RefPath {
    /// The file, from the root of the repository; `None` where none is named.
    pub path: Option<Scalar>,
    /// A regular expression of Go that fits the lines; every line is meant where there is none.
    pub pattern: Option<Scalar>,
    /// Where the pattern stands, or else the path.
    pub location: Span,
    /// Keys that no reader of the list knows.
    pub unknown: Vec<Scalar>,
    compiled: Arc<OnceLock<Result<Regex, String>>>,
}

/// A value of the list.
#[derive(Debug, Clone)]
pub struct Scalar {
    /// What it says.
    pub value: String,
    /// Where it stands.
    pub span: Span,
    /// Where another value can be written in its place; `None` where it is not written out on one line.
    pub replaceable: Option<Span>,
}

/// Why a text is no list of dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencyListError {
    /// It is no YAML.
    Malformed(YamlError),
    /// It has no sequence under `dependencies`.
    Missing,
}

impl DependencyList {
    /// Reads a list.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn parse(text: &Text) -> Result<Self, DependencyListError> {
        let document = Document::parse(text).map_err(DependencyListError::Malformed)?;
        let listed = document.root().get("dependencies").filter(|list| list.is_sequence());
        let listed = listed.ok_or(DependencyListError::Missing)?;
        let mut entries: Vec<Dependency> = listed.items().map(Dependency::read).collect();
        share_patterns(&mut entries);
        Ok(Self { entries, unknown: unknown_keys(document.root(), &["dependencies"]) })
    }

    /// The first entry that holds two lines together: its references fit both. Each line is given by its file and its text.
    pub fn tie(&self, one: (&str, &str), other: (&str, &str)) -> Option<&Dependency> {
        self.entries.iter().find(|entry| {
            entry.references.iter().any(|reference| reference.fits(one.0, one.1))
                && entry.references.iter().any(|reference| reference.fits(other.0, other.1))
        })
    }
}

/// Lets references of one pattern share it: lists name many files with the same one, and to compile it takes longer than to use it.
fn share_patterns(entries: &mut [Dependency]) {
    let mut known: HashMap<String, Arc<OnceLock<Result<Regex, String>>>> = HashMap::new();
    for reference in entries.iter_mut().flat_map(|entry| &mut entry.references) {
        if let Some(pattern) = &reference.pattern {
            let compiled = known.entry(pattern.value.clone()).or_default();
            reference.compiled = Arc::clone(compiled);
        }
    }
}

/// The keys of a mapping beside those that are known. What `<<` merges into it is no key.
fn unknown_keys(mapping: Node<'_, '_>, known: &[&str]) -> Vec<Scalar> {
    let mut unknown = Vec::new();
    for (key, _) in mapping.pairs() {
        let key = Scalar::read(key);
        unknown.extend(key.filter(|key| key.value != "<<" && !known.contains(&key.value.as_str())));
    }
    unknown
}

impl Dependency {
    fn read(entry: Node<'_, '_>) -> Self {
        let version = entry.get("version");
        let references = entry.get("refPaths").into_iter().flat_map(Node::items).map(RefPath::read).collect();
        let mut named = Vec::new();
        for (_, value) in entry.pairs() {
            if !value.is_scalar() {
                add_scalars(value, &mut named);
            }
        }
        Self {
            name: entry.get("name").and_then(Node::text).unwrap_or_default(),
            location: version.unwrap_or(entry).span(),
            version: version.and_then(Scalar::read),
            start: entry.span().start,
            references,
            named,
            unknown: unknown_keys(entry, &ENTRY_KEYS),
            scheme: entry.get("scheme").and_then(Scalar::read),
        }
    }
}

impl RefPath {
    fn read(reference: Node<'_, '_>) -> Self {
        let mut path = reference.get("path").and_then(Scalar::read);
        if let Some(path) = &mut path {
            path.value = cleaned(&path.value);
        }
        let pattern = reference.get("match").and_then(Scalar::read);
        let unknown = unknown_keys(reference, &REFERENCE_KEYS);
        let location =
            pattern.as_ref().or(path.as_ref()).map_or_else(|| reference.span(), |scalar| scalar.span.clone());
        Self { path, pattern, location, unknown, compiled: Arc::default() }
    }

    /// The pattern, ready to be used on one line without its line end.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn regex(&self) -> Result<&Regex, &str> {
        let pattern = self.pattern.as_ref().map_or("", |pattern| pattern.value.as_str());
        self.compiled.get_or_init(|| go_regex(pattern)).as_ref().map_err(String::as_str)
    }

    /// Whether it speaks of a line of a file. A pattern that cannot be used speaks of none.
    pub fn fits(&self, path: &str, line: &str) -> bool {
        let is_file = self.path.as_ref().is_some_and(|own| own.value == path);
        is_file && self.regex().is_ok_and(|regex| regex.is_match(line.trim_end_matches('\r').as_bytes()))
    }
}

impl Scalar {
    fn read(node: Node<'_, '_>) -> Option<Self> {
        Some(Self { value: node.text()?, span: node.span(), replaceable: node.replaceable() })
    }
}

/// The files that entries of a list name which name a file of `ours`, and maybe a few more: it is only looked for what stands behind
/// `path:`, block by block, as that takes a hundredth of the time of reading YAML. What is written otherwise is read as YAML.
pub fn files_beside(text: &Text, is_ours: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut block = Vec::new();
    for line in text.as_str().lines() {
        let line = line.trim_start();
        let item = line.strip_prefix('-').map_or(line, str::trim_start);
        if item.starts_with("name:") {
            add_block(&mut block, is_ours, &mut files);
        }
        match item.strip_prefix("path:").map(str::trim).filter(|value| is_plain_path(value)) {
            Some(value) => block.push(cleaned(value.split(" #").next().unwrap_or_default().trim_matches(QUOTES))),
            None if item.starts_with('#') => {}
            None if ["path:", "path ", "path\"", "path'"].iter().any(|key| item.contains(key)) => {
                return all_files_beside(text, is_ours);
            }
            None => {}
        }
    }
    add_block(&mut block, is_ours, &mut files);
    files
}

/// The quotes of YAML.
const QUOTES: [char; 2] = ['"', '\''];

/// Whether a path, maybe in quotes, stands here for itself; else YAML means something.
fn is_plain_path(value: &str) -> bool {
    let is_of_path = |first: char| first.is_ascii_alphanumeric() || "._-/\"'".contains(first);
    value.starts_with(is_of_path) && !(value.starts_with('"') && value.contains('\\'))
}

/// Whether a list may name a file. It is looked for the last part of its path, which stands in the list as it is unless that takes
/// escapes or is folded: that takes a hundredth of the time of looking for the files that the list names.
pub fn may_name(list: &Text, path: &str) -> bool {
    let name = file_name(path);
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    !is_plain || list.as_str().contains(name) || has_escapes(list.as_str())
}

/// Whether a text may hold letters that are written as escapes of YAML, or a word that is folded by one.
fn has_escapes(list: &str) -> bool {
    list.match_indices('\\').any(|(place, _)| list[place + 1..].starts_with(['x', 'u', 'U', '\n', '\r']))
}

/// Takes over the files of a block if one of them is ours.
fn add_block(block: &mut Vec<String>, is_ours: &dyn Fn(&str) -> bool, files: &mut BTreeSet<String>) {
    if block.iter().any(|path| is_ours(path)) {
        files.append(&mut block.drain(..).collect());
    }
    block.clear();
}

fn all_files_beside(text: &Text, is_ours: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for entry in DependencyList::parse(text).unwrap_or_default().entries {
        if entry.named.iter().any(|path| is_ours(path)) {
            files.extend(entry.references.into_iter().filter_map(|reference| Some(reference.path?.value)));
        }
    }
    files
}

/// Adds all that stands in a value, as paths.
fn add_scalars(node: Node<'_, '_>, scalars: &mut Vec<String>) {
    for item in node.items() {
        add_scalars(item, scalars);
    }
    for (_, value) in node.pairs() {
        add_scalars(value, scalars);
    }
    scalars.extend(node.text().map(|text| cleaned(&text)));
}

/// A path without what changes nothing in it: `./`, doubled slashes, and directories that are left again.
fn cleaned(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
