//! A store held against the oracle: the same random verbs, the same answers, the same state.

mod chance;
mod coverage;
mod document;
mod key;
mod observe;
mod op;
mod world;

use std::collections::VecDeque;
use std::sync::Arc;

pub use coverage::Coverage;

use crate::Store;
use crate::memory::MemoryStore;
use observe::Snapshot;
use world::World;

/// The whole state is compared every so many steps.
const STEPS_BETWEEN_SNAPSHOTS: usize = 50;
/// So many operations are shown where two stores differ.
const OPERATIONS_SHOWN: usize = 12;
/// Steps of the runs that every backend sits: in so many, each answer of each verb turns up.
const EXAM_STEPS: usize = 3_000;
/// A run that has not met every answer goes on up to so many times as long.
const MORE_STEPS: usize = 4;

/// Performs at least `steps` random verbs, and up to four times as many until every answer has
/// turned up, on both stores, which are empty, and compares every answer and,
/// every fifty steps and at the end, all that can be seen of them.
///
/// The same seed makes the same run. Arguments are made up from what the oracle answered before,
/// mostly fitting and sometimes stale or wrong.
///
/// # Panics
/// When the stores differ: with the seed, both answers and the last operations.
pub async fn differential(
    seed: u64,
    steps: usize,
    oracle: &dyn Store,
    candidate: &dyn Store,
) -> Coverage {
    let mut world = World::new(seed);
    let mut coverage = Coverage::default();
    let mut last = VecDeque::new();
    for step in 1..=steps * MORE_STEPS {
        let op = world.next_op();
        let ours = op.apply(oracle).await;
        last.push_back(format!("{step}: {op:?}"));
        if last.len() > OPERATIONS_SHOWN {
            last.pop_front();
        }
        let theirs = op.apply(candidate).await;
        if ours != theirs {
            let difference = format!("  oracle:    {ours:?}\n  candidate: {theirs:?}");
            panic!("{}", report(seed, step, &last, &difference));
        }
        coverage.note(&op, &ours);
        world.learn(&op, &ours);
        world.look(oracle).await;
        let last_step = step >= steps && (coverage.is_whole() || step == steps * MORE_STEPS);
        if step % STEPS_BETWEEN_SNAPSHOTS == 0 || last_step {
            let (ours, theirs) = (Snapshot::of(oracle).await, Snapshot::of(candidate).await);
            if let Some(difference) = ours.difference(&theirs) {
                panic!("{}", report(seed, step, &last, &difference));
            }
        }
        if last_step {
            break;
        }
    }
    coverage
}

fn report(seed: u64, step: usize, last: &VecDeque<String>, difference: &str) -> String {
    let last = last.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    format!(
        "the stores differ at seed {seed} after step {step}\n{difference}\nlast operations:\n{last}"
    )
}

/// A run that every backend sits.
async fn sit(seed: u64, store: Arc<dyn Store>) {
    let oracle = MemoryStore::new();
    differential(seed, EXAM_STEPS, &oracle, &*store).await.assert_whole();
}

/// The store and the oracle answer alike, at seed 1.
pub async fn the_oracle_agrees_at_seed_1(store: Arc<dyn Store>) {
    sit(1, store).await;
}

/// The store and the oracle answer alike, at seed 2.
pub async fn the_oracle_agrees_at_seed_2(store: Arc<dyn Store>) {
    sit(2, store).await;
}

/// The store and the oracle answer alike, at seed 3.
pub async fn the_oracle_agrees_at_seed_3(store: Arc<dyn Store>) {
    sit(3, store).await;
}

#[cfg(test)]
mod tests;
