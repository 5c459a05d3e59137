//! `reference`: what is named must be there.
//!
//! Rules: `dangling-reference`, `unknown-parent`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Concern, Context, Kind, Needs};
use crate::finding::{Diagnostic, Location};
use crate::model::{Image, Manifest, ManifestEntry, Reference};
use crate::path::in_directory;
use crate::snapshot::StoreError;
use crate::suggest::nearest;

/// Which names are at fault.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct References {
    /// Which names are at fault.
    forbid: ForbiddenName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ForbiddenName {
    /// Names that no directory has, in images.
    Unknown,
    /// Names of images that the change takes away, and entries of the manifest that no directory has.
    Gone,
}

impl Kind for References {
    fn needs(&self) -> Needs<'_> {
        Needs::of_dockerfiles(Concern::Itself)
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        context.model.has_read_manifest()?;
        let mut diagnostics = Vec::new();
        for image in context.model.images.values() {
            let mut seen = BTreeSet::new();
            for reference in &image.references {
                let target = reference.target.as_str();
                if context.model.named(target).is_empty()
                    && was_there(context, target) == (self.forbid == ForbiddenName::Gone)
                    && seen.insert((&reference.path, reference.group_key(), target))
                {
                    diagnostics.push(self.of_image(image, reference, context));
                }
            }
        }
        if self.forbid == ForbiddenName::Gone
            && let Some(manifest) = &context.model.manifest
        {
            for entry in manifest.entries.iter().filter(|entry| !entry.is_pinned) {
                if context.model.named(&entry.name).is_empty() {
                    diagnostics.push(of_entry(entry, manifest, context));
                }
            }
        }
        Ok(diagnostics)
    }
}

/// Whether an image had a name before the change.
fn was_there(context: &Context<'_>, name: &str) -> bool {
    context.change.is_some_and(|change| !change.base.named(name).is_empty())
}

/// The image that had a name before the change, under another name.
fn renamed<'a>(context: &Context<'a>, name: &str) -> Option<&'a Image> {
    let change = context.change?;
    let mut before = change.base.named(name).into_iter();
    before.find_map(|before| change.successor(before, context.shape))
}

/// How the old name of an image can stay, where a file says under which one it is published.
fn keeping(name: &str, now: &Image, context: &Context<'_>) -> String {
    let file = context.shape.alias_file.as_ref();
    file.map_or_else(String::new, |file| {
        format!(", or keep the name: write {name} into {}", in_directory(&now.directory, file))
    })
}

impl References {
    fn of_image(&self, image: &Image, reference: &Reference, context: &Context<'_>) -> Diagnostic {
        let target = &reference.target;
        let (child, parent) = (described(image), meant_by(target));
        let (message, help) = if let Some(now) = renamed(context, target) {
            let message = format!("{child} names {parent}, which this change moves to {}", now.directory);
            (message, format!("name {} instead{}", now.published(), keeping(target, now, context)))
        } else if self.forbid == ForbiddenName::Gone {
            let message = format!("{child} names {parent}, which this change deletes");
            (message, "take the reference away too, or keep the image".to_owned())
        } else {
            let message = format!("{child} names {parent}, which no directory of the repository provides");
            let elsewhere = "add its directory; an image from elsewhere has a registry of its own";
            (message, meant(target, context).unwrap_or_else(|| elsewhere.to_owned()))
        };
        Diagnostic::about(target, message, reference.location()).image(&image.name).help(help)
    }
}

/// An image as findings call it where another one may have the same name.
fn described(image: &Image) -> String {
    match &image.kind {
        Some(kind) => format!("the {kind} {}", image.name),
        None => image.name.to_string(),
    }
}

/// What a reference names, as findings call it.
fn meant_by(target: &str) -> String {
    match target.strip_prefix('{').and_then(|target| target.split_once("}/")) {
        Some((directories, name)) => {
            let names: Vec<String> = directories.split(',').map(|directory| format!("{directory}/{name}")).collect();
            format!("one of the images {}", names.join(", "))
        }
        None => format!("the image {target}"),
    }
}

/// Which name of an image was meant by one that no image has.
fn meant(name: &str, context: &Context<'_>) -> Option<String> {
    let names = context.model.images.values().map(|image| image.published());
    nearest(name, names).map(|nearest| format!("did you mean `{nearest}`?"))
}

/// Says that no directory has the name of an entry of the manifest.
fn of_entry(entry: &ManifestEntry, manifest: &Manifest, context: &Context<'_>) -> Diagnostic {
    let key = &entry.key;
    let pin =
        format!("where {} stays in use, pin the entry: add {key:?} to `manifest.pinned` of the pack", entry.version);
    let (reason, help) = if let Some(now) = renamed(context, &entry.name) {
        let help = format!(
            "name {} when it is built under that name{}; {pin}",
            now.published(),
            keeping(&entry.name, now, context)
        );
        (format!("this change moves to {}", now.directory), help)
    } else if was_there(context, &entry.name) {
        ("this change deletes".to_owned(), format!("take the entry away too; {pin}"))
    } else {
        let before = context.change.and_then(|change| change.base.manifest.as_ref());
        let is_old =
            before.is_some_and(|before| before.entries.iter().any(|old| old.key == *key && old.name == entry.name));
        let is_new = before.is_some() && !is_old;
        let help = match meant(&entry.name, context) {
            Some(meant) => meant,
            None if is_new => {
                "add the directory of the image, or give the entry the registry that the image comes from".to_owned()
            }
            None => format!("take the entry away; {pin}"),
        };
        ("no directory of the repository provides".to_owned(), help)
    };
    let location = Location::new(&manifest.path, &manifest.text, entry.name_span.clone());
    let message = format!("{key} names {}, which {reason}", meant_by(&entry.name));
    Diagnostic::about(format!("{key} {}", entry.name), message, location).image(&entry.name.as_str().into()).help(help)
}
