//! `stage-base`: images for an operating system should not be built on bases that are larger than they need.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Context, Kind, Reads, once};
use crate::finding::{Fault, Place};
use crate::model::{Final, Image, without_tag};
use crate::parse::baseimage::Platform;
use crate::snapshot::StoreError;

/// Which bases are too large, and what to take instead.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StageBase {
    /// The operating system.
    system: String,
    /// Repositories of images that are too large, by the end of their path.
    large: Vec<String>,
    /// What to take instead.
    instead: String,
}

impl Kind for StageBase {
    fn reads(&self) -> Reads<'_> {
        Reads::ControlFiles
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        for image in context.head.images.values() {
            let all = image.finals(&self.system).flat_map(|last| self.bases(image, &last));
            let mut bases = all.filter_map(|(repository, place)| {
                let is_it = |large: &&String| {
                    repository.strip_suffix(large.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
                };
                Some((self.large.iter().find(is_it)?, place))
            });
            let Some((large, first)) = bases.next() else { continue };
            let message = format!("{} is built on {large}", image.name);
            let help =
                format!("{} is about a tenth of its size; copy what it lacks from a stage with {large}", self.instead);
            let mut fault = Fault::new(message, first).image(&image.name).help(help);
            for (large, place) in bases {
                fault = fault.related(format!("{large} here too"), place);
            }
            faults.push(fault);
        }
        Ok(once(faults))
    }
}

impl StageBase {
    /// The repositories that the last stage is built on: of the image that it names, that of the stages that it continues, or of
    /// the lines of the base file.
    fn bases<'i>(&self, image: &'i Image, last: &Final<'i>) -> Vec<(Cow<'i, str>, Place)> {
        let Some(base) = last.base() else { return Vec::new() };
        if !without_tag(&base.value).contains('$') {
            let place = Place::new(last.path, last.text, base.span.clone());
            return vec![(without_tag(&base.value).into(), place)];
        }
        let Some((path, (text, lines))) =
            image.base.as_ref().and_then(|base| Some((&base.path, base.read.as_ref().ok()?)))
        else {
            return Vec::new();
        };
        let is_for_it = |key: &str| Platform::parse(key).is_some_and(|platform| platform.os == self.system);
        let lines = lines.iter().filter(|line| is_for_it(&line.key)).map(|line| {
            (without_tag(text.slice(&line.value_span)).into(), Place::new(path, text, line.value_span.clone()))
        });
        lines.collect()
    }
}
