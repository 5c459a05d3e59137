//! One entry of the list, and the files that it names.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::held::{File, Held, Named, Source};
use super::options::Dependencies;
use super::spelling::{alike, any, locations};
use crate::check::Context;
use crate::edit::{Edit, Fix};
use crate::finding::{Diagnostic, Level, Location};
use crate::parse::dependencies::{Dependency, DependencyList, ENTRY_KEYS, RefPath, SCHEMES, Scalar};
use crate::path::{in_directory, without_directory};
use crate::snapshot::StoreError;
use crate::suggest::{nearest, suggest};
use crate::text::{Span, Text};

/// How many bytes are searched for the patterns of one list. No list that people write comes near it.
const MAX_SEARCHED: usize = 1 << 30;

/// What entries are judged by.
pub(super) struct Judge<'a> {
    pub(super) options: &'a Dependencies,
    pub(super) path: &'a Arc<str>,
    pub(super) text: &'a Arc<Text>,
    pub(super) context: &'a Context<'a>,
    pub(super) files: &'a BTreeMap<&'a str, Named>,
    /// How many bytes were searched so far.
    pub(super) searched: Cell<usize>,
}

/// A line that a reference of an entry fits.
struct Line<'a> {
    reference: &'a RefPath,
    file: &'a File,
    /// The line, without its line end.
    span: Span,
    /// What of the line the pattern fits, from its beginning.
    part: Span,
    /// What the line holds of ours.
    held: Vec<&'a Held>,
}

/// The lines that a reference fits, and what else is wrong with it.
struct Fitted<'a> {
    reference: &'a RefPath,
    lines: Vec<Line<'a>>,
    found: Vec<Diagnostic>,
}

/// How a line stands to a version.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It has it.
    Has,
    /// It has this one instead.
    Differs(String),
    /// It has none.
    Lacks,
}

impl Line<'_> {
    fn text(&self) -> &str {
        self.file.text.slice(&self.span)
    }

    fn verdict(&self, version: &str, is_whole: bool) -> Verdict {
        let whole = 0..self.text().len();
        let written = locations(self.text(), &whole, version, is_whole);
        let Some(first) = self.held.first() else {
            if !written.is_empty() {
                return Verdict::Has;
            }
            let like = |part: &Span| alike(self.text(), part, version).first().map(|it| &self.text()[it.clone()]);
            let other = like(&self.part).or_else(|| any(self.text(), &self.part));
            let other = other.or_else(|| like(&whole)).or_else(|| any(self.text(), &whole));
            return other.map_or(Verdict::Lacks, |other| Verdict::Differs(other.to_owned()));
        };
        for held in &self.held {
            let (start, end) = (held.span.start - self.span.start, held.span.end - self.span.start);
            if held.version == version || written.iter().any(|location| location.start <= start && end <= location.end)
            {
                return Verdict::Has;
            }
        }
        Verdict::Differs(first.version.clone())
    }

    fn source(&self) -> Option<Source> {
        self.held.iter().map(|held| held.source).min()
    }

    fn is_pinned(&self) -> bool {
        self.source() == Some(Source::Pinned)
    }

    fn location(&self) -> Location {
        let span = self.held.first().map_or_else(|| self.span.clone(), |held| held.span.clone());
        Location::new(&self.file.path, &self.file.text, span)
    }

    /// The edits that give the line a version in the place of the one that its entry had.
    ///
    /// # Errors
    /// Why that cannot be done.
    fn rewritten(&self, old: &str, new: &str, is_whole: bool) -> Result<Vec<Edit>, String> {
        let (line, path) = (self.text(), &self.file.path);
        let whole = 0..line.len();
        let mut spans = Vec::new();
        if self.held.is_empty() {
            spans = locations(line, &self.part, old, is_whole);
            if spans.is_empty() {
                spans = alike(line, &self.part, old);
            }
            if spans.is_empty() {
                spans = locations(line, &whole, old, is_whole);
            }
            if spans.is_empty() {
                spans = alike(line, &whole, old);
            }
            if spans.len() > 1 && spans.iter().any(|span| line[span.clone()] != line[spans[0].clone()]) {
                return Err(format!("a line of {path} holds several versions"));
            }
        }
        for held in &self.held {
            if held.version == new {
                continue;
            }
            if !held.is_writable || (held.source == Source::Constant && !held.accepted.iter().any(|it| it == new)) {
                return Err(format!("{path} has {}, which follows something else", held.version));
            }
            spans.push(held.span.start - self.span.start..held.span.end - self.span.start);
        }
        if spans.is_empty() {
            return Err(format!("it is not clear where {path} holds the version"));
        }
        let mut edited = line.to_owned();
        for span in spans.iter().rev() {
            edited.replace_range(span.clone(), new);
        }
        // Some patterns hold the version themselves.
        if !self.reference.regex().is_ok_and(|regex| regex.is_match(edited.as_bytes())) || !edited.contains(new) {
            return Err(format!("its match for {path} would no longer fit"));
        }
        let mut edits = Vec::new();
        for span in spans {
            edits.push(Edit::replace(path, &(self.span.start + span.start..self.span.start + span.end), new));
        }
        Ok(edits)
    }
}

impl<'a> Judge<'a> {
    /// Says what stands beside the entries and makes the list's own checker refuse it.
    pub(super) fn list(&self, list: &DependencyList, diagnostics: &mut Vec<Diagnostic>) {
        for key in list.unknown.iter().filter(|_| self.options.is_strict()) {
            let message = format!("{} has the unknown key `{}`", self.path, key.value);
            let help =
                "there is nothing beside `dependencies`; what is to be shared stands in the first entry that uses it";
            diagnostics.push(Diagnostic::about(&*key.value, message, self.location(&key.span)).help(help));
        }
    }

    /// Judges an entry, and says all that is wrong with it.
    pub(super) fn entry(&self, entry: &'a Dependency, diagnostics: &mut Vec<Diagnostic>) -> Result<(), StoreError> {
        self.form(entry, diagnostics);
        let mut fitted = Vec::new();
        for reference in &entry.references {
            diagnostics.extend(self.keys(entry, reference));
            let mut found = Vec::new();
            let lines = self.lines(entry, reference, &mut found)?;
            fitted.push(Fitted { reference, lines, found });
        }
        let is_about_image = fitted.iter().flat_map(|fitted| &fitted.lines).any(|line| !line.held.is_empty());
        let version = entry.version.as_ref().map_or("", |version| version.value.as_str());
        let mut lines = Vec::new();
        for Fitted { reference, lines: of_reference, found } in fitted {
            // An entry about something else is judged in files of ours alone, unless all are asked for.
            if !(is_about_image || self.options.takes_all() || self.is_at_home(reference)) {
                continue;
            }
            diagnostics.extend(found);
            let is_one_enough = self.options.takes_any_line() || !(is_about_image || self.options.takes_all());
            let has_it = |line: &Line<'_>| line.verdict(version, is_about_image) == Verdict::Has;
            if !(is_one_enough && of_reference.iter().any(has_it)) {
                lines.extend(of_reference);
            }
        }
        if self.lacks_version(entry) {
            return Ok(());
        }
        self.without_version(entry, &lines, is_about_image, diagnostics);
        lines.retain(|line| line.verdict(version, is_about_image) != Verdict::Lacks);
        diagnostics.extend(self.versions(entry, version, &lines, is_about_image));
        Ok(())
    }

    /// Whether an entry has nothing to be compared with, which is a finding of its own.
    fn lacks_version(&self, entry: &Dependency) -> bool {
        self.options.takes_all() && entry.version.as_ref().is_none_or(|version| version.value.is_empty())
    }

    /// Says what is wrong with the form of an entry.
    fn form(&self, entry: &Dependency, diagnostics: &mut Vec<Diagnostic>) {
        let Dependency { name, location, unknown, scheme, .. } = entry;
        if name.is_empty() {
            let message = format!("an entry of {} has no name", self.path);
            diagnostics.push(Diagnostic::about("no name", message, self.location(location)));
        }
        if self.lacks_version(entry) {
            let message = format!("`{name}` in {} has no version", self.path);
            diagnostics.push(Diagnostic::about(format!("{name} no version"), message, self.location(location)));
        }
        for key in unknown {
            let help = match nearest(&key.value, ENTRY_KEYS) {
                Some(known) => format!("did you mean `{known}`?"),
                None if self.options.is_strict() => suggest(&key.value, ENTRY_KEYS),
                None => continue,
            };
            let message = format!("`{name}` in {} has the unknown key `{}`", self.path, key.value);
            let subject = format!("{name} {}", key.value);
            diagnostics.push(Diagnostic::about(subject, message, self.location(&key.span)).help(help));
        }
        if let Some(scheme) = scheme.as_ref().filter(|it| !it.value.is_empty() && !SCHEMES.contains(&&*it.value)) {
            let message = format!("`{name}` in {} has the unknown scheme `{}`", self.path, scheme.value);
            let help = suggest(&scheme.value, SCHEMES);
            let subject = format!("{name} scheme {}", scheme.value);
            diagnostics.push(Diagnostic::about(subject, message, self.location(&scheme.span)).help(help));
        }
    }

    /// What is wrong with the keys of a reference.
    fn keys(&self, entry: &Dependency, reference: &RefPath) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for key in &reference.unknown {
            let message = format!("a file of `{}` in {} has the unknown key `{}`", entry.name, self.path, key.value);
            let help = suggest(&key.value, ["path", "match"]);
            let subject = format!("{} refPaths {}", entry.name, key.value);
            diagnostics.push(Diagnostic::about(subject, message, self.location(&key.span)).help(help));
        }
        let is_without = reference.pattern.as_ref().is_none_or(|pattern| pattern.value.is_empty());
        if is_without && reference.unknown.is_empty() && self.options.is_strict() {
            let path = reference.path.as_ref().map_or("a file", |path| path.value.as_str());
            let message = format!("`{}` in {} has no match for {path}", entry.name, self.path);
            let help = "say which line holds the version: since 0.6.0 zeitgeist refuses the list otherwise";
            let subject = format!("{} {path} no match", entry.name);
            diagnostics.push(Diagnostic::about(subject, message, self.location(&reference.location)).help(help));
        }
        diagnostics
    }

    /// Whether a reference names a file that may hold the version of an image, or that belongs to one.
    fn is_at_home(&self, reference: &RefPath) -> bool {
        let path = reference.path.as_ref().map_or("", |path| path.value.as_str());
        self.context.shape.may_hold_version(path) || self.context.model.owner(path).is_some()
    }

    fn location(&self, span: &Span) -> Location {
        Location::new(self.path, self.text, span.clone())
    }

    fn gone(&self, entry: &Dependency, path: &str, span: &Span) -> Diagnostic {
        let message = format!("`{}` in {} names {path}, which is gone", entry.name, self.path);
        let diagnostic = Diagnostic::about(format!("{} {path} gone", entry.name), message, self.location(span));
        match self.moved(path) {
            Some(moved) => diagnostic.help(format!("name {moved}: it lies there now")),
            None => diagnostic,
        }
    }

    /// Where a file of an image lies that the change moved with it.
    fn moved(&self, path: &str) -> Option<String> {
        let change = self.context.change?;
        let before = change.base.images.get(change.base.owner(path)?)?;
        let now = change.successor(before, self.context.shape)?;
        let moved = in_directory(&now.directory, without_directory(path, &before.directory));
        self.context.files.entry(&moved).map(|_| moved)
    }

    /// The lines that a reference fits, or what is wrong with it.
    fn lines(
        &self,
        entry: &Dependency,
        reference: &'a RefPath,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Vec<Line<'a>>, StoreError> {
        let Some(Scalar { value: path, span, .. }) = &reference.path else {
            if reference.unknown.is_empty() {
                let message = format!("`{}` in {} names no file", entry.name, self.path);
                let subject = format!("{} path", entry.name);
                diagnostics.push(Diagnostic::about(subject, message, self.location(&reference.location)));
            }
            return Ok(Vec::new());
        };
        let file = match self.files.get(path.as_str()) {
            Some(Named::File(file)) => file,
            Some(Named::Unreadable(reason)) => {
                let message = format!("`{}` in {} cannot be compared with {path}: it {reason}", entry.name, self.path);
                let subject = format!("{} {path} unread", entry.name);
                // What is no file of ours and was not there before, the list's own checker may read all the same.
                let base = self.context.change.and_then(|change| change.pair.base.as_ref());
                let was_there = base.is_some_and(|base| base.entry(path).is_some());
                let level = (!was_there && !self.context.shape.may_hold_version(path)).then_some(Level::Warning);
                diagnostics.push(Diagnostic { level, ..Diagnostic::about(subject, message, self.location(span)) });
                return Ok(Vec::new());
            }
            Some(Named::Gone) | None => {
                diagnostics.push(self.gone(entry, path, span));
                return Ok(Vec::new());
            }
        };
        // The pattern may stand under the key that nobody knows.
        if reference.pattern.is_none() && !reference.unknown.is_empty() {
            return Ok(Vec::new());
        }
        let regex = match reference.regex() {
            Ok(regex) => regex,
            Err(reason) => {
                diagnostics.push(self.unusable(entry, path, reason, &reference.location));
                return Ok(Vec::new());
            }
        };
        let mut lines = Vec::new();
        self.search(file)?;
        // `\A` and `\z` are ends of a line here; all else that fits a line fits the text.
        let is_anchored = reference
            .pattern
            .as_ref()
            .is_some_and(|pattern| ["\\A", "\\z"].iter().any(|end| pattern.value.contains(end)));
        if is_anchored || regex.is_match(file.text.as_str().as_bytes()) {
            for (span, line) in file.text.lines() {
                let line = line.trim_end_matches('\r');
                let Some(found) = regex.find(line.as_bytes()) else { continue };
                let part = found.range();
                let meant = span.start + part.start..span.start + part.end;
                let held = file.held(&span, &meant);
                lines.push(Line { reference, file, span: span.start..span.start + line.len(), part, held });
            }
        }
        if lines.is_empty() {
            let message = format!("the match of `{}` matches no line of {path} any more", entry.name);
            let subject = format!("{} {path} match", entry.name);
            let mut diagnostic = Diagnostic::about(subject, message, self.location(&reference.location))
                .help("change the pattern so that it matches the line that holds the version");
            diagnostic.image = file.image();
            diagnostics.push(diagnostic);
        }
        // What is old on purpose is passed over where a wide pattern fits it beside others.
        if lines.iter().any(|line| !line.is_pinned()) {
            lines.retain(|line| !line.is_pinned());
        }
        // Without a pattern every line is meant, but it is enough that one has the version.
        if reference.pattern.is_none() {
            let version = entry.version.as_ref().map_or("", |version| version.value.as_str());
            let has_it = lines.iter().position(|line| line.verdict(version, false) == Verdict::Has);
            lines = lines.into_iter().skip(has_it.unwrap_or(0)).take(1).collect();
        }
        Ok(lines)
    }

    fn unusable(&self, entry: &Dependency, path: &str, reason: &str, location: &Span) -> Diagnostic {
        let location = self.location(location);
        let subject = format!("{} {path} pattern", entry.name);
        if reason.contains("limit") {
            // That is a bound of ours.
            let message = format!("the match of `{}` for {path} cannot be compared: {reason}", entry.name);
            return Diagnostic::about(subject, message, location).at_most(Level::Warning);
        }
        let message = format!("the match of `{}` for {path} is no regular expression", entry.name);
        Diagnostic::about(subject, message, location).help(format!("as Go reads them: {reason}"))
    }

    /// Counts what is searched.
    fn search(&self, file: &File) -> Result<(), StoreError> {
        self.searched.set(self.searched.get() + file.text.as_str().len());
        if self.searched.get() <= MAX_SEARCHED {
            return Ok(());
        }
        Err(StoreError {
            path: self.path.to_string(),
            reason: "its patterns ask for more than 1 GiB to be searched".to_owned(),
            help: Some("leave out references, or name smaller files".to_owned()),
        })
    }

    /// Says which references fit lines that hold no version at all.
    fn without_version(
        &self,
        entry: &Dependency,
        lines: &[Line<'_>],
        is_whole: bool,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let version = entry.version.as_ref().map_or("", |version| version.value.as_str());
        for reference in &entry.references {
            let mut lacking: Option<&Line<'_>> = None;
            let mut has_one = false;
            for line in lines.iter().filter(|line| std::ptr::eq(line.reference, reference)) {
                match line.verdict(version, is_whole) {
                    Verdict::Lacks => lacking = lacking.or(Some(line)),
                    Verdict::Has | Verdict::Differs(_) => has_one = true,
                }
            }
            let Some(line) = lacking else { continue };
            let message =
                format!("the match of `{}` fits a line of {} that has no version", entry.name, line.file.path);
            let subject = format!("{} {} no version", entry.name, line.file.path);
            let mut diagnostic = Diagnostic::about(subject, message, self.location(&reference.location))
                .help("narrow the pattern to lines that hold the version: the checker of the list wants it on all of them")
                .related("no version here", line.location());
            diagnostic.image = line.file.image();
            // Checkers of old were content with one of several lines.
            diagnostic.level = (has_one && !self.options.is_strict()).then_some(Level::Warning);
            diagnostics.push(diagnostic);
        }
    }

    /// Says that an entry and its files do not have one version, once, and which one is right.
    fn versions(&self, entry: &Dependency, version: &str, lines: &[Line<'_>], is_whole: bool) -> Option<Diagnostic> {
        let mut differing: Vec<(&Line<'_>, String)> = Vec::new();
        for line in lines {
            if let Verdict::Differs(other) = line.verdict(version, is_whole) {
                differing.push((line, other));
            }
        }
        differing.sort_by_key(|(line, _)| line.source().is_none_or(|source| source > Source::VersionFile));
        let (first, other) = differing.first()?;
        let says = if version.is_empty() { "has no version".to_owned() } else { format!("is {version}") };
        let message = format!("`{}` in {} {says}, but {} has {other}", entry.name, self.path, first.file.path);
        let subject = format!("{} {version} {} {other}", entry.name, first.file.path);
        let mut diagnostic = Diagnostic::about(subject, message, self.location(&entry.location));
        diagnostic.image = first.held.first().and_then(|held| held.image.clone()).or_else(|| first.file.image());
        for (line, other) in &differing {
            let is_known = diagnostic.related.iter().any(|label| {
                label.location.path == line.file.path && label.message.strip_suffix(" here") == Some(other)
            });
            if !is_known {
                diagnostic = diagnostic.related(format!("{other} here"), line.location());
            }
        }
        let Some(right) = right(version, lines, is_whole) else {
            return Some(diagnostic.help("make the entry and its files agree"));
        };
        let mut behind = Vec::new();
        for line in lines.iter().filter(|line| line.verdict(&right, is_whole) != Verdict::Has) {
            behind.push(line);
        }
        Some(self.repaired(diagnostic, entry, &right, &behind, is_whole))
    }

    /// Says what to write where, and does it, if all of it can be done: half of it would be refused by the list's own checker.
    fn repaired(
        &self,
        diagnostic: Diagnostic,
        entry: &Dependency,
        right: &str,
        behind: &[&Line<'_>],
        is_whole: bool,
    ) -> Diagnostic {
        let version = entry.version.as_ref().map_or("", |version| version.value.as_str());
        let mut paths: Vec<&str> = behind.iter().map(|line| &*line.file.path).collect();
        paths.dedup();
        let help = match (version == right, paths.is_empty()) {
            (true, _) => format!("write {right} there"),
            (false, true) => format!("write {right} here"),
            (false, false) => format!("write {right} here, and in {}", paths.join(", ")),
        };
        match self.edits(entry, right, behind, is_whole) {
            Ok(edits) => {
                let title = if version == right {
                    format!("set what `{}` in {} is about to {right}", entry.name, self.path)
                } else {
                    format!("set `{}` in {} to {right}", entry.name, self.path)
                };
                diagnostic.help(help).fix(Fix::safe(title, edits))
            }
            Err(reason) => diagnostic.help(format!("{help}; that is left to you, as {reason}")),
        }
    }

    fn edits(
        &self,
        entry: &Dependency,
        right: &str,
        behind: &[&Line<'_>],
        is_whole: bool,
    ) -> Result<Vec<Edit>, String> {
        let version = entry.version.as_ref().map_or("", |version| version.value.as_str());
        let mut edits = Vec::new();
        if version != right {
            let span = entry.version.as_ref().filter(|version| self.is_of_one(entry, version));
            let span = span.and_then(|version| version.replaceable.as_ref());
            let span = span.ok_or_else(|| "the entry has no version that is written out and its own".to_owned())?;
            edits.push(Edit::replace(self.path, span, right));
        }
        for line in behind {
            edits.extend(line.rewritten(version, right, is_whole)?);
        }
        Ok(edits)
    }

    /// Whether a version is said of this entry alone: neither merged into it nor repeated by an alias.
    fn is_of_one(&self, entry: &Dependency, version: &Scalar) -> bool {
        let before = self.text.slice(&(self.text.line_start(version.span.start)..version.span.start));
        let anchor = before.split_once('&').map(|(_, anchor)| anchor.split(' ').next().unwrap_or_default());
        let is_aliased = anchor.is_some_and(|anchor| self.text.as_str().contains(&format!("*{anchor}")));
        version.span.start >= entry.start && !is_aliased
    }
}

/// The version that an entry and all of its files should have; `None` where nothing tells.
fn right(version: &str, lines: &[Line<'_>], is_whole: bool) -> Option<String> {
    let deciding = lines.iter().filter_map(Line::source).min()?;
    let mut has_it = false;
    let mut accepted: Vec<&str> = Vec::new();
    let mut held: Vec<&str> = Vec::new();
    for line in lines.iter().filter(|line| line.source() == Some(deciding)) {
        has_it |= line.verdict(version, is_whole) == Verdict::Has;
        for one in &line.held {
            accepted.extend(one.accepted.iter().map(String::as_str));
            held.push(&one.version);
        }
    }
    if deciding == Source::Reference {
        // References follow the images that they name, and not these the list.
        if accepted.contains(&version) {
            return Some(version.to_owned());
        }
        let current = held.iter().find(|held| accepted.contains(held));
        if let Some(right) = current.or_else(|| accepted.first()) {
            return Some((*right).to_owned());
        }
    }
    if has_it { Some(version.to_owned()) } else { held.first().map(|first| (*first).to_owned()) }
}
