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

/// The columns of the terminal that standard output is; none where it is something else, which gets lines as they are.
pub(super) fn width(environment: &Environment) -> Option<usize> {
    let is_terminal = std::io::stdout().is_terminal();
    is_terminal.then(|| style(Colour::Auto, environment, true).width)
}

/// A line, folded to the width of a terminal; what follows its first part is indented.
pub(super) fn fold(line: &str, width: Option<usize>, indent: usize) -> String {
    let Some(width) = width else { return line.to_owned() };
    let indent = " ".repeat(indent.min(width / 2));
    let begin = line.len() - line.trim_start().len();
    let options = textwrap::Options::new(width)
        .initial_indent(&line[..begin])
        .subsequent_indent(&indent)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(&line[begin..], options)
}

/// Lines of prose. For a terminal, those of a paragraph are joined and folded anew; what is indented, or an item of a list, keeps its own.
pub(super) fn fold_paragraphs(lines: &[String], width: Option<usize>) -> String {
    if width.is_none() {
        return lines.join("\n");
    }
    let mut paragraphs: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in lines {
        let begins = line.is_empty() || line.starts_with([' ', '-', '*', '|', '#', '`']);
        match paragraphs.last_mut().filter(|_| goes_on && !begins) {
            Some(paragraph) => paragraph.extend([" ", line]),
            None => paragraphs.push(line.clone()),
        }
        goes_on = !line.is_empty() && !line.starts_with([' ', '|', '#']);
    }
    paragraphs.iter().map(|paragraph| fold(paragraph, width, 0)).collect::<Vec<_>>().join("\n")
}

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
