//! Trees as git stores them, listed without an object for each.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use git2::{Odb, OdbObject, Oid};
use rayon::prelude::*;

use super::read::{Entries, kind_of_mode, object, path_of_bytes};
use super::{Doing, GitError};
use crate::snapshot::{Entry, Scope};

/// The mode of a directory in its parent.
const DIRECTORY: i32 = 0o04_0000;

/// How many entries of a tree are worth more than one thread.
const WORTH_A_THREAD: usize = 96;

/// Lists trees.
pub(super) struct Trees<'r> {
    odb: Odb<'r>,
}

/// A tree that was listed already.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) tree: Oid,
    pub(super) entries: &'a Entries,
}

/// What a tree holds: mode, name and object.
type Item<'t> = (i32, &'t [u8], Oid);

impl<'r> Trees<'r> {
    pub(super) fn of(repository: &'r git2::Repository) -> Result<Self, GitError> {
        Ok(Self { odb: repository.odb().doing("opening the object database")? })
    }

    /// Lists the files of a tree that belong to the scope. Nothing else of the tree is visited.
    pub(super) fn list(&self, tree: Oid, scope: &Scope) -> Result<Entries, GitError> {
        let mut entries = Vec::new();
        for directory in &scope.directories {
            if let Some((DIRECTORY, below)) = self.find(tree, directory)? {
                self.list_below(below, directory, &mut entries)?;
            }
        }
        for file in &scope.files {
            if let Some((mode, id)) = self.find(tree, file)? {
                entries.extend(entry(mode, id).map(|entry| (file.as_str().into(), entry)));
            }
        }
        Ok(BTreeMap::from_iter(entries))
    }

    /// Lists a tree that differs little from one whose files are known: only directories that differ are visited.
    pub(super) fn list_like(&self, known: Known<'_>, tree: Oid, scope: &Scope) -> Result<Entries, GitError> {
        let mut entries = known.entries.clone();
        for directory in &scope.directories {
            let [old, new] = [known.tree, tree].map(|tree| {
                let found = self.find(tree, directory)?;
                Ok(found.filter(|(mode, _)| *mode == DIRECTORY).map(|(_, tree)| tree))
            });
            self.update_below(old?, new?, directory, &mut entries)?;
        }
        for file in &scope.files {
            match self.find(tree, file)?.and_then(|(mode, id)| entry(mode, id)) {
                Some(entry) if entries.get(file.as_str()) == Some(&entry) => {}
                Some(entry) => drop(entries.insert(file.as_str().into(), entry)),
                None => drop(entries.remove(file.as_str())),
            }
        }
        Ok(entries)
    }

    fn list_below(&self, tree: Oid, directory: &str, entries: &mut Vec<(Arc<str>, Entry)>) -> Result<(), GitError> {
        let tree = self.read(tree)?;
        let items = items(&tree).collect::<Result<Vec<_>, _>>()?;
        let list = |(mode, name, id): &Item<'_>, entries: &mut Vec<_>| {
            let path = join(directory, name);
            if *mode == DIRECTORY {
                return self.list_below(*id, &path, entries);
            }
            entries.extend(entry(*mode, *id).map(|entry| (path.into(), entry)));
            Ok(())
        };
        if items.len() < WORTH_A_THREAD {
            return items.iter().try_for_each(|item| list(item, entries));
        }
        let below = items.par_iter().map(|item| {
            let mut entries = Vec::new();
            list(item, &mut entries).map(|()| entries)
        });
        for below in below.collect::<Result<Vec<_>, _>>()? {
            entries.extend(below);
        }
        Ok(())
    }

    /// Makes of the files below a directory of one tree those of another.
    fn update_below(
        &self,
        old: Option<Oid>,
        new: Option<Oid>,
        directory: &str,
        entries: &mut Entries,
    ) -> Result<(), GitError> {
        if old == new {
            return Ok(());
        }
        let read = |tree: Option<Oid>| tree.map(|tree| self.read(tree)).transpose();
        let [old, new] = [read(old)?, read(new)?];
        let mut before: HashMap<&[u8], (i32, Oid)> = HashMap::new();
        for item in old.iter().flat_map(items) {
            let (mode, name, id) = item?;
            before.insert(name, (mode, id));
        }
        let directory_of = |item: Option<(i32, Oid)>| item.filter(|(mode, _)| *mode == DIRECTORY).map(|(_, tree)| tree);
        for item in new.iter().flat_map(items) {
            let (mode, name, id) = item?;
            let old = before.remove(name);
            if old == Some((mode, id)) {
                continue;
            }
            let path = join(directory, name);
            self.update_below(directory_of(old), directory_of(Some((mode, id))), &path, entries)?;
            match entry(mode, id).filter(|_| mode != DIRECTORY) {
                Some(entry) => drop(entries.insert(path.into(), entry)),
                None => drop(entries.remove(path.as_str())),
            }
        }
        for (name, gone) in before {
            let path = join(directory, name);
            self.update_below(directory_of(Some(gone)), None, &path, entries)?;
            entries.remove(path.as_str());
        }
        Ok(())
    }

    /// What stands at a path of a tree; the tree itself for the empty one.
    fn find(&self, tree: Oid, path: &str) -> Result<Option<(i32, Oid)>, GitError> {
        let mut found = (DIRECTORY, tree);
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if found.0 != DIRECTORY {
                return Ok(None);
            }
            let object = self.read(found.1)?;
            let is_it =
                |item: &Result<Item<'_>, _>| item.as_ref().map_or(true, |(_, known, _)| *known == name.as_bytes());
            match items(&object).find(is_it).transpose()? {
                Some((mode, _, id)) => found = (mode, id),
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    fn read(&self, tree: Oid) -> Result<OdbObject<'_>, GitError> {
        self.odb.read(tree).doing("listing a tree")
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
            let trees = Trees::of(&repository).expect("an object database");
            let scope = |directory: &str| Scope { directories: vec![directory.to_owned()], files: vec!["shared".to_owned()] };
            for scope in [scope("images"), scope("images/a"), scope("")] {
                let entries = trees.list(before, &scope).expect("a list");
                let listed = trees.list_like(Known { tree: before, entries: &entries }, after, &scope).expect("a list");
                prop_assert_eq!(listed, trees.list(after, &scope).expect("a list"));
            }
        }
    }
}
