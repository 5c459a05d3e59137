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

/// What was merged without a new version is found, whichever variant was the last to get one.
#[test]
fn the_history_tells_since_when_variants_have_their_versions() {
    let scratch = Scratch::new();
    let repo = repo(&scratch);
    repo.imglint(&["--all", "--rule", "unbumped-content"]).is(0, &[]);
    repo.write(&[("images/run/Dockerfile", "FROM scratch\nUSER 1000\n")]);
    repo.commit("Another user");
    let run = repo.imglint(&["--all", "--rule", "unbumped-content"]);
    let words =
        "run is not what it was when its `variants.*.IMAGE_VERSION` in variants.yaml became new v1-go2.0, old v1-go1.9";
    assert!(run.is(0, &["unbumped-content"]).stdout.contains(words), "{run}");
    repo.write(&[("images/run/variants.yaml", &VARIANTS.replace("go2.0'", "go2.1'").replace("'0'", "'1'"))]);
    repo.commit("Bump");
    repo.imglint(&["--all", "--rule", "unbumped-content"]).is(0, &[]);
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
