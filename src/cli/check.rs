//! `imglint check`: prepare, judge, repair, write, report.

use std::borrow::Cow;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use super::args::{Check as Options, Deny};
use super::exit::{CLEAN, Error, FAILED, FINDINGS, code};
use super::frame::{Compared, Frame};
use super::paths::narrow;
use super::policy::{claims, inputs};
use super::refuse::refuse_nothing;
use super::repairs::{put, say_conflicts, show_diff};
use super::reports::Outputs;
use super::spinner::Spinner;
use super::terminal::{complain, complain_of, say};
use super::threads::start;
use crate::environment::Environment;
use crate::finding::{Finding, Level};
use crate::fix::{self, Allowed, Repair};
use crate::git::Head;
use crate::model::Model;
use crate::pack::{Pack, Selection};
use crate::report::{Format, Reader, Repaired, Report, diff, summary};
use crate::run::{self, Outcome, Rounds};
use crate::snapshot::Pair;
use crate::text::counted;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("`--unsafe-fixes` says which repairs are made, but none was asked for")]
#[diagnostic(help("add `--fix`, or `--diff` to see them first"))]
struct NoRepairAskedError;

/// Judges, and reports whatever came of it. `is_last` says that the process ends after this.
pub(super) fn run(options: &Options, environment: &Environment, is_last: bool) -> Result<u8, Error> {
    let outputs = Outputs::new(options, environment);
    let check = Check { options, outputs: &outputs, environment };
    let done = check.run(is_last).inspect_err(|error| outputs.could_not_judge(&**error));
    let Done { mut code, repaired, written } = done?;
    for (introduction, result) in [("judged, but not repaired", repaired), ("judged, but a report is missing", written)]
    {
        if let Err(error) = result {
            complain_of(introduction, &*error, options.common.output.color, environment);
            code = FAILED;
        }
    }
    Ok(code)
}

/// What came of a run that could judge. Errors in it are told at the end, and make its exit code that of a failure.
struct Done {
    code: u8,
    /// Whether the repairs that were asked for could be written to disk.
    repaired: Result<(), Error>,
    /// Whether the reports beside the printed one could be written.
    written: Result<(), Error>,
}

/// A run of `imglint check`.
struct Check<'a> {
    options: &'a Options,
    outputs: &'a Outputs<'a>,
    environment: &'a Environment,
}

/// What is judged: by which rules, what the options leave of them, and which findings count.
struct Prepared {
    frame: Frame,
    selection: Selection,
}

/// What was found in the files.
enum Judged<'a> {
    /// In the files as they are, by the rules of this pack. What was read is left to the system at the end.
    Plain { outcome: Outcome, pair: Pair<'a>, pack: Box<Cow<'a, Pack>>, _read: Box<Rounds> },
    /// In the files as they are, and as the repairs that were asked for leave them.
    Repaired { repair: Box<Repair>, before: Pair<'a>, after: Pair<'a> },
}

impl<'a> Judged<'a> {
    /// All outcomes: they are what the same rules say of the same change.
    fn outcomes(&mut self) -> Vec<&mut Outcome> {
        match self {
            Self::Plain { outcome, .. } => vec![outcome],
            Self::Repaired { repair, .. } => vec![&mut repair.before, &mut repair.after],
        }
    }

    /// What is found once all is done that was asked for.
    fn last(&self) -> &Outcome {
        match self {
            Self::Plain { outcome, .. } => outcome,
            Self::Repaired { repair, .. } => &repair.after,
        }
    }

    /// What reports are about, with the files that it was found in: those on disk, which are the repaired ones only if these were
    /// written.
    fn reported(&self, is_written: bool) -> (&Outcome, &Pair<'a>) {
        match self {
            Self::Plain { outcome, pair, .. } => (outcome, pair),
            Self::Repaired { repair, after, .. } if is_written => (&repair.after, after),
            Self::Repaired { repair, before, .. } => (&repair.before, before),
        }
    }

    /// The files as they were before any repair.
    fn unrepaired_pair(&self) -> &Pair<'a> {
        self.reported(false).1
    }

    /// The files as the repairs that were asked for leave them.
    fn repaired_pair(&self) -> &Pair<'a> {
        self.reported(true).1
    }

    /// The repair that was asked for.
    fn repair(&self) -> Option<&Repair> {
        match self {
            Self::Plain { .. } => None,
            Self::Repaired { repair, .. } => Some(repair),
        }
    }
}

impl Check<'_> {
    fn run(&self, is_last: bool) -> Result<Done, Error> {
        let begin = Instant::now();
        let prepared = self.prepare()?;
        let frame = &prepared.frame;
        let pair = self.pair(frame)?;
        let spinner = Spinner::start(&self.options.common.output, self.environment);
        let judged = self.judge(&prepared, pair)?;
        let fixable_files = self.count_fixable_files(&judged)?;
        let (patch, patch_found) = match self.patch(frame, &judged) {
            Ok(patch) => (patch, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        drop(spinner);

        let mut repaired = Ok(());
        let mut is_written = false;
        if let Some(repair) = judged.repair().filter(|repair| self.is_to_write(repair)) {
            repaired = put(repair, frame);
            is_written = repaired.is_ok();
        }
        let report = self.report(frame, &judged, is_written)?;
        self.print(&report)?;
        let written = self.outputs.write(&report, &patch);
        self.say_beside_the_report(&judged, is_written, begin.elapsed());
        self.say_next_steps(frame, judged.last(), fixable_files);
        let code = self.exit_code(&judged);
        if is_last {
            // The system takes all of this back at once, and faster than we could.
            std::mem::forget(judged);
            std::mem::forget(prepared);
        }
        Ok(Done { code, repaired, written: written.and(self.outputs.settle_patch(patch_found)) })
    }

    /// Refuses options that contradict each other, and finds what is judged and by which rules.
    fn prepare(&self) -> Result<Prepared, Error> {
        let options = self.options;
        self.outputs.check()?;
        if options.unsafe_fixes && !self.repairs() {
            return Err(NoRepairAskedError.into());
        }
        start(options.threads)?;
        let compared = Compared::of(&options.compared);
        let has_waivers = !options.rules.no_waivers;
        let mut frame =
            Frame::begin(&options.common.policy, &options.target, &compared, has_waivers, self.environment)?;
        if let Some(message) = options.message.as_deref().filter(|_| has_waivers) {
            frame.add_trailers(message)?;
        }
        frame.pack.inputs = inputs(&options.inputs, self.environment)?;
        frame.pack.inputs.claims = claims(&options.claims, self.environment)?;
        let selection = options.rules.selection();
        frame.pack.select(&selection)?;
        frame.announce_base(&options.common.output);
        Ok(Prepared { frame, selection })
    }

    /// Lists the files on both sides, and says by which rules they are judged.
    fn pair<'f>(&self, frame: &'f Frame) -> Result<Pair<'f>, Error> {
        let output = &self.options.common.output;
        let spinner = Spinner::start(output, self.environment);
        // What is repaired may concern files that the change does not.
        let pair = if self.repairs() { frame.pair() } else { frame.pair_to_judge(&frame.base, &frame.head) };
        drop(spinner);
        let is_order_asked = match &pair {
            Ok(_) if self.repairs() => true,
            Ok(pair) => !output.quiet && run::touched(&frame.pack, pair, &pair.changed()).has_control_files,
            Err(_) => false,
        };
        frame.announce_pack(output, is_order_asked)?;
        pair
    }

    /// Judges, and repairs in memory what may be repaired.
    fn judge<'f>(&self, Prepared { frame, selection }: &'f Prepared, mut pair: Pair<'f>) -> Result<Judged<'f>, Error> {
        let mut pack = Cow::Borrowed(&frame.pack);
        let mut known = None;
        if pair.base.is_none() && pack.needs_history() {
            let head = Model::build(&pair.head, &pack.shape, None, None)?;
            pack.to_mut().inputs.history = Some(frame.history(&pair, &head, None, self.environment)?);
            known = Some(head);
        }
        let removed = frame.removed(&pair)?;
        if !removed.is_empty() {
            pack.to_mut().inputs.removed = removed;
        }
        refuse_nothing(&pack, &pair, selection)?;
        let paths = narrow(&self.options.paths, &frame.repository, &pair)?;
        frame.repository.refuse_nothing_judged(&frame.base, &frame.head, &pair)?;
        let steps = frame.repository.batch(&frame.base, &frame.head, self.environment)?;
        if !steps.is_empty() {
            pair.head.derived().begin();
        }
        let mut judged = if self.repairs() {
            let before = pair.clone();
            let allowed = Allowed { risky: self.options.unsafe_fixes, paths: paths.clone() };
            let repair = Box::new(fix::repair(&pack, &mut pair, &allowed)?);
            Judged::Repaired { repair, before, after: pair }
        } else {
            let mut read = Box::new(Rounds::of_findings(known));
            let outcome = read.judge(&pack, &pair)?;
            Judged::Plain { outcome, pair, pack: Box::new(pack.clone()), _read: read }
        };
        for step in steps {
            let mut pair = frame.pair_to_judge(&step.base, &step.head)?;
            judged.unrepaired_pair().share(&mut pair);
            let of_step = run::judge(&pack, &pair)?;
            for outcome in judged.outcomes() {
                outcome.add_step(&of_step, &pack, &step.name);
            }
        }
        // A rule that failed in the middle of the repair has failed the run.
        if let Judged::Repaired { repair, .. } = &mut judged {
            repair.before.errors.clone_from(&repair.after.errors);
        }
        for outcome in judged.outcomes() {
            outcome.narrow(&paths);
        }
        Ok(judged)
    }

    /// What reports are made of.
    fn report<'r>(&self, frame: &'r Frame, judged: &'r Judged<'_>, is_written: bool) -> Result<Report<'r>, Error> {
        let (outcome, pair) = judged.reported(is_written);
        Ok(Report {
            outcome,
            rules: &frame.pack.rules,
            pair: Some(pair),
            base: frame.base_tree(),
            head: frame.head_tree()?,
            gate: self.gate(),
            repaired: judged.repair().map(|repair| Repaired { repair, is_written }),
        })
    }

    /// Prints the report, or the repairs where these were asked for in its place.
    fn print(&self, report: &Report<'_>) -> Result<(), Error> {
        let options = self.options;
        let Some(Repaired { repair, is_written }) = report.repaired else { return self.outputs.print(report) };
        if self.shows_diff() && matches!(options.format, Format::Human | Format::Patch) {
            return show_diff(repair, &options.common.output, self.environment);
        }
        self.outputs.print(report)?;
        if is_written && options.format != Format::Human {
            summary::render(repair).lines().filter(|line| !line.is_empty()).for_each(say);
        }
        Ok(())
    }

    /// Says beside the report what a person should know.
    fn say_beside_the_report(&self, judged: &Judged<'_>, is_written: bool, time: Duration) {
        let output = &self.options.common.output;
        let (outcome, files) = judged.reported(is_written);
        let pointers = files.head.pointers();
        if pointers > 0 {
            say(&format!(
                "{} to be looked into: {} of Git LFS that was not fetched; run `git lfs pull`",
                counted(pointers, "file"),
                if pointers == 1 { "a pointer" } else { "each a pointer" },
            ));
        }
        if judged.last().has_conflicts_alone {
            say("nothing but conflicts was looked for: all else is judged once they are resolved");
        }
        if !output.quiet {
            outcome.unused.iter().for_each(|line| say(&format!("note: {line}")));
        }
        if self.options.compared.all && is_written && judged.repair().is_some_and(has_changed) {
            say(
                "what is repaired is a change now: run `imglint --fix` without --all for the versions that follow from it",
            );
        }
        if output.verbose {
            let pair = judged.repaired_pair();
            let (files, changed) = (pair.head.entries().len(), pair.changed().len());
            let milliseconds = time.as_secs_f64() * 1000.0;
            say(&format!("{files} files looked through, {changed} of them changed, in {milliseconds:.1} ms"));
        }
        if let Some(repair) = judged.repair() {
            say_conflicts(repair);
        }
        for error in &judged.last().errors {
            complain(error, output.color, self.environment);
        }
    }

    /// How many files `--fix` would write. To know that takes a repair in memory, so it is found out for somebody who sits there alone.
    fn count_fixable_files(&self, judged: &Judged<'_>) -> Result<Option<usize>, Error> {
        let Judged::Plain { outcome, pair, pack, .. } = judged else { return Ok(None) };
        if self.options.common.output.quiet || !std::io::stderr().is_terminal() || !outcome.open().any(has_safe_fix) {
            return Ok(None);
        }
        let repair = fix::repair(pack, &mut pair.clone(), &Allowed::default())?;
        Ok(Some(repair.changed().count()))
    }

    /// The repairs as a patch, for a report that holds them. Where none were asked for, they are found here and made nowhere.
    fn patch(&self, frame: &Frame, judged: &Judged<'_>) -> Result<Vec<u8>, Error> {
        let Judged::Plain { outcome, pair, pack, .. } = judged else {
            return Ok(judged.repair().map(diff::render).unwrap_or_default());
        };
        // What could not be judged is not repaired either.
        if !self.outputs.wants_patch() || !outcome.errors.is_empty() || !outcome.open().any(has_safe_fix) {
            return Ok(Vec::new());
        }
        let paths = narrow(&self.options.paths, &frame.repository, pair)?;
        // What is repaired may concern files that the change does not.
        let repair = fix::repair(pack, &mut frame.pair()?, &Allowed { risky: false, paths })?;
        Ok(if repair.after.errors.is_empty() { diff::render(&repair) } else { Vec::new() })
    }

    /// Says what the reader of the findings can do next.
    fn say_next_steps(&self, frame: &Frame, outcome: &Outcome, fixable_files: Option<usize>) {
        // What fails the run is mended first.
        let Some(first) = outcome.open().min_by_key(|finding| std::cmp::Reverse(finding.level)) else { return };
        if self.options.common.output.quiet || self.options.format.reader() != Reader::Person {
            return;
        }
        let is_staged = frame.head == Head::Index;
        if !self.repairs() && outcome.open().any(has_safe_fix) && (fixable_files.is_some() || is_staged) {
            let files = fixable_files.map_or_else(|| "what it can".to_owned(), |count| counted(count, "file"));
            let then = if is_staged { "; look at what it wrote, then `git add` it" } else { "" };
            say(&format!("`imglint --fix` repairs {files}{then}"));
        }
        let rule = &first.rule;
        let image = first.diagnostic.image.as_deref().map(|image| format!(" {image}")).unwrap_or_default();
        // No waiver lets pass what is wrong with one.
        let is_waivable = frame.pack.rules.iter().any(|known| known.id == *rule && known.check().is_some());
        let waive = format!("; `imglint waive {rule}{image} --reason WHY` lets it pass");
        say(&format!("`imglint explain {rule}` says why{}", if is_waivable { &waive } else { "" }));
    }

    fn exit_code(&self, judged: &Judged<'_>) -> u8 {
        match code(judged.last(), self.gate()) {
            CLEAN if judged.repair().is_some_and(has_changed) && !self.options.exit_zero_on_fix => FINDINGS,
            code => code,
        }
    }

    /// Whether repairs were asked for, to be written or to be seen.
    fn repairs(&self) -> bool {
        self.options.fix || self.shows_diff()
    }

    /// Whether the repairs are to be seen, and not to be written.
    fn shows_diff(&self) -> bool {
        self.options.diff || self.options.format == Format::Patch
    }

    fn is_to_write(&self, repair: &Repair) -> bool {
        self.options.fix && !self.shows_diff() && repair.after.errors.is_empty()
    }

    /// The lowest level that fails.
    fn gate(&self) -> Level {
        if self.options.deny == Some(Deny::Warnings) { Level::Warning } else { Level::Error }
    }
}

fn has_changed(repair: &Repair) -> bool {
    repair.changed().next().is_some()
}

/// Whether `--fix` alone repairs it.
fn has_safe_fix(finding: &Finding) -> bool {
    finding.diagnostic.fix.as_ref().is_some_and(|fix| fix.safe)
}
