//! The promises of the engine under crashes, delays and jumps of the clock, seed by seed; and
//! what the simulation has found, each as a scene of its own.

#[path = "simulation/scene.rs"]
mod scene;
#[path = "simulation/mod.rs"]
mod simulation;

use jobmill_model::job::{NewJob, Spec, Start};
use jobmill_model::queue::Name;
use jobmill_model::{Json, Span, State};
use jobmill_store::{Jobs, Leases, Signals, StoreError};
use scene::{SECOND, Scene, lent, machine};
use simulation::{Flaw, run};

/// Seeds of one run of the tests; `cargo run --example simulate` tries more.
const SEEDS: std::ops::Range<u64> = 1..201;
/// A store with a flaw is found out within so many seeds.
const FLAWED_SEEDS: std::ops::Range<u64> = 1..301;

#[test]
fn every_promise_holds_whatever_crashes() {
    println!("seeds {SEEDS:?}");
    for seed in SEEDS {
        let report = run(seed, None, false);
        if let Some(violation) = report.violation {
            panic!("seed {seed}: {violation}");
        }
        assert!(report.events >= 200, "seed {seed} has only {} events", report.events);
        assert!(report.crashes >= 3, "seed {seed} has only {} crashes", report.crashes);
    }
}

#[test]
fn a_seed_tells_the_same_story_every_time() {
    for seed in [3, 17] {
        assert_eq!(run(seed, None, true).lines, run(seed, None, true).lines);
    }
}

#[test]
fn every_flaw_is_found_out() {
    for flaw in Flaw::ALL {
        let mut found = FLAWED_SEEDS.filter_map(|seed| {
            run(seed, Some(flaw), false).violation.map(|violation| (seed, violation))
        });
        let (seed, violation) = found.next().unwrap_or_else(|| panic!("{flaw:?} goes unnoticed"));
        println!("{flaw:?} is found out by seed {seed}: {violation}");
    }
}

const GO: &str = "go";

fn signal() -> Json {
    Json::trusted("1")
}

#[test]
fn a_sender_that_hangs_up_leaves_no_job_with_a_lease_that_nobody_performs() {
    let mut scene = Scene::new(1);
    let engine = scene.engine();
    let submit = async move { drop(engine.submit(vec![machine(&[&["log"]])], None).await) };
    scene.give_up(submit, 10);
    scene.pass(60 * SECOND);
    let states: Vec<_> = scene.jobs().into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, [State::Completed], "{}", scene.story());
    assert_eq!(scene.engine().under_way(), 0);
}

#[test]
fn a_signal_whose_sender_hangs_up_wakes_the_machine() {
    let mut scene = Scene::new(1);
    let id = scene.submit(machine(&[&["signal:go"]]));
    scene.pass(SECOND);
    let engine = scene.engine();
    let signal = async move { drop(engine.signal(id, &Name::trusted(GO), &signal()).await) };
    scene.give_up(signal, 10);
    scene.until(id, |seen| seen.state == State::Completed);
}

#[test]
fn a_full_disk_does_not_repeat_what_a_machine_has_done() {
    for seed in 1..20 {
        let mut scene = Scene::new(seed);
        let id = scene.submit(machine(&[&["call", "call"], &["call"], &["call"]]));
        while scene.touches() == 0 {
            scene.step();
        }
        scene.disk.lock().refuse_for(3 * SECOND, StoreError::Full);
        scene.until(id, |seen| seen.state.is_final());
        assert_eq!(scene.touches(), 4, "seed {seed}\n{}", scene.story());
    }
}

#[test]
fn a_machine_that_was_cancelled_before_its_worker_began_does_nothing() {
    let mut scene = Scene::new(1);
    let id = scene.submit(machine(&[&["call", "signal:go", "call"]]));
    scene.until(id, |seen| seen.lease.is_none() && seen.journal.len() == 1);
    let stranger = scene.stranger();
    scene.life.spawn(async move {
        let woken = stranger.job_signal(id, &Name::trusted(GO), &signal()).await;
        woken.expect("it is stored");
    });
    scene.pass(SECOND);
    let engine = scene.engine();
    scene.life.spawn(async move { drop(engine.retry(&[]).await) });
    scene.until(id, |seen| seen.lease.is_some());
    scene.life.is_frozen = true;
    let (stranger, now) = (scene.stranger(), scene.engine().now());
    futures::executor::block_on(async {
        let mut cancel = stranger.job_cancel(std::slice::from_ref(&id), now);
        assert!(futures::poll!(&mut cancel).is_pending());
    });
    scene.until(id, |seen| seen.state == State::Cancelled);
    scene.life.is_frozen = false;
    scene.pass(60 * SECOND);
    assert_eq!(scene.touches(), 1, "{}", scene.story());
}

#[test]
fn a_cancellation_does_not_stop_the_run_that_was_opened_after_it() {
    for seed in 1..300 {
        let mut scene = Scene::new(seed);
        let id = scene.submit(machine(&[&["signal:go"]]));
        scene.until(id, |seen| seen.leases == 1 && seen.lease.is_none());
        let (cancelling, retrying) = (scene.engine(), scene.engine());
        scene.life.spawn(async move { drop(cancelling.cancel(&[id]).await) });
        scene.life.spawn(async move { drop(retrying.retry(&[id]).await) });
        scene.pass(5 * SECOND);
        if scene.is(id, |seen| seen.run == 2) {
            let rests = scene.is(id, |seen| seen.leases == 2 && seen.lease.is_none());
            assert!(rests, "seed {seed}\n{}", scene.story());
        }
    }
}

#[test]
fn a_shutdown_waits_for_jobs_that_are_on_their_way_to_it() {
    for seed in 1..40 {
        let mut scene = Scene::new(seed);
        let stranger = scene.stranger();
        let id = scene.submit(later(Span::from_secs(10)));
        scene.life.spawn(async move {
            drop(stranger.job_promote(jobmill_model::Timestamp::MAX, 10).await);
        });
        scene.until(id, |seen| seen.state == State::Submitted);
        let engine = scene.engine();
        scene.life.spawn(async move { drop(engine.retry(&[]).await) });
        scene.pass(SECOND / 200);
        scene.life.drain();
        while !scene.has_drained() {
            scene.step();
        }
        assert!(scene.is(id, |seen| seen.lease.is_none()), "seed {seed}\n{}", scene.story());
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_hide_a_silent_worker_behind_another() {
    let mut scene = Scene::new(1);
    let old = scene.submit(lent());
    scene.lend();
    scene.until(old, |seen| seen.lease.is_some());
    scene.jump(-3_600_000);
    let new = scene.submit(lent());
    scene.lend();
    scene.until(new, |seen| seen.lease.is_some());
    scene.pass(15 * SECOND);
    assert!(scene.is(old, |seen| seen.crashes == 1), "{}", scene.story());
}

fn later(wait: Span) -> NewJob {
    let job = machine(&[&["signal:go"]]);
    NewJob { spec: Spec { start: Start::After(wait), ..job.spec }, ..job }
}

#[test]
fn a_machine_that_gets_another_signal_than_it_waits_for_holds_no_worker() {
    let mut scene = Scene::new(1);
    let id = scene.submit(later(Span::from_secs(1)));
    let engine = scene.engine();
    scene.life.spawn(async move {
        drop(engine.signal(id, &Name::trusted("other"), &signal()).await);
    });
    scene.until(id, |seen| seen.leases == 1);
    scene.pass(5 * SECOND);
    assert!(scene.is(id, |seen| seen.lease.is_none()), "{}", scene.story());
}

#[test]
fn a_clock_that_is_set_back_does_not_lengthen_the_pause_after_a_refusal() {
    let mut scene = Scene::new(1);
    let id = scene.submit(machine(&[&["call"]]));
    while scene.touches() == 0 {
        scene.step();
    }
    scene.disk.lock().refuse_for(SECOND, StoreError::Full);
    scene.pass(SECOND / 2);
    scene.jump(-3_600_000);
    scene.pass(15 * SECOND);
    assert!(scene.is(id, |seen| seen.state.is_final()), "{}", scene.story());
}
