//! The beginning and the end that `check` and `bump` share: from the options to what is judged by which rules, and from what was
//! found to the exit code.

use super::args::{Output, Policy, Target};
use super::policy::{Chosen, choose, head, say_all, waive};
use super::{CLEAN, Error, FAILED, FINDINGS, complain, say};
use crate::environment::Environment;
use crate::finding::Level;
use crate::fix::Repair;
use crate::git::{Base, GitError, Head, Repository};
use crate::pack::Pack;
use crate::report::summary;
use crate::snapshot::Pair;
use crate::write::write;

/// What a run stands on.
pub(super) struct Frame {
    pub(super) repository: Repository,
    pub(super) head: Head,
    pub(super) base: Base,
    pub(super) pack: Pack,
    notes: Vec<String>,
}

/// What head is compared with.
pub(super) enum Compared<'a> {
    /// Nothing.
    Whole,
    /// The merge base of this revision, or of the one that the environment tells.
    With(Option<&'a str>),
}

impl Frame {
    /// Finds the repository, what is judged in it, what that is compared with, and the rules.
    pub(super) fn begin(
        policy: &Policy,
        target: &Target,
        compared: &Compared<'_>,
        has_waivers: bool,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let repository = Repository::open(policy.repo.as_deref(), environment)?;
        let head = repository.pin(head(target, &repository, environment))?;
        let base = match compared {
            Compared::Whole => Base::Whole { source: "--all".to_owned() },
            Compared::With(explicit) => repository.find_base(&head, *explicit, environment)?,
        };
        let mut chosen = choose(policy, &repository, &base, &head, environment)?;
        if has_waivers {
            waive(&mut chosen, &repository, &base, &head, environment)?;
        }
        let Chosen { pack, notes, .. } = chosen;
        Ok(Self { repository, head, base, pack, notes })
    }

    /// Says what is compared with what, and by which rules, unless that is not wanted.
    pub(super) fn announce(&self, output: &Output) {
        if !output.quiet {
            say(&self.base.describe());
            if output.verbose {
                say_all(&self.base.describe_candidates());
            }
            say_all(&self.notes);
        }
    }

    /// The files on both sides.
    pub(super) fn pair(&self) -> Result<Pair<'_>, Error> {
        Ok(self.repository.pair(&self.base, &self.head, &self.pack.scope())?)
    }

    /// Writes the repaired files into the working tree, whatever was judged: the index is the user's.
    pub(super) fn put(&self, repair: &Repair) -> Result<(), Error> {
        if repair.files.is_empty() {
            return Ok(());
        }
        let root = self.repository.root().ok_or(GitError::Bare("working tree"))?;
        write(root, &repair.files)?;
        if self.head == Head::Index {
            say(
                "the files are repaired in the working tree; the index is as it was: look at them, then `git add` them",
            );
        }
        Ok(())
    }
}

/// Says what stood in the way of repairs and of rules, and gives the exit code. `gate` is the lowest level that fails.
pub(super) fn end(repair: &Repair, gate: Level, output: &Output, environment: &Environment) -> u8 {
    for conflict in summary::conflicts(repair) {
        say(&conflict);
    }
    let outcome = &repair.outcome;
    for failure in &outcome.failures {
        complain(failure, output.color, environment);
    }
    if !outcome.failures.is_empty() {
        FAILED
    } else if outcome.findings.iter().any(|finding| finding.waived.is_none() && finding.level >= gate) {
        FINDINGS
    } else {
        CLEAN
    }
}
