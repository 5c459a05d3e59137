//! Tags that name a version in part: `4` and `4.0` are 4.0.13, and `4-trixie` is a variant of it.

/// What of a tag can name a version in part: the numbers that it begins with, after a `v`. `None` where it begins with anything else.
pub fn numbers(tag: &str) -> Option<&str> {
    let letter = usize::from(tag.starts_with('v'));
    let mut end = letter;
    for part in tag[letter..].split('.') {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            break;
        }
        // The dot before it belongs to the numbers, too.
        end += digits + usize::from(end > letter);
        if digits < part.len() {
            break;
        }
    }
    (end > letter).then(|| &tag[..end])
}

/// Whether numbers are those that a version begins with.
pub fn is_prefix_of(named: &str, version: &str) -> bool {
    let (of_named, of_version) = (parts(named), parts(version));
    !of_named.is_empty() && of_version.starts_with(&of_named)
}

/// As many numbers of a version as others have, with a `v` where those have one.
pub fn shortened_like(named: &str, version: &str) -> String {
    let letter = if named.starts_with('v') { "v" } else { "" };
    let mut numbers = parts(version);
    numbers.truncate(parts(named).len());
    format!("{letter}{}", numbers.join("."))
}

fn parts(version: &str) -> Vec<&str> {
    let numbers = numbers(version).unwrap_or_default();
    numbers.trim_start_matches('v').split('.').filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_anything_else_begins() {
        let tags =
            [("4-trixie", Some("4")), ("v1.2.x", Some("v1.2")), ("3.1.5-3.14", Some("3.1.5")), ("1.2rc", Some("1.2"))];
        for (tag, expected) in tags.into_iter().chain([("trixie", None), ("v", None), ("", None), ("1.", Some("1"))]) {
            assert_eq!(numbers(tag), expected, "{tag}");
        }
    }

    #[test]
    fn a_version_is_named_by_the_numbers_that_it_begins_with() {
        assert!(is_prefix_of("4", "4.0.13") && is_prefix_of("4.0", "4.0.13") && is_prefix_of("4.0.13", "v4.0.13"));
        assert!(!is_prefix_of("4.0.1", "4.0.13") && !is_prefix_of("5", "4.0.13") && !is_prefix_of("4.0.0", "4.0"));
        assert_eq!(shortened_like("4", "5.0.1"), "5");
        assert_eq!(shortened_like("v4.0", "5.1.2-alpine"), "v5.1");
    }
}
