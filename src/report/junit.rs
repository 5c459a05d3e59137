//! `JUnit`: every rule is a case for every image, whether it found something or not, so that a dashboard can follow each of them.
//!
//! Readers tell cases apart by suite, class and name, so each stands here once. It is named as a waiver of it would be:
//! `stale-version(agnhost)`, or `stale-version` for what is about no image. `imglint` is the case that the run itself is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::location::spelled;
use super::view::{Report, error_message, message};
use crate::finding::Finding;
use crate::run::{Failed, RunError, SkippedRule};
use crate::text::escape;

/// What a rule has to say of an image, or of no image.
#[derive(Default)]
struct Case<'a> {
    findings: Vec<&'a Finding>,
    error: Option<&'a RunError>,
}

/// A rule, and an image that it is about.
type Key<'a> = (&'a str, Option<&'a str>);

/// Renders the document.
pub fn render(report: &Report<'_>) -> String {
    let mut cases: BTreeMap<Key<'_>, Case<'_>> = BTreeMap::new();
    cases.insert((Failed::Run.name(), None), Case::default());
    for rule in report.applied() {
        let images = report.outcome.images.iter().map(|image| Some(&**image));
        for image in images.chain([None]) {
            cases.entry((&rule.id, image)).or_default();
        }
    }
    for finding in &report.outcome.findings {
        cases.entry((&finding.rule, finding.diagnostic.image.as_deref())).or_default().findings.push(finding);
    }
    for error in &report.outcome.errors {
        cases.entry((error.failed.name(), None)).or_default().error = Some(error);
    }
    let mut unjudged: BTreeMap<&str, String> = BTreeMap::new();
    for SkippedRule { rule, missing } in &report.outcome.skipped {
        unjudged.insert(rule, format!("it needs {missing}"));
    }
    for error in &report.outcome.errors {
        unjudged.insert(error.failed.name(), "the rule failed".to_owned());
    }
    let mut suite = TestSuite::new("imglint");
    for ((rule, image), case) in &cases {
        let name = image.map_or_else(|| (*rule).to_owned(), |image| format!("{rule}({image})"));
        let mut test = judged(report, case, unjudged.get(rule).map(String::as_str), &name);
        test.set_classname(text(&format!("imglint.{rule}")));
        suite.add_test_case(test);
    }
    let mut document = quick_junit::Report::new("imglint");
    document.add_test_suite(suite);
    // Writing to a string does not fail.
    document.to_string().unwrap_or_else(|error| format!("<error>{error}</error>"))
}

/// A case with its outcome: an error before a finding that fails, that before what was skipped; beside it, what fails nothing.
fn judged(report: &Report<'_>, case: &Case<'_>, unjudged: Option<&str>, name: &str) -> TestCase {
    let (failing, rest): (Vec<&Finding>, Vec<&Finding>) =
        case.findings.iter().partition(|finding| report.fails(finding));
    let waiver = rest.iter().find_map(|finding| finding.waived.as_deref());
    let mut status = TestCaseStatus::success();
    if let Some(error) = case.error {
        let said = text(&error_message(error));
        status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(&said).set_type("could not judge").set_description(&said);
    } else if let Some(first) = failing.first() {
        let more = if failing.len() > 1 { format!(" (and {} more)", failing.len() - 1) } else { String::new() };
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status
            .set_message(text(&(message(first) + &more)))
            .set_type(first.level.name())
            .set_description(lines(&failing));
    } else if let Some(why) = unjudged {
        status = TestCaseStatus::skipped();
        status.set_message(text(&format!("not judged: {why}")));
    } else if let Some(reason) = waiver {
        status = TestCaseStatus::skipped();
        status.set_message(text(&format!("waived: {reason}")));
    }
    let mut test = TestCase::new(text(name), status);
    if !rest.is_empty() {
        test.set_system_out(lines(&rest));
    }
    test
}

/// Findings in one line each, with the places that explain them below.
fn lines(findings: &[&Finding]) -> String {
    let mut lines = String::new();
    for finding in findings {
        let waived = finding.waived.as_ref().map(|reason| format!(" (waived: {reason})")).unwrap_or_default();
        let (location, said) = (spelled(&finding.diagnostic.location), message(finding));
        // Writing to a string does not fail.
        let _ = writeln!(lines, "{}", text(&format!("{location}: {}: {said}{waived}", finding.level)));
        for label in &finding.diagnostic.related {
            let _ = writeln!(lines, "  {}", text(&format!("{}: {}", spelled(&label.location), label.message)));
        }
    }
    lines.trim_end().to_owned()
}

/// Text that misleads no log which shows the document, without the code points that XML has not and the crate lets through.
fn text(text: &str) -> String {
    escape(text).replace(['\u{fffe}', '\u{ffff}'], "?")
}
