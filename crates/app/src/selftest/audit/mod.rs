//! The audit: what clients were told, what the server shows at the end and what the counting
//! server saw must agree. It is a pure function, so every rule has a test that shows it failing.
//!
//! | rule | what must hold |
//! |---|---|
//! | lost | a job whose submission was acknowledged is in the list |
//! | unfinished | every job has ended |
//! | outcome | it ended as its work and the answer to its cancellation say; the result is right |
//! | changed | an end that was read before is still the same: state, time, attempt, outcome |
//! | stale | the result is not that of an attempt which was over before it returned, and what a
//! worker outside was told that it completed has its result |
//! | attempts | every failed attempt is recorded once, numbered without gaps |
//! | two jobs | one key, one job: in every answer and in the list |
//! | stranger | every job in the list, and in the calls, was submitted |
//! | counts | counts, list and acknowledgements agree; the list has all of it once, in order |
//! | effect | see below |
//! | frozen, ended | a frozen server goes on; none ends by itself; the last one ends in order |
//! | answer | no answer is one that the API does not promise |
//!
//! # Effects
//!
//! The counting server gives every call the next ordinal. An *effect* is one call of one branch
//! of one job; it is *performed* once or several times; one performance is *committed* when its
//! ordinal is in the journal. Of the performances of an effect e, followed in its branch by f:
//!
//! 1. All are the same request: the same `Idempotency-Key`, which no other effect has, and the
//!    same body. (The body holds all that the machine knew, so a second performance on other
//!    knowledge is a different request.)
//! 2. No life of the server has two of them. Only a lost worker excuses a repetition.
//! 3. Every performance of f says that it follows the ordinal of the *last* performance of e, and
//!    of those before e. So e was committed before f was begun, f never acted on an outcome that
//!    a crash undid, and e was not performed again afterwards: that would have a higher ordinal
//!    than the one that f names.
//! 4. The result of a completed job lists, for each effect, the ordinal of its last performance:
//!    what was committed is what the world saw last, and nothing came after it.
//!
//! Ordinals can be compared over the lives of a server because the next life begins only after
//! everything that the dead one has sent is counted.

mod counts;
mod effects;
mod keys;
mod outcomes;
mod outside;
#[cfg(test)]
mod world;

use std::fmt;

use super::counter::Performed;
use super::gather::Findings;
use super::hands::Told;
use super::ledger::Ledger;

/// Everything that the audit looks at.
#[derive(Debug)]
pub(super) struct Evidence {
    /// What the work was drawn from.
    pub(super) seed: u64,
    /// What clients were told.
    pub(super) ledger: Ledger,
    /// What the server shows at the end.
    pub(super) findings: Findings,
    /// What the counting server saw; the call with ordinal n stands at place n − 1.
    pub(super) performed: Vec<Performed>,
    /// What workers outside were told.
    pub(super) told: Told,
}

/// A rule of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    Lost,
    Unfinished,
    Outcome,
    Changed,
    Stale,
    Attempts,
    TwoJobs,
    Stranger,
    Counts,
    Effect,
    Frozen,
    Ended,
    Answer,
}

impl Rule {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Unfinished => "unfinished",
            Self::Outcome => "outcome",
            Self::Changed => "changed",
            Self::Stale => "stale",
            Self::Attempts => "attempts",
            Self::TwoJobs => "two jobs",
            Self::Stranger => "stranger",
            Self::Counts => "counts",
            Self::Effect => "effect",
            Self::Frozen => "frozen",
            Self::Ended => "ended",
            Self::Answer => "answer",
        }
    }
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    /// Which rule it breaks.
    pub(super) rule: Rule,
    /// The id of the job, or the name of whatever it is about.
    pub(super) whose: String,
    /// What is wrong.
    pub(super) what: String,
}

impl Violation {
    pub(super) fn new(rule: Rule, whose: impl Into<String>, what: impl Into<String>) -> Self {
        Self { rule, whose: whose.into(), what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.rule.name(), self.whose, self.what)
    }
}

/// Everything that is wrong.
pub(super) fn audit(evidence: &Evidence) -> Vec<Violation> {
    let odd = evidence.ledger.odd.iter().chain(&evidence.told.odd);
    let mut violations: Vec<_> =
        odd.map(|(whose, what)| Violation::new(Rule::Answer, whose, what)).collect();
    outcomes::check(evidence, &mut violations);
    keys::check(evidence, &mut violations);
    effects::check(evidence, &mut violations);
    outside::check(evidence, &mut violations);
    counts::check(evidence, &mut violations);
    violations
}

#[cfg(test)]
mod tests {
    use super::world::{World, rules};
    use super::*;

    #[test]
    fn a_world_in_which_all_is_well_has_no_violation() {
        assert_eq!(audit(&World::new().evidence), []);
    }

    #[test]
    fn an_answer_that_the_api_does_not_promise_is_found() {
        let mut world = World::new();
        world.evidence.ledger.odd.push(("id".into(), "the answer was 500".into()));
        assert_eq!(rules(&world), [Rule::Answer]);
        assert_eq!(audit(&world.evidence)[0].to_string(), "answer: id: the answer was 500");
    }
}
