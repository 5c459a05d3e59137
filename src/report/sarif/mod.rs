//! SARIF 2.1.0, as GitHub's code scanning takes it.

mod document;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::json::to_string;
use super::location::is_same;
use super::view::{Report, error_message, fingerprints, message};
use crate::edit::{Edit, Fix};
use crate::finding::{self, Finding, Level};
use crate::pack::{Rule, is_url};
use crate::text::escape;
use document::{
    ArtifactChange, ArtifactLocation, AutomationDetails, Configuration, Descriptor, Driver, Help, Invocation, Location,
    Log, Message, Notification, PhysicalLocation, Region, Repair, Replacement, RuleReference, Run, SCHEMA, Suppression,
    Tool,
};

/// The places of rules in the list of all, by their names.
type Index<'a> = BTreeMap<&'a str, usize>;

/// Renders the log of one run.
pub fn render(report: &Report<'_>) -> String {
    let rules: Vec<&Rule> = report.applied().collect();
    let mut index = Index::new();
    for (position, rule) in rules.iter().enumerate() {
        index.insert(&rule.id, position);
    }
    let mut notifications = Vec::new();
    for error in &report.outcome.errors {
        let id = error.failed.name();
        let rule = index.get(id).map(|&index| RuleReference { id: id.to_owned(), index });
        let message = said(&error_message(error));
        notifications.push(Notification { associated_rule: rule, level: "error", message });
    }
    let findings = &report.outcome.findings;
    let mut results = Vec::new();
    for (finding, fingerprint) in findings.iter().zip(fingerprints(findings)) {
        results.push(result(report, finding, fingerprint, &index));
    }
    let run = Run {
        // Tells this analysis from others of the same commit.
        automation_details: AutomationDetails { id: "imglint/" },
        column_kind: "unicodeCodePoints",
        invocations: [Invocation {
            execution_successful: report.outcome.errors.is_empty(),
            tool_execution_notifications: notifications,
        }],
        results,
        tool: Tool {
            driver: Driver {
                name: "imglint",
                rules: rules.into_iter().map(descriptor).collect(),
                semantic_version: env!("CARGO_PKG_VERSION"),
            },
        },
    };
    to_string(&Log { version: "2.1.0", schema: SCHEMA, runs: [run] })
}

fn descriptor(rule: &Rule) -> Descriptor {
    let why = rule.why.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut paragraphs = vec![why.clone()];
    paragraphs.extend(rule.help.clone());
    paragraphs.push(format!("`imglint explain {}` shows an example.", rule.id));
    let text = paragraphs.join("\n\n");
    let mut markdown = format!("{text}\n\n");
    for source in &rule.sources {
        // A string takes everything.
        let _ = if is_url(source) { writeln!(markdown, "- <{source}>") } else { writeln!(markdown, "- {source}") };
    }
    Descriptor {
        default_configuration: Configuration { level: level(rule.level) },
        full_description: said(&why),
        help: Help { markdown: escape_lines(&markdown).trim_end().to_owned(), text: escape_lines(&text) },
        help_uri: rule.url(),
        id: rule.id.to_string(),
        name: pascal_case(&rule.id),
        short_description: said(&rule.summary),
    }
}

fn escape_lines(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
}

/// The form that SARIF has for the names of rules beside their ids.
fn pascal_case(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for word in id.split('-') {
        if let Some((first, rest)) = word.split_at_checked(1) {
            name.push_str(&first.to_ascii_uppercase());
            name.push_str(rest);
        }
    }
    name
}

fn result(report: &Report<'_>, finding: &Finding, fingerprint: String, index: &Index<'_>) -> document::Finding {
    let diagnostic = &finding.diagnostic;
    // Code scanning counts the first location alone, and shows it in a review if it stands on a changed line.
    let shown = report.shown_at(finding);
    let mut locations = Vec::new();
    if !is_same(&diagnostic.location, &shown) {
        locations.push((&diagnostic.location, "this is what to mend"));
    }
    for label in &diagnostic.related {
        if !is_same(&label.location, &shown) {
            locations.push((&label.location, &label.message));
        }
    }
    let mut related_locations = Vec::new();
    for (id, (location, text)) in locations.into_iter().enumerate() {
        related_locations.push(Location { id: Some(id), message: Some(said(text)), ..located(location) });
    }
    document::Finding {
        fixes: diagnostic.fix.iter().filter_map(|fix| repair(report, fix)).collect(),
        level: level(finding.level),
        locations: [located(&shown)],
        message: Message { text: unlinked(&message(finding)) },
        partial_fingerprints: BTreeMap::from([("primaryLocationLineHash", fingerprint)]),
        related_locations,
        rule_id: finding.rule.to_string(),
        rule_index: index.get(&*finding.rule).copied(),
        suppressions: finding.waived.iter().map(|reason| suppression(reason)).collect(),
    }
}

fn suppression(reason: &str) -> Suppression {
    Suppression { justification: said(reason).text, kind: "external", status: "accepted" }
}

/// The fix; `None` if the text of one of its files is not at hand: all of it or nothing.
fn repair(report: &Report<'_>, fix: &Fix) -> Option<Repair> {
    let mut by_file: BTreeMap<&Arc<str>, Vec<&Edit>> = BTreeMap::new();
    for edit in &fix.edits {
        by_file.entry(&edit.path).or_default().push(edit);
    }
    let mut artifact_changes = Vec::new();
    for (path, edits) in by_file {
        let text = report.text(path)?;
        let mut replacements = Vec::new();
        for edit in edits {
            let deleted_region = region(&finding::Location::new(path, &text, edit.start..edit.end));
            replacements.push(Replacement { deleted_region, inserted_content: Message { text: edit.text.clone() } });
        }
        artifact_changes.push(ArtifactChange { artifact_location: artifact(path), replacements });
    }
    Some(Repair { artifact_changes, description: said(&fix.title) })
}

fn located(location: &finding::Location) -> Location {
    let physical_location = PhysicalLocation { artifact_location: artifact(&location.path), region: region(location) };
    Location { id: None, message: None, physical_location }
}

fn region(location: &finding::Location) -> Region {
    let (start, end) = location.positions();
    Region { end_column: end.column, end_line: end.line, start_column: start.column, start_line: start.line }
}

fn artifact(path: &str) -> ArtifactLocation {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}"); // a string takes everything
        }
    }
    ArtifactLocation { uri }
}

/// Text that misleads no reader.
fn said(text: &str) -> Message {
    Message { text: unlinked(&escape(text)) }
}

/// The text without what would be a link in a message.
fn unlinked(text: &str) -> String {
    text.replace("](", "] (")
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
        Level::Off => "none",
    }
}
