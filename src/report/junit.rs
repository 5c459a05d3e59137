//! `JUnit`: every rule is a case for every image, whether it found something or not, so that a dashboard can follow each of them.
//!
//! Readers tell cases apart by suite, class and name, so each stands here once. It is named as a waiver of it would be:
//! `stale-version(agnhost)`, or `stale-version` for what is about no image. `imglint` is the case that the run itself is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::place::spelled;
use super::{COULD_NOT_JUDGE, Report, failure_message, message};
use crate::finding::Finding;
use crate::run::Failure;
use crate::text::escape;

/// What a rule has to say of an image, or of no image.
#[derive(Default)]
struct Case<'a> {
    findings: Vec<&'a Finding>,
    failure: Option<&'a Failure>,
}

/// A rule, and an image that it is about.
type Key<'a> = (&'a str, Option<&'a str>);

/// Renders the document.
pub fn render(report: &Report<'_>) -> String {
    let mut cases: BTreeMap<Key<'_>, Case<'_>> = BTreeMap::new();
    cases.insert((COULD_NOT_JUDGE, None), Case::default());
    for rule in report.applied() {
        let images = report.outcome.images.iter().map(|image| Some(&**image));
        for image in images.chain([None]) {
            cases.entry((&rule.id, image)).or_default();
        }
    }
    for finding in &report.outcome.findings {
        cases.entry((&finding.rule, finding.fault.image.as_deref())).or_default().findings.push(finding);
    }
    for failure in &report.outcome.failures {
        cases.entry((&failure.rule, None)).or_default().failure = Some(failure);
    }
    let mut counts = Counts { tests: cases.len(), ..Counts::default() };
    let failed: Vec<&str> = report.outcome.failures.iter().map(|failure| &*failure.rule).collect();
    let mut body = String::new();
    for ((rule, image), case) in &cases {
        let name = image.map_or_else(|| (*rule).to_owned(), |image| format!("{rule}({image})"));
        let content = content(report, case, failed.contains(rule), &mut counts);
        // Writing to a string does not fail.
        let _ = write!(body, "    <testcase classname=\"imglint.{}\" name=\"{}\"", xml(rule), xml(&name));
        let _ = match content.as_str() {
            "" => body.write_str("/>\n"),
            content => write!(body, ">\n{content}    </testcase>\n"),
        };
    }
    let Counts { tests, failures, errors, skipped } = counts;
    let totals = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"imglint\" {totals}>\n  \
         <testsuite name=\"imglint\" {totals} skipped=\"{skipped}\">\n{body}  </testsuite>\n</testsuites>\n"
    )
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

/// The outcome of a case: an error before a failure, a failure before what was skipped. What fails nothing is said beside it.
fn content(report: &Report<'_>, case: &Case<'_>, is_unknown: bool, counts: &mut Counts) -> String {
    let (failing, rest): (Vec<&Finding>, Vec<&Finding>) =
        case.findings.iter().partition(|finding| report.fails(finding));
    let waiver = rest.iter().find_map(|finding| finding.waived.as_deref());
    let mut content = String::new();
    if let Some(failure) = case.failure {
        counts.errors += 1;
        let said = failure_message(failure);
        content = element("error", &said, Some("could not judge"), &said);
    } else if let Some(first) = failing.first() {
        counts.failures += 1;
        let more = if failing.len() > 1 { format!(" (and {} more)", failing.len() - 1) } else { String::new() };
        let lines: Vec<String> = failing.iter().map(|finding| line(finding)).collect();
        content = element("failure", &(message(first) + &more), Some(first.level.name()), &lines.join("\n"));
    } else if is_unknown {
        counts.skipped += 1;
        content = element("skipped", "not judged: the rule failed", None, "");
    } else if let Some(reason) = waiver {
        counts.skipped += 1;
        content = element("skipped", &format!("waived: {reason}"), None, "");
    }
    if !rest.is_empty() {
        let lines: Vec<String> = rest.iter().map(|finding| line(finding)).collect();
        let _ = writeln!(content, "      <system-out>{}</system-out>", block(&lines.join("\n")));
    }
    content
}

fn element(name: &str, message: &str, kind: Option<&str>, text: &str) -> String {
    let kind = kind.map(|kind| format!(" type=\"{}\"", xml(kind))).unwrap_or_default();
    format!("      <{name} message=\"{}\"{kind}>{}</{name}>\n", xml(message), block(text.trim_end()))
}

/// A finding in one line, with the places that explain it below.
fn line(finding: &Finding) -> String {
    let waived = finding.waived.as_ref().map(|reason| format!(" (waived: {reason})")).unwrap_or_default();
    let mut line =
        format!("{}: {}: {}{}", spelled(&finding.fault.place), finding.level, message(finding), escape(&waived));
    for label in &finding.fault.related {
        let _ = write!(line, "\n  {}: {}", spelled(&label.place), escape(&label.message));
    }
    line
}

/// Text of several lines, all of which are ours.
fn block(text: &str) -> String {
    text.lines().map(xml).collect::<Vec<_>>().join("\n")
}

/// Text that is text to every reader of XML, and to every log that shows the document.
fn xml(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for character in escape(text).chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            // Code points that are no characters are not allowed in XML; the others were escaped above.
            '\u{fffe}' | '\u{ffff}' => xml.push('?'),
            _ => xml.push(character),
        }
    }
    xml
}
