//! What is drawn: images and edges, in plain words.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::graph::{self, Agreement, Graph};

/// Images of a tree, and the edges between them.
#[derive(Debug, Clone, Default)]
pub struct Drawing {
    /// The images, in the order of their directories.
    pub nodes: Vec<Node>,
    /// The edges between them, in the order of the children and then of the parents.
    pub edges: Vec<Edge>,
    /// Directories of images of which each is built on the next, and the last on the first.
    pub cycles: Vec<Vec<String>>,
}

/// An image.
#[derive(Debug, Clone, Serialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its directory, which no other image has.
    pub directory: String,
    /// The name under which it is published.
    pub published: String,
    /// Its version, where it has one that an image can be tagged with.
    pub version: Option<String>,
    /// How many images must be built one after the other before this one.
    pub level: usize,
    /// What the change does to it; nothing where none is looked at.
    pub touch: Option<Touch>,
    /// What it is called in the picture: its name, or its directory where several have one name.
    #[serde(skip)]
    pub label: String,
}

/// How a change touches an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Touch {
    /// The image itself changed, or may have.
    Changed,
    /// It is built on one that did.
    Follows,
}

/// An image that is built on another one, or takes files out of it.
#[derive(Debug, Clone, Serialize)]
pub struct Edge {
    /// The directory of the image that is named.
    pub parent: String,
    /// The directory of the image that names it.
    pub child: String,
    /// Whether the version that is named is the parent's.
    #[serde(serialize_with = "agreement")]
    pub agreement: Agreement,
    /// Whether files are taken out of the parent, and the child is put on another image.
    pub copy: bool,
    /// Whether several images have the name, and none of them the version: one of them is meant.
    pub ambiguous: bool,
    /// Where the parent is named.
    pub references: Vec<Reference>,
    /// The position of the parent among the nodes.
    #[serde(skip)]
    pub from: usize,
    /// The position of the child among the nodes.
    #[serde(skip)]
    pub to: usize,
}

/// A place that names a parent.
#[derive(Debug, Clone, Serialize)]
pub struct Reference {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The version that is named; none where the tag floats, or only the build knows it.
    pub names: Option<String>,
}

impl Drawing {
    /// The drawing of some images of a graph, by position, each with what a change does to it.
    pub fn new(graph: &Graph<'_>, some: &BTreeSet<usize>, touched: &BTreeMap<usize, Touch>) -> Self {
        let order = graph.order(some);
        let mut called: BTreeMap<&str, usize> = BTreeMap::new();
        for &image in some {
            *called.entry(&graph.images[image].name).or_default() += 1;
        }
        let mut drawing = Self::default();
        let mut positions: BTreeMap<usize, usize> = BTreeMap::new();
        for &position in some {
            let image = graph.images[position];
            let is_unique = called.get(&*image.name) == Some(&1);
            positions.insert(position, drawing.nodes.len());
            drawing.nodes.push(Node {
                name: image.name.to_string(),
                directory: image.directory.to_string(),
                published: image.published().to_owned(),
                version: image.version_identity().map(str::to_owned),
                level: order.levels.get(&position).copied().unwrap_or_default(),
                touch: touched.get(&position).copied(),
                label: if is_unique { image.name.to_string() } else { image.directory.to_string() },
            });
        }
        for edge in &graph.edges {
            if let (Some(&from), Some(&to)) = (positions.get(&edge.parent), positions.get(&edge.child)) {
                drawing.edges.push(Edge::new(graph, edge, from, to));
            }
        }
        for cycle in &order.cycles {
            let children = cycle.iter().map(|&edge| graph.images[graph.edges[edge].child]);
            drawing.cycles.push(children.map(|image| image.directory.to_string()).collect());
        }
        drawing
    }

    /// The versions that a stale edge names in vain, in words; empty for any other edge that names the parent's own.
    pub fn versions(&self, edge: &Edge) -> String {
        let own = self.nodes[edge.from].version.as_deref();
        let mut versions: BTreeSet<&str> = BTreeSet::new();
        for reference in &edge.references {
            versions.extend(reference.names.as_deref());
        }
        if edge.is_stale() && versions.len() > 1 {
            versions.retain(|version| Some(*version) != own);
        }
        versions.into_iter().collect::<Vec<_>>().join(", ")
    }
}

impl Edge {
    fn new(graph: &Graph<'_>, edge: &graph::Edge<'_>, from: usize, to: usize) -> Self {
        let mut references = Vec::new();
        for reference in &edge.references {
            references.push(Reference {
                path: reference.path.to_string(),
                line: reference.location().positions().0.line,
                names: reference.version.clone(),
            });
        }
        Self {
            parent: graph.images[edge.parent].directory.to_string(),
            child: graph.images[edge.child].directory.to_string(),
            agreement: edge.agreement,
            copy: edge.is_copy(),
            ambiguous: edge.is_ambiguous,
            references,
            from,
            to,
        }
    }

    /// Whether it cannot be told which version is named, or which image.
    pub fn is_unsure(&self) -> bool {
        self.agreement == Agreement::Unknown || self.ambiguous
    }

    /// Whether the child names another version than the parent has.
    pub fn is_stale(&self) -> bool {
        self.agreement == Agreement::Stale
    }
}

impl Node {
    /// Its version, in words.
    pub fn version(&self) -> &str {
        self.version.as_deref().unwrap_or("no version")
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn agreement<S: serde::Serializer>(agreement: &Agreement, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match agreement {
        Agreement::Current => "current",
        Agreement::Unknown => "unknown",
        Agreement::Stale => "stale",
    })
}
