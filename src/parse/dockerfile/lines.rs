//! The lines of a Dockerfile as buildkit joins them: directives, comments, continued lines, and the bodies of heredocs.
//!
//! The measure is `frontend/dockerfile/parser/parser.go`.

use super::traced::Traced;

/// The longest line that buildkit reads, in bytes with its line feed.
const MAX_LINE: usize = 65_536;

/// What a build script does, before docker sees a Dockerfile, with the lines that hold a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prefixed {
    /// The word is taken out of them, wherever it stands.
    Kept,
    /// They are taken out whole.
    Dropped,
}

/// The word by which a build script knows such lines, and what it does with them.
pub type Prefix<'p> = (&'p str, Prefixed);

/// What cannot be read, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) message: String,
    pub(super) offset: usize,
    /// Whether more than this could not be read for it.
    pub(super) hides_more: bool,
}

/// The lines of a Dockerfile, read from the top.
#[derive(Clone)]
pub(super) struct Lines<'t> {
    rest: std::str::SplitInclusive<'t, char>,
    offset: usize,
    prefix: Option<Prefix<'t>>,
    is_first: bool,
    /// Where the last instruction began.
    pub(super) start: usize,
    /// The character that continues lines and escapes others.
    pub(super) escape: char,
    /// The directives that were seen; none can follow once this is `None`.
    directives: Option<Vec<String>>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(source: &'t str, prefix: Option<Prefix<'t>>) -> Self {
        let prefix = prefix.filter(|(word, _)| !word.is_empty());
        let rest = source.split_inclusive('\n');
        Self { rest, offset: 0, prefix, is_first: true, start: 0, escape: '\\', directives: Some(Vec::new()) }
    }

    /// The next line as docker gets it: what the build script takes away is gone.
    fn physical(&mut self) -> Result<Option<Traced>, SyntaxError> {
        loop {
            let Some(written) = self.rest.next() else { return Ok(None) };
            let start = self.offset;
            self.offset += written.len();
            let mut line = Traced::default();
            match self.prefix.filter(|(word, _)| written.contains(word)) {
                Some((_, Prefixed::Dropped)) => continue,
                Some((word, Prefixed::Kept)) => {
                    let mut at = start;
                    for part in written.split(word) {
                        line.push_at(part, at);
                        at += part.len() + word.len();
                    }
                }
                None => line.push_at(written, start),
            }
            if line.len() > MAX_LINE || (line.len() == MAX_LINE && !line.ends_with('\n')) {
                let message = format!("a line is longer than the {MAX_LINE} bytes that BuildKit reads");
                return Err(SyntaxError { message, offset: start, hides_more: true });
            }
            if std::mem::take(&mut self.is_first) && line.starts_with('\u{feff}') {
                line = line.part('\u{feff}'.len_utf8()..line.len());
            }
            return Ok(Some(line));
        }
    }

    /// The next instruction over all its lines; `None` at the end.
    pub(super) fn instruction(&mut self) -> Result<Option<Traced>, SyntaxError> {
        loop {
            let Some(line) = self.physical()? else { return Ok(None) };
            let body = line.trim_end_matches(['\r', '\n']);
            let blanks = body.len() - body.trim_start().len();
            let body = &body[blanks..];
            let offset = line.extent().start;
            self.read_directive(body).map_err(|message| SyntaxError { message, offset, hides_more: true })?;
            if body.starts_with('#') {
                continue;
            }
            self.start = offset;
            let (body, mut is_continued) = without_continuation(body, self.escape);
            if body.is_empty() && !is_continued {
                continue;
            }
            let mut instruction = line.part(blanks..blanks + body.len());
            while is_continued {
                let Some(line) = self.physical()? else { break };
                let body = line.trim_end_matches(['\r', '\n']);
                if is_skipped(body) {
                    continue;
                }
                let (body, goes_on) = without_continuation(body, self.escape);
                instruction.append_part(&line, 0..body.len());
                is_continued = goes_on;
            }
            return Ok(Some(instruction));
        }
    }

    /// Reads the body of a heredoc to the line that ends it. Gives whether there is one.
    pub(super) fn skip_heredoc(&mut self, delimiter: &str, strips_tabs: bool) -> Result<bool, SyntaxError> {
        while let Some(line) = self.physical()? {
            let line = line.trim_end_matches(['\r', '\n']);
            let line = if strips_tabs { line.trim_start_matches('\t') } else { line };
            if line == delimiter {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a line that may be a directive: they stand before all else, each once.
    fn read_directive(&mut self, line: &str) -> Result<(), String> {
        let Some(seen) = &mut self.directives else { return Ok(()) };
        let Some((name, value)) = directive(line) else {
            self.directives = None;
            return Ok(());
        };
        if seen.contains(&name) {
            return Err(format!("only one {name} parser directive can be used"));
        }
        if name == "escape" {
            self.escape = match value {
                "\\" => '\\',
                "`" => '`',
                _ => return Err(format!("invalid escape token '{value}' does not match ` or \\")),
            };
        }
        seen.push(name);
        Ok(())
    }
}

/// A directive that buildkit knows: its name in small letters, and its value.
fn directive(line: &str) -> Option<(String, &str)> {
    const BLANKS: [char; 5] = ['\t', '\n', '\u{c}', '\r', ' '];
    let (name, value) = line.strip_prefix('#')?.trim_start().split_once('=')?;
    let name = name.trim_end_matches(BLANKS).to_ascii_lowercase();
    let value = value.trim_matches(BLANKS);
    (!value.is_empty() && matches!(name.as_str(), "syntax" | "escape" | "check")).then_some((name, value))
}

/// Whether a line within a continued instruction is none of it.
fn is_skipped(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// A line without what continues it in the next one, and whether that is so. An escape character that is itself escaped continues
/// nothing.
fn without_continuation(line: &str, escape: char) -> (&str, bool) {
    match line.trim_end_matches([' ', '\t']).strip_suffix(escape) {
        Some(before) if !before.ends_with(escape) => (before, true),
        _ => (line, false),
    }
}
