//! The comparison holds for a right store and catches wrong ones.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::executor::block_on;

use super::*;
use crate::exam::flawed::{Flaw, FlawedStore};

#[test]
fn the_oracle_agrees_with_itself_and_every_answer_turns_up() {
    for seed in 4..10 {
        let (one, two) = (MemoryStore::new(), MemoryStore::new());
        block_on(differential(seed, EXAM_STEPS, &one, &two)).assert_whole();
    }
}

#[test]
fn the_same_seed_makes_the_same_run() {
    let run = |seed| block_on(differential(seed, 300, &MemoryStore::new(), &MemoryStore::new()));
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

/// The text of the failure that a run with this flaw ends in.
fn caught(seed: u64, flaw: Flaw) -> Option<String> {
    let (oracle, candidate) = (MemoryStore::new(), FlawedStore::new(flaw));
    let steps = EXAM_STEPS * MORE_STEPS;
    let run = || block_on(differential(seed, steps, &oracle, &candidate));
    let failure = catch_unwind(AssertUnwindSafe(run)).err()?;
    failure.downcast_ref::<String>().cloned()
}

#[test]
fn every_flaw_is_caught_at_every_seed_of_the_exam() {
    for flaw in Flaw::ALL {
        for seed in 1..=3 {
            let failure = caught(seed, flaw);
            let failure = failure.unwrap_or_else(|| panic!("{flaw:?} got through at seed {seed}"));
            assert!(failure.contains(&format!("at seed {seed} after step")), "{failure}");
            assert!(failure.contains("last operations"), "{failure}");
        }
    }
}
