//! What is still to be done for a change, as reports show it.

use serde::Serialize;

/// What stands where the digest of an image belongs, which only the registry knows.
pub const DIGEST: &str = "<digest>";
/// What stands where one's own registry belongs.
pub const REGISTRY: &str = "<your-registry>";

/// What is to be done for a change.
#[derive(Debug, Serialize)]
pub struct Checklist {
    /// What the change does to which image.
    pub images: Vec<ChangedImage>,
    /// What prepares the machine that builds.
    pub prerequisites: Vec<String>,
    /// The commands that build them, parents first: each list may run once those before it are done.
    pub build: Vec<Vec<String>>,
    /// The commands that push some of them elsewhere, too.
    pub also: Vec<AlsoBuilt>,
    /// The jobs that will run once the change is merged.
    pub jobs: Vec<String>,
    /// What is to be promoted.
    pub promotions: Vec<Promotion>,
    /// Whether `moves` belong to a later change, when the images are promoted.
    pub after_promotion: bool,
    /// What repeats a version and has to follow.
    pub moves: Vec<Move>,
    /// The images that change with that, and need a new version each.
    pub children: Vec<MovedChild>,
    /// How to try the images out from one's own registry.
    pub trial: Option<Trial>,
    /// What else has to be known, and what could not be told.
    pub notes: Vec<String>,
}

/// An image that the change touches.
#[derive(Debug, Serialize)]
pub struct ChangedImage {
    /// Its name.
    pub name: String,
    /// Whether it was not there before.
    pub new: bool,
    /// The version before; `None` where there was none.
    pub before: Option<String>,
    /// The version now.
    pub version: Option<String>,
    /// Whether it needs none.
    pub unversioned: bool,
}

/// What promotes a tag.
#[derive(Debug, Serialize)]
pub struct Promotion {
    /// The image's name.
    pub image: String,
    /// The command that tells its digest.
    pub digest: Option<String>,
    /// What is to be added to the list of what is promoted.
    pub text: String,
}

/// A command that pushes an image to one more place.
#[derive(Debug, Serialize)]
pub struct AlsoBuilt {
    /// The command, as a shell takes it.
    pub build: String,
    /// Why it is pushed there, too, in the pack's words.
    pub reason: String,
}

/// An image that changes when a version moves that it names.
#[derive(Debug, Serialize)]
pub struct MovedChild {
    /// Its name.
    pub name: String,
    /// Whether it has to follow the manifest, and cannot go ahead.
    pub tied: bool,
}

/// Lines of a file that have to name another version.
#[derive(Debug, Serialize)]
pub struct Move {
    /// The file, by its path in the tree.
    pub path: String,
    /// The first line, from 1.
    pub line: usize,
    /// All lines, in order.
    pub lines: Vec<usize>,
    /// What stands there.
    pub what: String,
    /// The version that it names.
    pub from: String,
    /// The version that it will have to name.
    pub to: String,
    /// Whether it follows the manifest, and cannot go ahead of it.
    pub tied: bool,
}

/// How to try images out from one's own registry.
#[derive(Debug, Serialize)]
pub struct Trial {
    /// The commands that push them there.
    pub build: Vec<Vec<String>>,
    /// The name of the file that has tests take them from there.
    pub file: Option<String>,
    /// What has to stand in that file.
    pub text: String,
    /// The commands that run tests.
    pub steps: Vec<String>,
}
