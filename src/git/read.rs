//! From git to snapshots.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{Delta, DiffOptions, FileMode, IndexEntryExtendedFlag, ObjectType, Oid, Tree};

use super::index::{entries_below, id};
use super::objects::Objects;
use super::tree::{Known, Trees};
use super::{Base, Doing, GitError, Head, Repository};
use crate::snapshot::{Content, Entry, Kind, Pair, Scope, Snapshot, TEMPORARY_PREFIX, TEMPORARY_SUFFIX};
use crate::text::{Span, Text};

/// The files of a tree, by path.
pub(super) type Entries = BTreeMap<Arc<str>, Entry>;

/// A tree that policy is read from: configuration and packs.
pub enum Policy<'r> {
    /// The tree of a commit.
    Commit(Tree<'r>),
    /// What the next commit would hold.
    Index(&'r gix_index::File),
    /// The files on disk.
    Disk(PathBuf),
}

/// A line at the end of a commit's message that speaks to programs.
pub struct Trailer {
    /// What the commit is called.
    pub commit: String,
    /// Its message.
    pub message: Arc<Text>,
    /// Where in it the trailer stands.
    pub span: Span,
    /// What stands behind its key.
    pub value: String,
}

impl Policy<'_> {
    /// The bytes of a file; `None` where there is none.
    pub fn file(&self, repository: &Repository, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let blob = |id: Oid| Ok(Some(repository.inner.find_blob(id).doing("reading the policy")?.content().to_vec()));
        match self {
            Self::Commit(tree) => match tree.get_path(Path::new(path)) {
                Ok(entry) if entry.kind() == Some(ObjectType::Blob) => blob(entry.id()),
                _ => Ok(None),
            },
            Self::Index(index) => index.entry_by_path(path.into()).map_or(Ok(None), |entry| blob(id(entry))),
            Self::Disk(root) => {
                let file = root.join(path);
                match std::fs::read(&file) {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(error)
                        if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
                            && file.symlink_metadata().is_err() =>
                    {
                        Ok(None)
                    }
                    Err(source) => Err(GitError::Io { path: path.to_owned(), source }),
                }
            }
        }
    }

    /// Whether there is such a file. Its content is not read.
    pub fn has(&self, path: &str) -> bool {
        match self {
            Self::Commit(tree) => {
                tree.get_path(Path::new(path)).is_ok_and(|entry| entry.kind() == Some(ObjectType::Blob))
            }
            Self::Index(index) => index.entry_by_path(path.into()).is_some(),
            Self::Disk(root) => root.join(path).is_file(),
        }
    }

    /// The names of the files that lie directly in a directory, sorted; none where there is no such directory.
    pub fn list(&self, repository: &Repository, directory: &str) -> Result<Vec<String>, GitError> {
        let mut names = Vec::new();
        match self {
            Self::Commit(tree) => {
                let below = if directory.is_empty() {
                    Some(tree.clone())
                } else {
                    tree.get_path(Path::new(directory))
                        .ok()
                        .and_then(|entry| repository.inner.find_tree(entry.id()).ok())
                };
                for entry in below.iter().flat_map(Tree::iter) {
                    if entry.kind() == Some(ObjectType::Blob) {
                        names.extend(entry.name().ok().map(str::to_owned));
                    }
                }
            }
            Self::Index(index) => {
                let length = if directory.is_empty() { 0 } else { directory.len() + 1 };
                let entries = entries_below(index, directory).iter();
                let paths = entries.map(|entry| path_of_bytes(&entry.path(index)[length..]));
                names.extend(paths.filter(|name| !name.contains('/')));
            }
            Self::Disk(root) => match std::fs::read_dir(root.join(directory)) {
                Ok(entries) => {
                    for entry in entries {
                        let entry = entry.map_err(|source| GitError::Io { path: directory.to_owned(), source })?;
                        if entry.path().is_file() {
                            names.extend(entry.file_name().into_string().ok());
                        }
                    }
                }
                Err(error)
                    if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {}
                Err(source) => return Err(GitError::Io { path: directory.to_owned(), source }),
            },
        }
        names.sort();
        names.dedup(); // an unmerged file stands in the index up to three times
        Ok(names)
    }
}

impl Repository {
    /// The tree of head that policy may be read from.
    pub fn policy_of_head(&self, head: &Head) -> Result<Policy<'_>, GitError> {
        match head {
            Head::Commit(_) => {
                let commit = self.resolve_head(head)?.ok_or(GitError::Unborn)?;
                Ok(Policy::Commit(self.tree(commit)?))
            }
            Head::Index => Ok(Policy::Index(self.index()?)),
            Head::Worktree => Ok(Policy::Disk(self.root().ok_or(GitError::Bare("working tree"))?.to_owned())),
        }
    }

    /// The tree of the base that policy is read from in CI; `None` where the base is no commit.
    pub fn policy_of_base(&self, base: &Base) -> Result<Option<Policy<'_>>, GitError> {
        base.revision().map(|commit| self.tree(commit).map(Policy::Commit)).transpose()
    }

    /// The trailers of one key in the messages of the commits of a change.
    pub fn trailers(&self, base: &Base, head: &Head, key: &str) -> Result<Vec<Trailer>, GitError> {
        let (Base::Commit { merge_base, .. }, Some(head)) = (base, self.resolve_head(head)?) else {
            return Ok(Vec::new());
        };
        if *merge_base == head {
            return Ok(Vec::new());
        }
        let mut walk = self.inner.revwalk().doing("walking the change")?;
        walk.push(head).doing("walking the change")?;
        walk.hide(*merge_base).doing("walking the change")?;
        let mut trailers = Vec::new();
        for id in walk {
            let id = id.doing("walking the change")?;
            let commit = self.inner.find_commit(id).doing("walking the change")?;
            let message = String::from_utf8_lossy(commit.message_bytes());
            let found = git2::message_trailers_strs(&message).doing("reading the trailers of a commit")?;
            let of_key = found.iter().filter(|(found, _)| found.eq_ignore_ascii_case(key));
            let values: Vec<String> = of_key.map(|(_, value)| value.to_owned()).collect();
            if values.is_empty() {
                continue;
            }
            // Trailers stand at the end: of the lines that look like them it is the last ones.
            let message = Arc::new(Text::from(&*message));
            let is_like =
                |line: &str| line.split_once(':').is_some_and(|(found, _)| found.trim_end().eq_ignore_ascii_case(key));
            let lines = message.lines().filter(|(_, line)| is_like(line)).map(|(span, _)| span);
            let lines: Vec<Span> = lines.collect();
            let spans = &lines[lines.len().saturating_sub(values.len())..];
            for (span, value) in spans.iter().cloned().zip(values) {
                let (commit, message) = (super::ladder::short(id), Arc::clone(&message));
                trailers.push(Trailer { commit, message, span, value });
            }
        }
        Ok(trailers)
    }

    /// Whether a file that is not on disk is one that a sparse checkout left out.
    pub fn has_in_index(&self, tree: &Policy<'_>, path: &str) -> bool {
        let is_sparse =
            || self.inner.config().is_ok_and(|config| config.get_bool("core.sparsecheckout").unwrap_or(false));
        matches!(tree, Policy::Disk(_))
            && is_sparse()
            && self.index().is_ok_and(|index| index.entry_by_path(path.into()).is_some())
    }

    /// The files on both sides of the change, as far as `scope` reaches.
    pub fn pair(&self, base: &Base, head: &Head, scope: &Scope) -> Result<Pair<'_>, GitError> {
        let trees = Trees::of(&self.inner)?;
        let base_tree = base.revision().map(|commit| self.tree_id(commit)).transpose()?;
        let mut on_disk = HashMap::new();
        let (base_entries, head_entries) = match head {
            Head::Commit(_) => {
                let commit = self.resolve_head(head)?.ok_or(GitError::Unborn)?;
                let head_tree = self.tree_id(commit)?;
                match base_tree {
                    Some(tree) => {
                        let base_entries = trees.list(tree, scope)?;
                        let known = Known { tree, entries: &base_entries };
                        let head_entries = trees.list_like(known, head_tree, scope)?;
                        (base_entries, head_entries)
                    }
                    None => (Entries::new(), trees.list(head_tree, scope)?),
                }
            }
            Head::Index | Head::Worktree => {
                let under = match base.revision() {
                    Some(commit) => Some(commit),
                    None => self.resolve_head(head)?,
                };
                let under = under.map(|commit| self.tree_id(commit)).transpose()?;
                let listed = under.map_or(Ok(Entries::new()), |tree| trees.list(tree, scope))?;
                let mut entries = self.staged(&listed, scope, *head == Head::Index)?;
                if *head == Head::Worktree {
                    self.apply_worktree(&mut entries, &self.index_of(scope)?, scope, &mut on_disk)?;
                }
                (listed, entries)
            }
        };
        let tip_entries = match base {
            Base::Commit { merge_base, tip, .. } if tip != merge_base => {
                let known = Known { tree: self.tree_id(*merge_base)?, entries: &base_entries };
                Some(trees.list_like(known, self.tree_id(*tip)?, scope)?)
            }
            _ => None,
        };
        let objects = Objects::new(&self.inner, on_disk).doing("opening the object database")?;
        let head = Snapshot::new(head_entries, Arc::new(objects));
        Ok(Pair {
            base: (!matches!(base, Base::Whole { .. })).then(|| head.with_entries(base_entries)),
            tip: tip_entries.map(|entries| head.with_entries(entries)),
            head,
        })
    }

    fn tree(&self, commit: Oid) -> Result<Tree<'_>, GitError> {
        self.inner.find_commit(commit).and_then(|commit| commit.tree()).doing("reading a commit")
    }

    fn tree_id(&self, commit: Oid) -> Result<Oid, GitError> {
        self.inner.find_commit(commit).map(|commit| commit.tree_id()).doing("reading a commit")
    }

    fn apply_worktree(
        &self,
        entries: &mut Entries,
        index: &git2::Index,
        scope: &Scope,
        on_disk: &mut HashMap<[u8; 20], PathBuf>,
    ) -> Result<(), GitError> {
        let root = self.root().ok_or(GitError::Bare("working tree"))?;
        let mut options = options(scope);
        options.include_untracked(true).recurse_untracked_dirs(true).include_typechange(true).ignore_submodules(true);
        let diff = self
            .inner
            .diff_index_to_workdir(Some(index), Some(&mut options))
            .doing("comparing the index with the working tree")?;
        for delta in diff.deltas() {
            let bytes = delta.new_file().path_bytes().or(delta.old_file().path_bytes());
            let path = path_of_bytes(bytes.unwrap_or_default());
            // A repository inside of this one, that git would not add; or a file of our own that is being written.
            if path.ends_with('/') || !scope.contains(&path) || is_temporary(&path) {
                continue;
            }
            let is_sparse = || {
                extended_flags(index, bytes).is_some_and(|flags| flags.contains(IndexEntryExtendedFlag::SKIP_WORKTREE))
            };
            if delta.status() == Delta::Deleted && is_sparse() {
                continue; // a sparse checkout left it out; it is there all the same
            }
            // The name as it is on disk, which `path` may only show.
            let name = delta.new_file().path().or(delta.old_file().path()).unwrap_or(Path::new(&path));
            let file = root.join(name);
            let entry = match std::fs::symlink_metadata(&file) {
                // Not to be asked of the disk: a directory on the way may be a link now, or a file.
                _ if delta.status() == Delta::Deleted => None,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(source) => return Err(GitError::Io { path, source }),
                Ok(metadata) if metadata.is_dir() => None,
                Ok(metadata) => {
                    let kind = match kind_of_mode(delta.new_file().mode().into()) {
                        Some(kind) => kind,
                        None if metadata.is_symlink() => Kind::Symlink,
                        None => Kind::File,
                    };
                    let failed = |source| GitError::Io { path: path.clone(), source };
                    if !metadata.is_symlink()
                        && let Some(converted) = self.converted(&path, &file)?
                    {
                        // What git would store is what is judged; often that is what it has stored already.
                        let id = Oid::hash_object(ObjectType::Blob, &converted).doing("reading the working tree")?;
                        let stored = index.get_path(Path::new(&path), 0).filter(|entry| entry.id == id);
                        let content =
                            stored.map_or_else(|| Content::Inline(converted.into()), |entry| object(entry.id));
                        apply(entries, scope, bytes, || Some(Entry { kind, content }));
                        continue;
                    }
                    let filtered = if metadata.is_symlink() { None } else { self.filtered(&path, &file)? };
                    let id = if let Some(id) = filtered {
                        Ok(id)
                    } else if metadata.is_symlink() {
                        let target = content_on_disk(&file).map_err(failed)?;
                        Oid::hash_object(ObjectType::Blob, &target)
                    } else {
                        // Opened here for a clear error: libgit2 does not say why it cannot.
                        std::fs::File::open(&file).map_err(failed)?;
                        Oid::hash_file(ObjectType::Blob, &file)
                    }
                    .doing("reading the working tree")?;
                    if let Content::Object(id) = object(id) {
                        on_disk.insert(id, file);
                    }
                    Some(Entry { kind, content: object(id) })
                }
            };
            apply(entries, scope, bytes, || entry);
        }
        Ok(())
    }
}

/// The bytes of a file of the working tree as git would store them: of a link, its target.
pub(super) fn content_on_disk(file: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::symlink_metadata(file)?.is_symlink() {
        let target = std::fs::read_link(file)?;
        return Ok(target.to_string_lossy().replace('\\', "/").into_bytes());
    }
    std::fs::read(file)
}

fn is_temporary(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with(TEMPORARY_PREFIX) && name.ends_with(TEMPORARY_SUFFIX)
}

/// Puts one delta into the list of files.
fn apply(entries: &mut Entries, scope: &Scope, path: Option<&[u8]>, entry: impl FnOnce() -> Option<Entry>) {
    let path = path_of_bytes(path.unwrap_or_default());
    if !scope.contains(&path) {
        return;
    }
    match entry() {
        Some(entry) => entries.insert(path.into(), entry),
        None => entries.remove(path.as_str()),
    };
}

/// The flags of an entry of the index that git keeps beside its first sixteen.
fn extended_flags(index: &git2::Index, path: Option<&[u8]>) -> Option<IndexEntryExtendedFlag> {
    let path = std::str::from_utf8(path?).ok()?;
    let entry = index.get_path(Path::new(path), 0)?;
    Some(IndexEntryExtendedFlag::from_bits_truncate(entry.flags_extended))
}

fn options(scope: &Scope) -> DiffOptions {
    let mut options = DiffOptions::new();
    options.skip_binary_check(true).disable_pathspec_match(true);
    if !scope.directories.iter().any(String::is_empty) {
        for path in scope.directories.iter().chain(&scope.files) {
            options.pathspec(path);
        }
    }
    options
}

pub(super) fn object(id: Oid) -> Content {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&id.as_bytes()[..20]);
    Content::Object(bytes)
}

/// A path as text. Bytes that are no UTF-8 are shown as `\xNN`: such a file is content, and can be nothing else.
pub(super) fn path_of_bytes(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut path = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        path.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(path, "\\x{byte:02x}");
        }
    }
    path
}

pub(super) fn kind_of_mode(mode: i32) -> Option<Kind> {
    if mode == i32::from(FileMode::Link) {
        Some(Kind::Symlink)
    } else if mode == i32::from(FileMode::Commit) {
        Some(Kind::Submodule)
    } else if mode == i32::from(FileMode::BlobExecutable) {
        Some(Kind::Executable)
    } else if mode == i32::from(FileMode::Blob) || mode == i32::from(FileMode::BlobGroupWritable) {
        Some(Kind::File)
    } else {
        None
    }
}
