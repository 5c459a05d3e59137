//! What an image is made of where that cannot be read, or lies where nobody looks.

use super::harness::{Repo, Scratch};

/// What Git LFS stores in the place of a file.
const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

/// agnhost imports a package of resource-consumer in one of its files. The change edits that package, and bumps resource-consumer.
fn importing(scratch: &Scratch, source: &str) -> Repo {
    let repo = scratch.kubernetes("repo");
    repo.write(&[
        ("test/images/agnhost/large.go", source),
        ("test/images/resource-consumer/VERSION", "1.0\n"),
        ("test/images/resource-consumer/Dockerfile", "FROM scratch\n"),
        ("test/images/resource-consumer/common/common.go", "package common\n"),
    ]);
    repo.commit("sources");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[
        ("test/images/resource-consumer/VERSION", "1.1\n"),
        ("test/images/resource-consumer/common/common.go", "package common // changed\n"),
    ]);
    repo
}

#[test]
fn a_source_that_cannot_be_read_fails_the_rule_that_needs_it() {
    let large = format!(
        "package main\n\nimport _ \"k8s.io/kubernetes/test/images/resource-consumer/common\"\n\nvar d = \"{}\"\n",
        "x".repeat(1 << 20)
    );
    for (source, why) in [(large.as_str(), "it is larger than 1 MiB"), (POINTER, "it is a pointer of Git LFS")] {
        let scratch = Scratch::new();
        let repo = importing(&scratch, source);
        let run = repo.imglint(&["--base", "master", "--head", "HEAD"]);
        run.is(2, &[]).says(&["the rule stale-version failed", "test/images/agnhost/large.go", why]);
        // Nothing is undecided once it has a new version.
        repo.change(&[
            ("test/images/agnhost/VERSION", "2.26\n"),
            ("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.26-linux-amd64\n"),
            ("test/images/kitten/VERSION", "1.5\n"),
        ]);
        repo.imglint(&["--base", "master", "--head", "HEAD", "--rule", "stale-version"]).is(0, &[]);
    }
}

#[test]
fn a_source_that_cannot_be_read_concerns_no_change_elsewhere() {
    let scratch = Scratch::new();
    let repo = importing(&scratch, POINTER);
    repo.git(&["checkout", "-q", "-B", "other", "master"]);
    repo.change(&[("test/images/kitten/VERSION", "1.5\n"), ("test/images/kitten/run.sh", "changed\n")]);
    repo.imglint(&["--base", "master", "--head", "HEAD"]).is(0, &[]);
}

#[cfg(unix)]
#[test]
fn a_source_that_leads_out_of_the_tree_fails_the_rule_that_needs_it() {
    let scratch = Scratch::new();
    let repo = importing(&scratch, "package main\n");
    std::os::unix::fs::symlink("../../../../elsewhere.go", repo.root.join("test/images/agnhost/link.go"))
        .expect("a link");
    repo.git(&["checkout", "-q", "master"]);
    repo.commit("a link");
    repo.git(&["checkout", "-q", "topic"]);
    repo.git(&["rebase", "-q", "master"]);
    let run = repo.imglint(&["--base", "master", "--head", "HEAD"]);
    run.is(2, &[]).says(&["the rule stale-version failed", "test/images/agnhost/link.go", "is a symbolic link to"]);
}

/// Moves a directory away, puts a link in its place, and edits behind it.
#[cfg(unix)]
fn hidden(scratch: &Scratch, directory: &str, target: &str) -> Repo {
    let repo = scratch.kubernetes("repo");
    repo.write(&[("test/images/pets/cat/VERSION", "1.0\n"), ("test/images/pets/cat/main.go", "package main\n")]);
    repo.commit("a group");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.git(&["mv", directory, "elsewhere"]);
    std::os::unix::fs::symlink(target, repo.root.join(directory)).expect("a link");
    let below = "test/images/pets/cat/main.go".strip_prefix(directory).expect("it lies there");
    repo.write(&[(&format!("elsewhere{below}"), "package main // changed\n")]);
    repo.write(&[("imglint.toml", "pack = \"kubernetes\"\n")]);
    repo
}

#[cfg(unix)]
#[test]
fn a_link_above_images_is_seen_wherever_it_lies() {
    for (directory, target) in
        [("test/images/pets", "../../elsewhere"), ("test/images", "../elsewhere"), ("test", "elsewhere")]
    {
        let scratch = Scratch::new();
        let repo = hidden(&scratch, directory, target);
        let seen = |head: &[&str]| {
            let run = repo.imglint(&[&["--base", "master", "--rule", "hidden-images"], head].concat());
            run.is(1, &["hidden-images"]);
            assert!(run.stdout.contains(&format!("{directory} is a link")), "{run}");
        };
        seen(&["--worktree"]);
        repo.commit("moved");
        seen(&["--staged"]);
        seen(&["--head", "HEAD"]);
    }
}

#[test]
fn another_repository_above_images_is_seen() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let commit = repo.git(&["rev-parse", "HEAD"]);
    repo.write(&[("test/images/pets/cat/VERSION", "1.0\n")]);
    repo.commit("a group");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.git(&["rm", "-q", "-r", "test/images/pets"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},test/images/pets")]);
    repo.git(&["commit", "-q", "-m", "a submodule"]);
    let run = repo.imglint(&["--base", "master", "--head", "HEAD", "--rule", "hidden-images"]);
    run.is(1, &["hidden-images"]);
}

/// Where images may lie anywhere, another repository may be anything, and one that is vendored, or that tools keep, is nothing.
#[test]
fn other_repositories_are_told_where_images_may_lie_in_them() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[
        ("imglint.toml", "pack = \"generic\"\nshape.images.roots = [\".\"]\n"),
        ("web/VERSION", "1.0\n"),
        ("web/Dockerfile", "FROM scratch\n"),
    ]);
    let commit = repo.commit("images");
    for path in ["library", "tools/vendor/parser", ".cache/worktrees/one"] {
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},{path}")]);
    }
    repo.git(&["commit", "-q", "-m", "other repositories"]);
    let run = repo.imglint(&["--all", "--head", "HEAD"]);
    run.is(0, &["hidden-images"]);
    assert!(run.stdout.contains("library:1:1: note: library is another repository"), "{run}");
}

#[test]
fn what_git_lfs_has_fetched_is_read_and_what_it_has_not_silences_the_rules_that_need_it() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.write(&[
        ("test/images/agnhost/agnhost.go", POINTER),
        ("test/images/agnhost/Dockerfile", "ARG BASEIMAGE\nFROM $BASEIMAGE\nRUN x\n"),
    ]);
    repo.commit("a pointer");
    // Other rules go on.
    repo.imglint(&["--all", "--rule", "windows-run"]).is(1, &["windows-run"]);
    let run = repo.imglint(&["--all", "--rule", "mismatched-constant", "--rule", "windows-run"]);
    run.is(2, &["windows-run"]).says(&[
        "the rule mismatched-constant failed",
        "1 file to be looked into",
        "git lfs pull",
    ]);
    let hash = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
    let fetched = format!(".git/lfs/objects/4d/7a/{hash}");
    repo.write(&[(&fetched, "package main\n\nvar app = cobra.Command{Version: \"2.24\"}\n")]);
    repo.imglint(&["--all", "--rule", "mismatched-constant"]).is(1, &["mismatched-constant"]);
    repo.write(&[(&fetched, &"x".repeat((1 << 20) + 1))]);
    repo.imglint(&["--all", "--rule", "mismatched-constant"]).is(2, &[]).says(&["larger than 1 MiB"]);
}

#[test]
fn a_manifest_that_could_not_be_read_before_makes_nothing_old() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.write(&[("test/utils/image/manifest.go", POINTER)]);
    repo.commit("a pointer");
    repo.imglint(&["--all", "--rule", "dangling-reference"]).is(2, &[]).says(&["test/utils/image/manifest.go"]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[(
        "test/utils/image/manifest.go",
        "package image\n\nfunc x() {\n\tconfigs[Gone] = Config{e2eRegistry, \"gone\", \"1.0\"}\n}\n",
    )]);
    repo.imglint(&["--base", "master", "--head", "HEAD", "--rule", "dangling-reference"])
        .is(0, &["dangling-reference"]);
}

/// A second image that says in ALIAS, in these bytes, under which name it is published.
fn published_as(scratch: &Scratch, alias: &[u8]) -> Repo {
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[
        ("test/images/agnhost-new/VERSION", "2.25\n"),
        ("test/images/agnhost-new/Dockerfile", "FROM scratch\n"),
    ]);
    std::fs::write(repo.root.join("test/images/agnhost-new/ALIAS"), alias).expect("a file");
    repo.commit("a second agnhost");
    repo
}

#[test]
fn a_name_is_read_as_a_shell_reads_it() {
    for alias in [&b"agn\0host"[..], b"agnhost\0\n", b" agnhost\r\n\n\n"] {
        let scratch = Scratch::new();
        let run = published_as(&scratch, alias).imglint(&["--base", "master", "--rule", "duplicate-name"]);
        run.is(1, &["duplicate-name"]);
    }
}

#[test]
fn a_name_that_cannot_be_read_fails_the_rule_that_needs_it() {
    let long = format!("agnhost{}", "\n".repeat(1 << 20));
    let contents = [long.as_bytes(), b"agn\xffhost", b"\xef\xbb\xbfagnhost", b"agnhost other", POINTER.as_bytes()];
    for alias in contents {
        let scratch = Scratch::new();
        let repo = published_as(&scratch, alias);
        let run = repo.imglint(&["--base", "master", "--rule", "duplicate-name"]);
        run.is(2, &[]).says(&["the rule duplicate-name failed", "test/images/agnhost-new/ALIAS"]);
        repo.imglint(&["--all", "--rule", "duplicate-name"]).is(2, &[]);
        // It concerns nobody who changes something else.
        repo.git(&["checkout", "-q", "-b", "other"]);
        repo.change(&[("test/images/kitten/VERSION", "1.5\n")]);
        repo.imglint(&["--base", "topic", "--rule", "duplicate-name"]).is(0, &[]);
    }
}
