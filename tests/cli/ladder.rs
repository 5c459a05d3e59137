//! What a change is compared with: every environment that imglint runs in, and every trap of it.

use super::harness::{Repo, Scratch};
use super::prow::{Fetch, clonerefs};

const STALE: &[&str] = &["stale-version"];
const ZERO: &str = "0000000000000000000000000000000000000000";

/// Clones as Prow does.
fn prow_clone(scratch: &Scratch, origin: &Repo, base: &str, pulls: &[&str]) -> Repo {
    clonerefs(scratch, origin, base, pulls, Fetch::Whole)
}

const PRESUBMIT: &[(&str, &str)] = &[("CI", "true"), ("PROW_JOB_ID", "1"), ("JOB_TYPE", "presubmit")];

fn with<'a>(base: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    base.iter().chain(more).copied().collect()
}

#[test]
fn prow_presubmit_has_no_remote_and_its_base_branch_is_head() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let base = origin.git(&["rev-parse", "HEAD"]);
    origin.bad_topic();
    let clone = prow_clone(&scratch, &origin, &base, &["topic"]);
    assert_eq!(clone.git(&["merge-base", "master", "HEAD"]), clone.git(&["rev-parse", "HEAD"]), "the trap is set");
    let run = clone.imglint_with(&[], &with(PRESUBMIT, &[("PULL_BASE_SHA", &base), ("PULL_NUMBER", "7")]));
    run.is(1, STALE).says(&["PULL_BASE_SHA"]);
}

#[test]
fn prow_presubmit_passes_a_good_change() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let base = origin.git(&["rev-parse", "HEAD"]);
    origin.git(&["checkout", "-q", "-b", "topic"]);
    origin.change(&[("test/images/kitten/kitten.jpg", "=^.^=\n"), ("test/images/kitten/VERSION", "1.5\n")]);
    let clone = prow_clone(&scratch, &origin, &base, &["topic"]);
    clone.imglint_with(&[], &with(PRESUBMIT, &[("PULL_BASE_SHA", &base)])).is(0, &[]);
}

/// Two changes of kitten raced for 1.5, and git merges the second without a conflict. Gives the base branch and the change.
fn race(origin: &Repo) -> (String, String) {
    origin.git(&["checkout", "-q", "-b", "topic"]);
    let pull = origin.change(&[("test/images/kitten/a", "a\n"), ("test/images/kitten/VERSION", "1.5\n")]);
    origin.git(&["checkout", "-q", "master"]);
    let base = origin.change(&[("test/images/kitten/b", "b\n"), ("test/images/kitten/VERSION", "1.5\n")]);
    (base, pull)
}

const TAKEN: &[&str] = &["taken-version"];

#[test]
fn prow_presubmit_asks_again_when_the_base_took_the_same_version() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let (base, pull) = race(&origin);
    let clone = prow_clone(&scratch, &origin, &base, &["topic"]);
    let variables =
        with(PRESUBMIT, &[("PULL_BASE_SHA", &base), ("PULL_PULL_SHA", &pull), ("PULL_BASE_REF", "release-1.20")]);
    let run = clone.imglint_with(&["-v"], &variables);
    run.is(1, TAKEN);
    for words in ["kitten 1.5 is taken: release-1.20 has it already", "set VERSION to 1.6"] {
        assert!(run.stdout.contains(words), "{run}");
    }
    // Without that rule the merge is what it is: it changes kitten under its present version.
    clone.imglint_with(&["--rule", "stale-version"], &variables).is(1, STALE);
    clone.imglint_with(&["--skip", "taken-version"], &variables).is(1, STALE);
    // Squashed on top of the base branch, or put there by a rebase, it is the same change.
    let squashed = scratch.clone(&origin, "squashed", &["--branch", "master"]);
    squashed.git(&["merge", "-q", "--squash", "origin/topic"]);
    squashed.commit("squashed");
    squashed.imglint_with(&[], &variables).is(1, TAKEN);
    // Who knows the pull request by nothing but the merge.
    let merge = clone.imglint_with(&[], &with(PRESUBMIT, &[("PULL_BASE_SHA", &base)]));
    assert!(merge.stdout.contains("kitten 1.5 is taken: the base branch has it already"), "{merge}");
    // The repair moves it to the next one.
    clone.imglint_with(&["--fix"], &variables).is(1, &[]);
    let version = clone.root.join("test/images/kitten/VERSION");
    assert_eq!(std::fs::read_to_string(version).expect("a file"), "1.6\n");
}

/// Neither is a change blamed that lacks its bump, nor one that is the same on both sides, for a version that it did not choose.
#[test]
fn a_version_that_the_author_did_not_choose_is_not_taken() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    origin.git(&["checkout", "-q", "-b", "topic"]);
    let pull = origin.change(&[("test/images/kitten/a", "a\n")]);
    origin.git(&["checkout", "-q", "-b", "same", "master"]);
    let good = [("test/images/kitten/b", "b\n"), ("test/images/kitten/VERSION", "1.5\n")];
    let same = origin.change(&[good[0], good[1], ("README.md", "x\n")]);
    origin.git(&["checkout", "-q", "master"]);
    let base = origin.change(&good);
    for (pull, name, code, rules) in [(&pull, "topic", 1, STALE), (&same, "same", 0, &[])] {
        let scratch = Scratch::new();
        let clone = prow_clone(&scratch, &origin, &base, &[name]);
        let variables = with(PRESUBMIT, &[("PULL_BASE_SHA", &base), ("PULL_PULL_SHA", pull)]);
        clone.imglint_with(&[], &variables).is(code, rules);
    }
}

/// Both add the same image, under the same version, with different contents.
#[test]
fn two_changes_cannot_add_an_image_under_one_version() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let image = [("test/images/puppy/VERSION", "1.0\n"), ("test/images/puppy/Dockerfile", "FROM scratch\n")];
    origin.git(&["checkout", "-q", "-b", "topic"]);
    let pull = origin.change(&[image[0], image[1], ("test/images/puppy/a", "a\n")]);
    origin.git(&["checkout", "-q", "master"]);
    let base = origin.change(&[image[0], image[1], ("test/images/puppy/b", "b\n")]);
    let clone = prow_clone(&scratch, &origin, &base, &["topic"]);
    let variables = with(PRESUBMIT, &[("PULL_BASE_SHA", &base), ("PULL_PULL_SHA", &pull)]);
    clone.imglint_with(&[], &variables).is(1, TAKEN);
}

#[test]
fn github_s_merge_tells_a_taken_version_as_a_plain_base_does() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let (_, pull) = race(&origin);
    let plain = origin.imglint(&["--base", "master", "--head", &pull]);
    plain.is(1, TAKEN);
    assert!(plain.stdout.contains("kitten 1.5 is taken: master has it already"), "{plain}");
    origin.git(&["checkout", "-q", "-b", "merge", "master"]);
    origin.git(&["merge", "-q", "--no-ff", "-m", "merge", "topic"]);
    let merge = origin.imglint_with(&[], GITHUB);
    merge.is(1, TAKEN);
    assert_eq!(merge.stdout.lines().next(), plain.stdout.lines().next());
    // Of a clone that was cut nobody can tell who chose the version; it is no pass all the same.
    let shallow = scratch.clone(&origin, "shallow", &["--depth", "2", "--branch", "merge"]);
    shallow.imglint_with(&[], GITHUB).is(1, STALE);
}

#[test]
fn prow_batch_has_several_pull_requests_and_no_pull_sha() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let base = origin.git(&["rev-parse", "HEAD"]);
    let bad = origin.bad_topic();
    origin.git(&["checkout", "-q", "-b", "other", "master"]);
    let other = origin.change(&[("test/images/kitten/README.md", "x\n")]);
    let clone = prow_clone(&scratch, &origin, &base, &["topic", "other"]);
    let refs = format!("master:{base},1:{bad},2:{other}:refs/pull/2/head");
    let batch = [("CI", "true"), ("PROW_JOB_ID", "1"), ("JOB_TYPE", "batch"), ("PULL_REFS", &*refs)];
    clone.imglint_with(&[], &batch).is(1, STALE).says(&["PULL_REFS"]);
    clone.imglint_with(&[], &with(&batch, &[("PULL_BASE_SHA", &base)])).is(1, STALE).says(&["(PULL_BASE_SHA)"]);
}

#[test]
fn prow_postsubmit_compares_with_the_first_parent() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let head = origin.change(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    let clone = prow_clone(&scratch, &origin, &head, &[]);
    let variables = [("CI", "true"), ("PROW_JOB_ID", "1"), ("JOB_TYPE", "postsubmit"), ("PULL_BASE_SHA", &*head)];
    clone.imglint_with(&[], &variables).is(1, STALE).says(&["HEAD^1 of a postsubmit"]);
}

#[test]
fn prow_periodic_judges_everything() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let head = origin.change(&[("test/images/agnhost/VERSION", "2.26\n")]);
    let clone = prow_clone(&scratch, &origin, &head, &[]);
    let spec =
        r#"{"type": "periodic", "extra_refs": [{"org": "kubernetes", "repo": "kubernetes", "base_ref": "master"}]}"#;
    let run = clone.imglint_with(&[], &[("CI", "true"), ("JOB_SPEC", spec)]);
    run.is(1, &["stale-base"]).says(&["periodic job"]);
}

#[test]
fn prow_in_an_extra_ref_is_not_the_repository_under_test() {
    let scratch = Scratch::new();
    let extra = scratch.kubernetes("test-infra");
    let base = "1234567890123456789012345678901234567890";
    let more = [("PULL_BASE_SHA", base), ("REPO_OWNER", "kubernetes"), ("REPO_NAME", "kubernetes")];
    let run = extra.imglint_with(&[], &with(PRESUBMIT, &more));
    run.fails(&[base, "not the repository under test (kubernetes/kubernetes)", "extra_refs"]);
}

#[test]
fn prow_without_the_merge_is_no_pass() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let base = origin.git(&["rev-parse", "HEAD"]);
    let clone = prow_clone(&scratch, &origin, &base, &[]);
    let run = clone.imglint_with(&[], &with(PRESUBMIT, &[("PULL_BASE_SHA", &base)]));
    run.fails(&["HEAD is its own base", "not merged into this clone", "skip_cloning"]);
}

#[test]
fn prow_that_says_nothing_is_no_pass() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    repo.imglint_with(&[], PRESUBMIT).fails(&["PULL_BASE_SHA (unset)", "PULL_REFS (unset)", "JOB_SPEC (unset)"]);
    repo.imglint_with(&[], &[("JOB_SPEC", "{")]).fails(&["JOB_SPEC is no JSON"]);
}

/// GitHub's merge of a pull request, on a branch of the origin.
fn github_merge(origin: &Repo) {
    origin.bad_topic();
    origin.git(&["checkout", "-q", "-b", "merge", "master"]);
    origin.git(&["merge", "-q", "--no-ff", "-m", "merge", "topic"]);
}

const GITHUB: &[(&str, &str)] =
    &[("CI", "true"), ("GITHUB_ACTIONS", "true"), ("GITHUB_REF", "refs/pull/7/merge"), ("GITHUB_BASE_REF", "master")];

#[test]
fn github_compares_its_merge_with_the_first_parent() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    github_merge(&origin);
    origin.imglint_with(&[], GITHUB).is(1, STALE).says(&["HEAD^1 of GitHub's merge"]);
}

/// The author merged the base branch into the pull request last, and the job checks out the author's commit.
#[test]
fn github_knows_its_merge_from_the_author_s() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    origin.bad_topic();
    origin.git(&["checkout", "-q", "master"]);
    origin.change(&[("README.md", "changed\n")]);
    origin.git(&["checkout", "-q", "topic"]);
    origin.git(&["merge", "-q", "--no-ff", "-m", "merge master", "master"]);
    let clone = scratch.clone(&origin, "clone", &["--branch", "topic"]);
    let run = clone.imglint_with(&[], &with(GITHUB, &[("GITHUB_SHA", "1234567890123456789012345678901234567890")]));
    run.is(1, STALE).says(&["merge base with origin/master"]);
    let head = clone.git(&["rev-parse", "HEAD"]);
    clone.imglint_with(&[], &with(GITHUB, &[("GITHUB_SHA", &head)])).says(&["HEAD^1 of GitHub's merge"]);
}

#[test]
fn a_clone_of_depth_2_is_enough_for_the_merge() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    github_merge(&origin);
    let clone = scratch.clone(&origin, "clone", &["--depth", "2", "--branch", "merge"]);
    clone.imglint_with(&[], GITHUB).is(1, STALE);
}

#[test]
fn a_clone_of_depth_1_is_no_pass() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    github_merge(&origin);
    let clone = scratch.clone(&origin, "clone", &["--depth", "1", "--branch", "merge"]);
    assert_eq!(clone.git(&["rev-list", "--count", "HEAD"]), "1", "the trap is set");
    let run = clone.imglint_with(&[], GITHUB);
    run.fails(&["the clone is shallow", "HEAD^1 (HEAD is not GitHub's merge here)", "origin/master", "fetch-depth: 0"]);
}

#[test]
fn github_without_the_merge_takes_the_merge_base_with_the_base_branch() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    origin.bad_topic();
    let clone = scratch.clone(&origin, "clone", &["--branch", "topic"]);
    let run = clone.imglint_with(&[], &[("GITHUB_ACTIONS", "true"), ("GITHUB_BASE_REF", "master")]);
    run.is(1, STALE).says(&["merge base with origin/master"]);
}

#[test]
fn github_pushes_name_the_commit_before() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let before = origin.git(&["rev-parse", "HEAD"]);
    origin.bad_topic();
    let clone = scratch.clone(&origin, "clone", &["--branch", "topic"]);
    let event = clone.root.join(".git/event.json");
    let run = |before: &str| {
        let json = format!(r#"{{"before": "{before}", "repository": {{"default_branch": "master"}}}}"#);
        std::fs::write(&event, json).expect("a file");
        clone.imglint_with(&[], &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_PATH", event.to_str().expect("UTF-8"))])
    };
    run(&before).is(1, STALE).says(&["github.event.before"]);
    // A new branch: there was no commit before.
    run(ZERO).is(1, STALE).says(&["merge base with origin/master"]);
    run("1234567890123456789012345678901234567890").fails(&["no such revision", "github.event.before"]);
}

#[test]
fn gitlab_names_the_base_of_a_merge_request() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let base = repo.git(&["rev-parse", "HEAD"]);
    repo.bad_topic();
    let run = |more| repo.imglint_with(&[], &with(&[("CI", "true"), ("GITLAB_CI", "true")], more));
    run(&[("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base)]).is(1, STALE).says(&["CI_MERGE_REQUEST_DIFF_BASE_SHA"]);
}

#[test]
fn gitlab_merges_the_result_and_others_do_not_answer_for_the_target() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let base = repo.git(&["rev-parse", "HEAD"]);
    repo.bad_topic();
    repo.git(&["checkout", "-q", "master"]);
    repo.change(&[("test/images/kitten/VERSION", "no version!\n")]);
    let target = repo.git(&["rev-parse", "HEAD"]);
    let run = || {
        let names = [("CI_MERGE_REQUEST_DIFF_BASE_SHA", &*base), ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", &*target)];
        repo.imglint_with(&[], &with(&[("CI", "true"), ("GITLAB_CI", "true")], &names))
    };
    repo.git(&["checkout", "-q", "--detach"]);
    repo.git(&["merge", "-q", "--no-ff", "-m", "merged result", "topic"]);
    run().is(1, STALE).says(&["CI_MERGE_REQUEST_TARGET_BRANCH_SHA"]);
    // A pipeline of the source branch has not merged the target.
    repo.git(&["checkout", "-q", "topic"]);
    run().is(1, STALE).says(&["CI_MERGE_REQUEST_DIFF_BASE_SHA"]);
}

#[test]
fn in_ci_no_base_is_no_pass() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    let tried = ["upstream/HEAD", "origin/HEAD", "origin/main", "master (the current branch)", "main"];
    repo.imglint_with(&[], &[("CI", "true")]).fails(&tried).says(&["--base REV", "--all"]);
    repo.imglint_with(&["--staged"], &[("CI", "true")]).fails(&tried);
    let shallow = scratch.clone(&repo, "shallow", &["--depth", "1"]);
    shallow.git(&["remote", "remove", "origin"]);
    shallow.imglint_with(&[], &[("CI", "true")]).fails(&["the clone is shallow", "git fetch --unshallow"]);
    let github = [("GITHUB_ACTIONS", "true"), ("GITHUB_BASE_REF", "topic")];
    shallow.git(&["update-ref", "refs/remotes/origin/topic", "HEAD"]);
    shallow.imglint_with(&[], &github).fails(&["HEAD is its own base", "fetch-depth: 0"]);
}

#[test]
fn in_ci_the_base_branch_itself_is_no_change() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let clone = scratch.clone(&origin, "clone", &[]);
    clone.imglint_with(&[], &[("CI", "true")]).fails(&["HEAD is its own base", "--all"]);
    clone.imglint(&[]).is(0, &[]);
}

#[test]
fn options_and_imglint_base_come_first() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    repo.imglint(&["--base", "HEAD"]).is(0, &[]).says(&["--base HEAD"]);
    repo.imglint_with(&[], &[("IMGLINT_BASE", "HEAD")]).is(0, &[]).says(&["IMGLINT_BASE HEAD"]);
    repo.imglint_with(&["--base", "master"], &[("IMGLINT_BASE", "HEAD")]).is(1, STALE);
    repo.imglint(&["--base", "mster"]).fails(&["no such revision: `mster` (--base)"]);
}

/// In CI a base that holds all that is judged passes whatever it is, whoever named it.
#[test]
fn in_ci_a_base_that_is_head_is_no_pass_even_if_it_is_named() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    let words = ["HEAD is its own base", "name the commit that the change was begun on"];
    for ci in [&[("CI", "true")][..], PRESUBMIT] {
        repo.imglint_with(&["--base", "master"], ci).fails(&words).says(&["--base master"]);
        repo.imglint_with(&[], &with(ci, &[("IMGLINT_BASE", "HEAD")])).fails(&words).says(&["IMGLINT_BASE HEAD"]);
        repo.imglint_with(&["--base", "HEAD^"], ci).is(1, STALE);
    }
}

#[test]
fn zeros_are_no_commit() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    repo.imglint(&["--base", ZERO]).fails(&["no such revision", "zeros are git's way to say", "origin/HEAD"]);
    // The last resort: a new branch was never pushed, so the hook knows no commit.
    repo.git(&["branch", "-q", "-D", "master"]);
    let run = repo.imglint_with(&["--head", "HEAD"], &[("PRE_COMMIT_FROM_REF", ZERO)]);
    run.fails(&["PRE_COMMIT_FROM_REF (all zeros: a new branch)"]);
}

#[test]
fn a_person_is_compared_with_the_base_branch() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let clone = scratch.clone(&origin, "clone", &[]);
    clone.bad_topic();
    clone.imglint(&[]).is(1, STALE).says(&["merge base with origin/HEAD"]);
    clone.git(&["remote", "rename", "origin", "upstream"]);
    clone.imglint(&[]).is(1, STALE).says(&["merge base with upstream/HEAD"]);
    clone.git(&["remote", "set-head", "upstream", "--delete"]);
    clone.imglint(&[]).is(1, STALE).says(&["merge base with upstream/master"]);
    clone.git(&["remote", "remove", "upstream"]);
    clone.imglint(&[]).is(1, STALE).says(&["merge base with master"]);
}

#[test]
fn the_bump_may_lie_in_an_earlier_commit_of_the_branch() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let clone = scratch.clone(&origin, "clone", &[]);
    clone.git(&["checkout", "-q", "-b", "topic"]);
    let pushed = clone.change(&[("test/images/kitten/a", "a\n"), ("test/images/kitten/VERSION", "1.5\n")]);
    clone.write(&[("test/images/kitten/b", "b\n")]);
    clone.imglint(&["--worktree"]).is(0, &[]);
    clone.git(&["add", "-A"]);
    clone.imglint(&["--staged"]).is(0, &[]);
    // What a pre-push hook would be told: the bump lies in the commit that was pushed.
    clone.imglint_with(&["--staged"], &[("PRE_COMMIT_FROM_REF", &pushed)]).is(0, &[]);
}

#[test]
fn without_any_base_branch_uncommitted_changes_are_judged_and_that_is_said() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let nothing = ["there is no base branch", "nothing was judged", "--base REV", "--all"];
    repo.imglint(&[]).fails(&nothing);
    repo.imglint(&["--staged"]).fails(&nothing);
    repo.write(&[("README.md", "changed\n")]);
    let judged = ["there is no base branch, so only uncommitted changes are judged"];
    repo.imglint(&[]).is(0, &[]).says(&judged);
    repo.imglint(&["--staged"]).fails(&nothing);
    repo.git(&["add", "-A"]);
    repo.imglint(&["--staged"]).is(0, &[]).says(&judged);
    repo.write(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    repo.imglint(&[]).is(1, STALE);
    repo.imglint(&["--head", "HEAD"]).fails(&["cannot tell what this change is to be compared with"]);
    // A clone that was cut may hide the base branch.
    let shallow = scratch.clone(&repo, "shallow", &["--depth", "1"]);
    shallow.git(&["remote", "remove", "origin"]);
    shallow.write(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    shallow.imglint(&[]).fails(&["the clone is shallow", "git fetch --unshallow"]);
}

/// The commit that git asks its hook about may be an empty one.
#[test]
fn an_empty_commit_without_a_base_branch_can_be_made() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.imglint(&["hook", "install"]);
    let run = repo.git_with_hooks(&["commit", "-q", "--allow-empty", "-m", "empty"]);
    assert!(run.code == 0 && run.stderr.contains("no base branch"), "{run}");
}

#[test]
fn others_changes_are_not_blamed_when_the_base_moved_on() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let clone = scratch.clone(&origin, "clone", &[]);
    clone.git(&["checkout", "-q", "-b", "topic"]);
    clone.change(&[("test/images/kitten/a", "a\n"), ("test/images/kitten/VERSION", "1.5\n")]);
    origin.change(&[("test/images/agnhost/main.go", "package main // by somebody else\n")]);
    clone.git(&["fetch", "-q"]);
    clone.imglint(&[]).is(0, &[]);
    // Now the base branch takes 1.5 itself.
    origin.change(&[("test/images/kitten/b", "b\n"), ("test/images/kitten/VERSION", "1.5\n")]);
    clone.git(&["fetch", "-q"]);
    clone.imglint(&[]).is(1, &["taken-version"]);
    // Rebased, and bumped again, all is well, whatever else was bumped meanwhile.
    clone.git(&["rebase", "-q", "origin/master"]);
    clone.imglint(&[]).is(1, STALE);
    clone.change(&[("test/images/kitten/VERSION", "1.6\n")]);
    clone.imglint(&[]).is(0, &[]);
}

#[test]
fn a_backport_is_compared_with_its_release_branch() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    origin.git(&["checkout", "-q", "-b", "release-1.20"]);
    // On the release branch, agnhost was changed without a bump long ago.
    origin.change(&[("test/images/agnhost/main.go", "package main // released\n")]);
    origin.git(&["checkout", "-q", "master"]);
    let clone = scratch.clone(&origin, "clone", &[]);
    let good = [("test/images/kitten/a", "a\n"), ("test/images/kitten/VERSION", "1.5\n")];
    clone.git(&["checkout", "-q", "-b", "tracking", "origin/release-1.20"]);
    clone.change(&good);
    clone.imglint(&[]).is(0, &[]).says(&["merge base with origin/release-1.20"]);
    clone.git(&["checkout", "-q", "--no-track", "-b", "plain", "origin/release-1.20"]);
    clone.change(&good);
    clone.imglint(&[]).is(0, &[]).says(&["merge base with origin/release-1.20"]);
}

#[test]
fn a_release_branch_that_moves_on_is_still_the_base_of_its_backports() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let release = |name: &str, from: &str| {
        origin.git(&["checkout", "-q", "-b", name, from]);
        origin.change(&[("test/images/agnhost/main.go", &format!("package main // {name}\n"))]);
    };
    release("release-1.20", "master");
    origin.git(&["checkout", "-q", "master"]);
    origin.change(&[("docs/x", "x\n")]);
    release("release-1.21", "master");
    release("release-1.21.1", "release-1.21");
    origin.git(&["checkout", "-q", "master"]);
    origin.change(&[("docs/y", "y\n")]);
    let clone = scratch.clone(&origin, "clone", &[]);
    let begin = |name: &str, at: &str| {
        clone.git(&["checkout", "-q", "--no-track", "-b", name, at]);
        clone.change(&[("test/images/kitten/a", "a\n"), ("test/images/kitten/VERSION", "1.5\n")]);
    };
    let releases = ["release-1.20", "release-1.21", "release-1.21.1"];
    for name in releases {
        begin(&format!("fix-{name}"), &format!("origin/{name}"));
    }
    begin("topic", "origin/master");
    let judged = || {
        for name in releases {
            clone.git(&["checkout", "-q", &format!("fix-{name}")]);
            clone.imglint(&[]).is(0, &[]).says(&[&format!("(merge base with origin/{name})")]);
        }
        clone.git(&["checkout", "-q", "topic"]);
        clone.imglint(&[]).is(0, &[]).says(&["(merge base with origin/HEAD)"]);
    };
    judged();
    for name in ["master", "release-1.20", "release-1.21", "release-1.21.1"] {
        origin.git(&["checkout", "-q", name]);
        origin.change(&[("docs/z", "z\n")]);
    }
    clone.git(&["fetch", "-q"]);
    judged();
    // A release that is cut behind a topic of the main branch has not got it.
    origin.git(&["checkout", "-q", "-b", "release-1.22", "master"]);
    origin.change(&[("docs/z", "1.22\n")]);
    clone.git(&["fetch", "-q"]);
    judged();
    // A backport that goes on, and takes its release in.
    clone.git(&["checkout", "-q", "fix-release-1.20"]);
    clone.git(&["merge", "-q", "--no-edit", "origin/release-1.20"]);
    judged();
}

/// All commits are of the same second: whichever is looked at first, the answer is the same.
#[test]
fn the_release_of_a_backport_is_found_in_any_order() {
    let scratch = Scratch::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        let repo = scratch.kubernetes(name);
        repo.git(&["checkout", "-q", "-b", "fix"]);
        let released = repo.change(&[("docs/x", name)]);
        repo.change(&[("docs/y", name)]);
        repo.git(&["checkout", "-q", "--detach", &released]);
        let moved = repo.change(&[("docs/z", name)]);
        for (branch, commit) in [("HEAD", "master"), ("release-1.20", &moved)] {
            repo.git(&["update-ref", &format!("refs/remotes/origin/{branch}"), commit]);
        }
        repo.git(&["checkout", "-q", "fix"]);
        let base = format!("base: {} (merge base with origin/release-1.20)", &released[..12]);
        repo.imglint(&[]).is(0, &[]).says(&[&base]);
    }
}

#[test]
fn a_backport_is_not_compared_with_its_copy_in_a_fork() {
    let scratch = Scratch::new();
    let project = scratch.kubernetes("project");
    project.git(&["checkout", "-q", "-b", "release-1.20"]);
    project.change(&[("test/images/agnhost/main.go", "package main // released\n")]);
    project.git(&["checkout", "-q", "master"]);
    let fork = scratch.clone(&project, "fork", &["--bare"]);
    let clone = scratch.clone(&fork, "clone", &[]);
    clone.git(&["remote", "add", "upstream", project.root.to_str().expect("UTF-8")]);
    clone.git(&["fetch", "-q", "upstream"]);
    clone.git(&["remote", "set-head", "upstream", "master"]);
    clone.git(&["checkout", "-q", "-b", "release-1.20", "upstream/release-1.20"]);
    clone.change(&[("test/images/kitten/a", "a\n")]);
    clone.imglint(&[]).is(1, STALE).says(&["merge base with upstream/release-1.20"]);
    clone.git(&["push", "-q", "-u", "origin", "release-1.20"]);
    clone.imglint(&[]).is(1, STALE).says(&["merge base with upstream/release-1.20"]);
}

#[test]
fn a_topic_that_is_named_like_a_release_is_not_compared_with_its_pushed_self() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let clone = scratch.clone(&origin, "clone", &[]);
    for name in ["release-notes", "release-1.20-fix", "stable-links", "release/me"] {
        clone.git(&["checkout", "-q", "-b", name, "origin/master"]);
        clone.change(&[("test/images/agnhost/main.go", "package main // changed\n")]);
        clone.imglint(&[]).is(1, STALE);
        clone.git(&["push", "-q", "-u", "origin", name]);
        clone.imglint(&[]).is(1, STALE).says(&["merge base with origin/HEAD"]);
    }
}

/// A contributor's clone of a fork that was made long ago, with the project's repository as `upstream`.
struct Fork {
    project: Repo,
    clone: Repo,
}

impl Fork {
    fn new(scratch: &Scratch) -> Self {
        let project = scratch.kubernetes("project");
        let fork = scratch.clone(&project, "fork", &["--bare"]);
        let clone = scratch.clone(&fork, "clone", &[]);
        // Since then the project went on, and somebody forgot a bump in it: nobody here is to be blamed for that.
        project.change(&[("test/images/agnhost/main.go", "package main // by somebody else\n")]);
        project.git(&["checkout", "-q", "-b", "release-1.36"]);
        project.change(&[("test/images/agnhost/other.go", "package main // released\n")]);
        project.git(&["checkout", "-q", "master"]);
        project.change(&[("test/images/agnhost/main.go", "package main // by another one\n")]);
        clone.git(&["remote", "add", "upstream", project.root.to_str().expect("UTF-8")]);
        clone.git(&["fetch", "-q", "upstream"]);
        // As git before 2.48 leaves it.
        let head = clone.git_command(&["remote", "set-head", "upstream", "--delete"]).output();
        head.expect("git is installed");
        Self { project, clone }
    }

    /// Begins a branch, with a change of kitten that lacks its bump.
    fn begin(&self, arguments: &[&str]) {
        self.clone.git(&[&["checkout", "-q"], arguments].concat());
        self.forget_a_bump("a");
    }

    fn forget_a_bump(&self, name: &str) {
        self.clone.change(&[(&*format!("test/images/kitten/{name}"), "changed\n")]);
    }

    /// Kitten is blamed, and nobody else; then all is well with a bump.
    fn blames_kitten(&self, base: &str) {
        let run = self.clone.imglint(&[]);
        run.is(1, STALE).says(&[&format!("(merge base with {base})")]);
        assert!(run.stdout.contains("kitten changed"), "{run}");
        self.clone.change(&[("test/images/kitten/VERSION", "1.5\n")]);
        self.clone.imglint(&[]).is(0, &[]);
    }
}

#[test]
fn in_a_fork_a_topic_from_its_stale_master_answers_for_itself() {
    let scratch = Scratch::new();
    let fork = Fork::new(&scratch);
    fork.begin(&["-b", "topic", "origin/master"]);
    fork.blames_kitten("origin/master");
    fork.begin(&["--no-track", "-b", "plain", "origin/master"]);
    fork.blames_kitten("upstream/master");
    // Rebased, it still tracks the stale branch.
    fork.clone.git(&["checkout", "-q", "topic"]);
    fork.clone.git(&["rebase", "-q", "upstream/master"]);
    fork.clone.imglint(&[]).is(0, &[]).says(&["(merge base with upstream/master)"]);
}

#[test]
fn in_a_fork_a_topic_from_the_project_s_master_is_compared_with_that() {
    let scratch = Scratch::new();
    let fork = Fork::new(&scratch);
    fork.begin(&["--no-track", "-b", "plain", "upstream/master"]);
    fork.blames_kitten("upstream/master");
    fork.begin(&["-b", "tracking", "upstream/master"]);
    fork.blames_kitten("upstream/master");
    // All that was looked at is told to who asks.
    let run = fork.clone.imglint(&["-v"]);
    let [old, new] = ["origin/master", "upstream/master"].map(|name| fork.clone.git(&["rev-parse", name]));
    run.says(&[&format!("candidate upstream/master: merge base {}", &new[..12])]);
    run.says(&[&format!("candidate origin/HEAD: merge base {}", &old[..12])]);
    run.says(&[&format!("candidate master: merge base {}", &old[..12])]);
    assert!(!fork.clone.imglint(&[]).stderr.contains("candidate"), "{run}");
}

#[test]
fn in_a_fork_a_backport_is_compared_with_the_project_s_release() {
    let scratch = Scratch::new();
    let fork = Fork::new(&scratch);
    fork.begin(&["--no-track", "-b", "cherry-pick", "upstream/release-1.36"]);
    fork.blames_kitten("upstream/release-1.36");
    fork.begin(&["-b", "tracking", "upstream/release-1.36"]);
    fork.blames_kitten("upstream/release-1.36");
    // Pushed into the fork under the release's own name.
    fork.begin(&["--no-track", "-b", "release-1.36", "upstream/release-1.36"]);
    fork.clone.git(&["push", "-q", "-u", "origin", "release-1.36"]);
    fork.blames_kitten("upstream/release-1.36");
}

/// What was pushed to a fork, under whatever name, is still what is judged.
#[test]
fn a_topic_is_not_compared_with_its_pushed_copy() {
    let scratch = Scratch::new();
    let fork = Fork::new(&scratch);
    for (number, pushed) in ["topic-0", "other", "me/topic-2"].iter().enumerate() {
        let topic = format!("topic-{number}");
        fork.begin(&["--no-track", "-b", &topic, "upstream/master"]);
        fork.clone.git(&["push", "-q", "-u", "origin", &format!("{topic}:{pushed}")]);
        assert_eq!(
            fork.clone.git(&["rev-parse", "--abbrev-ref", "@{u}"]),
            format!("origin/{pushed}"),
            "the trap is set"
        );
        fork.blames_kitten("upstream/master");
        let run = fork.clone.imglint(&["-v"]);
        run.says(&[&format!("candidate origin/{pushed}: left out, it is the pushed copy of this branch")]);
    }
}

/// Work that was begun on the wrong branch, and what was pushed of it to the fork, is a part of the change.
#[test]
fn commits_on_the_own_master_are_a_part_of_the_change() {
    let scratch = Scratch::new();
    let fork = Fork::new(&scratch);
    fork.clone.git(&["checkout", "-q", "master"]);
    fork.clone.git(&["merge", "-q", "--ff-only", "upstream/master"]);
    fork.forget_a_bump("a");
    for push in [false, true] {
        if push {
            fork.clone.git(&["checkout", "-q", "master"]);
            fork.clone.git(&["push", "-q", "origin", "master"]);
            fork.clone.imglint(&[]).is(1, STALE).says(&["(merge base with upstream/master)"]);
        }
        fork.clone.git(&["checkout", "-q", "--no-track", "-B", "topic", "master"]);
        fork.clone.imglint(&[]).is(1, STALE).says(&["(merge base with upstream/master)"]);
        fork.forget_a_bump("b");
        let run = fork.clone.imglint(&["-v"]);
        run.is(1, STALE).says(&["candidate master: left out, it holds commits that were made here"]);
    }
}

/// Somebody fetches the project by its address, and knows no remote of it.
#[test]
fn a_local_master_may_be_newer_than_the_fork_s() {
    let scratch = Scratch::new();
    let fork = Fork::new(&scratch);
    fork.clone.git(&["remote", "remove", "upstream"]);
    fork.clone.git(&["checkout", "-q", "master"]);
    fork.clone.git(&["pull", "-q", "--ff-only", fork.project.root.to_str().expect("UTF-8"), "master"]);
    fork.begin(&["-b", "topic"]);
    fork.blames_kitten("master");
}

#[test]
fn a_topic_on_another_topic_is_compared_with_the_one_that_it_tracks() {
    let scratch = Scratch::new();
    let fork = Fork::new(&scratch);
    fork.begin(&["--no-track", "-b", "first", "upstream/master"]);
    let good = [("test/images/kitten/VERSION", "1.5\n")];
    fork.clone.git(&["checkout", "-q", "--track", "-b", "second", "first"]);
    fork.clone.change(&good);
    fork.clone.imglint(&[]).is(0, &[]).says(&["(merge base with first)"]);
    fork.clone.git(&["push", "-q", "origin", "first"]);
    fork.clone.git(&["branch", "-q", "-u", "origin/first"]);
    fork.clone.imglint(&[]).is(0, &[]).says(&["(merge base with origin/first)"]);
}

#[test]
fn unborn_head_means_that_everything_is_new() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[("test/images/image-util.sh", ""), ("test/images/a/VERSION", "not a tag!\n")]);
    repo.git(&["add", "-A"]);
    let new = &["malformed-version", "missing-dockerfile"];
    repo.imglint(&["--staged"]).is(1, new).says(&["HEAD has no commit yet"]);
    repo.imglint(&[]).is(1, new);
    repo.imglint(&["--head", "HEAD"]).fails(&["HEAD has no commit yet"]);
}

#[test]
fn unrelated_histories_have_no_base() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "--orphan", "other"]);
    repo.commit("other");
    repo.imglint(&[]).fails(&["no common ancestor", "merge base with master"]);
}
