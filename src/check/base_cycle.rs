//! `base-cycle`: no image can be built if it is built from itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::kind::{Context, Kind, Reads, unread_dockerfiles};
use crate::finding::Fault;
use crate::model::Reference;
use crate::snapshot::StoreError;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseCycle {}

/// The images that each image is built from, with the first reference that says so.
type Graph<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Reference>>;

impl Kind for BaseCycle {
    fn reads(&self) -> Reads<'_> {
        Reads::ControlFiles
    }

    fn unread(&self, context: &Context<'_>) -> Vec<StoreError> {
        unread_dockerfiles(context)
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let mut graph = Graph::new();
        for image in context.head.images.values() {
            for reference in &image.references {
                for parent in context.head.named(&reference.target) {
                    // To be built from an older version of oneself is how one begins.
                    let is_older_self =
                        parent.directory == image.directory && reference.version.as_deref() != image.version();
                    if !is_older_self {
                        graph.entry(&image.directory).or_default().entry(&parent.directory).or_insert(reference);
                    }
                }
            }
        }
        let mut faults = Vec::new();
        while let Some(cycle) = take_cycle(&mut graph) {
            let name =
                |directory: &str| context.head.images.get(directory).map_or(directory, |image| &image.name).to_owned();
            let mut names: Vec<String> = cycle.iter().map(|(directory, _)| name(directory)).collect();
            let first = names[0].clone();
            names.push(first.clone());
            let message = format!("{first} is built from itself: {}", names.join(" ← "));
            let mut fault = Fault::new(message, cycle[0].1.place()).image(&first.as_str().into());
            for (directory, reference) in &cycle[1..] {
                fault =
                    fault.related(format!("{} names {} here", name(directory), reference.target), reference.place());
            }
            faults.push(fault.help("take one of these references away"));
        }
        Ok(faults)
    }
}

/// Finds one cycle, the first by name, and cuts it.
fn take_cycle<'a>(graph: &mut Graph<'a>) -> Option<Vec<(&'a str, &'a Reference)>> {
    // What has no parents left cannot lie on a cycle. When nothing more can go, every image left has a parent that is left.
    loop {
        let with_parents: BTreeSet<&str> = graph.keys().copied().collect();
        let before = (graph.len(), graph.values().map(BTreeMap::len).sum::<usize>());
        for parents in graph.values_mut() {
            parents.retain(|parent, _| with_parents.contains(parent));
        }
        graph.retain(|_, parents| !parents.is_empty());
        if before == (graph.len(), graph.values().map(BTreeMap::len).sum::<usize>()) {
            break;
        }
    }
    let mut walk: Vec<(&str, &Reference)> = Vec::new();
    let mut image = *graph.keys().next()?;
    let begin = loop {
        if let Some(begin) = walk.iter().position(|(seen, _)| *seen == image) {
            break begin;
        }
        let (parent, reference) = graph.get(image)?.iter().next()?;
        walk.push((image, reference));
        image = parent;
    };
    let mut cycle = walk.split_off(begin);
    let first = (0..cycle.len()).min_by_key(|&position| cycle[position].0)?;
    cycle.rotate_left(first);
    graph.remove(cycle[0].0);
    Some(cycle)
}
