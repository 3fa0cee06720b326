//! Google's services: answered here, from the store, by the pure code of the crate `google`.
//!
//! An HTTP request and a connector of a workflow are the same call.

pub(crate) mod credentials;
pub(crate) mod remote;

mod account;
mod bigquery;
mod documents;
mod firestore;
mod query;
mod receipt;

use std::sync::Arc;

use jobmill_google::discovery::{Call, Service, connector};
use jobmill_google::limits::QUERY_MILLIS;
use jobmill_google::wire::read::Read;
use jobmill_google::wire::{Error, Status};
use jobmill_model::machine::{ConnectorCall, Outcome};
use jobmill_model::{JobId, Span, Timestamp, Value};
use jobmill_store::StoreError;

use crate::engine::Shared;

/// Removes what nobody will ask for again.
///
/// # Errors
/// A store that cannot be used.
pub(crate) async fn sweep(shared: &Shared) -> Result<(), StoreError> {
    query::sweep(shared).await?;
    receipt::sweep(shared).await
}

/// The longest that one query looks at documents or rows.
const QUERY: Span = Span::from_millis(QUERY_MILLIS);

/// Ends a query that has taken too long.
fn check_time(shared: &Shared, asked: &Asked<'_>) -> Read<()> {
    if shared.clock.now() <= asked.now.after(QUERY) {
        return Ok(());
    }
    let text = format!("the query took longer than {QUERY}; ask for less");
    Err(Error::new(Status::DeadlineExceeded, text))
}

/// Does what takes a processor for a while beside the threads that answer requests.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Read<T> + Send + 'static) -> Read<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Error::new(Status::Internal, "the query broke off")))
}

/// A call and what tells its repetition, if something does.
pub(crate) struct Asked<'a> {
    pub(crate) call: &'a Call,
    pub(crate) key: Option<&'a str>,
    /// The job whose machine makes the call, if one does.
    pub(crate) job: Option<JobId>,
    pub(crate) now: Timestamp,
}

/// Answers a call.
///
/// # Errors
/// As the service would.
pub(crate) async fn answer(
    shared: &Shared,
    call: &Call,
    origin: Option<(JobId, &str)>,
) -> Read<Value> {
    let (job, key) = origin.unzip();
    let asked = Asked { call, key, job, now: shared.clock.now() };
    match call.method.service {
        Service::Firestore => firestore::answer(shared, &asked).await,
        Service::BigQuery => bigquery::answer(shared, &asked).await,
    }
}

/// Answers a call where a connector would send it.
///
/// # Errors
/// As the service would.
pub(crate) async fn answer_as_connector(shared: &Shared, call: &Call) -> Read<Value> {
    match remote::remote(shared, call) {
        Some(remote) => remote::answer(shared, remote, call).await,
        None => answer(shared, call, None).await,
    }
}

/// Performs a connector's call for a machine.
pub(super) async fn perform(
    shared: Arc<Shared>,
    job: JobId,
    call: ConnectorCall,
    key: String,
) -> Outcome {
    let called = match connector(&call.method) {
        Ok(method) => Call::of_connector(method, &call.args),
        Err(error) => {
            let message = error.message;
            return Outcome::Failed { code: "SystemError".to_owned(), message };
        }
    };
    let called = called.and_then(|called| Ok((called, remote::timeout(&call.args)?)));
    let (called, timeout) = match called {
        Ok(called) => called,
        Err(error) => {
            return Outcome::Failed { code: "ValueError".to_owned(), message: error.message };
        }
    };
    if let Some(remote) = remote::remote(&shared, &called) {
        return remote::perform(&shared, remote, &called, &key, timeout).await;
    }
    Outcome::Done(match answer(&shared, &called, Some((job, &key))).await {
        Ok(value) => Value::map([("result", value)]),
        Err(error) => Value::map([("error", http_error(&error))]),
    })
}

/// The error as a workflow sees one of a service: as that of an HTTP call.
fn http_error(error: &Error) -> Value {
    let code = error.status.http();
    let content_type = [("Content-Type", Value::from("application/json; charset=UTF-8"))];
    Value::map([
        ("message", format!("HTTP server responded with error code {code}").into()),
        ("tags", Value::list(["HttpError".into()])),
        ("code", u32::from(code).into()),
        ("headers", Value::map(content_type)),
        ("body", error.to_value()),
    ])
}

/// What a service answers when the store cannot.
fn of_store(error: &StoreError) -> Error {
    let status = match error {
        StoreError::Busy { .. } | StoreError::Closed => Status::Unavailable,
        StoreError::Full => Status::ResourceExhausted,
        StoreError::KeyReused | StoreError::Broken(_) => Status::Internal,
    };
    if let StoreError::Broken(inner) = error {
        tracing::error!(inner, "the store failed");
    }
    Error::new(status, error.to_string())
}

#[cfg(test)]
mod tests {
    use jobmill_store::memory::MemoryStore;

    use super::credentials::Credentials;
    use super::credentials::tests::stand_in;
    use super::remote::Remote;
    use super::*;
    use crate::chance::SystemChance;
    use crate::clock::SystemClock;
    use crate::{Config, Engine, Gate, Registry};

    const COMMIT: &str = "googleapis.firestore.v1.projects.databases.documents.commit";
    const GET: &str = "googleapis.firestore.v1.projects.databases.documents.get";
    const DOCUMENT: &str = "projects/p/databases/(default)/documents/c/x";

    fn called(method: &str, args: &str) -> Call {
        let args = Value::from_json(args.as_bytes()).unwrap();
        Call::of_connector(connector(method).unwrap(), &args).unwrap()
    }

    async fn count(shared: &Shared) -> String {
        let get = called(GET, &format!(r#"{{"name":"{DOCUMENT}"}}"#));
        let document = answer(shared, &get, None).await.unwrap();
        document.as_map().unwrap().get("fields").unwrap().to_string()
    }

    #[tokio::test]
    async fn a_call_to_google_carries_a_token_for_its_service() {
        let answers = vec![
            (200, r#"{"access_token":"access","expires_in":3600}"#.to_owned()),
            (200, r#"{"name":"x"}"#.to_owned()),
        ];
        let (url, heard) = stand_in(answers).await;
        let (clock, chance) = (Arc::new(SystemClock::default()), Arc::new(SystemChance));
        let gate = Gate { loopback: true, private: false };
        let (store, config) = (Arc::new(MemoryStore::new()), Config { gate, ..Config::default() });
        let engine = Engine::start(store, Registry::new(), clock, chance, config).await.unwrap();
        let credentials = Some(Arc::new(Credentials::of_metadata(url.clone())));
        let there = Remote { url, credentials };
        let get = called(GET, &format!(r#"{{"name":"{DOCUMENT}"}}"#));
        let answer = remote::answer(&engine.shared, &there, &get).await.unwrap();
        assert_eq!(answer.to_string(), r#"{"name":"x"}"#);
        let heard = heard.await.unwrap();
        assert!(heard[0].starts_with("GET /computeMetadata/v1/instance/"), "{}", heard[0]);
        assert!(heard[1].starts_with("GET /v1/projects/p/databases/(default)/documents/c/x "));
        assert!(heard[1].contains("authorization: Bearer access\r\n"), "{}", heard[1]);
    }

    #[tokio::test]
    async fn documents_that_no_answer_can_hold_are_not_read_together() {
        let (clock, chance) = (Arc::new(SystemClock::default()), Arc::new(SystemChance));
        let (store, config) = (Arc::new(MemoryStore::new()), Config::default());
        let engine = Engine::start(store, Registry::new(), clock, chance, config).await.unwrap();
        let text = "x".repeat(1_000_000);
        let patch = called(
            "googleapis.firestore.v1.projects.databases.documents.patch",
            &format!(
                r#"{{"name":"{DOCUMENT}","body":{{"fields":{{"s":{{"stringValue":"{text}"}}}}}}}}"#
            ),
        );
        answer(&engine.shared, &patch, None).await.unwrap();
        let batch = |count: usize| {
            let names = vec![format!("{DOCUMENT:?}"); count].join(",");
            called(
                "googleapis.firestore.v1.projects.databases.documents.batchGet",
                &format!(
                    r#"{{"database":"projects/p/databases/(default)",
                    "body":{{"documents":[{names}]}}}}"#
                ),
            )
        };
        let two = answer(&engine.shared, &batch(2), None).await.unwrap();
        assert_eq!(two.as_list().map(<[Value]>::len), Some(2));
        let refused = answer(&engine.shared, &batch(70), None).await.unwrap_err();
        assert_eq!(refused.status, Status::ResourceExhausted);
        assert!(refused.message.ends_with("ask for fewer"), "{refused}");
    }

    #[tokio::test]
    async fn a_call_that_is_repeated_after_a_crash_counts_once() {
        let (clock, chance) = (Arc::new(SystemClock::default()), Arc::new(SystemChance));
        let (store, config) = (Arc::new(MemoryStore::new()), Config::default());
        let engine = Engine::start(store, Registry::new(), clock, chance, config).await.unwrap();
        let shared = &engine.shared;
        let increment = called(
            COMMIT,
            &format!(
                r#"{{"database":"projects/p/databases/(default)","body":{{"writes":[{{"transform":
                {{"document":"{DOCUMENT}","fieldTransforms":[
                {{"fieldPath":"n","increment":{{"integerValue":"1"}}}}]}}}}]}}}}"#
            ),
        );
        let job = JobId::from_bytes([7; 16]);
        let first = answer(shared, &increment, Some((job, "key"))).await.unwrap();
        let again = answer(shared, &increment, Some((job, "key"))).await.unwrap();
        assert_eq!(again, first, "it hears the same");
        assert_eq!(count(shared).await, r#"{"n":{"integerValue":"1"}}"#);
        answer(shared, &increment, Some((job, "another key"))).await.unwrap();
        answer(shared, &increment, None).await.unwrap();
        assert_eq!(count(shared).await, r#"{"n":{"integerValue":"3"}}"#);
        // The job has ended: nobody repeats its calls.
        sweep(shared).await.unwrap();
        answer(shared, &increment, Some((job, "key"))).await.unwrap();
        assert_eq!(count(shared).await, r#"{"n":{"integerValue":"4"}}"#);
    }
}
