//! Every reader of what others write, each behind one function that takes any bytes at all. It must not panic, and what it says must
//! hold: its places lie in the text, and what is written in the place of a value is read back.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use imglint::config_file::Config;
use imglint::finding::Location;
use imglint::fix::{Allowed, FixError, repair};
use imglint::git::Trailer;
use imglint::inputs::{Jobs, Promoted};
use imglint::model::Model;
use imglint::pack::{self, BuiltIn, Pack, PackFiles};
use imglint::parse::baseimage::{self, Platform};
use imglint::parse::comments::differ_in_comments_alone;
use imglint::parse::dependencies::{DependencyList, Scalar};
use imglint::parse::dockerfile::{Given, Prefixed, Surroundings, Syntax, Word};
use imglint::parse::dockerignore::DockerIgnore;
use imglint::parse::gitattributes::{Conversion, GitAttributes};
use imglint::parse::go;
use imglint::parse::helmignore::HelmIgnore;
use imglint::parse::path_filter::PathFilters;
use imglint::parse::range::{Range, moved};
use imglint::parse::version::{self, Scheme, Version};
use imglint::parse::version_source::{Key, VersionForm, VersionSource};
use imglint::run::{self, Outcome};
use imglint::snapshot::{FileKind, Origin, Pair, Snapshot};
use imglint::text::{Span, Text};
use imglint::toml_source::Source;
use imglint::waiver::{self, Day};

/// A reader, by the name of its fuzz target and of the directory with its seeds.
pub struct Reader {
    /// The name.
    pub name: &'static str,
    /// Reads anything.
    pub read: fn(&[u8]),
}

/// All readers.
pub const READERS: [Reader; 21] = [
    Reader { name: "dockerfile", read: dockerfile },
    Reader { name: "dockerignore", read: dockerignore },
    Reader { name: "helmignore", read: helmignore },
    Reader { name: "gitattributes", read: gitattributes },
    Reader { name: "dependencies", read: dependencies },
    Reader { name: "version_key", read: version_key },
    Reader { name: "variants", read: variants },
    Reader { name: "version_file", read: version_file },
    Reader { name: "path_filter", read: path_filter },
    Reader { name: "range", read: range },
    Reader { name: "comments", read: comments },
    Reader { name: "go_source", read: go_source },
    Reader { name: "makefile", read: makefile },
    Reader { name: "baseimage", read: base_file },
    Reader { name: "waivers", read: waivers },
    Reader { name: "config", read: config },
    Reader { name: "pack", read: own_pack },
    Reader { name: "manifest", read: manifest },
    Reader { name: "promoted", read: promoted },
    Reader { name: "jobs", read: jobs },
    Reader { name: "tree", read: tree },
];

/// The bytes that a span of a text is must be there, and begin and end between characters.
fn check_span(text: &Text, span: &Span) {
    assert!(text.as_str().get(span.clone()).is_some(), "{span:?} is no place in {:?}", text.as_str());
}

fn check_location(location: &Location) {
    if let Some(text) = &location.text {
        check_span(text, &location.span);
    }
}

fn text_of(bytes: &[u8]) -> Arc<Text> {
    Arc::new(Text::new(bytes.to_vec()))
}

fn source_of(name: &str, bytes: &[u8]) -> Source {
    Source::new(name, &*String::from_utf8_lossy(bytes))
}

/// The text with something else in a place of it.
fn replaced(text: &Text, span: &Span, new: &str) -> Text {
    let bytes = text.bytes();
    Text::new([&bytes[..span.start], new.as_bytes(), &bytes[span.end..]].concat())
}

/// A Dockerfile, as builds for several platforms and build scripts read it.
pub fn dockerfile(bytes: &[u8]) {
    let text = text_of(bytes);
    let mut arguments = BTreeMap::new();
    arguments.insert("BASEIMAGE".to_owned(), Given::Unknown);
    arguments.insert("OS_VERSION".to_owned(), Given::Value("1809".to_owned()));
    for prefix in [None, Some(("CROSS_BUILD_", Prefixed::Kept)), Some(("CROSS_BUILD_", Prefixed::Dropped))] {
        let syntax = match Syntax::parse(&text, prefix) {
            Ok(syntax) => syntax,
            Err(error) => {
                check_span(&text, &error.span);
                continue;
            }
        };
        for target in ["linux/amd64", "linux/arm", "windows/amd64/1809"] {
            let target = Platform::parse(target).expect("a platform");
            let dockerfile = syntax.resolve(&Surroundings { target, arguments: arguments.clone() });
            for error in &dockerfile.errors {
                check_span(&text, &error.span);
            }
            for source in dockerfile.context_sources() {
                check_span(&text, &source.word.span);
            }
            for (number, stage) in dockerfile.stages.iter().enumerate() {
                assert!(stage.continues.is_none_or(|earlier| earlier < number));
                assert!(!dockerfile.chain(number).is_empty());
                check_span(&text, &stage.span);
                let words = [Some(&stage.image), stage.platform.as_ref(), stage.name.as_ref()];
                let words = words.into_iter().flatten().chain(stage.copied_from());
                words.for_each(|word: &Word| check_span(&text, &word.span));
                for instruction in &stage.instructions {
                    check_span(&text, &instruction.span);
                    let keyword = text.slice(&instruction.span);
                    assert!(!keyword.is_empty(), "an instruction has a keyword");
                }
            }
        }
    }
}

/// Paths that patterns are tried on.
const PATHS: [&str; 7] = ["a", "a/b", "a/b/c.md", "README.md", ".git/x", "é/ü", "[x]/*"];

/// `.dockerignore`.
pub fn dockerignore(bytes: &[u8]) {
    let text = text_of(bytes);
    match DockerIgnore::parse(&text) {
        Err(error) => check_span(&text, &error.span),
        Ok(file) => {
            let written: Vec<&str> = text.as_str().lines().take(8).collect();
            for path in PATHS.into_iter().chain(written) {
                if let Some(span) = file.leaves_out(path) {
                    check_span(&text, &span);
                }
                let _ = file.may_bring_back_below(path);
            }
        }
    }
}

/// `.helmignore`.
pub fn helmignore(bytes: &[u8]) {
    let text = text_of(bytes);
    match HelmIgnore::parse(&text) {
        Err(error) => check_span(&text, &error.span),
        Ok(file) => {
            for path in PATHS.into_iter().chain(text.as_str().lines().take(8)) {
                let _ = file.leaves_out(path);
            }
        }
    }
}

/// `.gitattributes`.
pub fn gitattributes(bytes: &[u8]) {
    let text = text_of(bytes);
    let Some(file) = GitAttributes::parse(&text) else { return };
    let written: Vec<&str> = text.as_str().lines().take(8).collect();
    for path in PATHS.into_iter().chain(written) {
        let mut conversion = Conversion::default();
        file.apply(path, &mut conversion);
        let same = conversion.differs::<()>(&conversion.clone(), || Ok(None));
        assert_eq!(same, Ok(false), "{path}: what git does is not what it does");
    }
}

/// `build/dependencies.yaml`. A version that can be replaced is the one that is replaced.
pub fn dependencies(bytes: &[u8]) {
    let text = text_of(bytes);
    let Ok(list) = DependencyList::parse(&text) else { return };
    for (number, entry) in list.entries.iter().enumerate() {
        check_span(&text, &entry.location);
        for reference in &entry.references {
            check_span(&text, &reference.location);
            let _ = (reference.regex(), reference.fits("a", "version: 1.0"));
            reference.unknown.iter().for_each(|key| check_span(&text, &key.span));
        }
        if let Some(Scalar { span, replaceable, .. }) = &entry.version {
            check_span(&text, span);
            let Some(place) = replaceable else { continue };
            check_span(&text, place);
            let after = replaced(&text, place, "9.9.1");
            let after = DependencyList::parse(&after).expect("what was a list is one");
            let version = after.entries[number].version.as_ref();
            assert_eq!(version.map(|version| version.value.as_str()), Some("9.9.1"), "{:?}", text.as_str());
        }
    }
    let line = ("build/x", "version: 1.0");
    let _ = list.tie(line, line);
}

/// A version under a key of YAML, JSON or TOML. What is written in its place is the version then.
pub fn version_key(bytes: &[u8]) {
    let text = text_of(bytes);
    for file in ["Chart.yaml", "package.json", "Cargo.toml"] {
        for path in ["version", "image.tag"] {
            let key = Key::new(file, path).expect("a key");
            let source = VersionSource::new(file.to_owned(), VersionForm::Key(key));
            let version = source.locate(&text);
            check_span(&text, &version.span);
            let _ = source.makes_image(&text);
            assert!(source.is_all_that_differs(&text, &text) || version.span.is_empty());
            if version.usable().is_none() {
                continue;
            }
            for new in ["9.10", "1.2.3-x", "7"] {
                let after = replaced(&text, &version.span, &version.spelled(new));
                let found = source.locate(&after);
                assert_eq!(found.value, new, "{file}: {:?} became {:?}", text.as_str(), after.as_str());
                assert!(source.is_all_that_differs(&text, &after), "{:?}", after.as_str());
            }
        }
    }
}

/// The versions of variants, and others in their places.
pub fn variants(bytes: &[u8]) {
    let text = text_of(bytes);
    let mut form = VersionForm::of_key("variants.yaml", "variants.*.IMAGE_VERSION").expect("a key");
    if let VersionForm::Variants(variants) = &mut form {
        variants.revision = Some("REVISION".to_owned());
        variants.directories = vec!["CONFIG".to_owned()];
    }
    let source = VersionSource::new("variants.yaml".to_owned(), form);
    let version = source.locate(&text);
    let _ = source.makes_image(&text);
    for variant in &version.variants {
        check_span(&text, &variant.version.span);
        let Some(usable) = variant.version.usable() else { continue };
        let next = variant.version.scheme.next(usable);
        for (span, new) in variant.replacements(&next).unwrap_or_default() {
            check_span(&text, &span);
            let after = source.locate(&replaced(&text, &span, &new));
            assert_eq!(after.variants.len(), version.variants.len(), "{:?}", text.as_str());
        }
    }
    let differing = source.variants().and_then(|variants| variants.differing(&text, &text));
    assert!(differing.is_none_or(|differing| differing.is_empty()));
}

/// VERSION, and what counts versions up.
pub fn version_file(bytes: &[u8]) {
    let text = text_of(bytes);
    let all: Vec<&str> = text.as_str().lines().collect();
    for scheme in [Scheme::Tag, Scheme::Semver] {
        let read = Version::parse(&text, scheme);
        check_span(&text, &read.span);
        for pair in all.windows(2) {
            let forth = scheme.order(pair[0], pair[1]);
            assert_eq!(scheme.order(pair[1], pair[0]), forth.map(std::cmp::Ordering::reverse), "{pair:?}");
        }
        let Some(usable) = read.usable().filter(|usable| scheme.is_version(usable)) else { continue };
        for next in [scheme.next(usable), version::next_revision(usable)] {
            assert_ne!(next, usable);
            assert_eq!(Version::parse(&replaced(&text, &read.span, &next), scheme).value, next);
        }
        assert!(scheme.is_version(&scheme.next(usable)) || usable.len() == 128, "{usable} is followed by no version");
    }
}

/// Go, and `go.mod`.
pub fn go_source(bytes: &[u8]) {
    let text = text_of(bytes);
    let found = go::imports(&text);
    assert!(found.imports.len() <= bytes.len());
    assert_eq!(go::code(&text).len(), text.as_str().len(), "every byte keeps its place");
    let _ = go::module(&text);
}

/// A Makefile.
pub fn makefile(bytes: &[u8]) {
    let text = text_of(bytes);
    for value in go::make_values(&text, "SRC_DIR") {
        check_span(&text, &value.span);
    }
}

/// Two states of a file with a line of signs between them: which one was first, does not matter.
pub fn comments(bytes: &[u8]) {
    let all = String::from_utf8_lossy(bytes);
    let (before, after) = all.split_once("\n====\n").unwrap_or((&all, ""));
    let (before, after) = (Text::from(before), Text::from(after));
    for path in ["Dockerfile", "a.yaml", "a.sh", "a.go", "Makefile", "a"] {
        let differ = differ_in_comments_alone(path, &before, &after);
        assert_eq!(differ, differ_in_comments_alone(path, &after, &before));
        // A word more is no comment, unless one is open.
        let more = Text::from(format!("{}\nword\n", before.as_str()).as_str());
        assert!(!differ_in_comments_alone(path, &before, &more) || matches!(path, "a.yaml" | "a.go"), "{path}");
    }
}

/// A workflow or a list of jobs, and a file of filters.
pub fn path_filter(bytes: &[u8]) {
    let text = text_of(bytes);
    for filters in [PathFilters::parse(&text), PathFilters::parse_filters(&text)].into_iter().flatten() {
        for entry in filters.lists.iter().flat_map(|list| &list.entries) {
            check_span(&text, &entry.span);
            entry.place();
            entry.spells("web");
            assert!(entry.error().is_none() || !entry.takes("images/web/VERSION"));
        }
    }
}

/// A range of versions, and what is written for another version.
pub fn range(bytes: &[u8]) {
    let text = text_of(bytes);
    let written = text.as_str();
    let range = Range::parse(written);
    for version in ["0.0.0", "1.2.3", "2.0.0-rc.1", written] {
        if let Some(moved) = moved(written, version) {
            assert!(range.is_some() && Range::parse(&moved).is_some_and(|moved| moved.has(version)), "{moved}");
        }
    }
}

/// BASEIMAGE.
pub fn base_file(bytes: &[u8]) {
    let text = text_of(bytes);
    for line in baseimage::parse(&text) {
        check_span(&text, &line.value_span);
        if let Some(platform) = Platform::parse(&line.key) {
            assert_eq!(Platform::parse(&platform.to_string()), Some(platform));
        }
        let _ = Platform::of_option(&line.key);
    }
}

/// Waivers, in trailers of commits and in comments of Dockerfiles.
pub fn waivers(bytes: &[u8]) {
    let text = text_of(bytes);
    for (span, line) in text.lines() {
        let value = line.split_once(':').map_or(line, |(_, value)| value).to_owned();
        let trailer = Trailer { source: "commit 0123456".to_owned(), message: Arc::clone(&text), span, value };
        let waiver = waiver::of_trailer(&trailer);
        check_location(&waiver.location);
        if let Some(day) = Day::parse(line) {
            assert_eq!(Day::parse(&day.to_string()), Some(day), "{line}");
        }
    }
    let files: [(&str, FileKind, &[u8]); 3] = [
        ("test/images/x/VERSION", FileKind::File, b"1.0\n"),
        ("test/images/x/BASEIMAGE", FileKind::File, b"linux/amd64=a\nwindows/amd64/1809=a\n"),
        ("test/images/x/Dockerfile", FileKind::File, bytes),
    ];
    let tree = Snapshot::in_memory(files);
    let model = Model::build(&tree, &kubernetes().shape, None, None).expect("in memory");
    for waiver in waiver::of_dockerfiles(&model) {
        check_location(&waiver.location);
    }
    judge(&Pair { base: None, tip: None, head: tree, origin: Origin::default() });
}

/// `imglint.toml`.
pub fn config(bytes: &[u8]) {
    let source = source_of("imglint.toml", bytes);
    match pack::read_config(&source) {
        Err(wrong) => assert!(!wrong.0.is_empty()),
        Ok(config) => load(&config),
    }
}

fn load(config: &Config) {
    for name in BuiltIn::names() {
        let files = BuiltIn::named(name).expect("a pack of the program").pack_files();
        if let Err(wrong) = Pack::load(files, Some(config)) {
            assert!(!wrong.0.is_empty());
        }
    }
}

/// A pack of one's own: `pack.toml`, and a rule behind a line of equals signs.
pub fn own_pack(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (description, rule) = text.split_once("\n====\n").unwrap_or((&text, ""));
    let sources = vec![Source::new("own/pack.toml", description), Source::new("own/some-rule.toml", rule)];
    let files = PackFiles::new("own".to_owned(), sources);
    let _ = files.extends();
    if let Ok(pack) = Pack::load(files, None) {
        let tree: [(&str, FileKind, &[u8]); 2] = [
            ("images/x/VERSION", FileKind::File, b"1.0\n"),
            ("images/x/Dockerfile", FileKind::File, b"FROM a\nRUN x\n"),
        ];
        let head = Snapshot::in_memory(tree);
        let pair = Pair { base: None, tip: None, head, origin: Origin::default() };
        check(&run::judge(&pack, &pair).expect("in memory"));
    }
}

/// `manifest.go`, and a constant in Go.
pub fn manifest(bytes: &[u8]) {
    let before: [(&str, FileKind, &[u8]); 5] = [
        ("test/images/agnhost/VERSION", FileKind::File, b"2.25\n"),
        ("test/images/agnhost/Dockerfile", FileKind::File, b"FROM a\n"),
        ("test/images/agnhost/agnhost.go", FileKind::File, b"package main\nvar c = C{\n\tVersion: \"2.25\",\n}\n"),
        (
            "test/utils/image/manifest.go",
            FileKind::File,
            b"package image\nfunc f() {\n\tconfigs[Agnhost] = Config{promoterE2eRegistry, \"agnhost\", \"2.25\"}\n}\n",
        ),
        ("build/dependencies.yaml", FileKind::File, b"dependencies: []\n"),
    ];
    let mut after = before;
    after[0].2 = b"2.26\n";
    after[2].2 = bytes;
    after[3].2 = bytes;
    let [base, head] = [before, after].map(Snapshot::in_memory);
    judge(&Pair { base: Some(base), tip: None, head, origin: Origin::default() });
}

/// `images.yaml` of a registry.
pub fn promoted(bytes: &[u8]) {
    if let Ok(promoted) = Promoted::read(&source_of("images.yaml", bytes)) {
        let _ = promoted.has("agnhost", "1.0");
    }
}

/// The jobs that build images.
pub fn jobs(bytes: &[u8]) {
    let jobs = Jobs::new(&source_of("jobs.yaml", bytes));
    let _ = jobs.has("post-kubernetes-push-e2e-agnhost-test-images", "agnhost");
}

fn kubernetes() -> &'static Pack {
    static PACK: OnceLock<Pack> = OnceLock::new();
    PACK.get_or_init(|| {
        let files = BuiltIn::named("kubernetes").expect("a pack of the program").pack_files();
        Pack::load(files, None).expect("a good pack")
    })
}

/// Judges by the rules of Kubernetes.
fn judge(pair: &Pair<'_>) -> Outcome {
    let outcome = run::judge(kubernetes(), pair).expect("in memory");
    check(&outcome);
    outcome
}

/// A rule that panicked is a failure among others: here it must not pass for one.
fn check(outcome: &Outcome) {
    for error in &outcome.errors {
        assert!(!error.to_string().contains("panicked"), "{error}");
    }
    for finding in &outcome.findings {
        check_location(&finding.diagnostic.location);
    }
}

/// Two trees, judged and repaired: a second repair changes nothing. The bytes are files, each behind a line that names it:
/// `=== PATH` of both trees, `<<< PATH` of the base, `>>> PATH` of the head.
pub fn tree(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut trees: [BTreeMap<&str, String>; 2] = [BTreeMap::new(), BTreeMap::new()];
    let mut open: Option<(&str, [bool; 2])> = None;
    for line in text.split_inclusive('\n') {
        let named = |mark: &str| line.strip_prefix(mark).map(str::trim).filter(|path| is_path(path));
        let sides = [("=== ", [true, true]), ("<<< ", [true, false]), (">>> ", [false, true])];
        if let Some(next) = sides.into_iter().find_map(|(mark, sides)| Some((named(mark)?, sides))) {
            open = Some(next);
        } else if let Some((path, sides)) = open {
            for (tree, _) in trees.iter_mut().zip(sides).filter(|(_, is_on_side)| *is_on_side) {
                tree.entry(path).or_default().push_str(line);
            }
        }
    }
    let [base, head] = trees
        .each_ref()
        .map(|tree| Snapshot::in_memory(tree.iter().map(|(path, text)| (*path, FileKind::File, text.as_bytes()))));
    let mut pair = Pair { base: Some(base), tip: None, head, origin: Origin::default() };
    judge(&pair);
    let all = Allowed::default();
    match repair(kubernetes(), &mut pair, &all) {
        Ok(_) => {
            let again = repair(kubernetes(), &mut pair, &all).expect("what was repaired can be judged");
            assert_eq!(again.changed().count(), 0, "a second repair changes nothing");
        }
        Err(FixError::Store(_)) => {}
        Err(restless @ FixError::Restless(_)) => panic!("{restless}"),
    }
}

/// Whether git could store a file under this path.
fn is_path(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git"))
}
