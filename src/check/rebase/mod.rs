//! `rebase`: what names another image of the tree must name its version.
//!
//! Rules: `stale-base`.

mod used;
mod wanted;
mod stale;
mod undecided;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use self::stale::{Group, Stale};
use self::undecided::{unknown_bases, unknown_version};
use self::wanted::Judge;
use super::kind::{Concern, Context, Kind, Needs, bumped_images};
use crate::finding::Diagnostic;
use crate::model::Reference;
use crate::shape::FilesFollow;
use crate::snapshot::StoreError;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rebase {}

impl Kind for Rebase {
    fn needs(&self) -> Needs<'_> {
        Needs::of_dockerfiles(Concern::Parents)
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        context.model.has_read_manifest()?;
        let judge = Judge { context, is_after_promotion: context.manifest_order()?.is_after_promotion };
        // Each child asks for them, and there may be thousands of both.
        let bumped = context.change.map(|change| bumped_images(context, change)).unwrap_or_default();
        let mut diagnostics = Vec::new();
        for child in context.model.images.values() {
            let mut stale: BTreeMap<Group<'_>, Vec<&Reference>> = BTreeMap::new();
            for reference in &child.references {
                // What is named there is looked at with the files beside images, and for how long it may wait.
                if reference.follows == FilesFollow::Later && context.shape.is_reference_file(&reference.path) {
                    continue;
                }
                let Some(named) = reference.version.as_deref() else {
                    diagnostics.extend(unknown_version(context, child, reference));
                    continue;
                };
                if let Some(wanted) = judge.wanted(child, reference, named) {
                    stale.entry(Group::new(reference, named, wanted)).or_default().push(reference);
                }
            }
            for (group, references) in stale {
                let Some(parent) = context.model.images.get(group.wanted.parent) else { continue };
                diagnostics.extend(Stale { context, child, parent, group, references }.diagnostic());
            }
            diagnostics.extend(unknown_bases(context, child, &bumped));
        }
        Ok(diagnostics)
    }
}
