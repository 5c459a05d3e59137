//! What a pack says and nothing in the repository bears out: a path that is not there, a pattern that matches nothing, a registry under
//! which nothing is named. Such a setting is no fault of a change, but what it should find passes unseen.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Image, Model};
use crate::pack::Pack;
use crate::snapshot::Snapshot;
use crate::text::{escape, file_name};

/// One line for each setting of the repository's own that is without effect, and for each registry that seems to be missing.
pub fn settings(pack: &Pack, files: &Snapshot<'_>, model: &Model) -> Vec<String> {
    let mut found = Unused { pack, lines: Vec::new() };
    found.images(files, model);
    found.registries(model);
    found.versions(files, model);
    let registries = unlisted_registries(pack, model);
    let unlisted = registries.into_iter().map(|(registry, images)| {
        let names: Vec<&str> = images.into_iter().collect();
        format!(
            "`{}` stands before names that images of this repository have ({}). If it is theirs, add it to \
             references.registries: they are not compared",
            escape(&registry),
            escape(&names.join(", "))
        )
    });
    found.lines.into_iter().chain(unlisted).collect()
}

/// What stands before the names of images of the tree without being listed, with these names. Images of docker's own library are
/// somebody else's.
pub fn unlisted_registries<'m>(pack: &Pack, model: &'m Model) -> BTreeMap<String, BTreeSet<&'m str>> {
    let mut registries: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let foreign = |image: &'m Image| image.foreign_names(&pack.shape);
    for name in model.images.values().flat_map(|image| foreign(image)) {
        let cuts = name.match_indices('/').map(|(slash, _)| (&name[..slash], &name[slash + 1..]));
        let mut cuts = cuts.filter(|(registry, _)| file_name(registry) != "library");
        if let Some((registry, image)) = cuts.find_map(|(registry, rest)| Some((registry, *model.named(rest).first()?)))
        {
            registries.entry(registry.to_owned()).or_default().insert(image.published());
        }
    }
    registries
}

struct Unused<'a> {
    pack: &'a Pack,
    lines: Vec<String>,
}

impl Unused<'_> {
    /// Says that one value of a setting is without effect, if the setting is the repository's own.
    fn say(&mut self, setting: &str, value: &str, why: &str) {
        if self.is_own(setting) {
            self.lines.push(format!("{setting}: `{}` {why}", escape(value)));
        }
    }

    fn is_own(&self, setting: &str) -> bool {
        self.pack.own_settings.as_ref().is_none_or(|own| own.contains(setting))
    }

    fn images(&mut self, files: &Snapshot<'_>, model: &Model) {
        let shape = &self.pack.shape;
        for root in
            shape.roots.iter().filter(|root| !model.directories.iter().any(|it| crate::text::is_below(it, root)))
        {
            self.say("images.roots", root, "holds no image");
        }
        for shared in &shape.shared {
            if !files.entries().keys().any(|path| shared.has(path, shape)) {
                self.say("images.shared", shared.path.as_str(), "is no file of the repository");
            }
        }
        let names: Vec<&str> = model.images.values().map(|image| &*image.name).collect();
        for (setting, globs) in
            [("images.mirrored", &shape.mirrored), ("images.upstream-versions", &shape.upstream_versions)]
        {
            for pattern in globs.unused(&names) {
                self.say(setting, pattern, "is no image");
            }
        }
    }

    fn registries(&mut self, model: &Model) {
        if !self.is_own("references.registries") {
            return;
        }
        let names: Vec<String> = model.images.values().flat_map(|image| image.own_names(&self.pack.shape)).collect();
        for (registry, _) in &self.pack.shape.registries {
            if !names.iter().any(|name| name.starts_with(registry)) {
                self.say("references.registries", registry.trim_end_matches('/'), "stands before no name");
            }
        }
    }

    /// Where versions are repeated.
    fn versions(&mut self, files: &Snapshot<'_>, model: &Model) {
        let shape = &self.pack.shape;
        if let Some(manifest) = &shape.manifest {
            match &model.manifest {
                None => self.say("manifest.path", &manifest.path, "is no file of the repository"),
                Some(read) if read.entries.is_empty() => {
                    self.say(
                        "manifest.pattern",
                        manifest.pattern.as_str(),
                        "matches no entry of a registry that is listed",
                    );
                }
                Some(_) => {}
            }
        }
        for constant in &shape.constants {
            if model.named(&constant.image).is_empty() {
                self.say("constants", &constant.image, "is no image");
            } else if files.entry(&constant.path).is_none() {
                self.say("constants", &constant.path, "is no file of the repository");
            } else if !model
                .constants
                .iter()
                .any(|value| value.place.path == constant.path && value.image == constant.image)
            {
                self.say("constants", constant.pattern.as_str(), "matches nothing");
            }
        }
    }
}
