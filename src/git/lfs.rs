//! What Git LFS keeps beside git's objects: the files that pointers stand for, once `git lfs pull` has fetched them.

use std::path::{Path, PathBuf};

use crate::snapshot::{MAX_FILE, POINTER};

/// A pointer is shorter than this, in bytes: <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>.
const MAX_POINTER: usize = 1024;

/// What stands in the place of a file.
pub(super) enum Stored {
    /// The file itself, or a pointer to what was not fetched.
    This(Vec<u8>),
    /// A pointer to something that is larger than what is read.
    TooLarge,
}

/// The content that a pointer stands for; bytes that are none stay as they are.
pub(super) fn behind(bytes: Vec<u8>, git_dir: &Path) -> std::io::Result<Stored> {
    let Some(file) = location(&bytes, git_dir).filter(|file| file.is_file()) else { return Ok(Stored::This(bytes)) };
    if std::fs::metadata(&file)?.len() > MAX_FILE as u64 {
        return Ok(Stored::TooLarge);
    }
    std::fs::read(&file).map(Stored::This)
}

/// Where Git LFS keeps the content of a pointer.
fn location(bytes: &[u8], git_dir: &Path) -> Option<PathBuf> {
    if bytes.len() > MAX_POINTER || !bytes.starts_with(POINTER) {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let hash = text.lines().find_map(|line| line.strip_prefix("oid sha256:"))?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| git_dir.join("lfs/objects").join(&hash[..2]).join(&hash[2..4]).join(hash))
}
