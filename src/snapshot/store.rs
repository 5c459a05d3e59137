//! What a path of a tree holds, and where that is read.

use std::sync::Arc;

use crate::text::{Text, escape};

/// The largest control file that is read, in bytes.
pub const MAX_FILE: usize = 1 << 20;

/// What the names of files begin with that are about to take the place of repaired ones. They are no part of any tree.
pub const TEMPORARY_PREFIX: &str = ".imglint-";

/// What their names end with.
pub const TEMPORARY_SUFFIX: &str = ".tmp";

/// What kind of thing a path of the tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its content is its target.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

/// What identifies a content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Content {
    /// The object of this id in the store.
    Object([u8; 20]),
    /// These bytes.
    Inline(Arc<[u8]>),
}

/// One path of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Its kind. A change of it is a change.
    pub kind: FileKind,
    /// What it holds; of a link, where that leads.
    pub content: Content,
}

/// Where contents come from.
pub trait Store: Send + Sync {
    /// Reads the object of an entry; `None` where it is larger than [`MAX_FILE`].
    fn read(&self, path: &str, id: &[u8; 20]) -> Result<Option<Vec<u8>>, StoreError>;
}

/// A content that could not be had: the run cannot judge.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
#[error("failed to read {}: {}", escape(path), escape(reason))]
pub struct StoreError {
    /// The file, by its path in the tree.
    pub path: String,
    /// What stood in the way.
    pub reason: String,
    /// What to do about it.
    #[help]
    pub help: Option<String>,
}

impl StoreError {
    /// A file that must be readable, and is not.
    pub fn unreadable(path: &str, why: &ReadError) -> Self {
        let help = match why {
            ReadError::Pointer => "fetch what the pointers of Git LFS stand for: git lfs pull",
            _ => "rules look into this file: put the file itself here, as text of at most 1 MiB",
        };
        Self { path: path.to_owned(), reason: format!("it {why}"), help: Some(help.to_owned()) }
    }
}

/// Why a file that is there holds no text that could be judged. The author can mend it, hence a finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Larger than [`MAX_FILE`].
    #[error("is larger than 1 MiB")]
    TooLarge,
    /// A link whose target cannot be judged.
    #[error("is a symbolic link to `{0}`, which is no file among those that are judged")]
    Link(String),
    /// A commit of another repository.
    #[error("is a submodule, not a file")]
    Submodule,
    /// What Git LFS stores in the place of a file.
    #[error("is a pointer of Git LFS, not the file itself")]
    Pointer,
    /// Text that is not of the language that it should be of.
    #[error("cannot be read as YAML: {0}")]
    Malformed(String),
}

/// How pointers of Git LFS begin: <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>.
pub const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// A file's text, or why it has none.
pub type Read = Result<Arc<Text>, ReadError>;
