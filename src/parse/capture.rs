//! Values that a pack describes by a pattern: a regular expression with named groups, as in
//! `Version:\s*"(?<value>[^"]*)"`.

use std::sync::OnceLock;

use regex::bytes::{Captures, Regex, RegexBuilder};
use schemars::JsonSchema;

use crate::text::{Span, Text};

/// A pattern with the groups that its user asked for. It is compiled when it is first used: most runs need none.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(with = "String", inline)]
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
        let pattern = Self { source: source.to_owned(), compiled: OnceLock::new() };
        match groups.iter().find(|group| !pattern.has_group(group)) {
            Some(group) => Err(format!("the pattern has no group `(?<{group}>…)`")),
            None => Ok(pattern),
        }
    }

    /// Whether the pattern has a group of this name.
    pub fn has_group(&self, group: &str) -> bool {
        ["(?<", "(?P<"].iter().any(|open| self.source.contains(&format!("{open}{group}>")))
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
    /// All that matched.
    pub fn whole(&self) -> &'t str {
        self.text.slice(&self.captures.get_match().range())
    }

    /// Where all of it stands.
    pub fn whole_span(&self) -> Span {
        self.captures.get_match().range()
    }

    /// The text of a group; empty where it took no part.
    pub fn group(&self, name: &str) -> &'t str {
        self.captures.name(name).map_or("", |found| self.text.slice(&found.range()))
    }

    /// Whether a group took part.
    pub fn has(&self, name: &str) -> bool {
        self.captures.name(name).is_some()
    }

    /// The place of a group; the whole match where it took no part.
    pub fn span(&self, name: &str) -> Span {
        self.captures.name(name).map_or_else(|| self.captures.get_match().range(), |found| found.range())
    }
}

/// The largest program that a pattern of a list may become, in bytes: patterns that people write take a tenth of it.
const MAX_PROGRAM: usize = 1 << 18;

/// Compiles a regular expression that was written for Go.
///
/// # Errors
/// Why it cannot be used here: nothing of what the regex crate lacks is passed over.
pub fn go_regex(pattern: &str) -> Result<Regex, String> {
    let translated = of_go(pattern);
    compile(&translated, &|builder| {
        builder.crlf(true).size_limit(MAX_PROGRAM);
    })
}

/// Writes a regular expression of Go as the regex crate reads it. Go takes a brace that opens no repetition for itself, as in
/// `Config{registry`; so does it a bracket, `&&`, `--` and `~~` in a class. `\Q…\E` quotes what lies between, and a backslash
/// before any punctuation makes it stand for itself.
fn of_go(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        match character {
            '\\' if rest.starts_with("\\Q") => {
                let quoted = rest[2..].split("\\E").next().unwrap_or_default();
                translated.push_str(&regex::escape(quoted));
                length = (2 + quoted.len() + 2).min(rest.len());
            }
            '\\' => {
                length += rest[1..].chars().next().map_or(0, char::len_utf8);
                // The braces of `\p{…}` and `\x{…}` belong to their escape.
                if ["\\p{", "\\P{", "\\x{"].iter().any(|escape| rest.starts_with(escape)) {
                    length = rest.find('}').map_or(rest.len(), |end| end + 1);
                }
                let escape = &rest[..length];
                // The regex crate gives `\<` and `\>` a meaning of their own.
                translated.push_str(if matches!(escape, "\\<" | "\\>") { &escape[1..] } else { escape });
            }
            '[' if !in_class => {
                in_class = true;
                // A bracket that comes first in a class stands for itself.
                let open = ["[^]", "[]", "[^"].into_iter().find(|open| rest.starts_with(open)).unwrap_or("[");
                translated.push_str(open.trim_end_matches(']'));
                translated.push_str(if open.ends_with(']') { "\\]" } else { "" });
                length = open.len();
            }
            '[' if rest.starts_with("[:") && rest.contains(":]") => {
                length = rest.find(":]").map_or(rest.len(), |end| end + 2);
                translated.push_str(&rest[..length]);
            }
            ']' => {
                in_class = false;
                translated.push(']');
            }
            '[' => translated.push_str("\\["),
            '&' | '~' if in_class => translated.extend(['\\', character]),
            '-' if in_class && rest.starts_with("--") => {
                translated.push_str("-\\-");
                length = 2;
            }
            '{' if !in_class && !is_repetition(rest) => translated.push_str("\\{"),
            character => translated.push(character),
        }
        rest = &rest[length..];
    }
    translated
}

/// Compiles a pattern of a pack. `^` and `$` stand for the ends of lines.
fn build(pattern: &str) -> Result<Regex, String> {
    compile(pattern, &|_| {})
}

/// Compiles a regular expression over bytes: versions and names are ASCII, and the tables of Unicode would only cost time.
fn compile(pattern: &str, set: &dyn Fn(&mut RegexBuilder)) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(pattern);
    builder.multi_line(true);
    set(&mut builder);
    // A class of characters beyond ASCII needs Unicode after all.
    let compiled = builder.unicode(false).build();
    compiled.or_else(|_| builder.unicode(true).build()).map_err(|error| {
        // The first lines repeat the pattern, which is shown anyway.
        error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })
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
    fn patterns_of_go_mean_what_go_means() {
        let fits = [
            (r"^\Qconfigs[Agnhost] = {\E\d", "configs[Agnhost] = {2"),
            (r"\Q.*", "a.*"),
            (r"^[[]a[]&&~~]+[+--]{3}$", "[a&]~+,-"),
            (r"^[^]]x$", "ax"),
            (r"^[[:digit:]a[]+\<$", "1a[<"),
            (r"\w+\pN[^\]]", "a1b"),
            (r"a{,2}", "a{,2}"),
            ("x$", "x"),
        ];
        for (pattern, line) in fits {
            let regex = go_regex(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert!(regex.is_match(line.as_bytes()), "{pattern} does not fit {line}");
        }
        assert!(!go_regex(r"\Q.\E").expect("a pattern").is_match(b"a"));
        assert!(!go_regex(r"^[^]]x$").expect("a pattern").is_match(b"]x"));
        let lacking = [(r"a(?=b)", "look-around"), (r"(a)\1", "backreferences"), (r"(\w{99}){999}", "size limit")];
        for (pattern, reason) in lacking {
            let error = go_regex(pattern).expect_err("this cannot be had");
            assert!(error.contains(reason), "{pattern}: {error}");
        }
    }

    #[test]
    fn a_pattern_must_have_the_groups_that_are_asked_for() {
        let error = Pattern::new("(?<name>x)", &["name", "version"]).expect_err("one group is missing");
        assert_eq!(error, "the pattern has no group `(?<version>…)`");
    }
}
