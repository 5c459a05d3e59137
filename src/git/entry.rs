//! Single entries of trees, of the index and of the working tree, in the words of a snapshot.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use git2::{FileMode, Oid};

use crate::snapshot::{Content, Entry, FileKind};

/// The files of a tree, by path.
pub(super) type Entries = BTreeMap<Arc<str>, Entry>;

pub(super) fn object(id: Oid) -> Content {
    Content::Object(bytes_of(id))
}

pub(super) fn bytes_of(id: Oid) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&id.as_bytes()[..20]);
    bytes
}

/// A path as text. Bytes that are no UTF-8 are shown as `\xNN`: such a file is content, and can be nothing else. Where the name
/// itself reads so, its backslash is shown as `\x5c`: no two names are shown alike.
pub(super) fn path_of_bytes(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    if let Ok(path) = std::str::from_utf8(bytes)
        && !bytes.contains(&b'\\')
    {
        return path.to_owned();
    }
    let mut path = String::new();
    for chunk in bytes.utf8_chunks() {
        path.push_str(&chunk.valid().replace(r"\x", r"\x5cx"));
        for byte in chunk.invalid() {
            let _ = write!(path, "\\x{byte:02x}");
        }
    }
    path
}

pub(super) fn kind_of_mode(mode: i32) -> Option<FileKind> {
    if mode == i32::from(FileMode::Link) {
        Some(FileKind::Symlink)
    } else if mode == i32::from(FileMode::Commit) {
        Some(FileKind::Submodule)
    } else if mode == i32::from(FileMode::BlobExecutable) {
        Some(FileKind::Executable)
    } else if mode == i32::from(FileMode::Blob) || mode == i32::from(FileMode::BlobGroupWritable) {
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
