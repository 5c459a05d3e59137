//! `build-inputs`: a change of what all images are built with makes all of them anew, under the tags that they have.
//!
//! Rules: `rebuilt-images`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::change::Change;
use super::kind::{Context, Kind, Needs};
use crate::finding::{Diagnostic, Location};
use crate::parse::glob::PathPattern;
use crate::snapshot::StoreError;
use crate::text::counted;

/// The kind has no options: the pack's `images.build-inputs` says which files are meant.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildInputs {}

impl Kind for BuildInputs {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let Some(change) = context.change else { return Ok(Vec::new()) };
        // What comes with the change is built for the first time.
        let rebuilt = context.model.directories.intersection(&change.base.directories).count();
        if rebuilt == 0 {
            return Ok(Vec::new());
        }
        let images = counted(rebuilt, "image");
        let mut diagnostics = Vec::new();
        for path in changed(change, &context.shape.build_inputs) {
            let message = format!("{path} changed: {images} will be built anew, the version unchanged");
            let help = "no version has to change for that; a tag that is promoted stays what it is";
            diagnostics.push(Diagnostic::about("build input", message, Location::file(&path)).help(help));
        }
        Ok(diagnostics)
    }
}

/// The files among these that the change touches.
fn changed(change: &Change<'_>, inputs: &[PathPattern]) -> Vec<Arc<str>> {
    if inputs.is_empty() {
        return Vec::new();
    }
    let mut paths: Vec<Arc<str>> = change.pair.changed().into_iter().collect();
    paths.retain(|path| inputs.iter().any(|input| input.covers(path)));
    paths
}
