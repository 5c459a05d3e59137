//! Files that repeat the versions of images: the manifest, and literals in sources.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use crate::finding::Location;
use crate::parse::go;
use crate::path::directory_of;
use crate::shape::{Constant, ManifestShape};
use crate::snapshot::{Snapshot, StoreError};
use crate::text::{Span, Text};

/// The file that says which version of an image is used.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its path in the tree.
    pub path: Arc<str>,
    /// Its text.
    pub text: Arc<Text>,
    /// The entries whose registry holds images of this tree, in the order of the file.
    pub entries: Vec<ManifestEntry>,
    /// The keys of all entries that can be read.
    keys: BTreeSet<String>,
    /// Where in `entries` those of a key stand.
    by_key: HashMap<String, Vec<usize>>,
    /// The same of a name, with those that have an architecture behind it.
    by_name: HashMap<String, Vec<usize>>,
    /// Those whose name is one of several: `{a,b}/web`.
    grouped: Vec<usize>,
}

/// The architectures that Go and docker know, by Go's names.
const ARCHITECTURES: [&str; 11] =
    ["amd64", "arm64", "arm", "ppc64le", "s390x", "386", "riscv64", "mips64le", "mips64", "loong64", "ppc64"];

/// A name without the architecture that was a part of it in trees of old; `None` where it has none.
pub(super) fn without_architecture(name: &str) -> Option<&str> {
    let (rest, last) = name.rsplit_once('-')?;
    ARCHITECTURES.contains(&last).then_some(rest)
}

/// An entry of the manifest.
#[derive(Debug, Clone)]
pub struct ManifestEntry {
    /// The constant that tests use it by.
    pub key: String,
    /// The image's name, with the directory that the registry stands for.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// The version that it names, without what all tags begin with.
    pub version: String,
    /// Where the version stands.
    pub span: Span,
    /// Whether the pack lets it stay behind.
    pub is_pinned: bool,
}

/// A literal that must equal a version.
#[derive(Debug, Clone)]
pub struct ConstantValue {
    /// The image, by its name.
    pub image: String,
    /// What stands there.
    pub value: String,
    /// Its literal, without quotes.
    pub location: Location,
    /// The number of its table among those of the pack.
    pub table: usize,
}

impl Manifest {
    pub(super) fn read(
        shape: &ManifestShape,
        tag_prefix: &str,
        snapshot: &Snapshot<'_>,
        known: Option<&Self>,
    ) -> Result<Option<Self>, StoreError> {
        let Some(text) = snapshot.readable(&shape.path)? else { return Ok(None) };
        if let Some(known) = known.filter(|known| Arc::ptr_eq(&known.text, &text)) {
            return Ok(Some(known.clone()));
        }
        let code = code(&shape.path, &text);
        let (mut entries, mut keys) = (Vec::new(), BTreeSet::new());
        for found in shape.pattern.matches(&code) {
            let key = found.group("key").to_owned();
            keys.insert(key.clone());
            // `list.PromoterE2eRegistry` of newer trees is `promoterE2eRegistry` of older ones.
            let written = found.group("registry");
            let names = [written, written.rsplit('.').next().unwrap_or_default()];
            let Some(directory) = names.into_iter().find_map(|name| shape.directory_of(name)) else { continue };
            let name = found.group("name");
            let has_directory = directory.is_empty() || crate::path::is_below(name, directory);
            let (tag, span) = (found.group("version"), found.span("version"));
            let version = tag.strip_prefix(tag_prefix).filter(|version| !version.is_empty()).unwrap_or(tag);
            entries.push(ManifestEntry {
                is_pinned: shape.pinned.contains(&key),
                key,
                name: if has_directory { name.to_owned() } else { format!("{directory}/{name}") },
                name_span: found.span("name"),
                version: version.to_owned(),
                span: span.end - version.len()..span.end,
            });
        }
        let (path, text) = (Arc::clone(&shape.path), Arc::clone(&text));
        let (by_key, by_name, grouped) = (HashMap::new(), HashMap::new(), Vec::new());
        let mut manifest = Self { path, text, entries, keys, by_key, by_name, grouped };
        manifest.index();
        Ok(Some(manifest))
    }

    /// Notes where entries stand: each may be asked for by each of thousands of others.
    fn index(&mut self) {
        for (number, ManifestEntry { key, name, .. }) in self.entries.iter().enumerate() {
            self.by_key.entry(key.clone()).or_default().push(number);
            for name in std::iter::once(name.as_str()).chain(without_architecture(name)) {
                self.by_name.entry(name.to_owned()).or_default().push(number);
            }
            if name.starts_with('{') {
                self.grouped.push(number);
            }
        }
    }

    /// The entries of a key, in the order of the file.
    pub fn of_key(&self, key: &str) -> impl Iterator<Item = &ManifestEntry> {
        self.by_key.get(key).into_iter().flatten().map(|number| &self.entries[*number])
    }

    /// The entries that may mean an image of one of these names, in the order of the file.
    pub fn that_may_mean(&self, names: &[&str]) -> Vec<&ManifestEntry> {
        let mut numbers: BTreeSet<usize> = self.grouped.iter().copied().collect();
        for name in names {
            numbers.extend(self.by_name.get(*name).into_iter().flatten());
        }
        numbers.into_iter().map(|number| &self.entries[number]).collect()
    }

    /// The entries of another state of the file that it still has, as in `configs[Agnhost] =` or `Agnhost:`, but in a way that cannot
    /// be read; and where their keys stand.
    pub fn unread<'b>(&self, before: &'b Self) -> Vec<(&'b ManifestEntry, Span)> {
        let gone: Vec<_> = before.entries.iter().filter(|entry| !self.keys.contains(&entry.key)).collect();
        if gone.is_empty() {
            return Vec::new();
        }
        let code = code(&self.path, &self.text);
        let mut unread = Vec::new();
        for entry in gone {
            let mut locations = code.as_str().match_indices(&entry.key);
            let assigned = locations.find(|(begin, key)| is_assigned(code.as_str(), *begin, key));
            unread.extend(assigned.map(|(begin, key)| (entry, begin..begin + key.len())));
        }
        unread
    }

    /// Where the version of an entry stands.
    pub fn location(&self, entry: &ManifestEntry) -> Location {
        Location::new(&self.path, &self.text, entry.span.clone())
    }
}

/// Whether a key that stands at a place gets a value there, as in `configs[Agnhost] =` or `Agnhost:`.
fn is_assigned(code: &str, begin: usize, key: &str) -> bool {
    let before = code[..begin].trim_end();
    let rest = &code[begin + key.len()..];
    let value = rest.strip_prefix(']').and_then(|rest| rest.trim_start().strip_prefix('='));
    let is_index = before.ends_with('[') && value.is_some_and(|value| !value.starts_with('='));
    is_index || (before.ends_with(['{', ',']) && rest.trim_start().starts_with(':'))
}

/// What patterns are looked for in: of a Go file, what is neither comment nor raw string. Every byte keeps its place.
pub(super) fn code<'t>(path: &str, text: &'t Arc<Text>) -> Cow<'t, Text> {
    if Path::new(path).extension().is_some_and(|extension| extension == "go") {
        Cow::Owned(Text::from(&*go::code(text)))
    } else {
        Cow::Borrowed(&**text)
    }
}

impl ConstantValue {
    /// All places that look like the constant: which of them the program says, only a compiler knows. Files that cannot be read go to
    /// `unread`.
    pub(super) fn read(
        table: usize,
        constant: &Constant,
        snapshot: &Snapshot<'_>,
        unread: &mut Vec<StoreError>,
    ) -> Result<Vec<Self>, StoreError> {
        let mut values = Vec::new();
        for path in files_of(constant, snapshot) {
            let text = match snapshot.text(path)? {
                Some(Ok(text)) => text,
                Some(Err(why)) => {
                    unread.push(StoreError::unreadable(path, &why));
                    continue;
                }
                None => continue,
            };
            for found in constant.pattern.matches(&code(path, &text)) {
                values.push(Self {
                    image: constant.image.clone(),
                    value: found.group("value").to_owned(),
                    location: Location::new(path, &text, found.span("value")),
                    table,
                });
            }
        }
        Ok(values)
    }
}

/// The file that holds a constant. Where it is gone, it may have another name: those beside it that are written in the same language.
fn files_of<'s>(constant: &'s Constant, snapshot: &'s Snapshot<'_>) -> Vec<&'s Arc<str>> {
    if snapshot.entry(&constant.path).is_some() {
        return vec![&constant.path];
    }
    let (directory, extension) = (directory_of(&constant.path), Path::new(&*constant.path).extension());
    let mut files = Vec::new();
    for (path, _) in snapshot.below(directory) {
        let is_test = path.ends_with("_test.go");
        if directory_of(path) == directory
            && Path::new(&**path).extension() == extension
            && extension.is_some()
            && !is_test
        {
            files.push(path);
        }
    }
    files
}

impl Constant {
    /// Whether the sources say that a linker sets the value: then there is no literal to compare.
    pub fn is_linked(&self, snapshot: &Snapshot<'_>) -> Result<bool, StoreError> {
        let Some(pattern) = &self.linked else { return Ok(false) };
        for path in files_of(self, snapshot) {
            if let Some(Ok(text)) = snapshot.text(path)?
                && pattern.matches(&code(path, &text)).next().is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
