//! The floors of the program: a module uses only what `src/lib.rs` lists above it, and a file of a module what its `mod.rs`
//! lists above it; git2 is used in one module, and one prints.

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

/// The modules that `src/lib.rs` or the `mod.rs` of a folder lists, in its order: from the ground up.
fn listed(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("a source");
    let modules =
        text.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    modules.map(str::to_owned).collect()
}

/// The modules in the order of `src/lib.rs`, from the ground up.
fn floors() -> Vec<String> {
    listed(&source().join("lib.rs"))
}

/// The names that stand behind a prefix, such as `crate::`, in a piece of code.
fn used(code: &str, prefix: &str) -> Vec<String> {
    let parts = code.split(prefix).skip(1);
    let names = parts.map(|part| part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>());
    names.collect()
}

/// What the files of a folder use of it although it is not listed above them.
fn wrong_within(folder: &Path) -> Vec<String> {
    let floors = listed(&folder.join("mod.rs"));
    let mut wrong = Vec::new();
    for (own, name) in floors.iter().enumerate() {
        let mut path = folder.join(name).with_extension("rs");
        if !path.exists() {
            wrong.extend(wrong_within(&folder.join(name)));
            path = folder.join(name).join("mod.rs");
        }
        let text = std::fs::read_to_string(&path).expect("a source");
        // To the tests in a file, it is what is above them.
        let code = text.split("#[cfg(test)]\nmod ").next().expect("one part at least");
        if code.contains("use super::{") {
            wrong.push(format!("{}: one `use` a module, for this test to see it", path.display()));
        }
        for used in used(code, "super::") {
            if floors.iter().position(|known| *known == used).is_none_or(|floor| floor >= own) {
                wrong.push(format!("{} uses {used}, which is not listed above {name}", path.display()));
            }
        }
    }
    wrong
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
        for used in used(&code, "crate::") {
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
fn files_of_a_folder_use_only_what_lies_below_them_there() {
    let mut folders = 0;
    for module in floors() {
        let folder = source().join(&module);
        if !folder.join("mod.rs").is_file() {
            continue;
        }
        folders += 1;
        let wrong = wrong_within(&folder);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
    assert!(folders > 3, "{folders}");
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

/// Who looks for a rule finds its kind, and the other way round.
#[test]
fn the_head_of_a_kind_names_the_rules_of_it() {
    let mut known = 0;
    let mut wrong = Vec::new();
    for pack in std::fs::read_dir(source().join("../rules")).expect("a directory") {
        for rule in std::fs::read_dir(pack.expect("a pack").path()).expect("a directory") {
            let path = rule.expect("a rule").path();
            let text = std::fs::read_to_string(&path).expect("a rule");
            let kind = text.split("\n[check.").nth(1).and_then(|rest| rest.split(']').next());
            let Some(kind) = kind.filter(|kind| *kind != "waiver") else { continue };
            let file = source().join("check").join(kind.replace('-', "_"));
            let source = std::fs::read_to_string(file.with_extension("rs"));
            let source = source.or_else(|_| std::fs::read_to_string(file.join("mod.rs"))).expect("a kind");
            let mut head = source.lines().take_while(|line| line.starts_with("//!"));
            let name = path.file_stem().expect("a name").to_string_lossy();
            if !head.any(|line| line.contains(&format!("`{name}`"))) {
                wrong.push(format!("the head of the kind {kind} lacks the rule {name}"));
            }
            known += 1;
        }
    }
    assert!(known > 30, "{known}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The longest line of a source, in columns: the formatter breaks neither comments nor what follows `#[arg(`.
const COLUMNS: usize = 140;

#[test]
fn no_line_is_too_long() {
    let mut long = Vec::new();
    for (_, path, _) in files().into_iter().filter(|(_, path, _)| path.extension().is_some_and(|it| it == "rs")) {
        let text = std::fs::read_to_string(&path).expect("a source");
        for (number, line) in text.lines().enumerate() {
            if line.chars().count() > COLUMNS {
                long.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

/// The fuzz targets have a lock of their own, which no build of the project touches.
#[test]
fn the_lock_of_the_fuzz_targets_has_all_dependencies() {
    let project = source().join("..");
    let text = std::fs::read_to_string(project.join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = text.parse().expect("TOML");
    let text = std::fs::read_to_string(project.join("fuzz/Cargo.lock")).expect("a lock");
    let lock: toml::Table = text.parse().expect("TOML");
    let packages = lock["package"].as_array().expect("packages");
    let own = packages.iter().find(|package| package["name"].as_str() == Some("imglint")).expect("imglint");
    let locked: Vec<&str> =
        own["dependencies"].as_array().expect("a list").iter().filter_map(|it| it.as_str()).collect();
    let dependencies = manifest["dependencies"].as_table().expect("a table");
    assert!(dependencies.len() > 10, "{dependencies:?}");
    for name in dependencies.keys() {
        let is_locked = locked.iter().any(|locked| locked.split(' ').next() == Some(name));
        assert!(is_locked, "fuzz/Cargo.lock lacks {name}: cargo update --workspace --manifest-path fuzz/Cargo.toml");
    }
}

/// How many closures bound by `let` there may be in 1,000 lines.
const CLOSURES: usize = 5;

/// How many of them there may be in one function.
const CLOSURES_OF_A_FUNCTION: usize = 6;

/// Plain statements are read faster than names for pieces of code.
#[test]
fn few_closures_have_names() {
    let (mut closures, mut lines) = (0, 0);
    for (_, _, code) in files() {
        lines += code.lines().count();
        closures += named_closures(&code);
    }
    assert!(lines > 10_000, "only {lines} lines were read");
    assert!(closures * 1000 < CLOSURES * lines, "{closures} closures in {lines} lines; see CONTRIBUTING.md");
}

#[test]
fn no_function_names_many_closures() {
    let (mut functions, mut wrong) = (0, Vec::new());
    for (_, path, code) in files() {
        for function in functions_of(&code) {
            functions += 1;
            let closures = named_closures(&function);
            if closures > CLOSURES_OF_A_FUNCTION {
                let head = function.lines().next().unwrap_or_default().trim();
                wrong.push(format!("{}: {closures} closures in `{head}`", path.display()));
            }
        }
    }
    assert!(functions > 1_000, "only {functions} functions were read");
    assert!(wrong.is_empty(), "{wrong:#?}; see CONTRIBUTING.md");
}

/// The functions of a formatted source, each from the line with its name to the brace that stands below the beginning of that.
fn functions_of(code: &str) -> Vec<String> {
    let mut functions = Vec::new();
    let mut open: Vec<(usize, String)> = Vec::new();
    for line in code.lines() {
        let indent = line.len() - line.trim_start().len();
        for (_, function) in &mut open {
            function.push_str(line);
            function.push('\n');
        }
        let before_name = line.split("fn ").next().filter(|before| before.len() < line.len());
        if before_name.is_some_and(|before| before.trim().chars().all(|c| c.is_alphabetic() || "() :".contains(c)))
            && !line.ends_with(['}', ';'])
        {
            open.push((indent, format!("{line}\n")));
        } else if line.trim() == "}" && open.last().is_some_and(|(begin, _)| *begin == indent) {
            functions.extend(open.pop().map(|(_, function)| function));
        }
    }
    functions
}

/// How many closures a piece of code binds by `let`.
fn named_closures(code: &str) -> usize {
    let statements = code.split("let ").skip(1).filter_map(|rest| rest.split_once('='));
    statements.filter(|(_, value)| begins_closure(value)).count()
}

fn begins_closure(value: &str) -> bool {
    let value = value.trim_start().trim_start_matches("move ");
    value.starts_with('|')
}
