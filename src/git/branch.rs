//! The name of the branch that a change is made to.

use git2::BranchType;

use super::base::Base;
use super::repository::Repository;
use crate::environment::Environment;

/// Where CI systems tell it. Prow, GitHub and GitLab are told apart by whoever sets these.
const VARIABLES: [&str; 3] = ["PULL_BASE_REF", "GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"];

impl Repository {
    /// The branch that the change is made to; of a whole tree, the one that it is the tree of. `None` where nothing tells.
    pub fn branch_name(&self, base: &Base, environment: &Environment) -> Option<String> {
        if environment.ci().is_some()
            && let Some(name) = VARIABLES.iter().find_map(|name| environment.get(name)).filter(|name| !name.is_empty())
        {
            return Some(name.to_owned());
        }
        match base {
            Base::Commit(comparison) => self.branch_of(comparison.source.split_whitespace().next_back()?),
            Base::Whole { .. } | Base::Empty => {
                let head = self.inner.head().ok().filter(git2::Reference::is_branch)?;
                Some(head.shorthand().ok()?.to_owned())
            }
        }
    }

    /// The branch that a revision is the name of, without the remote's name.
    fn branch_of(&self, revision: &str) -> Option<String> {
        if self.inner.find_branch(revision, BranchType::Local).is_ok() {
            return Some(revision.to_owned());
        }
        self.inner.find_branch(revision, BranchType::Remote).ok()?;
        revision.split_once('/').map(|(_, name)| name.to_owned())
    }
}
