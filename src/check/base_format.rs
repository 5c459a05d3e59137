//! `base-format`: every line of a base file must be what the build script understands.
//!
//! Rules: `malformed-base`.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Kind, Needs};
use crate::edit::{Edit, Fix};
use crate::finding::{Diagnostic, Location};
use crate::model::{Control, Image};
use crate::parse::baseimage::{Architecture, Line, Os};
use crate::path::file_name;
use crate::snapshot::StoreError;
use crate::suggest::suggest;
use crate::text::{Span, escape};

/// The platforms that the build knows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BaseFormat {
    /// Operating systems.
    systems: Vec<Os>,
    /// Architectures, by Go's names.
    architectures: Vec<Architecture>,
}

/// What is found on a line: where, what, what to do, and what to write in the place of which parts.
struct LineDiagnostic {
    /// Beside the key of the line, what of it is wrong.
    subject: String,
    span: Span,
    message: String,
    help: String,
    replacements: Vec<(Span, &'static str)>,
}

impl Kind for BaseFormat {
    fn needs(&self) -> Needs<'_> {
        Needs::of_control_files()
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        for image in context.model.images.values() {
            if let Some(base) = &image.base_file {
                self.judge(image, base, &mut diagnostics);
            }
        }
        Ok(diagnostics)
    }
}

impl BaseFormat {
    fn judge(&self, image: &Image, base: &Control<Vec<Line>>, diagnostics: &mut Vec<Diagnostic>) {
        let file = file_name(&base.path);
        let (text, lines) = match &base.read {
            Ok(read) => read,
            Err(unreadable) => {
                let message = format!("{file} of {} {unreadable}", image.name);
                diagnostics.push(Diagnostic::about("unread", message, Location::file(&base.path)).image(&image.name));
                return;
            }
        };
        if lines.is_empty() {
            let message = format!("{file} of {} lists no platform, so nothing would be built", image.name);
            let help = "list one `os/arch=image` a line, or delete the file to build for all architectures of Linux";
            diagnostics
                .push(Diagnostic::about("empty", message, Location::file(&base.path)).image(&image.name).help(help));
        }
        let keys = Keys::of(lines);
        for (number, line) in lines.iter().enumerate() {
            let written = text.slice(&line.span);
            let mut of_line = Vec::new();
            self.judge_line(line, written, &mut of_line);
            of_line.extend(keys.judge(number, line));
            for LineDiagnostic { subject, span, message, help, replacements } in of_line {
                let subject = format!("{} {subject}", line.key);
                let location = Location::new(&base.path, text, span);
                let message = format!("{file} of {}: {message}", image.name);
                let mut diagnostic = Diagnostic::about(subject, message, location).image(&image.name).help(help);
                if !replacements.is_empty() {
                    let changes = replacements.into_iter().filter(|(span, new)| text.slice(span) != *new);
                    let edits = changes.map(|(span, new)| Edit::replace(&base.path, &span, new));
                    let title = format!("tidy the line of {} in {file} of {}", escape(&line.key), image.name);
                    diagnostic = diagnostic.fix(Fix::safe(title, edits.collect()));
                }
                diagnostics.push(diagnostic);
            }
        }
    }

    fn judge_line(&self, line: &Line, written: &str, found: &mut Vec<LineDiagnostic>) {
        let Some(value) = &line.value else {
            found.push(LineDiagnostic {
                subject: "form".to_owned(),
                span: line.key_span.clone(),
                message: format!("`{}` has no `=`", line.key),
                help: "a line is `os/arch=image` or `os/arch/version=image`".to_owned(),
                replacements: Vec::new(),
            });
            return;
        };
        self.judge_platform(line, found);
        let tidy = format!("{}={value}", line.key);
        if written != tidy {
            let is_return = written.trim_end() == tidy && written.ends_with('\r');
            let (subject, what) = if is_return { ("return", "a carriage return") } else { ("blanks", "blanks") };
            found.push(LineDiagnostic {
                subject: subject.to_owned(),
                span: line.span.clone(),
                message: format!("{what} on the line of {}", line.key),
                help: "the build script takes them for part of the platform or of the image".to_owned(),
                // Only what stands around the values goes: they may be edited themselves.
                replacements: if tidy.contains(char::is_whitespace) {
                    Vec::new()
                } else {
                    vec![
                        (line.span.start..line.key_span.start, ""),
                        (line.key_span.end..line.value_span.start, "="),
                        (line.value_span.end..line.span.end, ""),
                    ]
                },
            });
        }
        let wrong = if value.is_empty() {
            Some(("image", format!("{} names no image", line.key)))
        } else if value.contains('=') {
            let message = format!("the image of {} holds a second `=`, at which the build script cuts it", line.key);
            Some(("second =", message))
        } else if value.contains(char::is_whitespace) {
            Some(("image with blanks", format!("the image of {} holds blanks", line.key)))
        } else {
            None
        };
        found.extend(wrong.map(|(subject, message)| LineDiagnostic {
            subject: subject.to_owned(),
            span: line.value_span.clone(),
            message,
            help: "write one image reference behind the `=`".to_owned(),
            replacements: Vec::new(),
        }));
    }

    fn systems(&self) -> impl Iterator<Item = &'static str> {
        self.systems.iter().map(Os::name)
    }

    fn architectures(&self) -> impl Iterator<Item = &'static str> {
        self.architectures.iter().map(Architecture::name)
    }

    fn judge_platform(&self, line: &Line, found: &mut Vec<LineDiagnostic>) {
        let parts: Vec<&str> = line.key.split('/').collect();
        let mut replacements = Vec::new();
        let wrong = match parts[..] {
            [arch] if self.architectures().any(|known| known == arch) => {
                replacements.push((line.key_span.start..line.key_span.start, "linux/"));
                Some((
                    format!("`{arch}` lacks its operating system: the build script stops here"),
                    format!("write linux/{arch}"),
                ))
            }
            [os, _] | [os, _, _] if !self.systems().any(|known| known == os) => {
                Some(unknown(line, "operating system", os, self.systems()))
            }
            [_, arch] | [_, arch, _] if !self.architectures().any(|known| known == arch) => {
                Some(unknown(line, "architecture", arch, self.architectures()))
            }
            ["windows", arch] => Some((
                format!("windows/{arch} lacks the version of Windows that its containers run on"),
                format!("write one line a version, such as windows/{arch}/1809=…"),
            )),
            [_, _] => None,
            [_, _, version] if !version.is_empty() => None,
            _ => Some((
                format!("`{}` is no platform", line.key),
                "a platform is `os/arch` or `os/arch/version`".to_owned(),
            )),
        };
        found.extend(wrong.map(|(message, help)| LineDiagnostic {
            subject: "platform".to_owned(),
            span: line.key_span.clone(),
            message,
            help,
            replacements,
        }));
    }
}

/// What is wrong with a part of a platform that is not known, and what to do.
fn unknown<'a>(line: &Line, what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> (String, String) {
    (format!("unknown {what} `{name}` in `{}`", line.key), suggest(name, known))
}

/// Keys that are longer than this are no platforms, and looked through for nothing.
const MAX_KEY: usize = 256;

/// The keys of a file, in which the build script looks for one without saying where it begins.
struct Keys<'l> {
    /// The first line of each key.
    first: HashMap<&'l str, usize>,
    /// By a key that is the end of others: the first of these in the file.
    longer: HashMap<&'l str, &'l str>,
}

impl<'l> Keys<'l> {
    fn of(lines: &'l [Line]) -> Self {
        let mut first = HashMap::new();
        let mut lengths = HashSet::new();
        for (number, line) in lines.iter().enumerate() {
            first.entry(line.key.as_str()).or_insert(number);
            lengths.insert(line.key.len());
        }
        let mut longer = HashMap::new();
        for (number, line) in lines.iter().enumerate() {
            let key = line.key.as_str();
            if first.get(key) != Some(&number) || key.len() > MAX_KEY {
                continue;
            }
            for (start, _) in key.char_indices().skip(1) {
                if lengths.contains(&(key.len() - start))
                    && let Some((end, _)) = first.get_key_value(&key[start..])
                {
                    longer.entry(*end).or_insert(key);
                }
            }
        }
        Self { first, longer }
    }

    /// What is wrong with a key that the build script cannot tell from another one.
    fn judge(&self, number: usize, line: &Line) -> Option<LineDiagnostic> {
        let key = line.key.as_str();
        let (subject, message) = if self.first.get(key).is_some_and(|first| *first < number) {
            ("twice".to_owned(), format!("{key} is listed twice"))
        } else {
            // A bare architecture is at fault for itself already.
            let longer = self.longer.get(key).filter(|_| key.contains('/'))?;
            let message = format!("{key} is the end of {longer}: the build script finds both lines");
            (format!("end of {longer}"), message)
        };
        let help = "keep one line a platform".to_owned();
        Some(LineDiagnostic { subject, span: line.key_span.clone(), message, help, replacements: Vec::new() })
    }
}
