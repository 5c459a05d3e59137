//! `imglint status`: where each image stands, and what is to be done for a change.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::args::{Status, StatusFormat};
use super::exit::{CLEAN, Error};
use super::frame::{Compared, Frame};
use super::paths::image_names;
use super::policy::inputs;
use super::terminal::{print, say};
use crate::check::Change;
use crate::environment::Environment;
use crate::inputs::Inputs;
use crate::model::{Model, content};
use crate::report::json::{Base, Head, to_string};
use crate::report::status::{Form, render};
use crate::run::manifest_order;
use crate::snapshot::Pair;
use crate::status::{Checklist, Question, Row, Work};

#[derive(Serialize)]
struct Root<'a> {
    version: u32,
    base: Option<Base<'a>>,
    head: Head<'a>,
    images: &'a [Row],
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'a Checklist>,
}

pub(super) fn run(options: &Status, environment: &Environment) -> Result<u8, Error> {
    let compared = Compared::if_named(options.base.as_deref());
    let frame = Frame::begin(&options.common.policy, &options.target, &compared, false, environment)?;
    if options.base.is_some() {
        frame.announce(&options.common.output)?;
    }
    let shape = &frame.pack.shape;
    if options.inputs.jobs.is_some() && shape.workflow.job.is_none() {
        say("`--jobs` is not looked at: the pack does not name the job of an image (workflow.job)");
    }
    let inputs = inputs(&options.inputs, environment)?;
    let pair = frame.pair()?;
    let head = Model::build(&pair.head, shape, None, None)?;
    head.has_read_manifest()?;
    let asked = asked(&head, &image_names(&options.images, &frame.repository))?;
    let question = Question { shape, files: &pair.head, head: &head, inputs: &inputs };
    let mut shown = asked.clone();
    let mut checklist = None;
    if options.base.is_some() {
        let (touched, list) = change(question, &pair, asked.as_ref())?;
        shown = Some(touched);
        checklist = Some(list);
    }
    let history = Some(frame.history(&pair, &head, shown.as_ref(), environment)?);
    let question = Question { inputs: &Inputs { history, ..inputs.clone() }, ..question };
    let mut rows = Vec::new();
    for image in head.images.values() {
        if shown.as_ref().is_none_or(|shown| shown.contains(&image.directory)) {
            rows.push(question.row(image));
        }
    }
    let list = checklist.as_ref();
    match options.format {
        StatusFormat::Json => {
            let (base, head) = (frame.base_tree(), frame.head_tree()?);
            let base = options.base.as_ref().map(|_| Base::from(&base));
            print(&to_string(&Root { version: 1, base, head: (&head).into(), images: &rows, change: list }))?;
        }
        StatusFormat::Human => print(&render(&rows, list, shape, Form::Plain))?,
        StatusFormat::Markdown => print(&render(&rows, list, shape, Form::Markdown))?,
    }
    Ok(CLEAN)
}

/// The directories of the images that are asked for; `None` for all.
fn asked(head: &Model, names: &[String]) -> Result<Option<BTreeSet<Arc<str>>>, Error> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut asked = BTreeSet::new();
    for name in names {
        asked.extend(head.meant(name)?.into_iter().map(|image| Arc::clone(&image.directory)));
    }
    Ok(Some(asked))
}

/// The directories of the images that the change touches, and what is to be done for them.
fn change(
    question: Question<'_>,
    pair: &Pair<'_>,
    asked: Option<&BTreeSet<Arc<str>>>,
) -> Result<(BTreeSet<Arc<str>>, Checklist), Error> {
    let Question { shape, head, .. } = question;
    let base = match &pair.base {
        Some(files) => Model::build(files, shape, Some(head), None)?,
        None => Model::default(),
    };
    let content = content::changed(pair, &pair.changed(), shape, &base, head, None)?;
    let change = Change::new(pair, &base, None, head, &content);
    let mut work = Work::new(question, &change);
    if let Some(asked) = asked {
        work.narrow(asked);
    }
    let touched = work.touched().iter().map(|image| Arc::clone(&image.directory)).collect();
    let order = manifest_order(shape, pair)?;
    Ok((touched, work.checklist(order.is_after_promotion)?))
}
