//! Waivers: findings that are let pass, each for a reason.
//!
//! They come from `[[waive]]` in the configuration, from trailers of the change's commits
//! (`Imglint-Waive: rule(image) until=2027-01-31 reason`), and from comments in Dockerfiles, which hold for the next line
//! (`# imglint: allow(rule) reason`).

use std::fmt;

use crate::check::Disorder;
use crate::config::suggest;
use crate::finding::{Fault, Finding, Label, Place};
use crate::git::Trailer;
use crate::model::Model;
use crate::shape::Shape;
use crate::snapshot::Snapshot;

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
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Option<Day>,
    /// Where it is written.
    pub place: Place,
    /// The line that it holds for, in the file that it is written in; any place, if there is none.
    pub line: Option<usize>,
    /// Whether it came with the change itself, so that it must be of use now.
    pub is_of_change: bool,
    /// What is wrong with the way in which it is written. Then it lets nothing pass.
    pub error: Option<&'static str>,
}

/// What is known when waivers are judged.
pub struct Known<'a> {
    /// The names of all rules.
    pub rules: Vec<&'a str>,
    /// Those among them that were judged.
    pub judged: Vec<&'a str>,
    /// The images.
    pub head: &'a Model,
    /// The images before the change; `None` where the whole tree is judged.
    pub base: Option<&'a Model>,
    /// What the repository looks like.
    pub shape: &'a Shape,
    /// All files.
    pub files: &'a Snapshot<'a>,
    /// The day.
    pub today: Day,
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

/// The key of the trailers that waive something.
pub const TRAILER: &str = "Imglint-Waive";

/// The waiver that a trailer of a commit is.
pub fn of_trailer(trailer: &Trailer) -> Waiver {
    let path = format!("commit {}", trailer.commit).into();
    let place = Place::new(&path, &trailer.message, trailer.span.clone());
    let value = trailer.value.trim();
    let (rule, rest) = value.split_at(value.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(value.len()));
    let (image, rest, error) = match rest.trim_start().strip_prefix('(').map(|rest| rest.split_once(')')) {
        Some(Some((image, rest))) => (Some(image.trim().to_owned()), rest, None),
        Some(None) => (None, rest, Some("has an image without a closing bracket")),
        None => (None, rest, None),
    };
    let waiver = Waiver::new(rule, rest, place);
    Waiver { image, is_of_change: true, error: error.or(waiver.error), ..waiver }
}

/// The waivers in the comments of the Dockerfiles that were read.
pub fn of_dockerfiles(model: &Model) -> Vec<Waiver> {
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
            let waiver = Waiver::new(rule.trim(), reason, Place::new(&build.path, &parsed.text, span.clone()));
            waivers.push(Waiver { line: Some(next.map_or(0, |next| number + next + 2)), ..waiver });
        }
    }
    waivers
}

/// Marks the findings that are let pass. Those that were, but are no more, say since when.
pub fn let_pass<'w>(findings: &mut [Finding], waivers: impl Iterator<Item = &'w Waiver>, known: &Known<'_>) {
    for waiver in waivers.filter(|waiver| waiver.malformed(known).is_none()) {
        for finding in findings.iter_mut().filter(|finding| waiver.matches(finding, known)) {
            match waiver.ended(known) {
                Some(message) => finding.fault.related.push(Label { place: waiver.place.clone(), message }),
                None => finding.waived = Some(waiver.reason.clone()),
            }
        }
    }
}

/// Tells which waivers are not in order.
pub fn disorders<'w>(
    findings: &[Finding],
    waivers: impl Iterator<Item = &'w Waiver>,
    known: &Known<'_>,
) -> Vec<(Disorder, Fault)> {
    let disorder = |waiver: &Waiver| {
        let (disorder, message, help) = if let Some((message, help)) = waiver.malformed(known) {
            (Disorder::Malformed, message, help)
        } else if let Some(message) = waiver.ended(known) {
            let help = "mend what it let pass, or give it a new date and a reason for that";
            (Disorder::Expired, message, Some(help.to_owned()))
        } else if waiver.is_decidable(known) && !findings.iter().any(|finding| waiver.matches(finding, known)) {
            let message = format!("the waiver of {} matches nothing", waiver.subject());
            (Disorder::Unused, message, Some("take it away: it would hide what may come".to_owned()))
        } else {
            return None;
        };
        let mut fault = Fault::new(message, waiver.place.clone());
        fault.image = waiver.image.as_deref().map(Into::into);
        fault.help = help;
        Some((disorder, fault))
    };
    waivers.filter_map(disorder).collect()
}

impl Known<'_> {
    /// Whether a directory of this name is built like an image without being one: findings are about such directories, too.
    fn is_built(&self, name: &str) -> bool {
        self.shape.roots.iter().any(|root| {
            let directory = if root.is_empty() { name.to_owned() } else { format!("{root}/{name}") };
            let mut below = self.files.below(&directory);
            below.any(|(path, _)| self.shape.built_directories(path).any(|built| built == directory))
        })
    }
}

impl Waiver {
    /// A waiver of a rule with what is written behind that: a reason, and perhaps `until=2027-01-31` among its words.
    fn new(rule: &str, rest: &str, place: Place) -> Self {
        const UNTIL: &str = "until=";
        let date = |word: &str| word.to_ascii_lowercase().strip_prefix(UNTIL).map(str::to_owned);
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
        Self { rule: rule.to_owned(), image: None, reason, until, place, line: None, is_of_change: false, error }
    }

    /// Whether another one says the same, wherever it is written.
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.rule, &self.image, &self.reason, self.until) == (&other.rule, &other.image, &other.reason, other.until)
    }

    fn subject(&self) -> String {
        self.image.as_ref().map_or_else(|| self.rule.clone(), |image| format!("{}({image})", self.rule))
    }

    /// What is malformed in it, and what to do about that.
    fn malformed(&self, known: &Known<'_>) -> Option<(String, Option<String>)> {
        if !known.rules.contains(&self.rule.as_str()) {
            let suggestion = suggest(&self.rule, known.rules.iter().copied());
            return Some((format!("this waiver is of an unknown rule, `{}`: {suggestion}", self.rule), None));
        }
        if let Some(error) = self.error {
            return Some((format!("the waiver of {} {error}", self.subject()), None));
        }
        if self.image.is_none() && self.line.is_none() && is_image(known.head, &self.reason) {
            let message = format!("the waiver of {} names an image as its reason", self.subject());
            return Some((message, Some(format!("write {}({}) and why", self.rule, self.reason))));
        }
        let image = self.image.as_ref()?;
        // What comes with the change may be about an image that it deletes.
        let base = known.base.filter(|_| self.is_of_change);
        let mut models = [known.head].into_iter().chain(base);
        let is_known = models.any(|model| is_image(model, image)) || known.is_built(image);
        let names = known.head.images.values().map(|image| image.published());
        let message = || format!("the waiver of {} is of an unknown image", self.subject());
        (!is_known).then(|| (message(), Some(suggest(image, names))))
    }

    fn ended(&self, known: &Known<'_>) -> Option<String> {
        let until = self.until.filter(|until| *until < known.today)?;
        Some(format!("the waiver of {} ended on {until}", self.subject()))
    }

    fn matches(&self, finding: &Finding, known: &Known<'_>) -> bool {
        let is_named = |image: &str, of: &str| {
            let models = [known.head].into_iter().chain(known.base);
            image == of || models.flat_map(|model| model.named(image)).any(|named| *named.name == *of)
        };
        let is_image = match (&self.image, &finding.fault.image) {
            (None, _) => true,
            (Some(image), Some(of)) => is_named(image, of),
            (Some(_), None) => false,
        };
        let place = &finding.fault.place;
        let is_line = self.line.is_none_or(|line| place.path == self.place.path && place.positions().0.line == line);
        *finding.rule == *self.rule && is_image && is_line
    }

    /// Whether it would have matched something if it were of any use: its rule was judged, and all that it can match is there.
    fn is_decidable(&self, known: &Known<'_>) -> bool {
        (known.base.is_none() || self.is_of_change) && known.judged.contains(&self.rule.as_str())
    }
}

/// Whether a name is one that findings have: that of an image, or of one that the manifest speaks of.
fn is_image(model: &Model, name: &str) -> bool {
    let mut entries = model.manifest.iter().flat_map(|manifest| &manifest.entries);
    !model.named(name).is_empty() || entries.any(|entry| entry.name == name)
}
