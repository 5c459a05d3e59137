//! `version-drift`: an image must be what it was when its version was given: its tag was built from that.
//!
//! Rules: `unbumped-content`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::change::free_after;
use super::kind::{Context, Kind, Needs, Outside, Reads};
use crate::edit::Fix;
use crate::finding::{Diagnostic, Level, Location};
use crate::history::{Commit, History, Past, Settled};
use crate::model::Image;
use crate::parse::version::Variant;
use crate::snapshot::StoreError;
use crate::text::counted;

/// How many images are named in one line.
const MAX_NAMED: usize = 5;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionDrift {}

impl Kind for VersionDrift {
    fn needs(&self) -> Needs<'_> {
        Needs { files: Reads::ControlFiles, dockerfiles: None, outside: Outside::History, pattern: None }
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        let Some(history) = context.inputs.history.as_ref().filter(|_| context.change.is_none()) else {
            return Ok(diagnostics);
        };
        let (mut cut, mut undecided): (Vec<&Image>, Vec<&Image>) = (Vec::new(), Vec::new());
        for image in context.model.images.values() {
            // The version of a frozen image stays, whatever becomes of its content.
            if context.shape.frozen.is_match(&image.name) {
                continue;
            }
            for (variant, past) in pasts(history, image) {
                match past {
                    // What is only in the working tree is judged as a change, which it still is.
                    Past::Settled(settled) if !settled.changed.is_empty() && settled.since > 0 => {
                        diagnostics.push(drifted(context, image, variant, settled));
                    }
                    Past::Settled(settled) if settled.is_undecided => undecided.push(image),
                    Past::Cut => cut.push(image),
                    Past::Settled(_) => {}
                }
            }
        }
        let why = "the clone is shallow, and its history begins later";
        diagnostics.extend(unknown("shallow", &cut, why, "fetch the history: git fetch --unshallow"));
        let why = "only the build knows all that goes into it";
        diagnostics.extend(unknown(
            "undecided",
            &undecided,
            why,
            "`imglint inspect` shows what is understood of an image",
        ));
        Ok(diagnostics)
    }
}

/// What the history tells of an image, or of each of its variants.
fn pasts<'a>(history: &'a History, image: &'a Image) -> Vec<(Option<&'a Variant>, &'a Past)> {
    let mut pasts = Vec::new();
    if let Some(past) = image.version().and_then(|version| history.of(&image.directory, version)) {
        pasts.push((None, past));
    }
    for variant in image.variants() {
        let Some(version) = variant.version.usable() else { continue };
        if let Some(past) = history.of_variant(&image.directory, &variant.name, version) {
            pasts.push((Some(variant), past));
        }
    }
    pasts
}

fn drifted(context: &Context<'_>, image: &Image, variant: Option<&Variant>, settled: &Settled) -> Diagnostic {
    let file = variant.map_or_else(|| image.version_name.to_string(), |variant| image.variant_words(variant));
    let then = settled.commit.as_ref().map_or_else(String::new, |commit| format!(" in {}", commit.id));
    let message = format!(
        "{} is not what it was when its {file} became {}{then}: since then, {}",
        image.name,
        settled.version,
        since(settled)
    );
    let location = variant.map_or_else(|| image.version_location(), |variant| image.variant_location(variant));
    let subject = variant.map_or_else(|| settled.version.clone(), |it| format!("{} {}", it.name, settled.version));
    let mut diagnostic = Diagnostic::about(subject, message, location).image(&image.name);
    for (commit, path) in &settled.newest {
        diagnostic = diagnostic.related(told(commit), Location::file(path));
    }
    let tag = context.shape.tag_of(&settled.version);
    // A list that lacks the tag says that it is built over until it is promoted.
    if context.inputs.promoted.is_some() && !context.inputs.is_promoted(image.published(), &tag) {
        let help = format!("nothing to do: {tag} is not promoted yet, and is built over until it is");
        return diagnostic.help(help).at_most(Level::Note);
    }
    match bump(context, image, variant) {
        Some((next, fix)) => {
            diagnostic.help(format!("set {file} to {next}, so that it is built under a tag of its own")).fix(fix)
        }
        None => diagnostic,
    }
}

/// What came since: how many commits, and which are the newest.
fn since(settled: &Settled) -> String {
    let mut ids: Vec<&str> = settled.newest.iter().map(|(commit, _)| &*commit.id).collect();
    if settled.since > ids.len() {
        ids.push("…");
    }
    let mut since = format!("{} ({})", counted(settled.since, "commit"), ids.join(", "));
    if settled.has_uncommitted {
        since.push_str(" and changes that are not committed");
    }
    since
}

/// The repair that gives an image the next version that is free. Only a list of what is promoted tells that the tag is used.
fn bump(context: &Context<'_>, image: &Image, variant: Option<&Variant>) -> Option<(String, Fix)> {
    let version = variant.map_or_else(|| image.version(), |variant| variant.version.usable())?;
    let next = free_after(context.shape, context.inputs, image, version).version;
    let (edits, words) = match variant {
        None => (image.version_edits(&next)?, image.version_name.to_string()),
        Some(variant) => (image.variant_edits(variant, &next)?, image.variant_words(variant)),
    };
    let title = format!("set {words} of {} to {next}", image.name);
    let safe = context.inputs.promoted.is_some();
    Some((next, Fix { safe, ..Fix::safe(title, edits) }))
}

/// What is said of images of which it cannot be told whether they drifted.
fn unknown(subject: &str, images: &[&Image], why: &str, help: &str) -> Option<Diagnostic> {
    let first = images.first()?;
    let mut names: Vec<Arc<str>> = images.iter().take(MAX_NAMED).map(|image| Arc::clone(&image.name)).collect();
    if images.len() > MAX_NAMED {
        names.push(format!("{} more", images.len() - MAX_NAMED).into());
    }
    let message =
        format!("cannot tell whether {} changed since {} was set: {why}", names.join(", "), first.version_name);
    let diagnostic = Diagnostic::about(subject, message, first.version_location()).help(help);
    Some(diagnostic.at_most(Level::Note))
}

fn told(commit: &Commit) -> String {
    format!("changed in {}: {}", commit.id, commit.summary)
}
