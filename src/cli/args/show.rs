//! The commands that show something and change nothing.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::common::{Common, Comparison, InputOptions, Target};
use crate::schema::Described;

/// The form in which a rule is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// For people at a terminal
    Human,
    /// One JSON object, as that of `imglint rules`
    Json,
    /// A page of documentation
    Markdown,
}

/// The form of a list of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people at a terminal
    Human,
    /// For a page of documentation
    Markdown,
    /// One JSON object
    Json,
}

/// `imglint inspect`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Inspect {
    /// Only these images
    #[arg(value_name = "IMAGE")]
    pub(crate) images: Vec<String>,

    /// What is shown
    #[command(flatten)]
    pub(crate) target: Target,

    /// The form of the report
    #[arg(long, value_name = "F", default_value = "human", help_heading = "Output")]
    pub(crate) format: InspectFormat,

    /// What every command takes
    #[command(flatten)]
    pub(crate) common: Common,
}

/// The form of `imglint inspect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InspectFormat {
    /// For people
    Human,
    /// One JSON object
    Json,
}

/// `imglint status`.
#[derive(Debug, Clone, Args)]
#[command(after_help = STATUS_HELP)]
pub(crate) struct Status {
    /// Only these images, by name or directory
    #[arg(value_name = "IMAGE")]
    pub(crate) images: Vec<String>,

    /// What is shown
    #[command(flatten)]
    pub(crate) target: Target,

    /// Show the images of the change since the merge base of REV and head, and the checklist of what is to be done for it
    #[arg(long, value_name = "REV", help_heading = "What is judged")]
    pub(crate) base: Option<String>,

    /// What lies outside of the repository
    #[command(flatten, next_help_heading = "Files from elsewhere")]
    pub(crate) inputs: InputOptions,

    /// The form of the report; `markdown` is for a pull request
    #[arg(long, value_name = "F", default_value = "human", help_heading = "Output")]
    pub(crate) format: StatusFormat,

    /// What every command takes
    #[command(flatten)]
    pub(crate) common: Common,
}

const STATUS_HELP: &str = "\
Examples:
  imglint status                                               every image
  imglint status --promoted images.yaml agnhost                one, and whether its version is promoted
  imglint status --base origin/master --format markdown        what is to be done for this change";

/// The form of `imglint status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusFormat {
    /// For people at a terminal
    Human,
    /// One JSON object
    Json,
    /// For a pull request
    Markdown,
}

/// `imglint affected`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFFECTED_HELP)]
pub(crate) struct Affected {
    /// Only images in these directories; whatever lies elsewhere is looked at all the same
    #[arg(value_name = "PATHS")]
    pub(crate) paths: Vec<PathBuf>,

    /// What is looked at
    #[command(flatten)]
    pub(crate) target: Target,

    /// What it is compared with
    #[command(flatten)]
    pub(crate) compared: Comparison,

    /// The form of the list
    #[arg(long, value_name = "F", default_value = "text", help_heading = "Output")]
    pub(crate) format: AffectedFormat,

    /// What every command takes
    #[command(flatten)]
    pub(crate) common: Common,
}

const AFFECTED_HELP: &str = "\
Examples:
  imglint affected                             what this branch touches, and why
  imglint affected --format matrix             names, for a matrix of GitHub Actions
  imglint affected --all --format names        every image, in an order in which they can be built";

/// The form of the list of affected images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AffectedFormat {
    /// For people, with the reasons
    Text,
    /// One JSON object, with the reasons
    Json,
    /// One name a line, for scripts
    Names,
    /// A JSON array of names in one line, for the matrix of a CI system
    Matrix,
}

/// `imglint graph`.
#[derive(Debug, Clone, Args)]
#[command(after_help = GRAPH_HELP)]
pub(crate) struct Graph {
    /// Only this image, what it is built on, and what is built on it; by name or directory, may be repeated
    #[arg(long = "image", value_name = "IMAGE", help_heading = "What is drawn")]
    pub(crate) images: Vec<String>,

    /// What is drawn
    #[command(flatten)]
    pub(crate) target: Target,

    /// Mark what differs from the merge base of REV and what is drawn
    #[arg(long, value_name = "REV", help_heading = "What is drawn")]
    pub(crate) base: Option<String>,

    /// The form of the graph
    #[arg(long, value_name = "F", default_value = "dot", help_heading = "Output")]
    pub(crate) format: GraphFormat,

    /// What every command takes
    #[command(flatten)]
    pub(crate) common: Common,
}

const GRAPH_HELP: &str = "\
An arrow leads from an image to what is built on it. One that names another version than there is, is red.

Examples:
  imglint graph --format svg > images.svg                      all images, as a picture
  imglint graph --format mermaid --image agnhost               one and its neighbours, for Markdown
  imglint graph --format svg --base origin/main > change.svg   what this branch touches";

/// The form of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// For Graphviz
    Dot,
    /// For Markdown on GitHub and GitLab
    Mermaid,
    /// One JSON object
    Json,
    /// A picture
    Svg,
}

/// `imglint claims`.
#[derive(Debug, Clone, Args)]
#[command(after_help = CLAIMS_HELP)]
pub(crate) struct ClaimsOf {
    /// What is looked at
    #[command(flatten)]
    pub(crate) target: Target,

    /// Compare with the merge base of REV and what is looked at
    #[arg(long, value_name = "REV", help_heading = "What is judged")]
    pub(crate) base: Option<String>,

    /// Whose change this is, as in `#123` [default in CI: the number of the pull request]
    #[arg(long, value_name = "WHO", help_heading = "Output")]
    pub(crate) who: Option<String>,

    /// The form of the list; `--claims` reads both
    #[arg(long, value_name = "F", default_value = "json", help_heading = "Output")]
    pub(crate) format: ClaimsFormat,

    /// What every command takes
    #[command(flatten)]
    pub(crate) common: Common,
}

const CLAIMS_HELP: &str = "\
Examples:
  imglint claims --who '#123'                                       what this branch claims
  imglint claims --who '#9' --base origin/main --head FETCH_HEAD    what a fetched pull request claims
  imglint --claims claims.json --who '#123'                         judge this branch beside what others claim";

/// The form of `imglint claims`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClaimsFormat {
    /// A JSON array
    Json,
    /// Lines IMAGE VERSION WHO
    List,
}

/// A kind of file that has a JSON schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaFile {
    /// imglint.toml
    Config,
    /// pack.toml
    Pack,
    /// The file of a rule in a pack
    Rule,
}

impl From<SchemaFile> for Described {
    fn from(file: SchemaFile) -> Self {
        match file {
            SchemaFile::Config => Self::Config,
            SchemaFile::Pack => Self::Pack,
            SchemaFile::Rule => Self::Rule,
        }
    }
}
