//! `/schedules`

use jobmill_model::Value;

use crate::client::{Answer, Request};
use crate::server::Server;

const NIGHTLY: &str = r#"{"name":"nightly","cron":"30 3 * * *","time_zone":"Europe/Berlin",
    "missed":"all","missed_limit":3,"overlap":"skip","clock_change":"skip",
    "job":{"flow":"echo","input":{"a":1},"queue":"slow","tags":["night"],"timeout":"5m"}}"#;

async fn put(server: &Server, name: &str, body: &str) -> Answer {
    let request = Request::new("PUT", &format!("/schedules/{name}")).json(body);
    request.send(server.address).await
}

#[tokio::test]
async fn a_schedule_is_created_and_shown_with_its_next_ticks() {
    let server = Server::start().await;
    let created = server.post("/schedules", NIGHTLY).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(created.header("location"), Some("/schedules/nightly"));
    let shown = server.get("/schedules/nightly").await;
    assert_eq!(shown.json(), created.json());
    for (field, text) in [
        ("cron", "30 3 * * *"),
        ("time_zone", "Europe/Berlin"),
        ("missed", "all"),
        ("overlap", "skip"),
        ("clock_change", "skip"),
        ("job/queue", "slow"),
        ("job/timeout", "5m"),
    ] {
        assert_eq!(shown.word(field), text);
    }
    let ticks = shown.field("next_ticks");
    assert_eq!(ticks.as_list().unwrap().len(), 5);
    assert_eq!(ticks.as_list().unwrap()[0], shown.field("next_at"));
    server.post("/schedules", NIGHTLY).await.problem(409);
    let listed = server.get("/schedules").await;
    assert_eq!(listed.word("items/0/name"), "nightly");
    assert_eq!(listed.field("next"), Value::Null);
}

#[tokio::test]
async fn each_tick_submits_the_job() {
    let server = Server::start().await;
    let often = r#"{"cron":"* * * * * *","job":{"flow":"echo","input":[7]}}"#;
    assert_eq!(put(&server, "often", often).await.status, 201);
    let job = loop {
        let jobs = server.get("/jobs?tag=schedule:often").await;
        if !jobs.field("items").as_list().unwrap().is_empty() {
            break jobs.word("items/0/id");
        }
        tokio::task::yield_now().await;
    };
    let outcome = server.outcome(&job).await;
    assert_eq!(outcome.field("result").to_string(), "[7]");
    let schedule = server.get("/schedules/often").await;
    assert_eq!(schedule.field("error"), Value::Null);
    let tick = schedule.word("last/tick");
    assert!(tick.ends_with(".000Z"), "{tick}");
}

#[tokio::test]
async fn a_schedule_is_replaced_paused_resumed_triggered_and_deleted() {
    let server = Server::start().await;
    let body = r#"{"cron":"@yearly","job":{"flow":"echo","input":1}}"#;
    assert_eq!(put(&server, "s", body).await.status, 201);
    assert_eq!(put(&server, "s", body).await.status, 200);
    let paused = server.post("/schedules/s/pause", "").await;
    assert_eq!((paused.field("paused"), paused.field("next_at")), (Value::Bool(true), Value::Null));
    let resumed = server.post("/schedules/s/resume", "").await;
    assert!(resumed.word("next_at").ends_with("-01-01T00:00:00.000Z"));
    let trigger = async || {
        let request = Request::new("POST", "/schedules/s/trigger").header("Idempotency-Key", "k");
        request.send(server.address).await
    };
    let (first, again) = (trigger().await, trigger().await);
    assert_eq!((first.status, first.word("tags/0")), (202, "schedule:s".to_owned()));
    assert_eq!(first.word("id"), again.word("id"), "the same key, the same job");
    assert_eq!(server.outcome(&first.word("id")).await.field("result").to_string(), "1");
    let delete = Request::new("DELETE", "/schedules/s").send(server.address).await;
    assert_eq!((delete.status, delete.word("name")), (200, "s".to_owned()));
    for answer in [
        server.get("/schedules/s").await,
        server.post("/schedules/s/pause", "").await,
        server.post("/schedules/s/trigger", "").await,
        Request::new("DELETE", "/schedules/s").send(server.address).await,
        server.get("/schedules/%20").await,
    ] {
        answer.problem(404);
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_with_its_place() {
    let server = Server::start().await;
    let body = r#"{"cron":"* * 30 2 *","time_zone":"Europe/Berln","missed":"all","nam":1,
        "job":{"flow":"echo","run_at":"2036-01-01T00:00:00Z"}}"#;
    let answer = put(&server, "s", body).await;
    assert_eq!(answer.problem(422), ["/nam", "/cron", "/time_zone", "/job/run_at"]);
    assert!(answer.text().contains("Europe/Berlin"), "{}", answer.text());
    let unknown = r#"{"cron":"@daily","job":{"flow":"ecko"}}"#;
    assert_eq!(put(&server, "s", unknown).await.problem(422), ["/job/flow"]);
    let misfit = r#"{"cron":"@daily","job":{"flow":"range_report","input":{"start":"x"}}}"#;
    let pointers = put(&server, "s", misfit).await.problem(422);
    assert!(pointers[0].starts_with("/job/input"), "{pointers:?}");
    let good = r#"{"cron":"@daily","job":{"flow":"echo"}}"#;
    assert_eq!(put(&server, "a%20b", good).await.problem(422), [""]);
    assert_eq!(put(&server, &"x".repeat(101), good).await.problem(422), [""]);
    server.get("/schedules?limit=0&page=1").await.problem(400);
}

#[tokio::test]
async fn the_job_of_a_schedule_has_what_its_declared_flow_says() {
    let server = Server::start().await;
    let flow = r#"{"max_attempts":7,"timeout":"90s"}"#;
    assert_eq!(server.put("/flows/mail", flow).await.status, 201);
    let daily = r#"{"cron":"@daily","job":{"flow":"mail"}}"#;
    let schedule = server.put("/schedules/plain", daily).await;
    assert_eq!(schedule.field("job/max_attempts"), 7.into(), "{}", schedule.text());
    assert_eq!(schedule.word("job/timeout"), "1m30s");
    let own = r#"{"cron":"@daily","job":{"flow":"mail","max_attempts":2,"key":"ann"}}"#;
    let schedule = server.put("/schedules/own", own).await;
    assert_eq!(schedule.field("job/max_attempts"), 2.into());
    assert_eq!(schedule.word("job/timeout"), "1m30s");
    assert_eq!(server.get("/schedules/own").await.word("job/key"), "ann");
    let unique = r#"{"cron":"@daily","job":{"flow":"mail","unique":true}}"#;
    let said = server.put("/schedules/unique", unique).await.problem(422);
    assert!(said[0].starts_with("/job/unique"), "{said:?}");
}
