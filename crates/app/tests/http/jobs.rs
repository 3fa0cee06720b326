//! `/jobs`

use jobmill_model::Value;

use crate::client::Request;
use crate::server::Server;

const PAIRS: &str = r#"{"flow":"expand_reduce_flow","input":{"1":"2","3":"4","5":"6","7":"8"}}"#;

#[tokio::test]
async fn a_job_is_accepted_with_an_id_a_place_and_every_field() {
    let server = Server::start().await;
    let answer = server.post("/jobs", PAIRS).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let id = answer.word("id");
    assert_eq!(answer.header("location"), Some(&*format!("/jobs/{id}")));
    let shown = answer.text().replace(&id, "ID").replace(&answer.word("created_at"), "NOW");
    assert_eq!(
        shown,
        r#"{"id":"ID","flow":"expand_reduce_flow","queue":"default","key":null,"status":"submitted","#
            .to_owned()
            + r#""input":{"1":"2","3":"4","5":"6","7":"8"},"params":{},"priority":0,"attempt":0,"#
            + r#""max_attempts":3,"progress":{"done":0,"total":0,"message":""},"#
            + r#""created_at":"NOW","run_at":"NOW","started_at":null,"finished_at":null,"#
            + r#""error":null,"warnings":[],"tags":[],"parent":null,"waiting_for":null,"webhook":null}"#
    );
}

#[tokio::test]
async fn an_accepted_job_runs_and_can_be_read() {
    let server = Server::start().await;
    let id = server.submit(PAIRS).await;
    let outcome = server.outcome(&id).await;
    assert_eq!(
        outcome.text(),
        format!(r#"{{"id":"{id}","status":"completed","result":"#)
            + r#"{"1 5":"2 6","1 7":"2 8","3 5":"4 6","3 7":"4 8"}}"#
    );
    let job = server.get(&format!("/jobs/{id}")).await;
    assert_eq!((job.status, job.word("status").as_str()), (200, "completed"));
    assert_eq!(job.field("attempt"), Value::from(1));
    assert!(job.word("started_at") <= job.word("finished_at"));
}

#[tokio::test]
async fn options_are_kept() {
    let server = Server::start().await;
    let body = r#"{"flow":"echo","queue":"night","priority":-3,"delay":"1h","max_attempts":5,
        "backoff":"10s","timeout":"5m","tags":["a","b"],"input":{"x":1e3},"params":{"y":[]}}"#;
    let id = server.submit(body).await;
    let job = server.get(&format!("/jobs/{id}")).await;
    assert_eq!(job.word("status"), "scheduled");
    assert_eq!(job.word("queue"), "night");
    assert_eq!(job.field("priority"), Value::from(-3));
    assert_eq!(job.field("max_attempts"), Value::from(5));
    assert_eq!(job.field("tags").to_string(), r#"["a","b"]"#);
    assert_eq!(job.field("input").to_string(), r#"{"x":1000.0}"#);
    assert_eq!(job.field("params").to_string(), r#"{"y":[]}"#);
    assert!(job.word("run_at") > job.word("created_at"));
}

#[tokio::test]
async fn sixty_four_senders_at_once_all_get_jobs_of_their_own() {
    let server = Server::start().await;
    let posts = (0..64).map(|_| server.submit(PAIRS));
    let mut ids = futures::future::join_all(posts).await;
    for id in &ids {
        assert_eq!(server.outcome(id).await.word("status"), "completed");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 64);
}

#[tokio::test]
async fn the_same_idempotency_key_gives_the_same_job_and_the_same_answer() {
    let server = Server::start().await;
    let send = async |path: &str, key: &str, body: &str| {
        let request = Request::new("POST", path).header("Idempotency-Key", key).json(body);
        request.send(server.address).await
    };
    let first = send("/jobs", "k", PAIRS).await;
    server.outcome(&first.word("id")).await;
    let again = send("/jobs", "k", &PAIRS.replace(',', " ,\n")).await;
    assert_eq!((again.status, again.text()), (202, first.text()));
    assert_eq!(again.header("location"), first.header("location"));

    let other_body = send("/jobs", "k", r#"{"flow":"echo"}"#).await;
    other_body.problem(422);
    assert!(other_body.word("type").ends_with("key-reused"));
    let other_key = send("/jobs", "l", PAIRS).await;
    assert_ne!(other_key.word("id"), first.word("id"));
    let other_route = send("/jobs/bulk", "k", &format!("[{PAIRS}]")).await;
    assert_eq!(other_route.status, 202);
    assert_eq!(server.get("/jobs/counts").await.field("total"), Value::from(3));
    for bad in ["", "é", &"x".repeat(256)] {
        send("/jobs", bad, PAIRS).await.problem(400);
    }
}

#[tokio::test]
async fn a_bulk_is_accepted_in_order_and_whole() {
    let server = Server::start().await;
    let body = r#"[{"flow":"echo","input":1},{"flow":"echo","input":2},{"start":1,"end":3}]"#;
    let answer = server.post("/jobs/bulk", body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(answer.field("items/0/input"), Value::from(1));
    assert_eq!(answer.field("items/1/input"), Value::from(2));
    assert_eq!(answer.field("items/2/start"), Value::from(1));
    assert_eq!(answer.field("next"), Value::Null);
    let outcome = server.outcome(&answer.word("items/1/id")).await;
    assert_eq!(outcome.field("result"), Value::from(2));
}

#[tokio::test]
async fn a_bulk_with_one_bad_job_is_refused_whole_with_its_place() {
    let server = Server::start().await;
    let good = r#"{"flow":"echo"}"#;
    let bad = r#"{"flow":"expand_reduce_flow","input":"text"}"#;
    let bare = r#"{"start":"x","end":2}"#;
    let flow = server.post("/jobs/bulk", &format!("[{good},{good},{good},{bad},{bare}]")).await;
    assert_eq!(flow.problem(422), ["/3/input", "/4/start"]);
    let options = r#"{"flow":"echo","priority":"high","tags":[1]}"#;
    let options = server.post("/jobs/bulk", &format!("[{good},{options},7]")).await;
    assert_eq!(options.problem(422), ["/1/priority", "/1/tags/0", "/2"]);
    let unknown = server.post("/jobs/bulk", r#"[{"flow":"echo"},{"flow":"ecko"}]"#).await;
    assert_eq!(unknown.problem(422), ["/1/flow"]);
    assert!(unknown.word("errors/0/message").contains("did you mean \"echo\"?"));
    assert_eq!(server.get("/jobs/counts").await.field("total"), Value::from(0));
}

#[tokio::test]
async fn a_bulk_may_come_as_lines_and_its_problems_name_them() {
    let server = Server::start().await;
    let send = |body: &str| {
        let request = Request::new("POST", "/jobs/bulk");
        request.body("application/x-ndjson", body).send(server.address)
    };
    let good = send("{\"flow\":\"echo\",\"input\":1}\r\n\n{\"flow\":\"echo\",\"input\":2}\n").await;
    assert_eq!(good.status, 202, "{}", good.text());
    assert_eq!(good.field("items/1/input"), Value::from(2));

    let bad = send("{\"flow\":\"echo\"}\n\n{\"flow\":\"echo\",\"tags\":0}\n").await;
    assert_eq!(bad.problem(422), ["/1/tags"]);
    assert!(bad.word("errors/0/message").starts_with("line 3: "));
    let malformed = send("{\"flow\":\"echo\"}\n{\"flow\":}\n").await;
    malformed.problem(400);
    assert!(malformed.word("detail").contains("line 2 column 9"), "{}", malformed.text());
}

#[tokio::test]
async fn jobs_are_listed_newest_first_in_pages() {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(server.submit(&format!(r#"{{"flow":"echo","input":{number}}}"#)).await);
    }
    ids.reverse();
    let (mut listed, mut path) = (Vec::new(), "/jobs?limit=2".to_owned());
    loop {
        let page = server.get(&path).await;
        let items = page.field("items");
        let items = items.as_list().unwrap();
        assert!(items.len() <= 2);
        listed.extend((0..items.len()).map(|index| page.word(&format!("items/{index}/id"))));
        match page.field("next").as_str() {
            Some(next) => path = format!("/jobs?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(listed, ids);
}

#[tokio::test]
async fn every_filter_that_is_given_must_hold() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"echo","queue":"q","tags":["x","y"]}"#).await;
    server.outcome(&id).await;
    let other = server.submit(r#"{"flow":"echo","delay":"1h"}"#).await;
    let at = server.get(&format!("/jobs/{other}")).await.word("created_at");
    for (query, count) in [
        ("status=completed", 1),
        ("status=scheduled,completed", 2),
        ("status=scheduled&status=completed", 2),
        ("status=failed", 0),
        ("flow=echo", 2),
        ("flow=expand_reduce_flow", 0),
        ("queue=q&tag=y", 1),
        ("queue=default&tag=y", 0),
        ("status=", 2),
        ("since=2020-01-01T00:00:00Z", 2),
        ("until=2020-01-01T00:00:00%2B02:00", 0),
        (&format!("since={at}&queue=default"), 1),
    ] {
        let page = server.get(&format!("/jobs?{query}")).await;
        assert_eq!(page.field("items").as_list().map(<[_]>::len), Some(count), "{query}");
    }
}

#[tokio::test]
async fn a_waiting_and_a_running_job_can_be_cancelled_and_run_again() {
    let server = Server::start().await;
    let waiting = server.submit(r#"{"flow":"gate","delay":"1h"}"#).await;
    let running = server.submit(r#"{"flow":"gate"}"#).await;
    for id in [&waiting, &running] {
        let answer = Request::new("POST", &format!("/jobs/{id}/cancel")).send(server.address).await;
        assert_eq!((answer.status, answer.word("status").as_str()), (200, "cancelled"));
        let again = Request::new("POST", &format!("/jobs/{id}/cancel")).send(server.address).await;
        assert_eq!((again.status, again.word("status").as_str()), (200, "cancelled"));
        let outcome = server.outcome(id).await;
        assert_eq!(outcome.word("status"), "cancelled");
        assert_eq!(outcome.word("error/type"), "Cancelled");
    }
    server.gate.open();
    let again = Request::new("POST", &format!("/jobs/{waiting}/retry")).send(server.address).await;
    assert_eq!((again.status, again.word("status").as_str()), (202, "submitted"));
    assert_eq!(again.header("location"), Some(&*format!("/jobs/{waiting}")));
    assert_eq!(server.outcome(&waiting).await.word("status"), "completed");
}

#[tokio::test]
async fn what_a_state_does_not_allow_is_a_conflict_that_names_the_state() {
    let server = Server::start().await;
    let id = server.submit(PAIRS).await;
    server.outcome(&id).await;
    for verb in ["cancel", "retry"] {
        let answer = server.post(&format!("/jobs/{id}/{verb}"), "").await;
        answer.problem(409);
        assert_eq!(answer.word("job_status"), "completed");
        assert_eq!(answer.word("id"), id);
    }
}

#[tokio::test]
async fn a_flow_that_panics_fails_its_job_and_not_the_server() {
    let server = Server::start().await;
    let outcome = server.run(r#"{"flow":"panics","max_attempts":1}"#).await;
    assert_eq!(outcome.word("status"), "failed");
    assert_eq!(server.run(PAIRS).await.word("status"), "completed");
}

#[tokio::test]
async fn counts_tell_how_many_jobs_are_in_each_state() {
    let server = Server::start().await;
    server.run(PAIRS).await;
    server.run(r#"{"flow":"broken"}"#).await;
    server.submit(r#"{"flow":"echo","delay":"1h"}"#).await;
    let counts = server.get("/jobs/counts").await;
    assert_eq!(
        counts.text(),
        r#"{"scheduled":1,"submitted":0,"running":0,"completed":1,"failed":1,"cancelled":0,"total":3}"#
    );
}

#[tokio::test]
async fn a_full_path_may_have_a_last_slash_or_not() {
    let server = Server::start().await;
    let id = server.submit(PAIRS).await;
    assert_eq!(server.get("/jobs/?limit=1").await.status, 200);
    assert_eq!(server.get(&format!("/jobs/{id}/")).await.status, 200);
    assert_eq!(server.post("/jobs/", PAIRS).await.status, 202);
}

#[tokio::test]
async fn a_unique_job_is_answered_with_its_like() {
    let server = Server::start().await;
    let later = |unique: &str, input: u32| {
        format!(r#"{{"flow":"echo","input":{input},"delay":"1h","unique":{unique}}}"#)
    };
    let first = server.post("/jobs", &later("true", 1)).await;
    assert_eq!((first.status, first.field("duplicate")), (202, Value::Bool(false)));
    let again = server.post("/jobs", &later("true", 1)).await;
    assert_eq!((again.status, again.field("duplicate")), (200, Value::Bool(true)));
    assert_eq!(again.word("id"), first.word("id"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(server.post("/jobs", &later("true", 2)).await.status, 202);
    let bulk = format!("[{},{}]", later(r#""k""#, 3), later(r#""k""#, 4));
    let bulk = server.post("/jobs/bulk", &bulk).await;
    assert_eq!(bulk.status, 202);
    assert_eq!(bulk.word("items/0/id"), bulk.word("items/1/id"));
    assert_eq!(bulk.field("items/1/input"), 3.into(), "it is shown as it stands");
    let path = format!("/jobs/{}", first.word("id"));
    server.post(&format!("{path}/cancel"), "").await;
    assert!(!server.get(&path).await.text().contains("duplicate"));
    let second = server.post("/jobs", &later("true", 1)).await;
    assert_eq!(second.status, 202);
    let refused = server.post(&format!("{path}/retry"), "").await;
    refused.problem(409);
    assert!(refused.word("detail").contains(&second.word("id")), "{}", refused.text());
}

#[tokio::test]
async fn of_many_unique_submissions_at_once_one_is_stored() {
    let server = Server::start().await;
    let body = r#"{"flow":"echo","delay":"1h","unique":"only"}"#;
    let answers = futures::future::join_all((0..20).map(|_| server.post("/jobs", body))).await;
    let new = answers.iter().filter(|answer| answer.status == 202).count();
    assert_eq!(new, 1);
    assert!(answers.iter().all(|answer| answer.word("id") == answers[0].word("id")));
}
