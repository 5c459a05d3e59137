//! Text on a page: nothing from a repository can be anything but text there.

use std::fmt::Write as _;

use crate::text::is_unprintable;

/// How many characters of a commit's name are shown, and name the place of its change on the page.
const SHORT: usize = 12;

/// Text between tags, or between the quotes of an attribute. What could be no text at all, or turn the direction of its
/// surroundings, is shown by its number.
pub(super) fn text(raw: &str) -> String {
    let mut escaped = String::with_capacity(raw.len() + 8);
    for character in raw.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ if is_unprintable(character) => escaped.extend(character.escape_default()),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The same, with what stands between backticks as code.
pub(super) fn text_with_code(raw: &str) -> String {
    let mut marked = String::new();
    let mut rest = raw;
    while let Some((before, code, after)) = code_in(rest) {
        marked.extend([&text(before), "<code>", &text(code), "</code>"]);
        rest = after;
    }
    marked + &text(rest)
}

/// The first words between backticks, with what stands before and behind them.
fn code_in(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    Some((before, code, after))
}

/// Fills what stands as `{{name}}` in a template. What is filled in is not looked at again.
pub(super) fn fill(template: &str, parts: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, name, after)) = placeholder(rest) {
        filled.push_str(before);
        for (known, part) in parts {
            if *known == name {
                filled.push_str(part);
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The next placeholder with what stands around it.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name, after))
}

/// A number with a comma before each three of its digits.
pub(super) fn number(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of things, in words.
pub(super) fn counted(count: usize, word: &str) -> String {
    format!("{} {word}{}", number(count), if count == 1 { "" } else { "s" })
}

/// The beginning of a commit's name.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..SHORT).unwrap_or(commit)
}

/// A list in words: `a`, `a and b`, `a, b and c`.
pub(super) fn joined(parts: &[String]) -> String {
    let mut text = String::new();
    for (position, part) in parts.iter().enumerate() {
        let between = match position {
            0 => "",
            _ if position + 1 == parts.len() => " and ",
            _ => ", ",
        };
        let _ = write!(text, "{between}{part}"); // a string takes everything
    }
    text
}
