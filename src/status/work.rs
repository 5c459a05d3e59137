//! What is still to be done for a change, found out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::checklist::{AlsoBuilt, ChangedImage, Checklist, DIGEST, MovedChild, Promotion, REGISTRY, Trial};
use super::moves::Moves;
use super::row::Question;
use crate::check::Change;
use crate::model::Image;
use crate::snapshot::StoreError;
use crate::workflow::Template;

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
            let is_moved = before.and_then(Image::version_identity) != image.version_identity();
            if change.content.get(&image.directory).is_some_and(|paths| !paths.is_empty())
                || before.is_none()
                || is_moved
            {
                touched.push(&**image);
                let is_asked_for = !question.shape.frozen.is_match(&image.name) && !image.is_unversioned();
                if before.is_some() && !is_moved && is_asked_for {
                    let version = image.version_words();
                    notes.push(format!("{} changed, and its version is still {version}: see `imglint`", image.name));
                }
            } else if change.content.undecided().any(|directory| *directory == image.directory) {
                notes.push(format!("it cannot be told whether {} changed: `imglint` says why", image.name));
            }
            if image.version_identity().is_none() && !image.is_unversioned() {
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
            let before = self.change.before(image);
            images.push(ChangedImage {
                name: image.name.to_string(),
                new: before.is_none(),
                before: before.and_then(Image::version_identity).map(str::to_owned),
                version: image.version_identity().map(str::to_owned),
                unversioned: image.is_unversioned(),
            });
        }
        let levels = self.levels();
        let jobs = self.jobs();
        let Moves { list: moves, children, notes, .. } =
            Moves::find(self.question, self.change, &self.touched, is_after_promotion)?;
        self.notes.extend(notes);
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
