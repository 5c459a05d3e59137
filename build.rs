//! Lists what lies in `rules/`, so that a new rule is a new file and nothing else, and turns its TOML into JSON, which
//! is read in a fifth of the time at every start.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=tests/rules");
    let mut code = String::from("&[\n");
    for pack in sorted(&root.join("rules")) {
        let name = pack.file_name().and_then(|name| name.to_str()).expect("a pack has a plain name").to_owned();
        writeln!(code, "    BuiltIn {{ name: {name:?}, files: &[").expect("writing to a string");
        for file in sorted(&pack) {
            let file_name = file.file_name().and_then(|name| name.to_str()).expect("a rule has a plain name");
            let text = fs::read_to_string(&file).expect("a rule can be read");
            let value: toml::Value =
                toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let json = serde_json::to_string(&value).expect("TOML fits into JSON");
            writeln!(
                code,
                "        BuiltInFile {{ name: {file_name:?}, text: include_str!({:?}), json: {json:?} }},",
                literal(&file)
            )
            .expect("writing to a string");
        }
        code.push_str("    ], cases: &[\n");
        for file in sorted(&root.join("tests/rules").join(&name)) {
            let rule = file.file_stem().and_then(|name| name.to_str()).expect("a case has a plain name");
            writeln!(code, "        Cases {{ rule: {rule:?}, text: include_str!({:?}) }},", literal(&file))
                .expect("writing to a string");
        }
        code.push_str("    ] },\n");
    }
    code.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("packs.rs"), code).expect("the build's own directory can be written");
}

fn literal(path: &Path) -> &str {
    path.to_str().expect("the checkout has a plain path")
}

fn sorted(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}
