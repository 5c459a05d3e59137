//! Files from outside of the repository that some rules need: what a registry has promoted, which jobs there are, and which
//! registries tests are told to use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::history::History;
use crate::parse::yaml::{Document, Node, YamlError};
use crate::text::Text;
use crate::toml_source::{Source, SourceError};

/// What was given.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// `--promoted`.
    pub promoted: Option<Arc<Promoted>>,
    /// `--jobs`.
    pub jobs: Option<Jobs>,
    /// `KUBE_TEST_REPO_LIST`.
    pub registries: Option<RegistryList>,
    /// What the history tells of the images, where a whole tree is judged.
    pub history: Option<Arc<History>>,
}

/// The registries that tests are told to use.
#[derive(Debug, Clone)]
pub struct RegistryList {
    /// The path of the file.
    pub path: Arc<str>,
    /// Its text.
    pub text: Arc<Text>,
}

/// The tags that a registry has promoted, by image: never built again, and never to be changed.
#[derive(Debug, Clone)]
pub struct Promoted {
    /// The file, for messages.
    pub name: String,
    tags: BTreeMap<String, BTreeSet<String>>,
}

/// The jobs that build images: the script that generates them, or what it generated.
#[derive(Debug, Clone)]
pub struct Jobs {
    /// The file, for messages.
    pub name: String,
    text: String,
}

impl Inputs {
    /// Whether a tag of an image is promoted, as far as that is known.
    pub fn is_promoted(&self, image: &str, tag: &str) -> bool {
        self.promoted.as_ref().is_some_and(|promoted| promoted.has(image, tag))
    }
}

impl Promoted {
    /// Reads an `images.yaml`: a list of `name` and `dmap`, which holds a list of tags by digest.
    pub fn read(source: &Source) -> Result<Self, SourceError> {
        let text = Text::from(&*source.text);
        let document = Document::parse(&text).map_err(|YamlError { message, offset }| {
            source.error(offset..offset, format!("this is no YAML: {message}"))
        })?;
        let root = document.root();
        if !root.is_sequence() {
            let help = "this is the images.yaml of the registry: a list of `- name: …` with `dmap: …`";
            return Err(source.error(root.span(), "this is no list of images").help(help));
        }
        let mut tags: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for item in root.items() {
            let name = item.get("name").and_then(Node::text);
            let name = name.ok_or_else(|| source.error(item.span(), "this entry has no name"))?;
            let of_image = tags.entry(name).or_default();
            for (_, list) in item.get("dmap").into_iter().flat_map(Node::pairs) {
                of_image.extend(list.items().filter_map(Node::text));
            }
        }
        Ok(Self { name: source.name.to_string(), tags })
    }

    /// The tags of an image that are promoted.
    pub fn tags(&self, image: &str) -> impl Iterator<Item = &str> {
        self.tags.get(image).into_iter().flatten().map(String::as_str)
    }

    /// Whether a tag of an image is promoted.
    pub fn has(&self, image: &str, tag: &str) -> bool {
        self.tags.get(image).is_some_and(|tags| tags.contains(tag))
    }
}

impl Jobs {
    /// Takes the generator script, or its YAML.
    pub fn new(source: &Source) -> Self {
        Self { name: source.name.to_string(), text: source.text.to_string() }
    }

    /// Whether a job builds an image: one of this name, one that is told to by a variable of its environment, or an entry of the
    /// script's array, `image` or `image:pool`.
    pub fn has(&self, job: &str, image: &str) -> bool {
        let mut lines = self.text.lines().map(|line| line.split('#').next().unwrap_or_default());
        lines.any(|line| is_entry(line, image) || has_word(line, job))
    }
}

/// Whether a line is the entry of an image in a list.
fn is_entry(line: &str, image: &str) -> bool {
    let line = line.trim().trim_start_matches("- ").trim_start_matches("value:");
    let line = line.trim().trim_matches(['"', '\'']);
    line == image || line.split_once(':').is_some_and(|(entry, pool)| entry == image && !pool.starts_with(' '))
}

/// Whether a line names a job, and not one whose name only holds this one.
fn has_word(line: &str, word: &str) -> bool {
    line.split(|character: char| !is_part_of_word(character)).any(|part| part == word)
}

fn is_part_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}
