//! Samples, the tables that they make, and the machine that they come from.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Where the tables are kept, and between which lines.
const PAGE: &str = "docs/speed.md";
const BEGIN: &str = "<!-- tables: begin -->\n";
const END: &str = "<!-- tables: end -->\n";

/// The runs of one process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples {
    times: Vec<Duration>,
    memory: u64,
}

/// What was measured of one piece of work.
pub(crate) struct Measured {
    /// The other program, if it is there.
    pub(crate) other: Option<Samples>,
    /// imglint, once for each number of threads.
    pub(crate) imglint: Vec<Samples>,
}

/// A table in Markdown, with a line for each piece of work.
pub(crate) struct Table {
    /// What the first columns hold.
    names: [&'static str; 3],
    threads: Vec<u16>,
    lines: String,
    notes: Vec<String>,
}

impl Samples {
    pub(crate) fn add(&mut self, time: Duration, memory: u64) {
        let location = self.times.partition_point(|other| *other < time);
        self.times.insert(location, time);
        self.memory = self.memory.max(memory);
    }

    /// The time that this share of the runs, in percent, stayed below.
    fn quantile(&self, percent: usize) -> f64 {
        let location = (self.times.len().saturating_sub(1) * percent + 50) / 100;
        self.times.get(location).copied().unwrap_or_default().as_secs_f64() * 1e3
    }

    fn median(&self) -> f64 {
        self.quantile(50)
    }

    /// Median and spread in milliseconds.
    fn time(&self) -> String {
        let [median, low, high] = [50, 10, 90].map(|percent| digits(self.quantile(percent)));
        format!("{median} ({low}–{high})")
    }

    /// Peak memory in MiB.
    fn memory(&self) -> String {
        let tenths = self.memory * 10 / (1 << 20);
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// Three digits that count.
fn digits(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.2}")
    } else if value < 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

impl Table {
    pub(crate) fn new(names: [&'static str; 3], threads: &[u16]) -> Self {
        Self { names, threads: threads.to_vec(), lines: String::new(), notes: Vec::new() }
    }

    /// Says something below the table, once.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.notes.iter().any(|note| note == text) {
            self.notes.push(text.to_owned());
        }
    }

    /// Adds a line for the work on a repository, of which so many images are changed.
    pub(crate) fn add(&mut self, names: [&str; 3], measured: &Measured) {
        let nothing = || "–".to_owned();
        let other = measured.other.as_ref();
        let mut cells: Vec<String> = names.iter().map(ToString::to_string).collect();
        cells.push(other.map_or_else(nothing, Samples::time));
        for samples in &measured.imglint {
            cells.push(samples.time());
            let ratio = |other: &Samples| format!("**{:.2}**", samples.median() / other.median().max(f64::EPSILON));
            cells.push(other.map_or_else(nothing, ratio));
        }
        cells.push(other.map_or_else(nothing, Samples::memory));
        let largest = measured.imglint.iter().max_by_key(|samples| samples.memory);
        cells.push(largest.map_or_else(nothing, Samples::memory));
        let line = format!("| {} |", cells.join(" | "));
        eprintln!("{line}");
        let _ = writeln!(self.lines, "{line}");
    }

    pub(crate) fn render(mut self) -> String {
        if let Some(own) = own_memory() {
            self.note(&format!(
                "Linux counts the memory of the bench itself, {own}, for every process that it starts: less is not seen."
            ));
        }
        let mut heads: Vec<String> = self.names.iter().map(ToString::to_string).collect();
        heads.push("git, ms".to_owned());
        for threads in &self.threads {
            heads.push(match threads {
                0 => "imglint, ms".to_owned(),
                1 => "1 thread, ms".to_owned(),
                threads => format!("{threads} threads, ms"),
            });
            heads.push("ratio".to_owned());
        }
        heads.extend(["git, MiB", "imglint, MiB"].map(str::to_owned));
        let rules: Vec<&str> =
            heads.iter().enumerate().map(|(location, _)| if location < 2 { "---" } else { "--:" }).collect();
        let notes: String = self.notes.iter().fold(String::new(), |all, note| all + "\n" + note + "\n");
        format!("| {} |\n| {} |\n{}{notes}", heads.join(" | "), rules.join(" | "), self.lines)
    }
}

/// What the machine is, and what runs on it.
pub(crate) fn machine(imglint: &Path) -> std::io::Result<String> {
    let said = |program: &str, arguments: &[&str]| -> Option<String> {
        let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let unknown = || "unknown".to_owned();
    let processor =
        field("/proc/cpuinfo", "model name").or_else(|| said("sysctl", &["-n", "machdep.cpu.brand_string"]));
    let cores = std::thread::available_parallelism()?;
    let system = said("uname", &["-srm"]).unwrap_or_else(|| std::env::consts::OS.to_owned());
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load = load.and_then(|load| load.split(' ').next().map(str::to_owned));
    let commit = said("git", &["describe", "--always", "--dirty", "--abbrev=12"]);
    let lines = [
        ("processor", format!("{}, {cores} cores", processor.unwrap_or_else(unknown))),
        ("system", system),
        ("load before", load.unwrap_or_else(unknown)),
        ("git", said("git", &["--version"]).unwrap_or_else(unknown)),
        ("imglint", said(&imglint.to_string_lossy(), &["--version"]).unwrap_or_else(unknown)),
        ("commit", commit.unwrap_or_else(unknown)),
    ];
    let lines = lines.iter().fold(String::new(), |all, (name, value)| all + &format!("| {name} | {value} |\n"));
    Ok(format!("| | |\n| --- | --- |\n{lines}"))
}

/// The value of a field in a file of `/proc`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_start().trim_start_matches(':').trim().to_owned())
}

/// The most memory that this process has used.
fn own_memory() -> Option<String> {
    let kib: u64 = field("/proc/self/status", "VmHWM")?.split(' ').next()?.parse().ok()?;
    Some(format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024))
}

/// Puts the tables into the page that keeps them.
pub(crate) fn save(report: &str) -> Result<(), Box<dyn std::error::Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = std::fs::read_to_string(&path)?;
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("{PAGE} lacks the lines between which the tables stand"))?;
    std::fs::write(&path, format!("{before}{BEGIN}\n{report}\n{END}{after}"))?;
    eprintln!("{PAGE} is written");
    Ok(())
}
