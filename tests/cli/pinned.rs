//! docs/verify-test-images.sh, which fetches a pinned release: with a `curl` that gives it what a test says.

use std::path::PathBuf;
use std::process::Command;

use super::documentation::project;
use super::harness::{Run, Scratch};

/// A repository with the script in it, and a place to fetch from.
struct Place {
    scratch: Scratch,
    repository: PathBuf,
    served: PathBuf,
}

impl Place {
    /// The script as somebody would copy it, with the checksum of an archive that holds this program.
    fn new(program: &str) -> Self {
        let scratch = Scratch::new();
        let repository = scratch.at("repo").root;
        let served = scratch.path().join("archive.tar.gz");
        let place = Self { scratch, repository, served };
        place.serve(program);
        let sum =
            place.bash("if command -v sha256sum >/dev/null; then sha256sum \"$1\"; else shasum -a 256 \"$1\"; fi");
        let sum = sum.stdout.split_whitespace().next().expect("a checksum").to_owned();
        let text = std::fs::read_to_string(project().join("docs/verify-test-images.sh")).expect("the script");
        assert!(text.contains("\nCHECKSUM  "), "the script must not name a release that nobody made");
        place.write("verify.sh", &text.replace("\nCHECKSUM  ", &format!("\n{sum}  ")));
        place.write("bin/curl", "#!/bin/sh\nwhile [ \"$1\" != --output ]; do shift; done\ncp \"$SERVED\" \"$2\"\n");
        place
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.repository.join(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(&path, text).expect("a file");
        let run = Command::new("chmod").arg("+x").arg(&path).status().expect("chmod is there");
        assert!(run.success());
    }

    /// Packs what is served from now on.
    fn serve(&self, program: &str) {
        self.write("pack/imglint", program);
        let run = self.bash("tar -czf \"$1\" -C pack imglint");
        assert_eq!(run.code, 0, "{run}");
    }

    fn bash(&self, script: &str) -> Run {
        let mut bash = Command::new("bash");
        bash.current_dir(&self.repository).args(["-c", script, "bash"]).arg(&self.served);
        Run::of(bash.output().expect("bash is installed"))
    }

    /// Runs the script.
    fn verify(&self, arguments: &[&str]) -> Run {
        let path = format!("{}:{}", self.repository.join("bin").display(), std::env::var("PATH").expect("a PATH"));
        let mut script = Command::new("bash");
        script.current_dir(&self.repository).arg("verify.sh").args(arguments);
        script.env("PATH", path).env("SERVED", &self.served).env("XDG_CACHE_HOME", self.scratch.path().join("cache"));
        Run::of(script.output().expect("bash is installed"))
    }
}

#[test]
fn a_pinned_release_is_fetched_once_and_says_what_imglint_says() {
    let place = Place::new("#!/bin/sh\necho \"judged $*\"\nexit 1\n");
    let run = place.verify(&["--base", "two words"]);
    assert!(run.code == 1 && run.stdout == "judged --base two words\n", "{run}");
    // Nothing is fetched again.
    std::fs::remove_file(&place.served).expect("a file");
    let run = place.verify(&[]);
    assert!(run.code == 1 && run.stdout == "judged \n", "{run}");
}

#[test]
fn what_is_not_the_pinned_release_is_never_run() {
    let place = Place::new("#!/bin/sh\necho pinned\n");
    place.serve("#!/bin/sh\necho another\n");
    place.verify(&[]).fails(&["is not what was pinned", "nothing was run"]);
    std::fs::remove_file(&place.served).expect("a file");
    place.verify(&[]).fails(&["could not be fetched"]);
}

#[test]
fn what_is_kept_is_looked_at_each_time() {
    let place = Place::new("#!/bin/sh\necho pinned\n");
    assert_eq!(place.verify(&[]).stdout, "pinned\n");
    let kept = std::fs::read_dir(place.scratch.path().join("cache/imglint")).expect("a directory");
    let kept = kept.map(|entry| entry.expect("an entry").path()).next().expect("an archive");
    std::fs::write(&kept, "broken").expect("a file");
    let run = place.verify(&[]);
    assert!(run.code == 0 && run.stdout == "pinned\n", "{run}");
}

#[test]
fn a_script_without_checksums_says_where_they_are() {
    let place = Place::new("#!/bin/sh\necho pinned\n");
    let text = std::fs::read_to_string(project().join("docs/verify-test-images.sh")).expect("the script");
    place.write("verify.sh", &text);
    place.verify(&[]).fails(&["has no checksum of", "SHA256SUMS"]);
}
