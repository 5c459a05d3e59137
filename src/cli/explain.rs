//! `imglint explain` and `imglint rules`.

use std::fmt::Write as _;

use super::args::{ListFormat, PolicyOptions};
use super::exit::{CLEAN, Error};
use super::policy::choose_if_any;
use super::rules_page;
use super::terminal::print;
use crate::case::{Case, telling};
use crate::environment::Environment;
use crate::pack::{BUILT_IN, Pack, Rule};
use crate::text::escape;

/// The packs whose rules can be spoken of: the repository's own, or else all of the program's.
fn packs(policy: &PolicyOptions, environment: &Environment) -> Result<Vec<Pack>, Error> {
    if let Some(chosen) = choose_if_any(policy, environment)? {
        return Ok(vec![chosen.pack]);
    }
    let packs = BUILT_IN.iter().map(|pack| Pack::load(pack.pack_files(), None));
    let mut packs: Vec<Pack> = packs.collect::<Result<_, _>>()?;
    packs.sort_by_key(|pack| std::cmp::Reverse(pack.rules.len()));
    Ok(packs)
}

pub(super) fn explain(id: &str, policy: &PolicyOptions, environment: &Environment) -> Result<u8, Error> {
    let packs = packs(policy, environment)?;
    let mut unknown = None;
    for pack in &packs {
        match pack.rule(id) {
            Ok(rule) => {
                print(&text(pack, rule))?;
                return Ok(CLEAN);
            }
            Err(error) => unknown = unknown.or(Some(error)),
        }
    }
    unknown.map_or(Ok(CLEAN), |error| Err(error.into()))
}

pub(super) fn list(format: ListFormat, policy: &PolicyOptions, environment: &Environment) -> Result<u8, Error> {
    let mut text = String::new();
    let packs = packs(policy, environment)?;
    if format == ListFormat::Markdown {
        print(&packs.iter().map(rules_page::page).collect::<Vec<_>>().join("\n"))?;
        return Ok(CLEAN);
    }
    for pack in packs {
        let _ = writeln!(text, "{}: {}\n", escape(&pack.name), escape(&pack.summary));
        let width = pack.rules.iter().map(|rule| escape(&rule.id).len()).max().unwrap_or(0);
        for rule in &pack.rules {
            let _ = writeln!(text, "  {:width$}  {:7}  {}", escape(&rule.id), rule.level.name(), escape(&rule.summary));
        }
        text.push('\n');
    }
    text.push_str("imglint explain RULE says more.\n");
    print(&text)?;
    Ok(CLEAN)
}

/// All that is known of a rule.
fn text(pack: &Pack, rule: &Rule) -> String {
    let mut text = format!("{} ({}, in the pack {})\n\n", escape(&rule.id), rule.level, escape(&pack.name));
    let _ = writeln!(text, "Finds: {}\n", escape(&rule.summary));
    // Lines are the author's; everything else in them is escaped.
    for line in rule.why.trim().lines() {
        let _ = writeln!(text, "{}", escape(line));
    }
    if let Some(help) = &rule.help {
        let _ = writeln!(text, "\nWhat to do: {}", escape(help));
    }
    if let Some(case) = telling(&rule.read_cases()) {
        example(&mut text, case);
    }
    if !rule.sources.is_empty() {
        text.push_str("\nSources:\n");
        for source in &rule.sources {
            let _ = writeln!(text, "  {}", escape(source));
        }
    }
    text
}

fn example(text: &mut String, case: &Case) {
    let _ = writeln!(text, "\nExample: {}", case.title);
    let prose = case.prose.trim();
    if !prose.is_empty() {
        let _ = writeln!(text, "{prose}");
    }
    for (file, words) in case.told() {
        let _ = writeln!(text, "\n  {} ({words}):", file.path);
        for line in file.text.lines() {
            let _ = writeln!(text, "    {}", escape(line));
        }
    }
    for input in &case.inputs {
        let _ = writeln!(text, "\n  --{}:", input.kind.name());
        for line in input.text.lines() {
            let _ = writeln!(text, "    {}", escape(line));
        }
    }
    text.push_str("\n  imglint says:\n");
    for line in case.findings.iter().flat_map(|findings| findings.lines()) {
        let _ = writeln!(text, "    {line}");
    }
    for fixed in &case.fixed {
        let _ = writeln!(text, "\n  {} (repaired):", fixed.path);
        for line in fixed.text.lines() {
            let _ = writeln!(text, "    {}", escape(line));
        }
    }
}
