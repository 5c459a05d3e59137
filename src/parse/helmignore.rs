//! `.helmignore`: what Helm leaves out of a chart that it packs. Its patterns look like those of `.gitignore` and mean something else:
//! the first that matches decides, `**` is refused, and one with `!` leaves out all that it does *not* match.

use super::wildcard::{Dialect, Wildcard};
use crate::text::{Span, Text};

/// How many patterns are read.
const MAX_PATTERNS: usize = 10_000;

/// What Helm leaves out whatever the file says.
const ALWAYS: &str = "templates/.?*";

/// What a chart leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmIgnore {
    patterns: Vec<Exclusion>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Exclusion {
    wildcard: Wildcard,
    /// Whether it is about the whole path, and not about the last name in it alone.
    is_of_path: bool,
    is_of_directories: bool,
    is_negated: bool,
}

/// A line that Helm refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmIgnoreError {
    /// What is wrong with it.
    pub message: &'static str,
    /// The line.
    pub span: Span,
}

impl Default for HelmIgnore {
    /// What holds where there is no such file.
    fn default() -> Self {
        Self { patterns: Exclusion::new(ALWAYS).into_iter().collect() }
    }
}

impl HelmIgnore {
    /// Reads a file.
    pub fn parse(text: &Text) -> Result<Self, HelmIgnoreError> {
        let mut patterns = Vec::new();
        for (span, line) in text.lines() {
            let written = line.trim_start_matches('\u{feff}').trim();
            if written.is_empty() || written.starts_with('#') {
                continue;
            }
            if written.contains("**") {
                return Err(HelmIgnoreError { message: "Helm knows no double stars", span });
            }
            if patterns.len() == MAX_PATTERNS {
                return Err(HelmIgnoreError { message: "there are more than 10,000 patterns in it", span });
            }
            match Exclusion::new(written) {
                Some(pattern) => patterns.push(pattern),
                None => return Err(HelmIgnoreError { message: "a pattern is malformed", span }),
            }
        }
        patterns.extend(Exclusion::new(ALWAYS));
        Ok(Self { patterns })
    }

    /// Whether a file is left out, given by its path in the chart: itself, or with a directory above it.
    pub fn leaves_out(&self, path: &str) -> bool {
        path.match_indices('/').any(|(slash, _)| self.names(&path[..slash], true)) || self.names(path, false)
    }

    fn names(&self, path: &str, is_directory: bool) -> bool {
        for pattern in &self.patterns {
            if pattern.is_negated {
                if (pattern.is_of_directories && !is_directory) || !pattern.is_match(path) {
                    return true;
                }
            } else if (is_directory || !pattern.is_of_directories) && pattern.is_match(path) {
                return true;
            }
        }
        false
    }
}

impl Exclusion {
    fn new(written: &str) -> Option<Self> {
        let (is_negated, rest) = written.strip_prefix('!').map_or((false, written), |rest| (true, rest));
        let (is_of_directories, rest) = rest.strip_suffix('/').map_or((false, rest), |rest| (true, rest));
        let is_of_path = rest.contains('/');
        let wildcard = Wildcard::new(rest.strip_prefix('/').unwrap_or(rest), Dialect::Go)?;
        Some(Self { wildcard, is_of_path, is_of_directories, is_negated })
    }

    fn is_match(&self, path: &str) -> bool {
        let name = if self.is_of_path { path } else { path.rsplit('/').next().unwrap_or(path) };
        self.wildcard.is_match(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out<'p>(file: &str, paths: &[&'p str]) -> Vec<&'p str> {
        let file = HelmIgnore::parse(&Text::from(file)).expect("a good file");
        paths.iter().filter(|path| file.leaves_out(path)).copied().collect()
    }

    const PATHS: [&str; 6] =
        ["Chart.yaml", "docs/a.txt", "templates/a.yaml", "templates/docs/b.txt", "a.txt", "docs.txt"];

    #[test]
    fn a_name_is_looked_for_everywhere_and_a_path_from_the_top() {
        assert_eq!(left_out("# docs\n\n*.txt \n", &PATHS), ["docs/a.txt", "templates/docs/b.txt", "a.txt", "docs.txt"]);
        assert_eq!(left_out("docs/\n", &PATHS), ["docs/a.txt", "templates/docs/b.txt"]);
        assert_eq!(left_out("/docs\n", &PATHS), ["docs/a.txt"]);
        assert_eq!(left_out("templates/*.yaml\n", &PATHS), ["templates/a.yaml"]);
        assert_eq!(left_out("/a.txt/\n", &PATHS), [""; 0]);
    }

    #[test]
    fn a_mark_turns_a_pattern_round_and_brings_nothing_back() {
        assert_eq!(left_out("*.txt\n!a.txt\n", &PATHS), PATHS.to_vec());
        assert_eq!(left_out("!*a*\n", &PATHS), ["docs/a.txt", "templates/docs/b.txt", "docs.txt"]);
    }

    #[test]
    fn hidden_files_are_no_templates() {
        assert!(HelmIgnore::default().leaves_out("templates/.a.swp"));
        assert!(!HelmIgnore::default().leaves_out("templates/tests/.a.swp"));
        assert_eq!(left_out("x\n", &["templates/.a/b", ".a"]), ["templates/.a/b"]);
    }

    #[test]
    fn what_helm_refuses_is_malformed() {
        for line in ["a/**", "[a", "a\\"] {
            assert!(HelmIgnore::parse(&Text::from(line)).is_err(), "{line}");
        }
    }
}
