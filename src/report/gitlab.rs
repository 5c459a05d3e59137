//! GitLab's code quality report: a list of issues, in the part of Code Climate's format that GitLab reads.

use serde::Serialize;

use super::json::to_string;
use super::view::{Report, error_message, fingerprints, message};
use crate::finding::Level;

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// Renders the list. Waived findings are left out: GitLab knows no such thing.
pub fn render(report: &Report<'_>) -> String {
    let open = report.open();
    let names = fingerprints(open.iter().copied());
    let issues = open.iter().zip(names).map(|(finding, fingerprint)| {
        let location = &finding.diagnostic.location;
        let (start, end) = location.positions();
        Issue {
            description: message(finding),
            check_name: &finding.rule,
            fingerprint,
            severity: match finding.level {
                Level::Error => "major",
                Level::Warning => "minor",
                Level::Note | Level::Off => "info",
            },
            location: Location { path: &location.path, lines: Lines { begin: start.line, end: end.line } },
        }
    });
    // There is no other place for a rule that could not judge, and a report without it would look complete.
    let errors = report.outcome.errors.iter().map(|error| Issue {
        description: error_message(error),
        check_name: error.failed.name(),
        fingerprint: format!("could-not-judge:{}", error.failed.name()),
        severity: "blocker",
        location: Location { path: ".", lines: Lines { begin: 1, end: 1 } },
    });
    to_string(&errors.chain(issues).collect::<Vec<_>>())
}
