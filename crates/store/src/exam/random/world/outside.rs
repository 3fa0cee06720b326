//! What workers outside do, made up.

use std::sync::Arc;

use jobmill_model::queue::Name;
use jobmill_model::{Declaration, JobId, Json, Span, Token};

use super::super::super::stage::name;
use super::{FLOWS, Lease, QUEUES, World};
use crate::exam::random::op::Op;
use crate::{Call, EffectPut, Extend};

const STEPS: [&str; 2] = ["fetch", "pay"];

impl World {
    pub(super) fn outside(&mut self) -> Op {
        match self.chance.below(30) {
            0..7 => Op::Lease(self.call()),
            7..9 => Op::Extend(self.beats()),
            9..14 => {
                let (now, crashes) = (self.now(), self.chance.below(2) as u32);
                let chance = self.chance.below(100) as f64 / 100.0;
                let limit = if self.chance.percent(40) { 1 } else { 1_000 };
                Op::Expire(now, crashes, chance, limit)
            }
            14 => Op::Renew(self.now()),
            15..18 => {
                let (id, token) = self.some_lent();
                let value = Json::trusted(self.chance.below(100).to_string());
                Op::PutEffect(EffectPut { id, token, name: self.step(), value })
            }
            18 | 19 => Op::GetEffect(self.some_noted(), self.step()),
            20 => {
                let after = self.chance.percent(30).then(|| self.step());
                Op::ListEffects(self.some_noted(), after, 1 + self.chance.size(4))
            }
            21 | 22 => Op::Leases((0..4).map(|_| self.some_lent().0).collect()),
            23..26 => Op::PutFlow(self.declaration()),
            26..28 => Op::DeleteFlow(name(self.chance.pick(&FLOWS).expect("there are flows"))),
            _ => Op::ListFlows,
        }
    }

    /// A lease, mostly one that a worker outside has.
    fn some_lent(&mut self) -> Lease {
        let late = &self.lent[self.lent.len().saturating_sub(3)..];
        let lent = self.chance.pick(late).copied();
        lent.filter(|_| self.chance.percent(70)).unwrap_or_else(|| self.some_lease())
    }

    /// A job, mostly one that had a step noted of late.
    fn some_noted(&mut self) -> JobId {
        let late = &self.noted[self.noted.len().saturating_sub(4)..];
        let noted = self.chance.pick(late).copied();
        noted.filter(|_| self.chance.percent(80)).unwrap_or_else(|| self.some_id())
    }

    fn step(&mut self) -> Name {
        name(self.chance.pick(&STEPS).expect("there are steps"))
    }

    fn call(&mut self) -> Call {
        let mut flows = std::collections::BTreeMap::new();
        for flow in FLOWS {
            if self.chance.percent(90) {
                flows.insert(name(flow), Span::from_secs(1 + self.chance.below(20)));
            }
        }
        Call {
            worker: name(if self.chance.percent(50) { "w1" } else { "w2" }),
            queue: name(self.chance.pick(&QUEUES).expect("there are queues")),
            flows: Arc::new(flows),
            max: self.chance.size(20),
            now: self.now(),
        }
    }

    fn beats(&mut self) -> Vec<Extend> {
        let mut beats = Vec::new();
        for _ in 0..=self.chance.size(2) {
            let (id, mut token) = self.some_lent();
            if self.chance.percent(20) {
                token = Token(token.0.saturating_sub(1));
            }
            let span = self.chance.percent(20).then(|| Span::from_secs(self.chance.below(90)));
            beats.push(Extend { id, token, span, now: self.now() });
        }
        beats
    }

    fn declaration(&mut self) -> Declaration {
        let flow = name(self.chance.pick(&FLOWS).expect("there are flows"));
        let max_attempts = 1 + self.chance.below(2) as u32;
        Declaration { max_attempts, ..Declaration::new(flow) }
    }
}
