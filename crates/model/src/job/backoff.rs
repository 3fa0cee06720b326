//! How long to wait before the next attempt.

use std::fmt;

use crate::time::Span;

/// Exponential backoff with jitter: `min(initial · multiplierⁿ, max)`, less a random part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// The wait after the first failed attempt.
    pub initial: Span,
    /// No wait is longer.
    pub max: Span,
    /// The factor from one wait to the next, 1 to 100.
    pub multiplier: f64,
    /// The part of the wait that is left to chance, 0 to 1.
    pub jitter: f64,
}

/// A backoff's numbers make no sense; says which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackoffError(pub &'static str);

impl fmt::Display for BackoffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BackoffError {}

impl Default for Backoff {
    /// One second, doubling to five minutes at most, a fifth of it by chance.
    fn default() -> Self {
        Self {
            initial: Span::from_secs(1),
            max: Span::from_secs(300),
            multiplier: 2.0,
            jitter: 0.2,
        }
    }
}

impl Backoff {
    /// The same wait every time.
    #[must_use]
    pub fn fixed(wait: Span) -> Self {
        Self { initial: wait, max: wait, multiplier: 1.0, jitter: 0.0 }
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// A multiplier outside 1 to 100, a jitter outside 0 to 1, `max` below `initial`.
    pub fn check(self) -> Result<Self, BackoffError> {
        if !(1.0..=100.0).contains(&self.multiplier) {
            return Err(BackoffError("multiplier must be between 1 and 100"));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(BackoffError("jitter must be between 0 and 1"));
        }
        if self.max < self.initial {
            return Err(BackoffError("max must not be less than initial"));
        }
        Ok(self)
    }

    /// The wait after the `attempt`-th attempt (from 1) failed; `chance` is uniform in 0 to 1.
    #[must_use]
    pub fn wait(&self, attempt: u32, chance: f64) -> Span {
        let power = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let full = self.initial.as_millis() as f64 * self.multiplier.powi(power);
        let capped = full.min(self.max.as_millis() as f64);
        Span::from_millis((capped * (1.0 - self.jitter * chance.clamp(0.0, 1.0))).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_double_up_to_the_maximum() {
        let backoff = Backoff { jitter: 0.0, max: Span::from_secs(5), ..Backoff::default() };
        let waits = [1, 2, 3, 4, 5].map(|attempt| backoff.wait(attempt, 0.5).as_millis());
        assert_eq!(waits, [1_000, 2_000, 4_000, 5_000, 5_000]);
    }

    #[test]
    fn numbers_without_sense_are_refused() {
        let good = Backoff::default();
        assert!(Backoff { multiplier: 0.5, ..good }.check().is_err());
        assert!(Backoff { multiplier: f64::NAN, ..good }.check().is_err());
        assert!(Backoff { jitter: 1.5, ..good }.check().is_err());
        assert!(Backoff { max: Span::ZERO, ..good }.check().is_err());
    }

    proptest! {
        #[test]
        fn a_wait_lies_between_the_jittered_and_the_full_wait(
            attempt in 1u32..2_000, chance in 0.0..=1.0f64,
        ) {
            let backoff = Backoff::default();
            let full = Backoff { jitter: 0.0, ..backoff }.wait(attempt, 0.0).as_millis();
            let wait = backoff.wait(attempt, chance).as_millis();
            prop_assert!(wait <= full && wait + 1 >= full * 4 / 5, "{wait} of {full}");
        }
    }
}
