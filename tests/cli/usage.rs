//! Options, commands and the errors of users.

use super::harness::{Run, Scratch};

const STALE: &[&str] = &["stale-version"];

#[test]
fn colours_of_errors_are_those_that_were_asked_for_in_every_command() {
    let scratch = Scratch::new();
    let nowhere = scratch.at("nowhere");
    let commands: &[&[&str]] = &[
        &[],
        &["check"],
        &["inspect"],
        &["status"],
        &["affected"],
        &["graph"],
        &["claims", "--who", "#1"],
        &["replay"],
        &["bump", "app"],
        &["waive", "stale-version", "--reason", "why"],
    ];
    for command in commands {
        for (when, is_coloured) in [("always", true), ("never", false)] {
            let run = nowhere.imglint(&[command, &["--color", when][..]].concat());
            assert!(run.code == 2 && run.stderr.contains('\u{1b}') == is_coloured, "{command:?} {when}\n{run}");
        }
    }
}

#[test]
fn mistakes_of_users_are_met_with_help() {
    let scratch = Scratch::new();
    let nowhere = scratch.at("nowhere");
    nowhere.imglint(&[]).fails(&["no git repository", "--repo DIR"]);
    nowhere.imglint(&["--repo", "missing"]).fails(&["no git repository"]);
    let repo = scratch.kubernetes("repo");
    repo.imglint(&["--rule", "stale-verison"])
        .fails(&["unknown rule `stale-verison`", "did you mean `stale-version`?"]);
    repo.imglint(&["--skip", "x"]).fails(&["unknown rule `x`", "the nearest of "]);
    repo.imglint(&["--level", "stale-version=eror"]).fails(&["did you mean `error`?"]);
    repo.imglint(&["--level", "stale-version"]).fails(&["RULE=LEVEL"]);
    repo.imglint(&["--pack", "kubernets"]).fails(&["there is no pack `kubernets`", "did you mean `kubernetes`?"]);
    repo.imglint(&["--config", "missing.toml"]).fails(&["missing.toml", "--config"]);
    repo.imglint(&["test/image"]).fails(&["no such file or directory: test/image"]);
    repo.imglint(&["-q", "rules"]).fails(&["`rules` is a command", "begin with `imglint rules`", "./rules"]);
    repo.imglint(&["-q", "./rules"]).fails(&["no such file or directory: ./rules"]);
    repo.imglint(&["exlain", "stale-version"]).fails(&["no file `exlain`", "did you mean `imglint explain`?"]);
    for (word, meant) in
        [("fix", "imglint --fix"), ("list", "imglint rules"), ("lint", "imglint"), ("version", "imglint --version")]
    {
        repo.imglint(&[word]).fails(&[&format!("did you mean `{meant}`?"), &format!("./{word}")]);
    }
    let missing = repo.imglint(&["--config", "missing.toml"]);
    assert_eq!(missing.stderr.matches("(os error 2)").count(), 1, "the cause is said once\n{missing}");
    repo.imglint(&["../elsewhere"]).fails(&["outside of the repository"]);
    repo.imglint(&["waivers"]).fails(&["no such file or directory: waivers", "`imglint --help` lists the commands"]);
    repo.imglint(&["--bse", "x"]).fails(&["--base"]);
    repo.imglint(&["--all", "--base", "x"]).fails(&["cannot be used with"]);
    repo.imglint(&["--threads", "0"]).fails(&["--threads"]);
    repo.imglint(&["explain", "stale"]).fails(&["nothing to show", "unknown rule `stale`"]);
    repo.imglint(&["inspect", "agnhos"]).fails(&["no such image: agnhos", "did you mean `agnhost`?"]);
}

/// Names with commas between them are as good as the option said again.
#[test]
fn several_rules_are_named_at_once() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    repo.imglint(&["--rule", "stale-base,stale-version"]).is(1, STALE);
    repo.imglint(&["--skip", "stale-base,stale-version"]).is(0, &[]);
    repo.imglint(&["--level", "stale-version=note,stale-base=off"]).is(0, STALE);
    repo.imglint(&["--rule", "stale-base,stale-verison"]).fails(&["did you mean `stale-version`?"]);
}

/// A directory is meant by its path from where one stands.
#[test]
fn an_image_is_named_by_the_directory_one_stands_in() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let images = repo.root.join("test/images");
    for (directory, name) in [("kitten", "."), ("", "kitten/"), ("agnhost", "../kitten"), ("agnhost", "kitten")] {
        let run = repo.imglint_in(&images.join(directory), &["bump", name], &[]);
        assert!(run.code == 0 && run.stdout.contains("kitten/VERSION"), "{run}");
        let run = repo.imglint_in(&images.join(directory), &["status", name], &[]);
        assert!(run.stdout.starts_with("kitten 1.5"), "{run}");
        repo.git(&["checkout", "-q", "."]);
    }
    repo.imglint_in(&images, &["bump", "."], &[])
        .fails(&["no such image: test/images", "it is no image, and holds 2: name one, such as `agnhost`"]);
}

#[test]
fn a_version_that_is_asked_for_is_written_or_refused() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let bump = |to: &str| repo.imglint(&["bump", "agnhost", "--to", to]);
    bump("2.25").fails(&["agnhost is at 2.25 already"]);
    bump("2.30").is(0, &[]);
    bump("2.30").is(0, &[]);
    repo.write(&[("test/images/agnhost/main.go", "package main // changed\n")]);
    bump("2.25").fails(&["2.25", "would not stay", "2.26", "leave out `--to`"]);
    let version = std::fs::read_to_string(repo.root.join("test/images/agnhost/VERSION")).expect("a file");
    assert_eq!(version, "2.30\n");
}

#[cfg(unix)]
#[test]
fn a_file_that_rules_look_into_must_be_readable() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("elsewhere/agnhost.go", "package main\n"), ("test/images/agnhost/VERSION", "2.26\n")]);
    let file = repo.root.join("test/images/agnhost/agnhost.go");
    let link = |target: &str| {
        let _ = std::fs::remove_file(&file);
        std::os::unix::fs::symlink(target, &file).expect("a link");
        repo.imglint(&[])
    };
    // The rule that needs it fails, and others go on.
    link("../../../elsewhere/agnhost.go").is(2, &["stale-base"]).says(&[
        "the rule mismatched-constant failed",
        "test/images/agnhost/agnhost.go",
        "symbolic link",
        "put the file itself here",
    ]);
    // What an error quotes is as harmless as what a finding does.
    let run = link("\u{1b}[2J");
    assert!(run.code == 2 && !run.stderr.contains('\u{1b}'), "{run}");
}

/// A run that could find nothing must not pass.
#[test]
fn a_rule_that_is_asked_for_and_cannot_look_is_no_pass() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    let all = |rule: &str| repo.imglint(&["--all", "--rule", "windows-run", "--rule", rule]);
    for rule in ["stale-version", "stale-manifest"] {
        all(rule).fails(&[rule, "compares a change with its base", "leave out `--all`"]);
    }
    all("unpromoted-manifest").fails(&["unpromoted-manifest", "add `--promoted FILE`"]);
    all("missing-postsubmit").fails(&["missing-postsubmit", "add `--jobs FILE`"]);
    repo.imglint(&["--all", "--rule", "stale-version", "--rule", "unpromoted-manifest"])
        .fails(&["stale-version", "`--promoted FILE`"]);
    repo.imglint(&["--rule", "unpromoted-manifest"]).fails(&["add `--promoted FILE`"]);
    repo.imglint(&["--rule", "missing-postsubmit"]).is(0, &[]);
    repo.imglint(&["--rule", "windows-run", "--skip", "windows-run"])
        .fails(&["windows-run", "leave out `--skip windows-run`"]);
    let off = ["--rule", "windows-run", "--level", "windows-run=off"];
    repo.imglint(&off).fails(&["windows-run is switched off", "--level windows-run=error"]);
    repo.imglint(&["--all", "--rule", "malformed-waiver"]).is(0, &[]);
    repo.imglint(&["--rule", "malformed-waiver", "--no-waivers"])
        .fails(&["malformed-waiver", "leave out `--no-waivers`"]);
    // Whoever asks for nothing gets what can be had.
    repo.imglint(&["--all", "--no-waivers"]).is(0, &["unbumped-content"]);
    repo.write(&[(
        "imglint.toml",
        "shape.manifest.follows = \"after-promotion\"\n[rules.stale-version]\nlevel = \"off\"\n",
    )]);
    repo.imglint(&[]).is(0, &[]);
    repo.imglint(&["--rule", "stale-version"]).fails(&["stale-version is switched off"]);
    repo.imglint(&["--rule", "unpromoted-manifest"]).fails(&["unpromoted-manifest", "add `--promoted FILE`"]);
    // Where the manifest follows later, its entries are the state of a tree; else they are compared with a change.
    repo.imglint(&["--all", "--rule", "stale-manifest"]).is(0, &[]);
    repo.write(&[("imglint.toml", "shape.manifest.follows = \"same-change\"\n")]);
    repo.imglint(&["--all", "--rule", "stale-manifest"]).fails(&["stale-manifest compares a change with its base"]);
}

/// A pack whose rules all compare has nothing to say of a whole tree.
#[test]
fn a_pack_that_cannot_look_is_no_pass() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let rule = "level = \"error\"\nsummary = \"x\"\nwhy = \"so\"\n[check.version-bump]\n";
    repo.write(&[
        ("ci/pack.toml", "summary = \"ours\"\n[images]\nroots = [\"images\"]\nversion = \"TAG\"\n"),
        ("ci/forgotten-tag.toml", rule),
        ("imglint.toml", "pack = \"ci\"\n"),
        ("images/web/TAG", "1\n"),
    ]);
    repo.commit("base");
    repo.imglint(&["--all"]).fails(&["forgotten-tag", "compares a change with its base"]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.imglint(&[]).is(0, &[]);
    repo.imglint(&["--skip", "forgotten-tag"]).fails(&["no rule is left"]);
}

#[test]
fn levels_rules_and_denials_decide_on_the_exit_code() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    repo.imglint(&[]).is(1, STALE);
    repo.imglint(&["check"]).is(1, STALE);
    repo.imglint(&["--skip", "stale-version"]).is(0, &[]);
    repo.imglint(&["--rule", "windows-run"]).is(0, &[]);
    repo.imglint(&["--rule", "windows-run", "--rule", "stale-version"]).is(1, STALE);
    repo.imglint(&["--level", "stale-version=off"]).is(0, &[]);
    repo.imglint(&["--level", "stale-version=warning"]).is(0, STALE);
    repo.imglint(&["--level", "stale-version=warning", "--deny", "warnings"]).is(1, STALE);
    repo.imglint(&["--level", "stale-version=note", "--deny", "warnings"]).is(0, STALE);
    repo.imglint(&["--format", "json"]).is(1, &[]);
}

#[test]
fn paths_narrow_what_is_reported() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("test/images/agnhost/main.go", "package x\n"), ("test/images/kitten/Dockerfile", "FROM x\n")]);
    repo.imglint(&[]).is(1, &["stale-version", "stale-version"]);
    repo.imglint(&["test/images/kitten"]).is(1, STALE);
    repo.imglint(&["test/images/agnhost/main.go"]).is(1, STALE);
    repo.imglint(&["test/images/agnhost/README.md"]).is(0, &[]);
    repo.imglint(&["test/images/agnhost", "test/images/kitten"]).is(1, &["stale-version", "stale-version"]);
    let below = repo.root.join("test/images/kitten");
    repo.imglint_in(&below, &["."], &[]).is(1, STALE);
    repo.imglint_in(&below, &["../agnhost/main.go"], &[]).is(1, STALE);
    // A file that the change deletes is still one that it touches.
    repo.git(&["rm", "-q", "test/images/agnhost/main.go"]);
    repo.imglint(&["test/images/agnhost/main.go"]).is(1, STALE);
}

#[test]
fn older_findings_are_counted_and_shown_on_request() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("test/images/kitten/BASEIMAGE", "amd64=alpine:3.12\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("test/images/kitten/VERSION", "1.5\n")]);
    let run = repo.imglint(&[]);
    run.is(0, &[]);
    assert!(run.stdout.contains("no findings in 2 images (1 older finding: see it with --all)"), "{run}");
    repo.imglint(&["--all"]).is(1, &["malformed-base"]);
}

#[test]
fn rules_are_listed_and_explained_anywhere() {
    let scratch = Scratch::new();
    let nowhere = scratch.at("nowhere");
    let listed = nowhere.imglint(&["rules"]);
    assert!(
        listed.code == 0 && listed.stdout.contains("windows-workdir") && listed.stdout.contains("generic:"),
        "{listed}"
    );
    let explained = nowhere.imglint(&["explain", "stale-version"]);
    let said = ["VERSION did not", "Example:", "imglint says:", "is still 2.25", "imglint waive stale-version"];
    assert!(said.iter().all(|words| explained.stdout.contains(words)), "{explained}");
    let explained = nowhere.imglint(&["explain", "stale-manifest"]);
    assert!(explained.stdout.contains("    \tconfigs["), "a tab is a tab\n{explained}");
    let explained = nowhere.imglint(&["explain", "expired-waiver"]);
    assert!(!explained.stdout.contains("imglint waive"), "no waiver lets it pass\n{explained}");
    assert!(explained.stdout.contains("  imglint.toml:\n    [[waive]]\n"), "what is wrong is shown\n{explained}");
    let listed = nowhere.imglint(&["rules", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let rules = json["packs"][0]["rules"].as_array().expect("rules");
    let repaired = |id: &str| rules.iter().find(|rule| rule["id"] == id).map(|rule| rule["repaired"].clone());
    assert_eq!((repaired("stale-version"), repaired("windows-run")), (Some(true.into()), Some(false.into())));
    let explained = nowhere.imglint(&["explain", "windows-run", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&explained.stdout).expect("JSON");
    assert_eq!(
        (&json["packs"][0]["name"], &json["packs"][0]["rules"][0]["id"]),
        (&"kubernetes".into(), &"windows-run".into())
    );
    let repo = scratch.kubernetes("repo");
    let listed = repo.imglint(&["rules"]);
    assert!(!listed.stdout.contains("generic:"), "a repository has one pack\n{listed}");
    for rule in listed.stdout.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()) {
        let explained = repo.imglint(&["explain", rule]);
        assert!(explained.code == 0 && explained.stdout.contains("Example:"), "{explained}");
    }
}

#[test]
fn inspect_shows_what_is_understood() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let shown = repo.imglint(&["inspect", "kitten"]);
    assert!(shown.code == 0 && shown.stdout.starts_with("kitten 1.4\n"), "{shown}");
    assert!(shown.stdout.contains("names agnhost 2.25 for linux/amd64 (test/images/kitten/BASEIMAGE:1)"), "{shown}");
    let json = repo.imglint(&["inspect", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    let images = json["images"].as_array().expect("a list");
    assert_eq!(images.len(), 2);
    assert_eq!(images[0]["name"], "agnhost");
    assert_eq!(images[0]["version"], "2.25");
    let targets: Vec<_> =
        images[0]["dockerfiles"].as_array().expect("a list").iter().map(|file| &file["target_os"]).collect();
    assert_eq!(targets, ["linux", "windows"]);
    let stage = &images[0]["dockerfiles"][1]["stages"][0];
    assert_eq!((&stage["os"], &stage["line"]), (&"windows".into(), &2.into()));
    assert_eq!(stage["instructions"][0], serde_json::json!({"keyword": "ADD", "line": 3}));
    let reference = serde_json::json!({
        "path": "test/images/kitten/BASEIMAGE", "line": 1, "target": "agnhost", "tag": "2.25", "platform": "linux/amd64"
    });
    assert_eq!(images[1]["references"][0], reference);
}

#[test]
fn the_demo_shows_findings_and_leaves_nothing_behind() {
    let scratch = Scratch::new();
    let repo = scratch.at("tmp");
    let directory = repo.root.to_str().expect("UTF-8");
    let run =
        repo.imglint_with(&["demo"], &[("TMPDIR", directory), ("TEMP", directory), ("TMP", directory), ("CI", "true")]);
    assert_eq!(run.code, 0, "{run}");
    // First all that is wrong, then what another policy says, then what the repair leaves.
    let other = "kitten names agnhost 2.25, but agnhost is at 2.26; name 2.26, here or once 2.26 is promoted";
    assert!(run.stdout.contains("shape.manifest.follows = \"after-promotion\"") && run.stdout.contains(other), "{run}");
    let rules = [
        "mismatched-dependency",
        "windows-run",
        "mismatched-constant",
        "stale-version",
        "stale-base",
        "stale-manifest",
        "stale-base",
        "stale-manifest",
        "windows-run",
    ];
    assert_eq!(run.rules(), rules, "{run}");
    assert_eq!(std::fs::read_dir(&repo.root).expect("a directory").count(), 0);
}

#[test]
fn quiet_and_verbose_differ_in_what_is_said_beside_the_findings() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    let quiet = repo.imglint(&["-q"]);
    assert!(quiet.stderr.is_empty() && quiet.stdout.lines().count() == 1, "{quiet}");
    repo.imglint(&[]).says(&["base: ", "pack: kubernetes (recognised by test/images/image-util.sh)"]);
    repo.imglint(&["-v"]).says(&["1 of them changed"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let shell = format!("{} --all --format json | true", env!("CARGO_BIN_EXE_imglint"));
    let output = std::process::Command::new("sh").arg("-c").arg(shell).current_dir(&repo.root).output();
    let run = Run::of(output.expect("a shell"));
    assert!(!run.stderr.contains("failed"), "{run}");
}

#[test]
fn one_thread_and_many_print_the_same() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let mut files = vec![("test/images/image-util.sh".to_owned(), String::new())];
    for number in 0..60 {
        files.push((format!("test/images/i{number}/VERSION"), format!("1.{number} \n")));
        files.push((format!("test/images/i{number}/BASEIMAGE"), "amd64=REGISTRY/nowhere:1.0-linux-arm\n".to_owned()));
        files.push((format!("test/images/i{number}/Dockerfile"), "RUN before from\n".to_owned()));
    }
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    repo.write(&files);
    repo.commit("base");
    let run = |threads| repo.imglint(&["--all", "--format", "json", "--threads", threads]);
    let one = run("1");
    assert_eq!(one.code, 1, "{one}");
    for threads in ["2", "8"] {
        assert_eq!(one.stdout, run(threads).stdout);
    }
}

/// A directory may be called anything, and a CI system reads what is printed.
#[cfg(unix)]
#[test]
fn names_that_are_suggested_cannot_speak_to_a_ci_system() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let evil = "nl\n::error file=x::pwned";
    repo.write(&[(&format!("test/images/{evil}/VERSION"), "1.0\n")]);
    for arguments in [&["inspect", "nothing"][..], &["bump", "nothing"]] {
        let run = repo.imglint(arguments);
        assert!(run.code == 2 && !run.stderr.lines().any(|line| line.trim_start().starts_with("::")), "{run}");
        assert!(run.stderr.contains("nl\\n::error"), "{run}");
    }
}
