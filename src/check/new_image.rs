//! `new-image`: a wholly new image deserves a second thought.
//!
//! Rules: `standalone-image`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Kind, Needs};
use crate::finding::Diagnostic;
use crate::snapshot::StoreError;

/// What to think of first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewImage {
    /// The image that could take the new functionality in.
    prefer: String,
}

impl Kind for NewImage {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let Some(change) = context.change else { return Ok(Vec::new()) };
        // Without the image that is preferred there is nothing to prefer.
        if context.model.named(&self.prefer).is_empty() {
            return Ok(Vec::new());
        }
        let mut diagnostics = Vec::new();
        for image in context.model.images.values() {
            let was_there = change.in_base(image).is_some() || change.moved_from(image).is_some();
            let was_there = was_there || context.inputs.removed.contains_key(&image.directory);
            if was_there || *image.name == *self.prefer || change.predecessor(image, context.shape).is_some() {
                continue;
            }
            let message = format!("{} is a wholly new image", image.name);
            let help =
                format!("consider a subcommand of {} first: it is built, promoted and pulled already", self.prefer);
            diagnostics.push(Diagnostic::about("new", message, image.version_location()).image(&image.name).help(help));
        }
        Ok(diagnostics)
    }
}
