//! Trees as git stores them, listed without an object for each.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use git2::{OdbObject, Oid};

use super::entry::{Entries, kind_of_mode, object, path_of_bytes};
use super::error::{Doing, GitError};
use super::objects::Objects;
use crate::snapshot::{Entry, Scope};
use crate::text::is_below;

/// The mode of a directory in its parent.
const DIRECTORY: i32 = 0o04_0000;

/// A tree that was listed already.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) tree: Oid,
    pub(super) entries: &'a Entries,
}

/// What a tree holds: mode, name and object.
type Item<'t> = (i32, &'t [u8], Oid);

/// How much of a directory is listed.
enum Reach<'s> {
    All,
    /// What of it belongs to the scope.
    Of(&'s Scope),
}

impl<'s> Reach<'s> {
    fn of(scope: &'s Scope) -> Self {
        if scope.directories.iter().any(String::is_empty) { Self::All } else { Self::Of(scope) }
    }

    /// How much of a directory in this one is listed; `None` where it is nothing.
    fn below(&self, directory: &str) -> Option<Self> {
        let Self::Of(scope) = *self else { return Some(Self::All) };
        if scope.directories.iter().any(|whole| is_below(directory, whole)) {
            return Some(Self::All);
        }
        let mut wanted = scope.directories.iter().chain(&scope.files);
        wanted.any(|path| is_below(path, directory)).then_some(Self::Of(scope))
    }

    /// Whether a file in this directory is listed.
    fn has(&self, file: &str) -> bool {
        match self {
            Self::All => true,
            Self::Of(scope) => scope.contains(file),
        }
    }
}

impl Objects<'_> {
    /// Lists the files of a tree that belong to the scope. Nothing else of the tree is visited.
    pub(super) fn list(&self, tree: Oid, scope: &Scope) -> Result<Entries, GitError> {
        let mut entries = Vec::new();
        self.list_below(tree, "", &Reach::of(scope), &mut entries)?;
        Ok(BTreeMap::from_iter(entries))
    }

    /// Adds the files of a tree that stands in the place of a directory, where they belong to the scope.
    pub(super) fn list_directory(
        &self,
        tree: Oid,
        directory: &str,
        scope: &Scope,
        entries: &mut Vec<(Arc<str>, Entry)>,
    ) -> Result<(), GitError> {
        Reach::of(scope).below(directory).map_or(Ok(()), |reach| self.list_below(tree, directory, &reach, entries))
    }

    /// Lists a tree that differs little from one whose files are known: only directories that differ are visited.
    pub(super) fn list_like(&self, known: Known<'_>, tree: Oid, scope: &Scope) -> Result<Entries, GitError> {
        let mut entries = known.entries.clone();
        self.update_below(Some(known.tree), Some(tree), "", &Reach::of(scope), &mut entries)?;
        Ok(entries)
    }

    fn list_below(
        &self,
        tree: Oid,
        directory: &str,
        reach: &Reach<'_>,
        entries: &mut Vec<(Arc<str>, Entry)>,
    ) -> Result<(), GitError> {
        for item in items(&self.tree(tree, directory)?) {
            let (mode, name, id) = item?;
            let path = join(directory, name);
            if mode == DIRECTORY {
                if let Some(reach) = reach.below(&path) {
                    self.list_below(id, &path, &reach, entries)?;
                }
            } else if let Some(entry) = entry(mode, id).filter(|_| reach.has(&path)) {
                entries.push((path.into(), entry));
            }
        }
        Ok(())
    }

    /// Makes of the files below a directory of one tree those of another.
    fn update_below(
        &self,
        old: Option<Oid>,
        new: Option<Oid>,
        directory: &str,
        reach: &Reach<'_>,
        entries: &mut Entries,
    ) -> Result<(), GitError> {
        if old == new {
            return Ok(());
        }
        let read = |tree: Option<Oid>| tree.map(|tree| self.tree(tree, directory)).transpose();
        let [old, new] = [read(old)?, read(new)?];
        let mut before: HashMap<&[u8], (i32, Oid)> = HashMap::new();
        for item in old.iter().flat_map(items) {
            let (mode, name, id) = item?;
            before.insert(name, (mode, id));
        }
        let mut differing = Vec::new();
        for item in new.iter().flat_map(items) {
            let (mode, name, id) = item?;
            let old = before.remove(name);
            if old != Some((mode, id)) {
                differing.push((name, old, Some((mode, id))));
            }
        }
        differing.extend(before.into_iter().map(|(name, gone)| (name, Some(gone), None)));
        let directory_of = |item: Option<(i32, Oid)>| item.filter(|(mode, _)| *mode == DIRECTORY).map(|(_, tree)| tree);
        for (name, old, new) in differing {
            let path = join(directory, name);
            if let Some(reach) = reach.below(&path) {
                self.update_below(directory_of(old), directory_of(new), &path, &reach, entries)?;
            }
            if reach.has(&path) {
                match new.and_then(|(mode, id)| entry(mode, id)) {
                    Some(entry) => drop(entries.insert(path.into(), entry)),
                    None => drop(entries.remove(path.as_str())),
                }
            }
        }
        Ok(())
    }

    fn tree(&self, tree: Oid, directory: &str) -> Result<OdbObject<'_>, GitError> {
        Ok(self.get(if directory.is_empty() { "the root of a tree" } else { directory }, tree)?)
    }
}

fn join(directory: &str, name: &[u8]) -> String {
    let name = path_of_bytes(name);
    if directory.is_empty() { name } else { [directory, "/", &name].concat() }
}

fn entry(mode: i32, id: Oid) -> Option<Entry> {
    kind_of_mode(mode).map(|kind| Entry { kind, content: object(id) })
}

/// Reads a tree: for each entry the mode in octal, a space, the name, a zero byte, and the twenty bytes of the object's name.
fn items<'t>(tree: &'t OdbObject<'_>) -> impl Iterator<Item = Result<Item<'t>, GitError>> {
    let mut rest = tree.data();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let item = item(rest).ok_or_else(|| git2::Error::from_str("a tree is malformed")).doing("listing a tree");
        rest = item.as_ref().map_or(&[][..], |(_, rest)| *rest);
        Some(item.map(|(item, _)| item))
    })
}

/// Reads the first entry of a tree; with what stands behind it.
fn item(tree: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let space = tree.iter().position(|byte| *byte == b' ')?;
    let mode = i32::from_str_radix(std::str::from_utf8(&tree[..space]).ok()?, 8).ok()?;
    let name = &tree[space + 1..];
    let end = name.iter().position(|byte| *byte == 0)?;
    let (id, rest) = name[end + 1..].split_at_checked(20)?;
    Some(((mode, &name[..end], Oid::from_bytes(id).ok()?), rest))
}

#[cfg(test)]
mod tests {
    use git2::{Index, IndexEntry, IndexTime, Repository};
    use proptest::prelude::*;

    use super::*;

    /// The tree of files of these names and contents. A file in the place of a directory takes it.
    fn tree(repository: &Repository, files: &[(String, u8, bool)]) -> Oid {
        let mut index = Index::new().expect("an index");
        for (path, content, is_link) in files {
            let time = IndexTime::new(0, 0);
            let id = repository.blob(&[*content]).expect("a blob");
            let mode = if *is_link { 0o120_000 } else { 0o100_644 };
            let [dev, ino, uid, gid, file_size] = [0; 5];
            let [ctime, mtime] = [time; 2];
            let path = path.as_bytes().to_vec();
            let (flags, flags_extended) = (0, 0);
            let entry =
                IndexEntry { ctime, mtime, dev, ino, mode, uid, gid, file_size, id, flags, flags_extended, path };
            index.add(&entry).expect("an entry");
        }
        index.write_tree_to(repository).expect("a tree")
    }

    fn files() -> impl Strategy<Value = Vec<(String, u8, bool)>> {
        let name = "(images|other|shared)(/(a|b|a-b)){0,3}";
        prop::collection::vec((name, 0..3_u8, prop::bool::weighted(0.1)), 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn a_tree_is_listed_alike_with_and_without_another(before in files(), after in files()) {
            let directory = tempfile::tempdir().expect("a directory");
            let repository = Repository::init_bare(directory.path()).expect("a repository");
            let [before, after] = [before, after].map(|files| tree(&repository, &files));
            let trees = Objects::of(&repository).expect("an object database");
            let scope = |directory: &str| Scope { directories: vec![directory.to_owned()], files: vec!["shared".to_owned()] };
            for scope in [scope("images"), scope("images/a"), scope("")] {
                let entries = trees.list(before, &scope).expect("a list");
                let listed = trees.list_like(Known { tree: before, entries: &entries }, after, &scope).expect("a list");
                prop_assert_eq!(listed, trees.list(after, &scope).expect("a list"));
            }
        }
    }
}
