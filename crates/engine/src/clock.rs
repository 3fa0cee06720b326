//! The only place where the engine learns what time it is.

use std::time::Duration;

use futures::future::BoxFuture;
use jobmill_model::{Span, Timestamp};

/// A source of time.
pub trait Clock: Send + Sync {
    /// The present, as the world's clocks show it. It may jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;

    /// Returns at `at` or later, as [`now`](Self::now) shows it.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;

    /// Returns when `span` has passed, however the world's clocks may jump meanwhile. A clock
    /// that cannot tell goes by [`now`](Self::now).
    fn pause(&self, span: Span) -> BoxFuture<'static, ()> {
        self.sleep_until(self.now().after(span))
    }
}

/// The machine's own clock.
pub struct SystemClock {
    start: std::time::Instant,
}

/// A sleeper looks at the clock at least this often, so that a jump of the clock is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

impl Default for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place that reads the clock")]
    fn default() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place that reads the clock")]
fn wall() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Timestamp::from_millis(millis)
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        wall()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place that reads the clock")]
    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place that sleeps")]
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                let left = Duration::from(at.since(wall()));
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
            }
        })
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place that sleeps")]
    fn pause(&self, span: Span) -> BoxFuture<'static, ()> {
        Box::pin(async move { tokio::time::sleep(span.into()).await })
    }
}
