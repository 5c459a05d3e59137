//! The other side of a change: what an image was, what its version was, and what that should be.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::edit::{Edit, Fix};
use crate::inputs::Inputs;
use crate::model::content::ChangedContent;
use crate::model::{Image, Model};
use crate::parse::version::{Variant, next_revision};
use crate::path::{file_name, in_directory};
use crate::shape::Shape;
use crate::snapshot::{Entry, Pair, Snapshot};

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
    /// The paths that differ, once somebody asked.
    paths: OnceLock<BTreeSet<Arc<str>>>,
    /// The change alone, where head is a merge of it and a rule asks which versions it took.
    authored: Option<&'a AuthoredModels>,
}

/// The images of a change as its author made it, before it was merged into the base branch: those that the merge touches.
pub struct AuthoredModels {
    /// Where its author left the base branch.
    pub fork: Model,
    /// What its author made of that.
    pub author: Model,
}

/// The versions that an author gave an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthoredVersions<'a> {
    /// The former one; `None` for a new image.
    pub old: Option<&'a str>,
    /// The one that the author chose.
    pub new: &'a str,
}

/// The version that an image gets, and the repair that gives it.
pub struct ProposedBump {
    /// The version that is free.
    pub next: FreeVersion,
    /// The edit of the version file that sets it.
    pub fix: Fix,
}

/// The first version of an image that is free.
pub struct FreeVersion {
    /// It.
    pub version: String,
    /// Why it is not the one that follows the former.
    passed: Option<String>,
}

impl fmt::Display for FreeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.passed {
            Some(passed) => write!(f, "{} ({passed})", self.version),
            None => f.write_str(&self.version),
        }
    }
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
        Self { pair, base, tip: tip.unwrap_or(base), content, head, paths: OnceLock::new(), authored: None }
    }

    /// The same, as a merge of what an author made.
    #[must_use]
    pub fn with_authored(self, authored: Option<&'a AuthoredModels>) -> Self {
        Self { authored, ..self }
    }

    /// The paths that differ.
    pub fn paths(&self) -> &BTreeSet<Arc<str>> {
        self.paths.get_or_init(|| self.pair.changed())
    }

    /// The image that stood in the same directory where the change left the base branch.
    pub fn in_base(&self, image: &Image) -> Option<&'a Image> {
        self.base.images.get(&image.directory).map(|image| &**image)
    }

    /// The image that one was before it moved: published under the same name, with the same version or from a directory that is no
    /// image any more. Of several the one is meant whose directory was called alike.
    pub fn moved_from(&self, image: &Image) -> Option<&'a Image> {
        if self.base.directories.contains(&image.directory) {
            return None;
        }
        let candidates = self.base.published_as(image);
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

    /// The image that one which is new was before the change gave it another name; that one is gone.
    pub fn predecessor(&self, image: &Image, shape: &Shape) -> Option<&'a Image> {
        let mut gone = self.base.images.values().filter(|before| !self.head.directories.contains(&before.directory));
        if self.base.directories.contains(&image.directory) {
            return None;
        }
        gone.find(|before| self.is_renamed(before, image, shape)).map(|before| &**before)
    }

    /// The new image that one became which is gone.
    pub fn successor(&self, before: &Image, shape: &Shape) -> Option<&'a Image> {
        if self.head.directories.contains(&before.directory) {
            return None;
        }
        let mut new = self.head.images.values().filter(|image| !self.base.directories.contains(&image.directory));
        new.find(|image| self.is_renamed(before, image, shape)).map(|image| &**image)
    }

    /// Whether an image that is gone lives on as another one: in a directory of the same name elsewhere, with the same files, or with
    /// half of its files at least, those not counted that other images have, too.
    fn is_renamed(&self, before: &Image, now: &Image, shape: &Shape) -> bool {
        if file_name(&before.name) == file_name(&now.name) {
            return true;
        }
        let Some(base_files) = &self.pair.base else { return false };
        let known = files_beside_version(self.base, before, base_files, shape);
        let files = files_beside_version(self.head, now, &self.pair.head, shape);
        if known == files {
            return !files.is_empty() || before.version() == now.version();
        }
        let mut shared = HashSet::new();
        for other in self.base.images.values().filter(|other| other.directory != before.directory) {
            shared
                .extend(files_beside_version(self.base, other, base_files, shape).into_values().map(|it| &it.content));
        }
        let (mut same, mut others) = (0, 0);
        for (path, entry) in files {
            let [there, here] = [&before.directory, &now.directory].map(|directory| in_directory(directory, path));
            let is_same = known.get(path).is_some_and(|known| {
                *known == entry
                    || (!shared.contains(&known.content) && is_alike(base_files, &there, &self.pair.head, &here))
            });
            same += usize::from(is_same && !shared.contains(&entry.content));
            others += usize::from(!is_same);
        }
        same > 0 && same >= others
    }

    /// An image as it was where the change left the base branch, wherever it stood.
    pub fn before(&self, image: &Image) -> Option<&'a Image> {
        self.in_base(image).or_else(|| self.moved_from(image))
    }

    /// The version of an image on the base branch now.
    pub fn tip_version(&self, image: &Image) -> Option<&'a str> {
        let here = self.tip.images.get(&image.directory);
        let here = here.or_else(|| self.tip.images.get(&self.moved_from(image)?.directory)).map(|image| &**image);
        // It may have moved there meanwhile.
        here.or_else(|| self.tip.published_as(image).first().copied())?.version()
    }

    /// The versions of an image before and after, where the change gave it another one.
    pub fn new_version<'i>(&self, image: &'i Image) -> Option<(&'a str, &'i str)> {
        let (before, after) = (self.before(image)?.version()?, image.version()?);
        (before != after).then_some((before, after))
    }

    /// The same of an image or of its variants.
    pub fn new_versions<'i>(&self, image: &'i Image) -> Vec<(&'a str, &'i str)> {
        let variants = image.variants().iter();
        let of_variants = variants.filter_map(|variant| self.new_version_of_variant(image, variant));
        self.new_version(image).into_iter().chain(of_variants).collect()
    }

    /// The version that an author chose for an image and that the base branch took meanwhile: of a merge, in which both look
    /// alike. What the image is built from differs all the same.
    pub fn taken_in_merge(&self, image: &'a Image) -> Option<AuthoredVersions<'a>> {
        let AuthoredModels { fork, author } = self.authored?;
        let version = image.version()?;
        let base = self.in_base(image)?.version()?;
        let chosen = author.images.get(&image.directory)?.version()?;
        let old = fork.images.get(&image.directory).and_then(|image| image.version());
        let is_taken = version == base && version == chosen && old != Some(version);
        let differs = self.content.get(&image.directory).is_some_and(|paths| !paths.is_empty());
        (is_taken && differs).then_some(AuthoredVersions { old, new: version })
    }

    /// The same of a variant.
    pub fn variant_taken_in_merge(&self, image: &'a Image, variant: &'a Variant) -> Option<AuthoredVersions<'a>> {
        let AuthoredModels { fork, author } = self.authored?;
        let version = variant.version.usable()?;
        let base = self.variant_before(image, variant)?.version.usable()?;
        let chosen = author.images.get(&image.directory)?.variant(&variant.name)?.version.usable()?;
        let old = fork.images.get(&image.directory).and_then(|image| image.variant(&variant.name)?.version.usable());
        let is_taken = version == base && version == chosen && old != Some(version);
        let differs = self.content.get(&image.directory).is_some_and(|paths| !paths.is_empty());
        (is_taken && differs).then_some(AuthoredVersions { old, new: version })
    }

    /// The version that the change gives to an image, new or not, under a name that did not have it: nothing can have built it yet.
    pub fn introduced_version<'i>(&self, image: &'i Image) -> Option<&'i str> {
        let version = image.version()?;
        let mut known = self.base.published_as(image).into_iter();
        (!known.any(|it| it.version() == Some(version))).then_some(version)
    }

    /// The repair that gives an image the first version that is free: after both the merge base's and the tip's, and neither promoted
    /// nor claimed. Where the two cannot be ordered the tip's is followed, but that is a guess.
    pub fn bump(&self, shape: &Shape, inputs: &Inputs, image: &Image) -> Option<ProposedBump> {
        let base = self.before(image).and_then(Image::version);
        let tip = self.tip_version(image).or(base)?;
        let free = self.free(shape, inputs, image, Former { base: base.unwrap_or(tip), tip });
        let edits = image.version_edits(&free.next.version)?;
        Some(free.bump(&image.version_name, image, edits))
    }

    /// The same of one of its variants.
    pub fn bump_variant(
        &self,
        shape: &Shape,
        inputs: &Inputs,
        image: &Image,
        variant: &Variant,
    ) -> Option<ProposedBump> {
        let base = self.variant_before(image, variant).and_then(|before| before.version.usable());
        let tip = self.tip.images.get(&image.directory).and_then(|tip| tip.variant(&variant.name)?.version.usable());
        let tip = tip.or(base)?;
        let free = self.free(shape, inputs, image, Former { base: base.unwrap_or(tip), tip });
        let edits = image.variant_edits(variant, &free.next.version)?;
        Some(free.bump(&image.variant_words(variant), image, edits))
    }

    /// A variant of an image as it was where the change left the base branch.
    pub fn variant_before(&self, image: &Image, variant: &Variant) -> Option<&'a Variant> {
        self.before(image)?.variant(&variant.name)
    }

    /// The versions of a variant before and after, where the change gave it another one.
    pub fn new_version_of_variant<'i>(&self, image: &Image, variant: &'i Variant) -> Option<(&'a str, &'i str)> {
        let (before, after) = (self.variant_before(image, variant)?.version.usable()?, variant.version.usable()?);
        (before != after).then_some((before, after))
    }

    fn free(&self, shape: &Shape, inputs: &Inputs, image: &Image, former: Former<'_>) -> Free {
        let Former { base, tip } = former;
        let order = image.order(base, tip);
        let mut passed = None;
        if base != tip && order != Some(Ordering::Greater) {
            let branch = self.pair.origin.branch.as_ref().map_or("the base branch", |branch| &branch.shown);
            passed = Some(format!("{tip} is taken on {branch}"));
        }
        let free = free_after(shape, inputs, image, if order == Some(Ordering::Greater) { base } else { tip });
        Free { next: FreeVersion { passed: free.passed.or(passed), ..free }, is_certain: order.is_some() }
    }
}

/// The versions that a new one must differ from.
#[derive(Clone, Copy)]
struct Former<'v> {
    base: &'v str,
    tip: &'v str,
}

/// A version that is free, and whether it is known to follow the former ones.
struct Free {
    next: FreeVersion,
    is_certain: bool,
}

impl Free {
    fn bump(self, words: &str, image: &Image, edits: Vec<Edit>) -> ProposedBump {
        let title = format!("set {words} of {} to {}", image.name, self.next.version);
        let fix = if self.is_certain { Fix::safe(title, edits) } else { Fix::risky(title, edits) };
        ProposedBump { next: self.next, fix }
    }
}

/// The files of an image's own, by their path below its directory, but for its version.
fn files_beside_version<'f>(
    model: &Model,
    image: &Image,
    files: &'f Snapshot<'_>,
    shape: &Shape,
) -> BTreeMap<&'f str, &'f Entry> {
    model.own_content(image, files, shape).filter(|(path, _)| !shape.is_version_file(path)).collect()
}

/// Whether two texts differ in numbers alone, as where a version is raised everywhere.
fn is_alike(files: &Snapshot<'_>, path: &str, others: &Snapshot<'_>, other: &str) -> bool {
    let (Ok(Some(Ok(one))), Ok(Some(Ok(other)))) = (files.text(path), others.text(other)) else { return false };
    let [one, other] = [&one, &other].map(|text| text.as_str().chars().filter(|it| !it.is_ascii_digit()));
    one.eq(other)
}

/// The version that comes after one of an image.
pub fn following(shape: &Shape, image: &Image, version: &str) -> String {
    if shape.counts_revisions(&image.name) { next_revision(version) } else { image.scheme().next(version) }
}

/// The first version after one of an image that is neither promoted nor claimed by somebody else.
pub(super) fn free_after(shape: &Shape, inputs: &Inputs, image: &Image, version: &str) -> FreeVersion {
    let names = [image.published(), &image.name];
    let mut free = FreeVersion { version: following(shape, image, version), passed: None };
    loop {
        let passed = if inputs.is_promoted(image.published(), &shape.tag_of(&free.version)) {
            format!("{} is promoted already", free.version)
        } else if let Some(claim) = inputs.claim_of_others(names, &free.version) {
            format!("{} claims {}", claim.who, free.version)
        } else {
            return free;
        };
        free = FreeVersion { version: following(shape, image, &free.version), passed: Some(passed) };
    }
}
