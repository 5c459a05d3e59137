//! The command line, as clap reads it. Help, completions and the manual page all follow from here.
//!
//! What several commands take stands once, in `common`, and is flattened into each.

mod common;
mod judge;
mod show;
mod change;
mod setup;
mod command;

pub(super) use change::{Bump, Waive, WaivePlace};
pub(super) use command::{Cli, Command};
pub(super) use common::{ClaimOptions, Colour, Comparison, InputOptions, Output, PolicyOptions, Target};
pub(super) use judge::{Check, Deny, Replay, ReplayFormat, When};
pub(super) use setup::{Hook, HookName, Hooks, Init, MergeDriver};
pub(super) use show::{
    Affected, AffectedFormat, ClaimsFormat, ClaimsOf, ExplainFormat, Graph, GraphFormat, Inspect, InspectFormat,
    ListFormat, SchemaFile, Status, StatusFormat,
};
