//! What is printed: its form, and that nothing from the repository can speak for imglint.

use super::harness::Scratch;

#[test]
fn json_is_what_the_contract_says() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let base = repo.git(&["rev-parse", "HEAD"]);
    let head = repo.bad_topic();
    let run = repo.imglint(&["--format", "json", "--head", "topic", "--base", "master"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let expected = serde_json::json!({
        "version": 1,
        "base": {"rev": base, "source": "--base master"},
        "head": {"rev": head, "kind": "commit"},
        "findings": [{
            "rule": "stale-version", "level": "error", "image": "agnhost",
            "path": "test/images/agnhost/VERSION", "line": 1, "column": 1, "end_line": 1, "end_column": 5,
            "message": "agnhost changed, but its VERSION is still 2.25", "help": "set VERSION to 2.26",
            "new": true, "waived": null,
            "related": [{
                "path": "test/images/agnhost/main.go", "line": 1, "column": 1, "end_line": 1, "end_column": 1,
                "message": "this changed"
            }],
            "fix": {
                "title": "set VERSION of agnhost to 2.26", "safe": true,
                "edits": [{"path": "test/images/agnhost/VERSION", "start": 0, "end": 4, "text": "2.26"}]
            }
        }],
        "failures": [],
        "summary": {"errors": 1, "warnings": 0, "notes": 0, "waived": 0, "older": 0}
    });
    assert_eq!(json, expected);
}

#[test]
fn off_a_terminal_a_finding_is_one_line() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    let run = repo.imglint(&[]);
    let expected = "test/images/agnhost/VERSION:1:1: error: agnhost changed, but its VERSION is still 2.25; \
                    set VERSION to 2.26 (test/images/agnhost/main.go changed) [stale-version]\n\
                    1 error in 1 image; 1 can be repaired with --fix\n";
    assert_eq!(run.stdout, expected);
    run.says(&["`imglint explain stale-version` says why", "`imglint waive stale-version agnhost --reason WHY`"]);
    // Why it is not the next version.
    repo.git(&["checkout", "-q", "master"]);
    repo.change(&[
        ("test/images/agnhost/VERSION", "2.26\n"),
        ("test/images/agnhost/main.go", "package main // theirs\n"),
    ]);
    repo.git(&["checkout", "-q", "topic"]);
    let run = repo.imglint(&["--base", "master"]);
    assert!(run.stdout.contains("set VERSION to 2.27 (2.26 is taken on master) ("), "{run}");
    // Beside the index, what is repaired must be added.
    repo.git(&["reset", "-q", "--soft", "HEAD~1"]);
    repo.imglint(&["--staged", "--base", "master"])
        .says(&["`imglint --fix` repairs what it can; look at what it wrote, then `git add` it"]);
}

/// Of many findings that are alike the first are shown; whoever wants them all gets them.
#[test]
fn many_findings_of_one_kind_are_one_story() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.write(&[("test/images/agnhost/BASEIMAGE", &"amd64=alpine:3.12\n".repeat(9))]);
    let run = repo.imglint(&["--all", "--rule", "malformed-base"]);
    assert_eq!(run.stdout.matches("[malformed-base]").count(), 4, "{run}");
    assert!(run.stdout.contains("more malformed-base of agnhost; `--format concise` shows all"), "{run}");
    let run = repo.imglint(&["--all", "--rule", "malformed-base", "--format", "concise"]);
    assert!(run.stdout.matches("[malformed-base]").count() > 8, "{run}");
    assert!(!run.stdout.contains(" more malformed-base"), "{run}");
}

/// A tab of a file is a tab in a diff, on a terminal, too.
#[test]
fn tabs_stay_tabs_in_a_diff() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.write(&[(
        "test/images/agnhost/agnhost.go",
        "package main\n\nvar rootCmd = &cobra.Command{\n\tVersion: \"2.20\",\n}\n",
    )]);
    let run = repo.imglint(&["--all", "--diff", "--color", "always", "--rule", "mismatched-constant"]);
    assert!(run.stdout.contains("+\tVersion: \"2.25\""), "{run}");
}

#[test]
fn on_a_terminal_the_source_is_shown() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    let run = repo.imglint_with(&["--color", "always"], &[("COLUMNS", "80")]);
    assert!(run.stdout.contains("\u{1b}[") && run.stdout.contains("^^^^"), "{run}");
    assert!(run.stdout.contains("test/images/agnhost/main.go: this changed"), "{run}");
}

/// A version, a base and a path that carry escape sequences, a workflow command and marks that turn the writing.
#[cfg(unix)]
#[test]
fn nothing_from_the_repository_reaches_the_terminal_unescaped() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[
        ("test/images/kitten/VERSION", "1.5\u{1b}[2J\u{202e}\n::error::x\n"),
        ("test/images/kitten/BASEIMAGE", "linux/amd64\u{9b}31m=x\n"),
        ("test/images/kitten/Dockerfile", "FROM $BASEIMAGE\nNONSENSE\u{7} \u{1b}]0;x\u{7}\n"),
        ("test/images/a\u{1b}[31m\n::error::b/VERSION", "x y\n"),
    ]);
    for arguments in [
        &["--format", "human"][..],
        &["--format", "json"],
        &["--color", "always"],
        &["inspect"],
        &["inspect", "--format", "json"],
        &["affected"],
        &["affected", "--format", "json"],
        &["affected", "--format", "matrix"],
        &["graph"],
        &["graph", "--format", "mermaid"],
        &["graph", "--format", "svg"],
        &["graph", "--format", "json"],
    ] {
        let run = repo.imglint(arguments);
        let plain = run.stdout.replace("\u{1b}[0m", "");
        // Colours of our own are the only sequences, and they end with an `m` soon.
        for part in plain.split('\u{1b}').skip(1) {
            let is_colour = part.strip_prefix('[').and_then(|part| part.split_once('m'));
            let is_colour =
                is_colour.is_some_and(|(code, _)| code.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'));
            assert!(is_colour && arguments.contains(&"always"), "{arguments:?}: {part:?}\n{run}");
        }
        let is_wild =
            |c: char| (c.is_control() && !matches!(c, '\n' | '\u{1b}')) || matches!(c, '\u{202a}'..='\u{202e}');
        assert!(!plain.contains(is_wild), "{arguments:?}\n{run}");
        assert!(!run.stdout.lines().any(|line| line.starts_with("::")), "{arguments:?}\n{run}");
        assert!(run.code < 2, "{arguments:?}\n{run}");
    }
}

/// Nor from its policy, whatever is said of that.
#[test]
fn nothing_from_the_policy_reaches_the_terminal_unescaped() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let wild = "\\u001b[2J\\u009b";
    let pack = format!("summary = \"{wild}\"\n[images]\nroots = [\"test/images\"]\nversion = \"VERSION\"\n");
    let rule =
        format!("level = \"error\"\nsummary = \"{wild}\"\nwhy = \"{wild}\"\nhelp = \"{wild}\"\n[check.version-bump]\n");
    repo.write(&[("ci/pack.toml", &pack), ("ci/a\u{1b}[2J.toml", &rule)]);
    let roots = format!("pack = \"generic\"\nshape.images.roots = [\"{wild}\"]\n");
    let of_none = "pack = \"generic\"\nshape.images.version = \"\\u001b[2J\"\n";
    for config in ["pack = \"ci\"\n", &roots, of_none, "\u{1b}[2J"] {
        repo.write(&[("imglint.toml", config)]);
        for arguments in
            [&["--all"][..], &["--all", "--color", "always"], &["rules"], &["explain", "a\u{1b}[2J"], &["inspect"]]
        {
            let run = repo.imglint(arguments);
            for text in [&run.stdout, &run.stderr] {
                assert!(!text.contains("\u{1b}[2J") && !text.contains('\u{9b}'), "{config:?} {arguments:?}\n{run}");
            }
        }
    }
}

/// A minified file, line ends of Windows, tabs and broad characters.
#[test]
fn long_lines_do_not_flood_the_terminal() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[
        ("test/images/kitten/BASEIMAGE", &format!("linux/amd64=x\n{}\n", "a".repeat(2500))),
        ("test/images/agnhost/Dockerfile_windows", "FROM --platform=linux/amd64 窓 AS\tprep\r\nFROM\tx\r\nRUN a\r\n"),
    ]);
    let run = repo.imglint_with(&["--color", "always"], &[("COLUMNS", "80")]);
    let longest = |run: &super::harness::Run| run.stdout.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(run.stdout.contains("malformed-base") && longest(&run) < 800, "{}: {run}", longest(&run));
    assert!(run.stdout.contains("windows-run") && !run.stdout.contains(['\r', '\t']), "{run}");
    assert!(!run.stdout.contains("\\r"), "{run}");
    let run = repo.imglint(&[]);
    assert!(run.stdout.contains("malformed-base") && longest(&run) < 900, "{}: {run}", longest(&run));
}

/// What stands behind such a name was opened by somebody else, and holds what was printed before.
#[cfg(unix)]
#[test]
fn a_report_on_standard_output_keeps_what_is_there() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    let log = scratch.path().join("log");
    std::fs::write(&log, "before\n").expect("a file");
    let opened = std::fs::OpenOptions::new().append(true).open(&log).expect("a file");
    let mut command = repo.imglint_command(&["--output", "json=/dev/stdout"]);
    let status = command.stdout(opened).stderr(std::process::Stdio::null()).status().expect("imglint starts");
    let text = std::fs::read_to_string(&log).expect("a file");
    assert_eq!(status.code(), Some(1), "{text}");
    for part in ["before\n", "1 error in 1 image", "\"version\": 1"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
