//! What happened to steps, for step entries and graphs: a fold of the journal with a recorder
//! gives it again, so nothing of it is stored.

use std::sync::Arc;

use super::Machine;
use crate::value::Value;

/// Something that happened to a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepEvent {
    /// The step: its place in [`Program::steps`](crate::program::Program::steps).
    pub step: u32,
    /// The branch: 0 is the main one; numbers are used again when a branch is over.
    pub branch: usize,
    /// How many routines were open in the branch.
    pub depth: usize,
    /// How many outcomes the machine had taken in: the journal says when that was.
    pub outcomes: u64,
    /// What happened.
    pub kind: StepEventKind,
}

/// What happened to a step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepEventKind {
    /// It began; what was open before it in its branch, but for its parents, has ended.
    Began,
    /// An error arose in it: the JSON text of the error.
    Failed(Arc<str>),
}

/// Keeps the first events; the rest are counted.
#[derive(Debug)]
pub(super) struct Recorder {
    events: Vec<StepEvent>,
    most: usize,
    lost: u64,
}

impl Machine {
    /// Keeps the first `most` events of steps from here on.
    pub fn record(&mut self, most: usize) {
        self.recorder = Some(Box::new(Recorder { events: Vec::new(), most, lost: 0 }));
    }

    /// The events kept so far, and how many were not kept.
    #[must_use]
    pub fn recorded(&self) -> (&[StepEvent], u64) {
        self.recorder.as_ref().map_or((&[], 0), |recorder| (&recorder.events, recorder.lost))
    }

    pub(super) fn note(&mut self, step: u32, branch: usize, depth: usize, error: Option<&Value>) {
        let outcomes = self.outcomes;
        let Some(recorder) = &mut self.recorder else { return };
        if recorder.events.len() >= recorder.most {
            recorder.lost += 1;
            return;
        }
        let kind = match error {
            None => StepEventKind::Began,
            Some(error) => StepEventKind::Failed(error.to_string().into()),
        };
        recorder.events.push(StepEvent { step, branch, depth, outcomes, kind });
    }
}
