//! Listing trees. They are read as git stores them: libgit2 would copy each directory before it can be asked about, and walks
//! over it once more without an object for each.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use git2::{OdbObject, Oid};

use super::entry::{DIRECTORY, Entries, canonical, kind_of_mode, object};
use super::error::{Doing, GitError};
use super::objects::Objects;
use crate::history::Difference;
use crate::snapshot::{Entry, Scope};
use crate::text::{is_below, path_of_bytes};

/// How many files and directories are listed of a tree, at most: more than any repository has where images are. A few objects can
/// name any number of them.
const MOST: usize = 1_000_000;

/// How long their paths may be together, in bytes.
const MOST_BYTES: usize = 64 << 20;

/// How long one of them may be, in bytes: as long as Linux has them.
const LONGEST: usize = 4096;

/// A tree that was listed already.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) tree: Oid,
    pub(super) entries: &'a Entries,
}

/// One entry of a tree.
struct Item<'t> {
    /// Its mode, as git takes it.
    mode: i32,
    name: &'t [u8],
    id: Oid,
}

/// One directory, or file, and what stands in its place in another tree.
struct Changed<'t> {
    name: &'t [u8],
    old: Option<(i32, Oid)>,
    new: Option<(i32, Oid)>,
}

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
        Lister::new(self).list_below(tree, "", &Reach::of(scope), &mut entries)?;
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
        match Reach::of(scope).below(directory) {
            Some(reach) => Lister::new(self).list_below(tree, directory, &reach, entries),
            None => Ok(()),
        }
    }

    /// Lists a tree that differs little from one whose files are known: only directories that differ are visited.
    pub(super) fn list_like(&self, known: Known<'_>, tree: Oid, scope: &Scope) -> Result<Entries, GitError> {
        let mut entries = known.entries.clone();
        for Difference { path, other } in self.differences(Some(known.tree), Some(tree), scope)? {
            match other {
                Some(entry) => drop(entries.insert(path, entry)),
                None => drop(entries.remove(&path)),
            }
        }
        Ok(entries)
    }

    /// The paths that differ between two trees, with what the second has there. Only directories that differ are visited.
    pub(super) fn differences(
        &self,
        old: Option<Oid>,
        new: Option<Oid>,
        scope: &Scope,
    ) -> Result<Vec<Difference>, GitError> {
        let mut differences = Vec::new();
        Lister::new(self).differ_below(old, new, "", &Reach::of(scope), &mut differences)?;
        Ok(differences)
    }
}

/// One listing, and how much may still be added to it.
struct Lister<'o, 'r> {
    objects: &'o Objects<'r>,
    items: usize,
    bytes: usize,
}

impl<'o, 'r> Lister<'o, 'r> {
    fn new(objects: &'o Objects<'r>) -> Self {
        Self { objects, items: MOST, bytes: MOST_BYTES }
    }

    /// Notes that a file is listed, or a directory visited.
    fn spend(&mut self, path: &str) -> Result<(), GitError> {
        let is_within = self.items > 0 && self.bytes >= path.len() && path.len() <= LONGEST;
        if !is_within {
            let mut shown: String = path.chars().take(100).collect();
            if shown.len() < path.len() {
                shown.push('…');
            }
            return Err(GitError::TooManyFiles { path: shown, most: MOST });
        }
        self.items -= 1;
        self.bytes -= path.len();
        Ok(())
    }

    fn list_below(
        &mut self,
        tree: Oid,
        directory: &str,
        reach: &Reach<'_>,
        entries: &mut Vec<(Arc<str>, Entry)>,
    ) -> Result<(), GitError> {
        for item in items(&self.tree(tree, directory)?) {
            let Item { mode, name, id } = item?;
            let path = join(directory, name);
            if mode == DIRECTORY {
                if let Some(reach) = reach.below(&path) {
                    self.spend(&path)?;
                    self.list_below(id, &path, &reach, entries)?;
                }
            } else if reach.has(&path)
                && let Some(entry) = entry(mode, id)
            {
                self.spend(&path)?;
                entries.push((path.into(), entry));
            }
        }
        Ok(())
    }

    /// Adds what differs below a directory of two trees.
    fn differ_below(
        &mut self,
        old: Option<Oid>,
        new: Option<Oid>,
        directory: &str,
        reach: &Reach<'_>,
        differences: &mut Vec<Difference>,
    ) -> Result<(), GitError> {
        if old == new {
            return Ok(());
        }
        let [old, new] = [self.tree_if_any(old, directory)?, self.tree_if_any(new, directory)?];
        for Changed { name, old, new } in changed(old.as_ref(), new.as_ref())? {
            let path = join(directory, name);
            if let Some(reach) = reach.below(&path) {
                let [old, new] = [directory_of(old), directory_of(new)];
                if old.or(new).is_some() {
                    self.spend(&path)?;
                }
                self.differ_below(old, new, &path, &reach, differences)?;
            }
            if reach.has(&path) {
                let before = old.and_then(|(mode, id)| entry(mode, id));
                let after = new.and_then(|(mode, id)| entry(mode, id));
                if before != after {
                    self.spend(&path)?;
                    differences.push(Difference { path: path.into(), other: after });
                }
            }
        }
        Ok(())
    }

    fn tree(&self, tree: Oid, directory: &str) -> Result<OdbObject<'o>, GitError> {
        Ok(self.objects.get(if directory.is_empty() { "the root of a tree" } else { directory }, tree)?)
    }

    fn tree_if_any(&self, tree: Option<Oid>, directory: &str) -> Result<Option<OdbObject<'o>>, GitError> {
        tree.map(|tree| self.tree(tree, directory)).transpose()
    }
}

/// What stands otherwise in one tree than in another.
fn changed<'t>(old: Option<&'t OdbObject<'_>>, new: Option<&'t OdbObject<'_>>) -> Result<Vec<Changed<'t>>, GitError> {
    let mut before: HashMap<&[u8], (i32, Oid)> = HashMap::new();
    for item in old.into_iter().flat_map(items) {
        let Item { mode, name, id } = item?;
        before.insert(name, (mode, id));
    }
    let mut differences = Vec::new();
    for item in new.into_iter().flat_map(items) {
        let Item { mode, name, id } = item?;
        let old = before.remove(name);
        if old != Some((mode, id)) {
            differences.push(Changed { name, old, new: Some((mode, id)) });
        }
    }
    differences.extend(before.into_iter().map(|(name, gone)| Changed { name, old: Some(gone), new: None }));
    Ok(differences)
}

fn directory_of(item: Option<(i32, Oid)>) -> Option<Oid> {
    item.filter(|(mode, _)| *mode == DIRECTORY).map(|(_, tree)| tree)
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

/// Reads the first entry of a tree; with what stands behind it. A name that git would not check out is none.
fn item(tree: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let space = tree.iter().position(|byte| *byte == b' ')?;
    let mode = i32::from_str_radix(std::str::from_utf8(&tree[..space]).ok()?, 8).ok()?;
    let name = &tree[space + 1..];
    let end = name.iter().position(|byte| *byte == 0)?;
    let (id, rest) = name[end + 1..].split_at_checked(20)?;
    let name = &name[..end];
    if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') {
        return None;
    }
    Some((Item { mode: canonical(mode), name, id: Oid::from_bytes(id).ok()? }, rest))
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
            let trees = Objects::of(&repository, false).expect("an object database");
            let scope = |directory: &str| Scope {
                directories: vec![directory.to_owned()],
                files: vec!["shared".to_owned()],
                above: vec!["b".to_owned()],
            };
            for scope in [scope("images"), scope("images/a"), scope("")] {
                let entries = trees.list(before, &scope).expect("a list");
                let listed = trees.list_like(Known { tree: before, entries: &entries }, after, &scope).expect("a list");
                prop_assert_eq!(listed, trees.list(after, &scope).expect("a list"));
            }
        }
    }
}
