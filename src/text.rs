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

/// A path as text. Bytes that are no UTF-8 are shown as `\xNN`: such a file is content, and can be nothing else. Where the name
/// itself reads so, its backslash is shown as `\x5c`: no two names are shown alike.
pub fn path_of_bytes(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    if let Ok(path) = std::str::from_utf8(bytes)
        && !bytes.contains(&b'\\')
    {
        return path.to_owned();
    }
    let mut path = String::new();
    for chunk in bytes.utf8_chunks() {
        path.push_str(&chunk.valid().replace(r"\x", r"\x5cx"));
        for byte in chunk.invalid() {
            let _ = write!(path, "\\x{byte:02x}");
        }
    }
    path
}

/// The name on disk of a path that [`path_of_bytes`] made.
pub fn path_on_disk(path: &str) -> std::path::PathBuf {
    let mut parts = path.split(r"\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).map(|digits| u8::from_str_radix(digits, 16)) {
            Some(Ok(byte)) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            // It was not made there.
            _ => bytes.extend([br"\x", part.as_bytes()].concat()),
        }
    }
    path_of_native(bytes)
}

#[cfg(unix)]
fn path_of_native(bytes: Vec<u8>) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    std::ffi::OsString::from_vec(bytes).into()
}

/// Elsewhere every name is text.
#[cfg(not(unix))]
fn path_of_native(bytes: Vec<u8>) -> std::path::PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The directory that holds a path; the empty one for what lies at the root.
pub fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The directories above a path, the nearest first, without the root.
pub fn directories_above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(directory, _)| directory)).skip(1)
}

/// A path without the directory that it lies below. The empty directory is the root.
pub fn without_directory<'p>(path: &'p str, directory: &str) -> &'p str {
    if directory.is_empty() { path } else { path.get(directory.len() + 1..).unwrap_or_default() }
}

/// The path of something in a directory. The empty directory is the root.
pub fn in_directory(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { [directory, "/", name].concat() }
}

/// Whether `path` is `directory` or lies below it. The empty directory is the root.
pub fn is_below(path: &str, directory: &str) -> bool {
    directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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

    #[cfg(unix)]
    #[test]
    fn names_are_found_again_on_disk() {
        use std::os::unix::ffi::OsStrExt as _;
        for name in [&b"a/b"[..], b"caf\xe9/x", br"a\xff", br"a\x5cxff", b"\\x\xff\\", b"\xffx41\xc3\xa9", br"\\xzz"] {
            let path = path_of_bytes(name);
            assert_eq!(path_on_disk(&path).as_os_str().as_bytes(), name, "{path}");
        }
    }
}
