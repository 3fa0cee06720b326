//! Workers outside of the server: they lease jobs, record a step of each and complete it, over all
//! lives of the server. Now and then one is silent for longer than its lease, or for good.

use std::collections::BTreeMap;
use std::sync::Arc;

use jobmill_engine::clock::{Clock, SystemClock};
use jobmill_model::{Span, Value};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::answer::{field, text};
use super::clients::{Talk, Whereabouts};
use super::dice::Dice;
use super::flows::LENT;
use crate::client::Request;

/// How many workers there are, and how many jobs each takes at once.
const HANDS: u64 = 3;
const JOBS: u64 = 4;
/// How long a lease lasts; a freeze of the server is longer, and so is a nap.
pub(super) const LEASE: Span = Span::from_secs(1);
const NAP: Span = Span::from_millis(1_300);
/// How long to wait before a server that had no answer is asked again.
const PAUSE: Span = Span::from_millis(20);
/// Where the throws of the workers begin, so that they are not those of the work.
const STREAM: u64 = u64::MAX - 1_000;

/// What the workers were told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What the step of each job came to, each time that somebody was told.
    pub(super) steps: BTreeMap<String, Vec<String>>,
    /// The jobs that were confirmed as completed, each with its result.
    pub(super) completed: Vec<(String, String)>,
    /// How often a lease had ended.
    pub(super) lost: u64,
    /// Answers that no server should give, each with the id of the job.
    pub(super) odd: Vec<(String, String)>,
}

/// All workers outside.
pub(super) struct Hands {
    told: Arc<Mutex<Told>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Hands {
    pub(super) fn start(seed: u64, whereabouts: &watch::Sender<Whereabouts>) -> Self {
        let told = Arc::<Mutex<Told>>::default();
        let hand = |number: u64| Hand {
            name: format!("hand-{number}"),
            talk: Talk::new(whereabouts.subscribe()),
            dice: Dice::of(seed, STREAM + number),
            serial: 0,
            told: told.clone(),
        };
        let tasks = (0..HANDS).map(|number| tokio::spawn(hand(number).work())).collect();
        Self { told, tasks }
    }

    /// Ends the work when there is none left; what the workers were told.
    pub(super) fn stop(&self) -> Told {
        self.tasks.iter().for_each(JoinHandle::abort);
        std::mem::take(&mut self.told.lock())
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

struct Hand {
    name: String,
    talk: Talk,
    dice: Dice,
    serial: u64,
    told: Arc<Mutex<Told>>,
}

impl Hand {
    async fn work(mut self) {
        let call = Value::map([
            ("worker", Value::from(self.name.as_str())),
            ("flows", Value::list([LENT.into()])),
            ("max", JOBS.into()),
            ("wait", "1s".into()),
        ]);
        let call = Request::post("/queues/default/lease").json(&call);
        while self.talk.until_there().await.is_some() {
            let jobs = match self.talk.once(&call).await {
                Some((200, answer)) => answer,
                Some((status, answer)) if status != 503 => {
                    self.odd("a call for work", status, &answer);
                    Value::Null
                }
                _ => Value::Null,
            };
            let jobs = field(&jobs, "jobs").and_then(Value::as_list).unwrap_or_default();
            for job in jobs {
                if self.perform(job).await.is_none() {
                    return;
                }
            }
            if jobs.is_empty() {
                rest(PAUSE).await;
            }
        }
    }

    /// One job from its lease on. Nothing when nobody runs the test any more.
    async fn perform(&mut self, job: &Value) -> Option<()> {
        match self.dice.within(0..200) {
            0 => return Some(()),
            1..=3 => rest(NAP).await,
            _ => {}
        }
        let id = text(job, "id");
        let token = field(job, "lease").and_then(|lease| field(lease, "token")?.as_int())?;
        let Some(step) = self.step(id, token).await? else { return Some(()) };
        let input = field(job, "input").cloned().unwrap_or_default();
        let result = Value::map([("job", input), ("step", step), ("token", token.into())]);
        let body = Value::map([("token", Value::from(token)), ("result", result.clone())]);
        let complete = Request::post(format!("/jobs/{id}/complete")).json(&body);
        let (status, answer) = self.talk.until_answered(&complete).await?;
        match status {
            200 => self.told.lock().completed.push((id.to_owned(), result.to_string())),
            409 => self.told.lock().lost += 1,
            _ => self.odd(id, status, &answer),
        }
        Some(())
    }

    /// Does the step of a job and records it; what it came to, unless the lease had ended.
    async fn step(&mut self, id: &str, token: i64) -> Option<Option<Value>> {
        self.serial += 1;
        let value = Value::from(format!("{} {}", self.name, self.serial));
        let token = u64::try_from(token).ok()?;
        let put = Request::put(format!("/jobs/{id}/effects/step")).json(&value).lease_token(token);
        let (status, answer) = self.talk.until_answered(&put).await?;
        let kept = field(&answer, "value").cloned();
        match (status, kept) {
            (200 | 201, Some(kept)) => {
                let mut told = self.told.lock();
                told.steps.entry(id.to_owned()).or_default().push(kept.to_string());
                return Some(Some(kept));
            }
            (409, _) => self.told.lock().lost += 1,
            _ => self.odd(id, status, &answer),
        }
        Some(None)
    }

    fn odd(&self, whose: &str, status: u16, answer: &Value) {
        let what = format!("a worker outside was answered {status} {answer}");
        self.told.lock().odd.push((whose.to_owned(), what));
    }
}

async fn rest(span: Span) {
    let clock = SystemClock::default();
    clock.sleep_until(clock.now().after(span)).await;
}
