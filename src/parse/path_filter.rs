//! Lists of paths by which CI decides what a change starts: `paths` of GitHub's workflows, the filters of dorny/paths-filter, and
//! `run_if_changed` of Prow's jobs.

use regex::bytes::{Regex, RegexBuilder};

use super::capture::go_regex;
use super::glob::PathPattern;
use super::yaml::{Document, Node, YamlError};
use crate::path::{directory_of, is_below};
use crate::text::{Span, Text};

/// What a file says of paths.
#[derive(Debug, Default)]
pub struct PathFilters {
    /// The lists in it, in order. A change starts something if one entry of a list takes one of its paths.
    pub lists: Vec<PathList>,
    /// The files that further lists stand in, as they are named.
    pub elsewhere: Vec<String>,
}

/// The entries of one list.
#[derive(Debug, Default)]
pub struct PathList {
    /// The entries, in order.
    pub entries: Vec<PathEntry>,
}

/// An entry of a list.
#[derive(Debug)]
pub struct PathEntry {
    /// The entry as it is read, without the `!` before what is taken out.
    pub text: String,
    /// Where it stands; of one whose spelling differs from what is read, where its list begins.
    pub span: Span,
    /// Whether it takes out what entries before it took.
    pub is_negated: bool,
    /// How it is written.
    syntax: Syntax,
    /// What all paths begin with that it takes.
    start: String,
    /// The paths that it takes, or why that cannot be told.
    paths: Result<Paths, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    /// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet>
    GitHub,
    /// What dorny/paths-filter takes: globs of the usual kind.
    Glob,
    /// A regular expression of Go, which may match anywhere in a path.
    Regex,
}

#[derive(Debug)]
enum Paths {
    Regex(Regex),
    Glob(PathPattern),
}

/// The place that an entry speaks of, as far as no wildcard stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'e> {
    /// This very file.
    File(&'e str),
    /// What lies in this directory.
    Directory(&'e str),
}

impl PathEntry {
    fn new(written: &str, span: Span, syntax: Syntax) -> Self {
        let (is_negated, text) = match written.strip_prefix('!') {
            Some(rest) if syntax != Syntax::Regex => (true, rest),
            _ => (false, written),
        };
        let text = if syntax == Syntax::Regex { text } else { text.strip_prefix("./").unwrap_or(text) };
        let paths = match syntax {
            _ if text.contains("${{") => Err(format!("`{text}` is known to the workflow alone")),
            Syntax::GitHub => plain_pattern(text).map_or_else(|| github_pattern(text).map(Paths::Regex), Ok),
            Syntax::Glob if text.contains('(') => Err(format!("`{text}` has groups")),
            Syntax::Glob => PathPattern::new(text).map(Paths::Glob).map_err(|reason| format!("`{text}`: {reason}")),
            Syntax::Regex => go_regex(text).map(Paths::Regex).map_err(|reason| format!("`{text}`: {reason}")),
        };
        Self { text: text.to_owned(), span, is_negated, syntax, start: start(text, syntax).to_owned(), paths }
    }

    /// One that stands for what cannot be read.
    fn unknown(reason: String, span: Span) -> Self {
        let (text, start) = (String::new(), String::new());
        Self { text, span, is_negated: false, syntax: Syntax::Glob, start, paths: Err(reason) }
    }

    /// Whether it takes a path, or takes it out; not where that cannot be told.
    pub fn takes(&self, path: &str) -> bool {
        match &self.paths {
            Ok(Paths::Regex(regex)) => regex.is_match(path.as_bytes()),
            Ok(Paths::Glob(pattern)) => pattern.is_match(path),
            Err(_) => false,
        }
    }

    /// Whether it may take something below a directory, as far as the text tells that it begins with.
    pub fn may_take_below(&self, directory: &str) -> bool {
        let start = self.start.as_str();
        is_below(start, directory) || directory.starts_with(start) || start.strip_suffix('/') == Some(directory)
    }

    /// Why it cannot be told which paths it takes, if so.
    pub fn error(&self) -> Option<&str> {
        self.paths.as_ref().err().map(String::as_str)
    }

    /// Whether a part of a path stands in it, without wildcards.
    pub fn spells(&self, part: &str) -> bool {
        let escaped;
        let mut spelled = vec![part];
        if self.syntax == Syntax::Regex {
            escaped = regex::escape(part);
            spelled.push(&escaped);
        }
        for part in spelled {
            for (start, _) in self.text.match_indices(part) {
                let before = self.text[..start].chars().next_back();
                let after = self.text[start + part.len()..].chars().next();
                if [before, after].into_iter().flatten().all(|next| AROUND_PARTS.contains(&next)) {
                    return true;
                }
            }
        }
        false
    }

    /// The place that it speaks of; `None` where that is the whole repository, or cannot be told.
    pub fn place(&self) -> Option<Place<'_>> {
        self.paths.as_ref().ok()?;
        let text = self.text.as_str();
        let wildcards = match self.syntax {
            Syntax::Regex => return self.place_of_regex(),
            Syntax::GitHub => IN_WORKFLOWS,
            Syntax::Glob => IN_GLOBS,
        };
        match text.find(wildcards) {
            None => Some(Place::File(text)),
            Some(wildcard) => Some(directory_of(&text[..wildcard])).filter(|it| !it.is_empty()).map(Place::Directory),
        }
    }

    /// The same of a regular expression that begins where paths do. A choice may begin elsewhere.
    fn place_of_regex(&self) -> Option<Place<'_>> {
        let rest = self.text.strip_prefix('^')?;
        let plain = &rest[..rest.find(IN_REGEXES).unwrap_or(rest.len())];
        let directory = directory_of(plain);
        (!has_outer_choice(rest) && !directory.is_empty()).then_some(Place::Directory(directory))
    }
}

/// What all paths begin with that an entry takes.
fn start(text: &str, syntax: Syntax) -> &str {
    let start = match syntax {
        Syntax::Regex => match text.strip_prefix('^') {
            Some(rest) if !has_outer_choice(rest) => &rest[..rest.find(IN_REGEXES).unwrap_or(rest.len())],
            _ => "",
        },
        Syntax::GitHub => &text[..text.find(IN_WORKFLOWS).unwrap_or(text.len())],
        Syntax::Glob => &text[..text.find(IN_GLOBS).unwrap_or(text.len())],
    };
    // The last character may be the one that may come any number of times.
    let mut characters = start.chars();
    characters.next_back();
    characters.as_str()
}

/// What may stand beside a part of a path: all else may be a part of it.
const AROUND_PARTS: [char; 10] = ['/', '{', '}', ',', '(', ')', '|', '^', '$', '!'];

/// What stands for something else in workflows.
const IN_WORKFLOWS: [char; 6] = ['*', '?', '+', '[', '\\', '!'];

/// What stands for something else in globs.
const IN_GLOBS: [char; 6] = ['*', '?', '[', '{', '\\', '!'];

/// What stands for something else in regular expressions.
const IN_REGEXES: [char; 14] = ['.', '*', '+', '?', '(', ')', '[', ']', '{', '}', '|', '^', '$', '\\'];

/// Whether a regular expression has a choice that no group holds.
fn has_outer_choice(regex: &str) -> bool {
    let mut depth = 0_usize;
    for character in regex.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => return true,
            _ => {}
        }
    }
    false
}

/// A pattern of a workflow that takes one file, or all below a directory, as most do.
fn plain_pattern(text: &str) -> Option<Paths> {
    let plain = text.strip_suffix("/**").unwrap_or(text);
    let is_plain = !plain.ends_with('/') && !plain.contains(IN_WORKFLOWS) && !plain.contains(IN_GLOBS);
    PathPattern::new(text).ok().filter(|pattern| is_plain && pattern.as_str() == text).map(Paths::Glob)
}

/// A pattern of a workflow: `?` and `+` are about the character before them, braces are none.
fn github_pattern(text: &str) -> Result<Regex, String> {
    let mut regex = String::from("^");
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        match character {
            '*' if rest.starts_with("**/") => {
                regex.push_str("(?:.*/)?");
                length = 3;
            }
            '*' if rest.starts_with("**") => {
                regex.push_str(".*");
                length = 2;
            }
            '*' => regex.push_str("[^/]*"),
            '?' | '+' if rest.len() < text.len() => regex.push(character),
            '[' => {
                let class = rest.find(']').map(|end| &rest[..=end]);
                let class = class.filter(|class| {
                    class[1..].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-]".contains(&byte))
                });
                let class = class.ok_or_else(|| format!("`{text}` has brackets that cannot be read"))?;
                regex.push_str(class);
                length = class.len();
            }
            '\\' => {
                let escaped = rest[1..].chars().next().unwrap_or('\\');
                regex.push_str(&regex::escape(escaped.encode_utf8(&mut [0; 4])));
                length = rest.len().min(1 + escaped.len_utf8());
            }
            _ => regex.extend(["(?:", &regex::escape(&rest[..length]), ")"]),
        }
        rest = &rest[length..];
    }
    regex.push('$');
    let compiled = RegexBuilder::new(&regex).unicode(false).dot_matches_new_line(true).build();
    compiled.map_err(|_| format!("`{text}` is no pattern"))
}

impl PathFilters {
    /// Whether there can be any in a text: most workflows start whatever changed.
    pub fn may_be_in(text: &Text) -> bool {
        ["paths", "run_if_changed"].iter().any(|word| text.as_str().contains(word))
    }

    /// Reads a workflow of GitHub, or jobs of Prow.
    pub fn parse(text: &Text) -> Result<Self, YamlError> {
        let document = Document::parse(text)?;
        let mut reader = Reader { text, filters: Self::default() };
        reader.triggers(document.root());
        reader.walk(document.root());
        Ok(reader.filters)
    }

    /// Reads a file that holds nothing but filters of dorny/paths-filter.
    pub fn parse_filters(text: &Text) -> Result<Self, YamlError> {
        let document = Document::parse(text)?;
        let mut written = Vec::new();
        strings(document.root(), &mut written);
        let entries = written.into_iter().map(|(entry, span)| PathEntry::new(&entry, span, Syntax::Glob)).collect();
        Ok(Self { lists: vec![PathList { entries }], elsewhere: Vec::new() })
    }
}

struct Reader<'t> {
    text: &'t Text,
    filters: PathFilters,
}

impl Reader<'_> {
    /// `on.push.paths`, and that of other events.
    fn triggers(&mut self, root: Node<'_, '_>) {
        let Some(events) = root.get("on") else { return };
        for (_, event) in events.pairs() {
            let Some(paths) = event.get("paths") else { continue };
            let mut written = Vec::new();
            strings(paths, &mut written);
            let entries = written.into_iter().map(|(entry, span)| PathEntry::new(&entry, span, Syntax::GitHub));
            self.filters.lists.push(PathList { entries: entries.collect() });
        }
    }

    /// Steps with filters, and jobs that run if something changed, wherever they stand.
    fn walk(&mut self, node: Node<'_, '_>) {
        for item in node.items() {
            self.walk(item);
        }
        let action = node.get("uses").and_then(Node::text);
        if action.is_some_and(|action| action.split('@').next().is_some_and(|name| name.ends_with("/paths-filter")))
            && let Some(filters) = node.get("with").and_then(|with| with.get("filters"))
        {
            self.filters_of_step(filters);
        }
        for (key, value) in node.pairs() {
            if key.text().as_deref() == Some("run_if_changed")
                && let Some(written) = value.text()
            {
                let entry = PathEntry::new(&written, value.span(), Syntax::Regex);
                self.filters.lists.push(PathList { entries: vec![entry] });
            } else {
                self.walk(value);
            }
        }
    }

    /// Filters are YAML in a text, or the name of a file that holds it.
    fn filters_of_step(&mut self, filters: Node<'_, '_>) {
        let Some(block) = filters.text() else { return };
        let start = filters.span();
        let plain = block.trim();
        if YAML_FILES.iter().any(|ending| plain.ends_with(ending)) && !plain.contains(char::is_whitespace) {
            self.filters.elsewhere.push(plain.strip_prefix("./").unwrap_or(plain).to_owned());
            return;
        }
        let block = Text::from(block.as_str());
        let mut list = PathList::default();
        match Document::parse(&block) {
            Err(YamlError { message, .. }) => {
                list.entries.push(PathEntry::unknown(format!("its filters cannot be read as YAML: {message}"), start));
            }
            Ok(document) => {
                let mut written = Vec::new();
                strings(document.root(), &mut written);
                let mut from = start.start;
                for (entry, _) in written {
                    // The block is the same text with blanks before its lines.
                    let found = self.text.as_str()[from..].find(&entry).map(|at| from + at..from + at + entry.len());
                    from = found.as_ref().map_or(from, |span| span.end);
                    list.entries.push(PathEntry::new(&entry, found.unwrap_or_else(|| start.clone()), Syntax::Glob));
                }
            }
        }
        self.filters.lists.push(list);
    }
}

/// What the names of files with filters end with.
const YAML_FILES: [&str; 2] = [".yml", ".yaml"];

/// The texts of a value, however deep in it.
fn strings(node: Node<'_, '_>, found: &mut Vec<(String, Span)>) {
    if let Some(text) = node.text() {
        found.push((text, node.span()));
    }
    for item in node.items() {
        strings(item, found);
    }
    for (_, value) in node.pairs() {
        strings(value, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str, syntax: Syntax) -> PathEntry {
        PathEntry::new(text, 0..0, syntax)
    }

    #[test]
    fn patterns_of_workflows_take_what_github_says() {
        for (pattern, path) in [
            ("*", "README.md"),
            ("*.jsx?", "page.js"),
            ("*.jsx?", "page.jsx"),
            ("**", "all/the/files.md"),
            ("docs/*", "docs/file.txt"),
            ("docs/**", "docs/mona/octocat.txt"),
            ("docs/**/*.md", "docs/a/b/c.md"),
            ("docs/**/*.md", "docs/README.md"),
            ("**/README.md", "README.md"),
            ("**/*src/**", "a/src/app.js"),
            ("**/*-post.md", "a/b-post.md"),
            ("[CB]at", "Cat"),
            ("a{b}", "a{b}"),
            ("\\*", "*"),
        ] {
            assert!(entry(pattern, Syntax::GitHub).takes(path), "{pattern} takes {path}");
        }
        for (pattern, path) in [
            ("*", "docs/README.md"),
            ("docs/*", "docs/a/b.txt"),
            ("images/web", "images/web/Dockerfile"),
            ("{a,b}/c", "a/c"),
            ("docs.md", "docsxmd"),
        ] {
            assert!(!entry(pattern, Syntax::GitHub).takes(path), "{pattern} does not take {path}");
        }
        assert!(entry("a[", Syntax::GitHub).error().is_some());
    }

    #[test]
    fn places_end_before_wildcards() {
        let place = |text: &str, syntax| match entry(text, syntax).place() {
            Some(Place::File(path)) => format!("file {path}"),
            Some(Place::Directory(path)) => path.to_owned(),
            None => String::new(),
        };
        assert_eq!(place("images/web/**", Syntax::GitHub), "images/web");
        assert_eq!(place("images/web*/x", Syntax::GitHub), "images");
        assert_eq!(place("./images/web/x", Syntax::Glob), "file images/web/x");
        assert_eq!(place("**/web/**", Syntax::Glob), "");
        assert_eq!(place("^images/web/", Syntax::Regex), "images/web");
        assert_eq!(place("^images/web/.*", Syntax::Regex), "images/web");
        assert_eq!(place("^images/(web|db)/", Syntax::Regex), "images");
        assert_eq!(place("^images/web/.*|x", Syntax::Regex), "");
        assert_eq!(place("images/web/.*", Syntax::Regex), "");
    }

    #[test]
    fn parts_are_spelled_whole() {
        assert!(entry("images/{web,db}/**", Syntax::Glob).spells("db"));
        assert!(entry("^images/(web\\.io|db)/", Syntax::Regex).spells("web.io"));
        assert!(!entry("images/web-*/**", Syntax::Glob).spells("web"));
        assert!(!entry("images/web*/**", Syntax::Glob).spells("web"));
    }
}
