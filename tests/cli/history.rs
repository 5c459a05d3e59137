//! What git's history says of images: with merges, links, shallow clones, and files that are not committed.

use super::harness::{Repo, Scratch};

/// The tree of Kubernetes in small; agnhost gets its version in a merge of two commits, and is changed in another merge.
fn drifted(scratch: &Scratch) -> Repo {
    let repo = scratch.kubernetes("origin");
    repo.git(&["checkout", "-q", "-b", "one"]);
    repo.change(&[("test/images/agnhost/VERSION", "2.26\n")]);
    repo.change(&[("test/images/agnhost/main.go", "package main // with 2.26\n")]);
    merge(&repo, "one");
    repo.git(&["checkout", "-q", "-b", "two"]);
    repo.change(&[("test/images/agnhost/main.go", "package main // half\n")]);
    repo.change(&[("test/images/agnhost/main.go", "package main // whole\n")]);
    merge(&repo, "two");
    repo
}

fn merge(repo: &Repo, branch: &str) {
    repo.git(&["checkout", "-q", "master"]);
    repo.git(&["merge", "-q", "--no-ff", "-m", &format!("Merge {branch}"), branch]);
}

const ALL: &[&str] = &["--all", "--rule", "unbumped-content"];

#[test]
fn a_merge_is_one_step() {
    let scratch = Scratch::new();
    let repo = drifted(&scratch);
    let run = repo.imglint(ALL);
    run.is(0, &["unbumped-content"]);
    let [then, since] = ["HEAD^1", "HEAD"].map(|name| repo.git(&["rev-parse", "--short=12", name]));
    let words = format!("became 2.26 in {then}: since then, 1 commit ({since})");
    assert!(run.stdout.contains(&words), "{run}");
    let run = repo.imglint(&[ALL, &["--format", "json"]].concat());
    assert!(run.stdout.contains(&format!("changed in {since}: Merge two")), "{run}");
    // Up to that merge, all was as it should be.
    repo.imglint(&[ALL, &["--head", "HEAD^1"]].concat()).is(0, &[]);
}

#[test]
fn what_is_not_committed_is_the_newest_step() {
    let scratch = Scratch::new();
    let repo = drifted(&scratch);
    repo.write(&[("test/images/agnhost/other.go", "package main\n")]);
    let run = repo.imglint(ALL);
    assert!(run.stdout.contains(") and changes that are not committed"), "{run}");
    assert!(!repo.imglint(&[ALL, &["--staged"]].concat()).stdout.contains("not committed"), "{run}");
    repo.write(&[("test/images/agnhost/VERSION", "2.27\n")]);
    repo.imglint(ALL).is(0, &[]);
}

#[test]
fn before_the_first_commit_there_is_no_history() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(super::harness::KUBERNETES);
    repo.imglint(ALL).is(0, &[]);
}

#[test]
fn a_shallow_clone_says_that_it_could_not_look() {
    let scratch = Scratch::new();
    let origin = drifted(&scratch);
    let shallow = scratch.clone(&origin, "shallow", &["--depth", "1"]);
    let run = shallow.imglint(ALL);
    run.is(0, &["unbumped-content"]);
    for words in ["cannot tell whether agnhost, kitten changed", "the clone is shallow", "git fetch --unshallow"] {
        assert!(run.stdout.contains(words), "{run}");
    }
    // Deep enough for one of the two.
    let deeper = scratch.clone(&origin, "deeper", &["--depth", "3"]);
    let run = deeper.imglint(ALL);
    run.is(0, &["unbumped-content", "unbumped-content"]);
    assert!(run.stdout.contains("cannot tell whether kitten changed"), "{run}");
}

#[cfg(unix)]
#[test]
fn a_version_file_that_is_a_link_is_followed() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[
        ("imglint.toml", "pack = \"generic\"\n"),
        ("images/app/VERSION", "1.0\n"),
        ("images/app/main.c", ""),
        ("images/web/main.c", ""),
    ]);
    std::os::unix::fs::symlink("../app/VERSION", repo.root.join("images/web/VERSION")).expect("a link");
    repo.commit("base");
    repo.change(&[("images/web/main.c", "changed\n")]);
    let web = "images/web/VERSION";
    assert!(repo.imglint(ALL).stdout.contains(web));
    repo.change(&[("images/app/VERSION", "1.1\n")]);
    repo.imglint(ALL).is(0, &[]);
    repo.change(&[("images/web/main.c", "changed again\n")]);
    assert!(repo.imglint(ALL).stdout.contains(web));
}

#[test]
fn in_a_change_the_rule_is_silent_and_says_why_if_asked_for() {
    let scratch = Scratch::new();
    let repo = drifted(&scratch);
    repo.imglint(&["--base", "HEAD^1"]).is(1, &["stale-version"]);
    let words = "the rule unbumped-content looks into the history of a whole tree";
    repo.imglint(&["--base", "HEAD^1", "--rule", "unbumped-content"]).fails(&[words, "add `--all`"]);
}

/// A tag that was built once is built over, if an image comes back as another one under the version that it had.
#[test]
fn an_image_that_comes_back_is_what_it_was_or_gets_a_new_version() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("origin");
    let porter = [("test/images/porter/VERSION", "1.0\n"), ("test/images/porter/Dockerfile", "FROM scratch\n")];
    repo.change(&porter);
    repo.change(&[("test/images/porter/README.md", "Read me.\n"), ("test/images/other/VERSION", "1.0\n")]);
    repo.git(&["rm", "-rq", "test/images/porter"]);
    repo.commit("porter goes");
    let gone = repo.git(&["rev-parse", "--short=12", "HEAD"]);
    repo.change(&[("unrelated", "x\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let judge = ["--base", "master", "--rule", "stale-version", "--rule", "standalone-image"];
    repo.write(&porter);
    repo.imglint(&judge).is(0, &[]);
    repo.write(&[("test/images/porter/Dockerfile", "FROM alpine\n"), ("test/images/new/VERSION", "1.0\n")]);
    let run = repo.imglint(&judge);
    run.is(1, &["standalone-image", "stale-version"]);
    let words =
        format!("porter is not what it was when {gone} took it away, but its VERSION is still 1.0; set VERSION to 1.1");
    assert!(run.stdout.contains(&words), "{run}");
    repo.git(&["add", "-A"]);
    repo.imglint(&[&judge[..], &["--staged"]].concat()).is(1, &["standalone-image", "stale-version"]);
    repo.commit("porter comes back");
    // Where the history does not reach, it is a new image.
    let shallow = scratch.clone(&repo, "shallow", &["--depth", "2", "--branch", "topic", "--no-single-branch"]);
    shallow.imglint(&["--base", "HEAD~1", "--rule", "stale-version"]).is(0, &[]);
    repo.imglint(&[&judge[..], &["--fix"]].concat());
    repo.imglint(&judge).is(0, &["standalone-image"]);
    assert_eq!(std::fs::read_to_string(repo.root.join("test/images/porter/VERSION")).expect("a file"), "1.1\n");
}
