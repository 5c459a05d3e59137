//! Cases of rules, as Markdown: what the tests run, and what `imglint explain` shows.
//!
//! A case is a second-level heading with prose, files and findings. A file is a line such as `` `after: images/a/VERSION` ``
//! with a fenced block below it. `both` is on both sides of the change, `before` at the base, `after` at head, `tip` on the
//! base branch now. `judge: all` judges the whole of head, as under `--all`. `findings` lists what is found, without the rule's
//! name; `fixed` is a file after the repair; `config` is the configuration; `promoted`, `jobs`, `claims` and `registries` are files from
//! outside; `older` counts older findings. A history begins with a line such as `` `commit: 2026-03-01 Title` ``: the files called
//! `then` below it are what that commit wrote, and head has them, too, unless it has others. Where `history: cut` stands, what
//! came before the first commit is not known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::history::{Commit, Difference, Step};
use crate::snapshot::{Content, Entry, FileKind};

/// A case.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// Its heading.
    pub title: String,
    /// What is said about it.
    pub prose: String,
    /// The files.
    pub files: Vec<File>,
    /// The configuration.
    pub config: Option<String>,
    /// Files from outside of the repository.
    pub inputs: Vec<Input>,
    /// What is found, one line a finding. `None` where nothing is.
    pub findings: Option<String>,
    /// The files that a repair changes, as they are afterwards.
    pub fixed: Vec<FixedFile>,
    /// How many older findings there are.
    pub older: usize,
    /// Whether the whole of head is judged, as under `--all`.
    pub is_whole: bool,
    /// The commits that led to head, the oldest first.
    pub commits: Vec<Made>,
    /// Whether there are older ones that are not known.
    pub is_cut: bool,
}

/// A commit of a case.
#[derive(Debug, Clone)]
pub struct Made {
    /// The day on which it was made, as in `2026-03-01`.
    pub day: String,
    /// Its title.
    pub title: String,
}

/// A file of a case.
#[derive(Debug, Clone)]
pub struct File {
    /// Where it is.
    pub side: Side,
    /// Its path.
    pub path: String,
    /// Its kind.
    pub kind: FileKind,
    /// Its content.
    pub text: String,
}

/// A file from outside of the repository.
#[derive(Debug, Clone)]
pub struct Input {
    /// What it is.
    pub kind: InputKind,
    /// Its content.
    pub text: String,
}

/// What a file from outside of the repository is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// That of `--promoted`.
    Promoted,
    /// That of `--jobs`.
    Jobs,
    /// That of `--claims`.
    Claims,
    /// That of `KUBE_TEST_REPO_LIST`.
    Registries,
}

impl InputKind {
    /// The word for it in cases.
    pub fn name(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::Jobs => "jobs",
            Self::Claims => "claims",
            Self::Registries => "registries",
        }
    }
}

/// A file as a repair leaves it.
#[derive(Debug, Clone)]
pub struct FixedFile {
    /// Its path.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// The trees of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Base, tip and head.
    Both,
    /// Base and tip.
    Before,
    /// Head.
    After,
    /// The tip.
    Tip,
    /// A commit that led to head, by its number.
    Then(usize),
}

/// Reads the cases of a rule. An error says what is wrong and on which line.
pub fn parse(markdown: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = markdown.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            cases.push(Case { title: title.to_owned(), ..Case::default() });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        let Some(directive) = line.strip_prefix('`').and_then(|line| line.strip_suffix('`')) else {
            case.prose.push_str(line);
            case.prose.push('\n');
            continue;
        };
        let mut lines = lines.by_ref().map(|(_, line)| line);
        case.add(directive, &mut lines).map_err(|what| format!("line {}: {what}: {line}", number + 1))?;
    }
    Ok(cases)
}

/// The block of code on the next lines.
fn block<'l>(lines: &mut impl Iterator<Item = &'l str>) -> Option<String> {
    let info = lines.next()?.strip_prefix("```")?;
    let mut block = String::new();
    for line in lines.take_while(|line| *line != "```") {
        block.push_str(line);
        block.push('\n');
    }
    if info.split_whitespace().any(|flag| flag == "escaped") {
        block = unescape(&block);
    }
    if info.split_whitespace().any(|flag| flag == "no-newline") {
        block.truncate(block.trim_end_matches('\n').len());
    }
    Some(block)
}

impl Case {
    /// Adds what a directive says, and the block below it. An error says what is wrong with the directive.
    fn add<'l>(&mut self, directive: &str, lines: &mut impl Iterator<Item = &'l str>) -> Result<(), &'static str> {
        let (words, path) = directive.split_once(':').ok_or("a directive needs a colon")?;
        let path = path.trim().to_owned();
        match words {
            "older" => {
                self.older = path.parse().map_err(|_| "this is no number")?;
                return Ok(());
            }
            "judge" if path == "all" => {
                self.is_whole = true;
                return Ok(());
            }
            "history" if path == "cut" => {
                self.is_cut = true;
                return Ok(());
            }
            "commit" => {
                let (day, title) = path.split_once(' ').ok_or("a commit has a day and a title")?;
                self.commits.push(Made { day: day.to_owned(), title: title.to_owned() });
                return Ok(());
            }
            _ => {}
        }
        let text = block(lines).ok_or("a block must follow")?;
        match words {
            "config" => self.config = Some(text),
            "findings" => self.findings = Some(text),
            "fixed" => self.fixed.push(FixedFile { path, text }),
            "promoted" => self.inputs.push(Input { kind: InputKind::Promoted, text }),
            "jobs" => self.inputs.push(Input { kind: InputKind::Jobs, text }),
            "claims" => self.inputs.push(Input { kind: InputKind::Claims, text }),
            "registries" => self.inputs.push(Input { kind: InputKind::Registries, text }),
            _ => self.files.push(file(words, path, text, self.commits.len())?),
        }
        Ok(())
    }
}

/// A file; `words` say where and what it is, as `both` or `after executable`. So many commits stand above it.
fn file(words: &str, path: String, text: String, commits: usize) -> Result<File, &'static str> {
    let (side, kind) = words.split_once(' ').unwrap_or((words, "file"));
    let kind = match kind {
        "file" => FileKind::File,
        "executable" => FileKind::Executable,
        "link" => FileKind::Symlink,
        _ => return Err("a file is plain, `executable` or `link`"),
    };
    let side = match side {
        "both" => Side::Both,
        "before" => Side::Before,
        "after" => Side::After,
        "tip" => Side::Tip,
        "then" => Side::Then(commits.checked_sub(1).ok_or("no commit stands above this")?),
        _ => return Err("unknown directive"),
    };
    Ok(File { side, path, kind, text })
}

/// The case that shows what a rule finds: the first that finds something.
pub fn telling(cases: &[Case]) -> Option<&Case> {
    cases.iter().find(|case| case.findings.is_some())
}

/// Replaces `\r`, `\t`, `\\` and `\u{…}`.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(backslash) = rest.find('\\') {
        plain.push_str(&rest[..backslash]);
        rest = &rest[backslash + 1..];
        if let Some((code, after)) = rest.strip_prefix("u{").and_then(|code| code.split_once('}')) {
            plain.extend(u32::from_str_radix(code, 16).ok().and_then(char::from_u32));
            rest = after;
        } else if let Some(escaped) = rest.chars().next() {
            plain.push(match escaped {
                'r' => '\r',
                't' => '\t',
                other => other,
            });
            rest = &rest[escaped.len_utf8()..];
        }
    }
    plain + rest
}

impl Case {
    /// The files of one tree of the case.
    pub fn tree(&self, side: Side) -> impl Iterator<Item = (&str, FileKind, &[u8])> {
        let files = self.files.iter().filter(move |file| file.is_in(side));
        files.map(|file| (file.path.as_str(), file.kind, file.text.as_bytes()))
    }

    /// The steps back along the history, the newest first. `seconds` tells when a day was.
    pub fn steps(&self, seconds: impl Fn(&str) -> i64) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut now = self.entries(Side::After);
        for (number, made) in self.commits.iter().enumerate().rev() {
            let then = self.entries(Side::Then(number));
            steps.push(Step::Made { commit: None, before: differences(&now, &then) });
            let before = number.checked_sub(1).map_or_else(BTreeMap::new, |last| self.entries(Side::Then(last)));
            if number == 0 && self.is_cut {
                steps.push(Step::Cut);
                break;
            }
            let id = format!("commit{}", number + 1);
            let commit = Commit { id, summary: made.title.clone(), time: seconds(&made.day) };
            steps.push(Step::Made { commit: Some(commit), before: differences(&then, &before) });
            now = before;
        }
        steps.retain(|step| !matches!(step, Step::Made { before, .. } if before.is_empty()));
        steps
    }

    fn entries(&self, side: Side) -> BTreeMap<Arc<str>, Entry> {
        let mut entries = BTreeMap::new();
        for (path, kind, bytes) in self.tree(side) {
            entries.insert(Arc::from(path), Entry { kind, content: Content::Inline(bytes.into()) });
        }
        entries
    }

    /// All files of the case in the order in which they are told, with the words for where they are.
    pub fn told(&self) -> Vec<(&File, String)> {
        let mut sides = vec![(Side::Both, "on both sides".to_owned()), (Side::Before, "before".to_owned())];
        for (number, made) in self.commits.iter().enumerate() {
            let words = format!("in commit{}, {}, of {}", number + 1, made.title, made.day);
            sides.push((Side::Then(number), words));
        }
        sides.push((Side::After, "after".to_owned()));
        sides.push((Side::Tip, "meanwhile on the base branch".to_owned()));
        let mut told = Vec::new();
        for (side, words) in sides {
            let files = self.files.iter().filter(|file| file.side == side);
            told.extend(files.map(|file| (file, words.clone())));
        }
        told
    }

    /// Whether the base branch went on in this case.
    pub fn has_tip(&self) -> bool {
        self.files.iter().any(|file| file.side == Side::Tip)
    }
}

impl File {
    /// Whether a tree has it.
    fn is_in(&self, side: Side) -> bool {
        match (side, self.side) {
            (Side::Tip, side) => side != Side::After,
            (Side::After, Side::Then(_)) => true,
            (Side::Then(last), Side::Then(number)) => number <= last,
            (side, own) => own == side || own == Side::Both,
        }
    }
}

/// What differs between two trees, with what the second has there.
fn differences(now: &BTreeMap<Arc<str>, Entry>, then: &BTreeMap<Arc<str>, Entry>) -> Vec<Difference> {
    let paths: BTreeSet<&Arc<str>> = now.keys().chain(then.keys()).collect();
    let differing = paths.into_iter().filter(|path| now.get(*path) != then.get(*path));
    differing.map(|path| Difference { path: Arc::clone(path), other: then.get(path).cloned() }).collect()
}
