//! `version-bump`: an image whose content changed must get a new version.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Change, Context, Kind, Scope};
use crate::finding::{Fault, Place};
use crate::model::Image;
use crate::snapshot::{Entry, Snapshot, StoreError};
use crate::text::is_below;

/// How many changed files a finding names.
const MAX_NAMED: usize = 5;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionBump {}

impl Kind for VersionBump {
    const SCOPE: Scope = Scope::Change;

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        let Some(change) = context.change else { return Ok(faults) };
        for (directory, files) in change.content {
            let Some(image) = context.head.images.get(directory) else { continue };
            let moved =
                || change.moved_from(image, context.head).filter(|before| differs(context, change, before, image));
            let Some(before) = change.base_of(image).or_else(moved) else { continue };
            let (Some(old), Some(new)) = (before.version.value(), image.version.value()) else { continue };
            if old.value != new.value {
                continue;
            }
            let file = &context.shape.version_file;
            let message = format!("{} changed, but its {file} is still {}", image.name, new.value);
            let mut fault = Fault::new(message, image.version_place()).image(&image.name);
            for path in files.iter().take(MAX_NAMED) {
                let what = if is_below(path, directory) {
                    "this changed"
                } else {
                    "this changed, and the image is built with it"
                };
                fault = fault.related(what, Place::file(path));
            }
            if files.len() > MAX_NAMED {
                let more = files.len() - MAX_NAMED;
                fault = fault.related(format!("and {more} more files below it"), Place::file(directory));
            }
            if let Some((next, fix)) = change.bump(context.shape, image) {
                fault = fault.help(format!("set {file} to {next}")).fix(fix);
            } else if change.base_of(image).is_none() {
                fault = fault.help(format!("it is still published as {}: set {file} higher", image.published()));
            }
            faults.push(fault);
        }
        Ok(faults)
    }
}

/// Whether the files of an image are other ones than before it moved. Its documentation and the name that it keeps do not count.
fn differs(context: &Context<'_>, change: &Change<'_>, before: &Image, after: &Image) -> bool {
    let files_of = |files: &Snapshot<'_>, image: &Image| -> BTreeMap<String, Entry> {
        let files = files.below(&image.directory).map(|(path, entry)| (&path[image.directory.len() + 1..], entry));
        let is_content =
            |path: &str| Some(path) != context.shape.alias_file.as_deref() && !context.shape.ignore.is_match(path);
        files.filter(|(path, _)| is_content(path)).map(|(path, entry)| (path.to_owned(), entry.clone())).collect()
    };
    change.pair.base.as_ref().is_none_or(|base| files_of(base, before) != files_of(context.files, after))
}
