//! Patterns of paths and of names. Most that are written are plain words, for which no automaton need be built.

use std::sync::OnceLock;

use globset::{Glob, GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::path::{directory_of, file_name, is_below};

/// A path from a given directory, in which `*` and `?` stand for what a single part of it may hold, and `**` for several parts.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(with = "String", inline)]
pub struct PathPattern {
    text: String,
    /// How many bytes of it all paths begin with that match.
    plain: usize,
    /// Where its last part begins.
    last: usize,
    /// `None` where the text is a plain path.
    glob: Option<Box<LazyGlob>>,
}

/// A glob that is compiled when it is first asked: of most rules that is never.
#[derive(Debug, Clone)]
struct LazyGlob {
    glob: Glob,
    form: Form,
    compiled: OnceLock<GlobMatcher>,
    /// What the last part of a path that matches begins and ends with; `None` where that cannot be told.
    ends: Option<(String, String)>,
}

/// How a glob is written: most that are need no automaton.
#[derive(Debug, Clone)]
enum Form {
    /// `a/b/**`: all below a directory.
    Below,
    /// `a/b/*`: what lies in a directory itself.
    In,
    /// `**/*.c`: what ends so, wherever it lies.
    EndsWith(String),
    /// Any other way.
    Other,
}

impl Form {
    fn of(text: &str) -> Self {
        let special = |character: char| character == '\\' || WILDCARDS.contains(&character);
        if let Some(ending) = text.strip_prefix("**/*")
            && !ending.contains(special)
            && !ending.contains('/')
        {
            return Self::EndsWith(ending.to_owned());
        }
        match text.find(special).map(|start| text.split_at(start)) {
            Some((directory, "**")) if directory.ends_with('/') => Self::Below,
            Some((directory, "*")) if directory.ends_with('/') => Self::In,
            _ => Self::Other,
        }
    }
}

impl LazyGlob {
    /// Whether a path matches that begins with the plain part of the glob, which is `plain` bytes long.
    fn is_match(&self, path: &str, plain: usize) -> bool {
        match &self.form {
            Form::Below => path.len() > plain,
            Form::In => path.len() > plain && !path[plain..].contains('/'),
            Form::EndsWith(ending) => path.ends_with(&**ending),
            Form::Other => self.compiled.get_or_init(|| self.glob.compile_matcher()).is_match(path),
        }
    }
}

impl PathPattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim_end_matches('/');
        let text = text.strip_prefix("./").unwrap_or(text);
        if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err("this must be the path of something below, without `.` and `..`".to_owned());
        }
        let mut glob = None;
        if text.contains(WILDCARDS) {
            let (form, ends) = (Form::of(text), ends(text));
            glob = Some(Box::new(LazyGlob { glob: path_glob(text)?, form, compiled: OnceLock::new(), ends }));
        }
        let special = text.find(|character| character == '\\' || WILDCARDS.contains(&character));
        let (plain, last) = (special.unwrap_or(text.len()), text.len() - file_name(text).len());
        Ok(Self { text: text.to_owned(), plain, last, glob })
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path that the pattern is; `None` where it has wildcards.
    pub fn as_path(&self) -> Option<&str> {
        self.glob.is_none().then_some(&*self.text)
    }

    /// The directory below which all lies that can match; the empty one for the directory that it begins in.
    pub fn directory(&self) -> &str {
        let plain = &self.text[..self.text.find(WILDCARDS).unwrap_or(self.text.len())];
        directory_of(plain)
    }

    /// Whether a path matches.
    pub fn is_match(&self, path: &str) -> bool {
        match &self.glob {
            None => self.text == path,
            // Most paths begin otherwise: then nothing need be compiled.
            Some(glob) => path.starts_with(&self.text[..self.plain]) && glob.is_match(path, self.plain),
        }
    }

    /// Whether a path may match that ends with this name. Nearly all names tell that none does.
    pub fn may_end_with(&self, name: &str) -> bool {
        match self.glob.as_deref() {
            None => self.text[self.last..] == *name,
            Some(LazyGlob { ends: Some((start, end)), .. }) => name.starts_with(&**start) && name.ends_with(&**end),
            Some(_) => true,
        }
    }

    /// Whether a path matches, or a directory above it.
    pub fn covers(&self, path: &str) -> bool {
        match &self.glob {
            None => is_below(path, &self.text),
            Some(_) => path.match_indices('/').map(|(end, _)| &path[..end]).chain([path]).any(|it| self.is_match(it)),
        }
    }
}

/// What the last part of a path begins and ends with that a glob matches; `None` where that cannot be told.
fn ends(glob: &str) -> Option<(String, String)> {
    // What stands between brackets may hold a slash.
    if glob.contains(['[', '{', '\\']) {
        return None;
    }
    let last = file_name(glob);
    let start = last.find(WILDCARDS).unwrap_or(last.len());
    let end = last.rfind(WILDCARDS).map_or(0, |wildcard| wildcard + 1);
    Some((last[..start].to_owned(), last[end..].to_owned()))
}

/// A glob in which `*` and `?` hold no slash.
fn path_glob(text: &str) -> Result<Glob, String> {
    let glob = GlobBuilder::new(text).literal_separator(true).empty_alternates(true).build();
    glob.map_err(|error| error.kind().to_string())
}

const WILDCARDS: [char; 4] = ['*', '?', '[', '{'];

impl<'de> Deserialize<'de> for PathPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Patterns over the names of images; a bad one is an error of the configuration. They are compiled when they are first
/// needed: most runs need none.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(with = "Vec<String>", inline)]
pub struct Globs {
    patterns: Vec<Glob>,
    compiled: OnceLock<GlobSet>,
}

impl Globs {
    /// Whether one of the patterns matches.
    pub fn is_match(&self, name: &str) -> bool {
        !self.patterns.is_empty() && self.compiled.get_or_init(|| self.compile()).is_match(name)
    }

    fn compile(&self) -> GlobSet {
        let mut set = GlobSetBuilder::new();
        for pattern in &self.patterns {
            set.add(pattern.clone());
        }
        // Each pattern was good on its own.
        set.build().unwrap_or_else(|_| GlobSet::empty())
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns that match none of these names.
    pub fn unused<'g>(&'g self, names: &[&str]) -> impl Iterator<Item = &'g str> {
        let mut unused = Vec::new();
        for pattern in &self.patterns {
            let matcher = pattern.compile_matcher();
            if !names.iter().any(|name| matcher.is_match(name)) {
                unused.push(pattern.glob());
            }
        }
        unused.into_iter()
    }
}

impl<'de> Deserialize<'de> for Globs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let patterns = Vec::<String>::deserialize(deserializer)?
            .into_iter()
            .map(|pattern| GlobBuilder::new(&pattern).empty_alternates(true).build());
        let patterns = patterns.collect::<Result<_, _>>().map_err(serde::de::Error::custom)?;
        Ok(Self { patterns, compiled: OnceLock::new() })
    }
}

/// A pattern as `.gitignore` writes it: without a slash it matches at any depth, with a closing slash it matches directories with
/// everything in them.
#[derive(Debug, Clone)]
pub enum GitIgnorePattern {
    /// The name of a file.
    Name(String),
    /// What the name of a file ends with.
    Suffix(String),
    /// The name of a directory.
    Directory(String),
    /// Anything else.
    Glob(Glob),
}

/// A set of patterns as `.gitignore` writes them.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    names: Vec<String>,
    suffixes: Vec<String>,
    directories: Vec<String>,
    globs: GlobSet,
}

impl GitIgnorePattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.starts_with('!') {
            return Err("no pattern can take back what another one says".to_owned());
        }
        let (body, below) = text.strip_suffix('/').map_or((text, ""), |body| (body, "/**"));
        match body.strip_prefix('*') {
            _ if is_plain(body) && !below.is_empty() => Ok(Self::Directory(body.to_owned())),
            _ if is_plain(body) => Ok(Self::Name(body.to_owned())),
            Some(suffix) if is_plain(suffix) && below.is_empty() => Ok(Self::Suffix(suffix.to_owned())),
            _ => {
                let anchor = if body.contains('/') { "" } else { "**/" };
                let pattern = format!("{anchor}{}{below}", body.trim_start_matches('/'));
                path_glob(&pattern).map(Self::Glob)
            }
        }
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(['/', '*', '?', '[', ']', '{', '}', '\\'])
}

impl Ignore {
    /// Whether a pattern matches a path.
    pub fn is_match(&self, path: &str) -> bool {
        let (directories, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.names.iter().any(|known| known == name)
            || self.suffixes.iter().any(|suffix| name.ends_with(&**suffix))
            || directories.split('/').any(|directory| self.directories.iter().any(|known| known == directory))
            || (!self.globs.is_empty() && self.globs.is_match(path))
    }
}

impl FromIterator<GitIgnorePattern> for Ignore {
    fn from_iter<I: IntoIterator<Item = GitIgnorePattern>>(patterns: I) -> Self {
        let mut ignore = Self::default();
        let mut globs = GlobSetBuilder::new();
        for pattern in patterns {
            match pattern {
                GitIgnorePattern::Name(name) => ignore.names.push(name),
                GitIgnorePattern::Suffix(suffix) => ignore.suffixes.push(suffix),
                GitIgnorePattern::Directory(directory) => ignore.directories.push(directory),
                GitIgnorePattern::Glob(glob) => drop(globs.add(glob)),
            }
        }
        // Each of them compiled on its own already.
        ignore.globs = globs.build().unwrap_or_default();
        ignore
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_from_where_they_begin() {
        let pattern = |text: &str| PathPattern::new(text).expect("a pattern");
        assert!(pattern("./lib/").covers("lib/a/b") && pattern("lib").covers("lib") && !pattern("lib").covers("a/lib"));
        assert!(pattern("lib/*.sh").covers("lib/a.sh") && !pattern("lib/*.sh").covers("lib/a/b.sh"));
        assert!(pattern("l*").covers("lib/a/b") && !pattern("l*").is_match("lib/a") && pattern("l*").is_match("lib"));
        assert!(pattern("a{,.b}").is_match("a") && pattern("a{,.b}").is_match("a.b"));
        assert!(pattern("**/x").is_match("a/b/x") && pattern("**/x").is_match("x"));
        assert_eq!(["a/b*/c", "*", "a/b"].map(|text| pattern(text).directory().to_owned()), ["a", "", "a"]);
        assert!(["", ".", "/a", "a/../b", "a//b", "a["].iter().all(|text| PathPattern::new(text).is_err()));
    }

    #[test]
    fn what_needs_no_automaton_matches_what_it_would() {
        let paths =
            ["a", "a/b", "a/b/c", "a/b/c.d", "ab/c", ".c", "c.c", "a/.c", "b/c.c", "b/c.c/d", "a/\n", "a/b\nc.c"];
        for text in ["a/**", "a/*", "a/b/**", "a/b/*", "**/*.c", "**/*c", "**/*", "a/**/*", "a/b*", "**", "*"] {
            let pattern = PathPattern::new(text).expect("a pattern");
            let glob = path_glob(text).expect("a glob").compile_matcher();
            for path in paths {
                assert_eq!(pattern.is_match(path), glob.is_match(path), "{text} and {path}");
            }
        }
    }

    #[test]
    fn patterns_match_as_gitignore_has_them() {
        let matches = |pattern: &str, path: &str| {
            Ignore::from_iter([GitIgnorePattern::new(pattern).expect("a pattern")]).is_match(path)
        };
        for (pattern, path) in [
            ("OWNERS", "OWNERS"),
            ("OWNERS", "a/b/OWNERS"),
            ("*.md", "a/x.md"),
            ("*_test.go", "x_test.go"),
            ("testdata/", "a/testdata/b/c"),
            ("test*/", "a/testdata/b"),
            ("docs/*.txt", "docs/a.txt"),
            ("/Makefile", "Makefile"),
        ] {
            assert!(matches(pattern, path), "{pattern} matches {path}");
        }
        for (pattern, path) in [
            ("OWNERS", "OWNERS/a"),
            ("OWNERS", "NEW_OWNERS"),
            ("*.md", "a.md/x"),
            ("testdata/", "testdata"),
            ("testdata/", "a/mytestdata/b"),
            ("docs/*.txt", "a/docs/a.txt"),
            ("docs/*.txt", "docs/a/b.txt"),
            ("/Makefile", "a/Makefile"),
        ] {
            assert!(!matches(pattern, path), "{pattern} does not match {path}");
        }
    }
}
