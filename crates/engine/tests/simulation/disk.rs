//! The disk: writes wait in a queue, go into a transaction, and are there after its sync.
//!
//! A crash between the two takes back what the transaction did: the store is made anew from the
//! log of what was synced. Readers see nothing of an open transaction. Each process has a
//! connection of its own, and one transaction is open at a time, as in a file or a server.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::FutureExt;
use jobmill_model::Job;
use jobmill_model::Span;
use jobmill_store::memory::MemoryStore;
use jobmill_store::{JobQuery, Jobs, Result, StoreError};
use tokio::sync::oneshot;

use super::dice::Dice;
use super::flaw::{Flaw, FlawedStore};
use super::labour::declaration;
use super::time::{Event, Micros, Time};
use super::verb::{Answer, Write};
use super::witness::Witness;

/// The most writes of one transaction.
const BATCH: usize = 32;

type Reply = oneshot::Sender<Result<Answer>>;

/// What the disk does next.
pub(crate) enum Turn {
    /// Takes what waits into a transaction.
    Begin,
    /// Syncs the transaction of this number.
    Sync(u64),
    /// Answers a write.
    Answer(Reply, Result<Answer>),
    /// Serves a reader.
    Read(oneshot::Sender<()>),
}

struct Request {
    life: u64,
    write: Write,
    reply: Reply,
}

struct Done {
    at: Micros,
    write: Write,
    answer: Result<Answer>,
    /// The jobs that it named, as they stood after it.
    rows: Vec<Job>,
}

struct Open {
    number: u64,
    life: u64,
    done: Vec<Done>,
    replies: Vec<(Reply, Result<Answer>)>,
}

pub(crate) struct Disk {
    time: Arc<Time>,
    flaw: Option<Flaw>,
    /// What is there, with what the open transaction has done.
    store: Arc<FlawedStore>,
    log: Vec<Write>,
    queue: VecDeque<Request>,
    open: Option<Open>,
    begins: bool,
    transactions: u64,
    readers: Vec<oneshot::Sender<()>>,
    /// Until when it takes no writes, and what it says meanwhile.
    refusing: Option<(Micros, StoreError)>,
    dice: Dice,
}

impl Disk {
    pub(crate) fn new(seed: u64, flaw: Option<Flaw>, time: Arc<Time>) -> Self {
        let store = Arc::new(FlawedStore::new(MemoryStore::new(), flaw));
        let declare = Write::Declare(declaration());
        declare.apply(&*store).expect("a store in memory takes a flow");
        Self {
            time,
            flaw,
            store,
            log: vec![declare],
            queue: VecDeque::new(),
            open: None,
            begins: false,
            transactions: 0,
            readers: Vec::new(),
            refusing: None,
            dice: Dice::new(seed, "disk"),
        }
    }

    /// What is synced, unless a transaction is open; a reader asks for a turn first.
    pub(crate) fn readable(&self) -> Option<Arc<FlawedStore>> {
        self.open.is_none().then(|| self.store.clone())
    }

    /// Takes a request in; the answer comes when it is synced.
    pub(crate) fn write(&mut self, life: u64, write: Write) -> oneshot::Receiver<Result<Answer>> {
        let (reply, answer) = oneshot::channel();
        self.queue.push_back(Request { life, write, reply });
        self.begin_soon();
        answer
    }

    /// A reader's turn comes when no transaction is open.
    pub(crate) fn read(&mut self) -> oneshot::Receiver<()> {
        let (reader, turn) = oneshot::channel();
        let wait = self.dice.delay(1_000, 20_000);
        self.time.after(wait, Event::Disk(Turn::Read(reader)));
        turn
    }

    /// Refuses writes for a while.
    pub(crate) fn refuse(&mut self) -> String {
        let error = match self.dice.within(0, 3) {
            0 => StoreError::Busy { retry_after: Span::from_secs(1) },
            1 => StoreError::Broken("the disk does not answer".to_owned()),
            _ => StoreError::Full,
        };
        let wait = self.dice.within(20_000, 3_000_000);
        let text = format!("for {wait} µs: {error}");
        self.refuse_for(wait, error);
        text
    }

    pub(crate) fn refuse_for(&mut self, wait: Micros, error: StoreError) {
        self.refusing = Some((self.time.now() + wait, error));
    }

    pub(crate) fn is_refusing(&self) -> bool {
        self.refusing.as_ref().is_some_and(|(until, _)| *until > self.time.now())
    }

    pub(crate) fn accept(&mut self) {
        self.refusing = None;
    }

    /// A process is gone, and with it what it had not synced.
    pub(crate) fn kill(&mut self, life: u64) {
        self.queue.retain(|request| request.life != life);
        if self.open.take_if(|open| open.life == life).is_some() {
            let store = FlawedStore::new(MemoryStore::new(), self.flaw);
            for write in &self.log {
                // What was refused then is refused now.
                let _ = write.apply(&store);
            }
            self.store = Arc::new(store);
            self.go_on();
        }
    }

    pub(crate) fn turn(&mut self, turn: Turn, witness: &mut Witness) {
        match turn {
            Turn::Begin => self.begin(),
            Turn::Sync(number) => {
                if self.open.as_ref().is_some_and(|open| open.number == number) {
                    self.sync(witness);
                }
            }
            // Nobody waits any more when the caller has gone.
            Turn::Answer(reply, answer) => drop(reply.send(answer)),
            Turn::Read(reader) if self.open.is_some() => self.readers.push(reader),
            Turn::Read(reader) => drop(reader.send(())),
        }
    }

    fn begin_soon(&mut self) {
        if !self.begins && self.open.is_none() && !self.queue.is_empty() {
            self.begins = true;
            let wait = self.dice.delay(1_500, 40_000);
            self.time.after(wait, Event::Disk(Turn::Begin));
        }
    }

    fn begin(&mut self) {
        self.begins = false;
        let Some(life) = self.queue.front().map(|request| request.life) else { return };
        self.transactions += 1;
        let (done, replies) = (Vec::new(), Vec::new());
        let mut open = Open { number: self.transactions, life, done, replies };
        for request in self.take(life) {
            self.perform(request, &mut open);
        }
        let wait = self.dice.within(200, 4_000) + self.dice.delay(0, 150_000);
        self.time.after(wait, Event::Disk(Turn::Sync(open.number)));
        self.open = Some(open);
    }

    /// What one process has waiting, admissions last.
    fn take(&mut self, life: u64) -> Vec<Request> {
        let queue = std::mem::take(&mut self.queue);
        let (mine, others): (Vec<_>, _) = queue.into_iter().partition(|it| it.life == life);
        let (admissions, mut taken): (Vec<_>, Vec<_>) =
            mine.into_iter().partition(|it| it.write.is_admission());
        taken.extend(admissions);
        let left = taken.split_off(taken.len().min(BATCH));
        self.queue = left.into_iter().chain(others).collect();
        taken
    }

    fn perform(&mut self, request: Request, open: &mut Open) {
        let Request { write, reply, .. } = request;
        if let Some(refusal) = self.refusal(&write) {
            open.replies.push((reply, Err(refusal)));
            return;
        }
        let answer = write.apply(&*self.store);
        let rows = self.rows_of(&write, &answer);
        open.done.push(Done { at: self.time.now(), write, answer: answer.clone(), rows });
        if self.flaw == Some(Flaw::AckBeforeSync) {
            self.answer(reply, answer);
        } else {
            open.replies.push((reply, answer));
        }
    }

    /// The jobs that a write may have changed, as they stand after it.
    fn rows_of(&self, write: &Write, answer: &Result<Answer>) -> Vec<Job> {
        let rows = match (write, answer) {
            (
                Write::Promote(..) | Write::Reclaim(..) | Write::Cancel(..) | Write::Expire(..),
                _,
            ) => {
                let every = JobQuery { limit: usize::MAX, ..JobQuery::default() };
                self.store.job_list(&every).now_or_never().map(|page| page.map(|page| page.jobs))
            }
            (_, Ok(Answer::Claimed(claimed))) => {
                Some(Ok(claimed.iter().map(|claimed| claimed.job.clone()).collect()))
            }
            (_, Ok(Answer::Lent(lent))) => {
                Some(Ok(lent.iter().map(|lent| lent.job.clone()).collect()))
            }
            _ => {
                let rows = self.store.job_get(&write.ids()).now_or_never();
                rows.map(|rows| rows.map(|rows| rows.into_iter().flatten().collect()))
            }
        };
        rows.expect("a store in memory answers at once").unwrap_or_default()
    }

    fn refusal(&mut self, write: &Write) -> Option<StoreError> {
        let (until, error) = self.refusing.clone()?;
        if until <= self.time.now() {
            self.refusing = None;
            return None;
        }
        let sheds = matches!(error, StoreError::Busy { .. });
        (!sheds || write.is_admission()).then_some(error)
    }

    fn sync(&mut self, witness: &mut Witness) {
        let Some(open) = self.open.take() else { return };
        for done in open.done {
            witness.done_at = done.at;
            witness.saw(open.life, &done.write, &done.answer, &done.rows);
            self.log.push(done.write);
        }
        witness.count(&*self.store);
        for (reply, answer) in open.replies {
            self.answer(reply, answer);
        }
        self.go_on();
    }

    fn answer(&mut self, reply: Reply, answer: Result<Answer>) {
        let wait = self.dice.delay(300, 20_000);
        self.time.after(wait, Event::Disk(Turn::Answer(reply, answer)));
    }

    /// No transaction is open any more.
    fn go_on(&mut self) {
        for reader in self.readers.drain(..) {
            let _ = reader.send(());
        }
        self.begin_soon();
    }
}
