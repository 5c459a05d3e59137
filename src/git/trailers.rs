//! Lines of commits' messages that speak to programs.

use std::sync::Arc;

use git2::Oid;

use super::base::{Base, Comparison, short};
use super::error::{Doing, GitError};
use super::head::Head;
use super::repository::Repository;
use crate::text::{Span, Text};

/// A line at the end of a commit's message that speaks to programs.
pub struct Trailer {
    /// What the message is called, as in `commit 1234abcd`.
    pub source: String,
    /// Its message.
    pub message: Arc<Text>,
    /// Where in it the trailer stands.
    pub span: Span,
    /// What stands behind its key.
    pub value: String,
}

impl Repository {
    /// The trailers of one key in the messages of the commits of a change.
    pub fn trailers(&self, base: &Base, head: &Head, key: &str) -> Result<Vec<Trailer>, GitError> {
        let (Base::Commit(Comparison { merge_base, .. }), Some(head)) = (base, self.resolve_head(head)?) else {
            return Ok(Vec::new());
        };
        self.trailers_between(*merge_base, head, key)
    }

    /// The lines with a key in the messages of the commits of a change that are no trailers, for they stand outside of the last paragraph,
    /// or among other things. The commit and the line.
    pub fn stray_trailers(&self, base: &Base, head: &Head, key: &str) -> Result<Vec<(String, String)>, GitError> {
        let (Base::Commit(Comparison { merge_base, .. }), Some(head)) = (base, self.resolve_head(head)?) else {
            return Ok(Vec::new());
        };
        let mut stray = Vec::new();
        if *merge_base == head {
            return Ok(stray);
        }
        for id in self.commits_between(*merge_base, head)? {
            let commit = self.inner.find_commit(id).doing("walking the change")?;
            let message = String::from_utf8_lossy(commit.message_bytes());
            let like: Vec<&str> = message.lines().filter(|line| has_key(line, key)).collect();
            let trailers = if like.is_empty() { 0 } else { values(&message, key)?.len() };
            for line in &like[..like.len() - trailers.min(like.len())] {
                stray.push((short(id), (*line).to_owned()));
            }
        }
        Ok(stray)
    }

    /// The trailers of one key in a message that is to be committed, once git has taken the comments out of it.
    pub fn trailers_of_message(name: &str, message: &str, key: &str) -> Result<Vec<Trailer>, GitError> {
        const SCISSORS: &str = "# ------------------------ >8 ------------------------";
        let message = message.split(SCISSORS).next().unwrap_or_default();
        let message = git2::message_prettify(message, Some(b'#')).doing("reading the message of the commit")?;
        trailers_in(name, &message, key)
    }

    /// The trailers of one key in the messages of the commits that `head` holds and `base` does not.
    pub(super) fn trailers_between(&self, base: Oid, head: Oid, key: &str) -> Result<Vec<Trailer>, GitError> {
        if base == head {
            return Ok(Vec::new());
        }
        let mut trailers = Vec::new();
        for id in self.commits_between(base, head)? {
            let commit = self.inner.find_commit(id).doing("walking the change")?;
            let message = String::from_utf8_lossy(commit.message_bytes());
            trailers.extend(trailers_in(&format!("commit {}", short(id)), &message, key)?);
        }
        Ok(trailers)
    }

    /// The commits that `head` holds and `base` does not.
    pub(super) fn commits_between(&self, base: Oid, head: Oid) -> Result<Vec<Oid>, GitError> {
        const DOING: &str = "walking the change";
        let commit = self.inner.find_commit(head).doing(DOING)?;
        // Of a single commit nothing else need be here: its history may be cut.
        if commit.parent_count() == 1 && commit.parent_id(0).is_ok_and(|parent| parent == base) {
            return Ok(vec![head]);
        }
        let mut walk = self.inner.revwalk().doing(DOING)?;
        walk.push(head).doing(DOING)?;
        walk.hide(base).doing(DOING)?;
        walk.map(|id| id.doing(DOING)).collect()
    }
}

/// The values of the trailers of one key, as git reads them.
fn values(message: &str, key: &str) -> Result<Vec<String>, GitError> {
    let found = git2::message_trailers_strs(message).doing("reading the trailers of a commit")?;
    let of_key = found.iter().filter(|(found, _)| found.eq_ignore_ascii_case(key));
    Ok(of_key.map(|(_, value)| value.to_owned()).collect())
}

/// Whether a line looks like a trailer of a key.
fn has_key(line: &str, key: &str) -> bool {
    line.split_once(':').is_some_and(|(found, _)| found.trim_end().eq_ignore_ascii_case(key))
}

/// The trailers of one key in a message, with their places.
fn trailers_in(source: &str, message: &str, key: &str) -> Result<Vec<Trailer>, GitError> {
    let values = values(message, key)?;
    if values.is_empty() {
        return Ok(Vec::new());
    }
    // Trailers stand at the end: of the lines that look like them it is the last ones.
    let message = Arc::new(Text::from(message));
    let lines: Vec<Span> = message.lines().filter(|(_, line)| has_key(line, key)).map(|(span, _)| span).collect();
    let spans = &lines[lines.len().saturating_sub(values.len())..];
    let mut trailers = Vec::new();
    for (span, value) in spans.iter().cloned().zip(values) {
        trailers.push(Trailer { source: source.to_owned(), message: Arc::clone(&message), span, value });
    }
    Ok(trailers)
}
