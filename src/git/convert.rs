//! What git makes of files of the working tree before it stores them: other line ends, another encoding, or what a filter says.
//! Git alone knows how, so it is asked, for all such files at once.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use git2::{AttrValue, IndexEntry, IndexTime, Odb, Oid};
use tempfile::TempDir;

use super::error::{Doing, GitError, of_file};
use super::index::{id, read};
use super::objects::Bytes;
use super::repository::Repository;
use crate::snapshot::MAX_FILE;

const DOING: &str = "converting files as it stores them";

/// An index and an object database of git's own: the repository is left as it is.
struct Scratch {
    index: PathBuf,
    names: PathBuf,
    objects: PathBuf,
    /// All of it goes when this does.
    _directory: TempDir,
}

impl Scratch {
    fn new() -> Result<Self, GitError> {
        let directory = tempfile::tempdir().map_err(failed)?;
        let [index, names, objects] = ["index", "names", "objects"].map(|name| directory.path().join(name));
        std::fs::create_dir_all(objects.join("info")).map_err(failed)?;
        Ok(Self { index, names, objects, _directory: directory })
    }

    /// What git stored of these files.
    fn contents(&self, files: &[&Path]) -> Result<Vec<(Oid, Bytes)>, GitError> {
        let made = read(&self.index)?;
        let odb = Odb::new().doing(DOING)?;
        odb.add_disk_alternate(&self.objects.to_string_lossy()).doing(DOING)?;
        let mut contents = Vec::new();
        for file in files {
            let entry = made.entry_by_path(file.as_os_str().as_encoded_bytes().into());
            let id = id(entry.ok_or_else(|| git2::Error::from_str("git left a file out")).doing(DOING)?);
            let (size, _) = odb.read_header(id).doing(DOING)?;
            let bytes = if size > MAX_FILE { None } else { Some(odb.read(id).doing(DOING)?.data().to_vec()) };
            contents.push((id, Bytes::Converted(bytes)));
        }
        Ok(contents)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "so `map_err` hands it over")]
fn failed(error: std::io::Error) -> GitError {
    GitError::Convert { reason: error.to_string() }
}

impl Repository {
    /// Whether git may store a file otherwise than it lies on disk.
    pub(super) fn is_converted(&self, path: &str, file: &Path) -> Result<bool, GitError> {
        let is_filtered = self.has_value(path, "filter") || self.has_value(path, "working-tree-encoding");
        if is_filtered || self.attribute(path, "ident") == AttrValue::True {
            return Ok(true);
        }
        let text = match self.attribute(path, "text") {
            AttrValue::Unspecified => self.attribute(path, "crlf"), // as it was called once
            value => value,
        };
        let is_text = match text {
            AttrValue::False => false,
            AttrValue::Unspecified => self.has_value(path, "eol") || self.converts_line_ends(),
            _ => true,
        };
        if !is_text {
            return Ok(false);
        }
        let is_large = std::fs::metadata(file).map_err(of_file(path))?.len() > MAX_FILE as u64;
        Ok(is_large || std::fs::read(file).map_err(of_file(path))?.windows(2).any(|pair| pair == b"\r\n"))
    }

    /// What `git add` would store of these files. `index` tells what is stored of them now.
    pub(super) fn converted(&self, files: &[&Path], index: &git2::Index) -> Result<Vec<(Oid, Bytes)>, GitError> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let scratch = Scratch::new()?;
        std::fs::write(scratch.objects.join("info/alternates"), self.object_directories()).map_err(failed)?;
        let mut known = git2::Index::open(&scratch.index).doing(DOING)?;
        for entry in files.iter().filter_map(|file| index.get_path(file, 0)) {
            // Without times and flags, so that git looks into the file.
            let [ctime, mtime] = [IndexTime::new(0, 0); 2];
            known.add(&IndexEntry { ctime, mtime, file_size: 0, flags: 0, flags_extended: 0, ..entry }).doing(DOING)?;
        }
        known.write().doing(DOING)?;
        let mut names = Vec::new();
        for file in files {
            names.extend(file.as_os_str().as_encoded_bytes());
            names.push(0);
        }
        std::fs::write(&scratch.names, names).map_err(failed)?;
        self.update_index(&scratch)?;
        scratch.contents(files)
    }

    /// Where this repository's objects lie, a line each.
    fn object_directories(&self) -> String {
        format!("{}\n", self.inner.commondir().join("objects").display())
    }

    /// Has git store files where nobody else looks.
    fn update_index(&self, scratch: &Scratch) -> Result<(), GitError> {
        let root = self.root().ok_or(GitError::Bare("working tree"))?;
        let mut git = Command::new("git");
        git.current_dir(root).arg("--git-dir").arg(self.inner.path()).arg("--work-tree").arg(root);
        for setting in
            ["core.hooksPath=/dev/null", "core.fsmonitor=false", "core.splitIndex=false", "index.sparse=false"]
        {
            git.args(["-c", setting]);
        }
        git.args(["update-index", "--add", "-z", "--stdin"]);
        git.env("GIT_INDEX_FILE", &scratch.index).env("GIT_OBJECT_DIRECTORY", &scratch.objects);
        let names = std::fs::File::open(&scratch.names).map_err(failed)?;
        let output = git.stdin(Stdio::from(names)).output().map_err(failed)?;
        if output.status.success() {
            return Ok(());
        }
        Err(GitError::Convert { reason: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
    }

    fn converts_line_ends(&self) -> bool {
        let config = self.inner.config().and_then(|mut config| config.snapshot());
        config.is_ok_and(|config| {
            let is_set = config.get_bool("core.autocrlf").unwrap_or(false);
            is_set || matches!(config.get_str("core.autocrlf"), Ok("input"))
        })
    }

    /// Whether an attribute of a file is set to a value of its own.
    fn has_value(&self, path: &str, name: &str) -> bool {
        matches!(self.attribute(path, name), AttrValue::String(_))
    }

    pub(super) fn attribute(&self, path: &str, name: &str) -> AttrValue<'_> {
        let value = self.inner.get_attr_bytes(Path::new(path), name, git2::AttrCheckFlags::FILE_THEN_INDEX);
        value.map_or(AttrValue::Unspecified, AttrValue::from_bytes)
    }
}
