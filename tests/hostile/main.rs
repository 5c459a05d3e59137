//! Readers of what others write: their seeds, and a short run of what `fuzz/` does for as long as one likes.
#![expect(unreachable_pub, reason = "fuzz/lib.rs has the same modules for its own")]

use std::path::Path;

mod differ;
mod oracle;
mod readers;

use readers::{READERS, Reader};

/// Has a reader read something, and says what where it fails.
fn bear(reader: &Reader, path: &str, bytes: &[u8]) {
    if std::panic::catch_unwind(|| (reader.read)(bytes)).is_err() {
        let shown = String::from_utf8_lossy(bytes);
        panic!("{} does not bear what was made of {path}: {shown:?}\n{shown}", reader.name);
    }
}

/// The files in a directory of seeds, but for those that a run of the fuzzer added: these have the name of a hash.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        let path = entry.expect("an entry").path();
        if path.file_name().is_some_and(|name| name.len() == 40) {
            continue;
        }
        files.push((path.display().to_string(), std::fs::read(&path).expect("a seed can be read")));
    }
    files
}

#[test]
fn every_reader_has_a_target_and_seeds_and_bears_those_of_all() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut seeds = Vec::new();
    for name in READERS.iter().map(|reader| reader.name).chain(["lines"]) {
        assert!(fuzz.join("fuzz_targets").join(format!("{name}.rs")).is_file(), "{name} has no target");
        let of_reader = files(&fuzz.join("corpus").join(name));
        assert!(!of_reader.is_empty(), "{name} has no seed");
        seeds.extend(of_reader);
    }
    for reader in &READERS {
        for (path, seed) in &seeds {
            bear(reader, path, seed);
        }
    }
}

#[test]
fn every_reader_bears_seeds_with_pieces_cut_out_doubled_and_moved() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut random = fastrand::Rng::with_seed(7);
    for reader in &READERS {
        let seeds = files(&fuzz.join("corpus").join(reader.name));
        for (path, seed) in &seeds {
            for _ in 0..40 {
                let mutant = mutated(seed, &mut random);
                bear(reader, path, &mutant);
            }
        }
    }
}

fn mutated(seed: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.usize(1..5) {
        let from = random.usize(0..=bytes.len());
        let piece = bytes[from..(from + random.usize(0..12)).min(bytes.len())].to_vec();
        let at = random.usize(0..=bytes.len());
        match random.u8(0..4) {
            0 => drop(bytes.drain(from..from + piece.len())),
            1 => drop(bytes.splice(at..at, piece)),
            2 => bytes.insert(at, random.u8(..)),
            _ => bytes.insert(at, random.choice(*b"\n\r \\\"'$#{}[]=:/-<`\0").unwrap_or_default()),
        }
    }
    bytes
}

#[test]
fn lines_are_read_as_the_oracle_reads_them() {
    let mut random = fastrand::Rng::with_seed(23);
    let mut with_heredoc = 0;
    for _ in 0..12_000 {
        let length = random.usize(1..40);
        let text = differ::compose((0..length).map(|_| random.u8(..)));
        if let Some(difference) = differ::difference(&text) {
            panic!("{difference}\n{text:?}\n{text}");
        }
        let lines = oracle::read(&text).lines;
        with_heredoc +=
            usize::from(lines.iter().any(|line| oracle::is_known(&line.keyword) && line.rest.contains("<<")));
    }
    assert!(with_heredoc > 2_000, "the texts have heredocs: {with_heredoc}");
}

/// The oracle is worth something only if it tells wrong readings from right ones.
#[test]
fn the_oracle_reads_what_the_reference_shows() {
    let read = |text: &str| {
        let reading = oracle::read(text);
        let lines = reading.lines.iter().map(|line| format!("{} {} {}", line.number, line.keyword, line.rest));
        (lines.collect::<Vec<_>>().join("; "), reading.is_refused)
    };
    let fine = |lines: &str| (lines.to_owned(), false);
    assert_eq!(read("# c\nFROM a\nRUN b \\\n# c\n\n  d\nRUN e"), fine("2 FROM a; 3 RUN b   d; 7 RUN e"));
    assert_eq!(read("# escape=`\nFROM a\nRUN b `\nc\\\nRUN d"), fine("2 FROM a; 3 RUN b c\\; 5 RUN d"));
    assert_eq!(read("# c\n# escape=`\nFROM a\nRUN b `\nRUN d"), fine("3 FROM a; 4 RUN b `; 5 RUN d"));
    assert_eq!(
        read("FROM a\nRUN <<A cat <<-'B C'\nRUN x\nA\n\tB C\nRUN y"),
        fine("1 FROM a; 2 RUN <<A cat <<-'B C'; 6 RUN y")
    );
    assert_eq!(read("FROM a\nRUN << A\nx\nA\nCMD <<A\nRUN y"), fine("1 FROM a; 2 RUN << A; 5 CMD <<A; 6 RUN y"));
    assert_eq!(read("FROM a\nRUN <<A\nx\n A"), ("1 FROM a; 2 RUN <<A".to_owned(), true));
    assert_eq!(read("# escape=`\n# escape=`\nFROM a"), (String::new(), true));
}
