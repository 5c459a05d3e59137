//! `hidden-images`: a link or another repository in the place of a directory above images. The build goes through it; what lies behind
//! it is in no tree that could be judged.

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Kind, Needs};
use crate::finding::{Diagnostic, Level, Location};
use crate::model::Model;
use crate::path::{file_name, is_below};
use crate::snapshot::{FileKind, Snapshot, StoreError};
use crate::text::counted;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HiddenImages {}

impl Kind for HiddenImages {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        for (path, entry) in context.files.entries().detours() {
            let roots = &context.shape.roots;
            let is_above = roots.iter().any(|root| is_below(path, root) || is_below(root, path));
            if !is_above || context.model.owner(path).is_some() {
                continue;
            }
            // Of an image that is a link itself it is said that it has no version.
            if context.change.is_some_and(|change| change.base.directories.contains(path)) {
                continue;
            }
            let hidden = context.change.map_or(0, |change| images_below(change.base, path));
            let is_vendored = path.split('/').any(|part| context.shape.vendored.iter().any(|name| name == part));
            if hidden == 0 && (context.shape.is_hidden(path) || is_vendored) {
                continue;
            }
            let (what, certainty) = match entry.kind {
                // Where images may lie anywhere, most others are none.
                FileKind::Submodule if roots.iter().all(String::is_empty) => {
                    ("another repository".to_owned(), Level::Note)
                }
                FileKind::Submodule => ("another repository".to_owned(), Level::Warning),
                _ => match behind(context.files, context.model, path)? {
                    Behind::Nothing if hidden == 0 => continue,
                    Behind::Nothing | Behind::Images => ("a link".to_owned(), Level::Warning),
                    // A name with an ending, or of documentation, is that of a file.
                    Behind::Unknown if hidden == 0 && is_like_file(context, path) => continue,
                    Behind::Unknown => ("a link".to_owned(), Level::Note),
                },
            };
            let subject = if entry.kind == FileKind::Submodule { "submodule" } else { "link" };
            let level = if hidden > 0 { Level::Error } else { certainty };
            let message = format!("{path} is {what}: images behind it are built, and cannot be judged");
            let help = "put the directory itself here, as images and their history are looked for in it".to_owned();
            let mut diagnostic = Diagnostic::about(subject, message, Location::file(path)).help(help);
            if hidden > 0 {
                let lost = format!("{} of the base lay here", counted(hidden, "image"));
                diagnostic = diagnostic.related(lost, Location::file(path));
            }
            diagnostics.push(diagnostic.at_most(level));
        }
        Ok(diagnostics)
    }
}

/// What lies behind a link.
enum Behind {
    /// Nothing that could be an image.
    Nothing,
    /// Images that have another name there.
    Images,
    /// What is not among the files that are judged.
    Unknown,
}

fn behind(files: &Snapshot<'_>, head: &Model, link: &str) -> Result<Behind, StoreError> {
    let Ok(real) = files.resolve(link)? else { return Ok(Behind::Unknown) };
    if images_below(head, &real) > 0 {
        return Ok(Behind::Images);
    }
    let is_there = files.entry(&real).is_some() || files.below(&real).next().is_some();
    Ok(if is_there { Behind::Nothing } else { Behind::Unknown })
}

/// How many images lie in a directory, or are it.
fn images_below(model: &Model, directory: &str) -> usize {
    model.directories.iter().filter(|image| is_below(image, directory)).count()
}

fn is_like_file(context: &Context<'_>, path: &str) -> bool {
    let name = file_name(path);
    context.shape.ignore.is_match(name) || name.contains('.')
}
