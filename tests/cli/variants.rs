//! Directories with several variants of an image, each with a version of its own.

use super::harness::{Repo, Scratch};

const CONFIG: &str = "pack = \"generic\"\n\
    shape.images.version = { file = \"variants.yaml\", key = \"variants.*.IMAGE_VERSION\", revision = \"REVISION\" }\n";

const VARIANTS: &str = "variants:\n  new:\n    IMAGE_VERSION: 'v1-go2.0'\n    REVISION: '0'\n  old:\n    IMAGE_VERSION: 'v1-go1.9'\n    REVISION: '9'\n";

fn repo(scratch: &Scratch) -> Repo {
    let repo = scratch.init("repo");
    repo.write(&[
        ("images/run/variants.yaml", VARIANTS),
        ("images/run/Dockerfile", "FROM scratch\n"),
        ("imglint.toml", CONFIG),
    ]);
    repo.commit("base");
    repo
}

fn read(repo: &Repo) -> String {
    std::fs::read_to_string(repo.root.join("images/run/variants.yaml")).expect("a file")
}

#[test]
fn all_variants_are_bumped_with_what_repeats_their_versions() {
    let scratch = Scratch::new();
    let repo = repo(&scratch);
    let shown = repo.imglint(&["inspect", "run"]);
    assert!(shown.is(0, &[]).stdout.starts_with("run new v1-go2.0, old v1-go1.9\n"), "{shown}");
    repo.imglint(&["bump", "run", "--to", "v2"]).is(2, &[]).says(&["run has several variants", "leave out `--to`"]);
    repo.imglint(&["bump", "run"]).is(0, &[]);
    let bumped =
        VARIANTS.replace("go2.0'", "go2.1'").replace("'0'", "'1'").replace("1.9'", "1.10'").replace("'9'", "'10'");
    assert_eq!(read(&repo), bumped);
    // What is bumped stays.
    repo.imglint(&["bump", "run"]).is(0, &[]);
    assert_eq!(read(&repo), bumped);
}

/// A constant holds one version: that it is compared with none of several must not look as if it were right.
#[test]
fn what_knows_nothing_of_variants_is_said() {
    let scratch = Scratch::new();
    let repo = repo(&scratch);
    let constant =
        "[[shape.constants]]\nimage = \"run\"\npath = \"run.go\"\npattern = 'Version = \"(?<value>[^\"]+)\"'\n";
    let version = "package run\n\nconst Version = \"v0\"\n";
    repo.write(&[("imglint.toml", &format!("{CONFIG}{constant}")), ("run.go", version)]);
    repo.imglint(&["--all"]).is(0, &[]).says(&["constants: `run` names an image that has several variants"]);
}

/// What was merged without a new version is found for each variant by itself: that another one got a new version since says nothing.
#[test]
fn the_history_tells_of_each_variant_since_when_it_has_its_version() {
    let scratch = Scratch::new();
    let repo = repo(&scratch);
    let drifted = |expected: &[&str]| {
        let run = repo.imglint(&["--all", "--rule", "unbumped-content"]);
        run.is(0, &vec!["unbumped-content"; expected.len()]);
        for name in expected {
            let words =
                format!("run is not what it was when its `variants.{name}.IMAGE_VERSION` in variants.yaml became");
            assert!(run.stdout.contains(&words), "{run}");
        }
        run
    };
    drifted(&[]);
    repo.write(&[("images/run/Dockerfile", "FROM scratch\nUSER 1000\n")]);
    repo.commit("Another user");
    let run = drifted(&["new", "old"]);
    assert!(run.stdout.contains("set `variants.old.IMAGE_VERSION` in variants.yaml to v1-go1.10"), "{run}");
    let bumped = VARIANTS.replace("go2.0'", "go2.1'").replace("'0'", "'1'");
    repo.write(&[("images/run/variants.yaml", &bumped)]);
    repo.commit("Bump");
    drifted(&["old"]);
    let status = repo.imglint(&["status"]);
    assert!(status.stdout.contains("1 commit"), "{status}");
    repo.imglint(&["--all", "--rule", "unbumped-content", "--fix", "--unsafe-fixes"]).is(1, &[]);
    assert_eq!(read(&repo), bumped.replace("1.9'", "1.10'").replace("'9'", "'10'"));
    repo.commit("Bump the other");
    drifted(&[]);
    // What is one variant's own is none of the other's.
    repo.write(&[("images/run/variants.yaml", &read(&repo).replace("REVISION: '1'", "REVISION: '1'\n    TOOL: x"))]);
    repo.commit("A tool");
    drifted(&["new"]);
}

/// A pipeline judges the merge of two changes that both bumped a variant: the author's is taken, and not forgotten.
#[test]
fn a_version_of_a_variant_that_both_sides_took_is_told_in_the_merge() {
    let scratch = Scratch::new();
    let repo = repo(&scratch);
    let with_tools =
        VARIANTS.replace("REVISION: '0'", "REVISION: '0'\n    # One.\n    A: 1\n    # Two.\n    B: 1\n    # Three.");
    repo.write(&[("images/run/variants.yaml", &with_tools)]);
    repo.commit("Tools");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let bumped = with_tools.replace("go2.0'", "go2.1'").replace("'0'", "'1'");
    repo.write(&[("images/run/variants.yaml", &bumped.replace("B: 1", "B: 2"))]);
    repo.commit("A tool");
    repo.git(&["checkout", "-q", "master"]);
    repo.write(&[("images/run/variants.yaml", &bumped.replace("A: 1", "A: 2"))]);
    repo.commit("Another");
    repo.git(&["merge", "-q", "--no-ff", "-m", "Merge", "topic"]);
    let run = repo.imglint(&["--base", "HEAD^1", "--head", "HEAD"]);
    run.is(1, &["taken-version"]);
    assert!(run.stdout.contains("run v1-go2.1 is taken: master has it already"), "{run}");
}

#[test]
fn keys_that_cannot_be_those_of_variants_are_refused() {
    let scratch = Scratch::new();
    let repo = repo(&scratch);
    for (version, reason) in [
        ("{ file = \"v.yaml\", key = \"a.*.b.*.c\" }", "one `*` may stand in a key"),
        ("{ file = \"v.yaml\", key = \"variants.*\" }", "one `*` may stand in a key"),
        ("{ file = \"v.json\", key = \"variants.*.v\" }", "variants are read in YAML alone"),
        ("{ file = \"v.yaml\", key = \"v\", revision = \"r\" }", "`revision` and `directories` are keys of variants"),
    ] {
        repo.write(&[("imglint.toml", &format!("pack = \"generic\"\nshape.images.version = {version}\n"))]);
        repo.imglint(&["--all"]).is(2, &[]).says(&[reason]);
    }
}
