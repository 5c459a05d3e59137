//! `stage-library`: programs that need a library which the base lacks must bring it.
//!
//! Rules: `missing-windows-dll`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Concern, Context, Kind, Needs, once};
use crate::finding::Diagnostic;
use crate::model::Final;
use crate::parse::baseimage::WINDOWS;
use crate::parse::dockerfile::Copy;
use crate::parse::glob::PathPattern;
use crate::snapshot::StoreError;

/// Which program needs what.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StageLibrary {
    /// Programs, each with the library that it needs.
    programs: BTreeMap<String, String>,
}

impl Kind for StageLibrary {
    fn needs(&self) -> Needs<'_> {
        Needs::of_dockerfiles(Concern::Itself)
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        for image in context.model.images.values() {
            for last in image.finals(WINDOWS) {
                for (program, library) in &self.programs {
                    let Some((instruction, copy)) = last.copies().find(|(_, copy)| brings(copy, program)) else {
                        continue;
                    };
                    if context.model.inherits(image, &last, WINDOWS, &|last| may_have(last, library)) {
                        continue;
                    }
                    let message = format!("{} adds {program} without {library}", image.name);
                    let help = format!("copy {library} from a stage with servercore: nanoserver does not have it");
                    diagnostics.push(
                        Diagnostic::about(program, message, last.location(instruction, copy))
                            .image(&image.name)
                            .help(help),
                    );
                }
            }
        }
        Ok(once(diagnostics))
    }
}

fn brings(copy: &Copy, program: &str) -> bool {
    copy.file_names().any(|name| name.eq_ignore_ascii_case(program))
}

fn may_have(last: &Final<'_>, library: &str) -> bool {
    last.copies().any(|(_, copy)| may_bring(copy, library))
}

/// Whether a file of this name is among what is copied, or may be among what a pattern matches. Windows knows no case.
fn may_bring(copy: &Copy, file: &str) -> bool {
    let file = file.to_ascii_lowercase();
    copy.file_names().any(|name| PathPattern::new(&name.to_ascii_lowercase()).is_ok_and(|name| name.is_match(&file)))
}
