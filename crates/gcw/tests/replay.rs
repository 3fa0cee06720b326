//! The journal is the truth: outcomes in any order, cut anywhere, fold back to the same machine.

#![allow(clippy::unwrap_used, reason = "a test stops where it is wrong")]

use jobmill_gcw::local::{self, QuietWorld, World};
use jobmill_gcw::{Limits, Workflow, check};
use jobmill_model::Value;
use jobmill_model::machine::{Asked, Effect, EffectNumber, Fold, History, HttpResponse, Outcome};
use proptest::prelude::*;
use std::sync::Arc;

const DEFINITION: &str = r#"
main:
  params: [args]
  steps:
    - init:
        assign:
          - total: 0
          - log: []
          - ids: {}
    - work:
        try:
          parallel:
            shared: [total, log, ids]
            concurrency_limit: ${args.limit}
            for:
              value: item
              index: i
              in: ${args.items}
              steps:
                - begin:
                    assign:
                      - id: ${uuid.generate()}
                      - at: ${sys.now()}
                - get:
                    try:
                      call: http.get
                      args:
                        url: ${"http://h/" + item}
                      result: answer
                    retry:
                      predicate: ${worth}
                      max_retries: 2
                      backoff: {initial_delay: 1, max_delay: 5, multiplier: 2}
                - inner:
                    parallel:
                      shared: [total]
                      branches:
                        - sleep:
                            steps:
                              - wait:
                                  call: sys.sleep
                                  args: [1]
                              - add:
                                  assign: [{total: "${total + 1}"}]
                        - note:
                            steps:
                              - log:
                                  call: sys.log
                                  args: ["${answer.body}"]
                              - add:
                                  assign: [{total: "${total * 2}"}]
                - keep:
                    assign:
                      - ids[string(i)]: ${[id, at]}
                      - log: ${list.concat(log, [i, double_it(total)])}
        except:
          as: e
          steps:
            - keep:
                assign:
                  - failed: ${len(e.branches)}
                  - ids.failed: ${failed}
    - done:
        return: ${[total, log, ids]}
worth:
  params: [e]
  steps:
    - done:
        return: ${default(map.get(e, "code"), 0) == 503}
double_it:
  params: [x]
  steps:
    - done:
        return: ${x * 2}
"#;

fn workflow() -> Workflow {
    let checked = check(DEFINITION, &Limits::lifted());
    let program = checked.program.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    Workflow { program, env: Arc::default() }
}

/// Answers in the order of the picks; statuses come from the picks too.
struct Picky {
    quiet: QuietWorld,
    picks: Vec<u16>,
    at: usize,
}

impl Picky {
    fn next(&mut self) -> usize {
        self.at += 1;
        usize::from(self.picks[self.at % self.picks.len()])
    }
}

impl World for Picky {
    fn perform(&mut self, number: EffectNumber, effect: &Effect) -> Outcome {
        if !matches!(effect, Effect::Http(_)) {
            return self.quiet.perform(number, effect);
        }
        match self.next() % 8 {
            0 => Outcome::Failed { code: "TimeoutError".into(), message: "late".into() },
            1 | 2 => Outcome::Done(response(503)),
            3 => Outcome::Done(response(404)),
            _ => Outcome::Done(response(200)),
        }
    }

    fn pick(&mut self, under_way: &[(EffectNumber, Effect)]) -> usize {
        self.next() % under_way.len()
    }
}

fn response(status: u16) -> Value {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    HttpResponse { status, headers, body: b"[1]".to_vec() }.to_value()
}

fn input(items: usize, limit: i64) -> Value {
    let items = Value::list((0..items).map(Value::from));
    Value::map([("items", items), ("limit", Value::from(limit))])
}

fn under_way(fold: &Fold) -> Vec<(EffectNumber, Effect)> {
    fold.waiting().map(|(number, effect)| (number, effect.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_journal_cut_anywhere_folds_back_and_goes_on_to_the_same_end(
        items in 0usize..12,
        limit in 1i64..6,
        picks in prop::collection::vec(any::<u16>(), 1..64),
        cut in any::<prop::sample::Index>(),
    ) {
        let workflow = workflow();
        let input = input(items, limit);
        let mut world = Picky { quiet: QuietWorld::default(), picks, at: 0 };
        let run = local::run(&workflow, input.clone(), &mut world).unwrap();
        prop_assert!(run.end.is_ok(), "{:?}", run.end);
        let at = cut.index(run.journal.len() + 1);
        let (head, tail) = run.journal.split_at(at);
        let (mut fold, effects) = local::refold(&workflow, input.clone(), head).unwrap();
        prop_assert_eq!(&run.effects[..effects.len()], &effects[..]);
        let (again, _) = local::refold(&workflow, input, head).unwrap();
        prop_assert_eq!(under_way(&fold), under_way(&again));
        for entry in tail {
            let mut applied = fold.apply(entry.clone()).unwrap();
            while applied.paused {
                applied = fold.go_on().unwrap();
            }
        }
        prop_assert_eq!(fold.end(), Some(&run.end));
    }

    #[test]
    fn no_more_branches_are_under_way_than_the_limit(
        limit in 1i64..6,
        picks in prop::collection::vec(any::<u16>(), 1..32),
    ) {
        struct Watch(Picky, usize);
        impl World for Watch {
            fn perform(&mut self, number: EffectNumber, effect: &Effect) -> Outcome {
                self.0.perform(number, effect)
            }
            fn pick(&mut self, under_way: &[(EffectNumber, Effect)]) -> usize {
                self.1 = self.1.max(under_way.len());
                self.0.pick(under_way)
            }
        }
        let mut world = Watch(Picky { quiet: QuietWorld::default(), picks, at: 0 }, 0);
        local::run(&workflow(), input(12, limit), &mut world).unwrap();
        // Each iteration has two branches of its own at most.
        prop_assert!(world.1 <= 2 * limit as usize, "{} under way", world.1);
    }
}

#[test]
fn a_changed_program_is_a_journal_mismatch() {
    let workflow = workflow();
    let run = local::run(&workflow, input(2, 2), &mut QuietWorld::default()).unwrap();
    let changed = DEFINITION.replace("http://h/", "http://other/");
    let program = check(&changed, &Limits::lifted()).program.unwrap();
    let changed = Workflow { program, env: Arc::default() };
    let Err(fault) = local::refold(&changed, input(2, 2), &run.journal) else {
        panic!("a changed request was taken");
    };
    assert_eq!(fault.code, "journal_mismatch");
}

#[test]
fn a_long_turn_pauses_and_comes_to_the_same_end() {
    let text = "
- init:
    assign: [{i: 0}]
- count:
    assign: [{i: '${i + 1}'}]
- look:
    switch:
      - condition: ${i < 50000}
        next: count
- done:
    return: ${i}
";
    let program = check(text, &Limits::lifted()).program.unwrap();
    let workflow = Workflow { program, env: Arc::default() };
    let begin = jobmill_model::machine::Begin {
        input: Value::Null,
        params: Value::Null,
        seed: local::seed(),
    };
    let machine = jobmill_model::machine::Program::machine(&workflow, begin);
    let (mut fold, mut applied) = Fold::start(machine).unwrap();
    let mut pauses = 0;
    while applied.paused {
        pauses += 1;
        applied = fold.go_on().unwrap();
    }
    assert!(pauses >= 9, "{pauses} pauses");
    assert_eq!(fold.end(), Some(&Ok(Value::from(50_000))));
}

#[test]
fn memory_goes_back_when_frames_are_gone() {
    let text = "
main:
  steps:
    - loop:
        for:
          value: v
          range: [1, 500]
          steps:
            - call:
                call: sub
                args: ['${v}']
                result: r
            - fail:
                try:
                  call: sub
                  args: ['text']
                except:
                  as: e
                  steps: [{x: {assign: [{y: '${e}'}]}}]
            - wide:
                parallel:
                  for:
                    value: w
                    range: [1, 5]
                    steps: [{x: {assign: [{y: '${[w, w]}'}]}}]
    - done:
        return: null
sub:
  params: [a]
  steps:
    - big: {assign: [{b: ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '${a}']}, {c: '${a * 2}'}]}
    - done: {return: '${b}'}
";
    let program = check(text, &Limits::lifted()).program.unwrap();
    let begin = jobmill_model::machine::Begin {
        input: Value::Null,
        params: Value::Null,
        seed: local::seed(),
    };
    let mut machine = Workflow { program, env: Arc::default() }.execution(begin);
    use jobmill_model::machine::{Machine as _, Then};
    let mut step = machine.start();
    while step.then == Then::Pause {
        step = machine.go_on();
    }
    assert_eq!(step.then, Then::End(Ok(Value::Null)));
    assert!(machine.memory_bytes() < 200, "{} bytes", machine.memory_bytes());
    assert_eq!(machine.branches_alive(), 1);
}

#[test]
fn a_fold_with_a_recorder_tells_what_happened_to_the_steps() {
    let text = "
- first:
    try:
      steps:
        - get: {call: http.get, args: {url: 'http://h/'}}
    except: {as: e, steps: [{handled: {assign: [{x: 1}]}}]}
- done:
    return: 1
";
    let program = check(text, &Limits::lifted()).program.unwrap();
    let workflow = Workflow { program: program.clone(), env: Arc::default() };
    let mut world = Picky { quiet: QuietWorld::default(), picks: vec![0], at: 0 };
    let run = local::run(&workflow, Value::Null, &mut world).unwrap();
    let begin = jobmill_model::machine::Begin {
        input: Value::Null,
        params: Value::Null,
        seed: local::seed(),
    };
    let asked = Asked { most: 100, variables: Some((2, 1)) };
    let (events, history) = local::trace(&workflow, begin, &run.journal, asked);
    let told: Vec<String> = events
        .iter()
        .map(|event| {
            let info = &program.steps[event.step as usize];
            let parent = info.parent.map_or("-", |parent| &program.steps[parent as usize].name);
            let after = event.at.as_millis();
            format!("{} {} in {parent} after {after}: {:?}", info.kind, info.name, event.kind)
        })
        .collect();
    let error = r#"Failed("{\"message\":\"TimeoutError: late\",\"tags\":[\"TimeoutError\"]}")"#;
    assert_eq!(
        told,
        [
            "TRY_RETRY_EXCEPT first in - after 0: Began".to_owned(),
            "STD_LIB_CALL get in first after 0: Began".to_owned(),
            format!("STD_LIB_CALL get in first after 1: {error}"),
            "ASSIGN handled in first after 1: Began".to_owned(),
            "RETURN done in - after 1: Began".to_owned(),
        ]
    );
    let states: Vec<_> = history
        .steps
        .iter()
        .map(|step| (&*step.name.step, step.parent, step.state, step.variables.is_some()))
        .collect();
    use jobmill_model::machine::StepState::{Failed, Succeeded};
    assert_eq!(
        states,
        [
            ("first", None, Succeeded, false),
            ("get", Some(0), Failed, false),
            ("handled", Some(0), Succeeded, true),
            ("done", None, Succeeded, false),
        ]
    );
    let shown = history.steps[2].variables.as_ref().unwrap().to_string();
    assert!(shown.starts_with(r#"{"e":{"message":"TimeoutError: late""#), "{shown}");
    assert!(history.is_over && history.current.is_empty() && history.count == 4);
}

#[test]
fn a_history_keeps_the_first_steps_and_counts_the_rest() {
    let text = "
main:
  steps:
    - every:
        parallel:
          for:
            value: x
            range: [1, 3]
            steps:
              - one: {call: sub, args: {n: '${x}'}}
    - wait: {call: sys.sleep, args: {seconds: 1}}
sub:
  params: [n]
  steps:
    - check: {assign: [{y: '${1 / n}'}]}
    - rest: {call: sys.sleep, args: {seconds: 5}}
";
    let program = check(text, &Limits::lifted()).program.unwrap();
    let workflow = Workflow { program, env: Arc::default() };
    let begin = || jobmill_model::machine::Begin {
        input: Value::Null,
        params: Value::Null,
        seed: local::seed(),
    };
    let asked = Asked { most: 4, variables: Some((0, 9)) };
    let (_, history) = local::trace(&workflow, begin(), &[], asked);
    let shown = |history: &History| -> Vec<(String, usize, Option<usize>)> {
        let steps = history.steps.iter();
        steps.map(|it| (it.name.step.to_string(), it.branch, it.parent)).collect()
    };
    assert_eq!((history.steps.len(), history.count), (4, 10), "{:?}", shown(&history));
    assert_eq!(history.steps[1].parent, Some(0), "an iteration belongs to its parallel step");
    let now: Vec<&str> = history.current.iter().map(|name| &*name.step).collect();
    assert_eq!(now, ["rest", "rest", "rest"]);
    let variables: Vec<String> =
        history.steps.iter().map(|it| it.variables.as_ref().unwrap().to_string()).collect();
    assert_eq!(variables[..2], ["{}", r#"{"x":1}"#]);
    assert_eq!(variables[2], r#"{"n":1}"#);
    assert!(!history.is_over);
}
