//! A client that submits work at full speed, whatever happens to the server meanwhile.
//!
//! It sends a submission until it is answered, always under the same idempotency key, and writes
//! down what it is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jobmill_engine::clock::{Clock, SystemClock};
use jobmill_model::{Span, Value};
use tokio::sync::watch;

use super::answer::{end_of, text};
use super::ledger::Ledger;
use super::work::Work;
use crate::client::{Client, ClientError, Request};

/// How long to wait before a server that did not answer is asked again.
const PAUSE: Span = Span::from_millis(20);
/// How long the end of a job is waited for.
const WATCH: &str = "5s";

/// Where the server is, and whether there is more to submit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Whereabouts {
    /// Nothing while it is dead.
    pub(super) address: Option<SocketAddr>,
    /// Whether the clients are to end.
    pub(super) is_over: bool,
}

/// What all clients have in common.
pub(super) struct Desk {
    seed: u64,
    counter: SocketAddr,
    next: AtomicU64,
    acknowledged: watch::Sender<u64>,
}

impl Desk {
    pub(super) fn new(seed: u64, counter: SocketAddr) -> Self {
        Self { seed, counter, next: AtomicU64::new(0), acknowledged: watch::Sender::new(0) }
    }

    /// How many jobs were acknowledged so far, as it grows.
    pub(super) fn acknowledged(&self) -> watch::Receiver<u64> {
        self.acknowledged.subscribe()
    }

    /// The request that submits this work.
    pub(super) fn submission(&self, work: &Work) -> Request {
        Request::post("/jobs")
            .body("application/json", work.body(self.counter))
            .idempotency_key(Some(work.key()))
    }
}

/// Submits one job after another until there is no more to do; what it was told.
pub(super) async fn run(desk: Arc<Desk>, whereabouts: watch::Receiver<Whereabouts>) -> Ledger {
    let mut talk = Talk::new(whereabouts);
    while !talk.whereabouts.borrow().is_over {
        let work = Work::of(desk.seed, desk.next.fetch_add(1, Ordering::Relaxed));
        if talk.submit(&desk, &work).await.is_none() {
            break;
        }
    }
    talk.ledger
}

/// How a client talks to whatever server there is.
pub(super) struct Talk {
    whereabouts: watch::Receiver<Whereabouts>,
    clock: SystemClock,
    client: Option<(SocketAddr, Client)>,
    ledger: Ledger,
}

impl Talk {
    pub(super) fn new(whereabouts: watch::Receiver<Whereabouts>) -> Self {
        let (clock, client) = (SystemClock::default(), None);
        Self { whereabouts, clock, client, ledger: Ledger::default() }
    }

    /// Waits for a server. Nothing when nobody runs the test any more.
    pub(super) async fn until_there(&mut self) -> Option<()> {
        self.whereabouts.wait_for(|it| it.address.is_some()).await.ok().map(drop)
    }

    /// One job from its submission on. Nothing when nobody runs the test any more.
    async fn submit(&mut self, desk: &Desk, work: &Work) -> Option<()> {
        let submission = desk.submission(work);
        let times = if work.is_repeated { 2 } else { 1 };
        for _ in 0..times {
            let (status, answer) = self.until_answered(&submission).await?;
            let id = text(&answer, "id");
            if status != 202 || id.is_empty() {
                self.odd(&work.key(), status, &answer);
                return Some(());
            }
            self.ledger.acknowledge(work.number, id);
        }
        desk.acknowledged.send_modify(|count| *count += 1);
        let id = self.ledger.entry(work.number).ids.first().cloned()?;
        if work.is_cancelled {
            self.cancel(work, &id).await?;
        } else if work.is_watched {
            self.look(work, &id).await;
        }
        Some(())
    }

    async fn cancel(&mut self, work: &Work, id: &str) -> Option<()> {
        let cancel = Request::post(format!("/jobs/{id}/cancel"));
        let (status, answer) = self.until_answered(&cancel).await?;
        match status {
            200 => self.ledger.entry(work.number).cancelled = Some(true),
            409 => self.ledger.entry(work.number).cancelled = Some(false),
            _ => self.odd(id, status, &answer),
        }
        Some(())
    }

    /// Waits a while for the end of a job. If the connection breaks, it is not looked at again.
    async fn look(&mut self, work: &Work, id: &str) {
        let results = Request::get(format!("/jobs/{id}/results?wait={WATCH}"));
        let Some((status, outcome)) = self.once(&results).await else { return };
        match status {
            200 => {}
            // It is not finished, or the server is about to end.
            409 | 503 => return,
            _ => return self.odd(id, status, &outcome),
        }
        let Some((200, job)) = self.once(&Request::get(format!("/jobs/{id}"))).await else {
            return;
        };
        self.ledger.entry(work.number).seen.push(end_of(&job, &outcome));
    }

    /// Asks whatever server there is until one answers.
    pub(super) async fn until_answered(&mut self, request: &Request) -> Option<(u16, Value)> {
        loop {
            self.until_there().await?;
            match self.once(request).await {
                Some((status, answer)) if status != 503 => return Some((status, answer)),
                _ => {
                    self.ledger.resent += 1;
                    self.clock.sleep_until(self.clock.now().after(PAUSE)).await;
                }
            }
        }
    }

    /// Asks the server once. Nothing if it is dead or dies before its answer has come.
    pub(super) async fn once(&mut self, request: &Request) -> Option<(u16, Value)> {
        let address = self.whereabouts.borrow().address?;
        let client = match self.client.take() {
            Some((known, client)) if known == address => client,
            _ => Client::new(format!("http://{address}").parse().ok()?, None),
        };
        let answered = exchange(&client, request).await.ok();
        self.client = answered.is_some().then_some((address, client));
        answered
    }

    fn odd(&mut self, whose: &str, status: u16, answer: &Value) {
        self.ledger.odd.push((whose.to_owned(), format!("the answer was {status} {answer}")));
    }
}

/// One request and its whole answer.
pub(super) async fn exchange(
    client: &Client,
    request: &Request,
) -> Result<(u16, Value), ClientError> {
    let answer = client.send(request).await?;
    Ok((answer.status(), answer.value().await?))
}
