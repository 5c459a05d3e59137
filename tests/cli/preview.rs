//! Rules that are new and may still change: they are judged where they are asked for.

use serde_json::Value;

use super::harness::{Repo, Run, Scratch};

const RULE: &str = "preview = true\nlevel = \"error\"\nsummary = \"a Dockerfile that is missing\"\nwhy = \"It is new.\"\n\
                    [check.dockerfile]\nforbid = \"missing\"\n";

/// A repository of whose pack one rule is a preview, and finds something.
fn repository(scratch: &Scratch, config: &str) -> Repo {
    let repo = scratch.init("repo");
    repo.write(&[
        ("imglint.toml", &format!("pack = \"ci\"\n{config}")),
        ("ci/pack.toml", "summary = \"ours\"\nimages = { roots = [\"images\"], version = \"VERSION\" }\n"),
        ("ci/no-dockerfile.toml", RULE),
        (
            "ci/bad-version.toml",
            "level = \"error\"\nsummary = \"a bad version\"\nwhy = \"So.\"\n[check.version-format]\n",
        ),
        ("images/web/VERSION", "1.0\n"),
    ]);
    repo
}

fn judged(config: &str, options: &[&str]) -> Run {
    let scratch = Scratch::new();
    repository(&scratch, config).imglint(&[&["--all"], options].concat())
}

#[test]
fn a_preview_is_judged_where_it_is_asked_for() {
    judged("", &[]).is(0, &[]);
    judged("preview = false\n", &[]).is(0, &[]);
    // All of them, by option or by configuration.
    judged("", &["--preview"]).is(1, &["no-dockerfile"]);
    judged("preview = true\n", &[]).is(1, &["no-dockerfile"]);
    // Itself, by its name.
    judged("", &["--rule", "no-dockerfile"]).is(1, &["no-dockerfile"]);
    judged("", &["--level", "no-dockerfile=warning"]).is(0, &["no-dockerfile"]);
    judged("[rules.no-dockerfile]\nlevel = \"warning\"\n", &[]).is(0, &["no-dockerfile"]);
    judged("[rules.no-dockerfile]\nforbid = \"missing\"\n", &[]).is(1, &["no-dockerfile"]);
}

#[test]
fn whoever_switches_a_preview_off_is_obeyed() {
    judged("preview = true\n[rules.no-dockerfile]\nlevel = \"off\"\n", &[]).is(0, &[]);
    judged("[rules.no-dockerfile]\nlevel = \"off\"\n", &["--preview"]).is(0, &[]);
    judged("preview = true\n", &["--skip", "no-dockerfile"]).is(0, &[]);
    judged("preview = true\n", &["--rule", "bad-version"]).is(0, &[]);
}

/// Of several configurations the nearest one says whether.
#[test]
fn previews_are_asked_for_by_what_is_extended_too() {
    for (own, code) in [("", 1), ("preview = false\n", 0)] {
        let scratch = Scratch::new();
        let repo = repository(&scratch, &format!("extends = \"org.toml\"\n{own}"));
        repo.write(&[("org.toml", "preview = true\n")]);
        assert_eq!(repo.imglint(&["--all"]).code, code);
    }
}

#[test]
fn a_value_that_is_neither_is_refused() {
    judged("preview = \"yes\"\n", &[]).fails(&["imglint.toml:2"]);
    judged("previews = true\n", &[]).fails(&["did you mean `preview`?"]);
}

/// A waiver of a rule that nobody asked for is not told to be of no use.
#[test]
fn a_waiver_of_a_preview_waits_with_it() {
    let waiver = "[[waive]]\nrule = \"no-dockerfile\"\nimage = \"web\"\nreason = \"built elsewhere\"\n";
    let scratch = Scratch::new();
    let repo = repository(&scratch, waiver);
    repo.write(&[(
        "ci/useless.toml",
        "level = \"error\"\nsummary = \"of no use\"\nwhy = \"So.\"\n[check.waiver]\nforbid = \"unused\"\n",
    )]);
    repo.imglint(&["--all"]).is(0, &[]);
    repo.imglint(&["--all", "--preview"]).is(0, &[]);
    repo.imglint(&["--all", "--preview", "--no-waivers"]).is(1, &["no-dockerfile"]);
}

#[test]
fn previews_are_shown_as_such() {
    let scratch = Scratch::new();
    let repo = repository(&scratch, "");
    for (command, words) in [
        (&["rules"][..], &["no-dockerfile  preview", "bad-version    error", "judged with --preview"][..]),
        (&["rules", "--preview"], &["no-dockerfile  error"]),
        (&["explain", "no-dockerfile"], &["no-dockerfile (preview, error, in the pack ci)", "`preview = true`"]),
        (&["rules", "--format", "markdown"], &["| error, preview |", "*error, a preview"]),
    ] {
        let run = repo.imglint(command);
        assert!(words.iter().all(|words| run.stdout.contains(words)), "{words:?}: {run}");
    }
    let run = repo.imglint(&["rules", "--format", "json"]);
    let shown: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let [stable, preview] = [0, 1].map(|number| shown["packs"][0]["rules"][number].clone());
    assert_eq!((&preview["preview"], &preview["level"]), (&true.into(), &"off".into()), "{run}");
    assert_eq!((stable.get("preview"), &stable["level"]), (None, &"error".into()), "{run}");
}
