//! The commands that judge: `check` and `replay`.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::common::{ClaimOptions, Common, Comparison, InputOptions, RuleOptions, Target};
use crate::report::Format;
use crate::suggest::suggest;
use crate::waiver::Day;

/// `imglint check`.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Check {
    /// Report findings about these files and directories only; every rule is applied all the same
    #[arg(value_name = "PATHS")]
    pub(crate) paths: Vec<PathBuf>,

    /// What is judged
    #[command(flatten)]
    pub(crate) target: Target,

    /// What it is compared with
    #[command(flatten)]
    pub(crate) compared: Comparison,

    /// Repair what can be repaired safely
    #[arg(long, help_heading = "Repairs")]
    pub(crate) fix: bool,

    /// Print the repairs as a unified diff, and write nothing
    #[arg(long, help_heading = "Repairs")]
    pub(crate) diff: bool,

    /// Make repairs that are a guess, too
    #[arg(long, help_heading = "Repairs")]
    pub(crate) unsafe_fixes: bool,

    /// Exit with 0 where --fix repaired everything
    #[arg(long, requires = "fix", help_heading = "Repairs")]
    pub(crate) exit_zero_on_fix: bool,

    /// Which rules are applied
    #[command(flatten)]
    pub(crate) rules: RuleOptions,

    /// Let pass what the trailers of this message waive, too: of the commit that is about to be made
    #[arg(long, value_name = "FILE", conflicts_with = "all", help_heading = "Rules")]
    pub(crate) message: Option<PathBuf>,

    /// What lies outside of the repository
    #[command(flatten, next_help_heading = "Rules")]
    pub(crate) inputs: InputOptions,

    /// What open changes claim
    #[command(flatten)]
    pub(crate) claims: ClaimOptions,

    /// Let warnings fail the run
    #[arg(long, value_name = "WHAT", help_heading = "Rules")]
    pub(crate) deny: Option<Deny>,

    /// The form of the report
    #[arg(long, value_name = "F", default_value = "human", help_heading = "Output")]
    pub(crate) format: Format,

    /// Write a further report, in the form F, to the file PATH; may be repeated
    #[arg(long = "output", value_name = "F=PATH", value_parser = parse_output, help_heading = "Output")]
    pub(crate) outputs: Vec<(Format, PathBuf)>,

    /// What every command takes
    #[command(flatten)]
    pub(crate) common: Common,

    /// How many threads to use [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Output")]
    pub(crate) threads: Option<u16>,
}

/// What may be denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    /// Findings of level warning
    Warnings,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.about()))
    }
}

fn parse_output(argument: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = argument.split_once('=').ok_or("this must be F=PATH, such as sarif=imglint.sarif")?;
    let Some(found) = Format::ALL.iter().find(|known| known.name() == format) else {
        return Err(format!("no such form: {}", suggest(format, Format::ALL.iter().map(|format| format.name()))));
    };
    match path {
        "" => Err("the path is missing".to_owned()),
        "-" => Err("what is printed is chosen with --format".to_owned()),
        path => Ok((*found, PathBuf::from(path))),
    }
}

/// `imglint replay`.
#[derive(Debug, Clone, Args)]
#[command(after_help = REPLAY_HELP)]
pub(crate) struct Replay {
    /// The commits whose changes are judged: A..B, or REV with all that came before it [default: HEAD]
    #[arg(value_name = "RANGE")]
    pub(crate) range: Option<String>,

    /// Judge at most N changes that touch what the rules look at, the newest first
    #[arg(short = 'n', long, value_name = "N", default_value = "1000", help_heading = "What is judged")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,

    /// Leave out what was committed before: a day such as 2026-01-31, or 90d, 12w, 6m, 2y ago
    #[arg(long, value_name = "WHEN", value_parser = parse_when, help_heading = "What is judged")]
    pub(crate) since: Option<When>,

    /// Report findings about this file or directory only; may be repeated
    #[arg(long = "paths", value_name = "PATH", help_heading = "What is judged")]
    pub(crate) paths: Vec<PathBuf>,

    /// Which rules are applied
    #[command(flatten)]
    pub(crate) rules: RuleOptions,

    /// What lies outside of the repository
    #[command(flatten, next_help_heading = "Rules")]
    pub(crate) inputs: InputOptions,

    /// The form of the report
    #[arg(long, value_name = "F", default_value = "human", help_heading = "Output")]
    pub(crate) format: ReplayFormat,

    /// Write a page for a browser, too: one file that needs no network
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) html: Option<PathBuf>,

    /// What every command takes
    #[command(flatten)]
    pub(crate) common: Common,

    /// How many threads to use [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Output")]
    pub(crate) threads: Option<u16>,

    /// How much of what was read is kept in memory, in MiB
    #[arg(long, value_name = "MIB", default_value = "256", help_heading = "Output")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub(crate) memory: u32,
}

const REPLAY_HELP: &str = "\
Each commit of the first-parent line is judged against the one before it: a merge as its pull request, a squashed commit as \
itself. The policy is today's for all of them; `--config FILE` tries another one on the past. Ctrl-C ends it with what it has.

Examples:
  imglint replay                                       what the gate would have said to the last 1,000 changes
  imglint replay --since 1y --rule stale-version       one rule, one year
  imglint replay v1.0..v2.0 --format json              between two releases, for a program
  imglint replay --config draft.toml                   a policy that does not hold yet
  imglint replay --html replay.html                    a page to look at, and to filter";

/// The form of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReplayFormat {
    /// Sums, for people at a terminal
    Human,
    /// One JSON object, with each change and each finding
    Json,
}

/// A time that is given on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Since this day.
    Day(Day),
    /// Since so many days ago.
    DaysAgo(i64),
}

fn parse_when(argument: &str) -> Result<When, String> {
    const WANTED: &str = "this must be a day such as 2026-01-31, or a time such as 90d, 12w, 6m or 2y";
    if let Some(day) = Day::parse(argument) {
        return Ok(When::Day(day));
    }
    let (count, unit) = argument.split_at(argument.len() - argument.chars().next_back().map_or(0, char::len_utf8));
    let days = match unit {
        "d" => 1,
        "w" => 7,
        "m" => 30,
        "y" => 365,
        _ => return Err(WANTED.to_owned()),
    };
    let count = count.parse::<u16>().map_err(|_| WANTED.to_owned())?;
    Ok(When::DaysAgo(i64::from(count) * days))
}
