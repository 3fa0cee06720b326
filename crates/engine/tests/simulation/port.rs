//! A process's connection to the disk: each verb waits for its turn.

use std::sync::Arc;

use async_trait::async_trait;
use jobmill_model::output::Chunk;
use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::{Declaration, InstanceId, JobId, Json, Timestamp, Token};
use jobmill_store::layer::Layer;
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
impl Layer for SimStore {
    type Beneath<'a> = Arc<FlawedStore>;

    async fn reads(&self) -> Result<Arc<FlawedStore>> {
        loop {
            let turn = self.disk.lock().read();
            turn.await.map_err(|_| StoreError::Closed)?;
            // A process that was frozen after its turn came finds that it has passed.
            if let Some(store) = self.disk.lock().readable() {
                return Ok(store);
            }
        }
    }

    /// For the verbs that no process of the simulation uses.
    async fn writes(&self) -> Result<Arc<FlawedStore>> {
        self.reads().await
    }

    fn events(&self) -> Arc<Feed> {
        Arc::default()
    }

    async fn job_insert(&self, submission: Submission) -> Result<Inserted> {
        answered!(self.write(Write::Insert(submission)), Inserted)
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

    async fn queue_put(&self, queue: &Name, rules: &QueueRules) -> Result<()> {
        answered!(self.write(Write::PutQueue(queue.clone(), *rules)), Nothing)
    }

    async fn queue_pause(&self, queue: &Name, paused: bool) -> Result<()> {
        answered!(self.write(Write::PauseQueue(queue.clone(), paused)), Nothing)
    }

    async fn held_admit(&self, now: Timestamp, limit: usize) -> Result<Admitted> {
        answered!(self.write(Write::AdmitHeld(now, limit)), Admitted)
    }

    async fn job_journal(&self, append: Append) -> Result<Appended> {
        answered!(self.write(Write::Journal(append)), Appended)
    }

    async fn journal_delete(&self, id: JobId) -> Result<Deleted> {
        let deleted: Vec<_> = answered!(self.write(Write::DropJournal(id)), Deleted)?;
        Ok(deleted.first().copied().unwrap_or(Deleted::Unknown))
    }

    async fn job_signal(&self, id: JobId, name: &Name, payload: &Json) -> Result<Signalled> {
        let write = Write::Signal(id, name.clone(), payload.clone());
        answered!(self.write(write), Signalled)
    }

    async fn output_append(&self, id: JobId, token: Token, chunks: Vec<Chunk>) -> Result<bool> {
        let held: Result<Vec<bool>> = answered!(self.write(Write::Chunks(id, token, chunks)), Held);
        Ok(held?.first().copied().unwrap_or_default())
    }

    async fn output_sweep(&self, limit: usize) -> Result<Swept> {
        answered!(self.write(Write::SweepChunks(limit)), Swept)
    }

    async fn schedule_write(&self, writes: Vec<ScheduleWrite>) -> Result<Vec<Written>> {
        answered!(self.write(Write::Schedules(writes)), Written)
    }

    async fn schedule_delete(&self, name: &Name) -> Result<bool> {
        let held = answered!(self.write(Write::DropSchedule(name.clone())), Held);
        held.map(|held: Vec<bool>| held.first().copied().unwrap_or_default())
    }

    async fn job_lease(&self, call: Call) -> Result<Vec<Lent>> {
        answered!(self.write(Write::Lend(call)), Lent)
    }

    async fn job_extend(&self, beats: Vec<Extend>) -> Result<Vec<Option<Timestamp>>> {
        answered!(self.write(Write::Extend(beats)), Extended)
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

    async fn effect_put(&self, put: EffectPut) -> Result<Noted> {
        answered!(self.write(Write::Note(put)), Noted)
    }

    async fn flow_put(&self, declaration: Declaration) -> Result<Declared> {
        answered!(self.write(Write::Declare(declaration)), Declared)
    }

    async fn flow_delete(&self, name: &Name) -> Result<bool> {
        let held: Result<Vec<bool>> = answered!(self.write(Write::Undeclare(name.clone())), Held);
        Ok(held?.first().copied().unwrap_or_default())
    }

    async fn definition_put(&self, put: DefinitionPut) -> Result<Deployed> {
        answered!(self.write(Write::Deploy(put)), Deployed)
    }

    async fn definition_delete(&self, name: &Name) -> Result<bool> {
        let held: Result<Vec<bool>> = answered!(self.write(Write::Undeploy(name.clone())), Held);
        Ok(held?.first().copied().unwrap_or_default())
    }
}
