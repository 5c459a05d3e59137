//! Files outside of the images that the list of dependencies holds together with them.

use std::fs;

use super::harness::{Repo, Scratch};

const POD: &str = "hack/testdata/pod.yaml";

/// A repository whose list ties a file far from the images to the version of one.
fn tied(scratch: &Scratch) -> Repo {
    let repo = scratch.kubernetes("repo");
    repo.change(&[
        (POD, "image: registry.k8s.io/e2e-test-images/agnhost:2.25\n"),
        ("hack/other.yaml", "image: agnhost:1.0\n"),
        (
            "build/dependencies.yaml",
            "dependencies:\n- name: agnhost\n  version: 2.25\n  refPaths:\n  - path: test/images/agnhost/VERSION\n    match: \\d\n  \
             - path: ./hack//testdata/pod.yaml\n    match: agnhost:\\d+\\.\\d+\n- name: other\n  version: 2.0\n  refPaths:\n  \
             - path: hack/other.yaml\n    match: 'agnhost:'\n",
        ),
    ]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo
}

#[test]
fn a_change_of_a_file_that_is_tied_to_a_version_is_judged_wherever_it_lies() {
    let scratch = Scratch::new();
    let repo = tied(&scratch);
    repo.imglint(&["--all", "--rule", "mismatched-dependency"]).is(0, &[]);
    repo.write(&[(POD, "image: registry.k8s.io/e2e-test-images/agnhost:2.24\n")]);
    let found = "`agnhost` in build/dependencies.yaml is 2.25, but hack/testdata/pod.yaml has 2.24";
    let run = repo.imglint(&[]);
    assert!(run.code == 1 && run.stdout.contains(found), "{run}");
    repo.git(&["add", POD]);
    let run = repo.imglint(&["--staged"]);
    assert!(run.code == 1 && run.stdout.contains(found), "{run}");
    repo.git(&["commit", "-qm", "pod"]);
    let run = repo.imglint(&["--head", "HEAD"]);
    assert!(run.code == 1 && run.stdout.contains(found), "{run}");
    repo.imglint(&["--fix"]);
    let pod = fs::read_to_string(repo.root.join(POD)).expect("a file");
    assert_eq!(pod, "image: registry.k8s.io/e2e-test-images/agnhost:2.25\n");
}

#[test]
fn a_bump_takes_all_files_of_its_entry_along() {
    let scratch = Scratch::new();
    let repo = tied(&scratch);
    repo.imglint(&["bump", "agnhost"]);
    let pod = fs::read_to_string(repo.root.join(POD)).expect("a file");
    assert_eq!(pod, "image: registry.k8s.io/e2e-test-images/agnhost:2.26\n");
    let list = fs::read_to_string(repo.root.join("build/dependencies.yaml")).expect("a file");
    assert!(list.contains("version: 2.26\n") && list.contains("version: 2.0\n"), "{list}");
    repo.imglint(&["--rule", "mismatched-dependency"]).is(0, &[]);
}

/// Where a change leaves the list alone, the list is only asked for the names of what changed: whichever way they are written there.
#[test]
fn a_file_of_an_image_that_the_list_names_is_judged_however_the_list_spells_it() {
    for spelling in [
        "test/images/agnhost/start.sh",
        "'./test//images/agnhost/start.sh'",
        "\"test/images/agnhost/st\\u0061rt.sh\"",
        "\"test/images/agnhost/sta\\\n      rt.sh\"",
    ] {
        let scratch = Scratch::new();
        let repo = scratch.kubernetes("repo");
        let list = format!(
            "dependencies:\n- name: agnhost\n  version: 2.25\n  refPaths:\n  - path: test/images/agnhost/VERSION\n  - path: {spelling}\n"
        );
        repo.change(&[("build/dependencies.yaml", &list), ("test/images/agnhost/start.sh", "echo 2.25\n")]);
        repo.git(&["checkout", "-q", "-b", "topic"]);
        repo.change(&[("test/images/agnhost/start.sh", "echo 2.24\n")]);
        let run = repo.imglint(&["--head", "HEAD", "--rule", "mismatched-dependency"]);
        assert!(run.code == 1 && run.stdout.contains("agnhost/start.sh"), "{spelling}: {run}");
        repo.change(&[("test/images/agnhost/start.sh", "echo 2.25 again\n")]);
        repo.imglint(&["--head", "HEAD", "--rule", "mismatched-dependency"]).is(0, &[]);
    }
}

/// Whoever changes what the link leads to does not touch the link: so the list must name the file.
#[cfg(unix)]
#[test]
fn the_list_may_not_name_a_file_by_a_link_to_it() {
    let scratch = Scratch::new();
    let repo = tied(&scratch);
    fs::remove_file(repo.root.join(POD)).expect("a file");
    std::os::unix::fs::symlink("../../test/images/agnhost/VERSION", repo.root.join(POD)).expect("a link");
    repo.git(&["commit", "-qam", "link"]);
    let run = repo.imglint(&["--head", "HEAD", "--rule", "mismatched-dependency"]);
    let found = "cannot be compared with hack/testdata/pod.yaml: it is a symbolic link; name the file that it leads to";
    assert!(run.code == 1 && run.stdout.contains(found), "{run}");
}

/// What lies behind a link is there for others, and out of sight here; what lies nowhere is not.
#[cfg(unix)]
#[test]
fn a_file_that_a_link_hides_is_not_said_to_be_gone() {
    let scratch = Scratch::new();
    let repo = tied(&scratch);
    let config = "pack = \"generic\"\nshape.images.roots = [\"test/images\"]\n\
                  shape.dependencies.path = \"build/dependencies.yaml\"\n";
    let list = "dependencies:\n- name: go\n  version: 1.26\n  refPaths:\n  - path: elsewhere/go.mod\n    match: ^go\n  \
                - path: nowhere/go.mod\n    match: ^go\n";
    let paths = [("imglint.toml", config), ("build/dependencies.yaml", list), ("real/go.mod", "go 1.26\n")];
    std::os::unix::fs::symlink("real", repo.root.join("elsewhere")).expect("a link");
    repo.change(&paths);
    for head in [&["--all"][..], &["--all", "--head", "HEAD"], &["--head", "HEAD", "--base", "HEAD~1"]] {
        let run = repo.imglint(&[&["--rule", "mismatched-dependency", "--format", "concise"], head].concat());
        let hidden = "warning: `go` in build/dependencies.yaml cannot be compared with elsewhere/go.mod: it lies behind elsewhere,";
        let gone = "error: `go` in build/dependencies.yaml names nowhere/go.mod, which is gone";
        assert!(run.code == 1 && run.stdout.contains(hidden) && run.stdout.contains(gone), "{run}");
    }
}

/// Entries about other things are judged in each mode, whichever of their files a change touches.
#[test]
fn a_change_far_from_all_images_is_held_to_the_whole_list() {
    let scratch = Scratch::new();
    let repo = tied(&scratch);
    repo.write(&[(
        "imglint.toml",
        "pack = \"generic\"\nshape.images.roots = [\"test/images\"]\nshape.dependencies.path = \"build/dependencies.yaml\"\n",
    )]);
    repo.change(&[("hack/other.yaml", "image: agnhost:2.0\n")]);
    repo.git(&["branch", "-f", "master"]);
    repo.imglint(&["--all", "--rule", "mismatched-dependency"]).is(0, &[]);
    let found = "`other` in build/dependencies.yaml is 2.0, but hack/other.yaml has 2.1";
    repo.write(&[("hack/other.yaml", "image: agnhost:2.1\n")]);
    let run = repo.imglint(&["--rule", "mismatched-dependency"]);
    assert!(run.code == 1 && run.stdout.contains(found), "{run}");
    repo.git(&["commit", "-qam", "other"]);
    let run = repo.imglint(&["--head", "HEAD", "--rule", "mismatched-dependency"]);
    assert!(run.code == 1 && run.stdout.contains(found), "{run}");
}
