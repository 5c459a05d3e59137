//! Scratch repositories, and imglint run in them in an environment that holds nothing but what a test says.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A directory that holds repositories, and a home without configuration.
pub(crate) struct Scratch {
    directory: TempDir,
}

/// A repository in a scratch directory.
pub(crate) struct Repo {
    pub(crate) root: PathBuf,
    home: PathBuf,
}

/// What a run of imglint gave.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let Some(memory) = memory() else { return Self::on_disk() };
        Self { directory: tempfile::tempdir_in(memory).expect("a temporary directory") }
    }

    /// One that lies on a disk, for what depends on the time that writing takes.
    pub(crate) fn on_disk() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    pub(crate) fn path(&self) -> PathBuf {
        let path = self.directory.path().canonicalize().expect("it exists");
        // Git does not know the prefix that Windows gives to such paths.
        path.to_str().and_then(|path| path.strip_prefix(r"\\?\")).map(PathBuf::from).unwrap_or(path)
    }

    /// A repository that is not initialised yet.
    pub(crate) fn at(&self, name: &str) -> Repo {
        let root = self.path().join(name);
        std::fs::create_dir_all(&root).expect("a directory");
        Repo { root, home: self.path() }
    }

    /// An empty repository whose branch is `master`.
    pub(crate) fn init(&self, name: &str) -> Repo {
        let repo = self.at(name);
        repo.git(&["init", "-q", "-b", "master"]);
        repo
    }

    /// The tree of Kubernetes in small, in one commit on `master`.
    pub(crate) fn kubernetes(&self, name: &str) -> Repo {
        let repo = self.init(name);
        repo.write(KUBERNETES);
        repo.commit("base");
        repo
    }

    /// A clone, made with these options of `git clone`.
    pub(crate) fn clone(&self, from: &Repo, name: &str, options: &[&str]) -> Repo {
        let url = from.url();
        let repo = self.at(name);
        let mut arguments = vec!["clone", "-q"];
        arguments.extend(options);
        arguments.extend([url.as_str(), "."]);
        repo.git(&arguments);
        repo
    }
}

/// A directory in memory with room for all tests, where programs can be run: making and removing thousands of small files on a disk
/// takes as long as all else that the tests do. A container has one of 64 MiB, which is too small; and `TMPDIR` is somebody's choice.
#[cfg(target_os = "linux")]
fn memory() -> Option<&'static Path> {
    use rustix::fs::StatVfsMountFlags;
    const MEMORY: &str = "/dev/shm";
    static FITS: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
        let Ok(system) = rustix::fs::statvfs(MEMORY) else { return false };
        let fixed = StatVfsMountFlags::NOEXEC | StatVfsMountFlags::RDONLY;
        let roomy = system.f_bavail.saturating_mul(system.f_frsize) > 2 << 30;
        roomy && !system.f_flag.intersects(fixed) && std::env::var_os("TMPDIR").is_none()
    });
    FITS.then_some(Path::new(MEMORY))
}

#[cfg(not(target_os = "linux"))]
fn memory() -> Option<&'static Path> {
    None
}

/// Two images and what speaks of them.
pub(crate) const KUBERNETES: &[(&str, &str)] = &[
    ("test/images/image-util.sh", "windows_os_versions=(1809)\n"),
    ("test/images/agnhost/VERSION", "2.25\n"),
    ("test/images/agnhost/BASEIMAGE", "linux/amd64=alpine:3.12\nwindows/amd64/1809=nanoserver:1809\n"),
    ("test/images/agnhost/Dockerfile", "ARG BASEIMAGE\nFROM $BASEIMAGE\nADD agnhost.conf agnhost.conf\n"),
    ("test/images/agnhost/main.go", "package main\n"),
    ("test/images/agnhost/README.md", "# agnhost\n"),
    ("test/images/kitten/VERSION", "1.4\n"),
    ("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.25-linux-amd64\n"),
    ("test/images/kitten/Dockerfile", "ARG BASEIMAGE\nFROM $BASEIMAGE\n"),
];

impl Repo {
    /// A command in an environment without anything of this machine's or this CI's.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env_clear().env("HOME", &self.home).env("GIT_CONFIG_NOSYSTEM", "1");
        for name in ["PATH", "SystemRoot", "TMPDIR", "TMP", "TEMP", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// The address to clone it from.
    pub(crate) fn url(&self) -> String {
        let path = self.root.to_str().expect("UTF-8").replace('\\', "/");
        format!("file:///{}", path.trim_start_matches('/'))
    }

    pub(crate) fn git_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("git");
        for (name, value) in [("user.name", "T"), ("user.email", "t@example.com"), ("core.autocrlf", "false")] {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.args(["-c", "protocol.file.allow=always", "-c", "init.defaultBranch=master"]);
        // Every commit would start a process that looks whether there is something to pack.
        command.args(["-c", "maintenance.auto=false"]).args(arguments);
        command.env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z").env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z");
        command
    }

    /// Runs git where its hooks find imglint.
    pub(crate) fn git_with_hooks(&self, arguments: &[&str]) -> Run {
        let program = Path::new(env!("CARGO_BIN_EXE_imglint")).parent().expect("it lies in a directory").to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([program].into_iter().chain(std::env::split_paths(&path))).expect("a PATH");
        Run::of(self.git_command(arguments).env("PATH", path).output().expect("git is installed"))
    }

    /// Runs git and gives what it printed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = self.git_command(arguments).output().expect("git is installed");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    pub(crate) fn write(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let file = self.root.join(path);
            std::fs::create_dir_all(file.parent().expect("a file lies in a directory")).expect("a directory");
            std::fs::write(file, text).expect("a file");
        }
    }

    /// Commits everything and gives the commit.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--no-verify", "--allow-empty", "-m", message]);
        self.committed().unwrap_or_else(|| self.git(&["rev-parse", "HEAD"]))
    }

    /// The commit that was just made, where it can be read without starting git: in a working tree of its own.
    fn committed(&self) -> Option<String> {
        let git = self.root.join(".git");
        let head = std::fs::read_to_string(git.join("HEAD")).ok()?;
        match head.strip_prefix("ref: ") {
            Some(branch) => Some(std::fs::read_to_string(git.join(branch.trim())).ok()?.trim().to_owned()),
            None => Some(head.trim().to_owned()),
        }
    }

    /// Writes files and commits them.
    pub(crate) fn change(&self, files: &[(&str, &str)]) -> String {
        self.write(files);
        self.commit("change")
    }

    /// A branch with a change of agnhost that lacks its bump.
    pub(crate) fn bad_topic(&self) -> String {
        self.git(&["checkout", "-q", "-b", "topic"]);
        self.change(&[("test/images/agnhost/main.go", "package main // changed\n")])
    }

    /// The same on another branch, begun where HEAD is now.
    pub(crate) fn bad_topic_again(&self) -> String {
        self.git(&["checkout", "-q", "-b", "again"]);
        self.change(&[("test/images/agnhost/main.go", "package main // changed\n")])
    }

    pub(crate) fn imglint(&self, arguments: &[&str]) -> Run {
        self.imglint_with(arguments, &[])
    }

    pub(crate) fn imglint_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        self.imglint_in(&self.root, arguments, environment)
    }

    pub(crate) fn imglint_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_imglint"));
        command.args(arguments);
        command
    }

    pub(crate) fn imglint_in(&self, directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let mut command = self.imglint_command(arguments);
        command.current_dir(directory).envs(environment.iter().copied());
        Run::of(command.output().expect("imglint starts"))
    }
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("an exit code"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// The rules of the findings that were printed, in order.
    pub(crate) fn rules(&self) -> Vec<&str> {
        let rules = self.stdout.lines().filter_map(|line| line.rsplit_once('[')?.1.strip_suffix(']'));
        rules.collect()
    }

    #[track_caller]
    pub(crate) fn is(&self, code: i32, rules: &[&str]) -> &Self {
        assert!(self.code == code && self.rules() == rules, "expected {code} and {rules:?}\n{self}");
        self
    }

    /// Could not judge, and says all of this.
    #[track_caller]
    pub(crate) fn fails(&self, words: &[&str]) -> &Self {
        assert!(self.code == 2, "expected exit code 2\n{self}");
        assert!(self.stdout.is_empty(), "a failed run reports nothing\n{self}");
        self.says(words)
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) -> &Self {
        // Long lines are folded for the reader.
        let said: String = self.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(said.contains(word), "expected standard error to say {word:?}\n{self}");
        }
        self
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}
