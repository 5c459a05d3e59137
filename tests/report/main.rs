//! Reports: one outcome in every format, held against a golden file and read by somebody else's reader.
//!
//! `BLESS=1 cargo test --test report` writes the golden files anew; look at what changed.

mod readers;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use imglint::config_file::CONFIG_FILE;
use imglint::finding::Level;
use imglint::pack::{self, BuiltIn, Pack, Selection};
use imglint::report::human::Style;
use imglint::report::{Report, Tree, github, gitlab, human, json, junit, rdjson, sarif};
use imglint::run::{self, Failed, Outcome, RunError};
use imglint::snapshot::{FileKind, Origin, Pair, Snapshot};
use imglint::toml_source::Source;
use imglint::waiver::{Day, Waivers};

const BEFORE: &[(&str, &str)] = &[
    ("test/images/agnhost/VERSION", "2.25\n"),
    ("test/images/agnhost/BASEIMAGE", "windows/amd64/1809=nanoserver:1809\n"),
    ("test/images/agnhost/Dockerfile_windows", "ARG BASEIMAGE\nFROM $BASEIMAGE\n"),
    ("test/images/agnhost/main.go", "package main\n\nfunc main() {}\n"),
    ("test/images/busybox/VERSION", "1.29-1\n"),
    ("test/images/busybox/Dockerfile", "FROM scratch\n"),
    ("test/images/cat/VERSION", "3.9\n"),
    ("test/images/cat/Dockerfile", "FROM scratch\n"),
    ("test/images/kitten/VERSION", "1.4\n"),
    ("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/busybox:1.29-1-linux-amd64\n"),
    ("test/images/kitten/Dockerfile", "ARG BASEIMAGE\nFROM $BASEIMAGE\n"),
];

/// A changed source, two commands for Windows, a base that moved on, and a change that is waived.
const AFTER: &[(&str, &str)] = &[
    ("test/images/agnhost/Dockerfile_windows", "ARG BASEIMAGE\nFROM $BASEIMAGE\nRUN a && \\\n  b\nRUN a && \\\n  b\n"),
    ("test/images/agnhost/main.go", "package main\n\nfunc main() { panic() }\n"),
    ("test/images/busybox/VERSION", "1.29-2\n"),
    ("test/images/cat/Dockerfile", "FROM scratch\nLABEL a=\"]]>\"\n"),
];

const CONFIG: &str = "[rules.windows-run]\nlevel = \"warning\"\n\
                      [[waive]]\nrule = \"stale-version\"\nimage = \"cat\"\nreason = \"built by hand & \\\"as is\\\"\"\n";

fn files<'a>(changes: &[(&'a str, &'a str)]) -> Snapshot<'static> {
    let kept = BEFORE.iter().filter(|(path, _)| changes.iter().all(|(changed, _)| changed != path));
    Snapshot::in_memory(kept.chain(changes).map(|(path, text)| (*path, FileKind::File, text.as_bytes())))
}

fn pack() -> Pack {
    let config = pack::read_config(&Source::new(CONFIG_FILE, CONFIG)).expect("a good config");
    let built_in = BuiltIn::named("kubernetes").expect("a pack");
    let mut pack = Pack::load(built_in.pack_files(), Some(&config)).expect("a good pack");
    let only = ["stale-base", "stale-version", "unknown-parent", "windows-run"].map(str::to_owned).to_vec();
    pack.select(&Selection { only, ..Selection::default() }).expect("rules of the pack");
    let waivers = config.into_waivers();
    let today = Day::parse("2026-06-01").expect("a day");
    pack.waivers =
        Some(Waivers { list: waivers.clone(), after: waivers, before: Vec::new(), rules: Vec::new(), today });
    pack
}

/// The one outcome.
fn with_report(test: impl FnOnce(&Report<'_>)) {
    let pack = pack();
    let pair = Pair { base: Some(files(&[])), tip: None, head: files(AFTER), origin: Origin::default() };
    let mut outcome: Outcome = run::judge(&pack, &pair).expect("all is in memory");
    outcome.errors.push(RunError {
        failed: Failed::Rule(Arc::from("unknown-parent")),
        reason: "failed to read test/images/x: it is gone".to_owned(),
        help: Some("fetch it".to_owned()),
    });
    test(&Report {
        outcome: &outcome,
        rules: &pack.rules,
        pair: Some(&pair),
        base: Tree { revision: Some("1".repeat(40)), words: "--base main" },
        head: Tree { revision: Some("2".repeat(40)), words: "commit" },
        gate: Level::Error,
        repaired: None,
    });
}

fn is_golden(name: &str, render: impl FnOnce(&Report<'_>) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/golden").join(name);
    with_report(|report| {
        let version = format!("\"semanticVersion\": \"{}\"", env!("CARGO_PKG_VERSION"));
        let rendered = render(report).replace(&version, "\"semanticVersion\": \"0.0.0\"");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &rendered).expect("a golden file");
        }
        let golden = fs::read_to_string(&path).expect("a golden file").replace("\r\n", "\n");
        let diff = similar::TextDiff::from_lines(&golden, &rendered);
        let diff = diff.unified_diff().header("golden", "rendered").to_string();
        assert!(diff.is_empty(), "{name} is another now; if that is wanted: BLESS=1\n{diff}");
    });
}

#[test]
fn human_is_golden() {
    is_golden("human.txt", |report| {
        human::render(report, Style { is_terminal: false, has_colour: false, width: 100 }, false)
    });
}

#[test]
fn json_is_golden() {
    is_golden("json.json", json::render);
}

#[test]
fn github_is_golden() {
    is_golden("github.txt", |report| github::render(report, false));
    is_golden("github-summary.md", github::summary);
}

#[test]
fn gitlab_is_golden() {
    is_golden("gitlab.json", gitlab::render);
}

#[test]
fn rdjson_is_golden() {
    is_golden("rdjson.json", rdjson::render);
}

#[test]
fn sarif_is_golden() {
    is_golden("sarif.sarif", sarif::render);
}

#[test]
fn junit_is_golden() {
    is_golden("junit.xml", junit::render);
}

#[test]
fn sarif_is_what_the_schema_says() {
    with_report(|report| readers::sarif(&sarif::render(report)));
}

#[test]
fn junit_is_read_as_it_is_meant() {
    use junit_parser::TestStatus;
    with_report(|report| {
        let cases = readers::junit(&junit::render(report));
        let status = |name: &str| &cases.iter().find(|case| case.original_name == name).expect(name).status;
        assert!(matches!(status("stale-version(agnhost)"), TestStatus::Failure(_)));
        assert!(matches!(status("stale-base(kitten)"), TestStatus::Failure(_)));
        let TestStatus::Skipped(waived) = status("stale-version(cat)") else { panic!("waived is skipped") };
        assert_eq!(waived.message, "waived: built by hand & \"as is\"");
        assert!(status("windows-run(agnhost)").is_success(), "a warning that fails nothing is no failure");
        assert!(status("stale-version(kitten)").is_success());
        assert!(matches!(status("unknown-parent"), TestStatus::Error(_)));
        assert!(matches!(status("unknown-parent(agnhost)"), TestStatus::Skipped(_)), "nobody looked");
        let strict = Report { gate: Level::Warning, ..copy(report) };
        let cases = readers::junit(&junit::render(&strict));
        let case = cases.iter().find(|case| case.original_name == "windows-run(agnhost)").expect("a case");
        assert!(matches!(case.status, TestStatus::Failure(_)), "it is one where warnings are denied");
    });
}

fn copy<'a>(report: &Report<'a>) -> Report<'a> {
    Report { base: report.base.clone(), head: report.head.clone(), ..*report }
}

#[test]
fn gitlab_is_read_as_it_is_meant() {
    with_report(|report| assert_eq!(readers::gitlab(&gitlab::render(report)).len(), 5));
}

#[test]
fn rdjson_is_read_as_it_is_meant() {
    with_report(|report| assert_eq!(readers::rdjson(&rdjson::render(report)).len(), 5));
}

#[test]
fn commands_of_github_are_read_as_they_are_meant() {
    with_report(|report| {
        let text = github::render(report, true);
        let commands: Vec<_> = text.lines().map(|line| readers::command(line).expect(line)).collect();
        let kinds: Vec<&str> = commands.iter().map(|command| command.name.as_str()).collect();
        assert_eq!(kinds, ["error", "error", "error", "warning", "warning"], "errors first");
        let [_, stale, ..] = commands.as_slice() else { panic!("there are five") };
        assert_eq!(stale.property("file"), Some("test/images/agnhost/Dockerfile_windows"));
        assert_eq!(stale.property("title"), Some("stale-version"));
        assert!(stale.message.ends_with("\ntest/images/agnhost/main.go: this changed"), "{}", stale.message);
    });
}

/// Where a finding stands on a line that the change left as it was, a review would hide it.
#[test]
fn reviews_are_shown_a_changed_line() {
    with_report(|report| {
        let log: serde_json::Value = serde_json::from_str(&sarif::render(report)).expect("JSON");
        let results = log["runs"][0]["results"].as_array().expect("results");
        let locations = results.iter().map(|result| {
            let location = &result["locations"][0]["physicalLocation"];
            let (uri, line) = (&location["artifactLocation"]["uri"], &location["region"]["startLine"]);
            format!("{} {}:{line}", result["ruleId"].as_str().expect("a rule"), uri.as_str().expect("a path"))
        });
        let expected = [
            "windows-run test/images/agnhost/Dockerfile_windows:3",
            "windows-run test/images/agnhost/Dockerfile_windows:5",
            "stale-version test/images/agnhost/Dockerfile_windows:3",
            "stale-version test/images/cat/Dockerfile:2",
            "stale-base test/images/busybox/VERSION:1",
        ];
        assert_eq!(locations.collect::<Vec<_>>(), expected);
    });
}

#[test]
fn names_last_while_lines_move() {
    let names = |after: &[(&'static str, &'static str)]| {
        let pack = pack();
        let pair = Pair { base: Some(files(&[])), tip: None, head: files(after), origin: Origin::default() };
        let outcome = run::judge(&pack, &pair).expect("all is in memory");
        let rules = &pack.rules;
        let report = Report {
            outcome: &outcome,
            rules,
            pair: Some(&pair),
            base: Tree::default(),
            head: Tree::default(),
            gate: Level::Error,
            repaired: None,
        };
        readers::gitlab(&gitlab::render(&report))
    };
    let before = names(AFTER);
    let mut moved = AFTER.to_vec();
    moved[0].1 = "ARG BASEIMAGE\nFROM $BASEIMAGE\n\n\nRUN a && \\\n  b\nRUN a && \\\n  b\n";
    assert_eq!(names(&moved), before);
}

/// A base that is named anew and is stale: its repair stands on the line that is shown, so it can be suggested.
#[test]
fn a_repair_of_the_line_that_is_shown_is_suggested() {
    let pack = pack();
    let after = [
        ("test/images/busybox/VERSION", "1.29-2\n"),
        ("test/images/kitten/VERSION", "1.5\n"),
        ("test/images/kitten/BASEIMAGE", "linux/arm64=REGISTRY/busybox:1.29-1-linux-arm64\n"),
    ];
    let pair = Pair { base: Some(files(&[])), tip: None, head: files(&after), origin: Origin::default() };
    let outcome = run::judge(&pack, &pair).expect("all is in memory");
    let report = |pair| Report {
        outcome: &outcome,
        rules: &pack.rules,
        pair,
        base: Tree::default(),
        head: Tree::default(),
        gate: Level::Error,
        repaired: None,
    };
    let with = |pair| readers::rdjson(&rdjson::render(&report(pair)));
    let suggested = with(Some(&pair));
    let [diagnostic] = suggested.as_slice() else { panic!("one finding") };
    assert!(diagnostic.message.contains("busybox is at 1.29-2; name 1.29-2"), "{}", diagnostic.message);
    assert_eq!(diagnostic.suggested(), ["1.29-2"]);
    assert_eq!(with(None)[0].suggested(), [""; 0], "what cannot be placed cannot be suggested");
}
