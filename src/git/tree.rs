//! Listing trees. They are read as git stores them: libgit2 would copy each directory before it can be asked about, and walks
//! over it once more without an object for each.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use git2::{OdbObject, Oid};

use super::entry::{DIRECTORY, bytes_of, canonical, kind_of_mode};
use super::error::{Doing, GitError};
use super::objects::Objects;
use crate::history::Difference;
use crate::path::path_of_bytes;
use crate::snapshot::{Content, Entries, Entry, Scope};

/// How many files and directories are listed of a tree, at most: more than any repository has where images are. A few objects can
/// name any number of them.
const MOST: usize = 1_000_000;

/// How long their paths may be together, in bytes.
const MOST_BYTES: usize = 64 << 20;

/// How long one of them may be, in bytes: as long as Linux has them.
const LONGEST: usize = 4096;

/// How many digits a mode may have: git writes six at most, other programs zeros before them.
const MODE_DIGITS: usize = 10;

/// A tree that was listed already.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) tree: Oid,
    pub(super) entries: &'a Entries,
}

/// One entry of a tree.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Item<'t> {
    /// Its mode, as git takes it.
    mode: i32,
    name: &'t [u8],
    id: [u8; 20],
}

/// What stands otherwise in one tree than in another, under one name.
struct Changed<'t> {
    name: &'t [u8],
    old: Option<Item<'t>>,
    new: Option<Item<'t>>,
}

/// A scope, directory by directory: no path of a tree need be put together to know that it is none of the scope's.
#[derive(Default)]
struct Wanted<'s> {
    /// All below it is listed.
    is_whole: bool,
    /// It is listed itself, if it is a file.
    is_listed: bool,
    below: BTreeMap<&'s str, Wanted<'s>>,
}

impl<'s> Wanted<'s> {
    fn of(scope: &'s Scope) -> Self {
        let mut wanted = Self::default();
        for path in &scope.directories {
            wanted.at(path).is_whole = true;
        }
        for path in scope.files.iter().chain(&scope.above) {
            wanted.at(path).is_listed = true;
        }
        wanted
    }

    fn at(&mut self, path: &'s str) -> &mut Self {
        let mut wanted = self;
        for part in path.split('/').filter(|_| !path.is_empty()) {
            wanted = wanted.below.entry(part).or_default();
        }
        wanted
    }

    fn reach(&self) -> Reach<'_> {
        if self.is_whole { Reach::All } else { Reach::Of(self) }
    }
}

/// How much of a directory is listed.
#[derive(Clone, Copy)]
enum Reach<'w> {
    All,
    /// What of it is wanted.
    Of(&'w Wanted<'w>),
    Nothing,
}

impl<'w> Reach<'w> {
    /// How much of something in this directory is listed, given by its name.
    fn at(self, name: &str) -> Part<'w> {
        let wanted = match self {
            Self::All => return Part { is_listed: true, below: Self::All },
            Self::Of(wanted) => wanted.below.get(name),
            Self::Nothing => None,
        };
        match wanted {
            None => Part { is_listed: false, below: Self::Nothing },
            Some(wanted) if wanted.is_whole => Part { is_listed: true, below: Self::All },
            Some(wanted) if wanted.below.is_empty() => Part { is_listed: wanted.is_listed, below: Self::Nothing },
            Some(wanted) => Part { is_listed: wanted.is_listed, below: Self::Of(wanted) },
        }
    }

    fn is_nothing(self) -> bool {
        matches!(self, Self::Nothing)
    }
}

/// How much of what stands under a name is listed.
struct Part<'w> {
    /// Whether it is listed as a file.
    is_listed: bool,
    /// How much of it is listed as a directory.
    below: Reach<'w>,
}

/// What differs between two trees.
#[derive(Default)]
pub(super) struct Differences {
    /// The paths that belong to the scope, with what the second tree has there.
    pub(super) within: Vec<Difference>,
    /// Whether something differs that does not belong to it.
    pub(super) beyond: bool,
}

impl Objects<'_> {
    /// Lists the files of a tree that belong to the scope. Nothing else of the tree is visited.
    pub(super) fn list(&self, tree: Oid, scope: &Scope) -> Result<Entries, GitError> {
        let mut entries = Vec::new();
        let wanted = Wanted::of(scope);
        Listing::new(self).add(Place { tree, path: String::new(), reach: wanted.reach() }, &mut entries)?;
        Ok(entries.into_iter().collect())
    }

    /// Adds the files of a tree that stands in the place of a directory, where they belong to the scope.
    pub(super) fn list_directory(
        &self,
        tree: Oid,
        directory: &str,
        scope: &Scope,
        entries: &mut Vec<File>,
    ) -> Result<(), GitError> {
        let wanted = Wanted::of(scope);
        let mut reach = wanted.reach();
        for name in directory.split('/') {
            reach = reach.at(name).below;
        }
        let place = Place { tree, path: directory.to_owned(), reach };
        if reach.is_nothing() { Ok(()) } else { Listing::new(self).add(place, entries) }
    }

    /// Lists a tree that differs little from one whose files are known: only directories that differ are visited.
    pub(super) fn list_like(&self, known: Known<'_>, tree: Oid, scope: &Scope) -> Result<Entries, GitError> {
        let differences = self.differences(Some(known.tree), Some(tree), scope)?;
        Ok(differences.applied_to(known.entries))
    }

    /// What differs between two trees. Only directories that differ are visited.
    pub(super) fn differences(
        &self,
        old: Option<Oid>,
        new: Option<Oid>,
        scope: &Scope,
    ) -> Result<Differences, GitError> {
        let mut differences = Differences::default();
        let [old, new] = [old, new].map(|tree| tree.map(bytes_of));
        let mut comparison = Comparison { objects: self, budget: &Budget::new(), path: String::new() };
        comparison.differ(old, new, Wanted::of(scope).reach(), &mut differences)?;
        Ok(differences)
    }
}

impl Differences {
    /// The files of the second tree, given those of the first.
    pub(super) fn applied_to(self, entries: &Entries) -> Entries {
        let mut entries = entries.clone();
        for difference in &self.within {
            difference.apply_to(&mut entries);
        }
        entries
    }
}

/// How much may still be listed.
struct Budget {
    items: Cell<usize>,
    bytes: Cell<usize>,
}

impl Budget {
    fn new() -> Self {
        Self { items: Cell::new(MOST), bytes: Cell::new(MOST_BYTES) }
    }

    /// Notes that so many more files are listed or directories visited, in `directory` or at it, with paths of so many bytes together.
    fn spend(&self, directory: &str, items: usize, bytes: usize) -> Result<(), GitError> {
        for (left, spent) in [(&self.items, items), (&self.bytes, bytes)] {
            let rest = left.get().checked_sub(spent);
            left.set(rest.ok_or_else(|| too_many(directory))?);
        }
        Ok(())
    }
}

fn too_many(path: &str) -> GitError {
    let mut shown: String = path.chars().take(100).collect();
    if shown.len() < path.len() {
        shown.push('…');
    }
    GitError::TooManyFiles { path: shown, most: MOST }
}

/// A directory that is to be listed.
struct Place<'w> {
    tree: Oid,
    path: String,
    reach: Reach<'w>,
}

/// Something in a directory.
enum Node<'w> {
    File(File),
    Directory(Place<'w>),
}

/// A file, by its path.
type File = (Arc<str>, Entry);

/// A listing of a tree.
struct Listing<'o, 'r> {
    objects: &'o Objects<'r>,
    budget: Budget,
}

impl<'o, 'r> Listing<'o, 'r> {
    fn new(objects: &'o Objects<'r>) -> Self {
        Self { objects, budget: Budget::new() }
    }

    /// Lists all below a place, in the order of the paths. Two threads would take longer than one: libgit2 has them wait.
    fn add(&self, place: Place<'_>, files: &mut Vec<File>) -> Result<(), GitError> {
        // No recursion: a deep tree must not fill the stack.
        let mut nodes = vec![Node::Directory(place)];
        while let Some(node) = nodes.pop() {
            match node {
                Node::File(file) => files.push(file),
                Node::Directory(place) => nodes.extend(self.nodes_in(&place)?.into_iter().rev()),
            }
        }
        Ok(())
    }

    /// What is listed of a directory, in its order.
    fn nodes_in<'w>(&self, place: &Place<'w>) -> Result<Vec<Node<'w>>, GitError> {
        let mut nodes = Vec::new();
        let mut bytes = 0;
        let mut path = place.path.clone();
        if !path.is_empty() {
            path.push('/');
        }
        let directory = path.len();
        for item in items(&read(self.objects, &place.path, place.tree)?) {
            let Item { mode, name, id } = item?;
            let name = text_of(name);
            let Part { is_listed, below: reach } = place.reach.at(&name);
            path.truncate(directory);
            path.push_str(&name);
            if mode == DIRECTORY {
                if reach.is_nothing() {
                    continue;
                }
                nodes.push(Node::Directory(Place { tree: oid(id), path: path.clone(), reach }));
            } else if is_listed && let Some(kind) = kind_of_mode(mode) {
                nodes.push(Node::File((path.as_str().into(), Entry { kind, content: Content::Object(id) })));
            } else {
                continue;
            }
            bytes += path.len();
            if path.len() > LONGEST {
                return Err(too_many(&path));
            }
        }
        self.budget.spend(&place.path, nodes.len(), bytes)?;
        Ok(nodes)
    }
}

/// Reads a directory.
fn read<'o>(objects: &'o Objects<'_>, path: &str, tree: Oid) -> Result<OdbObject<'o>, GitError> {
    let path = if path.is_empty() { "the root of a tree" } else { path };
    Ok(objects.get(path, tree)?)
}

/// A comparison of two trees.
struct Comparison<'o, 'r> {
    objects: &'o Objects<'r>,
    budget: &'o Budget,
    /// The directory that it is at.
    path: String,
}

impl<'o> Comparison<'o, '_> {
    /// Adds what differs below the directory that it is at.
    fn differ(
        &mut self,
        old: Option<[u8; 20]>,
        new: Option<[u8; 20]>,
        reach: Reach<'_>,
        differences: &mut Differences,
    ) -> Result<(), GitError> {
        if old == new {
            return Ok(());
        }
        let [old, new] = [self.tree_if_any(old)?, self.tree_if_any(new)?];
        for Changed { name, old, new } in changed(old.as_ref(), new.as_ref())? {
            let name = text_of(name);
            let Part { is_listed, below } = reach.at(&name);
            let [old_directory, new_directory] = [directory_of(old), directory_of(new)];
            let [before, after] = [old, new].map(|item| item.and_then(entry));
            let is_directory = old_directory.or(new_directory).is_some();
            if (is_directory && below.is_nothing()) || (before != after && !is_listed) {
                differences.beyond = true;
            }
            let directory = self.enter(&name);
            if is_directory && !below.is_nothing() {
                self.spend()?;
                self.differ(old_directory, new_directory, below, differences)?;
            }
            if is_listed && before != after {
                self.spend()?;
                differences.within.push(Difference { path: self.path.as_str().into(), other: after });
            }
            self.path.truncate(directory);
        }
        Ok(())
    }

    /// Goes on to something in the directory that it is at, and gives how long the path of that is.
    fn enter(&mut self, name: &str) -> usize {
        let directory = self.path.len();
        if directory > 0 {
            self.path.push('/');
        }
        self.path.push_str(name);
        directory
    }

    /// Notes that the file differs, or the directory is visited, that it is at now.
    fn spend(&self) -> Result<(), GitError> {
        if self.path.len() > LONGEST {
            Err(too_many(&self.path))
        } else {
            self.budget.spend(&self.path, 1, self.path.len())
        }
    }

    /// Reads the directory that it is at.
    fn tree_if_any(&self, tree: Option<[u8; 20]>) -> Result<Option<OdbObject<'o>>, GitError> {
        tree.map(|tree| read(self.objects, &self.path, oid(tree))).transpose()
    }
}

/// What stands otherwise in one tree than in another.
fn changed<'t>(old: Option<&'t OdbObject<'_>>, new: Option<&'t OdbObject<'_>>) -> Result<Vec<Changed<'t>>, GitError> {
    let old: Vec<Item<'_>> = old.into_iter().flat_map(items).collect::<Result<_, _>>()?;
    let new: Vec<Item<'_>> = new.into_iter().flat_map(items).collect::<Result<_, _>>()?;
    // As a rule one entry of many is another.
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[same..], &new[same..]);
    let same = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[..old.len() - same], &new[..new.len() - same]);

    let mut before: HashMap<&[u8], Item<'_>> = old.iter().map(|item| (item.name, *item)).collect();
    let mut differences = Vec::new();
    for item in new {
        let old = before.remove(item.name);
        if old != Some(*item) {
            differences.push(Changed { name: item.name, old, new: Some(*item) });
        }
    }
    differences.extend(before.into_values().map(|gone| Changed { name: gone.name, old: Some(gone), new: None }));
    Ok(differences)
}

fn directory_of(item: Option<Item<'_>>) -> Option<[u8; 20]> {
    item.filter(|item| item.mode == DIRECTORY).map(|item| item.id)
}

fn entry(item: Item<'_>) -> Option<Entry> {
    kind_of_mode(item.mode).map(|kind| Entry { kind, content: Content::Object(item.id) })
}

fn oid(id: [u8; 20]) -> Oid {
    // It has twenty bytes, as many as are asked for.
    Oid::from_bytes(&id).unwrap_or(Oid::ZERO_SHA1)
}

/// A name as it stands in paths.
fn text_of(name: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(name) {
        Ok(name) if !name.contains('\\') => name.into(),
        _ => path_of_bytes(name).into(),
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

/// Reads the first entry of a tree; with what stands behind it. A name that git would not check out is none.
fn item(tree: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let space = tree.iter().take(MODE_DIGITS + 1).position(|byte| *byte == b' ').filter(|digits| *digits > 0)?;
    let mut mode = 0;
    for digit in &tree[..space] {
        mode = mode * 8 + i32::from(digit.checked_sub(b'0').filter(|digit| *digit < 8)?);
    }
    let rest = &tree[space + 1..];
    let end = rest.iter().position(|byte| matches!(byte, 0 | b'/')).filter(|end| rest[*end] == 0)?;
    let (name, rest) = (&rest[..end], &rest[end + 1..]);
    let (id, rest) = rest.split_first_chunk::<20>()?;
    if matches!(name, b"" | b"." | b"..") {
        return None;
    }
    Some((Item { mode: canonical(mode), name, id: *id }, rest))
}

#[cfg(test)]
mod tests {
    use git2::{Index, IndexEntry, IndexTime, Repository};
    use proptest::prelude::*;
    use proptest::test_runner::TestRunner;

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

    #[test]
    fn a_tree_is_listed_alike_with_and_without_another() {
        // One for all cases: to make one takes longer than to list what is in it.
        let directory = tempfile::tempdir().expect("a directory");
        let repository = Repository::init_bare(directory.path()).expect("a repository");
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) };
        let listed = TestRunner::new(config).run(&(files(), files()), |(before, after)| {
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
            Ok(())
        });
        listed.expect("they are alike");
    }
}
