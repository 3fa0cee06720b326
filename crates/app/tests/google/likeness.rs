//! This server beside Google's own emulator of Firestore: the same requests, the same answers.
//!
//! The snapshot was taken of the emulator. What is not in the table is where the emulator itself
//! is unlike the service that it stands for, or says less than is known: a precondition on the
//! time of a document that is not there, a document of another database, and page tokens.

use std::fmt::Write as _;
use std::net::SocketAddr;

use jobmill_model::{Map, Value};

use crate::client::Talk;
use crate::emulator::Emulator;

const TABLE: &str = include_str!("firestore.http");
const DOCUMENTS: &str = "projects/p/databases/(default)/documents";

/// Sends every request of the table; what is answered, without what differs from run to run.
fn answers(host: SocketAddr) -> String {
    let mut told = String::new();
    for request in TABLE.trim_end().split("\n\n").skip(1) {
        let mut lines = request.splitn(3, '\n');
        let (about, call) = (lines.next().unwrap(), lines.next().unwrap());
        let (method, path) = call.split_once(' ').unwrap();
        let body = lines.next().unwrap_or_default().replace("DOCS", DOCUMENTS);
        let answer = Talk::ask(host, method, &format!("/v1/{DOCUMENTS}{path}"), &body);
        let shown = match answer.body.as_map().and_then(|map| map.get("error")) {
            // Its words are each server's own.
            Some(error) => error.as_map().unwrap().get("status").unwrap().clone(),
            None => comparable(&answer.body),
        };
        let shown = shown.to_string().replace(DOCUMENTS, "DOCS");
        writeln!(told, "{about}\n{call}\n{} {shown}\n", answer.status).unwrap();
    }
    told
}

fn comparable(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::from(sorted(map)),
        Value::List(items) => Value::list(items.iter().enumerate().map(|(place, item)| {
            let mut item = comparable(item);
            // The emulator repeats how many it skipped with some of what follows.
            if let (1.., Value::Map(map)) = (place, &mut item) {
                let rest = map.iter().filter(|(name, _)| &***name != "skippedResults");
                *map = rest.map(|(k, v)| (k.clone(), v.clone())).collect::<Map>().into();
            }
            item
        })),
        // `2` and `2.0` are the same double.
        Value::Double(double) if double.fract() == 0.0 && double.abs() < 1.0e15 => {
            Value::Int(*double as i64)
        }
        other => other.clone(),
    }
}

fn sorted(map: &Map) -> Map {
    let times = ["createTime", "updateTime", "readTime", "commitTime", "nextPageToken"];
    let mut entries: Vec<_> = map
        .iter()
        .map(|(name, value)| {
            let shown = if times.contains(&&**name) { "…".into() } else { comparable(value) };
            (name.clone(), shown)
        })
        .collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries.into_iter().collect()
}

#[test]
fn documents_are_answered_as_by_googles_emulator() {
    let talk = Talk::start();
    insta::assert_snapshot!("firestore", answers(talk.0.address));
}

#[test]
fn googles_emulator_answers_as_it_did() {
    let Some(emulator) = Emulator::start() else { return };
    insta::assert_snapshot!("firestore", answers(emulator.address));
}
