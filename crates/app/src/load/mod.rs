//! A load generator: the same question over many keep-alive connections, each waiting for its
//! answer before it asks again. It parses as little as it can, so that it measures the server.

mod leased;
mod product;
mod report;
mod talk;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub use leased::{Leasing, work};
pub use product::{Paged, Product, multiply};
pub use report::Report;

use report::Tally;
use talk::Talk;

/// What to ask, how often at once and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where the server listens.
    pub address: SocketAddr,
    /// What each connection does over and over.
    pub ask: Ask,
    /// The API key, if the server wants one.
    pub key: Option<String>,
    /// How many connections.
    pub connections: usize,
    /// For how long.
    pub duration: Duration,
}

/// What a connection does over and over.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Posts this body.
    Post {
        /// The path and query.
        path: String,
        /// The body.
        body: String,
    },
    /// Gets these in turn, each connection from another place in the list on.
    Get {
        /// The paths and queries; at least one.
        paths: Vec<String>,
    },
    /// Submits this job and then waits for its result, which counts as one.
    Perform {
        /// The body of the submission.
        body: String,
    },
}

/// Carries out the plan.
///
/// # Errors
/// A connection could not be made, or there is nothing to get.
#[expect(clippy::disallowed_methods, reason = "a load generator measures real time")]
pub async fn run(plan: &Plan) -> io::Result<Report> {
    let requests = Requests::of(plan)?;
    let mut talks = Vec::new();
    for _ in 0..plan.connections {
        talks.push(Talk::begin(plan.address).await?);
    }
    let start = Instant::now();
    let over = start + plan.duration;
    let share = requests.written.len() / plan.connections.max(1);
    let asking = talks.into_iter().enumerate();
    let asking = asking.map(|(number, talk)| ask(talk, &requests, number * share, over));
    let tallies = futures::future::join_all(asking).await;
    Ok(Report::of(tallies, start.elapsed()))
}

/// The requests as they go over the wire.
struct Requests {
    /// Sent in turn.
    written: Vec<Vec<u8>>,
    /// What stands around the id of the job in the second request, if there is one.
    second: Option<(Vec<u8>, Vec<u8>)>,
}

impl Requests {
    fn of(plan: &Plan) -> io::Result<Self> {
        let post = |path, body| vec![head_and_body(plan, "POST", path, body)];
        let (written, second) = match &plan.ask {
            Ask::Post { path, body } => (post(path, body), None),
            Ask::Get { paths } => {
                (paths.iter().map(|path| head_and_body(plan, "GET", path, "")).collect(), None)
            }
            Ask::Perform { body } => {
                let get = head_and_body(plan, "GET", "/jobs/\n/results?wait=30s", "");
                let cut = get.iter().position(|byte| *byte == b'\n').unwrap_or(get.len());
                let around = (get[..cut].to_vec(), get[cut + 1..].to_vec());
                (post("/jobs", body), Some(around))
            }
        };
        if written.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is nothing to get"));
        }
        Ok(Self { written, second })
    }
}

fn head_and_body(plan: &Plan, method: &str, path: &str, body: &str) -> Vec<u8> {
    let key = plan.key.as_ref().map(|key| format!("Authorization: Bearer {key}\r\n"));
    talk::request(plan.address, method, path, &key.unwrap_or_default(), body)
}

#[expect(clippy::disallowed_methods, reason = "a load generator measures real time")]
async fn ask(mut talk: Talk, requests: &Requests, first: usize, over: Instant) -> Tally {
    let mut tally = Tally::default();
    let mut second = Vec::new();
    for request in requests.written.iter().cycle().skip(first) {
        let began = Instant::now();
        if began >= over {
            break;
        }
        let answered = match &requests.second {
            None => talk.exchange(request).await.map(|status| status / 100 == 2),
            Some(around) => perform(&mut talk, request, around, &mut second).await,
        };
        match answered {
            Ok(true) => tally.accepted += 1,
            Ok(false) => tally.refused += 1,
            Err(_) => {
                tally.broken = true;
                break;
            }
        }
        tally.micros.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    tally
}

/// Submits a job and waits for its result; whether it came.
async fn perform(
    talk: &mut Talk,
    request: &[u8],
    (before, after): &(Vec<u8>, Vec<u8>),
    second: &mut Vec<u8>,
) -> io::Result<bool> {
    if talk.exchange(request).await? / 100 != 2 {
        return Ok(false);
    }
    let id = talk.id().ok_or(io::ErrorKind::InvalidData)?;
    second.clear();
    second.extend_from_slice(before);
    second.extend_from_slice(id);
    second.extend_from_slice(after);
    let status = talk.exchange(second).await?;
    Ok(status == 200 && talk.says(b"\"status\":\"completed\""))
}
