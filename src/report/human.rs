//! For people: snippets on a terminal, one line a finding elsewhere.

use std::collections::HashMap;
use std::fmt::Write as _;

use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level as Title, Origin, Renderer, Snippet};

use super::summary;
use super::view::{Report, error_message};
use crate::finding::{Diagnostic, Finding, Label, Level, Location};
use crate::run::{Failed, Outcome};
use crate::text::{Span, counted, escape, is_unprintable};

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

/// Renders the findings, what was repaired and, unless `is_quiet`, the closing line.
pub fn render(report: &Report<'_>, style: Style, is_quiet: bool) -> String {
    let mut text = findings(report.outcome, style);
    if let Some(repaired) = report.repaired.filter(|repaired| repaired.is_written) {
        let repairs = summary::render(repaired.repair);
        text.push_str(&repairs);
        if !repairs.is_empty() && !is_quiet {
            text.push('\n');
        }
    }
    if !is_quiet {
        text.push_str(&closing(report.outcome));
        text.push('\n');
    }
    text
}

/// Renders every finding in one line, however many are alike, and unless `is_quiet` the closing line.
pub fn concise(report: &Report<'_>, is_quiet: bool) -> String {
    let mut text = String::new();
    for finding in report.outcome.open() {
        write_line(&mut text, finding);
    }
    if !is_quiet {
        text.push_str(&closing(report.outcome));
        text.push('\n');
    }
    text
}

/// How many findings of one rule about one image are shown: of more, all tell one story.
const MOST_ALIKE: usize = 4;

/// Renders the findings alone. Of many that are alike the first are shown, and the others counted.
pub fn findings(outcome: &Outcome, style: Style) -> String {
    let mut alike: HashMap<(&str, Option<&str>), usize> = HashMap::new();
    for finding in outcome.open() {
        *alike.entry(alike_by(finding)).or_default() += 1;
    }
    let mut shown: HashMap<(&str, Option<&str>), usize> = HashMap::new();
    let mut text = String::new();
    let renderer = if style.has_colour { Renderer::styled() } else { Renderer::plain() }.term_width(style.width);
    for finding in outcome.open() {
        let (all, shown) = (alike[&alike_by(finding)], shown.entry(alike_by(finding)).or_default());
        *shown += 1;
        // One more takes no more room than to say that there is one.
        if *shown > MOST_ALIKE && all > MOST_ALIKE + 1 {
            continue;
        }
        if style.is_terminal {
            text.push_str(&renderer.render(&[snippets(finding)]));
            text.push_str("\n\n");
        } else {
            write_line(&mut text, finding);
        }
        if *shown == MOST_ALIKE && all > MOST_ALIKE + 1 {
            write_rest(&mut text, finding, all - MOST_ALIKE);
            text.push_str(if style.is_terminal { "\n\n" } else { "\n" });
        }
    }
    text
}

/// What findings that are alike have in common: their rule and their image.
fn alike_by(finding: &Finding) -> (&str, Option<&str>) {
    (&finding.rule, finding.diagnostic.image.as_deref())
}

/// Says how many findings like this one are not shown.
fn write_rest(text: &mut String, finding: &Finding, count: usize) {
    let image = finding.diagnostic.image.as_ref().map(|image| format!(" of {}", escape(image))).unwrap_or_default();
    // Writing to a string does not fail.
    let _ = write!(text, "... and {count} more {}{image}; `--format concise` shows all", finding.rule);
}

/// `path:line:column: level: message [rule]`, which CI logs highlight and editors jump to.
fn write_line(text: &mut String, finding: &Finding) {
    let diagnostic = &finding.diagnostic;
    let (start, _) = diagnostic.location.positions();
    let mut message = abridged(&diagnostic.message);
    if let Some(help) = &diagnostic.help {
        message.push_str("; ");
        message.push_str(&abridged(help));
    }
    if let Some(cause) = &diagnostic.cause {
        message = format!("{message} ({})", abridged(cause));
    }
    let (path, level, rule) = (escape(&diagnostic.location.path), finding.level, &finding.rule);
    // A line that begins with colons is a command to GitHub.
    let dot = if path.trim_start().starts_with("::") { "./" } else { "" };
    // Writing to a string does not fail.
    let _ = writeln!(text, "{dot}{path}:{}:{}: {level}: {message} [{rule}]", start.line, start.column);
}

/// Of a text that quotes a whole minified file, its beginning and its end; all of it is in the reports for programs. Escaped.
fn abridged(text: &str) -> String {
    const LONGEST: usize = 600;
    let escaped = escape(text);
    if escaped.len() <= LONGEST {
        return escaped.into_owned();
    }
    let end = escaped.floor_char_boundary(LONGEST / 2);
    let begin = escaped.ceil_char_boundary(escaped.len() - LONGEST / 3);
    format!("{}…{}", &escaped[..end], &escaped[begin..])
}

/// What stood in the way of a judgement, a line each; where errors are printed, they are said there already.
pub fn errors(outcome: &Outcome) -> String {
    let mut text = String::new();
    for error in &outcome.errors {
        let _ = writeln!(text, "imglint: error: {}", error_message(error)); // a string takes everything
    }
    text
}

/// How many findings there are, in words.
pub fn closing(outcome: &Outcome) -> String {
    if outcome.errors.iter().any(|error| error.failed == Failed::Run) {
        return "nothing was judged".to_owned();
    }
    let counts = [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "note")];
    let counts = counts.iter().map(|(level, word)| (outcome.count(*level), *word)).filter(|(count, _)| *count > 0);
    let mut said: Vec<String> = counts.map(|(count, word)| counted(count, word)).collect();
    if said.is_empty() {
        said.push("no findings".to_owned());
    }
    let mut closing = match outcome.images.len() {
        0 if outcome.findings.is_empty() => format!("{}: no image is touched", said.join(", ")),
        0 => said.join(", "),
        count => format!("{} in {}", said.join(", "), counted(count, "image")),
    };
    if !outcome.errors.is_empty() {
        let _ = write!(closing, "; {} could not judge", counted(outcome.errors.len(), "rule"));
    }
    if outcome.waived() > 0 {
        let _ = write!(closing, "; {} waived", outcome.waived());
    }
    let open = outcome.open();
    let fixes = open.filter_map(|finding| finding.diagnostic.fix.as_ref());
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
            counted(outcome.older, "older finding"),
            if outcome.older == 1 { "it" } else { "them" }
        );
    }
    closing
}

/// How many of the places that explain a finding are shown: of many, most say the same. Reports for programs hold them all.
const MOST_LABELS: usize = 4;

/// A finding with the lines of source that it is about. All text is escaped.
fn snippets(finding: &Finding) -> Group<'static> {
    let diagnostic = &finding.diagnostic;
    let title = match finding.level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
        Level::Note | Level::Off => Title::NOTE,
    };
    let title = title.primary_title(abridged(&diagnostic.message)).id(finding.rule.to_string());
    let shown = &diagnostic.related[..diagnostic.related.len().min(MOST_LABELS)];
    // Without a source there is no line to say it at.
    let (quoted, named): (Vec<_>, Vec<_>) = shown.iter().partition(|label| label.location.text.is_some());
    let (beside, elsewhere): (Vec<_>, Vec<_>) = quoted
        .into_iter()
        .partition(|label| label.location.path == diagnostic.location.path && diagnostic.location.text.is_some());
    let mut group = title.element(source(&diagnostic.location, true, &beside));
    for label in elsewhere {
        group = group.element(source(&label.location, false, &[label]));
    }
    for label in named {
        let words = format!("{}: {}", escape(&label.location.path), abridged(&label.message));
        group = group.element(Title::NOTE.message(words));
    }
    if diagnostic.related.len() > shown.len() {
        let rest = counted(diagnostic.related.len() - shown.len(), "further place");
        group = group.element(Title::NOTE.message(format!("{rest} not shown")));
    }
    match help(diagnostic) {
        Some(help) => group.element(Title::HELP.message(help)),
        None => group,
    }
}

/// What to do, and whether imglint does it.
fn help(diagnostic: &Diagnostic) -> Option<String> {
    let option = diagnostic.fix.as_ref().map(|fix| if fix.safe { "--fix" } else { "--fix --unsafe-fixes" });
    match (&diagnostic.help, option) {
        (Some(help), Some(option)) => Some(format!("{} ({option} does it)", abridged(help))),
        (None, Some(option)) => Some(format!("{option} repairs it")),
        (help, None) => help.as_ref().map(|help| abridged(help)),
    }
}

/// The lines of a file from the first to the last that is marked; its name alone, where it is meant as a whole.
fn source(location: &Location, is_primary: bool, labels: &[&Label]) -> Element<'static> {
    let path = escape(&location.path).into_owned();
    let Some(text) = &location.text else { return Origin::path(path).into() };
    let whole = text.as_str();
    let (mut first, mut last) = (location.span.start, location.span.end);
    for label in labels {
        first = first.min(label.location.span.start);
        last = last.max(label.location.span.end);
    }
    let (first, last) = (whole.floor_char_boundary(first), whole.ceil_char_boundary(last));
    let begin = text.line_start(first);
    let end = whole[last..].find('\n').map_or(whole.len(), |newline| last + newline);
    let lines = Escaped::new(&whole[begin..end]);
    let mut annotations: Vec<Annotation<'static>> = Vec::new();
    if is_primary {
        annotations.push(AnnotationKind::Primary.span(lines.span(&location.span, begin)));
    }
    for label in labels {
        let context = AnnotationKind::Context.span(lines.span(&label.location.span, begin));
        annotations.push(context.label(abridged(&label.message)));
    }
    let snippet = Snippet::source(lines.text).line_start(text.position(begin).line).path(path);
    snippet.annotations(annotations).into()
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
            // A carriage return before a line feed, or before the end of what is shown, ends a line.
            let is_line_end = character == '\r' && matches!(original[offset + 1..].chars().next(), Some('\n') | None);
            if is_line_end {
                escaped.text.push(' ');
            } else if is_unprintable(character) && !matches!(character, '\n' | '\t') {
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

    /// Where a span of a text went whose part from `begin` on is the original.
    fn span(&self, span: &Span, begin: usize) -> Span {
        self.offset(span.start - begin)..self.offset(span.end - begin)
    }
}
