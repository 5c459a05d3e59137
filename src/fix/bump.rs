//! Bumps on request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::repair::{Allowed, FixError, MadeFix, Repair, edit_file, record_of, repair_until_rest};
use crate::check::Change;
use crate::edit::Edit;
use crate::finding::Finding;
use crate::model::content::ChangedContent;
use crate::model::{Image, Model, UnknownImageError};
use crate::pack::Pack;
use crate::parse::version::Scheme;
use crate::run::judge;
use crate::snapshot::{Pair, StoreError};
use crate::text::escape;

/// Why images could not be bumped. Nothing was written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum BumpError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fix(#[from] FixError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unknown(#[from] UnknownImageError),
    #[error("{} can mean several images", escape(name))]
    #[diagnostic(help("name one by its directory: {}", escape(directories)))]
    Several { name: String, directories: String },
    #[error("{} has no version that another could follow", escape(.0))]
    #[diagnostic(help(
        "a new image, or one whose version file is broken: write its version by hand, or with `--to VERSION`"
    ))]
    NoVersion(String),
    #[error("{} has several variants, each with a version of its own", escape(.0))]
    #[diagnostic(help("leave out `--to`, and each gets its next one; or write them by hand"))]
    Variants(String),
    #[error("{} is at {version} already", escape(image))]
    #[diagnostic(help("leave out `--to`, or name the version that it is to have"))]
    Same { image: String, version: String },
    #[error("{to} would not stay: the rules ask for {now} then")]
    #[diagnostic(help("leave out `--to`, or name a version that is free"))]
    Overruled { to: String, now: String },
    #[error("`{}` is no image tag", escape(.0))]
    #[diagnostic(help("a tag is made of letters, digits, `_`, `.` and `-`, and does not begin with `.` or `-`"))]
    NoTag(String),
    #[error("`{}` is no version as semver.org has it", escape(.0))]
    #[diagnostic(help("write three numbers, as in 1.2.3, and after them what semver.org allows"))]
    NoSemver(String),
}

impl BumpError {
    /// The error of a version that is none.
    fn refused(scheme: Scheme, to: &str) -> Self {
        match scheme {
            Scheme::Tag => Self::NoTag(to.to_owned()),
            Scheme::Semver => Self::NoSemver(to.to_owned()),
        }
    }
}

/// Bumps images on request, with everything that follows from that and nothing else. Without `to` each gets its next version; an
/// image that the change bumped already stays as it is.
pub fn bump(pack: &Pack, pair: &mut Pair<'_>, names: &[String], to: Option<&str>) -> Result<Repair, BumpError> {
    let Plan { bumps, version_files } = plan(pack, pair, names, to)?;
    // What is wrong already is not what was asked for.
    let mut except = BTreeSet::new();
    for finding in judge(pack, pair)?.findings {
        if !follows_from(&finding, &version_files) {
            except.insert(finding.fingerprint());
        }
    }
    let mut files = BTreeMap::new();
    let mut by_file: BTreeMap<Arc<str>, Vec<Edit>> = BTreeMap::new();
    for VersionEdit { edits, title } in bumps {
        if let Some(edit) = edits.first() {
            record_of(&mut files, &pair.head, &edit.path)?.done.push(MadeFix { rule: Arc::from("bump"), title });
        }
        for edit in edits {
            by_file.entry(Arc::clone(&edit.path)).or_default().push(edit);
        }
    }
    for (path, edits) in by_file {
        let file = record_of(&mut files, &pair.head, &path)?;
        edit_file(file, &path, &edits, &mut pair.head);
    }
    let repair = repair_until_rest(pack, pair, &Allowed::default(), except, files)?;
    for path in version_files {
        if let Some(to) = to
            && let Some(Ok(text)) = pair.head.text(&path)?
            && let Some(source) = pack.shape.version_source_in(&path)
            && let now = source.locate(&text).value
            && now != *to
        {
            return Err(BumpError::Overruled { to: to.to_owned(), now });
        }
    }
    Ok(repair)
}

/// What is to be written.
struct Plan {
    bumps: Vec<VersionEdit>,
    /// The version files of all images that were asked for.
    version_files: BTreeSet<Arc<str>>,
}

/// A new version of one image, or of one of its variants.
struct VersionEdit {
    edits: Vec<Edit>,
    title: String,
}

fn plan(pack: &Pack, pair: &Pair<'_>, names: &[String], to: Option<&str>) -> Result<Plan, BumpError> {
    let shape = &pack.shape;
    let head = Model::build(&pair.head, shape, None, None)?;
    let base = Model::build(pair.base.as_ref().unwrap_or(&pair.head), shape, Some(&head), None)?;
    let tip = pair.tip.as_ref().map(|tip| Model::build(tip, shape, Some(&base), None)).transpose()?;
    let content = ChangedContent::default();
    let change = Change::new(pair, &base, tip.as_ref(), &head, &content);
    let mut plan = Plan { bumps: Vec::new(), version_files: BTreeSet::new() };
    for name in names {
        let image = find(&head, name)?;
        let no_version = BumpError::NoVersion(image.name.to_string());
        let Some(file) = &image.version_file else { return Err(no_version) };
        if !plan.version_files.insert(Arc::clone(&file.path)) {
            continue; // named twice
        }
        let Some(old) = file.value() else { return Err(no_version) };
        if !image.variants().is_empty() {
            if to.is_some() {
                return Err(BumpError::Variants(image.name.to_string()));
            }
            let bumps = of_variants(pack, pair, &change, image)?;
            plan.bumps.extend(bumps.ok_or(no_version)?);
            continue;
        }
        let is_bumped = change.new_version(image).is_some();
        let new = match to {
            Some(to) if !old.scheme.is_version(to) => return Err(BumpError::refused(old.scheme, to)),
            Some(to) => to.to_owned(),
            None if is_bumped => continue,
            None => match change.bump(shape, &pack.inputs, image) {
                Some(bump) => bump.next.version,
                None => return Err(no_version),
            },
        };
        if to.is_some() && new == old.value && !is_bumped {
            return Err(BumpError::Same { image: image.name.to_string(), version: new });
        }
        if new != old.value {
            let title = format!("set {} of {} from {} to {new}", image.version_name, image.name, old.value);
            let edits = through_link(pair, image.version_edits(&new).ok_or(no_version)?)?;
            plan.bumps.push(VersionEdit { edits, title });
        }
    }
    Ok(plan)
}

/// The bumps of all variants of an image that the change did not bump already; `None` where one has no version to follow.
fn of_variants(
    pack: &Pack,
    pair: &Pair<'_>,
    change: &Change<'_>,
    image: &Image,
) -> Result<Option<Vec<VersionEdit>>, StoreError> {
    let mut bumps = Vec::new();
    for variant in image.variants() {
        let is_new = change.variant_before(image, variant).is_none();
        if is_new || change.new_version_of_variant(image, variant).is_some() {
            continue;
        }
        let Some(bump) = change.bump_variant(&pack.shape, &pack.inputs, image, variant) else { return Ok(None) };
        let (words, old, new) = (image.variant_words(variant), &variant.version.value, &bump.next.version);
        let title = format!("set {words} of {} from {old} to {new}", image.name);
        bumps.push(VersionEdit { edits: through_link(pair, bump.fix.edits)?, title });
    }
    Ok(Some(bumps))
}

/// The same edits in the file that is really written.
fn through_link(pair: &Pair<'_>, mut edits: Vec<Edit>) -> Result<Vec<Edit>, StoreError> {
    for edit in &mut edits {
        if let Some(path) = pair.head.linked_file(&edit.path)? {
            edit.path = Arc::clone(path);
        }
    }
    Ok(edits)
}

/// The one image that a name means.
fn find<'m>(model: &'m Model, name: &str) -> Result<&'m Image, BumpError> {
    match model.meant(name)?[..] {
        [image] => Ok(image),
        ref several => {
            let directories: Vec<&str> = several.iter().map(|image| &*image.directory).collect();
            Err(BumpError::Several { name: name.to_owned(), directories: directories.join(", ") })
        }
    }
}

/// Whether a finding is explained by one of these files.
fn follows_from(finding: &Finding, files: &BTreeSet<Arc<str>>) -> bool {
    finding.diagnostic.related.iter().any(|label| files.contains(&label.location.path))
}
