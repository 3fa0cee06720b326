//! What was sent to a running machine, until it takes it in.

use async_trait::async_trait;
use jobmill_model::queue::Name;
use jobmill_model::{JobId, Json};
use jobmill_store::{Result, Signal, Signalled, Signals};
use rusqlite::params;

use super::SqliteStore;
use super::query::Query;
use super::reader::prepare;
use super::row::{self, Key};
use super::trouble::Outcome;
use super::txn::Txn;

#[async_trait]
impl Signals for SqliteStore {
    async fn job_signal(&self, id: JobId, name: &Name, payload: &Json) -> Result<Signalled> {
        let bytes = name.as_str().len() + payload.as_str().len();
        self.ask((id, name.clone(), payload.clone()), signal, bytes).await
    }

    async fn signal_read(&self, id: JobId, after: u64, limit: usize) -> Result<Vec<Signal>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::SignalRead)?;
            let rows =
                statement.query_map(params![Key::of(id), row::signed(after), limit], |row| {
                    let number = row::unsigned(row, 0)?;
                    Ok(Signal { number, name: row::name(row, 1)?, payload: row::json(row, 2)? })
                })?;
            rows.collect()
        })
    }
}

fn signal(tx: &mut Txn<'_>, (id, name, payload): &(JobId, Name, Json)) -> Outcome<Signalled> {
    let Some(mut head) = tx.head(*id)? else { return Ok(Signalled::Unknown) };
    if head.state.is_final() {
        return Ok(Signalled::Ended(head.state));
    }
    head.last_signal += 1;
    let (key, number) = (Key::of(*id), row::signed(head.last_signal));
    tx.execute(Query::SignalInsert, params![key, number, name.as_str(), payload.as_str()])?;
    // A scheduled job waits as well, but for its time only.
    if head.is_parked() && head.rank.is_none() && head.held.is_none() {
        tx.make_ready(&mut head)?;
        tx.save(&head)?;
    } else {
        tx.execute(Query::SignalCount, params![key, number])?;
    }
    Ok(Signalled::Done(head.last_signal))
}
