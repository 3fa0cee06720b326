//! A job from its submission on: insert, get, cancel, retry, delete, and the idempotency keys.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jobmill_model::job::{Idempotency, Move, Progress, Spec};
use jobmill_model::queue::{Name, Rank};
use jobmill_model::webhook::Delivery;
use jobmill_model::{InstanceId, Job, JobId, Map, State, Timestamp, Token, Value};
use jobmill_store::{
    Cancelled, Change, Deleted, Inserted, JobInsert, JobPage, JobQuery, Jobs, Lodged, Result,
    Retried, Situation, StoreError, Submission, Swept,
};
use rusqlite::{Connection, params};

use super::backlog::Shift;
use super::head::Head;
use super::query::Query;
use super::reader::prepare;
use super::row::{self, Key};
use super::trouble::{Outcome, Trouble};
use super::txn::Txn;
use super::{SqliteStore, list, output, spec};

/// An input and params of together at most this size stay in the job's row. It is small enough
/// that a page holds several rows, and most inputs are smaller.
const INLINE_BYTES: usize = 256;
/// About what a job takes besides its input, for the bounds on what may wait.
const ROW_BYTES: usize = 512;
/// How many chunks one deletion removes itself, some megabytes; more are left to the sweep.
const DELETED_CHUNKS: usize = 128;

#[async_trait]
impl Jobs for SqliteStore {
    async fn job_insert(&self, submission: Submission) -> Result<Inserted> {
        let bytes = submission.jobs.iter().map(size).sum();
        self.admit(submission, insert, bytes).await
    }

    async fn job_get(&self, ids: &[JobId]) -> Result<Vec<Option<Job>>> {
        self.readers.read(|connection| ids.iter().map(|id| get(connection, *id)).collect())
    }

    async fn job_situation(&self, id: JobId) -> Result<Option<Situation>> {
        self.readers.read(|connection| list::situation(connection, id))
    }

    async fn job_list(&self, query: &JobQuery) -> Result<JobPage> {
        self.readers.read(|connection| list::page(connection, query))
    }

    async fn job_cancel(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Cancelled>> {
        let verb = |tx: &mut Txn<'_>, (ids, now): &(Vec<JobId>, Timestamp)| {
            ids.iter().map(|id| cancel_one(tx, *id, *now)).collect()
        };
        self.ask((ids.to_vec(), now), verb, ids.len() * ROW_BYTES).await
    }

    async fn job_retry(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Retried>> {
        let verb = |tx: &mut Txn<'_>, (ids, now): &(Vec<JobId>, Timestamp)| {
            ids.iter().map(|id| retry_one(tx, *id, *now)).collect()
        };
        self.ask((ids.to_vec(), now), verb, ids.len() * ROW_BYTES).await
    }

    async fn job_delete(&self, ids: &[JobId]) -> Result<Vec<Deleted>> {
        let verb = |tx: &mut Txn<'_>, ids: &Vec<JobId>| {
            let mut chunks = DELETED_CHUNKS;
            ids.iter().map(|id| delete_one(tx, *id, &mut chunks)).collect()
        };
        self.ask(ids.to_vec(), verb, ids.len() * ROW_BYTES).await
    }

    /// Looks for the keys on a reader, so that however many must stay, the writer only removes.
    async fn idempotency_sweep(&self, now: Timestamp, limit: usize) -> Result<Swept> {
        let mut past =
            self.readers.read(|connection| keys_past(connection, now, limit.saturating_add(1)))?;
        let more = past.len() > limit;
        past.truncate(limit);
        if past.is_empty() {
            return Ok(Swept { rows: 0, more });
        }
        let rows = self.ask(past, forget_keys, limit * ROW_BYTES).await?;
        Ok(Swept { rows, more })
    }
}

fn size(job: &JobInsert) -> usize {
    job.input.as_str().len() + job.params.as_str().len() + ROW_BYTES
}

pub(super) fn insert(tx: &mut Txn<'_>, submission: &Submission) -> Outcome<Inserted> {
    if let Some(idempotency) = &submission.idempotency
        && let Some(ids) = known(tx, idempotency)?
    {
        return Ok(Inserted::Replay(ids));
    }
    let offer = submission.offer.as_ref();
    let mut places = offer.map_or(0, |offer| offer.places);
    let busy = busy_queues(tx, submission);
    let (mut lodged, mut ids) = (Vec::with_capacity(submission.jobs.len()), Vec::new());
    for job in &submission.jobs {
        if let Some(known) = marked(tx, job, submission.at)? {
            lodged.push(Lodged::Known(known));
            ids.push(known);
            continue;
        }
        ids.push(job.id);
        let Spec { flow, queue, key, .. } = &job.spec;
        let gathers = job.spec.gathers;
        let ready = !gathers && job.spec.start.run_at(submission.at) <= submission.at;
        let goes = match key {
            Some(key) if ready => tx.key_has_room(queue, key)?,
            _ => true,
        };
        let taker = offer.filter(|offer| {
            let is_next = offer.flows.contains(flow) && !busy.contains(queue);
            let open = || tx.totals.backlogs.room(queue, submission.at) > 0;
            ready && goes && places > 0 && is_next && open()
        });
        places -= usize::from(taker.is_some());
        let taker = taker.map(|offer| offer.instance);
        lodged.push(Lodged::New(insert_one(tx, job, submission.at, goes, taker)?));
    }
    if let Some(idempotency) = &submission.idempotency {
        keep_key(tx, idempotency, &ids)?;
    }
    Ok(Inserted::New(lodged))
}

/// The job with the mark of a new one that is in its way.
fn marked(tx: &mut Txn<'_>, job: &JobInsert, now: Timestamp) -> rusqlite::Result<Option<JobId>> {
    let Some(mark) = job.mark else { return Ok(None) };
    if let Some(id) = tx.first(Query::MarkOpen, [mark.0], |row| row::id(row, 0))? {
        return Ok(Some(id));
    }
    tx.first(Query::MarkLate, params![mark.0, now.as_millis()], |row| row::id(row, 0))
}

/// Those of the submission's queues in which a job is claimable already.
fn busy_queues(tx: &Txn<'_>, submission: &Submission) -> BTreeSet<Name> {
    let queues = submission.jobs.iter().map(|job| &job.spec.queue);
    queues.filter(|queue| tx.totals.backlogs.is_busy(queue)).cloned().collect()
}

/// Stores one job, leased to `taker` if there is one; answers the lease's token. Its key lets it
/// go or holds it.
fn insert_one(
    tx: &mut Txn<'_>,
    job: &JobInsert,
    at: Timestamp,
    goes: bool,
    taker: Option<InstanceId>,
) -> Outcome<Option<Token>> {
    let JobInsert { id, spec, input, params, mark } = job;
    let (key, run_at, taken) = (Key::of(*id), spec.start.run_at(at), taker.is_some());
    let (state, waits) = match taker {
        Some(_) => (State::Running, false),
        None if run_at > at || spec.gathers => (State::Scheduled, true),
        None => (State::Submitted, false),
    };
    let rank = (!waits && !taken).then(|| Rank::of(run_at, spec.priority).0);
    let (rank, held) = if goes { (rank, None) } else { (None, rank) };
    let inline = input.as_str().len() + params.as_str().len() <= INLINE_BYTES;
    let token = Token(u64::from(taken));
    let mark_until = spec.unique.as_ref().and_then(|unique| unique.span).map(|span| at.after(span));
    tx.execute(
        Query::JobInsert,
        params![
            key,
            row::state_column(state),
            row::token_column(token),
            taker.as_ref().map(InstanceId::as_bytes),
            rank,
            (waits && !spec.gathers).then(|| run_at.as_millis()),
            spec.flow.as_str(),
            spec.queue.as_str(),
            spec.priority.level(),
            run_at.as_millis(),
            i64::from(taken),
            spec.max_attempts,
            taken,
            taken.then(|| at.as_millis()),
            spec.parent.map(Key::of),
            spec::write(spec),
            inline.then(|| input.as_str()),
            inline.then(|| params.as_str()),
            spec.key.as_ref().map(Name::as_str),
            held,
            mark.map(|mark| mark.0),
            mark_until.map(Timestamp::as_millis),
        ],
    )?;
    if !inline {
        tx.execute(Query::JobInputInsert, params![key, input.as_str(), params.as_str()])?;
    }
    for tag in &spec.tags {
        tx.execute(Query::JobTagInsert, params![tag.as_str(), key])?;
    }
    tx.totals.enter(state);
    tx.note(*id, Change::State(state));
    let shift = Shift {
        ready: i8::from(rank.is_some()),
        held: i8::from(held.is_some()),
        leased: i8::from(taken),
    };
    tx.totals.backlogs.shift(&spec.queue, &spec.flow, shift, rank);
    if taken {
        tx.totals.backlogs.spend(&spec.queue, 1, at);
    }
    Ok(taken.then_some(token))
}

/// The jobs of an earlier submission under the same idempotency key.
fn known(tx: &mut Txn<'_>, idempotency: &Idempotency) -> Outcome<Option<Vec<JobId>>> {
    let Idempotency { scope, key, body, .. } = idempotency;
    let found = tx.first(Query::IdempotencyGet, [scope, key], |row| {
        Ok((row.get::<_, [u8; 32]>(0)? == body.0, ids(row.get_ref(1)?.as_blob()?)))
    })?;
    match found {
        None => Ok(None),
        Some((true, ids)) => Ok(Some(ids)),
        Some((false, _)) => Err(Trouble::Refused(StoreError::KeyReused)),
    }
}

fn keep_key(tx: &mut Txn<'_>, idempotency: &Idempotency, jobs: &[JobId]) -> Outcome<()> {
    let Idempotency { scope, key, body, keep_until } = idempotency;
    let ids: Vec<u8> = jobs.iter().flat_map(|id| *id.as_bytes()).collect();
    let values = params![scope, key, body.0, keep_until.as_millis(), ids];
    tx.execute(Query::IdempotencyInsert, values)?;
    Ok(())
}

/// The ids in the column `jobs` of `idempotency`.
fn ids(bytes: &[u8]) -> Vec<JobId> {
    bytes.as_chunks().0.iter().map(|bytes| JobId::from_bytes(*bytes)).collect()
}

/// The scope of an idempotency key and the key.
type KeyName = (String, String);

/// At most `limit` keys that are past their time and whose jobs have all ended.
fn keys_past(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<KeyName>> {
    let mut statement = prepare(connection, Query::IdempotencyPast)?;
    let mut rows = statement.query([now.as_millis()])?;
    let mut past = Vec::new();
    while past.len() < limit
        && let Some(row) = rows.next()?
    {
        if all_ended(connection, &ids(row.get_ref(2)?.as_blob()?))? {
            past.push((row.get(0)?, row.get(1)?));
        }
    }
    Ok(past)
}

fn all_ended(connection: &Connection, ids: &[JobId]) -> rusqlite::Result<bool> {
    let mut statement = prepare(connection, Query::JobState)?;
    for id in ids {
        let mut rows = statement.query([Key::of(*id)])?;
        if rows.next()?.map(|row| row::state(row, 0)).transpose()?.is_some_and(unfinished) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn unfinished(state: State) -> bool {
    !state.is_final()
}

/// Removes keys, but for those of which a job was opened again since they were looked at.
fn forget_keys(tx: &mut Txn<'_>, keys: &Vec<KeyName>) -> Outcome<usize> {
    let mut rows = 0;
    for (scope, key) in keys {
        let jobs = tx.first(Query::IdempotencyGet, [scope, key], |row| {
            Ok(ids(row.get_ref(1)?.as_blob()?))
        })?;
        let mut ended = true;
        for id in jobs.into_iter().flatten() {
            let state = tx.first(Query::JobState, [Key::of(id)], |row| row::state(row, 0))?;
            ended &= !state.is_some_and(unfinished);
        }
        if ended {
            rows += tx.execute(Query::IdempotencyDelete, [scope, key])?;
        }
    }
    Ok(rows)
}

/// One job as it stands.
pub(super) fn get(connection: &Connection, id: JobId) -> rusqlite::Result<Option<Job>> {
    let mut statement = prepare(connection, Query::JobGet)?;
    let mut rows = statement.query([Key::of(id)])?;
    rows.next()?.map(row::job).transpose()
}

fn cancel_one(tx: &mut Txn<'_>, id: JobId, now: Timestamp) -> Outcome<Cancelled> {
    let Some(head) = tx.head(id)? else { return Ok(Cancelled::Unknown) };
    let state = head.state;
    if state.is_final() {
        return Ok(Cancelled::Ended(state));
    }
    cancel(tx, head, now)?;
    Ok(Cancelled::Done(state))
}

/// Stores the job that tells of the end of this one, which is written already, if somebody wants
/// to be told.
pub(super) fn announce(tx: &mut Txn<'_>, head: &Head, now: Timestamp) -> Outcome<()> {
    if !head.is_told {
        return Ok(());
    }
    let job = tx.first(Query::JobGet, [Key::of(head.id)], row::job)?;
    if let Some(Delivery { id, spec, input }) = job.and_then(|job| Delivery::of(&job, now)) {
        let params = Value::from(Map::new()).to_json();
        let jobs = vec![JobInsert { id, spec, input, params, mark: None }];
        insert(tx, &Submission { jobs, idempotency: None, at: now, offer: None })?;
    }
    Ok(())
}

/// Cancels a job that has not ended, and every unfinished job below it.
pub(super) fn cancel(tx: &mut Txn<'_>, head: Head, now: Timestamp) -> Outcome<()> {
    let mut left = vec![head];
    while let Some(mut head) = left.pop() {
        tx.end(&mut head, Move::Cancel, now)?;
        head.token = head.token.next();
        tx.leave(&head, now)?;
        announce(tx, &head, now)?;
        let children = tx.all(Query::JobChildren, [Key::of(head.id)], |row| row::id(row, 0))?;
        for child in children {
            left.extend(tx.head(child)?);
        }
    }
    Ok(())
}

fn retry_one(tx: &mut Txn<'_>, id: JobId, now: Timestamp) -> Outcome<Retried> {
    let Some(mut head) = tx.head(id)? else { return Ok(Retried::Unknown) };
    if head.state.after(Move::Reopen).is_none() {
        return Ok(Retried::Refused(head.state));
    }
    if let Some(mark) = tx.first(Query::JobMark, [Key::of(id)], |row| row.get::<_, [u8; 32]>(0))?
        && let Some(other) = tx.first(Query::MarkOpen, [mark], |row| row::id(row, 0))?
    {
        return Ok(Retried::Taken(other));
    }
    head.step(Move::Reopen)?;
    tx.drop_journal(&mut head)?;
    head.run += 1;
    head.run_at = now;
    head.attempt = 0;
    head.crashes = 0;
    head.progress = Progress::default();
    head.started_at = None;
    head.finished_at = None;
    head.error = None;
    tx.make_ready(&mut head)?;
    tx.save(&head)?;
    tx.execute(Query::ChunkClear, [Key::of(id)])?;
    tx.execute(Query::LitterClear, [Key::of(id)])?;
    Ok(Retried::Done)
}

/// What of a job's row says where the rest of it is.
struct Remains {
    state: State,
    token: Token,
    parent: Option<JobId>,
    tags: Vec<Name>,
    input_apart: bool,
    publication: Option<(u64, u64)>,
    has_journal: bool,
}

impl Remains {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let publication = match row.get_ref(5)? {
            rusqlite::types::ValueRef::Null => None,
            _ => Some((row::unsigned(row, 5)?, row::unsigned(row, 6)?)),
        };
        Ok(Self {
            state: row::state(row, 0)?,
            token: row::token(row, 1)?,
            parent: row.get::<_, Option<String>>(2)?.and_then(|text| text.parse().ok()),
            tags: spec::tags(row.get::<_, Option<String>>(3)?.as_deref()),
            input_apart: row.get(4)?,
            publication,
            has_journal: row.get(7)?,
        })
    }
}

fn delete_one(tx: &mut Txn<'_>, id: JobId, chunks: &mut usize) -> Outcome<Deleted> {
    let key = || [Key::of(id)];
    let Some(remains) = tx.first(Query::JobRemains, key(), Remains::read)? else {
        return Ok(Deleted::Unknown);
    };
    let Remains { state, token, parent, tags, input_apart, publication, has_journal } = remains;
    if unfinished(state) {
        return Ok(Deleted::Refused(state));
    }
    if let Some(parent) = parent {
        let state = tx.first(Query::JobState, [Key::of(parent)], |row| row::state(row, 0))?;
        if state.is_some_and(unfinished) {
            return Ok(Deleted::Needed);
        }
    }
    for tag in tags {
        tx.execute(Query::JobTagDelete, params![tag.as_str(), Key::of(id)])?;
    }
    if input_apart {
        tx.execute(Query::JobInputDelete, key())?;
    }
    if has_journal {
        tx.execute(Query::JournalDelete, key())?;
    }
    if state == State::Completed {
        *chunks -= output::retract(tx, id, token, publication, *chunks)?;
    }
    tx.execute(Query::AttemptDelete, key())?;
    tx.execute(Query::JobDelete, key())?;
    tx.totals.leave(state);
    tx.note(id, Change::Deleted);
    Ok(Deleted::Done)
}
