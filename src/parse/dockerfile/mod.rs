//! Dockerfiles as buildkit reads them: arguments, stages and instructions, with the place of every word.
//!
//! `Lines` joins lines that are continued; [`Syntax`] is what stands in the file, instruction by instruction, as it is written;
//! [`Dockerfile`] is what a build for one platform makes of it, stage by stage, with its variables expanded. buildkit's own sources are
//! the measure, with all that is odd in them: what a gate reads in another way than the build can be used to get past it.

mod traced;
mod shell;
mod lines;
mod instruction;
mod scope;
mod stage;
mod context;

pub use context::{ContextSource, context_path};
pub use instruction::Keyword;
pub use lines::{Prefix, Prefixed};
pub use scope::{Given, Surroundings};
pub use stage::{Assignment, Copy, Dockerfile, DockerfileError, Instruction, Mount, Stage, Syntax, Word};
pub use traced::Traced;
