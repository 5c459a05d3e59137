//! A history for replays, made with `git fast-import`.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const COMMITTER: &str = "committer T <t@example.com>";

/// How many images it has, and how many files beside each.
const IMAGES: usize = 40;
const FILES: usize = 20;

/// Makes a history: each commit changes a source of an image, every third bumps it, too, and beside each lie four that touch none.
pub(crate) fn make(root: &Path, changes: usize) -> io::Result<()> {
    let git = |arguments: &[&str]| Command::new("git").arg("-C").arg(root).args(arguments).status();
    git(&["init", "--quiet", "--bare", "--initial-branch=main"])?;
    let mut child =
        Command::new("git").arg("-C").arg(root).args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn()?;
    let mut out = BufWriter::new(child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?);
    let mut commit = |number: usize, files: &[(String, String)]| -> io::Result<()> {
        let time = 1_700_000_000 + number * 3600;
        writeln!(out, "commit refs/heads/main\n{COMMITTER} {time} +0000\ndata 7\nchange\n")?;
        for (path, text) in files {
            writeln!(out, "M 100644 inline {path}\ndata {}\n{text}", text.len())?;
        }
        Ok(())
    };
    let mut files = vec![("imglint.toml".to_owned(), "pack = \"generic\"\n".to_owned())];
    for image in 0..IMAGES {
        files.push((format!("images/i{image}/VERSION"), "1.0\n".to_owned()));
        files
            .push((format!("images/i{image}/Dockerfile"), "FROM alpine:3.20\nRUN apk add make\nCOPY . /\n".to_owned()));
        for file in 0..FILES {
            files.push((format!("images/i{image}/src/f{file}.c"), format!("int f{file}(void);\n")));
            files.push((format!("other/d{image}/f{file}.c"), format!("int g{file}(void);\n")));
        }
    }
    commit(0, &files)?;
    for number in 1..=changes * 5 {
        let (image, file) = (number % IMAGES, number % FILES);
        let text = format!("int h{number}(void);\n");
        if number % 5 > 0 {
            commit(number, &[(format!("other/d{image}/f{file}.c"), text)])?;
            continue;
        }
        let image = (number / 5) % IMAGES;
        let mut edited = vec![(format!("images/i{image}/src/f{file}.c"), text)];
        if number % 15 == 0 {
            edited.push((format!("images/i{image}/VERSION"), format!("1.{number}\n")));
        }
        commit(number, &edited)?;
    }
    out.flush()?;
    drop(out);
    child.wait()?;
    git(&["repack", "-a", "-d", "--quiet"])?;
    Ok(())
}
