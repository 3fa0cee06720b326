//! What changes of a job: read, moved by the table of legal moves, written back.

use jobmill_model::job::{Failure, Move, Progress};
use jobmill_model::limits::{HISTORY_BYTES, HISTORY_ENTRIES};
use jobmill_model::queue::{Name, Priority, Rank};
use jobmill_model::{Fault, InstanceId, JobId, State, Timestamp, Token};
use jobmill_store::Change;
use rusqlite::{Row, params};

use super::backlog::Shift;
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
    /// Its rank while it waits for others of its key; then it has no other.
    pub(super) held: Option<i64>,
    pub(super) due_at: Option<Timestamp>,
    pub(super) flow: Name,
    pub(super) queue: Name,
    pub(super) key: Option<Name>,
    pub(super) parent: Option<JobId>,
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
    /// Whether somebody wants to be told of its end.
    pub(super) is_told: bool,
    was: Was,
}

/// What of a head decides the totals and the litter, as it was read.
#[derive(Debug, Clone, Copy)]
struct Was {
    state: State,
    token: Token,
    ready: bool,
    held: bool,
    leased: bool,
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

    /// Gives it its place among the claimable jobs, or among those that its key holds.
    pub(super) fn make_ready(&mut self, goes: bool) {
        self.end_lease();
        self.due_at = None;
        let rank = Some(Rank::of(self.run_at, self.priority).0);
        (self.rank, self.held) = if goes { (rank, None) } else { (None, rank) };
    }

    /// Whether it took a place of its key when it was read.
    pub(super) fn took_place(&self) -> bool {
        self.was.ready || self.was.leased
    }

    fn takes_place(&self) -> bool {
        self.rank.is_some() || self.instance.is_some()
    }

    /// Its progress for the row, where columns are empty if none was ever noted.
    pub(super) fn progress_columns(&self) -> (Option<i64>, Option<i64>, Option<&str>) {
        match &self.progress {
            none if *none == Progress::default() => (None, None, None),
            Progress { done, total, message } => {
                (Some(row::signed(*done)), Some(row::signed(*total)), Some(message))
            }
        }
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
        let (done, total, message) = head.progress_columns();
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
                done,
                total,
                message,
                head.held,
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

    /// Writes a head back that may have given its lease or its place away, and lets the next of
    /// its key through. Every way in which a job stops being ready or leased comes by here or by
    /// [`lease_is_over`](Self::lease_is_over).
    pub(super) fn leave(&mut self, head: &Head, now: Timestamp) -> rusqlite::Result<()> {
        self.save(head)?;
        if let Some(key) = &head.key
            && head.took_place()
            && !head.takes_place()
        {
            self.admit(&head.queue, key, now)?;
        }
        if head.state.is_final() { self.child_ended(head, now) } else { Ok(()) }
    }

    /// Lets the job above one that has ended begin, if it gathers and no other child is
    /// unfinished.
    fn child_ended(&mut self, child: &Head, now: Timestamp) -> rusqlite::Result<()> {
        let Some(parent) = child.parent else { return Ok(()) };
        // Nothing else is scheduled without a time.
        let gathers = |head: &Head| head.state == State::Scheduled && head.due_at.is_none();
        let Some(mut head) = self.head(parent)?.filter(gathers) else { return Ok(()) };
        if self.first(Query::ChildOpen, [Key::of(parent)], |_| Ok(()))?.is_some() {
            return Ok(());
        }
        head.state = head.state.after(Move::Due).unwrap_or(head.state);
        head.run_at = now;
        self.make_ready(&mut head)?;
        self.save(&head)
    }

    /// Counts a lease that has ended where the head is not written back as a whole.
    pub(super) fn lease_is_over(&mut self, head: &Head, now: Timestamp) -> rusqlite::Result<()> {
        let shift = Shift { leased: -1, ..Shift::default() };
        self.totals.backlogs.shift(&head.queue, &head.flow, shift, None);
        if let Some(key) = &head.key {
            self.admit(&head.queue, key, now)?;
        }
        self.child_ended(head, now)
    }

    fn count(&mut self, head: &Head) {
        if head.was.state != head.state {
            self.totals.pass(head.was.state, head.state);
        }
        let by = |was: bool, is: bool| i8::from(is) - i8::from(was);
        let shift = Shift {
            ready: by(head.was.ready, head.rank.is_some()),
            held: by(head.was.held, head.held.is_some()),
            leased: by(head.was.leased, head.instance.is_some()),
        };
        self.totals.backlogs.shift(&head.queue, &head.flow, shift, head.rank);
    }

    /// Moves a job to a final state other than `completed` and clears what its run leaves.
    pub(super) fn end(&mut self, head: &mut Head, what: Move, now: Timestamp) -> Outcome<()> {
        head.step(what)?;
        self.forget_run(head)?;
        head.end_lease();
        head.rank = None;
        head.held = None;
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
    let (instance, held): (_, Option<i64>) = (row::instance(row, 2)?, row.get(26)?);
    let (ready, leased) = (rank.is_some(), instance.is_some());
    let outside = instance.is_some_and(|instance| *instance.as_bytes() == OUTSIDE);
    Ok(Head {
        id,
        state,
        token,
        instance,
        rank,
        held,
        due_at: row::time_or_none(row, 4)?,
        flow: row::name(row, 5)?,
        queue: row::name(row, 6)?,
        key: row::name_or_none(row, 25)?,
        parent: row::id_or_none(row, 28)?,
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
        is_told: row.get(27)?,
        was: Was { state, token, ready, held: held.is_some(), leased, appended, outside },
    })
}
