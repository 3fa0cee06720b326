//! Follows what happens to jobs: the latest state of everything that is asked for.
//!
//! The store keeps its last changes in the order of their commits. A watch reads on from its
//! place among them and shows each changed job as it stands then, so that many changes of one
//! job in a moment are one event. A watch holds no more than one such reading. One that cannot
//! go on from its place, because it was too slow or comes from before a restart, reads whatever
//! may have changed since, and then goes on.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jobmill_model::{InstanceId, Job, JobId, Span, State, Timestamp};
use jobmill_store::{Change, Feed, JobQuery, StoreError};

use crate::engine::{Engine, Shared};

/// The most changes that are read at once.
const READING: usize = 256;
/// Jobs of one page when everything is read again.
const PAGE: usize = 100;
/// Between two readings, so that a burst of changes of one job becomes one event.
const RHYTHM: Span = Span::from_millis(20);
/// Whoever hears nothing for so long is told that there is nothing to hear.
const HEARTBEAT: Span = Span::from_secs(15);
/// What was recorded so long before a watch's place is known to it, however long its commit took
/// and however the clock was set meanwhile.
const MARGIN: Span = Span::from_secs(600);

/// A place among the changes of one life of a server, and when it was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    instance: InstanceId,
    number: u64,
    at: Timestamp,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.instance, self.number, self.at.as_millis())
    }
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('.');
        let mut part = || parts.next().unwrap_or_default();
        let read = (part().parse(), part().parse(), part().parse::<i64>(), parts.next());
        match read {
            (Ok(instance), Ok(number), Ok(millis), None) => {
                Ok(Self { instance, number, at: Timestamp::from_millis(millis) })
            }
            _ => Err("not the id of an event: send the last `id` that was received".to_owned()),
        }
    }
}

/// Which jobs are followed.
#[derive(Debug, Clone, PartialEq)]
pub enum Scope {
    /// One, until it has ended.
    Job(JobId),
    /// All that match; times and pages are not looked at.
    Matching(JobQuery),
}

/// What a watch has to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// It has begun; whatever happens from here on is told.
    Open(Position),
    /// A job as it stands, after a change of its state or, if not, of its progress.
    Job {
        /// The job.
        job: Box<Job>,
        /// Whether only its progress has changed.
        progress: bool,
        /// The place after it; not known while everything is read again.
        position: Option<Position>,
    },
    /// A job is gone.
    Deleted(JobId, Position),
    /// Some changes were missed; whatever may have changed follows.
    Resync,
    /// That was all of it.
    Synced(Position),
    /// Nothing has happened for a while.
    Quiet,
    /// There is nothing more to tell.
    End(Ending),
}

/// Why there is nothing more to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The job has ended.
    Ended(State),
    /// The job is gone.
    Deleted,
    /// The server is shutting down.
    Closing,
    /// The store cannot be read.
    Failed,
}

enum Mode {
    /// Shows the one job as it stands.
    Show,
    /// Reads everything that may have changed since, from this job down.
    Sync {
        since: Timestamp,
        before: Option<JobId>,
        then: u64,
    },
    /// Waits for the change after this one.
    Follow(u64),
    Over,
}

/// Follows some jobs.
pub struct Watch {
    shared: Arc<Shared>,
    feed: Arc<Feed>,
    scope: Scope,
    mode: Mode,
    /// What to tell first.
    first: Option<Told>,
    /// When the place was reached from which it goes on.
    at: Timestamp,
}

impl Engine {
    /// Begins to follow jobs, from a place if there is one. Nothing if the one job is not there.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn watch(
        &self,
        scope: Scope,
        from: Option<Position>,
    ) -> Result<Option<Watch>, StoreError> {
        if let Scope::Job(id) = scope
            && self.job(id).await?.is_none()
        {
            return Ok(None);
        }
        let (shared, feed) = (self.shared.clone(), self.shared.feed.clone());
        let (at, newest) = (self.now(), feed.newest());
        let here = Position { instance: shared.instance, number: newest, at };
        let known = |from: &Position| {
            from.instance == shared.instance && feed.after(from.number, 0).is_some()
        };
        let (mode, first, at) = match (&scope, from) {
            (Scope::Job(_), _) => (Mode::Show, None, at),
            (_, None) => (Mode::Follow(newest), Some(Told::Open(here)), at),
            (_, Some(from)) if known(&from) => {
                (Mode::Follow(from.number), Some(Told::Open(from)), from.at)
            }
            (_, Some(from)) => (resync(from.at, newest), Some(Told::Resync), at),
        };
        Ok(Some(Watch { shared, feed, scope, mode, first, at }))
    }
}

fn resync(at: Timestamp, newest: u64) -> Mode {
    let since = Timestamp::from_millis(at.as_millis() - MARGIN.as_millis() as i64);
    Mode::Sync { since, before: None, then: newest }
}

impl Watch {
    /// Waits for something to tell; nothing after the end.
    pub async fn next(&mut self) -> Vec<Told> {
        if let Some(first) = self.first.take() {
            return vec![first];
        }
        loop {
            let told = match self.mode {
                Mode::Over => return Vec::new(),
                Mode::Show => self.show().await,
                Mode::Sync { since, before, then } => self.sync(since, before, then).await,
                Mode::Follow(number) => self.follow(number).await,
            };
            match told {
                // A page on which nothing matched; others want their turn.
                Ok(told) if told.is_empty() => tokio::task::yield_now().await,
                Ok(told) => return told,
                Err(error) => {
                    self.shared.observer.store_failed("job_get", &error);
                    return self.end(Ending::Failed);
                }
            }
        }
    }

    fn end(&mut self, ending: Ending) -> Vec<Told> {
        self.mode = Mode::Over;
        vec![Told::End(ending)]
    }

    fn position(&self, number: u64) -> Position {
        Position { instance: self.shared.instance, number, at: self.at }
    }

    async fn show(&mut self) -> Result<Vec<Told>, StoreError> {
        let Scope::Job(id) = self.scope else { return Ok(self.end(Ending::Failed)) };
        self.at = self.shared.clock.now();
        // Read before the job, so that no change falls between.
        let number = self.feed.newest();
        let job = self.shared.store.job_get(&[id]).await?.pop().flatten();
        let Some(job) = job else { return Ok(self.end(Ending::Deleted)) };
        self.mode = Mode::Follow(number);
        let mut told = Vec::new();
        self.tell(&mut told, job, false, Some(number));
        Ok(told)
    }

    /// Adds a job to what is told, and the end if it was waited for.
    fn tell(&mut self, told: &mut Vec<Told>, job: Job, progress: bool, number: Option<u64>) {
        let position = number.map(|number| self.position(number));
        let over = matches!(self.scope, Scope::Job(_)) && job.state.is_final();
        let state = job.state;
        told.push(Told::Job { job: Box::new(job), progress, position });
        if over {
            told.extend(self.end(Ending::Ended(state)));
        }
    }

    async fn sync(
        &mut self,
        since: Timestamp,
        before: Option<JobId>,
        then: u64,
    ) -> Result<Vec<Told>, StoreError> {
        if self.shared.is_draining() {
            return Ok(self.end(Ending::Closing));
        }
        let Scope::Matching(query) = &self.scope else { return Ok(self.end(Ending::Failed)) };
        let query = JobQuery { active_since: Some(since), before, limit: PAGE, ..query.clone() };
        let page = self.shared.store.job_list(&query).await?;
        let mut told = Vec::new();
        for job in page.jobs {
            self.tell(&mut told, job, false, None);
        }
        match page.next {
            Some(next) => self.mode = Mode::Sync { since, before: Some(next), then },
            None => {
                self.mode = Mode::Follow(then);
                told.push(Told::Synced(self.position(then)));
            }
        }
        Ok(told)
    }

    async fn follow(&mut self, mut number: u64) -> Result<Vec<Told>, StoreError> {
        let quiet_at = self.shared.clock.now().after(HEARTBEAT);
        loop {
            self.shared.clock.pause(RHYTHM).await;
            let at = self.shared.clock.now();
            let shared = self.shared.clone();
            let mut changed = Box::pin(shared.changed.notified());
            changed.as_mut().enable();
            let Some((changes, last)) = self.feed.after(number, READING) else {
                return Ok(self.fall_behind());
            };
            self.mode = Mode::Follow(last);
            if changes.is_empty() {
                if self.shared.is_draining() {
                    return Ok(self.end(Ending::Closing));
                }
                let mut draining = self.shared.draining.subscribe();
                tokio::select! {
                    biased;
                    () = changed => continue,
                    _ = draining.changed() => continue,
                    () = self.shared.clock.sleep_until(quiet_at) => return Ok(vec![Told::Quiet]),
                }
            }
            self.at = at;
            let told = self.look_at(&changes, number).await?;
            if !told.is_empty() {
                return Ok(told);
            }
            number = last;
        }
    }

    /// One job is shown as it stands; of many, all that may have changed is read again.
    fn fall_behind(&mut self) -> Vec<Told> {
        self.mode = match self.scope {
            Scope::Job(_) => Mode::Show,
            Scope::Matching(_) => resync(self.at, self.feed.newest()),
        };
        vec![Told::Resync]
    }

    /// The changed jobs that are followed, as they stand now, in the order of their last change.
    async fn look_at(
        &mut self,
        changes: &[(JobId, Change)],
        before: u64,
    ) -> Result<Vec<Told>, StoreError> {
        let latest = latest(changes, before, &self.scope);
        let ids: Vec<JobId> = latest.iter().map(|(_, id, _)| *id).collect();
        let jobs = self.shared.store.job_get(&ids).await?;
        let mut told = Vec::new();
        for ((number, id, progress), job) in latest.into_iter().zip(jobs) {
            match job {
                Some(job) if self.is_followed(&job) => {
                    self.tell(&mut told, job, progress, Some(number));
                }
                Some(_) => {}
                None if matches!(self.scope, Scope::Job(_)) => {
                    told.extend(self.end(Ending::Deleted));
                }
                None => told.push(Told::Deleted(id, self.position(number))),
            }
        }
        Ok(told)
    }

    fn is_followed(&self, job: &Job) -> bool {
        match &self.scope {
            Scope::Job(id) => job.id == *id,
            Scope::Matching(query) => {
                let JobQuery { states, flow, queue, tag, .. } = query;
                (states.is_empty() || states.contains(&job.state))
                    && flow.as_ref().is_none_or(|flow| *flow == job.spec.flow)
                    && queue.as_ref().is_none_or(|queue| *queue == job.spec.queue)
                    && tag.as_ref().is_none_or(|tag| job.spec.tags.contains(tag))
            }
        }
    }
}

/// Of each job the last change: its number, the job, and whether only progress was made.
fn latest(changes: &[(JobId, Change)], before: u64, scope: &Scope) -> Vec<(u64, JobId, bool)> {
    let mut last: BTreeMap<JobId, (u64, bool)> = BTreeMap::new();
    for ((id, change), number) in changes.iter().zip(before + 1..) {
        if matches!(scope, Scope::Job(wanted) if wanted != id) {
            continue;
        }
        let progress = *change == Change::Progress;
        let entry = last.entry(*id).or_insert((number, true));
        *entry = (number, entry.1 && progress);
    }
    let mut latest: Vec<_> =
        last.into_iter().map(|(id, (number, progress))| (number, id, progress)).collect();
    latest.sort_unstable();
    latest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> JobId {
        JobId::from_parts(Timestamp::EPOCH, [number; 10])
    }

    #[test]
    fn many_changes_of_one_job_are_one_event_at_the_place_of_the_last() {
        let changes = [
            (id(1), Change::State(State::Submitted)),
            (id(2), Change::Progress),
            (id(1), Change::Progress),
            (id(2), Change::Progress),
        ];
        let all = Scope::Matching(JobQuery::default());
        assert_eq!(latest(&changes, 10, &all), [(13, id(1), false), (14, id(2), true)]);
        assert_eq!(latest(&changes, 0, &Scope::Job(id(2))), [(4, id(2), true)]);
    }

    #[test]
    fn a_position_reads_back_from_its_text() {
        let instance = InstanceId::from_parts(Timestamp::EPOCH, [7; 10]);
        let position = Position { instance, number: 42, at: Timestamp::from_millis(1_000) };
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in ["", "7", "x.1.2", &format!("{position}.1"), &position.to_string()[..38]] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
