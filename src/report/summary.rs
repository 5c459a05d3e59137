//! What a repair did, file by file, as Markdown that goes into a pull request as it is.

use std::fmt::Write as _;

use crate::fix::{MadeFix, Repair};
use crate::text::{counted, escape};

/// Renders the summary; empty where nothing was done.
pub fn render(repair: &Repair) -> String {
    let changed: Vec<_> = repair.changed().collect();
    let mut text = String::new();
    if changed.is_empty() {
        return text;
    }
    // Writing to a string does not fail.
    let _ = writeln!(text, "Repaired {}:\n", counted(changed.len(), "file"));
    for (path, file) in changed {
        let done: Vec<String> = file.done.iter().map(words).collect();
        let _ = writeln!(text, "- `{}`: {}", escape(path), done.join("; "));
    }
    text
}

/// Says which repairs were left out because they cannot be made together.
pub fn conflicts(repair: &Repair) -> Vec<String> {
    let mut said = Vec::new();
    for [one, other] in &repair.conflicts {
        let (one, other) = (words(one), words(other));
        said.push(format!("these repairs conflict, so neither was made: {one} — and — {other}"));
    }
    said
}

fn words(done: &MadeFix) -> String {
    format!("{} ({})", escape(&done.title), done.rule)
}
