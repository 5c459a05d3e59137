//! Opening a repository as git itself does: with its variables, its configuration and its trust.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;

use git2::{Config, ConfigLevel, ErrorCode, RepositoryOpenFlags};
use tempfile::TempDir;

use super::error::{Doing, GitError, of_file};
use crate::environment::Environment;

/// Variables that speak of one repository. One that the user names is another.
const OF_ONE_REPOSITORY: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
];

/// Extensions of repositories that libgit2 does not know, and that change nothing of what is read here: that objects are missing is
/// met where they are read, and how references are stored is looked at below.
const EXTENSIONS: [&str; 3] = ["partialclone", "refstorage", "compatobjectformat"];

/// An opened repository.
pub(super) struct Opened {
    pub(super) repository: git2::Repository,
    /// Files with the configuration that variables hold, as long as they may be read.
    pub(super) configuration: Option<TempDir>,
}

/// Whether git reads a repository that belongs to somebody else.
enum Trust {
    Given,
    /// Git calls the repository by this path.
    Refused(PathBuf),
    /// Git could not be asked.
    Unknown,
}

/// Opens the repository that holds `directory`, or the one that git's own variables name if no directory is given.
pub(super) fn open(directory: Option<&Path>, environment: &Environment) -> Result<Opened, GitError> {
    teach_extensions();
    // Like git itself, take an object for what its name says: whether it is whole is for `git fsck` to tell.
    git2::opts::strict_hash_verification(false);
    let here = directory.unwrap_or(Path::new("."));
    let repository = match open_once(directory, environment) {
        Err(error) if error.code() == ErrorCode::Owner => match trust(directory) {
            Trust::Given => {
                let _guard = EveryOwner::accept();
                open_once(directory, environment).map_err(|error| open_error(&error, here))?
            }
            Trust::Refused(path) => return Err(GitError::Owner(path)),
            Trust::Unknown => return Err(open_error(&error, here)),
        },
        opened => opened.map_err(|error| open_error(&error, here))?,
    };
    refuse_other_references(&repository)?;
    let configuration = configure(&repository, directory, environment)?;
    Ok(Opened { repository, configuration })
}

/// Why a repository could not be opened.
pub(super) fn open_error(error: &git2::Error, path: &Path) -> GitError {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match error.code() {
        ErrorCode::NotFound => GitError::NoRepository(path),
        ErrorCode::Owner => {
            // libgit2 names the directory that it refuses, between quotes.
            let named = error.message().split('\'').nth(1).map(PathBuf::from);
            GitError::Owner(named.map_or(path, |named| named.components().collect()))
        }
        _ => GitError::Unsupported { path, reason: error.message().to_owned() },
    }
}

fn open_once(directory: Option<&Path>, environment: &Environment) -> Result<git2::Repository, git2::Error> {
    // With its variables: of an object database that a push is held back in, of configuration, and of the working tree.
    let mut flags = RepositoryOpenFlags::FROM_ENV;
    if directory.is_none() && environment.get("GIT_DIR").is_some() {
        let repository = git2::Repository::open_from_env()?;
        let is_named = environment.get("GIT_WORK_TREE").is_some()
            || repository.config().is_ok_and(|config| config.get_path("core.worktree").is_ok());
        if !is_named && !repository.is_bare() && !repository.is_worktree() {
            repository.set_workdir(Path::new("."), false)?;
        }
        return Ok(repository);
    }
    if directory.is_some() && OF_ONE_REPOSITORY.iter().any(|name| environment.get(name).is_some()) {
        flags = RepositoryOpenFlags::empty();
    }
    // Not `discover`: that forgets the working tree of a repository that lies elsewhere.
    let repository = git2::Repository::open_ext(directory.unwrap_or(Path::new(".")), flags, &[] as &[&Path])?;
    if is_bare_by_its_name(&repository) { git2::Repository::open_bare(repository.path()) } else { Ok(repository) }
}

/// Whether no configuration says if a repository is bare, and git takes it for that, as it is not called `.git`. libgit2 would look at the
/// files around it.
fn is_bare_by_its_name(repository: &git2::Repository) -> bool {
    let is_unsaid = repository.config().is_ok_and(|config| {
        let keys = ["core.bare", "core.worktree"];
        keys.iter().all(|key| config.get_entry(key).is_err_and(|error| error.code() == ErrorCode::NotFound))
    });
    let is_bare = repository.is_bare() || repository.is_worktree();
    is_unsaid && !is_bare && repository.path().file_name().is_some_and(|name| name != ".git")
}

/// Git itself, in the repository that is meant.
fn git(directory: Option<&Path>) -> Command {
    let mut git = Command::new("git");
    git.env("LC_ALL", "C").stdin(Stdio::null());
    if let Some(directory) = directory {
        git.arg("-C").arg(directory);
        for name in OF_ONE_REPOSITORY {
            git.env_remove(name);
        }
    }
    git
}

/// Asks git whether it trusts a repository of somebody else: it knows all of `safe.directory`, libgit2 a part.
fn trust(directory: Option<&Path>) -> Trust {
    let Ok(output) = git(directory).args(["rev-parse", "--git-dir"]).output() else { return Trust::Unknown };
    if output.status.success() {
        return Trust::Given;
    }
    // The path that it wants to have named is not always the one that belongs to somebody else.
    let said = String::from_utf8_lossy(&output.stderr);
    let named = said.split_once("in repository at '").and_then(|(_, rest)| rest.split_once("'\n"));
    named.map_or(Trust::Unknown, |(path, _)| Trust::Refused(PathBuf::from(path)))
}

/// References that are stored in another way look like none at all.
fn refuse_other_references(repository: &git2::Repository) -> Result<(), GitError> {
    let config = repository.config().doing("reading git's configuration")?;
    match config.get_string("extensions.refstorage") {
        Ok(storage) if storage != "files" && config.get_i32("core.repositoryformatversion").unwrap_or(0) > 0 => {
            let path = repository.workdir().unwrap_or(repository.path()).to_owned();
            Err(GitError::Unsupported { path, reason: format!("its references are stored as `{storage}`") })
        }
        _ => Ok(()),
    }
}

/// Adds the configuration that libgit2 does not look for: that of variables and of `git -c`, and none where variables say so.
fn configure(
    repository: &git2::Repository,
    directory: Option<&Path>,
    environment: &Environment,
) -> Result<Option<TempDir>, GitError> {
    const DOING: &str = "reading the configuration of variables";
    const TEMPORARY: &str = "a temporary file";
    let has_values = ["GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"].iter().any(|name| environment.get(name).is_some());
    let has_global = environment.is_set("GIT_CONFIG_GLOBAL");
    if !has_values && !has_global {
        return Ok(None);
    }
    let scratch = tempfile::tempdir().map_err(of_file(TEMPORARY))?;
    let mut config = repository.config().doing(DOING)?;
    if has_global {
        // It stands for both files of the user.
        let none = scratch.path().join("none");
        std::fs::write(&none, "").map_err(of_file(TEMPORARY))?;
        config.add_file(&none, ConfigLevel::XDG, true).doing(DOING)?;
        if environment.get("GIT_CONFIG_GLOBAL").is_none() {
            config.add_file(&none, ConfigLevel::Global, true).doing(DOING)?;
        }
    }
    if has_values {
        let file = scratch.path().join("values");
        std::fs::write(&file, "").map_err(of_file(TEMPORARY))?;
        let mut values = Config::open(&file).doing(DOING)?;
        for (name, value) in values_of_variables(directory)? {
            // Git adds, whatever there is already.
            values.set_multivar(&name, "^$.", &value).doing(DOING)?;
        }
        config.add_file(&file, ConfigLevel::App, true).doing(DOING)?;
    }
    Ok(Some(scratch))
}

/// The configuration that variables hold. Git knows how they are quoted.
fn values_of_variables(directory: Option<&Path>) -> Result<Vec<(String, String)>, GitError> {
    let output = git(directory).args(["config", "--list", "-z", "--show-scope"]).output();
    let output = output.map_err(|error| GitError::Variables { reason: format!("git cannot be run: {error}") })?;
    if !output.status.success() {
        return Err(GitError::Variables { reason: String::from_utf8_lossy(&output.stderr).trim().to_owned() });
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let mut words = said.split('\0');
    let mut values = Vec::new();
    while let (Some(scope), Some(setting)) = (words.next(), words.next()) {
        if scope == "command" {
            let (name, value) = setting.split_once('\n').unwrap_or((setting, "true"));
            values.push((name.to_owned(), value.to_owned()));
        }
    }
    Ok(values)
}

#[expect(
    unsafe_code,
    reason = "git2 keeps its list of extensions in a static: it is set once, before anything is opened"
)]
fn teach_extensions() {
    static TAUGHT: Once = Once::new();
    TAUGHT.call_once(|| {
        // SAFETY: nothing else touches the list, and nobody reads it meanwhile: every repository is opened behind this.
        // Where it cannot be set, libgit2 refuses the repositories that it refused before, and says why.
        let _ = unsafe { git2::opts::set_extensions(&EXTENSIONS) };
    });
}

/// While it lives, libgit2 opens what belongs to anybody: git has been asked.
struct EveryOwner;

impl EveryOwner {
    fn accept() -> Self {
        Self::validate(false);
        Self
    }

    #[expect(unsafe_code, reason = "git2 has no safe way to say that a repository is trusted")]
    fn validate(is_validated: bool) {
        // SAFETY: it sets a flag that libgit2 reads when it opens a repository.
        let _ = unsafe { git2::opts::set_verify_owner_validation(is_validated) };
    }
}

impl Drop for EveryOwner {
    fn drop(&mut self) {
        Self::validate(true);
    }
}
