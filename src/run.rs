//! One run: rules over a pair of trees, to findings in a stable order.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::prelude::*;

use crate::check::{Basis, Body, Change, Check, Context, Merge, Missing, Sight, unreported_conflict};
use crate::edit::Fix;
use crate::finding::{Diagnostic, Finding, Fingerprint, Level, RuleId};
use crate::inputs::Inputs;
use crate::model::content::{self, ChangedContent};
use crate::model::{Directories, Model};
use crate::pack::{Pack, Rule};
use crate::shape::{ManifestOrder, Shape};
use crate::snapshot::{FileKind, Pair, Snapshot, StoreError};
use crate::unused;
use crate::waiver::{Known, Waivers, of_dockerfiles};

/// What a run found.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The findings, in the order of their places.
    pub findings: Vec<Finding>,
    /// How many findings head has that base had already.
    pub older: usize,
    /// Rules that could not judge. The run has failed if there is one, whatever was found.
    pub errors: Vec<RunError>,
    /// Rules that could not look. That they found nothing says nothing.
    pub skipped: Vec<SkippedRule>,
    /// Whether nothing but conflicts was looked for: between their marks stand two trees, and no rule can tell which is meant.
    pub has_conflicts_alone: bool,
    /// Of a whole tree: settings of the repository's own that are without effect, one line each.
    pub unused: Vec<String>,
    /// The names of the images that were judged, in order: those of the whole tree, or those that the change touches where it
    /// can have touched no others.
    pub images: Vec<Arc<str>>,
    /// What the change does beside what is wrong with it.
    pub effect: Effect,
}

/// What a change does to images, and to what was wrong before it.
#[derive(Debug, Clone, Default)]
pub struct Effect {
    /// The images whose content it changes, by name.
    pub touched: Vec<Arc<str>>,
    /// The images whose version it moves, by name; those that it adds are among them.
    pub moved: Vec<Arc<str>>,
    /// The images that it takes away, by name.
    pub removed: Vec<Arc<str>>,
    /// The findings that base had and head has no more; of rules that judge trees.
    pub mended: Vec<Fingerprint>,
}

/// What could not judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judge {
    /// One rule, beside others that could.
    Rule(RuleId),
    /// The run as a whole, which ended before any rule began.
    Run,
}

/// Something that could not judge, and why.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
#[error("{}{reason}", self.judge.introduction())]
pub struct RunError {
    /// What could not.
    pub judge: Judge,
    /// What stood in the way.
    pub reason: String,
    /// What to do about it.
    #[help]
    pub help: Option<String>,
}

/// A rule that could not look.
#[derive(Debug, Clone)]
pub struct SkippedRule {
    /// The rule.
    pub rule: RuleId,
    /// What it lacks.
    pub missing: Missing,
}

impl Judge {
    /// The name under which reports show it.
    pub fn name(&self) -> &str {
        match self {
            Self::Rule(rule) => rule,
            Self::Run => "imglint",
        }
    }

    /// What stands before the reason; that of a run speaks for itself.
    fn introduction(&self) -> String {
        match self {
            Self::Rule(rule) => format!("the rule {rule} failed: "),
            Self::Run => String::new(),
        }
    }
}

impl RunError {
    fn new(rule: &Rule, StoreError { path, reason, help }: StoreError) -> Self {
        let error = StoreError { path, reason, help: None };
        Self { judge: Judge::Rule(Arc::clone(&rule.id)), reason: error.to_string(), help }
    }
}

/// What a rule says of a change.
#[derive(Clone, Default)]
struct Judgement {
    new: Vec<Diagnostic>,
    old: Vec<Diagnostic>,
    /// What base had, and head has no more.
    gone: Vec<Fingerprint>,
    /// What it could not read.
    unread: Vec<StoreError>,
}

/// Judges. An error means that the images could not even be read.
pub fn judge(pack: &Pack, pair: &Pair<'_>) -> Result<Outcome, StoreError> {
    judge_knowing(pack, pair, None)
}

/// The same, where head was read before.
pub fn judge_knowing(pack: &Pack, pair: &Pair<'_>, head: Option<&Model>) -> Result<Outcome, StoreError> {
    let changed = pair.changed();
    let trees = Trees::read(pack, pair, &changed, head)?;
    let change = trees.before.as_ref().map(|before| {
        let change = Change::new(pair, &before.base, before.tip.as_ref(), &trees.head, &before.content);
        change.merging(before.merge.as_ref())
    });
    let (shape, inputs) = (&pack.shape, &pack.inputs);
    // The policy is that of the tree that the change is made to. Of a partial run, no rule asks for it.
    let manifest_order = if trees.is_partial { Ok(ManifestOrder::default()) } else { manifest_order(shape, pair) };
    let sight = Sight {
        inputs,
        has_base: change.is_some(),
        is_after_promotion: manifest_order.as_ref().is_ok_and(|order| order.is_after_promotion),
    };
    let context = Context {
        shape,
        files: &pair.head,
        head: &trees.head,
        inputs,
        branch: pair.origin.branch.as_ref(),
        change: change.as_ref(),
        order: &manifest_order,
    };
    // A list from outside is no part of either tree: what is wrong with it is never old.
    let inputs_before = Inputs { registries: None, ..inputs.clone() };
    let before = change.as_ref().and_then(|change| {
        Some(Context { files: pair.base.as_ref()?, head: change.base, change: None, inputs: &inputs_before, ..context })
    });
    let run = Run { pack, pair, trees: &trees, sight, context, before };
    let (conflicts, others): (Vec<_>, Vec<_>) =
        applied(pack, trees.is_partial).into_iter().partition(|applied| applied.check.is_about_conflicts());
    if conflicts.is_empty()
        && !trees.is_partial
        && let Some(error) = unreported_conflict(&context)
    {
        let error = RunError { judge: Judge::Run, help: error.help.clone(), reason: error.to_string() };
        return Ok(Outcome { errors: vec![error], ..Outcome::default() });
    }
    let of_conflicts = run.apply(&conflicts);
    let is_marked = |judgement: &Result<Judgement, RunError>| judgement.as_ref().is_ok_and(|it| !it.new.is_empty());
    if of_conflicts.iter().any(is_marked) {
        let outcome = run.conclude(&conflicts, of_conflicts.clone())?;
        // What is let pass, or does not fail, keeps nobody from judging.
        if outcome.findings.iter().any(|finding| finding.level == Level::Error && finding.waived.is_none()) {
            return Ok(outcome.with_conflicts_alone(pack));
        }
    }
    let of_others = run.apply(&others);
    run.conclude(&[conflicts, others].concat(), [of_conflicts, of_others].concat())
}

/// A run whose trees were read.
struct Run<'a> {
    pack: &'a Pack,
    pair: &'a Pair<'a>,
    trees: &'a Trees,
    sight: Sight<'a>,
    context: Context<'a>,
    /// The same of the other side, where there is one.
    before: Option<Context<'a>>,
}

impl Run<'_> {
    /// Applies rules. Of a few images that is done before a thread has started.
    fn apply(&self, rules: &[Applied<'_>]) -> Vec<Result<Judgement, RunError>> {
        if self.trees.is_partial {
            rules.iter().map(|rule| apply(rule, &self.context, self.before.as_ref())).collect()
        } else {
            rules.par_iter().map(|rule| apply(rule, &self.context, self.before.as_ref())).collect()
        }
    }

    /// Puts together what rules found.
    fn conclude(
        &self,
        rules: &[Applied<'_>],
        judgements: Vec<Result<Judgement, RunError>>,
    ) -> Result<Outcome, StoreError> {
        let Self { pack, pair, trees, sight, .. } = self;
        let mut images: Vec<_> = trees.head.images.values().map(|image| Arc::clone(&image.name)).collect();
        images.sort();
        let mut outcome = Outcome { images, effect: trees.effect(), ..Outcome::default() };
        for rule in pack.rules.iter().filter(|rule| rule.level != Level::Off) {
            if let Some(missing) = rule.missing(*sight) {
                outcome.skipped.push(SkippedRule { rule: Arc::clone(&rule.id), missing });
            }
        }
        let mut old = Vec::new();
        for (Applied { rule, .. }, judgement) in rules.iter().zip(judgements) {
            match judgement {
                Ok(Judgement { new, old: of_rule, gone, unread }) => {
                    outcome.effect.mended.extend(gone);
                    outcome.errors.extend(unread.into_iter().map(|error| RunError::new(rule, error)));
                    old.extend(
                        of_rule.into_iter().filter(|_| !rule.is_silent).map(|diagnostic| stamp(rule, diagnostic)),
                    );
                    outcome.findings.extend(new.into_iter().map(|diagnostic| stamp(rule, diagnostic)));
                }
                Err(error) => outcome.errors.push(error),
            }
        }
        if self.context.change.is_none() {
            outcome.unused = unused::settings(pack, &pair.head, &trees.head);
        }
        for fix in outcome.findings.iter_mut().filter_map(|finding| finding.diagnostic.fix.as_mut()) {
            through_links(fix, &pair.head)?;
        }
        waive(pack, pair, trees, *sight, &mut outcome, &mut old);
        outcome.older = old.iter().filter(|finding| finding.waived.is_none()).count();
        outcome.findings.retain(|finding| finding.level != Level::Off);
        outcome.findings.sort_by(|one, other| order(one).cmp(&order(other)));
        Ok(outcome)
    }
}

/// A rule that is applied to the trees.
#[derive(Clone, Copy)]
struct Applied<'a> {
    rule: &'a Rule,
    check: &'a Check,
}

impl Applied<'_> {
    /// What the check finds. A panic in it is caught.
    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, RunError> {
        match catch_unwind(AssertUnwindSafe(|| self.check.kind().run(context))) {
            Ok(result) => result.map_err(|error| RunError::new(self.rule, error)),
            Err(panic) => {
                let message = panic.downcast_ref::<&str>().copied();
                let message = message.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
                let help = "this is a fault of imglint; please report it with what it was run on".to_owned();
                let judge = Judge::Rule(Arc::clone(&self.rule.id));
                Err(RunError { judge, reason: format!("it panicked: {message}"), help: Some(help) })
            }
        }
    }
}

/// The rules that are applied. Of images that the change touches alone, those judge that compare.
fn applied(pack: &Pack, is_partial: bool) -> Vec<Applied<'_>> {
    let mut applied = Vec::new();
    for rule in pack.rules.iter().filter(|rule| rule.is_judged()) {
        if let Some(check) = rule.check()
            && (!is_partial || check.basis() == Basis::Change)
        {
            applied.push(Applied { rule, check });
        }
    }
    applied
}

/// When the manifest follows: as the tree says that the change is made to, or the judged one where there is no other.
pub fn manifest_order(shape: &Shape, pair: &Pair<'_>) -> Result<ManifestOrder, StoreError> {
    shape.manifest_order(pair.base.as_ref().unwrap_or(&pair.head))
}

/// Applies the waivers, and reports those that are not in order: of those in files, what base had not. `old` is what was found and
/// base had already.
fn waive(pack: &Pack, pair: &Pair<'_>, trees: &Trees, sight: Sight<'_>, outcome: &mut Outcome, old: &mut Vec<Finding>) {
    let Some(waivers) = &pack.waivers else { return };
    let base = trees.before.as_ref().map(|before| &before.base);
    let mut judged = Vec::new();
    for rule in pack.rules.iter().filter(|rule| rule.is_judged()) {
        let has_failed = outcome.errors.iter().any(|error| error.judge == Judge::Rule(Arc::clone(&rule.id)));
        if !has_failed && rule.missing(sight).is_none() {
            judged.push(&*rule.id);
        }
    }
    let known = Known {
        rules: pack.rules.iter().map(|rule| &rule.id).chain(&waivers.rules).map(|id| &**id).collect(),
        judged,
        head: &trees.head,
        base,
        shape: &pack.shape,
        files: &pair.head,
        today: waivers.today,
    };
    let comments = of_dockerfiles(&trees.head);
    waivers.let_pass(&mut outcome.findings, &comments, &known);
    waivers.let_pass(old, &comments, &known);
    // Where the change touches no waiver, none can have come into disorder.
    if trees.is_partial {
        return;
    }
    let judged = waivers.judge(&outcome.findings, &comments, known);
    for rule in pack.rules.iter().filter(|rule| rule.level != Level::Off) {
        let Body::WaiverHygiene(hygiene) = &rule.body else { continue };
        let Judgement { new, old: of_rule, .. } = compare(&rule.id, judged.now(hygiene), &judged.before(hygiene));
        old.extend(of_rule.into_iter().map(|diagnostic| stamp(rule, diagnostic)));
        outcome.findings.extend(new.into_iter().map(|diagnostic| stamp(rule, diagnostic)));
    }
}

/// The models of both sides.
struct Trees {
    head: Model,
    before: Option<Before>,
    /// Whether only those images were read that the change touches. Then no rule about the state of a tree can have found
    /// anything that it had not found before.
    is_partial: bool,
}

/// The other side of a change, and what differs.
struct Before {
    base: Model,
    tip: Option<Model>,
    content: ChangedContent,
    merge: Option<Merge>,
}

impl Trees {
    fn read(
        pack: &Pack,
        pair: &Pair<'_>,
        changed: &BTreeSet<Arc<str>>,
        known: Option<&Model>,
    ) -> Result<Self, StoreError> {
        let shape = &pack.shape;
        let is_partial = is_partial(pack, pair, changed);
        let Some(base_files) = &pair.base else {
            let head = Model::build(&pair.head, shape, known, None)?;
            return Ok(Self { head, before: None, is_partial: false });
        };
        let mut only = if is_partial { Some(owners(changed, &[&pair.head, base_files], shape)?) } else { None };
        loop {
            let head = Model::build(&pair.head, shape, known, only.as_ref())?;
            let mut base = Model::build(base_files, shape, Some(&head), only.as_ref())?;
            base.forget_unread();
            let content = content::changed(pair, changed, shape, &base, &head, None)?;
            // What is built from sources elsewhere is known only now.
            if let Some(only) = &mut only {
                let before = only.len();
                only.extend(content.keys().chain(content.undecided()).cloned());
                if only.len() > before {
                    continue;
                }
            }
            let tip = pair.tip.as_ref().map(|tip| Model::build(tip, shape, Some(&base), only.as_ref())).transpose()?;
            let merge = merge(pack, pair, &content, &head)?;
            return Ok(Self { head, before: Some(Before { base, tip, content, merge }), is_partial });
        }
    }
}

/// Whether the paths that a change touches tell that no rule about the state of a tree can find anything that it had not found
/// before. Then only those images need be read that the change touches.
pub fn is_partial(pack: &Pack, pair: &Pair<'_>, changed: &BTreeSet<Arc<str>>) -> bool {
    // What comes from outside may say something new of what stays as it is.
    let has_inputs = pack.inputs.registries.is_some();
    // A control file that is a link may say something else although its own name is not among the changed ones.
    let mut telling = changed.iter().chain(pair.head.links());
    pair.base.is_some()
        && !has_inputs
        // Who is built on what has no version is found out by reading all.
        && pack.shape.unversioned.is_empty()
        && !pack.waivers.as_ref().is_some_and(Waivers::has_new)
        && !telling.any(|path| pack.is_control_file(path) || pair.origin.listed.contains(&**path))
        && !changed.iter().any(|path| hides(&pair.head, path))
}

impl Trees {
    /// What the change does to images.
    fn effect(&self) -> Effect {
        let mut effect = Effect::default();
        let Some(Before { base, content, .. }) = &self.before else { return effect };
        for directory in content.keys() {
            let image = self.head.images.get(directory).or_else(|| base.images.get(directory));
            effect.touched.extend(image.map(|image| Arc::clone(&image.name)));
        }
        for (directory, image) in &self.head.images {
            let before = base.images.get(directory);
            let is_same =
                before.is_some_and(|before| Arc::ptr_eq(before, image) || before.version() == image.version());
            if !is_same {
                effect.moved.push(Arc::clone(&image.name));
            }
        }
        for (directory, image) in &base.images {
            if !self.head.images.contains_key(directory) {
                effect.removed.push(Arc::clone(&image.name));
            }
        }
        effect
    }
}

/// What the author made of the images that a merge touches, where a rule tells of versions that were taken meanwhile. Where none
/// does, the merge is judged as what it is: its content changed, and its version did not.
fn merge(pack: &Pack, pair: &Pair<'_>, content: &ChangedContent, head: &Model) -> Result<Option<Merge>, StoreError> {
    let Some(merged) = &pair.origin.merged else { return Ok(None) };
    let touched: BTreeSet<_> = content.keys().cloned().collect();
    if touched.is_empty() || !pack.rules.iter().any(Rule::is_about_taken_versions) {
        return Ok(None);
    }
    let author = Model::build(&merged.author, &pack.shape, Some(head), Some(&touched))?;
    let fork = Model::build(&merged.fork, &pack.shape, Some(&author), Some(&touched))?;
    Ok(Some(Merge { fork, author }))
}

/// The images that own these paths in one of the trees.
fn owners(
    paths: &BTreeSet<Arc<str>>,
    trees: &[&Snapshot<'_>],
    shape: &Shape,
) -> Result<BTreeSet<Arc<str>>, StoreError> {
    let mut owners = BTreeSet::new();
    for files in trees {
        let directories = Directories::find(files, shape)?;
        owners.extend(paths.iter().flat_map(|path| directories.owners(path).cloned()));
    }
    Ok(owners)
}

/// Whether a path may stand in the place of a directory with images.
fn hides(files: &Snapshot<'_>, path: &str) -> bool {
    files.entry(path).is_some_and(|entry| matches!(entry.kind, FileKind::Symlink | FileKind::Submodule))
}

impl Outcome {
    /// The findings that are not waived.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.waived.is_none())
    }

    /// Adds what one merge of a batch does wrong although the batch as a whole looks right: a version that a merge before it took.
    /// Rules about the state of a tree have judged the last one.
    pub fn add_step(&mut self, step: &Self, pack: &Pack, name: &str) {
        for finding in &step.findings {
            if !pack.rules.iter().any(|rule| rule.id == finding.rule && rule.is_of_change()) {
                continue;
            }
            let mut known = self.findings.iter();
            if known.any(|known| known.rule == finding.rule && known.diagnostic.image == finding.diagnostic.image) {
                continue;
            }
            let mut finding = finding.clone();
            finding.diagnostic.message = format!("{} (in the merge {name} of this batch)", finding.diagnostic.message);
            // It is for a tree of its own.
            finding.diagnostic.fix = None;
            self.findings.push(finding);
        }
        for error in &step.errors {
            if !self.errors.iter().any(|known| known.judge == error.judge) {
                self.errors.push(error.clone());
            }
        }
        self.findings.sort_by(|one, other| order(one).cmp(&order(other)));
    }

    /// The same where conflicts keep all other rules from judging: they say nothing, and are said to have seen nothing.
    fn with_conflicts_alone(mut self, pack: &Pack) -> Self {
        let mut others = Vec::new();
        for rule in pack.rules.iter().filter(|rule| rule.level != Level::Off) {
            if rule.check().is_some_and(|check| !check.is_about_conflicts()) {
                others.push(SkippedRule { rule: Arc::clone(&rule.id), missing: Missing::Resolution });
            }
        }
        self.findings.retain(|finding| {
            let check = pack.rules.iter().find(|rule| rule.id == finding.rule).and_then(Rule::check);
            check.is_some_and(Check::is_about_conflicts)
        });
        Self { has_conflicts_alone: true, skipped: others, unused: Vec::new(), ..self }
    }

    /// Leaves those findings that are about one of these paths or about something below it. No rule is switched off by that.
    /// Conflicts that keep all rules from judging are told wherever they are.
    pub fn narrow(&mut self, paths: &[String]) {
        if self.has_conflicts_alone {
            return;
        }
        self.findings.retain(|finding| finding.is_about(paths));
    }

    /// How many findings have a level and are not waived.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level && finding.waived.is_none()).count()
    }

    /// How many findings are waived.
    pub fn waived(&self) -> usize {
        self.findings.iter().filter(|finding| finding.waived.is_some()).count()
    }
}

fn order(finding: &Finding) -> (&str, usize, &str, &str) {
    (
        &finding.diagnostic.location.path,
        finding.diagnostic.location.span.start,
        &finding.rule,
        &finding.diagnostic.message,
    )
}

fn stamp(rule: &Rule, mut diagnostic: Diagnostic) -> Finding {
    diagnostic.help = diagnostic.help.or_else(|| rule.help.clone());
    let level = diagnostic.level.map_or(rule.level, |level| level.min(rule.level));
    Finding { rule: Arc::clone(&rule.id), level, diagnostic, waived: None }
}

/// What a fix would write into a link, it writes into the file that the link leads to. Others may read that, too: so it is made on
/// request alone.
fn through_links(fix: &mut Fix, files: &Snapshot<'_>) -> Result<(), StoreError> {
    for edit in &mut fix.edits {
        if let Some(file) = files.linked_file(&edit.path)? {
            edit.path = Arc::clone(file);
            fix.safe = false;
        }
    }
    Ok(())
}

/// Applies one rule. Whatever happens in it, the others go on.
fn apply(applied: &Applied<'_>, context: &Context<'_>, before: Option<&Context<'_>>) -> Result<Judgement, RunError> {
    let rule = &applied.rule.id;
    let new = applied.run(context)?;
    let unread = applied.check.kind().unread(context);
    let judgement = match (before, applied.check.basis()) {
        (None, _) | (_, Basis::Change | Basis::Moved) => Judgement { new, ..Judgement::default() },
        (Some(before), Basis::Tree) => compare(rule, new, &applied.run(before)?),
        (Some(before), Basis::Both) => {
            // What the change moved is new, even if it was wrong in another way before.
            let moved: BTreeSet<_> = new.iter().map(begin).collect();
            let without_change = Context { change: None, ..*context };
            let mut compared = compare(rule, applied.run(&without_change)?, &applied.run(before)?);
            compared.old.retain(|diagnostic| !moved.contains(&begin(diagnostic)));
            Judgement { new, ..compared }
        }
    };
    Ok(Judgement { unread, ..judgement })
}

/// Where a diagnostic begins.
fn begin(diagnostic: &Diagnostic) -> (Arc<str>, usize) {
    (Arc::clone(&diagnostic.location.path), diagnostic.location.span.start)
}

/// Diagnostics of one fingerprint that were there before: how many, and on which lines of source.
#[derive(Default)]
struct KnownDiagnostics<'f> {
    lines: HashMap<&'f str, usize>,
    left: usize,
}

impl<'f> KnownDiagnostics<'f> {
    fn add(&mut self, line: &'f str) {
        *self.lines.entry(line).or_default() += 1;
        self.left += 1;
    }

    /// Takes one that stood on such a line, if one is left.
    fn take_line(&mut self, line: &str) -> bool {
        let Some(count) = self.lines.get_mut(line).filter(|count| **count > 0) else { return false };
        *count -= 1;
        self.left -= 1;
        true
    }

    /// Takes any of them, if one is left. No line is asked for any more then.
    fn take_any(&mut self) -> bool {
        let is_left = self.left > 0;
        self.left -= usize::from(is_left);
        is_left
    }
}

/// Tells diagnostics that were not there before from those that were, and from those that were there alone. Of equal ones, as many are new as there are more of them; first
/// those whose line of source was not there.
fn compare(rule: &RuleId, now: Vec<Diagnostic>, before: &[Diagnostic]) -> Judgement {
    let mut known: HashMap<Fingerprint, KnownDiagnostics<'_>> = HashMap::new();
    for diagnostic in before {
        known.entry(diagnostic.fingerprint(rule)).or_default().add(diagnostic.location.line());
    }
    let mut is_old = vec![false; now.len()];
    for same_line in [true, false] {
        for (diagnostic, is_old) in now.iter().zip(&mut is_old).filter(|(_, is_old)| !**is_old) {
            let Some(known) = known.get_mut(&diagnostic.fingerprint(rule)) else { continue };
            *is_old = if same_line { known.take_line(diagnostic.location.line()) } else { known.take_any() };
        }
    }
    let mut judgement = Judgement::default();
    let matched = is_old.iter().filter(|is_old| **is_old).count();
    if matched < before.len() {
        for diagnostic in before {
            let fingerprint = diagnostic.fingerprint(rule);
            if known.get_mut(&fingerprint).is_some_and(KnownDiagnostics::take_any) {
                judgement.gone.push(fingerprint);
            }
        }
    }
    for (diagnostic, is_old) in now.into_iter().zip(is_old) {
        if is_old { judgement.old.push(diagnostic) } else { judgement.new.push(diagnostic) }
    }
    judgement
}
