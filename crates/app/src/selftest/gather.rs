//! Reads how everything stands at the end, over the API and nothing else.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use futures::future::try_join_all;
use jobmill_engine::clock::{Clock, SystemClock};
use jobmill_model::{Span, Value};

use super::answer::{end_of, field, items, text, whole};
use super::clients::{Desk, exchange};
use super::ledger::{End, Ledger};
use super::work::Work;
use crate::client::{Client, ClientError, Request};

/// Without any job ending for so long, nothing will come any more.
const STALLED: Span = Span::from_secs(60);
const LOOK: Span = Span::from_millis(50);
/// About so many keys are sent once more at the very end.
const RESENT: usize = 2_000;

/// The states that jobs end in.
pub(super) const FINAL: [&str; 3] = ["completed", "failed", "cancelled"];

/// One job as the server shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its id.
    pub(super) id: String,
    /// Its first tag, which is the idempotency key of its submission.
    pub(super) tag: String,
    /// Where it stands; its outcome is empty if it has not ended.
    pub(super) end: End,
    /// Its failed attempts, oldest first: number and code.
    pub(super) tries: Vec<(u32, String)>,
}

/// Everything that the server shows at the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings {
    /// The whole list, in its order.
    pub(super) listed: Vec<Found>,
    /// What `GET /jobs/counts` says.
    pub(super) counts: BTreeMap<String, u64>,
}

/// A server that is not killed any more.
pub(super) struct Reader {
    address: SocketAddr,
    client: Client,
    clock: SystemClock,
}

impl Reader {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, client: client(address), clock: SystemClock::default() }
    }

    /// Waits until every job has ended, or none does any more. `told` hears how many are left.
    ///
    /// # Errors
    /// A server that cannot be asked.
    pub(super) async fn until_idle(&self, told: impl Fn(u64)) -> Result<(), ClientError> {
        let (mut least, mut since) = (u64::MAX, self.clock.now());
        loop {
            let counts = self.counts().await?;
            let count = |state: &str| counts.get(state).copied().unwrap_or_default();
            let left = count("total") - FINAL.map(count).iter().sum::<u64>();
            told(left);
            if left < least {
                (least, since) = (left, self.clock.now());
            }
            if left == 0 || self.clock.now() > since.after(STALLED) {
                return Ok(());
            }
            self.clock.sleep_until(self.clock.now().after(LOOK)).await;
        }
    }

    /// Sends some keys once more and notes which jobs they name.
    ///
    /// # Errors
    /// A server that cannot be asked.
    pub(super) async fn resend(
        &self,
        desk: &Desk,
        seed: u64,
        ledger: &mut Ledger,
    ) -> Result<(), ClientError> {
        let step = ledger.entries.len() / RESENT + 1;
        let numbers: Vec<u64> = ledger.entries.keys().copied().step_by(step).collect();
        for number in numbers {
            let work = Work::of(seed, number);
            let (status, answer) = exchange(&self.client, &desk.submission(&work)).await?;
            match (status, text(&answer, "id")) {
                (202, id) if !id.is_empty() => ledger.acknowledge(number, id),
                _ => ledger.odd.push((work.key(), format!("repeated: {status} {answer}"))),
            }
        }
        Ok(())
    }

    /// Reads the whole list, every outcome and every failed attempt, over so many connections.
    ///
    /// # Errors
    /// A server that cannot be asked.
    pub(super) async fn gather(&self, connections: usize) -> Result<Findings, ClientError> {
        let mut listed = self.list().await?;
        let share = listed.len().div_ceil(connections.max(1)).max(1);
        let shares = listed.chunks_mut(share).map(|share| fill(client(self.address), share));
        try_join_all(shares).await?;
        Ok(Findings { listed, counts: self.counts().await? })
    }

    async fn counts(&self) -> Result<BTreeMap<String, u64>, ClientError> {
        let counts = self.client.ask(&Request::get("/jobs/counts")).await?;
        let names = counts.as_map().into_iter().flat_map(|map| map.keys());
        Ok(names.map(|name| (name.to_string(), whole(&counts, name))).collect())
    }

    async fn list(&self) -> Result<Vec<Found>, ClientError> {
        let mut listed = Vec::new();
        let mut path = "/jobs?limit=1000".to_owned();
        loop {
            let page = self.client.ask(&Request::get(path)).await?;
            listed.extend(items(&page).iter().map(found));
            match field(&page, "next").and_then(Value::as_str) {
                Some(next) => path = format!("/jobs?limit=1000&cursor={next}"),
                None => return Ok(listed),
            }
        }
    }
}

fn client(address: SocketAddr) -> Client {
    let address = format!("http://{address}").parse();
    Client::new(address.expect("an address of a socket makes a URL"), None)
}

fn found(job: &Value) -> Found {
    let tag = field(job, "tags").and_then(Value::as_list).and_then(|tags| tags.first()?.as_str());
    let end = End { outcome: String::new(), ..end_of(job, &Value::Null) };
    let (id, tag) = (text(job, "id").to_owned(), tag.unwrap_or_default().to_owned());
    Found { id, tag, end, tries: Vec::new() }
}

/// Adds outcomes, and failed attempts where there can be some.
async fn fill(client: Client, jobs: &mut [Found]) -> Result<(), ClientError> {
    for job in jobs.iter_mut().filter(|job| FINAL.contains(&job.end.status.as_str())) {
        let results = Request::get(format!("/jobs/{}/results", job.id));
        let (_, outcome) = exchange(&client, &results).await?;
        job.end.outcome = end_of(&Value::Null, &outcome).outcome;
        if job.end.attempt != 1 || job.end.status != "completed" {
            let errors = Request::get(format!("/jobs/{}/errors?limit=1000", job.id));
            let errors = client.ask(&errors).await?;
            let tries = items(&errors).iter();
            job.tries = tries.map(|it| (whole(it, "attempt"), text(it, "type").into())).collect();
        }
    }
    Ok(())
}
