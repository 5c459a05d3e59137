//! The part of a tree that a pack is about.

use std::collections::BTreeSet;

use crate::path::{directories_above, is_below};

/// The part of a repository that a pack is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Directories that are read whole, without a closing slash; the empty one is the whole repository.
    pub directories: Vec<String>,
    /// Single files outside of them.
    pub files: Vec<String>,
    /// The directories above all of these. What stands in their place hides what lies below them.
    pub above: Vec<String>,
}

impl Scope {
    /// Adds the files of a list that do not belong to it yet, with the directories above them.
    pub fn add_files(&mut self, files: &BTreeSet<String>) {
        let outside: Vec<&String> = files.iter().filter(|file| !self.contains(file)).collect();
        let above: BTreeSet<&str> = outside.iter().flat_map(|file| directories_above(file)).collect();
        let above: Vec<&str> = above.into_iter().filter(|directory| !self.contains(directory)).collect();
        self.above.extend(above.into_iter().map(str::to_owned));
        self.files.extend(outside.into_iter().cloned());
    }

    /// Whether a path belongs to the scope.
    pub fn contains(&self, path: &str) -> bool {
        self.files.iter().chain(&self.above).any(|file| file == path)
            || self.directories.iter().any(|directory| is_below(path, directory))
    }
}
