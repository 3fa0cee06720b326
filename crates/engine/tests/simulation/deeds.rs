//! What was done in the world: calls of flows and ops, held against what was committed.

use jobmill_flow::output::join;
use jobmill_model::machine::{Begin, Effect, Entry, Fold, Outcome, Program, Seed};
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::{Fault, JobId, Timestamp, Value};
use std::collections::BTreeMap;

use super::steps::Steps;
use super::time::Micros;
use super::witness::{Witness, must};

/// One call of a flow.
#[derive(Debug, Clone, Copy)]
struct Call {
    life: u64,
    at: Micros,
}

/// One call of an op, and how many workers its job had lost by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Touch {
    life: u64,
    run: u32,
    crashes: u32,
}

/// The world's memory; no crash of ours touches it.
#[derive(Default)]
pub(crate) struct Deeds {
    calls: BTreeMap<String, Vec<Call>>,
    touches: BTreeMap<String, Vec<Touch>>,
    touched: usize,
}

impl Deeds {
    /// How often the job with this label was called before.
    pub(crate) fn calls(&self, label: &str) -> usize {
        self.calls.get(label).map_or(0, Vec::len)
    }

    /// A flow is called; answers how often it was before.
    pub(crate) fn call(&mut self, label: &str, life: u64, at: Micros) -> usize {
        let calls = self.calls.entry(label.to_owned()).or_default();
        calls.push(Call { life, at });
        calls.len() - 1
    }
}

impl Witness {
    /// An op is called; answers a number that no other call gets.
    pub(crate) fn touched(&mut self, life: u64, is_present: bool, key: &str, tag: &str) -> usize {
        let owner = self.tags.get(tag).copied();
        let Some((id, run)) = owner else {
            self.broken("effects belong to jobs", format!("nobody has the tag {tag}"));
            return 0;
        };
        let at = self.now();
        let Some(seen) = self.jobs.get_mut(&id) else { return 0 };
        seen.active_at = at;
        let now = Touch { life, run, crashes: seen.crashes };
        let name = self.name(id);
        self.event(|_| format!("life {life}: touch for {name}, key {key}"));
        // A frozen process knows no better; a call that was under way may be performed again.
        if is_present && self.committed.contains(key) {
            let text = format!("life {life} performs it again for {name}, key {key}");
            self.broken("a committed effect is not performed again", text);
        }
        self.deeds.touched += 1;
        let number = self.deeds.touched;
        let touches = self.deeds.touches.entry(key.to_owned()).or_default();
        let again = touches.contains(&now);
        touches.push(now);
        if is_present && again {
            let text = format!("life {life} performs it again for {name}, key {key}");
            self.broken("an effect is repeated only after a crash", text);
        }
        number
    }

    /// The result of a job is that of the attempt that settles, or the fold of the journal.
    pub(crate) fn check_result(&mut self, id: JobId, extent: Extent, chunks: &[Chunk]) {
        let text = join(extent.shape, chunks);
        let Some(seen) = self.jobs.get_mut(&id) else { return };
        seen.result = Some(text.clone());
        let Ok(result) = Value::from_json(text.as_bytes()) else {
            self.fails("results are JSON", id, format_args!("{text}"));
            return;
        };
        if seen.is_machine() {
            let folded = self.refold(id);
            let same = folded.as_ref().is_ok_and(|folded| *folded == result);
            must!(
                self,
                same,
                "the result is the fold of the journal",
                id,
                "is {result}, its journal folds to {folded:?}"
            );
        } else if seen.is_lent() {
            self.check_lent(id, &result);
        } else {
            self.check_call(id, &result);
        }
    }

    /// The call that made this result happened under the lease that settles.
    fn check_call(&mut self, id: JobId, result: &Value) {
        let field = |name: &str| result.as_map().and_then(|map| map.get(name));
        let label = field("job").and_then(Value::as_str).unwrap_or_default();
        let number = field("call").and_then(Value::as_int).unwrap_or(-1);
        let calls = self.deeds.calls.get(label).map_or(&[][..], Vec::as_slice);
        let call = usize::try_from(number).ok().and_then(|number| calls.get(number)).copied();
        let lease = self.jobs.get(&id).and_then(|seen| seen.lease);
        let fits = call
            .zip(lease)
            .is_some_and(|(call, lease)| call.life == lease.life && call.at >= lease.at);
        must!(
            self,
            fits,
            "the result is that of the attempt that settles",
            id,
            "ends with {result} of {call:?} under {lease:?}"
        );
    }

    /// What the journal comes to.
    fn refold(&self, id: JobId) -> Result<Value, Fault> {
        let seen = &self.jobs[&id];
        let document = |json: &jobmill_model::Json| json.to_value().unwrap_or_default();
        let (input, params) = (document(&seen.input), document(&seen.params));
        let machine = Steps.machine(Begin { input, params, seed: Seed::of(id, seen.run) });
        let (mut fold, applied) = Fold::start(machine)?;
        unpause(&mut fold, applied.paused)?;
        for entry in &seen.journal {
            if fold.end().is_some() {
                break;
            }
            let applied = fold.apply(entry.clone())?;
            unpause(&mut fold, applied.paused)?;
        }
        // A reading of the clock that nothing in the world followed need not be on disk.
        while let Some(entry) = unread_clock(&fold) {
            let applied = fold.apply(entry)?;
            unpause(&mut fold, applied.paused)?;
        }
        fold.end().cloned().unwrap_or_else(|| Err(Fault::last("Unended", "it goes on")))
    }
}

fn unpause(fold: &mut Fold, mut paused: bool) -> Result<(), Fault> {
    while paused && fold.end().is_none() {
        paused = fold.go_on()?.paused;
    }
    Ok(())
}

fn unread_clock(fold: &Fold) -> Option<Entry> {
    let (number, effect) = fold.waiting().find(|(_, effect)| **effect == Effect::Clock)?;
    let (seq, fingerprint) = (fold.next_seq(), effect.fingerprint());
    let at = Timestamp::EPOCH;
    Some(Entry { seq, number, fingerprint, outcome: Outcome::Clock(at), at })
}
