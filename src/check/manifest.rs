//! `manifest`: the file that says which version of an image is used must follow the images, and not run ahead of them.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::Deserialize;

use super::{Change, Context, Kind, Missing, Reads};
use crate::edit::{Edit, Fix};
use crate::finding::{Fault, Place};
use crate::inputs::Inputs;
use crate::model::{Image, ManifestEntry};
use crate::parse::version::order;
use crate::snapshot::StoreError;

/// What is demanded of the manifest, and when.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    demand: Demand,
    /// `None` where it follows from the rule that demands `current`.
    pub(crate) when: Option<When>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Demand {
    /// An entry must follow when the change moves its image's version.
    Current,
    /// An entry must not name what cannot have been built.
    Built,
}

/// When the manifest follows a new version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// In the change that makes the version.
    #[default]
    SameChange,
    /// In a later change, when the image was built and promoted.
    AfterPromotion,
}

impl Kind for Manifest {
    fn reads(&self) -> Reads<'_> {
        Reads::ControlFiles
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let when = self.when.unwrap_or_default();
        Ok(match self.demand {
            Demand::Current => stale(context, when),
            Demand::Built => unbuilt(context, when),
        })
    }

    fn missing(&self, inputs: &Inputs, has_base: bool) -> Option<Missing> {
        match self.demand {
            Demand::Current if !has_base => Some(Missing::Base),
            Demand::Current if self.when == Some(When::AfterPromotion) && inputs.promoted.is_none() => {
                Some(Missing::Input("--promoted"))
            }
            Demand::Current | Demand::Built => None,
        }
    }
}

impl Manifest {
    /// Whether this is the rule by which others know when the manifest follows.
    pub(crate) fn is_current(&self) -> bool {
        self.demand == Demand::Current
    }
}

fn stale(context: &Context<'_>, when: When) -> Vec<Fault> {
    let mut faults = Vec::new();
    let Some(change) = context.change else { return faults };
    let Some(manifest) = &context.head.manifest else {
        if let Some(manifest) = &change.base.manifest {
            let message = format!("{} is gone, and with it the versions that are used", manifest.path);
            faults.push(
                Fault::new(message, Place::file(&manifest.path)).help("move it back, or tell the pack where it is now"),
            );
        }
        return faults;
    };
    for (entry, span) in change.base.manifest.iter().flat_map(|before| manifest.unread(before)) {
        let message = format!("{} is written in a way that cannot be read, so its version is not seen", entry.key);
        let help = "write it as the other entries are, or give the pack a pattern that reads it";
        faults.push(Fault::new(message, Place::new(&manifest.path, &manifest.text, span)).help(help));
    }
    for entry in manifest.entries.iter().filter(|entry| !entry.is_pinned) {
        for image in context.head.images_of_entry(entry) {
            let Some((_, version)) = change.new_version(image).filter(|(_, version)| *version != entry.version) else {
                continue;
            };
            // Later means: no demand before the registry has it.
            let is_promoted = || context.inputs.is_promoted(&entry.name, &context.shape.tag_of(version));
            if when == When::AfterPromotion && !is_promoted() {
                continue;
            }
            let message =
                format!("{} is now at {version}, but {} still names {}", image.name, entry.key, entry.version);
            let title = format!("set {} in {} to {version}", entry.key, manifest.path);
            let edit = Edit::replace(&manifest.path, &entry.span, version);
            faults.push(
                Fault::new(message, manifest.place(entry))
                    .image(&image.name)
                    .related(format!("{} is {version} here", image.name), image.version_place())
                    .write(version, Fix { safe: when == When::SameChange, ..Fix::safe(title, vec![edit]) }),
            );
        }
    }
    faults
}

fn unbuilt(context: &Context<'_>, when: When) -> Vec<Fault> {
    let mut faults = Vec::new();
    let Some(manifest) = &context.head.manifest else { return faults };
    // What is promoted was built, whatever its image says now.
    let is_promoted =
        |entry: &ManifestEntry| context.inputs.is_promoted(&entry.name, &context.shape.tag_of(&entry.version));
    for entry in manifest.entries.iter().filter(|entry| !is_promoted(entry)) {
        let images = context.head.images_of_entry(entry);
        let is_ahead = |version: &str| order(&entry.version, version) == Some(Ordering::Greater);
        if let Some(image) = images.first()
            && images.iter().all(|image| image.version().is_some_and(is_ahead))
        {
            let version = image.version().unwrap_or_default();
            let message = format!(
                "{} names {} {}, but {} has only reached {version}",
                entry.key, image.name, entry.version, image.name
            );
            faults.push(
                Fault::new(message, manifest.place(entry))
                    .image(&image.name)
                    .help(format!("name a version that was built; the newest can be {version}"))
                    .related(format!("{} is {version} here", image.name), image.version_place()),
            );
        }
        let was_used = |change: &Change<'_>| {
            let before = change.base.manifest.iter().flat_map(|manifest| &manifest.entries);
            before.into_iter().any(|before| before.name == entry.name && before.version == entry.version)
        };
        let is_new = |image: &&&Arc<Image>| {
            let change = context.change.filter(|change| !was_used(change));
            change.is_some_and(|change| change.introduced_version(image) == Some(&*entry.version))
        };
        if when == When::AfterPromotion
            && let Some(image) = images.iter().find(is_new)
        {
            let message =
                format!("{} names {} {}, which this very change introduces", entry.key, image.name, entry.version);
            faults.push(
                Fault::new(message, manifest.place(entry))
                    .image(&image.name)
                    .help("nothing can have built it yet: move the entry in a later change, when the image is promoted")
                    .related("the version is introduced here", image.version_place()),
            );
        }
    }
    faults
}
