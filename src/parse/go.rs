//! What a Go binary is built from: imports of Go files, the module's name, and the source directory of a Makefile.

use crate::text::Text;

/// What one Go file draws into a build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The import paths.
    pub imports: Vec<String>,
    /// The patterns of its `//go:embed` lines.
    pub embeds: Vec<String>,
}

/// Reads the imports of a Go file. Only its head is looked at: imports come before all other declarations.
pub fn sources(text: &Text) -> Sources {
    let source = text.as_str();
    let mut sources = Sources::default();
    let mut in_group = false;
    let mut in_import = false;
    for token in (Tokens { rest: source }) {
        match token {
            Token::Word("import") => in_import = true,
            Token::Word("func" | "var" | "type" | "const") => break,
            Token::Punctuation('(') if in_import => in_group = true,
            Token::Punctuation(')') => (in_import, in_group) = (false, false),
            Token::Literal(path) if in_import => {
                sources.imports.push(path.to_owned());
                in_import = in_group;
            }
            _ => {}
        }
    }
    if source.contains("//go:embed") {
        for line in blanked(source, true).lines() {
            if let Some(patterns) = line.strip_prefix("//go:embed ") {
                let patterns = patterns.split_whitespace().map(|pattern| pattern.trim_matches(['"', '`']));
                sources.embeds.extend(patterns.map(|pattern| pattern.trim_start_matches("all:").to_owned()));
            }
        }
    }
    sources
}

/// The text with blanks for its comments and raw strings, so that only code is left. Every byte keeps its place.
pub fn code(text: &Text) -> String {
    blanked(text.as_str(), false)
}

/// The same, perhaps with the comments that end with their line: some of them speak to the compiler.
fn blanked(source: &str, keeps_lines: bool) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(begin) = rest.find(['/', '`', '"', '\'']) {
        code.push_str(&rest[..begin]);
        rest = &rest[begin..];
        let end = |close: &str| rest[1..].find(close).map_or(rest.len(), |end| 1 + end + close.len());
        let (length, is_code) = match rest.as_bytes() {
            [b'/', b'/', ..] => (rest.find('\n').unwrap_or(rest.len()), keeps_lines),
            [b'/', b'*', ..] => (2 + rest[2..].find("*/").map_or(rest.len() - 2, |end| end + 2), false),
            [b'`', ..] => (end("`"), false),
            [quote @ (b'"' | b'\''), ..] => (quoted_length(rest, *quote), true),
            _ => (1, true),
        };
        let (part, after) = rest.split_at(length);
        if is_code {
            code.push_str(part);
        } else {
            code.extend(part.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    code + rest
}

/// How long the literal is that a text begins with. It ends on its line.
fn quoted_length(text: &str, quote: u8) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((offset, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'\n' => return offset,
            byte if byte == quote => return offset + 1,
            _ => {}
        }
    }
    text.len()
}

enum Token<'a> {
    Word(&'a str),
    Literal(&'a str),
    Punctuation(char),
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.rest = self.rest.trim_start();
            let first = self.rest.chars().next()?;
            let end = match first {
                '/' if self.rest.starts_with("//") => {
                    self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]);
                    continue;
                }
                '/' if self.rest.starts_with("/*") => {
                    self.rest = self.rest.find("*/").map_or("", |end| &self.rest[end + 2..]);
                    continue;
                }
                '"' | '`' => {
                    let literal = &self.rest[1..];
                    let end = literal.find(first).unwrap_or(literal.len());
                    self.rest = literal.get(end + 1..).unwrap_or_default();
                    return Some(Token::Literal(&literal[..end]));
                }
                first if first.is_alphanumeric() || first == '_' => self
                    .rest
                    .find(|character: char| !(character.is_alphanumeric() || character == '_'))
                    .unwrap_or(self.rest.len()),
                first => {
                    self.rest = &self.rest[first.len_utf8()..];
                    return Some(Token::Punctuation(first));
                }
            };
            let (word, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Some(Token::Word(word));
        }
    }
}

/// The name that a `go.mod` gives its module.
pub fn module(text: &Text) -> Option<&str> {
    let line = text.as_str().lines().find_map(|line| line.strip_prefix("module"))?;
    let name = line.split("//").next()?.trim().trim_matches('"');
    (!name.is_empty()).then_some(name)
}

/// The literal value of a variable of a Makefile; `None` where it is unset, or is computed.
pub fn make_variable<'t>(makefile: &'t Text, name: &str) -> Option<&'t str> {
    let mut values = makefile.as_str().lines().filter_map(|line| {
        let mut line = line.trim_start();
        for keyword in ["override ", "export "] {
            line = line.strip_prefix(keyword).unwrap_or(line).trim_start();
        }
        let rest = line.strip_prefix(name)?.trim_start();
        let value = rest.trim_start_matches([':', '?', '+']).strip_prefix('=')?;
        Some(value.split('#').next()?.trim())
    });
    let value = values.next_back().filter(|value| !value.contains('$'))?.trim_start_matches("./");
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_in_every_form_are_seen() {
        let text = Text::from(
            "// import \"a/comment\"\npackage x\n/* import \"b\" */\nimport \"fmt\"\nimport (\n\t\"m/one\" // note\n\ttwo \"m/two\"\n\
             \t_ `m/three`\n)\n\n//go:embed static/* \"a b\"\nvar x = `import \"m/four\"`\n",
        );
        let sources = sources(&text);
        assert_eq!(sources.imports, ["fmt", "m/one", "m/two", "m/three"]);
        assert_eq!(sources.embeds.first().map(String::as_str), Some("static/*"));
    }

    #[test]
    fn a_makefile_names_its_sources_literally_or_not_at_all() {
        let makefile = Text::from("SRCS=x\nexport SRC_DIR ?= pets/peer-finder # shared\n");
        assert_eq!(make_variable(&makefile, "SRC_DIR"), Some("pets/peer-finder"));
        let computed = Text::from("SRC_DIR = $(notdir $(shell pwd))\n");
        assert_eq!(make_variable(&computed, "SRC_DIR"), None);
        assert_eq!(module(&Text::from("// x\nmodule k8s.io/kubernetes // y\n")), Some("k8s.io/kubernetes"));
    }
}
