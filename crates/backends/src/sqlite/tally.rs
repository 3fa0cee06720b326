//! Kept totals: what the writer counted up to its last commit.

use async_trait::async_trait;
use jobmill_model::State;
use jobmill_store::{Result, Tallies, Tally};

use super::SqliteStore;
use super::query::Query;
use super::reader::prepare;
use super::row;

#[async_trait]
impl Tallies for SqliteStore {
    async fn tally_read(&self) -> Result<Tally> {
        self.readers.read(|connection| {
            prepare(connection, Query::TotalRead)?.query_row([], |row| {
                let count = |state| Ok((state, row::unsigned(row, row::state_number(state))?));
                State::ALL.into_iter().map(count).collect::<rusqlite::Result<_>>().map(Tally)
            })
        })
    }
}
