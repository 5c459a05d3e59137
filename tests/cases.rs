//! Runs the cases of `tests/rules/<pack>/<rule>.md`, each as a test of its own name: `cargo test --test cases stale-version`.
//! `src/case.rs` says how they are written.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use imglint::case::{self, Case, Input, InputKind, Side};
use imglint::config_file::{CONFIG_FILE, Config};
use imglint::finding::Finding;
use imglint::fix::{self, Allowed};
use imglint::history::History;
use imglint::inputs::{Claims, Jobs, Promoted, RegistryList};
use imglint::model::Model;
use imglint::model::past::look_back;
use imglint::pack::{self, BUILT_IN, BuiltIn, Pack, Selection};
use imglint::run::{self, Outcome};
use imglint::snapshot::{Origin, Pair, Snapshot, StoreError};
use imglint::toml_source::Source;
use imglint::waiver::{Day, Waivers};
use libtest_mimic::{Arguments, Trial};

/// The cases of one rule.
struct Cases {
    built_in: &'static BuiltIn,
    rule: String,
    list: Vec<Case>,
}

impl Cases {
    /// Whether they are about waivers, which need other rules to let something pass, and repair nothing.
    fn are_of_waivers(&self) -> bool {
        self.rule.ends_with("-waiver")
    }
}

fn main() -> ExitCode {
    let mut trials = vec![
        test("every_case_has_a_name_of_its_own", every_case_has_a_name_of_its_own),
        test("every_rule_has_a_failing_and_a_silent_case", every_rule_has_a_failing_and_a_silent_case),
        test("every_rule_that_repairs_has_a_case_with_a_repair", every_rule_that_repairs_has_a_case_with_a_repair),
        test("one_thread_and_many_agree", one_thread_and_many_agree),
        test("built_in_packs_compile", built_in_packs_compile),
    ];
    for of_rule in cases() {
        let of_rule = Arc::new(of_rule);
        for index in 0..of_rule.list.len() {
            let name = format!("{}/{}: {}", of_rule.built_in.name, of_rule.rule, of_rule.list[index].title);
            let of_rule = Arc::clone(&of_rule);
            trials.push(test(name, move || check(&of_rule, &of_rule.list[index])));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test that fails by a panic.
fn test(name: impl Into<String>, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || {
        test();
        Ok(())
    })
}

/// All cases.
fn cases() -> Vec<Cases> {
    let mut all = Vec::new();
    for built_in in BUILT_IN {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules").join(built_in.name);
        for entry in std::fs::read_dir(&directory).expect("every pack has cases") {
            let path = entry.expect("the directory can be listed").path();
            let rule = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a case can be read");
            let cases = case::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            all.push(Cases { built_in, rule, list: cases });
        }
    }
    all
}

/// The pack with this rule alone.
fn pack(of_rule: &Cases, case: &Case) -> Pack {
    let config = config(case);
    let mut pack = Pack::load(of_rule.built_in.pack_files(), config.as_ref()).expect("a good pack");
    let only = if of_rule.are_of_waivers() { Vec::new() } else { vec![of_rule.rule.clone()] };
    pack.select(&Selection { only, ..Selection::default() }).expect("a rule of the pack");
    let waivers = config.map_or_else(Vec::new, Config::into_waivers);
    let today = Day::parse("2026-06-01").expect("a day");
    pack.waivers =
        Some(Waivers { list: waivers.clone(), after: waivers, before: Vec::new(), rules: Vec::new(), today });
    for Input { kind, text } in &case.inputs {
        let source = Source::new(kind.name(), text.clone());
        match kind {
            InputKind::Promoted => pack.inputs.promoted = Some(Promoted::read(&source).expect("a list").into()),
            InputKind::Claims => pack.inputs.claims = Some(Claims::read(&source, None).expect("claims").into()),
            InputKind::Jobs => pack.inputs.jobs = Some(Jobs::new(&source)),
            InputKind::Registries => {
                let text = Arc::new(text.as_str().into());
                pack.inputs.registries = Some(RegistryList { path: "repo_list.yaml".into(), text });
            }
        }
    }
    pack.inputs.history = (!case.commits.is_empty()).then(|| history(case, &pack));
    pack
}

fn config(case: &Case) -> Option<Config> {
    let text = case.config.as_ref()?;
    Some(pack::read_config(&Source::new(CONFIG_FILE, text.clone())).expect("a good config"))
}

fn pair(case: &Case, pack: &Pack) -> Pair<'static> {
    let snapshot = |side| Snapshot::in_memory(case.tree(side));
    let mut pair = Pair {
        base: (!case.is_whole).then(|| snapshot(Side::Before)),
        tip: case.has_tip().then(|| snapshot(Side::Tip)),
        head: snapshot(Side::After),
        origin: Origin::default(),
    };
    pair.origin.listed = pack.listed(&pair).expect("all is in memory");
    pair
}

/// What the history of the case tells of its images, on the day on which waivers are judged.
fn history(case: &Case, pack: &Pack) -> Arc<History> {
    let head = Snapshot::in_memory(case.tree(Side::After));
    let model = Model::build(&head, &pack.shape, None, None).expect("all is in memory");
    let steps = case.steps(seconds).into_iter().map(Ok::<_, StoreError>);
    look_back(&head, &model, &pack.shape, None, steps, seconds("2026-06-01")).expect("all is in memory").into()
}

/// The beginning of a day, in seconds since 1970.
fn seconds(day: &str) -> i64 {
    (0..30_000).map(|days| days * 86_400).find(|time| Day::of_seconds(*time) == Day::parse(day)).expect("a day")
}

fn judge(pack: &Pack, pair: &Pair<'_>) -> Outcome {
    let outcome = run::judge(pack, pair).expect("all is in memory");
    assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
    outcome
}

fn open(outcome: &Outcome) -> impl Iterator<Item = &Finding> {
    outcome.findings.iter().filter(|finding| finding.waived.is_none())
}

fn lines(outcome: &Outcome) -> String {
    let mut text = String::new();
    for finding in open(outcome) {
        let (start, _) = finding.diagnostic.location.positions();
        let (path, message) = (&finding.diagnostic.location.path, &finding.diagnostic.message);
        writeln!(text, "{path}:{}:{}: {}: {message}", start.line, start.column, finding.level).expect("a string");
    }
    text
}

/// A case finds what it says, and a repair does what it says.
fn check(of_rule: &Cases, case: &Case) {
    let pack = pack(of_rule, case);
    let outcome = judge(&pack, &pair(case, &pack));
    let (expected, found) = (case.findings.clone().unwrap_or_default(), lines(&outcome));
    assert!(
        found == expected && outcome.older == case.older,
        "expected ({} older):\n{expected}found ({} older):\n{found}",
        case.older,
        outcome.older
    );
    if !of_rule.are_of_waivers() {
        check_repair(of_rule, case, &outcome);
    }
}

/// After a repair its rule is silent, a second repair changes nothing, and the files are what the case says.
fn check_repair(of_rule: &Cases, case: &Case, before: &Outcome) {
    let pack = pack(of_rule, case);
    let mut pair = pair(case, &pack);
    let name = |finding: &Finding| (finding.diagnostic.location.path.clone(), finding.diagnostic.message.clone());
    let has_fix = |finding: &Finding| finding.diagnostic.fix.as_ref().is_some_and(|fix| fix.safe);
    let offered: BTreeSet<_> = open(before).filter(|it| has_fix(it)).map(name).collect();
    // Two lines may be at fault alike, and only one of them can be repaired.
    let mut without: Vec<_> = open(before).filter(|it| !has_fix(it)).map(name).collect();
    let repair = fix::repair(&pack, &mut pair, &Allowed::default()).expect("it comes to rest");
    // What a repair was offered for is silent; what has come to light by it has none.
    for left in open(&repair.after) {
        let position = without.iter().position(|known| *known == name(left));
        let was_without = position.map(|position| without.remove(position)).is_some();
        assert!(!has_fix(left) && (was_without || !offered.contains(&name(left))), "\n{}", lines(&repair.after));
    }
    let again = fix::repair(&pack, &mut pair, &Allowed::default()).expect("it comes to rest");
    assert!(again.files.is_empty(), "{:?}", again.files.keys());
    if case.fixed.is_empty() {
        return;
    }
    let changed: Vec<_> = repair.files.iter().map(|(path, file)| (path.to_string(), file.after.clone())).collect();
    let fixed = case.fixed.iter().map(|fixed| (fixed.path.clone(), fixed.text.clone().into_bytes()));
    let mut expected: Vec<_> = fixed.collect();
    expected.sort();
    assert!(changed == expected, "{:?}", repair.files);
}

fn every_case_has_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for of_rule in cases() {
        for case in of_rule.list {
            let name = (of_rule.built_in.name, of_rule.rule.clone(), case.title);
            assert!(names.insert(name.clone()), "{name:?} stands there twice");
        }
    }
    assert!(names.len() > 100, "only {} cases were found", names.len());
}

fn every_rule_that_repairs_has_a_case_with_a_repair() {
    let mut repaired = BTreeSet::new();
    for of_rule in cases().into_iter().filter(|of_rule| !of_rule.are_of_waivers()) {
        if of_rule.list.iter().any(|case| !case.fixed.is_empty()) {
            repaired.insert(of_rule.rule);
        }
    }
    let with_a_fix = [
        "malformed-base",
        "malformed-version",
        "mismatched-constant",
        "mismatched-dependency",
        "mismatched-platform",
        "stale-base",
        "stale-manifest",
        "stale-reference",
        "stale-version",
        "taken-version",
        "unbumped-content",
        "unresolved-conflict",
    ];
    assert_eq!(repaired.iter().map(String::as_str).collect::<Vec<_>>(), with_a_fix);
}

fn every_rule_has_a_failing_and_a_silent_case() {
    let cases = cases();
    for built_in in BUILT_IN {
        let rules = Pack::load(built_in.pack_files(), None).expect("a good pack").rules;
        let known: BTreeSet<_> = rules.iter().map(|rule| rule.id.to_string()).collect();
        let own = own_rules(built_in);
        let of_pack: Vec<_> = cases.iter().filter(|of_rule| of_rule.built_in.name == built_in.name).collect();
        for rule in &own {
            let of_rule: Vec<_> = of_pack.iter().filter(|of_rule| of_rule.rule == *rule).collect();
            let of_rule: Vec<_> = of_rule.into_iter().flat_map(|of_rule| &of_rule.list).collect();
            assert!(of_rule.iter().any(|case| case.findings.is_some()), "{}/{rule} has no failing case", built_in.name);
            assert!(of_rule.iter().any(|case| case.findings.is_none()), "{}/{rule} has no silent case", built_in.name);
        }
        for of_rule in of_pack {
            assert!(known.contains(&of_rule.rule), "{}/{}.md is about no rule", built_in.name, of_rule.rule);
        }
    }
}

/// The rules that must have cases of this pack: its own. Rules of the pack that it extends have theirs there. What is its own of the
/// images shows in `stale-version`; the pack `kubernetes` says so much of them that all its rules are tried.
fn own_rules(built_in: &BuiltIn) -> BTreeSet<String> {
    let mut own = BTreeSet::from(["stale-version".to_owned()]);
    for file in built_in.pack_files().files {
        let path = Path::new(&*file.source.name);
        let rule = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let is_own = path.starts_with(Path::new("rules").join(built_in.name)) || built_in.name == "kubernetes";
        if is_own && rule != "pack" {
            own.insert(rule);
        }
    }
    own
}

/// The order of findings, and the findings, must not depend on threads.
fn one_thread_and_many_agree() {
    let mut said = Vec::new();
    for threads in [1, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let mut text = String::new();
        for of_rule in cases() {
            for case in &of_rule.list {
                let pack = Pack::load(of_rule.built_in.pack_files(), config(case).as_ref()).expect("a good pack");
                text.push_str(&pool.install(|| lines(&judge(&pack, &pair(case, &pack)))));
            }
        }
        said.push(text);
    }
    assert_eq!(said[0], said[1]);
}

/// Built-in patterns are compiled when they are used: here it is made certain that they can be.
fn built_in_packs_compile() {
    for built_in in BUILT_IN {
        let pack = Pack::load(built_in.pack_files(), None).expect("a good pack");
        pack.shape.compile().expect("good patterns");
        assert!(!pack.rules.is_empty());
    }
}
