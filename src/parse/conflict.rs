//! The marks that a merge leaves in a file where both sides changed the same lines: git's, of any size, with or without the common
//! ancestor.

use crate::text::{Span, Text};

/// The size of the marks that git makes if no attribute tells another one.
pub const MARK_SIZE: usize = 7;

/// Lines that two sides changed, between marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// All of it, from the first mark to the end of the last one's line.
    pub span: Span,
    /// The size of its marks.
    pub size: usize,
    /// What stands on the first mark behind the signs: whose side ours is.
    pub label: Span,
    /// The lines of the side that was merged into.
    pub ours: Span,
    /// The lines of the common ancestor, where the style of the marks shows them.
    pub base: Option<Span>,
    /// The lines of the side that was merged.
    pub theirs: Span,
}

/// A side of all conflicts of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What was merged into.
    Ours,
    /// What both come from.
    Base,
    /// What was merged.
    Theirs,
}

/// A file as one side has it.
#[derive(Debug, Clone)]
pub struct SideText {
    /// The file.
    pub text: Text,
    /// Where in it the lines of each conflict stand.
    pub spans: Vec<Span>,
}

/// What a line may be between conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    sign: u8,
    size: usize,
    /// Whether nothing stands behind the signs.
    is_bare: bool,
}

impl Mark {
    fn of(line: &str) -> Option<Self> {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let sign = *line.as_bytes().first().filter(|sign| b"<|=>".contains(*sign))?;
        let size = line.bytes().take_while(|byte| *byte == sign).count();
        let rest = &line[size..];
        (rest.is_empty() || rest.starts_with(' ')).then_some(Self { sign, size, is_bare: rest.is_empty() })
    }

    /// Whether it is the mark of this sign that belongs to one of this size. The one in the middle has no words.
    fn is(self, sign: u8, size: usize) -> bool {
        self.sign == sign && self.size == size && (sign != b'=' || self.is_bare)
    }
}

/// A conflict of which not all marks were seen yet.
struct Open {
    size: usize,
    start: usize,
    label: Span,
    ours: usize,
    /// The end of ours, and the beginning of the ancestor.
    base: Option<[usize; 2]>,
    /// The end of what stood before, and the beginning of theirs.
    theirs: Option<[usize; 2]>,
}

/// The conflicts of a file, in order. Marks without their partners are none.
pub fn conflicts(text: &Text) -> Vec<Conflict> {
    let mut found = Vec::new();
    let mut open: Option<Open> = None;
    if !text.as_str().contains('<') {
        return found;
    }
    for (span, line) in text.lines() {
        let Some(mark) = Mark::of(line) else { continue };
        let next = (span.end + 1).min(text.as_str().len());
        match &mut open {
            Some(it) if mark.is(b'|', it.size) && it.base.is_none() && it.theirs.is_none() => {
                it.base = Some([span.start, next]);
            }
            Some(it) if mark.is(b'=', it.size) && it.theirs.is_none() => it.theirs = Some([span.start, next]),
            Some(it) if mark.is(b'>', it.size) => {
                if let Some([end, theirs]) = it.theirs {
                    found.push(Conflict {
                        span: it.start..next,
                        size: it.size,
                        label: it.label.clone(),
                        ours: it.ours..it.base.map_or(end, |[before, _]| before),
                        base: it.base.map(|[_, begin]| begin..end),
                        theirs: theirs..span.start,
                    });
                    open = None;
                }
            }
            // In the lines of an ancestor that is a merge itself, conflicts of another size are text.
            Some(it) if mark.sign != b'<' || it.base.is_some() || it.theirs.is_some() => {}
            // Of two first marks the last one belongs to those that follow.
            _ if mark.sign == b'<' => {
                let label = (span.start + mark.size + 1).min(span.end)..span.end;
                open = Some(Open { size: mark.size, start: span.start, label, ours: next, base: None, theirs: None });
            }
            _ => {}
        }
    }
    found
}

/// The first mark outside of all conflicts that can be nothing else: somebody took away its partners.
pub fn stray_mark(text: &Text, conflicts: &[Conflict]) -> Option<Span> {
    // Nearly all files end here.
    if !["<<<<<<<", ">>>>>>>"].iter().any(|mark| text.as_str().contains(mark)) {
        return None;
    }
    let is_within = |span: &Span| conflicts.iter().any(|it| it.span.start <= span.start && span.end <= it.span.end);
    for (span, line) in text.lines() {
        let Some(mark) = Mark::of(line) else { continue };
        if mark.size == MARK_SIZE && matches!(mark.sign, b'<' | b'>') && !mark.is_bare && !is_within(&span) {
            return Some(span);
        }
    }
    None
}

/// The file as one side has it. Where the marks do not show the ancestor, it has no lines there.
pub fn side(text: &Text, conflicts: &[Conflict], side: Side) -> SideText {
    let bytes = text.bytes();
    let mut taken = Vec::with_capacity(bytes.len());
    let mut spans = Vec::with_capacity(conflicts.len());
    let mut end = 0;
    for conflict in conflicts {
        taken.extend_from_slice(&bytes[end..conflict.span.start]);
        let lines = match side {
            Side::Ours => conflict.ours.clone(),
            Side::Base => conflict.base.clone().unwrap_or_default(),
            Side::Theirs => conflict.theirs.clone(),
        };
        let begin = taken.len();
        taken.extend_from_slice(&bytes[lines]);
        spans.push(begin..taken.len());
        end = conflict.span.end;
    }
    taken.extend_from_slice(&bytes[end..]);
    SideText { text: Text::new(taken), spans }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(text: &str) -> Vec<[String; 3]> {
        let text = Text::from(text);
        let found = conflicts(&text);
        let of = |span: &Span| text.slice(span).to_owned();
        found.iter().map(|it| [of(&it.ours), it.base.as_ref().map_or("-".into(), of), of(&it.theirs)]).collect()
    }

    #[test]
    fn marks_of_any_size_and_style_are_read() {
        assert_eq!(sides("<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> x\n"), [["1\n", "-", "2\n"]]);
        assert_eq!(sides("a\r\n<< HEAD\r\n1\r\n==\r\n2\r\n>> x\r\nb\r\n"), [["1\r\n", "-", "2\r\n"]]);
        assert_eq!(sides("<<<\n||| a\n0\n===\n>>>"), [["", "0\n", ""]]);
        assert_eq!(sides("< a\n1\n=\n2\n> b\n< a\n3\n=\n4\n> b\n"), [["1\n", "-", "2\n"], ["3\n", "-", "4\n"]]);
    }

    #[test]
    fn an_ancestor_may_hold_conflicts_of_its_own() {
        let inner = "<<<<<<<<< A\n1\n=========\n2\n>>>>>>>>> B\n";
        let text = format!("<<<<<<< HEAD\n3\n||||||| merged\n{inner}=======\n4\n>>>>>>> x\n");
        assert_eq!(sides(&text), [["3\n", inner, "4\n"]]);
    }

    #[test]
    fn marks_without_partners_are_no_conflict() {
        for text in [
            "<<<<<<< HEAD\n1\n",
            "=======\n",
            "<<<<<<< a\n>>>>>>> b\n",
            "<<<<<<< a\n======\n>>>>>>> b\n",
            "<<EOF\n==\n>> b\n",
        ] {
            assert!(sides(text).is_empty(), "{text:?}");
        }
        let text = Text::from("<<<<<<< HEAD\n<<<<<<< a\n1\n=======\n2\n>>>>>>> b\n");
        let found = conflicts(&text);
        assert_eq!(found.len(), 1);
        assert_eq!(stray_mark(&text, &found), Some(0..12));
    }

    #[test]
    fn a_side_is_the_file_without_the_other() {
        let text = Text::from("a\n<<<<<<< HEAD\n1\n=======\n22\n>>>>>>> x\nb\n<<<<<<< HEAD\n=======\n3\n>>>>>>> x\n");
        let found = conflicts(&text);
        let theirs = side(&text, &found, Side::Theirs);
        assert_eq!(theirs.text.as_str(), "a\n22\nb\n3\n");
        assert_eq!(theirs.spans, [2..5, 7..9]);
        assert_eq!(side(&text, &found, Side::Ours).text.as_str(), "a\n1\nb\n");
    }
}
