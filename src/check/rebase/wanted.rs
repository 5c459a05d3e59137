//! Which version a reference should name, and why.
//!
//! In a whole tree it is that of its parent. Of a change only what the change moved is asked for; the first that fits decides:
//! 1. the list of dependencies ties the reference to the manifest: what the manifest names;
//! 2. the parent has variants: the one that follows the variant which is named;
//! 3. the parent went down, and tests use the version that is named: it may stay;
//! 4. the parent has a new version: this one, for which the child may wait where the manifest follows when an image is promoted;
//! 5. the change has the child name another version than before: the parent's, unless what is named is promoted and newest;
//! 6. the manifest moved past the version that is named: what the manifest names now.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use super::used::{used_entries, used_versions};
use crate::check::change::Change;
use crate::check::kind::Context;
use crate::model::{DependencyFile, Image, Reference, Writing};

/// What a reference should name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted<'a> {
    /// The directory of the parent.
    pub(super) parent: &'a str,
    /// The version of the parent that should be named.
    pub(super) version: &'a str,
    /// Why it is this version.
    pub(super) why: Why,
}

/// Why a reference should name another version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
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

impl Why {
    /// Whether the version that is named may be meant, so that it is no more than a warning.
    pub(super) fn may_stay(self) -> bool {
        matches!(self, Self::Promotion | Self::Promoted | Self::Choice)
    }

    /// Whether the manifest tells it, and not the parent.
    pub(super) fn is_told_by_manifest(self) -> bool {
        matches!(self, Self::Manifest | Self::Tie | Self::Several)
    }

    /// Whether several versions may be meant, so that none can be written.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Several | Self::Variant)
    }
}

/// What tells which versions references should name.
pub(super) struct Judge<'a> {
    pub(super) context: &'a Context<'a>,
    /// Whether the manifest, and children with it, may follow when an image is promoted.
    pub(super) is_after_promotion: bool,
}

/// A reference of a child to one of its parents, in a change.
#[derive(Clone, Copy)]
struct Edge<'a, 'r> {
    change: &'r Change<'r>,
    child: &'r Image,
    parent: &'a Image,
    reference: &'r Reference,
    /// The version that it names.
    named: &'r str,
}

impl<'a> Judge<'a> {
    /// What a reference should name and does not.
    pub(super) fn wanted(&self, child: &Image, reference: &Reference, named: &str) -> Option<Wanted<'a>> {
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
            let wanted = match self.context.change {
                Some(change) => self.of_change(Edge { change, child, parent, reference, named }, &tied),
                None if tied.is_empty() => self.of_tree(parent, named),
                None => newest(parent, &tied, Why::Tie),
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

    fn of_tree(&self, parent: &'a Image, named: &str) -> Option<Wanted<'a>> {
        let version = parent.version_like(named)?;
        let is_used = !used_versions(self.context.model, parent).is_empty();
        let why = if !parent.variants().is_empty() {
            Why::Variant
        } else if self.is_after_promotion && is_used && !self.is_promoted(parent, version) {
            Why::Promotion
        } else {
            Why::Parent
        };
        Some(Wanted { parent: &parent.directory, version, why })
    }

    fn of_change(&self, edge: Edge<'a, '_>, tied: &BTreeSet<&'a str>) -> Option<Wanted<'a>> {
        let Edge { change, parent, named, .. } = edge;
        if !tied.is_empty() {
            return edge.moves_tie().then(|| newest(parent, tied, Why::Tie)).flatten();
        }
        if !parent.variants().is_empty() {
            return edge.wanted_variant();
        }
        let version = parent.version()?;
        let used = used_versions(self.context.model, parent);
        let moved = change.new_version(parent);
        // A parent that is reverted leaves alone who is built on what tests use.
        let went_down = moved.is_some_and(|(old, new)| parent.order(new, old) == Some(Ordering::Less));
        if went_down && self.is_after_promotion && used.contains(named) {
            return None;
        }
        let why = if moved.is_some() || change.introduced_version(parent).is_some() {
            self.why_of_new_version(parent, version, &used)
        } else if edge.is_written() {
            self.why_of_written(parent, version, named, &used)?
        } else {
            return self.moved_by_manifest(edge, &used);
        };
        Some(Wanted { parent: &parent.directory, version, why })
    }

    /// Why the new version of a parent should be named.
    fn why_of_new_version(&self, parent: &Image, version: &str, used: &BTreeSet<&str>) -> Why {
        // What only its children use is promoted with nothing.
        let may_wait = self.is_after_promotion && !used.is_empty();
        match (may_wait, self.is_promoted(parent, version)) {
            (true, true) => Why::Promoted,
            (true, false) => Why::Promotion,
            (false, _) => Why::Parent,
        }
    }

    /// Why the parent's version should be named where the change has another one named; `None` where that one may stand.
    fn why_of_written(&self, parent: &Image, version: &str, named: &str, used: &BTreeSet<&str>) -> Option<Why> {
        if !used.contains(named) {
            return Some(Why::Parent);
        }
        // What the manifest names is meant where it is promoted, and there is nothing newer that is.
        let is_ahead = parent.order(named, version) == Some(Ordering::Greater);
        let is_newest = self.is_promoted(parent, named) && (is_ahead || !self.is_promoted(parent, version));
        if self.is_after_promotion && is_newest { None } else { Some(Why::Choice) }
    }

    /// What the manifest names now, where the change moved it past the version that is named.
    fn moved_by_manifest(&self, edge: Edge<'a, '_>, used: &BTreeSet<&'a str>) -> Option<Wanted<'a>> {
        let Edge { change, parent, named, .. } = edge;
        let before = change.before(parent).filter(|_| self.is_after_promotion)?;
        let used_before = used_versions(change.base, before);
        if !used_before.contains(named) || used.contains(named) {
            return None;
        }
        let moved: BTreeSet<&str> = used.iter().copied().filter(|version| !used_before.contains(version)).collect();
        let wanted = newest(parent, if moved.is_empty() { used } else { &moved }, Why::Manifest);
        // A manifest that is reverted has moved past nothing.
        wanted.filter(|wanted| parent.order(wanted.version, named) != Some(Ordering::Less))
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
}

impl<'a> Edge<'a, '_> {
    /// Whether the change has the child name a version of the parent that it did not name before.
    fn is_written(&self) -> bool {
        let before = self.change.before(self.child).into_iter().flat_map(|before| &before.references);
        let reference = self.reference;
        !before.into_iter().any(|before| before.target == reference.target && before.version == reference.version)
    }

    /// Whether the change moved what is tied: the reference, or the manifest past it. All else is old.
    fn moves_tie(&self) -> bool {
        let before = self.change.before(self.parent);
        let was_named = before.is_some_and(|before| used_versions(self.change.base, before).contains(self.named));
        was_named || self.is_written()
    }

    /// What to name of a parent with variants: the one is meant that had the version which is named. Of what the change writes it
    /// cannot be told.
    fn wanted_variant(&self) -> Option<Wanted<'a>> {
        let Self { change, parent, reference, named, .. } = *self;
        let mut moved = change.new_versions(parent).into_iter();
        if let Some((_, version)) = moved.find(|(old, _)| reference.naming.names(named, old)) {
            return Some(Wanted { parent: &parent.directory, version, why: Why::Parent });
        }
        let version = parent.version_like(named)?;
        self.is_written().then_some(Wanted { parent: &parent.directory, version, why: Why::Variant })
    }
}

/// The newest of versions that the manifest names. Where their order cannot be told, the one that the parent has.
fn newest<'a>(parent: &'a Image, versions: &BTreeSet<&'a str>, why: Why) -> Option<Wanted<'a>> {
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
