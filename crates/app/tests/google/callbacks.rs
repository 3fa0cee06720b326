//! Callbacks: the address that an execution opens, and what is sent to it.

use jobmill_model::Value;

use crate::client::{Answer, PARENT, Talk, field, text};

const WAITS: &str = "main:\n  steps:\n  - open:\n      call: events.create_callback_endpoint\n      \
    args:\n        http_callback_method: PUT\n      result: callback\n  - wait:\n      \
    call: events.await_callback\n      args:\n        callback: ${callback}\n        \
    timeout: 3600\n      result: got\n  - done:\n      return: ${got}\n";

/// How often it is asked whether an execution waits, which it does after a few commits.
const PATIENCE: usize = 20_000;

/// An execution that waits at an address, and the path of the address.
fn waiting(talk: &Talk) -> (String, String) {
    talk.deploy("waits", WAITS);
    let execution = talk.execute("waits", "{}");
    for _ in 0..PATIENCE {
        let listed = talk.get(&format!("{execution}/callbacks")).ok();
        let rows = field(&listed, "callbacks").as_list().unwrap();
        if let [callback] = rows
            && text(callback, "waiters") == "1"
        {
            assert_eq!(text(callback, "method"), "PUT");
            return (execution, format!("/v1/{}", text(callback, "name")));
        }
    }
    panic!("{execution} does not wait at its callback");
}

fn put(talk: &Talk, path: &str, body: &str) -> Answer {
    talk.send("PUT", path, body)
}

#[test]
fn what_is_sent_to_the_address_is_what_the_execution_gets() {
    let talk = Talk::start();
    let (execution, address) = waiting(&talk);
    let answer = put(&talk, &format!("{address}?a=b"), r#"{"x":[1]}"#);
    assert_eq!((answer.status, answer.body), (200, Value::Null));
    let ended = talk.ended(&execution);
    let result = Value::from_json(text(&ended, "result").as_bytes()).unwrap();
    assert_eq!(text(&result, "type"), "HTTP");
    let request = field(&result, "http_request");
    assert_eq!(text(request, "method"), "PUT");
    assert_eq!(text(request, "query/a"), "b");
    assert_eq!(text(request, "headers/Content-Type"), "application/json");
    assert_eq!(field(request, "body").to_string(), r#"{"x":[1]}"#);
    assert!(text(&result, "received_time").ends_with('Z'));
    let late = put(&talk, &address, "{}");
    assert_eq!((late.status, text(&late.body, "error/status")), (410, "FAILED_PRECONDITION"));
}

#[test]
fn another_method_and_another_address_are_refused() {
    let talk = Talk::start();
    let (execution, address) = waiting(&talk);
    let wrong = talk.send("POST", &address, "{}");
    assert_eq!(wrong.status, 405);
    assert_eq!(text(&wrong.body, "error/message"), "this callback takes PUT, not POST");
    let guessed = format!("{PARENT}/{execution}/callbacks/callback-1_PUT_0");
    put(&talk, &guessed, "{}").refused(404, "NOT_FOUND");
    talk.deploy("other", "- done:\n    return: 1\n");
    let elsewhere = address.replace("workflows/waits", "workflows/other");
    put(&talk, &elsewhere, "{}").refused(404, "NOT_FOUND");
    assert_eq!(text(&talk.get(&execution).ok(), "state"), "ACTIVE");
}
