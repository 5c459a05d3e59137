//! What people and CI do around a change, as `[workflow]` of a pack says: commands, jobs and entries of lists elsewhere, with places
//! for what they are about.

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::parse::glob::Globs;
use crate::suggest::suggest;

/// `[workflow]`: how an image gets from a change to those who use it. What is not said is left out of the checklist.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Workflow {
    /// The directory that `build` and `trial-build` are run in, where it is not the root of the repository.
    pub directory: Option<String>,
    /// What prepares the machine that builds, a line of a shell each.
    pub prerequisites: Vec<String>,
    /// The command that builds an image and pushes it: `{image}`.
    #[serde(deserialize_with = "of_image")]
    pub build: Option<Template>,
    /// Where else some images have to be pushed to.
    pub also: Vec<Also>,
    /// The name of the job that builds an image once its change is merged: `{image}`, with dashes for slashes.
    #[serde(deserialize_with = "of_image")]
    pub job: Option<Template>,
    /// Where jobs are defined.
    pub job_list: Option<String>,
    /// Where one sees jobs run.
    pub job_logs: Option<String>,
    /// The registry that jobs push to, where images can be taken from before they are promoted.
    pub staging: Option<String>,
    /// The command that tells the digest of what the job pushed: `{name}`, under which the image is published, and `{tag}`.
    #[serde(deserialize_with = "of_tag")]
    pub digest: Option<Template>,
    /// What promotes a tag, in the file `promotion-list`: `{name}`, `{tag}` and `{digest}`, which only the registry knows.
    #[serde(deserialize_with = "of_digest")]
    pub promotion: Option<Template>,
    /// The file that says what is promoted.
    pub promotion_list: Option<String>,
    /// The command that builds an image and pushes it to a registry of one's own: `{image}` and `{registry}`.
    #[serde(deserialize_with = "of_registry")]
    pub trial_build: Option<Template>,
    /// The name of the file that has tests take images from there.
    pub trial_list: Option<String>,
    /// Its line for each registry of the manifest that holds a changed image: `{key}` and `{registry}`.
    #[serde(deserialize_with = "of_key")]
    pub trial_entry: Option<Template>,
    /// The commands that run tests with it, at the root of the repository.
    pub trial_steps: Vec<String>,
    /// What else one should know, a sentence each.
    pub notes: Vec<String>,
}

/// `[[workflow.also]]`: some images have to be pushed to another registry, too.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Also {
    /// The images, by name.
    pub images: Globs,
    /// The command that does so: `{image}`.
    #[serde(deserialize_with = "of_an_image")]
    pub build: Template,
    /// Why.
    pub reason: String,
}

/// A text with places for values, as in `make push WHAT={image}`. `{{` and `}}` stand for single braces.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String", inline)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Words(String),
    Location(String),
}

impl Template {
    /// Reads a text in which these places may stand.
    ///
    /// # Errors
    /// A sentence about a place that is unknown, or about a brace that is none of one.
    ///
    /// ```
    /// use imglint::workflow::Template;
    /// let template = Template::new("echo ${{HOME}} {image}", &["image"]).unwrap();
    /// assert_eq!(template.fill(&[("image", "web")]), "echo ${HOME} web");
    /// assert!(Template::new("echo {imge}", &["image"]).unwrap_err().contains("did you mean `image`?"));
    /// ```
    pub fn new(text: &str, known: &[&str]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut words = String::new();
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            words.push_str(&rest[..brace]);
            rest = &rest[brace..];
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                words.push_str(&rest[..1]);
                rest = after;
                continue;
            }
            let Some((name, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
                return Err(format!("a single brace belongs to no place; write {0}{0} for one", &rest[..1]));
            };
            if !known.contains(&name) {
                let suggestion = suggest(name, known.iter().copied());
                return Err(format!("`{{{name}}}` is no place for a value: {suggestion}"));
            }
            parts.push(Part::Words(std::mem::take(&mut words)));
            parts.push(Part::Location(name.to_owned()));
            rest = after;
        }
        words.push_str(rest);
        parts.push(Part::Words(words));
        Ok(Self(parts))
    }

    /// The text with these values in their places. A place without a value stays empty.
    pub fn fill(&self, values: &[(&str, &str)]) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Words(words) => text.push_str(words),
                Part::Location(location) => {
                    let value = values.iter().find(|(name, _)| name == location);
                    text.push_str(value.map_or("", |(_, value)| value));
                }
            }
        }
        text
    }
}

fn of_an_image<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
    Template::new(&String::deserialize(deserializer)?, &["image"]).map_err(D::Error::custom)
}

fn of_image<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Template>, D::Error> {
    template(deserializer, &["image"])
}

fn of_tag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Template>, D::Error> {
    template(deserializer, &["name", "tag"])
}

fn of_digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Template>, D::Error> {
    template(deserializer, &["name", "tag", "digest"])
}

fn of_registry<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Template>, D::Error> {
    template(deserializer, &["image", "registry"])
}

fn of_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Template>, D::Error> {
    template(deserializer, &["key", "registry"])
}

fn template<'de, D: Deserializer<'de>>(deserializer: D, known: &[&str]) -> Result<Option<Template>, D::Error> {
    Template::new(&String::deserialize(deserializer)?, known).map(Some).map_err(D::Error::custom)
}
