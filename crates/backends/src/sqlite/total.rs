//! Kept totals: counted by the writer as things happen, written once per commit.

use jobmill_model::State;
use rusqlite::{Connection, params};

use super::backlog::Backlogs;
use super::query::Query;
use super::queue;
use super::row;
use super::txn::Txn;

/// The totals as they will stand after the present transaction.
#[derive(Debug)]
pub(super) struct Totals {
    now: Counts,
    committed: Counts,
    pub(super) backlogs: Backlogs,
}

/// The row of the table `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    states: [i64; State::ALL.len()],
    pairs: u64,
    pairs_gone: u64,
}

/// A point in the transaction to go back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    counts: Counts,
    changes: usize,
}

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
        Ok(Self { now, committed: now, backlogs: queue::load(connection)? })
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

    /// Where the transaction stands.
    pub(super) fn mark(&self) -> Mark {
        Mark { counts: self.now, changes: self.backlogs.mark() }
    }

    /// Takes back what was counted since the mark.
    pub(super) fn rewind(&mut self, mark: Mark) {
        self.now = mark.counts;
        self.backlogs.rewind(mark.changes);
    }

    /// Takes back what was counted since the last commit.
    pub(super) fn roll_back(&mut self) {
        self.rewind(Mark { counts: self.committed, changes: 0 });
    }

    /// Takes note of a commit.
    pub(super) fn commit(&mut self) {
        self.committed = self.now;
        self.backlogs.commit();
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
        self.write_backlogs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_back_was_never_counted() {
        let now = Counts { states: [0; 6], pairs: 0, pairs_gone: 0 };
        let mut totals = Totals { now, committed: now, backlogs: Backlogs::default() };
        totals.enter(State::Submitted);
        totals.commit();
        totals.pass(State::Submitted, State::Running);
        let mark = totals.mark();
        totals.publish(3);
        totals.rewind(mark);
        assert_eq!(totals.now, Counts { states: [0, 0, 1, 0, 0, 0], pairs: 0, pairs_gone: 0 });
        totals.roll_back();
        assert_eq!(totals.now, Counts { states: [0, 1, 0, 0, 0, 0], pairs: 0, pairs_gone: 0 });
    }
}
