//! Waivers: from configuration, commits and Dockerfiles; what they hide, and what becomes of them.

use super::harness::{Repo, Run, Scratch};

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
    assert!(run.stdout.contains("no findings in 2 images; 1 waived"), "{run}");
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
    amend("Imglint-Waive: stale-version agnhost").is(1, &["malformed-waiver", "stale-version"]);
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

/// What git takes for a trailer is one; a sentence of the message is none.
#[test]
fn trailers_are_those_of_git() {
    let scratch = Scratch::new();
    let repo = topic(&scratch);
    let amend = |message: &str| {
        repo.git(&["commit", "-q", "--amend", "-m", message]);
        repo.imglint_with(&[], TODAY)
    };
    let waiver = "Imglint-Waive: stale-version(agnhost) the binary stays the same";
    amend(&format!("change\n\nThe old message said\n{waiver}\nand was wrong")).is(1, STALE);
    amend(&format!("change\n\n{waiver}\n\nSo said the old message.")).is(1, STALE);
    amend(waiver).is(1, STALE);
    amend(&format!("change\n\nWhy.\n\n{waiver}\n with all that is in it\nSigned-off-by: T <t@example.com>")).is(0, &[]);
    amend(&format!("change\n\n{}", waiver.replace("Imglint-Waive:", "imglint-waive :"))).is(0, &[]);
    // The place is that of the trailer, not of a sentence that reads the same.
    let run = amend(
        "change\n\nImglint-Waive: stale-version\nit said\n\nFixes: 1\nImglint-Waive: stale-version\nImglint-Waive: x y",
    );
    run.is(1, &["malformed-waiver", "malformed-waiver", "stale-version"]);
    let lines: Vec<_> = run.stdout.lines().filter_map(|line| line.strip_prefix("commit ")?.get(12..16)).collect();
    assert_eq!(lines, [":7:1", ":8:1"], "{run}");
}

/// Whoever writes an image or a date does not mean all images, for ever.
#[test]
fn a_waiver_is_never_wider_than_it_is_written() {
    let scratch = Scratch::new();
    let repo = topic(&scratch);
    repo.change(&[("test/images/kitten/new", "x\n")]);
    let amend = |waiver: &str| {
        repo.git(&["commit", "-q", "--amend", "-m", &format!("change\n\nImglint-Waive: {waiver}")]);
        repo.imglint_with(&[], TODAY)
    };
    amend("stale-version a good reason").is(0, &[]);
    let run = amend("stale-version (kitten) a good reason");
    run.is(1, STALE);
    assert!(run.stdout.contains("agnhost changed"), "{run}");
    amend("stale-version( kitten )a good reason").is(1, STALE);
    let both = ["malformed-waiver", "stale-version", "stale-version"];
    for malformed in [
        "stale-version(kitten a good reason",
        "stale-version() a good reason",
        "stale-version (see the issue) a good reason",
        "stale-version(kitten)",
        "stale-version until=2027-01-31",
        "stale-version for now until=soon",
        "stale-version for now, until = 2027-01-31",
        "stale-version until=2026-01-31 until=2027-01-31 for now",
        "",
    ] {
        amend(malformed).is(1, &both);
    }
    for expired in ["stale-version for now until=2026-05-31", "stale-version for now, Until=2026-05-31 or so"] {
        amend(expired).is(1, &["expired-waiver", "stale-version", "stale-version"]);
    }
    amend("stale-version for now until=2026-06-01").is(0, &[]);
    repo.change(&[(
        "test/images/agnhost/Dockerfile_windows",
        "ARG BASEIMAGE\nFROM $BASEIMAGE\n# imglint: allow(windows-run) x until=2026-05-31\nRUN a\n",
    )]);
    let drifted = "unbumped-content";
    repo.imglint_with(&["--all"], TODAY).is(1, &["expired-waiver", "windows-run", drifted, drifted]);
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

const CI: &[(&str, &str)] = &[("CI", "true"), TODAY[0]];

/// A repository whose base has this configuration, on a branch of its own.
fn configured(scratch: &Scratch, configuration: &str) -> Repo {
    let repo = scratch.kubernetes("repo");
    repo.change(&[("imglint.toml", configuration)]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo
}

/// The configuration that judges is that of the base: whoever takes an ended waiver away or renews it must get through, and others
/// who have nothing to do with it, too.
#[test]
fn a_waiver_that_ends_blocks_nobody_who_cannot_mend_it() {
    let scratch = Scratch::new();
    let ended = "[[waive]]\nrule = \"stale-version\"\nimage = \"kitten\"\nreason = \"a test\"\nuntil = 2026-05-31\n";
    let repo = configured(&scratch, ended);
    let change = |files: &[(&str, &str)]| {
        repo.git(&["checkout", "-q", "-B", "topic", "master"]);
        repo.change(files);
        [CI, TODAY].map(|environment| repo.imglint_with(&["--base", "master"], environment))
    };
    let is = |runs: [Run; 2], code, rules: &[&str]| {
        for run in &runs {
            run.is(code, rules);
        }
    };
    repo.imglint_with(&["--all"], TODAY).is(1, &["expired-waiver"]);
    is(change(&[("test/images/agnhost/README.md", "x\n")]), 0, &[]);
    let runs = change(&[("test/images/kitten/VERSION", "1.5\n")]);
    assert!(runs.iter().all(|run| run.stdout.contains("(1 older finding: see it with --all)")), "{}", runs[0]);
    is(runs, 0, &[]);
    is(change(&[("imglint.toml", "pack = \"kubernetes\"\n")]), 0, &[]);
    is(change(&[("imglint.toml", &ended.replace("2026-05-31", "2027-05-31"))]), 0, &[]);
    is(change(&[("imglint.toml", &format!("pack = \"kubernetes\"\n{ended}"))]), 0, &[]);
    is(change(&[("imglint.toml", &ended.replace("2026-05-31", "2026-05-30"))]), 1, &["expired-waiver"]);
    // It lets nothing pass any more, and the finding says so.
    for run in change(&[("test/images/kitten/new", "x\n")]) {
        run.is(1, STALE);
    }
    let json = repo.imglint_with(&["--base", "master", "--format", "json"], CI);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    let related = json["findings"][0]["related"].as_array().expect("a list");
    let ended = related.iter().find(|location| location["path"] == "imglint.toml").expect("the waiver");
    assert_eq!(ended["message"], "the waiver of stale-version(kitten) ended on 2026-05-31");
}

#[test]
fn an_image_goes_together_with_its_waiver() {
    let scratch = Scratch::new();
    let repo = configured(&scratch, "[[waive]]\nrule = \"stale-version\"\nimage = \"kitten\"\nreason = \"a test\"\n");
    repo.git(&["rm", "-qr", "test/images/kitten"]);
    repo.commit("without its waiver");
    for environment in [CI, TODAY] {
        repo.imglint_with(&["--base", "master"], environment).is(1, &["malformed-waiver"]);
    }
    repo.git(&["rm", "-q", "imglint.toml"]);
    repo.commit("with it");
    for environment in [CI, TODAY] {
        repo.imglint_with(&["--base", "master"], environment).is(0, &[]);
    }
}

#[test]
fn what_names_a_deleted_image_can_be_waived() {
    let manifest =
        "package image\n\nfunc f() {\n\tconfigs[Kitten] = Config{promoterE2eRegistry, \"kitten\", \"1.4\"}\n}\n";
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("test/utils/image/manifest.go", manifest)]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.git(&["rm", "-qr", "test/images/kitten"]);
    repo.commit("change");
    repo.imglint(&[]).is(0, &["dangling-reference"]);
    repo.commit("change\n\nImglint-Waive: dangling-reference(kitten) in use for a release");
    repo.imglint(&["--deny", "warnings"]).is(0, &[]);
    repo.commit("change\n\nImglint-Waive: stale-base(kitten) of no use");
    repo.imglint(&[]).is(0, &["unused-waiver"]);
    // What the base says of it is as old as the entry.
    let waiver = "[[waive]]\nrule = \"dangling-reference\"\nimage = \"kitten\"\nreason = \"in use\"\n";
    repo.change(&[("imglint.toml", waiver)]);
    repo.git(&["checkout", "-q", "-b", "next"]);
    repo.imglint(&["--all", "--deny", "warnings"]).is(0, &[]);
    repo.change(&[("test/images/agnhost/VERSION", "2.26\n")]);
    repo.imglint(&["--base", "topic"]).is(0, &[]);
}

/// Known is what can be matched: a name of an image, and neither a part of it nor its directory.
#[test]
fn images_go_by_the_names_that_findings_have() {
    let scratch = Scratch::new();
    let waiver =
        |image: &str| format!("[[waive]]\nrule = \"stale-version\"\nimage = \"{image}\"\nreason = \"a test\"\n");
    let repo = scratch.kubernetes("repo");
    repo.change(&[
        ("test/images/volume/nfs/VERSION", "1.0\n"),
        ("test/images/volume/nfs/Dockerfile", "FROM scratch\n"),
        ("test/images/cat-new/VERSION", "1.0\n"),
        ("test/images/cat-new/ALIAS", "cat\n"),
        ("test/images/cat-new/Dockerfile", "FROM scratch\n"),
    ]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/volume/nfs/new", "x\n"), ("test/images/cat-new/new", "x\n")]);
    for image in ["volume/nfs", "cat", "cat-new"] {
        repo.write(&[("imglint.toml", &waiver(image))]);
        repo.imglint(&[]).is(1, STALE);
        repo.imglint(&["--all"]).is(0, &[]);
    }
    for image in ["nfs", "test/images/volume/nfs"] {
        repo.write(&[("imglint.toml", &waiver(image))]);
        repo.imglint(&[]).is(1, &["malformed-waiver", "stale-version", "stale-version"]);
        let run = repo.imglint(&["--all"]);
        run.is(1, &["malformed-waiver"]);
        assert!(run.stdout.contains("is of an unknown image; known: agnhost, cat, kitten, volume/nfs"), "{run}");
    }
    // Where few images are read, all are known by all their names.
    repo.git(&["clean", "-qfd"]);
    repo.git(&["checkout", "-q", "master"]);
    repo.change(&[("imglint.toml", &waiver("cat"))]);
    repo.git(&["checkout", "-q", "-b", "docs"]);
    repo.change(&[("test/images/agnhost/README.md", "x\n")]);
    repo.imglint(&["--base", "master"]).is(0, &[]);
    repo.write(&[("test/images/agnhost/README.md", "y\n")]);
    repo.commit("change\n\nImglint-Waive: stale-version(cat) of no use");
    repo.imglint(&["--base", "master"]).is(0, &["unused-waiver"]);
}

#[test]
fn an_old_comment_that_is_malformed_blocks_no_other_change() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("test/images/kitten/Dockerfile", "FROM alpine\n# imglint: allow(windows-run)\nCOPY a /a\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("test/images/agnhost/VERSION", "2.26\n")]);
    repo.imglint(&["--rule", "malformed-waiver"]).is(0, &[]);
    repo.imglint(&["--all", "--rule", "malformed-waiver"]).is(1, &["malformed-waiver"]);
    // A second one of the same kind is new.
    repo.write(&[(
        "test/images/kitten/Dockerfile",
        "FROM alpine\n# imglint: allow(windows-run)\nCOPY a /a\n# imglint: allow(windows-run)\n",
    )]);
    repo.imglint(&["--rule", "malformed-waiver"]).is(1, &["malformed-waiver"]);
}

/// Only where its rule was judged can a waiver be of no use.
#[test]
fn a_waiver_of_a_rule_that_was_not_judged_is_not_unused() {
    let scratch = Scratch::new();
    let waiver = |rule: &str| format!("[[waive]]\nrule = \"{rule}\"\nimage = \"kitten\"\nreason = \"a test\"\n");
    let repo = scratch.kubernetes("repo");
    repo.change(&[
        ("imglint.toml", &(waiver("stale-base") + &waiver("unpromoted-manifest") + &waiver("stale-manifest"))),
        ("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.24-linux-amd64\n"),
        ("test/images/kitten/VERSION", "1.5\n"),
    ]);
    repo.imglint(&["--all"]).is(0, &[]);
    repo.imglint(&["--all", "--skip", "stale-base"]).is(0, &[]);
    repo.imglint(&["--all", "--level", "stale-base=off"]).is(0, &[]);
    // That rule alone is reported; the others are judged for its sake.
    repo.imglint(&["--all", "--rule", "unused-waiver"]).is(0, &[]);
    repo.write(&[("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.25-linux-amd64\n")]);
    repo.imglint(&["--all"]).is(0, &["unused-waiver"]);
    repo.write(&[("test/images/kitten/VERSION", "no tag!\n")]);
    repo.imglint(&["--all", "--rule", "unused-waiver"]).is(0, &["unused-waiver"]);
    repo.imglint(&["--all", "--rule", "unused-waiver", "--skip", "stale-base"]).is(0, &[]);
    // So it is with the commits of a change.
    repo.git(&["checkout", "-q", "--", "."]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.commit("change\n\nImglint-Waive: windows-run(agnhost) of no use");
    repo.write(&[("test/images/kitten/new", "x\n")]);
    repo.imglint(&["--skip", "windows-run", "--skip", "stale-version"]).is(0, &[]);
    repo.imglint(&["--rule", "unused-waiver"]).is(0, &["unused-waiver"]);
}

/// A waiver is written where it holds for what is found, and for nothing else.
#[test]
fn waive_writes_where_it_belongs() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    let waive = |arguments: &[&str]| {
        let mut words = vec!["waive"];
        words.extend(arguments);
        repo.imglint(&words)
    };
    // What the change needs for itself goes into its message.
    let run = waive(&["stale-version", "test/images/agnhost", "--reason", "the same binary"]);
    assert_eq!(run.stdout, "Imglint-Waive: stale-version(test/images/agnhost) the same binary\n", "{run}");
    let run = waive(&["stale-version", "agnhost", "--reason", "it's the  same", "--until", "2099-01-31"]);
    assert_eq!(run.stdout, "Imglint-Waive: stale-version(agnhost) until=2099-01-31 it's the same\n", "{run}");
    repo.git(&["commit", "-q", "--amend", "--no-edit", "--trailer", run.stdout.trim()]);
    repo.imglint(&["--base", "master"]).is(0, &[]);
    waive(&["stale-version", "agnhost", "--reason", "again"]).fails(&["stale-version(agnhost) finds nothing"]);

    // What is found in a Dockerfile is waived there.
    let file = repo.root.join("test/images/agnhost/Dockerfile");
    let bad = "FROM --platform=windows/amd64 scratch\r\n  RUN dir\r\nRUN <<EOF\r\nx\r\nEOF\r\n";
    std::fs::write(&file, bad).expect("a file");
    repo.imglint(&["--base", "master", "--rule", "windows-run"]).is(1, &["windows-run", "windows-run"]);
    assert_eq!(waive(&["windows-run", "--reason", "built on a node"]).code, 0);
    let comment = "# imglint: allow(windows-run) built on a node\r\n";
    let expected = bad.replace("  RUN", &format!("  {comment}  RUN")).replace("RUN <<", &format!("{comment}RUN <<"));
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), expected);
    repo.imglint(&["--base", "master", "--rule", "windows-run"]).is(0, &[]);

    // Everything else goes into the configuration, beside what stands there.
    let waived = || repo.imglint(&["--all", "--rule", "stale-base"]);
    repo.write(&[("test/images/agnhost/VERSION", "2.30\n"), ("imglint.toml", "rules.windows-run.level = \"off\"")]);
    waived().is(1, &["stale-base"]);
    assert_eq!(waive(&["stale-base", "kitten", "--all", "--reason", "a \"quoted\" reason"]).code, 0);
    waived().is(0, &[]);
    let text = std::fs::read_to_string(repo.root.join("imglint.toml")).expect("a file");
    assert!(text.starts_with("rules.windows-run.level = \"off\"\n\n[[waive]]\nrule = \"stale-base\"\n"), "{text}");
    repo.write(&[("imglint.toml", "waive = []\n")]);
    waive(&["stale-base", "kitten", "--all", "--reason", "x"]).fails(&["write it by hand"]);
    assert_eq!(std::fs::read_to_string(repo.root.join("imglint.toml")).expect("a file"), "waive = []\n");
    std::fs::remove_file(repo.root.join("imglint.toml")).expect("a file");
    assert_eq!(waive(&["stale-base", "--all", "--reason", "x"]).code, 0);
    waived().is(0, &[]);

    // What says nothing is refused.
    waive(&["stale-base", "--reason", " "]).fails(&["a waiver needs a reason"]);
    waive(&["stale-base", "--reason", "x", "--until", "soon"]).fails(&["`soon` is no date", "2027-01-31"]);
    waive(&["stale-bas", "--reason", "x"]).fails(&["did you mean `stale-base`?"]);
    waive(&["stale-base", "agnhots", "--reason", "x"]).fails(&["no such image: agnhots", "did you mean `agnhost`?"]);
    // What would let nothing pass is not written.
    waive(&["stale-base", "--reason", "x", "--until", "2020-01-31"]).fails(&["2020-01-31 has passed"]);
    waive(&["expired-waiver", "--in", "config", "--reason", "x"]).fails(&["no other waiver lets that pass"]);
}

/// A trailer goes into a commit of the change, and not into the one that it was begun on.
#[test]
fn a_trailer_is_for_a_commit_of_ones_own() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    let run = repo.imglint(&["waive", "stale-version", "agnhost", "--reason", "x"]);
    run.says(&["git commit --trailer 'Imglint-Waive: stale-version(agnhost) x'"]);
    repo.commit("change");
    let run = repo.imglint(&["waive", "stale-version", "agnhost", "--reason", "x"]);
    run.says(&["git commit --amend --trailer"]);
}

/// What is said last is about what fails the run, and true.
#[test]
fn what_leads_on_is_about_what_fails() {
    let scratch = Scratch::new();
    let repo = topic(&scratch);
    repo.write(&[("imglint.toml", "[[waive]]\nrule = \"windows-run\"\nreason = \"x\"\nuntil = 2020-01-01\n")]);
    let run = repo.imglint(&["--skip", "stale-version"]);
    run.is(1, &["expired-waiver"]).says(&["`imglint explain expired-waiver` says why"]);
    assert!(!run.stderr.contains("imglint waive"), "{run}");
    let run = repo.imglint(&["--level", "expired-waiver=note"]);
    run.is(1, &["expired-waiver", "stale-version"]).says(&["`imglint explain stale-version` says why"]);
}

/// A line that looks like a trailer and is none lets nothing pass, and that is said.
#[test]
fn a_trailer_outside_of_the_last_paragraph_is_hinted_at() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    let message = "change\n\nImglint-Waive: stale-version(agnhost) the same binary\n\nReviewed-by: A <a@example.com>";
    repo.git(&["commit", "-q", "--amend", "-m", message]);
    let run = repo.imglint(&["--base", "master"]);
    run.is(1, &["stale-version"]).says(&["Imglint-Waive: stale-version(agnhost)", "is no trailer", "last paragraph"]);
    repo.git(&["commit", "-q", "--amend", "-m", "change\n\nImglint-Waive: stale-version(agnhost) the same"]);
    let run = repo.imglint(&["--base", "master"]);
    assert!(run.code == 0 && !run.stderr.contains("no trailer"), "{run}");
}

/// What a change says of its own policy holds here, and not in CI.
#[test]
fn a_policy_that_the_change_edits_is_told_to_be_its_own() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("imglint.toml", "pack = \"kubernetes\"\n")]);
    repo.bad_topic();
    let run = repo.imglint(&["--base", "master"]);
    assert!(run.code == 1 && !run.stderr.contains("edits the policy"), "{run}");
    repo.write(&[("imglint.toml", "pack = \"kubernetes\"\n[[waive]]\nrule = \"stale-version\"\nreason = \"x\"\n")]);
    repo.imglint(&["--base", "master"])
        .is(0, &[])
        .says(&["this change edits the policy", "in CI it is judged by the policy of the base"]);

    // Nor does a first policy hold in CI where the base is recognised without one.
    let repo = scratch.kubernetes("another");
    repo.bad_topic();
    repo.write(&[("imglint.toml", "[[waive]]\nrule = \"stale-version\"\nreason = \"x\"\n")]);
    repo.imglint(&[]).is(0, &[]).says(&["in CI it is judged by the policy of the base"]);
}

/// A chart and an image of one name: a waiver of that name is of both, and one of a directory of that alone.
#[test]
fn a_waiver_may_name_the_directory_of_what_it_means() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let chart = ("charts/web/Chart.yaml", "version: 1.0.0\n");
    repo.write(&[
        ("images/web/VERSION", "1.0\n"),
        ("images/web/Dockerfile", "FROM scratch\n"),
        chart,
        ("charts/web/values.yaml", "a: 1\n"),
        (
            "imglint.toml",
            "pack = \"generic\"\n[shape.images]\nroots = [\"images\", \"charts\"]\n\
             version = [\"VERSION\", { file = \"Chart.yaml\", key = \"version\", kind = \"chart\" }]\n",
        ),
    ]);
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("images/web/Dockerfile", "FROM scratch\nUSER 1\n"), ("charts/web/values.yaml", "a: 2\n")]);
    repo.commit("change");
    let amend = |image: &str| {
        let message = format!("change\n\nImglint-Waive: stale-version({image}) nobody has it yet");
        repo.git(&["commit", "-q", "--amend", "-m", &message]);
        repo.imglint(&["--base", "master"])
    };
    repo.imglint(&["--base", "master"]).is(1, &["stale-version", "stale-version"]);
    let both = amend("web");
    both.is(0, &["malformed-waiver"]);
    assert!(both.stdout.contains("the waiver of stale-version(web) is of charts/web and of images/web"), "{both}");
    for (name, left) in [
        ("images/web", "charts/web/Chart.yaml:1:10: error"),
        ("charts/web", "images/web/VERSION:1:1: error"),
        ("chart:web", "images/web/VERSION:1:1: error"),
    ] {
        let run = amend(name);
        run.is(1, STALE);
        assert!(run.stdout.contains(left), "{name}\n{run}");
    }
    amend("charts/wep").is(1, &["stale-version", "malformed-waiver", "stale-version"]);
}
