//! `job`: a job must build every image.
//!
//! Rules: `missing-postsubmit`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::kind::{Context, Kind, Missing, Needs, Outside, Reads, Sight};
use crate::finding::{Diagnostic, Level};
use crate::model::Image;
use crate::parse::glob::Globs;
use crate::snapshot::StoreError;

/// Which jobs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Job {
    /// The name of an image's job; `{image}` is the image's name with dashes for slashes.
    name: String,
    /// Where jobs are added.
    generator: String,
    /// Images that are built otherwise.
    #[serde(default)]
    exempt: Globs,
}

impl Job {
    /// What is to be thought of, where no list of jobs tells more.
    fn unseen(&self, image: &Image, context: &Context<'_>) -> Diagnostic {
        let change = context.change;
        let before = change.and_then(|it| it.moved_from(image).or_else(|| it.predecessor(image, context.shape)));
        let (what, how) = match before {
            Some(before) => (format!("was {}", before.name), format!("rename {} to {}", before.name, image.name)),
            None => ("is new".to_owned(), format!("add {}", image.name)),
        };
        let message = format!("{} {what}: a job must build it", image.name);
        let place = if before.is_some() { "in" } else { "to" };
        let help = format!("{how} {place} {}; `--jobs FILE` checks it", self.generator);
        Diagnostic::about("new", message, image.version_location()).help(help).at_most(Level::Note)
    }
}

impl Kind for Job {
    fn needs(&self) -> Needs<'_> {
        Needs { files: Reads::ControlFiles, dockerfiles: None, outside: Outside::Jobs, pattern: None }
    }

    fn run(&self, context: &Context<'_>) -> Result<Vec<Diagnostic>, StoreError> {
        let mut diagnostics = Vec::new();
        for image in context.model.images.values().filter(|image| !self.exempt.is_match(&image.name)) {
            if context.change.is_some_and(|change| change.in_base(image).is_some()) {
                continue;
            }
            let job = self.name.replace("{image}", &image.name.replace('/', "-"));
            let diagnostic = match &context.inputs.jobs {
                Some(jobs) if jobs.has(&job, &image.name) => continue,
                Some(jobs) => {
                    let message = format!("no job in {} builds {}", jobs.name, image.name);
                    Diagnostic::about("no job", message, image.version_location())
                        .help(format!("add {} to {}", image.name, self.generator))
                }
                // Of a whole tree, or of a first commit, nothing can be said without the jobs.
                None if context.change.is_none_or(|change| change.base.directories.is_empty()) => continue,
                None => self.unseen(image, context),
            };
            diagnostics.push(diagnostic.image(&image.name));
        }
        Ok(diagnostics)
    }

    fn missing(&self, sight: Sight<'_>) -> Option<Missing> {
        (sight.inputs.jobs.is_none() && !sight.has_base).then_some(Missing::Input("--jobs"))
    }
}
