//! Reports: one file a format, each a pure function of what was found.

mod view;
mod location;
pub mod diff;
pub mod summary;
pub mod human;
pub mod json;
pub mod github;
pub mod gitlab;
pub mod junit;
pub mod rdjson;
pub mod sarif;
pub mod status;
pub mod replay;
pub mod graph;

pub use view::{Repaired, Report, Tree};
