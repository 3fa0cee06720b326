//! What workers do, made up: with leases that hold, that have ended, that never were.

use std::sync::Arc;

use jobmill_model::fault::Fault;
use jobmill_model::job::{Progress, Verdict};
use jobmill_model::machine::{EffectNumber, Entry, Outcome};
use jobmill_model::output::{Chunk, Extent, Shape};
use jobmill_model::{JobId, Json, Timestamp, Value};

use super::super::super::stage::{name, nobody};
use super::{Desk, FLOWS, Lease, World};
use crate::exam::random::op::Op;
use crate::{Append, Claim, Park, ProgressNote, Settle};

impl World {
    pub(super) fn claim(&mut self) -> Claim {
        let flows = FLOWS.iter().filter(|_| self.chance.percent(80)).map(|flow| name(flow));
        let flows = Arc::new(flows.collect());
        Claim { instance: self.instance(), flows, max: self.chance.size(7), now: self.now() }
    }

    pub(super) fn some_lease(&mut self) -> Lease {
        let held = self.chance.pick(&self.leases).copied();
        let ended = self.chance.pick(&self.ended).copied();
        match self.chance.below(100) {
            0..80 => held.or(ended),
            80..93 => ended.or(held),
            93..97 => held.map(|(id, token)| (id, token.next())),
            _ => held.map(|(_, token)| (nobody(), token)),
        }
        .unwrap_or((nobody(), jobmill_model::Token(1)))
    }

    fn desk(&self, id: JobId) -> Desk {
        self.desks.get(&id).copied().unwrap_or_default()
    }

    pub(super) fn some_leases(&mut self) -> Vec<Lease> {
        (0..=self.chance.size(2)).map(|_| self.some_lease()).collect()
    }

    pub(super) fn progress_notes(&mut self) -> Vec<ProgressNote> {
        let leases = self.some_leases();
        let note = |(id, token)| ProgressNote { id, token, progress: self.progress() };
        leases.into_iter().map(note).collect()
    }

    fn progress(&mut self) -> Progress {
        let message = format!("step {}", self.chance.below(100));
        Progress { done: self.chance.below(10), total: 10, message }
    }

    pub(super) fn park(&mut self) -> Park {
        let (id, token) = self.some_lease();
        let last = self.desk(id).last_signal;
        let seen = if self.chance.percent(60) { last } else { self.chance.below(last + 1) };
        let wake_at = self.chance.percent(70).then(|| self.due());
        let waiting_for = format!("signal {}", last + 1);
        Park { id, token, wake_at, seen, waiting_for, now: self.now() }
    }

    pub(super) fn settles(&mut self) -> Vec<Settle> {
        (0..=self.chance.size(2)).map(|_| self.settle()).collect()
    }

    fn settle(&mut self) -> Settle {
        let (id, token) = self.some_lease();
        let fault = Fault::retry("Busy", "it may work later").at("op f");
        let mut chunks = Vec::new();
        let verdict = match self.chance.below(100) {
            0..45 => {
                chunks = self.chunks((id, token));
                let len = self.written.get(&(id, token)).copied().unwrap_or(0);
                let len = len + chunks.iter().map(|chunk| chunk.len).sum::<u64>();
                Verdict::Complete(Extent { shape: shape(id), len })
            }
            45..70 => Verdict::Retry { fault, run_at: self.due() },
            70..88 => Verdict::Fail(Fault::last("Broken", "it never works").with_inner("x")),
            _ => Verdict::Cancel,
        };
        let progress = self.chance.percent(30).then(|| self.progress());
        Settle { id, token, verdict, chunks, progress, now: self.now() }
    }

    pub(super) fn output_append(&mut self) -> Op {
        let (id, token) = self.some_lease();
        Op::AppendOutput(id, token, self.chunks((id, token)))
    }

    /// The next chunks of the result that is written under a lease.
    fn chunks(&mut self, lease: Lease) -> Vec<Chunk> {
        let mut first = self.written.get(&lease).copied().unwrap_or(0);
        let mut chunks = Vec::new();
        for _ in 0..self.chance.size(4) {
            let len = 1 + self.chance.below(5);
            chunks.push(Chunk { first, len, text: self.text(shape(lease.0), first, len) });
            first += len;
        }
        chunks
    }

    fn text(&mut self, shape: Shape, first: u64, len: u64) -> String {
        if shape == Shape::Text {
            return "x".repeat(len as usize);
        }
        let value = match self.chance.below(4) {
            0 => Value::Null,
            1 => Value::from(0.5),
            2 => Value::list([Value::from("é"), Value::from(true)]),
            _ => Value::from(self.chance.next()),
        };
        Value::map((first..first + len).map(|key| (key.to_string(), value.clone()))).to_string()
    }

    pub(super) fn append(&mut self) -> Append {
        let (id, token) = self.some_lease();
        let wrong = if self.chance.percent(15) { self.chance.below(3) } else { 0 };
        let first = self.desk(id).next_seq + wrong;
        let entries = (first..first + self.chance.below(4)).map(|seq| self.entry(seq)).collect();
        let numbers = 1..=self.desk(id).last_signal + 1;
        let consumed = numbers.filter(|_| self.chance.percent(20)).collect();
        Append { id, token, entries, consumed }
    }

    fn entry(&mut self, seq: u64) -> Entry {
        let outcome = match self.chance.below(4) {
            0 => Outcome::Done(Value::from(seq)),
            1 => Outcome::Failed { code: "E".to_owned(), message: String::new() },
            2 => Outcome::Clock(self.now()),
            _ => Outcome::Woken,
        };
        let (number, fingerprint) = (EffectNumber(self.chance.below(9)), self.chance.next());
        Entry { seq, number, fingerprint, outcome, at: Timestamp::from_millis(seq as i64) }
    }

    /// A signal, mostly to a job that is parked or under a lease.
    pub(super) fn job_signal(&mut self) -> Op {
        let id = match self.chance.below(10) {
            0..4 => self.some_parked(),
            4..9 => self.some_leased(),
            _ => nobody(),
        };
        let payload = Json::trusted(self.chance.below(100).to_string());
        Op::Signal(id, name("go"), payload)
    }
}

/// What the result of a job is made of; the same whoever writes it.
fn shape(id: JobId) -> Shape {
    if id.as_bytes()[15].is_multiple_of(4) { Shape::Text } else { Shape::Object }
}
