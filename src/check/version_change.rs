//! `version-change`: a version that the change sets must be free, or must not be a step back.
//!
//! Rules: `decreased-version`, `taken-version`.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::Deserialize;

use super::change::{Change, ProposedBump, free_after};
use super::kind::{Context, Kind, Needs};
use crate::edit::Fix;
use crate::finding::Diagnostic;
use crate::model::Image;
use crate::snapshot::{Snapshot, StoreError};

/// What a new version may not be.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VersionChange {
    /// Which new versions are at fault.
    forbid: ForbiddenVersion,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ForbiddenVersion {
    /// A version that the base branch took since the change left it.
    Taken,
    /// A version below the former one.
    Lower,
}

impl VersionChange {
    /// Whether it looks for versions that the base branch took.
    pub fn is_about_taken(&self) -> bool {
        self.forbid == ForbiddenVersion::Taken
    }
}

impl Kind for VersionChange {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let Some(change) = context.change else { return Ok(Vec::new()) };
        let images = context.head.images.values();
        let diagnostics = images.filter_map(|image| match self.forbid {
            ForbiddenVersion::Taken => taken(context, change, image).or_else(|| claimed(context, change, image)),
            ForbiddenVersion::Lower => lower(change, image),
        });
        Ok(diagnostics.collect())
    }
}

fn taken(context: &Context<'_>, change: &Change<'_>, image: &Image) -> Option<Diagnostic> {
    let tip = change.tip_version(image)?;
    let new = if let Some(authored) = change.taken_in_merge(image) {
        authored.new
    } else {
        taken_meanwhile(context, change, image, tip)?
    };
    let file = &image.version_name;
    let branch = change.pair.origin.branch.as_ref().map_or("the base branch", |branch| &*branch.shown);
    let message = if new == tip {
        format!("{} {new} is taken: {branch} has it already", image.name)
    } else {
        format!("{} {new} is taken: {branch} is at {tip} already", image.name)
    };
    let mut diagnostic = Diagnostic::about(new, message, image.version_location()).image(&image.name);
    if let Some(ProposedBump { next, fix }) = change.bump(context.shape, context.inputs, image) {
        diagnostic = diagnostic.help(format!("rebase, and set {file} to {}", next.version)).fix(fix);
    }
    Some(diagnostic)
}

/// Says of a version that the change gives an image, new or not, that somebody else's open change had it first.
fn claimed(context: &Context<'_>, change: &Change<'_>, image: &Image) -> Option<Diagnostic> {
    let new = change.new_version(image).map(|(_, new)| new).or_else(|| change.introduced_version(image))?;
    let claims = context.inputs.claims.as_ref()?;
    let claim = claims.earlier_of_others([image.published(), &image.name], new)?;
    let message = format!("{} {new} is taken: {} claims it", image.name, claim.who);
    let next = free_after(context.shape, context.inputs, image, new).version;
    let mut diagnostic = Diagnostic::about(new, message, image.version_location())
        .image(&image.name)
        .help(format!("set {} to {next}, which nobody claims", image.version_name));
    let title = format!("set {} of {} to {next}", image.version_name, image.name);
    diagnostic.fix = image.version_edit(&next).map(|edit| Fix::safe(title, vec![edit]));
    Some(diagnostic)
}

/// The version that a change sets although the base branch, which is not merged into it, came to it or passed it since.
fn taken_meanwhile<'i>(context: &Context<'_>, change: &Change<'_>, image: &'i Image, tip: &str) -> Option<&'i str> {
    let new = image.version()?;
    let is_taken = if change.before(image).is_some() {
        let (old, new) = change.new_version(image)?;
        // Versions between the merge base and the tip were taken on the way.
        let is_passed = image.order(old, new) == Some(Ordering::Less)
            && matches!(image.order(new, tip), Some(Ordering::Less | Ordering::Equal));
        tip != old && (new == tip || is_passed)
    } else {
        // Two changes add the same image.
        new == tip
    };
    // The same change on both sides, as after a cherry-pick, is no race.
    let files = change.pair.tip.as_ref()?;
    (is_taken && !is_same(context, change, files, image)).then_some(new)
}

fn lower(change: &Change<'_>, image: &Image) -> Option<Diagnostic> {
    let (old, new) = change.new_version(image)?;
    if image.order(new, old) != Some(Ordering::Less) {
        return None;
    }
    let message = format!("{} went down from {old} to {new}", image.name);
    let help = format!(
        "fine for a revert, if {new} still has the content that it was built with; else set {} above {old}",
        image.version_name
    );
    Some(Diagnostic::about(new, message, image.version_location()).image(&image.name).help(help))
}

/// Whether the base branch holds the same image now: the files of its own that are no documentation, and what it is built from
/// elsewhere.
fn is_same(context: &Context<'_>, change: &Change<'_>, tip: &Snapshot<'_>, image: &Image) -> bool {
    let mut changed = change.content.get(&image.directory).into_iter().flatten();
    let [there, here] = [(change.tip, tip), (context.head, context.files)]
        .map(|(model, files)| model.own_content(image, files, context.shape));
    changed.all(|path| tip.entry(path) == context.files.entry(path)) && there.eq(here)
}
