//! Where the version of an image stands: in a file of its own, under a key, or where a pattern finds it.

use std::sync::Arc;

use jsonc_parser::{CollectOptions, ParseOptions, ast};
use toml::de::{DeTable, DeValue};

use super::capture::Pattern;
use super::glob::Globs;
use super::variants::{ANY, Scalar, Variants, scalar};
use super::version::{Scheme, Version, VersionError};
use super::yaml;
use crate::path::{directory_of, in_directory};
use crate::text::{Span, Text};

/// The file that holds an image's version, and where in it that stands.
#[derive(Debug, Clone)]
pub struct VersionSource {
    /// The path of the file from where it counts: in an image's directory, its name.
    pub file: String,
    /// From where.
    pub anchor: Anchor,
    /// The images whose version may stand there, by their names; `None` for all.
    pub images: Option<Box<Globs>>,
    /// Where in the file.
    pub form: VersionForm,
    /// A key that must be there, too: files of the same name may belong to something else.
    pub required: Option<Key>,
    /// What has the version, where it is no image that a registry holds, such as a chart.
    pub kind: Option<Arc<str>>,
    /// What counts as a version there.
    pub scheme: Scheme,
    /// What findings call the version: `VERSION`, or the place in a file that holds more.
    pub name: Arc<str>,
}

/// From where the path of a version file counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The image's directory.
    Image,
    /// So many directories above that: the images of a group share a version.
    Above(usize),
    /// The root of the repository.
    Root,
}

/// Where in its file a version stands.
#[derive(Debug, Clone)]
pub enum VersionForm {
    /// The file holds nothing else.
    WholeFile,
    /// The value of a key.
    Key(Key),
    /// The values of a key, one for each variant of the image.
    Variants(Box<Variants>),
    /// The group `version` of a pattern.
    Pattern(Pattern),
}

/// A key of a file of values, as in `version` or `image.tag`.
#[derive(Debug, Clone)]
pub struct Key {
    format: Format,
    path: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Yaml,
    Json,
    Toml,
}

impl VersionSource {
    /// A version that stands in a file in this way.
    pub fn new(file: String, form: VersionForm) -> Self {
        let name = match &form {
            VersionForm::WholeFile => file.as_str().into(),
            VersionForm::Key(key) => format!("`{}` in {file}", key.path.join(".")).into(),
            VersionForm::Variants(variants) => format!("`{}` in {file}", variants.key(ANY)).into(),
            VersionForm::Pattern(_) => format!("version in {file}").into(),
        };
        Self {
            file,
            anchor: Anchor::Image,
            images: None,
            form,
            required: None,
            kind: None,
            scheme: Scheme::default(),
            name,
        }
    }

    /// The file as a pack writes it.
    pub fn written(&self) -> String {
        match self.anchor {
            Anchor::Image => self.file.clone(),
            Anchor::Above(levels) => format!("{}{}", "../".repeat(levels), self.file),
            Anchor::Root => format!("/{}", self.file),
        }
    }

    /// The path of the file that holds the version of the image in a directory; `None` above the root of the repository.
    pub fn path_of(&self, directory: &str) -> Option<String> {
        match self.anchor {
            Anchor::Image => Some(in_directory(directory, &self.file)),
            Anchor::Root => Some(self.file.clone()),
            Anchor::Above(levels) => {
                let mut above = directory;
                for _ in 0..levels {
                    above = (!above.is_empty()).then(|| directory_of(above))?;
                }
                Some(in_directory(above, &self.file))
            }
        }
    }

    /// Whether a path ends like that of the file.
    pub fn may_be(&self, path: &str) -> bool {
        match path.strip_suffix(self.file.as_str()) {
            Some(above) if self.anchor == Anchor::Root => above.is_empty(),
            Some(above) => above.is_empty() || above.ends_with('/'),
            None => false,
        }
    }

    /// Whether the version of the image of this name may stand there.
    pub fn is_of(&self, image: &str) -> bool {
        self.images.as_ref().is_none_or(|images| images.is_match(image))
    }

    /// What findings call the version of an image whose file has this path.
    pub fn name_at(&self, path: &str) -> Arc<str> {
        match (&self.anchor, &self.form) {
            (Anchor::Image, _) => Arc::clone(&self.name),
            (_, VersionForm::WholeFile) => path.into(),
            (_, VersionForm::Key(key)) => format!("`{}` in {path}", key.path.join(".")).into(),
            (_, VersionForm::Variants(variants)) => format!("`{}` in {path}", variants.key(ANY)).into(),
            (_, VersionForm::Pattern(_)) => format!("version in {path}").into(),
        }
    }

    /// Whether the file holds nothing but the version.
    pub fn is_whole_file(&self) -> bool {
        matches!(self.form, VersionForm::WholeFile)
    }

    /// Whether the name of the file alone makes a directory an image.
    pub fn is_told_by_name(&self) -> bool {
        self.required.is_none() && matches!(self.form, VersionForm::WholeFile | VersionForm::Key(_))
    }

    /// Whether a file of the right name makes its directory an image. A key that is missing is an error of the file; a file that the
    /// pattern does not match, or that lacks the required key, is one of something else.
    pub fn makes_image(&self, text: &Text) -> bool {
        let has_required = self.required.as_ref().is_none_or(|key| key.is_in(text));
        let is_matched = match &self.form {
            VersionForm::WholeFile | VersionForm::Key(_) => true,
            VersionForm::Variants(variants) => variants.are_in(text),
            VersionForm::Pattern(pattern) => pattern.matches(text).next().is_some(),
        };
        has_required && is_matched
    }

    /// Reads the version in the file's text.
    pub fn locate(&self, text: &Text) -> Version {
        let scheme = self.scheme;
        let scalar = match &self.form {
            VersionForm::WholeFile => return Version::parse(text, scheme),
            VersionForm::Variants(variants) => {
                return match variants.locate(text, scheme) {
                    Ok(variants) => Version::of_variants(variants, scheme),
                    Err(error) => Version::unread(error, scheme),
                };
            }
            VersionForm::Key(key) => key.locate(text),
            VersionForm::Pattern(pattern) => locate_match(pattern, text),
        };
        match scalar {
            Err(error) => Version::unread(error, scheme),
            Ok(Scalar { value, span, is_plain }) => Version::of_scalar(value, span, is_plain, scheme),
        }
    }

    /// The variants, where there may be several.
    pub fn variants(&self) -> Option<&Variants> {
        match &self.form {
            VersionForm::Variants(variants) => Some(variants),
            VersionForm::WholeFile | VersionForm::Key(_) | VersionForm::Pattern(_) => None,
        }
    }

    /// Whether two texts of the file differ in nothing but the version. Of a file that holds nothing else, all is the version.
    pub fn is_all_that_differs(&self, before: &Text, after: &Text) -> bool {
        if self.is_whole_file() {
            return true;
        }
        if let Some(variants) = self.variants() {
            return variants.differing(before, after).is_some_and(|differing| differing.is_empty());
        }
        let [before_version, after_version] = [self.locate(before), self.locate(after)];
        // A version that appears or goes away is a change of the file's other content.
        if before_version.span.is_empty() || after_version.span.is_empty() {
            return false;
        }
        let [before_span, after_span] =
            [with_quotes(before, before_version.span), with_quotes(after, after_version.span)];
        let (before, after) = (before.bytes(), after.bytes());
        before[..before_span.start] == after[..after_span.start] && before[before_span.end..] == after[after_span.end..]
    }
}

/// The place of a value and the quotes around it: a number such as `1.10` must be quoted in YAML where `1.9` need not.
fn with_quotes(text: &Text, span: Span) -> Span {
    let (before, after) = (&text.as_str()[..span.start], &text.as_str()[span.end..]);
    let is_quoted = ['"', '\''].iter().any(|quote| before.ends_with(*quote) && after.starts_with(*quote));
    if is_quoted { span.start - 1..span.end + 1 } else { span }
}

impl VersionForm {
    /// The value of a key of a file, or those of several, where one part of its path is `*`.
    pub fn of_key(file: &str, path: &str) -> Result<Self, String> {
        let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
        if !parts.iter().any(|part| part == ANY) {
            return Key::new(file, path).map(Self::Key);
        }
        let variants = Variants::new(&parts);
        let variants = variants
            .ok_or("one `*` may stand in a key, for the name of a variant, with the key of its version behind it")?;
        match Key::new(file, path)?.format {
            Format::Yaml => Ok(Self::Variants(Box::new(variants))),
            Format::Json | Format::Toml => Err("variants are read in YAML alone".to_owned()),
        }
    }
}

impl Key {
    /// The key of a path with dots, in a file whose format its name tells; or what is wrong with either.
    pub fn new(file: &str, path: &str) -> Result<Self, String> {
        let format = match file.rsplit_once('.').map(|(_, extension)| extension) {
            Some("yaml" | "yml") => Format::Yaml,
            Some("json" | "jsonc") => Format::Json,
            Some("toml") => Format::Toml,
            _ => {
                return Err(format!("keys are read in files that end with .yaml, .yml, .json or .toml, not in {file}"));
            }
        };
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err("a key is made of names with dots between them, as in image.tag".to_owned());
        }
        Ok(Self { format, path })
    }

    /// Whether a text has the key, whatever its value.
    fn is_in(&self, text: &Text) -> bool {
        !matches!(self.locate(text), Err(VersionError::NoKey | VersionError::Unparsable))
    }

    fn locate(&self, text: &Text) -> Result<Scalar, VersionError> {
        match self.format {
            Format::Yaml => self.locate_in_yaml(text),
            Format::Json => self.locate_in_json(text),
            Format::Toml => self.locate_in_toml(text),
        }
    }

    fn locate_in_yaml(&self, text: &Text) -> Result<Scalar, VersionError> {
        let document = yaml::Document::parse(text).map_err(|_| VersionError::Unparsable)?;
        let mut node = document.root();
        for name in &self.path {
            node = node.get(name).ok_or(VersionError::NoKey)?;
        }
        scalar(node, text)
    }

    fn locate_in_json(&self, text: &Text) -> Result<Scalar, VersionError> {
        let parsed = jsonc_parser::parse_to_ast(text.as_str(), &CollectOptions::default(), &ParseOptions::default());
        let mut value = parsed.map_err(|_| VersionError::Unparsable)?.value.ok_or(VersionError::NoKey)?;
        for name in &self.path {
            let ast::Value::Object(mut object) = value else { return Err(VersionError::NoKey) };
            value = object.take(name).ok_or(VersionError::NoKey)?.value;
        }
        match value {
            ast::Value::StringLit(string) => {
                let span = string.range.start + 1..string.range.end - 1;
                written(text, span, &string.value)
            }
            _ => Err(VersionError::NoScalar),
        }
    }

    fn locate_in_toml(&self, text: &Text) -> Result<Scalar, VersionError> {
        let root = DeTable::parse(text.as_str()).map_err(|_| VersionError::Unparsable)?;
        let (last, tables) = self.path.split_last().ok_or(VersionError::NoKey)?;
        let mut table = root.get_ref();
        for name in tables {
            let value = table.get(name.as_str()).ok_or(VersionError::NoKey)?;
            let DeValue::Table(inner) = value.get_ref() else { return Err(VersionError::NoKey) };
            table = inner;
        }
        let value = table.get(last.as_str()).ok_or(VersionError::NoKey)?;
        let DeValue::String(string) = value.get_ref() else { return Err(VersionError::NoScalar) };
        let quoted = value.span();
        written(text, quoted.start + 1..quoted.end - 1, string)
    }
}

/// A string between quotes, if it is written as it is read: one with escapes could not be replaced at its place.
fn written(text: &Text, span: Span, value: &str) -> Result<Scalar, VersionError> {
    if text.as_str().get(span.clone()) == Some(value) {
        Ok(Scalar { value: value.to_owned(), span, is_plain: false })
    } else {
        Err(VersionError::NoScalar)
    }
}

fn locate_match(pattern: &Pattern, text: &Text) -> Result<Scalar, VersionError> {
    let mut matches = pattern.matches(text);
    let found = matches.next().ok_or(VersionError::NoMatch)?;
    if matches.next().is_some() {
        return Err(VersionError::SeveralMatches);
    }
    Ok(Scalar { value: found.group("version").to_owned(), span: found.span("version"), is_plain: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(file: &str, key: &str, text: &str) -> Version {
        let form = VersionForm::Key(Key::new(file, key).expect("a key"));
        VersionSource::new(file.to_owned(), form).locate(&Text::from(text))
    }

    #[test]
    fn the_value_of_a_key_is_found_without_its_quotes() {
        let texts = [
            ("a.yaml", "version", "name: é\nversion: \"1.2.3\" # now\n"),
            ("a.yml", "image.tag", "image:\n  tag: 1.2.3\n"),
            ("a.json", "version", "{\n\t// é\n\t\"version\": \"1.2.3\",\n}\n"),
            ("a.toml", "package.version", "[package]\nname = 'é'\nversion = '1.2.3'\n"),
        ];
        for (file, key, text) in texts {
            let version = located(file, key, text);
            assert_eq!(version.value, "1.2.3", "{file}");
            assert_eq!(&text[version.span], "1.2.3", "{file}");
            assert!(version.errors.is_empty(), "{file}");
        }
    }

    #[test]
    fn what_cannot_be_replaced_is_a_flaw() {
        assert_eq!(located("a.yaml", "version", "name: x\n").errors, [VersionError::NoKey]);
        assert_eq!(located("a.yaml", "version", "version: [1, 2]\n").errors, [VersionError::NoScalar]);
        assert_eq!(located("a.yaml", "version", "version: \"1\n").errors, [VersionError::Unparsable]);
        assert_eq!(located("a.json", "version", "{\"version\": \"1\\u002e2\"}").errors, [VersionError::NoScalar]);
        assert_eq!(located("a.json", "version", "{\"version\": \"\"}").errors, [VersionError::Empty]);
        assert_eq!(located("a.toml", "version", "version = '''1'''\n").errors, [VersionError::NoScalar]);
    }

    #[test]
    fn only_the_version_differs_where_all_around_it_is_the_same() {
        let pattern = Pattern::new(r"^TAG\s*\?=\s*(?<version>\S+)", &["version"]).expect("a pattern");
        let source = VersionSource::new("Makefile".to_owned(), VersionForm::Pattern(pattern));
        let differs = |before: &str, after: &str| source.is_all_that_differs(&Text::from(before), &Text::from(after));
        assert!(differs("A = 1\nTAG ?= v1\nB = 2\n", "A = 1\nTAG ?= v1.10\nB = 2\n"));
        assert!(!differs("A = 1\nTAG ?= v1\n", "A = 2\nTAG ?= v2\n"));
        assert!(!differs("TAG ?= v1\n", "TAG := v1\n"));
    }

    #[test]
    fn quotes_around_the_version_are_no_other_content() {
        let form = VersionForm::Key(Key::new("Chart.yaml", "version").expect("a key"));
        let source = VersionSource::new("Chart.yaml".to_owned(), form);
        let differs = |before: &str, after: &str| source.is_all_that_differs(&Text::from(before), &Text::from(after));
        assert!(differs("a: b\nversion: 1.9\n", "a: b\nversion: \"1.10\"\n"));
        assert!(!differs("a: b\nversion: 1.9\n", "a: \"b\"\nversion: \"1.10\"\n"));
    }
}
