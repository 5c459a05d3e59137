//! The program as its users meet it: real git repositories, real processes.

mod dependencies;
mod affected;
mod dockerfiles;
mod documentation;
mod fix;
mod completions;
mod content;
mod formats;
mod generated;
mod generic;
#[path = "../../benches/generator/mod.rs"]
mod generator;
#[cfg(unix)]
mod github;
mod graph;
mod harness;
mod history;
mod hook;
mod init;
mod ladder;
mod pages;
#[cfg(unix)]
mod pinned;
mod policy;
mod preview;
mod prow;
mod races;
mod releases;
#[path = "../report/readers.rs"]
mod readers;
mod references;
#[cfg(unix)]
mod repair;
mod replay;
mod replay_page;
mod report;
mod schema;
mod status;
mod trees;
mod upstream;

mod usage;
mod variants;
mod waivers;
