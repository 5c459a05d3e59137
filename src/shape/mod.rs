//! What a pack says of the repository that it is for: where images lie, how they name each other, what builds them.
//!
//! Each file reads tables of `pack.toml`, `repository` all of them together.

mod field;
mod files;
mod references;
mod images;
mod build;
mod manifest;
mod repeated;
mod repository;

pub use build::{ArgumentFile, ArgumentValue, BuildArgument, GO_MODULE};
pub(crate) use field::pattern;
pub use files::{EntryImage, FilesFollow, MeantImage, NameList, NamePattern, Ranges, ReferenceFiles, ReferenceForm};
pub use images::{Comments, IgnoreFile, IgnoredKeys, RootImage, Shared};
pub use manifest::{Follows, ManifestOrder, ManifestShape, PromotionSign};
pub use references::{Precision, Prefix, without_default_host};
pub use repeated::{Constant, ConstantFollows, DependenciesShape};
pub use repository::{InitTable, PackFile, Shape};
