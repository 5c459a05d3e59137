//! What the documentation says is so.

use std::fs;
use std::path::{Path, PathBuf};

use imglint::report::Format;
use regex::Regex;

use super::harness::Scratch;

pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// With the variable `BLESS`, the pages are written anew instead.
#[test]
fn the_reference_of_rules_is_current() {
    let scratch = Scratch::new();
    let directory = scratch.init("repo");
    for pack in ["kubernetes", "generic"] {
        let run = directory.imglint(&["rules", "--pack", pack, "--format", "markdown"]);
        assert!(run.code == 0 && run.stdout.len() > 1000, "{run}");
        let page = project().join(format!("docs/rules/{pack}.md"));
        if std::env::var_os("BLESS").is_some() {
            fs::write(&page, &run.stdout).expect("a page");
        }
        let text = fs::read_to_string(&page).expect("a page");
        let is_current = text == run.stdout;
        assert!(is_current, "{} is out of date: run BLESS=1 cargo test --test cli documentation", page.display());
    }
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

#[test]
fn links_between_pages_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("a pattern");
    let mut pages: Vec<PathBuf> = Vec::new();
    for directory in ["", "docs", "docs/rules"] {
        let entries = fs::read_dir(project().join(directory)).expect("a directory");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        pages.extend(paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    assert!(pages.len() > 8, "{pages:?}");
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
