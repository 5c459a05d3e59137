//! Repairs on disk: complete, confined to values, and never half done.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::harness::{Repo, Run, Scratch};

const STALE: &[&str] = &["stale-version"];

/// Three levels of images and all that speaks of them, with odd line ends and comments.
const DEEP: &[(&str, &str)] = &[
    ("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.25-linux-amd64\r\nlinux/arm=x"),
    ("test/images/cat/VERSION", "3.9"),
    ("test/images/cat/Dockerfile", "# base\nFROM REGISTRY/kitten:1.4\nCOPY --from=REGISTRY/agnhost:2.25 /a /a\n"),
    ("test/images/agnhost/agnhost.go", "package main\n\nvar c = cobra.Command{Use: \"app\", Version: \"2.25\"} // v\n"),
    (
        "test/utils/image/manifest.go",
        "package image\n\nfunc f() {\n\tconfigs[Cat] = Config{e2eRegistry, \"cat\", \"3.9\"}\n\
         \tconfigs[Agnhost] = Config{promoterE2eRegistry, \"agnhost\", \"2.21\"} // old\n\
         \tconfigs[AgnhostPrev] = Config{promoterE2eRegistry, \"agnhost\", \"2.21\"}\n}\n",
    ),
    (
        "build/dependencies.yaml",
        "dependencies:\n# one\n- name: \"agnhost\"\n  version: \"2.25\"\n  refPaths:\n  - path: test/images/agnhost/VERSION\n    \
         match: \\d.\\d\n\n- name: \"agnhost: dependents\"\n  version: 2.21   # two\n  refPaths:\n  \
         - path: test/utils/image/manifest.go\n    match: configs\\[Agnhost\\] = Config{promoterE2eRegistry, \"agnhost\", \"\\d+\\.\\d+\"}\n",
    ),
];

const REPAIRED: &[(&str, &str)] = &[
    ("build/dependencies.yaml", "2.25>2.26 2.21>2.26"),
    ("test/images/agnhost/VERSION", "2.25>2.26"),
    ("test/images/agnhost/agnhost.go", "2.25>2.26"),
    ("test/images/cat/Dockerfile", "kitten:1.4>kitten:1.5 agnhost:2.25>agnhost:2.26"),
    ("test/images/cat/VERSION", "3.9>3.10"),
    ("test/images/kitten/BASEIMAGE", "2.25>2.26"),
    ("test/images/kitten/VERSION", "1.4>1.5"),
    (
        "test/utils/image/manifest.go",
        "\"3.9\">\"3.10\" configs[Agnhost] = Config{promoterE2eRegistry, \"agnhost\", \"2.21\">\
                                      configs[Agnhost] = Config{promoterE2eRegistry, \"agnhost\", \"2.26\"",
    ),
];

fn deep(scratch: &Scratch) -> Repo {
    let repo = scratch.kubernetes("repo");
    repo.change(DEEP);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    repo
}

fn read(repo: &Repo, path: &str) -> String {
    fs::read_to_string(repo.root.join(path)).expect("a file")
}

fn tree(repo: &Repo) -> BTreeMap<&'static str, String> {
    REPAIRED.iter().map(|(path, _)| (*path, read(repo, path))).collect()
}

/// What the files should be after the repair.
fn expected(before: &BTreeMap<&'static str, String>) -> BTreeMap<&'static str, String> {
    let mut after = before.clone();
    for (path, changes) in REPAIRED {
        let text = after.get_mut(path).expect("a file");
        // A change is `old>new`; the one of Agnhost holds blanks itself.
        let changes: Vec<&str> = match changes.split_once(" configs") {
            Some((first, _)) => vec![first, &changes[first.len() + 1..]],
            None => changes.split(' ').collect(),
        };
        for change in changes {
            let (old, new) = change.split_once('>').expect("old>new");
            *text = text.replacen(old, new, 1);
        }
    }
    after
}

#[test]
fn one_repair_reaches_every_place_and_touches_nothing_but_values() {
    let scratch = Scratch::new();
    let repo = deep(&scratch);
    let before = tree(&repo);
    let run = repo.imglint(&["--fix"]);
    run.is(1, &[]);
    assert_eq!(tree(&repo), expected(&before), "{run}");
    assert!(run.stdout.contains("- `test/images/cat/VERSION`: set VERSION of cat to 3.10 (stale-version)"), "{run}");
    let changed = repo.git(&["diff", "--name-only"]);
    assert_eq!(changed.lines().count(), REPAIRED.len() + 1, "{changed}");
    repo.imglint(&[]).is(0, &[]);
    repo.imglint(&["--fix"]).is(0, &[]);
    assert_eq!(tree(&repo), expected(&before));
    // Committed, it is still quiet.
    repo.commit("change");
    repo.imglint(&["--fix", "--head", "HEAD"]).is(0, &[]);
}

#[test]
fn the_diff_is_what_the_repair_writes() {
    let scratch = Scratch::new();
    let repo = deep(&scratch);
    let before = tree(&repo);
    let run = repo.imglint(&["--diff"]);
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(tree(&repo), before, "nothing is written");
    fs::write(repo.root.join(".git/patch"), &run.stdout).expect("a file");
    repo.git(&["apply", ".git/patch"]);
    assert_eq!(tree(&repo), expected(&before));
    let run = repo.imglint(&["--diff"]);
    assert!(run.code == 0 && run.stdout.is_empty(), "{run}");
    // Both together show, and do not write.
    repo.git(&["checkout", "-q", "--", "test/images/cat"]);
    let run = repo.imglint(&["--fix", "--diff"]);
    assert!(run.code == 1 && run.stdout.starts_with("--- a/test/images/cat/Dockerfile\n"), "{run}");
    assert_eq!(read(&repo, "test/images/cat/VERSION"), "3.9");
}

#[test]
fn the_diff_holds_bytes_that_are_no_text() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let base = repo.root.join("test/images/kitten/Dockerfile");
    fs::write(&base, b"# caf\xe9\nFROM REGISTRY/agnhost:2.25\n# \xe9").expect("a file");
    repo.commit("latin");
    repo.write(&[("test/images/agnhost/VERSION", "2.26\n")]);
    let diff = repo.imglint_command(&["--diff"]).output().expect("imglint runs").stdout;
    fs::write(repo.root.join(".git/patch"), diff).expect("a file");
    repo.git(&["apply", ".git/patch"]);
    assert_eq!(fs::read(&base).expect("a file"), b"# caf\xe9\nFROM REGISTRY/agnhost:2.26\n# \xe9");
}

#[test]
fn what_is_left_for_a_human_is_said() {
    let scratch = Scratch::new();
    let repo = deep(&scratch);
    repo.write(&[("test/images/agnhost/Dockerfile_windows", "ARG BASEIMAGE\nFROM $BASEIMAGE\nRUN x\n")]);
    let run = repo.imglint(&["--fix"]);
    run.is(1, &["windows-run"]);
    assert!(run.stdout.contains("1 error in 3 images") && run.stdout.contains("Repaired 8 files:"), "{run}");
    repo.imglint(&["--fix", "--exit-zero-on-fix"]).is(1, &["windows-run"]);
    repo.write(&[("test/images/agnhost/Dockerfile_windows", "ARG BASEIMAGE\nFROM $BASEIMAGE\n")]);
    repo.git(&["checkout", "-q", "--", "test/images/cat"]);
    repo.imglint(&["--fix", "--exit-zero-on-fix"]).is(0, &[]);
}

#[test]
fn a_bump_of_the_author_is_kept() {
    let scratch = Scratch::new();
    let repo = deep(&scratch);
    repo.write(&[("test/images/agnhost/VERSION", "2.30\n"), ("test/images/cat/VERSION", "4.0\n")]);
    repo.imglint(&["--fix"]).is(1, &[]);
    assert_eq!(read(&repo, "test/images/agnhost/VERSION"), "2.30\n");
    assert_eq!(read(&repo, "test/images/cat/VERSION"), "4.0\n");
    assert!(read(&repo, "test/images/cat/Dockerfile").contains("agnhost:2.30"));
    repo.imglint(&[]).is(0, &[]);
}

#[test]
fn under_staged_the_working_tree_is_repaired_and_the_index_is_left() {
    let scratch = Scratch::new();
    let repo = deep(&scratch);
    repo.git(&["add", "-A"]);
    let before = tree(&repo);
    let index = repo.git(&["ls-files", "-s"]);
    repo.imglint(&["--staged", "--fix"]).is(1, &[]).says(&["the index is as it was", "git add"]);
    assert_eq!(tree(&repo), expected(&before));
    assert_eq!(repo.git(&["ls-files", "-s"]), index);
    repo.imglint(&["--staged"]).is(1, STALE);
    repo.git(&["add", "-A"]);
    repo.imglint(&["--staged"]).is(0, &[]);
}

#[test]
fn a_file_with_unstaged_changes_stops_the_whole_repair() {
    let scratch = Scratch::new();
    let repo = deep(&scratch);
    repo.git(&["add", "-A"]);
    repo.write(&[(
        "test/utils/image/manifest.go",
        &format!("{}// mine\n", read(&repo, "test/utils/image/manifest.go")),
    )]);
    let before = tree(&repo);
    let run = repo.imglint(&["--staged", "--fix"]);
    // What was found is reported all the same, as it is found without the repair.
    run.is(2, STALE).says(&["test/utils/image/manifest.go", "Nothing was written", "git stash --keep-index"]);
    assert_eq!(run.stdout, repo.imglint(&["--staged"]).stdout);
    let json = repo.imglint(&["--staged", "--fix", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["findings"][0]["rule"], "stale-version");
    assert_eq!(tree(&repo), before);
}

#[cfg(unix)]
#[test]
fn what_a_link_leads_to_is_repaired_on_request_alone() {
    let scratch = Scratch::new();
    let repo = deep(&scratch);
    let version = repo.root.join("test/images/kitten/VERSION");
    fs::rename(&version, repo.root.join("test/images/kitten/version")).expect("a file");
    std::os::unix::fs::symlink("version", &version).expect("a link");
    let run = repo.imglint(&["--fix"]);
    run.is(1, STALE);
    assert!(run.stdout.contains("1 with --fix --unsafe-fixes"), "{run}");
    assert_eq!(read(&repo, "test/images/kitten/version"), "1.4\n");
    repo.imglint(&["--fix", "--unsafe-fixes"]).is(1, &[]);
    assert_eq!(read(&repo, "test/images/kitten/version"), "1.5\n");
    assert!(version.is_symlink());
    repo.imglint(&[]).is(0, &[]);
    // A bump is a request.
    repo.commit("so far");
    repo.git(&["checkout", "-q", "-b", "next"]);
    let run = repo.imglint(&["bump", "kitten", "--base", "topic"]);
    assert!(run.code == 0 && version.is_symlink(), "{run}");
    assert_eq!(read(&repo, "test/images/kitten/version"), "1.6\n");
    // So is one of two images whose version is the same file.
    fs::remove_file(repo.root.join("test/images/cat/VERSION")).expect("a file");
    std::os::unix::fs::symlink("../kitten/version", repo.root.join("test/images/cat/VERSION")).expect("a link");
    repo.write(&[("test/images/kitten/version", "1.9\n")]);
    repo.commit("one version for two");
    let run = repo.imglint(&["bump", "kitten", "cat", "--base", "HEAD"]);
    assert!(run.code == 0, "{run}");
    assert_eq!(read(&repo, "test/images/kitten/version"), "1.10\n");
}

#[cfg(unix)]
#[test]
fn links_and_missing_files_stop_the_whole_repair() {
    // A file that became a link after it was staged.
    let scratch = Scratch::new();
    let repo = deep(&scratch);
    repo.git(&["add", "-A"]);
    let version = repo.root.join("test/images/kitten/VERSION");
    fs::rename(&version, repo.root.join("test/images/kitten/version")).expect("a file");
    std::os::unix::fs::symlink("version", &version).expect("a link");
    let before = tree(&repo);
    let run = repo.imglint(&["--staged", "--fix"]);
    run.is(2, STALE).says(&["test/images/kitten/VERSION is a symbolic link", "Nothing was written"]);
    assert_eq!(tree(&repo), before);
    // A file that the sparse checkout does not hold.
    let scratch = Scratch::new();
    let repo = deep(&scratch);
    repo.git(&["add", "-A"]);
    repo.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/test/images/cat/"]);
    let run = repo.imglint(&["--staged", "--fix"]);
    run.is(2, STALE).says(&["test/images/cat/", "does not lie in the working tree"]);
    assert_eq!(read(&repo, "test/images/agnhost/VERSION"), "2.25\n");
}

#[cfg(unix)]
#[test]
fn modes_survive() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new();
    let repo = deep(&scratch);
    let file = repo.root.join("test/images/kitten/VERSION");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a mode");
    repo.imglint(&["--fix"]).is(1, &[]);
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o755);
    assert_eq!(read(&repo, "test/images/kitten/VERSION"), "1.5\n");
}

#[test]
fn paths_narrow_the_repair() {
    let scratch = Scratch::new();
    let repo = deep(&scratch);
    repo.write(&[("test/images/cat/new", "x\n")]);
    repo.imglint(&["--fix", "test/images/cat"]).is(1, &[]);
    assert_eq!(read(&repo, "test/images/cat/VERSION"), "3.10");
    assert_eq!(read(&repo, "test/images/agnhost/VERSION"), "2.25\n");
}

/// What a repair of a path brings about elsewhere is repaired with it.
#[test]
fn a_narrowed_repair_leaves_nothing_of_its_own_behind() {
    let scratch = Scratch::new();
    let repo = deep(&scratch);
    let before = tree(&repo);
    repo.write(&[("test/images/nautilus/VERSION", "no tag!\n")]);
    repo.imglint(&["--fix", "test/images/agnhost"]).is(1, &[]);
    assert_eq!(tree(&repo), expected(&before));
    repo.imglint(&[]).is(1, &["malformed-version", "missing-dockerfile", "missing-postsubmit", "standalone-image"]);
}

#[test]
fn a_reference_with_a_digest_is_left_to_a_human() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let dockerfile = format!("ARG REGISTRY\nFROM $REGISTRY/agnhost:2.25@sha256:{:064}\n", 1);
    repo.change(&[("test/images/kitten/Dockerfile", &dockerfile)]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/agnhost/VERSION", "2.26\n")]);
    let run = repo.imglint(&["--fix"]);
    run.is(1, &["stale-base"]);
    assert!(run.stdout.contains("name 2.26 with its digest"), "{run}");
    assert_eq!(read(&repo, "test/images/kitten/Dockerfile"), dockerfile);
}

#[test]
fn a_bump_by_hand_is_brought_to_its_end() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(DEEP);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let before = tree(&repo);
    repo.write(&[("test/images/agnhost/VERSION", "2.26\n"), ("test/images/other/VERSION", "no tag!\n")]);
    repo.imglint(&["bump", "agnhost"]);
    assert_eq!(tree(&repo), expected(&before));
}

#[test]
fn what_all_repairs_is_said_to_be_a_change() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("test/images/agnhost/VERSION", "2.26\n")]);
    repo.imglint(&["--all", "--fix"]).is(1, &[]).says(&["run `imglint --fix` without --all"]);
    repo.imglint(&["--fix"]).is(1, &[]);
    assert_eq!(read(&repo, "test/images/kitten/VERSION"), "1.5\n");
}

/// Two literals of one place that should be two versions.
#[test]
fn repairs_that_conflict_are_left_out_and_named() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let constants = "[[shape.constants]]\nimage = \"agnhost\"\npath = \"test/images/versions\"\npattern = 'V=(?<value>.*)'\n\
                     [[shape.constants]]\nimage = \"kitten\"\npath = \"test/images/versions\"\npattern = 'V=(?<value>.*)'\n";
    repo.change(&[("imglint.toml", constants)]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/versions", "V=9.9\n"), ("test/images/agnhost/main.go", "package main // changed\n")]);
    let run = repo.imglint(&["--fix"]);
    run.is(1, &["mismatched-constant", "mismatched-constant"]);
    run.says(&[
        "these repairs conflict, so neither was made",
        "to 2.26 (mismatched-constant)",
        "to 1.5 (mismatched-constant)",
    ]);
    assert_eq!(read(&repo, "test/images/versions"), "V=9.9\n");
    assert_eq!(read(&repo, "test/images/agnhost/VERSION"), "2.26\n", "the others are made");
}

/// Where the base branch took up another numbering, the next version is a guess.
#[test]
fn a_guess_is_made_on_request_alone() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("test/images/kitten/x", "x\n")]);
    repo.git(&["checkout", "-q", "master"]);
    repo.change(&[("test/images/kitten/VERSION", "5.0.5-alpine\n")]);
    repo.git(&["checkout", "-q", "topic"]);
    let run = repo.imglint(&["--fix"]);
    run.is(1, STALE);
    assert!(run.stdout.contains("1 with --fix --unsafe-fixes"), "{run}");
    assert_eq!(read(&repo, "test/images/kitten/VERSION"), "1.4\n");
    repo.imglint(&["--unsafe-fixes"]).fails(&["add `--fix`"]);
    repo.imglint(&["--fix", "--unsafe-fixes"]).is(1, &[]);
    assert_eq!(read(&repo, "test/images/kitten/VERSION"), "5.0.6-alpine\n");
}

#[test]
fn a_bump_on_request_brings_what_follows_and_nothing_else() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(DEEP);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let before = tree(&repo);
    let run = repo.imglint(&["bump", "agnhost", "--diff"]);
    assert!(run.code == 0 && run.stdout.contains("+2.26"), "{run}");
    assert_eq!(tree(&repo), before);
    let run = repo.imglint(&["bump", "test/images/agnhost/"]);
    assert!(run.code == 0 && run.stdout.contains("set VERSION of agnhost from 2.25 to 2.26 (bump)"), "{run}");
    assert_eq!(tree(&repo), expected(&before));
    let run = repo.imglint(&["bump", "agnhost"]);
    assert!(run.code == 0 && run.stdout.contains("nothing is left to do"), "{run}");
    assert_eq!(tree(&repo), expected(&before));

    repo.git(&["checkout", "-q", "-f", "."]);
    repo.write(&[("test/images/kitten/forgotten", "x\n")]);
    repo.imglint(&["bump", "cat", "--to", "7.0"]);
    assert_eq!(read(&repo, "test/images/cat/VERSION"), "7.0");
    assert_eq!(read(&repo, "test/images/kitten/VERSION"), "1.4\n", "that was not asked for");
    repo.imglint(&["bump", "cat", "kitten", "--to", "1"]).fails(&["bump one image at a time"]);
    // Named twice, it is still one image.
    repo.imglint(&["bump", "cat", "test/images/cat", "--diff"]);
    repo.write(&[("test/images/cat/VERSION", "1.9\n")]);
    repo.commit("a version that grows");
    repo.git(&["checkout", "-q", "-b", "next"]);
    repo.imglint(&["bump", "cat", "test/images/cat", "--base", "topic"]);
    assert_eq!(read(&repo, "test/images/cat/VERSION"), "1.10\n");
    repo.imglint(&["bump", "kiten"]).fails(&["no such image: kiten", "did you mean `kitten`?"]);
    repo.imglint(&["bump", "cat", "--to", "a b"]).fails(&["`a b` is no image tag"]);
}

/// What a registry has published under another branch is no version to give.
#[test]
fn a_bump_passes_over_versions_that_are_promoted() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let digest = "0".repeat(64);
    let list = format!("- name: agnhost\n  dmap:\n    \"sha256:{digest}\": [\"2.25\", \"2.26\", \"2.27\"]\n");
    let promoted = scratch.path().join("images.yaml");
    fs::write(&promoted, list).expect("the list");
    let promoted = format!("--promoted={}", promoted.display());
    repo.imglint(&["bump", "agnhost", &promoted]);
    assert_eq!(read(&repo, "test/images/agnhost/VERSION"), "2.28\n");
    repo.git(&["checkout", "-q", "-f", "."]);
    let run = repo.imglint(&["bump", "agnhost", "--to", "2.26", &promoted]);
    assert!(run.stdout.contains("agnhost 2.26 is promoted already"), "{run}");
    repo.imglint(&["bump", "agnhost", "--promoted", "nowhere.yaml"]).fails(&["nowhere.yaml"]);
}

/// As `inspect` does, `bump` takes any of an image's names.
#[test]
fn an_image_is_bumped_by_any_of_its_names() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("test/images/kitten/ALIAS", "tomcat\n"), ("test/images/cat/VERSION", "2.0\n")]);
    repo.git(&["checkout", "-q", "-b", "next"]);
    let run = repo.imglint(&["inspect", "tomcat"]);
    assert!(run.code == 0 && run.stdout.contains("kitten"), "{run}");
    let run = repo.imglint(&["bump", "tomcat"]);
    assert!(run.code == 0, "{run}");
    assert_eq!(read(&repo, "test/images/kitten/VERSION"), "1.5\n");

    // Two images of one name: which is meant is nothing to guess.
    repo.write(&[("test/images/cat/ALIAS", "tomcat\n")]);
    let run = repo.imglint(&["bump", "tomcat"]);
    run.fails(&["tomcat can mean several images", "test/images/cat, test/images/kitten"]);
    repo.imglint(&["bump", "cat"]);
    assert_eq!(read(&repo, "test/images/cat/VERSION"), "2.1\n", "each has a name of its own");
}

/// How many files were replaced, and how many wait to take their place.
fn progress(repo: &Repo, before: &BTreeMap<&'static str, String>) -> usize {
    let mut directories: Vec<&Path> = before.keys().filter_map(|path| Path::new(path).parent()).collect();
    directories.dedup();
    let waiting =
        directories.iter().flat_map(|directory| fs::read_dir(repo.root.join(directory)).expect("a directory"));
    let waiting =
        waiting.filter_map(Result::ok).filter(|entry| entry.file_name().to_string_lossy().starts_with(".imglint-"));
    let replaced =
        before.iter().filter(|(path, text)| fs::read_to_string(repo.root.join(path)).is_ok_and(|now| now != **text));
    waiting.count() + 2 * replaced.count()
}

/// A file that only looks like one of ours may be anybody's, and git may know it.
#[test]
fn a_file_that_looks_like_a_leftover_is_left_alone() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    let others =
        [("test/images/agnhost/.imglint-x.tmp", "tracked"), ("test/images/agnhost/.imglint-abcdef.tmp", "untracked")];
    repo.write(&others);
    repo.git(&["add", "-f", others[0].0]);
    let yesterday = std::time::SystemTime::now() - Duration::from_hours(24);
    for (path, _) in others {
        let file = fs::File::options().write(true).open(repo.root.join(path)).expect("a file");
        file.set_modified(yesterday).expect("a time can be set");
    }
    repo.imglint(&["--fix"]).is(1, &[]);
    for (path, text) in others {
        assert_eq!(read(&repo, path), text);
    }
}

/// A process is killed at every step of its writing. Each file must be whole, and the next run must bring the work to its end.
#[test]
fn killed_at_any_point_each_file_is_whole_and_the_next_run_goes_on() {
    let mut stopped = 0;
    for step in 0..=2 * REPAIRED.len() {
        let scratch = Scratch::on_disk();
        let repo = deep(&scratch);
        let before = tree(&repo);
        let after = expected(&before);
        let mut child = repo
            .imglint_command(&["--fix"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("imglint starts");
        let begin = Instant::now();
        while progress(&repo, &before) < step && child.try_wait().expect("a child").is_none() {
            assert!(begin.elapsed() < Duration::from_mins(1), "imglint hangs");
        }
        child.kill().expect("a child can be killed");
        child.wait().expect("a child ends");
        let now = tree(&repo);
        for (path, text) in &now {
            assert!(*text == before[path] || *text == after[path], "{path} is neither old nor new: {text:?}");
        }
        stopped += usize::from(now != after);
        let run: Run = repo.imglint(&["--fix"]);
        assert!(run.code < 2, "{run}");
        assert_eq!(tree(&repo), after, "after a kill at step {step}\n{run}");
        repo.imglint(&[]).is(0, &[]);
    }
    assert!(stopped > 2, "the process was always done before it could be killed");
}

/// Whoever bumps one bumps the other.
#[cfg(unix)]
#[test]
fn a_version_that_two_images_share_by_a_link_is_told() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[
        ("imglint.toml", "pack = \"generic\"\n"),
        ("images/a/VERSION", "1.0\n"),
        ("images/a/Dockerfile", "FROM scratch\n"),
        ("images/b/Dockerfile", "FROM scratch\n"),
    ]);
    std::os::unix::fs::symlink("../a/VERSION", repo.root.join("images/b/VERSION")).expect("a link");
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("images/b/Dockerfile", "FROM scratch\nCOPY b /\n")]);
    let run = repo.imglint(&[]);
    let told = "set VERSION to 1.1; that is images/a/VERSION, which is the version of a, too";
    assert!(run.code == 1 && run.stdout.contains(told), "{run}");
}
