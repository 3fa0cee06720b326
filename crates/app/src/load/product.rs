//! One large job: the product of two halves of an object, read back page by page.

use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::talk::{Talk, request};

/// How often the job is looked at until it has ended.
const LOOK: Duration = Duration::from_millis(5);

/// What to multiply and how to read it.
#[derive(Debug, Clone)]
pub struct Product {
    /// Where the server listens.
    pub address: SocketAddr,
    /// How many keys the posted object has.
    pub keys: usize,
    /// How many entries a page has.
    pub page_rows: usize,
}

/// How long its parts took, and how much came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Paged {
    /// From the post to its answer.
    pub submitted: Duration,
    /// From then until the job was seen to be completed.
    pub completed: Duration,
    /// From then until the last page was read.
    pub read: Duration,
    /// The entries of all pages.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Paged {
    /// As one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { submitted, completed, read, entries, bytes } = self;
        serde_json::json!({
            "seconds": (*submitted + *completed + *read).as_secs_f64(),
            "submit_seconds": submitted.as_secs_f64(),
            "perform_seconds": completed.as_secs_f64(),
            "page_seconds": read.as_secs_f64(),
            "entries": entries,
            "bytes": bytes,
        })
        .to_string()
    }
}

/// Posts the job, waits for its end, reads every page.
///
/// # Errors
/// The connection broke, or an answer was not what it should be.
#[expect(clippy::disallowed_methods, reason = "a load generator measures real time")]
pub async fn multiply(product: &Product) -> io::Result<Paged> {
    let body = body(product.keys);
    let mut talk = Talk::begin(product.address).await?;
    let start = Instant::now();
    let status = talk.exchange(&request(product.address, "POST", "/jobs", "", &body)).await?;
    let id = talk.id().filter(|_| status == 202).ok_or_else(|| odd(&talk))?;
    let id = String::from_utf8_lossy(id).into_owned();
    let submitted = start.elapsed();
    until_completed(&mut talk, product.address, &id).await?;
    let completed = start.elapsed() - submitted;
    let (entries, bytes) = read_pages(&mut talk, product, &id).await?;
    let read = start.elapsed() - submitted - completed;
    Ok(Paged { submitted, completed, read, entries, bytes })
}

fn body(keys: usize) -> String {
    let mut body = r#"{"flow":"expand_reduce_flow","input":{"#.to_owned();
    for key in 0..keys {
        let comma = if key == 0 { "" } else { "," };
        write!(body, r#"{comma}"key{key}":"value {key}""#).expect("a text takes everything");
    }
    body.push_str("}}");
    body
}

#[expect(clippy::disallowed_methods, reason = "looking at a job does not wait for its result")]
async fn until_completed(talk: &mut Talk, address: SocketAddr, id: &str) -> io::Result<()> {
    let look = request(address, "GET", &format!("/jobs/{id}"), "", "");
    loop {
        let status = talk.exchange(&look).await?;
        if talk.says(b"\"status\":\"completed\"") {
            return Ok(());
        }
        let goes_on = ["submitted", "running"].map(|state| format!("\"status\":\"{state}\""));
        if status != 200 || !goes_on.iter().any(|state| talk.says(state.as_bytes())) {
            return Err(odd(talk));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Reads all pages; answers how many entries and bytes there were.
async fn read_pages(talk: &mut Talk, product: &Product, id: &str) -> io::Result<(u64, u64)> {
    let mut path = format!("/jobs/{id}/pairs?limit={}", product.page_rows);
    let (mut entries, mut bytes) = (0, 0);
    loop {
        let status = talk.exchange(&request(product.address, "GET", &path, "", "")).await?;
        if status != 200 {
            return Err(odd(talk));
        }
        // One brace for each entry and one for the page: neither keys nor values have any.
        entries += talk.body().iter().map(|byte| u64::from(*byte == b'{')).sum::<u64>() - 1;
        bytes += talk.body().len() as u64;
        match next(talk.body()).ok_or_else(|| odd(talk))? {
            "" => return Ok((entries, bytes)),
            cursor => {
                path = format!("/jobs/{id}/pairs?limit={}&cursor={cursor}", product.page_rows);
            }
        }
    }
}

/// The cursor at the end of a page; empty after the last.
fn next(page: &[u8]) -> Option<&str> {
    let tail = std::str::from_utf8(page.last_chunk::<64>().map_or(page, |tail| tail)).ok()?;
    let (_, cursor) = tail.rsplit_once("\"next\":")?;
    let cursor = cursor.strip_suffix('}')?;
    Some(if cursor == "null" { "" } else { cursor.trim_matches('"') })
}

fn odd(talk: &Talk) -> io::Error {
    let body = talk.body();
    let start = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
    io::Error::other(format!("an odd answer: {start}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_the_next() {
        assert_eq!(next(br#"{"items":[],"next":"1000"}"#), Some("1000"));
        assert_eq!(next(br#"{"items":[],"next":null}"#), Some(""));
        assert_eq!(next(b"{}"), None);
    }

    #[test]
    fn the_body_is_an_object_of_so_many_keys() {
        let body: serde_json::Value = serde_json::from_str(&body(3)).unwrap();
        assert_eq!(body["input"].as_object().unwrap().len(), 3);
    }
}
