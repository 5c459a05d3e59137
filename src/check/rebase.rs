//! `rebase`: what names another image of the tree must name its version.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;

use super::{Change, Context, Kind, Reads, When};
use crate::edit::{Edit, Fix};
use crate::finding::Fault;
use crate::model::{Image, ManifestEntry, Model, Reference, Writing};
use crate::parse::version::order;
use crate::snapshot::StoreError;

/// The kind has no options of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rebase {
    /// When the manifest follows a new version, which the rule about the manifest says. Where that is later, children may follow
    /// with it.
    #[serde(skip)]
    pub(crate) when: When,
}

impl Kind for Rebase {
    fn reads(&self) -> Reads<'_> {
        Reads::ControlFiles
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        for child in context.head.images.values() {
            let mut stale: BTreeMap<Group<'_>, Vec<&Reference>> = BTreeMap::new();
            for reference in &child.references {
                let Some(named) = reference.version.as_deref() else { continue };
                if let Some(parent) = outdated(context, self.when, child, reference, named)
                    && !(self.when == When::AfterPromotion && is_used(context, parent, named))
                {
                    let subject = (&*reference.path, reference.subject());
                    let group = (subject, reference.writing, &*parent.directory, named);
                    stale.entry(group).or_default().push(reference);
                }
            }
            for ((_, writing, parent, named), references) in stale {
                let parent = context.head.images.get(parent);
                faults.extend(parent.and_then(|parent| fault(context, child, parent, named, writing, &references)));
            }
        }
        Ok(faults)
    }
}

/// What references must share to be one fault: the file and the place there, how the version is written, the parent's directory and
/// the version.
type Group<'a> = ((&'a str, usize), Writing, &'a str, &'a str);

/// The parent whose version the reference should name and does not.
fn outdated<'a>(
    context: &Context<'a>,
    when: When,
    child: &Image,
    reference: &Reference,
    named: &str,
) -> Option<&'a Arc<Image>> {
    let parents = context.head.named(&reference.target);
    // An image may be built from an older version of itself.
    let is_right = |parent: &Image| parent.version() == Some(named) && reference.writing != Writing::Unprefixed;
    if parents.iter().any(|parent| parent.directory == child.directory || is_right(parent)) {
        return None;
    }
    let moved = parents.into_iter().filter(|parent| match context.change {
        // Of a change, only what it moved is asked for: to name a version that is not the newest may be meant.
        Some(change) => {
            change.new_version(parent).is_some()
                || change.introduced_version(parent).is_some()
                || is_ahead(change, child, reference, parent)
                || (when == When::AfterPromotion && uses_anew(change, context.head, parent))
        }
        None => parent.version().is_some(),
    });
    // Of several images of one name, the one is meant that had the named version, or else one most like it.
    let likeness = |parent: &&Arc<Image>| {
        let had = context.change.and_then(|change| change.before(parent)?.version());
        let version = parent.version().unwrap_or_default();
        (had == Some(named), version.bytes().zip(named.bytes()).take_while(|(one, other)| one == other).count())
    };
    moved.max_by_key(likeness)
}

/// Whether a version of an image is the one that the manifest names.
fn is_used(context: &Context<'_>, image: &Image, version: &str) -> bool {
    used_versions(context.head, image).any(|used| used == version)
}

/// Whether the change has the manifest name another version of an image.
fn uses_anew(change: &Change<'_>, head: &Model, image: &Image) -> bool {
    let Some(before) = change.before(image) else { return false };
    used_versions(head, image).any(|used| !used_versions(change.base, before).any(|known| known == used))
}

/// The versions of an image that the manifest of a tree names.
fn used_versions<'m>(model: &'m Model, image: &Image) -> impl Iterator<Item = &'m str> {
    let entries = model.manifest.iter().flat_map(|manifest| &manifest.entries).filter(|entry| !entry.is_pinned);
    let is_it = |entry: &&ManifestEntry| model.images_of_entry(entry).iter().any(|it| it.directory == image.directory);
    entries.filter(is_it).map(|entry| &*entry.version)
}

/// Whether the change itself names a version that the parent has not reached: nothing can have built it.
fn is_ahead(change: &Change<'_>, child: &Image, reference: &Reference, parent: &Image) -> bool {
    let is_same = |old: &Reference| old.target == reference.target && old.version == reference.version;
    let was_there = change.base_of(child).is_some_and(|base| base.references.iter().any(is_same));
    let reached = reference.version.as_deref().zip(parent.version());
    !was_there && reached.is_some_and(|(named, version)| order(named, version) == Some(Ordering::Greater))
}

fn fault(
    context: &Context<'_>,
    child: &Image,
    parent: &Image,
    named: &str,
    writing: Writing,
    references: &[&Reference],
) -> Option<Fault> {
    let (first, others) = references.split_first()?;
    let version = parent.version()?;
    let tag = context.shape.tag_of(version);
    let shown = if writing == Writing::Unprefixed { named.to_owned() } else { context.shape.tag_of(named) };
    let message = format!("{} names {} {shown}, but {} is at {tag}", child.name, parent.name, parent.name);
    let count = references.iter().map(|reference| reference.version_span.start).collect::<BTreeSet<_>>().len();
    let lines = if count == 1 { String::new() } else { format!(" on all {count} lines") };
    let what = match writing {
        Writing::Literal | Writing::Unprefixed => format!("name {tag}"),
        Writing::Digest => format!("name {tag} with its digest"),
        Writing::Default => format!("set the default of the variable to {version}"),
        Writing::Computed => format!("have the variable make it {tag}"),
    };
    let help = format!("{what}{lines}, and bump {} of {} too", child.version_name, child.name);
    let mut fault = Fault::new(message, first.version_place())
        .image(&child.name)
        .help(help)
        .related(format!("{} is {version} here", parent.name), parent.version_place());
    let edits = references.iter().map(|reference| Edit::replace(&reference.path, &reference.version_span, version));
    let title = format!("rebase {} on {} {version}", child.name, parent.name);
    // A version that went down was built from another base already; and a tag with a `v` is of a scheme that the pack does not know.
    let went_down = context.change.and_then(|change| change.new_version(child));
    let went_down = went_down.is_some_and(|(old, new)| order(new, old) == Some(Ordering::Less));
    let is_number = |version: &str| version.starts_with(|c: char| c.is_ascii_digit());
    let has_letter = is_number(version) && named.strip_prefix('v').is_some_and(is_number);
    fault.fix = match writing {
        Writing::Literal if !went_down && !has_letter => Some(Fix::safe(title, edits.collect())),
        Writing::Literal | Writing::Default => Some(Fix::risky(title, edits.collect())),
        Writing::Digest | Writing::Unprefixed | Writing::Computed => None,
    };
    for other in others {
        fault = fault.related(format!("{shown} here too"), other.version_place());
    }
    Some(fault)
}
