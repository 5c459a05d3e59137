//! `unchanged`: an image that is somebody else's under another name must change when it gets a new version: the same content cannot
//! be pushed under a second tag.
//!
//! Rules: `unchanged-mirror`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Kind, Needs};
use crate::finding::Diagnostic;
use crate::snapshot::StoreError;

/// The kind has no options: the pack's `images.mirrored` says which images are meant.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unchanged {}

impl Kind for Unchanged {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        let Some(change) = context.change else { return Ok(diagnostics) };
        for image in context.model.images.values() {
            let is_mirrored = context.shape.mirrored.is_match(&image.name);
            let Some((old, new)) = change.new_version(image).filter(|_| is_mirrored) else { continue };
            if change.content.has(&image.directory)? {
                continue;
            }
            let message = format!("{} goes from {old} to {new}, and nothing else of it changes", image.name);
            let help = "make a small change that ends up in the image, such as a LABEL: it needs another digest";
            diagnostics.push(Diagnostic::about(new, message, image.version_location()).image(&image.name).help(help));
        }
        Ok(diagnostics)
    }
}
