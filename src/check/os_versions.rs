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

/// The words of an array of a shell script, `name=(a b c)` and `name+=(d)`, wherever they are assigned; `None` where it is not.
fn array<'t>(script: &'t str, name: &str) -> Option<Vec<&'t str>> {
    let mut words: Option<Vec<_>> = None;
    let mut rest = script;
    while let Some(begin) = rest.find(name) {
        let line = rest[..begin].rsplit('\n').next().unwrap_or_default();
        rest = &rest[begin + name.len()..];
        // Before it stand keywords and their options, as in `declare -a`.
        let is_keyword = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let is_statement = line.split_whitespace().all(is_keyword) && !line.ends_with(|c: char| !c.is_whitespace());
        let body = rest.strip_prefix('+').unwrap_or(rest).strip_prefix("=(");
        let Some(body) = body.filter(|_| is_statement) else { continue };
        let lines = body.lines().map(|line| match line.split_once('#') {
            Some((words, _)) if words.is_empty() || words.ends_with(char::is_whitespace) => words,
            _ => line,
        });
        let words = words.get_or_insert_default();
        for line in lines {
            let (part, is_end) = line.split_once(')').map_or((line, false), |(part, _)| (part, true));
            words.extend(part.split_whitespace().map(|word| word.trim_matches(['"', '\''])));
            if is_end {
                break;
            }
        }
    }
    words
}
