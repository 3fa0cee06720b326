//! Why a request is refused, without saying yet how that is written.

use std::borrow::Cow;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use jobmill_engine::{Finding, SubmitError};
use jobmill_google::wire;
use jobmill_model::value::JsonError;
use jobmill_model::{JobId, Problem, Span, State};
use jobmill_store::StoreError;

use crate::wire::reader::MOST_PROBLEMS;

macro_rules! kinds {
    ($($kind:ident => $status:ident, $name:literal, $title:literal;)*) => {
        /// The kinds of refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($kind),*
        }

        impl Kind {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$kind),*];

            /// Status, stable name and title.
            fn row(self) -> (StatusCode, &'static str, &'static str) {
                match self {
                    $(Self::$kind => (StatusCode::$status, $name, $title)),*
                }
            }
        }
    };
}

kinds! {
    MalformedBody => BAD_REQUEST, "malformed-body", "Malformed body";
    BadQuery => BAD_REQUEST, "bad-query", "Bad query";
    BadHeader => BAD_REQUEST, "bad-header", "Bad header";
    KeyRefused => UNAUTHORIZED, "key-refused", "API key needed";
    WrongHost => FORBIDDEN, "wrong-host", "Wrong host or origin";
    NoRoute => NOT_FOUND, "no-route", "No such route";
    NoJob => NOT_FOUND, "no-job", "Job not found";
    NoFlow => NOT_FOUND, "no-flow", "Flow not found";
    NoSchedule => NOT_FOUND, "no-schedule", "Schedule not found";
    Exists => CONFLICT, "exists", "There already";
    NoEffect => NOT_FOUND, "no-effect", "Step not found";
    NoWorkflow => NOT_FOUND, "no-workflow", "Workflow not found";
    NoKey => NOT_FOUND, "no-key", "API key not found";
    RoleMissing => FORBIDDEN, "role-missing", "Role missing";
    TooOften => TOO_MANY_REQUESTS, "too-often", "Too many requests";
    Method => METHOD_NOT_ALLOWED, "method", "Method not allowed";
    BodyTooSlow => REQUEST_TIMEOUT, "body-too-slow", "Body too slow";
    NotFinished => CONFLICT, "not-finished", "Not finished";
    NotPossible => CONFLICT, "not-possible", "Not possible in this state";
    LeaseEnded => CONFLICT, "lease-ended", "Lease ended";
    BuiltInFlow => CONFLICT, "built-in-flow", "Built-in flow";
    TooMany => CONFLICT, "too-many", "Too many";
    BodyTooLarge => PAYLOAD_TOO_LARGE, "body-too-large", "Body too large";
    MediaType => UNSUPPORTED_MEDIA_TYPE, "media-type", "Unsupported media type";
    Invalid => UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request";
    SourceRefused => UNPROCESSABLE_ENTITY, "source-refused", "Source refused";
    KeyReused => UNPROCESSABLE_ENTITY, "key-reused", "Idempotency key reused";
    Broken => INTERNAL_SERVER_ERROR, "broken", "The server failed";
    TooSlow => SERVICE_UNAVAILABLE, "too-slow", "No answer in time";
    Busy => SERVICE_UNAVAILABLE, "busy", "Too busy";
    Full => SERVICE_UNAVAILABLE, "disk-full", "Disk full";
    Closing => SERVICE_UNAVAILABLE, "closing", "Shutting down";
}

impl Kind {
    pub(crate) fn status(self) -> StatusCode {
        self.row().0
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    pub(crate) fn title(self) -> &'static str {
        self.row().2
    }
}

/// Why a request is refused. It travels as an extension of an empty answer to the door, which
/// knows how the route writes it.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(Arc<Reason>);

#[derive(Debug, Clone)]
pub(crate) struct Reason {
    pub(crate) kind: Kind,
    pub(crate) detail: Cow<'static, str>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) retry_after: Option<Span>,
    pub(crate) job: Option<(JobId, State)>,
    /// The same in the words of the Google service that refuses.
    pub(crate) google: Option<wire::Error>,
}

impl Refusal {
    pub(crate) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        Self(Arc::new(Reason {
            kind,
            detail,
            problems: Vec::new(),
            findings: Vec::new(),
            retry_after: None,
            job: None,
            google: None,
        }))
    }

    /// No job has this id.
    pub(crate) fn no_job() -> Self {
        Self::new(Kind::NoJob, "no job has this id")
    }

    /// The state of a job does not allow what was asked.
    pub(crate) fn of_state(
        kind: Kind,
        id: JobId,
        state: State,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(kind, detail).with(|reason| reason.job = Some((id, state)))
    }

    /// Everything that is wrong with a request.
    pub(crate) fn of_problems(kind: Kind, mut problems: Vec<Problem>) -> Self {
        let count = problems.len();
        problems.truncate(MOST_PROBLEMS);
        let detail = match count {
            MOST_PROBLEMS.. => "the request has many problems; see `errors` for some".into(),
            1 => Cow::from("the request has a problem; see `errors`"),
            count => format!("the request has {count} problems; see `errors`").into(),
        };
        Self::new(kind, detail).with(|reason| reason.problems = problems)
    }

    /// Everything that is wrong with the source of a workflow.
    pub(crate) fn of_source(findings: Vec<Finding>) -> Self {
        let errors = findings.iter().filter(|finding| finding.is_error).count();
        let detail = match errors {
            1 => "the source has an error; see `errors`".to_owned(),
            _ => format!("the source has {errors} errors; see `errors`"),
        };
        Self::new(Kind::SourceRefused, detail).with(|reason| reason.findings = findings)
    }

    /// A submission that was not accepted; `place` turns a problem of the n-th job into one of
    /// the request.
    pub(crate) fn of_submission(
        error: SubmitError,
        place: impl Fn(usize, Problem) -> Problem,
    ) -> Self {
        match error {
            SubmitError::UnknownFlow { index, flow, near } => {
                let message = match near {
                    Some(near) => format!("unknown flow {flow:?}; did you mean {near:?}?"),
                    None => format!("unknown flow {flow:?}; `GET /flows` lists the known ones"),
                };
                let problem = place(index, Problem::new("/flow", message));
                Self::of_problems(Kind::Invalid, vec![problem])
            }
            SubmitError::Invalid(problems) => {
                let placed = problems.into_iter().map(|(index, problem)| place(index, problem));
                Self::of_problems(Kind::Invalid, placed.collect())
            }
            SubmitError::Draining => Self::closing(),
            SubmitError::Store(error) => error.into(),
        }
    }

    pub(crate) fn closing() -> Self {
        Self::new(Kind::Closing, "the server is shutting down; try again later")
            .after(Span::from_secs(5))
    }

    pub(crate) fn reason(&self) -> &Reason {
        &self.0
    }

    pub(crate) fn after(self, span: Span) -> Self {
        self.with(|reason| reason.retry_after = Some(span))
    }

    fn with(mut self, change: impl FnOnce(&mut Reason)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Self {
        let problem = Problem::new("", error.to_string());
        Self::new(Kind::MalformedBody, format!("the body is not JSON: {error}"))
            .with(|reason| reason.problems = vec![problem])
    }
}

impl From<wire::Error> for Refusal {
    fn from(error: wire::Error) -> Self {
        let kind = match error.status {
            wire::Status::NotFound => Kind::NoRoute,
            _ => Kind::Invalid,
        };
        Self::new(kind, error.message.clone()).with(|reason| reason.google = Some(error))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy { retry_after } => Self::new(
                Kind::Busy,
                "too many submissions wait to be written; nothing of this one is stored",
            )
            .after(retry_after),
            StoreError::Full => Self::new(
                Kind::Full,
                "the disk is full: nothing can be written until there is room again",
            )
            .after(Span::from_secs(30)),
            StoreError::Closed => Self::closing(),
            StoreError::KeyReused => {
                Self::new(Kind::KeyReused, "this idempotency key was used before with another body")
            }
            StoreError::Broken(inner) => {
                tracing::error!(inner, "the store failed");
                Self::new(Kind::Broken, "the store failed; the server's log says why")
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.0.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_for_people_names_every_kind_with_its_status() {
        let document = include_str!("../../../../docs/API.md");
        for kind in Kind::ALL {
            let (status, name) = (format!("| {} |", kind.status().as_u16()), kind.name());
            let mut rows = document.lines().filter(|line| line.starts_with(&status));
            assert!(rows.any(|row| row.contains(&format!("`{name}`"))), "{status} {name}");
        }
    }
}
