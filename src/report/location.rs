//! Where a review shows a finding, and places in the units that formats count in.

use std::ops::Range;
use std::sync::Arc;

use similar::{ChangeTag, TextDiff};

use super::view::Report;
use crate::finding::{Finding, Location};
use crate::snapshot::Snapshot;
use crate::text::{Span, Text};

impl Report<'_> {
    /// Where a review shows a finding. Reviews show what stands on a changed line and hide the rest: so this is the place itself
    /// if it was changed, else the first of those that explain the finding which was, else again the place itself.
    pub(super) fn shown_at(&self, finding: &Finding) -> Location {
        let diagnostic = &finding.diagnostic;
        let mut locations =
            std::iter::once(&diagnostic.location).chain(diagnostic.related.iter().map(|label| &label.location));
        locations.find_map(|location| self.changed(location)).unwrap_or_else(|| diagnostic.location.clone())
    }

    /// What the change made of a place: the place, if it was changed; of a file as a whole, the first line that was.
    fn changed(&self, location: &Location) -> Option<Location> {
        let pair = self.pair?;
        let base = pair.base.as_ref()?;
        let Some(head) = text(&pair.head, &location.path) else {
            // A large or a binary file has no lines; that it is there and was changed is all that can be said.
            let is_there = matches!(pair.head.text(&location.path), Ok(Some(Err(_))));
            return (is_there && location.text.is_none()).then(|| location.clone());
        };
        let base = text(base, &location.path);
        let changed = match &base {
            Some(base) if base.bytes() == head.bytes() => return None,
            Some(base) => changed_lines(base, &head),
            None => std::iter::once(0..head.bytes().len()).collect(),
        };
        if location.span.is_empty() {
            let first = changed.first()?.start;
            let line = head.as_str()[first..].lines().next().unwrap_or_default();
            return Some(Location::new(&location.path, &head, first..first + line.len()));
        }
        let mut changed = changed.iter();
        let is_changed = changed.any(|range| location.span.start < range.end && range.start < location.span.end);
        is_changed.then(|| location.clone())
    }

    /// The text in which an edit of a path counts its bytes.
    pub(super) fn text(&self, path: &str) -> Option<Arc<Text>> {
        self.pair.and_then(|pair| text(&pair.head, path))
    }
}

fn text(files: &Snapshot<'_>, path: &str) -> Option<Arc<Text>> {
    files.text(path).ok().flatten()?.ok()
}

/// The bytes of the lines of `head` that `base` has not. Where lines were only taken away, the line behind them stands for them,
/// or the last one.
fn changed_lines(base: &Text, head: &Text) -> Vec<Range<usize>> {
    let diff = TextDiff::from_lines(base.as_str(), head.as_str());
    let mut changed = Vec::new();
    let mut offset = 0;
    let mut is_gap = false;
    let mut last = 0..0;
    for change in diff.iter_all_changes() {
        if change.tag() == ChangeTag::Delete {
            is_gap = true;
            continue;
        }
        let end = offset + change.value().len();
        last = offset..end;
        if change.tag() == ChangeTag::Insert || is_gap {
            changed.push(offset..end);
        }
        is_gap = false;
        offset = end;
    }
    if is_gap && !last.is_empty() {
        changed.push(last);
    }
    changed
}

/// Where a place begins and ends: the line, and the byte of the line, from 1.
pub(super) fn byte_positions(location: &Location) -> [(usize, usize); 2] {
    let text = location.text.as_deref();
    let Span { start, end } = location.span;
    [byte_position(text, start), byte_position(text, end)]
}

fn byte_position(text: Option<&Text>, offset: usize) -> (usize, usize) {
    let Some(text) = text else { return (1, 1) };
    let offset = text.as_str().floor_char_boundary(offset);
    (text.position(offset).line, 1 + offset - text.line_start(offset))
}

/// `path:line:column` of a place, for a sentence.
pub(super) fn spelled(location: &Location) -> String {
    let path = crate::text::escape(&location.path);
    match &location.text {
        Some(_) => {
            let (start, _) = location.positions();
            format!("{path}:{}:{}", start.line, start.column)
        }
        None => path.into_owned(),
    }
}

/// Whether a place is the one that is shown: that very place, or the file around it.
pub(super) fn is_same(location: &Location, shown: &Location) -> bool {
    location.path == shown.path && (location.span == shown.span || location.span.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_are_those_of_head() {
        let changed = |base: &str, head: &str| {
            let (base, head) = (Text::from(base), Text::from(head));
            changed_lines(&base, &head).into_iter().map(|range| head.as_str()[range].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(changed("a\nb\nc\n", "a\nB\nc\nd"), ["B\n", "d"]);
        assert_eq!(changed("a\nb\nc\n", "a\nc\n"), ["c\n"], "the line behind what was taken away");
        assert_eq!(changed("a\nb\n", "a\n"), ["a\n"], "or the last one");
        assert_eq!(changed("a\n", ""), [""; 0]);
    }

    #[test]
    fn bytes_and_characters_are_told_apart() {
        let text = Arc::new(Text::from("x\né: ü\n"));
        let location = Location::new(&"x".into(), &text, 6..8);
        assert_eq!(text.slice(&location.span), "ü");
        assert_eq!(byte_positions(&location), [(2, 5), (2, 7)]);
        let (start, end) = location.positions();
        assert_eq!((start.column, end.column), (4, 5));
    }
}
