//! The ladder that leads from the environment to the base of a change. The first rung that applies wins; where none does, the
//! run fails: "no base" must never read as "no changes".

use git2::{BranchType, ErrorCode, Oid};
use serde_json::Value;

use super::base::{AuthoredCommits, Base, Comparison, Standing, is_zero, short};
use super::branch::of_ci;
use super::candidates::{Found, Search};
use super::error::{Doing, GitError};
use super::head::Head;
use super::repository::Repository;
use crate::environment::{Ci, Environment};
use crate::snapshot::Branch;

/// One run down the ladder.
struct Ladder<'a> {
    repository: &'a Repository,
    environment: &'a Environment,
    head: Oid,
    /// HEAD, and what the next commit has for parents beside it: a merge is under way.
    heads: Vec<Oid>,
    tried: Vec<String>,
}

type Rung = Result<Option<Base>, GitError>;

impl Repository {
    /// Finds what `head` is to be compared with. `explicit` is the user's own word.
    pub fn find_base(&self, head: &Head, explicit: Option<&str>, environment: &Environment) -> Result<Base, GitError> {
        let Some(commit) = self.resolve_head(head)? else {
            return explicit.map_or(Ok(Base::Empty), |_| Err(GitError::Unborn));
        };
        let mut heads = vec![commit];
        if !matches!(head, Head::Commit(_)) {
            heads.extend(self.merging()?);
        }
        let mut ladder = Ladder { repository: self, environment, head: commit, heads, tried: Vec::new() };
        let mut base = ladder.climb(head, explicit)?;
        ladder.refuse_an_empty_comparison(&base, head, explicit)?;
        if let Some(branch) = of_ci(environment) {
            // The rung may know it with its remote's name.
            let known = base.branch().filter(|known| known.name == branch.name).cloned();
            base = base.of_branch(known.or(Some(branch)));
        }
        if let Base::Commit(comparison) = &mut base {
            comparison.authored = ladder.authored(comparison, head)?;
        }
        Ok(base)
    }

    /// The commits that are being merged into HEAD, as `git merge` notes them down.
    fn merging(&self) -> Result<Vec<Oid>, GitError> {
        let file = self.git_dir().join("MERGE_HEAD");
        match std::fs::read_to_string(&file) {
            Ok(text) => text.lines().map(|line| Oid::from_str(line.trim()).doing("reading MERGE_HEAD")).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(GitError::Io { path: file.display().to_string(), source }),
        }
    }
}

impl Ladder<'_> {
    fn climb(&mut self, head: &Head, explicit: Option<&str>) -> Result<Base, GitError> {
        if let Some(revision) = explicit {
            return self.named(revision, "--base");
        }
        if let Some(revision) = self.environment.get("IMGLINT_BASE") {
            return self.named(revision, "IMGLINT_BASE");
        }
        let ci = self.environment.ci();
        let rung = match ci {
            Some(Ci::Prow) => self.prow()?,
            Some(Ci::GitHub) => self.github()?,
            Some(Ci::GitLab) => self.gitlab()?,
            Some(Ci::Other) | None => None,
        };
        if let Some(base) = rung {
            return Ok(base);
        }
        // Prow's clone has no remote, and its local base branch is HEAD itself: below here there is nothing for it.
        if ci != Some(Ci::Prow) {
            if let Some(base) = self.branches()? {
                return Ok(base);
            }
            if let Some(base) = self.pre_commit()? {
                return Ok(base);
            }
        }
        if ci.is_none() && matches!(head, Head::Index | Head::Worktree) {
            if self.repository.inner.is_shallow() {
                return Err(self.no_base());
            }
            let source = "HEAD: there is no base branch, so only uncommitted changes are judged";
            let branch = self.repository.current_branch();
            return Ok(Base::Commit(Comparison { is_last_resort: true, branch, ..Comparison::at(self.head, source) }));
        }
        Err(self.no_base())
    }

    /// `--base` and `IMGLINT_BASE`: the user's word.
    fn named(&mut self, revision: &str, source: &str) -> Result<Base, GitError> {
        if is_zero(revision) {
            return Err(GitError::NoRevision {
                revision: revision.to_owned(),
                source_of_it: source.to_owned(),
                help: "zeros are git's way to say `no commit`: the branch is new. Give its base branch instead, \
                       for example `--base origin/HEAD`"
                    .to_owned(),
            });
        }
        let tip = self.repository.commit(revision, source)?;
        let base = self.merge_base(tip, format!("{source} {revision}"))?;
        let branch = self.repository.branch_of(revision).or_else(|| self.likely_branch());
        Ok(base.of_branch(branch))
    }

    /// The branch that the change is likely to be made to, where its base is no branch: the current one, where changes lead to it, or
    /// the one that it was begun on. What stands in the way of that is none of a base that somebody named.
    fn likely_branch(&self) -> Option<Branch> {
        if of_ci(self.environment).is_some() {
            return None;
        }
        if let Some(current) = self.repository.current_base_branch() {
            return Some(current);
        }
        let Found { mut candidates, newest, .. } = self.search().ok()?;
        Some(candidates.swap_remove(newest?).branch)
    }

    /// What the author of a change made, where head is a merge of that into the tip of the base branch: of the merge alone nobody
    /// could tell a version that the author chose from one that the base branch took meanwhile. Where the history was cut, nobody
    /// can.
    fn authored(&self, comparison: &Comparison, head: &Head) -> Result<Option<AuthoredCommits>, GitError> {
        let tip = comparison.tip;
        if tip != comparison.merge_base || !matches!(head, Head::Commit(_)) || is_batch(self.environment)? {
            return Ok(None);
        }
        let commit = self.repository.inner.find_commit(self.head).doing("reading HEAD")?;
        let author = if commit.parent_count() == 2 && commit.parent_id(0).is_ok_and(|parent| parent == tip) {
            commit.parent_id(1).ok()
        } else {
            self.pulled()?
        };
        let Some(author) = author.filter(|author| self.repository.inner.find_commit(*author).is_ok()) else {
            return Ok(None);
        };
        let fork = self.repository.merge_base(tip, &[author])?;
        Ok(fork.filter(|fork| *fork != tip).map(|fork| AuthoredCommits { fork, author }))
    }

    /// The pull request that Prow tests, also where it squashed it or put it on top of the base branch.
    fn pulled(&self) -> Result<Option<Oid>, GitError> {
        if self.environment.ci() != Some(Ci::Prow) {
            return Ok(None);
        }
        let spec = job_spec(self.environment)?;
        let named = self.environment.get("PULL_PULL_SHA").map(str::to_owned);
        let Some(sha) = named.or_else(|| text(&spec["refs"]["pulls"][0]["sha"])) else { return Ok(None) };
        Ok(self.repository.commit(&sha, "PULL_PULL_SHA").ok())
    }

    /// Prow says what it merged the change into.
    fn prow(&mut self) -> Rung {
        let spec = job_spec(self.environment)?;
        match job_type(&spec, self.environment).as_str() {
            "periodic" => return Ok(Some(self.repository.whole("periodic job", self.environment))),
            "postsubmit" => return self.first_parent("HEAD^1 of a postsubmit"),
            _ => {}
        }
        let (source, sha) = if let Some(sha) = self.environment.get("PULL_BASE_SHA") {
            ("PULL_BASE_SHA", sha.to_owned())
        } else if let Some(sha) = self.environment.get("PULL_REFS").and_then(base_of_refs) {
            ("PULL_REFS", sha.to_owned())
        } else if let Some(sha) = text(&spec["refs"]["base_sha"]) {
            ("JOB_SPEC", sha)
        } else {
            self.tried.extend(["PULL_BASE_SHA", "PULL_REFS", "JOB_SPEC"].map(|name| format!("{name} (unset)")));
            return Ok(None);
        };
        let Ok(tip) = self.repository.commit(&sha, source) else {
            let tested = match (self.environment.get("REPO_OWNER"), self.environment.get("REPO_NAME")) {
                (Some(owner), Some(name)) => format!(" ({owner}/{name})"),
                _ => String::new(),
            };
            let help = format!(
                "this is not the repository under test{tested}, or its history was cut: run imglint in the repository under \
                 test, not in one of `extra_refs`, and without `clone_depth`"
            );
            return Err(GitError::NoRevision { revision: sha, source_of_it: source.to_owned(), help });
        };
        let branch = spec["refs"]["base_ref"].as_str().map(Branch::local);
        Ok(Some(self.merge_base(tip, source.to_owned())?.of_branch(branch)))
    }

    fn github(&mut self) -> Rung {
        let on_merge = self
            .environment
            .get("GITHUB_REF")
            .is_some_and(|name| name.starts_with("refs/pull/") && name.ends_with("/merge"));
        if on_merge {
            let commit = self.repository.inner.find_commit(self.head).doing("reading HEAD")?;
            // A job may check out the pull request's own head, which may be a merge, too: of the base branch into it.
            let is_tested = self.environment.get("GITHUB_SHA").is_none_or(|sha| sha == commit.id().to_string());
            if commit.parent_count() == 2 && is_tested {
                return self.first_parent("HEAD^1 of GitHub's merge");
            }
            self.tried.push("HEAD^1 (HEAD is not GitHub's merge here)".to_owned());
        }
        if let Some(branch) = self.environment.get("GITHUB_BASE_REF") {
            // It is a pull request: nothing further down can stand for its base.
            return self.remote_branch(&format!("origin/{branch}"))?.map(Some).ok_or_else(|| self.no_base());
        }
        let Some(event) = self.environment.get("GITHUB_EVENT_PATH") else { return Ok(None) };
        let bytes = std::fs::read(event).map_err(|source| GitError::Io { path: event.to_owned(), source })?;
        let event: Value = serde_json::from_slice(&bytes).map_err(|error| GitError::NothingToCompare {
            reason: format!("the event file of GITHUB_EVENT_PATH is no JSON: {error}"),
            help: "GitHub writes this file itself; pass `--base REV` instead".to_owned(),
        })?;
        for (name, value) in [("merge_group.base_sha", &event["merge_group"]["base_sha"]), ("before", &event["before"])]
        {
            match value.as_str() {
                Some(sha) if is_zero(sha) => self.tried.push(format!("github.event.{name} (all zeros: a new branch)")),
                Some(sha) => {
                    let tip = self.repository.commit(sha, &format!("github.event.{name}"))?;
                    let base = self.merge_base(tip, format!("github.event.{name}"))?;
                    let reference = event["merge_group"]["base_ref"].as_str().or(self.environment.get("GITHUB_REF"));
                    let branch = reference.and_then(|reference| reference.strip_prefix("refs/heads/"));
                    return Ok(Some(base.of_branch(branch.map(Branch::local))));
                }
                None => {}
            }
        }
        match event["repository"]["default_branch"].as_str() {
            Some(branch) => self.remote_branch(&format!("origin/{branch}")),
            None => Ok(None),
        }
    }

    fn gitlab(&mut self) -> Rung {
        let Some(sha) = self.environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA").filter(|sha| !is_zero(sha)) else {
            self.tried.push("CI_MERGE_REQUEST_DIFF_BASE_SHA (unset: no merge request)".to_owned());
            return Ok(None);
        };
        // The target branch may have moved on; merged results pipelines know how far.
        let of_target = "CI_MERGE_REQUEST_TARGET_BRANCH_SHA";
        let target = self.environment.get(of_target).and_then(|sha| self.repository.commit(sha, of_target).ok());
        if let Some(target) = target
            && self.repository.inner.graph_descendant_of(self.head, target).doing("looking for the merge base")?
        {
            return self.merge_base(target, of_target.to_owned()).map(Some);
        }
        let base = self.repository.commit(sha, "CI_MERGE_REQUEST_DIFF_BASE_SHA")?;
        Ok(Some(match self.merge_base(base, "CI_MERGE_REQUEST_DIFF_BASE_SHA".to_owned())? {
            Base::Commit(found) => Base::Commit(Comparison { tip: target.unwrap_or(found.tip), ..found }),
            other => other,
        }))
    }

    /// The base branch of a clone that a person works in.
    fn branches(&mut self) -> Rung {
        let Found { candidates, newest, absent } = self.search()?;
        self.tried.extend(absent);
        if let Some(newest) = newest.map(|index| &candidates[index])
            && let Some(merge_base) = newest.merge_base()
        {
            let source = format!("merge base with {}", newest.branch.shown);
            let branch = Some(newest.branch.clone());
            let found = Comparison::between(merge_base, newest.tip, source);
            return Ok(Some(Base::Commit(Comparison { candidates, branch, ..found })));
        }
        let mut is_unrelated = false;
        for candidate in &candidates {
            is_unrelated |= candidate.standing == Standing::Unrelated;
            let why = match candidate.standing {
                Standing::No(why) => why,
                Standing::Unrelated | Standing::Left(_) => "no common ancestor with HEAD",
            };
            self.tried.push(format!("merge base with {} ({why})", candidate.branch.shown));
        }
        // A branch that cannot be compared with is no reason to compare with nothing.
        if is_unrelated { Err(self.no_base()) } else { Ok(None) }
    }

    fn search(&self) -> Result<Found, GitError> {
        let current = self.current_branch();
        let is_in_ci = self.environment.ci().is_some();
        Search { repository: self.repository, heads: &self.heads, current: current.as_deref(), is_in_ci }.run()
    }

    /// In a pre-push hook this is the last pushed commit, in which the bump may lie already: the last resort.
    fn pre_commit(&mut self) -> Rung {
        match self.environment.get("PRE_COMMIT_FROM_REF") {
            None => Ok(None),
            Some(revision) if is_zero(revision) => {
                self.tried.push("PRE_COMMIT_FROM_REF (all zeros: a new branch)".to_owned());
                Ok(None)
            }
            Some(revision) => self.named(revision, "PRE_COMMIT_FROM_REF").map(Some),
        }
    }

    fn remote_branch(&mut self, name: &str) -> Rung {
        let found = self.repository.inner.find_branch(name, BranchType::Remote);
        match found.and_then(|branch| branch.get().peel_to_commit()) {
            Ok(tip) => {
                let base = self.merge_base(tip.id(), format!("merge base with {name}"))?;
                Ok(Some(base.of_branch(Some(Branch::of_remote(name)))))
            }
            Err(error) if error.code() == ErrorCode::NotFound => {
                self.tried.push(name.to_owned());
                Ok(None)
            }
            Err(source) => Err(GitError::Git { doing: "reading a branch", source }),
        }
    }

    /// The branch that is judged: the current one, or the one that is pushed.
    fn current_branch(&self) -> Option<String> {
        if let Some(pushed) = self.environment.get("PRE_COMMIT_LOCAL_BRANCH")
            && let Some(branch) = pushed.strip_prefix("refs/heads/")
        {
            return Some(branch.to_owned());
        }
        Some(self.repository.current_branch()?.name.to_string())
    }

    fn first_parent(&mut self, source: &str) -> Rung {
        let commit = self.repository.inner.find_commit(self.head).doing("reading HEAD")?;
        match commit.parent_id(0) {
            Ok(parent) if self.repository.inner.find_commit(parent).is_ok() => {
                Ok(Some(Base::Commit(Comparison::at(parent, source))))
            }
            _ => {
                self.tried.push(source.to_owned());
                Err(self.no_base())
            }
        }
    }

    fn merge_base(&mut self, tip: Oid, source: String) -> Result<Base, GitError> {
        if let Some(merge_base) = self.repository.merge_base(tip, &self.heads)? {
            return Ok(Base::Commit(Comparison::between(merge_base, tip, source)));
        }
        self.tried.push(format!("{source} (no common ancestor with HEAD)"));
        Err(self.no_base())
    }

    /// In CI a commit that is its own base means that the clone is not what it should be: a naive comparison would find no
    /// change and pass.
    fn refuse_an_empty_comparison(&self, base: &Base, head: &Head, explicit: Option<&str>) -> Result<(), GitError> {
        let Some(ci) = self.environment.ci() else { return Ok(()) };
        let Base::Commit(Comparison { merge_base, source, .. }) = base else { return Ok(()) };
        if *merge_base != self.head || !matches!(head, Head::Commit(_)) {
            return Ok(());
        }
        let is_named = explicit.is_some() || self.environment.get("IMGLINT_BASE").is_some();
        let help = if self.repository.inner.is_shallow() {
            self.way_out()
        } else if is_named {
            "name the commit that the change was begun on, not the change itself, or judge everything with `--all`"
        } else if ci == Ci::Prow {
            "the pull request is not merged into this clone: let Prow clone the repository (`decorate: true`, no \
             `skip_cloning`), or judge everything with `--all`"
        } else {
            "check out the change, name its base with `--base REV`, or judge everything with `--all`"
        };
        let reason = format!("HEAD is its own base {} ({source})", short(*merge_base));
        Err(GitError::NothingToCompare { reason, help: help.to_owned() })
    }

    fn no_base(&self) -> GitError {
        let mut tried = self.tried.clone();
        if tried.is_empty() {
            tried.push("nothing that this environment names".to_owned());
        }
        GitError::NoBase { tried, shallow: self.repository.inner.is_shallow(), help: self.way_out().to_owned() }
    }

    /// How this clone can be given a base, in this CI.
    fn way_out(&self) -> &'static str {
        match (self.environment.ci(), self.repository.inner.is_shallow()) {
            (Some(Ci::Prow), _) => {
                "let Prow clone the whole history: remove `clone_depth` and `skip_cloning` from the job, and run imglint in the \
                 repository under test"
            }
            (Some(Ci::GitHub), _) => {
                "give actions/checkout the history: `with: {fetch-depth: 0}`; where there is no pull request, `--base REV` \
                 or `--all`"
            }
            (Some(Ci::GitLab), _) => {
                "set `GIT_DEPTH: 0` for this job and run it in merge request pipelines; elsewhere `--base REV` or `--all`"
            }
            (_, true) => "fetch the history: git fetch --unshallow",
            (_, false) => "name the base branch with `--base REV` or IMGLINT_BASE, or judge everything with `--all`",
        }
    }
}

/// Prow's description of a job, if it set one.
fn job_spec(environment: &Environment) -> Result<Value, GitError> {
    let spec = environment.get("JOB_SPEC").map_or(Ok(Value::Null), serde_json::from_str);
    spec.map_err(|error| GitError::NothingToCompare {
        reason: format!("JOB_SPEC is no JSON: {error}"),
        help: "Prow sets JOB_SPEC itself; unset it where imglint is run by hand".to_owned(),
    })
}

fn job_type(spec: &Value, environment: &Environment) -> String {
    let variable = environment.get("JOB_TYPE").map(str::to_owned);
    variable.or_else(|| text(&spec["type"])).unwrap_or_else(|| "presubmit".to_owned())
}

/// The base of `branch:sha,number:sha…`: its first entry.
fn base_of_refs(refs: &str) -> Option<&str> {
    let (_, sha) = refs.split(',').next()?.split_once(':')?;
    sha.split(':').next().filter(|sha| !sha.is_empty())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Whether GitHub's queue tests what it is about to merge.
pub(super) fn is_merge_group(environment: &Environment) -> bool {
    environment.ci() == Some(Ci::GitHub) && environment.get("GITHUB_EVENT_NAME") == Some("merge_group")
}

/// Whether Prow tests several pull requests at once.
pub(super) fn is_batch(environment: &Environment) -> Result<bool, GitError> {
    Ok(environment.ci() == Some(Ci::Prow) && job_type(&job_spec(environment)?, environment) == "batch")
}
