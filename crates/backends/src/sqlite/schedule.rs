//! Schedules, and the jobs that their ticks make.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jobmill_model::limits::SCHEDULES;
use jobmill_model::queue::Name;
use jobmill_model::schedule::{
    Fired, Misfire, Rules, Schedule, Skipped, Template, Timetable, Word,
};
use jobmill_model::{JobId, Timestamp, Value};
use jobmill_store::{Result, ScheduleWrite, Schedules, SchedulesDue, Submission, Written};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::query::Query;
use super::reader::prepare;
use super::row::{self, Key};
use super::trouble::Outcome;
use super::txn::Txn;
use super::{SqliteStore, job, spec};

/// About what a schedule takes besides its input.
const ROW_BYTES: usize = 1_024;

#[async_trait]
impl Schedules for SqliteStore {
    async fn schedule_write(&self, writes: Vec<ScheduleWrite>) -> Result<Vec<Written>> {
        let bytes = writes.iter().map(size).sum();
        let verb = |tx: &mut Txn<'_>, writes: &Vec<ScheduleWrite>| {
            writes.iter().map(|write| write_one(tx, write)).collect()
        };
        self.ask(writes, verb, bytes).await
    }

    async fn schedule_get(&self, name: &Name) -> Result<Option<Schedule>> {
        self.readers.read(|connection| get(connection, name))
    }

    async fn schedule_list(&self, after: Option<&Name>, limit: usize) -> Result<Vec<Schedule>> {
        self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::ScheduleList)?;
            let after = after.map_or("", Name::as_str);
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            statement.query_map(params![after, limit], schedule)?.collect()
        })
    }

    async fn schedule_delete(&self, name: &Name) -> Result<bool> {
        let verb = |tx: &mut Txn<'_>, name: &Name| {
            Ok(tx.execute(Query::ScheduleDelete, [name.as_str()])? > 0)
        };
        self.ask(name.clone(), verb, ROW_BYTES).await
    }

    async fn schedule_due(&self, now: Timestamp, limit: usize) -> Result<SchedulesDue> {
        self.readers.read(|connection| due(connection, now, limit))
    }
}

fn size(write: &ScheduleWrite) -> usize {
    let Template { input, params, .. } = &write.schedule.rules.job;
    (input.as_str().len() + params.as_str().len() + ROW_BYTES) * (write.jobs.len() + 1)
}

fn write_one(tx: &mut Txn<'_>, write: &ScheduleWrite) -> Outcome<Written> {
    let ScheduleWrite { schedule, jobs, at } = write;
    let name = schedule.name.as_str();
    let stored = tx.first(Query::ScheduleRevision, [name], |row| row::unsigned(row, 0))?;
    if stored.unwrap_or(0) + 1 != schedule.revision {
        return Ok(Written::Stale);
    }
    if stored.is_none() {
        let count = tx.first(Query::ScheduleCount, [], |row| row::unsigned(row, 0))?;
        if count.unwrap_or(0) >= SCHEDULES as u64 {
            return Ok(Written::Full);
        }
    }
    put(tx, schedule)?;
    if !jobs.is_empty() {
        let (jobs, at) = (jobs.clone(), *at);
        job::insert(tx, &Submission { jobs, idempotency: None, at, offer: None })?;
    }
    Ok(Written::Done)
}

fn put(tx: &mut Txn<'_>, schedule: &Schedule) -> Outcome<()> {
    let Rules { timetable, job, .. } = &schedule.rules;
    let Schedule { last, skipped, misfire, .. } = schedule;
    let queued = schedule.queued.iter().map(|tick| Value::from(tick.as_millis()));
    let waits = !schedule.paused && !schedule.queued.is_empty();
    tx.execute(
        Query::SchedulePut,
        params![
            schedule.name.as_str(),
            row::signed(schedule.revision),
            schedule.paused,
            schedule.created_at.as_millis(),
            schedule.changed_at.as_millis(),
            schedule.next_at.map(Timestamp::as_millis),
            timetable.cron.to_string(),
            timetable.zone.name(),
            timetable.clock_change.word(),
            schedule.rules.missed.word(),
            schedule.rules.missed_limit,
            schedule.rules.overlap.word(),
            job.spec.flow.as_str(),
            job.spec.queue.as_str(),
            job.spec.priority.level(),
            job.spec.max_attempts,
            spec::write(&job.spec),
            job.input.as_str(),
            job.params.as_str(),
            Value::list(queued).to_string(),
            last.map(|last| last.tick.as_millis()),
            last.map(|last| Key::of(last.job)),
            skipped.map(|skipped| skipped.tick.as_millis()),
            skipped.map(|skipped| skipped.reason.word()),
            misfire.as_ref().map(|misfire| misfire.tick.as_millis()),
            misfire.as_ref().map(|misfire| misfire.at.as_millis()),
            misfire.as_ref().map(|misfire| misfire.message.as_str()),
            waits.then(|| last.map_or_else(String::new, |last| last.job.to_string())),
            job.spec.key.as_ref().map(Name::as_str),
        ],
    )?;
    Ok(())
}

fn get(connection: &Connection, name: &Name) -> rusqlite::Result<Option<Schedule>> {
    let mut statement = prepare(connection, Query::ScheduleGet)?;
    let mut rows = statement.query([name.as_str()])?;
    rows.next()?.map(schedule).transpose()
}

fn due(connection: &Connection, now: Timestamp, limit: usize) -> rusqlite::Result<SchedulesDue> {
    let millis = [now.as_millis()];
    let mut statement = prepare(connection, Query::ScheduleDue)?;
    let names = statement.query_map(millis, |row| row::name(row, 0))?;
    let mut names = names.collect::<rusqlite::Result<BTreeSet<Name>>>()?;
    let mut held_by = Vec::new();
    let mut statement = prepare(connection, Query::ScheduleHeld)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // Ticks may wait before there was any job: those before them made none by mistake.
        let none = row.get_ref(0)?.as_str()?.is_empty();
        let holder = if none { None } else { Some(row::id(row, 0)?) };
        match holder {
            Some(holder) if is_unfinished(connection, holder)? => held_by.push(holder),
            _ => drop(names.insert(row::name(row, 1)?)),
        }
    }
    let mut statement = prepare(connection, Query::ScheduleNext)?;
    let mut rows = statement.query(millis)?;
    let next = rows.next()?.map(|row| row::time(row, 0)).transpose()?;
    let mut schedules = Vec::new();
    for name in names.iter().take(limit) {
        schedules.extend(get(connection, name)?);
    }
    Ok(SchedulesDue { schedules, next, held_by })
}

fn is_unfinished(connection: &Connection, id: JobId) -> rusqlite::Result<bool> {
    let mut statement = prepare(connection, Query::JobState)?;
    let mut rows = statement.query([Key::of(id)])?;
    let state = rows.next()?.map(|row| row::state(row, 0)).transpose()?;
    Ok(state.is_some_and(|state| !state.is_final()))
}

/// A schedule from the columns of `schedule_get`.
fn schedule(row: &Row<'_>) -> rusqlite::Result<Schedule> {
    Ok(Schedule {
        name: row::name(row, 0)?,
        rules: rules(row)?,
        paused: row.get(2)?,
        revision: row::unsigned(row, 1)?,
        created_at: row::time(row, 3)?,
        changed_at: row::time(row, 4)?,
        next_at: row::time_or_none(row, 5)?,
        queued: queued(row)?,
        last: match row::time_or_none(row, 20)? {
            Some(tick) => Some(Fired { tick, job: row::id(row, 21)? }),
            None => None,
        },
        skipped: match row::time_or_none(row, 22)? {
            Some(tick) => Some(Skipped { tick, reason: word(row, 23)? }),
            None => None,
        },
        misfire: match row::time_or_none(row, 24)? {
            Some(tick) => Some(Misfire { tick, at: row::time(row, 25)?, message: row.get(26)? }),
            None => None,
        },
    })
}

fn rules(row: &Row<'_>) -> rusqlite::Result<Rules> {
    let plain = spec::Plain {
        flow: row::name(row, 12)?,
        queue: row::name(row, 13)?,
        key: row::name_or_none(row, 27)?,
        priority: row::priority(row, 14)?,
        max_attempts: row.get(15)?,
        parent: None,
    };
    let options = row.get::<_, Option<String>>(16)?;
    Ok(Rules {
        timetable: Timetable {
            cron: parsed(row, 6)?,
            zone: parsed(row, 7)?,
            clock_change: word(row, 8)?,
        },
        missed: word(row, 9)?,
        missed_limit: row.get(10)?,
        overlap: word(row, 11)?,
        job: Template {
            spec: spec::read(plain, options.as_deref())
                .ok_or_else(|| row::unreadable(16, Type::Text, "not the options of a job"))?,
            input: row::json(row, 17)?,
            params: row::json(row, 18)?,
        },
    })
}

fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get::<_, String>(column)?.parse().map_err(|error| row::text_error(column, error))
}

fn word<T: Word>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    T::of_word(&text).ok_or_else(|| row::unreadable(column, Type::Text, "not a known rule"))
}

fn queued(row: &Row<'_>) -> rusqlite::Result<Vec<Timestamp>> {
    let value = Value::from_json(row.get_ref(19)?.as_str()?.as_bytes());
    let millis = |value: &Value| value.as_int().map(Timestamp::from_millis);
    let list = value.ok().and_then(|value| value.as_list()?.iter().map(millis).collect());
    list.ok_or_else(|| row::unreadable(19, Type::Text, "not a list of times"))
}
