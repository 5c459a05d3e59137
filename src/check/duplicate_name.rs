//! `duplicate-name`: two images may not be published under one name and one version: one would be built over the other.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Kind, Needs};
use crate::finding::{Diagnostic, Location};
use crate::model::Image;
use crate::path::in_directory;
use crate::snapshot::StoreError;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DuplicateName {}

impl Kind for DuplicateName {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    /// The files that give images other names and that cannot be read: of a whole tree all, and else those of images that the change
    /// touches. Such an image may be built over any other.
    fn unread(&self, context: &Context<'_>) -> Vec<StoreError> {
        let mut unread = Vec::new();
        for image in context.model.images.values() {
            let is_touched = context.change.is_none_or(|change| change.content.get(&image.directory).is_some());
            let is_bumped = context.change.is_some_and(|change| change.new_version(image).is_some());
            if is_touched || is_bumped {
                unread.extend(image.alias_error.clone());
            }
        }
        unread
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut by_tag: BTreeMap<(Option<&str>, &str, &str), Vec<&Image>> = BTreeMap::new();
        for image in context.model.images.values() {
            // Of an image whose name cannot be read that is said instead.
            if let Some(version) = image.version().filter(|_| image.alias_error.is_none()) {
                by_tag.entry((image.kind.as_deref(), image.published(), version)).or_default().push(image);
            }
        }
        let mut diagnostics = Vec::new();
        for ((_, name, version), mut images) in by_tag {
            // Who took the name of another one is at fault, rather than who bears it.
            images.sort_by_key(|image| image.alias.is_some());
            let Some((first, others)) = images.split_first() else { continue };
            for other in others {
                let message =
                    format!("{} is published as {name} {version}, and so is {}", other.directory, first.directory);
                let diagnostic = Diagnostic::about(format!("{name} {version}"), message, other.version_location())
                    .image(&other.name)
                    .related(format!("{} has the same name and version", first.directory), first.version_location())
                    .help(rename(context, other));
                diagnostics.push(match alias_location(context, other) {
                    Some(location) => diagnostic.related("this gives it the name", location),
                    None => diagnostic,
                });
            }
        }
        Ok(diagnostics)
    }
}

fn rename(context: &Context<'_>, image: &Image) -> String {
    let version_file = &image.version_name;
    match &context.shape.alias_file {
        Some(alias_file) if image.alias.is_some() => {
            format!("write another name into {alias_file}, or another {version_file}")
        }
        _ => format!("rename the directory, or write another {version_file}"),
    }
}

/// The file that gives an image its name.
fn alias_location(context: &Context<'_>, image: &Image) -> Option<Location> {
    image.alias.as_ref()?;
    let path = in_directory(&image.directory, context.shape.alias_file.as_ref()?);
    Some(Location::file(&path.into()))
}
