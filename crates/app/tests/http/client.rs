//! A client of a few lines, which hides nothing of what the server sends.

use std::net::SocketAddr;

use jobmill_model::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request; it is sent on a connection of its own, which the server closes after it.
pub(crate) struct Request {
    head: String,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self { head: format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n"), body: vec![] }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head += &format!("{name}: {value}\r\n");
        self
    }

    pub(crate) fn json(self, body: impl AsRef<[u8]>) -> Self {
        self.body("application/json", body)
    }

    pub(crate) fn body(mut self, media_type: &str, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        let length = self.body.len().to_string();
        self.header("Content-Type", media_type).header("Content-Length", &length)
    }

    /// A body whose length is told in another way.
    pub(crate) fn with_raw_body(mut self, media_type: &str, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self.header("Content-Type", media_type)
    }

    pub(crate) async fn send(mut self, address: SocketAddr) -> Answer {
        if !self.head.to_lowercase().contains("\r\nhost:") {
            self = self.header("Host", &address.to_string());
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        let message = [self.head.as_bytes(), b"\r\n", &self.body].concat();
        // A server that refuses a body may close before all of it is written.
        let _ = stream.write_all(&message).await;
        read_answer(&mut stream).await
    }
}

/// Reads an answer to the end of the connection.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(&bytes)));
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer { status, head, body: bytes[end + 4..].to_vec() };
    if answer.header("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        answer.body = unchunked(&answer.body);
    }
    answer
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n").expect("a whole body");
        let size = std::str::from_utf8(&rest[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        Value::from_json(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A field of the answer, or of an object in it: `error/type`.
    #[track_caller]
    pub(crate) fn field(&self, path: &str) -> Value {
        path.split('/').fold(self.json(), |value, step| {
            match &value {
                Value::Map(map) => map.get(step).cloned(),
                Value::List(items) => items.get(step.parse::<usize>().unwrap()).cloned(),
                _ => None,
            }
            .unwrap_or_else(|| panic!("no {path} in {}", self.text()))
        })
    }

    #[track_caller]
    pub(crate) fn word(&self, path: &str) -> String {
        self.field(path).as_str().unwrap_or_else(|| panic!("{path} in {}", self.text())).to_owned()
    }

    /// Asserts the status and that the refusal is a problem document; answers the pointers of
    /// everything that is wrong.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> Vec<String> {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.field("status"), Value::from(u32::from(status)));
        for field in ["type", "title", "detail"] {
            assert!(!self.word(field).is_empty());
        }
        let document = self.json();
        let errors = document.as_map().unwrap().get("errors").and_then(Value::as_list);
        let pointer = |item: &Value| {
            let item = item.as_map().unwrap();
            assert!(item.get("message").and_then(Value::as_str).is_some_and(|it| !it.is_empty()));
            item.get("pointer").and_then(Value::as_str).unwrap().to_owned()
        };
        errors.unwrap_or_default().iter().map(pointer).collect()
    }
}
