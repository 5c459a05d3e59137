//! `imglint status`: where images stand, and the checklist of a change.

use super::harness::{Repo, Scratch};

const MANIFEST: &str =
    "package image\n\nfunc init() {\n\tconfigs[Agnhost] = Config{list.PromoterE2eRegistry, \"agnhost\", \"2.25\"}\n}\n";
const DEPENDENCIES: &str = "dependencies:\n  - name: agnhost\n    version: 2.25\n    refPaths:\n    - path: test/utils/image/manifest.go\n      match: configs\\[Agnhost\\]\n    - path: hack/pod.yaml\n      match: agnhost:\\d\n";

fn tree(scratch: &Scratch) -> Repo {
    let repo = scratch.kubernetes("repo");
    repo.write(&[
        ("test/images/README.md", "use the newly promoted image\n"),
        ("test/utils/image/manifest.go", MANIFEST),
        ("build/dependencies.yaml", DEPENDENCIES),
        ("hack/pod.yaml", "image: agnhost:2.25\n"),
        ("test/images/nginx-new/VERSION", "1.2-1\n"),
        ("test/images/nginx-new/ALIAS", "nginx\n"),
    ]);
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo
}

#[test]
fn every_image_has_a_line() {
    let scratch = Scratch::new();
    let repo = tree(&scratch);
    repo.write(&[("../images.yaml", "- name: agnhost\n  dmap:\n    \"sha256:1\": [\"2.25\"]\n")]);
    let run = repo.imglint(&["status", "--promoted", "../images.yaml"]);
    let [first, second] = ["HEAD~1", "HEAD"].map(|revision| repo.git(&["rev-parse", "--short=12", revision]));
    let expected = format!(
        "agnhost 2.25 · promoted · manifest: Agnhost 2.25 · kitten names 2.25 · unchanged since 2.25 was set in {first}\n\
         kitten 1.4 · not promoted · no entry in the manifest · no children · unchanged since 1.4 was set in {first}\n\
         nginx-new (published as nginx) 1.2-1 · not promoted · no entry in the manifest · no children · unchanged since \
         1.2-1 was set in {second}\n"
    );
    assert_eq!(run.stdout, expected, "{run}");
    assert_eq!(run.code, 0, "{run}");
    let one = repo.imglint(&["status", "kitten"]);
    let expected = format!(
        "kitten 1.4 · promoted? (--promoted tells) · no entry in the manifest · no children · unchanged since 1.4 was set \
         in {first}\n"
    );
    assert_eq!(one.stdout, expected);
    repo.imglint(&["status", "kiten"]).fails(&["no such image: kiten", "did you mean `kitten`?"]);
}

#[test]
fn the_checklist_holds_every_step_in_order() {
    let scratch = Scratch::new();
    let repo = tree(&scratch);
    repo.change(&[
        ("test/images/agnhost/VERSION", "2.26\n"),
        ("test/images/kitten/VERSION", "1.5\n"),
        ("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.26-linux-amd64\n"),
    ]);
    let run = repo.imglint(&["status", "--base", "master"]);
    let steps = [
        "agnhost 2.25 → 2.26",
        "    make all-push WHAT=agnhost\n    make all-push WHAT=kitten\n",
        "REGISTRY=<your-registry> make all-push WHAT=agnhost",
        "    promoterE2eRegistry: <your-registry>\n",
        "KUBE_TEST_REPO_LIST",
        "post-kubernetes-push-e2e-agnhost-test-images\n  - post-kubernetes-push-e2e-kitten-test-images",
        "k8s-staging-e2e-test-images/agnhost:2.26",
        "    - name: agnhost\n      dmap:\n        \"sha256:<digest>\": [\"2.26\"]\n",
        "In a later change, once promoted",
        "test/utils/image/manifest.go:4: Agnhost 2.25 → 2.26",
        "build/dependencies.yaml:3: agnhost 2.25 → 2.26",
        "hack/pod.yaml:1: agnhost 2.25 → 2.26",
    ];
    let mut rest = &*run.stdout;
    for step in steps {
        let Some((_, after)) = rest.split_once(step) else { panic!("{step} is missing or out of order\n{run}") };
        rest = after;
    }
    assert!(!run.stdout.contains("BASEIMAGE"), "kitten was rebased\n{run}");
    let json = repo.imglint(&["status", "--base", "master", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["change"]["build"][1][0], "make all-push WHAT=kitten");
    assert_eq!(json["change"]["moves"][0]["line"], 4);
    assert_eq!(json["base"]["rev"], repo.git(&["rev-parse", "master"]));
    assert_eq!(json["base"]["source"], "--base master");
    assert_eq!(json["head"]["rev"], repo.git(&["rev-parse", "HEAD"]));
    assert_eq!(json["head"]["kind"], "worktree");
    let whole = repo.imglint(&["status", "--format", "json"]);
    let whole: serde_json::Value = serde_json::from_str(&whole.stdout).expect("JSON");
    assert!(whole["base"].is_null() && whole["head"]["rev"].is_string(), "{whole}");
    assert_eq!(whole["images"][0]["drift"]["state"], "none");
}

/// What the list of dependencies has follow VERSION moves with it.
#[test]
fn a_constant_and_its_entry_move_in_the_same_change() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[
        ("test/images/agnhost/agnhost.go", "package main\n\nvar c = cobra.Command{\n\tVersion: \"2.25\",\n}\n"),
        (
            "build/dependencies.yaml",
            "dependencies:\n- name: agnhost\n  version: 2.25\n  refPaths:\n  - path: test/images/agnhost/VERSION\n    match: \\d\n  \
             - path: test/images/agnhost/agnhost.go\n    match: 'Version:'\n",
        ),
    ]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/agnhost/VERSION", "2.26\n")]);
    let run = repo.imglint(&["status", "--base", "master"]);
    let (_, moves) = run.stdout.split_once("Move in this change").unwrap_or_else(|| panic!("{run}"));
    let lines =
        ["build/dependencies.yaml:3: agnhost 2.25 → 2.26", "test/images/agnhost/agnhost.go:4: agnhost 2.25 → 2.26"];
    assert!(lines.iter().all(|line| moves.contains(line)), "{run}");
    repo.write(&[("imglint.toml", "pack = \"kubernetes\"\nshape.manifest.follows = \"after-promotion\"\n")]);
    let run = repo.imglint(&["status", "--base", "master"]);
    assert!(!run.stdout.contains("agnhost.go"), "that is no step of a later change\n{run}");
}

#[test]
fn what_the_machine_needs_and_where_else_an_image_goes_is_said() {
    let scratch = Scratch::new();
    let repo = tree(&scratch);
    repo.change(&[("test/images/agnhost/VERSION", "2.26\n")]);
    let run = repo.imglint(&["status", "--base", "master"]);
    let steps = [
        "    docker run --rm --privileged multiarch/qemu-user-static --reset -p yes\n    docker buildx create",
        "    make all-push WHAT=agnhost\n  - tests of private images",
        "    REGISTRY=gcr.io/k8s-authenticated-test make all-push WHAT=agnhost\n",
        "they push to gcr.io/k8s-staging-e2e-test-images",
    ];
    for step in steps {
        assert!(run.stdout.contains(step), "{step}\n{run}");
    }
    repo.git(&["checkout", "-q", "-f", "master"]);
    repo.change(&[("test/images/kitten/VERSION", "1.5\n")]);
    let run = repo.imglint(&["status", "--base", "HEAD~1"]);
    assert!(!run.stdout.contains("k8s-authenticated-test"), "kitten is not pushed there\n{run}");
}

/// kitten has eight lines, and the list of dependencies ties them to the manifest.
#[test]
fn lines_that_say_the_same_are_one_and_tied_children_wait() {
    let scratch = Scratch::new();
    let repo = tree(&scratch);
    let architectures = ["amd64", "arm", "arm64", "ppc64le", "s390x"];
    let lines = architectures.map(|arch| format!("linux/{arch}=REGISTRY/agnhost:2.25-linux-{arch}\n")).concat();
    let tied = format!("{DEPENDENCIES}    - path: test/images/kitten/BASEIMAGE\n      match: agnhost:\\d\n");
    repo.write(&[("test/images/kitten/BASEIMAGE", &lines), ("build/dependencies.yaml", &tied)]);
    repo.git(&["checkout", "-q", "master"]);
    repo.commit("ties");
    repo.change(&[("test/images/agnhost/VERSION", "2.26\n")]);
    let run = repo.imglint(&["status", "--base", "HEAD~1"]);
    let (_, after) = run.stdout.split_once("In a later change, once promoted, move together\n").expect("a title");
    for line in [
        "  - test/images/kitten/BASEIMAGE:1-5: agnhost 2.25 → 2.26\n",
        "  - kitten needs a new version with that, and all of these steps\n",
    ] {
        assert!(after.contains(line), "{run}");
    }
    assert!(!run.stdout.contains("Here or in a later change"), "{run}");
    let json = repo.imglint(&["status", "--base", "HEAD~1", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    let moves = json["change"]["moves"].as_array().expect("a list");
    let kitten = moves.iter().find(|it| it["path"] == "test/images/kitten/BASEIMAGE").expect("it follows");
    assert_eq!(kitten["lines"], serde_json::json!([1, 2, 3, 4, 5]));
    assert_eq!((&kitten["line"], &kitten["tied"]), (&1.into(), &true.into()));
}

#[test]
fn what_was_not_bumped_is_not_promoted_and_has_drifted() {
    let scratch = Scratch::new();
    let repo = tree(&scratch);
    repo.change(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    let run = repo.imglint(&["status", "--base", "master"]);
    assert!(run.stdout.contains("agnhost changed, and its version is still 2.25"), "{run}");
    assert!(!run.stdout.contains("sha256"), "{run}");
    let set = repo.git(&["rev-parse", "--short=12", "master~1"]);
    assert!(run.stdout.contains(&format!(" · 1 commit since 2.25 was set in {set}\n")), "{run}");
    repo.write(&[("test/images/agnhost/main.go", "package main // again\n")]);
    let run = repo.imglint(&["status", "agnhost"]);
    assert!(
        run.stdout.contains(&format!(" · 1 commit and uncommitted changes since 2.25 was set in {set}\n")),
        "{run}"
    );
    // A list that lacks the version says that it is built over, and promoted then.
    repo.write(&[("../images.yaml", "- name: agnhost\n  dmap:\n    \"sha256:1\": [\"2.24\"]\n")]);
    let run = repo.imglint(&["status", "--base", "master", "--promoted", "../images.yaml"]);
    assert!(run.stdout.contains("\"sha256:<digest>\": [\"2.25\"]"), "{run}");
}

#[test]
fn a_shallow_clone_cannot_tell_of_drift() {
    let scratch = Scratch::new();
    let repo = tree(&scratch);
    repo.change(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    let clone = scratch.clone(&repo, "clone", &["--depth", "1"]);
    let run = clone.imglint(&["status", "agnhost"]);
    assert!(run.stdout.contains(" · changed since 2.25 was set? (the clone is shallow)\n"), "{run}");
}

#[test]
fn children_that_stay_behind_and_missing_bumps_are_said() {
    let scratch = Scratch::new();
    let repo = tree(&scratch);
    repo.change(&[("test/images/agnhost/VERSION", "2.26\n"), ("test/images/kitten/Dockerfile", "FROM $BASEIMAGE\n")]);
    let run = repo.imglint(&["status", "--base", "master"]);
    let words = "Here or in a later change, move children\n  - test/images/kitten/BASEIMAGE:1: agnhost 2.25 → 2.26\n  - kitten needs a new version";
    assert!(run.stdout.contains(words), "{run}");
    assert!(run.stdout.contains("kitten changed, and its version is still 1.4"), "{run}");
}

#[test]
fn a_pack_without_a_workflow_has_no_such_steps() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[("imglint.toml", "pack = \"generic\"\n"), ("images/web/VERSION", "1.0\n")]);
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("images/web/VERSION", "1.1\n")]);
    let run = repo.imglint(&["status", "--base", "master"]);
    let commit = repo.git(&["rev-parse", "--short=12", "HEAD"]);
    let row = format!(
        "web 1.1 · promoted? (--promoted tells) · no manifest · no children · unchanged since 1.1 was set in {commit}\n"
    );
    assert_eq!(run.stdout, format!("{row}\n  - web 1.0 → 1.1\n"), "{run}");
}

#[test]
fn unknown_places_are_refused_where_they_stand() {
    let scratch = Scratch::new();
    let repo = tree(&scratch);
    repo.write(&[("imglint.toml", "pack = \"kubernetes\"\nshape.workflow.build = \"make {imge}\"\n")]);
    repo.imglint(&["status"]).fails(&["did you mean `image`?", "imglint.toml:2"]);
}

#[cfg(unix)]
#[test]
fn hostile_names_stay_names() {
    let scratch = Scratch::new();
    let repo = tree(&scratch);
    repo.change(&[
        ("test/images/::error::x/VERSION", "1.0\n"),
        ("test/images/a`b$(id)'\n/VERSION", "1.0\n"),
        ("test/images/c\u{1b}[2J/VERSION", "1.0\n"),
    ]);
    for format in ["human", "markdown", "json"] {
        let run = repo.imglint(&["status", "--base", "master", "--format", format]);
        assert_eq!(run.code, 0, "{run}");
        assert!(!run.stdout.contains('\u{1b}'), "{run}");
        assert!(!run.stdout.lines().any(|line| line.trim_start().starts_with("::")), "{run}");
    }
    let markdown = repo.imglint(&["status", "--base", "master", "--format", "markdown"]);
    assert!(markdown.stdout.contains("``a`b$(id)'\\n``"), "{markdown}");
    assert!(markdown.stdout.contains(r"WHAT='a`b$(id)'\''\n'"), "{markdown}");
}
