//! Counts, list and acknowledgements say the same.

use std::collections::{BTreeMap, HashSet};

use super::{Evidence, Rule, Violation};

pub(super) fn check(evidence: &Evidence, violations: &mut Vec<Violation>) {
    let listed = &evidence.findings.listed;
    let mut wrong = |whose: &str, what: String| {
        violations.push(Violation::new(Rule::Counts, whose, what));
    };
    let mut by_state: BTreeMap<&str, u64> = BTreeMap::new();
    for found in listed {
        *by_state.entry(&found.end.status).or_default() += 1;
    }
    by_state.insert("total", listed.len() as u64);
    for (name, count) in &evidence.findings.counts {
        let found = by_state.remove(name.as_str()).unwrap_or_default();
        if found != *count {
            wrong(name, format!("the counts say {count}, the list has {found}"));
        }
    }
    for (name, found) in by_state {
        wrong(name, format!("the counts do not have it, the list has {found}"));
    }
    let acknowledged = evidence.ledger.entries.values().filter(|it| !it.ids.is_empty()).count();
    if acknowledged != listed.len() {
        wrong("total", format!("{acknowledged} were acknowledged, the list has {}", listed.len()));
    }
    let mut ids = HashSet::new();
    for found in listed.iter().filter(|found| !ids.insert(&found.id)) {
        wrong(&found.id, "it is in the list twice".to_owned());
    }
    for pair in listed.windows(2).filter(|pair| pair[0].id < pair[1].id) {
        wrong(&pair[1].id, format!("it is newer than {} and listed after it", pair[0].id));
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::{World, rules};
    use super::*;

    #[test]
    fn a_count_that_differs_from_the_list_is_found() {
        let mut world = World::new();
        *world.evidence.findings.counts.get_mut("completed").unwrap() += 1;
        assert_eq!(rules(&world), [Rule::Counts]);
        world.evidence.findings.counts.remove("completed");
        assert_eq!(rules(&world), [Rule::Counts]);
    }

    #[test]
    fn a_page_that_repeats_a_job_is_found() {
        let mut world = World::new();
        let last = world.evidence.findings.listed.last().unwrap().clone();
        world.evidence.findings.listed.push(last);
        world.recount();
        assert!(rules(&world).iter().all(|rule| *rule == Rule::Counts));
        assert!(!rules(&world).is_empty());
    }

    #[test]
    fn a_page_that_leaves_a_job_out_is_found() {
        let mut world = World::new();
        world.evidence.findings.listed.pop();
        assert!(rules(&world).contains(&Rule::Counts));
    }

    #[test]
    fn a_list_out_of_order_is_found() {
        let mut world = World::new();
        world.evidence.findings.listed.swap(0, 1);
        assert_eq!(rules(&world), [Rule::Counts]);
    }
}
