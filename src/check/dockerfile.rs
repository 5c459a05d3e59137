//! `dockerfile`: an image of which no Dockerfile can be read cannot be judged, and that must not pass in silence.
//!
//! Rules: `malformed-dockerfile`, `missing-dockerfile`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Kind, Needs, once};
use crate::finding::{Diagnostic, Location};
use crate::model::{Image, ParseError, Parsed};
use crate::parse::glob::PathPattern;
use crate::path::file_name;
use crate::snapshot::StoreError;

/// What stands in the way.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dockerfile {
    /// What is at fault.
    forbid: ForbiddenDockerfile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ForbiddenDockerfile {
    /// A Dockerfile that cannot be read.
    Malformed,
    /// An image without one.
    Missing,
}

impl Kind for Dockerfile {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let images = context.model.images.values();
        Ok(match self.forbid {
            // One file may be built for several platforms.
            ForbiddenDockerfile::Malformed => once(images.flat_map(|image| malformed(image)).collect()),
            ForbiddenDockerfile::Missing => images.filter_map(|image| missing(context, image)).collect(),
        })
    }
}

fn malformed(image: &Image) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for build in &image.builds {
        let reasons: Vec<(&str, Location)> = match &build.file {
            Err(ParseError { reason, location }) => vec![(reason, location.clone())],
            Ok(Parsed { text, dockerfile }) => {
                let errors = dockerfile.errors.iter();
                errors.map(|error| (&*error.message, Location::new(&build.path, text, error.span.clone()))).collect()
            }
        };
        for (reason, location) in reasons {
            let message = format!("{} of {} cannot be read: {reason}", file_name(&build.path), image.name);
            diagnostics.push(Diagnostic::about(reason, message, location).image(&image.name));
        }
    }
    diagnostics
}

fn missing(context: &Context<'_>, image: &Image) -> Option<Diagnostic> {
    // A pack may look for none at all, and what is no image has none.
    if image.has_dockerfile() || image.kind.is_some() || context.shape.dockerfiles.is_empty() {
        return None;
    }
    let message = format!("{} has no Dockerfile where one is looked for, so its bases are not seen", image.name);
    let mut own = context.model.own_content(image, context.files, context.shape).map(|(path, _)| path);
    let like = own.find(|path| file_name(path).to_ascii_lowercase().contains("dockerfile"));
    let looked_for = context.shape.dockerfiles.iter().map(PathPattern::as_str).collect::<Vec<_>>().join(", ");
    let help = match like {
        Some(path) => format!("tell the pack of it, beside {looked_for}: shape.build.dockerfile = [\"{path}\"]"),
        None => format!("add {looked_for}, or waive this if the image is built otherwise"),
    };
    Some(Diagnostic::about("missing", message, image.version_location()).image(&image.name).help(help))
}
