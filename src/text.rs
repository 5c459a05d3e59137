//! A file's text, and places in it.
//!
//! Everything that imglint reads is held as a [`Text`]: a string whose byte offsets are those of the file, whatever bytes
//! the file holds. So a span that a parser finds can be underlined, and edited, in the file itself.

use std::ops::Range;
use std::sync::OnceLock;

/// A range of bytes in a [`Text`], from the first byte to the one after the last.
pub type Span = Range<usize>;

/// The contents of a file.
///
/// Bytes that are no UTF-8 are shown as one `?` each, so that offsets stay those of the file.
#[derive(Debug, Clone)]
pub struct Text {
    string: String,
    /// The file's bytes, where they differ from the string's.
    original: Option<Vec<u8>>,
    /// Where its lines begin, once somebody asked for a place: a file may be at fault in thousands.
    lines: OnceLock<Vec<usize>>,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Text {}

/// A place in a text as people count it: from 1, columns in Unicode characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Text {
    /// Takes the bytes of a file.
    pub fn new(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(string) => Self { string, original: None, lines: OnceLock::new() },
            Err(error) => {
                let bytes = error.into_bytes();
                let mut string = String::with_capacity(bytes.len());
                for chunk in bytes.utf8_chunks() {
                    string.push_str(chunk.valid());
                    string.extend(std::iter::repeat_n('?', chunk.invalid().len()));
                }
                Self { string, original: Some(bytes), lines: OnceLock::new() }
            }
        }
    }

    /// The text as a string; offsets in it are offsets in the file.
    pub fn as_str(&self) -> &str {
        &self.string
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        self.original.as_deref().unwrap_or(self.string.as_bytes())
    }

    /// The part of the text at `span`; empty where the span lies outside of it.
    pub fn slice(&self, span: &Span) -> &str {
        self.string.get(span.clone()).unwrap_or_default()
    }

    /// Where `offset` is, as people count.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.string.floor_char_boundary(offset);
        let lines = self.lines.get_or_init(|| self.line_starts());
        // The first line begins at the beginning.
        let line = lines.partition_point(|start| *start <= offset);
        Position { line, column: 1 + self.string[lines[line - 1]..offset].chars().count() }
    }

    fn line_starts(&self) -> Vec<usize> {
        let mut starts = vec![0];
        starts.extend(self.string.match_indices('\n').map(|(newline, _)| newline + 1));
        starts
    }

    /// Where the line begins that holds `offset`.
    pub fn line_start(&self, offset: usize) -> usize {
        let offset = self.string.floor_char_boundary(offset);
        self.string[..offset].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The whole line that holds `offset`, without its line end.
    pub fn line_at(&self, offset: usize) -> &str {
        let rest = &self.string[self.line_start(offset)..];
        rest.lines().next().unwrap_or_default()
    }

    /// Every line with its place, line ends left out (a carriage return stays part of the line).
    pub fn lines(&self) -> impl Iterator<Item = (Span, &str)> {
        let mut start = 0;
        self.string.split_terminator('\n').map(move |line| {
            let span = start..start + line.len();
            start = span.end + 1;
            (span, line)
        })
    }
}

impl From<&str> for Text {
    fn from(string: &str) -> Self {
        Self { string: string.to_owned(), original: None, lines: OnceLock::new() }
    }
}

/// Escapes what could speak to a terminal or a CI system instead of being read: control characters, line and paragraph
/// separators, and the marks that turn the direction of writing; and the `##` that begins a command of some CI systems wherever in
/// a line it stands.
///
/// ```
/// assert_eq!(imglint::text::escape("a\u{1b}[31m\n"), "a\\u{1b}[31m\\n");
/// assert_eq!(imglint::text::escape("##[stop-commands]"), "#\\u{23}[stop-commands]");
/// ```
pub fn escape(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.chars().any(is_unprintable) && !text.contains("##") {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_unprintable(character) {
            escaped.extend(character.escape_default());
        } else if character == '#' && escaped.ends_with('#') {
            escaped.extend(character.escape_unicode());
        } else {
            escaped.push(character);
        }
    }
    escaped.into()
}

/// Escapes a line of a file that is shown as it is: a tab says nothing that a terminal could mistake.
pub fn escape_but_tabs(line: &str) -> String {
    line.split('\t').map(escape).collect::<Vec<_>>().join("\t")
}

/// Whether a character must not reach a terminal or a log as it is.
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A number of things, in words: `1 file`, `2 files`.
pub fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_broken_bytes_stay_those_of_the_file() {
        let text = Text::new(b"a\xff\xfeb\n".to_vec());
        assert_eq!(text.as_str(), "a??b\n");
        assert_eq!(text.bytes(), b"a\xff\xfeb\n");
    }

    #[test]
    fn positions_count_characters_from_one() {
        let text = Text::from("é1\nxéy\n");
        assert_eq!(text.position(0), Position { line: 1, column: 1 });
        assert_eq!(text.position(2), Position { line: 1, column: 2 });
        assert_eq!(text.position("é1\nxé".len()), Position { line: 2, column: 3 });
        assert_eq!(text.line_at("é1\nx".len()), "xéy");
    }

    #[test]
    fn lines_keep_their_places() {
        let text = Text::from("a\r\n\nb");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines, [(0..2, "a\r"), (3..3, ""), (4..5, "b")]);
    }
}
