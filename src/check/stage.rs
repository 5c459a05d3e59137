//! `stage`: stages that are built for an operating system may not have an instruction.
//!
//! Rules: `windows-run`, `windows-workdir`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Concern, Context, Kind, Needs};
use crate::finding::{Diagnostic, Level, Location};
use crate::model::{Build, Image, Model, Parsed, Reference, WrittenIn};
use crate::parse::baseimage::{Os, Platform};
use crate::parse::dockerfile::{self, Keyword};
use crate::parse::glob::Globs;
use crate::snapshot::StoreError;

/// Which instruction, and in which stages.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stage {
    /// The operating system, as in `--platform`.
    system: Os,
    /// The instruction's keyword.
    instruction: Keyword,
    /// Images that are built otherwise.
    #[serde(default)]
    exempt: Globs,
}

impl Kind for Stage {
    fn needs(&self) -> Needs<'_> {
        Needs::of_dockerfiles(Concern::Itself)
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        for image in context.model.images.values().filter(|image| !self.exempt.is_match(&image.name)) {
            let mut seen = BTreeSet::new();
            for build in &image.builds {
                self.judge(image, build, &mut seen, &mut diagnostics);
            }
            self.judge_triggers(image, context.model, &mut diagnostics);
        }
        Ok(diagnostics)
    }
}

impl Stage {
    fn judge<'b>(
        &self,
        image: &Image,
        build: &'b Build,
        seen: &mut BTreeSet<(&'b str, usize)>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let Ok(Parsed { text, dockerfile }) = &build.file else { return };
        for stage in &dockerfile.stages {
            let platform = stage.built_for.as_ref();
            if platform.is_some_and(|platform| platform.os != self.system.name()) {
                continue;
            }
            for instruction in stage.instructions.iter().filter(|known| known.keyword == self.instruction) {
                if !seen.insert((&build.path, instruction.span.start)) {
                    continue;
                }
                let onbuild = if instruction.is_onbuild { "ONBUILD " } else { "" };
                let what = format!("{onbuild}{}", instruction.keyword.name());
                let location = Location::new(&build.path, text, instruction.span.clone());
                let diagnostic = match platform {
                    Some(platform) => {
                        let message = format!("{} has {what} in a {} stage", image.name, self.system.title());
                        let why = why(image, build, stage, platform);
                        let stage = Location::new(&build.path, text, stage.span.clone());
                        Diagnostic::about(what, message, location).related(why, stage)
                    }
                    None => self.unknown(image, stage, &what, location),
                };
                diagnostics.push(diagnostic.image(&image.name));
            }
        }
    }

    /// What a parent in the tree leaves to its children with ONBUILD, they do in the stage that they put on it.
    fn judge_triggers(&self, image: &Image, model: &Model, diagnostics: &mut Vec<Diagnostic>) {
        let mut seen = BTreeSet::new();
        for reference in self.bases(image) {
            for parent in model.named(&reference.target) {
                for trigger in self.triggers(parent, reference) {
                    if !seen.insert((reference.span.start, trigger.path.clone(), trigger.span.start)) {
                        continue;
                    }
                    let what = self.instruction.name();
                    let message =
                        format!("{} has {what} in a {} stage, from {}", image.name, self.system.title(), parent.name);
                    let why = format!("whatever is built on {} does this", parent.name);
                    let subject = format!("{what} {}", parent.name);
                    diagnostics.push(
                        Diagnostic::about(subject, message, reference.location())
                            .image(&image.name)
                            .related(why, trigger),
                    );
                }
            }
        }
    }

    /// The references that stages for the system are put on.
    fn bases<'i>(&self, image: &'i Image) -> Vec<&'i Reference> {
        let mut bases = Vec::new();
        for build in &image.builds {
            let Ok(Parsed { dockerfile, .. }) = &build.file else { continue };
            for stage in dockerfile.stages.iter().filter(|stage| stage.continues.is_none()) {
                if stage.built_for.as_ref().is_some_and(|platform| platform.os == self.system.name()) {
                    bases.extend(image.references.iter().filter(|reference| match &reference.written_in {
                        WrittenIn::Base(platform) => stage.image.is_given() && platform.os == build.target.os,
                        WrittenIn::From => {
                            reference.path == build.path && reference.span.start == stage.image.span.start
                        }
                        WrittenIn::Copy | WrittenIn::File => false,
                    }));
                }
            }
        }
        bases
    }

    /// Where a parent has the instruction behind an ONBUILD: in what is built for the platform that a reference names, or else for
    /// the system, or else for whatever there is. Children of its children do not have it.
    fn triggers(&self, parent: &Image, reference: &Reference) -> Vec<Location> {
        let named = reference.suffix.as_ref().and_then(|(suffix, _)| suffix.split('-').next());
        let os = named.unwrap_or(self.system.name());
        let has_os = parent.builds.iter().any(|build| build.target.os == os);
        let mut triggers = Vec::new();
        for build in parent.builds.iter().filter(|build| build.target.os == os || !has_os) {
            let Ok(Parsed { text, dockerfile }) = &build.file else { continue };
            let instructions = dockerfile.stages.last().map(|stage| &stage.instructions[..]).unwrap_or_default();
            for instruction in instructions {
                if instruction.is_onbuild && instruction.keyword == self.instruction {
                    triggers.push(Location::new(&build.path, text, instruction.span.clone()));
                }
            }
        }
        triggers
    }

    /// A note of an instruction that may stand in such a stage, or may not.
    fn unknown(&self, image: &Image, stage: &dockerfile::Stage, what: &str, location: Location) -> Diagnostic {
        let words = stage.platform.iter().chain([&stage.image]);
        let variables = words.flat_map(|word| &word.unknown).map(String::as_str).collect::<Vec<_>>().join(", ");
        let what_decides = if variables.is_empty() { "what decides it".to_owned() } else { variables };
        let message = format!(
            "cannot tell whether {} has {what} in a {} stage: only the build knows the platform",
            image.name,
            self.system.title()
        );
        let help = format!("give {what_decides} a default before the first FROM, or name the platform itself");
        Diagnostic::about(format!("{what} undecided"), message, location).help(help).at_most(Level::Note)
    }
}

/// Why a stage is built for a platform.
fn why(image: &Image, build: &Build, stage: &dockerfile::Stage, platform: &Platform) -> String {
    if stage.continues.is_some() {
        format!("this stage continues one that is built for {platform}")
    } else if stage.platform.is_none() || &*stage.image.value == "scratch" {
        format!("this stage has no --platform, and {} is built for {}", image.name, build.target)
    } else {
        format!("this stage is built for {platform}")
    }
}
