//! `/jobs/{id}/steps`

use jobmill_model::Value;

use crate::client::{Answer, Request};
use crate::server::Server;

const TRIES: &str = "
main:
  params: [args]
  steps:
    - init: {assign: [{x: 0}]}
    - each:
        for:
          value: n
          in: ${args}
          steps:
            - attempt:
                try:
                  steps:
                    - divide: {assign: [{x: '${10 / n}'}]}
                except:
                  as: e
                  steps:
                    - handled: {call: sys.log, args: {text: '${e.message}'}}
    - done: {return: '${x}'}
";

async fn run(server: &Server, source: &str, argument: &str) -> String {
    let source = Value::map([("source", Value::from(source))]).to_string();
    let put = Request::new("PUT", "/workflows/tries").json(&source).send(server.address).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let body = format!(r#"{{"argument":{argument}}}"#);
    let id = server.post("/workflows/tries/executions", &body).await.word("id");
    server.outcome(&id).await;
    id
}

fn column(answer: &Answer, name: &str) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.to_string(),
        other => other.to_string(),
    };
    let rows = answer.field("items");
    rows.as_list()
        .unwrap()
        .iter()
        .map(|row| text(row.as_map().unwrap().get(name).unwrap()))
        .collect()
}

#[tokio::test]
async fn the_steps_of_an_ended_execution_are_told_with_what_became_of_them() {
    let server = Server::start().await;
    let id = run(&server, TRIES, "[5,0]").await;
    let steps = server.get(&format!("/jobs/{id}/steps")).await;
    assert_eq!(
        column(&steps, "step"),
        ["init", "each", "attempt", "divide", "attempt", "divide", "handled", "done"]
    );
    let states = column(&steps, "state");
    let failed: Vec<usize> = (0..states.len()).filter(|at| states[*at] == "failed").collect();
    assert_eq!(failed, [5], "{states:?}");
    assert_eq!(column(&steps, "parent"), ["null", "null", "2", "3", "2", "5", "5", "null"]);
    assert!(column(&steps, "error")[5].contains("division by zero"), "{}", steps.text());
    assert_eq!((steps.field("total"), steps.word("kept")), (Value::from(8), "whole".to_owned()));
}

#[tokio::test]
async fn steps_come_in_pages_with_their_variables_if_asked_for() {
    let server = Server::start().await;
    let id = run(&server, TRIES, "[5]").await;
    let path = format!("/jobs/{id}/steps?limit=2&variables=true");
    let first = server.get(&path).await;
    assert_eq!(column(&first, "number"), ["1", "2"]);
    assert_eq!(column(&first, "variables"), [r#"{"args":[5]}"#, r#"{"args":[5],"x":0}"#]);
    let next = server.get(&format!("{path}&cursor={}", first.word("next"))).await;
    assert_eq!(column(&next, "step"), ["attempt", "divide"]);
    assert_eq!(column(&next, "variables")[1], r#"{"args":[5],"x":0,"n":5}"#);
    let last = server.get(&format!("{path}&cursor={}", next.word("next"))).await;
    assert_eq!((last.field("next"), column(&last, "step")), (Value::Null, vec!["done".to_owned()]));
    assert_eq!(column(&last, "variables"), [r#"{"args":[5],"x":2.0}"#]);
    assert_eq!(server.get(&format!("/jobs/{id}/steps?variables=yes")).await.status, 400);
}

#[tokio::test]
async fn a_long_loop_is_told_up_to_a_limit_and_counted() {
    let server = Server::start().await;
    let looping = "- loop:\n    for:\n      value: n\n      range: [1, 20000]\n      steps:\n        \
                   - one:\n            assign:\n              - x: ${n}\n";
    let id = run(&server, looping, "null").await;
    let steps = server.get(&format!("/jobs/{id}/steps?cursor=9999")).await;
    assert_eq!(column(&steps, "number"), ["10000"]);
    assert_eq!((steps.field("total"), steps.word("kept")), (Value::from(20_001), "cut".to_owned()));
    assert_eq!(steps.field("next"), Value::Null);
}

#[tokio::test]
async fn a_job_that_is_no_execution_has_no_steps() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"range_report","input":{"start":1,"end":3}}"#).await;
    let steps = server.get(&format!("/jobs/{id}/steps")).await;
    assert_eq!((steps.field("total"), steps.word("kept")), (Value::from(0), "none".to_owned()));
    let nobody = server.get("/jobs/0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42/steps").await;
    assert_eq!(nobody.status, 404);
}
