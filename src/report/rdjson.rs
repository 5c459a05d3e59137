//! rdjson, the diagnostic format of reviewdog. Columns count bytes of UTF-8, and ends are exclusive.

use serde::Serialize;

use super::json::to_string;
use super::location::{byte_positions, is_same, spelled};
use super::view::{Report, error_message, message};
use crate::edit::Fix;
use crate::finding::{self, Finding, Label, Level};
use crate::text::escape;

#[derive(Serialize)]
struct Root<'a> {
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    diagnostics: Vec<Diagnostic<'a>>,
}

#[derive(Serialize)]
struct Source {
    name: &'static str,
}

#[derive(Serialize)]
struct Diagnostic<'a> {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
    severity: &'static str,
    code: Code<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Suggestion<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Related>,
}

#[derive(Serialize)]
struct Related {
    message: String,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
}

#[derive(Serialize)]
struct Code<'a> {
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct Suggestion<'a> {
    range: Range,
    text: &'a str,
}

/// Renders the result. Waived findings are left out: reviewdog would post them.
pub fn render(report: &Report<'_>) -> String {
    let open = report.open();
    // A pipe into reviewdog takes imglint's exit code away: what could not be judged must be said in here.
    let errors = report.outcome.errors.iter().map(|error| Diagnostic {
        message: error_message(error),
        location: None,
        severity: "ERROR",
        code: Code { value: error.failed.name(), url: None },
        suggestions: Vec::new(),
        related_locations: Vec::new(),
    });
    let diagnostics: Vec<_> = errors.chain(open.iter().map(|finding| diagnostic(report, finding))).collect();
    let worst = open.first().map(|finding| severity(finding.level));
    let severity = if report.outcome.errors.is_empty() { worst } else { Some("ERROR") };
    to_string(&Root { source: Source { name: "imglint" }, severity, diagnostics })
}

fn diagnostic<'a>(report: &Report<'a>, finding: &'a Finding) -> Diagnostic<'a> {
    let finding::Diagnostic { location: found_at, fix, related: labels, .. } = &finding.diagnostic;
    let shown = report.shown_at(finding);
    let mut message = message(finding);
    if !is_same(found_at, &shown) {
        message = format!("{message} ({})", spelled(found_at));
    }
    let location = location(&shown);
    let suggestions = fix.as_ref().and_then(|fix| suggestions(report, fix, &location));
    let elsewhere = labels.iter().filter(|label| !is_same(&label.location, &shown));
    Diagnostic {
        message,
        location: Some(location),
        severity: severity(finding.level),
        code: Code { value: &finding.rule, url: report.url(&finding.rule) },
        suggestions: suggestions.unwrap_or_default(),
        related_locations: elsewhere.map(related).collect(),
    }
}

/// The fix, if all of it lies on the lines that are shown: reviewdog refuses others, and half of a fix would be wrong.
fn suggestions<'a>(report: &Report<'_>, fix: &'a Fix, location: &Location) -> Option<Vec<Suggestion<'a>>> {
    let shown = location.range.as_ref()?;
    let mut suggestions = Vec::new();
    for edit in &fix.edits {
        let text = report.text(&edit.path)?;
        let range = range(&finding::Location::new(&edit.path, &text, edit.start..edit.end));
        let is_there = range.start.line == shown.start.line && range.end.line == shown.end.line;
        if *edit.path != *location.path || !is_there {
            return None;
        }
        suggestions.push(Suggestion { range, text: &edit.text });
    }
    Some(suggestions)
}

fn related(label: &Label) -> Related {
    Related { message: escape(&label.message).into_owned(), location: location(&label.location) }
}

fn location(location: &finding::Location) -> Location {
    Location { path: location.path.to_string(), range: location.text.is_some().then(|| range(location)) }
}

fn range(location: &finding::Location) -> Range {
    let [start, end] = byte_positions(location).map(|(line, column)| Position { line, column });
    Range { start, end }
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warning => "WARNING",
        Level::Note | Level::Off => "INFO",
    }
}
