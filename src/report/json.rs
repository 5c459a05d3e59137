//! JSON: one object, stable within its version.

use std::fmt::Write as _;

use serde::Serialize;

use super::diff;
use super::view::{Repaired, Report, Tree};
use crate::edit::Fix;
use crate::finding::{Finding, Level, Location};
use crate::fix::MadeFix;
use crate::text::is_unprintable;

#[derive(Serialize)]
struct Root<'a> {
    version: u32,
    base: Base<'a>,
    head: Head<'a>,
    findings: Vec<Item<'a>>,
    failures: Vec<Failed<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repairs: Option<Repairs<'a>>,
    summary: Summary,
}

/// What was repaired, where that was asked for.
#[derive(Serialize)]
struct Repairs<'a> {
    written: bool,
    files: Vec<File<'a>>,
    conflicts: &'a [[MadeFix; 2]],
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    done: &'a [MadeFix],
    diff: String,
}

/// What head was compared with, as every object says it.
#[derive(Serialize)]
pub struct Base<'a> {
    rev: Option<&'a str>,
    source: &'a str,
}

/// What was judged, as every object says it.
#[derive(Serialize)]
pub struct Head<'a> {
    rev: Option<&'a str>,
    kind: &'a str,
}

impl<'a> From<&'a Tree<'a>> for Base<'a> {
    fn from(Tree { revision, words }: &'a Tree<'a>) -> Self {
        Self { rev: revision.as_deref(), source: words }
    }
}

impl<'a> From<&'a Tree<'a>> for Head<'a> {
    fn from(Tree { revision, words }: &'a Tree<'a>) -> Self {
        Self { rev: revision.as_deref(), kind: words }
    }
}

#[derive(Serialize)]
struct Failed<'a> {
    rule: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Item<'a> {
    rule: &'a str,
    level: Level,
    image: Option<&'a str>,
    #[serde(flatten)]
    location: At<'a>,
    message: &'a str,
    help: Option<&'a str>,
    new: bool,
    waived: Option<&'a str>,
    related: Vec<Related<'a>>,
    fix: Option<&'a Fix>,
}

#[derive(Serialize)]
struct At<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
struct Related<'a> {
    #[serde(flatten)]
    location: At<'a>,
    message: &'a str,
}

#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
    notes: usize,
    waived: usize,
    older: usize,
}

/// Renders the object, with a line feed at the end.
pub fn render(report: &Report<'_>) -> String {
    let outcome = report.outcome;
    let root = Root {
        version: 1,
        base: (&report.base).into(),
        head: (&report.head).into(),
        findings: outcome.findings.iter().map(item).collect(),
        failures: outcome
            .errors
            .iter()
            .map(|error| Failed { rule: error.failed.name(), message: &error.reason })
            .collect(),
        repairs: report.repaired.map(repairs),
        summary: Summary {
            errors: outcome.count(Level::Error),
            warnings: outcome.count(Level::Warning),
            notes: outcome.count(Level::Note),
            waived: outcome.waived(),
            older: outcome.older,
        },
    };
    to_string(&root)
}

fn repairs(Repaired { repair, is_written }: Repaired<'_>) -> Repairs<'_> {
    let mut files = Vec::new();
    for (path, file) in repair.changed() {
        let diff = String::from_utf8_lossy(&diff::of_file(path, file)).into_owned();
        files.push(File { path, done: &file.done, diff });
    }
    Repairs { written: is_written, files, conflicts: &repair.conflicts }
}

/// Prints a value as JSON that no terminal and no log can be misled by: what is unprintable is escaped.
pub fn to_string(value: &impl Serialize) -> String {
    // Maps have string keys here, and nothing else could fail.
    let json = serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("{{\"error\": {error:?}}}"));
    printable(&json)
}

/// Prints a value in the same way in one line.
pub fn to_line(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\": {error:?}}}"));
    printable(&json)
}

/// The same JSON with escapes for what is unprintable, and a line feed at the end.
fn printable(json: &str) -> String {
    let mut printable = String::with_capacity(json.len() + 1);
    let mut units = [0; 2];
    for character in json.chars() {
        // Control characters below the space are escaped already; a line feed is the layout's. `##` speaks to some CI systems.
        let is_command = character == '#' && printable.ends_with('#');
        if is_command || is_unprintable(character) && character != '\n' {
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(printable, "\\u{unit:04x}"); // a string takes everything
            }
        } else {
            printable.push(character);
        }
    }
    printable.push('\n');
    printable
}

fn item(finding: &Finding) -> Item<'_> {
    let diagnostic = &finding.diagnostic;
    Item {
        rule: &finding.rule,
        level: finding.level,
        image: diagnostic.image.as_deref(),
        location: at(&diagnostic.location),
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        new: true,
        waived: finding.waived.as_deref(),
        related: diagnostic
            .related
            .iter()
            .map(|label| Related { location: at(&label.location), message: &label.message })
            .collect(),
        fix: diagnostic.fix.as_ref(),
    }
}

fn at(location: &Location) -> At<'_> {
    let (start, end) = location.positions();
    At { path: &location.path, line: start.line, column: start.column, end_line: end.line, end_column: end.column }
}
