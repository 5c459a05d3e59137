//! What directories held before commits took that away.

use std::collections::BTreeMap;
use std::sync::Arc;

use git2::{ErrorCode, Oid};

use super::error::{Doing, GitError};
use super::history::noted;
use super::repository::Repository;
use crate::history::{Difference, Removed};
use crate::path::directories_above;
use crate::snapshot::{Entries, Scope};

/// How many commits are looked back: some years of a large project, and less than a second.
const MAX_COMMITS: usize = 10_000;

/// A directory of which it is asked what it held.
pub struct Wanted {
    /// The file that it lacks now.
    pub file: Arc<str>,
    /// The files that it has.
    pub files: Entries,
}

impl Repository {
    /// What directories held when they last had a file that they lack at `from`: on the first-parent line, among its newest commits, and
    /// as far as the clone reaches.
    pub fn before_removal(
        &self,
        from: Oid,
        mut wanted: BTreeMap<Arc<str>, Wanted>,
    ) -> Result<BTreeMap<Arc<str>, Removed>, GitError> {
        let mut found = BTreeMap::new();
        let mut above: Vec<String> =
            wanted.keys().flat_map(|path| directories_above(path)).map(str::to_owned).collect();
        above.sort_unstable();
        above.dedup();
        let directories = wanted.keys().map(ToString::to_string).collect();
        let scope = Scope { directories, files: Vec::new(), above };
        let (objects, boundary) = (self.objects()?, self.shallow_boundary()?);
        let mut next = Some(from);
        for _ in 0..MAX_COMMITS {
            let Some(id) = next.filter(|id| !wanted.is_empty() && !boundary.contains(id)) else { break };
            let commit = self.inner.find_commit(id).doing("walking the history")?;
            let Some(parent) = commit.parent_ids().next() else { break };
            let parent_tree = match self.inner.find_commit(parent) {
                Ok(parent) => parent.tree_id(),
                // A clone whose history was cut by other means than git's own.
                Err(error) if error.code() == ErrorCode::NotFound => break,
                Err(source) => return Err(GitError::Git { doing: "walking the history", source }),
            };
            next = Some(parent);
            let differences = objects.differences(Some(commit.tree_id()), Some(parent_tree), &scope)?.within;
            if differences.is_empty() {
                continue;
            }
            for difference in &differences {
                for directory in directories_above(&difference.path) {
                    if let Some(wanted) = wanted.get_mut(directory) {
                        apply(difference, &mut wanted.files);
                    }
                }
            }
            for (directory, there) in wanted.extract_if(.., |_, wanted| wanted.files.contains_key(&wanted.file)) {
                found.insert(directory, Removed { commit: noted(&commit), files: there.files });
            }
        }
        Ok(found)
    }
}

/// Makes files what they were on the other side of a difference.
fn apply(Difference { path, other }: &Difference, files: &mut Entries) {
    match other {
        Some(entry) => drop(files.insert(Arc::clone(path), entry.clone())),
        None => drop(files.remove(path)),
    }
}
