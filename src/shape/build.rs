//! `[build]`: which Dockerfile is built for which platform, and `[binaries]`: what is compiled into images.

use std::collections::BTreeMap;
use std::fmt::{self, Formatter};

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::field::{DefaultPlatform, Directory, FileName, optional_pattern};
use super::files::FilesFollow;
use crate::parse::capture::Pattern;
use crate::parse::dockerfile::Traced;
use crate::parse::glob::PathPattern;
use crate::parse::make::{self, MakeText};
use crate::parse::version_source::{Key, VersionForm, VersionSource};
use crate::path::in_directory;
use crate::text::{Span, Text};

/// `[build]`: which Dockerfile is built for which platform.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Build {
    /// The Dockerfile, or several.
    pub(super) dockerfile: Dockerfiles,
    /// The Dockerfile that is preferred for Windows where it exists.
    pub(super) windows_dockerfile: Option<FileName>,
    /// The directory below an image's that is the context of its builds: what lies beside it is no content.
    pub(super) context: Option<PathPattern>,
    /// Files of an image beside the context that the build script reads.
    pub(super) script_files: Vec<PathPattern>,
    /// What an image without a base file is built for.
    pub(super) default_platforms: Vec<DefaultPlatform>,
    /// The word of lines that the build script takes out for amd64, and frees of it for others.
    pub(super) line_prefix: Option<String>,
    /// What stands in a Dockerfile that is a template: something else fills it in before anything is built from it.
    #[serde(deserialize_with = "optional_pattern")]
    pub(super) template: Option<Pattern>,
    /// The arguments that the build gives to every Dockerfile.
    pub(super) arguments: BTreeMap<String, BuildArgument>,
}

/// What the build gives to an argument.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(with = "ArgumentForm", inline)]
pub enum BuildArgument {
    /// The base of the platform that is built, from the base file.
    Base,
    /// The registry of this tree's images.
    Registry,
    /// The version of the operating system that is built for; empty where there is none.
    OsVersion,
    /// What stands in a file, which is content of the images that declare the argument: of several the first that is there.
    Files(Vec<ArgumentFile>),
}

/// A file that holds the value of an argument.
#[derive(Debug, Clone)]
pub struct ArgumentFile {
    /// From the root of the repository, or below an image's directory.
    path: String,
    is_of_root: bool,
    /// Where in it.
    form: ValueForm,
    /// When an image that it names is followed.
    pub follows: FilesFollow,
}

#[derive(Debug, Clone)]
enum ValueForm {
    /// It is all that the file holds.
    WholeFile,
    /// The value of a key.
    Key(Box<VersionSource>),
    /// The group `value` of a pattern.
    Pattern(Pattern),
    /// That of a variable of a Makefile.
    Variable(String),
}

/// A value of an argument.
#[derive(Debug, Clone)]
pub struct ArgumentValue {
    /// It, with the places that it comes from.
    pub value: Traced,
    /// Where it stands as a whole.
    pub span: Span,
}

impl BuildArgument {
    /// Whether it is a variable of a Makefile: where that says nothing, the default of the Dockerfile holds.
    pub fn is_variable(&self) -> bool {
        matches!(self, Self::Files(files) if files.iter().all(ArgumentFile::is_variable))
    }
}

impl ArgumentFile {
    /// Its path, for the image in a directory.
    pub fn of(&self, directory: &str) -> String {
        if self.is_of_root { self.path.clone() } else { in_directory(directory, &self.path) }
    }

    /// Whether it is this file, for some image.
    pub fn is(&self, path: &str) -> bool {
        path == self.path
            || (!self.is_of_root && path.strip_suffix(&self.path).is_some_and(|above| above.ends_with('/')))
    }

    /// The file, where all images share it.
    pub fn shared(&self) -> Option<&str> {
        self.is_of_root.then_some(&self.path)
    }

    /// The pattern, if the value is found by one.
    pub fn pattern(&self) -> Option<&Pattern> {
        match &self.form {
            ValueForm::Pattern(pattern) => Some(pattern),
            ValueForm::WholeFile | ValueForm::Key(_) | ValueForm::Variable(_) => None,
        }
    }

    /// Whether the file holds nothing but the value.
    pub fn is_whole_file(&self) -> bool {
        matches!(self.form, ValueForm::WholeFile)
    }

    /// Whether the file holds more than the value, which other images may be built with.
    pub fn is_variable(&self) -> bool {
        matches!(self.form, ValueForm::Variable(_))
    }

    /// The values that the argument may have; `None` where that cannot be told, none where it is not given. Variables of a Makefile that
    /// stand for the registry are kept as such.
    pub fn values(&self, text: &Text, registry_variables: &[&str]) -> Option<Vec<ArgumentValue>> {
        if let ValueForm::Variable(name) = &self.form {
            let values = make::values(text, name, registry_variables)?.into_iter();
            return Some(values.map(|MakeText { value, span }| ArgumentValue { value, span }).collect());
        }
        let span = self.locate(text)?;
        Some(vec![ArgumentValue { value: Traced::at(text.slice(&span), span.start), span }])
    }

    /// Where the value stands; `None` where there is none, or one of several.
    fn locate(&self, text: &Text) -> Option<Span> {
        let span = match &self.form {
            ValueForm::Variable(_) => return None,
            ValueForm::WholeFile => {
                let all = text.as_str();
                let start = all.len() - all.trim_start().len();
                start..start + all.trim().len()
            }
            ValueForm::Key(source) => source.locate(text).span,
            ValueForm::Pattern(pattern) => {
                let mut matches = pattern.matches(text);
                let span = matches.next()?.span("value");
                matches.next().is_none().then_some(span)?
            }
        };
        Some(span).filter(|span| !span.is_empty() && !text.slice(span).contains('\n'))
    }
}

impl<'de> Deserialize<'de> for BuildArgument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ArgumentVisitor)
    }
}

/// A table for an argument's value.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ArgumentTable {
    /// The file that holds it: below an image, or from the root with a slash first.
    file: String,
    /// The key of YAML, JSON or TOML that it is the value of.
    key: Option<String>,
    /// Where in the file it stands: the group `value`.
    pattern: Option<String>,
    /// The variable of a Makefile that it is the value of.
    variable: Option<String>,
    /// When an image that it names is followed.
    #[serde(default)]
    follows: FilesFollow,
}

/// How a [`BuildArgument`] is written.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "a form alone: nothing is read into it")]
enum ArgumentForm {
    Word(ArgumentWord),
    Table(ArgumentTable),
    Tables(Vec<ArgumentTable>),
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "a form alone: nothing is read into it")]
enum ArgumentWord {
    /// The base of the platform that is built, from the base file.
    Base,
    /// The registry of this tree's images.
    Registry,
    /// The version of the operating system that is built for; empty where there is none.
    OsVersion,
}

/// Reads a word, or a table. An untagged enum would not say what is wrong with either.
struct ArgumentVisitor;

impl<'de> Visitor<'de> for ArgumentVisitor {
    type Value = BuildArgument;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(
            "`base`, `registry`, `os-version`, or a table with `file`, and maybe `key`, `pattern` or `variable`, or several",
        )
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<BuildArgument, E> {
        match word {
            "base" => Ok(BuildArgument::Base),
            "registry" => Ok(BuildArgument::Registry),
            "os-version" => Ok(BuildArgument::OsVersion),
            _ => Err(E::unknown_variant(word, &["base", "registry", "os-version"])),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BuildArgument, A::Error> {
        let file = ArgumentFile::deserialize(MapAccessDeserializer::new(map))?;
        Ok(BuildArgument::Files(vec![file]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<BuildArgument, A::Error> {
        let mut files = Vec::new();
        while let Some(file) = list.next_element()? {
            files.push(file);
        }
        if files.is_empty() {
            return Err(A::Error::custom("name at least one file that holds the value"));
        }
        Ok(BuildArgument::Files(files))
    }
}

impl<'de> Deserialize<'de> for ArgumentFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ArgumentTable { file, key, pattern, variable, follows } = ArgumentTable::deserialize(deserializer)?;
        let path = PathPattern::new(file.trim_start_matches('/')).map_err(D::Error::custom)?;
        let Some(path) = path.as_path() else {
            return Err(D::Error::custom("this must be one file: below an image, or from the root with a slash first"));
        };
        let form = match (key, pattern, variable) {
            (None, None, None) => ValueForm::WholeFile,
            (None, None, Some(variable)) => ValueForm::Variable(variable),
            (Some(key), None, None) => {
                let key = Key::new(path, &key).map_err(D::Error::custom)?;
                ValueForm::Key(Box::new(VersionSource::new(path.to_owned(), VersionForm::Key(key))))
            }
            (None, Some(pattern), None) => {
                ValueForm::Pattern(Pattern::new(&pattern, &["value"]).map_err(D::Error::custom)?)
            }
            _ => {
                return Err(D::Error::custom(
                    "a value stands under a `key`, where a `pattern` finds it, or in a `variable`: name one of them",
                ));
            }
        };
        let is_of_root = file.starts_with('/');
        Ok(Self { path: path.to_owned(), is_of_root, form, follows })
    }
}

impl Default for Build {
    fn default() -> Self {
        let dockerfile = PathPattern::new("Dockerfile").into_iter().collect();
        Self {
            dockerfile: Dockerfiles(dockerfile),
            windows_dockerfile: None,
            context: None,
            script_files: Vec::new(),
            default_platforms: Vec::new(),
            line_prefix: None,
            template: None,
            arguments: BTreeMap::new(),
        }
    }
}

/// Paths below an image's directory.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "OneOrMore")]
#[schemars(with = "OneOrMore")]
pub(super) struct Dockerfiles(pub(super) Vec<PathPattern>);

#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "this must be the path of a file, or a list of such paths")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl TryFrom<OneOrMore> for Dockerfiles {
    type Error = String;

    fn try_from(paths: OneOrMore) -> Result<Self, String> {
        let paths = match paths {
            OneOrMore::One(path) => vec![path],
            OneOrMore::More(paths) => paths,
        };
        paths.iter().map(|path| PathPattern::new(path)).collect::<Result<_, _>>().map(Self)
    }
}

/// `[binaries]`: which sources outside of an image's directory end up in it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Binaries {
    /// Where imports are followed. Default: below the images' roots.
    pub(super) scope: Option<Vec<Directory>>,
    /// The name of the Go module, where it need not be looked up in `go.mod`.
    pub(super) module: Option<String>,
    /// The Makefile of an image that names the directory of its sources.
    pub(super) makefile: Option<FileName>,
    /// The variable in that Makefile which names the directory of the sources.
    pub(super) source_variable: Option<String>,
}

/// The file that names a Go module.
pub const GO_MODULE: &str = "go.mod";
