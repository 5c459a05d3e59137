//! Places where an image names another image of the same tree.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::build::{Argument, Build, Control, Parsed};
use crate::finding::Location;
use crate::parse::baseimage::{Line, Platform};
use crate::parse::dockerfile::{Dockerfile, Traced, Word};
use crate::parse::range::{self, Range};
use crate::shape::{FilesFollow, Precision, Prefix, Shape, without_default_host};
use crate::text::{Span, Text};

/// A place where an image names another image of the tree with a tag.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The name of the other image.
    pub target: String,
    /// The version of it that is named; `None` where there is no tag, a variable stands in it, or it names no version.
    pub version: Option<String>,
    /// The file that it is written in, by its path in the tree.
    pub path: Arc<str>,
    /// All of that file.
    pub text: Arc<Text>,
    /// The whole reference.
    pub span: Span,
    /// Where the version stands, maybe in the default of a variable; the end of the reference where there is none.
    pub version_span: Span,
    /// The variables in the tag whose values only the build knows.
    pub unknown: Vec<String>,
    /// The platform at the end of the tag, and where it stands.
    pub suffix: Option<(String, Span)>,
    /// Which versions are named by what stands there.
    pub naming: Naming,
    /// When it follows a new version.
    pub follows: FilesFollow,
    /// Whether the version can be rewritten where it stands.
    pub writing: Writing,
    /// Where it stands.
    pub written_in: WrittenIn,
}

/// Which versions are named by what stands in the place of one.
#[derive(Debug, Clone)]
pub enum Naming {
    /// One version, all of it or as much as is enough.
    Tag(Precision),
    /// All versions of a range.
    Range(Range),
}

impl Naming {
    /// Whether a version is named.
    pub fn names(&self, named: &str, version: &str) -> bool {
        match self {
            Self::Tag(precision) => precision.is_named(named, version),
            Self::Range(range) => range.has(version),
        }
    }

    /// What is to be written for another version; `None` where that cannot be told.
    pub fn moved(&self, named: &str, version: &str) -> Option<String> {
        match self {
            Self::Tag(precision) => Some(precision.written_like(named, version)),
            Self::Range(_) => range::moved(named, version),
        }
    }

    /// Whether no more than one version is named, as far as it is told.
    pub fn is_exact(&self) -> bool {
        match self {
            Self::Tag(_) => true,
            Self::Range(range) => range.is_exact(),
        }
    }
}

/// How the version of a reference is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Writing {
    /// As it is.
    Literal,
    /// As the default of a variable, which a build may overrule.
    Default,
    /// With a digest behind it, which decides what is pulled.
    Digest,
    /// Without what stands before versions in other tags.
    Unprefixed,
    /// By variables, in a way that only the build knows.
    Computed,
}

/// Where a reference stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrittenIn {
    /// In a line of a base file, under this platform.
    Base(Platform),
    /// In a FROM.
    From,
    /// In a `COPY --from`, or in the `from` of a mount.
    Copy,
    /// In another file of the image, as in the values of a chart.
    File,
}

impl Reference {
    /// The place of the whole reference.
    pub fn location(&self) -> Location {
        Location::new(&self.path, &self.text, self.span.clone())
    }

    /// The place of the version.
    pub fn version_location(&self) -> Location {
        Location::new(&self.path, &self.text, self.version_span.clone())
    }

    /// Whether it names a version, as far as it must.
    pub fn names(&self, version: &str) -> bool {
        self.version.as_deref().is_some_and(|named| self.naming.names(named, version))
    }

    /// What tells it from other references of its file that are at fault alike: of a base file nothing does, they are one finding; of
    /// a Dockerfile each is its own, told by the offset of its version, as a waiver in it is of one line.
    pub fn group_key(&self) -> usize {
        if matches!(self.written_in, WrittenIn::Base(_)) { 0 } else { self.version_span.start }
    }

    fn version_use(&self) -> Use {
        Use { path: Arc::clone(&self.path), start: self.version_span.start }
    }

    /// The image that a word of a Dockerfile names.
    fn of_word(path: &Arc<str>, parsed: &Parsed, word: &Word, shape: &Shape, written_in: WrittenIn) -> Option<Self> {
        let mut reference = Self::parse(path, &parsed.text, &word.value, &word.span, shape, written_in)?;
        if reference.version.is_none() && word.value.contains(':') {
            reference.unknown.clone_from(&word.unknown);
            // What stands before the tag names the image, and is known.
            reference.unknown.retain(|name| !shape.registry_variables().any(|registry| registry == name));
        }
        // What somebody else's image is named by, too, cannot be rewritten for one of ours.
        if reference.writing == Writing::Default
            && is_used_by_others(&parsed.dockerfile, &reference.version_span, shape)
        {
            reference.writing = Writing::Computed;
            reference.version_span = reference.span.clone();
        }
        Some(reference)
    }

    /// The same, in the file that gives the build what is named: it is written there, and in no Dockerfile.
    fn where_written(self, word: &str, arguments: &[Argument], shape: &Shape) -> Self {
        for argument in arguments.iter().filter(|argument| argument.is_in(word)) {
            let Argument { path, text, span, value, follows, .. } = argument;
            let whole = of_argument(argument, shape, self.written_in.clone());
            if let Some(whole) = whole.filter(|whole| whole.target == self.target && whole.version == self.version) {
                return Self { follows: *follows, ..whole };
            }
            if self.version.as_deref() == Some(value.as_str())
                && self.writing == Writing::Computed
                && let Some(version_span) = value.span(0..value.len())
            {
                let (path, text) = (Arc::clone(path), Arc::clone(text));
                return Self { path, text, span: span.clone(), version_span, writing: Writing::Literal, ..self };
            }
        }
        self
    }

    fn parse(
        path: &Arc<str>,
        text: &Arc<Text>,
        value: &Traced,
        whole: &Span,
        shape: &Shape,
        written_in: WrittenIn,
    ) -> Option<Self> {
        let raw = value.as_str();
        let hosted = without_default_host(raw);
        let mut prefixes = shape.registries.iter();
        let Tagged { target, tag } = prefixes.find_map(|prefix| Tagged::behind(prefix, hosted))?;
        // Behind the tag, only a digest follows.
        let tag_start = raw.find('@').unwrap_or(raw.len()) - tag.len();
        let untagged = if shape.platform_suffix { without_platform(tag, &written_in) } else { tag };
        let suffix = tag[untagged.len()..].strip_prefix('-').and_then(|suffix| {
            let span = value.span(tag_start + untagged.len() + 1..tag_start + tag.len())?;
            Some((suffix.to_owned(), span))
        });
        let version = untagged.strip_prefix(&*shape.tag_prefix).filter(|version| !version.is_empty());
        let is_prefixed = version.is_some();
        let tagged = version.unwrap_or(untagged);
        let version_start = tag_start + untagged.len() - tagged.len();
        let version = shape.precision.named(tagged).unwrap_or(tagged);
        let version_range = version_start..version_start + version.len();
        let span = value.span(version_range.clone());
        let writing = match &span {
            _ if raw.contains('@') => Writing::Digest,
            _ if !is_prefixed => Writing::Unprefixed,
            Some(_) if value.is_overridable(version_range) => Writing::Default,
            Some(_) => Writing::Literal,
            None => Writing::Computed,
        };
        let is_number = !version.contains('$') && shape.precision.named(tagged).is_some();
        let is_named = is_number && !shape.floating.is_match(untagged);
        let elsewhere = if version.is_empty() { whole.end..whole.end } else { whole.clone() };
        Some(Self {
            target,
            version: is_named.then(|| version.to_owned()),
            path: Arc::clone(path),
            text: Arc::clone(text),
            span: whole.clone(),
            version_span: span.unwrap_or(elsewhere),
            unknown: Vec::new(),
            suffix,
            naming: Naming::Tag(shape.precision),
            follows: FilesFollow::SameChange,
            writing,
            written_in,
        })
    }
}

/// What stands behind a registry that is listed.
struct Tagged<'n> {
    target: String,
    /// Empty where there is none.
    tag: &'n str,
}

impl<'n> Tagged<'n> {
    fn behind(prefix: &Prefix, reference: &'n str) -> Option<Self> {
        let name = prefix.strip(reference)?.split('@').next().unwrap_or_default();
        let (name, tag) = name.rsplit_once(':').unwrap_or((name, ""));
        let target = prefix.target(name).filter(|_| !name.contains('$'))?;
        Some(Self { target, tag })
    }
}

/// Whether the images of others are named by what stands in a part of the file, too.
fn is_used_by_others(dockerfile: &Dockerfile, span: &Span, shape: &Shape) -> bool {
    let mut images = dockerfile.stages.iter().map(|stage| &stage.image.value);
    images.any(|image| image.touches(span) && !is_own(without_default_host(image), shape))
}

const QUOTES: [char; 2] = ['"', '\''];

/// The tag without the platform at its end, which variables of the build may stand for. Versions hold dashes themselves, so the
/// suffix that the line's key gives is taken first, and else what begins with an operating system.
fn without_platform<'t>(tag: &'t str, written_in: &WrittenIn) -> &'t str {
    if let WrittenIn::Base(platform) = written_in
        && let Some(version) = tag.strip_suffix(&platform.suffix()).and_then(|version| version.strip_suffix('-'))
    {
        return version;
    }
    let begin = [tag.rfind("-linux-"), tag.rfind("-windows-"), tag.find("-$")].into_iter().flatten().min();
    begin.map_or(tag, |begin| &tag[..begin])
}

/// The tag without a platform at its end, whichever that is.
pub(super) fn without_any_platform(tag: &str) -> &str {
    without_platform(tag, &WrittenIn::From)
}

/// The names, without host and tag, that a base file and Dockerfiles give to images.
pub(super) fn names(base: Option<&Control<Vec<Line>>>, builds: &[Build]) -> Vec<String> {
    let mut names = Vec::new();
    let lines = base.into_iter().filter_map(Control::value).flatten();
    for value in lines.filter_map(|line| line.value.as_deref()) {
        names.push(plain_name(value));
    }
    for Parsed { dockerfile, .. } in builds.iter().filter_map(|build| build.file.as_ref().ok()) {
        for stage in &dockerfile.stages {
            names.push(plain_name(&stage.image.value));
            let from_images = stage.copied_from().filter(|from| dockerfile.stage(&from.value).is_none());
            names.extend(from_images.map(|from| plain_name(&from.value)));
        }
    }
    names
}

/// A reference to an image without its tag, its digest and the default host.
fn plain_name(reference: &str) -> String {
    without_default_host(without_tag(reference)).to_owned()
}

pub(super) fn is_own(name: &str, shape: &Shape) -> bool {
    shape.registries.iter().any(|prefix| prefix.strip(name).is_some())
}

/// A reference to an image without its tag and its digest.
pub fn without_tag(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or_default();
    // A colon before the last slash belongs to a port.
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    }
}

/// All references of an image, in the order of its files.
pub(super) fn of_image(
    base: Option<&Control<Vec<Line>>>,
    builds: &[Build],
    arguments: &[Argument],
    shape: &Shape,
) -> Vec<Reference> {
    let mut references: Vec<Reference> = Vec::new();
    if let Some(base) = base
        && let Ok((text, lines)) = &base.read
    {
        for line in lines {
            if let Some(platform) = Platform::parse(&line.key) {
                references.extend(of_line(&base.path, text, &line.value_span, shape, WrittenIn::Base(platform)));
            }
        }
    }
    // One file may be built for several platforms.
    let mut seen = HashSet::new();
    for build in builds {
        let Ok(parsed) = &build.file else { continue };
        for reference in of_build(&build.path, parsed, arguments, shape) {
            let tag = (reference.target.clone(), reference.version.clone());
            if seen.insert((Arc::clone(&build.path), reference.span.start, tag)) {
                references.push(reference);
            }
        }
    }
    share(&mut references);
    references
}

/// The reference that stands in a line of a base file.
fn of_line(path: &Arc<str>, text: &Arc<Text>, span: &Span, shape: &Shape, written_in: WrittenIn) -> Option<Reference> {
    let written = text.slice(span);
    let start = span.start + (written.len() - written.trim_start_matches(QUOTES).len());
    let written = written.trim_matches(QUOTES);
    let span = start..start + written.len();
    Reference::parse(path, text, &Traced::at(written, start), &span, shape, written_in)
}

/// The reference that is the value of an argument.
fn of_argument(argument: &Argument, shape: &Shape, written_in: WrittenIn) -> Option<Reference> {
    let Argument { path, text, span, value, .. } = argument;
    let written = value.trim_matches(QUOTES);
    let start = value.len() - value.trim_start_matches(QUOTES).len();
    Reference::parse(path, text, &value.part(start..start + written.len()), span, shape, written_in)
}

/// The references in one build of a Dockerfile.
fn of_build(path: &Arc<str>, parsed: &Parsed, arguments: &[Argument], shape: &Shape) -> Vec<Reference> {
    let mut words: Vec<(&Word, WrittenIn)> = Vec::new();
    for stage in &parsed.dockerfile.stages {
        if stage.continues.is_none() {
            words.push((&stage.image, WrittenIn::From));
        }
        for from in stage.copied_from().filter(|from| parsed.dockerfile.stage(&from.value).is_none()) {
            words.push((from, WrittenIn::Copy));
        }
    }
    let mut references = Vec::new();
    for (word, written_in) in words {
        if let Some(reference) = Reference::of_word(path, parsed, word, shape, written_in) {
            references.push(reference.where_written(parsed.text.slice(&word.span), arguments, shape));
        }
    }
    references
}

/// Where a version stands.
#[derive(PartialEq, Eq, Hash)]
struct Use {
    path: Arc<str>,
    start: usize,
}

/// What one default says of several images cannot be rewritten for one of them, nor where a digest stands behind it.
fn share(references: &mut [Reference]) {
    let mut targets: HashMap<Use, HashSet<Option<String>>> = HashMap::new();
    for reference in references.iter() {
        // A digest is never for what the default is for.
        let target = Some(reference.target.clone()).filter(|_| reference.writing != Writing::Digest);
        targets.entry(reference.version_use()).or_default().insert(target);
    }
    for reference in references.iter_mut().filter(|reference| reference.writing == Writing::Default) {
        if targets.get(&reference.version_use()).is_some_and(|targets| targets.len() > 1) {
            reference.writing = Writing::Computed;
        }
    }
}
