//! The beginning that most commands share: from the options to what is judged by which rules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::args::{Comparison, Output, PolicyOptions, Target};
use super::exit::Error;
use super::policy::{Chosen, choose, head, now, order_note, waive};
use super::terminal::{say, say_all};
use crate::environment::Environment;
use crate::git::{Base, GitError, Head, Removals, Repository, Wanted};
use crate::history::{History, Removed};
use crate::model::Model;
use crate::model::past::look_back;
use crate::pack::Pack;
use crate::path::{directory_of, file_name};
use crate::report::Tree;
use crate::run::touched;
use crate::snapshot::{Pair, Scope};
use crate::text::escape;
use crate::waiver;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("failed to read the message {}: {}", escape(.0), .1)]
#[diagnostic(help("name the file that git hands to its commit-msg hook in `--message FILE`"))]
struct MessageError(String, std::io::Error);

/// What a run stands on.
pub(super) struct Frame {
    pub(super) repository: Repository,
    pub(super) head: Head,
    pub(super) base: Base,
    pub(super) pack: Pack,
    /// Which pack was chosen, and why.
    choice: String,
    notes: Vec<String>,
}

/// What head is compared with.
pub(super) enum Compared<'a> {
    /// Nothing.
    Whole,
    /// The merge base of this revision, or of the one that the environment tells.
    With(Option<&'a str>),
}

impl<'a> Compared<'a> {
    /// What the options say; where they say nothing, the environment tells.
    pub(super) fn of(options: &'a Comparison) -> Self {
        if options.all { Self::Whole } else { Self::With(options.base.as_deref()) }
    }

    /// With this revision, or with nothing where none is named.
    pub(super) fn if_named(base: Option<&'a str>) -> Self {
        base.map_or(Self::Whole, |base| Self::With(Some(base)))
    }
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
        let Chosen { pack, choice, notes, .. } = chosen;
        Ok(Self { repository, head, base, pack, choice, notes })
    }

    /// Lets pass what a message that is to be committed says, too.
    pub(super) fn add_trailers(&mut self, path: &Path) -> Result<(), Error> {
        let name = path.display().to_string();
        let message = std::fs::read(path).map_err(|error| MessageError(name.clone(), error))?;
        let trailers = Repository::trailers_of_message(&name, &String::from_utf8_lossy(&message), waiver::TRAILER)?;
        if let Some(waivers) = &mut self.pack.waivers {
            for waiver in trailers.iter().map(waiver::of_trailer) {
                waivers.list.push(waiver.clone());
                waivers.after.push(waiver);
            }
        }
        Ok(())
    }

    /// Says what is compared with what, and by which rules, unless that is not wanted.
    pub(super) fn announce(&self, output: &Output) -> Result<(), Error> {
        self.announce_base(output);
        self.announce_pack(output, true)
    }

    /// Says what is compared with what.
    pub(super) fn announce_base(&self, output: &Output) {
        if !output.quiet {
            say(&self.base.describe());
            if output.verbose {
                say_all(&self.base.describe_candidates());
            }
        }
    }

    /// Says by which rules, and when the manifest follows where that matters: it takes reading what a tree says of it.
    pub(super) fn announce_pack(&self, output: &Output, is_order_asked: bool) -> Result<(), Error> {
        if !output.quiet {
            let mut choice = self.choice.clone();
            if is_order_asked {
                choice += &order_note(&self.pack.shape, &self.repository, &self.base, &self.head)?;
            }
            say(&choice);
            say_all(&self.notes);
        }
        Ok(())
    }

    /// What head is compared with, as reports say it.
    pub(super) fn base_tree(&self) -> Tree<'_> {
        Tree { revision: self.base.revision().map(|commit| commit.to_string()), words: self.base.source() }
    }

    /// What is judged, as reports say it.
    pub(super) fn head_tree(&self) -> Result<Tree<'_>, GitError> {
        let commit = self.repository.resolve_head(&self.head)?;
        Ok(Tree { revision: commit.map(|commit| commit.to_string()), words: self.head.kind() })
    }

    /// The files on both sides.
    pub(super) fn pair(&self) -> Result<Pair<'_>, Error> {
        let (base, head, mut scope) = (&self.base, &self.head, self.pack.scope());
        if matches!(base, Base::Whole { .. }) {
            scope.files.extend(self.pack.shape.signs_of_root());
        }
        let mut listed = BTreeSet::new();
        if let Some(list) = self.pack.list() {
            let alone = Scope { files: vec![list.to_owned()], ..Scope::default() };
            listed = self.pack.listed(&self.repository.pair(base, head, &alone)?)?;
            scope.add_files(&listed);
        }
        let mut pair = self.repository.pair(base, head, &scope)?;
        pair.origin.listed = listed;
        Ok(pair)
    }

    /// The files on both sides of a change, as far as the rules look at any: what a list of dependencies names beside those that the
    /// pack describes, only where the change may concern that list.
    pub(super) fn pair_to_judge(&self, base: &Base, head: &Head) -> Result<Pair<'_>, Error> {
        if matches!(head, Head::Worktree) || matches!(base, Base::Whole { .. }) {
            return self.pair();
        }
        let scope = self.pack.scope();
        let mut pair = self.repository.pair(base, head, &scope)?;
        if self.pack.list().is_some() && self.concerns_list(&pair)? {
            let listed = self.pack.listed(&pair)?;
            let mut all = scope.clone();
            all.add_files(&listed);
            let others = Scope {
                directories: Vec::new(),
                files: all.files.split_off(scope.files.len()),
                above: all.above.split_off(scope.above.len()),
            };
            pair.add(self.repository.pair(base, head, &others)?);
            pair.origin.listed = listed;
        }
        Ok(pair)
    }

    /// Whether a change may concern the list of dependencies, or a file that it names.
    fn concerns_list(&self, pair: &Pair<'_>) -> Result<bool, Error> {
        if !pair.origin.is_within {
            return Ok(true);
        }
        let changed = pair.changed();
        Ok(touched(&self.pack, pair, &changed).has_control_files
            || self.pack.may_list(pair, changed.iter().chain(pair.head.links()))?)
    }

    /// What was where a change makes an image, and the base branch had one before.
    pub(super) fn removed(&self, pair: &Pair<'_>) -> Result<BTreeMap<Arc<str>, Removed>, Error> {
        let (Some(base), Some(from)) = (&pair.base, self.base.revision()) else { return Ok(BTreeMap::new()) };
        let mut wanted = Vec::new();
        let mut directories = Vec::new();
        for path in pair.changed() {
            let is_new = base.entry(&path).is_none() && pair.head.entry(&path).is_some();
            if is_new && self.pack.shape.is_version_file(file_name(&path)) {
                wanted.push(Wanted::new(from, &path, base));
                directories.push(directory_of(&path).into());
            }
        }
        let Removals { found, error, .. } = self.repository.before_removals(wanted);
        if let Some(error) = error {
            return Err(error.into());
        }
        Ok(found.into_iter().map(|(number, removed)| (Arc::clone(&directories[number]), removed)).collect())
    }

    /// What the history tells of the images of a whole tree, as `head` was read: of all, or `only` of those in these directories.
    pub(super) fn history(
        &self,
        pair: &Pair<'_>,
        head: &Model,
        only: Option<&BTreeSet<Arc<str>>>,
        environment: &Environment,
    ) -> Result<Arc<History>, Error> {
        let mut scope = self.pack.scope();
        scope.add_files(&pair.origin.listed);
        let line = self.repository.first_parent_line(&self.head, &pair.head, &scope)?;
        Ok(Arc::new(look_back(&pair.head, head, &self.pack.shape, only, line, now(environment)?)?))
    }
}
