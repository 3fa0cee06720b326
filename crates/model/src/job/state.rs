//! The states of a job and the table of legal moves.

use std::fmt;
use std::str::FromStr;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Waits for its time: a delay, or the pause after a failed attempt.
    Scheduled,
    /// Ready; waits for a worker.
    Submitted,
    /// Under a worker's lease, or parked in the middle of its work.
    Running,
    /// Ended with a result.
    Completed,
    /// Ended without one.
    Failed,
    /// Stopped by request.
    Cancelled,
}

/// What happens to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    /// Its time has come.
    Due,
    /// A worker takes it.
    Claim,
    /// A worker gives it back unfinished: a shutdown or a lost lease.
    HandBack,
    /// It waits, without a worker, in the middle of its work.
    Park,
    /// Its work ended well.
    Complete,
    /// An attempt failed and another will follow.
    Retry,
    /// Its last attempt failed, or a failure was final.
    Fail,
    /// Somebody stops it.
    Cancel,
    /// Somebody opens a new run.
    Reopen,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Scheduled,
        Self::Submitted,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The state after a move, or nothing where the move is not legal.
    #[must_use]
    pub fn after(self, what: Move) -> Option<Self> {
        use State::{Cancelled, Completed, Failed, Running, Scheduled, Submitted};
        match (self, what) {
            (Scheduled, Move::Due) => Some(Submitted),
            (Submitted, Move::Claim) => Some(Running),
            (Running, Move::Claim | Move::Park) => Some(Running),
            (Running, Move::HandBack) => Some(Submitted),
            (Running, Move::Complete) => Some(Completed),
            (Running, Move::Retry) => Some(Scheduled),
            (Running, Move::Fail) => Some(Failed),
            (Scheduled | Submitted | Running, Move::Cancel) => Some(Cancelled),
            (Failed | Cancelled, Move::Reopen) => Some(Submitted),
            _ => None,
        }
    }

    /// Whether nothing more happens to the job by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The word for this state.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Submitted => "submitted",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Move {
    /// Every move.
    pub const ALL: [Self; 9] = [
        Self::Due,
        Self::Claim,
        Self::HandBack,
        Self::Park,
        Self::Complete,
        Self::Retry,
        Self::Fail,
        Self::Cancel,
        Self::Reopen,
    ];
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
            let words = Self::ALL.map(Self::as_str).join(", ");
            format!("unknown state {text:?}; expected one of {words}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Move, State};

    fn moves_from(state: State) -> Vec<(Move, State)> {
        Move::ALL.into_iter().filter_map(|what| Some((what, state.after(what)?))).collect()
    }

    #[test]
    fn a_scheduled_job_becomes_due_or_is_cancelled() {
        let moves = [(Move::Due, State::Submitted), (Move::Cancel, State::Cancelled)];
        assert_eq!(moves_from(State::Scheduled), moves);
    }

    #[test]
    fn a_submitted_job_is_claimed_or_cancelled() {
        let moves = [(Move::Claim, State::Running), (Move::Cancel, State::Cancelled)];
        assert_eq!(moves_from(State::Submitted), moves);
    }

    #[test]
    fn a_running_job_is_claimed_again_handed_back_parked_settled_or_cancelled() {
        let moves = [
            (Move::Claim, State::Running),
            (Move::HandBack, State::Submitted),
            (Move::Park, State::Running),
            (Move::Complete, State::Completed),
            (Move::Retry, State::Scheduled),
            (Move::Fail, State::Failed),
            (Move::Cancel, State::Cancelled),
        ];
        assert_eq!(moves_from(State::Running), moves);
    }

    #[test]
    fn a_completed_job_never_moves() {
        assert_eq!(moves_from(State::Completed), []);
    }

    #[test]
    fn a_failed_or_cancelled_job_can_only_be_reopened() {
        for state in [State::Failed, State::Cancelled] {
            assert_eq!(moves_from(state), [(Move::Reopen, State::Submitted)]);
        }
    }

    #[test]
    fn final_states_are_those_that_only_a_person_leaves() {
        for state in State::ALL {
            let leaves = moves_from(state).iter().any(|(what, _)| *what != Move::Reopen);
            assert_eq!(state.is_final(), !leaves, "{state}");
        }
    }

    #[test]
    fn every_state_reads_back_from_its_word() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("done".parse::<State>().unwrap_err().contains("scheduled, submitted"));
    }
}
