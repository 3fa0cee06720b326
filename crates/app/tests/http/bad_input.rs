//! Whatever is sent, the answer is the right 4xx in the shape of the route, and nothing is stored.

use jobmill::http::{Access, Settings};
use jobmill_model::Value;

use crate::client::Request;
use crate::server::Server;

const UNKNOWN: &str = "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42";

/// Body, status, and where the problems are.
const BODIES: [(&str, u16, &[&str]); 33] = [
    ("", 400, &[""]),
    ("{", 400, &[""]),
    ("{\"flow\":\"echo\",}", 400, &[""]),
    ("{} {}", 400, &[""]),
    ("\u{feff}{}", 400, &[""]),
    ("{'flow':'echo'}", 400, &[""]),
    ("{\"flow\":\"echo\",\"input\":NaN}", 400, &[""]),
    ("null", 422, &[""]),
    ("7", 422, &[""]),
    ("\"echo\"", 422, &[""]),
    ("[{\"flow\":\"echo\"}]", 422, &[""]),
    ("{}", 422, &["/start", "/end"]),
    (r#"{"start":1}"#, 422, &["/end"]),
    (r#"{"start":"1","end":true}"#, 422, &["/start", "/end"]),
    (r#"{"start":2,"end":1}"#, 422, &["/end"]),
    (r#"{"flow":null}"#, 422, &["/flow"]),
    (r#"{"flow":["echo"]}"#, 422, &["/flow"]),
    (r#"{"flow":""}"#, 422, &["/flow"]),
    (r#"{"flow":"nothing_like_it"}"#, 422, &["/flow"]),
    (r#"{"flow":"echo","inputs":1}"#, 422, &["/inputs"]),
    (r#"{"flow":"echo","params":[]}"#, 422, &["/params"]),
    (r#"{"flow":"echo","queue":"a b"}"#, 422, &["/queue"]),
    (r#"{"flow":"echo","priority":1001}"#, 422, &["/priority"]),
    (r#"{"flow":"echo","priority":1.5}"#, 422, &["/priority"]),
    (r#"{"flow":"echo","max_attempts":0}"#, 422, &["/max_attempts"]),
    (r#"{"flow":"echo","delay":30}"#, 422, &["/delay"]),
    (r#"{"flow":"echo","delay":"11y"}"#, 422, &["/delay"]),
    (r#"{"flow":"echo","run_at":"9999-01-01T00:00:00Z"}"#, 422, &["/run_at"]),
    (r#"{"flow":"echo","backoff":{"multiplier":0}}"#, 422, &["/backoff"]),
    (r#"{"flow":"echo","webhook":"ftp://x"}"#, 422, &["/webhook"]),
    (r#"{"flow":"expand_reduce_flow","input":7}"#, 422, &["/input"]),
    (r#"{"flow":"expand_reduce_flow","input":7,"queue":7}"#, 422, &["/queue", "/input"]),
    (
        r#"{"flow":7,"queue":7,"priority":"x","timeout":"x","tags":"x","zzz":1}"#,
        422,
        &["/zzz", "/flow", "/queue", "/priority", "/timeout", "/tags"],
    ),
];

#[tokio::test]
async fn a_bad_body_is_refused_with_every_problem_and_its_place() {
    let server = Server::start().await;
    for (body, status, pointers) in BODIES {
        let answer = server.post("/jobs", body).await;
        assert_eq!(answer.problem(status), pointers, "{body}\n{}", answer.text());
    }
    assert_eq!(server.get("/jobs/counts").await.field("total"), Value::from(0));
}

#[tokio::test]
async fn malformed_json_is_refused_with_line_and_column() {
    let server = Server::start().await;
    let answer = server.post("/jobs", "{\n  \"flow\": x\n}").await;
    answer.problem(400);
    assert!(answer.word("detail").contains("line 2 column 11"), "{}", answer.text());
    for bytes in [&b"{\"flow\":\"\xff\"}"[..], b"\x00", b"{\"a\":\"\\ud800\"}"] {
        let request = Request::new("POST", "/jobs").json(bytes);
        request.send(server.address).await.problem(400);
    }
}

#[tokio::test]
async fn of_very_many_problems_some_are_named() {
    let server = Server::start().await;
    let fields: Vec<String> = (0..20_000).map(|number| format!("\"f{number}\":0")).collect();
    let fields = fields.join(",");
    let one = server.post("/jobs", &format!("{{\"flow\":\"echo\",{fields}}}")).await;
    assert_eq!(one.problem(422).len(), 100);
    let bulk = vec![r#"{"flow":"expand_reduce_flow","input":7}"#; 5_000].join(",");
    let bulk = server.post("/jobs/bulk", &format!("[{bulk}]")).await;
    assert_eq!(bulk.problem(422).len(), 100);
    let items = vec!["7"; 5_000].join(",");
    let body = format!(r#"{{"job":{{"input_data":[{items}]}}}}"#);
    let document = server.post("/expand_reduce_flow/", &body).await;
    assert_eq!(document.field("detail").as_list().unwrap().len(), 100);
}

#[tokio::test]
async fn a_deep_nest_and_huge_numbers_do_no_harm() {
    let server = Server::start().await;
    let deep = format!(r#"{{"flow":"echo","input":{}}}"#, "[".repeat(100_000));
    server.post("/jobs", &deep).await.problem(400);
    let number = "9".repeat(400);
    let huge = server.post("/jobs", &format!(r#"{{"flow":"echo","priority":{number}}}"#)).await;
    assert!(huge.status == 400 || huge.status == 422, "{}", huge.text());
}

/// Path with query, status, and where the problems are.
const READS: [(&str, u16, &[&str]); 24] = [
    ("/jobs?status=done", 400, &["?status"]),
    ("/jobs?status=failed,done", 400, &["?status"]),
    ("/jobs?stauts=failed", 400, &["?stauts"]),
    ("/jobs?flow=a%20b", 400, &["?flow"]),
    ("/jobs?since=yesterday", 400, &["?since"]),
    ("/jobs?until=2026-13-01T00:00:00Z", 400, &["?until"]),
    ("/jobs?cursor=abc", 400, &["?cursor"]),
    ("/jobs?limit=0", 400, &["?limit"]),
    ("/jobs?limit=1001", 400, &["?limit"]),
    ("/jobs?limit=-1", 400, &["?limit"]),
    ("/jobs?limit=x&cursor=y&status=z", 400, &["?status", "?cursor", "?limit"]),
    ("/jobs?status=%ff", 400, &["?status"]),
    ("/jobs/job1", 404, &[]),
    ("/jobs/%00", 404, &[]),
    ("/jobs/%ff", 404, &[]),
    ("/jobs/job1/results", 404, &[]),
    ("/jobs/job1/result", 404, &[]),
    ("/jobs/job1/pairs", 404, &[]),
    ("/jobs/job1/errors", 404, &[]),
    ("/flows/nothing", 404, &[]),
    ("/flows/%ff", 404, &[]),
    ("/nothing", 404, &[]),
    ("/jobs/a/b/c/d", 404, &[]),
    ("/web/nothing.js", 404, &[]),
];

#[tokio::test]
async fn a_bad_path_or_query_is_refused_with_its_place() {
    let server = Server::start().await;
    for (path, status, pointers) in READS {
        let answer = server.get(path).await;
        assert_eq!(answer.problem(status), pointers, "{path}\n{}", answer.text());
    }
    for rest in ["", "/results", "/result", "/pairs", "/errors"] {
        server.get(&format!("/jobs/{UNKNOWN}{rest}")).await.problem(404);
    }
    for verb in ["cancel", "retry"] {
        server.post(&format!("/jobs/{UNKNOWN}/{verb}"), "").await.problem(404);
        server.post(&format!("/jobs/job1/{verb}"), "").await.problem(404);
    }
    let id = server.submit(r#"{"flow":"echo","input":{}}"#).await;
    server.outcome(&id).await;
    for query in ["pairs?cursor=x", "pairs?limit=0", "errors?since=x", "results?wait=soon"] {
        server.get(&format!("/jobs/{id}/{query}")).await.problem(400);
    }
    server.get(&format!("/jobs/{id}/results?whait=1s")).await.problem(400);
}

#[tokio::test]
async fn a_wrong_method_is_refused_with_the_right_ones() {
    let server = Server::start().await;
    for (method, path, allowed) in [
        ("PUT", "/jobs", "POST,GET,HEAD,DELETE"),
        ("GET", "/jobs/bulk", "POST,GET,HEAD"),
        ("PUT", &format!("/jobs/{UNKNOWN}"), "GET,HEAD,DELETE"),
        ("GET", &format!("/jobs/{UNKNOWN}/cancel"), "POST"),
        ("POST", "/healthz", "GET,HEAD"),
        ("BREW", "/jobs", "POST,GET,HEAD,DELETE"),
    ] {
        let answer = Request::new(method, path).send(server.address).await;
        if (method, path) == ("GET", "/jobs/bulk") {
            // To a reader, `bulk` is the id of an unknown job.
            assert!(matches!(answer.status, 404 | 405));
            continue;
        }
        answer.problem(405);
        let mut words: Vec<&str> = answer.header("allow").unwrap().split(',').collect();
        let mut expected: Vec<&str> = allowed.split(',').collect();
        words.sort_unstable();
        expected.sort_unstable();
        assert_eq!(words, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn options_are_told() {
    let server = Server::start().await;
    let answer = Request::new("OPTIONS", "/jobs").send(server.address).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert!(answer.header("allow").unwrap().contains("POST"));
}

#[tokio::test]
async fn a_body_that_is_not_json_by_its_own_word_is_refused() {
    let server = Server::start().await;
    let body = r#"{"flow":"echo"}"#;
    for media_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request = Request::new("POST", "/jobs").body(media_type, body);
        request.send(server.address).await.problem(415);
    }
    let lines = Request::new("POST", "/jobs").body("application/x-ndjson", body);
    lines.send(server.address).await.problem(415);
    for media_type in ["application/json; charset=utf-8", "Application/JSON", "application/x+json"]
    {
        let request = Request::new("POST", "/jobs").body(media_type, body);
        assert_eq!(request.send(server.address).await.status, 202, "{media_type}");
    }
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused_however_it_is_sent() {
    let settings = Settings { body_bytes: 1_000, ..Settings::new(Access::Loopback) };
    let server = Server::with(settings).await;
    let body = |bytes: usize| format!(r#"{{"flow":"echo","input":"{}"}}"#, "x".repeat(bytes));
    assert_eq!(server.post("/jobs", &body(900)).await.status, 202);
    server.post("/jobs", &body(1_000)).await.problem(413);
    server.post("/jobs", &body(5_000_000)).await.problem(413);
    let chunked = Request::new("POST", "/jobs").header("Transfer-Encoding", "chunked");
    let chunk = format!("7d0\r\n{}\r\n0\r\n\r\n", "x".repeat(2_000));
    chunked.with_raw_body("application/json", chunk).send(server.address).await.problem(413);
}

#[tokio::test]
async fn a_bulk_without_jobs_or_with_too_many_is_refused() {
    let server = Server::start().await;
    server.post("/jobs/bulk", "[]").await.problem(422);
    server.post("/jobs/bulk", "{}").await.problem(422);
    let many = vec![r#"{"flow":"echo"}"#; 10_001].join(",");
    server.post("/jobs/bulk", &format!("[{many}]")).await.problem(422);
    let empty = Request::new("POST", "/jobs/bulk").body("application/x-ndjson", "\n\n");
    empty.send(server.address).await.problem(422);
    assert_eq!(server.get("/jobs/counts").await.field("total"), Value::from(0));
}
