//! `misnamed-file`: a file that is named almost like one that the build looks for, and so is never found.
//!
//! Rules: `misnamed-windows-dockerfile`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Files, Kind, Needs, Outside, Reads};
use crate::finding::{Diagnostic, Location};
use crate::path::{file_name, without_directory};
use crate::snapshot::StoreError;

/// What the build looks for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MisnamedFile {
    /// The name of the file in an image's directory.
    name: String,
}

impl Kind for MisnamedFile {
    fn needs(&self) -> Needs<'_> {
        Needs { files: Reads::Files(self), dockerfiles: None, outside: Outside::Nothing, pattern: None }
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        for image in context.model.images.values() {
            for (path, _) in context.files.below(&image.directory) {
                let name = without_directory(path, &image.directory);
                if self.is_like(name) {
                    let message =
                        format!("the build of {} does not look for {name}, but for {}", image.name, self.name);
                    let help = format!("git mv {path} {}/{}", image.directory, self.name);
                    diagnostics.push(
                        Diagnostic::about(&self.name, message, Location::file(path)).image(&image.name).help(help),
                    );
                }
            }
        }
        Ok(diagnostics)
    }
}

impl Files for MisnamedFile {
    fn contain(&self, path: &str) -> bool {
        self.is_like(file_name(path))
    }
}

impl MisnamedFile {
    /// Whether a name is almost the one that the build looks for.
    fn is_like(&self, name: &str) -> bool {
        // Most names differ in this already.
        letters(name) == letters(&self.name) && name != self.name && words(name) == words(&self.name)
    }
}

/// What may stand between the words of a name.
const BETWEEN: [char; 3] = ['.', '_', '-'];

/// How many characters the words of a name have.
fn letters(name: &str) -> usize {
    name.chars().filter(|character| !BETWEEN.contains(character)).count()
}

/// The words of a name, whatever their order, their case and what stands between them.
fn words(name: &str) -> Vec<String> {
    let name = name.to_ascii_lowercase();
    let mut words: Vec<String> = name.split(BETWEEN).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.sort();
    words
}
