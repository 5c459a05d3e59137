//! The index. Libgit2 takes four times as long as git to load it; so it is read by gitoxide, and libgit2 is handed the part that
//! is judged.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{IndexEntry, IndexTime, Oid};
use gix_index::entry::{Flags, Stat};

use super::entry::{canonical, kind_of_mode, object};
use super::error::{Doing, GitError};
use super::repository::Repository;
use crate::path::path_of_bytes;
use crate::snapshot::{Entries, Entry, Scope};

/// Files that say how git treats others.
const SETTINGS: [&str; 2] = [".gitattributes", ".gitignore"];

/// Reads an index; an empty one where there is none yet.
pub(super) fn read(path: &Path) -> Result<gix_index::File, GitError> {
    // Like git itself, trust what git wrote: the checksum costs more than the rest.
    let file =
        gix_index::File::at_or_default(path, gix_index::hash::Kind::Sha1, true, gix_index::decode::Options::default());
    file.map_err(|error| GitError::Index { path: path.to_owned(), reason: error.to_string() })
}

impl Repository {
    /// The index, read when it is first asked for.
    pub(super) fn index(&self) -> Result<&gix_index::File, GitError> {
        if self.index.get().is_none() {
            let path = self.index_file.clone().unwrap_or_else(|| self.inner.path().join("index"));
            let _ = self.index.set(read(&path)?);
        }
        self.index.get().ok_or(GitError::Bare("index"))
    }

    /// The files that the next commit would hold, as far as the scope reaches. `known` are those of a commit: nearly all are the
    /// same, and share their paths. A file that is unmerged has no place in a commit; where that is not what is judged, it
    /// counts as it was.
    pub(super) fn staged(&self, known: &Entries, scope: &Scope, is_judged: bool) -> Result<Entries, GitError> {
        let file = self.index()?;
        let mut staged = Vec::new();
        let whole = scope.directories.iter().map(|directory| (entries_below(file, directory), directory));
        // A link or another repository may stand in the place of a directory.
        let locations = scope.directories.iter().chain(&scope.above);
        let single = scope.files.iter().chain(locations).map(|path| {
            let range = file.entry_range(path.as_str().into()).unwrap_or_default();
            (&file.entries()[range], path)
        });
        for (entries, path) in whole.chain(single) {
            let mut known = known.starting_at(path).peekable();
            for entry in entries {
                let path: &[u8] = entry.path(file);
                while known.next_if(|(old, _)| old.as_bytes() < path).is_some() {}
                let old = known.next_if(|(old, _)| old.as_bytes() == path);
                let path = old.map_or_else(|| path_of_bytes(path).into(), |(path, _)| Arc::clone(path));
                if entry.stage_raw() != 0 {
                    if is_judged {
                        return Err(GitError::Unmerged { path: path.to_string() });
                    }
                    staged.extend(old.map(|(_, entry)| (path, entry.clone())));
                } else if !(is_judged && entry.flags.contains(Flags::INTENT_TO_ADD))
                    && let Some(kind) = kind_of_mode(canonical(entry.mode.bits().cast_signed()))
                {
                    staged.push((path, Entry { kind, content: object(id(entry)) }));
                }
            }
        }
        // A sparse index does not name the files of directories that are not checked out: their trees do.
        if file.is_sparse() {
            let objects = self.objects()?;
            for directory in file.entries().iter().filter(|entry| entry.mode.is_sparse()) {
                let path = path_of_bytes(directory.path(file));
                objects.list_directory(id(directory), path.trim_end_matches('/'), scope, &mut staged)?;
            }
        }
        Ok(staged.into_iter().collect())
    }

    /// The part of the index that is judged, for libgit2, which knows no directories there.
    pub(super) fn index_of(&self, scope: &Scope) -> Result<git2::Index, GitError> {
        let file = self.index()?;
        let doing = "reading the index";
        let mut index = git2::Index::new().doing(doing)?;
        let mut judged = Vec::new();
        for directory in &scope.directories {
            judged.extend(entries_below(file, directory));
        }
        let above = scope.directories.iter().chain(&scope.files).flat_map(|path| Path::new(path).ancestors().skip(1));
        let settings = above.flat_map(|directory| SETTINGS.map(|name| directory.join(name)));
        for path in scope.files.iter().map(PathBuf::from).chain(settings) {
            if let Some(range) =
                path.to_str().and_then(|path| file.entry_range(path.replace('\\', "/").as_str().into()))
            {
                judged.extend(&file.entries()[range]);
            }
        }
        for entry in judged.into_iter().filter(|entry| !entry.mode.is_sparse()) {
            index.add(&converted(file, entry)).doing(doing)?;
        }
        // Libgit2 asks the repository's own index about attributes.
        self.inner.set_index(&mut index).doing(doing)?;
        Ok(index)
    }
}

/// What lies below a directory; everything for the empty one.
pub(super) fn entries_below<'f>(file: &'f gix_index::File, directory: &str) -> &'f [gix_index::Entry] {
    let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
    file.prefixed_entries(prefix.as_str().into()).unwrap_or_default()
}

/// An entry as libgit2 has it.
fn converted(file: &gix_index::File, entry: &gix_index::Entry) -> IndexEntry {
    // What was written in the same moment as the index may have changed since, without a trace in its times:
    // https://git-scm.com/docs/racy-git
    let use_nsec = entry.stat.mtime.nsecs != 0;
    let options = gix_index::entry::stat::Options { check_stat: true, use_nsec, ..Default::default() };
    let is_racy = entry.stat.is_racy(file.timestamp(), options);
    let stat = if is_racy { Stat::default() } else { entry.stat };
    let bits = entry.flags.bits();
    let [low, high] = [bits & 0xffff, bits >> 16].map(|half| u16::try_from(half).unwrap_or_default());
    IndexEntry {
        ctime: index_time(stat.ctime),
        mtime: index_time(stat.mtime),
        dev: stat.dev,
        ino: stat.ino,
        mode: entry.mode.bits(),
        uid: stat.uid,
        gid: stat.gid,
        file_size: stat.size,
        id: id(entry),
        flags: low,
        flags_extended: high,
        path: entry.path(file).to_vec(),
    }
}

fn index_time(time: gix_index::entry::stat::Time) -> IndexTime {
    IndexTime::new(time.secs.cast_signed(), time.nsecs)
}

/// The object of an entry.
pub(super) fn id(entry: &gix_index::Entry) -> Oid {
    // It has twenty bytes, as many as are asked for.
    Oid::from_bytes(entry.id.as_bytes()).unwrap_or(Oid::ZERO_SHA1)
}
