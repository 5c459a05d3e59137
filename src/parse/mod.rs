//! Readers of the files that policies are about: from a text to values with their places. None of them touches a disk, and
//! none fails on input: what cannot be read is part of the result.

pub mod baseimage;
pub mod capture;
pub mod conflict;
pub mod dockerfile;
pub mod make;
pub mod glob;
pub mod go;
pub mod partial;
pub mod version;
pub mod range;
pub mod wildcard;
pub mod dockerignore;
pub mod helmignore;
pub mod gitattributes;
pub mod yaml;
// which stand on those above
pub mod comments;
pub mod dependencies;
pub mod path_filter;
pub mod variants;
pub mod version_source;
