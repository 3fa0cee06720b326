//! The reference store: everything in memory, one lock, no cleverness.
//!
//! It is the oracle that every backend is compared with, so it follows the port's docs word for
//! word and nothing else: a state moves only through [`State::after`], and a move that is not
//! legal is a bug and panics. It is also what the engine's tests run on.

mod attempt;
mod definition;
mod document;
mod event;
mod flow;
mod job;
mod journal;
mod key;
mod lease;
mod ledger;
mod output;
mod outside;
mod queue;
mod retention;
mod schedule;
mod signal;
mod table_row;
mod tally;

use std::collections::BTreeMap;
use std::sync::Arc;

use jobmill_model::definition::Definition;
use jobmill_model::job::{FailedAttempt, Fingerprint, Move};
use jobmill_model::key::ApiKey;
use jobmill_model::limits::{HISTORY_BYTES, HISTORY_ENTRIES};
use jobmill_model::machine::Entry;
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::queue::{Name, QueueRules, Rank};
use jobmill_model::rate::Spent;
use jobmill_model::webhook::Delivery;
use jobmill_model::{
    Declaration, InstanceId, Job, JobId, Json, Map, Schedule, State, Timestamp, Token, Value,
};
use parking_lot::Mutex;

use crate::{Change, Feed, Hold, JobInsert, Pair, Signal, Submission, Tally};

/// A store in memory: whole and exact, and gone when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Data>);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[derive(Debug, Default)]
struct Data {
    documents: BTreeMap<crate::DocumentName, crate::Document>,
    /// The rows of each set.
    rows_of: BTreeMap<String, Vec<table_row::Kept>>,
    rows: BTreeMap<JobId, Row>,
    keys: BTreeMap<KeyName, Key>,
    flows: BTreeMap<Name, Declaration>,
    pairs: Vec<(JobId, Pair)>,
    /// Entries ever published: their numbers are not used twice.
    published: u64,
    tally: Tally,
    feed: Arc<Feed>,
    /// The revisions of each definition, oldest first.
    definitions: BTreeMap<Name, Vec<Definition>>,
    schedules: BTreeMap<Name, Schedule>,
    api_keys: BTreeMap<Name, ApiKey>,
    queues: BTreeMap<Name, Queue>,
}

/// What is set for a queue.
#[derive(Debug, Default, Clone, Copy)]
struct Queue {
    paused: bool,
    rules: QueueRules,
    spent: Spent,
    /// Whether held jobs may have a free place since a limit was raised.
    unbalanced: bool,
}

/// The scope of an idempotency key and the key.
type KeyName = (String, String);

/// What an idempotency key stands for.
#[derive(Debug)]
struct Key {
    body: Fingerprint,
    keep_until: Timestamp,
    jobs: Vec<JobId>,
}

#[derive(Debug)]
struct Row {
    job: Job,
    /// Jobs with the same mark are the same.
    mark: Option<Fingerprint>,
    submitted_at: Timestamp,
    token: Token,
    place: Place,
    /// Its rank once its key has let it through later than its time; its own otherwise.
    let_through: Option<Rank>,
    /// Whether the present attempt has begun and is not settled; a claim then goes on with it.
    attempt_open: bool,
    journal: Vec<Entry>,
    ledger: BTreeMap<Name, Json>,
    inbox: BTreeMap<u64, Signal>,
    /// The number of the last signal ever received: numbers are not used twice.
    last_signal: u64,
    failed: Vec<FailedAttempt>,
    chunks: BTreeMap<Token, Vec<Chunk>>,
    published: Option<(Token, Extent)>,
}

/// Where a row stands towards the workers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Claimable, if its queue lets it go.
    Ready,
    /// Its time has come, and it waits for others of its key.
    Held,
    /// Under a lease of this instance.
    Leased(InstanceId),
    /// Under a lease of a worker outside.
    Lent(Hold),
    /// Scheduled or parked, until this instant at the latest.
    Waiting(Option<Timestamp>),
    /// In a final state.
    Ended,
}

impl Row {
    /// Its place among the claimable jobs.
    fn rank(&self) -> (Rank, JobId) {
        let (own, id) = self.own_rank();
        (self.let_through.unwrap_or(own), id)
    }

    /// Its place among the held jobs of its key.
    fn own_rank(&self) -> (Rank, JobId) {
        (Rank::of(self.job.run_at, self.job.spec.priority), self.job.id)
    }

    fn leased_under(&self, token: Token) -> bool {
        matches!(self.place, Place::Leased(_) | Place::Lent(_)) && self.token == token
    }
}

impl Data {
    /// The row of a job whose lease with this token goes on.
    fn leased(&mut self, id: JobId, token: Token) -> Option<&mut Row> {
        self.rows.get_mut(&id).filter(|row| row.leased_under(token))
    }

    /// Moves a job to its next state; the one place where states change.
    fn step(&mut self, id: JobId, what: Move) -> &mut Row {
        let row = self.rows.get_mut(&id).expect("only a stored job moves");
        let from = row.job.state;
        let to = from.after(what).expect("only legal moves are made");
        row.job.state = to;
        self.tally.leave(from);
        self.tally.enter(to);
        self.feed.push([(id, Change::State(to))]);
        row
    }

    /// Moves a job to a final state.
    fn end(&mut self, id: JobId, what: Move, now: Timestamp) -> &mut Row {
        self.step(id, what);
        let row = self.leave(id, Place::Ended, now);
        row.attempt_open = false;
        row.job.finished_at = Some(now);
        row.job.waiting_for = None;
        if !may_stay(&row.journal) {
            row.journal.clear();
        }
        row.ledger.clear();
        row.inbox.clear();
        if let Some(parent) = row.job.spec.parent {
            self.child_ended(parent, now);
        }
        self.rows.get_mut(&id).expect("it is still stored")
    }

    /// A job that gathers and has no unfinished child left can begin.
    fn child_ended(&mut self, parent: JobId, now: Timestamp) {
        let waits = |row: &Row| {
            let Job { state, spec, .. } = &row.job;
            spec.gathers && *state == State::Scheduled && row.place == Place::Waiting(None)
        };
        let is_unfinished =
            |row: &Row| row.job.spec.parent == Some(parent) && !row.job.state.is_final();
        if self.rows.get(&parent).is_some_and(waits) && !self.rows.values().any(is_unfinished) {
            self.step(parent, Move::Due).job.run_at = now;
            self.enter(parent);
        }
    }

    /// Stores the job that tells of the end of this one, if somebody wants to be told.
    fn announce(&mut self, id: JobId, now: Timestamp) {
        let Some(Delivery { id, spec, input }) = Delivery::of(&self.rows[&id].job, now) else {
            return;
        };
        let jobs = vec![JobInsert {
            id,
            spec,
            input,
            params: Value::from(Map::new()).to_json(),
            mark: None,
        }];
        let submission = Submission { jobs, idempotency: None, at: now, offer: None };
        self.insert(submission).expect("without an idempotency key nothing is refused");
    }

    /// Cancels a job that has not ended, and every unfinished job below it.
    fn cancel(&mut self, id: JobId, now: Timestamp) {
        let mut left = vec![id];
        while let Some(id) = left.pop() {
            let row = self.end(id, Move::Cancel, now);
            row.token = row.token.next();
            self.announce(id, now);
            let unfinished = self.rows.values().filter(|row| !row.job.state.is_final());
            let children = unfinished.filter(|row| row.job.spec.parent == Some(id));
            left.extend(children.map(|row| row.job.id));
        }
    }

    /// Leases a claimable job.
    fn lease(&mut self, id: JobId, place: Place, now: Timestamp) -> &Row {
        let row = self.step(id, Move::Claim);
        row.place = place;
        row.let_through = None;
        row.token = row.token.next();
        row.job.attempt += u32::from(!row.attempt_open);
        row.attempt_open = true;
        row.job.started_at.get_or_insert(now);
        row.job.waiting_for = None;
        let queue = row.job.spec.queue.clone();
        self.spend(&queue, now);
        &self.rows[&id]
    }
}

/// Whether a journal is small enough to be kept for the history of its run.
fn may_stay(journal: &[Entry]) -> bool {
    let bytes = |entry: &Entry| entry.outcome.to_json().as_str().len() as u64;
    journal.len() as u64 <= HISTORY_ENTRIES
        && journal.iter().map(bytes).sum::<u64>() <= HISTORY_BYTES
}
