//! Refusals in the envelope of Google's services: those of a service itself, and those that any
//! route may give.

use hyper::StatusCode;
use jobmill_google::wire::{Error, Status};
use jobmill_model::Value;

use super::super::refusal::{Kind, Reason};

/// The status of the answer.
pub(crate) fn status(reason: &Reason) -> StatusCode {
    let status = error(reason).status.http();
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The body of the answer.
pub(crate) fn body(reason: &Reason) -> Value {
    error(reason).to_value()
}

fn error(reason: &Reason) -> Error {
    reason.google.clone().unwrap_or_else(|| Error::new(of(reason.kind), &*reason.detail))
}

/// The canonical code of a refusal.
fn of(kind: Kind) -> Status {
    match kind {
        Kind::MalformedBody
        | Kind::BadQuery
        | Kind::BadHeader
        | Kind::BodyTooSlow
        | Kind::BodyTooLarge
        | Kind::MediaType
        | Kind::Invalid
        | Kind::SourceRefused => Status::InvalidArgument,
        Kind::KeyRefused => Status::Unauthenticated,
        Kind::WrongHost | Kind::RoleMissing => Status::PermissionDenied,
        Kind::TooOften => Status::ResourceExhausted,
        Kind::NoRoute
        | Kind::NoJob
        | Kind::NoFlow
        | Kind::NoSchedule
        | Kind::NoEffect
        | Kind::NoKey
        | Kind::NoWorkflow => Status::NotFound,
        Kind::Method => Status::Unimplemented,
        Kind::NotFinished
        | Kind::NotPossible
        | Kind::LeaseEnded
        | Kind::BuiltInFlow
        | Kind::TooMany => Status::FailedPrecondition,
        Kind::KeyReused | Kind::Exists => Status::AlreadyExists,
        Kind::Broken => Status::Internal,
        Kind::TooSlow => Status::DeadlineExceeded,
        Kind::Busy | Kind::Full | Kind::Closing => Status::Unavailable,
    }
}
