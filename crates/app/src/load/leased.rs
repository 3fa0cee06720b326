//! A worker outside: leases many jobs at a time and completes them, over and over.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::report::{Report, Tally};
use super::talk::{Talk, request};

/// What to lease, and for how long.
#[derive(Debug, Clone)]
pub struct Leasing {
    /// Where the server listens.
    pub address: SocketAddr,
    /// The flow whose jobs are leased from the default queue.
    pub flow: String,
    /// How many at a time.
    pub batch: usize,
    /// For how long, if there are jobs for as long.
    pub duration: Duration,
}

/// Leases and completes jobs until the time is over or none is left. What is counted are jobs;
/// times are those of a whole round, from the call for work to the answer to its results.
///
/// # Errors
/// The connection broke.
#[expect(clippy::disallowed_methods, reason = "a load generator measures real time")]
pub async fn work(leasing: &Leasing) -> io::Result<Report> {
    let Leasing { address, flow, batch, duration } = leasing;
    let call = format!(r#"{{"worker":"load","flows":["{flow}"],"max":{batch}}}"#);
    let call = request(*address, "POST", "/queues/default/lease", "", &call);
    let mut talk = Talk::begin(*address).await?;
    let mut tally = Tally::default();
    let start = Instant::now();
    loop {
        let began = Instant::now();
        if began - start >= *duration {
            break;
        }
        let status = talk.exchange(&call).await?;
        let leases = leases(talk.body());
        if status != 200 || leases.is_empty() {
            break;
        }
        let items: Vec<String> = leases
            .iter()
            .map(|(id, token)| format!(r#"{{"id":"{id}","token":{token},"result":{{"ok":true}}}}"#))
            .collect();
        let body = format!("[{}]", items.join(","));
        let complete = request(*address, "POST", "/jobs/complete", "", &body);
        let status = talk.exchange(&complete).await?;
        let done = count(talk.body(), b"\"status\":\"completed\"");
        tally.accepted += done as u64;
        tally.refused += (leases.len() - done.min(leases.len())) as u64;
        tally.broken |= status != 200;
        tally.micros.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(Report::of(vec![tally], start.elapsed()))
}

/// The id and the token of each lease in an answer.
fn leases(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    let between = |text: &str, before: &str, end: char| {
        let (_, rest) = text.split_once(before)?;
        Some(rest.split(end).next().unwrap_or_default().to_owned())
    };
    let jobs = text.split("{\"id\":").skip(1);
    jobs.filter_map(|job| Some((between(job, "\"", '"')?, between(job, "\"token\":", ',')?)))
        .collect()
}

fn count(body: &[u8], part: &[u8]) -> usize {
    body.windows(part.len()).filter(|window| *window == part).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_are_found_in_an_answer() {
        let body = br#"{"jobs":[{"id":"a","flow":"f","lease":{"token":1,"expires_at":"x"}},
            {"id":"b","flow":"f","lease":{"token":22,"expires_at":"x"}}]}"#;
        let pair = |id: &str, token: &str| (id.to_owned(), token.to_owned());
        assert_eq!(leases(body), [pair("a", "1"), pair("b", "22")]);
        assert_eq!(leases(br#"{"jobs":[]}"#), []);
        assert_eq!(count(b"aXbXX", b"X"), 3);
    }
}
