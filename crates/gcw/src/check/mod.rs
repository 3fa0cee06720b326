//! The static checks, and what they leave behind: a program with resolved names and addresses.
//!
//! Every finding is reported; code is generated all the same and thrown away if one is an error.

mod blocks;
mod call;
mod expr;
mod flow;
mod scope;
mod survey;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::ast::{Definition, Routine, Template, TemplateKind};
use crate::diagnostic::Reporter;
use crate::limits::Limits;
use crate::program::{Addr, Expr, NOWHERE, Op, ParamInfo, Program, RoutineInfo, StepInfo, VarRef};
use crate::source::place::{Position, Span};
use crate::value::Value;

use flow::{LoopContext, StepList};
use scope::{Frame, Scope};

/// Checks a definition. The program runs only if the reporter has no errors.
pub fn definition(
    definition: &Definition,
    limits: &Limits,
    report: &mut Reporter<'_>,
) -> Option<Program> {
    let mut routines = BTreeMap::new();
    for (at, routine) in definition.routines.iter().enumerate() {
        routines.entry(routine.name.text.clone()).or_insert(at);
    }
    let mut checker = Checker {
        definition,
        blocking: survey::blocking(definition),
        names: survey::names(definition),
        routines,
        report,
        ops: Vec::new(),
        steps: Vec::new(),
        labels: Vec::new(),
        frames: Vec::new(),
        scopes: Vec::new(),
        lists: Vec::new(),
        loops: Vec::new(),
        depth: 0,
        routine: "main".into(),
        parent: None,
        doing: "",
    };
    let infos: Vec<RoutineInfo> =
        definition.routines.iter().map(|routine| checker.routine(routine)).collect();
    if checker.report.has_errors() {
        return None;
    }
    let main = *checker.routines.get("main")?;
    let Checker { mut ops, steps, labels, .. } = checker;
    ops.iter_mut().for_each(|op| link(op, &labels));
    Some(Program {
        ops,
        steps,
        routines: link_routines(infos, &labels),
        main,
        limits: Arc::new(limits.clone()),
    })
}

fn link_routines(mut infos: Vec<RoutineInfo>, labels: &[Addr]) -> Vec<RoutineInfo> {
    infos.iter_mut().for_each(|info| info.entry = labels[info.entry as usize]);
    infos
}

/// Turns the labels of an operation into addresses.
fn link(op: &mut Op, labels: &[Addr]) {
    use crate::program::ParallelWork;
    let resolve = |label: &mut Addr| {
        if *label != NOWHERE {
            *label = labels[*label as usize];
        }
    };
    match op {
        Op::Jump(to, _)
        | Op::Unless(_, to, _)
        | Op::TryEnter(to, _)
        | Op::RetryCheck(_, to)
        | Op::LoopNext(_, to) => resolve(to),
        Op::Parallel(parallel) => match &mut parallel.work {
            ParallelWork::Branches(branches) => {
                branches.iter_mut().for_each(|(_, branch)| resolve(&mut branch.entry));
            }
            ParallelWork::For(_, branch) => resolve(&mut branch.entry),
        },
        _ => {}
    }
}

struct Checker<'c, 'r> {
    definition: &'c Definition,
    blocking: HashSet<Arc<str>>,
    routines: BTreeMap<Arc<str>, usize>,
    /// Every name that anything in the definition assigns.
    names: BTreeSet<Arc<str>>,
    report: &'c mut Reporter<'r>,
    ops: Vec<Op>,
    steps: Vec<StepInfo>,
    /// The address of each label.
    labels: Vec<Addr>,
    frames: Vec<Frame>,
    scopes: Vec<Scope>,
    lists: Vec<StepList>,
    loops: Vec<LoopContext>,
    /// How many blocks are open in the current frame.
    depth: u16,
    routine: Arc<str>,
    /// The step that is being looked at.
    parent: Option<u32>,
    /// What expressions are looked at for, as deployment errors word it.
    doing: &'static str,
}

impl Checker<'_, '_> {
    fn routine(&mut self, routine: &Routine) -> RoutineInfo {
        self.report.enter_routine(&routine.name.text);
        self.routine = routine.name.text.clone();
        self.depth = 0;
        if &*routine.name.text == "main" && routine.params.len() > 1 {
            let message = "'main' takes one parameter at most: the map of runtime arguments";
            self.report.error("main-params", routine.params[1].name.span, message);
        }
        if crate::stdlib::find(&routine.name.text).is_some() {
            let message = format!("'{}' is a function of the standard library", routine.name.text);
            self.report.error("routine-name", routine.name.span, message);
        }
        self.frames = vec![Frame::default()];
        self.scopes = vec![Scope::default()];
        let mut params = Vec::new();
        for param in &routine.params {
            let default = param.default.as_ref().map(|default| self.default_value(default));
            self.declare(&param.name.text, true);
            params.push(ParamInfo { name: param.name.text.clone(), default });
        }
        for name in survey::assigned(&routine.steps) {
            if self.lookup(&name).is_none() {
                self.declare(&name, false);
            }
        }
        let entry = self.label();
        self.bind(entry);
        self.steps(&routine.steps, true);
        self.emit(Op::Return(Expr::Const(Value::Null), Position::default()));
        let slots = self.frames.pop().unwrap_or_default().slots;
        RoutineInfo { name: routine.name.text.clone(), params, entry, slots }
    }

    /// A default may be an expression over literals; it sees no variables. [?]
    fn default_value(&mut self, default: &Template) -> Expr {
        if let TemplateKind::Literal(value) = &default.kind {
            return Expr::Const(value.clone());
        }
        if survey::suspends(default, &|name| self.is_suspending(name)) {
            let message = "the default of a parameter cannot call sub-workflows";
            self.report.error("default-call", default.span, message);
            return Expr::Const(Value::Null);
        }
        self.template(default, "error evaluating default value")
    }

    fn emit(&mut self, op: Op) {
        self.ops.push(op);
    }

    fn here(&self) -> Addr {
        Addr::try_from(self.ops.len()).expect("the source's size bounds the number of operations")
    }

    fn label(&mut self) -> Addr {
        self.labels.push(NOWHERE);
        Addr::try_from(self.labels.len() - 1).expect("there are fewer labels than operations")
    }

    fn bind(&mut self, label: Addr) {
        self.labels[label as usize] = self.here();
    }

    fn position(&self, span: Span) -> Position {
        self.report.lines().position(span)
    }

    /// A made-up variable of the current frame.
    fn temporary(&mut self) -> VarRef {
        let frame = self.frames.last_mut().expect("code is generated inside a frame only");
        let slot = frame.add(None);
        VarRef { up: 0, slot }
    }
}
