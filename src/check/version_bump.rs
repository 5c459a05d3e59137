//! `version-bump`: an image whose content changed must get a new version.
//!
//! Rules: `stale-version`.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::{Change, ProposedBump, free_after};
use super::kind::{Context, Kind, Needs};
use super::returned::{Returned, returned};
use crate::edit::Fix;
use crate::finding::{Diagnostic, Level, Location};
use crate::model::build_context::Unknown;
use crate::model::variant::Variants;
use crate::model::{Image, content};
use crate::path::{in_directory, is_below, without_directory};
use crate::snapshot::StoreError;
use crate::text::counted;

/// How many changed files a finding names.
const MAX_NAMED: usize = 5;

/// What is demanded of a change.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionBump {
    /// When an image that changed gets its new version.
    #[serde(default)]
    pub due: Due,
}

/// When an image that changed gets its new version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Due {
    /// In the change.
    #[default]
    Change,
    /// In one that bumps many images at once, before they are released.
    Release,
}

impl Due {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Release => "release",
        }
    }

    /// A diagnostic as it weighs in a change: what is due later is told, and not done unasked.
    fn weigh(self, diagnostic: Diagnostic) -> Diagnostic {
        if self == Self::Change {
            return diagnostic;
        }
        let help = diagnostic.help.as_deref().unwrap_or("it needs a new version");
        let help = format!("by the next release: {help}; `imglint check --all` asks for it then");
        let fix = diagnostic.fix.clone().map(|fix| Fix { safe: false, ..fix });
        Diagnostic { help: Some(help), fix, ..diagnostic }.at_most(Level::Note)
    }
}

impl Kind for VersionBump {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let Some(change) = context.change else { return Ok(Vec::new()) };
        let mut stale = changed_images(context, change)?;
        stale.extend(returned_images(context, change)?);
        let mut diagnostics: Vec<Diagnostic> = stale.into_iter().map(|diagnostic| self.due.weigh(diagnostic)).collect();
        diagnostics.extend(undecided_images(context, change));
        Ok(diagnostics)
    }

    fn unread(&self, context: &Context<'_>) -> Vec<StoreError> {
        let Some(change) = context.change else { return Vec::new() };
        let images = undecided(context, change).into_iter();
        images.flat_map(|(image, _)| change.content.unread(&image.directory)).cloned().collect()
    }
}

/// Images whose content changed, and whose version did not.
fn changed_images(context: &Context<'_>, change: &Change<'_>) -> Result<Vec<Diagnostic>, StoreError> {
    let mut diagnostics = Vec::new();
    for (directory, files) in change.content.iter() {
        let Some(image) = context.model.images.get(directory) else { continue };
        let before = match (change.in_base(image), change.moved_from(image)) {
            (Some(before), _) => before,
            (None, Some(before)) if differs(context, change, before, image)? => before,
            _ => continue,
        };
        if context.shape.frozen.is_match(&image.name) {
            continue;
        }
        for kept in kept_versions(context, change, Versions { before, image }, files)? {
            diagnostics.push(still(context, change, image, files, kept));
        }
    }
    Ok(diagnostics)
}

/// Images that were deleted once, and come back as others under the version that they had.
fn returned_images(context: &Context<'_>, change: &Change<'_>) -> Result<Vec<Diagnostic>, StoreError> {
    let mut diagnostics = Vec::new();
    for image in context.model.images.values().filter(|image| change.before(image).is_none()) {
        if let Some(returned) = returned(context, image)?.filter(|returned| !returned.is_same) {
            diagnostics.push(other_than_before(context, image, &returned));
        }
    }
    Ok(diagnostics)
}

/// Notes of images of which only the build knows whether they changed.
fn undecided_images(context: &Context<'_>, change: &Change<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for (image, version) in undecided(context, change) {
        for Unknown { location, why } in change.content.unknown(&image.directory) {
            let message = format!("cannot tell whether {} changed: {why}", image.name);
            let help = format!(
                "write what it is built from as it is, or see to it that {} is right, which is still {version}",
                image.version_name
            );
            let diagnostic = Diagnostic::about("undecided", message, location.clone()).image(&image.name).help(help);
            diagnostics.push(diagnostic.at_most(Level::Note));
        }
    }
    diagnostics
}

/// A version that stays although what has it changed.
struct Kept<'a> {
    version: &'a str,
    /// What findings call it.
    words: Arc<str>,
    location: Location,
    subject: String,
    bump: Option<ProposedBump>,
}

/// An image before and after.
#[derive(Clone, Copy)]
struct Versions<'a> {
    before: &'a Image,
    image: &'a Image,
}

/// The versions that an image keeps although these files of it changed: its own, or those of its variants that have them.
fn kept_versions<'a>(
    context: &Context<'a>,
    change: &Change<'a>,
    Versions { before, image }: Versions<'a>,
    files: &BTreeSet<Arc<str>>,
) -> Result<Vec<Kept<'a>>, StoreError> {
    let mut kept = Vec::new();
    let (shape, inputs) = (context.shape, context.inputs);
    let (Some(old), Some(new)) = (before.stated_version(), image.stated_version()) else { return Ok(kept) };
    if old.variants.len() < 2 && new.variants.len() < 2 {
        // It was bumped, to a version that is taken: that is another rule's matter.
        if old.value == new.value && change.taken_in_merge(image).is_none() {
            kept.push(Kept {
                version: &new.value,
                words: Arc::clone(&image.version_name),
                location: image.version_location(),
                subject: "content".to_owned(),
                bump: change.bump(shape, inputs, image),
            });
        }
        return Ok(kept);
    }
    let (base, head) = (change.pair.base.as_ref(), context.files);
    for variant in (Variants { shape, before, now: image, base, head }).touched(files)? {
        let version = &variant.version.value;
        if change.variant_taken_in_merge(image, variant).is_some() {
            continue;
        }
        if before.variant(&variant.name).is_some_and(|before| before.version.value == *version) {
            kept.push(Kept {
                version,
                words: image.variant_words(variant).into(),
                location: image.variant_location(variant),
                subject: format!("content {}", variant.name),
                bump: change.bump_variant(shape, inputs, image, variant),
            });
        }
    }
    Ok(kept)
}

/// Says that a version is still what it was.
fn still(
    context: &Context<'_>,
    change: &Change<'_>,
    image: &Image,
    files: &BTreeSet<Arc<str>>,
    kept: Kept<'_>,
) -> Diagnostic {
    let Kept { version, words, location, subject, bump } = kept;
    let directory = &image.directory;
    let is_known_unpromoted = is_known_unpromoted(context, image, version);
    let message = if is_known_unpromoted {
        format!("{} changed; {version} is not promoted yet, and will be built over", image.name)
    } else {
        format!("{} changed, but its {words} is still {version}", image.name)
    };
    let mut diagnostic = Diagnostic::about(subject, message, location).image(&image.name);
    if is_known_unpromoted {
        diagnostic = diagnostic.at_most(Level::Warning);
    }
    for path in files.iter().take(MAX_NAMED) {
        let what =
            if is_below(path, directory) { "this changed" } else { "this changed, and the image is built with it" };
        diagnostic = diagnostic.related(what, Location::file(path));
    }
    diagnostic = diagnostic.because(cause(files));
    if files.len() > MAX_NAMED {
        let more = files.len() - MAX_NAMED;
        diagnostic = diagnostic.related(format!("and {}", counted(more, "further file")), Location::file(directory));
    }
    let Some(ProposedBump { next, mut fix }) = bump else { return diagnostic };
    let still = if change.in_base(image).is_none() {
        format!("it is still published as {}: ", image.published())
    } else {
        String::new()
    };
    // Nobody has to bump what was bumped and is not promoted.
    let unless = if is_known_unpromoted { ", if somebody uses what was built already" } else { "" };
    fix.safe &= !is_known_unpromoted;
    diagnostic.help(format!("{still}set {words} to {next}{unless}")).fix(fix)
}

/// Says of an image that comes back under the version that it had, that it is another one.
fn other_than_before(context: &Context<'_>, image: &Image, returned: &Returned<'_>) -> Diagnostic {
    let Returned { commit, version, .. } = returned;
    let (words, name) = (&image.version_name, &image.name);
    let message =
        format!("{name} is not what it was when {} took it away, but its {words} is still {version}", commit.id);
    let next = free_after(context.shape, context.inputs, image, version).version;
    let mut diagnostic = Diagnostic::about("content", message, image.version_location()).image(name);
    if is_known_unpromoted(context, image, version) {
        diagnostic = diagnostic.at_most(Level::Warning);
    }
    let title = format!("set {words} of {name} to {next}");
    diagnostic.fix = image.version_edits(&next).map(|edits| Fix::safe(title, edits));
    diagnostic.help(format!("set {words} to {next}"))
}

/// Which files changed, in a few words.
fn cause(files: &BTreeSet<Arc<str>>) -> String {
    let first = files.first().map_or("its content", |path| &**path);
    match files.len() {
        0 | 1 => format!("{first} changed"),
        count => format!("{first} and {} changed", counted(count - 1, "further file")),
    }
}

/// The images that may have changed without a new version, each with the version that it keeps.
fn undecided<'a>(context: &Context<'a>, change: &'a Change<'a>) -> Vec<(&'a Image, &'a str)> {
    let mut images = Vec::new();
    for directory in change.content.undecided() {
        let Some(image) = context.model.images.get(directory) else { continue };
        if context.shape.frozen.is_match(&image.name) {
            continue;
        }
        let before = change.before(image).and_then(Image::stated_version);
        if let (Some(before), Some(after)) = (before, image.stated_version())
            && before.value == after.value
        {
            images.push((&**image, after.value.as_str()));
        }
    }
    images
}

/// Whether the list of what is promoted is there and lacks a version: its tag may be built again.
fn is_known_unpromoted(context: &Context<'_>, image: &Image, version: &str) -> bool {
    let tag = context.shape.tag_of(version);
    context.inputs.promoted.as_ref().is_some_and(|promoted| !promoted.has(image.published(), &tag))
}

/// Whether the content of an image is another one than before it moved. The name that it keeps does not count.
fn differs(context: &Context<'_>, change: &Change<'_>, before: &Image, after: &Image) -> Result<bool, StoreError> {
    let Some(base) = &change.pair.base else { return Ok(true) };
    let mut then = content::own(change.base, before, base, context.shape)?;
    let mut now = content::own(context.model, after, context.files, context.shape)?;
    for files in [&mut then, &mut now] {
        files.retain(|(path, _)| Some(*path) != context.shape.alias_file.as_deref());
    }
    if then != now {
        return Ok(true);
    }
    for path in change.content.get(&after.directory).into_iter().flatten() {
        // What lies elsewhere did not move with it.
        if !is_below(path, &after.directory) {
            return Ok(true);
        }
        // Documentation is content where it is copied, and so is what the image in the root takes from around it.
        let below = without_directory(path, &after.directory);
        let is_alias = Some(below) == context.shape.alias_file.as_deref();
        if !is_alias && context.files.entry(path) != base.entry(&in_directory(&before.directory, below)) {
            return Ok(true);
        }
    }
    Ok(false)
}
