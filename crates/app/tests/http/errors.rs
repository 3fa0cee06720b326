//! `/jobs/{id}/errors`

use jobmill_model::Value;

use crate::server::Server;

#[tokio::test]
async fn every_failed_attempt_is_listed_with_its_trace() {
    let server = Server::start().await;
    let body = r#"{"flow":"trouble","max_attempts":3,"backoff":"1ms"}"#;
    let id = server.submit(body).await;
    assert_eq!(server.outcome(&id).await.word("status"), "failed");
    let answer = server.get(&format!("/jobs/{id}/errors")).await;
    assert_eq!(answer.field("items").as_list().unwrap().len(), 3);
    for (index, attempt) in [(0, 1), (1, 2), (2, 3)] {
        assert_eq!(answer.field(&format!("items/{index}/attempt")), Value::from(attempt));
        assert_eq!(answer.word(&format!("items/{index}/type")), "Trouble");
        assert_eq!(answer.word(&format!("items/{index}/message")), "it rains");
        assert!(answer.word(&format!("items/{index}/trace")).contains("at the roof"));
    }
    let at = answer.word("items/0/failed_at");
    for (query, count) in [
        ("type=Trouble", 3),
        ("type=Timeout", 0),
        ("since=2020-01-01T00:00:00Z", 3),
        ("until=2020-01-01T00:00:00Z", 0),
        (&format!("until={at}"), 0),
    ] {
        let page = server.get(&format!("/jobs/{id}/errors?{query}")).await;
        assert_eq!(page.field("items").as_list().map(<[_]>::len), Some(count), "{query}");
    }
    let page = server.get(&format!("/jobs/{id}/errors?limit=2")).await;
    let rest = server.get(&format!("/jobs/{id}/errors?cursor={}", page.word("next"))).await;
    assert_eq!(rest.field("items/0/attempt"), Value::from(3));
    assert_eq!(rest.field("next"), Value::Null);
}

#[tokio::test]
async fn a_job_without_failures_has_an_empty_list() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"echo"}"#).await;
    let answer = server.get(&format!("/jobs/{id}/errors")).await;
    assert_eq!((answer.status, answer.text()), (200, r#"{"items":[],"next":null}"#));
}
