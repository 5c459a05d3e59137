//! `new-image`: a wholly new image deserves a second thought.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::change::Change;
use super::kind::{Context, Kind, Reads};
use crate::finding::Diagnostic;
use crate::model::Image;
use crate::snapshot::{Entry, StoreError};
use crate::text::file_name;

/// What to think of first.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewImage {
    /// The image that could take the new functionality in.
    prefer: String,
}

impl Kind for NewImage {
    fn reads(&self) -> Reads<'_> {
        Reads::ControlFiles
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let Some(change) = context.change else { return Ok(Vec::new()) };
        // Without the image that is preferred there is nothing to prefer.
        if context.head.named(&self.prefer).is_empty() {
            return Ok(Vec::new());
        }
        let gone = change.base.images.values().filter(|image| !context.head.images.contains_key(&image.directory));
        let gone: Vec<&Image> = gone.map(|image| &**image).collect();
        let mut diagnostics = Vec::new();
        for image in context.head.images.values() {
            let was_there = change.base_of(image).is_some() || change.moved_from(image).is_some();
            let is_renamed = gone.iter().any(|before| is_renamed(before, image, context, change));
            if was_there || *image.name == *self.prefer || is_renamed {
                continue;
            }
            let message = format!("{} is a wholly new image", image.name);
            let help =
                format!("consider a subcommand of {} first: it is built, promoted and pulled already", self.prefer);
            diagnostics.push(Diagnostic::new(message, image.version_location()).image(&image.name).help(help));
        }
        Ok(diagnostics)
    }
}

/// Whether an image is one that is gone, under another name: in a directory of the same name elsewhere, or with half of its files at
/// least, beside the version.
fn is_renamed(before: &Image, now: &Image, context: &Context<'_>, change: &Change<'_>) -> bool {
    if file_name(&before.name) == file_name(&now.name) {
        return true;
    }
    let Some(base_files) = &change.pair.base else { return false };
    let known: BTreeMap<&str, &Entry> = change.base.own_content(before, base_files, context.shape).collect();
    let (mut same, mut others) = (0, 0);
    for (path, entry) in context.head.own_content(now, context.files, context.shape) {
        if !context.shape.is_version_file(path) {
            let is_same = known.get(path) == Some(&entry);
            same += usize::from(is_same);
            others += usize::from(!is_same);
        }
    }
    same > 0 && same >= others
}
