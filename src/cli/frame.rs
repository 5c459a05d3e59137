//! The beginning that `check` and `bump` share: from the options to what is judged by which rules.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::args::{Output, PolicyOptions, Target};
use super::exit::Error;
use super::policy::{Chosen, choose, head, now, waive};
use super::terminal::{say, say_all};
use crate::environment::Environment;
use crate::git::{Base, Head, Repository};
use crate::history::History;
use crate::model::Model;
use crate::model::past::look_back;
use crate::pack::Pack;
use crate::snapshot::Pair;

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
        policy: &PolicyOptions,
        target: &Target,
        compared: &Compared<'_>,
        has_waivers: bool,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let repository = Repository::open(policy.repo.as_deref(), environment)?;
        let head = repository.pin(head(target, &repository, environment))?;
        let base = match compared {
            Compared::Whole => repository.whole("--all", environment),
            Compared::With(explicit) => repository.find_base(&head, *explicit, environment)?,
        };
        let mut chosen = choose(policy, &repository, &base, &head, environment)?;
        if has_waivers {
            waive(&mut chosen, &repository, &base, &head, environment)?;
        }
        let Chosen { mut pack, notes, .. } = chosen;
        if let Some(scope) = pack.list_scope() {
            pack.follow_lists(&repository.pair(&base, &head, &scope)?)?;
        }
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
        let mut scope = self.pack.scope();
        if matches!(self.base, Base::Whole { .. }) {
            scope.files.extend(self.pack.shape.signs_of_root());
        }
        Ok(self.repository.pair(&self.base, &self.head, &scope)?)
    }

    /// What the history tells of the images of a whole tree: of all, or `only` of those in these directories.
    pub(super) fn history(
        &self,
        pair: &Pair<'_>,
        only: Option<&BTreeSet<Arc<str>>>,
        environment: &Environment,
    ) -> Result<Arc<History>, Error> {
        let model = Model::build(&pair.head, &self.pack.shape, None, None)?;
        let line = self.repository.first_parent_line(&self.head, &pair.head, &self.pack.scope())?;
        Ok(Arc::new(look_back(&pair.head, &model, &self.pack.shape, only, line, now(environment)?)?))
    }
}
