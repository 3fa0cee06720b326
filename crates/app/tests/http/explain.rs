//! Why a job is not running, or not done.

use crate::server::Server;

#[tokio::test]
async fn a_job_says_why_it_stands_where_it_stands() {
    let server = Server::start().await;
    let explained = async |body: &str| {
        let id = server.submit(body).await;
        let answer = server.get(&format!("/jobs/{id}/explain")).await;
        assert_eq!((answer.status, answer.word("id")), (200, id), "{}", answer.text());
        answer
    };
    let later = explained(r#"{"flow":"echo","delay":"1h"}"#).await;
    assert_eq!(
        (later.word("code"), later.word("status")),
        ("scheduled".into(), "scheduled".into())
    );
    assert!(later.word("explanation").starts_with("it is scheduled for 20"), "{}", later.text());
    let id = server.submit(r#"{"flow":"trouble","backoff":"1h"}"#).await;
    let path = format!("/jobs/{id}");
    while server.get(&path).await.word("status") != "scheduled" {}
    let backing_off = server.get(&format!("{path}/explain")).await;
    assert_eq!(backing_off.word("code"), "backing_off");
    let why = backing_off.word("explanation");
    assert!(why.contains("before attempt 2") && why.contains("Trouble: it rains"), "{why}");
    let id = server.submit(r#"{"flow":"echo","input":1}"#).await;
    server.outcome(&id).await;
    assert_eq!(server.get(&format!("/jobs/{id}/explain")).await.word("code"), "completed");
    server.get("/jobs/x/explain").await.problem(404);
}

#[tokio::test]
async fn a_job_that_its_queue_or_its_key_holds_back_says_so() {
    let server = Server::start().await;
    let code = async |id: &str| server.get(&format!("/jobs/{id}/explain")).await;
    server.post("/queues/mail/pause", "").await;
    let mail = |key: &str| format!(r#"{{"flow":"echo","queue":"mail","key":"{key}"}}"#);
    let first = server.submit(&mail("ann")).await;
    let second = server.submit(&mail("ann")).await;
    let paused = code(&first).await;
    assert_eq!(paused.word("code"), "queue_paused", "{}", paused.text());
    server.put("/queues/mail", r#"{"rate":{"count":1,"per":"1h"}}"#).await;
    server.post("/queues/mail/resume", "").await;
    server.outcome(&first).await;
    let limited = code(&second).await;
    assert_eq!(limited.word("code"), "rate_limited", "{}", limited.text());
    assert!(limited.word("explanation").contains("1 in 1h is used up"), "{}", limited.text());
    let third = server.submit(&mail("ann")).await;
    let held = code(&third).await;
    assert_eq!((held.word("code").as_str(), held.word("key").as_str()), ("key_full", "ann"));
    assert!(held.word("explanation").ends_with("ann is at 1/1"), "{}", held.text());
}

#[tokio::test]
async fn a_job_for_workers_outside_says_that_nobody_has_called() {
    let server = Server::start().await;
    server.put("/flows/mail", "{}").await;
    let id = server.submit(r#"{"flow":"mail"}"#).await;
    let explained = async || server.get(&format!("/jobs/{id}/explain")).await;
    assert_eq!(explained().await.word("code"), "no_worker");
    assert!(explained().await.word("explanation").ends_with("flow mail has called yet"));
    let call = r#"{"worker":"w1","flows":["mail"],"max":1}"#;
    server.post("/queues/other/lease", call).await;
    assert_eq!(explained().await.word("code"), "about_to_run");
}
