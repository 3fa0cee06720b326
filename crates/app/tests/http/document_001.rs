//! Document 001: `/expand_reduce_flow/`, `/check_status/{job_id}`, `/job_result/{job_id}`

use crate::client::Request;
use crate::server::Server;

#[tokio::test]
async fn the_documents_example_goes_in_and_its_result_comes_out() {
    let server = Server::start().await;
    let body = r#"{"job": {"input_data": [{"key1": "value1"}, {"key2": "value2"}]}}"#;
    for path in ["/expand_reduce_flow/", "/expand_reduce_flow"] {
        let answer = server.post(path, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let id = answer.word("job_id");
        assert_eq!(answer.text(), format!(r#"{{"job_id":"{id}"}}"#));
        server.outcome(&id).await;
        let status = server.get(&format!("/check_status/{id}")).await;
        assert_eq!(status.text(), format!(r#"{{"job_id":"{id}","status":"completed"}}"#));
        let result = server.get(&format!("/job_result/{id}")).await;
        let expected = r#""status":"completed","result":[{"key1 key2":"value1 value2"}]}"#;
        assert_eq!(result.text(), format!(r#"{{"job_id":"{id}",{expected}"#));
    }
}

#[tokio::test]
async fn a_key_that_appears_twice_keeps_its_later_value_and_is_warned_of() {
    let server = Server::start().await;
    let body = r#"{"job":{"input_data":[{"a":"1"},{"b":"2"},{"a":"3"}]}}"#;
    let id = server.post("/expand_reduce_flow/", body).await.word("job_id");
    server.outcome(&id).await;
    let result = server.get(&format!("/job_result/{id}")).await;
    assert_eq!(result.field("result").to_string(), r#"[{"a b":"3 2"}]"#);
    let job = server.get(&format!("/jobs/{id}")).await;
    assert!(job.word("warnings/0").contains("\"a\" appears again"));
}

#[tokio::test]
async fn a_job_that_is_not_finished_has_a_status_and_no_result() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"gate","delay":"1h"}"#).await;
    let processing = format!(r#"{{"job_id":"{id}","status":"processing"}}"#);
    for route in ["check_status", "job_result"] {
        let answer = server.get(&format!("/{route}/{id}")).await;
        assert_eq!((answer.status, answer.text()), (200, &*processing));
    }
    server.post(&format!("/jobs/{id}/cancel"), "").await;
    let failed = server.get(&format!("/job_result/{id}")).await;
    assert_eq!(failed.word("status"), "failed");
    assert_eq!(failed.word("error/type"), "Cancelled");
}

#[tokio::test]
async fn a_result_is_a_list_whatever_the_flow_made() {
    let server = Server::start().await;
    for (value, shown) in
        [("[1,2]", "[1,2]"), ("{}", "[{}]"), ("7", "[7]"), ("[]", "[]"), ("\"[\"", "[\"[\"]")]
    {
        let id = server.submit(&format!(r#"{{"flow":"echo","input":{value}}}"#)).await;
        server.outcome(&id).await;
        let answer = server.get(&format!("/job_result/{id}")).await;
        assert_eq!(answer.field("result").to_string(), shown);
    }
    let id = server.submit(r#"{"flow":"many","input":50000}"#).await;
    server.outcome(&id).await;
    let answer = server.get(&format!("/job_result/{id}")).await;
    assert_eq!(answer.field("result/0").as_map().unwrap().len(), 50_000);
}

#[tokio::test]
async fn refusals_have_the_documents_shape() {
    let server = Server::start().await;
    let unknown = "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42";
    for path in ["/check_status/job1", "/job_result/job1", &format!("/check_status/{unknown}")] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 404);
        assert!(answer.word("detail").starts_with("Job not found"));
    }
    let path = "/expand_reduce_flow/";
    let cases: [(&str, &str); 8] = [
        ("{", r#"["body"]"#),
        ("[]", r#"["body"]"#),
        ("{}", r#"["body","job"]"#),
        (r#"{"job":{}}"#, r#"["body","job","input_data"]"#),
        (r#"{"job":{"input_data":{}}}"#, r#"["body","job","input_data"]"#),
        (r#"{"job":{"input_data":[{},7]}}"#, r#"["body","job","input_data",1]"#),
        (r#"{"job":{"input_data":[]},"x":1}"#, r#"["body","x"]"#),
        (r#"{"job":{"input_data":[],"x":1}}"#, r#"["body","job","x"]"#),
    ];
    for (body, place) in cases {
        let answer = server.post(path, body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.field("detail/0/loc").to_string(), place, "{body}");
        assert!(!answer.word("detail/0/msg").is_empty());
    }
    let method = server.get(path).await;
    assert_eq!((method.status, method.header("allow")), (405, Some("POST")));
    let media = Request::new("POST", path).body("text/plain", "{}").send(server.address).await;
    assert_eq!(media.status, 415);
    assert!(!media.word("detail").is_empty());
}
