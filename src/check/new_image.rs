//! `new-image`: a wholly new image deserves a second thought.

use serde::Deserialize;

use super::kind::{Context, Kind, Reads};
use crate::finding::Fault;
use crate::snapshot::StoreError;
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

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let Some(change) = context.change else { return Ok(Vec::new()) };
        // Without the image that is preferred there is nothing to prefer.
        if context.head.named(&self.prefer).is_empty() {
            return Ok(Vec::new());
        }
        let gone = change.base.images.values().filter(|image| !context.head.images.contains_key(&image.directory));
        let gone: Vec<&str> = gone.map(|image| file_name(&image.name)).collect();
        let mut faults = Vec::new();
        for image in context.head.images.values() {
            let was_there = change.base_of(image).is_some() || change.moved_from(image).is_some();
            if was_there || *image.name == *self.prefer || gone.contains(&file_name(&image.name)) {
                continue;
            }
            let message = format!("{} is a wholly new image", image.name);
            let help =
                format!("consider a subcommand of {} first: it is built, promoted and pulled already", self.prefer);
            faults.push(Fault::new(message, image.version_place()).image(&image.name).help(help));
        }
        Ok(faults)
    }
}
