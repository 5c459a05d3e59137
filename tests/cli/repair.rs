//! Repairs that arrive by themselves: what a job without rights leaves, and the scripts that hand it over with rights. `gh` and `curl`
//! give what a test says; git is the real one.

use std::path::PathBuf;
use std::process::Command;

use saphyr::{LoadableYamlNode as _, Yaml};

use super::documentation::project;
use super::harness::{Repo, Run, Scratch};

const PATCH: &str = "\
--- a/images/web/VERSION
+++ b/images/web/VERSION
@@ -1 +1 @@
-1.0
+1.1
";

/// Says what a test wrote beside it, and keeps what it was asked for and what was commented.
const GH: &str = r#"#!/bin/sh
printf '%s\n' "$*" >>"$GH/log"
for word in "$@"; do
  case $word in body=@*) cat "${word#body=@}" >"$GH/body" ;; esac
done
case "$*" in
  "run download"*)
    while [ "$1" != --dir ]; do shift; done
    cp -R "$GH/artifact/." "$2"
    ;;
  *"--method P"*) ;;
  *graphql*) cat "$GH/statuses" ;;
  *"/comments"*) cat "$GH/comments" ;;
  *"/artifacts"*) cat "$GH/artifacts" ;;
  *"/pulls"*) cat "$GH/pulls" ;;
  *) exit 9 ;;
esac
"#;

const CURL: &str = r#"#!/bin/sh
printf 'curl %s\n' "$*" >>"$GH/log"
while [ "$1" != --output ]; do shift; done
if [ -e "$GH/artifact/imglint.patch" ]; then
  cp "$GH/artifact/imglint.patch" "$2"
  printf 200
else
  printf 404
  exit 22
fi
"#;

/// A pull request from `topic` of `o/r`, and all that is known of it.
struct Place {
    scratch: Scratch,
    server: Repo,
    head: String,
}

impl Place {
    fn new() -> Self {
        let scratch = Scratch::new();
        let server = scratch.init("server/o/r");
        server.write(&[
            ("images/web/VERSION", "1.0\n"),
            ("images/web/Dockerfile", "FROM scratch\n"),
            ("images/ours", "```\n@everyone <b>\n"),
            (".github/workflows/ci.yml", "1.0\n"),
            ("secret", "1.0\n"),
        ]);
        std::os::unix::fs::symlink("../secret", server.root.join("images/link")).expect("a link");
        server.commit("base");
        let gitlink = format!("160000,{},images/module", server.git(&["rev-parse", "HEAD"]));
        server.git(&["update-index", "--add", "--cacheinfo", &gitlink]);
        server.git(&["commit", "-q", "-m", "module"]);
        server.git(&["checkout", "-q", "-b", "topic"]);
        server.write(&[("images/web/Dockerfile", "FROM scratch\nCOPY web /\n")]);
        server.git(&["commit", "-q", "-a", "-m", "change"]);
        let head = server.git(&["rev-parse", "HEAD"]);
        server.git(&["checkout", "-q", "master"]);
        let place = Self { scratch, server, head };
        place.write("bin/gh", GH);
        place.write("bin/curl", CURL);
        for program in ["gh", "curl"] {
            let is_done = Command::new("chmod").arg("+x").arg(place.at("bin").join(program)).status();
            assert!(is_done.expect("chmod is there").success());
        }
        place.write("gh/pulls", &format!("7\t{}\to/r\ttopic\n", place.head));
        place.write("gh/artifacts", "1\t300\tfalse\n");
        place.write("gh/comments", "");
        place.leave(PATCH);
        place.write("gh/artifact/imglint.txt", "images/web/VERSION:1:1: error: ``` @everyone <b> [stale-version]\n");
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }

    /// What the run without rights left.
    fn leave(&self, patch: &str) {
        self.write("gh/artifact/imglint.patch", patch);
    }

    fn command(&self, script: &str) -> Command {
        let path = format!("{}:{}", self.at("bin").display(), std::env::var("PATH").expect("a path"));
        // A job runs the file itself.
        let mut command = Command::new(project().join(script));
        command.current_dir(self.scratch.path()).env_clear();
        command.env("PATH", path).env("HOME", self.at("home")).env("GH", self.at("gh")).env("GH_TOKEN", "token");
        command
    }

    fn server_url(&self) -> String {
        format!("file://{}", self.at("server").display())
    }

    /// Hands over on GitHub.
    fn hand_over(&self, environment: &[(&str, &str)]) -> Run {
        for name in ["gh/log", "gh/body"] {
            let _ = std::fs::remove_file(self.at(name));
        }
        let mut command = self.command(".github/action/repair/repair.sh");
        command.envs([
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_SERVER_URL", &*self.server_url()),
            ("RUN_EVENT", "pull_request"),
            ("RUN_CONCLUSION", "failure"),
            ("RUN_ID", "99"),
            ("HEAD_SHA", &*self.head),
            ("HEAD_REPOSITORY", "o/r"),
            ("HEAD_BRANCH", "topic"),
            ("DEFAULT_BRANCH", "master"),
            ("INPUT_MODE", "comment"),
            ("INPUT_PATHS", "docs/*\r\nimages/*\n"),
            ("INPUT_ARTIFACT", "imglint-patch"),
            ("INPUT_LOGIN", "github-actions[bot]"),
            ("INPUT_EMAIL", "bot@example.com"),
        ]);
        command.env("RUNNER_TEMP", self.at("temporary")).envs(environment.iter().copied());
        Run::of(command.output().expect("bash is installed"))
    }

    /// Hands over in Prow.
    fn hand_over_in_prow(&self, environment: &[(&str, &str)]) -> Run {
        for name in ["gh/log", "gh/body"] {
            let _ = std::fs::remove_file(self.at(name));
        }
        let mut command = self.command("docs/prow/comment.sh");
        command.envs([
            ("REPOSITORY", "o/r"),
            ("SERVER", &*self.server_url()),
            ("JOB", "pull-imglint"),
            ("VIEW", "https://prow.example/view/gs/"),
            ("STORE", "https://store.example/"),
            ("LOGIN", "robot"),
            ("REPORTER", "ci-robot"),
            ("PATHS", "images/*"),
        ]);
        command.envs(environment.iter().copied());
        Run::of(command.output().expect("bash is installed"))
    }

    /// What GitHub knows of the job of Prow.
    fn report(&self, state: &str, reporter: &str, address: &str) {
        let head = &self.head;
        self.write("gh/statuses", &format!("7\t{head}\t{head}\t{state}\t{reporter}\t{address}\n"));
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap_or_default()
    }

    /// The last comment, and by which request it was written.
    fn commented(&self) -> Option<(String, String)> {
        let log = self.read("gh/log");
        let request = log.lines().find(|line| line.contains("--method P"))?;
        let target = request.split_whitespace().skip(3).take(2).collect::<Vec<_>>().join(" ");
        Some((target, self.read("gh/body")))
    }

    #[track_caller]
    fn assert_untouched(&self, run: &Run) {
        assert!(self.commented().is_none(), "a comment was written\n{run}");
        assert_eq!(self.server.git(&["rev-parse", "topic"]), self.head, "something was pushed\n{run}");
        assert!(!self.at("pwned").exists() && self.server.git(&["status", "--porcelain", "-uno"]).is_empty(), "{run}");
    }
}

const RUN: &str = "https://prow.example/view/gs/bucket/pr-logs/pull/7/pull-imglint/123";

#[test]
fn a_comment_shows_the_patch_and_how_to_apply_it() {
    let place = Place::new();
    let run = place.hand_over(&[]);
    let (target, body) = place.commented().expect("a comment");
    assert!(run.code == 0 && target == "POST repos/o/r/issues/7/comments", "{target}\n{run}");
    assert!(body.starts_with(&format!("<!-- imglint repair of {} by ", place.head)), "{body}");
    assert!(body.contains(&format!("```diff\n{PATCH}```\n")), "{body}");
    assert!(
        body.contains("gh run download 99 -R o/r -n imglint-patch -D /tmp/imglint-99\ngit apply /tmp/imglint-99/"),
        "{body}"
    );
    // What imglint says of it comes out of the same artifact.
    assert!(
        body.ends_with("````text\nimages/web/VERSION:1:1: error: ``` @everyone <b> [stale-version]\n````\n"),
        "{body}"
    );
    assert_eq!(place.server.git(&["rev-parse", "topic"]), place.head, "nothing was pushed");
}

#[test]
fn there_is_one_comment_and_it_is_our_own() {
    let place = Place::new();
    let mark = "<!-- imglint repair of";
    place.write(
        "gh/comments",
        &format!("11\tsomebody\t{mark} {} -->\n12\tgithub-actions[bot]\t{mark} 0 -->\\r\n", place.head),
    );
    place.hand_over(&[]);
    assert_eq!(place.commented().expect("a comment").0, "PATCH repos/o/r/issues/comments/12");
    // It is not written anew while it shows this patch; the base branch may go on, and then there is another one for the same commit.
    let marker = place.commented().expect("a comment").1.lines().next().expect("a line").to_owned();
    place.write("gh/comments", &format!("12\tgithub-actions[bot]\t{marker}\n"));
    place.assert_untouched(&place.hand_over(&[]));
    place.leave(&PATCH.replace("1.1", "1.2"));
    place.hand_over(&[]);
    assert!(place.commented().expect("a comment").1.contains("\n+1.2\n"));
    // Once there is nothing left to repair, it says so; where there is none, none is written.
    place.leave("");
    place.hand_over(&[]);
    let (target, body) = place.commented().expect("a comment");
    assert!(
        target == "PATCH repos/o/r/issues/comments/12" && body.contains("nothing that imglint could repair"),
        "{body}"
    );
    place.write("gh/comments", "");
    place.assert_untouched(&place.hand_over(&[]));
    place.write("gh/artifacts", "");
    place.assert_untouched(&place.hand_over(&[]));
}

#[test]
fn no_line_of_a_patch_ends_its_block() {
    let place = Place::new();
    place.leave("--- a/images/ours\n+++ b/images/ours\n@@ -1,2 +1,2 @@\n ```\n-@everyone <b>\n+````` @everyone\n");
    let run = place.hand_over(&[]);
    let (_, body) = place.commented().expect("a comment");
    assert!(body.contains("``````diff\n") && body.contains("\n``````\n"), "{body}\n{run}");
    // A comment of GitHub has an end; a longer patch is only named.
    let long = "+".to_owned() + &"`".repeat(70_000);
    place.leave(&format!("--- a/images/ours\n+++ b/images/ours\n@@ -1,2 +1,2 @@\n ```\n-@everyone <b>\n{long}\n"));
    place.hand_over(&[]);
    let (_, body) = place.commented().expect("a comment");
    assert!(body.len() < 2000 && body.contains("too long to be shown"), "{body}");
}

#[test]
fn a_push_is_one_commit_upon_the_head() {
    let place = Place::new();
    let run = place.hand_over(&[("INPUT_MODE", "push")]);
    assert!(run.code == 0 && place.commented().is_none(), "{run}");
    let shown = place.server.git(&["log", "-1", "--format=%P|%an|%ae|%cn|%s", "topic"]);
    let bot = "github-actions[bot]";
    assert_eq!(shown, format!("{}|{bot}|bot@example.com|{bot}|Repair images as imglint says", place.head));
    assert_eq!(place.server.git(&["diff", "--name-only", "topic^", "topic"]), "images/web/VERSION");
    assert_eq!(place.server.git(&["show", "topic:images/web/VERSION"]), "1.1");
    // What a repair left over is for a person: there is no second one upon the first.
    let place = Place { head: place.server.git(&["rev-parse", "topic"]), ..place };
    place.write("gh/pulls", &format!("7\t{}\to/r\ttopic\n", place.head));
    place.leave("--- a/images/web/VERSION\n+++ b/images/web/VERSION\n@@ -1 +1 @@\n-1.1\n+1.2\n");
    place.hand_over(&[("INPUT_MODE", "push")]);
    assert!(place.commented().is_some());
    assert_eq!(place.server.git(&["rev-parse", "topic"]), place.head);
}

#[test]
fn what_is_not_ours_to_push_to_gets_a_comment() {
    let place = Place::new();
    let push = ("INPUT_MODE", "push");
    // A fork, the default branch, and a patch that needs the merge with the base.
    place.write("gh/pulls", &format!("7\t{}\tfork/r\ttopic\n", place.head));
    place.hand_over(&[push, ("HEAD_REPOSITORY", "fork/r")]);
    assert!(place.commented().is_some());
    place.write("gh/pulls", &format!("7\t{}\to/r\ttopic\n", place.head));
    place.hand_over(&[push, ("DEFAULT_BRANCH", "topic")]);
    assert!(place.commented().is_some());
    place.leave(&PATCH.replace("-1.0", "-0.9"));
    place.hand_over(&[push]);
    assert!(place.commented().expect("a comment").1.contains("does not apply to it alone"));
    assert_eq!(place.server.git(&["rev-parse", "topic"]), place.head);
}

#[test]
fn whoever_pushed_meanwhile_comes_first() {
    let place = Place::new();
    place.server.git(&["checkout", "-q", "topic"]);
    let newer = place.server.change(&[("images/web/other", "1\n")]);
    place.server.git(&["checkout", "-q", "master"]);
    let run = place.hand_over(&[("INPUT_MODE", "push")]);
    assert!(run.code == 2 && run.stderr.contains("could not be pushed to topic"), "{run}");
    assert_eq!(place.server.git(&["rev-parse", "topic"]), newer);
}

#[test]
fn what_is_handed_over_follows_from_the_event() {
    let place = Place::new();
    let other = "0".repeat(40);
    for (pulls, says) in [
        (String::new(), "no pull request is open"),
        (format!("7\t{other}\to/r\ttopic\n"), "has gone on to 000000000000"),
        (format!("7\t{0}\to/r\ttopic\n8\t{0}\to/r\ttopic\n", place.head), "several pull requests"),
        // Another one with a branch of that name.
        (format!("7\t{}\tfork/r\ttopic\n", place.head), "no pull request is open"),
        (format!("7\t{}\t-\ttopic\n", place.head), "no pull request is open"),
    ] {
        place.write("gh/pulls", &pulls);
        let run = place.hand_over(&[]);
        assert!(run.code == 0 && run.stdout.contains(says), "{run}");
        place.assert_untouched(&run);
    }
    place.write("gh/pulls", &format!("7\t{}\to/r\ttopic\n", place.head));
    for (variable, code) in [
        (("RUN_EVENT", "push"), 2),
        (("RUN_CONCLUSION", "cancelled"), 0),
        (("HEAD_SHA", "topic"), 2),
        (("RUN_ID", "9/9"), 2),
        (("HEAD_REPOSITORY", ""), 2),
        (("INPUT_MODE", "both"), 2),
        (("INPUT_PATHS", " \n"), 2),
    ] {
        let run = place.hand_over(&[variable]);
        assert_eq!(run.code, code, "{variable:?}\n{run}");
        place.assert_untouched(&run);
    }
}

/// Patches that nobody's imglint wrote: nothing comes of them, in whichever way they are handed over.
#[test]
fn hostile_patches_are_refused() {
    let touching = |path: &str| PATCH.replace("images/web/VERSION", path);
    let patches = [
        touching(".github/workflows/ci.yml"),
        touching("images/.github/workflows/ci.yml"),
        touching("images/.gitattributes"),
        touching("images/../secret"),
        touching("images//web/VERSION"),
        touching("/etc/passwd"),
        touching("secret"),
        touching("images/none"),
        touching("images/link"),
        touching("images/module"),
        touching("images"),
        touching("images/web VERSION"),
        touching("images/$(touch pwned)"),
        touching("images/web/VERSION\t2026-01-01"),
        PATCH.replace("--- a/images/web/VERSION", "--- \"a/images/web/VERSION\""),
        PATCH.replace("--- a/images/web/VERSION", "--- /dev/null"),
        PATCH.replace("+++ b/images/web/VERSION", "+++ /dev/null"),
        PATCH.replace("+++ b/images/web/VERSION", "+++ b/images/web/Dockerfile"),
        format!("diff --git a/images/web/VERSION b/images/web/VERSION\nold mode 100644\nnew mode 120000\n{PATCH}"),
        "diff --git a/images/a b/images/a\nnew file mode 100644\n--- /dev/null\n+++ b/images/a\n@@ -0,0 +1 @@\n+1\n"
            .to_owned(),
        "diff --git a/images/a b/images/a\nindex 1..2\nGIT binary patch\nliteral 1\nIcmZQz\n".to_owned(),
        "--- a/images/a\n+++ b/images/a\n@@ -0,0 +1 @@\n+1\n".to_owned(),
        format!("From: somebody\nSubject: @everyone\n\n{PATCH}"),
        format!("{PATCH}@everyone\n"),
        format!("{PATCH}{PATCH}"),
        format!("{PATCH}@@ -2,9 +2,9 @@\n"),
        format!("{PATCH}--- a/secret\n"),
        PATCH.replace("@@ -1 +1 @@", "@@ -1 +1,2 @@"),
        PATCH.replace("@@ -1 +1 @@", "@@ -0,0 +0,0 @@"),
        PATCH.replace("@@ -1 +1 @@", "@@ -1 +1 @@ @everyone"),
        PATCH.trim_end().to_owned(),
        PATCH.replace("1.1", "1\0"),
        PATCH.replace("1.1", "\u{1b}[31m1.1"),
        PATCH.replace("1.1", "1.1\rx"),
        PATCH.replace("1.1", "\u{202e}1.1"),
        PATCH.replace("1.1", &"x".repeat(300_000)),
        touching(&"images/a".repeat(10_000)),
        (0..1001).map(|number| touching(&format!("images/{number}"))).collect(),
    ];
    let place = Place::new();
    place.report("FAILURE", "ci-robot", RUN);
    for patch in patches {
        place.leave(&patch);
        for mode in ["comment", "push"] {
            let run = place.hand_over(&[("INPUT_MODE", mode)]);
            assert!(run.code == 2 && run.stderr.contains("the patch is refused"), "{patch}\n{run}");
            place.assert_untouched(&run);
        }
        let run = place.hand_over_in_prow(&[]);
        assert!(run.code == 2 && run.stderr.contains("the patch is refused"), "{patch}\n{run}");
        place.assert_untouched(&run);
    }
}

#[test]
fn hostile_artifacts_are_refused() {
    let place = Place::new();
    place.write("gh/artifacts", "1\t9999999\tfalse\n");
    place.assert_untouched(place.hand_over(&[]).fails_with("is larger than"));
    place.write("gh/artifacts", "1\t300\ttrue\n");
    place.assert_untouched(place.hand_over(&[]).fails_with("has expired"));
    place.write("gh/artifacts", "1\t300\tfalse\n");
    let patch = place.at("gh/artifact/imglint.patch");
    std::fs::remove_file(&patch).expect("a file");
    place.assert_untouched(place.hand_over(&[]).fails_with("it is no plain file"));
    std::os::unix::fs::symlink("/dev/zero", &patch).expect("a link");
    place.assert_untouched(place.hand_over(&[]).fails_with("it is no plain file"));
    // What goes beside a good patch is left out where it is no text.
    std::fs::remove_file(&patch).expect("a link");
    place.leave(PATCH);
    let findings = place.at("gh/artifact/imglint.txt");
    std::fs::remove_file(&findings).expect("a file");
    std::os::unix::fs::symlink(place.at("gh/pulls"), &findings).expect("a link");
    place.hand_over(&[]);
    assert!(!place.commented().expect("a comment").1.contains("text\n"));
}

#[test]
fn what_an_event_says_is_never_code() {
    let place = Place::new();
    let evil = "$(touch pwned)`touch pwned`; touch pwned";
    for name in ["HEAD_BRANCH", "HEAD_REPOSITORY", "HEAD_SHA", "RUN_ID", "RUN_EVENT", "INPUT_PATHS", "INPUT_LOGIN"] {
        let run = place.hand_over(&[(name, evil), ("INPUT_MODE", "push")]);
        assert!(!place.at("pwned").exists(), "{name}\n{run}");
    }
}

#[test]
fn in_prow_a_periodic_job_comments() {
    let place = Place::new();
    place.report("FAILURE", "ci-robot", RUN);
    let run = place.hand_over_in_prow(&[]);
    let (target, body) = place.commented().expect("a comment");
    assert!(run.code == 0 && target == "POST repos/o/r/issues/7/comments", "{target}\n{run}");
    let address = "https://store.example/bucket/pr-logs/pull/7/pull-imglint/123/artifacts/imglint.patch";
    assert!(body.contains(&format!("curl -fsSL {address} | git apply\n")) && body.contains(PATCH), "{body}");
    // A job that a comment on another pull request started has nothing to do with this one.
    place.assert_untouched(&place.hand_over_in_prow(&[("PULL_NUMBER", "8")]));
    // The next run of the periodic job has nothing to do.
    let marker = body.lines().next().expect("a line");
    place.write("gh/comments", &format!("5\trobot\t{marker}\n"));
    place.assert_untouched(&place.hand_over_in_prow(&[]));
    // Until there is a newer run of the presubmit.
    place.report("FAILURE", "ci-robot", &RUN.replace("123", "124"));
    place.hand_over_in_prow(&[]);
    assert!(place.commented().is_some());
    // The presubmit passes now, or repairs nothing.
    place.write("gh/comments", "5\trobot\t<!-- imglint repair of 0 -->\n");
    place.report("SUCCESS", "ci-robot", RUN);
    place.hand_over_in_prow(&[]);
    assert_eq!(place.commented().expect("a comment").0, "PATCH repos/o/r/issues/comments/5");
    place.report("FAILURE", "ci-robot", RUN);
    std::fs::remove_file(place.at("gh/artifact/imglint.patch")).expect("a file");
    place.hand_over_in_prow(&[]);
    assert!(place.commented().expect("a comment").1.contains("nothing that imglint could repair"));
}

#[test]
fn in_prow_only_runs_of_the_job_for_that_pull_request_count() {
    let place = Place::new();
    for (reporter, address, code) in [
        ("somebody", RUN, 0),
        ("ci-robot", "https://elsewhere.example/view/gs/bucket/pr-logs/pull/7/pull-imglint/123", 2),
        ("ci-robot", "https://prow.example/view/gs/bucket/pr-logs/pull/8/pull-imglint/123", 2),
        ("ci-robot", "https://prow.example/view/gs/bucket/pr-logs/pull/7/pull-other/123", 2),
        ("ci-robot", "https://prow.example/view/gs/../7/pull-imglint/123", 2),
        ("ci-robot", "https://prow.example/view/gs/a?b=/7/pull-imglint/123", 2),
        ("ci-robot", "-", 2),
    ] {
        place.report("FAILURE", reporter, address);
        let run = place.hand_over_in_prow(&[]);
        assert_eq!(run.code, code, "{address}\n{run}");
        place.assert_untouched(&run);
        assert!(!place.read("gh/log").contains("curl"), "{address}");
    }
    place.report("PENDING", "ci-robot", RUN);
    place.assert_untouched(&place.hand_over_in_prow(&[]));
    let run = place.hand_over_in_prow(&[("STORE", "")]);
    assert!(run.code == 2 && run.stderr.contains("STORE is not set"), "{run}");
}

/// What imglint leaves is what the repair takes: bytes as they are, with line ends of every kind and without a last one.
#[test]
fn what_imglint_writes_is_handed_over_whole() {
    let place = Place::new();
    let server = &place.server;
    server.write(super::harness::KUBERNETES);
    let lines = "linux/amd64=REGISTRY/agnhost:2.25-linux-amd64\r\n# far away\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
    server.write(&[
        ("test/images/agnhost/VERSION", "2.25"),
        ("test/images/kitten/BASEIMAGE", &format!("{lines}linux/arm64=REGISTRY/agnhost:2.25-linux-arm64")),
    ]);
    server.commit("images");
    server.git(&["checkout", "-q", "-B", "topic"]);
    let head = server.change(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    let run = server.imglint(&["--base", "master", "--output", &format!("patch={}", place.at("patch").display())]);
    server.git(&["checkout", "-q", "master"]);
    let patch = place.read("patch");
    assert!(run.code == 1 && patch.contains("\r\n") && patch.matches("@@ -").count() > 3, "{patch}\n{run}");
    place.leave(&patch);
    place.write("gh/pulls", &format!("7\t{head}\to/r\ttopic\n"));
    let push = [("INPUT_MODE", "push"), ("HEAD_SHA", &*head), ("INPUT_PATHS", "test/images/*")];
    let run = place.hand_over(&push);
    assert!(run.code == 0 && place.commented().is_none(), "{run}");
    server.git(&["checkout", "-q", "topic"]);
    let run = server.imglint(&["--base", "master"]);
    assert!(run.code == 0 && run.stdout.starts_with("no findings"), "{run}");
    assert_eq!(std::fs::read(server.root.join("test/images/agnhost/VERSION")).expect("a file"), b"2.26");
}

/// The workflows of the documentation fit each other and the actions that they use.
#[test]
fn the_documented_workflows_fit() {
    let read = |name: &str| std::fs::read_to_string(project().join(name)).expect("a file");
    let (judge, repair) = (read("docs/github/imglint.yml"), read("docs/github/imglint-repair.yml"));
    assert!(judge.contains("\nname: imglint\n") && repair.contains("\n    workflows: [imglint]\n"));
    for (workflow, action) in [(&judge, read("action.yml")), (&repair, read(".github/action/repair/action.yml"))] {
        let [document] = Yaml::load_from_str(workflow).expect("YAML").try_into().expect("one document");
        let jobs = document.as_mapping_get("jobs").and_then(Yaml::as_mapping).expect("jobs");
        let job = jobs.values().next().expect("a job");
        let steps = job.as_mapping_get("steps").and_then(Yaml::as_sequence).expect("steps");
        let inputs = steps.last().and_then(|step| step.as_mapping_get("with")?.as_mapping()).expect("inputs");
        assert!(!inputs.is_empty());
        for input in inputs.keys().map(|input| input.as_str().expect("a name")) {
            assert!(action.contains(&format!("\n  {input}:\n")), "{input}");
        }
    }
    // Both sides mean the same artifact.
    assert!(read("action.yml").contains("name: imglint-patch\n"));
    assert!(read(".github/action/repair/action.yml").contains("default: imglint-patch\n"));
}

impl Run {
    #[track_caller]
    fn fails_with(&self, words: &str) -> &Self {
        assert!(self.code == 2 && self.stderr.contains(words), "{self}");
        self
    }
}
