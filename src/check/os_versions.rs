//! `os-versions`: versions of an operating system that an image is built for must be known to the build, and to the images that
//! get new ones first.
//!
//! Rules: `unlisted-windows-version`.

use std::collections::HashSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Kind, Needs, Outside, Reads};
use crate::finding::{Diagnostic, Location};
use crate::model::Model;
use crate::parse::baseimage::{Os, Platform};
use crate::snapshot::StoreError;

/// Where versions are listed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OsVersions {
    /// The operating system.
    system: Os,
    /// Images to which a new version is added before all others.
    first: Vec<String>,
    /// The build script.
    script: String,
    /// The array in it that lists the versions.
    variable: String,
}

impl Kind for OsVersions {
    fn needs(&self) -> Needs<'_> {
        Needs { files: Reads::File(&self.script), dockerfiles: None, outside: Outside::Nothing, pattern: None }
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let script = context.files.readable(&self.script)?;
        let array = script.as_ref().and_then(|text| Array::read(text.as_str(), &self.variable));
        let mut diagnostics = Vec::new();
        if let (Some(text), Some(begin)) = (&script, array.as_ref().and_then(|array| array.computed)) {
            let message = format!("{} in {} is computed, so it cannot be compared", self.variable, self.script);
            let location = Location::new(&self.script.as_str().into(), text, begin..begin + self.variable.len());
            diagnostics.push(
                Diagnostic::about("computed", message, location)
                    .help(format!("write its words here: {}=(…)", self.variable)),
            );
        }
        let listed = array.filter(|array| array.computed.is_none()).map(|array| array.words);
        let listed: Option<HashSet<&str>> = listed.map(|words| words.into_iter().collect());
        let first = self.first_images(context.model);
        for image in context.model.images.values() {
            let Some((path, Ok((text, lines)))) = image.base_file.as_ref().map(|base| (&base.path, &base.read)) else {
                continue;
            };
            let is_first = self.first.iter().any(|first| **first == *image.name);
            for line in lines {
                // The script knows nothing of versions that an image carries under another system.
                let platform = Platform::parse(&line.key).filter(|platform| platform.os == self.system.name());
                let Some(version) = platform.and_then(|platform| platform.os_version) else { continue };
                let mut lacking = Vec::new();
                if listed.as_ref().is_some_and(|listed| !listed.contains(version.as_str())) {
                    let location = format!("{} in {}", self.variable, self.script);
                    lacking.push(Lacking { reason: format!("{location} lacks it"), location });
                }
                for first in first.iter().filter(|first| !is_first && !first.versions.contains(&version)) {
                    let reason = format!("{} does not list it yet", first.name);
                    lacking.push(Lacking { reason, location: first.name.to_string() });
                }
                let locations: Vec<&str> = lacking.iter().map(|lacking| lacking.location.as_str()).collect();
                let help = format!("add {version} to {} first", locations.join(" and "));
                for Lacking { reason, location: lacks } in &lacking {
                    let end = line.key_span.end;
                    let location = Location::new(path, text, end - version.len().min(line.key_span.len())..end);
                    let message = format!("{} is built for {} {version}, but {reason}", image.name, self.system.name());
                    let subject = format!("{version} {lacks}");
                    diagnostics
                        .push(Diagnostic::about(subject, message, location).image(&image.name).help(help.clone()));
                }
            }
        }
        Ok(diagnostics)
    }
}

/// An image to which new versions are added first, and those that it lists.
struct First<'m> {
    name: &'m Arc<str>,
    versions: HashSet<String>,
}

/// A place that should list a version.
struct Lacking {
    location: String,
    reason: String,
}

impl OsVersions {
    /// The images that get new versions first. They may carry them under another system: a cache of Windows files is a Linux image.
    fn first_images<'m>(&self, model: &'m Model) -> Vec<First<'m>> {
        let mut first = Vec::new();
        for image in self.first.iter().flat_map(|name| model.named(name)) {
            let lines = image.base_file.as_ref().and_then(|base| base.value()).into_iter().flatten();
            let versions = lines.filter_map(|line| Platform::parse(&line.key)?.os_version).collect();
            first.push(First { name: &image.name, versions });
        }
        first
    }
}

/// An array of a shell script.
#[derive(Default)]
struct Array<'t> {
    words: Vec<&'t str>,
    /// Where it is given words that only the shell knows.
    computed: Option<usize>,
}

impl<'t> Array<'t> {
    /// What `name=(a b)`, and `name+=(c)` behind that, make of an array; `None` where it is not assigned.
    fn read(script: &'t str, name: &str) -> Option<Self> {
        let mut array = None;
        let mut end = 0;
        while let Some(found) = script[end..].find(name) {
            let begin = end + found;
            end = begin + name.len();
            let before = script[..begin].rsplit('\n').next().unwrap_or_default();
            let is_comment = before.split_whitespace().any(|word| word.starts_with('#'));
            if is_comment || !(before.is_empty() || before.ends_with(char::is_whitespace)) {
                continue;
            }
            let (adds, value) = match &script[end..] {
                value if value.starts_with('+') => (true, &value[1..]),
                value => (false, value),
            };
            let is_assigned = value.starts_with('=') && before.split_whitespace().all(declares);
            if !is_assigned && !before.split_whitespace().any(reads) {
                continue;
            }
            let array: &mut Self = array.get_or_insert_default();
            if !adds {
                *array = Self::default();
            }
            match value.strip_prefix("=(").map(words) {
                Some(Some((words, length))) => {
                    array.words.extend(words);
                    end = script.len() - value.len() + "=(".len() + length;
                }
                _ => array.computed = Some(begin),
            }
        }
        array
    }
}

/// The words up to the bracket that closes an array, and how far that is; `None` where only the shell knows them.
fn words(body: &str) -> Option<(Vec<&str>, usize)> {
    let mut words = Vec::new();
    let mut length = 0;
    for line in body.split_inclusive('\n') {
        let code = match line.split_once('#') {
            Some((code, _)) if code.is_empty() || code.ends_with(char::is_whitespace) => code,
            _ => line,
        };
        if code.contains(['$', '`']) {
            return None;
        }
        let part = code.split(')').next().unwrap_or_default();
        words.extend(part.split_whitespace().map(|word| word.trim_matches(['"', '\''])));
        if part.len() < code.len() {
            return Some((words, length + part.len()));
        }
        length += line.len();
    }
    Some((words, length))
}

/// Whether a word may stand before an assignment, as in `declare -a`.
fn declares(word: &str) -> bool {
    matches!(word, "declare" | "typeset" | "local" | "export" | "readonly") || word.starts_with('-')
}

/// Whether a command reads its input into an array.
fn reads(command: &str) -> bool {
    matches!(command, "read" | "readarray" | "mapfile")
}
