//! Every block of the README and of the pages does what it says as it stands: who pastes one must not meet an error.
//!
//! The language of a block says what becomes of it, and the word after it where it would be pasted: ` ```toml imglint.toml `.

use std::path::{Path, PathBuf};

use saphyr::LoadableYamlNode as _;

use super::documentation::project;
use super::harness::{Repo, Run, Scratch};

/// A block of a page.
pub(crate) struct Block {
    /// The page and the line, to be found again.
    pub(crate) at: String,
    /// What stands after the marks.
    pub(crate) kind: String,
    pub(crate) text: String,
}

/// Programs that a block may run without this test doing so: they build, publish or fetch.
const ELSEWHERE: &[&str] = &[".ci/run", "BLESS=1", "cargo", "docker", "git", "make", "pre-commit", "RUSTFLAGS='-C"];

#[test]
fn every_block_works_as_it_stands() {
    let (mut blocks, mut commands) = (0, 0);
    for page in pages() {
        for block in blocks_of(&page) {
            commands += try_out(&block);
            blocks += 1;
        }
    }
    assert!(blocks > 30 && commands > 20, "{blocks} blocks with {commands} commands");
}

/// The README, and all pages but those that are printed from rules, whose cases are tests already.
pub(crate) fn pages() -> Vec<PathBuf> {
    let mut pages = vec![project().join("README.md"), project().join("CONTRIBUTING.md")];
    for entry in std::fs::read_dir(project().join("docs")).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages
}

pub(crate) fn blocks_of(page: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(page).expect("a page");
    let mut blocks = Vec::new();
    let mut open: Option<(String, Block)> = None;
    for (number, line) in text.lines().enumerate() {
        let marks: String = line.trim_start().chars().take_while(|mark| *mark == '`').collect();
        match &mut open {
            Some((fence, _)) if *fence == line.trim() => blocks.extend(open.take().map(|(_, block)| block)),
            Some((_, block)) => block.text.extend([line, "\n"]),
            None if marks.len() >= 3 => {
                let kind = line.trim()[marks.len()..].to_owned();
                let at = format!("{}:{}", page.display(), number + 1);
                open = Some((marks, Block { at, kind, text: String::new() }));
            }
            None => {}
        }
    }
    blocks
}

/// Does what the block says, and counts the commands in it.
fn try_out(block: &Block) -> usize {
    match block.kind.as_str() {
        "sh" | "console" => run_commands(block),
        "yaml" => {
            let indent = block.text.len() - block.text.trim_start_matches(' ').len();
            let text = block.text.replace(&format!("\n{}", " ".repeat(indent)), "\n");
            saphyr::Yaml::load_from_str(text.trim_start()).unwrap_or_else(|error| panic!("{}: {error}", block.at));
            run_commands(block)
        }
        "json" => {
            let whole = if block.text.starts_with('"') { format!("{{{}}}", block.text) } else { block.text.clone() };
            serde_json::from_str::<serde_json::Value>(&whole).unwrap_or_else(|error| panic!("{}: {error}", block.at));
            0
        }
        "toml imglint.toml" => configure(block),
        "toml pack.toml" => shape(block),
        "toml rule.toml" => judge(block),
        // What is printed, and what is only spoken of.
        "text" | "markdown" | "diff" | "dockerfile" | "" => 0,
        other => panic!(
            "{}: a block of {other:?} is run by no test; name one of sh, console, yaml, json, text, toml imglint.toml, \
             toml pack.toml, toml rule.toml",
            block.at
        ),
    }
}

/// Runs each command that is imglint's, in a tree in which there is something to say.
fn run_commands(block: &Block) -> usize {
    let mut commands = 0;
    for line in block.text.lines() {
        let line = line.trim_start().trim_start_matches("- ").trim_start_matches("run: ").trim_start_matches("$ ");
        let line = line.split(" #").next().unwrap_or_default();
        let Some(begin) = line.find("imglint ").filter(|begin| line[..*begin].ends_with(['(', ' ']) || *begin == 0)
        else {
            let is_bare = line.trim() == "imglint" && block.kind != "yaml";
            if is_bare {
                answers(block, &[]);
            }
            let first = line.split_whitespace().next().unwrap_or_default();
            let is_known = ELSEWHERE.contains(&first) || SHELL.iter().any(|word| line.starts_with(word));
            assert!(
                is_bare || is_known || block.kind != "sh" || first.is_empty(),
                "{}: {line:?} is run by no test",
                block.at
            );
            continue;
        };
        let first = line[..begin].split_whitespace().next().unwrap_or_default();
        if ELSEWHERE.contains(&first) {
            continue;
        }
        let end = line[begin..].find(['|', '>', ';', ')', '<']).map_or(line.len(), |end| begin + end);
        let words: Vec<String> = words(&line[begin..end]).iter().skip(1).map(|word| filled_in(word)).collect();
        answers(block, &words);
        commands += 1;
    }
    commands
}

/// The words of a command, in which single quotes hold blanks.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in command.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// What of a shell's words may surround commands.
const SHELL: &[&str] = &["cd ", "set ", "while ", "pushed=", "printf ", "exec ", "$pushed", "END", "base=", "CI=true "];

/// A word of a command, with what the reader is to put into it.
fn filled_in(word: &str) -> String {
    match word.trim_matches('"') {
        "origin/$CI_DEFAULT_BRANCH" => "master".to_owned(),
        "$@" => "origin".to_owned(),
        word => word.to_owned(),
    }
}

/// A command of imglint that is pasted must be able to do what it does, whatever it finds.
fn answers(block: &Block, words: &[String]) {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.write(&[
        ("test/images/busybox/VERSION", "1.0\n"),
        ("test/images/busybox/Dockerfile", "FROM scratch\n"),
        ("test/images/busybox/BASEIMAGE", "linux/amd64=busybox:1.29\n"),
    ]);
    repo.commit("busybox");
    repo.bad_topic();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    accepted(block, &repo.imglint(&words));
}

#[track_caller]
fn accepted(block: &Block, run: &Run) {
    assert!(run.code < 2, "{}: {run}", block.at);
}

/// A tree with a directory for each name that the pages speak of.
fn tree(scratch: &Scratch) -> Repo {
    let repo = scratch.init("repo");
    for root in ["containers", "images", "docker"] {
        repo.write(&[
            (&format!("{root}/web/VERSION"), "1.0\n"),
            (&format!("{root}/web/TAG"), "1.0\n"),
            (&format!("{root}/web/Dockerfile"), "FROM scratch\n"),
            (&format!("{root}/web/Makefile"), "TAG ?= 1.0\nRELEASE ?= 1.0\n"),
        ]);
    }
    repo.write(&[
        ("charts/web/Chart.yaml", "name: web\nversion: 1.0.0\n"),
        ("addon/config.yaml", "slug: web\nversion: 1.0\n"),
        ("src/git/devcontainer-feature.json", "{ \"id\": \"git\", \"version\": \"1.0.0\" }\n"),
    ]);
    repo
}

/// Pastes a configuration.
fn configure(block: &Block) -> usize {
    let scratch = Scratch::new();
    let repo = if block.text.contains("pack =") { tree(&scratch) } else { scratch.kubernetes("repo") };
    for (path, text) in example_pack() {
        repo.write(&[(&format!("ci/imglint/{path}"), &text)]);
    }
    repo.write(&[("imglint.toml", &block.text)]);
    accepted(block, &repo.imglint(&["--all"]));
    1
}

fn example_pack() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(project().join("docs/example-pack")).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
        files.push((name, std::fs::read_to_string(&path).expect("a file")));
    }
    files
}

/// Pastes what describes a repository: a table, or several ways to write one line of a table.
fn shape(block: &Block) -> usize {
    let lines: Vec<&str> = block.text.lines().filter(|line| line.starts_with("version = ")).collect();
    let texts = if lines.len() > 1 {
        lines.iter().map(|line| format!("[images]\nroots = [\"images\"]\n{line}\n")).collect()
    } else {
        vec![block.text.clone()]
    };
    for text in texts {
        let scratch = Scratch::new();
        let repo = tree(&scratch);
        repo.write(&[
            ("images/web/config.yaml", "slug: web\nversion: 1.0\n"),
            ("images/web/variants.yaml", "variants:\n  new:\n    IMAGE_VERSION: 1.0\n    REVISION: 0\n"),
        ]);
        repo.write(&[
            ("ci/imglint/pack.toml", &format!("summary = \"ours\"\nextends = \"generic\"\n{text}")),
            ("imglint.toml", "pack = \"ci/imglint\"\n"),
        ]);
        accepted(block, &repo.imglint(&["--all"]));
    }
    1
}

/// Pastes a rule.
fn judge(block: &Block) -> usize {
    let scratch = Scratch::new();
    let repo = tree(&scratch);
    repo.write(&[
        (
            "ci/imglint/pack.toml",
            "summary = \"ours\"\nextends = \"generic\"\nimages = { roots = [\"images\"], version = \"VERSION\" }\n",
        ),
        ("ci/imglint/pasted-rule.toml", &block.text),
        ("imglint.toml", "pack = \"ci/imglint\"\n"),
    ]);
    accepted(block, &repo.imglint(&["--all"]));
    1
}

/// The README's trailer and comment are taken for what they are said to be.
#[test]
fn the_waivers_of_the_readme_hold() {
    let blocks = blocks_of(&project().join("README.md"));
    let block = blocks.iter().find(|block| block.text.starts_with("Imglint-Waive:")).expect("an example of waivers");
    let (trailer, comment) = block.text.trim().split_once('\n').expect("two lines");
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    let image = "ARG BASEIMAGE\nFROM --platform=windows/amd64 $BASEIMAGE\n";
    repo.write(&[("test/images/agnhost/Dockerfile", &format!("{image}{comment}\nRUN dir\n"))]);
    repo.commit(&format!("change\n\n{trailer}"));
    repo.imglint_with(&["--base", "master"], &[("SOURCE_DATE_EPOCH", "1767225600")]).is(0, &[]);
    repo.imglint(&["--base", "master", "--no-waivers"]).is(1, &["windows-run", "stale-version"]);
}
