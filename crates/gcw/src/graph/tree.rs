//! What is drawn: boxes within columns within boxes, and the jumps between them.

use std::sync::Arc;

use jobmill_model::machine::StepName;

use crate::ast::{
    Action, Body, Definition, Jump, Key, Loop, Next, Over, Retry, Step, Template, TemplateKind,
    Try, Work,
};
use crate::source::place::{Lines, Span};
use crate::value::Value;

/// Longer texts are cut.
const CHARS: usize = 44;

/// A definition to be drawn.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    /// The routines.
    pub(super) routines: Vec<Column>,
    /// Every box, by its number.
    pub(super) jumps: Vec<Leap>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Boxes from top to bottom.
#[derive(Debug, Default)]
pub(super) struct Column {
    pub(super) label: String,
    pub(super) kind: Kind,
    pub(super) boxes: Vec<Box>,
    /// How many lanes there are for jumps at its right.
    pub(super) lanes: usize,
    pub(super) area: Area,
    /// The number of its first box; those of the boxes in it follow.
    id: usize,
}

/// What a column is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Steps one after the other.
    #[default]
    Steps,
    /// A handler of errors.
    Except,
    /// A routine.
    Routine,
}

/// A step, or what an entry of a `switch` or a `try` does.
#[derive(Debug, Default)]
pub(super) struct Box {
    pub(super) id: usize,
    /// The step, if it is one.
    pub(super) step: Option<StepName>,
    /// The step that it belongs to: where a way begins that leaves it.
    pub(super) owner: Option<StepName>,
    pub(super) lines: Vec<String>,
    pub(super) look: Look,
    pub(super) columns: Vec<Column>,
    /// Whether what follows is reached from its end.
    pub(super) falls: bool,
    pub(super) area: Area,
    /// How much of its height its own lines take.
    pub(super) head: f64,
}

/// How a box looks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    #[default]
    Plain,
    Call,
    Switch,
    Loop,
    Parallel,
    Try,
    Return,
    Raise,
}

/// A rectangle.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A jump to a step.
#[derive(Debug)]
pub(super) struct Leap {
    /// The box that it leaves.
    pub(super) from: usize,
    /// The line of the box that it leaves.
    pub(super) line: usize,
    /// The column that it stays in, by its number, and the box of it that it goes to.
    pub(super) column: usize,
    pub(super) to: usize,
    pub(super) lane: usize,
    /// The steps at both ends.
    pub(super) way: (Option<StepName>, StepName),
}

impl Column {
    /// Its number.
    pub(super) fn id(&self) -> usize {
        self.id
    }
}

/// Builds the boxes of a definition.
pub(super) fn plant(definition: &Definition, lines: &Lines<'_>) -> Drawing {
    let mut planter = Planter { lines, next: 0, routine: "".into(), scopes: vec![], jumps: vec![] };
    let routines = definition.routines.iter().map(|routine| {
        planter.routine = routine.name.text.clone();
        let params: Vec<&str> = routine.params.iter().map(|param| &*param.name.text).collect();
        let label = match params.as_slice() {
            [] => routine.name.text.to_string(),
            params => format!("{} ({})", routine.name.text, params.join(", ")),
        };
        planter.column(label, Kind::Routine, &routine.steps, true)
    });
    let routines = routines.collect();
    Drawing { routines, jumps: planter.jumps, width: 0.0, height: 0.0 }
}

/// The steps that a jump may go to.
struct Scope {
    column: usize,
    /// The names with the numbers of their boxes.
    names: Vec<(Arc<str>, usize)>,
    is_boundary: bool,
}

struct Planter<'a, 's> {
    lines: &'a Lines<'s>,
    next: usize,
    routine: Arc<str>,
    scopes: Vec<Scope>,
    jumps: Vec<Leap>,
}

impl Planter<'_, '_> {
    fn number(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    fn name(&self, step: &Arc<str>) -> StepName {
        StepName { routine: self.routine.clone(), step: step.clone() }
    }

    fn column(&mut self, label: String, kind: Kind, steps: &[Step], is_boundary: bool) -> Column {
        let id = self.number();
        let numbered = steps.iter().map(|step| (step.name.text.clone(), self.number()));
        let names: Vec<_> = numbered.collect();
        let numbers: Vec<usize> = names.iter().map(|(_, number)| *number).collect();
        self.scopes.push(Scope { column: id, names, is_boundary });
        let boxes = steps.iter().zip(numbers).enumerate().map(|(at, (step, number))| {
            let following = steps.get(at + 1).map(|step| &step.name.text);
            self.step(step, number, following)
        });
        let boxes = boxes.collect();
        self.scopes.pop();
        Column { label: cut(&label), kind, boxes, lanes: 0, area: Area::default(), id }
    }

    fn step(&mut self, step: &Step, id: usize, following: Option<&Arc<str>>) -> Box {
        let name = self.name(&step.name.text);
        let mut one = Box { id, owner: Some(name.clone()), falls: true, ..Box::default() };
        one.lines.push(cut(&step.name.text));
        self.body(&step.body, &mut one, following);
        one.step = Some(name);
        one
    }

    fn body(&mut self, body: &Body, one: &mut Box, following: Option<&Arc<str>>) {
        self.action(&body.action, one);
        if let Some(next) = &body.next {
            let is_next = matches!(&next.target, Jump::Step(name) if Some(name) == following);
            one.falls = is_next;
            if !is_next {
                self.leave(next, one, "");
            }
        }
    }

    /// A line that says where control goes.
    fn leave(&mut self, next: &Next, one: &mut Box, before: &str) {
        let target = match &next.target {
            Jump::End => "end",
            Jump::Break => "break",
            Jump::Continue => "continue",
            Jump::Step(name) => name,
        };
        one.lines.push(cut(&format!("{before}→ {target}")));
        let Jump::Step(name) = &next.target else { return };
        let within = |scope: &Scope| Some(scope.names.iter().find(|(known, _)| known == name)?.1);
        for scope in self.scopes.iter().rev() {
            if let Some(to) = within(scope) {
                self.jumps.push(Leap {
                    from: one.id,
                    line: one.lines.len() - 1,
                    column: scope.column,
                    to,
                    lane: 0,
                    way: (one.owner.clone(), self.name(name)),
                });
                return;
            }
            if scope.is_boundary {
                return;
            }
        }
    }

    fn action(&mut self, action: &Action, one: &mut Box) {
        match action {
            Action::Nothing => {}
            Action::Assign(all) => {
                let names: Vec<&str> = all.iter().map(|one| &*one.target.name.text).collect();
                one.lines.push(cut(&format!("set {}", names.join(", "))));
            }
            Action::Call(call) => {
                one.look = Look::Call;
                one.lines.push(cut(&callee(&call.function.text)));
                if let Some(result) = &call.result {
                    one.lines.push(cut(&format!("= {}", result.text)));
                }
            }
            Action::Switch(cases) => {
                one.look = Look::Switch;
                for case in cases {
                    let condition = format!("if {} ", self.text(case.condition.span));
                    let Action::Nothing = &case.body.action else {
                        let column = self.inner(condition, &case.body, one);
                        one.columns.push(column);
                        continue;
                    };
                    match &case.body.next {
                        Some(next) => {
                            let room = CHARS.saturating_sub(18);
                            self.leave(next, one, &format!("{} ", shortened(&condition, room)));
                        }
                        None => one.lines.push(cut(&condition)),
                    }
                }
            }
            Action::For(each) => {
                one.look = Look::Loop;
                self.each("for", each, one);
            }
            Action::Parallel(parallel) => self.parallel(parallel, one),
            Action::Steps(steps) => {
                one.columns.push(self.column(String::new(), Kind::Steps, steps, false));
            }
            Action::Try(tried) => self.tried(tried, one),
            Action::Raise(value) => {
                (one.look, one.falls) = (Look::Raise, false);
                one.lines.push(cut(&format!("raise {}", self.value(value))));
            }
            Action::Return(value) => {
                (one.look, one.falls) = (Look::Return, false);
                one.lines.push(cut(&format!("return {}", self.value(value))));
            }
        }
    }

    fn parallel(&mut self, parallel: &crate::ast::Parallel, one: &mut Box) {
        one.look = Look::Parallel;
        if let Some(limit) = &parallel.concurrency_limit {
            let text = format!("at most {} at once", self.text(limit.span));
            one.lines.push(cut(&text));
        }
        match &parallel.work {
            Work::For(each) => self.each("parallel for", each, one),
            Work::Branches(branches) => {
                for (name, steps) in branches {
                    let column = self.column(name.text.to_string(), Kind::Steps, steps, true);
                    one.columns.push(column);
                }
            }
        }
    }

    fn each(&mut self, word: &str, each: &Loop, one: &mut Box) {
        let over = match &each.over {
            Over::List(list) => format!("in {}", self.text(list.span)),
            Over::Range(range) => format!("from {}", self.text(range.span)),
        };
        one.lines.push(cut(&format!("{word} {} {over}", each.value.text)));
        one.columns.push(self.column(String::new(), Kind::Steps, &each.steps, true));
    }

    fn tried(&mut self, tried: &Try, one: &mut Box) {
        one.look = Look::Try;
        match &tried.retry {
            None => {}
            Some(Retry::Named(_)) => one.lines.push("try, with retries".to_owned()),
            Some(Retry::Policy(policy)) => {
                let times = policy.max_retries.as_ref().map(|times| self.text(times.span));
                let times = times.map_or(String::new(), |times| format!(" up to {times} times"));
                one.lines.push(cut(&format!("try again{times}")));
            }
        }
        let column = self.inner("try".to_owned(), &tried.body, one);
        one.columns.push(column);
        if let Some(except) = &tried.except {
            let label = format!("except {}", except.name.text);
            one.columns.push(self.column(label, Kind::Except, &except.steps, false));
        }
    }

    /// What an entry of a `switch` or a `try` does, as a column.
    fn inner(&mut self, label: String, body: &Body, owner: &Box) -> Column {
        if let (Action::Steps(steps), None) = (&body.action, &body.next) {
            return self.column(label, Kind::Steps, steps, false);
        }
        let mut column = Column { label: cut(&label), id: self.number(), ..Column::default() };
        let mut one =
            Box { id: self.number(), owner: owner.owner.clone(), falls: true, ..Box::default() };
        self.body(body, &mut one, None);
        column.boxes.push(one);
        column
    }

    /// A value on one line: a map by its keys.
    fn value(&self, value: &Template) -> String {
        let keys = match &value.kind {
            TemplateKind::Map(map) => map.iter().map(|(key, _)| match key {
                Key::Text(text) => text.to_string(),
                Key::Expr(_, span) => self.text(*span),
            }),
            TemplateKind::Literal(Value::Map(map)) => {
                let keys: Vec<&str> = map.iter().map(|(key, _)| &**key).collect();
                return format!("{{{}}}", keys.join(", "));
            }
            TemplateKind::List(list) => return format!("[{} items]", list.len()),
            TemplateKind::Literal(Value::List(list)) => {
                return format!("[{} items]", list.items().len());
            }
            _ => return self.text(value.span),
        };
        format!("{{{}}}", keys.collect::<Vec<_>>().join(", "))
    }

    /// A text of the source on one line.
    fn text(&self, span: Span) -> String {
        let text = self.lines.slice(span).trim().trim_matches(['"', '\'']);
        let inner = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
        inner.unwrap_or(text).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The name of a function; a connector by its service and its method.
fn callee(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts.as_slice() {
        ["googleapis", service, _, .., noun, verb] => format!("{service}: {noun}.{verb}"),
        _ => name.to_owned(),
    }
}

fn cut(text: &str) -> String {
    shortened(text, CHARS)
}

fn shortened(text: &str, most: usize) -> String {
    let text = text.trim_end();
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).collect::<String>() + "…",
    }
}
