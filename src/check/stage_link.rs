//! `stage-link`: symbolic links that the builder breaks when it copies them into a Windows image: it puts `Files\\` before their
//! targets. A relative link survives if its target lies below `Files`, too.
//!
//! Rules: `absolute-windows-symlink`.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Concern, Context, Kind, Needs, once};
use crate::finding::{Diagnostic, Location};
use crate::model::{Build, Image, Parsed};
use crate::parse::baseimage::WINDOWS;
use crate::parse::dockerfile::{Copy, Dockerfile, Keyword, Stage};
use crate::path::{file_name, is_below};
use crate::snapshot::StoreError;

/// For which images.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StageLink {
    /// The directory that the builder puts before targets.
    directory: String,
}

/// A link that a command makes.
struct Link {
    target: String,
    link: String,
}

impl Kind for StageLink {
    fn needs(&self) -> Needs<'_> {
        Needs::of_dockerfiles(Concern::Itself)
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        for image in context.model.images.values() {
            for build in &image.builds {
                self.judge(image, build, &mut diagnostics);
            }
        }
        // One file may be built for several platforms.
        Ok(once(diagnostics))
    }
}

impl StageLink {
    fn judge(&self, image: &Image, build: &Build, diagnostics: &mut Vec<Diagnostic>) {
        let Ok(Parsed { text, dockerfile }) = &build.file else { return };
        let mut later = Vec::new();
        for stage in &dockerfile.stages {
            if stage.built_for.as_ref().is_some_and(|platform| platform.os == WINDOWS) {
                later.extend(stage.copies().map(|(_, copy)| copy));
            }
        }
        for (stage, copies) in dockerfile.stages.iter().zip(copies_by_stage(dockerfile, &later)) {
            // Most stages are copied from by nobody.
            if copies.is_empty() {
                continue;
            }
            let brought = Brought { copies, doubled: self.doubled(stage) };
            for instruction in stage.instructions.iter().filter(|instruction| instruction.keyword == Keyword::Run) {
                for link in links(&instruction.arguments) {
                    let location = Location::new(&build.path, text, instruction.span.clone());
                    diagnostics.extend(self.broken(image, &link, &brought, location));
                }
            }
        }
    }

    /// Says that a link is copied and leads nowhere then.
    fn broken(&self, image: &Image, link: &Link, brought: &Brought<'_>, location: Location) -> Option<Diagnostic> {
        let Brought { copies, doubled } = brought;
        if !copies.iter().any(|copy| copy.sources.iter().any(|source| covers(&source.value, &link.link))) {
            return None;
        }
        let (name, directory, target) = (&image.name, &self.directory, &link.target);
        if is_absolute(target) {
            let message = format!("{name} copies a link to {target}, which becomes {directory}\\{target}");
            let help = format!("make the link relative, and copy its target below {directory}, too");
            return Some(Diagnostic::about(target, message, location).image(name).help(help));
        }
        let file = target.rsplit(['/', '\\']).next().unwrap_or_default();
        if doubled.has(file) || copies.iter().any(|copy| self.doubles(copy, file)) {
            return None;
        }
        let message = format!("{name} copies a link to {file}, which becomes {directory}\\{file}, where nothing is");
        Some(
            Diagnostic::about(file, message, location)
                .image(name)
                .help(format!("copy {file} below {directory} beside the link, too")),
        )
    }

    /// Whether a file of this name is copied below the directory that the builder puts before targets.
    fn doubles(&self, copy: &Copy, name: &str) -> bool {
        let is_below = copy.destination.value.split(['/', '\\']).any(|part| part == self.directory);
        is_below && copy.file_names().any(|file| file == name)
    }

    /// What the commands of a stage put below that directory: what they name there, or beside the directory itself.
    fn doubled(&self, stage: &Stage) -> Doubled {
        let mut doubled = Doubled::default();
        for copy in stage.copies().map(|(_, copy)| copy) {
            doubled.names.extend(copy.file_names().filter(|name| self.doubles(copy, name)).map(str::to_owned));
        }
        for instruction in stage.instructions.iter().filter(|instruction| instruction.keyword == Keyword::Run) {
            for command in instruction.arguments.split(['&', ';', '|', '\n']) {
                doubled.add(command, &self.directory);
            }
        }
        doubled
    }
}

/// What comes into an image from a stage.
struct Brought<'d> {
    copies: Vec<&'d Copy>,
    doubled: Doubled,
}

/// The names of files that lie below the directory that the builder puts before targets.
#[derive(Default)]
struct Doubled {
    names: HashSet<String>,
    /// Whether there are some whose names only a shell knows.
    is_open: bool,
}

impl Doubled {
    fn add(&mut self, command: &str, directory: &str) {
        let words: Vec<&str> = command.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
        // To make the directory puts nothing into it.
        if words.iter().any(|word| matches!(file_name(word), "mkdir" | "md")) {
            return;
        }
        let Some(below) = words.iter().find(|word| word.split(['/', '\\']).any(|part| part == directory)) else {
            return;
        };
        let last = below.rsplit(['/', '\\']).next().unwrap_or_default();
        if last.is_empty() || last == directory {
            for word in &words {
                self.insert(word.rsplit(['/', '\\']).next().unwrap_or_default());
            }
        } else {
            self.insert(last);
        }
    }

    fn insert(&mut self, name: &str) {
        self.is_open |= name.contains(['$', '*', '`']);
        self.names.insert(name.to_owned());
    }

    fn has(&self, name: &str) -> bool {
        self.is_open || self.names.contains(name)
    }
}

/// For each stage the copies that are made from it, or from one that continues it.
fn copies_by_stage<'d>(dockerfile: &Dockerfile, copies: &[&'d Copy]) -> Vec<Vec<&'d Copy>> {
    let mut by_stage = vec![Vec::new(); dockerfile.stages.len()];
    for copy in copies {
        let mut number = copy.from.as_ref().and_then(|from| dockerfile.stage(&from.value));
        while let Some(stage) = number {
            by_stage[stage].push(*copy);
            // A stage continues one that stands before it.
            number = dockerfile.stages[stage].continues.filter(|earlier| *earlier < stage);
        }
    }
    by_stage
}

/// Whether a path begins at a root or a drive.
fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\']) || path.get(1..2) == Some(":")
}

/// Whether a copy of `source` brings the file `link`. Of a link whose place is not known, it is assumed.
fn covers(source: &str, link: &str) -> bool {
    let (source, link) = (source.replace('\\', "/"), link.replace('\\', "/"));
    !is_absolute(&link) || is_below(&without_drive(&link), &without_drive(&source))
}

/// A path as Windows compares it, without a drive.
fn without_drive(path: &str) -> String {
    path.split_once(':').map_or(path, |(_, path)| path).trim_matches('/').to_ascii_lowercase()
}

/// The links that a command makes with `ln -s TARGET LINK` or `mklink LINK TARGET`.
fn links(command: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for part in command.split(['&', ';', '|', '\n']) {
        let words: Vec<&str> = part.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
        let Some(begin) = words.iter().position(|word| matches!(file_name(word), "ln" | "mklink")) else { continue };
        let is_link = file_name(words[begin]) == "ln";
        let mut operands = Vec::new();
        let mut is_symbolic = !is_link;
        for word in &words[begin + 1..] {
            if is_link {
                let is_short = word.starts_with('-') && !word.starts_with("--");
                is_symbolic |= *word == "--symbolic" || (is_short && word.contains('s'));
            } else if word.eq_ignore_ascii_case("/h") || word.eq_ignore_ascii_case("/j") {
                // Hard links and junctions are copied as what they lead to.
                is_symbolic = false;
            }
            let is_option = word.starts_with('-') || (word.starts_with('/') && word.len() == 2);
            if !is_option {
                operands.push(*word);
            }
        }
        if let (true, [first, second, ..]) = (is_symbolic, &operands[..]) {
            let (target, link) = if is_link { (first, second) } else { (second, first) };
            links.push(Link { target: (*target).to_owned(), link: (*link).to_owned() });
        }
    }
    links
}
