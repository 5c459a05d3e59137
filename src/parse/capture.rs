//! Values that a pack describes by a pattern: a regular expression with named groups, as in
//! `Version:\s*"(?<value>[^"]*)"`.

use std::sync::OnceLock;

use regex::bytes::{Captures, Regex, RegexBuilder};

use crate::text::{Span, Text};

/// A pattern with the groups that its user asked for. It is compiled when it is first used: most runs need none.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    compiled: OnceLock<Result<Regex, String>>,
}

/// One match: its groups by name.
pub struct Match<'t> {
    captures: Captures<'t>,
    text: &'t Text,
}

impl Pattern {
    /// Takes a pattern and checks that it has these groups.
    pub fn new(source: &str, groups: &[&str]) -> Result<Self, String> {
        for group in groups {
            if !["(?<", "(?P<"].iter().any(|open| source.contains(&format!("{open}{group}>"))) {
                return Err(format!("the pattern has no group `(?<{group}>…)`"));
            }
        }
        Ok(Self { source: source.to_owned(), compiled: OnceLock::new() })
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Compiles the pattern, if that was not done yet. Packs do this when they are loaded, unless they are part of the program
    /// and so compile for certain.
    pub fn compile(&self) -> Result<&Regex, String> {
        self.compiled.get_or_init(|| build(&self.source)).as_ref().map_err(Clone::clone)
    }

    /// All places that match, in order; none for a pattern that does not compile.
    pub fn matches<'t>(&self, text: &'t Text) -> impl Iterator<Item = Match<'t>> {
        let found = self.compile().ok().map(|regex| regex.captures_iter(text.as_str().as_bytes()));
        found.into_iter().flatten().map(move |captures| Match { captures, text })
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.source)
    }
}

impl<'t> Match<'t> {
    /// The text of a group; empty where it took no part.
    pub fn group(&self, name: &str) -> &'t str {
        self.captures.name(name).map_or("", |found| self.text.slice(&found.range()))
    }

    /// The place of a group; the whole match where it took no part.
    pub fn span(&self, name: &str) -> Span {
        self.captures.name(name).map_or_else(|| self.captures.get_match().range(), |found| found.range())
    }
}

/// Compiles a regular expression that was written for Go. Go takes a brace that opens no repetition for itself, as in
/// `Config{registry`; the regex crate refuses it.
pub fn go_regex(pattern: &str) -> Result<Regex, String> {
    let mut translated = String::with_capacity(pattern.len() + 4);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(character) = rest.chars().next() {
        let length = match character {
            '\\' => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            '{' if !in_class && !is_repetition(rest) => {
                translated.push('\\');
                1
            }
            _ => character.len_utf8(),
        };
        match character {
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        // The braces of `\p{…}` and `\x{…}` belong to their escape.
        let escape = &rest[..length];
        let braces = if matches!(escape, "\\p" | "\\P" | "\\x") && rest[length..].starts_with('{') {
            rest[length..].find('}').map_or(0, |end| end + 1)
        } else {
            0
        };
        translated.push_str(&rest[..length + braces]);
        rest = &rest[length + braces..];
    }
    build(&translated)
}

/// Compiles a regular expression over bytes: versions and names are ASCII, and the tables of Unicode would only cost time.
/// `^` and `$` stand for the ends of lines.
fn build(pattern: &str) -> Result<Regex, String> {
    let compile = |unicode| RegexBuilder::new(pattern).multi_line(true).unicode(unicode).build();
    // A class of characters beyond ASCII needs Unicode after all.
    let error = match compile(false).or_else(|_| compile(true)) {
        Ok(regex) => return Ok(regex),
        Err(error) => error.to_string(),
    };
    // The first lines repeat the pattern, which is shown anyway.
    Err(error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
}

/// Whether the text begins with `{n}`, `{n,}` or `{n,m}`.
fn is_repetition(text: &str) -> bool {
    let Some((inner, _)) = text[1..].split_once('}') else { return false };
    let (low, high) = inner.split_once(',').unwrap_or((inner, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    !low.is_empty() && is_number(low) && is_number(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_go_keep_their_braces() {
        let line = r#"configs[Agnhost] = Config{promoterE2eRegistry, "agnhost", "2.21"}"#;
        let pattern = r#"configs\[Agnhost\] = Config{promoterE2eRegistry, "agnhost", "\d+\.\d+"}"#;
        assert!(go_regex(pattern).expect("a pattern of Go").is_match(line.as_bytes()));
        assert!(go_regex(r"^a{2}[{]\{\x{41}$").expect("a pattern of Go").is_match(b"aa{{A"));
    }

    #[test]
    fn a_pattern_must_have_the_groups_that_are_asked_for() {
        let error = Pattern::new("(?<name>x)", &["name", "version"]).expect_err("one group is missing");
        assert_eq!(error, "the pattern has no group `(?<version>…)`");
    }
}
