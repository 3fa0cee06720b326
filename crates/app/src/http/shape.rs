//! How a route writes a refusal.
//!
//! The canonical API answers with problem documents. The documents' own routes answer as the
//! frameworks do that the documents were written for.

use axum::body::Body;
use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{
    CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};

use super::google;
use super::refusal::{Kind, Reason, Refusal};
use crate::wire::document_000::ErrorText;
use crate::wire::document_001::{Detail, Refused};
use crate::wire::id::Id;
use crate::wire::problem::{Document, Item};
use crate::wire::state::Word;

/// How a route writes a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A problem document.
    Problem,
    /// Document 000: `{"error": text}`.
    Error,
    /// Documents 001 and 002: `{"detail": text or list}`.
    Detail,
    /// Google's services: `{"error": {code, message, status}}`.
    Google,
}

const LIKE_FASTAPI: [&str; 6] = [
    "/expand_reduce_flow",
    "/check_status",
    "/job_result",
    "/is_valid_input",
    "/process",
    "/trigger_workflow",
];

impl Shape {
    /// The shape of the route at a path.
    pub(crate) fn of(path: &str) -> Self {
        let within = |route: &str| {
            path.strip_prefix(route).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if path.starts_with("/api/") {
            Self::Error
        } else if LIKE_FASTAPI.into_iter().any(within) {
            Self::Detail
        } else if google::owns(path) {
            Self::Google
        } else {
            Self::Problem
        }
    }

    /// Writes the refusal that an answer carries, if it carries one.
    pub(crate) fn dress(self, mut response: Response) -> Response {
        let Some(refusal) = response.extensions_mut().remove::<Refusal>() else { return response };
        let reason = refusal.reason();
        *response.status_mut() = self.status(reason);
        *response.body_mut() = Body::from(self.text(reason));
        let headers = response.headers_mut();
        let media_type = match self {
            Self::Problem => "application/problem+json",
            Self::Error | Self::Detail | Self::Google => "application/json",
        };
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        if let Some(span) = reason.retry_after {
            let seconds = span.as_millis().div_ceil(1_000).max(1);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if reason.kind == Kind::KeyRefused {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        headers.insert(NO_SNIFF, HeaderValue::from_static("nosniff"));
        response
    }

    /// FastAPI calls a malformed body unprocessable; the others call it a bad request.
    fn status(self, reason: &Reason) -> StatusCode {
        match (self, reason.kind) {
            (Self::Detail, Kind::MalformedBody) => StatusCode::UNPROCESSABLE_ENTITY,
            (Self::Google, _) => google::refusal::status(reason),
            (_, kind) => kind.status(),
        }
    }

    fn text(self, reason: &Reason) -> Vec<u8> {
        let written = match self {
            Self::Problem => serde_json::to_vec(&document(reason)),
            Self::Error => serde_json::to_vec(&ErrorText { error: &one_line(reason) }),
            Self::Detail => serde_json::to_vec(&Refused { detail: detail(reason) }),
            Self::Google => serde_json::to_vec(&google::refusal::body(reason)),
        };
        written.unwrap_or_default()
    }
}

const NO_SNIFF: HeaderName = hyper::header::X_CONTENT_TYPE_OPTIONS;

/// A refusal as a problem document.
pub(crate) fn document(reason: &Reason) -> Document<'_> {
    Document {
        r#type: format!("urn:jobmill:problem:{}", reason.kind.name()),
        title: reason.kind.title(),
        status: reason.kind.status().as_u16(),
        detail: &reason.detail,
        id: reason.job.map(|(id, _)| Id(id)),
        job_status: reason.job.map(|(_, state)| Word(state)),
        errors: reason
            .problems
            .iter()
            .map(Item::from)
            .chain(reason.findings.iter().map(Item::from))
            .collect(),
    }
}

/// Document 000 has one text for everything.
fn one_line(reason: &Reason) -> String {
    if reason.problems.is_empty() {
        return reason.detail.to_string();
    }
    reason.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn detail(reason: &Reason) -> Detail<'_> {
    let problems = &reason.problems;
    match reason.kind {
        Kind::NoJob => Detail::Text("Job not found: no job has this id"),
        Kind::MalformedBody => Detail::List { kind: "json_invalid", problems },
        _ if !problems.is_empty() => Detail::List { kind: "value_error", problems },
        _ => Detail::Text(&reason.detail),
    }
}
