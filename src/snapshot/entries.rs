//! The list of a tree's files. Trees that differ little share most of it.
//!
//! `imbl::OrdMap` could carry it: it is under the MPL, which `deny.toml` does not allow, and brings eight more crates.

use std::cmp::Ordering;
use std::sync::Arc;

use super::store::{Entry, FileKind};

/// How many files a part of a list holds at most.
const MOST: usize = 128;

/// How many it holds at first: some may come to lie between them.
const USUAL: usize = 96;

/// The files of a tree, by path and in the order of these. Copies share all parts that none of them changed: base, tip and head
/// of a change have thousands of files, of which they share nearly all.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    /// None is empty.
    parts: Vec<Part>,
    len: usize,
}

/// A file, by its path.
type File = (Arc<str>, Entry);

/// Some files that follow each other.
#[derive(Debug, Clone)]
struct Part {
    /// The path of the first of them: who looks for a file need not look at all parts.
    first: Arc<str>,
    files: Arc<Vec<File>>,
    /// Whether a link or a submodule may be among them: of most parts none is.
    has_detours: bool,
}

impl Part {
    fn new(files: Vec<File>) -> Option<Self> {
        let first = Arc::clone(&files.first()?.0);
        let has_detours = files.iter().any(|(_, entry)| is_detour(entry));
        Some(Self { first, files: Arc::new(files), has_detours })
    }

    /// Where a file is, or would be.
    fn find(&self, path: &str) -> Result<usize, usize> {
        self.files.binary_search_by(|(known, _)| (**known).cmp(path))
    }
}

impl Entries {
    /// A list of no files.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of the part that holds a path, if any does: the last one that does not begin behind it.
    fn part_of(&self, path: &str) -> Option<usize> {
        self.parts.partition_point(|part| *part.first <= *path).checked_sub(1)
    }

    /// A file with its path as it stands in the list.
    pub fn get_key_value(&self, path: &str) -> Option<(&Arc<str>, &Entry)> {
        let part = &self.parts[self.part_of(path)?];
        let (path, entry) = &part.files[part.find(path).ok()?];
        Some((path, entry))
    }

    /// A file.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.get_key_value(path).map(|(_, entry)| entry)
    }

    /// Whether there is a file at a path.
    pub fn contains_key(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// Adds a file, or puts it in the place of what was there, which is given.
    pub fn insert(&mut self, path: Arc<str>, entry: Entry) -> Option<Entry> {
        let number = self.part_of(&path).unwrap_or_default();
        let Some(part) = self.parts.get_mut(number) else {
            self.parts.extend(Part::new(vec![(path, entry)]));
            self.len = 1;
            return None;
        };
        let place = part.find(&path);
        part.has_detours |= is_detour(&entry);
        let files = Arc::make_mut(&mut part.files);
        let place = match place {
            Ok(place) => return Some(std::mem::replace(&mut files[place].1, entry)),
            Err(place) => place,
        };
        if place == 0 {
            part.first = Arc::clone(&path);
        }
        files.insert(place, (path, entry));
        self.len += 1;
        if files.len() > MOST
            && let Some(rest) = Part::new(files.split_off(MOST / 2))
        {
            self.parts.insert(number + 1, rest);
        }
        None
    }

    /// Takes a file away.
    pub fn remove(&mut self, path: &str) -> Option<Entry> {
        let number = self.part_of(path)?;
        let part = &mut self.parts[number];
        let place = part.find(path).ok()?;
        let files = Arc::make_mut(&mut part.files);
        let (_, entry) = files.remove(place);
        self.len -= 1;
        match files.first() {
            Some((first, _)) => part.first = Arc::clone(first),
            None => drop(self.parts.remove(number)),
        }
        Some(entry)
    }

    /// All files.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Entry)> + Clone {
        files_of(&self.parts)
    }

    /// The links and submodules.
    pub fn detours(&self) -> impl Iterator<Item = (&Arc<str>, &Entry)> {
        let parts = self.parts.iter().filter(|part| part.has_detours);
        let files = parts.flat_map(|part| part.files.iter()).map(|(path, entry)| (path, entry));
        files.filter(|(_, entry)| is_detour(entry))
    }

    /// The paths of all files.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> + Clone {
        self.iter().map(|(path, _)| path)
    }

    /// What lies at these paths.
    pub fn values(&self) -> impl Iterator<Item = &Entry> + Clone {
        self.iter().map(|(_, entry)| entry)
    }

    /// The files from a path on, whether or not there is one.
    pub fn starting_at<'e>(&'e self, path: &str) -> impl Iterator<Item = (&'e Arc<str>, &'e Entry)> + use<'e> {
        let number = self.part_of(path).unwrap_or_default();
        let begun = self.parts.get(number).map_or(0, |part| part.find(path).unwrap_or_else(|place| place));
        files_of(&self.parts[number..]).skip(begun)
    }

    /// The paths whose files differ from those of another list, in order. What both share need not be looked at.
    pub fn differing<'e>(&'e self, other: &'e Self) -> Vec<&'e Arc<str>> {
        let mut paths = Vec::new();
        let (mut here, mut there) = (Cursor::new(&self.parts), Cursor::new(&other.parts));
        loop {
            here.pass_shared(&mut there);
            let order = match (here.file(), there.file()) {
                (None, None) => return paths,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                // Nearly all paths stand in both lists, and are shared.
                (Some((one, _)), Some((other, _))) if Arc::ptr_eq(one, other) => Ordering::Equal,
                (Some((one, _)), Some((other, _))) => one.cmp(other),
            };
            let one = if order == Ordering::Greater { None } else { here.take() };
            let other = if order == Ordering::Less { None } else { there.take() };
            if one.map(|(_, entry)| entry) != other.map(|(_, entry)| entry) {
                paths.extend(one.or(other).map(|(path, _)| path));
            }
        }
    }
}

/// Whether what lies at a path is elsewhere.
fn is_detour(entry: &Entry) -> bool {
    matches!(entry.kind, FileKind::Symlink | FileKind::Submodule)
}

fn files_of(parts: &[Part]) -> impl Iterator<Item = (&Arc<str>, &Entry)> + Clone {
    parts.iter().flat_map(|part| part.files.iter()).map(|(path, entry)| (path, entry))
}

/// A place in a list.
struct Cursor<'e> {
    parts: &'e [Part],
    /// The file in the first of the parts.
    place: usize,
}

impl<'e> Cursor<'e> {
    fn new(parts: &'e [Part]) -> Self {
        Self { parts, place: 0 }
    }

    /// Goes on behind the parts that both share, if both are at the beginning of one.
    fn pass_shared(&mut self, other: &mut Self) {
        while self.place == 0
            && other.place == 0
            && let ([one, rest @ ..], [of_other, rest_of_other @ ..]) = (self.parts, other.parts)
            && Arc::ptr_eq(&one.files, &of_other.files)
        {
            (self.parts, other.parts) = (rest, rest_of_other);
        }
    }

    fn file(&self) -> Option<&'e File> {
        self.parts.first().map(|part| &part.files[self.place])
    }

    /// The file that it is at; it goes on to the next.
    fn take(&mut self) -> Option<&'e File> {
        let file = self.file()?;
        self.place += 1;
        if self.place == self.parts[0].files.len() {
            *self = Self::new(&self.parts[1..]);
        }
        Some(file)
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl Eq for Entries {}

impl FromIterator<File> for Entries {
    /// Of several files at one path, the last counts.
    fn from_iter<I: IntoIterator<Item = File>>(files: I) -> Self {
        let mut files: Vec<File> = files.into_iter().collect();
        // As a rule they come from a tree, in order.
        if !files.is_sorted_by(|(one, _), (other, _)| one < other) {
            files.sort_by(|(one, _), (other, _)| one.cmp(other));
            files.reverse();
            files.dedup_by(|(one, _), (other, _)| one == other);
            files.reverse();
        }
        let len = files.len();
        let mut files = files.into_iter();
        let mut parts = Vec::with_capacity(len.div_ceil(USUAL));
        while let Some(part) = Part::new(files.by_ref().take(USUAL).collect()) {
            parts.push(part);
        }
        Self { parts, len }
    }
}

impl Extend<File> for Entries {
    fn extend<I: IntoIterator<Item = File>>(&mut self, files: I) {
        for (path, entry) in files {
            self.insert(path, entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ops::Bound;

    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::{Content, FileKind};

    fn entry(id: u8) -> Entry {
        let kind = if id == 2 { FileKind::Symlink } else { FileKind::File };
        Entry { kind, content: Content::Object([id; 20]) }
    }

    /// A file of some thousand, put there or taken away.
    fn steps() -> impl Strategy<Value = Vec<(u16, Option<u8>)>> {
        prop::collection::vec((0..2_000_u16, prop::option::weighted(0.7, 0..3_u8)), 0..600)
    }

    fn made(steps: &[(u16, Option<u8>)], entries: &mut Entries, map: &mut BTreeMap<Arc<str>, Entry>) {
        for (number, id) in steps {
            let path: Arc<str> = format!("directory/{number}").into();
            if let Some(id) = id {
                entries.insert(Arc::clone(&path), entry(*id));
                map.insert(path, entry(*id));
            } else {
                entries.remove(&path);
                map.remove(&path);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

        #[test]
        fn a_list_holds_what_a_map_does(listed in steps(), before in steps(), after in steps(), from in 0..2_000_u16) {
            let listed = listed.into_iter().map(|(number, id)| (format!("directory/{number}").into(), entry(id.unwrap_or(9))));
            let listed: Vec<File> = listed.collect();
            let (mut entries, mut map): (Entries, BTreeMap<_, _>) = (listed.iter().cloned().collect(), listed.into_iter().collect());
            made(&before, &mut entries, &mut map);
            let (entries_before, map_before) = (entries.clone(), map.clone());
            made(&after, &mut entries, &mut map);
            for (entries, map) in [(&entries_before, &map_before), (&entries, &map)] {
                prop_assert!(entries.iter().eq(map.iter()));
                prop_assert_eq!(entries.len(), map.len());
                let links = map.iter().filter(|(_, entry)| entry.kind == FileKind::Symlink);
                prop_assert!(entries.detours().eq(links));
                let from = format!("directory/{from}");
                prop_assert_eq!(entries.get(&from), map.get(from.as_str()));
                prop_assert!(entries.starting_at(&from).eq(map.range::<str, _>((Bound::Included(from.as_str()), Bound::Unbounded))));
            }
            let mut paths: Vec<&Arc<str>> = map.keys().chain(map_before.keys()).collect();
            paths.sort();
            paths.dedup();
            paths.retain(|path| map.get(*path) != map_before.get(*path));
            prop_assert_eq!(entries_before.differing(&entries), paths);
        }
    }
}
