//! `imglint explain`.

use std::fmt::Write as _;

use super::args::{ExplainFormat, PolicyOptions};
use super::exit::{CLEAN, Error};
use super::rules::{Root, ShownPack, built_in, packs};
use super::rules_page;
use super::terminal::{fold, fold_paragraphs, print, width};
use crate::case::{Case, telling};
use crate::environment::Environment;
use crate::pack::{Pack, Rule};
use crate::report::json::to_string;
use crate::text::{escape, escape_but_tabs};

/// Says why a rule exists. One that the repository's pack does not have may be another pack's.
pub(super) fn explain(
    id: &str,
    format: ExplainFormat,
    policy: &PolicyOptions,
    environment: &Environment,
) -> Result<u8, Error> {
    let mut unknown = None;
    for packs in [packs(policy, environment)?, built_in()?] {
        for pack in &packs {
            match pack.rule(id) {
                Ok(rule) => {
                    print(&match format {
                        ExplainFormat::Human => text(pack, rule, width(environment)),
                        ExplainFormat::Markdown => rules_page::rule_page(rule),
                        ExplainFormat::Json => {
                            to_string(&Root { version: 1, packs: vec![ShownPack::of(pack, [rule])] })
                        }
                    })?;
                    return Ok(CLEAN);
                }
                Err(error) => unknown = unknown.or(Some(error)),
            }
        }
    }
    unknown.map_or(Ok(CLEAN), |error| Err(error.into()))
}

/// All that is known of a rule.
fn text(pack: &Pack, rule: &Rule, width: Option<usize>) -> String {
    let level = rule.waiting.unwrap_or(rule.level);
    let preview = if rule.is_preview { "preview, " } else { "" };
    let mut text = format!("{} ({preview}{level}, in the pack {})\n\n", escape(&rule.id), escape(&pack.name));
    let _ = writeln!(text, "{}\n", fold(&format!("Finds: {}", escape(&rule.summary)), width, 0));
    // Lines are the author's; everything else in them is escaped.
    let why: Vec<String> = rule.why.trim().lines().map(|line| escape(line).into_owned()).collect();
    let _ = writeln!(text, "{}", fold_paragraphs(&why, width));
    if rule.is_preview {
        let _ = writeln!(text, "\n{}", fold(PREVIEW, width, 0));
    }
    if let Some(help) = &rule.help {
        let _ = writeln!(text, "\n{}", fold(&format!("What to do: {}", escape(help)), width, 0));
    }
    let repaired = match rule.is_repaired() {
        Some(true) => "`imglint --fix` repairs it. ",
        Some(false) | None => "",
    };
    let passes = match rule.check() {
        Some(_) => format!("To let one pass, with a reason: `imglint waive {} IMAGE --reason WHY`.", escape(&rule.id)),
        None => "No waiver lets it pass: mend the one that it names.".to_owned(),
    };
    let passes = repaired.to_owned() + &passes;
    let _ = writeln!(text, "\n{}", fold(&passes, width, 0));
    if let Some(case) = telling(&rule.read_cases()) {
        example(&mut text, case, width);
    }
    if !rule.sources.is_empty() {
        text.push_str("\nSources:\n");
        for source in &rule.sources {
            let _ = writeln!(text, "  {}", escape(source));
        }
    }
    text
}

/// What holds of rules that may still change.
const PREVIEW: &str = "The rule is new, and any release may change it. It is judged with `--preview`, where imglint.toml says \
                       `preview = true` or has settings for it, and where `--rule` names it.";

fn example(text: &mut String, case: &Case, width: Option<usize>) {
    let _ = writeln!(text, "\nExample: {}", case.title);
    if !case.prose.trim().is_empty() {
        let prose: Vec<String> = case.prose.trim().lines().map(str::to_owned).collect();
        let _ = writeln!(text, "{}", fold_paragraphs(&prose, width));
    }
    for (file, words) in case.told() {
        let _ = writeln!(text, "\n  {} ({words}):", file.path);
        for line in file.text.lines() {
            let _ = writeln!(text, "    {}", escape_but_tabs(line));
        }
    }
    if let Some(config) = &case.config {
        text.push_str("\n  imglint.toml:\n");
        for line in config.lines() {
            let _ = writeln!(text, "    {}", escape_but_tabs(line));
        }
    }
    for input in &case.inputs {
        let _ = writeln!(text, "\n  --{}:", input.kind.name());
        for line in input.text.lines() {
            let _ = writeln!(text, "    {}", escape_but_tabs(line));
        }
    }
    text.push_str(if case.is_whole { "\n  imglint --all says:\n" } else { "\n  imglint says:\n" });
    for line in case.findings.iter().flat_map(|findings| findings.lines()) {
        let _ = writeln!(text, "{}", fold(&format!("    {line}"), width, 6));
    }
    for fixed in &case.fixed {
        let _ = writeln!(text, "\n  {} (repaired):", fixed.path);
        for line in fixed.text.lines() {
            let _ = writeln!(text, "    {}", escape_but_tabs(line));
        }
    }
}
