//! What workers outside were told holds: a step has one result, a confirmed result stays.

use std::collections::HashMap;

use jobmill_model::Value;

use super::super::answer::{field, text};
use super::super::gather::Found;
use super::super::work::{Kind, Work};
use super::{Evidence, Rule, Violation};

pub(super) fn check(evidence: &Evidence, violations: &mut Vec<Violation>) {
    let told = &evidence.told;
    let listed = evidence.findings.listed.iter();
    let by_id: HashMap<&str, &Found> = listed.map(|found| (found.id.as_str(), found)).collect();
    for (id, steps) in &told.steps {
        if let Some(other) = steps.iter().find(|step| **step != steps[0]) {
            let what = format!("its step came to {} and to {other}", steps[0]);
            violations.push(Violation::new(Rule::Effect, id, what));
        }
    }
    for (id, result) in &told.completed {
        let end = by_id.get(id.as_str()).map(|found| &found.end);
        if !end.is_some_and(|end| end.status == "completed" && end.outcome == *result) {
            let what = format!("a worker outside completed it with {result}, and it is {end:?}");
            violations.push(Violation::new(Rule::Stale, id, what));
        }
    }
    let lent =
        by_id.values().filter(|found| found.end.status == "completed" && is_lent(found, evidence));
    for found in lent {
        let outcome = Value::from_json(found.end.outcome.as_bytes()).unwrap_or_default();
        let step = field(&outcome, "step").map(Value::to_string);
        let known = told.steps.get(&found.id).and_then(|steps| steps.first());
        if text(&outcome, "job") != found.tag || step.is_none() || known != step.as_ref() {
            let what = format!("its result is {outcome}, and its step came to {known:?}");
            violations.push(Violation::new(Rule::Outcome, &found.id, what));
        }
    }
}

fn is_lent(found: &Found, evidence: &Evidence) -> bool {
    let number = Work::number_of(&found.tag);
    number.is_some_and(|number| Work::of(evidence.seed, number).kind == Kind::Lent)
}

#[cfg(test)]
mod tests {
    use super::super::world::{World, rules};
    use super::*;

    fn lent() -> (World, String) {
        let mut world = World::new();
        let number = world.number(Kind::Lent);
        world.job(number).0.seen.clear();
        let id = world.job(number).1.id.clone();
        (world, id)
    }

    #[test]
    fn a_step_that_comes_to_another_result_is_found() {
        let (mut world, id) = lent();
        world.evidence.told.steps.get_mut(&id).unwrap().push("\"other\"".to_owned());
        assert_eq!(rules(&world), [Rule::Effect]);
    }

    #[test]
    fn a_confirmed_result_that_was_overwritten_is_found() {
        let (mut world, id) = lent();
        let told = &mut world.evidence.told;
        let confirmed = told.completed.iter_mut().find(|(known, _)| *known == id).unwrap();
        confirmed.1 = "{}".to_owned();
        assert_eq!(rules(&world), [Rule::Stale]);
    }

    #[test]
    fn a_result_of_a_step_that_nobody_recorded_is_found() {
        let (mut world, id) = lent();
        world.evidence.told.completed.retain(|(known, _)| *known != id);
        let found = world.evidence.findings.listed.iter_mut().find(|found| found.id == id).unwrap();
        found.end.outcome = found.end.outcome.replace("\"step\":\"", "\"step\":\"un");
        assert_eq!(rules(&world), [Rule::Outcome]);
    }
}
