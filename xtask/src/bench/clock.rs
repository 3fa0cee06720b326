//! The only place where the bench reads the clock or waits.

use std::time::{Duration, Instant, SystemTime};

/// The present.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// The seconds since then.
pub(super) fn since(start: Instant) -> f64 {
    now().duration_since(start).as_secs_f64()
}

/// The seconds since 1970, as the server sees them.
#[expect(clippy::disallowed_methods, reason = "the server is told when to wake")]
pub(super) fn epoch() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

/// Lets time pass: an idle server is watched, a busy one is looked at now and then.
#[expect(clippy::disallowed_methods, reason = "doing nothing for a while is what is measured")]
pub(super) fn pass(seconds: f64) {
    std::thread::sleep(Duration::from_secs_f64(seconds));
}
