//! Where images stand and what is to be done for a change: for people, and as Markdown that goes into a pull request.

use std::fmt::Write as _;

use crate::shape::Shape;
use crate::status::{Checklist, Drift, Move, MovedChild, Promotion, Row, Trial};
use crate::text::{counted, escape};

/// How a page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For a terminal.
    Plain,
    /// For a pull request.
    Markdown,
}

/// Renders the images, one a line, and the checklist below them.
pub fn render(rows: &[Row], checklist: Option<&Checklist>, shape: &Shape, form: Form) -> String {
    let mut page = Page { text: String::new(), form };
    for row in rows {
        page.row(row);
    }
    if let Some(checklist) = checklist {
        page.checklist(checklist, shape);
    }
    page.text
}

struct Page {
    text: String,
    form: Form,
}

impl Page {
    /// What comes from the repository or the pack, so that it cannot be anything else.
    fn code(&self, text: &str) -> String {
        let text = escape(text);
        if self.form == Form::Plain {
            return text.into_owned();
        }
        let fence = fence(&text, 1);
        if text.starts_with('`') || text.ends_with('`') {
            format!("{fence} {text} {fence}")
        } else {
            format!("{fence}{text}{fence}")
        }
    }

    fn line(&mut self, words: &str) {
        // A line of a log must not begin like a command to the CI system.
        let words =
            if words.trim_start().starts_with("::") { words.replacen(':', "\\u{3a}", 1) } else { words.to_owned() };
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{words}");
    }

    fn item(&mut self, words: &str) {
        self.line(&format!("  - {words}"));
    }

    /// A step of the checklist.
    fn step(&mut self, title: &str) {
        if self.form == Form::Markdown {
            return self.line(&format!("- [ ] {title}"));
        }
        self.line("");
        self.line(title);
    }

    fn block<'l>(&mut self, language: &str, lines: impl IntoIterator<Item = &'l str>) {
        let lines: Vec<String> = lines.into_iter().map(|line| escape(line).into_owned()).collect();
        let fence = fence(&lines.join("\n"), 3);
        if self.form == Form::Markdown {
            self.line(&format!("\n  {fence}{language}"));
        }
        for line in lines {
            let indent = if self.form == Form::Markdown { "  " } else { "    " };
            self.line(&format!("{indent}{line}"));
        }
        if self.form == Form::Markdown {
            self.line(&format!("  {fence}\n"));
        }
    }

    fn row(&mut self, row: &Row) {
        let mut name = self.code(&row.name);
        if row.published != row.name {
            let _ = write!(name, " (published as {})", self.code(&row.published));
        }
        let version = match &row.version {
            Some(version) => self.code(version),
            None => no_version(row.unversioned).to_owned(),
        };
        let mut parts = vec![format!("{name} {version}")];
        match row.promoted {
            _ if row.unversioned => {}
            Some(true) => parts.push("promoted".to_owned()),
            Some(false) => parts.push("not promoted".to_owned()),
            None => parts.push("promoted? (--promoted tells)".to_owned()),
        }
        if let Some(has_job) = row.job {
            parts.push(if has_job { "has a job" } else { "no job" }.to_owned());
        }
        if !row.unversioned {
            parts.push(self.manifest(row));
        }
        let mut children = Vec::new();
        for child in &row.children {
            let versions: Vec<String> = child.versions.iter().map(|version| self.code(version)).collect();
            let versions = if versions.is_empty() { "(no version)".to_owned() } else { versions.join(" and ") };
            children.push(format!("{} names {versions}", self.code(&child.name)));
        }
        parts.push(if children.is_empty() { "no children".to_owned() } else { children.join(", ") });
        if !row.unversioned {
            parts.push(drift(&row.drift, row.version.as_deref()));
        }
        let bullet = if self.form == Form::Markdown { "- " } else { "" };
        self.line(&format!("{bullet}{}", parts.join(" · ")));
    }

    fn manifest(&self, row: &Row) -> String {
        let Some(entries) = &row.manifest else { return "no manifest".to_owned() };
        let mut said = Vec::new();
        for entry in entries {
            let pinned = if entry.pinned { " (stays behind)" } else { "" };
            said.push(format!("{} {}{pinned}", self.code(&entry.key), self.code(&entry.version)));
        }
        if said.is_empty() { "no entry in the manifest".to_owned() } else { format!("manifest: {}", said.join(", ")) }
    }

    fn checklist(&mut self, list: &Checklist, shape: &Shape) {
        self.line("");
        if list.images.is_empty() && list.jobs.is_empty() {
            self.line("This change touches no image.");
        }
        for image in &list.images {
            let now = image.version.as_deref().unwrap_or(no_version(image.unversioned));
            let words = match &image.before {
                None if !image.new => format!("{} {} changes", self.code(&image.name), self.code(now)),
                None => format!("{} {} is new", self.code(&image.name), self.code(now)),
                Some(before) if before == now => format!("{} {} changes", self.code(&image.name), self.code(now)),
                Some(before) => format!("{} {} → {}", self.code(&image.name), self.code(before), self.code(now)),
            };
            self.item(&words);
        }
        let location = shape.workflow.directory.as_ref().map(|path| format!(", in {}", self.code(path)));
        let location = location.unwrap_or_default();
        let builds = !list.build.is_empty();
        if builds && !list.prerequisites.is_empty() {
            self.step("Before, on the machine that builds");
            self.block("sh", list.prerequisites.iter().map(String::as_str));
        }
        if builds {
            self.step(&format!("Build{location}: parents first, one line a level"));
            self.levels(&list.build);
        }
        for also in &list.also {
            self.item(&self.code(&also.reason));
            self.block("sh", [also.build.as_str()]);
        }
        if let Some(trial) = &list.trial {
            self.trial(trial, &location);
        }
        if !list.after_promotion {
            let moves: Vec<&Move> = list.moves.iter().collect();
            let children: Vec<&MovedChild> = list.children.iter().collect();
            self.moves(&moves, &children, "Move in this change");
        }
        if !list.jobs.is_empty() {
            self.step(
                "When this is merged, these jobs run; a child's must run again if it was faster than its parent's",
            );
            for job in &list.jobs {
                self.item(&self.code(job));
            }
            if let Some(staging) = &shape.workflow.staging {
                self.item(&format!("they push to {}: not what tests use before it is promoted", self.code(staging)));
            }
            if let Some(logs) = &shape.workflow.job_logs {
                self.item(&format!("how they fare: {}", self.code(logs)));
            }
        }
        self.promotions(&list.promotions, shape);
        if list.after_promotion {
            let (tied, free): (Vec<&Move>, Vec<&Move>) = list.moves.iter().partition(|it| it.tied);
            let (with, before): (Vec<&MovedChild>, Vec<&MovedChild>) = list.children.iter().partition(|it| it.tied);
            self.moves(&tied, &with, "In a later change, once promoted, move together");
            self.moves(&free, &before, "Here or in a later change, move children");
        }
        for note in list.notes.iter().chain(if builds { &shape.workflow.notes[..] } else { &[] }) {
            self.step(&self.code(note));
        }
    }

    fn levels(&mut self, levels: &[Vec<String>]) {
        let lines: Vec<String> = levels.iter().map(|level| level.join(" && ")).collect();
        self.block("sh", lines.iter().map(String::as_str));
    }

    fn trial(&mut self, trial: &Trial, location: &str) {
        self.step(&format!("Try it out from a registry of your own{location}"));
        self.levels(&trial.build);
        if let Some(file) = trial.file.as_ref().filter(|_| !trial.text.is_empty()) {
            let words = format!(
                "{}: tests take every image of these registries from there, so push those they use",
                self.code(file)
            );
            self.item(&words);
            self.block("yaml", trial.text.lines());
        }
        if !trial.steps.is_empty() {
            self.item("in the root of the repository, with what has to be moved (below) moved for the trial");
            self.block("sh", trial.steps.iter().map(String::as_str));
        }
    }

    fn moves(&mut self, moves: &[&Move], children: &[&MovedChild], title: &str) {
        if moves.is_empty() {
            return;
        }
        self.step(title);
        for location in moves {
            let at = self.code(&format!("{}:{}", location.path, lines(&location.lines)));
            let (what, from, to) = (self.code(&location.what), self.code(&location.from), self.code(&location.to));
            self.item(&format!("{at}: {what} {from} → {to}"));
        }
        if !children.is_empty() {
            let names: Vec<String> = children.iter().map(|child| self.code(&child.name)).collect();
            let needs = if names.len() == 1 { "needs a new version" } else { "need a new version each" };
            self.item(&format!("{} {needs} with that, and all of these steps", names.join(", ")));
        }
    }

    fn promotions(&mut self, promotions: &[Promotion], shape: &Shape) {
        if promotions.is_empty() {
            return;
        }
        let list = shape.workflow.promotion_list.as_ref().map(|list| format!(", in {}", self.code(list)));
        self.step(&format!("Promote{}: the last line, below the image's name", list.unwrap_or_default()));
        for promotion in promotions {
            if let Some(digest) = &promotion.digest {
                self.item("the digest:");
                self.block("sh", [digest.as_str()]);
            }
            self.block("yaml", promotion.text.lines());
        }
    }
}

/// What is said in the place of a version that is not there.
fn no_version(is_unversioned: bool) -> &'static str {
    if is_unversioned { "(no version of its own)" } else { "(no usable version)" }
}

/// What became of an image since its version was set.
fn drift(drift: &Drift, version: Option<&str>) -> String {
    let version = escape(version.unwrap_or("it"));
    let set = match drift {
        Drift::None { since: Some(commit) } | Drift::Changed { since: Some(commit), .. } => {
            format!("{version} was set in {commit}")
        }
        _ => format!("{version} was set"),
    };
    match drift {
        Drift::None { since: None } => format!("{version} is not committed"),
        Drift::None { .. } => format!("unchanged since {set}"),
        Drift::Changed { commits: 0, .. } => format!("uncommitted changes since {set}"),
        Drift::Changed { commits, uncommitted, .. } => {
            let more = if *uncommitted { " and uncommitted changes" } else { "" };
            format!("{}{more} since {set}", counted(*commits, "commit"))
        }
        Drift::Frozen => "keeps its version".to_owned(),
        Drift::Unknown { reason } => format!("changed since {set}? ({reason})"),
    }
}

/// Numbers of lines: runs of them by their ends.
fn lines(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let mut words = Vec::new();
    for (first, last) in runs {
        words.push(if first == last { first.to_string() } else { format!("{first}-{last}") });
    }
    words.join(",")
}

/// Backticks that do not occur in a text, this many at least.
fn fence(text: &str, least: usize) -> String {
    let mut fence = "`".repeat(least);
    while text.contains(&fence) {
        fence.push('`');
    }
    fence
}
