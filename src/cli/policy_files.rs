//! Where policy is read from: the trees of a change, and what the command line names on disk.

use std::fmt::{self, Formatter};
use std::path::{Path, PathBuf};

use super::args::PolicyOptions;
use super::exit::Error;
use crate::config_file::{CONFIG_FILE, Config, PackName};
use crate::git::{PolicyTree, Repository};
use crate::pack::{BUILT_IN, BuiltIn, Pack, PackFiles, read_config};
use crate::path::directory_of;
use crate::suggest::suggest;
use crate::text::escape;
use crate::toml_source::{ConfigError, Source};

/// Why a pack or a configuration cannot be had.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(super) enum PolicyFileError {
    #[error("there is no pack `{}`", escape(.0))]
    #[diagnostic(help("{1}, or a directory with a pack.toml"))]
    Unknown(String, String),
    #[error("failed to read {path}: {source}")]
    #[diagnostic(help("check the path that `{option}` was given"))]
    Unreadable { path: String, option: &'static str, source: std::io::Error },
}

impl PolicyFileError {
    /// For a file or a directory that an option names.
    fn unreadable(path: &str, option: &'static str) -> impl Fn(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Unreadable { path: path.clone(), option, source }
    }
}

/// A file or a directory of the policy. What the repository itself says can name nothing outside of it: whoever writes a change must not
/// choose what a machine of others reads.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// In the trees, by its path from the root.
    Tree(String),
    /// On disk, as the command line names it, or what lies there.
    Disk(PathBuf),
}

impl Place {
    /// What a file in this directory means by a path; `None` where that would lead out of the repository.
    fn join(&self, path: &str) -> Option<Self> {
        match self {
            Self::Disk(directory) => Some(Self::Disk(directory.join(path))),
            Self::Tree(_) if Path::new(path).is_absolute() => None,
            Self::Tree(above) => {
                let path =
                    directory(if above.is_empty() { path.to_owned() } else { format!("{above}/{path}") }.as_str());
                (path != ".." && !path.starts_with("../")).then_some(Self::Tree(path))
            }
        }
    }

    /// The directory that a file lies in.
    fn above(&self) -> Self {
        match self {
            Self::Tree(path) => Self::Tree(directory_of(path).to_owned()),
            Self::Disk(path) => Self::Disk(path.parent().unwrap_or(Path::new("")).to_owned()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree(path) => f.write_str(path),
            Self::Disk(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A configuration with all that it extends, and the directory in which the pack that it names is looked for.
struct Configured {
    config: Config,
    pack_above: Place,
}

/// What is loaded of the policy.
pub(super) struct Loaded {
    pub(super) pack: Pack,
    pub(super) config: Option<Config>,
    pub(super) how: How,
}

/// How a pack was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// This names it.
    Named(&'static str),
    /// Nothing names one, but the files of the repository tell.
    Recognised(Recognised),
}

/// A pack of the program, and the file that tells that a repository is of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recognised {
    pub(super) pack: &'static str,
    pub(super) marker: &'static str,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(by) => f.write_str(by),
            Self::Recognised(Recognised { marker, .. }) => write!(f, "recognised by {marker}"),
        }
    }
}

/// The trees in which policy is looked for; the first that has it wins.
pub(super) struct PolicyTrees<'a> {
    pub(super) repository: &'a Repository,
    pub(super) options: &'a PolicyOptions,
    pub(super) trees: Vec<&'a PolicyTree>,
}

impl PolicyTrees<'_> {
    /// The pack and the configuration; `None` where none is named and none recognised.
    pub(super) fn load(&self) -> Result<Option<Loaded>, Error> {
        let configured = self.configured()?;
        let named = configured.as_ref().and_then(|configured| configured.config.pack.as_ref());
        let (found, how) = match (&self.options.pack, &configured, named) {
            (Some(name), ..) => (self.open(name, &Place::Disk(PathBuf::new()))?, How::Named("--pack")),
            (None, Some(configured), Some(named)) => {
                (self.open_configured(named, &configured.pack_above)?, How::Named(CONFIG_FILE))
            }
            _ => {
                let Some(recognised) = self.recognise()? else { return Ok(None) };
                (self.open(recognised.pack, &Place::Tree(String::new()))?, How::Recognised(recognised))
            }
        };
        let Some((files, place)) = found else {
            let name = self.options.pack.clone().unwrap_or_default();
            return Err(match named {
                Some(named) if self.options.pack.is_none() => {
                    ConfigError(vec![Config::unknown_pack(named, BuiltIn::names())]).into()
                }
                _ => PolicyFileError::Unknown(name.clone(), suggest(&name, BuiltIn::names())).into(),
            });
        };
        let config = configured.map(|configured| configured.config);
        let mut pack = Pack::load(self.extended(files, place)?, config.as_ref())?;
        if self.options.preview {
            pack.ask_for_previews();
        }
        Ok(Some(Loaded { pack, config, how }))
    }

    /// The files of a pack, as far as they are its own, and their directory: one of the program, or one that a file in a directory names.
    fn open(&self, name: &str, above: &Place) -> Result<Option<(PackFiles, Place)>, Error> {
        if let Some(pack) = BuiltIn::named(name) {
            return Ok(Some((pack.pack_files(), Place::Tree(name.to_owned()))));
        }
        let Some(place) = above.join(name) else { return Ok(None) };
        let files = match &place {
            Place::Tree(directory) => self.in_tree(directory)?,
            Place::Disk(directory) => on_disk(directory)?,
        };
        Ok(files.map(|files| (files, place)))
    }

    /// The pack that a configuration names.
    fn open_configured(&self, named: &PackName, above: &Place) -> Result<Option<(PackFiles, Place)>, Error> {
        let found = self.open(&named.name, above)?;
        // A configuration on disk may be one for a pack of the repository.
        if found.is_none() && matches!(above, Place::Disk(_)) {
            return self.open(named.name.trim_end_matches('/'), &Place::Tree(String::new()));
        }
        Ok(found)
    }

    /// A pack with the rules of those that it extends: one of the program, or a directory beside its files.
    fn extended(&self, mut files: PackFiles, mut place: Place) -> Result<PackFiles, Error> {
        let mut packs = vec![plain(&place)];
        let mut next = files.extends();
        while let Some(extends) = next {
            let Some((other, of_other)) = self.open(&extends.name, &place)? else {
                let what = "pack, and no directory of this name beside the files of this one:";
                let known = BuiltIn::names();
                return Err(ConfigError(vec![extends.source.unknown(
                    extends.span.clone(),
                    what,
                    &extends.name,
                    known,
                )])
                .into());
            };
            place = of_other;
            refuse_circle(&mut packs, &place, &extends)?;
            next = other.extends();
            files.extend(other);
        }
        Ok(files)
    }

    /// The configuration with all that it extends.
    pub(super) fn config(&self) -> Result<Option<Config>, Error> {
        Ok(self.configured()?.map(|configured| configured.config))
    }

    fn configured(&self) -> Result<Option<Configured>, Error> {
        let (source, place) = match &self.options.config {
            Some(file) => (read(file, "--config")?, Place::Disk(file.clone())),
            None => match self.file(CONFIG_FILE)? {
                Some(text) => (Source::new(CONFIG_FILE, text), Place::Tree(CONFIG_FILE.to_owned())),
                None => return Ok(None),
            },
        };
        let mut config = read_config(&source)?;
        let mut pack_above = place.above();
        let mut files = vec![plain(&place)];
        let (mut next, mut above) = (config.extends.clone(), place.above());
        while let Some(extends) = next.take() {
            let place = above.join(&extends.name).ok_or_else(|| outside(&extends))?;
            refuse_circle(&mut files, &place, &extends)?;
            let source = match &place {
                Place::Tree(path) => self.file(path)?.map(|text| Source::new(path, text)),
                Place::Disk(path) if path.is_file() => Some(read(path, "--config")?),
                Place::Disk(_) => None,
            };
            let source = source.ok_or_else(|| {
                let error = extends.error(format!("there is no file {}", escape(&place.to_string())));
                ConfigError(vec![error.help("a configuration is named by its path from the directory of this one")])
            })?;
            let other = read_config(&source)?;
            above = place.above();
            if config.pack.is_none() && other.pack.is_some() {
                pack_above = above.clone();
                config.pack.clone_from(&other.pack);
            }
            next.clone_from(&other.extends);
            config.extend(other);
        }
        Ok(Some(Configured { config, pack_above }))
    }

    pub(super) fn file(&self, path: &str) -> Result<Option<String>, Error> {
        for tree in &self.trees {
            if let Some(bytes) = tree.file(self.repository, path)? {
                return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        Ok(None)
    }

    /// The pack of the program that the files of the trees tell, if one does.
    pub(super) fn recognise(&self) -> Result<Option<Recognised>, Error> {
        let markers: Vec<&str> = BUILT_IN.iter().flat_map(|pack| pack.markers).copied().collect();
        let mut present = Vec::new();
        for tree in &self.trees {
            present.extend(tree.present(self.repository, &markers)?);
        }
        for pack in BUILT_IN {
            if let Some(marker) = pack.markers.iter().find(|marker| present.contains(marker)) {
                return Ok(Some(Recognised { pack: pack.name, marker }));
            }
        }
        Ok(None)
    }

    /// A pack of the repository's own.
    fn in_tree(&self, directory: &str) -> Result<Option<PackFiles>, Error> {
        for tree in &self.trees {
            let mut files = Vec::new();
            for name in tree.list(self.repository, directory)? {
                let path = format!("{directory}/{name}");
                if is_rule(&name)
                    && let Some(bytes) = tree.file(self.repository, &path)?
                {
                    files.push(Source::new(&path, String::from_utf8_lossy(&bytes).into_owned()));
                }
            }
            if !files.is_empty() {
                return Ok(Some(PackFiles::new(directory.to_owned(), files)));
            }
        }
        Ok(None)
    }

    /// All that the policy says in the trees, to be compared.
    pub(super) fn texts(&self) -> Result<Vec<String>, Error> {
        let mut texts = Vec::new();
        let Some(Configured { config, pack_above }) = self.configured()? else { return Ok(texts) };
        // A configuration that the command line names is no part of either tree.
        if self.options.config.is_none() {
            texts.extend(config.sources().map(|source| source.text.to_string()));
        }
        if let Some(named) = &config.pack
            && BuiltIn::named(&named.name).is_none()
            && let Some((pack, place @ Place::Tree(_))) = self.open_configured(named, &pack_above)?
        {
            let pack = self.extended(pack, place)?;
            texts.extend(pack.files.iter().map(|file| file.source.text.to_string()));
        }
        Ok(texts)
    }
}

/// A place by which it is known again.
fn plain(place: &Place) -> String {
    directory(&place.to_string())
}

/// Notes a place, and refuses files or packs of which each extends the next, and the last one the first.
fn refuse_circle(known: &mut Vec<String>, place: &Place, extends: &PackName) -> Result<(), Error> {
    let name = plain(place);
    if known.contains(&name) {
        let error = extends.error(format!("{} extend each other", known.join(", ")));
        let error = error.help("let one of them extend none: what is common to all lies there");
        return Err(ConfigError(vec![error]).into());
    }
    known.push(name);
    Ok(())
}

/// The error of a path that leads out of the repository.
fn outside(extends: &PackName) -> ConfigError {
    let error = extends.error("this leads out of the repository, and a change could choose what is read there");
    ConfigError(vec![error.help(
        "keep the files here, as a submodule or a copy; or name the outer configuration: `--config FILE`, which may extend others",
    )])
}

/// A directory without `.` and `..`; one that leads out of the repository begins with `..`.
fn directory(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, ".." | "")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A pack in a directory that the user named.
fn on_disk(directory: &Path) -> Result<Option<PackFiles>, Error> {
    let name = directory.display().to_string();
    let failed = PolicyFileError::unreadable(&name, "--pack");
    if !directory.is_dir() {
        return Ok(None);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(&failed)? {
        let path = entry.map_err(&failed)?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(is_rule) {
            let text = std::fs::read_to_string(&path).map_err(&failed)?;
            files.push(Source::new(&path.display().to_string().replace('\\', "/"), text));
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(PackFiles::new(name, files)))
}

fn is_rule(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "toml")
}

/// Reads a file that an option or a variable names.
pub(super) fn read(path: &Path, option: &'static str) -> Result<Source, PolicyFileError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(PolicyFileError::unreadable(&name, option))?;
    Ok(Source::new(&name, text))
}
