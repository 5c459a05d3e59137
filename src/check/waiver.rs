//! `waiver`: waivers themselves must be in order. What is at fault is found when they are applied, in `src/waiver.rs`.

use serde::Deserialize;

use super::{Basis, Context, Kind};
use crate::finding::Fault;
use crate::snapshot::StoreError;

/// Which waivers are at fault.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Waiver {
    /// What is wrong with them.
    pub forbid: Disorder,
}

/// What may be wrong with a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disorder {
    /// Its date has passed.
    Expired,
    /// It matches nothing.
    Unused,
    /// It has no reason, or names a rule or an image that does not exist.
    Malformed,
}

impl Kind for Waiver {
    fn basis(&self) -> Basis {
        Basis::Both
    }

    fn run(&self, _: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        Ok(Vec::new())
    }
}
