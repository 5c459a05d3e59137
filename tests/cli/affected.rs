//! Which images a change touches, why, and in which order they can be built.

use serde_json::{Value, json};

use super::harness::{Repo, Run, Scratch};

const CONFIG: &str = "pack = \"generic\"\nshape.references.registries = [\"ghcr.io/acme\"]\n";

/// base ← middle ← top, and lone on its own.
fn shop(scratch: &Scratch) -> Repo {
    let repo = scratch.init("repo");
    repo.write(&[
        ("imglint.toml", CONFIG),
        ("images/base/VERSION", "1.1\n"),
        ("images/base/Dockerfile", "FROM alpine:3.20\n"),
        ("images/middle/VERSION", "2.0\n"),
        ("images/middle/Dockerfile", "FROM ghcr.io/acme/base:1.1\n"),
        ("images/top/VERSION", "3.0\n"),
        ("images/top/Dockerfile", "FROM alpine:3.20\nCOPY --from=ghcr.io/acme/middle:2.0 /a /a\n"),
        ("images/lone/VERSION", "4.0\n"),
        ("images/lone/Dockerfile", "FROM alpine:3.20\n"),
    ]);
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo
}

fn affected(repo: &Repo) -> Value {
    let run = repo.imglint(&["affected", "--format", "json"]);
    assert_eq!(run.code, 0, "{run}");
    serde_json::from_str(&run.stdout).expect("JSON")
}

/// The names of all images, each with its level.
fn levels(affected: &Value) -> Vec<(&str, u64)> {
    let images = affected["images"].as_array().expect("a list");
    images
        .iter()
        .map(|image| (image["name"].as_str().expect("a name"), image["level"].as_u64().expect("a level")))
        .collect()
}

#[track_caller]
fn prints(run: &Run, text: &str) {
    assert!(run.code == 0 && run.stdout == text, "expected {text:?}\n{run}");
}

#[test]
fn what_is_built_on_a_changed_image_follows_it() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[
        ("images/base/run.sh", "true\n"),
        ("images/base/VERSION", "1.2\n"),
        ("images/base/README.md", "x\n"),
    ]);
    let run = repo.imglint(&["affected"]);
    prints(
        &run,
        "0 base 1.2 in images/base\n    its version was 1.1 and is 1.2\n    images/base/run.sh changed\n\
         1 middle 2.0 in images/middle\n    it is built on base 1.1, which is 1.2 now (images/middle/Dockerfile:1)\n\
         2 top 3.0 in images/top\n    it is built on middle 2.0 (images/top/Dockerfile:2)\n",
    );
    run.says(&["3 images affected", "base: "]);
    prints(&repo.imglint(&["affected", "--format", "names"]), "base\nmiddle\ntop\n");
    prints(&repo.imglint(&["affected", "--format", "matrix"]), "[\"base\",\"middle\",\"top\"]\n");
    prints(&repo.imglint(&["affected", "--format", "names", "images/top"]), "top\n");

    let found = affected(&repo);
    assert_eq!((&found["version"], &found["head"]["kind"]), (&json!(1), &json!("worktree")));
    let base = &found["images"][0];
    assert_eq!(
        (&base["directory"], &base["published"], &base["version"]),
        (&json!("images/base"), &json!("base"), &json!("1.2"))
    );
    let reasons = json!([
        { "kind": "version", "before": "1.1", "after": "1.2" },
        { "kind": "content", "path": "images/base/run.sh" },
    ]);
    assert_eq!(base["reasons"], reasons);
    let reasons = json!([{ "kind": "base", "parent": "base", "directory": "images/base", "path": "images/middle/Dockerfile",
                           "line": 1, "names": "1.1", "stale": true }]);
    assert_eq!(found["images"][1]["reasons"], reasons);
    assert_eq!(found["images"][2]["reasons"][0]["stale"], json!(false));
}

#[test]
fn a_change_that_touches_no_image_is_an_answer() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[("README.md", "x\n"), ("images/base/README.md", "x\n")]);
    prints(&repo.imglint(&["affected"]), "");
    prints(&repo.imglint(&["affected", "--format", "matrix"]), "[]\n");
    assert_eq!(affected(&repo)["images"], json!([]));
}

#[test]
fn where_it_could_not_look_the_run_fails() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.imglint(&["affected", "--base", "nowhere"]).fails(&["nowhere"]);
    repo.imglint(&["affected", "images/nope"]).fails(&["no such file or directory: images/nope"]);
    repo.change(&[("imglint.toml", "pack = \"generic\"\nshape.images.roots = [\"containers\"]\n")]);
    repo.imglint(&["affected"]).fails(&["there is no file below containers"]);
    repo.change(&[("imglint.toml", "pack = \"generic\"\nshape.images.version = \"TAG\"\n")]);
    repo.imglint(&["affected"]).fails(&["TAG", "so there is no image"]);
    let clone = scratch.clone(&repo, "shallow", &["--depth=1"]);
    clone.imglint_with(&["affected"], &[("CI", "true")]).fails(&["nothing to show"]);
}

#[test]
fn index_and_working_tree_can_be_asked_for() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.write(&[("images/lone/run.sh", "true\n")]);
    repo.git(&["add", "-A"]);
    repo.write(&[("images/top/run.sh", "true\n")]);
    prints(&repo.imglint(&["affected", "--format", "names", "--staged"]), "lone\n");
    prints(&repo.imglint(&["affected", "--format", "names", "--worktree"]), "lone\ntop\n");
    prints(&repo.imglint(&["affected", "--format", "names", "--head", "HEAD", "--base", "master"]), "");
}

#[test]
fn all_images_come_in_an_order_in_which_they_can_be_built() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    let run = repo.imglint(&["affected", "--all", "--format", "names"]);
    prints(&run, "base\nlone\nmiddle\ntop\n");
    let run = repo.imglint(&["affected", "--all", "images/lone"]);
    prints(&run, "0 lone 4.0 in images/lone\n    all images are asked for\n");
}

#[test]
fn images_that_are_new_moved_or_gone_are_told_apart() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.git(&["mv", "images/base", "images/ground"]);
    repo.git(&["rm", "-rq", "images/lone"]);
    repo.change(&[
        ("images/ground/ALIAS", "base\n"),
        ("images/fresh/VERSION", "1.0\n"),
        ("images/fresh/Dockerfile", "FROM scratch\n"),
        ("imglint.toml", &format!("{CONFIG}shape.images.alias-file = \"ALIAS\"\n")),
    ]);
    let found = affected(&repo);
    assert_eq!(levels(&found), [("fresh", 0), ("ground", 0), ("middle", 1), ("top", 2)]);
    assert_eq!(found["images"][0]["reasons"][0], json!({ "kind": "new" }));
    assert_eq!(found["images"][1]["reasons"][0], json!({ "kind": "moved", "from": "images/base" }));
    assert_eq!(found["images"][1]["published"], json!("base"));
    assert_eq!(found["images"][2]["reasons"][0]["parent"], json!("ground"));
    assert_eq!(found["removed"], json!(["images/base", "images/lone"]));
}

/// Two images may be published under one name: the one is meant that has the version.
#[test]
fn of_images_of_one_name_the_one_with_the_version_is_meant() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[
        ("imglint.toml", &format!("{CONFIG}shape.images.alias-file = \"ALIAS\"\n")),
        ("images/base-new/ALIAS", "base\n"),
        ("images/base-new/VERSION", "2.1\n"),
        ("images/base-new/Dockerfile", "FROM alpine:3.21\n"),
        ("images/web/VERSION", "1.0\n"),
        ("images/web/Dockerfile", "FROM ghcr.io/acme/base:2.1\n"),
    ]);
    repo.git(&["checkout", "-q", "-B", "master"]);
    repo.git(&["checkout", "-q", "-b", "next"]);
    repo.change(&[("images/base-new/run.sh", "true\n")]);
    assert_eq!(levels(&affected(&repo)), [("base-new", 0), ("web", 1)]);
}

#[test]
fn a_cycle_is_told_and_does_not_hang() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[
        ("images/base/Dockerfile", "FROM ghcr.io/acme/top:3.0\n"),
        ("images/lone/Dockerfile", "FROM ghcr.io/acme/lone:4.0\n"),
    ]);
    let found = affected(&repo);
    assert_eq!(levels(&found), [("base", 0), ("lone", 0), ("middle", 1), ("top", 2)]);
    assert_eq!(found["cycles"], json!([["base", "top", "middle"], ["lone"]]));
    repo.imglint(&["affected"]).says(&["no order is right for what is built from itself: base ← top ← middle ← base"]);
}

/// An image that is begun from an older one of itself can be built.
#[test]
fn an_older_self_is_no_parent() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[("images/lone/Dockerfile", "FROM ghcr.io/acme/lone:3.9\n")]);
    let found = affected(&repo);
    assert_eq!((levels(&found), &found["cycles"]), (vec![("lone", 0)], &json!([])));
}

/// What only the build knows may be one of the affected images: no guess, and no silence.
#[test]
fn a_base_that_cannot_be_told_is_said() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[
        ("images/lone/Dockerfile", "ARG PARENT\nFROM ${PARENT}\n"),
        ("images/odd/VERSION", "1.0\n"),
        ("images/odd/Dockerfile", "NONSENSE\n"),
    ]);
    repo.git(&["checkout", "-q", "-B", "master"]);
    repo.git(&["checkout", "-q", "-b", "next"]);
    repo.change(&[("images/base/run.sh", "true\n")]);
    let found = affected(&repo);
    assert_eq!(levels(&found), [("base", 0), ("middle", 1), ("top", 2)]);
    let untold = found["untold"].as_array().expect("a list");
    let untold: Vec<_> = untold.iter().map(|untold| (&untold["name"], &untold["path"], &untold["line"])).collect();
    assert_eq!(untold[0], (&json!("lone"), &json!("images/lone/Dockerfile"), &json!(2)));
    assert_eq!((untold[1].0, untold[1].1, untold.len()), (&json!("odd"), &json!("images/odd/Dockerfile"), 2));
    repo.imglint(&["affected"]).says(&["note: lone may be affected, too: images/lone/Dockerfile:2"]);
    // Where nothing is affected, nothing can be built on it.
    repo.git(&["checkout", "-q", "-b", "none", "master"]);
    assert_eq!(affected(&repo)["untold"], json!([]));
}

/// A name with a line feed would be two lines, of which each may be the name of another image.
#[cfg(unix)]
#[test]
fn hostile_names_stay_names() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[("images/a\nlone/VERSION", "1.0\n"), ("images/a\nlone/Dockerfile", "FROM scratch\n")]);
    repo.imglint(&["affected", "--format", "names"]).fails(&["cannot stand in a line", "--format matrix"]);
    prints(&repo.imglint(&["affected", "--format", "matrix"]), "[\"a\\nlone\"]\n");
    let run = repo.imglint(&["affected"]);
    assert!(run.stdout.starts_with("0 a\\nlone 1.0 in images/a\\nlone\n"), "{run}");
}

/// Below two roots, two images may have one name.
#[test]
fn a_matrix_names_no_two_images_alike() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[
        ("imglint.toml", &format!("{CONFIG}shape.images.roots = [\"images\", \"test\"]\n")),
        ("test/lone/VERSION", "1.0\n"),
        ("test/lone/Dockerfile", "FROM scratch\n"),
        ("images/lone/run.sh", "true\n"),
        ("images/top/run.sh", "true\n"),
    ]);
    let run = repo.imglint(&["affected", "--format", "matrix"]);
    prints(&run, "[\"images/lone\",\"top\",\"test/lone\"]\n");
}
