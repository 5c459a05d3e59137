//! Places where an image names another image of the same tree.

use std::sync::Arc;

use super::{Image, Parsed};
use crate::finding::Place;
use crate::parse::baseimage::Platform;
use crate::shape::Shape;
use crate::text::{Span, Text};

/// A place where an image names another image of the tree with a tag.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The name of the other image.
    pub target: String,
    /// The version of it that is named; `None` where there is no tag, or a variable stands in it.
    pub version: Option<String>,
    /// The file.
    pub path: Arc<str>,
    /// Its text.
    pub text: Arc<Text>,
    /// The whole reference.
    pub span: Span,
    /// Where the version stands; the end of the reference where there is none.
    pub version_span: Span,
    /// The platform at the end of the tag, and where it stands.
    pub suffix: Option<(String, Span)>,
    /// Whether a digest stands behind the tag, which decides what is pulled.
    pub has_digest: bool,
    /// Whether the version stands where the reference is; else it comes from a variable.
    pub is_literal: bool,
    /// How it came to be written.
    pub spelling: Spelling,
}

/// Where a reference stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spelling {
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

    /// A reference whose text is not what stands in the file: variables in it were replaced.
    fn expanded(path: &Arc<str>, text: &Arc<Text>, span: &Span, shape: &Shape, value: &str) -> Option<Self> {
        let value = Arc::new(Text::from(value));
        let reference = Self::parse(path, &value, &(0..value.as_str().len()), shape, Spelling::From)?;
        let whole = span.clone();
        Some(Self {
            text: Arc::clone(text),
            span: whole.clone(),
            version_span: whole,
            suffix: None,
            is_literal: false,
            ..reference
        })
    }

    fn parse(path: &Arc<str>, text: &Arc<Text>, span: &Span, shape: &Shape, spelling: Spelling) -> Option<Self> {
        let raw = text.slice(span);
        let quotes: &[char] = &['"', '\''];
        let start = span.start + (raw.len() - raw.trim_start_matches(quotes).len());
        let raw = raw.trim_matches(quotes);
        let (name, directory) = shape.registries.iter().find_map(|(registry, directory)| {
            Some((raw.strip_prefix(registry.as_str())?.strip_prefix('/')?, directory))
        })?;
        let name_start = start + (raw.len() - name.len());
        let name = name.split('@').next().unwrap_or_default();
        let (name, tag) = name.rsplit_once(':').map_or((name, None), |(name, tag)| (name, Some(tag)));
        if name.is_empty() || name.contains('$') {
            return None;
        }
        let tag_start = name_start + name.len() + usize::from(tag.is_some());
        let tag = tag.unwrap_or_default();
        let version = if shape.platform_suffix { without_platform(tag, &spelling) } else { tag };
        let version_span = tag_start..tag_start + version.len();
        let suffix = tag[version.len()..]
            .strip_prefix('-')
            .map(|suffix| (suffix.to_owned(), tag_start + version.len() + 1..tag_start + tag.len()));
        Some(Self {
            target: if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") },
            version: Some(version.to_owned()).filter(|version| !version.is_empty() && !version.contains('$')),
            path: Arc::clone(path),
            text: Arc::clone(text),
            span: start..start + raw.len(),
            version_span,
            suffix,
            has_digest: raw.contains('@'),
            is_literal: true,
            spelling,
        })
    }
}

/// The tag without the platform at its end, which variables of the build may stand for. Versions hold dashes themselves, so the
/// suffix that the line's key gives is taken first, and else what begins with an operating system.
fn without_platform<'t>(tag: &'t str, spelling: &Spelling) -> &'t str {
    if let Spelling::Base(platform) = spelling
        && let Some(version) = tag.strip_suffix(&platform.suffix()).and_then(|version| version.strip_suffix('-'))
    {
        return version;
    }
    let begin = [tag.rfind("-linux-"), tag.rfind("-windows-"), tag.find("-$")].into_iter().flatten().min();
    begin.map_or(tag, |begin| &tag[..begin])
}

/// All references of an image, in the order of its files.
pub(super) fn of_image(image: &Image, shape: &Shape) -> Vec<Reference> {
    let mut references: Vec<Reference> = Vec::new();
    if let Some(base) = &image.base
        && let Ok((text, lines)) = &base.read
    {
        for line in lines {
            if let Some(platform) = Platform::parse(&line.key) {
                let spelling = Spelling::Base(platform);
                references.extend(Reference::parse(&base.path, text, &line.value_span, shape, spelling));
            }
        }
    }
    for build in &image.builds {
        let Ok(Parsed { text, dockerfile, .. }) = &build.file else { continue };
        for (number, stage) in dockerfile.stages.iter().enumerate() {
            if dockerfile.continued_by(stage, number).is_none() {
                let span = &stage.image.span;
                let found = Reference::parse(&build.path, text, span, shape, Spelling::From);
                // What variables of the file stand for is known where they have defaults. A name may go on in the next line.
                let is_open = found.as_ref().is_none_or(|reference| reference.version.is_none())
                    || text.slice(span).contains('\n');
                let expanded = || {
                    let value = dockerfile.with_defaults(&stage.image.value);
                    let is_other = value != text.slice(span);
                    is_other.then(|| Reference::expanded(&build.path, text, span, shape, &value)).flatten()
                };
                references.extend(if is_open { expanded().or(found) } else { found });
            }
            let copies = stage.instructions.iter().filter_map(|instruction| instruction.copy.as_ref()?.from.as_ref());
            for from in copies.filter(|from| !dockerfile.is_stage(&from.value)) {
                references.extend(Reference::parse(&build.path, text, &from.span, shape, Spelling::Copy));
            }
        }
    }
    // One file may be built for several platforms.
    let mut seen = std::collections::HashSet::new();
    references.retain(|reference| seen.insert((Arc::clone(&reference.path), reference.span.start)));
    references
}
