//! Words as the shell of buildkit reads them: quotes, escapes, variables in all their forms, and what begins a heredoc.
//!
//! The measure is `frontend/dockerfile/shell/lex.go`. It differs from a real shell in many ways, and so does this.

use std::cell::Cell;

use super::traced::Traced;

/// How deep variables may stand within each other.
const MAX_DEPTH: usize = 64;

/// The longest value that variables are replaced in, in bytes: defaults that double each other would exhaust the memory.
const MAX_EXPANDED: usize = 4096;

/// What is known of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable<'v> {
    /// It has this value.
    Set(&'v Expanded),
    /// The build gives it a value that is not empty and that nothing in the tree tells.
    Given,
    /// It has no value unless somebody gives it one.
    Unset,
}

/// Where variables get their values.
pub(super) trait Scope {
    /// What is known of a variable.
    fn variable(&self, name: &str) -> Variable<'_>;
}

/// A word that was expanded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Expanded {
    pub(super) value: Traced,
    /// The variables in it whose values only the build knows; they stand in the value as `${name}`.
    pub(super) unknown: Vec<String>,
}

/// Why a word cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ShellError {
    /// buildkit does not accept it.
    Syntax(String),
    /// It is beyond what is read here.
    Limit(String),
}

impl ShellError {
    pub(super) fn into_message(self) -> String {
        match self {
            Self::Syntax(message) | Self::Limit(message) => message,
        }
    }
}

fn syntax(message: &str) -> ShellError {
    ShellError::Syntax(message.to_owned())
}

/// What all expansions of a file may cost together, in steps.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Budget {
    pub(super) fn new() -> Self {
        Self(Cell::new(20_000_000))
    }

    /// Takes steps, or says that there are none left.
    pub(super) fn spend(&self, steps: usize) -> Result<(), ShellError> {
        let left = self.0.get().checked_sub(steps);
        self.0.set(left.unwrap_or_default());
        left.map(drop).ok_or_else(|| ShellError::Limit("its variables are too many to follow".to_owned()))
    }
}

/// Expands a word. An error says what buildkit would not accept.
pub(super) fn expand(word: &Traced, escape: char, scope: &dyn Scope, budget: &Budget) -> Result<Expanded, ShellError> {
    if !word.contains(['$', '"', '\'', '\u{feff}', escape]) {
        return Ok(Expanded { value: word.clone(), unknown: Vec::new() });
    }
    budget.spend(word.len())?;
    let mut lexer = Lexer::new(word, escape, Some(scope), budget);
    let value = lexer.until(None, false)?;
    Ok(Expanded { value, unknown: lexer.unknown })
}

/// The words of a command, with quotes and escapes as they are written and variables untouched, as they are looked through for
/// heredocs. As for buildkit, there are none where a quote or a variable does not end.
pub(super) fn raw_words(command: &Traced, budget: &Budget) -> Result<Vec<String>, ShellError> {
    let mut lexer = Lexer::new(command, '\\', None, budget);
    lexer.keeps_quotes = true;
    lexer.keeps_escapes = true;
    lexer.words(true)
}

/// What a word of a heredoc stands for when its quotes are kept or taken off; `None` where it is not one word.
pub(super) fn single_word(word: &Traced, budget: &Budget) -> Result<Option<String>, ShellError> {
    let mut lexer = Lexer::new(word, '\\', None, budget);
    let mut words = lexer.words(false)?;
    Ok(if words.len() == 1 { words.pop() } else { None })
}

struct Lexer<'a> {
    source: &'a Traced,
    position: usize,
    escape: char,
    /// `None` leaves variables as they are written.
    scope: Option<&'a dyn Scope>,
    budget: &'a Budget,
    keeps_quotes: bool,
    keeps_escapes: bool,
    depth: usize,
    unknown: Vec<String>,
    /// The word that is being read; words within variables begin it anew, as in buildkit.
    word: String,
    words: Vec<String>,
    is_in_word: bool,
}

impl<'a> Lexer<'a> {
    fn new(source: &'a Traced, escape: char, scope: Option<&'a dyn Scope>, budget: &'a Budget) -> Self {
        // The scanner that BuildKit uses takes this mark for no part of what it reads.
        let position = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self {
            source,
            position,
            escape,
            scope,
            budget,
            keeps_quotes: false,
            keeps_escapes: false,
            depth: 0,
            unknown: Vec::new(),
            word: String::new(),
            words: Vec::new(),
            is_in_word: false,
        }
    }

    fn words(&mut self, keeps_escapes: bool) -> Result<Vec<String>, ShellError> {
        self.until(None, keeps_escapes)?;
        Ok(std::mem::take(&mut self.words))
    }

    fn peek(&self) -> Option<char> {
        self.source[self.position..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.position += character.len_utf8();
        Some(character)
    }

    /// Reads one character and adds it.
    fn take_into(&mut self, result: &mut Traced) -> Option<char> {
        let at = self.position;
        let character = self.next()?;
        result.push_from(character, self.source, at);
        Some(character)
    }

    fn add_to_word(&mut self, character: char) {
        if !character.is_whitespace() {
            self.word.push(character);
            self.is_in_word = true;
        } else if self.is_in_word && !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
            self.is_in_word = false;
        }
    }

    fn add_raw(&mut self, text: &str) {
        self.word.push_str(text);
        self.is_in_word = true;
    }

    /// Reads up to a character, which is taken, or to the end.
    fn until(&mut self, stop: Option<char>, keeps_escapes: bool) -> Result<Traced, ShellError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ShellError::Limit("variables stand too deep within each other".to_owned()));
        }
        let outer = std::mem::replace(&mut self.keeps_escapes, keeps_escapes);
        let outer_words = std::mem::take(&mut self.words);
        let is_in_word = std::mem::take(&mut self.is_in_word);
        self.word.clear();
        let read = self.read_until(stop);
        if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
        if stop.is_some() {
            self.words = outer_words;
            self.is_in_word = is_in_word;
        }
        self.keeps_escapes = outer;
        self.depth -= 1;
        read
    }

    fn read_until(&mut self, stop: Option<char>) -> Result<Traced, ShellError> {
        let mut result = Traced::default();
        while let Some(character) = self.peek() {
            if stop == Some(character) {
                self.next();
                return Ok(result);
            }
            match character {
                '$' => {
                    let value = self.variable()?;
                    for character in value.chars() {
                        self.add_to_word(character);
                    }
                    self.append(&mut result, &value)?;
                }
                '\'' | '"' => {
                    let quoted = if character == '"' { self.double_quoted()? } else { self.single_quoted()? };
                    self.add_raw(&quoted);
                    result.append(&quoted);
                }
                '<' => {
                    let opening = self.heredoc_opening();
                    self.add_raw(&opening);
                    result.append(&opening);
                }
                character if character == self.escape => {
                    if self.keeps_escapes {
                        self.take_into(&mut result);
                        self.word.push(character);
                        self.is_in_word = true;
                    } else {
                        self.next();
                    }
                    let Some(escaped) = self.take_into(&mut result) else { break };
                    self.word.push(escaped);
                    self.is_in_word = true;
                }
                character => {
                    self.take_into(&mut result);
                    self.add_to_word(character);
                }
            }
        }
        match stop {
            Some(stop) => {
                Err(ShellError::Syntax(format!("unexpected end of statement while looking for matching {stop}")))
            }
            None => Ok(result),
        }
    }

    /// Adds what a variable stands for, as long as the whole stays as short as names of images and files are.
    fn append(&self, result: &mut Traced, value: &Traced) -> Result<(), ShellError> {
        self.budget.spend(value.len())?;
        if self.scope.is_some() && value.len() + result.len() > MAX_EXPANDED {
            return Err(ShellError::Limit(format!("its variables make it longer than {MAX_EXPANDED} bytes")));
        }
        result.append(value);
        Ok(())
    }

    fn single_quoted(&mut self) -> Result<Traced, ShellError> {
        let mut result = Traced::default();
        let at = self.position;
        self.next();
        if self.keeps_quotes {
            result.push_from('\'', self.source, at);
        }
        loop {
            match self.peek() {
                None => return Err(syntax("unexpected end of statement while looking for matching single-quote")),
                Some('\'') => {
                    if self.keeps_quotes {
                        self.take_into(&mut result);
                    } else {
                        self.next();
                    }
                    return Ok(result);
                }
                Some(_) => drop(self.take_into(&mut result)),
            }
        }
    }

    fn double_quoted(&mut self) -> Result<Traced, ShellError> {
        let mut result = Traced::default();
        let at = self.position;
        self.next();
        if self.keeps_quotes {
            result.push_from('"', self.source, at);
        }
        loop {
            match self.peek() {
                None => return Err(syntax("unexpected end of statement while looking for matching double-quote")),
                Some('"') => {
                    if self.keeps_quotes {
                        self.take_into(&mut result);
                    } else {
                        self.next();
                    }
                    return Ok(result);
                }
                Some('$') => {
                    let value = self.variable()?;
                    self.append(&mut result, &value)?;
                }
                Some(character) if character == self.escape => self.escaped_in_quotes(&mut result),
                Some(_) => drop(self.take_into(&mut result)),
            }
        }
    }

    /// Within double quotes only some characters can be escaped; before others the escape character is one like all.
    fn escaped_in_quotes(&mut self, result: &mut Traced) {
        let at = self.position;
        self.next();
        if self.keeps_escapes {
            result.push_from(self.escape, self.source, at);
        }
        match self.peek() {
            None => {}
            Some(escaped) if matches!(escaped, '"' | '$') || escaped == self.escape => drop(self.take_into(result)),
            Some(_) => result.push_from(self.escape, self.source, at),
        }
    }

    /// `<`, or `<<` with the blanks behind it, which belong to the word that a heredoc is.
    fn heredoc_opening(&mut self) -> Traced {
        let mut result = Traced::default();
        self.take_into(&mut result);
        if self.peek() == Some('<') {
            self.take_into(&mut result);
            while matches!(self.peek(), Some('\t' | '\r' | ' ')) {
                self.take_into(&mut result);
            }
        }
        result
    }

    /// What a dollar sign begins.
    fn variable(&mut self) -> Result<Traced, ShellError> {
        let begin = self.position;
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok(self.source.part(begin..self.position));
            }
            return Ok(self.plain(&name, begin));
        }
        self.next();
        match self.peek() {
            None => return Err(syntax("syntax error: missing '}'")),
            Some('{' | '}' | ':') => return Err(syntax("syntax error: bad substitution")),
            Some(_) => {}
        }
        let name = self.name();
        match self.next() {
            Some('}') => Ok(self.plain(&name, begin)),
            Some(':') => {
                let operator = self.next();
                self.conditional(&name, begin, operator, true)
            }
            Some(operator @ ('+' | '-' | '?')) => self.conditional(&name, begin, Some(operator), false),
            Some(operator @ ('#' | '%')) => self.trimmed(&name, begin, operator == '#'),
            Some('/') => self.replaced(&name, begin),
            Some(other) => Err(ShellError::Syntax(format!("unsupported modifier ({other}) in substitution"))),
            None => Err(syntax("syntax error: missing '}'")),
        }
    }

    fn name(&mut self) -> String {
        let begin = self.position;
        match self.peek() {
            Some(digit) if digit.is_numeric() => {
                while self.peek().is_some_and(char::is_numeric) {
                    self.next();
                }
            }
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => drop(self.next()),
            _ => {
                while self.peek().is_some_and(|character| character.is_alphanumeric() || character == '_') {
                    self.next();
                }
            }
        }
        self.source[begin..self.position].to_owned()
    }

    fn look_up(&self, name: &str) -> Option<Variable<'a>> {
        Some(self.scope?.variable(name))
    }

    /// A variable whose value is not known, as it is written from `begin` on, or in its shortest form.
    fn unknown(&mut self, name: &str, begin: usize) -> Traced {
        if self.scope.is_none() {
            return self.source.part(begin..self.position);
        }
        self.unknown.push(name.to_owned());
        Traced::made_up(&["${", name, "}"].concat())
    }

    /// `$name` or `${name}`, which stays as it is written where it is not known.
    fn plain(&mut self, name: &str, begin: usize) -> Traced {
        if let Some(Variable::Set(value)) = self.look_up(name) {
            return self.known(value);
        }
        if self.scope.is_some() {
            self.unknown.push(name.to_owned());
        }
        self.source.part(begin..self.position)
    }

    /// A value, in which others may not be known.
    fn known(&mut self, value: &Expanded) -> Traced {
        self.unknown.extend_from_slice(&value.unknown);
        value.value.clone()
    }

    /// The value of a variable, where all of it is known.
    fn wholly_known(&self, name: &str) -> Option<&'a Traced> {
        match self.look_up(name) {
            Some(Variable::Set(value)) if value.unknown.is_empty() => Some(&value.value),
            _ => None,
        }
    }

    /// `${name-word}`, `${name+word}` and `${name?word}`, with or without a colon.
    fn conditional(
        &mut self,
        name: &str,
        begin: usize,
        operator: Option<char>,
        empty_is_unset: bool,
    ) -> Result<Traced, ShellError> {
        let Some(operator @ ('+' | '-' | '?')) = operator else {
            return Err(syntax("unsupported modifier in substitution"));
        };
        let known = self.unknown.len();
        let word = self.until(Some('}'), false)?;
        let of_word = self.unknown.split_off(known);
        let found = self.look_up(name);
        let value = match found {
            Some(Variable::Set(value)) if !(empty_is_unset && value.value.is_empty()) => Some(value),
            _ => None,
        };
        let is_unset = matches!(found, Some(Variable::Set(_) | Variable::Unset)) && value.is_none();
        // In another build something else may stand in its place: it is not what can be rewritten.
        let word = if self.scope.is_some() { Traced::made_up(&word) } else { word };
        match (operator, value) {
            ('+', Some(_)) => {}
            ('+', None) if matches!(found, Some(Variable::Given)) => {}
            ('+', None) if is_unset => return Ok(Traced::default()),
            ('-', None) if is_unset => {}
            (_, Some(value)) => return Ok(self.known(value)),
            (_, None) => return Ok(self.unknown(name, begin)),
        }
        self.unknown.extend(of_word);
        Ok(word)
    }

    /// `${name#pattern}` and `${name%pattern}`; twice the character takes off as much as possible.
    fn trimmed(&mut self, name: &str, begin: usize, is_prefix: bool) -> Result<Traced, ShellError> {
        let pattern = self.until(Some('}'), true)?;
        let Some(value) = self.wholly_known(name) else { return Ok(self.unknown(name, begin)) };
        let longest = pattern.strip_prefix(if is_prefix { '#' } else { '%' });
        let tokens = tokens(longest.unwrap_or(&pattern))?;
        self.budget.spend((tokens.len() + 1) * (value.len() + 1))?;
        let characters: Vec<(usize, char)> = value.char_indices().collect();
        if is_prefix {
            let characters = characters.iter().map(|(_, character)| *character).collect::<Vec<_>>();
            let length = match_length(&tokens, &characters, longest.is_some()).unwrap_or(0);
            let bytes: usize = characters[..length].iter().map(|character| character.len_utf8()).sum();
            return Ok(value.part(bytes..value.len()));
        }
        let backwards: Vec<char> = characters.iter().rev().map(|(_, character)| *character).collect();
        let tokens: Vec<Token> = tokens.into_iter().rev().collect();
        let length = match_length(&tokens, &backwards, longest.is_some()).unwrap_or(0);
        let end = characters.len() - length;
        Ok(value.part(0..characters.get(end).map_or(value.len(), |(offset, _)| *offset)))
    }

    /// `${name/pattern/replacement}`; two slashes replace all.
    fn replaced(&mut self, name: &str, begin: usize) -> Result<Traced, ShellError> {
        let is_for_all = self.peek() == Some('/');
        if is_for_all {
            self.next();
        }
        let pattern = self.until(Some('/'), true)?;
        let replacement = self.until(Some('}'), true)?;
        let Some(value) = self.wholly_known(name) else { return Ok(self.unknown(name, begin)) };
        // What a dollar sign means in a replacement of all is a matter of Go's regular expressions.
        if is_for_all && replacement.contains('$') {
            return Ok(self.unknown(name, begin));
        }
        let tokens = tokens(&pattern)?;
        let characters: Vec<(usize, char)> = value.char_indices().collect();
        let only: Vec<char> = characters.iter().map(|(_, character)| *character).collect();
        let mut result = Traced::default();
        let (mut copied, mut at) = (0, 0);
        while at <= only.len() {
            self.budget.spend((tokens.len() + 1) * (only.len() - at + 1))?;
            let Some(length) = match_length(&tokens, &only[at..], true) else {
                at += 1;
                continue;
            };
            // An empty match right behind another one is none.
            if length > 0 || at > copied || at == 0 {
                result.append_part(value, offset_of(&characters, copied, value)..offset_of(&characters, at, value));
                self.append(&mut result, &replacement)?;
                copied = at + length;
            }
            at += length.max(1);
            if !is_for_all {
                break;
            }
        }
        result.append_part(value, offset_of(&characters, copied, value)..value.len());
        Ok(result)
    }
}

/// Where a character of a value begins; the end of the value behind the last one.
fn offset_of(characters: &[(usize, char)], index: usize, value: &str) -> usize {
    characters.get(index).map_or(value.len(), |(offset, _)| *offset)
}

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Any,
    Many,
    One(char),
}

fn tokens(pattern: &str) -> Result<Vec<Token>, ShellError> {
    let mut tokens = Vec::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => Token::Many,
            '?' => Token::Any,
            '\\' if matches!(characters.peek(), Some('}' | '/')) => continue,
            '\\' => match characters.next() {
                Some(escaped @ ('*' | '?' | '\\')) => Token::One(escaped),
                other => {
                    let escaped = other.map(String::from).unwrap_or_default();
                    let message = format!("invalid pattern ({pattern}) in substitution: invalid escape '\\{escaped}'");
                    return Err(ShellError::Syntax(message));
                }
            },
            other => Token::One(other),
        });
    }
    Ok(tokens)
}

/// How many characters at the beginning match, as many or as few as possible; `None` where none do.
fn match_length(tokens: &[Token], characters: &[char], longest: bool) -> Option<usize> {
    // The tokens that may come next, after each character.
    let mut reached = vec![false; tokens.len() + 1];
    let mut best = None;
    reach(&mut reached, tokens, 0);
    for length in 0..=characters.len() {
        if reached[tokens.len()] {
            best = Some(length);
            if !longest {
                return best;
            }
        }
        let Some(character) = characters.get(length) else { break };
        let mut next = vec![false; tokens.len() + 1];
        for (number, token) in tokens.iter().enumerate().filter(|(number, _)| reached[*number]) {
            match token {
                Token::Many => reach(&mut next, tokens, number),
                Token::Any => reach(&mut next, tokens, number + 1),
                Token::One(wanted) if wanted == character => reach(&mut next, tokens, number + 1),
                Token::One(_) => {}
            }
        }
        reached = next;
    }
    best
}

/// Marks a token, and those behind it where it may stand for nothing.
fn reach(reached: &mut [bool], tokens: &[Token], mut number: usize) {
    while !reached[number] {
        reached[number] = true;
        if tokens.get(number) != Some(&Token::Many) {
            break;
        }
        number += 1;
    }
}
