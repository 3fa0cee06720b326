//! Google's services: answered here, from the store, by the pure code of the crate `google`.
//!
//! An HTTP request and a connector of a workflow are the same call.

mod bigquery;
mod documents;
mod firestore;
mod query;

use std::sync::Arc;

use jobmill_google::discovery::{Call, Service, connector};
use jobmill_google::wire::read::Read;
use jobmill_google::wire::{Error, Status};
use jobmill_model::machine::{ConnectorCall, Outcome};
use jobmill_model::{Timestamp, Value};
use jobmill_store::StoreError;

use crate::engine::Shared;

pub(crate) use query::sweep;

/// A call and what tells its repetition, if something does.
pub(crate) struct Asked<'a> {
    pub(crate) call: &'a Call,
    pub(crate) key: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// Answers a call.
///
/// # Errors
/// As the service would.
pub(crate) async fn answer(shared: &Shared, call: &Call, key: Option<&str>) -> Read<Value> {
    let asked = Asked { call, key, now: shared.clock.now() };
    match call.method.service {
        Service::Firestore => firestore::answer(shared, &asked).await,
        Service::BigQuery => bigquery::answer(shared, &asked).await,
    }
}

/// Performs a connector's call for a machine.
pub(super) async fn perform(shared: Arc<Shared>, call: ConnectorCall, key: String) -> Outcome {
    let called = match connector(&call.method) {
        Ok(method) => Call::of_connector(method, &call.args),
        Err(error) => {
            let message = error.message;
            return Outcome::Failed { code: "SystemError".to_owned(), message };
        }
    };
    let called = match called {
        Ok(called) => called,
        Err(error) => {
            return Outcome::Failed { code: "ValueError".to_owned(), message: error.message };
        }
    };
    Outcome::Done(match answer(&shared, &called, Some(&key)).await {
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
