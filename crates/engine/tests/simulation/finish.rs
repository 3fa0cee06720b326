//! The end of a seed: everything that was begun comes to its end, and the books are checked.

use std::collections::BTreeMap;

use futures::FutureExt;
use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::{JobId, State};
use jobmill_store::{AttemptQuery, Attempts, Outputs};

use super::outside::label_of;
use super::plan::QUEUES;
use super::run::Simulation;
use super::steps::signals_of;
use super::time::Micros;
use super::witness::{Seen, must};

/// Everything ends within this time when nothing disturbs it any more.
const END_MICROS: Micros = 1_500_000_000;
/// The longest that a piece of work takes.
const LONGEST_WORK_MICROS: Micros = 15_000_000;
/// Whoever sleeps looks at the clock after this time at the latest, if it was set back.
const LONGEST_SLICE_MICROS: Micros = 75_000_000;
/// A tick is answered within this time.
const TICK_MICROS: Micros = 1_000_000;
/// Time for wake-ups to be followed and answers to arrive.
const CALM_MICROS: Micros = 5_000_000;

impl Simulation {
    /// Nothing acknowledged is lost, whatever has just crashed.
    pub(super) fn check_kept(&self) {
        let ledger = self.ledger.lock();
        let mut witness = self.outside.witness.lock();
        let lost = ledger.accepted.iter().find(|id| !witness.jobs.contains_key(id));
        if let Some(id) = lost {
            witness.broken("acknowledged is kept", format!("{id} was accepted and is gone"));
        }
        let check = |id: &JobId, is: &dyn Fn(&Seen) -> bool| witness.jobs.get(id).is_none_or(is);
        let cancelled = |seen: &Seen| seen.ends.values().any(|end| *end == State::Cancelled);
        let revived = ledger.cancelled.iter().find(|id| !check(id, &cancelled));
        let closed = ledger.reopened.iter().find(|id| !check(id, &|seen| seen.run > 1));
        let mut signalled = ledger.signalled.iter();
        let unheard =
            signalled.find(|(id, number)| !check(id, &|seen| seen.last_signal >= **number));
        if let Some(id) = revived.or(closed).or(unheard.map(|(id, _)| id)).copied() {
            witness.fails("acknowledged is kept", id, format_args!("lost what was confirmed"));
        }
    }

    /// Lets everything end without disturbance, then checks the books.
    pub(super) fn finish(&mut self) {
        if self.is_broken() {
            return;
        }
        self.note("no more disturbances".to_owned());
        self.disk.lock().accept();
        self.outside.time.catch_up();
        self.outside.witness.lock().excuse();
        self.labour.calm();
        self.open_queues();
        self.calm(LONGEST_WORK_MICROS);
        self.check_idle_leases();
        self.nudge();
        self.end_schedules();
        let over = self.outside.time.now() + END_MICROS;
        while !self.is_broken() && !self.all_ended() {
            if self.outside.time.now() > over {
                return self.stuck();
            }
            self.send_signals();
            self.calm(CALM_MICROS);
        }
        self.calm(LONGEST_WORK_MICROS);
        if !self.is_broken() {
            self.check_kept();
            self.check_waiters();
            self.check_books();
            self.check_published();
        }
    }

    fn calm(&mut self, micros: Micros) {
        let over = self.outside.time.now() + micros;
        while !self.is_broken() && self.outside.time.now() < over {
            self.step();
        }
    }

    /// A machine that only waits holds no worker.
    fn check_idle_leases(&self) {
        let mut witness = self.outside.witness.lock();
        let Some(then) = witness.now().checked_sub(LONGEST_WORK_MICROS) else { return };
        let ours = |seen: &Seen| seen.lease.is_some_and(|lease| lease.instance.is_some());
        let idle = witness.jobs.iter().find(|(_, seen)| ours(seen) && seen.active_at < then);
        if let Some(id) = idle.map(|(id, _)| *id) {
            witness.fails("whoever waits holds no worker", id, format_args!("waits under a lease"));
        }
    }

    /// Lets every queue go on, without limits.
    fn open_queues(&self) {
        let Some(client) = self.client() else { return };
        for queue in QUEUES {
            let engine = client.engine.clone();
            self.present().expect("there is a client").spawn(async move {
                let queue = Name::trusted(queue);
                engine.queue_put(&queue, QueueRules::default()).await.expect("the disk is well");
                engine.queue_pause(&queue, false).await.expect("the disk is well");
            });
        }
    }

    /// Every tick that has come is answered; then schedules rest, so that there is an end.
    fn end_schedules(&mut self) {
        let over = self.outside.time.now() + LONGEST_SLICE_MICROS;
        while let Some(name) = self.late_schedule()
            && !self.is_broken()
        {
            if self.outside.time.now() > over {
                let text = format!("{name} has a tick that nobody answers");
                return self.outside.witness.lock().broken("ticks are answered", text);
            }
            self.calm(CALM_MICROS);
        }
        let awake = self.outside.witness.lock().awake();
        let Some(client) = self.client() else { return };
        for name in awake {
            let engine = client.engine.clone();
            self.present().expect("there is a client").spawn(async move {
                engine.schedule_rest(&name, true).await.expect("the disk is well");
            });
        }
    }

    /// A schedule with a tick that has been waiting for a second.
    fn late_schedule(&mut self) -> Option<Name> {
        let late = self.outside.witness.lock().overdue()?;
        self.calm(TICK_MICROS);
        self.outside.witness.lock().overdue().filter(|still| *still == late)
    }

    /// Whoever writes past the server wakes nobody; the next thing that happens does.
    fn nudge(&self) {
        let Some(client) = self.client() else { return };
        if self.ledger.lock().untold.contains(&client.life) {
            let engine = client.engine;
            self.present().expect("there is a client").spawn(async move {
                let _ = engine.retry(&[]).await;
            });
        }
    }

    fn all_ended(&self) -> bool {
        self.outside.witness.lock().jobs.values().all(|seen| seen.state.is_final())
            && self.ledger.lock().again.is_empty()
    }

    /// Sends the signals that machines wait for and that nobody has sent in this run.
    fn send_signals(&self) {
        let Some(client) = self.client() else { return };
        let witness = self.outside.witness.lock();
        for (id, seen) in &witness.jobs {
            if seen.state.is_final() || !seen.is_machine() {
                continue;
            }
            for (name, wanted) in signals_of(&seen.input.to_value().unwrap_or_default()) {
                let received = seen.received.get(&name).copied().unwrap_or(0);
                for _ in received..wanted {
                    let (client, id, name) = (client.clone(), *id, name.clone());
                    let sent = async move { client.signal(id, &name, false).await };
                    self.present().expect("there is a client").spawn(sent);
                }
            }
        }
    }

    fn stuck(&self) {
        let mut witness = self.outside.witness.lock();
        let first = witness.jobs.iter().find(|(_, seen)| !seen.state.is_final());
        let Some((id, text)) = first.map(|(id, seen)| {
            let (state, lease, received) = (seen.state, seen.lease, &seen.received);
            let journal = seen.journal.len();
            let input = seen.input.as_str();
            (*id, format!("is {state}, {lease:?}, {journal} entries, got {received:?}, {input}"))
        }) else {
            return witness.broken("nothing is stuck", "something is to be sent again");
        };
        witness.fails("nothing is stuck", id, format_args!("{text}"));
    }

    /// Everybody who waits for an end that this process has recorded has been told; but the
    /// engine does not learn which children went along with a cancelled job.
    fn check_waiters(&self) {
        let present = self.present().map_or(0, |life| life.number);
        let ledger = self.ledger.lock();
        let mut witness = self.outside.witness.lock();
        let untold = ledger.under_way.values().filter_map(|it| it.waits_for).find(|id| {
            witness.jobs.get(id).is_some_and(|seen| seen.ended_by == present && !seen.went_along)
        });
        if let Some(id) = untold {
            witness.fails(
                "waiters are told",
                id,
                format_args!("has ended and is still waited for"),
            );
        }
        let under_way = self.present().and_then(|life| life.engine()).map(|it| it.under_way());
        if under_way != Some(0) {
            witness.broken("places come back", format!("{under_way:?} are held for nothing"));
        }
    }

    /// Every run of every job has one outcome; what was done fits what was recorded.
    fn check_books(&self) {
        let mut witness = self.outside.witness.lock();
        let mut allowed: BTreeMap<String, usize> = BTreeMap::new();
        let mut wrong = None;
        for (id, seen) in &witness.jobs {
            let runs: Vec<u32> = seen.ends.keys().copied().collect();
            if runs != (1..=seen.run).collect::<Vec<_>>() {
                wrong = Some((*id, format!("is in run {} and has {:?}", seen.run, seen.ends)));
            }
            let label = label_of(&seen.input.to_value().unwrap_or_default());
            *allowed.entry(label).or_default() += seen.leases;
        }
        if let Some((id, text)) = wrong {
            witness.fails("one outcome a run", id, format_args!("{text}"));
        }
        for (label, leases) in allowed {
            let calls = witness.deeds.calls(&label);
            if calls > leases {
                let text = format!("{label} was called {calls} times under {leases} leases");
                witness.broken("work is done under a lease", text);
            }
        }
    }

    /// The store shows what was recorded: results and failed attempts.
    fn check_published(&self) {
        let mut witness = self.outside.witness.lock();
        let Some(store) = self.disk.lock().readable() else { return };
        let ids: Vec<_> = witness.jobs.keys().copied().collect();
        for id in ids {
            let seen = &witness.jobs[&id];
            let query =
                AttemptQuery { id, code: None, since: None, until: None, skip: 0, limit: 1_000 };
            let failed = store.attempt_list(&query).now_or_never();
            let failed = failed.and_then(Result::ok).map(|it| it.len());
            let extent = store.output_extent(id).now_or_never().and_then(Result::ok).flatten();
            let chunks = store.output_read(id, 0, usize::MAX).now_or_never().and_then(Result::ok);
            let stored = extent.map(|extent| {
                jobmill_flow::output::join(extent.shape, &chunks.unwrap_or_default())
            });
            let (model_failed, model_result) = (seen.failed, seen.result.clone());
            let (shown, recorded) = ((stored, failed), (model_result, Some(model_failed)));
            must!(
                witness,
                shown == recorded,
                "the store shows what was recorded",
                id,
                "shows {shown:?} (result, failed attempts); recorded was {recorded:?}"
            );
        }
    }
}
