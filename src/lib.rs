//! imglint checks a change to container images against the repository's policies.
//!
//! The story of one run: the environment tells what the change is compared with ([`git`]); git gives the files on both sides
//! ([`snapshot`]); they are read as images ([`model`]); the rules of a pack ([`pack`]) judge them in parallel ([`check`],
//! [`run`]) and say what they found ([`finding`]); a report is printed once ([`report`], [`cli`]).
//!
//! A module uses only what stands above it here; `tests/architecture.rs` holds this true.

// 0: plain things
pub mod edit;
pub mod environment;
pub mod finding;
pub mod text;
// 1: trees as data, configuration as data
pub mod case;
pub mod config;
pub mod snapshot;
// 2: readers
pub mod git;
pub mod parse;
// 3: the shape of a repository
pub mod shape;
// 4: its images
pub mod model;
// 5: what may be wrong with them
pub mod check;
// 6: rules
pub mod pack;
// 7: a run
pub mod run;
// 8: what it says
pub mod report;
// 9: the program
pub mod cli;
