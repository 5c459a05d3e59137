//! What follows an image's version in a later change: what waits for that, and what was forgotten.

use super::kind::Context;
use crate::finding::Level;
use crate::history::{History, Past};
use crate::model::Image;

/// How what is behind its image stands.
pub(super) struct Waiting {
    /// For how long it has been behind, to be read after the message; empty where that does not matter.
    pub(super) suffix: String,
    /// When it can be moved, to be read after what is to be done.
    pub(super) when: &'static str,
    /// What it weighs, if not what its rule says.
    pub(super) level: Option<Level>,
    /// Whether it can be moved now.
    pub(super) is_due: bool,
}

impl Waiting {
    /// Of what the change itself leaves behind.
    pub(super) fn of_change() -> Self {
        let when = ", in a later change, when it is built";
        Self { suffix: String::new(), when, level: Some(Level::Note), is_due: false }
    }
}

/// What the history tells of an image, or of the variant of it that has a version.
fn past_of<'a>(history: &'a History, image: &Image, version: &str) -> Option<&'a Past> {
    if let Some(held) = image.version() {
        return history.of(&image.directory, held);
    }
    let variant = image.variants().iter().find(|variant| variant.version.usable() == Some(version))?;
    history.of_variant(&image.directory, &variant.name, version)
}

/// What is known of something that names an older version than `version`, which is the image's. `None` where it need not be
/// moved yet. Without a list of what is promoted, only age tells what waits from what was forgotten.
pub(super) fn waiting(context: &Context<'_>, image: &Image, version: &str, grace_days: u32) -> Option<Waiting> {
    if context.inputs.promoted.is_some() {
        let is_promoted = context.inputs.is_promoted(image.published(), &context.shape.tag_of(version));
        let due = Waiting { suffix: String::new(), when: ", now that it is promoted", level: None, is_due: true };
        return is_promoted.then_some(due);
    }
    let history = context.inputs.history.as_ref();
    let past = history.and_then(|history| Some((history, past_of(history, image, version)?)));
    let (suffix, level) = match past {
        Some((history, Past::Settled(settled))) if history.days(settled) > i64::from(grace_days) => {
            (format!(", for {} days", history.days(settled)), Level::Warning)
        }
        Some((_, Past::Cut)) => ("; for how long a shallow clone does not tell".to_owned(), Level::Note),
        _ => (String::new(), Level::Note),
    };
    Some(Waiting { suffix, when: ", if it is built", level: Some(level), is_due: false })
}
