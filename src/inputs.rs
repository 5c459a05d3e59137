//! What some rules need beside the trees. From outside of the repository: what a registry has promoted, which jobs there are, which
//! registries tests are told to use, and what open changes claim; from inside, what the history tells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::history::{History, Removed};
use crate::parse::version::is_tag;
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
    /// `--claims`.
    pub claims: Option<Arc<Claims>>,
    /// `KUBE_TEST_REPO_LIST`.
    pub registries: Option<RegistryList>,
    /// What the history tells of the images, where a whole tree is judged.
    pub history: Option<Arc<History>>,
    /// What it tells of images that a change brings back, by directory.
    pub removed: BTreeMap<Arc<str>, Removed>,
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
    /// The claim of somebody else on a version of an image, by any of its names.
    pub fn claim_of_others(&self, names: [&str; 2], version: &str) -> Option<&Claim> {
        self.claims.as_ref()?.of_others(names, version)
    }

    /// Whether a tag of an image is promoted, as far as that is known.
    pub fn is_promoted(&self, image: &str, tag: &str) -> bool {
        self.promoted.as_ref().is_some_and(|promoted| promoted.has(image, tag))
    }
}

/// A version that somebody's change takes, before it is merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The image, by the name under which it is published.
    pub image: String,
    /// The version that is taken, without what all tags begin with.
    pub version: String,
    /// Whose change it is, as `#123`.
    pub who: String,
}

/// The versions that open changes take. Of two claims of one version the first counts.
#[derive(Debug, Clone)]
pub struct Claims {
    list: Vec<Claim>,
    /// Whose change is judged, as the list calls it: what it claims itself is not taken.
    own: Option<String>,
}

impl Claims {
    /// Reads a list of claims: JSON, as `imglint claims` prints it, once or several times over; or lines `IMAGE VERSION WHO`.
    pub fn read(source: &Source, own: Option<&str>) -> Result<Self, SourceError> {
        let text = source.text.trim_start();
        let list = match text.chars().next() {
            None => {
                let help = "a list without claims is `[]`: what should have written it may have failed";
                return Err(source.error(0..0, "this holds nothing").help(help));
            }
            Some('[' | '{') => of_json(source)?,
            Some(_) => of_lines(source)?,
        };
        Ok(Self { list, own: own.map(str::to_owned) })
    }

    /// The claim of somebody else on a version of an image, by any of its names, that counts before our own.
    pub fn earlier_of_others(&self, names: [&str; 2], version: &str) -> Option<&Claim> {
        let mut of_version = self.list.iter().filter(|claim| claim.is_on(names, version));
        of_version.next().filter(|first| !self.is_own(first))
    }

    /// The claim of somebody else on a version of an image, by any of its names.
    pub fn of_others(&self, names: [&str; 2], version: &str) -> Option<&Claim> {
        self.list.iter().find(|claim| claim.is_on(names, version) && !self.is_own(claim))
    }

    fn is_own(&self, claim: &Claim) -> bool {
        self.own.as_deref() == Some(claim.who.as_str())
    }
}

impl Claim {
    fn is_on(&self, names: [&str; 2], version: &str) -> bool {
        self.version == version && names.contains(&self.image.as_str())
    }

    /// What is wrong with it, if anything is.
    fn problem(&self) -> Option<String> {
        if self.image.is_empty() || self.who.is_empty() {
            return Some("this claim lacks its image, or who has it".to_owned());
        }
        let has_digit = |word: &str| word.contains(|character: char| character.is_ascii_digit());
        // Of two words in the wrong order, nothing would ever be taken.
        let is_turned =
            !has_digit(&self.version) && self.image.starts_with(|character: char| character.is_ascii_digit());
        (!is_tag(&self.version) || is_turned).then(|| format!("`{}` is no version", self.version))
    }
}

fn of_json(source: &Source) -> Result<Vec<Claim>, SourceError> {
    let help = "each claim is {\"image\": …, \"version\": …, \"who\": …}, as `imglint claims` prints it";
    let mut claims = Vec::new();
    for value in serde_json::Deserializer::from_str(&source.text).into_iter::<Value>() {
        let value = value.map_err(|error| source.error(0..0, format!("this is no JSON: {error}")).help(help))?;
        let values = if let Value::Array(values) = value { values } else { vec![value] };
        for value in values {
            let number = claims.len() + 1;
            let claim: Claim = serde_json::from_value(value)
                .map_err(|error| source.error(0..0, format!("claim {number} cannot be read: {error}")).help(help))?;
            if let Some(problem) = claim.problem() {
                return Err(source.error(0..0, format!("in claim {number}: {problem}")).help(help));
            }
            claims.push(claim);
        }
    }
    Ok(claims)
}

fn of_lines(source: &Source) -> Result<Vec<Claim>, SourceError> {
    let help = "each line is IMAGE VERSION WHO, as in `agnhost 2.54 #123`";
    let mut claims = Vec::new();
    for (span, line) in Text::from(&*source.text).lines().filter(|(_, line)| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [image, version, who @ ..] = words.as_slice() else {
            return Err(source.error(span, "this is no claim").help(help));
        };
        let claim = Claim { image: (*image).to_owned(), version: (*version).to_owned(), who: who.join(" ") };
        if let Some(problem) = claim.problem() {
            return Err(source.error(span, problem).help(help));
        }
        claims.push(claim);
    }
    Ok(claims)
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
