//! Which rules found how much, and of which images.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::html::number;
use super::html::text;
use crate::replay::{Replay, RuleSums};
use crate::report::replay::duration;

/// How many images the matrix holds: below these, it says little more than the table of findings.
const IMAGES: usize = 200;

/// Renders the sums of each rule.
pub(super) fn rules(replay: &Replay) -> String {
    let mut rows = String::new();
    for sums in &replay.rules {
        let RuleSums { rule, level, findings, changes, images, mended, overtaken, removed, stayed, fixable, .. } = sums;
        let median = sums.median_seconds.map(duration).unwrap_or_default();
        // Writing to a string does not fail.
        let _ = write!(
            rows,
            "<tr><th scope=\"row\">{}</th><td class=\"level {level}\">{level}</td>",
            text(rule),
            level = level.name()
        );
        for count in [findings, changes, images, mended, overtaken, removed, stayed, fixable] {
            let class = if *count == 0 { " class=\"zero\"" } else { "" };
            let _ = write!(rows, "<td{class}>{}</td>", number(*count));
        }
        let _ = writeln!(rows, "<td>{median}</td></tr>");
    }
    rows
}

/// Renders images × rules: how much each rule found of each image, the noisiest first; nothing where nothing was found.
pub(super) fn render(replay: &Replay) -> String {
    let mut table = String::from("<thead><tr><th scope=\"col\">image</th>");
    for RuleSums { rule, .. } in &replay.rules {
        let rule = text(rule);
        let _ = write!(table, "<th scope=\"col\" class=\"turned\" data-rule=\"{rule}\"><span>{rule}</span></th>");
    }
    table.push_str("<th scope=\"col\" class=\"turned\"><span>all</span></th></tr></thead>\n<tbody>");
    let most = replay.images.iter().flat_map(|image| &image.rules).map(|rule| rule.findings).max().unwrap_or_default();
    for image in replay.images.iter().take(IMAGES) {
        let counts: BTreeMap<&str, usize> =
            image.rules.iter().map(|of_rule| (&*of_rule.rule, of_rule.findings)).collect();
        row(&mut table, replay, Some(&image.image), &counts, most);
    }
    let mut of_none: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in replay.changes.iter().flat_map(|change| &change.findings) {
        if finding.image.is_none() && finding.waived.is_none() {
            *of_none.entry(&finding.rule).or_default() += 1;
        }
    }
    if !of_none.is_empty() {
        row(&mut table, replay, None, &of_none, most);
    }
    table.push_str("</tbody>\n");
    table
}

/// What is to be said of the images that the matrix leaves out.
pub(super) fn left_out(replay: &Replay) -> String {
    match replay.images.len().checked_sub(IMAGES) {
        None | Some(0) => String::new(),
        Some(others) => {
            let findings: usize = replay.images[IMAGES..].iter().map(|image| image.findings).sum();
            format!(
                "<p>The noisiest {} images; {} others have {} findings, which stand in the table below.</p>",
                number(IMAGES),
                number(others),
                number(findings)
            )
        }
    }
}

fn row(table: &mut String, replay: &Replay, image: Option<&str>, counts: &BTreeMap<&str, usize>, most: usize) {
    let name = image.map_or_else(|| "<i>no image</i>".to_owned(), text);
    let data = image.map(|image| format!(" data-image=\"{}\"", text(image))).unwrap_or_default();
    let _ = write!(table, "<tr{data}><th scope=\"row\">{name}</th>");
    for RuleSums { rule, .. } in &replay.rules {
        match counts.get(&**rule) {
            Some(count) => {
                let _ = write!(table, "<td class=\"s{}\">{}</td>", shade(*count, most), number(*count));
            }
            None => table.push_str("<td></td>"),
        }
    }
    let _ = writeln!(table, "<td class=\"all\">{}</td></tr>", number(counts.values().sum()));
}

/// The shade of a count, from 1 to 5: each of them stands for as many doublings.
fn shade(count: usize, most: usize) -> u32 {
    let (count, most) = (count.max(1).ilog2(), most.max(1).ilog2());
    (count * 4).checked_div(most).map_or(3, |shade| 1 + shade)
}
