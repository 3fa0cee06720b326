//! Between columns and the nouns of the model.

use jobmill_model::job::{Failure, Progress};
use jobmill_model::output::{Chunk, Shape};
use jobmill_model::queue::{Name, Priority};
use jobmill_model::rate::Rate;
use jobmill_model::{InstanceId, Job, JobId, Json, Span, State, Timestamp, Token};
use rusqlite::types::{ToSqlOutput, Type, ValueRef};
use rusqlite::{Error, Result, Row, ToSql};

use super::spec;

/// A job's id as the text that keys its rows.
pub(super) struct Key([u8; 36]);

impl Key {
    pub(super) fn of(id: JobId) -> Self {
        let mut text = [0; 36];
        id.encode(&mut text);
        Self(text)
    }
}

impl ToSql for Key {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(&self.0)))
    }
}

/// The number that stands for a state in the column `state`, and its place in `total`.
pub(super) const fn state_number(state: State) -> usize {
    match state {
        State::Scheduled => 0,
        State::Submitted => 1,
        State::Running => 2,
        State::Completed => 3,
        State::Failed => 4,
        State::Cancelled => 5,
    }
}

pub(super) fn state_column(state: State) -> i64 {
    state_number(state) as i64
}

pub(super) fn state(row: &Row<'_>, column: usize) -> Result<State> {
    let number: i64 = row.get(column)?;
    State::ALL
        .into_iter()
        .find(|state| state_column(*state) == number)
        .ok_or_else(|| unreadable(column, Type::Integer, "not a state"))
}

/// SQLite's numbers are signed; counts that we keep there stay far below the sign.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64> {
    row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or(0))
}

pub(super) fn name(row: &Row<'_>, column: usize) -> Result<Name> {
    row.get_ref(column)?.as_str().map(Name::trusted).map_err(|error| text_error(column, error))
}

pub(super) fn json(row: &Row<'_>, column: usize) -> Result<Json> {
    row.get_ref(column)?.as_str().map(Json::trusted).map_err(|error| text_error(column, error))
}

pub(super) fn id(row: &Row<'_>, column: usize) -> Result<JobId> {
    let text = row.get_ref(column)?;
    let text = text.as_str().map_err(|error| text_error(column, error))?;
    text.parse().map_err(|error| text_error(column, error))
}

pub(super) fn time(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

pub(super) fn time_or_none(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

pub(super) fn token(row: &Row<'_>, column: usize) -> Result<Token> {
    unsigned(row, column).map(Token)
}

pub(super) fn token_column(token: Token) -> i64 {
    signed(token.0)
}

pub(super) fn instance(row: &Row<'_>, column: usize) -> Result<Option<InstanceId>> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(InstanceId::from_bytes))
}

pub(super) fn priority(row: &Row<'_>, column: usize) -> Result<Priority> {
    Priority::new(row.get(column)?)
        .ok_or_else(|| unreadable(column, Type::Integer, "not a priority"))
}

pub(super) fn shape_column(shape: Shape) -> i64 {
    match shape {
        Shape::Object => 0,
        Shape::Text => 1,
    }
}

pub(super) fn shape(row: &Row<'_>, column: usize) -> Result<Shape> {
    Ok(if row.get::<_, i64>(column)? == 0 { Shape::Object } else { Shape::Text })
}

/// A rate from two columns.
pub(super) fn rate(row: &Row<'_>, column: usize) -> Result<Option<Rate>> {
    let Some(count) = row.get::<_, Option<u32>>(column)? else { return Ok(None) };
    Ok(Some(Rate { count, per: Span::from_millis(unsigned(row, column + 1)?) }))
}

pub(super) fn name_or_none(row: &Row<'_>, column: usize) -> Result<Option<Name>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => name(row, column).map(Some),
    }
}

pub(super) fn id_or_none(row: &Row<'_>, column: usize) -> Result<Option<JobId>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => id(row, column).map(Some),
    }
}

/// Progress from three columns, which are empty where none was ever noted.
pub(super) fn progress(row: &Row<'_>, column: usize) -> Result<Progress> {
    let Some(done) = row.get::<_, Option<i64>>(column)? else { return Ok(Progress::default()) };
    Ok(Progress {
        done: u64::try_from(done).unwrap_or(0),
        total: unsigned(row, column + 1)?,
        message: row.get(column + 2)?,
    })
}

/// A failure from two columns.
pub(super) fn failure(row: &Row<'_>, column: usize) -> Result<Option<Failure>> {
    let Some(code) = row.get::<_, Option<String>>(column)? else { return Ok(None) };
    Ok(Some(Failure { code, message: row.get(column + 1)? }))
}

/// A chunk from the columns of `output_read`.
pub(super) fn chunk(row: &Row<'_>) -> Result<Chunk> {
    Ok(Chunk { first: unsigned(row, 0)?, len: unsigned(row, 1)?, text: row.get(2)? })
}

/// A job from the columns of `job_get`.
pub(super) fn job(row: &Row<'_>) -> Result<Job> {
    let id = id(row, 0)?;
    let parent = id_or_none(row, 18)?;
    let plain = spec::Plain {
        flow: name(row, 2)?,
        queue: name(row, 3)?,
        key: name_or_none(row, JOB_KEY)?,
        priority: priority(row, 4)?,
        max_attempts: row.get(7)?,
        parent,
    };
    let options = row.get_ref(19)?.as_str_or_null().map_err(|error| text_error(19, error))?;
    Ok(Job {
        id,
        spec: spec::read(plain, options)
            .ok_or_else(|| unreadable(19, Type::Text, "not the options of a job"))?,
        input: json(row, 20)?,
        params: json(row, 21)?,
        state: state(row, 1)?,
        attempt: row.get(6)?,
        crashes: row.get(8)?,
        run: row.get(9)?,
        progress: progress(row, 10)?,
        created_at: id.made_at(),
        run_at: time(row, 5)?,
        started_at: time_or_none(row, 13)?,
        finished_at: time_or_none(row, 14)?,
        error: failure(row, 15)?,
        waiting_for: row.get(17)?,
    })
}

/// The columns of `job_get` after those of the job.
pub(super) const JOB_TOKEN: usize = 22;
pub(super) const JOB_BEGUN: usize = 23;
/// The key, a column that came later.
pub(super) const JOB_KEY: usize = 24;

pub(super) fn text_error(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

pub(super) fn unreadable(column: usize, kind: Type, what: &'static str) -> Error {
    Error::FromSqlConversionFailure(column, kind, what.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_numbered_in_their_order() {
        assert_eq!(State::ALL.map(state_number), [0, 1, 2, 3, 4, 5]);
    }
}
