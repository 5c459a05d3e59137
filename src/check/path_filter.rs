//! `path-filter`: what CI starts by the paths of a change must start for every image.
//!
//! Rules: `stale-path-filter`.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Kind, Needs, Outside, Reads};
use super::touched::Touched;
use crate::finding::{Diagnostic, Level, Location};
use crate::parse::glob::{Globs, PathPattern};
use crate::parse::path_filter::{PathEntry, PathFilters, Place};
use crate::path::{file_name, is_below};
use crate::snapshot::{FileKind, ReadError, Scope, Snapshot, StoreError};
use crate::text::{Text, counted};

/// Which files hold lists of paths.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PathFilter {
    /// Workflows and jobs, and files with filters that these name.
    files: Vec<PathPattern>,
    /// Images that are left out on purpose.
    #[serde(default)]
    exempt: Globs,
}

/// From how many images on a list that names them is one of all: two may be any two.
const MANY: usize = 3;

impl Kind for PathFilter {
    fn needs(&self) -> Needs<'_> {
        let files = Reads::PathsAnd(&self.files);
        Needs { files, dockerfiles: None, outside: Outside::Nothing, pattern: None }
    }

    fn is_concerned(&self, touched: &Touched<'_>) -> bool {
        self.needs().files.are_touched(touched) && touched.sides().any(|files| !self.paths(files).is_empty())
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        let files = self.read(context, &mut diagnostics)?;
        if files.is_empty() {
            return Ok(diagnostics);
        }
        let scopes = OnceCell::new();
        for file in &files {
            for entry in file.entries() {
                diagnostics.extend(self.nothing(context, &scopes, file, entry));
            }
        }
        let mut roots: Vec<&String> = context.shape.roots.iter().collect();
        roots.sort();
        roots.dedup();
        for root in &roots {
            let images = Root { name: root, images: self.images_of(context, root, &roots) };
            if images.images.len() > MANY {
                images.judge(&files, &mut diagnostics);
            }
        }
        Ok(diagnostics)
    }
}

impl PathFilter {
    /// Reads the files. One that a pattern finds may be something else; one that is named must be readable.
    fn read(&self, context: &Context<'_>, diagnostics: &mut Vec<Diagnostic>) -> Result<Vec<File>, StoreError> {
        let mut files = Vec::new();
        for path in self.paths(context.files) {
            let is_named = self.files.iter().any(|pattern| pattern.as_path() == Some(path));
            match Lists::read(path, context.files)? {
                Ok(lists) => {
                    for named in lists.filters.iter().flat_map(|filters| &filters.elsewhere) {
                        files.extend(self.filters_in(context, path, named, diagnostics)?);
                    }
                    files.extend(lists.file(path));
                }
                Err(Unread::File(why)) if is_named => return Err(StoreError::unreadable(path, &why)),
                Err(Unread::File(ReadError::Submodule)) => {}
                Err(Unread::File(why)) => diagnostics.push(unread(path, Location::file(path), &format!("it {why}"))),
                Err(Unread::Yaml(location, message)) => {
                    diagnostics.push(unread(path, location, &format!("as YAML it cannot be read: {message}")));
                }
            }
        }
        Ok(files)
    }

    /// The filters that a workflow says to be in another file.
    fn filters_in(
        &self,
        context: &Context<'_>,
        path: &Arc<str>,
        named: &str,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Option<File>, StoreError> {
        let is_read = self.needs().files.contain(named);
        let reason = match if is_read { context.files.text(named)? } else { None } {
            None => format!("its filters are in {named}, which is not among the files that are judged"),
            Some(Err(why)) => format!("its filters are in {named}, which {why}"),
            Some(Ok(text)) => match PathFilters::parse_filters(&text) {
                Ok(filters) => return Ok(Some(File { path: named.into(), text, filters: Arc::new(filters) })),
                Err(error) => format!("its filters are in {named}, which cannot be read as YAML: {}", error.message),
            },
        };
        let diagnostic = unread(path, Location::file(path), &reason);
        diagnostics.push(diagnostic.help(format!("name {named} in the rule's `files`, if it is right")));
        Ok(None)
    }

    /// The paths of the files, each once.
    fn paths<'a>(&self, files: &'a Snapshot<'_>) -> BTreeSet<&'a Arc<str>> {
        let mut paths = BTreeSet::new();
        for pattern in &self.files {
            if let Some(path) = pattern.as_path() {
                paths.extend(files.entries().get_key_value(path).map(|(path, _)| path));
            } else {
                let below = files.below(pattern.directory()).map(|(path, _)| path);
                paths.extend(below.filter(|path| pattern.is_match(path)));
            }
        }
        paths
    }

    /// The images below a root that lie below no nearer one, with their files.
    fn images_of<'a>(&self, context: &Context<'a>, root: &str, roots: &[&String]) -> Vec<Filtered<'a>> {
        let mut images = Vec::new();
        for directory in context.model.directories.iter().filter(|directory| !directory.is_empty()) {
            let nearest = roots.iter().filter(|root| is_below(directory, root)).max_by_key(|root| root.len());
            if nearest.is_none_or(|nearest| *nearest != root) {
                continue;
            }
            let name = context.shape.name_of(directory).unwrap_or(directory);
            let is_exempt = self.exempt.is_match(name) || context.shape.frozen.is_match(name);
            images.push(Filtered { directory, name, context: *context, is_exempt });
        }
        images
    }

    /// Says that an entry takes nothing, because there is nothing where it looks. A file in the root may come some day, and a kind of
    /// files may, in a directory that is there.
    fn nothing(
        &self,
        context: &Context<'_>,
        scopes: &OnceCell<[Scope; 2]>,
        file: &File,
        entry: &PathEntry,
    ) -> Option<Diagnostic> {
        let place = entry.place().filter(|_| !entry.is_negated)?;
        let (Place::File(path) | Place::Directory(path)) = place;
        if !path.contains('/') || context.files.entry(path).is_some() {
            return None;
        }
        let is_directory = context.files.below(path).next().is_some();
        let Path { wrong, help } = match place {
            Place::Directory(_) if is_directory => return None,
            Place::Directory(_) => Path {
                wrong: format!("there is no directory {path}"),
                help: "name what it became, or take the line out".to_owned(),
            },
            Place::File(_) if is_directory => Path {
                wrong: format!("{path} is a directory, and only paths of files are compared with it"),
                help: format!("write {path}/**"),
            },
            Place::File(_) => Path {
                wrong: format!("there is no file {path}"),
                help: "name what it became, or take the line out".to_owned(),
            },
        };
        let scopes = scopes.get_or_init(|| [context.shape.scope(), self.needs().files.scope()]);
        if !scopes.iter().any(|scope| scope.contains(path)) {
            return None;
        }
        let message = format!("`{}` takes no change: {wrong}", entry.text);
        Some(Diagnostic::about(&entry.text, message, file.location(entry)).help(help))
    }
}

/// A file with lists.
struct File {
    path: Arc<str>,
    text: Arc<Text>,
    filters: Arc<PathFilters>,
}

/// What a file says of paths, as long as it is the same file: the trees of a history share nearly all of them, and YAML takes a while.
struct Lists {
    text: Arc<Text>,
    /// `None` where there are none: most workflows start whatever changed.
    filters: Option<Arc<PathFilters>>,
}

/// Why nobody can tell what a file says of paths.
enum Unread {
    File(ReadError),
    Yaml(Location, String),
}

/// Under which it is kept.
const NAME: &str = "path-filter";

/// About how many bytes a byte of a file takes, once it is read.
const SIZE_A_BYTE: usize = 8;

impl Lists {
    fn read(path: &Arc<str>, files: &Snapshot<'_>) -> Result<Result<Arc<Self>, Unread>, StoreError> {
        // What a link leads to is another file.
        let plain = files.entry(path).filter(|entry| entry.kind != FileKind::Symlink);
        let content = plain.filter(|_| files.derived().is_wanted()).map(|entry| &entry.content);
        if let Some(known) = content.and_then(|content| files.derived().of(NAME, content)) {
            return Ok(Ok(known));
        }
        let text = match files.text(path)? {
            Some(Ok(text)) => text,
            Some(Err(why)) => return Ok(Err(Unread::File(why))),
            None => return Ok(Err(Unread::File(ReadError::Submodule))),
        };
        let mut filters = None;
        if PathFilters::may_be_in(&text) {
            match PathFilters::parse(&text) {
                Ok(parsed) => filters = Some(Arc::new(parsed)),
                Err(error) => {
                    let place = Location::new(path, &text, error.offset..error.offset);
                    return Ok(Err(Unread::Yaml(place, error.message)));
                }
            }
        }
        let size = if filters.is_some() { SIZE_A_BYTE * text.bytes().len() } else { 0 };
        let lists = Arc::new(Self { text, filters });
        if let Some(content) = content {
            files.derived().keep_of(NAME, content, &lists, size);
        }
        Ok(Ok(lists))
    }

    /// The file with its lists, if it has any.
    fn file(&self, path: &Arc<str>) -> Option<File> {
        let filters = self.filters.clone()?;
        Some(File { path: Arc::clone(path), text: Arc::clone(&self.text), filters })
    }
}

impl File {
    fn entries(&self) -> impl Iterator<Item = &PathEntry> {
        self.filters.lists.iter().flat_map(|list| &list.entries)
    }

    fn location(&self, entry: &PathEntry) -> Location {
        Location::new(&self.path, &self.text, entry.span.clone())
    }
}

fn unread(path: &str, location: Location, reason: &str) -> Diagnostic {
    let message = format!("cannot tell for which images {path} starts something: {reason}");
    Diagnostic::about("unread", message, location).at_most(Level::Note)
}

/// What is wrong with a path.
struct Path {
    wrong: String,
    help: String,
}

/// An image, as lists of paths see it.
struct Filtered<'a> {
    directory: &'a Arc<str>,
    name: &'a str,
    context: Context<'a>,
    is_exempt: bool,
}

impl Filtered<'_> {
    /// Whether an entry takes a file of the image.
    fn is_taken_by(&self, entry: &PathEntry) -> bool {
        let Context { files, model, .. } = self.context;
        entry.may_take_below(self.directory)
            && files
                .below(self.directory)
                .any(|(path, _)| entry.takes(path) && model.owner(path) == Some(self.directory))
    }

    /// Whether an entry that takes a file of the image is about this one, rather than about some or all of them.
    fn is_spelled_in(&self, entry: &PathEntry) -> bool {
        entry.spells(file_name(self.directory))
    }
}

/// The images below a root.
struct Root<'a> {
    name: &'a str,
    images: Vec<Filtered<'a>>,
}

/// What a file says of the images below a root, by their numbers.
struct Said<'f> {
    file: &'f File,
    /// The first entry that names one.
    first: &'f PathEntry,
    named: BTreeSet<usize>,
    /// Those for which it starts something, or says not to.
    taken: BTreeSet<usize>,
    /// Why it cannot be told for which others it does.
    unknown: Option<&'f str>,
}

impl Root<'_> {
    fn judge(&self, files: &[File], diagnostics: &mut Vec<Diagnostic>) {
        let said: Vec<Said<'_>> = files.iter().filter_map(|file| self.said_in(file)).collect();
        for said_here in said.iter().filter(|said| self.is_of_all(said)) {
            for (number, image) in self.images.iter().enumerate() {
                // What is built in a way of its own has a workflow of its own.
                let has_own = said.iter().any(|other| other.named.contains(&number) && !self.is_of_all(other));
                if !image.is_exempt && !has_own && !said_here.taken.contains(&number) {
                    diagnostics.push(self.left_out(said_here, image));
                }
            }
        }
    }

    /// Whether a file names so many images that it should name all: two thirds of them, and more than any two.
    fn is_of_all(&self, said: &Said<'_>) -> bool {
        said.named.len() >= MANY && said.named.len() * 3 >= self.images.len() * 2
    }

    /// What a file says by names. A list that takes all of the images names none of them.
    fn said_in<'f>(&self, file: &'f File) -> Option<Said<'f>> {
        let mut first = None;
        let (mut named, mut taken) = (BTreeSet::new(), BTreeSet::new());
        let mut unknown = None;
        for list in &file.filters.lists {
            let mut of_list = BTreeSet::new();
            let mut taken_by = Vec::new();
            for entry in &list.entries {
                let mut by_entry = Vec::new();
                for (number, image) in self.images.iter().enumerate() {
                    if image.is_taken_by(entry) {
                        by_entry.push(number);
                    }
                }
                if !entry.is_negated {
                    of_list.extend(by_entry.iter().copied());
                }
                taken_by.push(by_entry);
            }
            if of_list.len() == self.images.len() {
                continue;
            }
            for (entry, by_entry) in list.entries.iter().zip(taken_by) {
                unknown = unknown.or(entry.error());
                for number in by_entry.into_iter().filter(|number| self.images[*number].is_spelled_in(entry)) {
                    taken.insert(number);
                    if !entry.is_negated {
                        first = first.or(Some(entry));
                        named.insert(number);
                    }
                }
            }
            taken.extend(of_list);
        }
        Some(Said { file, first: first?, named, taken, unknown })
    }

    fn left_out(&self, said: &Said<'_>, image: &Filtered<'_>) -> Diagnostic {
        let path = &said.file.path;
        let location = said.file.location(said.first);
        if let Some(reason) = said.unknown {
            let message = format!("cannot tell whether {path} starts something for {}: {reason}", image.name);
            return Diagnostic::about("unknown", message, location).image(&image.name.into()).at_most(Level::Note);
        }
        let of = if self.name.is_empty() { "of the repository".to_owned() } else { format!("below {}", self.name) };
        let all = counted(self.images.len(), "image");
        let message = format!("{path} names {} of {all} {of}, and not {}", said.named.len(), image.name);
        let help = format!(
            "have it take {}/, too; if that is left out on purpose, name it in the rule's `exempt`",
            image.directory
        );
        Diagnostic::about("left out", message, location).image(&image.name.into()).help(help)
    }
}
