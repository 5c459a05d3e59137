//! Changes that Kubernetes merged, or refused, each in the shape of its year: a whole tree in small, judged as Prow would.

use super::harness::{Repo, Run, Scratch};

/// The architectures that images are built for.
const ARCHITECTURES: [&str; 5] = ["amd64", "arm", "arm64", "ppc64le", "s390x"];
const WINDOWS: [&str; 3] = ["1809", "ltsc2022", "ltsc2025"];
const PAGE: &str = "# Images\n\nOnce an image is promoted, move the tests to the newly promoted image.\n";
const SAME_CHANGE: &str = "pack = \"kubernetes\"\nshape.manifest.follows = \"same-change\"\n";

/// The images whose base for Windows is busybox, each with its base for Linux.
const ON_BUSYBOX: [(&str, &str); 4] = [
    ("agnhost", "alpine:3.21"),
    ("nginx", "nginx:1.27-alpine"),
    ("nginx-new", "nginx:1.28-alpine"),
    ("glibc-dns-testing", "debian:bookworm-slim"),
];

/// The images of 2026, by the versions that a case is about.
struct Tree {
    repo: Repo,
    /// The branch that changes are made to.
    branch: &'static str,
}

/// The versions of a tree.
struct Versions {
    agnhost: &'static str,
    /// What the manifest and the list of dependencies name of it.
    manifest: &'static str,
    /// What kitten and nautilus name of it.
    children: &'static str,
}

const TODAY: Versions = Versions { agnhost: "2.66.0", manifest: "2.66.0", children: "2.66.0" };

fn on_busybox(linux: &str, busybox: &str) -> String {
    let linux = ARCHITECTURES.map(|arch| format!("linux/{arch}={linux}\n")).concat();
    let windows =
        WINDOWS.map(|version| format!("windows/amd64/{version}=REGISTRY/busybox:{busybox}-windows-amd64-{version}\n"));
    linux + &windows.concat()
}

fn on_nanoserver(linux: &str) -> String {
    let linux = ARCHITECTURES.map(|arch| format!("linux/{arch}={linux}\n")).concat();
    linux + &WINDOWS.map(|version| format!("windows/amd64/{version}=nanoserver:{version}\n")).concat()
}

fn on_agnhost(version: &str) -> String {
    let linux = ARCHITECTURES.map(|arch| format!("linux/{arch}=REGISTRY/agnhost:{version}-linux-{arch}\n")).concat();
    let windows =
        WINDOWS.map(|os| format!("windows/amd64/{os}=REGISTRY/agnhost:{version}-windows-amd64-{os}\n")).concat();
    linux + &windows
}

fn manifest(agnhost: &str) -> String {
    let entries = [
        ("AgnhostPrev", "agnhost", "2.55"),
        ("Agnhost", "agnhost", agnhost),
        ("APIServer", "sample-apiserver", "1.33.8"),
        ("BusyBox", "busybox", "1.37.0-2"),
        ("GlibcDnsTesting", "glibc-dns-testing", "2.1.0"),
        ("Kitten", "kitten", "1.9"),
        ("Nautilus", "nautilus", "1.9.0"),
        ("Nginx", "nginx", "1.27.0-1"),
        ("NginxNew", "nginx", "1.28.0-1"),
        ("NonRoot", "nonroot", "1.6.0"),
    ];
    let entries = entries.map(|(key, name, version)| {
        format!("\tconfigs[{key}] = Config{{list.PromoterE2eRegistry, \"{name}\", \"{version}\"}}\n")
    });
    format!("package image\n\nfunc configs(list RegistryList) {{\n{}}}\n", entries.concat())
}

/// The list of dependencies, which ties the children to the manifest by versions of three numbers.
fn dependencies(agnhost: &str) -> String {
    let children = ["kitten", "nautilus"]
        .map(|child| format!("    - path: test/images/{child}/BASEIMAGE\n      match: agnhost:\\d+\\.\\d+\\.\\d+-\n"));
    format!(
        "dependencies:\n  - name: \"agnhost\"\n    version: {agnhost}\n    refPaths:\n    - path: test/utils/image/manifest.go\n      \
         match: configs\\[Agnhost\\] = Config{{list\\.PromoterE2eRegistry, \"agnhost\", \"\\d+\\.\\d+\\.\\d+\"}}\n{}    \
         - path: hack/testdata/pod.yaml\n      match: e2e-test-images/agnhost:\\d+\\.\\d+\\.\\d+\n",
        children.concat()
    )
}

impl Tree {
    fn new(scratch: &Scratch, versions: &Versions) -> Self {
        Self::on(scratch, versions, "master")
    }

    fn on(scratch: &Scratch, Versions { agnhost, manifest: used, children }: &Versions, branch: &'static str) -> Self {
        let repo = scratch.init("repo");
        repo.git(&["checkout", "-q", "-B", branch]);
        let tree = Self { repo, branch };
        tree.repo.write(&[
            ("go.mod", "module k8s.io/kubernetes\n"),
            ("test/images/README.md", PAGE),
            ("test/images/image-util.sh", "windows_os_versions=(1809 ltsc2022 ltsc2025)\n"),
            ("test/utils/image/manifest.go", &manifest(used)),
            ("build/dependencies.yaml", &dependencies(used)),
            ("hack/testdata/pod.yaml", &format!("image: registry.k8s.io/e2e-test-images/agnhost:{used}\n")),
            ("test/images/agnhost/agnhost.go", "package main\n\nvar Version = \"development\"\n"),
            ("test/images/agnhost/netexec/netexec.go", "package netexec\n"),
            ("test/images/nginx-new/ALIAS", "nginx\n"),
            ("test/images/windows-servercore-cache/Dockerfile", "ARG BASEIMAGE\nFROM --platform=windows/amd64 $BASEIMAGE\n"),
            // The README's own example of links that are right.
            (
                "test/images/busybox/Dockerfile_windows",
                "ARG BASEIMAGE\nFROM --platform=linux/amd64 alpine:3.21 as prep\nRUN mkdir -p /bin/Files && \
                 cp /busybox.exe /bin/busybox.exe && cp /busybox.exe /bin/Files/busybox.exe && \\\n    \
                 for p in cat ls sh; do ln -s busybox.exe /bin/$p.exe; done\nFROM $BASEIMAGE\nCOPY --from=prep /bin /bin\n\
                 ENV PATH=\"C:\\bin;C:\\Windows\\System32;C:\\Windows;\"\n",
            ),
        ]);
        let bumped = [
            ("agnhost", *agnhost),
            ("kitten", "1.9"),
            ("nautilus", "1.9.0"),
            ("busybox", "1.37.0-2"),
            ("windows-servercore-cache", "1.0"),
            ("nginx", "1.27.0-1"),
            ("nginx-new", "1.28.0-1"),
            ("glibc-dns-testing", "2.1.0"),
            ("nonroot", "1.6.0"),
            ("sample-apiserver", "1.33.8"),
        ];
        for (image, version) in bumped {
            tree.version(image, version);
            if image != "windows-servercore-cache" {
                tree.image(image, "Dockerfile", "ARG BASEIMAGE\nFROM $BASEIMAGE\n");
            }
        }
        for (image, linux) in ON_BUSYBOX {
            tree.image(image, "BASEIMAGE", &on_busybox(linux, "1.37.0-2"));
        }
        for (image, linux) in
            [("busybox", "busybox:1.37.0"), ("nonroot", "debian:12"), ("sample-apiserver", "alpine:3.6")]
        {
            tree.image(image, "BASEIMAGE", &on_nanoserver(linux));
        }
        for child in ["kitten", "nautilus"] {
            tree.image(child, "BASEIMAGE", &on_agnhost(children));
        }
        let cache = WINDOWS.map(|version| format!("linux/amd64/{version}=servercore:{version}\n")).concat();
        tree.image("windows-servercore-cache", "BASEIMAGE", &cache);
        tree.repo.commit("base");
        tree
    }

    fn image(&self, image: &str, file: &str, text: &str) {
        self.repo.write(&[(&format!("test/images/{image}/{file}"), text)]);
    }

    fn version(&self, image: &str, version: &str) {
        self.image(image, "VERSION", &format!("{version}\n"));
    }

    /// Replaces words of a file.
    fn edit(&self, path: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.repo.root.join(path)).expect("a file");
        assert!(text.contains(from), "{path} lacks {from}");
        self.repo.write(&[(path, &text.replace(from, to))]);
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.repo.root.join(path)).expect("a file")
    }

    /// Judges what the working tree holds as Prow judges a pull request: merged into the branch that it is made to.
    fn pull(&self, arguments: &[&str]) -> Run {
        let base = self.repo.git(&["rev-parse", self.branch]);
        self.repo.git(&["checkout", "-q", "-b", "pull"]);
        let pull = self.repo.commit("change");
        self.merge(&base, &pull, arguments)
    }

    fn merge(&self, base: &str, pull: &str, arguments: &[&str]) -> Run {
        self.repo.git(&["checkout", "-q", self.branch]);
        self.repo.git(&["merge", "-q", "--no-ff", "-m", "merge", pull]);
        self.as_prow(base, pull, arguments)
    }

    /// Judges once more what was merged.
    fn as_prow(&self, base: &str, pull: &str, arguments: &[&str]) -> Run {
        let refs = format!("{}:{base},7:{pull}", self.branch);
        let variables = [
            ("CI", "true"),
            ("PROW_JOB_ID", "1"),
            ("JOB_TYPE", "presubmit"),
            ("REPO_OWNER", "kubernetes"),
            ("REPO_NAME", "kubernetes"),
            ("PULL_BASE_REF", self.branch),
            ("PULL_BASE_SHA", base),
            ("PULL_NUMBER", "7"),
            ("PULL_PULL_SHA", pull),
            ("PULL_REFS", &refs),
        ];
        self.repo.imglint_with(arguments, &variables)
    }

    /// The same with the policy of old.
    fn in_same_change(&self) -> Run {
        self.repo.write(&[("../same.toml", SAME_CHANGE)]);
        let [base, pull] = ["HEAD^1", "HEAD^2"].map(|revision| self.repo.git(&["rev-parse", revision]));
        self.as_prow(&base, &pull, &["--config", "../same.toml"])
    }

    fn promoted(&self, tags: &[(&str, &[&str])]) {
        let mut entries = Vec::new();
        for (image, tags) in tags {
            let tags: Vec<String> = tags.iter().map(|tag| format!("\"{tag}\"")).collect();
            entries.push(format!("- name: {image}\n  dmap:\n    \"sha256:{image}\": [{}]\n", tags.join(", ")));
        }
        self.repo.write(&[("../images.yaml", &entries.concat())]);
    }
}

/// How many findings of each level a run printed.
fn levels(run: &Run) -> [usize; 3] {
    [" error: ", " warning: ", " note: "].map(|level| run.stdout.lines().filter(|line| line.contains(level)).count())
}

/// kubernetes/kubernetes#140917, merged: the children of busybox get its new version, and versions of their own. All else follows
/// when they are promoted.
#[test]
fn children_are_rebased_after_their_parent_and_all_else_waits() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &TODAY);
    tree.version("busybox", "1.38.0-1");
    tree.repo.commit("busybox");
    for (image, linux) in ON_BUSYBOX {
        tree.image(image, "BASEIMAGE", &on_busybox(linux, "1.38.0-1"));
    }
    for (image, version) in
        [("agnhost", "2.66.1"), ("nginx", "1.27.0-2"), ("nginx-new", "1.28.0-2"), ("glibc-dns-testing", "2.1.1")]
    {
        tree.version(image, version);
    }
    let run = tree.pull(&[]);
    run.is(0, &["stale-manifest"; 4]);
    assert_eq!(levels(&run), [0, 0, 4], "{run}");
    let run = tree.in_same_change();
    run.is(1, &["stale-base", "stale-base", "stale-manifest", "stale-manifest", "stale-manifest", "stale-manifest"]);
}

/// kubernetes/kubernetes#136300, merged: a new VERSION and nothing else, while its children lag behind. Versions of two numbers
/// are tied to nothing.
#[test]
fn a_bump_alone_passes_and_its_repair_leaves_the_manifest() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &Versions { agnhost: "2.60", manifest: "2.60", children: "2.57" });
    tree.version("agnhost", "2.61");
    let run = tree.pull(&[]);
    run.is(0, &["stale-base", "stale-base", "stale-manifest"]);
    assert_eq!(levels(&run), [0, 2, 1], "{run}");
    assert_eq!(levels(&tree.in_same_change()), [3, 0, 0]);
    let fixed = tree.repo.imglint(&["--base", "HEAD^1", "--fix"]);
    assert_eq!(tree.read("test/utils/image/manifest.go"), manifest("2.60"), "{fixed}");
    assert_eq!(tree.read("test/images/kitten/BASEIMAGE"), on_agnhost("2.61"), "{fixed}");
    assert_eq!(tree.read("test/images/kitten/VERSION"), "1.10\n", "{fixed}");
}

#[test]
fn tied_children_wait_for_the_manifest() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &TODAY);
    tree.image("agnhost", "netexec/netexec.go", "package netexec\n\n// changed\n");
    tree.version("agnhost", "2.66.1");
    let run = tree.pull(&[]);
    run.is(0, &["stale-manifest"]);
    assert_eq!(levels(&run), [0, 0, 1], "{run}");
    let fixed = tree.repo.imglint(&["--base", "HEAD^1", "--fix"]);
    assert_eq!(fixed.code, 0, "{fixed}");
    assert_eq!(tree.repo.git(&["status", "--porcelain"]), "", "{fixed}");
    assert_eq!(levels(&tree.in_same_change()), [3, 0, 0]);
}

#[test]
fn children_that_nothing_ties_are_warned_of_until_their_parent_is_promoted() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &TODAY);
    tree.repo.git(&["rm", "-q", "build/dependencies.yaml"]);
    tree.repo.commit("no ties");
    tree.version("agnhost", "2.66.1");
    let run = tree.pull(&[]);
    run.is(0, &["stale-base", "stale-base", "stale-manifest"]);
    assert!(run.stdout.contains("name 2.66.1 on all 8 lines, here or once 2.66.1 is promoted, and bump"), "{run}");
    // Nobody waits for what has been.
    tree.promoted(&[("agnhost", &["2.66.0", "2.66.1"])]);
    let run = tree.repo.imglint(&["--base", "HEAD^1", "--promoted", "../images.yaml", "--rule", "stale-base"]);
    run.is(0, &["stale-base"; 2]);
    assert!(!run.stdout.contains("once 2.66.1"), "{run}");
    assert!(run.stdout.contains("here or in a change of its own: 2.66.1 is promoted"), "{run}");
    let run = tree.repo.imglint(&["--all", "--promoted", "../images.yaml", "--rule", "stale-base"]);
    run.is(1, &["stale-base"; 2]);
}

/// kubernetes/kubernetes#139725: while it was reviewed, another change took its version.
#[test]
fn a_version_that_was_taken_meanwhile_is_told_in_the_merge_and_out_of_it() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &Versions { agnhost: "2.64.0", manifest: "2.64.0", children: "2.64.0" });
    tree.repo.git(&["checkout", "-q", "-b", "pull"]);
    tree.image("agnhost", "socat.sh", "exec socat\n");
    tree.version("agnhost", "2.65.0");
    let pull = tree.repo.commit("socat");
    tree.repo.git(&["checkout", "-q", "master"]);
    tree.image("agnhost", "netexec/netexec.go", "package netexec\n\n// variables\n");
    tree.version("agnhost", "2.65.0");
    let base = tree.repo.commit("variables");
    let plain = tree.repo.imglint(&["--base", "master", "--head", &pull]);
    assert!(plain.code == 1 && plain.rules().contains(&"taken-version"), "{plain}");
    let run = tree.merge(&base, &pull, &[]);
    run.is(1, &["taken-version"]);
    assert!(run.stdout.contains("agnhost 2.65.0 is taken: master has it already; rebase, and set VERSION to 2.65.1"));
}

/// kubernetes/kubernetes#139756: after the promotion the manifest moves, and with it all that is tied to it.
#[test]
fn the_manifest_moves_and_what_is_tied_to_it_must() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &Versions { agnhost: "2.65.0", manifest: "2.64.0", children: "2.64.0" });
    for path in ["test/utils/image/manifest.go", "build/dependencies.yaml", "hack/testdata/pod.yaml"] {
        tree.edit(path, "2.64.0", "2.65.0");
    }
    let run = tree.pull(&[]);
    run.is(1, &["mismatched-dependency", "stale-base", "stale-base"]);
    assert!(run.stdout.contains("test/images/kitten/BASEIMAGE has 2.64.0"), "{run}");
    let fixed = tree.repo.imglint(&["--base", "HEAD^1", "--fix"]);
    for child in ["kitten", "nautilus"] {
        assert_eq!(tree.read(&format!("test/images/{child}/BASEIMAGE")), on_agnhost("2.65.0"), "{fixed}");
    }
    // Nothing that the checker of the list refuses is left.
    tree.repo.imglint(&["--base", "HEAD^1", "--rule", "mismatched-dependency", "--rule", "stale-base"]).is(0, &[]);
}

/// kubernetes/kubernetes#133854, closed: "use latest agnhost 2.57".
#[test]
fn half_a_rebase_is_told() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &Versions { agnhost: "2.57", manifest: "2.56", children: "2.33" });
    tree.image("nautilus", "BASEIMAGE", &on_agnhost("2.56"));
    tree.version("nautilus", "1.9.1");
    let run = tree.pull(&["--rule", "stale-base"]);
    run.is(0, &["stale-base"]);
    assert!(run.stdout.contains("nautilus names agnhost 2.56, but agnhost is at 2.57"), "{run}");
    assert!(run.stdout.contains("unless 2.56 is meant: the manifest names it"), "{run}");
    // Where nothing names it, nothing else can be meant.
    tree.edit("test/images/nautilus/BASEIMAGE", "2.56", "2.55");
    tree.repo.imglint(&["--base", "HEAD^1", "--rule", "stale-base"]).is(1, &["stale-base"]);
}

/// kubernetes/kubernetes#104455, merged: "versions have been bumped in a previous commit, but haven't been promoted yet".
#[test]
fn what_is_not_promoted_yet_may_be_built_over() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &TODAY);
    tree.version("agnhost", "2.67.0");
    tree.version("nonroot", "1.7.0");
    tree.repo.commit("bumped before");
    for image in ["agnhost", "nonroot"] {
        let path = format!("test/images/{image}/Dockerfile");
        tree.repo.write(&[(&path, "ARG BASEIMAGE\nFROM $BASEIMAGE\nUSER 1234\n")]);
    }
    tree.pull(&[]).is(1, &["stale-version"; 2]);
    tree.promoted(&[("agnhost", &["2.66.0"]), ("nonroot", &["1.6.0"])]);
    let run = tree.repo.imglint(&["--base", "HEAD^1", "--promoted", "../images.yaml", "--rule", "stale-version"]);
    run.is(0, &["stale-version"; 2]);
    assert!(run.stdout.contains("2.67.0 is not promoted yet, and will be built over"), "{run}");
}

/// kubernetes/kubernetes#118080, as it was first: "We need to split this into multiple PRs".
#[test]
fn the_manifest_cannot_name_what_the_same_change_introduces() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &TODAY);
    tree.version("sample-apiserver", "1.34.0");
    tree.edit("test/utils/image/manifest.go", "1.33.8", "1.34.0");
    tree.pull(&[]).is(1, &["unbuilt-manifest"]);
    tree.in_same_change().is(0, &[]);
}

/// A release branch after kubernetes/kubernetes#141537: it takes an image that master built.
#[test]
fn on_a_release_branch_what_ran_ahead_before_is_old() {
    let scratch = Scratch::new();
    let versions = Versions { agnhost: "2.63.0", manifest: "2.66.1", children: "2.63.0" };
    let tree = Tree::on(&scratch, &versions, "release-1.36");
    tree.repo.git(&["rm", "-q", "build/dependencies.yaml"]);
    tree.repo.commit("no ties");
    tree.image("agnhost", "netexec/netexec.go", "package netexec\n\n// changed\n");
    tree.version("agnhost", "2.63.1");
    let run = tree.pull(&[]);
    run.is(0, &["stale-base", "stale-base"]);
    let fixed = tree.repo.imglint(&["--base", "HEAD^1", "--fix"]);
    assert_eq!(tree.read("test/utils/image/manifest.go"), manifest("2.66.1"), "nothing is lowered\n{fixed}");
}

/// kubernetes/kubernetes#130935 and #113303, which reverted just such a bump.
#[test]
fn a_frozen_image_keeps_its_version() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &TODAY);
    let path = "test/images/windows-servercore-cache/BASEIMAGE";
    let text = tree.read(path) + "linux/amd64/2004=servercore:2004\n";
    tree.repo.write(&[(path, &text)]);
    let run = tree.pull(&[]);
    assert!(run.code == 0 && !run.rules().contains(&"stale-version"), "{run}");
    let fixed = tree.repo.imglint(&["--base", "HEAD^1", "--fix"]);
    assert_eq!(tree.read("test/images/windows-servercore-cache/VERSION"), "1.0\n", "{fixed}");
}

#[test]
fn links_beside_a_copy_of_their_target_are_right() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &TODAY);
    tree.repo.imglint(&["--all", "--rule", "absolute-windows-symlink"]).is(0, &[]);
    let path = "test/images/busybox/Dockerfile_windows";
    tree.edit(path, " && cp /busybox.exe /bin/Files/busybox.exe", "");
    tree.repo.imglint(&["--all", "--rule", "absolute-windows-symlink"]).is(0, &["absolute-windows-symlink"]);
}

/// kubernetes/kubernetes#118176: children 12 versions behind are no news for a change that moves the manifest alone.
#[test]
fn what_lagged_before_a_change_is_old() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &Versions { agnhost: "2.45", manifest: "2.43", children: "2.33" });
    tree.repo.imglint(&["--all", "--rule", "stale-base"]).is(0, &["stale-base"; 2]);
    tree.edit("test/utils/image/manifest.go", "\"2.43\"", "\"2.45\"");
    tree.pull(&["--rule", "stale-base", "--rule", "stale-manifest"]).is(0, &[]);
}

/// kubernetes/kubernetes#141016: a promoted image that nothing used for a week.
#[test]
fn a_forgotten_entry_is_found_in_the_whole_tree_and_moved() {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, &TODAY);
    tree.version("glibc-dns-testing", "2.1.1");
    tree.version("nonroot", "1.7.0");
    tree.repo.commit("forgotten");
    tree.promoted(&[("glibc-dns-testing", &["2.1.0", "2.1.1"]), ("nonroot", &["1.6.0"])]);
    let arguments = ["--all", "--promoted", "../images.yaml", "--rule", "stale-manifest"];
    let run = tree.repo.imglint(&arguments);
    run.is(1, &["stale-manifest"]);
    assert!(run.stdout.contains("GlibcDnsTesting names glibc-dns-testing 2.1.0, but 2.1.1 is promoted"), "{run}");
    tree.repo.imglint(&[&arguments[..], &["--fix"]].concat());
    let expected = manifest("2.66.0").replace("\"2.1.0\"", "\"2.1.1\"");
    assert_eq!(tree.read("test/utils/image/manifest.go"), expected);
}
