//! Mermaid, which GitHub and GitLab draw in Markdown.

use std::fmt::Write as _;

use super::drawing::Drawing;
use super::drawing::Touch;
use crate::text::escape;

/// What Mermaid draws at most unless it is told otherwise: edges, and characters of text.
const MAX_EDGES: usize = 500;
const MAX_CHARACTERS: usize = 50_000;

/// What Mermaid reads as a formula, an icon, the end of a line or a code of its own in a label whose codes are characters again: where
/// it must be torn apart.
const MEANT_BEHIND_CODES: &[(&str, &str)] = &[("$", "$"), (":", "fa-"), ("\\", "n"), ("ﬂ", "°"), ("¶", "ß")];

/// The code of a character that takes no place.
const NOTHING: &str = "#8203;";

/// Renders the graph; an arrow leads from an image to what is built on it.
pub fn render(drawing: &Drawing) -> String {
    let mut text = "flowchart LR\n".to_owned();
    let (mut changed, mut follows, mut stale) = (Vec::new(), Vec::new(), Vec::new());
    for (position, node) in drawing.nodes.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  n{position}[\"{}<br/>{}\"]", label(&node.label), label(node.version()));
        match node.touch {
            Some(Touch::Changed) => changed.push(format!("n{position}")),
            Some(Touch::Follows) => follows.push(format!("n{position}")),
            None => {}
        }
    }
    for (position, edge) in drawing.edges.iter().enumerate() {
        let arrow = if edge.copy || edge.is_unsure() { "-.->" } else { "-->" };
        let mut versions = String::new();
        if edge.is_stale() {
            versions = format!("|\"{}\"|", label(&drawing.versions(edge)));
            stale.push(position.to_string());
        }
        let _ = writeln!(text, "  n{} {arrow}{versions} n{}", edge.from, edge.to);
    }
    if !stale.is_empty() {
        let _ = writeln!(text, "  linkStyle {} stroke:#c62828,stroke-width:2px,color:#c62828", stale.join(","));
    }
    for (class, colour, nodes) in [("changed", "#ffd58a", changed), ("follows", "#fff0cc", follows)] {
        if !nodes.is_empty() {
            let _ = writeln!(text, "  classDef {class} fill:{colour},stroke:#8a5a00,color:#000");
            let _ = writeln!(text, "  class {} {class}", nodes.join(","));
        }
    }
    text
}

/// Whether what was rendered is more than Mermaid draws.
pub fn is_too_large(drawing: &Drawing, text: &str) -> bool {
    drawing.edges.len() > MAX_EDGES || text.chars().count() > MAX_CHARACTERS
}

/// Text within the quotes of a label: whatever could mean something there is a code.
fn label(text: &str) -> String {
    let mut label = String::new();
    let text = escape(text);
    for (position, character) in text.char_indices() {
        let (before, rest) = text.split_at(position);
        if MEANT_BEHIND_CODES.iter().any(|(begin, end)| before.ends_with(begin) && rest.starts_with(end)) {
            label.push_str(NOTHING);
        }
        if character.is_alphanumeric() || " -_./:+@,()".contains(character) {
            label.push(character);
        } else {
            let _ = write!(label, "#{};", u32::from(character)); // a string takes everything
        }
    }
    label
}
