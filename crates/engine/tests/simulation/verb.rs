//! The writing verbs of the port as data, so that they can wait, be logged and be repeated.

use futures::FutureExt;
use jobmill_model::output::Chunk;
use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::{Declaration, InstanceId, JobId, Json, Timestamp, Token};
use jobmill_store::*;

/// A request to write.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    Insert(Submission),
    Cancel(Vec<JobId>, Timestamp),
    Retry(Vec<JobId>, Timestamp),
    Delete(Vec<JobId>),
    ForgetKeys(Timestamp, usize),
    Claim(Claim),
    Progress(Vec<ProgressNote>),
    Park(Park),
    Settle(Vec<Settle>),
    Release(Vec<(JobId, Token)>),
    Promote(Timestamp, usize),
    Reclaim(InstanceId, u32, Timestamp),
    PutQueue(Name, QueueRules),
    PauseQueue(Name, bool),
    AdmitHeld(Timestamp, usize),
    Journal(Append),
    DropJournal(JobId),
    Signal(JobId, Name, Json),
    Chunks(JobId, Token, Vec<Chunk>),
    SweepChunks(usize),
    Lend(Call),
    Extend(Vec<Extend>),
    Expire(Timestamp, u32, f64, usize),
    Renew(Timestamp),
    Note(EffectPut),
    Declare(Declaration),
    Undeclare(Name),
    Deploy(DefinitionPut),
    Undeploy(Name),
    Schedules(Vec<ScheduleWrite>),
    DropSchedule(Name),
}

/// What a write came to.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Inserted(Inserted),
    Cancelled(Vec<Cancelled>),
    Retried(Vec<Retried>),
    Deleted(Vec<Deleted>),
    Swept(Swept),
    Claimed(Vec<Claimed>),
    Held(Vec<bool>),
    Parked(Parked),
    Settled(Vec<Settled>),
    Promoted(Promoted),
    Reclaimed(Reclaimed),
    Nothing(()),
    Admitted(Admitted),
    Appended(Appended),
    Signalled(Signalled),
    Lent(Vec<Lent>),
    Extended(Vec<Option<Timestamp>>),
    Expired(Expired),
    Renewed(Option<Timestamp>),
    Noted(Noted),
    Declared(Declared),
    Deployed(Deployed),
    Written(Vec<Written>),
}

impl Write {
    /// Does it on a store that answers at once.
    pub(crate) fn apply(&self, store: &dyn Store) -> Result<Answer> {
        let applied = self.apply_later(store).now_or_never();
        applied.expect("a store in memory answers at once")
    }

    async fn apply_later(&self, store: &dyn Store) -> Result<Answer> {
        let answer = match self.clone() {
            Self::Insert(submission) => Answer::Inserted(store.job_insert(submission).await?),
            Self::Cancel(ids, now) => Answer::Cancelled(store.job_cancel(&ids, now).await?),
            Self::Retry(ids, now) => Answer::Retried(store.job_retry(&ids, now).await?),
            Self::Delete(ids) => Answer::Deleted(store.job_delete(&ids).await?),
            Self::ForgetKeys(now, most) => Answer::Swept(store.idempotency_sweep(now, most).await?),
            Self::Claim(claim) => Answer::Claimed(store.job_claim(claim).await?),
            Self::Progress(notes) => Answer::Held(store.job_progress(&notes).await?),
            Self::Park(park) => Answer::Parked(store.job_park(park).await?),
            Self::Settle(settles) => Answer::Settled(store.job_settle(settles).await?),
            Self::Release(leases) => Answer::Held(store.job_release(&leases).await?),
            Self::Promote(now, most) => Answer::Promoted(store.job_promote(now, most).await?),
            Self::Reclaim(alive, most, now) => {
                Answer::Reclaimed(store.job_reclaim(alive, most, now).await?)
            }
            Self::PutQueue(queue, rules) => Answer::Nothing(store.queue_put(&queue, &rules).await?),
            Self::PauseQueue(queue, paused) => {
                Answer::Nothing(store.queue_pause(&queue, paused).await?)
            }
            Self::AdmitHeld(now, most) => Answer::Admitted(store.held_admit(now, most).await?),
            Self::Journal(append) => Answer::Appended(store.job_journal(append).await?),
            Self::DropJournal(id) => Answer::Deleted(vec![store.journal_delete(id).await?]),
            Self::Signal(id, name, payload) => {
                Answer::Signalled(store.job_signal(id, &name, &payload).await?)
            }
            Self::Chunks(id, token, chunks) => {
                Answer::Held(vec![store.output_append(id, token, chunks).await?])
            }
            Self::SweepChunks(most) => Answer::Swept(store.output_sweep(most).await?),
            Self::Deploy(put) => Answer::Deployed(store.definition_put(put).await?),
            Self::Undeploy(name) => Answer::Held(vec![store.definition_delete(&name).await?]),
            Self::Schedules(writes) => Answer::Written(store.schedule_write(writes).await?),
            Self::DropSchedule(name) => Answer::Held(vec![store.schedule_delete(&name).await?]),
            outside => return outside.apply_outside(store).await,
        };
        Ok(answer)
    }

    /// The verbs of workers outside.
    async fn apply_outside(self, store: &dyn Store) -> Result<Answer> {
        Ok(match self {
            Self::Lend(call) => Answer::Lent(store.job_lease(call).await?),
            Self::Extend(beats) => Answer::Extended(store.job_extend(beats).await?),
            Self::Expire(now, crashes, chance, most) => {
                Answer::Expired(store.lease_expire(now, crashes, chance, most).await?)
            }
            Self::Renew(now) => Answer::Renewed(store.lease_renew(now).await?),
            Self::Note(put) => Answer::Noted(store.effect_put(put).await?),
            Self::Declare(flow) => Answer::Declared(store.flow_put(flow).await?),
            Self::Undeclare(name) => Answer::Held(vec![store.flow_delete(&name).await?]),
            inside => unreachable!("{inside:?} is no verb of workers outside"),
        })
    }

    /// Admissions go behind everything else, and they alone may be shed.
    pub(crate) fn is_admission(&self) -> bool {
        matches!(self, Self::Insert(_) | Self::Deploy(_))
    }

    /// The jobs that it names.
    pub(crate) fn ids(&self) -> Vec<JobId> {
        match self {
            Self::Insert(submission) => submission.jobs.iter().map(|job| job.id).collect(),
            Self::Cancel(ids, _) | Self::Retry(ids, _) | Self::Delete(ids) => ids.clone(),
            Self::Progress(notes) => notes.iter().map(|note| note.id).collect(),
            Self::Park(park) => vec![park.id],
            Self::Settle(settles) => settles.iter().map(|settle| settle.id).collect(),
            Self::Release(leases) => leases.iter().map(|(id, _)| *id).collect(),
            Self::Journal(append) => vec![append.id],
            Self::Signal(id, ..) | Self::Chunks(id, ..) | Self::DropJournal(id) => vec![*id],
            Self::Extend(beats) => beats.iter().map(|beat| beat.id).collect(),
            Self::Note(put) => vec![put.id],
            Self::ForgetKeys(..)
            | Self::Lend(_)
            | Self::Expire(..)
            | Self::Renew(_)
            | Self::Declare(_)
            | Self::Undeclare(_)
            | Self::Claim(_)
            | Self::PutQueue(..)
            | Self::PauseQueue(..)
            | Self::AdmitHeld(..)
            | Self::Promote(..)
            | Self::Reclaim(..)
            | Self::SweepChunks(_)
            | Self::Deploy(_)
            | Self::Undeploy(_)
            | Self::DropSchedule(_) => Vec::new(),
            Self::Schedules(writes) => {
                let jobs = writes.iter().flat_map(|write| &write.jobs);
                jobs.map(|job| job.id).collect()
            }
        }
    }
}
