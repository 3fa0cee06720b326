//! Kept totals: counted by the writer as things happen, written once per commit.

use std::collections::{BTreeSet, HashMap};

use jobmill_model::State;
use jobmill_model::queue::Name;
use rusqlite::{Connection, params};

use super::query::Query;
use super::row;
use super::txn::Txn;

/// The totals as they will stand after the present transaction.
#[derive(Debug)]
pub(super) struct Totals {
    now: Counts,
    committed: Counts,
    queues: HashMap<Name, u64>,
    flows: HashMap<Name, u64>,
    /// What was counted since the last commit, so that it can be taken back.
    changes: Vec<Change>,
}

/// The row of the table `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    states: [i64; State::ALL.len()],
    pairs: u64,
    pairs_gone: u64,
}

/// Claimable jobs that came or went.
#[derive(Debug, Clone)]
struct Change {
    queue: Name,
    flow: Name,
    came: bool,
}

/// A point in the transaction to go back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    counts: Counts,
    changes: usize,
}

/// The kinds of rows in the table `claimable`.
const QUEUE: i64 = 0;
const FLOW: i64 = 1;

impl Totals {
    /// Reads the totals of a data file.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let now = connection.query_row(Query::TotalRead.text(), [], |row| {
            let mut states = [0; State::ALL.len()];
            for (index, count) in states.iter_mut().enumerate() {
                *count = row.get(index)?;
            }
            let pairs = row::unsigned(row, State::ALL.len())?;
            Ok(Counts { states, pairs, pairs_gone: row::unsigned(row, State::ALL.len() + 1)? })
        })?;
        let (mut queues, mut flows) = (HashMap::new(), HashMap::new());
        let mut statement = connection.prepare(Query::ClaimableRead.text())?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let of_kind = if row.get::<_, i64>(0)? == QUEUE { &mut queues } else { &mut flows };
            of_kind.insert(row::name(row, 1)?, row::unsigned(row, 2)?);
        }
        Ok(Self { now, committed: now, queues, flows, changes: Vec::new() })
    }

    /// Counts a new job.
    pub(super) fn enter(&mut self, state: State) {
        self.now.states[row::state_number(state)] += 1;
    }

    /// Counts a job's move.
    pub(super) fn pass(&mut self, from: State, to: State) {
        self.leave(from);
        self.enter(to);
    }

    /// Counts a job that is deleted.
    pub(super) fn leave(&mut self, state: State) {
        self.now.states[row::state_number(state)] -= 1;
    }

    /// Counts entries that are deleted; their numbers are not used again.
    pub(super) fn retract(&mut self, entries: u64) {
        self.now.pairs_gone += entries;
    }

    /// Gives numbers to so many published entries; answers the first.
    pub(super) fn publish(&mut self, entries: u64) -> u64 {
        let first = self.now.pairs + 1;
        self.now.pairs += entries;
        first
    }

    /// Counts a job that became claimable, or that is so no more.
    pub(super) fn count_claimable(&mut self, queue: &Name, flow: &Name, came: bool) {
        self.change(queue, flow, came);
        self.changes.push(Change { queue: queue.clone(), flow: flow.clone(), came });
    }

    /// Whether a job is claimable in this queue.
    pub(super) fn is_busy(&self, queue: &Name) -> bool {
        self.queues.contains_key(queue)
    }

    /// Those of these flows that have a claimable job.
    pub(super) fn ready<'a>(&self, flows: &'a BTreeSet<Name>) -> Vec<&'a Name> {
        if self.flows.len() < flows.len() {
            return self.flows.keys().filter_map(|flow| flows.get(flow)).collect();
        }
        flows.iter().filter(|flow| self.flows.contains_key(*flow)).collect()
    }

    /// Whether a job of this flow is claimable.
    pub(super) fn is_ready(&self, flow: &Name) -> bool {
        self.flows.contains_key(flow)
    }

    /// Where the transaction stands.
    pub(super) fn mark(&self) -> Mark {
        Mark { counts: self.now, changes: self.changes.len() }
    }

    /// Takes back what was counted since the mark.
    pub(super) fn rewind(&mut self, mark: Mark) {
        self.now = mark.counts;
        for change in self.changes.split_off(mark.changes).into_iter().rev() {
            self.change(&change.queue, &change.flow, !change.came);
        }
    }

    /// Takes back what was counted since the last commit.
    pub(super) fn roll_back(&mut self) {
        self.rewind(Mark { counts: self.committed, changes: 0 });
    }

    /// Takes note of a commit.
    pub(super) fn commit(&mut self) {
        self.committed = self.now;
        self.changes.clear();
    }

    fn change(&mut self, queue: &Name, flow: &Name, came: bool) {
        change(&mut self.queues, queue, came);
        change(&mut self.flows, flow, came);
    }

    /// The rows of `claimable` that differ from the last commit.
    fn changed(&self) -> Vec<(i64, Name, Option<u64>)> {
        let queues: BTreeSet<_> = self.changes.iter().map(|change| &change.queue).collect();
        let flows: BTreeSet<_> = self.changes.iter().map(|change| &change.flow).collect();
        let queues =
            queues.into_iter().map(|name| (QUEUE, name.clone(), self.queues.get(name).copied()));
        let flows =
            flows.into_iter().map(|name| (FLOW, name.clone(), self.flows.get(name).copied()));
        queues.chain(flows).collect()
    }
}

fn change(counts: &mut HashMap<Name, u64>, name: &Name, came: bool) {
    let count = counts.get(name).copied().unwrap_or(0);
    match if came { count + 1 } else { count.saturating_sub(1) } {
        0 => drop(counts.remove(name)),
        count => drop(counts.insert(name.clone(), count)),
    }
}

impl Txn<'_> {
    /// Writes the totals that the transaction has changed; to be called once, before its commit.
    pub(super) fn write_totals(&mut self) -> rusqlite::Result<()> {
        let Counts { states: [a, b, c, d, e, f], pairs, pairs_gone } = self.totals.now;
        if self.totals.now != self.totals.committed {
            let (pairs, gone) = (row::signed(pairs), row::signed(pairs_gone));
            self.execute(Query::TotalPut, params![a, b, c, d, e, f, pairs, gone])?;
        }
        if self.totals.changes.is_empty() {
            return Ok(());
        }
        for (kind, name, count) in self.totals.changed() {
            match count {
                Some(count) => self.execute(
                    Query::ClaimablePut,
                    params![kind, name.as_str(), row::signed(count)],
                )?,
                None => self.execute(Query::ClaimableDelete, params![kind, name.as_str()])?,
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Totals {
        let now = Counts { states: [0; 6], pairs: 0, pairs_gone: 0 };
        let (queues, flows) = (HashMap::new(), HashMap::new());
        Totals { now, committed: now, queues, flows, changes: Vec::new() }
    }

    #[test]
    fn what_is_taken_back_was_never_counted() {
        let (queue, flow) = (Name::trusted("q"), Name::trusted("f"));
        let mut totals = empty();
        totals.enter(State::Submitted);
        totals.count_claimable(&queue, &flow, true);
        totals.commit();
        totals.pass(State::Submitted, State::Running);
        totals.count_claimable(&queue, &flow, false);
        let mark = totals.mark();
        totals.count_claimable(&queue, &flow, true);
        totals.publish(3);
        totals.rewind(mark);
        assert!(!totals.is_busy(&queue));
        assert_eq!(totals.now, Counts { states: [0, 0, 1, 0, 0, 0], pairs: 0, pairs_gone: 0 });
        totals.roll_back();
        assert!(totals.is_busy(&queue));
        assert_eq!(totals.now, Counts { states: [0, 1, 0, 0, 0, 0], pairs: 0, pairs_gone: 0 });
        assert_eq!(totals.ready(&[flow.clone(), Name::trusted("g")].into()), [&flow]);
    }
}
