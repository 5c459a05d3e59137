//! `imglint check`.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Instant;

use super::args::{Check, Deny, Format};
use super::paths::narrow;
use super::policy::{Chosen, boxed, choose, head, inputs, say_all, waive};
use super::{CLEAN, Error, FAILED, FINDINGS, complain, print, print_bytes, say, style};
use crate::check::Scope;
use crate::environment::Environment;
use crate::finding::Level;
use crate::fix::{self, Allowed, Repair};
use crate::git::{Base, GitError, Head, Repository};
use crate::pack::{Pack, Selection};
use crate::report::{Report, diff, human, json, summary};
use crate::run;
use crate::snapshot::Pair;
use crate::write::write;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("failed to start {0} threads: {1}")]
#[diagnostic(help("choose fewer with `--threads N`"))]
struct ThreadError(u16, rayon::ThreadPoolBuildError);

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("`--unsafe-fixes` says which repairs are made, but none was asked for")]
#[diagnostic(help("add `--fix`, or `--diff` to see them first"))]
struct NothingToRepair;

pub(super) fn run(options: &Check, environment: &Environment) -> Result<u8, Error> {
    let begin = Instant::now();
    if options.unsafe_fixes && !(options.fix || options.diff) {
        return Err(boxed(NothingToRepair));
    }
    // Without the option, threads are started when there is work for them, and not before.
    if let Some(threads) = options.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).use_current_thread().build_global();
        pool.map_err(|error| boxed(ThreadError(threads, error)))?;
    }
    let repository = Repository::open(options.policy.repo.as_deref(), environment).map_err(boxed)?;
    let repository = std::mem::ManuallyDrop::new(repository); // see the end
    let head = repository.pin(head(&options.target, &repository, environment)).map_err(boxed)?;
    let base = if options.all {
        Base::Whole { source: "--all".to_owned() }
    } else {
        repository.find_base(&head, options.base.as_deref(), environment).map_err(boxed)?
    };
    let mut chosen = choose(&options.policy, &repository, &base, &head, environment)?;
    if !options.no_waivers {
        waive(&mut chosen, &repository, &base, &head, environment)?;
    }
    let Chosen { mut pack, notes, .. } = chosen;
    pack.inputs = inputs(options.promoted.as_deref(), options.jobs.as_deref(), environment)?;
    let levels = options.levels.clone();
    pack.select(&Selection { only: options.rules.clone(), skip: options.skip.clone(), levels }).map_err(boxed)?;
    if !options.output.quiet {
        say(&base.describe());
        say_all(&notes);
    }

    let mut pair = repository.pair(&base, &head, &pack.scope()).map_err(boxed)?;
    refuse_nothing(&pack, &pair)?;
    let paths = narrow(&options.paths, &repository, &pair)?;
    let mut repair = if options.fix || options.diff {
        let allowed = Allowed { risky: options.unsafe_fixes, paths: paths.clone(), ..Allowed::default() };
        fix::repair(&pack, &mut pair, &allowed).map_err(boxed)?
    } else {
        Repair { outcome: run::judge(&pack, &pair).map_err(boxed)?, files: BTreeMap::new(), conflicts: Vec::new() }
    };
    repair.outcome.narrow(&paths);
    let is_repaired = repair.files.values().any(|file| file.before != file.after);
    let is_failed = !repair.outcome.failures.is_empty();
    if options.fix && !options.diff && !is_failed {
        put(&repository, &head, &repair)?;
    }

    let commit = repository.resolve_head(&head).map_err(boxed)?.map(|commit| commit.to_string());
    let report = Report {
        outcome: &repair.outcome,
        base: (base.revision().map(|commit| commit.to_string()), base.source()),
        head: (commit, head.kind()),
    };
    let summary = summary::render(&repair.files);
    if options.diff {
        show_diff(&repair, options.output.quiet)?;
    } else if options.format == Format::Json {
        print(&json::render(&report))?;
        say_lines(&summary);
    } else {
        let style = style(options.output.color, environment, std::io::stdout().is_terminal());
        print(&human::render(&report, style, options.output.quiet))?;
        print(&summary)?;
    }
    if options.all && is_repaired && options.fix {
        say("what is repaired is a change now: run `imglint --fix` without --all for the versions that follow from it");
    }
    for conflict in summary::conflicts(&repair) {
        say(&conflict);
    }
    if options.output.verbose {
        say(&format!("{} in {:.1} ms", pair_size(&pair), begin.elapsed().as_secs_f64() * 1000.0));
    }
    for failure in &repair.outcome.failures {
        complain(failure, options.output.color, environment);
    }
    let is_denied = options.deny == Some(Deny::Warnings) && repair.outcome.count(Level::Warning) > 0;
    let code = if is_failed {
        FAILED
    } else if repair.outcome.count(Level::Error) > 0 || is_denied || (is_repaired && !options.exit_zero_on_fix) {
        FINDINGS
    } else {
        CLEAN
    };
    // The process ends here: the system takes all of this back at once, and faster than we could.
    std::mem::forget((pair, repair, pack));
    Ok(code)
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum NothingToJudge {
    #[error("there is no file below {0}, where images should lie")]
    #[diagnostic(help("name the directories of the images in imglint.toml: shape.images.roots = [\"images\"]"))]
    NoRoot(String),
    #[error("these rules compare a change with its base, and `--all` has none: {0}")]
    #[diagnostic(help("leave out `--all`, or `--rule`"))]
    NoBase(String),
}

/// A run that could find nothing, whatever is wrong, must not pass.
fn refuse_nothing(pack: &Pack, pair: &Pair<'_>) -> Result<(), Error> {
    let trees = [Some(&pair.head), pair.base.as_ref()];
    let has_files = |root: &String| trees.into_iter().flatten().any(|tree| tree.below(root).next().is_some());
    if !pack.shape.roots.iter().any(has_files) {
        return Err(boxed(NothingToJudge::NoRoot(pack.shape.roots.join(", "))));
    }
    let mut rules = pack.rules.iter().filter(|rule| rule.level != Level::Off).peekable();
    if pair.base.is_none() && rules.peek().is_some() && rules.clone().all(|rule| rule.check.scope() == Scope::Change) {
        return Err(boxed(NothingToJudge::NoBase(rules.map(|rule| &*rule.id).collect::<Vec<_>>().join(", "))));
    }
    Ok(())
}

/// Writes the repaired files into the working tree, whatever was judged: the index is the user's.
pub(super) fn put(repository: &Repository, head: &Head, repair: &Repair) -> Result<(), Error> {
    if repair.files.is_empty() {
        return Ok(());
    }
    let root = repository.root().ok_or_else(|| boxed(GitError::Bare("working tree")))?;
    write(root, &repair.files).map_err(boxed)?;
    if *head == Head::Index {
        say("the files are repaired in the working tree; the index is as it was: look at them, then `git add` them");
    }
    Ok(())
}

/// Prints the diff alone, so that `git apply` can read it, and says beside it what it does not repair.
pub(super) fn show_diff(repair: &Repair, is_quiet: bool) -> Result<(), Error> {
    let diff = diff::render(&repair.files);
    if std::io::stdout().is_terminal() {
        let text = String::from_utf8_lossy(&diff);
        let lines: Vec<_> = text.lines().map(crate::text::escape).collect();
        print(&(lines.join("\n") + "\n"))?;
    } else {
        print_bytes(&diff)?;
    }
    if !is_quiet {
        say(&format!("with this: {}", human::closing(&repair.outcome)));
    }
    Ok(())
}

/// Says the lines of a text on standard error.
fn say_lines(text: &str) {
    text.lines().filter(|line| !line.is_empty()).for_each(say);
}

fn pair_size(pair: &Pair<'_>) -> String {
    format!("{} files looked through, {} of them changed,", pair.head.entries().len(), pair.changed().len())
}
