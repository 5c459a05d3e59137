//! Cases of rules, as Markdown: what the tests run, and what `imglint explain` shows.
//!
//! A case is a second-level heading with prose, files and findings. A file is a line such as `` `after: images/a/VERSION` ``
//! with a fenced block below it. `both` is on both sides of the change, `before` at the base, `after` at head, `tip` on the
//! base branch now. `judge: all` judges the whole of head, as under `--all`. `findings` lists what is found, without the rule's
//! name; `fixed` is a file after the repair; `config` is the configuration; `promoted`, `jobs` and `registries` are files from
//! outside; `older` counts older findings.

use crate::snapshot::FileKind;

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
    /// Files from outside of the repository: what they are (`promoted`, `jobs` or `registries`), and their text.
    pub inputs: Vec<(String, String)>,
    /// What is found, one line a finding. `None` where nothing is.
    pub findings: Option<String>,
    /// The files that a repair changes, as they are afterwards.
    pub fixed: Vec<(String, String)>,
    /// How many older findings there are.
    pub older: usize,
    /// Whether the whole of head is judged, as under `--all`.
    pub is_whole: bool,
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
        let fault = |what: &str| format!("line {}: {what}: {line}", number + 1);
        let (words, path) = directive.split_once(':').ok_or_else(|| fault("a directive needs a colon"))?;
        let path = path.trim().to_owned();
        match words {
            "older" => {
                case.older = path.parse().map_err(|_| fault("this is no number"))?;
                continue;
            }
            "judge" if path == "all" => {
                case.is_whole = true;
                continue;
            }
            _ => {}
        }
        let (_, fence) = lines.next().ok_or_else(|| fault("a block must follow"))?;
        let info = fence.strip_prefix("```").ok_or_else(|| fault("a block must follow"))?;
        let mut block = String::new();
        for (_, line) in lines.by_ref().take_while(|(_, line)| *line != "```") {
            block.push_str(line);
            block.push('\n');
        }
        let mut flags = info.split_whitespace();
        let text = if flags.clone().any(|flag| flag == "escaped") { unescape(&block) } else { block };
        let text = if flags.any(|flag| flag == "no-newline") { text.trim_end_matches('\n').to_owned() } else { text };
        let (side, kind) = words.split_once(' ').unwrap_or((words, "file"));
        let kind = match kind {
            "file" => FileKind::File,
            "executable" => FileKind::Executable,
            "link" => FileKind::Symlink,
            _ => return Err(fault("a file is plain, `executable` or `link`")),
        };
        let side = match side {
            "both" => Side::Both,
            "before" => Side::Before,
            "after" => Side::After,
            "tip" => Side::Tip,
            "config" => {
                case.config = Some(text);
                continue;
            }
            "findings" => {
                case.findings = Some(text);
                continue;
            }
            "promoted" | "jobs" | "registries" => {
                case.inputs.push((side.to_owned(), text));
                continue;
            }
            "fixed" => {
                case.fixed.push((path, text));
                continue;
            }
            _ => return Err(fault("unknown directive")),
        };
        case.files.push(File { side, path, kind, text });
    }
    Ok(cases)
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
        let is_in = move |file: &&File| match side {
            Side::Tip => file.side != Side::After,
            side => file.side == side || file.side == Side::Both,
        };
        self.files.iter().filter(is_in).map(|file| (file.path.as_str(), file.kind, file.text.as_bytes()))
    }

    /// All files of the case in the order in which they are told, with the words for where they are.
    pub fn told(&self) -> impl Iterator<Item = (&File, &'static str)> {
        let sides = [
            (Side::Both, "on both sides"),
            (Side::Before, "before"),
            (Side::After, "after"),
            (Side::Tip, "meanwhile on the base branch"),
        ];
        let of_side = |(side, words)| {
            self.files.iter().filter(move |file: &&File| file.side == side).map(move |file| (file, words))
        };
        sides.into_iter().flat_map(of_side)
    }

    /// Whether the base branch went on in this case.
    pub fn has_tip(&self) -> bool {
        self.files.iter().any(|file| file.side == Side::Tip)
    }
}
