//! Completion webhooks of the real binary, to a receiver on a socket of this test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use jobmill_model::Value;
use sha2::Sha256;

use crate::server::{Server, folder, items, jobmill, text};

/// A receiver that is told one message after the other, and answers as the test says.
struct Receiver(TcpListener);

struct Message {
    headers: Vec<(String, String)>,
    body: String,
}

impl Receiver {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn url(&self) -> String {
        format!("http://{}/told", self.0.local_addr().unwrap())
    }

    /// Takes the next message and answers it.
    fn next(&self, answer: &str) -> Message {
        let (stream, _) = self.0.accept().unwrap();
        let mut reader = BufReader::new(&stream);
        let mut line = || {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        assert_eq!(line(), "POST /told HTTP/1.1");
        let lines: Vec<String> =
            std::iter::from_fn(|| Some(line()).filter(|it| !it.is_empty())).collect();
        let pair = |line: &String| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let mut message =
            Message { headers: lines.iter().map(pair).collect(), body: String::new() };
        let length: usize = message.header("content-length").parse().unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        message.body = String::from_utf8(body).unwrap();
        let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        (&stream).write_all(answer.as_bytes()).unwrap();
        message
    }
}

impl Message {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).1
    }

    /// Checks the signature as a receiver does.
    fn verify(&self, secret: &str) {
        let key = BASE64.decode(secret.trim().strip_prefix("whsec_").unwrap()).unwrap();
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{id}.{timestamp}.{}", self.body).as_bytes());
        let mut signatures = self.header("webhook-signature").split(' ');
        let is_mine = |signature: &str| {
            let bytes = BASE64.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
            mac.clone().verify_slice(&bytes).is_ok()
        };
        assert!(signatures.any(is_mine), "{}", self.header("webhook-signature"));
        assert!(timestamp.parse::<i64>().unwrap() > 1_700_000_000, "{timestamp}");
    }

    fn event(&self) -> Value {
        Value::from_json(self.body.as_bytes()).unwrap()
    }
}

fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.as_map().unwrap().get(name).unwrap()
}

fn secret(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("data/webhook-secret")).unwrap()
}

const SUBMIT: [&str; 4] = ["range_report", "--input", r#"{"start":1,"end":2}"#, "--webhook"];

/// The one job that delivers the webhook of a job.
fn delivery(server: &Server, job: &str) -> Value {
    let tag = format!("webhook:{job}");
    let list = server.run(&["jobs", "list", "--tag", &tag, "--json"]).with(0).json();
    assert_eq!(items(&list).len(), 1, "one end, one delivery");
    items(&list)[0].clone()
}

#[test]
fn a_webhook_is_signed_and_tried_again_until_it_is_taken_over_a_kill_of_the_server() {
    let (folder, receiver) = (folder(), Receiver::new());
    let mut server = Server::start(folder.path(), &[]);
    let id = server.submit(&[&SUBMIT[..], &[&receiver.url()]].concat());
    let first = receiver.next("500 Broken");
    first.verify(&secret(folder.path()));
    let told = first.event();
    assert_eq!(text(&told, "type"), "job.completed");
    assert_eq!(text(field(&told, "data"), "id"), id);
    server.signal("KILL");
    server.child.wait().unwrap();
    let server = Server::start(folder.path(), &[]);
    let second = receiver.next("500 Broken");
    let third = receiver.next("200 OK");
    for message in [&second, &third] {
        message.verify(&secret(folder.path()));
        assert_eq!(message.header("webhook-id"), first.header("webhook-id"));
        assert_eq!(message.body, first.body);
    }
    let job = delivery(&server, &id);
    assert_eq!(text(&job, "id"), first.header("webhook-id"));
    let result = server.run(&["jobs", "wait", text(&job, "id"), "--json"]).with(0);
    assert!(result.out.contains("completed"), "{}", result.out);
    let job = delivery(&server, &id);
    assert_eq!(field(&job, "max_attempts"), &Value::from(12));
}

#[test]
fn a_webhook_goes_only_where_the_settings_let_it() {
    let (folder, receiver) = (folder(), Receiver::new());
    let args = ["--calls-to-loopback", "off"];
    let server = Server::start(folder.path(), &args);
    let id = server.submit(&[&SUBMIT[..], &[&receiver.url()]].concat());
    server.run(&["jobs", "wait", &id]).with(0);
    let job = delivery(&server, &id);
    server.run(&["jobs", "wait", text(&job, "id")]).with(1);
    let failed = delivery(&server, &id);
    let error = field(&failed, "error");
    assert_eq!(text(error, "type"), "ForbiddenAddress");
    assert!(text(error, "message").contains("calls_to_loopback"), "{error}");
}

#[test]
fn the_secrets_of_the_settings_sign_and_are_never_shown() {
    const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let secrets = format!("{NEW} {OLD}");
    let (folder, receiver) = (folder(), Receiver::new());
    let mut command = jobmill(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data", "data"]);
    command.env("JOBMILL_WEBHOOK_SECRET", &secrets);
    let server = Server::of(command);
    assert!(!folder.path().join("data/webhook-secret").exists());
    let url = receiver.url();
    let id = server.submit(&[&SUBMIT[..], &[&url, "--delay", "1h"]].concat());
    server.run(&["jobs", "cancel", &id]).with(0);
    let message = receiver.next("204 No Content");
    message.verify(NEW);
    message.verify(OLD);
    assert_eq!(text(&message.event(), "type"), "job.cancelled");
    let mut shown = jobmill(folder.path());
    let shown = shown.args(["config"]).env("JOBMILL_WEBHOOK_SECRET", &secrets).output().unwrap();
    assert!(!String::from_utf8(shown.stdout).unwrap().contains("MfKQ9"));
    assert_eq!(server.stop(), 0);
}
