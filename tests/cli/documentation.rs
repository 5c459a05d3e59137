//! What the documentation says is so.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use imglint::check::{Basis, Check};
use imglint::pack::{BUILT_IN, Pack};
use imglint::report::Format;
use regex::Regex;
use serde_json::Value;

use super::harness::{Repo, Scratch};

pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The packs with a page, in the order of the summary.
const PACKS: [&str; 7] =
    ["kubernetes", "generic", "helm", "home-assistant", "devcontainers", "makefile", "ingress-nginx"];

/// What a page should hold. With the variable `BLESS` it is written, and otherwise compared.
fn settle(path: &str, text: &str) {
    let page = project().join(path);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(page.parent().expect("a directory")).expect("a directory");
        fs::write(&page, text).expect("a page");
    }
    let is_current = fs::read_to_string(&page).is_ok_and(|page| page == text);
    assert!(is_current, "{path} is out of date: run BLESS=1 cargo test --test cli documentation");
}

/// The pack in whose directory a rule of a pack lies: what it lacks is of the one that it extends.
fn home<'p>(pack: &'p str, rule: &str) -> &'p str {
    if project().join(format!("rules/{pack}/{rule}.toml")).exists() { pack } else { "generic" }
}

/// The rules of a pack, as `imglint rules --format json` prints them.
fn rules_of(repo: &Repo, pack: &str) -> Value {
    let run = repo.imglint(&["rules", "--pack", pack, "--format", "json"]);
    assert_eq!(run.code, 0, "{run}");
    serde_json::from_str(&run.stdout).expect("JSON")
}

/// A page for each rule, where its pack has it, and one for each pack that lists them.
#[test]
fn the_reference_of_rules_is_current() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let mut pages = BTreeSet::new();
    for pack in PACKS {
        let run = repo.imglint(&["rules", "--pack", pack, "--format", "markdown"]);
        assert!(run.code == 0 && run.stdout.len() > 1000, "{run}");
        let (mut list, _) = run.stdout.split_once("\n## ").expect("a list, and then the rules");
        let mut text = String::new();
        while let Some((before, after)) = list.split_once("](#") {
            let (rule, rest) = after.split_once(')').expect("the end of a link");
            let home = home(pack, rule);
            let page = format!("docs/rules/{home}/{rule}.md");
            if pages.insert(page.clone()) {
                let run = repo.imglint(&["explain", rule, "--pack", home, "--format", "markdown"]);
                assert!(run.code == 0 && run.stdout.starts_with(&format!("# {rule}\n")), "{run}");
                settle(&page, &run.stdout);
            }
            let _ = write!(text, "{before}]({home}/{rule}.md)");
            list = rest;
        }
        settle(&format!("docs/rules/{pack}.md"), &format!("{text}{list}"));
    }
    assert!(pages.len() > 40, "{pages:?}");
    // What findings lead to is there.
    for built_in in BUILT_IN {
        let pack = Pack::load(built_in.pack_files(), None).expect("a pack");
        for rule in &pack.rules {
            let page = rule.page.as_ref().expect("a page");
            assert!(pages.contains(&format!("docs/{page}.md")), "{page}");
        }
    }
}

/// What the book holds: each page once, the rules at its end.
#[test]
fn the_summary_holds_every_page() {
    const RULES: &str = "\n# Rules\n\n";
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let summary = read("docs/SUMMARY.md");
    let (by_hand, _) = summary.split_once(RULES).expect("the rules at its end");
    let mut text = format!("{by_hand}{RULES}");
    let mut listed = BTreeSet::new();
    for pack in PACKS {
        let _ = writeln!(text, "- [{pack}](rules/{pack}.md)");
        for rule in rules_of(&repo, pack)["packs"][0]["rules"].as_array().expect("rules") {
            let rule = rule["id"].as_str().expect("a name");
            let page = format!("rules/{}/{rule}.md", home(pack, rule));
            // What several packs have stands with the one that its file is in.
            if home(pack, rule) == pack && listed.insert(page.clone()) {
                let _ = writeln!(text, "  - [{rule}]({page})");
            }
        }
    }
    settle("docs/SUMMARY.md", &text);
    let links = Regex::new(r"\]\(([^)]+)\)").expect("a pattern");
    let listed: Vec<String> = links.captures_iter(&text).map(|captures| captures[1].to_owned()).collect();
    for page in markdown_below(&project().join("docs")) {
        let name =
            page.strip_prefix(project().join("docs")).expect("a page").to_str().expect("UTF-8").replace('\\', "/");
        let times = listed.iter().filter(|link| **link == name).count();
        assert_eq!(times, usize::from(name != "SUMMARY.md"), "{name} in docs/SUMMARY.md");
    }
}

/// What programs read first, in the form of <https://llmstxt.org>: the page for agents, the commands, and where everything stands.
#[test]
fn the_page_for_programs_is_current() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let help = repo.imglint(&["help"]).stdout;
    let (_, commands) = help.split_once("\nCommands:\n").expect("commands");
    let (commands, _) = commands.split_once("\n\n").expect("what follows them");
    let agents = read("docs/agents.md");
    // Headings are for lists of links, in that form.
    let (_, agents) = agents.split_once("\n## ").expect("a heading");
    let mut text = "# imglint\n\n> imglint checks a change to a repository of container images before it is merged: versions, references \
                    between images, lists and manifests, by the policy of the repository. It repairs most of what it finds.\n\n"
        .to_owned();
    for line in format!("## {agents}").lines() {
        match line.strip_prefix("## ") {
            Some(heading) => writeln!(text, "**{heading}**"),
            None => writeln!(text, "{line}"),
        }
        .expect("a string");
    }
    let _ = writeln!(text, "\n**Commands**\n\n```text\n{commands}\n```\n\n## Pages\n");
    let summary = read("docs/SUMMARY.md");
    let link = Regex::new(r"^ *- \[(.+)\]\(([^)/]+\.md)\)$").expect("a pattern");
    for captures in summary.lines().filter_map(|line| link.captures(line)) {
        let _ = writeln!(text, "- [{}]({}): {}", &captures[1], &captures[2], beginning(&captures[2]));
    }
    let _ = writeln!(
        text,
        "- [imglint.toml](schema/config.json), [pack.toml](schema/pack.json), [rules](schema/rule.json): JSON schemas"
    );
    text.push_str("\n## Rules\n\n");
    let mut seen = BTreeSet::new();
    for pack in PACKS {
        for rule in rules_of(&repo, pack)["packs"][0]["rules"].as_array().expect("rules") {
            let [id, level, summary] = ["id", "level", "summary"].map(|key| rule[key].as_str().expect("a word"));
            let page = format!("rules/{}/{id}.md", home(pack, id));
            if seen.insert(page.clone()) {
                let _ = writeln!(text, "- [{id}]({page}): {level}: {summary}");
            }
        }
    }
    settle("docs/llms.txt", &text);
}

/// What a page says first, without its links; what it shows first is passed over.
fn beginning(page: &str) -> String {
    let text = read(&format!("docs/{page}"));
    let shown = Regex::new(r"(?s)\n```.*?\n```").expect("a pattern").replace_all(&text, "").into_owned();
    let paragraph = shown
        .split("\n\n")
        .skip(1)
        .find(|paragraph| !paragraph.trim().is_empty())
        .expect("a paragraph")
        .replace('\n', " ");
    let sentence = paragraph.split_inclusive(". ").next().expect("a sentence").trim().trim_end_matches(':');
    Regex::new(r"\[([^\]]*)\]\([^)]*\)").expect("a pattern").replace_all(sentence, "$1").into_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All pages below a directory.
fn markdown_below(directory: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            pages.extend(markdown_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    pages
}

#[test]
fn a_pack_of_ones_own_has_a_reference_too() {
    let scratch = Scratch::new();
    let directory = scratch.init("repo");
    let pack = project().join("docs/example-pack");
    let run = directory.imglint(&["rules", "--pack", pack.to_str().expect("UTF-8"), "--format", "markdown"]);
    assert_eq!(run.code, 0, "{run}");
    for heading in ["## forgotten-tag", "## malformed-tag", "## stale-pin"] {
        assert!(run.stdout.contains(heading), "{run}");
    }
}

/// All pages, and what lies at their end of a link.
#[test]
fn every_format_is_described() {
    let page = fs::read_to_string(project().join("docs/reports.md")).expect("a page");
    for format in Format::ALL {
        let row = format!("\n| `{}` | ", format.name());
        assert!(page.contains(&row), "docs/reports.md lacks the format {}", format.name());
    }
}

/// What each kind judges stands where the kinds are listed.
#[test]
fn every_kind_is_described_with_what_it_judges() {
    let page = fs::read_to_string(project().join("docs/packs.md")).expect("a page");
    for built_in in BUILT_IN {
        let pack = Pack::load(built_in.pack_files(), None).expect("a pack");
        for described in built_in.rules() {
            let rule = pack.rules.iter().find(|rule| *rule.id == *described.id).expect("a rule of the pack");
            let judges = match rule.check().map(Check::basis) {
                Some(Basis::Change) => "a change",
                Some(Basis::Tree) => "a tree",
                Some(Basis::Both | Basis::Moved) | None => "both",
            };
            let row = format!("\n| `{}` | {judges} | ", described.kind);
            assert!(page.contains(&row), "docs/packs.md lacks {row:?}");
        }
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("a pattern");
    let mut pages = markdown_below(&project().join("docs"));
    for page in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/llms.txt"] {
        pages.push(project().join(page));
    }
    assert!(pages.len() > 60, "{pages:?}");
    let mut seen = 0;
    for page in &pages {
        let text = fs::read_to_string(page).expect("a page");
        for target in link.captures_iter(&text).map(|captures| captures[1].to_owned()) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if file.is_empty() { page.clone() } else { page.parent().expect("a directory").join(file) };
            assert!(file.exists(), "{}: {target}", page.display());
            // In the book there is nothing to see in a directory.
            let is_of_book = page.starts_with(project().join("docs")) && !target.starts_with("../");
            assert!(!is_of_book || file.is_file(), "{}: {target} is a directory", page.display());
            if !anchor.is_empty() {
                let text = fs::read_to_string(&file).expect("a page");
                let mut headings = text.lines().filter_map(|line| line.strip_prefix('#'));
                let name = |heading: &str| heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                assert!(headings.any(|heading| name(heading) == anchor), "{}: {target}", page.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} links were seen");
}
