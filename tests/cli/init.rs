//! `imglint init`, completions and the manual.

use saphyr::LoadableYamlNode as _;

use super::harness::{Repo, Scratch};

const PROW: &str = ".prow/imglint.yaml";
const WORKFLOW: &str = ".github/workflows/imglint.yml";

fn read(repo: &Repo, path: &str) -> String {
    std::fs::read_to_string(repo.root.join(path)).expect("a file")
}

fn exists(repo: &Repo, path: &str) -> bool {
    repo.root.join(path).exists()
}

/// A file as YAML; it must be some.
fn yaml(text: &str) -> saphyr::Yaml<'_> {
    saphyr::Yaml::load_from_str(text).expect("YAML").pop().expect("a document")
}

/// Images in two places, one of them nested.
const SERVICES: &[(&str, &str)] = &[
    ("README.md", "# Services\n"),
    ("containers/web/VERSION", "1.0\n"),
    ("containers/web/Dockerfile", "FROM scratch\n"),
    ("containers/web/admin/VERSION", "1.0\n"),
    ("containers/web/admin/Dockerfile.prod", "FROM scratch\n"),
    ("tools/ci/lint/VERSION", "1.0\n"),
    ("tools/ci/lint/Dockerfile", "FROM scratch\n"),
    ("tools/ci/test/VERSION", "1.0\n"),
    ("tools/ci/test/Dockerfile", "FROM scratch\n"),
    ("library/VERSION", "no image\n"),
    ("sandbox/Dockerfile", "FROM scratch\n"),
];

#[test]
fn a_recognised_repository_gets_what_it_was_judged_by_anyway() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let run = repo.imglint_in(&repo.root.join("test/images"), &["init"], &[]);
    assert!(run.code == 0 && run.stdout.contains("there is test/images/image-util.sh"), "{run}");
    assert!(run.stdout.contains("wrote ") && run.stdout.contains("    pack = \"kubernetes\"\n"), "{run}");
    assert!(read(&repo, "imglint.toml").ends_with("pack = \"kubernetes\"\n"));
    repo.imglint(&["--all"]).is(0, &[]).says(&["pack: kubernetes (imglint.toml)"]);
}

/// When the manifest follows is written out, so that nobody has to look for it.
#[test]
fn a_recognised_repository_is_told_when_its_manifest_follows() {
    let scratch = Scratch::new();
    for (readme, follows) in
        [("Bump the manifest, too.\n", "same-change"), ("A newly promoted image.\n", "after-promotion")]
    {
        let repo = scratch.kubernetes(follows);
        repo.change(&[("test/utils/image/manifest.go", "package image\n"), ("test/images/README.md", readme)]);
        let run = repo.imglint(&["init"]);
        assert!(run.code == 0, "{run}");
        assert!(read(&repo, "imglint.toml").ends_with(&format!("\nshape.manifest.follows = \"{follows}\"\n")), "{run}");
        repo.imglint(&["--all"]).is(0, &[]).says(&["shape.manifest.follows says so"]);
    }
}

#[test]
fn images_are_found_by_their_version_and_dockerfile() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(SERVICES);
    // Also before the first commit.
    let run = repo.imglint(&["init"]);
    assert!(run.code == 0 && run.stdout.contains("found 4 images"), "{run}");
    assert!(read(&repo, "imglint.toml").contains("shape.images.roots = [\"containers\", \"tools/ci\"]\n"));
    let shown = repo.imglint(&["inspect"]);
    for image in ["web 1.0", "web/admin 1.0", "lint 1.0", "test 1.0"] {
        assert!(shown.stdout.contains(image), "{image}\n{shown}");
    }
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("tools/ci/lint/Dockerfile", "FROM scratch\nCOPY a a\n")]);
    repo.imglint(&[]).is(1, &["stale-version"]);
    repo.change(&[("tools/ci/lint/VERSION", "1.1\n")]);
    repo.imglint(&[]).is(0, &[]);
}

/// What stands before the names of a repository's own images, where they are built, and what holds their version is found.
#[test]
fn registries_dockerfiles_and_version_files_are_found() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[
        ("images/base/TAG", "1.1\n"),
        ("images/base/rootfs/Dockerfile", "FROM alpine:3.20\n"),
        ("images/web/TAG", "2.0\n"),
        ("images/web/Dockerfile", "FROM docker.io/library/base:1\nCOPY --from=ghcr.io/acme/base:1.0 /a /a\n"),
        ("images/web/tests/data/Dockerfile", "FROM scratch\n"),
        ("images/base/rootfs/Dockerfile.md", "# Base\n"),
        ("images/base/Dockerfile.j2", "{% if x %}\nFROM {{ x }}\n{% endif %}\n"),
        ("images/app/TAG", "2.0\n"),
        ("images/app/Dockerfile", "FROM $REGISTRY/base:1.1\n"),
    ]);
    let run = repo.imglint(&["init"]);
    assert!(run.code == 0 && run.stdout.contains("found 3 images with TAG and Dockerfile"), "{run}");
    let config = read(&repo, "imglint.toml");
    for line in [
        "shape.images.version = \"TAG\"\n",
        "shape.build.dockerfile = [\"Dockerfile\", \"rootfs/Dockerfile\"]\n",
        "shape.references.registries = [\"$REGISTRY\", \"ghcr.io/acme\"]\n",
    ] {
        assert!(config.contains(line), "{line}\n{config}");
    }
    let run = repo.imglint(&["--all"]);
    run.is(1, &["stale-base"]);
    assert!(!run.stderr.contains("note:"), "{run}");
}

/// Who wraps somebody else's image gives it the same name; and tags may begin with a letter.
#[test]
fn what_is_somebody_else_s_is_not_listed_and_prefixes_are_seen() {
    let scratch = Scratch::new();
    let wrapped = scratch.init("wrapped");
    wrapped.write(&[("images/nginx/VERSION", "1.25\n"), ("images/nginx/Dockerfile", "FROM nginxinc/nginx:1.25\n")]);
    assert_eq!(wrapped.imglint(&["init"]).code, 0);
    assert!(!read(&wrapped, "imglint.toml").contains("registries"));
    wrapped.imglint(&["--all"]).is(0, &[]);
    let prefixed = scratch.init("prefixed");
    prefixed.write(&[
        ("images/a/VERSION", "1.0\n"),
        ("images/a/Dockerfile", "FROM scratch\n"),
        ("images/b/VERSION", "1.0\n"),
        ("images/b/Dockerfile", "FROM ghcr.io/acme/a:v1.0\n"),
    ]);
    assert_eq!(prefixed.imglint(&["init"]).code, 0);
    assert!(read(&prefixed, "imglint.toml").contains("shape.references.tag-prefix = \"v\"\n"));
    prefixed.imglint(&["--all"]).is(0, &[]);
}

/// A repository of a pack's kind, and what is found in it.
struct Kind {
    pack: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// Where it says that images lie, if that is not where the pack looks anyway.
    roots: Option<&'static str>,
    shown: &'static str,
}

const KINDS: &[Kind] = &[
    Kind {
        pack: "helm",
        files: &[
            ("charts/web/Chart.yaml", "name: web\nversion: 1.0.0\n"),
            ("charts/web/charts/crds/Chart.yaml", "name: crds\nversion: 0.0.0\n"),
            ("examples/Chart.yaml", "name: example\nversion: 0.0.0\n"),
        ],
        roots: None,
        shown: "web 1.0.0",
    },
    Kind {
        pack: "helm",
        files: &[("deploy/web/Chart.yaml", "name: web\nversion: 1.0.0\n")],
        roots: Some("[\"deploy\"]"),
        shown: "web 1.0.0",
    },
    Kind {
        pack: "home-assistant",
        files: &[
            ("web/config.yaml", "slug: web\nversion: \"1.0\"\n"),
            ("web/rootfs/config.yaml", "version: 3\n"),
            ("web/Dockerfile", "FROM scratch\n"),
        ],
        roots: None,
        shown: "web 1.0",
    },
    Kind {
        pack: "devcontainers",
        files: &[
            ("src/git/devcontainer-feature.json", "{ \"id\": \"git\", \"version\": \"1.0.0\" }"),
            ("test/git/devcontainer-feature.json", "{ \"id\": \"git\" }"),
        ],
        roots: None,
        shown: "git 1.0.0",
    },
    Kind {
        pack: "makefile",
        files: &[
            ("images/a/Makefile", "TAG = 1.0\n"),
            ("images/a/Dockerfile", "FROM scratch\n"),
            ("images/b/Makefile", "VERSION ?= 1.0\n"),
            ("images/b/Dockerfile", "FROM scratch\n"),
            ("tools/Makefile", "TAG = 1.0\n"),
        ],
        roots: None,
        shown: "a 1.0",
    },
    Kind {
        pack: "ingress-nginx",
        files: &[
            ("NGINX_BASE", "registry.k8s.io/ingress-nginx/nginx:v1.0\n"),
            ("images/nginx/TAG", "v1.0\n"),
            ("images/nginx/rootfs/Dockerfile", "FROM scratch\n"),
        ],
        roots: None,
        shown: "nginx v1.0",
    },
];

#[test]
fn a_repository_of_a_kind_that_a_pack_is_for_is_known() {
    let scratch = Scratch::new();
    for (number, Kind { pack, files, roots, shown }) in KINDS.iter().enumerate() {
        let repo = scratch.init(&format!("{pack}{number}"));
        repo.write(files);
        let run = repo.imglint(&["init"]);
        assert_eq!(run.code, 0, "{pack}: {run}");
        let config = read(&repo, "imglint.toml");
        assert!(config.contains(&format!("pack = \"{pack}\"\n")), "{run}");
        let written = config.lines().find_map(|line| line.strip_prefix("shape.images.roots = "));
        assert_eq!(written, *roots, "{run}");
        repo.imglint(&["--all"]).is(0, &[]);
        let inspected = repo.imglint(&["inspect"]);
        assert!(inspected.stdout.starts_with(shown), "{pack}: {inspected}");
    }
}

/// Of several kinds the one that most are of is taken, and the others are told.
/// A history of changes of an image, each with a minor version.
fn history(repo: &Repo, changes: usize, minor: fn(usize) -> usize) {
    repo.write(&[("images/app/VERSION", "1.0\n"), ("images/app/Dockerfile", "FROM scratch\n")]);
    repo.commit("base");
    for change in 1..=changes {
        let dockerfile = format!("FROM scratch\nLABEL change={change}\n");
        let version = format!("1.{}\n", minor(change));
        repo.change(&[("images/app/Dockerfile", &dockerfile), ("images/app/VERSION", &version)]);
    }
}

/// A history, and what is to be said of it.
struct Past {
    fits: &'static str,
    changes: usize,
    minor: fn(usize) -> usize,
    note: &'static str,
    setting: &'static str,
}

#[test]
fn the_history_tells_when_versions_are_due() {
    let scratch = Scratch::new();
    let release = "\n[rules.stale-version]\ndue = \"release\"\n\n[rules.unbumped-content]\nlevel = \"error\"\n";
    let pasts = [
        Past {
            fits: "change",
            changes: 20,
            minor: |change| change,
            note: "of the last 20 changes that touch images, 0 left a version as it was: versions are due in a change, as",
            setting: "",
        },
        Past {
            fits: "release",
            changes: 20,
            minor: |change| change / 10,
            note: "18 left a version as it was; of 18 such versions a later change moved 18: versions are due at a release\n",
            setting: release,
        },
        Past {
            fits: "unclear",
            changes: 20,
            minor: |change| change.min(16),
            note: "4 left a version as it was; of 4 such versions a later change moved 0: that may be an oversight, or",
            setting: "",
        },
        Past {
            fits: "unknown",
            changes: 3,
            minor: |_| 0,
            note: "no history tells when versions are due: 3 changes in it touch images, which is too few\n",
            setting: "",
        },
    ];
    for Past { fits, changes, minor, note, setting } in pasts {
        let repo = scratch.init(fits);
        history(&repo, changes, minor);
        let run = repo.imglint(&["init"]);
        assert!(run.code == 0 && run.stdout.contains(note), "{fits}: {run}");
        let config = read(&repo, "imglint.toml");
        assert!(config.ends_with(setting) && config.contains("due") != setting.is_empty(), "{fits}: {config}");
        let run = repo.imglint(&["replay", "--format", "json"]);
        let replay: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!(replay["due"]["fits"], fits, "{fits}: {run}");
        let run = repo.imglint(&["replay"]);
        let is_set = format!("`due = \"{fits}\"` of stale-version fits, which is set\n");
        assert_eq!(run.stdout.contains(&is_set), matches!(fits, "change" | "release"), "{fits}: {run}");
    }
}

/// Before the first commit, too.
#[test]
fn where_there_is_no_history_that_is_said() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(SERVICES);
    let run = repo.imglint(&["init"]);
    assert!(run.code == 0 && run.stdout.contains("no history tells when versions are due: "), "{run}");
}

#[test]
fn other_kinds_in_a_repository_are_told() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(SERVICES);
    repo.write(&[("charts/web/Chart.yaml", "name: web\nversion: 1.0.0\n")]);
    let run = repo.imglint(&["init"]);
    assert!(run.code == 0 && run.stdout.contains("not looked at: 1 that the pack helm is for"), "{run}");
    assert!(read(&repo, "imglint.toml").contains("pack = \"generic\""));
}

#[test]
fn where_versions_stand_is_proposed_for_images_that_no_pack_knows() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let package = "{ \"name\": \"x\", \"version\": \"1.0.0\" }\n";
    repo.write(&[
        ("services/a/package.json", package),
        ("services/a/Dockerfile", "FROM node:24\n"),
        ("services/b/package.json", package),
        ("services/b/docker/Dockerfile", "FROM node:24\n"),
        ("services/c/Dockerfile", "FROM node:24\n"),
        ("package.json", package),
    ]);
    let run = repo.imglint(&["init"]);
    assert!(
        run.code == 0 && run.stdout.contains("2 of 3 directories with a Dockerfile have a version in package.json"),
        "{run}"
    );
    let config = read(&repo, "imglint.toml");
    assert!(config.contains("shape.images.roots = [\"services\"]\n"), "{config}");
    assert!(config.contains("shape.images.version = { file = \"package.json\", key = \"version\" }\n"), "{config}");
    assert!(config.contains("shape.build.dockerfile = [\"Dockerfile\", \"docker/Dockerfile\"]\n"), "{config}");
    // The third one is told of.
    repo.imglint(&["--all"]).is(1, &["malformed-version"]);
    // One alone may be anything.
    let one = scratch.init("one");
    one.write(&[("a/package.json", package), ("a/Dockerfile", "FROM node:24\n")]);
    one.imglint(&["init"]).fails(&["finds no images here"]);
}

/// What several variants of an image are tagged with is known by its file, also beside an image with a file of its own.
#[test]
fn variants_are_known() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let variants = "variants:\n  old:\n    CONFIG: old\n    IMAGE_VERSION: 'v1.0.3'\n    REVISION: '3'\n  new:\n    CONFIG: new\n    \
                    IMAGE_VERSION: 'v1.1.0'\n    REVISION: '0'\n";
    repo.write(&[
        ("images/a/variants.yaml", variants),
        ("images/a/old/Dockerfile", "FROM debian:12\n"),
        ("images/a/new/Dockerfile", "FROM debian:13\n"),
        ("images/b/variants.yaml", variants),
        ("images/b/Dockerfile", "FROM debian:13\n"),
        ("images/b/VERSION", "v1\n"),
        ("images/ci/variants.yaml", "variants:\n  new:\n    GO_VERSION: 1.27.0\n"),
        ("images/ci/Dockerfile", "FROM debian:13\n"),
    ]);
    let run = repo.imglint(&["init"]);
    let told = [
        "2 of 4 directories with a Dockerfile have a version in variants.yaml: images/a, images/b\n",
        "not looked at: 1 with VERSION and Dockerfile",
        "1 directory beside these with a Dockerfile and without a version: images/ci; `imglint --all` tells",
    ];
    assert!(run.code == 0 && told.iter().all(|line| run.stdout.contains(line)), "{run}");
    let inspected = repo.imglint(&["inspect"]);
    assert!(inspected.stdout.starts_with("a old v1.0.3, new v1.1.0\n"), "{inspected}");
}

/// What a change touches can be told without versions.
#[test]
fn images_without_versions_are_taken_for_such() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[
        ("images/base/Dockerfile", "FROM debian:13\n"),
        ("images/web/Dockerfile", "FROM quay.io/acme/base\n"),
        ("images/jobs/mail/Dockerfile", "FROM quay.io/acme/base\n"),
        ("examples/Dockerfile", "FROM quay.io/acme/web\n"),
        (".devcontainer/Dockerfile", "FROM debian:13\n"),
        ("images/old/Dockerfile.tmpl", "FROM debian:13\n"),
        ("images/web/vendor/x/Dockerfile", "FROM debian:13\n"),
    ]);
    repo.commit("All");
    let run = repo.imglint(&["init"]);
    assert!(run.code == 0 && run.stdout.contains("3 directories have a Dockerfile, and no version"), "{run}");
    assert!(
        run.stdout.contains("not looked at: examples, beside these") && !run.stdout.contains("due in a change"),
        "{run}"
    );
    let config = read(&repo, "imglint.toml");
    for line in [
        "shape.images.roots = [\"images\"]",
        "shape.images.unversioned = [\"*\"]",
        "shape.references.registries = [\"quay.io/acme\"]",
    ] {
        assert!(config.lines().any(|written| written == line), "{line}: {config}");
    }
    repo.imglint(&["--all"]).is(0, &[]);
    repo.write(&[("images/base/run.sh", "x\n")]);
    let run = repo.imglint(&["affected", "--base", "HEAD"]);
    for name in ["base", "web", "jobs/mail"] {
        assert!(run.stdout.contains(&format!(" {name} (no version of its own) in images/{name}\n")), "{run}");
    }
    let status = repo.imglint(&["status", "--base", "HEAD"]);
    assert!(status.code == 0 && !status.stdout.contains("usable"), "{status}");

    // A variable may stand for a part of what is before the name.
    let split = scratch.init("split");
    let child = "ARG REGISTRY=quay.io\nARG OWNER=acme\nARG BASE=$REGISTRY/$OWNER/base\nFROM $BASE\n";
    split.write(&[("images/base/Dockerfile", "FROM debian:13\n"), ("images/web/Dockerfile", child)]);
    assert_eq!(split.imglint(&["init"]).code, 0);
    assert!(read(&split, "imglint.toml").ends_with("shape.references.registries = [\"quay.io/acme\"]\n"));
    split.imglint(&["--all"]).is(0, &[]);
}

/// What is beside the images that the configuration is for is told, too.
#[test]
fn what_init_leaves_aside_is_told() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[
        ("charts/web/Chart.yaml", "name: web\nversion: 1.0.0\n"),
        ("old/web/Chart.yaml", "name: web\nversion: 1.0.0\n"),
        ("docker/a/Dockerfile", "FROM debian:13\n"),
    ]);
    let run = repo.imglint(&["init"]);
    let told = [
        "not looked at: 1 of them that lie outside of charts; `shape.images.roots` takes them in",
        "not looked at: 1 directory with a Dockerfile and without such a version: docker/a",
    ];
    assert!(run.code == 0 && told.iter().all(|line| run.stdout.contains(line)), "{run}");
}

#[test]
fn an_image_in_the_root_is_told_and_not_made_up() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[
        ("TAG", "v1.0\n"),
        ("rootfs/Dockerfile", "FROM scratch\n"),
        ("images/a/TAG", "1.0\n"),
        ("images/a/rootfs/Dockerfile", "FROM scratch\n"),
    ]);
    let hint = "TAG and rootfs/Dockerfile lie in the root of the repository, which is judged as no image";
    let run = repo.imglint(&["init"]);
    assert!(run.code == 0 && run.stdout.contains(hint), "{run}");
    let run = repo.imglint(&["--all"]);
    run.is(0, &[]).says(&[hint, "images.root = { name = \"…\", content = [\"rootfs\"] }"]);
    let config = read(&repo, "imglint.toml");
    let root = "shape.images.root = { name = \"controller\", content = [\"rootfs\"] }\n";
    repo.write(&[("imglint.toml", &format!("{config}{root}"))]);
    let run = repo.imglint(&["--all"]);
    run.is(0, &[]);
    assert!(run.stdout.contains("no findings in 2 images"), "{run}");
    assert!(!run.stderr.contains(hint), "{run}");
}

#[test]
fn images_of_one_name_or_at_the_top_are_named_from_the_root() {
    let scratch = Scratch::new();
    let double = scratch.init("double");
    double.write(&[
        ("a/web/VERSION", "1\n"),
        ("a/web/Dockerfile", ""),
        ("b/web/VERSION", "1\n"),
        ("b/web/Dockerfile", ""),
    ]);
    assert_eq!(double.imglint(&["init"]).code, 0);
    assert!(read(&double, "imglint.toml").contains("roots = [\".\"]"));
    let top = scratch.init("top");
    top.write(&[
        ("web/VERSION", "1\n"),
        ("web/Dockerfile", ""),
        ("ignored/x/VERSION", ""),
        ("ignored/x/Dockerfile", ""),
    ]);
    top.write(&[(".gitignore", "ignored\n")]);
    let run = top.imglint(&["init"]);
    assert!(run.code == 0 && run.stdout.contains("found 1 image with"), "{run}");
    assert!(read(&top, "imglint.toml").contains("roots = [\".\"]"));
    assert!(top.imglint(&["inspect"]).stdout.starts_with("web 1"), "{}", top.imglint(&["inspect"]));
}

#[test]
fn nothing_is_made_up_and_nothing_overwritten() {
    let scratch = Scratch::new();
    let empty = scratch.init("empty");
    empty.write(&[("VERSION", "1\n"), ("Dockerfile", "FROM scratch\n")]);
    empty.imglint(&["init", "--hook"]).fails(&["imglint finds no images here", "shape.images.roots"]);
    assert!(!exists(&empty, "imglint.toml") && !exists(&empty, ".git/hooks/pre-push"));
    scratch.at("nowhere").imglint(&["init"]).fails(&["no git repository"]);

    let repo = scratch.kubernetes("repo");
    // One of the files is there: none is written.
    for (path, named) in
        [(WORKFLOW, WORKFLOW), (PROW, PROW), (".prow.yaml", ".prow.yaml"), (".git/hooks/pre-push", "pre-push")]
    {
        repo.write(&[(path, "mine\n")]);
        repo.imglint(&["init", "--hook", "--prow", "--github"]).fails(&[named]);
        assert_eq!(read(&repo, path), "mine\n");
        for other in ["imglint.toml", WORKFLOW, PROW, ".git/hooks/pre-commit", ".git/hooks/pre-push"] {
            assert!(other == path || !exists(&repo, other), "{other} was written beside {path}");
        }
        std::fs::remove_file(repo.root.join(path)).expect("removed");
    }
    assert_eq!(repo.imglint(&["init"]).code, 0);
    repo.write(&[("imglint.toml", "pack = \"kubernetes\" # mine\n")]);
    repo.imglint(&["init"]).fails(&["imglint.toml is there already", "does not overwrite"]);
    // What is still missing can be had, beside a configuration that stays.
    let run = repo.imglint(&["init", "--prow"]);
    assert!(run.code == 0 && exists(&repo, PROW), "{run}");
    assert_eq!(read(&repo, "imglint.toml"), "pack = \"kubernetes\" # mine\n");
    repo.imglint(&["init", "--prow"]).fails(&[PROW]);
}

#[test]
fn what_runs_imglint_is_written_on_request() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let run = repo.imglint(&["init", "--hook", "--prow", "--github"]);
    assert_eq!(run.code, 0, "{run}");
    for named in ["imglint.toml", PROW, WORKFLOW, "pre-commit", "pre-push", "put the registry of imglint's image into"]
    {
        assert!(run.stdout.contains(named), "{named}\n{run}");
    }
    repo.git(&["add", "-A"]);
    let commit = repo.git_with_hooks(&["commit", "-q", "-m", "init"]);
    assert_eq!(commit.code, 0, "{commit}");

    let text = read(&repo, PROW);
    let prow = yaml(&text);
    let job = &prow["presubmits"][0];
    assert_eq!(job["name"].as_str(), Some("pull-imglint"));
    assert_eq!(job["decorate"].as_bool(), Some(true));
    let container = &job["spec"]["containers"][0];
    let image = container["image"].as_str().expect("an image");
    assert!(image.ends_with(concat!("imglint:v", env!("CARGO_PKG_VERSION"))), "{image}");
    assert_eq!(container["resources"]["requests"]["memory"], container["resources"]["limits"]["memory"]);
    let pattern = regex::Regex::new(job["run_if_changed"].as_str().expect("a pattern")).expect("a pattern");
    for path in
        ["test/images/agnhost/VERSION", "test/utils/image/manifest.go", "build/dependencies.yaml", "imglint.toml"]
    {
        assert!(pattern.is_match(path), "{path}");
    }
    for path in ["README.md", "old/test/images/a", "test/utils/image/manifestXgo", "imglint.toml.md"] {
        assert!(!pattern.is_match(path), "{path}");
    }
    let text = read(&repo, WORKFLOW);
    let workflow = yaml(&text);
    let checkout = &workflow["jobs"]["imglint"]["steps"][0];
    assert_eq!(checkout["with"]["fetch-depth"].as_integer(), Some(2));
}

#[test]
fn the_job_runs_for_files_that_the_list_of_dependencies_ties_to_images() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let list = "dependencies:\n  - name: agnhost\n    version: 2.25\n    refPaths:\n    - path: test/images/agnhost/VERSION\n    \
                - path: hack/testdata/pod.yaml\n      match: agnhost:\n  - name: other\n    version: 1\n    refPaths:\n    \
                - path: hack/other.sh\n      match: x\n";
    repo.change(&[("build/dependencies.yaml", list), ("hack/testdata/pod.yaml", "image: agnhost:2.25\n")]);
    assert_eq!(repo.imglint(&["init", "--prow"]).code, 0);
    let text = read(&repo, PROW);
    let prow = yaml(&text);
    let pattern = prow["presubmits"][0]["run_if_changed"].as_str().expect("a pattern");
    let pattern = regex::Regex::new(pattern).expect("a pattern");
    assert!(pattern.is_match("hack/testdata/pod.yaml"), "{pattern}");
    assert!(!pattern.is_match("hack/other.sh"), "{pattern}");
}

#[test]
fn a_job_for_a_whole_repository_always_runs() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[("web/VERSION", "1\n"), ("web/Dockerfile", "FROM scratch\n")]);
    assert_eq!(repo.imglint(&["init", "--prow"]).code, 0);
    let text = read(&repo, PROW);
    assert_eq!(yaml(&text)["presubmits"][0]["always_run"].as_bool(), Some(true));
}

#[test]
fn completions_and_the_manual_know_every_command() {
    let scratch = Scratch::new();
    let nowhere = scratch.at("nowhere");
    let commands = [
        "check",
        "explain",
        "bump",
        "rules",
        "inspect",
        "status",
        "affected",
        "graph",
        "demo",
        "init",
        "hook",
        "completions",
        "man",
    ];
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = nowhere.imglint(&["completions", shell]);
        assert!(run.code == 0 && run.stdout.contains("IMGLINT_COMPLETE"), "{run}");
        let environment = [("IMGLINT_COMPLETE", shell), ("_CLAP_COMPLETE_INDEX", "1")];
        let run = nowhere.imglint_with(&["--", "imglint", ""], &environment);
        assert!(run.code == 0 && commands.iter().all(|command| run.stdout.contains(command)), "{run}");
        assert!(run.stdout.contains("unsafe-fixes"), "{run}");
    }
    nowhere.imglint(&["completions", "csh"]).fails(&["invalid value 'csh'", "bash"]);
    let page = nowhere.imglint(&["man"]);
    assert!(page.code == 0 && page.stdout.contains(".TH imglint 1"), "{page}");
    for command in commands {
        assert!(page.stdout.contains(&format!("imglint\\-{command}(1)")), "{command}\n{page}");
        let page = nowhere.imglint(&["man", command]);
        assert!(page.code == 0 && page.stdout.contains(&format!(".TH imglint-{command} 1")), "{page}");
    }
    let page = nowhere.imglint(&["man", "hook", "install"]);
    assert!(page.stdout.contains("hook that judges what is pushed"), "{page}");
    nowhere.imglint(&["man", "chek"]).fails(&["there is no command `chek`", "did you mean `check`?"]);
}

/// An editor finds the schema beside the configuration, without a network.
#[test]
fn the_schema_is_written_where_the_first_line_says() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let run = repo.imglint(&["init", "--schema"]);
    assert!(run.code == 0 && !run.stdout.contains("imglint init --schema"), "{run}");
    let config = read(&repo, "imglint.toml");
    let path = config.lines().next().and_then(|line| line.strip_prefix("#:schema ./")).expect("a first line");
    assert_eq!(read(&repo, path), repo.imglint(&["schema", "config"]).stdout);
    assert!(!run.stdout.contains("\"definitions\""), "{run}");
    repo.imglint(&["--all"]).is(0, &[]);
    // Neither of the two is written over.
    let run = repo.imglint(&["init", "--schema"]);
    assert!(run.code == 2 && run.stderr.contains(".imglint.schema.json"), "{run}");
}

#[test]
fn a_configuration_that_is_there_gets_the_line_by_hand() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.write(&[("imglint.toml", "pack = \"kubernetes\"\n")]);
    let run = repo.imglint(&["init", "--schema"]);
    assert!(
        run.code == 0 && run.stdout.contains("begin imglint.toml with the line #:schema ./.imglint.schema.json"),
        "{run}"
    );
    assert_eq!(read(&repo, "imglint.toml"), "pack = \"kubernetes\"\n");
}
