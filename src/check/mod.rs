//! Kinds of checks. A rule is a kind with options and words; the kind is code, the rest is data in `rules/`.
//!
//! A kind gets the trees and their models and returns faults. It knows neither its rule's name nor its level.

mod base_cycle;
mod base_format;
mod base_platform;
mod build_inputs;
mod constant;
mod dependencies;
mod dockerfile;
mod duplicate_name;
mod job;
mod manifest;
mod misnamed_file;
mod new_image;
mod os_versions;
mod promoted;
mod rebase;
mod reference;
mod registries;
mod stage;
mod stage_base;
mod stage_library;
mod stage_link;
mod stage_path;
mod unchanged;
mod version_bump;
mod version_change;
mod version_format;

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;

use crate::edit::Fix;
use crate::finding::Fault;
use crate::inputs::Inputs;
use crate::model::content::ChangedContent;
use crate::model::{Build, Image, Model};
use crate::shape::{ManifestOrder, Shape};
use crate::snapshot::{Pair, Snapshot, StoreError};
use crate::text::file_name;
use crate::waiver::Hygiene;

/// What a check sees.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The shape of the repository.
    pub shape: &'a Shape,
    /// The files that are judged.
    pub files: &'a Snapshot<'a>,
    /// What they say.
    pub head: &'a Model,
    /// Files from outside.
    pub inputs: &'a Inputs,
    /// What they are compared with; `None` where the whole tree is judged.
    pub change: Option<&'a Change<'a>>,
    /// When the manifest follows, or why that cannot be told.
    pub order: &'a Result<ManifestOrder, StoreError>,
}

impl<'a> Context<'a> {
    /// When the manifest follows. Who needs that and cannot be told has failed.
    pub fn manifest_order(&self) -> Result<&'a ManifestOrder, StoreError> {
        self.order.as_ref().map_err(Clone::clone)
    }
}

/// What a run gives its checks to look at, beside the files that are judged.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// Files from outside.
    pub inputs: &'a Inputs,
    /// Whether there is something to compare with.
    pub has_base: bool,
    /// Whether the manifest follows in a later change, when an image is promoted.
    pub is_after_promotion: bool,
}

/// The other side of a change.
pub struct Change<'a> {
    /// All files.
    pub pair: &'a Pair<'a>,
    /// The images where the change left the base branch.
    pub base: &'a Model,
    /// The images of the base branch now.
    pub tip: &'a Model,
    /// What the change touches.
    pub content: &'a ChangedContent,
    /// The images that are judged.
    head: &'a Model,
    /// The change alone, where head is a merge of it and a rule asks which versions it took.
    merge: Option<&'a Merge>,
}

/// The images of a change as its author made it, before it was merged into the base branch: those that the merge touches.
pub struct Merge {
    /// Where its author left the base branch.
    pub fork: Model,
    /// What its author made of that.
    pub author: Model,
}

/// The versions that an author gave an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authored<'a> {
    /// The former one; `None` for a new image.
    pub old: Option<&'a str>,
    /// The one that the author chose.
    pub new: &'a str,
}

/// What a kind judges of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// It compares, and has nothing to say without a base.
    Change,
    /// It judges a tree. Of a change, only what base had not is reported.
    Tree,
    /// It judges a tree if there is no base, and compares if there is one.
    Both,
}

/// What a check lacks to see what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A base to compare with.
    Base,
    /// The file that this option names.
    Input(&'static str),
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Base => f.write_str("a base to compare with"),
            Self::Input(option) => write!(f, "the file that `{option}` names"),
        }
    }
}

/// The files that a kind reads beside what it compares.
#[derive(Clone, Copy)]
pub enum Reads<'a> {
    /// Those that say what the images are, as the pack describes them, and no others.
    ControlFiles,
    /// Beside them one, wherever it lies.
    File(&'a str),
    /// Beside them several, told by their paths.
    Files(&'a dyn Files),
}

/// Files that are told by their paths.
pub trait Files {
    /// Whether the file at this path is one of them.
    fn contain(&self, path: &str) -> bool;
}

impl Reads<'_> {
    /// Whether a file that is no control file of every pack is read.
    pub fn contain(self, path: &str) -> bool {
        match self {
            Self::ControlFiles => false,
            Self::File(file) => file == path,
            Self::Files(files) => files.contain(path),
        }
    }
}

/// A kind of check; its options are its fields.
pub trait Kind {
    /// The files that it reads. A change of other files alone is judged without it, so a kind that leaves one out is blind to it.
    fn reads(&self) -> Reads<'_>;

    /// Judges. An error means that it could not look.
    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError>;

    /// What it would have to read to be sure, and cannot. What it finds is reported all the same, but the run has failed.
    fn unread(&self, _: &Context<'_>) -> Vec<StoreError> {
        Vec::new()
    }

    /// What it lacks to see what it is about, beside a base to compare with. Without that it is silent, whatever is wrong.
    fn missing(&self, _: Sight<'_>) -> Option<Missing> {
        None
    }

    /// Compiles its patterns; the error says what is wrong with them.
    fn compile(&self) -> Result<(), String> {
        Ok(())
    }
}

/// What a rule judges, as `[check.<kind>]` says in its file.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Table")]
pub enum Body {
    /// The trees.
    Check(Check),
    /// The waivers, once they were applied.
    WaiverHygiene(Hygiene),
}

macro_rules! kinds {
    ($($(#[$meta:meta])* $variant:ident($module:ident::$kind:ident, $basis:ident),)*) => {
        /// A kind of check with its options.
        #[derive(Debug, Clone)]
        pub enum Check {
            $($(#[$meta])* $variant($module::$kind),)*
        }

        /// `[check.<kind>]` in a rule's file.
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Table {
            $($variant($module::$kind),)*
            Waiver(Hygiene),
        }

        impl From<Table> for Body {
            fn from(table: Table) -> Self {
                match table {
                    $(Table::$variant(kind) => Self::Check(Check::$variant(kind)),)*
                    Table::Waiver(hygiene) => Self::WaiverHygiene(hygiene),
                }
            }
        }

        impl Check {
            /// The kind, whichever it is.
            pub fn kind(&self) -> &dyn Kind {
                match self { $(Self::$variant(kind) => kind,)* }
            }

            /// What it judges of a change.
            pub fn basis(&self) -> Basis {
                match self { $(Self::$variant(_) => Basis::$basis,)* }
            }
        }
    };
}

kinds! {
    /// Images may not be each other's base.
    BaseCycle(base_cycle::BaseCycle, Tree),
    /// Lines of a base file must be what the build script understands.
    BaseFormat(base_format::BaseFormat, Tree),
    /// The two platforms on a line of a base file must be one.
    BasePlatform(base_platform::BasePlatform, Tree),
    /// What all images are built with has changed.
    BuildInputs(build_inputs::BuildInputs, Change),
    /// A literal in the sources must equal an image's version.
    Constant(constant::Constant, Tree),
    /// Entries of a list of dependencies must equal the versions that they are about.
    Dependencies(dependencies::Dependencies, Tree),
    /// Dockerfiles must be there, and readable.
    Dockerfile(dockerfile::Dockerfile, Tree),
    /// Images must have a name and version of their own.
    DuplicateName(duplicate_name::DuplicateName, Tree),
    /// A job must build every image.
    Job(job::Job, Both),
    /// Entries of the manifest must be current, or must be built.
    Manifest(manifest::Manifest, Both),
    /// No file may be named almost like one that the build looks for.
    MisnamedFile(misnamed_file::MisnamedFile, Tree),
    /// A new image deserves a second thought.
    NewImage(new_image::NewImage, Change),
    /// Versions of an operating system must be known to the build.
    OsVersions(os_versions::OsVersions, Tree),
    /// What is named must be promoted.
    Promoted(promoted::Promoted, Tree),
    /// References must follow the version of the image that they name.
    Rebase(rebase::Rebase, Both),
    /// References must name images that are there.
    Reference(reference::References, Tree),
    /// Lists of registries may hold known keys alone.
    Registries(registries::Registries, Tree),
    /// Stages for an operating system may not have an instruction.
    Stage(stage::Stage, Tree),
    /// Images should not be built on bases that are larger than they need.
    StageBase(stage_base::StageBase, Tree),
    /// Programs must bring the libraries that the base lacks.
    StageLibrary(stage_library::StageLibrary, Tree),
    /// Links must survive being copied into a Windows image.
    StageLink(stage_link::StageLink, Tree),
    /// Images that bring programs must set the search path.
    StagePath(stage_path::StagePath, Tree),
    /// What is pushed under a new tag must be something new.
    Unchanged(unchanged::Unchanged, Change),
    /// What changed must get a new version.
    VersionBump(version_bump::VersionBump, Change),
    /// A new version must be a free one, or a higher one.
    VersionChange(version_change::VersionChange, Change),
    /// A version file must hold one image tag.
    VersionFormat(version_format::VersionFormat, Tree),
}

impl<'a> Change<'a> {
    /// A change of `base` into `head`; `tip` is the base branch now, where that went on.
    pub fn new(
        pair: &'a Pair<'a>,
        base: &'a Model,
        tip: Option<&'a Model>,
        head: &'a Model,
        content: &'a ChangedContent,
    ) -> Self {
        Self { pair, base, tip: tip.unwrap_or(base), content, head, merge: None }
    }

    /// The same, as a merge of what an author made.
    #[must_use]
    pub fn merging(self, merge: Option<&'a Merge>) -> Self {
        Self { merge, ..self }
    }

    /// The image that stood in the same directory where the change left the base branch.
    pub fn base_of(&self, image: &Image) -> Option<&'a Image> {
        self.base.images.get(&image.directory).map(|image| &**image)
    }

    /// The image that one was before it moved: published under the same name, with the same version or from a directory that is no
    /// image any more. Of several the one is meant whose directory was called alike.
    pub fn moved_from(&self, image: &Image) -> Option<&'a Image> {
        if self.base.directories.contains(&image.directory) {
            return None;
        }
        let candidates = self.base.published(image.published());
        let mut gone = Vec::new();
        for before in candidates {
            if before.version().is_some() && before.version() == image.version() {
                return Some(before);
            }
            if !self.head.directories.contains(&before.directory) {
                gone.push(before);
            }
        }
        let alike = gone.iter().find(|before| file_name(&before.directory) == file_name(&image.directory));
        match (alike, &gone[..]) {
            (Some(before), _) | (None, [before]) => Some(*before),
            _ => None,
        }
    }

    /// An image as it was where the change left the base branch, wherever it stood.
    pub fn before(&self, image: &Image) -> Option<&'a Image> {
        self.base_of(image).or_else(|| self.moved_from(image))
    }

    /// The version of an image on the base branch now.
    pub fn tip_version(&self, image: &Image) -> Option<&'a str> {
        let here = self.tip.images.get(&image.directory);
        let here = here.or_else(|| self.tip.images.get(&self.moved_from(image)?.directory)).map(|image| &**image);
        // It may have moved there meanwhile.
        here.or_else(|| self.tip.published(image.published()).first().copied())?.version()
    }

    /// The versions of an image before and after, where the change gave it another one.
    pub fn new_version<'i>(&self, image: &'i Image) -> Option<(&'a str, &'i str)> {
        let (before, after) = (self.before(image)?.version()?, image.version()?);
        (before != after).then_some((before, after))
    }

    /// The version that an author chose for an image and that the base branch took meanwhile: of a merge, in which both look
    /// alike. What the image is built from differs all the same.
    pub fn taken_in_merge(&self, image: &'a Image) -> Option<Authored<'a>> {
        let merge = self.merge?;
        let version = image.version()?;
        let base = self.base_of(image)?.version()?;
        let author = merge.author.images.get(&image.directory)?.version()?;
        let old = merge.fork.images.get(&image.directory).and_then(|image| image.version());
        let is_taken = version == base && version == author && old != Some(version);
        let differs = self.content.get(&image.directory).is_some_and(|paths| !paths.is_empty());
        (is_taken && differs).then_some(Authored { old, new: version })
    }

    /// The version that the change gives to an image, new or not, under a name that did not have it: nothing can have built it yet.
    pub fn introduced_version<'i>(&self, image: &'i Image) -> Option<&'i str> {
        let is_known =
            |version: &&str| self.base.published(image.published()).iter().any(|it| it.version() == Some(version));
        image.version().filter(|version| !is_known(version))
    }

    /// The repair that gives an image the first version that is free: after both the merge base's and the tip's, and not promoted.
    /// Where the two cannot be ordered the tip's is followed, but that is a guess.
    pub fn bump(&self, shape: &Shape, inputs: &Inputs, image: &Image) -> Option<(String, Fix)> {
        use crate::parse::version::order;
        let base = self.before(image).and_then(Image::version);
        let tip = self.tip_version(image).or(base)?;
        let base = base.unwrap_or(tip);
        let order = order(base, tip);
        let mut next = following(shape, image, if order == Some(Ordering::Greater) { base } else { tip });
        while inputs.is_promoted(image.published(), &shape.tag_of(&next)) {
            next = following(shape, image, &next);
        }
        let edits = vec![image.version_edit(&next)?];
        let title = format!("set {} of {} to {next}", image.version_name, image.name);
        let fix = if order.is_none() { Fix::risky(title, edits) } else { Fix::safe(title, edits) };
        Some((next, fix))
    }
}

/// The Dockerfiles of which something could not be read, before the change no more than now, and which the change concerns: it touches
/// them, or bumps an image that they may be built on. What is as unreadable as ever is no finding of the change, but what was to be
/// found there is not either.
fn unread_dockerfiles(context: &Context<'_>) -> Vec<StoreError> {
    let Some(change) = context.change else { return Vec::new() };
    let mut unread = Vec::new();
    let mut bumped = None;
    for image in context.head.images.values() {
        for build in image.builds.iter().filter(|build| build.problem().is_some()) {
            let before = change.base_of(image).map(|base| &base.builds[..]).unwrap_or_default();
            let is_old = before.iter().any(|old| old.path == build.path && old.problem().is_some());
            let touched = change.content.get(&image.directory).is_some_and(|paths| paths.contains(&build.path));
            if is_old
                && (touched
                    || may_be_built_on(image, build, bumped.get_or_insert_with(|| bumped_images(context, change))))
                && let Some(problem) = build.problem()
            {
                let help = "mend it: until then nobody can tell whether it follows the policy".to_owned();
                unread.push(StoreError { path: build.path.to_string(), reason: problem.to_owned(), help: Some(help) });
            }
        }
    }
    unread.dedup_by(|one, other| one.path == other.path);
    unread
}

/// The images that the change gives another version.
fn bumped_images<'a>(context: &Context<'a>, change: &Change<'_>) -> Vec<&'a Image> {
    let images = context.head.images.values().map(|image| &**image);
    images.filter(|image| change.new_version(image).is_some()).collect()
}

/// Whether a build of which not all could be read may be put on one of these images: as far as it could be read it names one, or its
/// text does, or it has no text.
fn may_be_built_on(image: &Image, build: &Build, parents: &[&Image]) -> bool {
    parents.iter().filter(|parent| parent.directory != image.directory).any(|parent| {
        let names = [parent.published(), &parent.name];
        image.references.iter().any(|reference| names.contains(&reference.target.as_str()))
            || build.text().is_none_or(|text| names.iter().any(|name| text.as_str().contains(name)))
    })
}

/// The faults without those that say of a file again what was said of it.
fn once(mut faults: Vec<Fault>) -> Vec<Fault> {
    let mut seen = HashSet::new();
    faults.retain(|fault| seen.insert((Arc::clone(&fault.place.path), fault.message.clone())));
    faults
}

/// The version that comes after one of an image.
pub fn following(shape: &Shape, image: &Image, version: &str) -> String {
    use crate::parse::version;
    if shape.counts_revisions(&image.name) { version::next_revision(version) } else { version::next(version) }
}
