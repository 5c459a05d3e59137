//! The files that say what an image is, once they are read: each with its text, and what it says or why it cannot be read.

use std::sync::Arc;

use crate::finding::Location;
use crate::parse::baseimage::Platform;
use crate::parse::dockerfile::{Copy, Dockerfile, Instruction, Stage, Traced, Word};
use crate::shape::FilesFollow;
use crate::snapshot::{Read, ReadError};
use crate::text::{Span, Text};

/// A file that says something about an image.
#[derive(Debug, Clone)]
pub struct Control<T> {
    /// Its path in the tree.
    pub path: Arc<str>,
    /// Its text and what it says; or why it has no text.
    pub read: Result<(Arc<Text>, T), ReadError>,
}

/// A Dockerfile as it is built for one operating system.
#[derive(Debug, Clone)]
pub struct Build {
    /// The Dockerfile, by its path in the tree.
    pub path: Arc<str>,
    /// The platform of the build; where several differ in nothing that matters here, the first.
    pub target: Platform,
    /// What the file says, or why it cannot be read.
    pub file: Result<Parsed, ParseError>,
}

impl Build {
    /// Why more of the file than a single instruction could not be read, if so.
    pub fn error(&self) -> Option<&str> {
        match &self.file {
            Ok(parsed) => parsed.dockerfile.errors.iter().find(|error| error.hides_more).map(|error| &*error.message),
            Err(error) => Some(&error.reason),
        }
    }

    /// The text of the file, where it has one.
    pub fn text(&self) -> Option<&Arc<Text>> {
        match &self.file {
            Ok(parsed) => Some(&parsed.text),
            Err(error) => error.location.text.as_ref(),
        }
    }
}

/// A Dockerfile that could be read.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// Its text.
    pub text: Arc<Text>,
    /// What it says to this build.
    pub dockerfile: Arc<Dockerfile>,
}

/// A file of a build that could not be read as what it is.
#[derive(Debug, Clone)]
pub struct ParseError {
    /// What is wrong, as a finding says it.
    pub reason: String,
    /// Where, as far as that can be told.
    pub location: Location,
}

impl<T> Control<T> {
    pub(super) fn new((path, read): (Arc<str>, Read), parse: impl FnOnce(&Text) -> T) -> Self {
        let parsed = read.map(|text| {
            let value = parse(&text);
            (text, value)
        });
        Self { path, read: parsed }
    }

    /// What the file says, where it could be read.
    pub fn value(&self) -> Option<&T> {
        self.read.as_ref().ok().map(|(_, value)| value)
    }

    /// A place in the file; the file as a whole where it has no text.
    pub fn location(&self, span: impl FnOnce(&T) -> Span) -> Location {
        match &self.read {
            Ok((text, value)) => Location::new(&self.path, text, span(value)),
            Err(_) => Location::file(&self.path),
        }
    }
}

/// A file that holds the value of an argument of the build.
#[derive(Debug, Clone)]
pub struct Argument {
    /// The name of the argument, as in ARG.
    pub name: String,
    /// The file that its value stands in, by its path in the tree.
    pub path: Arc<str>,
    /// Its text.
    pub text: Arc<Text>,
    /// Where in it the value stands.
    pub span: Span,
    /// The value: of several that the argument may have, one.
    pub value: Traced,
    /// When an image that it names is followed.
    pub follows: FilesFollow,
}

impl Argument {
    /// Whether a word of a Dockerfile has the argument in it.
    pub(super) fn is_in(&self, word: &str) -> bool {
        let mut variables = word.split('$').skip(1).map(|rest| rest.trim_start_matches('{'));
        variables.any(|rest| {
            let after = rest.strip_prefix(self.name.as_str());
            after.is_some_and(|after| !after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_'))
        })
    }
}

/// Whether a Dockerfile asks for an argument: in the text, as one that cannot be parsed may ask for it, too.
pub(super) fn declares(text: &Text, name: &str) -> bool {
    for (_, line) in text.lines() {
        let mut words = line.split_whitespace();
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("ARG"))
            && words.any(|word| word.split('=').next() == Some(name))
        {
            return true;
        }
    }
    false
}

/// The last stage of a build: what the image is.
#[derive(Clone)]
pub struct Final<'a> {
    /// The Dockerfile.
    pub path: &'a Arc<str>,
    /// Its text.
    pub text: &'a Arc<Text>,
    /// All that it says.
    pub dockerfile: &'a Dockerfile,
    /// The stage, and behind it those that it continues.
    pub stages: Vec<&'a Stage>,
}

impl<'a> Final<'a> {
    /// The instructions that make the image.
    pub fn instructions(&self) -> impl Iterator<Item = &'a Instruction> {
        self.stages.iter().flat_map(|stage| &stage.instructions)
    }

    /// What COPY and ADD bring into the image, with their instructions.
    pub fn copies(&self) -> impl Iterator<Item = (&'a Instruction, &'a Copy)> {
        self.stages.iter().flat_map(|stage| stage.copies())
    }

    /// The place of what COPY or ADD brings.
    pub fn location(&self, instruction: &Instruction, copy: &Copy) -> Location {
        Location::new(self.path, self.text, instruction.span.start..copy.destination.span.end)
    }

    /// The image that all of this is put on.
    pub fn base(&self) -> Option<&'a Word> {
        self.stages.last().map(|stage| &stage.image)
    }
}
