//! What this clone remembers of its branches. It is read by hand: libgit2 makes a log where there is none.

use std::collections::HashSet;
use std::path::Path;

use git2::Oid;

/// How the notes of those commands begin that make commits of the user's own.
const MAKING: [&str; 10] = [
    "commit",
    "cherry-pick",
    "revert",
    "am:",
    "rebase (pick",
    "rebase (reword",
    "rebase (edit",
    "rebase (squash",
    "rebase (fixup",
    "rebase (continue",
];

/// One line of a log: what a reference came to be, and by what.
struct Line<'l> {
    new: Oid,
    note: &'l str,
}

/// The commits that were made in this working tree, as far as it remembers.
pub(super) fn made_here(git_dir: &Path) -> HashSet<Oid> {
    let text = read(git_dir, "HEAD");
    let lines = text.lines().filter_map(line);
    lines.filter(|line| MAKING.iter().any(|word| line.note.starts_with(word))).map(|line| line.new).collect()
}

/// Whether a remote's branch is known because it was pushed from here: its log begins with that.
pub(super) fn was_pushed_from_here(common_dir: &Path, remote_branch: &str) -> bool {
    let text = read(common_dir, &format!("refs/remotes/{remote_branch}"));
    text.lines().next().and_then(line).is_some_and(|line| line.note == "update by push")
}

/// A log as text; an empty one where there is none.
fn read(directory: &Path, reference: &str) -> String {
    let bytes = std::fs::read(directory.join("logs").join(reference)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads `<old> <new> <name> <mail> <time> <zone>⇥<note>`.
fn line(line: &str) -> Option<Line<'_>> {
    let (who, note) = line.split_once('\t')?;
    let new = Oid::from_str(who.split(' ').nth(1)?).ok()?;
    Some(Line { new, note })
}
