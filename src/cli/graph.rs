//! `imglint graph`: who is built on whom, as a picture.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::args::{Graph as Options, GraphFormat};
use super::exit::{CLEAN, Error};
use super::frame::{Compared, Frame};
use super::paths::image_names;
use super::refuse::{refuse_no_images, refuse_no_versions};
use super::terminal::{print, say};
use crate::affected::{Reason, UnknownBase, affected, unknown_bases};
use crate::environment::Environment;
use crate::model::Model;
use crate::model::graph::Graph;
use crate::report::graph::{Drawing, Edge, Node, Touch, dot, mermaid, svg};
use crate::report::json::{Base, Head, to_string};
use crate::shape::Shape;
use crate::snapshot::Pair;
use crate::text::counted;

#[derive(Serialize)]
struct Root<'a> {
    version: u32,
    base: Option<Base<'a>>,
    head: Head<'a>,
    images: &'a [Node],
    edges: &'a [Edge],
    removed: &'a [String],
    untold: Vec<ShownUnknownBase<'a>>,
    cycles: &'a [Vec<String>],
}

#[derive(Serialize)]
struct ShownUnknownBase<'a> {
    directory: &'a str,
    path: &'a str,
    line: usize,
    reason: &'a str,
}

/// What a change does to the images of a tree.
#[derive(Default)]
struct Touched {
    /// By position in the graph.
    images: BTreeMap<usize, Touch>,
    /// The directories that held an image before and hold none now.
    removed: Vec<String>,
}

pub(super) fn run(options: &Options, environment: &Environment) -> Result<u8, Error> {
    let compared = Compared::if_named(options.base.as_deref());
    let frame = Frame::begin(&options.common.policy, &options.target, &compared, false, environment)?;
    if options.base.is_some() {
        frame.announce(&options.common.output)?;
    } else {
        frame.announce_pack(&options.common.output, false)?;
    }
    let shape = &frame.pack.shape;
    let pair = frame.pair()?;
    refuse_no_images(&frame.pack, &pair)?;
    let trees: Vec<_> = [Some(&pair.head), pair.base.as_ref()].into_iter().flatten().collect();
    refuse_no_versions(&frame.pack, &trees)?;
    let model = Model::build(&pair.head, shape, None, None)?;
    let graph = Graph::new(&model);
    let names = image_names(&options.images, &frame.repository);
    let asked = asked_for(&names, &model, &graph)?;
    let touched = if options.base.is_some() { touched(shape, &pair, &graph)? } else { Touched::default() };
    let drawing = Drawing::new(&graph, &asked, &touched.images);
    // Whatever is built on something that cannot be told may be tied to any image: it is said whichever are asked for.
    let untold = unknown_bases(&graph, &BTreeSet::new(), &model, shape);
    if !options.common.output.quiet {
        tell(&drawing, &untold, &touched.removed);
    }
    match options.format {
        GraphFormat::Dot => print(&dot::render(&drawing))?,
        GraphFormat::Svg => print(&svg::render(&drawing))?,
        GraphFormat::Mermaid => {
            let text = mermaid::render(&drawing);
            if mermaid::is_too_large(&drawing, &text) && !options.common.output.quiet {
                say("note: this is more than Mermaid draws unless it is told to; try `--image`, or `--format svg`");
            }
            print(&text)?;
        }
        GraphFormat::Json => {
            let (base, head) = (frame.base_tree(), frame.head_tree()?);
            let root = Root {
                version: 1,
                base: options.base.as_ref().map(|_| Base::from(&base)),
                head: (&head).into(),
                images: &drawing.nodes,
                edges: &drawing.edges,
                removed: &touched.removed,
                untold: untold.iter().map(shown).collect(),
                cycles: &drawing.cycles,
            };
            print(&to_string(&root))?;
        }
    }
    Ok(CLEAN)
}

/// The images of these names, with all that they are built on and all that is built on them; every image where none is named.
fn asked_for(names: &[String], model: &Model, graph: &Graph<'_>) -> Result<BTreeSet<usize>, Error> {
    if names.is_empty() {
        return Ok((0..graph.images.len()).collect());
    }
    let mut directories: BTreeSet<&str> = BTreeSet::new();
    for name in names {
        directories.extend(model.meant(name)?.into_iter().map(|image| &*image.directory));
    }
    let mut meant = BTreeSet::new();
    for (position, image) in graph.images.iter().enumerate() {
        if directories.contains(&*image.directory) {
            meant.insert(position);
        }
    }
    let mut asked = graph.ancestors(meant.iter().copied());
    asked.extend(graph.descendants(meant));
    Ok(asked)
}

/// What a change does to each image of a graph.
fn touched(shape: &Shape, pair: &Pair<'_>, graph: &Graph<'_>) -> Result<Touched, Error> {
    let affected = affected(shape, pair)?;
    let mut of_directory: BTreeMap<&str, Touch> = BTreeMap::new();
    for image in &affected.images {
        let only_follows = image.reasons.iter().all(|reason| matches!(reason, Reason::Base { .. }));
        of_directory.insert(&image.image.directory, if only_follows { Touch::Follows } else { Touch::Changed });
    }
    let mut touched = Touched::default();
    for (position, image) in graph.images.iter().enumerate() {
        if let Some(touch) = of_directory.get(&*image.directory) {
            touched.images.insert(position, *touch);
        }
    }
    touched.removed = affected.removed.iter().map(ToString::to_string).collect();
    Ok(touched)
}

/// Says what the picture does not show, and its sums.
fn tell(drawing: &Drawing, untold: &[UnknownBase], removed: &[String]) {
    for words in untold.iter().map(said) {
        say(&format!("note: {words}"));
    }
    for directory in removed {
        say(&format!("note: {directory} held an image, and holds none now"));
    }
    for words in cycles(drawing) {
        say(&format!("note: {words}"));
    }
    let stale = drawing.edges.iter().filter(|edge| edge.is_stale()).count();
    let (images, edges) = (counted(drawing.nodes.len(), "image"), counted(drawing.edges.len(), "edge"));
    say(&format!("{images}, {edges}, {stale} stale"));
}

/// What a picture of all images does not show.
pub(super) fn untold_of(graph: &Graph<'_>, model: &Model, shape: &Shape, drawing: &Drawing) -> Vec<String> {
    let untold = unknown_bases(graph, &BTreeSet::new(), model, shape);
    untold.iter().map(said).chain(cycles(drawing)).collect()
}

fn said(base: &UnknownBase) -> String {
    let ShownUnknownBase { directory, path, line, reason } = shown(base);
    format!("{directory} may be built on an image of this tree, too: {path}:{line}: {reason}")
}

fn cycles(drawing: &Drawing) -> Vec<String> {
    let mut said = Vec::new();
    for cycle in &drawing.cycles {
        let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(|name| &**name).collect();
        said.push(format!("no order is right for what is built from itself: {}", names.join(" ← ")));
    }
    said
}

fn shown(base: &UnknownBase) -> ShownUnknownBase<'_> {
    ShownUnknownBase {
        directory: &base.image.directory,
        path: &base.location.path,
        line: base.location.positions().0.line,
        reason: &base.reason,
    }
}
