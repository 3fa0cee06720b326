//! Who of a key may go: gives a job whose time has come its place, and lets the next through.

use jobmill_model::queue::{Name, Rank};
use jobmill_model::{JobId, Timestamp};
use rusqlite::params;

use super::backlog::Shift;
use super::head::Head;
use super::query::Query;
use super::row::{self, Key};
use super::txn::Txn;

impl Txn<'_> {
    /// Gives a job whose time has come its place: among the claimable jobs, or among those that
    /// wait for others of its key. A job that gives its lease back keeps the place of its key.
    pub(super) fn make_ready(&mut self, head: &mut Head) -> rusqlite::Result<()> {
        let keeps = head.took_place();
        let goes = match &head.key {
            Some(key) if !keeps => self.key_has_room(&head.queue, key)?,
            _ => true,
        };
        head.make_ready(goes);
        Ok(())
    }

    /// Whether a place of a key is free in a queue.
    pub(super) fn key_has_room(&mut self, queue: &Name, key: &Name) -> rusqlite::Result<bool> {
        let limit = self.totals.backlogs.key_limit(queue);
        let values = params![queue.as_str(), key.as_str(), limit];
        let taken = self.all(Query::PlaceTaken, values, |_| Ok(()))?;
        Ok(taken.len() < limit as usize)
    }

    /// Lets held jobs of a key through while it has a free place.
    pub(super) fn admit(
        &mut self,
        queue: &Name,
        key: &Name,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        while self.admit_next(queue, key, now)? {}
        Ok(())
    }

    /// Lets the first held job of a key through; answers whether there was one, and a place.
    pub(super) fn admit_next(
        &mut self,
        queue: &Name,
        key: &Name,
        now: Timestamp,
    ) -> rusqlite::Result<bool> {
        let values = params![queue.as_str(), key.as_str()];
        let next: Option<(JobId, Name, Rank)> = self.first(Query::JobHeld, values, |row| {
            let rank = Rank::after_wait(row::time(row, 2)?, now, row::priority(row, 3)?);
            Ok((row::id(row, 0)?, row::name(row, 1)?, rank))
        })?;
        let Some((id, flow, Rank(rank))) = next else { return Ok(false) };
        if !self.key_has_room(queue, key)? {
            return Ok(false);
        }
        self.execute(Query::JobAdmit, params![Key::of(id), rank])?;
        let shift = Shift { ready: 1, held: -1, leased: 0 };
        self.totals.backlogs.shift(queue, &flow, shift, Some(rank));
        Ok(true)
    }
}
