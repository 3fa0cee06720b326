//! A machine of two branches that call the counting server, with naps between the calls.
//!
//! Each call tells what the machine believes: the ordinals that came back to the calls before it
//! in its branch, and the reading of the clock before the last nap. So a call that was made on
//! the strength of something that was not committed gives itself away, because after a crash the
//! same call believes something else.

use std::collections::BTreeMap;
use std::sync::Arc;

use jobmill_model::machine::{
    Begin, Effect, EffectNumber, HttpCall, HttpResponse, Machine, Outcome, Program, Step, Then,
};
use jobmill_model::{Fault, Span, Timestamp, Value};

/// The flow's name.
pub(in crate::selftest) const BRANCHES: &str = "selftest_branches";
/// The steps of each branch. Both nap at about the same time, so that the machine is parked.
pub(in crate::selftest) const SHAPE: [&[Do]; 2] =
    [&[Do::Call, Do::Nap, Do::Call, Do::Call], &[Do::Call, Do::Call, Do::Nap, Do::Call]];

const NAP: Span = Span::from_millis(50);
/// Longer than any freeze: an answer that waits in a frozen process counts.
const CALL_MILLIS: u64 = 120_000;
const ANSWER_BYTES: u64 = 4_096;

/// What a branch does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::selftest) enum Do {
    /// Calls the counting server.
    Call,
    /// Reads the clock and sleeps.
    Nap,
}

pub(super) struct Branches;

impl Program for Branches {
    fn machine(&self, begin: Begin) -> Box<dyn Machine> {
        let field = |name: &str| {
            let field = begin.input.as_map().and_then(|map| map.get(name)).and_then(Value::as_str);
            field.unwrap_or_default().to_owned()
        };
        let branches = [Branch::default(), Branch::default()];
        let (next, asked) = (0, BTreeMap::new());
        Box::new(Run { job: field("job"), url: field("url"), branches, next, asked })
    }
}

/// How far a branch has come.
#[derive(Default)]
struct Branch {
    step: usize,
    /// The reading of the clock before its nap, once it has been told.
    read_at: Option<Timestamp>,
    ordinals: Vec<i64>,
}

struct Run {
    job: String,
    url: String,
    branches: [Branch; 2],
    next: u64,
    /// The branch of every effect under way.
    asked: BTreeMap<EffectNumber, usize>,
}

impl Run {
    /// What the branch asks for next; nothing at its end.
    fn ask(&mut self, place: usize) -> Option<(EffectNumber, Effect)> {
        let branch = &self.branches[place];
        let effect = match (SHAPE[place].get(branch.step)?, branch.read_at) {
            (Do::Call, _) => Effect::Http(self.call(place)),
            (Do::Nap, None) => Effect::Clock,
            (Do::Nap, Some(at)) => Effect::Sleep { until: at.after(NAP) },
        };
        let number = EffectNumber(self.next);
        self.next += 1;
        self.asked.insert(number, place);
        Some((number, effect))
    }

    fn call(&self, place: usize) -> HttpCall {
        let branch = &self.branches[place];
        let told = Value::map([
            ("effect", format!("{}/{place}/{}", self.job, branch.ordinals.len()).as_str().into()),
            ("after", Value::list(branch.ordinals.iter().map(|ordinal| (*ordinal).into()))),
            ("read_at", branch.read_at.map_or(Value::Null, |at| at.as_millis().into())),
        ]);
        HttpCall {
            method: "POST".to_owned(),
            url: self.url.clone(),
            query: Vec::new(),
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: Some(Arc::from(told.to_string().into_bytes())),
            timeout_ms: CALL_MILLIS,
            response_bytes_max: ANSWER_BYTES,
            auth: None,
            private_service_name: None,
            ca_certificate: None,
        }
    }

    fn take(&mut self, place: usize, outcome: Outcome) -> Result<(), Fault> {
        let branch = &mut self.branches[place];
        match outcome {
            Outcome::Clock(at) => {
                branch.read_at = Some(at);
                return Ok(());
            }
            Outcome::Woken => {}
            Outcome::Done(value) => branch.ordinals.push(ordinal(&value)?),
            Outcome::Failed { code, message } => return Err(Fault::last(code, message)),
            Outcome::Signal(_) => return Err(Fault::last("Signal", "nobody sends signals here")),
        }
        branch.step += 1;
        Ok(())
    }

    fn step(&mut self, effects: Vec<(EffectNumber, Effect)>) -> Step {
        if !self.asked.is_empty() {
            return Step { effects, then: Then::Wait };
        }
        let ordinals = |branch: &Branch| {
            Value::list(branch.ordinals.iter().map(|ordinal| Value::from(*ordinal)))
        };
        let branches = Value::list(self.branches.iter().map(ordinals));
        let result = Value::map([("job", self.job.as_str().into()), ("branches", branches)]);
        Step { effects, then: Then::End(Ok(result)) }
    }
}

impl Machine for Run {
    fn start(&mut self) -> Step {
        let effects = (0..self.branches.len()).filter_map(|place| self.ask(place)).collect();
        self.step(effects)
    }

    fn fold(&mut self, number: EffectNumber, outcome: Outcome) -> Step {
        let place = self.asked.remove(&number).expect("an outcome belongs to an effect under way");
        if let Err(fault) = self.take(place, outcome) {
            return Step { effects: Vec::new(), then: Then::End(Err(fault)) };
        }
        let effects = self.ask(place).into_iter().collect();
        self.step(effects)
    }

    fn go_on(&mut self) -> Step {
        Step { effects: Vec::new(), then: Then::Wait }
    }
}

/// The ordinal in an answer of the counting server.
fn ordinal(answer: &Value) -> Result<i64, Fault> {
    let response = HttpResponse::from_value(answer).filter(|response| response.status == 200);
    let body = response.and_then(|response| Value::from_json(&response.body).ok());
    let ordinal = body.as_ref().and_then(Value::as_map).and_then(|map| map.get("ordinal"));
    ordinal
        .and_then(Value::as_int)
        .ok_or_else(|| Fault::last("CounterAnswer", format!("not an answer that counts: {answer}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobmill_model::JobId;
    use jobmill_model::machine::{Entry, Fold, Seed};

    fn answer(ordinal: i64) -> Outcome {
        let body = format!("{{\"ordinal\":{ordinal}}}").into_bytes();
        Outcome::Done(HttpResponse { status: 200, headers: Vec::new(), body }.to_value())
    }

    fn begin() -> Begin {
        let input = Value::map([("job", "7".into()), ("url", "http://127.0.0.1:1/".into())]);
        let seed = Seed::of(JobId::from_parts(Timestamp::EPOCH, [0; 10]), 1);
        Begin { input, params: Value::Null, seed }
    }

    #[test]
    fn its_result_lists_what_was_committed_and_each_call_says_what_it_follows() {
        let (mut fold, _) = Fold::start(Branches.machine(begin())).unwrap();
        let mut bodies = Vec::new();
        for ordinal in 1.. {
            let Some((number, effect)) =
                fold.waiting().next().map(|(number, effect)| (number, effect.clone()))
            else {
                break;
            };
            let outcome = match &effect {
                Effect::Http(call) => {
                    bodies.push(String::from_utf8(call.body.as_ref().unwrap().to_vec()).unwrap());
                    answer(ordinal)
                }
                Effect::Clock => Outcome::Clock(Timestamp::EPOCH),
                _ => Outcome::Woken,
            };
            let (seq, fingerprint) = (fold.next_seq(), effect.fingerprint());
            fold.apply(Entry { seq, number, fingerprint, outcome, at: Timestamp::EPOCH }).unwrap();
        }
        let result = fold.end().unwrap().clone().unwrap().to_string();
        assert_eq!(result, r#"{"job":"7","branches":[[1,7,9],[2,4,10]]}"#);
        assert!(bodies.contains(&r#"{"effect":"7/0/0","after":[],"read_at":null}"#.to_owned()));
        assert!(bodies.contains(&r#"{"effect":"7/1/2","after":[2,4],"read_at":0}"#.to_owned()));
    }

    #[test]
    fn an_answer_that_does_not_count_ends_it() {
        let (mut fold, _) = Fold::start(Branches.machine(begin())).unwrap();
        let (number, fingerprint) =
            fold.waiting().next().map(|(number, effect)| (number, effect.fingerprint())).unwrap();
        let outcome = Outcome::Done(Value::Null);
        let at = Timestamp::EPOCH;
        fold.apply(Entry { seq: 0, number, fingerprint, outcome, at }).unwrap();
        assert_eq!(fold.end().unwrap().clone().unwrap_err().code, "CounterAnswer");
    }
}
