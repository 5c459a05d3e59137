//! What the gate would have said of a history, in sums that fit on a screen.

use std::fmt::Write as _;

use crate::check::Due;
use crate::replay::{DueFit, Fit, ImageSums, Replay, RuleSums};
use crate::text::{counted, escape};
use crate::waiver::Day;

/// How many of the noisiest images are named.
const NOISIEST: usize = 10;

const SECONDS_AN_HOUR: i64 = 60 * 60;
const SECONDS_A_DAY: i64 = 24 * SECONDS_AN_HOUR;

/// Renders the sums.
pub fn render(replay: &Replay) -> String {
    let mut text = String::new();
    let sums = &replay.sums;
    let _ = writeln!(text, "{}{}", counted(sums.changes, "change"), span(replay)); // a string takes everything
    let _ = writeln!(
        text,
        "the gate would have stopped {} of them: {}, {}, {}",
        sums.stopped,
        counted(sums.errors, "error"),
        counted(sums.warnings, "warning"),
        counted(sums.notes, "note"),
    );
    if !replay.rules.is_empty() {
        rules(&mut text, &replay.rules);
    }
    if !replay.images.is_empty() {
        images(&mut text, &replay.images);
    }
    if let Some(due) = &replay.due {
        let _ = writeln!(text, "\n{due}:\n{}", verdict(due)); // a string takes everything
    }
    for (count, what) in [
        (sums.waived, "finding was let pass by a waiver", "findings were let pass by waivers"),
        (sums.incomplete, "change has a rule that could not look", "changes have a rule that could not look"),
        (sums.unjudged, "change could not be judged", "changes could not be judged"),
    ]
    .map(|(count, one, many)| (count, if count == 1 { one } else { many }))
    {
        if count > 0 {
            let _ = writeln!(text, "\n{count} {what}");
        }
    }
    text
}

/// Which `due` fits, and whether it is set.
pub(super) fn verdict(due: &DueFit) -> String {
    let DueFit { rule, set, fits, .. } = due;
    let fitting = match fits {
        Fit::Unknown => return "too few to tell when versions are due here".to_owned(),
        Fit::Unclear => {
            return format!("some of it speaks for each value: `due` of {rule} is \"{}\"", set.name());
        }
        Fit::Change => Due::Change,
        Fit::Release => Due::Release,
    };
    let is_set = if *set == fitting { "which is set" } else { "and is not set" };
    format!("`due = \"{}\"` of {rule} fits, {is_set}", fitting.name())
}

/// When the changes were made.
fn span(replay: &Replay) -> String {
    let days = replay.changes.iter().filter_map(|change| Day::of_seconds(change.time));
    let (first, last) = (days.clone().min(), days.max());
    let commits = counted(replay.sums.commits, "commit");
    match (first, last) {
        (Some(first), Some(last)) if first != last => format!(" in {commits}, {first} to {last}"),
        (Some(day), _) => format!(" in {commits}, {day}"),
        (None, _) => format!(" in {commits}"),
    }
}

/// One line a rule.
fn rules(text: &mut String, rules: &[RuleSums]) {
    let widest = rules.iter().map(|sums| sums.rule.len()).max().unwrap_or_default();
    let _ = writeln!(
        text,
        "\n{:widest$}  {:7}  findings  changes  images  mended  late  stayed  --fix  median",
        "rule", "level"
    );
    for sums in rules {
        let RuleSums { rule, level, findings, changes, images, mended, overtaken, stayed, fixable, .. } = sums;
        let median = sums.median_seconds.map(duration).unwrap_or_default();
        let _ = writeln!(
            text,
            "{rule:widest$}  {:7}  {findings:8}  {changes:7}  {images:6}  {mended:6}  {overtaken:4}  {stayed:6}  {fixable:5}  {median:>6}",
            level.name(),
        );
    }
    text.push_str(
        "\nmended: by a later change; late: by one that came when the image had changed once more;\n\
         stayed: to this day; median: how long it took to be mended; --fix: could have repaired it\n",
    );
}

/// One line an image, of the noisiest.
fn images(text: &mut String, images: &[ImageSums]) {
    let noisiest = &images[..images.len().min(NOISIEST)];
    let of = if images.len() > NOISIEST { format!(" of {}", images.len()) } else { String::new() };
    let _ = writeln!(text, "\nthe noisiest images{of}");
    let names: Vec<String> = noisiest.iter().map(|sums| escape(&sums.image).into_owned()).collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    for (sums, name) in noisiest.iter().zip(names) {
        let rules: Vec<String> =
            sums.rules.iter().map(|of_rule| format!("{} {}", of_rule.rule, of_rule.findings)).collect();
        let _ = writeln!(
            text,
            "  {name:widest$}  {:4} in {}, {} stayed: {}",
            sums.findings,
            counted(sums.changes, "change"),
            sums.stayed,
            rules.join(", "),
        );
    }
}

/// A time span in one unit, the largest that it holds.
pub(super) fn duration(seconds: i64) -> String {
    if seconds >= SECONDS_A_DAY {
        format!("{} d", seconds / SECONDS_A_DAY)
    } else {
        format!("{} h", seconds / SECONDS_AN_HOUR)
    }
}
