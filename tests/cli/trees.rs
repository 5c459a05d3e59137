//! Trees as git shows them: the index, the working tree, odd clones, odd files.

use super::harness::{KUBERNETES, Repo, Run, Scratch};

const STALE: &[&str] = &["stale-version"];

#[test]
fn the_index_and_the_working_tree_are_told_apart() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    repo.imglint(&["--staged"]).is(0, &[]);
    repo.imglint(&["--worktree"]).is(1, STALE);
    repo.git(&["add", "-A"]);
    repo.imglint(&["--staged"]).is(1, STALE);
    // The fix lies in the working tree alone.
    repo.write(&[("test/images/agnhost/VERSION", "2.26\n"), ("test/images/kitten/VERSION", "1.5\n")]);
    repo.write(&[("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.26-linux-amd64\n")]);
    repo.imglint(&["--staged"]).is(1, STALE);
    repo.imglint(&["--worktree"]).is(0, &[]);
    repo.imglint(&["--head", "HEAD"]).is(0, &[]);
}

#[test]
fn untracked_files_count_and_ignored_ones_do_not() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[(".gitignore", "agnhost-binary\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/agnhost/agnhost-binary", "ELF\n")]);
    repo.imglint(&[]).is(0, &[]);
    repo.write(&[("test/images/agnhost/sub/new.sh", "true\n")]);
    repo.imglint(&[]).is(1, STALE);
}

#[test]
fn a_touched_file_is_no_change() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    repo.write(&[("test/images/agnhost/main.go", "package main\n")]);
    repo.imglint(&[]).is(0, &[]);
}

#[test]
fn a_file_written_in_the_same_moment_as_the_index_is_looked_into() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.git(&["config", "core.trustctime", "false"]);
    let moment = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::new(1_700_000_000, 5);
    let stamp = |path: &str| {
        let file = std::fs::File::options().append(true).open(repo.root.join(path)).expect("a file");
        file.set_modified(moment).expect("a time can be set");
    };
    stamp("test/images/agnhost/main.go");
    repo.git(&["update-index", "--refresh"]);
    stamp(".git/index");
    repo.imglint(&[]).is(0, &[]);
    // As long as before, and as old.
    repo.write(&[("test/images/agnhost/main.go", "package nain\n")]);
    stamp("test/images/agnhost/main.go");
    repo.imglint(&[]).is(1, STALE);
}

#[test]
fn a_merge_that_cannot_be_read_is_no_pass() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    std::fs::write(repo.root.join(".git/MERGE_HEAD"), "nothing\n").expect("a file");
    repo.imglint(&["--staged"]).fails(&["reading MERGE_HEAD"]);
}

#[test]
fn indexes_of_all_kinds_are_read() {
    for kind in [["update-index", "--split-index"].as_slice(), &["update-index", "--index-version", "4"]] {
        let scratch = Scratch::new();
        let repo = scratch.kubernetes("repo");
        repo.git(&["checkout", "-q", "-b", "topic"]);
        repo.git(kind);
        repo.write(&[("test/images/agnhost/main.go", "package main // changed\n")]);
        repo.imglint(&["--staged"]).is(0, &[]);
        repo.git(&["add", "-A"]);
        repo.imglint(&["--staged"]).is(1, STALE);
        repo.imglint(&["--worktree"]).is(1, STALE);
    }
}

#[test]
fn an_index_that_cannot_be_read_is_no_pass() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let index = repo.root.join(".git/index");
    let whole = std::fs::read(&index).expect("an index");
    for broken in [&whole[..100], &whole[..8], b"", b"DIRC\0\0\0\x09\0\0\0\0"] {
        std::fs::write(&index, broken).expect("the index can be written");
        for target in ["--staged", "--worktree"] {
            repo.imglint(&[target]).fails(&["failed to read the index", "git reset"]);
        }
    }
}

#[test]
fn modes_links_renames_and_deletions_are_changes() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let judged = |prepare: &[&str]| -> Run {
        repo.git(&["checkout", "-q", "-f", "-B", "topic", "master"]);
        repo.git(&["clean", "-q", "-f", "-d"]);
        repo.git(prepare);
        repo.imglint(&["--staged"])
    };
    judged(&["update-index", "--chmod=+x", "test/images/agnhost/main.go"]).is(1, STALE);
    judged(&["rm", "-q", "test/images/agnhost/main.go"]).is(1, STALE);
    judged(&["mv", "test/images/agnhost/README.md", "test/images/agnhost/README"]).is(1, STALE);
    // A move from one image to the other changes both.
    let run = judged(&["mv", "test/images/agnhost/main.go", "test/images/kitten/main.go"]);
    run.is(1, &["stale-version", "stale-version"]);
    // A deletion by hand is one of the working tree.
    judged(&["rm", "-q", "--cached", "test/images/agnhost/main.go"]).is(1, STALE);
    repo.imglint(&["--worktree"]).is(0, &[]);
    std::fs::remove_file(repo.root.join("test/images/agnhost/main.go")).expect("a file");
    repo.imglint(&["--worktree"]).is(1, STALE);
}

#[cfg(unix)]
#[test]
fn links_are_never_followed_out_of_the_repository() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    std::fs::write(scratch.path().join("outside"), "1.5\n").expect("a file");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    std::fs::remove_file(repo.root.join("test/images/kitten/VERSION")).expect("a file");
    std::os::unix::fs::symlink("../../../../outside", repo.root.join("test/images/kitten/VERSION")).expect("a link");
    let run = repo.imglint(&[]);
    run.is(1, &["malformed-version"]);
    assert!(run.stdout.contains("is a symbolic link to `../../../../outside`"), "{run}");
}

#[test]
fn linked_worktrees_and_subdirectories_work() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let tree = scratch.at("tree");
    repo.git(&["worktree", "add", "-q", "-b", "topic", tree.root.to_str().expect("UTF-8")]);
    tree.write(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    tree.imglint(&[]).is(1, STALE);
    tree.imglint_in(&tree.root.join("test/images/kitten"), &[], &[]).is(1, STALE);
    tree.git(&["add", "-A"]);
    tree.imglint(&["--staged"]).is(1, STALE);
    // The index of this working tree is its own.
    repo.imglint(&["--staged"]).fails(&["nothing was judged"]);
    let directory = tree.root.to_str().expect("UTF-8");
    repo.imglint(&["--repo", directory]).is(1, STALE);
}

#[test]
fn bare_repositories_have_commits_alone() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    let bare = scratch.clone(&repo, "bare.git", &["--bare"]);
    bare.imglint(&["--base", "master", "--head", "topic"]).is(1, STALE);
    bare.imglint(&["--base", "master"]).is(1, STALE);
    bare.imglint(&["--staged"]).fails(&["this repository is bare: it has no index", "--head REV"]);
    bare.imglint(&["--worktree"]).fails(&["it has no working tree"]);

    // Git takes one without a configuration for bare, too, and not the files around it for its own.
    std::fs::remove_file(bare.root.join("config")).expect("a file");
    bare.imglint(&["--base", "master", "--head", "topic"]).is(1, STALE);
    bare.imglint(&["--base", "master"]).is(1, STALE);
    bare.imglint(&["--worktree"]).fails(&["it has no working tree"]);
}

#[test]
fn sparse_checkouts_have_not_deleted_what_they_leave_out() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.git(&["sparse-checkout", "set", "--no-cone", "/test/images/kitten/", "/test/images/image-util.sh"]);
    assert!(!repo.root.join("test/images/agnhost").exists(), "the trap is set");
    repo.imglint(&[]).is(0, &[]);
    repo.imglint(&["--staged"]).is(0, &[]);
    repo.write(&[("test/images/kitten/kitten.jpg", "=^.^=\n")]);
    repo.imglint(&[]).is(1, STALE);
    repo.git(&["add", "-A"]);
    repo.imglint(&["--staged"]).is(1, STALE);
}

#[test]
fn the_repository_may_lie_elsewhere() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let elsewhere = scratch.path().join("elsewhere/git");
    std::fs::create_dir_all(scratch.path().join("elsewhere")).expect("a directory");
    repo.git(&["init", "-q", "--separate-git-dir", elsewhere.to_str().expect("UTF-8")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    repo.imglint(&[]).is(1, STALE);
    repo.imglint(&["--fix"]).is(1, &[]);
    repo.imglint(&[]).is(0, &[]);
}

#[test]
fn a_sparse_checkout_may_leave_the_configuration_out() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("imglint.toml", "pack = \"kubernetes\"\n[rules.stale-version]\nlevel = \"note\"\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.git(&["sparse-checkout", "set", "--no-cone", "/test/images/"]);
    repo.write(&[("test/images/kitten/kitten.jpg", "=^.^=\n")]);
    assert!(!repo.root.join("imglint.toml").exists(), "the trap is set");
    repo.imglint(&[]).is(0, STALE).says(&["pack: kubernetes (imglint.toml)"]);
}

#[test]
fn a_sparse_index_holds_what_it_does_not_name() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("docs/x", "x\n"), ("test/images/kitten/kitten.jpg", "=^.^=\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    for cone in ["test", "test/images/kitten", "docs"] {
        repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", cone]);
        assert!(repo.git(&["ls-files", "--sparse"]).lines().any(|path| path.ends_with('/')), "the trap is set");
        for target in ["--worktree", "--staged"] {
            repo.imglint(&[target]).is(0, &[]).says(&["recognised by test/images/image-util.sh"]);
        }
    }
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "test/images/kitten"]);
    repo.write(&[("test/images/kitten/kitten.jpg", "=^..^=\n")]);
    repo.imglint(&["--worktree"]).is(1, STALE);
    repo.imglint(&["--staged"]).is(0, &[]);
    repo.git(&["add", "-A"]);
    repo.imglint(&["--staged"]).is(1, STALE);
    // What a commit changed where nothing is checked out.
    repo.git(&["commit", "-q", "-m", "x"]);
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "docs"]);
    repo.imglint(&["--staged"]).is(1, STALE);
    repo.imglint(&["--worktree"]).is(1, STALE);
}

#[test]
fn what_a_blobless_clone_lacks_is_fetched() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    origin.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    origin.git(&["checkout", "-q", "-b", "topic"]);
    // The base's own VERSION and BASEIMAGE are not part of the checkout any more.
    origin.change(&[
        ("test/images/kitten/VERSION", "1.3\n"),
        ("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.25-linux-amd64\nlinux/arm=x\n"),
    ]);
    let clone = scratch.clone(&origin, "clone", &["--filter=blob:none", "--branch", "topic"]);
    clone.imglint(&["--base", "origin/master", "--head", "HEAD"]).is(0, &["decreased-version"]);
    let clone = scratch.clone(&origin, "other", &["--filter=blob:none", "--branch", "topic"]);
    std::fs::rename(&origin.root, scratch.path().join("gone")).expect("a directory");
    let run = clone.imglint(&["--base", "origin/master", "--head", "HEAD"]);
    run.fails(&["partial clone", "git fetch --refetch"]);
}

#[test]
fn what_a_treeless_clone_lacks_is_fetched() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    origin.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    origin.bad_topic();
    let clone = |name| scratch.clone(&origin, name, &["--filter=tree:0", "--branch", "topic"]);
    let [commit, policy, offline] = ["commit", "policy", "offline"].map(clone);
    commit.imglint(&["--base", "origin/master", "--head", "HEAD"]).is(1, STALE);
    // In CI the policy is looked for in the base first.
    policy.imglint_with(&["--base", "origin/master"], &[("CI", "true")]).is(1, STALE);
    std::fs::rename(&origin.root, scratch.path().join("gone")).expect("a directory");
    let run = offline.imglint(&["--base", "origin/master", "--head", "HEAD"]);
    run.fails(&["partial clone", "git fetch --refetch"]);
    offline.imglint_with(&["--base", "origin/master"], &[("CI", "true")]).fails(&["partial clone"]);
}

#[test]
fn a_missing_object_is_no_pass() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    let id = repo.git(&["rev-parse", "master:test/images/agnhost/VERSION"]);
    std::fs::remove_file(repo.root.join(".git/objects").join(&id[..2]).join(&id[2..])).expect("a loose object");
    repo.imglint(&[]).fails(&["test/images/agnhost/VERSION", "git fsck"]);
}

#[test]
fn kinds_of_repositories_that_cannot_be_read_are_named() {
    let scratch = Scratch::new();
    for (name, option) in [("sha256", "--object-format=sha256"), ("reftable", "--ref-format=reftable")] {
        let repo = scratch.at(name);
        let made = repo.git_command(&["init", "-q", option]).output().expect("git is installed");
        if !made.status.success() {
            eprintln!("this git cannot make a repository with {option}");
            continue;
        }
        repo.write(KUBERNETES);
        repo.commit("base");
        repo.imglint(&[]).fails(&["of a kind that imglint cannot read", "SHA-1"]);
    }
}

#[cfg(unix)]
#[test]
fn a_foreign_owner_is_named_with_the_way_out() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    if std::os::unix::fs::chown(repo.root.join(".git"), Some(12345), None).is_err() {
        eprintln!("only root can give a repository away");
        return;
    }
    std::os::unix::fs::chown(&repo.root, Some(12345), None).expect("root can do this");
    let root = repo.root.to_str().expect("UTF-8");
    let line = format!("git config --global --add safe.directory {root}");
    let run = repo.imglint(&[]);
    run.fails(&["belongs to another user"]);
    let unfolded: String = run.stderr.split_whitespace().filter(|word| *word != "│").collect();
    assert!(unfolded.contains(&line.split_whitespace().collect::<String>()), "{run}");
    // The way out works.
    repo.git(&["config", "--global", "--add", "safe.directory", root]);
    repo.imglint(&["--all"]).is(0, &[]);
}

#[test]
fn unmerged_files_cannot_be_committed_and_so_not_be_judged() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("test/images/kitten/VERSION", "1.5\n")]);
    repo.git(&["checkout", "-q", "-b", "other", "master"]);
    repo.change(&[("test/images/kitten/VERSION", "1.6\n")]);
    repo.git_command(&["merge", "-q", "topic"]).output().expect("git is installed");
    repo.imglint(&["--staged"]).fails(&["test/images/kitten/VERSION is unmerged", "git add"]);
    // The working tree holds the marks of the conflict: nothing is judged between them, whatever was asked for.
    for paths in [&[][..], &["test/images/agnhost"]] {
        let run = repo.imglint(&[&["--worktree"], paths].concat());
        run.is(1, &["unresolved-conflict"]).says(&["nothing but conflicts was looked for"]);
    }
    // What a repair shows is judged as a whole.
    let run = repo.imglint(&["--diff"]);
    assert!(run.code == 1 && !run.stderr.contains("nothing but conflicts"), "{run}");
    // Where they are resolved, it is not asked whether that was told to git.
    repo.imglint(&["--fix"]).is(1, &[]);
    assert_eq!(std::fs::read_to_string(repo.root.join("test/images/kitten/VERSION")).expect("a file"), "1.7\n");
    repo.imglint(&["--worktree"]).is(0, &[]);
}

/// Both sides of a conflict look like the Go code that they are, and each could be repaired by itself.
#[test]
fn a_conflict_in_a_manifest_is_repaired_as_one() {
    const MANIFEST: &str = "test/utils/image/manifest.go";
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let change = |version: &str| {
        let entry = format!("\tconfigs[Kitten] = Config{{list.PromoterE2eRegistry, \"kitten\", \"{version}\"}}\n");
        let manifest = format!("package image\n\nfunc init() {{\n{entry}}}\n");
        repo.change(&[(MANIFEST, &manifest), ("test/images/kitten/VERSION", &format!("{version}\n"))]);
    };
    change("1.4");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    change("1.5");
    repo.git(&["checkout", "-q", "master"]);
    change("1.6");
    repo.git(&["checkout", "-q", "topic"]);
    repo.git_command(&["merge", "-q", "master"]).output().expect("git is installed");
    repo.write(&[("test/images/kitten/VERSION", "1.7\n")]);
    repo.imglint(&[]).is(1, &["unresolved-conflict"]);
    // Without the rule, nobody says anything of it: so nobody may say that all is well.
    repo.imglint(&["--skip", "unresolved-conflict", "--fix"]).is(2, &[]).says(&[MANIFEST, "conflict"]);
    repo.imglint(&["--fix"]).is(1, &[]);
    let manifest = std::fs::read_to_string(repo.root.join(MANIFEST)).expect("a file");
    assert_eq!(manifest.matches("\"1.7\"").count(), 1, "{manifest}");
    assert!(!manifest.contains("<<<<"), "{manifest}");
    repo.imglint(&[]).is(0, &[]);
}

#[test]
fn files_that_are_only_intended_are_not_part_of_the_commit() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/kitten/kitten.jpg", "=^.^=\n")]);
    repo.git(&["add", "--intent-to-add", "test/images/kitten/kitten.jpg"]);
    repo.imglint(&["--staged"]).is(0, &[]);
    repo.imglint(&["--worktree"]).is(1, STALE);
}

#[cfg(unix)]
#[test]
fn a_commit_hook_judges_the_index_that_git_hands_over() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let hook = repo.root.join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().expect("a directory")).expect("a directory");
    let script = format!("#!/bin/sh\nexec {} --staged\n", env!("CARGO_BIN_EXE_imglint"));
    std::fs::write(&hook, script).expect("a file");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let commit = |arguments: &[&str]| Run::of(repo.git_command(arguments).output().expect("git is installed"));
    repo.write(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    // `-a` commits by way of another index than .git/index.
    let run = commit(&["commit", "-q", "-a", "-m", "x"]);
    assert!(run.code == 1 && run.stderr.contains("stale-version"), "{run}");
    let run = commit(&["commit", "-q", "-m", "x", "--", "test/images/agnhost/main.go"]);
    assert!(run.code == 1 && run.stderr.contains("stale-version"), "{run}");
    repo.write(&[("test/images/kitten/README.md", "x\n")]);
    repo.git(&["add", "test/images/kitten/README.md"]);
    let run = commit(&["commit", "-q", "-m", "x"]);
    assert!(run.code == 0, "the unstaged change is not part of this commit\n{run}");
}

#[test]
fn a_control_file_beyond_the_limit_is_a_finding() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/kitten/Dockerfile", &"# x\n".repeat(300_000)), ("test/images/kitten/VERSION", "1.5\n")]);
    let run = repo.imglint(&[]);
    run.is(1, &["malformed-dockerfile"]);
    assert!(run.stdout.contains("is larger than 1 MiB"), "{run}");
}

/// How much memory it takes does not depend on the file.
#[cfg(unix)]
#[test]
fn a_huge_control_file_is_not_read() {
    use wait4::Wait4 as _;
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let huge = std::fs::File::create(repo.root.join("test/images/kitten/VERSION")).expect("a file");
    huge.set_len(300 << 20).expect("a file has any size");
    let peak = |arguments: &[&str]| {
        let mut command = repo.imglint_command(arguments);
        let mut child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn();
        let ended = child.as_mut().expect("imglint starts").wait4().expect("it ends");
        assert_eq!(ended.status.code(), Some(1));
        ended.rusage.maxrss >> 20
    };
    let worktree = peak(&["--worktree"]);
    repo.commit("huge");
    let commit = peak(&["--head", "HEAD"]);
    assert!(worktree < 150 && commit < 150, "{worktree} and {commit} MiB");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_utf8_are_content() {
    use std::os::unix::ffi::OsStrExt as _;
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.txt");
    std::fs::write(repo.root.join("test/images/kitten").join(name), "x").expect("a file");
    repo.imglint(&[]).is(1, STALE);
    repo.commit("x");
    repo.imglint(&["--head", "HEAD"]).is(1, STALE);
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_utf8_is_not_taken_for_one_that_spells_its_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let names: [&[u8]; 3] = [b"f\xff", br"f\xff", br"f\x5cxff"];
    for changed in names {
        let scratch = Scratch::new();
        let repo = scratch.kubernetes("repo");
        let write = |name: &[u8], text: &str| {
            let file = repo.root.join("test/images/kitten").join(std::ffi::OsStr::from_bytes(name));
            std::fs::write(file, text).expect("a file");
        };
        for name in names {
            write(name, "x\n");
        }
        repo.commit("names");
        repo.git(&["checkout", "-q", "-b", "topic"]);
        write(changed, "y\n");
        repo.imglint(&["--worktree"]).is(1, STALE);
        repo.git(&["add", "-A"]);
        repo.imglint(&["--staged"]).is(1, STALE);
        repo.commit("x");
        repo.imglint(&["--head", "HEAD"]).is(1, STALE);
    }
}

/// The mode of a file does not stop root; a directory in its place stops everybody.
#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_no_pass() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("imglint.toml/x", "x\n")]);
    repo.imglint(&[]).fails(&["failed to read imglint.toml", "check that the file can be read"]);
    std::fs::remove_dir_all(repo.root.join("imglint.toml")).expect("a directory");
    let file = repo.root.join("test/images/kitten/VERSION");
    std::fs::write(&file, "1.55555\n").expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).expect("a mode");
    if std::fs::read(&file).is_err() {
        repo.imglint(&[]).fails(&["test/images/kitten/VERSION"]);
    }
}

#[test]
fn a_submodule_that_moves_is_a_change() {
    let scratch = Scratch::new();
    let sub = scratch.kubernetes("sub");
    let repo = scratch.kubernetes("repo");
    repo.git(&["submodule", "-q", "add", sub.root.to_str().expect("UTF-8"), "test/images/kitten/sub"]);
    repo.commit("sub");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let inner = scratch.at("repo/test/images/kitten/sub");
    // Files of its own are nothing that could be added here.
    inner.write(&[("x", "x\n")]);
    repo.imglint(&[]).is(0, &[]);
    inner.commit("moved");
    repo.imglint(&[]).is(1, STALE);
    repo.git(&["add", "-A"]);
    repo.imglint(&["--staged"]).is(1, STALE);
    repo.commit("x");
    repo.imglint(&["--head", "HEAD"]).is(1, STALE);
    repo.imglint(&[]).is(1, STALE);
    // One that was not checked out is where it was.
    repo.git(&["checkout", "-q", "-B", "topic", "master"]);
    repo.git(&["submodule", "-q", "deinit", "-f", "--all"]);
    repo.imglint(&[]).is(0, &[]);
    std::fs::remove_dir_all(&inner.root).expect("a directory");
    repo.imglint(&[]).is(1, STALE);
}

#[test]
fn directories_that_become_files_or_links_are_what_git_says() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("test/images/kitten/d/x", "x\n"), ("test/images/kitten/README.md", "x\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    std::fs::remove_dir_all(repo.root.join("test/images/kitten/d")).expect("a directory");
    repo.write(&[("test/images/kitten/d", "a file\n")]);
    repo.imglint(&[]).is(1, STALE);
    repo.git(&["checkout", "-q", "-f", "."]);
    #[cfg(unix)]
    {
        std::fs::remove_dir_all(repo.root.join("test/images/agnhost")).expect("a directory");
        std::os::unix::fs::symlink("kitten", repo.root.join("test/images/agnhost")).expect("a link");
        let worktree = repo.imglint(&[]);
        worktree.is(1, &["malformed-version", "dangling-reference"]);
        assert!(!worktree.stdout.contains("no image is touched"), "{worktree}");
        repo.git(&["add", "-A"]);
        assert_eq!(repo.imglint(&["--staged"]).stdout, worktree.stdout);
    }
}

/// What git would not call a change is none, and what is written keeps the line ends of the working tree.
#[test]
fn line_ends_that_git_converts_are_no_change() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.git(&["config", "core.autocrlf", "true"]);
    let paths = ["agnhost/VERSION", "agnhost/Dockerfile", "agnhost/main.go", "kitten/VERSION", "kitten/BASEIMAGE"];
    for path in paths.map(|path| repo.root.join("test/images").join(path)) {
        let text = std::fs::read_to_string(&path).expect("a file");
        std::fs::write(&path, text.replace('\n', "\r\n")).expect("a file");
    }
    repo.imglint(&[]).is(0, &[]);
    repo.write(&[("test/images/agnhost/main.go", "package main // changed\r\n")]);
    repo.imglint(&["--fix"]).is(1, &[]);
    let read = |path: &str| std::fs::read_to_string(repo.root.join("test/images").join(path)).expect("a file");
    assert_eq!(read("agnhost/VERSION"), "2.26\r\n");
    assert_eq!(read("kitten/BASEIMAGE"), "linux/amd64=REGISTRY/agnhost:2.26-linux-amd64\r\n");
    repo.imglint(&[]).is(0, &[]);
}

#[test]
fn a_filter_of_the_user_is_run_by_git() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["config", "filter.up.clean", "tr A-Z a-z"]);
    repo.git(&["config", "filter.up.smudge", "tr a-z A-Z"]);
    repo.change(&[(".gitattributes", "*.dat filter=up\n"), ("test/images/kitten/x.dat", "HELLO\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/kitten/x.dat", "Hello\n")]);
    repo.imglint(&[]).is(0, &[]);
    repo.write(&[("test/images/kitten/x.dat", "BYE\n")]);
    repo.imglint(&[]).is(1, STALE);
}

/// What is judged is the blob that `git add` makes of a file, whatever it has to do for that.
#[test]
fn the_working_tree_is_judged_as_git_would_store_it() {
    const VERSION: &str = "test/images/kitten/VERSION";
    const DATA: &str = "test/images/kitten/data";
    const MALFORMED: &[&str] = &["malformed-version"];
    // Attributes, a file, what is stored of it, what lies on disk, and the rules that this breaks.
    type Case<'a> = (&'a str, &'a str, &'a [u8], &'a [u8], &'a [&'a str]);
    let utf16 = "\u{feff}hello\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let cases: &[Case<'_>] = &[
        ("VERSION filter=up", VERSION, b"1.4\n", b"v1.5!\n", MALFORMED),
        ("VERSION filter=up", VERSION, b"1.4\n", b"v1.4\n", &[]),
        ("VERSION filter=up text", VERSION, b"1.4\n", b"v1.4\r\n", &[]),
        ("VERSION text", VERSION, b"1.4\n", b"1.4 !\r\n", MALFORMED),
        ("VERSION crlf", VERSION, b"1.4\n", b"1.4\r\n", &[]),
        ("VERSION -text", VERSION, b"1.4\n", b"1.5\r\n", MALFORMED),
        // What is stored with carriage returns keeps them, unless git is told that it is text.
        ("data text=auto", DATA, b"a\r\nb\n", b"a\r\nb\r\n", STALE),
        ("data text", DATA, b"a\nb\n", b"a\r\nb\r\n", &[]),
        ("data text", DATA, b"a\n\0", b"a\r\n\0", &[]),
        ("data text=auto", DATA, b"a\n\0", b"a\r\n\0", STALE),
        ("data text=auto", DATA, b"a\n\r", b"a\r\n\r", STALE),
        ("data eol=crlf", DATA, b"a\n", b"a\r\n", &[]),
        ("data working-tree-encoding=UTF-16LE-BOM", DATA, b"hello\n", &utf16, &[]),
        ("data ident", DATA, b"$Id$\n", b"$Id: x $\n", &[]),
        ("data ident", DATA, b"$Id$\n", b"$Id: x $ y\n", STALE),
    ];
    let scratch = Scratch::new();
    for (number, &(attributes, path, stored, on_disk, rules)) in cases.iter().enumerate() {
        let repo = scratch.kubernetes(&number.to_string());
        repo.git(&["config", "filter.up.clean", "sed s/^v//"]);
        let put = |bytes: &[u8]| std::fs::write(repo.root.join(path), bytes).expect("a file");
        put(stored);
        repo.commit("as it is stored");
        repo.git(&["checkout", "-q", "-b", "topic"]);
        repo.write(&[(".git/info/attributes", &format!("{attributes}\n"))]);
        put(on_disk);
        let objects = repo.git(&["count-objects"]);
        let worktree = repo.imglint(&["--worktree"]);
        assert_eq!(repo.git(&["count-objects"]), objects, "nothing is written into the repository");
        worktree.is(i32::from(!rules.is_empty()), rules);
        repo.git(&["add", "-A"]);
        let staged = repo.imglint(&["--staged"]);
        assert_eq!(worktree.stdout, staged.stdout, "{attributes}: {on_disk:?}");
    }
}

#[test]
fn a_sparse_checkout_may_leave_the_marker_out() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("cmd/x", "x\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.git(&["sparse-checkout", "set", "cmd"]);
    repo.imglint(&[]).is(0, &[]).says(&["recognised by test/images/image-util.sh"]);
}

/// What `git` is told by variables counts for imglint as it does for git.
#[cfg(unix)]
#[test]
fn the_way_out_that_is_printed_works_wherever_configuration_lies() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("a repo");
    if std::os::unix::fs::chown(repo.root.join(".git"), Some(12345), None).is_err() {
        eprintln!("only root can give a repository away");
        return;
    }
    let root = repo.root.to_str().expect("UTF-8");
    let config = scratch.path().join("config");
    std::fs::write(&config, "").expect("a file");
    let config = config.to_str().expect("UTF-8");
    let all = |variables: &[(&str, &str)]| repo.imglint_with(&["--all"], variables);
    // The directory to trust is the working tree, although only the repository in it is somebody else's.
    let way_out = format!("git config --global --add safe.directory '{root}'");
    let run = all(&[("GIT_CONFIG_GLOBAL", config)]);
    run.fails(&["belongs to another user"]);
    let joined = |text: &str| text.split_whitespace().filter(|word| *word != "│").collect::<String>();
    assert!(joined(&run.stderr).contains(&joined(&way_out)), "{run}");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &way_out]).env("GIT_CONFIG_GLOBAL", config);
    assert!(shell.status().expect("sh is there").success());
    all(&[("GIT_CONFIG_GLOBAL", config)]).is(0, &[]);
    all(&[]).fails(&["belongs to another user"]);
    repo.imglint_with(&["--all", "--repo", root], &[("GIT_CONFIG_GLOBAL", config), ("GIT_DIR", "/nowhere")]).is(0, &[]);
    all(&[("GIT_CONFIG_SYSTEM", config), ("GIT_CONFIG_NOSYSTEM", "false")]).is(0, &[]);
    all(&[("GIT_CONFIG_SYSTEM", config), ("GIT_CONFIG_NOSYSTEM", "true")]).fails(&["belongs to another user"]);
    // Patterns, and values without a file. An empty one takes back what was said.
    let below = format!("{}/*", scratch.path().display());
    for (values, is_trusted) in
        [(&[&*below][..], true), (&["*"], true), (&[root], true), (&["*", ""], false), (&["/elsewhere/*"], false)]
    {
        let count = values.len().to_string();
        let names: Vec<_> =
            (0..values.len()).map(|n| (format!("GIT_CONFIG_KEY_{n}"), format!("GIT_CONFIG_VALUE_{n}"))).collect();
        let mut variables = vec![("GIT_CONFIG_COUNT", &*count)];
        for ((key, value_of), value) in names.iter().zip(values) {
            variables.extend([(&**key, "safe.directory"), (&**value_of, *value)]);
        }
        let run = all(&variables);
        assert_eq!(run.code == 0, is_trusted, "{values:?}\n{run}");
    }
}

#[test]
fn what_variables_say_is_ignored_is_ignored() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/kitten/x.swp", "x\n")]);
    scratch.at("there").write(&[("ignore", "*.swp\n"), ("none", "")]);
    let there = |name: &str| scratch.path().join("there").join(name).to_str().expect("UTF-8").replace('\\', "/");
    let ignore = there("ignore");
    let config = format!("[core]\n\texcludesFile = {ignore}\n");
    scratch.at("there").write(&[
        ("config", &config),
        ("home/.gitconfig", &config),
        ("home/.config/git/config", &config),
    ]);
    let (config, home, none) = (there("config"), there("home"), there("none"));
    let one = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "core.excludesFile"), ("GIT_CONFIG_VALUE_0", &*ignore)];
    let parameters = format!("'core.excludesfile'='{ignore}'");
    for variables in [
        &[("GIT_CONFIG_GLOBAL", &*config)][..],
        &[("GIT_CONFIG_SYSTEM", &*config), ("GIT_CONFIG_NOSYSTEM", "0")],
        &[("HOME", &*home)],
        &one,
        &[("GIT_CONFIG_PARAMETERS", &*parameters)],
    ] {
        repo.imglint_with(&[], variables).is(0, &[]);
    }
    repo.imglint(&[]).is(1, STALE);
    // The user's own files are not read where a variable names another one.
    repo.imglint_with(&[], &[("HOME", &*home), ("GIT_CONFIG_GLOBAL", &*none)]).is(1, STALE);
    repo.imglint_with(&[], &[("GIT_CONFIG_COUNT", "1")]).fails(&["GIT_CONFIG_KEY_0"]);
}

#[test]
fn extensions_that_change_nothing_here_are_read() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["config", "core.repositoryformatversion", "1"]);
    repo.bad_topic();
    for (name, value) in [("partialClone", "origin"), ("refStorage", "files")] {
        repo.git(&["config", &format!("extensions.{name}"), value]);
        repo.imglint(&[]).is(1, STALE);
    }
    repo.git(&["config", "extensions.refStorage", "reftable"]);
    repo.imglint(&[]).fails(&["its references are stored as `reftable`"]);
    repo.git(&["config", "extensions.refStorage", "files"]);
    repo.git(&["config", "extensions.unheardOf", "true"]);
    repo.imglint(&[]).fails(&["of a kind that imglint cannot read", "unheardof"]);
}

/// As git stores it: the commit that is checked out in it. One without a commit cannot be added.
#[test]
fn a_repository_inside_of_the_working_tree_is_what_git_would_add() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let inner = scratch.init("repo/test/images/kitten/inner");
    repo.imglint(&[]).is(0, &[]);
    inner.commit("nothing in it");
    let worktree = repo.imglint(&[]);
    worktree.is(1, STALE);
    inner.change(&[("VERSION", "1.0\n")]);
    assert_eq!(repo.imglint(&[]).stdout, worktree.stdout);
    repo.git(&["add", "-A"]);
    assert_eq!(repo.imglint(&["--staged"]).stdout, worktree.stdout);
    repo.commit("inner");
    repo.change(&[("test/images/kitten/VERSION", "1.5\n")]);
    repo.imglint(&[]).is(0, &[]);
    // What git ignores, it does not add.
    repo.git(&["checkout", "-q", "-f", "-B", "topic", "master"]);
    repo.write(&[(".gitignore", "inner/\n")]);
    repo.imglint(&[]).is(0, &[]);
}

/// Git keeps what is pushed apart until its hooks have agreed.
#[cfg(unix)]
#[test]
fn a_push_is_judged_before_it_is_accepted() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let server = scratch.clone(&origin, "server.git", &["--bare"]);
    let script = format!(
        "#!/bin/sh\nwhile read -r old new ref; do\n\
         \t[ -n \"$GIT_QUARANTINE_PATH\" ] || exit 3\n\
         \t{} --base master --head \"$new\" || exit 1\ndone\n",
        env!("CARGO_BIN_EXE_imglint")
    );
    let hook = server.root.join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().expect("a directory")).expect("a directory");
    std::fs::write(&hook, script).expect("a file");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let clone = scratch.clone(&server, "clone", &[]);
    let push = || {
        Run::of(
            clone.git_command(&["push", "-q", "origin", "HEAD:refs/heads/topic"]).output().expect("git is installed"),
        )
    };
    clone.git(&["checkout", "-q", "-b", "topic"]);
    clone.change(&[("test/images/kitten/a", "a\n")]);
    let run = push();
    assert!(run.code == 1 && run.stderr.contains("kitten changed"), "{run}");
    clone.change(&[("test/images/kitten/VERSION", "1.5\n")]);
    let run = push();
    assert!(run.code == 0, "{run}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_utf8_does_not_stop_repairs_elsewhere() {
    use std::os::unix::ffi::OsStrExt as _;
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    for path in [
        &b"test/images/agnhost/caf\xe9.txt"[..],
        b"test/images/agnhost/caf\xe9/VERSION",
        b"test/images/caf\xe9/VERSION",
    ] {
        let file = repo.root.join(std::ffi::OsStr::from_bytes(path));
        std::fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
        std::fs::write(file, "1.0\n").expect("a file");
    }
    repo.write(&[("test/images/kitten/a", "a\n")]);
    let run = repo.imglint(&["--fix", "--rule", "stale-version", "--rule", "stale-base"]);
    run.is(1, &[]);
    let version =
        |image: &str| std::fs::read_to_string(repo.root.join(format!("test/images/{image}/VERSION"))).expect("a file");
    assert_eq!((&*version("kitten"), &*version("agnhost")), ("1.5\n", "2.26\n"), "{run}");
    // It can be repaired itself, too.
    repo.commit("names");
    let image = repo.root.join(std::ffi::OsStr::from_bytes(b"test/images/caf\xe9"));
    std::fs::write(image.join("a"), "a\n").expect("a file");
    repo.imglint(&["--fix", "--base", "HEAD", "--rule", "stale-version"]).is(1, &[]);
    assert_eq!(std::fs::read_to_string(image.join("VERSION")).expect("a file"), "1.1\n");
}

/// A tree of these entries, as no git command makes it.
#[cfg(unix)]
fn tree(repo: &Repo, entries: &[(&str, &str, &str)]) -> String {
    let mut bytes = Vec::new();
    for (mode, name, id) in entries {
        bytes.extend(format!("{mode} {name}\0").as_bytes());
        for byte in (0..40).step_by(2) {
            bytes.push(u8::from_str_radix(&id[byte..byte + 2], 16).expect("hexadecimal digits"));
        }
    }
    let repository = git2::Repository::open(&repo.root).expect("a repository");
    let objects = repository.odb().expect("an object database");
    objects.write(git2::ObjectType::Tree, &bytes).expect("a tree").to_string()
}

/// Git takes a mode by its type, and checks such entries out.
#[cfg(unix)]
#[test]
fn modes_of_entries_are_read_as_git_reads_them() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let blob = |text: &str| {
        repo.write(&[(".git/blob", text)]);
        repo.git(&["hash-object", "-w", ".git/blob"])
    };
    let [evil, version, base, dockerfile] = [
        blob("evil\n"),
        repo.git(&["rev-parse", "HEAD:test/images/kitten/VERSION"]),
        repo.git(&["rev-parse", "HEAD:test/images/kitten/BASEIMAGE"]),
        repo.git(&["rev-parse", "HEAD:test/images/kitten/Dockerfile"]),
    ];
    let commit = |kitten: &str, mode: &str| {
        let agnhost = repo.git(&["rev-parse", "HEAD:test/images/agnhost"]);
        let script = repo.git(&["rev-parse", "HEAD:test/images/image-util.sh"]);
        let images = [("40000", "agnhost", &*agnhost), ("100644", "image-util.sh", &script), (mode, "kitten", kitten)];
        let images = tree(&repo, &images);
        let test = tree(&repo, &[("40000", "images", &images)]);
        let root = tree(&repo, &[("40000", "test", &test)]);
        repo.git(&["commit-tree", &root, "-p", "HEAD", "-m", "x"])
    };
    let plain = |version_mode: &str, more: &[(&str, &str, &str)]| {
        let known = [
            ("100644", "BASEIMAGE", &*base),
            ("100644", "Dockerfile", &dockerfile),
            (version_mode, "VERSION", &version),
        ];
        tree(&repo, &[&known[..], more].concat())
    };
    // An entry that is added under a mode which git does not write.
    for mode in ["100666", "100600", "0100644", "100711", "120777"] {
        let head = commit(&plain("100644", &[(mode, "evil", &evil)]), "40000");
        repo.imglint(&["--base", "master", "--head", &head]).is(1, STALE);
    }
    // A directory that is one all the same.
    let head = commit(&plain("100644", &[("100644", "evil", &evil)]), "40755");
    repo.imglint(&["--base", "master", "--head", &head]).is(1, STALE);
    // Nothing but the mode, and git sees no difference in it.
    let head = commit(&plain("100664", &[]), "40755");
    repo.imglint(&["--base", "master", "--head", &head]).is(0, &[]);
    for name in ["..", ".", "a/b", ""] {
        let head = commit(&plain("100644", &[("100644", name, &evil)]), "40000");
        repo.imglint(&["--base", "master", "--head", &head]).fails(&["malformed", "git fsck"]);
    }
}

/// Makes trees that unfold: from a few objects, any number of files.
#[cfg(unix)]
struct Tower<'r>(&'r Repo);

#[cfg(unix)]
impl Tower<'_> {
    /// A tree of so many levels, in each of which the one below stands under so many names of some length.
    fn grow(&self, leaf: (&str, &str), depth: usize, width: usize, length: usize) -> (String, String) {
        let names: Vec<String> = (0..width).map(|number| format!("{number:0length$}")).collect();
        let mut entry = (leaf.0.to_owned(), leaf.1.to_owned());
        for _ in 0..depth {
            let entries: Vec<_> = names.iter().map(|name| (&*entry.0, &**name, &*entry.1)).collect();
            entry = ("40000".to_owned(), tree(self.0, &entries));
        }
        entry
    }

    /// A commit in which a tree stands beside the images.
    fn commit(&self, entry: &(String, String)) -> String {
        let others = ["agnhost", "kitten"].map(|name| self.0.git(&["rev-parse", &format!("HEAD:test/images/{name}")]));
        let script = self.0.git(&["rev-parse", "HEAD:test/images/image-util.sh"]);
        let images = [
            ("40000", "agnhost", &*others[0]),
            ("40000", "bomb", &entry.1),
            ("100644", "image-util.sh", &script),
            ("40000", "kitten", &others[1]),
        ];
        let test = tree(self.0, &[("40000", "images", &tree(self.0, &images))]);
        let root = tree(self.0, &[("40000", "test", &test)]);
        self.0.git(&["commit-tree", &root, "-p", "HEAD", "-m", "x"])
    }
}

/// What imglint says of a tree, in memory that is bounded; with its exit code.
#[cfg(unix)]
fn said_of_bomb(repo: &Repo, arguments: &[&str]) -> (Option<i32>, String) {
    use wait4::Wait4 as _;
    let mut command = repo.imglint_command(arguments);
    let pipe = std::process::Stdio::piped();
    let mut child = command.stdout(std::process::Stdio::null()).stderr(pipe).spawn().expect("imglint starts");
    let mut said = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().expect("a pipe"), &mut said).expect("UTF-8");
    let ended = child.wait4().expect("it ends");
    assert!(ended.rusage.maxrss >> 20 < 256, "{} MiB", ended.rusage.maxrss >> 20);
    (ended.status.code(), said)
}

/// Ten million files in a few objects.
#[cfg(unix)]
#[test]
fn a_tree_that_unfolds_without_an_end_is_refused() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let tower = Tower(&repo);
    let blob = repo.git(&["rev-parse", "HEAD:test/images/kitten/VERSION"]);
    let empty = tree(&repo, &[]);
    let bombs = [
        tower.grow(("100644", &blob), 7, 10, 1),
        tower.grow(("40000", &empty), 7, 10, 1),
        // Long paths.
        tower.grow(("100644", &blob), 17, 2, 200),
        // And one that is deep alone.
        tower.grow(("100644", &blob), 3_000, 1, 1),
    ];
    for bomb in bombs.map(|bomb| tower.commit(&bomb)) {
        for arguments in [
            &["--base", "master", "--head", &bomb][..],
            &["--all", "--head", &bomb],
            &["--base", &bomb, "--head", "master"],
        ] {
            let (code, said) = said_of_bomb(&repo, arguments);
            assert!(code == Some(2) && said.contains("test/images/bomb"), "{arguments:?}: {said}");
        }
    }
}

/// The limit names where it was met, and neither a wide tree nor a deep one fills the stack.
#[cfg(unix)]
#[test]
fn a_tree_is_refused_where_it_is_too_wide_and_may_be_deep() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let tower = Tower(&repo);
    let blob = repo.git(&["rev-parse", "HEAD:test/images/kitten/VERSION"]);
    let (_, many) = tower.grow(("100644", &blob), 5, 10, 1);
    let wide = tower.commit(&tower.grow(("40000", &many), 1, 100, 3));
    let (code, said) = said_of_bomb(&repo, &["--all", "--head", &wide]);
    assert!(code == Some(2) && said.contains("test/images/bomb"), "{said}");

    // Nothing is wrong with one that is as deep as a path may be long.
    let names: Vec<String> = (1..=80).map(|number| format!("{number:03}")).collect();
    let (_, deep) = tower.grow(("100644", &blob), 2_000, 1, 1);
    let flat = tree(&repo, &[("100644", "file", &blob)]);
    let mut entries: Vec<_> = names.iter().map(|name| ("40000", &**name, &*flat)).collect();
    entries[40].2 = &deep;
    let deep = tower.commit(&("40000".to_owned(), tree(&repo, &entries)));
    let (code, said) = said_of_bomb(&repo, &["--all", "--head", &deep, "--quiet"]);
    assert!(code == Some(0), "{code:?} {said}");

    // What is missing is told, and it is the first that is.
    let missing = |number: u8| format!("{number:02x}").repeat(20);
    let ids: Vec<String> = (1..=80).map(missing).collect();
    let entries: Vec<_> = names.iter().zip(&ids).map(|(name, id)| ("40000", &**name, &**id)).collect();
    let broken = tower.commit(&("40000".to_owned(), tree(&repo, &entries)));
    for _ in 0..3 {
        let run = repo.imglint(&["--all", "--head", &broken]);
        run.fails(&["test/images/bomb/001:"]);
    }
}
