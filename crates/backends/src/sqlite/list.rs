//! A page of jobs, newest first, and the situation of one, each at a bounded cost.
//!
//! A page walks down one index, or several side by side, and looks at each row. Where few rows
//! match, it stops after [`LOOKS`] rows and says where to go on.

use jobmill_model::job::{Children, Place};
use jobmill_model::limits::{PAGE_BYTES, SITUATION_ROWS};
use jobmill_model::{Job, JobId, State};
use jobmill_store::{JobPage, JobQuery, Situation};
use rusqlite::{Connection, Row, params};

use super::job::get;
use super::query::Query;
use super::reader::prepare;
use super::row::{self, Key};

/// The most rows that one page looks at: some ten milliseconds' worth.
const LOOKS: usize = 20_000;

/// One index to walk.
enum Lane<'a> {
    All,
    State(State),
    Tag(&'a str),
    Parent(JobId),
}

/// What a walk came to.
struct Walked {
    /// The jobs that match, newest first.
    ids: Vec<JobId>,
    /// The last job looked at, if there may be more behind it.
    stopped_at: Option<JobId>,
}

/// The page that a query asks for.
pub(super) fn page(connection: &Connection, query: &JobQuery) -> rusqlite::Result<JobPage> {
    if query.limit == 0 {
        return Ok(JobPage { jobs: Vec::new(), next: None });
    }
    let lanes = lanes(query);
    let looks = LOOKS / lanes.len();
    let walks = lanes.iter().map(|lane| walk(connection, query, lane, looks));
    let walks: Vec<_> = walks.collect::<rusqlite::Result<_>>()?;
    // Below the highest place where a walk stopped, not every match is known.
    let floor = walks.iter().filter_map(|walked| walked.stopped_at).max();
    let mut ids: Vec<_> = walks.into_iter().flat_map(|walked| walked.ids).collect();
    ids.retain(|id| floor.is_none_or(|floor| *id >= floor));
    ids.sort_unstable_by(|a, b| b.cmp(a));
    fill(connection, &ids, floor, query.limit)
}

/// The indexes whose rows together hold every match.
fn lanes(query: &JobQuery) -> Vec<Lane<'_>> {
    if let Some(tag) = &query.tag {
        return vec![Lane::Tag(tag.as_str())];
    }
    if let Some(parent) = query.parent {
        return vec![Lane::Parent(parent)];
    }
    if query.states.is_empty() || query.states.contains(&State::Completed) {
        return vec![Lane::All];
    }
    let mut states = query.states.clone();
    states.sort_unstable();
    states.dedup();
    states.into_iter().map(Lane::State).collect()
}

fn walk(
    connection: &Connection,
    query: &JobQuery,
    lane: &Lane<'_>,
    looks: usize,
) -> rusqlite::Result<Walked> {
    let (high, low) = bounds(query);
    let mut statement = prepare(
        connection,
        match lane {
            Lane::All => Query::JobList,
            Lane::State(_) => Query::JobListState,
            Lane::Tag(_) => Query::JobListTag,
            Lane::Parent(_) => Query::JobListParent,
        },
    )?;
    let mut rows = match lane {
        Lane::All => statement.query([high, low])?,
        Lane::State(state) => statement.query(params![high, low, row::state_column(*state)])?,
        Lane::Tag(tag) => statement.query(params![high, low, tag])?,
        Lane::Parent(parent) => statement.query(params![high, low, Key::of(*parent)])?,
    };
    let mut ids = Vec::new();
    for look in 1.. {
        let Some(row) = rows.next()? else { break };
        if matches(query, row)? {
            ids.push(row::id(row, 0)?);
        }
        if look == looks || ids.len() > query.limit {
            return Ok(Walked { ids, stopped_at: Some(row::id(row, 0)?) });
        }
    }
    Ok(Walked { ids, stopped_at: None })
}

/// The ids between which all matches lie: below the first, not below the second.
fn bounds(query: &JobQuery) -> (String, String) {
    let until = query.until.map(JobId::floor);
    let high = query.before.into_iter().chain(until).min();
    // Every id is text of hexadecimal digits, which sort before `g`.
    let high = high.map_or_else(|| "g".to_owned(), |id| id.to_string());
    (high, query.since.map(JobId::floor).map_or_else(String::new, |id| id.to_string()))
}

fn matches(query: &JobQuery, row: &Row<'_>) -> rusqlite::Result<bool> {
    if !query.states.is_empty() && !query.states.contains(&row::state(row, 1)?) {
        return Ok(false);
    }
    let finished_at = row::time_or_none(row, 4)?;
    if query.active_since.is_some_and(|since| finished_at.is_some_and(|at| at < since)) {
        return Ok(false);
    }
    if let Some(parent) = query.parent
        && row.get_ref(5)?.as_str_or_null() != Ok(Some(&*parent.to_string()))
    {
        return Ok(false);
    }
    for (column, wanted) in [(2, &query.flow), (3, &query.queue)] {
        if let Some(wanted) = wanted
            && row.get_ref(column)?.as_str() != Ok(wanted.as_str())
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads the jobs until the page is full.
fn fill(
    connection: &Connection,
    ids: &[JobId],
    floor: Option<JobId>,
    limit: usize,
) -> rusqlite::Result<JobPage> {
    let (mut jobs, mut bytes) = (Vec::new(), 0);
    for id in ids {
        if jobs.len() == limit || bytes >= PAGE_BYTES {
            let next = jobs.last().map(|job: &Job| job.id);
            return Ok(JobPage { jobs, next });
        }
        let job = get(connection, *id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        bytes += job.input.as_str().len();
        jobs.push(job);
    }
    Ok(JobPage { jobs, next: floor })
}

/// A job with what explains why it stands where it stands.
pub(super) fn situation(connection: &Connection, id: JobId) -> rusqlite::Result<Option<Situation>> {
    let Some(job) = get(connection, id)? else { return Ok(None) };
    let most = row::signed(SITUATION_ROWS);
    let place = place(connection, &job)?;
    let children = prepare(connection, Query::JobChildrenCount)?.query_row(
        params![Key::of(id), most],
        |row| {
            Ok(Children {
                total: row::unsigned(row, 0)?,
                completed: row::unsigned(row, 1)?,
                failed: row::unsigned(row, 2)?,
                cancelled: row::unsigned(row, 3)?,
            })
        },
    )?;
    Ok(Some(Situation { job, place, children }))
}

fn place(connection: &Connection, job: &Job) -> rusqlite::Result<Place> {
    let (id, spec, most) = (Key::of(job.id), &job.spec, row::signed(SITUATION_ROWS));
    let (leased, rank, until, held): (bool, Option<i64>, _, bool) =
        prepare(connection, Query::JobPlace)?.query_row([&id], |row| {
            Ok((row.get(0)?, row.get(1)?, row::time_or_none(row, 2)?, row.get(3)?))
        })?;
    Ok(match (rank, &spec.key) {
        (Some(rank), _) => {
            let values = params![spec.queue.as_str(), spec.flow.as_str(), rank, id, most];
            let ahead = prepare(connection, Query::JobAhead)?
                .query_row(values, |row| row::unsigned(row, 0))?;
            Place::Ready { ahead }
        }
        (None, Some(key)) if held => {
            let values = params![spec.queue.as_str(), key.as_str(), most];
            let mut taken = prepare(connection, Query::PlaceTaken)?;
            let taken = taken.query_map(values, |_| Ok(()))?.count();
            Place::Held { taken: taken as u64 }
        }
        _ if leased => Place::Leased,
        _ if job.state.is_final() => Place::Ended,
        _ => Place::Waiting { until },
    })
}
