//! What a load came to.

use std::time::Duration;

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Answers with a 2xx status; of jobs performed, those that completed.
    pub accepted: u64,
    /// Other answers.
    pub refused: u64,
    /// Connections that broke.
    pub broken: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// The time from request to answer that so many of a thousand answers did not exceed, in
    /// microseconds.
    pub p50_micros: u32,
    /// See [`p50_micros`](Self::p50_micros).
    pub p99_micros: u32,
    /// The longest.
    pub max_micros: u32,
}

/// What one connection saw.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) accepted: u64,
    pub(super) refused: u64,
    pub(super) broken: bool,
    pub(super) micros: Vec<u32>,
}

impl Report {
    /// Accepted requests a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.accepted as f64 / self.elapsed.as_secs_f64()
    }

    /// As one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!({
            "rate": self.rate().round(),
            "accepted": self.accepted,
            "refused": self.refused,
            "broken": self.broken,
            "seconds": self.elapsed.as_secs_f64(),
            "p50_us": self.p50_micros,
            "p99_us": self.p99_micros,
            "max_us": self.max_micros,
        })
        .to_string()
    }

    pub(super) fn of(tallies: Vec<Tally>, elapsed: Duration) -> Self {
        let times = tallies.iter().flat_map(|tally| tally.micros.iter().copied());
        let mut micros: Vec<u32> = times.collect();
        micros.sort_unstable();
        let at = |thousandths: usize| {
            let last = micros.len().saturating_sub(1);
            micros.get(last * thousandths / 1_000).copied().unwrap_or(0)
        };
        Self {
            accepted: tallies.iter().map(|tally| tally.accepted).sum(),
            refused: tallies.iter().map(|tally| tally.refused).sum(),
            broken: tallies.iter().filter(|tally| tally.broken).count() as u64,
            elapsed,
            p50_micros: at(500),
            p99_micros: at(990),
            max_micros: at(1_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_the_middle_and_the_end_of_the_times() {
        let tally = Tally { accepted: 101, micros: (0..=100).rev().collect(), ..Tally::default() };
        let report = Report::of(vec![tally], Duration::from_secs(2));
        assert_eq!((report.p50_micros, report.p99_micros, report.max_micros), (50, 99, 100));
        assert!((report.rate() - 50.5).abs() < f64::EPSILON);
    }
}
