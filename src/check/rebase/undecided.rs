//! Notes of references of which only the build knows what they name.

use crate::check::kind::Context;
use crate::finding::{Diagnostic, Level};
use crate::model::{Image, Reference, without_tag};
use crate::shape::BuildArgument;

/// A note of a reference to a bumped image whose version only the build knows.
pub(super) fn unknown_version(context: &Context<'_>, child: &Image, reference: &Reference) -> Option<Diagnostic> {
    let change = context.change.filter(|_| !reference.unknown.is_empty())?;
    let mut parents = context.model.named(&reference.target).into_iter();
    let parent =
        parents.find(|parent| parent.directory != child.directory && !change.new_versions(parent).is_empty())?;
    let message = format!("cannot tell which version of {} {} is built on", parent.name, child.name);
    let help = format!(
        "only the build knows {}: see that it gives {}",
        reference.unknown.join(", "),
        parent.tags(context.shape)
    );
    let subject = format!("{} undecided", parent.name);
    let diagnostic = Diagnostic::about(subject, message, reference.location()).image(&child.name).help(help);
    let diagnostic = diagnostic.related(format!("{} gets a new version here", parent.name), parent.version_location());
    Some(diagnostic.at_most(Level::Note))
}

/// Notes of what a child is built on where only the build knows which image that is, and it may be one that is bumped.
pub(super) fn unknown_bases(context: &Context<'_>, child: &Image, bumped: &[&Image]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if bumped.is_empty() {
        return diagnostics;
    }
    for outside in child.outside(context.model, context.shape).into_iter().filter(|outside| outside.is_unresolved) {
        // What the build script would give is nothing where it has nothing to give.
        let mut given = context.shape.build_arguments.iter();
        let is_given = |(name, argument): (&String, &BuildArgument)| {
            !argument.is_variable() && outside.text.contains(name.as_str())
        };
        if given.any(is_given) {
            continue;
        }
        let written = last_part(without_tag(&outside.text));
        let mut others = bumped.iter().filter(|parent| parent.directory != child.directory);
        let Some(parent) = others.find(|parent| may_be_named(written, parent, context)) else { continue };
        let text = &outside.text;
        let message =
            format!("cannot tell whether {} is built on {}: only the build knows {text}", child.name, parent.name);
        let help = format!(
            "if it is, see that it gives {}; a default before the first FROM tells",
            parent.tags(context.shape)
        );
        let subject = format!("{text} undecided");
        let diagnostic = Diagnostic::about(subject, message, outside.location).image(&child.name).help(help);
        let why = format!("{} gets a new version here", parent.name);
        let diagnostic = diagnostic.related(why, parent.version_location());
        diagnostics.push(diagnostic.at_most(Level::Note));
    }
    diagnostics
}

/// Whether the last part of a name, in which there may be variables, can be that of an image: as far as it is written out before them.
fn may_be_named(written: &str, image: &Image, context: &Context<'_>) -> bool {
    let own = last_part(image.published());
    let Some((before, _)) = written.split_once('$') else { return own == written };
    let mut registries = context.shape.registries.iter().map(|registry| last_part(&registry.text));
    own.starts_with(before) || registries.any(|prefix| format!("{prefix}{own}").starts_with(before))
}

fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
