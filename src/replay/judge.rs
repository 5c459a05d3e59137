//! The changes of a history, judged side by side.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use miette::Diagnostic;

use super::due;
use super::fate;
use super::outcome::{Change, End, Fate, Finding, Fixable, Replay, RuleError, Sums, Unjudged, Words};
use super::sums;
use super::walk::{Block, Limits, Open, Piece, Returning, Walk, apply, changed, unjudged};
use crate::finding;
use crate::git::{GitError, Landed, Range, Repository, Trailer};
use crate::history::Difference;
use crate::pack::Pack;
use crate::run::{self, Effect, Outcome, Rounds};
use crate::snapshot::{AuthoredTrees, Branch, Entries, Origin, Pair, Snapshot};
use crate::waiver::{self, Waiver};

/// How many blocks wait to be judged, for each thread: lists of files may be long.
const WAITING: usize = 2;

/// Who sees how far a replay has come.
pub trait Watcher: Sync {
    /// Whether the replay is to end with what it has.
    fn is_stopped(&self) -> bool;

    /// Notes how many commits were looked at, and how many changes were judged.
    fn passed(&self, commits: usize, changes: usize);

    /// Why a change could not be judged by a run of its own, if so.
    fn refuse(&self, pack: &Pack, pair: &Pair<'_>) -> Result<(), Box<dyn Diagnostic + Send + Sync>>;
}

/// A replay of a range.
pub struct Replayer<'a> {
    /// Today's policy, by which all changes are judged, with its waivers.
    pub pack: &'a Pack,
    /// What is replayed.
    pub range: &'a Range,
    /// How much of it.
    pub limits: &'a Limits,
    /// The branch that its changes were made to, where that is known.
    pub branch: Option<Branch>,
    /// Who watches.
    pub watcher: &'a dyn Watcher,
    /// Whether the process ends after this: what was read is left to the system then, which takes it back at once.
    pub is_last: bool,
}

/// What is known of a change.
pub(super) enum Judged {
    /// What the rules said, and what the change does.
    Yes { change: Box<Change>, effect: Effect, subjects: Vec<finding::Fingerprint>, skipped: Vec<RuleError> },
    /// Why they could not say anything.
    No(Unjudged),
}

impl Judged {
    fn commit(&self) -> &str {
        match self {
            Self::Yes { change, .. } => &change.commit,
            Self::No(unjudged) => &unjudged.commit,
        }
    }
}

impl Replayer<'_> {
    /// Replays. An error means that the history could not even be opened.
    pub fn run(&self, repository: &Repository) -> Result<Replay, GitError> {
        let judged = Mutex::new(Vec::new());
        let note = |number: usize, of_block: Vec<Judged>| {
            judged.lock().unwrap_or_else(PoisonError::into_inner).push((number, of_block));
        };
        let (waiting, count) = (Waiting::default(), AtomicUsize::new(0));
        let mut walk = Walk::new(repository, self.pack, self.range, self.limits)?;
        let mut returning = Vec::new();
        rayon::in_place_scope(|scope| {
            let mut number = 0;
            while let Some(piece) = walk.piece(&|| self.watcher.is_stopped()) {
                number += 1;
                let block = match piece {
                    Piece::Block(block) => block,
                    Piece::Unread(unjudged) => {
                        note(number, vec![Judged::No(unjudged)]);
                        continue;
                    }
                };
                let place = waiting.place();
                let (count, note, commits) = (&count, &note, walk.commits);
                scope.spawn(move |_| {
                    let of_block = self.judge_block(block);
                    let changes = count.fetch_add(of_block.len(), Ordering::Relaxed) + of_block.len();
                    self.watcher.passed(commits, changes);
                    note(number, of_block);
                    drop(place);
                });
            }
            returning = walk.returning();
        });
        let mut judged = judged.into_inner().unwrap_or_else(PoisonError::into_inner);
        judged.sort_by_key(|(number, _)| *number);
        let mut judged: Vec<Judged> = judged.into_iter().flat_map(|(_, judged)| judged).collect();
        self.judge_again(returning, &mut judged);
        let (commits, left) = (walk.commits, walk.left());
        // Who stops it when there is nothing left has all of it.
        let end = if left > 0 { End::Interrupted { left } } else { walk.end.clone() };
        let replay = self.replay(judged, commits, end, &walk);
        if self.is_last {
            std::mem::forget(walk);
        }
        Ok(replay)
    }

    /// Judges changes once more that bring images back.
    fn judge_again(&self, returning: Vec<Returning<'_>>, judged: &mut [Judged]) {
        for Returning { commit, block } in returning {
            let Some(known) = judged.iter_mut().find(|known| known.commit() == commit) else { continue };
            match block {
                Ok(block) => self.judge_block(block).into_iter().for_each(|again| *known = again),
                Err(unjudged) => *known = Judged::No(unjudged),
            }
        }
    }

    /// What all of it comes to.
    fn replay(&self, judged: Vec<Judged>, commits: usize, end: End, walk: &Walk<'_>) -> Replay {
        let (mut changes, mut unjudged, mut skipped) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut followed = Vec::new();
        for judged in judged {
            match judged {
                Judged::Yes { change, effect, subjects, skipped: of_change } => {
                    skipped.extend(of_change.into_iter().map(|error| (error.rule, error.reason)));
                    changes.push(*change);
                    followed.push(fate::Followed { effect, subjects });
                }
                Judged::No(one) => unjudged.push(one),
            }
        }
        fate::tell(&mut changes, &followed, self.pack);
        if changes.iter().flat_map(|change| &change.findings).any(|finding| finding.fate == Fate::Stayed) {
            fate::verify(&mut changes, &followed, self.pack, &self.newest(walk));
        }
        let words = Words {
            pack: self.pack.name.clone(),
            range: self.range.words.clone(),
            head: self.range.newest(),
            paths: self.limits.paths.clone(),
        };
        let skipped = skipped.into_iter().map(|(rule, reason)| RuleError { rule, reason }).collect();
        let of_all = Sums { commits, unjudged: unjudged.len(), ..sums::of_all(&changes) };
        let due = if self.limits.paths.is_empty() { due::fit(&changes, self.pack) } else { None };
        let rules = sums::of_rules(&changes);
        let images = sums::of_images(&changes, &rules);
        Replay { version: 1, words, end, sums: of_all, due, rules, images, changes, unjudged, skipped }
    }

    /// What the findings of the newest commit as a whole are about; nothing where it cannot be judged.
    fn newest(&self, walk: &Walk<'_>) -> HashSet<finding::Fingerprint> {
        let Ok(Some(pair)) = walk.newest() else { return HashSet::new() };
        let Ok(outcome) = run::judge(self.pack, &pair) else { return HashSet::new() };
        outcome.findings.iter().map(finding::Finding::fingerprint).collect()
    }

    fn judge_block(&self, block: Block<'_>) -> Vec<Judged> {
        let mut judged = Vec::new();
        let mut head = block.head;
        let mut last: Option<Last> = None;
        let mut rounds = Rounds::default();
        for open in block.changes {
            let before = open.before.clone();
            let base = match last {
                None => changed(&head, &before),
                // What was head there is base here, but for two changes.
                Some(Last { mut entries, before: to_head }) => {
                    apply(&mut entries, &to_head);
                    apply(&mut entries, &before);
                    head.with_entries(entries)
                }
            };
            let pair = self.pair(head, base.clone(), &open, &block.listed);
            rounds = Rounds::of_older(rounds);
            judged.push(self.judge_change(&pair, open, &mut rounds));
            last = Some(Last { entries: pair.head.into_entries(), before });
            head = base;
        }
        judged
    }

    fn pair<'r>(&self, head: Snapshot<'r>, base: Snapshot<'r>, open: &Open, listed: &BTreeSet<String>) -> Pair<'r> {
        let authored = open
            .merged
            .as_ref()
            .map(|merged| AuthoredTrees { fork: changed(&base, &merged.fork), author: changed(&base, &merged.author) });
        let origin = Origin { branch: self.branch.clone(), authored, is_within: false, listed: listed.clone() };
        Pair { base: Some(base), tip: None, head, origin }
    }

    fn judge_change(&self, pair: &Pair<'_>, open: Open, rounds: &mut Rounds) -> Judged {
        let mut pack = Cow::Borrowed(self.pack);
        if !open.trailers.is_empty() {
            pack = Cow::Owned(waiving(self.pack, &open.trailers));
        }
        if !open.removed.is_empty() {
            pack.to_mut().inputs.removed = open.removed;
        }
        if let Err(error) = self.watcher.refuse(&pack, pair) {
            return Judged::No(unjudged(&open.landed, &*error));
        }
        match rounds.judge(&pack, pair) {
            Ok(outcome) => self.found(open.landed, outcome),
            Err(error) => Judged::No(unjudged(&open.landed, &error)),
        }
    }

    /// What was found of a change, as it is told.
    fn found(&self, landed: Landed, mut outcome: Outcome) -> Judged {
        outcome.narrow(&self.limits.paths);
        let subjects = outcome.findings.iter().map(finding::Finding::fingerprint).collect();
        let failures = outcome
            .errors
            .iter()
            .map(|error| RuleError { rule: error.failed.name().to_owned(), reason: error.reason.clone() });
        let skipped = outcome.skipped.iter().map(|skipped| RuleError {
            rule: skipped.rule.to_string(),
            reason: format!("it lacks {}", skipped.missing),
        });
        let Effect { touched, moved, removed, .. } = &outcome.effect;
        let change = Change {
            commit: landed.commit,
            summary: landed.summary,
            author: landed.author,
            time: landed.time,
            is_merge: landed.is_merge,
            touched: touched.clone(),
            moved: moved.iter().chain(removed).cloned().collect(),
            failures: failures.collect(),
            findings: outcome.findings.into_iter().map(told).collect(),
        };
        let skipped = skipped.collect();
        Judged::Yes { change: Box::new(change), effect: outcome.effect, subjects, skipped }
    }
}

/// How many blocks wait to be judged.
#[derive(Default)]
struct Waiting {
    count: Mutex<usize>,
    fewer: Condvar,
}

impl Waiting {
    /// A place for one more, once there are few enough.
    fn place(&self) -> Place<'_> {
        let most = WAITING * rayon::current_num_threads();
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count >= most {
            // In a pool of one thread it is this one that has to judge.
            if rayon::current_thread_index().is_some() {
                drop(count);
                rayon::yield_now();
                count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
            } else {
                count = self.fewer.wait(count).unwrap_or_else(PoisonError::into_inner);
            }
        }
        *count += 1;
        Place(self)
    }
}

/// The place of a block among those that wait. It is free again once this is dropped, also where something panicked.
struct Place<'a>(&'a Waiting);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.fewer.notify_one();
    }
}

/// A finding as it is told. What became of it is not known yet.
fn told(finding: finding::Finding) -> Finding {
    let start = finding.diagnostic.location.positions().0;
    let diagnostic = finding.diagnostic;
    let fix = match &diagnostic.fix {
        Some(fix) if fix.safe => Fixable::Safe,
        Some(_) => Fixable::Unsafe,
        None => Fixable::No,
    };
    Finding {
        rule: finding.rule,
        level: finding.level,
        image: diagnostic.image,
        path: diagnostic.location.path,
        line: start.line,
        column: start.column,
        message: diagnostic.message,
        help: diagnostic.help,
        fix,
        waived: finding.waived,
        fate: Fate::Stayed,
    }
}

/// What a change made, once it was judged.
struct Last {
    entries: Entries,
    /// What differs from it in what was there before.
    before: Vec<Difference>,
}

/// The same pack with the waivers of a change's commits.
fn waiving(pack: &Pack, trailers: &[Trailer]) -> Pack {
    let mut pack = pack.clone();
    if let Some(waivers) = &mut pack.waivers {
        let trailers: Vec<Waiver> = trailers.iter().map(waiver::of_trailer).collect();
        waivers.list.extend(trailers.iter().cloned());
        waivers.after.extend(trailers);
    }
    pack
}
