//! SVG, laid out here: nothing else is needed to look at it.

use std::fmt::Write as _;

use super::drawing::Drawing;
use super::drawing::Edge;
use super::drawing::Node;
use super::drawing::Touch;
use super::layout::Layout;
use super::layout::Point;
use super::layout::Size;
use super::layout::lay_out;
use crate::text::escape;

const MARGIN: f64 = 20.0;
const LINE: f64 = 16.0;
/// The width of a character of a monospaced font of 12 pixels, with room to spare.
const CHARACTER: f64 = 7.4;
/// How wide the images are laid that no edge leads to or from, unless the others take more.
const WIDTH: f64 = 1000.0;
const GAP: f64 = 14.0;

const STYLE: &str = "\
svg{background:#fff;font:12px monospace}text{fill:#1a1a1a}.v{fill:#555}.s{fill:#c62828}\
rect{fill:#f4f6f8;stroke:#8894a0}rect.changed{fill:#ffd58a;stroke:#8a5a00;stroke-width:2}\
rect.follows{fill:#fff0cc;stroke:#8a5a00}path{fill:none;stroke:#8894a0;stroke-width:1.2}\
path.copy{stroke-dasharray:6 3}path.unknown{stroke-dasharray:2 3}path.stale{stroke:#c62828;stroke-width:2}\
.arrow path{fill:#8894a0;stroke:none}.arrow.stale path{fill:#c62828}\
@media(prefers-color-scheme:dark){svg{background:#14181c}text{fill:#e8e8e8}.v{fill:#a8b0b8}.s{fill:#ff8a80}\
rect{fill:#222a32;stroke:#66727e}rect.changed{fill:#6b4700;stroke:#ffc45c}rect.follows{fill:#3d3013;stroke:#ffc45c}\
path{stroke:#66727e}path.stale{stroke:#ff8a80}.arrow path{fill:#66727e}.arrow.stale path{fill:#ff8a80}}";

/// A box with its lines of text.
struct Drawn<'d> {
    node: &'d Node,
    corner: Point,
    lines: Vec<(&'static str, String)>,
    width: f64,
    height: f64,
}

/// Renders the graph as a picture of its own; an arrow leads from an image to what is built on it.
pub fn render(drawing: &Drawing) -> String {
    draw(drawing, &format!("<style>{STYLE}</style>"))
}

/// Renders the graph as a part of a page, whose style it takes: that of `svg.images`.
pub fn embed(drawing: &Drawing) -> String {
    draw(drawing, "")
}

fn draw(drawing: &Drawing, style: &str) -> String {
    let mut boxes: Vec<Drawn<'_>> = drawing.nodes.iter().map(Drawn::new).collect();
    for edge in drawing.edges.iter().filter(|edge| edge.is_stale()) {
        let parent = &drawing.nodes[edge.from];
        let names = if edge.ambiguous { "may name" } else { "names" };
        let words = format!("{names} {} {}, which is {}", parent.label, drawing.versions(edge), parent.version());
        boxes[edge.to].add("s", &words);
    }
    let layout = place(drawing, &mut boxes);
    let legend = legend(drawing);
    let mut width = legend.iter().map(|(_, _, words)| 60.0 + width_of(words)).fold(0.0, f64::max);
    let mut height: f64 = 0.0;
    for one in &boxes {
        width = width.max(one.corner.x + one.width);
        height = height.max(one.corner.y + one.height);
    }
    let mut text = String::new();
    let all_high = height + GAP + LINE * f64::from(u32::try_from(legend.len()).unwrap_or_default()) + MARGIN;
    let (all_wide, all_high) = (width + MARGIN, all_high);
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"images\" width=\"{all_wide:.0}\" height=\"{all_high:.0}\" viewBox=\"0 0 \
         {all_wide:.0} {all_high:.0}\" role=\"img\">\n<title>Which images are built on which</title>\n{style}"
    );
    for (id, class) in [("arrow", "arrow"), ("stale-arrow", "arrow stale")] {
        let _ = writeln!(
            text,
            "<marker id=\"{id}\" class=\"{class}\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" \
             markerUnits=\"userSpaceOnUse\" markerWidth=\"9\" \
             markerHeight=\"9\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker>"
        );
    }
    for (edge, path) in drawing.edges.iter().zip(&layout.paths) {
        draw_edge(&mut text, drawing, edge, path);
    }
    for one in &boxes {
        draw_box(&mut text, one);
    }
    let mut y = height + GAP + LINE;
    for (tag, class, words) in legend {
        let (left, middle) = (MARGIN, y - 4.0);
        let _ = match tag {
            "rect" => {
                writeln!(text, "<rect class=\"{class}\" x=\"{left}\" y=\"{:.0}\" width=\"30\" height=\"10\"/>", y - 9.0)
            }
            _ => writeln!(text, "<path class=\"{class}\" d=\"M{left} {middle:.0}h30\"/>"),
        };
        let _ = writeln!(text, "<text x=\"{:.0}\" y=\"{y:.0}\">{words}</text>", left + 40.0);
        y += LINE;
    }
    text.push_str("</svg>\n");
    text
}

impl<'d> Drawn<'d> {
    fn new(node: &'d Node) -> Self {
        let mut drawn = Self { node, corner: Point::default(), lines: Vec::new(), width: 0.0, height: 8.0 };
        drawn.add("n", &node.label);
        drawn.add("v", node.version());
        drawn
    }

    /// Adds a line of a class.
    fn add(&mut self, class: &'static str, line: &str) {
        let line = escape(line).into_owned();
        self.width = self.width.max(width_of(&line) + 20.0);
        self.height += LINE;
        self.lines.push((class, line));
    }
}

/// Places all boxes: those of edges in columns, and below them the others, in rows.
fn place(drawing: &Drawing, boxes: &mut [Drawn<'_>]) -> Layout {
    let mut tied = vec![None; boxes.len()];
    let mut sizes = Vec::new();
    let mut edges = Vec::new();
    for edge in &drawing.edges {
        for end in [edge.from, edge.to] {
            if tied[end].is_none() {
                tied[end] = Some(0);
            }
        }
    }
    for (one, place) in boxes.iter().zip(&mut tied) {
        if place.is_some() {
            *place = Some(sizes.len());
            sizes.push(Size { width: one.width, height: one.height, level: one.node.level });
        }
    }
    for edge in &drawing.edges {
        if let (Some(from), Some(to)) = (tied[edge.from], tied[edge.to]) {
            edges.push((from, to));
        }
    }
    let mut layout = lay_out(&sizes, &edges);
    for point in layout.paths.iter_mut().flatten() {
        point.x += MARGIN;
        point.y += MARGIN;
    }
    let right = layout.width.max(WIDTH) + MARGIN;
    let top = if sizes.is_empty() { MARGIN } else { layout.height + MARGIN + 2.0 * GAP };
    let mut next = Point { x: MARGIN, y: top };
    for (one, place) in boxes.iter_mut().zip(&tied) {
        if let Some(place) = place {
            let corner = layout.corners[*place];
            one.corner = Point { x: corner.x + MARGIN, y: corner.y + MARGIN };
            continue;
        }
        if next.x > MARGIN && next.x + one.width > right {
            next = Point { x: MARGIN, y: next.y + one.height + GAP };
        }
        one.corner = next;
        next.x += one.width + GAP;
    }
    layout
}

fn draw_edge(text: &mut String, drawing: &Drawing, edge: &Edge, path: &[Point]) {
    let Some((first, rest)) = path.split_first() else { return };
    let mut line = format!("M{:.0} {:.0}", first.x, first.y);
    let mut last = *first;
    for (position, point) in rest.iter().enumerate() {
        if position % 2 == 1 {
            // An edge that closes a cycle leads back in a wide bow.
            let (bend, rise) = if point.x > last.x { ((point.x - last.x) / 2.0, 0.0) } else { (60.0, 70.0) };
            let _ = write!(
                line,
                "C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}",
                last.x + bend,
                last.y + rise,
                point.x - bend,
                point.y + rise,
                point.x,
                point.y
            );
        } else {
            let _ = write!(line, "L{:.0} {:.0}", point.x, point.y);
        }
        last = *point;
    }
    let mut class = Vec::new();
    class.extend(edge.copy.then_some("copy"));
    class.extend(edge.is_unsure().then_some("unknown"));
    class.extend(edge.is_stale().then_some("stale"));
    let marker = if edge.is_stale() { "stale-arrow" } else { "arrow" };
    let _ = write!(text, "<path class=\"{}\" d=\"{line}\" marker-end=\"url(#{marker})\">", class.join(" "));
    let (parent, child) = (&drawing.nodes[edge.from].label, &drawing.nodes[edge.to].label);
    let versions = drawing.versions(edge);
    let words = match (edge.copy, edge.ambiguous) {
        (true, true) => "may take files from",
        (true, false) => "takes files from",
        (false, true) => "may be built on",
        (false, false) => "is built on",
    };
    let _ = writeln!(text, "<title>{}</title></path>", xml(format!("{child} {words} {parent} {versions}").trim_end()));
}

fn draw_box(text: &mut String, one: &Drawn<'_>) {
    let Point { x, y } = one.corner;
    let (class, touch) = match one.node.touch {
        Some(Touch::Changed) => ("changed", ": changed"),
        Some(Touch::Follows) => ("follows", ": built on what changed"),
        None => ("", ""),
    };
    let title = xml(&format!("{}{touch}", one.node.directory));
    let (width, height) = (one.width, one.height);
    let _ = writeln!(
        text,
        "<g><title>{title}</title><rect class=\"{class}\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"4\"/>"
    );
    let mut line_y = y;
    for (class, line) in &one.lines {
        line_y += LINE;
        let _ = writeln!(text, "<text class=\"{class}\" x=\"{:.0}\" y=\"{line_y:.0}\">{}</text>", x + 10.0, xml(line));
    }
    text.push_str("</g>\n");
}

/// What of the picture must be told: a tag, its class, and what it means.
fn legend(drawing: &Drawing) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut legend = Vec::new();
    if drawing.nodes.iter().any(|node| node.touch == Some(Touch::Changed)) {
        legend.push(("rect", "changed", "the change touches it"));
    }
    if drawing.nodes.iter().any(|node| node.touch == Some(Touch::Follows)) {
        legend.push(("rect", "follows", "built on what the change touches"));
    }
    if drawing.edges.iter().any(Edge::is_stale) {
        legend.push(("path", "stale", "names another version than there is"));
    }
    if drawing.edges.iter().any(|edge| edge.copy) {
        legend.push(("path", "copy", "takes files out of it"));
    }
    if drawing.edges.iter().any(Edge::is_unsure) {
        legend.push(("path", "unknown", "the version, or which of several images is meant, cannot be told"));
    }
    legend
}

fn width_of(text: &str) -> f64 {
    f64::from(u32::try_from(textwrap::core::display_width(text)).unwrap_or(u32::MAX)) * CHARACTER
}

/// Text between tags.
fn xml(text: &str) -> String {
    escape(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
