//! `imglint bump`.

use std::io::IsTerminal as _;

use super::args::{Bump, Target};
use super::exit::{Error, code};
use super::frame::{Compared, Frame};
use super::paths::image_names;
use super::policy::{claims, promoted};
use super::repairs::{put, say_conflicts, show_diff};
use super::spinner::Spinner;
use super::terminal::{complain, print, say, style};
use crate::environment::Environment;
use crate::finding::Level;
use crate::fix;
use crate::report::{human, summary};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("`--to` gives one version, and {0} images are named")]
#[diagnostic(help("bump one image at a time"))]
struct SeveralImages(usize);

pub(super) fn run(options: &Bump, environment: &Environment) -> Result<u8, Error> {
    if options.to.is_some() && options.images.len() > 1 {
        return Err(SeveralImages(options.images.len()).into());
    }
    let target = Target { worktree: true, ..Target::default() };
    let compared = Compared::With(options.base.as_deref());
    let mut frame = Frame::begin(&options.common.policy, &target, &compared, true, environment)?;
    if let Some(path) = &options.promoted {
        frame.pack.inputs.promoted = Some(promoted(path)?);
    }
    frame.pack.inputs.claims = claims(&options.claims, environment)?;
    frame.announce(&options.common.output)?;
    let spinner = Spinner::start(&options.common.output, environment);
    let mut pair = frame.pair()?;
    let repair =
        fix::bump(&frame.pack, &mut pair, &image_names(&options.images, &frame.repository), options.to.as_deref())?;
    drop(spinner);
    if options.diff {
        show_diff(&repair, &options.common.output, environment)?;
    } else if repair.after.errors.is_empty() {
        put(&repair, &frame)?;
        let summary = summary::render(&repair);
        print(if summary.is_empty() {
            "This change bumps these images already: nothing is left to do.\n"
        } else {
            &summary
        })?;
        let style = style(options.common.output.color, environment, std::io::stdout().is_terminal());
        let findings = human::findings(&repair.after, style);
        if !findings.is_empty() {
            print(&format!("\n{findings}"))?;
        }
        if !options.common.output.quiet {
            say(&human::closing(&repair.after));
        }
    }
    say_conflicts(&repair);
    for error in &repair.after.errors {
        complain(error, options.common.output.color, environment);
    }
    Ok(code(&repair.after, Level::Error))
}
