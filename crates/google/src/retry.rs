//! Which failures of a call may pass, and how long to wait before another try: the rule of
//! `http.default_retry` in workflows, and of what connectors do by themselves.
//!
//! Source: the reference of Google Cloud Workflows, `http.default_retry`,
//! `retry.default_backoff` and connectors.

/// Tries after the first.
pub const MAX_RETRIES: u8 = 5;
/// The first wait, in seconds.
pub const INITIAL_DELAY: f64 = 1.0;
/// The longest wait, in seconds.
pub const MAX_DELAY: f64 = 60.0;
/// The factor from one wait to the next.
pub const MULTIPLIER: f64 = 1.25;

/// What may pass.
#[derive(Debug, PartialEq, Eq)]
pub struct Passing {
    /// Answers with one of these statuses.
    pub statuses: &'static [u16],
    /// Errors with one of these tags.
    pub tags: &'static [&'static str],
}

/// For a call that may be done twice.
pub const IDEMPOTENT: Passing = Passing {
    statuses: &[429, 502, 503, 504],
    tags: &["ConnectionError", "ConnectionFailedError", "TimeoutError"],
};

/// For any other: the service says that it has done nothing, or was never reached.
pub const NON_IDEMPOTENT: Passing =
    Passing { statuses: &[429, 503], tags: &["ConnectionFailedError"] };

/// The waits before each further try, in seconds.
pub fn delays() -> impl Iterator<Item = f64> {
    let delay = |retry: u8| (INITIAL_DELAY * MULTIPLIER.powi(retry.into())).min(MAX_DELAY);
    (0..MAX_RETRIES).map(delay)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_by_a_quarter() {
        let delays: Vec<f64> = delays().collect();
        assert_eq!(delays, [1.0, 1.25, 1.5625, 1.953_125, 2.441_406_25]);
    }
}
