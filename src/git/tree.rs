//! Trees as git stores them, listed without an object for each.

use std::collections::BTreeMap;
use std::sync::Arc;

use git2::{Odb, OdbObject, Oid};

use super::read::{Entries, kind_of_mode, object, path_of_bytes};
use super::{Doing, GitError};
use crate::snapshot::{Entry, Scope, below};

/// The mode of a directory in its parent.
const DIRECTORY: i32 = 0o04_0000;

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

    /// Lists the files of a tree that belong to the scope. Nothing else of the tree is visited, and no directory that `known` has
    /// as it is.
    pub(super) fn list(&self, tree: Oid, scope: &Scope, known: Option<Known<'_>>) -> Result<Entries, GitError> {
        let mut entries = Vec::new();
        for directory in &scope.directories {
            let Some((_, below)) = self.find(tree, directory)?.filter(|(mode, _)| *mode == DIRECTORY) else { continue };
            let known = match known {
                Some(known) => self.find(known.tree, directory)?.map(|(_, tree)| Known { tree, ..known }),
                None => None,
            };
            self.list_below(below, directory, known, &mut entries)?;
        }
        for file in &scope.files {
            if let Some((mode, id)) = self.find(tree, file)?
                && let Some(kind) = kind_of_mode(mode)
            {
                entries.push((file.as_str().into(), Entry { kind, content: object(id) }));
            }
        }
        Ok(BTreeMap::from_iter(entries))
    }

    fn list_below(
        &self,
        tree: Oid,
        directory: &str,
        known: Option<Known<'_>>,
        entries: &mut Vec<(Arc<str>, Entry)>,
    ) -> Result<(), GitError> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        if let Some(known) = known.filter(|known| known.tree == tree) {
            entries.extend(below(known.entries, directory).map(|(path, entry)| (Arc::clone(path), entry.clone())));
            return Ok(());
        }
        let object_of = known.map(|known| self.read(known.tree)).transpose()?;
        let known_items: Vec<Item<'_>> = object_of.iter().flat_map(items).collect::<Result<_, _>>()?;
        for item in items(&self.read(tree)?) {
            let (mode, name, id) = item?;
            let path = [&prefix, &*path_of_bytes(name)].concat();
            if mode == DIRECTORY {
                let old = known_items.iter().find(|(mode, known, _)| *mode == DIRECTORY && *known == name);
                let known = known.zip(old).map(|(known, (_, _, tree))| Known { tree: *tree, ..known });
                self.list_below(id, &path, known, entries)?;
            } else if let Some(kind) = kind_of_mode(mode) {
                entries.push((path.into(), Entry { kind, content: object(id) }));
            }
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
