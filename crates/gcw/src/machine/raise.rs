//! Errors: from where they happen to the handler that takes them.

use super::Machine;
use super::branch::{Block, Branch};
use super::failure::{Failure, StackElement};
use crate::fault::Fault;
use crate::source::place::Position;

/// An error with the places it came through, innermost first.
#[derive(Debug, Clone)]
pub(super) struct Raised {
    pub(super) fault: Box<Fault>,
    pub(super) stack: Vec<StackElement>,
}

/// Whether a branch goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// It runs on.
    Run,
    /// It waits, or is over.
    Stop,
}

impl Machine {
    /// Raises an error that happened at `position` unless it knows better.
    pub(super) fn raise(
        &mut self,
        branch: &mut Branch,
        fault: Box<Fault>,
        position: Position,
    ) -> Flow {
        let stack = self.stack(branch, fault.position.unwrap_or(position));
        self.unwind(branch, Raised { fault, stack })
    }

    fn stack(&self, branch: &Branch, innermost: Position) -> Vec<StackElement> {
        const FRAMES_MAX: usize = 100;
        let mut stack = Vec::new();
        for (at, activation) in branch.stack.iter().rev().take(FRAMES_MAX).enumerate() {
            let Some(step) = self.program.steps.get(activation.step as usize) else { continue };
            let position = if at == 0 { innermost } else { activation.site };
            stack.push(StackElement {
                step: step.name.clone(),
                routine: step.routine.clone(),
                position: if position.line == 0 { step.position } else { position },
            });
        }
        stack
    }

    /// Looks for a handler, from the inside out.
    pub(super) fn unwind(&mut self, branch: &mut Branch, raised: Raised) -> Flow {
        if !raised.fault.is_catchable {
            self.end = Some(Err(Failure::of(raised)));
            return Flow::Stop;
        }
        while let Some(activation) = branch.stack.last_mut() {
            while let Some(block) = activation.blocks.pop() {
                let Block::Try(handler, error) = block else { continue };
                activation.at = handler;
                let frame = activation.frame;
                let value = raised.fault.value.clone();
                activation.blocks.push(Block::Caught(Box::new(raised)));
                if let Err(fault) = self.write(frame, error, value) {
                    let stack = Vec::new();
                    return self.unwind(branch, Raised { fault, stack });
                }
                return Flow::Run;
            }
            let frame = activation.frame;
            branch.stack.pop();
            self.free_frame(frame);
        }
        self.branch_failed(branch, raised);
        Flow::Stop
    }

    pub(super) fn free_frame(&mut self, frame: usize) {
        if let Some(frame) = self.frames.remove(frame) {
            let size: u64 = frame.slots.iter().map(|value| value.size_bytes() as u64).sum();
            self.memory = self.memory.saturating_sub(size);
        }
    }
}
