//! What the outside does to the server: the workload, decided by the seed beforehand.

use std::collections::VecDeque;

use jobmill_model::job::{Backoff, NewJob, Spec, Start, Unique};
use jobmill_model::queue::{Name, Priority, QueueRules};
use jobmill_model::rate::Rate;
use jobmill_model::schedule::{ClockChange, Missed, Overlap, Rules, Template, Timetable, Zone};
use jobmill_model::{Span, Value};

use super::dice::Dice;
use super::labour::LENT;
use super::outside::WORK;
use super::steps::STEPS;
use super::time::Micros;

/// The queues of the jobs.
pub(crate) const QUEUES: [&str; 2] = ["default", "other"];
/// Whose work it is, and what jobs are the only ones of.
const NAMES: [&str; 2] = ["ann", "bob"];
/// The schedules.
const SCHEDULES: [&str; 2] = ["tick", "tock"];
/// The names of signals.
pub(crate) const SIGNALS: [&str; 2] = ["go", "on"];

/// One thing that the outside does. A `pick` chooses among the jobs that were accepted by then.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Sends a submission, for the first time or again.
    Submit(usize),
    /// Sends another body under the key of an earlier submission.
    SubmitOther(usize),
    Cancel {
        pick: u64,
        stranger: bool,
    },
    Retry {
        pick: u64,
        stranger: bool,
    },
    Signal {
        pick: u64,
        name: &'static str,
        stranger: bool,
    },
    /// Waits for a job's end.
    Wait {
        pick: u64,
        span: Span,
    },
    /// Sets the rules of a queue.
    Rules(&'static str, QueueRules),
    Pause(&'static str, bool),
    /// Makes a schedule, or gives one other rules.
    Schedule(&'static str, Box<Rules>),
    /// Lays a schedule to rest, or wakes it.
    Rest(&'static str, bool),
    /// Wakes the server for nothing.
    Poke,
}

/// Jobs that are sent together.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) jobs: Vec<NewJob>,
    pub(crate) key: Option<String>,
    /// Whether the jobs are children of an earlier one.
    pub(crate) below: Option<u64>,
}

pub(crate) struct Plan {
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) actions: VecDeque<(Micros, Action)>,
    dice: Dice,
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "plan");
        let parcels: Vec<_> = (0..dice.within(24, 34)).map(|it| parcel(&mut dice, it)).collect();
        let with_strangers = dice.percent(40);
        let mut sent = 0;
        let mut actions = VecDeque::new();
        while sent < parcels.len() {
            let action = if dice.percent(30) {
                sent += 1;
                Action::Submit(sent - 1)
            } else {
                other(&mut dice, sent, with_strangers)
            };
            let gap = match dice.within(0, 9) {
                0..=4 => dice.within(0, 3_000),
                5..=8 => dice.within(0, 150_000),
                _ => dice.within(0, 2_000_000),
            };
            actions.push_back((gap, action));
        }
        Self { parcels, actions, dice }
    }

    /// Adds a little, for a seed in which nearly nothing has happened.
    pub(crate) fn go_on(&mut self) {
        let action = other(&mut self.dice, self.parcels.len(), false);
        self.actions.push_back((5_000, action));
    }
}

fn other(dice: &mut Dice, sent: usize, with_strangers: bool) -> Action {
    let pick = dice.next();
    let stranger = with_strangers && dice.percent(30);
    match dice.within(0, 99) {
        0..=14 if sent > 0 => Action::Submit((pick % sent as u64) as usize),
        15..=19 if sent > 0 => Action::SubmitOther((pick % sent as u64) as usize),
        20..=34 => Action::Cancel { pick, stranger },
        35..=54 => Action::Retry { pick, stranger },
        55..=79 => {
            let name = SIGNALS[(dice.next() % 2) as usize];
            Action::Signal { pick, name, stranger }
        }
        80..=89 => {
            let long = dice.percent(50);
            let span = if long {
                Span::from_secs(86_400)
            } else {
                Span::from_millis(dice.within(0, 5_000))
            };
            Action::Wait { pick, span }
        }
        90..=91 => Action::Rules(one_of(dice, QUEUES), rules(dice)),
        92..=94 => Action::Pause(one_of(dice, QUEUES), dice.percent(40)),
        95..=97 => Action::Schedule(one_of(dice, SCHEDULES), Box::new(schedule(dice))),
        98 => Action::Rest(one_of(dice, SCHEDULES), dice.percent(40)),
        _ => Action::Poke,
    }
}

fn one_of(dice: &mut Dice, among: [&'static str; 2]) -> &'static str {
    among[(dice.next() % 2) as usize]
}

fn rules(dice: &mut Dice) -> QueueRules {
    QueueRules {
        concurrency: dice.percent(60).then(|| dice.within(1, 3) as u32),
        rate: dice.percent(30).then_some(Rate { count: 4, per: Span::from_millis(500) }),
        key_limit: dice.within(1, 2) as u32,
    }
}

/// A schedule that ticks every few seconds.
fn schedule(dice: &mut Dice) -> Rules {
    let every = [2, 3, 5, 20][(dice.next() % 4) as usize];
    let cron = format!("*/{every} * * * * *").parse().expect("it is well formed");
    let flow = if dice.percent(70) { WORK } else { LENT };
    let input = Value::map([("job", Value::from("tick")), ("every", every.into())]);
    let word = |dice: &mut Dice| dice.within(0, 2);
    Rules {
        timetable: Timetable { cron, zone: Zone::utc(), clock_change: ClockChange::Fire },
        missed: [Missed::Skip, Missed::Once, Missed::All][word(dice) as usize],
        missed_limit: 6,
        overlap: [Overlap::Allow, Overlap::Skip, Overlap::Queue][word(dice) as usize],
        job: Template {
            spec: Spec::new(Name::trusted(flow)),
            input: input.to_json(),
            params: Value::map::<&str>([]).to_json(),
        },
    }
}

fn parcel(dice: &mut Dice, number: u64) -> Parcel {
    let count = if dice.percent(75) { 1 } else { dice.within(2, 5) };
    let mut jobs: Vec<_> = (0..count).map(|place| job(dice, number, place)).collect();
    let batch = count > 1 && dice.percent(40);
    jobs[0].spec.gathers = batch;
    jobs.iter_mut().filter(|_| batch).for_each(|job| job.spec.unique = None);
    let key = dice.percent(60).then(|| format!("key-{number}"));
    let below = (!batch && dice.percent(20)).then(|| dice.next());
    Parcel { jobs, key, below }
}

fn job(dice: &mut Dice, number: u64, place: u64) -> NewJob {
    let label = Value::from(format!("{number}.{place}"));
    let kind = dice.within(0, 99);
    let (flow, input) = if kind < 25 {
        (LENT, Value::map([("job", label), ("steps", (dice.within(0, 3) as i64).into())]))
    } else if kind < 65 {
        let branches = (0..dice.within(1, 3)).map(|_| branch(dice));
        let steps = Value::list(branches.collect::<Vec<_>>());
        (STEPS, Value::map([("job", label), ("steps", steps)]))
    } else {
        (WORK, Value::map([("job", label)]))
    };
    let start = match dice.within(0, 9) {
        0..=6 => Start::Now,
        _ => Start::After(Span::from_millis(dice.within(0, 3_000))),
    };
    let backoff = Backoff {
        initial: Span::from_millis(dice.within(1, 1_500)),
        max: Span::from_secs(3),
        ..Backoff::default()
    };
    let spec = Spec {
        start,
        backoff,
        queue: Name::trusted(if dice.percent(70) { QUEUES[0] } else { QUEUES[1] }),
        key: dice.percent(35).then(|| Name::trusted(one_of(dice, NAMES))),
        unique: dice.percent(15).then(|| {
            let key = Some(Name::trusted(one_of(dice, NAMES)));
            Unique { key, span: None }
        }),
        priority: Priority::new(dice.within(0, 4) as i64 - 2).unwrap_or_default(),
        max_attempts: dice.within(1, 4) as u32,
        timeout: dice.percent(12).then(|| Span::from_millis(dice.within(1, 4_000))),
        ..Spec::new(Name::trusted(flow))
    };
    NewJob { spec, input, params: Value::map::<&str>([]) }
}

fn branch(dice: &mut Dice) -> Value {
    let steps = (0..dice.within(1, 5)).map(|_| Value::from(step(dice)));
    Value::list(steps.collect::<Vec<_>>())
}

fn step(dice: &mut Dice) -> String {
    let name = SIGNALS[(dice.next() % 2) as usize];
    match dice.within(0, 99) {
        0..=44 => "call".to_owned(),
        45..=51 => "must".to_owned(),
        52..=59 => "log".to_owned(),
        60..=71 => format!("sleep:{}", dice.within(0, 1_500)),
        72..=82 => format!("signal:{name}"),
        83..=90 => format!("wait:{name}:{}", dice.within(0, 1_500)),
        91..=98 => "pause".to_owned(),
        _ => "panic".to_owned(),
    }
}
