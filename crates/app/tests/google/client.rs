//! A server of one's own, and what is said to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use jobmill_model::Value;

use crate::server::Server;

/// Where all the tests' workflows are asked for.
pub(crate) const PARENT: &str = "/v1/projects/my-project/locations/us-central1";

/// How often the end of an execution is waited for, 10 seconds each time.
const PATIENCE: usize = 6;

/// A server with a few words to say to it.
pub(crate) struct Talk(pub(crate) Server);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Talk {
    pub(crate) fn start() -> Self {
        Self(Server::start(&["--log", "warn"], &[]))
    }

    /// A server that holds workflows to Google's limits.
    pub(crate) fn with_googles_limits() -> Self {
        Self(Server::start(&["--log", "warn", "--gcp-limits", "on"], &[]))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// Sends a request on a connection of its own.
    #[track_caller]
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        Self::ask(self.0.address, method, path, body)
    }

    /// The same with any server.
    #[track_caller]
    pub(crate) fn ask(host: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(host).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let text = answered(stream);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = match body {
            "" => Value::Null,
            body => Value::from_json(body.as_bytes()).unwrap_or_else(|_| panic!("{text}")),
        };
        Answer { status, body }
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", &format!("{PARENT}/{path}"), "")
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", &format!("{PARENT}/{path}"), body)
    }

    /// Deploys a source that is accepted; answers the operation.
    #[track_caller]
    pub(crate) fn deploy(&self, name: &str, source: &str) -> Value {
        let body = Value::map([("sourceContents", source.into())]).to_string();
        self.post(&format!("workflows?workflowId={name}"), &body).ok()
    }

    /// Begins an execution that is accepted; answers the end of its path.
    #[track_caller]
    pub(crate) fn execute(&self, workflow: &str, body: &str) -> String {
        let begun = self.post(&format!("workflows/{workflow}/executions"), body).ok();
        let name = text(&begun, "name");
        name[name.find("workflows/").unwrap()..].to_owned()
    }

    /// Waits until a job waits without a worker.
    #[track_caller]
    pub(crate) fn until_parked(&self, id: &str) {
        for _ in 0..10_000 {
            let job = self.send("GET", &format!("/jobs/{id}"), "").ok();
            if field(&job, "waiting_for") != &Value::Null {
                return;
            }
            std::thread::yield_now();
        }
        panic!("{id} is not parked");
    }

    /// Reads an execution once it has ended.
    #[track_caller]
    pub(crate) fn ended(&self, execution: &str) -> Value {
        let id = execution.rsplit('/').next().unwrap();
        for _ in 0..PATIENCE {
            // The server itself waits for the end.
            self.send("GET", &format!("/jobs/{id}/results?wait=10s"), "");
            let shown = self.get(execution).ok();
            if !matches!(text(&shown, "state"), "ACTIVE" | "QUEUED") {
                return shown;
            }
        }
        panic!("{execution} does not end");
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// Asserts Google's envelope with this status; answers the message.
    #[track_caller]
    pub(crate) fn refused(self, http: u16, status: &str) -> String {
        assert_eq!(self.status, http, "{}", self.body);
        let error = field(&self.body, "error").clone();
        assert_eq!(field(&error, "code"), &Value::from(u32::from(http)));
        assert_eq!(text(&error, "status"), status, "{error}");
        text(&error, "message").to_owned()
    }
}

/// Reads an answer to its end. Not every server hangs up when it is asked to.
fn answered(stream: TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), None);
    loop {
        let from = text.len();
        assert!(reader.read_line(&mut text).unwrap() > 0, "{text}");
        let line = text[from..].trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse::<u64>().ok();
        }
        if line.is_empty() {
            break;
        }
    }
    reader.take(length.unwrap_or(u64::MAX)).read_to_string(&mut text).unwrap();
    text
}

/// A field, or one within others: `error/payload`.
#[track_caller]
pub(crate) fn field<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('/').fold(value, |value, step| {
        let found = match value {
            Value::Map(map) => map.get(step),
            Value::List(items) => step.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        };
        found.unwrap_or_else(|| panic!("no {path} in {value}"))
    })
}

#[track_caller]
pub(crate) fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    field(value, path).as_str().unwrap_or_else(|| panic!("{path} is no text in {value}"))
}

/// Whether a field is there.
pub(crate) fn has(value: &Value, name: &str) -> bool {
    value.as_map().is_some_and(|map| map.contains(name))
}

/// A text of each row of a list.
#[track_caller]
pub(crate) fn column(value: &Value, rows: &str, name: &str) -> Vec<String> {
    let rows = field(value, rows).as_list().unwrap_or_else(|| panic!("{value}"));
    rows.iter().map(|row| text(row, name).to_owned()).collect()
}
