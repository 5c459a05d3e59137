//! Writing: all files or none.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use imglint::fix::RepairedFile;
use imglint::write::{NewFile, WriteError, create, write};

fn repaired(before: &str, after: &str) -> RepairedFile {
    RepairedFile { before: before.into(), after: after.into(), done: Vec::new() }
}

fn files(pairs: &[(&str, RepairedFile)]) -> BTreeMap<Arc<str>, RepairedFile> {
    pairs.iter().map(|(path, file)| (Arc::from(*path), file.clone())).collect()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_file_that_changed_since_it_was_judged_stops_all() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path();
    fs::write(root.join("a"), "1\n").expect("a file");
    fs::write(root.join("b"), "changed meanwhile\n").expect("a file");
    let files = files(&[("a", repaired("1\n", "2\n")), ("b", repaired("1\n", "2\n"))]);
    let error = write(root, &files).expect_err("b is not what was judged");
    assert!(matches!(&error, WriteError::Differs(path) if path == "b"), "{error}");
    assert_eq!(fs::read_to_string(root.join("a")).expect("a file"), "1\n");
    assert_eq!(names(root), ["a", "b"], "nothing is left behind");
}

#[test]
fn a_file_that_is_gone_or_lies_elsewhere_stops_all() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path().join("repo");
    fs::create_dir(&root).expect("a directory");
    fs::write(root.join("a"), "1\n").expect("a file");
    fs::write(directory.path().join("outside"), "1\n").expect("a file");
    for path in ["gone", "../outside"] {
        let files = files(&[("a", repaired("1\n", "2\n")), (path, repaired("1\n", "2\n"))]);
        let error = write(&root, &files).expect_err("it is not in the tree");
        assert!(matches!(&error, WriteError::Outside(outside) if outside == path), "{error}");
        assert_eq!(fs::read_to_string(root.join("a")).expect("a file"), "1\n");
    }
}

#[test]
fn line_ends_of_the_disk_are_kept_and_equal_files_are_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path();
    fs::write(root.join("a"), "1\r\nx\r\n").expect("a file");
    fs::write(root.join("b"), "not looked at\n").expect("a file");
    write(root, &files(&[("a", repaired("1\nx\n", "2\nx\n")), ("b", repaired("=\n", "=\n"))])).expect("all is well");
    assert_eq!(fs::read_to_string(root.join("a")).expect("a file"), "2\r\nx\r\n");
    assert_eq!(fs::read_to_string(root.join("b")).expect("a file"), "not looked at\n");
}

#[test]
fn new_files_are_made_all_or_none_and_replace_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path();
    let new = |path: &str| NewFile { path: root.join(path), text: "new\n".to_owned(), is_executable: path == "run" };
    fs::write(root.join("file"), "old\n").expect("a file");
    let error = create(&[new("a"), new("file")]).expect_err("one is there");
    assert!(matches!(&error, WriteError::Exists(path) if *path == root.join("file")), "{error}");
    // What makes a directory impossible shows only when the other file is prepared.
    let error = create(&[new("a"), new("file/b")]).expect_err("a file is no directory");
    assert!(matches!(error, WriteError::Prepare { .. }), "{error}");
    // What comes to be at the last moment: here, the same file twice.
    let error = create(&[new("a"), new("b"), new("b")]).expect_err("it is there by then");
    assert!(matches!(&error, WriteError::Exists(path) if *path == root.join("b")), "{error}");
    assert_eq!(names(root), ["file"]);
    assert_eq!(fs::read_to_string(root.join("file")).expect("a file"), "old\n");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", root.join("link")).expect("a link");
        assert!(
            matches!(create(&[new("link")]), Err(WriteError::Exists(_))),
            "a link that leads nowhere is there, too"
        );
        fs::remove_file(root.join("link")).expect("removed");
    }
    create(&[new("run"), new("deep/down/a")]).expect("nothing is in the way");
    assert_eq!(fs::read_to_string(root.join("deep/down/a")).expect("a file"), "new\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path| fs::metadata(root.join(path)).expect("a file").permissions().mode() & 0o111;
        assert_eq!((mode("run") & 0o100, mode("deep/down/a")), (0o100, 0));
    }
}
