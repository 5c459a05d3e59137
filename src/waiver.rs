//! Waivers: findings that are let pass, each for a reason.
//!
//! They come from `[[waive]]` in the configuration, from trailers of the change's commits
//! (`Imglint-Waive: rule(image) until=2027-01-31 reason`), and from comments in Dockerfiles, which hold for the next line
//! (`# imglint: allow(rule) reason`).

use std::fmt;
use std::sync::Arc;

use crate::finding::{Fault, Finding, Place};
use crate::model::Model;
use crate::text::Text;

/// A day of the calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(time::Date);

/// A finding that is let pass.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// The rule.
    pub rule: String,
    /// The image; any, if there is none.
    pub image: Option<String>,
    /// Why. Empty where nothing is said, which is a fault.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Option<Day>,
    /// Where it is written.
    pub place: Place,
    /// The line that it holds for, in the file that it is written in; any place, if there is none.
    pub line: Option<usize>,
    /// Whether it came with the change itself, so that it must be of use now.
    pub is_of_change: bool,
}

/// What is wrong with waivers, by kind.
#[derive(Debug, Default)]
pub struct Disorders {
    /// Past their date.
    pub expired: Vec<Fault>,
    /// Of no use.
    pub unused: Vec<Fault>,
    /// Without a reason, or of what does not exist.
    pub malformed: Vec<Fault>,
}

/// What is known when waivers are applied.
pub struct Known<'a> {
    /// The names of all rules.
    pub rules: Vec<&'a str>,
    /// Those among them that say nothing of a whole tree.
    pub changing: Vec<&'a str>,
    /// The images.
    pub head: &'a Model,
    /// The day.
    pub today: Day,
    /// Whether the whole tree was judged, so that a waiver which matched nothing is of no use.
    pub is_whole: bool,
}

impl Day {
    /// The day of a time in seconds since 1970.
    pub fn of_seconds(seconds: i64) -> Option<Self> {
        time::OffsetDateTime::from_unix_timestamp(seconds).ok().map(|time| Self(time.date()))
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

/// The waivers in the trailers of a commit message. `commit` is what the commit is called.
pub fn of_message(commit: &str, message: &str) -> Vec<Waiver> {
    let path: Arc<str> = format!("commit {commit}").into();
    let text = Arc::new(Text::from(message));
    let lines = text.lines().filter_map(|(span, line)| Some((span, line.strip_prefix("Imglint-Waive:")?)));
    let waivers = lines.map(|(span, rest)| {
        let (subject, mut reason) = split_word(rest);
        let mut until = None;
        let mut is_dated = true;
        if let Some(date) = split_word(reason).0.strip_prefix("until=") {
            until = Day::parse(date);
            is_dated = until.is_some();
            reason = split_word(reason).1;
        }
        let (rule, image) = match subject.split_once('(') {
            Some((rule, image)) => (rule, Some(image.trim_end_matches(')').to_owned())),
            None => (subject, None),
        };
        Waiver {
            rule: rule.to_owned(),
            image,
            // A date that cannot be read must not stand for none.
            reason: if is_dated { reason.trim().to_owned() } else { String::new() },
            until,
            place: Place::new(&path, &text, span),
            line: None,
            is_of_change: true,
        }
    });
    waivers.collect()
}

/// The waivers in the comments of the Dockerfiles that were read.
fn of_dockerfiles(model: &Model) -> Vec<Waiver> {
    let mut waivers: Vec<Waiver> = Vec::new();
    let builds = model
        .images
        .values()
        .flat_map(|image| &image.builds)
        .filter_map(|build| Some((build, build.file.as_ref().ok()?)));
    for (build, parsed) in builds {
        if waivers.iter().any(|waiver| waiver.place.path == build.path) {
            continue; // built for several systems
        }
        let lines: Vec<_> = parsed.text.lines().collect();
        for (number, (span, line)) in lines.iter().enumerate() {
            let comment = line.trim_start().strip_prefix('#').map(str::trim_start);
            let Some(rest) = comment.and_then(|comment| comment.strip_prefix("imglint:")) else { continue };
            let allowed = rest.trim_start().strip_prefix("allow(").and_then(|rest| rest.split_once(')'));
            let (rule, reason) = allowed.unwrap_or((rest.trim(), ""));
            let is_code = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
            let next = lines[number + 1..].iter().position(|(_, line)| is_code(line));
            waivers.push(Waiver {
                rule: rule.trim().to_owned(),
                image: None,
                reason: reason.trim().to_owned(),
                until: None,
                place: Place::new(&build.path, &parsed.text, span.clone()),
                line: Some(next.map_or(0, |next| number + next + 2)),
                is_of_change: false,
            });
        }
    }
    waivers
}

fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

/// Marks the findings that are let pass, and tells which waivers are not in order.
pub fn apply(findings: &mut [Finding], waivers: &[Waiver], known: &Known<'_>) -> Disorders {
    let mut disorders = Disorders::default();
    let of_dockerfiles = of_dockerfiles(known.head);
    for waiver in waivers.iter().chain(&of_dockerfiles) {
        let fault = |message: String| {
            let fault = Fault::new(message, waiver.place.clone());
            match &waiver.image {
                Some(image) => fault.image(&image.as_str().into()),
                None => fault,
            }
        };
        if let Some(wrong) = waiver.malformed(known) {
            disorders.malformed.push(fault(wrong));
            continue;
        }
        if let Some(until) = waiver.until.filter(|until| *until < known.today) {
            let message = format!("the waiver of {} ended on {until}", waiver.subject());
            disorders
                .expired
                .push(fault(message).help("mend what it let pass, or give it a new date and a reason for that"));
            continue;
        }
        let mut is_used = false;
        for finding in findings.iter_mut().filter(|finding| waiver.matches(finding, known)) {
            finding.waived = Some(waiver.reason.clone());
            is_used = true;
        }
        if !is_used && (known.is_whole || waiver.is_of_change) && waiver.is_decidable(known) {
            let message = format!("the waiver of {} matches nothing", waiver.subject());
            disorders.unused.push(fault(message).help("take it away: it would hide what may come"));
        }
    }
    disorders
}

impl Waiver {
    fn subject(&self) -> String {
        self.image.as_ref().map_or_else(|| self.rule.clone(), |image| format!("{}({image})", self.rule))
    }

    fn malformed(&self, known: &Known<'_>) -> Option<String> {
        if !known.rules.contains(&self.rule.as_str()) {
            let suggestion = crate::config::suggest(&self.rule, known.rules.iter().copied());
            return Some(format!("this waiver is of an unknown rule, `{}`: {suggestion}", self.rule));
        }
        if self.reason.is_empty() {
            return Some(format!("the waiver of {} gives no reason", self.subject()));
        }
        let image = self.image.as_ref()?;
        let is_known = known.head.directories.iter().any(|directory| is_image(directory, image))
            || !known.head.named(image).is_empty();
        (!is_known).then(|| format!("the waiver of {} is of an unknown image", self.subject()))
    }

    fn matches(&self, finding: &Finding, known: &Known<'_>) -> bool {
        let is_image = match (&self.image, &finding.fault.image) {
            (None, _) => true,
            (Some(image), Some(of)) => image == &**of || known.head.named(image).iter().any(|named| named.name == *of),
            (Some(_), None) => false,
        };
        let place = &finding.fault.place;
        let is_line = self.line.is_none_or(|line| place.path == self.place.path && place.positions().0.line == line);
        *finding.rule == *self.rule && is_image && is_line
    }

    /// Whether this run could have matched it: of a whole tree, what only a change can show could not.
    fn is_decidable(&self, known: &Known<'_>) -> bool {
        !known.is_whole || !known.changing.contains(&self.rule.as_str())
    }
}

/// Whether a name is that of the image in a directory.
fn is_image(directory: &str, name: &str) -> bool {
    directory.strip_suffix(name).is_some_and(|above| above.is_empty() || above.ends_with('/'))
}
