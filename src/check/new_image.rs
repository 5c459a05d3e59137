//! `new-image`: a wholly new image deserves a second thought.

use serde::Deserialize;

use super::{Context, Kind, Reads};
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
        let last = |name: &str| file_name(name).to_owned();
        let gone = change.base.images.values().filter(|image| !context.head.images.contains_key(&image.directory));
        let moved: Vec<String> = gone.map(|image| last(&image.name)).collect();
        let is_new = |image: &&std::sync::Arc<crate::model::Image>| {
            change.base_of(image).is_none()
                && *image.name != *self.prefer
                && !moved.contains(&last(&image.name))
                && change.moved_from(image).is_none()
        };
        let images = context.head.images.values().filter(is_new);
        // Without the image that is preferred there is nothing to prefer.
        let images = images.filter(|_| !context.head.named(&self.prefer).is_empty());
        let faults = images.map(|image| {
            let message = format!("{} is a wholly new image", image.name);
            let help =
                format!("consider a subcommand of {} first: it is built, promoted and pulled already", self.prefer);
            Fault::new(message, image.version_place()).image(&image.name).help(help)
        });
        Ok(faults.collect())
    }
}
