//! The single steps of a batch: several pull requests that are merged one after the other, and tested together.

use super::base::{Base, Comparison, short};
use super::error::{Doing, GitError};
use super::head::Head;
use super::ladder::{is_batch, is_merge_group};
use super::repository::Repository;
use crate::environment::Environment;

/// How many merges a batch may have; Prow's own limit is far below.
const MOST: usize = 100;

/// One merge of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it merges into: the merge before, or the base of the batch.
    pub base: Base,
    /// What the merge made of the tree.
    pub head: Head,
    /// Its commit, as people read it.
    pub name: String,
}

impl Repository {
    /// The merges of a batch, or of a group of GitHub's queue, in their order; none where head is no batch of several. There is a
    /// merge for each pull request; where they are squashed or rebased, nothing tells where one ends.
    pub fn batch(&self, base: &Base, head: &Head, environment: &Environment) -> Result<Vec<Step>, GitError> {
        let Base::Commit(Comparison { tip, .. }) = base else { return Ok(Vec::new()) };
        if !matches!(head, Head::Commit(_)) || !(is_batch(environment)? || is_merge_group(environment)) {
            return Ok(Vec::new());
        }
        let Some(mut commit) = self.resolve_head(head)? else { return Ok(Vec::new()) };
        let mut steps = Vec::new();
        while commit != *tip && steps.len() < MOST {
            let found = self.inner.find_commit(commit).doing("reading the merges of a batch")?;
            let (2, Ok(parent)) = (found.parent_count(), found.parent_id(0)) else { return Ok(Vec::new()) };
            let source = format!("HEAD^1 of {}", short(commit));
            let step = Comparison::at(parent, &source);
            let base = Base::Commit(Comparison { branch: base.branch().cloned(), ..step });
            steps.push(Step { base, head: Head::Commit(commit.to_string()), name: short(commit) });
            commit = parent;
        }
        let is_whole = commit == *tip && steps.len() > 1;
        steps.reverse();
        Ok(if is_whole { steps } else { Vec::new() })
    }
}
