//! What the calls promise about names: these tests resolve names as they like.

use std::collections::VecDeque;
use std::net::SocketAddr;

use futures::FutureExt;
use jobmill_model::machine::HttpAuth;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::clock::SystemClock;

const OPEN: Gate = Gate { private: true, loopback: true };

fn call(url: impl Into<String>) -> HttpCall {
    HttpCall {
        method: "GET".to_owned(),
        url: url.into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        timeout_ms: 60_000,
        response_bytes_max: 1_000,
        auth: None,
        private_service_name: None,
        ca_certificate: None,
    }
}

/// A client whose names resolve to these addresses, one list a question; and the questions.
fn client(gate: Gate, answers: &[&[&str]]) -> (HttpClient, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let read = |text: &&str| SocketAddr::new(text.parse().unwrap(), 0);
    let lists = answers.iter().map(|list| list.iter().map(read).collect::<Vec<_>>());
    let answers = Mutex::new(lists.collect::<VecDeque<_>>());
    let questions = asked.clone();
    let lookup: Arc<Lookup> = Arc::new(move |name| {
        questions.lock().push(name);
        let answer = answers.lock().pop_front().expect("the test has an answer");
        std::future::ready(Ok(answer)).boxed()
    });
    (HttpClient::with_lookup(Some(gate), Arc::new(SystemClock::default()), lookup), asked)
}

/// A server on loopback that answers every request with 200 and hangs up.
async fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
            stream.write_all(answer).await.unwrap();
        }
    });
    port
}

fn code(result: Result<HttpResponse, Fault>) -> String {
    result.unwrap_err().code.into_owned()
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_dialled() {
    let url = format!("http://rebound.test:{}/", server().await);
    let (client, asked) = client(OPEN, &[&["127.0.0.1"], &["169.254.169.254"]]);
    assert_eq!(client.call(call(&url), "k").await.unwrap().status, 200);
    assert_eq!(asked.lock().len(), 1);
    assert_eq!(code(client.call(call(&url), "k").await), "ForbiddenAddress");
    assert_eq!(*asked.lock(), ["rebound.test", "rebound.test"]);
}

#[tokio::test]
async fn forbidden_addresses_among_others_are_not_dialled() {
    let url = format!("http://mixed.test:{}/", server().await);
    let (client, _) = client(OPEN, &[&["169.254.169.254", "127.0.0.1", "fe80::1"]]);
    assert_eq!(client.call(call(url), "k").await.unwrap().status, 200);
}

#[tokio::test]
async fn names_of_private_and_loopback_addresses_are_refused_unless_allowed() {
    for (address, setting) in [
        ("10.1.2.3", Gate::PRIVATE_SETTING),
        ("::ffff:192.168.1.1", Gate::PRIVATE_SETTING),
        ("127.0.0.1", Gate::LOOPBACK_SETTING),
        ("0.0.0.0", Gate::LOOPBACK_SETTING),
    ] {
        let (client, _) = client(Gate::default(), &[&[address]]);
        let fault = client.call(call("http://inside.test/?token=hush"), "k").await.unwrap_err();
        assert_eq!(fault.code, "ForbiddenAddress");
        assert!(fault.message.starts_with("call inside.test at "), "{}", fault.message);
        assert!(fault.message.contains(setting), "{}", fault.message);
        assert!(!fault.message.contains("hush"), "{}", fault.message);
    }
}

#[tokio::test]
async fn metadata_services_are_refused_before_their_names_are_resolved() {
    for host in [
        "169.254.169.254",
        "2852039166",
        "0xa9.0xfea9fe",
        "[fd00:ec2::254]",
        "[::ffff:a9fe:a9fe]",
        "metadata.google.internal",
        "METADATA.google.internal.",
    ] {
        let (client, asked) = client(OPEN, &[]);
        let result = client.call(call(format!("http://{host}/latest/meta-data/")), "k").await;
        assert_eq!(code(result), "ForbiddenAddress", "{host}");
        assert!(asked.lock().is_empty(), "{host}");
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_a_failed_connection() {
    let (client, _) = client(OPEN, &[&[]]);
    let fault = client.call(call("http://nowhere.test/?token=hush"), "k").await.unwrap_err();
    assert_eq!(fault.code, "ConnectionFailedError");
    assert_eq!(fault.message, "connect to nowhere.test: the name has no address");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_without_its_secrets() {
    let (client, asked) = client(OPEN, &[]);
    let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let oidc = HttpAuth::Oidc { audience: "https://a.test".to_owned() };
    let service = Some("projects/p/locations/l/namespaces/n/services/s".to_owned());
    for (code, broken) in [
        ("ValueError", call("hush")),
        ("ValueError", call("ftp://hush@a.test/")),
        ("ValueError", call("http://hush@a.test:99999/")),
        ("ValueError", HttpCall { method: "CONNECT".to_owned(), ..call("http://a.test/") }),
        ("ValueError", HttpCall { method: "G T".to_owned(), ..call("http://a.test/") }),
        ("ValueError", HttpCall { headers: header("a b", "hush"), ..call("http://a.test/") }),
        ("ValueError", HttpCall { headers: header("a", "hush\r\nb: c"), ..call("http://a.test/") }),
        ("AuthError", HttpCall { auth: Some(oidc), ..call("http://a.test/") }),
        ("NotSupported", HttpCall { private_service_name: service, ..call("http://a.test/") }),
    ] {
        let fault = client.call(broken, "k").await.unwrap_err();
        assert_eq!(fault.code, code, "{fault}");
        assert!(!fault.message.contains("hush"), "{fault}");
    }
    assert!(asked.lock().is_empty());
}
