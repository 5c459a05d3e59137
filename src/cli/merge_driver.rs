//! `imglint merge-driver`: what git calls to merge a file that says versions. Whatever is in doubt, it leaves as git would.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::args::{MergeDriver, PolicyOptions, Target};
use super::exit::{CLEAN, Error, FINDINGS};
use super::frame::{Compared, Frame};
use super::terminal::say;
use crate::check::following;
use crate::conflict_resolution::{Choice, Conflicted, Contest, Role, Sided, highest, values};
use crate::edit::{Edit, apply};
use crate::environment::Environment;
use crate::git::{MergedFile, MergedPath, Merging, Names};
use crate::model::Model;
use crate::parse::conflict::{self, MARK_SIZE, Side, SideText};
use crate::run::manifest_order;
use crate::shape::Shape;
use crate::snapshot::{Snapshot, StoreError};
use crate::text::{Text, escape};

/// What git puts into a command where it does not know the placeholder of a name.
const PLACEHOLDERS: [&str; 3] = ["%S", "%X", "%Y"];

/// Merges. The file is written in any case, and the exit code is what git asks for: 0 where all is merged, 1 where conflicts are left.
pub(super) fn run(options: &MergeDriver, environment: &Environment) -> Result<u8, Error> {
    let merging = merging(options);
    let merged = match merging.merge() {
        Ok(merged) => merged,
        Err(error) => {
            // Git itself keeps our side of what it cannot merge, and calls it a conflict.
            say(&format!("{}: {error}", options.path));
            return Ok(FINDINGS);
        }
    };
    if !merged.has_conflicts {
        merging.write(&merged.bytes)?;
        return Ok(CLEAN);
    }
    let MergedFile { bytes, .. } = &merged;
    let resolved = catch_unwind(AssertUnwindSafe(|| resolve(options, &merging, bytes, environment)));
    let why = match resolved {
        Ok(Ok(resolved)) => {
            resolved.said.iter().for_each(|line| say(&format!("{}: {line}", options.path)));
            merging.write(&resolved.bytes)?;
            return Ok(if resolved.is_whole { CLEAN } else { FINDINGS });
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "this is a fault of imglint; please report it".to_owned(),
    };
    say(&format!("{}: left as git merges it: {why}", options.path));
    merging.write(bytes)?;
    Ok(FINDINGS)
}

fn merging(options: &MergeDriver) -> Merging {
    let name = |name: &Option<String>, otherwise: &str| match name.as_deref() {
        Some(name) if !PLACEHOLDERS.contains(&name) => name.to_owned(),
        _ => otherwise.to_owned(),
    };
    Merging {
        ancestor: options.ancestor.clone(),
        ours: options.ours.clone(),
        theirs: options.theirs.clone(),
        names: Names {
            ancestor: name(&options.ancestor_name, "base"),
            ours: name(&options.our_name, "ours"),
            theirs: name(&options.their_name, "theirs"),
        },
        marker_size: options.marker_size.filter(|size| *size > 0).unwrap_or(MARK_SIZE),
    }
}

/// A file of which some conflicts are resolved.
struct Resolved {
    bytes: Vec<u8>,
    /// Whether none is left.
    is_whole: bool,
    /// What was done and what was left, a line each.
    said: Vec<String>,
}

/// Resolves the conflicts of a merged file that are about versions alone.
fn resolve(
    options: &MergeDriver,
    merging: &Merging,
    bytes: &[u8],
    environment: &Environment,
) -> Result<Resolved, Error> {
    let path: Arc<str> = options.path.as_str().into();
    let text = Text::new(bytes.to_vec());
    let conflicts = conflict::conflicts(&text);
    let files = Files::read(merging, &path)?;
    // Marks that were there before the merge are not those of this one.
    let are_its_own = conflicts.iter().all(|conflict| conflict.size == merging.marker_size);
    if conflicts.is_empty() || !are_its_own || files.have_marks() {
        return Err(Doubt("what stands between its marks is not clear").into());
    }
    let policy = PolicyOptions::default();
    let target = Target { head: Some("HEAD".to_owned()), ..Target::default() };
    let frame = Frame::begin(&policy, &target, &Compared::Whole, false, environment)?;
    let shape = &frame.pack.shape;
    if !shape.says_versions(&path) {
        return Err(Doubt("the pack knows no version in it").into());
    }
    let pair = frame.pair()?;
    let mut trees = MergedTrees { shape, head: &pair.head, path: &path, versions: BTreeMap::new() };
    if let Some(others) = frame.repository.merging_trees(MergedPath { path: &path, merging }, environment) {
        let [theirs, ancestor] = [&others.theirs, &others.ancestor]
            .map(|head| frame.repository.pair(&frame.base, head, &frame.pack.scope()).map(|pair| pair.head));
        trees.find_versions(&theirs?, &ancestor?)?;
    }
    let ours = trees.sided(conflict::side(&text, &conflicts, Side::Ours))?;
    let theirs = trees.sided(conflict::side(&text, &conflicts, Side::Theirs))?;
    let ancestor = trees.sided(SideText { text: files.ancestor, spans: Vec::new() })?;
    let chooser = Chooser {
        shape,
        ours: &ours.model,
        versions: &trees.versions,
        is_after_promotion: manifest_order(shape, &pair)?.is_after_promotion,
    };
    let file = Conflicted {
        text: &text,
        conflicts: &conflicts,
        ours: ours.sided,
        theirs: theirs.sided,
        ancestor: Some(ancestor.sided.values),
    };
    Ok(Resolved::of(&file, &chooser, &path, files.has_open_end))
}

impl Resolved {
    /// Resolves each conflict of a file whose versions can be chosen, and leaves the others.
    fn of(file: &Conflicted<'_>, chooser: &Chooser<'_>, path: &Arc<str>, has_open_end: bool) -> Self {
        let mut resolved = Self { bytes: Vec::new(), is_whole: true, said: Vec::new() };
        let mut edits = Vec::new();
        let bytes = file.text.bytes();
        for (index, conflict) in file.conflicts.iter().enumerate() {
            match file.resolve(index, &|contest| chooser.choose(contest)) {
                Ok(mut resolution) => {
                    // Git ends the last line before a mark, which a file may have without an end.
                    if conflict.span.end == bytes.len() && has_open_end {
                        resolution.text.truncate(resolution.text.trim_end_matches(['\r', '\n']).len());
                    }
                    resolved.tell(&resolution.choices);
                    edits.push(Edit::replace(path, &conflict.span, resolution.text));
                }
                Err(why) => {
                    resolved.is_whole = false;
                    resolved.said.push(format!("a conflict is left to you: {why}"));
                }
            }
        }
        resolved.bytes = apply(bytes, &edits);
        resolved
    }

    /// Tells what was chosen; what several lines say alike, once.
    fn tell(&mut self, choices: &[Choice]) {
        for Choice { words, ours, theirs, chosen } in choices {
            let line = format!("{words} is {ours} on one side and {theirs} on the other: it is {chosen} now");
            if !self.said.contains(&line) {
                self.said.push(line);
            }
        }
    }
}

/// The three files that are merged.
struct Files {
    ours: Text,
    ancestor: Text,
    theirs: Text,
    /// Whether no side ends its last line.
    has_open_end: bool,
}

impl Files {
    fn read(merging: &Merging, path: &str) -> Result<Self, StoreError> {
        let read = |file| {
            let read = std::fs::read(file);
            read.map(Text::new).map_err(|error| StoreError {
                path: path.to_owned(),
                reason: error.to_string(),
                help: None,
            })
        };
        let (ours, ancestor, theirs) = (read(&merging.ours)?, read(&merging.ancestor)?, read(&merging.theirs)?);
        let has_open_end = [&ours, &theirs].into_iter().all(|text| !text.as_str().ends_with('\n'));
        Ok(Self { ours, ancestor, theirs, has_open_end })
    }

    fn have_marks(&self) -> bool {
        [&self.ours, &self.theirs].into_iter().any(|text| !conflict::conflicts(text).is_empty())
    }
}

/// Why a conflict is not looked into.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{}", escape(.0))]
struct Doubt(&'static str);

/// The trees around the merged file.
struct MergedTrees<'a, 'r> {
    shape: &'a Shape,
    /// What is merged into.
    head: &'a Snapshot<'r>,
    path: &'a Arc<str>,
    /// The versions of images once all is merged, by their directories, as far as they are known and stand in another file.
    versions: BTreeMap<Arc<str>, String>,
}

/// A side of the file, and the images of the tree with it.
struct SidedModel {
    model: Model,
    sided: Sided,
}

impl MergedTrees<'_, '_> {
    fn sided(&self, text: SideText) -> Result<SidedModel, StoreError> {
        let mut tree = self.head.clone();
        tree.overlay(self.path, text.text.bytes().to_vec());
        let model = Model::build(&tree, self.shape, None, None)?;
        let values = values(&model, self.shape, self.path);
        Ok(SidedModel { model, sided: Sided { text, values } })
    }

    /// Finds the versions that images will have, where the commits that are merged are known.
    fn find_versions(&mut self, theirs: &Snapshot<'_>, ancestor: &Snapshot<'_>) -> Result<(), StoreError> {
        let ours = Model::build(self.head, self.shape, None, None)?;
        let theirs = Model::build(theirs, self.shape, None, None)?;
        let ancestor = Model::build(ancestor, self.shape, None, None)?;
        for (directory, image) in &ours.images {
            let Some(our_version) = image.version() else { continue };
            if image.has_version_in(self.path) {
                continue;
            }
            let version_in = |model: &Model| model.images.get(directory).and_then(|it| it.version().map(str::to_owned));
            let (Some(their_version), before) = (version_in(&theirs), version_in(&ancestor)) else { continue };
            let merged = if our_version == their_version || before.as_deref() == Some(their_version.as_str()) {
                Some(our_version.to_owned())
            } else if before.as_deref() == Some(our_version) {
                Some(their_version)
            } else {
                let others: Vec<&str> = before.as_deref().into_iter().collect();
                let sides = [our_version, their_version.as_str()];
                highest(image.scheme(), &sides, &others).map(|last| following(self.shape, image, last))
            };
            if let Some(merged) = merged {
                self.versions.insert(Arc::clone(directory), merged);
            }
        }
        Ok(())
    }
}

/// What chooses versions.
struct Chooser<'a> {
    shape: &'a Shape,
    ours: &'a Model,
    versions: &'a BTreeMap<Arc<str>, String>,
    is_after_promotion: bool,
}

impl Chooser<'_> {
    fn choose(&self, contest: &Contest<'_>) -> Result<String, String> {
        let value = contest.value;
        let image = value.images.first().and_then(|directory| self.ours.images.get(directory));
        if value.role == Role::Version && image.is_some_and(|image| self.shape.frozen.is_match(&image.name)) {
            return Err("the pack says that the image keeps its version".to_owned());
        }
        let known = value.images.first().filter(|_| value.images.len() == 1).and_then(|it| self.versions.get(it));
        let follows_promotion = value.role == Role::Entry && self.is_after_promotion;
        if value.role != Role::Version
            && !follows_promotion
            && let Some(known) = known.filter(|known| !contest.is_lowered_by(known))
        {
            return Ok(known.clone());
        }
        if let Some(version) = contest.one_sided() {
            return Ok(version.to_owned());
        }
        let ancestor: Vec<&str> = contest.ancestor.into_iter().collect();
        let last = contest.highest(&ancestor).ok_or_else(|| contest.unordered())?;
        match image {
            // Nothing has built what neither side names; and what is no image of this tree has no next version here.
            Some(image) if !follows_promotion => Ok(following(self.shape, image, last)),
            _ => contest.higher().map(str::to_owned).ok_or_else(|| contest.unordered()),
        }
    }
}
