//! Dockerfiles: arguments, stages and instructions with their places.
//!
//! The syntax is read by the parse-dockerfile crate. What it cannot know is added here: lines that a build script rewrites
//! before docker sees them, and which stage is built for which platform.

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
    pub arguments: Vec<(String, Option<String>)>,
    /// The stages.
    pub stages: Vec<Stage>,
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

/// How many variables are replaced in one word before it counts as naming itself.
const MAX_EXPANSIONS: usize = 32;

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
        let source = mask(text, prefix);
        let malformed = |error: &syntax::Error| {
            // The end of the file lies one line below its last.
            let line = text.lines().take(error.line().max(1)).last();
            let span = line.map_or(0..0, |(span, line)| span.start..span.start + line.trim_end().len());
            Malformed { message: error.to_string(), span }
        };
        let mut dockerfile = Self { arguments: Vec::new(), stages: Vec::new() };
        for instruction in syntax::parse_iter(&source).map_err(|error| malformed(&error))? {
            dockerfile.add(instruction.map_err(|error| malformed(&error))?)?;
        }
        if dockerfile.stages.is_empty() {
            return Err(Malformed { message: "there is no FROM in it".to_owned(), span: 0..0 });
        }
        Ok(dockerfile)
    }

    fn add(&mut self, instruction: syntax::Instruction<'_>) -> Result<(), Malformed> {
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
                for argument in arg.arguments.value.split_whitespace() {
                    let (name, default) = argument.split_once('=').map_or((argument, None), |(n, d)| (n, Some(d)));
                    let default = default.map(|default| default.trim_matches(['"', '\'']).to_owned());
                    self.arguments.push((name.to_owned(), default));
                }
            }
            instruction => {
                let instruction = convert(&instruction, false);
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

    /// What each stage is built for, when the file is built for `target`: its `--platform` if it has one, else that of the
    /// stage that it continues, else the target.
    pub fn platforms(&self, target: &Platform) -> Vec<Platform> {
        let mut platforms: Vec<Platform> = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            let own = stage.platform.as_ref().and_then(|word| Platform::of_option(&self.expand(&word.value, target)));
            let inherited =
                || self.stage_named(&stage.image.value, platforms.len()).map(|earlier| platforms[earlier].clone());
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

    /// Whether `name` names a stage by its name or, as COPY may, by its number.
    pub fn is_stage(&self, name: &str) -> bool {
        self.stage_named(name, self.stages.len()).is_some() || name.parse::<usize>().is_ok()
    }

    /// The value with its variables replaced by their defaults, as far as they have any; others stay as they are written.
    pub fn with_defaults(&self, value: &str) -> String {
        let mut expanded = value.to_owned();
        for _ in 0..MAX_EXPANSIONS {
            let known = self.arguments.iter().filter_map(|(name, default)| Some((name, default.as_deref()?)));
            let next = known.fold(expanded.clone(), |text, (name, default)| {
                let text = text.replace(&format!("${{{name}}}"), default);
                replace_variable(&text, name, default)
            });
            if next == expanded {
                break;
            }
            expanded = next;
        }
        expanded
    }

    /// Replaces variables by what the build sets, or by their defaults; unknown ones by nothing, as docker does.
    fn expand(&self, value: &str, target: &Platform) -> String {
        let known = |name: &str| -> String {
            match name {
                "TARGETPLATFORM" => format!("{}/{}", target.os, target.arch),
                "TARGETOS" => target.os.clone(),
                "TARGETARCH" => target.arch.clone(),
                "BUILDPLATFORM" => "linux/amd64".to_owned(),
                "BUILDOS" => "linux".to_owned(),
                "BUILDARCH" => "amd64".to_owned(),
                _ => {
                    let default = self.arguments.iter().find(|(argument, _)| argument == name);
                    default.and_then(|(_, default)| default.clone()).unwrap_or_default()
                }
            }
        };
        let mut expanded = value.to_owned();
        // Defaults may name further arguments, even each other.
        for _ in 0..MAX_EXPANSIONS {
            match expand_once(&expanded, known) {
                Some(next) => expanded = next,
                None => break,
            }
        }
        expanded
    }
}

/// Replaces `$name`, where the name does not go on.
fn replace_variable(text: &str, name: &str, value: &str) -> String {
    let variable = format!("${name}");
    let mut parts = text.split(&variable);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let goes_on = part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if goes_on {
            replaced.push('$');
            replaced.push_str(name);
        } else {
            replaced.push_str(value);
        }
        replaced.push_str(part);
    }
    replaced
}

/// Replaces the variables in `value`; `None` where there are none.
fn expand_once(value: &str, known: impl Fn(&str) -> String) -> Option<String> {
    let dollar = value.find('$')?;
    let rest = &value[dollar + 1..];
    let (name, default, after) = if let Some(braced) = rest.strip_prefix('{') {
        let (inner, after) = braced.split_once('}')?;
        let (name, default) = inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default)));
        (name, default, after)
    } else {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        (&rest[..end], None, &rest[end..])
    };
    let mut known = known(name);
    if known.is_empty() {
        default.unwrap_or_default().clone_into(&mut known);
    }
    Some(format!("{}{known}{after}", &value[..dollar]))
}

/// The text as docker gets it, with every byte in its place: what the build script takes away becomes blanks, and so does a
/// byte order mark; the bodies of heredocs in RUN, which the parser knows only as its first word, become comments.
fn mask<'t>(text: &'t Text, prefix: Option<(&str, Prefixed)>) -> std::borrow::Cow<'t, str> {
    let source = text.as_str();
    let has_prefix = prefix.is_some_and(|(prefix, _)| source.contains(prefix));
    if !has_prefix && !source.starts_with(BYTE_ORDER_MARK) && !source.contains("<<") {
        return source.into();
    }
    let mut masked = String::with_capacity(source.len());
    let mut lines = source.split_inclusive('\n').enumerate().map(|(number, line)| {
        let blanks = match prefix {
            Some((prefix, prefixed)) if line.trim_start().starts_with(prefix) => match prefixed {
                Prefixed::Kept => line.len() - line.trim_start().len() + prefix.len(),
                Prefixed::Dropped => line.trim_end_matches(['\n', '\r']).len(),
            },
            _ if number == 0 && line.starts_with(BYTE_ORDER_MARK) => BYTE_ORDER_MARK.len_utf8(),
            _ => 0,
        };
        if blanks == 0 { line.into() } else { std::borrow::Cow::from(" ".repeat(blanks) + &line[blanks..]) }
    });
    let escape = escape_character(source);
    while let Some(line) = lines.next() {
        let Some(mut run) = after_run(&line).map(str::to_owned) else {
            masked.push_str(&line);
            continue;
        };
        // The whole instruction, over its continued lines.
        let begin = masked.len();
        masked.push_str(&line);
        while run.trim_end().ends_with(escape) {
            let Some(line) = lines.next() else { break };
            run.push_str(&line);
            masked.push_str(&line);
        }
        let delimiters = heredocs(&run);
        if delimiters.is_empty() {
            continue;
        }
        let instruction = masked.split_off(begin).replace("<<", "__");
        masked.push_str(&instruction);
        for (delimiter, strips_tabs) in delimiters {
            for line in lines.by_ref() {
                let body = line.trim_end_matches(['\n', '\r']);
                let is_end = if strips_tabs { body.trim_start_matches('\t') } else { body } == delimiter;
                comment(&mut masked, &line);
                if is_end {
                    break;
                }
            }
        }
    }
    masked.into()
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The character that continues lines: a backslash, unless a directive at the top says otherwise.
fn escape_character(source: &str) -> char {
    let directives = source.lines().take_while(|line| line.trim_start_matches(BYTE_ORDER_MARK).starts_with('#'));
    let is_backtick = |line: &str| {
        let words = line.trim_start_matches([BYTE_ORDER_MARK, '#']).split_once('=');
        words.is_some_and(|(key, value)| key.trim().eq_ignore_ascii_case("escape") && value.trim() == "`")
    };
    if directives.into_iter().any(is_backtick) { '`' } else { '\\' }
}

/// What follows the keyword of a RUN in shell form.
fn after_run(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    for keyword in ["ONBUILD", "RUN"] {
        match rest.get(..keyword.len()) {
            Some(word) if word.eq_ignore_ascii_case(keyword) => rest = rest[keyword.len()..].trim_start(),
            _ if keyword == "ONBUILD" => {}
            _ => return None,
        }
    }
    (!rest.starts_with('[')).then_some(rest)
}

/// The delimiters of the heredocs in a command, and whether tabs before them are taken off. As for buildkit, a heredoc is a word
/// of the shell that begins with `<<`, maybe after a number.
fn heredocs(command: &str) -> Vec<(String, bool)> {
    let mut delimiters = Vec::new();
    let mut quote = None;
    let mut word = String::new();
    for character in command.chars().chain([' ']) {
        match quote {
            Some(open) if character == open => quote = None,
            None if matches!(character, '"' | '\'') => quote = Some(character),
            None if character.is_whitespace() => {
                let body = word.trim_start_matches(|c: char| c.is_ascii_digit());
                if let Some(name) = body.strip_prefix("<<") {
                    let (name, strips_tabs) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
                    let name: String = name.chars().filter(|c| !matches!(c, '"' | '\'')).collect();
                    if !name.is_empty() && !name.contains('<') {
                        delimiters.push((name, strips_tabs));
                    }
                }
                word.clear();
                continue;
            }
            _ => {}
        }
        word.push(character);
    }
    delimiters
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

fn convert(instruction: &syntax::Instruction<'_>, is_onbuild: bool) -> Instruction {
    use syntax::Instruction as Syntax;
    let copy =
        |options: &[syntax::Flag<'_>], sources: &[syntax::Source<'_>], destination: &syntax::UnescapedString<'_>| {
            let sources = sources.iter().filter_map(|source| match source {
                syntax::Source::Path(path) => Some(word(path)),
                _ => None,
            });
            Some(Copy { from: flag(options, "from"), sources: sources.collect(), destination: word(destination) })
        };
    let (keyword, span, copy) = match instruction {
        Syntax::Add(add) => ("ADD", &add.add.span, copy(&add.options, &add.src, &add.dest)),
        Syntax::Copy(it) => ("COPY", &it.copy.span, copy(&it.options, &it.src, &it.dest)),
        Syntax::Onbuild(onbuild) => return convert(&onbuild.instruction, true),
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
