//! Stages and their instructions, with all words expanded as a build for one platform expands them.
//!
//! The measure is `frontend/dockerfile/dockerfile2llb/convert.go`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::instruction::{Arguments, Keyword, Written, heredoc, heredocs};
use super::lines::{Lines, Prefix, SyntaxError};
use super::scope::{Nothing, Scopes, Surroundings};
use super::shell::{Budget, Expanded, Scope, ShellError, expand};
use super::traced::Traced;
use crate::parse::baseimage::Platform;
use crate::text::{Span, Text};

/// A word of a Dockerfile as the build understands it, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word, without its quotes and escapes, and with its variables replaced. Those that only the build knows stand there as
    /// `$name` or `${name}`.
    pub value: Traced,
    /// Where it stands, without quotes around it.
    pub span: Span,
    /// The names of the variables that only the build knows.
    pub unknown: Vec<String>,
}

/// A Dockerfile as one build understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// The stages.
    pub stages: Vec<Stage>,
    /// What the build would not accept. What else stands in the file was read all the same.
    pub errors: Vec<DockerfileError>,
    /// The last stage of each name, in small letters.
    names: HashMap<String, usize>,
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
    /// What it is built for; `None` where only the build knows.
    pub built_for: Option<Platform>,
    /// Its name.
    pub name: Option<Word>,
    /// The earlier stage that it continues.
    pub continues: Option<usize>,
    /// The instructions, without FROM.
    pub instructions: Vec<Instruction>,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// The keyword. Of `ONBUILD RUN …`, that of RUN.
    pub keyword: Keyword,
    /// Where the keyword stands.
    pub span: Span,
    /// Whether an ONBUILD stands before it.
    pub is_onbuild: bool,
    /// What COPY and ADD take from where.
    pub copy: Option<Box<Copy>>,
    /// What RUN mounts.
    pub mounts: Vec<Mount>,
    /// The command of a RUN, the directory of a WORKDIR; empty for others.
    pub arguments: String,
    /// What ENV sets.
    pub variables: Vec<Assignment>,
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

/// A `--mount` of a RUN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Its type: `bind` if none is written.
    pub kind: String,
    /// The stage or image that it is taken from; of a bind mount the build's context if there is none.
    pub from: Option<Word>,
    /// The path there.
    pub source: Option<Word>,
}

/// A variable that ENV sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its name.
    pub name: String,
    /// Its value as it is written, quotes and all.
    pub written: String,
}

/// A part of a Dockerfile that a build would not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerfileError {
    /// What is wrong.
    pub message: String,
    /// The line on which it was noticed.
    pub span: Span,
    /// Whether more than this could not be read for it: what follows, or what a stage is built from.
    pub hides_more: bool,
}

/// A Dockerfile as it is written, before it is known what it is built for.
#[derive(Debug)]
pub struct Syntax {
    instructions: Vec<Written>,
    escape: char,
    errors: Vec<DockerfileError>,
    text: Arc<Text>,
}

impl DockerfileError {
    fn new(SyntaxError { message, offset, hides_more }: SyntaxError, text: &Text) -> Self {
        let line = text.line_at(offset);
        let start = text.line_start(offset);
        Self { message, span: start..start + line.trim_end().len(), hides_more }
    }
}

impl Word {
    fn new(written: &Traced, expanded: Expanded) -> Self {
        let Expanded { value, unknown } = expanded;
        let (outer, inner) = (written.extent(), value.extent());
        let is_within = !value.is_empty() && inner.start >= outer.start && inner.end <= outer.end;
        let is_quoted =
            written.len() > 1 && ['"', '\''].iter().any(|q| written.starts_with(*q) && written.ends_with(*q));
        let span = match (is_within && value.is_written(), is_quoted) {
            (true, _) => inner,
            (false, true) => outer.start + 1..outer.end - 1,
            (false, false) => outer,
        };
        Self { value, span, unknown }
    }

    /// Whether it is nothing but a variable that only the build knows.
    pub fn is_given(&self) -> bool {
        let name = self.value.strip_prefix('$');
        let name = name.map(|name| name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name));
        matches!((&self.unknown[..], name), ([known], Some(name)) if known == name)
    }

    /// A word in which nothing is expanded.
    fn plain(written: &Traced) -> Self {
        Self::new(written, Expanded { value: written.clone(), unknown: Vec::new() })
    }
}

impl Stage {
    /// What COPY and ADD bring into the stage, with their instructions.
    pub fn copies(&self) -> impl Iterator<Item = (&Instruction, &Copy)> {
        self.instructions.iter().filter_map(|instruction| Some((instruction, instruction.copy.as_deref()?)))
    }

    fn says_the_same(&self, other: &Self) -> bool {
        let systems = [self, other].map(|stage| stage.built_for.as_ref().map(|platform| platform.os.as_str()));
        systems[0] == systems[1]
            && self.image == other.image
            && self.continues == other.continues
            && self.instructions == other.instructions
    }

    /// Where it takes files from other stages or images: by COPY and by the mounts of RUN.
    pub fn copied_from(&self) -> impl Iterator<Item = &Word> {
        self.instructions.iter().flat_map(|instruction| {
            let copied = instruction.copy.iter().filter_map(|copy| copy.from.as_ref());
            copied.chain(instruction.mounts.iter().filter_map(|mount| mount.from.as_ref()))
        })
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

impl Syntax {
    /// Reads a Dockerfile. `prefix` is the word that the build script knows, and what it does to lines that hold it. An error means
    /// that there is nothing in it to build.
    pub fn parse(text: &Arc<Text>, prefix: Option<Prefix<'_>>) -> Result<Self, DockerfileError> {
        let budget = Budget::new();
        let mut lines = Lines::new(text.as_str(), prefix);
        let mut syntax = Self { instructions: Vec::new(), escape: '\\', errors: Vec::new(), text: Arc::clone(text) };
        let (mut has_stage, mut may_go_back) = (false, true);
        loop {
            let line = match lines.instruction() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => {
                    syntax.refuse(error);
                    break;
                }
            };
            // Of a line that holds nothing but what continues it, no byte is left.
            let offset = if line.is_empty() { lines.start } else { line.extent().start };
            let written = Written::parse(&line, lines.escape);
            let before = lines.clone();
            let mut is_read = skip_heredocs(&line, &mut lines, &budget);
            match written {
                Ok(written) => {
                    has_stage |= written.keyword == Keyword::From;
                    if has_stage || written.keyword == Keyword::Arg {
                        syntax.instructions.push(written);
                    } else {
                        let message = "expected FROM".to_owned();
                        syntax.refuse(SyntaxError { message, offset, hides_more: false });
                    }
                }
                Err(message) => {
                    let hides_more = line.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("FROM"));
                    syntax.refuse(SyntaxError { message, offset, hides_more });
                    // What is wrong already need not have a body, too. Looked for only once, as that reads to the end.
                    if is_read.is_err() && may_go_back {
                        (lines, is_read, may_go_back) = (before, Ok(()), false);
                    }
                }
            }
            if let Err(error) = is_read {
                syntax.refuse(error);
                break;
            }
        }
        syntax.escape = lines.escape;
        if has_stage {
            return Ok(syntax);
        }
        let error = syntax.errors.into_iter().next();
        Err(error.unwrap_or_else(|| DockerfileError {
            message: "expected at least one FROM instruction".to_owned(),
            span: 0..0,
            hides_more: true,
        }))
    }

    fn refuse(&mut self, error: SyntaxError) {
        self.errors.push(DockerfileError::new(error, &self.text));
    }

    /// The number of its instructions.
    pub fn len(&self) -> usize {
        self.instructions.len()
    }

    /// Whether it has no instruction.
    pub fn is_empty(&self) -> bool {
        self.instructions.is_empty()
    }

    /// What a build with these surroundings makes of it.
    pub fn resolve(&self, surroundings: &Surroundings) -> Dockerfile {
        let last = self.instructions.iter().rfind(|written| written.keyword == Keyword::From);
        let last_name = last.and_then(|from| from.words().get(2)).map(|name| name.to_lowercase());
        let mut resolver = Resolver {
            syntax: self,
            target: &surroundings.target,
            scopes: Scopes::new(surroundings, last_name.as_deref()),
            budget: Budget::new(),
            dockerfile: Dockerfile { stages: Vec::new(), errors: self.errors.clone(), names: HashMap::new() },
        };
        for written in &self.instructions {
            resolver.add(written);
        }
        // Thousands of them are kept, and room for more takes a quarter of what they take.
        let mut dockerfile = resolver.dockerfile;
        dockerfile.stages.shrink_to_fit();
        for stage in &mut dockerfile.stages {
            stage.instructions.shrink_to_fit();
        }
        dockerfile
    }
}

/// Reads over the bodies of the heredocs that a line has.
fn skip_heredocs(line: &Traced, lines: &mut Lines<'_>, budget: &Budget) -> Result<(), SyntaxError> {
    let offset = line.extent().start;
    let error = |message| SyntaxError { message, offset, hides_more: true };
    for heredoc in heredocs(line, lines.escape, budget).map_err(error)? {
        if !lines.skip_heredoc(&heredoc.delimiter, heredoc.strips_tabs)? {
            return Err(error(format!("the heredoc {} does not end", heredoc.delimiter)));
        }
    }
    Ok(())
}

/// Makes a Dockerfile of its syntax, instruction by instruction.
struct Resolver<'s> {
    syntax: &'s Syntax,
    target: &'s Platform,
    scopes: Scopes<'s>,
    budget: Budget,
    dockerfile: Dockerfile,
}

/// A word that was expanded, and why it could not be.
struct Expansion {
    word: Word,
    error: Option<String>,
}

impl Resolver<'_> {
    fn add(&mut self, written: &Written) {
        match written.keyword {
            Keyword::From => self.add_stage(written),
            Keyword::Arg if self.dockerfile.stages.is_empty() => self.declare(written, true),
            _ => self.add_instruction(written),
        }
    }

    fn expand(&self, written: &Traced, scope: &dyn Scope) -> Expansion {
        let error = match expand(written, self.syntax.escape, scope, &self.budget) {
            Ok(expanded) => return Expansion { word: Word::new(written, expanded), error: None },
            Err(error) => error,
        };
        let unknown = vec![written.as_str().to_owned()];
        let word = Word { value: written.clone(), span: written.extent(), unknown };
        // What is merely more than is read here is not known, but nothing wrong.
        Expansion { word, error: if let ShellError::Syntax(message) = error { Some(message) } else { None } }
    }

    /// The word of an expansion; what is wrong with it is noted.
    fn accept(&mut self, expansion: Expansion, written: &Written) -> Word {
        if let Some(message) = expansion.error {
            self.refuse(message, written);
        }
        expansion.word
    }

    fn refuse(&mut self, message: String, written: &Written) {
        let hides_more = written.keyword == Keyword::From;
        let error = SyntaxError { message, offset: written.span.start, hides_more };
        self.dockerfile.errors.push(DockerfileError::new(error, &self.syntax.text));
    }

    fn global_word(&mut self, word: &Traced, written: &Written) -> Word {
        let expansion = self.expand(word, &self.scopes.global());
        self.accept(expansion, written)
    }

    fn local_word(&mut self, word: &Traced, written: &Written) -> Word {
        let expansion = self.expand(word, &self.scopes.local());
        self.accept(expansion, written)
    }

    /// A word in which buildkit expands nothing, and refuses what could be expanded.
    fn fixed_word(&mut self, word: &Traced, what: &str, written: &Written) -> Word {
        let Expansion { word: as_written, .. } = self.expand(word, &Nothing);
        if *as_written.value != **word || !as_written.unknown.is_empty() {
            let message =
                format!("{what} takes no variables: name a stage with FROM {} and take it from there", word.as_str());
            self.refuse(message, written);
        }
        self.expand(word, &self.scopes.local()).word
    }

    fn declare(&mut self, written: &Written, is_global: bool) {
        let Arguments::Pairs(pairs) = &written.arguments else { return };
        for pair in pairs {
            let mut default = None;
            if let Some(value) = &pair.value {
                let word = if is_global { self.global_word(value, written) } else { self.local_word(value, written) };
                default = Some(Expanded { value: word.value, unknown: word.unknown });
            }
            if is_global {
                self.scopes.declare_globally(&pair.name, default);
            } else {
                self.scopes.declare(&pair.name, default);
            }
        }
    }

    fn add_stage(&mut self, written: &Written) {
        let [image, rest @ ..] = written.words() else { return };
        let image = self.global_word(image, written);
        let platform = written.flag("platform").map(|platform| self.global_word(platform, written));
        let continues = self.dockerfile.names.get(&image.value.to_lowercase()).copied();
        let built_for = self.platform(&image, platform.as_ref(), continues, written);
        let mut end = image.span.end.max(written.span.end);
        let name = rest.last().map(Word::plain);
        if let Some(name) = &name {
            self.dockerfile.names.insert(name.value.to_lowercase(), self.dockerfile.stages.len());
            end = name.span.end;
        }
        self.scopes.begin_stage(continues);
        let span = written.span.start..end;
        let instructions = Vec::new();
        self.dockerfile.stages.push(Stage { span, image, platform, built_for, name, continues, instructions });
    }

    /// What a stage is built for: what the one is that it continues, whatever stands beside its name; the target where there is no
    /// image that could be for something else; else its `--platform`, or the target if it has none.
    fn platform(
        &mut self,
        image: &Word,
        platform: Option<&Word>,
        continues: Option<usize>,
        written: &Written,
    ) -> Option<Platform> {
        if let Some(earlier) = continues {
            return self.dockerfile.stages.get(earlier)?.built_for.clone();
        }
        if self.may_be_a_stage(image) {
            return None;
        }
        let Some(platform) = platform.filter(|_| &*image.value != "scratch") else { return Some(self.target.clone()) };
        if !platform.unknown.is_empty() {
            return None;
        }
        let built_for = Platform::of_option(&platform.value);
        if built_for.is_none() {
            self.refuse(format!("'{}' is no platform", &*platform.value), written);
        }
        built_for
    }

    /// Whether variables that only the build knows may make a word the name of an earlier stage that is not built for the target. What
    /// the build script gives is an image.
    fn may_be_a_stage(&self, image: &Word) -> bool {
        let is_name = !image.value.contains(['/', ':', '@']);
        let is_open = image.unknown.iter().any(|name| !self.scopes.is_always_given(name));
        let mut earlier = self.dockerfile.names.values().filter_map(|number| self.dockerfile.stages.get(*number));
        is_name && is_open && earlier.any(|stage| stage.built_for.as_ref() != Some(self.target))
    }

    fn add_instruction(&mut self, written: &Written) {
        let mut instruction = Instruction {
            keyword: written.keyword,
            span: written.span.clone(),
            is_onbuild: written.is_onbuild,
            copy: None,
            mounts: Vec::new(),
            arguments: String::new(),
            variables: Vec::new(),
        };
        match written.keyword {
            Keyword::Add | Keyword::Copy => instruction.copy = self.copy(written).map(Box::new),
            Keyword::Run => {
                instruction.arguments = command(&written.arguments);
                for mount in written.flags("mount") {
                    let mount = self.mount(mount, written);
                    instruction.mounts.push(mount);
                }
            }
            Keyword::Workdir => {
                if let Arguments::Text(directory) = &written.arguments {
                    let expansion = self.expand(directory, &self.scopes.local());
                    expansion.word.value.as_str().clone_into(&mut instruction.arguments);
                }
            }
            Keyword::Arg if !written.is_onbuild => self.declare(written, false),
            Keyword::Env => instruction.variables = self.set(written),
            _ => {}
        }
        if let Some(stage) = self.dockerfile.stages.last_mut() {
            stage.instructions.push(instruction);
        }
    }

    fn copy(&mut self, written: &Written) -> Option<Copy> {
        let (destination, sources) = written.words().split_last()?;
        let from = written.flag("from").filter(|from| !from.is_empty());
        let from = from.map(|from| self.fixed_word(from, "COPY --from", written));
        let destination = self.local_word(destination, written);
        let mut words = Vec::with_capacity(sources.len());
        for source in sources {
            // One whose word stands behind a blank has a body, and yet BuildKit takes both words for paths.
            if !matches!(heredoc(source, &self.budget), Ok(Some(_))) {
                words.push(self.local_word(source, written));
            }
        }
        Some(Copy { from, sources: words, destination })
    }

    fn mount(&mut self, written_mount: &Traced, written: &Written) -> Mount {
        let mut mount = Mount { kind: "bind".to_owned(), from: None, source: None };
        let mut at = 0;
        for field in written_mount.split(',') {
            let part = written_mount.part(at..at + field.len());
            at += field.len() + 1;
            let Some(equals) = part.find('=') else { continue };
            let value = part.part(equals + 1..part.len());
            match part[..equals].trim_start_matches('"').to_ascii_lowercase().as_str() {
                "type" => mount.kind = self.local_word(&value, written).value.to_ascii_lowercase(),
                "from" if !value.is_empty() => {
                    // As BuildKit has it, a dollar sign at the end is none that begins a variable.
                    let has_variable = value.find('$').is_some_and(|dollar| dollar + 1 < value.len());
                    mount.from = Some(if has_variable {
                        self.fixed_word(&value, "RUN --mount=from", written)
                    } else {
                        Word::plain(&value)
                    });
                }
                "source" | "src" => mount.source = Some(self.local_word(&value, written)),
                _ => {}
            }
        }
        mount
    }

    /// What ENV sets. All of its values are expanded before any of them is set.
    fn set(&mut self, written: &Written) -> Vec<Assignment> {
        let Arguments::Pairs(pairs) = &written.arguments else { return Vec::new() };
        let mut values = Vec::new();
        for pair in pairs {
            values.extend(pair.value.as_ref().map(|value| (pair, self.local_word(value, written))));
        }
        let mut assignments = Vec::new();
        for (pair, word) in values {
            if !written.is_onbuild {
                self.scopes.set(&pair.name, Expanded { value: word.value, unknown: word.unknown });
            }
            let written = pair.value.as_ref().map(|value| value.as_str().to_owned()).unwrap_or_default();
            assignments.push(Assignment { name: pair.name.as_str().to_owned(), written });
        }
        assignments
    }
}

/// The command of a RUN, as its shell or the kernel gets it.
fn command(arguments: &Arguments) -> String {
    match arguments {
        Arguments::Text(text) => text.as_str().to_owned(),
        Arguments::Words(words) => words.iter().map(Traced::as_str).collect::<Vec<_>>().join(" "),
        Arguments::Pairs(_) => String::new(),
    }
}

impl Dockerfile {
    /// Reads a Dockerfile for a build that brings nothing along.
    pub fn parse(text: &Arc<Text>) -> Result<Self, DockerfileError> {
        let target = Platform { os: "linux".to_owned(), arch: "amd64".to_owned(), os_version: None };
        let surroundings = Surroundings { target, arguments: BTreeMap::new() };
        Ok(Syntax::parse(text, None)?.resolve(&surroundings))
    }

    /// Whether another build makes the same of the file, but for the architectures.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.errors == other.errors
            && self.stages.len() == other.stages.len()
            && self.stages.iter().zip(&other.stages).all(|(one, other)| one.says_the_same(other))
    }

    /// The stage of a number, and behind it those that it continues: what is in the last of them is in all.
    pub fn chain(&self, number: usize) -> Vec<&Stage> {
        let mut chain = Vec::new();
        let mut next = Some(number);
        while let Some(stage) = next.and_then(|number| self.stages.get(number)) {
            chain.push(stage);
            next = stage.continues;
        }
        chain
    }

    /// The stage that COPY or a mount names by its name or, as COPY may, by its number.
    pub fn stage(&self, name: &str) -> Option<usize> {
        if let Some(number) = self.names.get(&name.to_lowercase()) {
            return Some(*number);
        }
        name.parse().ok().filter(|number| *number < self.stages.len())
    }
}
