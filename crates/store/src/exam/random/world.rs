//! What the generator of operations remembers, and how it makes up the next one.

mod deploy;
mod document;
mod lease;
mod outside;
mod queue;
mod schedule;
mod submit;

use std::collections::{BTreeMap, BTreeSet};

use jobmill_model::job::Idempotency;
use jobmill_model::{InstanceId, Job, JobId, Schedule, State, Timestamp, Token};

use super::super::stage::{Must, at, every_attempt, name, nobody};
use super::chance::Chance;
use super::op::{Answer, Op};
use crate::{AttemptQuery, Inserted, JobQuery, Lodged, Noted, Settled, Store, Written};

const FLOWS: [&str; 3] = ["f", "g", "h"];
const QUEUES: [&str; 4] = ["default", "slow", "nightly", "mail"];
/// Every so many operations there is one on documents or rows.
const TURNS_OF_DOCUMENTS: usize = 6;
/// Every so many turns are those of schedules, with a chance of their own as well.
const TURNS_OF_SCHEDULES: usize = 12;
/// Every so many turns there is one on API keys, with a chance of its own as well.
const TURNS_OF_KEYS: usize = 60;
const JOB_KEYS: [&str; 3] = ["ann", "bob", "cy"];
const TAGS: [&str; 3] = ["red", "green", "blue"];

type Lease = (JobId, Token);

/// The generator: a clock, a chance, and what the oracle has answered so far.
pub(super) struct World {
    pub(super) chance: Chance,
    /// Another one for documents, so that they do not change what happens to jobs.
    other_chance: Chance,
    schedule_chance: Chance,
    key_chance: Chance,
    /// How many operations there have been.
    turn: usize,
    millis: i64,
    /// Instants at which something comes due; no two alike, as their order would be free.
    dues: BTreeSet<i64>,
    jobs: Vec<JobId>,
    completed: Vec<JobId>,
    keys: Vec<Idempotency>,
    /// Leases that hold.
    leases: Vec<Lease>,
    /// Those of them that workers outside have.
    lent: Vec<Lease>,
    /// Jobs with a step in their ledger, some of them not any more.
    noted: Vec<JobId>,
    /// Leases that have ended.
    ended: Vec<Lease>,
    /// Jobs that have been parked; most of them not any more.
    parked: Vec<JobId>,
    /// What lies before the workers that hold the leases.
    desks: BTreeMap<JobId, Desk>,
    /// How long the result is that has been written under a lease.
    written: BTreeMap<Lease, u64>,
    /// Schedules as they stand.
    schedules: Vec<Schedule>,
}

/// What lies before a worker.
#[derive(Clone, Copy, Default)]
struct Desk {
    /// The next free place in the journal.
    next_seq: u64,
    /// The last signal in the inbox; 0 for none.
    last_signal: u64,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            chance: Chance::new(seed),
            other_chance: Chance::new(!seed),
            schedule_chance: Chance::new(seed.rotate_left(32)),
            key_chance: Chance::new(seed.rotate_left(16)),
            turn: 0,
            millis: at(0).as_millis(),
            dues: BTreeSet::new(),
            jobs: Vec::new(),
            completed: Vec::new(),
            keys: Vec::new(),
            leases: Vec::new(),
            lent: Vec::new(),
            noted: Vec::new(),
            ended: Vec::new(),
            parked: Vec::new(),
            desks: BTreeMap::new(),
            written: BTreeMap::new(),
            schedules: Vec::new(),
        }
    }

    pub(super) fn next_op(&mut self) -> Op {
        self.turn += 1;
        if self.turn.is_multiple_of(TURNS_OF_DOCUMENTS) {
            std::mem::swap(&mut self.chance, &mut self.other_chance);
            let op = Op::Document(self.document_op());
            std::mem::swap(&mut self.chance, &mut self.other_chance);
            return op;
        }
        if self.turn % TURNS_OF_KEYS == 2 {
            std::mem::swap(&mut self.chance, &mut self.key_chance);
            let op = Op::Key(self.key_op());
            std::mem::swap(&mut self.chance, &mut self.key_chance);
            return op;
        }
        if self.turn % TURNS_OF_SCHEDULES == 1 {
            std::mem::swap(&mut self.chance, &mut self.schedule_chance);
            let op = self.schedule_op();
            std::mem::swap(&mut self.chance, &mut self.schedule_chance);
            return op;
        }
        match self.chance.below(100) {
            0..10 => Op::Insert(self.submission()),
            10..22 => Op::Claim(self.claim()),
            22..29 => Op::Settle(self.settles()),
            29..35 => Op::Park(self.park()),
            35..40 => self.job_signal(),
            40..45 => Op::Promote(self.now(), if self.chance.percent(50) { 2 } else { 1_000 }),
            45..51 => Op::Journal(self.append()),
            51..55 => self.output_append(),
            55..58 => Op::Progress(self.progress_notes()),
            58..60 => Op::Release(self.some_leases()),
            60..62 => Op::Cancel(self.some_ids(3), self.now()),
            62..64 => Op::Retry(self.some_ids(4), self.now()),
            64 => Op::Reclaim(self.instance(), self.chance.below(3) as u32, self.now()),
            65 if self.turn.is_multiple_of(2) => self.journal_delete(),
            65 => Op::SweepKeys(self.now()),
            66 if self.chance.percent(50) => self.job_delete(),
            66 => Op::SweepOutput(1 + self.chance.size(3)),
            67..82 => self.outside(),
            82..85 => self.deploying(),
            85..88 => self.queue_op(),
            _ => self.reading(),
        }
    }

    fn reading(&mut self) -> Op {
        let (from, limit) = (self.chance.below(2) * self.chance.below(3), 1 + self.chance.size(6));
        match self.chance.below(11) {
            0 if self.chance.percent(50) => Op::Situation(self.some_id()),
            0 => Op::Get(self.some_ids(4)),
            1 => Op::List(self.job_query()),
            2 => Op::ReadJournal(self.some_leased(), from, limit),
            3 => Op::ReadSignals(self.some_leased(), from, limit),
            4 => Op::Extent(self.some_result()),
            5 => Op::ReadOutput(self.some_result(), from, limit * 8),
            6 => Op::Pairs(from * 150, limit * 9),
            7 => Op::Attempts(self.attempt_query()),
            8 => self.queue_read(),
            9 => Op::Refill(self.now()),
            _ => Op::Tally,
        }
    }

    /// Takes in what the oracle answered.
    pub(super) fn learn(&mut self, op: &Op, answer: &Answer) {
        match (op, answer) {
            (Op::Insert(submission), Answer::Inserted(Ok(Inserted::New(lodged)))) => {
                self.keys.extend(submission.idempotency.clone());
                for (job, lodged) in submission.jobs.iter().zip(lodged) {
                    let Lodged::New(token) = lodged else { continue };
                    self.jobs.push(job.id);
                    token.iter().for_each(|token| self.leases.push((job.id, *token)));
                }
            }
            (Op::WriteSchedules(writes), Answer::Written(written)) => {
                let done = writes.iter().zip(written).filter(|(_, it)| **it == Written::Done);
                let jobs = done.flat_map(|(write, _)| &write.jobs);
                self.jobs.extend(jobs.map(|job| job.id));
            }
            (Op::Claim(_), Answer::Claimed(claimed)) => {
                let leases = claimed.iter().map(|claimed| (claimed.job.id, claimed.token));
                self.leases.extend(leases);
            }
            (Op::Lease(_), Answer::Lent(lent)) => {
                let leases = lent.iter().map(|lent| (lent.job.id, lent.token));
                self.lent.extend(leases.clone());
                self.leases.extend(leases);
            }
            (Op::PutEffect(put), Answer::Noted(Noted::New)) => self.noted.push(put.id),
            (Op::Settle(settles), Answer::Settled(settled)) => {
                let done =
                    |(_, settled): &(_, &Settled)| **settled == Settled::Done(State::Completed);
                let done = settles.iter().zip(settled).filter(done);
                self.completed.extend(done.map(|(settle, _)| settle.id));
            }
            (Op::AppendOutput(id, token, chunks), Answer::Held(held)) if held[0] => {
                let len: u64 = chunks.iter().map(|chunk| chunk.len).sum();
                *self.written.entry((*id, *token)).or_default() += len;
            }
            _ => {}
        }
    }

    /// Looks at the oracle for what helps to make up fitting arguments.
    pub(super) async fn look(&mut self, oracle: &dyn Store) {
        let ids: Vec<_> = self.leases.iter().map(|(id, _)| *id).collect();
        let jobs = oracle.job_get(&ids).await.must();
        let at_work = |job: &Job| job.state == State::Running && job.waiting_for.is_none();
        let mut held = BTreeMap::new();
        for ((id, token), job) in self.leases.drain(..).zip(jobs) {
            let holds = job.as_ref().is_some_and(at_work);
            // A lease of a job that was claimed again since has ended as well.
            if job.is_some_and(|job| job.waiting_for.is_some()) {
                self.parked.push(id);
            }
            let older = if holds { held.insert(id, token) } else { Some(token) };
            self.ended.extend(older.map(|older| (id, older)));
        }
        self.schedules = oracle.schedule_list(None, 1_000).await.must();
        self.leases.extend(held);
        self.lent.retain(|lease| self.leases.contains(lease));
        self.desks.clear();
        for (id, _) in &self.leases {
            let next_seq = oracle.journal_read(*id, 0, 1_000).await.must().len() as u64;
            let inbox = oracle.signal_read(*id, 0, 1_000).await.must();
            let last_signal = inbox.last().map_or(0, |signal| signal.number);
            self.desks.insert(*id, Desk { next_seq, last_signal });
        }
    }

    /// The present; it moves on, and now and then it jumps back a little.
    pub(super) fn now(&mut self) -> Timestamp {
        self.millis += 1 + self.chance.below(4_000) as i64;
        let back = if self.chance.percent(5) { 6_000 } else { 0 };
        Timestamp::from_millis(self.millis - back)
    }

    /// An instant around the present at which something comes due.
    fn due(&mut self) -> Timestamp {
        let mut millis = self.millis - 5_000 + self.chance.below(40_000) as i64;
        while !self.dues.insert(millis) {
            millis += 1;
        }
        Timestamp::from_millis(millis)
    }

    fn instance(&mut self) -> InstanceId {
        InstanceId::from_parts(at(0), [self.chance.below(3) as u8; 10])
    }

    /// A job, mostly one that is or was at work, now and then one that does not exist.
    fn some_id(&mut self) -> JobId {
        let among = if self.chance.percent(70) { &self.leases } else { &self.ended };
        let at_work = self.chance.pick(among).map(|(id, _)| *id);
        let any = self.chance.pick(&self.jobs).copied();
        match self.chance.below(100) {
            0..60 => at_work.or(any),
            60..92 => any,
            _ => None,
        }
        .unwrap_or_else(nobody)
    }

    /// A job, mostly one under a lease.
    fn some_leased(&mut self) -> JobId {
        let leased = self.chance.pick(&self.leases).map(|(id, _)| *id);
        leased.filter(|_| self.chance.percent(70)).unwrap_or_else(|| self.some_id())
    }

    /// A job, mostly one that was parked of late.
    fn some_parked(&mut self) -> JobId {
        let late = &self.parked[self.parked.len().saturating_sub(5)..];
        let parked = self.chance.pick(late).copied();
        parked.filter(|_| self.chance.percent(80)).unwrap_or_else(|| self.some_id())
    }

    /// A job, mostly one that has a result.
    fn some_result(&mut self) -> JobId {
        let done = self.chance.pick(&self.completed).copied();
        done.filter(|_| self.chance.percent(60)).unwrap_or_else(|| self.some_id())
    }

    /// A deletion, mostly of a job that has a result: those that failed are of more use.
    fn job_delete(&mut self) -> Op {
        match self.chance.percent(60) {
            true => Op::Delete(vec![self.some_result(), self.some_id()]),
            false => Op::Delete(vec![self.some_result()]),
        }
    }

    fn journal_delete(&mut self) -> Op {
        let id = self.some_result();
        Op::DeleteJournal(if self.turn.is_multiple_of(8) { nobody() } else { id })
    }

    fn some_ids(&mut self, most: usize) -> Vec<JobId> {
        (0..=self.chance.size(most)).map(|_| self.some_id()).collect()
    }

    fn instant_between(&mut self) -> Option<Timestamp> {
        let span = self.millis - at(0).as_millis() + 1;
        let millis = at(0).as_millis() + self.chance.below(span as u64) as i64;
        self.chance.percent(25).then(|| Timestamp::from_millis(millis))
    }

    fn job_query(&mut self) -> JobQuery {
        let states = State::ALL.into_iter().filter(|_| self.chance.percent(30)).collect();
        let mut one_of = |among: &[&str], percent| {
            let picked = self.chance.pick(among).map(|text| name(text));
            picked.filter(|_| self.chance.percent(percent))
        };
        JobQuery {
            states,
            flow: one_of(&FLOWS, 30),
            queue: one_of(&QUEUES, 30),
            tag: one_of(&TAGS, 30),
            parent: self.chance.percent(10).then(|| self.some_id()),
            since: self.instant_between(),
            until: self.instant_between(),
            active_since: self.instant_between(),
            before: self.chance.percent(20).then(|| self.some_id()),
            limit: 1 + self.chance.size(20),
        }
    }

    fn attempt_query(&mut self) -> AttemptQuery {
        AttemptQuery {
            code: self.chance.percent(30).then(|| "Broken".to_owned()),
            since: self.instant_between(),
            until: self.instant_between(),
            skip: self.chance.size(2),
            limit: self.chance.size(6),
            ..every_attempt(self.some_id())
        }
    }
}
