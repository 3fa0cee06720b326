//! A process's connection to the disk: each verb waits for its turn.

use std::sync::Arc;

use async_trait::async_trait;
use jobmill_model::job::FailedAttempt;
use jobmill_model::key::ApiKey;
use jobmill_model::machine::Entry;
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::{
    Declaration, Definition, InstanceId, Job, JobId, Json, Schedule, Timestamp, Token,
};
use jobmill_store::*;
use parking_lot::Mutex;

use super::disk::Disk;
use super::flaw::FlawedStore;
use super::verb::{Answer, Write};

/// The life that is no server process: a stranger who writes to the same store.
pub(crate) const STRANGER: u64 = 0;

pub(crate) struct SimStore {
    pub(crate) disk: Arc<Mutex<Disk>>,
    pub(crate) life: u64,
}

impl SimStore {
    async fn write(&self, write: Write) -> Result<Answer> {
        let answer = self.disk.lock().write(self.life, write);
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    async fn read(&self) -> Result<Arc<FlawedStore>> {
        loop {
            let turn = self.disk.lock().read();
            turn.await.map_err(|_| StoreError::Closed)?;
            // A process that was frozen after its turn came finds that it has passed.
            if let Some(store) = self.disk.lock().readable() {
                return Ok(store);
            }
        }
    }
}

/// The one kind of answer that this request has.
macro_rules! answered {
    ($answer:expr, $kind:ident) => {
        match $answer.await? {
            Answer::$kind(answer) => Ok(answer),
            other => unreachable!("the disk answered {other:?}"),
        }
    };
}

#[async_trait]
impl Jobs for SimStore {
    async fn job_insert(&self, submission: Submission) -> Result<Inserted> {
        answered!(self.write(Write::Insert(submission)), Inserted)
    }
    async fn job_get(&self, ids: &[JobId]) -> Result<Vec<Option<Job>>> {
        self.read().await?.job_get(ids).await
    }
    async fn job_situation(&self, id: JobId) -> Result<Option<Situation>> {
        self.read().await?.job_situation(id).await
    }
    async fn job_list(&self, query: &JobQuery) -> Result<JobPage> {
        self.read().await?.job_list(query).await
    }
    async fn job_cancel(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Cancelled>> {
        answered!(self.write(Write::Cancel(ids.to_vec(), now)), Cancelled)
    }
    async fn job_retry(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Retried>> {
        answered!(self.write(Write::Retry(ids.to_vec(), now)), Retried)
    }
    async fn job_delete(&self, ids: &[JobId]) -> Result<Vec<Deleted>> {
        answered!(self.write(Write::Delete(ids.to_vec())), Deleted)
    }
    async fn idempotency_sweep(&self, now: Timestamp, limit: usize) -> Result<Swept> {
        answered!(self.write(Write::ForgetKeys(now, limit)), Swept)
    }
}

#[async_trait]
impl Leases for SimStore {
    async fn job_claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        answered!(self.write(Write::Claim(claim)), Claimed)
    }
    async fn job_progress(&self, notes: &[ProgressNote]) -> Result<Vec<bool>> {
        answered!(self.write(Write::Progress(notes.to_vec())), Held)
    }
    async fn job_park(&self, park: Park) -> Result<Parked> {
        answered!(self.write(Write::Park(park)), Parked)
    }
    async fn job_settle(&self, settles: Vec<Settle>) -> Result<Vec<Settled>> {
        answered!(self.write(Write::Settle(settles)), Settled)
    }
    async fn job_release(&self, leases: &[(JobId, Token)]) -> Result<Vec<bool>> {
        answered!(self.write(Write::Release(leases.to_vec())), Held)
    }
    async fn job_promote(&self, now: Timestamp, limit: usize) -> Result<Promoted> {
        answered!(self.write(Write::Promote(now, limit)), Promoted)
    }
    async fn job_reclaim(
        &self,
        alive: InstanceId,
        max_crashes: u32,
        now: Timestamp,
    ) -> Result<Reclaimed> {
        answered!(self.write(Write::Reclaim(alive, max_crashes, now)), Reclaimed)
    }
}

#[async_trait]
impl Queues for SimStore {
    async fn queue_put(&self, queue: &Name, rules: &QueueRules) -> Result<()> {
        answered!(self.write(Write::PutQueue(queue.clone(), *rules)), Nothing)
    }
    async fn queue_pause(&self, queue: &Name, paused: bool) -> Result<()> {
        answered!(self.write(Write::PauseQueue(queue.clone(), paused)), Nothing)
    }
    async fn queue_get(&self, queue: &Name, now: Timestamp) -> Result<QueueStanding> {
        self.read().await?.queue_get(queue, now).await
    }
    async fn queue_list(
        &self,
        after: Option<&Name>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<QueueStanding>> {
        self.read().await?.queue_list(after, limit, now).await
    }
    async fn queue_refill(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.read().await?.queue_refill(now).await
    }
    async fn held_admit(&self, now: Timestamp, limit: usize) -> Result<Admitted> {
        answered!(self.write(Write::AdmitHeld(now, limit)), Admitted)
    }
}

#[async_trait]
impl Journals for SimStore {
    async fn job_journal(&self, append: Append) -> Result<Appended> {
        answered!(self.write(Write::Journal(append)), Appended)
    }
    async fn journal_read(&self, id: JobId, from: u64, limit: usize) -> Result<Vec<Entry>> {
        self.read().await?.journal_read(id, from, limit).await
    }
    async fn journal_delete(&self, id: JobId) -> Result<Deleted> {
        let deleted: Vec<_> = answered!(self.write(Write::DropJournal(id)), Deleted)?;
        Ok(deleted.first().copied().unwrap_or(Deleted::Unknown))
    }
}

#[async_trait]
impl Signals for SimStore {
    async fn job_signal(&self, id: JobId, name: &Name, payload: &Json) -> Result<Signalled> {
        let write = Write::Signal(id, name.clone(), payload.clone());
        answered!(self.write(write), Signalled)
    }
    async fn signal_read(&self, id: JobId, after: u64, limit: usize) -> Result<Vec<Signal>> {
        self.read().await?.signal_read(id, after, limit).await
    }
}

#[async_trait]
impl Outputs for SimStore {
    async fn output_append(&self, id: JobId, token: Token, chunks: Vec<Chunk>) -> Result<bool> {
        let held: Result<Vec<bool>> = answered!(self.write(Write::Chunks(id, token, chunks)), Held);
        Ok(held?.first().copied().unwrap_or_default())
    }
    async fn output_extent(&self, id: JobId) -> Result<Option<Extent>> {
        self.read().await?.output_extent(id).await
    }
    async fn output_read(&self, id: JobId, from: u64, bytes: usize) -> Result<Vec<Chunk>> {
        self.read().await?.output_read(id, from, bytes).await
    }
    async fn pair_page(&self, skip: u64, limit: usize) -> Result<PairPage> {
        self.read().await?.pair_page(skip, limit).await
    }
    async fn output_sweep(&self, limit: usize) -> Result<Swept> {
        answered!(self.write(Write::SweepChunks(limit)), Swept)
    }
}

#[async_trait]
impl Attempts for SimStore {
    async fn attempt_list(&self, query: &AttemptQuery) -> Result<Vec<FailedAttempt>> {
        self.read().await?.attempt_list(query).await
    }
}

#[async_trait]
impl Schedules for SimStore {
    async fn schedule_write(&self, writes: Vec<ScheduleWrite>) -> Result<Vec<Written>> {
        answered!(self.write(Write::Schedules(writes)), Written)
    }
    async fn schedule_get(&self, name: &Name) -> Result<Option<Schedule>> {
        self.read().await?.schedule_get(name).await
    }
    async fn schedule_list(&self, after: Option<&Name>, limit: usize) -> Result<Vec<Schedule>> {
        self.read().await?.schedule_list(after, limit).await
    }
    async fn schedule_delete(&self, name: &Name) -> Result<bool> {
        let held = answered!(self.write(Write::DropSchedule(name.clone())), Held);
        held.map(|held: Vec<bool>| held.first().copied().unwrap_or_default())
    }
    async fn schedule_due(&self, now: Timestamp, limit: usize) -> Result<SchedulesDue> {
        self.read().await?.schedule_due(now, limit).await
    }
}

#[async_trait]
impl Tallies for SimStore {
    async fn tally_read(&self) -> Result<Tally> {
        self.read().await?.tally_read().await
    }
}

#[async_trait]
impl Outside for SimStore {
    async fn job_lease(&self, call: Call) -> Result<Vec<Lent>> {
        answered!(self.write(Write::Lend(call)), Lent)
    }
    async fn job_extend(&self, beats: Vec<Extend>) -> Result<Vec<Option<Timestamp>>> {
        answered!(self.write(Write::Extend(beats)), Extended)
    }
    async fn lease_get(&self, ids: &[JobId]) -> Result<Vec<Option<LeaseView>>> {
        self.read().await?.lease_get(ids).await
    }
    async fn lease_expire(
        &self,
        now: Timestamp,
        max_crashes: u32,
        chance: f64,
        limit: usize,
    ) -> Result<Expired> {
        answered!(self.write(Write::Expire(now, max_crashes, chance, limit)), Expired)
    }
    async fn lease_renew(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        answered!(self.write(Write::Renew(now)), Renewed)
    }
}

#[async_trait]
impl Ledgers for SimStore {
    async fn effect_put(&self, put: EffectPut) -> Result<Noted> {
        answered!(self.write(Write::Note(put)), Noted)
    }
    async fn effect_get(&self, id: JobId, name: &Name) -> Result<Option<Json>> {
        self.read().await?.effect_get(id, name).await
    }
    async fn effect_list(
        &self,
        id: JobId,
        after: Option<&Name>,
        limit: usize,
    ) -> Result<Vec<(Name, Json)>> {
        self.read().await?.effect_list(id, after, limit).await
    }
}

#[async_trait]
impl Flows for SimStore {
    async fn flow_put(&self, declaration: Declaration) -> Result<Declared> {
        answered!(self.write(Write::Declare(declaration)), Declared)
    }
    async fn flow_list(&self) -> Result<Vec<Declaration>> {
        self.read().await?.flow_list().await
    }
    async fn flow_delete(&self, name: &Name) -> Result<bool> {
        let held: Result<Vec<bool>> = answered!(self.write(Write::Undeclare(name.clone())), Held);
        Ok(held?.first().copied().unwrap_or_default())
    }
}

#[async_trait]
impl Definitions for SimStore {
    async fn definition_put(&self, put: DefinitionPut) -> Result<Deployed> {
        answered!(self.write(Write::Deploy(put)), Deployed)
    }
    async fn definition_get(
        &self,
        name: &Name,
        revision: Option<&str>,
    ) -> Result<Option<Definition>> {
        self.read().await?.definition_get(name, revision).await
    }
    async fn definition_list(&self, after: Option<&Name>, limit: usize) -> Result<DefinitionPage> {
        self.read().await?.definition_list(after, limit).await
    }
    async fn definition_delete(&self, name: &Name) -> Result<bool> {
        let held: Result<Vec<bool>> = answered!(self.write(Write::Undeploy(name.clone())), Held);
        Ok(held?.first().copied().unwrap_or_default())
    }
    async fn revision_list(
        &self,
        name: &Name,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Definition>> {
        self.read().await?.revision_list(name, before, limit).await
    }
}

#[async_trait]
impl Documents for SimStore {
    async fn document_get(&self, names: &[DocumentName]) -> Result<Vec<Option<Document>>> {
        self.read().await?.document_get(names).await
    }
    async fn document_commit(&self, commit: Commit) -> Result<Committed> {
        self.read().await?.document_commit(commit).await
    }
    async fn document_list(&self, query: &DocumentQuery) -> Result<DocumentPage> {
        self.read().await?.document_list(query).await
    }
}

#[async_trait]
impl Rows for SimStore {
    async fn row_insert(&self, insert: RowInsert) -> Result<RowsInserted> {
        self.read().await?.row_insert(insert).await
    }
    async fn row_list(
        &self,
        set: &str,
        after: u64,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<StoredRow>> {
        self.read().await?.row_list(set, after, limit, bytes).await
    }
    async fn row_extent(&self, set: &str) -> Result<RowExtent> {
        self.read().await?.row_extent(set).await
    }
    async fn row_sweep(&self, set: &str, limit: usize) -> Result<Swept> {
        self.read().await?.row_sweep(set, limit).await
    }
}

#[async_trait]
impl Keys for SimStore {
    async fn key_put(&self, key: &ApiKey) -> Result<KeyPut> {
        self.read().await?.key_put(key).await
    }
    async fn key_list(&self) -> Result<Vec<ApiKey>> {
        self.read().await?.key_list().await
    }
    async fn key_delete(&self, name: &Name) -> Result<bool> {
        self.read().await?.key_delete(name).await
    }
    async fn key_touch(&self, uses: &[(Name, Timestamp)]) -> Result<()> {
        self.read().await?.key_touch(uses).await
    }
}

#[async_trait]
impl Retention for SimStore {
    async fn job_oldest(&self, query: &OldestQuery) -> Result<OldestPage> {
        self.read().await?.job_oldest(query).await
    }
}

impl Events for SimStore {
    fn events(&self) -> Arc<Feed> {
        Arc::default()
    }
}
