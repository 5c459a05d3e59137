//! What the gate would have said of a history: the same as a run for each change, and what became of what was found.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::harness::{Repo, Run, Scratch};

const AGNHOST: &str = "test/images/agnhost/main.go";
const VERSION: &str = "test/images/agnhost/VERSION";

/// Commits everything, so many days after the first of January.
pub(super) fn commit_on(repo: &Repo, day: u32, message: &str) -> String {
    repo.git(&["add", "-A"]);
    let mut command = repo.git_command(&["commit", "-q", "--allow-empty", "-m", message]);
    let output = command.env("GIT_COMMITTER_DATE", date(day)).output().expect("git is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    repo.git(&["rev-parse", "HEAD"])
}

fn date(day: u32) -> String {
    format!("{} +0000", 1_767_225_600 + day * 24 * 60 * 60)
}

pub(super) fn change_on(repo: &Repo, day: u32, files: &[(&str, &str)]) -> String {
    repo.write(files);
    commit_on(repo, day, &format!("change of day {day}"))
}

/// Merges a branch into the one that is checked out.
fn merge_on(repo: &Repo, day: u32, branch: &str) {
    let mut command = repo.git_command(&["merge", "-q", "--no-ff", "-X", "theirs", "-m", "merge", branch]);
    let output = command.env("GIT_COMMITTER_DATE", date(day)).output().expect("git is installed");
    if !output.status.success() {
        commit_on(repo, day, "merge"); // what conflicts is kept with its marks: both ways must judge that alike
    }
}

fn replay(repo: &Repo, arguments: &[&str]) -> Value {
    let run = repo.imglint(&[&["replay", "--format", "json"], arguments].concat());
    assert!(run.code == 0, "{run}");
    serde_json::from_str(&run.stdout).expect("JSON")
}

/// What both reports say of a finding.
fn common(finding: &Value) -> Value {
    let mut common = json!({});
    for key in ["rule", "level", "image", "path", "line", "column", "message", "help", "waived"] {
        common[key] = finding[key].clone();
    }
    let fix = &finding["fix"];
    common["fix"] = if fix.is_string() {
        fix.clone()
    } else {
        json!(if fix.is_null() {
            "no"
        } else if fix["safe"] == true {
            "safe"
        } else {
            "unsafe"
        })
    };
    common
}

/// What a run of its own says of each change of a history, the newest first.
fn by_themselves(repo: &Repo, config: &str) -> Vec<(String, Value)> {
    let mut said = Vec::new();
    for commit in repo.git(&["rev-list", "--first-parent", "HEAD"]).lines() {
        let parent = format!("{commit}^");
        let run = repo.imglint(&["--base", &parent, "--head", commit, "--config", config, "--format", "json", "-q"]);
        if run.stderr.contains("no such revision") {
            break; // the first commit
        }
        let value = if run.stdout.is_empty() {
            json!({ "unjudged": true })
        } else {
            let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
            let findings: Vec<Value> = report["findings"].as_array().expect("a list").iter().map(common).collect();
            let failures: Vec<Value> = report["failures"].as_array().expect("a list").clone();
            let failures: Vec<Value> = failures.iter().map(|failure| failure["rule"].clone()).collect();
            json!({ "findings": findings, "failures": failures })
        };
        said.push((commit.to_owned(), value));
    }
    said
}

/// The same, of a replay. Changes that it does not tell of touch nothing that the rules look at.
fn together(repo: &Repo, arguments: &[&str]) -> Vec<(String, Value)> {
    let replay = replay(repo, arguments);
    let mut said = Vec::new();
    for change in replay["changes"].as_array().expect("a list") {
        let findings: Vec<Value> = change["findings"].as_array().expect("a list").iter().map(common).collect();
        let failures: Vec<Value> = change["failures"].as_array().expect("a list").clone();
        let failures: Vec<Value> = failures.iter().map(|failure| failure["rule"].clone()).collect();
        let commit = change["commit"].as_str().expect("a name").to_owned();
        said.push((commit, json!({ "findings": findings, "failures": failures })));
    }
    for unjudged in replay["unjudged"].as_array().expect("a list") {
        said.push((unjudged["commit"].as_str().expect("a name").to_owned(), json!({ "unjudged": true })));
    }
    said
}

/// A policy for the past, outside of the repository, with a waiver.
fn config(scratch: &Scratch) -> PathBuf {
    let config = scratch.path().join("policy.toml");
    let text =
        "pack = \"kubernetes\"\n\n[[waive]]\nrule = \"stale-version\"\nimage = \"kitten\"\nreason = \"it is a cat\"\n";
    std::fs::write(&config, text).expect("a file");
    config
}

/// The files that changes are made of, each with what it may hold; an empty text takes the file away.
const MADE_OF: &[(&str, &[&str])] = &[
    (VERSION, &["2.25\n", "2.26\n", "2.27\n", "2.28", "", "2.2 9\n"]),
    (AGNHOST, &["package main\n", "package main // one\n", "package main // two\n", "package main // three\n"]),
    ("test/images/agnhost/agnhost.go", &["package main\nvar Version = \"2.25\"\n", "var Version = \"2.26\"\n", ""]),
    ("test/images/agnhost/Dockerfile", &["FROM scratch\n", "ARG BASEIMAGE\nFROM $BASEIMAGE\nRUN make\n", "FROM\n"]),
    ("test/images/kitten/VERSION", &["1.4\n", "1.5\n", "1.6\n"]),
    ("test/images/kitten/html", &["a\n", "b\n", "c\n", ""]),
    (
        "test/images/kitten/BASEIMAGE",
        &[
            "linux/amd64=REGISTRY/agnhost:2.25-linux-amd64\n",
            "linux/amd64=REGISTRY/agnhost:2.26-linux-amd64\n",
            "amd64=x\n",
        ],
    ),
    ("test/images/new/VERSION", &["1.0\n", "1.1\n", ""]),
    (
        "test/images/new/Dockerfile",
        &["FROM scratch\n", "# imglint: allow(unknown-parent) why\nFROM $REGISTRY/gone:1\n"],
    ),
    (
        "test/utils/image/manifest.go",
        &[
            "configs[Agnhost] = Config{list.PromoterE2eRegistry, \"agnhost\", \"2.25\"}\n",
            "configs[Agnhost] = Config{list.PromoterE2eRegistry, \"agnhost\", \"2.26\"}\n",
            "",
        ],
    ),
    (
        "build/dependencies.yaml",
        &[
            "dependencies:\n- name: agnhost\n  version: \"2.25\"\n  refPaths:\n  - path: test/images/agnhost/VERSION\n    match: \\d\n",
            "dependencies:\n- name: agnhost\n  version: \"2.26\"\n  refPaths:\n  - path: test/images/agnhost/VERSION\n    match: \\d\n  - path: hack/pod.yaml\n    match: agnhost\n",
            "",
        ],
    ),
    ("hack/pod.yaml", &["image: agnhost:2.25\n", "image: agnhost:2.26\n"]),
    ("pkg/other.go", &["package pkg\n", "package pkg // more\n"]),
];

/// Makes a history of changes that a seed chooses, some of them as branches that are merged later.
fn random_history(repo: &Repo, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut open: Vec<String> = Vec::new();
    for day in 1..=24 {
        let branch = (random.u8(..4) == 0).then(|| format!("topic-{day}"));
        if let Some(branch) = &branch {
            repo.git(&["checkout", "-q", "-b", branch]);
        }
        for _ in 0..random.usize(1..4) {
            let (path, texts) = MADE_OF[random.usize(..MADE_OF.len())];
            match texts[random.usize(..texts.len())] {
                "" => drop(std::fs::remove_file(repo.root.join(path))),
                text => repo.write(&[(path, text)]),
            }
        }
        let waives = random.u8(..5) == 0;
        let message = if waives { "day\n\nImglint-Waive: stale-version(agnhost) it is right\n" } else { "a day" };
        commit_on(repo, day, message);
        if let Some(branch) = branch {
            repo.git(&["checkout", "-q", "master"]);
            open.push(branch);
        }
        if random.bool()
            && let Some(branch) = open.pop()
        {
            merge_on(repo, day, &branch);
        }
    }
}

#[test]
fn a_replay_says_of_each_change_what_a_run_for_it_says() {
    let scratch = Scratch::new();
    let config = config(&scratch);
    let config = config.to_str().expect("UTF-8");
    for seed in 0..3 {
        let repo = scratch.kubernetes(&format!("seed-{seed}"));
        random_history(&repo, seed);
        let wanted = by_themselves(&repo, config);
        let said = together(&repo, &["--config", config]);
        let mut found = 0;
        for (commit, alone) in &wanted {
            let Some((_, of_replay)) = said.iter().find(|(replayed, _)| replayed == commit) else {
                // What touches nothing that the rules look at is left out. All that can be wrong with it is its message.
                let findings = alone["findings"].as_array().expect("it is judged");
                let is_message =
                    |finding: &Value| finding["path"].as_str().is_some_and(|path| path.starts_with("commit "));
                assert!(findings.iter().all(is_message), "seed {seed}, {commit} is left out: {alone:#}");
                continue;
            };
            assert!(of_replay == alone, "seed {seed}, {commit}:\nalone {alone:#}\nreplayed {of_replay:#}");
            found += alone["findings"].as_array().map_or(0, Vec::len);
        }
        assert!(found > 10, "seed {seed} finds little: {found}");
        let on_one_thread = together(&repo, &["--config", config, "--threads", "1"]);
        assert!(on_one_thread == said, "seed {seed}: threads make a difference");
        let forgetful = together(&repo, &["--config", config, "--memory", "1"]);
        assert!(forgetful == said, "seed {seed}: what is kept makes a difference");
    }
}

#[test]
fn each_finding_is_told_with_what_became_of_it() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    change_on(&repo, 1, &[(AGNHOST, "package main // one\n")]);
    change_on(&repo, 2, &[("README.md", "nothing of ours\n")]);
    let again = change_on(&repo, 3, &[(AGNHOST, "package main // two\n")]);
    let bump = change_on(&repo, 5, &[(VERSION, "2.26\n")]);
    change_on(&repo, 6, &[("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.26-linux-amd64\n")]);
    let replay = replay(&repo, &["--rule", "stale-version,stale-base"]);
    let changes = replay["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 4, "what touches nothing is left out: {replay:#}");
    let fates: Vec<&Value> = changes.iter().flat_map(|change| change["findings"].as_array().expect("a list")).collect();
    let [kitten, base, second, first] = fates[..] else { panic!("{replay:#}") };
    assert_eq!(kitten["fate"], json!({ "kind": "stayed" }), "nobody bumped it");
    assert_eq!((&base["rule"], &base["fate"]["kind"]), (&json!("stale-base"), &json!("mended")));
    let day = 24 * 60 * 60;
    let fate = |by: &str, days: i64, between: usize, overtaken: bool| json!({ "kind": "mended", "commit": by, "seconds": days * day, "between": between, "overtaken": overtaken });
    assert_eq!(second["fate"], fate(&bump, 2, 0, false));
    assert_eq!(first["fate"], fate(&bump, 4, 1, true), "it had changed once more, in {again}");
    let sums = &replay["rules"][0];
    assert_eq!(sums["rule"], "stale-version");
    let counted = ["findings", "changes", "images", "mended", "overtaken", "removed", "stayed", "fixable"];
    assert_eq!(counted.map(|key| sums[key].as_u64().expect("a number")), [3, 3, 2, 1, 1, 0, 1, 3]);
    assert_eq!(replay["sums"]["commits"], 5);
    assert_eq!(replay["sums"]["stopped"], 4);
    assert_eq!(replay["images"][0]["image"], "agnhost");

    let run = repo.imglint(&["replay", "--rule", "stale-version"]);
    assert!(run.code == 0, "{run}");
    for words in
        ["4 changes in 5 commits, 2026-01-02 to 2026-01-07", "would have stopped 3", "agnhost", "2 in 2 changes"]
    {
        assert!(run.stdout.contains(words), "{words}: {run}");
    }
}

/// The fates of the findings of a rule, the newest first, each with the path.
fn fates(replay: &Value, rule: &str) -> Vec<(String, String)> {
    let changes = replay["changes"].as_array().expect("a list");
    let findings = changes.iter().flat_map(|change| change["findings"].as_array().expect("a list"));
    let of_rule = findings.filter(|finding| finding["rule"] == rule);
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    of_rule.map(|finding| (word(&finding["path"]), word(&finding["fate"]["kind"]))).collect()
}

#[test]
fn what_follows_later_is_told_with_when_it_did() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let files = ["a", "b", "c"].map(|name| format!("deploy/{name}.yaml"));
    let names = |version: &str| format!("image: example.org/web:{version}\n");
    let config = "pack = \"generic\"\nshape.references.registries = [\"example.org\"]\n\
                  [[shape.references.files]]\npaths = [\"deploy/*.yaml\"]\nfollows = \"later\"\n\
                  [rules.stale-version]\ndue = \"release\"\n";
    repo.write(&[
        ("imglint.toml", config),
        ("images/web/VERSION", "1.0\n"),
        ("images/web/Dockerfile", "FROM scratch\n"),
        (&files[0], &names("1.0")),
        (&files[1], &names("1.0")),
        (&files[2], &names("$TAG")),
    ]);
    commit_on(&repo, 1, "base");
    change_on(&repo, 2, &[("images/web/run.sh", "echo\n")]);
    change_on(&repo, 3, &[("images/web/VERSION", "1.1\n")]);
    change_on(&repo, 4, &[("images/web/VERSION", "1.2\n")]);
    change_on(
        &repo,
        5,
        &[(&files[0], &names("1.2")), (&files[1], "# moved by hand, one day\nimage: example.org/web:1.0\n")],
    );
    change_on(&repo, 6, &[("images/web/run.sh", "echo once more\n")]);
    // A link out of the repository is no file that could be read.
    std::fs::remove_file(repo.root.join(&files[1])).expect("a file");
    symlink("../../elsewhere.yaml", repo.root.join(&files[1])).expect("a link");
    commit_on(&repo, 7, "a link");
    let replay = replay(&repo, &[]);
    let wanted = |fates: &[(&str, &str)]| -> Vec<(String, String)> {
        fates.iter().map(|(path, fate)| ((*path).to_owned(), (*fate).to_owned())).collect()
    };
    let of_versions = wanted(&[("images/web/VERSION", "stayed"), ("images/web/VERSION", "mended")]);
    assert_eq!(fates(&replay, "stale-version"), of_versions, "{replay:#}");
    let of_references =
        [(&*files[2], "stayed"), (&*files[0], "mended"), (&*files[1], "stayed"), (&*files[2], "stayed")];
    assert_eq!(fates(&replay, "stale-reference"), wanted(&of_references), "{replay:#}");
}

#[test]
fn what_ends_with_its_image_is_told_apart() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    change_on(&repo, 1, &[(AGNHOST, "package main // one\n")]);
    std::fs::remove_dir_all(repo.root.join("test/images/agnhost")).expect("a directory");
    commit_on(&repo, 2, "no agnhost any more");
    let replay = replay(&repo, &["--rule", "stale-version"]);
    let finding = &replay["changes"][1]["findings"][0];
    assert_eq!(finding["fate"]["kind"], "removed", "{replay:#}");
    assert_eq!(replay["rules"][0]["removed"], 1);
}

#[test]
fn a_replay_is_as_long_as_it_is_asked_to_be() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    for day in 1..=6 {
        change_on(&repo, day, &[(AGNHOST, &format!("package main // {day}\n"))]);
    }
    let days = |arguments: &[&str]| {
        let replay = replay(&repo, arguments);
        let changes = replay["changes"].as_array().expect("a list").clone();
        let days =
            changes.iter().map(|change| change["summary"].as_str().expect("words").replace("change of day ", ""));
        (days.collect::<Vec<_>>().join(" "), replay["end"]["kind"].as_str().expect("a word").to_owned())
    };
    assert_eq!(days(&[]), ("6 5 4 3 2 1".to_owned(), "range".to_owned()));
    assert_eq!(days(&["-n", "2"]), ("6 5".to_owned(), "count".to_owned()));
    assert_eq!(days(&["HEAD~3"]), ("3 2 1".to_owned(), "range".to_owned()));
    assert_eq!(days(&["HEAD~4..HEAD~1"]), ("5 4 3".to_owned(), "range".to_owned()));
    assert_eq!(days(&["HEAD~2.."]), ("6 5".to_owned(), "range".to_owned()));
    assert_eq!(days(&["--since", "2026-01-05"]), ("6 5 4".to_owned(), "since".to_owned()));
    let narrowed = replay(&repo, &["--paths", "./test/images/kitten/"]);
    assert_eq!((&narrowed["sums"]["changes"], &narrowed["sums"]["errors"]), (&json!(6), &json!(0)));
}

#[test]
fn what_cannot_be_replayed_is_said() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("README.md", "nothing of ours\n")]);
    let fails = |arguments: &[&str], words: &[&str]| {
        repo.imglint(&[&["replay"], arguments].concat()).fails(words);
    };
    fails(&[], &["no change of HEAD touches what the pack kubernetes looks at: 1 commit looked at"]);
    fails(&["gone"], &["no such revision: `gone` (RANGE)"]);
    fails(&["--since", "soon"], &["this must be a day such as 2026-01-31"]);
    fails(&["--paths", "../other"], &["`../other` is no path of the repository"]);
    fails(&["--rule", "stale-version", "--skip", "stale-version"], &["asked for and left out"]);
    fails(&["--rule", "unbumped-content"], &["looks into the history of a whole tree"]);
    fails(&["--rule", "stale-versoin"], &["did you mean `stale-version`?"]);
    fails(&["-n", "0"], &["0 is not in 1.."]);
}

/// The name of the file that an object lies in.
fn object(repo: &Repo, revision: &str) -> PathBuf {
    let name = repo.git(&["rev-parse", revision]);
    repo.root.join(".git/objects").join(&name[..2]).join(&name[2..])
}

fn remove(repo: &Repo, revision: &str) {
    let file = object(repo, revision);
    std::fs::remove_file(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

#[test]
fn what_is_missing_from_a_history_does_not_stop_the_rest() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    for day in 1..=8 {
        let version = format!("2.{}\n", 30 + day);
        change_on(&repo, day, &[(AGNHOST, &format!("package main // {day}\n")), (VERSION, &version)]);
    }
    // A version that a rule has to read, and a whole tree.
    remove(&repo, &format!("HEAD~1:{VERSION}"));
    let judged = |run: &Run| {
        let replay: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let of = |key: &str| replay["sums"][key].as_u64().expect("a number");
        (of("changes"), of("unjudged"))
    };
    let run = repo.imglint(&["replay", "--format", "json"]);
    assert!(run.code == 0 && judged(&run) == (6, 2), "{run}");
    run.says(&["could not judge", "test/images/agnhost/VERSION"]);
    remove(&repo, "HEAD~3:test/images");
    let run = repo.imglint(&["replay", "--format", "json"]);
    assert!(run.code == 0 && judged(&run) == (4, 4), "{run}");
    // Of a commit that is not here nobody knows what came before it.
    remove(&repo, "HEAD~6");
    let run = repo.imglint(&["replay", "--format", "json"]);
    assert!(run.code == 0 && judged(&run) == (1, 4), "{run}");
    run.says(&["the clone is shallow: what came before"]);
}

#[test]
fn a_shallow_clone_is_replayed_as_far_as_it_goes() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("origin");
    for day in 1..=4 {
        change_on(&repo, day, &[(AGNHOST, &format!("package main // {day}\n"))]);
    }
    let shallow = scratch.clone(&repo, "shallow", &["--depth", "3"]);
    let replay = replay(&shallow, &[]);
    assert_eq!((&replay["sums"]["changes"], &replay["end"]["kind"]), (&json!(2), &json!("shallow")));
    let run = shallow.imglint(&["replay"]);
    run.says(&["the clone is shallow", "git fetch --unshallow"]);
    let shallow = scratch.clone(&repo, "shallower", &["--depth", "1"]);
    shallow.imglint(&["replay"]).fails(&["the clone is shallow", "git fetch --unshallow"]);
}

#[test]
fn a_repository_of_another_kind_is_not_replayed() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[("src/main.c", "int main;\n")]);
    repo.commit("base");
    repo.imglint(&["replay"]).fails(&["does not recognise this repository"]);
    let repo = scratch.init("empty");
    repo.imglint(&["replay"]).fails(&["no such revision: `HEAD`"]);
}

/// A replay that has to wait for two objects: one when it has begun, and one a little later.
#[cfg(unix)]
struct Waiting {
    child: std::process::Child,
    begun: PathBuf,
    later: PathBuf,
}

#[cfg(unix)]
impl Waiting {
    fn start(repo: &Repo, arguments: &[&str]) -> Self {
        use std::process::Stdio;
        // Of the second of the blocks that are made of a history: of the first two, in whatever order, one thread judges it before more
        // are made.
        let [begun, later] =
            [format!("HEAD~20:{VERSION}"), format!("HEAD~24:{VERSION}")].map(|revision| object(repo, &revision));
        for path in [&begun, &later] {
            std::fs::rename(path, path.with_extension("kept")).expect("an object");
            let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo is installed");
            assert!(made.success());
        }
        let mut command = repo.imglint_command(&[&["replay", "--threads", "1"], arguments].concat());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("imglint starts");
        let mut waiting = Self { child, begun, later };
        waiting.meet(&waiting.begun.clone());
        waiting
    }

    /// Waits for it to read an object, and lets it.
    fn meet(&mut self, path: &Path) {
        // It finds the object when it looks again, and a pipe that is open until then.
        let there = format!("exec 3>'{0}' && mv -f '{0}.kept' '{0}'", path.display());
        let mut writer = std::process::Command::new("sh").args(["-c", &there]).spawn().expect("a shell");
        while writer.try_wait().expect("a child").is_none() {
            if self.child.try_wait().expect("a child").is_some() {
                writer.kill().expect("a child can be killed");
                panic!("it ended without having read {}", path.display());
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    fn interrupt(&self) {
        let sent = std::process::Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(sent.expect("kill is installed").success());
    }

    fn end(self) -> Run {
        Run::of(self.child.wait_with_output().expect("it ends"))
    }
}

#[cfg(unix)]
#[test]
fn who_stops_a_replay_gets_what_it_has() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    for day in 1..=100 {
        change_on(
            &repo,
            day,
            &[(AGNHOST, &format!("package main // {day}\n")), (VERSION, &format!("2.{}\n", 25 + day))],
        );
    }
    let mut replay = Waiting::start(&repo, &["--html", "../page.html", "--format", "json"]);
    replay.interrupt();
    replay.meet(&replay.later.clone());
    let run = replay.end();
    assert_eq!(run.code, 130, "{run}");
    let replay: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let of = |key: &str| replay["sums"][key].as_u64().expect("a number");
    let (judged, left) = (of("changes"), replay["end"]["left"].as_u64().expect("a number"));
    assert!(judged > 0 && left > 0 && judged + of("unjudged") + left == 100, "{run}");
    assert_eq!((&replay["end"]["kind"], of("commits") + left), (&json!("interrupted"), 100));
    run.says(&[&format!("interrupted: {judged} changes judged; {left} of 100 commits were not looked at")]);
    let page = std::fs::read_to_string(scratch.path().join("page.html")).expect("a page");
    assert!(page.contains(&format!("It was interrupted: {left} older commits were not looked at.")), "{page}");

    // Who does not want to wait for that either does it twice.
    let mut replay = Waiting::start(&repo, &[]);
    // Of two that come at once a process sees one.
    while replay.child.try_wait().expect("a child").is_none() {
        replay.interrupt();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let run = replay.end();
    assert!(run.code == 130 && run.stdout.is_empty(), "{run}");
}

/// That an image was deleted is seen in the change that does it, and in no tree: nobody knows what became of that.
#[test]
fn what_no_tree_shows_is_not_said_to_have_stayed() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let config = "pack = \"generic\"\nshape.references.registries = [\"ghcr.io/acme\"]\n";
    let base = "FROM ghcr.io/acme/base:1.0\n";
    repo.write(&[
        ("imglint.toml", config),
        ("images/base/VERSION", "1.0\n"),
        ("images/base/Dockerfile", "FROM scratch\n"),
    ]);
    for image in ["kept", "mended"] {
        let directory = format!("images/{image}");
        repo.write(&[(&format!("{directory}/VERSION"), "1.0\n"), (&format!("{directory}/Dockerfile"), base)]);
    }
    repo.commit("base");
    std::fs::remove_dir_all(repo.root.join("images/base")).expect("a directory");
    commit_on(&repo, 2, "no base any more");
    change_on(&repo, 3, &[("images/mended/Dockerfile", "FROM scratch\n"), ("images/mended/VERSION", "1.1\n")]);
    let replay = replay(&repo, &["--rule", "dangling-reference"]);
    let mut fates = Vec::new();
    for finding in replay["changes"]
        .as_array()
        .expect("a list")
        .iter()
        .flat_map(|change| change["findings"].as_array().expect("a list"))
    {
        let (path, fate) = (finding["path"].as_str(), finding["fate"]["kind"].as_str());
        fates.push(format!("{} {}", path.expect("a path"), fate.expect("a word")));
    }
    assert_eq!(fates, ["images/kept/Dockerfile unknown", "images/mended/Dockerfile unknown"]);
}
