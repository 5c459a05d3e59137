//! Version files, and the arithmetic of image tags.

use std::borrow::Cow;
use std::cmp::Ordering;

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
}

impl Version {
    /// Reads a version file: one line that holds an image tag.
    pub fn parse(text: &Text) -> Self {
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
            if !value.contains('\n') && !is_tag(value) {
                errors.push(VersionError::NoTag);
            }
        }
        Self { value: value.to_owned(), span, errors, is_plain_scalar: false }
    }

    /// How another version is written in the place of this one: in quotes where it would be read as a number that is spelled in
    /// another way.
    pub fn spelled<'n>(&self, new: &'n str) -> Cow<'n, str> {
        let is_other_number = new.parse::<f64>().is_ok_and(|number| number.to_string() != new);
        if self.is_plain_scalar && is_other_number { format!("\"{new}\"").into() } else { new.into() }
    }

    /// The version, where the file holds one that an image can be tagged with.
    pub fn usable(&self) -> Option<&str> {
        is_tag(&self.value).then_some(self.value.as_str())
    }
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
///
/// ```
/// # use std::cmp::Ordering::*;
/// # use imglint::parse::version::order;
/// assert_eq!(order("2.9", "2.10"), Some(Less));
/// assert_eq!(order("1.17", "1.17.3"), Some(Less));
/// assert_eq!(order("1.29-2", "1.29"), Some(Greater));
/// assert_eq!(order("5.0.5-alpine", "5.0.5-alpine-1"), Some(Less));
/// assert_eq!(order("1.1", "5.0.5-alpine"), None);
/// ```
pub fn order(one: &str, other: &str) -> Option<Ordering> {
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
        let version = Version::parse(&Text::from(text));
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
