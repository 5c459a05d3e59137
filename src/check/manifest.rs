//! `manifest`: the file that says which version of an image is used must follow the images, and not run ahead of them.
//!
//! Rules: `stale-manifest`, `unbuilt-manifest`.

use std::cmp::Ordering;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::change::Change;
use super::kind::{Context, Kind, Missing, Needs, Outside, Reads, Sight};
use crate::edit::{Edit, Fix};
use crate::finding::{Diagnostic, Level, Location};
use crate::history::Past;
use crate::inputs::Promoted;
use crate::model::{self, Image, ManifestEntry, Model};
use crate::snapshot::StoreError;

/// What is demanded of the manifest. When it follows is said by the shape: `manifest.follows`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// What is demanded of an entry.
    demand: Demand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Demand {
    /// An entry must follow its image's version.
    Current,
    /// An entry must not name what cannot have been built.
    Built,
}

impl Kind for Manifest {
    fn needs(&self) -> Needs<'_> {
        let outside = if self.demand == Demand::Current { Outside::HistoryIfThere } else { Outside::Nothing };
        Needs { files: Reads::ControlFiles, dockerfiles: None, outside, pattern: None }
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        context.model.has_read_manifest()?;
        match self.demand {
            Demand::Current => stale(context),
            Demand::Built => unbuilt(context),
        }
    }

    fn missing(&self, sight: Sight<'_>) -> Option<Missing> {
        let needs_base = self.demand == Demand::Current && !sight.is_after_promotion;
        (needs_base && !sight.has_base).then_some(Missing::Base)
    }
}

fn stale(context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
    let Some(manifest) = &context.model.manifest else { return Ok(gone(context).into_iter().collect()) };
    let mut diagnostics = unread(context, manifest);
    let is_after_promotion = context.manifest_order()?.is_after_promotion;
    for entry in manifest.entries.iter().filter(|entry| !entry.is_pinned) {
        let images = context.model.images_of_entry(entry);
        for image in &images {
            let Some(version) = image.version().filter(|version| *version != entry.version) else { continue };
            let lag = Lag { context, manifest, entry, image, version };
            if !is_after_promotion {
                diagnostics.extend(lag.in_same_change());
            } else if images.iter().all(|other| other.version() != Some(&entry.version)) {
                // Of several images of one name, the entry may be about the other one.
                diagnostics.extend(lag.after_promotion());
            }
        }
    }
    Ok(diagnostics)
}

/// The diagnostic of a change that takes the manifest away.
fn gone(context: &Context<'_>) -> Option<Diagnostic> {
    let manifest = context.change?.base.manifest.as_ref()?;
    let message = format!("{} is gone, and with it the versions that are used", manifest.path);
    let diagnostic = Diagnostic::about("gone", message, Location::file(&manifest.path));
    Some(diagnostic.help("move it back, or tell the pack where it is now"))
}

/// The diagnostics of entries that the change writes in a way that nothing can be read from.
fn unread(context: &Context<'_>, manifest: &model::Manifest) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let before = context.change.and_then(|change| change.base.manifest.as_ref());
    for (entry, span) in before.into_iter().flat_map(|before| manifest.unread(before)) {
        let message = format!("{} is written in a way that cannot be read, so its version is not seen", entry.key);
        let help = "write it as the other entries are, or give the pack a pattern that reads it";
        let location = Location::new(&manifest.path, &manifest.text, span);
        diagnostics.push(Diagnostic::about(format!("{} unread", entry.key), message, location).help(help));
    }
    diagnostics
}

/// An entry that names another version than its image has.
struct Lag<'a> {
    context: &'a Context<'a>,
    manifest: &'a model::Manifest,
    entry: &'a ManifestEntry,
    image: &'a Arc<Image>,
    /// The image's version.
    version: &'a str,
}

impl Lag<'_> {
    /// Where the manifest follows in the same change: a change of the version must bring it along.
    fn in_same_change(&self) -> Option<Diagnostic> {
        self.context.change?.new_version(self.image)?;
        Some(self.diagnostic(self.still_names(), true, "in the same change"))
    }

    /// Where the manifest follows when an image is promoted: until then it is a note what a later change will have to write.
    fn after_promotion(&self) -> Option<Diagnostic> {
        let order = self.image.order(&self.entry.version, self.version);
        // An entry that runs ahead is never to be lowered: a release branch takes images that others built.
        if order == Some(Ordering::Greater) {
            return None;
        }
        let Self { context, entry, image, version, .. } = self;
        let is_promoted = context.inputs.is_promoted(&entry.name, &context.shape.tag_of(version));
        if let Some(change) = context.change {
            if let Some(before) = lowered(change, entry) {
                return is_promoted.then(|| self.went_back(before));
            }
            let is_moved = is_moved(change, entry);
            let is_bumped = change.before(image).and_then(Image::version) != Some(*version);
            return match (is_promoted, is_bumped, is_moved) {
                (true, true, _) | (true, _, true) => Some(self.diagnostic(self.still_names(), true, PROMOTED)),
                (false, true, false) => Some(self.note(self.still_names())),
                _ => None,
            };
        }
        let names = format!("{} names {} {}", entry.key, image.name, entry.version);
        match (&context.inputs.promoted, order) {
            (Some(promoted), Some(_)) if is_promoted => Some(self.diagnostic(
                format!("{names}, but {version} is promoted, says {}", promoted.name),
                true,
                PROMOTED,
            )),
            (Some(_), None) if is_promoted => {
                let message = format!("{names} and {version} is promoted: which of them is newer cannot be told");
                Some(self.diagnostic(message, false, PROMOTED).at_most(Level::Note))
            }
            (Some(promoted), _) => self.behind(promoted),
            (None, _) => Some(self.waiting(format!("{names}, but {} is at {version}", image.name))),
        }
    }

    /// Where the image's version is not promoted yet, an entry may still be behind one that is.
    fn behind(&self, promoted: &Promoted) -> Option<Diagnostic> {
        let Self { context, manifest, entry, image, version } = *self;
        let mut newest: Option<&str> = None;
        for tag in promoted.tags(&entry.name) {
            let Some(other) = tag.strip_prefix(&*context.shape.tag_prefix) else { continue };
            let is_between = image.order(other, version) == Some(Ordering::Less)
                && image.order(other, newest.unwrap_or(&entry.version)) == Some(Ordering::Greater);
            if is_between {
                newest = Some(other);
            }
        }
        let (newest, list) = (newest?, &promoted.name);
        let names = format!("{} names {} {}", entry.key, image.name, entry.version);
        let title = format!("set {} in {} to {newest}", entry.key, manifest.path);
        let edit = Edit::replace(&manifest.path, &entry.span, newest);
        let message = format!("{names}, but {newest} is promoted, says {list}");
        let diagnostic = Diagnostic::about(&entry.key, message, manifest.location(entry))
            .image(&image.name)
            .related(format!("{} is {version} here, which is not promoted yet", image.name), image.version_location())
            .write(newest, Fix::safe(title, vec![edit]));
        Some(at(diagnostic, PROMOTED))
    }

    /// An entry that goes back while its image stays is how a regression is met, and a word to whoever reads the change.
    fn went_back(&self, before: &str) -> Diagnostic {
        let Self { manifest, entry, image, version, .. } = self;
        let ManifestEntry { key, version: now, .. } = entry;
        let message = format!("{key} goes back from {before} to {now} of {}, whose {version} is promoted", image.name);
        Diagnostic::about(&entry.key, message, manifest.location(entry))
            .image(&image.name)
            .related(format!("{} is {version} here", image.name), image.version_location())
            .help("fine for a revert; what mends the image needs a version of its own")
            .at_most(Level::Note)
    }

    /// Without a list of what is promoted, only age tells an entry that waits from one that was forgotten.
    fn waiting(&self, message: String) -> Diagnostic {
        let Self { context, image, version, .. } = self;
        let past =
            context.inputs.history.as_ref().and_then(|history| Some((history, history.of(&image.directory, version)?)));
        let grace = context.shape.manifest.as_ref().map_or(0, |manifest| i64::from(manifest.grace_days));
        match past {
            Some((history, Past::Settled(settled))) if history.days(settled) > grace => {
                let message = format!("{message}, for {} days", history.days(settled));
                self.diagnostic(message, false, "if it is promoted").at_most(Level::Warning)
            }
            Some((_, Past::Cut)) => self.note(format!("{message}; for how long a shallow clone does not tell")),
            _ => self.note(message),
        }
    }

    fn still_names(&self) -> String {
        let Self { entry, image, version, .. } = self;
        format!("{} is now at {version}, but {} still names {}", image.name, entry.key, entry.version)
    }

    /// Nothing is wrong yet.
    fn note(&self, message: String) -> Diagnostic {
        self.diagnostic(message, false, "in a later change, when it is promoted").at_most(Level::Note)
    }

    /// The diagnostic, with a repair, and the words for when that is to be made.
    fn diagnostic(&self, message: String, is_safe: bool, when: &str) -> Diagnostic {
        let Self { manifest, entry, image, version, .. } = self;
        let title = format!("set {} in {} to {version}", entry.key, manifest.path);
        let edit = Edit::replace(&manifest.path, &entry.span, *version);
        let diagnostic = Diagnostic::about(&entry.key, message, manifest.location(entry))
            .image(&image.name)
            .related(format!("{} is {version} here", image.name), image.version_location())
            .write(version, Fix { safe: is_safe, ..Fix::safe(title, vec![edit]) });
        at(diagnostic, when)
    }
}

/// The same, with the words for when it is to be repaired.
fn at(mut diagnostic: Diagnostic, when: &str) -> Diagnostic {
    diagnostic.help = diagnostic.help.map(|help| format!("{help}, {when} (`shape.manifest.follows` says when)"));
    diagnostic
}

/// When an entry is to be moved whose image is promoted.
const PROMOTED: &str = "now that it is promoted";

/// Whether the change writes an entry's version.
fn is_moved(change: &Change<'_>, entry: &ManifestEntry) -> bool {
    let mut before = change.base.manifest.iter().flat_map(|manifest| manifest.of_key(&entry.key));
    !before.any(|before| before.version == entry.version)
}

/// The version that the change lowered an entry from, if it did.
fn lowered<'a>(change: &Change<'a>, entry: &ManifestEntry) -> Option<&'a str> {
    let mut before = change.base.manifest.iter().flat_map(|manifest| manifest.of_key(&entry.key));
    let before = before.find(|before| before.name == entry.name)?;
    let image = *change.base.images_of_entry(before).first()?;
    (image.order(&entry.version, &before.version) == Some(Ordering::Less)).then_some(&*before.version)
}

/// The diagnostic of an entry that the change moves to a version of which nothing tells whether it was built.
fn unordered(context: &Context<'_>, manifest: &model::Manifest, entry: &ManifestEntry) -> Option<Diagnostic> {
    let change = context.change.filter(|change| context.inputs.promoted.is_none() && is_moved(change, entry))?;
    let images = context.model.images_of_entry(entry);
    let image = images.first()?;
    for known in images.iter().copied().chain(change.base.images_of_entry(entry)) {
        // What can be ordered was judged.
        if known.order(&entry.version, known.version()?).is_some() {
            return None;
        }
    }
    let (version, named) = (image.version()?, &entry.version);
    let message = format!("{} names {} {named}, and nothing tells whether that was built", entry.key, image.name);
    let diagnostic = Diagnostic::about(unbuilt_subject(entry), message, manifest.location(entry))
        .image(&image.name)
        .related(format!("{} is {version} here", image.name), image.version_location())
        .help(format!("{named} and {version} have no order; `--promoted FILE` tells what is there"));
    Some(diagnostic.at_most(Level::Note))
}

fn unbuilt(context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
    let mut diagnostics = Vec::new();
    let Some(manifest) = &context.model.manifest else { return Ok(diagnostics) };
    let is_after_promotion = context.manifest_order()?.is_after_promotion;
    for entry in &manifest.entries {
        // What is promoted was built, whatever its image says now.
        if context.inputs.is_promoted(&entry.name, &context.shape.tag_of(&entry.version)) {
            continue;
        }
        if context.change.is_some_and(|change| is_left(change, entry, is_after_promotion)) {
            continue;
        }
        let diagnostic = if let Some(image) = ahead_of(context.model, entry) {
            Some(ahead(context, manifest, entry, image, is_after_promotion))
        } else if is_after_promotion {
            introduced(context, manifest, entry)
        } else {
            None
        };
        diagnostics.extend(diagnostic.or_else(|| unordered(context, manifest, entry)));
    }
    Ok(diagnostics)
}

/// What is at fault is the entry, whichever version its image has by now.
fn unbuilt_subject(entry: &ManifestEntry) -> String {
    format!("{} {}", entry.key, entry.version)
}

/// The image that an entry runs ahead of: all that it can be about are behind it.
fn ahead_of<'m>(model: &'m Model, entry: &ManifestEntry) -> Option<&'m Arc<Image>> {
    let images = model.images_of_entry(entry);
    for image in &images {
        if image.order(&entry.version, image.version()?) != Some(Ordering::Greater) {
            return None;
        }
    }
    images.first().copied()
}

/// Whether the change left an entry as it was, and nothing is to be said of it: it ran ahead of its image before, or the entry has a
/// time of its own, and a version that goes down asks for no entry that follows it.
fn is_left(change: &Change<'_>, entry: &ManifestEntry, is_after_promotion: bool) -> bool {
    let is_known = ahead_of(change.base, entry).is_some() || (is_after_promotion && is_reached(change.base, entry));
    !is_moved(change, entry) && is_known
}

/// Whether an image of a tree has the version that an entry names, or a later one.
fn is_reached(model: &Model, entry: &ManifestEntry) -> bool {
    let mut images = model.images_of_entry(entry).into_iter();
    images.any(|image| {
        let order = image.version().and_then(|version| image.order(&entry.version, version));
        matches!(order, Some(Ordering::Less | Ordering::Equal))
    })
}

fn ahead(
    context: &Context<'_>,
    manifest: &model::Manifest,
    entry: &ManifestEntry,
    image: &Image,
    is_after_promotion: bool,
) -> Diagnostic {
    let version = image.version().unwrap_or_default();
    let ManifestEntry { key, version: named, .. } = entry;
    let message = format!("{key} names {} {named}, but {} has only reached {version}", image.name, image.name);
    let diagnostic = Diagnostic::about(unbuilt_subject(entry), message, manifest.location(entry))
        .image(&image.name)
        .related(format!("{} is {version} here", image.name), image.version_location());
    // A release branch takes images that were built elsewhere, and only the list tells which.
    let branch = context.branch.map(|branch| &*branch.name).filter(|name| context.shape.is_release_branch(name));
    match branch {
        Some(branch) if is_after_promotion && context.inputs.promoted.is_none() => diagnostic
            .at_most(Level::Warning)
            .help(format!("{branch} may use what another branch built: `--promoted FILE` tells whether this is there")),
        _ => diagnostic.help(format!("name a version that was built; the newest can be {version}")),
    }
}

/// The diagnostic of an entry that names what the same change introduces.
fn introduced(context: &Context<'_>, manifest: &model::Manifest, entry: &ManifestEntry) -> Option<Diagnostic> {
    let change = context.change?;
    let of_base = change.base.manifest.as_ref();
    let before = of_base.map(|manifest| manifest.that_may_mean(&[&entry.name])).unwrap_or_default();
    if before.iter().any(|before| before.name == entry.name && before.version == entry.version) {
        return None;
    }
    let images = context.model.images_of_entry(entry);
    let image = images.into_iter().find(|image| change.introduced_version(image) == Some(&*entry.version))?;
    let message = format!("{} names {} {}, which this very change introduces", entry.key, image.name, entry.version);
    Some(
        Diagnostic::about(unbuilt_subject(entry), message, manifest.location(entry))
            .image(&image.name)
            .help("nothing can have built it yet: move the entry in a later change, when the image is promoted")
            .related("the version is introduced here", image.version_location()),
    )
}
