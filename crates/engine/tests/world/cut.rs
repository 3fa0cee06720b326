//! A store that stops taking writes after a number of them, as a killed process would.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

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
use tokio::sync::{Mutex, MutexGuard, Notify};

pub(crate) struct CutStore {
    inner: Arc<dyn Store>,
    left: AtomicI64,
    cut: Notify,
    turn: Mutex<()>,
}

impl CutStore {
    pub(crate) fn new(inner: Arc<dyn Store>, writes: i64) -> Self {
        Self { inner, left: AtomicI64::new(writes), cut: Notify::new(), turn: Mutex::new(()) }
    }

    /// Returns when a write has been refused.
    pub(crate) async fn until_cut(&self) {
        self.cut.notified().await;
    }

    /// Writes take turns, so that none is still under way when the process counts as dead.
    async fn write(&self) -> Result<MutexGuard<'_, ()>> {
        let turn = self.turn.lock().await;
        if self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Ok(turn);
        }
        self.cut.notify_one();
        Err(StoreError::Closed)
    }
}

#[async_trait]
impl Jobs for CutStore {
    /// Not counted: what is not accepted need not be resumed.
    async fn job_insert(&self, submission: Submission) -> Result<Inserted> {
        self.inner.job_insert(submission).await
    }
    async fn job_get(&self, ids: &[JobId]) -> Result<Vec<Option<Job>>> {
        self.inner.job_get(ids).await
    }
    async fn job_situation(&self, id: JobId) -> Result<Option<Situation>> {
        self.inner.job_situation(id).await
    }
    async fn job_list(&self, query: &JobQuery) -> Result<JobPage> {
        self.inner.job_list(query).await
    }
    async fn job_cancel(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Cancelled>> {
        let _turn = self.write().await?;
        self.inner.job_cancel(ids, now).await
    }
    async fn job_retry(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Retried>> {
        let _turn = self.write().await?;
        self.inner.job_retry(ids, now).await
    }
    async fn job_delete(&self, ids: &[JobId]) -> Result<Vec<Deleted>> {
        let _turn = self.write().await?;
        self.inner.job_delete(ids).await
    }
    async fn idempotency_sweep(&self, _now: Timestamp, _limit: usize) -> Result<Swept> {
        Ok(Swept::default())
    }
}

#[async_trait]
impl Leases for CutStore {
    async fn job_claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        let _turn = self.write().await?;
        self.inner.job_claim(claim).await
    }
    async fn job_progress(&self, notes: &[ProgressNote]) -> Result<Vec<bool>> {
        self.inner.job_progress(notes).await
    }
    async fn job_park(&self, park: Park) -> Result<Parked> {
        let _turn = self.write().await?;
        self.inner.job_park(park).await
    }
    async fn job_settle(&self, settles: Vec<Settle>) -> Result<Vec<Settled>> {
        let _turn = self.write().await?;
        self.inner.job_settle(settles).await
    }
    async fn job_release(&self, leases: &[(JobId, Token)]) -> Result<Vec<bool>> {
        let _turn = self.write().await?;
        self.inner.job_release(leases).await
    }
    async fn job_promote(&self, now: Timestamp, limit: usize) -> Result<Promoted> {
        // Not counted, because it depends on time; but a dead process does not do it.
        let _turn = self.turn.lock().await;
        match self.left.load(Ordering::SeqCst) {
            ..0 => Err(StoreError::Closed),
            _ => self.inner.job_promote(now, limit).await,
        }
    }
    async fn job_reclaim(
        &self,
        alive: InstanceId,
        max_crashes: u32,
        now: Timestamp,
    ) -> Result<Reclaimed> {
        self.inner.job_reclaim(alive, max_crashes, now).await
    }
}

#[async_trait]
impl Queues for CutStore {
    async fn queue_put(&self, queue: &Name, rules: &QueueRules) -> Result<()> {
        let _turn = self.write().await?;
        self.inner.queue_put(queue, rules).await
    }
    async fn queue_pause(&self, queue: &Name, paused: bool) -> Result<()> {
        let _turn = self.write().await?;
        self.inner.queue_pause(queue, paused).await
    }
    async fn queue_get(&self, queue: &Name, now: Timestamp) -> Result<QueueStanding> {
        self.inner.queue_get(queue, now).await
    }
    async fn queue_list(
        &self,
        after: Option<&Name>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<QueueStanding>> {
        self.inner.queue_list(after, limit, now).await
    }
    async fn queue_refill(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.inner.queue_refill(now).await
    }
    /// Not counted: with nothing to let through it writes nothing.
    async fn held_admit(&self, now: Timestamp, limit: usize) -> Result<Admitted> {
        self.inner.held_admit(now, limit).await
    }
}

#[async_trait]
impl Journals for CutStore {
    async fn job_journal(&self, append: Append) -> Result<Appended> {
        let _turn = self.write().await?;
        self.inner.job_journal(append).await
    }
    async fn journal_read(&self, id: JobId, from: u64, limit: usize) -> Result<Vec<Entry>> {
        self.inner.journal_read(id, from, limit).await
    }
    async fn journal_delete(&self, id: JobId) -> Result<Deleted> {
        let _turn = self.write().await?;
        self.inner.journal_delete(id).await
    }
}

#[async_trait]
impl Signals for CutStore {
    async fn job_signal(&self, id: JobId, name: &Name, payload: &Json) -> Result<Signalled> {
        let _turn = self.write().await?;
        self.inner.job_signal(id, name, payload).await
    }
    async fn signal_read(&self, id: JobId, after: u64, limit: usize) -> Result<Vec<Signal>> {
        self.inner.signal_read(id, after, limit).await
    }
}

#[async_trait]
impl Outputs for CutStore {
    async fn output_append(&self, id: JobId, token: Token, chunks: Vec<Chunk>) -> Result<bool> {
        let _turn = self.write().await?;
        self.inner.output_append(id, token, chunks).await
    }
    async fn output_extent(&self, id: JobId) -> Result<Option<Extent>> {
        self.inner.output_extent(id).await
    }
    async fn output_read(&self, id: JobId, from: u64, bytes: usize) -> Result<Vec<Chunk>> {
        self.inner.output_read(id, from, bytes).await
    }
    async fn pair_page(&self, skip: u64, limit: usize) -> Result<PairPage> {
        self.inner.pair_page(skip, limit).await
    }
    async fn output_sweep(&self, _limit: usize) -> Result<Swept> {
        Ok(Swept::default())
    }
}

#[async_trait]
impl Attempts for CutStore {
    async fn attempt_list(&self, query: &AttemptQuery) -> Result<Vec<FailedAttempt>> {
        self.inner.attempt_list(query).await
    }
}

#[async_trait]
impl Schedules for CutStore {
    async fn schedule_write(&self, writes: Vec<ScheduleWrite>) -> Result<Vec<Written>> {
        let _turn = self.write().await?;
        self.inner.schedule_write(writes).await
    }
    async fn schedule_get(&self, name: &Name) -> Result<Option<Schedule>> {
        self.inner.schedule_get(name).await
    }
    async fn schedule_list(&self, after: Option<&Name>, limit: usize) -> Result<Vec<Schedule>> {
        self.inner.schedule_list(after, limit).await
    }
    async fn schedule_delete(&self, name: &Name) -> Result<bool> {
        let _turn = self.write().await?;
        self.inner.schedule_delete(name).await
    }
    async fn schedule_due(&self, now: Timestamp, limit: usize) -> Result<SchedulesDue> {
        self.inner.schedule_due(now, limit).await
    }
}

#[async_trait]
impl Tallies for CutStore {
    async fn tally_read(&self) -> Result<Tally> {
        self.inner.tally_read().await
    }
}

#[async_trait]
impl Outside for CutStore {
    async fn job_lease(&self, call: Call) -> Result<Vec<Lent>> {
        let _turn = self.write().await?;
        self.inner.job_lease(call).await
    }
    async fn job_extend(&self, beats: Vec<Extend>) -> Result<Vec<Option<Timestamp>>> {
        let _turn = self.write().await?;
        self.inner.job_extend(beats).await
    }
    async fn lease_get(&self, ids: &[JobId]) -> Result<Vec<Option<LeaseView>>> {
        self.inner.lease_get(ids).await
    }
    async fn lease_expire(
        &self,
        now: Timestamp,
        max_crashes: u32,
        chance: f64,
        limit: usize,
    ) -> Result<Expired> {
        // Not counted, because it depends on time; but a dead process does not do it.
        let _turn = self.turn.lock().await;
        match self.left.load(Ordering::SeqCst) {
            ..0 => Err(StoreError::Closed),
            _ => self.inner.lease_expire(now, max_crashes, chance, limit).await,
        }
    }
    async fn lease_renew(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.inner.lease_renew(now).await
    }
}

#[async_trait]
impl Ledgers for CutStore {
    async fn effect_put(&self, put: EffectPut) -> Result<Noted> {
        let _turn = self.write().await?;
        self.inner.effect_put(put).await
    }
    async fn effect_get(&self, id: JobId, name: &Name) -> Result<Option<Json>> {
        self.inner.effect_get(id, name).await
    }
    async fn effect_list(
        &self,
        id: JobId,
        after: Option<&Name>,
        limit: usize,
    ) -> Result<Vec<(Name, Json)>> {
        self.inner.effect_list(id, after, limit).await
    }
}

#[async_trait]
impl Flows for CutStore {
    async fn flow_put(&self, declaration: Declaration) -> Result<Declared> {
        let _turn = self.write().await?;
        self.inner.flow_put(declaration).await
    }
    async fn flow_list(&self) -> Result<Vec<Declaration>> {
        self.inner.flow_list().await
    }
    async fn flow_delete(&self, name: &Name) -> Result<bool> {
        let _turn = self.write().await?;
        self.inner.flow_delete(name).await
    }
}

#[async_trait]
impl Definitions for CutStore {
    async fn definition_put(&self, put: DefinitionPut) -> Result<Deployed> {
        let _turn = self.write().await?;
        self.inner.definition_put(put).await
    }
    async fn definition_get(
        &self,
        name: &Name,
        revision: Option<&str>,
    ) -> Result<Option<Definition>> {
        self.inner.definition_get(name, revision).await
    }
    async fn definition_list(&self, after: Option<&Name>, limit: usize) -> Result<DefinitionPage> {
        self.inner.definition_list(after, limit).await
    }
    async fn definition_delete(&self, name: &Name) -> Result<bool> {
        let _turn = self.write().await?;
        self.inner.definition_delete(name).await
    }
    async fn revision_list(
        &self,
        name: &Name,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Definition>> {
        self.inner.revision_list(name, before, limit).await
    }
}

#[async_trait]
impl Documents for CutStore {
    async fn document_get(&self, names: &[DocumentName]) -> Result<Vec<Option<Document>>> {
        self.inner.document_get(names).await
    }
    async fn document_commit(&self, commit: Commit) -> Result<Committed> {
        let _turn = self.write().await?;
        self.inner.document_commit(commit).await
    }
    async fn document_list(&self, query: &DocumentQuery) -> Result<DocumentPage> {
        self.inner.document_list(query).await
    }
}

#[async_trait]
impl Rows for CutStore {
    async fn row_insert(&self, insert: RowInsert) -> Result<RowsInserted> {
        let _turn = self.write().await?;
        self.inner.row_insert(insert).await
    }
    async fn row_list(
        &self,
        set: &str,
        after: u64,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<StoredRow>> {
        self.inner.row_list(set, after, limit, bytes).await
    }
    async fn row_extent(&self, set: &str) -> Result<RowExtent> {
        self.inner.row_extent(set).await
    }
    async fn row_sweep(&self, set: &str, limit: usize) -> Result<Swept> {
        let _turn = self.write().await?;
        self.inner.row_sweep(set, limit).await
    }
}

#[async_trait]
impl Keys for CutStore {
    async fn key_put(&self, key: &ApiKey) -> Result<KeyPut> {
        let _turn = self.write().await?;
        self.inner.key_put(key).await
    }
    async fn key_list(&self) -> Result<Vec<ApiKey>> {
        self.inner.key_list().await
    }
    async fn key_delete(&self, name: &Name) -> Result<bool> {
        let _turn = self.write().await?;
        self.inner.key_delete(name).await
    }
    async fn key_touch(&self, uses: &[(Name, Timestamp)]) -> Result<()> {
        let _turn = self.write().await?;
        self.inner.key_touch(uses).await
    }
}

#[async_trait]
impl Retention for CutStore {
    async fn job_oldest(&self, query: &OldestQuery) -> Result<OldestPage> {
        self.inner.job_oldest(query).await
    }
}

impl Events for CutStore {
    fn events(&self) -> Arc<Feed> {
        self.inner.events()
    }
}
