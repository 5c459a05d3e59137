//! Version files, and the arithmetic of image tags.

use std::borrow::Cow;
use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::text::{Span, Text};

/// What is wrong with a version file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionError {
    /// It holds nothing but blanks.
    Empty,
    /// It holds more than one line.
    ManyLines,
    /// It begins with a byte order mark.
    ByteOrderMark,
    /// A line ends with a carriage return.
    CarriageReturn,
    /// There are blanks or empty lines around the version.
    Blanks,
    /// What it holds is no image tag.
    NoTag,
    /// What it holds is no version as <https://semver.org> has it.
    NoSemver,
    /// It is not written in the format that its name tells.
    Unparsable,
    /// It lacks the key of the version.
    NoKey,
    /// The value of the key is not written out as text on one line.
    NoScalar,
    /// The pattern of the version matches nothing.
    NoMatch,
    /// The pattern of the version matches more than once.
    SeveralMatches,
}

/// What counts as a version, which of two is higher, and what follows one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Whatever a registry takes for a tag; numbers are compared one by one.
    #[default]
    Tag,
    /// As <https://semver.org> has it, with or without a `v` before it: `1.0.0-rc.1` comes before `1.0.0`.
    Semver,
}

impl Scheme {
    /// What is wrong with something that should be a version.
    pub fn error(self, value: &str) -> Option<VersionError> {
        let error = if self == Self::Tag { VersionError::NoTag } else { VersionError::NoSemver };
        (!self.is_version(value)).then_some(error)
    }

    /// Whether something is a version.
    pub fn is_version(self, value: &str) -> bool {
        match self {
            Self::Tag => is_tag(value),
            Self::Semver => semver(value).is_some(),
        }
    }

    /// The order of two versions; `None` where they cannot be ordered.
    ///
    /// ```
    /// # use std::cmp::Ordering::*;
    /// # use imglint::parse::version::Scheme;
    /// assert_eq!(Scheme::Semver.order("1.0.0-rc.1", "1.0.0"), Some(Less));
    /// assert_eq!(Scheme::Semver.order("v1.10.0", "v1.9.0"), Some(Greater));
    /// assert_eq!(Scheme::Semver.order("1.0", "1.0.0"), None);
    /// assert_eq!(Scheme::Tag.order("1.0", "1.0.0"), Some(Less));
    /// assert_eq!(Scheme::Tag.order("2.9", "2.10"), Some(Less));
    /// assert_eq!(Scheme::Tag.order("1.29-2", "1.29"), Some(Greater));
    /// assert_eq!(Scheme::Tag.order("5.0.5-alpine", "5.0.5-alpine-1"), Some(Less));
    /// assert_eq!(Scheme::Tag.order("1.1", "5.0.5-alpine"), None);
    /// ```
    pub fn order(self, one: &str, other: &str) -> Option<Ordering> {
        match self {
            Self::Tag => order(one, other),
            Self::Semver => Some(semver(one)?.cmp_precedence(&semver(other)?)),
        }
    }

    /// The version after one: of [semver](https://semver.org) the next patch, or the next of its pre-releases if those are counted.
    ///
    /// ```
    /// # use imglint::parse::version::Scheme;
    /// assert_eq!(Scheme::Semver.next("1.2.9"), "1.2.10");
    /// assert_eq!(Scheme::Semver.next("v1.2.0-rc.1"), "v1.2.0-rc.2");
    /// assert_eq!(Scheme::Semver.next("1.2.0-SNAPSHOT"), "1.2.1-SNAPSHOT");
    /// assert_eq!(Scheme::Semver.next("1.2.0+up3.1"), "1.2.1+up3.1");
    /// ```
    pub fn next(self, value: &str) -> String {
        if self == Self::Tag {
            return next(value);
        }
        let (release, build) = cut(value, '+');
        let (core, pre) = cut(release, '-');
        let last = pre.rsplit('.').next().unwrap_or_default().trim_start_matches('-');
        let is_counted = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
        if is_counted { [core, &next(pre), build].concat() } else { [&next(core), pre, build].concat() }
    }
}

/// A version as semver reads it, if it does.
pub(super) fn semver(value: &str) -> Option<semver::Version> {
    semver::Version::parse(value.strip_prefix('v').unwrap_or(value)).ok()
}

/// What stands before a character, and the rest with it.
fn cut(text: &str, character: char) -> (&str, &str) {
    text.split_at(text.find(character).unwrap_or(text.len()))
}

/// A version file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The version, trimmed; empty where there is none.
    pub value: String,
    /// Where it stands.
    pub span: Span,
    /// What is wrong with the file, in the order of [`VersionError`]; nothing, as a rule.
    pub errors: Vec<VersionError>,
    /// Whether it is a plain scalar of YAML, where `1.10` is the number 1.1.
    pub is_plain_scalar: bool,
    /// What counts as a version here.
    pub scheme: Scheme,
    /// The variants of the image, where each has a version of its own: if there is more than one, the version of the image as a whole is
    /// no tag, but a list of theirs.
    pub variants: Vec<Variant>,
}

/// One of several variants of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// The key of its version, from the root of the file.
    pub key: String,
    /// Its version.
    pub version: Version,
    /// What repeats the last number of the version.
    pub revision: Option<Revision>,
    /// The directories of the image that are its own.
    pub directories: Vec<String>,
}

/// A number that is repeated at the end of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The number, as it is written.
    pub value: String,
    /// Where it stands.
    pub span: Span,
}

impl Variant {
    /// What is written where to give it another version; `None` where its revision cannot follow.
    pub fn replacements(&self, new: &str) -> Option<Vec<(Span, String)>> {
        let mut replacements = vec![(self.version.span.clone(), self.version.spelled(new).into_owned())];
        if let Some(revision) = &self.revision {
            let before =
                self.version.value.strip_suffix(revision.value.as_str()).filter(|_| !revision.value.is_empty())?;
            let now =
                new.strip_prefix(before).filter(|now| !now.is_empty() && now.bytes().all(|it| it.is_ascii_digit()))?;
            replacements.push((revision.span.clone(), now.to_owned()));
        }
        Some(replacements)
    }
}

impl Version {
    /// One that stands among other values of a file.
    pub(super) fn of_scalar(value: String, span: Span, is_plain_scalar: bool, scheme: Scheme) -> Self {
        let mut errors = Vec::new();
        if value.is_empty() {
            errors.push(VersionError::Empty);
        } else {
            errors.extend(scheme.error(&value));
        }
        Self { value, span, errors, is_plain_scalar, scheme, variants: Vec::new() }
    }

    /// One that cannot be read.
    pub(super) fn unread(error: VersionError, scheme: Scheme) -> Self {
        Self {
            value: String::new(),
            span: 0..0,
            errors: vec![error],
            is_plain_scalar: false,
            scheme,
            variants: Vec::new(),
        }
    }

    /// That of an image with variants: of one variant its version, of several a list of theirs.
    pub(super) fn of_variants(variants: Vec<Variant>, scheme: Scheme) -> Self {
        if let [only] = &variants[..] {
            return Self { variants: variants.clone(), ..only.version.clone() };
        }
        let listed: Vec<String> = variants.iter().map(|it| format!("{} {}", it.name, it.version.value)).collect();
        Self { value: listed.join(", "), span: 0..0, errors: Vec::new(), is_plain_scalar: false, scheme, variants }
    }

    /// What tells this version from others: of several variants the list of theirs, if each has one.
    pub fn identity(&self) -> Option<&str> {
        let is_list = self.variants.len() > 1 && self.variants.iter().all(|variant| variant.version.usable().is_some());
        if is_list { Some(&self.value) } else { self.usable() }
    }

    /// Reads a version file: one line that holds a version.
    pub fn parse(text: &Text, scheme: Scheme) -> Self {
        let all = text.as_str();
        let value = all.trim_matches(is_blank);
        let start = all.len() - all.trim_start_matches(is_blank).len();
        let span = start..start + value.len();
        let mut errors = Vec::new();
        if value.is_empty() {
            errors.push(VersionError::Empty);
        } else {
            let line_ends = if all[span.end..].contains("\r\n") { "\r\n" } else { "\n" };
            let rest = all[span.end..].strip_suffix(line_ends).unwrap_or(&all[span.end..]);
            let lead = all[..span.start].trim_start_matches('\u{feff}');
            if value.contains('\n') {
                errors.push(VersionError::ManyLines);
            }
            if all[..span.start].contains('\u{feff}') || all[span.end..].contains('\u{feff}') {
                errors.push(VersionError::ByteOrderMark);
            }
            if all.contains('\r') {
                errors.push(VersionError::CarriageReturn);
            }
            if !(lead.is_empty() && rest.chars().all(|character| character == '\u{feff}')) {
                errors.push(VersionError::Blanks);
            }
            if !value.contains('\n') {
                errors.extend(scheme.error(value));
            }
        }
        Self { value: value.to_owned(), span, errors, is_plain_scalar: false, scheme, variants: Vec::new() }
    }

    /// How another version is written in the place of this one: in quotes where it would be read as a number that is spelled in
    /// another way.
    pub fn spelled<'n>(&self, new: &'n str) -> Cow<'n, str> {
        if self.is_plain_scalar { plain_scalar(new) } else { new.into() }
    }

    /// The version, where the file holds one.
    pub fn usable(&self) -> Option<&str> {
        self.scheme.is_version(&self.value).then_some(self.value.as_str())
    }
}

/// A version as it is written for a plain scalar of YAML, in quotes where that would be read as a number that is spelled in another
/// way.
pub fn plain_scalar(version: &str) -> Cow<'_, str> {
    let is_other_number = version.parse::<f64>().is_ok_and(|number| number.to_string() != version);
    if is_other_number { format!("\"{version}\"").into() } else { version.into() }
}

/// Whether a registry takes `value` for a tag: `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`.
pub fn is_tag(value: &str) -> bool {
    match value.as_bytes() {
        [first, rest @ ..] => {
            is_word(*first)
                && rest.len() < 128
                && rest.iter().all(|&byte| is_word(byte) || byte == b'.' || byte == b'-')
        }
        [] => false,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a character around a version is none that people see.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\u{feff}'
}

/// The version after this one: its last number is one more. A version without a number gets one.
///
/// ```
/// # use imglint::parse::version::next;
/// assert_eq!(next("2.25"), "2.26");
/// assert_eq!(next("1.0.9"), "1.0.10");
/// assert_eq!(next("5.0.5-alpine"), "5.0.6-alpine");
/// assert_eq!(next("1.09"), "1.10");
/// assert_eq!(next("stable"), "stable-1");
/// ```
pub fn next(version: &str) -> String {
    let Some(end) = version.rfind(|character: char| character.is_ascii_digit()).map(|last| last + 1) else {
        return format!("{version}-1");
    };
    let start = version[..end].rfind(|character: char| !character.is_ascii_digit()).map_or(0, |before| before + 1);
    // By hand, as a number in a tag may have any length, and may begin with zeros.
    let mut digits = version.as_bytes()[start..end].to_vec();
    let mut carry = true;
    for digit in digits.iter_mut().rev() {
        if !carry {
            break;
        }
        carry = *digit == b'9';
        *digit = if carry { b'0' } else { *digit + 1 };
    }
    let carry = if carry { "1" } else { "" };
    format!("{}{carry}{}{}", &version[..start], String::from_utf8_lossy(&digits), &version[end..])
}

/// The next version of an image that carries another project's version: a revision is counted behind a dash.
///
/// ```
/// # use imglint::parse::version::next_revision;
/// assert_eq!(next_revision("1.29-2"), "1.29-3");
/// assert_eq!(next_revision("1.29"), "1.29-1");
/// assert_eq!(next_revision("5.0.5-alpine"), "5.0.5-alpine-1");
/// ```
pub fn next_revision(version: &str) -> String {
    match version.rsplit_once('-') {
        Some((_, revision)) if !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit()) => {
            next(version)
        }
        _ => format!("{version}-1"),
    }
}

/// The order of two versions number by number; `None` where they cannot be ordered: where anything between the numbers differs.
fn order(one: &str, other: &str) -> Option<Ordering> {
    let (mut one, mut other) = (one, other);
    let mut order = Ordering::Equal;
    loop {
        let (number, other_number) = (take(&mut one, true), take(&mut other, true));
        let (between, other_between) = (take(&mut one, false), take(&mut other, false));
        order = order.then_with(|| value(number).cmp(&value(other_number)));
        if between != other_between {
            // One may go on where the other ends, as long as numbers alone follow.
            let (ended, separator, rest, longer) = match other_between.strip_prefix(between) {
                Some(separator) => (one, separator, other, Ordering::Less),
                None => (other, between.strip_prefix(other_between)?, one, Ordering::Greater),
            };
            let numbers_alone = rest.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_'));
            let goes_on = ended.is_empty() && matches!(separator, "." | "-" | "_") && !rest.is_empty();
            return (goes_on && numbers_alone).then_some(order.then(longer));
        }
        if one.is_empty() && other.is_empty() {
            return Some(order);
        }
    }
}

/// What orders numbers of any length: how many digits count, and then these.
fn value(digits: &str) -> (usize, &str) {
    let digits = digits.trim_start_matches('0');
    (digits.len(), digits)
}

/// Cuts the digits, or what is between digits, off the front.
fn take<'a>(rest: &mut &'a str, digits: bool) -> &'a str {
    let end = rest.find(|character: char| character.is_ascii_digit() != digits).unwrap_or(rest.len());
    let (front, back) = rest.split_at(end);
    *rest = back;
    front
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> (String, Vec<VersionError>) {
        let version = Version::parse(&Text::from(text), Scheme::Tag);
        (version.value, version.errors)
    }

    #[test]
    fn a_version_file_is_one_line() {
        assert_eq!(errors("2.25\n"), ("2.25".into(), vec![]));
        assert_eq!(errors("2.25"), ("2.25".into(), vec![]));
        assert_eq!(errors("2.25\n\n"), ("2.25".into(), vec![VersionError::Blanks]));
        assert_eq!(errors(" 2.25 \n"), ("2.25".into(), vec![VersionError::Blanks]));
        assert_eq!(errors("2.25\r\n"), ("2.25".into(), vec![VersionError::CarriageReturn]));
        assert_eq!(errors("\u{feff}2.25\n"), ("2.25".into(), vec![VersionError::ByteOrderMark]));
        assert_eq!(errors("2.25\n2.26\n").1, [VersionError::ManyLines]);
        assert_eq!(errors("\n").1, [VersionError::Empty]);
        assert_eq!(errors("").1, [VersionError::Empty]);
        assert_eq!(errors("2.25+1\n").1, [VersionError::NoTag]);
        assert_eq!(errors("-1\n").1, [VersionError::NoTag]);
    }

    #[test]
    fn versions_of_other_schemes_have_no_order() {
        assert_eq!(order("5.0.5-alpine", "5.0.6-alpine"), Some(Ordering::Less));
        assert_eq!(order("2.4.38-alpine", "2.4.39-1"), None);
        assert_eq!(order("v1.0", "1.0"), None);
        assert_eq!(order("1.0", "1.0b"), None);
        assert_eq!(order("1.0", "1.0."), None);
        assert_eq!(order("1.0-alpine-1", "1.0-alpine"), Some(Ordering::Greater));
        assert_eq!(order("1.0-alp", "1.0-alpine-1"), None);
        assert_eq!(order("01.2", "1.2"), Some(Ordering::Equal));
        assert_eq!(order("99999999999999999999999", "100000000000000000000000"), Some(Ordering::Less));
    }
}
