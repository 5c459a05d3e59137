//! `constant`: a literal in the sources must equal an image's version.
//!
//! Rules: `mismatched-constant`.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Kind, Needs, Outside};
use super::later::{Waiting, waiting};
use crate::edit::{Edit, Fix};
use crate::finding::{Diagnostic, Location};
use crate::model::{ConstantValue, Image, Model};
use crate::path::{directory_of, is_below};
use crate::shape::{Constant as Described, ConstantFollows};
use crate::snapshot::StoreError;

/// The kind has no options: the pack's `[[constants]]` say which literals are meant.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constant {}

impl Kind for Constant {
    fn needs(&self) -> Needs<'_> {
        Needs { outside: Outside::HistoryIfThere, ..Needs::of_control_files() }
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        for constant in &context.model.constants {
            for image in context.model.named(&constant.image) {
                let Some(version) = image.version().filter(|version| *version != constant.value) else { continue };
                // What never was the version is something else: it is as wrong as it was.
                let missed = stranger(constant, context).unwrap_or(version);
                let diagnostic = mismatch(constant, image, version, missed);
                let described = &context.shape.constants[constant.table];
                let is_later = match described.follows {
                    ConstantFollows::SameChange => false,
                    ConstantFollows::Later => true,
                    ConstantFollows::Auto => context.manifest_order()?.is_after_promotion,
                };
                let followed = Followed { image, version, days: described.grace_days };
                diagnostics.extend(if is_later {
                    behind(diagnostic, constant, context, &followed)
                } else {
                    Some(diagnostic)
                });
            }
        }
        for constant in &context.shape.constants {
            diagnostics.extend(vanished(constant, context)?);
        }
        Ok(diagnostics)
    }

    fn unread(&self, context: &Context<'_>) -> Vec<StoreError> {
        let mut unread = Vec::new();
        for error in &context.model.unread_constants {
            let mut constants = context.shape.constants.iter();
            // Of the files beside one that is gone, those are asked for that may hold what base had.
            let is_asked = constants.any(|constant| {
                *constant.path == *error.path
                    || context.change.is_some_and(|change| value_of(change.base, constant).is_some())
            });
            if is_asked {
                unread.push(error.clone());
            }
        }
        unread
    }
}

/// Says that a constant is not the version of its image; `missed` is the one that it did not follow.
fn mismatch(constant: &ConstantValue, image: &Image, version: &str, missed: &str) -> Diagnostic {
    let path = &constant.location.path;
    let message =
        format!("{path} says that {} is {}, but its {} says {version}", image.name, constant.value, image.version_name);
    let edit = Edit::replace(path, &constant.location.span, version);
    let fix = Fix::safe(format!("set the version in {path} to {version}"), vec![edit]);
    Diagnostic::about(format!("{} {missed}", constant.value), message, constant.location.clone())
        .image(&image.name)
        .related(format!("{} is {version} here", image.name), image.version_location())
        .write(version, fix)
}

/// What a constant follows in a later change.
struct Followed<'a> {
    image: &'a Image,
    version: &'a str,
    /// For how many days it may wait.
    days: u32,
}

/// The same of a constant that follows later: it is told, and weighs something once it is due or was forgotten. What runs ahead is left
/// alone, as a branch may use what another one built.
fn behind(
    diagnostic: Diagnostic,
    constant: &ConstantValue,
    context: &Context<'_>,
    followed: &Followed<'_>,
) -> Option<Diagnostic> {
    let Followed { image, version, days } = followed;
    if image.order(&constant.value, version) == Some(Ordering::Greater) {
        return None;
    }
    let is_moved = context.change.is_some_and(|change| change.new_version(image).is_some());
    let waiting = waiting(context, image, version, *days).filter(|waiting| waiting.is_due || !is_moved);
    let Waiting { suffix, when, level, is_due } = waiting.or_else(|| is_moved.then(Waiting::of_change))?;
    let message = diagnostic.message.clone() + &suffix;
    let fix = diagnostic.fix.clone().map(|fix| Fix { safe: fix.safe && is_due, ..fix });
    let help = format!("write {version} here{when}");
    Some(Diagnostic { message, fix, level, help: Some(help), ..diagnostic })
}

/// The version that base had, where it held this value too, beside the right one: then it is as wrong as it was before.
fn stranger<'a>(constant: &ConstantValue, context: &'a Context<'_>) -> Option<&'a str> {
    let base = context.change?.base;
    let before = base.named(&constant.image).first()?.version()?;
    let now = context.model.named(&constant.image).first()?.version()?;
    let was_beside = holds(base, constant, &constant.value) && holds(base, constant, before);
    (was_beside && before != constant.value && holds(context.model, constant, now)).then_some(before)
}

/// Whether a constant of the same image has a value somewhere.
fn holds(model: &Model, constant: &ConstantValue, value: &str) -> bool {
    model.constants.iter().any(|known| known.image == constant.image && known.value == value)
}

/// The first value of a constant, wherever beside its file it stands.
fn value_of<'m>(model: &'m Model, constant: &Described) -> Option<&'m ConstantValue> {
    let directory = directory_of(&constant.path);
    model.constants.iter().find(|value| value.image == constant.image && is_below(&value.location.path, directory))
}

/// Says that a constant which base had is nowhere now, and that no linker sets it: from then on nothing would be compared.
fn vanished(constant: &Described, context: &Context<'_>) -> Result<Option<Diagnostic>, StoreError> {
    let base = context.change.and_then(|change| value_of(change.base, constant));
    let (Some(before), None) = (base, value_of(context.model, constant)) else { return Ok(None) };
    let image = context.model.named(&constant.image).first().copied();
    let Some(image) = image.filter(|image| image.version().is_some()) else { return Ok(None) };
    if constant.is_linked(context.files)? {
        return Ok(None);
    }
    let path = &before.location.path;
    let location = match context.files.text(path)? {
        Some(Ok(text)) => Location::new(path, &text, 0..0),
        _ => Location::file(path),
    };
    let message = format!("{path} no longer says which version {} is", image.name);
    let help = format!(
        "write {:?} as a literal where it stood, or let the pack's `constants` say where it stands now",
        image.version().unwrap_or_default()
    );
    Ok(Some(
        Diagnostic::about("gone", message, location)
            .image(&image.name)
            .related(format!("it is {}", image.version().unwrap_or_default()), image.version_location())
            .help(help),
    ))
}
