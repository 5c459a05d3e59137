//! Where a history left others.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet};

use git2::{ErrorCode, Oid};

/// How many commits are looked at: those of some years, in 200 ms.
const MOST: usize = 50_000;

/// How far the clocks of those who commit may be apart, in seconds.
const CLOCK_SKEW: i64 = 24 * 60 * 60;

/// Which of some branches `head` left last: the one that holds the newest of those commits of it that `mains` do not hold. Where
/// several hold that, the first of them.
///
/// As in git's own search for a merge base, the histories of all are walked at once, from the newest commit on. That ends where
/// head's own meets the main branch, or one of the others: what is older is not looked at.
pub(super) fn left_last(
    repository: &git2::Repository,
    head: Oid,
    mains: &[Oid],
    tips: &[Oid],
) -> Result<Option<usize>, git2::Error> {
    if tips.is_empty() {
        return Ok(None);
    }
    let mut walk = Walk { repository, commits: HashMap::new(), queue: BinaryHeap::new(), own: HashSet::new() };
    walk.reach(head, Reached { distance: Some(0), ..Reached::default() })?;
    for &main in mains {
        walk.reach(main, Reached { is_in_main: true, ..Reached::default() })?;
    }
    for (index, &tip) in tips.iter().enumerate() {
        walk.reach(tip, Reached { branch: Some(index), ..Reached::default() })?;
    }
    walk.run()
}

/// The lesser of two numbers, where there are two.
fn least(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    one.into_iter().chain(other).min()
}

/// A walk down the histories of head, the main branch and others.
struct Walk<'r> {
    repository: &'r git2::Repository,
    commits: HashMap<Oid, Seen>,
    /// Commits whose parents have not heard of what is known of them: the newest comes first.
    queue: BinaryHeap<(i64, Oid)>,
    /// Those of the queue that belong to head alone, as far as is known.
    own: HashSet<Oid>,
}

/// A commit that was seen.
struct Seen {
    time: i64,
    parents: Vec<Oid>,
    reached: Reached,
}

/// From where a commit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Reached {
    /// From head, in so many steps.
    distance: Option<usize>,
    is_in_main: bool,
    /// The first of the branches.
    branch: Option<usize>,
}

impl Reached {
    /// Whether it belongs to head, and to the main branch not.
    fn is_own(&self) -> bool {
        self.distance.is_some() && !self.is_in_main
    }

    /// Whether head left a branch here.
    fn is_fork(&self) -> bool {
        self.is_own() && self.branch.is_some()
    }
}

impl Walk<'_> {
    /// Notes from where a commit was reached. One that the clone lacks is where its history ends.
    fn reach(&mut self, id: Oid, from: Reached) -> Result<(), git2::Error> {
        let seen = match self.commits.entry(id) {
            Entry::Occupied(seen) => seen.into_mut(),
            Entry::Vacant(new) => match self.repository.find_commit(id) {
                Ok(commit) => {
                    let (time, parents) = (commit.time().seconds(), commit.parent_ids().collect());
                    new.insert(Seen { time, parents, reached: Reached::default() })
                }
                Err(error) if error.code() == ErrorCode::NotFound => return Ok(()),
                Err(error) => return Err(error),
            },
        };
        let known = seen.reached;
        seen.reached = Reached {
            distance: least(known.distance, from.distance),
            is_in_main: known.is_in_main || from.is_in_main,
            branch: least(known.branch, from.branch),
        };
        if seen.reached != known {
            self.queue.push((seen.time, id));
            if seen.reached.is_own() {
                self.own.insert(id);
            } else {
                self.own.remove(&id);
            }
        }
        Ok(())
    }

    fn run(mut self) -> Result<Option<usize>, git2::Error> {
        let (mut newest, mut oldest) = (None, i64::MAX);
        while let Some((time, id)) = self.queue.pop() {
            let Some(Seen { parents, reached, .. }) = self.commits.get(&id) else { continue };
            // A fork is found, or head's own commits are at an end. Others may still reach one that is as old.
            let end = newest.or_else(|| self.own.is_empty().then_some(oldest));
            if end.is_some_and(|end| time < end - CLOCK_SKEW) || self.commits.len() > MOST {
                break;
            }
            self.own.remove(&id);
            if reached.is_fork() {
                newest = newest.max(Some(time));
                continue;
            }
            if reached.is_own() {
                oldest = oldest.min(time);
            }
            let (parents, reached) = (parents.clone(), *reached);
            for parent in parents {
                let distance = reached.distance.map(|distance| distance + 1);
                self.reach(parent, Reached { distance, ..reached })?;
            }
        }
        let forks = self.commits.values().filter(|seen| seen.reached.is_fork());
        let last = forks.max_by_key(|seen| (seen.time, Reverse((seen.reached.distance, seen.reached.branch))));
        Ok(last.and_then(|seen| seen.reached.branch))
    }
}
