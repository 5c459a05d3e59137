//! Findings over time: above the line what was found, below it what was mended, and how many changes there were.
//!
//! Everything that lies along the line is a share of its length, so that it fits any width while no text is ever scaled.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::html::counted;
use super::html::number;
use super::html::short;
use crate::finding::Level;
use crate::replay::{Fate, Replay};
use crate::waiver::Day;

/// How many periods are drawn at most.
const MOST: i64 = 130;

/// How high the bars of findings are at most, and where the line lies below them, from which those of what was mended hang in the
/// same scale.
const HIGH: f64 = 130.0;
const LINE: f64 = 148.0;
/// How high the bars of changes are at most, in a scale of their own.
const STRIP: f64 = 26.0;

const SECONDS_A_DAY: i64 = 24 * 60 * 60;

/// How long a period is.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Week,
    Month,
    Quarter,
    Years(i64),
}

/// What happened in a period.
#[derive(Debug, Clone, Default)]
struct Period {
    changes: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    mended: usize,
    /// The oldest change with a finding.
    first: Option<String>,
}

/// Renders the timeline, and what its shades mean; nothing where no change has a time.
pub(super) fn render(replay: &Replay) -> String {
    let days: Vec<Day> = replay.changes.iter().filter_map(|change| Day::of_seconds(change.time)).collect();
    let (Some(first), Some(last)) = (days.iter().min(), days.iter().max()) else { return String::new() };
    let unit = Unit::fitting(*first, *last);
    let begin = unit.index(*first);
    let periods = periods(replay, unit, begin, unit.index(*last));
    let mut text = String::new();
    let scale = Scale::of(&periods);
    let height = LINE + scale.deep + 22.0 + STRIP + 22.0;
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "<svg class=\"timeline\" width=\"100%\" height=\"{height:.0}\" role=\"img\" aria-label=\"Findings by {}\">",
        unit.name()
    );
    scale.draw_grid(&mut text, height);
    let share = 100.0 / float(periods.len());
    let mut x = 0.0;
    for (position, period) in periods.iter().enumerate() {
        let index = begin + i64::try_from(position).unwrap_or_default();
        draw(&mut text, period, &Place { unit, index, x, share, height }, &scale);
        x += share;
    }
    label(&mut text, unit, begin, periods.len(), height);
    text.push_str("</svg>\n");
    legend(&mut text, replay, unit);
    text
}

fn periods(replay: &Replay, unit: Unit, begin: i64, end: i64) -> Vec<Period> {
    let count = usize::try_from(end - begin + 1).unwrap_or(1);
    let mut periods = vec![Period::default(); count];
    let mut of_commit: HashMap<&str, usize> = HashMap::new();
    for change in &replay.changes {
        let Some(day) = Day::of_seconds(change.time) else { continue };
        let Ok(position) = usize::try_from(unit.index(day) - begin) else { continue };
        of_commit.insert(&change.commit, position);
        let Some(period) = periods.get_mut(position) else { continue };
        period.changes += 1;
        for finding in change.findings.iter().filter(|finding| finding.waived.is_none()) {
            match finding.level {
                Level::Error => period.errors += 1,
                Level::Warning => period.warnings += 1,
                Level::Note | Level::Off => period.notes += 1,
            }
        }
        if !change.findings.is_empty() {
            period.first = Some(change.commit.clone());
        }
    }
    for finding in replay.changes.iter().flat_map(|change| &change.findings) {
        if let Fate::Mended(mended) = &finding.fate
            && finding.waived.is_none()
            && let Some(&position) = of_commit.get(&*mended.commit)
        {
            periods[position].mended += 1;
        }
    }
    periods
}

/// Where a period lies in the picture.
struct Place {
    unit: Unit,
    index: i64,
    /// Where it begins and how wide it is, in hundredths of the whole.
    x: f64,
    share: f64,
    height: f64,
}

/// How many pixels there are for a finding, and for a change.
struct Scale {
    most_found: usize,
    finding: f64,
    deep: f64,
    most_changes: usize,
    change: f64,
}

impl Scale {
    fn of(periods: &[Period]) -> Self {
        let most_found = periods.iter().map(Period::found).max().unwrap_or_default().max(1);
        let most_mended = periods.iter().map(|period| period.mended).max().unwrap_or_default();
        let most_changes = periods.iter().map(|period| period.changes).max().unwrap_or_default().max(1);
        // A change may mend at once what was found over years.
        let finding = HIGH / float(most_found.max(most_mended));
        let deep = finding * float(most_mended);
        Self { most_found, finding, deep, most_changes, change: STRIP / float(most_changes) }
    }

    /// The pixels for some findings: what is there is seen.
    fn pixels(&self, count: usize) -> f64 {
        if count == 0 { 0.0 } else { (self.finding * float(count)).max(2.0) }
    }

    /// A line at every round number.
    fn draw_grid(&self, text: &mut String, height: f64) {
        let step = round_step(self.most_found);
        let mut value = step;
        while value <= self.most_found {
            let y = LINE - self.finding * float(value);
            let _ = writeln!(
                text,
                "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"tick\" x=\"0\" \
                 y=\"{:.1}\">{}</text>",
                y - 3.0,
                number(value)
            );
            value += step;
        }
        let bottom = height - 22.0;
        let _ = writeln!(
            text,
            "<line class=\"axis\" x1=\"0\" x2=\"100%\" y1=\"{LINE}\" y2=\"{LINE}\"/><line class=\"axis\" x1=\"0\" \
             x2=\"100%\" y1=\"{bottom:.1}\" y2=\"{bottom:.1}\"/><text class=\"tick\" x=\"0\" y=\"{:.1}\">changes, at most {}</text>",
            bottom - STRIP - 5.0,
            number(self.most_changes)
        );
    }
}

/// The numbers that lines are drawn at: 1, 2 or 5, and zeros, so that there are three to six of them.
fn round_step(most: usize) -> usize {
    let mut step = 1;
    for factor in [2, 5, 10].iter().cycle() {
        if most / step <= 5 {
            break;
        }
        let power = 10_usize.pow(step.ilog10());
        step = power * factor;
    }
    step
}

fn draw(text: &mut String, period: &Period, place: &Place, scale: &Scale) {
    if period.changes == 0 && period.mended == 0 {
        return;
    }
    let Place { unit, index, x, share, height } = *place;
    let (from, to) = unit.span(index);
    let target = period.first.as_ref().map(|commit| format!(" href=\"#c-{}\"", short(commit))).unwrap_or_default();
    let _ = write!(text, "<a tabindex=\"-1\"{target} data-from=\"{from}\" data-to=\"{to}\">");
    let _ = write!(text, "<title>{}: {}</title>", unit.label(index), period.words());
    let _ = write!(text, "<rect class=\"hit\" x=\"{x:.3}%\" y=\"0\" width=\"{share:.3}%\" height=\"{height:.0}\"/>");
    let (left, width) = (x + share * 0.1, share * 0.8);
    let mut top = LINE;
    for (class, count) in [("error", period.errors), ("warning", period.warnings), ("note", period.notes)] {
        let high = scale.pixels(count);
        top -= high;
        bar(text, class, [left, top, width, high]);
    }
    bar(text, "mended", [left, LINE, width, scale.pixels(period.mended)]);
    let high = scale.change * float(period.changes);
    bar(text, "changes", [left, height - 22.0 - high, width, high]);
    text.push_str("</a>\n");
}

/// A bar from the left and the top, both along the line in hundredths, of a width and a height.
fn bar(text: &mut String, class: &str, [left, top, width, high]: [f64; 4]) {
    if high > 0.0 {
        let _ = write!(
            text,
            "<rect class=\"{class}\" x=\"{left:.3}%\" y=\"{top:.1}\" width=\"{width:.3}%\" height=\"{high:.1}\"/>"
        );
    }
}

/// The years, or the months where there are few of these.
fn label(text: &mut String, unit: Unit, begin: i64, count: usize, height: f64) {
    let share = 100.0 / float(count);
    let mut x = 0.0;
    let mut last = String::new();
    // As many as fit on a narrow screen.
    let mut next = 0.0;
    for position in 0..count {
        let name = unit.tick(begin + i64::try_from(position).unwrap_or_default());
        if name != last {
            if x >= next && x < 93.0 {
                let _ = writeln!(text, "<text class=\"tick\" x=\"{x:.3}%\" y=\"{:.0}\">{name}</text>", height - 7.0);
                next = x + if name.len() > 4 { 17.0 } else { 9.5 };
            }
            last = name;
        }
        x += share;
    }
}

fn legend(text: &mut String, replay: &Replay, unit: Unit) {
    let sums = &replay.sums;
    let mended: usize = replay.rules.iter().map(|rule| rule.mended + rule.overtaken).sum();
    text.push_str("<ul class=\"legend\">");
    for (class, words) in [
        ("error", counted(sums.errors, "error")),
        ("warning", counted(sums.warnings, "warning")),
        ("note", counted(sums.notes, "note")),
        ("mended", format!("{} mended, below the line", number(mended))),
        ("changes", counted(sums.changes, "change")),
    ] {
        let _ = write!(
            text,
            "<li><svg width=\"10\" height=\"10\" aria-hidden=\"true\"><rect class=\"{class}\" width=\"10\" height=\"10\"/>\
             </svg> {words}</li>"
        );
    }
    let _ = writeln!(text, "<li>by {}</li></ul>", unit.name());
}

impl Period {
    fn found(&self) -> usize {
        self.errors + self.warnings + self.notes
    }

    fn words(&self) -> String {
        let mut words = vec![counted(self.changes, "change")];
        for (count, word) in [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")] {
            if count > 0 {
                words.push(counted(count, word));
            }
        }
        if self.mended > 0 {
            words.push(format!("{} mended", number(self.mended)));
        }
        words.join(", ")
    }
}

impl Unit {
    /// The shortest one of which there are not too many between two days.
    fn fitting(first: Day, last: Day) -> Self {
        for unit in [Self::Week, Self::Month, Self::Quarter] {
            if unit.index(last) - unit.index(first) < MOST {
                return unit;
            }
        }
        let years = Self::Years(1).index(last) - Self::Years(1).index(first);
        Self::Years(years / MOST + 1)
    }

    /// The number of the period that holds a day.
    fn index(self, day: Day) -> i64 {
        let (year, month) = day.year_and_month();
        let (year, month) = (i64::from(year), i64::from(month) - 1);
        match self {
            // 1970 began on a Thursday.
            Self::Week => (day.begin().div_euclid(SECONDS_A_DAY) + 3).div_euclid(7),
            Self::Month => year * 12 + month,
            Self::Quarter => year * 4 + month / 3,
            Self::Years(years) => year.div_euclid(years),
        }
    }

    /// The first day of a period, as a date.
    fn begin(self, index: i64) -> String {
        let (year, month) = match self {
            Self::Week => {
                let day = Day::of_seconds((index * 7 - 3) * SECONDS_A_DAY);
                return day.map(|day| day.to_string()).unwrap_or_default();
            }
            Self::Month => (index.div_euclid(12), index.rem_euclid(12) + 1),
            Self::Quarter => (index.div_euclid(4), index.rem_euclid(4) * 3 + 1),
            Self::Years(years) => (index * years, 1),
        };
        format!("{year:04}-{month:02}-01")
    }

    /// The first day of a period and its last one.
    fn span(self, index: i64) -> (String, String) {
        let next = Day::parse(&self.begin(index + 1));
        let last = next.and_then(|day| Day::of_seconds(day.begin() - SECONDS_A_DAY));
        (self.begin(index), last.map(|day| day.to_string()).unwrap_or_default())
    }

    /// What a period is called.
    fn label(self, index: i64) -> String {
        let begin = self.begin(index);
        match self {
            Self::Week => format!("week of {begin}"),
            Self::Month => begin.get(..7).unwrap_or(&begin).to_owned(),
            Self::Quarter => format!("{} Q{}", index.div_euclid(4), index.rem_euclid(4) + 1),
            Self::Years(1) => begin.get(..4).unwrap_or(&begin).to_owned(),
            Self::Years(_) => format!("from {begin}"),
        }
    }

    /// What stands below a period, where it is not what stands below the one before.
    fn tick(self, index: i64) -> String {
        let begin = self.begin(index);
        let length = if matches!(self, Self::Week) { 7 } else { 4 };
        begin.get(..length).unwrap_or(&begin).to_owned()
    }

    fn name(self) -> String {
        match self {
            Self::Week => "week".to_owned(),
            Self::Month => "month".to_owned(),
            Self::Quarter => "quarter".to_owned(),
            Self::Years(1) => "year".to_owned(),
            Self::Years(years) => format!("{years} years"),
        }
    }
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
