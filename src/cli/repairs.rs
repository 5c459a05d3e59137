//! Repairs, written or shown.

use std::io::IsTerminal as _;
use std::path::Path;

use super::args::Output;
use super::exit::Error;
use super::frame::Frame;
use super::terminal::{print, print_bytes, say, style};
use crate::environment::Environment;
use crate::fix::Repair;
use crate::git::{GitError, Head};
use crate::report::human::{Style, closing};
use crate::report::{diff, summary};
use crate::text::escape_but_tabs;
use crate::write::write;

/// Writes the repaired files into the working tree, whatever was judged: the index is the user's.
pub(super) fn put(repair: &Repair, frame: &Frame) -> Result<(), Error> {
    if repair.files.is_empty() {
        return Ok(());
    }
    write(working_tree(frame)?, &repair.files)?;
    if frame.head == Head::Index {
        say("the files are repaired in the working tree; the index is as it was: look at them, then `git add` them");
    }
    Ok(())
}

/// Where files are written.
pub(super) fn working_tree(frame: &Frame) -> Result<&Path, Error> {
    Ok(frame.repository.root().ok_or(GitError::Bare("working tree"))?)
}

/// Says which repairs were left out because they cannot be made together.
pub(super) fn say_conflicts(repair: &Repair) {
    for conflict in summary::conflicts(repair) {
        say(&conflict);
    }
}

/// Prints the diff alone, so that `git apply` can read it, and says beside it what it does not repair.
pub(super) fn show_diff(repair: &Repair, output: &Output, environment: &Environment) -> Result<(), Error> {
    let diff = diff::render(repair);
    let style = style(output.color, environment, std::io::stdout().is_terminal());
    if style.is_terminal {
        let text = String::from_utf8_lossy(&diff);
        print(&text.lines().map(|line| diff_line(line, style)).collect::<String>())?;
    } else {
        print_bytes(&diff)?;
    }
    if !output.quiet {
        say(&format!("with this: {}", closing(&repair.after)));
    }
    Ok(())
}

/// A line of a diff as a terminal shows it, in git's colours.
fn diff_line(line: &str, style: Style) -> String {
    let colour = match line.as_bytes() {
        _ if !style.has_colour => None,
        [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Some("1"),
        [b'@', ..] => Some("36"),
        [b'+', ..] => Some("32"),
        [b'-', ..] => Some("31"),
        _ => None,
    };
    let line = escape_but_tabs(line);
    colour.map_or_else(|| format!("{line}\n"), |colour| format!("\u{1b}[{colour}m{line}\u{1b}[0m\n"))
}
