//! `/workflows`

use jobmill_model::Value;

use crate::client::{Answer, Request};
use crate::server::Server;

const HELLO: &str =
    "main:\n  params: [args]\n  steps:\n    - done:\n        return: ${args.n + 1}\n";

fn source(text: &str) -> String {
    Value::map([("source", Value::from(text))]).to_string()
}

async fn put(server: &Server, name: &str, body: &str) -> Answer {
    let request = Request::new("PUT", &format!("/workflows/{name}")).json(body);
    request.send(server.address).await
}

fn names(answer: &Answer, field: &str) -> Vec<String> {
    let text = |row: &Value| row.as_map().unwrap().get(field).unwrap().as_str().unwrap().to_owned();
    answer.field("items").as_list().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn a_deployed_workflow_runs_and_its_execution_is_a_job() {
    let server = Server::start().await;
    let deployed = put(&server, "hello", &source(HELLO)).await;
    assert_eq!((deployed.status, deployed.word("name")), (200, "hello".to_owned()));
    assert_eq!(server.get("/workflows/hello").await.word("source"), HELLO);
    let begun = server.post("/workflows/hello/executions", r#"{"argument":{"n":41}}"#).await;
    assert_eq!((begun.status, begun.word("flow")), (202, "workflow:hello".to_owned()));
    let outcome = server.outcome(&begun.word("id")).await;
    assert_eq!(outcome.field("result"), Value::from(42));
    let listed = server.get("/workflows/hello/executions?status=completed").await;
    assert_eq!(names(&listed, "id"), [begun.word("id")]);
}

#[tokio::test]
async fn a_changed_source_is_a_new_revision_and_both_can_be_run() {
    let server = Server::start().await;
    let one = put(&server, "w", &source("- a:\n    return: 1\n")).await.word("revision");
    let same = put(&server, "w", r#"{"description":"what for"}"#).await;
    assert_eq!((same.word("revision"), same.word("description")), (one.clone(), "what for".into()));
    let two = put(&server, "w", &source("- a:\n    return: 2\n")).await.word("revision");
    let listed = server.get("/workflows/w/revisions").await;
    assert_eq!(names(&listed, "revision"), [two, one.clone()]);
    let body = format!(r#"{{"revision":"{one}"}}"#);
    let begun = server.post("/workflows/w/executions", &body).await;
    assert_eq!(server.outcome(&begun.word("id")).await.field("result"), Value::from(1));
    let begun = server.post("/workflows/w/executions", "{}").await;
    assert_eq!(server.outcome(&begun.word("id")).await.field("result"), Value::from(2));
}

#[tokio::test]
async fn a_source_with_errors_is_refused_with_all_of_them_and_nothing_is_stored() {
    let server = Server::start().await;
    let bad = "- one:\n    return: ${x}\n- two:\n    call: http.gett\n";
    let refused = put(&server, "bad", &source(bad)).await;
    assert_eq!(refused.status, 422);
    let errors = refused.field("errors");
    let errors = errors.as_list().unwrap();
    assert!(errors.len() >= 2, "{errors:?}");
    for error in errors {
        let error = error.as_map().unwrap();
        assert_eq!(error.get("pointer").and_then(Value::as_str), Some("/source"));
        assert!(error.get("line").and_then(Value::as_int).unwrap() > 0);
        assert!(error.get("column").and_then(Value::as_int).unwrap() > 0);
        assert!(error.get("excerpt").and_then(Value::as_str).unwrap().contains('^'));
    }
    assert_eq!(server.get("/workflows/bad").await.status, 404);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let server = Server::start().await;
    for (name, body) in [
        ("2x", source("- a:\n    return: 1\n")),
        ("x", "{}".to_owned()),
        ("x", r#"{"source":1}"#.to_owned()),
        ("x", r#"{"sorce":"x"}"#.to_owned()),
        ("x", "[]".to_owned()),
    ] {
        assert_eq!(put(&server, name, &body).await.status, 422, "{name} {body}");
    }
    put(&server, "x", &source("- a:\n    return: 1\n")).await;
    let wrong = server.post("/workflows/x/executions", r#"{"revision":"000009-abc"}"#).await;
    assert_eq!(wrong.status, 422);
    for path in ["/workflows/y", "/workflows/y/revisions", "/workflows/y/executions"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    assert_eq!(server.post("/workflows/y/executions", "{}").await.status, 404);
}

#[tokio::test]
async fn what_runs_of_a_deleted_workflow_is_cancelled() {
    let server = Server::start().await;
    put(&server, "w", &source("- a:\n    call: sys.sleep\n    args: {seconds: 3600}\n")).await;
    let begun = server.post("/workflows/w/executions", "{}").await;
    let delete = || Request::new("DELETE", "/workflows/w").send(server.address);
    assert_eq!(delete().await.status, 204);
    assert_eq!(delete().await.status, 404);
    let job = server.get(&format!("/jobs/{}", begun.word("id"))).await;
    assert_eq!(job.word("status"), "cancelled");
}

#[tokio::test]
async fn a_hostile_source_is_refused_in_bounded_time() {
    let server = Server::start().await;
    let mut aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let parts = vec![format!("*a{}", level - 1); 9].join(", ");
        aliases += &format!("a{level}: &a{level} [{parts}]\n");
    }
    let deep = format!("main: {}", "[".repeat(100_000));
    let expression = format!("- a:\n    return: ${{{}1}}\n", "(".repeat(50_000));
    let large = format!("- a:\n    return: \"{}\"\n", "x".repeat(5_000_000));
    for hostile in [aliases, deep, expression, large] {
        // Past the server's time limit for a request it would be 503.
        let refused = put(&server, "hostile", &source(&hostile)).await;
        assert_eq!(refused.status, 422);
    }
}
