//! `stage-base`: images for Windows should not be built on bases that are larger than they need.
//!
//! Rules: `oversized-windows-base`.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Concern, Context, Kind, Needs};
use crate::finding::{Diagnostic, Location};
use crate::model::{Final, Image, without_tag};
use crate::parse::baseimage::{Platform, WINDOWS};
use crate::snapshot::StoreError;

/// Which bases are too large, and what to take instead.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StageBase {
    /// Repositories of images that are too large, by the end of their path.
    large: Vec<String>,
    /// What to take instead.
    instead: String,
}

impl Kind for StageBase {
    fn needs(&self) -> Needs<'_> {
        Needs::of_dockerfiles(Concern::Itself)
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        for image in context.model.images.values() {
            let mut found: Vec<(&str, Location)> = Vec::new();
            for last in image.finals(WINDOWS) {
                for (repository, location) in bases(image, &last) {
                    // One file may be built for several versions of Windows.
                    let is_known =
                        found.iter().any(|(_, known)| (&known.path, &known.span) == (&location.path, &location.span));
                    if let Some(large) = self.large(&repository)
                        && !is_known
                    {
                        found.push((large, location));
                    }
                }
            }
            diagnostics.extend(self.diagnostic(image, found));
        }
        Ok(diagnostics)
    }
}

impl StageBase {
    /// Which of the large repositories this is.
    fn large(&self, repository: &str) -> Option<&str> {
        let mut large = self.large.iter().map(String::as_str);
        large.find(|large| repository.strip_suffix(large).is_some_and(|rest| rest.is_empty() || rest.ends_with('/')))
    }

    fn diagnostic(&self, image: &Image, found: Vec<(&str, Location)>) -> Option<Diagnostic> {
        let mut found = found.into_iter();
        let (large, first) = found.next()?;
        let message = format!("{} is built on {large}", image.name);
        let help =
            format!("{} is about a tenth of its size; copy what it lacks from a stage with {large}", self.instead);
        let mut diagnostic = Diagnostic::about(large, message, first).image(&image.name).help(help);
        for (large, location) in found {
            diagnostic = diagnostic.related(format!("{large} here too"), location);
        }
        Some(diagnostic)
    }
}

/// The repositories that the last stage is built on: of the image that it names, that of the stages that it continues, or of the
/// lines of the base file.
fn bases<'i>(image: &'i Image, last: &Final<'i>) -> Vec<(Cow<'i, str>, Location)> {
    let Some(base) = last.base() else { return Vec::new() };
    if !without_tag(&base.value).contains('$') {
        let location = Location::new(last.path, last.text, base.span.clone());
        return vec![(without_tag(&base.value).into(), location)];
    }
    let mut bases = Vec::new();
    if let Some(file) = &image.base_file
        && let Ok((text, lines)) = &file.read
    {
        for line in lines {
            if Platform::parse(&line.key).is_some_and(|platform| platform.os == WINDOWS) {
                let repository = without_tag(text.slice(&line.value_span)).into();
                bases.push((repository, Location::new(&file.path, text, line.value_span.clone())));
            }
        }
    }
    bases
}
