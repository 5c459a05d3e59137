//! Where each image stands, and what is still to be done for a change, as the pack's `[workflow]` says.

mod row;
mod checklist;
mod moves;
mod work;

pub use checklist::{AlsoBuilt, ChangedImage, Checklist, DIGEST, Move, MovedChild, Promotion, REGISTRY, Trial};
pub use row::{Child, Drift, EntryOfImage, Question, Row};
pub use work::Work;
