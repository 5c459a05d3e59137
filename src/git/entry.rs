//! Single entries of trees, of the index and of the working tree, in the words of a snapshot.

use std::path::Path;

use git2::{FileMode, Oid};

use crate::snapshot::{Content, FileKind};

pub(super) fn object(id: Oid) -> Content {
    Content::Object(bytes_of(id))
}

pub(super) fn bytes_of(id: Oid) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&id.as_bytes()[..20]);
    bytes
}

/// The mode of a directory in its parent.
pub(super) const DIRECTORY: i32 = 0o04_0000;

/// A mode as git takes it: by its type, and of a file by whether its owner may execute it. Other programs write others.
pub(super) fn canonical(mode: i32) -> i32 {
    match mode & 0o17_0000 {
        0o10_0000 if mode & 0o100 == 0 => FileMode::Blob.into(),
        0o10_0000 => FileMode::BlobExecutable.into(),
        0o12_0000 => FileMode::Link.into(),
        DIRECTORY => DIRECTORY,
        _ => FileMode::Commit.into(),
    }
}

/// What a canonical mode says; `None` for a directory.
pub(super) fn kind_of_mode(mode: i32) -> Option<FileKind> {
    if mode == i32::from(FileMode::Link) {
        Some(FileKind::Symlink)
    } else if mode == i32::from(FileMode::Commit) {
        Some(FileKind::Submodule)
    } else if mode == i32::from(FileMode::BlobExecutable) {
        Some(FileKind::Executable)
    } else if mode == i32::from(FileMode::Blob) {
        Some(FileKind::File)
    } else {
        None
    }
}

/// The bytes of a file of the working tree: of a link, its target.
pub(super) fn bytes_on_disk(file: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::symlink_metadata(file)?.is_symlink() {
        let target = std::fs::read_link(file)?;
        return Ok(target.to_string_lossy().replace('\\', "/").into_bytes());
    }
    std::fs::read(file)
}
