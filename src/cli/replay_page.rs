//! Where the page of a replay goes, and the picture in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use super::exit::Error;
use super::graph::untold_of;
use super::refuse::refuse_no_versions;
use super::reports::put;
use super::terminal::say;
use crate::git::{Base, Head, Repository};
use crate::model::Model;
use crate::model::graph::{Agreement, Graph};
use crate::pack::Pack;
use crate::replay::Replay;
use crate::report::graph::Drawing;
use crate::report::replay_page::{MARK, Picture, render};
use crate::text::{counted, escape};
use crate::write::try_write;

#[derive(Debug, thiserror::Error, Diagnostic)]
enum PageError {
    #[error("{} is there already, and is no page of a replay", escape(&.0.display().to_string()))]
    #[diagnostic(help(
        "name another file in `--html FILE`, or move this one out of the way: only pages of a replay are replaced"
    ))]
    Exists(PathBuf),
    #[error("failed to write the page {}: {reason}", escape(&path.display().to_string()))]
    #[diagnostic(help("name a file that can be written in `--html FILE`"))]
    Write { path: PathBuf, reason: std::io::Error },
}

/// Refuses what no page can be written to, before any work is done for it.
pub(super) fn refuse_no_place(path: &Path) -> Result<(), Error> {
    let failed = |reason| PageError::Write { path: path.to_owned(), reason };
    if path.is_file() {
        let mut begin = Vec::new();
        let length = MARK.len() as u64;
        File::open(path).and_then(|file| file.take(length).read_to_end(&mut begin)).map_err(failed)?;
        if !begin.is_empty() && begin != MARK.as_bytes() {
            return Err(PageError::Exists(path.to_owned()).into());
        }
    }
    try_write(path).map_err(failed)?;
    Ok(())
}

/// Writes the page, and says how large it is.
pub(super) fn write(
    path: &Path,
    replay: &Replay,
    pack: &Pack,
    repository: &Repository,
    is_quiet: bool,
) -> Result<(), Error> {
    let picture = draw(replay, pack, repository).unwrap_or_else(|error| Picture::Failed(error.to_string()));
    let page = render(replay, &picture);
    put(path, page.as_bytes()).map_err(|reason| PageError::Write { path: path.to_owned(), reason })?;
    if !is_quiet {
        say(&format!("wrote {}, {} KiB", path.display(), page.len().div_ceil(1024)));
    }
    Ok(())
}

/// Draws the images of the newest commit.
fn draw(replay: &Replay, pack: &Pack, repository: &Repository) -> Result<Picture, Error> {
    let head = Head::Commit(replay.words.head.clone());
    let pair = repository.pair(&Base::whole(""), &head, &pack.scope())?;
    refuse_no_versions(pack, &[&pair.head])?;
    let model = Model::build(&pair.head, &pack.shape, None, None)?;
    let graph = Graph::new(&model);
    let drawn = drawn(&graph);
    let drawing = Drawing::new(&graph, &drawn, &BTreeMap::new());
    let mut notes = untold_of(&graph, &model, &pack.shape, &drawing);
    if notes.len() > MOST_NOTES {
        let more = notes.len() - MOST_NOTES;
        notes.truncate(MOST_NOTES);
        notes.push(format!("and {more} more: `imglint graph` says all of them"));
    }
    if drawn.len() < graph.images.len() {
        let of_all = format!("{} of {} are drawn", drawn.len(), counted(graph.images.len(), "image"));
        notes.insert(
            0,
            format!("{of_all}: `imglint graph --image NAME` draws what is built on one, and what it is built on"),
        );
    }
    Ok(Picture::Drawn { drawing, notes })
}

/// How many images are drawn: more than anybody can look at, and few enough for a browser.
const MOST_DRAWN: usize = 500;

/// How much is said below the picture.
const MOST_NOTES: usize = 50;

/// The images that are drawn, by position: of too many those that are built on others, or others on them; of too many of these, those
/// first whose base is stale.
fn drawn(graph: &Graph<'_>) -> BTreeSet<usize> {
    if graph.images.len() <= MOST_DRAWN {
        return (0..graph.images.len()).collect();
    }
    let (stale, others): (Vec<_>, Vec<_>) = graph.edges.iter().partition(|edge| edge.agreement == Agreement::Stale);
    let mut drawn = BTreeSet::new();
    for edge in stale.into_iter().chain(others) {
        let ends = [edge.child, edge.parent];
        if drawn.len() + ends.iter().filter(|end| !drawn.contains(*end)).count() <= MOST_DRAWN {
            drawn.extend(ends);
        }
    }
    drawn
}
