//! Git's hooks, as git itself runs them.

use std::path::{Path, PathBuf};

use super::harness::{Repo, Run, Scratch};

const BAD: &[(&str, &str)] = &[("test/images/agnhost/main.go", "package main // changed\n")];
const BUMP: &[(&str, &str)] = &[
    ("test/images/agnhost/VERSION", "2.26\n"),
    ("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.26-linux-amd64\n"),
    ("test/images/kitten/VERSION", "1.5\n"),
];

/// A clone with hooks, on a branch; its path has a blank in it.
fn hooked(scratch: &Scratch) -> (Repo, Repo) {
    let origin = scratch.kubernetes("seed");
    let bare = scratch.clone(&origin, "origin", &["--bare"]);
    let clone = scratch.clone(&bare, "a clone", &[]);
    install(&clone);
    clone.git(&["checkout", "-q", "-b", "topic"]);
    (bare, clone)
}

#[track_caller]
fn install(repo: &Repo) -> Run {
    let run = repo.imglint(&["hook", "install"]);
    assert_eq!(run.code, 0, "{run}");
    run
}

#[track_caller]
fn refused(run: &Run, rule: &str) {
    let is_told = [&run.stdout, &run.stderr].iter().any(|text| text.contains(&format!("[{rule}]")));
    assert!(run.code == 1 && is_told, "expected {rule}\n{run}");
}

#[track_caller]
fn passed(run: &Run) {
    assert_eq!(run.code, 0, "{run}");
}

fn commit(repo: &Repo, arguments: &[&str]) -> Run {
    repo.git_with_hooks(&[&["commit", "-q", "-m", "m"], arguments].concat())
}

fn hooks(repo: &Repo) -> Vec<String> {
    let entries = std::fs::read_dir(repo.root.join(".git/hooks")).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    let mut names: Vec<_> = names.filter(|name| !name.ends_with(".sample")).collect();
    names.sort();
    names
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a file")
}

/// Writes a hook of somebody else's.
fn write_hook(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    std::fs::write(path, text).expect("a file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    }
}

#[test]
fn a_commit_is_judged_by_what_is_staged() {
    let scratch = Scratch::new();
    let (_, repo) = hooked(&scratch);
    // The bump lies on disk alone.
    repo.write(BAD);
    repo.git(&["add", "-A"]);
    repo.write(BUMP);
    refused(&commit(&repo, &[]), "stale-version");
    repo.imglint(&["hook", "run", "pre-commit"]).is(1, &["stale-version"]);
    assert_eq!(repo.git(&["rev-list", "--count", "HEAD"]), "1");
    repo.git(&["add", "-A"]);
    // The mistake lies on disk alone.
    repo.write(&[("test/images/kitten/VERSION", "not a tag!\n")]);
    passed(&commit(&repo, &[]));
    // And now it is committed with everything.
    refused(&commit(&repo, &["-a"]), "malformed-version");
    refused(&commit(&repo, &["test/images/kitten/VERSION"]), "malformed-version");
    passed(&commit(&repo, &["-a", "--no-verify"]));
}

#[test]
fn the_bump_may_lie_in_another_commit_of_the_branch() {
    let scratch = Scratch::new();
    let (_, repo) = hooked(&scratch);
    repo.write(BAD);
    repo.write(BUMP);
    passed(&commit_all(&repo));
    repo.write(&[("test/images/agnhost/main.go", "package main // changed again\n")]);
    passed(&commit_all(&repo));
    // An amended commit is judged with what it takes the place of.
    repo.write(&[("test/images/agnhost/VERSION", "2.25\n")]);
    refused(&repo.git_with_hooks(&["commit", "-q", "-a", "--amend", "--no-edit"]), "stale-version");
    repo.write(BUMP);
    passed(&repo.git_with_hooks(&["commit", "-q", "-a", "--amend", "--no-edit"]));
}

fn commit_all(repo: &Repo) -> Run {
    repo.git(&["add", "-A"]);
    commit(repo, &[])
}

#[test]
fn a_merge_does_not_answer_for_what_it_merges() {
    let scratch = Scratch::new();
    let (bare, repo) = hooked(&scratch);
    repo.write(&[("notes", "mine\n"), ("test/images/kitten/a", "a\n"), ("test/images/kitten/VERSION", "1.5\n")]);
    passed(&commit_all(&repo));
    // Others let something pass that would fail here, and a conflict stops the merge.
    let other = scratch.clone(&bare, "other", &[]);
    other.change(&[BAD[0], ("notes", "theirs\n")]);
    other.git(&["push", "-q"]);
    repo.git(&["fetch", "-q"]);
    let run = repo.git_with_hooks(&["merge", "-q", "origin/master"]);
    assert_eq!(run.code, 1, "a conflict\n{run}");
    repo.write(&[("notes", "both\n")]);
    passed(&commit_all(&repo));
    // What the merge itself breaks is found.
    repo.git(&["reset", "-q", "--hard", "HEAD^"]);
    repo.git_with_hooks(&["merge", "-q", "origin/master"]);
    repo.write(&[("notes", "both\n"), ("test/images/kitten/VERSION", "1.4\n")]);
    refused(&commit_all(&repo), "stale-version");
}

#[test]
fn a_rebase_is_judged_when_it_is_pushed() {
    let scratch = Scratch::new();
    let (bare, repo) = hooked(&scratch);
    repo.write(&[("test/images/kitten/a", "a\n"), ("test/images/kitten/VERSION", "1.5\n")]);
    passed(&commit_all(&repo));
    let other = scratch.clone(&bare, "other", &[]);
    other.change(&[("test/images/kitten/b", "b\n"), ("test/images/kitten/VERSION", "1.5\n")]);
    other.git(&["push", "-q"]);
    repo.git(&["fetch", "-q"]);
    passed(&repo.git_with_hooks(&["rebase", "-q", "origin/master"]));
    refused(&repo.git_with_hooks(&["push", "-q", "origin", "topic"]), "stale-version");
    repo.write(&[("test/images/kitten/VERSION", "1.6\n")]);
    passed(&commit_all(&repo));
    passed(&repo.git_with_hooks(&["push", "-q", "origin", "topic"]));
    // A rebase that stops for the user ends in commits of their own.
    let run = repo.git_with_hooks(&["-c", "sequence.editor=sed -i.bak 's/^pick/edit/'", "rebase", "-q", "-i", "HEAD^"]);
    passed(&run);
    repo.write(&[("test/images/kitten/VERSION", "1.5\n")]);
    refused(&repo.git_with_hooks(&["commit", "-q", "-a", "--amend", "--no-edit"]), "stale-version");
}

#[test]
fn a_push_is_judged_by_what_is_pushed() {
    let scratch = Scratch::new();
    let (bare, repo) = hooked(&scratch);
    repo.change(BUMP);
    repo.change(BAD);
    passed(&repo.git_with_hooks(&["push", "-q", "origin", "topic"]));
    // The bump lies in a commit that was pushed already.
    repo.change(&[("test/images/agnhost/main.go", "package main // again\n")]);
    passed(&repo.git_with_hooks(&["push", "-q", "origin", "topic"]));
    // Another branch than the current one, a commit without a branch, several at once: each is judged.
    repo.git(&["checkout", "-q", "-b", "bad", "origin/master"]);
    let bad = repo.change(BAD);
    repo.git(&["checkout", "-q", "topic"]);
    refused(&repo.git_with_hooks(&["push", "-q", "origin", "bad"]), "stale-version");
    refused(&repo.git_with_hooks(&["push", "-q", "origin", &format!("{bad}:refs/heads/new")]), "stale-version");
    let run = repo.git_with_hooks(&["push", "-q", "origin", "topic:topic2", "bad"]);
    refused(&run, "stale-version");
    assert!(run.stderr.contains("judging refs/heads/bad, to be pushed to refs/heads/bad"), "{run}");
    assert!(!bare.git(&["branch", "--list"]).contains("bad"), "nothing of it was pushed");
    // What is on disk is not what is pushed.
    repo.write(&[("test/images/kitten/VERSION", "not a tag!\n")]);
    passed(&repo.git_with_hooks(&["push", "-q", "origin", "topic:topic2"]));
    // Tags and deletions carry no change.
    repo.git(&["tag", "-a", "-m", "t", "v1", "bad"]);
    passed(&repo.git_with_hooks(&["push", "-q", "origin", "v1"]));
    passed(&repo.git_with_hooks(&["push", "-q", "origin", ":topic2"]));
    passed(&repo.git_with_hooks(&["push", "-q", "--no-verify", "origin", "bad"]));
}

#[test]
fn the_first_push_of_all_is_judged_as_a_whole() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    scratch.at("empty").git(&["init", "-q", "--bare", "-b", "master"]);
    repo.git(&["remote", "add", "origin", scratch.path().join("empty").to_str().expect("UTF-8")]);
    install(&repo);
    repo.change(&[("test/images/kitten/VERSION", "not a tag!\n")]);
    let run = repo.git_with_hooks(&["push", "-q", "origin", "master"]);
    refused(&run, "malformed-version");
    run.says(&["nothing was pushed before: judging everything"]);
    // From another branch than the one that is pushed, too.
    repo.git(&["checkout", "-q", "-b", "topic"]);
    refused(&repo.git_with_hooks(&["push", "-q", "origin", "master"]), "malformed-version");
    repo.git(&["checkout", "-q", "master"]);
    repo.change(&[("test/images/kitten/VERSION", "1.5\n")]);
    passed(&repo.git_with_hooks(&["push", "-q", "origin", "master"]));
}

#[test]
fn without_a_base_branch_what_was_pushed_last_is_the_base() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    scratch.at("empty").git(&["init", "-q", "--bare", "-b", "master"]);
    // Git keeps no branches of a remote that has no name.
    let url = scratch.path().join("empty");
    let url = url.to_str().expect("UTF-8");
    install(&repo);
    passed(&repo.git_with_hooks(&["push", "-q", url, "master"]));
    repo.change(BAD);
    let run = repo.git_with_hooks(&["push", "-q", url, "master"]);
    refused(&run, "stale-version");
    run.says(&["PRE_COMMIT_FROM_REF"]);
    repo.change(BUMP);
    passed(&repo.git_with_hooks(&["push", "-q", url, "master"]));
    // The branch was rewritten, and what it replaces was never fetched.
    let other = scratch.clone(&scratch.at("empty"), "other", &[]);
    other.change(&[("notes", "theirs\n")]);
    other.git(&["push", "-q"]);
    let run = repo.git_with_hooks(&["push", "-q", "--force", url, "master"]);
    assert_eq!(run.code, 1, "{run}");
    run.says(&["no such revision", "fetch it first"]);
}

#[test]
fn linked_worktrees_share_their_hooks() {
    let scratch = Scratch::new();
    let (_, repo) = hooked(&scratch);
    repo.git(&["worktree", "add", "-q", "-b", "linked", "../linked tree", "origin/master"]);
    let linked = scratch.at("linked tree");
    linked.write(BAD);
    refused(&commit_all(&linked), "stale-version");
    linked.write(BUMP);
    passed(&commit_all(&linked));
    passed(&linked.git_with_hooks(&["push", "-q", "origin", "linked"]));
    linked.change(&[("test/images/kitten/VERSION", "1.4\n")]);
    refused(&linked.git_with_hooks(&["push", "-q", "origin", "linked"]), "stale-version");
    // They can be removed, and written, from there.
    passed(&linked.imglint(&["hook", "uninstall"]));
    assert_eq!(hooks(&repo), [""; 0]);
    install(&linked);
    assert_eq!(hooks(&repo), ["pre-commit", "pre-push"]);
}

#[test]
fn a_working_tree_may_lie_apart_from_its_repository() {
    let scratch = Scratch::new();
    let (_, repo) = hooked(&scratch);
    std::fs::rename(repo.root.join(".git"), scratch.path().join("apart.git")).expect("a move");
    let options = ["--git-dir=../apart.git", "--work-tree=."];
    repo.write(BAD);
    let git = |arguments: &[&str]| repo.git_with_hooks(&[&options, arguments].concat());
    passed(&git(&["add", "-A"]));
    refused(&git(&["commit", "-q", "-m", "m"]), "stale-version");
    repo.write(BUMP);
    passed(&git(&["add", "-A"]));
    passed(&git(&["commit", "-q", "-m", "m"]));
    passed(&git(&["push", "-q", "origin", "topic"]));
}

#[test]
fn without_imglint_nothing_passes_and_the_way_out_is_told() {
    let scratch = Scratch::new();
    let (_, repo) = hooked(&scratch);
    repo.git(&["add", "-A"]);
    let run = Run::of(repo.git_command(&["commit", "-q", "-m", "m", "--allow-empty"]).output().expect("git"));
    assert_eq!(run.code, 1, "{run}");
    run.says(&["imglint: not found on PATH", "git commit --no-verify", ".git/hooks/pre-commit"]);
    let run = Run::of(repo.git_command(&["push", "-q", "origin", "topic"]).output().expect("git"));
    assert_eq!(run.code, 1, "{run}");
    run.says(&["imglint: not found on PATH", "git push --no-verify", ".git/hooks/pre-push"]);
}

#[test]
fn hooks_are_written_once_and_removed_exactly() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let directory = repo.root.join(".git/hooks");
    assert!(repo.imglint(&["hook", "uninstall"]).stdout.contains("imglint has no hook here"));
    let run = repo.imglint(&["hook", "install", "--pre-push"]);
    assert!(run.code == 0 && run.stdout.contains("wrote ") && run.stdout.contains("pre-push"), "{run}");
    assert_eq!(hooks(&repo), ["pre-push"]);
    let run = install(&repo);
    assert!(run.stdout.contains("pre-push is there already"), "{run}");
    let before = [read(&directory.join("pre-commit")), read(&directory.join("pre-push"))];
    install(&repo);
    assert_eq!(before, [read(&directory.join("pre-commit")), read(&directory.join("pre-push"))]);
    passed(&repo.imglint(&["hook", "uninstall", "--pre-commit"]));
    assert_eq!(hooks(&repo), ["pre-push"]);
    // One that was edited is its editor's, and then none is touched.
    install(&repo);
    std::fs::write(directory.join("pre-push"), before[1].clone() + "echo mine\n").expect("a file");
    for command in ["install", "uninstall"] {
        repo.imglint(&["hook", command]).fails(&["pre-push was edited since imglint wrote it", "remove it by hand"]);
        assert_eq!(hooks(&repo), ["pre-commit", "pre-push"]);
    }
    passed(&repo.imglint(&["hook", "uninstall", "--pre-commit"]));
    // Without a directory for them, too.
    std::fs::remove_dir_all(&directory).expect("removed");
    install(&repo);
    passed(&repo.imglint(&["hook", "uninstall"]));
    assert_eq!(hooks(&repo), [""; 0]);
    scratch.at("nowhere").imglint(&["hook", "install"]).fails(&["no git repository"]);
}

#[test]
fn hooks_of_others_are_left_alone_and_the_lines_for_them_work() {
    const THEIRS: &str = "#!/bin/sh\ncat > seen\necho theirs\n";
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("seed");
    let bare = scratch.clone(&origin, "origin", &["--bare"]);
    let repo = scratch.clone(&bare, "repo", &[]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let paths: Vec<PathBuf> = ["pre-commit", "pre-push"].map(|name| repo.root.join(".git/hooks").join(name)).into();
    write_hook(&paths[1], THEIRS);
    let run = repo.imglint(&["hook", "install"]);
    run.fails(&["there is a hook already", ".git/hooks/pre-push", "add this to it, below its first line"]);
    assert_eq!(hooks(&repo), ["pre-push"], "none is written where one cannot be");
    write_hook(&paths[0], THEIRS);
    let run = repo.imglint(&["hook", "install"]);
    run.fails(&[".git/hooks/pre-commit", "imglint --staged || exit", ".git/hooks/pre-push"]);
    for path in &paths {
        assert_eq!(read(path), THEIRS);
    }
    passed(&repo.imglint(&["hook", "uninstall"]));
    assert_eq!(hooks(&repo), ["pre-commit", "pre-push"]);

    // What it printed, as a person would copy it.
    let printed: Vec<&str> = run.stderr.lines().map(|line| line.trim_start_matches([' ', '│'])).collect();
    let lines = |first: &str, last: &str| {
        let begin = printed.iter().position(|line| line.starts_with(first)).expect("it is printed");
        let length = printed[begin..].iter().position(|line| *line == last).expect("it ends") + 1;
        printed[begin..begin + length].join("\n")
    };
    let own = [lines("imglint --staged", "imglint --staged || exit"), lines("pushed=", "END")];
    for (path, lines) in paths.iter().zip(own) {
        write_hook(path, &THEIRS.replace("#!/bin/sh\n", &format!("#!/bin/sh\n{lines}\n")));
    }
    let run = install(&repo);
    assert!(run.stdout.contains("pre-commit calls imglint already"), "{run}");
    repo.write(BAD);
    refused(&commit_all(&repo), "stale-version");
    let head = repo.commit("bad");
    refused(&repo.git_with_hooks(&["push", "-q", "origin", "topic"]), "stale-version");
    assert!(!repo.root.join("seen").exists(), "their part comes after imglint's");
    repo.write(BUMP);
    let run = commit_all(&repo);
    assert!(run.code == 0 && run.stderr.contains("theirs"), "{run}");
    passed(&repo.git_with_hooks(&["push", "-q", "origin", "topic", &format!("{head}:refs/tags/t")]));
    assert_eq!(read(&repo.root.join("seen")).lines().count(), 2, "their part reads what git wrote");
    let run = repo.imglint(&["hook", "uninstall"]);
    assert!(run.code == 0 && run.stdout.contains("remove that from it by hand"), "{run}");
}

#[test]
fn hooks_in_other_languages_and_of_pre_commit_are_told_apart() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let path = repo.root.join(".git/hooks/pre-commit");
    write_hook(&path, "#!/usr/bin/env python3\nprint()\n");
    repo.imglint(&["hook", "install"]).fails(&["run `imglint --staged` from it"]);
    write_hook(&path, "#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n");
    repo.imglint(&["hook", "install"]).fails(&[".pre-commit-config.yaml"]);
}

#[test]
fn hooks_lie_where_git_looks_for_them() {
    let scratch = Scratch::new();
    let (_, repo) = hooked(&scratch);
    passed(&repo.imglint(&["hook", "uninstall"]));
    repo.write(BAD);
    repo.git(&["add", "-A"]);
    // A directory of the working tree, named relative to its root, from below it.
    repo.git(&["config", "core.hooksPath", ".githooks"]);
    let run = repo.imglint_in(&repo.root.join("test"), &["hook", "install"], &[]);
    assert!(run.code == 0 && run.stdout.contains("lies in the working tree"), "{run}");
    assert!(repo.root.join(".githooks/pre-push").exists());
    refused(&commit(&repo, &[]), "stale-version");
    // What was written before the path changed is removed, too.
    repo.git(&["config", "--unset", "core.hooksPath"]);
    install(&repo);
    repo.git(&["config", "core.hooksPath", ".githooks"]);
    passed(&repo.imglint(&["hook", "uninstall"]));
    assert!(!repo.root.join(".githooks/pre-push").exists() && hooks(&repo).is_empty());

    // husky: git runs what lies in `_`, and that runs what lies beside it.
    repo.git(&["config", "core.hooksPath", ".husky/_"]);
    write_hook(
        &repo.root.join(".husky/_/h"),
        "#!/usr/bin/env sh\nsh -e \"$(dirname \"$0\")/../$(basename \"$0\")\" \"$@\"\n",
    );
    write_hook(&repo.root.join(".husky/_/pre-commit"), "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"\n");
    install(&repo);
    assert!(repo.root.join(".husky/pre-commit").exists() && !repo.root.join(".husky/_/pre-push").exists());
    refused(&commit(&repo, &[]), "stale-version");
    write_hook(&repo.root.join(".husky/pre-commit"), "npm test\n");
    repo.imglint(&["hook", "install"]).fails(&[".husky/pre-commit", "imglint --staged || exit"]);
    assert_eq!(read(&repo.root.join(".husky/pre-commit")), "npm test\n");

    // A directory for all repositories of this person.
    let global = scratch.path().join("hooks for all");
    std::fs::create_dir(&global).expect("a directory");
    repo.git(&["config", "core.hooksPath", global.to_str().expect("UTF-8")]);
    repo.imglint(&["hook", "install"]).fails(&[
        "may serve other repositories, too",
        "hooks for all",
        "git config --local",
    ]);
    assert_eq!(std::fs::read_dir(&global).expect("a directory").count(), 0);
    #[cfg(unix)]
    {
        repo.git(&["config", "core.hooksPath", "/dev/null"]);
        repo.imglint(&["hook", "install"]).fails(&["hooks are switched off", "git config --unset core.hooksPath"]);
    }
}

#[test]
fn what_is_not_from_git_is_no_push() {
    use std::io::Write as _;
    use std::process::Stdio;

    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let mut command = repo.imglint_command(&["hook", "run", "pre-push", "origin", "a url"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(b"refs/heads/master 1\n").expect("written");
    Run::of(child.wait_with_output().expect("it ends")).fails(&["lines of four words", "refs/heads/master 1"]);
}

#[test]
fn under_pre_commit_the_index_or_what_is_pushed_is_judged() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let base = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    // A file that git does not know is no part of the commit.
    repo.write(BAD);
    repo.imglint(&[]).is(1, &["stale-version"]);
    repo.imglint_with(&[], &[("PRE_COMMIT", "1")]).is(0, &[]);
    repo.git(&["add", "-A"]);
    repo.imglint_with(&[], &[("PRE_COMMIT", "1")]).is(1, &["stale-version"]);
    let pushed = |commit: &str| {
        let refs = [("PRE_COMMIT_FROM_REF", base.as_str()), ("PRE_COMMIT_TO_REF", commit)];
        repo.imglint_with(&[], &[&[("PRE_COMMIT", "1")], &refs[..]].concat())
    };
    pushed(&base).is(0, &[]);
    let bad = repo.commit("bad");
    repo.change(BUMP);
    pushed(&bad).is(1, &["stale-version"]);
    pushed("HEAD").is(0, &[]);
}

/// In place of pre-commit, commit-msg knows what the message waives. Comments and what stands below scissors are no message.
#[test]
fn the_hook_of_messages_lets_pass_what_they_waive() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    passed(&repo.imglint(&["hook", "install", "--commit-msg"]));
    assert_eq!(hooks(&repo), ["commit-msg"]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(BAD);
    repo.git(&["add", "-A"]);
    let commit = |message: &str| repo.git_with_hooks(&["commit", "-q", "--cleanup=scissors", "-m", message]);
    let waiver = "Imglint-Waive: stale-version(agnhost) the same binary";
    refused(&commit("change"), "stale-version");
    refused(&commit(&format!("change\n\n# {waiver}\n")), "stale-version");
    refused(
        &commit(&format!("change\n\n# ------------------------ >8 ------------------------\n\n{waiver}\n")),
        "stale-version",
    );
    passed(&commit(&format!("change\n\n{waiver}\n")));
    repo.imglint(&["--base", "master"]).is(0, &[]);
    passed(&repo.imglint(&["hook", "uninstall"]));
    assert!(hooks(&repo).is_empty());
    repo.imglint(&["--staged", "--message", "gone"]).fails(&["the message gone", "--message FILE"]);
}
