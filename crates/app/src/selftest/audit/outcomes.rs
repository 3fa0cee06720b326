//! Every acknowledged job ends in one recorded outcome, the right one.

use std::collections::HashMap;

use jobmill_model::Value;

use super::super::answer::{field, text};
use super::super::flows::FAILURE;
use super::super::gather::{FINAL, Found};
use super::super::ledger::Entry;
use super::super::work::{FAILING_TRIES, Kind, Work};
use super::{Evidence, Rule, Violation};

pub(super) fn check(evidence: &Evidence, violations: &mut Vec<Violation>) {
    let listed = evidence.findings.listed.iter();
    let by_id: HashMap<&str, &Found> = listed.map(|found| (found.id.as_str(), found)).collect();
    for (number, entry) in &evidence.ledger.entries {
        let Some(id) = entry.ids.first() else { continue };
        let work = Work::of(evidence.seed, *number);
        let wrong = match by_id.get(id.as_str()) {
            None => vec![(Rule::Lost, format!("acknowledged for {} and gone", work.key()))],
            Some(found) => job(&work, entry, found),
        };
        violations.extend(wrong.into_iter().map(|(rule, what)| Violation::new(rule, id, what)));
    }
}

type Wrong = (Rule, String);

fn job(work: &Work, entry: &Entry, found: &Found) -> Vec<Wrong> {
    let end = &found.end;
    if !FINAL.contains(&end.status.as_str()) {
        return vec![(Rule::Unfinished, format!("a {:?} job is {}", work.kind, end.status))];
    }
    let mut wrong: Vec<Wrong> = outcome(work, entry, found).into_iter().collect();
    wrong.extend(attempts(work, found).map(|what| (Rule::Attempts, what)));
    let changed = entry.seen.iter().find(|seen| *seen != end);
    wrong.extend(changed.map(|seen| (Rule::Changed, format!("it was {seen:?} and is {end:?}"))));
    wrong
}

/// What is wrong with the final state and the result or error.
fn outcome(work: &Work, entry: &Entry, found: &Found) -> Option<Wrong> {
    let end = &found.end;
    let outcome = Value::from_json(end.outcome.as_bytes()).unwrap_or_default();
    let expected = match (entry.cancelled, work.kind) {
        (Some(true), _) => "cancelled",
        (_, Kind::Fails) => "failed",
        _ => "completed",
    };
    let right = match expected {
        _ if end.status != expected => false,
        "cancelled" => text(&outcome, "type") == "Cancelled",
        "failed" => text(&outcome, "type") == FAILURE,
        // What a machine's result should be is found out from its effects.
        _ => work.result().is_none_or(|result| result.to_string() == end.outcome),
    };
    if work.kind == Kind::Late && field(&outcome, "late") == Some(&Value::Bool(true)) {
        return Some((Rule::Stale, "an attempt that was over has written the result".to_owned()));
    }
    let what = || {
        let kind = work.kind;
        format!("a {kind:?} job should be {expected} and is {}: {}", end.status, end.outcome)
    };
    (!right).then(|| (Rule::Outcome, what()))
}

/// What is wrong with the record of its attempts.
fn attempts(work: &Work, found: &Found) -> Option<String> {
    let (attempt, status) = (found.end.attempt, found.end.status.as_str());
    let numbers: Vec<u32> = found.tries.iter().map(|(number, _)| *number).collect();
    let failed = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    let code = match work.kind {
        Kind::Fails => Some(FAILURE),
        Kind::Late => Some("Timeout"),
        Kind::Multiply | Kind::Report | Kind::Branches | Kind::Lent => None,
    };
    let in_order = numbers.iter().copied().eq(1..=failed);
    let known = found.tries.iter().all(|(_, told)| Some(told.as_str()) == code);
    let adds_up = match status {
        "completed" => attempt == failed + 1,
        "failed" => attempt == failed && (work.kind != Kind::Fails || failed == FAILING_TRIES),
        // It may have been waiting for a try, or in the middle of one.
        _ => attempt == failed || attempt == failed + 1,
    };
    let tries = &found.tries;
    (!(in_order && known && adds_up))
        .then(|| format!("{status} with attempt {attempt}, of which these failed: {tries:?}"))
}

#[cfg(test)]
mod tests {
    use super::super::world::{World, rules};
    use super::*;

    fn after(kind: Kind, change: impl FnOnce(&mut Entry, &mut Found)) -> Vec<Rule> {
        let mut world = World::new();
        let number = world.number(kind);
        let (entry, found) = world.job(number);
        entry.seen.clear();
        change(entry, found);
        world.recount();
        rules(&world)
    }

    #[test]
    fn an_acknowledged_job_that_is_gone_is_found() {
        let mut world = World::new();
        let number = world.number(Kind::Multiply);
        world.forget(number);
        world.evidence.ledger.entry(number).seen.clear();
        assert!(rules(&world).contains(&Rule::Lost));
    }

    #[test]
    fn a_job_that_has_not_ended_is_found() {
        let change = |_: &mut Entry, found: &mut Found| found.end.status = "running".into();
        assert_eq!(after(Kind::Report, change), [Rule::Unfinished]);
    }

    #[test]
    fn a_wrong_result_is_found() {
        let change = |_: &mut Entry, found: &mut Found| found.end.outcome = "{}".into();
        assert_eq!(after(Kind::Multiply, change), [Rule::Outcome]);
        assert_eq!(after(Kind::Fails, change), [Rule::Outcome]);
    }

    #[test]
    fn a_failure_where_there_should_be_a_result_is_found() {
        let fail = |_: &mut Entry, found: &mut Found| {
            found.end.status = "failed".into();
            found.end.outcome = r#"{"type":"WorkerLost"}"#.into();
            found.tries = vec![(1, "WorkerLost".into())];
        };
        assert_eq!(after(Kind::Report, fail), [Rule::Outcome, Rule::Attempts]);
    }

    #[test]
    fn a_cancellation_that_was_confirmed_and_undone_is_found() {
        let promised = |entry: &mut Entry, _: &mut Found| entry.cancelled = Some(true);
        assert_eq!(after(Kind::Multiply, promised), [Rule::Outcome]);
        let unasked = |_: &mut Entry, found: &mut Found| {
            found.end.status = "cancelled".into();
            found.end.outcome = r#"{"type":"Cancelled"}"#.into();
        };
        assert_eq!(after(Kind::Multiply, unasked), [Rule::Outcome]);
    }

    #[test]
    fn an_end_that_was_recorded_a_second_time_is_found() {
        let later = |entry: &mut Entry, found: &mut Found| {
            entry.seen.push(found.end.clone());
            found.end.finished_at = "2026-01-01T00:00:09.000Z".into();
        };
        assert_eq!(after(Kind::Report, later), [Rule::Changed]);
    }

    #[test]
    fn a_result_of_an_attempt_that_was_over_is_found() {
        let stale = |_: &mut Entry, found: &mut Found| {
            found.end.outcome = found.end.outcome.replace("false", "true");
        };
        assert_eq!(after(Kind::Late, stale), [Rule::Stale]);
    }

    #[test]
    fn an_attempt_that_is_missing_twice_there_or_of_another_cause_is_found() {
        let cases: [fn(&mut Found); 4] = [
            |found| drop(found.tries.pop()),
            |found| found.tries.push((3, FAILURE.into())),
            |found| found.tries[1].1 = "WorkerLost".into(),
            |found| found.end.attempt = 9,
        ];
        for case in cases {
            assert_eq!(after(Kind::Fails, |_, found| case(found)), [Rule::Attempts]);
        }
    }
}
