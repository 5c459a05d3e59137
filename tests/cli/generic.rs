//! Repositories of the generic pack: settings without effect, files that images share, images that move.

use super::harness::{Repo, Scratch};

const STALE: &[&str] = &["stale-version"];

/// Two images, of which one is built on the other.
fn shop(scratch: &Scratch, config: &str) -> Repo {
    let repo = scratch.init("repo");
    repo.write(&[
        ("images/base/VERSION", "1.1\n"),
        ("images/base/Dockerfile", "FROM alpine:3.20\n"),
        ("images/web/VERSION", "2.0\n"),
        ("images/web/Dockerfile", "FROM ghcr.io/acme/base:1.1\n"),
        ("lib/build.sh", "make\n"),
        ("imglint.toml", &format!("pack = \"generic\"\n{config}\n")),
    ]);
    repo.commit("base");
    repo
}

#[test]
fn a_registry_that_is_not_listed_is_told() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "");
    let run = repo.imglint(&["--all"]);
    run.is(0, &[]).says(&["note: `ghcr.io/acme` stands before names that images of this repository have (base)"]);
    assert!(!repo.imglint(&["--all", "-q"]).stderr.contains("ghcr.io/acme"));
    // Listed as it stands there, with its slash, or with the beginning of all names.
    for registry in ["ghcr.io/acme", "ghcr.io/acme/"] {
        repo.write(&[(
            "imglint.toml",
            &format!("pack = \"generic\"\nshape.references.registries = [\"{registry}\"]\n"),
        )]);
        let run = repo.imglint(&["--all"]);
        run.is(0, &[]);
        assert!(!run.stderr.contains("note:"), "{run}");
    }
}

/// A reference that is compared as it is written is not told to be under another registry, whatever a variable's default.
#[test]
fn a_variable_with_a_default_is_listed_by_its_name() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "shape.references.registries = [\"$REGISTRY\"]");
    repo.write(&[("images/web/Dockerfile", "ARG REGISTRY=ghcr.io/acme\nFROM $REGISTRY/base:0.9\n")]);
    let run = repo.imglint(&["--all"]);
    run.is(1, &["stale-base"]);
    assert!(!run.stderr.contains("note:"), "{run}");
}

#[test]
fn settings_without_effect_are_told() {
    let scratch = Scratch::new();
    let config = "shape.references.registries = [\"ghcr.io/acme\", \"ghcr.io/acne\"]\n\
                  shape.images.roots = [\"images\", \"containers\"]\n\
                  shape.images.shared = [\"lib/*.sh\", \"nope\"]\n\
                  shape.images.mirrored = [\"we*\", \"redis\"]\n\
                  [[shape.constants]]\nimage = \"bass\"\npath = \"lib/build.sh\"\npattern = \"(?<value>x)\"\n\
                  [[shape.constants]]\nimage = \"base\"\npath = \"lib/build\"\npattern = \"(?<value>x)\"\n\
                  [[shape.constants]]\nimage = \"base\"\npath = \"lib/build.sh\"\npattern = \"(?<value>x)\"\n";
    let run = shop(&scratch, config).imglint(&["--all"]);
    run.is(0, &[]).says(&[
        "note: references.registries: `ghcr.io/acne` stands before no name",
        "note: images.roots: `containers` holds no image",
        "note: images.shared: `nope` is no file of the repository",
        "note: images.mirrored: `redis` is no image",
        "note: constants: `bass` is no image",
        "note: constants: `lib/build` is no file of the repository",
        "note: constants: `(?<value>x)` matches nothing",
    ]);
    assert_eq!(run.stderr.matches("note:").count(), 7, "{run}");
}

/// Without entries that can be read, the manifest is not judged.
#[test]
fn a_manifest_without_effect_is_told() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let entry = "configs[Agnhost] = Config{promoterE2eRegistry, \"agnhost\", \"2.25\"}\n";
    repo.write(&[("test/utils/image/manifest.go", entry)]);
    for (setting, note) in [
        ("path = \"nope.go\"", "note: manifest.path: `nope.go` is no file of the repository"),
        (
            "pattern = \"^(?<key>1)(?<registry>2)(?<name>3)(?<version>4)\"",
            "matches no entry of a registry that is listed",
        ),
    ] {
        repo.write(&[("imglint.toml", &format!("pack = \"kubernetes\"\nshape.manifest.{setting}\n"))]);
        let run = repo.imglint(&["--all"]);
        run.says(&[note]);
        assert_eq!(run.stderr.matches("note:").count(), 1, "{run}");
    }
}

/// The packs of the program are for many trees: what one of them lacks is no mistake.
#[test]
fn a_pack_of_the_program_need_not_be_borne_out() {
    let scratch = Scratch::new();
    let run = scratch.kubernetes("repo").imglint(&["--all"]);
    run.is(0, &[]);
    assert!(!run.stderr.contains("note:"), "{run}");
}

#[test]
fn a_whole_tree_without_images_is_not_clean() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "shape.images.version = \"TAG\"");
    repo.imglint(&["--all"]).fails(&["no directory below images holds a file TAG", "shape.images.version"]);
}

#[test]
fn a_configuration_that_is_not_judged_is_told() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "");
    repo.git(&["rm", "-q", "--cached", "imglint.toml"]);
    repo.git(&["commit", "-q", "-m", "without"]);
    let commit = ["--head", "HEAD", "--base", "HEAD^"];
    repo.imglint(&commit).fails(&["imglint.toml lies on disk, but is no part of the commit", "--config imglint.toml"]);
    repo.imglint(&["--staged"]).fails(&["is no part of the index"]);
    repo.imglint(&[&commit[..], &["--config", "imglint.toml"]].concat()).is(0, &[]);
}

#[test]
fn shared_files_may_be_directories_and_patterns_and_of_some_images() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("lib/build.sh", "make all\n"), ("lib/README.md", "x\n")]);
    let both = &["stale-version", "stale-version"];
    let judge = |shared: &str| {
        repo.write(&[("imglint.toml", &format!("pack = \"generic\"\nshape.images.shared = [{shared}]\n"))]);
        repo.imglint(&["--skip", "stale-base"])
    };
    for shared in [
        "\"lib\"",
        "\"lib/\"",
        "\"./lib/build.sh\"",
        "\"lib/*.sh\"",
        "\"lib/build{,.inc}.sh\"",
        "\"**/build.sh\"",
        "\"lib/README.md\"",
    ] {
        judge(shared).is(1, both);
    }
    judge("{ path = \"lib\", images = [\"w*\"] }").is(1, STALE);
    assert!(repo.imglint(&["inspect", "web"]).stdout.contains("lib"));
    assert!(!repo.imglint(&["inspect", "base"]).stdout.contains("lib"));
    judge("{ path = \"lib\", image = [\"w*\"] }").fails(&["imglint.toml:2: ", "unknown key `image`"]);
    judge("{ path = \"lib\", images = [\"w[\"] }").fails(&["imglint.toml:2: ", "unclosed"]);
    judge("{ path = \"lib\", images = [\"webb\"] }").is(0, &[]);
    let run = repo.imglint(&["--all"]);
    assert!(run.stderr.contains("images.shared: `webb` is no image"), "{run}");
    judge("\".\"").fails(&["imglint.toml:2: ", "the path of something below"]);
    judge("\"../lib\"").fails(&["imglint.toml:2: ", "the path of something below"]);
    // Documentation is no content, unless it is named itself.
    repo.git(&["checkout", "-q", "master", "--", "lib/build.sh"]);
    repo.commit("back");
    judge("\"lib\"").is(0, &[]);
    judge("\"lib/README.md\"").is(1, both);
}

/// A change of what it leads to would not be seen.
#[cfg(unix)]
#[test]
fn a_shared_file_that_is_a_link_is_told() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "shape.images.shared = [\"GO_VERSION\"]");
    repo.write(&[(".go-version", "1.21\n")]);
    std::os::unix::fs::symlink(".go-version", repo.root.join("GO_VERSION")).expect("a link");
    let run = repo.imglint(&["--all"]);
    assert!(run.stderr.contains("images.shared: `GO_VERSION` is a link: name what it leads to"), "{run}");
}

/// The base branch moved an image and took the version that the change gives it where it was.
#[test]
fn a_version_is_taken_wherever_its_image_lies_now() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "shape.images.roots = [\"images\", \"other\"]");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("images/web/VERSION", "2.1\n"), ("images/web/run.sh", "x\n")]);
    repo.git(&["checkout", "-q", "master"]);
    std::fs::create_dir_all(repo.root.join("other")).expect("a directory");
    repo.git(&["mv", "images/web", "other/web"]);
    repo.change(&[("other/web/VERSION", "2.1\n"), ("other/web/Dockerfile", "FROM alpine:3.21\n")]);
    repo.git(&["checkout", "-q", "topic"]);
    repo.imglint(&["--base", "master"]).is(1, &["taken-version"]);
}

#[test]
fn a_pointer_of_git_lfs_is_called_one() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "");
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 40\n";
    repo.write(&[("images/web/VERSION", pointer), ("images/web/Dockerfile", pointer)]);
    let run = repo.imglint(&["--all"]);
    run.is(1, &["malformed-dockerfile", "malformed-version"]);
    assert_eq!(run.stdout.matches("is a pointer of Git LFS").count(), 2, "{run}");
}

/// A bump of the version that images share is one of all of them, and what is built on any of them follows.
#[test]
fn a_group_of_images_is_bumped_together() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[
        ("images/shop/VERSION", "1.0\n"),
        ("images/shop/a/Dockerfile", "FROM scratch\nCOPY a /\n"),
        ("images/shop/a/a", "one\n"),
        ("images/shop/b/Dockerfile", "FROM scratch\n"),
        ("images/web/VERSION", "3\n"),
        ("images/web/Dockerfile", "FROM ghcr.io/acme/shop/b:1.0\n"),
        (
            "imglint.toml",
            "pack = \"generic\"\nshape.images.version = [\"VERSION\", \"../VERSION\"]\n\
             shape.references.registries = [\"ghcr.io/acme\"]\n",
        ),
    ]);
    repo.commit("base");
    repo.imglint(&["--all"]).is(0, &[]);
    let shown = repo.imglint(&["inspect", "shop/b", "web", "images/web"]);
    assert!(shown.stdout.contains("shop/b 1.0") && shown.stdout.contains("web 3"), "{shown}");
    assert!(!shown.stdout.contains("shop/a") && shown.stderr.contains("2 images"), "{shown}");
    repo.imglint(&["inspect", "web", "wep"]).fails(&["no such image: wep", "known: shop/a, shop/b, web"]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("images/shop/a/a", "two\n")]);
    repo.imglint(&[]).is(1, STALE);
    repo.imglint(&["--fix"]);
    let read = |path: &str| std::fs::read_to_string(repo.root.join(path)).expect("a file");
    assert_eq!(read("images/shop/VERSION"), "1.1\n");
    assert_eq!(read("images/web/VERSION"), "4\n");
    assert!(read("images/web/Dockerfile").contains("shop/b:1.1"));
    repo.imglint(&[]).is(0, &[]);
    // An image that leaves the group is no version that was lost.
    repo.git(&["rm", "-q", "-r", "-f", "images/shop/a"]);
    repo.imglint(&[]).is(0, &[]);
}

/// What is built on an image without a version has changed where that has.
#[test]
fn an_image_without_a_version_passes_its_changes_on() {
    let scratch = Scratch::new();
    let config = "shape.references.registries = [\"ghcr.io/acme\"]\nshape.images.unversioned = [\"base\", \"bass\"]\n";
    let repo = shop(&scratch, config);
    repo.git(&["rm", "-q", "images/base/VERSION"]);
    repo.write(&[("images/web/Dockerfile", "FROM ghcr.io/acme/base\n")]);
    repo.commit("without");
    let run = repo.imglint(&["--all", "--skip", "unbumped-content"]);
    run.is(0, &[]).says(&["images.unversioned: `bass` is no image"]);
    assert!(repo.imglint(&["inspect", "base"]).stdout.contains("base (no version of its own)"));
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("images/base/Dockerfile", "FROM alpine:3.21\n")]);
    let run = repo.imglint(&["--base", "master"]);
    run.is(1, STALE);
    assert!(run.stdout.contains("web changed, but its VERSION is still 2.0"), "{run}");
    let json = repo.imglint(&["--base", "master", "--format", "json"]);
    assert!(json.stdout.contains("this changed, and the image is built with it"), "{json}");
    let affected = repo.imglint(&["affected", "--base", "master"]);
    assert!(affected.stdout.contains("base") && affected.stdout.contains("web"), "{affected}");
    repo.imglint(&["bump", "base"]).fails(&["base has no version that another could follow"]);
}

#[test]
fn where_a_version_file_may_lie_is_checked() {
    let scratch = Scratch::new();
    for (version, wrong) in [
        ("\"a/VERSION\"", "this must be the name of a file"),
        ("\"../\"", "this must be the name of a file"),
        ("\"../../a/VERSION\"", "this must be the name of a file"),
        ("\"/../VERSION\"", "the path of something below"),
        ("\"/\"", "the path of something below"),
        ("{ file = \"/VERSION*\" }", "the path of a file"),
    ] {
        let repo = scratch.at(&format!("repo{}", wrong.len() + version.len()));
        repo.git(&["init", "-q"]);
        repo.write(&[("imglint.toml", &format!("pack = \"generic\"\nshape.images.version = {version}\n"))]);
        repo.imglint(&["--all"]).fails(&["imglint.toml:2: ", wrong]);
    }
}

/// Each pattern is tried on each changed file: beyond a limit nobody knows what is copied, which is said, and blocks nothing.
#[test]
fn more_patterns_than_are_looked_at_are_told() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "");
    let copies = |count: usize| {
        let patterns: Vec<String> = (0..count).map(|number| format!("*q{number}*")).collect();
        format!("FROM alpine:3.20\nCOPY {} /x/\n", patterns.join(" \\\n  "))
    };
    for (count, is_told) in [(10_000, false), (10_001, true)] {
        repo.write(&[("images/base/Dockerfile", &copies(count)), ("images/base/README.md", "# base\n")]);
        let before = repo.commit("patterns");
        repo.write(&[("images/base/README.md", "# the base\n")]);
        repo.commit("words");
        let run = repo.imglint(&["--base", &before, "--head", "HEAD"]);
        run.is(0, if is_told { STALE } else { &[] });
        let told = "images/base/Dockerfile:10002:3: note: cannot tell whether base changed: more patterns stand before this one";
        assert_eq!(run.stdout.contains(told), is_told, "{run}");
    }
}

/// The image in the root has the same files as all others, though nothing else of the root is read.
#[test]
fn the_files_of_the_image_in_the_root_are_read() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[
        ("VERSION", "1.0\n"),
        ("ALIAS", "acme-controller\n"),
        ("Makefile", "SRC_DIR = libs/run\nTOOL = 1\n"),
        ("Dockerfile", "FROM scratch\n"),
        ("Dockerfile_windows", "FROM ghcr.io/acme/web:1.0\n"),
        ("libs/run/main.go", "package main\n"),
        ("libs/walk/main.go", "package main\n"),
        ("images/web/VERSION", "1.0\n"),
        ("images/web/Dockerfile", "FROM scratch\n"),
        ("images/child/VERSION", "1.0\n"),
        ("images/child/Dockerfile", "FROM ghcr.io/acme/acme-controller:1.0\n"),
        (
            "imglint.toml",
            "pack = \"generic\"\n[shape.images]\nroots = [\"images\"]\nalias-file = \"ALIAS\"\n\
             root = { name = \"controller\", content = [\"src/\"] }\n\
             [shape.references]\nregistries = [\"ghcr.io/acme\"]\n\
             [shape.build]\nwindows-dockerfile = \"Dockerfile_windows\"\ndefault-platforms = [\"linux/amd64\", \"windows/amd64/1809\"]\n\
             [shape.binaries]\nscope = [\"libs\"]\nmodule = \"example.com/acme\"\nmakefile = \"Makefile\"\nsource-variable = \"SRC_DIR\"\n",
        ),
    ]);
    repo.commit("base");
    let changes: [(&str, &str, &str); 3] = [
        ("libs/run/main.go", "package main // changed\n", "controller changed, but its VERSION is still 1.0"),
        ("Dockerfile_windows", "FROM ghcr.io/acme/wep:1.0\n", "controller names the image wep"),
        ("VERSION", "1.1\n", "child names controller 1.0"),
    ];
    for (path, text, words) in changes {
        repo.write(&[(path, text)]);
        let run = repo.imglint(&["--base", "HEAD"]);
        assert!(run.stdout.contains(words), "{path}: expected {words:?}\n{run}");
        repo.git(&["checkout", "-q", "."]);
    }
    repo.write(&[("libs/walk/main.go", "package main // changed\n")]);
    repo.imglint(&["--base", "HEAD"]).is(0, &[]);
}
