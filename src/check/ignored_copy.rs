//! `ignored-copy`: what a Dockerfile copies must be in the context of the build, and `.dockerignore` may leave it out.

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Concern, Context, Files, Kind, Needs, Outside, Reads, once};
use crate::finding::{Diagnostic, Location};
use crate::model::build_context::{IgnoreFile, ignore_file, is_plain};
use crate::model::{Build, Image, ParseError, Parsed};
use crate::parse::dockerfile::{ContextSource, context_path};
use crate::parse::dockerignore;
use crate::path::{file_name, in_directory};
use crate::snapshot::StoreError;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IgnoredCopy {}

impl Kind for IgnoredCopy {
    fn needs(&self) -> Needs<'_> {
        Needs {
            files: Reads::Files(self),
            dockerfiles: Some(Concern::Itself),
            outside: Outside::Nothing,
            pattern: None,
        }
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        for image in context.model.images.values() {
            for build in &image.builds {
                judge(context, image, build, &mut diagnostics)?;
            }
        }
        // One file may be built for several platforms.
        Ok(once(diagnostics))
    }
}

impl Files for IgnoredCopy {
    fn contain(&self, path: &str) -> bool {
        file_name(path).ends_with(dockerignore::SUFFIX)
    }
}

fn judge(
    context: &Context<'_>,
    image: &Image,
    build: &Build,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(), StoreError> {
    let ignored = match ignore_file(image, build, context.files)? {
        None => return Ok(()),
        Some(Ok(ignored)) => ignored,
        Some(Err(ParseError { location, reason })) => {
            let message = format!("{} of {} cannot be read: {reason}", file_name(&location.path), image.name);
            diagnostics.push(Diagnostic::about("unread", message, location).image(&image.name));
            return Ok(());
        }
    };
    let Ok(parsed) = &build.file else { return Ok(()) };
    for stage in &parsed.dockerfile.stages {
        // What ONBUILD copies is taken from the context of another image.
        let copies = stage.copies().filter(|(instruction, copy)| copy.from.is_none() && !instruction.is_onbuild);
        for source in copies.flat_map(|(_, copy)| &copy.sources) {
            diagnostics.extend(left_out(
                context,
                image,
                build,
                parsed,
                &ignored,
                &ContextSource { word: source, path: stage.copied_path(source), is_whole: true },
            ));
        }
    }
    Ok(())
}

/// Tells of a source that is not in the context. Of a pattern there may be other files, of a variable nobody knows, and below a
/// directory something may be brought back.
fn left_out(
    context: &Context<'_>,
    image: &Image,
    build: &Build,
    parsed: &Parsed,
    ignored: &IgnoreFile,
    source: &ContextSource<'_>,
) -> Option<Diagnostic> {
    let path = context_path(&source.path).filter(|path| is_plain(path) && !path.contains('$'))?;
    let pattern = ignored.patterns.leaves_out(&path)?;
    let is_file = context.files.entry(&in_directory(&image.context, &path)).is_some();
    if !is_file && ignored.patterns.may_bring_back_below(&path) {
        return None;
    }
    let name = file_name(&ignored.path);
    let message = format!("{} copies {path}, which {name} leaves out: the build fails", image.name);
    let location = Location::new(&build.path, &parsed.text, source.word.span.clone());
    let diagnostic = Diagnostic::about(format!("{path} {name}"), message, location).image(&image.name);
    let help = format!("add a line to {name} that brings it back, `!{path}`, or copy it no longer");
    Some(diagnostic.help(help).related("this leaves it out", Location::new(&ignored.path, &ignored.text, pattern)))
}
