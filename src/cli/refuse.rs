//! Runs that could find nothing, whatever is wrong, are refused.

use std::sync::Arc;

use super::exit::Error;
use crate::check::{Body, Missing, Sight};
use crate::finding::{Level, RuleId};
use crate::model::Directories;
use crate::pack::{Pack, Rule, Selection};
use crate::run::manifest_order;
use crate::snapshot::{Pair, Snapshot};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum NothingToJudgeError {
    #[error("no directory below {0} holds a file {1}, so there is no image")]
    #[diagnostic(help("name the file that holds an image's version in imglint.toml: shape.images.version = \"TAG\""))]
    NoImage(String, String),
    #[error("there is no file below {0}, where images should lie")]
    #[diagnostic(help("name the directories of the images in imglint.toml: shape.images.roots = [\"images\"]"))]
    NoRoot(String),
    #[error("no rule is left to judge by")]
    #[diagnostic(help(
        "leave out `--skip`, switch rules on in imglint.toml, or choose another pack; `imglint rules` lists all"
    ))]
    NoRule,
    #[error("the rule {0} is asked for and left out")]
    #[diagnostic(help("leave out `--skip {0}`"))]
    Skipped(RuleId),
    #[error("the rule {0} is switched off")]
    #[diagnostic(help("switch it on for this run: `--level {0}=error`"))]
    Off(RuleId),
    #[error("the rule {0} judges waivers, and none is read")]
    #[diagnostic(help("leave out `--no-waivers`"))]
    NoWaivers(RuleId),
    #[error("the rule {0} compares a change with its base, and there is none")]
    #[diagnostic(help("leave out `--all`, or name a base: `--base REV`"))]
    NoBase(RuleId),
    #[error("the rule {0} looks into the history of a whole tree, and a change is judged")]
    #[diagnostic(help("add `--all`"))]
    NoHistory(RuleId),
    #[error("the rule {0} finds nothing without the file that `{1}` names")]
    #[diagnostic(help("add `{1} FILE`"))]
    NoInput(RuleId, &'static str),
}

/// All rules that could find nothing.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("nothing could be found, whatever is wrong")]
struct NothingToJudgeErrors {
    #[related]
    rules: Vec<NothingToJudgeError>,
}

/// A run that could find nothing, whatever is wrong, must not pass, nor one that was asked for a rule and cannot judge by it.
pub(super) fn refuse_nothing(pack: &Pack, pair: &Pair<'_>, selection: &Selection) -> Result<(), Error> {
    refuse_no_images(pack, pair)?;
    let sight = sight(pack, pair);
    let (mut asked_for, mut errors) = (0, Vec::new());
    for rule in &pack.rules {
        let is_named = selection.only.iter().any(|id| **id == *rule.id);
        if is_named || (selection.only.is_empty() && rule.level != Level::Off) {
            asked_for += 1;
            errors.extend(obstacle(rule, pack, sight, selection));
        }
    }
    if asked_for == 0 {
        Err(NothingToJudgeError::NoRule.into())
    } else if errors.is_empty() || (selection.only.is_empty() && errors.len() < asked_for) {
        Ok(()) // who names no rule gets what can be had
    } else {
        Err(NothingToJudgeErrors { rules: errors }.into())
    }
}

/// What a run over these files gives its rules to look at.
fn sight<'a>(pack: &'a Pack, pair: &Pair<'_>) -> Sight<'a> {
    let has_base = pair.base.is_some();
    // Of a change no rule lacks anything by it.
    let is_after_promotion = !has_base && manifest_order(&pack.shape, pair).is_ok_and(|order| order.is_after_promotion);
    Sight { inputs: &pack.inputs, has_base, is_after_promotion }
}

/// Of changes that are judged one after the other, none can be found without a rule.
pub(super) fn refuse_no_rule(pack: &Pack, selection: &Selection) -> Result<(), Error> {
    let mut errors = Vec::new();
    for id in &selection.only {
        let Ok(rule) = pack.rule(id) else { continue };
        if selection.skip.contains(id) {
            errors.push(NothingToJudgeError::Skipped(Arc::clone(&rule.id)));
        } else if rule.level == Level::Off {
            errors.push(NothingToJudgeError::Off(Arc::clone(&rule.id)));
        } else if pack.waivers.is_none() && matches!(rule.body, Body::WaiverHygiene(_)) {
            errors.push(NothingToJudgeError::NoWaivers(Arc::clone(&rule.id)));
        } else if rule.check().is_some_and(|check| check.kind().needs().history()) {
            errors.push(NothingToJudgeError::NoHistory(Arc::clone(&rule.id)));
        }
    }
    if !errors.is_empty() {
        return Err(NothingToJudgeErrors { rules: errors }.into());
    }
    if pack.rules.iter().all(|rule| rule.level == Level::Off) {
        return Err(NothingToJudgeError::NoRule.into());
    }
    Ok(())
}

/// Where no image can be, the pack is told of the wrong directories or files.
pub(super) fn refuse_no_images(pack: &Pack, pair: &Pair<'_>) -> Result<(), Error> {
    let shape = &pack.shape;
    let mut roots = shape.roots.iter();
    let is_there = roots.any(|root| {
        let mut trees = [Some(&pair.head), pair.base.as_ref()].into_iter().flatten();
        trees.any(|tree| tree.below(root).next().is_some())
    });
    if !is_there {
        return Err(NothingToJudgeError::NoRoot(shape.roots.join(", ")).into());
    }
    if pair.base.is_none() {
        refuse_no_versions(pack, &[&pair.head])?;
    }
    Ok(())
}

/// Where no tree has an image, the pack is told of the wrong files.
pub(super) fn refuse_no_versions(pack: &Pack, trees: &[&Snapshot<'_>]) -> Result<(), Error> {
    let shape = &pack.shape;
    for tree in trees {
        if !Directories::find(tree, shape)?.is_empty() {
            return Ok(());
        }
    }
    Err(NothingToJudgeError::NoImage(shape.roots.join(", "), shape.version_files()).into())
}

/// What keeps a rule that was asked for from finding anything.
fn obstacle(rule: &Rule, pack: &Pack, sight: Sight<'_>, selection: &Selection) -> Option<NothingToJudgeError> {
    let id = Arc::clone(&rule.id);
    if selection.skip.iter().any(|skipped| **skipped == *rule.id) {
        return Some(NothingToJudgeError::Skipped(id));
    }
    if rule.level == Level::Off {
        return Some(NothingToJudgeError::Off(id));
    }
    if pack.waivers.is_none() && matches!(rule.body, Body::WaiverHygiene(_)) {
        return Some(NothingToJudgeError::NoWaivers(id));
    }
    Some(match rule.missing(sight)? {
        Missing::Base => NothingToJudgeError::NoBase(id),
        Missing::History => NothingToJudgeError::NoHistory(id),
        Missing::Input(option) => NothingToJudgeError::NoInput(id, option),
        // No rule lacks this before it is judged.
        Missing::Resolution => return None,
    })
}
