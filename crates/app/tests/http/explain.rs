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
