//! Who is built on whom, as a picture: one file a form, each a pure function of the drawing.

mod drawing;
pub mod layout;
pub mod dot;
pub mod mermaid;
pub mod svg;

pub use drawing::{Drawing, Edge, Node, Touch};
