//! What could not be looked at, and why no older change was.

use std::fmt::Write as _;

use super::html::counted;
use super::html::short;
use super::html::text;
use crate::replay::{End, Replay};

/// Renders what a reader must not take for judged; nothing where that is all of it.
pub(super) fn render(replay: &Replay) -> String {
    let mut items = String::new();
    // Writing to a string does not fail.
    for one in &replay.unjudged {
        let help = one.help.as_deref().map(|help| format!(" <small>{}</small>", text(help))).unwrap_or_default();
        let _ = writeln!(
            items,
            "<li><code title=\"{}\">{}</code> <b>{}</b>: {}{help}</li>",
            text(&one.commit),
            text(short(&one.commit)),
            text(&one.summary),
            text(&one.reason)
        );
    }
    for change in &replay.changes {
        for failure in &change.failures {
            let _ = writeln!(
                items,
                "<li><code title=\"{}\">{}</code> <b>{}</b>: {} could not judge it: {}</li>",
                text(&change.commit),
                text(short(&change.commit)),
                text(&change.summary),
                text(&failure.rule),
                text(&failure.reason)
            );
        }
    }
    for rule in &replay.skipped {
        let _ = writeln!(items, "<li>{} judged no change: {}</li>", text(&rule.rule), text(&rule.reason));
    }
    if items.is_empty() {
        return String::new();
    }
    format!("<section id=\"unjudged\"><h2>What could not be judged</h2>\n<ul>\n{items}</ul></section>\n")
}

/// Why older changes are not here; nothing where there are none.
pub(super) fn end(replay: &Replay) -> String {
    match &replay.end {
        End::Range => String::new(),
        End::Count => "Older changes were not asked for (<code>-n</code>).".to_owned(),
        End::Since => "Older changes were not asked for (<code>--since</code>).".to_owned(),
        End::Interrupted { left } => {
            format!("It was interrupted: {} were not looked at.", counted(*left, "older commit"))
        }
        End::Shallow { commit } => {
            format!("The clone is shallow: what came before {} is not here.", text(short(commit)))
        }
        End::Broken { commit, reason } => {
            format!("The history ends at {}, which cannot be read: {}", text(short(commit)), text(reason))
        }
    }
}
