//! What happens to jobs, as server-sent events.

use jobmill::http::{Access, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Request;
use crate::server::Server;

/// A stream of events that is read as it comes.
struct Stream {
    stream: TcpStream,
    text: String,
}

impl Stream {
    async fn open(server: &Server, path: &str, last_id: &str) -> Self {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {last_id}");
        stream.write_all(format!("{head}\r\n\r\n").as_bytes()).await.unwrap();
        let mut opened = Self { stream, text: String::new() };
        opened.until("retry: 2000").await;
        assert!(opened.text.contains("text/event-stream"), "{}", opened.text);
        opened
    }

    /// Reads on until this has come; the test's own time limit ends a stream that hangs.
    async fn until(&mut self, words: &str) {
        let mut piece = [0; 4_096];
        while !self.text.contains(words) {
            let count = self.stream.read(&mut piece).await.unwrap();
            assert!(count > 0, "the stream ended before {words:?}: {}", self.text);
            self.text += std::str::from_utf8(&piece[..count]).unwrap();
        }
    }

    /// The id of the event that has these words after it.
    fn id_before(&self, words: &str) -> String {
        let (before, _) = self.text.split_once(words).unwrap();
        let (_, id) = before.rsplit_once("id: ").unwrap();
        id.lines().next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_job_is_followed_until_it_has_ended() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"gate"}"#).await;
    let mut stream = Stream::open(&server, &format!("/jobs/{id}/events"), "").await;
    stream.until("\"status\":\"running\"").await;
    server.gate.open();
    stream.until("\"status\":\"completed\"").await;
    stream.until("event: end\ndata: {\"reason\":\"ended\",\"status\":\"completed\"}").await;
    let again = server.get(&format!("/jobs/{id}/events")).await;
    assert_eq!(again.text().matches("event: ").count(), 2, "{}", again.text());
    server.get("/jobs/x/events").await.problem(404);
}

#[tokio::test]
async fn all_jobs_are_followed_and_a_reader_goes_on_from_where_it_was() {
    let server = Server::start().await;
    let mut stream = Stream::open(&server, "/events?flow=echo", "").await;
    stream.until("event: open\n").await;
    let before = stream.id_before("\nevent: open");
    let other = server.submit(r#"{"flow":"many","input":1}"#).await;
    server.outcome(&other).await;
    let id = server.submit(r#"{"flow":"echo","input":1}"#).await;
    stream.until(&format!("\"id\":\"{id}\"")).await;
    stream.until("\"status\":\"completed\"").await;
    assert!(!stream.text.contains(&other), "a filter holds");
    drop(stream);
    let mut again = Stream::open(&server, "/events?flow=echo", &before).await;
    again.until(&format!("\"id\":\"{id}\"")).await;
    assert!(!again.text.contains("resync"), "{}", again.text);
    Request::new("DELETE", &format!("/jobs/{id}")).send(server.address).await;
    again.until(&format!("event: deleted\ndata: {{\"id\":\"{id}\"}}")).await;
}

#[tokio::test]
async fn after_a_restart_whatever_may_have_changed_is_told() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"echo","input":1}"#).await;
    server.outcome(&id).await;
    let now = server.engine.now().as_millis();
    let earlier = format!("0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42.7.{now}");
    let mut stream = Stream::open(&server, "/events", &earlier).await;
    stream.until("event: synced").await;
    let (before, after) = stream.text.split_once("event: resync").unwrap();
    assert!(!before.contains("event: ") && after.contains(&id), "{}", stream.text);
    let far = format!("0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42.7.{}", now + 86_400_000);
    let mut stream = Stream::open(&server, "/events", &far).await;
    stream.until("event: synced").await;
    assert!(!stream.text.contains(&id), "what ended before is not told again");
}

#[tokio::test]
async fn a_shutdown_ends_the_streams_in_order() {
    let server = Server::start().await;
    let mut stream = Stream::open(&server, "/events", "").await;
    stream.until("event: open\n").await;
    server.engine.drain().await;
    stream.until("event: end\ndata: {\"reason\":\"closing\"}").await;
    assert_eq!(server.get("/events").await.status, 503);
    server.stop().await.unwrap().unwrap();
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused() {
    let settings = Settings { streams: 1, ..Settings::new(Access::Loopback) };
    let server = Server::with(settings).await;
    let mut stream = Stream::open(&server, "/events", "").await;
    stream.until("event: open\n").await;
    let refused = server.get("/events").await;
    assert!(refused.header("retry-after").is_some(), "{}", refused.text());
    refused.problem(503);
}

#[tokio::test]
async fn a_place_that_is_none_and_a_wrong_filter_are_refused() {
    let server = Server::start().await;
    let answer = Request::new("GET", "/events").header("Last-Event-ID", "7").send(server.address);
    answer.await.problem(400);
    server.get("/events?status=done").await.problem(400);
    server.get("/events?state=failed").await.problem(400);
}
