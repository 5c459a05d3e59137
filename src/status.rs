//! Where each image stands, and what is still to be done for a change, as the pack's `[workflow]` says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::check::Change;
use crate::history::Past;
use crate::inputs::Inputs;
use crate::model::{DependencyFile, Image, Manifest, ManifestEntry, Model};
use crate::shape::Shape;
use crate::snapshot::{Snapshot, StoreError};
use crate::workflow::Template;

/// What stands where the digest of an image belongs, which only the registry knows.
pub const DIGEST: &str = "<digest>";
/// What stands where one's own registry belongs.
pub const REGISTRY: &str = "<your-registry>";

/// Where one image stands.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its name, and where it is published under another one, that.
    pub name: String,
    /// The name under which it is published.
    pub published: String,
    /// Its version; `None` where it has no usable one.
    pub version: Option<String>,
    /// Whether the version is promoted; `None` where that is not known.
    pub promoted: Option<bool>,
    /// Whether a job builds it; `None` where that is not known.
    pub job: Option<bool>,
    /// The entries of the manifest about it; `None` where there is no manifest.
    pub manifest: Option<Vec<Entry>>,
    /// Who is built on it.
    pub children: Vec<Child>,
    /// What became of it since its version was set.
    pub drift: Drift,
}

/// What became of an image since its version got its present value.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Drift {
    /// It is what it was then.
    None {
        /// The commit that set the version; `None` where that is not committed yet.
        since: Option<String>,
    },
    /// It is something else.
    Changed {
        /// The commit that set the version; `None` where that is not committed yet.
        since: Option<String>,
        /// How many commits changed it.
        commits: usize,
        /// Whether changes do that are not committed yet.
        uncommitted: bool,
    },
    /// Its version stays, whatever it is.
    Frozen,
    /// That cannot be told.
    Unknown {
        /// Why.
        reason: &'static str,
    },
}

/// An entry of the manifest.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// The constant that tests use it by.
    pub key: String,
    /// The version that it names.
    pub version: String,
    /// Whether it stays behind on purpose.
    pub pinned: bool,
    /// The manifest.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
}

/// An image that is built on another one.
#[derive(Debug, Serialize)]
pub struct Child {
    /// Its name.
    pub name: String,
    /// The versions of its parent that it names; where it names none that can be read, none.
    pub versions: BTreeSet<String>,
}

/// What is to be done for a change.
#[derive(Debug, Serialize)]
pub struct Checklist {
    /// What the change does to which image.
    pub images: Vec<Changed>,
    /// What prepares the machine that builds.
    pub prerequisites: Vec<String>,
    /// The commands that build them, parents first: each list may run once those before it are done.
    pub build: Vec<Vec<String>>,
    /// The commands that push some of them elsewhere, too.
    pub also: Vec<AlsoBuilt>,
    /// The jobs that will run once the change is merged.
    pub jobs: Vec<String>,
    /// What is to be promoted.
    pub promotions: Vec<Promotion>,
    /// Whether `moves` belong to a later change, when the images are promoted.
    pub after_promotion: bool,
    /// What repeats a version and has to follow.
    pub moves: Vec<Move>,
    /// The images that change with that, and need a new version each.
    pub children: Vec<MovedChild>,
    /// How to try the images out from one's own registry.
    pub trial: Option<Trial>,
    /// What else has to be known, and what could not be told.
    pub notes: Vec<String>,
}

/// An image that the change touches.
#[derive(Debug, Serialize)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// The version before; `None` for a new image.
    pub before: Option<String>,
    /// The version now.
    pub version: Option<String>,
}

/// What promotes a tag.
#[derive(Debug, Serialize)]
pub struct Promotion {
    /// The image's name.
    pub image: String,
    /// The command that tells its digest.
    pub digest: Option<String>,
    /// What is to be added to the list of what is promoted.
    pub text: String,
}

/// A command that pushes an image to one more place.
#[derive(Debug, Serialize)]
pub struct AlsoBuilt {
    /// The command.
    pub build: String,
    /// Why.
    pub reason: String,
}

/// An image that changes when a version moves that it names.
#[derive(Debug, Serialize)]
pub struct MovedChild {
    /// Its name.
    pub name: String,
    /// Whether it has to follow the manifest, and cannot go ahead.
    pub tied: bool,
}

/// Lines of a file that have to name another version.
#[derive(Debug, Serialize)]
pub struct Move {
    /// The file.
    pub path: String,
    /// The first line, from 1.
    pub line: usize,
    /// All lines, in order.
    pub lines: Vec<usize>,
    /// What stands there.
    pub what: String,
    /// The version that it names.
    pub from: String,
    /// The version that it will have to name.
    pub to: String,
    /// Whether it follows the manifest, and cannot go ahead of it.
    pub tied: bool,
}

/// How to try images out from one's own registry.
#[derive(Debug, Serialize)]
pub struct Trial {
    /// The commands that push them there.
    pub build: Vec<Vec<String>>,
    /// The name of the file that has tests take them from there.
    pub file: Option<String>,
    /// Its text.
    pub text: String,
    /// The commands that run tests.
    pub steps: Vec<String>,
}

/// What is asked.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The shape of the repository.
    pub shape: &'a Shape,
    /// The files of head.
    pub files: &'a Snapshot<'a>,
    /// What they say.
    pub head: &'a Model,
    /// Files from elsewhere.
    pub inputs: &'a Inputs,
}

impl Question<'_> {
    /// Where an image stands.
    pub fn row(&self, image: &Image) -> Row {
        let version = image.version();
        let promoted = self.inputs.promoted.as_ref().zip(version);
        Row {
            name: image.name.to_string(),
            published: image.published().to_owned(),
            version: version.map(str::to_owned),
            promoted: promoted.map(|(list, version)| list.has(image.published(), &self.shape.tag_of(version))),
            job: self.has_job(image),
            manifest: self.head.manifest.as_ref().map(|manifest| self.entries(manifest, image)),
            children: self.children(image),
            drift: self.drift(image),
        }
    }

    fn drift(&self, image: &Image) -> Drift {
        if self.shape.frozen.is_match(&image.name) {
            return Drift::Frozen;
        }
        let history = self.inputs.history.as_ref();
        match image.version().zip(history).and_then(|(version, history)| history.of(&image.directory, version)) {
            Some(Past::Settled(settled)) => {
                let since = settled.commit.as_ref().map(|commit| commit.id.clone());
                if settled.since > 0 || settled.has_uncommitted {
                    Drift::Changed { since, commits: settled.since, uncommitted: settled.has_uncommitted }
                } else if settled.is_undecided {
                    Drift::Unknown { reason: "only the build knows all that goes into it" }
                } else {
                    Drift::None { since }
                }
            }
            Some(Past::Cut) => Drift::Unknown { reason: "the clone is shallow" },
            None => Drift::Unknown { reason: "no history tells of its version" },
        }
    }

    fn has_job(&self, image: &Image) -> Option<bool> {
        let (jobs, job) = (self.inputs.jobs.as_ref()?, self.job(image)?);
        Some(jobs.has(&job, &image.name))
    }

    fn job(&self, image: &Image) -> Option<String> {
        let dashed = image.name.replace('/', "-");
        Some(self.shape.workflow.job.as_ref()?.fill(&[("image", &dashed)]))
    }

    fn entries(&self, manifest: &Manifest, image: &Image) -> Vec<Entry> {
        let mut entries = Vec::new();
        for entry in self.entries_of(manifest, image) {
            entries.push(Entry {
                key: entry.key.clone(),
                version: entry.version.clone(),
                pinned: entry.is_pinned,
                path: manifest.path.to_string(),
                line: manifest.text.position(entry.span.start).line,
            });
        }
        entries
    }

    fn entries_of<'m>(&self, manifest: &'m Manifest, image: &Image) -> Vec<&'m ManifestEntry> {
        let mut entries = Vec::new();
        for entry in &manifest.entries {
            if self.head.images_of_entry(entry).iter().any(|other| other.directory == image.directory) {
                entries.push(entry);
            }
        }
        entries
    }

    fn children(&self, image: &Image) -> Vec<Child> {
        let mut children = Vec::new();
        for child in self.head.images.values().filter(|child| child.directory != image.directory) {
            let mut is_child = false;
            let mut versions = BTreeSet::new();
            for reference in &child.references {
                if self.head.named(&reference.target).iter().any(|parent| parent.directory == image.directory) {
                    is_child = true;
                    versions.extend(reference.version.clone());
                }
            }
            if is_child {
                children.push(Child { name: child.name.to_string(), versions });
            }
        }
        children
    }

    /// The directories of all that an image is built on.
    fn ancestors(&self, image: &Image) -> BTreeSet<Arc<str>> {
        let mut ancestors = BTreeSet::new();
        let mut queue = vec![image];
        while let Some(image) = queue.pop() {
            for parent in image.references.iter().flat_map(|reference| self.head.named(&reference.target)) {
                if ancestors.insert(Arc::clone(&parent.directory)) {
                    queue.push(parent);
                }
            }
        }
        ancestors
    }
}

/// A change, and the images that it touches.
pub struct Work<'a> {
    question: Question<'a>,
    change: &'a Change<'a>,
    touched: Vec<&'a Image>,
    notes: Vec<String>,
}

impl<'a> Work<'a> {
    /// Finds the images that a change touches.
    pub fn new(question: Question<'a>, change: &'a Change<'a>) -> Self {
        let mut touched = Vec::new();
        let mut notes = Vec::new();
        for image in question.head.images.values() {
            let before = change.before(image);
            let is_moved = before.and_then(Image::version) != image.version();
            if change.content.get(&image.directory).is_some_and(|paths| !paths.is_empty())
                || before.is_none()
                || is_moved
            {
                touched.push(&**image);
                if before.is_some() && !is_moved && !question.shape.frozen.is_match(&image.name) {
                    let version = image.version().unwrap_or("(no usable version)");
                    notes.push(format!("{} changed, and its version is still {version}: see `imglint`", image.name));
                }
            } else if change.content.undecided().any(|directory| *directory == image.directory) {
                notes.push(format!("it cannot be told whether {} changed: `imglint` says why", image.name));
            }
            if image.version().is_none() {
                notes.push(format!("{} has no usable version", image.name));
            }
        }
        Self { question, change, touched, notes }
    }

    /// The images that the change touches.
    pub fn touched(&self) -> &[&'a Image] {
        &self.touched
    }

    /// Leaves out all images that nobody asks for.
    pub fn narrow(&mut self, asked: &BTreeSet<Arc<str>>) {
        self.touched.retain(|image| asked.contains(&image.directory));
    }

    /// What is to be done.
    ///
    /// # Errors
    /// A file that repeats a version cannot be read.
    pub fn checklist(mut self, is_after_promotion: bool) -> Result<Checklist, StoreError> {
        let mut images = Vec::new();
        for image in &self.touched {
            images.push(Changed {
                name: image.name.to_string(),
                before: self.change.before(image).and_then(Image::version).map(str::to_owned),
                version: image.version().map(str::to_owned),
            });
        }
        let levels = self.levels();
        let jobs = self.jobs();
        let Moves { list: moves, children, .. } = self.moves()?;
        let workflow = &self.question.shape.workflow;
        Ok(Checklist {
            images,
            prerequisites: workflow.prerequisites.clone(),
            build: commands(workflow.build.as_ref(), &levels),
            also: self.also(&levels),
            jobs,
            promotions: self.promotions(),
            after_promotion: is_after_promotion,
            moves,
            children: children.into_iter().map(|(name, tied)| MovedChild { name, tied }).collect(),
            trial: self.trial(&levels),
            notes: self.notes,
        })
    }

    /// The touched images, parents first.
    fn levels(&mut self) -> Vec<Vec<&'a Image>> {
        let mut levels = Vec::new();
        let mut waiting: Vec<(&Image, BTreeSet<Arc<str>>)> = Vec::new();
        for image in &self.touched {
            waiting.push((image, self.question.ancestors(image)));
        }
        while !waiting.is_empty() {
            let left: BTreeSet<Arc<str>> = waiting.iter().map(|(image, _)| Arc::clone(&image.directory)).collect();
            let (mut level, mut later) = (Vec::new(), Vec::new());
            for (image, ancestors) in waiting {
                if ancestors.iter().any(|parent| left.contains(parent) && *parent != image.directory) {
                    later.push((image, ancestors));
                } else {
                    level.push(image);
                }
            }
            if level.is_empty() {
                self.notes.push("some images are built on each other, so no order is right for them".to_owned());
                level.extend(later.drain(..).map(|(image, _)| image));
            }
            levels.push(level);
            waiting = later;
        }
        levels
    }

    fn also(&self, levels: &[Vec<&Image>]) -> Vec<AlsoBuilt> {
        let mut list = Vec::new();
        for also in &self.question.shape.workflow.also {
            for image in levels.iter().flatten().filter(|image| also.images.is_match(&image.name)) {
                let build = also.build.fill(&[("image", &shell(&image.name))]);
                list.push(AlsoBuilt { build, reason: also.reason.clone() });
            }
        }
        list
    }

    /// The jobs that run for the files that the change touches.
    fn jobs(&mut self) -> Vec<String> {
        let Question { shape, head, .. } = self.question;
        if shape.workflow.job.is_none() {
            return Vec::new();
        }
        let changed = self.change.pair.changed();
        let runs_all = changed.iter().any(|path| shape.build_inputs.iter().any(|input| input.covers(path)));
        let owners: BTreeSet<&Arc<str>> = changed.iter().filter_map(|path| head.owner(path)).collect();
        let mut jobs = Vec::new();
        for image in head.images.values() {
            let Some(job) = self.question.job(image) else { continue };
            let is_touched = self.touched.iter().any(|touched| touched.directory == image.directory);
            if is_touched && (self.change.before(image).is_none() || self.question.has_job(image) == Some(false)) {
                let location = shape.workflow.job_list.as_deref().unwrap_or("the list of jobs");
                self.notes.push(format!("{} needs a job, {job}: add it to {location}", image.name));
            }
            if runs_all || owners.contains(&image.directory) {
                jobs.push(job);
            } else if is_touched {
                self.notes.push(format!("no file of {} itself changed, so {job} may have to be started", image.name));
            }
        }
        jobs
    }

    fn promotions(&self) -> Vec<Promotion> {
        let Question { shape, inputs, .. } = self.question;
        let mut promotions = Vec::new();
        for image in &self.touched {
            let (Some(template), Some(version)) = (&shape.workflow.promotion, image.version()) else { continue };
            let (name, tag) = (image.published(), shape.tag_of(version));
            // Under a version that it had before, the tag is likely to be promoted; only the list tells that it is not.
            let is_new = self.change.before(image).and_then(Image::version) != Some(version);
            let is_known = is_new || inputs.promoted.is_some();
            if !is_known || inputs.is_promoted(name, &tag) || shape.frozen.is_match(&image.name) {
                continue;
            }
            let digest = shape.workflow.digest.as_ref();
            let quoted = yaml(name);
            promotions.push(Promotion {
                image: image.name.to_string(),
                digest: digest.map(|command| command.fill(&[("name", &shell(name)), ("tag", &shell(&tag))])),
                text: template.fill(&[("name", &quoted), ("tag", &in_quotes(&tag)), ("digest", DIGEST)]),
            });
        }
        promotions
    }

    /// What repeats the version of a touched image, and is behind.
    fn moves(&mut self) -> Result<Moves, StoreError> {
        let mut moves = Moves::default();
        for image in self.touched.clone() {
            let Some(version) = image.version() else { continue };
            if let Some(manifest) = &self.question.head.manifest {
                self.move_entries(manifest, image, version, &mut moves)?;
            }
            let is_new = self.change.before(image).and_then(Image::version) != Some(version);
            if is_new && !self.question.shape.frozen.is_match(&image.name) {
                self.move_children(image, version, &mut moves);
            }
        }
        Ok(moves)
    }

    fn move_entries(
        &mut self,
        manifest: &Manifest,
        image: &Image,
        version: &str,
        moves: &mut Moves,
    ) -> Result<(), StoreError> {
        for entry in self.question.entries_of(manifest, image) {
            let images = self.question.head.images_of_entry(entry);
            let is_current = images.iter().any(|image| image.version() == Some(&entry.version));
            // What runs ahead is never lowered.
            let is_ahead = image.order(&entry.version, version).is_some_and(std::cmp::Ordering::is_gt);
            if entry.is_pinned || is_current || is_ahead {
                continue;
            }
            let line = manifest.text.position(entry.span.start).line;
            moves.add(At { path: &manifest.path, line }, &entry.key, [&entry.version, version], true);
            self.move_tied(manifest, entry, image, version, moves)?;
        }
        Ok(())
    }

    /// What the list of dependencies has follow an entry of the manifest.
    fn move_tied(
        &mut self,
        manifest: &Manifest,
        entry: &ManifestEntry,
        image: &Image,
        version: &str,
        moves: &mut Moves,
    ) -> Result<(), StoreError> {
        let Some(file) = &self.question.head.dependencies else { return Ok(()) };
        let (Ok(text), Ok(Some(list))) = (&file.text, DependencyFile::list(file)) else {
            self.notes.push(format!("{} cannot be read, so what follows {} is not listed", file.path, entry.key));
            return Ok(());
        };
        let line = manifest.text.line_at(entry.span.start);
        for dependency in &list.entries {
            if !dependency.references.iter().any(|reference| reference.fits(&manifest.path, line)) {
                continue;
            }
            let named = dependency.version.as_ref().map_or("", |version| &version.value);
            if named != version {
                let line = text.position(dependency.location.start).line;
                moves.add(At { path: &file.path, line }, &dependency.name, [named, version], true);
            }
            for path in dependency.references.iter().filter_map(|reference| reference.path.as_ref()) {
                let Some(text) = self.question.files.readable(&path.value)? else {
                    self.notes.push(format!("{} follows {}, and cannot be read", path.value, entry.key));
                    continue;
                };
                for (span, line) in text.lines() {
                    let mut references = dependency.references.iter();
                    if references.any(|reference| reference.fits(&path.value, line)) && line.contains(&entry.version) {
                        let line = text.position(span.start).line;
                        let at = At { path: &path.value, line };
                        moves.add(at, &dependency.name, [&entry.version, version], true);
                        self.add_child(&path.value, image, true, moves);
                    }
                }
            }
        }
        Ok(())
    }

    fn move_children(&mut self, parent: &Image, version: &str, moves: &mut Moves) {
        for child in self.question.head.images.values().filter(|child| child.directory != parent.directory) {
            for reference in &child.references {
                let parents = self.question.head.named(&reference.target);
                let is_other =
                    !parents.iter().any(|other| other.version().is_some_and(|version| reference.names(version)));
                let Some(named) = reference.version.as_deref().filter(|_| is_other) else { continue };
                if parents.iter().any(|other| other.directory == parent.directory) {
                    let line = reference.text.position(reference.version_span.start).line;
                    moves.add(At { path: &reference.path, line }, &parent.name, [named, version], false);
                    self.add_child(&reference.path, parent, false, moves);
                }
            }
        }
    }

    /// Notes that an image changes with a file of its own, unless that gives it a new version already.
    fn add_child(&self, path: &str, parent: &Image, is_tied: bool, moves: &mut Moves) {
        let Some(child) = self.question.head.owner(path).and_then(|owner| self.question.head.images.get(owner)) else {
            return;
        };
        let is_bumped = self.change.before(child).and_then(Image::version) != child.version();
        if child.directory != parent.directory && (is_tied || !is_bumped) {
            moves.children.entry(child.name.to_string()).or_insert(is_tied);
        }
    }

    fn trial(&self, levels: &[Vec<&Image>]) -> Option<Trial> {
        let workflow = &self.question.shape.workflow;
        if self.touched.is_empty() {
            return None;
        }
        let build = commands(Some(workflow.trial_build.as_ref()?), levels);
        let mut text = String::new();
        for (key, directory) in self.registries() {
            let registry = if directory.is_empty() { REGISTRY.to_owned() } else { format!("{REGISTRY}/{directory}") };
            if let Some(entry) = &workflow.trial_entry {
                text.push_str(&entry.fill(&[("key", &key), ("registry", &registry)]));
                text.push('\n');
            }
        }
        Some(Trial { build, file: workflow.trial_list.clone(), text, steps: workflow.trial_steps.clone() })
    }

    /// The registries that entries of touched images are in, each with the directory that it stands for.
    fn registries(&self) -> BTreeSet<(String, String)> {
        let mut registries = BTreeSet::new();
        let (Some(shape), Some(manifest)) = (&self.question.shape.manifest, &self.question.head.manifest) else {
            return registries;
        };
        let mut begins = BTreeSet::new();
        for image in &self.touched {
            begins.extend(
                self.question.entries_of(manifest, image).iter().filter(|it| !it.is_pinned).map(|it| it.span.end),
            );
        }
        for found in shape.pattern.matches(&manifest.text).filter(|found| begins.contains(&found.span("version").end)) {
            let written = found.group("registry");
            let last = written.rsplit('.').next().unwrap_or_default();
            for (key, directory) in &shape.registries {
                if key.eq_ignore_ascii_case(written) || key.eq_ignore_ascii_case(last) {
                    registries.insert((key.clone(), directory.clone()));
                }
            }
        }
        registries
    }
}

/// Places that have to name another version, each once.
#[derive(Default)]
struct Moves {
    list: Vec<Move>,
    seen: BTreeSet<(String, usize)>,
    /// The images that change with them, and whether these have to follow the manifest.
    children: BTreeMap<String, bool>,
}

/// A line of a file.
#[derive(Clone, Copy)]
struct At<'a> {
    path: &'a str,
    line: usize,
}

impl Moves {
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

fn commands(template: Option<&Template>, levels: &[Vec<&Image>]) -> Vec<Vec<String>> {
    let Some(template) = template else { return Vec::new() };
    let mut commands = Vec::new();
    for level in levels {
        let mut of_level: Vec<String> = Vec::new();
        for image in level {
            let command = template.fill(&[("image", &shell(&image.name)), ("registry", REGISTRY)]);
            if !of_level.contains(&command) {
                of_level.push(command);
            }
        }
        commands.push(of_level);
    }
    commands
}

/// A word as a shell takes it.
fn shell(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "._/-".contains(character);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A name as YAML takes it.
fn yaml(name: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "._/-".contains(character);
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", in_quotes(name))
    }
}

fn in_quotes(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
