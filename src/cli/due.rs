//! When versions are due in a repository, for `imglint init`: its last changes tell.

use std::fmt::Write as _;

use miette::Diagnostic;

use super::refuse::refuse_no_images;
use crate::check::Due;
use crate::finding::Level;
use crate::git::Repository;
use crate::pack::{Pack, Selection};
use crate::replay::{DueFit, End, Fit, Limits, Replay, Replayer, Watcher};
use crate::snapshot::Pair;
use crate::text::counted;

/// How many changes are judged: more than tell, as not all of them touch images.
const CHANGES: usize = 400;

/// How many commits are looked at to find them.
const COMMITS: usize = 10_000;

/// How much is kept in memory meanwhile, in bytes.
const MEMORY: usize = 256 << 20;

/// The rule that asks for versions where changes do not have to set them.
const AT_RELEASE: &str = "unbumped-content";

/// What the history tells.
pub(super) struct Tendency {
    /// What was seen, to be read by the user.
    pub(super) note: String,
    /// What the configuration has to say, if the pack says something else.
    pub(super) setting: Option<String>,
}

/// What the last changes tell of a repository that `pack` judges. What stands in the way of looking is a note, too.
pub(super) fn ask(pack: &Pack, repository: &Repository) -> Option<Tendency> {
    let (rule, _) = pack.due()?;
    let rule = rule.to_string();
    let replay = match replay(pack.clone(), &rule, repository) {
        Ok(replay) => replay,
        Err(error) => {
            let note = format!("no history tells when versions are due: {error}");
            return Some(Tendency { note, setting: None });
        }
    };
    let fit = replay.due.as_ref()?;
    Some(match fit.fits {
        Fit::Unknown => Tendency { note: too_short(fit, &replay), setting: None },
        Fit::Unclear => {
            let note = format!(
                "{fit}: that may be an oversight, or versions may be due at a release; rules.{rule}.due says which (\"{}\" now)",
                fit.set.name()
            );
            Tendency { note, setting: None }
        }
        Fit::Change => told(fit, Due::Change, "versions are due in a change", pack),
        Fit::Release => told(fit, Due::Release, "versions are due at a release", pack),
    })
}

fn told(fit: &DueFit, fitting: Due, words: &str, pack: &Pack) -> Tendency {
    if fit.set == fitting {
        return Tendency { note: format!("{fit}: {words}, as the pack {} has it", pack.name), setting: None };
    }
    let mut setting = format!("\n# {}:\n# {words}.", capitalised(&fit.to_string()));
    if fitting == Due::Release {
        setting += " A change gets a note, and `imglint --all` asks for them.";
    }
    let _ = write!(setting, "\n[rules.{}]\ndue = \"{}\"\n", fit.rule, fitting.name()); // a string takes everything
    let asks = pack.rule(AT_RELEASE).is_ok_and(|rule| rule.level == Level::Warning);
    if fitting == Due::Release && asks {
        let _ = write!(setting, "\n[rules.{AT_RELEASE}]\nlevel = \"error\"\n");
    }
    Tendency { note: format!("{fit}: {words}"), setting: Some(setting) }
}

/// Why the history does not tell.
fn too_short(fit: &DueFit, replay: &Replay) -> String {
    let why = match &replay.end {
        End::Shallow { .. } => ", as the clone is shallow: `imglint replay` tells once it is whole",
        End::Broken { .. } => ", as it cannot be read further: `git fsck` tells why",
        _ => "",
    };
    let touching = counted(fit.changes, "change");
    let are = if fit.changes == 1 { "touches" } else { "touch" };
    format!("no history tells when versions are due: {touching} in it {are} images, which is too few{why}")
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

/// The last changes, judged by one rule.
fn replay(mut pack: Pack, rule: &str, repository: &Repository) -> Result<Replay, Box<dyn Diagnostic + Send + Sync>> {
    let range = repository.range("HEAD")?;
    pack.select(&Selection { only: vec![rule.to_owned()], ..Selection::default() })?;
    let limits = Limits { count: CHANGES, commits: COMMITS, since: None, paths: Vec::new(), memory: MEMORY };
    let watcher = Unwatched;
    let replayer =
        Replayer { pack: &pack, range: &range, limits: &limits, branch: None, watcher: &watcher, is_last: false };
    Ok(replayer.run(repository)?)
}

/// Nobody sees how far it has come: it is short.
struct Unwatched;

impl Watcher for Unwatched {
    fn is_stopped(&self) -> bool {
        false
    }

    fn passed(&self, _commits: usize, _changes: usize) {}

    fn refuse(&self, pack: &Pack, pair: &Pair<'_>) -> Result<(), Box<dyn Diagnostic + Send + Sync>> {
        refuse_no_images(pack, pair)
    }
}
