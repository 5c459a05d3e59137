//! What a Dockerfile takes from the build's context: by COPY and ADD, by mounts, and by way of stages into which all of it is copied.
//!
//! The measure is `frontend/dockerfile/dockerfile2llb/convert_copy.go`.

use std::borrow::Cow;

use super::instruction::Keyword;
use super::stage::{Copy, Dockerfile, Instruction, Stage, Word};
use crate::path::{in_directory, is_below, without_directory};

/// A path that is taken from the context.
#[derive(Debug, Clone)]
pub struct ContextSource<'d> {
    /// The word that names it.
    pub word: &'d Word,
    /// What that names, with slashes. Of what is copied from a stage it is the path that it had in the context.
    pub path: Cow<'d, str>,
    /// Whether that is all of its path. Else more may stand before it: it lies where only the image knows that its stage is built from.
    pub is_whole: bool,
}

/// A directory of a stage into which the whole context was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    /// Its path, without a slash at either end.
    directory: String,
    /// Whether that begins at the root. Else it lies in a directory that only the image knows which the stage is built from.
    is_absolute: bool,
}

/// What is known of the files of a stage.
#[derive(Debug, Clone, Default)]
struct Files {
    /// Where the whole context lies.
    contexts: Vec<Place>,
    /// Where relative paths begin.
    workdir: Place,
}

/// How many places of a stage are told apart.
const MAX_PLACES: usize = 16;

impl Place {
    /// The place that a path names from here.
    fn join(&self, path: &str) -> Self {
        let is_absolute = path.starts_with('/');
        let joined = if is_absolute { path.to_owned() } else { in_directory(&self.directory, path) };
        Self { directory: clean(&joined), is_absolute: is_absolute || self.is_absolute }
    }

    /// The part of the context that a path of the stage names, as far as that is known; none of it is named with all of it.
    fn part<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.is_absolute {
            let is_within = is_below(path, &self.directory) && path != self.directory;
            return is_within.then(|| without_directory(path, &self.directory));
        }
        let mut parts = path.split('/').collect::<Vec<_>>();
        let name = parts.pop().filter(|name| !name.is_empty())?;
        let is_above = self.directory.split('/').all(|part| part.is_empty() || parts.contains(&part));
        is_above.then_some(name)
    }
}

impl Files {
    fn add(&mut self, place: Place) {
        if self.contexts.contains(&place) {
            return;
        }
        // Of so many the last is that they may be anywhere.
        let place = if self.contexts.len() < MAX_PLACES { place } else { Place::default() };
        if self.contexts.len() <= MAX_PLACES {
            self.contexts.push(place);
        }
    }
}

impl Stage {
    /// A path that COPY or ADD names in this stage, as buildkit reads it: of Windows it takes off the drive and turns the slashes.
    pub fn copied_path<'w>(&self, word: &'w Word) -> Cow<'w, str> {
        self.slashed(&word.value)
    }

    fn slashed<'p>(&self, path: &'p str) -> Cow<'p, str> {
        if self.built_for.as_ref().is_some_and(|platform| !platform.is_windows()) {
            return Cow::Borrowed(path);
        }
        let path = match path.split_once(':') {
            Some((drive, rest)) if drive.eq_ignore_ascii_case("c") => rest,
            _ => path,
        };
        if path.contains('\\') { Cow::Owned(path.replace('\\', "/")) } else { Cow::Borrowed(path) }
    }
}

impl Dockerfile {
    /// The paths that it takes from the build's context: what COPY and ADD name, and the sources of bind mounts.
    pub fn context_sources(&self) -> Vec<ContextSource<'_>> {
        let mut sources = Vec::new();
        let mut stages: Vec<Files> = Vec::new();
        for stage in &self.stages {
            let files = stage.continues.and_then(|number| stages.get(number)).cloned();
            let mut files = files.unwrap_or_default();
            if &*stage.image.value == "scratch" && stage.continues.is_none() {
                files.workdir = Place { directory: String::new(), is_absolute: true };
            }
            for instruction in &stage.instructions {
                self.add_mounted(instruction, &stages, &mut sources);
                if let Some(copy) = instruction.copy.as_deref() {
                    self.add_copied(stage, copy, &stages, &mut files, &mut sources);
                }
                if instruction.keyword == Keyword::Workdir {
                    files.workdir = match &instruction.arguments {
                        // Only the build knows where.
                        path if path.contains('$') => Place::default(),
                        path => files.workdir.join(&stage.slashed(path)),
                    };
                }
            }
            stages.push(files);
        }
        sources
    }

    fn add_copied<'d>(
        &'d self,
        stage: &Stage,
        copy: &'d Copy,
        stages: &[Files],
        files: &mut Files,
        sources: &mut Vec<ContextSource<'d>>,
    ) {
        let destination = stage.copied_path(&copy.destination);
        let into = files.workdir.join(&destination);
        let Some(from) = &copy.from else {
            for word in &copy.sources {
                let path = stage.copied_path(word);
                if is_whole_context(&path) {
                    files.add(into.clone());
                }
                sources.push(ContextSource { word, path, is_whole: true });
            }
            return;
        };
        let Some(earlier) = self.stage(&from.value).and_then(|number| stages.get(number)) else { return };
        for word in &copy.sources {
            let path = clean(&stage.copied_path(word));
            for context in &earlier.contexts {
                add_parts(word, &path, context, sources);
                if context.is_absolute && is_below(&context.directory, &path) {
                    files.add(into.join(without_directory(&context.directory, &path)));
                }
            }
        }
    }

    fn add_mounted<'d>(&'d self, instruction: &'d Instruction, stages: &[Files], sources: &mut Vec<ContextSource<'d>>) {
        for mount in &instruction.mounts {
            let Some(word) = &mount.source else { continue };
            match &mount.from {
                None if mount.kind == "bind" => {
                    sources.push(ContextSource { word, path: Cow::Borrowed(word.value.as_str()), is_whole: true });
                }
                None => {}
                Some(from) => {
                    let earlier = self.stage(&from.value).and_then(|number| stages.get(number));
                    for context in earlier.iter().flat_map(|earlier| &earlier.contexts) {
                        add_parts(word, &clean(&word.value), context, sources);
                    }
                }
            }
        }
    }
}

/// Adds what a path of a stage names of the context that lies there.
fn add_parts<'d>(word: &'d Word, path: &str, context: &Place, sources: &mut Vec<ContextSource<'d>>) {
    if let Some(part) = context.part(path) {
        sources.push(ContextSource { word, path: Cow::Owned(part.to_owned()), is_whole: context.is_absolute });
    }
}

/// A path without the parts that lead nowhere, and without a slash at either end. Nothing lies above the root.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether a path, which may be an address, lies elsewhere than in the context.
fn is_address(source: &str) -> bool {
    source.contains("://") || source.starts_with("git@")
}

fn is_whole_context(source: &str) -> bool {
    !is_address(source) && matches!(&*clean(source), "" | "*" | "**" | "**/*")
}

/// A source of COPY or ADD as a path from the root of the context, above which nothing lies; `None` for an address and for what takes
/// the whole context.
pub fn context_path(source: &str) -> Option<String> {
    (!is_address(source) && !is_whole_context(source)).then(|| clean(source))
}
