//! What the witness knows of leases outside: who may be silent for how long, and what was
//! recorded under them.

use std::collections::BTreeMap;

use jobmill_model::job::Move;
use jobmill_model::queue::Name;
use jobmill_model::{JobId, Json, State, Timestamp, Token, Value};
use jobmill_store::{Call, EffectPut, Expired, Extend, Hold, Lent, Noted};

use super::labour::{LENT, step_name};
use super::port::STRANGER;
use super::time::Micros;
use super::witness::{MAX_CRASHES, Seen, Witness, must};

/// A lost worker is noticed so long after the end of its lease, where nothing is in the way.
const NOTICED_MICROS: Micros = 1_000_000;
/// And after a jump of the clock, for which the server looks by the time that passes.
const JUMPED_MICROS: Micros = 8_000_000;
/// A heartbeat is on its way for so long.
const WAY_MICROS: Micros = 1_000_000;

/// A hold of a worker outside.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    hold: Hold,
    /// When the server last heard of the worker, or gave it its whole lease again.
    heard_at: Micros,
}

/// What leases of workers outside may be renewed for.
#[derive(Debug, Default)]
pub(crate) struct Excuses {
    count: u64,
    last_at: Micros,
    /// How many there were when a process last renewed, and how often it has since.
    used: BTreeMap<u64, (u64, u32)>,
}

impl Witness {
    /// Something happened for which no worker outside can be blamed.
    pub(crate) fn excuse(&mut self) {
        self.excuses.count += 1;
        self.excuses.last_at = self.now();
    }

    pub(super) fn lent(&mut self, call: &Call, lent: &[Lent]) {
        for Lent { job, token, expires_at } in lent {
            self.lease(job.id, *token, None, STRANGER);
            let spec = &job.spec;
            let span = call.flows.get(&spec.flow).copied().unwrap_or_default();
            let hold = Hold::new(call.worker.clone(), span, spec.timeout, call.now);
            must!(
                self,
                spec.queue == call.queue && call.flows.contains_key(&spec.flow),
                "workers get what they ask for",
                job.id,
                "was lent to {call:?}"
            );
            self.holds(job.id, hold, *expires_at);
        }
    }

    fn holds(&mut self, id: JobId, hold: Hold, told: Timestamp) {
        let (heard_at, end) = (self.done_at, hold.expires_at);
        self.jobs.entry(id).and_modify(|seen| seen.held = Some(Held { hold, heard_at }));
        must!(self, told == end, "leases last as they say", id, "ends at {told}, not at {end}");
    }

    pub(super) fn extended(&mut self, beats: &[Extend], ends: &[Option<Timestamp>]) {
        for (beat, end) in beats.iter().zip(ends) {
            if !self.fenced(beat.id, beat.token, end.is_some()) {
                continue;
            }
            let held = self.jobs.get(&beat.id).and_then(|seen| seen.held.clone());
            if let (Some(held), Some(end)) = (held, end) {
                let span = beat.span.unwrap_or(held.hold.span);
                self.holds(beat.id, Hold { span, ..held.hold }.from(beat.now), *end);
            }
        }
    }

    pub(super) fn renewed(&mut self, life: u64, now: Timestamp, next: Option<Timestamp>) {
        let count = self.excuses.count;
        let used = self.excuses.used.entry(life).or_default();
        *used = if used.0 == count { (count, used.1 + 1) } else { (count, 1) };
        // Once more where a lease or this renewal itself was on its way meanwhile.
        if used.1 > 2 {
            self.broken("grace has a reason", format!("life {life} renews again and again"));
        }
        let heard_at = self.done_at;
        for held in self.jobs.values_mut().filter_map(|seen| seen.held.as_mut()) {
            *held = Held { hold: held.hold.clone().from(now), heard_at };
        }
        self.check_next(next);
    }

    fn check_next(&mut self, told: Option<Timestamp>) {
        let next = self.jobs.values().filter_map(|seen| Some(seen.held.as_ref()?.hold.expires_at));
        let next = next.min();
        if told != next {
            self.broken("answers are true", format!("the next lease ends at {next:?}: {told:?}"));
        }
    }

    pub(super) fn expired(&mut self, life: u64, now: Timestamp, expired: &Expired) {
        let end = |(id, seen): (&JobId, &Seen)| Some((seen.held.as_ref()?.hold.expires_at, *id));
        let mut over: Vec<_> = self.jobs.iter().filter_map(end).collect();
        over.retain(|(at, _)| *at <= now);
        over.sort_unstable();
        let over: Vec<_> = over.into_iter().map(|(_, id)| id).collect();
        let told: Vec<_> = expired.jobs.iter().map(|(id, _)| *id).collect();
        if over != told {
            let text = format!("{told:?} have ended at {now}; it is over for {over:?}");
            self.broken("a lease ends when its time is over", text);
            return;
        }
        for (id, told) in &expired.jobs {
            self.expire(life, *id, *told);
        }
        self.check_next(expired.next);
    }

    fn expire(&mut self, life: u64, id: JobId, told: State) {
        let Some(seen) = self.jobs.get_mut(&id) else { return };
        let timed_out = seen.held.as_ref().is_some_and(|held| held.hold.ran_out_of_time());
        seen.crashes += u32::from(!timed_out);
        let is_last = match timed_out {
            true => seen.attempt >= seen.max_attempts,
            false => seen.crashes > MAX_CRASHES,
        };
        seen.failed += usize::from(timed_out || is_last);
        let what = match (is_last, timed_out) {
            (true, _) => Move::Fail,
            (false, true) => Move::Retry,
            (false, false) => Move::HandBack,
        };
        seen.attempt_open &= !timed_out;
        match is_last {
            true => self.end(id, what, life),
            false => self.unlease(id, what),
        }
        let state = self.jobs[&id].state;
        must!(self, state == told, "answers are true", id, "is {state}, the answer was {told}");
    }

    pub(super) fn noted(&mut self, put: &EffectPut, noted: &Noted) {
        let (id, name) = (put.id, &put.name);
        if !self.fenced(id, put.token, *noted != Noted::Stale) {
            return;
        }
        let Some(seen) = self.jobs.get_mut(&id) else { return };
        let first = seen.ledger.entry(name.clone()).or_insert_with(|| put.value.clone()).clone();
        let is_new = first == put.value;
        let kept = match noted {
            Noted::New => is_new,
            Noted::Known(value) => *value == first,
            Noted::Stale | Noted::Full => false,
        };
        must!(
            self,
            kept,
            "an effect keeps its first value",
            id,
            "has {first} for {name} and answers {noted:?} to {}",
            put.value
        );
    }

    /// What is recorded of a step, if this lease holds.
    pub(crate) fn recorded(&self, id: JobId, token: Token, name: &Name) -> Option<Json> {
        let seen = self.jobs.get(&id)?;
        let holds = seen.lease.is_some_and(|lease| lease.token == token);
        seen.ledger.get(name).filter(|_| holds).cloned()
    }

    /// A worker outside does a step of which it found nothing recorded; `known` was there when
    /// it asked. Answers a number that no other step gets.
    pub(crate) fn performed(
        &mut self,
        id: JobId,
        token: Token,
        name: &Name,
        known: Option<Json>,
    ) -> i64 {
        let text = format!("does {name} of {}", self.name(id));
        self.event(|_| text);
        let again = known.filter(|_| self.recorded(id, token, name).is_some());
        must!(
            self,
            again.is_none(),
            "a recorded step is not done again",
            id,
            "has {again:?} for {name} and it is done again"
        );
        self.steps_outside += 1;
        self.steps_outside
    }

    /// A worker outside heard how its job stands.
    pub(crate) fn was_told(&mut self, id: JobId, told: State) {
        if told == State::Completed {
            let state = self.jobs.get(&id).map(|seen| seen.state);
            let is_kept = state == Some(State::Completed);
            must!(
                self,
                is_kept,
                "answers are true",
                id,
                "was said to be completed and is {state:?}"
            );
        }
    }

    /// The result of a worker outside is that of the lease that settles, made of what counts.
    pub(super) fn check_lent(&mut self, id: JobId, result: &Value) {
        let Some(seen) = self.jobs.get(&id) else { return };
        let field = |name: &str| result.as_map().and_then(|map| map.get(name));
        let token = seen.lease.and_then(|lease| i64::try_from(lease.token.0).ok());
        let told = field("token").and_then(Value::as_int);
        let steps = field("steps").and_then(Value::as_list).unwrap_or_default();
        let kept = |(step, value): (i64, &Value)| {
            let first = seen.ledger.get(&step_name(step)).and_then(|json| json.to_value().ok());
            first.as_ref() == Some(value)
        };
        let fits = token == told && (0..).zip(steps).all(kept);
        let ledger = seen.ledger.clone();
        must!(
            self,
            fits,
            "the result is that of the attempt that settles",
            id,
            "ends with {result} under token {token:?}, having recorded {ledger:?}"
        );
    }

    /// Nobody outside is silent for longer than a lease without being noticed; `excused_at` is
    /// when no server was there to notice.
    pub(crate) fn check_silence(&mut self, excused_at: Micros) {
        let now = self.now();
        let last_jump = self.excuses.last_at;
        let silent = |(id, seen): (&JobId, &Seen)| {
            let held = seen.held.as_ref()?;
            let jumped = last_jump + WAY_MICROS >= held.heard_at;
            let late = if jumped { JUMPED_MICROS } else { NOTICED_MICROS };
            let most = held.hold.span.as_millis() * 1_000 + late;
            (now.saturating_sub(held.heard_at.max(excused_at)) > most).then_some(*id)
        };
        if let Some(id) = self.jobs.iter().find_map(silent) {
            let held = self.jobs[&id].held.clone();
            self.fails("a silent worker is noticed", id, format_args!("is held: {held:?}"));
        }
    }
}

impl Seen {
    pub(crate) fn is_lent(&self) -> bool {
        self.flow == LENT
    }
}
