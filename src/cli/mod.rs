//! The program: arguments, environment, exit codes. The only place that prints.

mod args;
mod bump;
mod check;
mod demo;
mod explain;
mod frame;
mod hook;
mod init;
mod inspect;
mod paths;
mod policy;
mod reports;
mod rules_page;
mod spinner;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use crate::environment::Environment;
use crate::report::human::Style;
use crate::text::escape;
use args::{Cli, Colour, Command, Hook};

/// Exit code: nothing that fails the gate.
const CLEAN: u8 = 0;
/// Exit code: findings that fail the gate.
const FINDINGS: u8 = 1;
/// Exit code: could not judge.
const FAILED: u8 = 2;

/// An error that ends the run, with what to do about it.
type Error = Box<dyn Diagnostic + Send + Sync>;

/// Runs the program with the arguments and the environment of this process.
pub fn main() -> ExitCode {
    let environment = Environment::of_process();
    let arguments = Cli::try_parse().unwrap_or_else(|error| {
        if error.use_stderr() {
            reports::tell_ci(&error.to_string(), &environment);
        }
        error.exit()
    });
    let colour = match &arguments.command {
        Some(Command::Check(check)) => check.output.color,
        Some(Command::Inspect(inspect)) => inspect.output.color,
        Some(Command::Bump(bump)) => bump.output.color,
        _ => arguments.check.output.color,
    };
    let failure = match &arguments.command {
        Some(Command::Bump(_) | Command::Init(_) | Command::Hook(Hook::Install(_) | Hook::Uninstall(_))) => {
            "nothing was changed"
        }
        Some(Command::Explain { .. } | Command::Rules { .. } | Command::Inspect(_)) => "nothing to show",
        Some(Command::Man { .. }) => "there is no such page",
        _ => "could not judge",
    };
    let result = match arguments.command {
        None => match misplaced(&arguments.check) {
            Some(misplaced) => Err(Box::new(misplaced) as Error),
            None => check::run(&arguments.check, &environment, true),
        },
        Some(Command::Check(check)) => check::run(&check, &environment, true),
        Some(Command::Explain { rule, policy }) => explain::explain(&rule, &policy, &environment),
        Some(Command::Rules { format, policy }) => explain::list(format, &policy, &environment),
        Some(Command::Inspect(inspect)) => inspect::run(&inspect, &environment),
        Some(Command::Bump(bump)) => bump::run(&bump, &environment),
        Some(Command::Demo) => demo::run(&environment),
        Some(Command::Init(init)) => init::run(&init, &environment),
        Some(Command::Hook(hook)) => hook::run(&hook, &environment),
        Some(Command::Completions { shell }) => completions(shell),
        Some(Command::Man { command }) => manual(&command),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain_of(failure, &*error, colour, &environment);
            ExitCode::from(FAILED)
        }
    }
}

/// The command that stands behind options, where clap takes its name for a path: options of `check` may come before paths, and
/// clap cannot tell them from those of a command. A misspelt one is a path to clap, too.
fn misplaced(check: &args::Check) -> Option<Misplaced> {
    let first = check.paths.first().filter(|path| !path.exists())?.to_str()?;
    let command = Cli::command();
    if command.find_subcommand(first).is_some() {
        return Some(Misplaced::Command(first.to_owned()));
    }
    let mut names = command.get_subcommands().map(clap::Command::get_name);
    let nearest = names.find(|name| strsim::damerau_levenshtein(name, first) <= name.len() / 3)?;
    Some(Misplaced::Misspelt(first.to_owned(), nearest.to_owned()))
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Misplaced {
    #[error("`{0}` is a command, and options stand behind its name")]
    #[diagnostic(help(
        "begin with `imglint {0}`; `imglint {0} --help` lists its options. A file of this name is `./{0}`"
    ))]
    Command(String),
    #[error("there is no command and no file `{}`", escape(.0))]
    #[diagnostic(help("did you mean `imglint {1}`? A deleted file of this name is `./{}`", escape(.0)))]
    Misspelt(String, String),
}

/// Prints what completes imglint's commands in a shell.
fn completions(shell: clap_complete::Shell) -> Result<u8, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "imglint", &mut script);
    print_bytes(&script)?;
    Ok(CLEAN)
}

/// Prints the manual page of imglint, or of one of its commands.
fn manual(names: &[String]) -> Result<u8, Error> {
    let mut command = Cli::command();
    command.build();
    let mut described = &command;
    for name in names {
        let commands = || described.get_subcommands().map(clap::Command::get_name);
        described = described
            .find_subcommand(name)
            .ok_or_else(|| -> Error { Box::new(NoCommand(name.clone(), crate::suggest::suggest(name, commands()))) })?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(described.clone())
        .render(&mut page)
        .map_err(|error| -> Error { Box::new(PrintError(error)) })?;
    print_bytes(&page)?;
    Ok(CLEAN)
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("there is no command `{}`", escape(.0))]
#[diagnostic(help("{1}; `imglint help` lists them all"))]
struct NoCommand(String, String);

/// Prints a report on standard output. A reader that went away, as `head` does, is no error.
fn print(text: &str) -> Result<(), Error> {
    print_bytes(text.as_bytes())
}

/// Prints bytes as they are.
fn print_bytes(bytes: &[u8]) -> Result<(), Error> {
    let mut output = std::io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Box::new(PrintError(error))),
        _ => Ok(()),
    }
}

/// Prints a line for people on standard error.
fn say(line: &str) {
    // Where standard error is gone, there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "imglint: {}", escape(line));
}

/// Prints an error on standard error.
fn complain(error: &dyn Diagnostic, colour: Colour, environment: &Environment) {
    complain_of("could not judge", error, colour, environment);
}

/// Prints an error on standard error, below what it kept imglint from.
fn complain_of(failure: &str, error: &dyn Diagnostic, colour: Colour, environment: &Environment) {
    let style = style(colour, environment, std::io::stderr().is_terminal());
    let theme = if style.has_colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    // Every message names its cause itself, for reports that print nothing else. Names and commands are copied: no word of
    // them is broken.
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .with_links(false)
        .without_cause_chain()
        .with_break_words(false)
        .with_word_separator(textwrap::WordSeparator::AsciiSpace)
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation);
    let related: Vec<&dyn Diagnostic> = error.related().into_iter().flatten().collect();
    let mut text = String::new();
    for one in if related.is_empty() { vec![error] } else { related } {
        if handler.render_report(&mut text, one).is_err() {
            text = format!("{text}{one}\n");
        }
    }
    let text: String = text.lines().map(|line| printable(line, style) + "\n").collect();
    let _ = write!(std::io::stderr(), "imglint: error: {failure}:\n{text}");
}

/// A line as it was rendered, with everything escaped that could speak to the terminal but our colours.
fn printable(line: &str, style: Style) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut shown = escape(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let is_colour = |codes: &str| codes.bytes().all(|byte| byte.is_ascii_digit() || byte == b';');
        match part.split_once('m').filter(|(codes, _)| style.has_colour && is_colour(codes)) {
            Some((codes, rest)) => shown.extend(["\u{1b}[", codes, "m", &*escape(rest)]),
            None => shown.push_str(&escape(&format!("\u{1b}[{part}"))),
        }
    }
    shown
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("failed to print the report: {0}")]
#[diagnostic(help("look at where standard output leads: is the disk full?"))]
struct PrintError(std::io::Error);

/// What can be shown on a stream.
fn style(colour: Colour, environment: &Environment, is_terminal: bool) -> Style {
    let is_plain = environment.get("NO_COLOR").is_some() || environment.get("TERM") == Some("dumb");
    let columns = environment.get("COLUMNS").and_then(|columns| columns.parse().ok());
    let width = columns.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)));
    Style {
        is_terminal: is_terminal || colour == Colour::Always,
        has_colour: match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => is_terminal && !is_plain,
        },
        width: width.unwrap_or(100).clamp(40, 140),
    }
}
