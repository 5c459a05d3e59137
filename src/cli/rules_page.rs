//! `imglint rules --format markdown` and `imglint explain --format markdown`: the rules of a pack, and one of them, as a page of
//! documentation.

use std::fmt::Write as _;

use crate::case::{Case, telling};
use crate::check::{Missing, Sight};
use crate::inputs::Inputs;
use crate::pack::{Pack, Rule, is_url};
use crate::text::{escape, escape_but_tabs};

/// A page with a table of the rules, and a section for each. Writing to a string does not fail.
pub(super) fn page(pack: &Pack) -> String {
    let mut page = format!("# Rules of the pack {0}\n\n{0}: {1}.\n\n", escape(&pack.name), escape(&pack.summary));
    page.push_str("| rule | level | what it finds |\n| --- | --- | --- |\n");
    for rule in &pack.rules {
        let summary = escape(&rule.summary).replace('|', "\\|");
        let level = rule.waiting.unwrap_or(rule.level);
        let preview = if rule.is_preview { ", preview" } else { "" };
        let _ = writeln!(page, "| [{id}](#{id}) | {level}{preview} | {summary} |", id = escape(&rule.id));
    }
    for rule in &pack.rules {
        let _ = writeln!(page, "\n## {}\n", escape(&rule.id));
        section(&mut page, rule);
    }
    page
}

/// A page for one rule.
pub(super) fn rule_page(rule: &Rule) -> String {
    let mut page = format!("# {}\n\n", escape(&rule.id));
    section(&mut page, rule);
    page
}

/// What follows the heading of a rule.
fn section(page: &mut String, rule: &Rule) {
    let cases = rule.read_cases();
    let mut facts = vec![rule.waiting.unwrap_or(rule.level).to_string()];
    if rule.is_preview {
        facts.push("a preview, judged where it is asked for".to_owned());
    }
    let sight = Sight { inputs: &Inputs::default(), has_base: false, is_after_promotion: true };
    let judged = match rule.missing(sight) {
        Some(Missing::Base) => "judged in changes",
        Some(Missing::History) => "judged with `--all`, where the clone has its history",
        Some(Missing::Input(_) | Missing::Resolution) | None => "judged in changes and with `--all`",
    };
    facts.push(judged.to_owned());
    if rule.is_repaired() == Some(true) {
        facts.push("repaired by `--fix`".to_owned());
    }
    let _ = writeln!(page, "*{}.*\n\nFinds: {}.\n", facts.join(", "), escape(&rule.summary));
    for line in rule.why.trim().lines() {
        let _ = writeln!(page, "{}", escape(line));
    }
    if let Some(help) = &rule.help {
        let _ = writeln!(page, "\nWhat to do: {}.", escape(help).trim_end_matches('.'));
    }
    if let Some(case) = telling(&cases) {
        example(page, case);
    }
    if !rule.sources.is_empty() {
        page.push_str("\nSources:\n\n");
        for source in &rule.sources {
            let source = escape(source);
            let _ = if is_url(&source) { writeln!(page, "- <{source}>") } else { writeln!(page, "- {source}") };
        }
    }
}

fn example(page: &mut String, case: &Case) {
    let _ = writeln!(page, "\nExample: {}.", escape(&case.title).trim_end_matches('.'));
    let prose = case.prose.trim();
    if !prose.is_empty() {
        let _ = writeln!(page, "{prose}");
    }
    for (file, words) in case.told() {
        block(page, &format!("`{}`, {words}:", escape(&file.path)), &file.text);
    }
    if let Some(config) = &case.config {
        block(page, "`imglint.toml`:", config);
    }
    for input in &case.inputs {
        block(page, &format!("`--{}`:", input.kind.name()), &input.text);
    }
    let program = if case.is_whole { "`imglint --all` says:" } else { "imglint says:" };
    block(page, program, case.findings.as_deref().unwrap_or_default());
    for fixed in &case.fixed {
        block(page, &format!("`{}`, repaired:", escape(&fixed.path)), &fixed.text);
    }
}

/// A block of code below a line, between fences that do not occur in it.
fn block(page: &mut String, heading: &str, text: &str) {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    let lines: Vec<String> = text.lines().map(escape_but_tabs).collect();
    let _ = writeln!(page, "\n{heading}\n\n{fence}text\n{}\n{fence}", lines.join("\n"));
}
