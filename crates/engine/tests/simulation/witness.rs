//! The witness: sees every synced write and keeps, on its own, what must be true.
//!
//! It keeps a small model of each job and says which promise is broken when a write, an answer
//! or a row disagrees with it. It reads nothing of the store but the rows that are shown to it.
//! Leases outside are modelled in `lent`, schedules in `ticks`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use futures::FutureExt;
use jobmill_model::job::{Fingerprint, Move, Verdict};
use jobmill_model::machine::{Entry, Outcome, Seed};
use jobmill_model::queue::Name;
use jobmill_model::{InstanceId, Job, JobId, Json, State, Timestamp, Token};
use jobmill_store::*;

use super::deeds::Deeds;
use super::lent::{Excuses, Held};
use super::line::line;
use super::steps::{STEPS, tag_of};
use super::ticks::Ticking;
use super::time::{Micros, Time};
use super::verb::{Answer, Write};

/// The most workers that may be lost under one job in the simulation.
pub(crate) const MAX_CRASHES: u32 = 3;

/// What must be true of a job, and what to say where it is not.
macro_rules! must {
    ($witness:expr, $is:expr, $invariant:literal, $id:expr, $($text:tt)+) => {
        if !$is {
            $witness.fails($invariant, $id, format_args!($($text)+));
        }
    };
}
pub(crate) use must;

/// A promise that was broken.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) invariant: &'static str,
    pub(crate) text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.text)
    }
}

/// A lease as it was given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    pub(crate) token: Token,
    /// The process that has it, if not a worker outside.
    pub(crate) instance: Option<InstanceId>,
    pub(crate) life: u64,
    pub(crate) at: Micros,
}

/// What must be true of one job.
pub(crate) struct Seen {
    pub(crate) number: usize,
    pub(crate) flow: String,
    pub(crate) input: Json,
    pub(crate) params: Json,
    parent: Option<JobId>,
    gathers: bool,
    queue: Name,
    key: Option<Name>,
    mark: Option<Fingerprint>,
    pub(crate) state: State,
    /// The greatest token so far.
    token: Token,
    pub(crate) lease: Option<Lease>,
    /// Its hold, if the lease is one of a worker outside.
    pub(super) held: Option<Held>,
    /// The steps that workers outside recorded in this run.
    pub(super) ledger: BTreeMap<Name, Json>,
    pub(super) max_attempts: u32,
    pub(super) attempt: u32,
    pub(super) attempt_open: bool,
    pub(crate) crashes: u32,
    pub(crate) run: u32,
    pub(crate) journal: Vec<Entry>,
    inbox: BTreeSet<u64>,
    pub(crate) last_signal: u64,
    /// Signals of each name in this run.
    pub(crate) received: BTreeMap<String, usize>,
    /// The end of each run.
    pub(crate) ends: BTreeMap<u32, State>,
    /// The process that recorded the last end.
    pub(crate) ended_by: u64,
    pub(crate) failed: usize,
    pub(crate) leases: usize,
    pub(crate) result: Option<String>,
    /// Whether the job above it took it along when it ended.
    pub(crate) went_along: bool,
    /// When a worker last did something for it.
    pub(crate) active_at: Micros,
}

/// What a queue lets go.
#[derive(Debug, Clone, Copy)]
struct Gate {
    paused: bool,
    concurrency: Option<u32>,
    /// The greatest that it was.
    key_limit: u32,
}

impl Default for Gate {
    fn default() -> Self {
        Self { paused: false, concurrency: None, key_limit: 1 }
    }
}

pub(crate) struct Witness {
    time: Arc<Time>,
    pub(crate) jobs: BTreeMap<JobId, Seen>,
    /// Which job's run a tag belongs to.
    pub(crate) tags: BTreeMap<String, (JobId, u32)>,
    /// The keys of effects whose outcome is committed.
    pub(crate) committed: BTreeSet<String>,
    keys: BTreeMap<String, Vec<JobId>>,
    gates: BTreeMap<Name, Gate>,
    pub(super) schedules: BTreeMap<Name, Ticking>,
    pub(super) excuses: Excuses,
    /// How many steps workers outside have done.
    pub(super) steps_outside: i64,
    pub(crate) deeds: Deeds,
    pub(crate) violation: Option<Violation>,
    /// When the write that is seen now was done; its sync came later.
    pub(crate) done_at: Micros,
    pub(crate) events: usize,
    /// One line per transition, if somebody wants to read them.
    pub(crate) lines: Option<Vec<String>>,
}

impl Witness {
    pub(crate) fn new(time: Arc<Time>, verbose: bool) -> Self {
        Self {
            time,
            jobs: BTreeMap::new(),
            tags: BTreeMap::new(),
            committed: BTreeSet::new(),
            keys: BTreeMap::new(),
            gates: BTreeMap::new(),
            schedules: BTreeMap::new(),
            excuses: Excuses::default(),
            steps_outside: 0,
            deeds: Deeds::default(),
            violation: None,
            done_at: 0,
            events: 0,
            lines: verbose.then(Vec::new),
        }
    }

    /// Something happened.
    pub(crate) fn event(&mut self, text: impl FnOnce(&Self) -> String) {
        self.events += 1;
        if self.lines.is_some() {
            let line = format!("{:>12} µs  {}", self.time.now(), text(self));
            self.lines.get_or_insert_default().push(line);
        }
    }

    /// A promise is broken; the first one counts.
    pub(crate) fn broken(&mut self, invariant: &'static str, text: impl Into<String>) {
        if self.violation.is_none() {
            let violation = Violation { invariant, text: text.into() };
            self.event(|_| format!("BROKEN   {violation}"));
            self.violation = Some(violation);
        }
    }

    pub(crate) fn now(&self) -> Micros {
        self.time.now()
    }

    pub(super) fn wall(&self) -> Timestamp {
        self.time.wall()
    }

    /// A promise about one job is broken.
    pub(crate) fn fails(&mut self, invariant: &'static str, id: JobId, text: fmt::Arguments<'_>) {
        let text = format!("{} ({id}) {text}", self.name(id));
        self.broken(invariant, text);
    }

    /// The job's short name.
    pub(crate) fn name(&self, id: JobId) -> String {
        self.jobs.get(&id).map_or_else(|| "#?".to_owned(), |seen| format!("#{}", seen.number))
    }

    /// A write was synced; the rows show the jobs that it named, after it.
    pub(crate) fn saw(&mut self, life: u64, write: &Write, answer: &Result<Answer>, rows: &[Job]) {
        let Ok(answer) = answer else {
            self.event(|witness| line(witness, life, write, answer.as_ref()));
            return;
        };
        self.take_in(life, write, answer, rows);
        self.event(|witness| line(witness, life, write, Ok(answer)));
        for row in rows {
            let Some(seen) = self.jobs.get(&row.id) else {
                self.broken("rows agree", format!("{} is stored and was not submitted", row.id));
                return;
            };
            let model = (seen.state, seen.attempt, seen.crashes, seen.run);
            let stored = (row.state, row.attempt, row.crashes, row.run);
            must!(
                self,
                model == stored,
                "rows agree",
                row.id,
                "is stored as {stored:?}; what happened makes it {model:?}"
            );
        }
    }

    /// Kept totals agree with what happened.
    pub(crate) fn count(&mut self, store: &dyn Store) {
        let mut counted = BTreeMap::from(State::ALL.map(|state| (state, 0)));
        for seen in self.jobs.values() {
            *counted.entry(seen.state).or_default() += 1;
        }
        let kept = store.tally_read().now_or_never().and_then(Result::ok).unwrap_or_default();
        if kept.0 != counted {
            self.broken("tallies agree", format!("kept {:?}, counted {counted:?}", kept.0));
        }
    }

    fn take_in(&mut self, life: u64, write: &Write, answer: &Answer, rows: &[Job]) {
        match (write, answer) {
            (Write::Insert(submission), Answer::Inserted(inserted)) => {
                self.inserted(life, submission, inserted);
            }
            (Write::Cancel(ids, _), Answer::Cancelled(outcomes)) => {
                let pairs = ids.iter().zip(outcomes);
                pairs.for_each(|(id, outcome)| self.cancelled(life, *id, *outcome));
            }
            (Write::Retry(ids, _), Answer::Retried(outcomes)) => {
                ids.iter().zip(outcomes).for_each(|(id, outcome)| self.retried(*id, *outcome));
            }
            (Write::Claim(claim), Answer::Claimed(claimed)) => {
                let instance = Some(claim.instance);
                claimed.iter().for_each(|it| self.lease(it.job.id, it.token, instance, life));
            }
            (Write::Progress(notes), Answer::Held(held)) => {
                let pairs = notes.iter().zip(held);
                for (note, held) in pairs {
                    self.fenced(note.id, note.token, *held);
                }
            }
            (Write::Chunks(id, token, _), Answer::Held(held)) => {
                for held in held {
                    self.fenced(*id, *token, *held);
                }
            }
            (Write::Park(park), Answer::Parked(parked)) => self.parked(park, *parked),
            (Write::Settle(settles), Answer::Settled(outcomes)) => {
                let pairs = settles.iter().zip(outcomes);
                pairs.for_each(|(settle, outcome)| self.settled(life, settle, *outcome));
            }
            (Write::Release(leases), Answer::Held(held)) => {
                for ((id, token), held) in leases.iter().zip(held) {
                    if self.fenced(*id, *token, *held) {
                        self.unlease(*id, Move::HandBack);
                    }
                }
            }
            (Write::PutQueue(queue, rules), _) => {
                let gate = self.gates.entry(queue.clone()).or_default();
                gate.concurrency = rules.concurrency;
                // A place that was given stays given.
                gate.key_limit = gate.key_limit.max(rules.key_limit);
            }
            (Write::PauseQueue(queue, paused), _) => {
                self.gates.entry(queue.clone()).or_default().paused = *paused;
            }
            (Write::Promote(..), Answer::Promoted(_)) => self.promoted(rows),
            (Write::Reclaim(alive, ..), Answer::Reclaimed(reclaimed)) => {
                self.reclaimed(life, *alive, reclaimed);
            }
            (Write::Journal(append), Answer::Appended(appended)) => {
                self.journaled(append, *appended);
            }
            (Write::Signal(id, name, _), Answer::Signalled(signalled)) => {
                self.signalled(*id, name.as_str(), *signalled);
            }
            _ => self.take_in_outside(life, write, answer, rows),
        }
    }

    /// What workers outside and schedules do.
    fn take_in_outside(&mut self, life: u64, write: &Write, answer: &Answer, rows: &[Job]) {
        match (write, answer) {
            (Write::Lend(call), Answer::Lent(lent)) => self.lent(call, lent),
            (Write::Extend(beats), Answer::Extended(ends)) => self.extended(beats, ends),
            (Write::Expire(now, ..), Answer::Expired(it)) => self.expired(life, *now, it),
            (Write::Renew(now), Answer::Renewed(next)) => self.renewed(life, *now, *next),
            (Write::Note(put), Answer::Noted(noted)) => self.noted(put, noted),
            (Write::Schedules(writes), Answer::Written(it)) => self.scheduled(writes, it, rows),
            _ => {}
        }
    }

    fn inserted(&mut self, life: u64, submission: &Submission, inserted: &Inserted) {
        let key = submission.idempotency.as_ref().map(|it| it.key.clone());
        let known = key.as_ref().and_then(|key| self.keys.get(key));
        match inserted {
            Inserted::Replay(ids) => {
                if known != Some(ids) {
                    let text = format!("{key:?} answers with {ids:?}, not with {known:?}");
                    self.broken("one key, one submission", text);
                }
            }
            Inserted::New(lodged) => {
                if let Some(known) = known {
                    let text = format!("{key:?} is stored again; it stands for {known:?}");
                    self.broken("one key, one submission", text);
                }
                let id = |(job, lodged): (&JobInsert, &Lodged)| match lodged {
                    Lodged::New(_) => job.id,
                    Lodged::Known(id) => *id,
                };
                let ids = submission.jobs.iter().zip(lodged).map(id).collect();
                key.map(|key| self.keys.insert(key, ids));
                for (job, lodged) in submission.jobs.iter().zip(lodged) {
                    self.only_one(job, *lodged);
                    let Lodged::New(lease) = lodged else { continue };
                    self.new_job(job, submission.at);
                    if let (Some(token), Some(offer)) = (lease, &submission.offer) {
                        self.lease(job.id, *token, Some(offer.instance), life);
                    }
                }
            }
        }
    }

    /// A job is stored unless one with its mark is unfinished.
    fn only_one(&mut self, job: &JobInsert, lodged: Lodged) {
        let there = job.mark.and_then(|mark| self.unfinished_with(mark));
        let told = match lodged {
            Lodged::New(_) => None,
            Lodged::Known(id) => Some(id),
        };
        must!(
            self,
            told == there,
            "unique jobs are alone",
            job.id,
            "was answered with {told:?} beside {there:?}"
        );
    }

    fn unfinished_with(&self, mark: Fingerprint) -> Option<JobId> {
        let mut alike = self.jobs.iter().filter(|(_, seen)| seen.mark == Some(mark));
        alike.find(|(_, seen)| !seen.state.is_final()).map(|(id, _)| *id)
    }

    pub(super) fn new_job(&mut self, job: &JobInsert, at: jobmill_model::Timestamp) {
        let waits = job.spec.gathers || job.spec.start.run_at(at) > at;
        let seen = Seen {
            number: self.jobs.len() + 1,
            flow: job.spec.flow.to_string(),
            input: job.input.clone(),
            params: job.params.clone(),
            parent: job.spec.parent,
            gathers: job.spec.gathers,
            queue: job.spec.queue.clone(),
            key: job.spec.key.clone(),
            mark: job.mark,
            state: if waits { State::Scheduled } else { State::Submitted },
            token: Token::default(),
            lease: None,
            held: None,
            ledger: BTreeMap::new(),
            max_attempts: job.spec.max_attempts,
            attempt: 0,
            attempt_open: false,
            crashes: 0,
            run: 1,
            journal: Vec::new(),
            inbox: BTreeSet::new(),
            last_signal: 0,
            received: BTreeMap::new(),
            ends: BTreeMap::new(),
            ended_by: 0,
            failed: 0,
            leases: 0,
            result: None,
            went_along: false,
            active_at: self.time.now(),
        };
        self.tags.insert(tag_of(Seed::of(job.id, 1)), (job.id, 1));
        let before = self.jobs.insert(job.id, seen);
        must!(self, before.is_none(), "ids are new", job.id, "was there before");
    }

    pub(super) fn lease(
        &mut self,
        id: JobId,
        token: Token,
        instance: Option<InstanceId>,
        life: u64,
    ) {
        self.may_go(id);
        self.step(id, Move::Claim);
        let at = self.done_at;
        let Some(seen) = self.jobs.get_mut(&id) else { return };
        let (greatest, held) = (seen.token, seen.lease);
        seen.token = greatest.max(token);
        seen.lease = Some(Lease { token, instance, life, at });
        seen.attempt += u32::from(!seen.attempt_open);
        seen.attempt_open = true;
        seen.leases += 1;
        seen.active_at = at;
        must!(self, token > greatest, "tokens grow", id, "is leased with {token} after {greatest}");
        must!(self, held.is_none(), "one lease at a time", id, "is leased while it is leased");
    }

    /// A job is leased only where its queue and its key let it go.
    fn may_go(&mut self, id: JobId) {
        let Some(seen) = self.jobs.get(&id) else { return };
        let gate = self.gates.get(&seen.queue).copied().unwrap_or_default();
        let at_work = |other: &&Seen| other.lease.is_some() && other.queue == seen.queue;
        let at_work: Vec<_> = self.jobs.values().filter(at_work).collect();
        let in_queue = at_work.len() as u32;
        let of_key = at_work.iter().filter(|other| other.key == seen.key).count() as u32;
        let has_key = seen.key.is_some();
        must!(self, !gate.paused, "a paused queue rests", id, "was leased in a paused queue");
        must!(
            self,
            gate.concurrency.is_none_or(|most| in_queue < most),
            "limits hold",
            id,
            "was leased beside {in_queue} others in its queue: {gate:?}"
        );
        must!(
            self,
            !has_key || of_key < gate.key_limit,
            "limits hold",
            id,
            "was leased beside {of_key} others of its key: {gate:?}"
        );
    }

    /// Whether a write under this token counts, which it must if the lease holds and only then.
    pub(super) fn fenced(&mut self, id: JobId, token: Token, taken: bool) -> bool {
        let holds = self.jobs.get(&id).and_then(|seen| seen.lease).map(|lease| lease.token);
        must!(
            self,
            !taken || holds == Some(token),
            "a stale attempt changes nothing",
            id,
            "took a write under token {token}; the lease is {holds:?}"
        );
        must!(
            self,
            taken || holds != Some(token),
            "a lease that holds is honoured",
            id,
            "refused a write under token {token}, which holds"
        );
        taken
    }

    fn step(&mut self, id: JobId, what: Move) {
        let Some(seen) = self.jobs.get_mut(&id) else { return };
        let from = seen.state;
        seen.state = from.after(what).unwrap_or(from);
        let is_legal = from.after(what).is_some();
        must!(self, is_legal, "states move along the table", id, "was {from} before {what:?}");
    }

    pub(super) fn unlease(&mut self, id: JobId, what: Move) {
        self.step(id, what);
        if let Some(seen) = self.jobs.get_mut(&id) {
            seen.lease = None;
            seen.held = None;
        }
    }

    /// A run has its outcome.
    pub(super) fn end(&mut self, id: JobId, what: Move, life: u64) {
        let Some(seen) = self.jobs.get_mut(&id) else { return };
        let earlier = seen.ends.get(&seen.run).copied();
        seen.lease = None;
        seen.held = None;
        seen.attempt_open = false;
        seen.ledger.clear();
        seen.journal.clear();
        seen.inbox.clear();
        seen.ended_by = life;
        must!(
            self,
            earlier.is_none(),
            "one outcome a run",
            id,
            "has ended as {earlier:?} and goes through {what:?}"
        );
        self.step(id, what);
        if let Some(seen) = self.jobs.get_mut(&id) {
            seen.ends.insert(seen.run, seen.state);
        }
        if let Some(parent) = self.jobs.get(&id).and_then(|seen| seen.parent) {
            self.child_ended(parent);
        }
    }

    /// A job that gathers can begin when no child is unfinished.
    fn child_ended(&mut self, parent: JobId) {
        let Some(seen) = self.jobs.get(&parent) else { return };
        let waits = seen.gathers && seen.state == State::Scheduled && seen.leases == 0;
        let child = |seen: &&Seen| seen.parent == Some(parent) && !seen.state.is_final();
        if waits && !self.jobs.values().any(|seen| child(&seen)) {
            self.step(parent, Move::Due);
        }
    }

    fn cancelled(&mut self, life: u64, id: JobId, outcome: Cancelled) {
        let state = self.jobs.get(&id).map(|seen| seen.state);
        let told = match outcome {
            Cancelled::Done(state) | Cancelled::Ended(state) => Some(state),
            Cancelled::Unknown => None,
        };
        must!(
            self,
            state == told,
            "answers are true",
            id,
            "was {state:?} when it was cancelled, not {told:?}"
        );
        if matches!(outcome, Cancelled::Done(_)) {
            self.stop(id, life);
        }
    }

    /// Stops a job and the unfinished jobs below it.
    fn stop(&mut self, id: JobId, life: u64) {
        self.end(id, Move::Cancel, life);
        if let Some(seen) = self.jobs.get_mut(&id) {
            seen.token = seen.token.next();
        }
        let below = |(_, seen): &(&JobId, &Seen)| seen.parent == Some(id) && !seen.state.is_final();
        let children: Vec<_> = self.jobs.iter().filter(below).map(|(id, _)| *id).collect();
        for child in children {
            self.stop(child, life);
            self.jobs.entry(child).and_modify(|seen| seen.went_along = true);
        }
    }

    fn retried(&mut self, id: JobId, outcome: Retried) {
        if outcome != Retried::Done {
            return;
        }
        let other = self.jobs.get(&id).and_then(|seen| self.unfinished_with(seen.mark?));
        must!(self, other.is_none(), "unique jobs are alone", id, "runs again beside {other:?}");
        self.step(id, Move::Reopen);
        let Some(seen) = self.jobs.get_mut(&id) else { return };
        seen.run += 1;
        seen.attempt = 0;
        seen.crashes = 0;
        seen.received.clear();
        seen.went_along = false;
        let run = seen.run;
        self.tags.insert(tag_of(Seed::of(id, run)), (id, run));
    }

    fn parked(&mut self, park: &Park, parked: Parked) {
        let held = self.fenced(park.id, park.token, parked != Parked::Stale);
        if held && parked == Parked::Done {
            self.unlease(park.id, Move::Park);
        }
    }

    fn settled(&mut self, life: u64, settle: &Settle, outcome: Settled) {
        let id = settle.id;
        if let (Settled::Done(_), Some(seen)) = (outcome, self.jobs.get(&id)) {
            let end = seen.ends.get(&seen.run).copied();
            must!(
                self,
                end.is_none(),
                "one outcome a run",
                id,
                "has ended as {end:?} and is settled again"
            );
        }
        if !self.fenced(id, settle.token, outcome != Settled::Stale) {
            return;
        }
        match &settle.verdict {
            Verdict::Complete(extent) => {
                self.check_result(id, *extent, &settle.chunks);
                self.end(id, Move::Complete, life);
            }
            Verdict::Retry { .. } => {
                self.unlease(id, Move::Retry);
                if let Some(seen) = self.jobs.get_mut(&id) {
                    seen.attempt_open = false;
                    seen.failed += 1;
                }
            }
            Verdict::Fail(_) => {
                self.end(id, Move::Fail, life);
                self.jobs.entry(id).and_modify(|seen| seen.failed += 1);
            }
            Verdict::Cancel => self.stop(id, life),
        }
        let state = self.jobs.get(&id).map(|seen| seen.state);
        must!(
            self,
            state.map(Settled::Done) == Some(outcome),
            "answers are true",
            id,
            "is {state:?}, the answer was {outcome:?}"
        );
    }

    fn promoted(&mut self, rows: &[Job]) {
        for row in rows.iter().filter(|row| row.state == State::Submitted) {
            if self.jobs.get(&row.id).is_some_and(|seen| seen.state == State::Scheduled) {
                self.step(row.id, Move::Due);
            }
        }
    }

    fn reclaimed(&mut self, life: u64, alive: InstanceId, reclaimed: &Reclaimed) {
        let lost = |(_, seen): &(&JobId, &Seen)| {
            seen.lease.and_then(|it| it.instance).is_some_and(|it| it != alive)
        };
        let lost: Vec<_> = self.jobs.iter().filter(lost).map(|(id, _)| *id).collect();
        let mut failed = Vec::new();
        for id in &lost {
            let Some(seen) = self.jobs.get_mut(id) else { continue };
            seen.crashes += 1;
            if seen.crashes > MAX_CRASHES {
                seen.failed += 1;
                failed.push(*id);
                self.end(*id, Move::Fail, life);
            } else {
                self.unlease(*id, Move::HandBack);
            }
        }
        let model = Reclaimed { returned: lost.len() - failed.len(), failed };
        if model != *reclaimed {
            self.broken("answers are true", format!("{reclaimed:?} for {model:?}"));
        }
    }

    fn journaled(&mut self, append: &Append, appended: Appended) {
        let (id, first) = (append.id, append.entries.first().map(|entry| entry.seq));
        if !self.fenced(id, append.token, appended != Appended::Stale) {
            return;
        }
        let at = self.time.now();
        let Some(seen) = self.jobs.get_mut(&id) else { return };
        let next = seen.journal.len() as u64;
        seen.active_at = at;
        if appended != Appended::Done {
            return;
        }
        seen.journal.extend(append.entries.iter().cloned());
        let taken = append.consumed.iter().all(|number| seen.inbox.remove(number));
        let seed = Seed::of(id, seen.run);
        let calls = append
            .entries
            .iter()
            .filter(|entry| matches!(entry.outcome, Outcome::Done(_) | Outcome::Failed { .. }));
        self.committed.extend(calls.map(|entry| seed.idempotency_key(entry.number)));
        must!(
            self,
            first.is_none_or(|it| it == next),
            "journals have no gaps",
            id,
            "journaled entry {first:?} where {next} was due"
        );
        must!(self, taken, "a signal is taken once", id, "took a signal that was not there");
    }

    fn signalled(&mut self, id: JobId, name: &str, signalled: Signalled) {
        let Signalled::Done(number) = signalled else { return };
        let Some(seen) = self.jobs.get_mut(&id) else { return };
        let (last, state) = (seen.last_signal, seen.state);
        seen.inbox.insert(number);
        seen.last_signal = number;
        *seen.received.entry(name.to_owned()).or_default() += 1;
        must!(self, number > last, "signals are numbered", id, "used a signal's number twice");
        must!(self, !state.is_final(), "answers are true", id, "took a signal after its end");
    }
}

impl Seen {
    pub(crate) fn is_machine(&self) -> bool {
        self.flow == STEPS
    }
}
