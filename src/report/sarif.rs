//! SARIF 2.1.0, as GitHub's code scanning takes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;
use serde_sarif::sarif::{
    ArtifactChange, ArtifactContent, ArtifactLocation, Fix as Repair, Invocation, Location, Message,
    MultiformatMessageString, Notification, NotificationLevel, PhysicalLocation, Region, Replacement,
    ReportingConfiguration, ReportingDescriptor, ReportingDescriptorReference, Result as Outcome, ResultColumnKind,
    ResultLevel, Run, RunAutomationDetails, Suppression, SupressionKind, SupressionStatus, Tool, ToolComponent,
};

use super::json::to_string;
use super::place::is_same;
use super::{Report, failure_message, fingerprints, message};
use crate::edit::{Edit, Fix};
use crate::finding::{Finding, Level, Place};
use crate::pack::{Rule, is_url};
use crate::text::escape;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// SARIF wants its version first. The crate's own log has the keys in the order of the alphabet.
#[derive(Serialize)]
struct Log {
    version: &'static str,
    #[serde(rename = "$schema")]
    schema: &'static str,
    runs: [Run; 1],
}

/// Renders the log of one run.
pub fn render(report: &Report<'_>) -> String {
    let rules: Vec<&Rule> = report.applied().collect();
    let index: BTreeMap<&str, i64> = (0..).zip(&rules).map(|(index, rule)| (&*rule.id, index)).collect();
    let findings = &report.outcome.findings;
    let results = findings.iter().zip(fingerprints(findings));
    let notifications = report.outcome.failures.iter().map(|failure| {
        let rule = |index: &i64| ReportingDescriptorReference::builder().id(failure.judge.name()).index(*index).build();
        Notification::builder()
            .level(NotificationLevel::Error.to_string())
            .message(&said(&failure_message(failure)))
            .opt_associated_rule(index.get(failure.judge.name()).map(rule))
            .build()
    });
    let driver = ToolComponent::builder()
        .name("imglint")
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .rules(rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>())
        .build();
    let invocation = Invocation::builder()
        .execution_successful(report.outcome.failures.is_empty())
        .opt_tool_execution_notifications(some(notifications.collect()))
        .build();
    let run = Run::builder()
        .tool(Tool::from(driver))
        // Tells this analysis from others of the same commit.
        .automation_details(RunAutomationDetails::builder().id("imglint/").build())
        .column_kind(ResultColumnKind::UnicodeCodePoints.to_string())
        .invocations([invocation])
        .results(results.map(|(finding, hash)| result(report, finding, hash, &index)).collect::<Vec<_>>())
        .build();
    to_string(&Log { version: "2.1.0", schema: SCHEMA, runs: [run] })
}

fn descriptor(rule: &Rule) -> ReportingDescriptor {
    let why = rule.why.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut paragraphs = vec![why.clone()];
    paragraphs.extend(rule.help.clone());
    paragraphs.push(format!("`imglint explain {}` shows an example.", rule.id));
    let text = paragraphs.join("\n\n");
    let sources: Vec<String> = rule
        .sources
        .iter()
        .map(|source| if is_url(source) { format!("- <{source}>") } else { format!("- {source}") })
        .collect();
    let escape_lines = |text: &str| text.split('\n').map(escape).collect::<Vec<_>>().join("\n");
    let markdown = escape_lines(&format!("{text}\n\n{}", sources.join("\n")));
    let help = MultiformatMessageString::builder().text(escape_lines(&text)).markdown(markdown.trim_end()).build();
    ReportingDescriptor::builder()
        .id(&*rule.id)
        .name(pascal_case(&rule.id))
        .short_description(&said(&rule.summary))
        .full_description(&said(&why))
        .help(help)
        .opt_help_uri(rule.url().map(str::to_owned))
        .default_configuration(ReportingConfiguration::builder().level(level(rule.level).to_string()).build())
        .build()
}

/// The form that SARIF has for the names of rules beside their ids.
fn pascal_case(id: &str) -> String {
    let capitalised = |word: &str| word.split_at_checked(1).map(|(first, rest)| first.to_ascii_uppercase() + rest);
    id.split('-').filter_map(capitalised).collect()
}

fn result(report: &Report<'_>, finding: &Finding, hash: String, index: &BTreeMap<&str, i64>) -> Outcome {
    let fault = &finding.fault;
    // Code scanning counts the first location alone, and shows it in a review if it stands on a changed line.
    let shown = report.shown_at(finding);
    let own = (!is_same(&fault.place, &shown)).then_some((&fault.place, "this is what to mend"));
    let related = fault.related.iter().map(|label| (&label.place, label.message.as_str()));
    let related = own.into_iter().chain(related).filter(|(place, _)| !is_same(place, &shown));
    let related = (0..).zip(related).map(|(id, (place, text))| Location {
        id: Some(id),
        message: Some(Message::from(&said(text))),
        ..location(place)
    });
    Outcome::builder()
        .rule_id(&*finding.rule)
        .opt_rule_index(index.get(&*finding.rule).copied())
        .level(level(finding.level))
        .message(&unlinked(&message(finding)))
        .locations([location(&shown)])
        .opt_related_locations(some(related.collect()))
        .partial_fingerprints([("primaryLocationLineHash".to_owned(), hash)])
        .opt_suppressions(some(finding.waived.iter().map(|reason| suppression(reason)).collect()))
        .opt_fixes(some(fault.fix.iter().filter_map(|fix| repair(report, fix)).collect()))
        .build()
}

fn suppression(reason: &str) -> Suppression {
    Suppression::builder()
        .kind(SupressionKind::External.to_string())
        .status(SupressionStatus::Accepted.to_string())
        .justification(said(reason))
        .build()
}

fn repair(report: &Report<'_>, fix: &Fix) -> Option<Repair> {
    let mut changes: BTreeMap<&Arc<str>, Vec<&Edit>> = BTreeMap::new();
    for edit in &fix.edits {
        changes.entry(&edit.path).or_default().push(edit);
    }
    let change = |(path, edits): (&Arc<str>, Vec<&Edit>)| {
        let text = report.text(path)?;
        let replacement = |edit: &Edit| {
            Replacement::builder()
                .deleted_region(region(&Place::new(path, &text, edit.start..edit.end)))
                .inserted_content(ArtifactContent::builder().text(&edit.text).build())
                .build()
        };
        let replacements: Vec<_> = edits.into_iter().map(replacement).collect();
        Some(ArtifactChange::builder().artifact_location(artifact(path)).replacements(replacements).build())
    };
    // All of it or nothing.
    let changes = changes.into_iter().map(change).collect::<Option<Vec<_>>>()?;
    Some(Repair::builder().description(&said(&fix.title)).artifact_changes(changes).build())
}

fn location(place: &Place) -> Location {
    let physical = PhysicalLocation::builder().artifact_location(artifact(&place.path)).region(region(place)).build();
    Location::builder().physical_location(physical).build()
}

fn region(place: &Place) -> Region {
    let (start, end) = place.positions();
    let number = |number: usize| i64::try_from(number).ok();
    Region {
        start_line: number(start.line),
        start_column: number(start.column),
        end_line: number(end.line),
        end_column: number(end.column),
        ..Region::default()
    }
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
    ArtifactLocation::builder().uri(uri).build()
}

fn said(text: &str) -> String {
    unlinked(&escape(text))
}

/// The text without what would be a link in a message.
fn unlinked(text: &str) -> String {
    text.replace("](", "] (")
}

/// Lists that are empty are left out.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn level(level: Level) -> ResultLevel {
    match level {
        Level::Error => ResultLevel::Error,
        Level::Warning => ResultLevel::Warning,
        Level::Note => ResultLevel::Note,
        Level::Off => ResultLevel::None,
    }
}
