//! `constant`: a literal in the sources must equal an image's version.

use serde::Deserialize;

use super::kind::{Context, Kind, Reads};
use crate::edit::{Edit, Fix};
use crate::finding::Fault;
use crate::snapshot::StoreError;

/// The kind has no options: the pack's `[[constants]]` say which literals are meant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {}

impl Kind for Constant {
    fn reads(&self) -> Reads<'_> {
        Reads::ControlFiles
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        for constant in &context.head.constants {
            for image in context.head.named(&constant.image) {
                let Some(version) = image.version().filter(|version| *version != constant.value) else { continue };
                let path = &constant.place.path;
                let message = format!(
                    "{path} says that {} is {}, but its {} says {version}",
                    image.name, constant.value, image.version_name
                );
                let edit = Edit::replace(path, &constant.place.span, version);
                let fix = Fix::safe(format!("set the version in {path} to {version}"), vec![edit]);
                faults.push(
                    Fault::new(message, constant.place.clone())
                        .image(&image.name)
                        .related(format!("{} is {version} here", image.name), image.version_place())
                        .write(version, fix),
                );
            }
        }
        Ok(faults)
    }
}
