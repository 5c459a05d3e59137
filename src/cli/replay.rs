//! `imglint replay`: what the gate would have said to the changes of a history.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use miette::Diagnostic;

use super::args::{Output, Replay as Options, ReplayFormat, Target, When};
use super::exit::{CLEAN, Error};
use super::policy::{Chosen, choose, head, inputs, now, waive_replayed};
use super::refuse::{refuse_no_images, refuse_no_rule};
use super::replay_page;
use super::spinner::is_watched;
use super::terminal::{print, say, say_all};
use super::threads::start;
use crate::environment::Environment;
use crate::git::{Base, Head, Repository};
use crate::pack::Pack;
use crate::replay::{End, Limits, Replay, Replayer, Watcher};
use crate::report;
use crate::report::json::to_string;
use crate::snapshot::Pair;
use crate::text::counted;

/// Exit code: the user stopped it.
const INTERRUPTED: u8 = 130;

const SECONDS_A_DAY: i64 = 24 * 60 * 60;

#[derive(Debug, thiserror::Error, Diagnostic)]
enum NothingReplayedError {
    #[error("no change of {range} touches what the pack {pack} looks at: {commits} looked at")]
    #[diagnostic(help("name a longer range, or another pack; `imglint inspect` shows the images that there are now"))]
    NoChange { range: String, pack: String, commits: String },
    #[error("none of {count} could be judged; the newest: {reason}")]
    #[diagnostic(help("{help}"))]
    NoneJudged { count: String, reason: String, help: String },
    #[error("the history of {range} cannot be walked: {reason}")]
    #[diagnostic(help("`git fsck` tells whether the repository is whole"))]
    Broken { range: String, reason: String },
    #[error("the history of {range} begins here: the clone is shallow")]
    #[diagnostic(help("fetch the history: git fetch --unshallow"))]
    Shallow { range: String },
    #[error("`{0}` is no path of the repository")]
    #[diagnostic(help("name files and directories as they are, or were, below the root of the repository"))]
    NoPath(String),
}

pub(super) fn run(options: &Options, environment: &Environment) -> Result<u8, Error> {
    start(options.threads)?;
    if let Some(page) = &options.html {
        replay_page::refuse_no_place(page)?;
    }
    let repository = Repository::open(options.common.policy.repo.as_deref(), environment)?;
    let range = repository.range(options.range.as_deref().unwrap_or("HEAD"))?;
    let pack = policy(options, &repository, environment)?;
    let since = match options.since {
        None => None,
        Some(When::Day(day)) => Some(day.begin()),
        Some(When::DaysAgo(days)) => Some(now(environment)? - days * SECONDS_A_DAY),
    };
    let (count, memory) = (options.count as usize, (options.memory as usize) << 20);
    let limits = Limits { count, commits: usize::MAX, since, paths: paths(&options.paths)?, memory };
    let watch = Watch::start(&options.common.output, limits.count, environment)?;
    // A run of its own would find the branch in the same way.
    let newest = range.newest();
    let base = repository.find_base(&Head::Commit(newest.clone()), Some(&format!("{newest}^")), environment);
    let branch = base.ok().and_then(|base| base.branch().cloned());
    let replayer = Replayer { pack: &pack, range: &range, limits: &limits, branch, watcher: &watch, is_last: true };
    let replay = replayer.run(&repository)?;
    watch.bar.finish_and_clear();
    refuse_nothing_replayed(&replay)?;
    match options.format {
        ReplayFormat::Human => print(&report::replay::render(&replay))?,
        ReplayFormat::Json => print(&to_string(&replay))?,
    }
    if let Some(page) = &options.html {
        replay_page::write(page, &replay, &pack, &repository, options.common.output.quiet)?;
    }
    if !options.common.output.quiet {
        close(&replay);
    }
    let code = if is_interrupted(&replay) { INTERRUPTED } else { CLEAN };
    // The system takes all of this back at once, and faster than we could.
    std::mem::forget(replay);
    std::mem::forget(pack);
    std::mem::forget(repository);
    Ok(code)
}

/// Today's policy, as the options leave it.
fn policy(options: &Options, repository: &Repository, environment: &Environment) -> Result<Pack, Error> {
    let target = Target::default();
    let today = head(&target, repository, environment);
    let mut chosen = choose(&options.common.policy, repository, &Base::whole("today"), &today, environment)?;
    if !options.rules.no_waivers {
        waive_replayed(&mut chosen, environment)?;
    }
    let Chosen { mut pack, notes, .. } = chosen;
    pack.inputs = inputs(&options.inputs, environment)?;
    let selection = options.rules.selection();
    pack.select(&selection)?;
    refuse_no_rule(&pack, &selection)?;
    if !options.common.output.quiet {
        say_all(&notes);
    }
    Ok(pack)
}

/// Paths of the repository, as they are given: what lies there may be gone for years.
fn paths(paths: &[PathBuf]) -> Result<Vec<String>, NothingReplayedError> {
    let mut clean = Vec::new();
    for path in paths {
        let path = path.to_string_lossy().replace('\\', "/");
        let named = path.trim_start_matches("./").trim_end_matches('/');
        if named.starts_with('/') || named.split('/').any(|part| part == "..") {
            return Err(NothingReplayedError::NoPath(path));
        }
        if named != "." {
            clean.push(named.to_owned());
        }
    }
    Ok(clean)
}

/// A replay that judged nothing must not look like one that found nothing.
fn refuse_nothing_replayed(replay: &Replay) -> Result<(), NothingReplayedError> {
    if !replay.changes.is_empty() || is_interrupted(replay) {
        return Ok(());
    }
    let range = replay.words.range.clone();
    if let Some(newest) = replay.unjudged.first() {
        return Err(NothingReplayedError::NoneJudged {
            count: counted(replay.unjudged.len(), "change"),
            reason: newest.reason.clone(),
            help: newest.help.clone().unwrap_or_else(|| "`git fsck` tells whether the repository is whole".to_owned()),
        });
    }
    Err(match &replay.end {
        End::Broken { reason, .. } => NothingReplayedError::Broken { range, reason: reason.clone() },
        End::Shallow { .. } => NothingReplayedError::Shallow { range },
        _ => {
            let commits = counted(replay.sums.commits, "commit");
            NothingReplayedError::NoChange { range, pack: replay.words.pack.clone(), commits }
        }
    })
}

fn is_interrupted(replay: &Replay) -> bool {
    matches!(replay.end, End::Interrupted { .. })
}

/// Says what is missing in the report.
fn close(replay: &Replay) {
    match &replay.end {
        End::Range | End::Count | End::Since => {}
        End::Interrupted { left } => {
            let (judged, commits) = (counted(replay.sums.changes, "change"), replay.sums.commits + left);
            say(&format!("interrupted: {judged} judged; {left} of {} were not looked at", counted(commits, "commit")));
        }
        End::Shallow { commit } => {
            say(&format!("the clone is shallow: what came before {commit} is not here (git fetch --unshallow)"));
        }
        End::Broken { commit, reason } => {
            say(&format!("the history ends at {commit}, which cannot be read: {reason}"));
        }
    }
    for unjudged in &replay.unjudged {
        say(&format!("could not judge {}: {}", unjudged.commit, unjudged.reason));
    }
}

/// Shows how far the replay has come, and stops it when the user asks for that.
struct Watch {
    bar: ProgressBar,
    stop: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("failed to listen for Ctrl-C: {0}")]
#[diagnostic(help("this is the system's refusal; run it without a debugger or a sandbox in between"))]
struct SignalError(std::io::Error);

impl Watch {
    fn start(output: &Output, count: usize, environment: &Environment) -> Result<Self, SignalError> {
        let stop = Arc::new(AtomicBool::new(false));
        // The second time it ends at once.
        let interrupt = signal_hook::consts::SIGINT;
        signal_hook::flag::register_conditional_shutdown(interrupt, INTERRUPTED.into(), Arc::clone(&stop))
            .map_err(SignalError)?;
        signal_hook::flag::register(interrupt, Arc::clone(&stop)).map_err(SignalError)?;
        let bar = if is_watched(output, environment) {
            ProgressBar::new(count as u64).with_style(bar_style())
        } else {
            ProgressBar::hidden()
        };
        Ok(Self { bar, stop })
    }
}

fn bar_style() -> ProgressStyle {
    let template = "{bar:30} {pos} of at most {len} changes, {per_sec}, {eta} left; {msg}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Watcher for Watch {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn passed(&self, commits: usize, changes: usize) {
        self.bar.set_position(changes as u64);
        self.bar.set_message(counted(commits, "commit"));
    }

    fn refuse(&self, pack: &Pack, pair: &Pair<'_>) -> Result<(), Error> {
        refuse_no_images(pack, pair)
    }
}
