//! Reading TOML so that everything that is wrong in it is reported at once, each with its place underlined.
//!
//! serde stops at its first error. Here the offending key is taken out and the rest is read again, until nothing is wrong.

use std::borrow::Cow;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, SourceCode};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use crate::suggest::suggest;
use crate::text::{Span, escape};

/// A piece of configuration and what it is called.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path, or its name in the program.
    pub name: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}

/// Something wrong in a [`Source`].
#[derive(Debug, Clone)]
pub struct SourceError {
    source: Source,
    message: String,
    span: Span,
    help: Option<String>,
}

/// Everything that is wrong in the configuration of a run.
#[derive(Debug)]
pub struct ConfigError(pub Vec<SourceError>);

/// How many errors are shown: who has more mends a cause, and not each of them.
const MAX_ERRORS: usize = 50;

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the configuration cannot be used")?;
        if self.0.len() > MAX_ERRORS {
            write!(f, ": more is wrong in it than is shown, which is the first {MAX_ERRORS} problems")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// All that is wrong, in the order of the lines of each file.
    pub fn of(mut errors: Vec<SourceError>) -> Self {
        errors.sort_by(|one, other| (&one.source.name, one.span.start).cmp(&(&other.source.name, other.span.start)));
        Self(errors)
    }
}

impl Source {
    /// A named text.
    pub fn new(name: &str, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Something wrong at a place of it.
    pub fn error(&self, span: Span, message: impl Into<String>) -> SourceError {
        let end = self.text.len();
        let span = span.start.min(end)..span.end.clamp(span.start.min(end), end);
        SourceError { source: self.clone(), message: message.into(), span, help: None }
    }

    /// A name that is not known, with the nearest one that is.
    pub fn unknown<'n>(
        &self,
        span: Span,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> SourceError {
        let mut error = self.error(span, format!("unknown {what} `{}`", escape(name)));
        error.help = Some(suggest(name, known));
        error
    }

    /// The table that the text is; with everything that is wrong with its syntax.
    pub fn table(&self) -> Result<Spanned<DeTable<'_>>, Vec<SourceError>> {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        if errors.is_empty() {
            return Ok(table);
        }
        Err(errors.iter().map(|error| self.error(error.span().unwrap_or(0..0), error.message())).collect())
    }

    /// Reads the text as a `T`, with everything that is wrong in it.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Vec<SourceError>> {
        self.read_table(self.table()?)
    }

    /// Reads a table of this text as a `T`.
    pub fn read_table<T: DeserializeOwned>(&self, table: Spanned<DeTable<'_>>) -> Result<T, Vec<SourceError>> {
        self.read_all(table).map_err(|mut errors| {
            errors.sort_by_key(|error| error.span.start);
            errors
        })
    }

    /// Reads this text with values of other sources in the place of its own: of several for one key, the last.
    pub fn read_with<'a, T: DeserializeOwned>(&'a self, overrides: Vec<Override<'a>>) -> Result<T, Vec<SourceError>> {
        if overrides.is_empty() {
            // The usual case, and the quick one.
            return toml::from_str(&self.text).or_else(|_| self.read());
        }
        let mut table = self.table()?;
        // What is wrong here already must not be laid at the door of an override.
        self.read_table::<T>(table.clone())?;
        let mut errors = Vec::new();
        for Override { source, path, key, value } in overrides {
            let mut with_it = table.clone();
            let value_span = value.span();
            put(with_it.get_mut(), &path, key.clone(), value);
            match T::deserialize(Deserializer::from(with_it.clone())) {
                Ok(_) => table = with_it,
                Err(error) => {
                    let of_key = error.message().starts_with("unknown field");
                    errors.push(source.explain(&error, if of_key { key.span() } else { value_span }));
                }
            }
        }
        if errors.is_empty() { self.read_table(table) } else { Err(errors) }
    }

    fn read_all<T: DeserializeOwned>(&self, mut table: Spanned<DeTable<'_>>) -> Result<T, Vec<SourceError>> {
        let mut errors = Vec::new();
        let mut removed: Vec<String> = Vec::new();
        loop {
            let error = match T::deserialize(Deserializer::from(table.clone())) {
                Ok(value) if errors.is_empty() => return Ok(value),
                Ok(_) => return Err(errors),
                Err(error) => error,
            };
            let named = error.message().split('`').nth(1).unwrap_or_default();
            let is_missed = error.message().starts_with("missing field") && removed.iter().any(|key| key == named);
            // A table that must hold one key has lost it.
            let is_consequence = is_missed || (!removed.is_empty() && error.message().starts_with("wanted exactly 1"));
            let span = error.span().unwrap_or(0..0);
            if !is_consequence {
                errors.push(self.explain(&error, span.clone()));
            }
            // Each reading takes as long as the whole is large.
            if errors.len() > MAX_ERRORS {
                return Err(errors);
            }
            match remove(table.get_mut(), &span) {
                Some(key) => removed.push(key),
                None => return Err(errors),
            }
        }
    }

    fn explain(&self, error: &toml::de::Error, span: Span) -> SourceError {
        let message = error.message();
        // serde says: unknown field `a`, expected `b` — or: expected one of `b`, `c` — or: there are no fields
        let mut names = message.split('`').skip(1).step_by(2);
        let what = if message.starts_with("unknown field") {
            "key"
        } else if message.starts_with("unknown variant") {
            "value"
        } else {
            return self.error(span, message);
        };
        let unknown = names.next().unwrap_or_default();
        self.unknown(span, what, unknown, names)
    }
}

/// A value that takes the place of another one.
pub struct Override<'a> {
    /// Where it stands.
    pub source: &'a Source,
    /// The tables that lead to it.
    pub path: Vec<String>,
    /// Its key.
    pub key: Spanned<Cow<'a, str>>,
    /// The value.
    pub value: Spanned<DeValue<'a>>,
}

fn put<'a>(table: &mut DeTable<'a>, path: &[String], key: Spanned<Cow<'a, str>>, value: Spanned<DeValue<'a>>) {
    let Some((first, rest)) = path.split_first() else {
        table.remove(key.get_ref().as_ref());
        table.insert(key, value);
        return;
    };
    if !table.contains_key(first.as_str()) {
        let inner = Spanned::new(0..0, DeValue::Table(DeTable::new()));
        table.insert(Spanned::new(0..0, Cow::Owned(first.clone())), inner);
    }
    if let Some(DeValue::Table(inner)) = table.get_mut(first.as_str()).map(Spanned::get_mut) {
        put(inner, rest, key, value);
    }
}

/// Takes the key out whose name or value stands at `span`, and gives its name.
fn remove(table: &mut DeTable<'_>, span: &Span) -> Option<String> {
    let key = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span);
    if let Some(key) = key.map(|(key, _)| key.get_ref().to_string()) {
        table.remove(key.as_str());
        return Some(key);
    }
    table.iter_mut().find_map(|(key, value)| match value.get_mut() {
        DeValue::Table(inner) => remove(inner, span),
        DeValue::Array(items) => {
            if items.iter().any(|item| item.span() == *span) {
                *items = items.iter().filter(|item| item.span() != *span).cloned().collect();
                return Some(key.get_ref().to_string());
            }
            items.iter_mut().find_map(|item| match item.get_mut() {
                DeValue::Table(inner) => remove(inner, span),
                _ => None,
            })
        }
        _ => None,
    })
}

/// The longest line that is shown with an error, in bytes.
const LONGEST_LINE: usize = 2000;

impl SourceError {
    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl std::fmt::Display for SourceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let before = &self.source.text[..self.source.text.floor_char_boundary(self.span.start)];
        let line = 1 + before.bytes().filter(|&byte| byte == b'\n').count();
        write!(f, "{}:{line}: {}", escape(&self.source.name), escape(&self.message))
    }
}

impl std::error::Error for SourceError {}

impl Diagnostic for SourceError {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        // A place is underlined below as many blanks as there are columns before it, and no format takes more than 65535 of them.
        let span = (self.span.start, self.span.len()).into();
        let shown = self.source.text.as_bytes().read_span(&span, 1, 1).ok()?;
        shown.data().split(|&byte| byte == b'\n').all(|line| line.len() <= LONGEST_LINE).then_some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::underline((self.span.start, self.span.len()));
        Some(Box::new(std::iter::once(label)))
    }
}

impl SourceCode for SourceError {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        let contents = self.source.text.as_bytes().read_span(span, before, after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.source.name.to_string(),
            contents.data(),
            *contents.span(),
            contents.line(),
            contents.column(),
            contents.line_count(),
        )))
    }
}

impl Diagnostic for ConfigError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.0.iter().take(MAX_ERRORS).map(|error| error as &dyn Diagnostic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only errors are looked at")]
    struct Sample {
        level: crate::finding::Level,
        #[serde(default)]
        paths: Vec<String>,
        inner: Inner,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only errors are looked at")]
    struct Inner {
        when: Option<bool>,
    }

    #[test]
    fn every_mistake_is_reported_in_one_reading() {
        let source = Source::new("x.toml", "level = \"eror\"\npath = []\n[inner]\nwhn = 1\nwhen = 3\n");
        let errors = source.read::<Sample>().expect_err("there are four mistakes");
        let said: Vec<_> =
            errors.iter().map(|error| (error.to_string(), error.help.clone().unwrap_or_default())).collect();
        let said: Vec<_> = said.iter().map(|(message, help)| (message.as_str(), help.as_str())).collect();
        assert_eq!(
            said,
            [
                ("x.toml:1: unknown value `eror`", "did you mean `error`?"),
                ("x.toml:2: unknown key `path`", "did you mean `paths`?"),
                ("x.toml:4: unknown key `whn`", "did you mean `when`?"),
                ("x.toml:5: invalid type: integer `3`, expected a boolean", ""),
            ]
        );
    }

    #[test]
    fn broken_syntax_is_placed() {
        let errors = Source::new("x.toml", "a = 1\nb = \n").read::<toml::Table>().expect_err("no value");
        assert!(errors[0].to_string().starts_with("x.toml:2: "), "{}", errors[0]);
    }
}
