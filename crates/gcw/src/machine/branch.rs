//! The state of branches: frames, activations, open blocks.

use std::sync::Arc;

use crate::effect::Await;
use crate::expr::eval::Vars;
use crate::program::{Addr, VarRef};
use crate::source::place::Position;
use crate::value::{List, Value};

use super::raise::Raised;

/// Numbered things; a freed number is used again, last freed first.
#[derive(Debug)]
pub(super) struct Slab<T> {
    items: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { items: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(super) fn insert(&mut self, item: T) -> usize {
        match self.free.pop() {
            Some(at) => {
                self.items[at] = Some(item);
                at
            }
            None => {
                // Most executions have one branch and few frames, and many of them are parked.
                self.items.reserve_exact(usize::from(self.items.len() < 4));
                self.items.push(Some(item));
                self.items.len() - 1
            }
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.items.get(at)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.items.get_mut(at)?.as_mut()
    }

    /// Takes a thing away for a while; its number stays taken.
    pub(super) fn borrow(&mut self, at: usize) -> Option<T> {
        self.items.get_mut(at)?.take()
    }

    /// Gives back what was borrowed.
    pub(super) fn give_back(&mut self, at: usize, item: T) {
        self.items[at] = Some(item);
    }

    /// Frees the number of a thing.
    pub(super) fn remove(&mut self, at: usize) -> Option<T> {
        self.free.push(at);
        self.items.get_mut(at)?.take()
    }

    pub(super) fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, &T)> {
        self.items.iter().enumerate().filter_map(|(at, item)| Some((at, item.as_ref()?)))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().flatten()
    }
}

/// The variables of a routine's or a branch's run.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) slots: Vec<Value>,
    /// The frame of the branch that this one was opened in.
    pub(super) parent: Option<usize>,
}

/// One branch.
#[derive(Debug)]
pub(super) struct Branch {
    /// Open routines, innermost last.
    pub(super) stack: Vec<Activation>,
    /// The group that it belongs to, and its place there.
    pub(super) group: Option<(usize, usize)>,
    /// How many `parallel` steps are around it.
    pub(super) nesting: u64,
    /// What it waits for.
    pub(super) wait: Option<Wait>,
}

/// What a branch waits for, and what it does with the answer.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) waits: Await,
    pub(super) result: Option<VarRef>,
    pub(super) position: Position,
}

/// An open routine.
#[derive(Debug)]
pub(super) struct Activation {
    pub(super) frame: usize,
    pub(super) at: Addr,
    pub(super) step: u32,
    pub(super) blocks: Vec<Block>,
    /// Where the caller wants the answer.
    pub(super) result: Option<VarRef>,
    /// Where the call it is in the middle of stands.
    pub(super) site: Position,
}

/// An open block.
#[derive(Debug)]
pub(super) enum Block {
    /// Errors go to the handler, their value to the variable.
    Try(Addr, VarRef),
    /// A handler at work on an error.
    Caught(Box<Raised>),
    /// A loop.
    Loop(Items, i64),
}

/// What a loop goes through.
#[derive(Debug, Clone)]
pub(super) enum Items {
    List(Arc<List>),
    /// From, and how many.
    Ints(i64, i64),
    /// From, and how many, each one further.
    Doubles(f64, i64),
}

impl Items {
    pub(super) fn len(&self) -> i64 {
        match self {
            Self::List(list) => list.items().len() as i64,
            Self::Ints(_, count) | Self::Doubles(_, count) => *count,
        }
    }

    pub(super) fn get(&self, at: i64) -> Option<Value> {
        if at >= self.len() {
            return None;
        }
        match self {
            Self::List(list) => list.items().get(usize::try_from(at).ok()?).cloned(),
            Self::Ints(from, _) => from.checked_add(at).map(Value::Int),
            Self::Doubles(from, _) => Some(Value::Double(from + at as f64)),
        }
    }
}

/// The variables that code in a frame sees.
pub(super) struct View<'a> {
    pub(super) frames: &'a Slab<Frame>,
    pub(super) frame: usize,
}

impl Vars for View<'_> {
    fn get(&self, var: VarRef) -> &Value {
        const NULL: &Value = &Value::Null;
        let frame = frame_of(self.frames, self.frame, var.up);
        self.frames
            .get(frame)
            .and_then(|frame| frame.slots.get(usize::from(var.slot)))
            .unwrap_or(NULL)
    }
}

/// The number of the frame that is `up` frames above.
pub(super) fn frame_of(frames: &Slab<Frame>, frame: usize, up: u16) -> usize {
    (0..up).fold(frame, |frame, _| {
        frames.get(frame).and_then(|frame| frame.parent).unwrap_or(usize::MAX)
    })
}
