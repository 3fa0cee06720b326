//! The answers that every route may give, added to the OpenAPI document in each route's shape.

use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};

/// What any route may answer.
const ANY: [(&str, &str); 3] = [
    ("408", "The request did not arrive in time"),
    ("500", "Something broke; the log of the server says what"),
    ("503", "Too busy, the disk is full, or shutting down; `Retry-After` says when to come back"),
];
/// What a route may answer that is not open to everybody.
const GUARDED: [(&str, &str); 3] = [
    ("401", "An API key is needed"),
    ("403", "The host or the origin is not allowed, or the key lacks the role"),
    ("429", "The key has made too many requests; `Retry-After` says when it may go on"),
];
/// What a route may answer that is asked something.
const ASKED: [(&str, &str); 1] = [("400", "A parameter, a header or the body makes no sense")];
/// What a route may answer that is sent a body.
const SENT: [(&str, &str); 2] =
    [("413", "The body is too large"), ("415", "The body is not of a type that is taken")];

/// Adds to each route what it does not describe itself.
pub(crate) fn describe(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let open = operation.security.as_ref().is_some_and(|needs| {
                needs.iter().all(|need| serde_json::to_value(need).is_ok_and(|v| is_empty(&v)))
            });
            let sent = operation.request_body.is_some();
            let asked = sent || operation.parameters.as_ref().is_some_and(|list| !list.is_empty());
            add(operation, &ANY);
            if !open {
                add(operation, &GUARDED);
            }
            if asked && !open {
                add(operation, &ASKED);
            }
            if sent {
                add(operation, &SENT);
            }
        }
    }
}

fn is_empty(need: &serde_json::Value) -> bool {
    need.as_object().is_some_and(serde_json::Map::is_empty)
}

fn add(operation: &mut Operation, answers: &[(&str, &str)]) {
    let tag = operation.tags.iter().flatten().next().map(String::as_str);
    let (schema, kind) = match tag {
        Some("document 000") => ("Document000Error", "application/json"),
        Some("document 001") => ("Document001Error", "application/json"),
        Some("document 002") => ("Document002Refused", "application/json"),
        _ => ("Problem", "application/problem+json"),
    };
    for (status, description) in answers {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
        let answer = ResponseBuilder::new().description(*description).content(kind, content);
        let known = &mut operation.responses.responses;
        known.entry((*status).to_owned()).or_insert_with(|| RefOr::T(answer.build()));
    }
}
