//! New jobs, made up.

use std::sync::Arc;

use jobmill_model::job::{Backoff, Fingerprint, Idempotency, Spec, Start, Unique};
use jobmill_model::queue::{Name, Priority};
use jobmill_model::{JobId, Json, Span, Timestamp, Value};

use super::super::super::stage::name;
use super::{FLOWS, JOB_KEYS, QUEUES, TAGS, World};
use crate::{JobInsert, Offer, Submission};

impl World {
    pub(super) fn submission(&mut self) -> Submission {
        let at = self.now();
        let mut jobs: Vec<_> = (0..=self.chance.size(2)).map(|_| self.job_insert(at)).collect();
        if let [parent, children @ ..] = jobs.as_mut_slice()
            && !children.is_empty()
            && self.chance.percent(15)
        {
            parent.spec.gathers = true;
            for child in children {
                child.spec.parent = Some(parent.id);
                (child.spec.unique, child.mark) = (None, None);
            }
        }
        let idempotency = self.chance.percent(35).then(|| self.idempotency(at));
        let offer = self.chance.percent(60).then(|| self.offer());
        Submission { jobs, idempotency, at, offer }
    }

    pub(super) fn job_insert(&mut self, at: Timestamp) -> JobInsert {
        let mut spec = self.spec(at);
        let mark = self.chance.percent(15).then(|| self.chance.below(4));
        spec.unique = mark.map(|_| {
            let span =
                self.chance.percent(40).then(|| Span::from_millis(self.chance.below(60_000)));
            Unique { key: None, span }
        });
        let input = Value::map([("n", Value::from(self.chance.below(1_000)))]).to_json();
        JobInsert {
            id: JobId::from_parts(at, self.chance.bytes()),
            spec,
            input,
            params: Json::trusted("{}"),
            mark: mark.map(|mark| Fingerprint::of(&mark.to_be_bytes())),
        }
    }

    pub(super) fn spec(&mut self, at: Timestamp) -> Spec {
        let tags = TAGS.iter().filter(|_| self.chance.percent(30)).map(|tag| name(tag)).collect();
        let parent = self.chance.percent(25).then(|| self.some_id());
        let key = self.chance.percent(40).then(|| self.one_name(&JOB_KEYS));
        let priority = self.chance.below(5) as i64 - 2;
        Spec {
            queue: self.one_name(&QUEUES),
            key,
            priority: Priority::new(priority).expect("a priority in its bounds"),
            start: self.start(at),
            max_attempts: 1 + self.chance.below(9) as u32,
            backoff: Backoff::fixed(Span::from_millis(self.chance.below(9_000))),
            timeout: self.chance.percent(50).then_some(Span::from_secs(6)),
            tags,
            warnings: Vec::new(),
            bare: self.chance.percent(50),
            parent,
            webhook: self.chance.percent(15).then(|| "http://receiver/".to_owned()),
            ..Spec::new(self.one_name(&FLOWS))
        }
    }

    fn start(&mut self, at: Timestamp) -> Start {
        match self.chance.below(10) {
            0..7 => Start::Now,
            7 => Start::After(self.due().since(at)),
            _ => Start::At(self.due()),
        }
    }

    pub(super) fn one_name(&mut self, among: &[&str]) -> Name {
        name(self.chance.pick(among).expect("there is a name to pick"))
    }

    /// A new key, or an earlier one with the same body or with another.
    fn idempotency(&mut self, at: Timestamp) -> Idempotency {
        let keep_until = at.after(Span::from_millis(self.chance.below(60_000)));
        let known = self.chance.pick(&self.keys).cloned();
        match known.filter(|_| self.chance.percent(60)) {
            Some(known) if self.chance.percent(70) => Idempotency { keep_until, ..known },
            Some(known) => Idempotency { keep_until, body: Fingerprint::of(b"another"), ..known },
            None => {
                let key = self.chance.next();
                let body = Fingerprint::of(&key.to_be_bytes());
                let (scope, key) = (format!("scope {}", key % 2), key.to_string());
                Idempotency { scope, key, body, keep_until }
            }
        }
    }

    fn offer(&mut self) -> Offer {
        let flows = FLOWS.iter().filter(|_| self.chance.percent(80)).map(|flow| name(flow));
        let flows = Arc::new(flows.collect());
        Offer { instance: self.instance(), flows, places: self.chance.size(4) }
    }
}
