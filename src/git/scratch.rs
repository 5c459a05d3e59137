//! Small repositories made from nothing, for the demo. No git program is needed.

use std::path::Path;

use git2::{RepositoryInitOptions, Signature};

use super::error::{Doing, GitError, of_file};

/// A repository that is being made.
pub struct Scratch {
    inner: git2::Repository,
}

impl Scratch {
    /// Makes an empty repository whose first branch is `main`.
    pub fn new(directory: &Path) -> Result<Self, GitError> {
        let mut options = RepositoryInitOptions::new();
        options.initial_head("main").external_template(false);
        let inner = git2::Repository::init_opts(directory, &options).doing("making a repository")?;
        Ok(Self { inner })
    }

    /// Writes files into the working tree.
    pub fn write(&self, files: &[(&str, &str)]) -> Result<(), GitError> {
        let root = self.inner.workdir().unwrap_or(Path::new("."));
        for (path, text) in files {
            let file = root.join(path);
            if let Some(directory) = file.parent() {
                std::fs::create_dir_all(directory).map_err(of_file(path))?;
            }
            std::fs::write(&file, text).map_err(of_file(path))?;
        }
        Ok(())
    }

    /// Commits everything.
    pub fn commit(&self, message: &str) -> Result<(), GitError> {
        self.try_commit(message).doing("making a commit")
    }

    fn try_commit(&self, message: &str) -> Result<(), git2::Error> {
        let mut index = self.inner.index()?;
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None)?;
        index.write()?;
        let tree = self.inner.find_tree(index.write_tree()?)?;
        let author = Signature::now("imglint", "imglint@example.com")?;
        let parent = self.inner.head().and_then(|head| head.peel_to_commit()).ok();
        let parents: Vec<_> = parent.iter().collect();
        self.inner.commit(Some("HEAD"), &author, &author, message, &tree, &parents)?;
        Ok(())
    }

    /// Begins a branch here and goes on with it.
    pub fn branch(&self, name: &str) -> Result<(), GitError> {
        self.try_branch(name).doing("making a branch")
    }

    fn try_branch(&self, name: &str) -> Result<(), git2::Error> {
        let commit = self.inner.head()?.peel_to_commit()?;
        self.inner.branch(name, &commit, false)?;
        self.inner.set_head(&format!("refs/heads/{name}"))
    }
}
