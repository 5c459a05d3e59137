//! `reference`: what is named must be there.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::kind::{Context, Kind, Reads, unread_dockerfiles};
use crate::finding::Fault;
use crate::snapshot::StoreError;
use crate::suggest::nearest;

/// Which names are at fault.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct References {
    forbid: Forbidden,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Forbidden {
    /// Names that no directory has, in images.
    Unknown,
    /// Names of images that the change takes away, and entries of the manifest that no directory has.
    Gone,
}

impl Kind for References {
    fn reads(&self) -> Reads<'_> {
        Reads::ControlFiles
    }

    fn unread(&self, context: &Context<'_>) -> Vec<StoreError> {
        unread_dockerfiles(context)
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        for image in context.head.images.values() {
            let mut seen = BTreeSet::new();
            for reference in &image.references {
                let target = reference.target.as_str();
                let is_missing = context.head.named(target).is_empty();
                if !is_missing
                    || was_there(context, target) != (self.forbid == Forbidden::Gone)
                    || !seen.insert((&reference.path, reference.subject(), target))
                {
                    continue;
                }
                let fault = if self.forbid == Forbidden::Gone {
                    let message = format!("{} names {target}, which this change deletes", image.name);
                    Fault::new(message, reference.place()).help("take the reference away too, or keep the image")
                } else {
                    let names = context.head.images.values().map(|image| image.published());
                    let message = format!("{} names {target}, which no directory provides", image.name);
                    let help = match nearest(target, names) {
                        Some(nearest) => format!("did you mean `{nearest}`?"),
                        None => "add its directory; an image from elsewhere has a registry of its own".to_owned(),
                    };
                    Fault::new(message, reference.place()).help(help)
                };
                faults.push(fault.image(&image.name));
            }
        }
        if self.forbid == Forbidden::Gone
            && let Some(manifest) = &context.head.manifest
        {
            for entry in &manifest.entries {
                if entry.is_pinned || !context.head.named(&entry.name).is_empty() {
                    continue;
                }
                let reason =
                    if was_there(context, &entry.name) { "this change deletes" } else { "no directory provides" };
                let message = format!("{} names {}, which {reason}", entry.key, entry.name);
                let help = "take the entry away too, or pin it if its last version stays in use";
                faults.push(Fault::new(message, manifest.place(entry)).image(&entry.name.as_str().into()).help(help));
            }
        }
        Ok(faults)
    }
}

/// Whether the change found an image of this name.
fn was_there(context: &Context<'_>, name: &str) -> bool {
    context.change.is_some_and(|change| !change.base.named(name).is_empty())
}
