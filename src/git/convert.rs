//! What git makes of files of the working tree before it stores them: other line ends, or what a filter says. Libgit2 tells that
//! such a file differs on disk, where git itself would call it unchanged.

use std::path::Path;

use git2::Oid;

use super::{Doing, GitError, Repository};

impl Repository {
    /// The bytes of a file as git would store them, where that is not as they lie on disk: with other line ends.
    pub(super) fn converted(&self, path: &str, file: &Path) -> Result<Option<Vec<u8>>, GitError> {
        let attribute = |name| self.attribute(path, name);
        let failed = |source| GitError::Io { path: path.to_owned(), source };
        let is_set = |value| matches!(value, git2::AttrValue::True | git2::AttrValue::String(_));
        let auto = || {
            let config = self.inner.config().and_then(|mut config| config.snapshot());
            config.is_ok_and(|config| matches!(config.get_str("core.autocrlf"), Ok("true" | "input")))
        };
        let is_text = match attribute("text") {
            git2::AttrValue::False => false,
            git2::AttrValue::Unspecified => is_set(attribute("eol")) || auto(),
            value => is_set(value),
        };
        if !is_text {
            return Ok(None);
        }
        let bytes = std::fs::read(file).map_err(failed)?;
        // Git takes a file with a NUL for a binary one.
        if bytes.contains(&0) || !bytes.windows(2).any(|pair| pair == b"\r\n") {
            return Ok(None);
        }
        let mut converted = Vec::with_capacity(bytes.len());
        for (position, &byte) in bytes.iter().enumerate() {
            if byte != b'\r' || bytes.get(position + 1) != Some(&b'\n') {
                converted.push(byte);
            }
        }
        Ok(Some(converted))
    }

    /// The id of what a filter of the user's, such as that of git-lfs, makes of a file; `None` where there is no filter. Git alone
    /// knows how to run it.
    pub(super) fn filtered(&self, path: &str, file: &Path) -> Result<Option<Oid>, GitError> {
        if !matches!(self.attribute(path, "filter"), git2::AttrValue::String(_)) {
            return Ok(None);
        }
        let failed = |source| GitError::Io { path: path.to_owned(), source };
        let mut command = std::process::Command::new("git");
        command.arg("--git-dir").arg(self.inner.path()).args(["hash-object", "--stdin", "--path", path]);
        let output = command.stdin(std::fs::File::open(file).map_err(failed)?).output().map_err(failed)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(failed(std::io::Error::other(said)));
        }
        let id = String::from_utf8_lossy(&output.stdout);
        Oid::from_str(id.trim()).doing("reading what git made of a file").map(Some)
    }

    fn attribute(&self, path: &str, name: &str) -> git2::AttrValue<'_> {
        let value = self.inner.get_attr_bytes(Path::new(path), name, git2::AttrCheckFlags::FILE_THEN_INDEX);
        value.map_or(git2::AttrValue::Unspecified, git2::AttrValue::from_bytes)
    }
}
