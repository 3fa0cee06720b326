//! Exams of the schedule: its change and the jobs of its ticks are one step.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::job::{Backoff, Spec};
use jobmill_model::limits::SCHEDULES;
use jobmill_model::schedule::{
    ClockChange, Missed, Overlap, Reason, Rules, Schedule, Skipped, Template, Timetable, Zone,
};
use jobmill_model::{Span, State};

use super::stage::{Draft, Must, Stage, at, complete, draft, drafts, everything, json, name};
use crate::{ScheduleWrite, SchedulesDue, Store, Written};

/// A schedule of every minute, made at second 0, a multiple of 40 seconds after a minute.
pub(super) fn plain(text: &str) -> Schedule {
    let cron = "* * * * *".parse().expect("an expression");
    let timetable = Timetable { cron, zone: Zone::utc(), clock_change: ClockChange::Fire };
    let job = Template { spec: Spec::new(name("f")), input: json("{}"), params: json("{}") };
    let (missed, overlap) = (Missed::All, Overlap::Allow);
    let rules = Rules { timetable, missed, missed_limit: 5, overlap, job };
    Schedule::new(name(text), rules, false, at(0))
}

fn next(schedule: &Schedule) -> Schedule {
    Schedule { revision: schedule.revision + 1, ..schedule.clone() }
}

async fn write(stage: &Stage, schedule: &Schedule, jobs: Vec<Draft>) -> Written {
    let jobs = jobs.into_iter().map(Draft::insert).collect();
    let write = ScheduleWrite { schedule: schedule.clone(), jobs, at: at(0) };
    stage.schedule_write(vec![write]).await.must()[0]
}

async fn due(stage: &Stage, secs: i64) -> Vec<String> {
    let due = stage.schedule_due(at(secs), 9).await.must();
    due.schedules.into_iter().map(|schedule| schedule.name.to_string()).collect()
}

/// A schedule with every part unlike its default.
fn full() -> Schedule {
    let mut schedule = plain("full");
    schedule.rules.timetable = Timetable {
        cron: "15 30 3 L * MON-FRI".parse().expect("an expression"),
        zone: "Europe/Berlin".parse().expect("a zone"),
        clock_change: ClockChange::Skip,
    };
    schedule.rules.missed = Missed::Skip;
    schedule.rules.overlap = Overlap::Queue;
    let spec = &mut schedule.rules.job.spec;
    spec.queue = name("slow");
    spec.key = Some(name("ann"));
    spec.max_attempts = 7;
    spec.backoff = Backoff::fixed(Span::from_secs(3));
    spec.tags = vec![name("red")];
    spec.warnings = vec!["odd".to_owned()];
    schedule.rules.job.input = json(r#"{"b":1,"a":[1.0]}"#);
    schedule.rules.job.params = json(r#"{"split":"half"}"#);
    schedule.changed_at = at(5);
    schedule.queued = vec![at(60), at(120)];
    schedule.fire(at(60), draft(1).id());
    schedule.skipped = Some(Skipped { tick: at(180), reason: Reason::Overlap });
    schedule.misfire(at(240), at(241), "no flow is called \"é\"".to_owned());
    schedule
}

pub async fn a_stored_schedule_reads_back_whole(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for schedule in [full(), plain("plain")] {
        assert_eq!(write(&stage, &schedule, vec![]).await, Written::Done);
        let stored = stage.schedule_get(&schedule.name).await.must();
        assert_eq!(stored.as_ref(), Some(&schedule));
        let resting = next(&schedule).paused(at(9));
        let resting = Schedule { revision: 2, ..resting };
        assert_eq!(write(&stage, &resting, vec![]).await, Written::Done);
        assert_eq!(stage.schedule_get(&schedule.name).await.must(), Some(resting));
    }
    assert_eq!(stage.schedule_get(&name("none")).await.must(), None);
}

pub async fn the_jobs_of_a_tick_are_stored_with_it(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(write(&stage, &plain("s"), drafts([1, 2])).await, Written::Done);
    let jobs = stage.job_get(&[draft(1).id(), draft(2).id()]).await.must();
    assert!(jobs.iter().flatten().all(|job| job.state == State::Submitted));
    assert_eq!(stage.claim_all(0).await, [draft(1).id(), draft(2).id()]);
}

pub async fn a_tick_that_somebody_answered_makes_no_job(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let (first, second) = (plain("s"), next(&plain("s")));
    assert_eq!(write(&stage, &second, drafts([1])).await, Written::Stale, "it is not there");
    assert_eq!(write(&stage, &first, drafts([2])).await, Written::Done);
    assert_eq!(write(&stage, &first, drafts([3])).await, Written::Stale, "it is there");
    assert_eq!(write(&stage, &second, drafts([4])).await, Written::Done);
    assert_eq!(write(&stage, &second, drafts([5])).await, Written::Stale);
    assert_eq!(stage.list(&everything()).await, [draft(4).id(), draft(2).id()]);
    assert_eq!(stage.schedule_get(&name("s")).await.must(), Some(second));
}

pub async fn of_two_writes_at_once_each_stands_for_itself(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let new = |text: &str, number| ScheduleWrite {
        schedule: plain(text),
        jobs: vec![draft(number).insert()],
        at: at(0),
    };
    let writes = vec![new("a", 1), new("a", 2), new("b", 3)];
    let written = stage.schedule_write(writes).await.must();
    assert_eq!(written, [Written::Done, Written::Stale, Written::Done]);
    assert_eq!(stage.list(&everything()).await, [draft(3).id(), draft(1).id()]);
}

pub async fn schedules_are_listed_by_name_in_pages(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for text in ["b", "a", "é", "c"] {
        write(&stage, &plain(text), vec![]).await;
    }
    let names = async |after: Option<&str>, limit| {
        let after = after.map(name);
        let page = stage.schedule_list(after.as_ref(), limit).await.must();
        page.into_iter().map(|schedule| schedule.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(None, 9).await, ["a", "b", "c", "é"]);
    assert_eq!(names(None, 2).await, ["a", "b"]);
    assert_eq!(names(Some("b"), 2).await, ["c", "é"]);
    assert_eq!(names(Some("é"), 2).await, [""; 0]);
}

pub async fn a_deleted_schedule_leaves_its_jobs(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    write(&stage, &plain("s"), drafts([1])).await;
    assert!(stage.schedule_delete(&name("s")).await.must());
    assert!(!stage.schedule_delete(&name("s")).await.must());
    assert_eq!(stage.schedule_get(&name("s")).await.must(), None);
    assert_eq!(stage.list(&everything()).await, [draft(1).id()]);
    assert_eq!(write(&stage, &next(&plain("s")), vec![]).await, Written::Stale);
    assert_eq!(write(&stage, &plain("s"), vec![]).await, Written::Done, "the name is free");
}

pub async fn a_schedule_is_due_from_its_tick_on(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(stage.schedule_due(at(9), 9).await.must(), SchedulesDue::default());
    for (text, secs) in [("a", 30), ("b", 20), ("c", 40)] {
        let schedule = Schedule { next_at: Some(at(secs)), ..plain(text) };
        write(&stage, &schedule, vec![]).await;
    }
    let resting = Schedule { paused: true, next_at: None, ..plain("resting") };
    write(&stage, &resting, vec![]).await;
    for (secs, names, later) in [
        (19, &[][..], Some(20)),
        (20, &["b"][..], Some(30)),
        (30, &["a", "b"][..], Some(40)),
        (90, &["a", "b", "c"][..], None),
    ] {
        assert_eq!(due(&stage, secs).await, names);
        assert_eq!(stage.schedule_due(at(secs), 9).await.must().next, later.map(at));
    }
    assert_eq!(stage.schedule_due(at(90), 2).await.must().schedules.len(), 2);
}

pub async fn waiting_ticks_are_due_when_the_job_before_has_ended(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let mut schedule = Schedule { next_at: Some(at(500)), queued: vec![at(60)], ..plain("s") };
    schedule.fire(at(0), draft(1).id());
    write(&stage, &schedule, drafts([1])).await;
    let looked = stage.schedule_due(at(70), 9).await.must();
    let held_by = vec![draft(1).id()];
    assert_eq!(looked, SchedulesDue { schedules: vec![], next: Some(at(500)), held_by });
    let lease = stage.claim(71).await;
    assert_eq!(due(&stage, 72).await, [""; 0], "it is at work");
    stage.settle(&lease, complete(), 73).await;
    assert_eq!(due(&stage, 74).await, ["s"]);
    assert!(stage.schedule_due(at(74), 9).await.must().held_by.is_empty());
    let resting = Schedule { revision: 2, ..schedule.paused(at(75)) };
    write(&stage, &resting, vec![]).await;
    assert_eq!(due(&stage, 76).await, [""; 0], "it rests");
}

pub async fn there_are_only_so_many_schedules(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let new = |number| {
        let schedule = next(&Schedule { revision: 0, ..plain(&format!("s{number}")) });
        ScheduleWrite { schedule, jobs: Vec::new(), at: at(0) }
    };
    for thousand in 0..SCHEDULES / 1_000 {
        let writes = (0..1_000).map(|number| new(thousand * 1_000 + number)).collect();
        let written = stage.schedule_write(writes).await.must();
        assert!(written.iter().all(|written| *written == Written::Done));
    }
    assert_eq!(stage.schedule_write(vec![new(SCHEDULES)]).await.must(), [Written::Full]);
    let known = new(7).schedule;
    assert_eq!(write(&stage, &next(&known), vec![]).await, Written::Done, "it is no new one");
    assert!(stage.schedule_delete(&known.name).await.must());
    assert_eq!(stage.schedule_write(vec![new(SCHEDULES)]).await.must(), [Written::Done]);
}
