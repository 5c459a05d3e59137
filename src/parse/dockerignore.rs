//! `.dockerignore`: what the context of a build leaves out, as moby's `patternmatcher` reads it. The last pattern that matches a
//! path, or a directory above it, decides; one with `!` brings back.

use super::wildcard::{Dialect, Wildcard};
use crate::path::is_below;
use crate::text::{Span, Text};

/// The file that says what is left out, for all Dockerfiles that have none of their own.
pub const FILE: &str = ".dockerignore";

/// What is put behind the name of a Dockerfile to name the file for it alone.
pub const SUFFIX: &str = ".dockerignore";

/// How many patterns are read.
const MAX_PATTERNS: usize = 10_000;

/// What a context leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DockerIgnore {
    patterns: Vec<Exclusion>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Exclusion {
    text: String,
    /// `None` where it is a plain path.
    wildcard: Option<Wildcard>,
    brings_back: bool,
    span: Span,
}

/// A line that the builder refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerIgnoreError {
    /// What is wrong with it.
    pub message: &'static str,
    /// The line.
    pub span: Span,
}

impl DockerIgnore {
    /// Reads a file.
    pub fn parse(text: &Text) -> Result<Self, DockerIgnoreError> {
        let mut patterns = Vec::new();
        for (span, line) in text.lines() {
            let line = if span.start == 0 { line.trim_start_matches('\u{feff}') } else { line };
            let written = line.trim();
            if line.starts_with('#') || written.is_empty() {
                continue;
            }
            let malformed = |message| DockerIgnoreError { message, span: span.clone() };
            if patterns.len() == MAX_PATTERNS {
                return Err(malformed("there are more than 10,000 patterns in it"));
            }
            let (written, brings_back) = match written.strip_prefix('!') {
                Some(written) => (written.trim(), true),
                None => (written, false),
            };
            if written.is_empty() {
                return Err(malformed("an exclamation mark stands alone"));
            }
            let text = cleaned(written);
            let has_wildcard = text.contains(['*', '?', '[', '\\']);
            let wildcard = has_wildcard.then(|| Wildcard::new(&text, Dialect::DockerIgnore));
            if wildcard == Some(None) || text.ends_with('\\') {
                return Err(malformed("a pattern is malformed"));
            }
            patterns.push(Exclusion { text, wildcard: wildcard.flatten(), brings_back, span });
        }
        Ok(Self { patterns })
    }

    /// Where the pattern stands by which the context leaves out a path; `None` for a path that it holds.
    pub fn leaves_out(&self, path: &str) -> Option<Span> {
        // Which patterns have matched a directory above: those are not asked again.
        let mut has_matched = vec![false; self.patterns.len()];
        let mut decisive = None;
        for end in path.match_indices('/').map(|(slash, _)| slash).chain([path.len()]) {
            decisive = None;
            for (pattern, has_matched) in self.patterns.iter().zip(&mut has_matched) {
                // What is left out already need not be left out again, nor what is there be brought back.
                if !*has_matched && pattern.brings_back == decisive.is_some() {
                    *has_matched = pattern.is_match(&path[..end]);
                }
                if *has_matched {
                    decisive = (!pattern.brings_back).then(|| pattern.span.clone());
                }
            }
        }
        decisive
    }

    /// Whether a pattern may bring back something below a directory.
    pub fn may_bring_back_below(&self, directory: &str) -> bool {
        self.patterns.iter().filter(|pattern| pattern.brings_back).any(|pattern| {
            let plain = &pattern.text[..pattern.text.find(['*', '?', '[', '\\']).unwrap_or(pattern.text.len())];
            is_below(plain, directory) || (pattern.wildcard.is_some() && directory.starts_with(plain))
        })
    }
}

impl Exclusion {
    fn is_match(&self, path: &str) -> bool {
        self.wildcard.as_ref().map_or(self.text == path, |wildcard| wildcard.is_match(path))
    }
}

/// A pattern as Go's `filepath.Clean` leaves it, without the slash at its beginning.
fn cleaned(pattern: &str) -> String {
    let is_rooted = pattern.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if is_rooted => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() { if is_rooted { "/" } else { "." }.to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out<'p>(file: &str, paths: &[&'p str]) -> Vec<&'p str> {
        let file = DockerIgnore::parse(&Text::from(file)).expect("a good file");
        paths.iter().filter(|path| file.leaves_out(path).is_some()).copied().collect()
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        assert_eq!(left_out("*\n!a\n", &["a", "b", "a/x", "c/a"]), ["b", "c/a"]);
        assert_eq!(left_out("!a\n*\n", &["a", "b"]), ["a", "b"]);
        assert_eq!(left_out("a\n!a/keep\na/keep/not\n", &["a/x", "a/keep", "a/keep/not"]), ["a/x", "a/keep/not"]);
    }

    #[test]
    fn directories_comments_and_slashes_are_read_as_docker_reads_them() {
        let paths = ["docs/a", "x/docs/a", "docs", "#a", "a.md", "x/a.md"];
        assert_eq!(left_out("\u{feff}/docs/\n", &paths), ["docs/a", "docs"]);
        assert_eq!(left_out("**/docs\n", &paths), ["docs/a", "x/docs/a", "docs"]);
        assert_eq!(left_out("# *\n  ./*.md \n #a\n", &paths), ["#a", "a.md"]);
        assert_eq!(left_out("*/*.md\nx/../docs\n! docs/a", &paths), ["docs", "x/a.md"]);
        assert_eq!(left_out("**\n!**/*.md\n", &paths), ["docs/a", "x/docs/a", "docs", "#a"]);
    }

    #[test]
    fn what_docker_refuses_is_malformed() {
        for file in ["!\n", "a\n! \n", "a[\n", "a\\\n"] {
            assert!(DockerIgnore::parse(&Text::from(file)).is_err(), "{file:?}");
        }
        assert!(DockerIgnore::parse(&Text::from("a\n".repeat(10_001).as_str())).is_err());
    }

    #[test]
    fn exceptions_may_reach_below_what_is_left_out() {
        let may = |file: &str| DockerIgnore::parse(&Text::from(file)).expect("a good file").may_bring_back_below("a");
        assert!(may("a\n!a/x") && may("a\n!**/x") && may("*\n!a*/x"));
        assert!(!may("a\n!b") && !may("a\n!ab*"));
    }
}
