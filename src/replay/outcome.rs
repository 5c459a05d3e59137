//! What a replay came to, as plain data: what `imglint replay --format json` prints, and what pages are made of.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use serde::Serialize;

use crate::check::Due;
use crate::finding::{Level, RuleId};
use crate::text::counted;

/// What the gate would have said of a history.
///
/// Lists of changes and findings are in the order of the first-parent line, the newest first.
#[derive(Debug, Clone, Serialize)]
pub struct Replay {
    /// The version of this form: 1.
    pub version: u32,
    /// What was replayed.
    pub words: Words,
    /// How the walk over the history ended.
    pub end: End,
    /// The sums over all changes.
    pub sums: Sums,
    /// When versions are due, by the newest changes that touch images; `None` where no rule asks for versions, or findings were
    /// narrowed to paths.
    pub due: Option<DueFit>,
    /// The rules that found something, the one with the most findings first.
    pub rules: Vec<RuleSums>,
    /// The images that something was found of, the noisiest first.
    pub images: Vec<ImageSums>,
    /// The changes that were judged.
    pub changes: Vec<Change>,
    /// The changes that could not be judged, and why.
    pub unjudged: Vec<Unjudged>,
    /// Rules that could not look at any change, and what they lack.
    pub skipped: Vec<RuleError>,
}

/// What was replayed, in the words of the user.
#[derive(Debug, Clone, Serialize)]
pub struct Words {
    /// The pack that judged.
    pub pack: String,
    /// The range as it was given; `HEAD` where none was.
    pub range: String,
    /// The newest commit of the range.
    pub head: String,
    /// The paths that findings were narrowed to; none for all.
    pub paths: Vec<String>,
}

/// Why no older change was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum End {
    /// All changes of the range were.
    Range,
    /// As many as were asked for were.
    Count,
    /// The next one is older than what was asked for.
    Since,
    /// The user stopped it.
    Interrupted {
        /// How many older commits of the line were not looked at.
        left: usize,
    },
    /// The clone is shallow: its history goes on, and is not here.
    Shallow {
        /// The commit whose parent is not here.
        commit: String,
    },
    /// A commit could not be read, so nobody knows what came before it.
    Broken {
        /// The commit.
        commit: String,
        /// What stood in the way.
        reason: String,
    },
}

/// Sums over all changes. Waived findings are in none but `waived`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// How many commits of the first-parent line were looked at.
    pub commits: usize,
    /// How many of them touch what the pack looks at, and were judged.
    pub changes: usize,
    /// How many of these the gate would have stopped: those with an error.
    pub stopped: usize,
    /// How many of these have a rule that could not judge, so that more may be wrong than was found.
    pub incomplete: usize,
    /// How many changes could not be judged at all.
    pub unjudged: usize,
    /// Findings of level error.
    pub errors: usize,
    /// Findings of level warning.
    pub warnings: usize,
    /// Findings of level note.
    pub notes: usize,
    /// Findings that a waiver let pass.
    pub waived: usize,
    /// Errors and warnings that `--fix` repairs.
    pub fixable: usize,
}

/// When versions are due, by the newest changes that touch images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DueFit {
    /// The rule that asks for versions.
    pub rule: RuleId,
    /// What its `due` says.
    pub set: Due,
    /// What fits better.
    pub fits: Fit,
    /// How many changes touch images, of at most 200.
    pub changes: usize,
    /// How many of them leave the version of an image whose content they change.
    pub without: usize,
    /// How many images these are, each change by itself.
    pub images: usize,
    /// Of how many of these a later change moved the version.
    pub later: usize,
}

/// Which `due` fits a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Versions are set in the changes that need them.
    Change,
    /// They are set later, for many changes at once.
    Release,
    /// There is something of both.
    Unclear,
    /// There are too few changes to tell.
    Unknown,
}

/// What was counted, in a sentence without its end.
impl fmt::Display for DueFit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { changes, without, images, later, .. } = self;
        write!(f, "of the last {} that touch images, {without} left a version as it was", counted(*changes, "change"))?;
        if *images > 0 {
            write!(f, "; of {} a later change moved {later}", counted(*images, "such version"))?;
        }
        Ok(())
    }
}

/// Sums over the findings of one rule, those that are waived left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleSums {
    /// The rule.
    pub rule: RuleId,
    /// The highest level of its findings.
    pub level: Level,
    /// Its findings.
    pub findings: usize,
    /// The changes that they were found in.
    pub changes: usize,
    /// The images that they are about.
    pub images: usize,
    /// How many were mended by a later change, before their image changed once more.
    pub mended: usize,
    /// How many were mended by a later change, but only after their image had changed once more.
    pub overtaken: usize,
    /// How many ended with their image.
    pub removed: usize,
    /// How many hold to this day, that is in the newest change of the range.
    pub stayed: usize,
    /// How many `--fix` repairs.
    pub fixable: usize,
    /// After how many seconds they were mended, in the median; `None` where none was.
    pub median_seconds: Option<i64>,
}

/// Sums over the findings about one image, those that are waived left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageSums {
    /// The image's name.
    pub image: Arc<str>,
    /// The findings about it.
    pub findings: usize,
    /// The changes that they were found in.
    pub changes: usize,
    /// How many hold to this day.
    pub stayed: usize,
    /// The findings by rule, in the order of [`Replay::rules`].
    pub rules: Vec<OfRule>,
}

/// How many findings a rule has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfRule {
    /// The rule.
    pub rule: RuleId,
    /// Its findings.
    pub findings: usize,
}

/// A change that landed on the branch, and was judged against what was there before it.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// The full name of its commit.
    pub commit: String,
    /// The first line of the commit's message, as it is: it may hold anything.
    pub summary: String,
    /// Who wrote it. It may hold anything.
    pub author: String,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
    /// Whether it is a merge, and so the whole of a branch.
    pub is_merge: bool,
    /// The images whose content it changed, by name.
    pub touched: Vec<Arc<str>>,
    /// The images whose version it moved, by name; new ones and those that it removed are among them.
    pub moved: Vec<Arc<str>>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The rules that could not judge it.
    pub failures: Vec<RuleError>,
}

/// A finding of a change.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// Its level.
    pub level: Level,
    /// The image that it is about, if it is one image.
    pub image: Option<Arc<str>>,
    /// The file.
    pub path: Arc<str>,
    /// The line in it, from 1.
    pub line: usize,
    /// The column in that, in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// What `--fix` would have done.
    pub fix: Fixable,
    /// Why it is let pass, where it is.
    pub waived: Option<String>,
    /// What became of it.
    pub fate: Fate,
}

/// What can be repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fixable {
    /// `--fix` repairs it.
    Safe,
    /// `--fix --unsafe-fixes` does.
    Unsafe,
    /// Nothing but a person.
    No,
}

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Fate {
    /// A later change mended it: the version moved, or what was wrong in the files is gone.
    Mended(Mended),
    /// A later change took the image away.
    Removed(Mended),
    /// It holds to this day, that is in the newest commit of the range.
    Stayed,
    /// Nobody knows: it is not found in the newest commit as a whole, and no change is known to have mended it. Some rules see in a change
    /// what no tree shows alone, as that an image was deleted; or the newest commit cannot be judged.
    Unknown,
    /// It only speaks of the change itself, so that nothing can become of it.
    Passing,
}

/// The end of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mended {
    /// The commit of the change that mended it.
    pub commit: String,
    /// How many seconds later that was committed. Clocks differ: it is never less than 0.
    pub seconds: i64,
    /// How many of the judged changes lie between.
    pub between: usize,
    /// Whether the content of the image had changed once more before that.
    pub overtaken: bool,
}

/// A change that could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unjudged {
    /// The full name of its commit.
    pub commit: String,
    /// The first line of its message.
    pub summary: String,
    /// What stood in the way.
    pub reason: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A rule that could not judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleError {
    /// The rule.
    pub rule: String,
    /// What stood in the way.
    pub reason: String,
}
