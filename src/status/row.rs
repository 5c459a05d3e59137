//! Where one image stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::history::Past;
use crate::inputs::Inputs;
use crate::model::{Image, Manifest, ManifestEntry, Model};
use crate::shape::Shape;
use crate::snapshot::Snapshot;

/// Where one image stands.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its name, and where it is published under another one, that.
    pub name: String,
    /// The name under which it is published.
    pub published: String,
    /// Its version; `None` where it has no usable one.
    pub version: Option<String>,
    /// Whether it needs none.
    pub unversioned: bool,
    /// Whether the version is promoted; `None` where that is not known.
    pub promoted: Option<bool>,
    /// Whether a job builds it; `None` where that is not known.
    pub job: Option<bool>,
    /// The entries of the manifest about it; `None` where there is no manifest.
    pub manifest: Option<Vec<EntryOfImage>>,
    /// Who is built on it.
    pub children: Vec<Child>,
    /// What became of it since its version was set.
    pub drift: Drift,
}

/// What became of an image since its version got its present value.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Drift {
    /// It is what it was then.
    None {
        /// The commit that set the version; `None` where that is not committed yet.
        since: Option<String>,
    },
    /// It is something else.
    Changed {
        /// The commit that set the version; `None` where that is not committed yet.
        since: Option<String>,
        /// How many commits changed it.
        commits: usize,
        /// Whether changes do that are not committed yet.
        uncommitted: bool,
    },
    /// Its version stays, whatever it is.
    Frozen,
    /// That cannot be told.
    Unknown {
        /// What keeps it from being told.
        reason: &'static str,
    },
}

/// An entry of the manifest that is about an image.
#[derive(Debug, Serialize)]
pub struct EntryOfImage {
    /// The constant that tests use it by.
    pub key: String,
    /// The version that it names.
    pub version: String,
    /// Whether it stays behind on purpose.
    pub pinned: bool,
    /// The path of the manifest in the tree.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
}

/// An image that is built on another one.
#[derive(Debug, Serialize)]
pub struct Child {
    /// Its name.
    pub name: String,
    /// The versions of its parent that it names; where it names none that can be read, none.
    pub versions: BTreeSet<String>,
}

/// What is asked.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The shape of the repository.
    pub shape: &'a Shape,
    /// The files of head.
    pub files: &'a Snapshot<'a>,
    /// What they say.
    pub head: &'a Model,
    /// Files from elsewhere.
    pub inputs: &'a Inputs,
}

impl Question<'_> {
    /// Where an image stands.
    pub fn row(&self, image: &Image) -> Row {
        let version = image.version();
        let promoted = self.inputs.promoted.as_ref().zip(version);
        Row {
            name: image.name.to_string(),
            published: image.published().to_owned(),
            version: image.version_identity().map(str::to_owned),
            unversioned: image.is_unversioned(),
            promoted: promoted.map(|(list, version)| list.has(image.published(), &self.shape.tag_of(version))),
            job: self.has_job(image),
            manifest: self.head.manifest.as_ref().map(|manifest| self.entries(manifest, image)),
            children: self.children(image),
            drift: self.drift(image),
        }
    }

    fn drift(&self, image: &Image) -> Drift {
        if self.shape.frozen.is_match(&image.name) {
            return Drift::Frozen;
        }
        // Of several variants the one is told of that changed most, or else one of which that is not known.
        let history = self.inputs.history.as_ref();
        let past = history.and_then(|history| history.of_all(&image.directory).max_by_key(|past| weight(past)));
        match past {
            Some(Past::Settled(settled)) => {
                let since = settled.commit.as_ref().map(|commit| commit.id.clone());
                if settled.since > 0 || settled.has_uncommitted {
                    Drift::Changed { since, commits: settled.since, uncommitted: settled.has_uncommitted }
                } else if settled.is_undecided {
                    Drift::Unknown { reason: "only the build knows all that goes into it" }
                } else {
                    Drift::None { since }
                }
            }
            Some(Past::Cut) => Drift::Unknown { reason: "the clone is shallow" },
            None => Drift::Unknown { reason: "no history tells of its version" },
        }
    }

    /// Whether a job builds an image; `None` where that is not known.
    pub(super) fn has_job(&self, image: &Image) -> Option<bool> {
        let (jobs, job) = (self.inputs.jobs.as_ref()?, self.job(image)?);
        Some(jobs.has(&job, &image.name))
    }

    /// The name of the job that builds an image; `None` where the pack says none.
    pub(super) fn job(&self, image: &Image) -> Option<String> {
        let dashed = image.name.replace('/', "-");
        Some(self.shape.workflow.job.as_ref()?.fill(&[("image", &dashed)]))
    }

    fn entries(&self, manifest: &Manifest, image: &Image) -> Vec<EntryOfImage> {
        let mut entries = Vec::new();
        for entry in self.entries_of(manifest, image) {
            entries.push(EntryOfImage {
                key: entry.key.clone(),
                version: entry.version.clone(),
                pinned: entry.is_pinned,
                path: manifest.path.to_string(),
                line: manifest.text.position(entry.span.start).line,
            });
        }
        entries
    }

    /// The entries of the manifest about an image.
    pub(super) fn entries_of<'m>(&self, manifest: &'m Manifest, image: &Image) -> Vec<&'m ManifestEntry> {
        let mut entries = Vec::new();
        for entry in &manifest.entries {
            if self.head.images_of_entry(entry).iter().any(|other| other.directory == image.directory) {
                entries.push(entry);
            }
        }
        entries
    }

    fn children(&self, image: &Image) -> Vec<Child> {
        let mut children = Vec::new();
        for child in self.head.images.values().filter(|child| child.directory != image.directory) {
            let mut is_child = false;
            let mut versions = BTreeSet::new();
            for reference in &child.references {
                if self.head.named(&reference.target).iter().any(|parent| parent.directory == image.directory) {
                    is_child = true;
                    versions.extend(reference.version.clone());
                }
            }
            if is_child {
                children.push(Child { name: child.name.to_string(), versions });
            }
        }
        children
    }

    /// The directories of all that an image is built on.
    pub(super) fn ancestors(&self, image: &Image) -> BTreeSet<Arc<str>> {
        let mut ancestors = BTreeSet::new();
        let mut queue = vec![image];
        while let Some(image) = queue.pop() {
            for parent in image.references.iter().flat_map(|reference| self.head.named(&reference.target)) {
                if ancestors.insert(Arc::clone(&parent.directory)) {
                    queue.push(parent);
                }
            }
        }
        ancestors
    }
}

/// How much there is to say of what became of a version.
fn weight(past: &Past) -> (usize, bool) {
    match past {
        Past::Settled(settled) => (settled.since, settled.has_uncommitted || settled.is_undecided),
        Past::Cut => (0, true),
    }
}
