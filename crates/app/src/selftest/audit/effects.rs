//! No effect whose outcome was committed is performed again; see the module above.

use std::collections::{BTreeMap, HashMap};

use jobmill_model::Value;

use super::super::answer::field;
use super::super::counter::Performed;
use super::super::flows::{Do, SHAPE};
use super::super::work::{Kind, Work};
use super::{Evidence, Rule, Violation};

/// One effect: the key of its job, its branch, its place among the calls of the branch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Name<'a> {
    job: &'a str,
    branch: usize,
    place: usize,
}

/// Its performances with their ordinals, in order.
type Performances<'a> = Vec<(u64, &'a Performed)>;

type Effects<'a> = BTreeMap<Name<'a>, Performances<'a>>;

pub(super) fn check(evidence: &Evidence, violations: &mut Vec<Violation>) {
    let effects = by_name(evidence, violations);
    let mut wrong = |name: &Name<'_>, what: String| {
        let whose = format!("{}/{}/{}", name.job, name.branch, name.place);
        violations.push(Violation::new(Rule::Effect, whose, what));
    };
    let mut keys: HashMap<&str, &Name<'_>> = HashMap::new();
    for (name, performances) in &effects {
        let key = performances[0].1.key.as_str();
        if key.is_empty() || keys.insert(key, name).is_some() {
            wrong(name, format!("the Idempotency-Key {key:?} is not its own"));
        }
        same_request(performances).into_iter().for_each(|what| wrong(name, what));
        one_in_each_life(performances).into_iter().for_each(|what| wrong(name, what));
        follows(&effects, name, performances).into_iter().for_each(|what| wrong(name, what));
    }
    results(evidence, &effects, violations);
}

/// Groups the calls; one that names no effect of a submitted job is a violation.
fn by_name<'a>(evidence: &'a Evidence, violations: &mut Vec<Violation>) -> Effects<'a> {
    let mut effects = Effects::new();
    for (ordinal, performed) in (1..).zip(&evidence.performed) {
        let name = name_of(&performed.effect).filter(|name| {
            let number = Work::number_of(name.job);
            number.is_some_and(|number| evidence.ledger.entries.contains_key(&number))
        });
        match name {
            Some(name) => effects.entry(name).or_default().push((ordinal, performed)),
            None => {
                let what = format!("call {ordinal} is of no job that was submitted");
                violations.push(Violation::new(Rule::Stranger, &performed.effect, what));
            }
        }
    }
    effects
}

fn name_of(text: &str) -> Option<Name<'_>> {
    let mut parts = text.split('/');
    let name = Name {
        job: parts.next()?,
        branch: parts.next()?.parse().ok()?,
        place: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(name)
}

/// How many calls a branch makes.
pub(super) fn calls(branch: usize) -> usize {
    SHAPE.get(branch).map_or(0, |steps| steps.iter().filter(|step| **step == Do::Call).count())
}

fn last(performances: &Performances<'_>) -> u64 {
    performances.last().map_or(0, |(ordinal, _)| *ordinal)
}

fn same_request(performances: &Performances<'_>) -> Option<String> {
    let (first, told) = performances[0];
    let differs =
        |(_, other): &&(u64, &Performed)| other.key != told.key || other.body != told.body;
    performances.iter().find(differs).map(|(ordinal, other)| {
        let [one, two] = [told, other].map(|call| format!("{} {}", call.key, call.body));
        format!("call {first} was {one}, and call {ordinal} was {two}")
    })
}

fn one_in_each_life(performances: &Performances<'_>) -> Option<String> {
    let again = performances.windows(2).find(|pair| pair[0].1.life == pair[1].1.life)?;
    let (one, other, life) = (again[0].0, again[1].0, again[0].1.life);
    Some(format!("calls {one} and {other} are both of life {life}, so no lost worker excuses them"))
}

/// Whether each performance follows what is the last of every effect before it in its branch.
fn follows(
    effects: &Effects<'_>,
    name: &Name<'_>,
    performances: &Performances<'_>,
) -> Option<String> {
    let before = |place| effects.get(&Name { place, ..name.clone() }).map_or(0, last);
    let committed: Vec<u64> = (0..name.place).map(before).collect();
    performances.iter().find(|(_, performed)| performed.after != committed).map(
        |(ordinal, performed)| {
            let after = &performed.after;
            format!("call {ordinal} follows {after:?}, but the last before it are {committed:?}")
        },
    )
}

/// The result of every completed machine lists the last ordinal of each of its effects.
fn results(evidence: &Evidence, effects: &Effects<'_>, violations: &mut Vec<Violation>) {
    let completed = evidence.findings.listed.iter().filter(|it| it.end.status == "completed");
    let machines = completed.filter(|found| {
        let number = Work::number_of(&found.tag);
        number.is_some_and(|number| Work::of(evidence.seed, number).kind == Kind::Branches)
    });
    for found in machines {
        let name = |branch, place| Name { job: &found.tag, branch, place };
        let last = |branch, place| effects.get(&name(branch, place)).map_or(0, last);
        let branch =
            |branch| Value::list((0..calls(branch)).map(|place| last(branch, place).into()));
        let seen = Value::list((0..SHAPE.len()).map(branch));
        let result = Value::from_json(found.end.outcome.as_bytes()).unwrap_or_default();
        if field(&result, "branches") != Some(&seen) {
            let what = format!("the result is {result}, but the last calls are {seen}");
            violations.push(Violation::new(Rule::Effect, &found.id, what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::{World, rules};
    use super::*;

    /// The place of a machine's call among all calls.
    fn call(world: &World, branch: usize, place: usize) -> usize {
        let number = world.number(Kind::Branches);
        let effect = format!("{}/{branch}/{place}", Work::of(world.evidence.seed, number).key());
        world.evidence.performed.iter().position(|it| it.effect == effect).unwrap()
    }

    fn after(change: impl FnOnce(&mut Vec<Performed>, [usize; 2])) -> Vec<Rule> {
        let mut world = World::new();
        let places = [call(&world, 0, 0), call(&world, 0, 1)];
        change(&mut world.evidence.performed, places);
        rules(&world)
    }

    /// A repetition at the end, by the next life.
    fn again(performed: &Performed) -> Performed {
        Performed { life: performed.life + 1, ..performed.clone() }
    }

    #[test]
    fn a_committed_effect_that_is_performed_again_is_found_twice() {
        // By the effect after it, which names an older ordinal, and by the result.
        let rules = after(|performed, [first, _]| performed.push(again(&performed[first])));
        assert_eq!(rules, [Rule::Effect, Rule::Effect, Rule::Effect]);
    }

    #[test]
    fn a_last_effect_that_is_performed_again_is_found_by_the_result() {
        let mut world = World::new();
        let last = call(&world, 0, 2);
        let repeated = again(&world.evidence.performed[last]);
        world.evidence.performed.push(repeated);
        assert_eq!(rules(&world), [Rule::Effect]);
    }

    #[test]
    fn a_repetition_without_a_lost_worker_is_found() {
        // The second call of every branch is performed in life 1 and again in life 2.
        assert_eq!(after(|performed, [_, second]| performed[second].life = 2), [Rule::Effect]);
    }

    #[test]
    fn a_repetition_with_another_key_or_another_body_is_found() {
        let key = after(|performed, [_, second]| performed[second].key.push('x'));
        assert_eq!(key, [Rule::Effect]);
        let body = after(|performed, [_, second]| performed[second].body.push('x'));
        assert_eq!(body, [Rule::Effect]);
    }

    #[test]
    fn two_effects_with_one_key_and_one_without_any_are_found() {
        let shared = after(|performed, [first, second]| {
            performed[first].key = performed[second].key.clone();
        });
        assert_eq!(shared, [Rule::Effect]);
        assert_eq!(after(|performed, [first, _]| performed[first].key.clear()), [Rule::Effect]);
    }

    #[test]
    fn an_effect_that_acts_on_what_was_not_committed_is_found() {
        let rules = after(|performed, [_, second]| performed[second].after = vec![77]);
        assert_eq!(rules, [Rule::Effect]);
    }

    #[test]
    fn a_result_that_lists_another_ordinal_is_found() {
        let mut world = World::new();
        let number = world.number(Kind::Branches);
        let (entry, found) = world.job(number);
        entry.seen.clear();
        found.end.outcome = r#"{"job":"x","branches":[[1,2,3],[4,5,99]]}"#.into();
        assert_eq!(rules(&world), [Rule::Effect]);
    }

    #[test]
    fn a_call_of_a_job_that_nobody_submitted_is_found() {
        let rules = after(|performed, _| {
            let stranger =
                Performed { effect: "selftest-999999/0/0".into(), ..performed[0].clone() };
            performed.push(stranger);
        });
        assert_eq!(rules, [Rule::Stranger]);
    }
}
