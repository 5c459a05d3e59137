//! The variables that imglint was started with, and the CI system that they speak of.

use std::collections::BTreeMap;

/// Environment variables. Empty ones count as unset, as CI systems clear variables by emptying them.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// The system that runs imglint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ci {
    /// Kubernetes' Prow.
    Prow,
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// Another system that sets `CI`.
    Other,
}

impl Environment {
    /// The variables of this process. Those whose name or value is no UTF-8 are left out.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable, unless it is unset or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The names of all that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether a variable is set, if only to nothing.
    pub fn is_set(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The same variables with one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The pull request that the CI system runs for, as people write it: `#123`, or `!123` in GitLab.
    pub fn pull_request(&self) -> Option<String> {
        let number = match self.ci()? {
            Ci::Prow => self.get("PULL_NUMBER")?,
            Ci::GitLab => return self.get("CI_MERGE_REQUEST_IID").map(|number| format!("!{number}")),
            Ci::GitHub => {
                let name = self.get("GITHUB_REF")?;
                let of_pull = name.strip_prefix("refs/pull/").and_then(|rest| rest.strip_suffix("/merge"));
                // A queue names its branches after what it is about to merge: pr-123-<commit>.
                let of_queue = || name.rsplit_once("/pr-").and_then(|(_, rest)| rest.split('-').next());
                of_pull.or_else(of_queue)?
            }
            Ci::Other => return None,
        };
        Some(format!("#{number}"))
    }

    fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !matches!(value, "false" | "0"))
    }

    /// The CI system, if any.
    pub fn ci(&self) -> Option<Ci> {
        if self.get("PROW_JOB_ID").is_some() || self.get("JOB_SPEC").is_some() {
            Some(Ci::Prow)
        } else if self.is_on("GITHUB_ACTIONS") {
            Some(Ci::GitHub)
        } else if self.is_on("GITLAB_CI") {
            Some(Ci::GitLab)
        } else if self.is_on("CI") {
            Some(Ci::Other)
        } else {
            None
        }
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}
