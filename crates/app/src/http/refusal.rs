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

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    MalformedBody,
    BadQuery,
    BadHeader,
    KeyRefused,
    WrongHost,
    NoRoute,
    NoJob,
    NoFlow,
    NoSchedule,
    Exists,
    NoEffect,
    NoWorkflow,
    NoKey,
    RoleMissing,
    TooOften,
    Method,
    BodyTooSlow,
    NotFinished,
    NotPossible,
    LeaseEnded,
    BuiltInFlow,
    TooMany,
    BodyTooLarge,
    MediaType,
    Invalid,
    SourceRefused,
    KeyReused,
    Broken,
    TooSlow,
    Busy,
    Full,
    Closing,
}

impl Kind {
    /// Status, stable name and title.
    fn row(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::MalformedBody => (S::BAD_REQUEST, "malformed-body", "Malformed body"),
            Self::BadQuery => (S::BAD_REQUEST, "bad-query", "Bad query"),
            Self::BadHeader => (S::BAD_REQUEST, "bad-header", "Bad header"),
            Self::KeyRefused => (S::UNAUTHORIZED, "key-refused", "API key needed"),
            Self::WrongHost => (S::FORBIDDEN, "wrong-host", "Wrong host or origin"),
            Self::NoRoute => (S::NOT_FOUND, "no-route", "No such route"),
            Self::NoJob => (S::NOT_FOUND, "no-job", "Job not found"),
            Self::NoFlow => (S::NOT_FOUND, "no-flow", "Flow not found"),
            Self::NoSchedule => (S::NOT_FOUND, "no-schedule", "Schedule not found"),
            Self::Exists => (S::CONFLICT, "exists", "There already"),
            Self::NoEffect => (S::NOT_FOUND, "no-effect", "Step not found"),
            Self::NoWorkflow => (S::NOT_FOUND, "no-workflow", "Workflow not found"),
            Self::NoKey => (S::NOT_FOUND, "no-key", "API key not found"),
            Self::RoleMissing => (S::FORBIDDEN, "role-missing", "Role missing"),
            Self::TooOften => (S::TOO_MANY_REQUESTS, "too-often", "Too many requests"),
            Self::Method => (S::METHOD_NOT_ALLOWED, "method", "Method not allowed"),
            Self::BodyTooSlow => (S::REQUEST_TIMEOUT, "body-too-slow", "Body too slow"),
            Self::NotFinished => (S::CONFLICT, "not-finished", "Not finished"),
            Self::NotPossible => (S::CONFLICT, "not-possible", "Not possible in this state"),
            Self::LeaseEnded => (S::CONFLICT, "lease-ended", "Lease ended"),
            Self::BuiltInFlow => (S::CONFLICT, "built-in-flow", "Built-in flow"),
            Self::TooMany => (S::CONFLICT, "too-many", "Too many"),
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large"),
            Self::MediaType => (S::UNSUPPORTED_MEDIA_TYPE, "media-type", "Unsupported media type"),
            Self::Invalid => (S::UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request"),
            Self::SourceRefused => (S::UNPROCESSABLE_ENTITY, "source-refused", "Source refused"),
            Self::KeyReused => (S::UNPROCESSABLE_ENTITY, "key-reused", "Idempotency key reused"),
            Self::Broken => (S::INTERNAL_SERVER_ERROR, "broken", "The server failed"),
            Self::TooSlow => (S::SERVICE_UNAVAILABLE, "too-slow", "No answer in time"),
            Self::Busy => (S::SERVICE_UNAVAILABLE, "busy", "Too busy"),
            Self::Full => (S::SERVICE_UNAVAILABLE, "disk-full", "Disk full"),
            Self::Closing => (S::SERVICE_UNAVAILABLE, "closing", "Shutting down"),
        }
    }

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
