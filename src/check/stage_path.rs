//! `stage-path`: an image that brings programs must set the search path itself where the builder would set a foreign one.
//!
//! Rules: `missing-windows-path`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Concern, Context, Kind, Needs, once};
use crate::finding::Diagnostic;
use crate::model::Final;
use crate::parse::baseimage::WINDOWS;
use crate::parse::dockerfile::{Copy, Instruction, Keyword};
use crate::snapshot::StoreError;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StagePath {}

impl Kind for StagePath {
    fn needs(&self) -> Needs<'_> {
        Needs::of_dockerfiles(Concern::Itself)
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        for image in context.model.images.values() {
            for last in image.finals(WINDOWS) {
                let Some((instruction, copy)) = last.copies().find(|(_, copy)| brings_program(copy)) else { continue };
                if context.model.inherits(image, &last, WINDOWS, &sets_path) {
                    continue;
                }
                let program = copy.destination.value.as_str();
                let message = format!("{} adds {program} and sets no PATH of Windows", image.name);
                let help = "set it in the last stage, as in ENV PATH=\"C:\\bin;C:\\Windows\\System32;C:\\Windows;\": docker buildx \
                            replaces it by one of Linux";
                diagnostics.push(
                    Diagnostic::about(program, message, last.location(instruction, copy)).image(&image.name).help(help),
                );
            }
        }
        Ok(once(diagnostics))
    }
}

fn sets_path(last: &Final<'_>) -> bool {
    last.instructions().filter(|instruction| instruction.keyword == Keyword::Env).any(sets_windows_path)
}

/// Whether a file is brought that could be run: one that ends like a program, or has no ending at all, as what Go builds. A name
/// in capital letters is that of a document.
fn brings_program(copy: &Copy) -> bool {
    let name = copy.destination.value.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default();
    let is_directory = copy.destination.value.ends_with(['/', '\\']) || name.is_empty() || name == ".";
    if is_directory { copy.file_names().any(is_program) } else { is_program(name) }
}

fn is_program(name: &str) -> bool {
    match name.rsplit_once('.') {
        Some((_, ending)) => matches!(ending.to_ascii_lowercase().as_str(), "exe" | "cmd" | "bat" | "com"),
        None => name.bytes().any(|byte| byte.is_ascii_lowercase()),
    }
}

/// A path of Windows is known by its drive or its backslashes, or names one by a variable of Windows.
fn sets_windows_path(env: &Instruction) -> bool {
    let path = env.variables.iter().find(|variable| variable.name.eq_ignore_ascii_case("PATH"));
    path.is_some_and(|path| path.written.contains('\\') || path.written.contains(":/") || path.written.contains('%'))
}
