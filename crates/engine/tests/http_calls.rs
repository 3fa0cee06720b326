//! What the engine promises of HTTP calls, against real servers on loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "http_calls/server.rs"]
mod server;
mod world;

use std::sync::Arc;

use jobmill_engine::{Config, Engine, Gate, Registry};
use jobmill_model::job::NewJob;
use jobmill_model::machine::{
    Begin, Effect, EffectNumber, HttpCall, HttpResponse, Machine, Outcome, Program, Seed, Step,
    Then,
};
use jobmill_model::{JobId, Span, State, Value};
use jobmill_store::memory::MemoryStore;
use server::{Reply, Server};
use world::{Counter, HandClock, LONG, card, result_of, spec};

const LOOPBACK: Gate = Gate { private: false, loopback: true };

/// A machine that makes one call and ends with what came of it.
struct OneCall(HttpCall);

impl Program for OneCall {
    fn machine(&self, _begin: Begin) -> Box<dyn Machine> {
        Box::new(Self(self.0.clone()))
    }
}

impl Machine for OneCall {
    fn start(&mut self) -> Step {
        let effects = vec![(EffectNumber(0), Effect::Http(self.0.clone()))];
        Step { effects, then: Then::Wait }
    }

    fn fold(&mut self, _number: EffectNumber, outcome: Outcome) -> Step {
        let value = match outcome {
            Outcome::Done(answer) => answer,
            Outcome::Failed { code, message } => {
                Value::map([("code", Value::from(code)), ("message", Value::from(message))])
            }
            other => panic!("{other:?} is no answer to a call"),
        };
        Step { effects: Vec::new(), then: Then::End(Ok(value)) }
    }

    fn go_on(&mut self) -> Step {
        unreachable!("it never pauses")
    }
}

fn call(method: &str, url: impl Into<String>) -> HttpCall {
    HttpCall {
        method: method.to_owned(),
        url: url.into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        timeout_ms: 300_000,
        response_bytes_max: 1_000,
        auth: None,
        private_service_name: None,
        ca_certificate: None,
    }
}

fn get(url: impl Into<String>) -> HttpCall {
    call("GET", url)
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A call under way in an engine of its own.
struct Calling {
    engine: Engine,
    store: Arc<MemoryStore>,
    clock: HandClock,
    id: JobId,
}

impl Calling {
    async fn begin(gate: Gate, call: HttpCall) -> Self {
        let (store, clock) = (Arc::new(MemoryStore::default()), HandClock::default());
        let program = Arc::new(OneCall(call));
        let registry = Registry::new().with_program(card("one_call"), program).unwrap();
        let config = Config { workers: 1, gate, ..Config::default() };
        let (time, chance) = (Arc::new(clock.clone()), Arc::new(Counter::default()));
        let engine = Engine::start(store.clone(), registry, time, chance, config).await.unwrap();
        let (input, params) = (Value::Null, Value::map::<&str>([]));
        let job = NewJob { spec: spec("one_call"), input, params };
        let id = engine.submit(vec![job], None).await.unwrap()[0].id;
        Self { engine, store, clock, id }
    }

    async fn end(self) -> Result<HttpResponse, (String, String)> {
        let job = self.engine.wait(self.id, LONG).await.unwrap().unwrap();
        assert_eq!(job.state, State::Completed, "{job:?}");
        let value = result_of(&*self.store, self.id).await;
        let text = |name: &str| {
            let text = value.as_map().and_then(|map| map.get(name)?.as_str());
            text.unwrap_or_else(|| panic!("{value} has no {name}")).to_owned()
        };
        HttpResponse::from_value(&value).ok_or_else(|| (text("code"), text("message")))
    }
}

async fn make(call: HttpCall) -> Result<HttpResponse, (String, String)> {
    Calling::begin(LOOPBACK, call).await.end().await
}

async fn answer(call: HttpCall) -> HttpResponse {
    make(call).await.unwrap()
}

/// The code and the text with which a call fails.
async fn failure(call: HttpCall) -> (String, String) {
    make(call).await.unwrap_err()
}

#[tokio::test]
async fn a_call_arrives_as_it_was_made_and_its_answer_comes_back_whole() {
    let lines = ["Content-Type: text/plain", "X-Two: a", "X-Two: b", "X-Latin: caf\u{e9}"];
    let mut server =
        Server::start(move |_| Reply::of("201 Made", &lines, "gr\u{fc}n".as_bytes())).await;
    let sent = HttpCall {
        query: pairs(&[("q", "a b&c"), ("q", "\u{e4}")]),
        headers: pairs(&[("X-Mine", "1"), ("x-mine", "2"), ("Content-Type", "a/b")]),
        body: Some(Arc::from(&b"\x00\xff raw"[..])),
        ..call("PATCH", format!("{}/path?first=1#part", server.url))
    };
    let answer = answer(sent).await;
    assert_eq!((answer.status, &*answer.body), (201, "gr\u{fc}n".as_bytes()));
    for (name, value) in [("content-type", "text/plain"), ("x-two", "a"), ("x-two", "b")] {
        assert!(answer.headers.contains(&(name.to_owned(), value.to_owned())), "{answer:?}");
    }
    let latin = answer.headers.iter().find(|(name, _)| name == "x-latin").unwrap();
    assert_eq!(latin.1, "caf\u{e9}");

    let heard = server.heard().await;
    assert_eq!(heard.line, "PATCH /path?first=1&q=a+b%26c&q=%C3%A4 HTTP/1.1");
    let mine = heard.headers.iter().filter(|(name, _)| name == "x-mine");
    assert!(mine.map(|(_, value)| value.as_str()).eq(["1", "2"]), "{heard:?}");
    assert_eq!(heard.header("content-type"), Some("a/b"));
    assert_eq!(heard.body, b"\x00\xff raw");
    assert!(heard.header("user-agent").unwrap().starts_with("jobmill/"));
}

#[tokio::test]
async fn an_answer_that_is_no_text_comes_back_byte_by_byte() {
    let server = Server::start(|_| Reply::of("200 OK", &[], b"\x89PNG\x00\xff")).await;
    assert_eq!(answer(get(&server.url)).await.body, b"\x89PNG\x00\xff");
}

#[tokio::test]
async fn every_status_is_an_outcome() {
    for status in [204_u16, 300, 304, 404, 429, 500, 503] {
        let server = Server::start(move |_| Reply::of(&format!("{status} X"), &[], b"")).await;
        assert_eq!(answer(get(&server.url)).await.status, status);
    }
}

#[tokio::test]
async fn the_answer_to_head_has_no_body_whatever_its_length_says() {
    let large = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n";
    let server = Server::start(|_| Reply::Bytes(large.into())).await;
    let answer = answer(call("HEAD", &server.url)).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[tokio::test]
async fn the_idempotency_key_is_that_of_the_effect_unless_the_caller_has_one() {
    let mut server = Server::start(|_| Reply::ok()).await;
    let calling = Calling::begin(LOOPBACK, call("POST", &server.url)).await;
    let key = Seed::of(calling.id, 1).idempotency_key(EffectNumber(0));
    calling.end().await.unwrap();
    assert_eq!(server.heard().await.header("idempotency-key"), Some(&*key));

    let headers = pairs(&[("IDEMPOTENCY-KEY", "mine")]);
    answer(HttpCall { headers, ..call("POST", &server.url) }).await;
    assert_eq!(server.heard().await.header("idempotency-key"), Some("mine"));
}

#[tokio::test]
async fn headers_that_would_break_the_message_are_set_by_the_client_alone() {
    let mut server = Server::start(|_| Reply::ok()).await;
    let headers = pairs(&[("Content-Length", "99"), ("Transfer-Encoding", "chunked")]);
    let body = Some(Arc::from(&b"four"[..]));
    answer(HttpCall { headers, body, ..call("POST", &server.url) }).await;
    let heard = server.heard().await;
    assert_eq!(heard.header("content-length"), Some("4"));
    assert_eq!(heard.header("transfer-encoding"), None);
}

#[tokio::test]
async fn a_call_ends_when_its_time_is_over() {
    let partial = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    for stall in ["", "HTTP/1.1 200 OK\r\n", partial] {
        let mut server = Server::start(move |_| Reply::Stall(stall)).await;
        let timed = HttpCall { timeout_ms: 5_000, ..get(&server.url) };
        let calling = Calling::begin(LOOPBACK, timed).await;
        server.heard().await;
        calling.clock.advance(Span::from_secs(5));
        let (code, message) = calling.end().await.unwrap_err();
        assert_eq!(code, "TimeoutError");
        assert!(message.contains("within 5"), "{message}");
    }
}

#[tokio::test]
async fn a_refused_connection_has_failed() {
    // A port that is taken and on which nobody listens.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let place = taken.local_addr().unwrap().to_string();
    let (code, message) = failure(get(format!("http://user:hush@{place}/hush"))).await;
    assert_eq!(code, "ConnectionFailedError");
    assert!(message.starts_with(&format!("connect to {place}: ")), "{message}");
    assert!(message.contains("refused") && !message.contains("hush"), "{message}");
}

#[tokio::test]
async fn a_connection_that_breaks_on_the_way_is_another_failure() {
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    for cut in ["", "HTTP/1.1 200 OK\r\nConte", length, chunks, "nonsense\r\n\r\n"] {
        let server = Server::start(|_| Reply::Bytes(cut.into())).await;
        let (code, message) = failure(get(format!("{}/?hush", server.url))).await;
        assert_eq!(code, "ConnectionError", "{cut:?}: {message}");
        assert!(!message.contains("hush"), "{message}");
    }
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_call_allows_and_no_larger() {
    let chunked = |bytes: usize| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{head}{bytes:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(bytes)).into_bytes()
    };
    let server = Server::start(move |heard| match heard.line.split(' ').nth(1).unwrap() {
        "/length/1000" => Reply::of("200 OK", &[], &[b'x'; 1_000]),
        "/length/1001" => Reply::of("200 OK", &[], &[b'x'; 1_001]),
        "/chunked/1000" => Reply::Bytes(chunked(1_000)),
        _ => Reply::Bytes(chunked(1_001)),
    })
    .await;
    for kind in ["length", "chunked"] {
        let fits = answer(get(format!("{}/{kind}/1000", server.url))).await;
        assert_eq!(fits.body.len(), 1_000);
        let (code, message) = failure(get(format!("{}/{kind}/1001", server.url))).await;
        assert_eq!(code, "ResponseTooLarge");
        assert!(message.contains("larger than 1000 bytes"), "{message}");
    }
}

#[tokio::test]
async fn loopback_is_refused_unless_it_is_allowed() {
    let server = Server::start(|_| Reply::ok()).await;
    let port = server.url.rsplit(':').next().unwrap();
    let names = ["127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433"];
    for gate in [Gate::default(), Gate { private: true, loopback: false }] {
        for name in names {
            let calling = Calling::begin(gate, get(format!("http://{name}:{port}/"))).await;
            let (code, message) = calling.end().await.unwrap_err();
            assert_eq!(code, "ForbiddenAddress", "{name}");
            assert!(message.contains(Gate::LOOPBACK_SETTING), "{message}");
        }
    }
    assert_eq!(server.connections(), 0);
    for name in ["127.0.0.1", "localhost"] {
        assert_eq!(answer(get(format!("http://{name}:{port}/"))).await.status, 200);
    }
}

#[tokio::test]
async fn metadata_and_private_addresses_are_refused() {
    for (host, hint) in [
        ("169.254.169.254", "no setting"),
        ("metadata.google.internal", "no setting"),
        ("[fd00:ec2::254]", "no setting"),
        ("10.0.0.1", Gate::PRIVATE_SETTING),
        ("[fd12::1]", Gate::PRIVATE_SETTING),
    ] {
        let (code, message) = failure(get(format!("http://{host}/"))).await;
        assert_eq!(code, "ForbiddenAddress", "{host}");
        assert!(message.contains(hint), "{message}");
    }
}

#[tokio::test]
async fn a_redirect_is_followed_as_browsers_do() {
    for (method, status, then) in [
        ("GET", "301 X", "GET"),
        ("GET", "302 X", "GET"),
        ("HEAD", "303 X", "HEAD"),
        ("POST", "301 X", "GET"),
        ("POST", "302 X", "GET"),
        ("POST", "303 X", "GET"),
        ("PUT", "302 X", "PUT"),
        ("PUT", "303 X", "GET"),
        ("POST", "307 X", "POST"),
        ("POST", "308 X", "POST"),
    ] {
        let mut server = Server::start(|heard| match heard.line.contains("/from") {
            true => Reply::to(status, "../there?x=1"),
            false => Reply::ok(),
        })
        .await;
        let sends = matches!(method, "POST" | "PUT");
        let body = sends.then(|| Arc::from(&b"body"[..]));
        let headers = pairs(&[("Authorization", "Bearer a")]);
        let url = format!("{}/a/from", server.url);
        assert_eq!(answer(HttpCall { body, headers, ..call(method, url) }).await.status, 200);
        let first = server.heard().await;
        let second = server.heard().await;
        assert_eq!(second.line, format!("{then} /there?x=1 HTTP/1.1"), "{method} {status}");
        assert_eq!(second.body.is_empty(), !sends || then == "GET", "{method} {status}");
        for kept in ["authorization", "idempotency-key"] {
            assert!(first.header(kept).is_some());
            assert_eq!(first.header(kept), second.header(kept), "{kept}");
        }
    }
}

#[tokio::test]
async fn another_host_does_not_hear_who_calls() {
    let mut stranger = Server::start(|_| Reply::ok()).await;
    let to = stranger.url.replace("//", "//eve:secret@");
    let mut server = Server::start(move |_| Reply::to("307 X", &to)).await;
    let headers = pairs(&[("Authorization", "a"), ("Cookie", "b"), ("Host", "c"), ("X-Own", "d")]);
    answer(HttpCall { headers, ..get(&server.url) }).await;
    let (first, second) = (server.heard().await, stranger.heard().await);
    for secret in ["authorization", "cookie"] {
        assert!(first.header(secret).is_some() && second.header(secret).is_none(), "{secret}");
    }
    assert_eq!(first.header("host"), Some("c"));
    assert_eq!(second.header("host"), stranger.url.strip_prefix("http://"));
    assert_eq!(second.header("x-own"), Some("d"));
}

#[tokio::test]
async fn a_redirect_to_a_forbidden_address_is_refused() {
    for to in ["http://169.254.169.254/latest", "http://metadata.google.internal/", "//10.0.0.1/"] {
        let server = Server::start(|_| Reply::to("302 X", to)).await;
        assert_eq!(failure(get(&server.url)).await.0, "ForbiddenAddress", "{to}");
    }
}

#[tokio::test]
async fn a_redirect_without_a_place_to_go_to_is_the_answer() {
    let none = Server::start(|_| Reply::of("302 X", &[], b"")).await;
    let app = Server::start(|_| Reply::to("302 X", "app://done")).await;
    for server in [none, app] {
        assert_eq!(answer(get(&server.url)).await.status, 302);
    }
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let server = Server::start(|_| Reply::to("302 X", "/again")).await;
    assert_eq!(failure(get(&server.url)).await.0, "TooManyRedirects");
    assert_eq!(server.connections(), 11);
}

#[tokio::test]
async fn a_certificate_of_ones_own_is_trusted_by_its_own_calls_only() {
    let mut server = Server::start_tls(|_| Reply::ok()).await;
    let (code, message) = failure(get(&server.url)).await;
    assert_eq!(code, "ConnectionFailedError");
    assert!(message.contains("certificate"), "{message}");

    let ca_certificate = Some(server.certificate.clone());
    assert_eq!(answer(HttpCall { ca_certificate, ..get(&server.url) }).await.status, 200);
    assert_eq!(server.heard().await.line, "GET / HTTP/1.1");
}
