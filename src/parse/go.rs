//! What a Go binary is built from: imports of Go files, the module's name, and the source directory of a Makefile.

use std::collections::HashMap;

use crate::text::{Span, Text};

/// What one Go file draws into a build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoImports {
    /// The name of the package that the file is a part of.
    pub package: String,
    /// The import paths.
    pub imports: Vec<String>,
    /// The patterns of its `//go:embed` lines.
    pub embeds: Vec<String>,
}

/// Reads the imports of a Go file. Only its head is looked at: imports come before all other declarations.
pub fn imports(text: &Text) -> GoImports {
    let source = text.as_str();
    let mut found = GoImports::default();
    let mut in_clause = false;
    let mut in_group = false;
    let mut in_import = false;
    for token in (Tokens { rest: source }) {
        match token {
            Token::Word(name) if std::mem::take(&mut in_clause) => name.clone_into(&mut found.package),
            Token::Word("package") if found.package.is_empty() => in_clause = true,
            Token::Word("import") => in_import = true,
            Token::Word("func" | "var" | "type" | "const") => break,
            Token::Punctuation('(') if in_import => in_group = true,
            Token::Punctuation(')') => (in_import, in_group) = (false, false),
            Token::Literal(path) if in_import => {
                found.imports.push(path);
                in_import = in_group;
            }
            _ => {}
        }
    }
    if source.contains(EMBED) {
        for line in blanked(source, Kept { line_comments: true, ..Kept::default() }).lines() {
            let Some(patterns) = line.trim_start_matches([' ', '\t']).strip_prefix(EMBED) else { continue };
            if patterns.starts_with([' ', '\t']) {
                found.embeds.extend(embedded(patterns));
            }
        }
    }
    found
}

/// The comment that embeds files into the variable below it. It may be indented, as in a `var (…)` block.
const EMBED: &str = "//go:embed";

/// The patterns of an embedding comment: words, of which each may be a literal of Go.
fn embedded(text: &str) -> Vec<String> {
    let mut patterns = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (pattern, after) = match first {
            '`' => rest[1..].split_once('`').map_or((rest[1..].to_owned(), ""), |(raw, after)| (raw.to_owned(), after)),
            '"' => {
                let (literal, after) = rest.split_at(quoted_length(rest, b'"'));
                (unquoted(literal), after)
            }
            _ => {
                let (word, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
                (word.to_owned(), after)
            }
        };
        patterns.push(pattern.strip_prefix("all:").unwrap_or(&pattern).to_owned());
        rest = after.trim_start();
    }
    patterns
}

/// The text that an interpreted literal of Go stands for. What is no escape stays as it is written.
fn unquoted(literal: &str) -> String {
    let inner = literal.strip_prefix('"').unwrap_or(literal);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(backslash) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..backslash]);
        rest = &rest[backslash + 1..];
        let Some(kind) = rest.chars().next() else { break };
        let (radix, skip, length) = match kind {
            'x' => (16, 1, 2),
            'u' => (16, 1, 4),
            'U' => (16, 1, 8),
            '0'..='7' => (8, 0, 3),
            _ => (0, 0, 0),
        };
        let digits = rest.get(skip..skip + length).filter(|digits| !digits.is_empty());
        if let Some(value) = digits.and_then(|digits| u32::from_str_radix(digits, radix).ok()) {
            match (kind, u8::try_from(value), char::from_u32(value)) {
                ('x' | '0'..='7', Ok(byte), _) => bytes.push(byte),
                (_, _, Some(character)) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                _ => {}
            }
            rest = &rest[skip + length..];
        } else {
            bytes.extend_from_slice(kind.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[kind.len_utf8()..];
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text with blanks for its comments and raw strings, so that only code is left. Every byte keeps its place.
pub fn code(text: &Text) -> String {
    blanked(text.as_str(), Kept::default())
}

/// The text with blanks for its comments. Every byte keeps its place.
pub fn without_comments(text: &Text) -> String {
    blanked(text.as_str(), Kept { raw_strings: true, ..Kept::default() })
}

/// What is kept beside code.
#[derive(Clone, Copy, Default)]
struct Kept {
    /// Comments that end with their line: some of them speak to the compiler.
    line_comments: bool,
    /// What stands between backquotes.
    raw_strings: bool,
}

/// The text with blanks for what is not kept.
fn blanked(source: &str, kept: Kept) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(begin) = rest.find(['/', '`', '"', '\'']) {
        code.push_str(&rest[..begin]);
        rest = &rest[begin..];
        let end = |close: &str| rest[1..].find(close).map_or(rest.len(), |end| 1 + end + close.len());
        let (length, is_code) = match rest.as_bytes() {
            [b'/', b'/', ..] => (rest.find('\n').unwrap_or(rest.len()), kept.line_comments),
            [b'/', b'*', ..] => (2 + rest[2..].find("*/").map_or(rest.len() - 2, |end| end + 2), false),
            [b'`', ..] => (end("`"), kept.raw_strings),
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
    /// The text that a literal stands for.
    Literal(String),
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
                '"' => {
                    let (literal, rest) = self.rest.split_at(quoted_length(self.rest, b'"'));
                    self.rest = rest;
                    return Some(Token::Literal(unquoted(literal)));
                }
                '`' => {
                    let literal = &self.rest[1..];
                    let (literal, rest) = literal.split_once('`').unwrap_or((literal, ""));
                    self.rest = rest;
                    // Go takes carriage returns out of raw strings.
                    return Some(Token::Literal(literal.replace('\r', "")));
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

/// A directory that a variable of a Makefile names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeValue {
    /// The directory; `None` where only make can tell.
    pub directory: Option<String>,
    /// Where the value stands.
    pub span: Span,
}

/// How long a value may become when the variables in it are replaced, in bytes.
const MAX_EXPANDED: usize = 4096;

/// How many values a variable may have, over all that it is made of.
const MAX_VALUES: usize = 64;

/// How many directories one variable may name before the rest of them are no longer looked at, which is said.
const MAX_DIRECTORIES: usize = 1_000;

/// How many variables may be replaced for one value.
const MAX_STEPS: usize = 256;

/// The ways in which a Makefile calls its own directory: what is built from there belongs to the image already.
const OWN_DIRECTORY: [&str; 7] =
    [".", "$(CURDIR)", "$(PWD)", "$(shell pwd)", "$(notdir $(CURDIR))", "$(notdir $(PWD))", "$(notdir $(shell pwd))"];

/// All values that a variable of a Makefile may get: each assignment counts, whatever condition it stands under and however it is
/// written, but for those that name the Makefile's own directory.
pub fn make_values(makefile: &Text, name: &str) -> Vec<MakeValue> {
    let assignments = assignments(makefile.as_str());
    let mut values = Vec::new();
    let computed = computed(name, &assignments, makefile, &mut values);
    for assignment in assignments.get(name).into_iter().flatten().chain(computed) {
        if OWN_DIRECTORY.contains(&assignment.value.as_str()) {
            continue;
        }
        let mut steps = MAX_STEPS;
        let Some(expanded) = expand(&assignment.value, &assignments, &mut steps) else {
            values.push(MakeValue { directory: None, span: assignment.span.clone() });
            continue;
        };
        if values.len() > MAX_DIRECTORIES {
            values.push(MakeValue { directory: None, span: assignment.span.clone() });
            break;
        }
        for word in expanded.iter().flat_map(|value| value.split_whitespace()) {
            let directory = word.trim_start_matches("./").trim_end_matches('/');
            if !matches!(directory, "" | ".") {
                values.push(MakeValue { directory: Some(directory.to_owned()), span: assignment.span.clone() });
            }
        }
    }
    values
}

/// The assignments to names that are made of other variables and come out as `name`. Where only make can tell, and the Makefile has the
/// name in it, that is a value, too.
fn computed<'a>(
    name: &str,
    assignments: &'a Assignments<'_>,
    makefile: &Text,
    values: &mut Vec<MakeValue>,
) -> Vec<&'a Assignment> {
    let mut computed = Vec::new();
    for (left, of_left) in assignments.iter().filter(|(left, _)| left.contains('$')) {
        match expand(&between_round_brackets(left), assignments, &mut MAX_STEPS.clone()) {
            Some(names) if names.iter().any(|computed| computed == name) => computed.extend(of_left),
            None if makefile.as_str().contains(name) => {
                let unknown =
                    of_left.iter().map(|assignment| MakeValue { directory: None, span: assignment.span.clone() });
                values.extend(unknown.take(1));
            }
            _ => {}
        }
    }
    computed.sort_by_key(|assignment| assignment.span.start);
    computed
}

/// A place in a Makefile that gives a variable a value.
struct Assignment {
    /// The value, in which variables stand between round brackets.
    value: String,
    span: Span,
}

/// The assignments of a Makefile by the variable's name.
type Assignments<'t> = HashMap<&'t str, Vec<Assignment>>;

/// All assignments of a Makefile, those of targets and of commands with them.
fn assignments(text: &str) -> Assignments<'_> {
    let mut assignments = Assignments::new();
    let mut start = 0;
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let span = start..start + line.trim_end().len();
        start += line.len();
        if line.starts_with('\t') {
            // A command: each of its words may set a variable for a program or for another make.
            for (name, value) in line.split_whitespace().filter_map(|word| word.split_once('=')) {
                let value = between_round_brackets(value.trim_matches(['"', '\'']));
                assignments.entry(name).or_default().push(Assignment { value, span: span.clone() });
            }
            continue;
        }
        if let Some(name) = defined(line) {
            let mut value = String::new();
            for next in lines.by_ref() {
                start += next.len();
                if next.trim() == "endef" {
                    break;
                }
                value.push_str(next);
            }
            let value = between_round_brackets(value.trim());
            assignments.entry(name).or_default().push(Assignment { value, span });
            continue;
        }
        let Some((left, value)) = line.split_once('=') else { continue };
        let left = left.trim_end_matches([':', '?', '+', '!']).trim_end();
        // Before the name may stand `export`, `override`, or a target with its colon.
        let name = left.rsplit(|c: char| c.is_whitespace() || c == ':').next().unwrap_or_default();
        let mut value = value.to_owned();
        while let Some(before) = value.trim_end().strip_suffix('\\') {
            let Some(next) = lines.next() else { break };
            start += next.len();
            value = format!("{before} {next}");
        }
        let mut value = between_round_brackets(value.split('#').next().unwrap_or_default().trim());
        if left.contains("$(eval") && value.ends_with(')') {
            value.pop();
        }
        if !name.is_empty() && !left.starts_with('#') {
            assignments.entry(name).or_default().push(Assignment { value, span });
        }
    }
    assignments
}

/// The variable whose lines follow up to `endef`.
fn defined(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip_while(|word| matches!(*word, "override" | "export"));
    if words.next() == Some("define") { words.next() } else { None }
}

/// A value with `$(name)` for `${name}`, which means the same.
fn between_round_brackets(value: &str) -> String {
    if value.contains("${") { value.replace("${", "$(").replace('}', ")") } else { value.to_owned() }
}

/// All that a value may be when the variables in it are replaced; `None` where only make can tell. A variable that is set nowhere is
/// empty.
fn expand(value: &str, assignments: &Assignments<'_>, steps: &mut usize) -> Option<Vec<String>> {
    let Some((before, rest)) = value.split_once('$') else { return Some(vec![value.to_owned()]) };
    let (name, after) = match rest.strip_prefix('(') {
        Some(bracketed) => bracketed.split_once(')')?,
        None => rest.split_at_checked(1)?,
    };
    // A function has blanks or commas in it; `$$` and what make itself sets are signs; a substitution has a colon.
    *steps = steps.checked_sub(1)?;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') || name == "CURDIR" {
        return None;
    }
    let known: &[Assignment] = assignments.get(name).map_or(&[], Vec::as_slice);
    let mut inner = Vec::new();
    for assignment in known.iter().take(MAX_VALUES) {
        inner.extend(expand(&assignment.value, assignments, steps)?);
        if inner.len() > MAX_VALUES {
            return None;
        }
    }
    if inner.is_empty() {
        inner.push(String::new());
    }
    let tails = expand(after, assignments, steps)?;
    if known.len() > MAX_VALUES || inner.len() * tails.len() > MAX_VALUES {
        return None;
    }
    let mut values = Vec::new();
    for middle in &inner {
        for tail in &tails {
            if before.len() + middle.len() + tail.len() > MAX_EXPANDED {
                return None;
            }
            values.push([before, middle, tail].concat());
        }
    }
    Some(values)
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
        let sources = imports(&text);
        assert_eq!(sources.package, "x");
        assert_eq!(sources.imports, ["fmt", "m/one", "m/two", "m/three"]);
        assert_eq!(sources.embeds.first().map(String::as_str), Some("static/*"));
    }

    #[test]
    fn literals_of_imports_and_embeds_are_read_as_go_reads_them() {
        let text = Text::from(
            "package x\nimport (\n\t\"m/a\\u002db\"\n\t\"m/\\x61\\142\"\n\t`m/c\\d`\n)\nvar (\n\t//go:embed a*b \"x\\u0020y\" all:t\n\
            \tf embed.FS\n)\n\
             var s = `\n//go:embed none\n`\n//go:embedded none\n",
        );
        let sources = imports(&text);
        assert_eq!(sources.imports, ["m/a-b", "m/ab", "m/c\\d"]);
        assert_eq!(sources.embeds, ["a*b", "x y", "t"]);
    }

    #[test]
    fn all_values_of_a_makefile_count() {
        let values = |text: &str| -> Vec<Option<String>> {
            make_values(&Text::from(text), "SRC_DIR").into_iter().map(|value| value.directory).collect()
        };
        let one = |directory: &str| vec![Some(directory.to_owned())];
        assert_eq!(values("SRCS=x\nexport SRC_DIR ?= pets/peer-finder # shared\n"), one("pets/peer-finder"));
        assert_eq!(values("SRC_DIR = $(notdir ${CURDIR})\nXSRC_DIR=a\n# SRC_DIR=b\n"), []);
        assert_eq!(values("SRC_DIR = $(N)pets/peer-finder\n"), one("pets/peer-finder"));
        assert_eq!(values("N=p\nM=${N}ets\nall: SRC_DIR := \\\n  $(M)/x/\n"), one("pets/x"));
        assert_eq!(
            values("SRC_DIR=a\nifdef NEVER\nSRC_DIR=b\nendif\nall:\n\tX=1 SRC_DIR=c make\n"),
            ["a", "b", "c"].map(|directory| Some(directory.to_owned()))
        );
        assert_eq!(values("SRC_DIR = $(shell cat where)\n"), [None]);
        assert_eq!(values("override define SRC_DIR =\npets/\nendef\nX=SRC_DIR\n"), one("pets"));
        assert_eq!(values("$(eval SRC_DIR := pets)\n"), one("pets"));
        assert_eq!(values("X := SRC\n$(X)_DIR = pets\n${Y} = a\n"), one("pets"));
        assert_eq!(values("A=$(B)$(B)\nB=$(A)$(A)\nSRC_DIR=$(A)\n"), [None]);
        assert_eq!(module(&Text::from("// x\nmodule k8s.io/kubernetes // y\n")), Some("k8s.io/kubernetes"));
    }
}
