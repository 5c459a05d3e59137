//! Repositories on disk, made with `git fast-import` and packed as a clone has them.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::plan::{Change, Plan};

const BASE: &str = "main";
const COMMITTER: &str = "committer T <t@example.com> 1767225600 +0000";

/// What of a change is no commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It is staged, and there is no working tree: nothing that needs one can be asked.
    IndexAlone,
    /// It is staged.
    Staged,
    /// It is neither committed nor staged.
    Unstaged,
}

/// A repository with a base branch `main` and a branch of one commit for each change. It has no remote, and before it is put
/// into a [`State`] neither index nor working tree.
pub(crate) struct Repository {
    pub(crate) root: PathBuf,
}

impl Repository {
    /// Makes a repository in an empty or new directory.
    pub(crate) fn generate(root: &Path, plan: &Plan, changes: &[(&str, Change)]) -> io::Result<Self> {
        std::fs::create_dir_all(root)?;
        let repository = Self { root: root.to_owned() };
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        // Nothing may run beside what is measured.
        for setting in ["gc.auto", "maintenance.auto"] {
            repository.git(&["config", setting, "0"])?;
        }
        // Deltas are left to the packing below.
        let import = ["-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--depth=0"];
        let mut child = repository.command("git").args(import).stdin(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut stream = Stream { out: BufWriter::with_capacity(1 << 16, stdin), commits: 0 };
        stream.commit(BASE, |put| plan.base(put))?;
        for (name, change) in changes {
            stream.commit(name, |put| plan.change(*change, put))?;
        }
        for number in 0..plan.shape.ahead {
            let text = format!("# Unreleased\n\n- change {number}\n");
            stream.commit(BASE, |put| put("CHANGELOG/unreleased.md", &text))?;
        }
        stream.out.flush()?;
        drop(stream);
        succeeded("git fast-import", child.wait()?)?;
        repository.git(&["repack", "-a", "-d", "-f", "--quiet"])?;
        repository.git(&["pack-refs", "--all"])?;
        Ok(repository)
    }

    /// Puts a change into the index or the working tree, on the commit that it was made from.
    pub(crate) fn set(&self, branch: &str, state: State) -> io::Result<()> {
        let fork = format!("{branch}^");
        if state == State::IndexAlone {
            self.git(&["read-tree", branch])?;
            return self.git(&["update-ref", "--no-deref", "HEAD", &fork]);
        }
        self.git(&["checkout", "--quiet", "--force", "--detach", branch])?;
        if state == State::Staged {
            return self.git(&["reset", "--quiet", "--soft", &fork]);
        }
        self.git(&["reset", "--quiet", "--mixed", &fork])?;
        // A file that is as young as the index is compared byte by byte from then on; in real life few are.
        std::thread::sleep(Duration::from_millis(1100));
        // Exits with 1 where files differ from the index, which is what is wanted.
        self.command("git").args(["update-index", "-q", "--refresh", "--force-write-index"]).status().map(drop)
    }

    /// A command in the repository, in an environment that says nothing of this machine's or of a CI's.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env_clear().env("HOME", self.root.join(".git")).env("GIT_CONFIG_NOSYSTEM", "1");
        for name in ["PATH", "SystemRoot", "TMPDIR", "TEMP", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.stdin(Stdio::null());
        command
    }

    fn git(&self, arguments: &[&str]) -> io::Result<()> {
        succeeded(&format!("git {}", arguments.join(" ")), self.command("git").args(arguments).status()?)
    }
}

/// The input of `git fast-import`.
struct Stream<W: Write> {
    out: W,
    /// How many commits there are.
    commits: usize,
}

impl<W: Write> Stream<W> {
    /// A commit on top of a branch; on top of the first commit where the branch is new.
    fn commit(&mut self, branch: &str, files: impl FnOnce(&mut dyn FnMut(&str, &str))) -> io::Result<()> {
        self.commits += 1;
        let Self { out, commits } = self;
        write!(out, "commit refs/heads/{branch}\nmark :{commits}\n{COMMITTER}\ndata 7\nchange\n\n")?;
        if *commits > 1 && branch != BASE {
            writeln!(out, "from :1")?;
        }
        let mut result = Ok(());
        files(&mut |path, text| {
            if result.is_ok() {
                result = write!(out, "M 100644 inline {path}\ndata {}\n{text}\n", text.len());
            }
        });
        result
    }
}

fn succeeded(what: &str, status: std::process::ExitStatus) -> io::Result<()> {
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{what}: {status}"))) }
}
