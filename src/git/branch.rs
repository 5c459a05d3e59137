//! The branch that a change is made to.

use git2::Reference;

use super::base::Base;
use super::candidates::{MAIN, is_release};
use super::repository::Repository;
use crate::environment::Environment;
use crate::snapshot::Branch;

/// Where CI systems tell it. Prow, GitHub and GitLab are told apart by whoever sets these.
const VARIABLES: [&str; 3] = ["PULL_BASE_REF", "GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"];

/// The branch that the CI system names.
pub(super) fn of_ci(environment: &Environment) -> Option<Branch> {
    environment.ci()?;
    VARIABLES.iter().find_map(|name| environment.get(name)).map(Branch::local)
}

impl Repository {
    /// The base of what is judged as a whole, with the branch that it is the tree of.
    pub fn whole(&self, source: &str, environment: &Environment) -> Base {
        Base::whole(source).of_branch(of_ci(environment).or_else(|| self.current_branch()))
    }

    /// The branch that HEAD is.
    pub(super) fn current_branch(&self) -> Option<Branch> {
        let head = self.inner.head().ok().filter(Reference::is_branch)?;
        Some(Branch::local(head.shorthand().ok()?))
    }

    /// The current branch, where its name says that changes lead to it.
    pub(super) fn current_base_branch(&self) -> Option<Branch> {
        self.current_branch().filter(|branch| MAIN.contains(&&*branch.name) || is_release(&branch.name))
    }

    /// The branch that a revision is the name of, or goes back from, as in `release-1.36~2`. A topic that is judged is no branch that
    /// it is made to, and HEAD is one only where changes lead to it.
    pub(super) fn branch_of(&self, revision: &str) -> Option<Branch> {
        let named = self.inner.revparse_ext(revision).ok().and_then(|(_, reference)| reference);
        let end = ["~", "^", "@{"].iter().filter_map(|begin| revision.find(begin)).min();
        let from = named.or_else(|| self.inner.resolve_reference_from_short_name(&revision[..end?]).ok());
        let branch = branch_of_reference(&from?)?;
        if self.current_branch().as_ref() == Some(&branch) { self.current_base_branch() } else { Some(branch) }
    }
}

fn branch_of_reference(reference: &Reference<'_>) -> Option<Branch> {
    let reference = reference.resolve().ok()?;
    let shown = reference.shorthand().ok()?;
    if reference.is_branch() {
        Some(Branch::local(shown))
    } else {
        reference.is_remote().then(|| Branch::of_remote(shown))
    }
}
