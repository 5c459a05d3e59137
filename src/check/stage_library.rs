//! `stage-library`: programs that need a library which the base lacks must bring it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Context, Kind, Scope};
use crate::finding::{Fault, Place};
use crate::model::Image;
use crate::snapshot::StoreError;

/// Which program needs what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StageLibrary {
    /// The operating system.
    system: String,
    /// Programs, each with the library that it needs.
    programs: BTreeMap<String, String>,
}

impl Kind for StageLibrary {
    const SCOPE: Scope = Scope::Tree;

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        for image in context.head.images.values() {
            let Some(last) = image.final_stage(&self.system) else { continue };
            for (program, library) in &self.programs {
                let is_it = |name: &str| name.eq_ignore_ascii_case(program);
                let brings = last.stage.copies().find(|(_, copy)| copy.file_names().any(is_it));
                let Some((instruction, copy)) = brings else { continue };
                if context.head.inherits(image, &self.system, &|image| self.brings(image, library)) {
                    continue;
                }
                let message = format!("{} adds {program} without {library}", image.name);
                let help = format!("copy {library} from a stage with servercore: nanoserver does not have it");
                let place = Place::new(last.path, last.text, instruction.span.start..copy.destination.span.end);
                faults.push(Fault::new(message, place).image(&image.name).help(help));
            }
        }
        Ok(faults)
    }
}

impl StageLibrary {
    fn brings(&self, image: &Image, library: &str) -> bool {
        let is_it = |name: &str| name.eq_ignore_ascii_case(library);
        image
            .final_stage(&self.system)
            .is_some_and(|last| last.stage.copies().any(|(_, copy)| copy.file_names().any(is_it)))
    }
}
