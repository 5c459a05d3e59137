//! The JSON schemas: what they let pass is what imglint takes.

use std::fs::{read_to_string, write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::documentation::project;
use super::harness::Scratch;
use super::pages::{Block, blocks_of, pages};

const FILES: [&str; 3] = ["config", "pack", "rule"];

fn printed(file: &str) -> String {
    let run = Scratch::new().init("repo").imglint(&["schema", file]);
    assert_eq!(run.code, 0, "{run}");
    run.stdout
}

fn schema(file: &str) -> Value {
    serde_json::from_str(&printed(file)).expect("JSON")
}

/// With the variable `BLESS`, the copies are written anew instead.
#[test]
fn the_copies_of_the_schemas_are_current() {
    for file in FILES {
        let (copy, text) = (project().join(format!("docs/schema/{file}.json")), printed(file));
        if std::env::var_os("BLESS").is_some() {
            write(&copy, &text).expect("a copy");
        }
        let is_current = read_to_string(&copy).is_ok_and(|copy| copy == text);
        assert!(is_current, "{} is out of date: run BLESS=1 cargo test --test cli schema", copy.display());
    }
}

/// An editor shows what a key means, whichever it is.
#[test]
fn every_key_has_a_description() {
    for file in FILES {
        described(&schema(file), file);
    }
}

fn described(schema: &Value, at: &str) {
    for (name, property) in
        schema["properties"].as_object().into_iter().flatten().filter(|(_, schema)| schema.is_object())
    {
        let at = format!("{at}.{name}");
        let has = property["description"].as_str().is_some_and(|text| !text.is_empty());
        assert!(has, "{at} has no description");
        described(property, &at);
    }
    for (name, definition) in schema["definitions"].as_object().into_iter().flatten() {
        described(definition, &format!("{at}.{name}"));
    }
}

#[test]
fn every_pack_and_rule_and_block_of_the_pages_is_valid() {
    let mut seen = 0;
    let (pack, rule) = (schema("pack"), schema("rule"));
    let mut folders: Vec<PathBuf> = entries(&project().join("rules"));
    folders.push(project().join("docs/example-pack"));
    for file in folders.iter().flat_map(|folder| entries(folder)) {
        let schema = if file.ends_with("pack.toml") { &pack } else { &rule };
        assert_eq!(errors(schema, &read(&file)), Vec::<String>::new(), "{}", file.display());
        seen += 1;
    }
    assert!(seen > 50, "{seen} files");
    let config = schema("config");
    let mut blocks = 0;
    for Block { at, kind, text } in pages().iter().flat_map(|page| blocks_of(page)) {
        let (schema, text) = match kind.as_str() {
            "toml imglint.toml" => (&config, text),
            "toml rule.toml" => (&rule, text),
            // One of several ways to write a line, or a part of a description.
            "toml pack.toml" if text.matches("\nversion = ").count() < 2 => {
                (&pack, format!("summary = \"ours\"\n{text}"))
            }
            _ => continue,
        };
        assert_eq!(errors(schema, &toml(&text)), Vec::<String>::new(), "{at}");
        blocks += 1;
    }
    assert!(blocks > 8, "{blocks} blocks");
}

/// What imglint refuses, an editor underlines: what is said of a key or a word of one kind holds for all.
#[test]
fn what_is_misspelt_is_invalid() {
    for (file, text) in [
        ("config", "pakc = \"generic\""),
        ("config", "pack = \"generic\"\n[rules.windows-run]\nlevel = \"off\""),
        ("config", "[rules.stale-version]\nlevel = \"warn\""),
        ("config", "[rules.stale-version]\nlevle = \"off\""),
        ("config", "[rules.stale-version]\ndue = \"relase\""),
        ("config", "[rules.windows-run]\nsystem = \"widnows\""),
        ("config", "[rules.windows-run]\ninstruction = \"RNU\""),
        ("config", "[rules]\nstale-version = \"off\""),
        ("config", "[shape.images]\nrotos = [\"images\"]"),
        ("config", "[shape.images]\nroots = \"images\""),
        ("config", "[shape.image]\nroots = [\"images\"]"),
        ("config", "[shape.manifest]\nfollows = \"afterwards\""),
        ("config", "pack = \"generic\"\n[[waive]]\nrule = \"stale-verison\"\nreason = \"so\""),
        ("config", "[[waive]]\nrule = \"stale-version\""),
        ("config", "[[waive]]\nrule = \"stale-version\"\nreason = \"\""),
        ("config", "[[waive]]\nrule = \"stale-version\"\nreason = \"so\"\ntill = 2027-01-31"),
        ("pack", "summary = \"ours\""),
        ("pack", "summary = \"ours\"\nimages = { roots = [\"images\"], version = { fiel = \"VERSION\" } }"),
        ("pack", "summary = \"ours\"\nimages = { roots = [\"images\"], version = 1 }"),
        (
            "pack",
            "summary = \"ours\"\nimages = { roots = [\".\"], version = \"V\" }\nreferences.registries = [{ nam = \"a\" }]",
        ),
        (
            "pack",
            "summary = \"ours\"\nimages = { roots = [\".\"], version = \"V\" }\nbuild.arguments = { A = \"bass\" }",
        ),
        ("pack", "summary = \"ours\"\nimages = { roots = [\".\"], version = \"V\" }\nworkflow.biuld = \"make\""),
        ("rule", "level = \"error\"\nsummary = \"a\"\nwhy = \"b\""),
        ("rule", "level = \"error\"\nsummary = \"a\"\nwhy = \"b\"\n[check.version-bmup]"),
        ("rule", "level = \"error\"\nsummary = \"a\"\nwhy = \"b\"\n[check.version-bump]\n[check.rebase]"),
        ("rule", "level = \"error\"\nsummary = \"a\"\nwhy = \"b\"\n[check.rebase]\ndue = \"change\""),
        ("rule", "level = \"error\"\nsummary = \"a\"\nwhy = \"b\"\n[check.waiver]\nforbid = \"exired\""),
    ] {
        assert_ne!(errors(&schema(file), &toml(text)), Vec::<String>::new(), "{file}: {text}");
    }
}

/// What a pack of one's own calls its rules, nobody else knows; what is right is not underlined.
#[test]
fn what_imglint_takes_is_valid() {
    for (file, text) in [
        ("config", ""),
        (
            "config",
            "pack = \"ci/imglint\"\nextends = \"../imglint.toml\"\n[rules.forgotten-tag]\nlevel = \"off\"\nanything = 1",
        ),
        ("config", "[[waive]]\nrule = \"stale-version\"\nreason = \"so\"\nuntil = 2027-01-31"),
        ("config", "pack = \"generic\"\n[[waive]]\nrule = \"stale-version\"\nreason = \"so\""),
        ("config", "pack = \"ci\"\n[[waive]]\nrule = \"forgotten-tag\"\nreason = \"so\""),
        ("config", "[rules.windows-run]\ninstruction = \"run\"\nsystem = \"windows\"\nlevel = \"note\""),
        ("config", "pack = \"kubernetes\"\nshape.images.version = [\"VERSION\", { file = \"a.yaml\", key = \"b.c\" }]"),
        (
            "config",
            "shape.build = { dockerfile = [\"Dockerfile\", \"*.Dockerfile\"], arguments = { A = \"base\", B = { file = \"/B\" } } }",
        ),
        (
            "config",
            "shape.references.registries = [\"a\", { name = \"b\", directory = \"c\" }]\nshape.manifest.grace-days = 3",
        ),
    ] {
        assert_eq!(errors(&schema(file), &toml(text)), Vec::<String>::new(), "{file}: {text}");
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).expect("a directory").map(|entry| entry.expect("an entry").path()).collect()
}

fn read(file: &Path) -> Value {
    toml(&read_to_string(file).expect("a file"))
}

/// TOML as editors hand it to a schema: dates are words.
fn toml(text: &str) -> Value {
    as_json(toml::Value::Table(text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))))
}

fn as_json(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(date) => json!(date.to_string()),
        toml::Value::Array(items) => items.into_iter().map(as_json).collect(),
        toml::Value::Table(table) => {
            table.into_iter().map(|(key, value)| (key, as_json(value))).collect::<Map<_, _>>().into()
        }
        plain => serde_json::to_value(plain).expect("JSON"),
    }
}

/// What is wrong with a value, by a schema of draft 7: as much of it as imglint's schemas use, and no word of it is passed over.
fn errors(root: &Value, value: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    validate(&Validator { root }, root, value, "", &mut errors);
    errors
}

struct Validator<'r> {
    root: &'r Value,
}

impl Validator<'_> {
    fn accepts(&self, schema: &Value, value: &Value) -> bool {
        let mut errors = Vec::new();
        validate(self, schema, value, "", &mut errors);
        errors.is_empty()
    }
}

fn validate(validator: &Validator<'_>, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
    let Value::Object(words) = schema else {
        assert!(schema.is_boolean(), "{schema} is no schema");
        if schema == &json!(false) {
            errors.push(format!("{at}: nothing may stand here"));
        }
        return;
    };
    for (word, said) in words {
        let list = said.as_array().map_or(&[][..], Vec::as_slice);
        let number = said.as_u64().and_then(|number| usize::try_from(number).ok());
        let fields = value.as_object();
        let is_right = match word.as_str() {
            "$schema" | "title" | "description" | "default" | "definitions" | "properties" | "then" => true,
            "$ref" => {
                let name = said.as_str().and_then(|name| name.strip_prefix("#/definitions/")).expect("a reference");
                let definition =
                    validator.root["definitions"].get(name).unwrap_or_else(|| panic!("{name} is not defined"));
                validate(validator, definition, value, at, errors);
                true
            }
            "type" => type_of(value).contains(&said.as_str().expect("one type")),
            "const" => value == said,
            "enum" => list.contains(value),
            "format" => said != "date" || value.as_str().is_some_and(|date| date.len() == "2027-01-31".len()),
            "minimum" => value.as_f64().is_none_or(|value| value >= said.as_f64().expect("a number")),
            "minLength" => value.as_str().is_none_or(|text| Some(text.chars().count()) >= number),
            "minProperties" => fields.is_none_or(|fields| Some(fields.len()) >= number),
            "maxProperties" => fields.is_none_or(|fields| Some(fields.len()) <= number),
            "required" => {
                fields.is_none_or(|fields| list.iter().all(|name| fields.contains_key(name.as_str().expect("a name"))))
            }
            "allOf" => {
                for schema in list {
                    validate(validator, schema, value, at, errors);
                }
                true
            }
            "anyOf" => list.iter().any(|schema| validator.accepts(schema, value)),
            "oneOf" => list.iter().filter(|schema| validator.accepts(schema, value)).count() == 1,
            "if" => !validator.accepts(said, value) || validator.accepts(&words["then"], value),
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    validate(validator, said, item, &format!("{at}[{number}]"), errors);
                }
                true
            }
            "additionalProperties" => {
                for (name, field) in
                    fields.into_iter().flatten().filter(|(name, _)| schema["properties"].get(name).is_none())
                {
                    validate(validator, said, field, &format!("{at}.{name}"), errors);
                }
                true
            }
            other => panic!("{at}: this test does not know {other:?}"),
        };
        if !is_right {
            errors.push(format!("{at}: {value} breaks {word}: {said}"));
        }
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        if let Some(property) = schema["properties"].get(name) {
            validate(validator, property, field, &format!("{at}.{name}"), errors);
        }
    }
}

fn type_of(value: &Value) -> &'static [&'static str] {
    match value {
        Value::Null => &["null"],
        Value::Bool(_) => &["boolean"],
        Value::Number(number) if number.is_f64() => &["number"],
        Value::Number(_) => &["integer", "number"],
        Value::String(_) => &["string"],
        Value::Array(_) => &["array"],
        Value::Object(_) => &["object"],
    }
}
