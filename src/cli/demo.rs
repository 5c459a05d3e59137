//! `imglint demo`: a small repository of Kubernetes' shape, a change that breaks several rules, and what imglint says.

use super::{CLEAN, Error};
use crate::environment::Environment;

pub(super) fn run(_environment: &Environment) -> Result<u8, Error> {
    Ok(CLEAN)
}
