//! The program: arguments, environment, exit codes. The only place that prints.

mod args;
mod exit;
mod terminal;
mod spinner;
mod threads;
mod paths;
mod policy_files;
mod policy;
mod frame;
mod refuse;
mod repairs;
mod reports;
mod check;
mod bump;
mod demo;
mod rules_page;
mod rules;
mod complete;
mod explain;
mod inspect;
mod status;
mod waive;
mod affected;
mod graph;
mod claims;
mod replay_page;
mod replay;
mod merge_setup;
mod merge_driver;
mod hook;
mod proposal;
mod due;
mod init;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use miette::Diagnostic;

use crate::environment::Environment;
use crate::suggest::suggest;
use crate::text::escape;
use args::{Cli, Command, Hook, SchemaFile};
use exit::{CLEAN, Error, FAILED};
use terminal::{PrintError, complain_of, print, print_bytes};

/// Runs the program with the arguments and the environment of this process.
pub fn main() -> ExitCode {
    let environment = Environment::of_process();
    if let Some(answer) = complete::answer(&environment) {
        // A complaint would stand in the middle of the line that is being written.
        return ExitCode::from(answer.unwrap_or(FAILED));
    }
    let arguments = Cli::try_parse().unwrap_or_else(|error| {
        if error.use_stderr() {
            reports::tell_ci(&error.to_string(), &environment);
        }
        error.exit()
    });
    let colour = arguments.color();
    let introduction = introduction(arguments.command.as_ref());
    let result = match arguments.command {
        None => match misplaced(&arguments.check) {
            Some(misplaced) => Err(Box::new(misplaced) as Error),
            None => check::run(&arguments.check, &environment, true),
        },
        Some(Command::Check(check)) => check::run(&check, &environment, true),
        Some(Command::Explain { rule, format, policy }) => explain::explain(&rule, format, &policy, &environment),
        Some(Command::Rules { format, policy }) => rules::list(format, &policy, &environment),
        Some(Command::Inspect(inspect)) => inspect::run(&inspect, &environment),
        Some(Command::Status(status)) => status::run(&status, &environment),
        Some(Command::Affected(options)) => affected::run(&options, &environment),
        Some(Command::Graph(options)) => graph::run(&options, &environment),
        Some(Command::Waive(options)) => waive::run(&options, &environment),
        Some(Command::Claims(claims)) => claims::run(&claims, &environment),
        Some(Command::Bump(bump)) => bump::run(&bump, &environment),
        Some(Command::Replay(options)) => replay::run(&options, &environment),
        Some(Command::Demo) => demo::run(&environment),
        Some(Command::Init(init)) => init::run(&init, &environment),
        Some(Command::MergeDriver(driver)) => merge_driver::run(&driver, &environment),
        Some(Command::Hook(hook)) => hook::run(&hook, &environment),
        Some(Command::Schema { file }) => schema(file),
        Some(Command::Completions { shell }) => complete::script(shell),
        Some(Command::Man { command }) => manual(&command),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain_of(introduction, &*error, colour, &environment);
            ExitCode::from(FAILED)
        }
    }
}

/// What an error begins with: what did not happen.
fn introduction(command: Option<&Command>) -> &'static str {
    match command {
        Some(
            Command::Bump(_)
            | Command::Waive(_)
            | Command::Init(_)
            | Command::Hook(Hook::Install(_) | Hook::Uninstall(_)),
        ) => "nothing was changed",
        Some(
            Command::Explain { .. }
            | Command::Rules { .. }
            | Command::Inspect(_)
            | Command::Status(_)
            | Command::Affected(_)
            | Command::Graph(_)
            | Command::Claims(_),
        ) => "nothing to show",
        Some(Command::Man { .. }) => "there is no such page",
        _ => "could not judge",
    }
}

/// The command that stands behind options, where clap takes its name for a path: options of `check` may come before paths, and
/// clap cannot tell them from those of a command. A misspelt one is a path to clap, too.
fn misplaced(check: &args::Check) -> Option<CommandError> {
    let first = check.paths.first().filter(|path| !path.exists())?.to_str()?;
    let command = Cli::command();
    if command.find_subcommand(first).is_some() {
        return Some(CommandError::Command(first.to_owned()));
    }
    if let Some((_, meant)) = MEANT.iter().find(|(word, _)| *word == first) {
        return Some(CommandError::Elsewhere(first.to_owned(), meant));
    }
    let mut names = command.get_subcommands().map(clap::Command::get_name);
    let nearest = names.find(|name| strsim::damerau_levenshtein(name, first) <= name.len() / 3)?;
    Some(CommandError::Misspelt(first.to_owned(), nearest.to_owned()))
}

/// What other programs call commands, and what these are here.
const MEANT: &[(&str, &str)] = &[
    ("fix", "imglint --fix"),
    ("diff", "imglint --diff"),
    ("lint", "imglint"),
    ("run", "imglint"),
    ("verify", "imglint"),
    ("test", "imglint"),
    ("list", "imglint rules"),
    ("images", "imglint inspect"),
    ("show", "imglint inspect"),
    ("version", "imglint --version"),
    ("install", "imglint hook install"),
    ("completion", "imglint completions"),
];

#[derive(Debug, thiserror::Error, Diagnostic)]
enum CommandError {
    #[error("there is no command and no file `{0}`")]
    #[diagnostic(help("did you mean `{1}`? A file of this name is `./{0}`"))]
    Elsewhere(String, &'static str),
    #[error("`{0}` is a command, and options stand behind its name")]
    #[diagnostic(help(
        "begin with `imglint {0}`; `imglint {0} --help` lists its options. A file of this name is `./{0}`"
    ))]
    Command(String),
    #[error("there is no command and no file `{}`", escape(.0))]
    #[diagnostic(help("did you mean `imglint {1}`? A deleted file of this name is `./{}`", escape(.0)))]
    Misspelt(String, String),
    #[error("there is no command `{}`", escape(.0))]
    #[diagnostic(help("{1}; `imglint help` lists them all"))]
    Unknown(String, String),
}

/// Prints the JSON schema of a kind of file.
fn schema(file: SchemaFile) -> Result<u8, Error> {
    print(&crate::report::json::to_string(&crate::schema::schema(file.into())))?;
    Ok(CLEAN)
}

/// Prints the manual page of imglint, or of one of its commands.
fn manual(names: &[String]) -> Result<u8, Error> {
    let mut command = Cli::command();
    command.build();
    let mut described = &command;
    for name in names {
        let Some(command) = described.find_subcommand(name) else {
            let suggestion = suggest(name, described.get_subcommands().map(clap::Command::get_name));
            return Err(Box::new(CommandError::Unknown(name.clone(), suggestion)));
        };
        described = command;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(described.clone())
        .render(&mut page)
        .map_err(|error| -> Error { Box::new(PrintError(error)) })?;
    print_bytes(&page)?;
    Ok(CLEAN)
}
