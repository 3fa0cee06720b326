//! One operation on a store, and its answer in the one form in which answers are compared.
//!
//! Where the port leaves something free, the answer leaves it out: where a page ends (pages are
//! read to the end), how much a sweep removes at once and whether it finds chunks that another
//! verb has removed before (sweeps are run to the end), in which order lost jobs are named, and
//! chunks without content.

use jobmill_model::job::FailedAttempt;
use jobmill_model::machine::Entry;
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::{
    Declaration, Definition, InstanceId, Job, JobId, Json, Schedule, Timestamp, Token,
};

use super::super::stage::Must;
use super::document::{DocumentAnswer, DocumentOp};
use super::key::{KeyAnswer, KeyOp};
use crate::{
    Append, Appended, AttemptQuery, Call, Cancelled, Claim, Claimed, Declared, DefinitionPut,
    Deleted, Deployed, EffectPut, Expired, Extend, Inserted, JobQuery, LeaseView, Lent, Noted,
    PairPage, Park, Parked, ProgressNote, Promoted, QueueStanding, Reclaimed, Result, Retried,
    ScheduleWrite, SchedulesDue, Settle, Settled, Signal, Signalled, Situation, Store, Submission,
    Tally, Written,
};

#[derive(Debug, Clone)]
pub(super) enum Op {
    Document(DocumentOp),
    Key(KeyOp),
    Insert(Submission),
    Get(Vec<JobId>),
    Situation(JobId),
    List(JobQuery),
    Cancel(Vec<JobId>, Timestamp),
    Retry(Vec<JobId>, Timestamp),
    Delete(Vec<JobId>),
    SweepKeys(Timestamp),
    Claim(Claim),
    Progress(Vec<ProgressNote>),
    Park(Park),
    Settle(Vec<Settle>),
    Release(Vec<(JobId, Token)>),
    Promote(Timestamp, usize),
    Reclaim(InstanceId, u32, Timestamp),
    PutQueue(Name, QueueRules),
    PauseQueue(Name, bool),
    GetQueue(Name, Timestamp),
    Queues(Timestamp, usize),
    Refill(Timestamp),
    AdmitHeld(Timestamp, usize),
    Journal(Append),
    ReadJournal(JobId, u64, usize),
    DeleteJournal(JobId),
    Signal(JobId, Name, Json),
    ReadSignals(JobId, u64, usize),
    AppendOutput(JobId, Token, Vec<Chunk>),
    Extent(JobId),
    ReadOutput(JobId, u64, usize),
    Pairs(u64, usize),
    SweepOutput(usize),
    Attempts(AttemptQuery),
    Tally,
    Lease(Call),
    Extend(Vec<Extend>),
    Leases(Vec<JobId>),
    Expire(Timestamp, u32, f64, usize),
    Renew(Timestamp),
    PutEffect(EffectPut),
    GetEffect(JobId, Name),
    ListEffects(JobId, Option<Name>, usize),
    PutFlow(Declaration),
    DeleteFlow(Name),
    ListFlows,
    Deploy(Box<DefinitionPut>),
    Undeploy(Name),
    Definition(Name, Option<String>),
    Definitions(Option<Name>, usize),
    Revisions(Name, Option<u64>, usize),
    WriteSchedules(Vec<ScheduleWrite>),
    DeleteSchedule(Name),
    GetSchedule(Name),
    ListSchedules(Option<Name>, usize),
    DueSchedules(Timestamp, usize),
}

#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Document(DocumentAnswer),
    Key(KeyAnswer),
    Inserted(Result<Inserted>),
    Got(Vec<Option<Job>>),
    Situation(Option<Box<Situation>>),
    Listed(Vec<Job>),
    Cancelled(Vec<Cancelled>),
    Retried(Vec<Retried>),
    Deleted(Vec<Deleted>),
    KeysSwept(usize),
    Claimed(Vec<Claimed>),
    Held(Vec<bool>),
    Parked(Parked),
    Settled(Vec<Settled>),
    Promoted(Promoted),
    Reclaimed(Reclaimed),
    QueueSet,
    Queues(Vec<QueueStanding>),
    Refill(Option<Timestamp>),
    HeldAdmitted(usize),
    Journaled(Appended),
    Entries(Vec<Entry>),
    Signalled(Signalled),
    Signals(Vec<Signal>),
    Extent(Option<Extent>),
    Chunks(Vec<Chunk>),
    Pairs(PairPage),
    OutputSwept,
    Attempts(Vec<FailedAttempt>),
    Tally(Tally),
    Lent(Vec<Lent>),
    Extended(Vec<Option<Timestamp>>),
    Leases(Vec<Option<LeaseView>>),
    Expired(Expired),
    Renewed(Option<Timestamp>),
    Noted(Noted),
    Effect(Option<Json>),
    Effects(Vec<(Name, Json)>),
    Declared(Declared),
    Undeclared(bool),
    Flows(Vec<Declaration>),
    Deployed(Box<Deployed>),
    Undeployed(bool),
    Definition(Option<Box<Definition>>),
    Definitions(Vec<Definition>),
    Written(Vec<Written>),
    Schedules(Vec<Schedule>),
    SchedulesDue(SchedulesDue),
}

impl Op {
    /// The verb's name in the port.
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Document(op) => op.verb(),
            Self::Key(op) => op.verb(),
            Self::Insert(_) => "job_insert",
            Self::Get(_) => "job_get",
            Self::Situation(_) => "job_situation",
            Self::List(_) => "job_list",
            Self::Cancel(..) => "job_cancel",
            Self::Retry(..) => "job_retry",
            Self::Delete(_) => "job_delete",
            Self::SweepKeys(_) => "idempotency_sweep",
            Self::Claim(_) => "job_claim",
            Self::Progress(_) => "job_progress",
            Self::Park(_) => "job_park",
            Self::Settle(_) => "job_settle",
            Self::Release(_) => "job_release",
            Self::Promote(..) => "job_promote",
            Self::Reclaim(..) => "job_reclaim",
            Self::PutQueue(..) => "queue_put",
            Self::PauseQueue(..) => "queue_pause",
            Self::GetQueue(..) => "queue_get",
            Self::Queues(..) => "queue_list",
            Self::Refill(_) => "queue_refill",
            Self::AdmitHeld(..) => "held_admit",
            Self::Journal(_) => "job_journal",
            Self::ReadJournal(..) => "journal_read",
            Self::DeleteJournal(_) => "journal_delete",
            Self::Signal(..) => "job_signal",
            Self::ReadSignals(..) => "signal_read",
            Self::AppendOutput(..) => "output_append",
            Self::Extent(_) => "output_extent",
            Self::ReadOutput(..) => "output_read",
            Self::Pairs(..) => "pair_page",
            Self::SweepOutput(_) => "output_sweep",
            Self::Attempts(_) => "attempt_list",
            Self::Tally => "tally_read",
            Self::Lease(_) => "job_lease",
            Self::Extend(_) => "job_extend",
            Self::Leases(_) => "lease_get",
            Self::Expire(..) => "lease_expire",
            Self::Renew(_) => "lease_renew",
            Self::PutEffect(_) => "effect_put",
            Self::GetEffect(..) => "effect_get",
            Self::ListEffects(..) => "effect_list",
            Self::PutFlow(_) => "flow_put",
            Self::DeleteFlow(_) => "flow_delete",
            Self::ListFlows => "flow_list",
            Self::Deploy(_) => "definition_put",
            Self::Undeploy(_) => "definition_delete",
            Self::Definition(..) => "definition_get",
            Self::Definitions(..) => "definition_list",
            Self::Revisions(..) => "revision_list",
            Self::WriteSchedules(_) => "schedule_write",
            Self::DeleteSchedule(_) => "schedule_delete",
            Self::GetSchedule(_) => "schedule_get",
            Self::ListSchedules(..) => "schedule_list",
            Self::DueSchedules(..) => "schedule_due",
        }
    }

    pub(super) async fn apply(&self, store: &dyn Store) -> Answer {
        match self {
            Self::Insert(submission) => {
                Answer::Inserted(store.job_insert(submission.clone()).await)
            }
            Self::Get(ids) => Answer::Got(store.job_get(ids).await.must()),
            Self::Situation(id) => {
                Answer::Situation(store.job_situation(*id).await.must().map(Box::new))
            }
            Self::List(query) => Answer::Listed(list(store, query.clone()).await),
            Self::Cancel(ids, now) => Answer::Cancelled(store.job_cancel(ids, *now).await.must()),
            Self::Retry(ids, now) => Answer::Retried(store.job_retry(ids, *now).await.must()),
            Self::Delete(ids) => Answer::Deleted(store.job_delete(ids).await.must()),
            Self::SweepKeys(now) => Answer::KeysSwept(sweep_keys(store, *now).await),
            Self::Claim(claim) => Answer::Claimed(store.job_claim(claim.clone()).await.must()),
            Self::Progress(notes) => Answer::Held(store.job_progress(notes).await.must()),
            Self::Park(park) => Answer::Parked(store.job_park(park.clone()).await.must()),
            Self::Settle(settles) => {
                Answer::Settled(store.job_settle(settles.clone()).await.must())
            }
            Self::Release(leases) => Answer::Held(store.job_release(leases).await.must()),
            Self::Promote(now, limit) => {
                Answer::Promoted(store.job_promote(*now, *limit).await.must())
            }
            Self::Reclaim(alive, max_crashes, now) => {
                let reclaimed = store.job_reclaim(*alive, *max_crashes, *now).await;
                let Reclaimed { returned, mut failed } = reclaimed.must();
                failed.sort_unstable();
                Answer::Reclaimed(Reclaimed { returned, failed })
            }
            Self::Journal(append) => {
                Answer::Journaled(store.job_journal(append.clone()).await.must())
            }
            Self::DeleteJournal(id) => {
                Answer::Deleted(vec![store.journal_delete(*id).await.must()])
            }
            Self::Signal(id, name, payload) => {
                Answer::Signalled(store.job_signal(*id, name, payload).await.must())
            }
            Self::AppendOutput(id, token, chunks) => {
                let held = store.output_append(*id, *token, chunks.clone()).await;
                Answer::Held(vec![held.must()])
            }
            Self::SweepOutput(limit) => {
                while store.output_sweep(*limit).await.must().more {}
                Answer::OutputSwept
            }
            Self::Deploy(put) => {
                let deployed = store.definition_put((**put).clone()).await.must();
                Answer::Deployed(Box::new(deployed))
            }
            Self::Undeploy(name) => Answer::Undeployed(store.definition_delete(name).await.must()),
            Self::Document(op) => Answer::Document(op.apply(store).await),
            Self::Key(op) => Answer::Key(op.apply(store).await),
            Self::WriteSchedules(writes) => {
                Answer::Written(store.schedule_write(writes.clone()).await.must())
            }
            Self::DeleteSchedule(name) => {
                Answer::Held(vec![store.schedule_delete(name).await.must()])
            }
            reading => reading.read(store).await,
        }
    }

    /// The verbs that change nothing but those of the job.
    async fn read(&self, store: &dyn Store) -> Answer {
        match self {
            Self::ReadJournal(id, from, limit) => {
                Answer::Entries(store.journal_read(*id, *from, *limit).await.must())
            }
            Self::ReadSignals(id, after, limit) => {
                Answer::Signals(store.signal_read(*id, *after, *limit).await.must())
            }
            Self::Extent(id) => Answer::Extent(store.output_extent(*id).await.must()),
            Self::ReadOutput(id, from, bytes) => {
                Answer::Chunks(read_output(store, *id, *from, *bytes).await)
            }
            Self::Pairs(skip, limit) => Answer::Pairs(store.pair_page(*skip, *limit).await.must()),
            Self::Attempts(query) => Answer::Attempts(store.attempt_list(query).await.must()),
            Self::Tally => Answer::Tally(store.tally_read().await.must()),
            Self::Definition(name, revision) => {
                let found = store.definition_get(name, revision.as_deref()).await.must();
                Answer::Definition(found.map(Box::new))
            }
            Self::Definitions(after, limit) => {
                Answer::Definitions(definitions(store, after.clone(), *limit).await)
            }
            Self::Revisions(name, before, limit) => {
                Answer::Definitions(store.revision_list(name, *before, *limit).await.must())
            }
            Self::GetSchedule(name) => {
                let found = store.schedule_get(name).await.must();
                Answer::Schedules(found.into_iter().collect())
            }
            Self::ListSchedules(after, limit) => {
                Answer::Schedules(store.schedule_list(after.as_ref(), *limit).await.must())
            }
            Self::DueSchedules(now, limit) => {
                Answer::SchedulesDue(store.schedule_due(*now, *limit).await.must())
            }
            rest => rest.queue(store).await,
        }
    }

    /// The verbs of queues.
    async fn queue(&self, store: &dyn Store) -> Answer {
        match self {
            Self::PutQueue(queue, rules) => {
                store.queue_put(queue, rules).await.must();
                Answer::QueueSet
            }
            Self::PauseQueue(queue, paused) => {
                store.queue_pause(queue, *paused).await.must();
                Answer::QueueSet
            }
            Self::AdmitHeld(now, limit) => {
                Answer::HeldAdmitted(admit_keys(store, *now, *limit).await)
            }
            Self::GetQueue(queue, now) => {
                Answer::Queues(vec![store.queue_get(queue, *now).await.must()])
            }
            Self::Queues(now, limit) => Answer::Queues(queues(store, *now, *limit).await),
            Self::Refill(now) => Answer::Refill(store.queue_refill(*now).await.must()),
            outside => outside.outside(store).await,
        }
    }

    /// The verbs of workers outside.
    async fn outside(&self, store: &dyn Store) -> Answer {
        match self {
            Self::Lease(call) => Answer::Lent(store.job_lease(call.clone()).await.must()),
            Self::Extend(beats) => Answer::Extended(store.job_extend(beats.clone()).await.must()),
            Self::Leases(ids) => Answer::Leases(store.lease_get(ids).await.must()),
            Self::Expire(now, crashes, chance, limit) => {
                let expired = store.lease_expire(*now, *crashes, *chance, *limit).await;
                Answer::Expired(expired.must())
            }
            Self::Renew(now) => Answer::Renewed(store.lease_renew(*now).await.must()),
            Self::PutEffect(put) => Answer::Noted(store.effect_put(put.clone()).await.must()),
            Self::GetEffect(id, name) => Answer::Effect(store.effect_get(*id, name).await.must()),
            Self::ListEffects(id, after, limit) => {
                let steps = store.effect_list(*id, after.as_ref(), *limit).await;
                Answer::Effects(steps.must())
            }
            Self::PutFlow(flow) => Answer::Declared(store.flow_put(flow.clone()).await.must()),
            Self::DeleteFlow(name) => Answer::Undeclared(store.flow_delete(name).await.must()),
            Self::ListFlows => Answer::Flows(store.flow_list().await.must()),
            inside => unreachable!("{} is no verb of workers outside", inside.verb()),
        }
    }
}

/// The jobs of all pages.
pub(super) async fn list(store: &dyn Store, mut query: JobQuery) -> Vec<Job> {
    let mut jobs = Vec::new();
    loop {
        let page = store.job_list(&query).await.must();
        jobs.extend(page.jobs);
        match page.next {
            None => return jobs,
            before => query.before = before,
        }
    }
}

/// The definitions of all pages.
pub(super) async fn definitions(
    store: &dyn Store,
    mut after: Option<Name>,
    limit: usize,
) -> Vec<Definition> {
    let mut all = Vec::new();
    loop {
        let page = store.definition_list(after.as_ref(), limit).await.must();
        all.extend(page.definitions);
        match page.next {
            None => return all,
            next => after = next,
        }
    }
}

/// The chunks of all pages from a place on.
pub(super) async fn read_output(
    store: &dyn Store,
    id: JobId,
    mut from: u64,
    bytes: usize,
) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    loop {
        let mut page = store.output_read(id, from, bytes).await.must();
        page.retain(|chunk| chunk.len > 0);
        match page.last() {
            None => return chunks,
            Some(last) => from = last.first + last.len,
        }
        chunks.extend(page);
    }
}

/// The queues of all pages.
pub(super) async fn queues(store: &dyn Store, now: Timestamp, limit: usize) -> Vec<QueueStanding> {
    let mut queues: Vec<QueueStanding> = Vec::new();
    loop {
        let after = queues.last().map(|queue| &queue.name);
        let page = store.queue_list(after, limit, now).await.must();
        if page.is_empty() {
            return queues;
        }
        queues.extend(page);
    }
}

/// How many held jobs are let through.
async fn admit_keys(store: &dyn Store, now: Timestamp, limit: usize) -> usize {
    let mut count = 0;
    loop {
        let admitted = store.held_admit(now, limit).await.must();
        count += admitted.count;
        if !admitted.more {
            return count;
        }
    }
}

/// How many keys are forgotten at an instant.
async fn sweep_keys(store: &dyn Store, now: Timestamp) -> usize {
    let mut rows = 0;
    loop {
        let swept = store.idempotency_sweep(now, 3).await.must();
        rows += swept.rows;
        if !swept.more {
            return rows;
        }
    }
}
