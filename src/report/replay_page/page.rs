//! The page as a whole.
//!
//! A template of a dozen names is filled by [`fill`]: a crate for templates would bring more code than all of this, and would
//! have to be trusted with escaping.

use std::fmt::Write as _;

use super::findings;
use super::findings::Choices;
use super::html::counted;
use super::html::fill;
use super::html::joined;
use super::html::number;
use super::html::short;
use super::html::text;
use super::html::text_with_code;
use super::matrix;
use super::timeline;
use super::unjudged;
use crate::finding::Level;
use crate::replay::{Fate, Replay};
use crate::report::graph::{Drawing, svg};
use crate::report::replay::verdict;
use crate::waiver::Day;

const PAGE: &str = include_str!("page.html");

/// The style of every page, and the only one that a page allows itself.
pub const STYLE: &str = include_str!("style.css");
/// The script of every page, and the only one that a page allows itself.
pub const SCRIPT: &str = include_str!("script.js");
/// What browsers make of [`STYLE`], to know it again: SHA-256 in base64.
pub const STYLE_SUM: &str = include_str!("style.css.sha256");
/// The same of [`SCRIPT`].
pub const SCRIPT_SUM: &str = include_str!("script.js.sha256");

/// How every page begins: who finds this in a file may replace it.
pub const MARK: &str = "<!doctype html>\n<!-- imglint replay -->\n";

/// Who is built on whom in the newest commit.
pub enum Picture {
    /// The images, and what their picture does not show.
    Drawn {
        /// The images.
        drawing: Drawing,
        /// What else is to be said of them.
        notes: Vec<String>,
    },
    /// Why they could not be drawn.
    Failed(String),
}

/// Renders the page.
pub fn render(replay: &Replay, picture: &Picture) -> String {
    let choices = Choices::of(replay);
    let has_findings = replay.changes.iter().any(|change| !change.findings.is_empty());
    let parts = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("style-sum", STYLE_SUM.trim_end().to_owned()),
        ("script-sum", SCRIPT_SUM.trim_end().to_owned()),
        ("style", STYLE.to_owned()),
        ("script", SCRIPT.to_owned()),
        ("title", text(&replay.words.range)),
        ("summary", summary(replay)),
        ("fates", fates(replay)),
        ("due", due(replay)),
        ("facts", facts(replay)),
        ("timeline", timeline::render(replay)),
        ("rules", matrix::rules(replay)),
        ("matrix", matrix::render(replay)),
        ("left-out", matrix::left_out(replay)),
        ("choices-of-rules", choices.rules),
        ("choices-of-images", choices.images),
        ("findings", findings::render(replay)),
        ("none", if has_findings { String::new() } else { "<p>Nothing was found.</p>".to_owned() }),
        ("graph", graph(picture)),
        ("unjudged", unjudged::render(replay)),
    ];
    let parts: Vec<(&str, &str)> = parts.iter().map(|(name, part)| (*name, &**part)).collect();
    format!("{MARK}{}", fill(PAGE, &parts))
}

/// The sentence that sums up.
fn summary(replay: &Replay) -> String {
    let sums = &replay.sums;
    let stopped = format!("{} of {}", number(sums.stopped), counted(sums.changes, "change"));
    // What stands out is what is wrong.
    let stopped = if sums.stopped > 0 { format!("<strong>{stopped}</strong>") } else { stopped };
    format!(
        "The gate would have stopped {stopped}{}: {}, {} and {}.",
        span(replay),
        counted(sums.errors, "error"),
        counted(sums.warnings, "warning"),
        counted(sums.notes, "note"),
    )
}

/// What became of errors and warnings.
fn fates(replay: &Replay) -> String {
    let (mut mended, mut late, mut removed, mut stayed, mut unknown) = (0, 0, 0, 0, 0);
    for finding in replay.changes.iter().flat_map(|change| &change.findings) {
        if finding.level < Level::Warning || finding.waived.is_some() {
            continue;
        }
        match &finding.fate {
            Fate::Mended(how) if how.overtaken => late += 1,
            Fate::Mended(_) => mended += 1,
            Fate::Removed(_) => removed += 1,
            Fate::Stayed => stayed += 1,
            Fate::Unknown => unknown += 1,
            Fate::Passing => {}
        }
    }
    let sums = &replay.sums;
    let mut parts = Vec::new();
    for (count, words) in [
        (mended, "mended by a later change"),
        (late, "mended only after their image had changed once more"),
        (removed, "gone with their image"),
        (stayed, "still there"),
        (unknown, "of unknown fate"),
    ] {
        if count > 0 {
            parts.push(format!("{} {words}", number(count)));
        }
    }
    let mut sentences = Vec::new();
    if !parts.is_empty() {
        sentences.push(format!("Of the errors and warnings: {}.", joined(&parts)));
    }
    if sums.fixable > 0 {
        sentences.push(format!("<code>--fix</code> repairs {} of them.", number(sums.fixable)));
    }
    if sums.waived > 0 {
        sentences.push(format!("Waivers let {} pass.", counted(sums.waived, "finding")));
    }
    if sums.incomplete > 0 {
        sentences.push(format!("In {}, a rule could not look.", counted(sums.incomplete, "change")));
    }
    if sums.unjudged > 0 {
        sentences.push(format!("{} could not be judged.", counted(sums.unjudged, "change")));
    }
    sentences.push(unjudged::end(replay));
    sentences.join(" ")
}

/// When versions are due here; nothing where no rule asks for them.
fn due(replay: &Replay) -> String {
    let due = replay.due.as_ref();
    due.map(|due| {
        format!("<p>When versions are due: {}: {}.</p>", text(&due.to_string()), text_with_code(&verdict(due)))
    })
    .unwrap_or_default()
}

/// What was replayed.
fn facts(replay: &Replay) -> String {
    let words = &replay.words;
    let mut facts = vec![
        format!("<code>{}</code> at {}", text(&words.range), text(short(&words.head))),
        counted(replay.sums.commits, "commit"),
        format!("pack {}", text(&words.pack)),
    ];
    if !words.paths.is_empty() {
        facts.push(format!("findings about {} alone", text(&words.paths.join(", "))));
    }
    facts.push(format!("imglint {}", env!("CARGO_PKG_VERSION")));
    facts.join(" · ")
}

/// When the changes were made.
fn span(replay: &Replay) -> String {
    let days = replay.changes.iter().filter_map(|change| Day::of_seconds(change.time));
    match (days.clone().min(), days.max()) {
        (Some(first), Some(last)) if first != last => format!(" from <time>{first}</time> to <time>{last}</time>"),
        (Some(day), _) => format!(" of <time>{day}</time>"),
        (None, _) => String::new(),
    }
}

fn graph(picture: &Picture) -> String {
    match picture {
        Picture::Failed(reason) => format!("<p>It could not be drawn: {}</p>", text(reason)),
        Picture::Drawn { drawing, notes } => {
            let mut graph = format!("<div class=\"wide\" tabindex=\"0\">{}</div>", svg::embed(drawing));
            for note in notes {
                let _ = write!(graph, "<p class=\"hint\">{}</p>", text_with_code(note)); // a string takes everything
            }
            graph
        }
    }
}
