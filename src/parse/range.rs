//! Ranges of versions as Helm reads them, by Masterminds/semver: `~1.2`, `^1.0`, `1.x`, `>= 1.0, < 2`, `1.2 - 1.4`, `1 || 2`. The
//! ranges of cargo are others: there `1.2.3` is `^1.2.3`, here it is that version alone, and `||`, `1 - 2` and `!=` are unknown.

use std::cmp::Ordering;

use semver::{Prerelease, Version};

use super::version::semver;

/// A range, if it can be read: versions of which one group takes all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    groups: Vec<Vec<Comparator>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Comparator {
    operator: Operator,
    /// The version; zeros stand for what is left open.
    version: Version,
    /// How many numbers are written out before one is left open: `1.x` and `1` have one.
    numbers: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Operator {
    /// `1.2.3` or `=1.2.3`: that version, or all that begin like one with open numbers.
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    /// `~1.2.3`: all with the same first two numbers.
    Tilde,
    /// `^1.2.3`: all whose first number other than zero is the same.
    Caret,
}

/// What stands before a version, the longer before what it begins with.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl Range {
    /// Reads a range; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let groups: Option<Vec<Vec<Comparator>>> = text.split("||").map(group).collect();
        Some(Self { groups: groups? })
    }

    /// Whether a version is in it. What is no version is in none.
    pub fn has(&self, version: &str) -> bool {
        let Some(version) = semver(version) else { return false };
        self.groups.iter().any(|group| {
            // Who asks for pre-releases in one place of a group gets them in all.
            let takes_pre = version.pre.is_empty() || group.iter().any(|it| !it.version.pre.is_empty());
            takes_pre && group.iter().all(|comparator| comparator.has(&version))
        })
    }

    /// Whether it is a single version, and no other is in it.
    pub fn is_exact(&self) -> bool {
        matches!(&self.groups[..], [group] if matches!(&group[..], [it] if it.operator == Operator::Equal && it.numbers == 3))
    }
}

/// A range as it is written, with the numbers of another version: `~1.2` is `~1.3` for 1.3.4, and `1.x` is `2.x` for 2.0.0. `None` where
/// it says more than that, such as where it ends, or where the version would not be in it.
pub fn moved(written: &str, version: &str) -> Option<String> {
    let range = Range::parse(written)?;
    let [group] = &range.groups[..] else { return None };
    let [Comparator { operator: Operator::Equal | Operator::Tilde | Operator::Caret, numbers, .. }] = &group[..] else {
        return None;
    };
    let start = written.find(|c: char| c.is_ascii_digit() || is_open(c))?;
    let (before, old) = written.split_at(start);
    let old = old.trim_end();
    let behind = &written[start + old.len()..];
    let new = version.strip_prefix('v').unwrap_or(version);
    let moved = if *numbers == 3 {
        [before, new, behind].concat()
    } else {
        let written_out: Vec<&str> = new.split('.').take(*numbers).collect();
        let open: Vec<&str> = old.split('.').skip(*numbers).collect();
        [before, &[written_out, open].concat().join("."), behind].concat()
    };
    Range::parse(&moved)?.has(version).then_some(moved)
}

/// Reads what must all be so: versions with blanks or commas between them.
fn group(text: &str) -> Option<Vec<Comparator>> {
    let mut comparators = Vec::new();
    let mut rest = text.trim_start();
    let mut may_be_span = true;
    loop {
        let (comparator, after) = comparator(rest)?;
        let behind = after.trim_start();
        let has_blank = behind.len() < after.len();
        // `1.2 - 1.4`: from one to the other. Helm takes the blank before it away, so that nothing but a comma can stand there.
        if has_blank
            && may_be_span
            && let Some(last) = behind.strip_prefix('-')
            && last.starts_with(char::is_whitespace)
            && rest.starts_with(|c: char| c == 'v' || c.is_ascii_digit() || is_open(c))
        {
            let (upper, after) = version(last.trim_start())?;
            comparators.push(Comparator { operator: Operator::GreaterOrEqual, ..comparator });
            comparators.push(Comparator { operator: Operator::LessOrEqual, ..upper });
            rest = after;
        } else {
            comparators.push(comparator);
            rest = after;
        }
        let behind = rest.trim_start();
        if behind.is_empty() {
            return Some(comparators);
        }
        let after_comma = behind.strip_prefix(',');
        if after_comma.is_none() && behind.len() == rest.len() {
            return None;
        }
        may_be_span = after_comma.is_some();
        rest = after_comma.unwrap_or(behind).trim_start();
    }
}

/// Reads one version with what stands before it, and gives the rest.
fn comparator(text: &str) -> Option<(Comparator, &str)> {
    let found = OPERATORS.iter().find_map(|(written, operator)| Some((operator, text.strip_prefix(written)?)));
    let (operator, rest) = found.unwrap_or((&Operator::Equal, text));
    let (version, rest) = version(rest.trim_start())?;
    Some((Comparator { operator: *operator, ..version }, rest))
}

/// Reads a version, numbers of which may be open, and gives the rest.
fn version(text: &str) -> Option<(Comparator, &str)> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end =
        text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '+' | '*')).unwrap_or(text.len());
    let (written, rest) = text.split_at(end);
    let (written, _) = written.split_once('+').unwrap_or((written, ""));
    let (core, pre) = match written.split_once('-') {
        Some((_, "")) => return None,
        Some((core, pre)) => (core, pre),
        None => (written, ""),
    };
    let parts: Vec<&str> = core.split('.').collect();
    if parts.len() > 3 {
        return None;
    }
    let mut values = [0; 3];
    let mut numbers = 0;
    let mut is_closed = true;
    for (value, part) in values.iter_mut().zip(&parts) {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_closed && is_number {
            *value = part.parse().ok()?;
            numbers += 1;
        } else if is_number || (part.len() == 1 && part.starts_with(is_open)) {
            is_closed = false;
        } else {
            return None;
        }
    }
    let [major, minor, patch] = values;
    let pre = Prerelease::new(pre).ok()?;
    let version = Version { pre, ..Version::new(major, minor, patch) };
    Some((Comparator { operator: Operator::Equal, version, numbers }, rest))
}

/// Whether a character stands for any number.
fn is_open(character: char) -> bool {
    matches!(character, 'x' | 'X' | '*')
}

impl Comparator {
    fn has(&self, version: &Version) -> bool {
        let Self { operator, version: own, numbers } = self;
        let order = version.cmp_precedence(own);
        let begins_alike = self.same_numbers(version) >= *numbers;
        match operator {
            Operator::Equal if *numbers == 3 => order == Ordering::Equal,
            Operator::Equal | Operator::Tilde => self.tilde(version, order),
            Operator::NotEqual if *numbers == 3 => order != Ordering::Equal,
            // What is open altogether stands for the versions that begin with 0.0.0.
            Operator::NotEqual if *numbers == 0 => order != Ordering::Equal,
            Operator::NotEqual => !begins_alike || (*numbers == 2 && version.pre != own.pre),
            Operator::Greater if matches!(numbers, 1 | 2) => order == Ordering::Greater && !begins_alike,
            Operator::Greater => order == Ordering::Greater,
            Operator::GreaterOrEqual => order != Ordering::Less,
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual if *numbers == 3 => order != Ordering::Greater,
            Operator::LessOrEqual => {
                version.major <= own.major && (version.major < own.major || self.is_below_minor(version))
            }
            Operator::Caret => order != Ordering::Less && self.caret(version),
        }
    }

    /// How many numbers two versions begin alike with.
    fn same_numbers(&self, version: &Version) -> usize {
        let (own, other) = (&self.version, version);
        let alike = [own.major == other.major, own.minor == other.minor, own.patch == other.patch];
        alike.iter().take_while(|same| **same).count()
    }

    fn is_below_minor(&self, version: &Version) -> bool {
        self.numbers == 1 || version.minor <= self.version.minor
    }

    fn tilde(&self, version: &Version, order: Ordering) -> bool {
        let is_zero = self.version.major == 0 && self.version.minor == 0 && self.version.patch == 0;
        let takes_all = is_zero && matches!(self.numbers, 0 | 3);
        order != Ordering::Less && (takes_all || self.same_numbers(version) >= self.numbers.min(2))
    }

    fn caret(&self, version: &Version) -> bool {
        let own = &self.version;
        if own.major > 0 || self.numbers == 1 {
            return version.major == own.major;
        }
        if self.numbers == 0 {
            return version.major == 0 && version.minor == 0 && version.patch == 0;
        }
        version.major == 0
            && version.minor == own.minor
            && (own.minor > 0 || self.numbers == 2 || version.patch == own.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_take_what_helm_says() {
        for (range, version) in [
            ("1.2.3", "v1.2.3"),
            ("1.2.3", "1.2.3+build"),
            ("0.12.*", "0.12.7"),
            (">= 0.1.0", "7.0.0"),
            (">=1 <2", "1.9.9"),
            (">=1, <2 || 4.x.x", "4.1.0"),
            ("1.1 - 2", "2.7.0"),
            ("~0.0.0", "7.1.0"),
            ("^0.2", "0.2.9"),
            ("^0", "0.9.0"),
            ("<=1.1", "1.1.9"),
            ("!=4.1", "4.2.0"),
            (">=1.0.0-0 <2", "1.5.0-rc.1"),
            ("*", "3.0.0"),
        ] {
            assert!(Range::parse(range).expect("a range").has(version), "{range} takes {version}");
        }
        for (range, version) in [
            ("1.2.3", "1.2.4"),
            ("0.12.*", "0.13.0"),
            (">11.1", "11.1.1"),
            (">=1 <2", "2.0.0"),
            (">=1", "2.0.0-rc.1"),
            ("*", "2.0.0-rc.1"),
            ("^0.2", "0.3.0"),
            ("^0.0.3", "0.0.4"),
            ("!=4.1", "4.1.7"),
            ("1.1-3", "4.3.2"),
            ("1.x", "1.4"),
        ] {
            assert!(!Range::parse(range).expect("a range").has(version), "{range} does not take {version}");
        }
        for text in [
            "",
            " ",
            "latest",
            "1 ||",
            "1.2.3.4",
            ">= x1",
            "1.2.3 -",
            "12.3.34~ 1.2.3",
            "1.2.3-beta.01",
            ">=1<2",
            "1,,2",
        ] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_range_moves_with_what_is_written_around_its_numbers() {
        for (written, version, expected) in [
            ("0.3.0", "0.4.1", Some("0.4.1")),
            ("v0.3.0", "v0.4.1", Some("v0.4.1")),
            ("= 0.3.0", "0.4.1-rc.1", Some("= 0.4.1-rc.1")),
            ("0.12.*", "0.13.2", Some("0.13.*")),
            ("1.x.x", "2.0.1", Some("2.x.x")),
            ("~1.2", "1.3.7", Some("~1.3")),
            ("^1.2.3", "2.0.0", Some("^2.0.0")),
            ("~1.2", "1.3.0-rc.1", None),
            (">=1 <2", "2.0.0", None),
            ("1 - 2", "3.0.0", None),
            ("<2", "2.0.0", None),
        ] {
            assert_eq!(moved(written, version).as_deref(), expected, "{written} for {version}");
        }
    }
}
