//! The command line, as clap reads it. Help, completions and the manual page all follow from here.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::finding::Level;
use crate::report::Format;
use crate::suggest::suggest;
use crate::waiver::Day;

/// Checks a change to container images against the repository's policies.
#[derive(Debug, Parser)]
#[command(name = "imglint", version, about, long_about = LONG_ABOUT, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(super) struct Cli {
    /// What to do; to check, if nothing else is said.
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    /// Options of `check`.
    #[command(flatten)]
    pub(super) check: Check,
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
pub(super) enum Command {
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

/// `imglint init`.
#[derive(Debug, Clone, Args)]
#[command(after_help = INIT_HELP)]
pub(super) struct Init {
    /// Write the hooks of git, too, as `imglint hook install` does
    #[arg(long, help_heading = "What runs imglint")]
    pub(super) hook: bool,

    /// Write a presubmit job for Prow, too: .prow/imglint.yaml
    #[arg(long, help_heading = "What runs imglint")]
    pub(super) prow: bool,

    /// Write a workflow for GitHub, too: .github/workflows/imglint.yml
    #[arg(long, help_heading = "What runs imglint")]
    pub(super) github: bool,

    /// The repository, if it is not the one around the current directory
    #[arg(long, value_name = "DIR", help_heading = "Repository and policy")]
    pub(super) repo: Option<PathBuf>,
}

const INIT_HELP: &str = "\
Nothing is overwritten: where one of the files is there already, none is written. An imglint.toml that is there is kept \
where something else is asked for.

Examples:
  imglint init                    imglint.toml alone
  imglint init --hook             and the hooks of git
  imglint init --prow             and a job for Prow";

/// `imglint merge-driver`.
#[derive(Debug, Clone, Args)]
#[command(after_help = MERGE_DRIVER_HELP)]
pub(super) struct MergeDriver {
    /// The file as both sides had it: %O
    #[arg(value_name = "ANCESTOR")]
    pub(super) ancestor: PathBuf,

    /// The file as it is here, which is replaced by the merged one: %A
    #[arg(value_name = "OURS")]
    pub(super) ours: PathBuf,

    /// The file as it is on the other side: %B
    #[arg(value_name = "THEIRS")]
    pub(super) theirs: PathBuf,

    /// Its path in the repository: %P
    #[arg(value_name = "PATH")]
    pub(super) path: String,

    /// The size of conflict marks: %L
    #[arg(long, value_name = "N")]
    pub(super) marker_size: Option<usize>,

    /// What the common ancestor is called: %S
    #[arg(long, value_name = "NAME")]
    pub(super) ancestor_name: Option<String>,

    /// What is merged into: %X
    #[arg(long, value_name = "NAME")]
    pub(super) our_name: Option<String>,

    /// What is merged: %Y
    #[arg(long, value_name = "NAME")]
    pub(super) their_name: Option<String>,
}

const MERGE_DRIVER_HELP: &str = "\
A version that both sides raised becomes the next one that is free after both, and what names it follows. Every other \
conflict is left as git leaves it, with its marks.

Exit codes:
  0  the file is merged
  1  it holds conflicts";

/// `imglint hook`.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum Hook {
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
pub(super) struct Hooks {
    /// The hook that judges what is committed; both hooks, if none is named
    #[arg(long, help_heading = "Hooks")]
    pub(super) pre_commit: bool,

    /// The hook that judges what is committed by its message, too, in place of pre-commit: for trailers that waive
    #[arg(long, conflicts_with = "pre_commit", help_heading = "Hooks")]
    pub(super) commit_msg: bool,

    /// The hook that judges what is pushed
    #[arg(long, help_heading = "Hooks")]
    pub(super) pre_push: bool,

    /// What merges versions that two branches took: the driver alone, if no hook is named
    #[arg(long, help_heading = "Hooks")]
    pub(super) merge_driver: bool,

    /// The repository, if it is not the one around the current directory
    #[arg(long, value_name = "DIR", help_heading = "Repository and policy")]
    pub(super) repo: Option<PathBuf>,
}

/// A hook of git.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum HookName {
    /// Judges what is about to be committed
    PreCommit,
    /// The same, with what the message waives
    CommitMsg,
    /// Judges what is about to be pushed
    PrePush,
}

/// The repository and its policy.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Repository and policy")]
pub(super) struct PolicyOptions {
    /// The repository, if it is not the one around the current directory
    #[arg(long, value_name = "DIR")]
    pub(super) repo: Option<PathBuf>,

    /// The configuration, if it is not imglint.toml at the root
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// The pack of rules: one of imglint's, or a directory
    #[arg(long, value_name = "NAME-OR-DIR")]
    pub(super) pack: Option<String>,
}

/// What is judged.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What is judged")]
pub(super) struct Target {
    /// Judge the commit REV [default in CI: HEAD]
    #[arg(long, value_name = "REV", conflicts_with_all = ["staged", "worktree"])]
    pub(super) head: Option<String>,

    /// Judge the index: what would be committed
    #[arg(long, conflicts_with = "worktree")]
    pub(super) staged: bool,

    /// Judge the working tree, with files that git does not know and does not ignore [default outside of CI]
    #[arg(long)]
    pub(super) worktree: bool,
}

/// `imglint check`.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct Check {
    /// Report findings about these files and directories only; every rule is applied all the same
    #[arg(value_name = "PATHS")]
    pub(super) paths: Vec<PathBuf>,

    /// What is judged
    #[command(flatten)]
    pub(super) target: Target,

    /// Compare with the merge base of REV and what is judged
    #[arg(long, value_name = "REV", help_heading = "What is judged")]
    pub(super) base: Option<String>,

    /// Judge the whole tree; nothing is compared
    #[arg(long, conflicts_with = "base", help_heading = "What is judged")]
    pub(super) all: bool,

    /// Repair what can be repaired safely
    #[arg(long, help_heading = "Repairs")]
    pub(super) fix: bool,

    /// Print the repairs as a unified diff, and write nothing
    #[arg(long, help_heading = "Repairs")]
    pub(super) diff: bool,

    /// Make repairs that are a guess, too
    #[arg(long, help_heading = "Repairs")]
    pub(super) unsafe_fixes: bool,

    /// Exit with 0 where --fix repaired everything
    #[arg(long, requires = "fix", help_heading = "Repairs")]
    pub(super) exit_zero_on_fix: bool,

    /// Apply only these rules: names with commas between them; may be repeated
    #[arg(long = "rule", value_name = "IDS", value_delimiter = ',', help_heading = "Rules")]
    pub(super) rules: Vec<String>,

    /// Do not apply these rules; may be repeated
    #[arg(long = "skip", value_name = "IDS", value_delimiter = ',', help_heading = "Rules")]
    pub(super) skip: Vec<String>,

    /// Give rules other levels: error, warning, note or off; may be repeated
    #[arg(long = "level", value_name = "RULE=LEVEL", value_delimiter = ',', value_parser = parse_level, help_heading = "Rules")]
    pub(super) levels: Vec<(String, Level)>,

    /// Show what waivers let pass
    #[arg(long, help_heading = "Rules")]
    pub(super) no_waivers: bool,

    /// Let pass what the trailers of this message waive, too: of the commit that is about to be made
    #[arg(long, value_name = "FILE", conflicts_with = "all", help_heading = "Rules")]
    pub(super) message: Option<PathBuf>,

    /// The registry's images.yaml: which tags are promoted
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(super) promoted: Option<PathBuf>,

    /// The jobs that build images: the script that generates them, or its YAML
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(super) jobs: Option<PathBuf>,

    /// What open changes claim
    #[command(flatten)]
    pub(super) claims: ClaimOptions,

    /// Let warnings fail the run
    #[arg(long, value_name = "WHAT", help_heading = "Rules")]
    pub(super) deny: Option<Deny>,

    /// The form of the report
    #[arg(long, value_name = "F", default_value = "human", help_heading = "Output")]
    pub(super) format: Format,

    /// Write a further report, in the form F, to the file PATH; may be repeated
    #[arg(long = "output", value_name = "F=PATH", value_parser = parse_output, help_heading = "Output")]
    pub(super) outputs: Vec<(Format, PathBuf)>,

    /// How to print
    #[command(flatten)]
    pub(super) output: Output,

    /// The repository and its policy
    #[command(flatten)]
    pub(super) policy: PolicyOptions,

    /// How many threads to use [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Output")]
    pub(super) threads: Option<u16>,
}

/// What open changes claim.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rules")]
pub(super) struct ClaimOptions {
    /// The versions that open changes have taken: what `imglint claims` prints, or lines IMAGE VERSION WHO
    #[arg(long, value_name = "FILE")]
    pub(super) claims: Option<PathBuf>,

    /// Whose change this is, as the claims call it [default in CI: the number of the pull request]
    #[arg(long, value_name = "WHO")]
    pub(super) who: Option<String>,
}

/// `imglint claims`.
#[derive(Debug, Clone, Args)]
#[command(after_help = CLAIMS_HELP)]
pub(super) struct ClaimsOf {
    /// What is looked at
    #[command(flatten)]
    pub(super) target: Target,

    /// Compare with the merge base of REV and what is looked at
    #[arg(long, value_name = "REV", help_heading = "What is judged")]
    pub(super) base: Option<String>,

    /// Whose change this is, as in `#123` [default in CI: the number of the pull request]
    #[arg(long, value_name = "WHO", help_heading = "Output")]
    pub(super) who: Option<String>,

    /// The form of the list; `--claims` reads both
    #[arg(long, value_name = "F", default_value = "json", help_heading = "Output")]
    pub(super) format: ClaimsFormat,

    /// How to print
    #[command(flatten)]
    pub(super) output: Output,

    /// The repository and its policy
    #[command(flatten)]
    pub(super) policy: PolicyOptions,
}

const CLAIMS_HELP: &str = "\
Examples:
  imglint claims --who '#123'                                       what this branch claims
  imglint claims --who '#9' --base origin/main --head FETCH_HEAD    what a fetched pull request claims
  imglint --claims claims.json --who '#123'                         judge this branch beside what others claim";

/// The form of `imglint claims`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ClaimsFormat {
    /// A JSON array
    Json,
    /// Lines IMAGE VERSION WHO
    List,
}

/// `imglint inspect`.
#[derive(Debug, Clone, Args)]
pub(super) struct Inspect {
    /// Only these images
    #[arg(value_name = "IMAGE")]
    pub(super) images: Vec<String>,

    /// What is shown
    #[command(flatten)]
    pub(super) target: Target,

    /// The form of the report
    #[arg(long, value_name = "F", default_value = "human", help_heading = "Output")]
    pub(super) format: InspectFormat,

    /// How to print
    #[command(flatten)]
    pub(super) output: Output,

    /// The repository and its policy
    #[command(flatten)]
    pub(super) policy: PolicyOptions,
}

/// The form of `imglint inspect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum InspectFormat {
    /// For people
    Human,
    /// One JSON object
    Json,
}

/// `imglint status`.
#[derive(Debug, Clone, Args)]
#[command(after_help = STATUS_HELP)]
pub(super) struct Status {
    /// Only these images, by name or directory
    #[arg(value_name = "IMAGE")]
    pub(super) images: Vec<String>,

    /// What is shown
    #[command(flatten)]
    pub(super) target: Target,

    /// Show the images of the change since the merge base of REV and head, and the checklist of what is to be done for it
    #[arg(long, value_name = "REV", help_heading = "What is judged")]
    pub(super) base: Option<String>,

    /// The registry's images.yaml: which tags are promoted
    #[arg(long, value_name = "FILE", help_heading = "Files from elsewhere")]
    pub(super) promoted: Option<PathBuf>,

    /// The jobs that build images: the script that generates them, or its YAML
    #[arg(long, value_name = "FILE", help_heading = "Files from elsewhere")]
    pub(super) jobs: Option<PathBuf>,

    /// The form of the report; `markdown` is for a pull request
    #[arg(long, value_name = "F", default_value = "human", help_heading = "Output")]
    pub(super) format: StatusFormat,

    /// How to print
    #[command(flatten)]
    pub(super) output: Output,

    /// The repository and its policy
    #[command(flatten)]
    pub(super) policy: PolicyOptions,
}

/// `imglint affected`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFFECTED_HELP)]
pub(super) struct Affected {
    /// Only images in these directories; whatever lies elsewhere is looked at all the same
    #[arg(value_name = "PATHS")]
    pub(super) paths: Vec<PathBuf>,

    /// What is looked at
    #[command(flatten)]
    pub(super) target: Target,

    /// Compare with the merge base of REV and what is looked at
    #[arg(long, value_name = "REV", help_heading = "What is judged")]
    pub(super) base: Option<String>,

    /// List all images; nothing is compared
    #[arg(long, conflicts_with = "base", help_heading = "What is judged")]
    pub(super) all: bool,

    /// The form of the list
    #[arg(long, value_name = "F", default_value = "text", help_heading = "Output")]
    pub(super) format: AffectedFormat,

    /// How to print
    #[command(flatten)]
    pub(super) output: Output,

    /// The repository and its policy
    #[command(flatten)]
    pub(super) policy: PolicyOptions,
}

/// `imglint graph`.
#[derive(Debug, Clone, Args)]
#[command(after_help = GRAPH_HELP)]
pub(super) struct Graph {
    /// Only this image, what it is built on, and what is built on it; by name or directory, may be repeated
    #[arg(long = "image", value_name = "IMAGE", help_heading = "What is drawn")]
    pub(super) images: Vec<String>,

    /// What is drawn
    #[command(flatten)]
    pub(super) target: Target,

    /// Mark what differs from the merge base of REV and what is drawn
    #[arg(long, value_name = "REV", help_heading = "What is drawn")]
    pub(super) base: Option<String>,

    /// The form of the graph
    #[arg(long, value_name = "F", default_value = "dot", help_heading = "Output")]
    pub(super) format: GraphFormat,

    /// How to print
    #[command(flatten)]
    pub(super) output: Output,

    /// The repository and its policy
    #[command(flatten)]
    pub(super) policy: PolicyOptions,
}

const GRAPH_HELP: &str = "\
An arrow leads from an image to what is built on it. One that names another version than there is, is red.

Examples:
  imglint graph --format svg > images.svg                      all images, as a picture
  imglint graph --format mermaid --image agnhost               one and its neighbours, for Markdown
  imglint graph --format svg --base origin/main > change.svg   what this branch touches";

/// The form of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum GraphFormat {
    /// For Graphviz
    Dot,
    /// For Markdown on GitHub and GitLab
    Mermaid,
    /// One JSON object
    Json,
    /// A picture
    Svg,
}

/// `imglint waive`.
#[derive(Debug, Clone, Args)]
#[command(after_help = WAIVE_HELP)]
pub(super) struct Waive {
    /// The rule
    #[arg(value_name = "RULE")]
    pub(super) rule: String,

    /// The image, by name or directory; all, if none is named
    #[arg(value_name = "IMAGE")]
    pub(super) image: Option<String>,

    /// Why it is right that these findings pass
    #[arg(long, value_name = "WHY", required = true)]
    pub(super) reason: String,

    /// The last day on which they do, in UTC
    #[arg(long, value_name = "DATE")]
    pub(super) until: Option<String>,

    /// Where it is written [default: where it holds for what is found, and for nothing else]
    #[arg(long = "in", value_name = "PLACE")]
    pub(super) place: Option<WaivePlace>,

    /// Look at what differs from the merge base of REV and the working tree
    #[arg(long, value_name = "REV", help_heading = "What is judged")]
    pub(super) base: Option<String>,

    /// Look at the whole tree
    #[arg(long, conflicts_with = "base", help_heading = "What is judged")]
    pub(super) all: bool,

    /// How to print
    #[command(flatten)]
    pub(super) output: Output,

    /// The repository and its policy
    #[command(flatten)]
    pub(super) policy: PolicyOptions,
}

/// Where a waiver is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum WaivePlace {
    /// imglint.toml: until it is taken away
    Config,
    /// A comment above the line that it is about
    Dockerfile,
    /// Printed, for the commit's message: for this change alone
    Trailer,
}

const WAIVE_HELP: &str = "\
What is found in a Dockerfile is waived there. What a change needs for itself goes into its message: in CI, imglint.toml is \
read from the base. Everything else goes into imglint.toml.

Examples:
  imglint waive stale-version agnhost --reason 'the binary stays the same'
  imglint waive windows-run --reason 'built on a Windows node' --until 2027-01-31";

const STATUS_HELP: &str = "\
Examples:
  imglint status                                               every image
  imglint status --promoted images.yaml agnhost                one, and whether its version is promoted
  imglint status --base origin/master --format markdown        what is to be done for this change";

/// The form of `imglint status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum StatusFormat {
    /// For people at a terminal
    Human,
    /// One JSON object
    Json,
    /// For a pull request
    Markdown,
}

const AFFECTED_HELP: &str = "\
Examples:
  imglint affected                             what this branch touches, and why
  imglint affected --format matrix             names, for a matrix of GitHub Actions
  imglint affected --all --format names        every image, in an order in which they can be built";

/// The form of the list of affected images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AffectedFormat {
    /// For people, with the reasons
    Text,
    /// One JSON object, with the reasons
    Json,
    /// One name a line, for scripts
    Names,
    /// A JSON array of names in one line, for the matrix of a CI system
    Matrix,
}

/// `imglint replay`.
#[derive(Debug, Clone, Args)]
#[command(after_help = REPLAY_HELP)]
pub(super) struct Replay {
    /// The commits whose changes are judged: A..B, or REV with all that came before it [default: HEAD]
    #[arg(value_name = "RANGE")]
    pub(super) range: Option<String>,

    /// Judge at most N changes that touch what the rules look at, the newest first
    #[arg(short = 'n', long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..), help_heading = "What is judged")]
    pub(super) count: u32,

    /// Leave out what was committed before: a day such as 2026-01-31, or 90d, 12w, 6m, 2y ago
    #[arg(long, value_name = "WHEN", value_parser = parse_when, help_heading = "What is judged")]
    pub(super) since: Option<When>,

    /// Report findings about this file or directory only; may be repeated
    #[arg(long = "paths", value_name = "PATH", help_heading = "What is judged")]
    pub(super) paths: Vec<PathBuf>,

    /// Apply only this rule; may be repeated
    #[arg(long = "rule", value_name = "ID", help_heading = "Rules")]
    pub(super) rules: Vec<String>,

    /// Do not apply this rule; may be repeated
    #[arg(long = "skip", value_name = "ID", help_heading = "Rules")]
    pub(super) skip: Vec<String>,

    /// Give a rule another level: error, warning, note or off; may be repeated
    #[arg(long = "level", value_name = "RULE=LEVEL", value_parser = parse_level, help_heading = "Rules")]
    pub(super) levels: Vec<(String, Level)>,

    /// Show what waivers let pass
    #[arg(long, help_heading = "Rules")]
    pub(super) no_waivers: bool,

    /// The registry's images.yaml: which tags are promoted
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(super) promoted: Option<PathBuf>,

    /// The jobs that build images: the script that generates them, or its YAML
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(super) jobs: Option<PathBuf>,

    /// The form of the report
    #[arg(long, value_name = "F", default_value = "human", help_heading = "Output")]
    pub(super) format: ReplayFormat,

    /// How to print
    #[command(flatten)]
    pub(super) output: Output,

    /// The repository and its policy
    #[command(flatten)]
    pub(super) policy: PolicyOptions,

    /// How many threads to use [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Output")]
    pub(super) threads: Option<u16>,

    /// How much of what was read is kept in memory, in MiB
    #[arg(long, value_name = "MIB", default_value = "256", value_parser = clap::value_parser!(u32).range(1..=65536), help_heading = "Output")]
    pub(super) memory: u32,
}

const REPLAY_HELP: &str = "\
Each commit of the first-parent line is judged against the one before it: a merge as its pull request, a squashed commit as \
itself. The policy is today's for all of them; `--config FILE` tries another one on the past. Ctrl-C ends it with what it has.

Examples:
  imglint replay                                       what the gate would have said to the last 1,000 changes
  imglint replay --since 1y --rule stale-version       one rule, one year
  imglint replay v1.0..v2.0 --format json              between two releases, for a program
  imglint replay --config draft.toml                   a policy that does not hold yet";

/// The form of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReplayFormat {
    /// Sums, for people at a terminal
    Human,
    /// One JSON object, with each change and each finding
    Json,
}

/// A time that is given on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Since this day.
    Day(Day),
    /// Since so many days ago.
    DaysAgo(i64),
}

/// `imglint bump`.
#[derive(Debug, Clone, Args)]
pub(super) struct Bump {
    /// The images, by name or directory
    #[arg(value_name = "IMAGE", required = true)]
    pub(super) images: Vec<String>,

    /// The version, of one image
    #[arg(long, value_name = "VERSION")]
    pub(super) to: Option<String>,

    /// Print what would be written as a unified diff, and write nothing
    #[arg(long)]
    pub(super) diff: bool,

    /// What open changes claim
    #[command(flatten)]
    pub(super) claims: ClaimOptions,

    /// Take the next version after the merge base of REV and head
    #[arg(long, value_name = "REV")]
    pub(super) base: Option<String>,

    /// How to print
    #[command(flatten)]
    pub(super) output: Output,

    /// The repository and its policy
    #[command(flatten)]
    pub(super) policy: PolicyOptions,
}

/// How to print.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct Output {
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Colour,

    /// Print findings and errors alone
    #[arg(short, long)]
    pub(super) quiet: bool,

    /// Print how the run came to its base and its rules, and how long it took
    #[arg(short, long, conflicts_with = "quiet")]
    pub(super) verbose: bool,
}

/// What may be denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Deny {
    /// Findings of level warning
    Warnings,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.about()))
    }
}

/// The form of a list of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// For people at a terminal
    Human,
    /// For a page of documentation
    Markdown,
    /// One JSON object
    Json,
}

/// The form in which a rule is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ExplainFormat {
    /// For people at a terminal
    Human,
    /// One JSON object, as that of `imglint rules`
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always, with the snippets of a terminal
    Always,
    /// Never
    Never,
}

fn parse_level(argument: &str) -> Result<(String, Level), String> {
    let (rule, level) = argument.split_once('=').ok_or("this must be RULE=LEVEL, such as stale-version=warning")?;
    match Level::NAMES.iter().find(|(name, _)| *name == level) {
        Some((_, level)) => Ok((rule.to_owned(), *level)),
        None => Err(format!("no such level: {}", suggest(level, Level::NAMES.map(|(name, _)| name)))),
    }
}

fn parse_when(argument: &str) -> Result<When, String> {
    const WANTED: &str = "this must be a day such as 2026-01-31, or a time such as 90d, 12w, 6m or 2y";
    if let Some(day) = Day::parse(argument) {
        return Ok(When::Day(day));
    }
    let (count, unit) = argument.split_at(argument.len() - argument.chars().next_back().map_or(0, char::len_utf8));
    let days = match unit {
        "d" => 1,
        "w" => 7,
        "m" => 30,
        "y" => 365,
        _ => return Err(WANTED.to_owned()),
    };
    let count = count.parse::<u16>().map_err(|_| WANTED.to_owned())?;
    Ok(When::DaysAgo(i64::from(count) * days))
}

fn parse_output(argument: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = argument.split_once('=').ok_or("this must be F=PATH, such as sarif=imglint.sarif")?;
    let Some(found) = Format::ALL.iter().find(|known| known.name() == format) else {
        return Err(format!("no such form: {}", suggest(format, Format::ALL.iter().map(|format| format.name()))));
    };
    match path {
        "" => Err("the path is missing".to_owned()),
        "-" => Err("what is printed is chosen with --format".to_owned()),
        path => Ok((*found, PathBuf::from(path))),
    }
}
