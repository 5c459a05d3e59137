//! The page of a replay: one file that needs nothing else, without a network, and readable without a script.
//!
//! `page.html`, `style.css` and `script.js` are what they say, so that they can be edited as that. All that stands in the page is
//! in its tables; the script only narrows them. The page allows itself this one style and this one script, by their sums.

mod html;
mod timeline;
mod matrix;
mod findings;
mod unjudged;
mod page;

pub use page::{MARK, Picture, SCRIPT, SCRIPT_SUM, STYLE, STYLE_SUM, render};
