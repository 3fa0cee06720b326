//! What became of the steps of a run. Nothing of it is stored: a machine that remembers tells it
//! when the journal is folded again.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::time::Timestamp;
use crate::value::Value;

/// A step by its routine and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepName {
    /// The routine.
    pub routine: Arc<str>,
    /// The step.
    pub step: Arc<str>,
}

/// What a history is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// How many steps are kept, the first ones.
    pub most: usize,
    /// Of which steps the variables are kept: from this place on, so many.
    pub variables: Option<(usize, usize)>,
}

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// It goes on.
    Active,
    /// It ended well, or its error was taken within it.
    Succeeded,
    /// An error arose in it or came through it.
    Failed,
    /// The run was ended from outside before the step was over.
    Cancelled,
}

/// One passage through a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepEntry {
    /// Which step.
    pub name: StepName,
    /// What kind of step it is, as Google names it without `STEP_`.
    pub kind: &'static str,
    /// The branch: 0 is the main one; numbers are used again when a branch is over.
    pub branch: usize,
    /// The entry of the step that it ran in.
    pub parent: Option<usize>,
    /// How far it has come.
    pub state: StepState,
    /// When it began: when the outcome before it was taken in.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The JSON text of the error that arose in it or came through it.
    pub error: Option<Arc<str>>,
    /// The variables as the step found them, if they were asked for.
    pub variables: Option<Value>,
}

/// What became of the steps of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// The first steps, in the order in which they began.
    pub steps: Vec<StepEntry>,
    /// How many began in all.
    pub count: u64,
    /// Where each branch is.
    pub current: Vec<StepName>,
    /// How often each step began.
    pub visits: BTreeMap<StepName, u64>,
    /// How often a branch went from one step to another.
    pub ways: BTreeMap<(StepName, StepName), u64>,
    /// Whether the machine has ended.
    pub is_over: bool,
}

impl History {
    /// Closes what is still open in a run that was ended from outside.
    pub fn cut_off(&mut self, at: Timestamp) {
        for step in self.steps.iter_mut().filter(|step| step.state == StepState::Active) {
            step.state = StepState::Cancelled;
            step.ended_at = Some(at);
        }
        self.current.clear();
    }
}
