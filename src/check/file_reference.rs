//! `file-reference`: what names an image of the tree in a file beside the images must name its version.
//!
//! Rules: `stale-reference`.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

use super::change::Change;
use super::kind::{Context, Kind, Needs, Outside, Reads, bumped_images};
use super::later::waiting;
use crate::edit::Fix;
use crate::finding::{Diagnostic, Fingerprint, Level, Location, RuleId};
use crate::model::mention::{Mention, Mentions, NamedVersion, Tag};
use crate::model::{Image, Model};
use crate::shape::{FilesFollow, ReferenceFiles, Shape};
use crate::snapshot::{Entry, FileKind, ReadError, Snapshot, StoreError};

/// The kind has no options: the pack's `[[references.files]]` says which files are meant.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileReference {}

impl Kind for FileReference {
    fn needs(&self) -> Needs<'_> {
        Needs { files: Reads::ReferenceFiles, dockerfiles: None, outside: Outside::HistoryIfThere, pattern: None }
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        if context.shape.reference_files.is_empty() {
            return Ok(Vec::new());
        }
        let mentions = Mentions::new(context.shape, context.model);
        let paths = paths(context, &mentions);
        let judge = Judge { context, written: written(context)? };
        let mut stale: BTreeMap<Group<'_>, Vec<Mention>> = BTreeMap::new();
        let mut diagnostics = Vec::new();
        for File { path, read } in read(&paths, &mentions, context.files)? {
            match read {
                Err(unreadable) => diagnostics.extend(unread(context, path, &unreadable)),
                Ok(found) => {
                    for mention in found {
                        if let Some(group) = judge.outdated(path, &mention) {
                            stale.entry(group).or_default().push(mention);
                        }
                    }
                }
            }
        }
        for (group, mentions) in &stale {
            diagnostics.extend(judge.diagnostic(group, mentions));
        }
        Ok(diagnostics)
    }

    fn unread(&self, context: &Context<'_>) -> Vec<StoreError> {
        let mut errors = Vec::new();
        if context.shape.reference_files.is_empty() {
            return errors;
        }
        let mentions = Mentions::new(context.shape, context.model);
        for path in named_paths(context, &mentions) {
            match context.files.text(path) {
                Ok(Some(Err(unreadable))) => errors.push(StoreError::unreadable(path, &unreadable)),
                Ok(_) => {}
                Err(error) => errors.push(error),
            }
        }
        errors
    }

    fn ended(&self, context: &Context<'_>, rule: &RuleId) -> Result<Vec<Fingerprint>, StoreError> {
        let Some(change) = context.change else { return Ok(Vec::new()) };
        let Some(base) = &change.pair.base else { return Ok(Vec::new()) };
        if context.shape.reference_files.is_empty() {
            return Ok(Vec::new());
        }
        let touched = change.paths();
        let now = named(context.shape, context.model, context.files, touched)?;
        let mut ended = Vec::new();
        for (named, tags) in named(context.shape, change.base, base, touched)? {
            // Of what cannot be read any more nobody knows that it is gone.
            if now.get(&named) == Some(&tags) || matches!(context.files.text(&named.path)?, Some(Err(_))) {
                continue;
            }
            for image in change.base.named(&named.target) {
                ended.push(Fingerprint {
                    rule: Arc::clone(rule),
                    image: Some(Arc::clone(&image.name)),
                    path: Arc::clone(&named.path),
                    subject: named.version.as_deref().unwrap_or(UNKNOWN).into(),
                });
            }
        }
        Ok(ended)
    }
}

/// What a finding is about where a version cannot be compared.
const UNKNOWN: &str = "unknown";

/// What a file names, as findings tell it apart.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct NamedIn {
    path: Arc<str>,
    target: String,
    version: Option<String>,
}

/// What files name. Where the version cannot be told, it is with all that stands there, as a change of that is the end of it.
fn named(
    shape: &Shape,
    model: &Model,
    files: &Snapshot<'_>,
    paths: &BTreeSet<Arc<str>>,
) -> Result<BTreeMap<NamedIn, BTreeSet<String>>, StoreError> {
    let mentions = Mentions::new(shape, model);
    let paths: Vec<&Arc<str>> = paths.iter().filter(|path| mentions.may_be_in(path)).collect();
    let mut named: BTreeMap<NamedIn, BTreeSet<String>> = BTreeMap::new();
    for File { read, .. } in read(&paths, &mentions, files)? {
        for mention in read.unwrap_or_default() {
            let (version, tags) = match &mention.tag {
                Tag::Version(named) => (Some(named.version.clone()), None),
                Tag::Unknown | Tag::NoRange => (None, Some(mention.text.as_str()[mention.span.clone()].to_owned())),
            };
            let named_in = NamedIn { path: mention.path, target: mention.target, version };
            named.entry(named_in).or_default().extend(tags);
        }
    }
    Ok(named)
}

/// The change, where it moves no version: then no files are read but those that it touches.
fn narrow<'a>(context: &Context<'a>) -> Option<&'a Change<'a>> {
    context.change.filter(|change| bumped_images(context, change).is_empty())
}

/// The files that are read.
fn paths<'a>(context: &Context<'a>, mentions: &Mentions<'_>) -> Vec<&'a Arc<str>> {
    let entries = context.files.entries();
    let mut paths = Vec::new();
    if let Some(change) = narrow(context) {
        for path in change.paths() {
            if let Some((path, entry)) = entries.get_key_value(path)
                && may_name(path, entry, mentions)
            {
                paths.push(path);
            }
        }
    } else {
        paths.extend(entries.iter().filter(|(path, entry)| may_name(path, entry, mentions)).map(|(path, _)| path));
    }
    paths
}

/// Those among them that the pack names, rather than finds by a pattern.
fn named_paths<'a>(context: &Context<'a>, mentions: &Mentions<'_>) -> BTreeSet<&'a Arc<str>> {
    let narrow = narrow(context);
    let mut paths = BTreeSet::new();
    for pattern in context.shape.reference_files.iter().flat_map(ReferenceFiles::paths) {
        if let Some((path, entry)) = pattern.as_path().and_then(|path| context.files.entries().get_key_value(path))
            && narrow.is_none_or(|change| change.paths().contains(path))
            && is_named(context, path)
            && may_name(path, entry, mentions)
        {
            paths.insert(path);
        }
    }
    paths
}

/// Whether a file may name images. What a link leads to is read where it lies.
fn may_name(path: &str, entry: &Entry, mentions: &Mentions<'_>) -> bool {
    matches!(entry.kind, FileKind::File | FileKind::Executable) && mentions.may_be_in(path)
}

/// A file, and what it names.
struct File<'a> {
    path: &'a Arc<str>,
    read: Result<Vec<Mention>, ReadError>,
}

fn read<'a>(
    paths: &[&'a Arc<str>],
    mentions: &Mentions<'_>,
    files: &Snapshot<'_>,
) -> Result<Vec<File<'a>>, StoreError> {
    let read = paths.par_iter().map(|path| Ok(mentions.of_file(path, files)?.map(|read| File { path, read })));
    let read: Vec<Option<File<'_>>> = read.collect::<Result<_, StoreError>>()?;
    Ok(read.into_iter().flatten().collect())
}

/// Whether a file is named by the pack, rather than found by a pattern.
fn is_named(context: &Context<'_>, path: &str) -> bool {
    context.shape.reference_files.iter().any(|files| files.names(path))
}

/// A note of a file that was found by a pattern and has no text to look into.
fn unread(context: &Context<'_>, path: &Arc<str>, why: &ReadError) -> Option<Diagnostic> {
    if is_named(context, path) {
        return None;
    }
    let message = format!("cannot tell whether {path} names an image: it {why}");
    let help = "if it does not, leave it out: `exclude` of the pack's `references.files`";
    Some(Diagnostic::about("unread", message, Location::file(path)).help(help).at_most(Level::Note))
}

/// What was named in the files of a change before it, wherever in them: that a file moved is no reason to judge it.
fn written(context: &Context<'_>) -> Result<Written, StoreError> {
    let mut written = Written::default();
    let Some(change) = context.change else { return Ok(written) };
    written.files.clone_from(change.paths());
    let Some(files) = &change.pair.base else { return Ok(written) };
    let mentions = Mentions::new(context.shape, change.base);
    let before: Vec<&Arc<str>> = change.paths().iter().filter(|path| mentions.may_be_in(path)).collect();
    for File { read, .. } in read(&before, &mentions, files)? {
        for mention in read.unwrap_or_default() {
            if let Tag::Version(named) = mention.tag {
                written.before.insert((mention.target, named.version));
            }
        }
    }
    Ok(written)
}

/// What a change writes.
#[derive(Default)]
struct Written {
    /// The files that it touches.
    files: BTreeSet<Arc<str>>,
    /// Names and versions that were there before.
    before: BTreeSet<(String, String)>,
}

impl Written {
    fn has(&self, mention: &Mention, named: &NamedVersion) -> bool {
        self.files.contains(&mention.path) && !self.before.contains(&(mention.target.clone(), named.version.clone()))
    }
}

/// What mentions must share to be one finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group<'a> {
    path: &'a str,
    /// The directory of the image.
    image: &'a str,
    /// `None` where only those who read the file know what is named.
    named: Option<Named>,
    /// The version that should be named.
    wanted: &'a str,
    table: usize,
    why: Why,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    version: String,
    has_digest: bool,
    is_unprefixed: bool,
    /// Whether it is one version, and no range of them.
    is_exact: bool,
}

/// Why another version should be named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// The change gives the image another version than the one that is named.
    Moved,
    /// The change names a version that the image does not have.
    Written,
    /// The image has another one, in a tree that is compared with nothing.
    Differs,
    /// It should be a range, and cannot be read as one.
    NoRange,
}

struct Judge<'a> {
    context: &'a Context<'a>,
    written: Written,
}

impl<'a> Judge<'a> {
    /// What is wrong with a mention. Of a change only what it moved is asked for: the image, or the mention. All else is old.
    fn outdated<'p>(&self, path: &'p Arc<str>, mention: &Mention) -> Option<Group<'p>>
    where
        'a: 'p,
    {
        let candidates = self.context.model.named(&mention.target);
        let table = mention.table;
        let Tag::Version(named) = &mention.tag else { return self.unknown(path, mention) };
        let mut outdated: Option<(&Image, Wanted<'a>)> = None;
        for image in candidates {
            let versions = image.versions();
            let mut current = versions.iter();
            let is_current = current.any(|version| named.names(version));
            if versions.is_empty() || (is_current && !named.is_unprefixed) {
                return None;
            }
            let wanted = self.wanted(image, mention, named);
            // Of several images of one name, the one is meant that had the named version.
            if wanted.is_some_and(|wanted| wanted.why == Why::Moved) || outdated.is_none() {
                outdated = wanted.map(|wanted| (&**image, wanted)).or(outdated);
            }
        }
        let (image, Wanted { version: wanted, why }) = outdated?;
        let NamedVersion { version, has_digest, is_unprefixed, naming, .. } = named;
        let named = Named {
            version: version.clone(),
            has_digest: *has_digest,
            is_unprefixed: *is_unprefixed,
            is_exact: naming.is_exact(),
        };
        Some(Group { path, image: &image.directory, named: Some(named), wanted, table, why })
    }

    /// A mention that cannot be compared, where something moved. What should be a range and is none is the file's own fault.
    fn unknown<'p>(&self, path: &'p Arc<str>, mention: &Mention) -> Option<Group<'p>>
    where
        'a: 'p,
    {
        let is_range = matches!(mention.tag, Tag::NoRange);
        for image in self.context.model.named(&mention.target) {
            let is_asked = match self.context.change {
                None => is_range,
                Some(change) => {
                    !change.new_versions(image).is_empty() || (is_range && self.written.files.contains(path))
                }
            };
            if is_asked {
                let wanted = image.version_like("")?;
                let why = if is_range { Why::NoRange } else { Why::Moved };
                return Some(Group { path, image: &image.directory, named: None, wanted, table: mention.table, why });
            }
        }
        None
    }

    /// The version that should be named, and why. Of several variants the one is meant that had the named version, or else one most
    /// like it.
    fn wanted(&self, image: &'a Image, mention: &Mention, named: &NamedVersion) -> Option<Wanted<'a>> {
        let version = image.version_like(&named.version)?;
        let Some(change) = self.context.change else { return Some(Wanted { version, why: Why::Differs }) };
        for (old, new) in change.new_versions(image) {
            if named.names(old) {
                return Some(Wanted { version: new, why: Why::Moved });
            }
        }
        // What follows later may be some versions behind when it does.
        let is_later = self.context.shape.reference_files[mention.table].follows == FilesFollow::Later;
        (self.written.has(mention, named) && !is_later).then_some(Wanted { version, why: Why::Written })
    }

    fn diagnostic(&self, group: &Group<'_>, mentions: &[Mention]) -> Option<Diagnostic> {
        let (first, others) = mentions.split_first()?;
        let image = self.context.model.images.get(group.image)?;
        let version = group.wanted;
        let is_moved = self.context.change.is_some_and(|change| !change.new_versions(image).is_empty());
        let mut diagnostic = match &group.named {
            None if group.why == Why::NoRange => no_range(group.path, image, first),
            None => unknown(group.path, image, first),
            Some(named) => {
                let table = &self.context.shape.reference_files[group.table];
                Stale { context: self.context, group, named, image, version, table, mentions }.diagnostic(first)?
            }
        };
        let now = if is_moved { " now" } else { "" };
        let mut variants = image.variants().iter();
        let variant = variants.find(|variant| variant.version.value == version);
        let location = variant.map_or_else(|| image.version_location(), |variant| image.variant_location(variant));
        diagnostic = diagnostic.image(&image.name).related(format!("{} is {version} here{now}", image.name), location);
        for other in others {
            diagnostic = diagnostic.related("here too", other.location());
        }
        Some(diagnostic)
    }
}

/// What a mention should name.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    version: &'a str,
    why: Why,
}

/// A note of a mention that names a bumped image in a way that cannot be compared.
fn unknown(path: &str, image: &Image, mention: &Mention) -> Diagnostic {
    let message = format!("cannot tell which version of {} {path} names", image.name);
    let help =
        format!("see that it is {}: there is a variable in the tag, or a digest alone", image.versions().join(" or "));
    Diagnostic::about(UNKNOWN, message, mention.location()).help(help).at_most(Level::Note)
}

/// A note of a mention that should be a range, and cannot be read as one.
fn no_range(path: &str, image: &Image, mention: &Mention) -> Diagnostic {
    let written = mention.text.slice(&mention.span);
    let message = format!("cannot tell which versions of {} {path} takes: `{written}` is no range", image.name);
    let help = format!(
        "write one that {} is in, such as `~1.2`, `^1.2.3`, `1.x` or `>=1.2, <3`",
        image.versions().join(" or ")
    );
    Diagnostic::about(UNKNOWN, message, mention.location()).help(help).at_most(Level::Note)
}

/// Mentions of one file that name another version than their image has.
struct Stale<'a> {
    context: &'a Context<'a>,
    group: &'a Group<'a>,
    named: &'a Named,
    image: &'a Image,
    /// The image's version.
    version: &'a str,
    table: &'a ReferenceFiles,
    mentions: &'a [Mention],
}

impl Stale<'_> {
    fn diagnostic(&self, first: &Mention) -> Option<Diagnostic> {
        let diagnostic = match (self.table.follows, self.group.why) {
            (FilesFollow::SameChange, why) => {
                // What runs ahead of its image may be right, and the image wrong.
                let is_behind = self.image.order(&self.named.version, self.version) == Some(Ordering::Less);
                let is_meant = self.image.variants().is_empty() && is_behind;
                // Who wrote a range did not mean what comes after it.
                let is_exact = self.named.is_exact;
                self.say(self.differs(), first, "", is_exact && (why == Why::Moved || is_meant))
            }
            (FilesFollow::Later, Why::Moved) => {
                let Self { group, image, .. } = self;
                let message = format!(
                    "{} still names {} {}, which is now at {}",
                    group.path,
                    image.name,
                    self.shown(),
                    self.tag()
                );
                self.say(message, first, ", in a later change, when it is built", false).at_most(Level::Note)
            }
            (FilesFollow::Later, Why::Written | Why::Differs | Why::NoRange) => self.waiting(first)?,
        };
        Some(diagnostic)
    }

    /// What names an older version and follows later.
    fn waiting(&self, first: &Mention) -> Option<Diagnostic> {
        let Self { context, image, version, table, .. } = self;
        // A branch may use what another one built.
        if image.order(&self.named.version, version) == Some(Ordering::Greater) {
            return None;
        }
        let waiting = waiting(context, image, version, table.grace_days)?;
        let message = self.differs() + &waiting.suffix;
        let diagnostic = self.say(message, first, waiting.when, waiting.is_due);
        Some(Diagnostic { level: waiting.level, ..diagnostic })
    }

    fn differs(&self) -> String {
        let Self { group, image, .. } = self;
        let mut tags = vec![self.tag()];
        if group.why != Why::Moved && !image.variants().is_empty() {
            tags = image.versions().into_iter().map(|version| self.context.shape.tag_of(version)).collect();
        }
        let tags = tags.join(" and ");
        format!("{} names {} {}, but {} is at {tags}", group.path, image.name, self.shown(), image.name)
    }

    /// The tag of the image.
    fn tag(&self) -> String {
        self.context.shape.tag_of(self.version)
    }

    /// The tag that is named, as it is written.
    fn shown(&self) -> String {
        let Named { version, is_unprefixed, is_exact, .. } = self.named;
        match (is_exact, is_unprefixed) {
            (false, _) => format!("`{version}`"),
            (true, true) => version.clone(),
            (true, false) => self.context.shape.tag_of(version),
        }
    }

    /// Says what to write, and writes it. What stands beside a digest is left alone: the two belong together.
    fn say(&self, message: String, first: &Mention, when: &str, is_safe: bool) -> Diagnostic {
        let shape = self.context.shape;
        let diagnostic = Diagnostic::about(&self.named.version, message, first.location());
        let Tag::Version(named) = &first.tag else { return diagnostic };
        let Some(wanted) = named.naming.moved(&named.version, self.version) else {
            return diagnostic.help(format!("write a range here that {} is in{when}", self.version));
        };
        let tag = shape.tag_of(&wanted);
        if self.named.has_digest {
            return diagnostic.help(format!("write {tag} here with its digest, which is known when it is built{when}"));
        }
        let diagnostic = diagnostic.help(format!("write {tag} here{when}"));
        if self.named.is_unprefixed {
            return diagnostic;
        }
        let mut edits = Vec::new();
        for mention in self.mentions {
            if let Tag::Version(named) = &mention.tag {
                edits.extend(named.edit(&mention.path, self.version));
            }
        }
        // A part of them is no repair.
        if edits.len() < self.mentions.len() {
            return diagnostic;
        }
        let title = format!("name {} {tag} in {}", self.image.name, self.group.path);
        diagnostic.fix(Fix { safe: is_safe, ..Fix::safe(title, edits) })
    }
}
