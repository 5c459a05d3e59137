//! Versions in a line of any text.

use crate::text::Span;

/// Where a version stands in a part of a line. As a whole it is no part of a longer number: 2.2 does not stand in 2.25.
pub(super) fn locations(line: &str, part: &Span, version: &str, is_whole: bool) -> Vec<Span> {
    let mut locations = Vec::new();
    if version.is_empty() {
        return locations;
    }
    for (start, _) in line.get(part.clone()).unwrap_or_default().match_indices(version) {
        let location = part.start + start..part.start + start + version.len();
        if !is_whole || is_whole_number(line, &location) {
            locations.push(location);
        }
    }
    locations
}

/// Where a part of a line holds a version that is written like another one, number for number: 2.25 and 2.3, `v1.0` and `v1.1`.
pub(super) fn alike(line: &str, part: &Span, version: &str) -> Vec<Span> {
    let mut locations = Vec::new();
    if !version.bytes().any(|byte| byte.is_ascii_digit()) {
        return locations;
    }
    let bytes = &line.as_bytes()[..part.end.min(line.len())];
    let mut start = part.start;
    while start < bytes.len() {
        // A number is looked at once, from its first digit.
        let is_inside = start > 0 && bytes[start].is_ascii_digit() && bytes[start - 1].is_ascii_digit();
        let end = if is_inside { None } else { end_of_alike(bytes, start, version.as_bytes()) };
        match end.filter(|end| is_whole_number(line, &(start..*end))) {
            Some(end) => {
                locations.push(start..end);
                start = end;
            }
            None => start += 1,
        }
    }
    locations
}

/// Where what is written like `version` ends, if it begins at `start`.
fn end_of_alike(bytes: &[u8], start: usize, version: &[u8]) -> Option<usize> {
    let (mut at, mut own) = (start, 0);
    while own < version.len() {
        if version[own].is_ascii_digit() {
            let [of_text, of_version] = [(bytes, at), (version, own)].map(|(bytes, from)| digits(bytes, from));
            if of_text == 0 {
                return None;
            }
            at += of_text;
            own += of_version;
        } else {
            if bytes.get(at) != version.get(own) {
                return None;
            }
            at += 1;
            own += 1;
        }
    }
    Some(at)
}

fn digits(bytes: &[u8], from: usize) -> usize {
    bytes[from.min(bytes.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The first thing in a part of a line that looks like a version: numbers with dots between them.
pub(super) fn any<'l>(line: &'l str, part: &Span) -> Option<&'l str> {
    let text = line.get(part.clone())?;
    let words = text.split(|character: char| !(character.is_ascii_alphanumeric() || "._-".contains(character)));
    for word in words {
        let Some(start) = word.find(|character: char| character.is_ascii_digit()) else { continue };
        let word = word[start..].trim_end_matches(['.', '-', '_']);
        if word.contains('.') {
            return Some(word);
        }
    }
    None
}

/// Whether what begins or ends with a digit at a place is not part of a longer number or version.
fn is_whole_number(line: &str, location: &Span) -> bool {
    let bytes = line.as_bytes();
    let before = location.start.checked_sub(1);
    let is_behind_dot = before.is_some_and(|dot| bytes[dot] == b'.') && has_digit(bytes, location.start.checked_sub(2));
    let begins_inside = has_digit(bytes, Some(location.start)) && (has_digit(bytes, before) || is_behind_dot);
    let joins = bytes.get(location.end).is_some_and(|byte| matches!(byte, b'.' | b'-'));
    let goes_on = has_digit(bytes, Some(location.end)) || (joins && has_digit(bytes, Some(location.end + 1)));
    !(begins_inside || has_digit(bytes, location.end.checked_sub(1)) && goes_on)
}

fn has_digit(bytes: &[u8], at: Option<usize>) -> bool {
    at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit)
}
