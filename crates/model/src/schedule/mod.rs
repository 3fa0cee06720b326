//! The schedule: a job that is submitted at every tick of a timetable.
//!
//! A schedule changes only by the functions here, each of which answers it as it will stand, one
//! revision higher. The store takes the change together with the jobs that it makes, and only if
//! nobody was faster; so every tick is answered once.

mod cron;
mod timetable;
mod zone;

pub use cron::{Cron, CronError};
pub use timetable::{ClockChange, Timetable};
pub use zone::{Zone, ZoneError};

use crate::id::JobId;
use crate::job::{Fingerprint, Spec, Start};
use crate::limits::{TICK_LATE_MILLIS, TICKS_QUEUED};
use crate::queue::Name;
use crate::time::{Span, Timestamp};
use crate::value::Json;

/// A rule that has a few values, each with a name.
pub trait Word: Copy + PartialEq + 'static {
    /// Every value with its name.
    const WORDS: &'static [(&'static str, Self)];

    /// The name of the value.
    #[must_use]
    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, value)| *value == self);
        found.map_or("", |(word, _)| word)
    }

    /// The value of this name.
    #[must_use]
    fn of_word(text: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
    }
}

/// What becomes of ticks that came while nobody was there to answer them.
///
/// A tick is missed if another has come since, or if it is found more than a minute late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missed {
    /// Nothing.
    Skip,
    /// The last one makes a job.
    #[default]
    Once,
    /// Each makes a job, but no more than a number of them: the latest.
    All,
}

impl Word for Missed {
    const WORDS: &'static [(&'static str, Self)] =
        &[("skip", Self::Skip), ("once", Self::Once), ("all", Self::All)];
}

/// What becomes of a tick while the schedule's job before is unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overlap {
    /// It makes a job as always.
    #[default]
    Allow,
    /// It makes none.
    Skip,
    /// It makes a job when the one before has ended.
    Queue,
}

impl Word for Overlap {
    const WORDS: &'static [(&'static str, Self)] =
        &[("allow", Self::Allow), ("skip", Self::Skip), ("queue", Self::Queue)];
}

/// Why a tick made no job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It was missed.
    Missed,
    /// The job before was unfinished.
    Overlap,
    /// Too many ticks were waiting for the job before.
    QueueFull,
}

impl Word for Reason {
    const WORDS: &'static [(&'static str, Self)] =
        &[("missed", Self::Missed), ("overlap", Self::Overlap), ("queue_full", Self::QueueFull)];
}

/// A tick that made a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fired {
    /// The tick.
    pub tick: Timestamp,
    /// The job.
    pub job: JobId,
}

/// A tick that made no job, as a rule of the schedule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// The tick.
    pub tick: Timestamp,
    /// Which rule.
    pub reason: Reason,
}

/// A tick that made no job because its job cannot be submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfire {
    /// The tick.
    pub tick: Timestamp,
    /// When it was found.
    pub at: Timestamp,
    /// What is wrong with the job.
    pub message: String,
}

/// The job that a schedule submits.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its options; it starts at once.
    pub spec: Spec,
    /// What the flow works on.
    pub input: Json,
    /// How the flow works.
    pub params: Json,
}

/// What a schedule is asked to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// When it ticks.
    pub timetable: Timetable,
    /// What becomes of missed ticks.
    pub missed: Missed,
    /// How many missed ticks are made up for under [`Missed::All`].
    pub missed_limit: u32,
    /// What becomes of ticks while the job before is unfinished.
    pub overlap: Overlap,
    /// The job.
    pub job: Template,
}

/// A schedule as it stands in the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Its name.
    pub name: Name,
    /// What it was asked to be.
    pub rules: Rules,
    /// Whether it rests: its ticks do not count.
    pub paused: bool,
    /// Grows by one with every change, from 1.
    pub revision: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last told something else, by hand.
    pub changed_at: Timestamp,
    /// The first tick that is not answered yet; none while it rests.
    pub next_at: Option<Timestamp>,
    /// Ticks that wait for the job before to end, in order.
    pub queued: Vec<Timestamp>,
    /// The last tick that made a job.
    pub last: Option<Fired>,
    /// The last tick that made none by a rule.
    pub skipped: Option<Skipped>,
    /// The last tick that made none by mistake, if none has made one since.
    pub misfire: Option<Misfire>,
}

/// What a look at a schedule comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Advance {
    /// The schedule once its ticks are answered, but for what came of `fire`.
    pub schedule: Schedule,
    /// The ticks that make a job now, in order.
    pub fire: Vec<Timestamp>,
}

impl Schedule {
    /// A new schedule.
    #[must_use]
    pub fn new(name: Name, rules: Rules, paused: bool, now: Timestamp) -> Self {
        let next_at = if paused { None } else { rules.timetable.next_after(now) };
        Self {
            name,
            rules,
            paused,
            revision: 1,
            created_at: now,
            changed_at: now,
            next_at,
            queued: Vec::new(),
            last: None,
            skipped: None,
            misfire: None,
        }
    }

    /// With other rules. Where the timetable stays, no tick is lost or repeated; another one
    /// begins now.
    #[must_use]
    pub fn replaced(&self, rules: Rules, paused: bool, now: Timestamp) -> Self {
        let stays = rules.timetable == self.rules.timetable && paused == self.paused;
        let mut after = self.changed(now);
        if rules.overlap != Overlap::Queue {
            after.queued.clear();
        }
        after.misfire = None;
        after.rules = rules;
        after.paused = paused;
        if !stays {
            after.next_at = after.next_from(now);
        }
        after
    }

    /// At rest: ticks do not count, those that wait go on waiting.
    #[must_use]
    pub fn paused(&self, now: Timestamp) -> Self {
        Self { paused: true, next_at: None, ..self.changed(now) }
    }

    /// Awake again: ticks count from now on.
    #[must_use]
    pub fn resumed(&self, now: Timestamp) -> Self {
        let mut after = Self { paused: false, ..self.changed(now) };
        if self.paused {
            after.next_at = after.next_from(now);
        }
        after
    }

    /// Answers the ticks that have come; `busy` tells whether its last job is unfinished.
    #[must_use]
    pub fn advance(&self, now: Timestamp, busy: bool) -> Advance {
        let mut after = Self { revision: self.revision + 1, ..self.clone() };
        let mut fire = Vec::new();
        if self.paused {
            return Advance { schedule: after, fire };
        }
        let mut due = Vec::new();
        if let Some(next) = self.next_at.filter(|next| *next <= now) {
            due = after.not_missed(next, now);
            after.next_at = after.rules.timetable.next_after(now);
        }
        match self.rules.overlap {
            Overlap::Allow => fire = due,
            Overlap::Skip => {
                let taken = usize::from(!busy).min(due.len());
                after.skip(due[taken..].last(), Reason::Overlap);
                fire.extend(due.first().filter(|_| taken > 0));
            }
            Overlap::Queue => {
                after.queued.extend(due);
                if !busy && !after.queued.is_empty() {
                    fire.push(after.queued.remove(0));
                }
                let turned_away = after.queued.split_off(after.queued.len().min(TICKS_QUEUED));
                after.skip(turned_away.last(), Reason::QueueFull);
            }
        }
        Advance { schedule: after, fire }
    }

    /// Takes note of a job that a tick has made.
    pub fn fire(&mut self, tick: Timestamp, job: JobId) {
        self.last = Some(Fired { tick, job });
        self.misfire = None;
    }

    /// Takes note of a tick whose job cannot be submitted.
    pub fn misfire(&mut self, tick: Timestamp, at: Timestamp, message: String) {
        self.misfire = Some(Misfire { tick, at, message });
    }

    /// The next ticks, as far as is known now.
    #[must_use]
    pub fn upcoming(&self, count: usize) -> Vec<Timestamp> {
        let timetable = &self.rules.timetable;
        let ticks = std::iter::successors(self.next_at, |tick| timetable.next_after(*tick));
        ticks.take(count).collect()
    }

    /// The job of a tick that is made at `now`, the `index`-th of its kind.
    ///
    /// Its id derives from the schedule and the tick; within a millisecond ids sort by index.
    #[must_use]
    pub fn job_id(&self, tick: Timestamp, now: Timestamp, index: usize) -> JobId {
        let text = format!("{} {} {}", self.name, self.created_at, tick);
        let Fingerprint(hash) = Fingerprint::of(text.as_bytes());
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&hash[..10]);
        let [.., high, low] = index.to_be_bytes();
        bytes[..2].copy_from_slice(&[high, low]);
        JobId::from_parts(now, bytes)
    }

    /// The options of the job of a tick, with tags to find it by.
    #[must_use]
    pub fn job_spec(&self, tick: Timestamp) -> Spec {
        let mut spec = Spec { start: Start::Now, ..self.rules.job.spec.clone() };
        spec.tags.push(Name::trusted(format!("schedule:{}", self.name)));
        spec.tags.push(Name::trusted(format!("tick:{tick}")));
        spec
    }

    fn changed(&self, now: Timestamp) -> Self {
        Self { revision: self.revision + 1, changed_at: now, ..self.clone() }
    }

    /// The next tick after now, and after those that were answered: the clock may have been set
    /// back since.
    fn next_from(&self, now: Timestamp) -> Option<Timestamp> {
        if self.paused {
            return None;
        }
        let fired = self.last.map(|last| last.tick);
        let skipped = self.skipped.map(|skipped| skipped.tick);
        let answered = [fired, skipped, self.queued.last().copied()].into_iter().flatten().max();
        self.rules.timetable.next_after(answered.map_or(now, |answered| answered.max(now)))
    }

    /// Those of the ticks from `first` to now that count, as the rule of missed ticks says.
    fn not_missed(&mut self, first: Timestamp, now: Timestamp) -> Vec<Timestamp> {
        let most = match self.rules.missed {
            Missed::Skip | Missed::Once => 1,
            Missed::All => self.rules.missed_limit.max(1) as usize,
        };
        let mut ticks = self.rules.timetable.last_between(first, now, most + 1);
        let mut counted = ticks.split_off(ticks.len().saturating_sub(most));
        let late = |tick: &Timestamp| now.since(*tick) > Span::from_millis(TICK_LATE_MILLIS);
        if self.rules.missed == Missed::Skip && counted.last().is_some_and(late) {
            ticks = std::mem::take(&mut counted);
        }
        self.skip(ticks.last(), Reason::Missed);
        counted
    }

    fn skip(&mut self, tick: Option<&Timestamp>, reason: Reason) {
        if let Some(tick) = tick {
            self.skipped = Some(Skipped { tick: *tick, reason });
        }
    }
}

#[cfg(test)]
mod tests;
