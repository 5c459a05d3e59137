//! Lists what lies in `rules/`, so that a new rule is a new file and nothing else, and turns its TOML into JSON, which
//! is read in a fifth of the time at every start. A pack that extends another one gets the files that it lacks here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The file of a pack that is its own in any case.
const PACK_FILE: &str = "pack.toml";

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=tests/rules");
    let mut code = String::from("&[\n");
    for pack in sorted(&root.join("rules")) {
        let name = name(&pack);
        let markers = markers(&pack);
        writeln!(code, "    BuiltIn {{ name: {name:?}, markers: &{markers:?}, files: &[").expect("writing to a string");
        for file in files(&pack).values() {
            write_file(&mut code, file, &root, &name);
        }
        code.push_str("    ] },\n");
    }
    code.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("packs.rs"), code).expect("the build's own directory can be written");
}

/// The files of a pack by their names, those of the packs that it extends among them.
fn files(pack: &Path) -> BTreeMap<String, PathBuf> {
    let mut files = BTreeMap::new();
    let mut extended = Some(pack.to_owned());
    while let Some(pack) = extended.take() {
        for file in sorted(&pack) {
            let name = name(&file);
            if name == PACK_FILE {
                extended =
                    read(&file).get("extends").and_then(toml::Value::as_str).map(|name| pack.with_file_name(name));
            }
            files.entry(name).or_insert(file);
        }
    }
    files
}

/// The files of which one tells that a repository is of this pack's kind: looked for at every start.
fn markers(pack: &Path) -> Vec<String> {
    let description = read(&pack.join(PACK_FILE));
    let markers = description.get("markers").and_then(toml::Value::as_array).into_iter().flatten();
    markers.map(|marker| marker.as_str().expect("a marker is a path").to_owned()).collect()
}

/// Writes what `BuiltInFile` holds of a file.
fn write_file(code: &mut String, file: &Path, root: &Path, pack: &str) {
    let json = serde_json::to_string(&read(file)).expect("TOML fits into JSON");
    let below = literal(file.strip_prefix(root).expect("it lies below the root"));
    let rule = file.file_stem().and_then(|name| name.to_str()).expect("a rule has a plain name");
    // A rule of the pack that this one extends has its cases there.
    let home = name(file.parent().expect("a rule lies in a pack"));
    let cases = [pack, &home].map(|pack| root.join(format!("tests/rules/{pack}/{rule}.md")));
    let cases = cases.into_iter().find(|cases| cases.exists());
    let cases = cases.map_or_else(|| "None".to_owned(), |cases| format!("Some(include_str!({:?}))", literal(&cases)));
    let text = literal(file);
    writeln!(
        code,
        "        BuiltInFile {{ path: {below:?}, text: include_str!({text:?}), json: {json:?}, cases: {cases} }},"
    )
    .expect("writing to a string");
}

fn read(file: &Path) -> toml::Value {
    let text = fs::read_to_string(file).expect("a rule can be read");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn name(path: &Path) -> String {
    path.file_name().and_then(|name| name.to_str()).expect("packs and rules have plain names").to_owned()
}

fn literal(path: &Path) -> &str {
    path.to_str().expect("the checkout has a plain path")
}

fn sorted(directory: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        paths.push(entry.expect("a directory can be listed").path());
    }
    paths.sort();
    paths
}
