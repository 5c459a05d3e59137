//! Contents: from the object database, from disk, and in a partial clone from the remote.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use git2::{ErrorCode, ObjectType, Odb, Oid};

use crate::snapshot::{Store, StoreError};

/// Reads contents by object id.
pub(super) struct Objects<'r> {
    odb: Odb<'r>,
    /// Git itself, once it was needed.
    git: Mutex<Option<CatFile>>,
    /// Contents that lie in the working tree and in no object.
    on_disk: HashMap<[u8; 20], PathBuf>,
    git_dir: PathBuf,
}

impl<'r> Objects<'r> {
    pub(super) fn new(
        repository: &'r git2::Repository,
        on_disk: HashMap<[u8; 20], PathBuf>,
    ) -> Result<Self, git2::Error> {
        let git_dir = repository.path().to_owned();
        Ok(Self { odb: repository.odb()?, git: Mutex::default(), on_disk, git_dir })
    }
}

impl Store for Objects<'_> {
    fn read(&self, path: &str, id: &[u8; 20]) -> Result<Vec<u8>, StoreError> {
        let failed = |reason: String, help: Option<&str>| StoreError {
            path: path.to_owned(),
            reason,
            help: help.map(str::to_owned),
        };
        if let Some(file) = self.on_disk.get(id) {
            let bytes = super::read::content_on_disk(file).map_err(|error| {
                failed(error.to_string(), Some("check that the file can be read, then run imglint again"))
            })?;
            let now =
                Oid::hash_object(ObjectType::Blob, &bytes).map_err(|error| failed(error.message().to_owned(), None))?;
            if now.as_bytes() != id {
                return Err(failed("it changed while it was read".to_owned(), Some("run imglint again")));
            }
            return Ok(bytes);
        }
        let oid = Oid::from_bytes(id).map_err(|error| failed(error.message().to_owned(), None))?;
        match self.odb.read(oid) {
            Ok(blob) => Ok(blob.data().to_vec()),
            Err(error) if error.code() == ErrorCode::NotFound && is_partial(&self.git_dir) => {
                let mut git = self.git.lock().unwrap_or_else(PoisonError::into_inner);
                let fetched = match &mut *git {
                    Some(git) => git.read(oid),
                    none => CatFile::start(&self.git_dir).and_then(|git| none.insert(git).read(oid)),
                };
                fetched.map_err(|error| {
                    failed(
                        format!("it is missing in this partial clone, and git could not fetch it: {error}"),
                        Some("fetch the contents: git fetch --refetch --filter=blob:limit=1m"),
                    )
                })
            }
            Err(error) => Err(failed(
                error.message().to_owned(),
                Some("the clone is not whole: `git fsck` tells what is missing"),
            )),
        }
    }
}

/// Whether git left out objects on purpose when it cloned: then it can fetch them, which libgit2 cannot.
fn is_partial(git_dir: &Path) -> bool {
    let config = git2::Repository::open(git_dir).and_then(|repository| repository.config()?.snapshot());
    let Ok(config) = config else { return false };
    if config.get_string("extensions.partialclone").is_ok() {
        return true;
    }
    let Ok(mut promisors) = config.entries(Some(r"remote\..*\.promisor")) else { return false };
    promisors.next().is_some()
}

/// A running `git cat-file --batch`: it fetches what a partial clone left out.
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
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let no_pipe = || std::io::Error::other("git has no pipe");
        let input = child.stdin.take().ok_or_else(no_pipe)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(no_pipe)?);
        Ok(Self { child, input, output })
    }

    fn read(&mut self, id: Oid) -> std::io::Result<Vec<u8>> {
        writeln!(self.input, "{id}")?;
        self.input.flush()?;
        let mut header = String::new();
        self.output.read_line(&mut header)?;
        // `<id> blob <size>`, or `<id> missing`.
        let size = header.split_whitespace().nth(2).and_then(|size| size.parse::<usize>().ok());
        let Some(size) = size else {
            return Err(std::io::Error::other(if header.is_empty() {
                "git gave up"
            } else {
                "the remote does not have it"
            }));
        };
        let mut bytes = vec![0; size + 1];
        self.output.read_exact(&mut bytes)?;
        bytes.pop();
        Ok(bytes)
    }
}

impl Drop for CatFile {
    fn drop(&mut self) {
        // It ends by itself when its input closes; nothing is lost if it is ended first.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
