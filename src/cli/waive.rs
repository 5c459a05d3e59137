//! `imglint waive`: lets a finding pass, with a reason, where that is written down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::args::{Target, Waive, WaivePlace};
use super::exit::{CLEAN, Error};
use super::frame::{Compared, Frame};
use super::paths::image_names;
use super::repairs::working_tree;
use super::terminal::{print, say};
use crate::config_file::{CONFIG_FILE, Config};
use crate::environment::Environment;
use crate::finding::Finding;
use crate::fix::RepairedFile;
use crate::model::Model;
use crate::run::judge;
use crate::snapshot::Pair;
use crate::text::escape;
use crate::toml_source::{ConfigError, Source};
use crate::waiver::{Day, TRAILER};
use crate::write::{NewFile, create, write};

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum WaiveError {
    #[error("a waiver needs a reason")]
    #[diagnostic(help("say why in `--reason`: whoever reads it must be able to judge whether it still holds"))]
    NoReason,
    #[error("`{}` is no date", escape(.0))]
    #[diagnostic(help("write the last day, such as `--until 2027-01-31`"))]
    NoDate(String),
    #[error("{} has passed: the waiver would let nothing pass", .0)]
    #[diagnostic(help("name a day that is still to come, in UTC"))]
    Past(Day),
    #[error("what `{}` finds is wrong with a waiver, and no other waiver lets that pass", escape(.0))]
    #[diagnostic(help("mend the waiver that it names, or take it away; `imglint explain {}` says more", escape(.0)))]
    OfWaivers(String),
    #[error("{0} finds nothing that could be let pass")]
    #[diagnostic(help("run `imglint` to see what is found; `--in config` writes the waiver all the same"))]
    Nothing(String),
    #[error("a comment lets pass what is found in a Dockerfile, and {} is none", escape(.0))]
    #[diagnostic(help("leave out `--in dockerfile`"))]
    NoDockerfile(String),
    #[error("no comment can stand above the line of {} that it is about", escape(.0))]
    #[diagnostic(help("it lies within a heredoc or another line; write the waiver elsewhere: `--in config`"))]
    NoLine(String),
    #[error("the waiver cannot be added to {}: {reason}", escape(&path.display().to_string()))]
    #[diagnostic(help("write it by hand: README.md shows how"))]
    Config { path: PathBuf, reason: String },
}

/// A waiver that is to be written.
struct Waiver<'a> {
    rule: &'a str,
    image: Option<String>,
    reason: String,
    until: Option<Day>,
}

/// Finds what is to be let pass, and writes the waiver where it holds for that and for nothing else.
pub(super) fn run(options: &Waive, environment: &Environment) -> Result<u8, Error> {
    let reason = options.reason.split_whitespace().collect::<Vec<_>>().join(" ");
    if reason.is_empty() {
        return Err(WaiveError::NoReason.into());
    }
    let until = match &options.until {
        Some(until) => Some(Day::parse(until).ok_or_else(|| WaiveError::NoDate(until.clone()))?),
        None => None,
    };
    let target = Target { worktree: true, ..Target::default() };
    let frame = Frame::begin(&options.common.policy, &target, &Compared::of(&options.compared), true, environment)?;
    frame.announce(&options.common.output)?;
    let rule = frame.pack.rule(&options.rule)?;
    if rule.check().is_none() {
        return Err(WaiveError::OfWaivers(rule.id.to_string()).into());
    }
    if let Some(past) = until.filter(|until| frame.pack.waivers.as_ref().is_some_and(|waivers| *until < waivers.today))
    {
        return Err(WaiveError::Past(past).into());
    }
    let image = image_names(options.image.as_slice(), &frame.repository).pop();
    let waiver = Waiver { rule: &rule.id, image, reason, until };

    let mut pair = frame.pair()?;
    let model = Model::build(&pair.head, &frame.pack.shape, None, None)?;
    let findings = waiver.findings(&frame, &pair, &model)?;
    if let Some(image) = waiver.image.as_ref().filter(|_| findings.is_empty()) {
        model.meant(image)?;
    }
    let dockerfiles: BTreeSet<&str> =
        model.images.values().flat_map(|image| &image.builds).map(|build| &*build.path).collect();
    let are_in_dockerfiles = findings.iter().all(|finding| dockerfiles.contains(&*finding.diagnostic.location.path));
    let place = match options.place {
        Some(place) => place,
        None if findings.is_empty() => return Err(WaiveError::Nothing(waiver.subject()).into()),
        None if are_in_dockerfiles => WaivePlace::Dockerfile,
        // What the change itself needs: the configuration that judges it is that of its base.
        None if rule.is_of_change() => WaivePlace::Trailer,
        None => WaivePlace::Config,
    };
    match place {
        WaivePlace::Dockerfile => {
            if let Some(finding) = findings.iter().find(|it| !dockerfiles.contains(&*it.diagnostic.location.path)) {
                return Err(WaiveError::NoDockerfile(finding.diagnostic.location.path.to_string()).into());
            }
            let files = waiver.comments(&findings);
            for (path, file) in &files {
                pair.head.overlay(path, file.after.clone());
            }
            // A line of a heredoc that begins with a hash is content.
            if let Some(left) = waiver.findings(&frame, &pair, &model)?.first() {
                return Err(WaiveError::NoLine(left.diagnostic.location.path.to_string()).into());
            }
            write(working_tree(&frame)?, &files)?;
            for path in files.keys() {
                print(&format!("{}: {} is let pass\n", escape(path), waiver.subject()))?;
            }
        }
        WaivePlace::Trailer => {
            print(&format!("{}\n", waiver.trailer()))?;
            say("put this line into the last paragraph of the commit's message, among trailers alone:");
            // The commit that the change was begun on is somebody else's.
            let has_commit = frame.base.revision() != frame.repository.resolve_head(&frame.head)?;
            let amend = if has_commit { " --amend" } else { "" };
            say(&format!("git commit{amend} --trailer '{}'", waiver.trailer().replace('\'', r"'\''")));
        }
        WaivePlace::Config => {
            waiver.put_into_config(options.common.policy.config.clone(), &frame)?;
            say("in CI it holds once it is merged; for this change alone, `--in trailer`");
        }
    }
    Ok(CLEAN)
}

impl Waiver<'_> {
    /// What it waives, as messages name it.
    fn subject(&self) -> String {
        self.image.as_ref().map_or_else(|| self.rule.to_owned(), |image| format!("{}({image})", self.rule))
    }

    /// The findings that it is about, in what is judged.
    fn findings(&self, frame: &Frame, pair: &Pair<'_>, model: &Model) -> Result<Vec<Finding>, Error> {
        let mut names: Vec<&str> = Vec::new();
        if let Some(image) = &self.image {
            names.push(image);
            // The name of no image may be one that a finding has all the same.
            names.extend(model.meant(image).into_iter().flatten().map(|image| &*image.name));
        }
        let mut findings = Vec::new();
        for finding in judge(&frame.pack, pair)?.findings {
            let is_meant =
                self.image.is_none() || finding.diagnostic.image.as_ref().is_some_and(|it| names.contains(&&**it));
            if *finding.rule == *self.rule && finding.waived.is_none() && is_meant {
                findings.push(finding);
            }
        }
        Ok(findings)
    }

    fn until(&self) -> String {
        self.until.map(|until| format!("until={until} ")).unwrap_or_default()
    }

    fn trailer(&self) -> String {
        format!("{TRAILER}: {} {}{}", self.subject(), self.until(), self.reason)
    }

    /// The files with a comment above each line that something is found in.
    fn comments(&self, findings: &[Finding]) -> BTreeMap<Arc<str>, RepairedFile> {
        let mut files: BTreeMap<Arc<str>, RepairedFile> = BTreeMap::new();
        // From the end, so that the places before it stay what they are.
        let mut places: BTreeMap<(Arc<str>, usize), &Finding> = BTreeMap::new();
        for finding in findings {
            let location = &finding.diagnostic.location;
            if let Some(text) = &location.text {
                places.insert((Arc::clone(&location.path), text.line_start(location.span.start)), finding);
            }
        }
        for ((path, begin), finding) in places.iter().rev() {
            let Some(text) = &finding.diagnostic.location.text else { continue };
            let line = &text.as_str()[*begin..];
            let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
            let end = if line.lines().next().is_some_and(|first| line[first.len()..].starts_with("\r\n")) {
                "\r\n"
            } else {
                "\n"
            };
            let comment = format!("{indent}# imglint: allow({}) {}{}{end}", self.rule, self.until(), self.reason);
            let before = text.bytes().to_vec();
            let file = files.entry(Arc::clone(path)).or_insert_with(|| RepairedFile {
                after: before.clone(),
                before,
                done: Vec::new(),
            });
            file.after.splice(begin..begin, comment.bytes());
        }
        files
    }

    /// Adds a table to the configuration, which is made if there is none.
    fn put_into_config(&self, path: Option<PathBuf>, frame: &Frame) -> Result<(), Error> {
        let path = match path {
            Some(path) => path,
            None => working_tree(frame)?.join(CONFIG_FILE),
        };
        let failed = |reason: String| WaiveError::Config { path: path.clone(), reason };
        let before = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error.to_string()).into()),
        };
        let mut text = before.clone().unwrap_or_default();
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        if !text.is_empty() && !text.ends_with('\n') {
            text += end;
        }
        if !text.is_empty() {
            text += end;
        }
        text += &self.table(end);
        let name = path.display().to_string();
        Config::read(&Source::new(&name, text.as_str()))
            .map_err(|errors| failed(ConfigError(errors).0[0].to_string()))?;
        if before.is_some() {
            crate::write::whole(&path, text.as_bytes()).map_err(|error| failed(error.to_string()))?;
        } else {
            create(&[NewFile { path: path.clone(), text, is_executable: false }])?;
        }
        print(&format!("{}: {} is let pass\n", escape(&name), self.subject()))
    }

    /// `[[waive]]`.
    fn table(&self, end: &str) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let mut lines = vec!["[[waive]]".to_owned(), format!("rule = {}", quoted(self.rule))];
        lines.extend(self.image.as_ref().map(|image| format!("image = {}", quoted(image))));
        lines.push(format!("reason = {}", quoted(&self.reason)));
        lines.extend(self.until.map(|until| format!("until = {until}")));
        lines.join(end) + end
    }
}
