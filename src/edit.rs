//! Repairs: edits of values in files, as plain data.

use std::sync::Arc;

use crate::text::Span;

/// The replacement of one range of bytes in one file. Nothing outside of the range is touched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
