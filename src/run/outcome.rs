//! What a run found, and what kept it from judging.

use std::sync::Arc;

use crate::check::{Check, Missing};
use crate::finding::{Finding, Fingerprint, Level, RuleId};
use crate::pack::{Pack, Rule};
use crate::snapshot::StoreError;

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
    /// The findings that base had and head has no more; of rules that judge trees. Who asks for findings alone does not get all.
    pub mended: Vec<Fingerprint>,
}

/// What could not judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// One rule, beside others that could.
    Rule(RuleId),
    /// The run as a whole, which ended before any rule began.
    Run,
}

/// Something that could not judge, and why.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
#[error("{}{reason}", self.failed.introduction())]
pub struct RunError {
    /// What could not.
    pub failed: Failed,
    /// What stood in the way.
    pub reason: String,
    /// What to do about it.
    #[help]
    pub help: Option<String>,
}

/// A rule that could not look.
#[derive(Debug, Clone)]
pub struct SkippedRule {
    /// The rule that could not look, by its name.
    pub rule: RuleId,
    /// What it lacks.
    pub missing: Missing,
}

impl Failed {
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
    /// What a rule could not read.
    pub(super) fn new(rule: &Rule, StoreError { path, reason, help }: StoreError) -> Self {
        let error = StoreError { path, reason, help: None };
        Self { failed: Failed::Rule(Arc::clone(&rule.id)), reason: error.to_string(), help }
    }
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
            if !self.errors.iter().any(|known| known.failed == error.failed) {
                self.errors.push(error.clone());
            }
        }
        self.sort();
    }

    /// Puts the findings into the order of their places.
    pub(super) fn sort(&mut self) {
        self.findings.sort_by(|one, other| place(one).cmp(&place(other)));
    }

    /// The same where conflicts keep all other rules from judging: they say nothing, and are said to have seen nothing.
    pub(super) fn with_conflicts_alone(mut self, pack: &Pack) -> Self {
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

/// What findings are sorted by: where they are, then their rule.
fn place(finding: &Finding) -> (&str, usize, &str, &str) {
    (
        &finding.diagnostic.location.path,
        finding.diagnostic.location.span.start,
        &finding.rule,
        &finding.diagnostic.message,
    )
}
