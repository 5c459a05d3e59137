//! Readers of the formats that are as strict as the strictest that is known. They are used on hostile repositories, too.

use std::collections::BTreeSet;

use junit_parser::TestCase;
use serde::Deserialize;
use serde_json::Value;

/// Reads SARIF with the types that were made from the schema, and writes it again: what these do not know would be lost.
/// All but the outermost is written by these types, too; `.ci/reports` holds the golden file against the schema itself.
pub(crate) fn sarif(text: &str) {
    let json: Value = serde_json::from_str(text).expect("JSON");
    let typed: serde_sarif::sarif::Sarif = serde_json::from_str(text).expect("SARIF");
    assert_eq!(serde_json::to_value(&typed).expect("JSON"), json, "there is something that SARIF does not know");
    for result in json["runs"][0]["results"].as_array().expect("results") {
        let region = &result["locations"][0]["physicalLocation"]["region"];
        for key in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(region[key].as_u64().is_some_and(|number| number > 0), "{key}: code scanning wants all four");
        }
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().expect("a URI");
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
        assert!(uri.bytes().all(is_plain) && !uri.starts_with('/'), "{uri}");
    }
}

/// Reads `JUnit` and gives its cases, which must be as many as it says and differ in what Spyglass tells them apart by.
pub(crate) fn junit(text: &str) -> Vec<TestCase> {
    let suites = junit_parser::from_reader(text.as_bytes()).expect("JUnit");
    let [suite] = suites.suites.as_slice() else { panic!("one suite") };
    let count = |is: fn(&TestCase) -> bool| suite.cases.iter().filter(|case| is(case)).count() as u64;
    assert_eq!(suite.tests, count(|_| true));
    assert_eq!(suite.failures, count(|case| case.status.is_failure()));
    assert_eq!(suite.errors, count(|case| case.status.is_error()));
    assert_eq!(suite.skipped, count(|case| case.status.is_skipped()));
    let known: BTreeSet<_> = suite.cases.iter().map(|case| (&case.classname, &case.original_name)).collect();
    assert_eq!(known.len(), suite.cases.len(), "a case stands there twice");
    suite.cases.clone()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: String,
    location: IssueLocation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssueLocation {
    path: String,
    lines: Lines,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    begin: u64,
    end: u64,
}

/// Reads GitLab's code quality report and gives its fingerprints.
pub(crate) fn gitlab(text: &str) -> BTreeSet<String> {
    let issues: Vec<Issue> = serde_json::from_str(text).expect("a code quality report");
    for issue in &issues {
        assert!(!issue.description.is_empty() && !issue.check_name.is_empty());
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&issue.severity.as_str()));
        assert!(!issue.location.path.is_empty() && !issue.location.path.starts_with(['/', '\\']));
        assert!(issue.location.lines.begin > 0 && issue.location.lines.end >= issue.location.lines.begin);
    }
    let count = issues.len();
    let names: BTreeSet<String> = issues.into_iter().map(|issue| issue.fingerprint).collect();
    assert_eq!(names.len(), count, "fingerprints are unique");
    names
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DiagnosticResult {
    source: RdSource,
    severity: Option<Severity>,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RdSource {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Severity {
    Error,
    Warning,
    Info,
}

/// A diagnostic of reviewdog, as its `reviewdog.proto` has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Diagnostic {
    pub(crate) message: String,
    location: Option<RdLocation>,
    severity: Severity,
    code: Code,
    #[serde(default)]
    suggestions: Vec<Suggestion>,
    #[serde(default)]
    related_locations: Vec<Related>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Related {
    message: String,
    location: RdLocation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RdLocation {
    path: String,
    range: Option<Range>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    value: String,
    url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suggestion {
    range: Range,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Deserialize, PartialEq, PartialOrd)]
#[serde(deny_unknown_fields)]
struct Position {
    line: i32,
    column: i32,
}

impl Diagnostic {
    pub(crate) fn suggested(&self) -> Vec<&str> {
        self.suggestions.iter().map(|suggestion| suggestion.text.as_str()).collect()
    }
}

/// Reads rdjson and gives its diagnostics.
pub(crate) fn rdjson(text: &str) -> Vec<Diagnostic> {
    let result: DiagnosticResult = serde_json::from_str(text).expect("rdjson");
    assert_eq!(result.source.name, "imglint");
    let is_error = |severity: &Severity| matches!(severity, Severity::Error);
    let any_error = result.diagnostics.iter().any(|diagnostic| is_error(&diagnostic.severity));
    assert_eq!(result.severity.is_some_and(|severity| is_error(&severity)), any_error);
    for diagnostic in &result.diagnostics {
        assert!(!diagnostic.message.is_empty() && !diagnostic.code.value.is_empty());
        assert!(diagnostic.code.url.as_ref().is_none_or(|url| url.starts_with("https://")));
        assert!(diagnostic.location.as_ref().is_none_or(|location| !location.path.is_empty()));
        assert!(diagnostic.related_locations.iter().all(|related| !related.message.is_empty()));
        let related = diagnostic.related_locations.iter().map(|related| &related.location);
        let ranges = diagnostic.location.iter().chain(related).filter_map(|location| location.range.as_ref());
        for range in ranges.chain(diagnostic.suggestions.iter().map(|suggestion| &suggestion.range)) {
            assert!(range.start.line > 0 && range.start.column > 0 && range.start <= range.end);
        }
    }
    result.diagnostics
}

/// A workflow command, read as the runner of GitHub Actions reads it.
pub(crate) struct Command {
    pub(crate) name: String,
    properties: Vec<(String, String)>,
    pub(crate) message: String,
}

impl Command {
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

pub(crate) fn command(line: &str) -> Option<Command> {
    let (head, message) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let unescape = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
    let of_property = |text: &str| unescape(text).replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
    let properties = properties.split(',').filter_map(|property| property.split_once('='));
    Some(Command {
        name: name.to_owned(),
        properties: properties.map(|(key, value)| (key.to_owned(), of_property(value))).collect(),
        message: unescape(message).replace("%25", "%"),
    })
}
