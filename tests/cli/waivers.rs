//! Waivers: from configuration, commits and Dockerfiles; what they hide, and what becomes of them.

use super::harness::{Repo, Scratch};

const STALE: &[&str] = &["stale-version"];

/// 2026-06-01.
const TODAY: &[(&str, &str)] = &[("SOURCE_DATE_EPOCH", "1780272000")];

fn topic(scratch: &Scratch) -> Repo {
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    repo
}

#[test]
fn the_configuration_lets_pass_and_the_option_shows_it() {
    let scratch = Scratch::new();
    let repo = topic(&scratch);
    let waiver = "[[waive]]\nrule = \"stale-version\"\nimage = \"agnhost\"\nreason = \"a test\"\nuntil = 2026-06-01\n";
    repo.write(&[("imglint.toml", waiver)]);
    let run = repo.imglint_with(&[], TODAY);
    run.is(0, &[]);
    assert!(run.stdout.contains("no findings in 1 image; 1 waived"), "{run}");
    repo.imglint_with(&["--no-waivers"], TODAY).is(1, STALE);
    repo.imglint_with(&["--fix"], TODAY).is(0, &[]);
    let json = repo.imglint_with(&["--format", "json"], TODAY);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((&json["findings"][0]["waived"], &json["summary"]["waived"]), (&"a test".into(), &1.into()));
    // A day later it is over.
    let tomorrow = [("SOURCE_DATE_EPOCH", "1780358400")];
    repo.imglint_with(&[], &tomorrow).is(1, &["expired-waiver", "stale-version"]);
    for malformed in ["soon", "1780272000.5", "99999999999999999"] {
        let run = repo.imglint_with(&[], &[("SOURCE_DATE_EPOCH", malformed)]);
        run.fails(&["SOURCE_DATE_EPOCH", malformed, "seconds since 1970"]);
    }
}

#[test]
fn what_is_wrong_in_the_configuration_is_underlined() {
    let scratch = Scratch::new();
    let repo = topic(&scratch);
    let text =
        "[[waive]]\nrule = \"stale-verison\"\nreason = \"x\"\n[[waive]]\nrule = \"windows-run\"\nreson = \"x\"\n";
    repo.write(&[("imglint.toml", text)]);
    repo.imglint(&[]).fails(&["unknown key `reson`", "did you mean `reason`?"]);
    repo.write(&[("imglint.toml", &text.replace("reson", "reason"))]);
    repo.imglint(&[]).fails(&["imglint.toml:2: unknown rule `stale-verison`", "did you mean `stale-version`?"]);
    let text = "[[waive]]\nrule = \"windows-run\"\nreason = \" \"\nuntil = 12:00:00\n";
    repo.write(&[("imglint.toml", text)]);
    repo.imglint(&[]).fails(&["imglint.toml:3: a waiver needs a reason", "imglint.toml:4: this must be a date"]);
}

#[test]
fn trailers_of_the_change_let_pass() {
    let scratch = Scratch::new();
    let repo = topic(&scratch);
    let amend = |trailer: &str| {
        repo.git(&["commit", "-q", "--amend", "-m", &format!("change\n\n{trailer}")]);
        repo.imglint_with(&[], TODAY)
    };
    amend("Imglint-Waive: stale-version(agnhost) the binary stays the same").is(0, &[]);
    amend("Imglint-Waive: stale-version until=2026-06-01 the binary stays the same").is(0, &[]);
    amend("Imglint-Waive: stale-version(kitten) wrong image").is(1, &["unused-waiver", "stale-version"]);
    amend("Imglint-Waive: stale-version(agnhost)").is(1, &["malformed-waiver", "stale-version"]);
    amend("Imglint-Waive: stale-version(agnhost) until=soon it is late").is(1, &["malformed-waiver", "stale-version"]);
    amend("Imglint-Waive: stale-verison(agnhost) x").is(1, &["malformed-waiver", "stale-version"]);
    amend("Imglint-Waive: stale-version(agnhost) until=2026-05-31 x").is(1, &["expired-waiver", "stale-version"]);
    // A trailer of the base branch is none of this change.
    repo.git(&["checkout", "-q", "master"]);
    repo.git(&["commit", "-q", "--amend", "-m", "base\n\nImglint-Waive: stale-version(agnhost) always"]);
    repo.bad_topic_again();
    repo.imglint_with(&[], TODAY).is(1, STALE);
}

#[test]
fn comments_in_dockerfiles_let_the_next_line_pass() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let dockerfile = "ARG BASEIMAGE\nFROM $BASEIMAGE\n# imglint: allow(windows-run) runs on the node\nRUN a\nRUN b\n";
    repo.write(&[("test/images/agnhost/Dockerfile_windows", dockerfile), ("test/images/agnhost/VERSION", "2.26\n")]);
    let run = repo.imglint(&["--rule", "windows-run"]);
    run.is(1, &["windows-run"]);
    assert!(run.stdout.contains("Dockerfile_windows:5:1: "), "{run}");
    repo.imglint(&["--rule", "windows-run", "--no-waivers"]).is(1, &["windows-run", "windows-run"]);
}

#[test]
fn in_ci_a_change_cannot_waive_itself_by_configuration() {
    let scratch = Scratch::new();
    let repo = topic(&scratch);
    repo.change(&[("imglint.toml", "[[waive]]\nrule = \"stale-version\"\nreason = \"because\"\n")]);
    repo.imglint_with(&["--base", "master"], &[]).is(0, &[]);
    repo.git(&["checkout", "-q", "master"]);
    repo.change(&[("imglint.toml", "pack = \"kubernetes\"\n")]);
    let base = repo.git(&["rev-parse", "HEAD"]);
    repo.bad_topic_again();
    repo.change(&[("imglint.toml", "[[waive]]\nrule = \"stale-version\"\nreason = \"because\"\n")]);
    repo.imglint_with(&["--base", &base], &[("CI", "true")]).is(1, STALE);
}
