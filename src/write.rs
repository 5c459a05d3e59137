//! Repaired files, from memory to disk: all of them or none, and each of them whole at any moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use tempfile::TempPath;

use crate::fix::RepairedFile;
use crate::path::path_on_disk;
use crate::snapshot::{TEMPORARY_PREFIX, TEMPORARY_SUFFIX};
use crate::text::escape;

/// Why nothing was written, or why what was written was taken back.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum WriteError {
    #[error("{} is not what was judged: it has changes that lie on disk alone. Nothing was written", escape(.0))]
    #[diagnostic(help("stage or stash these changes (`git stash --keep-index`), then run imglint again"))]
    Differs(String),
    #[error("{} is a symbolic link. Nothing was written", escape(.0))]
    #[diagnostic(help("edit the file that it leads to by hand"))]
    Link(String),
    #[error("{} does not lie in the working tree. Nothing was written", escape(.0))]
    #[diagnostic(help("a sparse checkout must hold the files that are repaired; a bare repository has none"))]
    Outside(String),
    #[error("failed to write {}: {source}. Nothing was written", escape(path))]
    #[diagnostic(help("check that the directory can be written to and is not full, then run imglint again"))]
    Prepare { path: String, source: io::Error },
    #[error("failed to replace {}: {source}. {outcome}", escape(path))]
    #[diagnostic(help(
        "check that the directory can be written to, then run imglint again: it goes on where it stopped"
    ))]
    Replace { path: String, source: io::Error, outcome: String },
    #[error("{} is there already, and imglint does not overwrite it. Nothing was written", escape(&.0.display().to_string()))]
    #[diagnostic(help("leave it out, or move it out of the way and run imglint again"))]
    Exists(PathBuf),
}

/// A file that is ready to take its place.
struct Prepared<'a> {
    path: &'a str,
    target: PathBuf,
    /// Closed already: there may be more of them than a process may hold open.
    temporary: TempPath,
    file: &'a RepairedFile,
    line_ends: LineEnds,
}

/// Writes files below `root`. Everything is checked and prepared before the first file is replaced.
pub fn write(root: &Path, files: &BTreeMap<Arc<str>, RepairedFile>) -> Result<(), WriteError> {
    let tree = WorkingTree::open(root)?;
    let changed: Vec<_> = files.iter().filter(|(_, file)| file.before != file.after).collect();
    // Most of it is waiting for the disk, which writes several at once. The first that fails is told, whichever failed first.
    let outcomes: Vec<_> = changed.par_iter().map(|(path, file)| prepare(&tree, path, file)).collect();
    let mut prepared = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        prepared.push(outcome?);
    }
    // Once more: while they were prepared, somebody may have put a link in the place of a directory, or written a file.
    let tree = WorkingTree::open(root)?;
    for prepared in &prepared {
        tree.check(prepared.path, prepared.file)?;
    }
    let mut replaced: Vec<Replaced<'_>> = Vec::with_capacity(prepared.len());
    for Prepared { path, target, temporary, file, line_ends } in prepared {
        if let Err(error) = temporary.persist(&target) {
            let outcome = take_back(&replaced);
            return Err(WriteError::Replace { path: path.to_owned(), source: error.error, outcome });
        }
        replaced.push(Replaced { path, target, file, line_ends });
    }
    sync_directories(&replaced);
    Ok(())
}

/// A file that has taken its place.
struct Replaced<'a> {
    path: &'a str,
    target: PathBuf,
    file: &'a RepairedFile,
    line_ends: LineEnds,
}

/// Puts files back as they were, and says what came of that.
fn take_back(replaced: &[Replaced<'_>]) -> String {
    let mut kept = Vec::new();
    for Replaced { path, target, file, line_ends } in replaced {
        if undo(target, &line_ends.apply(&file.before)).is_err() {
            kept.push(*path);
        }
    }
    if kept.is_empty() {
        "What was written before it was taken back".to_owned()
    } else {
        format!("These files keep their repair: {}", kept.join(", "))
    }
}

/// Makes the new names last through a power cut. That is a courtesy; not every system can do it.
fn sync_directories(replaced: &[Replaced<'_>]) {
    let directories: BTreeSet<&Path> = replaced.iter().filter_map(|file| file.target.parent()).collect();
    for directory in directories {
        if let Ok(directory) = fs::File::open(directory) {
            let _ = directory.sync_all();
        }
    }
}

/// A file that is to be made where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Where it will lie.
    pub path: PathBuf,
    /// What stands in it.
    pub text: String,
    /// Whether it is a program.
    pub is_executable: bool,
}

/// Makes files, all of them or none. One that is there already is never replaced, not even if it comes to be at this moment.
pub fn create(files: &[NewFile]) -> Result<(), WriteError> {
    if let Some(file) = files.iter().find(|file| file.path.symlink_metadata().is_ok()) {
        return Err(WriteError::Exists(file.path.clone()));
    }
    let failed = |file: &NewFile, source| WriteError::Prepare { path: file.path.display().to_string(), source };
    let prepare = |file: &NewFile| {
        let directory = file.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let mut builder = temporary();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // The user's mask takes from these what it takes from every new file.
            builder.permissions(Permissions::from_mode(if file.is_executable { 0o777 } else { 0o666 }));
        }
        let mut temporary = builder.tempfile_in(directory)?;
        temporary.write_all(file.text.as_bytes())?;
        temporary.as_file().sync_all()?;
        Ok(temporary.into_temp_path())
    };
    let mut prepared = Vec::new();
    for file in files {
        prepared.push((file, prepare(file).map_err(|source| failed(file, source))?));
    }
    let mut made: Vec<&NewFile> = Vec::new();
    for (file, temporary) in prepared {
        if let Err(error) = temporary.persist_noclobber(&file.path) {
            for file in made {
                let _ = fs::remove_file(&file.path);
            }
            return Err(match error.error.kind() {
                io::ErrorKind::AlreadyExists => WriteError::Exists(file.path.clone()),
                _ => failed(file, error.error),
            });
        }
        made.push(file);
    }
    Ok(())
}

/// Writes a file that is no part of the tree, as a report is: at any moment it is the old one or the new one. The directories
/// above it are made. What is no file, as a pipe or a device, takes the bytes as they come.
pub fn whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let is_file = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) => metadata.is_file(),
        Err(_) => true,
    };
    if !is_file {
        return fs::write(path, bytes);
    }
    // A link stays one.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut builder = temporary();
    // Others read it: the process that uploads it may run as another user.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut temporary = builder.tempfile_in(directory)?;
    temporary.write_all(bytes)?;
    temporary.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// Whether [`whole`] could write a file now. Nothing stays of the trial.
pub fn try_write(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => return Ok(()),
        _ => {}
    }
    let target = std::path::absolute(path.canonicalize().unwrap_or_else(|_| path.to_owned()))?;
    if target.file_name().is_none() || path.as_os_str().to_string_lossy().ends_with(std::path::is_separator) {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    // Those that are not there will be made in the nearest that is.
    let nearest = target.ancestors().skip(1).find(|directory| directory.symlink_metadata().is_ok());
    temporary().tempfile_in(nearest.unwrap_or(Path::new(".")))?;
    Ok(())
}

/// The working tree that files are written to. Where a directory of it really lies is asked once: one may hold many files.
struct WorkingTree<'r> {
    root: &'r Path,
    /// Where the root really lies.
    real_root: PathBuf,
    /// Whether directories lie below the root.
    is_inside: Mutex<HashMap<PathBuf, bool>>,
}

/// A file of the working tree that is what was judged.
struct Judged {
    target: PathBuf,
    line_ends: LineEnds,
    permissions: Permissions,
}

impl<'r> WorkingTree<'r> {
    fn open(root: &'r Path) -> Result<Self, WriteError> {
        let failed = |source| WriteError::Prepare { path: root.display().to_string(), source };
        let real_root = root.canonicalize().map_err(failed)?;
        Ok(Self { root, real_root, is_inside: Mutex::default() })
    }

    /// The file must be on disk, in the tree, a file, and what was judged.
    fn check(&self, path: &str, file: &RepairedFile) -> Result<Judged, WriteError> {
        let target = self.root.join(path_on_disk(path));
        let failed = |source: io::Error| WriteError::Prepare { path: path.to_owned(), source };
        let metadata = match fs::symlink_metadata(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(WriteError::Outside(path.to_owned())),
            metadata => metadata.map_err(failed)?,
        };
        if metadata.is_symlink() {
            return Err(WriteError::Link(path.to_owned()));
        }
        // A directory on the way may be a link, too.
        let directory = target.parent().unwrap_or(self.root);
        if !metadata.is_file() || !self.holds(directory).map_err(failed)? {
            return Err(WriteError::Outside(path.to_owned()));
        }
        let on_disk = fs::read(&target).map_err(failed)?;
        let line_ends = if on_disk == file.before {
            LineEnds::AsJudged
        } else if with_carriage_returns(&file.before) == on_disk {
            LineEnds::CarriageReturns
        } else {
            return Err(WriteError::Differs(path.to_owned()));
        };
        Ok(Judged { target, line_ends, permissions: metadata.permissions() })
    }

    /// Whether a directory lies below the root.
    fn holds(&self, directory: &Path) -> io::Result<bool> {
        if let Some(known) = self.known().get(directory) {
            return Ok(*known);
        }
        let is_inside = directory.canonicalize()?.starts_with(&self.real_root);
        self.known().insert(directory.to_owned(), is_inside);
        Ok(is_inside)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<PathBuf, bool>> {
        self.is_inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the lines of a file end on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnds {
    /// As in what was judged.
    AsJudged,
    /// Git gave every line a carriage return when it checked the file out.
    CarriageReturns,
}

impl LineEnds {
    fn apply(self, bytes: &[u8]) -> Vec<u8> {
        if self == Self::CarriageReturns { with_carriage_returns(bytes) } else { bytes.to_vec() }
    }
}

/// The bytes with a carriage return before every line feed that has none.
fn with_carriage_returns(bytes: &[u8]) -> Vec<u8> {
    let mut converted = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    for (position, &byte) in bytes.iter().enumerate() {
        if byte == b'\n' && (position == 0 || bytes[position - 1] != b'\r') {
            converted.push(b'\r');
        }
        converted.push(byte);
    }
    converted
}

fn prepare<'a>(tree: &WorkingTree<'_>, path: &'a str, file: &'a RepairedFile) -> Result<Prepared<'a>, WriteError> {
    let Judged { target, line_ends, permissions } = tree.check(path, file)?;
    let temporary = beside(&target, &line_ends.apply(&file.after), permissions);
    let temporary = temporary.map_err(|source| WriteError::Prepare { path: path.to_owned(), source })?;
    Ok(Prepared { path, target, temporary, file, line_ends })
}

/// Makes a file that is to take the place of another, with its mode.
fn beside(target: &Path, bytes: &[u8], permissions: Permissions) -> io::Result<TempPath> {
    let mut temporary = temporary().tempfile_in(target.parent().unwrap_or(Path::new(".")))?;
    temporary.write_all(bytes)?;
    temporary.as_file().set_permissions(permissions)?;
    temporary.as_file().sync_all()?;
    Ok(temporary.into_temp_path())
}

/// Names of files that are about to take the place of others. What a run leaves behind that is killed while it writes stays: nothing
/// tells it from a file of somebody else's, which no repair may remove.
fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX).suffix(TEMPORARY_SUFFIX);
    builder
}

/// Puts a file back as it was, through a file of its own.
fn undo(target: &Path, before: &[u8]) -> io::Result<()> {
    beside(target, before, fs::metadata(target)?.permissions())?.persist(target).map_err(|error| error.error)
}
