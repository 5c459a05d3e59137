//! Which changes of a text are changes of comments alone, in the languages that images are made of. Where that is not certain, they are
//! none: a line in a heredoc or in a string may look like a comment, and some comments speak to a compiler.

use super::go;
use super::yaml;
use crate::path::file_name;
use crate::text::Text;

/// A language of which it is known what a comment is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Dockerfile,
    Yaml,
    Shell,
    Go,
    Make,
}

/// Whether two states of a file differ in comments alone. Of a language that is not known, they do not.
pub fn differ_in_comments_alone(path: &str, before: &Text, after: &Text) -> bool {
    let Some(language) = Language::of(path, before).filter(|language| Language::of(path, after) == Some(*language))
    else {
        return false;
    };
    match language {
        // A template engine goes through comments, too.
        Language::Yaml => {
            ![before, after].iter().any(|text| text.as_str().contains("{{")) && yaml::say_the_same(before, after)
        }
        Language::Go => are_equal(of_go(before), of_go(after)),
        Language::Dockerfile if directives(before) != directives(after) => false,
        Language::Shell if shebang(before) != shebang(after) || reads_itself(before) || reads_itself(after) => false,
        Language::Dockerfile => are_equal_before_end(before, after, of_dockerfile),
        Language::Shell => are_equal_before_end(before, after, of_shell),
        Language::Make => are_equal_before_end(before, after, of_make),
    }
}

/// The lines of a text without its comments; `None` where it cannot be told what a comment is.
type Essence<'t> = Option<Vec<&'t str>>;

fn are_equal(before: Essence<'_>, after: Essence<'_>) -> bool {
    before.is_some_and(|before| after.is_some_and(|after| before == after))
}

/// Whether two texts are equal but for comments, as far as they are not equal anyway: where what differs ends outside of
/// strings, what comes behind it means the same in both.
fn are_equal_before_end<'t>(before: &'t Text, after: &'t Text, essence: fn(&'t str) -> Essence<'t>) -> bool {
    let [before, after] = before_end(before.as_str(), after.as_str());
    are_equal(essence(before), essence(after))
}

/// What two texts hold before the lines with which both end.
fn before_end<'t>(one: &'t str, other: &'t str) -> [&'t str; 2] {
    let mut same = 0;
    for (line, others) in one.rsplit('\n').zip(other.rsplit('\n')) {
        if line != others {
            break;
        }
        same += line.len() + 1;
    }
    [one, other].map(|text| &text[..text.len().saturating_sub(same)])
}

impl Language {
    fn of(path: &str, text: &Text) -> Option<Self> {
        let name = file_name(path);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let is_dockerfile = name.starts_with("Dockerfile") || extension == "Dockerfile";
        Some(match extension {
            _ if is_dockerfile => Self::Dockerfile,
            "yaml" | "yml" => Self::Yaml,
            "go" => Self::Go,
            "mk" => Self::Make,
            "sh" | "bash" => Self::Shell,
            _ if matches!(name, "Makefile" | "GNUmakefile" | "makefile") => Self::Make,
            _ if is_run_by_shell(text) => Self::Shell,
            _ => return None,
        })
    }
}

/// What runs the file, by its first line.
fn shebang(text: &Text) -> Option<&str> {
    text.as_str().lines().next()?.strip_prefix("#!")
}

fn is_run_by_shell(text: &Text) -> bool {
    let Some(command) = shebang(text) else { return false };
    let is_shell = |word: &str| matches!(file_name(word), "sh" | "bash" | "dash" | "ash" | "ksh" | "bashio");
    command.split_whitespace().any(is_shell)
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// The lines at the top of a Dockerfile down to its last directive, such as `# syntax=`: it is one only where no other comment stands
/// before it.
fn directives(text: &Text) -> Vec<&str> {
    let is_top = |line: &&str| is_comment(line) || line.trim().is_empty();
    let mut top: Vec<&str> = text.as_str().lines().take_while(is_top).collect();
    top.truncate(top.iter().rposition(|line| is_directive(line)).map_or(0, |last| last + 1));
    top
}

fn of_dockerfile(text: &str) -> Essence<'_> {
    // There may be a heredoc.
    (!text.contains("<<")).then(|| text.lines().filter(|line| !is_comment(line)).collect())
}

/// Whether a comment looks like `# name=value`.
fn is_directive(line: &str) -> bool {
    let name = line.trim_start().trim_start_matches('#').split_once('=').map_or("", |(name, _)| name.trim());
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a script may print its own comments.
fn reads_itself(text: &Text) -> bool {
    let all = text.as_str();
    (all.contains("$0") || all.contains("BASH_SOURCE"))
        && ["sed", "grep", "awk", "head", "tail"].iter().any(|tool| all.contains(tool))
}

fn of_shell(text: &str) -> Essence<'_> {
    // A heredoc, or a string with escapes of its own.
    if text.contains("<<") || text.contains("$'") {
        return None;
    }
    let mut essence = Vec::new();
    let mut is_continued = false;
    for (number, line) in text.lines().enumerate() {
        let is_first = number == 0 && line.starts_with("#!");
        if is_comment(line) && !is_first && !is_continued {
            continue;
        }
        if !ends_outside_of_strings(line) {
            return None;
        }
        is_continued = line.ends_with('\\');
        essence.push(line);
    }
    Some(essence)
}

/// Whether a line of shell that begins outside of strings ends so, as far as can be told.
fn ends_outside_of_strings(line: &str) -> bool {
    let (mut in_single, mut in_double, mut has_nested) = (false, false, false);
    let mut before = ' ';
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if !in_single => drop(characters.next()),
            '\'' if !in_double => in_single = !in_single,
            '"' if !in_single => in_double = !in_double,
            '`' if in_double => has_nested = true,
            '$' if in_double && characters.peek() == Some(&'(') => has_nested = true,
            '#' if !in_single && !in_double && before.is_whitespace() => break,
            _ => {}
        }
        before = character;
    }
    // Within a command in a string, quotes begin anew.
    let is_told = !has_nested || !line.contains('\'');
    is_told && !in_single && !in_double
}

fn of_go(text: &Text) -> Essence<'_> {
    let all = text.as_str();
    let is_of_lines = all.lines().all(|line| line.matches('`').count() % 2 == 0);
    // What stands above `import "C"` is C, and a raw string of several lines may hold anything.
    if all.contains("import \"C\"") || all.contains("/*line") || !is_of_lines {
        return None;
    }
    let code = go::without_comments(text);
    let mut essence = Vec::new();
    for (line, code) in all.split('\n').zip(code.split('\n')) {
        let trimmed = line.trim();
        let after = trimmed.strip_prefix("//").unwrap_or_default();
        // `//go:build`, `//export`, `// +build`
        let is_directive =
            after.starts_with(|c: char| c.is_ascii_alphanumeric()) || after.trim_start().starts_with('+');
        if is_directive {
            essence.push(trimmed);
        } else if !code.trim().is_empty() {
            // A comment behind code is blank, so that what is left ends where the code does; blanks within it have their places.
            essence.push(line.get(..code.trim_end().len()).unwrap_or(line));
        }
    }
    Some(essence)
}

fn of_make(text: &str) -> Essence<'_> {
    let mut essence = Vec::new();
    let mut is_continued = false;
    for line in text.lines() {
        if line.trim_start().starts_with("define") {
            return None;
        }
        // Behind a tab it is the shell's, which is shown it.
        let is_own = is_comment(line) && !line.starts_with('\t') && !is_continued;
        is_continued = line.ends_with('\\');
        if is_own && is_continued {
            return None;
        }
        if !is_own {
            essence.push(line);
        }
    }
    Some(essence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differ(path: &str, before: &str, after: &str) -> bool {
        differ_in_comments_alone(path, &Text::from(before), &Text::from(after))
    }

    #[test]
    fn comments_are_no_content() {
        let alike = [
            ("Dockerfile", "FROM a\n", "# one\nFROM a\n"),
            ("Dockerfile", "# syntax=x\nFROM a\n", "# syntax=x\n# one\nFROM a\n"),
            ("Dockerfile.x", "FROM a\nRUN a \\\n  b\n", "FROM a\nRUN a \\\n  # one\n  b\n"),
            ("a.yaml", "a: |\n  # b\nc: d # e\n", "# f\na: |\n  # b\nc: d # g\n"),
            ("run.sh", "#!/bin/sh\necho 'a' \"b\"\n", "#!/bin/sh\n# one\necho 'a' \"b\"\n"),
            (
                "run",
                "#!/usr/bin/with-contenv bashio\na\n",
                "#!/usr/bin/with-contenv bashio\n# shellcheck shell=bash\na\n",
            ),
            ("a.go", "package a\n", "// One.\npackage a // two\n"),
            ("a.go", "package a\n\n/* b\n*/\nvar a = `b`\n", "package a\n\nvar a = `b`\n"),
            ("Makefile", "a:\n\tb\n", "# one\na:\n\tb\n"),
            ("run.sh", "#!/bin/sh\ncat <<E\n# a\nE\n", "#!/bin/sh\n# one\ncat <<E\n# a\nE\n"),
            ("Dockerfile", "FROM a\nRUN <<E\n# a\nE\n", "# one\nFROM a\nRUN <<E\n# a\nE\n"),
        ];
        for (path, before, after) in alike {
            assert!(differ(path, before, after) && differ(path, after, before), "{path}: {before:?} {after:?}");
        }
    }

    #[test]
    fn what_looks_like_a_comment_may_be_content() {
        let others = [
            ("Dockerfile", "# syntax=a\nFROM a\n", "# syntax=b\nFROM a\n"),
            ("Dockerfile", "# check=skip=all\nFROM a\n", "FROM a\n"),
            ("Dockerfile", "# syntax=a\nFROM a\n", "# one\n# syntax=a\nFROM a\n"),
            ("Dockerfile", "FROM a\nRUN <<E\n# a\nE\n", "FROM a\nRUN <<E\n# b\nE\n"),
            ("a.yaml", "a: |\n  # b\n", "a: |\n  # c\n"),
            ("a.yaml", "a: 1\n", "a: 2\n"),
            ("a.yaml", "# {{ b }}\na: 1\n", "# {{ c }}\na: 1\n"),
            ("a.sh", "#!/bin/sh\na\n", "#!/bin/bash\na\n"),
            ("a.sh", "cat <<E\n# a\nE\n", "cat <<E\n# b\nE\n"),
            ("a.sh", "a '\n# b\n'\n", "a '\n# c\n'\n"),
            ("a.sh", "#!/bin/sh\na\n", "# b\n#!/bin/sh\na\n"),
            ("a.sh", "a\nb\n", "# '\nc '\na\nb\n"),
            ("Dockerfile", "# syntax=a\nFROM a\n", "# one\n\n# syntax=a\nFROM a\n"),
            ("a.sh", "a \\\n# b\n", "a \\\n# c\n"),
            ("a.sh", "a $'it\\'s\n# b'\n", "a $'it\\'s\n# c'\n"),
            ("a.sh", "# a\nsed -n 's/^# //p' \"$0\"\n", "# b\nsed -n 's/^# //p' \"$0\"\n"),
            ("a.sh", "a \"$(b 'c\"d\n# e')\"\n", "a \"$(b 'c\"d\n# f')\"\n"),
            ("a.go", "//go:build a\npackage a\n", "//go:build b\npackage a\n"),
            ("a.go", "// +build a\npackage a\n", "package a\n"),
            ("a.go", "package a\n//go:embed a\nvar a string\n", "package a\n//go:embed b\nvar a string\n"),
            ("a.go", "package a\nvar a = `\n// b\n`\n", "package a\nvar a = `\n// c\n`\n"),
            ("a.go", "// int a;\nimport \"C\"\n", "// int b;\nimport \"C\"\n"),
            ("Makefile", "a:\n\t# b\n", "a:\n\t# c\n"),
            ("Makefile", "A = b \\\n# c\n", "A = b \\\n# d\n"),
            ("Makefile", "define A\n# b\nendef\n", "define A\n# c\nendef\n"),
            ("a.py", "# a\n", "# b\n"),
        ];
        for (path, before, after) in others {
            assert!(!differ(path, before, after), "{path}: {before:?} {after:?}");
        }
    }
}
