//! Workers in any language: `/flows`, `/queues/{queue}/lease` and what follows under a lease.

use jobmill::http::{Access, Settings};
use jobmill_model::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Answer, Request};
use crate::server::Server;

const CALL: &str = r#"{"worker":"w","flows":["resize"],"max":10}"#;
const WAITING: &str = r#"{"worker":"w","flows":["resize"],"wait":"60s"}"#;

/// A server that knows the flow `resize`.
async fn with_resize() -> Server {
    let server = Server::start().await;
    let declared = server.put("/flows/resize", r#"{"about":"Resizes."}"#).await;
    assert_eq!(declared.status, 201, "{}", declared.text());
    server
}

async fn submit(server: &Server) -> String {
    server.submit(r#"{"flow":"resize","input":{"url":"a"}}"#).await
}

/// A job and the token of its lease.
struct Lease {
    id: String,
    token: i64,
}

impl Lease {
    fn of(answer: &Answer, index: usize) -> Self {
        let token = answer.field(&format!("jobs/{index}/lease/token")).as_int().unwrap();
        Self { id: answer.word(&format!("jobs/{index}/id")), token }
    }

    async fn post(&self, server: &Server, verb: &str, rest: &str) -> Answer {
        let body = format!(r#"{{"token":{}{rest}}}"#, self.token);
        server.post(&format!("/jobs/{}/{verb}", self.id), &body).await
    }

    async fn put_effect(&self, server: &Server, name: &str, value: &str) -> Answer {
        let path = format!("/jobs/{}/effects/{name}", self.id);
        let request = Request::new("PUT", &path).header("Lease-Token", &self.token.to_string());
        request.json(value).send(server.address).await
    }
}

async fn lease(server: &Server) -> Lease {
    let answer = server.post("/queues/default/lease", CALL).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Lease::of(&answer, 0)
}

fn count(answer: &Answer) -> usize {
    answer.field("jobs").as_list().unwrap().len()
}

#[tokio::test]
async fn a_leased_job_is_performed_outside_and_completed() {
    let server = with_resize().await;
    let id = submit(&server).await;
    let answer = server.post("/queues/default/lease", CALL).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.word("jobs/0/id"), id);
    assert_eq!(answer.field("jobs/0/input").to_string(), r#"{"url":"a"}"#);
    assert_eq!(answer.field("jobs/0/attempt"), Value::from(1));
    let lease = Lease::of(&answer, 0);
    assert_eq!(server.get(&format!("/jobs/{id}")).await.word("status"), "running");
    let beat = lease.post(&server, "heartbeat", "").await;
    assert!(beat.word("expires_at") >= answer.word("jobs/0/lease/expires_at"));
    let progress = lease.post(&server, "progress", r#","done":1,"total":2,"message":"half""#);
    assert_eq!(progress.await.status, 200);
    let job = server.get(&format!("/jobs/{id}")).await;
    assert_eq!(job.field("progress").to_string(), r#"{"done":1,"total":2,"message":"half"}"#);
    let done = lease.post(&server, "complete", r#","result":{"size":7}"#).await;
    assert_eq!((done.status, done.word("status").as_str()), (200, "completed"));
    assert_eq!(server.outcome(&id).await.field("result").to_string(), r#"{"size":7}"#);
    let again = lease.post(&server, "complete", r#","result":{"size":7}"#).await;
    assert_eq!(again.status, 200, "a worker that did not hear the answer asks again");
    assert_eq!(lease.post(&server, "heartbeat", "").await.status, 409);
    assert_eq!(count(&server.post("/queues/default/lease", CALL).await), 0);
}

#[tokio::test]
async fn a_caller_waits_for_a_job() {
    let server = with_resize().await;
    let waiting = async { server.post("/queues/default/lease", WAITING).await };
    let (answer, id) = tokio::join!(waiting, submit(&server));
    assert_eq!(answer.word("jobs/0/id"), id);
}

#[tokio::test]
async fn each_of_many_waiting_callers_gets_a_job() {
    let server = with_resize().await;
    let callers = (0..20).map(|_| server.post("/queues/default/lease", WAITING));
    let bulk = format!("[{}]", vec![r#"{"flow":"resize"}"#; 20].join(","));
    let (answers, submitted) =
        tokio::join!(futures::future::join_all(callers), server.post("/jobs/bulk", &bulk));
    assert_eq!(submitted.status, 202);
    assert!(answers.iter().all(|answer| count(answer) == 1));
}

#[tokio::test]
async fn a_caller_that_hangs_up_takes_no_job_with_it() {
    let server = with_resize().await;
    let mut gone = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /queues/default/lease HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{WAITING}",
        server.address,
        WAITING.len()
    );
    gone.write_all(head.as_bytes()).await.unwrap();
    drop(gone);
    let id = submit(&server).await;
    let answer = server.post("/queues/default/lease", WAITING).await;
    assert_eq!(answer.word("jobs/0/id"), id);
    let job = server.get(&format!("/jobs/{id}")).await;
    assert_eq!(job.field("attempt"), Value::from(1));
}

#[tokio::test]
async fn a_stale_token_changes_nothing() {
    let server = with_resize().await;
    let id = submit(&server).await;
    let old = lease(&server).await;
    assert_eq!(old.post(&server, "release", "").await.word("status"), "submitted");
    let new = lease(&server).await;
    assert_eq!((&new.id, new.token), (&id, old.token + 1));
    let verbs = [
        ("heartbeat", ""),
        ("progress", r#","done":1"#),
        ("complete", r#","result":1"#),
        ("fail", r#","error":{"type":"X"}"#),
        ("release", ""),
    ];
    for (verb, rest) in verbs {
        let refused = old.post(&server, verb, rest).await;
        refused.problem(409);
        assert_eq!(refused.word("type"), "urn:jobmill:problem:lease-ended");
        assert_eq!(refused.word("job_status"), "running");
    }
    old.put_effect(&server, "a", "1").await.problem(409);
    let job = server.get(&format!("/jobs/{id}")).await;
    assert_eq!(job.field("progress/done"), Value::from(0));
    assert_eq!(new.post(&server, "complete", r#","result":2"#).await.status, 200);
}

#[tokio::test]
async fn the_heartbeat_of_a_cancelled_job_tells_the_worker_to_stop() {
    let server = with_resize().await;
    let id = submit(&server).await;
    let lease = lease(&server).await;
    assert_eq!(server.post(&format!("/jobs/{id}/cancel"), "").await.status, 200);
    let refused = lease.post(&server, "heartbeat", "").await;
    refused.problem(409);
    assert_eq!(refused.word("detail"), "the job was cancelled; stop working on it");
    assert_eq!(refused.word("job_status"), "cancelled");
}

#[tokio::test]
async fn a_failed_attempt_is_tried_again_as_often_as_the_flow_says() {
    let server = Server::start().await;
    server.put("/flows/resize", r#"{"max_attempts":2}"#).await;
    let job = r#"{"flow":"resize","backoff":"0s"}"#;
    let id = server.submit(job).await;
    let first = lease(&server).await;
    let failed = first.post(&server, "fail", r#","error":{"type":"Busy","message":"later"}"#).await;
    assert_eq!(failed.word("status"), "scheduled");
    let answer = server.post("/queues/default/lease", WAITING).await;
    assert_eq!(answer.field("jobs/0/attempt"), Value::from(2));
    let failing = r#","error":{"type":"Busy","message":"never","trace":"at line 1"}"#;
    let failed = Lease::of(&answer, 0).post(&server, "fail", failing).await;
    assert_eq!(failed.word("status"), "failed");
    let errors = server.get(&format!("/jobs/{id}/errors")).await;
    assert_eq!(errors.field("items").as_list().unwrap().len(), 2);
    assert_eq!(errors.word("items/1/trace"), "at line 1");
}

#[tokio::test]
async fn a_failure_says_whether_and_when_to_try_again() {
    let server = with_resize().await;
    for (rest, status) in [(r#","retry":false"#, "failed"), (r#","retry_after":"1h""#, "scheduled")]
    {
        let id = submit(&server).await;
        let lease = lease(&server).await;
        let failing = format!(r#","error":{{"type":"Busy"}}{rest}"#);
        assert_eq!(lease.post(&server, "fail", &failing).await.word("status"), status);
        let job = server.get(&format!("/jobs/{id}")).await;
        if status == "scheduled" {
            assert!(job.word("run_at") > job.word("created_at"));
        }
    }
}

#[tokio::test]
async fn many_jobs_are_answered_at_once_each_for_itself() {
    let server = with_resize().await;
    for _ in 0..3 {
        submit(&server).await;
    }
    let answer = server.post("/queues/default/lease", CALL).await;
    let [one, two, three] = [0, 1, 2].map(|index| Lease::of(&answer, index));
    let nobody = "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42";
    let beats = format!(
        r#"[{{"id":"{}","token":1}},{{"id":"{}","token":9}},{{"id":"{nobody}","token":1}}]"#,
        one.id, two.id
    );
    let beats = server.post("/jobs/heartbeat", &beats).await;
    assert!(!beats.word("items/0/expires_at").is_empty());
    assert_eq!(beats.field("items/1/error/status"), Value::from(409));
    assert_eq!(beats.field("items/2/error/status"), Value::from(404));
    let done = format!(
        r#"[{{"id":"{}","token":1,"result":{{"a":1}}}},{{"id":"{}","token":7,"result":2}}]"#,
        one.id, two.id
    );
    let done = server.post("/jobs/complete", &done).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(done.word("items/0/status"), "completed");
    assert_eq!(done.word("items/1/error/type"), "urn:jobmill:problem:lease-ended");
    let failed =
        format!(r#"[{{"id":"{}","token":1,"error":{{"type":"X"}},"retry":false}}]"#, three.id);
    let failed = server.post("/jobs/fail", &failed).await;
    assert_eq!(failed.word("items/0/status"), "failed");
    assert_eq!(server.outcome(&one.id).await.field("result").to_string(), r#"{"a":1}"#);
}

impl Lease {
    fn result(&self, text: &str) -> Request {
        let request = Request::new("PUT", &format!("/jobs/{}/result", self.id));
        request.header("Lease-Token", &self.token.to_string()).json(text)
    }
}

/// A server that takes small bodies only and knows the flow `resize`.
async fn with_small_bodies() -> Server {
    let settings = Settings { body_bytes: 1_000, ..Settings::new(Access::Loopback) };
    let server = Server::with(settings).await;
    assert_eq!(server.put("/flows/resize", "{}").await.status, 201);
    server
}

fn large(size: usize) -> String {
    let entries = (0..size).map(|number| format!("\"key {number}\": [{number}]"));
    format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
}

#[tokio::test]
async fn a_result_may_be_larger_than_a_body() {
    let server = with_small_bodies().await;
    let id = submit(&server).await;
    let lease = lease(&server).await;
    let text = large(100_000);
    let put = lease.result(&text).send(server.address).await;
    assert_eq!((put.status, put.word("status").as_str()), (200, "completed"), "{}", put.text());
    let expected = Value::from_json(text.as_bytes()).unwrap();
    assert_eq!(server.outcome(&id).await.field("result"), expected);
    let page = server.get(&format!("/jobs/{id}/pairs?limit=1&cursor=99999")).await;
    assert_eq!(page.word("items/0/key"), "key 99999");
    assert_eq!(lease.result("1").send(server.address).await.status, 200, "it was not heard");
    let stale = Lease { token: lease.token + 1, ..lease };
    stale.result("1").send(server.address).await.problem(409);
}

#[tokio::test]
async fn a_result_that_broke_off_is_sent_anew_and_nothing_of_it_stays() {
    let server = with_small_bodies().await;
    let id = submit(&server).await;
    let lease = lease(&server).await;
    let text = large(100_000);
    let mut half = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "PUT /jobs/{id}/result HTTP/1.1\r\nHost: localhost\r\nLease-Token: {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        lease.token,
        text.len()
    );
    half.write_all(head.as_bytes()).await.unwrap();
    half.write_all(&text.as_bytes()[..text.len() - 1]).await.unwrap();
    drop(half);
    let mut answer = lease.result(r#"["short"]"#).send(server.address).await;
    while answer.status == 409 {
        // The server has not noticed yet that the first one has gone.
        answer = lease.result(r#"["short"]"#).send(server.address).await;
    }
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(server.outcome(&id).await.field("result").to_string(), r#"["short"]"#);
}

#[tokio::test]
async fn a_result_that_is_not_json_is_refused_with_its_place() {
    let server = with_small_bodies().await;
    submit(&server).await;
    let lease = lease(&server).await;
    let refused = lease.result(r#"{"a":1,}"#).send(server.address).await;
    assert_eq!(refused.problem(422), [""]);
    assert!(refused.text().contains("at byte 7"), "{}", refused.text());
    let path = format!("/jobs/{}/result", lease.id);
    Request::new("PUT", &path).json("1").send(server.address).await.problem(400);
    let text = Request::new("PUT", &path).header("Lease-Token", "1").body("text/plain", "1");
    text.send(server.address).await.problem(415);
    assert_eq!(lease.post(&server, "complete", r#","result":1"#).await.status, 200);
}

#[tokio::test]
async fn the_first_result_of_a_step_counts_for_every_worker() {
    let server = with_resize().await;
    let id = submit(&server).await;
    let first = lease(&server).await;
    let path = format!("/jobs/{id}/effects/pay");
    server.get(&path).await.problem(404);
    let noted = first.put_effect(&server, "pay", r#"{"paid":7}"#).await;
    assert_eq!((noted.status, noted.text()), (201, r#"{"name":"pay","value":{"paid":7}}"#));
    assert_eq!(first.post(&server, "release", "").await.status, 200);
    let second = lease(&server).await;
    let known = second.put_effect(&server, "pay", "8").await;
    assert_eq!((known.status, known.text()), (200, r#"{"name":"pay","value":{"paid":7}}"#));
    second.put_effect(&server, "send", "null").await;
    assert_eq!(server.get(&path).await.text(), r#"{"name":"pay","value":{"paid":7}}"#);
    let page = server.get(&format!("/jobs/{id}/effects?limit=1")).await;
    assert_eq!((page.word("items/0/name"), page.word("next")), ("pay".into(), "pay".into()));
    let page = server.get(&format!("/jobs/{id}/effects?cursor=pay")).await;
    assert_eq!(page.text(), r#"{"items":[{"name":"send","value":null}],"next":null}"#);
    second.post(&server, "complete", "").await;
    server.get(&path).await.problem(404);
    let large = format!("\"{}\"", "x".repeat(1024 * 1024));
    second.put_effect(&server, "large", &large).await.problem(422);
}

#[tokio::test]
async fn a_declared_flow_is_shown_and_checks_its_inputs() {
    let server = Server::start().await;
    let declaration = r#"{"about":"Resizes.","lease":"1m","timeout":"5m","input_schema":
        {"type":"object","required":["url"],"properties":{"url":{"type":"string"}}}}"#;
    let flow = server.put("/flows/resize", declaration).await;
    assert_eq!(flow.status, 201);
    assert_eq!(
        flow.field("declared").to_string(),
        r#"{"max_attempts":3,"timeout":"5m","lease":"1m"}"#
    );
    assert_eq!(server.put("/flows/resize", declaration).await.status, 200);
    assert_eq!(server.get("/flows/resize").await.word("about"), "Resizes.");
    let bad = server.post("/jobs", r#"{"flow":"resize","input":{"url":1}}"#).await;
    assert_eq!(bad.problem(422), ["/input/url"]);
    let good = server.post("/jobs", r#"{"flow":"resize","input":{"url":"a"}}"#).await;
    assert_eq!(good.status, 202);
    let answer = server.post("/queues/default/lease", CALL).await;
    assert_eq!(count(&answer), 1);
}

#[tokio::test]
async fn a_misspelt_flow_is_refused_with_a_suggestion() {
    let server = with_resize().await;
    let call = r#"{"worker":"w","flows":["resize","resise"]}"#;
    let refused = server.post("/queues/default/lease", call).await;
    assert_eq!(refused.problem(422), ["/flows/1"]);
    assert!(refused.text().contains(r#"did you mean \"resize\"?"#), "{}", refused.text());
    let refused = server.post("/jobs", r#"{"flow":"resise"}"#).await;
    assert!(refused.text().contains(r#"did you mean \"resize\"?"#), "{}", refused.text());
    server.put("/flows/range_report", "{}").await.problem(409);
    let bad = server.put("/flows/x", r#"{"lease":"0s","input_schema":{"type":"strin"},"a":1}"#);
    assert_eq!(bad.await.problem(422), ["/a", "/lease"]);
    let schema = server.put("/flows/x", r#"{"input_schema":{"pattern":"^(a+)+$"}}"#).await;
    assert_eq!(schema.problem(422), ["/input_schema/pattern"]);
    let gone = Request::new("DELETE", "/flows/resize").send(server.address).await;
    assert_eq!((gone.status, gone.word("name").as_str()), (200, "resize"));
    server.post("/queues/default/lease", CALL).await.problem(422);
}

#[tokio::test]
async fn a_built_in_flow_can_be_performed_outside() {
    let server = Server::start().await;
    let call = r#"{"worker":"w","flows":["range_report"],"wait":"0s"}"#;
    assert_eq!(count(&server.post("/queues/default/lease", call).await), 0);
}

#[tokio::test]
async fn a_call_that_makes_no_sense_is_refused_with_everything_that_is_wrong() {
    let server = with_resize().await;
    let call = r#"{"flows":[],"max":0,"wait":"2m","lease":"1ms","x":1}"#;
    let refused = server.post("/queues/default/lease", call).await;
    let mut pointers = refused.problem(422);
    pointers.sort();
    assert_eq!(pointers, ["/flows", "/lease", "/max", "/wait", "/worker", "/x"]);
    server.post("/queues/a%20b/lease", CALL).await.problem(422);
    submit(&server).await;
    let lease = lease(&server).await;
    let path = |verb: &str| format!("/jobs/{}/{verb}", lease.id);
    assert_eq!(server.post(&path("heartbeat"), "{}").await.problem(422), ["/token"]);
    assert_eq!(server.post(&path("fail"), r#"{"token":1}"#).await.problem(422), ["/error"]);
    assert_eq!(server.post(&path("progress"), r#"{"token":1}"#).await.problem(422), ["/done"]);
    let by_header = Request::new("POST", &path("heartbeat")).header("Lease-Token", "1");
    assert_eq!(by_header.send(server.address).await.status, 200);
    let wrong = Request::new("POST", &path("heartbeat")).header("Lease-Token", "x");
    wrong.send(server.address).await.problem(400);
    let batch = r#"[{"id":"x","token":1},7]"#;
    assert_eq!(server.post("/jobs/complete", batch).await.problem(422), ["/0/id", "/1"]);
    server.post("/jobs/complete", "[]").await.problem(422);
}

#[tokio::test]
async fn a_waiting_caller_is_answered_when_the_server_stops() {
    let server = with_resize().await;
    let engine = server.engine.clone();
    let waiting = server.post("/queues/default/lease", WAITING);
    let (answer, ()) = tokio::join!(waiting, engine.drain());
    assert_eq!((answer.status, count(&answer)), (200, 0));
}
