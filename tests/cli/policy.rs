//! Configuration and packs: what is accepted, what is refused, and which of two policies judges a change.

use std::fmt::Write as _;

use super::harness::{KUBERNETES, Repo, Scratch};

const STALE: &[&str] = &["stale-version"];

fn config(repo: &Repo, text: &str) {
    repo.write(&[("imglint.toml", text)]);
}

#[test]
fn all_mistakes_are_reported_at_once_with_their_places() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    config(
        &repo,
        "pak = \"kubernetes\"\n[rules.stale-verison]\nlevel = \"note\"\n[rules.stale-manifest]\ndemnd = \"current\"\n\
         level = \"loud\"\n[rules.windows-run]\nexempt = [\"a[\"]\n",
    );
    repo.imglint(&[]).fails(&["imglint.toml:1: unknown key `pak`", "did you mean `pack`?"]);
    let text = std::fs::read_to_string(repo.root.join("imglint.toml")).expect("a file").replace("pak = ", "pack = ");
    config(&repo, &text);
    let run = repo.imglint(&[]);
    run.fails(&["imglint.toml:2: unknown rule `stale-verison`", "did you mean `stale-version`?"]);
    run.fails(&["imglint.toml:5: unknown key `demnd`", "did you mean `demand`?"]);
    run.fails(&["imglint.toml:6: unknown value `loud`"]);
    run.fails(&["imglint.toml:8: ", "unclosed character class"]);
    assert!(run.stderr.contains("───"), "the places are underlined\n{run}");
    config(&repo, "[rules.stale-version]\nlevl = \"off\"\n[rules.stale-base]\nlevel = \"of\"\n");
    let run = repo.imglint(&[]);
    run.fails(&["imglint.toml:2: unknown key `levl`", "did you mean `level`?", "imglint.toml:4: unknown value `of`"]);
    // A mistake in one part hides none in another.
    config(
        &repo,
        "pack = \"kubernetes\"\npak = 1\n[rules.stale-base]\nlevel = \"of\"\n[[waive]]\nrule = \"stale-version\"\n",
    );
    let run = repo.imglint(&[]);
    run.fails(&[
        "imglint.toml:2: unknown key `pak`",
        "imglint.toml:4: unknown value `of`",
        "imglint.toml:5: missing field",
    ]);
}

/// What underlines a place cannot count its columns in any number.
/// A key that is misspelt is one mistake, and not also one that is missing.
/// A rule of another pack is known to be one, and a rule is no switch.
#[test]
fn a_rule_of_another_pack_is_told_to_be_one() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    config(
        &repo,
        "pack = \"generic\"\nshape.images.roots = [\"test/images\"]\n[rules]\nwindows-run = \"off\"\n[[waive]]\nrule = \"stale-bas\"\nreason = \"x\"\n",
    );
    let run = repo.imglint(&["--all"]);
    run.fails(&[
        "it is a rule of the pack `kubernetes`, and this repository uses `generic`",
        "`[rules.stale-version]`, and `level = \"off\"` below it",
    ]);
    // Mistakes are told in the order of their lines.
    config(
        &repo,
        "pack = \"generic\"\n[[waive]]\nrule = \"x\"\nreason = \"x\"\n[rules.windows-run]\nlevel = \"off\"\n",
    );
    let run = repo.imglint(&["--all"]);
    let lines: Vec<&str> = run.stderr.lines().filter_map(|line| line.split("× imglint.toml:").nth(1)).collect();
    assert!(lines.len() == 2 && lines[0].starts_with("3: ") && lines[1].starts_with("5: "), "{run}");
    config(&repo, "pack = \"generic\"\nshape.images.roots = [\"test/images\"]\n");
    repo.imglint(&["--rule", "windows-run"]).fails(&["it is a rule of the pack `kubernetes`"]);
    assert!(repo.imglint(&["explain", "windows-run"]).stdout.contains("in the pack kubernetes"));
}

#[test]
fn a_check_of_an_unknown_kind_is_one_mistake() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(OWN);
    repo.write(&[(
        "ci/rules/forgotten-tag.toml",
        "level = \"error\"\nsummary = \"s\"\nwhy = \"w\"\n[check.version-bumb]\nforbid = 1\n",
    )]);
    config(&repo, "pack = \"ci/rules\"\n");
    let run = repo.imglint(&[]);
    run.fails(&["forgotten-tag.toml:4: ", "did you mean `version-bump`?"]);
    assert!(!run.stderr.contains("exactly 1"), "{run}");
}

#[test]
fn what_no_pattern_and_no_rule_can_mean_is_refused() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.write(&[("imglint.toml", "pack = \"kubernetes\"\nshape.images.ignore = [\"*.md\", \"!API.md\"]\n")]);
    repo.imglint(&[]).fails(&["imglint.toml", "no pattern can take back what another one says"]);
    repo.write(&[("imglint.toml", "pack = \"kubernetes\"\n[rules.stale-version]\nlvl = \"note\"\n")]);
    repo.imglint(&[]).fails(&["unknown key `lvl`", "level"]);
}

#[test]
fn a_mistake_far_to_the_right_is_named_without_its_line() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    for blank in [" ", "\t"] {
        config(&repo, &format!("pack = \"kubernetes\"\n[rules]{} x\n", blank.repeat(70_000)));
        let run = repo.imglint(&[]);
        run.fails(&["imglint.toml:2: "]);
        assert!(run.stderr.len() < 2_000, "{run}");
    }
}

#[test]
fn configuration_sets_levels_and_options() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    config(&repo, "[rules.stale-version]\nlevel = \"warning\"\n[rules.windows-workdir]\nexempt = [\"agn*\"]\n");
    let files = [
        ("test/images/agnhost/main.go", "package main // changed\n"),
        ("test/images/agnhost/Dockerfile_windows", "ARG BASEIMAGE\nFROM $BASEIMAGE\nWORKDIR /x\n"),
    ];
    repo.write(&files);
    repo.imglint(&[]).is(0, STALE).says(&["pack: kubernetes"]);
    repo.imglint(&["--level", "stale-version=error"]).is(1, STALE);
    config(&repo, "shape.images.roots = [\"nowhere\"]\n");
    repo.imglint(&[]).fails(&["there is no file below nowhere"]);
    config(&repo, "shape.images.roots = [\"/etc\"]\nshape.manifest.pattern = \"(\"\n");
    let run = repo.imglint(&[]);
    run.fails(&[
        "imglint.toml:1: this must be a directory of the repository",
        "imglint.toml:2: the pattern has no group",
    ]);
}

#[test]
fn a_repository_that_is_not_recognised_is_told_how_to_be() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[("containers/web/VERSION", "1.0\n"), ("containers/web/Dockerfile", "FROM scratch\n")]);
    repo.commit("base");
    repo.imglint(&[]).fails(&["does not recognise this repository", "pack = \"generic\"", "shape.images.roots"]);
    // What it says works.
    repo.change(&[("imglint.toml", "pack = \"generic\"\nshape.images.roots = [\"containers\"]\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.imglint(&[]).is(0, &[]);
    repo.write(&[("containers/web/Dockerfile", "FROM alpine\n")]);
    repo.imglint(&[]).is(1, STALE).says(&["pack: generic (imglint.toml)"]);
    config(&repo, "pack = \"genric\"\n");
    repo.imglint(&[]).fails(&["imglint.toml:1: ", "genric", "did you mean `generic`?"]);
}

const OWN: &[(&str, &str)] = &[
    (
        "ci/rules/pack.toml",
        "summary = \"ours\"\n[images]\nroots = [\"docker\"]\nversion = \"TAG\"\nignore = [\"*.txt\"]\n",
    ),
    (
        "ci/rules/forgotten-tag.toml",
        "level = \"error\"\nsummary = \"TAG did not change\"\nwhy = \"so\"\n[check.version-bump]\n",
    ),
];

#[test]
fn a_pack_of_ones_own_is_loaded_from_the_repository_or_from_a_directory() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(OWN);
    repo.write(&[("docker/web/TAG", "1.0\n"), ("docker/web/run.sh", "true\n"), ("docker/web/notes.txt", "x\n")]);
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    config(&repo, "pack = \"ci/rules\"\n[rules.forgotten-tag]\nlevel = \"error\"\n");
    repo.write(&[("docker/web/notes.txt", "y\n")]);
    repo.imglint(&[]).is(0, &[]).says(&["pack: ci/rules (imglint.toml)"]);
    repo.write(&[("docker/web/run.sh", "false\n")]);
    let run = repo.imglint(&[]);
    run.is(1, &["forgotten-tag"]);
    assert!(run.stdout.contains("web changed, but its TAG is still 1.0; set TAG to 1.1"), "{run}");
    let directory = repo.root.join("ci/rules");
    std::fs::remove_file(repo.root.join("imglint.toml")).expect("a file");
    repo.imglint(&["--pack", directory.to_str().expect("UTF-8")]).is(1, &["forgotten-tag"]);
    // What is wrong in it is underlined as in any other.
    repo.write(&[("ci/rules/other.toml", "level = \"error\"\nsumary = \"x\"\nwhy = \"so\"\n[check.version-bmp]\n")]);
    let run = repo.imglint(&["--pack", "ci/rules"]);
    run.fails(&["ci/rules/other.toml:2: unknown key `sumary`", "did you mean `summary`?"]);
    run.fails(&["ci/rules/other.toml:4: unknown value `version-bmp`", "did you mean `version-bump`?"]);
    repo.write(&[(
        "ci/rules/pack.toml",
        "summary = \"ours\"\n[images]\nversion = \"a/b\"\nroots = []\nignore = [\"[\"]\n",
    )]);
    let run = repo.imglint(&["--pack", "ci/rules"]);
    run.fails(&["ci/rules/pack.toml:3: ", "without a directory", "ci/rules/pack.toml:5: "]);
}

#[test]
fn a_pack_extends_another_one() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let described = |extends: &str| {
        format!("summary = \"ours\"\nextends = \"{extends}\"\n[images]\nroots = [\"docker\"]\nversion = \"TAG\"\n")
    };
    repo.write(&[("ci/rules/pack.toml", &described("../common")), ("ci/common/pack.toml", &described("generic"))]);
    // A rule of the program, with other words in the pack that is extended, and again others in the pack itself.
    let rule =
        |summary: &str| format!("level = \"error\"\nsummary = \"{summary}\"\nwhy = \"so\"\n[check.version-format]\n");
    repo.write(&[("ci/common/malformed-version.toml", &rule("common")), ("ci/common/shared.toml", &rule("shared"))]);
    repo.write(&[("ci/rules/malformed-version.toml", &rule("own"))]);
    repo.write(&[("docker/web/TAG", "1.0\n"), ("docker/web/Dockerfile", "FROM scratch\n")]);
    config(&repo, "pack = \"ci/rules\"\n[rules.shared]\nlevel = \"off\"\n");
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("docker/web/TAG", "a b\n")]);
    repo.imglint(&["--rule", "malformed-version"]).is(1, &["malformed-version"]);
    let rules = repo.imglint(&["rules"]);
    for words in ["own", "shared", "stale-version"] {
        assert!(rules.stdout.contains(words), "{words}: {rules}");
    }
    assert!(!rules.stdout.contains("common"), "{rules}");
    assert_eq!(repo.imglint(&["rules", "--pack", "ci/rules"]).stdout.lines().count(), rules.stdout.lines().count());

    // A change of what is extended is one of the policy.
    let base = repo.commit("so far");
    repo.change(&[("ci/common/shared.toml", &rule("other"))]);
    let run = repo.imglint_with(&["--base", &base], &[("CI", "true")]);
    run.says(&["this change edits the policy"]);

    for (extends, words) in [
        ("genric", &["ci/rules/pack.toml:2: unknown pack", "did you mean `generic`?"][..]),
        ("../rules", &["ci/rules/pack.toml:2: ci/rules extend each other"]),
        ("../../../elsewhere", &["ci/rules/pack.toml:2: unknown pack"]),
    ] {
        repo.write(&[("ci/rules/pack.toml", &described(extends))]);
        repo.imglint(&[]).fails(words);
        repo.imglint(&["--pack", "ci/rules"]).fails(words);
    }
    repo.write(&[("ci/rules/pack.toml", &described("../common")), ("ci/common/pack.toml", &described("../rules"))]);
    repo.imglint(&[]).fails(&["ci/common/pack.toml:2: ci/rules, ci/common extend each other"]);
}

/// The file that is extended gives a value, the one that extends it has the last word, and what is let pass is let pass by both.
#[test]
fn a_configuration_extends_another_one() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[
        ("docker/web/VERSION", "1.0\n"),
        ("docker/web/Dockerfile", "FROM scratch\n"),
        ("docker/app/VERSION", "1.0 \n"),
        ("docker/app/Dockerfile", "FROM scratch\n"),
        (
            "ci/org/base.toml",
            "pack = \"generic\"\nshape.images.roots = [\"nowhere\"]\nshape.images.ignore = [\"*.txt\"]\n\
             [rules.stale-version]\nlevel = \"note\"\n[[waive]]\nrule = \"malformed-version\"\nreason = \"old\"\n",
        ),
        ("ci/org/team.toml", "extends = \"base.toml\"\n[rules.malformed-dockerfile]\nlevel = \"off\"\n"),
        ("imglint.toml", "extends = \"ci/org/team.toml\"\nshape.images.roots = [\"docker\"]\n"),
    ]);
    repo.commit("base");
    repo.imglint(&["--all"]).is(0, &[]).says(&["pack: generic (imglint.toml)"]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("docker/web/Dockerfile", "FROM alpine:3.22\n"), ("docker/web/notes.txt", "x\n")]);
    repo.imglint(&[]).is(0, STALE);
    config(
        &repo,
        "extends = \"ci/org/team.toml\"\nshape.images.roots = [\"docker\"]\n[rules.stale-version]\nlevel = \"error\"\n",
    );
    repo.imglint(&[]).is(1, STALE);
    // In CI all of it is the base's.
    repo.commit("topic");
    let run = repo.imglint_with(&["--base", "master"], &[("CI", "true")]);
    run.is(0, STALE).says(&["this change edits the policy"]);
    repo.git(&["checkout", "-q", "master"]);
    repo.write(&[("ci/org/base.toml", "pack = \"generic\"\n[rules.stale-versio]\nlevel = \"note\"\n")]);
    repo.imglint(&["--all"]).fails(&["ci/org/base.toml:2: unknown rule `stale-versio`"]);
}

#[test]
fn what_a_configuration_cannot_extend_is_told() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[("images/web/VERSION", "1.0\n"), ("images/web/Dockerfile", "FROM scratch\n")]);
    repo.write(&[("a.toml", "extends = \"imglint.toml\"\n"), ("ci/b.toml", "extends = \"../../x.toml\"\n")]);
    config(&repo, "extends = \"c.toml\"\npack = \"generic\"\n");
    repo.imglint(&["--all"]).fails(&["imglint.toml:1: there is no file c.toml"]);
    config(&repo, "extends = \"a.toml\"\npack = \"generic\"\n");
    repo.imglint(&["--all"]).fails(&["a.toml:1: imglint.toml, a.toml extend each other"]);
    config(&repo, "extends = \"ci/b.toml\"\npack = \"generic\"\n");
    repo.imglint(&["--all"]).fails(&["ci/b.toml:1: this leads out of the repository", "--config FILE"]);
    config(&repo, "extends = \"/etc/hostname\"\npack = \"generic\"\n");
    repo.imglint(&["--all"]).fails(&["imglint.toml:1: this leads out of the repository"]);
    config(&repo, "pack = \"/etc\"\n");
    repo.imglint(&["--all"]).fails(&["imglint.toml:1: unknown pack, and no directory of this repository"]);
}

/// What a whole organisation has in common lies in a directory that the command line names.
#[test]
fn a_configuration_outside_names_what_lies_beside_it() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[("docker/web/TAG", "1.0\n"), ("docker/web/run.sh", "true\n")]);
    repo.commit("base");
    let org = scratch.at("org");
    let own: Vec<(String, &str)> =
        OWN.iter().map(|(path, text)| (path.replace("ci/rules", "packs/ours"), *text)).collect();
    for (path, text) in &own {
        org.write(&[(path, text)]);
    }
    org.write(&[
        (
            "packs/more/pack.toml",
            "summary = \"more\"\nextends = \"../ours\"\n[images]\nroots = [\"docker\"]\nversion = \"TAG\"\n",
        ),
        ("common.toml", "pack = \"packs/more\"\n"),
        ("teams/web.toml", "extends = \"../common.toml\"\n[rules.forgotten-tag]\nlevel = \"warning\"\n"),
    ]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("docker/web/run.sh", "false\n")]);
    let file = |path: &str| org.root.join(path).display().to_string();
    repo.imglint(&["--config", &file("common.toml")]).is(1, &["forgotten-tag"]);
    repo.imglint(&["--config", &file("teams/web.toml")]).is(0, &["forgotten-tag"]);
    repo.imglint(&["--pack", &file("packs/more")]).is(1, &["forgotten-tag"]);
    // Where nothing of the name lies beside it, the repository may have it.
    repo.write(OWN);
    org.write(&[("here.toml", "pack = \"ci/rules\"\n")]);
    repo.imglint(&["--config", &file("here.toml")]).is(1, &["forgotten-tag"]);
}

/// What a submodule pins holds, whatever is checked out in it.
#[test]
fn policy_may_lie_in_a_submodule() {
    let scratch = Scratch::new();
    let org = scratch.init("org");
    for (path, text) in OWN {
        org.write(&[(&path.replace("ci/rules", "ours"), text)]);
    }
    org.commit("rules");
    let repo = scratch.init("repo");
    repo.write(&[
        ("docker/web/TAG", "1.0\n"),
        ("docker/web/run.sh", "true\n"),
        ("imglint.toml", "pack = \"ci/org/ours\"\n"),
    ]);
    let from = org.root.display().to_string();
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &from, "ci/org"]);
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("docker/web/run.sh", "false\n")]);
    let commit = ["--head", "HEAD", "--base", "master"];
    repo.imglint(&commit).is(1, &["forgotten-tag"]);
    repo.imglint(&["--staged", "--base", "master"]).is(1, &["forgotten-tag"]);
    repo.write(&[(
        "ci/org/ours/forgotten-tag.toml",
        "level = \"off\"\nsummary = \"s\"\nwhy = \"w\"\n[check.version-bump]\n",
    )]);
    repo.imglint(&commit).is(1, &["forgotten-tag"]);
    std::fs::remove_dir_all(repo.root.join("ci/org")).expect("removed");
    repo.imglint(&commit).fails(&["policy lies in the submodule ci/org", "git submodule update --init 'ci/org'"]);
}

#[test]
fn in_ci_a_change_is_judged_by_the_policy_of_its_base() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("imglint.toml", "[rules.decreased-version]\nlevel = \"error\"\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[
        ("imglint.toml", "[rules.stale-version]\nlevel = \"off\"\n"),
        ("test/images/agnhost/main.go", "package main // changed\n"),
        ("test/images/kitten/VERSION", "1.3\n"),
    ]);
    let ci: &[(&str, &str)] = &[("CI", "true")];
    let run = repo.imglint_with(&["--base", "master"], ci);
    run.is(1, &["stale-version", "decreased-version"])
        .says(&["this change edits the policy; it is judged by the policy of the base"]);
    assert!(run.stdout.contains("error: kitten went down"), "{run}");
    // At home the author tries what the change would make of it.
    repo.imglint(&["--base", "master"]).is(0, &["decreased-version"]);
    // A configuration that will not work once it is merged is an error now.
    repo.change(&[("imglint.toml", "[rules.x]\n")]);
    repo.imglint_with(&["--base", "master"], ci).fails(&["imglint.toml:1: unknown rule `x`"]);
}

/// A base that is recognised has a policy, even if it does not write one down.
/// What the command line names is no part of either tree, and judges.
#[test]
fn a_configuration_of_the_command_line_is_not_called_the_base_s() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("imglint.toml", "pack = \"kubernetes\"\n"), ("test/images/agnhost/main.go", "package main // x\n")]);
    let ci = &[("CI", "true")];
    let run = repo.imglint_in(&repo.root, &["--base", "master"], ci);
    run.is(1, STALE).says(&["judged by the policy of the base"]);
    let run = repo.imglint_in(&repo.root, &["--base", "master", "--config", "imglint.toml"], ci);
    run.is(1, STALE);
    assert!(!run.stderr.contains("policy of the base"), "{run}");
}

#[test]
fn in_ci_a_first_configuration_cannot_relax_what_is_recognised() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.bad_topic();
    for text in ["[rules.stale-version]\nlevel = \"off\"\n", "shape.images.roots = [\"nope\"]\n", "pack = \"ci\"\n"] {
        repo.write(&[("ci/pack.toml", "summary = \"x\"\n[images]\nroots = [\"test/images\"]\nversion = \"X\"\n")]);
        repo.change(&[("imglint.toml", text)]);
        let run = repo.imglint_with(&["--base", "master"], &[("CI", "true")]);
        run.is(1, STALE).says(&["this change edits the policy"]);
    }
}

#[test]
fn in_ci_a_first_configuration_is_read_from_head() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[("images/web/VERSION", "1.0\n"), ("images/web/run.sh", "true\n")]);
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("imglint.toml", "pack = \"generic\"\n"), ("images/web/run.sh", "false\n")]);
    let run = repo.imglint_with(&["--base", "master"], &[("CI", "true")]);
    run.is(1, STALE).says(&["the base has no policy yet; this change is judged by its own"]);
}

#[test]
fn a_change_cannot_relax_its_own_pack() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(OWN);
    repo.write(&[
        ("docker/web/TAG", "1.0\n"),
        ("docker/web/run.sh", "true\n"),
        ("imglint.toml", "pack = \"ci/rules\"\n"),
    ]);
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    std::fs::remove_file(repo.root.join("ci/rules/forgotten-tag.toml")).expect("a file");
    repo.change(&[("docker/web/run.sh", "false\n")]);
    let run = repo.imglint_with(&["--base", "master"], &[("CI", "true")]);
    run.is(1, &["forgotten-tag"]).says(&["this change edits the policy"]);
    repo.imglint(&["--base", "master"]).fails(&["no rule is left to judge by"]);
}

/// A new rule and what it may not find yet come in one change.
#[test]
fn in_ci_a_rule_may_come_with_its_waivers() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(OWN);
    repo.write(&[("docker/web/TAG", "1.0\n"), ("imglint.toml", "pack = \"ci/rules\"\n")]);
    let waivers = ["expired", "malformed", "unused"].map(|kind| {
        let text = format!("level = \"error\"\nsummary = \"x\"\nwhy = \"so\"\n[check.waiver]\nforbid = \"{kind}\"\n");
        (format!("ci/rules/{kind}-waiver.toml"), text)
    });
    repo.write(&waivers.each_ref().map(|(path, text)| (&**path, &**text)));
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[
        (
            "ci/rules/no-run.toml",
            &OWN[1].1.replace("version-bump]", "stage]\nsystem = \"linux\"\ninstruction = \"RUN\""),
        ),
        ("docker/web/TAG", "1.1\n"),
        ("docker/web/Dockerfile", "FROM scratch\n# imglint: allow(no-run) for now\nRUN x\nRUN y\n"),
        ("imglint.toml", "pack = \"ci/rules\"\n[[waive]]\nrule = \"no-run\"\nreason = \"a test\"\n"),
    ]);
    repo.commit("change\n\nImglint-Waive: no-run(web) a test");
    repo.imglint(&["--base", "master"]).is(0, &[]);
    repo.imglint_with(&["--base", "master"], &[("CI", "true")]).is(0, &[]);
}

#[test]
fn an_image_directory_may_lie_at_the_root() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(KUBERNETES);
    config(&repo, "pack = \"generic\"\nshape.images.roots = [\".\"]\n");
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write(&[("test/images/kitten/new", "x\n")]);
    let run = repo.imglint(&[]);
    run.is(1, STALE);
    assert!(run.stdout.contains("test/images/kitten changed"), "{run}");
}

#[test]
fn files_from_outside_are_read_and_their_mistakes_placed() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[(
        "test/utils/image/manifest.go",
        "package image\n\nfunc f() {\n\tconfigs[Agnhost] = Config{promoterE2eRegistry, \"agnhost\", \"2.20\"}\n}\n",
    )]);
    let outside = scratch.at("outside");
    let path = |name: &str| outside.root.join(name).to_str().expect("UTF-8").to_owned();
    // As long as the real one, with comments, and several tags a digest.
    let mut images = "# promoted\n\n".to_owned();
    for number in 0..600 {
        let tags = format!("[\"1.{number}\", \"latest\"]");
        writeln!(images, "- name: image\n  dmap:\n    \"sha256:{number:064x}\": {tags}").expect("a string");
    }
    images += "- name: agnhost\n  dmap:\n    \"sha256:0\": [\"2.19\"]\n    \"sha256:1\": [\"2.20\", \"x\"] # two\n";
    outside.write(&[("images.yaml", &images), ("jobs.sh", "IMAGES=(\n  agnhost\n  kitten\n)\n")]);
    repo.imglint(&["--all", "--promoted", &path("images.yaml"), "--jobs", &path("jobs.sh")]).is(0, &[]);
    outside.write(&[("images.yaml", &images.replace("2.20", "2.21")), ("jobs.sh", "IMAGES=(\n  agnhost\n)\n")]);
    let run = repo.imglint(&["--all", "--promoted", &path("images.yaml"), "--jobs", &path("jobs.sh")]);
    run.is(1, &["missing-postsubmit", "unpromoted-manifest"]);
    outside.write(&[("images.yaml", "- dmap: {}\n")]);
    repo.imglint(&["--promoted", &path("images.yaml")]).fails(&["images.yaml:1: this entry has no name"]);
    outside.write(&[("images.yaml", "a: [\n")]);
    repo.imglint(&["--promoted", &path("images.yaml")]).fails(&["this is no YAML"]);
    repo.imglint(&["--jobs", &path("missing")]).fails(&["missing", "--jobs"]);
    outside.write(&[("repo_list.yaml", "x: y\n")]);
    repo.write(&[("test/utils/image/manifest.go", "package image\n\tGcRegistry string `yaml:\"gcRegistry\"`\n")]);
    let list = path("repo_list.yaml");
    repo.imglint_with(&[], &[("KUBE_TEST_REPO_LIST", &list)]).is(1, &["unknown-registry"]);
    repo.imglint_with(&[], &[("KUBE_TEST_REPO_LIST", "missing.yaml")]).fails(&["missing.yaml", "KUBE_TEST_REPO_LIST"]);
}

/// The complete example of docs/packs.md, from its own files.
#[test]
fn the_documented_pack_does_what_the_documentation_says() {
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    let documented = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/example-pack");
    for entry in std::fs::read_dir(documented).expect("a directory") {
        let entry = entry.expect("an entry");
        let text = std::fs::read_to_string(entry.path()).expect("a file");
        repo.write(&[(&*format!("ci/imglint/{}", entry.file_name().to_string_lossy()), &text)]);
    }
    repo.write(&[
        ("imglint.toml", "pack = \"ci/imglint\"\n"),
        ("docker/base.env", "# pinned\nBASE=registry.example.com/base:1.4\n"),
        ("docker/base/TAG", "1.4\n"),
        ("docker/web/TAG", "7\n"),
        ("docker/worker/TAG", "2.0.9\n"),
    ]);
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.imglint(&["--all"]).is(0, &[]);
    repo.write(&[("docker/base/TAG", "1.5\n")]);
    repo.imglint(&[]).is(1, &["stale-pin"]);
    repo.imglint(&["--fix"]).is(1, &[]);
    let read = |path: &str| std::fs::read_to_string(repo.root.join(path)).expect("a file");
    assert_eq!(read("docker/base.env"), "# pinned\nBASE=registry.example.com/base:1.5\n");
    let tags = ["docker/base/TAG", "docker/web/TAG", "docker/worker/TAG"].map(read);
    assert_eq!(tags, ["1.5\n", "8\n", "2.0.10\n"]);
    repo.imglint(&[]).is(0, &[]);
    let explained = repo.imglint(&["explain", "stale-pin"]);
    assert!(explained.stdout.contains("All images are built on the base that this file names."), "{explained}");
}

/// On disk a policy is read as carefully as in a commit: it is the change's.
#[cfg(unix)]
#[test]
fn a_policy_is_a_plain_file_of_the_repository() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path().join("outside.toml"), "secret_of_host = 1\n").expect("a file");
    let repo = scratch.kubernetes("repo");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let fails = |words: &[&str]| {
        for target in ["--worktree", "--staged"] {
            repo.git(&["add", "-A"]);
            let run = repo.imglint(&[target]);
            run.fails(words);
            assert!(!run.stderr.contains("secret"), "{run}");
        }
        repo.commit("policy");
        repo.imglint(&["--head", "HEAD"]).fails(words);
    };
    let file = repo.root.join("imglint.toml");
    for outside in ["../outside.toml", "/dev/zero", "gone"] {
        std::os::unix::fs::symlink(outside, &file).expect("a link");
        fails(&["imglint.toml", "symbolic link"]);
        std::fs::remove_file(&file).expect("a link");
    }
    repo.write(&[("imglint.toml", &"# x\n".repeat(300_000))]);
    fails(&["imglint.toml", "larger than 1 MiB"]);
    repo.write(&[("imglint.toml", "pack = \"policy\"\n")]);
    std::fs::create_dir(scratch.path().join("outside")).expect("a directory");
    std::fs::write(scratch.path().join("outside/pack.toml"), "secret_of_host = 1\n").expect("a file");
    std::os::unix::fs::symlink("../outside", repo.root.join("policy")).expect("a link");
    fails(&["policy"]);
}

/// When the manifest follows is said once, of the repository; the line about the pack says what holds and why.
#[test]
fn the_manifest_follows_as_the_base_says() {
    const README: &str = "test/images/README.md";
    const LATER: &str = "Then move the tests to the newly\npromoted image.\n";
    const ENTRY: &str = "\tconfigs[Kitten] = Config{promoterE2eRegistry, \"kitten\", \"1.4\"}\n";
    const RULE: &[&str] = &["--rule", "stale-manifest"];
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    repo.change(&[("test/utils/image/manifest.go", ENTRY)]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let bump = repo.change(&[("test/images/kitten/VERSION", "1.5\n")]);
    let run = repo.imglint(RULE);
    run.is(1, &["stale-manifest"])
        .says(&["; the manifest follows in the same change: nothing else is said in test/images/README.md"]);
    assert!(run.stdout.contains("shape.manifest.follows"), "{run}");
    // The change itself cannot choose.
    repo.change(&[(README, LATER)]);
    repo.imglint(RULE).is(1, &["stale-manifest"]);
    repo.git(&["checkout", "-q", "master"]);
    repo.change(&[(README, LATER)]);
    repo.git(&["checkout", "-q", "-b", "later"]);
    repo.git(&["cherry-pick", &bump]);
    let run = repo.imglint(RULE);
    run.is(0, &["stale-manifest"])
        .says(&["after promotion: test/images/README.md speaks of the \"newly promoted image\""]);
    assert!(run.stdout.contains("in a later change") && run.stdout.contains("shape.manifest.follows"), "{run}");
    config(&repo, "shape.manifest.follows = \"same-change\"\n");
    repo.imglint(RULE).is(1, &["stale-manifest"]).says(&["in the same change: shape.manifest.follows says so"]);
    config(&repo, "shape.manifest.follows = \"same-chnge\"\n");
    repo.imglint(&[]).fails(&["imglint.toml:1: ", "same-chnge", "same-change"]);
    config(&repo, "[rules.stale-manifest]\nwhen = \"after-promotion\"\n");
    repo.imglint(&[])
        .fails(&["imglint.toml:2: `when` is no option of a rule any more", "shape.manifest.follows = \"auto\""]);
}

/// What a tree says of it is read only where a rule may ask.
#[test]
fn when_the_manifest_follows_is_said_where_the_change_may_concern_it() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let follows = "; the manifest follows in the same change";
    repo.change(&[("test/utils/image/manifest.go", "package image\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.change(&[("test/images/kitten/run.sh", "echo\n")]);
    let run = repo.imglint(&["--head", "HEAD", "--rule", "stale-version"]);
    run.is(1, &["stale-version"]).says(&["pack: kubernetes (recognised by test/images/image-util.sh)"]);
    assert!(!run.stderr.contains(follows), "{run}");
    repo.imglint(&["--all", "--rule", "malformed-version"]).says(&[follows]);
    repo.change(&[("test/images/kitten/VERSION", "1.5\n")]);
    repo.imglint(&["--head", "HEAD", "--rule", "stale-version"]).is(0, &[]).says(&[follows]);
}
