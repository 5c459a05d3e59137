//! SARIF 2.1.0, as GitHub's code scanning takes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

use super::json::to_string;
use super::place::is_same;
use super::{Report, failure_message, fingerprints, message};
use crate::edit::{Edit, Fix};
use crate::finding::{Finding, Level, Place};
use crate::pack::Rule;
use crate::text::escape;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    automation_details: AutomationDetails,
    column_kind: &'static str,
    invocations: [Invocation; 1],
    results: Vec<Outcome>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: String,
    name: String,
    short_description: Message,
    full_description: Message,
    help: Help,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

/// Tells this analysis from others of the same commit.
#[derive(Serialize)]
struct AutomationDetails {
    id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    level: &'static str,
    message: Message,
    #[serde(skip_serializing_if = "Option::is_none")]
    associated_rule: Option<Reference>,
}

#[derive(Serialize)]
struct Reference {
    id: String,
    index: usize,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    rule_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Fingerprints,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Repair>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fingerprints {
    primary_location_line_hash: String,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are SARIF's")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Repair {
    description: Message,
    artifact_changes: Vec<ArtifactChange>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange {
    artifact_location: Artifact,
    replacements: Vec<Replacement>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    inserted_content: Message,
}

/// Renders the log of one run.
pub fn render(report: &Report<'_>) -> String {
    let rules: Vec<&Rule> = report.applied().collect();
    let index: BTreeMap<&str, usize> = rules.iter().enumerate().map(|(index, rule)| (&*rule.id, index)).collect();
    let findings = &report.outcome.findings;
    let results = findings.iter().zip(fingerprints(findings));
    let notifications = report.outcome.failures.iter().map(|failure| Notification {
        level: "error",
        message: said(&failure_message(failure)),
        associated_rule: index
            .get(&*failure.rule)
            .map(|index| Reference { id: failure.rule.to_string(), index: *index }),
    });
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: "imglint",
                semantic_version: env!("CARGO_PKG_VERSION"),
                rules: rules.iter().map(|rule| descriptor(rule)).collect(),
            },
        },
        automation_details: AutomationDetails { id: "imglint/" },
        column_kind: "unicodeCodePoints",
        invocations: [Invocation {
            execution_successful: report.outcome.failures.is_empty(),
            tool_execution_notifications: notifications.collect(),
        }],
        results: results.map(|(finding, hash)| result(report, finding, hash, &index)).collect(),
    };
    to_string(&Log { schema: SCHEMA, version: "2.1.0", runs: [run] })
}

fn descriptor(rule: &Rule) -> Descriptor {
    let why = rule.why.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut paragraphs = vec![why.clone()];
    paragraphs.extend(rule.help.clone());
    paragraphs.push(format!("`imglint explain {}` shows an example.", rule.id));
    let text = paragraphs.join("\n\n");
    let sources: Vec<String> = rule.sources.iter().map(|source| format!("- <{source}>")).collect();
    let escape_lines = |text: &str| text.split('\n').map(escape).collect::<Vec<_>>().join("\n");
    Descriptor {
        id: rule.id.to_string(),
        name: pascal_case(&rule.id),
        short_description: said(&rule.summary),
        full_description: said(&why),
        help: Help {
            text: escape_lines(&text),
            markdown: escape_lines(&format!("{text}\n\n{}", sources.join("\n"))).trim_end().to_owned(),
        },
        help_uri: rule.url().map(str::to_owned),
        default_configuration: Configuration { level: level(rule.level) },
    }
}

/// The form that SARIF has for the names of rules beside their ids.
fn pascal_case(id: &str) -> String {
    let capitalised = |word: &str| word.split_at_checked(1).map(|(first, rest)| first.to_ascii_uppercase() + rest);
    id.split('-').filter_map(capitalised).collect()
}

fn result(report: &Report<'_>, finding: &Finding, hash: String, index: &BTreeMap<&str, usize>) -> Outcome {
    let fault = &finding.fault;
    // Code scanning counts the first location alone, and shows it in a review if it stands on a changed line.
    let shown = report.shown_at(finding);
    let own = (!is_same(&fault.place, &shown)).then_some((&fault.place, "this is to be mended"));
    let related = fault.related.iter().map(|label| (&label.place, label.message.as_str()));
    let related = own.into_iter().chain(related).filter(|(place, _)| !is_same(place, &shown));
    Outcome {
        rule_id: finding.rule.to_string(),
        rule_index: index.get(&*finding.rule).copied(),
        level: level(finding.level),
        message: Message { text: unlinked(&message(finding)) },
        locations: [location(&shown, None)],
        related_locations: related.enumerate().map(|(id, (place, text))| location(place, Some((id, text)))).collect(),
        partial_fingerprints: Fingerprints { primary_location_line_hash: hash },
        suppressions: finding.waived.iter().map(|reason| suppression(reason)).collect(),
        fixes: fault.fix.iter().filter_map(|fix| repair(report, fix)).collect(),
    }
}

fn suppression(reason: &str) -> Suppression {
    Suppression { kind: "external", status: "accepted", justification: said(reason).text }
}

fn repair(report: &Report<'_>, fix: &Fix) -> Option<Repair> {
    let mut changes: BTreeMap<&Arc<str>, Vec<&Edit>> = BTreeMap::new();
    for edit in &fix.edits {
        changes.entry(&edit.path).or_default().push(edit);
    }
    let change = |(path, edits): (&Arc<str>, Vec<&Edit>)| {
        let text = report.text(path)?;
        let replacement = |edit: &Edit| Replacement {
            deleted_region: region(&Place::new(path, &text, edit.start..edit.end)),
            inserted_content: Message { text: edit.text.clone() },
        };
        let replacements = edits.into_iter().map(replacement).collect();
        Some(ArtifactChange { artifact_location: artifact(path), replacements })
    };
    // All of it or nothing.
    let artifact_changes = changes.into_iter().map(change).collect::<Option<_>>()?;
    Some(Repair { description: said(&fix.title), artifact_changes })
}

fn location(place: &Place, label: Option<(usize, &str)>) -> Location {
    Location {
        id: label.map(|(id, _)| id),
        physical_location: PhysicalLocation { artifact_location: artifact(&place.path), region: region(place) },
        message: label.map(|(_, text)| said(text)),
    }
}

fn region(place: &Place) -> Region {
    let (start, end) = place.positions();
    Region { start_line: start.line, start_column: start.column, end_line: end.line, end_column: end.column }
}

fn artifact(path: &str) -> Artifact {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}"); // a string takes everything
        }
    }
    Artifact { uri }
}

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
