//! Leases of workers outside this process.

use async_trait::async_trait;
use jobmill_model::job::{Counters, judge, timed_out};
use jobmill_model::limits::LEASE_BYTES;
use jobmill_model::{InstanceId, JobId, Span, State, Timestamp};
use jobmill_store::{
    Call, Expired, Extend, Hold, LeaseView, Lent, Outside, Result, Settle, Settled,
};
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::head::OUTSIDE;
use super::lease::{claim_one, lose_worker, pick, settle_one};
use super::query::Query;
use super::reader::prepare;
use super::row::{self, Key};
use super::trouble::{Outcome, broken};
use super::txn::Txn;

/// About what a lease writes, with the change of its job's row, for the size of transactions.
const LEASE_ROW_BYTES: usize = 768;

#[async_trait]
impl Outside for SqliteStore {
    async fn job_lease(&self, call: Call) -> Result<Vec<Lent>> {
        let bytes = call.max.saturating_mul(LEASE_ROW_BYTES);
        self.ask(call, lend_jobs, bytes).await
    }

    async fn job_extend(&self, beats: Vec<Extend>) -> Result<Vec<Option<Timestamp>>> {
        let bytes = beats.len() * LEASE_ROW_BYTES;
        let verb = |tx: &mut Txn<'_>, beats: &Vec<Extend>| {
            beats.iter().map(|beat| extend(tx, beat)).collect()
        };
        self.ask(beats, verb, bytes).await
    }

    async fn lease_get(&self, ids: &[JobId]) -> Result<Vec<Option<LeaseView>>> {
        self.readers.read(|connection| ids.iter().map(|id| view(connection, *id)).collect())
    }

    async fn lease_expire(
        &self,
        now: Timestamp,
        max_crashes: u32,
        chance: f64,
        limit: usize,
    ) -> Result<Expired> {
        let bytes = limit.saturating_mul(LEASE_ROW_BYTES);
        self.ask((now, max_crashes, chance, limit), expire, bytes).await
    }

    async fn lease_renew(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let verb = |tx: &mut Txn<'_>, now: &Timestamp| {
            tx.execute(Query::LeaseRenew, [now.as_millis()])?;
            next_end(tx)
        };
        self.ask(now, verb, LEASE_ROW_BYTES).await
    }
}

fn lend_jobs(tx: &mut Txn<'_>, call: &Call) -> Outcome<Vec<Lent>> {
    if call.max == 0 {
        return Ok(Vec::new());
    }
    let wants = |flow: &_| call.flows.contains_key(flow);
    let shelves = tx.totals.backlogs.shelves(Some(&call.queue), wants, call.now);
    let picks = pick(tx, &shelves, call.max)?;
    let (mut lent, mut bytes) = (Vec::with_capacity(picks.first.len()), 0);
    for pick in &picks.first {
        if bytes >= LEASE_BYTES {
            break;
        }
        let one = lend_one(tx, pick.id, call)?;
        bytes += one.job.input.as_str().len() + one.job.params.as_str().len();
        lent.push(one);
    }
    picks.note_floors(tx, &shelves, lent.len());
    Ok(lent)
}

fn lend_one(tx: &mut Txn<'_>, id: JobId, call: &Call) -> Outcome<Lent> {
    let claimed = claim_one(tx, id, InstanceId::from_bytes(OUTSIDE), call.now)?;
    let spec = &claimed.job.spec;
    let span = call.flows.get(&spec.flow).copied().unwrap_or_default();
    let hold = Hold::new(call.worker.clone(), span, spec.timeout, call.now);
    tx.execute(
        Query::LeaseInsert,
        params![
            Key::of(id),
            hold.expires_at.as_millis(),
            row::signed(span.as_millis()),
            hold.deadline.map(Timestamp::as_millis),
            hold.worker.as_str(),
        ],
    )?;
    Ok(Lent { job: claimed.job, token: claimed.token, expires_at: hold.expires_at })
}

fn extend(tx: &mut Txn<'_>, beat: &Extend) -> Outcome<Option<Timestamp>> {
    let held = tx.leased(beat.id, beat.token)?.is_some_and(|head| head.is_outside());
    let Some(hold) = (if held { hold_of(tx, beat.id)? } else { None }) else { return Ok(None) };
    let hold = Hold { span: beat.span.unwrap_or(hold.span), ..hold }.from(beat.now);
    let span = row::signed(hold.span.as_millis());
    let values = params![Key::of(beat.id), hold.expires_at.as_millis(), span];
    tx.execute(Query::LeaseExtend, values)?;
    Ok(Some(hold.expires_at))
}

fn hold_of(tx: &mut Txn<'_>, id: JobId) -> rusqlite::Result<Option<Hold>> {
    tx.first(Query::LeaseGet, [Key::of(id)], hold)
}

fn hold(row: &Row<'_>) -> rusqlite::Result<Hold> {
    Ok(Hold {
        expires_at: row::time(row, 0)?,
        span: Span::from_millis(row::unsigned(row, 1)?),
        deadline: row::time_or_none(row, 2)?,
        worker: row::name(row, 3)?,
    })
}

fn view(connection: &Connection, id: JobId) -> rusqlite::Result<Option<LeaseView>> {
    let mut statement = prepare(connection, Query::LeaseToken)?;
    let mut rows = statement.query([Key::of(id)])?;
    let Some(found) = rows.next()? else { return Ok(None) };
    let token = row::token(found, 0)?;
    let (flow, queue, attempt) = (row::name(found, 1)?, row::name(found, 2)?, found.get(3)?);
    let mut statement = prepare(connection, Query::LeaseGet)?;
    let mut rows = statement.query([Key::of(id)])?;
    let hold = rows.next()?.map(hold).transpose()?;
    Ok(Some(LeaseView { token, hold, flow, queue, attempt }))
}

fn expire(
    tx: &mut Txn<'_>,
    (now, max_crashes, chance, limit): &(Timestamp, u32, f64, usize),
) -> Outcome<Expired> {
    let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
    let over = tx.all(Query::LeaseDue, params![now.as_millis(), limit], |row| row::id(row, 0))?;
    let mut jobs = Vec::with_capacity(over.len());
    for id in over {
        let in_time = !hold_of(tx, id)?.is_some_and(|hold| hold.ran_out_of_time());
        let state = match in_time {
            true => lose_worker(tx, id, *max_crashes, *now)?,
            false => time_out(tx, id, *chance, *now)?,
        };
        jobs.push((id, state));
    }
    Ok(Expired { jobs, next: next_end(tx)? })
}

/// Settles an attempt that took longer than it may.
fn time_out(tx: &mut Txn<'_>, id: JobId, chance: f64, now: Timestamp) -> Outcome<State> {
    let found = tx.first(Query::JobGet, [Key::of(id)], |row| {
        Ok((row::job(row)?, row::token(row, row::JOB_TOKEN)?))
    })?;
    let (job, token) = found.ok_or_else(|| broken(format!("job {id} is leased and not there")))?;
    let spec = &job.spec;
    let counters =
        Counters { attempt: job.attempt, max_attempts: spec.max_attempts, backoff: spec.backoff };
    let fault = timed_out(spec.timeout.unwrap_or_default());
    let verdict = judge(counters, Err(fault), now, chance);
    match settle_one(tx, &Settle { id, token, verdict, chunks: Vec::new(), progress: None, now })? {
        Settled::Done(state) => Ok(state),
        Settled::Stale => Err(broken(format!("job {id} has a lease outside and is not leased"))),
    }
}

fn next_end(tx: &mut Txn<'_>) -> Outcome<Option<Timestamp>> {
    Ok(tx.first(Query::LeaseNext, [], |row| row::time(row, 0))?)
}
