//! Queues, in memory.

use std::collections::BTreeSet;
use std::ops::Bound;

use async_trait::async_trait;
use jobmill_model::job::Spec;
use jobmill_model::queue::{Name, QueueRules, Rank};
use jobmill_model::rate::Spent;
use jobmill_model::{JobId, Timestamp};

use super::{Data, MemoryStore, Place, Queue, Row};
use crate::{Admitted, QueueStanding, Queues, Result};

#[async_trait]
impl Queues for MemoryStore {
    async fn queue_put(&self, queue: &Name, rules: &QueueRules) -> Result<()> {
        let mut data = self.0.lock();
        let queue = data.queues.entry(queue.clone()).or_default();
        queue.unbalanced |= rules.key_limit > queue.rules.key_limit;
        if rules.rate != queue.rules.rate {
            queue.spent = Spent::default();
        }
        queue.rules = *rules;
        Ok(())
    }

    async fn queue_pause(&self, queue: &Name, paused: bool) -> Result<()> {
        self.0.lock().queues.entry(queue.clone()).or_default().paused = paused;
        Ok(())
    }

    async fn queue_get(&self, queue: &Name, now: Timestamp) -> Result<QueueStanding> {
        Ok(self.0.lock().standing(queue, now))
    }

    async fn queue_list(
        &self,
        after: Option<&Name>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<QueueStanding>> {
        let data = self.0.lock();
        let stands = |row: &&Row| row.place == Place::Held || row.is_ready_or_leased();
        let with_jobs = data.rows.values().filter(stands).map(|row| row.job.spec.queue.clone());
        let names: BTreeSet<Name> = data.queues.keys().cloned().chain(with_jobs).collect();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let names = names.range::<Name, _>((from, Bound::Unbounded)).take(limit);
        Ok(names.map(|name| data.standing(name, now)).collect())
    }

    async fn queue_refill(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let data = self.0.lock();
        let standings = data.queues.keys().map(|name| data.standing(name, now));
        let waits = |queue: &QueueStanding| {
            queue.ready > 0 && !queue.paused && has_room(queue.leased, queue.rules.concurrency)
        };
        Ok(standings.filter(waits).filter_map(|queue| queue.refills_at).min())
    }

    async fn held_admit(&self, now: Timestamp, limit: usize) -> Result<Admitted> {
        let mut data = self.0.lock();
        let mut admitted = Admitted::default();
        for (queue, key) in data.unbalanced_keys() {
            while admitted.count < limit && data.admit_next(&queue, &key, now) {
                admitted.count += 1;
            }
        }
        admitted.more = admitted.count == limit;
        if !admitted.more {
            data.queues.values_mut().for_each(|queue| queue.unbalanced = false);
        }
        Ok(admitted)
    }
}

fn has_room(leased: u64, concurrency: Option<u32>) -> bool {
    concurrency.is_none_or(|most| leased < u64::from(most))
}

impl Row {
    fn is_ready_or_leased(&self) -> bool {
        matches!(self.place, Place::Ready | Place::Leased(_) | Place::Lent(_))
    }

    fn is_of(&self, queue: &Name, key: &Name) -> bool {
        self.job.spec.queue == *queue && self.job.spec.key.as_ref() == Some(key)
    }
}

impl Data {
    /// Gives a job whose time has come its place: it is ready, or held by its key.
    pub(super) fn enter(&mut self, id: JobId) {
        let row = &self.rows[&id];
        let spec = &row.job.spec;
        let free = spec.key.is_none() || self.places_taken(row) < self.key_limit(&spec.queue);
        let row = self.rows.get_mut(&id).expect("only a stored job enters");
        row.let_through = None;
        row.place = if free { Place::Ready } else { Place::Held };
    }

    /// How many places of its key are taken by others, if a job has one.
    pub(super) fn places_taken(&self, row: &Row) -> usize {
        let Spec { queue, key, .. } = &row.job.spec;
        let Some(key) = key else { return 0 };
        let others =
            self.rows.values().filter(|it| it.job.id != row.job.id && it.is_of(queue, key));
        others.filter(|it| it.is_ready_or_leased()).count()
    }

    /// Takes a job to a place where it is neither ready nor leased, and lets the next of its key
    /// through if it had a place there.
    pub(super) fn leave(&mut self, id: JobId, place: Place, now: Timestamp) -> &mut Row {
        let row = self.rows.get_mut(&id).expect("only a stored job leaves");
        let took_place = row.is_ready_or_leased();
        row.place = place;
        row.let_through = None;
        let (queue, key) = (row.job.spec.queue.clone(), row.job.spec.key.clone());
        if let Some(key) = key.filter(|_| took_place) {
            while self.admit_next(&queue, &key, now) {}
        }
        self.rows.get_mut(&id).expect("it is still stored")
    }

    /// Lets the first held job of a key through if there is a place for it.
    fn admit_next(&mut self, queue: &Name, key: &Name, now: Timestamp) -> bool {
        let limit = self.key_limit(queue);
        let of_key = || self.rows.values().filter(|row| row.is_of(queue, key));
        if of_key().filter(|row| row.is_ready_or_leased()).count() >= limit {
            return false;
        }
        let held = of_key().filter(|row| row.place == Place::Held);
        let Some((_, id)) = held.map(Row::own_rank).min() else { return false };
        let row = self.rows.get_mut(&id).expect("it was found");
        let (run_at, priority) = (row.job.run_at, row.job.spec.priority);
        row.place = Place::Ready;
        row.let_through = Some(Rank::after_wait(run_at, now, priority));
        true
    }

    fn key_limit(&self, queue: &Name) -> usize {
        self.queue(queue).rules.key_limit as usize
    }

    fn queue(&self, queue: &Name) -> Queue {
        self.queues.get(queue).copied().unwrap_or_default()
    }

    /// The keys of held jobs in queues whose limit of keys was raised.
    fn unbalanced_keys(&self) -> BTreeSet<(Name, Name)> {
        let held = self.rows.values().filter(|row| row.place == Place::Held);
        let of_key = |row: &Row| Some((row.job.spec.queue.clone(), row.job.spec.key.clone()?));
        held.filter_map(of_key).filter(|(queue, _)| self.queue(queue).unbalanced).collect()
    }

    /// How many jobs a queue lets go at once.
    pub(super) fn room(&self, name: &Name, now: Timestamp) -> usize {
        let queue = self.queue(name);
        if queue.paused {
            return 0;
        }
        let leased = self.standing(name, now).leased;
        let most = queue.rules.concurrency.map_or(u64::MAX, u64::from).saturating_sub(leased);
        let free = queue.rules.rate.map_or(u32::MAX, |rate| rate.free(queue.spent, now));
        usize::try_from(most.min(u64::from(free))).unwrap_or(usize::MAX)
    }

    /// Notes that a job of a queue has started.
    pub(super) fn spend(&mut self, name: &Name, now: Timestamp) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        if let Some(rate) = queue.rules.rate {
            queue.spent = rate.spend(queue.spent, 1, now);
        }
    }

    fn standing(&self, name: &Name, now: Timestamp) -> QueueStanding {
        let Queue { paused, rules, spent, .. } = self.queue(name);
        let count = |is: &dyn Fn(&Place) -> bool| {
            let of_queue = self.rows.values().filter(|row| row.job.spec.queue == *name);
            of_queue.filter(|row| is(&row.place)).count() as u64
        };
        QueueStanding {
            name: name.clone(),
            paused,
            rules,
            ready: count(&|place| *place == Place::Ready),
            held: count(&|place| *place == Place::Held),
            leased: count(&|place| matches!(place, Place::Leased(_) | Place::Lent(_))),
            refills_at: rules.rate.and_then(|rate| rate.refills_at(spent, now)),
        }
    }
}
