//! The parts of a run, each by itself: the readers of files, what git lists, the model, every rule, and the whole judgement.
//!
//! `cargo bench --bench micro NAME` runs those whose name contains NAME.

mod generator;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use imglint::check::{Change as Judged, Context};
use imglint::environment::Environment;
use imglint::git::{Head, Repository as Opened};
use imglint::inputs::{Inputs, Promoted};
use imglint::model::{Model, content};
use imglint::pack::{BuiltIn, Pack};
use imglint::parse::dockerfile::{Dockerfile, Prefixed, Syntax};
use imglint::parse::version::{self, Scheme, Version};
use imglint::parse::{baseimage, go, yaml};
use imglint::run;
use imglint::snapshot::{FileKind, Origin, Pair, Snapshot};
use imglint::text::Text;
use imglint::toml_source::Source;

use generator::{Change, Kind, Plan, Repository, Shape, State};

/// Changes of each kind, as large as they are in life.
const CHANGES: [(&str, Change); 7] = [
    ("source", Change { images: 3, kind: Kind::Source }),
    ("program", Change { images: 3, kind: Kind::Program }),
    ("script", Change { images: 3, kind: Kind::Script }),
    ("dockerfile", Change { images: 3, kind: Kind::Dockerfile }),
    ("version", Change { images: 3, kind: Kind::Version }),
    ("complete", Change { images: 3, kind: Kind::Complete }),
    ("package", Change { images: 1, kind: Kind::Package }),
];

fn main() {
    divan::main();
}

/// The images alone.
static PLAN: LazyLock<Plan> = LazyLock::new(|| plan(50));

static PACK: LazyLock<Pack> = LazyLock::new(pack);

fn plan(images: usize) -> Plan {
    Plan::new(Shape { images, files: 0, ..Shape::default() })
}

fn pack() -> Pack {
    let built_in = BuiltIn::named("kubernetes").expect("it is built in");
    Pack::load(built_in.pack_files(), None).expect("a good pack")
}

fn files(of: impl FnOnce(&mut dyn FnMut(&str, &str))) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    of(&mut |path, text| {
        files.insert(path.to_owned(), text.to_owned());
    });
    files
}

fn snapshot(files: &BTreeMap<String, String>) -> Snapshot<'static> {
    Snapshot::in_memory(files.iter().map(|(path, text)| (path.as_str(), FileKind::File, text.as_bytes())))
}

/// What these changes, one after the other, are judged by.
fn pair(plan: &Plan, changes: &[Change]) -> Pair<'static> {
    let base = snapshot(&files(|put| plan.base(put)));
    let mut head = base.clone();
    let written = files(|put| changes.iter().for_each(|change| plan.change(*change, put)));
    for (path, text) in written {
        head.overlay(&path.into(), text.into_bytes());
    }
    Pair { base: Some(base), tip: None, head, origin: Origin::default() }
}

/// Reads all files of the generated tree whose name ends like this, over and over.
fn read<T>(bencher: Bencher<'_, '_>, ending: &str, read: impl Fn(&Arc<Text>) -> T + Sync) {
    let files = files(|put| PLAN.base(put));
    let texts: Vec<Arc<Text>> = files
        .iter()
        .filter(|(path, _)| path.ends_with(ending))
        .map(|(_, text)| Arc::new(text.as_str().into()))
        .collect();
    assert!(!texts.is_empty(), "no file ends with {ending}");
    let bytes: usize = texts.iter().map(|text| text.bytes().len()).sum();
    bencher.counter(ItemsCount::new(texts.len())).counter(BytesCount::new(bytes)).bench(|| {
        for text in &texts {
            black_box(read(black_box(text)));
        }
    });
}

#[divan::bench]
fn read_dockerfile(bencher: Bencher<'_, '_>) {
    read(bencher, "/Dockerfile", |text| Syntax::parse(text, Some(("CROSS_BUILD_", Prefixed::Kept))));
}

#[divan::bench]
fn read_windows_dockerfile(bencher: Bencher<'_, '_>) {
    read(bencher, "/Dockerfile_windows", Dockerfile::parse);
}

#[divan::bench]
fn read_bases(bencher: Bencher<'_, '_>) {
    read(bencher, "/BASEIMAGE", |text| baseimage::parse(text));
}

#[divan::bench]
fn read_version(bencher: Bencher<'_, '_>) {
    read(bencher, "/VERSION", |text| Version::parse(text, Scheme::Tag));
}

#[divan::bench]
fn next_version(bencher: Bencher<'_, '_>) {
    read(bencher, "/VERSION", |text| version::next(text.as_str()));
}

#[divan::bench]
fn read_go_imports(bencher: Bencher<'_, '_>) {
    read(bencher, ".go", |text| go::imports(text));
}

#[divan::bench]
fn read_makefile(bencher: Bencher<'_, '_>) {
    read(bencher, "/Makefile", |text| !go::make_values(text, "SRC_DIR").is_empty());
}

#[divan::bench]
fn read_yaml(bencher: Bencher<'_, '_>) {
    read(bencher, ".yaml", |text| yaml::Document::parse(text).is_ok());
}

#[divan::bench]
fn read_manifest(bencher: Bencher<'_, '_>) {
    let pattern = &PACK.shape.manifest.as_ref().expect("the pack has one").pattern;
    read(bencher, "/manifest.go", |text| pattern.matches(text).count());
}

#[divan::bench]
fn load_pack() -> Pack {
    pack()
}

/// The files on both sides of a change, as git has them.
#[divan::bench(args = ["commit", "index alone", "index", "working tree"])]
fn list_change(bencher: Bencher<'_, '_>, from: &str) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let plan = Plan::new(Shape { files: 3_000, ..Shape::default() });
    let repository = Repository::generate(directory.path(), &plan, &CHANGES).expect("git is installed");
    let (head, state) = match from {
        "commit" => (Head::Commit("source".to_owned()), None),
        "index alone" => (Head::Index, Some(State::IndexAlone)),
        "index" => (Head::Index, Some(State::Staged)),
        _ => (Head::Worktree, Some(State::Unstaged)),
    };
    if let Some(state) = state {
        repository.set("source", state).expect("git is installed");
    }
    let nothing = Environment::default();
    bencher.bench(|| {
        let opened = Opened::open(Some(&repository.root), &nothing).expect("a repository");
        let base = opened.find_base(&head, Some("main"), &nothing).expect("a base");
        opened.pair(&base, &head, &PACK.scope()).expect("two trees").head.entries().len()
    });
}

/// Contents that the snapshot keeps are read again in every round.
#[divan::bench(args = [50, 1_000])]
fn build_model(bencher: Bencher<'_, '_>, images: usize) {
    let files = files(|put| plan(images).base(put));
    bencher
        .counter(ItemsCount::new(images))
        .with_inputs(|| snapshot(&files))
        .bench_refs(|snapshot| Model::build(snapshot, &PACK.shape, None, None).expect("all is in memory"));
}

/// All but those about waivers, which judge findings.
fn rules() -> Vec<String> {
    let names = PACK.rules.iter().map(|rule| rule.id.to_string());
    names.filter(|name| !name.ends_with("-waiver")).collect()
}

/// One rule on a change, its model being there already.
#[divan::bench(args = rules())]
fn check_change(bencher: Bencher<'_, '_>, rule: &str) {
    let check = PACK.rule(rule).expect("a rule of the pack").check().expect("a check");
    // Of the images whose sources change some get a new version, and of those that get one some have nothing else new.
    let changes = [(100, Kind::Source), (70, Kind::Version)].map(|(images, kind)| Change { images, kind });
    let pair = pair(&plan(1_000), &changes);
    let build = |snapshot| Model::build(snapshot, &PACK.shape, None, None).expect("all is in memory");
    let (base, head) = (build(pair.base.as_ref().expect("there is one")), build(&pair.head));
    let touched = content::changed(&pair, &pair.changed(), &PACK.shape, &base, &head, None).expect("all is in memory");
    let change = Judged::new(&pair, &base, None, &head, &touched);
    let promoted = Promoted::read(&Source::new("images.yaml", "- name: agnhost\n")).expect("a list");
    let inputs = Inputs { promoted: Some(promoted.into()), ..Inputs::default() };
    let order = Ok(imglint::shape::ManifestOrder::default());
    let context = Context {
        shape: &PACK.shape,
        files: &pair.head,
        model: &head,
        inputs: &inputs,
        branch: None,
        change: Some(&change),
        order: &order,
    };
    bencher.bench(|| check.kind().run(&context).map(|diagnostics| diagnostics.len()));
}

/// All rules on a change, its files being in memory.
#[divan::bench(args = CHANGES.map(|(name, _)| name))]
fn judge_change(bencher: Bencher<'_, '_>, name: &str) {
    let change = CHANGES.iter().find(|(change, _)| *change == name).expect("one of them").1;
    let pair = pair(&PLAN, &[change]);
    let images = |outcome: &run::Outcome| -> std::collections::BTreeSet<String> {
        outcome.findings.iter().filter_map(|finding| finding.diagnostic.image.as_deref().map(str::to_owned)).collect()
    };
    let judge = || run::judge(&PACK, &pair).expect("all is in memory");
    // What is fast and wrong is not timed.
    let expected = PLAN.reported(change);
    assert!(images(&judge()).iter().eq(expected), "{:?}", images(&judge()));
    bencher.bench(judge);
}

/// All rules on a tree as a whole.
#[divan::bench(args = [50, 1_000])]
fn judge_whole(bencher: Bencher<'_, '_>, images: usize) {
    let head = snapshot(&files(|put| plan(images).base(put)));
    let pair = Pair { base: None, tip: None, head, origin: Origin::default() };
    bencher.counter(ItemsCount::new(images)).bench(|| run::judge(&PACK, &pair).expect("all is in memory"));
}
