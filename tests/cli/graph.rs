//! Who is built on whom, drawn.

use std::io::Write as _;
use std::process::{Command, Stdio};

use quick_xml::events::Event;
use serde_json::{Value, json};

use super::documentation::project;
use super::harness::{Repo, Scratch};

const CONFIG: &str = "pack = \"generic\"\nshape.references.registries = [\"ghcr.io/acme\"]\n";

/// base ← middle, by an older version; top takes files from middle; float names no version; lone is on its own.
fn shop(scratch: &Scratch) -> Repo {
    let repo = scratch.init("repo");
    repo.write(&[
        ("imglint.toml", CONFIG),
        ("images/base/VERSION", "1.1\n"),
        ("images/base/Dockerfile", "FROM alpine:3.20\n"),
        ("images/middle/VERSION", "2.0\n"),
        ("images/middle/Dockerfile", "FROM ghcr.io/acme/base:1.0\n"),
        ("images/top/VERSION", "3.0\n"),
        ("images/top/Dockerfile", "FROM alpine:3.20\nCOPY --from=ghcr.io/acme/middle:2.0 /a /a\n"),
        ("images/float/VERSION", "5.0\n"),
        ("images/float/Dockerfile", "FROM ghcr.io/acme/base:latest\n"),
        ("images/lone/VERSION", "4.0\n"),
        ("images/lone/Dockerfile", "FROM alpine:3.20\n"),
    ]);
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo
}

/// What is printed in a form, which must be understood by whoever reads it.
#[track_caller]
fn drawn(repo: &Repo, form: &str, options: &[&str]) -> String {
    let run = repo.imglint(&[&["graph", "--format", form], options].concat());
    assert_eq!(run.code, 0, "{run}");
    match form {
        "svg" => well_formed(&run.stdout),
        "dot" => taken_by_dot(&run.stdout),
        _ => {}
    }
    run.stdout
}

fn graph(repo: &Repo, options: &[&str]) -> Value {
    serde_json::from_str(&drawn(repo, "json", options)).expect("JSON")
}

#[track_caller]
fn well_formed(svg: &str) {
    let mut reader = quick_xml::Reader::from_str(svg);
    let mut depth = 0;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}\n{svg}")) {
            Event::Start(tag) => {
                assert!(tag.attributes().all(|attribute| attribute.is_ok()), "{svg}");
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            Event::GeneralRef(name) => assert!(["amp", "lt", "gt"].contains(&&*name.into_inner()), "{svg}"),
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{svg}");
}

/// Graphviz reads it, on machines that have it.
#[track_caller]
fn taken_by_dot(text: &str) {
    let dot =
        Command::new("dot").arg("-Tcanon").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut dot) = dot else { return eprintln!("left out: there is no `dot` here") };
    dot.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("dot reads");
    let output = dot.wait_with_output().expect("dot ends");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}\n{text}");
}

#[test]
fn images_edges_and_versions_are_told() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.imglint(&["graph"]).says(&["5 images, 3 edges, 1 stale"]);
    let found = graph(&repo, &[]);
    assert_eq!((&found["version"], &found["base"]), (&json!(1), &json!(null)));
    let image = json!({ "name": "middle", "directory": "images/middle", "published": "middle", "version": "2.0",
                        "level": 1, "touch": null });
    assert_eq!(found["images"][3], image);
    let edges = json!([
        { "parent": "images/base", "child": "images/float", "agreement": "unknown", "copy": false, "ambiguous": false,
          "references": [{ "path": "images/float/Dockerfile", "line": 1, "names": null }] },
        { "parent": "images/base", "child": "images/middle", "agreement": "stale", "copy": false, "ambiguous": false,
          "references": [{ "path": "images/middle/Dockerfile", "line": 1, "names": "1.0" }] },
        { "parent": "images/middle", "child": "images/top", "agreement": "current", "copy": true, "ambiguous": false,
          "references": [{ "path": "images/top/Dockerfile", "line": 2, "names": "2.0" }] },
    ]);
    assert_eq!(found["edges"], edges);
}

#[test]
fn each_form_marks_what_is_stale() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    let dot = drawn(&repo, "dot", &[]);
    assert!(dot.contains("\"images/base\" -> \"images/middle\" [label=\"1.0\", color="), "{dot}");
    assert!(dot.contains("\"images/middle\" -> \"images/top\" [style=dashed];"), "{dot}");
    let mermaid = drawn(&repo, "mermaid", &[]);
    let expected = "flowchart LR\n  n0[\"base<br/>1.1\"]\n  n1[\"float<br/>5.0\"]\n  n2[\"lone<br/>4.0\"]\n  \
                    n3[\"middle<br/>2.0\"]\n  n4[\"top<br/>3.0\"]\n  n0 -.-> n1\n  n0 -->|\"1.0\"| n3\n  n3 -.-> n4\n  \
                    linkStyle 1 stroke:#c62828,stroke-width:2px,color:#c62828\n";
    assert_eq!(mermaid, expected);
    let svg = drawn(&repo, "svg", &[]);
    assert!(svg.contains(">names base 1.0, which is 1.1</text>") && svg.contains("<path class=\"stale\""), "{svg}");
}

#[test]
fn one_image_is_drawn_with_all_it_is_tied_to() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    for (image, names) in [
        ("middle", json!(["base", "middle", "top"])),
        ("images/lone", json!(["lone"])),
        ("base", json!(["base", "float", "middle", "top"])),
    ] {
        let found = graph(&repo, &["--image", image]);
        let shown: Vec<&Value> =
            found["images"].as_array().expect("a list").iter().map(|image| &image["name"]).collect();
        assert_eq!(json!(shown), names);
    }
    repo.imglint(&["graph", "--image", "midle"]).fails(&["no such image: midle", "did you mean `middle`"]);
    repo.imglint(&["graph", "--format", "png"]).fails(&["invalid value 'png'", "svg"]);
}

#[test]
fn what_a_change_touches_is_marked() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.git(&["rm", "-q", "-r", "images/lone"]);
    repo.change(&[("images/middle/run.sh", "true\n")]);
    let run = repo.imglint(&["graph", "--base", "master"]);
    run.says(&["images/lone held an image, and holds none now", "4 images"]);
    let found = graph(&repo, &["--base", "master"]);
    let touches: Vec<&Value> =
        found["images"].as_array().expect("a list").iter().map(|image| &image["touch"]).collect();
    assert_eq!(json!(touches), json!([null, null, "changed", "follows"]));
    assert_eq!((&found["removed"], &found["base"]["source"]), (&json!(["images/lone"]), &json!("--base master")));
    assert!(drawn(&repo, "svg", &["--base", "master"]).contains("built on what the change touches"));
    assert!(drawn(&repo, "mermaid", &["--base", "master"]).ends_with("  class n3 follows\n"));
    assert!(drawn(&repo, "dot", &["--base", "master"]).contains("[label=\"middle\\n2.0\", fillcolor="));
    repo.imglint(&["graph", "--base", "nowhere"]).fails(&["nothing to show", "nowhere"]);
}

#[test]
fn what_could_not_be_looked_at_is_said() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[("images/lone/Dockerfile", "ARG BASE\nFROM $BASE\n"), ("images/top/Dockerfile", "FROM\n")]);
    let run = repo.imglint(&["graph"]);
    run.says(&[
        "images/lone may be built on an image of this tree, too: images/lone/Dockerfile:2: only the build knows",
    ]);
    run.says(&["images/top may be built on"]);
    assert_eq!(graph(&repo, &["--image", "base"])["untold"].as_array().map(Vec::len), Some(2));
}

#[test]
fn cycles_are_drawn_and_said() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[("images/base/Dockerfile", "FROM ghcr.io/acme/top:3.0\n")]);
    repo.imglint(&["graph"]).says(&["images/base ← images/top ← images/middle ← images/base"]);
    drawn(&repo, "dot", &[]);
    assert_eq!(drawn(&repo, "svg", &[]).matches("<path class=").count(), 4 + 3); // the edges, and the legend
    assert_eq!(graph(&repo, &[])["cycles"], json!([["images/base", "images/top", "images/middle"]]));
}

#[test]
fn names_speak_to_no_reader_of_a_picture() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    let name = "a\"]<script>&lt;#quot;\\N`x\u{202e}";
    repo.change(&[
        (&format!("images/{name}/VERSION"), "1.0\n"),
        (&format!("images/{name}/Dockerfile"), "FROM ghcr.io/acme/base:1.0\n"),
    ]);
    let svg = drawn(&repo, "svg", &[]);
    assert!(svg.contains("a\"]&lt;script&gt;&amp;lt;#quot;\\N`x\\u{202e}<"), "{svg}");
    let dot = drawn(&repo, "dot", &[]);
    assert!(dot.contains(r#"[label="a\"]<script>&amp;lt;#quot;\\N`x\\u{202e}\n1.0"]"#), "{dot}");
    let mermaid = drawn(&repo, "mermaid", &[]);
    assert!(
        mermaid.contains("n0[\"a#34;#93;#60;script#62;#38;lt#59;#35;quot#59;#92;N#96;x#92;u#123;202e#125;<br/>1.0\"]"),
        "{mermaid}"
    );
}

/// Mermaid reads labels anew once their codes are characters again: it makes a formula, an icon, the end of a line and a character
/// of these.
#[test]
fn names_speak_to_mermaid_behind_its_codes_neither() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    for name in ["$$x$$", "fa:fa-car", "a\\nb", "ﬂ°°38¶ß"] {
        repo.write(&[
            (&format!("images/{name}/VERSION"), "1.0\n"),
            (&format!("images/{name}/Dockerfile"), "FROM alpine\n"),
        ]);
    }
    repo.commit("names");
    let mermaid = drawn(&repo, "mermaid", &[]);
    for label in
        ["#36;#8203;#36;x#36;#8203;#36;", "fa:#8203;fa-car", "a#92;#8203;nb", "ﬂ#8203;#176;#176;38#182;#8203;ß"]
    {
        assert!(mermaid.contains(&format!("[\"{label}<br/>1.0\"]")), "{label}: {mermaid}");
    }
}

#[test]
fn an_edge_that_one_of_several_images_is_meant_by_is_no_certain_one() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[
        ("imglint.toml", &format!("{CONFIG}shape.images.roots = [\"images\", \"more\"]\n")),
        ("more/base/VERSION", "1.2\n"),
        ("more/base/Dockerfile", "FROM alpine:3.20\n"),
        ("images/sure/VERSION", "1.0\n"),
        ("images/sure/Dockerfile", "FROM ghcr.io/acme/base:1.2\n"),
    ]);
    let found = graph(&repo, &["--image", "middle"]);
    let edges = found["edges"].as_array().expect("a list");
    let of_middle: Vec<_> = edges.iter().filter(|edge| edge["child"] == "images/middle").collect();
    let told = |edge: &Value| (edge["parent"].clone(), edge["agreement"].clone(), edge["ambiguous"].clone());
    assert_eq!(told(of_middle[0]), (json!("images/base"), json!("stale"), json!(true)));
    assert_eq!(told(of_middle[1]), (json!("more/base"), json!("stale"), json!(true)));
    let found = graph(&repo, &["--image", "sure"]);
    let of_sure = found["edges"].as_array().expect("a list").iter().find(|edge| edge["child"] == "images/sure");
    let of_sure = told(of_sure.expect("an edge"));
    assert_eq!(of_sure, (json!("more/base"), json!("current"), json!(false)), "the version tells which one is meant");
    let svg = drawn(&repo, "svg", &["--image", "middle"]);
    for words in
        [">may name images/base 1.0, which is 1.1<", ">may name more/base 1.0, which is 1.2<", "middle may be built on"]
    {
        assert!(svg.contains(words), "{words}: {svg}");
    }
    assert!(svg.contains("<path class=\"unknown stale\""), "{svg}");
    assert!(drawn(&repo, "mermaid", &["--image", "middle"]).contains(" -.->|\"1.0\"| "));
    let dot = drawn(&repo, "dot", &["--image", "middle"]);
    assert!(dot.contains("\"more/base\" -> \"images/middle\" [label=\"1.0\", color=\"#c62828\", fontcolor=\"#c62828\", penwidth=2, style=dotted];"), "{dot}");
}

/// A stage that is chosen by a variable may be any of those that there are; a default says what is built unless somebody says otherwise.
#[test]
fn what_a_variable_may_stand_for_has_edges() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[
        ("images/flavours/VERSION", "1.0\n"),
        (
            "images/flavours/Dockerfile",
            "ARG FLAVOUR=a\nFROM ghcr.io/acme/base:1.1 AS flavour-a\nFROM ghcr.io/acme/lone:0.9 AS flavour-b\nFROM flavour-$FLAVOUR\n",
        ),
        ("images/default/VERSION", "1.0\n"),
        ("images/default/Dockerfile", "ARG V=4.0\nFROM ghcr.io/acme/lone:$V\n"),
        ("images/told/VERSION", "1.0\n"),
        ("images/told/Dockerfile", "ARG V\nFROM ghcr.io/acme/lone:$V\n"),
        ("images/draft/VERSION", "not yet\n"),
        ("images/draft/Dockerfile", "FROM alpine:3.20\n"),
        ("images/eager/VERSION", "1.0\n"),
        ("images/eager/Dockerfile", "FROM ghcr.io/acme/draft:1.0\n"),
    ]);
    let mut said = Vec::new();
    for edge in graph(&repo, &[])["edges"].as_array().expect("a list") {
        let name = |end: &str| edge[end].as_str().expect("a name").trim_start_matches("images/").to_owned();
        said.push(format!("{} {} {}", name("child"), name("parent"), edge["agreement"].as_str().expect("a word")));
    }
    let expected = [
        "default lone current",
        "eager draft unknown",
        "flavours base current",
        "flavours lone stale",
        "float base unknown",
        "middle base stale",
        "told lone unknown",
        "top middle current",
    ];
    assert_eq!(said, expected);
    assert!(drawn(&repo, "svg", &[]).contains(">no version</text>"));
    assert!(drawn(&repo, "mermaid", &[]).contains("[\"draft<br/>no version\"]"));
    assert!(drawn(&repo, "dot", &[]).contains("[label=\"draft\\nno version\"]"));
}

/// With the variable `BLESS`, it is drawn anew instead.
#[test]
fn the_picture_in_the_documentation_is_what_is_drawn() {
    let scratch = Scratch::new();
    let repo = shop(&scratch);
    repo.change(&[("images/middle/run.sh", "true\n")]);
    let drawn = drawn(&repo, "svg", &["--base", "master"]);
    let picture = project().join("docs/graph.svg");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&picture, &drawn).expect("a picture");
    }
    let shown = std::fs::read_to_string(&picture).expect("a picture");
    assert!(shown == drawn, "docs/graph.svg is out of date: run BLESS=1 cargo test --test cli graph");
}
