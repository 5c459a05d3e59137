//! The program and its commands.

use clap::{Parser, Subcommand};

use super::change::{Bump, Waive};
use super::common::{Colour, PolicyOptions};
use super::judge::{Check, Replay};
use super::setup::{Hook, Init, MergeDriver};
use super::show::{Affected, ClaimsOf, ExplainFormat, Graph, Inspect, ListFormat, SchemaFile, Status};

/// Checks a change to container images against the repository's policies.
#[derive(Debug, Parser)]
#[command(name = "imglint", version, about, long_about = LONG_ABOUT, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    /// What to do; to check, if nothing else is said.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Options of `check`.
    #[command(flatten)]
    pub(crate) check: Check,
}

impl Cli {
    /// When to use colours, whatever the command.
    pub(crate) fn color(&self) -> Colour {
        match &self.command {
            None => self.check.common.output.color,
            Some(Command::Check(check)) => check.common.output.color,
            Some(Command::Inspect(inspect)) => inspect.common.output.color,
            Some(Command::Status(status)) => status.common.output.color,
            Some(Command::Affected(affected)) => affected.common.output.color,
            Some(Command::Graph(graph)) => graph.common.output.color,
            Some(Command::Claims(claims)) => claims.common.output.color,
            Some(Command::Replay(replay)) => replay.common.output.color,
            Some(Command::Bump(bump)) => bump.common.output.color,
            Some(Command::Waive(waive)) => waive.common.output.color,
            Some(
                Command::Explain { .. }
                | Command::Rules { .. }
                | Command::Demo
                | Command::Init(_)
                | Command::Hook(_)
                | Command::MergeDriver(_)
                | Command::Schema { .. }
                | Command::Completions { .. }
                | Command::Man { .. },
            ) => Colour::Auto,
        }
    }
}

const LONG_ABOUT: &str = "\
Checks a change to container images against the repository's policies.

imglint compares what you changed with the branch that it is to be merged into, and says where a policy is broken, why, and \
what to do. In CI it judges the commit; elsewhere it judges the working tree.";

const AFTER_HELP: &str = "\
Examples:
  imglint                         judge what this branch changes, uncommitted files included
  imglint --staged                judge what would be committed
  imglint --all                   judge everything
  imglint --base origin/main      compare with the merge base of origin/main and HEAD
  imglint --fix                   repair what can be repaired
  imglint --diff | git apply      the same, by way of git
  imglint bump agnhost            a new version of agnhost, its children rebased and bumped
  imglint explain stale-version   why a rule exists, with an example
  imglint init --hook             set it up here, with the hooks of git
  imglint demo                    see it at work in a small repository

Exit codes:
  0  nothing that fails the gate
  1  findings that do
  2  imglint could not judge: wrong usage or configuration, a clone that is not whole, a file that cannot be read;
     or it judged, and could not write a repair or a report";

/// What imglint does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge the change; this is the default
    Check(Check),
    /// Say why a rule exists, with an example
    Explain {
        /// The rule's name; `imglint rules` lists them all
        #[arg(value_name = "RULE")]
        rule: String,
        /// The form
        #[arg(long, value_name = "F", default_value = "human")]
        format: ExplainFormat,
        /// Where to find the rules
        #[command(flatten)]
        policy: PolicyOptions,
    },
    /// Give images their next version, with everything that follows from it
    Bump(Bump),
    /// List the rules
    Rules {
        /// The form of the list; `markdown` is a page with all that is known of them
        #[arg(long, value_name = "F", default_value = "human")]
        format: ListFormat,
        /// Where to find the rules
        #[command(flatten)]
        policy: PolicyOptions,
    },
    /// Show images, versions, references and stages as imglint understands them
    Inspect(Inspect),
    /// Show where each image stands: version, promoted, used, children; with --base, the checklist of a change
    Status(Status),
    /// List the images that the change touches, and why, parents first
    Affected(Affected),
    /// Draw who is built on whom, with versions; with --base, what a change touches
    Graph(Graph),
    /// Judge each change of the history, to see what the gate would have said to it
    Replay(Replay),
    /// Let findings pass, with a reason: in a Dockerfile's comment, a commit's trailer or imglint.toml
    Waive(Waive),
    /// Print the versions that the change takes, for others to take none of them: a list for `--claims`
    Claims(ClaimsOf),
    /// Show imglint at work in a small repository, made and removed for it
    Demo,
    /// Write imglint.toml for this repository, and on request what runs imglint in it
    Init(Init),
    /// Judge every commit and push: write, remove or run git's hooks
    #[command(subcommand)]
    Hook(Hook),
    /// Merge a file that says versions: git calls this, once `imglint hook install --merge-driver` has set it up
    MergeDriver(MergeDriver),
    /// Print the JSON schema of imglint.toml, or of a file of a pack, for editors
    #[command(after_help = SCHEMA_HELP)]
    Schema {
        /// The kind of file
        #[arg(value_name = "FILE", default_value = "config")]
        file: SchemaFile,
    },
    /// Print what completes imglint's commands in a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = MAN_HELP)]
    Man {
        /// The command that it is about; imglint itself, if none is named
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
}

const SCHEMA_HELP: &str = "\
Editors that know TOML (Even Better TOML, Taplo, Tombi) complete, explain and check what a schema describes. They take it from the \
first line of a file:

  #:schema ./.imglint.schema.json

Examples:
  imglint schema > .imglint.schema.json             of imglint.toml, beside it
  imglint schema pack                               of pack.toml, in a pack
  imglint schema rule                               of the file of a rule";

const COMPLETIONS_HELP: &str = "\
What is printed asks imglint at every press of Tab, so that it knows the rules, images, branches and tags that are there. It \
belongs to this version of imglint: let the shell read it anew when it starts, and keep no copy.

Examples:
  source <(imglint completions bash)                           in ~/.bashrc
  source <(imglint completions zsh)                            in ~/.zshrc, below compinit
  imglint completions fish | source                            in ~/.config/fish/config.fish
  imglint completions powershell | Out-String | Invoke-Expression      in $PROFILE
  eval (imglint completions elvish | slurp)                    in ~/.config/elvish/rc.elv";

const MAN_HELP: &str = "\
Examples:
  imglint man | man -l -                                       read it
  imglint man hook install | man -l -                          of one command
  imglint man > ~/.local/share/man/man1/imglint.1              keep it";
