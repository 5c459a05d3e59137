//! The tree that is judged, and the one that it is compared with: plain data.
//!
//! A [`Snapshot`] is the list of a tree's files, limited to what the pack needs. Contents are read when they are asked for,
//! through a [`Store`], and kept by object id: base, tip and head share nearly all of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::memo::{Derived, LIMIT, Memo};
use crate::text::{Text, directories_above, escape, is_below};

/// The largest control file that is read, in bytes.
pub const MAX_FILE: usize = 1 << 20;

/// What the names of files begin with that are about to take the place of repaired ones. They are no part of any tree.
pub const TEMPORARY_PREFIX: &str = ".imglint-";

/// What their names end with.
pub const TEMPORARY_SUFFIX: &str = ".tmp";

/// How many symbolic links are followed before a chain counts as a loop.
const MAX_LINKS: usize = 8;

/// The longest target of a symbolic link, in bytes: no system takes a longer one.
const MAX_TARGET: usize = 4096;

/// What kind of thing a path of the tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its content is its target.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

/// What identifies a content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Content {
    /// The object of this id in the store.
    Object([u8; 20]),
    /// These bytes.
    Inline(Arc<[u8]>),
}

/// One path of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Its kind. A change of it is a change.
    pub kind: FileKind,
    /// Its content.
    pub content: Content,
}

/// Where contents come from.
pub trait Store: Send + Sync {
    /// Reads the object of an entry; `None` where it is larger than [`MAX_FILE`].
    fn read(&self, path: &str, id: &[u8; 20]) -> Result<Option<Vec<u8>>, StoreError>;
}

/// A content that could not be had: the run cannot judge.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
#[error("failed to read {}: {}", escape(path), escape(reason))]
pub struct StoreError {
    /// The file.
    pub path: String,
    /// What stood in the way.
    pub reason: String,
    /// What to do about it.
    #[help]
    pub help: Option<String>,
}

impl StoreError {
    /// A file that must be readable, and is not.
    pub fn unreadable(path: &str, why: &ReadError) -> Self {
        let help = match why {
            ReadError::Pointer => "fetch what the pointers of Git LFS stand for: git lfs pull",
            _ => "rules look into this file: put the file itself here, as text of at most 1 MiB",
        };
        Self { path: path.to_owned(), reason: format!("it {why}"), help: Some(help.to_owned()) }
    }
}

/// Why a file that is there holds no text that could be judged. The author can mend it, hence a finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Larger than [`MAX_FILE`].
    #[error("is larger than 1 MiB")]
    TooLarge,
    /// A link whose target cannot be judged.
    #[error("is a symbolic link to `{0}`, which is no file among those that are judged")]
    Link(String),
    /// A commit of another repository.
    #[error("is a submodule, not a file")]
    Submodule,
    /// Of a version that an image does not have, and does not need.
    #[error("has no version of its own")]
    Unversioned,
    /// What Git LFS stores in the place of a file.
    #[error("is a pointer of Git LFS, not the file itself")]
    Pointer,
}

/// How pointers of Git LFS begin: <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>.
pub const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Where links lead, or why that cannot be told.
pub type Followed<'s> = Result<Vec<(&'s Arc<str>, &'s Entry)>, ReadError>;

/// A file's text, or why it has none.
pub type Read = Result<Arc<Text>, ReadError>;

/// The files of a tree.
#[derive(Clone)]
pub struct Snapshot<'r> {
    entries: Arc<BTreeMap<Arc<str>, Entry>>,
    store: Arc<dyn Store + 'r>,
    known: Arc<Known>,
    /// Whether any path is a link or a submodule, once somebody asked where a path leads.
    has_detours: OnceLock<bool>,
}

/// The way from a path over its links.
struct Walk<'s> {
    /// The path that it ends at.
    end: String,
    /// The links.
    links: Vec<(&'s Arc<str>, &'s Entry)>,
}

/// What was read so far, by content.
struct Known {
    texts: Memo<Content, Read>,
    /// Those that hold a pointer of Git LFS.
    pointers: Mutex<HashSet<Content>>,
    /// What was made of several.
    derived: Derived,
}

impl Known {
    /// What takes about so many bytes at most.
    fn new(limit: usize) -> Arc<Self> {
        let (texts, derived) = (Memo::new(limit / 2), Derived::new(limit / 2));
        Arc::new(Self { texts, pointers: Mutex::default(), derived })
    }
}

impl<'r> Snapshot<'r> {
    /// A snapshot of these files.
    pub fn new(entries: BTreeMap<Arc<str>, Entry>, store: Arc<dyn Store + 'r>) -> Self {
        Self { entries: Arc::new(entries), store, known: Known::new(LIMIT), has_detours: OnceLock::new() }
    }

    /// A snapshot of other files, which shares this one's store and what was read of them.
    #[must_use]
    pub fn with_entries(&self, entries: BTreeMap<Arc<str>, Entry>) -> Self {
        let (store, known) = (Arc::clone(&self.store), Arc::clone(&self.known));
        Self { entries: Arc::new(entries), store, known, has_detours: OnceLock::new() }
    }

    /// A snapshot of texts in memory.
    pub fn in_memory<'a>(files: impl IntoIterator<Item = (&'a str, FileKind, &'a [u8])>) -> Self {
        let entries = files
            .into_iter()
            .map(|(path, kind, bytes)| (path.into(), Entry { kind, content: Content::Inline(bytes.into()) }))
            .collect();
        Self::new(entries, Arc::new(NoStore))
    }

    /// All files, by path.
    pub fn entries(&self) -> &BTreeMap<Arc<str>, Entry> {
        &self.entries
    }

    /// One path of the tree.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Whether there is a symbolic link at a path.
    pub fn is_link(&self, path: &str) -> bool {
        self.entry(path).is_some_and(|entry| entry.kind == FileKind::Symlink)
    }

    /// The paths that are symbolic links.
    pub fn links(&self) -> impl Iterator<Item = &Arc<str>> {
        let links = self.entries.iter().filter(|(_, entry)| entry.kind == FileKind::Symlink);
        links.map(|(path, _)| path)
    }

    /// Everything below a directory, given without its closing slash; all files for the empty one.
    pub fn below(&self, directory: &str) -> impl Iterator<Item = (&Arc<str>, &Entry)> + use<'_, 'r> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let from = (std::ops::Bound::Included(prefix.as_str()), std::ops::Bound::Unbounded);
        self.entries.range::<str, _>(from).take_while(move |(path, _)| path.starts_with(&prefix))
    }

    /// The text of a file; `None` where there is no such path. Links are followed within the snapshot, never out of it.
    pub fn text(&self, path: &str) -> Result<Option<Read>, StoreError> {
        match self.follow(path)? {
            None => Ok(None),
            Some(Ok(way)) => way.last().map(|(path, entry)| self.read(path, entry)).transpose(),
            Some(Err(unreadable)) => Ok(Some(Err(unreadable))),
        }
    }

    /// The way from a path over its links to what it leads to, both with it, within the snapshot; `None` where there is no such
    /// path. Directories on the way may be links, too.
    pub fn follow(&self, path: &str) -> Result<Option<Followed<'_>>, StoreError> {
        let Some(first) = self.entries.get_key_value(path) else { return Ok(None) };
        if first.1.kind != FileKind::Symlink {
            return Ok(Some(Ok(vec![first])));
        }
        let Walk { end, links: mut way } = match self.walk(path)? {
            Ok(walk) => walk,
            Err(unreadable) => return Ok(Some(Err(unreadable))),
        };
        let Some(end) = self.entries.get_key_value(end.as_str()) else {
            let target = self.read(first.0, first.1)?;
            return Ok(Some(Err(target.map_or_else(|error| error, |text| ReadError::Link(text.as_str().to_owned())))));
        };
        way.push(end);
        Ok(Some(Ok(way)))
    }

    /// Where a path of a file or of a directory really lies, whether or not anything is there: links on the way are followed, and so
    /// is what they lead to. An error where that is not in the snapshot.
    pub fn resolve(&self, path: &str) -> Result<Result<String, ReadError>, StoreError> {
        Ok(self.walk(path)?.map(|walk| walk.end))
    }

    /// Follows a path over its links.
    fn walk(&self, path: &str) -> Result<Result<Walk<'_>, ReadError>, StoreError> {
        if !self.has_detours() && path.split('/').all(|part| !matches!(part, "" | "." | "..")) {
            return Ok(Ok(Walk { end: path.to_owned(), links: Vec::new() }));
        }
        let mut links = Vec::new();
        let mut first_target = None;
        let mut here = String::with_capacity(path.len());
        let mut parts: Vec<Cow<'_, str>> = path.rsplit('/').map(Cow::Borrowed).collect();
        while let Some(part) = parts.pop() {
            match &*part {
                "" | "." => continue,
                ".." if here.is_empty() => return Ok(Err(ReadError::Link(first_target.unwrap_or_default()))),
                ".." => {
                    here.truncate(here.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let before = here.len();
            if !here.is_empty() {
                here.push('/');
            }
            here.push_str(&part);
            let Some((path, entry)) = self.entries.get_key_value(here.as_str()) else { continue };
            if entry.kind == FileKind::Submodule {
                return Ok(Err(ReadError::Submodule));
            }
            if entry.kind != FileKind::Symlink {
                continue;
            }
            let target = match self.read(path, entry)? {
                Ok(target) => target,
                Err(unreadable) => return Ok(Err(unreadable)),
            };
            if target.as_str().len() > MAX_TARGET {
                return Ok(Err(ReadError::TooLarge));
            }
            let first = first_target.get_or_insert_with(|| target.as_str().to_owned());
            if links.len() >= MAX_LINKS || target.as_str().starts_with('/') {
                return Ok(Err(ReadError::Link(first.clone())));
            }
            links.push((path, entry));
            here.truncate(before);
            parts.extend(target.as_str().rsplit('/').map(|part| Cow::Owned(part.to_owned())));
        }
        Ok(Ok(Walk { end: here, links }))
    }

    fn has_detours(&self) -> bool {
        *self.has_detours.get_or_init(|| {
            let mut kinds = self.entries.values().map(|entry| entry.kind);
            kinds.any(|kind| matches!(kind, FileKind::Symlink | FileKind::Submodule))
        })
    }

    /// The file that a link leads to; `None` for what is no link, or leads to no file of the snapshot.
    pub fn linked_file(&self, path: &str) -> Result<Option<&Arc<str>>, StoreError> {
        let way = self.follow(path)?.and_then(Result::ok).unwrap_or_default();
        Ok(if let [_, .., (path, _)] = way[..] { Some(path) } else { None })
    }

    /// The text of a file that must be readable where it is there at all: a check that cannot look must not pass.
    pub fn readable(&self, path: &str) -> Result<Option<Arc<Text>>, StoreError> {
        self.text(path)?.transpose().map_err(|unreadable| StoreError::unreadable(path, &unreadable))
    }

    /// How many files of this tree hold a pointer of Git LFS, among those that were read of it or of one that shares its store.
    pub fn pointers(&self) -> usize {
        let pointers = self.known.pointers.lock().unwrap_or_else(PoisonError::into_inner);
        if pointers.is_empty() {
            return 0;
        }
        self.entries.values().filter(|entry| pointers.contains(&entry.content)).count()
    }

    /// The tree with other bytes in one of its files.
    pub fn overlay(&mut self, path: &Arc<str>, bytes: Vec<u8>) {
        let is_executable = self.entries.get(path).is_some_and(|entry| entry.kind == FileKind::Executable);
        let kind = if is_executable { FileKind::Executable } else { FileKind::File };
        Arc::make_mut(&mut self.entries)
            .insert(Arc::clone(path), Entry { kind, content: Content::Inline(bytes.into()) });
        self.has_detours = OnceLock::new();
    }

    /// Adds files that another snapshot has of the same tree.
    fn add(&mut self, other: Self) {
        if !other.entries.is_empty() {
            Arc::make_mut(&mut self.entries).extend(Arc::unwrap_or_clone(other.entries));
            self.has_detours = OnceLock::new();
        }
    }

    /// What was made of files of this tree, and of those that share its store.
    pub fn derived(&self) -> &Derived {
        &self.known.derived
    }

    /// The same files, with nothing known of them yet, and no more kept than about so many bytes.
    #[must_use]
    pub fn limited_to(self, limit: usize) -> Self {
        Self { known: Known::new(limit), ..self }
    }

    fn read(&self, path: &str, entry: &Entry) -> Result<Read, StoreError> {
        if entry.kind == FileKind::Submodule {
            return Ok(Err(ReadError::Submodule));
        }
        if let Some(read) = self.known.texts.get(&entry.content) {
            return Ok(read);
        }
        let bytes = match &entry.content {
            Content::Object(id) => self.store.read(path, id)?,
            Content::Inline(bytes) => Some(bytes.to_vec()),
        };
        let bytes = bytes.filter(|bytes| bytes.len() <= MAX_FILE);
        let read = match bytes {
            None => Err(ReadError::TooLarge),
            Some(bytes) if bytes.starts_with(POINTER) => Err(ReadError::Pointer),
            Some(bytes) => Ok(Arc::new(Text::new(bytes))),
        };
        if matches!(read, Err(ReadError::Pointer)) {
            let mut pointers = self.known.pointers.lock().unwrap_or_else(PoisonError::into_inner);
            pointers.insert(entry.content.clone());
        }
        let size = read.as_ref().map_or(0, |text| text.bytes().len());
        self.known.texts.keep(entry.content.clone(), read.clone(), size);
        Ok(read)
    }
}

/// The store of a snapshot that holds all of its contents itself.
struct NoStore;

impl Store for NoStore {
    fn read(&self, path: &str, _: &[u8; 20]) -> Result<Option<Vec<u8>>, StoreError> {
        Err(StoreError { path: path.to_owned(), reason: "there is no such object".to_owned(), help: None })
    }
}

/// What a change is judged by.
#[derive(Clone)]
pub struct Pair<'r> {
    /// Where the change left the base branch; `None` where the whole of head is judged.
    pub base: Option<Snapshot<'r>>,
    /// The base branch now; `None` where it still stands where the change left it.
    pub tip: Option<Snapshot<'r>>,
    /// What is judged.
    pub head: Snapshot<'r>,
    /// Where the change comes from.
    pub origin: Origin<'r>,
}

/// Where a change comes from.
#[derive(Clone, Default)]
pub struct Origin<'r> {
    /// The branch that it is made to, or, of a whole tree, the one that this is the tree of; `None` where nothing tells.
    pub branch: Option<Branch>,
    /// The change alone, where head is a merge of it into the base branch.
    pub merged: Option<Merged<'r>>,
    /// Whether it is known that the change touches no file but those of the snapshots.
    pub is_within: bool,
    /// Files that a list of dependencies holds together with some that the pack describes, wherever they lie.
    pub listed: BTreeSet<String>,
}

/// A branch that changes are made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// How this clone writes it: with its remote's name, where it is one of a remote.
    pub shown: Arc<str>,
    /// Its name in the repository that it belongs to.
    pub name: Arc<str>,
}

impl Branch {
    /// A branch of this clone's own, or one that a CI system names.
    pub fn local(name: &str) -> Self {
        let name: Arc<str> = name.into();
        Self { shown: Arc::clone(&name), name }
    }

    /// The branch of a remote, as in `origin/main`.
    pub fn of_remote(shown: &str) -> Self {
        let name = shown.split_once('/').map_or(shown, |(_, name)| name);
        Self { shown: shown.into(), name: name.into() }
    }
}

/// A change as its author made it, before it was merged into the base branch.
#[derive(Clone)]
pub struct Merged<'r> {
    /// Where its author left the base branch, which has gone on since.
    pub fork: Snapshot<'r>,
    /// What its author made of that.
    pub author: Snapshot<'r>,
}

impl<'r> Pair<'r> {
    /// Lets another pair of the same repository use what was read of this one, and the other way round.
    pub fn share(&self, other: &mut Self) {
        let mut snapshots = vec![&mut other.head];
        snapshots.extend([&mut other.base, &mut other.tip].into_iter().flatten());
        if let Some(merged) = &mut other.origin.merged {
            snapshots.extend([&mut merged.fork, &mut merged.author]);
        }
        for snapshot in snapshots {
            snapshot.known = Arc::clone(&self.head.known);
        }
    }

    /// Adds files that another pair has of the same trees and of the same store.
    pub fn add(&mut self, other: Self) {
        self.head.add(other.head);
        for (files, more) in [(&mut self.base, other.base), (&mut self.tip, other.tip)] {
            if let (Some(files), Some(more)) = (files, more) {
                files.add(more);
            }
        }
        if let (Some(merged), Some(more)) = (&mut self.origin.merged, other.origin.merged) {
            merged.fork.add(more.fork);
            merged.author.add(more.author);
        }
    }

    /// The snapshots of the base, of the base branch now, and of what is judged, as far as there are any.
    pub fn sides(&self) -> impl Iterator<Item = &Snapshot<'r>> {
        [self.base.as_ref(), self.tip.as_ref(), Some(&self.head)].into_iter().flatten()
    }

    /// The paths that differ between base and head, in order. A rename is two of them, a change of mode is one.
    pub fn changed(&self) -> BTreeSet<Arc<str>> {
        let Some(base) = &self.base else { return BTreeSet::new() };
        let mut paths = BTreeSet::new();
        let mut before = base.entries.iter().peekable();
        for (path, entry) in &*self.head.entries {
            // Nearly all paths stand in both lists, and are shared.
            let is_it = |old: &Arc<str>| Arc::ptr_eq(old, path) || old == path;
            if !before.peek().is_some_and(|(old, _)| is_it(old)) {
                while let Some((gone, _)) = before.next_if(|(old, _)| *old < path) {
                    paths.insert(Arc::clone(gone));
                }
            }
            match before.next_if(|(old, _)| is_it(old)) {
                Some((_, known)) if known == entry => {}
                _ => drop(paths.insert(Arc::clone(path))),
            }
        }
        paths.extend(before.map(|(gone, _)| Arc::clone(gone)));
        paths
    }
}

/// The part of a repository that a pack is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Directories that are read whole, without a closing slash; the empty one is the whole repository.
    pub directories: Vec<String>,
    /// Single files outside of them.
    pub files: Vec<String>,
    /// The directories above all of these. What stands in their place hides what lies below them.
    pub above: Vec<String>,
}

impl Scope {
    /// Adds the files of a list that do not belong to it yet, with the directories above them.
    pub fn add_files(&mut self, files: &BTreeSet<String>) {
        let outside: Vec<&String> = files.iter().filter(|file| !self.contains(file)).collect();
        let above: BTreeSet<&str> = outside.iter().flat_map(|file| directories_above(file)).collect();
        let above: Vec<&str> = above.into_iter().filter(|directory| !self.contains(directory)).collect();
        self.above.extend(above.into_iter().map(str::to_owned));
        self.files.extend(outside.into_iter().cloned());
    }

    /// Whether a path belongs to the scope.
    pub fn contains(&self, path: &str) -> bool {
        self.files.iter().chain(&self.above).any(|file| file == path)
            || self.directories.iter().any(|directory| is_below(path, directory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_within_the_snapshot_alone() {
        let snapshot = Snapshot::in_memory([
            ("a/VERSION", FileKind::File, b"1.0\n".as_slice()),
            ("b/VERSION", FileKind::Symlink, b"../a/VERSION"),
            ("c/VERSION", FileKind::Symlink, b"../../etc/passwd"),
            ("d/VERSION", FileKind::Symlink, b"VERSION"),
        ]);
        let read = |path| snapshot.text(path).expect("all is in memory").expect("there is such a path");
        assert_eq!(read("b/VERSION").expect("leads to a file").as_str(), "1.0\n");
        assert_eq!(read("c/VERSION"), Err(ReadError::Link("../../etc/passwd".to_owned())));
        assert_eq!(read("d/VERSION"), Err(ReadError::Link("VERSION".to_owned())));
    }

    #[test]
    fn a_directory_does_not_hold_its_namesakes() {
        let snapshot = Snapshot::in_memory([
            ("a/x", FileKind::File, b"".as_slice()),
            ("a-b/x", FileKind::File, b""),
            ("a", FileKind::File, b""),
        ]);
        let below: Vec<_> = snapshot.below("a").map(|(path, _)| &**path).collect();
        assert_eq!(below, ["a/x"]);
        assert!(is_below("a/b", "a") && is_below("a", "a") && !is_below("ab", "a") && is_below("x", ""));
    }
}
