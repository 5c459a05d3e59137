//! `conflict`: no file that says something of versions may hold the marks of a conflict. Where its sides differ in versions alone,
//! the repair is the version that is right for both.
//!
//! Rules: `unresolved-conflict`.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::change::free_after;
use super::kind::{Context, Kind, Needs};
use super::touched::Touched;
use crate::conflict_resolution::{Conflicted, Contest, Resolution, Role, Sided, values};
use crate::edit::{Edit, Fix};
use crate::finding::{Diagnostic, Location};
use crate::model::{Image, Model};
use crate::parse::conflict::{self, Conflict as Marked, Side, SideText};
use crate::snapshot::{Snapshot, StoreError};
use crate::text::{Span, Text};

/// The kind has no options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conflict {}

impl Kind for Conflict {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    /// What has no mark on either side has none that is new, and none that is gone.
    fn is_concerned(&self, touched: &Touched<'_>) -> bool {
        let mut paths = touched.paths().filter(|path| touched.shape.says_versions(path));
        paths.any(|path| touched.sides().any(|files| MarkedFile::read(path, files).is_some()))
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let files = marked(context);
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let merge = MergedFiles::read(context, &files)?;
        let mut diagnostics = Vec::new();
        for (index, file) in files.iter().enumerate() {
            if let Some(stray) = &file.stray {
                diagnostics.push(
                    Diagnostic::about(
                        "a mark",
                        format!("{} holds a mark of a conflict, and its other marks are gone", file.path),
                        Location::new(file.path, &file.text, stray.clone()),
                    )
                    .help("see that what stands here is what is meant, and take the mark away"),
                );
            }
            for conflict in 0..file.conflicts.len() {
                diagnostics.push(merge.diagnostic(index, file, conflict));
            }
        }
        Ok(diagnostics)
    }
}

/// Why nothing can be judged where no rule reports conflicts: a file that the change touched, or one of the whole tree, holds one.
pub fn unreported(context: &Context<'_>) -> Option<StoreError> {
    let file = marked(context).into_iter().find(|file| !file.conflicts.is_empty() && is_touched(context, file.path))?;
    Some(StoreError {
        path: file.path.to_string(),
        reason: "it holds the marks of a conflict".to_owned(),
        help: Some("resolve the conflict, or let the rule about conflicts do so with `imglint --fix`".to_owned()),
    })
}

/// Whether a file is another than in base.
fn is_touched(context: &Context<'_>, path: &str) -> bool {
    let base = context.change.and_then(|change| change.pair.base.as_ref());
    base.is_none_or(|base| base.entry(path) != context.files.entry(path))
}

/// A file with marks.
struct MarkedFile<'a> {
    path: &'a Arc<str>,
    text: Arc<Text>,
    conflicts: Vec<Marked>,
    stray: Option<Span>,
}

/// The files with marks among those that say something of versions. What cannot be read is told by the rules that need it.
fn marked<'a>(context: &Context<'a>) -> Vec<MarkedFile<'a>> {
    let mut files = Vec::new();
    for path in context.files.entries().keys().filter(|path| context.shape.says_versions(path)) {
        files.extend(MarkedFile::read(path, context.files));
    }
    files
}

impl<'a> MarkedFile<'a> {
    /// A file, if it has marks.
    fn read(path: &'a Arc<str>, files: &Snapshot<'_>) -> Option<Self> {
        let Ok(Some(Ok(text))) = files.text(path) else { return None };
        let conflicts = conflict::conflicts(&text);
        let stray = conflict::stray_mark(&text, &conflicts);
        (!conflicts.is_empty() || stray.is_some()).then_some(Self { path, text, conflicts, stray })
    }
}

/// What both sides made of all files with marks.
struct MergedFiles<'a> {
    context: &'a Context<'a>,
    /// The images as our side has them.
    ours: Model,
    files: Vec<Conflicted<'a>>,
    /// The versions that are right where those of both sides are in conflict, by the images' directories; or why there is none.
    versions: BTreeMap<Arc<str>, Result<String, String>>,
}

impl<'a> MergedFiles<'a> {
    fn read(context: &'a Context<'a>, files: &'a [MarkedFile<'a>]) -> Result<Self, StoreError> {
        let ours = Sides::read(context, files, Side::Ours)?;
        let theirs = Sides::read(context, files, Side::Theirs)?;
        let base = Sides::read(context, files, Side::Base)?;
        let mut conflicted = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let has_ancestor = file.conflicts.iter().all(|conflict| conflict.base.is_some());
            conflicted.push(Conflicted {
                text: &file.text,
                conflicts: &file.conflicts,
                ours: ours.of(context, index, file),
                theirs: theirs.of(context, index, file),
                ancestor: has_ancestor.then(|| base.of(context, index, file).values),
            });
        }
        let mut merge = Self { context, ours: ours.model, files: conflicted, versions: BTreeMap::new() };
        merge.find_versions();
        Ok(merge)
    }

    /// Finds the versions that others follow.
    fn find_versions(&mut self) {
        let mut versions = BTreeMap::new();
        for file in &self.files {
            for conflict in 0..file.conflicts.len() {
                let mut contested = Vec::new();
                for value in file.ours.values.iter().filter(|value| value.role == Role::Version) {
                    let span = &file.ours.text.spans[conflict];
                    if span.start <= value.span.start && value.span.end <= span.end {
                        contested.extend(value.images.first().cloned());
                    }
                }
                for directory in contested {
                    let resolved = file.resolve(conflict, &|contest| match contest.value.role {
                        Role::Version => self.free(contest),
                        // What stands beside it is not asked for here.
                        _ => contest.higher().map(str::to_owned).ok_or_else(String::new),
                    });
                    let chosen = resolved.map(|resolution| resolution.choices);
                    versions.insert(
                        directory,
                        chosen.map(|choices| choices.first().map(|it| it.chosen.clone()).unwrap_or_default()),
                    );
                }
            }
        }
        self.versions = versions;
    }

    fn diagnostic(&self, index: usize, file: &MarkedFile<'_>, conflict: usize) -> Diagnostic {
        let marked = &file.conflicts[conflict];
        let location = Location::new(file.path, &file.text, marked.span.start..marked.label.end);
        match self.files[index].resolve(conflict, &|contest| self.choose(contest)) {
            Ok(resolution) => self.resolved(file, marked, location, resolution),
            Err(why) => Diagnostic::about(
                file.text.slice(&marked.span),
                format!("{} holds a conflict that is left to you: {why}", file.path),
                location,
            )
            .help("keep what is meant of both sides, and take the marks away"),
        }
    }

    fn resolved(
        &self,
        file: &MarkedFile<'_>,
        marked: &Marked,
        location: Location,
        resolution: Resolution,
    ) -> Diagnostic {
        let Resolution { mut text, choices, image } = resolution;
        let mut said = Vec::new();
        let mut done = Vec::new();
        for choice in &choices {
            let sides = format!("{} is {} on one side and {} on the other", choice.words, choice.ours, choice.theirs);
            // Several lines may say the same.
            if !said.contains(&sides) {
                said.push(sides);
                done.push(format!("{} to {}", choice.words, choice.chosen));
            }
        }
        // Git ends the last line before a mark, which a file may have without an end.
        if marked.span.end == file.text.bytes().len() && self.had_open_end(file.path) {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        let edit = Edit::replace(file.path, &marked.span, text);
        let done = done.join(", ");
        let message = format!("{} holds a conflict: {}", file.path, said.join(", "));
        let mut diagnostic = Diagnostic::about(file.text.slice(&marked.span), message, location)
            .help(format!("set {done}"))
            .fix(Fix::safe(format!("resolve the conflict: set {done}"), vec![edit]));
        if let Some(image) = image.and_then(|directory| self.ours.images.get(&directory)) {
            diagnostic = diagnostic.image(&image.name);
        }
        diagnostic
    }

    /// Whether the last line of a file had no end before the merge.
    fn had_open_end(&self, path: &str) -> bool {
        let Some(base) = self.context.change.and_then(|change| change.pair.base.as_ref()) else { return false };
        matches!(base.text(path), Ok(Some(Ok(text))) if !text.as_str().is_empty() && !text.as_str().ends_with('\n'))
    }

    /// The version that is right for both sides.
    fn choose(&self, contest: &Contest<'_>) -> Result<String, String> {
        let value = contest.value;
        if value.role == Role::Version {
            return self.free(contest);
        }
        let order = self.context.order.as_ref();
        if value.role == Role::Entry && order.is_ok_and(|order| order.is_after_promotion) {
            // Nothing has built what neither side names.
            return contest.higher().map(str::to_owned).ok_or_else(|| contest.unordered());
        }
        let mut followed = Vec::new();
        for directory in &value.images {
            match self.versions.get(directory) {
                Some(Ok(version)) => followed.push(version.as_str()),
                Some(Err(_)) => return Err(format!("{} follows a version that is in conflict itself", value.words)),
                None => followed.extend(self.ours.images.get(directory).and_then(|image| image.version())),
            }
        }
        // Of several images of one name, it is not known which one is meant.
        if let [version] = followed[..]
            && !contest.is_lowered_by(version)
        {
            return Ok(version.to_owned());
        }
        let chosen = contest.one_sided().or_else(|| contest.higher());
        chosen.map(str::to_owned).ok_or_else(|| contest.unordered())
    }

    /// The version of an image that is free after both sides, the base and the tip.
    fn free(&self, contest: &Contest<'_>) -> Result<String, String> {
        let image = contest.value.images.first().and_then(|directory| self.ours.images.get(directory));
        let image: &Image = image.ok_or_else(|| "it is not clear whose version it is".to_owned())?;
        let Context { shape, inputs, change, .. } = self.context;
        if shape.frozen.is_match(&image.name) {
            return Err(format!("{} keeps its version, as the pack says", image.name));
        }
        if let Some(version) = contest.one_sided() {
            return Ok(version.to_owned());
        }
        let mut others: Vec<&str> = contest.ancestor.into_iter().collect();
        if let Some(change) = change {
            others.extend(change.before(image).and_then(Image::version));
            others.extend(change.tip_version(image));
        }
        let last = contest.highest(&others).ok_or_else(|| contest.unordered())?;
        Ok(free_after(shape, inputs, image, last).version)
    }
}

/// All files as one side has them.
struct Sides {
    model: Model,
    texts: Vec<SideText>,
}

impl Sides {
    fn read(context: &Context<'_>, files: &[MarkedFile<'_>], side: Side) -> Result<Self, StoreError> {
        let mut tree = context.files.clone();
        let mut texts = Vec::new();
        for file in files {
            let text = conflict::side(&file.text, &file.conflicts, side);
            tree.overlay(file.path, text.text.bytes().to_vec());
            texts.push(text);
        }
        Ok(Self { model: Model::build(&tree, context.shape, Some(context.model), None)?, texts })
    }

    fn of(&self, context: &Context<'_>, index: usize, file: &MarkedFile<'_>) -> Sided {
        Sided { text: self.texts[index].clone(), values: values(&self.model, context.shape, file.path) }
    }
}
