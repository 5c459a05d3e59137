//! `version-format`: a version file is one line that holds an image tag.
//!
//! Rules: `malformed-version`.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Kind, Needs};
use crate::edit::{Edit, Fix};
use crate::finding::{Diagnostic, Level, Location};
use crate::model::{Control, Image};
use crate::parse::version::{Scheme, Version, VersionError};
use crate::parse::version_source::VersionSource;
use crate::path::{file_name, in_directory, is_below};
use crate::snapshot::{FileKind, StoreError};
use crate::text::Text;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionFormat {}

impl Kind for VersionFormat {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics: Vec<Diagnostic> =
            context.model.images.values().flat_map(|image| malformed(image)).collect();
        diagnostics.extend(missing(context));
        diagnostics.extend(hidden(context));
        Ok(diagnostics)
    }
}

fn malformed(image: &Image) -> Vec<Diagnostic> {
    let Some(file) = &image.version_file else { return Vec::new() };
    let (text, version) = match &file.read {
        Ok(read) => (&read.0, &read.1),
        Err(unreadable) => {
            let help = "make it a file of one line that holds the version";
            return vec![diagnostic(image, "unread", &unreadable.to_string()).help(help)];
        }
    };
    // Each is a diagnostic of its own: to mend one of several makes no new one.
    let mut diagnostics = Vec::new();
    for variant in &version.variants {
        for error in &variant.version.errors {
            let message = format!("{} of {} {}", image.variant_words(variant), image.name, words(*error));
            let subject = format!("{} {error:?}", variant.name);
            let diagnostic = Diagnostic::about(subject, message, image.variant_location(variant)).image(&image.name);
            diagnostics.push(diagnostic.help("write an image tag there, such as 1.0"));
        }
    }
    if !version.variants.is_empty() {
        return diagnostics;
    }
    for error in &version.errors {
        let diagnostic = diagnostic(image, &format!("{error:?}"), words(*error));
        diagnostics.push(match version.usable() {
            Some(value) => {
                let title = format!("trim {} of {}", image.version_name, image.name);
                diagnostic
                    .help(format!("leave nothing but `{value}`"))
                    .fix(Fix::safe(title, trim(&file.path, text, version)))
            }
            None if version.scheme == Scheme::Semver => diagnostic.help("write three numbers, as in 1.2.3"),
            None => diagnostic.help("write one line that holds an image tag, such as 1.0"),
        });
    }
    diagnostics
}

fn diagnostic(image: &Image, subject: &str, what: &str) -> Diagnostic {
    let message = format!("{} of {} {what}", image.version_name, image.name);
    Diagnostic::about(subject, message, image.version_location()).image(&image.name)
}

fn words(error: VersionError) -> &'static str {
    match error {
        VersionError::Empty => "is empty",
        VersionError::ManyLines => "has more than one line",
        VersionError::ByteOrderMark => "begins with a byte order mark",
        VersionError::CarriageReturn => "has carriage returns",
        VersionError::Blanks => "has blanks around the version",
        VersionError::NoTag => "holds no valid image tag",
        VersionError::NoSemver => "is no version such as 1.2.3 (semver.org)",
        VersionError::Unparsable => "cannot be read: the file is not well formed",
        VersionError::NoKey => "is missing: the file has no such key",
        VersionError::NoScalar => "is not written out on one line",
        VersionError::NoMatch => "is missing: the pattern of the pack matches nothing",
        VersionError::SeveralMatches => "cannot be told: the pattern of the pack matches more than once",
    }
}

/// Takes away what stands around the version, but for the line feed at the end, if there was one.
fn trim(path: &Arc<str>, text: &Arc<Text>, version: &Version) -> Vec<Edit> {
    let rest = version.span.end..text.as_str().len();
    let end = if text.slice(&rest).contains('\n') { "\n" } else { "" };
    let edits = [Edit::replace(path, &(0..version.span.start), ""), Edit::replace(path, &rest, end)];
    edits.into_iter().filter(|edit| text.slice(&(edit.start..edit.end)) != edit.text).collect()
}

/// Directories that are built like images but have no version file.
fn missing(context: &Context<'_>) -> Vec<Diagnostic> {
    let shape = context.shape;
    let mut directories: BTreeMap<&str, &Arc<str>> = BTreeMap::new();
    for path in context.model.directories.control_paths() {
        let mut built: Vec<&str> = shape.built_directories(path).collect();
        // What was an image before is meant rather than a directory in it.
        built.sort_by_key(|directory| !context.change.is_some_and(|it| it.base.directories.contains(*directory)));
        if let Some(directory) = built.first()
            && context.model.owner(path).is_none()
        {
            directories.entry(directory).or_insert(path);
        }
    }
    // A file that other things have, too, makes an image by what stands in it: without that, the directory may be anything.
    let is_told_by_name = shape.versions.iter().any(VersionSource::is_told_by_name);
    let mut diagnostics = Vec::new();
    for (directory, path) in directories {
        let name = shape.name_of(directory).unwrap_or(directory);
        let there =
            shape.versions.iter().find(|source| context.files.entry(&in_directory(directory, &source.file)).is_some());
        let was_image = context.change.is_some_and(|change| change.base.directories.contains(directory));
        if shape.is_hidden(directory) && !was_image {
            continue;
        }
        let is_sure = is_told_by_name || was_image;
        let (subject, message, help) = match there {
            Some(source) => (
                "unread",
                format!("no version is found in {} of {name}, so it cannot be tagged", source.file),
                format!("write it there as the pack looks for it, {}", source.name),
            ),
            None if is_sure => (
                "missing",
                format!("{name} has no {} file, so it cannot be tagged", shape.version_files()),
                format!("add {}", in_directory(directory, &shape.version_files())),
            ),
            None => (
                "missing",
                format!("{name} is built, and has no version in {}", shape.version_files()),
                "write it where the pack looks for it (`images.version`)".to_owned(),
            ),
        };
        let help = if is_sure { help } else { format!("if it is an image, {help}; until then nothing judges it") };
        let level = (!is_sure).then_some(Level::Note);
        let diagnostic = Diagnostic::about(subject, message, Location::file(path)).image(&name.into()).help(help);
        diagnostics.push(Diagnostic { level, ..diagnostic });
    }
    diagnostics
}

/// Images that were seen before and are not any more, although what they were is still there.
fn hidden(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let before = context.change.into_iter().flat_map(|change| change.base.images.values());
    for image in before.filter(|image| !context.model.directories.contains(&image.directory)) {
        if let Some((path, entry)) = context.files.entries().get_key_value(&image.directory) {
            let what = if entry.kind == FileKind::Submodule { "a submodule" } else { "a link" };
            let message =
                format!("the directory of {} is {what} now, so its {} is not seen", image.name, image.version_name);
            let help = "keep the files of the image here, or take it away with all that names it";
            diagnostics.push(Diagnostic::about("hidden", message, Location::file(path)).image(&image.name).help(help));
        } else if let Some(Control { path, .. }) = &image.version_file
            && context.files.entry(path).is_some()
            && is_below(path, &image.directory)
        {
            let file = file_name(path);
            let message = format!("{} had its version in {file}, and none can be found there now", image.name);
            let help = "write the version as it was written, or teach the pack how it is written now";
            let location = Location::file(path);
            diagnostics.push(Diagnostic::about("gone", message, location).image(&image.name).help(help));
        }
    }
    diagnostics
}
