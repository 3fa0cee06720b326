//! From the end of an attempt to a verdict on the job.

use crate::fault::{Class, Fault};
use crate::job::Backoff;
use crate::output::Extent;
use crate::time::{Span, Timestamp};

/// What has been counted of a job's present run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counters {
    /// The attempt that just ended, from 1.
    pub attempt: u32,
    /// How many attempts there may be.
    pub max_attempts: u32,
    /// How to wait between them.
    pub backoff: Backoff,
}

/// What becomes of a job whose attempt has ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It has its result.
    Complete(Extent),
    /// It tries again from `run_at`.
    Retry {
        /// Why this attempt failed.
        fault: Fault,
        /// When the next may begin.
        run_at: Timestamp,
    },
    /// It has failed.
    Fail(Fault),
    /// It was stopped.
    Cancel,
}

/// Judges an attempt by its end. `chance` is uniform in 0 to 1 and moves the backoff.
#[must_use]
pub fn judge(
    counters: Counters,
    end: Result<Extent, Fault>,
    now: Timestamp,
    chance: f64,
) -> Verdict {
    let fault = match end {
        Ok(extent) => return Verdict::Complete(extent),
        Err(fault) => fault,
    };
    match fault.class {
        Class::Cancelled => Verdict::Cancel,
        Class::Final => Verdict::Fail(fault),
        Class::Retry { .. } if counters.attempt >= counters.max_attempts => Verdict::Fail(fault),
        Class::Retry { not_before } => {
            let wait = counters.backoff.wait(counters.attempt, chance);
            let run_at = now.after(wait.max(not_before.unwrap_or(Span::ZERO)));
            Verdict::Retry { fault, run_at }
        }
    }
}

/// Judges the loss of a worker: nothing while more may be lost, else the failure of the job.
#[must_use]
pub fn judge_crash(crashes: u32, max_crashes: u32) -> Option<Fault> {
    (crashes > max_crashes).then(|| {
        Fault::last(
            "WorkerLost",
            format!("{crashes} workers were lost while they performed this job"),
        )
    })
}

/// The failure of an attempt that took longer than it may.
#[must_use]
pub fn timed_out(limit: Span) -> Fault {
    Fault::retry("Timeout", format!("the attempt took longer than its time limit of {limit}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Shape;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn counters(attempt: u32) -> Counters {
        Counters { attempt, max_attempts: 3, backoff: Backoff::fixed(Span::from_secs(2)) }
    }

    fn judged(attempt: u32, fault: Fault) -> Verdict {
        judge(counters(attempt), Err(fault), NOW, 0.0)
    }

    #[test]
    fn a_result_completes_the_job() {
        let extent = Extent { shape: Shape::Object, len: 4 };
        assert_eq!(judge(counters(1), Ok(extent), NOW, 0.0), Verdict::Complete(extent));
    }

    #[test]
    fn a_passing_fault_is_retried_until_attempts_run_out() {
        let fault = Fault::retry("Busy", "try later");
        let run_at = NOW.after(Span::from_secs(2));
        assert_eq!(judged(2, fault.clone()), Verdict::Retry { fault: fault.clone(), run_at });
        assert_eq!(judged(3, fault.clone()), Verdict::Fail(fault));
    }

    #[test]
    fn a_fault_may_ask_for_a_longer_wait_but_not_for_a_shorter() {
        for (asked, given) in [(1, 2), (9, 9)] {
            let not_before = Some(Span::from_secs(asked));
            let fault = Fault { class: Class::Retry { not_before }, ..Fault::last("Busy", "") };
            let run_at = NOW.after(Span::from_secs(given));
            assert_eq!(judged(1, fault.clone()), Verdict::Retry { fault, run_at });
        }
    }

    #[test]
    fn a_final_fault_fails_at_once_and_a_cancelled_one_cancels() {
        let fault = Fault::last("Bad", "never works");
        assert_eq!(judged(1, fault.clone()), Verdict::Fail(fault));
        assert_eq!(judged(1, Fault::cancelled()), Verdict::Cancel);
    }

    #[test]
    fn a_lost_worker_is_forgiven_up_to_the_limit() {
        assert_eq!(judge_crash(20, 20), None);
        assert_eq!(judge_crash(21, 20).map(|fault| fault.code), Some("WorkerLost".into()));
    }
}
