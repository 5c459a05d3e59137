//! What a waiver is, and how it is written in a commit's trailer and in a Dockerfile's comment. `src/config_file.rs` reads those
//! of the configuration.

use std::collections::HashSet;
use std::fmt;

use crate::finding::Location;
use crate::git::Trailer;
use crate::model::Model;

/// A day of the calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(time::Date);

/// A finding that is let pass.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// The rule that is let pass, by its name.
    pub rule: String,
    /// The image; any, if there is none.
    pub image: Option<String>,
    /// Why its findings are right to pass, in its author's words.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Option<Day>,
    /// Where it is written.
    pub location: Location,
    /// The line that it holds for, in the file that it is written in; any place, if there is none.
    pub line: Option<usize>,
    /// Whether it came with the change itself, so that it must be of use now.
    pub is_of_change: bool,
    /// What is wrong with the way in which it is written. Then it lets nothing pass.
    pub error: Option<&'static str>,
}

impl Day {
    /// The day of a time in seconds since 1970.
    pub fn of_seconds(seconds: i64) -> Option<Self> {
        time::OffsetDateTime::from_unix_timestamp(seconds).ok().map(|time| Self(time.date()))
    }

    /// When it begins, in seconds since 1970.
    pub fn begin(self) -> i64 {
        self.0.midnight().assume_utc().unix_timestamp()
    }

    /// Its year, and its month from 1.
    pub fn year_and_month(self) -> (i32, u8) {
        (self.0.year(), self.0.month().into())
    }

    /// Reads `2027-01-31`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let month = time::Month::try_from(month.parse::<u8>().ok()?).ok()?;
        time::Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok().map(Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.to_calendar_date();
        write!(f, "{year:04}-{:02}-{day:02}", u8::from(month))
    }
}

/// The key of the trailers that waive something.
pub const TRAILER: &str = "Imglint-Waive";

/// The waiver that a trailer of a commit is.
pub fn of_trailer(trailer: &Trailer) -> Waiver {
    let path = trailer.source.as_str().into();
    let location = Location::new(&path, &trailer.message, trailer.span.clone());
    let value = trailer.value.trim();
    let (rule, rest) = value.split_at(value.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(value.len()));
    let (image, rest, error) = match rest.trim_start().strip_prefix('(').map(|rest| rest.split_once(')')) {
        Some(Some((image, rest))) => (Some(image.trim().to_owned()), rest, None),
        Some(None) => (None, rest, Some("has an image without a closing bracket")),
        None => (None, rest, None),
    };
    let waiver = Waiver::new(rule, rest, location);
    Waiver { image, is_of_change: true, error: error.or(waiver.error), ..waiver }
}

/// What a comment begins with that is a waiver.
const MARK: &str = "imglint:";

/// The waivers in the comments of the Dockerfiles that were read.
pub fn of_dockerfiles(model: &Model) -> Vec<Waiver> {
    let mut waivers: Vec<Waiver> = Vec::new();
    let mut seen = HashSet::new();
    for build in model.images.values().flat_map(|image| &image.builds) {
        let Ok(parsed) = &build.file else { continue };
        if !seen.insert(&build.path) {
            continue; // built for several systems
        }
        if !parsed.text.as_str().contains(MARK) {
            continue;
        }
        let first = waivers.len();
        let lines: Vec<_> = parsed.text.lines().collect();
        // From the end, as a waiver is of the line of code that follows.
        let mut next = None;
        for (number, (span, line)) in lines.iter().enumerate().rev() {
            if is_code(line) {
                next = Some(number);
                continue;
            }
            let comment = line.trim_start().strip_prefix('#').map(str::trim_start);
            let Some(rest) = comment.and_then(|comment| comment.strip_prefix(MARK)) else { continue };
            let allowed = rest.trim_start().strip_prefix("allow(").and_then(|rest| rest.split_once(')'));
            let (rule, reason) = allowed.unwrap_or((rest.trim(), ""));
            let waiver = Waiver::new(rule.trim(), reason, Location::new(&build.path, &parsed.text, span.clone()));
            waivers.push(Waiver { line: Some(next.map_or(0, |next| next + 1)), ..waiver });
        }
        waivers[first..].reverse();
    }
    waivers
}

/// Whether a line of a Dockerfile is neither blank nor a comment.
fn is_code(line: &str) -> bool {
    !line.trim().is_empty() && !line.trim_start().starts_with('#')
}

/// What a date begins with in a trailer and in a comment.
const UNTIL: &str = "until=";

/// What stands for the date, if a word is one. Its case is nobody's concern.
fn date(word: &str) -> Option<String> {
    word.to_ascii_lowercase().strip_prefix(UNTIL).map(str::to_owned)
}

impl Waiver {
    /// A waiver of a rule with what is written behind that: a reason, and perhaps `until=2027-01-31` among its words.
    fn new(rule: &str, rest: &str, location: Location) -> Self {
        let until = rest.split_whitespace().find_map(date).and_then(|date| Day::parse(&date));
        let reason = rest.split_whitespace().filter(|word| date(word).is_none()).collect::<Vec<_>>().join(" ");
        // A date that cannot be read must not stand for none, however it is written.
        let dense = rest.split_whitespace().collect::<String>().to_ascii_lowercase();
        let error = match dense.matches(UNTIL).count() {
            count if count != usize::from(until.is_some()) => {
                Some("has no date that can be read: write it once, as `until=2027-01-31`")
            }
            _ if reason.is_empty() => Some("gives no reason"),
            _ => None,
        };
        Self { rule: rule.to_owned(), image: None, reason, until, location, line: None, is_of_change: false, error }
    }

    /// What it says, wherever it is written.
    pub fn words(&self) -> (&str, Option<&str>, &str, Option<Day>) {
        (&self.rule, self.image.as_deref(), &self.reason, self.until)
    }
}
