//! The images of a tree as the build sees them: versions, bases, Dockerfiles, and how they refer to each other.
//!
//! A file uses what stands above it: an image is found by its directory, read with its Dockerfiles and what these refer to, and
//! gathered with all others of its tree; what a change touches of them, and what they are built on, is told of whole trees.

// one image
mod shared;
mod build;
mod directories;
mod reference;
mod image;
// the files beside images
mod dependencies;
mod manifest;
// a tree
mod threads;
mod tree;
// what is told of trees
pub mod build_context;
mod conversions;
pub mod variant;
mod packages;
pub mod content;
pub mod graph;
mod listed;
pub mod mention;
pub mod past;

pub use build::{Argument, Build, Control, Final, ParseError, Parsed};
pub use dependencies::DependencyFile;
pub use directories::Directories;
pub use image::Image;
pub use manifest::{ConstantValue, Manifest, ManifestEntry};
pub use reference::{Naming, Reference, Writing, WrittenIn, without_tag};
pub use shared::Shared;
pub use tree::{Model, UnknownImageError};
