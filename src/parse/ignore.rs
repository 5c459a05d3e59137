//! Patterns as `.gitignore` writes them: without a slash they match at any depth, with a closing slash they match directories
//! with everything in them.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// One pattern.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// The name of a file.
    Name(String),
    /// What the name of a file ends with.
    Suffix(String),
    /// The name of a directory.
    Directory(String),
    /// Anything else.
    Glob(Glob),
}

/// A set of patterns. Most are plain names and suffixes, for which no automaton need be built.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    names: Vec<String>,
    suffixes: Vec<String>,
    directories: Vec<String>,
    globs: GlobSet,
}

impl Pattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.starts_with('!') {
            return Err("no pattern can take back what another one says".to_owned());
        }
        let (body, below) = text.strip_suffix('/').map_or((text, ""), |body| (body, "/**"));
        let is_plain = |text: &str| !text.is_empty() && !text.contains(['/', '*', '?', '[', ']', '{', '}', '\\']);
        match body.strip_prefix('*') {
            _ if is_plain(body) && !below.is_empty() => Ok(Self::Directory(body.to_owned())),
            _ if is_plain(body) => Ok(Self::Name(body.to_owned())),
            Some(suffix) if is_plain(suffix) && below.is_empty() => Ok(Self::Suffix(suffix.to_owned())),
            _ => {
                let anchor = if body.contains('/') { "" } else { "**/" };
                let pattern = format!("{anchor}{}{below}", body.trim_start_matches('/'));
                let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
                glob.map(Self::Glob).map_err(|error| error.kind().to_string())
            }
        }
    }
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

impl FromIterator<Pattern> for Ignore {
    fn from_iter<I: IntoIterator<Item = Pattern>>(patterns: I) -> Self {
        let mut ignore = Self::default();
        let mut globs = GlobSetBuilder::new();
        for pattern in patterns {
            match pattern {
                Pattern::Name(name) => ignore.names.push(name),
                Pattern::Suffix(suffix) => ignore.suffixes.push(suffix),
                Pattern::Directory(directory) => ignore.directories.push(directory),
                Pattern::Glob(glob) => drop(globs.add(glob)),
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
    fn patterns_match_as_gitignore_has_them() {
        let matches =
            |pattern: &str, path: &str| Ignore::from_iter([Pattern::new(pattern).expect("a pattern")]).is_match(path);
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
