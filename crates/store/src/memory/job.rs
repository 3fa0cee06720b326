//! The job from its submission on, in memory.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jobmill_model::job::{self, Fingerprint, Idempotency, Move, Progress, Spec};
use jobmill_model::limits::{PAGE_BYTES, SITUATION_ROWS};
use jobmill_model::queue::Name;
use jobmill_model::{Job, JobId, State, Timestamp, Token};

use super::{Data, Key, KeyName, MemoryStore, Place, Row};
use crate::{
    Cancelled, Change, Deleted, Inserted, JobInsert, JobPage, JobQuery, Jobs, Lodged, Offer,
    Result, Retried, Situation, StoreError, Submission, Swept,
};

#[async_trait]
impl Jobs for MemoryStore {
    async fn job_insert(&self, submission: Submission) -> Result<Inserted> {
        self.0.lock().insert(submission)
    }

    async fn job_get(&self, ids: &[JobId]) -> Result<Vec<Option<Job>>> {
        let data = self.0.lock();
        Ok(ids.iter().map(|id| data.rows.get(id).map(|row| row.job.clone())).collect())
    }

    async fn job_situation(&self, id: JobId) -> Result<Option<Situation>> {
        let data = self.0.lock();
        Ok(data.rows.get(&id).map(|row| data.situation(row)))
    }

    async fn job_list(&self, query: &JobQuery) -> Result<JobPage> {
        Ok(self.0.lock().list(query))
    }

    async fn job_cancel(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Cancelled>> {
        let mut data = self.0.lock();
        Ok(ids.iter().map(|id| data.cancel_one(*id, now)).collect())
    }

    async fn job_retry(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Retried>> {
        let mut data = self.0.lock();
        Ok(ids.iter().map(|id| data.retry_one(*id, now)).collect())
    }

    async fn job_delete(&self, ids: &[JobId]) -> Result<Vec<Deleted>> {
        let mut data = self.0.lock();
        Ok(ids.iter().map(|id| data.delete_one(*id)).collect())
    }

    async fn idempotency_sweep(&self, now: Timestamp, limit: usize) -> Result<Swept> {
        let mut data = self.0.lock();
        let mut past = data.keys_past(now);
        let more = past.len() > limit;
        past.truncate(limit);
        past.iter().for_each(|name| drop(data.keys.remove(name)));
        Ok(Swept { rows: past.len(), more })
    }
}

impl Data {
    pub(super) fn insert(&mut self, submission: Submission) -> Result<Inserted> {
        if let Some(ids) = self.known(&submission)? {
            return Ok(Inserted::Replay(ids));
        }
        let Submission { jobs, at, offer, idempotency } = submission;
        let busy = self.busy_queues();
        let mut places = offer.as_ref().map_or(0, |offer| offer.places);
        let (mut lodged, mut ids) = (Vec::with_capacity(jobs.len()), Vec::new());
        for job in jobs {
            if let Some(known) = job.mark.and_then(|mark| self.marked(mark, at)) {
                lodged.push(Lodged::Known(known));
                ids.push(known);
                continue;
            }
            ids.push(job.id);
            let row = Row::new(job, at);
            let (id, waits) = (row.job.id, row.place != Place::Ready);
            self.tally.enter(row.job.state);
            let new = (id, Change::State(row.job.state));
            assert!(self.rows.insert(id, row).is_none(), "a new job has a new id");
            self.feed.push([new]);
            if !waits {
                self.enter(id);
            }
            let row = &self.rows[&id];
            let taker = offer.as_ref().filter(|offer| places > 0 && may_take(offer, row, &busy));
            let taker = taker.filter(|_| self.room(&row.job.spec.queue, at) > 0);
            places -= usize::from(taker.is_some());
            let lease = |offer: &Offer| self.lease(id, Place::Leased(offer.instance), at).token;
            lodged.push(Lodged::New(taker.map(lease)));
        }
        self.keep_key(idempotency, ids);
        Ok(Inserted::New(lodged))
    }

    /// The job with a mark that is in the way of another one.
    fn marked(&self, mark: Fingerprint, now: Timestamp) -> Option<JobId> {
        let unfinished = self.unfinished_with(mark);
        let late = self.rows.values().filter(|row| row.mark == Some(mark));
        let late = late.filter_map(|row| Some((row.in_the_way_until()?, row.job.id)));
        unfinished.or_else(|| Some(late.filter(|(until, _)| *until > now).max()?.1))
    }

    fn unfinished_with(&self, mark: Fingerprint) -> Option<JobId> {
        let mut rows = self.rows.values().filter(|row| row.mark == Some(mark));
        rows.find(|row| !row.job.state.is_final()).map(|row| row.job.id)
    }

    /// The jobs of an earlier submission under the same idempotency key.
    fn known(&self, submission: &Submission) -> Result<Option<Vec<JobId>>> {
        let Some(idempotency) = &submission.idempotency else { return Ok(None) };
        let name: KeyName = (idempotency.scope.clone(), idempotency.key.clone());
        match self.keys.get(&name) {
            None => Ok(None),
            Some(key) if key.body == idempotency.body => Ok(Some(key.jobs.clone())),
            Some(_) => Err(StoreError::KeyReused),
        }
    }

    fn keep_key(&mut self, idempotency: Option<Idempotency>, jobs: Vec<JobId>) {
        let Some(idempotency) = idempotency else { return };
        let key = Key { body: idempotency.body, keep_until: idempotency.keep_until, jobs };
        self.keys.insert((idempotency.scope, idempotency.key), key);
    }

    /// The keys that may be forgotten.
    fn keys_past(&self, now: Timestamp) -> Vec<KeyName> {
        let ended = |id: &JobId| self.rows.get(id).is_none_or(|row| row.job.state.is_final());
        let past = |key: &Key| key.keep_until <= now && key.jobs.iter().all(ended);
        self.keys.iter().filter(|(_, key)| past(key)).map(|(name, _)| name.clone()).collect()
    }

    /// The queues in which a job is claimable.
    fn busy_queues(&self) -> BTreeSet<Name> {
        let ready = self.rows.values().filter(|row| row.place == Place::Ready);
        ready.map(|row| row.job.spec.queue.clone()).collect()
    }

    fn list(&self, query: &JobQuery) -> JobPage {
        let older = query.before.map_or_else(|| self.rows.range(..), |id| self.rows.range(..id));
        let mut matching = older.rev().map(|(_, row)| &row.job).filter(|job| matches(query, job));
        let mut jobs: Vec<Job> = Vec::new();
        let mut bytes = 0;
        while jobs.len() < query.limit && bytes < PAGE_BYTES {
            let Some(job) = matching.next() else { break };
            bytes += job.input.as_str().len();
            jobs.push(job.clone());
        }
        let next = matching.next().and_then(|_| jobs.last()).map(|job| job.id);
        JobPage { jobs, next }
    }

    fn cancel_one(&mut self, id: JobId, now: Timestamp) -> Cancelled {
        let Some(row) = self.rows.get(&id) else { return Cancelled::Unknown };
        let state = row.job.state;
        if state.is_final() {
            return Cancelled::Ended(state);
        }
        self.cancel(id, now);
        Cancelled::Done(state)
    }

    fn retry_one(&mut self, id: JobId, now: Timestamp) -> Retried {
        let Some(row) = self.rows.get(&id) else { return Retried::Unknown };
        let state = row.job.state;
        if state.after(Move::Reopen).is_none() {
            return Retried::Refused(state);
        }
        if let Some(other) = row.mark.and_then(|mark| self.unfinished_with(mark)) {
            return Retried::Taken(other);
        }
        let row = self.step(id, Move::Reopen);
        row.chunks.clear();
        row.journal.clear();
        row.job.run += 1;
        row.job.run_at = now;
        row.job.attempt = 0;
        row.job.crashes = 0;
        row.job.progress = Progress::default();
        row.job.started_at = None;
        row.job.finished_at = None;
        row.job.error = None;
        self.enter(id);
        Retried::Done
    }

    fn situation(&self, row: &Row) -> Situation {
        let most = |count: usize| (count as u64).min(SITUATION_ROWS);
        let Spec { flow, queue, .. } = &row.job.spec;
        let ready = self.rows.values().filter(|other| other.place == Place::Ready);
        let alike = ready.filter(|it| it.job.spec.flow == *flow && it.job.spec.queue == *queue);
        let ahead = alike.filter(|it| it.rank() < row.rank());
        let children = self.rows.values().filter(|it| it.job.spec.parent == Some(row.job.id));
        let states: Vec<State> = children.map(|it| it.job.state).collect();
        let count = |state| most(states.iter().filter(|it| **it == state).count());
        let place = match &row.place {
            Place::Ready => job::Place::Ready { ahead: most(ahead.count()) },
            Place::Held => job::Place::Held { taken: most(self.places_taken(row)) },
            Place::Leased(_) | Place::Lent(_) => job::Place::Leased,
            Place::Waiting(until) => job::Place::Waiting { until: *until },
            Place::Ended => job::Place::Ended,
        };
        let children = job::Children {
            total: most(states.len()),
            completed: count(State::Completed),
            failed: count(State::Failed),
            cancelled: count(State::Cancelled),
        };
        Situation { job: row.job.clone(), place, children }
    }

    fn delete_one(&mut self, id: JobId) -> Deleted {
        let Some(row) = self.rows.get(&id) else { return Deleted::Unknown };
        let job = &row.job;
        if !job.state.is_final() {
            return Deleted::Refused(job.state);
        }
        let parent = job.spec.parent.and_then(|parent| self.rows.get(&parent));
        if parent.is_some_and(|parent| !parent.job.state.is_final()) {
            return Deleted::Needed;
        }
        self.tally.leave(job.state);
        self.rows.remove(&id);
        self.feed.push([(id, Change::Deleted)]);
        self.pairs.retain(|(job, _)| *job != id);
        Deleted::Done
    }
}

impl Row {
    fn new(new: JobInsert, at: Timestamp) -> Self {
        let run_at = new.spec.start.run_at(at);
        let gathers = new.spec.gathers;
        let waits = run_at > at || gathers;
        let job = Job {
            id: new.id,
            spec: new.spec,
            input: new.input,
            params: new.params,
            state: if waits { State::Scheduled } else { State::Submitted },
            attempt: 0,
            crashes: 0,
            run: 1,
            progress: Progress::default(),
            created_at: new.id.made_at(),
            run_at,
            started_at: None,
            finished_at: None,
            error: None,
            waiting_for: None,
        };
        Self {
            job,
            mark: new.mark,
            submitted_at: at,
            token: Token::default(),
            place: if waits { Place::Waiting((!gathers).then_some(run_at)) } else { Place::Ready },
            let_through: None,
            attempt_open: false,
            journal: Vec::new(),
            ledger: BTreeMap::new(),
            inbox: BTreeMap::new(),
            last_signal: 0,
            failed: Vec::new(),
            chunks: BTreeMap::new(),
            published: None,
        }
    }
}

impl Row {
    /// Until when it is in the way of a job with its mark although it has ended.
    fn in_the_way_until(&self) -> Option<Timestamp> {
        let span = self.job.spec.unique.as_ref()?.span?;
        Some(self.submitted_at.after(span))
    }
}

/// The rule of hand-over: nothing that was there before is passed over.
fn may_take(offer: &Offer, row: &Row, busy: &BTreeSet<Name>) -> bool {
    let spec = &row.job.spec;
    row.place == Place::Ready && offer.flows.contains(&spec.flow) && !busy.contains(&spec.queue)
}

fn matches(query: &JobQuery, job: &Job) -> bool {
    (query.states.is_empty() || query.states.contains(&job.state))
        && query.flow.as_ref().is_none_or(|flow| *flow == job.spec.flow)
        && query.queue.as_ref().is_none_or(|queue| *queue == job.spec.queue)
        && query.parent.is_none_or(|parent| job.spec.parent == Some(parent))
        && query.tag.as_ref().is_none_or(|tag| job.spec.tags.contains(tag))
        && query.since.is_none_or(|since| job.created_at >= since)
        && query.until.is_none_or(|until| job.created_at < until)
        && query.active_since.is_none_or(|since| job.finished_at.is_none_or(|at| at >= since))
}
