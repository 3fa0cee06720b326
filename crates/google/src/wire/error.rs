//! An error as Google's services answer it: `{"error": {code, message, status, …}}`.

use std::fmt;

use jobmill_model::Value;

/// Google's canonical codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The request is wrong, whatever the state of the system.
    InvalidArgument,
    /// The state of the system does not allow it.
    FailedPrecondition,
    /// It reaches past the end.
    OutOfRange,
    /// Nobody is known to have asked.
    Unauthenticated,
    /// Whoever asked may not.
    PermissionDenied,
    /// There is no such thing.
    NotFound,
    /// There is such a thing already.
    AlreadyExists,
    /// Somebody else was faster.
    Aborted,
    /// A limit is reached.
    ResourceExhausted,
    /// The asker went away.
    Cancelled,
    /// It cannot be done here.
    Unimplemented,
    /// The server broke.
    Internal,
    /// Not now; try again.
    Unavailable,
    /// It took too long.
    DeadlineExceeded,
}

impl Status {
    /// Every code.
    pub const ALL: [Self; 14] = [
        Self::InvalidArgument,
        Self::FailedPrecondition,
        Self::OutOfRange,
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::NotFound,
        Self::AlreadyExists,
        Self::Aborted,
        Self::ResourceExhausted,
        Self::Cancelled,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DeadlineExceeded,
    ];

    /// Its name, such as `NOT_FOUND`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status that carries it.
    #[must_use]
    pub fn http(self) -> u16 {
        self.row().1
    }

    /// Its number in gRPC and in operations.
    #[must_use]
    pub fn number(self) -> u8 {
        self.row().2
    }

    /// The code of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    fn row(self) -> (&'static str, u16, u8) {
        match self {
            Self::InvalidArgument => ("INVALID_ARGUMENT", 400, 3),
            Self::FailedPrecondition => ("FAILED_PRECONDITION", 400, 9),
            Self::OutOfRange => ("OUT_OF_RANGE", 400, 11),
            Self::Unauthenticated => ("UNAUTHENTICATED", 401, 16),
            Self::PermissionDenied => ("PERMISSION_DENIED", 403, 7),
            Self::NotFound => ("NOT_FOUND", 404, 5),
            Self::AlreadyExists => ("ALREADY_EXISTS", 409, 6),
            Self::Aborted => ("ABORTED", 409, 10),
            Self::ResourceExhausted => ("RESOURCE_EXHAUSTED", 429, 8),
            Self::Cancelled => ("CANCELLED", 499, 1),
            Self::Unimplemented => ("UNIMPLEMENTED", 501, 12),
            Self::Internal => ("INTERNAL", 500, 13),
            Self::Unavailable => ("UNAVAILABLE", 503, 14),
            Self::DeadlineExceeded => ("DEADLINE_EXCEEDED", 504, 4),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a Google service refuses a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// The canonical code.
    pub status: Status,
    /// What happened, for people.
    pub message: String,
    /// The reason in the words of the older services, such as BigQuery's `notFound`.
    pub reason: Option<&'static str>,
    /// More about it, each with its `@type`.
    pub details: Vec<Value>,
}

impl Error {
    /// An error of this code.
    #[must_use]
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), reason: None, details: Vec::new() }
    }

    /// `INVALID_ARGUMENT`
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Status::InvalidArgument, message)
    }

    /// `NOT_FOUND`
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Status::NotFound, message)
    }

    /// `UNIMPLEMENTED`
    #[must_use]
    pub fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(Status::Unimplemented, message)
    }

    /// The same with a reason in the words of the older services.
    #[must_use]
    pub fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// The body of the answer.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut error = jobmill_model::Map::new();
        error.insert("code", u32::from(self.status.http()).into());
        error.insert("message", self.message.as_str().into());
        if let Some(reason) = self.reason {
            let one = Value::map([
                ("message", self.message.as_str().into()),
                ("domain", "global".into()),
                ("reason", reason.into()),
            ]);
            error.insert("errors", Value::list([one]));
        }
        error.insert("status", self.status.as_str().into());
        if !self.details.is_empty() {
            error.insert("details", Value::list(self.details.iter().cloned()));
        }
        Value::map([("error", error.into())])
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_written_in_the_envelope_of_the_service() {
        assert_eq!(
            Error::not_found("no such document").to_value().to_string(),
            r#"{"error":{"code":404,"message":"no such document","status":"NOT_FOUND"}}"#
        );
        let older = Error::not_found("Not found: Table p:d.t").because("notFound");
        assert_eq!(
            older.to_value().to_string(),
            concat!(
                r#"{"error":{"code":404,"message":"Not found: Table p:d.t","errors":["#,
                r#"{"message":"Not found: Table p:d.t","domain":"global","reason":"notFound"}],"#,
                r#""status":"NOT_FOUND"}}"#
            )
        );
    }

    #[test]
    fn every_code_has_a_name_and_a_number_of_its_own() {
        for status in Status::ALL {
            assert_eq!(Status::named(status.as_str()), Some(status));
            let same = Status::ALL.into_iter().filter(|other| other.number() == status.number());
            assert_eq!(same.count(), 1, "{status}");
        }
    }
}
