//! Document 000: `/api/error_handling`, `/api/verify_status`, `/api/keyvalues`

use jobmill_model::Value;

use crate::server::Server;

#[tokio::test]
async fn errors_are_listed_by_type_and_by_time() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"trouble","max_attempts":2,"backoff":"1ms"}"#).await;
    server.outcome(&id).await;
    let ask = async |rest: &str| {
        let answer = server.get(&format!("/api/error_handling?job_id={id}{rest}")).await;
        assert_eq!(answer.status, 200);
        answer.json().as_list().unwrap().len()
    };
    let all = server.get(&format!("/api/error_handling/?job_id={id}")).await;
    assert_eq!(all.word("0/job_id"), id);
    assert_eq!(all.word("0/error_type"), "Trouble");
    assert!(all.word("0/stack_trace").contains("at the roof"));
    let at = all.word("0/time_occurred");
    assert_eq!(ask("").await, 2);
    assert_eq!(ask("&error_type=Trouble").await, 2);
    assert_eq!(ask("&error_type=TypeError").await, 0);
    for filter in [&at[..10], &at[..13], &at[..4]] {
        assert_eq!(ask(&format!("&time_filter={filter}")).await, 2, "{filter}");
    }
    for filter in [&at[..], &at[..19], &format!("{}Z", &at[..19]), &format!("{}.9", &at[..19])] {
        assert!(ask(&format!("&time_filter={filter}")).await >= 1, "{filter}");
    }
    assert_eq!(ask("&time_filter=2023-09-01T12:00:00").await, 0);
    assert_eq!(ask("&time_filter=tea").await, 0);
}

#[tokio::test]
async fn errors_want_a_job_and_an_unknown_one_has_none() {
    let server = Server::start().await;
    for path in ["/api/error_handling", "/api/error_handling?job_id="] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.text()), (400, r#"{"error":"Job ID is required"}"#));
    }
    let query = "job_id=job1&error_type=TypeError&time_filter=2023-09-01T12:00:00";
    let answer = server.get(&format!("/api/error_handling?{query}")).await;
    assert_eq!((answer.status, answer.text()), (200, "[]"));
    let unknown = "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42";
    let answer = server.get(&format!("/api/error_handling?job_id={unknown}")).await;
    assert_eq!((answer.status, answer.text()), (200, "[]"));
}

#[tokio::test]
async fn the_status_is_told_in_the_documents_words() {
    let server = Server::start().await;
    let ask = async |id: &str| {
        let answer = server.get(&format!("/api/verify_status?job_id={id}")).await;
        assert_eq!((answer.status, answer.word("job_id").as_str()), (200, id));
        answer.word("status")
    };
    let later = server.submit(r#"{"flow":"gate","delay":"1h"}"#).await;
    assert_eq!(ask(&later).await, "pending");
    server.post(&format!("/jobs/{later}/cancel"), "").await;
    assert_eq!(ask(&later).await, "failed");
    let now = server.submit(r#"{"flow":"echo"}"#).await;
    server.outcome(&now).await;
    assert_eq!(ask(&now).await, "completed");
    for path in ["/api/verify_status?job_id=job1", "/api/verify_status", "/api/verify_status/"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.text()), (404, r#"{"error":"Job ID not found"}"#));
    }
}

#[tokio::test]
async fn key_values_come_in_pages_like_the_documents_framework_makes_them() {
    let server = Server::start().await;
    server.run(r#"{"flow":"many","input":23}"#).await;
    let page = async |query: &str| {
        let answer = server.get(&format!("/api/keyvalues{query}")).await;
        assert_eq!(answer.status, 200);
        let number = |name| answer.field(name).as_int().unwrap();
        let items = answer.field("items").as_list().unwrap().len();
        (items, number("total"), number("pages"), number("current_page"))
    };
    assert_eq!(page("").await, (10, 23, 3, 1));
    assert_eq!(page("/?page=3").await, (3, 23, 3, 3));
    assert_eq!(page("?page=9").await, (0, 23, 3, 9));
    assert_eq!(page("?page=2&per_page=20").await, (3, 23, 2, 2));
    assert_eq!(page("?per_page=1000").await, (23, 23, 1, 1));
    assert_eq!(page("?page=x&per_page=y").await, (10, 23, 3, 1));
    assert_eq!(page("?page=-1&per_page=0").await, (10, 23, 3, 1));
    let huge = i64::MAX;
    assert_eq!(page(&format!("?page={huge}")).await.0, 0);
    let first = server.get("/api/keyvalues?per_page=1").await;
    assert_eq!(first.field("items/0").to_string(), r#"{"id":1,"key":"key 0","value":0}"#);
    assert_eq!(first.field("pages"), Value::from(23));
}

#[tokio::test]
async fn refusals_have_the_documents_shape() {
    let server = Server::start().await;
    for (method, path, status) in
        [("POST", "/api/verify_status", 405), ("GET", "/api/nothing", 404)]
    {
        let answer = crate::client::Request::new(method, path).send(server.address).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some("application/json"))
        );
        assert!(!answer.word("error").is_empty());
    }
}
