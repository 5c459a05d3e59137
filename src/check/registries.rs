//! `registries`: a list of registries may hold only keys that its reader knows: it ignores all others in silence.
//!
//! Rules: `unknown-registry`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Files, Kind, Needs, Outside, Reads};
use crate::finding::{Diagnostic, Location};
use crate::inputs::RegistryList;
use crate::parse::capture::Pattern;
use crate::parse::yaml::{Document, Node, YamlError};
use crate::path::file_name;
use crate::snapshot::StoreError;
use crate::suggest::suggest;
use crate::text::Text;

/// Where the lists are, and what they may hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Registries {
    /// The name of such a list.
    file: String,
    /// What a key that is known looks like in the manifest: the group `key`.
    #[serde(deserialize_with = "pattern")]
    pattern: Pattern,
}

fn pattern<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
    crate::shape::pattern(deserializer, &["key"])
}

impl Kind for Registries {
    fn needs(&self) -> Needs<'_> {
        Needs { files: Reads::Files(self), dockerfiles: None, outside: Outside::Nothing, pattern: Some(&self.pattern) }
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        context.model.has_read_manifest()?;
        let mut diagnostics = Vec::new();
        let Some(manifest) = &context.model.manifest else { return Ok(diagnostics) };
        let known: Vec<&str> = self.pattern.matches(&manifest.text).map(|found| found.group("key")).collect();
        // In trees whose manifest takes the registries from elsewhere nothing is known.
        if known.is_empty() {
            return Ok(diagnostics);
        }
        for path in context.files.entries().keys().filter(|path| self.is_list(path)) {
            if let Some(text) = context.files.readable(path)? {
                judge(path, &text, &manifest.path, &known, &mut diagnostics);
            }
        }
        if let Some(RegistryList { path, text }) = &context.inputs.registries {
            judge(path, text, &manifest.path, &known, &mut diagnostics);
        }
        Ok(diagnostics)
    }
}

impl Files for Registries {
    fn contain(&self, path: &str) -> bool {
        self.is_list(path)
    }
}

impl Registries {
    /// Whether a file is such a list.
    fn is_list(&self, path: &str) -> bool {
        file_name(path) == self.file
    }
}

fn judge(path: &Arc<str>, text: &Arc<Text>, manifest: &str, known: &[&str], diagnostics: &mut Vec<Diagnostic>) {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(YamlError { message, offset }) => {
            diagnostics.push(Diagnostic::about(
                &message,
                format!("{path} is no YAML: {message}"),
                Location::new(path, text, offset..offset),
            ));
            return;
        }
    };
    for (key, _) in document.root().pairs() {
        let name = key.text().unwrap_or_default();
        if !known.contains(&name.as_str()) {
            let message = format!("{manifest} knows no registry `{name}`, and ignores it");
            let location = Location::new(path, text, Node::span(key));
            diagnostics.push(Diagnostic::about(&name, message, location).help(suggest(&name, known.iter().copied())));
        }
    }
}
