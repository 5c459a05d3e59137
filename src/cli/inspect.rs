//! `imglint inspect`: what imglint understands.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::args::{Inspect, InspectFormat};
use super::exit::{CLEAN, Error};
use super::policy::{choose, head, order_note};
use super::terminal::{print, say, say_all};
use crate::environment::Environment;
use crate::git::{Base, Repository};
use crate::model::content::sources;
use crate::model::{Image, Model, Reference, UnknownImageError, WrittenIn};
use crate::report::json::to_string;
use crate::snapshot::Snapshot;
use crate::text::{counted, escape};

#[derive(Serialize)]
struct Root<'a> {
    version: u32,
    images: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    path: &'a str,
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unversioned: bool,
    alias: Option<&'a str>,
    references: Vec<ShownReference<'a>>,
    dockerfiles: Vec<ShownDockerfile<'a>>,
    sources: Vec<String>,
}

#[derive(Serialize)]
struct ShownReference<'a> {
    path: &'a str,
    line: usize,
    target: &'a str,
    tag: Option<&'a str>,
    platform: Option<String>,
}

#[derive(Serialize)]
struct ShownDockerfile<'a> {
    path: &'a str,
    target_os: &'a str,
    stages: Vec<ShownStage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct ShownStage<'a> {
    name: Option<&'a str>,
    platform: String,
    os: &'a str,
    line: usize,
    instructions: Vec<ShownInstruction>,
}

#[derive(Serialize)]
struct ShownInstruction {
    keyword: &'static str,
    line: usize,
}

pub(super) fn run(options: &Inspect, environment: &Environment) -> Result<u8, Error> {
    let repository = Repository::open(options.common.policy.repo.as_deref(), environment)?;
    let head = repository.pin(head(&options.target, &repository, environment))?;
    let base = Base::whole("inspect");
    let chosen = choose(&options.common.policy, &repository, &base, &head, environment)?;
    if !options.common.output.quiet && options.format == InspectFormat::Human {
        let order = order_note(&chosen.pack.shape, &repository, &base, &head)?;
        say(&format!("{}{order}", chosen.choice));
        say_all(&chosen.notes);
    }
    let shape = &chosen.pack.shape;
    let pair = repository.pair(&base, &head, &chosen.pack.scope())?;
    let model = Model::build(&pair.head, shape, None, None)?;
    let images = asked_for(&options.images, &model)?;
    let mut shown = Vec::new();
    for image in images {
        shown.push(show(image, &pair.head, shape, &model)?);
    }
    if options.format == InspectFormat::Json {
        print(&to_string(&Root { version: 1, images: shown }))?;
    } else {
        let mut text = String::new();
        for image in &shown {
            human(&mut text, image);
        }
        print(&text)?;
        if !options.common.output.quiet {
            say(&counted(shown.len(), "image"));
        }
    }
    Ok(CLEAN)
}

/// The images of these names, each once and in the order of their directories; all of them where none is named.
fn asked_for<'m>(names: &[String], model: &'m Model) -> Result<Vec<&'m Image>, UnknownImageError> {
    let mut images: BTreeMap<&str, &Image> = BTreeMap::new();
    for name in names {
        images.extend(model.meant(name)?.into_iter().map(|image| (&*image.directory, image)));
    }
    if names.is_empty() {
        return Ok(model.images.values().map(|image| &**image).collect());
    }
    Ok(images.into_values().collect())
}

fn show<'a>(
    image: &'a Image,
    files: &Snapshot<'_>,
    shape: &crate::shape::Shape,
    model: &Model,
) -> Result<Shown<'a>, Error> {
    let reference = |reference: &'a Reference| ShownReference {
        path: &reference.path,
        line: reference.text.position(reference.span.start).line,
        target: &reference.target,
        tag: reference.version.as_deref(),
        platform: match &reference.written_in {
            WrittenIn::Base(platform) => Some(platform.to_string()),
            WrittenIn::From | WrittenIn::Copy | WrittenIn::File => None,
        },
    };
    let dockerfiles = image.builds.iter().map(|build| {
        let (stages, error) = match &build.file {
            Err(error) => (Vec::new(), Some(error.reason.as_str())),
            Ok(parsed) => {
                let line = |offset: usize| parsed.text.position(offset).line;
                let stages = parsed.dockerfile.stages.iter().map(|stage| ShownStage {
                    name: stage.name.as_ref().map(|name| name.value.as_str()),
                    platform: stage.built_for.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string),
                    os: stage.built_for.as_ref().map_or("unknown", |platform| &platform.os),
                    line: line(stage.span.start),
                    instructions: stage
                        .instructions
                        .iter()
                        .map(|instruction| ShownInstruction {
                            keyword: instruction.keyword.name(),
                            line: line(instruction.span.start),
                        })
                        .collect(),
                });
                (stages.collect(), None)
            }
        };
        ShownDockerfile { path: &build.path, target_os: &build.target.os, stages, error }
    });
    let shared = shape.shared.iter().filter(|shared| shared.is_of(&image.name));
    let shared = shared.map(|shared| shared.path.as_str().to_owned());
    Ok(Shown {
        name: &image.name,
        path: &image.directory,
        version: image.version_identity(),
        unversioned: image.is_unversioned(),
        alias: image.alias.as_deref(),
        references: image.references.iter().map(reference).collect(),
        dockerfiles: dockerfiles.collect(),
        sources: sources(image, files, shape, model)?.into_iter().chain(shared).collect(),
    })
}

fn human(text: &mut String, image: &Shown<'_>) {
    let no_version = if image.unversioned { "(no version of its own)" } else { "(no usable version)" };
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} {}", escape(image.name), escape(image.version.unwrap_or(no_version)));
    let _ = writeln!(text, "  in {}", escape(image.path));
    if let Some(alias) = image.alias {
        let _ = writeln!(text, "  published as {}", escape(alias));
    }
    for reference in &image.references {
        let tag = reference.tag.map(|tag| format!(" {tag}")).unwrap_or_default();
        let platform = reference.platform.as_ref().map(|platform| format!(" for {platform}")).unwrap_or_default();
        let words = format!("  names {}{tag}{platform} ({}:{})", reference.target, reference.path, reference.line);
        let _ = writeln!(text, "{}", escape(&words));
    }
    for dockerfile in &image.dockerfiles {
        let _ = writeln!(text, "  {}, built for {}", escape(dockerfile.path), escape(dockerfile.target_os));
        if let Some(error) = dockerfile.error {
            let _ = writeln!(text, "    cannot be read: {}", escape(error));
        }
        for stage in &dockerfile.stages {
            let name = stage.name.unwrap_or("(no name)");
            let mut keywords: Vec<String> = Vec::new();
            for instruction in &stage.instructions {
                keywords.push(format!("{}:{}", instruction.keyword, instruction.line));
            }
            let colon = if keywords.is_empty() { "" } else { ": " };
            let keywords = keywords.join(" ");
            let words = format!("    {} stage {name}, line {}{colon}{keywords}", stage.platform, stage.line);
            let _ = writeln!(text, "{}", escape(&words));
        }
    }
    for source in &image.sources {
        let _ = writeln!(text, "  built from {}", escape(source));
    }
    text.push('\n');
}
