//! Waivers: findings that are let pass, each for a reason.
//!
//! They come from `[[waive]]` in the configuration, from trailers of the change's commits
//! (`Imglint-Waive: rule(image) until=2027-01-31 reason`), and from comments in Dockerfiles, which hold for the next line
//! (`# imglint: allow(rule) reason`).

mod parse;
mod apply;
mod hygiene;

pub use apply::{Circumstances, Waivers};
pub use hygiene::{ForbiddenWaiver, Hygiene, WaiverDiagnostics};
pub use parse::{Day, TRAILER, Waiver, of_dockerfiles, of_trailer};
