//! What is done to queues, made up.

use jobmill_model::Span;
use jobmill_model::queue::QueueRules;
use jobmill_model::rate::Rate;

use super::{QUEUES, World};
use crate::exam::random::op::Op;

impl World {
    /// Rules are changed now and then, and a queue is not paused for long.
    pub(super) fn queue_op(&mut self) -> Op {
        let queue = self.one_name(&QUEUES);
        match self.chance.below(10) {
            0 => Op::PutQueue(queue, QueueRules::default()),
            1..4 => Op::PutQueue(queue, self.rules()),
            4 => Op::PauseQueue(queue, true),
            5..8 => Op::PauseQueue(queue, false),
            _ => Op::AdmitHeld(self.now(), 1 + self.chance.size(3)),
        }
    }

    pub(super) fn queue_read(&mut self) -> Op {
        let queue = self.one_name(&QUEUES);
        match self.chance.below(2) {
            0 => Op::GetQueue(queue, self.now()),
            _ => Op::Queues(self.now(), 1 + self.chance.size(3)),
        }
    }

    fn rules(&mut self) -> QueueRules {
        let rate = Rate {
            count: 1 + self.chance.below(3) as u32,
            per: Span::from_millis(1 + self.chance.below(300_000)),
        };
        QueueRules {
            concurrency: self.chance.percent(25).then(|| self.chance.below(6) as u32 + 1),
            rate: self.chance.percent(50).then_some(rate),
            key_limit: 1 + self.chance.below(4) as u32,
        }
    }
}
