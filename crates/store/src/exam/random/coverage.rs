//! What a random run has met: for each verb, its different answers and how often they came.

use std::collections::BTreeMap;
use std::fmt;

use super::document;
use super::key;
use super::op::{Answer, Op};
use crate::{
    Appended, Cancelled, Declared, Deleted, Deployed, Inserted, Lodged, Noted, Parked, Retried,
    Settled, Signalled, Written,
};

/// The answers that a random run has met, verb by verb.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<(&'static str, &'static str), u64>);

/// Every verb with the answers that a run of some length meets.
const WANTED: &[(&str, &[&str])] = &[
    ("job_insert", &["new", "handed over", "known", "replay", "refused"]),
    ("job_get", &["some", "none"]),
    ("job_situation", &["some", "none"]),
    ("job_list", &["some", "none"]),
    ("job_cancel", &["done", "ended", "unknown"]),
    ("job_retry", &["done", "refused", "unknown"]),
    ("job_delete", &["done", "refused", "unknown"]),
    ("idempotency_sweep", &["some", "none"]),
    ("job_claim", &["some", "none"]),
    ("job_progress", &["held", "stale"]),
    ("job_park", &["done", "awake", "stale"]),
    ("job_settle", &["completed", "failed", "cancelled", "scheduled", "stale"]),
    ("job_release", &["held", "stale"]),
    ("job_promote", &["some", "none"]),
    ("job_reclaim", &["returned", "failed"]),
    ("queue_put", &["some"]),
    ("queue_pause", &["some"]),
    ("queue_get", &["some"]),
    ("queue_list", &["some"]),
    ("queue_refill", &["some", "none"]),
    ("held_admit", &["some", "none"]),
    ("job_journal", &["done", "gap", "stale"]),
    ("journal_read", &["some", "none"]),
    ("journal_delete", &["done", "refused", "unknown"]),
    ("job_signal", &["done", "ended", "unknown"]),
    ("signal_read", &["some", "none"]),
    ("output_append", &["held", "stale"]),
    ("output_extent", &["some", "none"]),
    ("output_read", &["some", "none"]),
    ("pair_page", &["some", "none"]),
    ("output_sweep", &["some"]),
    ("attempt_list", &["some", "none"]),
    ("tally_read", &["some"]),
    ("job_lease", &["some", "none"]),
    ("job_extend", &["held", "stale"]),
    ("lease_get", &["some", "none"]),
    ("lease_expire", &["submitted", "scheduled", "failed", "none"]),
    ("lease_renew", &["some"]),
    ("effect_put", &["new", "known", "stale"]),
    ("effect_get", &["some", "none"]),
    ("effect_list", &["some", "none"]),
    ("flow_put", &["new", "changed", "same"]),
    ("flow_delete", &["held", "stale"]),
    ("flow_list", &["some"]),
    ("definition_put", &["done", "exists", "unknown"]),
    ("definition_delete", &["held", "stale"]),
    ("definition_get", &["some", "none"]),
    ("definition_list", &["some"]),
    ("revision_list", &["some", "none"]),
    ("schedule_write", &["done", "stale"]),
    ("schedule_delete", &["held", "stale"]),
    ("schedule_get", &["some", "none"]),
    ("schedule_list", &["some", "none"]),
    ("schedule_due", &["some", "none", "held", "later"]),
];

impl Coverage {
    pub(super) fn note(&mut self, op: &Op, answer: &Answer) {
        for word in words(answer) {
            *self.0.entry((op.verb(), word)).or_default() += 1;
        }
    }

    /// Whether every wanted answer has turned up.
    pub(super) fn is_whole(&self) -> bool {
        self.missing().is_empty()
    }

    fn missing(&self) -> Vec<(&'static str, &'static str)> {
        let wanted = WANTED
            .iter()
            .chain(document::WANTED)
            .chain(key::WANTED)
            .flat_map(|(verb, words)| words.iter().map(|word| (*verb, *word)));
        wanted.filter(|pair| !self.0.contains_key(pair)).collect()
    }

    /// Fails if a verb has not succeeded, or has not been refused where it can be.
    ///
    /// # Panics
    /// Then, and names the verbs and the answers that are missing.
    pub fn assert_whole(&self) {
        let missing = self.missing();
        assert!(missing.is_empty(), "the run has not met {missing:?}; it met\n{self}");
    }
}

impl fmt::Display for Coverage {
    /// Writes one line for each verb and answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|((verb, word), count)| writeln!(f, "{count:6} {verb} {word}"))
    }
}

fn some(found: bool) -> &'static str {
    if found { "some" } else { "none" }
}

/// The kinds of answer that are in an answer.
fn words(answer: &Answer) -> Vec<&'static str> {
    match answer {
        Answer::Inserted(Ok(Inserted::New(all))) => all.iter().map(|one| lodged(*one)).collect(),
        Answer::Inserted(Ok(Inserted::Replay(_))) => vec!["replay"],
        Answer::Inserted(Err(_)) => vec!["refused"],
        Answer::Got(jobs) => jobs.iter().map(|job| some(job.is_some())).collect(),
        Answer::Situation(situation) => vec![some(situation.is_some())],
        Answer::Listed(jobs) => vec![some(!jobs.is_empty())],
        Answer::Cancelled(all) => all.iter().map(|one| cancelled(*one)).collect(),
        Answer::Retried(all) => all.iter().map(|one| retried(*one)).collect(),
        Answer::Deleted(all) => all.iter().map(|one| deleted(*one)).collect(),
        Answer::KeysSwept(rows) => vec![some(*rows > 0)],
        Answer::Claimed(claimed) => vec![some(!claimed.is_empty())],
        Answer::Held(held) => {
            held.iter().map(|held| if *held { "held" } else { "stale" }).collect()
        }
        Answer::Parked(Parked::Done) => vec!["done"],
        Answer::Parked(Parked::Awake) => vec!["awake"],
        Answer::Parked(Parked::Stale) => vec!["stale"],
        Answer::Settled(all) => all.iter().map(|one| settled(*one)).collect(),
        Answer::Promoted(promoted) => vec![some(promoted.count > 0)],
        Answer::Reclaimed(reclaimed) => match (reclaimed.returned, reclaimed.failed.len()) {
            (0, 0) => vec!["none"],
            (_, 0) => vec!["returned"],
            (0, _) => vec!["failed"],
            (_, _) => vec!["returned", "failed"],
        },
        Answer::Journaled(Appended::Done) => vec!["done"],
        Answer::Journaled(Appended::Gap(_)) => vec!["gap"],
        Answer::Journaled(Appended::Stale) => vec!["stale"],
        Answer::Entries(entries) => vec![some(!entries.is_empty())],
        Answer::Signalled(Signalled::Done(_)) => vec!["done"],
        Answer::Signalled(Signalled::Ended(_)) => vec!["ended"],
        Answer::Signalled(Signalled::Unknown) => vec!["unknown"],
        Answer::Signals(signals) => vec![some(!signals.is_empty())],
        Answer::Extent(extent) => vec![some(extent.is_some())],
        Answer::Chunks(chunks) => vec![some(!chunks.is_empty())],
        Answer::Pairs(page) => vec![some(!page.pairs.is_empty())],
        Answer::Attempts(attempts) => vec![some(!attempts.is_empty())],
        Answer::Deployed(deployed) => match **deployed {
            Deployed::Done(_) => vec!["done"],
            Deployed::Exists => vec!["exists"],
            Deployed::Unknown => vec!["unknown"],
        },
        Answer::Undeployed(was_there) => vec![if *was_there { "held" } else { "stale" }],
        Answer::Definition(found) => vec![some(found.is_some())],
        Answer::Definitions(found) => vec![some(!found.is_empty())],
        Answer::Document(answer) => answer.words(),
        Answer::Key(answer) => vec![answer.word()],
        Answer::Written(all) => all.iter().map(|one| written(*one)).collect(),
        Answer::Schedules(all) => vec![some(!all.is_empty())],
        Answer::SchedulesDue(due) => {
            let held = (!due.held_by.is_empty()).then_some("held");
            let later = due.next.map(|_| "later");
            [Some(some(!due.schedules.is_empty())), held, later].into_iter().flatten().collect()
        }
        Answer::Refill(at) => vec![some(at.is_some())],
        Answer::HeldAdmitted(count) => vec![some(*count > 0)],
        Answer::QueueSet | Answer::Queues(_) | Answer::OutputSwept | Answer::Tally(_) => {
            vec!["some"]
        }
        outside => words_outside(outside),
    }
}

fn words_outside(answer: &Answer) -> Vec<&'static str> {
    let held = |held: bool| if held { "held" } else { "stale" };
    match answer {
        Answer::Lent(lent) => vec![some(!lent.is_empty())],
        Answer::Extended(ends) => ends.iter().map(|end| held(end.is_some())).collect(),
        Answer::Leases(views) => views
            .iter()
            .map(|view| some(view.as_ref().is_some_and(|view| view.hold.is_some())))
            .collect(),
        Answer::Expired(expired) if expired.jobs.is_empty() => vec!["none"],
        Answer::Expired(expired) => expired.jobs.iter().map(|(_, state)| state.as_str()).collect(),
        Answer::Renewed(next) => vec![some(next.is_some())],
        Answer::Noted(Noted::New) => vec!["new"],
        Answer::Noted(Noted::Known(_)) => vec!["known"],
        Answer::Noted(Noted::Stale) => vec!["stale"],
        Answer::Noted(Noted::Full) => vec!["full"],
        Answer::Effect(effect) => vec![some(effect.is_some())],
        Answer::Effects(effects) => vec![some(!effects.is_empty())],
        Answer::Declared(Declared::New) => vec!["new"],
        Answer::Declared(Declared::Changed) => vec!["changed"],
        Answer::Declared(Declared::Same) => vec!["same"],
        Answer::Declared(Declared::Full) => vec!["full"],
        Answer::Undeclared(deleted) => vec![held(*deleted)],
        Answer::Flows(flows) => vec![some(!flows.is_empty())],
        inside => unreachable!("{inside:?} is no answer to a worker outside"),
    }
}

fn cancelled(answer: Cancelled) -> &'static str {
    match answer {
        Cancelled::Done(_) => "done",
        Cancelled::Ended(_) => "ended",
        Cancelled::Unknown => "unknown",
    }
}

fn written(answer: Written) -> &'static str {
    match answer {
        Written::Done => "done",
        Written::Stale => "stale",
        Written::Full => "full",
    }
}

fn lodged(answer: Lodged) -> &'static str {
    match answer {
        Lodged::New(None) => "new",
        Lodged::New(Some(_)) => "handed over",
        Lodged::Known(_) => "known",
    }
}

fn retried(answer: Retried) -> &'static str {
    match answer {
        Retried::Done => "done",
        Retried::Refused(_) => "refused",
        Retried::Taken(_) => "taken",
        Retried::Unknown => "unknown",
    }
}

fn deleted(answer: Deleted) -> &'static str {
    match answer {
        Deleted::Done => "done",
        Deleted::Refused(_) => "refused",
        Deleted::Needed => "needed",
        Deleted::Unknown => "unknown",
    }
}

fn settled(answer: Settled) -> &'static str {
    match answer {
        Settled::Done(state) => state.as_str(),
        Settled::Stale => "stale",
    }
}
