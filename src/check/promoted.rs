//! `promoted`: what is named must be promoted, as far as it cannot be built any more.
//!
//! Rules: `unpromoted-manifest`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Concern, Context, Kind, Needs, Outside, Reads};
use crate::finding::Diagnostic;
use crate::model::ManifestEntry;
use crate::snapshot::StoreError;

/// The kind has no options: `--promoted` names the list.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promoted {}

impl Kind for Promoted {
    fn needs(&self) -> Needs<'_> {
        Needs {
            files: Reads::ControlFiles,
            dockerfiles: Some(Concern::Itself),
            outside: Outside::Promoted,
            pattern: None,
        }
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        let Some(promoted) = &context.inputs.promoted else { return Ok(diagnostics) };
        context.model.has_read_manifest()?;
        let help = format!("name a tag that {} lists, or promote this one first", promoted.name);
        if let Some(manifest) = &context.model.manifest {
            let is_promoted = |entry: &ManifestEntry| promoted.has(&entry.name, &context.shape.tag_of(&entry.version));
            for entry in manifest.entries.iter().filter(|entry| !is_promoted(entry)) {
                let message = format!("{} names {} {}, which is not promoted", entry.key, entry.name, entry.version);
                let subject = format!("{} {} {}", entry.key, entry.name, entry.version);
                let mut diagnostic = Diagnostic::about(subject, message, manifest.location(entry)).help(&*help);
                diagnostic.image = context.model.images_of_entry(entry).first().map(|image| image.name.clone());
                diagnostics.push(diagnostic);
            }
        }
        for image in context.model.images.values() {
            let mut seen = BTreeSet::new();
            for reference in &image.references {
                let Some(version) = reference.version.as_deref() else { continue };
                let parents = context.model.named(&reference.target);
                // What a parent is now will be built when it is merged; what it was can only come from the registry.
                let is_current = parents.iter().any(|parent| parent.version() == Some(version));
                let is_promoted =
                    parents.iter().any(|parent| promoted.has(parent.published(), &context.shape.tag_of(version)));
                let is_said = !seen.insert((&reference.path, reference.group_key(), &reference.target, version));
                if parents.is_empty() || is_current || is_promoted || is_said {
                    continue;
                }
                let message = format!("{} names {} {version}, which is not promoted", image.name, reference.target);
                let subject = format!("{} {version}", reference.target);
                diagnostics.push(
                    Diagnostic::about(subject, message, reference.version_location()).image(&image.name).help(&*help),
                );
            }
        }
        Ok(diagnostics)
    }
}
