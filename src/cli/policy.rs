//! Which rules hold: from options, configuration and the repository itself to a pack.

use std::path::Path;
use std::sync::Arc;

use super::args::{PolicyOptions as Options, Target};
use super::exit::Error;
use crate::config_file::{CONFIG_FILE, Config};
use crate::environment::Environment;
use crate::finding::RuleId;
use crate::git::{Base, GitError, Head, PolicyTree, Repository};
use crate::inputs::{Inputs, Jobs, Promoted, RegistryList};
use crate::pack::{BUILT_IN, BuiltIn, Pack, PackFiles, read_config};
use crate::shape::{ManifestOrder, Shape};
use crate::suggest::suggest;
use crate::text::{Text, escape};
use crate::toml_source::{ConfigError, Source};
use crate::waiver::{self, Day, Waiver, Waivers};

/// Why there is no pack to judge by.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum PackError {
    #[error("imglint does not recognise this repository")]
    #[diagnostic(help(
        "run `imglint init`, or choose a pack in imglint.toml at the root of the repository:\n    pack = \"generic\"\n    \
         shape.images.roots = [\"images\"]    # where the directories with VERSION files lie"
    ))]
    Unrecognised,
    #[error("imglint.toml lies on disk, but is no part of the {0} that is judged")]
    #[diagnostic(help("`git add` and commit it, or name it: `--config imglint.toml`"))]
    NotThere(&'static str),
    #[error("there is no pack `{}`", escape(.0))]
    #[diagnostic(help("{1}, or a directory with a pack.toml"))]
    Unknown(String, String),
    #[error("failed to read {path}: {source}")]
    #[diagnostic(help("check the path that `{option}` was given"))]
    Unreadable { path: String, option: &'static str, source: std::io::Error },
}

impl PackError {
    /// For a file or a directory that an option names.
    fn unreadable(path: &str, option: &'static str) -> impl Fn(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Unreadable { path: path.clone(), option, source }
    }
}

/// The pack that a run judges by, and what is to be said of how it was chosen.
pub(super) struct Chosen {
    pub(super) pack: Pack,
    pub(super) notes: Vec<String>,
    /// The waivers of the configuration that judges.
    waivers: Vec<Waiver>,
    /// Those of the configuration as the change leaves it.
    after: Vec<Waiver>,
    /// Those of the configuration of the base.
    before: Vec<Waiver>,
    /// The rules of the pack as the change leaves it, where another one judges.
    rules: Vec<RuleId>,
}

/// What is judged when nothing is said: in CI the commit, elsewhere the working tree. Under pre-commit it is what is pushed or
/// committed: the index, since files that git does not know are no part of the commit and lie in the working tree all the same.
pub(super) fn head(target: &Target, repository: &Repository, environment: &Environment) -> Head {
    let pushed = environment.get("PRE_COMMIT_TO_REF").filter(|_| !target.staged && !target.worktree);
    match target.head.as_deref().or(pushed) {
        Some(revision) => Head::Commit(revision.to_owned()),
        None if target.staged => Head::Index,
        None if target.worktree => Head::Worktree,
        None if environment.ci().is_some() || repository.root().is_none() => Head::Commit("HEAD".to_owned()),
        None if environment.get("PRE_COMMIT").is_some() => Head::Index,
        None => Head::Worktree,
    }
}

/// Chooses the pack, or fails where none is named and none recognised.
pub(super) fn choose(
    options: &Options,
    repository: &Repository,
    base: &Base,
    head: &Head,
    environment: &Environment,
) -> Result<Chosen, Error> {
    find(options, repository, base, head, environment)?.ok_or_else(|| {
        let is_on_disk = repository.root().is_some_and(|root| root.join(CONFIG_FILE).is_file());
        if is_on_disk && *head != Head::Worktree { PackError::NotThere(head.kind()) } else { PackError::Unrecognised }
            .into()
    })
}

/// Finds the pack; `None` where none is named and none recognised. In CI, configuration and a repository's own pack are read from
/// the base, so that a change cannot relax the policy that judges it.
fn find(
    options: &Options,
    repository: &Repository,
    base: &Base,
    head: &Head,
    environment: &Environment,
) -> Result<Option<Chosen>, Error> {
    let of_head = repository.policy_of_head(head)?;
    let of_base = match environment.ci() {
        Some(_) => repository.policy_of_base(base)?,
        None => None,
    };
    // A base that says nothing of its policy, and is not recognised, leaves it to head.
    let alone = of_base.as_ref().map(|base| PolicyTrees { repository, options, trees: vec![base] });
    let is_decided = match &alone {
        Some(alone) => alone.file(CONFIG_FILE)?.is_some() || alone.recognise()?.is_some(),
        None => false,
    };
    let judge = match alone {
        Some(alone) if is_decided => alone,
        _ => PolicyTrees { repository, options, trees: of_base.iter().chain([&of_head]).collect() },
    };
    let Some((pack, config, how)) = judge.load()? else { return Ok(None) };
    // When the manifest follows is said by the tree that the change is made to.
    let documented = repository.policy_of_base(base)?;
    let order = manifest_order(&pack.shape, repository, documented.as_ref().unwrap_or(&of_head))?;
    let order = order.map(|order| format!("; {order}")).unwrap_or_default();
    let mut notes = vec![format!("pack: {} ({how}){order}", pack.name)];
    if of_base.is_some() && !is_decided {
        notes.push("note: the base has no policy yet; this change is judged by its own".to_owned());
    }
    let waivers = waivers_of(config);
    let (mut after, mut rules) = (waivers.clone(), Vec::new());
    if of_base.is_some() {
        // What the change makes of the policy does not judge it, but must be usable once it is merged.
        let sources = PolicyTrees { repository, options, trees: vec![&of_head] };
        let (pack, config, _) = sources.load()?.ok_or(PackError::Unrecognised)?;
        after = waivers_of(config);
        rules = pack.rules.into_iter().map(|rule| rule.id).collect();
        if judge.texts()? != sources.texts()? {
            notes.push("note: this change edits the policy; it is judged by the policy of the base, and its own holds once it is merged".to_owned());
        }
    }
    let base = if after.is_empty() { None } else { repository.policy_of_base(base)? };
    // A configuration that could not be read let nothing pass.
    let before = base.and_then(|base| PolicyTrees { repository, options, trees: vec![&base] }.config().ok()?);
    Ok(Some(Chosen { pack, notes, waivers, after, before: waivers_of(before), rules }))
}

/// When the manifest of a tree follows, to be told; `None` where the tree has none, or that cannot be read: then the rules that need
/// it will say so.
pub(super) fn manifest_order(
    shape: &Shape,
    repository: &Repository,
    tree: &PolicyTree,
) -> Result<Option<ManifestOrder>, GitError> {
    let Some(manifest) = &shape.manifest else { return Ok(None) };
    if !tree.has(repository, &manifest.path)? {
        return Ok(None);
    }
    match manifest.order(|path| tree.file(repository, path).map(|bytes| bytes.map(|bytes| Arc::new(Text::new(bytes)))))
    {
        Ok(order) => Ok(Some(order)),
        Err(GitError::Policy { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn waivers_of(config: Option<Config>) -> Vec<Waiver> {
    config.map_or_else(Vec::new, Config::into_waivers)
}

/// The pack that the files of `head` are recognised by, and the file that tells.
pub(super) fn recognised(repository: &Repository, head: &Head) -> Result<Option<(&'static str, String)>, Error> {
    let options = Options { repo: None, config: None, pack: None };
    let tree = repository.policy_of_head(head)?;
    PolicyTrees { repository, options: &options, trees: vec![&tree] }.recognise()
}

/// The trees in which policy is looked for; the first that has it wins.
struct PolicyTrees<'a> {
    repository: &'a Repository,
    options: &'a Options,
    trees: Vec<&'a PolicyTree>,
}

impl PolicyTrees<'_> {
    /// The pack, the configuration, and how the pack was chosen; `None` where none is named and none recognised.
    fn load(&self) -> Result<Option<(Pack, Option<Config>, String)>, Error> {
        let config = self.config()?;
        let named = config.as_ref().and_then(|config| config.pack.as_ref());
        let (name, how) = match (&self.options.pack, named) {
            (Some(name), _) => (name.clone(), "--pack".to_owned()),
            (None, Some(named)) => (named.name.clone(), CONFIG_FILE.to_owned()),
            (None, None) => {
                let Some((name, marker)) = self.recognise()? else { return Ok(None) };
                (name.to_owned(), format!("recognised by {marker}"))
            }
        };
        let Some(files) = self.open(&name)? else {
            return Err(match (&config, named) {
                (Some(config), Some(named)) if self.options.pack.is_none() => {
                    ConfigError(vec![config.unknown_pack(named, BuiltIn::names())]).into()
                }
                _ => PackError::Unknown(name.clone(), suggest(&name, BuiltIn::names())).into(),
            });
        };
        let pack = Pack::load(self.extended(files)?, config.as_ref())?;
        Ok(Some((pack, config, how)))
    }

    /// The files of a pack, as far as they are its own.
    fn open(&self, name: &str) -> Result<Option<PackFiles>, Error> {
        match BuiltIn::named(name) {
            Some(pack) => Ok(Some(pack.pack_files())),
            None if self.options.pack.is_some() => on_disk(Path::new(name)),
            None => self.in_tree(name.trim_end_matches('/')),
        }
    }

    /// A pack with the rules of those that it extends: one of the program, or a directory beside its files.
    fn extended(&self, mut files: PackFiles) -> Result<PackFiles, Error> {
        let mut packs = vec![directory(&files.name)];
        let mut next = files.extends();
        while let Some(extends) = next {
            let mut name = extends.pack.name.clone();
            if BuiltIn::named(&name).is_none() {
                let above = packs.last().map_or("", String::as_str);
                name = directory(&format!("{above}/{name}"));
            }
            if packs.contains(&name) {
                return Err(ConfigError(vec![extends.in_a_circle(&packs)]).into());
            }
            let Some(other) = self.open(&name)? else { return Err(ConfigError(vec![extends.unknown()]).into()) };
            next = other.extends();
            files.extend(other);
            packs.push(name);
        }
        Ok(files)
    }

    fn config(&self) -> Result<Option<Config>, Error> {
        let source = match &self.options.config {
            Some(file) => Some(read(file, "--config")?),
            None => self.file(CONFIG_FILE)?.map(|text| Source::new(CONFIG_FILE, text)),
        };
        Ok(source.as_ref().map(read_config).transpose()?)
    }

    fn file(&self, path: &str) -> Result<Option<String>, Error> {
        for tree in &self.trees {
            if let Some(bytes) = tree.file(self.repository, path)? {
                return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        Ok(None)
    }

    fn recognise(&self) -> Result<Option<(&'static str, String)>, Error> {
        for pack in BUILT_IN {
            for marker in pack.markers() {
                for tree in &self.trees {
                    if tree.has(self.repository, &marker)? {
                        return Ok(Some((pack.name, marker)));
                    }
                }
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

    /// All that the policy says, to be compared.
    fn texts(&self) -> Result<Vec<String>, Error> {
        // A configuration that the command line names is no part of either tree.
        let file = if self.options.config.is_none() { self.file(CONFIG_FILE)? } else { None };
        let mut texts: Vec<String> = file.into_iter().collect();
        if let Some(named) = self.config()?.and_then(|config| config.pack)
            && let Some(pack) = self.in_tree(&named.name)?
        {
            let pack = self.extended(pack)?;
            texts.extend(pack.files.iter().map(|file| file.source.text.to_string()));
        }
        Ok(texts)
    }
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
    let failed = PackError::unreadable(&name, "--pack");
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

/// The pack around the current directory, or else nothing: what needs no repository must work without one.
pub(super) fn choose_if_any(options: &Options, environment: &Environment) -> Result<Option<Chosen>, Error> {
    let repository = match Repository::open(options.repo.as_deref(), environment) {
        Ok(repository) => repository,
        Err(GitError::NoRepository(_)) if options.repo.is_none() && options.pack.is_none() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let target = Target { head: None, staged: false, worktree: false };
    let head = head(&target, &repository, environment);
    find(options, &repository, &Base::whole(""), &head, environment)
}

/// Lets pass what configuration and commits say, unless the user wants to see that, too.
pub(super) fn waive(
    chosen: &mut Chosen,
    repository: &Repository,
    base: &Base,
    head: &Head,
    environment: &Environment,
) -> Result<(), Error> {
    let trailers = repository.trailers(base, head, waiver::TRAILER)?;
    let trailers: Vec<Waiver> = trailers.iter().map(waiver::of_trailer).collect();
    chosen.waivers.extend(trailers.iter().cloned());
    chosen.after.extend(trailers);
    chosen.pack.waivers = Some(Waivers {
        list: std::mem::take(&mut chosen.waivers),
        after: std::mem::take(&mut chosen.after),
        before: std::mem::take(&mut chosen.before),
        rules: std::mem::take(&mut chosen.rules),
        today: today(environment)?,
    });
    Ok(())
}

/// The day that waivers are judged on, in UTC. Where builds are reproduced, it is told:
/// <https://reproducible-builds.org/specs/source-date-epoch/>.
fn today(environment: &Environment) -> Result<Day, DateError> {
    let told = environment.get("SOURCE_DATE_EPOCH");
    Day::of_seconds(now(environment)?)
        .ok_or_else(|| told.map_or(DateError::Clock, |told| DateError::Told(told.to_owned())))
}

/// The time, in seconds since 1970; where builds are reproduced, the one that is told.
pub(super) fn now(environment: &Environment) -> Result<i64, DateError> {
    if let Some(told) = environment.get("SOURCE_DATE_EPOCH") {
        return told.parse().map_err(|_| DateError::Told(told.to_owned()));
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map(|now| now.as_secs().cast_signed()).map_err(|_| DateError::Clock)
}

/// Reads the files from outside that options and environment name.
pub(super) fn inputs(promoted: Option<&Path>, jobs: Option<&Path>, environment: &Environment) -> Result<Inputs, Error> {
    let mut inputs = Inputs::default();
    if let Some(path) = promoted {
        let source = read(path, "--promoted")?;
        inputs.promoted = Some(Promoted::read(&source).map_err(|error| ConfigError(vec![error]))?.into());
    }
    if let Some(path) = jobs {
        inputs.jobs = Some(Jobs::new(&read(path, "--jobs")?));
    }
    if let Some(path) = environment.get("KUBE_TEST_REPO_LIST") {
        let source = read(Path::new(path), "KUBE_TEST_REPO_LIST")?;
        inputs.registries = Some(RegistryList { path: source.name, text: Text::from(&*source.text).into() });
    }
    Ok(inputs)
}

/// Reads a file that an option or a variable names.
fn read(path: &Path, option: &'static str) -> Result<Source, PackError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(PackError::unreadable(&name, option))?;
    Ok(Source::new(&name, text))
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(super) enum DateError {
    #[error("the clock is wrong, so no waiver can be judged")]
    #[diagnostic(help("set the clock, or SOURCE_DATE_EPOCH to seconds since 1970; `--no-waivers` does without"))]
    Clock,
    #[error("SOURCE_DATE_EPOCH is `{}`, which is no date", escape(.0))]
    #[diagnostic(help("set it to seconds since 1970, or leave it out; `--no-waivers` does without"))]
    Told(String),
}
