//! Formats for other programs, through the real one: where they are written, what they tell of repairs and of runs that failed,
//! and that nothing from a repository can speak through them.

use std::fs;
use std::path::Path;

use imglint::report::Format;

use super::harness::{Repo, Run, Scratch};
use super::readers;

/// The names of all formats.
fn all() -> Vec<&'static str> {
    Format::ALL.iter().map(|format| format.name()).collect()
}

/// Prow's environment of a presubmit.
const PROW: [(&str, &str); 3] = [("PROW_JOB_ID", "1"), ("JOB_TYPE", "presubmit"), ("CI", "true")];

fn bad(scratch: &Scratch) -> Repo {
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    repo
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_format_changes_no_exit_code() {
    let scratch = Scratch::new();
    let repo = bad(&scratch);
    for format in all() {
        let run = repo.imglint(&["--format", format]);
        assert!(run.code == 1 && run.stdout.contains("2.25"), "{format}\n{run}");
        assert_eq!(repo.imglint(&["--format", format, "--skip", "stale-version"]).code, 0, "{format}");
    }
}

#[test]
fn reports_are_written_beside_the_printed_one() {
    let scratch = Scratch::new();
    let repo = bad(&scratch);
    let printed = repo.imglint(&[]).stdout;
    let outputs: Vec<String> =
        all().iter().map(|format| format!("{format}={}/out/deep/{format}", scratch.path().display())).collect();
    let arguments: Vec<&str> = outputs.iter().flat_map(|output| ["--output", output]).collect();
    let run = repo.imglint(&arguments);
    assert!(run.code == 1 && run.stdout == printed, "{run}");
    for format in all() {
        let written = read(&scratch.path().join("out/deep").join(format));
        assert_eq!(written, repo.imglint(&["--format", format]).stdout, "{format}");
    }
    // A second run takes the place of the first; nothing else is left there.
    repo.imglint(&["--output", &outputs[0], "--skip", "stale-version"]);
    assert!(read(&scratch.path().join("out/deep/human")).starts_with("no findings"));
    assert_eq!(fs::read_dir(scratch.path().join("out/deep")).expect("a directory").count(), all().len());
}

#[test]
fn outputs_that_cannot_be_are_refused_with_help() {
    let scratch = Scratch::new();
    let repo = bad(&scratch);
    repo.imglint(&["--output", "sarif=a", "--output", "junit=./a"]).fails(&["cannot both be written", "of its own"]);
    for (argument, help) in [
        ("sarif", "F=PATH"),
        ("sarf=x", "did you mean `sarif`?"),
        ("sarif=", "the path is missing"),
        ("sarif=-", "chosen with --format"),
    ] {
        repo.imglint(&["--output", argument]).fails(&[help]);
    }
    // A directory cannot become a file. What was judged is printed, and the other report written all the same.
    let run = repo.imglint(&["--output", "sarif=test", "--output", "gitlab=ok.json"]);
    run.says(&["a report is missing", "failed to write the report test", "name a file that can be written"]);
    assert!(run.code == 2 && run.stdout.contains("stale-version"), "{run}");
    assert!(read(&repo.root.join("ok.json")).contains("stale-version"));
}

#[cfg(unix)]
#[test]
fn others_may_read_a_report_and_links_stay_links() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let scratch = Scratch::new();
    let repo = bad(&scratch);
    let out = scratch.path();
    symlink(out.join("real"), out.join("link")).expect("a link");
    fs::write(out.join("real"), "old").expect("a file");
    let output = format!("junit={}", out.join("link").display());
    repo.imglint(&["--output", &output, "--output", "sarif=/dev/null"]).is(1, &["stale-version"]);
    assert!(fs::symlink_metadata(out.join("link")).expect("a link").is_symlink());
    assert!(read(&out.join("real")).starts_with("<?xml"));
    assert_eq!(fs::metadata(out.join("real")).expect("a file").permissions().mode() & 0o444, 0o444);
    assert!(!fs::metadata("/dev/null").expect("a device").is_file());
}

#[test]
fn json_says_what_was_repaired() {
    let scratch = Scratch::new();
    let repo = bad(&scratch);
    let json = |run: &Run| serde_json::from_str::<serde_json::Value>(&run.stdout).expect("JSON");
    assert!(json(&repo.imglint(&["--format", "json"])).get("repairs").is_none(), "nobody asked for repairs");

    let run = repo.imglint(&["--diff", "--format", "json"]);
    let shown = json(&run);
    assert_eq!((run.code, &shown["repairs"]["written"]), (1, &false.into()), "{run}");
    assert_eq!(shown["findings"][0]["rule"], "stale-version", "nothing is written, so nothing is mended\n{run}");
    let file = &shown["repairs"]["files"][0];
    assert_eq!(file["path"], "test/images/agnhost/VERSION");
    assert_eq!(file["done"], serde_json::json!([{"rule": "stale-version", "title": "set VERSION of agnhost to 2.26"}]));
    assert_eq!(
        file["diff"].as_str(),
        Some(repo.imglint(&["--diff"]).stdout.split("--- a/test/images/kitten").next().expect("a part"))
    );

    let run = repo.imglint(&["--fix", "--format", "json"]);
    let done = json(&run);
    assert_eq!((run.code, &done["repairs"]["written"]), (1, &true.into()), "{run}");
    assert_eq!(done["repairs"]["files"], shown["repairs"]["files"]);
    assert_eq!(done["findings"], serde_json::json!([]));
    let again = json(&repo.imglint(&["--fix", "--format", "json"]));
    assert_eq!(again["repairs"]["files"], serde_json::json!([]));
}

#[test]
fn a_diff_is_no_report() {
    let scratch = Scratch::new();
    let repo = bad(&scratch);
    repo.imglint(&["--diff", "--format", "sarif"]).says(&["`--output sarif=PATH`"]);
    let run = repo.imglint(&["--diff", "--output", "junit=report.xml"]);
    assert!(run.code == 1 && run.stdout.starts_with("--- a/"), "{run}");
    let cases = readers::junit(&read(&repo.root.join("report.xml")));
    let case = cases.iter().find(|case| case.original_name == "stale-version(agnhost)").expect("a case");
    assert!(case.status.is_failure(), "nothing is written, so nothing is mended");
}

#[test]
fn the_repairs_are_a_report_too() {
    let scratch = Scratch::new();
    let repo = bad(&scratch);
    let diff = repo.imglint(&["--diff"]).stdout;
    let patch = repo.root.join(".git/imglint.patch");
    let output = format!("patch={}", patch.display());
    // The verdict and what is printed are those of a run that was asked for no repair.
    let (plain, run) = (repo.imglint(&[]), repo.imglint(&["--output", &output]));
    assert!(run.code == 1 && run.stdout == plain.stdout && read(&patch) == diff, "{run}");
    let run = repo.imglint(&["--level", "stale-version=warning", "--output", &output]);
    assert!(run.code == 0 && read(&patch) == diff, "a warning fails nothing, and can be repaired\n{run}");
    let run = repo.imglint(&["--format", "patch"]);
    assert!(run.code == 1 && run.stdout == diff, "{run}");
    // Of a run that could not judge, nothing is left over from an older one.
    let run = repo.imglint(&["--base", "gone", "--output", &output]);
    assert!(run.code == 2 && read(&patch).is_empty(), "{run}");

    let run = repo.imglint(&["--fix", "--output", &output]);
    assert!(run.code == 1 && read(&patch) == diff, "what was written\n{run}");
    let run = repo.imglint(&["--output", &output]);
    assert!(run.code == 0 && read(&patch).is_empty(), "{run}");
}

#[test]
fn prow_keeps_the_repairs_unasked() {
    let scratch = Scratch::new();
    let repo = bad(&scratch);
    let artifacts = scratch.path().join("artifacts");
    let mut prow = PROW.to_vec();
    prow.extend([("ARTIFACTS", artifacts.to_str().expect("UTF-8")), ("PULL_BASE_SHA", "master")]);
    let patch = artifacts.join("imglint.patch");
    let run = repo.imglint_with(&["--skip", "stale-version"], &prow);
    assert!(run.code == 0 && !patch.exists(), "there is nothing to repair\n{run}");
    let run = repo.imglint_with(&[], &prow);
    run.is(1, &["stale-version"]).says(&["artifacts/imglint.patch of this job", "curl -fsSL ADDRESS | git apply"]);
    assert_eq!(read(&patch), repo.imglint(&["--diff"]).stdout);
    // Where it cannot be written, the verdict is the same.
    fs::remove_file(&patch).expect("a file");
    fs::create_dir(&patch).expect("a directory");
    let run = repo.imglint_with(&[], &prow);
    run.is(1, &["stale-version"]).says(&["warning: failed to write"]);
    assert!(!run.stderr.contains("curl"), "{run}");
}

#[test]
fn prow_finds_its_report_unasked() {
    let scratch = Scratch::new();
    let repo = bad(&scratch);
    let base = repo.git(&["rev-parse", "master"]);
    let artifacts = scratch.path().join("artifacts");
    let directory = artifacts.display().to_string();
    let environment = |base| [&PROW[..], &[("ARTIFACTS", directory.as_str()), ("PULL_BASE_SHA", base)]].concat();
    repo.imglint_with(&[], &environment(&base)).is(1, &["stale-version"]);
    let report = artifacts.join("junit_imglint.xml");
    let names =
        |cases: &[junit_parser::TestCase]| cases.iter().map(|case| case.original_name.clone()).collect::<Vec<_>>();
    let failed = readers::junit(&read(&report));
    let failing: Vec<_> = failed.iter().filter(|case| case.status.is_failure()).collect();
    assert!(failing.len() == 1 && failing[0].original_name == "stale-version(agnhost)");
    // The same cases, under the same names, once it is mended.
    repo.change(&[("test/images/agnhost/VERSION", "2.26\n")]);
    repo.imglint_with(&["--skip", "stale-base"], &environment(&base)).is(0, &[]);
    let passed = readers::junit(&read(&report));
    // What could not look is no pass.
    let is_blind = |case: &junit_parser::TestCase| {
        ["unpromoted-manifest", "unbumped-content"].iter().any(|rule| case.original_name.starts_with(rule))
    };
    assert!(passed.iter().filter(|case| is_blind(case)).all(|case| case.status.is_skipped()));
    assert!(passed.iter().all(|case| is_blind(case) || case.status.is_success()));
    let missing: Vec<_> = names(&failed).into_iter().filter(|name| !names(&passed).contains(name)).collect();
    assert_eq!(missing, ["stale-base", "stale-base(agnhost)"], "that rule is left out, and no other");

    // Runs that end before they judge.
    let fails = |arguments: &[&str], environment: &[(&str, &str)], why: &str| {
        fs::remove_file(&report).expect("the report before");
        repo.imglint_with(arguments, environment).fails(&["imglint: error: could not judge"]);
        let cases = readers::junit(&read(&report));
        let [case] = cases.as_slice() else { panic!("one case") };
        let junit_parser::TestStatus::Error(error) = &case.status else { panic!("an error") };
        assert!(case.original_name == "imglint" && error.message.contains(why), "{}", error.message);
    };
    fails(&[], &environment("beef"), "no such revision: `beef`");
    fails(&["--rule", "x"], &environment(&base), "unknown rule `x`");
    fs::remove_file(&report).expect("the report before");
    assert_eq!(repo.imglint_with(&["--no-such-option"], &environment(&base)).code, 2);
    assert!(read(&report).contains("--no-such-option"));
    fs::remove_file(&report).expect("the report before");
    assert_eq!(repo.imglint_with(&["--help"], &environment(&base)).code, 0);
    assert!(!report.exists(), "help is no failure");

    // Elsewhere, and in other commands, nothing is written unasked.
    repo.imglint_with(&[], &[("ARTIFACTS", &directory)]);
    repo.imglint_with(&["inspect"], &environment(&base));
    assert!(!report.exists());
    // What was not asked for fails no run.
    fs::remove_dir_all(&artifacts).expect("a directory");
    fs::write(&artifacts, "").expect("a file");
    repo.imglint_with(&["--skip", "stale-base"], &environment(&base)).is(0, &[]).says(&["warning: failed to write"]);
}

/// What the build logs of prow.k8s.io highlight.
#[test]
fn the_build_log_highlights_findings_and_failures() {
    let scratch = Scratch::new();
    let repo = bad(&scratch);
    let base = repo.git(&["rev-parse", "master"]);
    let highlights = |line: &str| ["error:", "Error:", "ERROR:", "errors:"].iter().any(|word| line.contains(word));
    let run = repo.imglint_with(&[], &[&PROW[..], &[("PULL_BASE_SHA", &base)]].concat());
    assert_eq!(run.stdout.lines().filter(|line| highlights(line)).count(), 1, "{run}");
    assert!(!run.stderr.lines().any(highlights), "{run}");
    let run = repo.imglint_with(&[], &[&PROW[..], &[("PULL_BASE_SHA", "beef")]].concat());
    assert!(run.stderr.lines().any(highlights), "{run}");
}

#[test]
fn a_step_of_github_gets_its_summary() {
    let scratch = Scratch::new();
    let repo = bad(&scratch);
    let summary = scratch.path().join("summary.md");
    fs::write(&summary, "of another step\n\n").expect("a file");
    let path = summary.display().to_string();
    repo.imglint_with(&[], &[("GITHUB_STEP_SUMMARY", &path)]);
    assert_eq!(read(&summary), "of another step\n\n", "nobody asked for it");
    let run = repo.imglint_with(&["--format", "github"], &[("GITHUB_STEP_SUMMARY", &path)]);
    assert_eq!(run.code, 1, "{run}");
    let text = read(&summary);
    assert!(text.starts_with("of another step\n\n### imglint\n\n1 error in 1 image"), "{text}");
    assert!(text.contains("<td><code>test/images/agnhost/VERSION:1:1</code></td>"), "{text}");
    // The annotation stands on the line that was changed.
    let command = readers::command(run.stdout.lines().next().expect("a line")).expect("a command");
    assert_eq!(command.property("file"), Some("test/images/agnhost/main.go"));
}

/// Who tracks findings by fingerprints would otherwise see one closed and another one opened.
#[test]
fn fingerprints_last_while_a_line_moves_and_is_written_anew() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let dockerfile = "test/images/agnhost/Dockerfile_windows";
    let all = |repo: &Repo| readers::gitlab(&repo.imglint(&["--all", "--format", "gitlab"]).stdout);
    repo.change(&[(dockerfile, "ARG BASEIMAGE\nFROM $BASEIMAGE\nRUN mkdir C:\\uploads\n")]);
    let before = all(&repo);
    repo.change(&[(dockerfile, "# moved\nARG BASEIMAGE\nFROM $BASEIMAGE\nRUN mkdir C:\\downloads\n")]);
    assert_eq!(all(&repo), before);
    repo.change(&[(dockerfile, "ARG BASEIMAGE\nFROM $BASEIMAGE\nRUN a\nRUN b\n")]);
    let more = all(&repo);
    assert!(more.is_superset(&before) && more.len() == before.len() + 1, "{more:?}");
}

#[test]
fn a_report_never_looks_clean_where_nothing_was_judged() {
    let scratch = Scratch::new();
    let repo = bad(&scratch);
    for format in ["github", "gitlab", "sarif", "junit", "rdjson"] {
        let output = format!("{format}=report");
        let run = repo.imglint(&["--base", "beef", "--format", format, "--output", &output]);
        assert!(run.code == 2 && run.stdout.contains("no such revision: `beef`"), "{format}\n{run}");
        assert_eq!(read(&repo.root.join("report")), run.stdout, "{format}");
    }
    repo.imglint(&["--base", "beef", "--output", "human=report"]).fails(&["no such revision"]);
    let human = read(&repo.root.join("report"));
    assert!(human.starts_with("imglint: error: no such revision: `beef`"), "{human}");
    assert!(human.ends_with("\nnothing was judged\n"), "{human}");
    repo.imglint(&["--base", "beef", "--output", "json=report"]).fails(&["no such revision"]);
    assert!(read(&repo.root.join("report")).contains("\"rule\": \"imglint\""));
    let run = repo.imglint(&["--base", "beef", "--format", "sarif"]);
    readers::sarif(&run.stdout);
    assert!(run.stdout.contains("\"executionSuccessful\": false"), "{run}");
}

/// Names, values and reasons that would speak to a terminal, a CI system, a parser or a reader, if they were let.
#[cfg(unix)]
#[test]
fn nothing_from_a_repository_speaks_through_a_report() {
    const EVIL: &str = "\u{1b}[31m]]>\u{202e}::error file=x,line=1::%0A\"'<b>&`|[a](b)##[stop-commands]x\u{2028}\r";
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let directory = format!("test/images/::error::{}", EVIL.replace('/', "-"));
    let waiver = format!("rule = \"standalone-image\"\nimage = {:?}\n", &directory["test/images/".len()..]);
    let toml = |text: &str| {
        text.replace("\\u{1b}", "\\u001b")
            .replace("\\u{202e}", "\\u202e")
            .replace("\\u{2028}", "\\u2028")
            .replace("\\u{ffff}", "\\uffff")
            .replace("\\'", "'")
    };
    repo.write(&[
        (&format!("{directory}/VERSION"), &format!("1.0 {EVIL}\n::error::x\n")),
        (&format!("{directory}/BASEIMAGE"), &format!("linux/amd64 {EVIL}=x\n")),
        (&format!("{directory}/Dockerfile"), &format!("FROM $BASEIMAGE\nNONSENSE {EVIL}\n")),
        ("imglint.toml", &toml(&format!("[[waive]]\n{waiver}reason = {:?}\n", EVIL.to_owned() + "\u{ffff}"))),
    ]);
    // A patch holds the bytes of files, for git.
    for format in all().into_iter().filter(|format| *format != "patch") {
        let summary = scratch.path().join(format!("summary-{format}"));
        let path = summary.display().to_string();
        let run = repo.imglint_with(&["--format", format], &[("GITHUB_STEP_SUMMARY", &path)]);
        assert!(run.code == 1 && run.stdout.contains("malformed-version"), "{format}\n{run}");
        let text = &run.stdout;
        assert!(!text.contains(is_wild), "{format}\n{run}");
        assert!(!text.contains("##["), "{format}\n{run}");
        let commands: Vec<_> = text.lines().filter_map(readers::command).collect();
        assert!(commands.is_empty() == (format != "github"), "{format}\n{run}");
        match format {
            "github" => github_says_it_as_it_is_meant(&run, &read(&summary)),
            "gitlab" => drop(readers::gitlab(text)),
            "sarif" => {
                readers::sarif(text);
                assert!(!text.contains("]("), "a link\n{run}");
            }
            "junit" => {
                let cases = readers::junit(text);
                assert!(!text.contains("]]>") && !text.contains("<b>"), "{run}");
                assert!(!text.contains('\u{ffff}'), "XML has no such character\n{run}");
                assert!(cases.iter().any(|case| case.status.is_skipped()), "{run}");
                assert!(
                    cases
                        .iter()
                        .any(|case| case.original_name.starts_with("malformed-version(::error::\\u{1b}[31m]]>"))
                );
            }
            "rdjson" => {
                let diagnostics = readers::rdjson(text);
                assert!(!diagnostics.iter().any(|diagnostic| diagnostic.message.contains(is_wild)));
                assert!(
                    diagnostics.iter().all(|diagnostic| diagnostic.suggested().is_empty()),
                    "no value is right\n{run}"
                );
            }
            _ => {}
        }
    }
}

/// Whether a terminal would do something else with a character than show it.
fn is_wild(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}')
}

/// Each command is one of ours, with what is meant for it in its parts; and the summary has no tags but those of its table.
fn github_says_it_as_it_is_meant(run: &Run, summary: &str) {
    let text = &run.stdout;
    let commands: Vec<_> = text.lines().filter_map(readers::command).collect();
    assert!(commands.iter().all(|command| command.property("file").is_some_and(|file| file.contains("::"))));
    assert!(commands.iter().all(|command| command.property("title").is_some_and(|it| !it.contains(':'))));
    assert!(commands.iter().all(|command| !command.message.contains(is_wild)), "{run}");
    assert!(commands.iter().all(|it| ["error", "warning", "notice"].contains(&it.name.as_str())), "{run}");
    let commands = text.lines().filter(|line| line.starts_with("::")).count();
    assert_eq!(commands, text.lines().count() - 1, "one line each, and the closing one\n{run}");
    let tags = summary.split('<').skip(1).filter_map(|part| part.split_once('>')).map(|(tag, _)| tag);
    let known = ["table", "/table", "tr", "/tr", "th", "/th", "td", "/td", "code", "/code"];
    assert!(tags.into_iter().all(|tag| known.contains(&tag)), "{summary}");
    assert!(!summary.contains(is_wild) && !summary.contains("[a](b)") && !summary.contains('`'), "{summary}");
}
