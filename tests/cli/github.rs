//! The GitHub action: its scripts, in the environment that GitHub gives to a step of a composite action.

use std::path::Path;
use std::process::Command;

use super::harness::{Repo, Run, Scratch};

/// A checkout of GitHub's merge of a pull request, as `actions/checkout` leaves it.
fn checkout(scratch: &Scratch, files: &[(&str, &str)]) -> Repo {
    let origin = scratch.kubernetes("origin");
    origin.git(&["checkout", "-q", "-b", "topic"]);
    origin.change(files);
    origin.git(&["checkout", "-q", "--detach", "master"]);
    origin.git(&["merge", "-q", "--no-ff", "-m", "Merge", "topic"]);
    origin.git(&["update-ref", "refs/pull/7/merge", "HEAD"]);
    let work = scratch.init("work");
    let url = origin.url();
    work.git(&["fetch", "-q", "--depth=2", &url, "+refs/pull/7/merge:refs/remotes/pull/7/merge"]);
    work.git(&["checkout", "-q", "--force", "refs/remotes/pull/7/merge"]);
    work
}

/// The step that checks, and what it leaves in its outputs.
fn check(scratch: &Scratch, work: &Repo, inputs: &[(&str, &str)]) -> (Run, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/action/check.sh");
    let program = Path::new(env!("CARGO_BIN_EXE_imglint")).parent().expect("a directory");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("a path"));
    let (temporary, output) = (scratch.path().join("temp"), scratch.path().join("output"));
    std::fs::create_dir_all(&temporary).expect("a directory");
    std::fs::write(&output, "").expect("a file");
    let head = work.git(&["rev-parse", "HEAD"]);
    let mut command = Command::new("bash");
    command.arg(script).current_dir(&work.root).env_clear().envs([
        ("PATH", &*path),
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REF", "refs/pull/7/merge"),
        ("GITHUB_SHA", &head),
        ("GITHUB_BASE_REF", "master"),
        ("INPUT_ARGS", ""),
        ("INPUT_BASE", ""),
        ("INPUT_FORMAT", "github"),
        ("INPUT_WORKING_DIRECTORY", "."),
    ]);
    command.env("HOME", scratch.path()).env("RUNNER_TEMP", &temporary).env("GITHUB_OUTPUT", &output);
    command.env("GITHUB_STEP_SUMMARY", scratch.path().join("summary")).envs(inputs.iter().copied());
    let run = Run::of(command.output().expect("bash is installed"));
    assert_eq!(run.code, 0, "the verdict is a later step's\n{run}");
    (run, std::fs::read_to_string(output).expect("the outputs"))
}

const BAD: &[(&str, &str)] = &[("test/images/agnhost/main.go", "package main // changed\n")];

#[test]
fn a_bad_change_is_annotated_and_reported() {
    let scratch = Scratch::new();
    let work = checkout(&scratch, BAD);
    let (run, output) = check(&scratch, &work, &[]);
    assert!(run.stdout.contains("::error file=test/images/agnhost/main.go,"), "{run}");
    run.says(&["HEAD^1 of GitHub's merge"]);
    let reports = scratch.path().join("temp/imglint-reports");
    let reports = reports.display();
    let repair = format!("{reports}/repair");
    assert_eq!(
        output,
        format!(
            "exit-code=1\nsarif={reports}/imglint.sarif\njson={reports}/imglint.json\npatch={repair}/imglint.patch\n\
             repair={repair}\n"
        )
    );
    let patch = std::fs::read_to_string(format!("{repair}/imglint.patch")).expect("a patch");
    assert!(patch.starts_with("--- a/test/images/agnhost/VERSION\n"), "{patch}");
    assert!(std::fs::read_to_string(format!("{repair}/imglint.txt")).expect("a report").contains("stale-version"));
    let sarif = std::fs::read_to_string(format!("{reports}/imglint.sarif")).expect("a report");
    let sarif: serde_json::Value = serde_json::from_str(&sarif).expect("JSON");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "stale-version");
    assert!(std::fs::read_to_string(scratch.path().join("summary")).expect("a summary").contains("stale-version"));
}

#[test]
fn arguments_stand_one_a_line_and_good_changes_pass() {
    let scratch = Scratch::new();
    let work = checkout(&scratch, BAD);
    let (_, output) = check(&scratch, &work, &[("INPUT_ARGS", "--skip=stale-version\r\n\n--quiet\n")]);
    assert!(output.starts_with("exit-code=0\n"), "{output}");
    let good = [BAD[0], ("test/images/agnhost/VERSION", "2.26\n")];
    let scratch = Scratch::new();
    let (_, output) = check(&scratch, &checkout(&scratch, &good), &[("INPUT_ARGS", "--rule=stale-version")]);
    assert!(output.starts_with("exit-code=0\n"), "{output}");
}

#[test]
fn arguments_that_cannot_be_read_are_annotated() {
    let scratch = Scratch::new();
    let (run, output) = check(&scratch, &checkout(&scratch, BAD), &[("INPUT_ARGS", "--deny=all")]);
    assert!(output.starts_with("exit-code=2\n"), "{output}");
    assert!(run.stderr.lines().any(|line| line.starts_with("::error title=imglint could not judge::")), "{run}");
}

#[test]
fn inputs_are_never_code() {
    let scratch = Scratch::new();
    let work = checkout(&scratch, BAD);
    let evil = "$(touch pwned)`touch pwned`; touch pwned\n";
    for input in ["INPUT_ARGS", "INPUT_BASE", "INPUT_FORMAT", "INPUT_WORKING_DIRECTORY"] {
        let (_, output) = check(&scratch, &work, &[(input, evil)]);
        assert!(output.starts_with("exit-code=2\n"), "{input}: {output}");
        assert!(!work.root.join("pwned").exists(), "{input}");
    }
}
