//! Dockerfiles that cannot be read as a whole, and what packs say of their stages.

use super::harness::{Repo, Scratch};

/// A repository in which web is built on agnhost by this Dockerfile, with a change that bumps agnhost and what follows from that, but
/// leaves web alone.
fn bumped(scratch: &Scratch, dockerfile: &str) -> Repo {
    let repo = scratch.kubernetes("repo");
    repo.write(&[("test/images/web/VERSION", "1.0\n"), ("test/images/web/Dockerfile", dockerfile)]);
    repo.commit("web");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[
        ("test/images/agnhost/VERSION", "2.26\n"),
        ("test/images/agnhost/main.go", "package main // changed\n"),
        ("test/images/kitten/VERSION", "1.5\n"),
        ("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.26-linux-amd64\n"),
    ]);
    repo
}

const JUDGE: [&str; 4] = ["--base", "master", "--head", "HEAD"];

/// It was no better before; but nobody can tell whether web must follow.
#[test]
fn what_cannot_be_read_is_not_old_where_a_parent_is_bumped() {
    let hidden = "FROM alpine AS one\nRUN <<EOF\nFROM $REGISTRY/agnhost:2.25\n";
    let unfinished = "FROM $REGISTRY/agnhost:2.25 AS\n";
    let large = format!("FROM $REGISTRY/agnhost:2.25\n# {}\n", "x".repeat(1 << 20));
    let long = format!("FROM alpine\nENV {}=1\nFROM $REGISTRY/agnhost:2.25\n", "x".repeat(1 << 16));
    for (dockerfile, why) in [
        (hidden, "the heredoc EOF does not end"),
        (unfinished, "FROM requires either one or three arguments"),
        (&large, "is larger than 1 MiB"),
        (&long, "longer than the 65536 bytes"),
    ] {
        let scratch = Scratch::new();
        let repo = bumped(&scratch, dockerfile);
        let run = repo.imglint(&JUDGE);
        run.is(2, &[]).says(&["the rule stale-base failed", "test/images/web/Dockerfile", why, "mend it"]);
        // Of others it is as old as ever; what has no text may be built on any image.
        if why.starts_with("is larger") {
            continue;
        }
        repo.git(&["checkout", "-q", "-B", "other", "master"]);
        repo.change(&[("test/images/kitten/VERSION", "1.5\n"), ("test/images/kitten/run.sh", "changed\n")]);
        repo.imglint(&JUDGE).is(0, &[]);
    }
}

/// The Dockerfile was as broken before, but now the change touches it: what it copies cannot be told.
#[test]
fn what_a_touched_dockerfile_hides_fails_the_rules_that_look_for_it() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[
        ("imglint.toml", "pack = \"generic\"\n"),
        ("images/app/VERSION", "1.0\n"),
        ("images/app/.dockerignore", "*.bin\n"),
        ("images/app/Dockerfile", "FROM alpine\nRUN <<EOF\nCOPY a.bin /\n"),
    ]);
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[
        ("images/app/VERSION", "1.1\n"),
        ("images/app/Dockerfile", "FROM alpine:3\nRUN <<EOF\nCOPY a.bin /\n"),
    ]);
    let run = repo.imglint(&["--base", "master", "--head", "HEAD", "--rule", "ignored-copy"]);
    run.is(2, &[]).says(&["the rule ignored-copy failed", "images/app/Dockerfile", "the heredoc EOF does not end"]);
}

/// The same holds where a list tells what is promoted: a base that the list lacks may stand where nobody can read it.
#[test]
fn what_a_touched_dockerfile_hides_may_be_a_base_that_is_not_promoted() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let hidden = "FROM alpine AS one\nRUN <<EOF\nFROM $REGISTRY/agnhost:2.20\n";
    repo.write(&[("test/images/web/VERSION", "1.0\n"), ("test/images/web/Dockerfile", hidden)]);
    repo.commit("web");
    let list = "- name: agnhost\n  dmap:\n    \"sha256:a\": [\"2.25\"]\n";
    std::fs::write(scratch.path().join("images.yaml"), list).expect("a file");
    let promoted = format!("--promoted={}", scratch.path().join("images.yaml").display());
    let judge = [&JUDGE[..], &[&promoted, "--rule", "unpromoted-manifest"]].concat();
    // It lies where the change has nothing to do with it.
    repo.git(&["checkout", "-q", "-b", "other"]);
    repo.change(&[("test/images/kitten/run.sh", "changed\n")]);
    repo.imglint(&judge).is(0, &[]);
    repo.git(&["checkout", "-q", "-b", "topic", "master"]);
    repo.change(&[("test/images/web/Dockerfile", &hidden.replace("alpine", "busybox"))]);
    let run = repo.imglint(&judge);
    run.is(2, &[]).says(&[
        "the rule unpromoted-manifest failed",
        "test/images/web/Dockerfile",
        "does not end",
        "mend it",
    ]);
    // Mended, it says what it hid.
    repo.change(&[("test/images/web/Dockerfile", "FROM $REGISTRY/agnhost:2.20\n")]);
    repo.imglint(&judge).is(1, &["unpromoted-manifest"]);
}

/// What is merely no instruction hides no other.
#[test]
fn what_stands_beside_a_mistake_is_judged() {
    for dockerfile in [
        "FROM $REGISTRY/agnhost:2.25\nENTRYPOINT []\n",
        "RNU a\nFROM $REGISTRY/agnhost:2.25\nSHELL []\n",
        "FROM alpine\nRUN --mount=from=$REGISTRY,target=/x a\nFROM $REGISTRY/agnhost:2.25\n",
    ] {
        let scratch = Scratch::new();
        let repo = bumped(&scratch, dockerfile);
        repo.imglint(&JUDGE).is(1, &["stale-base"]);
        repo.imglint(&["--base", "master", "--fix"]).is(1, &[]);
        let text = std::fs::read_to_string(repo.root.join("test/images/web/Dockerfile")).expect("a file");
        assert!(text.contains("FROM $REGISTRY/agnhost:2.26\n"), "{text}");
    }
}

#[test]
fn more_platforms_than_there_are_stop_the_reading() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let lines = (0..70).map(|number| format!("system{number}/amd64=alpine")).collect::<Vec<_>>().join("\n");
    repo.change(&[("test/images/agnhost/BASEIMAGE", &lines)]);
    let run = repo.imglint(&["--all", "--rule", "malformed-dockerfile"]);
    run.is(1, &["malformed-dockerfile"]);
    assert!(run.stdout.contains("it would be built for more than 64 platforms"), "{run}");
}

#[test]
fn a_dockerfile_without_an_end_is_not_judged() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("test/images/agnhost/Dockerfile", &["FROM alpine\n", &"RUN a\n".repeat(100_000)].concat())]);
    let run = repo.imglint(&["--all", "--rule", "malformed-dockerfile"]);
    run.is(1, &["malformed-dockerfile"]);
    assert!(run.stdout.contains("it has more than 100000 instructions"), "{run}");
}

/// A misspelt word would never find anything.
#[test]
fn an_instruction_and_a_system_that_are_none_are_refused() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let config = "pack = \"kubernetes\"\n[rules.windows-run]\ninstruction = \"RNU\"\n[rules.windows-workdir]\nsystem = \"widnows\"\n";
    repo.write(&[("imglint.toml", config)]);
    let run = repo.imglint(&[]);
    run.fails(&["imglint.toml:3: ", "there is no instruction `RNU`: did you mean `RUN`?"]);
    run.fails(&["imglint.toml:5: ", "there is no operating system `widnows`: did you mean `windows`?"]);
    let config = "pack = \"kubernetes\"\n[rules.malformed-base]\nsystems = [\"linux\", \"windws\"]\narchitectures = [\"amd46\"]\n\
                  [rules.unlisted-windows-version]\nsystem = \"Windows\"\n";
    repo.write(&[("imglint.toml", config)]);
    let run = repo.imglint(&[]);
    run.fails(&["imglint.toml:3: ", "there is no operating system `windws`: did you mean `windows`?"]);
    run.fails(&["imglint.toml:4: ", "there is no architecture `amd46`: did you mean `amd64`?"]);
    run.fails(&["imglint.toml:6: ", "there is no operating system `Windows`: did you mean `windows`?"]);
    // In a pack of the repository's own, too.
    let rule =
        "level = \"error\"\nsummary = \"s\"\nwhy = \"w\"\n[check.stage]\nsystem = \"linux\"\ninstruction = \"EXPSE\"\n";
    repo.write(&[
        ("imglint.toml", "pack = \"ci/rules\"\n"),
        ("ci/rules/pack.toml", "summary = \"s\"\n[images]\nroots = [\"images\"]\nversion-file = \"VERSION\"\n"),
        ("ci/rules/no-expose.toml", rule),
    ]);
    repo.imglint(&["--all"]).fails(&["no-expose.toml:6: ", "did you mean `EXPOSE`?"]);
}
