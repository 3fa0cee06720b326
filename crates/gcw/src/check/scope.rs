//! Names to slots. A routine and a branch have a frame each; loops and handlers have a scope
//! inside a frame, whose variables are gone when it ends.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::{Checker, survey};
use crate::ast::{Name, Step};
use crate::diagnostic::nearest;
use crate::program::VarRef;
use crate::source::place::Span;

/// The slots of a frame.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// Their names; made-up slots have none.
    pub slots: Vec<Option<Arc<str>>>,
}

impl Frame {
    /// Adds a slot.
    pub(super) fn add(&mut self, name: Option<Arc<str>>) -> u16 {
        let slot = u16::try_from(self.slots.len()).unwrap_or(u16::MAX);
        self.slots.push(name);
        slot
    }
}

/// The variables of a scope.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// The frame they live in, counted from the routine's.
    frame: usize,
    vars: BTreeMap<Arc<str>, Var>,
    /// For the outermost scope of a branch: the outer variables that it may write.
    shared: Option<HashSet<Arc<str>>>,
}

#[derive(Debug, Clone, Copy)]
struct Var {
    slot: u16,
    /// Whether an assignment was seen further up in the source.
    is_assigned: bool,
}

/// A variable that a name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Where it is.
    pub(super) var: VarRef,
    /// Whether an assignment was seen further up in the source.
    pub(super) is_assigned: bool,
    /// Whether it belongs to an enclosing frame and is not shared with this one.
    pub(super) is_read_only: bool,
    scope: usize,
}

impl Checker<'_, '_> {
    /// Adds a variable to the innermost scope.
    pub(super) fn declare(&mut self, name: &Arc<str>, is_assigned: bool) -> VarRef {
        let frame = self.frames.last_mut().expect("variables are declared inside a frame only");
        let slot = frame.add(Some(name.clone()));
        if frame.slots.len() > usize::from(u16::MAX) {
            self.report.error("too-many-variables", Span::default(), "more than 65535 variables");
        }
        let scope = self.scopes.last_mut().expect("a frame has a scope");
        scope.vars.insert(name.clone(), Var { slot, is_assigned });
        VarRef { up: 0, slot }
    }

    /// The variable of a name, from the innermost scope outwards.
    pub(super) fn lookup(&self, name: &str) -> Option<Found> {
        let current = self.frames.len() - 1;
        let mut is_read_only = false;
        for (at, scope) in self.scopes.iter().enumerate().rev() {
            if let Some(var) = scope.vars.get(name) {
                let up = u16::try_from(current - scope.frame).unwrap_or(u16::MAX);
                let found = VarRef { up, slot: var.slot };
                let is_assigned = var.is_assigned;
                return Some(Found { var: found, is_assigned, is_read_only, scope: at });
            }
            is_read_only |= scope.shared.as_ref().is_some_and(|shared| !shared.contains(name));
        }
        None
    }

    /// The variable that an assignment writes; it counts as assigned from here on.
    pub(super) fn written(&mut self, name: &Name) -> VarRef {
        let Some(found) = self.lookup(&name.text) else {
            return self.declare(&name.text, true);
        };
        if found.is_read_only {
            let message = format!(
                "variable '{}' is assigned in a parallel step but not listed in 'shared'",
                name.text
            );
            self.report.error("not-shared", name.span, message).suggestion =
                Some(format!("add it: shared: [{}]", name.text));
        }
        if let Some(var) = self.scopes[found.scope].vars.get_mut(&name.text) {
            var.is_assigned = true;
        }
        found.var
    }

    /// Opens the scope of a loop's body or a handler: names that no enclosing scope has assigned
    /// so far are its own. Answers their slots.
    pub(super) fn open_scope(&mut self, steps: &[Step]) -> Vec<u16> {
        let names = survey::assigned(steps);
        let own: Vec<Arc<str>> = names.into_iter().filter(|name| !self.is_outer(name)).collect();
        let frame = self.frames.len() - 1;
        self.scopes.push(Scope { frame, ..Scope::default() });
        own.iter().map(|name| self.declare(name, false).slot).collect()
    }

    /// Opens the frame of a branch that may write these outer variables.
    pub(super) fn open_frame(&mut self, shared: &[Name], steps: &[Step]) {
        let names = survey::assigned(steps);
        let own: Vec<Arc<str>> = names.into_iter().filter(|name| !self.is_outer(name)).collect();
        self.frames.push(Frame::default());
        self.scopes.push(Scope {
            frame: self.frames.len() - 1,
            vars: BTreeMap::new(),
            shared: Some(shared.iter().map(|name| name.text.clone()).collect()),
        });
        for name in own {
            self.declare(&name, false);
        }
    }

    fn is_outer(&self, name: &str) -> bool {
        self.lookup(name).is_some_and(|found| found.is_assigned)
    }

    /// Closes the innermost scope.
    pub(super) fn close_scope(&mut self) {
        self.scopes.pop();
    }

    /// Closes the frame of a branch; answers its slots.
    pub(super) fn close_frame(&mut self) -> Vec<Option<Arc<str>>> {
        self.scopes.pop();
        self.frames.pop().map(|frame| frame.slots).unwrap_or_default()
    }

    /// The visible name that a mistyped one may stand for.
    pub(super) fn nearest_symbol(&self, name: &str) -> Option<String> {
        if self.report.is_full() {
            return None;
        }
        let vars = self.scopes.iter().flat_map(|scope| scope.vars.keys());
        let mut names: Vec<&str> = vars.chain(self.routines.keys()).map(|name| &**name).collect();
        names.sort_unstable();
        nearest(name, names.into_iter()).map(str::to_owned)
    }
}
