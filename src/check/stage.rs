//! `stage`: stages that are built for an operating system may not have an instruction.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Context, Kind, Reads};
use crate::finding::{Fault, Place};
use crate::model::{Build, Image, Parsed};
use crate::parse::glob::Globs;
use crate::snapshot::StoreError;

/// Which instruction, and in which stages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stage {
    /// The operating system, as in `--platform`.
    system: String,
    /// The instruction's keyword.
    instruction: String,
    /// Images that are built otherwise.
    #[serde(default)]
    exempt: Globs,
}

impl Kind for Stage {
    fn reads(&self) -> Reads<'_> {
        Reads::ControlFiles
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        for image in context.head.images.values().filter(|image| !self.exempt.is_match(&image.name)) {
            let mut seen = BTreeSet::new();
            for build in &image.builds {
                self.judge(image, build, &mut seen, &mut faults);
            }
        }
        Ok(faults)
    }
}

impl Stage {
    fn judge<'b>(
        &self,
        image: &Image,
        build: &'b Build,
        seen: &mut BTreeSet<(&'b str, usize)>,
        faults: &mut Vec<Fault>,
    ) {
        let Ok(Parsed { text, dockerfile, platforms }) = &build.file else { return };
        let system = capitalised(&self.system);
        for (stage, platform) in
            dockerfile.stages.iter().zip(platforms).filter(|(_, platform)| platform.os == self.system)
        {
            let why = match (&stage.platform, platform == &build.target) {
                (Some(_), _) => format!("this stage is built for {platform}"),
                (None, true) => format!("this stage has no --platform, and {} is built for {platform}", image.name),
                (None, false) => format!("this stage continues one that is built for {platform}"),
            };
            let matching = stage
                .instructions
                .iter()
                .filter(|instruction| instruction.keyword.eq_ignore_ascii_case(&self.instruction));
            for instruction in matching.filter(|instruction| seen.insert((&build.path, instruction.span.start))) {
                let onbuild = if instruction.is_onbuild { "ONBUILD " } else { "" };
                let message = format!("{} has {onbuild}{} in a {system} stage", image.name, instruction.keyword);
                faults.push(
                    Fault::new(message, Place::new(&build.path, text, instruction.span.clone()))
                        .image(&image.name)
                        .related(&*why, Place::new(&build.path, text, stage.span.clone())),
                );
            }
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
