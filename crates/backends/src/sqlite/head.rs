//! What changes of a job: read, moved by the table of legal moves, written back.

use jobmill_model::job::{Failure, Move, Progress};
use jobmill_model::limits::{HISTORY_BYTES, HISTORY_ENTRIES};
use jobmill_model::queue::{Name, Priority, Rank};
use jobmill_model::{Fault, InstanceId, JobId, State, Timestamp, Token};
use jobmill_store::Change;
use rusqlite::{Row, params};

use super::query::Query;
use super::row::{self, Key};
use super::trouble::{Outcome, broken};
use super::txn::Txn;

/// Who holds the leases of workers outside: nobody among the instances.
pub(super) const OUTSIDE: [u8; 16] = [0; 16];

/// The changing part of a job's row, as it stands in the transaction.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) id: JobId,
    pub(super) state: State,
    pub(super) token: Token,
    pub(super) instance: Option<InstanceId>,
    pub(super) rank: Option<i64>,
    pub(super) due_at: Option<Timestamp>,
    pub(super) flow: Name,
    pub(super) queue: Name,
    pub(super) priority: Priority,
    pub(super) run_at: Timestamp,
    pub(super) attempt: u32,
    pub(super) crashes: u32,
    pub(super) run: u32,
    pub(super) begun: bool,
    pub(super) journal_len: u64,
    pub(super) last_signal: u64,
    pub(super) appended: bool,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) error: Option<Failure>,
    pub(super) waiting_for: Option<String>,
    pub(super) progress: Progress,
    /// Steps in the ledger.
    pub(super) effects: u64,
    was: Was,
}

/// What of a head decides the totals and the litter, as it was read.
#[derive(Debug, Clone, Copy)]
struct Was {
    state: State,
    token: Token,
    claimable: bool,
    appended: bool,
    outside: bool,
}

impl Head {
    /// Whether a lease with this token goes on.
    pub(super) fn is_leased(&self, token: Token) -> bool {
        self.state == State::Running && self.instance.is_some() && self.token == token
    }

    /// Whether a worker outside holds the lease.
    pub(super) fn is_outside(&self) -> bool {
        self.instance.is_some_and(|instance| *instance.as_bytes() == OUTSIDE)
    }

    /// Whether it waits in the middle of its work, or did and is claimable now.
    pub(super) fn is_parked(&self) -> bool {
        self.state == State::Running && self.instance.is_none()
    }

    /// Makes a move; the one place where states change.
    pub(super) fn step(&mut self, what: Move) -> Outcome<()> {
        let from = self.state;
        self.state = from.after(what).ok_or_else(|| {
            broken(format!("job {} is {from} and cannot make the move {what:?}", self.id))
        })?;
        Ok(())
    }

    /// Takes the lease away; chunks that were appended under it will never be published.
    pub(super) fn end_lease(&mut self) {
        self.instance = None;
        self.appended = false;
    }

    /// Gives it its place among the claimable jobs.
    pub(super) fn make_claimable(&mut self) {
        self.end_lease();
        self.due_at = None;
        self.rank = Some(Rank::of(self.run_at, self.priority).0);
    }

    /// Keeps a failure of the present attempt as the last one.
    pub(super) fn note_failure(&mut self, fault: &Fault) {
        self.error = Some(Failure { code: fault.code.to_string(), message: fault.message.clone() });
    }
}

impl Txn<'_> {
    /// Reads the changing part of a job's row.
    pub(super) fn head(&mut self, id: JobId) -> rusqlite::Result<Option<Head>> {
        self.first(Query::JobHead, [Key::of(id)], |row| read(id, row))
    }

    /// The head of a job whose lease with this token goes on.
    pub(super) fn leased(&mut self, id: JobId, token: Token) -> rusqlite::Result<Option<Head>> {
        Ok(self.head(id)?.filter(|head| head.is_leased(token)))
    }

    /// Writes a head back, counts what changed, and marks chunks that nobody will publish.
    pub(super) fn save(&mut self, head: &Head) -> rusqlite::Result<()> {
        let progress = Some(&head.progress).filter(|progress| **progress != Progress::default());
        self.execute(
            Query::JobMove,
            params![
                Key::of(head.id),
                row::state_column(head.state),
                row::token_column(head.token),
                head.instance.as_ref().map(InstanceId::as_bytes),
                head.rank,
                head.due_at.map(Timestamp::as_millis),
                head.run_at.as_millis(),
                head.attempt,
                head.crashes,
                head.run,
                head.begun,
                row::signed(head.journal_len),
                row::signed(head.last_signal),
                head.appended,
                head.started_at.map(Timestamp::as_millis),
                head.finished_at.map(Timestamp::as_millis),
                head.error.as_ref().map(|error| error.code.as_str()),
                head.error.as_ref().map(|error| error.message.as_str()),
                head.waiting_for,
                progress.map(|progress| row::signed(progress.done)),
                progress.map(|progress| row::signed(progress.total)),
                progress.map(|progress| progress.message.as_str()),
            ],
        )?;
        if head.was.appended && !head.appended {
            let token = row::token_column(head.was.token);
            self.execute(Query::LitterInsert, params![Key::of(head.id), token])?;
        }
        if head.was.outside && !head.is_outside() {
            self.execute(Query::LeaseDelete, [Key::of(head.id)])?;
        }
        self.count(head);
        self.note(head.id, Change::State(head.state));
        Ok(())
    }

    fn count(&mut self, head: &Head) {
        if head.was.state != head.state {
            self.totals.pass(head.was.state, head.state);
        }
        if head.was.claimable != head.rank.is_some() {
            self.totals.count_claimable(&head.queue, &head.flow, head.rank.is_some());
        }
    }

    /// Moves a job to a final state other than `completed` and clears what its run leaves.
    pub(super) fn end(&mut self, head: &mut Head, what: Move, now: Timestamp) -> Outcome<()> {
        head.step(what)?;
        self.forget_run(head)?;
        head.end_lease();
        head.rank = None;
        head.due_at = None;
        head.begun = false;
        head.finished_at = Some(now);
        head.waiting_for = None;
        Ok(())
    }

    /// Removes what a run that ends does not leave: the inbox, the ledger, a large journal. Most
    /// jobs have none.
    pub(super) fn forget_run(&mut self, head: &mut Head) -> rusqlite::Result<()> {
        if head.journal_len > 0 && !self.may_stay(head)? {
            self.drop_journal(head)?;
        }
        if head.last_signal > 0 {
            self.execute(Query::SignalDelete, [Key::of(head.id)])?;
        }
        if head.effects > 0 {
            self.execute(Query::EffectDelete, [Key::of(head.id)])?;
            self.execute(Query::EffectCount, params![Key::of(head.id), 0])?;
        }
        Ok(())
    }
}

impl Txn<'_> {
    /// Whether a journal is small enough to be kept for the history of its run.
    fn may_stay(&mut self, head: &Head) -> rusqlite::Result<bool> {
        if head.journal_len > HISTORY_ENTRIES {
            return Ok(false);
        }
        let size =
            self.first(Query::JournalSize, [Key::of(head.id)], |row| row::unsigned(row, 0))?;
        Ok(size.unwrap_or(0) <= HISTORY_BYTES)
    }

    /// Removes a journal, if there is one.
    pub(super) fn drop_journal(&mut self, head: &mut Head) -> rusqlite::Result<()> {
        if std::mem::take(&mut head.journal_len) > 0 {
            self.execute(Query::JournalDelete, [Key::of(head.id)])?;
            self.execute(Query::JournalExtend, params![Key::of(head.id), 0])?;
        }
        Ok(())
    }
}

fn read(id: JobId, row: &Row<'_>) -> rusqlite::Result<Head> {
    let (state, token) = (row::state(row, 0)?, row::token(row, 1)?);
    let (rank, appended): (Option<i64>, bool) = (row.get(3)?, row.get(15)?);
    let instance = row::instance(row, 2)?;
    let outside = instance.is_some_and(|instance| *instance.as_bytes() == OUTSIDE);
    Ok(Head {
        id,
        state,
        token,
        instance,
        rank,
        due_at: row::time_or_none(row, 4)?,
        flow: row::name(row, 5)?,
        queue: row::name(row, 6)?,
        priority: row::priority(row, 7)?,
        run_at: row::time(row, 8)?,
        attempt: row.get(9)?,
        crashes: row.get(10)?,
        run: row.get(11)?,
        begun: row.get(12)?,
        journal_len: row::unsigned(row, 13)?,
        last_signal: row::unsigned(row, 14)?,
        appended,
        started_at: row::time_or_none(row, 16)?,
        finished_at: row::time_or_none(row, 17)?,
        error: row::failure(row, 18)?,
        waiting_for: row.get(20)?,
        progress: row::progress(row, 21)?,
        effects: row::unsigned(row, 24)?,
        was: Was { state, token, claimable: rank.is_some(), appended, outside },
    })
}
