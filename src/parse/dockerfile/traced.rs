//! Text that remembers where in the file each of its bytes stands, however it was put together.

use std::ops::{Deref, Range};

use crate::text::Span;

/// Where a byte stands in the file, and whether a build may put another one there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ByteOrigin(u32);

impl Default for ByteOrigin {
    fn default() -> Self {
        Self::NOWHERE
    }
}

impl ByteOrigin {
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

    /// That of the byte so many bytes behind it in the same run.
    fn behind(self, bytes: usize) -> Self {
        match self.offset() {
            Some(offset) => Self(Self::at(offset + bytes).0 | (self.0 & Self::OVERRIDABLE)),
            None => self,
        }
    }

    /// The same place in the default of a variable; nowhere for what was in one already: see [`Traced::overridable`].
    fn overridable(self) -> Self {
        if self == Self::NOWHERE || self.is_overridable() { Self::NOWHERE } else { Self(self.0 | Self::OVERRIDABLE) }
    }
}

/// A run of bytes that stand one behind the other in the file, or nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// Where it begins in the text. It ends where the next one begins.
    start: usize,
    /// Where its first byte stands in the file.
    origin: ByteOrigin,
}

/// A text of which each byte knows where in the file it stands.
///
/// Lines that are continued, quotes, escapes and variables make a word something else than what stands in the file; what is said
/// of it, or written in its place, needs the place all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traced {
    text: String,
    /// Where the run at its beginning stands. As a rule there is no other.
    first: ByteOrigin,
    /// The runs behind that one. Each is as long as can be: equal texts from equal places have equal runs.
    others: Vec<Run>,
}

/// A run within a part of a text.
struct Piece {
    origin: ByteOrigin,
    /// Its place in the text.
    range: Range<usize>,
}

impl Traced {
    /// A text that stands nowhere in the file.
    pub fn made_up(text: &str) -> Self {
        let mut traced = Self::default();
        traced.push(text, ByteOrigin::NOWHERE);
        traced
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
    pub fn push_at(&mut self, text: &str, offset: usize) {
        self.push(text, ByteOrigin::at(offset));
    }

    fn push(&mut self, text: &str, origin: ByteOrigin) {
        if !text.is_empty() {
            self.begin_run(self.text.len(), origin);
            self.text.push_str(text);
        }
    }

    /// Notes where the bytes from `start` on stand.
    fn begin_run(&mut self, start: usize, origin: ByteOrigin) {
        if start == 0 {
            self.first = origin;
            return;
        }
        let last = self.others.last().copied().unwrap_or(Run { start: 0, origin: self.first });
        if last.origin.behind(start - last.start) != origin {
            self.others.push(Run { start, origin });
        }
    }

    /// Adds a character in the place of some bytes of another text.
    pub(super) fn push_from(&mut self, character: char, from: &Self, at: usize) {
        let known = character.len_utf8().min(from.len() - at);
        self.begin_runs(from, at..at + known);
        if known < character.len_utf8() {
            self.begin_run(self.text.len() + known, ByteOrigin::NOWHERE);
        }
        self.text.push(character);
    }

    /// Adds another text.
    pub fn append(&mut self, other: &Self) {
        self.append_part(other, 0..other.len());
    }

    /// Adds a part of another text.
    pub(super) fn append_part(&mut self, other: &Self, range: Range<usize>) {
        self.begin_runs(other, range.clone());
        self.text.push_str(&other.text[range]);
    }

    /// Notes that the bytes that come next stand where a part of another text stands.
    fn begin_runs(&mut self, from: &Self, range: Range<usize>) {
        let end = self.text.len();
        if from.others.is_empty() && !range.is_empty() {
            return self.begin_run(end, from.first.behind(range.start));
        }
        for piece in from.pieces(range.clone()) {
            self.begin_run(end + piece.range.start - range.start, piece.origin);
        }
    }

    /// A part of it, which begins and ends between characters.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        let mut part = Self::default();
        part.append_part(self, range);
        part
    }

    /// It without the blanks around it.
    pub(super) fn trimmed(&self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        self.part(start..start + self.text.trim().len())
    }

    /// The same text as the default of a variable, which a build may overrule. What was one already stands nowhere then: to rewrite
    /// the default of one variable for the sake of another is for people.
    pub(super) fn overridable(mut self) -> Self {
        self.first = self.first.overridable();
        for Run { start, origin } in std::mem::take(&mut self.others) {
            self.begin_run(start, origin.overridable());
        }
        self
    }

    /// The runs of a part of it.
    fn pieces(&self, Range { start, end }: Range<usize>) -> impl Iterator<Item = Piece> {
        let passed = self.others.partition_point(|run| run.start <= start);
        let first = passed.checked_sub(1).map_or(Run { start: 0, origin: self.first }, |last| self.others[last]);
        let behind = &self.others[passed..];
        let ends = behind.iter().map(|run| run.start).chain([self.text.len()]);
        let runs = std::iter::once(first).chain(behind.iter().copied()).zip(ends);
        runs.take_while(move |(run, _)| start < end && run.start < end).map(move |(run, run_end)| {
            let range = run.start.max(start)..run_end.min(end);
            Piece { origin: run.origin.behind(range.start - run.start), range }
        })
    }

    fn all_pieces(&self) -> impl Iterator<Item = Piece> {
        self.pieces(0..self.text.len())
    }

    fn has(&self, range: &Range<usize>) -> bool {
        range.start <= range.end && range.end <= self.text.len()
    }

    /// Where a part of it stands in the file; `None` where it stands there in pieces, or not at all.
    pub fn span(&self, range: Range<usize>) -> Option<Span> {
        let mut pieces = self.pieces(range.clone()).take_while(|_| self.has(&range));
        let start = pieces.next()?.origin.offset()?;
        let is_whole = pieces.all(|piece| piece.origin.offset() == Some(start + piece.range.start - range.start));
        is_whole.then_some(start..start + range.len())
    }

    /// Whether a build may put something else in the place of a part of it.
    pub fn is_overridable(&self, range: Range<usize>) -> bool {
        self.has(&range) && self.pieces(range).any(|piece| piece.origin.is_overridable())
    }

    /// Whether any of it stands within a range of the file.
    pub fn touches(&self, span: &Span) -> bool {
        self.all_pieces().any(|Piece { origin, range }| {
            let stands = origin.offset().map(|offset| offset..offset + range.len());
            stands.is_some_and(|stands| stands.start.max(span.start) < stands.end.min(span.end))
        })
    }

    /// Whether all of it stands in the file.
    pub(super) fn is_written(&self) -> bool {
        self.text.is_empty() || self.all_pieces().all(|piece| piece.origin != ByteOrigin::NOWHERE)
    }

    /// From its first to its last byte in the file; the empty range where it stands nowhere.
    pub(super) fn extent(&self) -> Span {
        let mut extent: Option<Span> = None;
        for Piece { origin, range } in self.all_pieces() {
            let Some(offset) = origin.offset() else { continue };
            let piece = offset..offset + range.len();
            extent = Some(extent.map_or(piece.clone(), |all| all.start.min(piece.start)..all.end.max(piece.end)));
        }
        extent.unwrap_or(0..0)
    }
}

impl Deref for Traced {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a text may be put together of: words of the file, words of nowhere, parts and defaults.
    fn traced() -> impl Strategy<Value = Traced> {
        let piece = (0..4_u8, 0..12_usize, 0..5_usize);
        prop::collection::vec(piece, 0..6).prop_map(|pieces| {
            let mut traced = Traced::default();
            for (kind, at, length) in pieces {
                let word = &"abcde"[..length];
                match kind {
                    0 => traced.push_at(word, at),
                    1 => traced.append(&Traced::made_up(word)),
                    2 => traced.append(&Traced::at(word, at).overridable()),
                    _ => traced = traced.part(at.min(traced.len())..traced.len()),
                }
            }
            traced
        })
    }

    /// Where each byte stands, and whether it may be overruled.
    fn bytes(traced: &Traced) -> Vec<(Option<Span>, bool)> {
        let byte = |at: usize| (traced.span(at..at + 1), traced.is_overridable(at..at + 1));
        (0..traced.len()).map(byte).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn each_byte_of_a_part_stands_where_it_stood(traced in traced(), from in 0..20_usize, length in 0..20_usize) {
            let from = from.min(traced.len());
            let range = from..(from + length).min(traced.len());
            let known = bytes(&traced);
            prop_assert_eq!(bytes(&traced.part(range.clone())), &known[range.clone()]);
            let starts: Option<Vec<usize>> = known[range.clone()].iter().map(|byte| Some(byte.0.as_ref()?.start)).collect();
            let whole = starts.filter(|starts| starts.windows(2).all(|pair| pair[0] + 1 == pair[1]));
            let whole = whole.and_then(|starts| Some(*starts.first()?..starts.last()? + 1));
            prop_assert_eq!(traced.span(range), whole);
            let offsets = || known.iter().filter_map(|byte| byte.0.clone());
            let extent = offsets().map(|byte| byte.start).min()..offsets().map(|byte| byte.end).max();
            prop_assert_eq!(traced.extent(), extent.start.unwrap_or(0)..extent.end.unwrap_or(0));
            let mut again = Traced::default();
            for at in 0..traced.len() {
                again.append_part(&traced, at..at + 1);
            }
            prop_assert_eq!(again, traced);
        }
    }
}
