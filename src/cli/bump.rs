//! `imglint bump`.

use super::args::{Bump, Target};
use super::check::{put, show_diff};
use super::policy::{Chosen, boxed, choose, head, say_all, waive};
use super::{CLEAN, Error, FAILED, FINDINGS, complain, print, say};
use crate::environment::Environment;
use crate::finding::Level;
use crate::fix::{self, Allowed};
use crate::git::Repository;
use crate::report::{human, summary};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("`--to` gives one version, and {0} images are named")]
#[diagnostic(help("bump one image at a time"))]
struct SeveralImages(usize);

pub(super) fn run(options: &Bump, environment: &Environment) -> Result<u8, Error> {
    if options.to.is_some() && options.images.len() > 1 {
        return Err(boxed(SeveralImages(options.images.len())));
    }
    let repository = Repository::open(options.policy.repo.as_deref(), environment).map_err(boxed)?;
    let target = Target { head: None, staged: false, worktree: true };
    let head = head(&target, &repository, environment);
    let base = repository.find_base(&head, options.base.as_deref(), environment).map_err(boxed)?;
    let mut chosen = choose(&options.policy, &repository, &base, &head, environment)?;
    waive(&mut chosen, &repository, &base, &head, environment)?;
    let Chosen { pack, notes, .. } = chosen;
    if !options.output.quiet {
        say(&base.describe());
        say_all(&notes);
    }
    let mut pair = repository.pair(&base, &head, &pack.scope()).map_err(boxed)?;
    let allowed = Allowed::default();
    let repair = fix::bump(&pack, &mut pair, &options.images, options.to.as_deref(), allowed).map_err(boxed)?;
    if options.diff {
        show_diff(&repair, options.output.quiet)?;
    } else if repair.outcome.failures.is_empty() {
        put(&repository, &head, &repair)?;
        let summary = summary::render(&repair.files);
        print(if summary.is_empty() {
            "This change bumps these images already: nothing is left to do.\n"
        } else {
            &summary
        })?;
        if !options.output.quiet {
            say(&human::closing(&repair.outcome));
        }
    }
    for conflict in summary::conflicts(&repair) {
        say(&conflict);
    }
    for failure in &repair.outcome.failures {
        complain(failure, options.output.color, environment);
    }
    Ok(if !repair.outcome.failures.is_empty() {
        FAILED
    } else if repair.outcome.count(Level::Error) > 0 {
        FINDINGS
    } else {
        CLEAN
    })
}
