//! Compares how the program reads the lines of a Dockerfile with how the oracle does.

use std::sync::Arc;

use imglint::parse::dockerfile::Dockerfile;
use imglint::text::Text;

use crate::oracle::{self, Line};

/// Pieces that Dockerfiles are put together from, those that matter most several times.
const PIECES: [&str; 96] = [
    "\n",
    "\n",
    "\n",
    "\n",
    "\n",
    "\n",
    "\n",
    "\n",
    "\n",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\r\n",
    "\r\r\n",
    "\n\n",
    "\r",
    "\r",
    "FROM a\n",
    "FROM a\n",
    "from a as b\n",
    "RUN ",
    "RUN ",
    "RUN ",
    "RUN ",
    "run\t",
    "\nRUN x\n",
    "\nCOPY a b\n",
    "COPY a b ",
    "COPY ",
    "ADD ",
    "CMD ",
    "ONBUILD RUN ",
    "onbuild\tcopy ",
    "USER ",
    "WORKDIR ",
    "LABEL a=b ",
    "FOO ",
    "x",
    "x",
    "y",
    " ",
    " ",
    " ",
    "\t",
    "\t",
    "\u{b}",
    "\u{c}",
    "\u{a0}",
    "\u{2003}",
    "\u{85}",
    "é",
    "\\",
    "\\",
    "\\\n",
    "\\\n",
    "\\\n",
    "\\\r\n",
    "\\ \t\n",
    "\\\\\n",
    "`",
    "`\n",
    "`\n",
    "#",
    "#",
    "# c\n",
    "\n# c\n",
    "# c \\\n",
    "# escape=`\n",
    "# escape=\\\n",
    "#ESCAPE = ` \r\n",
    "# escape=x\n",
    "# syntax=docker/dockerfile:1\n",
    "# check=x\n",
    "<<EOF",
    "<<EOF",
    "<<EOF",
    "<<-EOF",
    "<< EOF",
    "<<- EOF",
    "<<'EOF'",
    "<<\"E F\"",
    "3<<EOF",
    "<<E\\OF",
    "<<A",
    "<<",
    "<",
    "\nEOF\n",
    "\nEOF\n",
    "\n\tEOF\n",
    "EOF",
    "\nE F\n",
    "\nA\n",
    "'",
    "\"",
    "[\"a\", \"<<EOF\"]",
];

/// A Dockerfile of these pieces, each chosen by one byte.
pub fn compose(choices: impl IntoIterator<Item = u8>) -> String {
    let mut choices = choices.into_iter();
    let mut text = String::new();
    match choices.next().unwrap_or_default() % 16 {
        0 => {}
        1 => text.push('\u{feff}'),
        2 => text.push_str("# escape=`\n"),
        3 => text.push_str("\u{feff} # escape=`\nFROM a\n"),
        4 => text.push_str("# escape=`\nFROM a\n"),
        _ => text.push_str("FROM a\n"),
    }
    for choice in choices {
        text.push_str(PIECES[usize::from(choice) % PIECES.len()]);
    }
    text
}

/// An instruction as both can tell of it: its line, and its keyword in capital letters.
type Seen = (usize, String);

/// Where the program and the oracle differ, if they do.
pub fn difference(text: &str) -> Option<String> {
    let expected = oracle::read(text);
    let text = Arc::new(Text::from(text));
    let Ok(dockerfile) = Dockerfile::parse(&text) else {
        // The first stage is what the program must find; what is wrong with a line is not judged here.
        let is_from = |line: &&Line| line.keyword == "FROM" && matches!(line.rest.split_whitespace().count(), 1 | 3);
        return expected.lines.iter().find(is_from).map(|from| format!("line {} is not read: FROM", from.number));
    };
    // Nothing but ARG may stand before the first stage, which is not a matter of lines.
    let first = expected.lines.iter().find(|line| line.keyword == "FROM").map_or(0, |line| line.start);
    let errors = dockerfile.errors.iter().map(|error| text.position(error.span.start).line);
    let wrong = errors.filter(|line| *line >= first).min();
    if expected.is_refused && wrong.is_none() {
        return Some("it is read to the end, and should be refused".to_owned());
    }
    // Behind what it finds wrong in an instruction, the program reads on as well as it can.
    let end = wrong.unwrap_or(usize::MAX);
    if let Some(line) = wrong
        && !expected.is_refused
        && !expected
            .lines
            .iter()
            .any(|expected| (expected.start..=expected.number).contains(&line) && !is_plain(expected))
    {
        return Some(format!("line {line} is refused"));
    }
    let mut seen: Vec<Seen> = Vec::new();
    let mut commands: Vec<(usize, String)> = Vec::new();
    for stage in &dockerfile.stages {
        seen.push((text.position(stage.span.start).line, "FROM".to_owned()));
        for instruction in &stage.instructions {
            let line = text.position(instruction.span.start).line;
            seen.push((line, instruction.keyword.name().to_owned()));
            commands.push((line, instruction.arguments.clone()));
        }
    }
    seen.retain(|(line, _)| *line < end);
    let lines = expected.lines.iter().skip_while(|line| line.keyword != "FROM");
    let lines: Vec<&Line> = lines.filter(|line| line.number < end).collect();
    if seen.len() != lines.len() {
        return Some(format!("{seen:?} stands for {lines:?}"));
    }
    for ((number, keyword), line) in seen.iter().zip(lines) {
        // Of ONBUILD the trigger is what the program tells of, and that may stand on a later line.
        if line.keyword == "ONBUILD" {
            continue;
        }
        let command = commands.iter().find(|(of, _)| of == number).map_or("", |(_, command)| command);
        let is_told = line.keyword == "RUN" && is_plain(line);
        if *number != line.number || *keyword != line.keyword || (is_told && command != line.rest) {
            return Some(format!("line {number}: {keyword} {command:?} stands for {line:?}"));
        }
    }
    None
}

/// Whether nothing in an instruction can be wrong, nor its words anything else than they are.
fn is_plain(line: &Line) -> bool {
    line.keyword == "RUN" && !line.rest.starts_with(['[', '-'])
}
