//! Whether anything was judged at all where there is no base branch.

use git2::StatusOptions;

use super::base::{Base, Comparison};
use super::error::{Doing, GitError};
use super::head::Head;
use super::repository::Repository;
use crate::snapshot::{Pair, Scope};

impl Repository {
    /// Refuses to call a change clean where there was none to look at: without a base branch only what is not committed is judged,
    /// and all is committed. The commit that git is making, and asks a hook about, may be empty.
    pub fn refuse_nothing_judged(&self, base: &Base, head: &Head, pair: &Pair<'_>) -> Result<(), GitError> {
        let Base::Commit(Comparison { is_last_resort: true, .. }) = base else { return Ok(()) };
        let is_of_hook = *head == Head::Index && self.index_file.is_some();
        if is_of_hook || !pair.changed().is_empty() || !self.is_clean(base, head)? {
            return Ok(());
        }
        Err(GitError::NothingToCompare {
            reason: "there is no base branch, and no change that is not committed: nothing was judged".to_owned(),
            help: "name the base branch with `--base REV` or IMGLINT_BASE, or judge everything with `--all`".to_owned(),
        })
    }

    /// Whether nothing differs from the last commit, in the whole repository.
    fn is_clean(&self, base: &Base, head: &Head) -> Result<bool, GitError> {
        if *head != Head::Worktree {
            let whole = Scope { directories: vec![String::new()], ..Scope::default() };
            return Ok(self.pair(base, head, &whole)?.changed().is_empty());
        }
        let mut options = StatusOptions::new();
        options.include_untracked(true).exclude_submodules(true);
        Ok(self.inner.statuses(Some(&mut options)).doing("looking for changes")?.is_empty())
    }
}
