//! `stage-link`: symbolic links that the builder breaks when it copies them into a Windows image: it puts `Files\\` before their
//! targets. A relative link survives if its target lies below `Files`, too.

use serde::Deserialize;

use super::kind::{Context, Kind, Reads, once, unread_dockerfiles};
use crate::finding::{Fault, Place};
use crate::model::{Build, Image, Parsed};
use crate::parse::baseimage::WINDOWS;
use crate::parse::dockerfile::{Copy, Dockerfile, Keyword, Stage};
use crate::snapshot::StoreError;
use crate::text::{file_name, is_below};

/// For which images.
#[derive(Debug, Clone, Deserialize)]
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
    fn reads(&self) -> Reads<'_> {
        Reads::ControlFiles
    }

    fn unread(&self, context: &Context<'_>) -> Vec<StoreError> {
        unread_dockerfiles(context)
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        for image in context.head.images.values() {
            for build in &image.builds {
                self.judge(image, build, &mut faults);
            }
        }
        // One file may be built for several platforms.
        Ok(once(faults))
    }
}

impl StageLink {
    fn judge(&self, image: &Image, build: &Build, faults: &mut Vec<Fault>) {
        let Ok(Parsed { text, dockerfile }) = &build.file else { return };
        for stage in &dockerfile.stages {
            let is_from_here =
                |copy: &&Copy| copy.from.as_ref().is_some_and(|from| continues(dockerfile, &from.value, stage));
            let is_for_windows =
                |later: &&Stage| later.built_for.as_ref().is_some_and(|platform| platform.os == WINDOWS);
            let later = dockerfile.stages.iter().filter(is_for_windows);
            let copies: Vec<&Copy> = later.flat_map(Stage::copies).map(|(_, copy)| copy).filter(is_from_here).collect();
            for instruction in stage.instructions.iter().filter(|instruction| instruction.keyword == Keyword::Run) {
                for link in links(&instruction.arguments) {
                    let is_copied = |copy: &&Copy| copy.sources.iter().any(|source| covers(&source.value, &link.link));
                    if !copies.iter().any(is_copied) {
                        continue;
                    }
                    let name = link.target.rsplit(['/', '\\']).next().unwrap_or_default();
                    let is_doubled = || copies.iter().any(|copy| self.doubles(copy, name));
                    let (message, help) = if is_absolute(&link.target) {
                        (
                            format!(
                                "{} copies a link to {}, which becomes {}\\{}",
                                image.name, link.target, self.directory, link.target
                            ),
                            format!("make the link relative, and copy its target below {}, too", self.directory),
                        )
                    } else if is_doubled() {
                        continue;
                    } else {
                        (
                            format!(
                                "{} copies a link to {name}, which becomes {}\\{name}, where nothing is",
                                image.name, self.directory
                            ),
                            format!("copy {name} below {} beside the link, too", self.directory),
                        )
                    };
                    let place = Place::new(&build.path, text, instruction.span.clone());
                    faults.push(Fault::new(message, place).image(&image.name).help(help));
                }
            }
        }
    }

    /// Whether a file of this name is copied below the directory that the builder puts before targets.
    fn doubles(&self, copy: &Copy, name: &str) -> bool {
        let is_below = copy.destination.value.split(['/', '\\']).any(|part| part == self.directory);
        is_below && copy.file_names().any(|file| file == name)
    }
}

/// Whether `name` names a stage, or one that continues it.
fn continues(dockerfile: &Dockerfile, name: &str, stage: &Stage) -> bool {
    let chain = dockerfile.stage(name).map(|number| dockerfile.chain(number));
    chain.is_some_and(|chain| chain.iter().any(|earlier| std::ptr::eq(*earlier, stage)))
}

/// Whether a path begins at a root or a drive.
fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\']) || path.get(1..2) == Some(":")
}

/// Whether a copy of `source` brings the file `link`. Of a link whose place is not known, it is assumed.
fn covers(source: &str, link: &str) -> bool {
    let (source, link) = (source.replace('\\', "/"), link.replace('\\', "/"));
    let path = |path: &str| path.split_once(':').map_or(path, |(_, path)| path).trim_matches('/').to_ascii_lowercase();
    !is_absolute(&link) || is_below(&path(&link), &path(&source))
}

/// The links that a command makes with `ln -s TARGET LINK` or `mklink LINK TARGET`.
fn links(command: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for part in command.split(['&', ';', '|', '\n']) {
        let words: Vec<&str> = part.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
        let Some(begin) = words.iter().position(|word| matches!(file_name(word), "ln" | "mklink")) else { continue };
        let is_link = file_name(words[begin]) == "ln";
        let is_operand = |word: &&&str| !(word.starts_with('-') || (word.starts_with('/') && word.len() == 2));
        let operands: Vec<&&str> = words[begin + 1..].iter().filter(is_operand).collect();
        let has = |wanted: fn(&str) -> bool| words[begin + 1..].iter().any(|word| wanted(word));
        let is_symbolic = if is_link {
            has(|word| word == "--symbolic" || (word.starts_with('-') && !word.starts_with("--") && word.contains('s')))
        } else {
            // Hard links and junctions are copied as what they lead to.
            !has(|word| word.eq_ignore_ascii_case("/h") || word.eq_ignore_ascii_case("/j"))
        };
        if let (true, [first, second, ..]) = (is_symbolic, &operands[..]) {
            let (target, link) = if is_link { (first, second) } else { (second, first) };
            links.push(Link { target: (**target).to_owned(), link: (**link).to_owned() });
        }
    }
    links
}
