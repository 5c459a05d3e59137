//! Variables of a Makefile, with the places in it that their values come from.

use super::dockerfile::Traced;
use crate::text::{Span, Text};

/// A value that a variable may have.
#[derive(Debug, Clone)]
pub struct MakeText {
    /// The value, with the variables in it replaced.
    pub value: Traced,
    /// Where it is given to the variable.
    pub span: Span,
}

/// How many values a variable may have, over all that it is made of.
const MAX_VALUES: usize = 16;

/// How many variables may be replaced for one value.
const MAX_STEPS: usize = 64;

/// How long a value may become, in bytes.
const MAX_LENGTH: usize = 4096;

/// All values that a variable may have, as assignments under conditions give them: `=` and `:=` replace what came before, `?=` gives a
/// value where there is none. Variables that are to be `kept` stand in it as `$NAME`. `None` where only make can tell: a function, a
/// variable in it that the file does not set, `+=`, a value of several lines. None at all where the file does not set it.
pub fn values(makefile: &Text, name: &str, kept: &[&str]) -> Option<Vec<MakeText>> {
    let assignments = assignments(makefile);
    if !assignments.iter().any(|assignment| assignment.name == name) {
        return Some(Vec::new());
    }
    let mut search = Search { assignments: &assignments, kept, steps: MAX_STEPS };
    search.values(name)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    /// `=`, `:=`, `::=` and `:::=`.
    Set,
    /// `?=`
    Default,
    /// All others, and what cannot be read.
    Other,
}

/// A place that gives a variable a value.
struct Assignment<'t> {
    name: &'t str,
    operator: Operator,
    value: &'t str,
    span: Span,
    /// Whether it holds only now and then: under a condition, or for one target.
    is_conditional: bool,
}

/// The assignments of a Makefile, without those of commands.
fn assignments(makefile: &Text) -> Vec<Assignment<'_>> {
    let mut found = Vec::new();
    let mut conditions = 0_usize;
    let mut defined = false;
    let mut is_continued = false;
    for (place, line) in makefile.lines() {
        let was_continued = std::mem::replace(&mut is_continued, line.trim_end().ends_with('\\'));
        let mut words = line.split_whitespace().skip_while(|word| MODIFIERS.contains(word));
        match words.next() {
            Some("endef") => defined = false,
            _ if defined || was_continued || line.starts_with('\t') => {}
            Some("ifeq" | "ifneq" | "ifdef" | "ifndef") => conditions += 1,
            Some("endif") => conditions = conditions.saturating_sub(1),
            Some("define") => {
                defined = true;
                let name = words.next().unwrap_or_default();
                found.push(Assignment {
                    name,
                    operator: Operator::Other,
                    value: "",
                    span: place,
                    is_conditional: true,
                });
            }
            Some(word) if word.starts_with('#') => {}
            _ => found.extend(assignment(line, place.start, conditions > 0)),
        }
    }
    found
}

/// What may stand before a variable.
const MODIFIERS: [&str; 4] = ["export", "override", "private", "unexport"];

/// The assignment that a line is.
fn assignment(line: &str, start: usize, is_conditional: bool) -> Option<Assignment<'_>> {
    let (left, right) = line.split_once('=')?;
    let name = left.trim_end_matches([':', '?', '+', '!']);
    let operator = match &left[name.len()..] {
        "" | ":" | "::" | ":::" => Operator::Set,
        "?" => Operator::Default,
        _ => Operator::Other,
    };
    // Before the name may stand a target with its colon.
    let name = name.trim_end();
    let of_target = name.contains(':');
    let name = name.rsplit([' ', '\t', ':']).next().filter(|name| !name.is_empty())?;
    let uncommented = right.split('#').next().unwrap_or_default();
    let value = uncommented.trim().trim_matches(['"', '\'']);
    let begin = start + left.len() + 1 + (uncommented.len() - uncommented.trim_start().len());
    let begin = begin + uncommented.trim_start().len() - uncommented.trim_start().trim_start_matches(['"', '\'']).len();
    let operator = if right.trim_end().ends_with('\\') { Operator::Other } else { operator };
    let span = begin..begin + value.len();
    Some(Assignment { name, operator, value, span, is_conditional: is_conditional || of_target })
}

struct Search<'a> {
    assignments: &'a [Assignment<'a>],
    kept: &'a [&'a str],
    steps: usize,
}

impl<'a> Search<'a> {
    fn values(&mut self, name: &str) -> Option<Vec<MakeText>> {
        self.steps = self.steps.checked_sub(1)?;
        let mut values = Vec::new();
        for assignment in self.holding(name)? {
            for value in self.expand(assignment.value, assignment.span.start)? {
                values.push(MakeText { value, span: assignment.span.clone() });
            }
        }
        (!values.is_empty() && values.len() <= MAX_VALUES).then_some(values)
    }

    /// The assignments that may be the last to hold.
    fn holding(&self, name: &str) -> Option<Vec<&'a Assignment<'a>>> {
        let mut holding = Vec::new();
        let mut is_set = false;
        for assignment in self.assignments.iter().filter(|assignment| assignment.name == name) {
            match (assignment.operator, assignment.is_conditional) {
                (Operator::Other, _) => return None,
                (Operator::Default, _) if is_set => {}
                (Operator::Set | Operator::Default, true) => holding.push(assignment),
                (Operator::Set, false) => {
                    holding = vec![assignment];
                    is_set = true;
                }
                (Operator::Default, false) => {
                    holding.push(assignment);
                    is_set = true;
                }
            }
        }
        Some(holding)
    }

    /// All that a value may be when the variables in it are replaced.
    fn expand(&mut self, value: &str, start: usize) -> Option<Vec<Traced>> {
        let mut expanded = vec![Traced::default()];
        let mut rest = value;
        while let Some(dollar) = rest.find('$') {
            let at = start + value.len() - rest.len();
            let behind = &rest[dollar + 1..];
            let (name, length) = match behind.chars().next()? {
                '(' => (&behind[1..behind.find(')')?], behind.find(')')? + 1),
                '{' => (&behind[1..behind.find('}')?], behind.find('}')? + 1),
                single => (&behind[..single.len_utf8()], single.len_utf8()),
            };
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return None;
            }
            let inner = if self.kept.contains(&name) {
                vec![Traced::made_up(&format!("${name}"))]
            } else {
                self.values(name)?.into_iter().map(|text| text.value).collect()
            };
            if expanded.len() * inner.len() > MAX_VALUES {
                return None;
            }
            let mut longer = Vec::new();
            for before in &expanded {
                for middle in &inner {
                    let mut whole = before.clone();
                    whole.push_at(&rest[..dollar], at);
                    whole.append(middle);
                    longer.push(whole);
                }
            }
            expanded = longer;
            rest = &behind[length..];
        }
        let at = start + value.len() - rest.len();
        for whole in &mut expanded {
            whole.push_at(rest, at);
        }
        expanded.iter().all(|whole| whole.as_str().len() <= MAX_LENGTH).then_some(expanded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(makefile: &str) -> Vec<String> {
        match values(&Text::from(makefile), "BASE", &["REGISTRY"]) {
            Some(values) => values.iter().map(|text| text.value.as_str().to_owned()).collect(),
            None => vec!["?".to_owned()],
        }
    }

    #[test]
    fn assignments_hold_as_make_has_them() {
        assert_eq!(texts("BASE ?= a:1 # one\n"), ["a:1"]);
        assert_eq!(texts("BASE=a:1\nBASE ?= a:2\n"), ["a:1"]);
        assert_eq!(texts("BASE=a:1\nexport BASE := \"a:2\"\n"), ["a:2"]);
        assert_eq!(texts("ifdef X\nBASE=a:1\nelse\nBASE=a:2\nendif\n"), ["a:1", "a:2"]);
        assert_eq!(texts("BASE=a:1\nwin: BASE = b:1\n"), ["a:1", "b:1"]);
        assert_eq!(texts("all:\n\tBASE=a:1 make\n"), Vec::<String>::new());
        assert_eq!(texts("BASE = a:1\nBASE += b\n"), ["?"]);
        assert_eq!(texts("BASE = a:\\\n 1\n"), ["?"]);
        assert_eq!(texts("define BASE\na:1\nendef\n"), ["?"]);
    }

    #[test]
    fn variables_in_values_are_replaced_as_far_as_the_file_tells() {
        assert_eq!(texts("V=1.0\nR = x.io\nBASE=${R}/a:$(V)\n"), ["x.io/a:1.0"]);
        assert_eq!(texts("REGISTRY = x.io\nBASE=$(REGISTRY)/a:1\n"), ["$REGISTRY/a:1"]);
        assert_eq!(texts("BASE=$(R)/a:1\n"), ["?"]);
        assert_eq!(texts("BASE=a:$(shell cat VERSION)\n"), ["?"]);
        assert_eq!(texts("BASE=$(BASE)\n"), ["?"]);
        let makefile = Text::from("BASE ?= x.io/a:$(V)\nV = 1.0\n");
        let found = values(&makefile, "BASE", &[]).expect("a value");
        let span = found[0].value.span(7..10).expect("it stands in one place");
        assert_eq!((makefile.slice(&span), makefile.slice(&found[0].span)), ("1.0", "x.io/a:$(V)"));
    }
}
