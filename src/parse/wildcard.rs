//! Patterns of paths as other programs read them: Go's `path.Match`, `.dockerignore` and `.gitattributes`. They agree on most, and
//! differ in what two stars and brackets mean. A pattern is matched in time that grows with its length times that of the path.

use std::collections::HashSet;

/// Whose pattern it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Go's `path.Match`, by which COPY, ADD and `//go:embed` choose files: two stars are no more than one.
    Go,
    /// `.dockerignore`: `**/` stands for any number of directories, `**` at the end for all that follows.
    DockerIgnore,
    /// git's patterns: `**` is special as a whole part of a path alone.
    Git,
}

/// A pattern, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wildcard {
    tokens: Vec<Token>,
    /// The longest of the plain texts in it: what matches holds that.
    longest: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// This character.
    Literal(char),
    /// Any character but a slash.
    One,
    /// Any characters but slashes.
    Many,
    /// Nothing, or anything that ends with a slash.
    Directories,
    /// Anything.
    Rest,
    /// One of these characters, or none of them.
    Class { is_negated: bool, ranges: Vec<(char, char)> },
}

impl Wildcard {
    /// Reads a pattern; `None` where it is malformed.
    pub fn new(pattern: &str, dialect: Dialect) -> Option<Self> {
        let characters: Vec<char> = pattern.chars().collect();
        let mut tokens = Vec::with_capacity(characters.len());
        let mut rest = &characters[..];
        let mut is_first = true;
        while let [first, after @ ..] = rest {
            rest = after;
            let before = if is_first { None } else { Some(tokens.last() == Some(&Token::Literal('/'))) };
            is_first = false;
            match first {
                '*' => {
                    let stars = rest.iter().take_while(|character| **character == '*').count();
                    let token = stars_of(dialect, stars, &mut rest, before);
                    tokens.push(token);
                }
                '?' => tokens.push(Token::One),
                '[' => {
                    let (class, after) = class(rest, dialect)?;
                    tokens.push(class);
                    rest = after;
                }
                '\\' => {
                    let [escaped, after @ ..] = rest else {
                        // At the end it stands for itself, unless it is Go's, where it is an error.
                        tokens.push(Token::Literal('\\'));
                        return (dialect != Dialect::Go).then(|| Self::of(tokens));
                    };
                    tokens.push(Token::Literal(*escaped));
                    rest = after;
                }
                plain => tokens.push(Token::Literal(*plain)),
            }
        }
        Some(Self::of(tokens))
    }

    fn of(tokens: Vec<Token>) -> Self {
        let mut longest = String::new();
        for run in tokens.split(|token| !matches!(token, Token::Literal(_))) {
            let run: String = run.iter().filter_map(Token::literal).collect();
            if run.len() > longest.len() {
                longest = run;
            }
        }
        Self { tokens, longest }
    }

    /// Whether the whole of a path matches.
    pub fn is_match(&self, path: &str) -> bool {
        // Most patterns and paths part at the first look: a list may hold a hundred thousand.
        let mut rest = path.chars();
        let mut matched = 0;
        for literal in self.tokens.iter().map_while(Token::literal) {
            if rest.next() != Some(literal) {
                return false;
            }
            matched += 1;
        }
        let tokens = &self.tokens[matched..];
        if tokens.is_empty() {
            return rest.next().is_none();
        }
        if !path.contains(&self.longest) {
            return false;
        }
        // Which tokens may come next.
        let mut states = vec![false; tokens.len() + 1];
        enter(tokens, 0, &mut states);
        let mut next = vec![false; tokens.len() + 1];
        for character in rest {
            next.fill(false);
            for (at, token) in tokens.iter().enumerate().filter(|(at, _)| states[*at]) {
                match token {
                    Token::Many if character != '/' => enter(tokens, at, &mut next),
                    Token::Rest => enter(tokens, at, &mut next),
                    Token::Directories if character == '/' => enter(tokens, at, &mut next),
                    Token::Directories => next[at] = true,
                    _ if token.takes(character) => enter(tokens, at + 1, &mut next),
                    _ => {}
                }
            }
            std::mem::swap(&mut states, &mut next);
            if !states.contains(&true) {
                return false;
            }
        }
        states[tokens.len()]
    }
}

impl Token {
    fn literal(&self) -> Option<char> {
        if let Self::Literal(literal) = self { Some(*literal) } else { None }
    }

    /// Whether it stands for this single character.
    fn takes(&self, character: char) -> bool {
        match self {
            Self::Literal(literal) => *literal == character,
            Self::One => character != '/',
            Self::Class { is_negated, ranges } => {
                let is_in = ranges.iter().any(|(first, last)| (*first..=*last).contains(&character));
                is_in != *is_negated && character != '/'
            }
            Self::Many | Self::Directories | Self::Rest => false,
        }
    }
}

/// Marks a token as one that may come next, and those behind it where it may stand for nothing.
fn enter(tokens: &[Token], at: usize, states: &mut [bool]) {
    for (at, token) in tokens.iter().enumerate().skip(at) {
        states[at] = true;
        if !matches!(token, Token::Many | Token::Directories | Token::Rest) {
            return;
        }
    }
    states[tokens.len()] = true;
}

/// What stars stand for, the first of which was taken and `stars` of which follow. `before` tells whether a slash stands before
/// them; `None` at the beginning.
fn stars_of(dialect: Dialect, stars: usize, rest: &mut &[char], before: Option<bool>) -> Token {
    match dialect {
        Dialect::Go => Token::Many,
        Dialect::DockerIgnore if stars == 0 => Token::Many,
        Dialect::DockerIgnore => {
            *rest = &rest[1..];
            let has_slash = rest.first() == Some(&'/');
            if has_slash {
                *rest = &rest[1..];
            }
            // At the beginning, and before a plain text, they stand for anything without a slash after them, too.
            let is_suffix = before.is_none() && !has_slash && !rest.iter().any(|c| matches!(c, '*' | '?' | '[' | '\\'));
            if rest.is_empty() || is_suffix { Token::Rest } else { Token::Directories }
        }
        Dialect::Git => {
            *rest = &rest[stars..];
            let is_part = stars == 1 && before.unwrap_or(true);
            match rest {
                [] if is_part => Token::Rest,
                ['/', after @ ..] if is_part => {
                    *rest = after;
                    Token::Directories
                }
                _ => Token::Many,
            }
        }
    }
}

/// Reads what stands behind an opening bracket, up to the closing one.
fn class(text: &[char], dialect: Dialect) -> Option<(Token, &[char])> {
    let (is_negated, mut rest) = match text {
        ['^', rest @ ..] => (true, rest),
        ['!', rest @ ..] if dialect == Dialect::Git => (true, rest),
        rest => (false, rest),
    };
    let mut ranges = Vec::new();
    loop {
        match rest {
            // As the first one it is a member of the class, but for Go.
            [']', after @ ..] if !ranges.is_empty() => return Some((Token::Class { is_negated, ranges }, after)),
            [']', ..] if dialect == Dialect::Go => return None,
            _ => {}
        }
        let (first, after) = member(rest)?;
        rest = after;
        match rest {
            ['-', next, ..] if *next != ']' => {
                let (last, after) = member(&rest[1..])?;
                ranges.push((first, last));
                rest = after;
            }
            _ => ranges.push((first, first)),
        }
    }
}

/// Reads one character of a class.
fn member(text: &[char]) -> Option<(char, &[char])> {
    match text {
        ['\\', escaped, rest @ ..] => Some((*escaped, rest)),
        [plain, rest @ ..] => Some((*plain, rest)),
        [] => None,
    }
}

/// How many different patterns with wildcards a file may choose files by, as of a `.dockerignore`: each is tried on each changed file.
pub const MAX_WILDCARDS: usize = 10_000;

/// Paths and patterns of paths that choose files and, by the directories above them, all that lies below.
#[derive(Debug, Clone, Default)]
pub struct PathSet {
    plain: HashSet<String>,
    /// By their text: a pattern that is written often is looked at once.
    known: HashSet<String>,
    wildcards: Vec<Wildcard>,
}

impl PathSet {
    /// Adds a pattern of Go's. One that is malformed chooses nothing: what reads it refuses it. `false` where it is one more than
    /// [`MAX_WILDCARDS`]: then nobody knows what it chooses.
    #[must_use]
    pub fn add(&mut self, pattern: &str) -> bool {
        if !pattern.contains(['*', '?', '[', '\\']) {
            self.plain.insert(pattern.to_owned());
        } else if !self.known.contains(pattern) {
            if self.known.len() == MAX_WILDCARDS {
                return false;
            }
            self.known.insert(pattern.to_owned());
            self.wildcards.extend(Wildcard::new(pattern, Dialect::Go));
        }
        true
    }

    /// Whether a path is chosen, or a directory above it.
    pub fn covers(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(slash, _)| slash).chain([path.len()]);
        for end in ends {
            let part = &path[..end];
            if self.plain.contains(part) || self.wildcards.iter().any(|wildcard| wildcard.is_match(part)) {
                return true;
            }
        }
        false
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, pattern: &str, matches: &[&str], others: &[&str]) {
        let wildcard = Wildcard::new(pattern, dialect).expect("a pattern");
        for path in matches {
            assert!(wildcard.is_match(path), "{pattern} matches {path}");
        }
        for path in others {
            assert!(!wildcard.is_match(path), "{pattern} does not match {path}");
        }
    }

    #[test]
    fn patterns_of_go_match_within_one_directory() {
        check(Dialect::Go, "a*b/?", &["ab/x", "axxb/y"], &["a/b/x", "ab/", "ab/xy"]);
        check(Dialect::Go, "**/x", &["a/x"], &["x", "a/b/x"]);
        check(Dialect::Go, "[a-c^]x\\*", &["bx*", "^x*"], &["dx*", "bxy"]);
        check(Dialect::Go, "[^a]", &["b"], &["a", "/"]);
        check(Dialect::Go, "{a,b}", &["{a,b}"], &["a"]);
        assert!(["[", "[]a]", "a\\", "[a"].iter().all(|text| Wildcard::new(text, Dialect::Go).is_none()));
    }

    #[test]
    fn two_stars_stand_for_directories() {
        check(Dialect::DockerIgnore, "**/x", &["x", "a/x", "a/b/x"], &["ax", "x/a"]);
        check(Dialect::DockerIgnore, "a/**", &["a/", "a/b", "a/b/c"], &["a", "b/a"]);
        check(Dialect::DockerIgnore, "a/**/b", &["a/b", "a/x/y/b"], &["ab", "a/xb"]);
        check(Dialect::DockerIgnore, "**x", &["x", "a/x", "ax"], &["x/a"]);
        check(Dialect::DockerIgnore, "*.md", &["x.md"], &["a/x.md"]);
        check(Dialect::Git, "a/**/b", &["a/b", "a/x/y/b"], &["ab", "a/xb"]);
        check(Dialect::Git, "**/b", &["b", "x/y/b"], &["xb"]);
        check(Dialect::Git, "a**", &["ab"], &["a/b"]);
        check(Dialect::Git, "[!a]*", &["bc"], &["ab"]);
    }

    #[test]
    fn what_backtracks_elsewhere_takes_no_time() {
        let wildcard = Wildcard::new(&"a*".repeat(2_000), Dialect::Go).expect("a pattern");
        assert!(!wildcard.is_match(&("a".repeat(2_000) + "/")));
    }
}
