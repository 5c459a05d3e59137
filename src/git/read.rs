//! From git to snapshots.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use git2::{Delta, DiffOptions, ErrorCode, IndexEntryExtendedFlag, ObjectType, Oid};

use super::base::{Base, Comparison, Merged, short};
use super::entry::{Entries, bytes_of, bytes_on_disk, kind_of_mode, object, path_of_bytes};
use super::error::{Doing, GitError, open_error};
use super::head::Head;
use super::objects::{Bytes, Objects, OnDisk};
use super::repository::Repository;
use super::tree::Known;
use crate::snapshot::{self, Entry, FileKind, Origin, Pair, Scope, Snapshot, TEMPORARY_PREFIX, TEMPORARY_SUFFIX};
use crate::text::{Span, Text, file_name};

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

impl Repository {
    /// The trailers of one key in the messages of the commits of a change.
    pub fn trailers(&self, base: &Base, head: &Head, key: &str) -> Result<Vec<Trailer>, GitError> {
        let (Base::Commit(Comparison { merge_base, .. }), Some(head)) = (base, self.resolve_head(head)?) else {
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
                let (commit, message) = (short(id), Arc::clone(&message));
                trailers.push(Trailer { commit, message, span, value });
            }
        }
        Ok(trailers)
    }

    /// The files on both sides of the change, as far as `scope` reaches.
    pub fn pair(&self, base: &Base, head: &Head, scope: &Scope) -> Result<Pair<'_>, GitError> {
        let mut objects = Objects::of(&self.inner)?;
        let base_tree = base.revision().map(|commit| self.tree_id(commit)).transpose()?;
        let (base_entries, head_entries) = match head {
            Head::Commit(_) => {
                let commit = self.resolve_head(head)?.ok_or(GitError::Unborn)?;
                let head_tree = self.tree_id(commit)?;
                match base_tree {
                    Some(tree) => {
                        let base_entries = objects.list(tree, scope)?;
                        let known = Known { tree, entries: &base_entries };
                        let head_entries = objects.list_like(known, head_tree, scope)?;
                        (base_entries, head_entries)
                    }
                    None => (Entries::new(), objects.list(head_tree, scope)?),
                }
            }
            Head::Index | Head::Worktree => {
                let under = match base.revision() {
                    Some(commit) => Some(commit),
                    None => self.resolve_head(head)?,
                };
                let under = under.map(|commit| self.tree_id(commit)).transpose()?;
                let listed = under.map_or(Ok(Entries::new()), |tree| objects.list(tree, scope))?;
                let mut entries = self.staged(&listed, scope, *head == Head::Index)?;
                if *head == Head::Worktree {
                    objects.on_disk = self.apply_worktree(&mut entries, &self.index_of(scope)?, scope)?;
                }
                (listed, entries)
            }
        };
        let tip_entries = match base {
            Base::Commit(Comparison { merge_base, tip, .. }) if tip != merge_base => {
                let known = Known { tree: self.tree_id(*merge_base)?, entries: &base_entries };
                Some(objects.list_like(known, self.tree_id(*tip)?, scope)?)
            }
            _ => None,
        };
        let mut origin = Origin::default();
        let mut merged_entries = None;
        if let Base::Commit(comparison) = base {
            origin.branch = comparison.branch.as_deref().map(Arc::from);
            if let Some(Merged { fork, author }) = comparison.merged {
                let known = Known { tree: self.tree_id(comparison.merge_base)?, entries: &base_entries };
                let fork = objects.list_like(known, self.tree_id(fork)?, scope)?;
                merged_entries = Some((fork, objects.list_like(known, self.tree_id(author)?, scope)?));
            }
        }
        let head = Snapshot::new(head_entries, Arc::new(objects));
        origin.merged = merged_entries.map(|(fork, author)| snapshot::Merged {
            fork: head.with_entries(fork),
            author: head.with_entries(author),
        });
        Ok(Pair {
            base: (!matches!(base, Base::Whole { .. })).then(|| head.with_entries(base_entries)),
            tip: tip_entries.map(|entries| head.with_entries(entries)),
            head,
            origin,
        })
    }

    pub(super) fn tree_id(&self, commit: Oid) -> Result<Oid, GitError> {
        self.inner.find_commit(commit).map(|commit| commit.tree_id()).doing("reading a commit")
    }

    /// Puts what lies on disk in the place of what is staged, and gives the contents that are in no object.
    fn apply_worktree(
        &self,
        entries: &mut Entries,
        index: &git2::Index,
        scope: &Scope,
    ) -> Result<HashMap<[u8; 20], OnDisk>, GitError> {
        let root = self.root().ok_or(GitError::Bare("working tree"))?;
        let mut options = options(scope);
        options.include_untracked(true).recurse_untracked_dirs(true).include_typechange(true);
        options.ignore_submodules(true); // libgit2 would look for changes inside of them
        let diff = self
            .inner
            .diff_index_to_workdir(Some(index), Some(&mut options))
            .doing("comparing the index with the working tree")?;
        let mut on_disk = HashMap::new();
        let mut converted = Vec::new();
        for delta in diff.deltas() {
            let bytes = delta.new_file().path_bytes().or(delta.old_file().path_bytes());
            let path = path_of_bytes(bytes.unwrap_or_default());
            // A repository inside of this one, that git would not add; or a file of our own that is being written.
            if path.ends_with('/') || !scope.contains(&path) || is_temporary(&path) {
                continue;
            }
            // The name as it is on disk, which `path` may only show.
            let name = delta.new_file().path().or(delta.old_file().path()).unwrap_or(Path::new(&path)).to_owned();
            let file = root.join(&name);
            // A directory on the way may be a link now, or a file: git knows, the disk need not be asked.
            let metadata = match delta.status() {
                Delta::Deleted => None,
                _ => match std::fs::symlink_metadata(&file) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                    metadata => Some(metadata.map_err(|source| GitError::Io { path: path.clone(), source })?),
                },
            };
            let Some(metadata) = metadata.filter(|metadata| !metadata.is_dir()) else {
                // What a sparse checkout left out is there all the same.
                let is_sparse = delta.status() == Delta::Deleted && is_skipped(index, &name);
                if !is_sparse {
                    entries.remove(path.as_str());
                }
                continue;
            };
            let kind = match kind_of_mode(delta.new_file().mode().into()) {
                Some(kind) => kind,
                None if metadata.is_symlink() => FileKind::Symlink,
                None => FileKind::File,
            };
            let is_unmerged = delta.status() == Delta::Conflicted;
            if !metadata.is_symlink() && self.is_converted(&path, &file)? {
                converted.push((path, name, kind, is_unmerged));
                continue;
            }
            let failed = |source| GitError::Io { path: path.clone(), source };
            let id = if metadata.is_symlink() {
                Oid::hash_object(ObjectType::Blob, &bytes_on_disk(&file).map_err(failed)?)
            } else {
                // Opened here for a clear error: libgit2 does not say why it cannot.
                std::fs::File::open(&file).map_err(failed)?;
                Oid::hash_file(ObjectType::Blob, &file)
            }
            .doing("reading the working tree")?;
            on_disk.insert(bytes_of(id), OnDisk { bytes: Bytes::File(file), is_unmerged });
            entries.insert(path.into(), Entry { kind, content: object(id) });
        }
        let names: Vec<&Path> = converted.iter().map(|(_, name, _, _)| name.as_path()).collect();
        let contents = self.converted(&names, index)?;
        for ((path, _, kind, is_unmerged), (id, bytes)) in converted.into_iter().zip(contents) {
            on_disk.insert(bytes_of(id), OnDisk { bytes, is_unmerged });
            entries.insert(path.into(), Entry { kind, content: object(id) });
        }
        // A submodule is where its own HEAD is; where it was not checked out, it is where it was.
        for (path, entry) in entries.iter_mut().filter(|(_, entry)| entry.kind == FileKind::Submodule) {
            let directory = root.join(&**path);
            match git2::Repository::open(&directory).and_then(|inner| inner.refname_to_id("HEAD")) {
                Ok(id) => entry.content = object(id),
                Err(error) if error.code() == ErrorCode::NotFound => {}
                Err(error) => return Err(open_error(&error, &directory)),
            }
        }
        Ok(on_disk)
    }
}

fn is_temporary(path: &str) -> bool {
    let name = file_name(path);
    name.starts_with(TEMPORARY_PREFIX) && name.ends_with(TEMPORARY_SUFFIX)
}

/// Whether a sparse checkout left a file of the index out.
fn is_skipped(index: &git2::Index, name: &Path) -> bool {
    let flags = index.get_path(name, 0).map(|entry| IndexEntryExtendedFlag::from_bits_truncate(entry.flags_extended));
    flags.is_some_and(|flags| flags.contains(IndexEntryExtendedFlag::SKIP_WORKTREE))
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
