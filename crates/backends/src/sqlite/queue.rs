//! Queues: their rules, their pause switch, and what waits in them.
//!
//! The writer knows them all by heart, so it is asked for reading, too; that writes nothing.

use async_trait::async_trait;
use jobmill_model::Timestamp;
use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::rate::Spent;
use jobmill_store::{Admitted, QueueStanding, Queues, Result};
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::backlog::{Backlogs, Settings};
use super::query::Query;
use super::row;
use super::trouble::Outcome;
use super::txn::Txn;

/// About what a change of a row writes.
const ROW_BYTES: usize = 512;

#[async_trait]
impl Queues for SqliteStore {
    async fn queue_put(&self, queue: &Name, rules: &QueueRules) -> Result<()> {
        self.ask((queue.clone(), *rules), put, ROW_BYTES).await
    }

    async fn queue_pause(&self, queue: &Name, paused: bool) -> Result<()> {
        self.ask((queue.clone(), paused), pause, ROW_BYTES).await
    }

    async fn queue_get(&self, queue: &Name, now: Timestamp) -> Result<QueueStanding> {
        let verb = |tx: &mut Txn<'_>, (queue, now): &(Name, Timestamp)| {
            Ok(tx.totals.backlogs.standing(queue, *now))
        };
        self.ask((queue.clone(), now), verb, 0).await
    }

    async fn queue_list(
        &self,
        after: Option<&Name>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<QueueStanding>> {
        let verb = |tx: &mut Txn<'_>, (after, limit, now): &(Option<Name>, usize, Timestamp)| {
            Ok(tx.totals.backlogs.list(after.as_ref(), *limit, *now))
        };
        self.ask((after.cloned(), limit, now), verb, 0).await
    }

    async fn queue_refill(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let verb = |tx: &mut Txn<'_>, now: &Timestamp| Ok(tx.totals.backlogs.refill(*now));
        self.ask(now, verb, 0).await
    }

    async fn held_admit(&self, now: Timestamp, limit: usize) -> Result<Admitted> {
        self.ask((now, limit), admit_keys, limit.saturating_mul(ROW_BYTES)).await
    }
}

fn put(tx: &mut Txn<'_>, (queue, rules): &(Name, QueueRules)) -> Outcome<()> {
    let mut settings = tx.totals.backlogs.settings(queue);
    if rules.key_limit > settings.rules.key_limit {
        settings.admit_after = Some(String::new());
    }
    if rules.rate != settings.rules.rate {
        settings.spent = Spent::default();
    }
    settings.rules = *rules;
    tx.totals.backlogs.set(queue, settings);
    Ok(())
}

fn pause(tx: &mut Txn<'_>, (queue, paused): &(Name, bool)) -> Outcome<()> {
    let settings = tx.totals.backlogs.settings(queue);
    tx.totals.backlogs.set(queue, Settings { paused: *paused, ..settings });
    Ok(())
}

fn admit_keys(tx: &mut Txn<'_>, (now, limit): &(Timestamp, usize)) -> Outcome<Admitted> {
    let mut count = 0;
    while let Some(queue) = tx.totals.backlogs.unbalanced() {
        let mut settings = tx.totals.backlogs.settings(&queue);
        while let Some(after) = settings.admit_after.take() {
            let values = params![queue.as_str(), after];
            let next = tx.first(Query::HeldNext, values, |row| row::name(row, 0))?;
            let Some(key) = next else { break };
            while count < *limit && tx.admit_next(&queue, &key, *now)? {
                count += 1;
            }
            if count >= *limit {
                // There may be more of this key, so the next call looks at it again.
                settings.admit_after = Some(after);
                tx.totals.backlogs.set(&queue, settings);
                return Ok(Admitted { count, more: true });
            }
            settings.admit_after = Some(key.to_string());
        }
        tx.totals.backlogs.set(&queue, settings);
    }
    Ok(Admitted { count, more: count == *limit })
}

/// Reads the queues of a data file.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Backlogs> {
    let mut backlogs = Backlogs::default();
    let mut statement = connection.prepare(Query::QueueRead.text())?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        backlogs.load_settings(row::name(row, 0)?, settings(row)?);
    }
    let mut statement = connection.prepare(Query::BacklogRead.text())?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (ready, held) = (row::unsigned(row, 2)?, row::unsigned(row, 3)?);
        backlogs.load_backlog(row::name(row, 0)?, row::name(row, 1)?, ready, held);
    }
    let mut statement = connection.prepare(Query::QueueLeased.text())?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        backlogs.load_lease(row::name(row, 0)?);
    }
    Ok(backlogs)
}

fn settings(row: &Row<'_>) -> rusqlite::Result<Settings> {
    let rules =
        QueueRules { concurrency: row.get(2)?, rate: row::rate(row, 3)?, key_limit: row.get(5)? };
    let spent = Spent { units: row::unsigned(row, 6)?, at: row::time(row, 7)? };
    Ok(Settings { paused: row.get(1)?, rules, spent, admit_after: row.get(8)? })
}

impl Txn<'_> {
    /// Writes what the transaction has changed of the queues; to be called once, before its
    /// commit.
    pub(super) fn write_backlogs(&mut self) -> rusqlite::Result<()> {
        if !self.totals.backlogs.has_changed() {
            return Ok(());
        }
        for (queue, flow, backlog) in self.totals.backlogs.changed_backlogs() {
            let (ready, held) = (row::signed(backlog.ready), row::signed(backlog.held));
            match (ready, held) {
                (0, 0) => self.execute(Query::BacklogDelete, [queue.as_str(), flow.as_str()])?,
                _ => {
                    let values = params![queue.as_str(), flow.as_str(), ready, held];
                    self.execute(Query::BacklogPut, values)?
                }
            };
        }
        for (queue, settings) in self.totals.backlogs.changed_settings() {
            match settings {
                Some(settings) => self.write_settings(&queue, &settings)?,
                None => self.execute(Query::QueueDelete, [queue.as_str()])?,
            };
        }
        Ok(())
    }

    fn write_settings(&mut self, queue: &Name, settings: &Settings) -> rusqlite::Result<usize> {
        let Settings { paused, rules, spent, admit_after } = settings;
        self.execute(
            Query::QueuePut,
            params![
                queue.as_str(),
                paused,
                rules.concurrency,
                rules.rate.map(|rate| rate.count),
                rules.rate.map(|rate| row::signed(rate.per.as_millis())),
                rules.key_limit,
                row::signed(spent.units),
                spent.at.as_millis(),
                admit_after,
            ],
        )
    }
}
