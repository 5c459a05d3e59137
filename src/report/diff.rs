//! A unified diff that `git apply` takes.

use std::fmt::Write as _;

use similar::TextDiff;

use crate::fix::{Repair, RepairedFile};

/// Renders what a repair changes. The bytes are those of the files, whatever they are.
pub fn render(repair: &Repair) -> Vec<u8> {
    repair.changed().flat_map(|(path, file)| of_file(path, file)).collect()
}

/// Renders what a repair changes in one file.
pub fn of_file(path: &str, file: &RepairedFile) -> Vec<u8> {
    let mut rendered = Vec::new();
    let diff = TextDiff::from_lines(file.before.as_slice(), file.after.as_slice());
    let (old, new) = (quoted(&format!("a/{path}")), quoted(&format!("b/{path}")));
    rendered.extend(format!("--- {old}\n+++ {new}\n").bytes());
    for hunk in diff.unified_diff().iter_hunks() {
        rendered.extend(format!("{}\n", hunk.header()).bytes());
        for change in hunk.iter_changes() {
            rendered.extend(change.tag().to_string().bytes());
            rendered.extend(change.value());
            if change.missing_newline() {
                rendered.extend(b"\n\\ No newline at end of file\n");
            }
        }
    }
    rendered
}

/// A path as git quotes it where it is not plain.
fn quoted(path: &str) -> String {
    if path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')) {
        return path.to_owned();
    }
    let mut quoted = String::from("\"");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(byte));
            }
            b' '..=b'~' => quoted.push(char::from(byte)),
            // A string takes everything.
            _ => drop(write!(quoted, "\\{byte:03o}")),
        }
    }
    quoted.push('"');
    quoted
}
