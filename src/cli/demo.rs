//! `imglint demo`: a small repository of Kubernetes' shape, a change that breaks several rules, and what imglint says.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::Command;

use super::exit::{CLEAN, Error};
use super::terminal::print;
use crate::environment::Environment;
use crate::git::Scratch;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("failed to {doing}: {source}")]
#[diagnostic(help("the demo needs a temporary directory that it may write to; TMPDIR names another one"))]
struct DemoError {
    doing: &'static str,
    source: std::io::Error,
}

impl DemoError {
    fn doing(doing: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |source| Self { doing, source }
    }
}

/// The repository before the change.
const BEFORE: &[(&str, &str)] = &[
    ("test/images/image-util.sh", "#!/usr/bin/env bash\nwindows_os_versions=(1809 20H2)\n"),
    ("test/images/busybox/VERSION", "1.29-1\n"),
    ("test/images/busybox/BASEIMAGE", "windows/amd64/1809=mcr.microsoft.com/windows/nanoserver:1809\n"),
    ("test/images/busybox/Dockerfile_windows", "ARG BASEIMAGE\nFROM $BASEIMAGE\nADD hostname /bin/hostname.exe\n"),
    ("test/images/busybox/hostname.go", "package main\n\nfunc main() {}\n"),
    ("test/images/agnhost/VERSION", "2.25\n"),
    (
        "test/images/agnhost/BASEIMAGE",
        "linux/amd64=alpine:3.12\nwindows/amd64/1809=REGISTRY/busybox:1.29-1-windows-amd64-1809\n",
    ),
    (
        "test/images/agnhost/Dockerfile",
        "ARG BASEIMAGE\nFROM $BASEIMAGE\nADD agnhost agnhost\nENTRYPOINT [\"/agnhost\"]\n",
    ),
    (
        "test/images/agnhost/Dockerfile_windows",
        "ARG BASEIMAGE\nFROM --platform=linux/amd64 alpine:3.12 as prep\nRUN mkdir /uploads\n\nFROM $BASEIMAGE\n\
         COPY --from=prep /uploads /uploads\nADD agnhost /agnhost\nENTRYPOINT [\"/agnhost\"]\n",
    ),
    (
        "test/images/agnhost/agnhost.go",
        "package main\n\nfunc main() {\n\trootCmd := &cobra.Command{\n\t\tUse:     \"app\",\n\t\tVersion: \"2.25\",\n\t}\n}\n",
    ),
    ("test/images/kitten/VERSION", "1.4\n"),
    ("test/images/kitten/BASEIMAGE", "linux/amd64=REGISTRY/agnhost:2.25-linux-amd64\n"),
    ("test/images/kitten/Dockerfile", "ARG BASEIMAGE\nFROM $BASEIMAGE\nCOPY kitten.jpg kitten.jpg\n"),
    (
        "test/utils/image/manifest.go",
        "package image\n\nfunc initImageConfigs() {\n\tconfigs[Agnhost] = Config{promoterE2eRegistry, \"agnhost\", \"2.25\"}\n\
         \tconfigs[Kitten] = Config{promoterE2eRegistry, \"kitten\", \"1.4\"}\n}\n",
    ),
    (
        "build/dependencies.yaml",
        "dependencies:\n  - name: \"agnhost\"\n    version: \"2.25\"\n    refPaths:\n    - path: test/images/agnhost/VERSION\n      \
         match: \\d.\\d\n",
    ),
];

/// What the change writes.
const AFTER: &[(&str, &str)] = &[
    ("test/images/busybox/hostname.go", "package main\n\nfunc main() {\n\tprintln(\"hello\")\n}\n"),
    ("test/images/agnhost/VERSION", "2.26\n"),
    (
        "test/images/agnhost/Dockerfile_windows",
        "ARG BASEIMAGE\nFROM --platform=linux/amd64 alpine:3.12 as prep\nRUN mkdir /uploads\n\nFROM $BASEIMAGE\n\
         COPY --from=prep /uploads /uploads\nADD agnhost /agnhost\nRUN /agnhost --version\nENTRYPOINT [\"/agnhost\"]\n",
    ),
];

const STORY: &str = "\
A small repository of the shape of Kubernetes, in a temporary directory. It holds three images: busybox, agnhost, which is
built on busybox for Windows, and kitten, which is built on agnhost. On a branch somebody
  - changes a source of busybox,
  - adds a RUN to agnhost's Dockerfile_windows, and bumps agnhost from 2.25 to 2.26.
";

/// The other setting of when the manifest follows.
const OTHER: (&str, &str) =
    ("after-promotion.toml", "pack = \"kubernetes\"\nshape.manifest.follows = \"after-promotion\"\n");

const WHEN: &str = "
The manifest and kitten are asked for in the same change, as nothing in this repository tells of another policy. Where images are
promoted first, and the manifest follows in a change of its own, test/images/README.md says so, or imglint.toml with

    shape.manifest.follows = \"after-promotion\"

Then the same change gives
";

pub(super) fn run(environment: &Environment) -> Result<u8, Error> {
    let directory =
        tempfile::Builder::new().prefix("imglint-demo-").tempdir().map_err(DemoError::doing("make a directory"))?;
    let scratch = Scratch::new(directory.path())?;
    scratch.write(BEFORE)?;
    scratch.commit("Three images")?;
    scratch.branch("topic")?;
    scratch.write(AFTER)?;
    scratch.commit("Bump agnhost")?;

    print(STORY)?;
    show(&["--base", "main"], directory.path(), environment)?;
    print(WHEN)?;
    scratch.write(&[OTHER])?;
    let rules = ["--rule", "stale-manifest", "--rule", "stale-base"];
    show(&[&["--base", "main", "--config", OTHER.0], &rules[..]].concat(), directory.path(), environment)?;
    print("\nBack to the policy of this repository:\n")?;
    show(&["--base", "main", "--fix"], directory.path(), environment)?;
    show(&["explain", "windows-run"], directory.path(), environment)?;
    print("\nThe temporary directory is removed again. Now try `imglint` in a clone of your own.\n")?;
    directory.close().map_err(DemoError::doing("remove the temporary directory"))?;
    Ok(CLEAN)
}

/// Runs imglint in the small repository as a person would, outside of any CI, and shows the command.
fn show(arguments: &[&str], directory: &Path, environment: &Environment) -> Result<(), Error> {
    let is_plain = environment.get("NO_COLOR").is_some() || !std::io::stdout().is_terminal();
    let color = ["--color", if is_plain { "auto" } else { "always" }];
    let color = if arguments.first() == Some(&"explain") { &[][..] } else { &color };
    print(&format!("\n$ imglint {}\n", arguments.join(" ")))?;
    let program = std::env::current_exe().map_err(DemoError::doing("run imglint"))?;
    let mut command = Command::new(program);
    command.current_dir(directory).args(arguments).args(color).env_clear();
    for name in ["PATH", "TERM", "COLUMNS", "NO_COLOR", "SystemRoot", "TMPDIR"] {
        command.envs(environment.get(name).map(|value| (name, value)));
    }
    command.status().map_err(DemoError::doing("run imglint"))?;
    Ok(())
}
