//! The page of a replay: what stands in it, what cannot get into it, where it may go, and what a real browser makes of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use imglint::report::replay_page::{SCRIPT, SCRIPT_SUM, STYLE, STYLE_SUM};
use regex::Regex;
use sha2::Digest as _;

use super::documentation::project;
use super::harness::{Repo, Scratch};
use super::replay::{change_on, commit_on};

const AGNHOST: &str = "test/images/agnhost/main.go";
const VERSION: &str = "test/images/agnhost/VERSION";

/// Writes a page of all changes and reads it.
#[track_caller]
fn page(repo: &Repo, options: &[&str]) -> String {
    let run = repo.imglint(&[&["replay", "--html", "../page.html"], options].concat());
    assert!(run.code == 0, "{run}");
    run.says(&["wrote ../page.html, "]);
    std::fs::read_to_string(repo.root.join("../page.html")).expect("a page")
}

/// Two changes without a bump, of which the next one mends both, and one that nobody mended.
fn history(scratch: &Scratch) -> Repo {
    let repo = scratch.kubernetes("repo");
    change_on(&repo, 1, &[(AGNHOST, "package main // one\n")]);
    change_on(&repo, 3, &[(AGNHOST, "package main // two\n")]);
    change_on(&repo, 5, &[(VERSION, "2.26\n"), (AGNHOST, "package main // three\n")]);
    change_on(&repo, 40, &[("test/images/kitten/html", "meow\n")]);
    repo
}

#[test]
fn all_of_it_stands_in_the_page_without_a_script() {
    let scratch = Scratch::new();
    let repo = history(&scratch);
    let page = page(&repo, &["--rule", "stale-version"]);
    let body = page.split_once("<body>").expect("a body").1;
    assert!(body.contains("The gate would have stopped <strong>3 of 4 changes</strong>"), "{body}");
    assert!(
        body.contains("1 mended by a later change, 1 mended only after their image had changed once more and 1 still")
    );
    assert_eq!(body.matches("<tr id=\"f-").count(), 3, "each finding has a row:\n{body}");
    for fate in ["mended", "late", "stayed"] {
        assert_eq!(body.matches(&format!("data-fate=\"{fate}\"")).count(), 1, "{fate}:\n{body}");
    }
    for summary in ["change of day 1", "change of day 3", "change of day 40"] {
        assert!(body.contains(&format!("<b>{summary}</b>")), "{summary}:\n{body}");
    }
    assert!(!body.contains("<b>change of day 5</b>"), "nothing was found in it:\n{body}");
    assert!(body.contains("<title>week of 2025-12-29: 2 changes, 2 errors</title>"), "the timeline:\n{body}");
    let row =
        "<tr data-image=\"agnhost\"><th scope=\"row\">agnhost</th><td class=\"s5\">2</td><td class=\"all\">2</td></tr>";
    assert!(body.contains(row), "the matrix:\n{body}");
    assert!(body.contains(">names agnhost 2.25, which is 2.26</text>"), "the graph:\n{body}");
    let links = Regex::new("href=\"#([^\"]+)\"").expect("a pattern");
    for link in links.captures_iter(body) {
        assert!(body.contains(&format!("id=\"{}\"", &link[1])), "{} leads nowhere", &link[1]);
    }
    assert_eq!(body.matches("href=").count(), body.matches("href=\"#").count(), "{body}");
    // The one address is the name of a language.
    assert_eq!(page.matches("http").count(), 1 + page.matches("http-equiv").count(), "{page}");
    assert!(!page.contains(" src=") && !page.contains("url(h"), "{page}");
}

#[test]
fn of_too_many_images_those_are_drawn_that_have_to_do_with_each_other() {
    let scratch = Scratch::new();
    let repo = scratch.kubernetes("repo");
    let mut files = Vec::new();
    for image in 0..600 {
        let directory = format!("test/images/many/image-{image:03}");
        files.push((format!("{directory}/VERSION"), "1.0\n".to_owned()));
        files.push((format!("{directory}/Dockerfile"), "FROM scratch\n".to_owned()));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    change_on(&repo, 1, &files);
    let page = page(&repo, &["--rule", "stale-version"]);
    let body = page.split_once("<body>").expect("a body").1;
    assert!(body.contains("2 of 602 images are drawn: <code>imglint graph --image NAME</code> draws"), "{body}");
    assert!(body.contains(">kitten") && !body.contains(">many/image-001"), "{body}");
    assert!(
        body.contains("The gate would have stopped 0 of 1 change "),
        "nothing is wrong, so nothing stands out: {body}"
    );
    assert!(body.contains("too few to tell") || body.contains("<code>due = "), "{body}");
}

#[test]
fn a_page_goes_together_with_every_form() {
    let scratch = Scratch::new();
    let repo = history(&scratch);
    let run = repo.imglint(&["replay", "--html", "one/two/page.html", "--format", "json", "-q"]);
    assert!(run.code == 0 && run.stdout.starts_with('{') && run.stderr.is_empty(), "{run}");
    let once = std::fs::read(repo.root.join("one/two/page.html")).expect("a page, in a new directory");
    let run = repo.imglint(&["replay", "--html", "one/two/page.html"]);
    assert!(run.code == 0 && run.stdout.starts_with("4 changes"), "a page of a replay is replaced: {run}");
    assert!(std::fs::read(repo.root.join("one/two/page.html")).expect("a page") == once, "it is the same each time");
}

#[test]
fn what_no_page_can_be_written_to_is_refused_before_the_work() {
    let scratch = Scratch::new();
    let repo = history(&scratch);
    repo.write(&[("notes.html", "<p>mine\n"), ("empty.html", "")]);
    let refused = |file: &str, words: &[&str]| {
        // There is nothing to replay: had it begun, it would say that.
        repo.imglint(&["replay", "--html", file, "HEAD..HEAD"]).fails(words);
    };
    refused("notes.html", &["notes.html is there already, and is no page of a replay", "name another file"]);
    refused("test", &["failed to write the page test"]);
    refused("new/", &["failed to write the page new/"]);
    refused("notes.html/page.html", &["failed to write the page notes.html/page.html"]);
    refused("", &["--html"]);
    assert_eq!(std::fs::read_to_string(repo.root.join("notes.html")).expect("it is still there"), "<p>mine\n");
    assert!(!repo.root.join("new").exists());
    repo.imglint(&["replay", "--html", "empty.html", "HEAD..HEAD"]).fails(&["no change of HEAD..HEAD"]);
    assert!(repo.imglint(&["replay", "--html", "empty.html"]).code == 0, "there is nothing to lose in an empty file");
}

#[cfg(unix)]
#[test]
fn a_page_needs_a_directory_that_can_be_written_to() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new();
    let repo = history(&scratch);
    let locked = scratch.path().join("locked");
    std::fs::create_dir(&locked).expect("a directory");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).expect("its owner may");
    if std::fs::write(locked.join("trial"), "").is_ok() {
        return eprintln!("left out: nothing is locked for this user");
    }
    repo.imglint(&["replay", "--html", "../locked/page.html"]).fails(&["failed to write the page ../locked/page.html"]);
}

/// Two images and a history in which everything that has a name tries to be more than that.
fn hostile(scratch: &Scratch) -> Repo {
    let repo = scratch.init("repo");
    let image = "images/\"><img src=x onerror=document.title='broken'>";
    repo.write(&[
        ("imglint.toml", "pack = \"generic\"\n"),
        (&format!("{image}/VERSION"), "1.0\n"),
        (&format!("{image}/Dockerfile"), "FROM scratch\nCOPY a /\n"),
        (&format!("{image}/a"), "a\n"),
    ]);
    repo.commit("base");
    repo.write(&[(&format!("{image}/a"), "b\n")]);
    commit_on(&repo, 2, "<script>document.title='broken'</script>");
    repo.write(&[(&format!("{image}/a"), "c\n")]);
    commit_on(&repo, 3, "</script></style></title></table>{{script}}<!-- \u{2028}\u{202e}evil' onclick='x' &lt;b>");
    repo.write(&[(&format!("{image}/</td><iframe>\u{202e}"), "c\n")]);
    commit_on(&repo, 4, "--><base href=x><meta http-equiv=refresh content=0>\u{1b}[31m");
    repo
}

#[test]
fn nothing_from_a_repository_is_more_than_text() {
    let scratch = Scratch::new();
    let page = page(&hostile(&scratch), &[]);
    let body = page.split_once("<body>").expect("a body").1;
    assert_eq!(body.matches("<tr id=\"f-").count(), 3, "{body}");
    for wrong in ["<script", "<img", "<iframe", "<base", "<meta", "</style", "<!--", "onclick='", "onerror=x", "<b>"] {
        let own = if wrong == "<b>" { 3 } else { 0 };
        assert_eq!(body.matches(wrong).count(), own, "{wrong}:\n{body}");
    }
    assert!(body.contains("{{script}}") && body.contains("&amp;lt;b&gt;"), "{body}");
    assert!(body.contains("\\u{2028}\\u{202e}evil"), "{body}");
    assert!(!page.chars().any(|c| c != '\n' && imglint::text::is_unprintable(c)), "{page}");
}

/// With the variable `BLESS`, the sums are written anew instead.
#[test]
fn the_page_allows_itself_the_style_and_the_script_that_it_has() {
    for (name, text, sum) in [("style.css", STYLE, STYLE_SUM), ("script.js", SCRIPT, SCRIPT_SUM)] {
        let current = format!("{}\n", base64(&sha2::Sha256::digest(text)));
        if std::env::var_os("BLESS").is_some() {
            let file = project().join(format!("src/report/replay_page/{name}.sha256"));
            std::fs::write(file, &current).expect("a file");
        } else {
            assert!(current == sum, "the sum of {name} is {current}; run BLESS=1 cargo test --test cli replay_page");
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().chain(&[0, 0]).take(3).fold(0, |number, byte| number << 8 | usize::from(*byte));
        for digit in 0..4 {
            let value = number >> (18 - 6 * digit) & 63;
            text.push(if digit <= three.len() { char::from(DIGITS[value]) } else { '=' });
        }
    }
    text
}

/// A browser of the family of Chromium: the one that the variable names, or one that is installed.
fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("IMGLINT_TEST_BROWSER") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    for name in ["chromium", "chromium-browser", "google-chrome", "chromium-headless-shell"] {
        if let Some(found) = std::env::split_paths(&path).map(|directory| directory.join(name)).find(|it| it.is_file())
        {
            return Some(found);
        }
    }
    eprintln!("left out: there is no browser here; IMGLINT_TEST_BROWSER names one");
    None
}

/// What a browser makes of a page at an address, which must have nothing to complain of.
#[track_caller]
fn shown(browser: &Path, scratch: &Scratch, fragment: &str) -> String {
    let profile = scratch.path().join("profile");
    let page = scratch.path().join("page.html");
    let mut command = Command::new(browser);
    command.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--enable-logging=stderr",
    ]);
    command.arg(format!("--user-data-dir={}", profile.display())).arg("--dump-dom");
    let output = command.arg(format!("file://{}{fragment}", page.display())).output().expect("the browser starts");
    let (shown, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("CONSOLE"), "the browser complains: {said}");
    assert!(shown.contains("data-ready=\"yes\""), "the script did not come to its end: {said}\n{shown}");
    shown.into_owned()
}

/// The findings that are shown, by their numbers, and what is said of their count.
fn visible(shown: &str) -> (usize, String) {
    let count = Regex::new("<output[^>]*>([^<]*)</output>").expect("a pattern");
    let hidden = Regex::new("<tr id=\"f-[^>]* hidden=\"").expect("a pattern");
    let rows = shown.matches("<tr id=\"f-").count() - hidden.find_iter(shown).count();
    (rows, count.captures(shown).expect("a count")[1].to_owned())
}

#[test]
fn a_browser_filters_by_the_address() {
    let Some(browser) = browser() else { return };
    let scratch = Scratch::new();
    let repo = history(&scratch);
    page(&repo, &["--rule", "stale-version"]);
    for (fragment, rows, words) in [
        ("", 3, "3 findings"),
        ("#image=kitten", 1, "1 finding, of 3 in all"),
        ("#fate=late", 1, "1 finding, of 3 in all"),
        ("#text=DAY+40", 1, "1 finding, of 3 in all"),
        ("#from=2026-01-03&to=2026-01-31", 1, "1 finding, of 3 in all"),
        ("#rule=stale-base&level=error", 0, "0 findings, of 3 in all"),
    ] {
        let shown = shown(&browser, &scratch, fragment);
        assert_eq!(visible(&shown), (rows, words.to_owned()), "{fragment}\n{shown}");
    }
}

#[test]
fn a_browser_pages_through_many_findings_and_finds_each() {
    let Some(browser) = browser() else { return };
    let scratch = Scratch::new();
    let repo = scratch.init("repo");
    repo.write(&[("imglint.toml", "pack = \"generic\"\n")]);
    for image in 0..250 {
        let directory = format!("images/image-{image:03}");
        repo.write(&[
            (&format!("{directory}/VERSION"), "1.0\n"),
            (&format!("{directory}/Dockerfile"), "FROM scratch\nCOPY . /\n"),
        ]);
    }
    repo.commit("base");
    for image in 0..250 {
        repo.write(&[(&format!("images/image-{image:03}/a"), "a\n")]);
    }
    let commit = commit_on(&repo, 2, "all");
    page(&repo, &["--rule", "stale-version"]);
    assert_eq!(visible(&shown(&browser, &scratch, "")), (200, "1 to 200 of 250 findings".to_owned()));
    assert_eq!(visible(&shown(&browser, &scratch, "#page=2")), (50, "201 to 250 of 250 findings".to_owned()));
    let shown = shown(&browser, &scratch, &format!("#f-{}-222", &commit[..12]));
    assert_eq!(visible(&shown), (50, "201 to 250 of 250 findings".to_owned()));
    assert_eq!(shown.matches("class=\"here\"").count(), 1, "{shown}");
}

#[test]
fn a_browser_takes_nothing_from_a_repository_for_more_than_text() {
    let Some(browser) = browser() else { return };
    let scratch = Scratch::new();
    page(&hostile(&scratch), &[]);
    let shown = shown(&browser, &scratch, "");
    assert!(shown.contains("<title>What the gate would have said: HEAD</title>"), "{shown}");
    for (element, count) in [("<script", 1), ("<style", 1), ("<img", 0), ("<iframe", 0), ("<base", 0), ("<meta", 6)] {
        assert_eq!(shown.matches(element).count(), count, "{element}:\n{shown}");
    }
    assert_eq!(visible(&shown), (3, "3 findings".to_owned()));
}
