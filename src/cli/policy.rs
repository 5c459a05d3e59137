//! Which rules hold: from options, configuration and the repository itself to a pack.

use std::path::Path;
use std::sync::Arc;

use super::args::{ClaimOptions, InputOptions, PolicyOptions as Options, Target};
use super::exit::Error;
use super::policy_files::{How, Loaded, PolicyTrees, Recognised, read};
use crate::config_file::{CONFIG_FILE, Config};
use crate::environment::Environment;
use crate::finding::RuleId;
use crate::git::{Base, GitError, Head, PolicyTree, Repository};
use crate::inputs::{Claims, Inputs, Jobs, Promoted, RegistryList};
use crate::pack::Pack;
use crate::shape::{ManifestOrder, Shape};
use crate::text::{Text, escape};
use crate::toml_source::ConfigError;
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
}

/// The pack that a run judges by, and what is to be said of how it was chosen.
pub(super) struct Chosen {
    pub(super) pack: Pack,
    /// Which it is, and why.
    pub(super) choice: String,
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
    let Some(Loaded { pack, config, how }) = judge.load()? else { return Ok(None) };
    let choice = format!("pack: {} ({how})", pack.name);
    let mut notes = Vec::new();
    if of_base.is_some() && !is_decided {
        notes.push("note: the base has no policy yet; this change is judged by its own".to_owned());
    }
    let waivers = waivers_of(config);
    let (mut after, mut rules) = (waivers.clone(), Vec::new());
    if of_base.is_some() {
        // What the change makes of the policy does not judge it, but must be usable once it is merged.
        let sources = PolicyTrees { repository, options, trees: vec![&of_head] };
        let is_edited = judge.texts()? != sources.texts()?;
        let is_same = match how {
            How::Named(_) => !is_edited,
            How::Recognised(recognised) => !is_edited && sources.recognise()? == Some(recognised),
        };
        if is_same {
            rules = pack.rules.iter().map(|rule| Arc::clone(&rule.id)).collect();
        } else {
            let Loaded { pack, config, .. } = sources.load()?.ok_or(PackError::Unrecognised)?;
            after = waivers_of(config);
            rules = pack.rules.into_iter().map(|rule| rule.id).collect();
        }
        if is_edited {
            notes.push(
                "note: this change edits the policy; it is judged by the policy of the base, and its own holds once it is \
                 merged"
                    .to_owned(),
            );
        }
    }
    if environment.ci().is_none()
        && judge.file(CONFIG_FILE)?.is_some()
        && let Some(tree) = repository.policy_of_base(base)?
        && edits_policy(&PolicyTrees { repository, options, trees: vec![&tree] }, &judge)?
    {
        notes.push(
            "note: this change edits the policy, which judges it here; in CI it is judged by the policy of the base"
                .to_owned(),
        );
    }
    let base = if after.is_empty() { None } else { repository.policy_of_base(base)? };
    // A configuration that could not be read let nothing pass.
    let before = base.and_then(|base| PolicyTrees { repository, options, trees: vec![&base] }.config().ok()?);
    Ok(Some(Chosen { pack, choice, notes, waivers, after, before: waivers_of(before), rules }))
}

/// When the manifest follows, to be said behind which pack was chosen. The tree that the change is made to tells it.
pub(super) fn order_note(shape: &Shape, repository: &Repository, base: &Base, head: &Head) -> Result<String, GitError> {
    let documented = match repository.policy_of_base(base)? {
        Some(tree) => tree,
        None => repository.policy_of_head(head)?,
    };
    let order = manifest_order(shape, repository, &documented)?;
    Ok(order.map(|order| format!("; {order}")).unwrap_or_default())
}

/// Whether the policy of the base is another than the one that judges. A base that has none, and is not recognised, leaves it to the
/// change in CI, too.
fn edits_policy(base: &PolicyTrees<'_>, judge: &PolicyTrees<'_>) -> Result<bool, Error> {
    Ok(base.texts()? != judge.texts()? && (base.file(CONFIG_FILE)?.is_some() || base.recognise()?.is_some()))
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
pub(super) fn recognised(repository: &Repository, head: &Head) -> Result<Option<Recognised>, Error> {
    let options = Options::default();
    let tree = repository.policy_of_head(head)?;
    PolicyTrees { repository, options: &options, trees: vec![&tree] }.recognise()
}

/// The pack around the current directory, or else nothing: what needs no repository must work without one.
pub(super) fn choose_if_any(options: &Options, environment: &Environment) -> Result<Option<Chosen>, Error> {
    let repository = match Repository::open(options.repo.as_deref(), environment) {
        Ok(repository) => repository,
        Err(GitError::NoRepository(_)) if options.repo.is_none() && options.pack.is_none() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let target = Target::default();
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
    for (commit, line) in repository.stray_trailers(base, head, waiver::TRAILER)? {
        chosen.notes.push(format!(
            "note: `{}` in the message of {commit} is no trailer, so it lets nothing pass: it must stand in the last paragraph, among \
             trailers alone",
            line.trim()
        ));
    }
    chosen.pack.waivers = Some(Waivers {
        list: std::mem::take(&mut chosen.waivers),
        after: std::mem::take(&mut chosen.after),
        before: std::mem::take(&mut chosen.before),
        rules: std::mem::take(&mut chosen.rules),
        today: today(environment)?,
    });
    Ok(())
}

/// The same where changes of the past are judged by the policy of today: its waivers are old to all of them. What their commits waive is
/// added to each.
pub(super) fn waive_replayed(chosen: &mut Chosen, environment: &Environment) -> Result<(), Error> {
    let list = std::mem::take(&mut chosen.waivers);
    let (after, before) = (list.clone(), list.clone());
    chosen.pack.waivers = Some(Waivers { list, after, before, rules: Vec::new(), today: today(environment)? });
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

/// Reads what open changes claim, where an option names a list.
pub(super) fn claims(options: &ClaimOptions, environment: &Environment) -> Result<Option<Arc<Claims>>, Error> {
    let Some(path) = &options.claims else { return Ok(None) };
    let own = options.who.clone().or_else(|| environment.pull_request());
    let claims = Claims::read(&read(path, "--claims")?, own.as_deref());
    Ok(Some(claims.map_err(|error| ConfigError(vec![error]))?.into()))
}

/// Reads the list of what is promoted.
pub(super) fn promoted(path: &Path) -> Result<Arc<Promoted>, Error> {
    let promoted = Promoted::read(&read(path, "--promoted")?);
    Ok(promoted.map_err(|error| ConfigError(vec![error]))?.into())
}

/// Reads the files from outside that options and environment name.
pub(super) fn inputs(options: &InputOptions, environment: &Environment) -> Result<Inputs, Error> {
    let mut inputs = Inputs::default();
    if let Some(path) = &options.promoted {
        inputs.promoted = Some(promoted(path)?);
    }
    if let Some(path) = &options.jobs {
        inputs.jobs = Some(Jobs::new(&read(path, "--jobs")?));
    }
    if let Some(path) = environment.get("KUBE_TEST_REPO_LIST") {
        let source = read(Path::new(path), "KUBE_TEST_REPO_LIST")?;
        inputs.registries = Some(RegistryList { path: source.name, text: Text::from(&*source.text).into() });
    }
    Ok(inputs)
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
