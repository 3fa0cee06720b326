//! Queues: what waits in them and what holds it back.
//!
//! A job is *ready* when nothing but its queue can keep it from being claimed: its time has come
//! and its key, if it has one, lets it. Whether the queue lets it go, a claim decides: a paused
//! queue lets nothing go, the others as many as their limits allow.
//!
//! A job with a key *takes a place* of its key, in its queue, while it is ready or under a lease.
//! A key has [`key_limit`](QueueRules::key_limit) places; while none is free, a job of the key
//! whose time has come is *held*. When a place comes free, in the same step, the held job of the
//! lowest rank takes it, and is ranked by that moment
//! ([`Rank::after_wait`](jobmill_model::queue::Rank::after_wait)). A parked job has no place; one
//! that is handed back keeps its own.

use async_trait::async_trait;
use jobmill_model::Timestamp;
use jobmill_model::queue::{Name, QueueRules};

use crate::Result;

/// A queue as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStanding {
    /// Its name.
    pub name: Name,
    /// Whether it lets nothing go.
    pub paused: bool,
    /// What else limits it.
    pub rules: QueueRules,
    /// Jobs that are ready.
    pub ready: u64,
    /// Jobs whose time has come and that wait for others of their key.
    pub held: u64,
    /// Jobs under a lease.
    pub leased: u64,
    /// When its rate limit lets the next job go; nothing if one could go now.
    pub refills_at: Option<Timestamp>,
}

/// How many held jobs were let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Admitted {
    /// Jobs that became ready.
    pub count: usize,
    /// Whether there may be more to let through.
    pub more: bool,
}

/// The verbs of the queue.
#[async_trait]
pub trait Queues: Send + Sync {
    /// Sets the rules of a queue, which need not have been heard of.
    ///
    /// After: they hold for every claim and hand-over; what was used up of another rate is
    /// forgotten. A lowered limit ends no lease and takes no place away: it holds once enough
    /// have ended. Where the limit of keys was raised, [`held_admit`](Self::held_admit) lets held
    /// jobs through that have a place now.
    async fn queue_put(&self, queue: &Name, rules: &QueueRules) -> Result<()>;

    /// Pauses a queue or lets it go on.
    ///
    /// After a pause no claim and no hand-over takes a job of it. Leases go on, and jobs are
    /// accepted as before. It costs the same whatever waits.
    async fn queue_pause(&self, queue: &Name, paused: bool) -> Result<()>;

    /// A queue as it stands; one that was never heard of is empty and has the usual rules.
    async fn queue_get(&self, queue: &Name, now: Timestamp) -> Result<QueueStanding>;

    /// Queues by name from the one after `after` on, at most `limit`: those that have rules of
    /// their own, are or were paused, or have a job that is ready, held or under a lease.
    async fn queue_list(
        &self,
        after: Option<&Name>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<QueueStanding>>;

    /// The earliest instant after `now` at which a rate limit lets a job go that is ready in a
    /// queue which could let it go but for its rate; nothing if there is no such job.
    async fn queue_refill(&self, now: Timestamp) -> Result<Option<Timestamp>>;

    /// Lets held jobs through that have a free place since a limit was raised, at most `limit`.
    ///
    /// A crash between two calls leaves the rest to the next.
    async fn held_admit(&self, now: Timestamp, limit: usize) -> Result<Admitted>;
}
