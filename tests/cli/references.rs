//! Files beside the images that name them: what moves with a version, what is said of the others, what cannot be read.

use super::harness::{Repo, Run, Scratch};

/// An image, and a manifest that names it.
fn shop(scratch: &Scratch, config: &str) -> Repo {
    let repo = scratch.init("repo");
    repo.write(&[
        ("images/web/VERSION", "1.0\n"),
        ("images/web/Dockerfile", "FROM scratch\n"),
        ("deploy/web.yaml", "image: ghcr.io/acme/web:1.0\n"),
        ("imglint.toml", &format!("pack = \"generic\"\nshape.references.registries = [\"ghcr.io/acme\"]\n{config}\n")),
    ]);
    repo.commit("base");
    repo
}

fn read(repo: &Repo, path: &str) -> String {
    std::fs::read_to_string(repo.root.join(path)).expect("a file")
}

/// Whether the findings have these words.
#[track_caller]
fn finds(run: &Run, words: &str) {
    assert!(run.stdout.contains(words), "expected {words:?}\n{run}");
}

const FILES: &str = "[[shape.references.files]]\npaths = [\"deploy/**/*.yaml\"]\n";

#[test]
fn a_bump_moves_what_names_the_image() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, FILES);
    repo.imglint(&["bump", "web", "--base", "HEAD"]).is(0, &[]);
    assert_eq!(read(&repo, "images/web/VERSION"), "1.1\n");
    assert_eq!(read(&repo, "deploy/web.yaml"), "image: ghcr.io/acme/web:1.1\n");
}

#[test]
fn a_bump_says_what_follows_later() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, &format!("{FILES}follows = \"later\"\n"));
    let run = repo.imglint(&["bump", "web", "--base", "HEAD"]);
    finds(&run, "deploy/web.yaml still names web 1.0, which is now at 1.1");
    assert_eq!(read(&repo, "deploy/web.yaml"), "image: ghcr.io/acme/web:1.0\n");
}

/// An image that is deployed by a chart of its own: what moves in the chart is the chart's content.
#[test]
fn what_moves_in_the_directory_of_another_image_is_its_content() {
    let scratch = Scratch::new();
    let repo = shop(
        &scratch,
        "[[shape.references.files]]\npaths = [\"images/*/values.yaml\"]\n[shape.images]\nversion = [\"VERSION\", { file = \"Chart.yaml\", key = \"version\" }]\n\
         [shape.build]\ndockerfile = []",
    );
    repo.write(&[
        ("images/chart/Chart.yaml", "name: web\nversion: 2.0.0\n"),
        ("images/chart/values.yaml", "image: ghcr.io/acme/web:1.0\n"),
    ]);
    repo.commit("chart");
    repo.write(&[("images/web/Dockerfile", "FROM scratch\nLABEL a=b\n")]);
    repo.imglint(&["--fix", "--base", "HEAD"]).is(1, &[]);
    assert_eq!(read(&repo, "images/web/VERSION"), "1.1\n");
    assert_eq!(read(&repo, "images/chart/values.yaml"), "image: ghcr.io/acme/web:1.1\n");
    assert_eq!(read(&repo, "images/chart/Chart.yaml"), "name: web\nversion: 2.0.1\n");
}

/// Files that have nothing to do with a change are not even read: here one that cannot be.
#[test]
fn only_a_new_version_has_all_files_read() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, FILES);
    repo.write(&[("deploy/big.yaml", &"# much\n".repeat(200_000))]);
    repo.commit("big");
    repo.write(&[("deploy/web.yaml", "image: ghcr.io/acme/web:1.0\nmore: true\n")]);
    let run = repo.imglint(&["--base", "HEAD"]);
    run.is(0, &[]);
    assert!(!run.stdout.contains("big.yaml"), "{run}");
    repo.write(&[("images/web/VERSION", "1.1\n"), ("deploy/web.yaml", "image: ghcr.io/acme/web:1.1\n")]);
    let run = repo.imglint(&["--base", "HEAD"]);
    run.is(0, &["stale-reference"]);
    finds(&run, "cannot tell whether deploy/big.yaml names an image: it is larger than 1 MiB");
}

#[test]
fn a_file_that_is_named_and_cannot_be_read_is_an_error() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "[[shape.references.files]]\npaths = [\"deploy/big.yaml\", \"deploy/web.yaml\"]\n");
    repo.write(&[("deploy/big.yaml", &"# much\n".repeat(200_000))]);
    repo.commit("big");
    repo.write(&[("images/web/VERSION", "1.1\n")]);
    let run = repo.imglint(&["--base", "HEAD"]);
    run.is(2, &["stale-reference"]).says(&["the rule stale-reference failed: failed to read deploy/big.yaml"]);
}

#[test]
fn what_a_table_cannot_mean_is_refused() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "");
    let tables = [
        ("paths = []", "`paths` names no file"),
        ("paths = [\"a\"]\nimage = \"web\"", "`image` is about what a `pattern` or a `list` finds, and there is none"),
        (
            "paths = [\"a\"]\nranges = \"helm\"",
            "`ranges` is about what a `pattern` or a `list` finds, and there is none",
        ),
        ("paths = [\"a\"]\nlist = { key = \"a\" }\nranges = \"hell\"", "hell"),
        ("paths = [\"a\"]\nlist = { key = \"a\" }\nimage = \"web\"", "and this is a `list`"),
        ("paths = [\"a\"]\nlist = { key = \"a\" }\npattern = '(?<name>x)(?<version>x)'", "not both"),
        ("paths = [\"a\"]\nlist = { key = \"a..b\" }", "names with dots between them"),
        ("paths = [\"a\"]\nlist = { key = \"a\", name = \"b\", directory = \"c\" }", "by its `directory` or by `name`"),
        ("paths = [\"a\"]\nlist = { key = \"a\", prefix = \"b\" }", "no key holds one"),
        ("paths = [\"a\"]\nlist = { key = \"a\" }\nregistries = { b = \"\" }", "and the list has none"),
        ("paths = [\"a\"]\nlist = { kye = \"a\" }", "kye"),
        ("paths = [\"a\"]\npattern = '(?<version>x)'", "no `image` says which one is meant"),
        ("paths = [\"a\"]\npattern = '(?<name>x)'", "the pattern has no group `(?<version>…)`"),
        ("paths = [\"a\"]\npattern = '(?<name>x)(?<version>x)'\nimage = \"web\"", "not by both"),
        ("paths = [\"a\"]\npattern = '(?<name>x)(?<version>x)'\npinned = [\"b\"]", "and the pattern has none"),
        ("paths = [\"a\"]\npattern = '(?<name>x)(?<version>x'", "does not compile"),
        ("paths = [\"a\"]\nfollows = \"latter\"", "latter"),
        ("paths = [\"a\"]\ngrace-days = 3", "`grace-days` is for what follows later"),
        ("path = [\"a\"]", "path"),
    ];
    for (table, words) in tables {
        repo.write(&[("imglint.toml", &format!("pack = \"generic\"\n[[shape.references.files]]\n{table}\n"))]);
        repo.imglint(&["--all"]).fails(&[words]);
    }
}

/// Charts that pack each other by ranges, and one that names images by name and registry.
#[test]
fn lists_and_ranges_are_moved_where_that_is_meant() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let chart = |name: &str, version: &str| {
        format!("name: {name}\nversion: 1.0.0\ndependencies:\n- repository: file://../lib\n  version: {version}\n")
    };
    repo.write(&[
        ("charts/lib/Chart.yaml", "name: lib\nversion: 1.9.0\n"),
        ("charts/app/Chart.yaml", &chart("app", "1.9")),
        ("charts/web/Chart.yaml", &chart("web", "\">=1 <1.10\"")),
        ("images.json", "{\n\t\"images\": [\n\t\t{\"tag\": \"1.9.0\", \"repo\": \"ghcr.io/acme\", \"image\": \"lib\"}\n\t]\n}\n"),
        (
            "imglint.toml",
            "pack = \"helm\"\nshape.references.registries = [\"ghcr.io/acme\"]\n[[shape.references.files]]\n\
             paths = [\"**/Chart.yaml\"]\nlist = { key = \"dependencies\", directory = \"repository\", prefix = \"file://\" }\nranges = \"helm\"\n\
             [[shape.references.files]]\npaths = [\"images.json\"]\n\
             list = { key = \"images\", name = \"image\", version = \"tag\", registry = \"repo\" }\n",
        ),
    ]);
    repo.commit("base");
    let run = repo.imglint(&["--all"]);
    assert!(!run.stderr.contains("stands before no name"), "{run}");
    repo.write(&[("charts/lib/Chart.yaml", "name: lib\nversion: 1.10.0\n")]);
    let run = repo.imglint(&["--fix", "--base", "HEAD"]);
    run.is(1, &["stale-reference", "stale-reference"]);
    finds(&run, "charts/web/Chart.yaml names lib `>=1 <1.10`, but lib is at 1.10.0");
    finds(&run, "write a range here that 1.10.0 is in");
    assert!(read(&repo, "images.json").contains("{\"tag\": \"1.10.0\", \"repo\""));
    assert_eq!(read(&repo, "charts/app/Chart.yaml"), chart("app", "1.9"));
    repo.imglint(&["--unsafe-fixes", "--fix", "--base", "HEAD"]).is(1, &["stale-reference"]);
    // Without quotes, 1.10 would be the number 1.1 to YAML; and what is packed has changed.
    assert_eq!(read(&repo, "charts/app/Chart.yaml"), chart("app", "\"1.10\"").replace("1.0.0", "1.0.1"));
}

#[test]
fn a_table_without_effect_is_told() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "[[shape.references.files]]\npaths = [\"deploy/*.yaml\", \"deploi/*\"]\n");
    let run = repo.imglint(&["--all"]);
    run.is(0, &[]).says(&["references.files: `deploi/*` is no file of the repository"]);
    // The manifest names what no Dockerfile does.
    assert!(!run.stderr.contains("stands before no name"), "{run}");
}

#[test]
fn what_an_argument_cannot_be_is_refused() {
    let scratch = Scratch::new();
    let repo = shop(&scratch, "");
    let values = [
        ("\"bass\"", "`bass`"),
        ("{ fil = \"BASE\" }", "fil"),
        ("{ file = \"../BASE\" }", "below, without `.` and `..`"),
        ("{ file = \"*.env\" }", "this must be one file"),
        ("{ file = \"BASE\", key = \"a\" }", "keys are read in files that end with"),
        ("{ file = \"BASE\", pattern = \"x\" }", "the pattern has no group `(?<value>…)`"),
        ("3", "`base`, `registry`, `os-version`, or a table with `file`"),
    ];
    for (value, words) in values {
        repo.write(&[("imglint.toml", &format!("pack = \"generic\"\n[shape.build.arguments]\nBASE = {value}\n"))]);
        repo.imglint(&["--all"]).fails(&[words]);
    }
}

/// What a chart names is what it depends on, whatever the version: an image that changes concerns the chart, and what names that.
#[test]
fn a_chart_is_affected_by_the_image_that_it_names() {
    let scratch = Scratch::new();
    let config = "[shape.images]\nroots = [\"images\", \"charts\"]\nversion = [\"VERSION\", { file = \"Chart.yaml\", key = \"version\" }]\n\
                  [[shape.references.files]]\npaths = [\"charts/*/*.yaml\"]\n\
                  [[shape.references.files]]\npaths = [\"charts/*/Chart.yaml\"]\npattern = '- name: (?<name>\\S+)\\n +version: (?<version>\\S+)'\n";
    let repo = shop(&scratch, config);
    repo.write(&[
        ("charts/app/Chart.yaml", "name: app\nversion: 2.0.0\n"),
        ("charts/app/values.yaml", "self: ghcr.io/acme/app:2.0.0\nimage: ghcr.io/acme/web:1.0\n"),
        ("charts/all/Chart.yaml", "name: all\nversion: 3.0.0\ndependencies:\n  - name: app\n    version: 2.0.0\n"),
        ("charts/other/Chart.yaml", "name: other\nversion: 4.0.0\n"),
    ]);
    repo.commit("charts");
    repo.write(&[("images/web/Dockerfile", "FROM scratch\nLABEL a=b\n")]);
    let run = repo.imglint(&["affected", "--base", "HEAD"]);
    let expected = "0 web 1.0 in images/web\n    images/web/Dockerfile changed\n\
                    1 app 2.0.0 in charts/app\n    it names web 1.0 (charts/app/values.yaml:2)\n\
                    2 all 3.0.0 in charts/all\n    it names app 2.0.0 (charts/all/Chart.yaml:4)\n";
    assert_eq!(run.stdout, expected, "{run}");
    let run = repo.imglint(&["affected", "--base", "HEAD", "--format", "json"]);
    finds(&run, "\"kind\": \"named\"");
    // The repair goes the same way.
    repo.imglint(&["--fix", "--base", "HEAD", "--skip", "missing-dockerfile"]);
    assert_eq!(read(&repo, "images/web/VERSION"), "1.1\n");
    assert_eq!(read(&repo, "charts/app/values.yaml"), "self: ghcr.io/acme/app:2.0.1\nimage: ghcr.io/acme/web:1.1\n");
    assert_eq!(read(&repo, "charts/app/Chart.yaml"), "name: app\nversion: 2.0.1\n");
    assert_eq!(
        read(&repo, "charts/all/Chart.yaml"),
        "name: all\nversion: 3.0.1\ndependencies:\n  - name: app\n    version: 2.0.1\n"
    );
}

/// What is no content of an image concerns nobody by what it names: the root image has the whole repository around it.
#[test]
fn only_content_of_an_image_names_what_it_depends_on() {
    let scratch = Scratch::new();
    let config = "[shape.images]\nroot = { name = \"product\", content = [\"cmd/\"] }\n\
                  [[shape.references.files]]\npaths = [\"deploy/*.yaml\", \"cmd/*.yaml\"]\n";
    let repo = shop(&scratch, config);
    repo.write(&[("VERSION", "7.0\n"), ("Dockerfile", "FROM scratch\nCOPY cmd /cmd\n"), ("cmd/run", "x\n")]);
    repo.commit("product");
    repo.write(&[("images/web/Dockerfile", "FROM scratch\nLABEL a=b\n")]);
    let run = repo.imglint(&["affected", "--base", "HEAD", "--format", "matrix"]);
    assert_eq!(run.stdout, "[\"web\"]\n", "{run}");
    repo.write(&[("cmd/with.yaml", "ghcr.io/acme/web:1.0\n")]);
    repo.commit("named");
    repo.write(&[("images/web/Dockerfile", "FROM scratch\nLABEL a=c\n")]);
    let run = repo.imglint(&["affected", "--base", "HEAD", "--format", "matrix"]);
    assert_eq!(run.stdout, "[\"web\",\"product\"]\n", "{run}");
}
