//! Places in files beside the images that name an image of the tree.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use regex::bytes::{Captures, Regex};

use super::image::kind_target;
use super::listed::{Listed, ListedImage, entries};
use super::manifest::code;
use super::reference::{Naming, Reference, Writing, WrittenIn};
use super::tree::Model;
use crate::edit::Edit;
use crate::finding::Location;
use crate::parse::go;
use crate::parse::range::Range;
use crate::parse::version::plain_scalar;
use crate::shape::{
    EntryImage, FilesFollow, MeantImage, NameList, NamePattern, Precision, Ranges, ReferenceForm, Shape,
};
use crate::snapshot::{Content, FileKind, ReadError, Snapshot, StoreError};
use crate::text::{Span, Text};

/// A place in a file of `[[references.files]]` that names an image.
#[derive(Debug, Clone)]
pub struct Mention {
    /// The name of the image, which no image need have.
    pub target: String,
    /// What is said of its version.
    pub tag: Tag,
    /// The file, by its path in the tree.
    pub path: Arc<str>,
    /// Its text.
    pub text: Arc<Text>,
    /// The whole place.
    pub span: Span,
    /// Which table of the pack it is of, by its number.
    pub table: usize,
    /// The registry, where it does not stand before the name, and is one of those that are listed.
    pub registry: Option<String>,
}

/// What is said of a version.
#[derive(Debug, Clone)]
pub enum Tag {
    /// It is this one.
    Version(NamedVersion),
    /// Something stands there that only those who read the file know, such as a variable; or a digest alone.
    Unknown,
    /// What stands there should be a range, and cannot be read as one.
    NoRange,
}

/// A version that is named.
#[derive(Debug, Clone)]
pub struct NamedVersion {
    /// The version, or the part of it that is named.
    pub version: String,
    /// Where it stands.
    pub span: Span,
    /// Whether a digest stands beside it, which decides what is pulled.
    pub has_digest: bool,
    /// Whether it lacks what stands before versions in other tags.
    pub is_unprefixed: bool,
    /// Which versions are named by it.
    pub naming: Naming,
    /// How another one is written in its place.
    pub spelling: Spelling,
}

/// How another version is written in the place of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// As it is.
    Literal,
    /// In quotes, where YAML would read it as another number.
    PlainScalar,
    /// Not at all: it is written elsewhere, or on several lines.
    Fixed,
}

impl NamedVersion {
    /// Whether it names a version.
    pub fn names(&self, version: &str) -> bool {
        self.naming.names(&self.version, version)
    }

    /// The edit that has it name another version; `None` where that cannot be written.
    pub fn edit(&self, path: &Arc<str>, version: &str) -> Option<Edit> {
        let moved = self.naming.moved(&self.version, version)?;
        let written = match self.spelling {
            Spelling::Literal => moved.as_str().into(),
            Spelling::PlainScalar => plain_scalar(&moved),
            Spelling::Fixed => return None,
        };
        Some(Edit::replace(path, &self.span, &*written))
    }
}

impl Mention {
    /// Where the version stands, or the whole place where there is none.
    pub fn location(&self) -> Location {
        let span = match &self.tag {
            Tag::Version(named) => &named.span,
            Tag::Unknown | Tag::NoRange => &self.span,
        };
        Location::new(&self.path, &self.text, span.clone())
    }
}

impl Mention {
    /// The same, as a reference of the image that the file belongs to.
    pub fn reference(self, shape: &Shape) -> Reference {
        let (version, version_span, naming) = match self.tag {
            Tag::Version(named) => (Some(named.version), named.span, named.naming),
            Tag::Unknown | Tag::NoRange => (None, self.span.clone(), Naming::Tag(shape.precision)),
        };
        Reference {
            target: self.target,
            version,
            path: self.path,
            text: self.text,
            span: self.span,
            version_span,
            unknown: Vec::new(),
            suffix: None,
            naming,
            follows: shape.reference_files[self.table].follows,
            writing: Writing::Literal,
            written_in: WrittenIn::File,
        }
    }
}

/// Reads the files of a tree that name its images.
pub struct Mentions<'a> {
    shape: &'a Shape,
    model: &'a Model,
    /// The registries that are listed, as they stand in any file.
    registries: Option<&'a Regex>,
    /// The files that say how images are built: what they name is known.
    own: BTreeSet<&'a str>,
}

impl<'a> Mentions<'a> {
    /// Prepares to read the files of the tree that a model was read from.
    pub fn new(shape: &'a Shape, model: &'a Model) -> Self {
        let mut own = BTreeSet::new();
        for image in model.images.values() {
            own.extend(image.builds.iter().map(|build| &*build.path));
            own.extend(image.base_file.iter().map(|base| &*base.path));
            // What an argument names and follows later is looked at as all else that does.
            let now = image.references.iter().filter(|reference| reference.follows == FilesFollow::SameChange);
            own.extend(now.map(|reference| &*reference.path));
        }
        let is_scanned = shape.reference_files.iter().any(|files| matches!(files.form, ReferenceForm::Docker));
        let registries = if is_scanned { shape.registry_spellings() } else { None };
        Self { shape, model, registries, own }
    }

    /// Whether a file may name an image.
    pub fn may_be_in(&self, path: &str) -> bool {
        !self.own.contains(path) && self.shape.is_reference_file(path)
    }

    /// What a file names, in order. `None` where there is no such file; the reason where it has no text.
    pub fn of_file(
        &self,
        path: &Arc<str>,
        files: &Snapshot<'_>,
    ) -> Result<Option<Result<Vec<Mention>, ReadError>>, StoreError> {
        let same = SameFile::of(self.shape, path, files);
        let known = same.as_ref().and_then(|same| files.derived().of::<SameFile, Found>(NAME, same));
        if let Some(known) = known.filter(|known| known.asked.is_answered_alike(self, path)) {
            return Ok(Some(Ok(known.mentions.clone())));
        }
        let text = match files.text(path)? {
            Some(Ok(text)) => text,
            Some(Err(unreadable)) => return Ok(Some(Err(unreadable))),
            None => return Ok(None),
        };
        let asked = RefCell::default();
        let mut found: Vec<Mention> = Vec::new();
        for (table, described) in self.shape.reference_files.iter().enumerate() {
            if !described.has(path) {
                continue;
            }
            let file = File { path, text: &text, table, ranges: described.ranges, asked: &asked };
            match &described.form {
                ReferenceForm::Docker => self.scanned(&file, &mut found),
                ReferenceForm::Pattern(pattern) => self.matched(&file, pattern, &mut found),
                ReferenceForm::List(list) => match entries(list, path, &text) {
                    Ok(entries) => {
                        found.extend(entries.into_iter().filter_map(|entry| self.listed(&file, list, entry)));
                    }
                    Err(why) => return Ok(Some(Err(ReadError::Malformed(why)))),
                },
            }
        }
        // Of two tables that find the same, the first says what it is.
        let mut seen = BTreeSet::new();
        found.retain(|mention| seen.insert(mention.location().span.start));
        found.sort_by_key(|mention| mention.span.start);
        if let Some(same) = same {
            let size = if found.is_empty() { 0 } else { text.bytes().len() + found.len() * size_of::<Mention>() };
            let found = Arc::new(Found { asked: asked.take(), mentions: found.clone() });
            files.derived().keep_of(NAME, &same, &found, size);
        }
        Ok(Some(Ok(found)))
    }
}

/// What tells that a file is the same in another tree.
#[derive(Clone, PartialEq, Eq, Hash)]
struct SameFile {
    shape: usize,
    path: Arc<str>,
    content: Content,
}

/// What a file names, as long as the images answer alike.
struct Found {
    asked: Asked,
    mentions: Vec<Mention>,
}

/// Under which that is kept.
const NAME: &str = "mentions";

impl SameFile {
    /// `None` where nothing is kept, and of a link: what it leads to may be another file in another tree.
    fn of(shape: &Shape, path: &Arc<str>, files: &Snapshot<'_>) -> Option<Self> {
        let entry = files.entry(path).filter(|entry| entry.kind != FileKind::Symlink)?;
        let (path, content) = (Arc::clone(path), entry.content.clone());
        files.derived().is_wanted().then_some(Self { shape: shape.id, path, content })
    }
}

/// What was asked of the images of a tree while a file was read, with the answers.
#[derive(Default)]
struct Asked {
    /// Whether an image has a name.
    names: BTreeMap<String, bool>,
    /// Whether it was asked which one the file belongs to.
    asks_for_owner: bool,
    /// That one.
    owner: Option<String>,
}

impl Asked {
    /// Whether the images of a tree would give the same answers.
    fn is_answered_alike(&self, mentions: &Mentions<'_>, path: &str) -> bool {
        self.names.iter().all(|(name, is_one)| mentions.model.named(name).is_empty() != *is_one)
            && (!self.asks_for_owner || self.owner == mentions.owner_of(path))
    }
}

/// A file that is read as one table says.
struct File<'f> {
    path: &'f Arc<str>,
    text: &'f Arc<Text>,
    table: usize,
    /// Whose ranges of versions may stand in it.
    ranges: Option<Ranges>,
    asked: &'f RefCell<Asked>,
}

impl File<'_> {
    fn mention(&self, target: String, tag: Tag, span: Span) -> Mention {
        let (path, text) = (Arc::clone(self.path), Arc::clone(self.text));
        Mention { target, tag, path, text, span, table: self.table, registry: None }
    }

    fn is_go(&self) -> bool {
        Path::new(&**self.path).extension().is_some_and(|extension| extension == "go")
    }
}

impl Mentions<'_> {
    /// Finds what is written as docker takes it: a registry that is listed, the name of an image, and a tag.
    fn scanned(&self, file: &File<'_>, found: &mut Vec<Mention>) {
        let Some(registries) = self.registries else { return };
        // Most files of sources name none, in comments or elsewhere.
        if !registries.is_match(file.text.as_str().as_bytes()) {
            return;
        }
        let without_comments = file.is_go().then(|| go::without_comments(file.text));
        let source = without_comments.as_deref().unwrap_or(file.text.as_str());
        let mut from = 0;
        while let Some(captures) = registries.captures_at(source.as_bytes(), from) {
            let registry = captures.get_match().range();
            from = registry.start + 1;
            if !is_begin(source, registry.start) {
                continue;
            }
            from = registry.end;
            if let Some(mention) = self.named_at(file, source, &captures) {
                from = mention.span.end;
                found.push(mention);
            }
        }
    }

    /// Whether an image has a name.
    fn is_named(&self, file: &File<'_>, name: &str) -> bool {
        let is_one = !self.model.named(name).is_empty();
        file.asked.borrow_mut().names.insert(name.to_owned(), is_one);
        is_one
    }

    /// What is named behind a registry.
    fn named_at(&self, file: &File<'_>, source: &str, registry: &Captures<'_>) -> Option<Mention> {
        let groups = self.shape.registries.iter().enumerate();
        let (_, prefix) = groups.into_iter().find(|(number, _)| registry.get(number + 1).is_some())?;
        let whole = registry.get_match();
        let rest = &source[whole.end()..];
        let name = &rest[..rest.find(|c: char| !is_of_name(c)).unwrap_or(rest.len())];
        let target = prefix.target(name)?;
        if !self.is_named(file, &target) {
            return None;
        }
        let behind = whole.end() + name.len();
        let tag = self.tag_at(source, behind)?;
        let end = match &tag {
            Tag::Version(named) => named.span.end,
            Tag::Unknown | Tag::NoRange => behind + 1,
        };
        Some(file.mention(target, tag, whole.start()..end))
    }

    /// The tag that begins at a place; `None` where there is none, or one that names no version.
    fn tag_at(&self, source: &str, behind: usize) -> Option<Tag> {
        let rest = &source[behind..];
        if rest.starts_with("@sha256:") {
            return Some(Tag::Unknown);
        }
        let rest = rest.strip_prefix(':')?;
        let tag = &rest[..rest.find(|c: char| !is_of_tag(c)).unwrap_or(rest.len())];
        let next = rest[tag.len()..].chars().next();
        let is_open = next.is_some_and(|next| OPEN.contains(&next));
        let is_concatenated = tag.is_empty() && matches!(next, Some('"' | '\'' | '`'));
        if is_concatenated || (tag.is_empty() && is_open) {
            return Some(Tag::Unknown);
        }
        let has_digest = next == Some('@');
        // A sentence may end here.
        let written = if is_open { tag } else { tag.trim_end_matches(['.', '-']) };
        let start = behind + 1;
        self.tag(written, start..start + written.len(), is_open, has_digest)
    }

    /// What a tag says. `is_open` where something follows that only those who read the file know.
    fn tag(&self, written: &str, span: Span, is_open: bool, has_digest: bool) -> Option<Tag> {
        let Shape { tag_prefix, platform_suffix, floating, .. } = self.shape;
        let tag = if *platform_suffix { super::reference::without_any_platform(written) } else { written };
        let unprefixed = tag.strip_prefix(tag_prefix.as_str());
        let version = unprefixed.unwrap_or(tag);
        let Some(version) = self.shape.precision.named(version) else {
            return is_open.then_some(Tag::Unknown);
        };
        let start = span.start + (tag.len() - unprefixed.unwrap_or(tag).len());
        // What is open ends the version only where it can no more be a part of it.
        if is_open && (start + version.len() == span.end || self.shape.precision == Precision::Exact) {
            return Some(Tag::Unknown);
        }
        if floating.is_match(tag) || !version.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Tag::Version(NamedVersion {
            version: version.to_owned(),
            span: start..start + version.len(),
            has_digest,
            is_unprefixed: unprefixed.is_none(),
            naming: Naming::Tag(self.shape.precision),
            spelling: Spelling::Literal,
        }))
    }

    /// What stands in the place of a version in a file that may hold ranges.
    fn versions(&self, file: &File<'_>, written: &str, span: Span, has_digest: bool) -> Option<Tag> {
        match file.ranges {
            _ if written.contains(VARIABLES) => Some(Tag::Unknown),
            None if written.contains(OPEN) => Some(Tag::Unknown),
            None => self.tag(written, span, false, has_digest),
            Some(Ranges::Helm) => Some(Range::parse(written).map_or(Tag::NoRange, |range| {
                Tag::Version(NamedVersion {
                    version: written.to_owned(),
                    span,
                    has_digest,
                    is_unprefixed: false,
                    naming: Naming::Range(range),
                    spelling: Spelling::Literal,
                })
            })),
        }
    }

    /// Finds what a pattern matches.
    fn matched(&self, file: &File<'_>, described: &NamePattern, found: &mut Vec<Mention>) {
        let code = code(file.path, file.text);
        for matching in described.pattern.matches(&code) {
            if described.pinned.iter().any(|pinned| pinned == matching.group("key")) {
                continue;
            }
            let target = match &described.image {
                MeantImage::Named => {
                    let has_registry = described.pattern.has_group("registry");
                    let registry = has_registry.then(|| matching.group("registry"));
                    let name = self.target(described.registries.as_ref(), registry, matching.group("name"));
                    name.map(|name| kind_target(described.kind.as_deref(), name))
                }
                MeantImage::Owner => {
                    let owner = self.owner_of(file.path);
                    let mut asked = file.asked.borrow_mut();
                    asked.asks_for_owner = true;
                    asked.owner.clone_from(&owner);
                    owner
                }
                MeantImage::Fixed(name) => Some(name.clone()),
            };
            let Some(target) = target.filter(|target| self.is_named(file, target)) else { continue };
            let (written, span) = (matching.group("version"), matching.span("version"));
            let next = file.text.as_str()[span.end..].chars().next();
            let has_digest = matching.has("digest") || next == Some('@');
            let tag = self.versions(file, written, span, has_digest);
            let whole = matching.whole_span();
            let has_registry = described.registries.is_none() && described.pattern.has_group("registry");
            let registry = has_registry.then(|| matching.group("registry").to_owned());
            found.extend(tag.map(|tag| Mention { registry, ..file.mention(target, tag, whole) }));
        }
    }

    /// The image that an entry of a list names, if it is one of the tree.
    fn listed(&self, file: &File<'_>, list: &NameList, entry: Listed) -> Option<Mention> {
        let mut listed_registry = None;
        let target = match entry.image {
            ListedImage::Directory(directory) => format!("/{directory}"),
            ListedImage::Name { registry, name } => {
                let EntryImage::Name { registry: key, registries, .. } = &list.image else { return None };
                let written = key.is_some().then_some(registry.as_str());
                let target = self.target(registries.as_ref(), written, &name)?;
                listed_registry = written.filter(|_| registries.is_none()).map(str::to_owned);
                kind_target(list.kind.as_deref(), target)
            }
        };
        if !self.is_named(file, &target) {
            return None;
        }
        let mut tag = self.versions(file, &entry.version, entry.span.clone(), false)?;
        if let Tag::Version(named) = &mut tag {
            named.spelling = match (entry.is_replaceable, entry.is_plain) {
                (false, _) => Spelling::Fixed,
                (true, true) => Spelling::PlainScalar,
                (true, false) => Spelling::Literal,
            };
        }
        Some(Mention { registry: listed_registry, ..file.mention(target, tag, entry.span) })
    }

    /// The image that a registry and a name mean; `None` where the registry holds those of others. Without a registry, all names are
    /// those of the tree.
    fn target(
        &self,
        registries: Option<&BTreeMap<String, String>>,
        registry: Option<&str>,
        name: &str,
    ) -> Option<String> {
        let Some(registry) = registry else { return Some(name.to_owned()) };
        if let Some(registries) = registries {
            // `list.PromoterE2eRegistry` of one file is `promoterE2eRegistry` of another.
            let last = registry.rsplit('.').next().unwrap_or_default();
            let mut known = registries.iter();
            let is_it = |known: &str| known.eq_ignore_ascii_case(registry) || known.eq_ignore_ascii_case(last);
            let (_, directory) = known.find(|(known, _)| is_it(known))?;
            return Some(if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") });
        }
        let whole = format!("{}/{name}", registry.trim_end_matches('/'));
        self.shape.registries.iter().find_map(|prefix| prefix.target(prefix.strip(&whole)?))
    }

    fn owner_of(&self, path: &str) -> Option<String> {
        let image = self.model.images.get(self.model.owner(path)?)?;
        Some(image.target())
    }
}

/// What begins something that only those who read a file know: a variable, a template, a place to fill in.
const OPEN: [char; 5] = ['$', '{', '<', '%', '*'];

/// The same in ranges, in which some of these have a meaning of their own.
const VARIABLES: [char; 3] = ['$', '{', '%'];

/// Whether a name can begin at a place: behind no other part of a name, but maybe behind a scheme.
fn is_begin(source: &str, start: usize) -> bool {
    let before = &source[..start];
    !before.ends_with(|c: char| is_of_name(c) || c.is_ascii_alphanumeric()) || before.ends_with("://")
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '.' | '_' | '/' | '-')
}

fn is_of_tag(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-')
}
