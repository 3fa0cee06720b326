//! The only place where the door measures time.

use std::time::Duration;

use jobmill_model::Span;

/// What the future answers, if it does so within `limit`.
#[expect(
    clippy::disallowed_methods,
    reason = "sockets live by the machine's clock, not by the \
    engine's, which tests may stop"
)]
pub(crate) async fn within<T>(limit: Span, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from(limit), future).await.ok()
}

/// Lets a moment pass.
#[expect(clippy::disallowed_methods, reason = "the accept loop steps back when sockets run out")]
pub(crate) async fn pause(span: Span) {
    tokio::time::sleep(Duration::from(span)).await;
}
