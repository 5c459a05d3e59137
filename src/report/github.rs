//! GitHub Actions: workflow commands that become annotations, and the summary of a step.

use std::fmt::Write as _;

use super::human::closing;
use super::location::{is_same, spelled};
use super::view::{Report, error_message, message};
use crate::finding::{Finding, Level, Location};
use crate::text::escape;

/// How much of a summary is filled. GitHub refuses one of more than 1 MiB, with all that other tools wrote.
const MAX_SUMMARY: usize = 900 << 10;

/// Renders the commands, errors first: of each kind GitHub shows no more than ten a step.
pub fn render(report: &Report<'_>, is_quiet: bool) -> String {
    let mut text = String::new();
    for error in &report.outcome.errors {
        // Writing to a string does not fail.
        let _ = writeln!(text, "::error title=imglint could not judge::{}", data(&error_message(error)));
    }
    for finding in report.open() {
        let _ = writeln!(text, "{}", command(report, finding));
    }
    if !is_quiet {
        let _ = writeln!(text, "{}", closing(report.outcome));
    }
    text
}

fn command(report: &Report<'_>, finding: &Finding) -> String {
    let name = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note | Level::Off => "notice",
    };
    let own = &finding.diagnostic.location;
    let shown = report.shown_at(finding);
    let mut said = message(finding);
    if !is_same(own, &shown) {
        let _ = write!(said, "\n{}: this is what to mend", spelled(own));
    }
    for label in finding.diagnostic.related.iter().filter(|label| !is_same(&label.location, &shown)) {
        let _ = write!(said, "\n{}: {}", spelled(&label.location), escape(&label.message));
    }
    let position = position(&shown);
    format!(
        "::{name} file={}{position},title={}::{}",
        property(&escape(&shown.path)),
        property(&finding.rule),
        data(&said)
    )
}

/// Lines and columns as GitHub takes them: both ends belong to the range, and there are no columns if it has several lines.
fn position(location: &Location) -> String {
    let (start, end) = location.positions();
    if start.line != end.line {
        return format!(",line={},endLine={}", start.line, end.line);
    }
    let last = end.column.saturating_sub(1).max(start.column);
    format!(",line={},endLine={},col={},endColumn={last}", start.line, end.line, start.column)
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The complete list for the summary of the step, as HTML, in which no text can turn into Markdown.
pub fn summary(report: &Report<'_>) -> String {
    let mut text = format!("### imglint\n\n{}\n\n", html(&closing(report.outcome)));
    for error in &report.outcome.errors {
        let _ = writeln!(text, "<p>:x: could not judge: {}</p>\n", html(&error_message(error)));
    }
    let open = report.open();
    if open.is_empty() {
        return text;
    }
    text.push_str("<table>\n<tr><th>level</th><th>rule</th><th>place</th><th>what</th></tr>\n");
    let mut left = open.len();
    for finding in open {
        let (rule, location) = (html(&finding.rule), html(&spelled(&finding.diagnostic.location)));
        let row = format!(
            "<tr><td>{}</td><td><code>{rule}</code></td><td><code>{location}</code></td><td>{}</td></tr>\n",
            finding.level,
            html(&message(finding))
        );
        if text.len() + row.len() > MAX_SUMMARY {
            break;
        }
        text.push_str(&row);
        left -= 1;
    }
    text.push_str("</table>\n\n");
    if left > 0 {
        let _ = writeln!(text, "And {left} more: see the log.\n");
    }
    text
}

/// Text in HTML and in Markdown at once.
fn html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in escape(text).chars() {
        // These begin everything that is no text in either.
        if matches!(
            character,
            '&' | '<' | '>' | '"' | '\'' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '$' | '@' | '#' | '|'
        ) {
            let _ = write!(html, "&#{};", u32::from(character));
        } else {
            html.push(character);
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::text::Text;

    #[test]
    fn columns_are_of_one_line() {
        let text = Arc::new(Text::from("a b\nc\n"));
        let position = |span| position(&Location::new(&"x".into(), &text, span));
        assert_eq!(position(2..3), ",line=1,endLine=1,col=3,endColumn=3");
        assert_eq!(position(0..0), ",line=1,endLine=1,col=1,endColumn=1");
        assert_eq!(position(2..5), ",line=1,endLine=2");
    }

    #[test]
    fn a_command_ends_where_we_say() {
        assert_eq!(property("a%,b:c"), "a%25%2Cb%3Ac");
        assert_eq!(data("100%0A\r\n::x"), "100%250A%0D%0A::x");
    }
}
