//! The bytes that git checks files out with, as the `.gitattributes` of a tree say.

use crate::parse::gitattributes::{self, Conversion, GitAttributes};
use crate::path::{directory_of, file_name, is_below};
use crate::snapshot::{FileKind, Snapshot, StoreError};

/// What the files of attributes of a tree make of its other files.
#[derive(Default)]
pub(super) struct Conversions {
    /// By the directory that they lie in, those at the top first.
    files: Vec<(String, GitAttributes)>,
    /// Those that hold more than can be looked at.
    pub(super) unread: Vec<StoreError>,
}

impl Conversions {
    /// Reads all files of attributes of a tree.
    pub(super) fn of(files: &Snapshot<'_>) -> Result<Self, StoreError> {
        let mut conversions = Self::default();
        for (path, entry) in files.entries().iter().filter(|(path, _)| file_name(path) == gitattributes::FILE) {
            // Git does not read a link.
            if !matches!(entry.kind, FileKind::File | FileKind::Executable) {
                continue;
            }
            let attributes = match files.text(path)? {
                Some(Ok(text)) => GitAttributes::parse(&text),
                _ => None,
            };
            match attributes {
                Some(attributes) => conversions.files.push((directory_of(path).to_owned(), attributes)),
                None => conversions.unread.push(StoreError {
                    path: path.to_string(),
                    reason: "it holds more than can be looked at".to_owned(),
                    help: Some("write fewer patterns: it says which files git checks out with other bytes".to_owned()),
                }),
            }
        }
        conversions
            .files
            .sort_by_key(|(directory, _)| if directory.is_empty() { 0 } else { 1 + directory.matches('/').count() });
        Ok(conversions)
    }

    /// What they make of the file at a path.
    pub(super) fn of_path(&self, path: &str) -> Conversion {
        let mut conversion = Conversion::default();
        for (directory, attributes) in self.files.iter().filter(|(directory, _)| is_below(path, directory)) {
            attributes.apply(path[directory.len()..].trim_start_matches('/'), &mut conversion);
        }
        conversion
    }
}
