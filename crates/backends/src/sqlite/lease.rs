//! The right to perform a job: claim, progress, park, settle, release, reclaim.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jobmill_model::fault::cut;
use jobmill_model::job::{Move, Progress, Spec, Verdict, judge_crash};
use jobmill_model::limits::MESSAGE_BYTES;
use jobmill_model::output::{Chunk, Extent, Shape};
use jobmill_model::queue::Name;
use jobmill_model::{Fault, InstanceId, Job, JobId, State, Timestamp, Token};
use jobmill_store::{
    Change, Claim, Claimed, Leases, Park, Parked, ProgressNote, Promoted, Reclaimed, Result,
    Settle, Settled,
};
use rusqlite::params;

use super::SqliteStore;
use super::backlog::{Shelf, Shift};
use super::head::{Head, OUTSIDE};
use super::job::{announce, cancel};
use super::output::{begin_anew, write_chunks};
use super::query::Query;
use super::row::{self, Key};
use super::trouble::{Outcome, broken};
use super::txn::Txn;

/// About what a change of a job's row writes, for the size of transactions.
const ROW_BYTES: usize = 512;

#[async_trait]
impl Leases for SqliteStore {
    async fn job_claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        let bytes = claim.max.saturating_mul(ROW_BYTES);
        self.ask(claim, claim_jobs, bytes).await
    }

    async fn job_progress(&self, notes: &[ProgressNote]) -> Result<Vec<bool>> {
        let verb = |tx: &mut Txn<'_>, notes: &Vec<ProgressNote>| {
            notes.iter().map(|note| note_progress(tx, note)).collect()
        };
        self.ask(notes.to_vec(), verb, notes.len() * ROW_BYTES).await
    }

    async fn job_park(&self, park: Park) -> Result<Parked> {
        self.ask(park, park_job, ROW_BYTES).await
    }

    async fn job_settle(&self, settles: Vec<Settle>) -> Result<Vec<Settled>> {
        let bytes = settles.iter().flat_map(|settle| &settle.chunks);
        let bytes = bytes.map(|chunk| chunk.text.len()).sum::<usize>();
        let bytes = bytes + settles.len() * ROW_BYTES;
        let verb = |tx: &mut Txn<'_>, settles: &Vec<Settle>| {
            settles.iter().map(|settle| settle_one(tx, settle)).collect()
        };
        self.ask(settles, verb, bytes).await
    }

    async fn job_release(&self, leases: &[(JobId, Token)]) -> Result<Vec<bool>> {
        let verb = |tx: &mut Txn<'_>, leases: &Vec<(JobId, Token)>| {
            leases.iter().map(|(id, token)| release(tx, *id, *token)).collect()
        };
        self.ask(leases.to_vec(), verb, leases.len() * ROW_BYTES).await
    }

    async fn job_promote(&self, now: Timestamp, limit: usize) -> Result<Promoted> {
        self.ask((now, limit), promote, limit.saturating_mul(ROW_BYTES)).await
    }

    async fn job_reclaim(
        &self,
        alive: InstanceId,
        max_crashes: u32,
        now: Timestamp,
    ) -> Result<Reclaimed> {
        self.ask((alive, max_crashes, now), reclaim, ROW_BYTES).await
    }
}

/// Takes the lowest ranks over the shelves of all queues that let something go. A shelf costs
/// nothing where its lowest rank is too high, its queue is shut or nobody here performs its flow.
fn claim_jobs(tx: &mut Txn<'_>, claim: &Claim) -> Outcome<Vec<Claimed>> {
    if claim.max == 0 {
        return Ok(Vec::new());
    }
    let shelves = tx.totals.backlogs.shelves(None, |flow| claim.flows.contains(flow), claim.now);
    let picks = pick(tx, &shelves, claim.max)?;
    picks.note_floors(tx, &shelves, picks.first.len());
    let ids = picks.first.iter().map(|pick| pick.id);
    ids.map(|id| claim_one(tx, id, claim.instance, claim.now)).collect()
}

/// The jobs that a claim of so many takes off these shelves.
pub(super) fn pick(tx: &mut Txn<'_>, shelves: &[Shelf], max: usize) -> Outcome<Picks> {
    let mut picks = Picks { first: Vec::new(), read: Vec::new(), max };
    for (place, shelf) in shelves.iter().enumerate() {
        let last = picks.first.last().filter(|_| picks.first.len() == max);
        if last.is_some_and(|last| last.rank < shelf.floor) {
            break;
        }
        let read = read_shelf(tx, shelf, place, max.min(shelf.room))?;
        picks.first.extend(&read);
        picks.read.push(read);
        picks.first.sort_unstable();
        keep_first(&mut picks.first, shelves, max);
    }
    Ok(picks)
}

/// What was read of the shelves, and the first of it in the order of the claim.
pub(super) struct Picks {
    pub(super) first: Vec<Pick>,
    read: Vec<Vec<Pick>>,
    max: usize,
}

impl Picks {
    /// Takes note of the lowest ranks that are left when the first `taken` picks are.
    pub(super) fn note_floors(&self, tx: &mut Txn<'_>, shelves: &[Shelf], taken: usize) {
        let taken = &self.first[..taken];
        for (place, (shelf, read)) in shelves.iter().zip(&self.read).enumerate() {
            let limit = self.max.min(shelf.room);
            let gone = taken.iter().filter(|pick| pick.shelf == place).count();
            let last = read.last().filter(|_| read.len() == limit).map(|pick| pick.rank);
            let next = read.get(gone).map(|pick| pick.rank).or(last);
            tx.totals.backlogs.raise_floor(shelf, next.unwrap_or(i64::MAX));
        }
    }
}

/// A job that a claim may take. The order is that of the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pick {
    rank: i64,
    pub(super) id: JobId,
    /// The place of its shelf among all.
    shelf: usize,
}

fn read_shelf(
    tx: &mut Txn<'_>,
    shelf: &Shelf,
    place: usize,
    limit: usize,
) -> rusqlite::Result<Vec<Pick>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = params![shelf.queue.as_str(), shelf.flow.as_str(), limit];
    tx.all(Query::JobReady, values, |row| {
        Ok(Pick { rank: row.get(0)?, id: row::id(row, 1)?, shelf: place })
    })
}

/// Keeps the first of the picks, no more of a queue than it lets go.
fn keep_first(picked: &mut Vec<Pick>, shelves: &[Shelf], max: usize) {
    if shelves.iter().any(|shelf| shelf.room < max) {
        let mut rooms: BTreeMap<&Name, usize> = BTreeMap::new();
        picked.retain(|pick| {
            let Shelf { queue, room, .. } = &shelves[pick.shelf];
            let room = rooms.entry(queue).or_insert(*room);
            let goes = *room > 0;
            *room = room.saturating_sub(1);
            goes
        });
    }
    picked.truncate(max);
}

/// Leases one claimable job.
pub(super) fn claim_one(
    tx: &mut Txn<'_>,
    id: JobId,
    instance: InstanceId,
    now: Timestamp,
) -> Outcome<Claimed> {
    let found = tx.first(Query::JobGet, [Key::of(id)], |row| {
        Ok((row::job(row)?, row::token(row, row::JOB_TOKEN)?, row.get(row::JOB_BEGUN)?))
    })?;
    let (job, token, begun): (Job, Token, bool) =
        found.ok_or_else(|| broken(format!("job {id} is claimable and not there")))?;
    let from = job.state;
    let state = from
        .after(Move::Claim)
        .ok_or_else(|| broken(format!("job {id} is claimable and {from}")))?;
    let job = Job {
        state,
        attempt: job.attempt + u32::from(!begun),
        started_at: job.started_at.or(Some(now)),
        waiting_for: None,
        ..job
    };
    let token = token.next();
    tx.execute(
        Query::JobClaim,
        params![
            Key::of(id),
            row::token_column(token),
            instance.as_bytes(),
            job.attempt,
            job.started_at.map(Timestamp::as_millis),
        ],
    )?;
    if from != state {
        tx.totals.pass(from, state);
    }
    tx.note(id, Change::State(state));
    let Spec { queue, flow, .. } = &job.spec;
    let shift = Shift { ready: -1, held: 0, leased: 1 };
    tx.totals.backlogs.shift(queue, flow, shift, None);
    tx.totals.backlogs.spend(queue, 1, now);
    Ok(Claimed { job, token })
}

fn note_progress(tx: &mut Txn<'_>, note: &ProgressNote) -> Outcome<bool> {
    let changed = tx.execute(
        Query::JobProgress,
        params![
            Key::of(note.id),
            row::token_column(note.token),
            row::signed(note.progress.done),
            row::signed(note.progress.total),
            cut(&note.progress.message, MESSAGE_BYTES),
        ],
    )?;
    if changed > 0 {
        tx.note(note.id, Change::Progress);
    }
    Ok(changed > 0)
}

fn park_job(tx: &mut Txn<'_>, park: &Park) -> Outcome<Parked> {
    let Some(mut head) = tx.leased(park.id, park.token)? else { return Ok(Parked::Stale) };
    let seen = params![Key::of(park.id), row::signed(park.seen)];
    let newer =
        head.last_signal > park.seen && tx.first(Query::SignalNewer, seen, |_| Ok(()))?.is_some();
    if newer {
        return Ok(Parked::Awake);
    }
    head.step(Move::Park)?;
    head.end_lease();
    head.due_at = park.wake_at;
    head.waiting_for = Some(park.waiting_for.clone());
    tx.leave(&head, park.now)?;
    Ok(Parked::Done)
}

pub(super) fn settle_one(tx: &mut Txn<'_>, settle: &Settle) -> Outcome<Settled> {
    let Some(mut head) = tx.leased(settle.id, settle.token)? else { return Ok(Settled::Stale) };
    if let Some(progress) = &settle.progress {
        let message = cut(&progress.message, MESSAGE_BYTES).to_owned();
        head.progress = Progress { message, ..*progress };
    }
    let now = settle.now;
    let state = match &settle.verdict {
        Verdict::Complete(extent) => complete(tx, head, *extent, &settle.chunks, now)?,
        Verdict::Retry { fault, run_at } => retry_later(tx, head, fault, *run_at, now)?,
        Verdict::Fail(fault) => fail(tx, head, fault.clone(), now)?,
        Verdict::Cancel => {
            cancel(tx, head, now)?;
            State::Cancelled
        }
    };
    Ok(Settled::Done(state))
}

/// Publishes the chunks under the lease's token. A statement of its own, since this is how
/// nearly every job ends: it leaves the columns alone that a leased job does not use.
fn complete(
    tx: &mut Txn<'_>,
    mut head: Head,
    extent: Extent,
    chunks: &[Chunk],
    now: Timestamp,
) -> Outcome<State> {
    let from = head.state;
    head.step(Move::Complete)?;
    begin_anew(tx, &head, chunks, extent.len == 0)?;
    write_chunks(tx, head.id, head.token, chunks)?;
    tx.forget_run(&mut head)?;
    let key = Key::of(head.id);
    if head.is_outside() {
        tx.execute(Query::LeaseDelete, [&key])?;
    }
    let len = row::signed(extent.len);
    let shape = row::shape_column(extent.shape);
    let has_entries = extent.shape == Shape::Object && extent.len > 0;
    let first = has_entries.then(|| row::signed(tx.totals.publish(extent.len)));
    let (done, total, message) = head.progress_columns();
    tx.execute(
        Query::JobComplete,
        params![key, now.as_millis(), shape, len, first, done, total, message],
    )?;
    tx.totals.pass(from, head.state);
    tx.note(head.id, Change::State(head.state));
    tx.lease_is_over(&head, now)?;
    if let Some(first) = first {
        tx.execute(Query::PublicationInsert, params![first, key, len])?;
    }
    announce(tx, &head, now)?;
    Ok(head.state)
}

fn retry_later(
    tx: &mut Txn<'_>,
    mut head: Head,
    fault: &Fault,
    run_at: Timestamp,
    now: Timestamp,
) -> Outcome<State> {
    head.step(Move::Retry)?;
    tx.keep_failure(&mut head, fault.clone(), now)?;
    head.end_lease();
    head.begun = false;
    head.run_at = run_at;
    head.due_at = Some(run_at);
    tx.leave(&head, now)?;
    Ok(head.state)
}

fn fail(tx: &mut Txn<'_>, mut head: Head, fault: Fault, now: Timestamp) -> Outcome<State> {
    tx.keep_failure(&mut head, fault, now)?;
    tx.end(&mut head, Move::Fail, now)?;
    tx.leave(&head, now)?;
    announce(tx, &head, now)?;
    Ok(head.state)
}

fn release(tx: &mut Txn<'_>, id: JobId, token: Token) -> Outcome<bool> {
    let Some(head) = tx.leased(id, token)? else { return Ok(false) };
    hand_back(tx, head)?;
    Ok(true)
}

fn hand_back(tx: &mut Txn<'_>, mut head: Head) -> Outcome<()> {
    head.step(Move::HandBack)?;
    tx.make_ready(&mut head)?;
    tx.save(&head)?;
    Ok(())
}

fn promote(tx: &mut Txn<'_>, (now, limit): &(Timestamp, usize)) -> Outcome<Promoted> {
    let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
    let due = tx.all(Query::JobDue, params![now.as_millis(), limit], |row| row::id(row, 0))?;
    for id in &due {
        let head = tx.head(*id)?;
        let mut head = head.ok_or_else(|| broken(format!("job {id} is due and not there")))?;
        if head.state == State::Scheduled {
            head.step(Move::Due)?;
        }
        tx.make_ready(&mut head)?;
        tx.save(&head)?;
    }
    let next = tx.first(Query::JobNextDue, [], |row| row::time(row, 0))?;
    Ok(Promoted { count: due.len(), next })
}

fn reclaim(
    tx: &mut Txn<'_>,
    (alive, max_crashes, now): &(InstanceId, u32, Timestamp),
) -> Outcome<Reclaimed> {
    let mut reclaimed = Reclaimed::default();
    let others = params![alive.as_bytes(), OUTSIDE];
    let lost = tx.all(Query::JobLeased, others, |row| row::id(row, 0))?;
    for id in lost {
        match lose_worker(tx, id, *max_crashes, *now)? {
            State::Failed => reclaimed.failed.push(id),
            _ => reclaimed.returned += 1,
        }
    }
    Ok(reclaimed)
}

/// Ends the lease of a worker that is lost; answers where the job stands then.
pub(super) fn lose_worker(
    tx: &mut Txn<'_>,
    id: JobId,
    max_crashes: u32,
    now: Timestamp,
) -> Outcome<State> {
    let head = tx.head(id)?;
    let mut head = head.ok_or_else(|| broken(format!("job {id} is leased and not there")))?;
    head.crashes += 1;
    match judge_crash(head.crashes, max_crashes) {
        Some(fault) => fail(tx, head, fault, now),
        None => {
            hand_back(tx, head)?;
            Ok(State::Submitted)
        }
    }
}
