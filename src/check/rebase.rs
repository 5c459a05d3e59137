//! `rebase`: what names another image of the tree must name its version.
//!
//! Rules: `stale-base`.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::change::Change;
use super::kind::{Concern, Context, Kind, Needs, bumped_images};
use crate::edit::{Edit, Fix};
use crate::finding::{Diagnostic, Level, Location};
use crate::model::{DependencyFile, Image, ManifestEntry, Model, Reference, Writing, without_tag};
use crate::shape::{BuildArgument, FilesFollow};
use crate::snapshot::StoreError;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rebase {}

impl Kind for Rebase {
    fn needs(&self) -> Needs<'_> {
        Needs::of_dockerfiles(Concern::Parents)
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        context.model.has_read_manifest()?;
        let judge = Judge { context, is_after_promotion: context.manifest_order()?.is_after_promotion };
        // Each child asks for them, and there may be thousands of both.
        let bumped = context.change.map(|change| bumped_images(context, change)).unwrap_or_default();
        let mut diagnostics = Vec::new();
        for child in context.model.images.values() {
            let mut stale: BTreeMap<Group<'_>, Vec<&Reference>> = BTreeMap::new();
            for reference in &child.references {
                // What is named there is looked at with the files beside images, and for how long it may wait.
                if reference.follows == FilesFollow::Later && context.shape.is_reference_file(&reference.path) {
                    continue;
                }
                let Some(named) = reference.version.as_deref() else {
                    diagnostics.extend(undecided(context, child, reference));
                    continue;
                };
                if let Some(wanted) = judge.outdated(child, reference, named) {
                    let (path, key) = (&*reference.path, reference.group_key());
                    let group = Group { path, key, writing: reference.writing, named, wanted };
                    stale.entry(group).or_default().push(reference);
                }
            }
            for (group, references) in stale {
                let is_later = references.iter().all(|reference| reference.follows == FilesFollow::Later);
                let diagnostic = judge.diagnostic(child, &group, &references);
                diagnostics.extend(diagnostic.map(|diagnostic| if is_later { later(diagnostic) } else { diagnostic }));
            }
            diagnostics.extend(unknown_bases(context, child, &bumped));
        }
        Ok(diagnostics)
    }
}

/// What follows in a later change is no more than a note.
fn later(diagnostic: Diagnostic) -> Diagnostic {
    let help = diagnostic.help.as_ref().map(|help| format!("in a later change, when it is built: {help}"));
    let fix = diagnostic.fix.clone().map(|fix| Fix { safe: false, ..fix });
    Diagnostic { help, fix, ..diagnostic }.at_most(Level::Note)
}

/// A note of a reference to a bumped image whose version only the build knows.
fn undecided(context: &Context<'_>, child: &Image, reference: &Reference) -> Option<Diagnostic> {
    let change = context.change.filter(|_| !reference.unknown.is_empty())?;
    let mut parents = context.model.named(&reference.target).into_iter();
    let parent =
        parents.find(|parent| parent.directory != child.directory && !change.new_versions(parent).is_empty())?;
    let message = format!("cannot tell which version of {} {} is built on", parent.name, child.name);
    let help =
        format!("only the build knows {}: see that it gives {}", reference.unknown.join(", "), tags(context, parent));
    let subject = format!("{} undecided", parent.name);
    let diagnostic = Diagnostic::about(subject, message, reference.location()).image(&child.name).help(help);
    let diagnostic = diagnostic.related(format!("{} gets a new version here", parent.name), parent.version_location());
    Some(diagnostic.at_most(Level::Note))
}

/// Notes of what a child is built on where only the build knows which image that is, and it may be one that is bumped.
fn unknown_bases(context: &Context<'_>, child: &Image, bumped: &[&Image]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if bumped.is_empty() {
        return diagnostics;
    }
    for outside in child.outside(context.model, context.shape).into_iter().filter(|outside| outside.is_unresolved) {
        // What the build script would give is nothing where it has nothing to give.
        let mut given = context.shape.build_arguments.iter();
        let is_given = |(name, argument): (&String, &BuildArgument)| {
            let is_told = matches!(argument, BuildArgument::File(file) if file.is_variable());
            !is_told && outside.text.contains(name.as_str())
        };
        if given.any(is_given) {
            continue;
        }
        let written = last_part(without_tag(&outside.text));
        let mut others = bumped.iter().filter(|parent| parent.directory != child.directory);
        let Some(parent) = others.find(|parent| may_be_named(written, parent, context)) else { continue };
        let text = &outside.text;
        let message =
            format!("cannot tell whether {} is built on {}: only the build knows {text}", child.name, parent.name);
        let help =
            format!("if it is, see that it gives {}; a default before the first FROM tells", tags(context, parent));
        let subject = format!("{text} undecided");
        let diagnostic = Diagnostic::about(subject, message, outside.location).image(&child.name).help(help);
        let why = format!("{} gets a new version here", parent.name);
        let diagnostic = diagnostic.related(why, parent.version_location());
        diagnostics.push(diagnostic.at_most(Level::Note));
    }
    diagnostics
}

/// The tags that an image has, as a sentence lists them: of several variants each its own.
fn tags(context: &Context<'_>, image: &Image) -> String {
    let tags: Vec<String> = image.versions().into_iter().map(|version| context.shape.tag_of(version)).collect();
    tags.join(" or ")
}

/// Whether the last part of a name, in which there may be variables, can be that of an image: as far as it is written out before them.
fn may_be_named(written: &str, image: &Image, context: &Context<'_>) -> bool {
    let own = last_part(image.published());
    let Some((before, _)) = written.split_once('$') else { return own == written };
    let mut registries = context.shape.registries.iter().map(|registry| last_part(&registry.text));
    own.starts_with(before) || registries.any(|prefix| format!("{prefix}{own}").starts_with(before))
}

fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// What references must share to be one diagnostic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group<'a> {
    path: &'a str,
    /// What else tells them apart: [`Reference::group_key`].
    key: usize,
    writing: Writing,
    named: &'a str,
    wanted: Wanted<'a>,
}

/// What a reference should name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted<'a> {
    /// The directory of the parent.
    parent: &'a str,
    version: &'a str,
    why: Why,
}

/// Why a reference should name another version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// Its parent has this version.
    Parent,
    /// Its parent has this version, and the manifest names it when it is promoted: until then the child may wait.
    Promotion,
    /// The same, and it is promoted: there is nothing left to wait for.
    Promoted,
    /// The manifest moved on to this version.
    Manifest,
    /// The manifest names this version, and the list of dependencies ties the reference to it.
    Tie,
    /// The manifest names several versions, of which none is known to be the newest.
    Several,
    /// Its parent has this version and others, each for a variant, and none of them is named.
    Variant,
    /// Its parent has this version. The change has it name the one that the manifest names, and that may be meant.
    Choice,
}

struct Judge<'a> {
    context: &'a Context<'a>,
    /// Whether the manifest, and children with it, may follow when an image is promoted.
    is_after_promotion: bool,
}

impl<'a> Judge<'a> {
    /// What a reference should name and does not.
    fn outdated(&self, child: &Image, reference: &Reference, named: &str) -> Option<Wanted<'a>> {
        let mut candidates: Vec<(&Image, Wanted<'a>)> = Vec::new();
        for parent in self.context.model.named(&reference.target) {
            // An image may be built from an older version of itself.
            if parent.directory == child.directory {
                return None;
            }
            let tied = self.tied_versions(parent, reference);
            let is_right = if tied.is_empty() {
                parent.versions().iter().any(|version| reference.names(version))
            } else {
                tied.contains(named)
            };
            if is_right && reference.writing != Writing::Unprefixed {
                return None;
            }
            let wanted = match (self.context.change, tied.is_empty()) {
                (Some(change), true) => self.wanted_of_change(change, child, parent, reference, named),
                (Some(change), false) if !moves_tie(change, child, parent, reference, named) => None,
                (_, false) => of_manifest(parent, &tied, Why::Tie),
                (None, true) => self.wanted_of_tree(parent, named),
            };
            candidates.extend(wanted.map(|wanted| (&**parent, wanted)));
        }
        // Of several images of one name, the one is meant that had the named version, or else one most like it.
        candidates.sort_by_key(|(parent, _)| Reverse(self.likeness(parent, named)));
        candidates.first().map(|(_, wanted)| *wanted)
    }

    /// How much speaks for it that a version which is named is one of this image.
    fn likeness(&self, parent: &Image, named: &str) -> (bool, usize) {
        let before = self.context.change.and_then(|change| change.before(parent));
        let version = parent.version_like(named).unwrap_or_default();
        let same = version.bytes().zip(named.bytes()).take_while(|(one, other)| one == other).count();
        (before.is_some_and(|before| before.versions().contains(&named)), same)
    }

    /// Of a change only what it moved is asked for: the parent, the reference, or what the manifest names. All else is old.
    fn wanted_of_change(
        &self,
        change: &Change<'_>,
        child: &Image,
        parent: &'a Image,
        reference: &Reference,
        named: &str,
    ) -> Option<Wanted<'a>> {
        if !parent.variants().is_empty() {
            return wanted_variant(change, child, parent, reference, named);
        }
        let version = parent.version()?;
        let used = used_versions(self.context.model, parent);
        // A parent that is reverted leaves alone who is built on what tests use.
        let went_down =
            change.new_version(parent).is_some_and(|(old, new)| parent.order(new, old) == Some(Ordering::Less));
        if went_down && self.is_after_promotion && used.contains(named) {
            return None;
        }
        if change.new_version(parent).is_some() || change.introduced_version(parent).is_some() {
            // What only its children use is promoted with nothing.
            let may_wait = self.is_after_promotion && !used.is_empty();
            let why = match (may_wait, self.is_promoted(parent, version)) {
                (true, true) => Why::Promoted,
                (true, false) => Why::Promotion,
                (false, _) => Why::Parent,
            };
            return Some(Wanted { parent: &parent.directory, version, why });
        }
        if is_written(change, child, reference) {
            let why = if used.contains(named) { Why::Choice } else { Why::Parent };
            // What the manifest names is meant where it is promoted, and there is nothing newer that is.
            let is_ahead = parent.order(named, version) == Some(Ordering::Greater);
            let is_newest = self.is_promoted(parent, named) && (is_ahead || !self.is_promoted(parent, version));
            if why == Why::Choice && self.is_after_promotion && is_newest {
                return None;
            }
            return Some(Wanted { parent: &parent.directory, version, why });
        }
        if self.is_after_promotion
            && let Some(before) = change.before(parent)
        {
            let used_before = used_versions(change.base, before);
            if used_before.contains(named) && !used.contains(named) {
                let moved: BTreeSet<&str> = used.iter().copied().filter(|it| !used_before.contains(it)).collect();
                let wanted = of_manifest(parent, if moved.is_empty() { &used } else { &moved }, Why::Manifest);
                // A manifest that is reverted has moved past nothing.
                return wanted.filter(|wanted| parent.order(wanted.version, named) != Some(Ordering::Less));
            }
        }
        None
    }

    fn is_promoted(&self, image: &Image, version: &str) -> bool {
        self.context.inputs.is_promoted(image.published(), &self.context.shape.tag_of(version))
    }

    /// The versions that the manifest names of a parent, as far as the list of dependencies ties a reference to them: its checker
    /// refuses a tree in which the two differ.
    fn tied_versions(&self, parent: &Image, reference: &Reference) -> BTreeSet<&'a str> {
        let head = self.context.model;
        let list = head.dependencies.as_ref().filter(|_| self.is_after_promotion);
        let mut tied = BTreeSet::new();
        if let (Some(manifest), Some(Ok(Some(list)))) = (&head.manifest, list.map(DependencyFile::list)) {
            let location = reference.version_location();
            for entry in used_entries(head, parent) {
                let of_entry = manifest.location(entry);
                if list.tie((&manifest.path, of_entry.line()), (&reference.path, location.line())).is_some() {
                    tied.insert(&*entry.version);
                }
            }
        }
        tied
    }

    fn wanted_of_tree(&self, parent: &'a Image, named: &str) -> Option<Wanted<'a>> {
        let version = parent.version_like(named)?;
        if !parent.variants().is_empty() {
            return Some(Wanted { parent: &parent.directory, version, why: Why::Variant });
        }
        let is_used = !used_versions(self.context.model, parent).is_empty();
        let may_wait = self.is_after_promotion && is_used && !self.is_promoted(parent, version);
        let why = if may_wait { Why::Promotion } else { Why::Parent };
        Some(Wanted { parent: &parent.directory, version, why })
    }

    fn diagnostic(&self, child: &Image, group: &Group<'_>, references: &[&Reference]) -> Option<Diagnostic> {
        let (first, others) = references.split_first()?;
        let Wanted { parent, version, why } = group.wanted;
        let parent = self.context.model.images.get(parent)?;
        let tag = self.context.shape.tag_of(version);
        let is_plain = group.writing == Writing::Unprefixed;
        let shown = if is_plain { group.named.to_owned() } else { self.context.shape.tag_of(group.named) };
        let names = format!("{} names {} {shown}", child.name, parent.name);
        let message = match why {
            Why::Manifest | Why::Tie => format!("{names}, but the manifest names {tag}"),
            Why::Several => {
                let used: Vec<&str> = used_versions(self.context.model, parent).into_iter().collect();
                format!("{names}, but the manifest names {}: which is newer cannot be told", used.join(" and "))
            }
            Why::Variant => format!("{names}, but {} is at {}", parent.name, tags(self.context, parent)),
            _ => format!("{names}, but {} is at {tag}", parent.name),
        };
        let subject = format!("{} {}", parent.name, group.named);
        let mut diagnostic = Diagnostic::about(subject, message, first.version_location())
            .image(&child.name)
            .help(self.help(child, group, references));
        if matches!(why, Why::Promotion | Why::Promoted | Why::Choice) {
            diagnostic = diagnostic.at_most(Level::Warning);
        }
        diagnostic = match self.entry_location(parent, version) {
            Some(location) if matches!(why, Why::Manifest | Why::Tie | Why::Several) => {
                diagnostic.related(format!("the manifest names {version} here"), location)
            }
            _ => diagnostic.related(format!("{} is {version} here", parent.name), parent.version_location()),
        };
        diagnostic.fix = self.fix(child, parent, group, references);
        for other in others {
            diagnostic = diagnostic.related(format!("{shown} here too"), other.version_location());
        }
        Some(diagnostic)
    }

    /// Where the manifest names a version of an image.
    fn entry_location(&self, image: &Image, version: &str) -> Option<Location> {
        let manifest = self.context.model.manifest.as_ref()?;
        let entry = used_entries(self.context.model, image).find(|entry| entry.version == version)?;
        Some(manifest.location(entry))
    }

    fn help(&self, child: &Image, group: &Group<'_>, references: &[&Reference]) -> String {
        let count = references.iter().map(|reference| reference.version_span.start).collect::<BTreeSet<_>>().len();
        let lines = if count == 1 { String::new() } else { format!(" on all {count} lines") };
        let version = self.context.shape.precision.written_like(group.named, group.wanted.version);
        let tag = self.context.shape.tag_of(&version);
        let what = match group.writing {
            _ if matches!(group.wanted.why, Why::Several | Why::Variant) => "name the one that is meant".to_owned(),
            Writing::Literal | Writing::Unprefixed => format!("name {tag}"),
            Writing::Digest => format!("name {tag} with its digest"),
            Writing::Default => format!("set the default of the variable to {version}"),
            Writing::Computed => format!("have the variable make it {tag}"),
        };
        let when = match group.wanted.why {
            Why::Promotion => format!(", here or once {version} is promoted"),
            Why::Promoted => format!(", here or in a change of its own: {version} is promoted"),
            Why::Choice => format!(", unless {} is meant: the manifest names it", group.named),
            Why::Tie => self.tie(),
            Why::Parent | Why::Manifest | Why::Several | Why::Variant => String::new(),
        };
        // A version that the change moved needs no other, nor does one that nobody has built.
        let change = self.context.change;
        let is_new = change.is_some_and(|change| change.before(child).and_then(Image::version) != child.version());
        if is_new || self.context.shape.frozen.is_match(&child.name) {
            format!("{what}{lines}{when}")
        } else {
            format!("{what}{lines}{when}, and bump {} of {} too", child.version_name, child.name)
        }
    }

    /// What ties a reference to the manifest, to be read behind what is to be done.
    fn tie(&self) -> String {
        let list = self.context.model.dependencies.as_ref();
        list.map_or_else(String::new, |list| format!(", as {} ties it to the manifest", list.path))
    }

    fn fix(&self, child: &Image, parent: &Image, group: &Group<'_>, references: &[&Reference]) -> Option<Fix> {
        // An image that keeps its version was not meant to get the one that it has.
        let is_open = matches!(group.wanted.why, Why::Several | Why::Variant);
        if self.context.shape.frozen.is_match(&parent.name) || is_open {
            return None;
        }
        let version = group.wanted.version;
        let mut edits = Vec::new();
        for reference in references {
            let written = self.context.shape.precision.written_like(group.named, version);
            edits.push(Edit::replace(&reference.path, &reference.version_span, written));
        }
        let title = format!("rebase {} on {} {version}", child.name, parent.name);
        // A version that went down was built from another base already; and a tag with a `v` is of a scheme that the pack does not know.
        let moved = self.context.change.and_then(|change| change.new_version(child));
        let went_down = moved.is_some_and(|(old, new)| child.order(new, old) == Some(Ordering::Less));
        let has_letter = is_number(version) && group.named.strip_prefix('v').is_some_and(is_number);
        match group.writing {
            Writing::Literal if !went_down && !has_letter && group.wanted.why != Why::Choice => {
                Some(Fix::safe(title, edits))
            }
            Writing::Literal | Writing::Default => Some(Fix::risky(title, edits)),
            Writing::Digest | Writing::Unprefixed | Writing::Computed => None,
        }
    }
}

fn is_number(version: &str) -> bool {
    version.starts_with(|character: char| character.is_ascii_digit())
}

/// The entries of a tree's manifest about an image, but for those that stay behind on purpose.
fn used_entries<'m>(model: &'m Model, image: &Image) -> impl Iterator<Item = &'m ManifestEntry> {
    let names = [image.published(), &*image.name];
    let manifest = model.manifest.as_ref();
    let entries = manifest.map(|manifest| manifest.that_may_mean(&names)).unwrap_or_default().into_iter();
    let entries = entries.filter(|entry| !entry.is_pinned);
    entries.filter(|entry| model.images_of_entry(entry).iter().any(|other| other.directory == image.directory))
}

/// The versions that they name.
fn used_versions<'m>(model: &'m Model, image: &Image) -> BTreeSet<&'m str> {
    used_entries(model, image).map(|entry| &*entry.version).collect()
}

/// What to name of an image with variants: the one is meant that had the version which is named. Of what the change writes it cannot
/// be told.
fn wanted_variant<'a>(
    change: &Change<'_>,
    child: &Image,
    parent: &'a Image,
    reference: &Reference,
    named: &str,
) -> Option<Wanted<'a>> {
    let mut moved = change.new_versions(parent).into_iter();
    if let Some((_, version)) = moved.find(|(old, _)| reference.precision.is_named(named, old)) {
        return Some(Wanted { parent: &parent.directory, version, why: Why::Parent });
    }
    let version = parent.version_like(named)?;
    is_written(change, child, reference).then_some(Wanted { parent: &parent.directory, version, why: Why::Variant })
}

/// Whether the change has a child name a version of an image that it did not name before.
fn is_written(change: &Change<'_>, child: &Image, reference: &Reference) -> bool {
    let before = change.before(child).into_iter().flat_map(|before| &before.references);
    !before.into_iter().any(|before| before.target == reference.target && before.version == reference.version)
}

/// Whether the change moved what is tied: the reference, or the manifest past it. All else is old.
fn moves_tie(change: &Change<'_>, child: &Image, parent: &Image, reference: &Reference, named: &str) -> bool {
    let was_named = change.before(parent).is_some_and(|before| used_versions(change.base, before).contains(named));
    was_named || is_written(change, child, reference)
}

/// What to name of the versions that the manifest names: the newest. Where their order cannot be told, the one that the parent has.
fn of_manifest<'a>(parent: &'a Image, versions: &BTreeSet<&'a str>, why: Why) -> Option<Wanted<'a>> {
    let is_newest = |version: &&&str| {
        let mut others = versions.iter().filter(|other| other != version);
        others.all(|other| matches!(parent.order(version, other), Some(Ordering::Greater | Ordering::Equal)))
    };
    let newest = versions.iter().find(is_newest).or_else(|| versions.get(parent.version()?));
    let why = match newest {
        None => Why::Several,
        Some(newest) if why == Why::Manifest && parent.version() == Some(newest) => Why::Parent,
        Some(_) => why,
    };
    let version = newest.or_else(|| versions.first())?;
    Some(Wanted { parent: &parent.directory, version, why })
}
