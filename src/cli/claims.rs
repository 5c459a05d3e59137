//! `imglint claims`: the versions that a change takes.

use std::fmt::Write as _;

use super::args::{ClaimsFormat, ClaimsOf};
use super::exit::{CLEAN, Error};
use super::frame::{Compared, Frame};
use super::refuse::{refuse_no_images, refuse_no_versions};
use super::terminal::print;
use crate::affected::{Reason, affected};
use crate::environment::Environment;
use crate::inputs::Claim;
use crate::report::json::to_string;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("it is not known whose claims these are")]
#[diagnostic(help("say so as others will read it: `--who '#123'`"))]
struct NobodyError;

pub(super) fn run(options: &ClaimsOf, environment: &Environment) -> Result<u8, Error> {
    let who = options.who.clone().or_else(|| environment.pull_request()).ok_or(NobodyError)?;
    let compared = Compared::With(options.base.as_deref());
    let frame = Frame::begin(&options.common.policy, &options.target, &compared, false, environment)?;
    frame.announce(&options.common.output)?;
    let pair = frame.pair()?;
    refuse_no_images(&frame.pack, &pair)?;
    let trees: Vec<_> = [Some(&pair.head), pair.base.as_ref()].into_iter().flatten().collect();
    refuse_no_versions(&frame.pack, &trees)?;
    frame.repository.refuse_nothing_judged(&frame.base, &frame.head, &pair)?;
    let mut claims = Vec::new();
    for affected in affected(&frame.pack.shape, &pair)?.images {
        let is_raised = affected.reasons.iter().any(|reason| matches!(reason, Reason::New | Reason::Version { .. }));
        if let Some(version) = affected.image.version().filter(|_| is_raised) {
            let image = affected.image.published().to_owned();
            claims.push(Claim { image, version: version.to_owned(), who: who.clone() });
        }
    }
    match options.format {
        ClaimsFormat::Json => print(&to_string(&claims))?,
        ClaimsFormat::List => {
            let mut lines = String::new();
            for Claim { image, version, who } in &claims {
                let _ = writeln!(lines, "{image} {version} {who}"); // a string takes everything
            }
            print(&lines)?;
        }
    }
    Ok(CLEAN)
}
