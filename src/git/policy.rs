//! Where policy is read from. It may be the change's own: so links are not followed, and no more is read than of other files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::Oid;

use super::base::Base;
use super::error::{Doing, GitError, of_file};
use super::head::Head;
use super::repository::Repository;
use crate::path::{directories_above, without_directory};
use crate::snapshot::{Content, Entries, FileKind, MAX_FILE, ReadError, Scope, Snapshot};

/// A tree that policy is read from: configuration and packs.
pub enum PolicyTree {
    /// This tree of a commit.
    Commit(Oid),
    /// What the next commit would hold.
    Index,
    /// The files on disk.
    Disk(PathBuf),
}

impl PolicyTree {
    /// The bytes of a file; `None` where there is none. Links are not followed.
    pub fn file(&self, repository: &Repository, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        if let Self::Disk(root) = self {
            let file = plain_file(root, path)?;
            if file.is_some() || !repository.is_sparse() {
                return Ok(file);
            }
        }
        if let Some(pinned) = self.pinned(repository, path)? {
            return pinned.file(path);
        }
        let objects = repository.objects()?;
        let files = Snapshot::new(self.entries(repository, &one(path))?, Arc::new(objects));
        let text = files.text(path)?.transpose();
        let text = text.map_err(|why| GitError::Policy { path: path.to_owned(), why })?;
        Ok(text.map(|text| text.bytes().to_vec()))
    }

    /// Whether there is such a file. Its content is not read.
    pub fn has(&self, repository: &Repository, path: &str) -> Result<bool, GitError> {
        Ok(!self.present(repository, &[path])?.is_empty())
    }

    /// Which of these files there are. Their contents are not read.
    pub fn present<'p>(&self, repository: &Repository, paths: &[&'p str]) -> Result<Vec<&'p str>, GitError> {
        let (mut present, mut others) = (Vec::new(), Vec::new());
        for path in paths.iter().copied() {
            match self {
                Self::Disk(root) if root.join(path).is_file() => present.push(path),
                _ => others.push(path),
            }
        }
        if others.is_empty() || matches!(self, Self::Disk(_)) && !repository.is_sparse() {
            return Ok(present);
        }
        let files = others.iter().copied().map(str::to_owned).collect();
        let entries = self.entries(repository, &Scope { files, ..Scope::default() })?;
        present.extend(others.into_iter().filter(|path| entries.contains_key(path)));
        Ok(present)
    }

    /// The names of the files that lie directly in a directory, sorted; none where there is no such directory.
    pub fn list(&self, repository: &Repository, directory: &str) -> Result<Vec<String>, GitError> {
        let mut names = Vec::new();
        if let Self::Disk(root) = self {
            match std::fs::read_dir(root.join(directory)) {
                Ok(entries) => {
                    for entry in entries {
                        let entry = entry.map_err(of_file(directory))?;
                        if !entry.file_type().map_err(of_file(directory))?.is_dir() {
                            names.extend(entry.file_name().into_string().ok());
                        }
                    }
                }
                Err(error) if is_absent(&error) => {}
                Err(source) => return Err(of_file(directory)(source)),
            }
        } else if let Some(pinned) = self.pinned(repository, directory)? {
            names = pinned.list(directory)?;
        } else {
            let scope = Scope { directories: vec![directory.to_owned()], ..Scope::default() };
            let entries = self.entries(repository, &scope)?;
            let below = entries.keys().filter_map(|path| path.strip_prefix(directory)?.strip_prefix('/'));
            names.extend(below.filter(|name| !name.contains('/')).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// The submodule that a path lies in, as the tree pins it; `None` where it lies in none.
    fn pinned(&self, repository: &Repository, path: &str) -> Result<Option<Pinned>, GitError> {
        if !path.contains('/') {
            return Ok(None);
        }
        let files = std::iter::once(path).chain(directories_above(path)).map(str::to_owned).collect();
        let entries = self.entries(repository, &Scope { files, ..Scope::default() })?;
        for (above, entry) in entries.iter() {
            if entry.kind == FileKind::Submodule
                && let Content::Object(id) = &entry.content
            {
                return Pinned::open(repository, above, Oid::from_bytes(id).doing("reading a submodule")?).map(Some);
            }
        }
        Ok(None)
    }

    fn entries(&self, repository: &Repository, scope: &Scope) -> Result<Entries, GitError> {
        match self {
            Self::Commit(tree) => repository.objects()?.list(*tree, scope),
            Self::Index => repository.staged(&Entries::new(), scope, true),
            // What a sparse checkout left out is there all the same.
            Self::Disk(_) => repository.staged(&Entries::new(), scope, false),
        }
    }
}

/// A submodule at the commit that a tree names.
struct Pinned {
    inner: git2::Repository,
    /// Where it lies in the repository.
    path: Arc<str>,
    commit: Oid,
}

impl Pinned {
    fn open(repository: &Repository, path: &Arc<str>, commit: Oid) -> Result<Self, GitError> {
        let root = repository.root().ok_or(GitError::Bare("working tree"))?;
        let opened = git2::Repository::open(root.join(&**path)).ok();
        let inner = opened.filter(|inner| inner.find_commit(commit).is_ok());
        let inner = inner.ok_or_else(|| GitError::Submodule { path: path.to_string(), commit: commit.to_string() })?;
        Ok(Self { inner, path: Arc::clone(path), commit })
    }

    /// What lies at a path of the repository that contains it.
    fn object(&self, path: &str) -> Result<Option<git2::Object<'_>>, GitError> {
        let tree = self.inner.find_commit(self.commit).and_then(|commit| commit.tree()).doing("reading a submodule")?;
        let below = without_directory(path, &self.path);
        if below.is_empty() || *path == *self.path {
            return Ok(Some(tree.into_object()));
        }
        match tree.get_path(Path::new(below)).and_then(|entry| entry.to_object(&self.inner)) {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(source) => Err(GitError::Git { doing: "reading a submodule", source }),
        }
    }

    fn file(&self, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let blob = self.object(path)?.and_then(|object| object.into_blob().ok());
        match blob {
            Some(blob) if blob.size() > MAX_FILE => {
                Err(GitError::Policy { path: path.to_owned(), why: ReadError::TooLarge })
            }
            blob => Ok(blob.map(|blob| blob.content().to_vec())),
        }
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, GitError> {
        let mut names = Vec::new();
        if let Some(tree) = self.object(directory)?.and_then(|object| object.into_tree().ok()) {
            for entry in tree.iter().filter(|entry| entry.kind() == Some(git2::ObjectType::Blob)) {
                names.extend(entry.name().map(str::to_owned));
            }
        }
        Ok(names)
    }
}

fn one(path: &str) -> Scope {
    Scope { files: vec![path.to_owned()], ..Scope::default() }
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// Reads a file of the working tree; `None` where there is none.
fn plain_file(root: &Path, path: &str) -> Result<Option<Vec<u8>>, GitError> {
    let file = root.join(path);
    let metadata = match std::fs::symlink_metadata(&file) {
        Err(error) if is_absent(&error) => return Ok(None),
        metadata => metadata.map_err(of_file(path))?,
    };
    // A directory on the way may be a link, too.
    let directory = file.parent().unwrap_or(root).canonicalize().map_err(of_file(path))?;
    if metadata.is_symlink() || !directory.starts_with(root.canonicalize().map_err(of_file(path))?) {
        let target = file.read_link().unwrap_or(directory);
        let why = ReadError::Link(target.display().to_string());
        return Err(GitError::Policy { path: path.to_owned(), why });
    }
    if !metadata.is_file() {
        return Err(of_file(path)(std::io::Error::other("it is no file")));
    }
    if metadata.len() > MAX_FILE as u64 {
        return Err(GitError::Policy { path: path.to_owned(), why: ReadError::TooLarge });
    }
    std::fs::read(&file).map(Some).map_err(of_file(path))
}

impl Repository {
    /// Whether the working tree need not hold all files.
    fn is_sparse(&self) -> bool {
        let is_set = self.inner.config().and_then(|config| config.get_bool("core.sparsecheckout"));
        is_set.unwrap_or(false)
    }

    /// The tree of head that policy may be read from.
    pub fn policy_of_head(&self, head: &Head) -> Result<PolicyTree, GitError> {
        match head {
            Head::Commit(_) => {
                let commit = self.resolve_head(head)?.ok_or(GitError::Unborn)?;
                Ok(PolicyTree::Commit(self.tree_id(commit)?))
            }
            Head::Index => Ok(PolicyTree::Index),
            Head::Worktree => Ok(PolicyTree::Disk(self.root().ok_or(GitError::Bare("working tree"))?.to_owned())),
        }
    }

    /// The tree of the base that policy is read from in CI; `None` where the base is no commit.
    pub fn policy_of_base(&self, base: &Base) -> Result<Option<PolicyTree>, GitError> {
        base.revision().map(|commit| self.tree_id(commit).map(PolicyTree::Commit)).transpose()
    }
}
