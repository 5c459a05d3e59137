//! What the context of a build holds: `.dockerignore` leaves files of an image out, and Dockerfiles name those that they take.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::build::{Build, ParseError};
use super::image::Image;
use crate::finding::Location;
use crate::parse::dockerfile::{ContextSource, context_path};
use crate::parse::dockerignore::{self, DockerIgnore};
use crate::parse::helmignore::HelmIgnore;
use crate::parse::wildcard::PathSet;
use crate::path::{directories_above, in_directory, is_below, without_directory};
use crate::shape::Shape;
use crate::snapshot::{Snapshot, StoreError};
use crate::text::Text;

/// A file that says what the context of a build leaves out.
#[derive(Debug, Clone)]
pub struct IgnoreFile {
    /// Its path.
    pub path: Arc<str>,
    /// Its text.
    pub text: Arc<Text>,
    /// What it says.
    pub patterns: DockerIgnore,
}

/// The file that says what the context leaves out when a Dockerfile is built: its own, or the one of the image.
pub fn ignore_file(
    image: &Image,
    build: &Build,
    files: &Snapshot<'_>,
) -> Result<Option<Result<IgnoreFile, ParseError>>, StoreError> {
    let own = [&build.path, dockerignore::SUFFIX].concat();
    let of_image = in_directory(&image.context, dockerignore::FILE);
    for path in [own, of_image] {
        let Some(read) = files.text(&path)? else { continue };
        let path: Arc<str> = path.into();
        let text = match read {
            Ok(text) => text,
            Err(why) => {
                return Ok(Some(Err(ParseError { location: Location::file(&path), reason: format!("it {why}") })));
            }
        };
        return Ok(Some(match DockerIgnore::parse(&text) {
            Ok(patterns) => Ok(IgnoreFile { path, text, patterns }),
            Err(dockerignore::DockerIgnoreError { message, span }) => {
                Err(ParseError { location: Location::new(&path, &text, span), reason: message.to_owned() })
            }
        }));
    }
    Ok(None)
}

/// A place that says what an image is built from in a way that cannot be resolved.
#[derive(Debug, Clone)]
pub struct Unknown {
    /// The place.
    pub location: Location,
    /// Why nobody can tell.
    pub why: &'static str,
}

/// What the Dockerfiles of an image take from their contexts, and what is in these.
#[derive(Debug, Default)]
pub(super) struct BuildContexts {
    contexts: Vec<BuildContext>,
    /// What is left out when the image is packed, where the shape says that a file tells: in each tree, in the order of these.
    unpacked: Vec<HelmIgnore>,
    /// Their directory, below the image's.
    directory: String,
}

#[derive(Debug)]
struct BuildContext {
    left_out: Option<DockerIgnore>,
    taken: PathSet,
    open: Vec<OpenSource>,
}

/// What is taken from the context, where only the build knows which file that is.
#[derive(Debug)]
struct OpenSource {
    /// How its path begins.
    start: String,
    /// How it ends.
    end: String,
    unknown: Unknown,
}

impl BuildContexts {
    /// Adds the Dockerfiles of an image in one of the trees.
    pub(super) fn add(&mut self, image: &Image, files: &Snapshot<'_>, shape: &Shape) -> Result<(), StoreError> {
        self.unpacked.extend(unpacked(image, files, shape)?);
        without_directory(&image.context, &image.directory).clone_into(&mut self.directory);
        // One file may be built for several platforms, and name other paths for each.
        let mut known: HashMap<&Arc<str>, usize> = HashMap::new();
        for build in &image.builds {
            let number = known.get(&build.path).copied().unwrap_or(self.contexts.len());
            if number == self.contexts.len() {
                // Of what cannot be read it is not known that it leaves something out.
                let left_out = ignore_file(image, build, files)?.and_then(Result::ok).map(|file| file.patterns);
                self.contexts.push(BuildContext { left_out, taken: PathSet::default(), open: Vec::new() });
                known.insert(&build.path, number);
            }
            add_taken(image, build, files, &mut self.contexts[number])?;
            add_open(build, &mut self.contexts[number].open);
        }
        Ok(())
    }

    /// Whether a Dockerfile takes a file by its name, by a directory, or by a pattern that is narrower than the whole context.
    pub(super) fn take(&self, below: &str) -> bool {
        let Some(below) = self.within(below) else { return false };
        self.contexts.iter().any(|context| context.taken.covers(below) && context.has(below))
    }

    /// Why it cannot be told whether a Dockerfile takes a file, if so.
    pub(super) fn may_take(&self, below: &str) -> Option<&Unknown> {
        let mut with_file = self.contexts.iter().filter(|context| context.has(below));
        with_file
            .find_map(|context| context.open.iter().find(|source| source.may_be(below)))
            .map(|source| &source.unknown)
    }

    /// Whether there is a context, and a file is in none; or whether it is left out when the image is packed, in one of the trees, by
    /// the order in which they were added. One that is like the one before need not be.
    pub(super) fn leave_out(&self, tree: usize, below: &str) -> bool {
        let unpacked = self.unpacked.get(tree).or(self.unpacked.last());
        if unpacked.is_some_and(|file| file.leaves_out(below)) {
            return true;
        }
        let Some(below) = self.within(below) else { return true };
        !self.contexts.is_empty() && !self.contexts.iter().any(|context| context.has(below))
    }

    /// The path in the context of a file that is given by its path below the image's directory; `None` for what lies beside it.
    fn within<'p>(&self, below: &'p str) -> Option<&'p str> {
        is_below(below, &self.directory).then(|| without_directory(below, &self.directory))
    }
}

/// What is left out of an image when it is packed, where its shape says that a file tells. Of a file that cannot be read it is not
/// known that it leaves something out.
fn unpacked(image: &Image, files: &Snapshot<'_>, shape: &Shape) -> Result<Option<HelmIgnore>, StoreError> {
    let Some(file) = &shape.ignore_file else { return Ok(None) };
    let text = files.text(&in_directory(&image.directory, file.name()))?.and_then(Result::ok);
    Ok(Some(text.and_then(|text| HelmIgnore::parse(&text).ok()).unwrap_or_default()))
}

impl BuildContext {
    fn has(&self, below: &str) -> bool {
        self.left_out.as_ref().is_none_or(|file| file.leaves_out(below).is_none())
    }
}

impl OpenSource {
    /// Whether it may be a file, or a directory above it.
    fn may_be(&self, below: &str) -> bool {
        let mut paths = directories_above(below).chain([below]);
        below.starts_with(&self.start) && paths.any(|path| path.ends_with(&self.end))
    }
}

/// Adds what a Dockerfile takes although nobody knows what that is: it has variables that only the build knows, or cannot be read.
fn add_open(build: &Build, open: &mut Vec<OpenSource>) {
    let parsed = match &build.file {
        Ok(parsed) => parsed,
        Err(unparsed) => {
            let unknown = Unknown { location: unparsed.location.clone(), why: "its Dockerfile cannot be read" };
            open.push(OpenSource { start: String::new(), end: String::new(), unknown });
            return;
        }
    };
    for ContextSource { word, path, is_whole } in parsed.dockerfile.context_sources() {
        let value = &*path;
        if !is_whole {
            // All that a stage made in some directory is no part of the context by its name.
            let Some(end) = value.rsplit(['*', '?', ']']).next().filter(|end| !end.is_empty()) else { continue };
            let location = Location::new(&build.path, &parsed.text, word.span.clone());
            let why = "only the image that a stage is built from knows where the context lies in it";
            open.push(OpenSource { start: String::new(), end: end.to_owned(), unknown: Unknown { location, why } });
            continue;
        }
        let (Some(first), Some(last)) = (value.find('$'), value.rfind('$')) else { continue };
        if word.unknown.is_empty() || value.contains("://") {
            continue;
        }
        let is_name = |character: char| character.is_alphanumeric() || matches!(character, '_' | '{' | '}' | '$');
        let end = value[last..].trim_start_matches(is_name);
        let location = Location::new(&build.path, &parsed.text, word.span.clone());
        open.push(OpenSource {
            start: value[..first].trim_start_matches(['.', '/']).to_owned(),
            end: if is_plain(end) { end.trim_matches('/').to_owned() } else { String::new() },
            unknown: Unknown { location, why: "only the build knows what it copies" },
        });
    }
}

/// Adds what a Dockerfile takes from its context, and where that is a link, what it leads to.
fn add_taken(image: &Image, build: &Build, files: &Snapshot<'_>, context: &mut BuildContext) -> Result<(), StoreError> {
    let Ok(parsed) = &build.file else { return Ok(()) };
    let mut seen = HashSet::new();
    for source in parsed.dockerfile.context_sources().into_iter().filter(|source| source.is_whole) {
        let Some(path) = context_path(&source.path).filter(|path| seen.insert(path.clone())) else { continue };
        let mut is_looked_at = true;
        if is_plain(&path)
            && let Ok(real) = files.resolve(&in_directory(&image.context, &path))?
            && real != *image.context
            && is_below(&real, &image.context)
        {
            is_looked_at = context.taken.add(without_directory(&real, &image.context));
        }
        is_looked_at &= context.taken.add(&path);
        if !is_looked_at {
            let location = Location::new(&build.path, &parsed.text, source.word.span.clone());
            let unknown = Unknown { location, why: "more patterns stand before this one than are looked at" };
            context.open.push(OpenSource { start: String::new(), end: String::new(), unknown });
            break;
        }
    }
    Ok(())
}

/// Whether a path has no wildcards.
pub fn is_plain(path: &str) -> bool {
    !path.contains(['*', '?', '[', '\\'])
}
