//! What directories held before commits took that away.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use git2::{Commit as GitCommit, ErrorCode, Oid};

use super::error::{Doing, GitError};
use super::history::noted;
use super::repository::Repository;
use crate::history::{Difference, Removed};
use crate::path::{directories_above, directory_of};
use crate::snapshot::{Entries, Scope, Snapshot};

/// How many commits are looked back: some years of a large project, and less than a second.
const MAX_COMMITS: usize = 10_000;

/// A directory of which it is asked what it held.
pub struct Wanted {
    /// The commit at which it lacks the file.
    from: Oid,
    directory: Arc<str>,
    /// The file that it lacks.
    file: Arc<str>,
    /// The files that it has.
    files: Entries,
}

impl Wanted {
    /// The directory of a file that was not there at `from`, whose files are given.
    pub fn new(from: Oid, file: &Arc<str>, files: &Snapshot<'_>) -> Self {
        let directory = directory_of(file);
        let below = files.below(directory).map(|(path, entry)| (Arc::clone(path), entry.clone()));
        Self { from, directory: directory.into(), file: Arc::clone(file), files: below.collect() }
    }
}

/// What came of questions, by their numbers.
#[derive(Default)]
pub struct Removals {
    /// What was there when the file last was, where that is known.
    pub found: BTreeMap<usize, Removed>,
    /// Why the history could not be read further.
    pub error: Option<GitError>,
    /// The questions that this leaves open.
    pub open: BTreeSet<usize>,
}

impl Repository {
    /// What directories held when they last had a file that they lack now: on the first-parent line, among the newest commits before that,
    /// and as far as the clone reaches. The questions must be in the order of the line, the newest first.
    pub fn before_removals(&self, wanted: Vec<Wanted>) -> Removals {
        let mut removals = Removals::default();
        let mut search = Search::new(wanted);
        if let Err(error) = self.look_back(&mut search, &mut removals.found) {
            removals.error = Some(error);
            removals.open = search.asked.values().flatten().map(|asked| asked.number).collect();
            removals.open.extend(search.later.iter().map(|asked| asked.number));
        }
        removals
    }

    fn look_back(&self, search: &mut Search, found: &mut BTreeMap<usize, Removed>) -> Result<(), GitError> {
        let Some(mut next) = search.later.front().map(|asked| asked.wanted.from) else { return Ok(()) };
        let (objects, boundary) = (self.objects()?, self.shallow_boundary()?);
        while !boundary.contains(&next) && search.is_at(next) {
            let commit = self.inner.find_commit(next).doing("walking the history")?;
            let Some(parent) = commit.parent_ids().next() else { break };
            let parent_tree = match self.inner.find_commit(parent) {
                Ok(parent) => parent.tree_id(),
                // A clone whose history was cut by other means than git's own.
                Err(error) if error.code() == ErrorCode::NotFound => break,
                Err(source) => return Err(GitError::Git { doing: "walking the history", source }),
            };
            next = parent;
            if !search.asked.is_empty() {
                let before = objects.differences(Some(commit.tree_id()), Some(parent_tree), &search.scope)?.within;
                search.step_back(&commit, &before, found);
            }
        }
        Ok(())
    }
}

/// A question.
struct Asked {
    number: usize,
    wanted: Wanted,
    /// How many commits may still be looked at for it.
    left: usize,
}

/// A walk back in time, with all questions at once.
struct Search {
    /// What of the trees is looked at.
    scope: Scope,
    /// The questions from whose commit on it has come, by their directories.
    asked: BTreeMap<Arc<str>, Vec<Asked>>,
    /// Those whose commit comes later.
    later: VecDeque<Asked>,
}

impl Search {
    fn new(wanted: Vec<Wanted>) -> Self {
        let directories: BTreeSet<String> = wanted.iter().map(|wanted| wanted.directory.to_string()).collect();
        let above: BTreeSet<&str> = directories.iter().flat_map(|path| directories_above(path)).collect();
        let above = above.into_iter().map(str::to_owned).collect();
        let scope = Scope { directories: directories.into_iter().collect(), files: Vec::new(), above };
        let numbered = wanted.into_iter().enumerate();
        let later = numbered.map(|(number, wanted)| Asked { number, wanted, left: MAX_COMMITS }).collect();
        Self { scope, asked: BTreeMap::new(), later }
    }

    /// Arrives at a commit. Whether there is anything left to look for.
    fn is_at(&mut self, commit: Oid) -> bool {
        while self.later.front().is_some_and(|asked| asked.wanted.from == commit)
            && let Some(asked) = self.later.pop_front()
        {
            self.asked.entry(Arc::clone(&asked.wanted.directory)).or_default().push(asked);
        }
        !self.asked.is_empty() || !self.later.is_empty()
    }

    /// Goes back over a commit, which has these differences to what was there before it.
    fn step_back(&mut self, commit: &GitCommit<'_>, before: &[Difference], found: &mut BTreeMap<usize, Removed>) {
        for difference in before {
            for directory in directories_above(&difference.path) {
                for asked in self.asked.get_mut(directory).into_iter().flatten() {
                    difference.apply_to(&mut asked.wanted.files);
                }
            }
        }
        for asked in self.asked.values_mut() {
            for asked in asked.extract_if(.., |asked| asked.wanted.files.contains_key(&asked.wanted.file)) {
                found.insert(asked.number, Removed { commit: noted(commit), files: asked.wanted.files });
            }
            for asked in &mut *asked {
                asked.left -= 1;
            }
            asked.retain(|asked| asked.left > 0);
        }
        self.asked.retain(|_, asked| !asked.is_empty());
    }
}
