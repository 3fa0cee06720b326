//! What waits in each queue and what holds it back, as the writer knows it.
//!
//! The writer decides every claim, so it keeps this in memory: a claim looks at no row of a
//! queue that lets nothing go. What cannot be counted again cheaply is written with the commit;
//! leases are counted when the file is opened.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jobmill_model::Timestamp;
use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::rate::Spent;
use jobmill_store::QueueStanding;

/// The queues as they will stand after the present transaction.
#[derive(Debug, Default)]
pub(super) struct Backlogs {
    queues: HashMap<Name, Queue>,
    /// What was changed since the last commit, so that it can be taken back.
    changes: Vec<Change>,
}

#[derive(Debug, Default)]
struct Queue {
    /// What was set for it, if anything ever was.
    set: Option<Settings>,
    ready: u64,
    held: u64,
    leased: u64,
    flows: BTreeMap<Name, Backlog>,
}

/// What was set for a queue; a row of the table `queue`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Settings {
    pub(super) paused: bool,
    pub(super) rules: QueueRules,
    pub(super) spent: Spent,
    /// Where to go on letting held jobs through.
    pub(super) admit_after: Option<String>,
}

/// Jobs of one flow in one queue; a row of the table `backlog`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backlog {
    pub(super) ready: u64,
    pub(super) held: u64,
    /// No ready job has a lower rank.
    floor: i64,
}

/// Jobs of one flow in one queue that came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Shift {
    pub(super) ready: i8,
    pub(super) held: i8,
    pub(super) leased: i8,
}

#[derive(Debug)]
enum Change {
    Shift(Name, Name, Shift),
    /// Settings were changed; these stood before.
    Set(Name, Option<Settings>),
}

/// The ready jobs of one flow in one queue that a claim may take some of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shelf {
    pub(super) queue: Name,
    pub(super) flow: Name,
    /// No job on it has a lower rank.
    pub(super) floor: i64,
    /// How many jobs the queue lets go, from all its shelves.
    pub(super) room: usize,
}

impl Default for Backlog {
    fn default() -> Self {
        Self { ready: 0, held: 0, floor: i64::MAX }
    }
}

impl Queue {
    fn settings(&self) -> Settings {
        self.set.clone().unwrap_or_default()
    }

    fn room(&self, now: Timestamp) -> usize {
        let Some(Settings { paused, rules, spent, .. }) = &self.set else { return usize::MAX };
        if *paused {
            return 0;
        }
        let most = rules.concurrency.map_or(u64::MAX, u64::from).saturating_sub(self.leased);
        let free = rules.rate.map_or(u32::MAX, |rate| rate.free(*spent, now));
        let free = rules.rate.map_or(u64::MAX, |_| u64::from(free));
        usize::try_from(most.min(free)).unwrap_or(usize::MAX)
    }

    fn shift(&mut self, flow: &Name, shift: Shift) -> &mut Backlog {
        if !self.flows.contains_key(flow) {
            self.flows.insert(flow.clone(), Backlog::default());
        }
        let backlog = self.flows.get_mut(flow).expect("it was there or was put there");
        for (count, by) in [
            (&mut backlog.ready, shift.ready),
            (&mut backlog.held, shift.held),
            (&mut self.ready, shift.ready),
            (&mut self.held, shift.held),
            (&mut self.leased, shift.leased),
        ] {
            *count = count.saturating_add_signed(i64::from(by));
        }
        backlog
    }

    fn add_shelves(
        &self,
        name: &Name,
        wants: impl Fn(&Name) -> bool,
        now: Timestamp,
        shelves: &mut Vec<Shelf>,
    ) {
        let room = if self.ready > 0 { self.room(now) } else { 0 };
        let ready = self.flows.iter().filter(|(_, backlog)| backlog.ready > 0 && room > 0);
        let wanted = ready.filter(|(flow, _)| wants(flow));
        shelves.extend(wanted.map(|(flow, backlog)| Shelf {
            queue: name.clone(),
            flow: flow.clone(),
            floor: backlog.floor,
            room,
        }));
    }

    fn is_forgettable(&self) -> bool {
        self.set.is_none() && self.ready == 0 && self.held == 0 && self.leased == 0
    }

    fn standing(&self, name: &Name, now: Timestamp) -> QueueStanding {
        let Settings { paused, rules, spent, .. } = self.settings();
        QueueStanding {
            name: name.clone(),
            paused,
            rules,
            ready: self.ready,
            held: self.held,
            leased: self.leased,
            refills_at: rules.rate.and_then(|rate| rate.refills_at(spent, now)),
        }
    }
}

impl Backlogs {
    /// Takes note of a row of the table `backlog`.
    pub(super) fn load_backlog(&mut self, queue: Name, flow: Name, ready: u64, held: u64) {
        let queue = self.queues.entry(queue).or_default();
        queue.ready += ready;
        queue.held += held;
        queue.flows.insert(flow, Backlog { ready, held, floor: i64::MIN });
    }

    /// Takes note of a row of the table `queue`.
    pub(super) fn load_settings(&mut self, queue: Name, settings: Settings) {
        self.queues.entry(queue).or_default().set = Some(settings);
    }

    /// Takes note of a lease.
    pub(super) fn load_lease(&mut self, queue: Name) {
        self.queues.entry(queue).or_default().leased += 1;
    }

    /// Counts a job that came or went; a new ready one with its rank.
    pub(super) fn shift(&mut self, queue: &Name, flow: &Name, shift: Shift, rank: Option<i64>) {
        if shift == Shift::default() {
            return;
        }
        let backlog = self.entry(queue).shift(flow, shift);
        backlog.floor = rank.map_or(backlog.floor, |rank| backlog.floor.min(rank));
        self.forget_if_empty(queue);
        self.changes.push(Change::Shift(queue.clone(), flow.clone(), shift));
    }

    /// Changes what is set for a queue.
    pub(super) fn set(&mut self, queue: &Name, settings: Settings) {
        let before = self.entry(queue).set.replace(settings);
        self.changes.push(Change::Set(queue.clone(), before));
    }

    /// Notes that jobs of a queue have started.
    pub(super) fn spend(&mut self, queue: &Name, starts: u32, now: Timestamp) {
        let set = self.queues.get(queue).and_then(|queue| queue.set.as_ref());
        let Some((set, rate)) = set.and_then(|set| Some((set, set.rules.rate?))) else { return };
        let spent = rate.spend(set.spent, starts, now);
        let settings = Settings { spent, ..set.clone() };
        self.set(queue, settings);
    }

    /// What is set for a queue.
    pub(super) fn settings(&self, queue: &Name) -> Settings {
        self.queues.get(queue).map(Queue::settings).unwrap_or_default()
    }

    /// The places of each key of a queue.
    pub(super) fn key_limit(&self, queue: &Name) -> u32 {
        let set = self.queues.get(queue).and_then(|queue| queue.set.as_ref());
        set.map_or_else(QueueRules::default, |set| set.rules).key_limit
    }

    /// Whether a job is ready in this queue.
    pub(super) fn is_busy(&self, queue: &Name) -> bool {
        self.queues.get(queue).is_some_and(|queue| queue.ready > 0)
    }

    /// How many jobs a queue lets go.
    pub(super) fn room(&self, queue: &Name, now: Timestamp) -> usize {
        self.queues.get(queue).map_or(usize::MAX, |queue| queue.room(now))
    }

    /// Where a claim finds jobs of the flows that it wants, the lowest ranks first: in one queue,
    /// or in all.
    pub(super) fn shelves(
        &self,
        queue: Option<&Name>,
        wants: impl Fn(&Name) -> bool,
        now: Timestamp,
    ) -> Vec<Shelf> {
        let mut shelves = Vec::new();
        match queue {
            None => {
                let queues = self.queues.iter();
                queues.for_each(|(name, queue)| queue.add_shelves(name, &wants, now, &mut shelves));
            }
            Some(name) => {
                if let Some(queue) = self.queues.get(name) {
                    queue.add_shelves(name, &wants, now, &mut shelves);
                }
            }
        }
        shelves.sort_unstable_by(|a, b| {
            (a.floor, &a.queue, &a.flow).cmp(&(b.floor, &b.queue, &b.flow))
        });
        shelves
    }

    /// Takes note of the lowest rank that a shelf has left.
    pub(super) fn raise_floor(&mut self, shelf: &Shelf, floor: i64) {
        let queue = self.queues.get_mut(&shelf.queue);
        if let Some(backlog) = queue.and_then(|queue| queue.flows.get_mut(&shelf.flow)) {
            backlog.floor = floor;
        }
    }

    /// A queue as it stands.
    pub(super) fn standing(&self, name: &Name, now: Timestamp) -> QueueStanding {
        match self.queues.get(name) {
            Some(queue) => queue.standing(name, now),
            None => Queue::default().standing(name, now),
        }
    }

    /// Queues by name, from the one after `after` on.
    pub(super) fn list(
        &self,
        after: Option<&Name>,
        limit: usize,
        now: Timestamp,
    ) -> Vec<QueueStanding> {
        let later = |name: &&Name| after.is_none_or(|after| *name > after);
        let mut names: Vec<&Name> = self.queues.keys().filter(later).collect();
        names.sort_unstable();
        names.truncate(limit);
        names.into_iter().map(|name| self.standing(name, now)).collect()
    }

    /// When the first rate limit refills that is all that holds a ready job back.
    pub(super) fn refill(&self, now: Timestamp) -> Option<Timestamp> {
        let waits = self.queues.values().filter(|queue| queue.ready > 0);
        let refills = waits.filter_map(|queue| {
            let Settings { paused, rules, spent, .. } = queue.set.as_ref()?;
            let full = rules.concurrency.is_some_and(|most| queue.leased >= u64::from(most));
            rules.rate.filter(|_| !paused && !full)?.refills_at(*spent, now)
        });
        refills.min()
    }

    /// The first queue by name that has held jobs to let through.
    pub(super) fn unbalanced(&self) -> Option<Name> {
        let set = |queue: &Queue| queue.set.as_ref().is_some_and(|set| set.admit_after.is_some());
        self.queues.iter().filter(|(_, queue)| set(queue)).map(|(name, _)| name.clone()).min()
    }

    /// How many changes the transaction has made.
    pub(super) fn mark(&self) -> usize {
        self.changes.len()
    }

    /// Takes back all changes but the first `mark`.
    pub(super) fn rewind(&mut self, mark: usize) {
        for change in self.changes.split_off(mark).into_iter().rev() {
            match change {
                Change::Set(queue, before) => {
                    self.entry(&queue).set = before;
                    self.forget_if_empty(&queue);
                }
                Change::Shift(queue, flow, Shift { ready, held, leased }) => {
                    let back = Shift { ready: -ready, held: -held, leased: -leased };
                    // What has left the shelf since may be back.
                    self.entry(&queue).shift(&flow, back).floor = i64::MIN;
                    self.forget_if_empty(&queue);
                }
            }
        }
    }

    /// Takes note of a commit.
    pub(super) fn commit(&mut self) {
        self.changes.clear();
    }

    /// Whether there is something to write.
    pub(super) fn has_changed(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The rows of `backlog` that may differ from the last commit.
    pub(super) fn changed_backlogs(&self) -> Vec<(Name, Name, Backlog)> {
        let moved = self.changes.iter().filter_map(|change| match change {
            Change::Shift(queue, flow, shift) if (shift.ready, shift.held) != (0, 0) => {
                Some((queue, flow))
            }
            _ => None,
        });
        let changed: BTreeSet<_> = moved.collect();
        let row = |(queue, flow): (&Name, &Name)| {
            let backlog = self.queues.get(queue).and_then(|queue| queue.flows.get(flow));
            (queue.clone(), flow.clone(), backlog.copied().unwrap_or_default())
        };
        changed.into_iter().map(row).collect()
    }

    /// The rows of `queue` that may differ from the last commit.
    pub(super) fn changed_settings(&self) -> Vec<(Name, Option<Settings>)> {
        let changed: BTreeSet<_> = self
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Set(queue, _) => Some(queue),
                Change::Shift(..) => None,
            })
            .collect();
        let row =
            |name: &Name| (name.clone(), self.queues.get(name).and_then(|queue| queue.set.clone()));
        changed.into_iter().map(row).collect()
    }

    fn entry(&mut self, queue: &Name) -> &mut Queue {
        if !self.queues.contains_key(queue) {
            self.queues.insert(queue.clone(), Queue::default());
        }
        self.queues.get_mut(queue).expect("it was there or was put there")
    }

    fn forget_if_empty(&mut self, queue: &Name) {
        if self.queues.get(queue).is_some_and(Queue::is_forgettable) {
            self.queues.remove(queue);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAME: Shift = Shift { ready: 1, held: 0, leased: 0 };
    const CLAIMED: Shift = Shift { ready: -1, held: 0, leased: 1 };

    fn name(text: &str) -> Name {
        Name::trusted(text)
    }

    fn floors(backlogs: &Backlogs) -> Vec<(String, i64)> {
        let shelves = backlogs.shelves(None, |flow| *flow == name("f"), Timestamp::EPOCH);
        shelves.iter().map(|shelf| (shelf.queue.to_string(), shelf.floor)).collect()
    }

    #[test]
    fn what_is_taken_back_was_never_there() {
        let (queue, flow) = (name("q"), name("f"));
        let mut backlogs = Backlogs::default();
        backlogs.shift(&queue, &flow, CAME, Some(5));
        backlogs.commit();
        let before = backlogs.standing(&queue, Timestamp::EPOCH);
        let mark = backlogs.mark();
        backlogs.shift(&queue, &flow, CLAIMED, None);
        backlogs.set(&queue, Settings { paused: true, ..Settings::default() });
        assert!(!backlogs.is_busy(&queue));
        backlogs.rewind(mark);
        assert_eq!(backlogs.standing(&queue, Timestamp::EPOCH), before);
        assert_eq!(floors(&backlogs), [("q".to_owned(), i64::MIN)], "the shelf is read again");
        assert!(!backlogs.has_changed());
    }

    #[test]
    fn shelves_come_by_their_lowest_rank_and_paused_ones_not_at_all() {
        let mut backlogs = Backlogs::default();
        for (queue, rank) in [("a", 7), ("b", 3), ("c", 1), ("a", 5)] {
            backlogs.shift(&name(queue), &name("f"), CAME, Some(rank));
        }
        backlogs.shift(&name("d"), &name("g"), CAME, Some(0));
        backlogs.set(&name("c"), Settings { paused: true, ..Settings::default() });
        assert_eq!(floors(&backlogs), [("b".to_owned(), 3), ("a".to_owned(), 5)]);
    }

    #[test]
    fn a_queue_without_jobs_and_settings_takes_no_room() {
        let mut backlogs = Backlogs::default();
        backlogs.shift(&name("q"), &name("f"), CAME, Some(1));
        backlogs.shift(&name("q"), &name("f"), Shift { ready: -1, ..CAME }, None);
        assert!(backlogs.queues.is_empty());
        assert_eq!(backlogs.changed_backlogs().len(), 1, "its row is to be removed");
    }
}
