//! For people: snippets on a terminal, one line a finding elsewhere.

use std::fmt::{self, Write as _};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode};

use super::{COULD_NOT_JUDGE, Report, failure_message};
use crate::finding::{Finding, Level};
use crate::run::Outcome;
use crate::text::{escape, is_unprintable};

/// How much a reader can show.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether a person looks at it: then the source is shown with each finding.
    pub is_terminal: bool,
    /// Whether there are colours.
    pub has_colour: bool,
    /// Columns.
    pub width: usize,
}

/// Renders the findings and, unless `is_quiet`, the closing line.
pub fn render(report: &Report<'_>, style: Style, is_quiet: bool) -> String {
    let mut text = String::new();
    for finding in report.outcome.findings.iter().filter(|finding| finding.waived.is_none()) {
        if style.is_terminal {
            graphical(&mut text, finding, style);
        } else {
            line(&mut text, finding);
        }
    }
    if !is_quiet {
        text.push_str(&closing(report.outcome));
        text.push('\n');
    }
    text
}

/// `path:line:column: level: message [rule]`, which CI logs highlight and editors jump to.
fn line(text: &mut String, finding: &Finding) {
    let fault = &finding.fault;
    let (start, _) = fault.place.positions();
    let mut message = escape(&fault.message).into_owned();
    if let Some(help) = &fault.help {
        message.push_str("; ");
        message.push_str(&escape(help));
    }
    let (path, level, rule) = (escape(&fault.place.path), finding.level, &finding.rule);
    // A line that begins with colons is a command to GitHub.
    let dot = if path.trim_start().starts_with("::") { "./" } else { "" };
    // Writing to a string does not fail.
    let _ = writeln!(text, "{dot}{path}:{}:{}: {level}: {message} [{rule}]", start.line, start.column);
}

/// What stood in the way of a judgement, a line each; where errors are printed, they are said there already.
pub fn failures(outcome: &Outcome) -> String {
    let mut text = String::new();
    for failure in &outcome.failures {
        let _ = writeln!(text, "imglint: error: {}", failure_message(failure)); // a string takes everything
    }
    text
}

/// How many findings there are, in words.
pub fn closing(outcome: &Outcome) -> String {
    if outcome.failures.iter().any(|failure| *failure.rule == *COULD_NOT_JUDGE) {
        return "nothing was judged".to_owned();
    }
    let counts = [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "note")];
    let counts = counts.iter().map(|(level, word)| (outcome.count(*level), *word)).filter(|(count, _)| *count > 0);
    let mut said: Vec<String> = counts.map(|(count, word)| counted(count, word)).collect();
    if said.is_empty() {
        said.push("no findings".to_owned());
    }
    let mut closing = match outcome.images.len() {
        0 => format!("{}: no image is touched", said.join(", ")),
        count => format!("{} in {}", said.join(", "), counted(count, "image")),
    };
    if !outcome.failures.is_empty() {
        let _ = write!(closing, "; {} could not judge", counted(outcome.failures.len(), "rule"));
    }
    if outcome.waived() > 0 {
        let _ = write!(closing, "; {} waived", outcome.waived());
    }
    let open = outcome.findings.iter().filter(|finding| finding.waived.is_none());
    let fixes = open.filter_map(|finding| finding.fault.fix.as_ref());
    let (safe, risky): (Vec<_>, Vec<_>) = fixes.partition(|fix| fix.safe);
    if !safe.is_empty() {
        let _ = write!(closing, "; {} can be repaired with --fix", safe.len());
    }
    if !risky.is_empty() {
        let _ = write!(closing, "; {} with --fix --unsafe-fixes", risky.len());
    }
    if outcome.older > 0 {
        let _ = write!(
            closing,
            " ({}: see {} with --all)",
            counted_older(outcome.older),
            if outcome.older == 1 { "it" } else { "them" }
        );
    }
    closing
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn counted_older(count: usize) -> String {
    format!("{count} older finding{}", if count == 1 { "" } else { "s" })
}

fn graphical(text: &mut String, finding: &Finding, style: Style) {
    let theme = if style.has_colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(style.width).with_links(false);
    let shown = Shown::new(finding);
    if handler.render_report(text, &shown).is_err() {
        line(text, finding);
    }
    text.push('\n');
}

/// A finding as miette shows it. All text is escaped.
#[derive(Debug)]
struct Shown {
    severity: Severity,
    message: String,
    code: String,
    help: Option<String>,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
}

impl Shown {
    fn new(finding: &Finding) -> Self {
        let fault = &finding.fault;
        let mut labels = Vec::new();
        let mut notes: Vec<String> = fault.help.iter().map(|help| escape(help).into_owned()).collect();
        let source = fault.place.text.as_ref().map(|text| {
            let escaped = Escaped::new(text.as_str());
            let span = escaped.span(&fault.place.span);
            labels.push(LabeledSpan::new_primary_with_span(None, span));
            for related in fault.related.iter().filter(|related| related.place.path == fault.place.path) {
                labels.push(LabeledSpan::new_with_span(
                    Some(escape(&related.message).into_owned()),
                    escaped.span(&related.place.span),
                ));
            }
            NamedSource::new(escape(&fault.place.path), escaped.text)
        });
        let elsewhere =
            fault.related.iter().filter(|related| source.is_none() || related.place.path != fault.place.path);
        for related in elsewhere {
            let path = escape(&related.place.path);
            let place = match &related.place.text {
                Some(_) => {
                    let (start, _) = related.place.positions();
                    format!("{path}:{}:{}", start.line, start.column)
                }
                None => path.into_owned(),
            };
            notes.push(format!("{place}: {}", escape(&related.message)));
        }
        let message = match &source {
            Some(_) => escape(&fault.message).into_owned(),
            None => format!("{}: {}", escape(&fault.place.path), escape(&fault.message)),
        };
        Self {
            severity: match finding.level {
                Level::Error => Severity::Error,
                Level::Warning => Severity::Warning,
                Level::Note | Level::Off => Severity::Advice,
            },
            message,
            code: finding.rule.to_string(),
            help: (!notes.is_empty()).then(|| notes.join("\n")),
            source,
            labels,
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as _)
    }
}

/// A source whose unprintable characters are written out, and where its places went by that.
struct Escaped {
    text: String,
    /// For each escaped character its place in the original, and how much longer the text became up to behind it.
    shifts: Vec<(usize, usize)>,
}

impl Escaped {
    fn new(original: &str) -> Self {
        let mut escaped = Self { text: String::with_capacity(original.len()), shifts: Vec::new() };
        for (offset, character) in original.char_indices() {
            if is_unprintable(character) && !matches!(character, '\n' | '\t') {
                escaped.text.extend(character.escape_default());
                escaped.shifts.push((offset, escaped.text.len() - offset - character.len_utf8()));
            } else {
                escaped.text.push(character);
            }
        }
        escaped
    }

    fn offset(&self, original: usize) -> usize {
        let before = self.shifts.partition_point(|(offset, _)| *offset < original);
        original + before.checked_sub(1).map_or(0, |last| self.shifts[last].1)
    }

    fn span(&self, span: &crate::text::Span) -> miette::SourceSpan {
        let start = self.offset(span.start);
        (start, self.offset(span.end).saturating_sub(start)).into()
    }
}
