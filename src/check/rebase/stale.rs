//! What is said of references that should name another version, and how they are repaired.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::used::{used_entries, used_versions};
use super::wanted::{Wanted, Why};
use crate::check::kind::Context;
use crate::edit::{Edit, Fix};
use crate::finding::{Diagnostic, Level, Location};
use crate::model::{Image, Reference, Writing};
use crate::shape::FilesFollow;

/// What references must share to be one diagnostic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group<'a> {
    path: &'a str,
    /// What else tells them apart: [`Reference::group_key`].
    key: usize,
    writing: Writing,
    named: &'a str,
    pub(super) wanted: Wanted<'a>,
}

impl<'a> Group<'a> {
    /// The group of a reference that names a version and should name another.
    pub(super) fn new(reference: &'a Reference, named: &'a str, wanted: Wanted<'a>) -> Self {
        let (path, key) = (&*reference.path, reference.group_key());
        Self { path, key, writing: reference.writing, named, wanted }
    }
}

/// References of a child to a version that its parent should not be named by.
pub(super) struct Stale<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) child: &'a Image,
    pub(super) parent: &'a Image,
    pub(super) group: Group<'a>,
    /// The references of the group.
    pub(super) references: Vec<&'a Reference>,
}

impl Stale<'_> {
    /// One finding for all of them, at the first.
    pub(super) fn diagnostic(&self) -> Option<Diagnostic> {
        let (first, others) = self.references.split_first()?;
        let Wanted { version, why, .. } = self.group.wanted;
        let subject = format!("{} {}", self.parent.name, self.group.named);
        let mut diagnostic = Diagnostic::about(subject, self.message(), first.version_location())
            .image(&self.child.name)
            .help(self.help());
        if why.may_stay() {
            diagnostic = diagnostic.at_most(Level::Warning);
        }
        diagnostic = match self.entry_location().filter(|_| why.is_told_by_manifest()) {
            Some(location) => diagnostic.related(format!("the manifest names {version} here"), location),
            None => {
                diagnostic.related(format!("{} is {version} here", self.parent.name), self.parent.version_location())
            }
        };
        diagnostic.fix = self.fix();
        for other in others {
            diagnostic = diagnostic.related(format!("{} here too", self.shown()), other.version_location());
        }
        let is_later = self.references.iter().all(|reference| reference.follows == FilesFollow::Later);
        Some(if is_later { later(diagnostic) } else { diagnostic })
    }

    fn message(&self) -> String {
        let (shape, parent) = (self.context.shape, self.parent);
        let tag = shape.tag_of(self.group.wanted.version);
        let names = format!("{} names {} {}", self.child.name, parent.name, self.shown());
        match self.group.wanted.why {
            Why::Manifest | Why::Tie => format!("{names}, but the manifest names {tag}"),
            Why::Several => {
                let used: Vec<&str> = used_versions(self.context.model, parent).into_iter().collect();
                format!("{names}, but the manifest names {}: which is newer cannot be told", used.join(" and "))
            }
            Why::Variant => format!("{names}, but {} is at {}", parent.name, parent.tags(shape)),
            Why::Parent | Why::Promotion | Why::Promoted | Why::Choice => {
                format!("{names}, but {} is at {tag}", parent.name)
            }
        }
    }

    /// What is named, as it is written there.
    fn shown(&self) -> String {
        match self.group.writing {
            Writing::Unprefixed => self.group.named.to_owned(),
            _ => self.context.shape.tag_of(self.group.named),
        }
    }

    /// Where the manifest names the version that is wanted.
    fn entry_location(&self) -> Option<Location> {
        let manifest = self.context.model.manifest.as_ref()?;
        let mut entries = used_entries(self.context.model, self.parent);
        Some(manifest.location(entries.find(|entry| entry.version == self.group.wanted.version)?))
    }

    fn help(&self) -> String {
        let (shape, child, group) = (self.context.shape, self.child, &self.group);
        let places: BTreeSet<usize> = self.references.iter().map(|reference| reference.version_span.start).collect();
        let lines = if places.len() == 1 { String::new() } else { format!(" on all {} lines", places.len()) };
        let version = shape.precision.written_like(group.named, group.wanted.version);
        let tag = shape.tag_of(&version);
        let what = match group.writing {
            _ if group.wanted.why.is_open() => "name the one that is meant".to_owned(),
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
        if is_new || shape.frozen.is_match(&child.name) {
            format!("{what}{lines}{when}")
        } else {
            format!("{what}{lines}{when}, and bump {} of {} too", child.version_name, child.name)
        }
    }

    /// What ties the references to the manifest, to be read behind what is to be done.
    fn tie(&self) -> String {
        let list = self.context.model.dependencies.as_ref();
        list.map_or_else(String::new, |list| format!(", as {} ties it to the manifest", list.path))
    }

    fn fix(&self) -> Option<Fix> {
        let (shape, child, group) = (self.context.shape, self.child, &self.group);
        // An image that keeps its version was not meant to get the one that it has.
        if shape.frozen.is_match(&self.parent.name) || group.wanted.why.is_open() {
            return None;
        }
        let version = group.wanted.version;
        let written = shape.precision.written_like(group.named, version);
        let mut edits = Vec::new();
        for reference in &self.references {
            edits.push(Edit::replace(&reference.path, &reference.version_span, written.clone()));
        }
        let title = format!("rebase {} on {} {version}", child.name, self.parent.name);
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

/// What follows in a later change is no more than a note.
fn later(diagnostic: Diagnostic) -> Diagnostic {
    let help = diagnostic.help.as_ref().map(|help| format!("in a later change, when it is built: {help}"));
    let fix = diagnostic.fix.clone().map(|fix| Fix { safe: false, ..fix });
    Diagnostic { help, fix, ..diagnostic }.at_most(Level::Note)
}
