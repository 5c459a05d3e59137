//! What repeats the version of an image that a change touches, and has to follow it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::checklist::Move;
use super::row::Question;
use crate::check::Change;
use crate::model::{DependencyFile, Image, Manifest, ManifestEntry};
use crate::parse::dependencies::Dependency;
use crate::snapshot::StoreError;

/// Places that have to name another version, each once.
pub(super) struct Moves<'a> {
    pub(super) list: Vec<Move>,
    /// The images that change with them, by name, and whether these have to follow the manifest.
    pub(super) children: BTreeMap<String, bool>,
    /// What could not be told.
    pub(super) notes: Vec<String>,
    question: Question<'a>,
    change: &'a Change<'a>,
    /// The lines that are in the list, by file.
    seen: BTreeSet<(String, usize)>,
}

/// A line of a file.
#[derive(Clone, Copy)]
struct At<'a> {
    path: &'a str,
    line: usize,
}

impl<'a> Moves<'a> {
    /// Finds what repeats the version of a touched image, and is behind. Where all of it moves in a later change, what belongs into this
    /// one is left to the rules.
    pub(super) fn find(
        question: Question<'a>,
        change: &'a Change<'a>,
        touched: &[&Image],
        is_after_promotion: bool,
    ) -> Result<Self, StoreError> {
        let (list, children, notes, seen) = (Vec::new(), BTreeMap::new(), Vec::new(), BTreeSet::new());
        let mut moves = Self { list, children, notes, question, change, seen };
        for image in touched {
            let Some(version) = image.version() else { continue };
            if let Some(manifest) = &question.head.manifest {
                moves.add_entries(manifest, image, version)?;
            }
            let is_new = change.before(image).and_then(Image::version) != Some(version);
            if is_new && !is_after_promotion {
                moves.add_named(image, version)?;
            }
            if is_new && !question.shape.frozen.is_match(&image.name) {
                moves.add_children(image, version);
            }
        }
        Ok(moves)
    }

    /// The entries of the manifest about an image, with what follows them.
    fn add_entries(&mut self, manifest: &Manifest, image: &Image, version: &str) -> Result<(), StoreError> {
        for entry in self.question.entries_of(manifest, image) {
            let images = self.question.head.images_of_entry(entry);
            let is_current = images.iter().any(|image| image.version() == Some(&entry.version));
            // What runs ahead is never lowered.
            let is_ahead = image.order(&entry.version, version).is_some_and(Ordering::is_gt);
            if entry.is_pinned || is_current || is_ahead {
                continue;
            }
            let line = manifest.text.position(entry.span.start).line;
            self.add(At { path: &manifest.path, line }, &entry.key, [&entry.version, version], true);
            self.add_tied(manifest, entry, image, version)?;
        }
        Ok(())
    }

    /// What the list of dependencies has follow an entry of the manifest.
    fn add_tied(
        &mut self,
        manifest: &Manifest,
        entry: &ManifestEntry,
        image: &Image,
        version: &str,
    ) -> Result<(), StoreError> {
        let line = manifest.text.line_at(entry.span.start);
        let follows = |dependency: &Dependency| {
            dependency.references.iter().any(|reference| reference.fits(&manifest.path, line))
        };
        self.add_dependencies(&entry.key, follows, Some(&entry.version), image, version)
    }

    /// The entries of the list of dependencies about the version file of an image, with what follows them: a constant, as a rule.
    fn add_named(&mut self, image: &Image, version: &str) -> Result<(), StoreError> {
        let Some(file) = &image.version_file else { return Ok(()) };
        let follows = |dependency: &Dependency| {
            let mut paths = dependency.references.iter().filter_map(|reference| reference.path.as_ref());
            paths.any(|path| *path.value == *file.path)
        };
        self.add_dependencies(&image.name, follows, None, image, version)
    }

    /// What the entries of the list of dependencies that are about `what` name of a version that was `named`, or was what an entry says.
    fn add_dependencies(
        &mut self,
        what: &str,
        is_about: impl Fn(&Dependency) -> bool,
        named: Option<&str>,
        image: &Image,
        version: &str,
    ) -> Result<(), StoreError> {
        let Some(file) = &self.question.head.dependencies else { return Ok(()) };
        let (Ok(text), Ok(Some(list))) = (&file.text, DependencyFile::list(file)) else {
            self.notes.push(format!("{} cannot be read, so what follows {what} is not listed", file.path));
            return Ok(());
        };
        for dependency in list.entries.iter().filter(|dependency| is_about(dependency)) {
            let said = dependency.version.as_ref().map_or("", |version| &version.value);
            if said != version {
                let line = text.position(dependency.location.start).line;
                self.add(At { path: &file.path, line }, &dependency.name, [said, version], true);
            }
            let named = named.unwrap_or(said);
            if named == version || named.is_empty() {
                continue;
            }
            for path in dependency.references.iter().filter_map(|reference| reference.path.as_ref()) {
                let Some(text) = self.question.files.readable(&path.value)? else {
                    self.notes.push(format!("{} follows {what}, and cannot be read", path.value));
                    continue;
                };
                for (span, line) in text.lines() {
                    let mut references = dependency.references.iter();
                    if references.any(|reference| reference.fits(&path.value, line)) && line.contains(named) {
                        let line = text.position(span.start).line;
                        let at = At { path: &path.value, line };
                        self.add(at, &dependency.name, [named, version], true);
                        self.add_child(&path.value, image, true);
                    }
                }
            }
        }
        Ok(())
    }

    /// What is built on an image, and names another version of it than there is.
    fn add_children(&mut self, parent: &Image, version: &str) {
        for child in self.question.head.images.values().filter(|child| child.directory != parent.directory) {
            for reference in &child.references {
                let parents = self.question.head.named(&reference.target);
                let is_other =
                    !parents.iter().any(|other| other.version().is_some_and(|version| reference.names(version)));
                let Some(named) = reference.version.as_deref().filter(|_| is_other) else { continue };
                if parents.iter().any(|other| other.directory == parent.directory) {
                    let line = reference.text.position(reference.version_span.start).line;
                    self.add(At { path: &reference.path, line }, &parent.name, [named, version], false);
                    self.add_child(&reference.path, parent, false);
                }
            }
        }
    }

    /// Notes that an image changes with a file of its own, unless that gives it a new version already.
    fn add_child(&mut self, path: &str, parent: &Image, is_tied: bool) {
        let Some(child) = self.question.head.owner(path).and_then(|owner| self.question.head.images.get(owner)) else {
            return;
        };
        let is_bumped = self.change.before(child).and_then(Image::version) != child.version();
        if child.directory != parent.directory && (is_tied || !is_bumped) {
            self.children.entry(child.name.to_string()).or_insert(is_tied);
        }
    }

    /// Adds a line, to those of its file that say the same.
    fn add(&mut self, At { path, line }: At<'_>, what: &str, [from, to]: [&str; 2], tied: bool) {
        if !self.seen.insert((path.to_owned(), line)) {
            return;
        }
        let mut known = self.list.iter_mut();
        let known = known.find(|it| it.path == path && it.what == what && it.from == from && it.to == to);
        match known {
            Some(known) => {
                known.lines.push(line);
                known.lines.sort_unstable();
                known.line = known.lines[0];
            }
            None => self.list.push(Move {
                path: path.to_owned(),
                line,
                lines: vec![line],
                what: what.to_owned(),
                from: from.to_owned(),
                to: to.to_owned(),
                tied,
            }),
        }
    }
}
