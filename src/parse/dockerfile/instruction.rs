//! One instruction as it is written: its keyword, flags and arguments, nothing expanded yet.
//!
//! The measure is `frontend/dockerfile/parser/{split_command,line_parsers}.go` and `instructions/parse.go`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::Error;

use super::shell::{Budget, ShellError, raw_words, single_word};
use super::traced::Traced;
use crate::schema_form::one_of;
use crate::suggest::suggest;
use crate::text::Span;

macro_rules! keywords {
    ($($variant:ident = $name:literal,)*) => {
        /// The keyword of an instruction.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the keywords are explained in Docker's reference")]
        pub enum Keyword {
            $($variant,)*
        }

        impl Keyword {
            /// All keywords.
            const ALL: &[Self] = &[$(Self::$variant,)*];

            /// It in capital letters.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

keywords! {
    Add = "ADD", Arg = "ARG", Cmd = "CMD", Copy = "COPY", Entrypoint = "ENTRYPOINT", Env = "ENV", Expose = "EXPOSE",
    From = "FROM", Healthcheck = "HEALTHCHECK", Label = "LABEL", Maintainer = "MAINTAINER", Onbuild = "ONBUILD", Run = "RUN",
    Shell = "SHELL", Stopsignal = "STOPSIGNAL", User = "USER", Volume = "VOLUME", Workdir = "WORKDIR",
}

impl Keyword {
    /// Reads a keyword in any case.
    pub fn parse(word: &str) -> Option<Self> {
        // The Kelvin sign is a k in lower case, to Go too; no comparison of ASCII knows it.
        let word = word.to_lowercase();
        Self::ALL.iter().copied().find(|keyword| keyword.name().eq_ignore_ascii_case(&word))
    }

    fn takes_heredocs(self) -> bool {
        matches!(self, Self::Add | Self::Copy | Self::Run)
    }
}

impl<'de> Deserialize<'de> for Keyword {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        if let Some(keyword) = Self::parse(&word) {
            return Ok(keyword);
        }
        // They are so short that two letters in the wrong order make half of one.
        let upper = word.to_uppercase();
        let mut names = Self::ALL.iter().map(|keyword| keyword.name());
        let advice = match names.find(|name| strsim::osa_distance(name, &upper) == 1) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => suggest(&upper, Self::ALL.iter().map(|keyword| keyword.name())),
        };
        Err(D::Error::custom(format!("there is no instruction `{word}`: {advice}")))
    }
}

impl JsonSchema for Keyword {
    fn schema_name() -> Cow<'static, str> {
        "Keyword".into()
    }

    /// Both of the ways in which it is written: any case is read.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut words: Vec<String> = Self::ALL.iter().map(|keyword| keyword.name().to_owned()).collect();
        words.extend(Self::ALL.iter().map(|keyword| keyword.name().to_lowercase()));
        one_of(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// A flag such as `--platform=linux/amd64`, without its quotes and escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flag {
    pub(super) name: String,
    pub(super) value: Option<Traced>,
}

/// A name and its value, as in ENV and ARG. The value is missing where ARG gives none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) name: Traced,
    pub(super) value: Option<Traced>,
}

/// What stands behind the flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Arguments {
    /// Words: between blanks, or the strings of a JSON array.
    Words(Vec<Traced>),
    /// All of it.
    Text(Traced),
    Pairs(Vec<Pair>),
}

/// An instruction as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) keyword: Keyword,
    /// Where the keyword stands.
    pub(super) span: Span,
    /// Whether an ONBUILD stands before it.
    pub(super) is_onbuild: bool,
    pub(super) flags: Vec<Flag>,
    pub(super) arguments: Arguments,
    /// Whether the words are those of a JSON array.
    is_json: bool,
}

/// A heredoc whose body follows an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heredoc {
    /// The line that ends it.
    pub(super) delimiter: String,
    /// Whether tabs before that line are taken off.
    pub(super) strips_tabs: bool,
}

impl Written {
    /// Reads an instruction. An error says what buildkit would not accept.
    pub(super) fn parse(line: &Traced, escape: char) -> Result<Self, String> {
        let Split { keyword: word, flags, rest } = split(line, escape);
        let keyword = Keyword::parse(&word).ok_or_else(|| format!("unknown instruction '{}'", word.as_str()))?;
        if keyword == Keyword::Onbuild {
            if let Some(flag) = flags.first() {
                return Err(format!("ONBUILD has no flag --{}", flag.name));
            }
            return Self::parse_trigger(&rest, escape);
        }
        let (arguments, is_json) = arguments(keyword, &rest, escape)?;
        let written = Self { keyword, span: word.extent(), is_onbuild: false, flags, arguments, is_json };
        written.check()?;
        Ok(written)
    }

    fn parse_trigger(rest: &Traced, escape: char) -> Result<Self, String> {
        if rest.is_empty() {
            return Err("ONBUILD requires at least one argument".to_owned());
        }
        let word = split(rest, escape).keyword;
        match Keyword::parse(&word) {
            Some(Keyword::Onbuild) => Err("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed".to_owned()),
            Some(Keyword::Maintainer | Keyword::From) => {
                Err(format!("{} isn't allowed as an ONBUILD trigger", word.to_uppercase()))
            }
            _ => Ok(Self { is_onbuild: true, ..Self::parse(rest, escape)? }),
        }
    }

    /// The value of a flag.
    pub(super) fn flag(&self, name: &str) -> Option<&Traced> {
        self.flags.iter().find(|flag| flag.name == name)?.value.as_ref()
    }

    /// The values of a flag that may be repeated.
    pub(super) fn flags<'w>(&'w self, name: &'w str) -> impl Iterator<Item = &'w Traced> {
        self.flags.iter().filter(move |flag| flag.name == name).filter_map(|flag| flag.value.as_ref())
    }

    /// The words, where they are words.
    pub(super) fn words(&self) -> &[Traced] {
        if let Arguments::Words(words) = &self.arguments { words } else { &[] }
    }

    /// Whether it has what an instruction of its kind needs.
    fn check(&self) -> Result<(), String> {
        let name = self.keyword.name();
        for flag in ["platform", "from"] {
            if self.flags(flag).count() > 1 {
                return Err(format!("{name} has more than one --{flag}"));
            }
        }
        let (count, text) = match &self.arguments {
            Arguments::Words(words) => (words.len(), ""),
            Arguments::Text(text) => (usize::from(!text.is_empty()), text.as_str()),
            Arguments::Pairs(pairs) => (pairs.len(), ""),
        };
        let wrong = match self.keyword {
            Keyword::From => return self.check_from(),
            Keyword::Add | Keyword::Copy => return self.check_copy(),
            Keyword::Healthcheck => return check_healthcheck(text),
            Keyword::Maintainer | Keyword::Stopsignal | Keyword::User | Keyword::Workdir if count == 0 => {
                "requires exactly one argument"
            }
            Keyword::Env | Keyword::Label | Keyword::Arg | Keyword::Expose | Keyword::Volume if count == 0 => {
                "requires at least one argument"
            }
            Keyword::Volume if self.words().iter().any(|word| word.trim().is_empty()) => {
                "specified can not be an empty string"
            }
            Keyword::Shell if self.is_json && count == 0 => "requires at least one argument",
            Keyword::Shell if !self.is_json && count == 0 => "requires at least one argument",
            Keyword::Shell if !self.is_json => "requires the arguments to be in JSON form",
            _ => return Ok(()),
        };
        Err(format!("{name} {wrong}"))
    }

    fn check_from(&self) -> Result<(), String> {
        // Taken for none, a misspelt --platform would make its stage one of the target.
        if let Some(flag) = self.flags.iter().find(|flag| flag.name != "platform") {
            return Err(format!("FROM has no flag --{}: it takes --platform alone", flag.name));
        }
        match self.words() {
            [_] => Ok(()),
            [_, word, name] if word.eq_ignore_ascii_case("as") => {
                let lower = name.to_lowercase();
                let is_valid = lower.starts_with(|c: char| c.is_ascii_lowercase())
                    && lower.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c));
                if is_valid { Ok(()) } else { Err(format!("invalid name for build stage: '{}'", name.as_str())) }
            }
            _ => Err("FROM requires either one or three arguments".to_owned()),
        }
    }

    fn check_copy(&self) -> Result<(), String> {
        let name = self.keyword.name();
        let [.., _, destination] = self.words() else {
            return Err(format!("{name} requires at least two arguments"));
        };
        // Words beyond any limit are no heredocs.
        if matches!(heredoc(destination, &Budget::new()), Ok(Some(_))) {
            return Err(format!("{name} cannot accept a heredoc as a destination"));
        }
        Ok(())
    }
}

fn check_healthcheck(text: &str) -> Result<(), String> {
    let (kind, command) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    match kind.to_uppercase().as_str() {
        "" => Err("HEALTHCHECK requires at least one argument".to_owned()),
        "NONE" if command.trim().is_empty() => Ok(()),
        "NONE" => Err("HEALTHCHECK NONE takes no arguments".to_owned()),
        "CMD" if matches!(command.trim(), "" | "[]") => Err("Missing command after HEALTHCHECK CMD".to_owned()),
        "CMD" => Ok(()),
        _ => Err(format!("Unknown type '{kind}' in HEALTHCHECK (try CMD)")),
    }
}

/// The heredocs whose bodies follow a line, also where buildkit would not accept the instruction in it.
pub(super) fn heredocs(line: &Traced, escape: char, budget: &Budget) -> Result<Vec<Heredoc>, String> {
    let mut heredocs = Vec::new();
    if !line.contains("<<") {
        return Ok(heredocs);
    }
    let mut inner = split(line, escape);
    if Keyword::parse(&inner.keyword) == Some(Keyword::Onbuild) {
        inner = split(&inner.rest, escape);
    }
    let takes_heredocs = Keyword::parse(&inner.keyword).is_some_and(Keyword::takes_heredocs);
    if !takes_heredocs || matches!(json_strings(&inner.rest), Ok(Some(_))) {
        return Ok(heredocs);
    }
    let words = match raw_words(line, budget) {
        Ok(words) => words,
        Err(ShellError::Syntax(_)) => return Ok(heredocs),
        Err(ShellError::Limit(message)) => return Err(message),
    };
    for word in words {
        heredocs.extend(heredoc(&word, budget).map_err(ShellError::into_message)?);
    }
    Ok(heredocs)
}

/// Reads a heredoc from a word: a number perhaps, `<<`, a `-` perhaps, and one word.
pub(super) fn heredoc(word: &str, budget: &Budget) -> Result<Option<Heredoc>, ShellError> {
    const BLANKS: [char; 5] = ['\t', '\n', '\u{c}', '\r', ' '];
    let Some(name) = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<") else { return Ok(None) };
    let (name, strips_tabs) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
    let name = name.trim_start_matches(BLANKS);
    if name.is_empty() || name.contains('<') {
        return Ok(None);
    }
    let delimiter = single_word(&Traced::made_up(name), budget)?;
    Ok(delimiter.map(|delimiter| Heredoc { delimiter, strips_tabs }))
}

/// A line taken apart at its first level.
struct Split {
    keyword: Traced,
    flags: Vec<Flag>,
    rest: Traced,
}

/// What buildkit takes for blanks between words. Others are parts of words.
const fn is_blank(character: char) -> bool {
    matches!(character, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

fn split(line: &Traced, escape: char) -> Split {
    let line = line.trimmed();
    let Some(end) = line.find(is_blank) else {
        return Split { keyword: line, flags: Vec::new(), rest: Traced::default() };
    };
    let start = end + (line[end..].len() - line[end..].trim_start_matches(is_blank).len());
    let (words, flags_end) = flag_words(&line, start, escape);
    let mut flags = Vec::new();
    for word in words {
        let written = &word["--".len()..];
        flags.push(match written.find('=') {
            Some(equals) => {
                Flag { name: written[..equals].to_owned(), value: Some(word.part("--".len() + equals + 1..word.len())) }
            }
            None => Flag { name: written.to_owned(), value: None },
        });
    }
    Split { keyword: line.part(0..end), flags, rest: line.part(flags_end..line.len()).trimmed() }
}

/// The words from `start` on that begin with `--`, without their quotes and escapes, and where they end.
fn flag_words(line: &Traced, start: usize, escape: char) -> (Vec<Traced>, usize) {
    let mut words = Vec::new();
    let mut at = start;
    loop {
        let rest = &line[at..];
        at += rest.len() - rest.trim_start().len();
        if !line[at..].starts_with("--") {
            return (words, at);
        }
        let mut word = Traced::default();
        let mut quote = None;
        let mut characters = line[at..].char_indices();
        let mut end = line.len();
        while let Some((index, character)) = characters.next() {
            if quote.is_none() && character.is_whitespace() {
                end = at + index;
                break;
            } else if quote == Some(character) {
                quote = None;
            } else if quote.is_none() && matches!(character, '"' | '\'') {
                quote = Some(character);
            } else if character == escape {
                // At the end of the line it stands for nothing.
                if let Some((index, escaped)) = characters.next() {
                    word.push_from(escaped, line, at + index);
                }
            } else {
                word.push_from(character, line, at + index);
            }
        }
        at = end;
        if word.as_str() == "--" {
            return (words, at);
        }
        // A word of which quotes leave less than two dashes is no flag for BuildKit either.
        if word.starts_with("--") {
            words.push(word);
        }
    }
}

/// What stands behind the flags, and whether it is JSON.
fn arguments(keyword: Keyword, rest: &Traced, escape: char) -> Result<(Arguments, bool), String> {
    Ok(match keyword {
        Keyword::Add | Keyword::Copy | Keyword::Volume => match json_strings(rest)? {
            Some(words) => (Arguments::Words(words), true),
            None => (Arguments::Words(blank_separated(rest)), false),
        },
        Keyword::Cmd | Keyword::Entrypoint | Keyword::Run | Keyword::Shell => match json_strings(rest)? {
            Some(words) => (Arguments::Words(words), true),
            None => (Arguments::Text(rest.clone()), false),
        },
        Keyword::From | Keyword::Expose => (Arguments::Words(blank_separated(rest)), false),
        Keyword::Env | Keyword::Label => (Arguments::Pairs(pairs(keyword, rest, escape)?), false),
        Keyword::Arg => (Arguments::Pairs(arguments_with_defaults(rest, escape)?), false),
        Keyword::Healthcheck
        | Keyword::Maintainer
        | Keyword::Onbuild
        | Keyword::Stopsignal
        | Keyword::User
        | Keyword::Workdir => (Arguments::Text(rest.clone()), false),
    })
}

fn blank_separated(rest: &Traced) -> Vec<Traced> {
    let mut words = Vec::new();
    let mut at = 0;
    for word in rest.split(is_blank) {
        if !word.is_empty() {
            words.push(rest.part(at..at + word.len()));
        }
        at += word.len() + 1;
    }
    words
}

/// The pairs of ENV and LABEL: `name=value …`, or `name value` of old.
fn pairs(keyword: Keyword, rest: &Traced, escape: char) -> Result<Vec<Pair>, String> {
    let words = quoted_words(rest, escape);
    if words.first().is_some_and(|word| !word.contains('=')) {
        let Some(end) = rest.find(is_blank) else {
            return Err(format!("{} must have two arguments", keyword.name()));
        };
        let value = rest.part(end..rest.len());
        let blanks = value.len() - value.trim_start_matches(is_blank).len();
        return Ok(vec![Pair { name: rest.part(0..end), value: Some(value.part(blanks..value.len())) }]);
    }
    let mut pairs = Vec::new();
    for word in words {
        let pair = pair(&word);
        if pair.value.is_none() {
            return Err(format!("can't find = in '{}': it must be of the form name=value", word.as_str()));
        }
        if pair.name.is_empty() {
            return Err(format!("{} names can not be blank", keyword.name()));
        }
        pairs.push(pair);
    }
    Ok(pairs)
}

fn arguments_with_defaults(rest: &Traced, escape: char) -> Result<Vec<Pair>, String> {
    let mut pairs = Vec::new();
    for word in quoted_words(rest, escape) {
        let pair = pair(&word);
        if pair.name.is_empty() {
            return Err("ARG names can not be blank".to_owned());
        }
        pairs.push(pair);
    }
    Ok(pairs)
}

fn pair(word: &Traced) -> Pair {
    match word.find('=') {
        Some(equals) => Pair { name: word.part(0..equals), value: Some(word.part(equals + 1..word.len())) },
        None => Pair { name: word.clone(), value: None },
    }
}

/// Words between blanks, with their quotes and escapes. Blanks may stand within quotes, and behind escape characters.
fn quoted_words(rest: &Traced, escape: char) -> Vec<Traced> {
    let mut words = Vec::new();
    let mut word = Traced::default();
    let mut quote = None;
    let mut characters = rest.char_indices();
    while let Some((index, character)) = characters.next() {
        if quote.is_none() && character.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        if quote == Some(character) {
            quote = None;
        } else if quote.is_none() && matches!(character, '"' | '\'') {
            quote = Some(character);
        }
        // Nothing is escaped within single quotes.
        if character == escape && quote != Some('\'') {
            // At the end of the line it stands for nothing.
            let Some((next, escaped)) = characters.next() else { break };
            word.push_from(character, rest, index);
            word.push_from(escaped, rest, next);
        } else {
            word.push_from(character, rest, index);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The strings of a JSON array; `None` for what is no JSON, and so means itself.
fn json_strings(rest: &Traced) -> Result<Option<Vec<Traced>>, String> {
    if !rest.starts_with('[') {
        return Ok(None);
    }
    if let Some(strings) = string_array(rest) {
        return Ok(Some(strings));
    }
    match serde_json::from_str::<Vec<serde::de::IgnoredAny>>(rest) {
        Ok(_) => Err("when using JSON array syntax, arrays must be comprised of strings only".to_owned()),
        Err(_) => Ok(None),
    }
}

/// Reads `["a", "b"]`.
fn string_array(text: &Traced) -> Option<Vec<Traced>> {
    let mut strings = Vec::new();
    let mut at = skip_json_blanks(text, 1);
    if text[at..].starts_with(']') {
        return (skip_json_blanks(text, at + 1) == text.len()).then_some(strings);
    }
    loop {
        let (string, end) = json_string(text, at)?;
        strings.push(string);
        at = skip_json_blanks(text, end);
        match text[at..].chars().next()? {
            ',' => at = skip_json_blanks(text, at + 1),
            ']' => return (skip_json_blanks(text, at + 1) == text.len()).then_some(strings),
            _ => return None,
        }
    }
}

fn skip_json_blanks(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start_matches([' ', '\t', '\r', '\n']).len()
}

/// Reads the string that begins at `at`, and where it ends. Half a surrogate pair is a character that cannot be shown, as in Go.
fn json_string(text: &Traced, at: usize) -> Option<(Traced, usize)> {
    let mut string = Traced::default();
    let mut at = at + text[at..].strip_prefix('"').map(|_| 1)?;
    loop {
        let character = text[at..].chars().next()?;
        match character {
            '"' => return Some((string, at + 1)),
            '\\' => {
                let escaped = text[at + 1..].chars().next()?;
                let (unescaped, length) = match escaped {
                    '"' | '\\' | '/' => (escaped, 2),
                    'b' => ('\u{8}', 2),
                    'f' => ('\u{c}', 2),
                    'n' => ('\n', 2),
                    'r' => ('\r', 2),
                    't' => ('\t', 2),
                    'u' => unicode_escape(&text[at..])?,
                    _ => return None,
                };
                string.push_from(unescaped, text, at);
                at += length;
            }
            character if character < ' ' => return None,
            character => {
                string.push_from(character, text, at);
                at += character.len_utf8();
            }
        }
    }
}

/// Reads `\uXXXX`.
fn unicode_unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
}

/// Reads `\uXXXX`, or two of them that are one character; gives that and how long it is written.
fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let first = unicode_unit(text)?;
    if (0xD800..0xDC00).contains(&first)
        && let Some(second) = text.get(6..).and_then(unicode_unit).filter(|second| (0xDC00..0xE000).contains(second))
    {
        let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return Some((char::from_u32(code)?, 12));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}
