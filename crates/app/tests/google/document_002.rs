//! Document 002: the two services, and its workflow between them, run unchanged.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use jobmill_model::Value;

use crate::client::{Talk, field, text};

const WORKFLOW: &str = include_str!("../../../../examples/backend_starter/workflow.yaml");

const CHECK: &str = "/is_valid_input";

/// A service that answers on one path as it is told in turn, then well; it counts who asks for what.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub(crate) fn start(told: &'static str, answers: &'static [(u16, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut first = String::new();
                reader.read_line(&mut first).unwrap();
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let lower = line.to_ascii_lowercase();
                    if let Some(value) = lower.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let path = first.split([' ', '?']).nth(1).unwrap().to_owned();
                let mut seen = seen.lock().unwrap();
                let before = seen.iter().filter(|known| **known == path).count();
                seen.push(path.clone());
                drop(seen);
                let usual = (200, "\"Success\"");
                let told = answers.get(before).filter(|_| path == told);
                let (status, body) = *told.unwrap_or(&usual);
                let length = body.len();
                let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n");
                let rest = format!("Connection: close\r\nContent-Length: {length}\r\n\r\n{body}");
                stream.write_all((head + &rest).as_bytes()).unwrap();
            }
        });
        Self { address, asked }
    }

    pub(crate) fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|known| *known == path).count()
    }
}

/// Runs the workflow against a service; answers its result.
#[track_caller]
fn run(talk: &Talk, service: &str, name: &str) -> Value {
    let argument = Value::map([
        ("name", name.into()),
        ("service", service.into()),
        ("retry_delay", Value::Double(0.01)),
    ]);
    let body = Value::map([("argument", argument.to_string().into())]).to_string();
    let ended = talk.ended(&talk.execute("backend_starter", &body));
    assert_eq!(text(&ended, "state"), "SUCCEEDED", "{ended}");
    Value::from_json(text(&ended, "result").as_bytes()).unwrap()
}

#[track_caller]
fn rows(talk: &Talk, project: &str, table: &str) -> String {
    let dataset = format!("/bigquery/v2/projects/{project}/datasets/backend_starter");
    let path = format!("{dataset}/tables/{table}/data");
    field(&talk.send("GET", &path, "").ok(), "rows").to_string()
}

#[test]
fn the_first_service_checks_and_processes() {
    let talk = Talk::start();
    let check = |x: &str| talk.send("GET", &format!("/is_valid_input?x={x}"), "");
    assert_eq!(check("abc").ok(), "Success".into());
    assert_eq!(check("aBc").ok(), "Fail".into());
    assert_eq!(check("%225%22").ok(), "Success".into());
    for (x, status, detail) in [
        ("5", 400, "\"int\" is not allowed"),
        ("1.5", 400, "\"float\" is not allowed"),
        ("true", 500, "a Boolean cannot be checked"),
    ] {
        let answer = check(x);
        assert_eq!((answer.status, text(&answer.body, "detail")), (status, detail), "{x}");
    }
    assert_eq!(talk.send("GET", "/is_valid_input", "").status, 422);
    let processed = talk.send("POST", "/process", r#"{"x":"abc"}"#);
    assert_eq!(processed.ok(), "Success".into());
    assert_eq!(talk.send("POST", "/process", r#"{"y":1}"#).status, 422);
    assert_eq!(rows(&talk, "local", "inputs"), r#"[{"f":[{"v":"abc"}]}]"#);
}

#[test]
fn the_workflow_leaves_two_marks_and_a_row() {
    let talk = Talk::start();
    talk.deploy("backend_starter", WORKFLOW);
    let service = Service::start(CHECK, &[]);
    let result = run(&talk, &format!("http://{}", service.address), "ann b");
    let expected = r#"{"name":"ann b","process":"Success","valid_input_check":"Success"}"#;
    assert_eq!(sorted(&result), expected);
    let path = "/v1/projects/my-project/databases/(default)/documents/backend_starter/ann%2520b";
    let document = talk.send("GET", path, "").ok();
    let marks = field(&document, "fields/done/arrayValue/values").to_string();
    assert_eq!(marks, r#"[{"stringValue":"valid_input_check"},{"stringValue":"process"}]"#);
    let rows = rows(&talk, "my-project", "outcomes");
    let begins = r#"[{"f":[{"v":"ann b"},{"v":"Success"},{"v":"Success"},{"v":"#;
    assert!(rows.starts_with(begins), "{rows}");
}

/// The keys of a result in order, as text.
fn sorted(value: &Value) -> String {
    let mut entries: Vec<_> = value.as_map().unwrap().iter().collect();
    entries.sort_by(|a, b| a.0.cmp(b.0));
    let entries = entries.into_iter().map(|(key, value)| (key.clone(), value.clone()));
    Value::map(entries).to_string()
}

#[test]
fn a_service_that_is_busy_is_asked_again_three_times() {
    let talk = Talk::start();
    talk.deploy("backend_starter", WORKFLOW);
    let service = Service::start(CHECK, &[(429, "{}"), (429, "{}"), (429, "{}")]);
    let result = run(&talk, &format!("http://{}", service.address), "ann");
    assert_eq!(text(&result, "process"), "Success");
    assert_eq!((service.asked("/is_valid_input"), service.asked("/process")), (4, 1));

    let service = Service::start(CHECK, &[(429, r#"{"busy":true}"#); 9]);
    let result = run(&talk, &format!("http://{}", service.address), "bob");
    assert_eq!(text(&result, "valid_input_check"), r#"429 {"busy":true}"#);
    assert_eq!((service.asked("/is_valid_input"), service.asked("/process")), (4, 0));
}

#[test]
fn other_errors_and_a_failed_check_go_to_the_last_step() {
    let talk = Talk::start();
    talk.deploy("backend_starter", WORKFLOW);
    for (name, answer, check) in [
        ("a", (500, r#"{"detail":"broken"}"#), r#"500 {"detail":"broken"}"#),
        ("b", (400, r#"{"detail":"no"}"#), r#"400 {"detail":"no"}"#),
        ("c", (200, "\"Fail\""), "Fail"),
    ] {
        let checks: &'static [(u16, &'static str)] = Vec::leak(vec![answer]);
        let service = Service::start(CHECK, checks);
        let result = run(&talk, &format!("http://{}", service.address), name);
        assert_eq!(text(&result, "valid_input_check"), check);
        assert_eq!(field(&result, "process"), &Value::Null);
        assert_eq!((service.asked("/is_valid_input"), service.asked("/process")), (1, 0), "{name}");
        let path =
            format!("/v1/projects/my-project/databases/(default)/documents/backend_starter/{name}");
        talk.send("GET", &path, "").refused(404, "NOT_FOUND");
    }
    let rows = rows(&talk, "my-project", "outcomes");
    assert_eq!(rows.matches("\"f\"").count(), 3, "{rows}");
}

#[test]
fn the_second_service_runs_the_workflow_and_shows_its_state() {
    let talk = Talk::start();
    let unknown = talk.send("POST", "/trigger_workflow", r#"{"x":"ann"}"#);
    assert_eq!(unknown.status, 404, "{}", unknown.body);
    talk.deploy("backend_starter", WORKFLOW);
    let triggered = talk.send("POST", "/trigger_workflow", r#"{"x":"ann"}"#).ok();
    let id = text(&triggered, "workflow_id").to_owned();
    talk.ended(&format!("workflows/backend_starter/executions/{id}"));
    let status = talk.send("GET", &format!("/check_status/{id}"), "").ok();
    assert_eq!((text(&status, "job_id"), text(&status, "status")), (&*id, "completed"));
    let state = field(&status, "state").to_string();
    assert_eq!(state, r#"{"done":["valid_input_check","process"]}"#);
    assert_eq!(rows(&talk, "local", "inputs"), r#"[{"f":[{"v":"ann"}]}]"#);
}
