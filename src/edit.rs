//! Repairs: edits of values in files, as plain data, and what they make of a file.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::text::Span;

/// The replacement of one range of bytes in one file. Nothing outside of the range is touched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edit {
    /// The file, relative to the root of the repository.
    pub path: Arc<str>,
    /// The first byte that is replaced.
    pub start: usize,
    /// The byte after the last one that is replaced.
    pub end: usize,
    /// What stands there afterwards.
    pub text: String,
}

/// Edits that belong together: all of them are made, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What the fix does, in the imperative: `set VERSION to 2.26`.
    pub title: String,
    /// Whether it may be made unasked: it states what the policy demands and cannot change what the author meant.
    pub safe: bool,
    /// The edits, in any order and in any number of files.
    pub edits: Vec<Edit>,
}

impl Edit {
    /// An edit that puts `text` in the place of `span`.
    pub fn replace(path: &Arc<str>, span: &Span, text: impl Into<String>) -> Self {
        Self { path: Arc::clone(path), start: span.start, end: span.end, text: text.into() }
    }

    fn is_insertion(&self) -> bool {
        self.start == self.end
    }

    /// Whether both cannot be made. Edits that are equal can, and so can edits that merely touch.
    pub fn conflicts_with(&self, other: &Self) -> bool {
        let overlaps = self.start < other.end && other.start < self.end;
        let meet = self.start == other.start && self.is_insertion() && other.is_insertion();
        self.path == other.path && self != other && (overlaps || meet)
    }
}

impl Fix {
    /// A fix that is made by `--fix`.
    pub fn safe(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { title: title.into(), safe: true, edits }
    }

    /// A fix that is made by `--unsafe-fixes` alone.
    pub fn risky(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { safe: false, ..Self::safe(title, edits) }
    }
}

/// Makes edits of one file, which must not conflict. Bytes between them are copied as they are.
pub fn apply(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let edits: BTreeSet<&Edit> = edits.iter().collect();
    let mut edited = Vec::with_capacity(bytes.len() + 16);
    let mut position = 0;
    for edit in edits {
        edited.extend_from_slice(bytes.get(position..edit.start).unwrap_or_default());
        edited.extend_from_slice(edit.text.as_bytes());
        position = edit.end.max(position);
    }
    edited.extend_from_slice(bytes.get(position..).unwrap_or_default());
    edited
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit { path: "a".into(), start, end, text: text.to_owned() }
    }

    #[test]
    fn gaps_are_copied_byte_for_byte() {
        let edits = [edit(4, 5, "two"), edit(0, 1, ""), edit(4, 5, "two"), edit(6, 6, "!")];
        assert_eq!(apply(b"\xffa\r\n2\xfe", &edits), b"a\r\ntwo\xfe!");
    }

    #[test]
    fn touching_is_no_conflict() {
        assert!(!edit(0, 2, "a").conflicts_with(&edit(2, 4, "b")));
        assert!(!edit(2, 2, "a").conflicts_with(&edit(2, 4, "b")));
        assert!(!edit(0, 2, "a").conflicts_with(&edit(0, 2, "a")));
        assert!(edit(0, 3, "a").conflicts_with(&edit(2, 4, "b")));
        assert!(edit(2, 2, "a").conflicts_with(&edit(2, 2, "b")));
    }
}
