//! Two changes that want one version, and git between them: merges, rebases, picks and stashes by the merge driver.

use std::collections::BTreeMap;

use crate::harness::{Repo, Run, Scratch};

const WEB: &str = "images/web/VERSION";
const DOCKERFILE: &str = "images/web/Dockerfile";

/// A repository with a parent and two images on it, the driver set up, and a base branch.
fn repository(scratch: &Scratch) -> Repo {
    let repo = scratch.init("repo");
    repo.write(&[
        ("imglint.toml", "pack = \"generic\"\n"),
        ("images/base/VERSION", "1.0\n"),
        ("images/base/Dockerfile", "FROM alpine\n"),
        (WEB, "1.4\n"),
        (DOCKERFILE, "FROM REGISTRY/base:1.0\nLABEL a=b\nCOPY index.html /\n"),
        ("images/web/index.html", "hello\n"),
        ("images/tool/VERSION", "0.9\n"),
        ("images/tool/Dockerfile", "FROM REGISTRY/base:1.0\n"),
    ]);
    repo.commit("base");
    repo
}

fn with_driver(scratch: &Scratch) -> Repo {
    let repo = repository(scratch);
    repo.imglint(&["hook", "install", "--merge-driver"]).is(0, &[]);
    repo
}

/// Two branches from one commit, each of which writes these files; the second is checked out.
fn race(repo: &Repo, ours: &[(&str, &str)], theirs: &[(&str, &str)]) {
    repo.git(&["checkout", "-q", "-b", "theirs"]);
    repo.change(theirs);
    repo.git(&["checkout", "-q", "-b", "ours", "master"]);
    repo.change(ours);
}

fn read(repo: &Repo, path: &str) -> String {
    std::fs::read_to_string(repo.root.join(path)).expect("a file")
}

#[track_caller]
fn merged(run: &Run, words: &str) {
    assert!(run.code == 0 && run.stderr.contains(words), "expected to be merged, and told {words:?}\n{run}");
}

const OURS: [(&str, &str); 2] = [(WEB, "1.5\n"), ("images/web/ours.html", "ours\n")];
const THEIRS: [(&str, &str); 2] = [(WEB, "1.6\n"), ("images/web/theirs.html", "theirs\n")];
const TOLD: &str = "imglint: images/web/VERSION: VERSION of web is 1.5 on one side and 1.6 on the other: it is 1.7 now";
const TOLD_TURNED: &str = "images/web/VERSION: VERSION of web is 1.6 on one side and 1.5 on the other: it is 1.7 now";

#[test]
fn a_merge_takes_the_version_after_both() {
    let scratch = Scratch::new();
    let repo = with_driver(&scratch);
    race(&repo, &OURS, &THEIRS);
    merged(&repo.git_with_hooks(&["merge", "--no-edit", "theirs"]), TOLD);
    assert_eq!(read(&repo, WEB), "1.7\n");
    repo.imglint(&["--base", "theirs"]).is(0, &[]);
}

#[test]
fn a_rebase_a_pick_and_a_revert_do_so_too() {
    let scratch = Scratch::new();
    let repo = with_driver(&scratch);
    race(&repo, &OURS, &THEIRS);
    repo.git(&["checkout", "-q", "-b", "picks"]);
    merged(&repo.git_with_hooks(&["cherry-pick", "theirs"]), TOLD);
    assert_eq!(read(&repo, WEB), "1.7\n");
    repo.git(&["checkout", "-q", "ours"]);
    // Of a rebase, the other branch is what is merged into.
    merged(&repo.git_with_hooks(&["rebase", "theirs"]), TOLD_TURNED);
    assert_eq!(read(&repo, WEB), "1.7\n");
    repo.imglint(&["--base", "theirs"]).is(0, &[]);
    // What is taken back is a new content, too.
    repo.change(&[(WEB, "1.8\n"), ("images/web/more.html", "more\n")]);
    merged(&repo.git_with_hooks(&["revert", "--no-edit", "HEAD~1"]), "it is 1.9 now");
    assert_eq!(read(&repo, WEB), "1.9\n");
}

#[test]
fn a_stash_that_is_popped_takes_the_version_after_both() {
    let scratch = Scratch::new();
    let repo = with_driver(&scratch);
    repo.write(&THEIRS[..1]);
    repo.git(&["stash", "-q"]);
    repo.change(&OURS);
    merged(&repo.git_with_hooks(&["stash", "pop"]), TOLD);
    assert_eq!(read(&repo, WEB), "1.7\n");
}

/// The child's line is in conflict in the same merge, and follows what becomes of the parent's version, whichever side is further.
#[test]
fn what_names_a_version_follows_it() {
    let scratch = Scratch::new();
    let from = |version: &str| format!("FROM REGISTRY/base:{version}\nLABEL a=b\nCOPY index.html /\n");
    for (ours, theirs, expected) in [(["1.1", "1.1"], ["1.3", "1.3"], "1.4"), (["1.2", "1.2"], ["1.0", "0.9"], "1.2")] {
        let repo = repository(&scratch);
        repo.change(&[(DOCKERFILE, &from("0.8"))]);
        repo.imglint(&["hook", "install", "--merge-driver"]).is(0, &[]);
        let side = |[version, named]: [&str; 2]| [format!("{version}\n"), from(named)];
        let ([our_version, our_file], [their_version, their_file]) = (side(ours), side(theirs));
        race(
            &repo,
            &[("images/base/VERSION", &our_version), (DOCKERFILE, &our_file)],
            &[("images/base/VERSION", &their_version), (DOCKERFILE, &their_file)],
        );
        let run = repo.git_with_hooks(&["merge", "--no-edit", "theirs"]);
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(read(&repo, "images/base/VERSION"), format!("{expected}\n"), "{run}");
        assert_eq!(read(&repo, DOCKERFILE), from(expected), "{run}");
        std::fs::remove_dir_all(&repo.root).expect("it is ours");
    }
}

/// Everything else stays as git leaves it, byte for byte, with marks of the size and in the style that were asked for.
#[test]
fn other_conflicts_are_left_as_git_leaves_them() {
    let scratch = Scratch::new();
    let repo = repository(&scratch);
    let file = |label: &str, copy: &str| {
        format!("FROM REGISTRY/base:1.0\nLABEL a={label}\nRUN a\nRUN b\nRUN c\nCOPY {copy} /\n")
    };
    repo.change(&[(DOCKERFILE, &file("a", "index.html"))]);
    race(&repo, &[(DOCKERFILE, &file("b", "x"))], &[(DOCKERFILE, &file("c", "y")), (WEB, "1.5\n")]);
    let versions = [(WEB, "1.5\n", "banana\n"), (WEB, "1.5\n", "5.0.5-alpine\n")];
    for options in [&[][..], &["-c", "merge.conflictStyle=diff3"], &["-c", "merge.conflictStyle=zdiff3"]] {
        for (path, ours, theirs) in versions {
            let mut left = Vec::new();
            for has_driver in [false, true] {
                if has_driver {
                    repo.imglint(&["hook", "install", "--merge-driver"]).is(0, &[]);
                } else {
                    repo.imglint(&["hook", "uninstall"]).is(0, &[]);
                }
                for (branch, version) in [("theirs", theirs), ("ours", ours)] {
                    repo.git(&["checkout", "-q", branch]);
                    repo.change(&[(path, version)]);
                }
                let run = repo.git_with_hooks(&[options, &["merge", "--no-edit", "theirs"]].concat());
                assert_eq!(run.code, 1, "{run}");
                assert_eq!(run.stderr.contains("a conflict is left to you"), has_driver, "{run}");
                left.push((read(&repo, path), read(&repo, DOCKERFILE)));
                repo.git(&["merge", "--abort"]);
            }
            assert!(left[0].1.contains("<<<<<<< "), "{}", left[0].1);
            assert_eq!(left[0], left[1]);
        }
    }
}

/// A file whose conflicts are partly about versions keeps the marks of the others alone.
#[test]
fn one_conflict_of_a_file_may_be_resolved_and_another_left() {
    let scratch = Scratch::new();
    let repo = repository(&scratch);
    let file = |version: &str, copy: &str| {
        format!("FROM REGISTRY/base:{version}\nRUN a\nRUN b\nRUN c\nRUN d\nCOPY {copy} /\n")
    };
    repo.change(&[(DOCKERFILE, &file("1.0", "index.html"))]);
    repo.write(&[(".git/info/attributes", "Dockerfile conflict-marker-size=11\n")]);
    repo.imglint(&["hook", "install", "--merge-driver"]).is(0, &[]);
    race(
        &repo,
        &[("images/base/VERSION", "1.1\n"), (DOCKERFILE, &file("1.1", "x"))],
        &[("images/base/VERSION", "1.2\n"), (DOCKERFILE, &file("1.2", "y"))],
    );
    let run = repo.git_with_hooks(&["merge", "--no-edit", "theirs"]);
    assert_eq!(run.code, 1, "{run}");
    let marks = "<<<<<<<<<<< HEAD\nCOPY x /\n===========\nCOPY y /\n>>>>>>>>>>> theirs\n";
    assert_eq!(
        read(&repo, DOCKERFILE),
        format!("FROM REGISTRY/base:1.3\nRUN a\nRUN b\nRUN c\nRUN d\n{marks}"),
        "{run}"
    );
    assert_eq!(read(&repo, "images/base/VERSION"), "1.3\n");
    // The rest is for people, and imglint says so until they have done it.
    repo.imglint(&["--fix"]).is(1, &["unresolved-conflict"]);
    repo.write(&[(DOCKERFILE, &file("1.3", "z"))]);
    repo.imglint(&["--fix", "--base", "theirs"]).is(1, &[]);
    repo.imglint(&["--base", "theirs"]).is(0, &[]);
}

/// Without imglint, git merges as if nobody had told it otherwise.
#[test]
fn where_imglint_is_gone_git_merges_by_itself() {
    let scratch = Scratch::new();
    let repo = with_driver(&scratch);
    race(&repo, &OURS, &THEIRS);
    let run = Run::of(repo.git_command(&["merge", "--no-edit", "theirs"]).output().expect("git is installed"));
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(read(&repo, WEB), "<<<<<<< ours\n1.5\n=======\n1.6\n>>>>>>> theirs\n");
    // And imglint repairs that afterwards.
    repo.imglint(&["--fix"]).is(1, &[]);
    assert_eq!(read(&repo, WEB), "1.7\n");
}

/// A configuration that cannot be read is no reason to stop a merge.
#[test]
fn where_imglint_cannot_tell_what_a_version_is_git_merges_by_itself() {
    let scratch = Scratch::new();
    let repo = with_driver(&scratch);
    race(&repo, &[OURS[0], ("imglint.toml", "pack = \"no-such-pack\"\n")], &THEIRS);
    let run = repo.git_with_hooks(&["merge", "--no-edit", "theirs"]);
    assert_eq!(run.code, 1, "{run}");
    run.says(&["images/web/VERSION: left as git merges it: the configuration"]);
    assert_eq!(read(&repo, WEB), "<<<<<<< HEAD\n1.5\n=======\n1.6\n>>>>>>> theirs\n");
}

#[test]
fn the_driver_is_set_up_once_and_taken_away_whole() {
    let scratch = Scratch::new();
    let repo = repository(&scratch);
    let attributes = ".git/info/attributes";
    repo.write(&[(attributes, "*.png binary")]);
    repo.imglint(&["hook", "install", "--merge-driver"]).is(0, &[]);
    let once = read(&repo, attributes);
    let run = repo.imglint(&["hook", "install", "--merge-driver"]);
    assert_eq!(read(&repo, attributes), once, "{run}");
    assert!(run.stdout.contains("/images/**/VERSION merge=imglint"), "{run}");
    let merge = |path: &str| repo.git(&["check-attr", "merge", path]);
    assert_eq!(merge(WEB), "images/web/VERSION: merge: imglint");
    assert_eq!(merge("images/a/b/Dockerfile"), "images/a/b/Dockerfile: merge: imglint");
    assert_eq!(merge("VERSION"), "VERSION: merge: unspecified");
    assert!(!repo.root.join(".git/hooks/pre-commit").exists(), "no hook was named");
    repo.imglint(&["hook", "uninstall"]).is(0, &[]);
    assert_eq!(read(&repo, attributes), "*.png binary\n");
    assert!(repo.git_command(&["config", "merge.imglint.driver"]).output().expect("git").stdout.is_empty());
    // A driver that somebody chose for one of these files is not overruled.
    repo.write(&[(".gitattributes", "VERSION merge=theirs-always\n")]);
    repo.imglint(&["hook", "install", "--merge-driver"]).fails(&["images/base/VERSION is merged by `theirs-always`"]);
    assert_eq!(read(&repo, attributes), "*.png binary\n");
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

const IMAGES: [&str; 3] = ["base", "web", "tool"];

/// A branch of somebody who edits some images and bumps them with all that follows.
fn topic(repo: &Repo, name: &str, dice: &mut Dice) {
    let start = if dice.below(3) == 0 { "master~1" } else { "master" };
    repo.git(&["checkout", "-q", "-b", name, start]);
    for step in 0..=dice.below(2) {
        let image = IMAGES[dice.below(3)];
        repo.write(&[(&format!("images/{image}/{name}-{step}.txt"), name)]);
        let run = repo.imglint(&["bump", image, "--base", start]);
        assert!(run.code < 2, "{run}");
        if dice.below(3) == 0 {
            // Some leave one out.
            let next = number(repo, image) + 1;
            repo.write(&[(&format!("images/{image}/VERSION"), &format!("1.{next}\n"))]);
            repo.imglint(&["--fix", "--base", start]);
        }
        repo.commit(name);
    }
}

fn number(repo: &Repo, image: &str) -> usize {
    let version = read(repo, &format!("images/{image}/VERSION"));
    version.trim().rsplit_once('.').and_then(|(_, last)| last.parse().ok()).expect("a number at its end")
}

/// The numbers of all versions in a commit.
fn numbers(repo: &Repo, commit: &str) -> Vec<usize> {
    let version = |image: &&str| repo.git(&["show", &format!("{commit}:images/{image}/VERSION")]);
    IMAGES.iter().map(|image| version(image).rsplit_once('.').expect("a dot").1.parse().expect("a number")).collect()
}

/// Brings a topic onto the base branch in one of the ways that people have.
fn land(repo: &Repo, name: &str, dice: &mut Dice) -> String {
    let way = dice.below(4);
    let mut runs = Vec::new();
    if way == 0 {
        // First the base branch is merged into the topic, as a button of some sites does.
        repo.git(&["checkout", "-q", name]);
        runs.push(repo.git_with_hooks(&["merge", "--no-edit", "master"]));
    }
    match way {
        1 => {
            repo.git(&["checkout", "-q", name]);
            runs.push(repo.git_with_hooks(&["rebase", "master"]));
            repo.git(&["checkout", "-q", "master"]);
            runs.push(repo.git_with_hooks(&["merge", "--ff-only", name]));
        }
        2 => {
            repo.git(&["checkout", "-q", "master"]);
            runs.push(repo.git_with_hooks(&["cherry-pick", &format!("master..{name}")]));
        }
        _ => {
            repo.git(&["checkout", "-q", "master"]);
            runs.push(repo.git_with_hooks(&["merge", "--no-ff", "--no-edit", name]));
        }
    }
    for run in &runs {
        assert_eq!(run.code, 0, "{name} in way {way}\n{run}");
    }
    format!("way {way}")
}

/// Whatever is merged in whatever order: no mark is left, no version goes down, none stands for two contents, and once `--fix` has done
/// what follows there is nothing to be said.
#[test]
fn random_histories_lose_no_race() {
    let mut raced = 0;
    for seed in 1..=4 {
        let scratch = Scratch::new();
        let repo = repository(&scratch);
        repo.change(&[("images/base/VERSION", "1.0\n"), (WEB, "1.0\n"), ("images/tool/VERSION", "1.0\n")]);
        repo.change(&[("README.md", "images\n")]);
        repo.imglint(&["hook", "install", "--merge-driver"]).is(0, &[]);
        let mut dice = Dice(seed);
        let mut published: BTreeMap<(&str, usize), String> = BTreeMap::new();
        for round in 0..2 {
            let mut topics: Vec<String> = (0..3).map(|topic| format!("topic-{round}-{topic}")).collect();
            for name in &topics {
                topic(&repo, name, &mut dice);
            }
            while !topics.is_empty() {
                let name = topics.swap_remove(dice.below(topics.len()));
                let before = repo.git(&["rev-parse", "master"]);
                let sides = [numbers(&repo, &before), numbers(&repo, &name)];
                let way = land(&repo, &name, &mut dice);
                let told = format!("seed {seed}, {name}, {way}");
                let fixed = repo.imglint(&["--fix", "--base", &before]);
                assert!(fixed.code < 2 && fixed.rules().is_empty(), "{told}\n{fixed}");
                repo.commit("what follows");
                repo.imglint(&["--base", &before]).is(0, &[]);
                assert!(
                    repo.git_command(&["grep", "-q", "<<<<<<<"]).output().expect("git").status.code() == Some(1),
                    "{told}"
                );
                let after = numbers(&repo, "HEAD");
                for (index, image) in IMAGES.into_iter().enumerate() {
                    let highest = sides[0][index].max(sides[1][index]);
                    assert!(after[index] >= highest, "{told}: {image} went down: {sides:?} to {after:?}");
                    raced += usize::from(after[index] > highest);
                    let tree = repo.git(&["ls-tree", "-r", "HEAD", &format!("images/{image}")]);
                    let content: String = tree.lines().filter(|line| !line.ends_with("VERSION")).collect();
                    let known = published.entry((image, after[index])).or_insert_with(|| content.clone());
                    assert_eq!(*known, content, "{told}: {image} 1.{} stands for two contents", after[index]);
                }
            }
        }
    }
    assert!(raced > 15, "only {raced} races");
}

/// A change that claims a version before another is told so, and the other goes on to the next.
#[test]
fn claims_of_open_changes_are_told_and_passed_by() {
    let scratch = Scratch::new();
    let repo = repository(&scratch);
    race(
        &repo,
        &[(WEB, "1.5\n"), ("images/new/VERSION", "0.1\n"), ("images/new/Dockerfile", "FROM alpine\n")],
        &[(WEB, "1.5\n")],
    );
    let base = ["--base", "master"];
    let claims =
        |who: &str, head: &str| repo.imglint(&["claims", "--who", who, "--head", head, "--base", "master"]).stdout;
    let [ours, theirs] = [claims("#8", "ours"), claims("#7", "theirs")];
    assert!(ours.contains("\"new\"") && ours.contains("\"0.1\"") && ours.contains("\"#8\""), "{ours}");
    assert_eq!(
        repo.imglint(&["claims", "--who", "#8", "--format", "list", "--base", "master"]).stdout,
        "new 0.1 #8\nweb 1.5 #8\n"
    );
    repo.imglint(&["claims"]).fails(&["whose claims", "--who"]);

    let list = scratch.path().join("claims");
    let list = list.to_str().expect("UTF-8");
    let judge = |text: &str, options: &[&str], environment: &[(&str, &str)]| {
        std::fs::write(list, text).expect("a file");
        repo.imglint_with(&[&["--claims", list], &base[..], options].concat(), environment)
    };
    let both = theirs.clone() + &ours;
    let run = judge(&both, &["--who", "#8"], &[]);
    run.is(1, &["taken-version"]);
    assert!(run.stdout.contains("web 1.5 is taken: #7 claims it"), "{run}");
    // The earlier claim counts, and CI knows whose the change is.
    judge(&(ours.clone() + &theirs), &["--who", "#8"], &[]).is(0, &[]);
    let prow = [("CI", "true"), ("PROW_JOB_ID", "1"), ("JOB_TYPE", "presubmit"), ("PULL_NUMBER", "8")];
    judge(&(ours.clone() + &theirs), &[], &prow).is(0, &[]);
    judge("web 1.5 #7\nweb 1.6 #9 somebody\n", &["--fix"], &[]).is(1, &[]);
    assert_eq!(read(&repo, WEB), "1.7\n");
    judge(&both, &["--who", "#8"], &[]).is(0, &[]);
    repo.git(&["checkout", "-q", "."]);
    std::fs::write(list, "tool 0.10 #7\n").expect("a file");
    repo.imglint(&["bump", "tool", "--claims", list, "--who", "#8"]).is(0, &[]);
    assert_eq!(read(&repo, "images/tool/VERSION"), "0.11\n");

    judge("[]", &[], &[]).is(0, &[]);
    judge("", &[], &[]).fails(&["this holds nothing", "[]"]);
    judge("{\"image\": \"web\"}", &[], &[]).fails(&["claim 1", "version"]);
    judge("web\n", &[], &[]).fails(&["this is no claim", "IMAGE VERSION WHO"]);
    judge("1.5 web #7\n", &[], &[]).fails(&["`web` is no version"]);
    judge("[{]", &[], &[]).fails(&["this is no JSON"]);
}

/// Two pull requests in one group of GitHub's queue: as one change they look right, but the second would be built over the first.
#[test]
fn a_merge_group_cannot_take_a_version_twice() {
    let scratch = Scratch::new();
    let repo = repository(&scratch);
    let base = repo.git(&["rev-parse", "HEAD"]);
    for name in ["one", "two"] {
        repo.git(&["checkout", "-q", "-b", name, "master"]);
        repo.change(&[(WEB, "1.5\n"), (&format!("images/web/{name}.html"), name)]);
    }
    repo.git(&["checkout", "-q", "-b", "queue", "master"]);
    let event = scratch.path().join("event.json");
    let merge_group = format!("{{\"merge_group\": {{\"base_sha\": \"{base}\", \"base_ref\": \"refs/heads/master\"}}}}");
    std::fs::write(&event, merge_group).expect("a file");
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "merge_group"),
        ("GITHUB_REF", "refs/heads/gh-readonly-queue/master/pr-2-0123456789"),
        ("GITHUB_EVENT_PATH", event.to_str().expect("UTF-8")),
    ];
    repo.git(&["merge", "-q", "--no-ff", "--no-edit", "one"]);
    repo.imglint_with(&[], &environment).is(0, &[]);
    repo.git(&["merge", "-q", "--no-ff", "--no-edit", "two"]);
    let run = repo.imglint_with(&[], &environment);
    run.is(1, &["stale-version"]);
    assert!(run.stdout.contains("(in the merge "), "{run}");
    // The group of the second alone stands on that of the first.
    let first = repo.git(&["rev-parse", "HEAD^1"]);
    std::fs::write(&event, format!("{{\"merge_group\": {{\"base_sha\": \"{first}\"}}}}")).expect("a file");
    let run = repo.imglint_with(&[], &environment);
    run.is(1, &["taken-version"]);
}
