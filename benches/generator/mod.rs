//! Makes repositories of any size, of the shape that the kubernetes pack is for. Benches and tests share it.
//!
//! A [`Plan`] says what every file holds; it is computed from a seed and keeps no file in memory. [`Repository`] hands the files
//! to `git fast-import`. The base is clean: every rule is silent on it.

mod plan;
mod repository;

pub(crate) use plan::{Change, Kind, Plan, Shape};
pub(crate) use repository::{Repository, State};
