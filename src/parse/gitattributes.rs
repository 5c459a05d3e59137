//! `.gitattributes`: what git makes of the bytes of a file when it checks the file out.

use std::collections::HashSet;

use super::wildcard::{Dialect, Wildcard};
use crate::text::Text;

/// The name of the file, which may lie in any directory.
pub const FILE: &str = ".gitattributes";

/// The attributes that change bytes.
const CONVERTING: [&str; 7] = ["text", "crlf", "eol", "filter", "working-tree-encoding", "ident", "export-subst"];

/// How many lines that change bytes are read.
const MAX_LINES: usize = 2_000;

/// One file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitAttributes {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    wildcard: Wildcard,
    /// Whether it is matched with the last part of a path alone.
    is_name: bool,
    attributes: Vec<(String, Value)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Set,
    Unset,
    Unspecified,
    Text(String),
}

/// What git does with the bytes of a file between its objects and the working tree, or an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversion {
    text: Option<Value>,
    crlf: Option<Value>,
    eol: Option<Value>,
    filter: Option<Value>,
    encoding: Option<Value>,
    ident: Option<Value>,
    subst: Option<Value>,
}

impl GitAttributes {
    /// Reads a file; `None` where it holds more than can be matched in reasonable time. What git would not understand is passed over, as
    /// git does.
    pub fn parse(text: &Text) -> Option<Self> {
        let mut macros: Vec<(String, Vec<(String, Value)>)> = vec![("binary".to_owned(), attributes("-text", &[]))];
        let mut lines = Vec::new();
        for (span, line) in text.lines() {
            let line = if span.start == 0 { line.trim_start_matches('\u{feff}') } else { line };
            let line = line.trim_matches([' ', '\t', '\r']);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (pattern, rest) = pattern(line);
            if let Some(name) = pattern.strip_prefix("[attr]") {
                macros.push((name.to_owned(), attributes(rest, &macros)));
                continue;
            }
            let attributes = attributes(rest, &macros);
            // A pattern can take nothing back here, and one of a directory alone has no files.
            if attributes.is_empty() || pattern.starts_with('!') || pattern.ends_with('/') {
                continue;
            }
            let is_name = !pattern.contains('/');
            if let Some(wildcard) = Wildcard::new(pattern.trim_start_matches('/'), Dialect::Git) {
                lines.push(Line { wildcard, is_name, attributes });
            }
        }
        (lines.len() <= MAX_LINES).then_some(Self { lines })
    }

    /// Adds what the file says of a path below its directory; what it says goes before what is known.
    pub fn apply(&self, below: &str, conversion: &mut Conversion) {
        let name = crate::path::file_name(below);
        for line in &self.lines {
            if line.wildcard.is_match(if line.is_name { name } else { below }) {
                for (attribute, value) in &line.attributes {
                    conversion.set(attribute, value);
                }
            }
        }
    }
}

impl Conversion {
    fn set(&mut self, attribute: &str, value: &Value) {
        let slot = match attribute {
            "text" => &mut self.text,
            "crlf" => &mut self.crlf,
            "eol" => &mut self.eol,
            "filter" => &mut self.filter,
            "working-tree-encoding" => &mut self.encoding,
            "ident" => &mut self.ident,
            "export-subst" => &mut self.subst,
            _ => return,
        };
        *slot = Some(value.clone()).filter(|value| *value != Value::Unspecified);
    }

    /// Whether a file of these bytes comes out otherwise than by another conversion. `bytes` is asked for where that depends on them;
    /// of bytes that cannot be had, it is assumed.
    pub fn differs<E>(&self, other: &Self, bytes: impl FnOnce() -> Result<Option<Vec<u8>>, E>) -> Result<bool, E> {
        if self.filter() != other.filter() || self.encoding() != other.encoding() {
            return Ok(true);
        }
        let has_other_line_ends = self.line_ends() != other.line_ends();
        let has_other_ident = self.is_ident() != other.is_ident();
        let has_other_subst = self.is_subst() != other.is_subst();
        if !(has_other_line_ends || has_other_ident || has_other_subst) {
            return Ok(false);
        }
        let Some(bytes) = bytes()? else { return Ok(true) };
        let has = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
        let converts = |line_ends| match line_ends {
            LineEnds::Kept => false,
            LineEnds::Converted => bytes.contains(&b'\n'),
            // As git tells text from other files, roughly; and it leaves alone what has such line ends already.
            LineEnds::ConvertedInText => bytes.contains(&b'\n') && !bytes.contains(&b'\r') && !bytes.contains(&0),
        };
        Ok((has_other_line_ends && converts(self.line_ends()) != converts(other.line_ends()))
            || (has_other_ident && has(b"$Id"))
            || (has_other_subst && has(b"$Format:")))
    }

    fn filter(&self) -> Option<&str> {
        self.filter.as_ref().and_then(Value::text)
    }

    fn encoding(&self) -> Option<&str> {
        self.encoding.as_ref().and_then(Value::text)
    }

    fn is_ident(&self) -> bool {
        self.ident == Some(Value::Set)
    }

    fn is_subst(&self) -> bool {
        self.subst == Some(Value::Set)
    }

    /// What becomes of line ends where nobody has configured git otherwise.
    fn line_ends(&self) -> LineEnds {
        // As `text` was called once.
        let text = self.text.as_ref().or(self.crlf.as_ref());
        let is_windows = self.eol.as_ref().and_then(Value::text).is_some_and(|eol| eol.eq_ignore_ascii_case("crlf"));
        match text {
            Some(Value::Unset) => LineEnds::Kept,
            _ if !is_windows => LineEnds::Kept,
            Some(Value::Text(text)) if text == "auto" => LineEnds::ConvertedInText,
            _ => LineEnds::Converted,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnds {
    Kept,
    Converted,
    ConvertedInText,
}

impl Value {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The pattern that a line begins with, and what follows it. Quotes that git cannot take off are a part of it.
fn pattern(line: &str) -> (String, &str) {
    if let Some(quoted) = line.strip_prefix('"')
        && let Some(unquoted) = unquoted(quoted)
    {
        return unquoted;
    }
    let (pattern, rest) = line.split_at(line.find([' ', '\t']).unwrap_or(line.len()));
    (pattern.to_owned(), rest)
}

/// What stands before a closing quote as C writes strings, and what follows that; `None` where it is written in another way.
fn unquoted(quoted: &str) -> Option<(String, &str)> {
    let mut bytes = Vec::new();
    let mut rest = quoted.bytes().enumerate();
    while let Some((at, byte)) = rest.next() {
        match byte {
            b'"' => return Some((String::from_utf8_lossy(&bytes).into_owned(), &quoted[at + 1..])),
            b'\\' => bytes.push(match rest.next()?.1 {
                b'a' => 7,
                b'b' => 8,
                b't' => b'\t',
                b'n' => b'\n',
                b'v' => 11,
                b'f' => 12,
                b'r' => b'\r',
                escaped @ (b'"' | b'\\') => escaped,
                _ => {
                    let octal = quoted.get(at + 1..at + 4)?;
                    rest.nth(1)?;
                    u8::from_str_radix(octal, 8).ok().filter(|_| octal.starts_with(['0', '1', '2', '3']))?
                }
            }),
            plain => bytes.push(plain),
        }
    }
    None
}

/// Reads attributes; those that stand for several are taken apart.
fn attributes(words: &str, macros: &[(String, Vec<(String, Value)>)]) -> Vec<(String, Value)> {
    let mut attributes = Vec::new();
    for word in words.split_ascii_whitespace() {
        let (name, value) = match (word.strip_prefix('-'), word.strip_prefix('!'), word.split_once('=')) {
            (Some(name), ..) => (name, Value::Unset),
            (_, Some(name), _) => (name, Value::Unspecified),
            (_, _, Some((name, value))) => (name, Value::Text(value.to_owned())),
            _ => (word, Value::Set),
        };
        if value == Value::Set
            && let Some((_, several)) = macros.iter().rfind(|(known, _)| known == name)
        {
            attributes.extend(several.iter().cloned());
        }
        attributes.push((name.to_owned(), value));
    }
    // Macros made of macros would grow without end: the last of each name counts.
    let mut seen = HashSet::new();
    attributes.reverse();
    attributes.retain(|(name, _)| CONVERTING.contains(&name.as_str()) && seen.insert(name.clone()));
    attributes.reverse();
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a file that held these bytes holds others once the file of attributes is there.
    fn changes(attributes: &str, path: &str, bytes: &str) -> bool {
        let mut conversion = Conversion::default();
        GitAttributes::parse(&Text::from(attributes)).expect("few lines").apply(path, &mut conversion);
        let bytes = || Ok::<_, ()>(Some(bytes.as_bytes().to_vec()));
        conversion.differs(&Conversion::default(), bytes).expect("the bytes are there")
    }

    #[test]
    fn what_changes_the_bytes_is_told_from_what_does_not() {
        assert!(changes("* text eol=crlf\n", "a/run.sh", "x\n") && changes("*.sh eol=crlf\n", "a/run.sh", "x\n"));
        assert!(changes("* text=auto eol=crlf\n", "run.sh", "x\n") && !changes("* text=auto eol=crlf\n", "x", "\0\n"));
        assert!(!changes("* text=auto\n* text eol=lf\n", "run.sh", "x\n") && !changes("* eol=crlf\n", "x", "no line"));
        assert!(!changes("* eol=crlf -text\n", "run.sh", "x\n") && !changes("* eol=crlf binary\n", "run.sh", "x\n"));
        assert!(!changes("* eol=crlf\nrun.sh !eol\n", "run.sh", "x\n"));
        assert!(changes("* filter=lfs -text\n", "x", "") && changes("* working-tree-encoding=UTF-16\n", "x", ""));
        assert!(changes("* ident\n", "x", "$Id$\n") && !changes("* ident\n", "x", "plain\n"));
        assert!(changes("[attr]windows text eol=crlf\n*.cmd windows\n", "a/x.cmd", "x\n"));
        assert!(changes("* export-subst\n", "x", "$Format:%H$\n") && !changes("* export-subst diff\n", "x", "\n"));
    }

    #[test]
    fn patterns_are_those_of_git() {
        let matches = |pattern: &str, path: &str| changes(&format!("{pattern} filter=x\n"), path, "");
        assert!(matches("a/**", "a/b/c") && matches("/a/*", "a/b") && !matches("/a/*", "a/b/c"));
        assert!(matches("\"a b\"", "x/a b") && !matches("a/", "a/b") && !matches("!a", "a"));
        assert!(matches(r#""run\056sh""#, "run.sh") && matches(r#""a\"b""#, "a\"b") && matches(r#""\303\251""#, "é"));
        assert!(matches(r#""a\xb"c"#, r#""axb"c"#) && !matches(r#""a\777""#, "a"));
        assert!(matches("**/b", "b") && matches("[!x]", "y") && !matches("b", "b/c"));
    }
}
