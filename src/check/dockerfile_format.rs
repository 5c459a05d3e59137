//! `dockerfile-format`: a Dockerfile that cannot be read cannot be judged, and that must not pass in silence.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Context, Kind, Scope};
use crate::finding::Fault;
use crate::model::Unparsed;
use crate::snapshot::StoreError;
use crate::text::file_name;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DockerfileFormat {}

impl Kind for DockerfileFormat {
    const SCOPE: Scope = Scope::Tree;

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        for image in context.head.images.values() {
            let mut seen = BTreeSet::new();
            for build in &image.builds {
                let Err(Unparsed { reason, place }) = &build.file else { continue };
                if seen.insert((&build.path, reason)) {
                    let name = file_name(&build.path);
                    let message = format!("{name} of {} cannot be read: {reason}", image.name);
                    faults.push(Fault::new(message, place.clone()).image(&image.name));
                }
            }
        }
        Ok(faults)
    }
}
