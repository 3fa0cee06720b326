//! Answers the ticks of schedules: each makes its jobs in the step that takes note of it.
//!
//! There is one timer, on the earliest tick of all. Ticks that wait for a job to end are looked
//! at again when it has.

use std::sync::Arc;

use jobmill_model::queue::QueueRules;
use jobmill_model::schedule::{Advance, Overlap, Schedule};
use jobmill_model::{Span, State, Timestamp};
use jobmill_store::{JobInsert, ScheduleWrite, StoreError, Written};

use crate::engine::{Engine, Shared};

/// The most schedules of one step, so that the commit stays short.
const BATCH: usize = 100;
/// How long to wait after the store refused.
const PAUSE: Span = Span::from_secs(1);

pub(crate) async fn run(shared: Arc<Shared>) {
    let engine = Engine { shared };
    let shared = &engine.shared;
    loop {
        match run_once(&engine).await {
            Ok(next) => wait(shared, next).await,
            Err(StoreError::Closed) => return,
            Err(error) => {
                shared.observer.store_failed("schedule_write", &error);
                shared.clock.pause(PAUSE).await;
            }
        }
    }
}

async fn wait(shared: &Shared, next: Option<Timestamp>) {
    let changed = shared.bus.until_schedules_change();
    match next {
        None => changed.await,
        Some(at) => tokio::select! {
            biased;
            () = changed => {}
            () = shared.clock.sleep_until(at) => {}
        },
    }
}

/// Answers every tick that has come; tells when the next will. A process that shuts down leaves
/// them to the next.
async fn run_once(engine: &Engine) -> Result<Option<Timestamp>, StoreError> {
    let shared = &engine.shared;
    loop {
        let now = shared.clock.now();
        let due = shared.store.schedule_due(now, BATCH).await?;
        if shared.is_draining() {
            return Ok(None);
        }
        if shared.bus.hold_schedules(&due.held_by) {
            continue;
        }
        if due.schedules.is_empty() {
            return Ok(due.next);
        }
        let mut writes = Vec::with_capacity(due.schedules.len());
        for schedule in &due.schedules {
            let busy = is_busy(shared, schedule).await?;
            writes.push(answer(engine, schedule, now, busy));
        }
        let jobs = writes.iter().flat_map(|write| &write.jobs);
        if jobs.into_iter().any(|job| job.spec.key.is_some()) {
            shared.holds.learn(&QueueRules::default(), true);
        }
        let written = shared.store.schedule_write(writes.clone()).await?;
        // One that was changed meanwhile is looked at again.
        for (write, _) in writes.iter().zip(written).filter(|(_, it)| *it == Written::Done) {
            shared.observer.ticked(&write.schedule, &write.jobs, now);
        }
        shared.bus.ready();
    }
}

/// Whether the last job of a schedule is unfinished, where that matters.
async fn is_busy(shared: &Shared, schedule: &Schedule) -> Result<bool, StoreError> {
    match schedule.last {
        Some(last) if schedule.rules.overlap != Overlap::Allow => {
            let job = shared.store.job_get(&[last.job]).await?.pop().flatten();
            Ok(job.is_some_and(|job| !State::is_final(job.state)))
        }
        _ => Ok(false),
    }
}

/// The schedule with its ticks answered, and the jobs of those that make one.
fn answer(engine: &Engine, schedule: &Schedule, now: Timestamp, busy: bool) -> ScheduleWrite {
    let Advance { mut schedule, fire } = schedule.advance(now, busy);
    let misfit = if fire.is_empty() { None } else { engine.misfit(&schedule.rules.job).err() };
    let mut jobs = Vec::with_capacity(fire.len());
    for (index, tick) in fire.into_iter().enumerate() {
        if let Some(misfit) = &misfit {
            schedule.misfire(tick, now, misfit.in_words());
            continue;
        }
        let id = schedule.job_id(tick, now, index);
        let spec = schedule.job_spec(tick);
        let (input, params) = (&schedule.rules.job.input, &schedule.rules.job.params);
        jobs.push(JobInsert { id, spec, input: input.clone(), params: params.clone(), mark: None });
        schedule.fire(tick, id);
    }
    ScheduleWrite { schedule, jobs, at: now }
}
