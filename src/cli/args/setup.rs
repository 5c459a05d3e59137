//! The commands that set imglint up, and those that others than people call.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `imglint init`.
#[derive(Debug, Clone, Args)]
#[command(after_help = INIT_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Init {
    /// Write the hooks of git, too, as `imglint hook install` does
    #[arg(long, help_heading = "What runs imglint")]
    pub(crate) hook: bool,

    /// Write a presubmit job for Prow, too: .prow/imglint.yaml
    #[arg(long, help_heading = "What runs imglint")]
    pub(crate) prow: bool,

    /// Write a workflow for GitHub, too: .github/workflows/imglint.yml
    #[arg(long, help_heading = "What runs imglint")]
    pub(crate) github: bool,

    /// Write the JSON schema of imglint.toml, too, for editors: .imglint.schema.json
    #[arg(long, help_heading = "What edits it")]
    pub(crate) schema: bool,

    /// The repository, if it is not the one around the current directory
    #[arg(long, value_name = "DIR", help_heading = "Repository and policy")]
    pub(crate) repo: Option<PathBuf>,
}

const INIT_HELP: &str = "\
Nothing is overwritten: where one of the files is there already, none is written. An imglint.toml that is there is kept \
where something else is asked for.

Examples:
  imglint init                    imglint.toml alone
  imglint init --hook             and the hooks of git
  imglint init --prow             and a job for Prow
  imglint init --schema           and what has an editor complete and check it";

/// `imglint hook`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Hook {
    /// Write the hooks pre-commit and pre-push
    #[command(after_help = INSTALL_HELP)]
    Install(Hooks),
    /// Remove the hooks that imglint wrote, and nothing else
    Uninstall(Hooks),
    /// Do what a hook does; this is what hooks call
    Run {
        /// The hook
        #[arg(value_name = "HOOK")]
        hook: HookName,
        /// What git passes to the hook
        #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, hide = true)]
        arguments: Vec<String>,
    },
}

const INSTALL_HELP: &str = "\
The hook pre-commit judges what would be committed, pre-push what would be pushed: also what merges and rebases brought, \
for which git runs no pre-commit. A hook that is there already is left as it is, and what to add to it is printed.

Examples:
  imglint hook install                    both
  imglint hook install --pre-push         not every commit, only what others will see
  imglint hook install --merge-driver     what merges versions that two branches took";

/// Which hooks are meant.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Hooks {
    /// The hook that judges what is committed; both hooks, if none is named
    #[arg(long, help_heading = "Hooks")]
    pub(crate) pre_commit: bool,

    /// The hook that judges what is committed by its message, too, in place of pre-commit: for trailers that waive
    #[arg(long, conflicts_with = "pre_commit", help_heading = "Hooks")]
    pub(crate) commit_msg: bool,

    /// The hook that judges what is pushed
    #[arg(long, help_heading = "Hooks")]
    pub(crate) pre_push: bool,

    /// What merges versions that two branches took: the driver alone, if no hook is named
    #[arg(long, help_heading = "Hooks")]
    pub(crate) merge_driver: bool,

    /// The repository, if it is not the one around the current directory
    #[arg(long, value_name = "DIR", help_heading = "Repository and policy")]
    pub(crate) repo: Option<PathBuf>,
}

/// A hook of git.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HookName {
    /// Judges what is about to be committed
    PreCommit,
    /// The same, with what the message waives
    CommitMsg,
    /// Judges what is about to be pushed
    PrePush,
}

/// `imglint merge-driver`.
#[derive(Debug, Clone, Args)]
#[command(after_help = MERGE_DRIVER_HELP)]
pub(crate) struct MergeDriver {
    /// The file as both sides had it: %O
    #[arg(value_name = "ANCESTOR")]
    pub(crate) ancestor: PathBuf,

    /// The file as it is here, which is replaced by the merged one: %A
    #[arg(value_name = "OURS")]
    pub(crate) ours: PathBuf,

    /// The file as it is on the other side: %B
    #[arg(value_name = "THEIRS")]
    pub(crate) theirs: PathBuf,

    /// Its path in the repository: %P
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// The size of conflict marks: %L
    #[arg(long, value_name = "N")]
    pub(crate) marker_size: Option<usize>,

    /// What the common ancestor is called: %S
    #[arg(long, value_name = "NAME")]
    pub(crate) ancestor_name: Option<String>,

    /// What is merged into: %X
    #[arg(long, value_name = "NAME")]
    pub(crate) our_name: Option<String>,

    /// What is merged: %Y
    #[arg(long, value_name = "NAME")]
    pub(crate) their_name: Option<String>,
}

const MERGE_DRIVER_HELP: &str = "\
A version that both sides raised becomes the next one that is free after both, and what names it follows. Every other \
conflict is left as git leaves it, with its marks.

Exit codes:
  0  the file is merged
  1  it holds conflicts";
