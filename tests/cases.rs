//! Runs the cases of `tests/rules/<pack>/<rule>.md`. `src/case.rs` says how they are written.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use imglint::case::{self, Case, Input, InputKind, Side};
use imglint::config_file::{CONFIG_FILE, Config};
use imglint::finding::Finding;
use imglint::fix::{self, Allowed};
use imglint::inputs::{Jobs, Promoted, RegistryList};
use imglint::pack::{self, BUILT_IN, BuiltIn, Pack, Selection};
use imglint::run::{self, Outcome};
use imglint::snapshot::{Origin, Pair, Snapshot};
use imglint::toml_source::Source;
use imglint::waiver::{Day, Waivers};

/// All cases, with the pack and the rule that they are about.
fn cases() -> Vec<(&'static BuiltIn, String, Vec<Case>)> {
    let mut all = Vec::new();
    for pack in BUILT_IN {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules").join(pack.name);
        for entry in std::fs::read_dir(&directory).expect("every pack has cases") {
            let path = entry.expect("the directory can be listed").path();
            let rule = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a case can be read");
            let cases = case::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            all.push((pack, rule, cases));
        }
    }
    all
}

/// The pack with this rule alone; waivers need other rules to let something pass.
fn pack(built_in: &BuiltIn, rule: &str, case: &Case) -> Pack {
    let config = case
        .config
        .as_ref()
        .map(|text| pack::read_config(&Source::new(CONFIG_FILE, text.clone())).expect("a good config"));
    let mut pack = Pack::load(built_in.pack_files(), config.as_ref()).expect("a good pack");
    let only = if rule.ends_with("-waiver") { Vec::new() } else { vec![rule.to_owned()] };
    pack.select(&Selection { only, ..Selection::default() }).expect("a rule of the pack");
    let waivers = config.map_or_else(Vec::new, Config::into_waivers);
    let today = Day::parse("2026-06-01").expect("a day");
    pack.waivers =
        Some(Waivers { list: waivers.clone(), after: waivers, before: Vec::new(), rules: Vec::new(), today });
    for Input { kind, text } in &case.inputs {
        let source = Source::new(kind.name(), text.clone());
        match kind {
            InputKind::Promoted => pack.inputs.promoted = Some(Promoted::read(&source).expect("a list").into()),
            InputKind::Jobs => pack.inputs.jobs = Some(Jobs::new(&source)),
            InputKind::Registries => {
                let text = Arc::new(text.as_str().into());
                pack.inputs.registries = Some(RegistryList { path: "repo_list.yaml".into(), text });
            }
        }
    }
    pack
}

fn pair(case: &Case) -> Pair<'static> {
    let snapshot = |side| Snapshot::in_memory(case.tree(side));
    Pair {
        base: (!case.is_whole).then(|| snapshot(Side::Before)),
        tip: case.has_tip().then(|| snapshot(Side::Tip)),
        head: snapshot(Side::After),
        origin: Origin::default(),
    }
}

fn judge(pack: &Pack, pair: &Pair<'_>) -> Outcome {
    let outcome = run::judge(pack, pair).expect("all is in memory");
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    outcome
}

fn lines(outcome: &Outcome) -> String {
    let mut text = String::new();
    for finding in outcome.findings.iter().filter(|finding| finding.waived.is_none()) {
        let (start, _) = finding.fault.place.positions();
        let (path, message) = (&finding.fault.place.path, &finding.fault.message);
        writeln!(text, "{path}:{}:{}: {}: {message}", start.line, start.column, finding.level).expect("a string");
    }
    text
}

#[test]
fn every_case_finds_what_it_says() {
    let mut failed = String::new();
    let mut count = 0;
    for (built_in, rule, cases) in cases() {
        for case in cases {
            count += 1;
            let outcome = judge(&pack(built_in, &rule, &case), &pair(&case));
            let (expected, found) = (case.findings.clone().unwrap_or_default(), lines(&outcome));
            if found != expected || outcome.older != case.older {
                writeln!(
                    failed,
                    "{}/{rule}: {}\nexpected ({} older):\n{expected}found ({} older):\n{found}",
                    built_in.name, case.title, case.older, outcome.older
                )
                .expect("a string");
            }
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
    assert!(count > 100, "only {count} cases were found");
}

/// After a repair its rule is silent, a second repair changes nothing, and the files are what the case says.
#[test]
fn repairs_silence_their_rule_and_are_stable() {
    let mut repaired_rules = BTreeSet::new();
    // Waivers repair nothing; other rules may, in their cases.
    for (built_in, rule, cases) in cases().into_iter().filter(|(_, rule, _)| !rule.ends_with("-waiver")) {
        for case in cases {
            let at = format!("{}/{rule}: {}", built_in.name, case.title);
            let (pack, mut pair) = (pack(built_in, &rule, &case), pair(&case));
            let is_open = |finding: &&Finding| finding.waived.is_none();
            let name = |finding: &Finding| (finding.fault.place.path.clone(), finding.fault.message.clone());
            let has_fix = |finding: &Finding| finding.fault.fix.as_ref().is_some_and(|fix| fix.safe);
            let before = judge(&pack, &pair);
            let open = || before.findings.iter().filter(is_open);
            let offered: BTreeSet<_> = open().filter(|it| has_fix(it)).map(name).collect();
            // Two lines may be at fault alike, and only one of them can be repaired.
            let mut without: Vec<_> = open().filter(|it| !has_fix(it)).map(name).collect();
            let repair =
                fix::repair(&pack, &mut pair, &Allowed::default()).unwrap_or_else(|error| panic!("{at}: {error}"));
            // What a repair was offered for is silent; what has come to light by it has none.
            let mut was_without = |it: &Finding| {
                let position = without.iter().position(|known| *known == name(it));
                position.map(|position| without.remove(position)).is_some()
            };
            let mut left = repair.after.findings.iter().filter(is_open);
            assert!(
                left.all(|it| !has_fix(it) && (was_without(it) || !offered.contains(&name(it)))),
                "{at}\n{}",
                lines(&repair.after)
            );
            let again =
                fix::repair(&pack, &mut pair, &Allowed::default()).unwrap_or_else(|error| panic!("{at}: {error}"));
            assert!(again.files.is_empty(), "{at}: {:?}", again.files.keys());
            if case.fixed.is_empty() {
                continue;
            }
            repaired_rules.insert(rule.clone());
            let changed: Vec<_> =
                repair.files.iter().map(|(path, file)| (path.to_string(), file.after.clone())).collect();
            let mut expected: Vec<_> =
                case.fixed.iter().map(|fixed| (fixed.path.clone(), fixed.text.clone().into_bytes())).collect();
            expected.sort();
            assert!(changed == expected, "{at}: {:?}", repair.files);
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
        "stale-version",
        "taken-version",
    ];
    assert_eq!(
        repaired_rules.iter().map(String::as_str).collect::<Vec<_>>(),
        with_a_fix,
        "each has a case with a repair"
    );
}

#[test]
fn every_rule_has_a_failing_and_a_silent_case() {
    let cases = cases();
    for built_in in BUILT_IN {
        let rules = Pack::load(built_in.pack_files(), None).expect("a good pack").rules;
        let known: BTreeSet<_> = rules.iter().map(|rule| rule.id.to_string()).collect();
        for rule in &known {
            let of_rule: Vec<_> =
                cases.iter().filter(|(pack, id, _)| pack.name == built_in.name && id == rule).collect();
            let of_rule: Vec<_> = of_rule.into_iter().flat_map(|(_, _, cases)| cases).collect();
            assert!(of_rule.iter().any(|case| case.findings.is_some()), "{}/{rule} has no failing case", built_in.name);
            assert!(of_rule.iter().any(|case| case.findings.is_none()), "{}/{rule} has no silent case", built_in.name);
        }
        for (_, id, _) in cases.iter().filter(|(pack, ..)| pack.name == built_in.name) {
            assert!(known.contains(id), "{}/{id}.md is about no rule", built_in.name);
        }
    }
}

/// The order of findings, and the findings, must not depend on threads.
#[test]
fn one_thread_and_many_agree() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let all = cases();
            let outcomes = all.iter().flat_map(|(built_in, _, cases)| cases.iter().map(move |case| (built_in, case)));
            let text = outcomes.map(|(built_in, case)| {
                let config =
                    case.config.as_ref().map(|text| pack::read_config(&Source::new(CONFIG_FILE, text.clone())));
                let config = config.transpose().expect("a good config");
                let pack = Pack::load(built_in.pack_files(), config.as_ref()).expect("a good pack");
                lines(&judge(&pack, &pair(case)))
            });
            text.collect::<String>()
        })
    };
    assert_eq!(run(1), run(8));
}

/// Built-in patterns are compiled when they are used: here it is made certain that they can be.
#[test]
fn built_in_packs_compile() {
    for built_in in BUILT_IN {
        let pack = Pack::load(built_in.pack_files(), None).expect("a good pack");
        pack.shape.compile().expect("good patterns");
        assert!(!pack.rules.is_empty());
    }
}
