//! Release branches: they take images that other branches built, and only a list tells which.

use super::harness::{Repo, Run, Scratch};

const MANIFEST: &str = "package image\n\nfunc init() {\n\tconfigs[Agnhost] = Config{list.PromoterE2eRegistry, \"agnhost\", \"VERSION\"}\n}\n";
const LIST: &str = "- name: agnhost\n  dmap:\n    \"sha256:1\": [\"2.25\", \"2.30\"]\n";

/// A project with the branches `master` and `release-1.36`; on a topic of the latter, the manifest names what only master built.
fn project(scratch: &Scratch) -> Repo {
    let repo = scratch.kubernetes("repo");
    repo.write(&[("test/images/README.md", "use the newly promoted image\n")]);
    repo.change(&[("test/utils/image/manifest.go", &MANIFEST.replace("VERSION", "2.25"))]);
    repo.git(&["branch", "release-1.36"]);
    repo.change(&[("docs/x", "x\n")]);
    repo.git(&["checkout", "-q", "release-1.36"]);
    repo.change(&[("docs/release", "x\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("test/utils/image/manifest.go", &MANIFEST.replace("VERSION", "2.30"))]);
    repo.write(&[("../images.yaml", LIST)]);
    repo
}

#[track_caller]
fn warns(run: &Run) {
    run.is(0, &["unbuilt-manifest"]);
    let words = "warning: Agnhost names agnhost 2.30, but agnhost has only reached 2.25; release-1.36 may use what another branch built";
    assert!(run.stdout.contains(words), "{run}");
}

#[test]
fn what_another_branch_built_is_a_warning_however_the_base_is_named() {
    let scratch = Scratch::new();
    let repo = project(&scratch);
    for base in ["release-1.36", "refs/heads/release-1.36", "release-1.36~0"] {
        warns(&repo.imglint(&["--base", base]));
    }
    // Nothing tells which branch this topic was begun on, and the only one that changes are known to lead to is master.
    repo.imglint(&["--base", "topic~1"]).is(1, &["unbuilt-manifest"]);
    repo.imglint(&["--base", "master"]).is(1, &["unbuilt-manifest"]);
    repo.git(&["checkout", "-q", "release-1.36"]);
    repo.git(&["merge", "-q", "topic"]);
    for base in ["HEAD~1", "HEAD^", "@~1", "@{1}"] {
        warns(&repo.imglint(&["--base", base]));
    }
    let commit = repo.git(&["rev-parse", "HEAD~1"]);
    warns(&repo.imglint(&["--base", &commit]));
    warns(&repo.imglint_with(&[], &[("IMGLINT_BASE", "HEAD~1")]));
    warns(&repo.imglint(&["--all", "--skip", "missing-dockerfile"]));
}

#[test]
fn in_a_clone_the_release_that_a_topic_was_begun_on_is_found() {
    let scratch = Scratch::new();
    let repo = project(&scratch);
    repo.git(&["checkout", "-q", "master"]);
    let clone = scratch.clone(&repo, "clone", &[]);
    for (branch, track) in [("fix", "--track"), ("other", "--no-track")] {
        clone.git(&["checkout", "-q", track, "-b", branch, "origin/release-1.36"]);
        clone.change(&[("test/utils/image/manifest.go", &MANIFEST.replace("VERSION", "2.30"))]);
        for base in ["HEAD~1", "origin/release-1.36"] {
            warns(&clone.imglint(&["--base", base]));
        }
        warns(&clone.imglint(&[]));
    }
    clone.git(&["checkout", "-q", "-b", "main-topic", "origin/master"]);
    clone.change(&[("test/utils/image/manifest.go", &MANIFEST.replace("VERSION", "2.30"))]);
    clone.imglint(&["--base", "HEAD~1"]).is(1, &["unbuilt-manifest"]);
    clone.imglint(&[]).is(1, &["unbuilt-manifest"]);
}

#[test]
fn ci_names_the_release_and_the_list_decides() {
    let scratch = Scratch::new();
    let repo = project(&scratch);
    let base = repo.git(&["rev-parse", "release-1.36"]);
    let prow = [
        ("CI", "true"),
        ("PROW_JOB_ID", "1"),
        ("JOB_TYPE", "presubmit"),
        ("PULL_BASE_SHA", base.as_str()),
        ("PULL_BASE_REF", "release-1.36"),
    ];
    warns(&repo.imglint_with(&[], &prow));
    let spec = format!(r#"{{"type":"presubmit","refs":{{"base_ref":"release-1.36","base_sha":"{base}"}}}}"#);
    warns(&repo.imglint_with(&[], &[("CI", "true"), ("JOB_SPEC", &spec)]));
    warns(&repo.imglint_with(&["--base", &base], &prow));
    repo.imglint_with(&["--promoted", "../images.yaml"], &prow).is(0, &[]);
    // A list that lacks it leaves no doubt.
    repo.write(&[("../images.yaml", "- name: agnhost\n  dmap:\n    \"sha256:1\": [\"2.25\"]\n")]);
    let run = repo.imglint_with(&["--promoted", "../images.yaml"], &prow);
    run.is(1, &["unbuilt-manifest", "unpromoted-manifest"]);
}

#[test]
fn bump_knows_the_branch_too() {
    let scratch = Scratch::new();
    let repo = project(&scratch);
    let run = repo.imglint(&["bump", "agnhost", "--base", "release-1.36"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stdout.contains("4:66: warning: Agnhost names agnhost 2.30, but agnhost has only reached 2.26"),
        "{run}"
    );
}
