//! The walk down a history, which makes pieces of it that can be judged side by side.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use miette::Diagnostic;

use super::outcome::{End, Unjudged};
use crate::git::{GitError, Landed, Landings, Next, Range, Removals, Repository, Trailer, TreeId, Trees, Wanted};
use crate::history::{Difference, Removed};
use crate::pack::Pack;
use crate::path::{directory_of, file_name};
use crate::snapshot::{Entries, Origin, Pair, Scope, Snapshot};
use crate::waiver;

/// How many changes one thread judges in a row.
const BLOCK: usize = 16;

/// How far the clocks of those who commit may be apart, in seconds.
const CLOCK_SKEW: i64 = 24 * 60 * 60;

/// How much of a history is replayed.
#[derive(Debug, Clone)]
pub struct Limits {
    /// At most so many changes are judged.
    pub count: usize,
    /// At most so many commits of the line are looked at.
    pub commits: usize,
    /// Changes that were committed before this time, in seconds since 1970, are left out.
    pub since: Option<i64>,
    /// Findings about these paths, or about what lies below them, are reported; all, if there are none.
    pub paths: Vec<String>,
    /// About how many bytes of what was read are kept, at most.
    pub memory: usize,
}

/// A piece of the history.
pub(super) enum Piece<'r> {
    /// Changes that follow each other.
    Block(Block<'r>),
    /// A change whose files could not be listed.
    Unread(Unjudged),
}

/// Changes that follow each other, the newest first.
pub(super) struct Block<'r> {
    /// The files that the list of dependencies holds together with some that the pack describes.
    pub(super) listed: BTreeSet<String>,
    /// The files that the newest of them left.
    pub(super) head: Snapshot<'r>,
    pub(super) changes: Vec<Open>,
}

/// A change that is to be judged.
pub(super) struct Open {
    pub(super) landed: Landed,
    /// What differs from what it left, in what was there before it.
    pub(super) before: Vec<Difference>,
    pub(super) merged: Option<OpenMerge>,
    pub(super) trailers: Vec<Trailer>,
    /// What was where it makes images, by their directories.
    pub(super) removed: BTreeMap<Arc<str>, Removed>,
}

/// A change that may bring an image back.
pub(super) struct NewImage {
    landed: Landed,
    directory: Arc<str>,
    wanted: Wanted,
}

/// A change that brings images back, or of which nobody knows whether it does.
pub(super) struct Returning<'r> {
    pub(super) commit: String,
    /// It alone, to be judged once more; or why that cannot be.
    pub(super) block: Result<Block<'r>, Unjudged>,
}

/// A branch that was merged.
pub(super) struct OpenMerge {
    /// What differs from what was there before the merge, in what its author began with.
    pub(super) fork: Vec<Difference>,
    /// The same, in what its author made of it.
    pub(super) author: Vec<Difference>,
}

/// The walk.
pub(super) struct Walk<'a> {
    repository: &'a Repository,
    landings: Landings<'a>,
    trees: Trees<'a>,
    /// A snapshot of no files: all others share what was read with it.
    shared: Snapshot<'a>,
    pack: &'a Pack,
    limits: &'a Limits,
    /// The tree of the newest commit, once it was looked at.
    newest: Option<TreeId>,
    /// Where it has come to; `None` where nobody knows the files there.
    here: Option<Here>,
    current: Option<Block<'a>>,
    ready: VecDeque<Piece<'a>>,
    /// The changes that make images: whether they had been there is known at the end, of all at once.
    new_images: Vec<NewImage>,
    /// How many commits it passed.
    pub(super) commits: usize,
    changes: usize,
    /// Why it went no further; known once it is at its end.
    pub(super) end: End,
    is_at_end: bool,
}

/// A state of the tree.
struct Here {
    /// The files that the list of dependencies names here.
    listed: BTreeSet<String>,
    /// What the pack looks at, with these.
    scope: Scope,
    entries: Entries,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        repository: &'a Repository,
        pack: &'a Pack,
        range: &Range,
        limits: &'a Limits,
    ) -> Result<Self, GitError> {
        let trees = repository.trees()?;
        let shared = trees.nothing().limited_to(limits.memory);
        shared.derived().begin();
        Ok(Self {
            repository,
            landings: repository.landings(range)?,
            trees,
            shared,
            pack,
            limits,
            newest: None,
            here: None,
            current: None,
            ready: VecDeque::new(),
            new_images: Vec::new(),
            commits: 0,
            changes: 0,
            end: End::Range,
            is_at_end: false,
        })
    }

    /// The next piece; `None` at the end.
    pub(super) fn piece(&mut self, is_stopped: &dyn Fn() -> bool) -> Option<Piece<'a>> {
        while self.ready.is_empty() {
            let landed = if is_stopped() { None } else { self.landed() };
            let Some(landed) = landed else {
                self.cut();
                break;
            };
            self.commits += 1;
            self.newest.get_or_insert(landed.after);
            if let Err(error) = self.pass(&landed) {
                self.cut();
                self.here = None;
                self.ready.push_back(Piece::Unread(unjudged(&landed, &error)));
            }
        }
        self.ready.pop_front()
    }

    /// The next commit of the line that is looked at; `None` at the end.
    fn landed(&mut self) -> Option<Landed> {
        while !self.is_at_end {
            let since = self.limits.since.unwrap_or(i64::MIN);
            let is_enough = self.changes >= self.limits.count || self.commits >= self.limits.commits;
            self.end = if is_enough {
                End::Count
            } else {
                match self.landings.step() {
                    Next::Landed(landed) if landed.time >= since => return Some(*landed),
                    Next::Landed(landed) if landed.time >= since.saturating_sub(CLOCK_SKEW) => {
                        // Nobody looks at it, so nobody knows the files any more.
                        self.here = None;
                        continue;
                    }
                    Next::Landed(_) => End::Since,
                    Next::Nothing => End::Range,
                    Next::Cut(commit) => End::Shallow { commit },
                    Next::Broken(commit, error) => End::Broken { commit, reason: error.to_string() },
                }
            };
            self.is_at_end = true;
        }
        None
    }

    /// How many commits would have been looked at had nobody stopped it. They are passed over now.
    pub(super) fn left(&mut self) -> usize {
        let mut left = 0;
        while self.landed().is_some() {
            left += 1;
        }
        left
    }

    /// The files of the newest commit, compared with nothing; `None` where no commit was looked at.
    pub(super) fn newest(&self) -> Result<Option<Pair<'a>>, GitError> {
        let Some(tree) = self.newest else { return Ok(None) };
        let Here { listed, entries, .. } = self.arrive(tree, &[tree])?;
        let origin = Origin { listed, ..Origin::default() };
        Ok(Some(Pair { base: None, tip: None, head: self.shared.with_entries(entries), origin }))
    }

    /// The changes that bring back images which were taken away before. They were judged without a word of that.
    pub(super) fn returning(&mut self) -> Vec<Returning<'a>> {
        let (mut changes, mut wanted) = (Vec::new(), Vec::new());
        for new in std::mem::take(&mut self.new_images) {
            changes.push((new.landed, new.directory));
            wanted.push(new.wanted);
        }
        let Removals { mut found, error, open } = self.repository.before_removals(wanted);
        let mut returning: Vec<Returning<'a>> = Vec::new();
        let mut of_change: BTreeMap<Arc<str>, Removed> = BTreeMap::new();
        for (number, (landed, directory)) in changes.iter().enumerate() {
            of_change.extend(found.remove(&number).map(|removed| (Arc::clone(directory), removed)));
            if changes.get(number + 1).is_some_and(|(next, _)| next.commit == landed.commit) {
                continue;
            }
            let removed = std::mem::take(&mut of_change);
            let block = match error.as_ref().filter(|_| open.contains(&number)) {
                Some(error) => Err(unjudged(landed, error)),
                None if removed.is_empty() => continue,
                None => self.alone(landed, removed).map_err(|error| unjudged(landed, &error)),
            };
            returning.push(Returning { commit: landed.commit.clone(), block });
        }
        returning
    }

    /// A block of one change.
    fn alone(&self, landed: &Landed, removed: BTreeMap<Arc<str>, Removed>) -> Result<Block<'a>, GitError> {
        let here = self.arrive(landed.after, &[landed.after, landed.before])?;
        let before = self.trees.differences(landed.after, landed.before, &here.scope)?;
        let open = self.opened(landed, &here, &before)?;
        let head = self.shared.with_entries(here.entries);
        Ok(Block { listed: here.listed, head, changes: vec![Open { removed, ..open }] })
    }

    /// Ends the block that is being made.
    fn cut(&mut self) {
        self.ready.extend(self.current.take().map(Piece::Block));
    }

    /// Passes over a commit, and puts it into a block where it changes what the pack looks at.
    fn pass(&mut self, landed: &Landed) -> Result<(), GitError> {
        let mut here = if let Some(here) = self.here.take() {
            here
        } else {
            self.cut();
            self.arrive(landed.after, &[landed.after])?
        };
        let mut before = self.trees.differences(landed.after, landed.before, &here.scope)?;
        let list = self.pack.list();
        let is_list_changed = before.iter().any(|difference| Some(&*difference.path) == list);
        if is_list_changed {
            // It is judged with the files that either list names, as it would be by a run of its own.
            self.cut();
            here = self.arrive(landed.after, &[landed.after, landed.before])?;
            before = self.trees.differences(landed.after, landed.before, &here.scope)?;
        }
        if !before.is_empty() {
            self.open(landed, &here, &before)?;
        }
        if is_list_changed {
            self.cut();
            return Ok(()); // the list before it may name other files
        }
        apply(&mut here.entries, &before);
        self.here = Some(here);
        Ok(())
    }

    /// Puts a change into the block that is being made.
    fn open(&mut self, landed: &Landed, here: &Here, before: &[Difference]) -> Result<(), GitError> {
        let open = self.opened(landed, here, before)?;
        self.note_new_images(landed, here, before);
        let block = self.current.get_or_insert_with(|| Block {
            listed: here.listed.clone(),
            head: self.shared.with_entries(here.entries.clone()),
            changes: Vec::new(),
        });
        block.changes.push(open);
        self.changes += 1;
        if block.changes.len() == BLOCK {
            self.cut();
        }
        Ok(())
    }

    fn opened(&self, landed: &Landed, here: &Here, before: &[Difference]) -> Result<Open, GitError> {
        let mut merged = None;
        if landed.is_merge
            && let Some(trees) = self.landings.merged(landed)?
        {
            merged = Some(OpenMerge {
                fork: self.trees.differences(landed.before, trees.fork, &here.scope)?,
                author: self.trees.differences(landed.before, trees.author, &here.scope)?,
            });
        }
        let is_waived = self.pack.waivers.is_some();
        let trailers = if is_waived { self.landings.trailers(landed, waiver::TRAILER)? } else { Vec::new() };
        Ok(Open { landed: landed.clone(), before: before.to_vec(), merged, trailers, removed: BTreeMap::new() })
    }

    /// Notes where a change puts version files that were not there.
    fn note_new_images(&mut self, landed: &Landed, here: &Here, before: &[Difference]) {
        let is_new = |difference: &&Difference| {
            difference.other.is_none() && self.pack.shape.is_version_file(file_name(&difference.path))
        };
        let new: Vec<&Difference> = before.iter().filter(is_new).collect();
        if new.is_empty() {
            return;
        }
        let files = changed(&self.shared.with_entries(here.entries.clone()), before);
        for Difference { path, .. } in new {
            let wanted = self.landings.wanted(landed, path, &files);
            let directory = directory_of(path).into();
            self.new_images.push(NewImage { landed: landed.clone(), directory, wanted });
        }
    }

    /// Lists the files of a tree, with those that the lists in `trees` name.
    fn arrive(&self, tree: TreeId, trees: &[TreeId]) -> Result<Here, GitError> {
        let mut scope = self.pack.scope();
        let mut listed = BTreeSet::new();
        if let Some(list) = self.pack.list() {
            let alone = Scope { files: vec![list.to_owned()], ..Scope::default() };
            for tree in trees {
                let head = self.shared.with_entries(self.trees.list(*tree, &alone)?);
                listed.extend(self.pack.listed(&Pair { base: None, tip: None, head, origin: Origin::default() })?);
            }
        }
        scope.add_files(&listed);
        let entries = self.trees.list(tree, &scope)?;
        Ok(Here { listed, scope, entries })
    }
}

pub(super) fn unjudged(landed: &Landed, error: &dyn Diagnostic) -> Unjudged {
    Unjudged {
        commit: landed.commit.clone(),
        summary: landed.summary.clone(),
        reason: error.to_string(),
        help: error.help().map(|help| help.to_string()),
    }
}

/// The files of a tree that differs in these.
pub(super) fn changed<'r>(files: &Snapshot<'r>, differences: &[Difference]) -> Snapshot<'r> {
    let mut entries = files.entries().clone();
    apply(&mut entries, differences);
    files.with_entries(entries)
}

pub(super) fn apply(entries: &mut Entries, differences: &[Difference]) {
    for difference in differences {
        difference.apply_to(entries);
    }
}
