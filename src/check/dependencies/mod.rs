//! `dependencies`: a list of versions and of the files that repeat them (as `build/dependencies.yaml` of Kubernetes) must agree with
//! these files. Those entries are meant that name a file which may hold the version of an image, or all; of them, every reference and
//! every line that it fits: the checker of such a repository refuses all of them or none.
//!
//! Rules: `mismatched-dependency`.

mod options;
mod spelling;
mod held;
mod entry;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use self::entry::Judge;
use self::held::Named;
pub use self::options::Dependencies;
use super::kind::{Context, Kind, Needs};
use crate::finding::{Diagnostic, Location};
use crate::parse::dependencies::{Dependency, DependencyList, DependencyListError};
use crate::parse::yaml::YamlError;
use crate::shape::Shape;
use crate::snapshot::StoreError;

impl Kind for Dependencies {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let Some(file) = &context.model.dependencies else { return Ok(Vec::new()) };
        context.model.has_read_manifest()?;
        let path = &file.path;
        let text = match &file.text {
            Ok(text) => text,
            Err(unreadable) => {
                return Ok(vec![Diagnostic::about("unread", format!("{path} {unreadable}"), Location::file(path))]);
            }
        };
        match file.list() {
            Ok(Some(list)) => judge(self, list, path, text, context),
            Ok(None) => Ok(Vec::new()),
            Err(DependencyListError::Malformed(YamlError { message, offset })) => {
                let location = Location::new(path, text, *offset..*offset);
                Ok(vec![Diagnostic::about(message, format!("{path} is no YAML: {message}"), location)])
            }
            Err(DependencyListError::Missing) => {
                let message = format!("{path} has no list `dependencies`");
                Ok(vec![Diagnostic::about("no list", message, Location::new(path, text, 0..0))])
            }
        }
    }
}

fn judge(
    options: &Dependencies,
    list: &DependencyList,
    path: &Arc<str>,
    text: &Arc<crate::text::Text>,
    context: &Context<'_>,
) -> Result<Vec<Diagnostic>, StoreError> {
    let mut entries = Vec::new();
    let mut files: BTreeMap<&str, Named> = BTreeMap::new();
    for entry in list.entries.iter().filter(|entry| options.takes_all() || is_ours(entry, context.shape)) {
        entries.push(entry);
        for path in entry.references.iter().filter_map(|reference| reference.path.as_ref()) {
            if !files.contains_key(path.value.as_str()) {
                files.insert(&path.value, Named::read(&path.value, context)?);
            }
        }
    }
    let judge = Judge { options: &options.of(list), path, text, context, files: &files, searched: Cell::new(0) };
    let mut diagnostics = Vec::new();
    judge.list(list, &mut diagnostics);
    for entry in entries {
        judge.entry(entry, &mut diagnostics)?;
    }
    Ok(diagnostics)
}

/// Whether an entry names a file that may hold the version of an image; under which key, does not matter.
fn is_ours(entry: &Dependency, shape: &Shape) -> bool {
    entry.named.iter().any(|path| shape.may_hold_version(path))
}
