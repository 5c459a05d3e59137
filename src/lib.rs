//! imglint checks a change to container images against the repository's policies.
//!
//! The story of one run: the environment tells what the change is compared with ([`git`]); git gives the files on both sides
//! ([`snapshot`]); they are read ([`parse`]) as images ([`model`]), which lie where the pack says ([`shape`]); the rules of the pack
//! ([`pack`]) judge them in parallel ([`check`], [`run`]) and say what they found ([`finding`]); repairs are made in memory, and
//! judged again until none is left ([`fix`]); they are written at once ([`write`](mod@write)), and a report is printed once
//! ([`report`], [`cli`]).
//!
//! A module uses only what stands above it in the list below; `tests/architecture.rs` holds this true.

// plain things
pub mod path;
pub mod text;
pub mod edit;
pub mod finding;
pub mod environment;
pub mod suggest;
mod schema_form;
pub mod site;
// trees and configuration as data
pub mod toml_source;
pub mod memo;
pub mod snapshot;
pub mod history;
pub mod case;
// readers
pub mod git;
pub mod parse;
pub mod inputs;
// the shape of a repository, and its images
pub mod workflow;
pub mod shape;
pub mod model;
pub mod conflict_resolution;
// what is let pass, what may be wrong, and which rules judge that
pub mod waiver;
pub mod check;
pub mod affected;
pub mod config_file;
pub mod pack;
pub mod schema;
pub mod unused;
// a run, what it repairs, and what it says
pub mod run;
pub mod fix;
pub mod write;
pub mod status;
pub mod replay;
pub mod report;
pub mod cli;
