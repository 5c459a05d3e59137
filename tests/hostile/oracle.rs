//! How the lines of a Dockerfile are read, said once more and in another way: by hand from Docker's reference, character by
//! character, with nothing of the program in it. What the two read differently, one of them reads wrongly.
//!
//! It speaks of lines alone: directives, comments, blank and continued lines, and heredocs. What stands in an instruction is not
//! judged, and a text must hold no dollar sign, since what ends a variable is another matter.

use std::collections::BTreeSet;

/// An instruction as it lies in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line that it begins on, from 1: which may hold nothing but what continues it.
    pub start: usize,
    /// The line that its keyword begins on.
    pub number: usize,
    /// The keyword in capital letters.
    pub keyword: String,
    /// What stands behind it, over all lines that belong to it.
    pub rest: String,
}

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The instructions up to the end, or up to what is refused.
    pub lines: Vec<Line>,
    /// Whether the rest of the text cannot be read.
    pub is_refused: bool,
}

/// The instructions that there are.
const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Whether a keyword in capital letters is one that there is.
pub fn is_known(keyword: &str) -> bool {
    KEYWORDS.contains(&keyword)
}

/// Reads a text.
pub fn read(text: &str) -> Reading {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut physical: Vec<&str> = text.split('\n').collect();
    // A line end at the end of the file begins no further line.
    if physical.last() == Some(&"") {
        physical.pop();
    }
    let mut reader = Reader { physical, next: 0, escape: '\\', lines: Vec::new() };
    let is_refused = reader.run().is_none();
    Reading { lines: reader.lines, is_refused }
}

struct Reader<'t> {
    physical: Vec<&'t str>,
    next: usize,
    escape: char,
    lines: Vec<Line>,
}

impl<'t> Reader<'t> {
    /// `None` where the file is refused.
    fn run(&mut self) -> Option<()> {
        self.directives()?;
        while self.next < self.physical.len() {
            let start = self.next + 1;
            let first = self.take().trim_start();
            if first.starts_with('#') || first.is_empty() {
                continue;
            }
            let (number, whole) = self.join(first);
            let line = line(start, number, &whole);
            let ends = if takes_heredocs(&line) { heredocs(&whole) } else { Vec::new() };
            self.lines.push(line);
            for end in ends {
                self.skip_to(&end)?;
            }
        }
        Some(())
    }

    /// The next line without what ends it.
    fn take(&mut self) -> &'t str {
        let line = self.physical[self.next].trim_end_matches('\r');
        self.next += 1;
        line
    }

    /// The comments at the top that set something. Any other line ends them.
    fn directives(&mut self) -> Option<()> {
        let mut seen = BTreeSet::new();
        while self.next < self.physical.len() {
            let line = self.physical[self.next].trim_end_matches('\r').trim_start();
            let Some((name, value)) = setting(line) else { break };
            if !seen.insert(name.clone()) {
                return None;
            }
            match (name.as_str(), value.as_str()) {
                ("escape", "\\") => self.escape = '\\',
                ("escape", "`") => self.escape = '`',
                ("escape", _) => return None,
                _ => {}
            }
            self.next += 1;
        }
        Some(())
    }

    /// A line with those that continue it, and the number of the first one on which there is something. Comments and empty lines among
    /// them are no part of it, and end nothing.
    fn join(&mut self, first: &str) -> (usize, String) {
        let mut whole = String::new();
        let mut number = self.next;
        let mut open = self.add(first, &mut whole);
        while open && self.next < self.physical.len() {
            let line = self.take();
            let visible = line.trim_start();
            if visible.is_empty() || visible.starts_with('#') {
                continue;
            }
            if whole.trim().is_empty() {
                number = self.next;
            }
            open = self.add(line, &mut whole);
        }
        (number, whole)
    }

    /// Adds a line, and says whether the next one belongs to it: it ends with one escape character, blanks behind it or not.
    fn add(&self, line: &str, whole: &mut String) -> bool {
        let mut kept: Vec<char> = line.chars().collect();
        while matches!(kept.last(), Some(' ' | '\t')) {
            kept.pop();
        }
        let is_escaped = |distance: usize| kept.len() >= distance && kept[kept.len() - distance] == self.escape;
        if is_escaped(1) && !is_escaped(2) {
            kept.pop();
            whole.extend(kept);
            return true;
        }
        whole.push_str(line);
        false
    }

    /// Goes behind the line that ends a heredoc.
    fn skip_to(&mut self, end: &End) -> Option<()> {
        loop {
            if self.next == self.physical.len() {
                return None;
            }
            let line = self.take();
            let line = if end.strips_tabs { line.trim_start_matches('\t') } else { line };
            if line == end.word {
                return Some(());
            }
        }
    }
}

/// `# name = value`, of the names that mean something.
fn setting(line: &str) -> Option<(String, String)> {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\u{c}' | '\r');
    let (name, value) = line.strip_prefix('#')?.split_once('=')?;
    let name = name.trim_start().trim_end_matches(blank).to_ascii_lowercase();
    let value = value.trim_matches(blank).to_owned();
    (["syntax", "escape", "check"].contains(&name.as_str()) && !value.is_empty()).then_some((name, value))
}

/// Takes a joined line apart.
fn line(start: usize, number: usize, whole: &str) -> Line {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\u{b}' | '\u{c}' | '\r');
    let whole = whole.trim();
    let (keyword, rest) = whole.split_once(blank).unwrap_or((whole, ""));
    Line { start, number, keyword: keyword.to_ascii_uppercase(), rest: rest.trim().to_owned() }
}

/// Whether a heredoc may begin in an instruction: in those that bring files or run something, themselves or when built upon, but not
/// where their operands are written as JSON.
fn takes_heredocs(of: &Line) -> bool {
    let inner = if of.keyword == "ONBUILD" { line(of.start, of.number, &of.rest) } else { of.clone() };
    let is_json = serde_json::from_str::<Vec<String>>(&inner.rest).is_ok();
    ["ADD", "COPY", "RUN"].contains(&inner.keyword.as_str()) && !is_json
}

/// What ends a heredoc.
struct End {
    word: String,
    strips_tabs: bool,
}

/// The heredocs that a line begins, in their order. There is none where a quote is left open.
fn heredocs(line: &str) -> Vec<End> {
    let mut ends = Vec::new();
    for word in shell_words(line).unwrap_or_default() {
        let behind_number = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let Some(name) = behind_number.strip_prefix("<<") else { continue };
        let (name, strips_tabs) = match name.strip_prefix('-') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let name = name.trim_start_matches(['\t', '\n', '\u{c}', '\r', ' ']);
        if name.contains('<') {
            continue;
        }
        // A name that falls into several words, or none, is no name.
        let Some(words) = shell_words(name) else { continue };
        if let [word] = &words[..] {
            ends.push(End { word: bare(word), strips_tabs });
        }
    }
    ends.retain(|end| !end.word.is_empty());
    ends
}

/// Splits at blanks that are neither quoted nor escaped; quotes and escapes stay. Behind `<<`, blanks belong to what follows.
fn shell_words(line: &str) -> Option<Vec<String>> {
    let characters: Vec<char> = line.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    let mut at = 0;
    while at < characters.len() {
        let character = characters[at];
        at += 1;
        match character {
            '\'' | '"' => {
                word.push(character);
                loop {
                    let inner = *characters.get(at)?;
                    at += 1;
                    word.push(inner);
                    if inner == character {
                        break;
                    }
                    if inner == '\\' && character == '"' {
                        // What follows cannot end the quotes if it can be escaped there; all else stands for itself.
                        if let Some(escaped @ ('"' | '\\')) = characters.get(at) {
                            word.push(*escaped);
                            at += 1;
                        }
                    }
                }
            }
            '\\' => {
                word.push('\\');
                if let Some(escaped) = characters.get(at) {
                    word.push(*escaped);
                    at += 1;
                }
            }
            '<' => {
                word.push('<');
                if characters.get(at) == Some(&'<') {
                    word.push('<');
                    at += 1;
                    while let Some(blank @ ('\t' | '\r' | ' ')) = characters.get(at) {
                        word.push(*blank);
                        at += 1;
                    }
                }
            }
            blank if blank.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    Some(words)
}

/// A word without its quotes and escapes.
fn bare(word: &str) -> String {
    let mut bare = String::new();
    let mut quote = None;
    let mut characters = word.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\'' | '"', None) => quote = Some(character),
            (character, Some(open)) if character == open => quote = None,
            ('\\', None) => bare.extend(characters.next()),
            ('\\', Some('"')) => match characters.peek() {
                Some('"' | '\\') => bare.extend(characters.next()),
                _ => bare.push('\\'),
            },
            (character, _) => bare.push(character),
        }
    }
    bare
}
