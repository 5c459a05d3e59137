//! `version-change`: a version that the change sets must be free, or must not be a step back.
//!
//! Rules: `decreased-version`, `taken-version`.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::Deserialize;

use super::change::{Change, ProposedBump, free_after};
use super::kind::{Context, Kind, Needs};
use super::returned::returned;
use crate::edit::Fix;
use crate::finding::{Diagnostic, Level, Location};
use crate::model::variant::Variants;
use crate::model::{Image, content};
use crate::parse::version::Variant;
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
        let mut diagnostics = Vec::new();
        for image in context.model.images.values() {
            diagnostics.extend(match self.forbid {
                ForbiddenVersion::Taken => taken(context, change, image)?
                    .or_else(|| claimed(context, change, image))
                    .or(promoted(context, change, image)?),
                ForbiddenVersion::Lower => lower(change, image),
            });
            for variant in image.variants() {
                diagnostics.extend(match self.forbid {
                    ForbiddenVersion::Taken => taken_variant(context, change, image, variant)?
                        .or_else(|| promoted_variant(context, change, image, variant)),
                    ForbiddenVersion::Lower => lower_variant(change, image, variant),
                });
            }
        }
        Ok(diagnostics)
    }
}

/// Says of the version that the change gives a variant that the base branch gave it meanwhile, or a later one.
fn taken_variant(
    context: &Context<'_>,
    change: &Change<'_>,
    image: &Image,
    variant: &Variant,
) -> Result<Option<Diagnostic>, StoreError> {
    let tip = change.tip.images.get(&image.directory).and_then(|tip| tip.variant(&variant.name)?.version.usable());
    let Some(tip) = tip else { return Ok(None) };
    let new = if let Some(authored) = change.variant_taken_in_merge(image, variant) {
        // What changed may be that of other variants alone.
        if !has_changed(context, change, image, variant)? {
            return Ok(None);
        }
        authored.new
    } else {
        let Some((old, new)) = change.new_version_of_variant(image, variant) else { return Ok(None) };
        let Some(files) = &change.pair.tip else { return Ok(None) };
        if !is_passed(image, old, new, tip) || is_same(context, change, files, image)? {
            return Ok(None);
        }
        new
    };
    let branch = change.pair.origin.branch.as_ref().map_or("the base branch", |branch| &*branch.shown);
    let message = if new == tip {
        format!("{} {new} is taken: {branch} has it already", image.name)
    } else {
        format!("{} {new} is taken: {branch} is at {tip} already", image.name)
    };
    let subject = format!("{} {new}", variant.name);
    let mut diagnostic = Diagnostic::about(subject, message, image.variant_location(variant)).image(&image.name);
    if let Some(ProposedBump { next, fix }) = change.bump_variant(context.shape, context.inputs, image, variant) {
        let help = format!("rebase, and set {} to {}", image.variant_words(variant), next.version);
        diagnostic = diagnostic.help(help).fix(fix);
    }
    Ok(Some(diagnostic))
}

/// Whether a file of a variant changed.
fn has_changed(
    context: &Context<'_>,
    change: &Change<'_>,
    image: &Image,
    variant: &Variant,
) -> Result<bool, StoreError> {
    let (Some(before), Some(files)) = (change.before(image), change.content.get(&image.directory)) else {
        return Ok(false);
    };
    let variants =
        Variants { shape: context.shape, before, now: image, base: change.pair.base.as_ref(), head: context.files };
    Ok(variants.touched(files)?.iter().any(|touched| touched.name == variant.name))
}

/// Says of the version that the change gives a variant that it is below the former one.
fn lower_variant(change: &Change<'_>, image: &Image, variant: &Variant) -> Option<Diagnostic> {
    let (old, new) = change.new_version_of_variant(image, variant)?;
    let words = image.variant_words(variant);
    is_lower(image, old, new).then(|| went_down(image, old, new, &words, image.variant_location(variant)))
}

/// Whether a new version is one that the base branch has, or passed on its way from the old one.
fn is_passed(image: &Image, old: &str, new: &str, tip: &str) -> bool {
    // Versions between the merge base and the tip were taken on the way.
    let is_between = image.order(old, new) == Some(Ordering::Less)
        && matches!(image.order(new, tip), Some(Ordering::Less | Ordering::Equal));
    tip != old && (new == tip || is_between)
}

fn taken(context: &Context<'_>, change: &Change<'_>, image: &Image) -> Result<Option<Diagnostic>, StoreError> {
    let Some(tip) = change.tip_version(image) else { return Ok(None) };
    let new = match change.taken_in_merge(image) {
        Some(authored) => Some(authored.new),
        None => taken_meanwhile(context, change, image, tip)?,
    };
    let Some(new) = new else { return Ok(None) };
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
    Ok(Some(diagnostic))
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
    diagnostic.fix = image.version_edits(&next).map(|edits| Fix::safe(title, edits));
    Some(diagnostic)
}

/// Says of a version that the change gives an image, new or not, that the registry has published it: an image that was taken away
/// comes back under the version that it had. Whether with the content that it had, only the registry knows.
fn promoted(context: &Context<'_>, change: &Change<'_>, image: &Image) -> Result<Option<Diagnostic>, StoreError> {
    let Some(new) = change.introduced_version(image) else { return Ok(None) };
    // Where the history knows what it was, that is another rule's matter.
    if lower(change, image).is_some() || returned(context, image)?.is_some() {
        return Ok(None);
    }
    Ok(promoted_before(context, image, new, None))
}

/// The same of a variant.
fn promoted_variant(
    context: &Context<'_>,
    change: &Change<'_>,
    image: &Image,
    variant: &Variant,
) -> Option<Diagnostic> {
    let new = variant.version.usable()?;
    let mut known = change.base.published_as(image).into_iter();
    if known.any(|it| it.versions().contains(&new)) || lower_variant(change, image, variant).is_some() {
        return None;
    }
    promoted_before(context, image, new, Some(variant))
}

/// Says that the registry has published a version that an image, or a variant of it, did not have.
fn promoted_before(context: &Context<'_>, image: &Image, new: &str, variant: Option<&Variant>) -> Option<Diagnostic> {
    // A release branch may take over what another branch built; a step back is another rule's matter.
    let is_release = context.branch.is_some_and(|branch| context.shape.is_release_branch(&branch.name));
    if is_release || !context.inputs.is_promoted(image.published(), &context.shape.tag_of(new)) {
        return None;
    }
    let next = free_after(context.shape, context.inputs, image, new).version;
    let (file, location, edits) = match variant {
        None => (image.version_name.to_string(), image.version_location(), image.version_edits(&next)),
        Some(variant) => {
            (image.variant_words(variant), image.variant_location(variant), image.variant_edits(variant, &next))
        }
    };
    let message = format!("{} {new} is promoted already, and is not built again", image.name);
    let help = format!(
        "fine where it still has the content that {new} was built with, as in a revert; else set {file} to {next}"
    );
    let mut diagnostic = Diagnostic::about(new, message, location).image(&image.name).help(help);
    let title = format!("set {file} of {} to {next}", image.name);
    diagnostic.fix = edits.map(|edits| Fix::risky(title, edits));
    Some(diagnostic.at_most(Level::Warning))
}

/// The version that a change sets although the base branch, which is not merged into it, came to it or passed it since.
fn taken_meanwhile<'i>(
    context: &Context<'_>,
    change: &Change<'_>,
    image: &'i Image,
    tip: &str,
) -> Result<Option<&'i str>, StoreError> {
    let (Some(new), Some(files)) = (image.version(), change.pair.tip.as_ref()) else { return Ok(None) };
    let is_taken = if change.before(image).is_some() {
        change.new_version(image).is_some_and(|(old, new)| is_passed(image, old, new, tip))
    } else {
        // Two changes add the same image.
        new == tip
    };
    // The same change on both sides, as after a cherry-pick, is no race.
    Ok((is_taken && !is_same(context, change, files, image)?).then_some(new))
}

fn lower(change: &Change<'_>, image: &Image) -> Option<Diagnostic> {
    let (old, new) = change.new_version(image)?;
    is_lower(image, old, new).then(|| went_down(image, old, new, &image.version_name, image.version_location()))
}

fn is_lower(image: &Image, old: &str, new: &str) -> bool {
    image.order(new, old) == Some(Ordering::Less)
}

fn went_down(image: &Image, old: &str, new: &str, words: &str, location: Location) -> Diagnostic {
    let message = format!("{} went down from {old} to {new}", image.name);
    let help = format!(
        "fine for a revert, if {new} still has the content that it was built with; else set {words} above {old}"
    );
    Diagnostic::about(new, message, location).image(&image.name).help(help)
}

/// Whether the base branch holds the same image now: the files of its own that are no documentation, and what it is built from
/// elsewhere.
fn is_same(context: &Context<'_>, change: &Change<'_>, tip: &Snapshot<'_>, image: &Image) -> Result<bool, StoreError> {
    let mut changed = change.content.get(&image.directory).into_iter().flatten();
    if !changed.all(|path| tip.entry(path) == context.files.entry(path)) {
        return Ok(false);
    }
    // Each side leaves out of its contexts what its own files say.
    let there = change.tip.images.get(&image.directory).map_or(image, |there| there);
    let there = content::own(change.tip, there, tip, context.shape)?;
    Ok(there == content::own(context.model, image, context.files, context.shape)?)
}
