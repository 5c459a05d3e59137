//! `imglint rules`.

use std::fmt::Write as _;

use serde::Serialize;

use super::args::{ListFormat, PolicyOptions};
use super::exit::{CLEAN, Error};
use super::policy::choose_if_any;
use super::rules_page;
use super::terminal::{fold, print, width};
use crate::environment::Environment;
use crate::pack::{BUILT_IN, Pack, Rule};
use crate::report::json::to_string;
use crate::text::escape;

/// The packs whose rules can be spoken of: the repository's own, or else all of the program's.
pub(super) fn packs(policy: &PolicyOptions, environment: &Environment) -> Result<Vec<Pack>, Error> {
    match choose_if_any(policy, environment)? {
        Some(chosen) => Ok(vec![chosen.pack]),
        None => built_in(),
    }
}

/// All packs of the program, the largest first.
pub(super) fn built_in() -> Result<Vec<Pack>, Error> {
    let mut packs = Vec::new();
    for pack in BUILT_IN {
        packs.push(Pack::load(pack.pack_files(), None)?);
    }
    packs.sort_by_key(|pack| std::cmp::Reverse(pack.rules.len()));
    Ok(packs)
}

/// Prints the rules of the packs.
pub(super) fn list(format: ListFormat, policy: &PolicyOptions, environment: &Environment) -> Result<u8, Error> {
    let packs = packs(policy, environment)?;
    print(&match format {
        ListFormat::Human => human(&packs, width(environment)),
        ListFormat::Markdown => packs.iter().map(rules_page::page).collect::<Vec<_>>().join("\n"),
        ListFormat::Json => {
            to_string(&Root { version: 1, packs: packs.iter().map(|pack| ShownPack::of(pack, &pack.rules)).collect() })
        }
    })?;
    Ok(CLEAN)
}

/// A table of the rules, folded to a terminal's width where there is one.
fn human(packs: &[Pack], width: Option<usize>) -> String {
    let mut text = String::new();
    for pack in packs {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}\n", fold(&format!("{}: {}", escape(&pack.name), escape(&pack.summary)), width, 0));
        let names = pack.rules.iter().map(|rule| escape(&rule.id).len()).max().unwrap_or(0);
        for rule in &pack.rules {
            let repaired = if rule.is_repaired() == Some(true) { "--fix" } else { "" };
            let line = format!(
                "  {:names$}  {:7}  {repaired:5}  {}",
                escape(&rule.id),
                if rule.waiting.is_some() { "preview" } else { rule.level.name() },
                escape(&rule.summary)
            );
            let _ = writeln!(text, "{}", fold(&line, width, names + 20));
        }
        text.push('\n');
    }
    let mut closing =
        "imglint explain RULE says more; --fix stands where imglint repairs what the rule finds.".to_owned();
    if packs.iter().flat_map(|pack| &pack.rules).any(|rule| rule.waiting.is_some()) {
        closing.push_str(" A preview may still change, and is judged with --preview.");
    }
    text + &fold(&closing, width, 0) + "\n"
}

#[derive(Serialize)]
pub(super) struct Root<'a> {
    pub(super) version: u32,
    pub(super) packs: Vec<ShownPack<'a>>,
}

#[derive(Serialize)]
pub(super) struct ShownPack<'a> {
    name: &'a str,
    summary: &'a str,
    rules: Vec<ShownRule<'a>>,
}

#[derive(Serialize)]
struct ShownRule<'a> {
    id: &'a str,
    level: &'static str,
    summary: &'a str,
    why: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    sources: &'a [String],
    /// Where one can read of it on the web.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Whether it is new and may still change: where nobody asks for it, it is off.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    preview: bool,
    /// Whether `--fix` repairs what it finds; left out where the rule has no cases that would show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    repaired: Option<bool>,
}

impl<'a> ShownPack<'a> {
    /// Some of the rules of a pack.
    pub(super) fn of(pack: &'a Pack, rules: impl IntoIterator<Item = &'a Rule>) -> Self {
        let mut shown = Vec::new();
        for rule in rules {
            shown.push(ShownRule {
                id: &rule.id,
                level: rule.level.name(),
                summary: &rule.summary,
                why: rule.why.trim(),
                help: rule.help.as_deref(),
                sources: &rule.sources,
                url: rule.url(),
                preview: rule.is_preview,
                repaired: rule.is_repaired(),
            });
        }
        Self { name: &pack.name, summary: &pack.summary, rules: shown }
    }
}
