//! Properties of repairs, on repositories made at random with mistakes strewn in.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use imglint::finding::Fingerprint;
use imglint::fix::{Allowed, Repair, repair};
use imglint::pack::{BuiltIn, Pack, read_config};
use imglint::run::{Outcome, Rounds, judge};
use imglint::snapshot::{FileKind, Origin, Pair, Snapshot};
use imglint::toml_source::Source;
use proptest::prelude::*;

type Files = BTreeMap<String, String>;

/// A repository in which everything agrees.
#[derive(Debug, Clone)]
struct Plan {
    /// The version of each image, and the images before it that it is built on.
    images: Vec<(String, Vec<usize>)>,
    /// Diagnostics: a kind, and the image that it hits.
    diagnostics: Vec<(u8, usize)>,
    /// Images that the base branch bumped meanwhile.
    bumped: Vec<usize>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let version = prop_oneof!["[0-9]\\.[0-9]{1,2}", "1\\.[0-9]\\.[0-9]", "1\\.29-[1-9]", "5\\.0\\.[1-9]-alpine"];
    let image = (version, prop::collection::vec(any::<prop::sample::Index>(), 0..3));
    let diagnostics = prop::collection::vec((0..9_u8, any::<prop::sample::Index>()), 0..6);
    let bumped = prop::collection::vec(any::<prop::sample::Index>(), 0..2);
    (prop::collection::vec(image, 1..8), diagnostics, bumped).prop_map(|(images, diagnostics, bumped)| {
        let count = images.len();
        let images = images.into_iter().enumerate().map(|(number, (version, parents))| {
            let parents = parents.into_iter().filter(|_| number > 0).map(|index| index.index(number.max(1))).collect();
            (version, parents)
        });
        Plan {
            images: images.collect(),
            diagnostics: diagnostics.into_iter().map(|(kind, image)| (kind, image.index(count))).collect(),
            bumped: bumped.into_iter().map(|image| image.index(count)).collect(),
        }
    })
}

fn name(image: usize) -> String {
    if image == 0 { "agnhost".to_owned() } else { format!("group/image-{image}") }
}

fn path(image: usize, file: &str) -> String {
    format!("test/images/{}/{file}", name(image))
}

fn base(plan: &Plan) -> Files {
    let mut files = Files::new();
    let mut manifest = "package image\n\nfunc initImageConfigs() {\n".to_owned();
    for (image, (version, parents)) in plan.images.iter().enumerate() {
        let mut bases = "linux/amd64=alpine:3.12\n".to_owned();
        for (line, parent) in parents.iter().enumerate() {
            let (parent_name, parent_version) = (name(*parent), &plan.images[*parent].0);
            let os = ["1809", "1903", "1909"][line];
            let value = format!("REGISTRY/{parent_name}:{parent_version}-windows-amd64-{os}");
            writeln!(bases, "windows/amd64/{os}={value}").expect("a string");
        }
        files.insert(path(image, "VERSION"), format!("{version}\n"));
        files.insert(path(image, "BASEIMAGE"), bases);
        files.insert(path(image, "Dockerfile"), "ARG BASEIMAGE\n# a comment\nFROM $BASEIMAGE\n".to_owned());
        files.insert(path(image, "source"), "x\n".to_owned());
        let entry = format!("Config{{promoterE2eRegistry, \"{}\", \"{version}\"}}", name(image));
        writeln!(manifest, "\tconfigs[Image{image}] = {entry} // note").expect("a string");
    }
    let version = &plan.images[0].0;
    files.insert(
        path(0, "agnhost.go"),
        format!("package main\n\nvar c = cobra.Command{{\n\tVersion: \"{version}\", // here\n}}\n"),
    );
    files.insert("test/utils/image/manifest.go".to_owned(), manifest + "}\n");
    let dependencies = format!(
        "dependencies: # all\n  - name: \"agnhost\"\n    version: '{version}'   # first\n    refPaths:\n    \
         - path: test/images/agnhost/VERSION\n      match: \\d\n    - path: test/images/agnhost/agnhost.go\n      match: \"Version:\"\n"
    );
    files.insert("build/dependencies.yaml".to_owned(), dependencies);
    files
}

fn strew(files: &mut Files, diagnostics: &[(u8, usize)]) {
    for (diagnostic, image) in diagnostics {
        let mut edit = |file: String, change: &dyn Fn(&str) -> String| {
            if let Some(text) = files.get_mut(&file) {
                *text = change(text);
            }
        };
        match diagnostic {
            0 => edit(path(*image, "source"), &|_| "changed\n".to_owned()),
            1 => edit(path(*image, "VERSION"), &|_| "9.99\n".to_owned()),
            2 => edit(path(*image, "VERSION"), &|text| text.replace('\n', "\r\n")),
            3 => edit(path(*image, "VERSION"), &|text| format!("\u{feff} {}", text.trim_end())),
            4 => edit(path(*image, "BASEIMAGE"), &|text| text.replace("linux/amd64=", "amd64 =")),
            5 => edit(path(*image, "BASEIMAGE"), &|text| text.replace("-windows-amd64-1809", "-windows-amd64-1909")),
            6 => edit(path(*image, "BASEIMAGE"), &|text| text.trim_end().to_owned()),
            7 => edit("build/dependencies.yaml".to_owned(), &|text| text.replace("version: '", "version: '0")),
            _ => edit(path(0, "agnhost.go"), &|text| text.replace("Version: \"", "Version: \"0")),
        }
    }
}

fn snapshot(files: &Files) -> Snapshot<'static> {
    Snapshot::in_memory(files.iter().map(|(path, text)| (path.as_str(), FileKind::File, text.as_bytes())))
}

fn pair(plan: &Plan) -> Pair<'static> {
    let base = base(plan);
    let mut tip = base.clone();
    for image in &plan.bumped {
        tip.insert(path(*image, "VERSION"), format!("{}9\n", plan.images[*image].0));
    }
    let mut head = base.clone();
    strew(&mut head, &plan.diagnostics);
    let tip = (!plan.bumped.is_empty()).then(|| snapshot(&tip));
    Pair { base: Some(snapshot(&base)), tip, head: snapshot(&head), origin: Origin::default() }
}

fn pack() -> Pack {
    Pack::load(BuiltIn::named("kubernetes").expect("a pack").pack_files(), None).expect("a good pack")
}

fn allowed() -> Allowed {
    Allowed { risky: true, ..Allowed::default() }
}

fn repaired(pack: &Pack, pair: &mut Pair<'_>) -> Repair {
    let repair = repair(pack, pair, &allowed()).expect("it comes to rest");
    assert!(repair.after.errors.is_empty(), "{:?}", repair.after.errors);
    repair
}

/// The text without what repairs may write: versions, platforms, and blanks around them.
fn without_values(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).replace("linux/", "");
    let is_kept = |c: char| !(c.is_ascii_digit() || c.is_whitespace() || matches!(c, '.' | '-' | '\u{feff}'));
    text.replace("alpine", "").chars().filter(|c| is_kept(*c)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn repairs_are_complete_stable_and_confined(plan in plan()) {
        let pack = pack();
        let mut pair = pair(&plan);
        let repair = repaired(&pack, &mut pair);
        // Nothing that could be repaired is left, and nothing conflicts.
        let left: Vec<_> = repair.after.findings.iter().filter(|finding| finding.diagnostic.fix.is_some()).collect();
        prop_assert!(left.is_empty(), "{left:#?}");
        prop_assert!(repair.conflicts.is_empty(), "{:?}", repair.conflicts);
        // Nothing but values was touched.
        for (path, file) in &repair.files {
            prop_assert_eq!(without_values(&file.before), without_values(&file.after), "{}", path);
            prop_assert!(file.before == file.after || !file.done.is_empty());
        }
        // A second repair finds nothing to do.
        let again = repaired(&pack, &mut pair);
        prop_assert!(again.files.is_empty(), "{:#?}", again.files);
    }

    #[test]
    fn repairs_do_not_depend_on_threads(plan in plan()) {
        let pack = pack();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| repaired(&pack, &mut pair(&plan)).files)
        };
        prop_assert_eq!(run(1), run(4));
    }

    /// What the author bumped stays as it is, unless the version is taken.
    #[test]
    fn bumps_of_the_author_are_kept(plan in plan()) {
        let plan = Plan { bumped: Vec::new(), ..plan };
        let pack = pack();
        let mut pair = pair(&plan);
        let version = |pair: &Pair<'_>, image: usize| {
            let text = pair.head.text(&path(image, "VERSION")).expect("in memory").expect("a file").expect("text");
            text.as_str().trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned()
        };
        // An image may have been at this version before.
        let is_bumped = |image: &usize| version(&pair, *image) == "9.99" && plan.images[*image].0 != "9.99";
        let bumped: Vec<usize> = (0..plan.images.len()).filter(is_bumped).collect();
        repaired(&pack, &mut pair);
        for image in bumped {
            prop_assert_eq!(version(&pair, image), "9.99");
        }
    }
}

/// The files that changes are made of, each with what it may hold; an empty text is no file.
const MADE_OF: &[(&str, &[&str])] = &[
    ("images/db/VERSION", &["1.0\n", "1.1\n", " 1.1\n", "", "<<<<<<< ours\n1.1\n=======\n1.2\n>>>>>>> theirs\n"]),
    (
        "images/db/Dockerfile",
        &["FROM scratch\n", "FROM\n", "FROM scratch\nCOPY run /\n", "FROM $REGISTRY/web:1.0\n", ""],
    ),
    ("images/db/.dockerignore", &["", "run\n", "*.md\n"]),
    ("images/db/run", &["a\n", "b\n", ""]),
    ("images/web/VERSION", &["1.0\n", "1.1\n", ""]),
    ("images/web/Dockerfile", &["FROM $REGISTRY/db:1.0\n", "FROM scratch\n", ""]),
    ("images/web/rootfs/etc/run", &["a\n", "b\n", ""]),
    ("images/mail/VERSION", &["1.0\n", "2.0\n", ""]),
    ("images/mail/Dockerfile", &["FROM scratch\n"]),
    ("images/cache/VERSION", &["", "1.0\n"]),
    ("images/cache/Dockerfile", &["", "FROM scratch\n"]),
    (
        ".github/workflows/images.yaml",
        &[
            "on: {push: {paths: [\"images/db/**\", \"images/web/rootfs/**\", \"images/mail/**\"]}}\n",
            "on: {push: {paths: [\"images/*/run\", \"images/?ache/VERSION\", \"images/ma*/**\", \"images/web/**\"]}}\n",
            "on:\n  push:\n    paths: [images/mail/**]\njobs:\n  a:\n    steps:\n      - uses: dorny/paths-filter@v3\n        with:\n          filters: .github/filters.yaml\n",
            "on: {push: {paths: [\n",
            "on: push\n",
            "",
        ],
    ),
    (".github/filters.yaml", &["a: [images/db/run, images/web]\n", "a: 'images/{db,cache,mail}/**'\n", ""]),
    (".prow.yaml", &["", "a: [{run_if_changed: '^images/(db|mail)/'}, {run_if_changed: '^images/web/rootfs/etc/'}]\n"]),
    ("deploy/pod.yaml", &["image: reg.io/web:1.0\n", "image: reg.io/db:1.1\n", ""]),
];

/// The rules that find in a tree what they find in it, whatever is compared with it.
const OF_TREES: &[&str] = &[
    "cyclic-base",
    "ignored-copy",
    "malformed-dockerfile",
    "missing-dockerfile",
    "stale-path-filter",
    "unresolved-conflict",
];

/// A tree, and what a change makes of it: which of its texts each file holds.
fn change() -> impl Strategy<Value = [Files; 2]> {
    let texts = MADE_OF.iter().map(|(_, texts)| 0..texts.len()).collect::<Vec<_>>();
    let edits = prop::collection::vec((0..MADE_OF.len(), any::<prop::sample::Index>()), 1..3);
    (texts, edits).prop_map(|(before, edits)| {
        let mut after = before.clone();
        for (file, text) in edits {
            after[file] = text.index(MADE_OF[file].1.len());
        }
        [before, after].map(|held| {
            let files =
                MADE_OF.iter().zip(held).map(|((path, texts), text)| ((*path).to_owned(), texts[text].to_owned()));
            files.filter(|(_, text)| !text.is_empty()).collect()
        })
    })
}

fn generic() -> Pack {
    let text = "pack = \"generic\"\nshape.references.registries = [\"$REGISTRY\", \"reg.io\"]\nshape.references.files = [{ paths = [\"deploy\"] }]\n";
    let config = read_config(&Source::new("imglint.toml", text)).expect("a good configuration");
    Pack::load(BuiltIn::named("generic").expect("a pack").pack_files(), Some(&config)).expect("a good pack")
}

/// What a rule finds, as findings are told apart, and how often.
fn found(outcome: &Outcome, rule: &str) -> BTreeMap<Fingerprint, usize> {
    let mut found = BTreeMap::new();
    for finding in outcome.findings.iter().filter(|finding| &*finding.rule == rule) {
        *found.entry(finding.fingerprint()).or_default() += 1;
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A rule that is not asked, because a change touches nothing that it reads, would have found nothing.
    #[test]
    fn what_is_new_in_a_change_is_what_its_tree_has_and_the_one_before_had_not([before, after] in change()) {
        let pack = generic();
        let whole = |files: &Files| {
            let pair = Pair { base: None, tip: None, head: snapshot(files), origin: Origin::default() };
            judge(&pack, &pair).expect("in memory")
        };
        let pair =
            Pair { base: Some(snapshot(&before)), tip: None, head: snapshot(&after), origin: Origin::default() };
        let (said, now, then) = (judge(&pack, &pair).expect("in memory"), whole(&after), whole(&before));
        let new_alone = Rounds::of_older(Rounds::default()).judge(&pack, &pair).expect("in memory");
        prop_assert_eq!(format!("{:#?}", &new_alone.findings), format!("{:#?}", &said.findings));
        let are_conflicts_alone = [&now, &then].iter().any(|outcome| !found(outcome, "unresolved-conflict").is_empty());
        for rule in OF_TREES.iter().filter(|rule| !are_conflicts_alone || **rule == "unresolved-conflict") {
            let old = found(&then, rule);
            let mut new = found(&now, rule);
            for (fingerprint, count) in &mut new {
                *count = count.saturating_sub(old.get(fingerprint).copied().unwrap_or_default());
            }
            new.retain(|_, count| *count > 0);
            prop_assert_eq!(found(&said, rule), new, "{}: {:#?} became {:#?}", rule, &before, &after);
        }
    }
}

/// The generator must make what it is meant to: repositories in which nothing is wrong before mistakes are strewn in.
#[test]
fn a_plan_without_faults_is_clean() {
    let images = vec![("1.0".to_owned(), vec![]), ("2.5-alpine".to_owned(), vec![0]), ("3.0".to_owned(), vec![0, 1])];
    let plan = Plan { images, diagnostics: Vec::new(), bumped: vec![1] };
    let outcome = judge(&pack(), &pair(&plan)).expect("in memory");
    assert!(outcome.findings.is_empty(), "{:#?}", outcome.findings);
    let faulty = Plan { diagnostics: (0..9).map(|diagnostic| (diagnostic, 0)).collect(), ..plan };
    let outcome = judge(&pack(), &pair(&faulty)).expect("in memory");
    let rules: std::collections::BTreeSet<Arc<str>> =
        outcome.findings.iter().map(|finding| Arc::clone(&finding.rule)).collect();
    assert!(rules.len() > 4, "{rules:?}");
}
