//! The findings, change by change.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use super::html::number;
use super::html::short;
use super::html::text;
use crate::replay::{Change, Fate, Finding, Fixable, Mended, Replay};
use crate::report::replay::duration;
use crate::waiver::Day;

/// The changes by the names of their commits.
type Changes<'r> = HashMap<&'r str, &'r Change>;

/// Renders the bodies of the table, one a change, the newest first.
pub(super) fn render(replay: &Replay) -> String {
    let changes: Changes<'_> = replay.changes.iter().map(|change| (&*change.commit, change)).collect();
    let mut table = String::new();
    for change in replay.changes.iter().filter(|change| !change.findings.is_empty()) {
        let name = short(&change.commit);
        let day = day(change.time);
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "<tbody id=\"c-{name}\" data-day=\"{day}\"><tr class=\"c\"><th colspan=\"6\" scope=\"rowgroup\"><a href=\"#c-{name}\" \
             title=\"{}\">{name}</a> <time>{day}</time> <b>{}</b> <span>{}{}</span></th></tr>",
            text(&change.commit),
            text(&change.summary),
            text(&change.author),
            if change.is_merge { ", merged" } else { "" },
        );
        for (position, finding) in change.findings.iter().enumerate() {
            row(&mut table, finding, &format!("f-{name}-{}", position + 1), &changes);
        }
        table.push_str("</tbody>\n");
    }
    table
}

fn row(table: &mut String, finding: &Finding, id: &str, changes: &Changes<'_>) {
    let level = finding.level.name();
    let image = finding.image.as_deref().map(text).unwrap_or_default();
    let mut message = text(&finding.message);
    if let Some(help) = &finding.help {
        let _ = write!(message, " <small>{}</small>", text(help));
    }
    let _ = writeln!(
        table,
        "<tr id=\"{id}\" data-fate=\"{}\"><td class=\"level {level}\">{level}</td><td>{}</td><td>{image}</td>\
         <td><a href=\"#{id}\">{}:{}</a></td>\
         <td>{message}</td><td>{}</td></tr>",
        kind(finding),
        text(&finding.rule),
        // A line may end behind each directory.
        text(&finding.path).replace('/', "/<wbr>"),
        finding.line,
        fate(finding, changes),
    );
}

/// What became of a finding, in a word to filter by.
fn kind(finding: &Finding) -> &'static str {
    match &finding.fate {
        _ if finding.waived.is_some() => "waived",
        Fate::Mended(mended) if mended.overtaken => "late",
        Fate::Mended(_) => "mended",
        Fate::Removed(_) => "removed",
        Fate::Stayed => "stayed",
        Fate::Unknown => "unknown",
        Fate::Passing => "passing",
    }
}

/// What became of a finding, in words.
fn fate(finding: &Finding, changes: &Changes<'_>) -> String {
    let mut words = match &finding.fate {
        _ if finding.waived.is_some() => {
            format!("waived: {}", text(finding.waived.as_deref().unwrap_or_default()))
        }
        Fate::Mended(mended) if mended.overtaken => ended("mended late, ", mended, changes),
        Fate::Mended(mended) => ended("mended ", mended, changes),
        Fate::Removed(removed) => ended("removed ", removed, changes),
        Fate::Stayed => "stayed".to_owned(),
        Fate::Unknown => "not known".to_owned(),
        Fate::Passing => String::new(),
    };
    if finding.fix == Fixable::Safe && finding.waived.is_none() {
        let between = if words.is_empty() { "" } else { "; " };
        let _ = write!(words, "{between}<span class=\"fix\">--fix</span>");
    }
    words
}

fn ended(how: &str, mended: &Mended, changes: &Changes<'_>) -> String {
    let name = short(&mended.commit);
    let after = duration(mended.seconds);
    match changes.get(&*mended.commit) {
        Some(change) => {
            let title = format!("{} {}", day(change.time), text(&change.summary));
            // A change in which nothing was found has no place on the page.
            if change.findings.is_empty() {
                format!("{how}after {after} by <span class=\"commit\" title=\"{title}\">{name}</span>")
            } else {
                format!("{how}after {after} by <a href=\"#c-{name}\" title=\"{title}\">{name}</a>")
            }
        }
        None => format!("{how}after {after} by <span class=\"commit\">{name}</span>"),
    }
}

/// The words to choose from in the filters.
pub(super) struct Choices {
    /// The rules, each an option.
    pub(super) rules: String,
    /// The images, each an option.
    pub(super) images: String,
}

impl Choices {
    pub(super) fn of(replay: &Replay) -> Self {
        let (mut by_rule, mut images) = (BTreeMap::<&str, usize>::new(), BTreeSet::<&str>::new());
        for finding in replay.changes.iter().flat_map(|change| &change.findings) {
            *by_rule.entry(&finding.rule).or_default() += 1;
            images.extend(finding.image.as_deref());
        }
        let mut choices = Self { rules: String::new(), images: String::new() };
        for (rule, count) in by_rule {
            let rule = text(rule);
            let _ = write!(choices.rules, "<option value=\"{rule}\">{rule} ({})</option>", number(count));
        }
        for image in images {
            let _ = write!(choices.images, "<option value=\"{}\"></option>", text(image));
        }
        choices
    }
}

/// The day of a time in seconds, in UTC; nothing where no calendar has it.
fn day(seconds: i64) -> String {
    Day::of_seconds(seconds).map(|day| day.to_string()).unwrap_or_default()
}
