//! Rules are applied to the images, and what they say is put together.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::prelude::*;

use super::compare::{Judgement, begin, compare};
use super::models::{Models, manifest_order, touched};
use super::outcome::{Failed, Outcome, RunError, SkippedRule};
use super::rounds::Rounds;
use crate::check::{Basis, Body, Change, Check, Context, Sight, Touched, unreported_conflict};
use crate::edit::Fix;
use crate::finding::{Diagnostic, Finding, Fingerprint, Level};
use crate::inputs::Inputs;
use crate::pack::{Pack, Rule};
use crate::shape::ManifestOrder;
use crate::snapshot::{Pair, Snapshot, StoreError};
use crate::unused;
use crate::waiver::{Circumstances, of_dockerfiles};

/// Judges. An error means that the images could not even be read.
pub fn judge(pack: &Pack, pair: &Pair<'_>) -> Result<Outcome, StoreError> {
    Rounds::default().judge(pack, pair)
}

impl Rounds {
    /// Judges once more: by the same pack, and the same change but for what stands in head.
    pub fn judge(&mut self, pack: &Pack, pair: &Pair<'_>) -> Result<Outcome, StoreError> {
        let changed = pair.changed();
        let touched = touched(pack, pair, &changed);
        let rules = self.rules_to_judge(pack, &touched);
        let needs_all = touched.has_control_files || rules.iter().any(JudgingRule::reads_all_images);
        let models = Models::read(pack, &touched, !needs_all, self)?;
        let outcome = judge_models(pack, &touched, rules, &models, self)?;
        if let Some(compared) = models.compared.filter(|_| !models.are_touched_alone) {
            self.base = Some(compared.base);
            self.forgets = compared.forgets;
            self.tip = compared.tip;
        }
        self.head = Some(models.head);
        Ok(outcome)
    }

    /// The rules that judge: those that compare, and those about the state of a tree that the change may concern. Where it touches what
    /// the images are, what all others have to say is counted, too.
    fn rules_to_judge<'a>(&self, pack: &'a Pack, touched: &Touched<'_>) -> Vec<JudgingRule<'a>> {
        let are_all_asked = touched.pair.base.is_none() || (touched.has_control_files && !self.looks_for_new_alone);
        let mut rules = Vec::new();
        for rule in pack.rules.iter().filter(|rule| rule.is_judged()) {
            let Some(check) = rule.check() else { continue };
            let is_concerned = check.basis() == Basis::Change || check.kind().is_concerned(touched);
            if is_concerned || are_all_asked {
                rules.push(JudgingRule { rule, check, is_concerned });
            }
        }
        rules
    }
}

/// Judges images that were read.
fn judge_models(
    pack: &Pack,
    touched: &Touched<'_>,
    rules: Vec<JudgingRule<'_>>,
    models: &Models,
    rounds: &Rounds,
) -> Result<Outcome, StoreError> {
    let pair = touched.pair;
    let needs_all = touched.has_control_files || rules.iter().any(JudgingRule::reads_all_images);
    let change = models.compared.as_ref().map(|compared| {
        let change = Change::new(pair, &compared.base, compared.tip.as_deref(), &models.head, &compared.content);
        change.with_authored(compared.authored.as_ref())
    });
    let (shape, inputs) = (&pack.shape, &pack.inputs);
    // The policy is that of the tree that the change is made to. Of touched images alone, no rule asks for it.
    let manifest_order = if needs_all { manifest_order(shape, pair) } else { Ok(ManifestOrder::default()) };
    let sight = Sight {
        inputs,
        has_base: change.is_some(),
        is_after_promotion: manifest_order.as_ref().is_ok_and(|order| order.is_after_promotion),
    };
    let context = Context {
        shape,
        files: &pair.head,
        model: &models.head,
        inputs,
        branch: pair.origin.branch.as_ref(),
        change: change.as_ref(),
        order: &manifest_order,
    };
    // A list from outside is no part of either tree: what is wrong with it is never old.
    let inputs_of_base = Inputs { registries: None, ..inputs.clone() };
    let base_context = change.as_ref().and_then(|change| {
        Some(Context {
            files: pair.base.as_ref()?,
            model: change.base,
            change: None,
            inputs: &inputs_of_base,
            ..context
        })
    });
    let are_all_concerned = touched.has_control_files;
    Run { pack, pair, models, rounds, sight, context, base_context, are_all_concerned }.judge(rules)
}

/// A run whose images were read.
struct Run<'a> {
    pack: &'a Pack,
    pair: &'a Pair<'a>,
    models: &'a Models,
    rounds: &'a Rounds,
    sight: Sight<'a>,
    context: Context<'a>,
    /// The same of base, where there is one.
    base_context: Option<Context<'a>>,
    /// Whether the change touches what the images are. If not, none but the rules that judge can find anything new.
    are_all_concerned: bool,
}

/// What a rule says, or why it could not judge.
type Judged = Result<Judgement, RunError>;

impl Run<'_> {
    /// Judges by all rules; by those about conflicts first, since between the marks of one no rule can tell which tree is meant.
    fn judge(&self, rules: Vec<JudgingRule<'_>>) -> Result<Outcome, StoreError> {
        let (of_conflicts, of_trees): (Vec<_>, Vec<_>) =
            rules.into_iter().partition(|rule| rule.check.is_about_conflicts());
        let mut judged = self.pack.rules.iter().filter(|rule| rule.is_judged()).filter_map(Rule::check);
        if self.are_all_concerned
            && !judged.any(Check::is_about_conflicts)
            && let Some(error) = unreported_conflict(&self.context)
        {
            let error = RunError { failed: Failed::Run, help: error.help.clone(), reason: error.to_string() };
            return Ok(Outcome { errors: vec![error], ..Outcome::default() });
        }
        let conflicts = self.judge_by(&of_conflicts);
        if let Some(outcome) = self.conflicts_alone(&of_conflicts, &conflicts)? {
            return Ok(outcome);
        }
        let others = self.judge_by(&of_trees);
        self.conclude(&[of_conflicts, of_trees].concat(), [conflicts, others].concat())
    }

    /// Judges by rules. Of a few images that is done before a thread has started.
    fn judge_by(&self, rules: &[JudgingRule<'_>]) -> Vec<Judged> {
        if self.models.are_touched_alone {
            rules.iter().map(|rule| rule.judge(self)).collect()
        } else {
            rules.par_iter().map(|rule| rule.judge(self)).collect()
        }
    }

    /// What was found, where it is conflicts that keep all other rules from judging.
    fn conflicts_alone(&self, rules: &[JudgingRule<'_>], conflicts: &[Judged]) -> Result<Option<Outcome>, StoreError> {
        let mut judgements = conflicts.iter().flatten();
        if judgements.all(|judgement| judgement.new.is_empty()) {
            return Ok(None);
        }
        let outcome = self.conclude(rules, conflicts.to_vec())?;
        // What is let pass, or does not fail, keeps nobody from judging.
        let fails = outcome.open().any(|finding| finding.level == Level::Error);
        Ok(fails.then(|| outcome.with_conflicts_alone(self.pack)))
    }

    /// Puts together what rules found: their diagnostics become findings, whose fixes write no links; waivers let pass what they are
    /// about, old or new; what is left counts.
    fn conclude(&self, rules: &[JudgingRule<'_>], judgements: Vec<Judged>) -> Result<Outcome, StoreError> {
        let Self { pack, pair, models, sight, .. } = self;
        let mut images: Vec<_> = models.head.images.values().map(|image| Arc::clone(&image.name)).collect();
        images.sort();
        let mut outcome = Outcome { images, effect: models.effect(), ..Outcome::default() };
        for rule in pack.rules.iter().filter(|rule| rule.level != Level::Off) {
            if let Some(missing) = rule.missing(*sight) {
                outcome.skipped.push(SkippedRule { rule: Arc::clone(&rule.id), missing });
            }
        }
        if self.context.change.is_none() {
            outcome.unused = unused::settings(pack, &pair.head, &models.head);
        }
        let mut old = Vec::new();
        for (JudgingRule { rule, .. }, judgement) in rules.iter().zip(judgements) {
            match judgement {
                Ok(Judgement { new, old: of_rule, gone, unread }) => {
                    outcome.effect.mended.extend(gone);
                    outcome.errors.extend(unread.into_iter().map(|error| RunError::new(rule, error)));
                    if !rule.is_silent {
                        old.extend(of_rule.into_iter().map(|diagnostic| finding(rule, diagnostic)));
                    }
                    outcome.findings.extend(new.into_iter().map(|diagnostic| finding(rule, diagnostic)));
                }
                Err(error) => outcome.errors.push(error),
            }
        }
        for finding in &mut outcome.findings {
            let Some(fix) = &mut finding.diagnostic.fix else { continue };
            let written = write_through_links(fix, &pair.head)?;
            // As a rule no link is written through: then thousands of findings need not look at thousands of images each.
            if written.is_empty() {
                continue;
            }
            let Some(help) = &mut finding.diagnostic.help else { continue };
            for other in models.head.images.values() {
                if let Some(file) = other.version_file.as_ref().filter(|file| written.contains(&file.path))
                    && Some(&other.name) != finding.diagnostic.image.as_ref()
                {
                    let more = format!("; that is {}, which is the version of {}, too", file.path, other.name);
                    help.push_str(&more);
                    break;
                }
            }
        }
        self.waive(&mut outcome, &mut old);
        outcome.older = old.iter().filter(|finding| finding.waived.is_none()).count();
        outcome.findings.retain(|finding| finding.level != Level::Off);
        outcome.sort();
        Ok(outcome)
    }

    /// Applies the waivers, and reports those that are not in order: of those in files, what base had not. `old` is what was found and
    /// base had already.
    fn waive(&self, outcome: &mut Outcome, old: &mut Vec<Finding>) {
        let Self { pack, models, .. } = self;
        let Some(waivers) = &pack.waivers else { return };
        if !self.are_all_concerned && outcome.findings.is_empty() && old.is_empty() {
            return;
        }
        let mut judged = Vec::new();
        for rule in pack.rules.iter().filter(|rule| rule.is_judged()) {
            let has_failed = outcome.errors.iter().any(|error| error.failed == Failed::Rule(Arc::clone(&rule.id)));
            if !has_failed && rule.missing(self.sight).is_none() {
                judged.push(&*rule.id);
            }
        }
        let known = Circumstances {
            rules: pack.rules.iter().map(|rule| &rule.id).chain(&waivers.rules).map(|id| &**id).collect(),
            judged,
            head: &models.head,
            base: models.compared.as_ref().map(|compared| &*compared.base),
            shape: &pack.shape,
            files: &self.pair.head,
            today: waivers.today,
        };
        let comments = of_dockerfiles(&models.head);
        waivers.let_pass(&mut outcome.findings, &comments, &known);
        waivers.let_pass(old, &comments, &known);
        // Where the change touches no waiver, none can have come into disorder.
        if !self.are_all_concerned {
            return;
        }
        let judged = waivers.judge(&outcome.findings, &comments, known);
        for rule in pack.rules.iter().filter(|rule| rule.level != Level::Off) {
            let Body::WaiverHygiene(hygiene) = &rule.body else { continue };
            let Judgement { new, old: of_rule, .. } = compare(&rule.id, judged.now(hygiene), &judged.before(hygiene));
            old.extend(of_rule.into_iter().map(|diagnostic| finding(rule, diagnostic)));
            outcome.findings.extend(new.into_iter().map(|diagnostic| finding(rule, diagnostic)));
        }
    }
}

/// A rule that judges the images by its check.
#[derive(Clone, Copy)]
struct JudgingRule<'a> {
    rule: &'a Rule,
    check: &'a Check,
    /// Whether the change may bring it to find what it had not found before.
    is_concerned: bool,
}

impl JudgingRule<'_> {
    /// Whether it must see images that the change does not touch.
    fn reads_all_images(&self) -> bool {
        self.check.basis() != Basis::Change && !self.check.kind().needs().files.are_beside_images()
    }

    /// What the rule says of head, and what of that is new. Whatever happens in it, the other rules go on.
    fn judge(&self, Run { context, base_context, rounds, .. }: &Run<'_>) -> Judged {
        let new = self.run(context)?;
        let unread = self.check.kind().unread(context);
        let judgement = match (base_context, self.check.basis()) {
            (Some(_), _) if !self.is_concerned => Judgement { old: new, ..Judgement::default() },
            (None, _) | (_, Basis::Change) => Judgement { new, ..Judgement::default() },
            (_, Basis::Moved) => Judgement { new, gone: self.ended(context)?, ..Judgement::default() },
            (Some(base), Basis::Tree) => self.compare(new, base, rounds)?,
            (Some(base), Basis::Both) => {
                // What the change moved is new, even if it was wrong in another way before.
                let moved: BTreeSet<_> = new.iter().map(begin).collect();
                let without_change = Context { change: None, ..*context };
                let now = self.run(&without_change)?;
                let mut compared = self.compare(now, base, rounds)?;
                compared.old.retain(|diagnostic| !moved.contains(&begin(diagnostic)));
                Judgement { new, ..compared }
            }
        };
        Ok(Judgement { unread, ..judgement })
    }

    /// Tells what is new of what the check finds now. Where it finds nothing, base has nothing to add but what was mended.
    fn compare(&self, now: Vec<Diagnostic>, base: &Context<'_>, rounds: &Rounds) -> Judged {
        if now.is_empty() && rounds.passes_over_mended {
            return Ok(Judgement::default());
        }
        let before = rounds.found_in_base(&self.rule.id, || self.run(base))?;
        Ok(compare(&self.rule.id, now, &before))
    }

    /// What the check finds.
    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, RunError> {
        self.caught(|| self.check.kind().run(context))
    }

    /// What of what it may have found before the change is no more.
    fn ended(&self, context: &Context<'_>) -> Result<Vec<Fingerprint>, RunError> {
        self.caught(|| self.check.kind().ended(context, &self.rule.id))
    }

    /// What the check answers. A panic in it is caught.
    fn caught<T>(&self, ask: impl FnOnce() -> Result<T, StoreError>) -> Result<T, RunError> {
        match catch_unwind(AssertUnwindSafe(ask)) {
            Ok(result) => result.map_err(|error| RunError::new(self.rule, error)),
            Err(panic) => {
                let message = panic.downcast_ref::<&str>().copied();
                let message = message.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
                let help = "this is a fault of imglint; please report it with what it was run on".to_owned();
                let failed = Failed::Rule(Arc::clone(&self.rule.id));
                Err(RunError { failed, reason: format!("it panicked: {message}"), help: Some(help) })
            }
        }
    }
}

/// What a rule makes of a diagnostic: its own level, unless that is lowered, and its help, where there is none that fits better.
fn finding(rule: &Rule, mut diagnostic: Diagnostic) -> Finding {
    diagnostic.help = diagnostic.help.or_else(|| rule.help.clone());
    let level = diagnostic.level.map_or(rule.level, |level| level.min(rule.level));
    Finding { rule: Arc::clone(&rule.id), level, diagnostic, waived: None }
}

/// What a fix would write into a link, it writes into the file that the link leads to. Others may read that, too: so it is made on
/// request alone. Such files are given.
fn write_through_links(fix: &mut Fix, files: &Snapshot<'_>) -> Result<Vec<Arc<str>>, StoreError> {
    let mut written = Vec::new();
    for edit in &mut fix.edits {
        if let Some(file) = files.linked_file(&edit.path)? {
            edit.path = Arc::clone(file);
            written.push(Arc::clone(file));
            fix.safe = false;
        }
    }
    Ok(written)
}
