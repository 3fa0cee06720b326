//! `sys.sleep`, `sys.sleep_until`, the clock.

use jobmill_model::Timestamp;
use jobmill_model::machine::Effect;

use super::{Await, Reply, Request};
use crate::fault::{Answer, Fault};
use crate::limits::Limits;
use crate::stdlib::parse_time;
use crate::value::Value;

/// Seconds since 1970.
pub(super) fn seconds(now: Timestamp) -> Value {
    Value::Double(now.as_millis() as f64 / 1000.0)
}

/// Milliseconds of a number of seconds; negative and absurd numbers are cut.
#[must_use]
pub fn seconds_to_millis(seconds: f64) -> i64 {
    (seconds.clamp(0.0, 1e12) * 1000.0).round() as i64
}

pub(super) fn sleep(request: &Request<'_>) -> Answer<(Await, Effect)> {
    let value = request.given("seconds").unwrap_or(&Value::Null);
    let seconds =
        value.as_number().ok_or_else(|| request.mistyped("seconds", "a number", value))?;
    let most = request.limits.sleep_seconds;
    if !(0.0..=most as f64).contains(&seconds) {
        return Err(request.invalid("seconds", format!("must be between 0 and {most}")));
    }
    Ok((Await::ClockThenSleep(seconds_to_millis(seconds)), Effect::Clock))
}

pub(super) fn sleep_until(request: &Request<'_>) -> Answer<(Await, Effect)> {
    let text = match request.given("time") {
        Some(Value::String(text)) => text,
        other => return Err(request.mistyped("time", "a string", other.unwrap_or(&Value::Null))),
    };
    let at = parse_time(text).map_err(|why| request.invalid("time", why))?;
    Ok((Await::ClockThenSleepUntil(at.as_millisecond()), Effect::Clock))
}

pub(super) fn until(at: i64, now: Timestamp, limits: &Limits) -> Answer<Reply> {
    let most = limits.sleep_seconds;
    if at.saturating_sub(now.as_millis()) > (most as i64).saturating_mul(1000) {
        let message =
            format!("argument 'time' of sys.sleep_until(): more than {most} seconds ahead");
        return Err(Fault::of_value(message));
    }
    Ok(Reply::Then(Await::Sleep, Effect::Sleep { until: Timestamp::from_millis(at) }))
}
