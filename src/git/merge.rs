//! What git merges when it asks a merge driver: the files, and the commits that they come from.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use git2::Oid;

use super::error::GitError;
use super::head::Head;
use super::repository::Repository;
use crate::environment::Environment;

/// What git says to a merge driver: <https://git-scm.com/docs/gitattributes#_defining_a_custom_merge_driver>.
#[derive(Debug, Clone)]
pub struct Merging {
    /// The common ancestor's version of the file.
    pub ancestor: PathBuf,
    /// The current version, in the place of which the merged one is put.
    pub ours: PathBuf,
    /// The other branch's version.
    pub theirs: PathBuf,
    /// What the sides are called.
    pub names: Names,
    /// The size of conflict marks.
    pub marker_size: usize,
}

/// What git calls the sides of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The common ancestor.
    pub ancestor: String,
    /// What is merged into.
    pub ours: String,
    /// What is merged.
    pub theirs: String,
}

/// What git makes of three files by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedFile {
    /// What the merge made of the file, with its marks if conflicts are left.
    pub bytes: Vec<u8>,
    /// Whether it has conflicts.
    pub has_conflicts: bool,
}

/// The trees that a merge is made of, as far as they are commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergingTrees {
    /// The commit that is merged.
    pub theirs: Head,
    /// The common ancestor.
    pub ancestor: Head,
}

/// The exit code with which git refuses options that it does not know.
const USAGE: i32 = 129;

/// The exit codes of `git merge-file` that count conflicts end here: there may be more.
const MOST_CONFLICTS: i32 = 127;

impl Merging {
    /// Merges the files as git does if nobody tells it otherwise: by the algorithm of its own merges, where it knows that option.
    pub fn merge(&self) -> Result<MergedFile, GitError> {
        let merged = self.merge_file(&["--diff-algorithm=histogram"])?;
        let merged = if merged.0 == Some(USAGE) { self.merge_file(&[])? } else { merged };
        match merged {
            (Some(code @ 0..=MOST_CONFLICTS), bytes, _) => Ok(MergedFile { bytes, has_conflicts: code > 0 }),
            (_, _, reason) => Err(GitError::MergeFile { reason }),
        }
    }

    /// The exit code, what was printed, and what was said.
    fn merge_file(&self, options: &[&str]) -> Result<(Option<i32>, Vec<u8>, String), GitError> {
        let Names { ancestor, ours, theirs } = &self.names;
        let size = format!("--marker-size={}", self.marker_size);
        let mut command = Command::new("git");
        command.args(["merge-file", "-p", "-q", &size]).args(options);
        command.args(["-L", ours, "-L", ancestor, "-L", theirs]).args([&self.ours, &self.ancestor, &self.theirs]);
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| GitError::MergeFile { reason: error.to_string() })?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok((output.status.code(), output.stdout, said))
    }

    /// Puts the merged file where git looks for it.
    pub fn write(&self, bytes: &[u8]) -> Result<(), GitError> {
        let failed = |source| GitError::Io { path: self.ours.display().to_string(), source };
        std::fs::write(&self.ours, bytes).map_err(failed)
    }
}

/// What is known of the sides of a file, to tell commits that hold it.
#[derive(Debug, Clone, Copy)]
pub struct MergedPath<'a> {
    /// Its path in the repository.
    pub path: &'a str,
    /// The three versions.
    pub merging: &'a Merging,
}

impl Repository {
    /// The commits that are merged, where they can be told: git says what they are called, and their files are those that it hands
    /// over.
    pub fn merging_trees(&self, file: MergedPath<'_>, environment: &Environment) -> Option<MergingTrees> {
        let head = self.head_commit().ok()??;
        for (theirs, ancestor) in self.merging_commits(head, file.merging, environment) {
            let is_it = self.holds(head, file.path, &file.merging.ours)
                && self.holds(theirs, file.path, &file.merging.theirs)
                && self.holds(ancestor, file.path, &file.merging.ancestor);
            if is_it {
                let [theirs, ancestor] = [theirs, ancestor].map(|commit| Head::Commit(commit.to_string()));
                return Some(MergingTrees { theirs, ancestor });
            }
        }
        None
    }

    /// What may be merged, each with the common ancestor: `git merge` names it in a variable, picks and reverts by its title, and
    /// `git stash` has one name for all.
    fn merging_commits(&self, head: Oid, merging: &Merging, environment: &Environment) -> Vec<(Oid, Oid)> {
        let mut found = Vec::new();
        for id in environment.names().filter_map(|name| name.strip_prefix("GITHEAD_")) {
            if let Ok(theirs) = Oid::from_str(id)
                && let Ok(Some(ancestor)) = self.merge_base(head, &[theirs])
            {
                found.push((theirs, ancestor));
            }
        }
        let name = merging.names.theirs.as_str();
        let picked = self.titled(name).and_then(|commit| Some((commit, self.parent(commit)?)));
        let reverted = name.strip_prefix("parent of ").and_then(|name| self.titled(name));
        let reverted = reverted.and_then(|commit| Some((self.parent(commit)?, commit)));
        let stashed = self.commit("refs/stash", "refs/stash").ok().filter(|_| name == "Stashed changes");
        let stashed = stashed.and_then(|commit| Some((commit, self.parent(commit)?)));
        found.extend([picked, reverted, stashed].into_iter().flatten());
        found
    }

    /// The commit that a line such as `abc1234 (its title)` names.
    fn titled(&self, name: &str) -> Option<Oid> {
        let id = name.split(' ').next()?;
        let is_id = id.len() >= 4 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.commit(id, "the merge").ok().filter(|_| is_id)
    }

    fn parent(&self, commit: Oid) -> Option<Oid> {
        self.inner.find_commit(commit).ok()?.parent_id(0).ok()
    }

    /// Whether a commit has a file of this content.
    fn holds(&self, commit: Oid, path: &str, file: &Path) -> bool {
        let tree = self.inner.find_commit(commit).and_then(|commit| commit.tree());
        let entry = tree.and_then(|tree| tree.get_path(Path::new(path)));
        let Ok(bytes) = std::fs::read(file) else { return false };
        let id = Oid::hash_object(git2::ObjectType::Blob, &bytes);
        matches!((entry, id), (Ok(entry), Ok(id)) if entry.id() == id)
    }
}

/// A merge driver in git's configuration.
#[derive(Debug, Clone, Copy)]
pub struct MergeDriver {
    /// What the attribute `merge` calls it.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The command that git calls.
    pub command: &'static str,
    /// What merges common ancestors.
    pub recursive: &'static str,
}

impl MergeDriver {
    fn keys(&self) -> [(String, &'static str); 3] {
        let Self { name, title, command, recursive } = self;
        [("name", *title), ("driver", *command), ("recursive", *recursive)]
            .map(|(key, value)| (format!("merge.{name}.{key}"), value))
    }
}

impl Repository {
    /// Writes a merge driver into the repository's own configuration.
    pub fn set_merge_driver(&self, driver: &MergeDriver) -> Result<(), GitError> {
        let mut config = self.local_config()?;
        for (key, value) in driver.keys() {
            config
                .set_str(&key, value)
                .map_err(|source| GitError::Git { doing: "writing its configuration", source })?;
        }
        Ok(())
    }

    /// Takes a merge driver out of it again; tells whether it was there.
    pub fn unset_merge_driver(&self, driver: &MergeDriver) -> Result<bool, GitError> {
        let mut config = self.local_config()?;
        let mut was_there = false;
        for (key, _) in driver.keys() {
            match config.remove(&key) {
                Ok(()) => was_there = true,
                Err(error) if error.code() == git2::ErrorCode::NotFound => {}
                Err(source) => return Err(GitError::Git { doing: "writing its configuration", source }),
            }
        }
        Ok(was_there)
    }

    fn local_config(&self) -> Result<git2::Config, GitError> {
        let config = self.inner.config().and_then(|config| config.open_level(git2::ConfigLevel::Local));
        config.map_err(|source| GitError::Git { doing: "reading its configuration", source })
    }

    /// What the attribute `merge` of a file names, if it names anything.
    pub fn merge_attribute(&self, path: &str) -> Option<String> {
        match self.attribute(path, "merge") {
            git2::AttrValue::String(name) => Some(name.to_owned()),
            git2::AttrValue::True => Some("text".to_owned()),
            git2::AttrValue::False => Some("binary".to_owned()),
            git2::AttrValue::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            git2::AttrValue::Unspecified => None,
        }
    }
}
