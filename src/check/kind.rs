//! What a kind of check is: what it sees, what it reads, and what it may lack.

use std::collections::HashSet;
use std::sync::Arc;

use super::change::Change;
use super::touched::Touched;
use crate::finding::{Diagnostic, Fingerprint, RuleId};
use crate::inputs::Inputs;
use crate::model::{Build, Image, Model};
use crate::parse::capture::Pattern;
use crate::parse::glob::PathPattern;
use crate::shape::{ManifestOrder, Shape};
use crate::snapshot::{Branch, Scope, Snapshot, StoreError};

/// A kind of check; its options are its fields.
pub trait Kind {
    /// What it must see.
    fn needs(&self) -> Needs<'_>;

    /// Judges. An error means that it could not look.
    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError>;

    /// Whether a change may bring it to find something in the tree that it had not found before.
    fn is_concerned(&self, touched: &Touched<'_>) -> bool {
        self.needs().files.are_touched(touched)
    }

    /// What it would have to read to be sure, and cannot. What it finds is reported all the same, but the run has failed.
    fn unread(&self, context: &Context<'_>) -> Vec<StoreError> {
        self.needs().dockerfiles.map_or_else(Vec::new, |concern| unread_dockerfiles(context, concern))
    }

    /// What the change ends of what may have been wrong before it, for those kinds that do not judge what was there before. It may
    /// name more: nobody waits for what was never found.
    fn ended(&self, _context: &Context<'_>, _rule: &RuleId) -> Result<Vec<Fingerprint>, StoreError> {
        Ok(Vec::new())
    }

    /// What it lacks to see what it is about, beside a base to compare with. Without that it is silent, whatever is wrong.
    fn missing(&self, sight: Sight<'_>) -> Option<Missing> {
        let Inputs { promoted, jobs, history, .. } = sight.inputs;
        match self.needs().outside {
            Outside::Promoted if promoted.is_none() => Some(Missing::Input("--promoted")),
            Outside::Jobs if jobs.is_none() => Some(Missing::Input("--jobs")),
            Outside::History if history.is_none() => Some(Missing::History),
            _ => None,
        }
    }
}

/// What a check sees.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The shape of the repository.
    pub shape: &'a Shape,
    /// The files that are judged.
    pub files: &'a Snapshot<'a>,
    /// What they say.
    pub model: &'a Model,
    /// Files from outside.
    pub inputs: &'a Inputs,
    /// The branch that the change is made to, or that the tree is one of; `None` where nothing tells.
    pub branch: Option<&'a Branch>,
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

/// What a kind must see. Each kind answers for every field: to what it forgot it would be blind in silence.
#[derive(Clone, Copy)]
pub struct Needs<'a> {
    /// The files that it reads. A change of other files alone is judged without it.
    pub files: Reads<'a>,
    /// The Dockerfiles in which it looks for something, if it does: what cannot be read of them may hide that.
    pub dockerfiles: Option<Concern>,
    /// What comes from outside of the trees.
    pub outside: Outside,
    /// A pattern of its own, to be compiled when the pack is loaded.
    pub pattern: Option<&'a Pattern>,
}

impl Needs<'_> {
    /// Nothing but what the trees say, and no Dockerfile in which it looks for something.
    pub(super) fn of_control_files() -> Self {
        Self { files: Reads::ControlFiles, dockerfiles: None, outside: Outside::Nothing, pattern: None }
    }

    /// The same, and that the Dockerfiles could be read which the change concerns.
    pub(super) fn of_dockerfiles(concern: Concern) -> Self {
        Self { dockerfiles: Some(concern), ..Self::of_control_files() }
    }

    /// Whether it looks into the history of a whole tree.
    pub fn history(self) -> bool {
        matches!(self.outside, Outside::History | Outside::HistoryIfThere)
    }
}

/// The files that a kind reads beside what it compares.
#[derive(Clone, Copy)]
pub enum Reads<'a> {
    /// Those that say what the images are, as the pack describes them, and no others.
    ControlFiles,
    /// Beside them those that name images, as the pack describes them.
    ReferenceFiles,
    /// Beside them one, wherever it lies.
    File(&'a str),
    /// Beside them several, told by their paths.
    Files(&'a dyn Files),
    /// Those that match, with all that lies below the same topmost directories. Of all others it sees which there are, and which
    /// directories are images, and nothing that stands in them.
    PathsAnd(&'a [PathPattern]),
}

impl Reads<'_> {
    /// Whether a file that is no control file of every pack is read.
    pub fn contain(self, path: &str) -> bool {
        match self {
            Self::ControlFiles | Self::ReferenceFiles => false,
            Self::File(file) => file == path,
            Self::Files(files) => files.contain(path),
            Self::PathsAnd(patterns) => patterns.iter().any(|pattern| pattern.is_match(path)),
        }
    }

    /// Whether nothing is read of any image.
    pub fn are_beside_images(self) -> bool {
        matches!(self, Self::PathsAnd(_))
    }

    /// Whether a change touches any of them.
    pub fn are_touched(self, touched: &Touched<'_>) -> bool {
        match self {
            Self::ControlFiles => touched.has_control_files,
            Self::ReferenceFiles => {
                touched.has_control_files || touched.paths().any(|path| touched.shape.is_reference_file(path))
            }
            Self::File(_) | Self::Files(_) => {
                touched.has_control_files || touched.paths().any(|path| self.contain(path))
            }
            Self::PathsAnd(_) => touched.moves_images() || touched.paths().any(|path| self.contain(path)),
        }
    }

    /// Where these files lie, as far as that can be told.
    pub fn scope(self) -> Scope {
        let mut scope = Scope::default();
        match self {
            Self::ControlFiles | Self::ReferenceFiles | Self::Files(_) => {}
            Self::File(file) => scope.files.push(file.to_owned()),
            Self::PathsAnd(patterns) => {
                for pattern in patterns {
                    match (pattern.directory().split('/').next(), pattern.as_path()) {
                        (Some("") | None, Some(file)) => scope.files.push(file.to_owned()),
                        (topmost, _) => scope.directories.push(topmost.unwrap_or_default().to_owned()),
                    }
                }
            }
        }
        scope.directories.sort();
        scope.directories.dedup();
        scope
    }
}

/// Files that are told by their paths.
pub trait Files {
    /// Whether the file at this path is one of them.
    fn contain(&self, path: &str) -> bool;
}

/// What a kind needs that is in none of the trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// Nothing, or what it can do without.
    Nothing,
    /// The list of promoted images.
    Promoted,
    /// The list of jobs.
    Jobs,
    /// The history of a whole tree.
    History,
    /// The same, if there is one: it knows more then.
    HistoryIfThere,
}

/// What of a change concerns a Dockerfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// That it touches the file.
    Itself,
    /// That, or that it bumps an image that the file may build upon.
    Parents,
}

/// What a kind judges of a change.
///
/// | | without a base | with one | of touched images alone | counts what is old |
/// | --- | --- | --- | --- | --- |
/// | `Change` | nothing | the change | yes | no |
/// | `Tree` | the tree | the tree, less what base had | no | yes |
/// | `Both` | the tree | the change | no | yes |
/// | `Moved` | the tree | the change | no | no |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// It compares, and has nothing to say without a base.
    Change,
    /// It judges a tree. Of a change, only what base had not is reported.
    Tree,
    /// It judges a tree if there is no base, and compares if there is one.
    Both,
    /// As `Both`; but what was wrong before is not looked for, as that would take reading files that the change has nothing to do with.
    Moved,
}

/// What a run gives its checks to look at, beside the files that are judged.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// Files from outside.
    pub inputs: &'a Inputs,
    /// Whether there is something to compare with.
    pub has_base: bool,
    /// Whether the manifest follows in a later change, when an image is promoted. Of a change nobody need know it.
    pub is_after_promotion: bool,
}

/// What a check lacks to see what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A base to compare with.
    Base,
    /// The history of a whole tree.
    History,
    /// Files without the marks of conflicts.
    Resolution,
    /// The file that this option names.
    Input(&'static str),
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Base => f.write_str("a base to compare with"),
            Self::Resolution => f.write_str("files without the marks of a conflict"),
            Self::History => f.write_str("the history, which is read under `--all`"),
            Self::Input(option) => write!(f, "the file that `{option}` names"),
        }
    }
}

/// The Dockerfiles of which something could not be read, before the change no more than now, and which the change concerns. What is as
/// unreadable as ever is no finding of the change, but what was to be found there is not either.
fn unread_dockerfiles(context: &Context<'_>, concern: Concern) -> Vec<StoreError> {
    let Some(change) = context.change else { return Vec::new() };
    let parents = if concern == Concern::Parents { bumped_images(context, change) } else { Vec::new() };
    let mut unread: Vec<StoreError> = Vec::new();
    for image in context.model.images.values() {
        for build in &image.builds {
            let Some(error) = build.error() else { continue };
            let before = change.in_base(image).map(|base| &base.builds[..]).unwrap_or_default();
            let is_old = before.iter().any(|old| old.path == build.path && old.error().is_some());
            let is_touched = change.content.get(&image.directory).is_some_and(|paths| paths.contains(&build.path));
            let is_said = unread.iter().any(|error| *error.path == *build.path);
            if is_old && !is_said && (is_touched || may_be_built_on(image, build, &parents)) {
                let help = "mend it: until then nobody can tell whether it follows the policy".to_owned();
                unread.push(StoreError { path: build.path.to_string(), reason: error.to_owned(), help: Some(help) });
            }
        }
    }
    unread
}

/// The images that the change gives another version.
pub(super) fn bumped_images<'a>(context: &Context<'a>, change: &Change<'_>) -> Vec<&'a Image> {
    let images = context.model.images.values().map(|image| &**image);
    images.filter(|image| !change.new_versions(image).is_empty()).collect()
}

/// Whether a build of which not all could be read may be put on one of these images: as far as it could be read it names one, or its
/// text does, or it has no text.
pub(super) fn may_be_built_on(image: &Image, build: &Build, parents: &[&Image]) -> bool {
    parents.iter().filter(|parent| parent.directory != image.directory).any(|parent| {
        let names = [parent.published(), &parent.name];
        image.references.iter().any(|reference| names.contains(&reference.target.as_str()))
            || build.text().is_none_or(|text| names.iter().any(|name| text.as_str().contains(name)))
    })
}

/// The diagnostics without those that say of a file again what was said of it.
pub(super) fn once(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    diagnostics.retain(|diagnostic| seen.insert((Arc::clone(&diagnostic.location.path), diagnostic.message.clone())));
    diagnostics
}
