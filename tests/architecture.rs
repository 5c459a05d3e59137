//! The floors of the program: a module uses only what `src/lib.rs` lists above it, git2 is used in one module, and one prints.

use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All source files, each with the module that it belongs to.
fn files() -> Vec<(String, PathBuf, String)> {
    fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, files);
            } else {
                files.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&source(), &mut paths);
    let named = paths.into_iter().map(|path| {
        let below = path.strip_prefix(source()).expect("below src");
        let first = below.components().next().expect("a name").as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&path).expect("a source");
        // Comments may speak of anything.
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        (module, path, code)
    });
    named.collect()
}

/// The modules in the order of `src/lib.rs`, from the ground up.
fn floors() -> Vec<String> {
    let text = std::fs::read_to_string(source().join("lib.rs")).expect("a source");
    let modules = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    modules.map(str::to_owned).collect()
}

/// The modules that a piece of code names by `crate::`.
fn used(code: &str) -> Vec<String> {
    let parts = code.split("crate::").skip(1);
    let names = parts.map(|part| part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>());
    names.collect()
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let floors = floors();
    assert!(floors.len() > 10, "{floors:?}");
    let floor = |module: &str| floors.iter().position(|known| known == module);
    let mut wrong = Vec::new();
    for (module, path, code) in files() {
        let Some(own) = floor(&module) else { continue };
        assert!(!code.contains("use crate::{"), "{}: one `use` a module, for this test to see it", path.display());
        for used in used(&code) {
            match floor(&used) {
                Some(other) if other <= own && (other < own || used == module) => {}
                Some(_) => wrong.push(format!("{} uses {used}, which is not below {module}", path.display())),
                None => wrong.push(format!("{} uses {used}, which src/lib.rs does not list", path.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn git2_is_used_in_one_module_and_one_prints() {
    for (module, path, code) in files() {
        assert!(module == "git" || !code.contains("git2::"), "{} uses git2", path.display());
        let prints = ["println!", "eprintln!", "print!", "stdout()", "stderr()"].iter().any(|word| code.contains(word));
        assert!(module == "cli" || !prints, "{} prints", path.display());
        assert!(module == "cli" || !code.contains("process::exit"), "{} ends the process", path.display());
    }
}
