//! `imglint affected`: which images a change touches, and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::args::{Affected as Options, AffectedFormat};
use super::exit::{CLEAN, Error};
use super::frame::{Compared, Frame};
use super::paths::narrow;
use super::refuse::{refuse_no_images, refuse_no_versions};
use super::terminal::{print, say};
use crate::affected::{Affected, AffectedImage, Reason, affected};
use crate::environment::Environment;
use crate::finding::Location;
use crate::path::is_below;
use crate::report::json::{Base, Head, to_line, to_string};
use crate::text::{counted, escape, is_unprintable};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("the name {} cannot stand in a line", escape(.0))]
#[diagnostic(help("print names as JSON: `--format matrix`"))]
struct NameError(String);

#[derive(Serialize)]
struct Root<'a> {
    version: u32,
    base: Base<'a>,
    head: Head<'a>,
    images: Vec<Shown<'a>>,
    removed: Vec<&'a str>,
    untold: Vec<ShownUnknownBase<'a>>,
    cycles: &'a [Vec<std::sync::Arc<str>>],
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    directory: &'a str,
    published: &'a str,
    version: Option<&'a str>,
    level: usize,
    reasons: Vec<ShownReason<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum ShownReason<'a> {
    All,
    New,
    Moved { from: &'a str },
    Content { path: &'a str },
    Version { before: Option<&'a str>, after: Option<&'a str> },
    Base(ShownParent<'a>),
    Named(ShownParent<'a>),
    Unknown { path: &'a str, line: usize },
}

#[derive(Serialize)]
struct ShownParent<'a> {
    parent: &'a str,
    directory: &'a str,
    path: &'a str,
    line: usize,
    names: Option<&'a str>,
    stale: bool,
}

#[derive(Serialize)]
struct ShownUnknownBase<'a> {
    name: &'a str,
    directory: &'a str,
    path: &'a str,
    line: usize,
    reason: &'a str,
}

pub(super) fn run(options: &Options, environment: &Environment) -> Result<u8, Error> {
    let frame =
        Frame::begin(&options.common.policy, &options.target, &Compared::of(&options.compared), false, environment)?;
    frame.announce(&options.common.output)?;
    let pair = frame.pair()?;
    refuse_no_images(&frame.pack, &pair)?;
    let trees: Vec<_> = [Some(&pair.head), pair.base.as_ref()].into_iter().flatten().collect();
    refuse_no_versions(&frame.pack, &trees)?;
    let paths = narrow(&options.paths, &frame.repository, &pair)?;
    frame.repository.refuse_nothing_judged(&frame.base, &frame.head, &pair)?;
    let mut affected = affected(&frame.pack.shape, &pair)?;
    if !paths.is_empty() {
        affected.images.retain(|image| paths.iter().any(|path| is_about(&image.image.directory, path)));
        affected.removed.retain(|directory| paths.iter().any(|path| is_about(directory, path)));
    }
    if !options.common.output.quiet {
        for line in warnings(&affected) {
            say(&line);
        }
    }
    match options.format {
        AffectedFormat::Text => print(&human(&affected))?,
        AffectedFormat::Names => {
            let mut lines = String::new();
            for name in names(&affected.images) {
                if name.contains(is_unprintable) {
                    return Err(NameError(name.to_owned()).into());
                }
                let _ = writeln!(lines, "{name}"); // a string takes everything
            }
            print(&lines)?;
        }
        AffectedFormat::Matrix => print(&to_line(&names(&affected.images)))?,
        AffectedFormat::Json => {
            let (base, head) = (frame.base_tree(), frame.head_tree()?);
            let root = Root {
                version: 1,
                base: (&base).into(),
                head: (&head).into(),
                images: affected.images.iter().map(shown).collect(),
                removed: affected.removed.iter().map(|directory| &**directory).collect(),
                untold: shown_unknown_bases(&affected),
                cycles: &affected.cycles,
            };
            print(&to_string(&root))?;
        }
    }
    if !options.common.output.quiet && options.format == AffectedFormat::Text {
        say(&format!("{} affected", counted(affected.images.len(), "image")));
    }
    Ok(CLEAN)
}

/// Whether an image in a directory is meant by a path: one that lies in it, or that it lies in.
fn is_about(directory: &str, path: &str) -> bool {
    is_below(directory, path) || is_below(path, directory)
}

/// What images are called by: their names, or their directories where several have one name.
fn names(images: &[AffectedImage]) -> Vec<&str> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for AffectedImage { image, .. } in images {
        *count.entry(&image.name).or_default() += 1;
    }
    let mut names: Vec<&str> = Vec::new();
    for AffectedImage { image, .. } in images {
        names.push(if count.get(&*image.name) == Some(&1) { &image.name } else { &image.directory });
    }
    names
}

/// What may be wrong with the answer, one line each.
fn warnings(affected: &Affected) -> Vec<String> {
    let mut lines = Vec::new();
    for base in &affected.unknown_bases {
        let location = shown_location(&base.location);
        lines.push(format!("note: {} may be affected, too: {location}: {}", base.image.name, base.reason));
    }
    for cycle in &affected.cycles {
        let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(|name| &**name).collect();
        lines.push(format!("note: no order is right for what is built from itself: {}", names.join(" ← ")));
    }
    lines
}

fn shown(affected: &AffectedImage) -> Shown<'_> {
    let image = &affected.image;
    Shown {
        name: &image.name,
        directory: &image.directory,
        published: image.published(),
        version: image.version_identity(),
        level: affected.level,
        reasons: affected.reasons.iter().map(shown_reason).collect(),
    }
}

fn shown_reason(reason: &Reason) -> ShownReason<'_> {
    match reason {
        Reason::All => ShownReason::All,
        Reason::New => ShownReason::New,
        Reason::Moved(from) => ShownReason::Moved { from },
        Reason::Content(path) => ShownReason::Content { path },
        Reason::Version { before, after } => {
            ShownReason::Version { before: before.as_deref(), after: after.as_deref() }
        }
        Reason::Base { parent, location, version, is_stale, is_named } => {
            let named = ShownParent {
                parent: &parent.name,
                directory: &parent.directory,
                path: &location.path,
                line: location.positions().0.line,
                names: version.as_deref(),
                stale: *is_stale,
            };
            if *is_named { ShownReason::Named(named) } else { ShownReason::Base(named) }
        }
        Reason::Unknown(location) => ShownReason::Unknown { path: &location.path, line: location.positions().0.line },
    }
}

fn shown_unknown_bases(affected: &Affected) -> Vec<ShownUnknownBase<'_>> {
    let mut shown = Vec::new();
    for base in &affected.unknown_bases {
        shown.push(ShownUnknownBase {
            name: &base.image.name,
            directory: &base.image.directory,
            path: &base.location.path,
            line: base.location.positions().0.line,
            reason: &base.reason,
        });
    }
    shown
}

fn shown_location(location: &Location) -> String {
    format!("{}:{}", location.path, location.positions().0.line)
}

fn human(affected: &Affected) -> String {
    let mut text = String::new();
    for AffectedImage { image, reasons, level } in &affected.images {
        let version = image.version_words();
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", escape(&format!("{level} {} {version} in {}", image.name, image.directory)));
        for reason in reasons {
            let _ = writeln!(text, "    {}", escape(&words(reason)));
        }
    }
    for directory in &affected.removed {
        let _ = writeln!(text, "- {} held an image, and holds none now", escape(directory));
    }
    text
}

fn words(reason: &Reason) -> String {
    match reason {
        Reason::All => "all images are asked for".to_owned(),
        Reason::New => "it is new".to_owned(),
        Reason::Moved(from) => format!("it moved here from {from}"),
        Reason::Content(path) => format!("{path} changed"),
        Reason::Version { before, after } => {
            let [before, after] = [before, after].map(|version| version.as_deref().unwrap_or("none that is usable"));
            format!("its version was {before} and is {after}")
        }
        Reason::Base { parent, location, version, is_stale, is_named } => {
            let names = if *is_named { "names" } else { "is built on" };
            let version = version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
            let now = parent.version_identity().unwrap_or("another version");
            let stale = if *is_stale { format!(", which is {now} now") } else { String::new() };
            format!("it {names} {}{version}{stale} ({})", parent.name, shown_location(location))
        }
        Reason::Unknown(location) => {
            format!("what it is built from cannot be told, and may have changed ({})", shown_location(location))
        }
    }
}
