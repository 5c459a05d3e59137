//! `imglint check`.

use std::io::IsTerminal as _;
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use super::args::{Check, Deny, Format};
use super::policy::{boxed, choose, head, say_all};
use super::{CLEAN, Error, FAILED, FINDINGS, complain, print, say, style};
use crate::environment::Environment;
use crate::finding::Level;
use crate::git::{Base, Repository};
use crate::pack::Selection;
use crate::report::{Report, human, json};
use crate::run;
use crate::snapshot::{Pair, is_below};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum PathError {
    #[error("no such file or directory: {}", crate::text::escape(&.0.display().to_string()))]
    #[diagnostic(help("name files that the change touches, or directories of the repository"))]
    Missing(PathBuf),
    #[error("{} lies outside of the repository", crate::text::escape(&.0.display().to_string()))]
    #[diagnostic(help("name files and directories of the repository that is judged"))]
    Outside(PathBuf),
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("failed to start {0} threads: {1}")]
#[diagnostic(help("choose fewer with `--threads N`"))]
struct ThreadError(u16, rayon::ThreadPoolBuildError);

pub(super) fn run(options: &Check, environment: &Environment) -> Result<u8, Error> {
    let begin = Instant::now();
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
    let chosen = choose(&options.policy, &repository, &base, &head, environment)?;
    let mut pack = chosen.pack;
    let levels = options.levels.clone();
    pack.select(&Selection { only: options.rules.clone(), skip: options.skip.clone(), levels }).map_err(boxed)?;
    if !options.output.quiet {
        say(&base.describe());
        say_all(&chosen.notes);
    }

    let pair = repository.pair(&base, &head, &pack.scope()).map_err(boxed)?;
    let paths = narrow(&options.paths, &repository, &pair)?;
    let mut outcome = run::judge(&pack, &pair).map_err(boxed)?;
    outcome.narrow(&paths);

    let commit = repository.resolve_head(&head).map_err(boxed)?.map(|commit| commit.to_string());
    let report = Report {
        outcome: &outcome,
        base: (base.revision().map(|commit| commit.to_string()), base.source()),
        head: (commit, head.kind()),
    };
    match options.format {
        Format::Human => {
            let style = style(options.output.color, environment, std::io::stdout().is_terminal());
            print(&human::render(&report, style, options.output.quiet))?;
        }
        Format::Json => print(&json::render(&report))?,
    }
    if options.output.verbose {
        say(&format!("{} in {:.1} ms", pair_size(&pair), begin.elapsed().as_secs_f64() * 1000.0));
    }
    for failure in &outcome.failures {
        complain(failure, options.output.color, environment);
    }
    let is_failed = !outcome.failures.is_empty();
    let is_denied = options.deny == Some(Deny::Warnings) && outcome.count(Level::Warning) > 0;
    let code = if is_failed {
        FAILED
    } else if outcome.count(Level::Error) > 0 || is_denied {
        FINDINGS
    } else {
        CLEAN
    };
    // The process ends here: the system takes all of this back at once, and faster than we could.
    std::mem::forget((pair, outcome, pack));
    Ok(code)
}

fn pair_size(pair: &Pair<'_>) -> String {
    format!("{} files looked through, {} of them changed,", pair.head.entries().len(), pair.changed().len())
}

/// Paths as people give them, relative to where they stand, as paths of the repository. One that does not exist, now or before
/// the change, is an error: it would narrow the report to nothing.
fn narrow(paths: &[PathBuf], repository: &Repository, pair: &Pair<'_>) -> Result<Vec<String>, Error> {
    let Some(root) = repository.root() else {
        return Ok(paths.iter().map(|path| path.display().to_string()).collect());
    };
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let canonical_root = root.canonicalize().unwrap_or_else(|_| root.clone());
    let mut narrowed = Vec::new();
    for path in paths {
        let full = lexical(&std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        let above = full.parent().and_then(|parent| parent.canonicalize().ok());
        let canonical = above.zip(full.file_name()).map(|(parent, name)| parent.join(name));
        let below = full.strip_prefix(&root).ok().map(Path::to_owned).or_else(|| {
            let canonical = canonical.as_ref().unwrap_or(&full);
            canonical.strip_prefix(&canonical_root).ok().map(Path::to_owned)
        });
        let below = below.ok_or_else(|| boxed(PathError::Outside(path.clone())))?;
        let name = below.to_string_lossy().replace('\\', "/");
        let was_there = || {
            let trees = [Some(&pair.head), pair.base.as_ref()];
            trees.into_iter().flatten().any(|tree| tree.entries().keys().any(|known| is_below(known, &name)))
        };
        if !full.exists() && full.symlink_metadata().is_err() && !was_there() {
            return Err(boxed(PathError::Missing(path.clone())));
        }
        narrowed.push(name);
    }
    Ok(narrowed)
}

/// Takes `.` and `..` out of a path without asking the disk: the file may be deleted.
fn lexical(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}
