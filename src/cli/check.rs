//! `imglint check`.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Instant;

use super::args::{Check as Options, Deny, Format, Output};
use super::frame::{Compared, Frame, end};
use super::paths::narrow;
use super::policy::inputs;
use super::reports::Outputs;
use super::spinner::Spinner;
use super::{CLEAN, Error, FAILED, FINDINGS, complain_of, print, print_bytes, say, style};
use crate::check::{Body, Missing};
use crate::environment::Environment;
use crate::finding::{Level, RuleId};
use crate::fix::{self, Allowed, Repair};
use crate::model::Model;
use crate::pack::{Pack, Rule, Selection};
use crate::report::human::Style;
use crate::report::{Repaired, Report, Tree, diff, human, summary};
use crate::run;
use crate::snapshot::Pair;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("failed to start {0} threads: {1}")]
#[diagnostic(help("choose fewer with `--threads N`"))]
struct ThreadError(u16, rayon::ThreadPoolBuildError);

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("`--unsafe-fixes` says which repairs are made, but none was asked for")]
#[diagnostic(help("add `--fix`, or `--diff` to see them first"))]
struct NothingToRepair;

/// Judges, and reports whatever came of it. `is_last` says that the process ends after this.
pub(super) fn run(options: &Options, environment: &Environment, is_last: bool) -> Result<u8, Error> {
    let outputs = Outputs::new(options, environment);
    let judged = judge(options, &outputs, environment, is_last).inspect_err(|error| outputs.could_not_judge(&**error));
    let Judged { mut code, repaired, written } = judged?;
    for (failure, result) in [("judged, but not repaired", repaired), ("judged, but a report is missing", written)] {
        if let Err(error) = result {
            complain_of(failure, &*error, options.output.color, environment);
            code = FAILED;
        }
    }
    Ok(code)
}

/// What came of a run: its exit code, and whether repairs and all reports could be written.
struct Judged {
    code: u8,
    repaired: Result<(), Error>,
    written: Result<(), Error>,
}

fn judge(options: &Options, outputs: &Outputs<'_>, environment: &Environment, is_last: bool) -> Result<Judged, Error> {
    let begin = Instant::now();
    outputs.check()?;
    if options.unsafe_fixes && !(options.fix || options.diff) {
        return Err(NothingToRepair.into());
    }
    // Without the option, threads are started when there is work for them, and not before.
    if let Some(threads) = options.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).use_current_thread().build_global();
        pool.map_err(|error| ThreadError(threads, error))?;
    }
    let compared = if options.all { Compared::Whole } else { Compared::With(options.base.as_deref()) };
    let mut frame = Frame::begin(&options.policy, &options.target, &compared, !options.no_waivers, environment)?;
    frame.pack.inputs = inputs(options.promoted.as_deref(), options.jobs.as_deref(), environment)?;
    let levels = options.levels.clone();
    let selection = Selection { only: options.rules.clone(), skip: options.skip.clone(), levels };
    frame.pack.select(&selection)?;
    frame.announce(&options.output);
    let spinner = Spinner::start(&options.output, environment);

    let pack = &frame.pack;
    let mut pair = frame.pair()?;
    refuse_nothing(pack, &pair, &selection)?;
    let paths = narrow(&options.paths, &frame.repository, &pair)?;
    frame.repository.refuse_nothing_judged(&frame.base, &frame.head, &pair)?;
    // Where nothing is written, reports are about the files as they are.
    let before = (options.fix || options.diff).then(|| pair.clone());
    let mut repair = if options.fix || options.diff {
        let allowed = Allowed { risky: options.unsafe_fixes, paths: paths.clone() };
        fix::repair(pack, &mut pair, &allowed)?
    } else {
        let outcome = run::judge(pack, &pair)?;
        Repair { found: None, outcome, files: BTreeMap::new(), conflicts: Vec::new() }
    };
    for step in frame.repository.batch(&frame.base, &frame.head, environment)? {
        let pair = frame.repository.pair(&step.base, &step.head, &pack.scope())?;
        let of_step = run::judge(pack, &pair)?;
        for outcome in repair.found.iter_mut().chain([&mut repair.outcome]) {
            outcome.add_step(&of_step, pack, &step.name);
        }
    }
    // A rule that failed in the middle of the repair has failed the run.
    if let Some(found) = &mut repair.found {
        found.failures.clone_from(&repair.outcome.failures);
    }
    for outcome in repair.found.iter_mut().chain([&mut repair.outcome]) {
        outcome.narrow(&paths);
    }
    drop(spinner);
    let is_repaired = repair.files.values().any(|file| file.before != file.after);
    let is_to_write = options.fix && !options.diff && repair.outcome.failures.is_empty();
    let repaired = if is_to_write { frame.put(&repair) } else { Ok(()) };
    let is_written = is_to_write && repaired.is_ok();

    let commit = frame.repository.resolve_head(&frame.head)?.map(|commit| commit.to_string());
    let gate = if options.deny == Some(Deny::Warnings) { Level::Warning } else { Level::Error };
    let (outcome, files) = match &before {
        Some(files) if !is_written => (repair.found.as_ref().unwrap_or(&repair.outcome), files),
        _ => (&repair.outcome, &pair),
    };
    let report = Report {
        outcome,
        rules: &pack.rules,
        pair: Some(files),
        base: Tree { revision: frame.base.revision().map(|commit| commit.to_string()), words: frame.base.source() },
        head: Tree { revision: commit, words: frame.head.kind() },
        gate,
        repaired: (options.fix || options.diff).then_some(Repaired { repair: &repair, is_written }),
    };
    if options.diff && options.format == Format::Human {
        show_diff(&repair, &options.output, environment)?;
    } else {
        outputs.print(&report)?;
        if options.format != Format::Human && is_written {
            say_lines(&summary::render(&repair.files));
        }
    }
    let written = outputs.write(&report);
    if !options.output.quiet {
        outcome.unused.iter().for_each(|line| say(&format!("note: {line}")));
    }
    if options.all && is_repaired && is_written {
        say("what is repaired is a change now: run `imglint --fix` without --all for the versions that follow from it");
    }
    if options.output.verbose {
        say(&format!("{} in {:.1} ms", pair_size(&pair), begin.elapsed().as_secs_f64() * 1000.0));
    }
    let code = match end(&repair, gate, &options.output, environment) {
        CLEAN if is_repaired && !options.exit_zero_on_fix => FINDINGS,
        code => code,
    };
    if is_last {
        // The system takes all of this back at once, and faster than we could.
        std::mem::forget((before, pair, repair));
        std::mem::forget(frame);
    }
    Ok(Judged { code, repaired, written })
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum NothingToJudge {
    #[error("no directory below {0} holds a file {1}, so there is no image")]
    #[diagnostic(help(
        "name the file that holds an image's version in imglint.toml: shape.images.version-file = \"TAG\""
    ))]
    NoImage(String, String),
    #[error("there is no file below {0}, where images should lie")]
    #[diagnostic(help("name the directories of the images in imglint.toml: shape.images.roots = [\"images\"]"))]
    NoRoot(String),
    #[error("no rule is left to judge by")]
    #[diagnostic(help(
        "leave out `--skip`, switch rules on in imglint.toml, or choose another pack; `imglint rules` lists all"
    ))]
    NoRule,
    #[error("the rule {0} is asked for and left out")]
    #[diagnostic(help("leave out `--skip {0}`"))]
    Skipped(RuleId),
    #[error("the rule {0} is switched off")]
    #[diagnostic(help("switch it on for this run: `--level {0}=error`"))]
    Off(RuleId),
    #[error("the rule {0} judges waivers, and none is read")]
    #[diagnostic(help("leave out `--no-waivers`"))]
    NoWaivers(RuleId),
    #[error("the rule {0} compares a change with its base, and there is none")]
    #[diagnostic(help("leave out `--all`, or name a base: `--base REV`"))]
    NoBase(RuleId),
    #[error("the rule {0} finds nothing without the file that `{1}` names")]
    #[diagnostic(help("add `{1} FILE`"))]
    NoInput(RuleId, &'static str),
}

/// All rules that could find nothing.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("nothing could be found, whatever is wrong")]
struct Blind {
    #[related]
    rules: Vec<NothingToJudge>,
}

/// A run that could find nothing, whatever is wrong, must not pass, nor one that was asked for a rule and cannot judge by it.
fn refuse_nothing(pack: &Pack, pair: &Pair<'_>, selection: &Selection) -> Result<(), Error> {
    let trees = [Some(&pair.head), pair.base.as_ref()];
    let has_files = |root: &String| trees.into_iter().flatten().any(|tree| tree.below(root).next().is_some());
    if !pack.shape.roots.iter().any(has_files) {
        return Err(NothingToJudge::NoRoot(pack.shape.roots.join(", ")).into());
    }
    if pair.base.is_none() && Model::outline(&pair.head, &pack.shape).directories.is_empty() {
        return Err(NothingToJudge::NoImage(pack.shape.roots.join(", "), pack.shape.version_file.clone()).into());
    }
    let is_skipped = |rule: &Rule| selection.skip.iter().any(|id| **id == *rule.id);
    let obstacle = |rule: &Rule| {
        let id = Arc::clone(&rule.id);
        Some(match rule.missing(&pack.inputs, pair.base.is_some()) {
            _ if is_skipped(rule) => NothingToJudge::Skipped(id),
            _ if rule.level == Level::Off => NothingToJudge::Off(id),
            _ if pack.waivers.is_none() && matches!(rule.body, Body::WaiverHygiene(_)) => NothingToJudge::NoWaivers(id),
            Some(Missing::Base) => NothingToJudge::NoBase(id),
            Some(Missing::Input(option)) => NothingToJudge::NoInput(id, option),
            None => return None,
        })
    };
    let is_named = |rule: &Rule| selection.only.iter().any(|id| **id == *rule.id);
    let is_asked_for = |rule: &&Rule| is_named(rule) || (selection.only.is_empty() && rule.level != Level::Off);
    let asked_for: Vec<&Rule> = pack.rules.iter().filter(is_asked_for).collect();
    let blind: Vec<NothingToJudge> = asked_for.iter().filter_map(|rule| obstacle(rule)).collect();
    if asked_for.is_empty() {
        Err(NothingToJudge::NoRule.into())
    } else if blind.is_empty() || (selection.only.is_empty() && blind.len() < asked_for.len()) {
        Ok(()) // who names no rule gets what can be had
    } else {
        Err(Blind { rules: blind }.into())
    }
}

/// Prints the diff alone, so that `git apply` can read it, and says beside it what it does not repair.
pub(super) fn show_diff(repair: &Repair, output: &Output, environment: &Environment) -> Result<(), Error> {
    let diff = diff::render(&repair.files);
    let style = style(output.color, environment, std::io::stdout().is_terminal());
    if style.is_terminal {
        let text = String::from_utf8_lossy(&diff);
        print(&text.lines().map(|line| diff_line(line, style)).collect::<String>())?;
    } else {
        print_bytes(&diff)?;
    }
    if !output.quiet {
        say(&format!("with this: {}", human::closing(&repair.outcome)));
    }
    Ok(())
}

/// A line of a diff as a terminal shows it, in git's colours.
fn diff_line(line: &str, style: Style) -> String {
    let colour = match line.as_bytes() {
        _ if !style.has_colour => None,
        [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Some("1"),
        [b'@', ..] => Some("36"),
        [b'+', ..] => Some("32"),
        [b'-', ..] => Some("31"),
        _ => None,
    };
    let line = crate::text::escape(line);
    colour.map_or_else(|| format!("{line}\n"), |colour| format!("\u{1b}[{colour}m{line}\u{1b}[0m\n"))
}

/// Says the lines of a text on standard error.
fn say_lines(text: &str) {
    text.lines().filter(|line| !line.is_empty()).for_each(say);
}

fn pair_size(pair: &Pair<'_>) -> String {
    format!("{} files looked through, {} of them changed,", pair.head.entries().len(), pair.changed().len())
}
