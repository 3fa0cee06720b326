//! Who may ask.

use jobmill::http::{Access, KeyRing, Settings};

use crate::client::Request;
use crate::server::Server;

#[tokio::test]
async fn on_loopback_a_foreign_host_or_origin_is_refused() {
    let server = Server::start().await;
    let ask = async |name: &str, value: &str| {
        Request::new("GET", "/jobs").header(name, value).send(server.address).await
    };
    for host in ["localhost", "localhost:9", "127.0.0.1", "[::1]:1"] {
        assert_eq!(ask("Host", host).await.status, 200, "{host}");
    }
    for host in ["evil.example", "evil.example:8080", "localhost.evil.example", ""] {
        ask("Host", host).await.problem(403);
    }
    assert_eq!(ask("Origin", "http://localhost:5173").await.status, 200);
    for origin in ["http://evil.example", "null"] {
        ask("Origin", origin).await.problem(403);
    }
    let compat = Request::new("GET", "/api/keyvalues").header("Host", "evil.example");
    let compat = compat.send(server.address).await;
    assert_eq!(compat.status, 403);
    assert!(!compat.word("error").is_empty());
}

#[tokio::test]
async fn with_keys_only_a_known_key_opens_the_api() {
    let ring = KeyRing::new([("ci", "first-secret"), ("ops", "second-secret")]);
    let server = Server::with(Settings::new(Access::Keys(ring))).await;
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let request = headers
            .iter()
            .fold(Request::new("GET", path), |request, (name, value)| request.header(name, value));
        request.send(server.address).await
    };
    for path in ["/", "/healthz", "/readyz", "/docs", "/openapi.json", "/web/style.css"] {
        assert_eq!(ask(path, &[]).await.status, 200, "{path}");
    }
    for headers in [
        &[][..],
        &[("Authorization", "Bearer nothing")],
        &[("Authorization", "Basic first-secret")],
        &[("X-Api-Key", "")],
    ] {
        let answer = ask("/jobs", headers).await;
        answer.problem(401);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    for headers in [&[("Authorization", "Bearer first-secret")], &[("X-Api-Key", "second-secret")]]
    {
        assert_eq!(ask("/jobs", headers).await.status, 200);
    }
    let foreign = ask("/jobs", &[("Host", "api.example"), ("X-Api-Key", "first-secret")]).await;
    assert_eq!(foreign.status, 200);
    assert_eq!(ask("/check_status/x", &[]).await.status, 401);
    assert!(!ask("/check_status/x", &[]).await.word("detail").is_empty());
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_its_sender() {
    let ring = KeyRing::new([("ci", "first-secret"), ("ops", "second-secret")]);
    let server = Server::with(Settings::new(Access::Keys(ring))).await;
    let send = async |key: &str| {
        let request = Request::new("POST", "/jobs").header("X-Api-Key", key);
        let request = request.header("Idempotency-Key", "k").json(r#"{"flow":"echo"}"#);
        request.send(server.address).await.word("id")
    };
    let first = send("first-secret").await;
    assert_eq!(send("first-secret").await, first);
    assert_ne!(send("second-secret").await, first);
}
