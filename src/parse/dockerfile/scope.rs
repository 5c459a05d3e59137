//! What variables stand for: before the first stage, and within each one.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::shell::{Expanded, Scope, Variable};
use super::traced::Traced;
use crate::parse::baseimage::Platform;

/// A value that the build gives to an argument, whatever its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// It is not empty, and nothing in the Dockerfile tells what it is.
    Unknown,
    /// This one.
    Value(String),
}

/// What a build brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// What it builds for.
    pub target: Platform,
    /// The arguments that it always gives.
    pub arguments: BTreeMap<String, Given>,
}

/// What is known of one variable.
#[derive(Debug, Clone)]
enum Entry {
    Set(Expanded),
    Given,
    /// An argument without a default.
    Declared,
}

impl Entry {
    fn variable(&self) -> Variable<'_> {
        match self {
            Self::Set(value) => Variable::Set(value),
            Self::Given => Variable::Given,
            Self::Declared => Variable::Unset,
        }
    }

    fn of_given(given: &Given) -> Self {
        match given {
            Given::Unknown => Self::Given,
            Given::Value(value) => Self::Set(made_up(value)),
        }
    }

    fn of_default(default: Option<Expanded>) -> Self {
        match default {
            Some(Expanded { value, unknown }) => Self::Set(Expanded { value: value.overridable(), unknown }),
            None => Self::Declared,
        }
    }
}

fn made_up(value: &str) -> Expanded {
    Expanded { value: Traced::made_up(value), unknown: Vec::new() }
}

/// The variables of a file: those that FROM knows, and those of every stage.
#[derive(Debug)]
pub(super) struct Scopes<'s> {
    surroundings: &'s Surroundings,
    global: HashMap<String, Entry>,
    stages: Vec<StageScope>,
    /// The names that any stage defines: of others no stage need be asked.
    names: HashSet<String>,
    /// How many more stages may be asked for a variable, of files with thousands that continue each other.
    patience: Cell<usize>,
}

/// How many stages are asked for variables at most.
const PATIENCE: usize = 5_000_000;

#[derive(Debug, Default)]
struct StageScope {
    /// The nearest stage that this one continues and that has variables.
    outer: Option<usize>,
    variables: HashMap<String, Entry>,
}

/// What FROM knows.
pub(super) struct Global<'s>(&'s Scopes<'s>);

/// What the instructions of the last stage know.
pub(super) struct Local<'s>(&'s Scopes<'s>);

impl<'s> Scopes<'s> {
    /// The scopes of a file without a stage. `last_stage` is the name of its last one.
    pub(super) fn new(surroundings: &'s Surroundings, last_stage: Option<&str>) -> Self {
        let target = &surroundings.target;
        // As buildx understands the platform that it is asked for.
        let variant = if target.arch == "arm" { "v7" } else { "" };
        let platform = [target.os.as_str(), &target.arch, variant].join("/");
        let predefined = [
            ("BUILDPLATFORM", "linux/amd64"),
            ("BUILDOS", "linux"),
            ("BUILDOSVERSION", ""),
            ("BUILDARCH", "amd64"),
            ("BUILDVARIANT", ""),
            ("TARGETPLATFORM", platform.trim_end_matches('/')),
            ("TARGETOS", &target.os),
            ("TARGETOSVERSION", ""),
            ("TARGETARCH", &target.arch),
            ("TARGETVARIANT", variant),
            ("TARGETSTAGE", last_stage.unwrap_or("default")),
        ];
        let mut global = HashMap::new();
        for (name, value) in predefined {
            global.insert(name.to_owned(), Entry::Set(made_up(value)));
        }
        let (stages, names) = (Vec::new(), HashSet::new());
        Self { surroundings, global, stages, names, patience: Cell::new(PATIENCE) }
    }

    pub(super) fn global(&'s self) -> Global<'s> {
        Global(self)
    }

    pub(super) fn local(&'s self) -> Local<'s> {
        Local(self)
    }

    /// Whether the build gives a value to an argument whatever is asked of it.
    pub(super) fn is_always_given(&self, name: &str) -> bool {
        self.surroundings.arguments.contains_key(name)
    }

    /// Declares an argument before the first stage.
    pub(super) fn declare_globally(&mut self, name: &str, default: Option<Expanded>) {
        let known = match self.surroundings.arguments.get(name) {
            Some(given) => Entry::of_given(given),
            // What is predefined, or was declared with a default, keeps its value.
            None if default.is_none() && self.global.contains_key(name) => return,
            None => Entry::of_default(default),
        };
        self.global.insert(name.to_owned(), known);
    }

    /// Begins a stage, which has the variables of the one that it continues.
    pub(super) fn begin_stage(&mut self, continues: Option<usize>) {
        let outer = continues.and_then(|number| {
            let scope = self.stages.get(number)?;
            if scope.variables.is_empty() { scope.outer } else { Some(number) }
        });
        self.stages.push(StageScope { outer, variables: HashMap::new() });
    }

    /// Declares an argument in the last stage: without a default it has the value that it has before the first stage.
    pub(super) fn declare(&mut self, name: &str, default: Option<Expanded>) {
        let known = match (self.surroundings.arguments.get(name), default) {
            (Some(given), _) => Entry::of_given(given),
            (None, Some(default)) => Entry::of_default(Some(default)),
            (None, None) => self.global.get(name).cloned().unwrap_or_else(|| Entry::of_default(None)),
        };
        self.insert(name, known);
    }

    /// Sets a variable in the last stage, as ENV does.
    pub(super) fn set(&mut self, name: &str, value: Expanded) {
        self.insert(name, Entry::Set(value));
    }

    fn insert(&mut self, name: &str, known: Entry) {
        if let Some(stage) = self.stages.last_mut() {
            stage.variables.insert(name.to_owned(), known);
            self.names.insert(name.to_owned());
        }
    }

    fn find_local(&self, name: &str) -> Option<&Entry> {
        let mut number = self.stages.len().checked_sub(1).filter(|_| self.names.contains(name));
        while let Some(scope) = number.and_then(|number| self.stages.get(number)) {
            if let Some(known) = scope.variables.get(name) {
                return Some(known);
            }
            let Some(left) = self.patience.get().checked_sub(1) else { return Some(&Entry::Given) };
            self.patience.set(left);
            number = scope.outer;
        }
        None
    }
}

impl Scope for Global<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        match self.0.global.get(name) {
            Some(known) => known.variable(),
            // The build script may give it although it is not declared.
            None if self.0.surroundings.arguments.contains_key(name) => Variable::Given,
            None => Variable::Unset,
        }
    }
}

impl Scope for Local<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        self.0.find_local(name).map_or(Variable::Unset, Entry::variable)
    }
}

/// Nothing is known.
pub(super) struct Nothing;

impl Scope for Nothing {
    fn variable(&self, _: &str) -> Variable<'_> {
        Variable::Unset
    }
}
