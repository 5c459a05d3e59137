//! `rebase`: what names another image of the tree must name its version.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{Change, Context, Kind, Scope, When};
use crate::edit::{Edit, Fix};
use crate::finding::Fault;
use crate::model::{Image, Reference};
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
    const SCOPE: Scope = Scope::Both;

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        for child in context.head.images.values() {
            // Lines of one file that name the same version of the same parent are one fault.
            let mut stale: BTreeMap<(&str, &str, &str), Vec<&Reference>> = BTreeMap::new();
            for reference in &child.references {
                let Some(named) = reference.version.as_deref() else { continue };
                if let Some(parent) = outdated(context, child, reference, named)
                    && !(self.when == When::AfterPromotion && is_used(context, parent, named))
                {
                    stale.entry((&reference.path, &parent.directory, named)).or_default().push(reference);
                }
            }
            for ((_, parent, named), references) in stale {
                faults.extend(
                    context
                        .head
                        .images
                        .get(parent)
                        .and_then(|parent| fault(context, child, parent, named, &references)),
                );
            }
        }
        Ok(faults)
    }
}

/// The parent whose version the reference should name and does not.
fn outdated<'a>(context: &Context<'a>, child: &Image, reference: &Reference, named: &str) -> Option<&'a Arc<Image>> {
    let parents = context.head.named(&reference.target);
    // An image may be built from an older version of itself.
    if parents.iter().any(|parent| parent.directory == child.directory || parent.version() == Some(named)) {
        return None;
    }
    let moved = parents.into_iter().filter(|parent| match context.change {
        // Of a change, only what it moved is asked for: to name a version that is not the newest may be meant.
        Some(change) => change.new_version(parent).is_some() || is_ahead(change, child, reference, parent),
        None => parent.version().is_some(),
    });
    // Of several images of one name, the one is meant whose version is most like the named one.
    let likeness = |parent: &&Arc<Image>| {
        let version = parent.version().unwrap_or_default();
        version.bytes().zip(named.bytes()).take_while(|(one, other)| one == other).count()
    };
    moved.max_by_key(likeness)
}

/// Whether a version of an image is the one that the manifest names.
fn is_used(context: &Context<'_>, image: &Image, version: &str) -> bool {
    let entries = context.head.manifest.iter().flat_map(|manifest| &manifest.entries);
    let mut using = entries.filter(|entry| !entry.is_pinned && entry.version == version);
    using.any(|entry| context.head.images_of_entry(entry).iter().any(|used| used.directory == image.directory))
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
    references: &[&Reference],
) -> Option<Fault> {
    let (first, others) = references.split_first()?;
    let version = parent.version()?;
    let message = format!("{} names {} {named}, but {} is at {version}", child.name, parent.name, parent.name);
    let count = references.len();
    let lines = if count == 1 { String::new() } else { format!(" on all {count} lines") };
    let file = &context.shape.version_file;
    let help = format!("name {version}{lines}, and bump {file} of {} too", child.name);
    let edits = references.iter().map(|reference| Edit::replace(&reference.path, &reference.version_span, version));
    let title = format!("rebase {} on {} {version}", child.name, parent.name);
    let mut fault = Fault::new(message, first.version_place())
        .image(&child.name)
        .help(help)
        .related(format!("{} is {version} here", parent.name), parent.version_place());
    if references.iter().any(|reference| reference.has_digest) {
        fault = fault.help(format!("name {version} with its digest{lines}, and bump {file} of {} too", child.name));
    } else if references.iter().any(|reference| !reference.is_literal) {
        fault = fault.help(format!("set the variable to {version}{lines}, and bump {file} of {} too", child.name));
    } else {
        fault = fault.fix(Fix::safe(title, edits.collect()));
    }
    for other in others {
        fault = fault.related(format!("{named} here too"), other.version_place());
    }
    Some(fault)
}
