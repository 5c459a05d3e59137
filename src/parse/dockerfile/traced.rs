//! Text that remembers where in the file each of its bytes stands, however it was put together.

use std::ops::{Deref, Range};

use crate::text::Span;

/// Where a byte stands in the file, and whether a build may put another one there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Origin(u32);

impl Origin {
    /// A byte that stands nowhere in the file.
    const NOWHERE: Self = Self(u32::MAX);
    /// Files are far smaller than this.
    const OVERRIDABLE: u32 = 1 << 31;

    fn at(offset: usize) -> Self {
        u32::try_from(offset).ok().filter(|offset| *offset < Self::OVERRIDABLE).map_or(Self::NOWHERE, Self)
    }

    fn offset(self) -> Option<usize> {
        (self != Self::NOWHERE).then_some((self.0 & !Self::OVERRIDABLE) as usize)
    }

    fn is_overridable(self) -> bool {
        self != Self::NOWHERE && self.0 & Self::OVERRIDABLE != 0
    }
}

/// A text of which each byte knows where in the file it stands.
///
/// Lines that are continued, quotes, escapes and variables make a word something else than what stands in the file; what is said
/// of it, or written in its place, needs the place all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traced {
    text: String,
    /// One a byte of the text.
    origins: Vec<Origin>,
}

impl Traced {
    /// A text that stands nowhere in the file.
    pub fn made_up(text: &str) -> Self {
        Self { text: text.to_owned(), origins: vec![Origin::NOWHERE; text.len()] }
    }

    /// A text that stands at an offset of the file as it is.
    pub fn at(text: &str, offset: usize) -> Self {
        let mut traced = Self::default();
        traced.push_at(text, offset);
        traced
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Adds a text that stands at an offset of the file.
    pub(super) fn push_at(&mut self, text: &str, offset: usize) {
        self.text.push_str(text);
        self.origins.extend((offset..offset + text.len()).map(Origin::at));
    }

    /// Adds a character in the place of some bytes of another text.
    pub(super) fn push_from(&mut self, character: char, from: &Self, at: usize) {
        let before = self.text.len();
        self.text.push(character);
        let origins = from.origins[at..].iter().copied().chain(std::iter::repeat(Origin::NOWHERE));
        self.origins.extend(origins.take(self.text.len() - before));
    }

    /// Adds another text.
    pub(super) fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.origins.extend_from_slice(&other.origins);
    }

    /// Adds a part of another text.
    pub(super) fn append_part(&mut self, other: &Self, range: Range<usize>) {
        self.text.push_str(&other.text[range.clone()]);
        self.origins.extend_from_slice(&other.origins[range]);
    }

    /// A part of it, which begins and ends between characters.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        Self { text: self.text[range.clone()].to_owned(), origins: self.origins[range].to_vec() }
    }

    /// It without the blanks around it.
    pub(super) fn trimmed(&self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        self.part(start..start + self.text.trim().len())
    }

    /// The same text as the default of a variable, which a build may overrule. What was one already stands nowhere then: to rewrite
    /// the default of one variable for the sake of another is for people.
    pub(super) fn overridable(mut self) -> Self {
        for origin in self.origins.iter_mut().filter(|origin| **origin != Origin::NOWHERE) {
            *origin = if origin.is_overridable() { Origin::NOWHERE } else { Origin(origin.0 | Origin::OVERRIDABLE) };
        }
        self
    }

    /// Where a part of it stands in the file; `None` where it stands there in pieces, or not at all.
    pub fn span(&self, range: Range<usize>) -> Option<Span> {
        let origins = self.origins.get(range)?;
        let start = origins.first()?.offset()?;
        let is_whole = origins.iter().zip(start..).all(|(origin, offset)| origin.offset() == Some(offset));
        is_whole.then_some(start..start + origins.len())
    }

    /// Whether a build may put something else in the place of a part of it.
    pub fn is_overridable(&self, range: Range<usize>) -> bool {
        self.origins.get(range).is_some_and(|origins| origins.iter().any(|origin| origin.is_overridable()))
    }

    /// Whether any of it stands within a range of the file.
    pub fn touches(&self, span: &Span) -> bool {
        self.origins.iter().filter_map(|origin| origin.offset()).any(|offset| span.contains(&offset))
    }

    /// Whether all of it stands in the file.
    pub(super) fn is_written(&self) -> bool {
        !self.origins.contains(&Origin::NOWHERE)
    }

    /// From its first to its last byte in the file; the empty range where it stands nowhere.
    pub(super) fn extent(&self) -> Span {
        let mut known = self.origins.iter().filter_map(|origin| origin.offset());
        let Some(first) = known.next() else { return 0..0 };
        known.fold(first..first + 1, |extent, offset| extent.start.min(offset)..extent.end.max(offset + 1))
    }
}

impl Deref for Traced {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}
