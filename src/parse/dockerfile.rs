//! Dockerfiles: arguments, stages and instructions with their places.
//!
//! The syntax is read by the parse-dockerfile crate. What it cannot know is added here: lines that a build script rewrites
//! before docker sees them, and which stage is built for which platform.

use std::borrow::Cow;

use parse_dockerfile as syntax;

use super::baseimage::Platform;
use crate::text::{Span, Text};

/// A word of a Dockerfile, unescaped, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word, without its quotes and escapes.
    pub value: String,
    /// Where it stands.
    pub span: Span,
}

/// A Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// The arguments before the first stage, with their defaults.
    pub arguments: Vec<Argument>,
    /// The stages.
    pub stages: Vec<Stage>,
}

/// An argument before the first stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its default, in which the arguments before it are replaced.
    pub default: Option<String>,
    /// Where the default stands; `None` where it is not written as it is.
    pub span: Option<Span>,
}

/// A stage: a FROM and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The whole FROM instruction.
    pub span: Span,
    /// What it is built from.
    pub image: Word,
    /// Its `--platform`.
    pub platform: Option<Word>,
    /// Its name.
    pub name: Option<Word>,
    /// The instructions, without FROM.
    pub instructions: Vec<Instruction>,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// The keyword in capital letters. Of `ONBUILD RUN …`, `RUN`.
    pub keyword: &'static str,
    /// Where the keyword stands.
    pub span: Span,
    /// Whether an ONBUILD stands before it.
    pub is_onbuild: bool,
    /// What COPY and ADD take from where.
    pub copy: Option<Copy>,
    /// The command of a RUN, or what an ENV sets; empty for others.
    pub arguments: String,
}

/// The operands of COPY and ADD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The stage or image that is copied from; the build's context if there is none.
    pub from: Option<Word>,
    /// What is copied; heredocs are left out.
    pub sources: Vec<Word>,
    /// Where to.
    pub destination: Word,
}

/// A Dockerfile that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub message: String,
    /// The line on which it was noticed.
    pub span: Span,
}

/// The longest value that variables are replaced in, in bytes: defaults that double each other would exhaust the memory.
const MAX_EXPANDED: usize = 4096;

/// What a build script does to lines with its prefix before docker sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefixed {
    /// The prefix is taken off.
    Kept,
    /// The whole line is taken out.
    Dropped,
}

impl Stage {
    /// What COPY and ADD bring into the stage, with their instructions.
    pub fn copies(&self) -> impl Iterator<Item = (&Instruction, &Copy)> {
        self.instructions.iter().filter_map(|instruction| Some((instruction, instruction.copy.as_ref()?)))
    }
}

impl Copy {
    /// The names of the files that are brought, without their directories: of the sources, and of the destination if it names a
    /// file.
    pub fn file_names(&self) -> impl Iterator<Item = &str> {
        let words = self.sources.iter().chain([&self.destination]).map(|word| word.value.as_str());
        words.filter_map(|word| word.rsplit(['/', '\\']).next()).filter(|name| !name.is_empty())
    }
}

impl Dockerfile {
    /// Reads a Dockerfile. `prefix` is the one that the build script knows, and what it does to such lines.
    pub fn parse(text: &Text, prefix: Option<(&str, Prefixed)>) -> Result<Self, Malformed> {
        let source = mask(text, prefix)?;
        let malformed = |error: &syntax::Error| {
            // The end of the file lies one line below its last.
            let line = text.lines().take(error.line().max(1)).last();
            let span = line.map_or(0..0, |(span, line)| span.start..span.start + line.trim_end().len());
            // The place tells where; a message that told it, too, would be another one once the line moves.
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            Malformed { message: message.to_owned(), span }
        };
        let mut dockerfile = Self { arguments: Vec::new(), stages: Vec::new() };
        for instruction in syntax::parse_iter(&source).map_err(|error| malformed(&error))? {
            dockerfile.add(&instruction.map_err(|error| malformed(&error))?, text.as_str())?;
        }
        if dockerfile.stages.is_empty() {
            return Err(Malformed { message: "there is no FROM in it".to_owned(), span: 0..0 });
        }
        Ok(dockerfile)
    }

    /// Adds an instruction; `source` is the text as it is written.
    fn add(&mut self, instruction: &syntax::Instruction<'_>, source: &str) -> Result<(), Malformed> {
        match instruction {
            syntax::Instruction::From(from) => {
                let platform = flag(&from.options, "platform");
                let end = from.as_.as_ref().map_or(from.image.span.end, |(_, name)| name.span.end);
                self.stages.push(Stage {
                    span: from.from.span.start..end,
                    image: word(&from.image),
                    platform,
                    name: from.as_.as_ref().map(|(_, name)| word(name)),
                    instructions: Vec::new(),
                });
            }
            syntax::Instruction::Arg(arg) if self.stages.is_empty() => {
                // Escapes and continued lines are gone from the value: then its places are not those of the file.
                let is_plain = source.get(arg.arguments.span.clone()) == Some(&*arg.arguments.value);
                let mut place = arg.arguments.span.start;
                for part in arg.arguments.value.split_inclusive(char::is_whitespace) {
                    if let Some(argument) = self.argument_of(part.trim(), is_plain.then_some(place)) {
                        self.arguments.push(argument);
                    }
                    place += part.len();
                }
            }
            instruction => {
                let instruction = convert(instruction, source, false);
                let Some(stage) = self.stages.last_mut() else {
                    return Err(Malformed {
                        message: format!("{} stands before the first FROM", instruction.keyword),
                        span: instruction.span,
                    });
                };
                stage.instructions.push(instruction);
            }
        }
        Ok(())
    }

    /// Reads `name` or `name=default`. `place` is where that begins in the file.
    fn argument_of(&self, text: &str, place: Option<usize>) -> Option<Argument> {
        const QUOTES: [char; 2] = ['"', '\''];
        let (name, default) = text.split_once('=').map_or((text, None), |(name, default)| (name, Some(default)));
        let written = default.map(|default| default.trim_matches(QUOTES));
        // A default may name the arguments before it.
        let expanded = written.map(|written| self.with_defaults(written));
        let span = place.zip(default).zip(written).and_then(|((place, default), written)| {
            let quotes = default.len() - default.trim_start_matches(QUOTES).len();
            let start = place + name.len() + "=".len() + quotes;
            (expanded.as_deref() == Some(written)).then_some(start..start + written.len())
        });
        (!name.is_empty()).then(|| Argument { name: name.to_owned(), default: expanded, span })
    }

    /// What each stage is built for, when the file is built for `target`: its `--platform` if it has one, else that of the
    /// stage that it continues, else the target.
    pub fn platforms(&self, target: &Platform) -> Vec<Platform> {
        let mut platforms: Vec<Platform> = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            let own =
                stage.platform.as_ref().and_then(|word| Platform::of_option(&self.expand_for(&word.value, target)));
            let inherited = || self.continued_by(stage, platforms.len()).map(|earlier| platforms[earlier].clone());
            let platform = own.or_else(inherited).unwrap_or_else(|| target.clone());
            platforms.push(platform);
        }
        platforms
    }

    /// The stage among the first `before` ones that `name` names. Names of stages know no case.
    pub fn stage_named(&self, name: &str, before: usize) -> Option<usize> {
        let is_named = |stage: &Stage| stage.name.as_ref().is_some_and(|own| own.value.eq_ignore_ascii_case(name));
        self.stages[..before.min(self.stages.len())].iter().rposition(is_named)
    }

    /// The stage among the first `before` ones that a stage continues.
    pub fn continued_by(&self, stage: &Stage, before: usize) -> Option<usize> {
        self.stage_named(&self.with_defaults(&stage.image.value), before)
    }

    /// The stage of a number, and behind it those that it continues: what is in the last of them is in all.
    pub fn chain(&self, number: usize) -> Vec<&Stage> {
        let earlier = |number: &usize| self.continued_by(self.stages.get(*number)?, *number);
        std::iter::successors(Some(number), earlier).filter_map(|number| self.stages.get(number)).collect()
    }

    /// The stage that `name` names by its name or, as COPY may, by its number.
    pub fn stage(&self, name: &str) -> Option<usize> {
        let numbered = || name.parse().ok().filter(|number| *number < self.stages.len());
        self.stage_named(name, self.stages.len()).or_else(numbered)
    }

    /// The value with its variables replaced by their defaults, as far as they have any; others stay as they are written.
    pub fn with_defaults(&self, value: &str) -> String {
        expand(value, |name| self.default(name).map(str::to_owned))
    }

    /// Takes the default of an argument away, as the build gives it a value.
    pub fn forget_default(&mut self, argument: &str) {
        for known in self.arguments.iter_mut().filter(|known| known.name == argument) {
            known.default = None;
        }
    }

    /// An argument before the first stage.
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().rfind(|argument| argument.name == name)
    }

    fn default(&self, name: &str) -> Option<&str> {
        self.argument(name)?.default.as_deref()
    }

    /// Replaces variables by what the build sets, or by their defaults; unknown ones by nothing, as docker does.
    fn expand_for(&self, value: &str, target: &Platform) -> String {
        let of_build = |name: &str| match name {
            "TARGETPLATFORM" => Some(format!("{}/{}", target.os, target.arch)),
            "TARGETOS" => Some(target.os.clone()),
            "TARGETARCH" => Some(target.arch.clone()),
            "BUILDPLATFORM" => Some("linux/amd64".to_owned()),
            "BUILDOS" => Some("linux".to_owned()),
            "BUILDARCH" => Some("amd64".to_owned()),
            _ => None,
        };
        let default = |name: &str| self.default(name).map(|default| expand(default, of_build));
        expand(value, |name| of_build(name).or_else(|| default(name)).or_else(|| Some(String::new())))
    }
}

/// Replaces the variables that `known` knows, once each, or else by the default that `${name:-default}` gives; others stay as
/// they are written. So does the whole value where it would become longer than any name of an image.
fn expand(value: &str, known: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(dollar) = rest.find('$') {
        expanded.push_str(&rest[..dollar]);
        let Variable { name, default, alternative, after } = Variable::of(&rest[dollar + 1..]);
        let written = &rest[dollar..rest.len() - after.len()];
        let found = known(name).map(|found| match alternative {
            Some(alternative) if !found.is_empty() => alternative.to_owned(),
            _ => found,
        });
        let is_empty = found.as_ref().is_none_or(String::is_empty);
        expanded.push_str(default.filter(|_| is_empty).or(found.as_deref()).unwrap_or(written));
        rest = after;
        if expanded.len() > MAX_EXPANDED {
            return value.to_owned();
        }
    }
    expanded + rest
}

/// What stands behind a dollar sign.
struct Variable<'v> {
    /// Its name. What is no variable, or one in a form that is not known, has a name that no variable has.
    name: &'v str,
    /// `${name:-default}`
    default: Option<&'v str>,
    /// `${name:+alternative}`
    alternative: Option<&'v str>,
    after: &'v str,
}

impl<'v> Variable<'v> {
    fn of(rest: &'v str) -> Self {
        let Some((inner, after)) = rest.strip_prefix('{').and_then(|braced| braced.split_once('}')) else {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            return Self { name: &rest[..end], default: None, alternative: None, after: &rest[end..] };
        };
        if let Some((name, alternative)) = inner.split_once(":+") {
            return Self { name, default: None, alternative: Some(alternative), after };
        }
        let (name, default) = inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default)));
        Self { name, default, alternative: None, after }
    }
}

/// The text as docker gets it, with every byte in its place: what the build script takes away becomes blanks, and so does a
/// byte order mark. What the parser reads in another way than buildkit is put so that it cannot: the bodies of heredocs become
/// comments, and two escape characters at the end of a line, which continue nothing, are no longer there.
fn mask<'t>(text: &'t Text, prefix: Option<(&str, Prefixed)>) -> Result<Cow<'t, str>, Malformed> {
    let source = text.as_str();
    let escape = escape_character(source);
    let has_prefix = prefix.is_some_and(|(prefix, _)| source.contains(prefix));
    let is_odd = || source.starts_with(BYTE_ORDER_MARK) || source.contains("<<") || source.contains(&escape.repeat(2));
    if !has_prefix && !is_odd() {
        return Ok(source.into());
    }
    let mut masked = String::with_capacity(source.len());
    let mut lines = source.split_inclusive('\n').enumerate().map(|(number, line)| {
        let blanks = match prefix {
            Some((prefix, prefixed)) if line.trim_start().starts_with(prefix) => match prefixed {
                Prefixed::Kept => line.len() - line.trim_start().len() + prefix.len(),
                Prefixed::Dropped => line.trim_end_matches(['\n', '\r']).len(),
            },
            _ if number == 0 && line.starts_with(BYTE_ORDER_MARK) => {
                let line = &line[BYTE_ORDER_MARK.len_utf8()..];
                let blanks = " ".repeat(BYTE_ORDER_MARK.len_utf8());
                // A directive begins its line.
                let directive = line.strip_prefix('#').map(|rest| format!("#{blanks}{rest}"));
                return Cow::from(directive.unwrap_or_else(|| blanks + line));
            }
            _ => 0,
        };
        if blanks == 0 { line.into() } else { Cow::from(" ".repeat(blanks) + &line[blanks..]) }
    });
    while let Some(line) = lines.next() {
        let begin = masked.len();
        if is_skipped(&line) {
            masked.push_str(&line);
            continue;
        }
        // The whole instruction, over its continued lines.
        let mut instruction = String::new();
        let mut next = Some(line);
        while let Some(line) = next {
            let is_continued = take(&line, escape, &mut instruction, &mut masked);
            next = if is_continued { lines.next() } else { None };
            while let Some(line) = next.take_if(|line| is_skipped(line)) {
                masked.push_str(&line);
                next = lines.next();
            }
        }
        if !instruction.contains("<<") || !may_have_heredocs(&instruction) {
            continue;
        }
        let span = begin..begin + masked[begin..].trim_end().len();
        let whole = masked.split_off(begin).replace("<<", "__");
        masked.push_str(&whole);
        for Heredoc { delimiter, strips_tabs } in heredocs(&instruction) {
            let is_end = |line: &str| {
                let line = line.trim_end_matches(['\n', '\r']);
                delimiter == if strips_tabs { line.trim_start_matches('\t') } else { line }
            };
            loop {
                let Some(line) = lines.next() else {
                    return Err(Malformed { message: format!("the heredoc {delimiter} does not end"), span });
                };
                comment(&mut masked, &line);
                if is_end(&line) {
                    break;
                }
            }
        }
    }
    Ok(masked.into())
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Whether a line is empty or a comment: both are skipped, within a continued instruction too.
fn is_skipped(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// Adds a line to its instruction, and to the text that is parsed. Gives whether the next line belongs to it, too.
fn take(line: &str, escape: &str, instruction: &mut String, masked: &mut String) -> bool {
    let body = line.trim_end();
    match body.strip_suffix(escape) {
        Some(before) if before.ends_with(escape) => {
            instruction.push_str(line);
            masked.extend([before, "/", &line[body.len()..]]);
            false
        }
        Some(before) => {
            instruction.push_str(before);
            masked.push_str(line);
            true
        }
        None => {
            instruction.push_str(line);
            masked.push_str(line);
            false
        }
    }
}

/// The character that continues lines: a backslash, unless a directive says otherwise. Directives stand before all else.
fn escape_character(source: &str) -> &'static str {
    let lines = source.trim_start_matches(BYTE_ORDER_MARK).lines();
    let directives = lines.map_while(|line| line.trim_start().strip_prefix('#')?.split_once('='));
    for (key, value) in directives {
        match key.trim().to_ascii_lowercase().as_str() {
            "escape" => return if value.trim() == "`" { "`" } else { "\\" },
            "syntax" | "check" => {}
            _ => break,
        }
    }
    "\\"
}

/// Whether an instruction is one of those that take heredocs.
fn may_have_heredocs(instruction: &str) -> bool {
    let is = |word: Option<&str>, keyword: &str| word.is_some_and(|word| word.eq_ignore_ascii_case(keyword));
    let mut words = instruction.split_whitespace().peekable();
    if is(words.peek().copied(), "ONBUILD") {
        words.next();
    }
    let keyword = words.next();
    ["RUN", "COPY", "ADD"].iter().any(|known| is(keyword, known))
}

struct Heredoc {
    /// The line that ends it.
    delimiter: String,
    /// Whether tabs before that line are taken off.
    strips_tabs: bool,
}

/// The heredocs of an instruction. As for buildkit, a heredoc is a word of the shell that begins with `<<`, maybe after a number,
/// and there is none where the words cannot be told because a quote or a variable does not end.
fn heredocs(instruction: &str) -> Vec<Heredoc> {
    let mut found = Vec::new();
    let mut quote = None;
    let mut word = String::new();
    let mut characters = instruction.chars().chain([' ']);
    while let Some(character) = characters.next() {
        match quote {
            Some(open) if character == open => quote = None,
            Some('"') | None if character == '\\' => {
                word.push(character);
                word.extend(characters.next());
                continue;
            }
            None if matches!(character, '"' | '\'') => quote = Some(character),
            None if character.is_whitespace() => {
                found.extend(Heredoc::of_word(&word));
                word.clear();
                continue;
            }
            _ => {}
        }
        word.push(character);
    }
    let is_open = quote.is_some() || instruction.split("${").skip(1).any(|variable| !variable.contains('}'));
    if is_open { Vec::new() } else { found }
}

impl Heredoc {
    fn of_word(word: &str) -> Option<Self> {
        let name = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
        let (name, strips_tabs) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
        let delimiter: String = name.chars().filter(|c| !matches!(c, '"' | '\'' | '\\')).collect();
        (!delimiter.is_empty() && !delimiter.contains('<')).then_some(Self { delimiter, strips_tabs })
    }
}

/// Makes a comment of a line, of the same length.
fn comment(masked: &mut String, line: &str) {
    let body = line.trim_end_matches(['\n', '\r']);
    if !body.is_empty() {
        masked.push('#');
        masked.extend(std::iter::repeat_n(' ', body.len() - 1));
    }
    masked.push_str(&line[body.len()..]);
}

fn word(word: &syntax::UnescapedString<'_>) -> Word {
    Word { value: word.value.trim_matches(['"', '\'']).to_owned(), span: word.span.clone() }
}

fn flag<'f, 'a: 'f>(flags: impl IntoIterator<Item = &'f syntax::Flag<'a>>, name: &str) -> Option<Word> {
    flags.into_iter().find(|flag| flag.name.value == name).and_then(|flag| flag.value.as_ref()).map(word)
}

fn convert(instruction: &syntax::Instruction<'_>, source: &str, is_onbuild: bool) -> Instruction {
    use syntax::Instruction as Syntax;
    let copy = |options: &[syntax::Flag<'_>],
                sources: &[syntax::Source<'_>],
                destination: &syntax::UnescapedString<'_>| {
        let sources = sources.iter().filter_map(|path| match path {
            syntax::Source::Path(path) if Heredoc::of_word(&source[path.span.clone()]).is_none() => Some(word(path)),
            _ => None,
        });
        Some(Copy { from: flag(options, "from"), sources: sources.collect(), destination: word(destination) })
    };
    let (keyword, span, copy) = match instruction {
        Syntax::Add(add) => ("ADD", &add.add.span, copy(&add.options, &add.src, &add.dest)),
        Syntax::Copy(it) => ("COPY", &it.copy.span, copy(&it.options, &it.src, &it.dest)),
        Syntax::Onbuild(onbuild) => return convert(&onbuild.instruction, source, true),
        Syntax::Arg(arg) => ("ARG", &arg.arg.span, None),
        Syntax::Cmd(cmd) => ("CMD", &cmd.cmd.span, None),
        Syntax::Entrypoint(entrypoint) => ("ENTRYPOINT", &entrypoint.entrypoint.span, None),
        Syntax::Env(env) => ("ENV", &env.env.span, None),
        Syntax::Expose(expose) => ("EXPOSE", &expose.expose.span, None),
        Syntax::From(from) => ("FROM", &from.from.span, None),
        Syntax::Healthcheck(healthcheck) => ("HEALTHCHECK", &healthcheck.healthcheck.span, None),
        Syntax::Label(label) => ("LABEL", &label.label.span, None),
        Syntax::Maintainer(maintainer) => ("MAINTAINER", &maintainer.maintainer.span, None),
        Syntax::Run(run) => ("RUN", &run.run.span, None),
        Syntax::Shell(shell) => ("SHELL", &shell.shell.span, None),
        Syntax::Stopsignal(stopsignal) => ("STOPSIGNAL", &stopsignal.stopsignal.span, None),
        Syntax::User(user) => ("USER", &user.user.span, None),
        Syntax::Volume(volume) => ("VOLUME", &volume.volume.span, None),
        Syntax::Workdir(workdir) => ("WORKDIR", &workdir.workdir.span, None),
        _ => ("UNKNOWN", &(0..0), None),
    };
    let arguments = match instruction {
        Syntax::Run(run) => match &run.arguments {
            syntax::Command::Exec(words) => words.value.iter().map(|word| &*word.value).collect::<Vec<_>>().join(" "),
            syntax::Command::Shell(command) => command.value.to_owned(),
            _ => String::new(),
        },
        Syntax::Env(env) => env.arguments.value.to_string(),
        _ => String::new(),
    };
    Instruction { keyword, span: span.clone(), is_onbuild, copy, arguments }
}
