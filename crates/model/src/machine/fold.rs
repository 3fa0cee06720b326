//! The fold: a machine's state is its journal's entries taken in, in order, and nothing else.

use std::collections::BTreeMap;

use super::effect::{Effect, EffectNumber, Outcome};
use super::journal::Entry;
use super::{Machine, Step, Then};
use crate::fault::Fault;
use crate::limits;
use crate::value::Value;

/// A machine in the middle of its run, with the effects that it waits for.
pub struct Fold {
    machine: Box<dyn Machine>,
    waiting: BTreeMap<EffectNumber, Effect>,
    asked: u64,
    seq: u64,
    end: Option<Result<Value, Fault>>,
}

/// The place of a machine that is away.
struct Away;

impl Away {
    fn step() -> Step {
        Step { effects: Vec::new(), then: Then::End(Err(broken("it is away"))) }
    }
}

impl Machine for Away {
    fn start(&mut self) -> Step {
        Self::step()
    }

    fn fold(&mut self, _: EffectNumber, _: Outcome) -> Step {
        Self::step()
    }

    fn go_on(&mut self) -> Step {
        Self::step()
    }
}

/// What taking something in led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The effects that the machine newly asks for.
    pub asked: Vec<(EffectNumber, Effect)>,
    /// Whether the machine only paused: call [`Fold::go_on`] before anything else.
    pub paused: bool,
}

impl Fold {
    /// Starts the machine.
    ///
    /// # Errors
    /// A machine that breaks its rules, as [`Fold::apply`].
    pub fn start(mut machine: Box<dyn Machine>) -> Result<(Self, Applied), Fault> {
        let step = machine.start();
        let mut fold = Self { machine, waiting: BTreeMap::new(), asked: 0, seq: 0, end: None };
        let applied = fold.take(step)?;
        Ok((fold, applied))
    }

    /// Goes on after a pause.
    ///
    /// # Errors
    /// A machine that breaks its rules, as [`Fold::apply`].
    pub fn go_on(&mut self) -> Result<Applied, Fault> {
        let step = self.machine.go_on();
        self.take(step)
    }

    /// Takes in the next entry of the journal.
    ///
    /// # Errors
    /// `journal_mismatch` when the entry is not the next one, or is the outcome of another
    /// request than the one that this machine made under that number: the program has changed.
    /// `machine_broken` when the machine numbers effects wrongly or asks for too many at once.
    pub fn apply(&mut self, entry: Entry) -> Result<Applied, Fault> {
        if entry.seq != self.seq {
            return Err(mismatch(&format!("entry {} where {} was due", entry.seq, self.seq)));
        }
        let effect = self.waiting.remove(&entry.number).ok_or_else(|| {
            mismatch(&format!(
                "entry {} answers effect {}, which is not under way",
                entry.seq, entry.number
            ))
        })?;
        if effect.fingerprint() != entry.fingerprint || !fits(&effect, &entry.outcome) {
            return Err(mismatch(&format!("effect {} is now {effect}", entry.number)));
        }
        self.seq += 1;
        let step = self.machine.fold(entry.number, entry.outcome);
        self.take(step)
    }

    /// Takes the machine out, to be put back when it has thought elsewhere; until then this one
    /// has ended with a fault.
    #[must_use]
    pub fn take_out(&mut self) -> Self {
        let away = Self {
            machine: Box::new(Away),
            waiting: BTreeMap::new(),
            asked: self.asked,
            seq: self.seq,
            end: Some(Err(broken("it is away"))),
        };
        std::mem::replace(self, away)
    }

    /// The effects that the machine waits for, by number.
    pub fn waiting(&self) -> impl Iterator<Item = (EffectNumber, &Effect)> {
        self.waiting.iter().map(|(number, effect)| (*number, effect))
    }

    /// How the machine ended, if it has.
    #[must_use]
    pub fn end(&self) -> Option<&Result<Value, Fault>> {
        self.end.as_ref()
    }

    /// The place of the next entry.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.seq
    }

    fn take(&mut self, step: Step) -> Result<Applied, Fault> {
        for (number, effect) in &step.effects {
            if number.0 != self.asked {
                return Err(broken(&format!("effect {number} where {} was due", self.asked)));
            }
            self.asked += 1;
            self.waiting.insert(*number, effect.clone());
        }
        if self.waiting.len() > limits::EFFECTS_UNDER_WAY {
            return Err(broken(&format!(
                "more than {} effects at once",
                limits::EFFECTS_UNDER_WAY
            )));
        }
        let paused = step.then == Then::Pause;
        match step.then {
            Then::End(end) => {
                self.waiting.clear();
                self.end = Some(end);
            }
            Then::Wait if self.waiting.is_empty() => {
                return Err(broken("it waits, but for nothing"));
            }
            Then::Wait | Then::Pause => {}
        }
        Ok(Applied { asked: step.effects, paused })
    }
}

/// Whether an outcome is one that the effect can have.
fn fits(effect: &Effect, outcome: &Outcome) -> bool {
    match effect {
        Effect::Clock => matches!(outcome, Outcome::Clock(_)),
        Effect::Op(_)
        | Effect::Http(_)
        | Effect::Log(_)
        | Effect::Callback(_)
        | Effect::Connector(_) => {
            matches!(outcome, Outcome::Done(_) | Outcome::Failed { .. })
        }
        Effect::Sleep { .. } => matches!(outcome, Outcome::Woken),
        Effect::Signal { .. } => matches!(outcome, Outcome::Signal(_) | Outcome::Woken),
    }
}

fn mismatch(what: &str) -> Fault {
    Fault::last(
        "journal_mismatch",
        format!(
            "the journal does not fit the program ({what}); it was begun by another version of \
             it, retry the job to begin anew"
        ),
    )
}

fn broken(what: &str) -> Fault {
    Fault::last("machine_broken", format!("the flow's machine breaks its rules: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::OpCall;
    use crate::queue::Name;
    use crate::time::Timestamp;
    use proptest::prelude::*;

    /// Two branches of three ops each; the result lists what came back, branch by branch.
    struct Branches {
        next: u64,
        under_way: BTreeMap<u64, usize>,
        got: [Vec<Value>; 2],
        pauses: bool,
        blocked: Option<usize>,
    }

    impl Branches {
        fn boxed(pauses: bool) -> Box<dyn Machine> {
            let got = [Vec::new(), Vec::new()];
            Box::new(Self { next: 0, under_way: BTreeMap::new(), got, pauses, blocked: None })
        }

        fn ask(&mut self, branch: usize) -> (EffectNumber, Effect) {
            let number = self.next;
            self.next += 1;
            self.under_way.insert(number, branch);
            let input = Value::from(format!("{branch}.{}", self.got[branch].len()));
            (EffectNumber(number), Effect::Op(OpCall { op: Name::trusted("echo"), input }))
        }

        fn run(&mut self, branch: usize) -> Step {
            if self.got[branch].len() < 3 {
                return Step { effects: vec![self.ask(branch)], then: Then::Wait };
            }
            let done = self.got.iter().all(|got| got.len() == 3);
            let all = || Value::list(self.got.iter().cloned().map(Value::from));
            let then = if done { Then::End(Ok(all())) } else { Then::Wait };
            Step { effects: Vec::new(), then }
        }
    }

    impl Machine for Branches {
        fn start(&mut self) -> Step {
            let effects = vec![self.ask(0), self.ask(1)];
            Step { effects, then: Then::Wait }
        }

        fn fold(&mut self, number: EffectNumber, outcome: Outcome) -> Step {
            let branch = self.under_way.remove(&number.0).unwrap();
            let Outcome::Done(value) = outcome else { unreachable!() };
            self.got[branch].push(value);
            if self.pauses {
                self.blocked = Some(branch);
                return Step { effects: Vec::new(), then: Then::Pause };
            }
            self.run(branch)
        }

        fn go_on(&mut self) -> Step {
            let branch = self.blocked.take().unwrap();
            self.run(branch)
        }
    }

    fn entry_for(fold: &Fold, pick: usize) -> Entry {
        let waiting: Vec<_> = fold.waiting().collect();
        let (number, effect) = waiting[pick % waiting.len()];
        let Effect::Op(call) = effect else { unreachable!() };
        let outcome = Outcome::Done(call.input.clone());
        let (seq, fingerprint) = (fold.next_seq(), effect.fingerprint());
        Entry { seq, number, fingerprint, outcome, at: Timestamp::EPOCH }
    }

    fn apply(fold: &mut Fold, entry: Entry) {
        let mut applied = fold.apply(entry).unwrap();
        while applied.paused {
            applied = fold.go_on().unwrap();
        }
    }

    fn run(picks: &[usize], pauses: bool) -> (Vec<Entry>, Value) {
        let (mut fold, _) = Fold::start(Branches::boxed(pauses)).unwrap();
        let mut journal = Vec::new();
        for pick in picks.iter().copied().cycle() {
            if let Some(end) = fold.end() {
                return (journal, end.clone().unwrap());
            }
            let entry = entry_for(&fold, pick);
            journal.push(entry.clone());
            apply(&mut fold, entry);
        }
        unreachable!("the cycle has no end")
    }

    proptest! {
        #[test]
        fn a_journal_cut_anywhere_folds_back_to_the_same_effects_under_way(
            picks in prop::collection::vec(0usize..4, 1..8), cut in 0usize..6, pauses: bool,
        ) {
            let (journal, result) = run(&picks, false);
            prop_assert_eq!(result.to_string(), r#"[["0.0","0.1","0.2"],["1.0","1.1","1.2"]]"#);
            let refold = |pauses| {
                let (mut fold, _) = Fold::start(Branches::boxed(pauses)).unwrap();
                journal.iter().take(cut).for_each(|entry| apply(&mut fold, entry.clone()));
                fold.waiting().map(|(number, effect)| (number, effect.clone())).collect::<Vec<_>>()
            };
            prop_assert_eq!(refold(pauses), refold(!pauses));
        }
    }

    #[test]
    fn an_entry_of_another_request_is_a_mismatch() {
        let (mut fold, _) = Fold::start(Branches::boxed(false)).unwrap();
        let entry = entry_for(&fold, 0);
        let cases = [
            Entry { seq: 1, ..entry.clone() },
            Entry { number: EffectNumber(9), ..entry.clone() },
            Entry { fingerprint: 1, ..entry.clone() },
            Entry { outcome: Outcome::Woken, ..entry },
        ];
        for wrong in cases {
            let (mut fold, _) = Fold::start(Branches::boxed(false)).unwrap();
            assert_eq!(fold.apply(wrong).unwrap_err().code, "journal_mismatch");
        }
        let right = entry_for(&fold, 0);
        assert!(fold.apply(right).is_ok());
    }
}
