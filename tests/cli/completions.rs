//! What shells are told when they ask what a line may go on with.

use super::harness::{Repo, Run, Scratch};

/// The answer to a line whose last word is being written, in the form for fish: a candidate a line, and words about it.
fn ask(repo: &Repo, words: &[&str]) -> Run {
    let line: Vec<&str> = ["--", "imglint"].iter().chain(words).copied().collect();
    repo.imglint_with(&line, &[("IMGLINT_COMPLETE", "fish")])
}

fn candidates(repo: &Repo, words: &[&str]) -> Vec<String> {
    let run = ask(repo, words);
    assert!(run.code == 0 && run.stderr.is_empty(), "{run}");
    run.stdout.lines().map(|line| line.split('\t').next().unwrap_or(line).to_owned()).collect()
}

#[test]
fn rules_images_and_revisions_are_those_of_the_repository() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["tag", "v1.20.0"]);
    repo.bad_topic();
    assert_eq!(candidates(&repo, &["explain", "stale-ver"]), ["stale-version"]);
    assert_eq!(candidates(&repo, &["--rule", "taken-version,stale-ver"]), ["taken-version,stale-version"]);
    assert_eq!(candidates(&repo, &["check", "--skip=stale-ver"]), ["--skip=stale-version"]);
    assert_eq!(candidates(&repo, &["--level", "stale-ver"]), ["stale-version="]);
    assert_eq!(candidates(&repo, &["--level", "stale-version=w"]), ["stale-version=warning"]);
    assert_eq!(candidates(&repo, &["bump", ""])[..2], ["agnhost", "kitten"]);
    assert_eq!(candidates(&repo, &["bump", "agnhost", "k"]), ["kitten"]);
    assert_eq!(candidates(&repo, &["waive", "stale-version", "a"]), ["agnhost"]);
    assert_eq!(candidates(&repo, &["graph", "--image", "k"]), ["kitten"]);
    assert_eq!(candidates(&repo, &["--base", ""]), ["HEAD", "master", "topic", "v1.20.0"]);
    assert_eq!(candidates(&repo, &["test/images/kitten/B"]), ["test/images/kitten/BASEIMAGE"]);
    assert!(ask(&repo, &["inspect", "a"]).stdout.contains("agnhost\t2.25\n"));
    // Another repository, which the line names.
    let nowhere = scratch.at("nowhere");
    let root = repo.root.to_str().expect("UTF-8");
    assert_eq!(candidates(&nowhere, &["bump", "--repo", root, "k"]), ["kitten"]);
    assert_eq!(candidates(&nowhere, &["bump", &format!("--repo={root}"), "k"]), ["kitten"]);
}

#[test]
fn where_there_is_no_repository_rules_are_those_of_all_packs() {
    let scratch = Scratch::new();
    let nowhere = scratch.at("nowhere");
    assert_eq!(candidates(&nowhere, &["explain", "stale-ver"]), ["stale-version"]);
    assert!(candidates(&nowhere, &["bump", "a"]).is_empty());
    assert!(candidates(&nowhere, &["--base", "m"]).is_empty());
    // A configuration that cannot be read takes nothing away either.
    let repo = scratch.kubernetes("repo");
    repo.write(&[("imglint.toml", "pack = 1\n")]);
    assert_eq!(candidates(&repo, &["explain", "stale-ver"]), ["stale-version"]);
}

/// Bash puts a candidate on the line as it is: a name must not end the command and begin another.
#[cfg(unix)]
#[test]
fn names_that_mean_something_to_a_shell_are_not_offered() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    for name in ["a;id", "a$(id)", "a`id`", "a b", "a*", "-a", "a\nb", "a\u{1b}[2Jb", "~a"] {
        let directory = format!("test/images/{name}");
        repo.write(&[
            (&format!("{directory}/VERSION"), "1.0\n"),
            (&format!("{directory}/Dockerfile"), "FROM scratch\n"),
        ]);
    }
    repo.commit("names");
    repo.git(&["branch", "m;id"]);
    let images = candidates(&repo, &["bump", ""]);
    let images: Vec<&String> = images.iter().filter(|name| !name.starts_with('-') || *name == "-a").collect();
    assert_eq!(images, ["agnhost", "kitten"]);
    assert_eq!(candidates(&repo, &["--base", "m"]), ["master"]);
    assert_eq!(candidates(&repo, &["test/images/a"]), ["test/images/agnhost/"]);
}

/// A gate must not pass because a variable is set.
#[test]
fn the_variable_alone_asks_nothing() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    for shell in ["bash", "fish", "1", "csh"] {
        repo.imglint_with(&["--base", "master"], &[("IMGLINT_COMPLETE", shell)]).is(1, &["stale-version"]);
    }
    repo.imglint_with(&["--", "imglint", "explain"], &[]).fails(&[]);
}

#[cfg(unix)]
#[test]
fn bash_asks_as_it_is_told_to() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let script = r#"
        source <("$1" completions bash)
        ask() {
            COMP_WORDS=(imglint "$@") COMP_CWORD=$# COMP_TYPE=9
            _clap_complete_imglint imglint "${!#}" before
            printf '%s\n' "${COMPREPLY[@]}"
        }
        ask bump --repo . ki
        ask bump --repo = . ki
        ask --rule = stale-ver
        ask --level stale-version = w
        ask --level = stale-version = w"#;
    let mut bash = std::process::Command::new("bash");
    bash.current_dir(&repo.root).args(["-c", script, "bash", env!("CARGO_BIN_EXE_imglint")]);
    let run = Run::of(bash.output().expect("bash is installed"));
    // It cuts words at each `=`, and replaces what stands behind the last one.
    let expected = "kitten\nkitten\nstale-version\nwarning\nwarning\n";
    assert!(run.code == 0 && run.stdout == expected, "{run}");
}
