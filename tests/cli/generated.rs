//! Generated repositories of several shapes: clean where nothing is wrong, and of a change exactly the changed images are
//! reported, whatever the change lies in and however many threads look for it.

use std::collections::BTreeSet;

use crate::generator::{Change, Kind, Plan, Repository, Shape, State};
use crate::harness::{Repo, Scratch};

/// A change of each kind, with the branch that it is on.
const CHANGES: [(&str, Change); 7] = [
    ("source", Change { images: 5, kind: Kind::Source }),
    ("program", Change { images: 5, kind: Kind::Program }),
    ("script", Change { images: 5, kind: Kind::Script }),
    ("dockerfile", Change { images: 5, kind: Kind::Dockerfile }),
    ("version", Change { images: 5, kind: Kind::Version }),
    ("complete", Change { images: 5, kind: Kind::Complete }),
    ("package", Change { images: 2, kind: Kind::Package }),
];

fn small() -> Shape {
    Shape { images: 40, files: 600, ..Shape::default() }
}

/// Shapes that have nothing in common but being small.
fn shapes() -> Vec<(&'static str, Shape)> {
    vec![
        ("usual", small()),
        ("one-image", Shape { images: 1, files: 0, ..small() }),
        ("a-chain", Shape { seed: 2, images: 12, depth: 12, fan_out: 1, windows: 100, ahead: 0, ..small() }),
        ("flat-in-groups", Shape { seed: 3, depth: 1, windows: 0, group: 7, ..small() }),
        ("all-of-go", Shape { seed: 4, go: 100, sharing: 100, packages: 4, ..small() }),
        ("borrowed-sources", Shape { seed: 5, go: 30, borrowing: 100, depth: 2, fan_out: 30, ..small() }),
    ]
}

fn generate(repo: &Repo, shape: Shape) -> (Plan, Repository) {
    let plan = Plan::new(shape);
    let repository = Repository::generate(&repo.root, &plan, &CHANGES).expect("git is installed");
    (plan, repository)
}

/// The images that findings name.
fn reported(json: &str) -> BTreeSet<String> {
    let report: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let findings = report["findings"].as_array().expect("a list").iter();
    findings.map(|finding| finding["image"].as_str().expect("all are about an image").to_owned()).collect()
}

#[test]
fn trees_are_clean_and_of_a_change_exactly_the_changed_images_are_reported() {
    let scratch = Scratch::new();
    let mut seen = 0;
    for (title, shape) in shapes() {
        let repo = scratch.at(title);
        let (plan, _) = generate(&repo, shape);
        let whole = repo.imglint(&["--all", "--head", "main", "--deny", "warnings"]);
        assert!(whole.code == 0 && whole.rules().is_empty(), "{title}: {whole}");
        let files = repo.git(&["ls-tree", "-r", "--name-only", "main"]).lines().count();
        // What the base branch has more since then is one file.
        let (wanted, more) = (plan.shape.files, usize::from(plan.shape.ahead > 0));
        assert!(files == wanted + more || wanted == 0, "{title}: {files} files");
        for (branch, change) in CHANGES {
            let run = repo.imglint(&["--base", "main", "--head", branch, "--format", "json"]);
            let expected: BTreeSet<String> = plan.reported(change).into_iter().map(str::to_owned).collect();
            assert_eq!(reported(&run.stdout), expected, "{title}, {branch}: {run}");
            assert_eq!(run.code, i32::from(!expected.is_empty()), "{title}, {branch}: {run}");
            seen += expected.len();
        }
    }
    assert!(seen > 100, "only {seen} images were reported");
}

#[test]
fn a_change_reads_the_same_wherever_it_lies() {
    let scratch = Scratch::new();
    let repo = scratch.at("repository");
    let (_, repository) = generate(&repo, small());
    for branch in ["source", "version", "complete"] {
        let findings = |arguments: &[&str]| {
            let run = repo.imglint(&[arguments, &["--base", "main"]].concat());
            // The closing line, too, but not the commit that stands in the JSON report.
            (run.code, run.stdout)
        };
        let committed = findings(&["--head", branch]);
        let states = [(State::IndexAlone, "--staged"), (State::Staged, "--staged"), (State::Unstaged, "--worktree")];
        for (state, option) in states {
            repository.set(branch, state).expect("git is installed");
            assert_eq!(findings(&[option]), committed, "{branch}, {state:?}");
        }
        repo.git(&["checkout", "--quiet", "--force", "main"]);
    }
}

#[test]
fn any_number_of_threads_prints_the_same() {
    let scratch = Scratch::new();
    // Above the number of images that imglint reads with one thread in any case.
    let repo = scratch.at("repository");
    generate(&repo, Shape { images: 140, files: 0, ..small() });
    for format in ["human", "json"] {
        let judge = |arguments: &[&str], threads: &str| {
            let run = repo.imglint(&[arguments, &["--format", format, "--threads", threads]].concat());
            (run.code, run.stdout, run.stderr)
        };
        let changes = CHANGES.map(|(branch, _)| vec!["--base", "main", "--head", branch]);
        for arguments in changes.into_iter().chain([vec!["--all", "--head", "version"]]) {
            let one = judge(&arguments, "1");
            for threads in ["2", "8"] {
                assert_eq!(judge(&arguments, threads), one, "{arguments:?} with {threads} threads");
            }
        }
    }
}

#[test]
fn from_one_seed_comes_one_repository() {
    let scratch = Scratch::new();
    let commits = |name: &str, seed: u64| {
        let repo = scratch.at(name);
        generate(&repo, Shape { seed, ..small() });
        repo.git(&["for-each-ref", "--format=%(refname) %(objectname)"])
    };
    let one = commits("one", 7);
    assert_eq!(one.lines().count(), 1 + CHANGES.len());
    assert_eq!(one, commits("again", 7));
    assert_ne!(one, commits("other", 8));
}
