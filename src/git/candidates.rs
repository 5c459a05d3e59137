//! The branches of a clone that a person works in, and the one among them that a change left last.

use std::collections::HashSet;

use git2::{BranchType, ErrorCode, Oid};

use super::base::{Candidate, Standing};
use super::error::{Doing, GitError};
use super::fork::left_last;
use super::reflog::{made_here, was_pushed_from_here};
use super::repository::Repository;
use crate::snapshot;

/// How the names of branches begin that releases are cut from. A version follows.
const RELEASE_PREFIXES: [&str; 4] = ["release-", "release/", "stable-", "stable/"];

/// The names that projects give to the branch that all changes lead to.
pub(super) const MAIN: [&str; 2] = ["master", "main"];

/// The remotes that are looked at, the project's own before a fork of it.
const REMOTES: [&str; 2] = ["upstream", "origin"];

const PUSHED_COPY: &str = "it is the pushed copy of this branch";
const OWN_COMMITS: &str = "it holds commits that were made here and the project has not got";
const IS_HEAD: &str = "it holds all that is judged";

/// The change whose base is sought.
pub(super) struct Search<'a> {
    pub(super) repository: &'a Repository,
    /// HEAD, and what is being merged into it.
    pub(super) heads: &'a [Oid],
    /// The branch that is judged.
    pub(super) current: Option<&'a str>,
    pub(super) is_in_ci: bool,
}

/// What came of a search.
pub(super) struct Found {
    /// The branches that are there, in their order.
    pub(super) candidates: Vec<Candidate>,
    /// Which of them the change left last.
    pub(super) newest: Option<usize>,
    /// Those that are not there, or cannot be meant.
    pub(super) absent: Vec<String>,
}

/// A branch by its name.
#[derive(Clone, PartialEq, Eq)]
struct Branch {
    name: String,
    kind: BranchType,
}

impl Branch {
    fn remote(name: String) -> Self {
        Self { name, kind: BranchType::Remote }
    }

    fn local(name: &str) -> Self {
        Self { name: name.to_owned(), kind: BranchType::Local }
    }

    /// Its remote, and what it is called there.
    fn parts(&self) -> (Option<&str>, &str) {
        match self.name.split_once('/') {
            Some((remote, name)) if self.kind == BranchType::Remote => (Some(remote), name),
            _ => (None, &self.name),
        }
    }

    /// The same for everybody else.
    fn shown(&self) -> snapshot::Branch {
        let (_, name) = self.parts();
        snapshot::Branch { shown: self.name.as_str().into(), name: name.into() }
    }

    fn is_main(&self) -> bool {
        let (_, name) = self.parts();
        MAIN.contains(&name) || (name == "HEAD" && self.kind == BranchType::Remote)
    }
}

impl Search<'_> {
    /// Looks at all candidates. The base is the one that the change left last; of equals, the first.
    pub(super) fn run(&self) -> Result<Found, GitError> {
        let mut found = Found { candidates: Vec::new(), newest: None, absent: Vec::new() };
        let mut branches: Vec<(Branch, Oid)> = Vec::new();
        let tracked = self.tracked();
        for branch in tracked.iter().cloned().chain(self.main_branches(&mut found.absent)) {
            if branches.iter().any(|(known, _)| *known == branch) {
                continue;
            }
            match self.tip(&branch)? {
                Some(tip) => branches.push((branch, tip)),
                None => found.absent.push(branch.name),
            }
        }
        let is_there =
            |remote: &str| branches.iter().any(|(branch, _)| branch.is_main() && branch.parts().0 == Some(remote));
        let project = REMOTES.into_iter().find(|remote| is_there(remote)).unwrap_or("origin");
        for (branch, tip) in &branches {
            let known = found.candidates.iter().find(|known| known.tip == *tip && known.merge_base().is_some());
            let standing = if self.is_pushed_copy(branch, project) {
                Standing::No(PUSHED_COPY)
            } else if let Some(known) = known {
                known.standing.clone()
            } else {
                self.standing(*tip)?
            };
            found.candidates.push(Candidate { branch: branch.shown(), tip: *tip, standing });
        }
        self.leave_out_copies(&branches, project, &mut found.candidates)?;

        let mut mains = Vec::new();
        for ((branch, tip), candidate) in branches.iter().zip(&found.candidates) {
            if branch.is_main() && candidate.merge_base().is_some() {
                mains.push(*tip);
            }
        }
        if let Some(release) = self.release_branch(project, &mains)?
            && !found.candidates.iter().any(|known| known.branch == release.branch)
        {
            found.candidates.push(release);
        }
        found.newest = self.newest(&found.candidates)?;
        Ok(found)
    }

    /// The branch that the current one tracks.
    fn tracked(&self) -> Option<Branch> {
        let current = self.repository.inner.find_branch(self.current?, BranchType::Local).ok()?;
        let upstream = current.upstream().ok()?;
        let kind = if upstream.get().is_remote() { BranchType::Remote } else { BranchType::Local };
        Some(Branch { name: upstream.name().ok()??.to_owned(), kind })
    }

    /// The branches that changes lead to, the project's before a fork's, and those of remotes before one's own.
    fn main_branches(&self, absent: &mut Vec<String>) -> Vec<Branch> {
        let mut branches = Vec::new();
        for remote in REMOTES {
            for name in ["HEAD"].into_iter().chain(MAIN) {
                branches.push(Branch::remote(format!("{remote}/{name}")));
            }
        }
        for name in MAIN {
            if self.current == Some(name) {
                absent.push(format!("{name} (the current branch)"));
            } else {
                branches.push(Branch::local(name));
            }
        }
        branches
    }

    fn tip(&self, branch: &Branch) -> Result<Option<Oid>, GitError> {
        let found = self.repository.inner.find_branch(&branch.name, branch.kind);
        match found.and_then(|branch| branch.get().peel_to_commit()) {
            Ok(commit) => Ok(Some(commit.id())),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(GitError::Git { doing: "reading a branch", source }),
        }
    }

    fn standing(&self, tip: Oid) -> Result<Standing, GitError> {
        Ok(self.repository.merge_base(tip, self.heads)?.map_or(Standing::Unrelated, Standing::Left))
    }

    /// Whether a branch is where the current one was pushed to: of the same name, or, in a fork, its main branch.
    fn is_pushed_copy(&self, branch: &Branch, project: &str) -> bool {
        let (Some(current), (Some(remote), mut name)) = (self.current, branch.parts()) else { return false };
        let head = format!("refs/remotes/{}", branch.name);
        let target = self.repository.inner.find_reference(&head).ok();
        let target = target.as_ref().and_then(|head| head.symbolic_target().ok().flatten());
        if let Some(target) = target.and_then(|target| target.strip_prefix("refs/remotes/")?.split_once('/')) {
            name = target.1;
        }
        let is_of_project = remote == project || (remote != "origin" && !REMOTES.contains(&remote));
        if is_of_project && (branch.is_main() || is_release(name)) {
            return false;
        }
        if name == current || name.ends_with(&format!("/{current}")) {
            return true;
        }
        // Pushed under another name; where a local branch has that name, it is that one's copy.
        !branch.is_main()
            && self.repository.inner.find_branch(name, BranchType::Local).is_err()
            && was_pushed_from_here(self.repository.common_dir(), &branch.name)
    }

    /// Leaves out main branches of forks and of one's own that hold what is judged: a commit made here, which the project has not
    /// got, is a part of the change, wherever it was put or pushed to.
    fn leave_out_copies(
        &self,
        branches: &[(Branch, Oid)],
        project: &str,
        candidates: &mut [Candidate],
    ) -> Result<(), GitError> {
        let mut of_project = Vec::new();
        for ((branch, _), candidate) in branches.iter().zip(&*candidates) {
            if branch.is_main() && branch.parts().0 == Some(project) {
                of_project.extend(candidate.merge_base());
            }
        }
        if of_project.is_empty() {
            return Ok(());
        }
        let mut made = None;
        for ((branch, _), candidate) in branches.iter().zip(candidates) {
            let Some(merge_base) = candidate.merge_base() else { continue };
            if !branch.is_main() || branch.parts().0 == Some(project) || of_project.contains(&merge_base) {
                continue;
            }
            let made: &HashSet<Oid> = made.get_or_insert_with(|| made_here(self.repository.git_dir()));
            if made.contains(&merge_base) && !self.is_in(merge_base, &of_project)? {
                candidate.standing = Standing::No(OWN_COMMITS);
            } else if self.is_in_ci && self.heads.first() == Some(&merge_base) {
                candidate.standing = Standing::No(IS_HEAD);
            }
        }
        Ok(())
    }

    fn is_in(&self, commit: Oid, histories: &[Oid]) -> Result<bool, GitError> {
        for &tip in histories {
            if self.repository.inner.graph_descendant_of(tip, commit).doing("comparing merge bases")? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The release branch that a backport was begun on. Compared with the main branch, it would answer for the whole release.
    fn release_branch(&self, project: &str, mains: &[Oid]) -> Result<Option<Candidate>, GitError> {
        let mut releases = Vec::new();
        for branch in self.repository.inner.branches(Some(BranchType::Remote)).doing("listing branches")? {
            let (reference, _) = branch.doing("listing branches")?;
            let (Ok(Some(name)), Some(tip)) = (reference.name(), reference.get().target()) else { continue };
            let branch = Branch::remote(name.to_owned());
            let (Some(remote), name) = branch.parts() else { continue };
            if is_release(name) && REMOTES.contains(&remote) && !self.is_pushed_copy(&branch, project) {
                releases.push((name.to_owned(), remote != project, branch.name.clone(), tip));
            }
        }
        if releases.is_empty() || mains.is_empty() {
            return Ok(None);
        }
        // Of several that hold the same of HEAD: not one that was cut from another, and none of a fork.
        releases.sort();
        let tips: Vec<Oid> = releases.iter().map(|(_, _, _, tip)| *tip).collect();
        let head = self.heads.first().copied().unwrap_or(Oid::ZERO_SHA1);
        let last = left_last(&self.repository.inner, head, mains, &tips).doing("looking for the release branch")?;
        let Some((_, _, name, tip)) = last.map(|index| releases.swap_remove(index)) else { return Ok(None) };
        Ok(Some(Candidate { branch: Branch::remote(name).shown(), tip, standing: self.standing(tip)? }))
    }

    /// The candidate with the newest merge base; of equals, the first.
    fn newest(&self, candidates: &[Candidate]) -> Result<Option<usize>, GitError> {
        let mut newest: Option<(usize, Oid)> = None;
        let mut seen = Vec::new();
        for (index, candidate) in candidates.iter().enumerate() {
            let Some(merge_base) = candidate.merge_base() else { continue };
            if seen.contains(&merge_base) {
                continue;
            }
            seen.push(merge_base);
            let is_newest = match newest {
                None => true,
                Some((_, known)) => self.is_newer(merge_base, known)?,
            };
            if is_newest {
                newest = Some((index, merge_base));
            }
        }
        Ok(newest.map(|(index, _)| index))
    }

    /// Whether a commit came after another: from it, or, where neither came from the other, at a later time.
    fn is_newer(&self, commit: Oid, than: Oid) -> Result<bool, GitError> {
        const DOING: &str = "comparing merge bases";
        let repository = &self.repository.inner;
        if commit == than {
            return Ok(false);
        }
        if repository.graph_descendant_of(commit, than).doing(DOING)? {
            return Ok(true);
        }
        if repository.graph_descendant_of(than, commit).doing(DOING)? {
            return Ok(false);
        }
        let time = repository.find_commit(commit).doing(DOING)?.time();
        Ok(time > repository.find_commit(than).doing(DOING)?.time())
    }
}

/// Whether releases are cut from a branch of this name. One that goes on in words is a topic, and its remote branch is a copy of it:
/// compared with that, nothing would have changed.
pub(super) fn is_release(branch: &str) -> bool {
    let Some(version) = RELEASE_PREFIXES.iter().find_map(|prefix| branch.strip_prefix(prefix)) else {
        return branch == "stable";
    };
    let version = version.trim_start_matches('v');
    version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_' | b'x'))
}
