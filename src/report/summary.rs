//! What a repair did, file by file, as Markdown that goes into a pull request as it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::fix::{Done, Repair, RepairedFile};
use crate::text::{counted, escape};

/// Renders the summary; empty where nothing was done.
pub fn render(files: &BTreeMap<Arc<str>, RepairedFile>) -> String {
    let changed: Vec<_> = files.iter().filter(|(_, file)| file.before != file.after).collect();
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
    let say = |[one, other]: &[Done; 2]| {
        format!("these repairs conflict, so neither was made: {} — and — {}", words(one), words(other))
    };
    repair.conflicts.iter().map(say).collect()
}

fn words(done: &Done) -> String {
    format!("{} ({})", escape(&done.title), done.rule)
}
