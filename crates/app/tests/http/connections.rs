//! Connections: time limits, the cap, the shutdown.

use std::time::Duration;

use jobmill::http::{Access, Settings};
use jobmill_model::Span;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Answer, read_answer};
use crate::server::Server;

/// Longer than anything here should take.
const PATIENCE: Duration = Duration::from_secs(20);

fn quick() -> Settings {
    let (request_timeout, header_timeout) = (Span::from_millis(150), Span::from_millis(150));
    Settings { request_timeout, header_timeout, ..Settings::new(Access::Loopback) }
}

#[expect(clippy::disallowed_methods, reason = "a test that hangs should fail instead")]
async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it does not hang")
}

/// Reads whatever still comes until the server closes the connection.
async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = in_time(stream.read_to_end(&mut bytes)).await;
    bytes
}

#[tokio::test]
async fn half_a_request_head_is_not_waited_for() {
    let server = Server::with(quick()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /jobs HTTP/1.1\r\nHost: loc").await.unwrap();
    until_closed(&mut stream).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Server::with(quick()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let bytes = until_closed(&mut stream).await;
    assert!(bytes.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_slow_body_is_a_timeout() {
    let server = Server::with(quick()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    stream.write_all(format!("{head}Content-Length: 100\r\n\r\n{{").as_bytes()).await.unwrap();
    let answer = in_time(read_answer(&mut stream)).await;
    answer.problem(408);
}

/// Sends all of a large body before it reads the answer.
async fn send_all_then_read(server: &Server, host: &str) -> Answer {
    const PIECES: usize = 600;
    let piece = vec![b' '; 64 * 1024];
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /jobs HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        PIECES * piece.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..PIECES {
        stream.write_all(&piece).await.unwrap();
    }
    in_time(read_answer(&mut stream)).await
}

#[tokio::test]
async fn a_refusal_reaches_a_sender_that_reads_only_when_all_is_sent() {
    let settings = Settings { body_bytes: 1_000, ..Settings::new(Access::Loopback) };
    let server = Server::with(settings).await;
    send_all_then_read(&server, "localhost").await.problem(413);
    send_all_then_read(&server, "example.org").await.problem(403);
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_for_a_place() {
    let settings = Settings { connections: 2, ..Settings::new(Access::Loopback) };
    let server = Server::with(settings).await;
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        streams.push(stream);
    }
    let mut third = streams.pop().unwrap();
    for stream in &mut streams {
        assert_eq!(in_time(stream.read_u8()).await.unwrap(), b'H');
    }
    assert!(third.try_read(&mut [0; 1]).is_err(), "the third is not served yet");
    drop(streams.pop());
    assert_eq!(in_time(third.read_u8()).await.unwrap(), b'H');
}

#[tokio::test]
async fn a_reader_who_takes_nothing_loses_its_place() {
    let server = Server::with(Settings { connections: 1, ..quick() }).await;
    let body = format!(r#"{{"flow":"echo","input":"{}"}}"#, "x".repeat(15_000_000));
    let id = server.submit(&body).await;
    let ended = jobmill_model::Span::from_secs(30);
    server.engine.wait(id.parse().unwrap(), ended).await.unwrap();
    let mut stuck = TcpStream::connect(server.address).await.unwrap();
    let request = format!("GET /jobs/{id}/results HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stuck.write_all(request.as_bytes()).await.unwrap();
    // There is one place, so this answer comes only when the other connection is given up.
    assert_eq!(in_time(server.get("/healthz")).await.status, 200);
    assert!(until_closed(&mut stuck).await.len() < 15_000_000);
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let last = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(format!("{one}{one}{last}").as_bytes()).await.unwrap();
    let bytes = until_closed(&mut stream).await;
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200").count(), 3);
    assert!(text.ends_with(r#"{"status":"ready"}"#));
}

#[tokio::test]
async fn a_shutdown_closes_idle_connections_and_ends() {
    let server = Server::start().await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert_eq!(in_time(idle.read_u8()).await.unwrap(), b'H');
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    server.get("/healthz").await;
    let task = server.stop();
    in_time(task).await.unwrap().unwrap();
    until_closed(&mut idle).await;
    until_closed(&mut silent).await;
}

#[tokio::test]
async fn a_shutdown_answers_readers_who_wait() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"gate"}"#).await;
    let (address, gate) = (server.address, server.gate.clone());
    let path = format!("/jobs/{id}/results?wait=60s");
    let reader = crate::client::Request::new("GET", &path).send(address);
    let reader = tokio::spawn(reader);
    // Another whole request fits between, so the reader is waiting by now.
    server.get("/healthz").await;
    let task = server.stop();
    in_time(task).await.unwrap().unwrap();
    in_time(reader).await.unwrap().problem(409);
    gate.open();
}

#[tokio::test]
async fn a_draining_server_refuses_work_and_says_when_to_come_back() {
    let server = Server::start().await;
    server.engine.drain().await;
    let answer = server.post("/jobs", r#"{"flow":"echo"}"#).await;
    answer.problem(503);
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    server.get("/readyz").await.problem(503);
    assert_eq!(server.get("/healthz").await.status, 200);
}
