//! JSON schemas of the files that people write, from the types that read them: what an editor completes and explains is what
//! imglint takes.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, RestrictFormats};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::config_file;
use crate::pack::{self, BUILT_IN};
use crate::shape::PackFile;

/// A kind of file that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Described {
    /// `imglint.toml`, with the rules of imglint's own packs.
    Config,
    /// `pack.toml`.
    Pack,
    /// The file of a rule in a pack.
    Rule,
}

/// Where a schema of draft 7 keeps what is referred to.
const DEFINITIONS: &str = "definitions";
/// What a reference begins with.
const REFERENCE: &str = "#/definitions/";
/// The keys of `pack.toml` that are the pack's own: a repository cannot put others in their place.
const OF_PACK_ALONE: [&str; 4] = ["summary", "markers", "init", "extends"];

/// The schema of files of a kind: draft 7, which all editors know.
///
/// ```
/// use imglint::schema::{Described, schema};
/// let config = schema(Described::Config);
/// assert!(config["properties"]["rules"]["properties"]["stale-version"]["properties"]["due"].is_object());
/// ```
pub fn schema(of: Described) -> Value {
    let mut generator = generator();
    let (title, mut root) = match of {
        Described::Config => ("imglint.toml", config(&mut generator)),
        Described::Pack => ("pack.toml", generator.root_schema_for::<PackFile>().to_value()),
        Described::Rule => ("a rule of a pack", pack::rule_schema(&mut generator).to_value()),
    };
    root["title"] = json!(title);
    keep_what_is_used(&mut root);
    root
}

/// What makes all three, so that what they share has one name in them.
fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft07();
    settings.with_transform(RecursiveTransform(tidy)).with_transform(RestrictFormats::default()).into_generator()
}

/// `imglint.toml`, with what the packs say of their rules, and what `pack.toml` may hold.
fn config(generator: &mut SchemaGenerator) -> Value {
    let pack = generator.root_schema_for::<PackFile>().to_value();
    let rule = pack::rule_schema(generator).to_value();
    let mut root = config_file::schema(generator).to_value();
    let definitions = root[DEFINITIONS].clone();
    let own = root["properties"]["rules"]["additionalProperties"].clone();
    let level = resolved(&own, &definitions)["properties"]["level"].clone();
    root["properties"]["rules"]["properties"] =
        rules(&rule["definitions"]["Check"]["properties"], &level, &definitions);
    root["properties"]["pack"] = pack_names(&root["properties"]["pack"]["description"]);
    let shape = &mut root["properties"]["shape"];
    shape["properties"] = sections(&pack, &definitions);
    shape["additionalProperties"] = json!(false);
    root["allOf"] = rules_of_packs();
    root
}

/// The names of imglint's own packs, or any directory.
fn pack_names(description: &Value) -> Value {
    let mut choices = Vec::new();
    for pack in BUILT_IN {
        choices.push(json!({ "const": pack.name, "description": pack.summary() }));
    }
    choices.push(json!({ "type": "string" }));
    json!({ "description": description, "type": "string", "anyOf": choices })
}

/// The settings of each rule of imglint's own packs: its level, and the options of its check.
fn rules(kinds: &Value, level: &Value, definitions: &Value) -> Value {
    let mut rules = Map::new();
    for rule in BUILT_IN.iter().flat_map(pack::BuiltIn::rules) {
        let mut properties = Map::new();
        properties.insert("level".to_owned(), level.clone());
        let options = &resolved(&kinds[rule.kind], definitions)["properties"];
        properties.extend(options.as_object().cloned().unwrap_or_default());
        // What packs say of one rule may differ; where they use different kinds for it, it may have the options of each.
        let known = rules.entry(rule.id).or_insert_with(|| {
            json!({ "type": "object", "description": rule.summary, "properties": {}, "additionalProperties": false })
        });
        if let Some(all) = known["properties"].as_object_mut() {
            all.extend(properties);
        }
    }
    Value::Object(rules)
}

/// That where a pack of imglint's own is named, its rules alone have settings, and can be waived.
fn rules_of_packs() -> Value {
    let mut conditions = Vec::new();
    for pack in BUILT_IN {
        // What their settings are is said already.
        let settings: Map<String, Value> = pack.rules().map(|rule| (rule.id, json!(true))).collect();
        let names: Vec<&String> = settings.keys().collect();
        conditions.push(json!({
            "if": { "required": ["pack"], "properties": { "pack": { "const": pack.name } } },
            "then": { "properties": {
                "rules": { "properties": settings, "additionalProperties": false },
                "waive": { "items": { "properties": { "rule": { "enum": names } } } },
            } },
        }));
    }
    Value::Array(conditions)
}

/// The tables of `pack.toml` as a repository sets single values of them: none is required, as the pack has the others.
fn sections(pack: &Value, definitions: &Value) -> Value {
    let mut sections = pack["properties"].as_object().cloned().unwrap_or_default();
    for name in OF_PACK_ALONE {
        sections.remove(name);
    }
    for section in sections.values_mut() {
        let mut table = resolved(section, definitions).clone();
        if let Some(table) = table.as_object_mut().filter(|table| table.contains_key("properties")) {
            table.remove("required");
            table.insert("description".to_owned(), section["description"].clone());
            *section = Value::Object(table.clone());
        }
    }
    Value::Object(sections)
}

/// What a schema refers to; itself where it refers to nothing.
fn resolved<'s>(schema: &'s Value, definitions: &'s Value) -> &'s Value {
    let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    reference.and_then(|reference| definitions.get(reference.strip_prefix(REFERENCE)?)).unwrap_or(schema)
}

/// TOML has no null: what may be left out is what it is where it is there. Lines of comments are no lines to those who read them in
/// an editor.
fn tidy(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::String(description)) = object.get_mut("description") {
        let paragraphs: Vec<String> = description.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
        *description = paragraphs.join("\n\n");
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            object.insert("type".to_owned(), one);
        }
    }
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else { return };
    choices.retain(|choice| choice["type"] != "null");
    if let [one] = &choices[..] {
        // Beside a reference, nothing else would count.
        let one = one.clone();
        object.remove("anyOf");
        object.insert("allOf".to_owned(), json!([one]));
    }
}

/// Leaves out the definitions that nothing refers to any more.
fn keep_what_is_used(root: &mut Value) {
    loop {
        let text = root.to_string();
        let Some(definitions) = root[DEFINITIONS].as_object_mut() else { return };
        let before = definitions.len();
        definitions.retain(|name, _| text.contains(&format!("\"{REFERENCE}{name}\"")));
        if definitions.len() == before {
            return;
        }
    }
}
