//! A store that stops taking writes after a number of them, as a killed process would.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use jobmill_model::{InstanceId, Timestamp};
use jobmill_store::layer::Layer;
use jobmill_store::*;
use tokio::sync::{Mutex, MutexGuard, Notify};

pub(crate) struct CutStore {
    inner: Arc<dyn Store>,
    left: AtomicI64,
    cut: Notify,
    turn: Mutex<()>,
}

/// The store beneath; writes take turns, so that none is still under way when the process counts
/// as dead.
pub(crate) struct Turn<'a> {
    inner: &'a dyn Store,
    _turn: Option<MutexGuard<'a, ()>>,
}

impl<'a> Deref for Turn<'a> {
    type Target = dyn Store + 'a;

    fn deref(&self) -> &Self::Target {
        self.inner
    }
}

impl CutStore {
    pub(crate) fn new(inner: Arc<dyn Store>, writes: i64) -> Self {
        Self { inner, left: AtomicI64::new(writes), cut: Notify::new(), turn: Mutex::new(()) }
    }

    /// Returns when a write has been refused.
    pub(crate) async fn until_cut(&self) {
        self.cut.notified().await;
    }

    /// The turn of a write that is not counted, because it depends on time; but a dead process
    /// does not do it.
    async fn alive(&self) -> Result<Turn<'_>> {
        let turn = self.turn.lock().await;
        match self.left.load(Ordering::SeqCst) {
            ..0 => Err(StoreError::Closed),
            _ => Ok(Turn { inner: &*self.inner, _turn: Some(turn) }),
        }
    }
}

#[async_trait]
impl Layer for CutStore {
    type Beneath<'a> = Turn<'a>;

    async fn reads(&self) -> Result<Turn<'_>> {
        Ok(Turn { inner: &*self.inner, _turn: None })
    }

    async fn writes(&self) -> Result<Turn<'_>> {
        let turn = self.turn.lock().await;
        if self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Ok(Turn { inner: &*self.inner, _turn: Some(turn) });
        }
        self.cut.notify_one();
        Err(StoreError::Closed)
    }

    fn events(&self) -> Arc<Feed> {
        self.inner.events()
    }

    /// Not counted: what is not accepted need not be resumed.
    async fn job_insert(&self, submission: Submission) -> Result<Inserted> {
        self.inner.job_insert(submission).await
    }

    async fn idempotency_sweep(&self, _now: Timestamp, _limit: usize) -> Result<Swept> {
        Ok(Swept::default())
    }

    /// Not counted, because it depends on time.
    async fn job_progress(&self, notes: &[ProgressNote]) -> Result<Vec<bool>> {
        self.inner.job_progress(notes).await
    }

    async fn job_promote(&self, now: Timestamp, limit: usize) -> Result<Promoted> {
        self.alive().await?.job_promote(now, limit).await
    }

    /// Not counted: it is how a process begins.
    async fn job_reclaim(
        &self,
        alive: InstanceId,
        max_crashes: u32,
        now: Timestamp,
    ) -> Result<Reclaimed> {
        self.inner.job_reclaim(alive, max_crashes, now).await
    }

    async fn lease_expire(
        &self,
        now: Timestamp,
        max_crashes: u32,
        chance: f64,
        limit: usize,
    ) -> Result<Expired> {
        self.alive().await?.lease_expire(now, max_crashes, chance, limit).await
    }

    /// Not counted: it is how a process begins.
    async fn lease_renew(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.inner.lease_renew(now).await
    }

    /// Not counted: with nothing to let through it writes nothing.
    async fn held_admit(&self, now: Timestamp, limit: usize) -> Result<Admitted> {
        self.inner.held_admit(now, limit).await
    }

    async fn output_sweep(&self, _limit: usize) -> Result<Swept> {
        Ok(Swept::default())
    }
}
