//! What the JSON schemas say of values whose readers are written by hand: each type names its form beside its reader.

use schemars::{JsonSchema, Schema, json_schema};

/// A word, or a table that says more.
#[derive(JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "a form alone: nothing is read into it")]
pub(crate) enum WordOr<T> {
    Word(String),
    Table(T),
}

/// One of these words.
pub(crate) fn one_of(words: &[&str]) -> Schema {
    json_schema!({ "type": "string", "enum": words })
}
