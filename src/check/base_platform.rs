//! `base-platform`: the key of a line in a base file and the end of its tag must name one platform.
//!
//! Rules: `mismatched-platform`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Kind, Needs};
use crate::edit::{Edit, Fix};
use crate::finding::{Diagnostic, Location};
use crate::model::WrittenIn;
use crate::snapshot::StoreError;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasePlatform {}

impl Kind for BasePlatform {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        for image in context.model.images.values() {
            for reference in &image.references {
                let (WrittenIn::Base(platform), Some((suffix, span))) = (&reference.written_in, &reference.suffix)
                else {
                    continue;
                };
                let right = platform.suffix();
                if *suffix == right || suffix.contains('$') {
                    continue;
                }
                let message =
                    format!("{} takes {} for {suffix} as its base on {platform}", image.name, reference.target);
                let location = Location::new(&reference.path, &reference.text, span.clone());
                let edit = Edit::replace(&reference.path, span, &right);
                let title = format!("take {} for {right} on {platform}", reference.target);
                diagnostics.push(
                    Diagnostic::about(format!("{} {suffix} {platform}", reference.target), message, location)
                        .image(&image.name)
                        .help(format!("write {right}"))
                        .fix(Fix::safe(title, vec![edit])),
                );
            }
        }
        Ok(diagnostics)
    }
}
