//! `/jobs/{id}/results`

use jobmill_model::Value;

use crate::client::Request;
use crate::server::Server;

#[tokio::test]
async fn an_unfinished_job_is_a_conflict_that_names_its_state() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"gate","delay":"1h"}"#).await;
    for name in ["results", "result", "pairs"] {
        let answer = server.get(&format!("/jobs/{id}/{name}")).await;
        answer.problem(409);
        assert_eq!(answer.word("job_status"), "scheduled");
        assert_eq!(answer.word("id"), id);
    }
}

#[tokio::test]
async fn a_reader_who_waits_is_answered_when_the_job_ends() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"gate"}"#).await;
    let (answer, ()) = tokio::join!(server.outcome(&id), async {
        // Another whole request fits between, so the reader is waiting by now.
        server.get("/healthz").await;
        server.gate.open();
    });
    assert_eq!(answer.word("status"), "completed");
}

#[tokio::test]
async fn a_reader_waits_no_longer_than_asked() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"gate"}"#).await;
    let answer = server.get(&format!("/jobs/{id}/results?wait=20ms")).await;
    answer.problem(409);
    let answer = server.get(&format!("/jobs/{id}/results?wait=2h")).await;
    assert_eq!(answer.problem(400), ["?wait"]);
}

#[tokio::test]
async fn a_failed_job_answers_with_its_error() {
    let server = Server::start().await;
    let answer = server.run(r#"{"flow":"broken"}"#).await;
    assert_eq!(answer.word("status"), "failed");
    assert_eq!(answer.field("error").to_string(), r#"{"type":"Broken","message":"it is broken"}"#);
    assert!(!answer.text().contains("result"));
}

#[tokio::test]
async fn the_other_name_gives_the_same() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"echo","input":[1,{"a":null}]}"#).await;
    let outcome = server.outcome(&id).await;
    let other = server.get(&format!("/jobs/{id}/result")).await;
    assert_eq!((other.status, other.text()), (200, outcome.text()));
}

#[tokio::test]
async fn every_kind_of_value_is_a_result() {
    let server = Server::start().await;
    for value in ["null", "true", "-7", "1.5", r#""ä\"""#, "[]", "{}", r#"[{"a":[1]}]"#] {
        let outcome = server.run(&format!(r#"{{"flow":"echo","input":{value}}}"#)).await;
        assert_eq!(outcome.field("result").to_string(), value);
    }
}

#[tokio::test]
async fn a_large_result_is_streamed_whole() {
    let server = Server::start().await;
    let outcome = server.run(r#"{"flow":"many","input":100000}"#).await;
    assert_eq!(outcome.header("transfer-encoding"), Some("chunked"));
    let result = outcome.field("result");
    let result = result.as_map().unwrap();
    assert_eq!(result.len(), 100_000);
    let (key, value) = result.at(99_999).unwrap();
    assert_eq!((&**key, value), ("key 99999", &Value::from(99_999)));

    let text = "ä".repeat(400_000);
    let outcome = server.run(&format!(r#"{{"flow":"echo","input":"{text}"}}"#)).await;
    assert_eq!(outcome.word("result"), text);
}

#[tokio::test]
async fn a_head_request_is_answered_without_a_body() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"many","input":100000}"#).await;
    server.outcome(&id).await;
    for path in [format!("/jobs/{id}"), format!("/jobs/{id}/results"), "/".to_owned()] {
        let answer = Request::new("HEAD", &path).send(server.address).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
    }
}
