//! Places where an image names another image of the same tree.

use std::sync::Arc;

use super::{Control, Image, Parsed};
use crate::finding::Place;
use crate::parse::baseimage::Platform;
use crate::parse::dockerfile::{Stage, Word};
use crate::shape::{Shape, without_default_host};
use crate::text::{Span, Text};

/// A place where an image names another image of the tree with a tag.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The name of the other image.
    pub target: String,
    /// The version of it that is named; `None` where there is no tag, a variable stands in it, or it names no version.
    pub version: Option<String>,
    /// The file.
    pub path: Arc<str>,
    /// Its text.
    pub text: Arc<Text>,
    /// The whole reference.
    pub span: Span,
    /// Where the version stands, maybe in the default of a variable; the end of the reference where there is none.
    pub version_span: Span,
    /// The platform at the end of the tag, and where it stands.
    pub suffix: Option<(String, Span)>,
    /// Whether the version can be rewritten where it stands.
    pub writing: Writing,
    /// Where it stands.
    pub origin: Origin,
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
pub enum Origin {
    /// In a line of a base file, under this platform.
    Base(Platform),
    /// In a FROM.
    From,
    /// In a `COPY --from`.
    Copy,
}

impl Reference {
    /// The place of the whole reference.
    pub fn place(&self) -> Place {
        Place::new(&self.path, &self.text, self.span.clone())
    }

    /// The place of the version.
    pub fn version_place(&self) -> Place {
        Place::new(&self.path, &self.text, self.version_span.clone())
    }

    /// Where the finding about it begins: of a base file, lines that are at fault alike are one finding; of a Dockerfile each is its
    /// own, as a waiver in it is of one line.
    pub fn subject(&self) -> usize {
        if matches!(self.origin, Origin::Base(_)) { 0 } else { self.version_span.start }
    }

    /// The image that a FROM names.
    fn of_from(path: &Arc<str>, parsed: &Parsed, image: &Word, shape: &Shape) -> Option<Self> {
        let Parsed { text, dockerfile, .. } = parsed;
        let written = text.slice(&image.span);
        let found = Self::parse(path, text, &image.span, shape, Origin::From);
        // What variables of the file stand for is known where they have defaults. A name may go on in the next line.
        if found.as_ref().is_some_and(|reference| reference.version.is_some()) && !written.contains('\n') {
            return found;
        }
        let value = dockerfile.with_defaults(&image.value);
        if value == written {
            return found;
        }
        Self::expanded(path, parsed, image, &value, shape).or(found)
    }

    /// A reference whose text is not what stands in the file: variables in it were replaced.
    fn expanded(path: &Arc<str>, parsed: &Parsed, image: &Word, value: &str, shape: &Shape) -> Option<Self> {
        let Parsed { text, dockerfile, .. } = parsed;
        let expanded = Arc::new(Text::from(value));
        let reference = Self::parse(path, &expanded, &(0..value.len()), shape, Origin::From)?;
        let here = Self { text: Arc::clone(text), span: image.span.clone(), suffix: None, ..reference };
        // The tag may stand there all the same, behind a variable.
        let tail = &value[here.version_span.start..];
        let end = image.span.start + text.slice(&image.span).trim_end_matches(QUOTES).len();
        if here.version.is_some() && text.slice(&(image.span.start..end)).ends_with(tail) {
            let start = end - tail.len();
            return Some(Self { version_span: start..start + here.version_span.len(), ..here });
        }
        // Or it is the default of one, alone or with the name before it.
        let argument = variable_of(&image.value).and_then(|name| dockerfile.argument(name));
        // What somebody else's image is named by, too, cannot be rewritten for one of ours.
        let argument = argument.filter(|argument| {
            let uses = |stage: &&Stage| {
                ["$", "${"].iter().any(|open| stage.image.value.contains(&format!("{open}{}", argument.name)))
            };
            let is_own =
                |stage: &Stage| is_own(without_default_host(&dockerfile.with_defaults(&stage.image.value)), shape);
            dockerfile.stages.iter().filter(uses).all(is_own)
        });
        let in_default = argument.and_then(|argument| {
            let default = argument.span.as_ref().filter(|_| argument.default.is_some())?;
            let whole = Self::parse(path, text, default, shape, Origin::From).map(|whole| whole.version_span);
            // It may be a part of the version alone.
            let prefix = if text.slice(default).starts_with(&*shape.tag_prefix) { shape.tag_prefix.len() } else { 0 };
            let span = whole.unwrap_or_else(|| default.start + prefix..default.end);
            (here.version.as_deref() == Some(text.slice(&span))).then_some(span)
        });
        let writing = match (here.writing, &in_default) {
            (Writing::Literal, Some(_)) => Writing::Default,
            (Writing::Literal, None) => Writing::Computed,
            (writing, _) => writing,
        };
        let version_span = in_default.unwrap_or_else(|| image.span.clone());
        Some(Self { version_span, writing, ..here })
    }

    fn parse(path: &Arc<str>, text: &Arc<Text>, span: &Span, shape: &Shape, origin: Origin) -> Option<Self> {
        let raw = text.slice(span);
        let start = span.start + (raw.len() - raw.trim_start_matches(QUOTES).len());
        let raw = raw.trim_matches(QUOTES);
        let hosted = without_default_host(raw);
        let mut prefixes = shape.registries.iter();
        let (name, directory) =
            prefixes.find_map(|prefix| Some((hosted.strip_prefix(prefix.text.as_str())?, &prefix.directory)))?;
        let name_start = start + (raw.len() - name.len());
        let name = name.split('@').next().unwrap_or_default();
        let (name, tag) = name.rsplit_once(':').map_or((name, None), |(name, tag)| (name, Some(tag)));
        if name.is_empty() || name.contains('$') {
            return None;
        }
        let tag_start = name_start + name.len() + usize::from(tag.is_some());
        let tag = tag.unwrap_or_default();
        let whole = if shape.platform_suffix { without_platform(tag, &origin) } else { tag };
        let suffix = tag[whole.len()..]
            .strip_prefix('-')
            .map(|suffix| (suffix.to_owned(), tag_start + whole.len() + 1..tag_start + tag.len()));
        let version = whole.strip_prefix(&*shape.tag_prefix).filter(|version| !version.is_empty());
        let writing = match version {
            _ if raw.contains('@') => Writing::Digest,
            None => Writing::Unprefixed,
            Some(_) => Writing::Literal,
        };
        let version = version.unwrap_or(whole);
        let version_end = tag_start + whole.len();
        let is_named = !version.is_empty() && !version.contains('$') && !shape.floating.is_match(whole);
        Some(Self {
            target: if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") },
            version: is_named.then(|| version.to_owned()),
            path: Arc::clone(path),
            text: Arc::clone(text),
            span: start..start + raw.len(),
            version_span: version_end - version.len()..version_end,
            suffix,
            writing,
            origin,
        })
    }
}

const QUOTES: [char; 2] = ['"', '\''];

/// The variable that a reference is, or that its tag begins with.
fn variable_of(reference: &str) -> Option<&str> {
    let tag = reference.rfind(":$").map_or(reference, |colon| &reference[colon + 1..]);
    let name = tag.strip_prefix('$')?;
    match name.strip_prefix('{') {
        Some(braced) => braced.split(['}', ':']).next(),
        None => name.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next(),
    }
}

/// The tag without the platform at its end, which variables of the build may stand for. Versions hold dashes themselves, so the
/// suffix that the line's key gives is taken first, and else what begins with an operating system.
fn without_platform<'t>(tag: &'t str, origin: &Origin) -> &'t str {
    if let Origin::Base(platform) = origin
        && let Some(version) = tag.strip_suffix(&platform.suffix()).and_then(|version| version.strip_suffix('-'))
    {
        return version;
    }
    let begin = [tag.rfind("-linux-"), tag.rfind("-windows-"), tag.find("-$")].into_iter().flatten().min();
    begin.map_or(tag, |begin| &tag[..begin])
}

impl Image {
    /// The names, without host and tag, that base file and Dockerfiles give to images under registries that are listed.
    pub fn own_names(&self, shape: &Shape) -> Vec<String> {
        self.names(shape).into_iter().filter(|name| is_own(name, shape)).collect()
    }

    /// The same under all other registries.
    pub fn foreign_names(&self, shape: &Shape) -> Vec<String> {
        self.names(shape).into_iter().filter(|name| !is_own(name, shape)).collect()
    }

    fn names(&self, shape: &Shape) -> Vec<String> {
        let plain = |name: &str| without_default_host(without_tag(name)).to_owned();
        let lines = self.base.iter().filter_map(Control::value).flatten().filter_map(|line| line.value.as_deref());
        let mut names: Vec<String> = lines.map(plain).collect();
        for Parsed { dockerfile, .. } in self.builds.iter().filter_map(|build| build.file.as_ref().ok()) {
            let copies = dockerfile.stages.iter().flat_map(Stage::copies).filter_map(|(_, copy)| copy.from.as_ref());
            let copies = copies.filter(|from| dockerfile.stage(&from.value).is_none());
            for word in dockerfile.stages.iter().map(|stage| &stage.image).chain(copies) {
                let written = plain(&word.value);
                names.push(if is_own(&written, shape) {
                    written
                } else {
                    plain(&dockerfile.with_defaults(&word.value))
                });
            }
        }
        names
    }
}

fn is_own(name: &str, shape: &Shape) -> bool {
    shape.registries.iter().any(|prefix| name.starts_with(&prefix.text))
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
pub(super) fn of_image(image: &Image, shape: &Shape) -> Vec<Reference> {
    let mut references: Vec<Reference> = Vec::new();
    if let Some(base) = &image.base
        && let Ok((text, lines)) = &base.read
    {
        for line in lines {
            if let Some(platform) = Platform::parse(&line.key) {
                let origin = Origin::Base(platform);
                references.extend(Reference::parse(&base.path, text, &line.value_span, shape, origin));
            }
        }
    }
    for build in &image.builds {
        let Ok(parsed) = &build.file else { continue };
        let Parsed { text, dockerfile, .. } = parsed;
        for (number, stage) in dockerfile.stages.iter().enumerate() {
            if dockerfile.continued_by(stage, number).is_none() {
                references.extend(Reference::of_from(&build.path, parsed, &stage.image, shape));
            }
            let copies = stage.copies().filter_map(|(_, copy)| copy.from.as_ref());
            for from in copies.filter(|from| dockerfile.stage(&from.value).is_none()) {
                references.extend(Reference::parse(&build.path, text, &from.span, shape, Origin::Copy));
            }
        }
    }
    // What one default says of several images cannot be rewritten for one of them, nor where a digest stands behind it.
    let is_shared = |one: &Reference, other: &Reference| {
        one.path == other.path
            && one.version_span == other.version_span
            && (one.target != other.target || other.writing == Writing::Digest)
    };
    let is_for_several = |one: &Reference| references.iter().any(|other| is_shared(one, other));
    let shared: Vec<bool> =
        references.iter().map(|one| one.writing == Writing::Default && is_for_several(one)).collect();
    for (reference, _) in references.iter_mut().zip(shared).filter(|(_, is_shared)| *is_shared) {
        reference.writing = Writing::Computed;
    }
    // One file may be built for several platforms.
    let mut seen = std::collections::HashSet::new();
    references.retain(|reference| seen.insert((Arc::clone(&reference.path), reference.span.start)));
    references
}
