//! The commands that change files: `bump` and `waive`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::common::{ClaimOptions, Common, Comparison};

/// `imglint bump`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Bump {
    /// The images, by name or directory
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<String>,

    /// The version, of one image
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<String>,

    /// Print what would be written as a unified diff, and write nothing
    #[arg(long)]
    pub(crate) diff: bool,

    /// The registry's images.yaml: of versions that are promoted none is given
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(crate) promoted: Option<PathBuf>,

    /// What open changes claim
    #[command(flatten)]
    pub(crate) claims: ClaimOptions,

    /// Take the next version after the merge base of REV and head
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,

    /// What every command takes
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `imglint waive`.
#[derive(Debug, Clone, Args)]
#[command(after_help = WAIVE_HELP)]
pub(crate) struct Waive {
    /// The rule
    #[arg(value_name = "RULE")]
    pub(crate) rule: String,

    /// The image, by name or directory; all, if none is named
    #[arg(value_name = "IMAGE")]
    pub(crate) image: Option<String>,

    /// Why it is right that these findings pass
    #[arg(long, value_name = "WHY", required = true)]
    pub(crate) reason: String,

    /// The last day on which they do, in UTC
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,

    /// Where it is written [default: where it holds for what is found, and for nothing else]
    #[arg(long = "in", value_name = "PLACE")]
    pub(crate) place: Option<WaivePlace>,

    /// What it is compared with
    #[command(flatten)]
    pub(crate) compared: Comparison,

    /// What every command takes
    #[command(flatten)]
    pub(crate) common: Common,
}

const WAIVE_HELP: &str = "\
What is found in a Dockerfile is waived there. What a change needs for itself goes into its message: in CI, imglint.toml is \
read from the base. Everything else goes into imglint.toml.

Examples:
  imglint waive stale-version agnhost --reason 'the binary stays the same'
  imglint waive windows-run --reason 'built on a Windows node' --until 2027-01-31";

/// Where a waiver is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WaivePlace {
    /// imglint.toml: until it is taken away
    Config,
    /// A comment above the line that it is about
    Dockerfile,
    /// Printed, for the commit's message: for this change alone
    Trailer,
}
