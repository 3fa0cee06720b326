//! Workers outside: they lease jobs of whichever server is up, over all its lives; they are lost,
//! fall silent past their lease, and come back with a token that holds no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jobmill_engine::Engine;
use jobmill_engine::outside::{Ending, Lost, Want};
use jobmill_model::queue::Name;
use jobmill_model::{Declaration, Fault, JobId, Json, Span, State, Token, Value};
use jobmill_store::{EffectPut, Lent};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::dice::Dice;
use super::life::Thread;
use super::outside::{Outside, label_of};
use super::plan::QUEUES;
use super::time::Micros;

/// The name of the flow that workers outside perform.
pub(crate) const LENT: &str = "lent";
/// How many workers there are.
const WORKERS: u64 = 2;
/// How long a worker waits for an answer.
const PATIENCE: Micros = 3_000_000;
/// How often a worker asks again that got no answer.
const TRIES: usize = 8;

/// The flow as it was declared before anything began.
pub(crate) fn declaration() -> Declaration {
    let lease = Span::from_millis(1_500);
    Declaration { lease, ..Declaration::new(Name::trusted(LENT)) }
}

/// The name of a step.
pub(crate) fn step_name(step: i64) -> Name {
    Name::trusted(format!("step-{step}"))
}

/// How many steps a job has.
fn steps_in(input: &Value) -> i64 {
    let steps = input.as_map().and_then(|map| map.get("steps")?.as_int());
    steps.unwrap_or_default()
}

/// The server that is up.
#[derive(Clone)]
struct Contact {
    engine: Engine,
    runtime: Handle,
}

/// All workers outside, on a thread that no crash of a server touches.
pub(crate) struct Labour {
    line: Arc<Line>,
    thread: Thread,
}

/// The way to the server.
#[derive(Default)]
struct Line {
    contact: Mutex<Option<Contact>>,
    /// Whether somebody has asked something that the server has not looked at yet.
    asked: AtomicBool,
    /// Whether nobody is lost or falls silent any more.
    is_calm: AtomicBool,
}

impl Labour {
    pub(crate) fn start(outside: &Arc<Outside>) -> Self {
        let (line, thread) = (Arc::<Line>::default(), Thread::new());
        for number in 0..WORKERS {
            let dice = Dice::new(outside.seed ^ (number << 40), "labour");
            let (line, outside) = (line.clone(), outside.clone());
            let name = Name::trusted(format!("worker-{number}"));
            thread.spawn(Worker { name, line, outside, dice }.work());
        }
        Self { line, thread }
    }

    /// Tells where the server is, if one is up.
    pub(crate) fn reach(&self, contact: Option<(Engine, Handle)>) {
        *self.line.contact.lock() = contact.map(|(engine, runtime)| Contact { engine, runtime });
    }

    pub(crate) fn calm(&self) {
        self.line.is_calm.store(true, Ordering::Relaxed);
    }

    /// Lets the workers do what there is to do; answers whether they have asked something.
    pub(crate) fn run(&self) -> bool {
        self.line.asked.store(false, Ordering::Relaxed);
        self.thread.run();
        self.line.asked.load(Ordering::Relaxed)
    }
}

struct Worker {
    name: Name,
    line: Arc<Line>,
    outside: Arc<Outside>,
    dice: Dice,
}

impl Worker {
    async fn work(mut self) {
        loop {
            let jobs = self.lease().await.unwrap_or_default();
            if jobs.is_empty() {
                self.rest(300_000).await;
            }
            for lent in jobs {
                self.perform(lent).await;
            }
        }
    }

    /// Asks the server that is up; nothing comes back if there is none, if it dies meanwhile, or
    /// if it takes too long.
    async fn ask<T, F>(&self, ask: impl FnOnce(Engine, oneshot::Sender<T>) -> F) -> Option<T>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Contact { engine, runtime } = self.line.contact.lock().clone()?;
        let (reply, answer) = oneshot::channel();
        runtime.spawn(ask(engine, reply));
        self.line.asked.store(true, Ordering::Relaxed);
        tokio::select! {
            biased;
            answer = answer => answer.ok(),
            () = self.outside.time.sleep(PATIENCE) => None,
        }
    }

    async fn rest(&mut self, most: Micros) {
        let wait = self.dice.within(1_000, most);
        self.outside.time.sleep(wait).await;
    }

    fn note(&self, text: impl FnOnce() -> String) {
        self.outside.witness.lock().event(|_| format!("{}: {}", self.name, text()));
    }

    /// Calls for work; now and then it does not hear what it was given.
    async fn lease(&mut self) -> Option<Vec<Lent>> {
        let dice = &mut self.dice;
        let want = Want {
            worker: self.name.clone(),
            queue: Name::trusted(QUEUES[(dice.next() % 2) as usize]),
            flows: vec![Name::trusted(LENT)],
            max: dice.within(1, 2) as usize,
            lease: dice.percent(30).then(|| Span::from_millis(dice.within(1_000, 2_500))),
            wait: Span::from_millis(dice.within(0, 1_500)),
        };
        let is_deaf = self.fails(4);
        let leased = self.ask(|engine, reply| async move {
            let Ok(hand) = engine.lease(want).await else { return };
            if reply.send(hand.jobs().to_vec()).is_ok() {
                hand.keep();
            }
        });
        leased.await.filter(|_| !is_deaf)
    }

    /// Whether something goes wrong that so many times in a hundred does.
    fn fails(&mut self, chance: u64) -> bool {
        let fails = self.dice.percent(chance);
        fails && !self.line.is_calm.load(Ordering::Relaxed)
    }

    async fn perform(&mut self, lent: Lent) {
        let (id, token) = (lent.job.id, lent.token);
        let input = lent.job.input.to_value().unwrap_or_default();
        let mut values = Vec::new();
        for step in 0..steps_in(&input) {
            if self.fails(4) {
                return self.note(|| format!("is lost under {token}"));
            }
            if self.fails(8) {
                self.note(|| format!("falls silent under {token}"));
                self.rest(6_000_000).await;
            }
            self.rest(300_000).await;
            // One that is told to stop, and goes on all the same, changes nothing.
            if self.dice.percent(40) && !self.beat(id, token).await && !self.dice.percent(50) {
                return;
            }
            let Some(value) = self.step(id, token, step).await else { return };
            values.push(value);
        }
        let result = Value::map([
            ("job", Value::from(label_of(&input))),
            ("token", i64::try_from(token.0).unwrap_or(-1).into()),
            ("steps", Value::list(values)),
        ]);
        self.end(id, token, result).await;
    }

    /// A heartbeat; whether the lease goes on, as far as it hears.
    async fn beat(&self, id: JobId, token: Token) -> bool {
        let heard = self.ask(|engine, reply| async move {
            if let Ok(mut ends) = engine.heartbeat(vec![(id, token, None)]).await {
                let _ = reply.send(ends.remove(0));
            }
        });
        !matches!(heard.await, Some(Err(_)))
    }

    /// Does a step if its result is not recorded; nothing if the job is given up.
    async fn step(&mut self, id: JobId, token: Token, step: i64) -> Option<Value> {
        let name = step_name(step);
        for _ in 0..TRIES {
            let known = self.outside.witness.lock().recorded(id, token, &name);
            let wanted = name.clone();
            let found = self.ask(|engine, reply| async move {
                if let Ok(found) = engine.effect(id, &wanted).await {
                    let _ = reply.send(found);
                }
            });
            match found.await {
                None => self.rest(200_000).await,
                Some(Some(value)) => return value.to_value().ok(),
                Some(None) => {
                    let value = self.do_step(id, token, &name, known);
                    self.rest(100_000).await;
                    return self.record(EffectPut { id, token, name, value }).await;
                }
            }
        }
        None
    }

    /// Does a step; each time it comes to something else.
    fn do_step(&self, id: JobId, token: Token, name: &Name, known: Option<Json>) -> Json {
        let serial = self.outside.witness.lock().performed(id, token, name, known);
        let worker = Value::from(self.name.as_str());
        Value::map([("worker", worker), ("serial", serial.into())]).to_json()
    }

    /// Records the result of a step; answers the one that counts.
    async fn record(&mut self, mut put: EffectPut) -> Option<Value> {
        for _ in 0..TRIES {
            let is_deaf = self.fails(6);
            let sent = put.clone();
            let noted = self.ask(|engine, reply| async move {
                if let Ok(noted) = engine.note_effect(sent).await {
                    let _ = reply.send(noted);
                }
            });
            match noted.await.filter(|_| !is_deaf) {
                None => {
                    self.rest(200_000).await;
                    if self.dice.percent(50) {
                        put.value = self.do_step(put.id, put.token, &put.name, None);
                    }
                }
                Some(Ok((value, _))) => return value.to_value().ok(),
                Some(Err(_)) if self.dice.percent(50) => return None,
                Some(Err(_)) => return Json::to_value(&put.value).ok(),
            }
        }
        None
    }

    /// Tells how it ended, until somebody hears it.
    async fn end(&mut self, id: JobId, token: Token, result: Value) {
        if self.fails(4) {
            return self.note(|| format!("is lost with the result under {token}"));
        }
        let outcome = match self.dice.within(0, 99) {
            0..=79 => Ok(result),
            80..=89 => Err(Fault::retry("Busy", "works later")),
            90..=94 => Err(Fault::last("Bad", "never works")),
            _ => return self.give_back(id, token).await,
        };
        for _ in 0..TRIES {
            let ending = Ending { id, token, outcome: outcome.clone() };
            let ended = self.ask(|engine, reply| async move {
                if let Ok(mut ended) = engine.finish(vec![ending]).await {
                    let _ = reply.send(ended.remove(0));
                }
            });
            match ended.await {
                // Whoever does not hear the answer says it again.
                Some(Ok(state)) if !self.fails(10) => {
                    return self.outside.witness.lock().was_told(id, state);
                }
                Some(Err(Lost::Unfit(fault))) => {
                    let text = format!("{id}: {fault:?}");
                    return self.outside.witness.lock().broken("answers are true", text);
                }
                Some(Err(_)) => return,
                Some(Ok(State::Completed)) | None => self.rest(200_000).await,
                Some(Ok(_)) => return,
            }
        }
    }

    async fn give_back(&self, id: JobId, token: Token) {
        let released = self.ask(|engine, reply| async move {
            if let Ok(released) = engine.release(vec![(id, token)]).await {
                let _ = reply.send(released);
            }
        });
        // Who hears no answer leaves it to the end of the lease.
        drop(released.await);
    }
}
