//! `imglint replay`, in turn with the git command that lists what it judges.
//!
//! `cargo bench --bench replay` makes a history for it; `-- --repo DIR --config FILE --paths images` takes any other.

use std::error::Error;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use wait4::Wait4 as _;

type Outcome<T> = Result<T, Box<dyn Error>>;

const COMMITTER: &str = "committer T <t@example.com>";

/// How many images the history that is made for it has, and how many files beside each.
const IMAGES: usize = 40;
const FILES: usize = 20;

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
        make(scratch.path(), options.count)?;
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

/// Makes a history: each commit changes a source of an image, every third bumps it, too, and beside each lie four that touch none.
fn make(root: &Path, changes: usize) -> Outcome<()> {
    let git = |arguments: &[&str]| Command::new("git").arg("-C").arg(root).args(arguments).status();
    git(&["init", "--quiet", "--bare", "--initial-branch=main"])?;
    let mut child =
        Command::new("git").arg("-C").arg(root).args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn()?;
    let mut out = BufWriter::new(child.stdin.take().ok_or("git has no input")?);
    let mut commit = |number: usize, files: &[(String, String)]| -> std::io::Result<()> {
        let time = 1_700_000_000 + number * 3600;
        writeln!(out, "commit refs/heads/main\n{COMMITTER} {time} +0000\ndata 7\nchange\n")?;
        for (path, text) in files {
            writeln!(out, "M 100644 inline {path}\ndata {}\n{text}", text.len())?;
        }
        Ok(())
    };
    let mut files = vec![("imglint.toml".to_owned(), "pack = \"generic\"\n".to_owned())];
    for image in 0..IMAGES {
        files.push((format!("images/i{image}/VERSION"), "1.0\n".to_owned()));
        files
            .push((format!("images/i{image}/Dockerfile"), "FROM alpine:3.20\nRUN apk add make\nCOPY . /\n".to_owned()));
        for file in 0..FILES {
            files.push((format!("images/i{image}/src/f{file}.c"), format!("int f{file}(void);\n")));
            files.push((format!("other/d{image}/f{file}.c"), format!("int g{file}(void);\n")));
        }
    }
    commit(0, &files)?;
    for number in 1..=changes * 5 {
        let (image, file) = (number % IMAGES, number % FILES);
        let text = format!("int h{number}(void);\n");
        if number % 5 > 0 {
            commit(number, &[(format!("other/d{image}/f{file}.c"), text)])?;
            continue;
        }
        let image = (number / 5) % IMAGES;
        let mut edited = vec![(format!("images/i{image}/src/f{file}.c"), text)];
        if number % 15 == 0 {
            edited.push((format!("images/i{image}/VERSION"), format!("1.{number}\n")));
        }
        commit(number, &edited)?;
    }
    out.flush()?;
    drop(out);
    child.wait()?;
    git(&["repack", "-a", "-d", "--quiet"])?;
    Ok(())
}
