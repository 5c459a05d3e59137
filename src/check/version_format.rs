//! `version-format`: a version file is one line that holds an image tag.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{Context, Kind, Scope};
use crate::edit::{Edit, Fix};
use crate::finding::{Fault, Place};
use crate::model::Image;
use crate::parse::version::{Flaw, Version};
use crate::snapshot::StoreError;
use crate::text::Text;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionFormat {}

impl Kind for VersionFormat {
    const SCOPE: Scope = Scope::Tree;

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let mut faults: Vec<Fault> =
            context.head.images.values().filter_map(|image| malformed(context, image)).collect();
        faults.extend(missing(context));
        faults.extend(hidden(context));
        Ok(faults)
    }
}

fn malformed(context: &Context<'_>, image: &Image) -> Option<Fault> {
    let file = &context.shape.version_file;
    match &image.version.read {
        Err(unreadable) => {
            let message = format!("{file} of {} {unreadable}", image.name);
            let help = "make it a file of one line that holds the version";
            Some(Fault::new(message, image.version_place()).image(&image.name).help(help))
        }
        Ok((_, version)) if version.flaws.is_empty() => None,
        Ok((text, version)) => {
            let flaws: Vec<&str> = version.flaws.iter().map(|flaw| words(*flaw)).collect();
            let message = format!("{file} of {} {}", image.name, flaws.join(", and "));
            let fault = Fault::new(message, image.version_place()).image(&image.name);
            Some(match version.usable() {
                Some(value) => {
                    let title = format!("trim {file} of {}", image.name);
                    fault.help(format!("leave nothing but `{value}`")).fix(Fix::safe(title, trim(image, text, version)))
                }
                None => fault.help("write one line that holds an image tag, such as 1.0"),
            })
        }
    }
}

fn words(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Empty => "is empty",
        Flaw::ManyLines => "has more than one line",
        Flaw::ByteOrderMark => "begins with a byte order mark",
        Flaw::CarriageReturn => "has carriage returns",
        Flaw::Blanks => "has blanks around the version",
        Flaw::NoTag => "holds no valid image tag",
    }
}

/// Takes away what stands around the version, but for the line feed at the end, if there was one.
fn trim(image: &Image, text: &Arc<Text>, version: &Version) -> Vec<Edit> {
    let rest = version.span.end..text.as_str().len();
    let end = if text.slice(&rest).contains('\n') { "\n" } else { "" };
    let edits = [
        Edit::replace(&image.version.path, &(0..version.span.start), ""),
        Edit::replace(&image.version.path, &rest, end),
    ];
    edits.into_iter().filter(|edit| text.slice(&(edit.start..edit.end)) != edit.text).collect()
}

/// Directories that are built like images but have no version file.
fn missing(context: &Context<'_>) -> Vec<Fault> {
    let shape = context.shape;
    let builds = [Some(&shape.dockerfile), shape.windows_dockerfile.as_ref(), shape.base_file.as_ref()];
    let mut directories: BTreeMap<&str, &Arc<str>> = BTreeMap::new();
    for path in context.files.entries().keys() {
        if let Some((directory, name)) = path.rsplit_once('/')
            && builds.into_iter().flatten().any(|build| build == name)
            && shape.name_of(directory).is_some()
            && context.head.owner(path).is_none()
        {
            directories.entry(directory).or_insert(path);
        }
    }
    let fault = |(directory, path): (&str, &Arc<str>)| {
        let name = shape.name_of(directory).unwrap_or(directory);
        let message = format!("{name} has no {} file, so it cannot be tagged", shape.version_file);
        Fault::new(message, Place::file(path))
            .image(&name.into())
            .help(format!("add {directory}/{}", shape.version_file))
    };
    directories.into_iter().map(fault).collect()
}

/// Images whose directory became a link or a submodule: nothing can be said of them any more.
fn hidden(context: &Context<'_>) -> Vec<Fault> {
    let before = context.change.into_iter().flat_map(|change| change.base.images.values());
    let faults = before.filter_map(|image| {
        let (path, entry) = context.files.entries().get_key_value(&image.directory)?;
        let what = if entry.kind == crate::snapshot::Kind::Submodule { "a submodule" } else { "a link" };
        let message =
            format!("the directory of {} is {what} now, so its {} is not seen", image.name, context.shape.version_file);
        let help = "keep the files of the image here, or take it away with all that names it";
        Some(Fault::new(message, Place::file(path)).image(&image.name).help(help))
    });
    faults.collect()
}
