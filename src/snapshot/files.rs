//! The files of a tree: their list, their texts, and where links lead.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::entries::Entries;
use super::store::{Content, Entry, FileKind, MAX_FILE, POINTER, Read, ReadError, Store, StoreError};
use crate::memo::{Derived, LIMIT, Memo};
use crate::text::Text;

/// How many symbolic links are followed before a chain counts as a loop.
const MAX_LINKS: usize = 8;

/// The longest target of a symbolic link, in bytes: no system takes a longer one.
const MAX_TARGET: usize = 4096;

/// Where links lead, or why that cannot be told.
pub type Followed<'s> = Result<Vec<(&'s Arc<str>, &'s Entry)>, ReadError>;

/// The files of a tree.
#[derive(Clone)]
pub struct Snapshot<'r> {
    entries: Entries,
    store: Arc<dyn Store + 'r>,
    known: Arc<ReadCache>,
    /// Whether any path is a link or a submodule, once somebody asked where a path leads.
    has_detours: OnceLock<bool>,
}

/// The way from a path over its links.
struct Way<'s> {
    /// The path that it ends at.
    end: String,
    /// The links on it, in order, each with its path.
    links: Vec<(&'s Arc<str>, &'s Entry)>,
}

/// What was read so far, by content.
struct ReadCache {
    texts: Memo<Content, Read>,
    /// Those that hold a pointer of Git LFS.
    pointers: Mutex<HashSet<Content>>,
    /// What was made of several.
    derived: Derived,
}

impl ReadCache {
    /// What takes about so many bytes at most.
    fn new(limit: usize) -> Arc<Self> {
        let (texts, derived) = (Memo::new(limit / 2), Derived::new(limit / 2));
        Arc::new(Self { texts, pointers: Mutex::default(), derived })
    }
}

impl<'r> Snapshot<'r> {
    /// A snapshot of these files.
    pub fn new(entries: Entries, store: Arc<dyn Store + 'r>) -> Self {
        Self { entries, store, known: ReadCache::new(LIMIT), has_detours: OnceLock::new() }
    }

    /// A snapshot of other files, which shares this one's store and what was read of them.
    #[must_use]
    pub fn with_entries(&self, entries: Entries) -> Self {
        let (store, known) = (Arc::clone(&self.store), Arc::clone(&self.known));
        Self { entries, store, known, has_detours: OnceLock::new() }
    }

    /// A snapshot of texts in memory.
    pub fn in_memory<'a>(files: impl IntoIterator<Item = (&'a str, FileKind, &'a [u8])>) -> Self {
        let entries = files
            .into_iter()
            .map(|(path, kind, bytes)| (path.into(), Entry { kind, content: Content::Inline(bytes.into()) }))
            .collect();
        Self::new(entries, Arc::new(NoStore))
    }

    /// The list of all files.
    pub fn into_entries(self) -> Entries {
        self.entries
    }

    /// All files, by path.
    pub fn entries(&self) -> &Entries {
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
        let links = self.entries.detours().filter(|(_, entry)| entry.kind == FileKind::Symlink);
        links.map(|(path, _)| path)
    }

    /// Everything below a directory, given without its closing slash; all files for the empty one.
    pub fn below(&self, directory: &str) -> impl Iterator<Item = (&Arc<str>, &Entry)> + use<'_, 'r> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        self.entries.starting_at(&prefix).take_while(move |(path, _)| path.starts_with(&prefix))
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
        let Way { end, links: mut way } = match self.walk(path)? {
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
    fn walk(&self, path: &str) -> Result<Result<Way<'_>, ReadError>, StoreError> {
        if !self.has_detours() && path.split('/').all(|part| !matches!(part, "" | "." | "..")) {
            return Ok(Ok(Way { end: path.to_owned(), links: Vec::new() }));
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
        Ok(Ok(Way { end: here, links }))
    }

    fn has_detours(&self) -> bool {
        *self.has_detours.get_or_init(|| self.entries.detours().next().is_some())
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
        self.entries.insert(Arc::clone(path), Entry { kind, content: Content::Inline(bytes.into()) });
        self.has_detours = OnceLock::new();
    }

    /// Adds files that another snapshot has of the same tree.
    pub(super) fn add(&mut self, other: &Self) {
        if !other.entries.is_empty() {
            let more = other.entries.iter().map(|(path, entry)| (Arc::clone(path), entry.clone()));
            self.entries.extend(more);
            self.has_detours = OnceLock::new();
        }
    }

    /// Uses what another snapshot of the same repository has read, and the other way round.
    pub(super) fn share_with(&mut self, other: &Self) {
        self.known = Arc::clone(&other.known);
    }

    /// What was made of files of this tree, and of those that share its store.
    pub fn derived(&self) -> &Derived {
        &self.known.derived
    }

    /// The same files, with nothing known of them yet, and no more kept than about so many bytes.
    #[must_use]
    pub fn limited_to(self, limit: usize) -> Self {
        Self { known: ReadCache::new(limit), ..self }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::is_below;

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
