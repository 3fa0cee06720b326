//! A store that stops taking writes after a number of them, as a killed process would, and that
//! can be told to take its time over the release of leases.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use jobmill_model::{InstanceId, JobId, Timestamp, Token};
use jobmill_store::layer::Layer;
use jobmill_store::*;
use tokio::sync::{Mutex, MutexGuard, Notify, watch};

pub(crate) struct CutStore {
    inner: Arc<dyn Store>,
    left: AtomicI64,
    cut: Notify,
    turn: Mutex<()>,
    /// Whether releases wait.
    held: watch::Sender<bool>,
    /// How many settlements were done, and releases asked for.
    ends: watch::Sender<usize>,
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
        let (held, ends) = (watch::Sender::new(false), watch::Sender::new(0));
        let (left, cut, turn) = (AtomicI64::new(writes), Notify::new(), Mutex::new(()));
        Self { inner, left, cut, turn, held, ends }
    }

    /// Has releases wait, or lets them go on.
    pub(crate) fn hold_releases(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// Returns when so many settlements were done and releases asked for.
    pub(crate) async fn until_ends(&self, count: usize) {
        let reached = self.ends.subscribe().wait_for(|ends| *ends >= count).await.map(drop);
        reached.expect("the sender is this store's");
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

    async fn job_settle(&self, settles: Vec<Settle>) -> Result<Vec<Settled>> {
        let settled = self.writes().await?.job_settle(settles).await;
        self.ends.send_modify(|ends| *ends += 1);
        settled
    }

    async fn job_release(&self, leases: &[(JobId, Token)]) -> Result<Vec<bool>> {
        self.ends.send_modify(|ends| *ends += 1);
        let goes_on = self.held.subscribe().wait_for(|held| !held).await.map(drop);
        goes_on.expect("the sender is this store's");
        self.writes().await?.job_release(leases).await
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
