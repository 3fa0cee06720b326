//! One line for each transition, for whoever reads how a seed went.

use jobmill_model::JobId;
use jobmill_model::job::Verdict;
use jobmill_store::{Append, StoreError};

use super::port::STRANGER;
use super::verb::{Answer, Write};
use super::witness::Witness;

/// A write and its answer in words.
pub(crate) fn line(
    witness: &Witness,
    life: u64,
    write: &Write,
    answer: std::result::Result<&Answer, &StoreError>,
) -> String {
    let who = if life == STRANGER { "stranger".to_owned() } else { format!("life {life}") };
    let name = |id: JobId| witness.name(id);
    let names = |ids: &[JobId]| ids.iter().map(|id| name(*id)).collect::<Vec<_>>().join(" ");
    let what = match write {
        Write::Insert(submission) => {
            let key = submission.idempotency.as_ref().map_or("-", |key| key.key.as_str());
            let offer = if submission.offer.is_some() { ", a place is offered" } else { "" };
            format!("insert {} (key {key}{offer})", names(&write.ids()))
        }
        Write::Cancel(ids, _) => format!("cancel {}", names(ids)),
        Write::Retry(ids, _) => format!("retry {}", names(ids)),
        Write::Delete(ids) => format!("delete {}", names(ids)),
        Write::ForgetKeys(..) => "forget keys".to_owned(),
        Write::Claim(claim) => format!("claim {}", claim.max),
        Write::Progress(_) => format!("progress {}", names(&write.ids())),
        Write::Park(park) => {
            let Some(at) = park.wake_at else {
                return format!("{who}: park {} ({}) → {answer:?}", name(park.id), park.token);
            };
            format!("park {} ({}) until {at}, seen {}", name(park.id), park.token, park.seen)
        }
        Write::Settle(settles) => {
            let one = |settle: &jobmill_store::Settle| {
                let verdict = match &settle.verdict {
                    Verdict::Complete(_) => "complete",
                    Verdict::Retry { .. } => "retry",
                    Verdict::Fail(_) => "fail",
                    Verdict::Cancel => "cancel",
                };
                format!("{} ({}) {verdict}", name(settle.id), settle.token)
            };
            format!("settle {}", settles.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        Write::Release(_) => format!("release {}", names(&write.ids())),
        Write::Promote(now, _) => format!("promote at {now}"),
        Write::Reclaim(alive, ..) => format!("reclaim, {alive} lives"),
        Write::PutQueue(queue, rules) => format!("queue {queue} has {rules:?}"),
        Write::PauseQueue(queue, true) => format!("queue {queue} is paused"),
        Write::PauseQueue(queue, false) => format!("queue {queue} goes on"),
        Write::AdmitHeld(..) => "admit keys".to_owned(),
        Write::Journal(append) => format!("journal {}", entries(witness, append)),
        Write::DropJournal(id) => format!("drop the journal of {}", name(*id)),
        Write::Signal(id, signal, _) => format!("signal {} {signal}", name(*id)),
        Write::Chunks(id, token, _) => format!("chunks of {} ({token})", name(*id)),
        Write::SweepChunks(_) => "sweep chunks".to_owned(),
        Write::Lend(call) => format!("lend {} to {}", call.max, call.worker),
        Write::Extend(_) => format!("extend {}", names(&write.ids())),
        Write::Expire(now, ..) => format!("expire at {now}"),
        Write::Renew(now) => format!("renew at {now}"),
        Write::Note(put) => format!("note {} of {}", put.name, name(put.id)),
        Write::Declare(flow) => format!("declare {}", flow.name),
        Write::Undeclare(flow) => format!("undeclare {flow}"),
        Write::Deploy(put) => format!("deploy {}", put.name),
        Write::Undeploy(definition) => format!("undeploy {definition}"),
        Write::Schedules(writes) => {
            let one = |write: &jobmill_store::ScheduleWrite| {
                let (schedule, jobs) = (&write.schedule, &write.jobs);
                let ticks = jobs.iter().filter_map(|job| job.spec.tags.last());
                let ticks: Vec<_> = ticks.map(|tick| tick.as_str()).collect();
                let (name, next) = (&schedule.name, schedule.next_at);
                format!("{name} at {}, next {next:?}, {}", write.at, ticks.join(" "))
            };
            let all: Vec<_> = writes.iter().map(one).collect();
            format!("schedules {} {}", all.join(", "), names(&write.ids()))
        }
        Write::DropSchedule(name) => format!("drop schedule {name}"),
    };
    format!("{who}: {what} → {}", came_to(witness, answer))
}

fn entries(witness: &Witness, append: &Append) -> String {
    let one = |entry: &jobmill_model::machine::Entry| {
        format!("{}:{}={}", entry.seq, entry.number, entry.outcome.to_json())
    };
    let all: Vec<_> = append.entries.iter().map(one).collect();
    format!("{} ({}) {}", witness.name(append.id), append.token, all.join(" "))
}

fn came_to(witness: &Witness, answer: std::result::Result<&Answer, &StoreError>) -> String {
    match answer {
        Ok(Answer::Claimed(claimed)) => {
            let one =
                |it: &jobmill_store::Claimed| format!("{} ({})", witness.name(it.job.id), it.token);
            claimed.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("refused: {error}"),
    }
}
