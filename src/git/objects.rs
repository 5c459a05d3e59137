//! Objects: from the object database, from disk, and in a partial clone from the remote.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use git2::{ErrorCode, ObjectType, Odb, OdbObject, Oid};

use super::entry::bytes_on_disk;
use super::error::{Doing, GitError};
use super::lfs::{self, Stored};
use crate::snapshot::{MAX_FILE, Store, StoreError};

/// Reads objects by id.
pub(super) struct Objects<'r> {
    odb: Odb<'r>,
    git_dir: PathBuf,
    /// What all working trees of the repository share.
    common_dir: PathBuf,
    is_partial: bool,
    /// Git itself, once it was needed.
    git: Mutex<Option<CatFile>>,
    /// Contents that lie in the working tree and in no object.
    pub(super) on_disk: HashMap<[u8; 20], OnDisk>,
}

/// A content of the working tree.
pub(super) struct OnDisk {
    pub(super) bytes: Bytes,
}

/// The bytes of a content of the working tree.
pub(super) enum Bytes {
    /// Those of this file: git stores it as it lies there.
    File(PathBuf),
    /// What git would store of a file; `None` where that is too large to be read.
    Converted(Option<Vec<u8>>),
}

impl<'r> Objects<'r> {
    /// The objects of a repository. Of a partial one git left out some on purpose when it cloned: then it can fetch them, which
    /// libgit2 cannot.
    pub(super) fn of(repository: &'r git2::Repository, is_partial: bool) -> Result<Self, GitError> {
        let odb = repository.odb().doing("opening the object database")?;
        let git_dir = repository.path().to_owned();
        let common_dir = repository.commondir().to_owned();
        Ok(Self { odb, git_dir, common_dir, is_partial, git: Mutex::default(), on_disk: HashMap::new() })
    }

    /// Reads an object. `path` is what is said of it where it cannot be had.
    pub(super) fn get(&self, path: &str, id: Oid) -> Result<OdbObject<'_>, StoreError> {
        self.or_fetched(path, id, || self.odb.read(id))
    }

    fn or_fetched<T>(&self, path: &str, id: Oid, read: impl Fn() -> Result<T, git2::Error>) -> Result<T, StoreError> {
        let mut result = read();
        if result.as_ref().is_err_and(|error| error.code() == ErrorCode::NotFound) && self.is_partial {
            self.fetch(id).map_err(|error| {
                let reason = format!("it is missing in this partial clone, and git could not fetch it: {error}");
                failed(path, reason, "fetch what is missing: git fetch --refetch --filter=blob:limit=1m")
            })?;
            result = read();
        }
        result.map_err(|error| {
            failed(path, error.message().to_owned(), "the clone is not whole: `git fsck` tells what is missing")
        })
    }

    fn fetch(&self, id: Oid) -> std::io::Result<()> {
        let mut git = self.git.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *git {
            Some(git) => git.fetch(id),
            none => none.insert(CatFile::start(&self.git_dir)?).fetch(id),
        }
    }
}

impl OnDisk {
    fn read(&self, path: &str, id: &[u8; 20]) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes = match &self.bytes {
            Bytes::Converted(None) => return Ok(None),
            Bytes::Converted(Some(bytes)) => bytes.clone(),
            Bytes::File(file) => {
                if std::fs::symlink_metadata(file).map_err(|error| unreadable(path, &error))?.len() > MAX_FILE as u64 {
                    return Ok(None);
                }
                let bytes = bytes_on_disk(file).map_err(|error| unreadable(path, &error))?;
                let now = Oid::hash_object(ObjectType::Blob, &bytes);
                if !now.is_ok_and(|now| now.as_bytes() == id) {
                    return Err(failed(path, "it changed while it was read".to_owned(), "run imglint again"));
                }
                bytes
            }
        };
        Ok(Some(bytes))
    }
}

impl Store for Objects<'_> {
    fn read(&self, path: &str, id: &[u8; 20]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(bytes) = self.stored(path, id)? else { return Ok(None) };
        match lfs::behind(bytes, &self.common_dir).map_err(|error| unreadable(path, &error))? {
            Stored::This(bytes) => Ok(Some(bytes)),
            Stored::TooLarge => Ok(None),
        }
    }
}

impl Objects<'_> {
    /// What git stores of a file: of one that is in Git LFS, a pointer.
    fn stored(&self, path: &str, id: &[u8; 20]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(on_disk) = self.on_disk.get(id) {
            return on_disk.read(path, id);
        }
        // It has twenty bytes, as many as are asked for.
        let id = Oid::from_bytes(id).unwrap_or(Oid::ZERO_SHA1);
        let (size, _) = self.or_fetched(path, id, || self.odb.read_header(id))?;
        if size > MAX_FILE {
            return Ok(None);
        }
        Ok(Some(self.get(path, id)?.data().to_vec()))
    }
}

fn unreadable(path: &str, error: &std::io::Error) -> StoreError {
    failed(path, error.to_string(), "check that the file can be read, then run imglint again")
}

fn failed(path: &str, reason: String, help: &str) -> StoreError {
    StoreError { path: path.to_owned(), reason, help: Some(help.to_owned()) }
}

/// A running `git cat-file --batch-check`: it fetches what a partial clone left out.
struct CatFile {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl CatFile {
    fn start(git_dir: &Path) -> std::io::Result<Self> {
        let mut child = Command::new("git")
            .arg("--git-dir")
            .arg(git_dir)
            .args(["cat-file", "--batch-check"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(std::io::Error::other("git has no pipe"));
        };
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    fn fetch(&mut self, id: Oid) -> std::io::Result<()> {
        writeln!(self.input, "{id}")?;
        self.input.flush()?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        // `<id> <type> <size>`, or `<id> missing`.
        match answer.split_whitespace().count() {
            3 => Ok(()),
            0 => Err(std::io::Error::other("git gave up")),
            _ => Err(std::io::Error::other("the remote does not have it")),
        }
    }
}

impl Drop for CatFile {
    fn drop(&mut self) {
        // It ends by itself when its input closes; nothing is lost if it is ended first.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
