//! `base-cycle`: no image can be built if it is built from itself.
//!
//! Rules: `cyclic-base`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Concern, Context, Kind, Needs};
use crate::finding::Diagnostic;
use crate::model::graph::{Edge, Graph};
use crate::snapshot::StoreError;

/// The kind has no options.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaseCycle {}

impl Kind for BaseCycle {
    fn needs(&self) -> Needs<'_> {
        Needs::of_dockerfiles(Concern::Itself)
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let graph = Graph::new(context.model);
        let all: BTreeSet<usize> = (0..graph.images.len()).collect();
        let mut diagnostics = Vec::new();
        for cycle in graph.order(&all).cycles {
            let edges: Vec<&Edge<'_>> = cycle.iter().map(|&edge| &graph.edges[edge]).collect();
            let Some((first, others)) = edges.split_first() else { continue };
            let image = &graph.images[first.child].name;
            let mut names: Vec<&str> = edges.iter().map(|edge| &*graph.images[edge.child].name).collect();
            names.push(image);
            let way = names.join(" ← ");
            let message = format!("{image} is built from itself: {way}");
            let mut diagnostic = Diagnostic::about(way, message, first.references[0].location()).image(image);
            for edge in others {
                let reference = edge.references[0];
                let words = format!("{} names {} here", graph.images[edge.child].name, reference.target);
                diagnostic = diagnostic.related(words, reference.location());
            }
            diagnostics.push(diagnostic.help("take one of these references away"));
        }
        Ok(diagnostics)
    }
}
