//! Graphviz: `dot -Tsvg`, `xdot`.

use std::fmt::Write as _;

use super::drawing::Drawing;
use super::drawing::Touch;
use crate::text::escape;

/// Renders the graph; an arrow leads from an image to what is built on it.
pub fn render(drawing: &Drawing) -> String {
    let mut text = "digraph images {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fillcolor=white, \
                    fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n"
        .to_owned();
    for node in &drawing.nodes {
        let colour = match node.touch {
            Some(Touch::Changed) => ", fillcolor=\"#ffd58a\"",
            Some(Touch::Follows) => ", fillcolor=\"#fff0cc\"",
            None => "",
        };
        let label = format!("{}\\n{}", label(&node.label), label(node.version()));
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {} [label=\"{label}\"{colour}];", id(&node.directory));
    }
    for edge in &drawing.edges {
        let mut attributes = Vec::new();
        let versions = drawing.versions(edge);
        if edge.is_stale() {
            attributes
                .push(format!("label=\"{}\", color=\"#c62828\", fontcolor=\"#c62828\", penwidth=2", label(&versions)));
        }
        if edge.is_unsure() {
            attributes.push("style=dotted".to_owned());
        } else if edge.copy {
            attributes.push("style=dashed".to_owned());
        }
        let attributes = if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
        let _ = writeln!(text, "  {} -> {}{attributes};", id(&edge.parent), id(&edge.child));
    }
    text.push_str("}\n");
    text
}

/// A directory as the name of a node.
fn id(directory: &str) -> String {
    format!("\"{}\"", escape(directory).replace('\\', "\\\\").replace('"', "\\\""))
}

/// Text within the quotes of a label, where Graphviz reads entities of HTML, too.
fn label(text: &str) -> String {
    escape(text).replace('&', "&amp;").replace('\\', "\\\\").replace('"', "\\\"")
}
