//! Why a store could not do what it was asked, whatever the verb.

use jobmill_model::Span;

/// A store's refusal. Nothing of the verb has happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Too much is waiting to be written; try again after this time.
    #[error("the store is busy: too many submissions wait to be written")]
    Busy {
        /// When to try again.
        retry_after: Span,
    },
    /// There is no room left on the disk, or the store has reached its size limit.
    #[error("the disk is full: nothing can be written until there is room again")]
    Full,
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// The idempotency key was used before with another body.
    #[error("this idempotency key was used before with another request")]
    KeyReused,
    /// Something broke; the text is for the log.
    #[error("the store failed")]
    Broken(String),
}
