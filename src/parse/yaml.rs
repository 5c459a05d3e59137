//! YAML with the place of every value.

use saphyr::{MarkedYaml, SafelyIndex as _, ScanError, YamlLoader};
use saphyr_parser::{Event, Parser, SpannedEventReceiver as _};

use crate::text::{Span, Text};

/// A YAML document.
pub struct Document<'t> {
    root: MarkedYaml<'t>,
    /// The byte offset of every character, where the text is not plain ASCII.
    offsets: Option<Vec<usize>>,
    text: &'t Text,
}

/// A value in a document.
#[derive(Clone, Copy)]
pub struct Node<'d, 't> {
    document: &'d Document<'t>,
    node: &'d MarkedYaml<'t>,
}

/// YAML that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// What is wrong.
    pub message: String,
    /// The byte at which it was noticed.
    pub offset: usize,
}

/// Whether two texts hold the same documents, written in the same way but for comments, blanks and line ends. Of what cannot be read,
/// that is not known, and they do not.
pub fn say_the_same(one: &Text, other: &Text) -> bool {
    let mut others = Parser::new_from_str(other.as_str());
    for event in Parser::new_from_str(one.as_str()) {
        match (event, others.next()) {
            (Ok((event, _)), Some(Ok((other, _)))) if event == other => {}
            _ => return false,
        }
    }
    others.next().is_none()
}

/// Whether two texts say the same as [`say_the_same`] has it, but for these keys of the mapping at their top. JSON can be compared in
/// this way, too.
pub fn say_the_same_but_for(keys: &[String], one: &Text, other: &Text) -> bool {
    match (events_without(keys, one), events_without(keys, other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// What a text says, event by event, without these keys of the mapping at its top and their values; `None` where it cannot be read.
fn events_without<'t>(keys: &[String], text: &'t Text) -> Option<Vec<Event<'t>>> {
    let mut events = Vec::new();
    let mut depth = 0_usize;
    // Of what lies in the mapping at the top, every other value is a key.
    let (mut is_mapping, mut is_key, mut is_ignored) = (false, true, false);
    for event in Parser::new_from_str(text.as_str()) {
        let (event, _) = event.ok()?;
        if matches!(event, Event::SequenceEnd | Event::MappingEnd) {
            depth -= 1;
        }
        let is_begun = matches!(event, Event::SequenceStart(..) | Event::MappingStart(..));
        let is_end = matches!(event, Event::SequenceEnd | Event::MappingEnd | Event::Scalar(..) | Event::Alias(_));
        if is_begun && depth == 0 {
            is_mapping = matches!(event, Event::MappingStart(..));
            is_key = true;
        }
        let is_of_top = is_mapping && depth == 1;
        if is_of_top && is_key {
            is_ignored = matches!(&event, Event::Scalar(key, ..) if keys.iter().any(|ignored| *ignored == **key));
        }
        let is_in_top = is_mapping && depth >= 1;
        if is_of_top && is_end {
            is_key = !is_key;
        }
        if is_begun {
            depth += 1;
        }
        if !(is_in_top && is_ignored) {
            events.push(event);
        }
    }
    Some(events)
}

/// How deep values may lie in each other. Whoever walks over them, if only to free them, needs stack for each level.
const MAX_DEPTH: usize = 100;

impl<'t> Document<'t> {
    /// Reads the first document of a text.
    pub fn parse(text: &'t Text) -> Result<Self, YamlError> {
        let string = text.as_str();
        let offsets = (!string.is_ascii()).then(|| string.char_indices().map(|(offset, _)| offset).collect());
        let mut document = Self { root: MarkedYaml::value_from_str(""), offsets, text };
        let mut loader = YamlLoader::default();
        let mut depth = 0;
        for event in Parser::new_from_str(string) {
            let (event, span) = event.map_err(|error| document.error(&error))?;
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
                Event::SequenceEnd | Event::MappingEnd => depth -= 1,
                _ => {}
            }
            if depth > MAX_DEPTH {
                let message = format!("values lie in each other more than {MAX_DEPTH} deep");
                return Err(YamlError { message, offset: document.byte(span.start.index()) });
            }
            let is_end = event == Event::DocumentEnd;
            loader.on_event(event, span);
            if let Some(error) = loader.error() {
                return Err(document.error(error));
            }
            if is_end {
                break;
            }
        }
        document.root =
            loader.into_documents().pop().ok_or_else(|| YamlError { message: "it is empty".to_owned(), offset: 0 })?;
        Ok(document)
    }

    fn error(&self, error: &ScanError) -> YamlError {
        YamlError { message: error.info().to_owned(), offset: self.byte(error.marker().index()) }
    }

    /// The value that the document is.
    pub fn root(&self) -> Node<'_, 't> {
        Node { document: self, node: &self.root }
    }

    fn byte(&self, index: usize) -> usize {
        match &self.offsets {
            None => index.min(self.text.as_str().len()),
            Some(offsets) => offsets.get(index).copied().unwrap_or(self.text.as_str().len()),
        }
    }
}

impl Node<'_, '_> {
    /// The value under a key of a mapping: its own, or one that `<<` merges into it.
    pub fn get(self, key: &str) -> Option<Self> {
        fn find<'d, 't>(node: &'d MarkedYaml<'t>, key: &str) -> Option<&'d MarkedYaml<'t>> {
            let merged = || {
                let merged = node.get("<<")?;
                let list = merged.data.as_sequence().map_or(std::slice::from_ref(merged), Vec::as_slice);
                list.iter().find_map(|mapping| find(mapping, key))
            };
            node.get(key).or_else(merged)
        }
        find(self.node, key).map(|node| Self { node, ..self })
    }

    /// The values of a sequence; none where it is none.
    pub fn items(self) -> impl Iterator<Item = Self> {
        let items = self.node.data.as_sequence().map_or(&[][..], Vec::as_slice);
        items.iter().map(move |node| Self { node, ..self })
    }

    /// The keys and values of a mapping, in the order of the text; none where it is none.
    pub fn pairs(self) -> impl Iterator<Item = (Self, Self)> {
        let pairs = self.node.data.as_mapping().into_iter().flatten();
        pairs.map(move |(key, value)| (Self { node: key, ..self }, Self { node: value, ..self }))
    }

    /// Whether the value is a sequence.
    pub fn is_sequence(self) -> bool {
        self.node.data.is_sequence()
    }

    /// Whether the value is one text, and neither a sequence nor a mapping.
    pub fn is_scalar(self) -> bool {
        !self.node.data.is_sequence() && !self.node.data.is_mapping()
    }

    /// Where the value stands, without the quotes around it, and without the anchor or the tag before it.
    pub fn span(self) -> Span {
        let start = self.document.byte(self.node.span.start.index());
        let text = self.document.text.slice(&(start..self.document.byte(self.node.span.end.index())));
        let value = without_properties(text);
        let start = start + text.len() - value.len();
        // The parser's own end may lie behind a comment that follows.
        if let Some(quote @ ('"' | '\'')) = value.chars().next() {
            start + 1..start + 1 + quoted_length(&value[1..], quote)
        } else {
            let line = value.lines().next().unwrap_or_default();
            let value = line.split(" #").next().unwrap_or_default();
            start..start + value.trim_end().len()
        }
    }

    /// Where a scalar can be replaced by another one. `None` for one that is not written out on one line: an alias, a block of
    /// text, or nothing at all.
    pub fn replaceable(self) -> Option<Span> {
        let span = self.span();
        let written = self.document.text.slice(&span);
        let is_quoted = self.document.text.as_str()[..span.start].ends_with(['"', '\'']);
        let is_whole = is_quoted || self.node.data.as_str().is_none_or(|value| value == written);
        let is_there = written.chars().next().is_some_and(|first| is_quoted || !matches!(first, '*' | '|' | '>'));
        (is_there && is_whole && !self.node.data.is_null()).then_some(span)
    }

    /// The text of a scalar; of a plain one as it is written: `1.10` is no number here.
    pub fn text(self) -> Option<String> {
        if let Some(text) = self.node.data.as_str() {
            return Some(text.to_owned());
        }
        if self.node.data.is_sequence() || self.node.data.is_mapping() || self.node.data.is_null() {
            return None;
        }
        let written = self.document.text.slice(&self.span());
        let Some(anchor) = written.strip_prefix('*') else { return Some(written.to_owned()) };
        // What an alias stands for is written behind the last anchor of its name before it.
        let before = &self.document.text.as_str()[..self.span().start];
        let is_anchor = |begin: &usize| {
            let line = before[..*begin].rsplit('\n').next().unwrap_or_default();
            !line.contains('#') && before[begin + 1 + anchor.len()..].starts_with([' ', '\n', '\r'])
        };
        let begin = before.rmatch_indices(&format!("&{anchor}")).map(|(begin, _)| begin).find(is_anchor)?;
        let value = without_properties(&before[begin..]).lines().next()?.split(" #").next()?;
        Some(value.trim().trim_matches(['"', '\'']).to_owned())
    }
}

/// A value without the anchor (`&name`) and the tag (`!name`) before it.
fn without_properties(mut value: &str) -> &str {
    while value.starts_with(['&', '!'])
        && let Some((_, rest)) = value.split_once([' ', '\n'])
    {
        value = rest.trim_start();
    }
    value
}

/// How far it is to the quote that ends a scalar. Single quotes are escaped by doubling, double ones by a backslash.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().peekable();
    while let Some((offset, character)) = characters.next() {
        if character == '\\' && quote == '"' {
            characters.next();
        } else if character == quote && (quote == '"' || characters.next_if(|&(_, next)| next == quote).is_none()) {
            return offset;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_places_and_their_spelling() {
        let text = Text::from("# é\nlist:\n  - name: \"a\"\n    version: 1.10 # one\n  - version: '2.0'   # note\n");
        let document = Document::parse(&text).expect("good YAML");
        let list = document.root().get("list").expect("a list");
        let versions: Vec<_> = list.items().filter_map(|item| item.get("version")).collect();
        assert_eq!(versions[0].text().as_deref(), Some("1.10"));
        assert_eq!(text.slice(&versions[0].span()), "1.10");
        assert_eq!(text.slice(&versions[1].span()), "2.0");
    }

    #[test]
    fn keys_are_passed_over_at_the_top_alone() {
        let keys = ["name".to_owned(), "tags".to_owned()];
        let same = |one: &str, other: &str| say_the_same_but_for(&keys, &Text::from(one), &Text::from(other));
        assert!(same("name: a\nb: 1\ntags: [x, {y: z}]\n", "# new\nb: 1\nname:\n  - c\n  - d: e\n"));
        assert!(same("{\n\t\"name\": \"a\",\n\t\"b\": 1\n}\n", "{ \"b\": 1 }"));
        assert!(!same("b: 1\n", "b: \"1\"\n"));
        assert!(!same("b:\n  name: a\n", "b:\n  name: c\n"));
        assert!(!same("- name: a\n", "- name: b\n"));
        assert!(!same("? {name: a}\n: 1\n", "? {name: b}\n: 1\n"));
        assert!(!same("name: a\n---\nb: 1\n", "name: a\n---\nb: 2\n"));
        assert!(!same("name: &n a\nb: 1\nc: *n\n", "name: a\nb: 1\nc: a\n"));
        assert!(!same("name: [\n", "name: [\n"), "what cannot be read may say anything");
    }

    #[test]
    fn what_goes_on_in_the_next_line_cannot_be_replaced_in_one() {
        let replaceable = |text: &str| {
            let text = Text::from(text);
            let document = Document::parse(&text).expect("good YAML");
            document.root().get("a").expect("a value").replaceable().map(|span| text.slice(&span).to_owned())
        };
        assert_eq!(replaceable("a: 1.0\n  x\nb: c\n"), None);
        assert_eq!(replaceable("a: b c # d\n"), Some("b c".to_owned()));
        assert_eq!(replaceable("a: \"*b\"\n"), Some("*b".to_owned()));
    }
}
