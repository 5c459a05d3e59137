//! What several commands take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::finding::Level;
use crate::pack::Selection;
use crate::suggest::suggest;

/// What every command takes that looks at a repository.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// How to print
    #[command(flatten)]
    pub(crate) output: Output,

    /// The repository and its policy
    #[command(flatten)]
    pub(crate) policy: PolicyOptions,
}

/// The repository and its policy.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Repository and policy")]
pub(crate) struct PolicyOptions {
    /// The repository, if it is not the one around the current directory
    #[arg(long, value_name = "DIR")]
    pub(crate) repo: Option<PathBuf>,

    /// The configuration, if it is not imglint.toml at the root
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The pack of rules: one of imglint's, or a directory
    #[arg(long, value_name = "NAME-OR-DIR")]
    pub(crate) pack: Option<String>,

    /// Judge by rules, too, that are new and may still change
    #[arg(long)]
    pub(crate) preview: bool,
}

/// How to print.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Colour,

    /// Print findings and errors alone
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Print how the run came to its base and its rules, and how long it took
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always, with the snippets of a terminal
    Always,
    /// Never
    Never,
}

/// What is judged.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "What is judged")]
pub(crate) struct Target {
    /// Judge the commit REV [default in CI: HEAD]
    #[arg(long, value_name = "REV", conflicts_with_all = ["staged", "worktree"])]
    pub(crate) head: Option<String>,

    /// Judge the index: what would be committed
    #[arg(long, conflicts_with = "worktree")]
    pub(crate) staged: bool,

    /// Judge the working tree, with files that git does not know and does not ignore [default outside of CI]
    #[arg(long)]
    pub(crate) worktree: bool,
}

/// What the change is compared with.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What is judged")]
pub(crate) struct Comparison {
    /// Compare with the merge base of REV and what is judged
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,

    /// Judge the whole tree; nothing is compared
    #[arg(long, conflicts_with = "base")]
    pub(crate) all: bool,
}

/// Which rules are applied, and how much they weigh.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct RuleOptions {
    /// Apply only these rules: names with commas between them; may be repeated
    #[arg(long = "rule", value_name = "IDS", value_delimiter = ',')]
    pub(crate) rules: Vec<String>,

    /// Do not apply these rules; may be repeated
    #[arg(long = "skip", value_name = "IDS", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,

    /// Give rules other levels: error, warning, note or off; may be repeated
    #[arg(long = "level", value_name = "RULE=LEVEL", value_delimiter = ',', value_parser = parse_level)]
    pub(crate) levels: Vec<(String, Level)>,

    /// Show what waivers let pass
    #[arg(long)]
    pub(crate) no_waivers: bool,
}

impl RuleOptions {
    /// What they leave of a pack.
    pub(crate) fn selection(&self) -> Selection {
        Selection { only: self.rules.clone(), skip: self.skip.clone(), levels: self.levels.clone() }
    }
}

/// What lies outside of the repository.
#[derive(Debug, Clone, Args)]
pub(crate) struct InputOptions {
    /// The registry's images.yaml: which tags are promoted
    #[arg(long, value_name = "FILE")]
    pub(crate) promoted: Option<PathBuf>,

    /// The jobs that build images: the script that generates them, or its YAML
    #[arg(long, value_name = "FILE")]
    pub(crate) jobs: Option<PathBuf>,
}

/// What open changes claim.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct ClaimOptions {
    /// The versions that open changes have taken: what `imglint claims` prints, or lines IMAGE VERSION WHO
    #[arg(long, value_name = "FILE")]
    pub(crate) claims: Option<PathBuf>,

    /// Whose change this is, as the claims call it [default in CI: the number of the pull request]
    #[arg(long, value_name = "WHO")]
    pub(crate) who: Option<String>,
}

fn parse_level(argument: &str) -> Result<(String, Level), String> {
    let (rule, level) = argument.split_once('=').ok_or("this must be RULE=LEVEL, such as stale-version=warning")?;
    match Level::NAMES.iter().find(|(name, _)| *name == level) {
        Some((_, level)) => Ok((rule.to_owned(), *level)),
        None => Err(format!("no such level: {}", suggest(level, Level::NAMES.map(|(name, _)| name)))),
    }
}
