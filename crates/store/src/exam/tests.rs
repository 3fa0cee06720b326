//! The oracle sits its own exams, no exam is left out, and exams can be failed.

use std::future::Future;
use std::panic::catch_unwind;
use std::sync::Arc;

use super::flawed::{Flaw, FlawedStore};
use super::*;
use crate::Store;
use crate::memory::MemoryStore;

fn fresh() -> (Arc<dyn Store>, ()) {
    (Arc::new(MemoryStore::new()), ())
}

mod memory {
    use super::*;

    crate::exam!(fresh);
}

/// Whether a store with this flaw fails an exam.
fn fails<F: Future<Output = ()>>(flaw: Flaw, exam: fn(Arc<dyn Store>) -> F) -> bool {
    let fresh = || (Arc::new(FlawedStore::new(flaw)) as Arc<dyn Store>, ());
    catch_unwind(|| sit(fresh, exam)).is_err()
}

#[test]
fn every_flaw_fails_an_exam() {
    for flaw in Flaw::ALL {
        let failed = match flaw {
            Flaw::SettlesStale => {
                fails(flaw, settle::a_late_attempt_does_not_overwrite_a_newer_one)
            }
            Flaw::JournalsStale => fails(flaw, journal::an_older_lease_writes_nothing),
            Flaw::ParksBlind => fails(flaw, park::a_signal_that_it_has_not_seen_keeps_it_awake),
            Flaw::KeepsSignals => fails(flaw, journal::entries_take_their_signals_out_of_the_inbox),
            Flaw::LosesPages => fails(flaw, listing::pages_show_every_job_once),
            Flaw::IgnoresBodies => {
                fails(flaw, idempotency::the_same_key_with_another_body_is_refused)
            }
            Flaw::OverfillsOffers => fails(flaw, handover::nothing_is_handed_over_without_a_place),
            Flaw::DropsChunks => fails(flaw, output::a_result_is_all_chunks_of_its_lease),
            Flaw::PromotesAll => fails(flaw, promote::no_more_are_promoted_than_asked),
            Flaw::RewritesBlind => fails(flaw, document::commits_of_one_document_follow_each_other),
            Flaw::RepeatsRows => fails(flaw, table_row::a_row_with_a_known_id_is_passed_over),
            Flaw::TicksTwice => fails(flaw, schedule::a_tick_that_somebody_answered_makes_no_job),
            Flaw::LosesTicks => fails(flaw, schedule::the_jobs_of_a_tick_are_stored_with_it),
            Flaw::IgnoresPauses => fails(flaw, queue::a_paused_queue_lets_nothing_go),
            Flaw::OverfillsQueues => {
                fails(flaw, queue::no_more_than_the_limit_of_a_queue_is_under_lease)
            }
            Flaw::OverfillsKeys => fails(flaw, held::a_key_has_so_many_places_in_its_queue),
            Flaw::GathersNothing => {
                fails(flaw, batch::a_job_that_gathers_begins_when_the_last_child_has_ended)
            }
            Flaw::IgnoresMarks => fails(flaw, unique::an_unfinished_job_is_in_the_way_of_its_like),
            Flaw::IgnoresRates => fails(flaw, queue::a_rate_lets_its_count_go_and_then_refills),
            Flaw::ReclaimsAll => fails(flaw, reclaim::the_jobs_of_the_living_are_left_alone),
            Flaw::ExtendsStale => {
                fails(flaw, outside::a_heartbeat_under_another_token_changes_nothing)
            }
            Flaw::ExpiresAll => {
                fails(flaw, outside::leases_end_in_their_order_and_no_more_than_asked)
            }
            Flaw::NotesTwice => fails(flaw, ledger::the_first_result_of_a_step_counts),
            Flaw::DeletesUnfinished => fails(flaw, delete::a_job_that_has_not_ended_is_not_deleted),
        };
        assert!(failed, "{flaw:?} got through");
    }
}

/// The names in a text that stand after `before` and end before `after`.
fn names<'a>(text: &'a str, before: &str, after: char) -> Vec<&'a str> {
    let found = text.lines().filter_map(|line| line.trim().strip_prefix(before));
    found.map(|line| line.split(after).next().unwrap_or_default()).collect()
}

#[test]
fn every_exam_is_in_the_list() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/exam");
    let read = |path: &str| std::fs::read_to_string(format!("{folder}/{path}")).unwrap();
    let list = read("mod.rs");
    for module in names(&list, "pub mod ", ';') {
        let (_, after) = list.split_once(&format!("            {module} {{")).unwrap();
        let listed = after.split('}').next().unwrap_or_default().split_whitespace();
        let path = if module == "random" { "random/mod.rs" } else { &format!("{module}.rs") };
        let mut written = names(&read(path), "pub async fn ", '(')
            .into_iter()
            .map(str::to_owned)
            .filter(|name| name != "differential")
            .collect::<Vec<_>>();
        let mut listed = listed.map(str::to_owned).collect::<Vec<_>>();
        written.sort();
        listed.sort();
        assert_eq!(listed, written, "{module}");
    }
}
