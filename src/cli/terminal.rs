//! What is printed, and how much of it a stream can show. Nothing else prints.

use std::io::{IsTerminal as _, Write as _};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use super::args::Colour;
use super::exit::Error;
use crate::environment::Environment;
use crate::report::human::Style;
use crate::text::escape;

/// Prints a report on standard output. A reader that went away, as `head` does, is no error.
pub(super) fn print(text: &str) -> Result<(), Error> {
    print_bytes(text.as_bytes())
}

/// Prints bytes as they are.
pub(super) fn print_bytes(bytes: &[u8]) -> Result<(), Error> {
    let mut output = std::io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Box::new(PrintError(error))),
        _ => Ok(()),
    }
}

/// Prints a line for people on standard error.
pub(super) fn say(line: &str) {
    // Where standard error is gone, there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "imglint: {}", escape(line));
}

/// Prints lines for people on standard error.
pub(super) fn say_all(lines: &[String]) {
    for line in lines {
        say(line);
    }
}

/// Prints an error on standard error.
pub(super) fn complain(error: &dyn Diagnostic, colour: Colour, environment: &Environment) {
    complain_of("could not judge", error, colour, environment);
}

/// Prints an error on standard error, below what it kept imglint from.
pub(super) fn complain_of(introduction: &str, error: &dyn Diagnostic, colour: Colour, environment: &Environment) {
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
    let _ = write!(std::io::stderr(), "imglint: error: {introduction}:\n{text}");
}

/// A line as it was rendered, with everything escaped that could speak to the terminal but our colours.
fn printable(line: &str, style: Style) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut shown = escape(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        match part.split_once('m').filter(|(codes, _)| style.has_colour && is_colour(codes)) {
            Some((codes, rest)) => shown.extend(["\u{1b}[", codes, "m", &*escape(rest)]),
            None => shown.push_str(&escape(&format!("\u{1b}[{part}"))),
        }
    }
    shown
}

/// What came of printing a report.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("failed to print the report: {0}")]
#[diagnostic(help("look at where standard output leads: is the disk full?"))]
pub(super) struct PrintError(pub(super) std::io::Error);

/// What can be shown on a stream.
pub(super) fn style(colour: Colour, environment: &Environment, is_terminal: bool) -> Style {
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

/// Whether an escape sequence is one of those that only choose colours.
fn is_colour(codes: &str) -> bool {
    codes.bytes().all(|byte| byte.is_ascii_digit() || byte == b';')
}
