//! Images that come back after they were taken away: under the version that they had, they must be what they were.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::kind::Context;
use crate::history::Commit;
use crate::model::{Image, Model, content};
use crate::snapshot::StoreError;

/// An image that comes back under the version that it had.
pub(super) struct Returned<'a> {
    /// What took it away.
    pub(super) commit: &'a Commit,
    /// The version.
    pub(super) version: &'a str,
    /// Whether it has the content that it had.
    pub(super) is_same: bool,
}

/// What is known of an image that is new to the change, but was there before.
pub(super) fn returned<'a>(context: &Context<'a>, image: &'a Image) -> Result<Option<Returned<'a>>, StoreError> {
    let Some(removed) = context.inputs.removed.get(&image.directory) else { return Ok(None) };
    let then = context.files.with_entries(removed.files.clone());
    let only = BTreeSet::from([Arc::clone(&image.directory)]);
    let model = Model::build(&then, context.shape, None, Some(&only))?;
    let Some(before) = model.images.get(&image.directory) else { return Ok(None) };
    let is_known = before.version_identity() == image.version_identity() && before.published() == image.published();
    let Some(version) = image.version().filter(|_| is_known) else { return Ok(None) };
    let is_same = content::own(&model, before, &then, context.shape)?
        == content::own(context.model, image, context.files, context.shape)?;
    Ok(Some(Returned { commit: &removed.commit, version, is_same }))
}
