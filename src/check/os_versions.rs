//! `os-versions`: versions of an operating system that an image is built for must be known to the build, and to the images that
//! get new ones first.

use serde::Deserialize;

use super::{Context, Kind, Scope};
use crate::finding::{Fault, Place};
use crate::model::Image;
use crate::parse::baseimage::{Line, Platform};
use crate::snapshot::StoreError;

/// Where versions are listed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OsVersions {
    /// The operating system.
    system: String,
    /// Images to which a new version is added before all others.
    first: Vec<String>,
    /// The build script.
    script: String,
    /// The array in it that lists the versions.
    variable: String,
}

impl Kind for OsVersions {
    const SCOPE: Scope = Scope::Tree;

    fn run(&self, context: &Context<'_>) -> Result<Vec<Fault>, StoreError> {
        let script = context.files.readable(&self.script)?;
        let listed = script.as_ref().and_then(|text| array(text.as_str(), &self.variable));
        let mut faults = Vec::new();
        for image in context.head.images.values() {
            let is_first = self.first.iter().any(|first| **first == *image.name);
            for (line, version) in self.versions(image, is_first) {
                let mut lacking = Vec::new();
                for first in self.first.iter().filter(|_| !is_first).flat_map(|name| context.head.named(name)) {
                    if !self.versions(first, true).any(|(_, known)| known == version) {
                        lacking.push(format!("{} does not list it yet", first.name));
                    }
                }
                if listed.as_ref().is_some_and(|listed| !listed.contains(&version.as_str())) {
                    lacking.push(format!("{} in {} lacks it", self.variable, self.script));
                }
                if let (false, Some(Ok((text, _)))) = (lacking.is_empty(), image.base.as_ref().map(|base| &base.read)) {
                    let path = image.base.as_ref().map_or(&image.directory, |base| &base.path);
                    let end = line.key_span.end;
                    let place = Place::new(path, text, end - version.len().min(line.key_span.len())..end);
                    let message = format!(
                        "{} is built for {} {version}, but {}",
                        image.name,
                        self.system,
                        lacking.join(", and ")
                    );
                    let help = format!("add {version} to {} first, then to the others", self.places());
                    faults.push(Fault::new(message, place).image(&image.name).help(help));
                }
            }
        }
        Ok(faults)
    }

    fn file(&self) -> Option<&str> {
        Some(&self.script)
    }
}

impl OsVersions {
    fn places(&self) -> String {
        format!("{} and {}", self.script, self.first.join(" and "))
    }

    /// The versions that an image lists. The first ones may carry them under another system: a cache of Windows files is a Linux
    /// image.
    fn versions<'i>(
        &self,
        image: &'i Image,
        any_system: bool,
    ) -> impl Iterator<Item = (&'i Line, String)> + use<'i, '_> {
        let lines = image.base.as_ref().and_then(|base| base.value()).into_iter().flatten();
        lines.filter_map(move |line| {
            let platform = Platform::parse(&line.key).filter(|platform| any_system || platform.os == self.system)?;
            Some((line, platform.os_version?))
        })
    }
}

/// The words of an array of a shell script: `name=(a b)`, and `name+=(c)` behind that. `None` where it is not assigned, or where
/// only the shell knows what it is.
fn array<'t>(script: &'t str, name: &str) -> Option<Vec<&'t str>> {
    let mut words: Option<Vec<_>> = None;
    let mut rest = script;
    while let Some(begin) = rest.find(name) {
        let line = rest[..begin].rsplit('\n').next().unwrap_or_default();
        rest = &rest[begin + name.len()..];
        let is_statement = line.split_whitespace().all(declares) && !line.ends_with(|c: char| !c.is_whitespace());
        let (adds, value) = rest.strip_prefix('+').map_or((false, rest), |rest| (true, rest));
        let Some(body) = value.strip_prefix("=(").filter(|_| is_statement) else { continue };
        let words = words.get_or_insert_default();
        if !adds {
            words.clear();
        }
        rest = "";
        let mut offset = 0;
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
                rest = &body[offset + part.len()..];
                break;
            }
            offset += line.len();
        }
    }
    words
}

/// Whether a word may stand before an assignment, as in `declare -a`.
fn declares(word: &str) -> bool {
    matches!(word, "declare" | "typeset" | "local" | "export" | "readonly") || word.starts_with('-')
}
