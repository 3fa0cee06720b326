//! One key, one job; and no job that nobody submitted.

use std::collections::HashMap;

use super::super::work::Work;
use super::{Evidence, Rule, Violation};

pub(super) fn check(evidence: &Evidence, violations: &mut Vec<Violation>) {
    let entries = &evidence.ledger.entries;
    for (number, entry) in entries.iter().filter(|(_, entry)| entry.ids.len() > 1) {
        let what = format!("answers named the jobs {}", entry.ids.join(", "));
        violations.push(Violation::new(
            Rule::TwoJobs,
            Work::of(evidence.seed, *number).key(),
            what,
        ));
    }
    let mut by_tag: HashMap<&str, &str> = HashMap::new();
    for found in &evidence.findings.listed {
        let (id, tag) = (found.id.as_str(), found.tag.as_str());
        if let Some(other) = by_tag.insert(tag, id).filter(|other| *other != id) {
            let what = format!("the list has the jobs {other} and {id}");
            violations.push(Violation::new(Rule::TwoJobs, tag, what));
        }
        let entry = Work::number_of(tag).and_then(|number| entries.get(&number));
        if !entry.is_some_and(|entry| entry.ids.iter().any(|known| known == id)) {
            let what = format!("it is in the list as {tag:?} and was never acknowledged");
            violations.push(Violation::new(Rule::Stranger, id, what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::work::Kind;
    use super::super::world::{World, rules};
    use super::*;

    #[test]
    fn a_key_that_was_answered_with_two_ids_is_found() {
        let mut world = World::new();
        let number = world.number(Kind::Multiply);
        world.evidence.ledger.entry(number).ids.push("another".into());
        assert_eq!(rules(&world), [Rule::TwoJobs]);
    }

    #[test]
    fn a_key_that_made_a_second_job_which_nobody_was_told_of_is_found() {
        let mut world = World::new();
        let number = world.number(Kind::Multiply);
        let mut twin = world.job(number).1.clone();
        twin.id = "zz".into();
        world.evidence.findings.listed.insert(0, twin);
        world.recount();
        let found = rules(&world);
        assert!(found.contains(&Rule::TwoJobs) && found.contains(&Rule::Stranger), "{found:?}");
    }
}
