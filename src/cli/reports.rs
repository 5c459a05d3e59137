//! Where reports go: one is printed, further ones into files, and some to places that a CI system names.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use super::args::Check;
use super::exit::Error;
use super::terminal::{print, say, style};
use crate::environment::{Ci, Environment};
use crate::finding::Level;
use crate::report::human::Style;
use crate::report::{Format, Reader, Report, Tree, github, human, junit};
use crate::run::{Failed, Outcome, RunError};
use crate::text::escape;
use crate::write::whole;

/// What is wrong with the outputs that were asked for.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum OutputError {
    #[error("two reports cannot both be written to {}", escape(&.0.display().to_string()))]
    #[diagnostic(help("give each `--output F=PATH` a path of its own"))]
    SamePath(PathBuf),
    #[error("`--diff` prints a diff, which cannot be in the form `{0}`")]
    #[diagnostic(help(
        "leave out `--format`, or take `--format json`, which holds the diff; \
         `--output {0}=PATH` writes the report beside it"
    ))]
    NoDiff(&'static str),
    #[error("failed to write the report {}: {reason}", escape(&path.display().to_string()))]
    #[diagnostic(help("name a file that can be written in `--output F=PATH`"))]
    Write { path: PathBuf, reason: std::io::Error },
}

/// The files that a report is written to.
pub(super) struct Outputs<'a> {
    options: &'a Check,
    environment: &'a Environment,
}

impl<'a> Outputs<'a> {
    pub(super) fn new(options: &'a Check, environment: &'a Environment) -> Self {
        Self { options, environment }
    }

    /// Refuses what contradicts itself.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.options.diff && !matches!(self.options.format, Format::Human | Format::Json | Format::Patch) {
            return Err(OutputError::NoDiff(self.options.format.name()).into());
        }
        let mut known = BTreeSet::new();
        for (_, path) in &self.options.outputs {
            if !known.insert(absolute(path)) {
                return Err(OutputError::SamePath(path.clone()).into());
            }
        }
        Ok(())
    }

    /// Prints the report.
    pub(super) fn print(&self, report: &Report<'_>) -> Result<(), Error> {
        let output = &self.options.common.output;
        let style = style(output.color, self.environment, std::io::stdout().is_terminal());
        print(&self.options.format.render(report, style, output.quiet))
    }

    /// Whether a report holds the repairs as a patch: one that was asked for, or the one that Prow keeps.
    pub(super) fn wants_patch(&self) -> bool {
        self.asks_for_patch() || artifact(self.environment, PATCH).is_some()
    }

    fn asks_for_patch(&self) -> bool {
        self.options.outputs.iter().any(|(format, _)| *format == Format::Patch)
    }

    /// What it means that there is no patch: nothing but a word of warning where nobody asked for it.
    pub(super) fn settle_patch(&self, found: Result<(), Error>) -> Result<(), Error> {
        match found {
            Err(error) if !self.asks_for_patch() => {
                say(&format!("warning: there is no patch of the repairs: {error}"));
                Ok(())
            }
            found => found,
        }
    }

    /// Writes all further reports. One that cannot be written keeps none of the others back.
    pub(super) fn write(&self, report: &Report<'_>, patch: &[u8]) -> Result<(), Error> {
        let mut failed = None;
        for (format, path) in &self.options.outputs {
            let style = Style { is_terminal: false, has_colour: false, width: 100 };
            let mut text = format.render(report, style, false);
            if format.reader() == Reader::Person {
                text.insert_str(0, &human::errors(report.outcome));
            }
            // The bytes of a patch are those of the files.
            let bytes = if *format == Format::Patch { patch } else { text.as_bytes() };
            if let Err(reason) = put(path, bytes) {
                failed.get_or_insert(OutputError::Write { path: path.clone(), reason });
            }
        }
        if let Some(path) = artifact(self.environment, JUNIT)
            && !self.is_output(&path)
        {
            write_artifact(&path, junit::render(report).as_bytes());
        }
        if let Some(path) = artifact(self.environment, PATCH)
            && !patch.is_empty()
            && !self.is_output(&path)
            && write_artifact(&path, patch)
        {
            say(&format!(
                "the repairs are artifacts/{PATCH} of this job; in a clone with the change checked out: curl -fsSL ADDRESS | git apply"
            ));
        }
        let has_github =
            self.options.format == Format::Github || self.options.outputs.iter().any(|(it, _)| *it == Format::Github);
        if has_github && let Some(path) = self.environment.get("GITHUB_STEP_SUMMARY") {
            append(Path::new(path), &github::summary(report));
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Whether a report was asked for in this file.
    fn is_output(&self, path: &Path) -> bool {
        self.options.outputs.iter().any(|(_, other)| absolute(other) == absolute(path))
    }

    /// Reports that nothing was judged, and why, so that no reader of a report takes an old one, or none, for a clean one.
    pub(super) fn could_not_judge(&self, error: &dyn Diagnostic) {
        let outcome = failed_run(error);
        let report = without_judgement(&outcome);
        // The error itself is printed after this; a second one would only hide it.
        if self.options.format.reader() == Reader::Program
            && !matches!(self.options.format, Format::Json | Format::Patch)
        {
            let _ = self.print(&report);
        }
        if let Err(error) = self.write(&report, &[]) {
            say(&error.to_string());
        }
    }
}

/// Tells the CI system of arguments that could not even be read, the formats among them.
pub(super) fn tell_ci(message: &str, environment: &Environment) {
    let outcome = nothing_but(message.to_owned(), None);
    let report = without_judgement(&outcome);
    if let Some(path) = artifact(environment, JUNIT) {
        write_artifact(&path, junit::render(&report).as_bytes());
    }
    if environment.ci() == Some(Ci::GitHub) {
        let _ = std::io::stderr().write_all(github::render(&report, true).as_bytes());
    }
}

/// The report that Prow's viewer looks for.
const JUNIT: &str = "junit_imglint.xml";

/// The repairs, for whoever reads Prow's log.
const PATCH: &str = "imglint.patch";

/// Where Prow keeps a file of its job.
fn artifact(environment: &Environment, name: &str) -> Option<PathBuf> {
    let is_prow = environment.ci() == Some(Ci::Prow);
    let directory = environment.get("ARTIFACTS").filter(|_| is_prow)?;
    Some(Path::new(directory).join(name))
}

/// Writes a report. The names of what this process prints on stand for no file of their own: one that took the place of the file
/// behind them would take away what was printed into it before.
pub(super) fn put(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match path.to_str() {
        Some("/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1") => std::io::stdout().write_all(bytes),
        Some("/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2") => std::io::stderr().write_all(bytes),
        _ => whole(path, bytes),
    }
}

/// Writes what nobody asked for, so that it cannot fail the run, and gives whether it is there.
fn write_artifact(path: &Path, bytes: &[u8]) -> bool {
    match whole(path, bytes) {
        Ok(()) => true,
        Err(error) => {
            say(&format!("warning: failed to write {}: {error}", path.display()));
            false
        }
    }
}

/// Adds to a file that other steps wrote to.
fn append(path: &Path, text: &str) {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    if let Err(error) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
        say(&format!("warning: failed to write the summary of the step to {}: {error}", path.display()));
    }
}

/// An outcome that says nothing but what stood in the way.
fn failed_run(error: &dyn Diagnostic) -> Outcome {
    let related: Vec<String> = error.related().into_iter().flatten().map(ToString::to_string).collect();
    let reason = if related.is_empty() { error.to_string() } else { format!("{error}: {}", related.join("; ")) };
    nothing_but(reason, error.help().map(|help| help.to_string()))
}

fn nothing_but(reason: String, help: Option<String>) -> Outcome {
    Outcome { errors: vec![RunError { failed: Failed::Run, reason, help }], ..Outcome::default() }
}

fn without_judgement(outcome: &Outcome) -> Report<'_> {
    let (base, head) = (Tree::default(), Tree::default());
    Report { outcome, rules: &[], pair: None, base, head, gate: Level::Error, repaired: None }
}

fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.canonicalize().unwrap_or(path)
}
