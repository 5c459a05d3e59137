//! What git makes of files of the working tree before it stores them: other line ends, another encoding, or what a filter says.
//! Git alone knows how, so it is asked, for all such files at once.

use std::path::Path;
use std::process::{Command, Stdio};

use git2::{AttrValue, IndexEntry, IndexTime, Odb, Oid};

use super::error::{Doing, GitError};
use super::index::{id, read};
use super::objects::Bytes;
use super::repository::Repository;
use crate::snapshot::MAX_FILE;

impl Repository {
    /// Whether git may store a file otherwise than it lies on disk.
    pub(super) fn is_converted(&self, path: &str, file: &Path) -> Result<bool, GitError> {
        let attribute = |name| self.attribute(path, name);
        let is_named = |name| matches!(attribute(name), AttrValue::String(_));
        if is_named("filter") || is_named("working-tree-encoding") || attribute("ident") == AttrValue::True {
            return Ok(true);
        }
        let text = match attribute("text") {
            AttrValue::Unspecified => attribute("crlf"), // as it was called once
            value => value,
        };
        let is_text = match text {
            AttrValue::False => false,
            AttrValue::Unspecified => is_named("eol") || self.converts_line_ends(),
            _ => true,
        };
        if !is_text {
            return Ok(false);
        }
        let failed = |source| GitError::Io { path: path.to_owned(), source };
        let is_large = std::fs::metadata(file).map_err(failed)?.len() > MAX_FILE as u64;
        Ok(is_large || std::fs::read(file).map_err(failed)?.windows(2).any(|pair| pair == b"\r\n"))
    }

    /// What `git add` would store of these files. `index` tells what is stored of them now.
    pub(super) fn converted(&self, files: &[&Path], index: &git2::Index) -> Result<Vec<(Oid, Bytes)>, GitError> {
        const DOING: &str = "converting files as it stores them";
        let failed = |source: std::io::Error| GitError::Convert { reason: source.to_string() };
        if files.is_empty() {
            return Ok(Vec::new());
        }
        // The repository is left as it is: git is given an index and an object database of its own.
        let scratch = tempfile::tempdir().map_err(failed)?;
        let [index_file, names, objects] = ["index", "names", "objects"].map(|name| scratch.path().join(name));
        std::fs::create_dir_all(objects.join("info")).map_err(failed)?;
        let stored = self.inner.commondir().join("objects");
        std::fs::write(objects.join("info/alternates"), format!("{}\n", stored.display())).map_err(failed)?;
        let mut known = git2::Index::open(&index_file).doing(DOING)?;
        for entry in files.iter().filter_map(|file| index.get_path(file, 0)) {
            // Without times and flags, so that git looks into the file.
            let [ctime, mtime] = [IndexTime::new(0, 0); 2];
            known.add(&IndexEntry { ctime, mtime, file_size: 0, flags: 0, flags_extended: 0, ..entry }).doing(DOING)?;
        }
        known.write().doing(DOING)?;
        let all: Vec<u8> =
            files.iter().flat_map(|file| [file.as_os_str().as_encoded_bytes(), b"\0"].concat()).collect();
        std::fs::write(&names, all).map_err(failed)?;

        let root = self.root().ok_or(GitError::Bare("working tree"))?;
        let mut git = Command::new("git");
        git.current_dir(root).arg("--git-dir").arg(self.inner.path()).arg("--work-tree").arg(root);
        for setting in
            ["core.hooksPath=/dev/null", "core.fsmonitor=false", "core.splitIndex=false", "index.sparse=false"]
        {
            git.args(["-c", setting]);
        }
        git.args(["update-index", "--add", "-z", "--stdin"]);
        git.env("GIT_INDEX_FILE", &index_file).env("GIT_OBJECT_DIRECTORY", &objects);
        let output = git.stdin(Stdio::from(std::fs::File::open(&names).map_err(failed)?)).output().map_err(failed)?;
        if !output.status.success() {
            return Err(GitError::Convert { reason: String::from_utf8_lossy(&output.stderr).trim().to_owned() });
        }

        let made = read(&index_file)?;
        let odb = Odb::new().doing(DOING)?;
        odb.add_disk_alternate(&objects.to_string_lossy()).doing(DOING)?;
        let content = |file: &&Path| {
            let entry = made.entry_by_path(file.as_os_str().as_encoded_bytes().into());
            let id = id(entry.ok_or_else(|| git2::Error::from_str("git left a file out")).doing(DOING)?);
            let (size, _) = odb.read_header(id).doing(DOING)?;
            let bytes = if size > MAX_FILE { None } else { Some(odb.read(id).doing(DOING)?.data().to_vec()) };
            Ok((id, Bytes::Converted(bytes)))
        };
        files.iter().map(content).collect()
    }

    fn converts_line_ends(&self) -> bool {
        let config = self.inner.config().and_then(|mut config| config.snapshot());
        config.is_ok_and(|config| {
            let is_set = config.get_bool("core.autocrlf").unwrap_or(false);
            is_set || matches!(config.get_str("core.autocrlf"), Ok("input"))
        })
    }

    fn attribute(&self, path: &str, name: &str) -> AttrValue<'_> {
        let value = self.inner.get_attr_bytes(Path::new(path), name, git2::AttrCheckFlags::FILE_THEN_INDEX);
        value.map_or(AttrValue::Unspecified, AttrValue::from_bytes)
    }
}
