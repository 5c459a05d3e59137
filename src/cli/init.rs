//! `imglint init`: the configuration of a repository, and what runs imglint in it.

use std::fmt::Write as _;
use std::path::Path;

use miette::Diagnostic;

use super::args::{HookName, Init};
use super::due::{self, Tendency};
use super::exit::{CLEAN, Error};
use super::hook;
use super::policy::{manifest_order, recognised};
use super::policy_files::Recognised;
use super::proposal::{Configuration, configuration_of};
use super::terminal::print;
use crate::config_file::CONFIG_FILE;
use crate::environment::Environment;
use crate::git::{Base, GitError, Head, Repository};
use crate::pack::{BuiltIn, Pack, read_config};
use crate::report::json::to_string;
use crate::schema::{Described, schema};
use crate::shape::ManifestOrder;
use crate::site;
use crate::snapshot::Scope;
use crate::text::escape;
use crate::toml_source::Source;
use crate::write::{NewFile, WriteError, create};

/// Where Prow looks for jobs: in this file, or in this directory, but not in both.
const PROW_FILE: &str = ".prow.yaml";
const PROW_JOB: &str = ".prow/imglint.yaml";
const WORKFLOW: &str = ".github/workflows/imglint.yml";

/// The JSON schema of imglint.toml, beside it.
const SCHEMA: &str = ".imglint.schema.json";
/// What tells editors so.
const SCHEMA_LINE: &str = "#:schema ./.imglint.schema.json\n";

#[derive(Debug, thiserror::Error, Diagnostic)]
enum InitError {
    #[error(
        "{PROW_FILE} holds the jobs of this repository, and Prow would not read it any more beside .prow/. Nothing was written"
    )]
    #[diagnostic(help("move it: mkdir .prow && git mv {PROW_FILE} .prow/jobs.yaml; then run imglint again"))]
    ProwFile,
}

pub(super) fn run(options: &Init, environment: &Environment) -> Result<u8, Error> {
    let repository = Repository::open(options.repo.as_deref(), environment)?;
    let root = repository.root().ok_or(GitError::Bare("working tree"))?.to_owned();
    let mut notes = String::new();
    let mut files = Vec::new();

    let is_configured = root.join(CONFIG_FILE).symlink_metadata().is_ok();
    if is_configured && !(options.hook || options.prow || options.github || options.schema) {
        return Err(WriteError::Exists(CONFIG_FILE.into()).into());
    }
    if is_configured {
        let _ = writeln!(notes, "{CONFIG_FILE} is there already and stays as it is");
    } else {
        let Configuration { mut text, note, has_versions } = configuration(&repository)?;
        let _ = writeln!(notes, "{note}");
        if has_versions && let Some(Tendency { note, setting }) = tendency(&text, &repository)? {
            let _ = writeln!(notes, "{note}");
            text += &setting.unwrap_or_default();
        }
        let line = if options.schema { Some(SCHEMA_LINE.to_owned()) } else { published_schema_line() };
        files.push(new(&root, CONFIG_FILE, line.unwrap_or_default() + &text));
    }
    if options.prow {
        if root.join(PROW_FILE).symlink_metadata().is_ok() {
            return Err(InitError::ProwFile.into());
        }
        files.push(new(&root, PROW_JOB, prow(&scope(files.first(), &repository)?)));
    }
    if options.github {
        files.push(new(&root, WORKFLOW, fill(include_str!("templates/github.yml"), "")));
    }
    let shown_files = files.clone();
    if options.hook {
        let plan = hook::plan(&repository, &[HookName::PreCommit, HookName::PrePush])?;
        notes.push_str(&plan.notes);
        files.extend(plan.files);
    }
    if options.schema {
        files.push(new(&root, SCHEMA, to_string(&schema(Described::Config))));
    }
    create(&files)?;

    for file in &files {
        notes.push_str(&hook::written(std::slice::from_ref(file)));
        if shown_files.contains(file) {
            for line in file.text.lines() {
                let _ = writeln!(notes, "    {}", escape(line));
            }
        }
    }
    notes.push_str("\nNext:\n");
    if options.prow {
        let _ = writeln!(notes, "  put the registry of imglint's image into {PROW_JOB}");
    }
    if options.schema && is_configured {
        let _ = writeln!(notes, "  begin {CONFIG_FILE} with the line {}", SCHEMA_LINE.trim_end());
    }
    if options.github {
        let _ = writeln!(notes, "  put the owner and the commit of imglint's action into {WORKFLOW}");
    }
    notes.push_str(
        "  imglint --all         see what is wrong already\n  imglint rules         see what is looked for\n",
    );
    if !options.schema && published_schema_line().is_none() {
        let _ = writeln!(notes, "  imglint init --schema have an editor complete and check {CONFIG_FILE}");
    }
    print(&notes)?;
    Ok(CLEAN)
}

/// What tells editors the schema that is published with this build, if one is.
fn published_schema_line() -> Option<String> {
    site::address("schema/config.json").map(|address| format!("#:schema {address}\n"))
}

fn new(root: &Path, name: &str, text: String) -> NewFile {
    NewFile { path: root.join(name), text, is_executable: false }
}

fn configuration(repository: &Repository) -> Result<Configuration, Error> {
    if let Some(Recognised { pack, marker }) = recognised(repository, &Head::Worktree)? {
        let mut text = format!(
            "# How imglint judges this repository; `imglint rules` lists what it looks for.\npack = \"{pack}\"\n"
        );
        if let Some(order) = order_of(pack, repository)? {
            let _ = write!(
                text,
                "\n# When the manifest follows a new version; {}.\n# \"auto\" looks each time, \"same-change\" and \
                 \"after-promotion\" say it once and for all.\nshape.manifest.follows = \"{}\"\n",
                order.reason,
                order.setting()
            );
        }
        let note = format!("this is a repository for the pack {pack}: there is {marker}");
        return Ok(Configuration { text, note, has_versions: true });
    }
    let everything = Scope { directories: vec![String::new()], ..Scope::default() };
    let base = Base::whole("");
    let pair = repository.pair(&base, &Head::Worktree, &everything)?;
    configuration_of(&pair.head)
}

/// When versions are due, by what the history tells; `None` where no rule asks for versions.
fn tendency(config: &str, repository: &Repository) -> Result<Option<Tendency>, Error> {
    let config = read_config(&Source::new(CONFIG_FILE, config.to_owned()))?;
    let Some(built_in) = config.pack.as_ref().and_then(|pack| BuiltIn::named(&pack.name)) else { return Ok(None) };
    Ok(due::ask(&Pack::load(built_in.pack_files(), Some(&config))?, repository))
}

/// When the manifest of the repository follows, by what its files say; `None` where the pack or the repository has none.
fn order_of(pack: &str, repository: &Repository) -> Result<Option<ManifestOrder>, Error> {
    let Some(pack) = BuiltIn::named(pack) else { return Ok(None) };
    let shape = Pack::load(pack.pack_files(), None)?.shape;
    let tree = repository.policy_of_head(&Head::Worktree)?;
    Ok(manifest_order(&shape, repository, &tree)?)
}

/// What the pack reads that imglint.toml names: the one that is about to be written, or the one on disk.
fn scope(planned: Option<&NewFile>, repository: &Repository) -> Result<Scope, Error> {
    let text = if let Some(file) = planned {
        file.text.clone()
    } else {
        let tree = repository.policy_of_head(&Head::Worktree)?;
        let bytes = tree.file(repository, CONFIG_FILE)?.unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let config = read_config(&Source::new(CONFIG_FILE, text))?;
    let everything = Scope { directories: vec![String::new()], ..Scope::default() };
    let name = match &config.pack {
        Some(pack) => pack.name.clone(),
        None => {
            recognised(repository, &Head::Worktree)?.map_or_else(String::new, |recognised| recognised.pack.to_owned())
        }
    };
    // What a pack of the repository's own reads is its own affair: the job then runs for every change.
    let Some(built_in) = BuiltIn::named(&name) else { return Ok(everything) };
    let pack = Pack::load(built_in.pack_files(), Some(&config))?;
    let mut scope = pack.scope();
    if let Some(list) = pack.list() {
        let alone = Scope { files: vec![list.to_owned()], ..Scope::default() };
        let listed = pack.listed(&repository.pair(&Base::whole(""), &Head::Worktree, &alone)?)?;
        scope.add_files(&listed);
    }
    Ok(scope)
}

/// The job for Prow, which runs where a change touches what imglint reads.
fn prow(scope: &Scope) -> String {
    let run = if scope.directories.iter().any(String::is_empty) {
        "  always_run: true".to_owned()
    } else {
        let directories = scope.directories.iter().map(|directory| format!("{}/", regex::escape(directory)));
        let files = scope.files.iter().map(String::as_str).chain([CONFIG_FILE]);
        let paths: Vec<String> = directories.chain(files.map(|file| format!("{}$", regex::escape(file)))).collect();
        // In YAML's single quotes nothing but the quote itself has a meaning.
        format!("  run_if_changed: '^({})'", paths.join("|").replace('\'', "''"))
    };
    fill(include_str!("templates/prow.yaml"), &run)
}

fn fill(template: &str, run: &str) -> String {
    template.replace("@run@", run).replace("@version@", env!("CARGO_PKG_VERSION"))
}
