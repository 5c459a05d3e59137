//! Entries of a list that name images: `dependencies` of a chart, as an example. A reader of YAML finds their keys in any order.

use crate::parse::variants::{descend, scalar};
use crate::parse::yaml::{Document, Node};
use crate::path::directory_of;
use crate::shape::{EntryImage, NameList};
use crate::text::{Span, Text};

/// An entry that names a version.
pub(super) struct Listed {
    /// What says which image is meant.
    pub image: ListedImage,
    /// The version, as it is read.
    pub version: String,
    /// Where it stands.
    pub span: Span,
    /// Whether another one can be written there.
    pub is_replaceable: bool,
    /// Whether it is written without quotes.
    pub is_plain: bool,
}

/// What says which image an entry means.
pub(super) enum ListedImage {
    /// The image in this directory of the tree.
    Directory(String),
    /// The one of this name, in a registry; an empty one where the list says nothing of it.
    Name { registry: String, name: String },
}

/// The entries of a list in a file, but for those that name no version, or something that is none of this repository.
///
/// # Errors
/// Why the file cannot be read as YAML.
pub(super) fn entries(list: &NameList, path: &str, text: &Text) -> Result<Vec<Listed>, String> {
    let document = Document::parse(text).map_err(|error| error.message)?;
    let mut listed = Vec::new();
    let items = descend(document.root(), &list.path);
    for entry in items.into_iter().flat_map(Node::items) {
        let Some(node) = entry.get(&list.version) else { continue };
        let (Some(version), Some(image)) = (node.text(), image(list, entry, path)) else { continue };
        let found = scalar(node, text).ok();
        listed.push(Listed {
            image,
            version,
            span: node.span(),
            is_replaceable: found.is_some(),
            is_plain: found.is_some_and(|scalar| scalar.is_plain),
        });
    }
    Ok(listed)
}

fn image(list: &NameList, entry: Node<'_, '_>, path: &str) -> Option<ListedImage> {
    let value = |key: &str| entry.get(key).and_then(Node::text);
    match &list.image {
        EntryImage::Directory { key, prefix } => {
            let written = value(key)?;
            let directory = beside(directory_of(path), written.strip_prefix(prefix.as_str())?)?;
            Some(ListedImage::Directory(directory))
        }
        EntryImage::Name { key, registry, .. } => {
            let registry = registry.as_deref().map_or(Some(String::new()), value)?;
            Some(ListedImage::Name { registry, name: value(key)? })
        }
    }
}

/// The directory that a relative path leads to from another one; `None` for one outside of the repository.
fn beside(directory: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
