//! A list of dependencies: each with a version, and the files that repeat it. zeitgeist reads such lists, as
//! `build/dependencies.yaml` of Kubernetes: <https://github.com/kubernetes-sigs/zeitgeist>.

use std::sync::OnceLock;

use regex::bytes::Regex;

use super::capture::go_regex;
use super::yaml::{Document, Malformed, Node};
use crate::suggest::nearest;
use crate::text::{Span, Text};

/// The keys of an entry that zeitgeist knows.
const ENTRY_KEYS: [&str; 6] = ["name", "version", "scheme", "sensitivity", "upstream", "refPaths"];

/// The keys of a reference.
const REFERENCE_KEYS: [&str; 2] = ["path", "match"];

/// The entries of a list, in its order.
#[derive(Debug, Clone, Default)]
pub struct DependencyList {
    /// The entries.
    pub entries: Vec<Dependency>,
}

/// One entry.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// What it is called; empty where it has no name.
    pub name: String,
    /// The version that all of its files must hold; `None` where there is none.
    pub version: Option<Scalar>,
    /// Where the version stands, or where the entry begins if it has none.
    pub place: Span,
    /// The files that repeat the version.
    pub references: Vec<RefPath>,
    /// Keys of the entry that are almost one that is known, with that one.
    pub misspelt: Vec<(Scalar, &'static str)>,
}

/// A file that repeats the version of an entry, and the lines in it that do.
#[derive(Debug, Clone)]
pub struct RefPath {
    /// The file, from the root of the repository; `None` where none is named.
    pub path: Option<Scalar>,
    /// A regular expression of Go that fits the lines; every line is meant where there is none.
    pub pattern: Option<Scalar>,
    /// Where the pattern stands, or else the path.
    pub place: Span,
    /// Keys that no reader of the list knows.
    pub unknown: Vec<Scalar>,
    compiled: OnceLock<Result<Regex, String>>,
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

impl DependencyList {
    /// Reads a list.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn parse(text: &Text) -> Result<Self, Malformed> {
        let document = Document::parse(text)?;
        let listed = document.root().get("dependencies").filter(|list| list.is_sequence());
        let Some(listed) = listed else {
            return Err(Malformed { message: "it has no list `dependencies`".to_owned(), offset: 0 });
        };
        Ok(Self { entries: listed.items().map(Dependency::read).collect() })
    }

    /// The first entry that holds two lines together: its references fit both. Each line is given by its file and its text.
    pub fn tie(&self, one: (&str, &str), other: (&str, &str)) -> Option<&Dependency> {
        self.entries.iter().find(|entry| {
            entry.references.iter().any(|reference| reference.fits(one.0, one.1))
                && entry.references.iter().any(|reference| reference.fits(other.0, other.1))
        })
    }
}

impl Dependency {
    fn read(entry: Node<'_, '_>) -> Self {
        let version = entry.get("version");
        let references = entry.get("refPaths").into_iter().flat_map(Node::items).map(RefPath::read).collect();
        let mut misspelt = Vec::new();
        for (key, _) in entry.pairs() {
            let Some(key) = Scalar::read(key).filter(|key| !ENTRY_KEYS.contains(&key.value.as_str())) else { continue };
            let known = nearest(&key.value, ENTRY_KEYS);
            misspelt.extend(known.map(|known| (key, known)));
        }
        Self {
            name: entry.get("name").and_then(Node::text).unwrap_or_default(),
            place: version.unwrap_or(entry).span(),
            version: version.and_then(Scalar::read),
            references,
            misspelt,
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
        let mut unknown = Vec::new();
        for (key, _) in reference.pairs() {
            let key = Scalar::read(key);
            unknown.extend(key.filter(|key| key.value != "<<" && !REFERENCE_KEYS.contains(&key.value.as_str())));
        }
        let place = pattern.as_ref().or(path.as_ref()).map_or_else(|| reference.span(), |scalar| scalar.span.clone());
        Self { path, pattern, place, unknown, compiled: OnceLock::new() }
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
