//! Shell completions. What a shell sources asks imglint itself at every press of Tab, so that rules, images and revisions are those
//! of the repository around it.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{CommandFactory as _, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter, complete};
use clap_complete::env::Shells;

use super::args::{Cli, PolicyOptions, Target};
use super::exit::{CLEAN, Error};
use super::policy::{choose, head};
use super::rules::{built_in, packs};
use super::terminal::{PrintError, print_bytes};
use crate::environment::Environment;
use crate::finding::Level;
use crate::git::{Base, Repository};
use crate::model::Model;
use crate::pack::BUILT_IN;
use crate::text::escape;

/// The variable in which a shell says that it asks, and which one it is.
const VARIABLE: &str = "IMGLINT_COMPLETE";

/// Prints what makes a shell ask.
pub(super) fn script(shell: clap_complete::Shell) -> Result<u8, Error> {
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(&shell.to_string()) {
        shell.write_registration(VARIABLE, "imglint", "imglint", &program(), &mut script).map_err(PrintError)?;
    }
    print_bytes(&script)?;
    Ok(CLEAN)
}

/// The program as it was called: by its name, which the shell looks up each time, or else from any directory.
fn program() -> String {
    let called = std::env::args_os().next().map_or_else(|| PathBuf::from("imglint"), PathBuf::from);
    let called = if called.components().count() > 1 { std::path::absolute(&called).unwrap_or(called) } else { called };
    called.to_string_lossy().into_owned()
}

/// Answers a shell, if one asks. The variable alone does not make a question: where it is set by mistake, changes are judged.
pub(super) fn answer(environment: &Environment) -> Option<Result<u8, Error>> {
    let shells = Shells::builtins();
    let shell = shells.completer(environment.get(VARIABLE)?)?;
    let mut words = std::env::args_os().skip(1);
    if words.next()? != "--" {
        return None;
    }
    let words: Vec<OsString> = words.collect();
    let question = Arc::new(Question { policy: policy_of(&words), environment: environment.clone() });
    let mut command = with_completers(Cli::command(), &question);
    let directory = std::env::current_dir().ok();
    let mut answer = Vec::new();
    let written = if shell.is("bash") {
        answer_bash(&mut command, words, environment, &mut answer)
    } else {
        shell.write_complete(&mut command, words, directory.as_deref(), &mut answer)
    };
    Some(match written {
        Ok(()) => print_bytes(&answer).map(|()| CLEAN),
        Err(error) => Err(PrintError(error).into()),
    })
}

/// What [`Shells`] answer to bash, but for words with a `=`: it asks for each of their parts as for a word, and replaces the last.
fn answer_bash(
    command: &mut clap::Command,
    words: Vec<OsString>,
    environment: &Environment,
    answer: &mut Vec<u8>,
) -> std::io::Result<()> {
    let at = environment.get("_CLAP_COMPLETE_INDEX").and_then(|at| at.parse().ok()).unwrap_or_default();
    let separator = environment.get("_CLAP_IFS").unwrap_or("\n");
    let (words, cut) = joined(words, at);
    let last = words.len().saturating_sub(1);
    for candidate in complete(command, words, last, std::env::current_dir().ok().as_deref())? {
        if let Some(part) = candidate.get_value().to_str().and_then(|value| value.get(cut..)) {
            let before = if answer.is_empty() { "" } else { separator };
            answer.extend(before.bytes().chain(part.bytes()));
        }
    }
    Ok(())
}

/// The words up to the one that is being written, put together again, and how much of that one stands before its last part.
fn joined(words: Vec<OsString>, at: usize) -> (Vec<OsString>, usize) {
    let mut whole: Vec<OsString> = Vec::new();
    let mut cut = 0;
    let mut was_cut = false;
    for word in words.into_iter().take(at + 1) {
        let is_cut = word == "=";
        cut = 0;
        match whole.last_mut().filter(|_| is_cut || was_cut) {
            Some(before) => {
                cut = before.len();
                before.push(&word);
            }
            None => whole.push(word),
        }
        was_cut = is_cut;
    }
    (whole, cut)
}

/// The repository and the policy that the words of a line name.
fn policy_of(words: &[OsString]) -> PolicyOptions {
    let mut policy = PolicyOptions::default();
    for (at, word) in words.iter().enumerate() {
        let Some(word) = word.to_str() else { continue };
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            // Bash cuts `--repo=DIR` into three.
            None => (word, words[at + 1..].iter().find(|next| *next != "=").and_then(|next| next.to_str())),
        };
        match option {
            "--repo" => policy.repo = value.map(PathBuf::from),
            "--config" => policy.config = value.map(PathBuf::from),
            "--pack" => policy.pack = value.map(str::to_owned),
            _ => {}
        }
    }
    policy
}

/// The command with what completes its values, which their names in the help tell.
fn with_completers(command: clap::Command, question: &Arc<Question>) -> clap::Command {
    let command = command.mut_args(|argument| {
        let name = argument.get_value_names().and_then(|names| names.first()).map(clap::builder::Str::as_str);
        let kind = match (name, argument.get_value_hint()) {
            (Some("RULE" | "ID" | "IDS"), _) => Kind::Rule,
            (Some("RULE=LEVEL"), _) => Kind::RuleAndLevel,
            (Some("IMAGE"), _) => Kind::Image,
            (Some("REV"), _) => Kind::Revision,
            (Some("NAME-OR-DIR"), _) => Kind::Pack,
            (Some("DIR"), _) => Kind::Directory,
            (_, ValueHint::AnyPath) => Kind::Path,
            _ => return argument,
        };
        argument.add(ArgValueCompleter::new(Completer { kind, question: Arc::clone(question) }))
    });
    command.mut_subcommands(|command| with_completers(command, question))
}

/// What a value is.
#[derive(Clone, Copy)]
enum Kind {
    Rule,
    RuleAndLevel,
    Image,
    Revision,
    Pack,
    Directory,
    Path,
}

/// What a question is asked about.
struct Question {
    policy: PolicyOptions,
    environment: Environment,
}

/// Completes the values of one kind.
struct Completer {
    kind: Kind,
    question: Arc<Question>,
}

impl ValueCompleter for Completer {
    /// What cannot be read completes nothing: there is no place for an error on a line that is being written.
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let mut candidates = match self.kind {
            Kind::Rule => self.question.rules(),
            Kind::RuleAndLevel => self.question.levels(current),
            Kind::Image => self.question.images().unwrap_or_default(),
            Kind::Revision => self.question.revisions().unwrap_or_default(),
            Kind::Pack => packs_and_directories(current),
            Kind::Directory => PathCompleter::dir().complete(current),
            Kind::Path => PathCompleter::any().complete(current),
        };
        let begin = current.as_encoded_bytes();
        candidates.retain(|candidate| {
            candidate.get_value().as_encoded_bytes().starts_with(begin) && is_plain(candidate.get_value())
        });
        candidates
    }
}

impl Question {
    /// The rules of the repository's pack, or else of all packs.
    fn rules(&self) -> Vec<CompletionCandidate> {
        let packs = packs(&self.policy, &self.environment).or_else(|_| built_in()).unwrap_or_default();
        let mut rules = Vec::new();
        for rule in packs.iter().flat_map(|pack| &pack.rules) {
            rules.push(described(&rule.id, &rule.summary));
        }
        // Packs share rules.
        rules.sort();
        rules.dedup_by(|one, other| one.get_value() == other.get_value());
        rules
    }

    /// `RULE=`, and behind it the levels.
    fn levels(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        if let Some((rule, _)) = current.to_str().and_then(|current| current.split_once('=')) {
            return Level::NAMES.iter().map(|(name, _)| CompletionCandidate::new(format!("{rule}={name}"))).collect();
        }
        let mut rules = Vec::new();
        for rule in self.rules() {
            let mut value = rule.get_value().to_owned();
            value.push("=");
            rules.push(CompletionCandidate::new(value).help(rule.get_help().cloned()));
        }
        rules
    }

    /// The images, with their versions.
    fn images(&self) -> Result<Vec<CompletionCandidate>, Error> {
        let repository = Repository::open(self.policy.repo.as_deref(), &self.environment)?;
        let target = Target::default();
        let head = repository.pin(head(&target, &repository, &self.environment))?;
        let base = Base::whole("completions");
        let pack = choose(&self.policy, &repository, &base, &head, &self.environment)?.pack;
        let pair = repository.pair(&base, &head, &pack.scope())?;
        let model = Model::build(&pair.head, &pack.shape, None, None)?;
        let mut images = Vec::new();
        for image in model.images.values() {
            images.push(described(&image.name, image.version_identity().unwrap_or_default()));
        }
        Ok(images)
    }

    /// HEAD, branches and tags.
    fn revisions(&self) -> Result<Vec<CompletionCandidate>, Error> {
        let repository = Repository::open(self.policy.repo.as_deref(), &self.environment)?;
        let mut revisions = vec![CompletionCandidate::new("HEAD")];
        revisions.extend(repository.revision_names()?.into_iter().map(CompletionCandidate::new));
        Ok(revisions)
    }
}

fn packs_and_directories(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut packs: Vec<CompletionCandidate> = BUILT_IN.iter().map(|pack| CompletionCandidate::new(pack.name)).collect();
    packs.extend(PathCompleter::dir().complete(current));
    packs
}

/// A candidate with some words about it, which may be a stranger's.
fn described(value: &str, words: &str) -> CompletionCandidate {
    let help = (!words.is_empty()).then(|| escape(words).to_string().into());
    CompletionCandidate::new(value).help(help)
}

/// Whether a shell takes this for a word as it stands. Some put a candidate on the line unquoted, and the names of files, images and
/// branches are a stranger's: `;` in one would end the command, and begin another.
fn is_plain(value: &OsStr) -> bool {
    let Some(value) = value.to_str() else { return false };
    let begins_plainly = value.starts_with(|first: char| first.is_alphanumeric() || "._/".contains(first));
    begins_plainly && value.chars().all(|letter| letter.is_alphanumeric() || "._/-+=:@".contains(letter))
}
