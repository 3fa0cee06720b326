//! The contract of the port in executable form; every backend must pass it.
//!
//! An exam is one promise of the port, kept by a fresh store: an `async fn` that uses nothing
//! but the port's verbs, ids and times that it makes up itself. [`exam!`](crate::exam!) turns
//! all of them into tests of one backend; after each, the kept totals must agree with what is
//! listed. [`random`] holds a backend against the oracle.

pub mod attempt;
pub mod batch;
pub mod cancel;
pub mod definition;
pub mod delete;
pub mod document;
pub mod event;
pub mod flow;
pub mod handover;
pub mod held;
pub mod idempotency;
pub mod job;
pub mod journal;
pub mod key;
pub mod lease;
pub mod ledger;
pub mod listing;
pub mod neighbours;
pub mod output;
pub mod outside;
pub mod park;
pub mod promote;
pub mod queue;
pub mod random;
pub mod reclaim;
pub mod retention;
pub mod retry;
pub mod schedule;
pub mod settle;
pub mod signal;
mod stage;
pub mod table_row;
pub mod tally;
pub mod unique;
pub mod webhook;

use std::future::Future;
use std::sync::Arc;

use crate::Store;
use stage::Must;

/// Lets a fresh store sit one exam.
///
/// `fresh` gives the store, and beside it whatever must outlive the store, such as the temporary
/// folder that it lives in.
///
/// # Panics
/// When the store breaks the promise.
pub fn sit<G, F: Future<Output = ()>>(
    fresh: impl FnOnce() -> (Arc<dyn Store>, G),
    exam: impl FnOnce(Arc<dyn Store>) -> F,
) {
    let (store, keeps_the_store_alive) = fresh();
    futures::executor::block_on(async {
        exam(store.clone()).await;
        let kept = store.tally_read().await.must();
        assert_eq!(kept, tally::counted(&*store).await, "kept totals agree with the listing");
    });
    drop(store);
    drop(keeps_the_store_alive);
}

/// Makes a test of every exam for one backend.
///
/// The argument is a function without arguments that gives a fresh, empty store and a guard that
/// is dropped after the store: `fn() -> (Arc<dyn Store>, G)`.
///
/// ```
/// # use std::sync::Arc;
/// use jobmill_store::Store;
/// use jobmill_store::memory::MemoryStore;
///
/// fn fresh() -> (Arc<dyn Store>, ()) {
///     (Arc::new(MemoryStore::new()), ())
/// }
///
/// jobmill_store::exam!(fresh);
/// ```
#[macro_export]
macro_rules! exam {
    (@sit $fresh:expr; $($noun:ident { $($name:ident)* })*) => {
        $(mod $noun {
            #[allow(unused_imports, reason = "`fresh` may be a whole path")]
            use super::*;
            $(
                #[test]
                fn $name() {
                    $crate::exam::sit($fresh, $crate::exam::$noun::$name);
                }
            )*
        })*
    };
    ($fresh:expr) => {
        $crate::exam! { @sit $fresh;
            job {
                a_stored_job_reads_back_whole
                every_form_of_start_reads_back
                the_text_of_an_input_is_kept_as_it_is
                unknown_jobs_leave_their_places_empty
                jobs_of_one_submission_are_stored_together
                many_jobs_fit_in_one_call
            }
            listing {
                an_empty_store_lists_nothing
                the_newest_job_comes_first
                a_listed_job_is_the_same_as_one_that_is_got
                jobs_are_filtered_by_state
                jobs_are_filtered_by_flow_queue_and_tag
                jobs_are_filtered_by_the_time_of_their_submission
                every_condition_must_hold
                pages_show_every_job_once
                new_jobs_do_not_move_the_pages_behind
                a_page_ends_early_when_its_inputs_are_large
            }
            handover {
                a_free_place_takes_a_new_job_at_once
                a_handed_over_job_is_lost_with_its_instance
                nothing_is_handed_over_without_a_place
                an_unknown_flow_is_not_handed_over_and_takes_no_place
                a_job_for_later_is_not_handed_over_and_takes_no_place
                jobs_of_one_submission_do_not_stand_in_each_others_way
                a_claimable_job_of_the_queue_is_not_passed_over
                a_claimable_job_of_another_flow_counts_as_well
                jobs_that_cannot_run_now_do_not_matter
                a_woken_job_is_not_passed_over
                a_job_that_came_due_is_not_passed_over
            }
            idempotency {
                the_same_key_and_body_give_the_same_job
                the_same_key_with_another_body_is_refused
                another_key_or_scope_is_another_submission
                a_bulk_comes_back_in_its_order
                a_replay_hands_nothing_over
                a_key_outlives_the_end_of_its_job
                a_key_is_forgotten_when_its_time_is_over
                a_key_is_kept_while_one_of_its_jobs_is_unfinished
                a_new_run_keeps_the_key_again
                a_sweep_removes_no_more_keys_than_asked
                a_refused_bulk_leaves_no_key_behind
            }
            lease {
                a_claimed_job_is_running_under_a_lease
                nothing_is_claimed_twice
                a_claim_takes_no_more_than_it_asks_for
                only_known_flows_are_claimed
                the_oldest_job_is_claimed_first_over_all_queues
                of_equal_rank_the_lower_id_is_claimed_first
                a_higher_priority_goes_before_jobs_of_some_minutes
                tokens_grow_by_one_with_each_claim
                a_job_without_a_lease_refuses_every_token
                attempts_count_tries_of_the_flow_and_nothing_else
                progress_is_recorded_under_a_lease
                progress_survives_the_lease
                a_settlement_may_say_how_far_the_job_came
                a_long_message_of_progress_is_cut_between_characters
                a_job_handed_back_is_claimable_at_its_old_rank
                leases_are_handed_back_each_for_itself
            }
            park {
                a_parked_job_runs_on_without_a_lease
                it_wakes_when_its_time_has_come
                it_wakes_with_a_signal
                without_a_time_only_a_signal_wakes_it
                a_signal_that_it_has_not_seen_keeps_it_awake
                a_signal_that_was_taken_does_not_count
                a_signal_of_an_earlier_run_does_not_count
                a_time_that_has_passed_wakes_it_with_the_next_promotion
                a_woken_job_is_claimed_at_its_old_rank
                it_can_be_parked_again_and_again
            }
            settle {
                a_completed_job_has_ended_well
                a_completed_job_never_moves_again
                a_failed_job_tells_why
                a_job_that_tries_again_waits_for_its_time
                a_time_in_the_past_still_needs_a_promotion
                a_new_attempt_is_ranked_by_its_time
                a_job_that_ends_well_after_all_has_no_error
                a_stopped_attempt_is_a_cancellation
                an_attempt_is_settled_once
                a_late_attempt_does_not_overwrite_a_newer_one
                attempts_are_settled_each_for_itself
                a_parent_settled_first_stops_its_child
                an_ended_run_keeps_its_journal_and_leaves_no_inbox
                the_next_attempt_finds_the_journal_and_the_inbox
                long_texts_of_a_fault_are_cut_between_characters
            }
            promote {
                a_job_is_promoted_from_its_time_on
                the_earliest_are_promoted_first
                every_kind_of_waiting_is_promoted
                a_delayed_job_is_ranked_by_its_time
                no_more_are_promoted_than_asked
            }
            reclaim {
                the_jobs_of_dead_processes_are_claimable_again
                the_jobs_of_the_living_are_left_alone
                jobs_without_a_lease_are_left_alone
                a_job_that_lost_too_many_workers_fails
                each_job_is_judged_by_its_own_losses
            }
            cancel {
                a_waiting_job_is_cancelled
                a_scheduled_job_is_cancelled
                a_running_job_is_cancelled_and_its_worker_is_refused
                a_parked_job_is_cancelled
                a_woken_job_is_cancelled
                an_ended_job_stays_as_it_is
                answers_come_in_the_order_of_the_ids
                its_journal_stays_and_its_inbox_is_gone
                its_last_failure_stays
                it_raises_the_token_by_one
                the_unfinished_jobs_below_go_with_it
                a_finished_child_stays_and_so_does_what_is_below_it
                a_child_leaves_its_parent_alone
            }
            retry {
                a_failed_job_gets_a_new_run
                a_cancelled_job_gets_a_new_run
                no_other_job_gets_a_new_run
                a_job_is_opened_once_in_a_call
                it_begins_with_an_empty_journal_and_inbox
                it_publishes_nothing_of_the_runs_before
                failed_attempts_stay_and_new_ones_tell_their_run
                it_is_ranked_by_the_time_of_its_opening
                lost_workers_are_counted_anew
                a_run_of_a_stopped_job_can_end_well
            }
            delete {
                an_ended_job_is_deleted_with_all_that_belongs_to_it
                a_job_that_has_not_ended_is_not_deleted
                a_job_is_deleted_once_in_a_call
                a_child_is_kept_while_its_parent_may_read_it
                children_outlive_their_parent
                a_deleted_job_is_in_no_list_and_no_total
                entries_of_other_jobs_keep_their_numbers
                entries_are_paged_over_what_was_deleted
                a_number_of_a_deleted_entry_is_not_used_again
                chunks_of_a_deleted_job_are_swept
                an_idempotency_key_outlives_its_job
            }
            event {
                changes_are_told_in_the_order_of_their_commits
                everything_that_goes_with_a_job_is_told
                what_is_refused_is_not_told
                what_was_active_of_late_is_listed
                a_job_is_found_where_it_stands
            }
            queue {
                a_paused_queue_lets_nothing_go
                a_pause_keeps_other_queues_and_leases_as_they_are
                a_paused_queue_is_not_handed_over
                no_more_than_the_limit_of_a_queue_is_under_lease
                every_end_of_a_lease_makes_room_in_its_queue
                a_queue_that_is_full_does_not_hold_up_another
                the_limit_of_a_queue_counts_all_its_flows
                a_full_queue_is_not_handed_over
                a_lowered_limit_ends_no_lease
                a_rate_lets_its_count_go_and_then_refills
                a_job_that_is_handed_over_uses_the_rate
                another_rate_starts_afresh_and_the_same_goes_on
                a_paused_or_full_queue_waits_for_no_refill
                workers_outside_get_no_more_than_a_queue_lets_go
                queues_are_listed_by_name_in_pages
                an_unknown_queue_is_empty_and_open
            }
            held {
                a_key_has_so_many_places_in_its_queue
                without_a_rule_jobs_of_a_key_go_one_after_the_other
                keys_and_queues_do_not_count_for_each_other
                every_end_of_a_lease_lets_the_next_of_its_key_through
                every_end_of_a_lease_outside_lets_the_next_of_its_key_through
                a_job_that_is_handed_back_keeps_its_place
                a_ready_job_that_is_cancelled_gives_its_place_away
                the_lowest_rank_of_a_key_is_next
                a_key_with_many_jobs_does_not_hold_up_another
                a_woken_job_lines_up_behind_its_key
                a_job_that_comes_due_lines_up_behind_its_key
                a_new_run_lines_up_behind_its_key
                a_held_job_is_not_handed_over
                held_jobs_do_not_keep_others_from_being_handed_over
                a_raised_limit_lets_held_jobs_through
                a_lowered_limit_of_keys_holds_once_enough_have_ended
            }
            batch {
                a_job_that_gathers_begins_when_the_last_child_has_ended
                a_job_that_gathers_begins_once
                a_child_that_is_lost_for_good_has_ended_too
                a_cancelled_job_that_gathers_takes_its_children_along
                the_children_of_a_job_are_listed
            }
            unique {
                an_unfinished_job_is_in_the_way_of_its_like
                jobs_of_another_mark_or_none_are_not_in_the_way
                an_ended_job_is_in_the_way_for_its_span
                jobs_of_one_submission_are_compared_too
                a_known_job_takes_no_place_of_an_offer
                an_idempotency_key_stands_for_the_known_job
                no_new_run_is_opened_beside_another_job_of_the_mark
                a_deleted_job_is_out_of_the_way
            }
            journal {
                entries_read_back_in_order
                an_entry_for_another_place_is_refused
                an_older_lease_writes_nothing
                jobs_have_journals_of_their_own
                entries_take_their_signals_out_of_the_inbox
                signals_can_be_taken_without_an_entry
                the_journal_of_an_ended_run_is_deleted_alone
                a_journal_that_is_too_long_or_too_large_is_not_kept
            }
            signal {
                signals_are_numbered_job_by_job
                signals_read_back_in_order
                a_number_is_never_used_twice
                an_ended_job_takes_no_signal
                a_signal_moves_no_job_that_is_not_parked
                more_signals_wake_a_job_once
            }
            output {
                a_result_is_all_chunks_of_its_lease
                a_small_result_comes_with_its_settlement
                a_result_that_is_written_anew_takes_the_place_of_the_one_before
                an_empty_object_has_no_entries
                a_result_is_read_from_any_place
                jobs_without_a_result_have_no_output
                chunks_of_a_lost_lease_are_not_published
                chunks_of_a_failed_attempt_are_not_published
                chunks_from_before_a_pause_are_not_published
                chunks_that_will_never_be_published_are_swept
                chunks_of_a_cancelled_job_are_swept
                chunks_that_are_or_may_be_published_are_kept
                entries_of_all_results_are_numbered_as_they_are_published
                entries_keep_every_kind_of_value
                pages_of_entries_cross_chunks_and_jobs
            }
            outside {
                a_lent_job_is_running_under_a_lease_with_an_end
                a_worker_gets_jobs_of_its_queue_and_its_flows
                jobs_are_lent_in_the_order_of_their_ranks
                a_call_ends_early_when_its_inputs_are_large
                a_heartbeat_gives_the_lease_its_whole_span_again
                a_heartbeat_may_change_the_span
                a_heartbeat_under_another_token_changes_nothing
                only_a_worker_outside_sends_heartbeats
                the_jobs_of_a_silent_worker_are_claimable_again
                a_lease_in_time_does_not_expire
                leases_end_in_their_order_and_no_more_than_asked
                a_job_that_lost_too_many_silent_workers_fails
                an_attempt_that_runs_out_of_time_is_tried_again
                the_last_attempt_that_runs_out_of_time_fails_the_job
                a_heartbeat_does_not_outlast_the_time_limit
                a_lent_job_is_no_job_of_a_dead_process
                after_a_start_every_lease_has_its_whole_span_again
                an_ended_lease_expires_no_more
                a_lent_job_ends_like_any_other
            }
            ledger {
                the_first_result_of_a_step_counts
                steps_read_back_by_name_in_pages
                an_older_lease_notes_nothing
                the_next_worker_finds_the_steps
                an_ended_run_leaves_no_steps
                a_new_run_begins_with_no_steps
                jobs_have_ledgers_of_their_own
                a_ledger_has_room_for_so_many_steps
            }
            flow {
                a_declared_flow_reads_back_whole
                a_declaration_takes_the_place_of_the_one_before
                flows_are_listed_by_name
                a_forgotten_flow_is_gone
            }
            attempt {
                failed_attempts_are_listed_oldest_first
                failed_attempts_are_filtered
                failed_attempts_are_read_in_pages
                jobs_have_failed_attempts_of_their_own
            }
            definition {
                a_definition_reads_back_whole
                it_is_created_once_and_updated_if_it_is_there
                a_change_that_executions_notice_makes_a_revision
                other_changes_stay_on_the_revision
                revisions_are_listed_newest_first
                definitions_are_listed_by_name_in_pages
                a_page_of_large_sources_ends_early
                a_deleted_definition_is_gone_and_begins_anew
            }
            tally {
                a_new_store_counts_nothing
                every_step_of_a_life_is_counted
                every_end_is_counted
                handed_over_jobs_are_counted
                children_that_go_with_their_parent_are_counted
                what_is_refused_is_not_counted
            }
            document {
                a_document_reads_back_as_it_was_written
                a_refused_commit_writes_nothing
                commits_of_one_document_follow_each_other
                documents_are_listed_by_collection
                documents_are_listed_in_pages
            }
            table_row {
                rows_are_numbered_in_order
                rows_are_read_in_pages
                a_row_with_a_known_id_is_passed_over
                rows_go_only_to_a_table_that_is_there
                the_rows_of_a_set_are_swept_in_steps
            }
            schedule {
                there_are_only_so_many_schedules
                a_stored_schedule_reads_back_whole
                the_jobs_of_a_tick_are_stored_with_it
                a_tick_that_somebody_answered_makes_no_job
                of_two_writes_at_once_each_stands_for_itself
                schedules_are_listed_by_name_in_pages
                a_deleted_schedule_leaves_its_jobs
                a_schedule_is_due_from_its_tick_on
                waiting_ticks_are_due_when_the_job_before_has_ended
            }
            webhook {
                each_way_to_end_is_told
                a_delivery_is_a_job_that_can_be_claimed
                only_an_end_is_told
                each_run_is_told_of
                jobs_that_go_with_their_parent_are_told_of_too
            }
            retention {
                the_first_submitted_of_a_state_come_first
                a_job_is_as_old_as_its_end
                the_oldest_are_read_in_pages
            }
            key {
                a_stored_key_reads_back_whole
                a_name_is_taken_once
                there_are_no_more_keys_than_may_be
                the_last_use_of_a_key_never_goes_back
            }
            neighbours {
                every_job_goes_to_one_claim
                one_settlement_counts
                one_submission_under_a_key_is_stored
                a_refused_submission_leaves_its_neighbours_alone
                a_stale_verb_leaves_its_neighbours_alone
                a_job_is_handed_over_or_claimed_but_not_both
            }
            random {
                the_oracle_agrees_at_seed_1
                the_oracle_agrees_at_seed_2
                the_oracle_agrees_at_seed_3
            }
        }
    };
}

#[cfg(test)]
mod flawed;
#[cfg(test)]
mod tests;
