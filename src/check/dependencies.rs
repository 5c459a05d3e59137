//! `dependencies`: a list of dependencies, each with a version and the files that hold it (as in `build/dependencies.yaml` of
//! Kubernetes), must agree with the versions of images.

use std::sync::Arc;

use serde::Deserialize;

use super::{Context, Kind, Reads};
use crate::edit::{Edit, Fix};
use crate::finding::{Fault, Place};
use crate::model::Model;
use crate::parse::capture::go_regex;
use crate::parse::yaml::{Document, Malformed, Node};
use crate::snapshot::StoreError;
use crate::text::Text;

/// The kind has no options: the pack's `[dependencies]` says where the list is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependencies {}

/// A version that a file holds.
struct Held {
    version: String,
    place: Place,
    image: Option<Arc<str>>,
}

impl Kind for Dependencies {
    fn reads(&self) -> Reads<'_> {
        Reads::ControlFiles
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let Some(list) = &context.head.dependencies else { return Ok(Vec::new()) };
        let path = Arc::clone(&list.path);
        let text = match list.text.clone() {
            Ok(text) => text,
            Err(unreadable) => return Ok(vec![Fault::new(format!("{path} {unreadable}"), Place::file(&path))]),
        };
        let document = match Document::parse(&text) {
            Ok(document) => document,
            Err(Malformed { message, offset }) => {
                let place = Place::new(&path, &text, offset..offset);
                return Ok(vec![Fault::new(format!("{path} is no YAML: {message}"), place)]);
            }
        };
        let list = List { path: &path, text: &text, context };
        let Some(entries) = document.root().get("dependencies").filter(|list| list.is_sequence()) else {
            let message = format!("{path} has no list `dependencies`");
            return Ok(vec![Fault::new(message, Place::new(&path, &text, 0..0))]);
        };
        let mut faults = Vec::new();
        for entry in entries.items() {
            list.judge(entry, &mut faults)?;
        }
        Ok(faults)
    }
}

struct List<'a> {
    path: &'a Arc<str>,
    text: &'a Arc<Text>,
    context: &'a Context<'a>,
}

impl List<'_> {
    fn place(&self, node: Node<'_, '_>) -> Place {
        Place::new(self.path, self.text, node.span())
    }

    fn judge(&self, entry: Node<'_, '_>, faults: &mut Vec<Fault>) -> Result<(), StoreError> {
        let Some(name) = entry.get("name").and_then(Node::text) else { return Ok(()) };
        let written = entry.get("version");
        let version_node = written.unwrap_or(entry);
        let version = written.and_then(Node::text).unwrap_or_default();
        let mut held = Vec::new();
        let mut foreign = Vec::new();
        for reference in entry.get("refPaths").into_iter().flat_map(Node::items) {
            let Some(path) = reference.get("path").and_then(Node::text) else { continue };
            let path = path.trim_start_matches("./");
            let of_file = self.held_in(path);
            let is_manifest = self.context.shape.manifest.as_ref().is_some_and(|manifest| *manifest.path == *path);
            let is_ours = of_file.is_some() || is_manifest || self.is_version_file(path);
            let Some(read) = self.context.files.text(path)?.filter(|_| is_ours) else {
                if is_ours {
                    let place = reference.get("path").map_or_else(|| self.place(version_node), |node| self.place(node));
                    faults.push(Fault::new(format!("`{name}` in {} names {path}, which is gone", self.path), place));
                } else {
                    foreign.push(path.to_owned());
                }
                continue;
            };
            let (Ok(text), Some(of_file)) = (read, of_file) else { continue };
            let pattern = reference.get("match").and_then(Node::text).unwrap_or_default();
            let place = || reference.get("match").map_or_else(|| self.place(version_node), |node| self.place(node));
            let Ok(regex) = go_regex(&pattern) else {
                faults.push(Fault::new(format!("the match of `{name}` for {path} is no regular expression"), place()));
                continue;
            };
            // Few lines hold a version; the whole file is searched only where none of them matches.
            let of_image = of_file.iter().find_map(|held| held.image.clone());
            let is_matched = |held: &Held| regex.is_match(held.place.line().as_bytes());
            let matched: Vec<Held> = of_file.into_iter().filter(is_matched).collect();
            if matched.is_empty() && !text.lines().any(|(_, line)| regex.is_match(line.as_bytes())) {
                let mut fault =
                    Fault::new(format!("the match of `{name}` matches no line of {path} any more"), place())
                        .help("change the pattern so that it matches the line that holds the version");
                fault.image = of_image;
                faults.push(fault);
                continue;
            }
            // A match may fit several lines; it is enough that one of them has the version.
            let agreeing = matched.iter().position(|held| held.version == version);
            held.extend(matched.into_iter().nth(agreeing.unwrap_or(0)));
        }
        // The files come in the order of the entry; the version file, which is bumped first, decides.
        held.sort_by_key(|held| !self.is_version_file(&held.place.path));
        let right = held.first().map(|held| held.version.clone());
        held.retain(|held| held.version != version);
        if let (Some(first), Some(right)) = (held.first(), right) {
            let says = if version.is_empty() { "has no version".to_owned() } else { format!("is {version}") };
            let message = format!("`{name}` in {} {says}, but {} has {}", self.path, first.place.path, first.version);
            let mut fault = Fault::new(message, self.place(version_node));
            // Where the file that decides agrees, it is the other file that is wrong.
            fault = if right == version {
                fault.help(format!("write {version} there"))
            } else if foreign.is_empty() {
                fault.help(format!("write {right} here"))
            } else {
                fault.help(format!("write {right} here, and in {}", foreign.join(", ")))
            };
            if right != version
                && let Some(span) = written.and_then(Node::replaceable)
            {
                let title = format!("set `{name}` in {} to {right}", self.path);
                fault = fault.fix(Fix::safe(title, vec![Edit::replace(self.path, &span, &right)]));
            }
            fault.image.clone_from(&first.image);
            for held in held {
                fault = fault.related(format!("{} here", held.version), held.place);
            }
            faults.push(fault);
        }
        Ok(())
    }

    /// The versions of images that a file holds; `None` for files that are none of ours.
    fn held_in(&self, path: &str) -> Option<Vec<Held>> {
        let model: &Model = self.context.head;
        if self.is_version_file(path) {
            let image = model.images.get(path.rsplit_once('/')?.0)?;
            let version = image.version()?.to_owned();
            return Some(vec![Held { version, place: image.version_place(), image: Some(Arc::clone(&image.name)) }]);
        }
        if let Some(manifest) = model.manifest.as_ref().filter(|manifest| *manifest.path == *path) {
            let held = manifest.entries.iter().map(|entry| Held {
                version: entry.version.clone(),
                place: manifest.place(entry),
                image: model.images_of_entry(entry).first().map(|image| Arc::clone(&image.name)),
            });
            return Some(held.collect());
        }
        let image = path.rsplit_once('/').and_then(|(directory, _)| model.images.get(directory));
        if let Some(image) = image.filter(|image| image.base.as_ref().is_some_and(|base| *base.path == *path)) {
            let held = image.references.iter().filter(|reference| *reference.path == *path).filter_map(|reference| {
                Some(Held {
                    version: reference.version.clone()?,
                    place: reference.version_place(),
                    image: Some(Arc::clone(&image.name)),
                })
            });
            return Some(held.collect());
        }
        if self.context.shape.constants.iter().all(|constant| *constant.path != *path) {
            return None;
        }
        let constants = model.constants.iter().filter(|constant| *constant.place.path == *path);
        let held = constants.map(|constant| Held {
            version: constant.value.clone(),
            place: constant.place.clone(),
            image: Some(constant.image.as_str().into()),
        });
        Some(held.collect())
    }

    fn is_version_file(&self, path: &str) -> bool {
        let shape = self.context.shape;
        path.rsplit_once('/')
            .is_some_and(|(directory, name)| shape.is_version_file(name) && shape.name_of(directory).is_some())
    }
}
