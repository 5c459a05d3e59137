//! What a pack says and nothing in the repository bears out: a path that is not there, a pattern that matches nothing, a registry under
//! which nothing is named. Such a setting is nothing that a change did wrong, but what it should find passes unseen.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::mention::Mentions;
use crate::model::{Model, without_tag};
use crate::pack::Pack;
use crate::path::{file_name, is_below};
use crate::shape::{Shape, without_default_host};
use crate::snapshot::{FileKind, Snapshot};
use crate::text::escape;

/// One line for each setting of the repository's own that is without effect, and for each registry that seems to be missing.
pub fn settings(pack: &Pack, files: &Snapshot<'_>, model: &Model) -> Vec<String> {
    let mut unused = Unused { pack, lines: Vec::new() };
    unused.images(files, model);
    unused.registries(files, model);
    unused.reference_files(files);
    unused.versions(files, model);
    unused.lines.extend(root_hint(pack, files, model));
    for (registry, images) in unlisted_registries(pack, model) {
        let names: Vec<&str> = images.into_iter().collect();
        unused.lines.push(format!(
            "`{}` stands before names that images of this repository have ({}). If it is theirs, add it to \
             references.registries: they are not compared",
            escape(&registry),
            escape(&names.join(", "))
        ));
    }
    unused.lines
}

/// What stands before the names of images of the tree without being listed, with these names. Images of docker's own library are
/// somebody else's.
pub fn unlisted_registries<'m>(pack: &Pack, model: &'m Model) -> BTreeMap<String, BTreeSet<&'m str>> {
    let mut registries: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for image in model.images.values() {
        for name in image.foreign_names(&pack.shape) {
            let cuts = name.match_indices('/').map(|(slash, _)| (&name[..slash], &name[slash + 1..]));
            let mut cuts = cuts.filter(|(registry, _)| file_name(registry) != "library");
            let found = cuts.find_map(|(registry, rest)| Some((registry, *model.named(rest).first()?)));
            // Who wraps somebody else's image gives it the same name.
            if let Some((registry, named)) = found.filter(|(_, named)| named.directory != image.directory) {
                registries.entry(registry.to_owned()).or_default().insert(named.published());
            }
        }
    }
    registries
}

/// That the root of the repository looks like an image and is judged by nothing, if so: it has a name only where the pack gives it one.
pub fn root_hint(pack: &Pack, files: &Snapshot<'_>, model: &Model) -> Option<String> {
    let shape = &pack.shape;
    // Where images do not carry versions of their own, a version in the root is the repository's.
    if shape.root_image.is_some() || model.directories.is_empty() {
        return None;
    }
    let source =
        shape.versions.iter().find(|source| source.is_told_by_name() && files.entry(&source.file).is_some())?;
    let is_built = |path: &str| !path.contains('/') || !model.directories.iter().any(|image| is_below(path, image));
    let dockerfile = files.entries().keys().find(|path| shape.is_dockerfile(path) && is_built(path))?;
    Some(format!(
        "{} and {} lie in the root of the repository, which is judged as no image: if it is one, name it and say what it is made \
         of: images.root = {{ name = \"…\", content = [\"{}\"] }}",
        source.file,
        escape(dockerfile),
        escape(dockerfile.split_once('/').map_or(dockerfile, |(top, _)| top)),
    ))
}

/// What files beside the images name, without host and tag. A file that cannot be read is its rule's matter.
fn mentioned_names(shape: &Shape, files: &Snapshot<'_>, model: &Model) -> Vec<String> {
    let mentions = Mentions::new(shape, model);
    let mut names = Vec::new();
    for path in files.entries().keys().filter(|path| mentions.may_be_in(path)) {
        for mention in mentions.of_file(path, files).ok().flatten().and_then(Result::ok).unwrap_or_default() {
            match &mention.registry {
                // The names behind it are known to be those of images.
                Some(registry) => {
                    names.push(format!("{}/{}", without_default_host(registry).trim_end_matches('/'), mention.target));
                }
                None => names.push(without_default_host(without_tag(mention.text.slice(&mention.span))).to_owned()),
            }
        }
    }
    names
}

/// What has one version alone knows nothing of variants.
const NOT_COMPARED: &str = "that has several variants: with none of them it is compared";

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
        for root in &shape.roots {
            if !model.directories.iter().any(|directory| is_below(directory, root)) {
                self.say("images.roots", root, "holds no image");
            }
        }
        let names: Vec<&str> = model.images.values().map(|image| &*image.name).collect();
        for shared in &shape.shared {
            let path = shared.path.as_str();
            if files.entry(path).is_some_and(|entry| entry.kind == FileKind::Symlink) {
                self.say("images.shared", path, "is a link: name what it leads to");
            } else if !files.entries().keys().any(|path| shared.has(path, &shape.ignore)) {
                self.say("images.shared", path, "is no file of the repository");
            }
            for pattern in shared.images.iter().flat_map(|images| images.unused(&names)) {
                self.say("images.shared", pattern, "is no image");
            }
        }
        let of_names = [
            ("images.mirrored", &shape.mirrored),
            ("images.upstream-versions", &shape.upstream_versions),
            ("images.frozen", &shape.frozen),
            ("images.unversioned", &shape.unversioned),
        ];
        for name in shape.published_names.keys().filter(|name| !names.contains(&name.as_str())) {
            self.say("images.names", name, "is no image");
        }
        for (setting, patterns) in of_names {
            for pattern in patterns.unused(&names) {
                self.say(setting, pattern, "is no image");
            }
        }
    }

    fn registries(&mut self, files: &Snapshot<'_>, model: &Model) {
        if !self.is_own("references.registries") {
            return;
        }
        let mut names: Vec<String> =
            model.images.values().flat_map(|image| image.own_names(&self.pack.shape)).collect();
        names.extend(mentioned_names(&self.pack.shape, files, model));
        for prefix in &self.pack.shape.registries {
            if !names.iter().any(|name| prefix.strip(name).is_some()) {
                self.say("references.registries", prefix.text.trim_end_matches('/'), "stands before no name");
            }
        }
    }

    /// Where images are named beside them.
    fn reference_files(&mut self, files: &Snapshot<'_>) {
        for (_, file) in self.pack.shape.argument_files() {
            if let Some(path) = file.shared().filter(|path| files.entry(path).is_none()) {
                self.say("build.arguments", path, "is no file of the repository");
            }
        }
        for table in &self.pack.shape.reference_files {
            for pattern in table.paths() {
                if !files.entries().keys().any(|path| pattern.covers(path)) {
                    self.say("references.files", pattern.as_str(), "is no file of the repository");
                }
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
                    let why = "matches no entry of a registry that is listed";
                    self.say("manifest.pattern", manifest.pattern.as_str(), why);
                }
                Some(read) => {
                    for image in model.images.values().filter(|image| !image.variants().is_empty()) {
                        if read.entries.iter().any(|entry| entry.name == image.published()) {
                            let why = format!("names {}, an image {NOT_COMPARED}", escape(image.published()));
                            self.say("manifest.path", &manifest.path, &why);
                        }
                    }
                }
            }
        }
        for constant in &shape.constants {
            let mut values = model.constants.iter();
            let named = model.named(&constant.image);
            if named.is_empty() {
                self.say("constants", &constant.image, "is no image");
            } else if named.iter().any(|image| !image.variants().is_empty()) {
                self.say("constants", &constant.image, &format!("names an image {NOT_COMPARED}"));
            } else if files.entry(&constant.path).is_none() {
                self.say("constants", &constant.path, "is no file of the repository");
            } else if !values.any(|value| value.location.path == constant.path && value.image == constant.image) {
                self.say("constants", constant.pattern.as_str(), "matches nothing");
            }
        }
    }
}
