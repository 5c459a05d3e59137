//! `[build]`: which Dockerfile is built for which platform, and `[binaries]`: what is compiled into images.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::field::{DefaultPlatform, Directory, FileName};
use crate::parse::glob::PathPattern;

/// `[build]`: which Dockerfile is built for which platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Build {
    /// The Dockerfile, or several.
    pub(super) dockerfile: Dockerfiles,
    /// The Dockerfile that is preferred for Windows where it exists.
    pub(super) windows_dockerfile: Option<FileName>,
    /// The directory below an image's that is the context of its builds: what lies beside it is no content.
    pub(super) context: Option<PathPattern>,
    /// Files of an image beside the context that the build script reads.
    pub(super) script_files: Vec<PathPattern>,
    /// What an image without a base file is built for.
    pub(super) default_platforms: Vec<DefaultPlatform>,
    /// The word of lines that the build script takes out for amd64, and frees of it for others.
    pub(super) line_prefix: Option<String>,
    /// The arguments that the build gives to every Dockerfile.
    pub(super) arguments: BTreeMap<String, BuildArgument>,
}

/// What the build gives to an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuildArgument {
    /// The base of the platform that is built, from the base file.
    Base,
    /// The registry of this tree's images.
    Registry,
    /// The version of the operating system that is built for; empty where there is none.
    OsVersion,
}

impl Default for Build {
    fn default() -> Self {
        let dockerfile = PathPattern::new("Dockerfile").into_iter().collect();
        Self {
            dockerfile: Dockerfiles(dockerfile),
            windows_dockerfile: None,
            context: None,
            script_files: Vec::new(),
            default_platforms: Vec::new(),
            line_prefix: None,
            arguments: BTreeMap::new(),
        }
    }
}

/// Paths below an image's directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "OneOrMore")]
pub(super) struct Dockerfiles(pub(super) Vec<PathPattern>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "this must be the path of a file, or a list of such paths")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl TryFrom<OneOrMore> for Dockerfiles {
    type Error = String;

    fn try_from(paths: OneOrMore) -> Result<Self, String> {
        let paths = match paths {
            OneOrMore::One(path) => vec![path],
            OneOrMore::More(paths) => paths,
        };
        paths.iter().map(|path| PathPattern::new(path)).collect::<Result<_, _>>().map(Self)
    }
}

/// `[binaries]`: which sources outside of an image's directory end up in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Binaries {
    /// Where imports are followed. Default: below the images' roots.
    pub(super) scope: Option<Vec<Directory>>,
    /// The name of the Go module, where it need not be looked up in `go.mod`.
    pub(super) module: Option<String>,
    /// The Makefile of an image, and its variable that names the directory of the sources.
    pub(super) makefile: Option<FileName>,
    pub(super) source_variable: Option<String>,
}

/// The file that names a Go module.
pub const GO_MODULE: &str = "go.mod";
