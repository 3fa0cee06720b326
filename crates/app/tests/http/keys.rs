//! API keys: made, used within their roles and their rate, revoked.

use jobmill::http::{Access, KeyRing, Settings};
use jobmill_model::Value;

use crate::client::{Answer, Request};
use crate::server::Server;

const ADMIN: &str = "the-key-of-the-settings";

async fn server() -> Server {
    Server::with(Settings::new(Access::Keys(KeyRing::new([("default", ADMIN)])))).await
}

async fn ask(server: &Server, key: &str, method: &str, path: &str, body: &str) -> Answer {
    let request = Request::new(method, path).header("X-Api-Key", key);
    let request = if body.is_empty() { request } else { request.json(body) };
    request.send(server.address).await
}

/// Makes a key and answers its secret.
async fn key(server: &Server, body: &str) -> String {
    let answer = ask(server, ADMIN, "POST", "/keys", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.word("key")
}

#[tokio::test]
async fn a_key_is_shown_once_listed_without_its_secret_and_revoked() {
    let server = server().await;
    let body = r#"{"name":"ci","roles":["submit"],"rate_per_minute":600,"expires_in":"30d"}"#;
    let secret = key(&server, body).await;
    assert!(secret.starts_with("jm_") && secret.len() == 67, "{}", secret.len());
    ask(&server, ADMIN, "POST", "/keys", body).await.problem(409);
    assert_eq!(ask(&server, &secret, "GET", "/jobs", "").await.status, 200);
    let list = ask(&server, ADMIN, "GET", "/keys", "").await;
    assert!(!list.text().contains(&secret));
    let items = list.json();
    let items = items.as_map().unwrap().get("items").unwrap().as_list().unwrap().to_vec();
    let field = |name| items[0].as_map().unwrap().get(name).unwrap().clone();
    assert_eq!((items.len(), field("name")), (1, Value::from("ci")));
    assert_ne!(field("used_at"), Value::Null);
    assert_eq!(ask(&server, ADMIN, "DELETE", "/keys/ci", "").await.status, 200);
    ask(&server, &secret, "GET", "/jobs", "").await.problem(401);
    ask(&server, ADMIN, "DELETE", "/keys/ci", "").await.problem(404);
}

#[tokio::test]
async fn a_key_may_do_what_its_roles_say_and_nothing_else() {
    let server = server().await;
    let read = key(&server, r#"{"name":"r","roles":["read"]}"#).await;
    let submit = key(&server, r#"{"name":"s","roles":["submit"]}"#).await;
    let work = key(&server, r#"{"name":"w","roles":["work"]}"#).await;
    let admin = key(&server, r#"{"name":"a","roles":["admin"]}"#).await;
    let lease = r#"{"worker":"w","flows":["echo"]}"#;
    let job = r#"{"flow":"echo"}"#;
    let executions = "/v1/projects/p/locations/l/workflows/w/executions";
    let documents = "/v1/projects/p/databases/(default)/documents/c?documentId=d";
    // Whether each of the four gets past the check of its role.
    let rows = [
        ("GET", "/jobs", "", [true, true, false, true]),
        ("HEAD", "/flows", "", [true, true, false, true]),
        ("GET", "/jobs/", "", [true, true, false, true]),
        ("POST", "/jobs", job, [false, true, false, true]),
        ("POST", "/jobs/", job, [false, true, false, true]),
        ("POST", "/expand_reduce_flow", "{}", [false, true, false, true]),
        ("POST", "/queues/default/lease", lease, [false, false, true, true]),
        ("GET", "/jobs/x/effects", "", [true, true, true, true]),
        ("POST", "/jobs/x/cancel", "", [false, false, false, true]),
        ("GET", "/keys", "", [false, false, false, true]),
        ("PUT", "/flows/mail", "{}", [false, false, false, true]),
        ("GET", executions, "", [true, true, false, true]),
        ("POST", executions, "{}", [false, true, false, true]),
        ("POST", documents, "{}", [false, true, false, true]),
        ("DELETE", "/v1/projects/p/locations/l/workflows/w", "", [false, false, false, true]),
        ("GET", "/nowhere", "", [true, true, true, true]),
    ];
    for (method, path, body, may) in rows {
        for (key, may) in [&read, &submit, &work, &admin].into_iter().zip(may) {
            let answer = ask(&server, key, method, path, body).await;
            assert_eq!(answer.status != 403, may, "{method} {path}: {}", answer.text());
        }
    }
    let refused = ask(&server, &read, "POST", "/jobs", job).await;
    refused.problem(403);
    assert!(refused.word("detail").contains("needs the role submit; this key has read"));
    let google = ask(&server, &read, "POST", executions, "{}").await;
    assert!(google.text().contains("PERMISSION_DENIED"), "{}", google.text());
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let server = server().await;
    let secret = key(&server, r#"{"name":"slow","roles":["read"],"rate_per_minute":2}"#).await;
    let other = key(&server, r#"{"name":"fast","roles":["read"]}"#).await;
    for _ in 0..2 {
        assert_eq!(ask(&server, &secret, "GET", "/jobs", "").await.status, 200);
    }
    let refused = ask(&server, &secret, "GET", "/jobs", "").await;
    refused.problem(429);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
    assert_eq!(ask(&server, &other, "GET", "/jobs", "").await.status, 200);
    // What needs no key takes nothing from it.
    assert_eq!(ask(&server, &secret, "GET", "/healthz", "").await.status, 200);
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_key_is_said_at_once() {
    let server = server().await;
    let body = r#"{"name":"default","roles":["reader"],"rate_per_minute":0,"expires_in":"never"}"#;
    let answer = ask(&server, ADMIN, "POST", "/keys", body).await;
    assert_eq!(answer.problem(422), ["/name", "/roles", "/rate_per_minute", "/expires_in"]);
}
