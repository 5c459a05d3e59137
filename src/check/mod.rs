//! Kinds of checks. A rule is a kind with options and words; the kind is code, the rest is data in `rules/`.
//!
//! `kind` says what one is, `change` what it is told of a change, `touched` what it is asked first; behind them stand the kinds, by
//! their names.
//!
//! A kind gets the trees and their models and returns diagnostics. It knows neither its rule's name nor its level.

mod change;
mod touched;
mod kind;
mod later;
mod returned;
mod base_cycle;
mod base_format;
mod base_platform;
mod build_inputs;
mod conflict;
mod constant;
mod dependencies;
mod dockerfile;
mod duplicate_name;
mod file_reference;
mod hidden_images;
mod ignored_copy;
mod job;
mod manifest;
mod misnamed_file;
mod new_image;
mod os_versions;
mod path_filter;
mod promoted;
mod rebase;
mod reference;
mod registries;
mod stage;
mod stage_base;
mod stage_library;
mod stage_link;
mod stage_path;
mod unchanged;
mod version_bump;
mod version_change;
mod version_drift;
mod version_format;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::waiver::Hygiene;

pub use change::{AuthoredModels, AuthoredVersions, Change, following};
pub use conflict::unreported as unreported_conflict;
pub use dependencies::Dependencies;
pub use kind::{Basis, Concern, Context, Files, Kind, Missing, Needs, Outside, Reads, Sight};
pub use touched::Touched;
pub use version_bump::Due;

/// What a rule judges, as `[check.<kind>]` says in its file.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Table")]
pub enum Body {
    /// A kind, which judges the trees.
    Check(Check),
    /// The waivers, once they were applied.
    WaiverHygiene(Hygiene),
}

/// One object with a property for each kind, which editors complete, in place of a choice between objects of one property each.
impl JsonSchema for Body {
    fn schema_name() -> Cow<'static, str> {
        "Check".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = Table::json_schema(generator);
        let mut kinds = Map::new();
        for choice in table.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
            for (name, kind) in choice["properties"].as_object().into_iter().flatten() {
                kinds.insert(name.clone(), described(kind, &choice["description"]));
            }
        }
        json_schema!({
            "type": "object", "properties": kinds, "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
        })
    }
}

/// The schema of a kind's options, with what the kind looks for in the place of what the options are called.
fn described(kind: &Value, description: &Value) -> Value {
    let mut kind = kind.clone();
    kind["description"] = description.clone();
    kind
}

macro_rules! kinds {
    ($($(#[$meta:meta])* $variant:ident($module:ident::$kind:ident, $basis:ident),)*) => {
        /// A kind of check with its options.
        #[derive(Debug, Clone)]
        pub enum Check {
            $($(#[$meta])* $variant($module::$kind),)*
        }

        /// `[check.<kind>]` in a rule's file.
        #[derive(Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        enum Table {
            $($(#[$meta])* $variant($module::$kind),)*
            /// Waivers must be in order.
            Waiver(Hygiene),
        }

        impl From<Table> for Body {
            fn from(table: Table) -> Self {
                match table {
                    $(Table::$variant(kind) => Self::Check(Check::$variant(kind)),)*
                    Table::Waiver(hygiene) => Self::WaiverHygiene(hygiene),
                }
            }
        }

        impl Check {
            /// The kind, whichever it is.
            pub fn kind(&self) -> &dyn Kind {
                match self { $(Self::$variant(kind) => kind,)* }
            }

            /// Whether it tells what must be resolved before anything else can be judged.
            pub fn is_about_conflicts(&self) -> bool {
                matches!(self, Self::Conflict(_))
            }

            /// What it judges of a change.
            pub fn basis(&self) -> Basis {
                match self { $(Self::$variant(_) => Basis::$basis,)* }
            }
        }
    };
}

kinds! {
    /// Images may not be each other's base.
    BaseCycle(base_cycle::BaseCycle, Tree),
    /// Lines of a base file must be what the build script understands.
    BaseFormat(base_format::BaseFormat, Tree),
    /// The two platforms on a line of a base file must be one.
    BasePlatform(base_platform::BasePlatform, Tree),
    /// What all images are built with has changed.
    BuildInputs(build_inputs::BuildInputs, Change),
    /// No file that says something of versions may hold the marks of a conflict.
    Conflict(conflict::Conflict, Tree),
    /// A literal in the sources must equal an image's version.
    Constant(constant::Constant, Tree),
    /// Entries of a list of dependencies must equal the versions that they are about.
    Dependencies(dependencies::Dependencies, Tree),
    /// Dockerfiles must be there, and readable.
    Dockerfile(dockerfile::Dockerfile, Tree),
    /// Images must have a name and version of their own.
    DuplicateName(duplicate_name::DuplicateName, Tree),
    /// Files beside the images must name the versions that they have.
    FileReference(file_reference::FileReference, Moved),
    /// Nothing may stand in the place of a directory above images.
    HiddenImages(hidden_images::HiddenImages, Tree),
    /// What Dockerfiles copy must be in the context of the build.
    IgnoredCopy(ignored_copy::IgnoredCopy, Tree),
    /// A job must build every image.
    Job(job::Job, Both),
    /// Entries of the manifest must be current, or must be built.
    Manifest(manifest::Manifest, Both),
    /// No file may be named almost like one that the build looks for.
    MisnamedFile(misnamed_file::MisnamedFile, Tree),
    /// A new image deserves a second thought.
    NewImage(new_image::NewImage, Change),
    /// Versions of an operating system must be known to the build.
    OsVersions(os_versions::OsVersions, Tree),
    /// What CI starts by the paths of a change must start for every image.
    PathFilter(path_filter::PathFilter, Tree),
    /// What is named must be promoted.
    Promoted(promoted::Promoted, Tree),
    /// References must follow the version of the image that they name.
    Rebase(rebase::Rebase, Both),
    /// References must name images that are there.
    Reference(reference::References, Tree),
    /// Lists of registries may hold known keys alone.
    Registries(registries::Registries, Tree),
    /// Stages for an operating system may not have an instruction.
    Stage(stage::Stage, Tree),
    /// Images should not be built on bases that are larger than they need.
    StageBase(stage_base::StageBase, Tree),
    /// Programs must bring the libraries that the base lacks.
    StageLibrary(stage_library::StageLibrary, Tree),
    /// Links must survive being copied into a Windows image.
    StageLink(stage_link::StageLink, Tree),
    /// Images that bring programs must set the search path.
    StagePath(stage_path::StagePath, Tree),
    /// What is pushed under a new tag must be something new.
    Unchanged(unchanged::Unchanged, Change),
    /// What changed must get a new version.
    VersionBump(version_bump::VersionBump, Change),
    /// A new version must be a free one, or a higher one.
    VersionChange(version_change::VersionChange, Change),
    /// What has a version must be what it was when it got that.
    VersionDrift(version_drift::VersionDrift, Tree),
    /// A version file must hold one image tag.
    VersionFormat(version_format::VersionFormat, Tree),
}
