//! Prow, step by step: what its clonerefs does with git, what it sets in the environment of a job's pod, and the jobs of
//! `docs/prow`, whose own arguments are run.

use std::path::Path;

use regex::Regex;
use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::{Value, json};

use super::harness::{Repo, Run, Scratch};

const STALE: &[&str] = &["stale-version"];
/// Where a pod's clones lie.
const SOURCES: &str = "home/prow/go/src/k8s.io";

/// How Prow clones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetch {
    Whole,
    /// `blobless_fetch: true`
    Blobless,
}

/// Clones as Prow's clonerefs does: no remote, the base branch under its own name at the commit that is tested, and every pull
/// request merged into it.
pub(crate) fn clonerefs(scratch: &Scratch, origin: &Repo, base: &str, pulls: &[&str], fetch: Fetch) -> Repo {
    for name in ["uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter"] {
        origin.git(&["config", name, "true"]);
    }
    let name = origin.root.file_name().and_then(|name| name.to_str()).expect("a plain name");
    let clone = scratch.at(&format!("{SOURCES}/{}", if name == "origin" { "kubernetes" } else { name }));
    let url = origin.url();
    let filter: &[&str] = if fetch == Fetch::Blobless { &["--filter=blob:none"] } else { &[] };
    let fetch = |arguments: &[&str]| clone.git(&[&["fetch"], filter, &[&*url], arguments].concat());
    clone.git(&["init"]);
    clone.git(&["config", "user.name", "ci-robot"]);
    clone.git(&["config", "user.email", "ci-robot@k8s.io"]);
    fetch(&["--tags", "--prune"]);
    fetch(&[base]);
    clone.git(&["checkout", base]);
    clone.git(&["branch", "--force", "master", base]);
    clone.git(&["checkout", "master"]);
    for pull in pulls {
        let sha = origin.git(&["rev-parse", pull]);
        fetch(&[&sha]);
        clone.git(&["merge", "--no-ff", &sha]);
    }
    clone.git(&["submodule", "update", "--init", "--recursive"]);
    clone
}

/// A job as Prow's controller describes it to the pod.
struct Job<'a> {
    kind: &'a str,
    base: &'a str,
    /// The numbers and heads of the pull requests.
    pulls: &'a [(u32, &'a str)],
}

impl Job<'_> {
    /// The variables of the pod: which of them there are depends on the kind.
    fn environment(&self, scratch: &Scratch) -> Vec<(String, String)> {
        let title = "Bump \"agnhost\"; 100%\n::error::x";
        let artifacts = scratch.path().join("logs/artifacts");
        std::fs::create_dir_all(&artifacts).expect("a directory");
        let describe = |(number, sha): &(u32, &str)| {
            json!({"number": number, "author": "somebody", "sha": sha, "title": title, "head_ref": "topic",
                   "link": format!("https://github.com/kubernetes/kubernetes/pull/{number}")})
        };
        let kubernetes =
            json!({"org": "kubernetes", "repo": "kubernetes", "base_ref": "master", "path_alias": "k8s.io/kubernetes"});
        let mut spec = json!({"type": self.kind, "job": "imglint", "buildid": "1", "prowjobid": "2",
                              "decoration_config": {"timeout": "10m0s", "blobless_fetch": true}});
        if self.kind == "periodic" {
            spec["extra_refs"] = json!([kubernetes]);
        } else {
            let mut refs = kubernetes;
            refs["base_sha"] = self.base.into();
            if !self.pulls.is_empty() {
                refs["pulls"] = self.pulls.iter().map(describe).collect::<Vec<_>>().into();
            }
            spec["refs"] = refs;
        }
        let mut variables = vec![
            ("CI", "true".to_owned()),
            ("JOB_NAME", "imglint".to_owned()),
            ("JOB_TYPE", self.kind.to_owned()),
            ("JOB_SPEC", spec.to_string()),
            ("BUILD_ID", "1".to_owned()),
            ("BUILD_NUMBER", "1".to_owned()),
            ("PROW_JOB_ID", "2".to_owned()),
            ("ARTIFACTS", artifacts.to_str().expect("UTF-8").to_owned()),
            ("GOPATH", scratch.path().join("home/prow/go").to_str().expect("UTF-8").to_owned()),
        ];
        if self.kind != "periodic" {
            let mut refs = vec![format!("master:{}", self.base)];
            refs.extend(self.pulls.iter().map(|(number, sha)| format!("{number}:{sha}")));
            variables.extend([
                ("REPO_OWNER", "kubernetes".to_owned()),
                ("REPO_NAME", "kubernetes".to_owned()),
                ("SRC_HOST", "k8s.io".to_owned()),
                ("SRC_BASE", "kubernetes".to_owned()),
                ("PULL_BASE_REF", "master".to_owned()),
                ("PULL_BASE_SHA", self.base.to_owned()),
                ("PULL_REFS", refs.join(",")),
            ]);
        }
        if let ("presubmit", [(number, sha)]) = (self.kind, self.pulls) {
            variables.extend([
                ("PULL_NUMBER", number.to_string()),
                ("PULL_PULL_SHA", (*sha).to_owned()),
                ("PULL_HEAD_REF", "topic".to_owned()),
                ("PULL_TITLE", title.to_owned()),
            ]);
        }
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Runs the program of the pod in the clone, which is where Prow starts it.
    #[track_caller]
    fn run(&self, scratch: &Scratch, clone: &Repo, arguments: &[String]) -> Run {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let environment = self.environment(scratch);
        let environment: Vec<_> = environment.iter().map(|(name, value)| (&**name, &**value)).collect();
        let report = scratch.path().join("logs/artifacts/junit_imglint.xml");
        let _ = std::fs::remove_file(&report);
        let run = clone.imglint_with(&arguments, &environment);
        // What Spyglass and TestGrid show agrees with the exit code.
        let report = std::fs::read_to_string(report).expect("a report among the artifacts");
        assert_eq!(run.code == 1, report.contains("<failure"), "{run}\n{report}");
        assert_eq!(run.code == 2, report.contains("<error"), "{run}\n{report}");
        run
    }
}

/// A job of `docs/prow/imglint.yaml`, as JSON.
fn documented(path: &[&str]) -> Value {
    fn json(yaml: &Yaml<'_>) -> Value {
        if let Some(mapping) = yaml.as_mapping() {
            let entries = mapping.iter().map(|(key, value)| (key.as_str().expect("a key").to_owned(), json(value)));
            return Value::Object(entries.collect());
        }
        if let Some(sequence) = yaml.as_sequence() {
            return sequence.iter().map(json).collect();
        }
        let integer = || yaml.as_integer().map(Value::from);
        yaml.as_str().map(Value::from).or_else(|| yaml.as_bool().map(Value::from)).or_else(integer).expect("a value")
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/prow/imglint.yaml");
    let text = std::fs::read_to_string(file).expect("the documentation");
    let documents = Yaml::load_from_str(&text).expect("YAML");
    let jobs = path.iter().fold(json(&documents[0]), |value, key| value[key].clone());
    assert_eq!(jobs.as_array().map(Vec::len), Some(1), "{path:?}");
    jobs[0].clone()
}

fn presubmit() -> Value {
    documented(&["presubmits", "kubernetes/kubernetes"])
}

/// The arguments that a documented job gives to imglint.
fn arguments(job: &Value) -> Vec<String> {
    let container = &job["spec"]["containers"][0];
    assert_eq!(container["command"], json!(["imglint"]));
    let arguments = container["args"].as_array().cloned().unwrap_or_default();
    arguments.iter().map(|argument| argument.as_str().expect("a string").to_owned()).collect()
}

/// An origin with a good and a bad change on branches of their own, and its base.
fn origin(scratch: &Scratch) -> (Repo, String) {
    let origin = scratch.kubernetes("origin");
    let base = origin.git(&["rev-parse", "HEAD"]);
    origin.bad_topic();
    origin.git(&["checkout", "-q", "-b", "good", "master"]);
    origin.change(&[("test/images/kitten/kitten.jpg", "=^.^=\n"), ("test/images/kitten/VERSION", "1.5\n")]);
    origin.git(&["checkout", "-q", "-b", "readme", "master"]);
    origin.change(&[("test/images/kitten/README.md", "# kitten\n")]);
    origin.git(&["checkout", "-q", "master"]);
    (origin, base)
}

#[test]
fn a_presubmit_judges_the_pull_request() {
    for (pull, code, rules) in [("topic", 1, STALE), ("good", 0, &[][..]), ("readme", 0, &[])] {
        let scratch = Scratch::new();
        let (origin, base) = origin(&scratch);
        let sha = origin.git(&["rev-parse", pull]);
        let clone = clonerefs(&scratch, &origin, &base, &[pull], Fetch::Whole);
        let job = Job { kind: "presubmit", base: &base, pulls: &[(7, &sha)] };
        job.run(&scratch, &clone, &arguments(&presubmit())).is(code, rules).says(&["(PULL_BASE_SHA)"]);
    }
}

#[test]
fn a_presubmit_is_not_blamed_for_what_the_base_branch_has() {
    let scratch = Scratch::new();
    let (origin, _) = origin(&scratch);
    // Merged by force: somebody else's mistake is part of the base now.
    let base = origin.change(&[("test/images/agnhost/main.go", "package main // by somebody else\n")]);
    let sha = origin.git(&["rev-parse", "good"]);
    let clone = clonerefs(&scratch, &origin, &base, &["good"], Fetch::Whole);
    Job { kind: "presubmit", base: &base, pulls: &[(7, &sha)] }.run(&scratch, &clone, &[]).is(0, &[]);
}

#[test]
fn a_batch_is_judged_as_a_whole() {
    for (pulls, code, rules) in [(["good", "readme"], 0, &[][..]), (["good", "topic"], 1, STALE)] {
        let scratch = Scratch::new();
        let (origin, base) = origin(&scratch);
        let shas = pulls.map(|pull| origin.git(&["rev-parse", pull]));
        let clone = clonerefs(&scratch, &origin, &base, &pulls, Fetch::Whole);
        let job = Job { kind: "batch", base: &base, pulls: &[(7, &shas[0]), (8, &shas[1])] };
        job.run(&scratch, &clone, &arguments(&presubmit())).is(code, rules);
    }
}

#[test]
fn a_postsubmit_judges_what_was_merged() {
    for (merged, code, rules) in [("topic", 1, STALE), ("good", 0, &[][..])] {
        for fetch in [Fetch::Whole, Fetch::Blobless] {
            let scratch = Scratch::new();
            let (origin, _) = origin(&scratch);
            origin.git(&["merge", "-q", "--no-ff", "-m", "Merge pull request #7", merged]);
            let head = origin.git(&["rev-parse", "HEAD"]);
            let clone = clonerefs(&scratch, &origin, &head, &[], fetch);
            let job = Job { kind: "postsubmit", base: &head, pulls: &[] };
            job.run(&scratch, &clone, &[]).is(code, rules).says(&["HEAD^1 of a postsubmit"]);
        }
    }
}

/// Its checkouts have fetched all that a presubmit compares, so it needs neither git nor a network. Of a postsubmit the files
/// before the change are not there: without the network it must fail.
#[test]
fn a_blobless_clone_is_whole_enough_for_a_presubmit() {
    let scratch = Scratch::new();
    let (origin, base) = origin(&scratch);
    let sha = origin.git(&["rev-parse", "topic"]);
    let clone = clonerefs(&scratch, &origin, &base, &["topic"], Fetch::Blobless);
    assert!(clone.git(&["config", "--list"]).contains("partialclonefilter"), "the trap is set");
    std::fs::rename(&origin.root, scratch.path().join("gone")).expect("a directory");
    Job { kind: "presubmit", base: &base, pulls: &[(7, &sha)] }.run(&scratch, &clone, &[]).is(1, STALE);

    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    let changes = [("test/images/kitten/BASEIMAGE", "linux/amd64=x:1\n"), ("test/images/kitten/VERSION", "1.3\n")];
    let head = origin.change(&changes);
    let clone = clonerefs(&scratch, &origin, &head, &[], Fetch::Blobless);
    std::fs::rename(&origin.root, scratch.path().join("gone")).expect("a directory");
    let run = Job { kind: "postsubmit", base: &head, pulls: &[] }.run(&scratch, &clone, &[]);
    run.fails(&["partial clone", "git fetch --refetch"]);
}

#[test]
fn the_periodic_job_judges_the_tree_with_what_is_promoted_and_built() {
    let scratch = Scratch::new();
    let origin = scratch.kubernetes("origin");
    origin.change(&[(
        "test/utils/image/manifest.go",
        "package image\n\nfunc initImageConfigs() {\n\tconfigs[Kitten] = Config{promoterE2eRegistry, \"kitten\", \"1.4\"}\n}\n",
    )]);
    let promoted = |tag: &str| {
        let digest = "a".repeat(64);
        let entry = |name, tag| format!("- name: {name}\n  dmap:\n    \"sha256:{digest}\": [\"{tag}\"]\n");
        let text = entry("agnhost", "2.25") + &entry("kitten", tag);
        scratch
            .at(&format!("{SOURCES}/k8s.io"))
            .write(&[("registry.k8s.io/images/k8s-staging-e2e-test-images/images.yaml", &text)]);
    };
    let script = "IMAGES=(\n  agnhost\n  kitten\n)\n";
    scratch
        .at(&format!("{SOURCES}/test-infra"))
        .write(&[("config/jobs/image-pushing/k8s-staging-e2e-test-images.sh", script)]);
    let arguments = arguments(&documented(&["periodics"]));
    let run = |head: &str| {
        let clone = clonerefs(&scratch, &origin, head, &[], Fetch::Blobless);
        let run = Job { kind: "periodic", base: "", pulls: &[] }.run(&scratch, &clone, &arguments);
        std::fs::remove_dir_all(&clone.root).expect("a directory");
        run
    };
    let head = origin.git(&["rev-parse", "HEAD"]);
    promoted("1.4");
    run(&head).is(0, &[]).says(&["judging the whole tree"]);
    promoted("1.3");
    run(&head).is(1, &["unpromoted-manifest"]);
    promoted("1.4");
    let head = origin.change(&[("test/images/agnhost/VERSION", "2.26\n")]);
    run(&head).is(1, &["stale-base"]);
    // Without what it was told to read it could not look.
    std::fs::remove_dir_all(scratch.path().join(SOURCES).join("k8s.io")).expect("a directory");
    run(&head).fails(&["images.yaml"]);
}

/// What Kubernetes asks of its jobs, and what imglint needs of them.
#[test]
fn the_documented_jobs_are_complete() {
    let (presubmit, periodic) = (presubmit(), documented(&["periodics"]));
    for job in [&presubmit, &periodic] {
        let container = &job["spec"]["containers"][0];
        assert_eq!(job["decorate"], true, "{job}");
        assert_eq!(container["resources"]["limits"], container["resources"]["requests"], "{job}");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{job}");
        assert!(job["annotations"]["description"].is_string() && job["cluster"].is_string(), "{job}");
        for absent in ["clone_depth", "skip_cloning"] {
            assert!(job.get(absent).is_none() && job["decoration_config"].get(absent).is_none(), "{absent}");
        }
    }
    assert_eq!(presubmit["path_alias"], "k8s.io/kubernetes");
    assert_eq!(periodic["extra_refs"][0]["path_alias"], "k8s.io/kubernetes", "Prow starts a job in its first clone");
    let version = concat!(":v", env!("CARGO_PKG_VERSION"));
    assert!(presubmit["spec"]["containers"][0]["image"].as_str().is_some_and(|image| image.ends_with(version)));
    let pattern = Regex::new(presubmit["run_if_changed"].as_str().expect("a pattern")).expect("a pattern");
    let yes = [
        "test/images/kitten/VERSION",
        "test/utils/image/manifest.go",
        "build/dependencies.yaml",
        ".go-version",
        "imglint.toml",
    ];
    let no = ["test/e2e/e2e.go", "docs/imglint.toml", "build/dependencies.yaml.orig", "pkg/test/images/x"];
    assert!(yes.iter().all(|path| pattern.is_match(path)) && !no.iter().any(|path| pattern.is_match(path)));
}

/// Two pull requests bump an image to the same version. Git merges that without a conflict, and as one change they look right; but
/// the first of them has built that version when the second changes what is in it.
#[test]
fn a_batch_cannot_take_a_version_twice() {
    let scratch = Scratch::new();
    let (origin, base) = origin(&scratch);
    let shas = ["one", "two"].map(|name| {
        origin.git(&["checkout", "-q", "-b", name, "master"]);
        let source = format!("test/images/agnhost/{name}.go");
        origin.change(&[
            (source.as_str(), "package main\n"),
            ("test/images/agnhost/VERSION", "2.26\n"),
            ("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.26-linux-amd64\n"),
            ("test/images/kitten/VERSION", "1.5\n"),
        ])
    });
    for pull in ["one", "two"] {
        let sha = origin.git(&["rev-parse", pull]);
        let alone = Scratch::new();
        let clone = clonerefs(&alone, &origin, &base, &[pull], Fetch::Whole);
        Job { kind: "presubmit", base: &base, pulls: &[(7, &sha)] }.run(&alone, &clone, &[]).is(0, &[]);
    }
    for fetch in [Fetch::Whole, Fetch::Blobless] {
        let pod = Scratch::new();
        let clone = clonerefs(&pod, &origin, &base, &["one", "two"], fetch);
        let job = Job { kind: "batch", base: &base, pulls: &[(7, &shas[0]), (8, &shas[1])] };
        let merge = clone.git(&["rev-parse", "--short=12", "HEAD"]);
        let run = job.run(&pod, &clone, &[]);
        run.is(1, STALE);
        assert!(run.stdout.contains("agnhost changed, but its VERSION is still 2.26"), "{run}");
        assert!(run.stdout.contains(&format!("(in the merge {merge} of this batch)")), "{run}");
        // No repair of the whole mends one of its steps.
        job.run(&pod, &clone, &["--fix".to_owned()]).is(1, STALE);
        let run = job.run(&pod, &clone, &["--diff".to_owned()]);
        assert!(run.code == 1 && run.stdout.is_empty(), "{run}");
        run.says(&["with this: 1 error in 2 images"]);
    }
}

/// The merges of a batch that carry no waiver have no use for it, and are not blamed for that.
#[test]
fn a_waiver_of_one_pull_request_does_not_disturb_a_batch() {
    let scratch = Scratch::new();
    let (origin, base) = origin(&scratch);
    origin.git(&["checkout", "-q", "-b", "waived", "master"]);
    origin.write(&[("test/images/agnhost/main.go", "package main // the same\n")]);
    let waived = origin.commit("change\n\nImglint-Waive: stale-version(agnhost) only a comment");
    let good = origin.git(&["rev-parse", "good"]);
    let clone = clonerefs(&scratch, &origin, &base, &["waived", "good"], Fetch::Whole);
    let job = Job { kind: "batch", base: &base, pulls: &[(7, &waived), (8, &good)] };
    job.run(&scratch, &clone, &[]).is(0, &[]);
}
