//! What imglint has to say: findings, as data. Reports turn them into text.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::edit::Fix;
use crate::path::is_below;
use crate::text::{Position, Span, Text};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The rule is not run at all.
    Off,
    /// Shown, and never fails the run.
    Note,
    /// Shown; fails the run under `--deny warnings`.
    Warning,
    /// Fails the run.
    Error,
}

impl Level {
    /// The levels by name, as they are written in configuration and on the command line.
    pub const NAMES: [(&str, Self); 4] =
        [("error", Self::Error), ("warning", Self::Warning), ("note", Self::Note), ("off", Self::Off)];

    /// The name of the level.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, level)| *level == self).map_or("off", |(name, _)| name)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of a rule in kebab-case; `allow <name>` reads well.
pub type RuleId = Arc<str>;

/// A place in a text: of a file of the tree that is judged, of the configuration, of a commit's message, or of a list from outside.
#[derive(Debug, Clone)]
pub struct Location {
    /// The file, relative to the root of the repository; or what else the text is called.
    pub path: Arc<str>,
    /// The bytes meant; `0..0` where the file as a whole is.
    pub span: Span,
    /// The file's text, to show the place in. `None` where the file is gone, or was never text.
    pub text: Option<Arc<Text>>,
}

impl Location {
    /// A place in a text.
    pub fn new(path: &Arc<str>, text: &Arc<Text>, span: Span) -> Self {
        Self { path: Arc::clone(path), span, text: Some(Arc::clone(text)) }
    }

    /// A file as a whole.
    pub fn file(path: &Arc<str>) -> Self {
        Self { path: Arc::clone(path), span: 0..0, text: None }
    }

    /// The first position and the one after the last, as people count.
    pub fn positions(&self) -> (Position, Position) {
        let first = Position { line: 1, column: 1 };
        self.text.as_ref().map_or((first, first), |text| (text.position(self.span.start), text.position(self.span.end)))
    }

    /// Whether a digest follows on the same line: that, and not what stands here, decides what is pulled.
    pub fn has_digest(&self) -> bool {
        let line = self.text.as_ref().and_then(|text| text.as_str()[self.span.start..].lines().next());
        line.is_some_and(|line| line.contains("@sha256:"))
    }

    /// The line of source in which the place begins.
    pub fn line(&self) -> &str {
        self.text.as_ref().map_or("", |text| text.line_at(self.span.start))
    }
}

/// A further place that explains a finding.
#[derive(Debug, Clone)]
pub struct Label {
    /// The place that explains it.
    pub location: Location,
    /// What is to be seen there.
    pub message: String,
}

/// What a check found: everything but the name and the level of the rule, which the check does not know.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The image that is at fault, if it is one image.
    pub image: Option<Arc<str>>,
    /// What is wrong, in one line that names the image.
    pub message: String,
    /// Where: the value, not the whole line.
    pub location: Location,
    /// What to do, with the exact new value where there is one.
    pub help: Option<String>,
    /// What it follows from.
    pub related: Vec<Label>,
    /// The same in a few words, for reports of one line, which show no related places.
    pub cause: Option<String>,
    /// The repair, if there is one.
    pub fix: Option<Fix>,
    /// The highest level that it may have, where less is certain than the rule's level says.
    pub level: Option<Level>,
    /// What it is about, beside its image and its file: the keys, names and versions of which another one makes another diagnostic,
    /// in words that stay when the message is worded anew. Nobody reads it.
    pub subject: Arc<str>,
}

/// What tells a finding from all others, wherever in its file it stands and however it is worded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    /// The rule.
    pub rule: RuleId,
    /// The image at fault.
    pub image: Option<Arc<str>>,
    /// The file, by its path in the tree.
    pub path: Arc<str>,
    /// What in it is at fault.
    pub subject: Arc<str>,
}

impl Fingerprint {
    /// A number for it, by FNV-1a: the same in every version and on every machine.
    pub fn hash64(&self) -> u64 {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for part in [&self.rule, self.image.as_deref().unwrap_or_default(), &self.path, &self.subject] {
            // No UTF-8 holds the last byte, so parts cannot run into each other.
            for byte in part.bytes().chain([0xff]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
            }
        }
        hash
    }
}

impl Diagnostic {
    /// A diagnostic at a place, with nothing else said yet. Two of one rule, image and file are the same if they are about the same
    /// subject.
    pub fn about(subject: impl AsRef<str>, message: impl Into<String>, location: Location) -> Self {
        Self {
            image: None,
            message: message.into(),
            location,
            help: None,
            related: Vec::new(),
            cause: None,
            fix: None,
            level: None,
            subject: subject.as_ref().into(),
        }
    }

    /// What tells it from all others that a rule finds.
    pub fn fingerprint(&self, rule: &RuleId) -> Fingerprint {
        Fingerprint {
            rule: Arc::clone(rule),
            image: self.image.clone(),
            path: Arc::clone(&self.location.path),
            subject: Arc::clone(&self.subject),
        }
    }

    /// Lowers the level where less is certain than the rule's level says: the lower of the two counts.
    #[must_use]
    pub fn at_most(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Names the image at fault.
    #[must_use]
    pub fn image(mut self, image: &Arc<str>) -> Self {
        self.image = Some(Arc::clone(image));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says to write a version at the place of the diagnostic, and does so, unless a digest would have to follow.
    #[must_use]
    pub fn write(self, version: &str, fix: Fix) -> Self {
        if self.location.has_digest() {
            self.help(format!("write {version} here, with its digest"))
        } else {
            self.help(format!("write {version} here")).fix(fix)
        }
    }

    /// Adds a place that explains the diagnostic.
    #[must_use]
    pub fn related(mut self, message: impl Into<String>, location: Location) -> Self {
        self.related.push(Label { location, message: message.into() });
        self
    }

    /// Says what it follows from where related places are not shown.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds the repair.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }
}

/// A diagnostic under the name of the rule that it breaks.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// The level that the rule has in this run.
    pub level: Level,
    /// What was found.
    pub diagnostic: Diagnostic,
    /// Why it is let pass, where it is.
    pub waived: Option<String>,
}

impl Finding {
    /// What tells it from all others.
    pub fn fingerprint(&self) -> Fingerprint {
        self.diagnostic.fingerprint(&self.rule)
    }

    /// Whether it is about one of these paths, or about something below one. Without paths, every finding is meant.
    pub fn is_about(&self, paths: &[String]) -> bool {
        let related = self.diagnostic.related.iter().map(|label| &label.location);
        let mut locations = std::iter::once(&self.diagnostic.location).chain(related);
        paths.is_empty() || locations.any(|location| paths.iter().any(|path| is_below(&location.path, path)))
    }
}
