//! `imglint replay`, in turn with the git command that lists what it judges, on any history:
//! `cargo bench --bench replay -- --repo DIR --config FILE --paths images`. Without a repository one is made, as for the tables.

#[path = "generator/history.rs"]
mod history;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use wait4::Wait4 as _;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Times replays against git.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench replay --")]
struct Options {
    /// A repository; one is made, if none is named
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,

    /// Its configuration
    #[arg(long, value_name = "FILE", requires = "repo")]
    config: Option<PathBuf>,

    /// The paths that git lists changes of
    #[arg(long, value_name = "PATH", value_delimiter = ',', default_values = ["images"])]
    paths: Vec<String>,

    /// How many changes are judged, and listed
    #[arg(long, default_value_t = 1000)]
    count: usize,

    /// How often each process runs
    #[arg(long, default_value_t = 21)]
    runs: usize,

    /// Another imglint than the one that cargo has just built
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,

    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// What the runs of a process took.
#[derive(Default)]
struct Samples {
    times: Vec<Duration>,
    /// The peak of all of them, in bytes.
    memory: u64,
}

impl Samples {
    fn add(&mut self, mut command: Command) -> Outcome<()> {
        let begin = Instant::now();
        let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?.wait4()?;
        self.times.push(begin.elapsed());
        self.memory = self.memory.max(ended.rusage.maxrss);
        if ended.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", ended.status).into()) }
    }

    fn median(&mut self) -> Duration {
        self.times.sort_unstable();
        self.times[self.times.len() / 2]
    }
}

fn main() -> Outcome<()> {
    let options = Options::parse();
    let scratch = tempfile::tempdir()?;
    if options.repo.is_none() {
        history::make(scratch.path(), options.count)?;
    }
    let repo = options.repo.clone().unwrap_or_else(|| scratch.path().to_owned());
    let binary = options.binary.clone().unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_imglint")));
    let (mut imglint, mut git) = (Samples::default(), Samples::default());
    // The first round warms the caches.
    for round in 0..=options.runs {
        if round == 1 {
            (imglint, git) = (Samples::default(), Samples::default());
        }
        imglint.add(replay(&binary, &repo, &options))?;
        git.add(log(&repo, &options))?;
    }
    let [ours, theirs] = [imglint.median(), git.median()];
    println!("| git, ms | imglint replay, ms | ratio | git, MiB | imglint, MiB |\n| --: | --: | --: | --: | --: |");
    println!(
        "| {:.0} | {:.0} | {:.2} | {:.1} | {:.1} |",
        theirs.as_secs_f64() * 1000.0,
        ours.as_secs_f64() * 1000.0,
        ours.as_secs_f64() / theirs.as_secs_f64(),
        mib(git.memory),
        mib(imglint.memory),
    );
    Ok(())
}

fn replay(binary: &Path, repo: &Path, options: &Options) -> Command {
    let mut command = Command::new(binary);
    command.args(["replay", "--quiet", "-n", &options.count.to_string(), "--repo"]).arg(repo);
    if let Some(config) = &options.config {
        command.arg("--config").arg(config);
    }
    command
}

fn log(repo: &Path, options: &Options) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(repo).args(["log", "--raw", "--first-parent", &format!("-{}", options.count), "--"]);
    command.args(&options.paths);
    command
}

#[expect(clippy::cast_precision_loss, reason = "a figure of three digits")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
