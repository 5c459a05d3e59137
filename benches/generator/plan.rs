//! What every file of a generated repository holds, before and after a change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const ROOT: &str = "test/images";
const MODULE: &str = "k8s.io/kubernetes";
const WINDOWS: [&str; 3] = ["1809", "1903", "20H2"];
/// What docker calls the official images of an architecture.
const ARCHITECTURES: [(&str, &str); 5] =
    [("amd64", ""), ("arm", "arm32v6/"), ("arm64", "arm64v8/"), ("ppc64le", "ppc64le/"), ("s390x", "s390x/")];
/// Shared packages import each other in chains of this length.
const CHAIN: usize = 3;
/// With more entries the manifest would be larger than a control file may be.
const MAX_MANIFEST: usize = 10_000;
const FILES_A_DIRECTORY: usize = 12;

/// The size and the shape of a repository. Shares are in percent.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// From the same one comes the same repository, byte for byte.
    pub(crate) seed: u64,
    pub(crate) images: usize,
    /// All files; as many lie around the images as these leave over.
    pub(crate) files: usize,
    /// How many images stand on one another; with 1, none does.
    pub(crate) depth: usize,
    /// How many images stand on one.
    pub(crate) fan_out: usize,
    /// Images that are built for Windows too.
    pub(crate) windows: u64,
    /// Images that are built from sources in Go.
    pub(crate) go: u64,
    /// Of the images in Go, those that import a package from outside of their directory.
    pub(crate) sharing: u64,
    /// How many packages there are to share.
    pub(crate) packages: usize,
    /// Of the images without sources in Go, those whose Makefile names those of another image.
    pub(crate) borrowing: u64,
    /// How many images lie in one directory; all below the root of images if it is 0.
    pub(crate) group: usize,
    /// Commits on the base branch since the change left it.
    pub(crate) ahead: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            seed: 1,
            images: 50,
            files: 30_000,
            depth: 3,
            fan_out: 3,
            windows: 40,
            go: 60,
            sharing: 30,
            packages: 6,
            borrowing: 20,
            group: 0,
            ahead: 3,
        }
    }
}

/// What is changed in each of the images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A source; the new version is forgotten.
    Source,
    /// The same, of images whose sources are programs in Go.
    Program,
    /// The same, of all others: a script.
    Script,
    /// A Dockerfile, to which a RUN is added if it is one for Windows; the new version is forgotten.
    Dockerfile,
    /// The version; what follows from it is forgotten.
    Version,
    /// A source and all that follows from it.
    Complete,
    /// Not the images, but as many shared packages.
    Package,
}

/// A change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    /// How many images are changed, at most.
    pub(crate) images: usize,
    pub(crate) kind: Kind,
}

/// A repository, file by file.
pub(crate) struct Plan {
    pub(crate) shape: Shape,
    images: Vec<Image>,
}

struct Image {
    name: String,
    version: Version,
    parent: Option<usize>,
    is_windows: bool,
    has_go: bool,
    /// One of its stages is the first image's.
    has_helper: bool,
    /// The first of the shared packages that it imports.
    package: Option<usize>,
    /// The image whose sources its Makefile names.
    lender: Option<usize>,
}

/// A version whose last number is counted.
struct Version {
    stem: String,
    last: u64,
}

impl Version {
    fn text(&self, is_bumped: bool) -> String {
        format!("{}{}", self.stem, self.last + u64::from(is_bumped))
    }
}

impl Plan {
    pub(crate) fn new(shape: Shape) -> Self {
        let mut plan = Self { images: Vec::with_capacity(shape.images), shape };
        for index in 0..plan.shape.images {
            let image = plan.image(index);
            plan.images.push(image);
        }
        plan
    }

    fn random(&self, what: &str, index: usize) -> fastrand::Rng {
        // FNV-1a: neighbouring seeds must not give neighbouring numbers.
        let bytes = what.bytes().chain(self.shape.seed.to_le_bytes()).chain((index as u64).to_le_bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        fastrand::Rng::with_seed(hash)
    }

    fn image(&self, index: usize) -> Image {
        let shape = &self.shape;
        let mut random = self.random("image", index);
        let mut is = |share: u64| random.u64(0..100) < share;
        let (is_windows, has_go, is_sharing, is_borrowing) =
            (is(shape.windows), is(shape.go), is(shape.sharing), is(shape.borrowing));
        // The images that the pack knows by name.
        let special = match index {
            0 => Some(("busybox", "1.29-", 1)),
            1 => Some(("agnhost", "2.", 25)),
            _ => None,
        };
        let width = shape.images.max(10).ilog10() as usize + 1;
        let group = index.checked_div(shape.group).map(|group| format!("group-{group:03}/")).unwrap_or_default();
        let name = special.map_or_else(|| format!("{group}image-{index:0width$}"), |(name, ..)| name.to_owned());
        let version = special.map_or_else(
            || Version { stem: format!("{}.", random.u64(1..4)), last: random.u64(0..40) },
            |(_, stem, last)| Version { stem: stem.to_owned(), last },
        );
        let parent = self.parent(index);
        // New versions of Windows come to the first image first, so it must have them all.
        let is_windows = if index == 0 { shape.windows > 0 } else { is_windows };
        let has_go = has_go || index == 1;
        let lender = (0..index).rev().find(|&lender| self.images[lender].has_go).filter(|_| !has_go && is_borrowing);
        Image {
            name,
            version,
            parent,
            is_windows,
            has_go,
            has_helper: is_windows && index % 16 == 5,
            package: (has_go && is_sharing && shape.packages > 0).then(|| random.usize(0..shape.packages)),
            lender,
        }
    }

    /// Trees of the wanted depth stand side by side, each filled level by level.
    fn parent(&self, index: usize) -> Option<usize> {
        let Shape { depth, fan_out, images, .. } = self.shape;
        let (mut size, mut level) = (0usize, 1usize);
        for _ in 0..depth.max(1) {
            size = size.saturating_add(level).min(images.max(1));
            level = level.saturating_mul(fan_out.max(1));
        }
        let location = index % size;
        (location > 0).then(|| index - location + (location - 1) / fan_out.max(1))
    }

    /// Whether its bases stand in a file of their own; a few images without parents do without.
    fn has_base(&self, index: usize) -> bool {
        let image = &self.images[index];
        image.parent.is_some() || image.is_windows || index % 5 != 2
    }

    /// All files of the base.
    pub(crate) fn base(&self, put: &mut dyn FnMut(&str, &str)) {
        let mut count = 0;
        let mut counted = |path: &str, text: &str| {
            count += 1;
            put(path, text);
        };
        let nothing = BTreeSet::new();
        for index in 0..self.images.len() {
            self.files_of(index, None, &mut counted);
        }
        for package in 0..self.shape.packages {
            let text = self.package(package, false);
            counted(&package_path(package), &text);
        }
        let script = format!("#!/usr/bin/env bash\n\nwindows_os_versions=({})\n", WINDOWS.join(" "));
        counted(&format!("{ROOT}/image-util.sh"), &script);
        counted("test/utils/image/manifest.go", &self.manifest(&nothing));
        counted("build/dependencies.yaml", &self.dependencies());
        counted("go.mod", &format!("module {MODULE}\n\ngo 1.15\n"));
        for index in 0..self.shape.files.saturating_sub(count) {
            put(&self.outside_path(index), &self.outside(index));
        }
    }

    /// The files that a change writes.
    pub(crate) fn change(&self, change: Change, put: &mut dyn FnMut(&str, &str)) {
        if change.kind == Kind::Package {
            for package in spread(change.images, self.shape.packages) {
                put(&package_path(package), &self.package(package, true));
            }
            return;
        }
        let changed = self.changed(change);
        for &index in &changed {
            let mut before = BTreeMap::new();
            self.files_of(index, None, &mut |path, text| {
                before.insert(path.to_owned(), text.to_owned());
            });
            self.files_of(index, Some(change.kind), &mut |path, text| {
                if before.get(path).is_none_or(|before| before != text) {
                    put(path, text);
                }
            });
        }
        if change.kind == Kind::Complete {
            put("test/utils/image/manifest.go", &self.manifest(&changed));
        }
    }

    /// The images that a change touches: spread over all that it may touch.
    fn changed(&self, change: Change) -> BTreeSet<usize> {
        let mut candidates: Vec<usize> = (0..self.images.len()).collect();
        if change.kind == Kind::Complete {
            // Nothing follows for other images from a change of one on which none stands, and which lends none its sources.
            let needed: BTreeSet<usize> =
                self.images.iter().flat_map(|image| [image.parent, image.lender]).flatten().collect();
            candidates.retain(|index| *index > 1 && !needed.contains(index));
        }
        if matches!(change.kind, Kind::Program | Kind::Script) {
            candidates.retain(|index| self.images[*index].has_go == (change.kind == Kind::Program));
        }
        spread(change.images, candidates.len()).map(|location| candidates[location]).collect()
    }

    /// The names of the images that findings must name after a change: these, all of them, and no others.
    pub(crate) fn reported(&self, change: Change) -> BTreeSet<&str> {
        let changed = if change.kind == Kind::Package { BTreeSet::new() } else { self.changed(change) };
        let packages: BTreeSet<usize> = spread(change.images, self.shape.packages).collect();
        let imports = |image: &Image| {
            let first = image.package.or_else(|| self.images[image.lender?].package);
            first.is_some_and(|first| chain(first, self.shape.packages).any(|package| packages.contains(&package)))
        };
        let is_reported = |(index, image): &(usize, &Image)| match change.kind {
            Kind::Source | Kind::Program | Kind::Script => {
                let is_lent = image.lender.is_some_and(|lender| changed.contains(&lender));
                changed.contains(index) || is_lent
            }
            Kind::Dockerfile => changed.contains(index),
            Kind::Version => {
                let is_stale = image.parent.is_some_and(|parent| changed.contains(&parent));
                let has_stale_helper = image.has_helper && changed.contains(&0);
                (changed.contains(index) && in_manifest(*index)) || is_stale || has_stale_helper
            }
            Kind::Complete => false,
            Kind::Package => imports(image),
        };
        self.images.iter().enumerate().filter(is_reported).map(|(_, image)| image.name.as_str()).collect()
    }

    /// The files of an image, as a change of some kind leaves them.
    fn files_of(&self, index: usize, change: Option<Kind>, put: &mut dyn FnMut(&str, &str)) {
        let image = &self.images[index];
        let is_source = matches!(change, Some(Kind::Source | Kind::Program | Kind::Script | Kind::Complete));
        let is_bumped = matches!(change, Some(Kind::Version | Kind::Complete));
        let is_dockerfile = change == Some(Kind::Dockerfile);
        let directory = format!("{ROOT}/{}", image.name);
        let program = image.name.rsplit('/').next().unwrap_or_default();
        let mut put = |name: &str, text: &str| put(&format!("{directory}/{name}"), text);
        put("VERSION", &(image.version.text(is_bumped) + "\n"));
        if self.has_base(index) {
            put("BASEIMAGE", &self.bases(image));
        }
        put("Dockerfile", &self.dockerfile(index, program, is_dockerfile && !image.is_windows));
        if image.is_windows {
            put("Dockerfile_windows", &self.windows_dockerfile(image, program, is_dockerfile));
        }
        put("OWNERS", "approvers:\n  - sig-testing\n");
        put("README.md", &format!("# {program}\n\n{}\n", words(&mut self.random("readme", index), 40)));
        if image.has_go {
            self.go_files(index, program, is_source, is_bumped, &mut put);
        } else {
            let note = if is_source { "changed" } else { "starts what the image is for" };
            put("run.sh", &format!("#!/bin/sh\n# {note}\nset -e\nexec /{program} \"$@\"\n"));
        }
        let sources = image.lender.map(|lender| &self.images[lender].name);
        if let Some(sources) = sources {
            put("Makefile", &format!("SRC_DIR = {sources}\nexport\n\nbin:\n\t../image-util.sh bin $(SRCS)\n"));
        } else if image.has_go {
            put("Makefile", &format!("SRCS={program}\nexport\n\nbin:\n\t../image-util.sh bin $(SRCS)\n"));
        }
    }

    fn go_files(
        &self,
        index: usize,
        program: &str,
        is_changed: bool,
        is_bumped: bool,
        put: &mut dyn FnMut(&str, &str),
    ) {
        let image = &self.images[index];
        let mut random = self.random("go", index);
        // As in Kubernetes, one image has many subcommands.
        let commands = if index == 1 { 20 } else { random.usize(0..2) };
        let mut imports = vec!["fmt".to_owned(), "os".to_owned(), "github.com/spf13/cobra".to_owned()];
        imports.extend(image.package.map(package_import));
        let command = |command| format!("{MODULE}/{ROOT}/{}/command{command}", image.name);
        imports.extend((0..commands).map(command));
        let note = if is_changed { "\t// changed\n" } else { "" };
        // The pack knows this constant of one image.
        let version = image.version.text(is_bumped);
        let version = if index == 1 { format!("\t\tVersion: \"{version}\",\n") } else { String::new() };
        let body = format!(
            "func main() {{\n{note}\troot := &cobra.Command{{\n\t\tUse:     \"app\",\n{version}\t}}\n\
             \tfmt.Fprintln(os.Stderr, root)\n}}\n"
        );
        put(&format!("{program}.go"), &go("main", &imports, &body, &mut random));
        put(&format!("{program}_test.go"), &go("main", &["testing".to_owned()], "", &mut random));
        for number in 0..commands {
            let text = go("command", &["net/http".to_owned()], "", &mut random);
            put(&format!("command{number}/command.go"), &text);
        }
    }

    fn package(&self, package: usize, is_changed: bool) -> String {
        let next = chain(package, self.shape.packages).nth(1);
        let imports: Vec<String> = std::iter::once("fmt".to_owned()).chain(next.map(package_import)).collect();
        let body = if is_changed { "\nfunc changed() {}\n" } else { "" };
        go(&format!("package{package}"), &imports, body, &mut self.random("package", package))
    }

    /// The lines of BASEIMAGE.
    fn bases(&self, image: &Image) -> String {
        let mut text = String::new();
        let parent = image.parent.map(|parent| &self.images[parent]);
        for (arch, user) in ARCHITECTURES {
            let _ = match parent {
                Some(Image { name, version, .. }) => {
                    writeln!(text, "linux/{arch}=REGISTRY/{name}:{}-linux-{arch}", version.text(false))
                }
                None => writeln!(text, "linux/{arch}={user}alpine:3.12"),
            };
        }
        for os_version in WINDOWS.iter().filter(|_| image.is_windows) {
            let _ = match parent.filter(|parent| parent.is_windows) {
                Some(Image { name, version, .. }) => {
                    let version = version.text(false);
                    writeln!(text, "windows/amd64/{os_version}=REGISTRY/{name}:{version}-windows-amd64-{os_version}")
                }
                None => writeln!(text, "windows/amd64/{os_version}=mcr.microsoft.com/windows/nanoserver:{os_version}"),
            };
        }
        text
    }

    fn dockerfile(&self, index: usize, program: &str, is_changed: bool) -> String {
        let image = &self.images[index];
        let mut random = self.random("dockerfile", index);
        let from = if self.has_base(index) { "ARG BASEIMAGE\nFROM $BASEIMAGE" } else { "FROM alpine:3.12" };
        let mut text = format!("# {}\n{from}\n\n", words(&mut random, 20));
        if self.has_base(index) {
            text.push_str("CROSS_BUILD_COPY qemu-QEMUARCH-static /usr/bin/\n\n");
        }
        for _ in 0..random.usize(1..4) {
            let tools = words(&mut random, 3);
            let _ = writeln!(text, "RUN apk --update add {tools} \\\n  && rm -rf /var/cache/apk/*");
        }
        let _ = writeln!(text, "\nEXPOSE 80 8080\nADD {program} /{program}");
        if !image.has_go {
            text.push_str("COPY run.sh /run.sh\n");
        }
        if is_changed {
            text.push_str("LABEL changed=true\n");
        }
        text + &format!("ENTRYPOINT [\"/{program}\"]\n")
    }

    fn windows_dockerfile(&self, image: &Image, program: &str, is_changed: bool) -> String {
        let mut text = "ARG BASEIMAGE\nARG REGISTRY\n\nFROM --platform=linux/amd64 alpine:3.12 as prep\n".to_owned();
        text.push_str("RUN mkdir /uploads && \\\n    touch /uploads/keep\n\n");
        if image.has_helper {
            let Image { name, version, .. } = &self.images[0];
            let version = version.text(false);
            let _ = writeln!(text, "FROM --platform=linux/amd64 $REGISTRY/{name}:{version}-linux-amd64 as helper\n");
        }
        text.push_str("FROM $BASEIMAGE\n\nENV PATH=\"C:\\bin;C:\\Windows\\System32;C:\\Windows;\"\n");
        text.push_str("COPY --from=prep /uploads /uploads\n");
        if is_changed {
            text.push_str("RUN mkdir C:\\uploads\n");
        }
        let _ = writeln!(text, "ADD {program} /{program}.exe\nENTRYPOINT [\"/{program}\"]");
        text
    }

    /// `manifest.go`, where some images have a new version.
    fn manifest(&self, bumped: &BTreeSet<usize>) -> String {
        let mut text = "package image\n\n// RegistryList holds the registries.\ntype RegistryList struct {\n\
                        \tPromoterE2eRegistry string `yaml:\"promoterE2eRegistry\"`\n}\n\nfunc initImageConfigs() {\n"
            .to_owned();
        for (index, Image { name, version, .. }) in
            self.images.iter().enumerate().filter(|(index, _)| in_manifest(*index))
        {
            let version = version.text(bumped.contains(&index));
            let _ =
                writeln!(text, "\tconfigs[Image{index}] = Config{{promoterE2eRegistry, \"{name}\", \"{version}\"}}");
        }
        text + "}\n"
    }

    /// `dependencies.yaml`: the image that Kubernetes lists there, and things of others.
    fn dependencies(&self) -> String {
        let mut text = "dependencies:\n".to_owned();
        for number in 0..20 {
            let _ = writeln!(
                text,
                "  - name: \"other-{number}\"\n    version: 3.{number}.0\n    refPaths:\n    - path: cluster/other-{number}.sh\n      \
                 match: OTHER_VERSION=\n"
            );
        }
        if let Some(Image { name, version, .. }) = self.images.get(1) {
            let _ = writeln!(
                text,
                "  - name: \"{name}\"\n    version: \"{}\"\n    refPaths:\n    - path: {ROOT}/{name}/VERSION\n      \
                 match: \\d.\\d\n    - path: {ROOT}/{name}/{name}.go\n      match: \"Version:\"\n\n  - name: \"{name}: dependents\"\n    \
                 version: \"{0}\"\n    refPaths:\n    - path: test/utils/image/manifest.go\n      match: 'configs\\[Image1\\]'",
                version.text(false)
            );
        }
        text
    }

    /// A file that belongs to no image.
    fn outside_path(&self, index: usize) -> String {
        let number = index / FILES_A_DIRECTORY;
        let mut random = self.random("directory", number);
        let mut word = || words(&mut random, 1);
        let tops =
            ["vendor/github.com", "staging/src/k8s.io", "pkg", "cmd", "test/e2e", "plugin/pkg", "cluster", "docs"];
        let top = tops[number % tops.len()];
        let (one, two, three) = (word(), word(), word());
        format!("{top}/{one}/{two}/{three}-{number}/{one}_{two}_{index}.go")
    }

    fn outside(&self, index: usize) -> String {
        let mut random = self.random("outside", index);
        let count = random.usize(20..100);
        format!("// {index}\npackage outside\n\n/*\n{}\n*/\n", words(&mut random, count))
    }
}

/// A source in Go.
fn go(package: &str, imports: &[String], body: &str, random: &mut fastrand::Rng) -> String {
    let mut text = format!("// {}\n\npackage {package}\n\nimport (\n", words(random, 30));
    for import in imports {
        let _ = writeln!(text, "\t\"{import}\"");
    }
    let _ = writeln!(text, ")\n");
    for number in 0..random.usize(2..8) {
        let says = words(random, 12);
        let _ = writeln!(text, "// step{number}: {says}\nfunc step{number}() string {{\n\treturn \"{says}\"\n}}\n");
    }
    text + body
}

fn words(random: &mut fastrand::Rng, count: usize) -> String {
    const WORDS: [&str; 24] = [
        "apis",
        "audit",
        "cluster",
        "config",
        "controller",
        "endpoint",
        "fixtures",
        "framework",
        "generated",
        "kubelet",
        "metrics",
        "network",
        "node",
        "plugin",
        "policy",
        "proxy",
        "registry",
        "scheduler",
        "security",
        "server",
        "storage",
        "testing",
        "volume",
        "webhook",
    ];
    let words: Vec<&str> = (0..count).map(|_| WORDS[random.usize(0..WORDS.len())]).collect();
    // Few words make a name.
    words.join(if count > 6 { " " } else { "-" })
}

/// Some of many places, as far apart as they can be.
fn spread(wanted: usize, of: usize) -> impl Iterator<Item = usize> {
    let count = wanted.min(of);
    // The middle of each part: the first images are not like the others.
    (0..count).map(move |number| (2 * number + 1) * of / (2 * count))
}

/// A package and what it imports of the others.
fn chain(first: usize, packages: usize) -> impl Iterator<Item = usize> {
    first..packages.min((first / CHAIN + 1) * CHAIN)
}

fn package_path(package: usize) -> String {
    format!("{ROOT}/lib/package{package}/package{package}.go")
}

fn package_import(package: usize) -> String {
    format!("{MODULE}/{ROOT}/lib/package{package}")
}

fn in_manifest(image: usize) -> bool {
    image % 4 != 3 && image < MAX_MANIFEST
}
